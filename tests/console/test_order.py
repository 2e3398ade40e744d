"""What comes first, and what is left out."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from lotkeeper import Position, PositionSide, Time
from lotkeeperd.console.choice import Choice, Sort
from lotkeeperd.console.order import chosen
from tests.console.values import FLAT, LONG


def position(symbol: str, pnl: str | None, marked: int | None, cost: str, portfolio: str = "scale") -> Position:
    """An open position that has realized nothing."""
    return replace(
        LONG,
        symbol=symbol,
        portfolio_id=portfolio,
        net_realized_pnl=Decimal(),
        unrealized_pnl=None if pnl is None else Decimal(pnl),
        mark_time=None if marked is None else Time(marked),
        cost_basis=Decimal(cost),
    )


POSITIONS = [
    position("DOT", "5", 30, "100"),
    position("BTC", None, None, "300"),
    position("ADA", "-7", 10, "900"),
    position("ADA", "9", 20, "200", "other"),
    replace(FLAT, symbol="XRP", net_realized_pnl=Decimal(6), cost_basis=Decimal(), unrealized_pnl=None, mark_time=None),
]


def names(choice: Choice) -> list[str]:
    """Symbols, with the portfolio where one stands twice."""
    return [
        each.symbol if each.portfolio_id != "other" else "ADA other" for each in chosen(reversed(POSITIONS), choice)
    ]


@pytest.mark.parametrize(
    ("sort", "first"),
    [
        (Sort.SYMBOL, ["ADA other", "ADA", "BTC", "DOT", "XRP"]),
        (Sort.PNL, ["ADA other", "XRP", "DOT", "ADA", "BTC"]),
        (Sort.AGE, ["BTC", "ADA", "ADA other", "DOT", "XRP"]),
        (Sort.VALUE, ["ADA", "BTC", "ADA other", "DOT", "XRP"]),
    ],
)
def test_positions_are_in_the_chosen_order(sort: Sort, first: list[str]) -> None:
    """Highest P&L, oldest mark or largest value first; unknown P&L last, a missing mark before the oldest."""
    assert names(Choice(sort=sort)) == first


def test_a_short_is_worth_what_it_costs_to_buy_back() -> None:
    """A short that lost is larger than a long that lost as much."""
    short = replace(position("S", "-50", 1, "100"), side=PositionSide.SHORT)
    long = position("L", "-50", 1, "100")

    assert [each.symbol for each in chosen([long, short], Choice(sort=Sort.VALUE))] == ["S", "L"]


@pytest.mark.parametrize(
    ("filter_", "left"),
    [("", 5), ("ada", 2), ("ADA other", 1), ("other", 1), ("swing xrp", 1), ("nothing", 0), ("ot", 2)],
)
def test_every_word_of_the_filter_must_occur(filter_: str, left: int) -> None:
    """In portfolio or symbol, capital or not."""
    assert len(names(Choice(filter=filter_))) == left
