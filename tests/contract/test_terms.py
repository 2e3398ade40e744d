"""Portfolios and instruments: what is agreed on holds for every command, and what was recorded under it cannot be changed."""

from __future__ import annotations

from typing import Any

import grpc
import pytest

from lotkeeper.v1 import instrument_service_pb2, ledger_pb2, portfolio_service_pb2
from tests.contract import asking, reading
from tests.contract.asking import LONG, REVERSE, SELL, SHORT, close, entry, fill, fresh, trades
from tests.contract.happening import (
    EQUITY,
    FUTURE,
    HEDGING,
    INVERSE,
    OPTION,
    PERPETUAL,
    SPOT,
    bust,
    create,
    define,
    event,
    money,
)
from tests.support.refusals import refused

Stub = Any
"""A generated stub; gRPC writes no types for it."""


def test_a_portfolio_is_created_with_its_terms(portfolios: Stub, portfolio: str) -> None:
    """What was left out has its default; the same request again is a replay; other terms under its name are refused."""
    asked = create(
        portfolio, base_currency="EUR", position_mode=HEDGING, time_zone="Europe/Berlin", initial_cash=[money("5")]
    )
    answer = portfolios.CreatePortfolio(asked)
    terms = answer.portfolio
    assert (terms.base_currency, terms.time_zone, terms.position_mode) == ("EUR", "Europe/Berlin", HEDGING)
    assert (terms.lot_method, terms.long_only, terms.closed) == (ledger_pb2.LOT_METHOD_FIFO, False, False)
    assert (terms.sequence, list(terms.initial_cash)) == (answer.sequence, [money("5")])
    again = portfolios.CreatePortfolio(asked)
    assert (again.sequence, again.replayed, again.portfolio) == (answer.sequence, True, terms)
    refusal = refused(portfolios.CreatePortfolio, create(portfolio, base_currency="USD"))
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.ALREADY_EXISTS, "PORTFOLIO_EXISTS")
    assert refusal.metadata == {"field": "base_currency"}
    reused = create(portfolio, base_currency="USD", request_id=asked.request_id)
    assert refused(portfolios.CreatePortfolio, reused).reason == "REQUEST_ID_REUSED"


def test_what_the_first_record_fixed_stays(portfolios: Stub, ledger: Stub, portfolio: str, symbol: str) -> None:
    """Before it the terms may change; after it the base currency, the mode and the lot method may not, the rest may."""
    update = portfolio_service_pb2.UpdatePortfolioRequest
    portfolios.CreatePortfolio(create(portfolio))
    changed = portfolios.UpdatePortfolio(update(request_id=fresh(), portfolio_id=portfolio, base_currency="EUR"))
    assert changed.portfolio.base_currency == "EUR"
    ledger.CreateEntry(entry(portfolio, symbol))
    fixed: list[tuple[str, Any]] = [("base_currency", "USD"), ("position_mode", HEDGING), ("lot_method", 2)]
    for name, value in fixed:
        asked = update(request_id=fresh(), portfolio_id=portfolio, **{name: value})
        refusal = refused(portfolios.UpdatePortfolio, asked)
        assert (refusal.reason, refusal.metadata) == ("PORTFOLIO_IN_USE", {"field": name})
    answer = portfolios.UpdatePortfolio(
        update(request_id=fresh(), portfolio_id=portfolio, description="mean reversion", long_only=True)
    )
    assert (answer.portfolio.description, answer.portfolio.long_only) == ("mean reversion", True)


