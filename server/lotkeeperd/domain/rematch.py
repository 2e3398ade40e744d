"""Law 11: a bust, a correction or a late fill re-matches its book from there on, and says what became of every trade.

Two books walk side by side from the first slot that changes: one makes every slot so as it was decided, the other decides each
anew under the content that counts now. What the two closed differently is restated, trade by trade; as soon as both hold the same
lots again, nothing later can differ, and the walk ends. An execution that happened is not undone by an earlier correction:
its side, quantity and time stand, and when the book could not have taken it, the correction is refused and names it,
unless it may flip.
"""

from __future__ import annotations

from decimal import Decimal
from itertools import zip_longest
from typing import NamedTuple

from lotkeeperd.domain.book import Book, Contract, Direction, Fill, Lot, LotOpened, LotPlaced, LotReduced, Record
from lotkeeperd.domain.commands import Decision, Method, Terms, origin_of
from lotkeeperd.domain.deciding import Decided, check_again, decided
from lotkeeperd.domain.decimals import ZERO
from lotkeeperd.domain.fees import Pending
from lotkeeperd.domain.history import GONE, History, Rematch, Slot, TradeRef
from lotkeeperd.domain.refusals import LaterCommandRefused, NotYetImplemented, OppositeSideOpen, Refusal
from lotkeeperd.domain.replaying import replayed
from lotkeeperd.domain.splits import carried_anew
from lotkeeperd.domain.trades import ClosedTrade, Entry, Restatement, closed_trades, entry_of

FOLLOWING = frozenset({Method.EXPIRY, Method.CASH_SETTLEMENT})
"""Ends of contracts: they close whatever is open then, so their quantity follows the book."""


class Rematched(NamedTuple):
    """What a correction comes to: its record, the book after it, and what has to be written.

    ``moved`` are (entry time, sequence) under which an entry is stored no more, if one ever was.
    """

    rematch: Rematch
    book: Book
    restated: list[Restatement]
    trades: list[ClosedTrade]
    entries: list[Entry]
    moved: list[tuple[int, int]]


def rematched(
    history: History, after: list[Slot], target: int, live: Book, sequence: int, terms: Terms, flips: bool
) -> Rematched:
    """``history`` as it is with the slots ``after``, as journal record ``sequence``; run under ``localcontext(EXACT)``.

    ``target`` is the slot that was put in, taken out or moved, 0 for none; ``live`` is the book as it is now. Raises
    LaterCommandRefused, NotYetImplemented, what ``decide`` raises for the new slot, and ValueError when history and book do
    not agree.
    """
    before = history.slots
    first = _head(before, after)
    tail = min(_tail(before, after), len(before) - first, len(after) - first)
    walk = _Walk(history.folded(Book(live.contract, live.method), first), sequence, terms, flips)
    walk.run(before[first:], after[first:], tail)
    done = walk.result(_place(after, target), live, max((slot.decision.fill.time for slot in after), default=0))
    done.book.pending = _pending(live.pending, before[first : len(before) - tail], after[first : len(after) - tail])
    return done


def _place(after: list[Slot], target: int) -> int:
    """What the slot ``target`` stands before."""
    if not target:
        return 0
    at = next((place for place, slot in enumerate(after) if slot.sequence == target), None)
    if at is None:
        return GONE
    return after[at + 1].sequence if at + 1 < len(after) else 0


def _pending(pending: Pending, before: list[Slot], after: list[Slot]) -> Pending:
    for slots, sign in ((before, -1), (after, 1)):
        for slot in slots:
            command = slot.decision.command
            pending = pending.moved(slot.decision.charged, command.fee or ZERO, command.fee_currency, sign)
    return pending


def _head(before: list[Slot], after: list[Slot]) -> int:
    """How many slots at the beginning are the same in both."""
    pairs = enumerate(zip(before, after, strict=False))
    return next((place for place, (old, new) in pairs if old is not new), min(len(before), len(after)))


def _tail(before: list[Slot], after: list[Slot]) -> int:
    """How many slots at the end are the same in both."""
    count = 0
    for old, new in zip(reversed(before), reversed(after), strict=False):
        if old is not new:
            break
        count += 1
    return count


