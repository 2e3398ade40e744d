"""StreamPnL: a snapshot, then what changes, then heartbeats while nothing does. `following.py` checks every message."""

from __future__ import annotations

import time
from itertools import groupby
from typing import Any

import pytest

from tests.contract import reading
from tests.contract.asking import BUY, FLAT, LONG, SELL, SHORT, close, entry, fill, marks, nanoseconds, summary
from tests.contract.following import Follower, following
from tests.support.plain_sql import PlainSql
from tests.support.sidecar import Sidecar

Ledger = Any
Market = Any
"""The generated stubs; gRPC writes no types for them."""

QUICK = 0.1
"""Seconds to a heartbeat where a test waits for one: the least that may be asked for."""


def shown(follower: Follower) -> list[tuple[str, str]]:
    """(portfolio, symbol) of every position heard of."""
    return sorted(follower.positions)


def test_the_first_message_is_the_state(sidecar: Sidecar, ledger: Ledger, market: Market, portfolio: str) -> None:
    """Open positions and totals as GetSummary gives them, the sequence, the ledger, the server's clock."""
    for symbol in ("A", "B", "C"):
        ledger.CreateEntry(entry(portfolio, portfolio + symbol, fee="0.1"))
    ledger.CloseFifo(close(portfolio, portfolio + "B"))
    market.SetMarks(marks((portfolio + "A", "101")))
    state, before = ledger.GetSummary(summary(portfolio)), time.time_ns()
    with following(ledger, portfolio) as follower:
        message = follower.next()
    assert list(message.snapshot.positions) == list(state.positions)
    assert [(part.portfolio_id, list(part.totals)) for part in message.snapshot.totals] == [
        (portfolio, list(state.totals))
    ]
    assert (message.sequence, message.ledger_id, message.snapshot.more) == (state.sequence, sidecar.ledger_id, False)
    assert before <= nanoseconds(message.emit_time) <= time.time_ns()


def test_every_write_is_told_as_it_was_answered(ledger: Ledger, portfolio: str, symbol: str) -> None:
    """Entries and trades with their position and totals, in the order of the journal."""
    with following(ledger, portfolio) as follower:
        follower.snapshot()
        assert shown(follower) == []
        opened = ledger.CreateEntry(entry(portfolio, symbol, "2", fee="0.2"))
        follower.reached(opened.sequence)
        assert follower.entries == [opened.entry]
        assert follower.positions[portfolio, symbol] == opened.position
        closed = ledger.CloseFifo(close(portfolio, symbol, "1"))
        follower.reached(closed.sequence)
        assert follower.trades == list(closed.closed_trades)
        flipped = ledger.RecordFill(fill(portfolio, symbol, "3", "90", side=SELL, fee="0.3"))
        follower.reached(flipped.sequence)
    assert follower.trades == [*closed.closed_trades, *flipped.closed_trades]
    assert follower.entries == [opened.entry, flipped.opened_entry]
    assert follower.positions[portfolio, symbol] == flipped.position
    assert follower.totals[portfolio] == ledger.GetSummary(summary(portfolio)).totals[0]


def test_an_entry_is_told_as_it_was_opened(ledger: Ledger, portfolio: str, symbol: str, sql: PlainSql) -> None:
    """Facts are what happened then: opened and closed in one batch, the entry is still told whole and open."""
    with following(ledger, portfolio) as follower:
        follower.snapshot()
        with sql.locked():
            first = ledger.CreateEntry.future(entry(portfolio, symbol + "other"))
            opening = ledger.CreateEntry.future(entry(portfolio, symbol, "2"))
            closing = ledger.CloseFifo.future(close(portfolio, symbol, "2"))
            reading.head(ledger)  # answered after all of them were taken
        follower.reached(closing.result().sequence)
    assert follower.entries == [first.result().entry, opening.result().entry]
    assert (follower.entries[1].remaining_quantity, follower.positions[portfolio, symbol].side) == ("2", FLAT)