def test_a_closed_portfolio_takes_no_commands_and_stays_readable(
    portfolios: Stub, ledger: Stub, events: Stub, portfolio: str, symbol: str
) -> None:
    """It has to be flat first; afterwards every write is refused by name, and its history is there."""
    shut = portfolio_service_pb2.ClosePortfolioRequest
    ledger.CreateEntry(entry(portfolio, symbol))
    refusal = refused(portfolios.ClosePortfolio, shut(request_id=fresh(), portfolio_id=portfolio))
    assert (refusal.reason, refusal.metadata) == ("PORTFOLIO_NOT_EMPTY", {"symbol": symbol})
    ledger.CloseFifo(close(portfolio, symbol))
    assert portfolios.ClosePortfolio(shut(request_id=fresh(), portfolio_id=portfolio)).portfolio.closed
    for call, request in (
        (ledger.CreateEntry, entry(portfolio, symbol)),
        (ledger.RecordFill, fill(portfolio, symbol)),
        (events.RecordEvent, event(portfolio, "deposit", money=money("1"))),
    ):
        refusal = refused(call, request)
        assert (refusal.reason, refusal.metadata) == ("PORTFOLIO_CLOSED", {"portfolio_id": portfolio})
    assert len(ledger.ListClosedTrades(trades(portfolio)).closed_trades) == 1
    lists = portfolio_service_pb2.ListPortfoliosRequest
    assert not portfolios.ListPortfolios(lists(portfolio_ids=[portfolio])).portfolios
    assert portfolios.ListPortfolios(lists(portfolio_ids=[portfolio], include_closed=True)).portfolios[0].closed


def test_a_hedging_portfolio_has_both_sides_open(portfolios: Stub, ledger: Stub, portfolio: str, symbol: str) -> None:
    """A long and a short book of one symbol, each closed by itself; a fill says which one it is of."""
    portfolios.CreatePortfolio(create(portfolio, position_mode=HEDGING))
    ledger.RecordFill(fill(portfolio, symbol, "3", "100", position_side=LONG))
    ledger.RecordFill(fill(portfolio, symbol, "2", "105", side=SELL, position_side=SHORT))
    both = ledger.GetSummary(asking.summary(portfolio)).positions
    assert [(one.book_side, one.side, one.total_quantity) for one in both] == [(LONG, LONG, "3"), (SHORT, SHORT, "2")]
    assert refused(ledger.RecordFill, fill(portfolio, symbol)).fields == ["fill.position_side"]
    assert refused(ledger.CloseFifo, close(portfolio, symbol)).fields == ["side"]
    too_much = fill(portfolio, symbol, "4", "110", side=SELL, position_side=LONG)
    assert refused(ledger.RecordFill, too_much).reason == "INSUFFICIENT_QUANTITY"
    assert refused(ledger.CloseFifo, close(portfolio, symbol, side=LONG, excess_policy=REVERSE)).fields == [
        "excess_policy"
    ]
    closed = ledger.CloseFifo(close(portfolio, symbol, "2", "90", side=SHORT))
    assert (closed.net_pnl, closed.position.book_side, closed.position.side) == ("30", SHORT, asking.FLAT)
    assert ledger.CloseFifo(close(portfolio, symbol, "1", "101")).net_pnl == "1"


def test_a_netting_portfolio_has_no_sides(ledger: Stub, portfolio: str, symbol: str) -> None:
    """A fill that names one was meant for another portfolio."""
    assert refused(ledger.RecordFill, fill(portfolio, symbol, position_side=LONG)).fields == ["fill.position_side"]


def test_a_long_only_portfolio_is_never_short(portfolios: Stub, ledger: Stub, portfolio: str, symbol: str) -> None:
    """Neither opened short, nor turned, whatever the excess policy; up to flat it may sell."""
    portfolios.CreatePortfolio(create(portfolio, long_only=True))
    for call, request in (
        (ledger.CreateEntry, entry(portfolio, symbol, side=SHORT)),
        (ledger.RecordFill, fill(portfolio, symbol, side=SELL)),
    ):
        assert refused(call, request).reason == "LONG_ONLY"
    ledger.RecordFill(fill(portfolio, symbol, "2"))
    refusal = refused(ledger.RecordFill, fill(portfolio, symbol, "3", side=SELL, excess_policy=REVERSE))
    assert (refusal.reason, refusal.metadata) == ("LONG_ONLY", {"symbol": symbol, "open_quantity": "2"})
    assert refused(ledger.RecordFill, fill(portfolio, symbol, "3", side=SELL)).reason == "INSUFFICIENT_QUANTITY"
    assert ledger.RecordFill(fill(portfolio, symbol, "2", side=SELL)).position.side == asking.FLAT


