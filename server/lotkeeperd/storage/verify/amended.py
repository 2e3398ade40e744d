"""Books that were corrected: what a correction or a late fill says it did is held against what it did.

Such a book keeps its slots (``domain.history``). A record that re-matches it is taken into them, the book is folded from all of
them, and compared are: which trades took whose place, what gross and fees moved by, and whether the quantity is what the fills
amount to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from lotkeeperd.domain.accounts import elsewhere
from lotkeeperd.domain.book import Book, Contract, LotMethod, LotOpened, LotPlaced, LotTaken, Record
from lotkeeperd.domain.commands import Command, Decision
from lotkeeperd.domain.decimals import ZERO
from lotkeeperd.domain.fees import Charged
from lotkeeperd.domain.history import Correction, History, Late, Slot, TradeRef
from lotkeeperd.domain.trades import ClosedTrade, Entry, entry_of
from lotkeeperd.service.ports import Key
from lotkeeperd.storage.verify.replay import BookReplay, Differs, Done, evolved


class AmendedReplay(BookReplay):
    """A book that was corrected: it knows every slot, and every entry it ever had."""

    def __init__(self, key: Key, contract: Contract, method: LotMethod, differs: Differs) -> None:
        super().__init__(key, contract, method, differs)
        self._history = History()
        self._opened: dict[int, LotOpened] = {}  # as the slots have it now
        self._gone: dict[int, LotOpened] = {}  # as it was before no slot opened it any more

    def decided(self, decision: Decision) -> Done:
        """Take the next record in. Raises ValueError when it does not fit the book."""
        done = super().decided(decision)
        self._history.take(decision)
        return done

    def entries(self) -> Iterator[Entry]:
        """Every entry of the book, open, closed or superseded."""
        lots = {lot.sequence: lot for lot in self.book.lots()}
        for sequence, opened in self._opened.items():
            lot = lots.get(sequence)
            yield Entry(*self.key[:2], ZERO, ZERO, opened) if lot is None else entry_of(*self.key[:2], lot)
        for opened in self._gone.values():
            yield Entry(*self.key[:2], ZERO, ZERO, opened, None, True)

    def _closed(self, records: Sequence[Record]) -> list[Entry]:
        """None: a correction may still open it again. What the records open is kept."""
        _see(records, self._opened)
        return []

    def rematched(self, record: Late | Correction) -> Done:
        """Take a record in that re-matches the book. Raises ValueError when it does not fit the book."""
        before = {slot.sequence: slot for slot in self._history.slots}
        try:
            self._history.take(record)
        except (LookupError, StopIteration) as error:
            raise ValueError(f"record {record.sequence} moves a slot that it does not tell") from error
        trades, opened = self._folded(record)
        after = {slot.sequence: slot for slot in self._history.slots}
        self._check_pairs(record, before, after)
        fees = self._inputs_moved(record, before, after)
        self._supersede(opened, _retimed(record, before, after))
        return Done(trades, [], [], [], fees)

    def _supersede(self, opened: dict[int, LotOpened], retimed: tuple[int, int] | None) -> None:
        """What no slot opens any more is superseded; ``retimed`` is the slot whose time was corrected, and its time now."""
        gone = {sequence: was for sequence, was in self._opened.items() if sequence not in opened}
        if retimed is not None:
            sequence, time = retimed
            self._gone.pop(sequence, None)  # its row stood at the old time
            if sequence in gone:
                gone[sequence] = gone[sequence]._replace(time=time)
        self._gone = {sequence: was for sequence, was in (self._gone | gone).items() if sequence not in opened}
        self._opened = opened

    def _folded(self, record: Late | Correction) -> tuple[list[ClosedTrade], dict[int, LotOpened]]:
        """The book from all slots; the trades of those that came out differently, and what was opened."""
        changed = {slot.sequence for slot in record.rematch.slots}
        book = Book(self.book.contract, self.book.method)
        trades: list[ClosedTrade] = []
        opened: dict[int, LotOpened] = {}
        net = ZERO
        for slot in self._history.slots:
            decision = slot.decision
            records, closed = evolved(book, decision)
            _see(records, opened)
            net = _net(net, decision)
            if slot.sequence in changed:
                self._check(decision, f"record {record.sequence}, slot {slot.sequence},")
                trades += _named(closed, slot)
        self._check_sums(record, book, net)
        book.sequence = record.sequence
        book.newest_time = max(self.book.newest_time, book.newest_time)
        book.pending = self.book.pending
        self.book = book
        return trades, opened

    def _check_sums(self, record: Late | Correction, book: Book, net: Decimal) -> None:
        live, rematch, name = self.book, record.rematch, f"journal: record {record.sequence}"
        for what, one, other in (
            ("gross", live.gross + rematch.gross, book.gross),
            ("fees", live.fees + rematch.fees, book.fees),
        ):
            if one != other:
                self._differs(f"{name} moves {what} to {one}, the slots make {other}")
        signed = book.quantity if book.direction is None else book.direction * book.quantity
        if signed != net:
            self._differs(f"{name} leaves a quantity of {signed}, the fills of its slots make {net}")
        if isinstance(record, Late):
            own = [slot.decision for slot in rematch.slots if slot.sequence == record.sequence]
            if own != [record.decision]:
                self._differs(f"{name} tells its own execution in two ways")

    def _check_pairs(self, record: Late | Correction, before: Mapping[int, Slot], after: Mapping[int, Slot]) -> None:
        """The trades that took others' places are those that the slots lost and got."""
        touched = _touched(record)
        lost, got = _refs(before, touched), _refs(after, touched)
        pairs = record.rematch.pairs
        was = sorted(one for one, _ in pairs if one is not None)
        now = [(record.sequence, index) for index, (_, one) in enumerate(pairs) if one is not None]
        told = [one for _, one in pairs if one is not None]
        if was != sorted(lost - got) or now != sorted(got - lost) or now != told:
            self._differs(f"journal: record {record.sequence} restates other trades than its slots show")

    def _inputs_moved(
        self, record: Late | Correction, before: Mapping[int, Slot], after: Mapping[int, Slot]
    ) -> dict[str, Decimal]:
        """What moved in other coins; fees that are not in yet are noted."""
        fees: dict[str, Decimal] = {}
        target = record.sequence if isinstance(record, Late) else record.command.target
        for sequence in sorted(_touched(record)):
            was, now = before.get(sequence), after.get(sequence)
            if sequence != target and _input(was) == _input(now):
                continue
            for slot, sign in ((was, -1), (now, 1)):
                if slot is not None:
                    self._charge(slot.decision, sign, fees)
        return fees

    def _charge(self, decision: Decision, sign: int, fees: dict[str, Decimal]) -> None:
        command, book = decision.command, self.book
        book.pending = book.pending.moved(decision.charged, command.fee or ZERO, command.fee_currency, sign)
        for currency, amount in elsewhere(decision, book.contract.currency).items():
            fees[currency] = fees.get(currency, ZERO) + sign * amount


