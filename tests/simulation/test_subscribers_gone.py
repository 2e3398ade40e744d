"""Streams that are opened and cancelled, and streams whose process is killed, leave nothing behind in the server.

Problem: gRPC holds memory outside of Python for every call, and keeps it when a handler swallows its own cancellation; no counter
of ours shows that. Therefore the resident memory of the server is read after some thousand streams and after many thousand. A
limit of streams that is far below their number shows at the same time that each of them was forgotten.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import grpc
import grpc.aio
import psutil
import pytest

import lotkeeper
from lotkeeper.channel import OPTIONS
from lotkeeper.v1 import ledger_service_pb2
from lotkeeper.v1.ledger_service_pb2_grpc import LedgerServiceStub
from tests.support.sidecar import Sidecar
from tests.support.silent import Silent

FEW, MANY = 2_000, 10_000
AT_ONCE = 20
KILLS, WARM_UP_KILLS = 12, 2
KILLED_STREAMS, KILLED_CONNECTIONS = 100, 4
MAX_STREAMS = 400
MIB = 1 << 20

MOST_BYTES_LEFT = 8 * MIB
"""By which memory may have grown in between: 1 KiB for each of 8,000 streams, less than the smallest thing a call holds."""

ANY_STREAM = ledger_service_pb2.StreamPnLRequest()


@pytest.fixture
def sidecar(tmp_path: Path) -> Iterator[Sidecar]:
    """A ledger with something to tell, and room for few streams."""
    settings = {"max_streams": MAX_STREAMS, "max_streams_per_caller": MAX_STREAMS}
    with Sidecar(str(tmp_path / "lotkeeper.db"), settings=settings) as running:
        with lotkeeper.connect(running.address) as ledger:
            for number in range(100):
                ledger.create_entry(symbol=f"S{number}", quantity=1, entry_price=100, entry_fill_id=f"f{number}")
        yield running


def resident(sidecar: Sidecar) -> int:
    """Bytes of memory that the server holds."""
    return int(psutil.Process(sidecar.pid).memory_info().rss)


def assert_flat(what: str, before: int, after: int) -> None:
    """Print what it was, and hold it against the bound."""
    print(f"{what}: {before / MIB:.1f} MiB, then {after / MIB:.1f} MiB")
    assert after - before < MOST_BYTES_LEFT


class Visitors:
    """Open streams and cancel them at every stage a stream can be in."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._ledger = LedgerServiceStub(channel)
        self._numbers = count()

    async def visit(self, until: int) -> None:
        """So many in all, some at a time."""
        await asyncio.gather(*(self._one_after_another(until) for _ in range(AT_ONCE)))

    async def _one_after_another(self, until: int) -> None:
        while (number := next(self._numbers)) < until:
            call = self._ledger.StreamPnL(ANY_STREAM)
            if number % 4:  # the others are gone before they are answered
                assert await call.read()
            call.cancel()

    async def room(self, streams: int) -> None:
        """Until the server has room for so many: it has then forgotten all the others."""
        calls = [await self._let_in() for _ in range(streams)]
        for call in calls:
            call.cancel()

    async def _let_in(self) -> grpc.aio.UnaryStreamCall[object, object]:
        while True:
            call: grpc.aio.UnaryStreamCall[object, object] = self._ledger.StreamPnL(ANY_STREAM)
            try:
                await call.read()
            except grpc.aio.AioRpcError as error:
                if error.code() is not grpc.StatusCode.RESOURCE_EXHAUSTED:
                    raise  # otherwise it is still learning that others are gone
            else:
                return call


async def test_ten_thousand_streams_that_were_cancelled_leave_no_memory_behind(sidecar: Sidecar) -> None:
    """After 2,000 the server holds what it holds after 10,000."""
    async with grpc.aio.insecure_channel(sidecar.address, options=OPTIONS) as channel:
        visitors = Visitors(channel)
        await visitors.visit(FEW)
        await visitors.room(MAX_STREAMS)
        before = resident(sidecar)
        await visitors.visit(MANY)
        await visitors.room(MAX_STREAMS)
        assert_flat(f"after {FEW:,} and {MANY:,} streams", before, resident(sidecar))


@pytest.mark.crash
async def test_streams_whose_process_was_killed_leave_no_memory_behind(sidecar: Sidecar) -> None:
    """Nobody read from them and nobody cancelled them: the server learns it from the connection alone."""
    async with grpc.aio.insecure_channel(sidecar.address, options=OPTIONS) as channel:
        visitors = Visitors(channel)
        before = 0
        for kill in range(KILLS):
            with Silent(sidecar.address, KILLED_CONNECTIONS, KILLED_STREAMS) as silent:
                silent.kill()
            await visitors.room(MAX_STREAMS)
            before = before if kill >= WARM_UP_KILLS else resident(sidecar)
        killed = f"after {WARM_UP_KILLS * KILLED_STREAMS:,} and {KILLS * KILLED_STREAMS:,} streams of killed processes"
        assert_flat(killed, before, resident(sidecar))
