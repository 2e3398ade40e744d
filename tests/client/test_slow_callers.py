"""Both clients with callers that are slow, or that walk away, on a real sidecar: who lags behind has a bounded price."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import psutil
import pytest

import lotkeeper
from lotkeeper import ClosedTrade, Entry, ExcessPolicy, PnLEvent, Position, Side, Snapshot, Update
from lotkeeper.aio import AsyncLedger
from lotkeeper.errors import TooManyStreams
from tests.client.callers import CALLERS, Caller
from tests.support.sidecar import Sidecar

LONGEST_WAIT = 30.0
SYMBOLS = [f"S{number:03}" for number in range(200)]
MARKS_CALLS = 1_000
"""Each changes every position: told one by one they would be about 60 MiB."""

FLIPS = 4_200
"""Each closes a trade and opens a lot: more facts than the server keeps at hand for those who are late."""

AT_ONCE = 64
MIB = 1 << 20
MOST_BYTES = 32 * MIB
"""By which either process may grow while a caller does not read: half of what it is not told."""

both = pytest.mark.parametrize("caller", CALLERS, ids=lambda caller: type(caller).__name__)


@pytest.fixture
def sidecar(tmp_path: Path) -> Iterator[Sidecar]:
    """A ledger that lets a single stream be open."""
    with Sidecar(str(tmp_path / "lotkeeper.db"), settings={"max_streams": 1}) as running:
        yield running


def resident(process: psutil.Process) -> int:
    """Bytes of memory that a process holds."""
    return int(process.memory_info().rss)


async def _flipped(ledger: AsyncLedger, numbers: Iterator[int]) -> None:
    for number in numbers:
        await ledger.record_fill(
            symbol=SYMBOLS[number % len(SYMBOLS)],
            side=Side.SELL if number // len(SYMBOLS) % 2 else Side.BUY,
            quantity=2 if number >= len(SYMBOLS) else 1,
            price=100,
            fill_id=f"f{number}",
            excess_policy=ExcessPolicy.REVERSE,
        )


async def _much_happens(address: str) -> None:
    async with lotkeeper.aio.connect(address, timeout=LONGEST_WAIT) as ledger:
        numbers = iter(range(FLIPS))
        await asyncio.gather(*(_flipped(ledger, numbers) for _ in range(AT_ONCE)))
        for number in range(MARKS_CALLS):
            await ledger.set_marks(marks=dict.fromkeys(SYMBOLS, 101 + number))


class Slow:
    """A caller that stands still after the first event while much happens, and then reads on until it knows everything."""

    def __init__(self, sidecar: Sidecar) -> None:
        self._address = sidecar.address
        self._processes = (psutil.Process(), psutil.Process(sidecar.pid))
        self.growth: list[int] = []
        self.positions: dict[str, Position] = {}
        self.trades: list[ClosedTrade] = []
        self.entries: list[Entry] = []
        self.lags: list[float] = []
        self.folded = 0

    def told(self, event: PnLEvent) -> bool:
        """Take an event; True when it was the last that matters."""
        self.lags.append(event.lag)
        if isinstance(event, Snapshot):
            self._stand_still()
        elif isinstance(event, Update):
            self.positions.update({position.symbol: position for position in event.positions})
            self.trades += event.closed_trades
            self.entries += event.opened_entries
            self.folded += event.conflated_count
        prices = {position.mark_price for position in self.positions.values()}
        return prices == {100 + MARKS_CALLS} and len(self.positions) == len(SYMBOLS)

    def _stand_still(self) -> None:
        before = [resident(process) for process in self._processes]
        with ThreadPoolExecutor(1) as pool:
            pool.submit(asyncio.run, _much_happens(self._address)).result()
        after = [resident(process) for process in self._processes]
        self.growth = [now - then for now, then in zip(after, before, strict=True)]


@both
def test_a_slow_caller_costs_a_bounded_price_and_misses_no_fact(caller: Caller, sidecar: Sidecar) -> None:
    """What changed twice meanwhile is told once, every fact is told once, and neither side keeps what waits."""
    slow = Slow(sidecar)
    caller.follow(sidecar.address, 10**6, slow.told)
    here, there = (growth / MIB for growth in slow.growth)
    print(f"client {here:.1f} MiB, server {there:.1f} MiB, {slow.folded:,} of {MARKS_CALLS * len(SYMBOLS):,} folded")
    assert max(slow.growth) < MOST_BYTES
    assert slow.folded > MARKS_CALLS * len(SYMBOLS) // 2
    assert slow.lags[1] > slow.lags[-1]  # it was far behind, and has caught up
    with lotkeeper.connect(sidecar.address) as ledger:
        assert slow.trades == list(ledger.list_closed_trades(page_size=1000))
        assert [entry.sequence for entry in slow.entries] == list(range(1, FLIPS + 1))
        assert tuple(slow.positions[symbol] for symbol in SYMBOLS) == ledger.get_summary().positions


class Fault(Exception):
    """Something that a caller's own code raises."""


