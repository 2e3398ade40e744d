"""Both clients over real sockets: connections that break, servers that come late, streams that are left."""

import asyncio
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from itertools import count
from pathlib import Path

import grpc
import pytest

import lotkeeper
from lotkeeper import Disconnected, Snapshot, Update, errors
from lotkeeper.v1 import ledger_service_pb2
from tests.client.callers import CALLERS, LOT, Caller
from tests.client.samples import LEDGER_ID, closed_trade, entry, message, position, snapshot, update
from tests.client.scripted import LONGEST_WAIT, ScriptedLedger, breaks, ends, hangs, refuses, serving

ANY_PORT = "127.0.0.1:0"
ENTERED = ledger_service_pb2.CreateEntryResponse(entry=entry(), position=position(), sequence=1)

both = pytest.mark.parametrize("caller", CALLERS, ids=lambda caller: type(caller).__name__)


def kinds(events: list[lotkeeper.PnLEvent]) -> list[str]:
    """What the events are."""
    return [type(event).__name__ for event in events]


async def cancelled(task: "asyncio.Task[object]", ledger: ScriptedLedger) -> None:
    """Cancel ``task`` once its call has reached the server, and see that both sides know."""
    assert await asyncio.to_thread(ledger.called.wait, LONGEST_WAIT)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(ledger.over[0].wait, LONGEST_WAIT)


@both
def test_a_stream_survives_a_lost_connection(caller: Caller) -> None:
    """It says so, resumes after the last message, and brings each fact once."""
    ledger = ScriptedLedger(
        [
            ([snapshot(9, "A"), update(9, closed_trade(10, 0))], breaks),
            ([update(10, closed_trade(10, 0), closed_trade(10, 1)), snapshot(10, "A"), message(10)], hangs),
        ]
    )
    with serving(ledger, ANY_PORT) as address:
        events = caller.follow(address, 6, symbols=["A"])
    assert kinds(events) == ["Snapshot", "Update", "Disconnected", "Update", "Snapshot", "Heartbeat"]
    facts = [trade for event in events if isinstance(event, Update) for trade in event.closed_trades]
    assert [(trade.sequence, trade.index) for trade in facts] == [(10, 0), (10, 1)]
    lost = events[2]
    assert isinstance(lost, Disconnected)
    assert isinstance(lost.cause, errors.Unavailable)
    first, second = ledger.streams
    assert not first.HasField("after_sequence")
    assert (second.after_sequence, second.ledger_id, list(second.symbols)) == (9, LEDGER_ID, ["A"])


@both
def test_a_stream_survives_a_server_that_restarts(caller: Caller, tmp_path: Path) -> None:
    """At the same address, a moment later."""
    address = f"unix:{tmp_path}/ledger.sock"
    before = ScriptedLedger([([snapshot(1, "A")], hangs)])
    after = ScriptedLedger([([snapshot(1, "A"), message(1)], hangs)])
    came = threading.Event()
    with ThreadPoolExecutor() as pool:
        with serving(before, address):
            following = pool.submit(caller.follow, address, 4, told=lambda _: came.set())
            assert came.wait(LONGEST_WAIT)
        with serving(after, address):
            events = following.result(LONGEST_WAIT)
    assert kinds(events) == ["Snapshot", "Disconnected", "Snapshot", "Heartbeat"]
    assert after.streams[0].after_sequence == 1


@both
def test_a_stream_that_the_server_ends_is_connected_anew(caller: Caller) -> None:
    """A stream of P&L has no end of its own."""
    ledger = ScriptedLedger([([snapshot(1)], ends), ([message(1)], hangs)])
    with serving(ledger, ANY_PORT) as address:
        assert kinds(caller.follow(address, 3)) == ["Snapshot", "Disconnected", "Heartbeat"]


@both
def test_a_snapshot_that_broke_off_starts_again(caller: Caller) -> None:
    """Nothing was delivered, so nothing is resumed and nothing was lost."""
    ledger = ScriptedLedger([([snapshot(1, "A", more=True)], breaks), ([snapshot(2, "A")], hangs)])
    with serving(ledger, ANY_PORT) as address:
        (event,) = caller.follow(address, 1)
    assert isinstance(event, Snapshot)
    assert not ledger.streams[1].HasField("after_sequence")


@both
def test_a_connection_that_falls_silent_is_given_up(caller: Caller) -> None:
    """No heartbeat came, though the socket is still open."""
    ledger = ScriptedLedger([([snapshot(1)], hangs), ([message(1)], hangs)])
    with serving(ledger, ANY_PORT) as address:
        events = caller.follow(address, 3, heartbeat_interval=1)
        assert ledger.over[0].wait(LONGEST_WAIT)
    assert kinds(events) == ["Snapshot", "Disconnected", "Heartbeat"]
    lost = events[1]
    assert isinstance(lost, Disconnected)
    assert "not even a heartbeat for 3 s" in lost.cause.message


