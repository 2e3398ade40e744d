"""StreamPnL's values: marks are latest-wins, folded and counted, and say their age; facts are never folded."""

from __future__ import annotations

import time
from contextlib import ExitStack
from itertools import pairwise
from typing import Any

import pytest

from lotkeeper.v1.ledger_service_pb2_grpc import LedgerServiceStub
from lotkeeper.v1.market_service_pb2_grpc import MarketServiceStub
from tests.contract import reading
from tests.contract.asking import BUY, SELL, close, entry, fill, marks, nanoseconds, summary
from tests.contract.following import following
from tests.support.dialing import dialed
from tests.support.sidecar import Sidecar

Ledger = Any
Market = Any
"""The generated stubs; gRPC writes no types for them."""

QUICK = 0.1
"""Seconds to a heartbeat where a test waits for one."""

WRITES = 1500
"""Pairs of fills while a stream is looked at."""

HOUR = 3600 * 1_000_000_000


def test_a_mark_updates_the_position_and_the_totals(
    ledger: Ledger, market: Market, portfolio: str, symbol: str
) -> None:
    """And the sequence stays: nothing was recorded."""
    sequence = ledger.CreateEntry(entry(portfolio, symbol, "2")).sequence
    now = time.time_ns()
    with following(ledger, portfolio) as follower:
        follower.snapshot()
        assert not follower.positions[portfolio, symbol].HasField("unrealized_pnl")
        market.SetMarks(marks((symbol, "103"), source="feed", time=now))
        update = follower.next().update
        state = ledger.GetSummary(summary(portfolio))
    (position,), (totals,) = update.positions, update.totals
    assert (position.unrealized_pnl, position.mark_source, nanoseconds(position.mark_time)) == ("6", "feed", now)
    assert (totals.portfolio_id, list(totals.totals)) == (portfolio, list(state.totals))
    assert (list(update.closed_trades), list(update.opened_entries), follower.sequence) == ([], [], sequence)


def test_a_mark_of_what_is_not_open_is_no_news(ledger: Ledger, market: Market, portfolio: str, symbol: str) -> None:
    """Neither of a flat position nor of a symbol nobody holds, nor of what the subscriber did not ask for."""
    for name in (symbol, symbol + "b"):
        ledger.CreateEntry(entry(portfolio, name))
    ledger.CloseFifo(close(portfolio, symbol))
    with following(ledger, portfolio, symbols=[symbol, symbol + "c"], heartbeat=QUICK) as follower:
        follower.snapshot()
        market.SetMarks(marks((symbol, "1"), (symbol + "b", "2"), (symbol + "c", "3")))
        follower.quiet()
    assert follower.updates == []


def test_marks_of_one_moment_are_folded_and_counted(
    ledger: Ledger, market: Market, portfolio: str, symbol: str
) -> None:
    """100 marks of a symbol in one request: one value, the newest, and 99 that were not sent."""
    ledger.CreateEntry(entry(portfolio, symbol))
    with following(ledger, portfolio) as follower:
        follower.snapshot()
        market.SetMarks(marks(*[(symbol, str(price)) for price in range(100, 200)], time=time.time_ns()))
        update = follower.next().update
    assert ([position.mark_price for position in update.positions], update.conflated_count) == (["199"], 99)


def test_an_outdated_mark_is_neither_sent_nor_counted(
    ledger: Ledger, market: Market, portfolio: str, symbol: str
) -> None:
    """It never was the value."""
    now = time.time_ns()
    ledger.CreateEntry(entry(portfolio, symbol))
    market.SetMarks(marks((symbol, "101"), source=symbol, time=now))
    with following(ledger, portfolio, heartbeat=QUICK) as follower:
        follower.snapshot()
        market.SetMarks(marks((symbol, "90"), source=symbol, time=now - 1))
        follower.quiet()
    assert (follower.updates, follower.positions[portfolio, symbol].mark_price) == ([], "101")


def test_an_interval_folds_values_and_drops_no_fact(
    ledger: Ledger, market: Market, portfolio: str, symbol: str
) -> None:
    """120 fills and 120 marks under an interval of 0.3 s: every fact once, marks sent and folded add up to 120.

    By the server's own clock no message follows another sooner than the interval.
    """
    ledger.CreateEntry(entry(portfolio, symbol, "1000"))
    interval = 0.3
    with following(ledger, portfolio, interval=interval, heartbeat=60.0) as follower:
        follower.snapshot()
        last = 0
        for n in range(120):
            market.SetMarks(marks((symbol, str(200 + n))))
            last = ledger.RecordFill(fill(portfolio, symbol, side=SELL if n % 2 else BUY)).sequence
        follower.reached(last)
        follower.until(lambda: follower.positions[portfolio, symbol].mark_price == "319")
    assert follower.trades == reading.all_trades(ledger, portfolio)
    assert len(follower.trades) == 60
    assert [lot.sequence for lot in follower.entries] == [
        lot.sequence for lot in reading.all_entries(ledger, portfolio)[1:]
    ]
    shown = sum(bool(message.update.positions) for message in follower.updates)
    assert follower.conflated > 0
    assert 120 - shown <= follower.conflated <= 120
    assert follower.positions[portfolio, symbol] == reading.position(ledger, portfolio, symbol)
    emitted = [nanoseconds(message.emit_time) for message in follower.messages]
    assert all(after - before >= interval * 1e9 for before, after in pairwise(emitted))


