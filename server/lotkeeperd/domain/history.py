"""The executions of one book as they count now, in the order in which they are matched.

Problem: history is never edited (law 11), yet a bust, a correction or a late fill changes what every later execution closed.
Chosen: the journal is read as a list of slots, one for each record that traded. A correction's record says which slots came out
differently, and what of each; taking it in replaces them. So the slots always say what counts, each record stays as it was
written, and nothing is decided anew on reading (law 13).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from enum import Enum
from typing import NamedTuple

from lotkeeperd.domain.book import Book, Direction
from lotkeeperd.domain.commands import Command, Decision, Excess, Role
from lotkeeperd.domain.replaying import replayed

TradeRef = tuple[int, int]
"""(sequence, index) of a closed trade."""

GONE = -1
"""The place of a slot that counts no more."""


class Slot(NamedTuple):
    """One execution as it counts now; ``trades`` are the ids of its matches' closed trades."""

    decision: Decision
    trades: tuple[TradeRef, ...]

    @property
    def sequence(self) -> int:
        """Of the record that first put it there; it stays."""
        return self.decision.sequence


class Rematch(NamedTuple):
    """What a correction decided: where its slot stands now, which slots came out differently, which trades took whose place.

    ``place`` is the sequence of the slot that it stands before, 0 at the end, GONE when it counts no more.
    """

    place: int
    slots: tuple[Slot, ...]
    pairs: tuple[tuple[TradeRef | None, TradeRef | None], ...]
    gross: Decimal
    fees: Decimal


class Amend(Enum):
    """How an execution is corrected; the value is stored."""

    BUST = "BustFill"
    CORRECT = "CorrectFill"
    FILL_FEE = "FillFee"
    FEE_RATE = "FeeRate"


class Amendment(NamedTuple):
    """A correction as it was asked for. ``target`` is the sequence of the slot, 0 where only ``fill_id`` names it, or none does.

    None means that it stays as it is. ``rate`` is of one unit of the fee's currency in the book's; ``into`` names that
    for FEE_RATE, where no symbol does. ``records`` are those of several books that it is told in, of which the first says so.
    """

    method: Amend
    portfolio_id: str
    symbol: str
    request_id: str = ""
    fill_id: str = ""
    target: int = 0
    side: Direction | None = None
    quantity: Decimal | None = None
    price: Decimal | None = None
    fee: Decimal | None = None
    fee_currency: str | None = None
    time: int | None = None
    rate: Decimal | None = None
    source: str = ""
    reason: str = ""
    excess: Excess = Excess.REJECT
    event_id: str = ""
    into: str = ""
    book_side: Direction | None = None
    validate_only: bool = False
    records: int = 1

    @property
    def role(self) -> Role:
        """What its id is recorded as: a bust and a correction stand under the execution's, an event under its own."""
        return Role.CORRECTION if self.method in (Amend.BUST, Amend.CORRECT) else Role.EVENT

    @property
    def recorded_id(self) -> str:
        """The id that it is found by."""
        return self.fill_id if self.method in (Amend.BUST, Amend.CORRECT) else self.event_id


class Correction(NamedTuple):
    """One record of one book that changes what was matched."""

    sequence: int
    recorded_time: int
    command: Amendment
    rematch: Rematch


class Late(NamedTuple):
    """One execution that was put where its time belongs: what it did itself, and what that changed."""

    decision: Decision
    rematch: Rematch

    @property
    def sequence(self) -> int:
        """Of the record."""
        return self.decision.sequence

    @property
    def recorded_time(self) -> int:
        """Of the record, in nanoseconds UTC."""
        return self.decision.recorded_time

    @property
    def command(self) -> Command:
        """As the caller asked for it."""
        return self.decision.command


BookRecord = Decision | Late | Correction
"""What the journal says of one book."""


class History:
    """The slots of one book."""

    def __init__(self, records: Iterable[BookRecord] = ()) -> None:
        self.slots: list[Slot] = []
        self._folded: tuple[int, Book] | None = None
        for record in records:
            self.take(record)

    def take(self, record: BookRecord) -> None:
        """Take the next record in."""
        if isinstance(record, Decision):
            self.slots.append(slot_of(record))
        elif isinstance(record, Late):
            self._replace(record.sequence, record.rematch)
        else:
            self._replace(record.command.target, record.rematch)

    def _replace(self, moved: int, rematch: Rematch) -> None:
        changed = {slot.sequence: slot for slot in rematch.slots}
        slots = [slot for slot in self.slots if slot.sequence != moved]
        if moved and rematch.place != GONE:
            at = next((place for place, slot in enumerate(slots) if slot.sequence == rematch.place), len(slots))
            stood = (slot for slot in self.slots if slot.sequence == moved)  # where nothing of it changed
            slots.insert(at, changed.get(moved) or next(stood))
        slots = [changed.get(slot.sequence, slot) for slot in slots]
        if self._folded is not None and self.slots[: self._folded[0]] != slots[: self._folded[0]]:
            self._folded = None
        self.slots = slots

    def find(self, fill_id: str, target: int) -> list[int]:
        """The places of the slots that a fill id, or the sequence of a record, names; an event's id names no execution."""
        if target:
            return [place for place, slot in enumerate(self.slots) if slot.sequence == target]
        commands = enumerate(slot.decision.command for slot in self.slots)
        return [place for place, told in commands if told.fill_id == fill_id and told.role is not Role.EVENT]

    def place_for(self, time: int) -> int:
        """Where an execution of ``time`` belongs: before the first one that is later."""
        return self.placed(self.slots, time)

    @staticmethod
    def placed(slots: Sequence[Slot], time: int) -> int:
        """Where an execution of ``time`` belongs among ``slots``."""
        return next((place for place, slot in enumerate(slots) if slot.decision.fill.time > time), len(slots))

    def folded(self, book: Book, until: int) -> Book:
        """``book``, which is new, with the first ``until`` slots taken in as they were decided.

        Raises ValueError when one does not fit. Executions that are put in one after the other ask for that each time: the walk
        goes on where the last one ended.
        """
        done, last = self._folded or (0, book)
        if done > until or (last.contract, last.method) != (book.contract, book.method):
            done, last = 0, book
        book = last.detached()
        for slot in self.slots[done:until]:
            evolved(book, slot.decision)
        self._folded = until, book.detached()
        return book


def slot_of(decision: Decision) -> Slot:
    """The slot that a record makes when it stands at the end."""
    return Slot(decision, tuple((decision.sequence, index) for index in range(len(decision.matches))))


def evolved(book: Book, decision: Decision) -> None:
    """Make a journaled decision so in ``book``. Raises ValueError when it does not fit."""
    book.evolve(tuple(replayed(decision, book)), decision.sequence, decision.fill.time)
