"""A subscriber as a careful bot would write one: it keeps the newest values and every fact, and can be disturbed.

It is built on the asyncio client and nothing else, and holds each event against what the client promises: sequences never go
back, facts come in order and once, before anything else a whole snapshot. ``differences`` says in which way what it was told is
not what the ledger answers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import replace
from itertools import zip_longest
from typing import NamedTuple

import lotkeeper
from lotkeeper import (
    ClosedTrade,
    Disconnected,
    Entry,
    EntryStatus,
    Heartbeat,
    PnLEvent,
    Position,
    PositionSide,
    Snapshot,
    Update,
)
from lotkeeper.aio import AsyncLedger
from lotkeeper.errors import PortfolioNotFound
from lotkeeper.values import Totals

PATIENCE = 30.0
"""Seconds in which a subscriber must have come to what the ledger says."""

HEARTBEAT = 0.2
QUIET = 3
"""Heartbeats in a row after which nothing more will come: a change is sent within a frame, and no frame waits for so long."""

EVERY_STATUS = (EntryStatus.OPEN, EntryStatus.PARTIALLY_CLOSED, EntryStatus.CLOSED)

Key = tuple[str, str]


class Interest(NamedTuple):
    """What a subscriber follows; empty is all. ``interval`` in seconds, None is every change it keeps up with."""

    portfolios: tuple[str, ...] = ()
    symbols: tuple[str, ...] = ()
    interval: float | None = None

    def takes(self, portfolio_id: str, symbol: str) -> bool:
        """Whether it wants this book."""
        return (not self.portfolios or portfolio_id in self.portfolios) and (not self.symbols or symbol in self.symbols)


class Truth(NamedTuple):
    """What the ledger answers when nobody writes: values by book and by portfolio, facts in order."""

    positions: dict[Key, Position]
    totals: dict[str, tuple[Totals, ...]]
    trades: list[ClosedTrade]
    entries: list[Entry]


async def truth(ledger: AsyncLedger, portfolios: Iterable[str]) -> Truth:
    """GetSummary, ListClosedTrades and ListEntries of those ``portfolios`` that exist."""
    found = Truth({}, {}, [], [])
    for portfolio in portfolios:
        try:
            summary = await ledger.get_summary(portfolio_id=portfolio, include_flat=True)
        except PortfolioNotFound:
            continue
        found.positions.update({(portfolio, position.symbol): position for position in summary.positions})
        found.totals[portfolio] = summary.totals
        found.trades.extend([trade async for trade in ledger.list_closed_trades(portfolio_id=portfolio)])
        found.entries.extend(
            [entry async for entry in ledger.list_entries(portfolio_id=portfolio, statuses=EVERY_STATUS)]
        )
    found.trades.sort(key=lambda trade: (trade.sequence, trade.index))
    found.entries.sort(key=lambda entry: entry.sequence)
    return found


class Subscriber:
    """Follows ``interest`` at ``address`` from ``join`` to ``leave``; joining again resumes after the last event."""

    def __init__(self, address: str, interest: Interest) -> None:
        self.interest = interest
        self._ledger = lotkeeper.aio.connect(address)
        self._reading: asyncio.Task[None] | None = None
        self._may_read = asyncio.Event()
        self._may_read.set()
        self._came = asyncio.Event()
        self._first: int | None = None
        self._last: PnLEvent | None = None
        self._quiet = 0
        self.trades: list[ClosedTrade] = []
        self.entries: list[Entry] = []
        self.positions: dict[Key, Position] = {}
        self.totals: dict[str, tuple[Totals, ...]] = {}
        self.disconnections = 0
        self.resumptions = 0
        self.folded = 0

    @property
    def here(self) -> bool:
        """Whether it has joined and reads."""
        return self._reading is not None and self._may_read.is_set()

    # What happens to it.

    def join(self) -> None:
        """Follow; after the last event, if there was one."""
        if self._reading is None:
            self._reading = asyncio.create_task(self._read())

    async def leave(self) -> None:
        """Stop following, as a bot that ends: what came after the sequence of its last event it has not noted down."""
        if self._reading is None:
            return
        self._reading.cancel()
        (outcome,) = await asyncio.gather(self._reading, return_exceptions=True)
        self._reading = None
        assert isinstance(outcome, asyncio.CancelledError), f"the stream ended by itself: {outcome!r}"
        noted = self._last.sequence if self._last else 0
        self.trades = [trade for trade in self.trades if trade.sequence <= noted]
        self.entries = [entry for entry in self.entries if entry.sequence <= noted]

    def stall(self) -> None:
        """Read nothing more, and stay connected."""
        self._may_read.clear()

    def go_on(self) -> None:
        """Read again."""
        self._may_read.set()

    async def close(self) -> None:
        """Leave and disconnect."""
        await self.leave()
        await self._ledger.close()

    # What it hears.

    async def _read(self) -> None:
        last = self._last
        stream = self._ledger.stream_pnl(
            portfolio_ids=self.interest.portfolios,
            symbols=self.interest.symbols,
            min_update_interval=self.interest.interval,
            heartbeat_interval=HEARTBEAT,
            after_sequence=last.sequence if last else None,
            ledger_id=last.ledger_id if last else "",
        )
        self.resumptions += last is not None
        async with aclosing(stream):
            async for event in stream:
                self._take(event)
                self._came.set()
                await self._may_read.wait()

    def _take(self, event: PnLEvent) -> None:
        assert self._last is None or event.sequence >= self._last.sequence, "the stream went back"
        if isinstance(event, Snapshot):
            self.positions = {(each.portfolio_id, each.symbol): each for each in event.positions}
            self.totals = {each.portfolio_id: each.totals for each in event.totals}
            self._first = event.sequence if self._first is None else self._first
        elif isinstance(event, Update):
            self._update(event)
        elif isinstance(event, Disconnected):
            self.disconnections += 1
        self._quiet = self._quiet + 1 if isinstance(event, Heartbeat) else 0
        assert self._first is not None, f"before the snapshot came {event}"
        self._last = event

    def _update(self, event: Update) -> None:
        for trade in event.closed_trades:
            before = self.trades[-1] if self.trades else None
            assert before is None or (trade.sequence, trade.index) > (before.sequence, before.index), "not in order"
            self.trades.append(trade)
        for entry in event.opened_entries:
            assert not self.entries or entry.sequence > self.entries[-1].sequence, "not in order"
            self.entries.append(entry)
        self.positions.update({(each.portfolio_id, each.symbol): each for each in event.positions})
        self.totals.update({each.portfolio_id: each.totals for each in event.totals})
        self.folded += event.conflated_count

    # What it knows.

    async def settled(self, found: Truth) -> None:
        """Until it knows what is true. Raises AssertionError when it does not come to it."""
        await self._until(lambda: not self.differences(found))
        assert not self.differences(found), "\n".join(self.differences(found))

    async def _until(self, done: Callable[[], bool]) -> None:
        self._quiet = 0
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while not done() and self._quiet < QUIET and (left := deadline - asyncio.get_running_loop().time()) > 0:
            self._came.clear()
            assert self._reading is not None
            coming = asyncio.ensure_future(self._came.wait())
            await asyncio.wait((coming, self._reading), timeout=left, return_when=asyncio.FIRST_COMPLETED)
            coming.cancel()
            if self._reading.done():
                await self._reading
                return

    def differences(self, found: Truth) -> list[str]:
        """In what it differs from ``found``, in words; of portfolios that are not in it nothing is said."""
        if self._first is None:
            return ["it has heard nothing"]
        first = self._first
        trades = [each for each in found.trades if self.interest.takes(each.portfolio_id, each.symbol)]
        entries = [each for each in found.entries if self.interest.takes(each.portfolio_id, each.symbol)]
        wrong = _unlike("trades", self.trades, [trade for trade in trades if trade.sequence > first])
        opened = [(entry.sequence, entry.entry_id, entry.quantity) for entry in self.entries]
        told = [(entry.sequence, entry.entry_id, entry.quantity) for entry in entries if entry.sequence > first]
        return wrong + _unlike("entries", opened, told) + self._wrong_values(found)

    def _wrong_values(self, found: Truth) -> list[str]:
        wrong = []
        for key, position in found.positions.items():
            held = self.positions.get(key)
            flat = position.side is PositionSide.FLAT
            if self.interest.takes(*key) and not (held is None and flat) and _shown(held) != _shown(position):
                wrong.append(f"{key}: {held} is {position}")
        if not self.interest.symbols:  # totals of a portfolio come with the symbols that are followed
            for portfolio, totals in found.totals.items():
                if self.interest.takes(portfolio, "") and self.totals.get(portfolio) != totals:
                    wrong.append(f"{portfolio}: {self.totals.get(portfolio)} are {totals}")
        return wrong


def _shown(position: Position | None) -> Position | None:
    """As it must be; the mark of a flat position is worth nothing, and a new one no news."""
    if position is None or position.side is not PositionSide.FLAT:
        return position
    return replace(position, unrealized_pnl=None, mark_price=None, mark_time=None, mark_source="", mark_stale=False)


def _unlike(what: str, told: Sequence[object], true: Sequence[object]) -> list[str]:
    if told == true:
        return []
    place, (came, was) = next((place, pair) for place, pair in enumerate(zip_longest(told, true)) if pair[0] != pair[1])
    return [f"{len(told)} {what} came, {len(true)} there are; number {place} is {was}, and {came} came"]
