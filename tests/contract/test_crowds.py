"""More calls at once than gRPC takes by itself: each is answered by the ledger, none is dropped without a reason."""

from __future__ import annotations

import signal
from collections import Counter
from typing import Any

import grpc

from lotkeeper.v1.ledger_service_pb2_grpc import LedgerServiceStub
from tests.contract import reading
from tests.contract.asking import close, entry, trades
from tests.contract.following import following
from tests.support.dialing import OWN_CONNECTION, dialed
from tests.support.refusals import refused
from tests.support.sidecar import Sidecar

Ledger = Any
"""The generated stub; gRPC writes no types for it."""

CROWD = 3000
"""gRPC drops calls from 1,000 on that wait to be taken, unless it is told otherwise."""

QUEUE = 50


def test_three_thousand_calls_at_once_are_all_answered(ledger: Ledger, portfolio: str, symbol: str) -> None:
    """On one connection, before the first answer is read: every one is recorded."""
    futures = [ledger.CreateEntry.future(entry(portfolio, symbol)) for _ in range(CROWD)]
    sequences = {future.result().sequence for future in futures}
    assert len(sequences) == CROWD
    assert reading.position(ledger, portfolio, symbol).open_entry_count == CROWD


def test_a_crowd_at_a_small_queue_is_told_to_come_again(database_url: str) -> None:
    """Recorded or WRITE_QUEUE_FULL, nothing else; exactly what was acknowledged is there; every retry is taken."""
    with Sidecar(database_url, settings={"write_queue": QUEUE}) as sidecar, dialed(sidecar.address) as channel:
        ledger = LedgerServiceStub(channel)
        requests = [entry("p", "S") for _ in range(CROWD // 2)]
        futures = [ledger.CreateEntry.future(request) for request in requests]
        became = Counter(refused(future.result).reason if future.exception() else "recorded" for future in futures)
        assert became.keys() <= {"recorded", "WRITE_QUEUE_FULL"}
        assert reading.head(ledger) == became["recorded"]
        refusals = [request for request, future in zip(requests, futures, strict=True) if future.exception()]
        for start in range(0, len(refusals), QUEUE):
            again = [ledger.CreateEntry.future(request) for request in refusals[start : start + QUEUE]]
            assert not any(future.result().replayed for future in again)
        assert reading.head(ledger) == len(requests)


def test_a_crowd_at_a_server_that_shuts_down_is_told_so(database_url: str) -> None:
    """Recorded or UNAVAILABLE, which is a reason to try again: after the next start the retries leave one record each."""
    with Sidecar(database_url) as sidecar, dialed(sidecar.address, OWN_CONNECTION) as channel:
        ledger = LedgerServiceStub(channel)
        requests = [entry("p", "S") for _ in range(300)]
        futures = [ledger.CreateEntry.future(request) for request in requests]
        assert futures[0].result().sequence
        sidecar.signal(signal.SIGTERM)
        codes = {future.exception().code() for future in futures if future.exception()}
        assert codes <= {grpc.StatusCode.UNAVAILABLE}
        assert sidecar.wait() == 0
        sidecar.restart()
        answers = [ledger.CreateEntry(request, wait_for_ready=True) for request in requests]
        assert [answer.replayed for answer in answers] == [future.exception() is None for future in futures]
        assert reading.head(ledger) == len(requests)


def test_reads_that_are_given_up_leave_room_for_others(
    sidecar: Sidecar, ledger: Ledger, portfolio: str, symbol: str
) -> None:
    """100 lists and 40 resumed streams are cancelled on their way; the few connections for reads are free afterwards."""
    futures = [ledger.CreateEntry.future(entry(portfolio, symbol, labels={"n": "x" * 200})) for _ in range(1500)]
    assert all(future.result() for future in futures)
    ledger.CloseFifo(close(portfolio, symbol, close_all=True))
    for number in range(100):
        request = trades(portfolio, page_size=1000, labels={"n": "none"} if number % 2 else {})
        future = ledger.ListClosedTrades.future(request)
        if number % 5 == 0:
            reading.head(ledger)  # by now it is under way
        future.cancel()
    resume: dict[str, Any] = {"after_sequence": 0, "ledger_id": sidecar.ledger_id}
    for number in range(40):
        with following(ledger, portfolio, **resume) as follower:
            follower.until(lambda n=number, f=follower: len(f.messages) >= n % 3)  # type: ignore[misc]
    assert len(reading.all_trades(ledger, portfolio)) == 1500