@pytest.mark.parametrize(
    ("method", "realized", "average"),
    [("FIFO", "60", "120"), ("LIFO", "20", "100"), ("HIFO", "20", "100"), ("AVERAGE", "40", "110")],
)
def test_the_lot_method_decides_which_lots_a_close_takes(
    portfolios: Stub, ledger: Stub, portfolio: str, symbol: str, method: str, realized: str, average: str
) -> None:
    """Lots of 2 at 100 and 2 at 120, 2 sold at 130."""
    portfolios.CreatePortfolio(create(portfolio, lot_method=f"LOT_METHOD_{method}"))
    ledger.RecordFill(fill(portfolio, symbol, "2", "100"))
    ledger.RecordFill(fill(portfolio, symbol, "2", "120"))
    answer = ledger.RecordFill(fill(portfolio, symbol, "2", "130", side=SELL))
    position = answer.position
    assert (position.net_realized_pnl, position.average_entry_price) == (realized, average)
    flat = ledger.RecordFill(fill(portfolio, symbol, "2", "130", side=SELL)).position
    assert flat.net_realized_pnl == "80"


def test_lots_are_chosen_one_by_one(portfolios: Stub, ledger: Stub, portfolio: str, symbol: str) -> None:
    """The close takes what it names, in that order; what is not open that far, or does not sum up, is refused."""
    portfolios.CreatePortfolio(create(portfolio, lot_method="LOT_METHOD_CHOSEN"))
    first, second, third = (
        ledger.CreateEntry(entry(portfolio, symbol, "2", price)).entry.entry_id for price in ("100", "110", "120")
    )
    answer = ledger.CloseFifo(
        close(
            portfolio,
            symbol,
            "3",
            "130",
            lots=[{"entry_id": third, "quantity": "1"}, {"entry_id": first, "quantity": "2"}],
        )
    )
    assert [(one.entry_id, one.quantity, one.gross_pnl) for one in answer.closed_trades] == [
        (third, "1", "10"),
        (first, "2", "60"),
    ]
    gone = refused(ledger.CloseFifo, close(portfolio, symbol, "1", lots=[{"entry_id": first, "quantity": "1"}]))
    assert (gone.reason, gone.metadata) == ("LOT_NOT_OPEN", {"entry_id": first, "open_quantity": "0"})
    wrong = refused(ledger.CloseFifo, close(portfolio, symbol, "2", lots=[{"entry_id": second, "quantity": "1"}]))
    assert wrong.fields == ["lots"]
    assert refused(ledger.CloseFifo, close(portfolio, symbol, lots=[{"entry_id": "x", "quantity": "1"}])).fields == [
        "lots[0].entry_id"
    ]


def test_an_occ_symbol_gives_its_own_terms(ledger: Stub, instruments: Stub, portfolio: str) -> None:
    """100 shares, its underlying, expiry, strike and right; one contract at 5.25 costs 525."""
    symbol = f"SPY270115P{asking.fresh('')[-5:].zfill(8)}"
    position = ledger.RecordFill(fill(portfolio, symbol, "1", "5.25")).position
    assert (position.multiplier, position.cost_basis, position.average_entry_price) == ("100", "525", "5.25")
    listed = instruments.ListInstruments(instrument_service_pb2.ListInstrumentsRequest(symbols=[symbol])).instruments
    (option,) = listed
    assert (option.kind, option.underlying, option.expiry, option.declared) == (OPTION, "SPY", "2027-01-15", False)


@pytest.mark.parametrize("symbol", ["BTC-PERP", "BTC-PERPETUAL", "ETH-27DEC30", "BTC-27DEC30-100000-C"])
def test_a_contract_is_never_guessed(ledger: Stub, portfolio: str, symbol: str) -> None:
    """It is refused by name until somebody declares it; nothing is written, not even its portfolio."""
    refusal = refused(ledger.RecordFill, fill(portfolio, symbol))
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "INSTRUMENT_NOT_DECLARED")
    assert refusal.metadata == {"symbol": symbol}
    assert not reading.exists(ledger, portfolio)


