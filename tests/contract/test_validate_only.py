"""validate_only checks everything, answers as if done with sequence 0 and empty ids, and writes nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.contract import reading
from tests.contract.asking import BUY, NOON, REVERSE, SECOND, SELL, close, entry, fill, marks, stamp
from tests.support.plain_sql import PlainSql
from tests.support.refusals import refused

Ledger = Any
"""The generated stub; gRPC writes no types for it."""

WRITES = [
    pytest.param("CreateEntry", lambda p, s, **f: entry(p, s, "2", "104", entry_fill_id="v", **f), id="CreateEntry"),
    pytest.param("CloseFifo", lambda p, s, **f: close(p, s, "3", exit_fill_id="v", **f), id="CloseFifo"),
    pytest.param(
        "CloseFifo",
        lambda p, s, **f: close(p, s, "9", exit_fill_id="v", excess_policy=REVERSE, **f),
        id="CloseFifo that reverses",
    ),
    pytest.param("RecordFill", lambda p, s, **f: fill(p, s, "2", "104", fill_id="v", **f), id="RecordFill that adds"),
    pytest.param(
        "RecordFill", lambda p, s, **f: fill(p, s, "9", side=SELL, fill_id="v", **f), id="RecordFill that flips"
    ),
]


@pytest.mark.parametrize(("method", "make"), WRITES)
def test_the_answer_is_the_one_that_would_follow(
    ledger: Ledger, portfolio: str, symbol: str, method: str, make: Callable[..., Any]
) -> None:
    """But for sequences and ids, which only the record has, and the clock when no time is given."""
    for price, time in (("100", NOON), ("103", NOON + SECOND)):
        ledger.CreateEntry(entry(portfolio, symbol, "2", price, fee="0.3", entry_time=stamp(time)))
    head, before = reading.head(ledger), reading.position(ledger, portfolio, symbol)
    call = getattr(ledger, method)
    tried = call(make(portfolio, symbol, validate_only=True))
    assert (tried.sequence, tried.replayed, tried.position.sequence) == (0, False, before.sequence)
    assert reading.head(ledger) == head
    assert reading.position(ledger, portfolio, symbol) == before
    done = call(make(portfolio, symbol))
    assert (done.replayed, done.sequence) == (False, head + 1)
    assert _without_identity(tried) == _without_identity(done)


def _without_identity(answer: Any) -> Any:
    """An answer without what only a record has."""
    bare = type(answer)()
    bare.CopyFrom(answer)
    bare.ClearField("sequence")
    bare.position.ClearField("sequence")
    bare.position.ClearField("last_entry_time")
    bare.position.ClearField("first_entry_time")
    for trade in getattr(bare, "closed_trades", ()):
        for field in ("trade_id", "sequence", "exit_sequence", "exit_time"):
            trade.ClearField(field)
    for name in ("entry", "opened_entry"):
        if name in bare.DESCRIPTOR.fields_by_name and bare.HasField(name):
            for field in ("entry_id", "sequence", "entry_time"):
                getattr(bare, name).ClearField(field)
    return bare


@pytest.mark.parametrize(("method", "make"), WRITES)
def test_ids_are_empty(ledger: Ledger, portfolio: str, symbol: str, method: str, make: Callable[..., Any]) -> None:
    """What is not recorded has no name; the entry that would be closed has one."""
    first = ledger.CreateEntry(entry(portfolio, symbol, "4")).entry
    tried = getattr(ledger, method)(make(portfolio, symbol, validate_only=True))
    opened = [getattr(tried, name) for name in ("entry", "opened_entry") if name in tried.DESCRIPTOR.fields_by_name]
    assert [(lot.entry_id, lot.sequence) for lot in opened] == [("", 0)] * len(opened)
    trades = list(getattr(tried, "closed_trades", ()))
    found = [(trade.trade_id, trade.sequence, trade.exit_sequence, trade.entry_id) for trade in trades]
    assert found == [("", 0, 0, first.entry_id)] * len(trades)


@pytest.mark.parametrize(("call", "make"), [("CreateEntry", entry), ("RecordFill", fill)])
def test_no_portfolio_is_made(
    ledger: Ledger, portfolio: str, symbol: str, sql: PlainSql, call: str, make: Callable[..., Any]
) -> None:
    """And not a row is written."""
    records = sql.records()
    answer = getattr(ledger, call)(make(portfolio, symbol, "3", validate_only=True))
    assert (answer.position.total_quantity, answer.position.portfolio_id) == ("3", portfolio)
    assert not reading.exists(ledger, portfolio)
    assert sql.records() == records
    assert sql.rows("SELECT * FROM portfolios WHERE portfolio_id = ?", portfolio) == []


def test_it_uses_up_no_key(ledger: Ledger, portfolio: str, symbol: str) -> None:
    """The same ids, with another content even, are recorded afterwards."""
    ledger.CreateEntry(entry(portfolio, symbol, "1", request_id="r", entry_fill_id="f", validate_only=True))
    answer = ledger.CreateEntry(entry(portfolio, symbol, "2", request_id="r", entry_fill_id="f"))
    assert (answer.replayed, answer.entry.quantity) == (False, "2")


def test_it_answers_a_recorded_fill_with_its_record(ledger: Ledger, portfolio: str, symbol: str) -> None:
    """Done for good it would be a replay; and other content would be a conflict."""
    first = ledger.CreateEntry(entry(portfolio, symbol, entry_fill_id="f"))
    again = ledger.CreateEntry(entry(portfolio, symbol, entry_fill_id="f", validate_only=True))
    assert (again.entry, again.sequence, again.replayed) == (first.entry, first.sequence, True)
    refusal = refused(ledger.CreateEntry, entry(portfolio, symbol, "2", entry_fill_id="f", validate_only=True))
    assert (refusal.reason, refusal.metadata["field"]) == ("FILL_CONFLICT", "quantity")


def test_it_checks_every_field(ledger: Ledger, portfolio: str, symbol: str) -> None:
    """As a write for good does."""
    refusal = refused(ledger.CreateEntry, entry(portfolio, symbol, "0", "x", validate_only=True))
    assert refusal.fields == ["quantity", "entry_price"]


def test_it_shows_the_position_at_its_mark(ledger: Ledger, market: Any, portfolio: str, symbol: str) -> None:
    """A bot asks what a fill would make of its P&L."""
    market.SetMarks(marks((symbol, "105")))
    position = ledger.RecordFill(fill(portfolio, symbol, "2", "100", side=BUY, validate_only=True)).position
    assert (position.unrealized_pnl, position.mark_price) == ("10", "105")


def test_what_was_only_tried_is_not_seen_by_what_is_done_at_once(
    ledger: Ledger, portfolio: str, symbol: str, sql: PlainSql
) -> None:
    """In one batch: tried and done entries of one book each see the book as it is, and answer with their own lot."""
    ledger.CreateEntry(entry(portfolio, symbol, entry_time=stamp(NOON)))
    requests = [
        entry(portfolio, symbol, str(2 + n), entry_time=stamp(NOON + n * SECOND), validate_only=n % 2 == 1)
        for n in range(1, 7)
    ]
    with sql.locked():
        blocker = ledger.CreateEntry.future(entry(portfolio, symbol + "other"))
        waiting = [ledger.CreateEntry.future(request) for request in requests]
        tried = ledger.CreateEntry.future(entry(portfolio + "b", symbol, validate_only=True))
        reading.head(ledger)  # answered after all of them were taken
    assert blocker.result().sequence
    assert tried.result().sequence == 0
    assert not reading.exists(ledger, portfolio + "b")
    answers = [future.result() for future in waiting]
    assert [answer.position.total_quantity for answer in answers] == ["4", "5", "10", "11", "18", "19"]
    assert [answer.position.last_entry_time for answer in answers] == [request.entry_time for request in requests]
    assert reading.position(ledger, portfolio, symbol).total_quantity == "19"
