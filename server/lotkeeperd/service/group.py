"""One group as it is kept in memory, and what committed records say of groups.

What is open of a group is always known: it is the live books' lots. What was dealt with its legs before is history, and history is
not kept in memory; it is read when somebody asks, and carried on from there by what is committed. A correction, a split or a change
of symbol may change what was dealt with long ago: the history of its groups is forgotten, and read again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import NamedTuple

from lotkeeperd.domain.accounts import InstrumentDefined
from lotkeeperd.domain.book import Contract, LotMethod
from lotkeeperd.domain.commands import Decision
from lotkeeperd.domain.decimals import ZERO, portion
from lotkeeperd.domain.groups import Dealt, GroupPnL, LegKey, LegSums, OpenPart, opening
from lotkeeperd.domain.history import Correction, Late
from lotkeeperd.domain.trades import Entry, entry_as_opened
from lotkeeperd.service.ports import GroupRef, Key, Written
from lotkeeperd.service.valuation import Valued


class OpenLot(NamedTuple):
    """An open lot of a group: the book it is in, its leg, and what it was opened for."""

    key: Key
    leg: LegKey
    part: OpenPart


class Dealing(NamedTuple):
    """What one committed record did to one leg of one group."""

    ref: GroupRef
    leg: LegKey
    dealt: Dealt
    sequence: int


class Group:
    """One group. ``sums`` are by currency, None while its history is not known."""

    __slots__ = ("lots", "sequence", "sums", "told")

    def __init__(self) -> None:
        self.lots: dict[int, OpenLot] = {}
        self.sums: dict[str, LegSums] | None = None
        self.sequence = 0
        self.told: tuple[GroupPnL, ...] | None = None

    def adopt(self, history: Mapping[LegKey, Dealt], sequence: int) -> None:
        """What was dealt with its legs until now, by records up to ``sequence``."""
        self.sums = {}
        self.sequence = sequence
        for key, dealt in history.items():
            self._legs(key.currency).put(self._legs(key.currency).leg(key)._replace(dealt=dealt))
        for lot in self.lots.values():
            self._move_open(lot, 1)

    def _legs(self, currency: str) -> LegSums:
        assert self.sums is not None
        return self.sums.setdefault(currency, LegSums())

    def deal(self, dealing: Dealing) -> None:
        """Take in what was committed."""
        self.sequence = max(self.sequence, dealing.sequence)
        self.told = None
        if self.sums is not None:
            legs = self._legs(dealing.leg.currency)
            leg = legs.leg(dealing.leg)
            legs.put(leg._replace(dealt=leg.dealt.plus(dealing.dealt)))

    def hold(self, sequence: int, lot: OpenLot | None) -> OpenLot | None:
        """Let ``lot`` be what is open of the entry ``sequence``, None for nothing; what was open of it before."""
        self.told = None
        before = self.lots.pop(sequence, None)
        if lot is not None:
            self.lots[sequence] = lot
        if self.sums is not None:
            for moved, sign in ((before, -1), (lot, 1)):
                if moved is not None:
                    self._move_open(moved, sign)
        return before

    def _move_open(self, lot: OpenLot, sign: int) -> None:
        legs = self._legs(lot.leg.currency)
        leg = legs.leg(lot.leg)
        part = leg.open.plus(sign * lot.part.quantity, sign * lot.part.cost, sign * lot.part.lots)
        # Until its book is valued next, which is before anybody looks, an open leg shows what it did.
        legs.put(leg._replace(open=part, unrealized=leg.unrealized if part.lots else ZERO))

    def value(self, symbol: str, valued: Valued) -> bool:
        """Value the leg that is open in a book of ``symbol`` at the mark that values the book; whether that changed it."""
        book, price = valued.book, valued.price
        if self.sums is None or book.direction is None:
            return False
        legs = self._legs(book.contract.currency)
        leg = legs.leg(LegKey(symbol, book.direction, book.contract.currency))
        if not leg.open.lots:
            return False
        unrealized = None
        if valued.unrealized is not None and price is not None:
            quantity, cost, _ = leg.open
            if book.method is LotMethod.AVERAGE:
                cost = portion(book.cost, quantity, book.quantity)
            unrealized = book.contract.gain(book.direction, cost, book.contract.value(quantity, price))
        if unrealized == leg.unrealized:
            return False
        legs.put(leg._replace(unrealized=unrealized))
        self.told = None
        return True


def grouped_entries(done: Written) -> Iterator[Entry]:
    """Every entry of a group that a batch opened or changed, as the batch leaves it."""
    for entry in done.entries.values():
        if entry.opened.origin.group_id:
            yield entry
    for record in done.records:
        if isinstance(record, Decision) and record.opened is not None and record.opened.origin.group_id:
            command = record.command
            if (command.portfolio_id, record.sequence) not in done.entries:
                yield entry_as_opened(command.portfolio_id, command.symbol, record.opened)


def dealings(done: Written, contract_of: Callable[[str], Contract]) -> Iterator[Dealing]:
    """What plain executions of a batch did to groups; run under ``localcontext(EXACT)``."""
    for record, trades in zip(done.records, done.trades, strict=True):
        if not isinstance(record, Decision):
            continue
        opened, command = record.opened, record.command
        if opened is not None and opened.origin.group_id:
            contract = contract_of(command.symbol)
            leg = LegKey(command.symbol, opened.direction, contract.currency)
            dealt = opening(opened.direction, opened.quantity, opened.price, contract)
            yield Dealing((command.portfolio_id, opened.origin.group_id), leg, dealt, record.sequence)
        for trade in trades:
            if trade.group_id:
                leg = LegKey(trade.symbol, trade.side, trade.currency)
                dealt = Dealt(gross=trade.gross_pnl, fees=trade.entry_fee + trade.exit_fee)
                yield Dealing((trade.portfolio_id, trade.group_id), leg, dealt, record.sequence)


def rewritten(done: Written) -> dict[GroupRef, int]:
    """Groups whose history a batch rewrote, with the newest record that did."""
    refs: dict[GroupRef, int] = {}
    for record in done.records:
        if isinstance(record, Decision):
            for lot in record.placed:
                if lot.opened.origin.group_id:
                    refs[record.command.portfolio_id, lot.opened.origin.group_id] = record.sequence
        elif isinstance(record, Late | Correction):
            refs |= dict.fromkeys(_amended(done), record.sequence)
    return refs


def _amended(done: Written) -> set[GroupRef]:
    """Groups that the corrections of a batch may have touched."""
    found = {(entry.portfolio_id, entry.opened.origin.group_id) for entry in done.entries.values()}
    for told in chain.from_iterable(done.restated.values()):
        for trade in (told.before, told.after):
            if trade is not None:
                found.add((trade.portfolio_id, trade.group_id))
    return {ref for ref in found if ref[1]}


def revalued_symbols(done: Written) -> set[str]:
    """Symbols whose books a batch put under other terms: what their legs were opened for is to be counted anew."""
    declared = {record.instrument.symbol for record in done.records if isinstance(record, InstrumentDefined)}
    return {key[1] for key in done.books if key[1] in declared} if declared else set()