def test_contracts_and_options_need_a_multiplier(instruments: Stub, symbol: str) -> None:
    """Every kind but spot and equity; the refusal names the instrument's field."""
    for kind in (PERPETUAL, FUTURE, OPTION, INVERSE):
        assert "instrument.multiplier" in refused(instruments.DefineInstrument, define(symbol, kind)).fields
    answer = instruments.DefineInstrument(define(symbol, EQUITY))
    assert (answer.instrument.multiplier, answer.instrument.quote_currency) == ("1", "USD")


def test_an_inverse_contract_gains_in_its_coin(instruments: Stub, ledger: Stub, portfolio: str, symbol: str) -> None:
    """100 contracts of 1 USD from 50,000 to 55,000: 0.002 - 0.001818181818181818 BTC, rounded once."""
    instruments.DefineInstrument(define(symbol, INVERSE, multiplier="1", base_currency="BTC"))
    ledger.RecordFill(fill(portfolio, symbol, "100", "50000"))
    (trade,) = ledger.RecordFill(fill(portfolio, symbol, "100", "55000", side=SELL)).closed_trades
    assert (trade.gross_pnl, trade.currency) == ("0.000181818181818182", "BTC")
    assert refused(ledger.RecordFill, fill(portfolio, symbol, "1", "0")).fields == ["fill.price"]
    totals = {one.currency: one for one in ledger.GetSummary(asking.summary(portfolio)).totals}
    assert totals["BTC"].cash == "0.000181818181818182"


def test_what_open_lots_are_valued_by_stays(instruments: Stub, ledger: Stub, portfolio: str, symbol: str) -> None:
    """A multiplier changes only while nothing is open; steps and names may change at any time."""
    instruments.DefineInstrument(define(symbol, FUTURE, multiplier="50"))
    assert ledger.RecordFill(fill(portfolio, symbol, "2", "10")).position.cost_basis == "1000"
    refusal = refused(instruments.DefineInstrument, define(symbol, FUTURE, multiplier="20"))
    assert (refusal.reason, refusal.metadata) == (
        "INSTRUMENT_IN_USE",
        {"symbol": symbol, "field": "multiplier", "open_quantity": "2"},
    )
    instruments.DefineInstrument(define(symbol, FUTURE, multiplier="50", price_step="0.25"))
    ledger.RecordFill(fill(portfolio, symbol, "2", "11", side=SELL))
    instruments.DefineInstrument(define(symbol, FUTURE, multiplier="20"))
    position = ledger.RecordFill(fill(portfolio, symbol, "2", "10")).position
    assert (position.multiplier, position.cost_basis, position.net_realized_pnl) == ("20", "400", "100")


def test_prices_are_negative_only_where_that_is_declared(
    instruments: Stub, ledger: Stub, portfolio: str, symbol: str
) -> None:
    """Oil in April 2020: bought at -37.63, sold at 10.01."""
    assert refused(ledger.RecordFill, fill(portfolio, symbol, "1", "-37.63")).fields == ["fill.price"]
    instruments.DefineInstrument(define(symbol, FUTURE, multiplier="1000", negative_prices=True))
    ledger.RecordFill(fill(portfolio, symbol, "1", "-37.63"))
    answer = ledger.RecordFill(fill(portfolio, symbol, "1", "10.01", side=SELL))
    assert answer.position.net_realized_pnl == "47640"


def test_declared_spot_is_not_sold_short_by_an_unspecified_policy(
    instruments: Stub, ledger: Stub, portfolio: str, symbol: str
) -> None:
    """What is not there cannot be sold; who borrows says REVERSE."""
    instruments.DefineInstrument(define(symbol, SPOT))
    ledger.RecordFill(fill(portfolio, symbol, "1"))
    assert refused(ledger.RecordFill, fill(portfolio, symbol, "2", side=SELL)).reason == "INSUFFICIENT_QUANTITY"
    turned = ledger.RecordFill(fill(portfolio, symbol, "2", side=SELL, excess_policy=REVERSE)).position
    assert (turned.side, turned.total_quantity) == (SHORT, "1")


