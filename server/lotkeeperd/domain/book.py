"""One book: the open lots of one portfolio and symbol, oldest first, and its running sums.

Laws kept here:
 1. Exact: all but what ``decimals`` rounds traps ``Inexact``; callers run commands under ``localcontext(EXACT)``, once per batch.
 2. FIFO order is (entry time, journal sequence). A late entry takes its place among the open lots and changes nothing matched.
 3. Quantity is conserved: opened = open + closed.
 4. Fees are conserved: each share is pro rata of what is left, the last is the rest; none turns its sign.
 5. Fees stand beside cost, never in it, and are realized with the quantity they belong to.
 6. gross realized + gross unrealized = cash flow + value of the net quantity at the mark, by every lot method. Cash flow is of
    the values of the fills: exact if linear, rounded once per fill if inverse.
 7. All open lots have one side; a flip closes all, then opens the rest.

``decide`` looks and returns what should happen; it changes nothing. ``evolve`` makes it so; it cannot fail. Between the
two the records are written to the journal, so that live and replayed books take the same road.

Where the lots stand, and what a staged copy costs, is told in ``open_lots``; what lots and contracts are in ``lots``; which lots a
close takes in ``matching``. This module is the door to the first two: names are imported from here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from lotkeeperd.domain.decimals import EXACT, ZERO, average, portion, share
from lotkeeperd.domain.fees import NOTHING_PENDING
from lotkeeperd.domain.lots import (
    LINEAR,
    UNKNOWN_ORIGIN,
    Contract,
    Direction,
    Fill,
    Lot,
    LotMethod,
    LotOpened,
    LotPlaced,
    LotReduced,
    LotTaken,
    Origin,
    Record,
    cost_of,
)
from lotkeeperd.domain.matching import NOTHING_CHOSEN, Choice, chosen_lots, dearest_first, matched, wanted_of
from lotkeeperd.domain.open_lots import OpenLots

__all__ = [
    "LINEAR",
    "UNKNOWN_ORIGIN",
    "Book",
    "Contract",
    "Direction",
    "Fill",
    "Lot",
    "LotMethod",
    "LotOpened",
    "LotPlaced",
    "LotReduced",
    "LotTaken",
    "Origin",
    "Record",
]

_FIFO = LotMethod.FIFO  # an enum's member is slow to look up


class Book(OpenLots):
    """The open lots and the running sums of one portfolio and symbol: reading it costs the same with one lot or many.

    ``cost`` is what the open lots were opened for; ``cost``, ``gross`` and both sums of fees are in the settlement currency.
    """

    __slots__ = (
        "contract",
        "cost",
        "direction",
        "fees",
        "gross",
        "method",
        "newest_time",
        "open_fees",
        "pending",
        "quantity",
        "sequence",
    )

    def __init__(self, contract: Contract = LINEAR, method: LotMethod = LotMethod.FIFO) -> None:
        super().__init__()
        self.contract = contract
        self.method = method
        self.direction: Direction | None = None
        self.quantity = ZERO
        self.cost = ZERO
        self.gross = ZERO
        self.fees = ZERO
        self.open_fees = ZERO
        self.sequence = 0  # of the journal record that last changed it
        self.newest_time = 0  # of all fills ever recorded here
        self.pending = NOTHING_PENDING  # fees that are in none of the sums yet

    @classmethod
    def restored(
        cls,
        lots: Sequence[Lot],
        gross: Decimal,
        fees: Decimal,
        sequence: int,
        newest_time: int,
        contract: Contract = LINEAR,
        method: LotMethod = LotMethod.FIFO,
        cost: Decimal | None = None,
    ) -> Book:
        """A book as it was stored: ``lots`` in FIFO order and of one side, the other sums as they stood.

        ``cost`` is what AVERAGE's lots have together; by the other methods it is added up from the lots, whatever is given.
        """
        book = cls(contract, method)
        book._hold(list(lots))
        book.gross, book.fees, book.sequence, book.newest_time = gross, fees, sequence, newest_time
        for lot in lots:
            book.direction = lot.opened.direction
            book.quantity += lot.remaining
            book.cost += cost_of(lot, contract)
            book.open_fees += lot.open_fee
        if method is LotMethod.AVERAGE and cost is not None:
            book.cost = cost
        return book

    def lots_at_cost(self) -> Iterator[Lot]:
        """The open lots, oldest first, each with the cost it leaves with when all are taken in this order.

        By AVERAGE that is a part of the one cost, by the others the lot's own. What is taken and is placed again as it stands here,
        in this book or in another, keeps the sum of the costs (law 6).
        """
        if self.method is not LotMethod.AVERAGE:
            yield from self.lots()
            return
        cost, quantity = self.cost, self.quantity
        for lot in self.lots():
            part = portion(cost, lot.remaining, quantity)
            yield lot._replace(cost=part)
            cost -= part
            quantity -= lot.remaining

    def average_price(self) -> Decimal | None:
        """What the open lots were opened at, half-even at 18 digits; None when there are none, or their value rounds to nothing."""
        units = EXACT.multiply(self.quantity, self.contract.multiplier)
        whole, of = (units, self.cost) if self.contract.inverse else (self.cost, units)
        return average(whole, of) if of else None

    def unrealized(self, mark: Decimal) -> Decimal:
        """Gross P&L of the open lots at ``mark``, in the settlement currency."""
        if self.direction is None:
            return ZERO
        return self.contract.gain(self.direction, self.cost, self.contract.value(self.quantity, mark))

    def staged(self) -> Book:
        """A copy to try a batch on, dropped if the batch does not reach the disk."""
        copy = Book.__new__(Book)
        copy.contract = self.contract
        copy.method = self.method
        copy.direction = self.direction
        copy.quantity = self.quantity
        copy.cost = self.cost
        copy.gross = self.gross
        copy.fees = self.fees
        copy.open_fees = self.open_fees
        copy.sequence = self.sequence
        copy.newest_time = self.newest_time
        copy.pending = self.pending
        self._share(copy)
        return copy

    def detached(self) -> Book:
        """A copy to try something on and keep: it shares nothing with what is staged later, but costs a pointer per lot."""
        copy = self.staged()
        copy._own()
        return copy

    def decide(
        self, fill: Fill, sequence: int, origin: Origin = UNKNOWN_ORIGIN, chosen: Choice = ()
    ) -> tuple[Record, ...]:
        """What ``fill`` does here, numbered ``sequence``: one of four arms.

        ``chosen`` names the lots to close by the sequence that opened them, and how much of each; together what is to be
        closed. Only CHOSEN looks at it. Raises LotNotOpen when one of them has fewer open.
        """
        value = (
            self.contract.value(fill.quantity, fill.price) if self.contract.inverse else None
        )  # rounded once (law 6)
        if self.direction is None or fill.direction is self.direction:
            return self._open_or_add(fill, value, sequence, origin)
        if fill.quantity < self.quantity:
            return self._reduce(fill, value, sequence, chosen)
        if fill.quantity == self.quantity:
            return self._close(fill, value, sequence, chosen)
        return self._flip(fill, value, sequence, origin, chosen)

    def _open_or_add(self, fill: Fill, value: Decimal | None, sequence: int, origin: Origin) -> tuple[Record, ...]:
        return (LotOpened(sequence, fill.direction, fill.quantity, fill.price, fill.fee, fill.time, origin, value),)

    def _reduce(self, fill: Fill, value: Decimal | None, sequence: int, chosen: Choice) -> tuple[Record, ...]:
        return self._matched(fill, sequence, fill.quantity, fill.fee, value, chosen)

    def _close(self, fill: Fill, value: Decimal | None, sequence: int, chosen: Choice) -> tuple[Record, ...]:
        return self._matched(fill, sequence, self.quantity, fill.fee, value, chosen)

    def _flip(
        self, fill: Fill, value: Decimal | None, sequence: int, origin: Origin, chosen: Choice
    ) -> tuple[Record, ...]:
        closing_fee = share(fill.fee, self.quantity, fill.quantity)
        closing_value = None if value is None else share(value, self.quantity, fill.quantity)
        rest, rest_fee = fill.quantity - self.quantity, fill.fee - closing_fee
        cost = None if value is None or closing_value is None else value - closing_value
        opened = LotOpened(sequence, fill.direction, rest, fill.price, rest_fee, fill.time, origin, cost)
        return (*self._matched(fill, sequence, self.quantity, closing_fee, closing_value, chosen), opened)

    def _matched(
        self, fill: Fill, sequence: int, quantity: Decimal, fee: Decimal, value: Decimal | None, chosen: Choice
    ) -> tuple[LotReduced, ...]:
        method, contract = self.method, self.contract
        if method is _FIFO:
            return tuple(matched(fill, sequence, quantity, fee, self.lots(), contract, value))
        lots: Iterable[Lot] = self.lots()
        pool, wanted = None, NOTHING_CHOSEN
        if method is LotMethod.LIFO:
            lots = self.newest_first()
        elif method is LotMethod.HIFO:
            lots = dearest_first(lots)
        elif method is LotMethod.AVERAGE:
            pool = portion(self.cost, quantity, self.quantity)
        elif chosen:
            wanted = wanted_of(chosen)
            assert sum(wanted.values()) == quantity, f"{wanted} is chosen, but {quantity} is to be closed"
            lots = chosen_lots(lots, wanted)
        return tuple(matched(fill, sequence, quantity, fee, lots, contract, value, pool, wanted))

    def evolve(self, records: Iterable[Record], sequence: int, time: int) -> None:
        """Make ``records`` so, as journal record ``sequence`` of a fill at ``time``."""
        for record in records:
            if isinstance(record, LotReduced):
                self._reduced(record)
            elif isinstance(record, LotOpened):
                self._opened(record)
            elif isinstance(record, LotTaken):
                self._taken(record.lot)
            else:
                self._placed(record.lot)
        if self._changed:
            self._settle()
        self.sequence = sequence
        self.newest_time = max(self.newest_time, time)

    def _opened(self, record: LotOpened) -> None:
        quantity, price, fee, cost = record.quantity, record.price, record.fee, record.cost
        self.direction = record.direction
        self._add(Lot(record.time, record.sequence, quantity, price, fee, record, cost))
        self.quantity += quantity
        self.cost += quantity * price * self.contract.multiplier if cost is None else cost
        self.open_fees += fee

    def _placed(self, lot: Lot) -> None:
        direction = lot.opened.direction
        assert self.direction is None or self.direction is direction, f"{lot} is of the other side than the book"
        self.direction = direction
        self._add(lot)
        self.quantity += lot.remaining
        self.cost += cost_of(lot, self.contract)
        self.open_fees += lot.open_fee

    def _reduced(self, record: LotReduced) -> None:
        lot, quantity, cost = record.lot, record.quantity, record.cost
        self._replace(lot, lot.less(quantity, record.entry_fee) if quantity < lot.remaining else None)
        self.quantity -= quantity
        self.cost -= quantity * lot.price * self.contract.multiplier if cost is None else cost
        self.gross += record.gross
        self.fees += record.entry_fee + record.exit_fee
        self.open_fees -= record.entry_fee
        if not self.quantity:
            self._flatten()

    def _taken(self, lot: Lot) -> None:
        self._replace(lot, None)
        together = self.method is LotMethod.AVERAGE
        self.cost -= portion(self.cost, lot.remaining, self.quantity) if together else cost_of(lot, self.contract)
        self.quantity -= lot.remaining
        self.open_fees -= lot.open_fee
        if not self.quantity:
            self._flatten()

    def _flatten(self) -> None:
        self.direction = None
        self._hold([])
