"""Fees in any currency, cash, and the totals they make; what is not known is said, never taken for zero (law 12)."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import grpc
import pytest

from lotkeeper.v1 import (
    event_service_pb2_grpc,
    instrument_service_pb2_grpc,
    ledger_service_pb2_grpc,
    market_service_pb2_grpc,
    portfolio_service_pb2_grpc,
)
from tests.contract import asking, reading
from tests.contract.asking import SELL, close, fill, marks, trades
from tests.contract.happening import PERPETUAL, SPOT, create, define, event, money
from tests.support.dialing import dialed
from tests.support.refusals import refused
from tests.support.sidecar import Sidecar

Stub = Any
"""A generated stub; gRPC writes no types for it."""


def test_a_fee_in_the_coin_bought_makes_what_arrives_less(
    instruments: Stub, ledger: Stub, portfolio: str, symbol: str
) -> None:
    """1 bought for 50,000 with 0.001 of it as fee: 0.999 arrive, the fee costs 50, and 50,000 were paid."""
    instruments.DefineInstrument(define(symbol, SPOT, base_currency="BTC"))
    answer = ledger.RecordFill(fill(portfolio, symbol, "1", "50000", fee="0.001", fee_currency="BTC"))
    entry, position = answer.opened_entry, answer.position
    assert (entry.quantity, entry.fee, entry.fee_currency, entry.open_fee) == ("0.999", "0.001", "BTC", "50")
    assert (position.cost_basis, position.open_fees) == ("49950", "50")
    assert ledger.GetSummary(asking.summary(portfolio)).totals[0].cash == "-50000"
    sold = ledger.RecordFill(fill(portfolio, symbol, "0.99", "60000", side=SELL, fee="0.009", fee_currency="BTC"))
    assert (sold.position.side, sold.closed_trades[0].quantity) == (asking.FLAT, "0.999")
    assert ledger.GetSummary(asking.summary(portfolio)).totals[0].cash == "9400"
    assert sold.position.net_realized_pnl == "9400"


def test_a_rebate_is_a_negative_fee(ledger: Stub, portfolio: str, symbol: str) -> None:
    """It raises what is realized, with the quantity it belongs to."""
    ledger.RecordFill(fill(portfolio, symbol, "2", "100", fee="-0.5"))
    assert ledger.RecordFill(fill(portfolio, symbol, "1", "100", side=SELL)).position.net_realized_pnl == "0.25"


def test_a_fee_without_a_rate_is_listed_until_one_is_given(
    ledger: Stub, events: Stub, portfolio: str, symbol: str
) -> None:
    """The trade is provisional, the coin's balance is down, and the rate restates what it touches."""
    for name, side in (("f1", asking.BUY), ("f2", SELL)):
        ledger.RecordFill(fill(portfolio, symbol, "1", "100", side=side, fee="0.01", fee_currency="BNB", fill_id=name))
    (trade,) = ledger.ListClosedTrades(trades(portfolio)).closed_trades
    assert (trade.net_pnl, trade.provisional) == ("0", True)
    position = reading.position(ledger, portfolio, symbol)
    assert (position.provisional, list(position.unconverted_fees)) == (True, [money("0.02", "BNB")])
    totals = {one.currency: one for one in ledger.GetSummary(asking.summary(portfolio)).totals}
    assert (totals["BNB"].cash, totals["USD"].cash, totals["USD"].provisional) == ("-0.02", "0", True)
    asked = event(portfolio, "fee_rate", fee_currency="BNB", quote_currency="USD", rate="600", source="desk")
    answer = events.RecordEvent(asked)
    (told,) = answer.restated_trades
    assert (told.before.net_pnl, told.after.net_pnl, told.after.provisional) == ("0", "-12", False)
    assert (answer.positions[0].net_realized_pnl, answer.positions[0].provisional) == ("-12", False)
    totals = {one.currency: one for one in ledger.GetSummary(asking.summary(portfolio)).totals}
    assert (totals["BNB"].cash, totals["USD"].cash, totals["USD"].provisional) == ("-0.02", "0", False)
    assert events.RecordEvent(asked).replayed
    assert refused(
        events.RecordEvent, event(portfolio, "fee_rate", fee_currency="BNB", quote_currency="USD", rate="1")
    ).fields == ["event.fee_rate.fee_currency"]


