"""One book followed through its journal records as they were decided: what it was after any of them, and what each changed.

Problem: the past has to come out as it was seen then, and without holding a history that may have a million executions. Chosen:
records that trade are folded into the book one after the other and forgotten. Only a book whose course was corrected is folded
from its slots (``history``), because a correction says which slots came out differently and not what is open then; and
only when somebody looks, however many corrections follow each other. Nothing is decided here (law 13).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple

from lotkeeperd.domain.accounts import elsewhere
from lotkeeperd.domain.book import Book, Contract, LotMethod
from lotkeeperd.domain.commands import Decision
from lotkeeperd.domain.decimals import ZERO
from lotkeeperd.domain.fees import FeeState, Pending
from lotkeeperd.domain.history import BookRecord, History, Slot, evolved


class Figures(NamedTuple):
    """What a position shows of its book, or a change of that; ``quantity`` is negative for a short."""

    quantity: Decimal = ZERO
    cost: Decimal = ZERO
    gross: Decimal = ZERO
    fees: Decimal = ZERO
    open_fees: Decimal = ZERO

    def since(self, before: Figures) -> Figures:
        """What changed after ``before``; run under ``localcontext(EXACT)``."""
        return Figures(*(now - then for now, then in zip(self, before, strict=True)))


NO_FIGURES = Figures()


def figures_of(book: Book) -> Figures:
    """Of a book as it stands."""
    quantity = book.quantity if book.direction is None else book.quantity * book.direction
    return Figures(quantity, book.cost, book.gross, book.fees, book.open_fees)


class Course:
    """One book on its way through the journal; ``corrected`` says that records other than decisions will come.

    Everything runs under ``localcontext(EXACT)``. A ValueError says that the journal does not fit together.
    """

    def __init__(self, contract: Contract, method: LotMethod, *, corrected: bool = False) -> None:
        self._contract = contract
        self._method = method
        self._history = History() if corrected else None
        self._book: Book | None = Book(contract, method)
        self._newest_time = 0
        self.sequence = 0
        """Of the record that last changed it."""

    def take(self, record: BookRecord) -> None:
        """Take the next record in. Raises ValueError."""
        self.sequence = record.sequence
        if self._history is not None:
            self._history.take(record)
        if not isinstance(record, Decision):
            assert self._history is not None, f"record {record.sequence} corrects a book that keeps no history"
            self._book = None
            return
        self._newest_time = max(self._newest_time, record.fill.time)
        if self._book is not None:
            evolved(self._book, record)
            self._book.pending = with_fee_of(record, self._book.pending)

    def under(self, contract: Contract) -> None:
        """Its instrument was declared anew: with other terms only while nothing is open."""
        self._contract = contract
        if self._book is not None:
            self._book.contract = contract

    def book(self) -> Book:
        """The book after the records taken in; it goes on with the next one. Raises ValueError."""
        if self._book is None:
            self._book = self._folded()
        return self._book

    def _folded(self) -> Book:
        slots = self.slots()
        assert self._history is not None
        book = self._history.folded(Book(self._contract, self._method), len(slots))
        for slot in slots:
            book.pending = with_fee_of(slot.decision, book.pending)
        book.sequence = self.sequence
        book.newest_time = self._newest_time = max(self._newest_time, book.newest_time)
        return book

    def slots(self) -> Sequence[Slot]:
        """What counts now, of a corrected course; do not keep it beyond the next record."""
        assert self._history is not None, "a course that is not corrected keeps no slots"
        return self._history.slots

    def fork(self) -> Course:
        """A course of its own that goes on from here."""
        copy = Course(self._contract, self._method)
        if self._history is not None:
            copy._history = History()
            copy._history.slots = list(self._history.slots)
        copy._book = None if self._book is None else self._book.detached()
        copy._newest_time, copy.sequence = self._newest_time, self.sequence
        return copy


def with_fee_of(decision: Decision, pending: Pending) -> Pending:
    """``pending`` with the fee of one more execution, where it is in no figure yet."""
    charged, command = decision.charged, decision.command
    if charged.state is FeeState.SETTLED:
        return pending
    return pending.moved(charged, command.fee or ZERO, command.fee_currency)


def decisions_in(record: BookRecord) -> Iterable[Decision]:
    """Every decision that a record tells of: its own, and those that came out differently."""
    if isinstance(record, Decision):
        return (record,)
    return [slot.decision for slot in record.rematch.slots]


def add_abroad(decision: Decision, currency: str, moved: dict[str, Decimal]) -> None:
    """Add to ``moved`` what the fee of an execution did to balances, by currency, when it was taken in another coin."""
    charged = decision.charged
    if charged.rate is None and charged.state is not FeeState.UNCONVERTED:
        return
    for name, amount in elsewhere(decision, currency).items():
        moved[name] = moved.get(name, ZERO) + amount
