"""Busts, corrections and late fills: the book is re-matched from there, and every trade that changes is told before and after."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import grpc
import pytest

from lotkeeper.v1 import ledger_pb2, ledger_service_pb2
from tests.contract import asking, following, reading
from tests.contract.asking import BUY, NOON, REVERSE, SECOND, SELL, SHORT, close, entry, fill, stamp, trades
from tests.contract.happening import bust, correct
from tests.support.plain_sql import PlainSql
from tests.support.refusals import refused

Stub = Any
"""A generated stub; gRPC writes no types for it."""

IN_TIME_ORDER = ledger_service_pb2.LATE_POLICY_IN_TIME_ORDER


@pytest.fixture
def course(ledger: Stub, portfolio: str, symbol: str) -> list[Any]:
    """Bought 10 at 100 and 10 at 110, sold 15 at 120: 10 of the first lot and 5 of the second are closed."""
    return [
        ledger.RecordFill(
            fill(portfolio, symbol, quantity, price, side=side, fee=fee, fill_id=name, fill_time=stamp(at))
        )
        for name, side, quantity, price, fee, at in (
            ("f1", BUY, "10", "100", "1", NOON),
            ("f2", BUY, "10", "110", "1", NOON + SECOND),
            ("f3", SELL, "15", "120", "1.5", NOON + 2 * SECOND),
        )
    ]


def test_a_bust_re_matches_what_came_after_it(events: Stub, portfolio: str, symbol: str, course: list[Any]) -> None:
    """Without the first lot the sale closes the second one whole and opens 5 short, for RecordFill flips."""
    answer = events.BustFill(bust(portfolio, symbol, "f1", reason="venue cancelled it"))
    (first, second) = answer.restated_trades
    assert [trade.trade_id for trade in course[2].closed_trades] == [first.before.trade_id, second.before.trade_id]
    assert (first.before.net_pnl, first.before.superseded_by) == ("198", first.after.trade_id)
    assert (first.after.entry_fill_id, first.after.quantity, first.after.gross_pnl) == ("f2", "10", "100")
    assert (first.after.entry_fee, first.after.exit_fee, first.after.net_pnl) == ("1", "1", "98")
    assert not second.HasField("after")
    assert (answer.position.side, answer.position.total_quantity, answer.position.average_entry_price) == (
        SHORT,
        "5",
        "120",
    )
    assert answer.position.net_realized_pnl == "98"
    assert answer.net_pnl_change == "-149"


def test_the_restatements_sum_to_the_change_of_realized_pnl(
    events: Stub, portfolio: str, symbol: str, course: list[Any]
) -> None:
    """Net realized before, plus what was restated, is net realized after; to the digit."""
    before = Decimal(course[2].position.net_realized_pnl)
    answer = events.CorrectFill(correct(portfolio, symbol, "f2", quantity="3", price="105.5", excess_policy=REVERSE))
    told = sum(Decimal(one.after.net_pnl or 0) - Decimal(one.before.net_pnl or 0) for one in answer.restated_trades)
    assert Decimal(answer.position.net_realized_pnl) - before == told == Decimal(answer.net_pnl_change)


@pytest.mark.usefixtures("course")
def test_superseded_trades_keep_their_ids_and_count_no_more(
    ledger: Stub, events: Stub, portfolio: str, symbol: str
) -> None:
    """ListClosedTrades shows what counts, and the others when they are asked for; totals never count them."""
    answer = events.CorrectFill(correct(portfolio, symbol, "f3", price="121"))
    counting = ledger.ListClosedTrades(trades(portfolio))
    assert [trade.trade_id for trade in counting.closed_trades] == [
        one.after.trade_id for one in answer.restated_trades
    ]
    everything = ledger.ListClosedTrades(trades(portfolio, include_superseded=True))
    assert {trade.trade_id for trade in everything.closed_trades} == {
        trade.trade_id for one in answer.restated_trades for trade in (one.before, one.after)
    }
    assert everything.totals == counting.totals
    assert counting.totals[0].net_realized_pnl == answer.position.net_realized_pnl


def test_a_busted_entry_is_superseded_and_not_open(
    ledger: Stub, events: Stub, portfolio: str, symbol: str, sql: PlainSql
) -> None:
    """Its lot is gone from every list of what is open, in the API and in plain SQL; asked for by status it is there."""
    opened = ledger.CreateEntry(entry(portfolio, symbol, "2", entry_fill_id="e1")).entry
    events.BustFill(bust(portfolio, symbol, "e1"))
    assert not ledger.ListEntries(asking.entries(portfolio)).entries
    status = ledger_pb2.ENTRY_STATUS_SUPERSEDED
    (gone,) = ledger.ListEntries(asking.entries(portfolio, statuses=[status])).entries
    assert (gone.entry_id, gone.status, gone.remaining_quantity) == (opened.entry_id, status, "0")
    assert sql.rows(f"SELECT * FROM current_positions WHERE portfolio_id = '{portfolio}'") == []


def test_a_bust_after_which_a_close_would_have_been_refused_is_refused(
    ledger: Stub, events: Stub, portfolio: str, symbol: str
) -> None:
    """The refusal names the first such command, and nothing is written; with REVERSE it opens the rest on the other side."""
    ledger.CreateEntry(entry(portfolio, symbol, "2", entry_fill_id="e1"))
    ledger.CreateEntry(entry(portfolio, symbol, "1", entry_fill_id="e2"))
    closed = ledger.CloseFifo(close(portfolio, symbol, "3", exit_fill_id="x1"))
    head = reading.head(ledger)
    refusal = refused(events.BustFill, bust(portfolio, symbol, "e1"))
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "LATER_COMMAND_REFUSED")
    assert refusal.metadata == {"sequence": str(closed.sequence), "fill_id": "x1", "reason": "INSUFFICIENT_QUANTITY"}
    assert reading.head(ledger) == head
    answer = events.BustFill(bust(portfolio, symbol, "e1", excess_policy=REVERSE))
    assert (answer.position.side, answer.position.total_quantity) == (SHORT, "2")


@pytest.mark.usefixtures("course")
def test_a_bust_is_made_once(ledger: Stub, events: Stub, portfolio: str, symbol: str) -> None:
    """The same request again is a replay; another one finds it busted; the fill delivered again stays what it was."""
    asked = bust(portfolio, symbol, "f2", excess_policy=REVERSE)
    first = events.BustFill(asked)
    again = events.BustFill(asked)
    assert (again.sequence, again.replayed, again.net_pnl_change) == (first.sequence, True, first.net_pnl_change)
    assert again.restated_trades == first.restated_trades
    refusal = refused(events.BustFill, bust(portfolio, symbol, "f2"))
    assert (refusal.reason, refusal.metadata) == (
        "FILL_BUSTED",
        {"fill_id": "f2", "sequence": str(first.sequence)},
    )
    delivered = ledger.RecordFill(
        fill(portfolio, symbol, "10", "110", fee="1", fill_id="f2", fill_time=stamp(NOON + SECOND))
    )
    assert delivered.replayed
    assert delivered.position == again.position


@pytest.mark.usefixtures("course")
def test_a_corrected_fill_may_be_delivered_as_it_was_or_as_it_is(
    ledger: Stub, events: Stub, portfolio: str, symbol: str
) -> None:
    """A venue repeats either report: both are replays, and a third content is a conflict."""
    events.CorrectFill(correct(portfolio, symbol, "f2", price="111"))
    for price in ("110", "111"):
        assert ledger.RecordFill(fill(portfolio, symbol, "10", price, fill_id="f2")).replayed
    assert refused(ledger.RecordFill, fill(portfolio, symbol, "10", "112", fill_id="f2")).reason == "FILL_CONFLICT"


@pytest.mark.usefixtures("course")
def test_every_content_of_a_fill_can_be_corrected(events: Stub, portfolio: str, symbol: str) -> None:
    """Side, quantity, price, fee and time, one after the other, each upon the one before."""
    answer = None
    for change, net, quantity in (
        ({"price": "90"}, "347", "5"),
        ({"quantity": "12"}, "387.2", "7"),
        ({"fee": "0"}, "388.2", "7"),
        ({"fill_time": stamp(NOON + SECOND + 1)}, None, "7"),
        ({"side": SELL}, None, None),
    ):
        answer = events.CorrectFill(correct(portfolio, symbol, "f1", **change, excess_policy=REVERSE))
        assert net is None or answer.position.net_realized_pnl == net
        assert quantity is None or answer.position.total_quantity == quantity
    assert answer is not None
    assert (answer.position.side, answer.position.total_quantity) == (SHORT, "17")


def test_a_correction_names_an_execution_that_is_there(
    events: Stub, portfolio: str, symbol: str, course: list[Any]
) -> None:
    """By its id or by the sequence that recorded it; not by neither, not by both, not by one that nobody recorded."""
    assert refused(events.BustFill, bust(portfolio, symbol, "nobody")).reason == "FILL_NOT_FOUND"
    assert refused(events.BustFill, bust(portfolio, symbol)).fields == ["fill_id"]
    assert refused(events.BustFill, bust(portfolio, symbol, "f1", fill_sequence=1)).fields == ["fill_id"]
    assert refused(events.CorrectFill, correct(portfolio, symbol, "f1")).fields == [""]
    assert refused(events.BustFill, bust("nowhere", symbol, "f1")).reason == "PORTFOLIO_NOT_FOUND"
    answer = events.CorrectFill(correct(portfolio, symbol, fill_sequence=course[2].sequence, price="119"))
    assert answer.restated_trade_count == 2


@pytest.mark.usefixtures("course")
def test_validate_only_tells_and_writes_nothing(ledger: Stub, events: Stub, portfolio: str, symbol: str) -> None:
    """The answer is what the real one says, with sequence 0."""
    head = reading.head(ledger)
    asked = bust(portfolio, symbol, "f1", validate_only=True)
    tried = events.BustFill(asked)
    assert (tried.sequence, reading.head(ledger)) == (0, head)
    done = events.BustFill(bust(portfolio, symbol, "f1"))
    assert (tried.net_pnl_change, tried.restated_trade_count) == (done.net_pnl_change, done.restated_trade_count)
    assert tried.position.total_quantity == done.position.total_quantity


def test_a_late_fill_in_time_order_is_the_same_fill_in_order(ledger: Stub, portfolio: str, symbol: str) -> None:
    """The book and its trades are those of the executions in the order of their times, but for the ids of what was restated."""
    told = [
        ("l1", BUY, "2", "10", 1),
        ("l2", BUY, "3", "20", 2),
        ("l3", SELL, "4", "30", 3),
        ("l4", BUY, "1", "25", 4),
        ("l5", SELL, "1", "40", 5),
    ]

    def play(name: str, order: list[int]) -> tuple[Any, list[tuple[str, ...]]]:
        for place in order:
            fill_id, side, quantity, price, at = told[place]
            time = stamp(NOON + at * SECOND)
            asked = fill(name, symbol, quantity, price, side=side, fill_id=fill_id, fill_time=time, fee="0.07")
            asked.late_policy = IN_TIME_ORDER
            ledger.RecordFill(asked)
        position = reading.position(ledger, name, symbol)
        listed = ledger.ListClosedTrades(trades(name)).closed_trades
        figures = [
            (one.entry_fill_id, one.exit_fill_id, one.quantity, one.gross_pnl, one.entry_fee, one.exit_fee)
            for one in listed
        ]
        return (position.total_quantity, position.cost_basis, position.net_realized_pnl, position.open_fees), sorted(
            figures
        )

    expected = play(f"{portfolio}-in-order", [0, 1, 2, 3, 4])
    for number, order in enumerate(([1, 2, 3, 4, 0], [0, 1, 3, 4, 2], [4, 3, 2, 1, 0], [2, 0, 4, 1, 3])):
        assert play(f"{portfolio}-{number}", order) == expected


def test_a_late_fill_tells_what_it_restated(ledger: Stub, portfolio: str, symbol: str) -> None:
    """Its own trades stand in the answer as ever; what it changed stands beside them."""
    for name, side, price, at in (("l1", BUY, "10", 1), ("l2", BUY, "20", 2), ("l3", SELL, "30", 3)):
        ledger.RecordFill(fill(portfolio, symbol, "1", price, side=side, fill_id=name, fill_time=stamp(NOON + at)))
    asked = fill(portfolio, symbol, "1", "5", fill_id="l0", fill_time=stamp(NOON), late_policy=IN_TIME_ORDER)
    answer = ledger.RecordFill(asked)
    assert (answer.opened_entry.remaining_quantity, answer.closed_trade_count) == ("1", 0)
    (told,) = answer.restated_trades
    assert (told.before.entry_fill_id, told.after.entry_fill_id, told.after.gross_pnl) == ("l1", "l0", "25")
    again = ledger.RecordFill(asked)
    assert (again.sequence, again.replayed) == (answer.sequence, True)


def test_subscribers_hear_what_was_restated_live_and_when_they_resume(
    ledger: Stub, events: Stub, portfolio: str, symbol: str, course: list[Any]
) -> None:
    """Restatements are facts: complete, in order, the same from memory and from the journal."""
    with following.following(ledger, portfolio) as follower:
        ledger_id = follower.snapshot().messages[0].ledger_id
        answer = events.BustFill(bust(portfolio, symbol, "f1"))
        live = _restated(follower.reached(answer.sequence))
    assert live == list(answer.restated_trades)
    after = course[2].sequence
    with following.following(ledger, portfolio, after_sequence=after, ledger_id=ledger_id) as follower:
        assert _restated(follower.snapshot()) == live


def _restated(follower: following.Follower) -> list[Any]:
    return [told for message in follower.updates for told in message.update.restated_trades]
