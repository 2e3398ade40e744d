"""What ``watch`` hears from the sidecar: the stream of P&L, the price sources, and lots when they are asked for.

Problem: fifty updates a second must not become fifty drawings, and lots must not be read fifty times.
Chosen: three tasks fold what comes into one state and set an event; who draws looks at the state when it is ready, so it
is never behind. Lots are read when what is shown has changed by a fill, with a pause after each read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import aclosing
from typing import Any, NamedTuple

from lotkeeper import FeedStatus, LotkeeperError, Position
from lotkeeper.aio import AsyncLedger
from lotkeeper.errors import OtherHistory
from lotkeeperd.console.board import Board
from lotkeeperd.console.frame import Known
from lotkeeperd.console.link import Link, after
from lotkeeperd.console.lots import Lots

FRAME_SECONDS = 0.125
"""Least time between two drawings, and between two messages: updates in between are folded by the server."""
HEARTBEAT_SECONDS = 1.0
FEEDS_SECONDS = 1.0
"""Time between two looks at the price sources."""
LOTS_SECONDS = 0.5
"""Least time between two reads of lots."""
READ_SECONDS = 5.0
"""How long one such look or read may take."""

# Price sources come with every answer, marks only by symbol: one that does not exist keeps 10,000 marks away.
_NO_SYMBOL = ("-",)


class Watched(NamedTuple):
    """What to show; empty means all."""

    address: str
    portfolios: Sequence[str] = ()
    symbols: Sequence[str] = ()


class Following:
    """Everything heard so far; ``clock`` says nanoseconds UTC. ``changed`` is set when there is something new to draw."""

    def __init__(self, watched: Watched, clock: Callable[[], int]) -> None:
        """Nothing heard yet."""
        self.changed = asyncio.Event()
        self.board = Board()
        self.lots = Lots()
        self.link = Link(clock())
        self._watched = watched
        self._clock = clock
        self._feeds: tuple[FeedStatus, ...] = ()
        self._trouble: dict[str, str] = {}
        self._wanted: dict[str, tuple[str, ...]] = {}
        self._lots_wanted = asyncio.Event()

    def known(self) -> Known:
        """What to make a frame of."""
        trouble = "; ".join(self._trouble.values())
        return Known(self._watched.address, self.board, self.link, self.lots, self._feeds, trouble)

    def want_lots(self, shown: Sequence[Position]) -> None:
        """Have the lots of these positions read where they are missing or old."""
        self.lots.keep(shown)
        self._wanted = self.lots.wanted(shown)
        if self._wanted:
            self._lots_wanted.set()

    async def stream(self, ledger: AsyncLedger) -> None:
        """Fold the stream's events until cancelled; a ledger that was replaced is followed from its beginning.

        Raises:
            LotkeeperError: the ledger refused.
        """
        while True:
            try:
                await self._events(ledger)
            except OtherHistory as replaced:
                self.board.clear()
                self.lots.clear()
                self._trouble["ledger"] = f"the ledger was replaced by another: {replaced.reason}"

    async def _events(self, ledger: AsyncLedger) -> None:
        stream = ledger.stream_pnl(
            portfolio_ids=self._watched.portfolios,
            symbols=self._watched.symbols,
            min_update_interval=FRAME_SECONDS,
            heartbeat_interval=HEARTBEAT_SECONDS,
        )
        async with aclosing(stream) as events:
            async for event in events:
                self.board.take(event)
                self.link = after(self.link, event, self._clock())
                self.changed.set()

    async def poll_feeds(self, ledger: AsyncLedger) -> None:
        """Look at the price sources about once a second until cancelled."""
        while True:
            async with _Trouble(self._trouble, "feeds"):
                answer = await ledger.list_marks(symbols=_NO_SYMBOL, timeout=READ_SECONDS)
                self._feeds = answer.feeds
            self.changed.set()
            await asyncio.sleep(FEEDS_SECONDS)

    async def read_lots(self, ledger: AsyncLedger) -> None:
        """Read lots whenever some are wanted, at most twice a second, until cancelled."""
        while True:
            await self._lots_wanted.wait()
            self._lots_wanted.clear()
            async with _Trouble(self._trouble, "lots"):
                for portfolio, symbols in self._wanted.items():
                    read = await ledger.get_summary(
                        portfolio_id=portfolio, symbols=symbols, include_entries=True, timeout=READ_SECONDS
                    )
                    self.lots.take(read.positions)
            self.changed.set()
            await asyncio.sleep(LOTS_SECONDS)


class _Trouble:
    """Notes why the block failed to read, for as long as it fails: a table of positions is worth more than its lots."""

    def __init__(self, notes: dict[str, str], what: str) -> None:
        self._notes = notes
        self._what = what

    async def __aenter__(self) -> None: ...

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        self._notes.pop(self._what, None)
        if isinstance(error, LotkeeperError):
            self._notes[self._what] = f"{self._what} cannot be read: {error.message}"
            return True
        return False


async def until_one_ends(*works: Coroutine[Any, Any, None]) -> None:
    """Carry out ``works`` together until the first ends, then cancel the rest; raises what that one raised."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in ended:
        task.result()
