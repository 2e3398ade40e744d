"""A day by a portfolio's own clocks, and what was realized in it."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest

from lotkeeper import ClosedTrade, PositionSide, Time
from lotkeeperd.console.day import by_symbol, span_of

NOON = Time.of(dt.datetime(2026, 3, 29, 22, 30, tzinfo=dt.UTC))
TRADE = ClosedTrade(
    trade_id="T1.0",
    portfolio_id="p",
    symbol="A",
    side=PositionSide.LONG,
    entry_id="E",
    quantity=Decimal(1),
    entry_price=Decimal(1),
    exit_price=Decimal(2),
    entry_time=Time(1),
    exit_time=Time(2),
    entry_order_id="",
    entry_fill_id="",
    exit_order_id="",
    exit_fill_id="",
    exit_reason="",
    gross_pnl=Decimal("0.1"),
    entry_fee=Decimal("0.01"),
    exit_fee=Decimal("0.02"),
    net_pnl=Decimal("0.07"),
    pnl_pct=None,
    currency="USD",
    sequence=1,
    index=0,
    synthetic=False,
    labels={},
    group_id="",
    superseded_by="",
    provisional=False,
    exit_sequence=1,
)


@pytest.mark.parametrize(
    ("day", "zone", "date", "ends"),
    [
        ("today", "", "2026-03-29", "2026-03-30T00:00:00+00:00"),
        ("today", "Europe/Berlin", "2026-03-30", "2026-03-31T00:00:00+02:00"),
        ("yesterday", "Europe/Berlin", "2026-03-29", "2026-03-30T00:00:00+02:00"),
        ("2026-01-05", "America/New_York", "2026-01-05", "2026-01-06T00:00:00-05:00"),
    ],
)
def test_a_day_is_one_by_the_portfolios_clocks(day: str, zone: str, date: str, ends: str) -> None:
    """Half past midnight in Berlin is still yesterday in London."""
    span = span_of(day, zone, NOON)

    assert span.date.isoformat() == date
    assert span.end == Time.of(dt.datetime.fromisoformat(ends))


@pytest.mark.parametrize("day", ["", "tomorrow", "2026-02-30", "20260105", "9999-12-31", "2300-01-01"])
def test_what_is_no_day_is_refused(day: str) -> None:
    """Before anybody is asked."""
    with pytest.raises(ValueError, match="day|2262"):
        span_of(day, "", NOON)


def test_trades_are_summed_by_symbol_and_currency_exactly() -> None:
    """Both fees of each; in the order of the names."""
    long_digits = Decimal("0.000000000000000001")
    trades = [TRADE, replace(TRADE, symbol="B"), replace(TRADE, currency="EUR"), replace(TRADE, net_pnl=long_digits)]
    eur, usd, b = by_symbol(iter(trades))

    assert (eur.currency, usd.currency, b.symbol) == ("EUR", "USD", "B")
    assert (usd.trade_count, usd.gross_realized_pnl, usd.realized_fees) == (2, Decimal("0.2"), Decimal("0.06"))
    assert usd.net_realized_pnl == Decimal("0.070000000000000001")


def test_a_day_without_trades_has_no_symbols() -> None:
    """Nothing is made up."""
    assert by_symbol([]) == ()