def test_marks_alone_are_sent_or_folded_each(ledger: Ledger, market: Market, portfolio: str, symbol: str) -> None:
    """Two symbols, 100 marks each, one by one: what was sent and what was folded add up to 200."""
    names = [symbol, symbol + "b"]
    for name in names:
        ledger.CreateEntry(entry(portfolio, name))
    with following(ledger, portfolio) as follower:
        follower.snapshot()
        for n in range(100):
            for name in names:
                market.SetMarks(marks((name, str(1 + n))))
        follower.until(lambda: all(follower.positions[portfolio, name].mark_price == "100" for name in names))
    sent = sum(len(message.update.positions) for message in follower.updates)
    assert sent + follower.conflated == 200


@pytest.mark.parametrize("interval", [None, 0.02], ids=["as soon as possible", "at intervals"])
def test_what_a_message_shows_is_of_one_moment(
    ledger: Ledger, portfolio: str, symbol: str, interval: float | None
) -> None:
    """While four write: a position is never newer than its message, and the totals of its portfolio are its own figures.

    Others follow as well, so that frames are not empty between two messages to this one.
    """
    with ExitStack() as stack:
        others = [stack.enter_context(following(ledger, portfolio)) for _ in range(10)]
        follower = stack.enter_context(following(ledger, portfolio, interval=interval))
        for other in (*others, follower):
            other.snapshot()
        calls = [ledger.CreateEntry.future(entry(portfolio, symbol, fee="1")) for _ in range(1)]
        for _ in range(WRITES):
            calls += [ledger.RecordFill.future(fill(portfolio, symbol, "2", side=side)) for side in (SELL, BUY)]
            if len(calls) % 64 == 1:
                calls[-1].result()
        last = max(call.result().sequence for call in calls)
        while follower.sequence < last:
            message = follower.next()
            for position in message.update.positions:
                (totals,) = message.update.totals[0].totals
                assert totals.net_realized_pnl == position.net_realized_pnl
    assert len(follower.updates) > 1


def test_a_mark_that_grows_too_old_is_an_update_by_itself(database_url: str) -> None:
    """Nobody says anything, and the stream says that the price is stale; a fresh mark makes it good again."""
    with Sidecar(database_url, settings={"mark_max_age": 0.5}) as sidecar, dialed(sidecar.address) as channel:
        ledger, market = LedgerServiceStub(channel), MarketServiceStub(channel)
        for symbol in ("A", "B"):
            ledger.CreateEntry(entry("p", symbol))
        with following(ledger, "p", heartbeat=60.0) as follower:
            follower.snapshot()
            market.SetMarks(marks(("A", "104")))
            follower.until(lambda: follower.positions["p", "A"].mark_price == "104")
            assert follower.positions["p", "A"].mark_stale is False
            follower.until(lambda: follower.positions["p", "A"].mark_stale)
            position, totals = follower.positions["p", "A"], follower.totals["p"]
            assert (position.unrealized_pnl, totals.unrealized_pnl) == ("4", "4")
            assert (list(totals.stale_symbols), list(totals.unpriced_symbols)) == (["A"], ["B"])
            assert reading.position(ledger, "p", "A") == position
            market.SetMarks(marks(("A", "105")))
            follower.until(lambda: not follower.positions["p", "A"].mark_stale)
            assert follower.totals["p"].stale_count == 0
            follower.until(lambda: follower.positions["p", "A"].mark_stale)


def test_a_mark_that_is_old_when_it_comes_is_stale_at_once(
    ledger: Ledger, market: Market, portfolio: str, symbol: str
) -> None:
    """A feed that replays yesterday does not look like today."""
    ledger.CreateEntry(entry(portfolio, symbol))
    with following(ledger, portfolio) as follower:
        follower.snapshot()
        market.SetMarks(marks((symbol, "101"), time=time.time_ns() - HOUR))
        (position,) = follower.next().update.positions
    assert (position.mark_stale, position.unrealized_pnl) == (True, "1")
