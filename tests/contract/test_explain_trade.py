"""ExplainTrade: the executions behind a closed trade and what corrections made of it, summing to its figures."""

from __future__ import annotations

from random import Random
from typing import Any

import grpc
import pytest

from tests.contract import reading
from tests.contract.asking import NOON, SECOND, SELL, close, entry, fill, stamp
from tests.contract.explained import amounts, kinds, of_trade, trade
from tests.contract.happening import HEDGING, NETTING, bust, correct, event, money
from tests.contract.lives import IN_TIME_ORDER, Life, Stubs
from tests.contract.test_as_of import lot_method
from tests.support.refusals import refused

Stub = Any
"""A generated stub; gRPC writes no types for it."""


@pytest.fixture
def closed(ledger: Stub, portfolio: str, symbol: str) -> Any:
    """Bought 2 at 100 for a fee of 1, sold 1 at 110 for a fee of 3: the trade."""
    first, second = ({"fill_id": name, "fill_time": stamp(NOON + SECOND * at)} for name, at in (("f1", 1), ("f2", 2)))
    ledger.RecordFill(fill(portfolio, symbol, "2", "100", fee="1", **first))
    sold = ledger.RecordFill(fill(portfolio, symbol, "1", "110", side=SELL, fee="3", **second))
    return sold.closed_trades[0]


@pytest.mark.parametrize(("mode", "method"), [(NETTING, "FIFO"), (NETTING, "AVERAGE"), (HEDGING, "LIFO")])
def test_the_lines_of_every_trade_of_a_life_sum_to_it(
    ledger: Stub,
    events: Stub,
    portfolios: Stub,
    explain: Stub,
    portfolio: str,
    symbol: str,
    seed: int,
    mode: Any,
    method: str,
) -> None:
    """Of those that count and of those that were superseded, with both executions among them."""
    stubs = Stubs(ledger, events, portfolios)
    terms = {"position_mode": mode, "lot_method": lot_method(method)}
    life = Life(stubs, portfolio, (symbol, f"{symbol}-2"), Random(f"{seed} {method}"), base_currency="USD", **terms)
    life.play(40)
    everything = reading.all_trades(ledger, portfolio, include_superseded=True)
    assert everything
    for shown in everything:
        answer = explain.ExplainTrade(trade(portfolio, shown.trade_id))
        assert answer.trade == shown
        assert of_trade(answer.lines) == amounts(shown), life.played
        told = {line.sequence for line in answer.lines}
        assert {int(shown.entry_id[1:]), shown.exit_sequence, shown.sequence} <= told
        pair = (shown.entry_id, shown.exit_sequence)
        assert all((one.entry_id, one.exit_sequence) == pair for one in answer.superseded_trades)


def test_a_trade_is_its_two_executions(explain: Stub, portfolio: str, closed: Any) -> None:
    """The entry brings its share of the fee, the exit gross and its own fee."""
    answer = explain.ExplainTrade(trade(portfolio, closed.trade_id))
    bought, sold = answer.lines
    assert (bought.fill_id, bought.quantity, bought.gross_pnl_change, bought.fees_change) == ("f1", "2", "0", "0.5")
    assert (sold.fill_id, sold.quantity, sold.gross_pnl_change, sold.fees_change) == ("f2", "1", "10", "3")
    assert (answer.trade, list(answer.superseded_trades)) == (closed, [])


def test_corrections_of_either_execution_are_told_with_what_they_changed(
    ledger: Stub, events: Stub, explain: Stub, portfolio: str, symbol: str, closed: Any
) -> None:
    """The trades that they superseded stand beside, oldest first; each of those explains itself."""
    events.CorrectFill(correct(portfolio, symbol, "f1", price="90"))
    events.CorrectFill(correct(portfolio, symbol, "f2", fee="5"))
    (now,) = reading.all_trades(ledger, portfolio)
    answer = explain.ExplainTrade(trade(portfolio, now.trade_id))
    assert kinds(answer.lines) == ["FILL", "FILL", "CORRECTION", "CORRECTION"]
    assert [line.gross_pnl_change for line in answer.lines] == ["0", "10", "10", "0"]
    assert [line.fees_change for line in answer.lines] == ["0.5", "3", "0", "2"]
    assert [line.price for line in answer.lines] == ["100", "110", "90", "110"]
    first, second = answer.superseded_trades
    assert (first.trade_id, first.superseded_by, second.superseded_by) == (
        closed.trade_id,
        second.trade_id,
        now.trade_id,
    )
    then = explain.ExplainTrade(trade(portfolio, closed.trade_id))
    assert (of_trade(then.lines), len(then.lines)) == (amounts(closed), 2)


