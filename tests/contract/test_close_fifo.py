"""CloseFifo closes open lots oldest first, and its answer is what is on disk."""

from __future__ import annotations

import time
from typing import Any

import pytest

from lotkeeper.v1 import ledger_pb2, ledger_service_pb2
from tests.contract import asking, reading
from tests.contract.asking import FLAT, LONG, NOON, REVERSE, SECOND, SHORT, close, entry, nanoseconds, stamp
from tests.support.plain_sql import PlainSql

Ledger = Any
"""The generated stub; gRPC writes no types for it."""


def test_one_close_takes_lots_oldest_first(ledger: Ledger, portfolio: str, symbol: str) -> None:
    """2 at 100 and 2 at 103, sell 3 at 110: all of the first, 1 of the second; every field of both trades."""
    first, second = (
        ledger.CreateEntry(
            entry(
                portfolio,
                symbol,
                "2",
                price,
                fee=fee,
                entry_time=stamp(time),
                entry_order_id="eo",
                entry_fill_id=fill_id,
                group_id="g",
                labels={"strategy": "s"},
            )
        ).entry
        for price, fee, time, fill_id in (("100", "0.2", NOON, "e1"), ("103", "0.4", NOON + SECOND, "e2"))
    )
    before = reading.head(ledger)
    answer = ledger.CloseFifo(
        close(
            portfolio,
            symbol,
            "3",
            "110",
            fee="0.9",
            exit_time=stamp(NOON + 5 * SECOND),
            exit_order_id="xo",
            exit_fill_id="x1",
            exit_reason="take_profit",
        )
    )
    alike = ledger_pb2.ClosedTrade(
        portfolio_id=portfolio,
        symbol=symbol,
        side=LONG,
        exit_price="110",
        exit_time=stamp(NOON + 5 * SECOND),
        exit_order_id="xo",
        exit_fill_id="x1",
        exit_reason="take_profit",
        currency="USD",
        sequence=before + 1,
        exit_sequence=before + 1,
        labels={"strategy": "s"},
        group_id="g",
        entry_order_id="eo",
    )
    assert list(answer.closed_trades) == [
        _with(
            alike,
            trade_id=answer.closed_trades[0].trade_id,
            entry_id=first.entry_id,
            quantity="2",
            entry_price="100",
            entry_time=stamp(NOON),
            gross_pnl="20",
            entry_fee="0.2",
            exit_fee="0.6",
            net_pnl="19.2",
            pnl_pct="9.6",
            index=0,
            entry_fill_id="e1",
        ),
        _with(
            alike,
            trade_id=answer.closed_trades[1].trade_id,
            entry_id=second.entry_id,
            quantity="1",
            entry_price="103",
            entry_time=stamp(NOON + SECOND),
            gross_pnl="7",
            entry_fee="0.2",
            exit_fee="0.3",
            net_pnl="6.5",
            pnl_pct="6.31068",
            index=1,
            entry_fill_id="e2",
        ),
    ]
    assert (answer.closed_quantity, answer.gross_pnl, answer.fees, answer.net_pnl) == ("3", "27", "1.3", "25.7")
    assert (answer.sequence, answer.closed_trade_count, answer.replayed) == (before + 1, 2, False)
    assert not answer.HasField("opened_entry")
    assert len({trade.trade_id for trade in answer.closed_trades} - {""}) == 2


def _with(trade: ledger_pb2.ClosedTrade, **fields: Any) -> ledger_pb2.ClosedTrade:
    whole = ledger_pb2.ClosedTrade(**fields)
    whole.MergeFrom(trade)
    return whole


