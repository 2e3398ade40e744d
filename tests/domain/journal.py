"""One book with its journal, kept as the writer keeps it: what was told, corrected and split, and the rows that are stored.

    tell      a fill at the end: "+10@100 fee 1 t5", as in ``language``
    late      the same, put where its time belongs
    correct   what is given takes the place of what was recorded
    bust      an execution is taken back

``assert_whole`` compares everything that is kept with what the journal says, read from its beginning.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, NamedTuple

from lotkeeperd.domain.book import Book, Fill, LotOpened, LotPlaced, LotReduced, LotTaken, Record
from lotkeeperd.domain.commands import Command, Decision, Excess, Method, Terms
from lotkeeperd.domain.deciding import Decided, decide, decided, filled
from lotkeeperd.domain.decimals import ZERO
from lotkeeperd.domain.fees import NONE, NOTHING_PENDING, Pending
from lotkeeperd.domain.history import Amend, Amendment, BookRecord, Correction, History, Late, Slot, TradeRef
from lotkeeperd.domain.rematch import Rematched, net_change, rematched
from lotkeeperd.domain.replaying import replayed
from lotkeeperd.domain.splits import split
from lotkeeperd.domain.trades import ClosedTrade, Entry, closed_trades, entry_as_opened, entry_of
from tests.domain.asking import NOW, TERMS
from tests.domain.language import Matched, fill

SUMS = ("direction", "quantity", "cost", "gross", "fees", "open_fees")
"""What a book adds up."""


class Journal:
    """The records of one book, the book, and the rows of entries and closed trades by their ids."""

    def __init__(self, terms: Terms = TERMS) -> None:
        self.terms = terms
        self.book = self.fresh()
        self.records: list[BookRecord] = []
        self.sequence = 0
        self.entries: dict[int, Entry] = {}
        self.trades: dict[TradeRef, ClosedTrade] = {}
        self.newest_time = 0

    def fresh(self) -> Book:
        """An empty book under the same terms."""
        return Book(self.terms.instrument.contract, self.terms.portfolio.lot_method)

    def history(self) -> History:
        """The slots, read from the records."""
        return History(self.records)

    def command(self, text: str, **more: Any) -> Command:
        """RecordFill as ``text`` says, with an id of its own; ``more`` are fields of the command."""
        told = fill(text, self.sequence + 1)
        command = Command(
            Method.RECORD_FILL,
            "p",
            "X",
            told.direction,
            told.quantity,
            told.price,
            told.fee,
            time=told.time,
            fill_id=f"f{self.sequence + 1}",
            excess=Excess.REVERSE,
        )
        return command._replace(**more)

    def tell(self, text: str, **more: Any) -> Decision:
        """A fill at the end of the journal."""
        return self.record(self.command(text, **more))

    def record(self, command: Command) -> Decision:
        """Any command at the end of the journal. Raises what ``decide`` raises."""
        what = decide(command, self.book, self.sequence + 1, NOW, self.terms)
        return self._take_in(command, what)

    def split(self, numerator: int, denominator: int) -> Decision:
        """Every ``denominator`` units become ``numerator`` units."""
        sequence = self.sequence + 1
        records = split(self.book, "X", sequence, Decimal(numerator), Decimal(denominator))
        details = (("numerator", str(numerator)), ("denominator", str(denominator)))
        command = Command(Method.SPLIT, "p", "X", None, None, ZERO, time=sequence, details=details)
        return self.happened(command, records)

    def happened(self, command: Command, records: tuple[Record, ...]) -> Decision:
        """An event that moved lots and traded nothing."""
        assert self.book.direction or records
        placed = next((record.lot for record in records if isinstance(record, LotPlaced)), None)
        direction = self.book.direction or (placed and placed.opened.direction)
        assert direction is not None
        still = Fill(direction, ZERO, ZERO, ZERO, command.time or NOW)
        return self._take_in(command, Decided(still, NONE, records))

    def _take_in(self, command: Command, what: Decided) -> Decision:
        self.sequence += 1
        decision = decided(command, what, self.sequence, NOW)
        book = self.book.staged()
        book.evolve(what.records, self.sequence, what.fill.time)
        book.pending = book.pending.moved(what.charged, command.fee or ZERO, command.fee_currency)
        self.book = book
        self.records.append(decision)
        self.newest_time = max(self.newest_time, what.fill.time)
        self._store(decision, what.records)
        return decision

    def _store(self, decision: Decision, records: Iterable[Record]) -> None:
        contract = self.book.contract
        state = decision.charged.state
        for trade in closed_trades(decision.command, decision.fill, tuple(records), contract, state):
            self.trades[trade.sequence, trade.trade_index] = trade
        for record in records:
            _write(self.entries, record)

    def late(self, text: str, **more: Any) -> Rematched:
        """A fill where its time belongs. Raises what ``decide`` raises there, and LaterCommandRefused."""
        return self.put_late(self.command(text, late=True, **more))

    def put_late(self, command: Command) -> Rematched:
        """Any command where its time belongs."""
        sequence = self.sequence + 1
        assert command.time is not None
        history = self.history()
        place = history.place_for(command.time)
        happened, charged = filled(command, history.folded(self.fresh(), place), NOW, self.terms)
        slot = Slot(Decision(sequence, NOW, command, happened, None, (), charged), ())
        after = [*history.slots[:place], slot, *history.slots[place:]]
        done = rematched(history, after, sequence, self.book, sequence, self.terms, False)
        mine = next(slot for slot in done.rematch.slots if slot.sequence == sequence)
        self._amended(Late(mine.decision, done.rematch), done, happened.time)
        return done

    def bust(self, target: int, flips: bool = False) -> Rematched:
        """The execution that record ``target`` told never happened. Raises LaterCommandRefused."""
        history = self.history()
        after = [slot for slot in history.slots if slot.sequence != target]
        assert len(after) < len(history.slots), f"there is no record {target}"
        return self._rematch(Amend.BUST, history, target, after, flips)

    def correct(self, target: int, flips: bool = False, **changes: Any) -> Rematched:
        """The execution of record ``target`` with ``changes``, fields of its command. Raises LaterCommandRefused."""
        history, after = self.history(), History()
        (at,) = history.find("", target)
        slot = history.slots[at]
        after.slots = [other for other in history.slots if other is not slot]
        changed = amended(slot, self.terms, **changes)
        moved = changed.decision.fill.time != slot.decision.fill.time
        after.slots.insert(after.place_for(changed.decision.fill.time) if moved else at, changed)
        return self._rematch(Amend.CORRECT, history, target, after.slots, flips)

    def rate(self, terms: Terms, *targets: int) -> Rematched:
        """The fees of ``targets`` under ``terms`` that know a rate for them."""
        history = self.history()
        after = [amended(slot, terms) if slot.sequence in targets else slot for slot in history.slots]
        return self._rematch(Amend.FEE_RATE, history, 0, after, False)

    def _rematch(self, method: Amend, history: History, target: int, after: list[Slot], flips: bool) -> Rematched:
        sequence = self.sequence + 1
        done = rematched(history, after, target, self.book, sequence, self.terms, flips)
        record = Correction(sequence, NOW, Amendment(method, "p", "X", target=target), done.rematch)
        self._amended(record, done, max((slot.decision.fill.time for slot in after), default=0))
        return done

    def _amended(self, record: BookRecord, done: Rematched, newest_time: int) -> None:
        self.sequence += 1
        before, self.book = self.book, done.book
        self.records.append(record)
        self.newest_time = max(self.newest_time, newest_time)
        for told in done.restated:
            if told.before is not None:
                ref = told.before.sequence, told.before.trade_index
                assert told.before._replace(superseded_by=None) == self.trades[ref], "it is shown as it was stored"
                self.trades[ref] = told.before
            if told.after is not None:
                self.trades[told.after.sequence, told.after.trade_index] = told.after
        assert done.trades == [told.after for told in done.restated if told.after]
        for time, sequence in done.moved:
            assert sequence not in self.entries or self.entries[sequence].opened.time == time, "it stood there"
        self.entries |= {entry.opened.sequence: entry for entry in done.entries}
        assert net_change(done.restated) == done.rematch.gross - done.rematch.fees
        assert net_change(done.restated) == net(done.book) - net(before)

    def closed(self) -> list[Matched]:
        """What counts as closed now, in the order of the executions."""
        return [
            Matched(match.lot_sequence, match.quantity, match.gross, match.entry_fee, match.exit_fee)
            for slot in self.history().slots
            for match in slot.decision.matches
        ]


def lived(*fills: str, terms: Terms = TERMS) -> Journal:
    """A journal with these fills."""
    journal = Journal(terms)
    for text in fills:
        journal.tell(text)
    return journal


def amended(slot: Slot, terms: Terms, **changes: Any) -> Slot:
    """The slot with ``changes`` in what was told; what was not told stays as it was filled in."""
    was = slot.decision
    told = (
        was.fill.quantity + was.fill.direction * was.charged.moved
    )  # before the fee in the coin came off, or was added
    pinned: dict[str, Any] = {
        "side": was.fill.direction,
        "quantity": was.command.quantity or told,
        "time": was.fill.time,
    }
    command = was.command._replace(close_all=False, **(pinned | changes))
    happened, charged = filled(command, Book(), NOW, terms)
    return Slot(was._replace(command=command, fill=happened, charged=charged), slot.trades)


def net(book: Book) -> Decimal:
    """Realized, after fees."""
    return book.gross - book.fees


def _write(entries: dict[int, Entry], record: Record) -> None:
    """What a record does to the rows of entries."""
    if isinstance(record, LotOpened):
        entries[record.sequence] = entry_as_opened("p", "X", record)
    elif isinstance(record, LotReduced):
        lot = record.lot
        if record.quantity < lot.remaining:
            entries[lot.sequence] = entry_of("p", "X", lot.less(record.quantity, record.entry_fee))
        else:
            entries[lot.sequence] = entry_of("p", "X", lot)._replace(remaining_quantity=ZERO, open_fee=ZERO, cost=None)
    elif isinstance(record, LotPlaced):
        entries[record.lot.sequence] = entry_of("p", "X", record.lot)
    else:
        assert isinstance(record, LotTaken)


class Rebuilt(NamedTuple):
    """What the records say that counts."""

    book: Book
    entries: dict[int, Entry]
    trades: dict[TradeRef, ClosedTrade]
    pending: Pending


def rebuilt(journal: Journal) -> Rebuilt:
    """Read from the beginning, deciding nothing (law 13)."""
    book, pending = journal.fresh(), NOTHING_PENDING
    entries: dict[int, Entry] = {}
    trades: dict[TradeRef, ClosedTrade] = {}
    for decision, refs in journal.history().slots:
        records = tuple(replayed(decision, book))
        book.evolve(records, decision.sequence, decision.fill.time)
        for record in records:
            _write(entries, record)
        state, command = decision.charged.state, decision.command
        closed = closed_trades(command, decision.fill, records, book.contract, state)
        for trade, (sequence, index) in zip(closed, refs, strict=True):
            trades[sequence, index] = trade._replace(
                sequence=sequence, trade_index=index, exit_sequence=decision.sequence
            )
        pending = pending.moved(decision.charged, command.fee or ZERO, command.fee_currency)
    return Rebuilt(book, entries, trades, pending)


def assert_whole(journal: Journal) -> None:
    """Laws 9, 11 and 13: the book and every row are what the journal says; what was superseded keeps its row."""
    live, (book, entries, trades, pending) = journal.book, rebuilt(journal)
    assert list(book.lots()) == list(live.lots())
    for name in SUMS:
        assert getattr(book, name) == getattr(live, name), name
    assert live.pending == pending
    assert (live.sequence, live.newest_time) == (journal.sequence, journal.newest_time)
    counting = {ref: trade for ref, trade in journal.trades.items() if trade.superseded_by is None}
    assert counting == trades
    assert sum((trade.net_pnl for trade in trades.values()), ZERO) == net(live)
    assert {sequence: entry for sequence, entry in journal.entries.items() if not entry.superseded} == entries