def test_net_is_provisional_until_the_broker_s_fees_are_in(
    portfolios: Stub, ledger: Stub, events: Stub, portfolio: str, symbol: str
) -> None:
    """Fees that come days later: zero is a fee like any other, and the last one makes the net final."""
    portfolios.CreatePortfolio(create(portfolio, fees_later=True))
    ledger.RecordFill(fill(portfolio, symbol, "1", "100", fill_id="f1"))
    closed = ledger.RecordFill(fill(portfolio, symbol, "1", "110", side=SELL, fill_id="f2"))
    assert (closed.closed_trades[0].net_pnl, closed.closed_trades[0].provisional) == ("10", True)
    first = events.RecordEvent(event(portfolio, "fill_fee", symbol=symbol, fill_id="f1", fee=money("0.65")))
    assert (first.restated_trades[0].after.net_pnl, first.positions[0].provisional) == ("9.35", True)
    second = events.RecordEvent(event(portfolio, "fill_fee", symbol=symbol, fill_id="f2", fee=money("0")))
    assert (second.restated_trades[0].after.provisional, second.positions[0].provisional) == (False, False)
    assert not ledger.GetSummary(asking.summary(portfolio)).totals[0].provisional
    nobody = event(portfolio, "fill_fee", symbol=symbol, fill_id="f9", fee=money("1"))
    assert refused(events.RecordEvent, nobody).reason == "FILL_NOT_FOUND"


def test_every_kind_of_cash_is_kept_apart(ledger: Stub, events: Stub, portfolio: str, symbol: str) -> None:
    """Funding, interest, dividends and charges each have a sum of their own; together they are the cash."""
    ledger.RecordFill(fill(portfolio, symbol, "1", "100", fee="1"))
    answer = None
    for kind, told in (
        ("deposit", {"money": money("1000")}),
        ("withdrawal", {"money": money("200")}),
        ("funding", {"symbol": symbol, "money": money("-3")}),
        ("interest", {"money": money("0.5")}),
        ("dividend", {"symbol": symbol, "money": money("4")}),
        ("charge", {"money": money("2.5")}),
    ):
        answer = events.RecordEvent(event(portfolio, kind, **told))
    (totals,) = ledger.GetSummary(asking.summary(portfolio)).totals
    assert (totals.funding, totals.interest, totals.dividends, totals.charged_fees) == ("-3", "0.5", "4", "2.5")
    assert answer is not None
    assert totals.cash == answer.cash[0].amount == "698"
    assert not totals.HasField("total_value")


def test_an_event_is_recorded_once(events: Stub, ledger: Stub, portfolio: str) -> None:
    """By its own id or the caller's; another content under either is refused, naming the field."""
    asked = event(portfolio, "deposit", money=money("5"), event_id="d1")
    ledger.CreateEntry(asking.entry(portfolio, "WARM"))
    first = events.RecordEvent(asked)
    again = events.RecordEvent(event(portfolio, "deposit", money=money("5"), event_id="d1"))
    assert (again.sequence, again.replayed) == (first.sequence, True)
    other = event(portfolio, "deposit", money=money("6"), event_id="d1")
    refusal = refused(events.RecordEvent, other)
    assert (refusal.reason, refusal.metadata) == ("FILL_CONFLICT", {"field": "amount"})
    other = event(portfolio, "withdrawal", money=money("5"), request_id=asked.request_id)
    assert refused(events.RecordEvent, other).reason == "REQUEST_ID_REUSED"
    assert refused(events.RecordEvent, event(portfolio, "deposit", request_id="", money=money("1"))).fields == [
        "request_id"
    ]
    assert refused(events.RecordEvent, event(portfolio, "deposit", money=money("-1"))).fields == [
        "event.deposit.money.amount"
    ]


def test_margined_positions_move_cash_by_their_pnl_alone(
    instruments: Stub, ledger: Stub, portfolios: Stub, market: Stub, portfolio: str, symbol: str
) -> None:
    """A perpetual costs nothing to open; total value is the same whether it was paid up front or is margined."""
    instruments.DefineInstrument(define(symbol, PERPETUAL, multiplier="1"))
    portfolios.CreatePortfolio(create(portfolio, initial_cash=[money("1000")]))
    ledger.RecordFill(fill(portfolio, symbol, "2", "100", fee="1"))
    ledger.RecordFill(fill(portfolio, f"{symbol}-SPOT", "2", "100", fee="1"))
    market.SetMarks(marks((symbol, "110"), (f"{symbol}-SPOT", "110")))
    (totals,) = ledger.GetSummary(asking.summary(portfolio)).totals
    assert (totals.cash, totals.unrealized_pnl, totals.total_value) == ("798", "40", "1038")
    ledger.CloseFifo(close(portfolio, symbol, "2", "110"))
    ledger.CloseFifo(close(portfolio, f"{symbol}-SPOT", "2", "110"))
    (totals,) = ledger.GetSummary(asking.summary(portfolio)).totals
    assert (totals.cash, totals.total_value) == ("1038", "1038")