def leaves_the_loop(ledger: lotkeeper.Ledger) -> None:
    """And has not kept the generator."""
    for event in ledger.stream_pnl():
        assert isinstance(event, Snapshot)
        break


def fails_in_the_loop(ledger: lotkeeper.Ledger) -> None:
    """And whoever catches the error looks at it for a long time."""
    for event in ledger.stream_pnl():
        raise Fault(event)


def closes_it(ledger: lotkeeper.Ledger) -> None:
    """As one should."""
    with closing(ledger.stream_pnl()) as stream:
        assert isinstance(next(stream), Snapshot)


def forgets_it_in_a_circle(ledger: lotkeeper.Ledger) -> None:
    """The generator is garbage that only the collector finds."""
    circle: list[object] = [ledger.stream_pnl()]
    circle.append(circle)
    assert isinstance(next(circle[0]), Snapshot)  # type: ignore[call-overload] # a stream among objects
    del circle
    gc.collect()


WAYS_TO_LEAVE = (leaves_the_loop, fails_in_the_loop, closes_it, forgets_it_in_a_circle)


@pytest.mark.parametrize("leave", WAYS_TO_LEAVE)
def test_a_stream_that_is_abandoned_is_over_on_the_server(
    sidecar: Sidecar, leave: Callable[[lotkeeper.Ledger], None]
) -> None:
    """While the connection stays open: the server has room for one stream, and the next one finds it."""
    with lotkeeper.connect(sidecar.address) as ledger:
        try:
            leave(ledger)
        except Fault as error:
            fault: Fault | None = error
        else:
            fault = None
        deadline = time.monotonic() + LONGEST_WAIT
        while not _has_room(ledger):
            assert time.monotonic() < deadline, "the stream is still open"
        assert fault is None or isinstance(fault.args[0], Snapshot)


def _has_room(ledger: lotkeeper.Ledger) -> bool:
    try:
        closes_it(ledger)
    except TooManyStreams:
        return False
    return True


async def leaves_the_asyncio_loop(ledger: AsyncLedger) -> None:
    """And has not kept the generator."""
    async for event in ledger.stream_pnl():
        assert isinstance(event, Snapshot)
        break


async def fails_in_the_asyncio_loop(ledger: AsyncLedger) -> None:
    """And whoever catches the error looks at it for a long time."""
    async for event in ledger.stream_pnl():
        raise Fault(event)


async def forgets_the_asyncio_stream_in_a_circle(ledger: AsyncLedger) -> None:
    """The generator is garbage that only the collector finds."""
    stream = ledger.stream_pnl()
    circle: list[object] = [stream]
    circle.append(circle)
    assert isinstance(await anext(stream), Snapshot)
    del circle, stream
    gc.collect()


@pytest.mark.parametrize(
    "leave", [leaves_the_asyncio_loop, fails_in_the_asyncio_loop, forgets_the_asyncio_stream_in_a_circle]
)
async def test_an_asyncio_stream_that_is_abandoned_is_over_on_the_server(
    sidecar: Sidecar, leave: Callable[[AsyncLedger], Awaitable[None]]
) -> None:
    """While the connection stays open: the server has room for one stream, and the next one finds it."""
    async with lotkeeper.aio.connect(sidecar.address) as ledger:
        try:
            await leave(ledger)
        except Fault as error:
            fault: Fault | None = error
        else:
            fault = None
        async with asyncio.timeout(LONGEST_WAIT):
            while not await _has_asyncio_room(ledger):
                continue
        assert fault is None or isinstance(fault.args[0], Snapshot)


async def _has_asyncio_room(ledger: AsyncLedger) -> bool:
    stream = ledger.stream_pnl()
    try:
        await anext(stream)
    except TooManyStreams:
        return False
    finally:
        await stream.aclose()
    return True
