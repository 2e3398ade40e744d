"""How a RecordFills stream ends: by a message, by the server, by its caller; and that nothing after the end is written."""

from __future__ import annotations

import itertools
import signal
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from lotkeeper.v1 import ledger_pb2, ledger_service_pb2
from lotkeeper.v1.ledger_service_pb2_grpc import LedgerServiceStub
from tests.contract import reading
from tests.contract.asking import BUY, SELL, entry, fill
from tests.contract.recording import Recorder, execution, message, recorded, recording
from tests.support.dialing import OWN_CONNECTION, dialed
from tests.support.plain_sql import PlainSql
from tests.support.refusals import Refused, refused
from tests.support.sidecar import Sidecar
from tests.support.waiting import eventually

Ledger = Any
"""The generated stub; gRPC writes no types for it."""

Request = ledger_service_pb2.RecordFillsRequest


def ended(recorder: Recorder) -> Refused:
    """Why the stream ends with its next answer."""
    return refused(next, recorder.call)


def one_by_one(portfolio: str, symbol: str, count: int) -> list[Request]:
    """So many messages of a single fill: bought, sold, bought, and so on, one more each time."""
    return [
        message(portfolio, execution(symbol, f"f{n}", str(n + 1), side=SELL if n % 2 else BUY)) for n in range(count)
    ]


def numbered(results: list[ledger_service_pb2.FillResult]) -> list[tuple[str, bool]]:
    """The fills of one answer, and whether each was there before."""
    return [(result.fill_id, result.replayed) for result in results]


# By a message that breaks a rule of messages.


def broken_messages(portfolio: str, symbol: str) -> Iterator[tuple[Request, list[str]]]:
    """Messages, and the places that are wrong with them."""
    fills = [execution(symbol, f"g{n}") for n in range(1001)]
    nameless = [execution(symbol, "" if n in (1, 3) else f"h{n}") for n in range(5)]
    yield message(portfolio, *fills), ["fills"]
    yield message(portfolio, *nameless), ["fills[1].fill_id", "fills[3].fill_id"]
    yield message("p\x07", execution(symbol, "i")), ["portfolio_id"]
    yield message(portfolio, execution(symbol, "j"), excess_policy=9), ["excess_policy"]


@pytest.mark.parametrize("which", range(4), ids=["1001 fills", "no fill_id", "portfolio_id", "excess_policy"])
def test_a_message_that_breaks_a_rule_ends_the_stream_after_the_answers_before_it(
    ledger: Ledger, portfolio: str, symbol: str, which: int
) -> None:
    """INVALID_ARGUMENT with every place; nothing of it and nothing after it is written."""
    bad, places = list(broken_messages(portfolio, symbol))[which]
    messages = [message(portfolio, execution(symbol, "a")), bad, message(portfolio, execution(symbol, "b"))]
    with recording(ledger, messages) as recorder:
        assert numbered(recorder.results()) == [("a", False)]
        refusal = ended(recorder)
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_VIOLATION")
    assert refusal.fields == places
    assert [lot.entry_fill_id for lot in reading.all_entries(ledger, portfolio)] == ["a"]


def test_a_thousand_fills_are_taken(ledger: Ledger, portfolio: str, symbol: str) -> None:
    """And no message has to be smaller."""
    (results,) = recorded(ledger, message(portfolio, *(execution(symbol, f"f{n}") for n in range(1000))))
    assert [result.fill_id for result in results] == [f"f{n}" for n in range(1000)]
    assert reading.position(ledger, portfolio, symbol).total_quantity == "1000"


def test_bytes_that_are_no_message_end_the_stream(channel: grpc.Channel) -> None:
    """INVALID_ARGUMENT, and not INTERNAL."""
    call: Any = channel.stream_stream("/lotkeeper.v1.LedgerService/RecordFills")
    refusal = refused(next, call(iter([b"\xff\xff"])))
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_VIOLATION")