@pytest.fixture
def converting(database_url: str, tmp_path: Path) -> Iterator[grpc.Channel]:
    """A sidecar that knows which marks convert: EUR/USD and BNB/USD."""
    config = tmp_path / "lotkeeper.toml"
    config.write_text('[pairs]\n"EUR/USD" = "EURUSD"\n"BNB/USD" = "BNBUSD"\n')
    with Sidecar(database_url, "--config", str(config)) as running, dialed(running.address) as channel:
        yield channel


def test_totals_in_the_base_currency_say_their_rates(converting: grpc.Channel) -> None:
    """USD in a EUR portfolio: the pair is used the other way round, with its time and source; without a mark it is named."""
    ledger = ledger_service_pb2_grpc.LedgerServiceStub(converting)
    market = market_service_pb2_grpc.MarketServiceStub(converting)
    events = event_service_pb2_grpc.EventServiceStub(converting)
    portfolio_service_pb2_grpc.PortfolioServiceStub(converting).CreatePortfolio(
        create("p", base_currency="EUR", initial_cash=[money("100", "EUR")])
    )
    ledger.RecordFill(fill("p", "S", "1", "50", fee="1"))
    base = ledger.GetSummary(asking.summary("p")).base_totals
    assert (base.currency, list(base.unconverted_currencies), list(base.rates)) == ("EUR", ["USD"], [])
    market.SetMarks(marks(("EURUSD", "1.25"), ("S", "60"), source="desk"))
    base = ledger.GetSummary(asking.summary("p")).base_totals
    assert (base.unrealized_pnl, base.total_value, list(base.unconverted_currencies)) == ("8", "107.2", [])
    (rate,) = base.rates
    assert (rate.from_currency, rate.to_currency, rate.rate, rate.source) == ("USD", "EUR", "0.8", "desk")
    events.RecordEvent(event("p", "deposit", money=money("10")))
    market.SetMarks(marks(("EURUSD", "1"), ("S", "60"), source="desk"))
    assert ledger.GetSummary(asking.summary("p")).base_totals.currency_pnl == "2"


def test_a_fee_in_another_coin_is_converted_at_the_rate_of_its_time(converting: grpc.Channel) -> None:
    """The rate stands with the entry, and a later mark does not change what was recorded."""
    ledger = ledger_service_pb2_grpc.LedgerServiceStub(converting)
    market = market_service_pb2_grpc.MarketServiceStub(converting)
    market.SetMarks(marks(("BNBUSD", "600"), source="desk"))
    entry = ledger.RecordFill(fill("p", "S", "1", "50", fee="0.01", fee_currency="BNB")).opened_entry
    assert (entry.fee, entry.fee_currency, entry.open_fee, entry.fee_pending) == ("0.01", "BNB", "6", False)
    assert (entry.fee_rate.rate, entry.fee_rate.from_currency, entry.fee_rate.source) == ("600", "BNB", "desk")
    market.SetMarks(marks(("BNBUSD", "700"), source="desk"))
    assert reading.position(ledger, "p", "S").open_fees == "6"
    totals = {one.currency: Decimal(one.cash) for one in ledger.GetSummary(asking.summary("p")).totals}
    assert totals == {"USD": Decimal(-50), "BNB": Decimal("-0.01")}


def test_an_instrument_in_another_currency_has_totals_of_its_own(converting: grpc.Channel) -> None:
    """Quoted in EUR: its amounts are EUR, beside the USD of the others."""
    ledger = ledger_service_pb2_grpc.LedgerServiceStub(converting)
    instruments = instrument_service_pb2_grpc.InstrumentServiceStub(converting)
    instruments.DefineInstrument(define("DAX-ETF", SPOT, quote_currency="EUR"))
    ledger.RecordFill(fill("p", "DAX-ETF", "1", "10"))
    position = ledger.RecordFill(fill("p", "DAX-ETF", "1", "13", side=SELL)).position
    assert (position.currency, position.net_realized_pnl) == ("EUR", "3")
    ledger.RecordFill(fill("p", "S", "1", "50"))
    listed = {one.currency: one.net_realized_pnl for one in ledger.ListClosedTrades(trades("p")).totals}
    assert listed["EUR"] == "3"
    shown = ledger.GetSummary(asking.summary("p")).totals
    assert [(one.currency, one.cash) for one in shown] == [("USD", "-50"), ("EUR", "3")]
