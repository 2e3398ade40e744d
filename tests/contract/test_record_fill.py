"""RecordFill records one execution and the book decides: open, add, reduce, close or flip."""

from __future__ import annotations

from typing import Any

import pytest

from lotkeeper.v1 import ledger_pb2
from tests.contract import reading
from tests.contract.asking import BUY, FLAT, LONG, NOON, REJECT, REVERSE, SECOND, SELL, SHORT, fill, nanoseconds, stamp
from tests.support.refusals import refused

Ledger = Any
"""The generated stub; gRPC writes no types for it."""

Step = tuple[int, str, str]
"""Traded side, quantity, price."""


@pytest.mark.parametrize(
    ("before", "step", "side", "quantity", "gross", "trades", "opened"),
    [
        pytest.param([], (BUY, "2", "100"), LONG, "2", "0", 0, "2", id="open long"),
        pytest.param([], (SELL, "2", "100"), SHORT, "2", "0", 0, "2", id="open short"),
        pytest.param([(BUY, "2", "100")], (BUY, "1", "110"), LONG, "3", "0", 0, "1", id="add to a long"),
        pytest.param([(SELL, "2", "100")], (SELL, "1", "110"), SHORT, "3", "0", 0, "1", id="add to a short"),
        pytest.param([(BUY, "2", "100")], (SELL, "1", "110"), LONG, "1", "10", 1, "", id="reduce a long"),
        pytest.param([(SELL, "2", "100")], (BUY, "1", "110"), SHORT, "1", "-10", 1, "", id="reduce a short"),
        pytest.param([(BUY, "1", "90"), (BUY, "1", "100")], (SELL, "2", "110"), FLAT, "0", "30", 2, "", id="close"),
        pytest.param([(BUY, "1", "100")], (SELL, "3", "110"), SHORT, "2", "10", 1, "2", id="flip to short"),
        pytest.param([(SELL, "1", "100")], (BUY, "3", "110"), LONG, "2", "-10", 1, "2", id="flip to long"),
    ],
)
def test_the_book_decides_what_a_fill_does(
    ledger: Ledger,
    portfolio: str,
    symbol: str,
    before: list[Step],
    step: Step,
    side: int,
    quantity: str,
    gross: str,
    trades: int,
    opened: str,
) -> None:
    """Four arms, both ways: what is open, what was realized, how many trades, and what was opened."""
    for traded, size, price in before:
        ledger.RecordFill(fill(portfolio, symbol, size, price, side=traded))
    head = reading.head(ledger)
    answer = ledger.RecordFill(fill(portfolio, symbol, step[1], step[2], side=step[0]))
    position = answer.position
    assert (position.side, position.total_quantity, position.gross_realized_pnl) == (side, quantity, gross)
    assert (len(answer.closed_trades), answer.closed_trade_count) == (trades, trades)
    assert (answer.opened_entry.quantity, answer.HasField("opened_entry")) == (opened, bool(opened))
    assert (answer.sequence, answer.replayed) == (head + 1, False)
    assert position == reading.position(ledger, portfolio, symbol)


def test_a_fill_that_opens_leaves_everything_in_its_lot(ledger: Ledger, portfolio: str, symbol: str) -> None:
    """What the venue said, and what the caller said of it."""
    answer = ledger.RecordFill(
        fill(
            portfolio,
            symbol,
            fill_id="f",
            order_id="o",
            fee="0.1",
            fee_currency="USD",
            fill_time=stamp(NOON + 1),
            group_id="g",
            labels={"strategy": "s"},
            reason="signal",
        )
    )
    opened = answer.opened_entry
    assert (opened.entry_fill_id, opened.entry_order_id, opened.fee) == ("f", "o", "0.1")
    assert (nanoseconds(opened.entry_time), opened.group_id, dict(opened.labels)) == (NOON + 1, "g", {"strategy": "s"})
    assert reading.all_entries(ledger, portfolio) == [opened]