class _Walk:
    """The two books and what they did differently."""

    def __init__(self, start: Book, sequence: int, terms: Terms, flips: bool) -> None:
        self._old, self._new = start.detached(), start.detached()
        self._sequence = sequence
        self._terms = terms
        self._flips = flips
        self._was: dict[int, LotOpened] = {lot.sequence: lot.opened for lot in start.lots()}
        self._is = dict(self._was)
        self._stood: dict[int, tuple[Slot, Direction | None, Decimal]] = {}
        self._touched: set[int] = set()
        self._retimed: dict[int, tuple[int, int]] = {}  # slots whose time is another now: what it was, what it is
        self._changed: list[Slot] = []
        self._restated: list[Restatement] = []
        self._pairs: list[tuple[TradeRef | None, TradeRef | None]] = []

    def run(self, before: list[Slot], after: list[Slot], tail: int) -> None:
        """Walk both lists; the last ``tail`` slots of each are the same."""
        old_head, new_head = before[: len(before) - tail], after[: len(after) - tail]
        in_old = {slot.sequence: slot for slot in old_head}
        closed_before = {slot.sequence: self._replay(slot) for slot in old_head}
        for slot in new_head:
            self._compare(in_old.pop(slot.sequence, None), closed_before.pop(slot.sequence, []), slot)
        for sequence, trades in closed_before.items():  # those that count no more
            self._note(in_old[sequence], trades, None, [])
        for slot in after[len(after) - tail :]:
            if self._alike():
                return
            self._compare(slot, self._replay(slot), slot)

    def _alike(self) -> bool:
        old, new = self._old, self._new
        same = old.quantity == new.quantity and old.cost == new.cost and old.open_fees == new.open_fees
        return same and old.direction is new.direction and list(old.lots()) == list(new.lots())

    def _compare(self, old: Slot | None, trades: list[ClosedTrade], slot: Slot) -> None:
        if old is not None and old.decision.fill.time != slot.decision.fill.time:
            self._retimed[slot.sequence] = (old.decision.fill.time, slot.decision.fill.time)
        decision, closed = self._decide(slot)
        self._note(old, trades, Slot(decision, slot.trades), closed)

    def _replay(self, slot: Slot) -> list[ClosedTrade]:
        """Make a slot so as it was decided; its trades, under the ids they have."""
        decision = slot.decision
        records = tuple(replayed(decision, self._old))
        before = decision.sequence < self._terms.valued_since
        if before or any(_valued_otherwise(record, self._old.contract) for record in records):
            raise NotYetImplemented("correcting executions from before the terms of their instrument changed")
        trades = list(self._trades(decision, records))
        self._see(records, self._was)
        # What an execution was taken with: where it meets the same again, it is taken again, whatever was agreed to then.
        self._stood[slot.sequence] = (slot, self._old.direction, self._old.quantity)
        self._old.evolve(records, decision.sequence, decision.fill.time)
        return [
            trade._replace(sequence=sequence, trade_index=index, exit_sequence=decision.sequence)
            for trade, (sequence, index) in zip(trades, slot.trades, strict=True)
        ]

    def _decide(self, slot: Slot) -> tuple[Decision, list[ClosedTrade]]:
        """Decide a slot anew."""
        was, book = slot.decision, self._new
        records = self._records(slot, book)
        what = Decided(_fill_of(was, book), was.charged, records)
        decision = decided(was.command, what, was.sequence, was.recorded_time)
        trades = list(self._trades(decision, records))
        self._see(records, self._is)
        book.evolve(records, was.sequence, was.fill.time)
        return decision, trades

    def _records(self, slot: Slot, book: Book) -> tuple[Record, ...]:
        was = slot.decision
        try:
            return self._decided_anew(slot, book)
        except Refusal as refusal:
            if was.sequence == self._sequence:
                raise  # the late fill itself
            raise LaterCommandRefused(was.sequence, was.command.fill_id, refusal) from refusal

    def _decided_anew(self, slot: Slot, book: Book) -> tuple[Record, ...]:
        was = slot.decision
        if was.command.method is Method.SPLIT:
            return carried_anew(was, book)
        if was.command.method is Method.SYMBOL_CHANGE:
            raise NotYetImplemented("correcting what a change of its symbol has carried on")
        if was.placed:
            return _arrived_anew(was, book)
        fill = _fill_of(was, book)
        if not fill.quantity:
            return ()
        if self._stood.get(was.sequence) != (slot, book.direction, book.quantity):
            check_again(was.command, fill, book, self._terms, self._flips)
        return book.decide(fill, was.sequence, origin_of(was.command, was.charged), was.command.chosen)

    def _trades(self, decision: Decision, records: tuple[Record, ...]) -> list[ClosedTrade]:
        contract = self._new.contract
        return list(closed_trades(decision.command, decision.fill, records, contract, decision.charged.state))

    def _see(self, records: tuple[Record, ...], seen: dict[int, LotOpened]) -> None:
        for record in records:
            if isinstance(record, LotOpened):
                seen[record.sequence] = record
            elif isinstance(record, LotPlaced):
                seen[record.lot.sequence] = record.lot.opened
            if not isinstance(record, LotOpened):
                self._touched.add(record.lot.sequence)

    def _note(self, old: Slot | None, before: list[ClosedTrade], new: Slot | None, after: list[ClosedTrade]) -> None:
        refs: list[TradeRef] = []
        for was, now in zip_longest(before, after):
            if was is not None and now is not None and _content(was) == _content(now):
                refs.append((was.sequence, was.trade_index))
            else:
                refs += self._restate(was, now)
        if new is not None and (old is None or new.decision != old.decision or tuple(refs) != old.trades):
            self._changed.append(Slot(new.decision, tuple(refs)))

    def _restate(self, was: ClosedTrade | None, now: ClosedTrade | None) -> list[TradeRef]:
        """Note what became of one trade; the id of the one that counts now, if any."""
        place = (self._sequence, len(self._pairs))
        told = now or was
        assert told is not None
        after = now and now._replace(sequence=place[0], trade_index=place[1], exit_sequence=now.sequence)
        before = was and was._replace(superseded_by=place)
        self._pairs.append((was and (was.sequence, was.trade_index), place if now else None))
        self._restated.append(Restatement(told.portfolio_id, told.symbol, before, after))
        return [place] if now else []

    def result(self, place: int, live: Book, newest_time: int) -> Rematched:
        """Everything that came out of the walk."""
        gross, fees = self._new.gross - self._old.gross, self._new.fees - self._old.fees
        same = self._alike()
        lots = list(live.lots()) if same else list(self._new.lots())
        if not same and [lot.standing for lot in self._old.lots()] != [lot.standing for lot in live.lots()]:
            raise ValueError("the journal does not lead to the book as it is")
        book = Book.restored(
            lots,
            live.gross + gross,
            live.fees + fees,
            self._sequence,
            max(live.newest_time, newest_time),
            live.contract,
            live.method,
            live.cost if same else self._new.cost,
        )
        rematch = Rematch(place, tuple(self._changed), tuple(self._pairs), gross, fees)
        # Lots that both books hold go on as they did: their rows stand, whatever came after the walk ended.
        standing = {lot.sequence for lot in self._new.lots()} if same else set()
        entries, moved = self._entries(lots, standing)
        trades = [told.after for told in self._restated if told.after is not None]
        return Rematched(rematch, book, self._restated, trades, entries, moved)

    def _entries(self, lots: list[Lot], standing: set[int]) -> tuple[list[Entry], list[tuple[int, int]]]:
        """Every entry whose row may have changed, but the ``standing``, and where one is stored no more."""
        changed = {
            sequence for sequence in self._was.keys() | self._is if self._was.get(sequence) != self._is.get(sequence)
        }
        key = self._terms.portfolio.portfolio_id, self._terms.instrument.symbol
        left = {lot.sequence: lot for lot in lots}
        entries = []
        for sequence in sorted((self._touched | changed) - standing):
            was, now, lot = self._was.get(sequence), self._is.get(sequence), left.get(sequence)
            opened = now or was
            assert opened is not None
            if now is None and sequence in self._retimed:
                opened = opened._replace(time=self._retimed[sequence][1])
            entry = entry_of(*key, lot) if lot else Entry(*key, ZERO, ZERO, opened)
            entries.append(entry._replace(superseded=now is None))
        # An entry stands at the time of its execution, also one that was superseded before and may come back.
        moved = [(before, sequence) for sequence, (before, _) in self._retimed.items()]
        return entries, moved


