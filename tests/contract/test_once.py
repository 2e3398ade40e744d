"""Law 8: a fill is recorded once, whoever sends it and however often; a refusal uses up no key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from lotkeeper.v1.ledger_service_pb2_grpc import LedgerServiceStub
from tests.contract import reading
from tests.contract.asking import (
    NOON,
    REVERSE,
    SELL,
    SHORT,
    close,
    entry,
    fill,
    fresh,
    stamp,
)
from tests.support.dialing import OWN_CONNECTION, dialed
from tests.support.plain_sql import PlainSql
from tests.support.refusals import refused
from tests.support.sidecar import Sidecar

Ledger = Any
"""The generated stub; gRPC writes no types for it."""

Answer = Any
CALLERS = 50


def without_replayed(answer: Answer) -> Answer:
    """An answer without the one field in which a replay differs."""
    copy = type(answer)()
    copy.CopyFrom(answer)
    copy.ClearField("replayed")
    return copy


def is_replay(answer: Answer, first: Answer) -> None:
    """The same answer once more, marked."""
    assert (first.replayed, answer.replayed) == (False, True)
    assert without_replayed(answer) == without_replayed(first)


def opened(ledger: Ledger, portfolio: str, symbol: str, quantity: str = "5") -> None:
    """Something to close."""
    ledger.CreateEntry(entry(portfolio, symbol, quantity, entry_time=stamp(NOON)))


WRITES = [
    pytest.param("CreateEntry", entry, "entry_fill_id", id="CreateEntry"),
    pytest.param("CloseFifo", close, "exit_fill_id", id="CloseFifo"),
    pytest.param("RecordFill", fill, "fill_id", id="RecordFill"),
]
Make = Callable[..., Any]

# Replays.


@pytest.mark.parametrize(("method", "make", "fill_id"), WRITES)
@pytest.mark.parametrize("key", ["request_id", "fill id", "both"])
def test_the_same_request_twice_is_answered_twice_and_recorded_once(
    ledger: Ledger, portfolio: str, symbol: str, method: str, make: Make, fill_id: str, key: str
) -> None:
    """Under either key, or under both."""
    opened(ledger, portfolio, symbol)
    keys = {"request_id": "" if key == "fill id" else fresh(), fill_id: "" if key == "request_id" else fresh("f")}
    request, call = make(portfolio, symbol, **keys), getattr(ledger, method)
    first = call(request)
    is_replay(call(request), first)
    assert reading.head(ledger) == first.sequence


@pytest.mark.parametrize(("method", "make", "fill_id"), WRITES)
def test_the_same_fill_from_two_instances_is_one(
    sidecar: Sidecar, ledger: Ledger, portfolio: str, symbol: str, method: str, make: Make, fill_id: str
) -> None:
    """Two connections; other request ids, labels and clocks; numbers written otherwise; what one left out."""
    opened(ledger, portfolio, symbol)
    execution = fresh("f")
    beside = {"labels": {"instance": "a"}, "group_id": "a"} if method != "CloseFifo" else {"exit_reason": "a"}
    again = {"labels": {"instance": "b"}, "group_id": "b"} if method != "CloseFifo" else {"exit_reason": "b"}
    time = {"CreateEntry": "entry_time", "CloseFifo": "exit_time", "RecordFill": "fill_time"}[method]
    first = getattr(ledger, method)(make(portfolio, symbol, "1", "110.0", **{fill_id: execution}, **beside))
    request = make(portfolio, symbol, "1.000", "110", fee="0.50", **{fill_id: execution, time: stamp(NOON)}, **again)
    with dialed(sidecar.address, OWN_CONNECTION) as other:
        is_replay(getattr(LedgerServiceStub(other), method)(request), first)
    assert reading.head(ledger) == first.sequence


@pytest.mark.parametrize(("method", "make", "fill_id"), WRITES)
def test_fifty_callers_at_once_have_one_effect(
    ledger: Ledger, portfolio: str, symbol: str, method: str, make: Make, fill_id: str
) -> None:
    """Under 50 request ids one fill; all answers are equal but for replayed, which all but one carry."""
    opened(ledger, portfolio, symbol)
    head, execution = reading.head(ledger), fresh("f")
    answers = at_once(
        getattr(ledger, method), [make(portfolio, symbol, **{fill_id: execution}) for _ in range(CALLERS)]
    )
    assert sorted(answer.replayed for answer in answers) == [False] + [True] * (CALLERS - 1)
    assert all(without_replayed(answer) == without_replayed(answers[0]) for answer in answers)
    assert reading.head(ledger) == head + 1


@pytest.mark.parametrize(("method", "make", "fill_id"), WRITES)
def test_a_second_sender_waits_for_the_first_that_is_still_being_written(
    sidecar: Sidecar,
    ledger: Ledger,
    portfolio: str,
    symbol: str,
    sql: PlainSql,
    method: str,
    make: Make,
    fill_id: str,
) -> None:
    """Nobody is told of a record that is not on disk: the database is held, both wait, both get the one record."""
    opened(ledger, portfolio, symbol)
    records, execution = sql.records(), fresh("f")
    with dialed(sidecar.address, OWN_CONNECTION) as channel:
        instances = ledger, LedgerServiceStub(channel)
        with sql.locked():
            waiting = [
                getattr(instance, method).future(make(portfolio, symbol, **{fill_id: execution}))
                for instance in instances
            ]
            for instance in instances:
                reading.head(instance)  # answered after what was sent before it on the same connection was taken
            assert not any(future.done() for future in waiting)
        is_replay(*sorted((future.result() for future in waiting), key=lambda answer: not answer.replayed))
    assert sql.records() == records + 1


def at_once(call: Any, requests: Sequence[Any]) -> list[Answer]:
    """Every request in flight before the first answer is read."""
    futures = [call.future(request) for request in requests]
    return [future.result() for future in futures]


def test_fifty_closes_of_ten_units_close_ten(ledger: Ledger, portfolio: str, symbol: str) -> None:
    """They are different fills; each is decided after the one before it, so that nothing is closed twice."""
    opened(ledger, portfolio, symbol, "10")
    futures = [ledger.CloseFifo.future(close(portfolio, symbol)) for _ in range(CALLERS)]
    refusals = [refused(future.result).reason for future in futures if future.exception()]
    assert refusals == ["NO_OPEN_POSITION"] * 40
    assert reading.position(ledger, portfolio, symbol).gross_realized_pnl == "100"
    assert len(reading.all_trades(ledger, portfolio)) == 10


def test_of_two_contents_under_one_fill_id_one_is_recorded(ledger: Ledger, portfolio: str, symbol: str) -> None:
    """All at once: whoever comes first stands, the other content is a conflict every time."""
    requests = [fill(portfolio, symbol, fill_id="f", price=str(100 + n % 2)) for n in range(CALLERS)]
    futures = [ledger.RecordFill.future(request) for request in requests]
    refusals = [refused(future.result) for future in futures if future.exception()]
    assert [(refusal.reason, refusal.metadata["field"]) for refusal in refusals] == [
        ("FILL_CONFLICT", "fill.price")
    ] * 25
    assert len({future.result().sequence for future in futures if not future.exception()}) == 1


def test_a_replay_shows_what_was_recorded_then_and_the_position_now(
    ledger: Ledger, portfolio: str, symbol: str
) -> None:
    """The lot as it was opened, the trades as they were closed; the position has moved on."""
    first = ledger.CreateEntry(entry(portfolio, symbol, "5", entry_fill_id="e", labels={"a": "1"}))
    closing = ledger.CloseFifo(close(portfolio, symbol, "2", exit_fill_id="x"))
    ledger.CloseFifo(close(portfolio, symbol, "1"))
    again = ledger.CreateEntry(entry(portfolio, symbol, "5", entry_fill_id="e", labels={"b": "2"}))
    assert (again.entry, again.sequence, again.replayed) == (first.entry, first.sequence, True)
    again = ledger.CloseFifo(close(portfolio, symbol, "2", exit_fill_id="x", exit_reason="other"))
    assert (list(again.closed_trades), again.sequence) == (list(closing.closed_trades), closing.sequence)
    assert (again.closed_quantity, again.gross_pnl, again.fees, again.net_pnl) == ("2", "20", "0", "20")
    assert again.position == reading.position(ledger, portfolio, symbol)
    assert again.position.total_quantity == "2"


def test_a_fill_that_comes_again_after_the_side_has_turned_is_still_a_replay(
    ledger: Ledger, portfolio: str, symbol: str
) -> None:
    """It is not decided anew: the first entry comes again while the book is short, the first exit while it is long."""
    requests = [
        ("CreateEntry", entry(portfolio, symbol, entry_fill_id="a")),
        ("CloseFifo", close(portfolio, symbol, exit_fill_id="b")),
        ("CreateEntry", entry(portfolio, symbol, side=SHORT, entry_fill_id="c")),
        ("CloseFifo", close(portfolio, symbol, "3", exit_fill_id="d", excess_policy=REVERSE)),
        ("RecordFill", fill(portfolio, symbol, "5", side=SELL, fill_id="e")),
    ]
    answers = []
    for method, request in requests:
        answers.append(getattr(ledger, method)(request))
        for (before, again), first in zip(requests, answers, strict=False):
            replay = getattr(ledger, before)(again)
            assert (replay.sequence, replay.replayed) == (first.sequence, True)
            assert replay.position == answers[-1].position
    assert reading.head(ledger) == answers[-1].sequence


def test_keys_are_kept_across_a_crash(database_url: str) -> None:
    """SIGKILL, start again, send again: replays, also of trades that only the journal knows."""
    with Sidecar(database_url) as sidecar, dialed(sidecar.address, OWN_CONNECTION) as channel:
        ledger = LedgerServiceStub(channel)
        entries = ledger.CreateEntry(entry("p", "S", "3", entry_fill_id="e", entry_time=stamp(NOON)))
        closing_request = close("p", "S", "2", exit_fill_id="x")
        closing = ledger.CloseFifo(closing_request)
        sidecar.kill()
        sidecar.restart()
        again = ledger.CloseFifo(closing_request, wait_for_ready=True)
        is_replay(again, closing)
        replay = ledger.CreateEntry(entry("p", "S", "3", entry_fill_id="e"))
        assert (replay.entry, replay.replayed) == (entries.entry, True)
        assert reading.head(ledger) == closing.sequence
