"""Subscribers that hang, die or come and go by the thousand cost the others nothing, and the server little.

Counts and bytes are asserted, never times; rates beside stuck subscribers are rows of the benchmark.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from pathlib import Path

import grpc
import psutil
import pytest

import lotkeeper
from lotkeeper import ExcessPolicy, Side
from lotkeeper.aio import AsyncLedger
from lotkeeper.v1 import ledger_service_pb2
from lotkeeper.v1.ledger_service_pb2_grpc import LedgerServiceStub
from tests.contract.following import following
from tests.support import silent
from tests.support.dialing import OWN_CONNECTION, dialed
from tests.support.refusals import refused
from tests.support.sidecar import Sidecar
from tests.support.silent import Silent
from tests.support.subscribers import Interest, Subscriber, truth

STUCK, CONNECTIONS, HEALTHY = 1_000, 20, 100
SYMBOLS, MANY_SYMBOLS = 1_000, 3_000
ROUNDS, FILLS_IN_ROUND = 12, 50
TRADED = tuple(f"S{number}" for number in range(7))
IN_FLIGHT = 64
KIB = 1 << 10
MIB = 1 << 20

MOST_BYTES_PER_STUCK = 240 * KIB
"""What the server may grow by for each that never reads. It holds a coroutine, the rest of the snapshot (16 bytes for each
position) and the message of 64 KiB that it was handed last, once itself and once in gRPC."""

CALLER_STREAMS = 200
"""The most that one connection may have open, as the server has it by default."""

ANY_STREAM = ledger_service_pb2.StreamPnLRequest()


def resident(sidecar: Sidecar) -> int:
    """Bytes of memory that the server holds."""
    return int(psutil.Process(sidecar.pid).memory_info().rss)


async def opened(ledger: AsyncLedger, symbols: int) -> None:
    """A lot in each of so many symbols."""
    for first in range(0, symbols, IN_FLIGHT):
        numbers = range(first, min(first + IN_FLIGHT, symbols))
        await asyncio.gather(
            *(
                ledger.create_entry(symbol=f"S{number}", quantity=1, entry_price=100, entry_fill_id=f"e{number}")
                for number in numbers
            )
        )


async def traded(ledger: AsyncLedger, fills: count[int], symbols: int) -> None:
    """A round: fills that each turn a position, and a new price for everything. Each is answered."""
    for number in (next(fills) for _ in range(FILLS_IN_ROUND)):
        await ledger.record_fill(
            symbol=TRADED[number % len(TRADED)],
            side=Side.BUY if number // len(TRADED) % 2 else Side.SELL,
            quantity=2,
            price=100 + number,
            fill_id=f"f{number}",
            excess_policy=ExcessPolicy.REVERSE,
        )
    await ledger.set_marks(marks={f"S{symbol}": 100 + next(fills) for symbol in range(symbols)})


@asynccontextmanager
async def healthy(address: str) -> AsyncIterator[list[Subscriber]]:
    """Subscribers that read what they get: some follow everything, most a few symbols, half of them at an interval."""
    async with AsyncExitStack() as stack:
        subscribers = []
        for number in range(HEALTHY):
            symbols = TRADED if number % 10 else ()
            subscriber = Subscriber(address, Interest(symbols=symbols, interval=0.1 if number % 2 else None))
            stack.push_async_callback(subscriber.close)
            subscriber.join()
            subscribers.append(subscriber)
        yield subscribers


async def settled(ledger: AsyncLedger, subscribers: Sequence[Subscriber]) -> int:
    """Until every one of them knows all of it; how many trades that are."""
    found = await truth(ledger, ["default"])
    for subscriber in subscribers:
        await subscriber.settled(found)
    return len(found.trades)


@pytest.mark.crash
async def test_a_thousand_stuck_subscribers_cost_the_others_nothing(tmp_path: Path) -> None:
    """A hundred healthy ones hear every fact, every write is answered, and memory stays within its bound."""
    limit = STUCK + HEALTHY
    with Sidecar(str(tmp_path / "lotkeeper.db"), settings={"max_streams": limit}) as sidecar:
        async with lotkeeper.aio.connect(sidecar.address) as ledger, healthy(sidecar.address) as subscribers:
            fills = count()
            await opened(ledger, SYMBOLS)
            await traded(ledger, fills, SYMBOLS)
            await settled(ledger, subscribers)
            before = resident(sidecar)
            with Silent(sidecar.address, CONNECTIONS, STUCK), dialed(sidecar.address, OWN_CONNECTION) as channel:
                for _ in range(ROUNDS):
                    await traded(ledger, fills, SYMBOLS)
                trades = await settled(ledger, subscribers)
                one_more = await asyncio.to_thread(
                    refused, lambda: next(LedgerServiceStub(channel).StreamPnL(ANY_STREAM))
                )
                assert f"{limit} streams are open" in one_more.message  # the stuck ones are still there
                growth = resident(sidecar) - before
            print(
                f"{STUCK} stuck: {before / MIB:.0f} MiB before, {growth / KIB / STUCK:.0f} KiB for each; {trades} trades"
            )
            assert growth < STUCK * MOST_BYTES_PER_STUCK
            await traded(ledger, fills, SYMBOLS)
            await settled(ledger, subscribers)


@pytest.mark.crash
def test_a_snapshot_that_is_read_late_shows_its_own_moment_and_nobody_else_does(tmp_path: Path) -> None:
    """Positions are encoded once for everybody, but not one that has changed while somebody still reads the old one."""
    with Sidecar(str(tmp_path / "lotkeeper.db")) as sidecar, dialed(sidecar.address, *silent.OPTIONS) as channel:
        asyncio.run(_much(sidecar.address, price=100))
        stub = LedgerServiceStub(channel)
        with following(stub, "default") as late:
            late.next()
            asyncio.run(_much(sidecar.address, price=101))
            late.snapshot()
            parts = [position for part in late.snapshots for position in part.snapshot.positions]
            assert [position.mark_price for position in parts] == ["100"] * MANY_SYMBOLS
            with following(stub, "default") as prompt:
                prompt.snapshot()
                assert {position.mark_price for position in prompt.positions.values()} == {"101"}
            late.quiet()
            assert late.positions == prompt.positions


def test_a_subscriber_that_never_reads_does_not_keep_the_server_from_ending(tmp_path: Path) -> None:
    """Nothing can be said to it, so it is cut off, long before the grace that calls which run are given is over."""
    # The grace is longer than Sidecar.stop waits: a server that waited for it would fail there.
    with Sidecar(str(tmp_path / "lotkeeper.db"), settings={"drain_seconds": 600}) as sidecar:
        asyncio.run(_much(sidecar.address))
        with Silent(sidecar.address, 1, 2):
            asyncio.run(_much(sidecar.address))
            assert sidecar.stop() == 0


async def _much(address: str, price: int = 100) -> None:
    """More to tell than a connection takes that nobody reads from."""
    async with lotkeeper.aio.connect(address) as ledger:
        await opened(ledger, MANY_SYMBOLS)
        for first in range(0, MANY_SYMBOLS, SYMBOLS):
            await ledger.set_marks(marks={f"S{symbol}": price for symbol in range(first, first + SYMBOLS)})


@pytest.mark.parametrize("own_file", [False, True], ids=["over TCP", "over a socket file"])
def test_one_caller_has_its_limit_and_others_have_theirs(tmp_path: Path, own_file: bool) -> None:
    """Where callers can be told apart: who calls over a socket file has no name, and no limit but that of all."""
    listen = f"unix:{tmp_path}/ledger.sock" if own_file else "127.0.0.1:0"
    with (
        Sidecar(str(tmp_path / "lotkeeper.db"), listen=listen) as sidecar,
        dialed(sidecar.address, OWN_CONNECTION) as greedy,
        dialed(sidecar.address, OWN_CONNECTION) as modest,
    ):
        calls = [LedgerServiceStub(greedy).StreamPnL(ANY_STREAM) for _ in range(CALLER_STREAMS)]
        assert {next(call).WhichOneof("event") for call in calls} == {"snapshot"}
        calls += [LedgerServiceStub(channel).StreamPnL(ANY_STREAM) for channel in (modest, greedy)]
        assert next(calls[-2]).WhichOneof("event") == "snapshot"
        if own_file:
            assert next(calls[-1]).WhichOneof("event") == "snapshot"
        else:
            refusal = refused(lambda: next(calls[-1]))
            assert (refusal.code, refusal.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_STREAMS")
            assert f"{CALLER_STREAMS} streams are open on this connection" in refusal.message
        for call in calls:
            call.cancel()