def test_no_portfolio_reads_or_changes_another(ledger: Stub, events: Stub, portfolio: str, symbol: str) -> None:
    """The same ids, symbols and orders in two portfolios: both are recorded, and each shows its own alone."""
    other = f"{portfolio}-other"
    for name, price in ((portfolio, "100"), (other, "200")):
        ledger.RecordFill(fill(name, symbol, "1", price, fill_id="same", order_id="same", request_id="same"))
        events.RecordEvent(event(name, "deposit", money=money(price), event_id="same", request_id="also"))
    before = ledger.GetSummary(asking.summary(other))
    ledger.RecordFill(fill(portfolio, symbol, "1", "110", side=SELL))
    events.BustFill(bust(portfolio, symbol, "same", excess_policy=REVERSE))
    after = ledger.GetSummary(asking.summary(other))
    assert after.positions == before.positions
    assert after.totals == before.totals
    assert not ledger.ListClosedTrades(trades(other)).closed_trades


def test_the_realized_pnl_of_a_day_is_of_the_portfolio_s_own_day(
    ledger: Stub, portfolios: Stub, portfolio: str, symbol: str
) -> None:
    """Closed at 04:30 UTC: in New York that is the day before."""
    portfolios.CreatePortfolio(create(portfolio, time_zone="America/New_York"))
    at = 1_736_915_400 * asking.SECOND  # 2025-01-15T04:30:00Z
    ledger.RecordFill(fill(portfolio, symbol, "1", "100", fill_time=asking.stamp(at - 1)))
    ledger.RecordFill(fill(portfolio, symbol, "1", "103", side=SELL, fill_time=asking.stamp(at)))
    for day, net in (("2025-01-14", "3"), ("2025-01-15", "0")):
        answer = ledger.ListClosedTrades(trades(portfolio, day=day))
        assert [one.net_realized_pnl for one in answer.totals] == [net]
    ledger.RecordFill(fill(portfolio, symbol, "1", "100"))
    ledger.RecordFill(fill(portfolio, symbol, "1", "101", side=SELL))
    assert ledger.ListClosedTrades(trades(portfolio, day="today")).totals[0].net_realized_pnl == "1"
    assert refused(ledger.ListClosedTrades, trades(portfolio, day="tomorrow")).fields == ["day"]
    both = trades(portfolio, day="today", start_time=asking.stamp(at))
    assert refused(ledger.ListClosedTrades, both).fields == ["day"]


def test_lists_of_terms_come_in_pages(portfolios: Stub, portfolio: str) -> None:
    """By id, each once, and a token is good for its own request alone."""
    names = [f"{portfolio}-{place}" for place in range(5)]
    for name in names:
        portfolios.CreatePortfolio(create(name))
    lists = portfolio_service_pb2.ListPortfoliosRequest
    found, token = [], ""
    while True:
        page = portfolios.ListPortfolios(lists(portfolio_ids=names, page_size=2, page_token=token))
        found += [one.portfolio_id for one in page.portfolios]
        token = page.next_page_token
        if not token:
            break
    assert found == names
    first = portfolios.ListPortfolios(lists(portfolio_ids=names, page_size=2)).next_page_token
    assert refused(portfolios.ListPortfolios, lists(page_token=first)).reason == "INVALID_PAGE_TOKEN"


def test_calls_and_terms_need_what_identifies_them(portfolios: Stub, instruments: Stub, portfolio: str) -> None:
    """A request id, a symbol, a zone that exists."""
    assert refused(portfolios.CreatePortfolio, create(portfolio, request_id="")).fields == ["request_id"]
    assert refused(portfolios.CreatePortfolio, create(portfolio, time_zone="Mars/Base")).fields == [
        "portfolio.time_zone"
    ]
    assert refused(instruments.DefineInstrument, define("", SPOT, request_id="")).fields == [
        "instrument.symbol",
        "request_id",
    ]