def test_a_replay_and_a_refusal_are_no_news(ledger: Ledger, portfolio: str, symbol: str) -> None:
    """Nothing was written, so nothing is told: the next message is a heartbeat."""
    first = ledger.CreateEntry(entry(portfolio, symbol, entry_fill_id="f"))
    with following(ledger, portfolio, heartbeat=QUICK) as follower:
        follower.snapshot()
        assert ledger.CreateEntry(entry(portfolio, symbol, entry_fill_id="f")).replayed
        assert ledger.CreateEntry.future(entry(portfolio, symbol, side=SHORT)).exception()
        assert ledger.CreateEntry(entry(portfolio, symbol, validate_only=True)).sequence == 0
        follower.quiet()
    assert follower.updates == []
    assert follower.sequence == first.sequence


def test_only_what_is_committed_is_told(ledger: Ledger, portfolio: str, symbol: str, sql: PlainSql) -> None:
    """While the database is held the stream beats at the old sequence; the fact follows when it is on disk."""
    with following(ledger, portfolio, heartbeat=QUICK) as follower:
        head = follower.snapshot().sequence
        with sql.locked():
            waiting = ledger.CreateEntry.future(entry(portfolio, symbol))
            reading.head(ledger)
            follower.quiet()
            assert (follower.updates, follower.sequence) == ([], head)
            records = sql.records()
        sequence = waiting.result().sequence
        follower.reached(sequence)
        assert (sql.records(), sequence) == (records + 1, head + 1)
    assert [lot.sequence for lot in follower.entries] == [sequence]


def test_everything_is_told_once_and_in_order(ledger: Ledger, portfolio: str) -> None:
    """400 fills of three symbols at once, buying and selling in turn: the stream's facts are the lists' rows."""
    with following(ledger, portfolio) as follower:
        follower.snapshot()
        futures = [
            ledger.RecordFill.future(
                fill(portfolio, f"{portfolio}-{n % 3}", str(1 + n % 7), str(90 + n % 20), side=SELL if n % 2 else BUY)
            )
            for n in range(400)
        ]
        last = max(future.result().sequence for future in futures)
        follower.reached(last)
    assert follower.trades == reading.all_trades(ledger, portfolio)
    opened = {lot.entry_id for lot in reading.all_entries(ledger, portfolio)}
    assert sorted(lot.entry_id for lot in follower.entries) == sorted(opened)
    assert len(follower.trades) + len(follower.entries) >= 400
    state = ledger.GetSummary(summary(portfolio, include_flat=True))
    assert [follower.positions[portfolio, position.symbol] for position in state.positions] == list(state.positions)
    assert follower.totals[portfolio] == state.totals[0]


def test_subscribers_hear_the_same(ledger: Ledger, portfolio: str, symbol: str) -> None:
    """Alike or not, early or late: the facts are the same for all who ask for them."""
    with (
        following(ledger, portfolio) as first,
        following(ledger, portfolio) as second,
        following(ledger, portfolio, symbols=[symbol]) as third,
    ):
        for follower in (first, second, third):
            follower.snapshot()
        last = 0
        for n in range(50):
            last = ledger.RecordFill(fill(portfolio, symbol, "2" if n else "1", side=SELL if n % 2 else BUY)).sequence
        for follower in (first, second, third):
            follower.reached(last)
    assert first.trades == second.trades == third.trades
    assert first.entries == second.entries == third.entries
    assert (len(first.trades), len(first.entries)) == (49, 50)


# Heartbeats.


def test_a_heartbeat_comes_only_after_a_silence(ledger: Ledger, portfolio: str, symbol: str) -> None:
    """By the server's own clock never sooner than the interval after the message before it, and it holds nothing."""
    with following(ledger, portfolio, heartbeat=QUICK) as follower:
        follower.snapshot().quiet().quiet()
        ledger.CreateEntry(entry(portfolio, symbol))
        follower.quiet()
    kinds = [kind for kind, _ in groupby(message.WhichOneof("event") for message in follower.messages)]
    assert kinds == ["snapshot", "heartbeat", "update", "heartbeat"]
    emitted = [nanoseconds(message.emit_time) for message in follower.messages]
    for before, after, message in zip(emitted, emitted[1:], follower.messages[1:], strict=False):
        if message.WhichOneof("event") == "heartbeat":
            assert after - before >= QUICK * 1e9