@pytest.mark.usefixtures("closed")
def test_a_correction_that_brought_two_executions_together_made_the_trade(
    ledger: Stub, events: Stub, explain: Stub, portfolio: str, symbol: str
) -> None:
    """A late lot before the first one: the exit closes that; the executions changed nothing by themselves."""
    late = {"fill_id": "f0", "fill_time": stamp(NOON), "late_policy": IN_TIME_ORDER}
    ledger.RecordFill(fill(portfolio, symbol, "1", "90", **late))
    (now,) = reading.all_trades(ledger, portfolio)
    assert (now.entry_fill_id, now.exit_fill_id) == ("f0", "f2")
    answer = explain.ExplainTrade(trade(portfolio, now.trade_id))
    assert kinds(answer.lines) == ["FILL", "LATE_FILL"]
    assert [line.gross_pnl_change for line in answer.lines] == ["0", "20"]
    assert list(answer.superseded_trades) == []
    events.BustFill(bust(portfolio, symbol, "f0"))
    (again,) = reading.all_trades(ledger, portfolio)
    told = explain.ExplainTrade(trade(portfolio, again.trade_id)).lines
    assert [(line.gross_pnl_change, line.fees_change) for line in told] == [
        ("0", "0.5"),
        ("10", "3"),
        ("-10", "-3.5"),
        ("10", "3.5"),
    ]


def test_fees_and_their_rates_are_shown(ledger: Stub, events: Stub, explain: Stub, portfolio: str, symbol: str) -> None:
    """A fee without a rate, and the rate that came later."""
    ledger.RecordFill(fill(portfolio, symbol, "1", "100", fee="2", fee_currency="BNB"))
    ledger.RecordFill(fill(portfolio, symbol, "1", "110", side=SELL))
    rate: dict[str, Any] = {"fee_currency": "BNB", "quote_currency": "USD", "rate": "1.5", "source": "desk"}
    events.RecordEvent(event(portfolio, "fee_rate", **rate))
    (now,) = reading.all_trades(ledger, portfolio)
    bought, _, rated = explain.ExplainTrade(trade(portfolio, now.trade_id)).lines
    assert (bought.fee, bought.fees_change, bought.HasField("fee_rate")) == (money("2", "BNB"), "0", False)
    assert (rated.fees_change, kinds([rated])) == ("3", ["CORRECTION"])
    assert (rated.fee_rate.from_currency, rated.fee_rate.to_currency, rated.fee_rate.rate) == ("BNB", "USD", "1.5")
    assert rated.fee_rate.source == "desk"
    assert rated.explanation == "fees in BNB have a rate: 1.5; 1 trade restated"


def test_the_splits_and_names_that_a_lot_went_through_are_told(
    ledger: Stub, events: Stub, explain: Stub, portfolio: str, symbol: str
) -> None:
    """They changed nothing of the money; what happened before the entry or to other symbols is no part of it."""
    renamed = f"{symbol}-NEW"
    ledger.CreateEntry(entry(portfolio, symbol, "1", "90"))
    events.RecordEvent(event(portfolio, "split", symbol=symbol, numerator=2, denominator=1))
    ledger.CloseFifo(close(portfolio, symbol, close_all=True))
    ledger.CreateEntry(entry(portfolio, symbol, "1", "100"))
    ledger.CreateEntry(entry(portfolio, f"{symbol}-OTHER", "1", "100"))
    events.RecordEvent(event(portfolio, "split", symbol=symbol, numerator=2, denominator=1))
    events.RecordEvent(event(portfolio, "split", symbol=f"{symbol}-OTHER", numerator=5, denominator=1))
    events.RecordEvent(event(portfolio, "symbol_change", from_symbol=symbol, to_symbol=renamed))
    events.RecordEvent(event(portfolio, "split", symbol=renamed, numerator=3, denominator=1))
    (sold,) = ledger.CloseFifo(close(portfolio, renamed, close_all=True, price="20")).closed_trades
    told = explain.ExplainTrade(trade(portfolio, sold.trade_id)).lines
    assert [line.explanation.partition(":")[0] for line in told] == [
        "bought 1 at 100",
        "2 for 1",
        f"1 lot left for {renamed}",
        "3 for 1",
        "sold 6 at 20",
    ]
    assert of_trade(told) == amounts(sold)


def test_a_trade_that_is_not_there_is_not_found(explain: Stub, portfolio: str, closed: Any) -> None:
    """Neither what is no id of ours, nor a trade of another portfolio."""
    for wrong in ("", "T", "T1", "T1.", "T0.0", f"{closed.trade_id}9", "E5", "T-1.0", "T1.x", "T" + "9" * 30 + ".0"):
        refusal = refused(explain.ExplainTrade, trade(portfolio, wrong))
        assert (refusal.code, refusal.reason) == (grpc.StatusCode.NOT_FOUND, "TRADE_NOT_FOUND")
    refusal = refused(explain.ExplainTrade, trade("default", closed.trade_id))
    assert refusal.reason == "TRADE_NOT_FOUND"
    refusal = refused(explain.ExplainTrade, trade(f"{portfolio}-other", closed.trade_id))
    assert refusal.reason == "PORTFOLIO_NOT_FOUND"