@both
def test_a_replaced_ledger_ends_the_stream(caller: Caller) -> None:
    """The facts delivered are not of its history."""
    replaced = refuses(grpc.StatusCode.FAILED_PRECONDITION, "LEDGER_REPLACED", ledger_id="other")
    ledger = ScriptedLedger([([snapshot(1)], breaks), ([], replaced)])
    with serving(ledger, ANY_PORT) as address, pytest.raises(errors.LedgerReplaced) as raised:
        caller.follow(address, 3)
    assert raised.value.metadata == {"ledger_id": "other"}


@both
def test_a_stream_that_is_left_is_cancelled(caller: Caller) -> None:
    """Or the server would go on sending to nobody."""
    ledger = ScriptedLedger([([snapshot(1)], hangs)])
    with serving(ledger, ANY_PORT) as address:
        caller.follow(address, 1)
        assert ledger.over[0].wait(LONGEST_WAIT)


def test_a_stream_that_fails_on_this_side_is_cancelled_on_the_other() -> None:
    """Also while somebody still looks at the exception, and the connection stays open."""
    ledger = ScriptedLedger([([snapshot(1), message(1, ledger_id="other")], hangs)])
    with serving(ledger, ANY_PORT) as address, lotkeeper.connect(address) as client:
        with pytest.raises(errors.LedgerReplaced) as raised:
            list(client.stream_pnl())
        assert ledger.over[0].wait(LONGEST_WAIT)
        assert raised.value.reason == "LEDGER_REPLACED"


def test_leaving_the_loop_is_enough() -> None:
    """Without closing the generator, and with the connection open."""
    ledger = ScriptedLedger([([snapshot(1)], hangs)])
    with serving(ledger, ANY_PORT) as address, lotkeeper.connect(address) as client:
        for event in client.stream_pnl():
            assert isinstance(event, Snapshot)
            break
        assert ledger.over[0].wait(LONGEST_WAIT)


async def test_leaving_the_asyncio_loop_is_enough() -> None:
    """Without closing the generator, and with the connection open."""
    ledger = ScriptedLedger([([snapshot(1)], hangs)])
    with serving(ledger, ANY_PORT) as address:
        async with lotkeeper.aio.connect(address) as client:
            async for event in client.stream_pnl():
                assert isinstance(event, Snapshot)
                break
            assert await asyncio.to_thread(ledger.over[0].wait, LONGEST_WAIT)


def test_closing_the_ledger_ends_a_stream_in_another_thread() -> None:
    """Quietly: that is what was asked for."""
    ledger = ScriptedLedger([([snapshot(1)], hangs)])
    came = threading.Event()

    def follow(client: lotkeeper.Ledger) -> int:
        seen = 0
        for _ in client.stream_pnl():
            seen += 1
            came.set()
        return seen

    with serving(ledger, ANY_PORT) as address, ThreadPoolExecutor() as pool:
        client = lotkeeper.connect(address)
        following = pool.submit(follow, client)
        assert came.wait(LONGEST_WAIT)
        client.close()
        assert following.result(LONGEST_WAIT) == 1


async def test_closing_the_ledger_ends_a_stream_in_another_task() -> None:
    """Quietly, and not as if the task had been cancelled."""
    came = asyncio.Event()

    async def follow(client: lotkeeper.aio.AsyncLedger) -> int:
        seen = 0
        async for _ in client.stream_pnl():
            seen += 1
            came.set()
        return seen

    with serving(ScriptedLedger([([snapshot(1)], hangs)]), ANY_PORT) as address:
        client = lotkeeper.aio.connect(address)
        following = asyncio.create_task(follow(client))
        await came.wait()
        await client.close()
        assert await following == 1


async def test_closing_the_ledger_fails_a_call_in_another_task() -> None:
    """As a call that was cancelled, and not as if the task had been."""
    ledger = ScriptedLedger(answers=[hangs])
    with serving(ledger, ANY_PORT) as address:
        client = lotkeeper.aio.connect(address)
        entering = asyncio.create_task(client.create_entry(**LOT))
        await asyncio.to_thread(ledger.called.wait, LONGEST_WAIT)
        await client.close()
        with pytest.raises(lotkeeper.LotkeeperError, match="the ledger was closed"):
            await entering