# By the server.


def test_a_database_that_is_locked_ends_the_stream_and_nothing_after_it_is_written(
    ledger: Ledger, portfolio: str, symbol: str, sql: PlainSql
) -> None:
    """What follows was sent for a book that the lost message made; sent again from there, all of it is recorded in order."""
    messages = one_by_one(portfolio, symbol, 6)
    with recording(ledger, messages[:1]) as recorder:
        recorder.results()
        records = sql.records()
        with sql.locked():
            recorder.send(*messages[1:])
            refusal = ended(recorder)
        assert (refusal.code, refusal.reason) == (grpc.StatusCode.UNAVAILABLE, "STORAGE_UNAVAILABLE")
    assert not ledger.RecordFill(fill(portfolio, symbol + "x")).replayed  # written after whatever was still queued
    assert sql.records() == records + 1
    answers = recorded(ledger, *messages)
    assert [numbered(results) for results in answers] == [[(f"f{n}", n == 0)] for n in range(6)]
    assert reading.position(ledger, portfolio, symbol).total_quantity == "3"


def test_a_row_that_the_database_refuses_is_internal_for_its_fill_alone(
    ledger: Ledger, portfolio: str, symbol: str, sql: PlainSql
) -> None:
    """Its neighbours in the message are recorded, and the stream goes on."""
    poison = symbol + "x"
    with sql.refusing("journal", f"NEW.symbol = '{poison}'"), recording(ledger) as recorder:
        fills = [execution(symbol, "a"), execution(poison, "b"), execution(symbol, "c")]
        recorder.send(message(portfolio, *fills), message(portfolio, execution(symbol, "d")))
        results = recorder.results()
        assert [result.sequence > 0 for result in results] == [True, False, True]
        assert "internal error" in results[1].message
        assert numbered(recorder.results()) == [("d", False)]
    assert numbered(*recorded(ledger, message(portfolio, *fills))) == [("a", True), ("b", False), ("c", True)]


def test_a_stream_waits_for_its_own_messages_and_is_refused_for_those_of_others(sqlite_url: str) -> None:
    """The write queue counts fills. A stream alone is never refused; beside one that filled the queue it is told when to retry.

    The queue stands before the database, so one of them will do: the other gives a lock up sooner than this test is done.
    """
    with (
        Sidecar(sqlite_url, settings={"write_queue": 10}) as sidecar,
        dialed(sidecar.address, OWN_CONNECTION) as channel,
        PlainSql(sqlite_url) as sql,
    ):
        ledger = LedgerServiceStub(channel)
        sizes = [message("p", *(execution("S", f"f{n}-{m}") for m in range(9))) for n in range(8)]
        assert sum(len(results) for results in recorded(ledger, *sizes)) == 72
        with sql.locked(), recording(ledger) as filling, recording(ledger) as late:
            filling.send(*(message("p", *(execution("S", f"g{n}-{m}") for m in range(20))) for n in range(2)))
            eventually(lambda: full(ledger))
            late.send(message("p", execution("S", "late")))
            refusal = ended(late)
        assert (refusal.code, refusal.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "WRITE_QUEUE_FULL")
        assert refusal.retry_after
        eventually(lambda: not full(ledger))
        assert numbered(*recorded(ledger, message("p", execution("S", "late")))) == [("late", False)]


_numbers = itertools.count(1)


