"""A ledger as a feed sees it: the real board of marks, with every call on record so that a test can wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from decimal import Decimal
from random import Random
from typing import NamedTuple

from lotkeeperd.feeds.reconnect import Pace
from lotkeeperd.feeds.run import run
from lotkeeperd.feeds.spec import FeedSpec, read_spec
from lotkeeperd.service.marks import Mark, MarkBoard, Policy, Source
from tests.support.venues import KEY, SECRET

SWIFT = Pace(first=0.02, longest=0.1, healthy=30.0, slow=0.05)
"""So that a test need not wait for what a venue would want to be spared."""
NEVER = Pace(first=3600, longest=3600, slow=3600)
"""A feed that does not come back within a test."""
MILLISECOND = 1_000_000
MAX_AGE = 3_600_000_000_000
WAIT_SECONDS = 20.0
ENVIRONMENT = {"KEY": KEY, "SECRET": SECRET, "OTHER": "somebody-else"}
NOW = 1_780_000_000_000_000_000


class Loss(NamedTuple):
    """One call of ``lost``."""

    source: str
    words: str
    dropped: bool


class AtLoss(NamedTuple):
    """What the ledger held in the moment of a loss."""

    accepted: int  # marks so far
    stale: frozenset[str]
    source: Source


class Witness:
    """Satisfies ``service.ports.Prices``."""

    def __init__(self, *wanted: str) -> None:
        self.board = MarkBoard(Policy(MAX_AGE))
        self.symbols = frozenset(wanted)
        self.losses: list[Loss] = []
        self.withdrawals: list[str] = []
        self.at_loss: list[AtLoss] = []
        self.accepted: list[Mark] = []
        self.taken: list[Mark] = []
        self.now = NOW
        self._changed = asyncio.Event()

    def clock(self) -> int:
        """A clock that goes a millisecond whenever it is looked at, so that no two times are equal."""
        self.now += MILLISECOND
        return self.now

    def expected(self, source: str) -> None:
        """As the port says."""
        self.board.expected(source)

    def accept(self, marks: Sequence[Mark], source: str) -> int:
        """As the port says."""
        before = {mark.symbol: self.board.newest(mark.symbol) for mark in marks}
        count = len(self.board.accept(marks, source, self.now))
        self.accepted += marks
        self.taken += [mark for mark in marks if self.board.newest(mark.symbol) is not before[mark.symbol]]
        self._changed.set()
        return count

    def alive(self, source: str) -> None:
        """As the port says."""
        self.board.alive(source, self.now)
        self._changed.set()

    def withdrawn(self, symbol: str, source: str) -> None:
        """As the port says."""
        self.board.withdrawn(symbol, source)
        self.withdrawals.append(symbol)
        self._changed.set()

    def lost(self, source: str, error: str, dropped: bool = True) -> None:
        """As the port says."""
        self.board.lost(source, error, dropped)
        self.losses.append(Loss(source, error, dropped))
        stale = frozenset(mark.symbol for mark, is_stale in self.board.all(()) if is_stale)
        self.at_loss.append(AtLoss(len(self.accepted), stale, self.source(source)))
        self._changed.set()

    def wanted(self) -> frozenset[str]:
        """What the test wants."""
        return self.symbols

    def price(self, symbol: str) -> Decimal | None:
        """What values a long of ``symbol`` now, stale or not."""
        mark = self.board.newest(symbol)
        return mark and mark.price

    def fresh(self, symbol: str) -> bool:
        """Whether there is a price that is not stale."""
        return self.board.newest(symbol) is not None and not self.board.is_stale(symbol)

    def source(self, name: str) -> Source:
        """The state of one feed; one that was never heard of is not connected."""
        known = {source.name: source for source in self.board.sources()}
        return known.get(name, Source(name, connected=False))

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait for that; looked at after every call. Raises TimeoutError."""
        async with asyncio.timeout(WAIT_SECONDS):
            while not holds():
                self._changed.clear()
                await self._changed.wait()


Keys = tuple[tuple[str, object], ...]


def spec(venue: str, url: str, symbols: dict[str, str], more: Keys = (), name: str = "feed") -> FeedSpec:
    """A feed of that venue at that address, read as from the configuration; ``more`` are keys of its table.

    A silence is set past the table, which would not let one be as short as a test can wait for.
    """
    table: dict[str, object] = {"venue": venue, "url": url, "symbols": symbols}
    if venue == "alpaca":
        table |= {"key_variable": "KEY", "secret_variable": "SECRET"}
    if venue == "bybit":
        table["category"] = "linear"
    table |= dict(more)
    silence = table.pop("silence", None)
    read = read_spec(name, table, ENVIRONMENT)
    return read if silence is None else read._replace(silence=float(str(silence)))


@asynccontextmanager
async def feeding(witness: Witness, *specs: FeedSpec, pace: Pace = SWIFT) -> AsyncIterator[list[asyncio.Task[None]]]:
    """These feeds run meanwhile; one that fails of itself fails the test."""
    tasks = [asyncio.create_task(run(each, witness, witness.clock, Random(7), pace)) for each in specs]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task
