"""Groups: legs that were opened with one group_id, and their P&L together.

Problem: a spread or a condor is traded as one thing at one credit, while a book knows one symbol; and closing a leg by itself must
not need the group. Chosen: a group changes nothing in how lots are kept and closed. It is a way to add up: everything opened
under one group_id, by leg (symbol, side and currency), and whatever closed it. So each leg stays closable by any means.

The credit of an entry is -signed quantity x price x multiplier, of the quantity and the price that the entry has: a split makes of
an entry what was open of it in new units, and its credit follows. Per contract there is a figure only while every leg was opened
in the same quantity. What is open without a mark leaves unrealized P&L unknown, never zero (law 12).

A group may have any number of legs, and a mark concerns one of them: sums are moved by the difference; exact arithmetic
cannot drift.
"""

from __future__ import annotations

from bisect import insort
from collections import Counter
from decimal import Decimal
from typing import NamedTuple

from lotkeeperd.domain.decimals import ZERO, average
from lotkeeperd.domain.lots import Contract, Direction

LEGS_SHOWN = 100
"""Legs that figures carry; the rest is counted."""


class LegKey(NamedTuple):
    """Names a leg of a group."""

    symbol: str
    side: Direction
    currency: str


class Dealt(NamedTuple):
    """What was done with a leg; sums. ``credit`` and ``gross`` are without fees, amounts in the leg's currency."""

    opened: Decimal = ZERO
    credit: Decimal = ZERO
    gross: Decimal = ZERO
    fees: Decimal = ZERO

    def plus(self, other: Dealt) -> Dealt:
        """Both together; run under ``localcontext(EXACT)``."""
        return Dealt(
            self.opened + other.opened, self.credit + other.credit, self.gross + other.gross, self.fees + other.fees
        )


NOTHING_DEALT = Dealt()


def opening(side: Direction, quantity: Decimal, price: Decimal, contract: Contract) -> Dealt:
    """What an entry adds to its leg; run under ``localcontext(EXACT)``."""
    return Dealt(quantity, -side.value * contract.value(quantity, price)) if quantity else NOTHING_DEALT


class OpenPart(NamedTuple):
    """What is open of a leg: quantity, what it was opened for, and how many lots."""

    quantity: Decimal = ZERO
    cost: Decimal = ZERO
    lots: int = 0

    def plus(self, quantity: Decimal, cost: Decimal, lots: int) -> OpenPart:
        """With another lot, or less one; run under ``localcontext(EXACT)``."""
        return OpenPart(self.quantity + quantity, self.cost + cost, self.lots + lots)


NOTHING_OPEN = OpenPart()


class Leg(NamedTuple):
    """One leg at its mark; ``unrealized`` is gross of fees, None while it is open without a mark."""

    key: LegKey
    dealt: Dealt = NOTHING_DEALT
    open: OpenPart = NOTHING_OPEN
    unrealized: Decimal | None = ZERO

    @property
    def counts(self) -> bool:
        """Whether there is anything of it: a leg whose every execution was busted never was."""
        return self.open.lots > 0 or any(self.dealt)


class GroupPnL(NamedTuple):
    """The figures of one group in one currency; fields as in the contract. ``legs`` are the first of ``leg_count``."""

    portfolio_id: str
    group_id: str
    currency: str
    entry_credit: Decimal
    contracts: Decimal | None
    gross_realized: Decimal
    realized_fees: Decimal
    unrealized: Decimal | None
    open_entry_count: int
    legs: tuple[Leg, ...]
    leg_count: int
    sequence: int

    @property
    def entry_credit_per_contract(self) -> Decimal | None:
        """Half-even at 18 fraction digits; None when the legs were not opened in the same quantity."""
        return None if self.contracts is None else average(self.entry_credit, self.contracts)

    @property
    def pnl_per_contract(self) -> Decimal | None:
        """Net realized and unrealized, half-even at 18 fraction digits; run under ``localcontext(EXACT)``."""
        if self.contracts is None or self.unrealized is None:
            return None
        return average(self.gross_realized - self.realized_fees + self.unrealized, self.contracts)


class LegSums:
    """The legs of one group in one currency and their running sums; run under ``localcontext(EXACT)``."""

    __slots__ = ("_legs", "_open_lots", "_opened", "_order", "_sum", "_unpriced", "_unrealized")

    def __init__(self) -> None:
        self._legs: dict[LegKey, Leg] = {}
        self._order: list[LegKey] = []  # of those that count
        self._opened: Counter[Decimal] = Counter()  # legs by the quantity they were opened in
        self._sum = NOTHING_DEALT
        self._unrealized = ZERO
        self._unpriced = 0
        self._open_lots = 0

    def leg(self, key: LegKey) -> Leg:
        """As it is; nothing is dealt and nothing open of one that is new."""
        return self._legs.get(key) or Leg(key)

    def symbols(self) -> set[str]:
        """Of its legs."""
        return {key.symbol for key in self._legs}

    def put(self, leg: Leg) -> None:
        """Let ``leg`` be as given."""
        before = self._legs.get(leg.key)
        if before is not None and before.counts:
            self._move(before, -1)
        self._legs[leg.key] = leg
        if leg.counts:
            self._move(leg, 1)
        if leg.counts and not (before is not None and before.counts):
            insort(self._order, leg.key)
        elif before is not None and before.counts and not leg.counts:
            self._order.remove(leg.key)

    def _move(self, leg: Leg, sign: int) -> None:
        opened, credit, gross, fees = leg.dealt
        self._sum = self._sum.plus(Dealt(sign * opened, sign * credit, sign * gross, sign * fees))
        self._open_lots += sign * leg.open.lots
        if leg.unrealized is None:
            self._unpriced += sign
        else:
            self._unrealized += sign * leg.unrealized
        self._opened[opened] += sign
        if not self._opened[opened]:
            del self._opened[opened]

    def figures(self, portfolio_id: str, group_id: str, currency: str, sequence: int) -> GroupPnL:
        """As they are now."""
        contracts = next(iter(self._opened)) if len(self._opened) == 1 else None
        return GroupPnL(
            portfolio_id,
            group_id,
            currency,
            self._sum.credit,
            contracts or None,
            self._sum.gross,
            self._sum.fees,
            None if self._unpriced else self._unrealized,
            self._open_lots,
            tuple(self._legs[key] for key in self._order[:LEGS_SHOWN]),
            len(self._order),
            sequence,
        )