def test_a_partial_close_leaves_the_rest_and_keeps_what_was_realized(
    ledger: Ledger, portfolio: str, symbol: str
) -> None:
    """Buy 4 at 100 for a fee of 0.4, sell 1 at 110: 3 stay at 100 with 0.3 of the fee, 10 and its share are realized."""
    ledger.CreateEntry(entry(portfolio, symbol, "4", fee="0.4", entry_time=stamp(NOON)))
    position = ledger.CloseFifo(close(portfolio, symbol, "1", exit_time=stamp(NOON))).position
    assert (position.side, position.total_quantity, position.average_entry_price) == (LONG, "3", "100")
    assert (position.gross_realized_pnl, position.realized_fees, position.net_realized_pnl) == ("10", "0.1", "9.9")
    assert (position.cost_basis, position.open_fees, position.open_entry_count) == ("300", "0.3", 1)
    assert position == reading.position(ledger, portfolio, symbol)
    (lot,) = reading.all_entries(ledger, portfolio)
    assert (lot.remaining_quantity, lot.open_fee, lot.fee) == ("3", "0.3", "0.4")
    assert lot.status == asking.PARTIALLY_CLOSED


def test_closing_everything_leaves_a_flat_position_that_remembers(ledger: Ledger, portfolio: str, symbol: str) -> None:
    """No average, no lots and no times, but the realized P&L; the entry is CLOSED."""
    ledger.CreateEntry(entry(portfolio, symbol))
    answer = ledger.CloseFifo(close(portfolio, symbol))
    assert answer.position == ledger_pb2.Position(
        portfolio_id=portfolio,
        symbol=symbol,
        side=FLAT,
        total_quantity="0",
        cost_basis="0",
        gross_realized_pnl="10",
        realized_fees="0",
        net_realized_pnl="10",
        open_fees="0",
        currency="USD",
        sequence=answer.sequence,
        multiplier="1",
        lot_method=ledger_pb2.LOT_METHOD_FIFO,
    )
    assert [lot.status for lot in reading.all_entries(ledger, portfolio)] == [asking.CLOSED]


def test_close_all_closes_whatever_is_open(ledger: Ledger, portfolio: str, symbol: str) -> None:
    """Without knowing how much that is."""
    for quantity in ("0.1", "0.2", "0.3"):
        ledger.CreateEntry(entry(portfolio, symbol, quantity))
    answer = ledger.CloseFifo(close(portfolio, symbol, close_all=True))
    assert (answer.closed_quantity, answer.closed_trade_count, answer.position.side) == ("0.6", 3, FLAT)


@pytest.mark.parametrize(("side", "gross"), [(LONG, "10"), (SHORT, "-10")])
def test_a_close_takes_the_side_that_is_open(
    ledger: Ledger, portfolio: str, symbol: str, side: int, gross: str
) -> None:
    """A short loses what a long gains; saying the side and leaving it out is the same."""
    ledger.CreateEntry(entry(portfolio, symbol, "2", side=side))
    unsaid = ledger.CloseFifo(close(portfolio, symbol))
    said = ledger.CloseFifo(close(portfolio, symbol, side=side))
    assert (unsaid.gross_pnl, said.gross_pnl) == (gross, gross)
    assert [trade.side for trade in (*unsaid.closed_trades, *said.closed_trades)] == [side, side]


def test_reverse_closes_all_there_is_and_opens_the_rest(ledger: Ledger, portfolio: str, symbol: str) -> None:
    """Long 1, close 4 with REVERSE: one trade, short 3; the fee is shared 1 to 3 (law 4), and the lot shows all of it."""
    ledger.CreateEntry(entry(portfolio, symbol, entry_time=stamp(NOON)))
    answer = ledger.CloseFifo(
        close(portfolio, symbol, "4", fee="0.4", excess_policy=REVERSE, exit_fill_id="x", exit_time=stamp(NOON + 1))
    )
    opened = answer.opened_entry
    assert (answer.closed_quantity, answer.closed_trades[0].exit_fee) == ("1", "0.1")
    assert (opened.side, opened.quantity, opened.entry_price) == (SHORT, "3", "110")
    assert (opened.fee, opened.open_fee) == ("0.4", "0.3")
    assert (opened.entry_fill_id, opened.sequence) == ("x", answer.sequence)
    assert (answer.position.side, answer.position.total_quantity) == (SHORT, "3")
    assert reading.all_entries(ledger, portfolio, statuses=[]) == [opened]