def full(ledger: Ledger) -> bool:
    """Whether another command is refused for a full queue."""
    waiting = ledger.CreateEntry.future(entry("q", "T", request_id=f"r{next(_numbers)}"), timeout=0.2)
    error = waiting.exception()
    return error is not None and error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_a_server_that_shuts_down_answers_what_it_has_and_ends_the_stream(tmp_path: Path) -> None:
    """UNAVAILABLE, SERVER_DRAINING, long before the grace that running calls get, though the caller would go on."""
    with Sidecar(str(tmp_path / "lotkeeper.db"), settings={"drain_seconds": 600}) as sidecar:
        with dialed(sidecar.address) as channel, recording(LedgerServiceStub(channel)) as recorder:
            recorder.send(message("p", execution("S", "a")))
            assert numbered(recorder.results()) == [("a", False)]
            sidecar.signal(signal.SIGTERM)
            refusal = ended(recorder)
        assert (refusal.code, refusal.reason) == (grpc.StatusCode.UNAVAILABLE, "SERVER_DRAINING")
        assert sidecar.wait() == 0


# By its caller.


def test_a_caller_that_is_gone_leaves_a_beginning_and_no_gap(
    ledger: Ledger, portfolio: str, symbol: str, sql: PlainSql
) -> None:
    """Cut while one message is being written and others wait: whatever was written is all up to some message."""
    messages = one_by_one(portfolio, symbol, 8)
    with sql.locked(), recording(ledger, messages) as recorder:
        eventually(lambda: recorder.sent >= 2)
        reading.head(ledger)  # answered after what was sent before it on the same connection was read
        recorder.cut()
    answers = recorded(ledger, *messages)
    replayed = [result.replayed for results in answers for result in results]
    assert replayed == sorted(replayed, reverse=True)
    assert not replayed[-1]
    assert [trade.exit_fill_id for trade in reading.all_trades(ledger, portfolio)] == [f"f{n}" for n in range(1, 8)]


STILL = 20
"""Looks in a row without a change, after which nothing moves any more."""

BULKY = 300
"""Messages of 200 kB with answers of 300 kB: more than a server's window, which widens as it goes, and both ends' buffers."""


def still(seen: deque[int], now: int) -> bool:
    """Note ``now``; whether it was the same for as many looks as ``seen`` holds, and not nothing."""
    seen.append(now)
    return now > 0 and len(seen) == seen.maxlen and len(set(seen)) == 1


NARROW = ("grpc.http2.bdp_probe", 0)
"""A connection that does not widen its window as it goes, and so takes up 64 KiB and no more."""


def test_a_caller_that_does_not_read_its_answers_is_not_read_from(sidecar: Sidecar, portfolio: str) -> None:
    """The server reads ahead by a few messages and no further; once the answers are read everything is answered."""
    fills = [execution("", f"f{n}", "x" * 60, "x" * 60, fee="x" * 60) for n in range(1000)]
    messages = [message(portfolio, *fills)] * BULKY
    with (
        dialed(sidecar.address, OWN_CONNECTION, NARROW) as channel,
        recording(LedgerServiceStub(channel), messages) as recorder,
    ):
        seen: deque[int] = deque(maxlen=STILL)
        eventually(lambda: still(seen, recorder.sent))
        assert 0 < recorder.sent < BULKY / 2
        assert [len(results) for results in recorder.rest()] == [len(fills)] * BULKY


def test_the_rules_of_a_fill_are_those_of_record_fill(ledger: Ledger, portfolio: str, symbol: str) -> None:
    """Each broken execution is refused by both, in the same words but for the place."""
    broken = [
        ledger_pb2.Fill(fill_id="a"),
        execution(symbol, "b", "1" * 21),
        execution(symbol, "c", price="-1"),
        execution(symbol, "d", side=0),
        execution(symbol, "e", order_id="o" * 129),
        execution(symbol, "f", position_side=ledger_pb2.POSITION_SIDE_LONG),
        execution(symbol, "g", fee="1_000"),
    ]
    (results,) = recorded(ledger, message(portfolio, *broken))
    for each, result in zip(broken, results, strict=True):
        request = ledger_service_pb2.RecordFillRequest(portfolio_id=portfolio, fill=each)
        violations = refused(ledger.RecordFill, request).violations
        words = "; ".join(f"{field.removeprefix('fill.')}: {description}" for field, description in violations)
        assert result.message == words[:400]
