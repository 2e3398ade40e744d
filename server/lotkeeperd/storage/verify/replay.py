"""Books made anew from their records, and what each record should have left in the tables.

This one goes on from record to record and forgets what is closed; one that was ever corrected is in ``amended``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from lotkeeperd.domain.accounts import elsewhere
from lotkeeperd.domain.book import Book, Contract, Lot, LotMethod, LotReduced, Record
from lotkeeperd.domain.commands import Decision
from lotkeeperd.domain.decimals import ZERO
from lotkeeperd.domain.history import Correction, Late
from lotkeeperd.domain.replaying import replayed
from lotkeeperd.domain.trades import ClosedTrade, Entry, closed_trades, entry_of
from lotkeeperd.service.ports import Key

Differs = Callable[[str], None]
"""Hears of a difference."""


class Done(NamedTuple):
    """What a record did: ``trades`` that it wrote or kept, ``entries`` that nothing can change any more.

    ``left`` and ``arrived`` are lots that went to another book or came from one; ``fees`` are what balances move by.
    """

    trades: list[ClosedTrade]
    entries: list[Entry]
    left: list[Lot]
    arrived: list[Lot]
    fees: Mapping[str, Decimal]


NOTHING = Done([], [], [], [], {})


class BookReplay:
    """A book that nothing ever corrected."""

    def __init__(self, key: Key, contract: Contract, method: LotMethod, differs: Differs) -> None:
        self.key = key
        self.book = Book(contract, method)
        self._differs = differs

    def decided(self, decision: Decision) -> Done:
        """Take the next record in. Raises ValueError when it does not fit the book."""
        at_cost = {lot.sequence: lot for lot in self.book.lots_at_cost()} if decision.taken else {}
        records, trades = evolved(self.book, decision)
        self._check(decision, f"record {decision.sequence}")
        for record in records:
            if isinstance(record, LotReduced) and record.quantity == record.lot.remaining:
                self._check_fee(record)
        self.book.pending = self.book.pending.moved(
            decision.charged, decision.command.fee or ZERO, decision.command.fee_currency
        )
        left, arrived = _carried(decision, at_cost)
        return Done(trades, self._closed(records), left, arrived, elsewhere(decision, self.book.contract.currency))

    def rematched(self, record: Late | Correction) -> Done:
        """Take a record in that re-matches the book."""
        raise AssertionError(f"record {record.sequence} re-matches a book that keeps no history")

    def entries(self) -> Iterator[Entry]:
        """What is left to compare when the journal ends."""
        for lot in self.book.lots():
            yield entry_of(*self.key[:2], lot)

    def _closed(self, records: Sequence[Record]) -> list[Entry]:
        return [
            Entry(*self.key[:2], ZERO, ZERO, record.lot.opened)
            for record in records
            if isinstance(record, LotReduced) and record.quantity == record.lot.remaining
        ]

    def _check(self, decision: Decision, name: str) -> None:
        """Laws 3 and 4: what it opened and closed makes up its quantity and its fee; and it is what was asked."""
        command, fill, opened = decision.command, decision.fill, decision.opened
        quantity = sum((match.quantity for match in decision.matches), opened.quantity if opened else ZERO)
        fee = sum((match.exit_fee for match in decision.matches), opened.fee if opened else ZERO)
        if quantity != fill.quantity:
            self._differs(f"journal: {name} executed {fill.quantity} and makes {quantity} of it")
        if quantity and fee != fill.fee:
            self._differs(f"journal: {name} has a fee of {fill.fee} and shares out {fee}")
        asked = (command.side, _asked_quantity(decision), command.time)
        for what, one, other in zip(
            ("side", "quantity", "time"), asked, (fill.direction, fill.quantity, fill.time), strict=True
        ):
            if one is not None and one != other:
                self._differs(f"journal: {name} decided {what} {other}, asked was {one}")

    def _check_fee(self, record: LotReduced) -> None:
        lot = record.lot
        if record.entry_fee != lot.open_fee:
            self._differs(f"journal: record {record.sequence} closes E{lot.sequence} and leaves some of its fee")


def evolved(book: Book, decision: Decision) -> tuple[tuple[Record, ...], list[ClosedTrade]]:
    """Make ``decision`` so in ``book``; its records and the closed trades."""
    records = tuple(replayed(decision, book))
    command, fill = decision.command, decision.fill
    trades = list(closed_trades(command, fill, records, book.contract, decision.charged.state))
    book.evolve(records, decision.sequence, fill.time)
    return records, trades


def _carried(decision: Decision, at_cost: Mapping[int, Lot]) -> tuple[list[Lot], list[Lot]]:
    """The lots that left for another book, at the cost they left with, and those that came from one."""
    placed = {lot.sequence: lot for lot in decision.placed}
    left = [at_cost[sequence] for sequence in decision.taken if sequence not in placed]
    return left, [lot for sequence, lot in placed.items() if sequence not in at_cost]


def _asked_quantity(decision: Decision) -> Decimal | None:
    """What was asked to be executed: of a fee in the coin that is traded that much less arrives, or more goes."""
    command, moved = decision.command, decision.charged.moved
    if command.quantity is None or command.close_all:
        return command.quantity
    return command.quantity - moved if decision.fill.direction > 0 else command.quantity + moved
