"""The values a book is made of: fills, lots, the records that change lots, and what a quantity of a contract is worth.

Problem: a linear contract is worth quantity x price, exactly; an inverse one is worth quantity / price of its base coin, which
has no end of digits. Were each piece of a fill valued by itself, the pieces would not sum to the fill, and P&L would not be cash.

Therefore a lot may carry its ``cost``, a sum of the settlement currency. None is the plain case: remaining x price x multiplier,
a product, exact however it is cut. A cost that is given (inverse contracts; lots after a split whose price has no end) was
rounded once and is from then on shared as a fee is (law 4): pro rata of what is left, the last piece is the rest.

Names are imported from ``lotkeeperd.domain.book``, which is the door to this module.
"""

from __future__ import annotations

from decimal import Decimal
from enum import Enum, IntEnum
from typing import NamedTuple

from lotkeeperd.domain.decimals import ONE, ZERO, portion, quotient
from lotkeeperd.domain.rates import Rate


class Direction(IntEnum):
    """Which way a fill trades and a lot profits; the value is the sign of its quantity."""

    LONG = 1
    SHORT = -1

    @property
    def opposite(self) -> Direction:
        """The other one."""
        return Direction.SHORT if self is Direction.LONG else Direction.LONG


class LotMethod(Enum):
    """Which lots a close takes, and at what cost; the value is stored. The gain of a book that ends flat is the same by all."""

    FIFO = "FIFO"
    """The oldest first."""
    LIFO = "LIFO"
    """The newest first."""
    HIFO = "HIFO"
    """The one with the least gain first: of a long book the highest price, of a short one the lowest; of equals the oldest."""
    AVERAGE = "AVERAGE"
    """The oldest first, but all lots have one cost together, and quantity leaves with its part of that."""
    CHOSEN = "CHOSEN"
    """Those the caller names, in his order; the oldest first where he names none."""


class Contract(NamedTuple):
    """What a quantity is worth at a price: ``multiplier`` units of it per unit of quantity.

    Linear: in the quote currency, quantity x price x multiplier. Inverse: in the base coin, quantity x multiplier / price.
    ``currency`` is what both are settled in, "" for the ledger's.
    """

    multiplier: Decimal = ONE
    inverse: bool = False
    currency: str = ""

    def has_value_at(self, price: Decimal) -> bool:
        """An inverse contract has none at a price of 0, and none that means anything below it; callers refuse such a price."""
        return not self.inverse or price > 0

    def value(self, quantity: Decimal, price: Decimal) -> Decimal:
        """In the settlement currency: exact if linear, else half-even at 18 digits; run under ``localcontext(EXACT)``."""
        if not self.inverse:
            worth = quantity * price
            return worth if self.multiplier is ONE else worth * self.multiplier
        assert self.has_value_at(price), f"an inverse contract has no value at a price of {price}"
        return quotient(quantity * self.multiplier, price)

    def gain(self, direction: Direction, cost: Decimal, value: Decimal) -> Decimal:
        """Of what was opened at ``cost`` and is now worth ``value``: an inverse long gains as its value in the coin falls."""
        rising = (direction is Direction.LONG) is not self.inverse
        return value - cost if rising else cost - value


LINEAR = Contract()
"""Spot, equities and linear contracts of one unit."""


class Fill(NamedTuple):
    """One execution: ``quantity`` > 0 units at ``price``, ``fee`` in the settlement currency, ``time`` in nanoseconds UTC."""

    direction: Direction
    quantity: Decimal
    price: Decimal
    fee: Decimal
    time: int


class Origin(NamedTuple):
    """What the caller said of an entry besides its figures; it goes with the lot, and from there into closed trades.

    ``fee`` is the whole fee of the execution in ``fee_currency``, ``fee_rate`` what turned it into the book's currency, and
    ``fee_pending`` says that it is not in the lot's fee yet.
    """

    order_id: str = ""
    fill_id: str = ""
    fee_currency: str = ""
    group_id: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    synthetic: bool = False
    fee: Decimal = ZERO
    fee_rate: Rate | None = None
    fee_pending: bool = False


UNKNOWN_ORIGIN = Origin()


class LotOpened(NamedTuple):
    """A fill, or the rest of one, opened a lot; ``cost`` as a lot has it."""

    sequence: int
    direction: Direction
    quantity: Decimal
    price: Decimal
    fee: Decimal
    time: int
    origin: Origin
    cost: Decimal | None = None


class Lot(NamedTuple):
    """What one fill opened and what is still open of it; compares in FIFO order. ``cost`` is of what remains, None if plain."""

    time: int
    sequence: int
    remaining: Decimal
    price: Decimal
    open_fee: Decimal
    opened: LotOpened
    cost: Decimal | None = None

    @property
    def standing(self) -> tuple[object, ...]:
        """All of it but what was said when it was opened, which a lot that was read from its row has in other words."""
        return self.time, self.sequence, self.remaining, self.price, self.open_fee, self.cost

    def less(self, quantity: Decimal, fee: Decimal) -> Lot:
        """The same lot with ``quantity`` of it closed and ``fee`` carried into the closed trade; a given cost is shared."""
        cost = self.cost
        if cost is not None:
            cost -= portion(cost, quantity, self.remaining)
        return Lot(
            self.time, self.sequence, self.remaining - quantity, self.price, self.open_fee - fee, self.opened, cost
        )


class LotReduced(NamedTuple):
    """A fill closed ``quantity`` of ``lot``: one closed trade. ``cost`` is what left with it, None if plain."""

    sequence: int
    lot: Lot
    quantity: Decimal
    exit_price: Decimal
    gross: Decimal
    entry_fee: Decimal
    exit_fee: Decimal
    cost: Decimal | None = None


class LotTaken(NamedTuple):
    """``lot`` left the book and nothing was realized: a split, a change of symbol, a correction.

    By AVERAGE it leaves with its part of what all lots cost together, whatever its own cost: see ``Book.lots_at_cost``.
    """

    sequence: int
    lot: Lot


class LotPlaced(NamedTuple):
    """``lot`` arrived in the book as it is, in its FIFO place, which may be a late one, and brought its cost."""

    sequence: int
    lot: Lot


Record = LotOpened | LotReduced | LotTaken | LotPlaced


def fifo_place(lot: Lot) -> tuple[int, int]:
    """Where it stands (law 2)."""
    return lot.time, lot.sequence


def cost_of(lot: Lot, contract: Contract) -> Decimal:
    """What remains of the lot was opened for this much, in the settlement currency."""
    return contract.value(lot.remaining, lot.price) if lot.cost is None else lot.cost


def entry_id(sequence: int) -> str:
    """The id of the lot that journal record ``sequence`` opened; a record opens one lot at most."""
    return f"E{sequence}"
