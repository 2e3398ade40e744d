"""How a StreamPnL ends: by its caller, by the limit of streams, by a server that shuts down."""

from __future__ import annotations

import signal
from contextlib import ExitStack
from typing import Any

import grpc
import pytest

from lotkeeper.v1 import ledger_service_pb2
from lotkeeper.v1.ledger_service_pb2_grpc import LedgerServiceStub
from tests.contract import reading
from tests.contract.asking import entry
from tests.contract.following import following
from tests.support.dialing import OWN_CONNECTION, dialed
from tests.support.plain_sql import PlainSql
from tests.support.refusals import failed, refused
from tests.support.sidecar import Sidecar

Ledger = Any
"""The generated stub; gRPC writes no types for it."""

ANY_STREAM = ledger_service_pb2.StreamPnLRequest(portfolio_ids=["p"])


def test_no_more_streams_than_are_allowed(database_url: str) -> None:
    """The third of two is refused; once one has ended there is room again."""
    with Sidecar(database_url, settings={"max_streams": 2}) as sidecar, dialed(sidecar.address) as channel:
        ledger = LedgerServiceStub(channel)
        with ExitStack() as streams:
            for portfolio in ("p", "q"):
                streams.enter_context(following(ledger, portfolio)).snapshot()
            refusal = refused(lambda: next(ledger.StreamPnL(ANY_STREAM)))
            assert (refusal.code, refusal.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_STREAMS")
            assert "2 streams are open" in refusal.message
            assert ledger.CreateEntry(entry("p", "S")).sequence == 1
        assert _opened_again(ledger).portfolio_id == "p"


def _opened_again(ledger: Ledger) -> Any:
    """The totals of a stream that found room, however long the server took to learn that the others are gone."""
    while True:
        call = ledger.StreamPnL(ANY_STREAM)
        try:
            return next(call).snapshot.totals[0]
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.RESOURCE_EXHAUSTED:
                raise
        finally:
            call.cancel()


@pytest.mark.parametrize("interval", [None, 3600.0], ids=["waiting for news", "waiting for its interval"])
def test_a_server_that_shuts_down_ends_its_streams_at_once(database_url: str, interval: float | None) -> None:
    """UNAVAILABLE, SERVER_DRAINING, long before the grace that running calls get; the process ends with 0."""
    # The grace is longer than Sidecar.stop waits: a server that waited for its streams would fail there.
    with Sidecar(database_url, settings={"drain_seconds": 600}) as sidecar, dialed(sidecar.address) as channel:
        ledger = LedgerServiceStub(channel)
        ledger.CreateEntry(entry("p", "S"))
        with following(ledger, "p", interval=interval, heartbeat=3600.0) as follower:
            follower.snapshot()
            ledger.CreateEntry(entry("p", "S"))
            sidecar.signal(signal.SIGTERM)
            refusal = refused(follower.until, lambda: False)
        assert (refusal.code, refusal.reason) == (grpc.StatusCode.UNAVAILABLE, "SERVER_DRAINING")
        assert sidecar.wait() == 0


def test_a_write_that_was_taken_is_carried_through_when_the_server_shuts_down(database_url: str) -> None:
    """It waits for the database while the signal comes: it is written, answered, and there after the next start."""
    with Sidecar(database_url) as sidecar, dialed(sidecar.address, OWN_CONNECTION) as channel:
        ledger = LedgerServiceStub(channel)
        with PlainSql(database_url) as sql, following(ledger, "p") as follower:
            follower.snapshot()
            with sql.locked():
                waiting = ledger.CreateEntry.future(entry("p", "S", request_id="r"))
                reading.head(ledger)  # answered after the entry was taken
                sidecar.signal(signal.SIGTERM)
                assert refused(follower.until, lambda: False).reason == "SERVER_DRAINING"
            assert waiting.result().sequence == 1
        assert sidecar.wait() == 0
        sidecar.restart()
        assert ledger.CreateEntry(entry("p", "S", request_id="r"), wait_for_ready=True).replayed


def test_a_caller_that_goes_away_leaves_nothing_behind(ledger: Ledger, portfolio: str, symbol: str) -> None:
    """200 streams opened and cancelled, some before their first message; the server serves on."""
    for number in range(200):
        call = ledger.StreamPnL(ledger_service_pb2.StreamPnLRequest(portfolio_ids=[portfolio]), timeout=30)
        if number % 2:
            assert next(call).WhichOneof("event") == "snapshot"
        call.cancel()
    assert ledger.CreateEntry(entry(portfolio, symbol)).sequence


def test_a_stream_ends_with_its_deadline(ledger: Ledger, portfolio: str) -> None:
    """Whatever it waits for."""
    call = ledger.StreamPnL(ledger_service_pb2.StreamPnLRequest(portfolio_ids=[portfolio]), timeout=0.3)
    assert failed(lambda: list(call)) is grpc.StatusCode.DEADLINE_EXCEEDED