def test_reverse_within_what_is_open_is_a_plain_close(ledger: Ledger, portfolio: str, symbol: str) -> None:
    """The policy speaks of the excess only."""
    ledger.CreateEntry(entry(portfolio, symbol, "2"))
    answer = ledger.CloseFifo(close(portfolio, symbol, "2", excess_policy=REVERSE))
    assert answer.position.side == FLAT
    assert not answer.HasField("opened_entry")


def test_an_exit_may_be_older_than_the_lot_it_closes(ledger: Ledger, portfolio: str, symbol: str) -> None:
    """Recorded as it was reported (law 2)."""
    ledger.CreateEntry(entry(portfolio, symbol, entry_time=stamp(NOON)))
    (trade,) = ledger.CloseFifo(close(portfolio, symbol, exit_time=stamp(NOON - SECOND))).closed_trades
    assert (nanoseconds(trade.entry_time), nanoseconds(trade.exit_time)) == (NOON, NOON - SECOND)


def test_an_exit_without_a_time_is_never_older_than_the_newest_in_its_book(
    ledger: Ledger, portfolio: str, symbol: str
) -> None:
    """As for entries."""
    ahead = time.time_ns() + 3600 * SECOND
    ledger.CreateEntry(entry(portfolio, symbol, entry_time=stamp(ahead)))
    (trade,) = ledger.CloseFifo(close(portfolio, symbol)).closed_trades
    assert nanoseconds(trade.exit_time) == ahead


def test_a_fee_is_shared_to_the_last_digit(ledger: Ledger, portfolio: str, symbol: str) -> None:
    """A fee of 1 over three thirds, in and out: shares rounded at 18 digits, the last is the rest, the sum is 1 (law 4)."""
    ledger.CreateEntry(entry(portfolio, symbol, "3", fee="1"))
    shares = [ledger.CloseFifo(close(portfolio, symbol)).closed_trades[0].entry_fee for _ in range(3)]
    assert shares == ["0.333333333333333333", "0.333333333333333334", "0.333333333333333333"]
    assert reading.position(ledger, portfolio, symbol).realized_fees == "1"


def test_a_rebate_is_a_fee_below_zero(ledger: Ledger, portfolio: str, symbol: str) -> None:
    """It adds to the net."""
    ledger.CreateEntry(entry(portfolio, symbol, fee="-0.5"))
    answer = ledger.CloseFifo(close(portfolio, symbol, fee="-0.25"))
    assert (answer.gross_pnl, answer.fees, answer.net_pnl) == ("10", "-0.75", "10.75")


def test_a_lot_that_cost_nothing_has_no_percentage(ledger: Ledger, portfolio: str, symbol: str) -> None:
    """Nothing is divided by zero: pnl_pct is unset."""
    ledger.CreateEntry(entry(portfolio, symbol, price="0"))
    (trade,) = ledger.CloseFifo(close(portfolio, symbol)).closed_trades
    assert (trade.net_pnl, trade.HasField("pnl_pct")) == ("110", False)


def test_a_close_in_its_answer_is_the_close_in_the_list_and_in_the_database(
    ledger: Ledger, portfolio: str, symbol: str, sql: PlainSql
) -> None:
    """The answer left after the commit."""
    for price in ("100", "101"):
        ledger.CreateEntry(entry(portfolio, symbol, price=price))
    answer: ledger_service_pb2.CloseFifoResponse = ledger.CloseFifo(close(portfolio, symbol, close_all=True))
    stored = sql.rows("SELECT trade_id FROM completed_trades WHERE portfolio_id = ? ORDER BY trade_id", portfolio)
    assert [row["trade_id"] for row in stored] == [trade.trade_id for trade in answer.closed_trades]
    assert reading.all_trades(ledger, portfolio, sequence=answer.sequence) == list(answer.closed_trades)