async def test_cancelling_a_task_cancels_its_write() -> None:
    """The task is told so, and the server too."""
    ledger = ScriptedLedger(answers=[hangs])
    with serving(ledger, ANY_PORT) as address:
        async with lotkeeper.aio.connect(address) as client:
            await cancelled(asyncio.create_task(client.create_entry(**LOT)), ledger)


async def test_cancelling_a_task_cancels_its_stream() -> None:
    """The task is told so, and the server too."""
    ledger = ScriptedLedger([([snapshot(1)], hangs)])

    async def follow(client: lotkeeper.aio.AsyncLedger) -> None:
        async with aclosing(client.stream_pnl()) as stream:
            async for _ in stream:
                pass

    with serving(ledger, ANY_PORT) as address:
        async with lotkeeper.aio.connect(address) as client:
            await cancelled(asyncio.create_task(follow(client)), ledger)


@both
def test_a_write_waits_for_a_server_that_comes_late(caller: Caller, tmp_path: Path) -> None:
    """It is sent once there is somebody to send it to."""
    address = f"unix:{tmp_path}/ledger.sock"
    ledger = ScriptedLedger(answers=[ENTERED])
    with ThreadPoolExecutor() as pool:
        entering = pool.submit(caller.enter, address, timeout=LONGEST_WAIT)
        with pytest.raises(TimeoutError):
            entering.result(0.3)
        with serving(ledger, address):
            assert entering.result(LONGEST_WAIT).sequence == 1
    assert len(ledger.requests) == 1


@both
def test_a_write_is_sent_again_when_the_answer_was_lost(caller: Caller) -> None:
    """With the same ids, so that it counts once."""
    ledger = ScriptedLedger(answers=[breaks, refuses(grpc.StatusCode.UNAVAILABLE, "FENCED"), ENTERED])
    with serving(ledger, ANY_PORT) as address:
        assert caller.enter(address, timeout=LONGEST_WAIT).sequence == 1
    assert len(ledger.requests) == 3
    assert {each.entry_fill_id for each in ledger.requests} == {"f1"}


@both
def test_a_refusal_crosses_the_wire_whole(caller: Caller) -> None:
    """Code, reason, words and metadata; and it is not sent again."""
    conflict = refuses(grpc.StatusCode.ALREADY_EXISTS, "FILL_CONFLICT", field="price", entry_id="e1")
    ledger = ScriptedLedger(answers=[conflict])
    with (
        serving(ledger, ANY_PORT) as address,
        pytest.raises(errors.FillConflict, match="refused by the test") as raised,
    ):
        caller.enter(address)
    assert raised.value.code is grpc.StatusCode.ALREADY_EXISTS
    assert raised.value.metadata == {"field": "price", "entry_id": "e1"}
    assert len(ledger.requests) == 1


@both
def test_a_server_that_does_not_answer_costs_the_timeout(caller: Caller) -> None:
    """The caller is told that the write may have been recorded."""
    late = pytest.raises(errors.DeadlineExceeded, match=r"CreateEntry: no answer from 127\.0\.0\.1:\d+ within 0\.3 s")
    with serving(ScriptedLedger(answers=[hangs]), ANY_PORT) as address, late:
        caller.enter(address, timeout=0.3)


@both
def test_a_server_that_is_not_there_is_named(caller: Caller, tmp_path: Path) -> None:
    """Most often it was not started."""
    with pytest.raises(errors.DeadlineExceeded, match=r"nobody\.sock within 0\.3 s.*see whether the server runs"):
        caller.enter(f"unix:{tmp_path}/nobody.sock", timeout=0.3)


def test_an_asyncio_connection_belongs_to_a_running_loop() -> None:
    """Made outside of one it would hang in another."""
    with pytest.raises(RuntimeError, match="no running event loop"):
        lotkeeper.aio.connect("127.0.0.1:1")


def test_a_stream_nobody_reads_holds_back_its_server() -> None:
    """What lags behind stays with the server, which can fold it; only some hundred kilobytes are on their way."""
    sent = 0

    def endless() -> Iterator[ledger_service_pb2.StreamPnLResponse]:
        nonlocal sent
        for sequence in count(1):
            sent = sequence
            yield snapshot(sequence, "A")

    with serving(ScriptedLedger([(endless(), hangs)]), ANY_PORT) as address, lotkeeper.connect(address) as client:
        stream = client.stream_pnl()
        # Enough of them first that gRPC would widen its window if it were allowed to.
        read = [next(stream).sequence for _ in range(2_000)]
        before = -1
        while sent != before:
            before = sent
            time.sleep(0.2)
        stream.close()
    assert sent - len(read) < 5_000