def _valued_otherwise(record: Record, contract: Contract) -> bool:
    """Whether a trade was closed under other terms than ``contract``: valued anew, it would be another trade."""
    if not isinstance(record, LotReduced):
        return False
    if contract.inverse:
        return record.cost is None
    cost = contract.value(record.quantity, record.lot.price) if record.cost is None else record.cost
    worth = contract.value(record.quantity, record.exit_price)
    return record.gross != contract.gain(record.lot.opened.direction, cost, worth)


def _arrived_anew(was: Decision, book: Book) -> tuple[Record, ...]:
    side = was.placed[0].opened.direction
    if book.direction not in {None, side}:
        raise OppositeSideOpen(was.command.symbol, book.direction.name, book.quantity)
    return tuple(replayed(was, book))


def _fill_of(was: Decision, book: Book) -> Fill:
    fill = was.fill
    if was.command.method not in FOLLOWING or not was.command.close_all:
        return fill
    direction = fill.direction if book.direction is None else book.direction.opposite
    return fill._replace(quantity=book.quantity, direction=direction)


def _content(trade: ClosedTrade) -> ClosedTrade:
    """A trade without what says where it was written."""
    return trade._replace(sequence=0, trade_index=0, exit_sequence=0, superseded_by=None)


def net_change(restated: list[Restatement]) -> Decimal:
    """The sum over all restated trades of what became of net P&L."""
    return sum((told.net_change for told in restated), ZERO)
