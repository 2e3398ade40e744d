"""One book: the open lots of one portfolio and symbol, oldest first, and its running sums.

Laws kept here:
 1. Exact: every operation but ``share`` traps ``Inexact``; callers run commands under ``localcontext(EXACT)``, once per batch.
 2. FIFO order is (entry time, journal sequence). A late entry takes its place among the open lots and changes nothing matched.
 3. Quantity is conserved: opened = open + closed.
 4. Fees are conserved: each share is pro rata of what is left, the last is the rest; none turns its sign.
 5. Fees stand beside cost, never in it, and are realized with the quantity they belong to.
 6. gross realized + gross unrealized = cash flow + mark x net quantity.
 7. All open lots have one side; a flip closes all, then opens the rest.

``decide`` looks and returns what should happen; it changes nothing. ``evolve`` makes it so; it cannot fail. Between the
two the records are written to the journal, so that live and replayed books take the same road.

Staging: a batch is tried on copies that are dropped if it does not reach the disk. Copying 100,000 lots per batch would cost
milliseconds, so the list of lots is shared: it only grows at its end, and each copy knows where its own part begins and
ends. What a dropped batch appended is cut off by the next one. A committed book is never changed again, so a reader may keep
one as a snapshot for nothing. One writer stages one copy at a time.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from enum import IntEnum
from typing import NamedTuple

from lotkeeperd.domain.decimals import ZERO, share

COMPACT_AFTER = 1024
"""Closed lots that may lie in front of the open ones before the list is rewritten."""


class Direction(IntEnum):
    """Which way a fill trades and a lot profits; the value is the sign of its quantity."""

    LONG = 1
    SHORT = -1

    @property
    def opposite(self) -> Direction:
        """The other one."""
        return Direction.SHORT if self is Direction.LONG else Direction.LONG


class Fill(NamedTuple):
    """One execution: ``quantity`` > 0 units at ``price``, ``fee`` in the quote currency, ``time`` in nanoseconds UTC."""

    direction: Direction
    quantity: Decimal
    price: Decimal
    fee: Decimal
    time: int


class Origin(NamedTuple):
    """What the caller said of an entry besides its figures; it goes with the lot, and from there into closed trades."""

    order_id: str = ""
    fill_id: str = ""
    fee_currency: str = ""
    group_id: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    synthetic: bool = False


UNKNOWN_ORIGIN = Origin()


class LotOpened(NamedTuple):
    """A fill, or the rest of one, opened a lot."""

    sequence: int
    direction: Direction
    quantity: Decimal
    price: Decimal
    fee: Decimal
    time: int
    origin: Origin


class Lot(NamedTuple):
    """What one fill opened and what is still open of it; compares in FIFO order."""

    time: int
    sequence: int
    remaining: Decimal
    price: Decimal
    open_fee: Decimal
    opened: LotOpened

    def less(self, quantity: Decimal, fee: Decimal) -> Lot:
        """The same lot with ``quantity`` of it closed and ``fee`` carried into the closed trade."""
        return Lot(self.time, self.sequence, self.remaining - quantity, self.price, self.open_fee - fee, self.opened)


class LotReduced(NamedTuple):
    """A fill closed ``quantity`` of the oldest lot: one closed trade."""

    sequence: int
    lot: Lot
    quantity: Decimal
    exit_price: Decimal
    gross: Decimal
    entry_fee: Decimal
    exit_fee: Decimal


Record = LotOpened | LotReduced


class Book:
    """The open lots and the running sums of one portfolio and symbol: reading it costs the same with one lot or many."""

    __slots__ = (
        "_begin",
        "_end",
        "_front",
        "_lots",
        "cost",
        "direction",
        "fees",
        "gross",
        "newest_time",
        "open_fees",
        "quantity",
        "sequence",
    )

    def __init__(self) -> None:
        self.direction: Direction | None = None
        self.quantity = ZERO
        self.cost = ZERO
        self.gross = ZERO
        self.fees = ZERO
        self.open_fees = ZERO
        self.sequence = 0  # of the journal record that last changed it
        self.newest_time = 0  # of all fills ever recorded here
        self._lots: list[Lot] = []
        self._begin = 0
        self._end = 0
        self._front: Lot | None = None  # the oldest lot, once part of it is closed

    @classmethod
    def restored(cls, lots: Sequence[Lot], gross: Decimal, fees: Decimal, sequence: int, newest_time: int) -> Book:
        """A book as it was stored: ``lots`` in FIFO order and of one side, the other sums as they stood."""
        book = cls()
        book._lots = list(lots)
        book._end = len(lots)
        book.gross, book.fees, book.sequence, book.newest_time = gross, fees, sequence, newest_time
        for lot in lots:
            book.direction = lot.opened.direction
            book.quantity += lot.remaining
            book.cost += lot.remaining * lot.price
            book.open_fees += lot.open_fee
        return book

    def lots(self) -> Iterator[Lot]:
        """The open lots, oldest first."""
        lots, begin, end = self._lots, self._begin, self._end
        if self._front is not None:
            yield self._front
            begin += 1
        for place in range(begin, end):
            yield lots[place]

    @property
    def lot_count(self) -> int:
        """How many lots are open."""
        return self._end - self._begin

    @property
    def oldest(self) -> Lot | None:
        """The lot that the next exit closes first."""
        if self._begin == self._end:
            return None
        return self._front or self._lots[self._begin]

    @property
    def newest(self) -> Lot | None:
        """The lot that would be closed last."""
        if self._end - self._begin == 1:
            return self.oldest
        return self._lots[self._end - 1] if self._end > self._begin else None

    def unrealized(self, mark: Decimal) -> Decimal:
        """Gross P&L of the open lots at ``mark``, in the quote currency."""
        if self.direction is None:
            return ZERO
        gain = mark * self.quantity - self.cost
        return gain if self.direction is Direction.LONG else -gain

    def staged(self) -> Book:
        """A copy to try a batch on, dropped if the batch does not reach the disk."""
        copy = Book.__new__(Book)
        copy.direction = self.direction
        copy.quantity = self.quantity
        copy.cost = self.cost
        copy.gross = self.gross
        copy.fees = self.fees
        copy.open_fees = self.open_fees
        copy.sequence = self.sequence
        copy.newest_time = self.newest_time
        copy._lots = self._lots
        copy._begin = self._begin
        copy._end = self._end
        copy._front = self._front
        return copy

    def detached(self) -> Book:
        """A copy to try something on and keep: it shares nothing with what is staged later, but costs a pointer per lot."""
        copy = self.staged()
        copy._lots = self._lots[: self._end]
        return copy

    def decide(self, fill: Fill, sequence: int, origin: Origin = UNKNOWN_ORIGIN) -> tuple[Record, ...]:
        """What ``fill`` does here, numbered ``sequence``: one of four arms."""
        if self.direction is None or fill.direction is self.direction:
            return self._open_or_add(fill, sequence, origin)
        if fill.quantity < self.quantity:
            return self._reduce(fill, sequence)
        if fill.quantity == self.quantity:
            return self._close(fill, sequence)
        return self._flip(fill, sequence, origin)

    def _open_or_add(self, fill: Fill, sequence: int, origin: Origin) -> tuple[Record, ...]:
        return (LotOpened(sequence, fill.direction, fill.quantity, fill.price, fill.fee, fill.time, origin),)

    def _reduce(self, fill: Fill, sequence: int) -> tuple[Record, ...]:
        return tuple(self._matched(fill, sequence, fill.quantity, fill.fee))

    def _close(self, fill: Fill, sequence: int) -> tuple[Record, ...]:
        return tuple(self._matched(fill, sequence, self.quantity, fill.fee))

    def _flip(self, fill: Fill, sequence: int, origin: Origin) -> tuple[Record, ...]:
        closing_fee = share(fill.fee, self.quantity, fill.quantity)
        rest, rest_fee = fill.quantity - self.quantity, fill.fee - closing_fee
        opened = LotOpened(sequence, fill.direction, rest, fill.price, rest_fee, fill.time, origin)
        return (*self._matched(fill, sequence, self.quantity, closing_fee), opened)

    def _matched(self, fill: Fill, sequence: int, quantity: Decimal, fee: Decimal) -> Iterator[LotReduced]:
        for lot in self.lots():
            if not quantity:
                return
            taken = min(lot.remaining, quantity)
            exit_fee = share(fee, taken, quantity) if taken < quantity else fee
            entry_fee = share(lot.open_fee, taken, lot.remaining) if taken < lot.remaining else lot.open_fee
            gross = (fill.price - lot.price) * taken
            if self.direction is Direction.SHORT:
                gross = -gross
            yield LotReduced(sequence, lot, taken, fill.price, gross, entry_fee, exit_fee)
            quantity -= taken
            fee -= exit_fee

    def evolve(self, records: Iterable[Record], sequence: int, time: int) -> None:
        """Make ``records`` so, as journal record ``sequence`` of a fill at ``time``."""
        for record in records:
            if isinstance(record, LotOpened):
                self._opened(record)
            else:
                self._reduced(record)
        self.sequence = sequence
        self.newest_time = max(self.newest_time, time)

    def _opened(self, record: LotOpened) -> None:
        self.direction = record.direction
        self._add(Lot(record.time, record.sequence, record.quantity, record.price, record.fee, record))
        self.quantity += record.quantity
        self.cost += record.quantity * record.price
        self.open_fees += record.fee

    def _reduced(self, record: LotReduced) -> None:
        lot = record.lot
        if record.quantity < lot.remaining:
            self._front = lot.less(record.quantity, record.entry_fee)
        else:
            self._begin += 1
            self._front = None
        self.quantity -= record.quantity
        self.cost -= record.quantity * lot.price
        self.gross += record.gross
        self.fees += record.entry_fee + record.exit_fee
        self.open_fees -= record.entry_fee
        if self._begin == self._end:
            self.direction = None
            self._lots, self._begin, self._end = [], 0, 0

    def _add(self, lot: Lot) -> None:
        late = self._begin < self._end and lot < self._lots[self._end - 1]
        if late or self._begin > max(COMPACT_AFTER, self._end - self._begin):
            self._lots = self._lots[self._begin : self._end]
            if self._front is not None:
                self._lots[0] = self._front
            self._begin, self._end, self._front = 0, len(self._lots), None
        else:
            del self._lots[self._end :]  # what a dropped batch left behind
        if late:
            insort(self._lots, lot)
        else:
            self._lots.append(lot)
        self._end += 1