def _see(records: Sequence[Record], opened: dict[int, LotOpened]) -> None:
    """What ``records`` make of the entries of a book; one that went to another book is that one's."""
    for record in records:
        if isinstance(record, LotOpened):
            opened[record.sequence] = record
        elif isinstance(record, LotPlaced):
            opened[record.lot.sequence] = record.lot.opened
        elif isinstance(record, LotTaken):
            opened.pop(record.lot.sequence, None)


def _net(net: Decimal, decision: Decision) -> Decimal:
    """The signed quantity after an execution; what takes lots takes all of them."""
    if decision.taken:
        net = ZERO
    placed = sum((lot.opened.direction * lot.remaining for lot in decision.placed), ZERO)
    return net + placed + decision.fill.direction * decision.fill.quantity


def _named(trades: Sequence[ClosedTrade], slot: Slot) -> Iterator[ClosedTrade]:
    """The trades of a slot under the ids they have now."""
    for trade, (sequence, index) in zip(trades, slot.trades, strict=True):
        yield trade._replace(sequence=sequence, trade_index=index, exit_sequence=slot.sequence)


def _touched(record: Late | Correction) -> set[int]:
    """The slots that a record put in, moved, took out or changed."""
    target = record.sequence if isinstance(record, Late) else record.command.target
    return {slot.sequence for slot in record.rematch.slots} | ({target} if target else set())


def _retimed(
    record: Late | Correction, before: Mapping[int, Slot], after: Mapping[int, Slot]
) -> tuple[int, int] | None:
    """The slot that a correction put to another time, and that time."""
    target = record.sequence if isinstance(record, Late) else record.command.target
    was, now = before.get(target), after.get(target)
    if was is None or now is None or was.decision.fill.time == now.decision.fill.time:
        return None
    return target, now.decision.fill.time


def _refs(slots: Mapping[int, Slot], touched: set[int]) -> set[TradeRef]:
    return {ref for sequence in touched if sequence in slots for ref in slots[sequence].trades}


def _input(slot: Slot | None) -> tuple[Command, Charged] | None:
    """What a slot's matching starts from."""
    return None if slot is None else (slot.decision.command, slot.decision.charged)
