"""Every group with something open, at the marks that value its positions. Lives in the event loop.

Problem: the P&L of a group is open lots at their marks and everything that was closed before; adding that up per fill would make
every fill dearer for the few that have a group, and keeping it for all groups would make memory grow with trades. Chosen: nothing
is added to the write path, and a batch without groups costs one look at each record. Of groups that have something open, the open
lots are kept, and their books are watched: a mark moves one leg of each group that holds its symbol, by the difference. What was
closed is read from the database when somebody asks for the first time, many groups at once, and then carried on by what is
committed. Groups that closed are kept for a while, so that the news of it reaches subscribers; older ones are read when named.

Reading takes a moment (see ``group_history``). So a group that a subscriber sees for the first time, or after a correction, comes
a moment after its positions, and from then on together with them.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from contextlib import aclosing
from decimal import localcontext

from lotkeeperd.domain.book import Contract, Lot
from lotkeeperd.domain.decimals import EXACT
from lotkeeperd.domain.groups import GroupPnL, LegKey, OpenPart
from lotkeeperd.domain.lots import cost_of
from lotkeeperd.domain.portfolios import PositionMode
from lotkeeperd.domain.refusals import Refusal, StorageUnavailable
from lotkeeperd.service.group import (
    Dealing,
    Group,
    OpenLot,
    dealings,
    grouped_entries,
    revalued_symbols,
    rewritten,
)
from lotkeeperd.service.group_history import GROUPS_PER_READ, Histories, Reading
from lotkeeperd.service.ports import GroupRef, Key, Reader, State, Written
from lotkeeperd.service.valuation import Valuation

log = logging.getLogger(__name__)

CLOSED_KEPT = 4096
"""Groups with nothing open that are kept in memory; the one that was touched longest ago goes first."""

READINGS = 100
"""Times that a read looks for groups opened while it read; at one new group in each, something is wrong with their ids."""

RETRY = 1.0
"""Seconds until groups that could not be read for subscribers are read again."""

FiguresOf = tuple[GroupPnL, ...]
"""A group's figures, one for each currency."""