def test_a_heartbeat_goes_on_with_the_ledger(ledger: Ledger, portfolio: str, symbol: str) -> None:
    """What others record is none of this subscriber's facts, so its sequence may pass it: a resume need not look there."""
    with following(ledger, portfolio, heartbeat=QUICK) as follower:
        follower.snapshot()
        elsewhere = ledger.CreateEntry(entry(portfolio + "b", symbol)).sequence
        follower.reached(elsewhere)
    assert (follower.updates, follower.sequence) == ([], elsewhere)


# What is followed.


def test_a_stream_takes_the_portfolios_and_symbols_it_names(ledger: Ledger, portfolio: str) -> None:
    """In the snapshot, in the facts and in the values."""
    a, b = portfolio + "a", portfolio + "b"
    for book in (portfolio, a, b):
        for symbol in ("X", "Y"):
            ledger.CreateEntry(entry(book, portfolio + symbol))
    wanted = [(a, portfolio + "X"), (b, portfolio + "X")]
    with following(ledger, a, b, symbols=[portfolio + "X", "never traded"]) as follower:
        assert shown(follower.snapshot()) == wanted
        assert sorted(follower.totals) == [a, b]
        last = 0
        for book in (portfolio, a, b):
            for symbol in ("X", "Y"):
                last = ledger.CreateEntry(entry(book, portfolio + symbol)).sequence
        follower.reached(last - 1)
    assert [(lot.portfolio_id, lot.symbol) for lot in follower.entries] == wanted
    assert shown(follower) == wanted


def test_a_stream_that_names_nothing_takes_everything(ledger: Ledger, portfolio: str, symbol: str) -> None:
    """Every portfolio there is, and those made later."""
    ledger.CreateEntry(entry(portfolio, symbol))
    with following(ledger) as follower:
        follower.snapshot()
        assert (portfolio, symbol) in follower.positions
        assert {"default", portfolio} <= follower.totals.keys()
        follower.reached(ledger.CreateEntry(entry(portfolio + "b", symbol)).sequence)
        assert (portfolio + "b", symbol) in follower.positions


def test_flat_positions_are_in_the_snapshot_when_named(ledger: Ledger, portfolio: str, symbol: str) -> None:
    """Otherwise only open ones are."""
    for name in (symbol, symbol + "b"):
        ledger.CreateEntry(entry(portfolio, name))
        ledger.CloseFifo(close(portfolio, name))
    with following(ledger, portfolio) as follower:
        assert shown(follower.snapshot()) == []
        assert follower.totals[portfolio].gross_realized_pnl == "20"
    with following(ledger, portfolio, symbols=[symbol, "never traded"]) as follower:
        assert shown(follower.snapshot()) == [(portfolio, symbol)]
        assert follower.positions[portfolio, symbol].side == FLAT


def test_a_portfolio_that_is_not_made_yet_is_followed_once_it_is(ledger: Ledger, portfolio: str, symbol: str) -> None:
    """A watcher may start before the bot."""
    with following(ledger, portfolio, heartbeat=QUICK) as follower:
        follower.snapshot().quiet()
        assert (follower.positions, follower.totals) == ({}, {})
        assert not reading.exists(ledger, portfolio)
        opened = ledger.CreateEntry(entry(portfolio, symbol))
        follower.reached(opened.sequence)
    assert follower.entries == [opened.entry]
    assert follower.totals[portfolio].unpriced_count == 1


def test_an_empty_portfolio_name_is_the_default_one(ledger: Ledger, symbol: str) -> None:
    """As everywhere."""
    with following(ledger, "", symbols=[symbol]) as follower:
        follower.snapshot()
        follower.reached(ledger.CreateEntry(entry("", symbol)).sequence)
    assert [lot.portfolio_id for lot in follower.entries] == ["default"]


@pytest.mark.parametrize("side", [LONG, SHORT])
def test_a_position_that_goes_flat_is_told_once_more(ledger: Ledger, portfolio: str, symbol: str, side: int) -> None:
    """Whoever draws a table must learn that its line is over."""
    ledger.CreateEntry(entry(portfolio, symbol, side=side))
    with following(ledger, portfolio) as follower:
        assert follower.snapshot().positions[portfolio, symbol].side == side
        follower.reached(ledger.CloseFifo(close(portfolio, symbol)).sequence)
        assert follower.positions[portfolio, symbol].side == FLAT