def test_a_fill_that_closes_leaves_everything_in_its_trades(ledger: Ledger, portfolio: str, symbol: str) -> None:
    """The exit's ids and reason are the fill's, labels and group are the entry's."""
    ledger.RecordFill(fill(portfolio, symbol, group_id="in", labels={"a": "in"}, fill_id="e", order_id="eo"))
    (trade,) = ledger.RecordFill(
        fill(
            portfolio,
            symbol,
            side=SELL,
            fill_id="x",
            order_id="xo",
            reason="stop_loss",
            group_id="out",
            labels={"a": "out"},
            fill_time=stamp(NOON),
        )
    ).closed_trades
    assert (trade.exit_fill_id, trade.exit_order_id, trade.exit_reason) == ("x", "xo", "stop_loss")
    assert (trade.entry_fill_id, trade.entry_order_id, nanoseconds(trade.exit_time)) == ("e", "eo", NOON)
    assert (trade.group_id, dict(trade.labels)) == ("in", {"a": "in"})
    assert reading.all_trades(ledger, portfolio) == [trade]


def test_a_flip_shares_its_fee_and_names_both_parts(ledger: Ledger, portfolio: str, symbol: str) -> None:
    """Sell 4 with 1 open for a fee of 0.4: 0.1 goes with the trade, 0.3 with the new lot, which shows the whole (law 4)."""
    ledger.RecordFill(fill(portfolio, symbol, fill_time=stamp(NOON)))
    answer = ledger.RecordFill(
        fill(portfolio, symbol, "4", "110", side=SELL, fee="0.4", fill_id="x", fill_time=stamp(NOON + SECOND))
    )
    (trade,) = answer.closed_trades
    opened = answer.opened_entry
    assert (trade.exit_fee, opened.fee, opened.open_fee) == ("0.1", "0.4", "0.3")
    assert (trade.exit_fill_id, opened.entry_fill_id) == ("x", "x")
    assert (trade.sequence, opened.sequence) == (answer.sequence, answer.sequence)
    assert isinstance(answer.position, ledger_pb2.Position)
    assert (answer.position.realized_fees, answer.position.open_fees) == ("0.1", "0.3")


@pytest.mark.parametrize("policy", [0, REVERSE])
def test_a_fill_flips_unless_told_not_to(ledger: Ledger, portfolio: str, symbol: str, policy: int) -> None:
    """Unspecified means REVERSE: the execution happened, whatever we think of it."""
    ledger.RecordFill(fill(portfolio, symbol))
    answer = ledger.RecordFill(fill(portfolio, symbol, "3", side=SELL, excess_policy=policy))
    assert (answer.position.side, answer.position.total_quantity) == (SHORT, "2")


def test_reject_refuses_only_the_excess(ledger: Ledger, portfolio: str, symbol: str) -> None:
    """Opening, adding and closing what is there pass; beyond it, INSUFFICIENT_QUANTITY with both quantities."""
    for request in (
        fill(portfolio, symbol, "2", excess_policy=REJECT),
        fill(portfolio, symbol, "1", excess_policy=REJECT),
        fill(portfolio, symbol, "1", side=SELL, excess_policy=REJECT),
    ):
        ledger.RecordFill(request)
    refusal = refused(ledger.RecordFill, fill(portfolio, symbol, "2.5", side=SELL, excess_policy=REJECT))
    assert refusal.reason == "INSUFFICIENT_QUANTITY"
    assert refusal.metadata == {"open_quantity": "2", "requested_quantity": "2.5"}
    assert ledger.RecordFill(fill(portfolio, symbol, "2", side=SELL, excess_policy=REJECT)).position.side == FLAT


def test_the_first_fill_makes_its_portfolio(ledger: Ledger, portfolio: str, symbol: str) -> None:
    """As the first entry does."""
    assert not reading.exists(ledger, portfolio)
    ledger.RecordFill(fill(portfolio, symbol))
    assert reading.exists(ledger, portfolio)
