"""A disk that is full, a database that is damaged, gone, or taken over by another server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from lotkeeper.v1.ledger_service_pb2_grpc import LedgerServiceStub
from lotkeeper.v1.market_service_pb2_grpc import MarketServiceStub
from tests.contract import reading
from tests.contract.asking import close, entries, entry, fill, marks
from tests.contract.following import following
from tests.support.dialing import dialed
from tests.support.plain_sql import PlainSql
from tests.support.postgres import running_server
from tests.support.refusals import refused
from tests.support.sidecar import DidNotStart, Sidecar

Ledger = Any
"""The generated stub; gRPC writes no types for it."""

QUICK = 0.1
"""Seconds to a heartbeat where a test waits for one."""

DISK_FULL = "53100"
DATA_CORRUPTED = "XX001"
"""SQLSTATEs of PostgreSQL."""


def reads_and_streams_go_on(channel: grpc.Channel, sequence: int) -> None:
    """Positions, lists, marks and the stream, while nothing can be written."""
    ledger = LedgerServiceStub(channel)
    assert reading.head(ledger) == sequence
    assert len(ledger.ListEntries(entries("p")).entries) == sequence
    with following(ledger, "p", heartbeat=QUICK) as follower:
        follower.snapshot()
        assert MarketServiceStub(channel).SetMarks(marks(("S", "104"))).accepted_count == 1
        follower.until(lambda: follower.positions["p", "S"].unrealized_pnl == "4")


def health(channel: grpc.Channel) -> int:
    """What the server says of itself."""
    stub: Any = health_pb2_grpc.HealthStub(channel)
    return int(stub.Check(health_pb2.HealthCheckRequest()).status)


@contextmanager
def traded(database: str) -> Iterator[tuple[grpc.Channel, Ledger, PlainSql]]:
    """A sidecar of its own with one lot of S in the portfolio p, and plain SQL beside it."""
    with Sidecar(database) as sidecar, dialed(sidecar.address) as channel, PlainSql(database) as sql:
        ledger = LedgerServiceStub(channel)
        ledger.CreateEntry(entry("p", "S"))
        yield channel, ledger, sql


def test_a_full_disk_refuses_writes_alone(postgres_url: str) -> None:
    """RESOURCE_EXHAUSTED, DISK_FULL; reads and streams go on; with room again the same request is recorded."""
    with traded(postgres_url) as (channel, ledger, sql):
        request = fill("p", "T", fill_id="f")
        with sql.refusing("journal", "true", DISK_FULL):
            refusal = refused(ledger.RecordFill, request)
            assert (refusal.code, refusal.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "DISK_FULL")
            assert "free some space" in refusal.message
            reads_and_streams_go_on(channel, 1)
            assert health(channel) == health_pb2.HealthCheckResponse.SERVING
        answer = ledger.RecordFill(request)
        assert (answer.sequence, answer.replayed) == (2, False)


def test_a_commit_that_fails_is_unavailable_and_leaves_nothing_behind(postgres_url: str) -> None:
    """Its outcome is unknown to the server, which asks the disk: books, sequence and stream are as if it never was."""
    with traded(postgres_url) as (_, ledger, sql), following(ledger, "p") as follower:
        follower.snapshot()
        requests = [entry("p", "S"), close("p", "S"), fill("p", "T", fill_id="f")]
        calls = [ledger.CreateEntry, ledger.CloseFifo, ledger.RecordFill]
        with sql.refusing_commits():
            for call, request in zip(calls, requests, strict=True):
                refusal = refused(call, request)
                assert (refusal.code, refusal.reason) == (grpc.StatusCode.UNAVAILABLE, "STORAGE_UNAVAILABLE")
                assert reading.head(ledger) == sql.records() == 1
            assert reading.position(ledger, "p", "S").total_quantity == "1"
        answers = [call(request) for call, request in zip(calls, requests, strict=True)]
        assert [(answer.sequence, answer.replayed) for answer in answers] == [(2, False), (3, False), (4, False)]
        follower.reached(4)
    assert [lot.sequence for lot in follower.entries] == [2, 4]
    assert [trade.sequence for trade in follower.trades] == [3]
    assert follower.positions["p", "S"] == answers[1].position


def test_a_damaged_database_stops_writing_for_good(postgres_url: str) -> None:
    """DATA_LOSS, LEDGER_CORRUPT, now and ever after; reads and streams go on; health says NOT_SERVING."""
    with traded(postgres_url) as (channel, ledger, sql):
        with sql.refusing("journal", "true", DATA_CORRUPTED):
            refusal = refused(ledger.CreateEntry, entry("p", "T"))
            assert (refusal.code, refusal.reason) == (grpc.StatusCode.DATA_LOSS, "LEDGER_CORRUPT")
        for call, request in ((ledger.CreateEntry, entry("p", "T")), (ledger.CloseFifo, close("p", "S"))):
            refusal = refused(call, request)
            assert (refusal.code, refusal.reason) == (grpc.StatusCode.DATA_LOSS, "LEDGER_CORRUPT")
            assert "lotkeeper verify" in refusal.message
        reads_and_streams_go_on(channel, 1)
        assert health(channel) == health_pb2.HealthCheckResponse.NOT_SERVING


def test_a_second_server_on_the_same_database_fences_the_first(postgres_url: str) -> None:
    """The first says FENCED from then on and writes nothing; the second has everything and goes on."""
    with traded(postgres_url) as (channel, ledger, _), Sidecar(postgres_url) as second:
        request = entry("p", "T", request_id="r")
        for _ in range(2):
            refusal = refused(ledger.CreateEntry, request)
            assert (refusal.code, refusal.reason) == (grpc.StatusCode.UNAVAILABLE, "FENCED")
        reads_and_streams_go_on(channel, 1)
        assert health(channel) == health_pb2.HealthCheckResponse.NOT_SERVING
        with dialed(second.address) as other:
            answer = LedgerServiceStub(other).CreateEntry(request)
            assert (answer.sequence, answer.replayed) == (2, False)
            assert health(other) == health_pb2.HealthCheckResponse.SERVING


def test_a_second_server_on_the_same_file_does_not_start(tmp_path: Path) -> None:
    """It names the file and the process that has it; the first does not notice."""
    database = str(tmp_path / "lotkeeper.db")
    with Sidecar(database) as first, dialed(first.address) as channel:
        with pytest.raises(DidNotStart) as refusal, Sidecar(database):
            pass
        assert refusal.value.code == 1
        assert database in refusal.value.stderr
        assert str(first.pid) in refusal.value.stderr
        assert LedgerServiceStub(channel).CreateEntry(entry("p", "S")).sequence == 1


@pytest.mark.timeout(180)  # a PostgreSQL server of its own is made, crashed and recovered
def test_a_database_that_is_gone_is_unavailable_until_it_is_back() -> None:
    """It crashes under the sidecar: STORAGE_UNAVAILABLE, memory is still read; when it is back the retry is recorded."""
    with running_server() as server:
        database = server.create_database()
        with traded(database) as (channel, ledger, _):
            request = entry("p", "S", request_id="r")
            server.kill()
            for _ in range(2):
                refusal = refused(ledger.CreateEntry, request)
                assert (refusal.code, refusal.reason) == (grpc.StatusCode.UNAVAILABLE, "STORAGE_UNAVAILABLE")
            refusal = refused(ledger.ListEntries, entries("p"))
            assert (refusal.code, refusal.reason) == (grpc.StatusCode.UNAVAILABLE, "STORAGE_UNAVAILABLE")
            assert reading.position(ledger, "p", "S").total_quantity == "1"
            server.start()
            answer = ledger.CreateEntry(request)
            assert (answer.sequence, answer.position.total_quantity) == (2, "2")
            assert len(reading.all_entries(ledger, "p")) == 2
            assert health(channel) == health_pb2.HealthCheckResponse.SERVING
