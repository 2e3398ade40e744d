"""When the database is locked, slow, gone, or refuses: what callers are told, and that a retry is safe."""

from __future__ import annotations

from typing import Any

import grpc
import pytest

from lotkeeper.v1.ledger_service_pb2_grpc import LedgerServiceStub
from tests.contract import reading
from tests.contract.asking import close, entries, entry, fill, summary
from tests.contract.following import following
from tests.support.dialing import dialed
from tests.support.plain_sql import PlainSql
from tests.support.refusals import Refused, failed, refused
from tests.support.sidecar import Sidecar

Ledger = Any
"""The generated stub; gRPC writes no types for it."""

IMPATIENT = 0.2
"""Seconds of a deadline that passes while the database is held: shorter than the server waits for a lock."""

QUICK = 0.1
"""Seconds to a heartbeat where a test waits for one."""


def _unavailable(refusal: Refused) -> None:
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.UNAVAILABLE, "STORAGE_UNAVAILABLE")
    assert refusal.metadata == {}
    assert "retry with the same ids" in refusal.message


def test_a_locked_database_is_unavailable_and_the_retry_is_safe(
    ledger: Ledger, portfolio: str, symbol: str, sql: PlainSql
) -> None:
    """Somebody else holds it for long: writes are refused in the end, reads and streams go on; then the retry is taken."""
    head, records = ledger.CreateEntry(entry(portfolio, symbol)).sequence, sql.records()
    requests = [entry(portfolio, symbol), close(portfolio, symbol), fill(portfolio, symbol)]
    calls = [ledger.CreateEntry, ledger.CloseFifo, ledger.RecordFill]
    with sql.locked(), following(ledger, portfolio, heartbeat=QUICK) as follower:
        waiting = [call.future(request) for call, request in zip(calls, requests, strict=True)]
        follower.snapshot().quiet()
        for future in waiting:
            _unavailable(refused(future.result))
        assert ledger.GetSummary(summary(portfolio)).sequence == head
        assert len(ledger.ListEntries(entries(portfolio)).entries) == 1
        assert follower.quiet().updates == []
    assert (reading.head(ledger), sql.records()) == (head, records)
    answers = [call(request) for call, request in zip(calls, requests, strict=True)]
    assert [(answer.sequence - head, answer.replayed) for answer in answers] == [(1, False), (2, False), (3, False)]
    assert sql.records() == records + 3


def test_a_deadline_that_passes_during_the_commit_kills_nothing(
    ledger: Ledger, portfolio: str, symbol: str, sql: PlainSql
) -> None:
    """The caller is gone, the record is made; its retry finds it."""
    records, request = sql.records(), entry(portfolio, symbol)
    with sql.locked():
        assert failed(ledger.CreateEntry, request, timeout=IMPATIENT) is grpc.StatusCode.DEADLINE_EXCEEDED
        assert sql.records() == records
    answer = ledger.CreateEntry(request)
    assert answer.replayed
    assert sql.records() == records + 1
    assert len(reading.all_entries(ledger, portfolio)) == 1


@pytest.mark.parametrize("gone_by", ["deadline", "cancel"])
def test_callers_that_give_up_while_others_commit_find_one_record_each(
    ledger: Ledger, portfolio: str, symbol: str, sql: PlainSql, gone_by: str
) -> None:
    """One is in flight, 30 wait behind it, all give up: whatever became of each, its retry leaves exactly one record."""
    records, requests = sql.records(), [entry(portfolio, symbol, str(1 + n)) for n in range(31)]
    with sql.locked():
        timeout = IMPATIENT if gone_by == "deadline" else None
        waiting = [ledger.CreateEntry.future(request, timeout=timeout) for request in requests]
        reading.head(ledger)  # answered after all of them were taken
        for future in waiting:
            if gone_by == "cancel":
                future.cancel()
            else:
                assert failed(future.result) is grpc.StatusCode.DEADLINE_EXCEEDED
    answers = [ledger.CreateEntry(request) for request in requests]
    assert answers[0].replayed
    assert sql.records() == records + len(requests)
    assert sorted(lot.sequence for lot in reading.all_entries(ledger, portfolio)) == sorted(
        answer.sequence for answer in answers
    )


def test_a_poison_command_is_refused_alone(
    sidecar: Sidecar, ledger: Ledger, portfolio: str, symbol: str, sql: PlainSql
) -> None:
    """The database refuses one row of a batch: that command is INTERNAL, its neighbours of the same batch are recorded."""
    poison, batches = symbol + "poison", sidecar.stderr.count("a batch of 7")
    names = [symbol, symbol, poison, symbol, symbol + "b", poison, symbol]
    with sql.refusing("position_entries", f"NEW.symbol = '{poison}'"):
        with sql.locked():
            first = ledger.CreateEntry.future(entry(portfolio, symbol))
            reading.head(ledger)  # answered once the entry before it is on its way to the disk
            requests = [entry(portfolio, name) for name in names]
            waiting = [ledger.CreateEntry.future(request) for request in requests]
            reading.head(ledger)
        sequence = first.result().sequence
        for name, future in zip(names, waiting, strict=True):
            if name == poison:
                _internal(refused(future.result))
            else:
                sequence += 1
                assert (future.result().sequence, future.result().replayed) == (sequence, False)
        assert sidecar.stderr.count("a batch of 7") == batches + 1, "they were not in one batch"
    assert reading.head(ledger) == sequence
    assert {lot.symbol for lot in reading.all_entries(ledger, portfolio)} == {symbol, symbol + "b"}
    again = [ledger.CreateEntry(request) for request in requests]
    assert [answer.replayed for answer in again] == [name != poison for name in names]
    assert reading.position(ledger, portfolio, symbol).open_entry_count == 5


def _internal(refusal: Refused) -> None:
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.INTERNAL, "INTERNAL_ERROR")
    assert refusal.metadata == {}
    assert "refused by" not in refusal.message  # what the database said is for the log


def test_a_full_write_queue_says_when_to_come_again(database_url: str) -> None:
    """Five may wait behind the one in flight; the next is refused with RetryInfo; reads go on; the retry is taken."""
    with Sidecar(database_url, settings={"write_queue": 5}) as sidecar, dialed(sidecar.address) as channel:
        ledger = LedgerServiceStub(channel)
        requests = [entry("p", "S", request_id=f"r{n}") for n in range(9)]
        with PlainSql(database_url) as sql, sql.locked():
            waiting = [ledger.CreateEntry.future(requests[0])]
            reading.head(ledger)  # answered once the entry before it is on its way to the disk
            waiting += [ledger.CreateEntry.future(request) for request in requests[1:]]
            full = [refused(future.result) for future in waiting[6:]]
            assert reading.head(ledger) == 0
        for refusal in full:
            assert (refusal.code, refusal.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "WRITE_QUEUE_FULL")
            assert refusal.retry_after is not None
            assert 0 < refusal.retry_after <= 1
        assert [future.result().sequence for future in waiting[:6]] == [1, 2, 3, 4, 5, 6]
        assert [ledger.CreateEntry(request).sequence for request in requests] == list(range(1, 10))