class Groups:
    """The read model of groups. ``told`` is called when figures that a subscriber waits for have been read."""

    def __init__(self, valuation: Valuation, reader: Reader, told: Callable[[], None]) -> None:
        self._valuation = valuation
        self._histories = Histories(reader, self._contract)
        self._told = told
        self._head = 0
        self._groups: dict[GroupRef, Group] = {}
        self._closed: OrderedDict[GroupRef, None] = OrderedDict()
        self._holding: dict[Key, dict[GroupRef, int]] = {}  # -> its open lots in that book
        self._followed = False
        self._changed: dict[GroupRef, None] = {}  # since ``take_changes``, while somebody follows
        self._wanted: dict[GroupRef, None] = {}  # to be read for subscribers
        self._task: asyncio.Task[None] | None = None
        valuation.watch(self._holding)

    # What was committed; the valuation has it already.

    def load(self, state: State) -> None:
        """Replace everything by ``state``."""
        before = list(self._groups)
        self._head = state.last_sequence
        self._groups.clear()
        self._closed.clear()
        self._holding.clear()
        self._histories.spoil_all()
        with localcontext(EXACT):
            for key, book in state.books.items():
                for lot in book.lots():
                    if lot.opened.origin.group_id:
                        self._hold((key[0], lot.opened.origin.group_id), lot, key, book.contract)
        self._note([*before, *self._groups])

    def commit(self, done: Written) -> None:
        """Take over what was just committed."""
        if not done.records:
            return
        self._head = done.records[-1].sequence
        entries = list(grouped_entries(done))
        if not (entries or self._groups or done.rewritten):
            return
        with localcontext(EXACT):
            touched = self._rewritten(done)
            for entry in entries:
                opened = entry.opened
                lot = Lot(opened.time, opened.sequence, entry.remaining_quantity, opened.price, entry.open_fee, opened)
                lot = lot._replace(cost=entry.cost)
                contract = self._contract(entry.symbol)
                key = self._key(entry.portfolio_id, entry.symbol, lot)
                ref = (entry.portfolio_id, opened.origin.group_id)
                self._hold(ref, lot, key, contract, counts=not entry.superseded)
                touched[ref] = None
            for dealing in dealings(done, self._contract):
                self._deal(dealing)
                touched[dealing.ref] = None
        self._note(touched)

    def _contract(self, symbol: str) -> Contract:
        return self._valuation.instrument_of(symbol).contract

    def _key(self, portfolio_id: str, symbol: str, lot: Lot) -> Key:
        terms = self._valuation.portfolio(portfolio_id)
        hedging = terms is not None and terms.position_mode is PositionMode.HEDGING
        return portfolio_id, symbol, lot.opened.direction.name if hedging else ""

    def _hold(self, ref: GroupRef, lot: Lot, key: Key, contract: Contract, counts: bool = True) -> None:
        held = None
        if counts and lot.remaining:
            part = OpenPart(lot.remaining, cost_of(lot, contract), 1)
            held = OpenLot(key, LegKey(key[1], lot.opened.direction, contract.currency), part)
        group = self._groups.get(ref)
        if group is None:
            if held is None:
                return
            group = self._groups[ref] = Group()
        before = group.hold(lot.sequence, held)
        for moved, count in ((before, -1), (held, 1)):
            if moved is not None:
                self._watch(moved.key, ref, count)

    def _watch(self, key: Key, ref: GroupRef, count: int) -> None:
        refs = self._holding.setdefault(key, {})
        refs[ref] = refs.get(ref, 0) + count
        if not refs[ref]:
            del refs[ref]
        if not refs:
            del self._holding[key]

    def _deal(self, dealing: Dealing) -> None:
        group = self._groups.get(dealing.ref)
        if group is not None:
            group.deal(dealing)
        self._histories.add(dealing)

    def _rewritten(self, done: Written) -> dict[GroupRef, None]:
        """Forget the history of groups that a batch rewrote."""
        refs = rewritten(done)
        symbols = revalued_symbols(done)
        if symbols:
            known = ((ref, group.sums) for ref, group in self._groups.items())
            valued_by = [ref for ref, sums in known if sums and any(legs.symbols() & symbols for legs in sums.values())]
            refs = dict.fromkeys(valued_by, self._head) | refs
            self._histories.spoil_all()
        for ref, sequence in refs.items():
            group = self._groups.get(ref)
            if group is not None:
                group.sums = group.told = None
                group.sequence = max(group.sequence, sequence)
        self._histories.spoil(refs)
        return dict.fromkeys(refs)

    def _note(self, refs: Iterable[GroupRef]) -> None:
        """Remember what changed for those who follow, and which groups have nothing open any more."""
        for ref in refs:
            if self._followed:
                self._changed[ref] = None
            group = self._groups.get(ref)
            if group is not None:
                self._put_away(ref, group)

    def _put_away(self, ref: GroupRef, group: Group) -> None:
        """Keep a group with nothing open for a while, in place of the one that was touched longest ago."""
        self._closed.pop(ref, None)
        if group.lots:
            return
        if group.sums is None:
            del self._groups[ref]  # it has nothing that a read would not find
            return
        self._closed[ref] = None
        if len(self._closed) > CLOSED_KEPT:
            oldest, _ = self._closed.popitem(last=False)
            del self._groups[oldest]

    # What is so.

    def settle(self) -> None:
        """Value what changed."""
        moved: set[GroupRef] = set()
        for key in self._valuation.take_watched():
            valued = self._valuation.positions(key[0])[key[1:]]
            with localcontext(EXACT):
                moved |= {ref for ref in self._holding.get(key, ()) if self._groups[ref].value(key[1], valued)}
        if self._followed:
            self._changed |= dict.fromkeys(moved)

    def open_groups(self, portfolio_ids: Iterable[str]) -> list[GroupRef]:
        """Every group with something open in these portfolios, by name."""
        wanted = frozenset(portfolio_ids)
        return sorted(ref for ref, group in self._groups.items() if group.lots and ref[0] in wanted)

    def figures(self, ref: GroupRef) -> FiguresOf | None:
        """Of one group, after ``settle``; None when its history is not known, or there is no such group."""
        group = self._groups.get(ref)
        if group is None or group.sums is None:
            return None
        if group.told is None:
            with localcontext(EXACT):
                group.told = tuple(
                    legs.figures(*ref, currency, group.sequence) for currency, legs in sorted(group.sums.items())
                )
        return group.told

    def symbols(self, ref: GroupRef) -> frozenset[str]:
        """Of the legs of one group that is known."""
        group = self._groups.get(ref)
        if group is None or group.sums is None:
            return frozenset()
        return frozenset().union(*(legs.symbols() for legs in group.sums.values()))

    # Reading.

    async def ready(self, portfolio_ids: Iterable[str], named: Sequence[GroupRef] = (), open_too: bool = True) -> None:
        """Until the history of every ``named`` group, and of all with something open, is known.

        What is known stays so until the next await. Raises StorageUnavailable.
        """
        absent: set[GroupRef] = set()
        for _ in range(READINGS):
            wanted = dict.fromkeys(named)
            wanted |= dict.fromkeys(self.open_groups(portfolio_ids) if open_too else ())
            missing = [ref for ref in wanted if self._is_missing(ref) and (ref in self._groups or ref not in absent)]
            if not missing:
                return
            async with aclosing(self._histories.read(missing, self._head)) as readings:
                async for reading in readings:
                    with localcontext(EXACT):
                        for ref in reading.sound():
                            self._adopt(ref, reading)
            absent.update(ref for ref in missing if ref not in self._groups)
        raise StorageUnavailable("groups are opened or corrected faster than they can be read")

    def _is_missing(self, ref: GroupRef) -> bool:
        group = self._groups.get(ref)
        return group is None or group.sums is None

    def _adopt(self, ref: GroupRef, reading: Reading) -> None:
        group = self._groups.get(ref)
        legs = reading.legs.get(ref)
        if group is None:
            if legs is None:
                return
            group = self._groups[ref] = Group()
        if group.sums is not None:
            return  # another reading came first
        books = [self._valuation.positions(ref[0])[lot.key[1:]] for lot in group.lots.values()]
        newest = max((valued.book.sequence for valued in books), default=0)
        group.adopt(legs or {}, max(group.sequence, reading.sequences.get(ref, 0), newest))
        for dealing in reading.later:
            if dealing.ref == ref:
                group.deal(dealing)
        for lot, valued in zip(group.lots.values(), books, strict=True):
            group.value(lot.key[1], valued)
        self._put_away(ref, group)
        if self._followed and (group.lots or ref in self._wanted):
            self._changed[ref] = None

    # Subscribers.

    def follow(self, followed: bool) -> None:
        """Whether anybody hears of changes."""
        self._followed = followed
        if not followed:
            self._changed.clear()
            self._wanted.clear()

    def take_changes(self) -> list[GroupRef]:
        """Every group that changed since the last call and whose figures are known; the others are read, and come later."""
        self.settle()
        changed, self._changed = self._changed, {}
        self.want(ref for ref in changed if self._is_missing(ref))
        return [ref for ref in changed if not self._is_missing(ref)]

    def want(self, refs: Iterable[GroupRef]) -> None:
        """Read these for subscribers."""
        self._wanted |= dict.fromkeys(refs)
        if self._wanted and self._task is None:
            self._task = asyncio.create_task(self._read_wanted(), name="groups")
            self._task.add_done_callback(self._ended)

    async def _read_wanted(self) -> None:
        while self._wanted:
            refs = list(self._wanted)[:GROUPS_PER_READ]
            try:
                await self.ready((), refs, open_too=False)
            except Refusal as refusal:
                log.warning("groups cannot be read for subscribers, they will be asked for again: %s", refusal.message)
                await asyncio.sleep(RETRY)
                continue
            for ref in refs:
                self._wanted.pop(ref, None)
            self._told()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._task = None
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("groups could not be read for subscribers", exc_info=error)

    async def close(self) -> None:
        """Read no more for subscribers."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
