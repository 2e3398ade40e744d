"""The newest trades go by, and what a correction made of them."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from lotkeeper import ClosedTrade, RestatedTrade
from lotkeeperd.console.layout import text_of
from lotkeeperd.console.ticker import HELD, Ticker
from tests.console.values import closed_trade, update


def shown(ticker: Ticker) -> list[str]:
    """Its lines."""
    return [text_of(line) for line in ticker.lines]


def restated(before: ClosedTrade | None, after: ClosedTrade | None) -> RestatedTrade:
    """One restatement."""
    return RestatedTrade(before=before, after=after, sequence=9, index=0)


def test_a_closed_trade_says_what_it_made_and_how() -> None:
    """The reason too, where one was given."""
    ticker = Ticker()

    ticker.take(
        replace(update(), closed_trades=(closed_trade(), closed_trade(exit_reason="stop_loss", provisional=True)))
    )

    assert shown(ticker) == [
        "closed scale BTC: net 99.50 USD, LONG 1, 46,000.00 -> 46,100.00",
        "closed scale BTC: net 99.50 USD~, LONG 1, 46,000.00 -> 46,100.00, stop_loss",
    ]


def test_a_restated_trade_is_told_before_and_after() -> None:
    """Also one that is no more, and one that was none."""
    ticker = Ticker()
    before, after = closed_trade(), closed_trade(trade_id="T9.0", net_pnl=Decimal("147.5"))

    ticker.take(
        replace(update(), restated_trades=(restated(before, after), restated(before, None), restated(None, after)))
    )

    assert shown(ticker) == [
        "restated scale BTC: T5.0 net 99.50 USD -> T9.0 net 147.50 USD",
        "restated scale BTC: T5.0 net 99.50 USD -> none",
        "restated scale BTC: none -> T9.0 net 147.50 USD",
    ]


def test_only_the_newest_are_kept_and_another_ledger_s_are_forgotten() -> None:
    """However many come at once."""
    ticker = Ticker()
    ticker.take(replace(update(), closed_trades=tuple(closed_trade(symbol=f"S{number}") for number in range(9))))

    assert [line.split()[2] for line in shown(ticker)] == [f"S{number}:" for number in range(9 - HELD, 9)]
    ticker.clear()
    assert shown(ticker) == []
