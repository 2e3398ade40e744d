"""GetSummary by another lot method: the same executions, matched otherwise, beside what was decided."""

from __future__ import annotations

from decimal import Decimal
from random import Random
from typing import Any

import pytest

from lotkeeper.v1 import ledger_pb2
from tests.contract import reading
from tests.contract.asking import BUY, SELL, close, entry, fill, marks, summary
from tests.contract.happening import bust, create, event, money
from tests.contract.lives import AMENDING, EVERYTHING, TRADING, Life, Stubs
from tests.contract.test_as_of import lot_method, scenario

Stub = Any
"""A generated stub; gRPC writes no types for it."""

METHODS = ("FIFO", "LIFO", "HIFO", "AVERAGE", "CHOSEN")
FIGURES = (
    "side",
    "total_quantity",
    "average_entry_price",
    "cost_basis",
    "gross_realized_pnl",
    "realized_fees",
    "open_fees",
    "open_entry_count",
)


def view(ledger: Stub, portfolio: str, method: str, **others: Any) -> Any:
    """A summary by ``method``, with what is flat."""
    return ledger.GetSummary(summary(portfolio, include_flat=True, lot_method=lot_method(method), **others))


def figures(answer: Any) -> list[tuple[Any, ...]]:
    """What a method decides over, by position."""
    return [tuple(getattr(position, name) for name in FIGURES) for position in answer.positions]


def realized(answer: Any) -> tuple[Decimal, Decimal]:
    """Gross and fees of all positions."""
    return (
        sum((Decimal(position.gross_realized_pnl) for position in answer.positions), Decimal(0)),
        sum((Decimal(position.realized_fees) for position in answer.positions), Decimal(0)),
    )


@pytest.fixture
def bought_three(ledger: Stub, portfolio: str, symbol: str) -> None:
    """10 at 100, 10 at 120 and 10 at 110; 12 of them sold at 130."""
    for quantity, price, side in (("10", "100", BUY), ("10", "120", BUY), ("10", "110", BUY), ("12", "130", SELL)):
        ledger.RecordFill(fill(portfolio, symbol, quantity, price, side=side, fill_id=f"{side}@{price}"))


@pytest.mark.usefixtures("bought_three")
@pytest.mark.parametrize(
    ("method", "gross", "cost", "average"),
    [
        ("FIFO", "320", "2060", "114.444444444444444444"),
        ("LIFO", "220", "1960", "108.888888888888888889"),
        ("HIFO", "140", "1880", "104.444444444444444444"),
        ("AVERAGE", "240", "1980", "110"),
        ("CHOSEN", "320", "2060", "114.444444444444444444"),
    ],
)
def test_realized_cost_and_average_differ_by_method(
    ledger: Stub, portfolio: str, method: str, gross: str, cost: str, average: str
) -> None:
    """What is open does not, nor cash."""
    answer = view(ledger, portfolio, method)
    (position,) = answer.positions
    assert (position.gross_realized_pnl, position.cost_basis, position.average_entry_price) == (gross, cost, average)
    assert (position.total_quantity, answer.totals[0].cash) == ("18", "-1740")
    assert position.lot_method == lot_method(method)


@pytest.mark.usefixtures("bought_three")
def test_a_view_has_its_own_lots(ledger: Stub, portfolio: str, symbol: str) -> None:
    """By LIFO the newest lot is gone and the second one begun; the portfolio's own stay as they were."""
    (position,) = view(ledger, portfolio, "LIFO", include_entries=True).positions
    assert [(lot.entry_price, lot.remaining_quantity) for lot in position.entries] == [("100", "10"), ("120", "8")]
    assert reading.position(ledger, portfolio, symbol).gross_realized_pnl == "320"


@pytest.mark.usefixtures("bought_three")
def test_a_view_is_valued_by_the_marks_of_the_request(ledger: Stub, market: Stub, portfolio: str, symbol: str) -> None:
    """Gross realized and unrealized together are the same by every method (law 6)."""
    market.SetMarks(marks((symbol, "500")))
    assert not view(ledger, portfolio, "LIFO").positions[0].HasField("unrealized_pnl")
    together = set()
    for method in METHODS:
        (position,) = view(ledger, portfolio, method, marks=scenario(**{symbol: "150"})).positions
        together.add(Decimal(position.gross_realized_pnl) + Decimal(position.unrealized_pnl))
    assert together == {Decimal(960)}


@pytest.mark.usefixtures("bought_three")
def test_a_flat_book_gained_the_same_by_every_method_with_a_correction_in_between(
    ledger: Stub, events: Stub, portfolio: str, symbol: str
) -> None:
    """The second lot was taken back; then the rest was sold."""
    events.BustFill(bust(portfolio, symbol, f"{BUY}@120"))
    assert len({tuple(figures(view(ledger, portfolio, method))) for method in METHODS}) > 1
    ledger.CloseFifo(close(portfolio, symbol, close_all=True, price="105"))
    assert {realized(view(ledger, portfolio, method)) for method in METHODS} == {(Decimal(300), Decimal(0))}


def test_a_view_of_the_past_knows_no_later_correction(ledger: Stub, events: Stub, portfolio: str, symbol: str) -> None:
    """Method and moment go together."""
    ledger.RecordFill(fill(portfolio, symbol, "1", "100", fill_id="f1"))
    ledger.RecordFill(fill(portfolio, symbol, "1", "120", fill_id="f2"))
    sold = ledger.RecordFill(fill(portfolio, symbol, "1", "130", side=SELL, fill_id="f3")).sequence
    events.BustFill(bust(portfolio, symbol, "f2"))
    then, now = (
        view(ledger, portfolio, "LIFO", as_of_sequence=sold),
        view(ledger, portfolio, "LIFO"),
    )
    assert (then.positions[0].gross_realized_pnl, now.positions[0].gross_realized_pnl) == ("10", "30")


def test_lots_that_changed_their_symbol_are_the_view_s(ledger: Stub, events: Stub, portfolio: str, symbol: str) -> None:
    """By LIFO the older lot is left when the symbol changes, by FIFO the newer."""
    for price in ("100", "120"):
        ledger.CreateEntry(entry(portfolio, symbol, price=price))
    ledger.CloseFifo(close(portfolio, symbol, price="130"))
    events.RecordEvent(event(portfolio, "symbol_change", from_symbol=symbol, to_symbol=f"{symbol}-NEW"))
    ledger.CloseFifo(close(portfolio, f"{symbol}-NEW", price="140"))
    for method, gained in (("FIFO", ["30", "20"]), ("LIFO", ["10", "40"])):
        assert [one.gross_realized_pnl for one in view(ledger, portfolio, method).positions] == gained


def test_a_portfolio_that_chose_its_lots_can_be_seen_by_fifo(
    ledger: Stub, portfolios: Stub, portfolio: str, symbol: str
) -> None:
    """By CHOSEN it is what was decided."""
    portfolios.CreatePortfolio(create(portfolio, lot_method=lot_method("CHOSEN")))
    ledger.CreateEntry(entry(portfolio, symbol, price="100"))
    second = ledger.CreateEntry(entry(portfolio, symbol, price="120")).entry.entry_id
    ledger.CloseFifo(close(portfolio, symbol, "1", "130", lots=[ledger_pb2.LotChoice(entry_id=second, quantity="1")]))
    gained = {method: view(ledger, portfolio, method).positions[0].gross_realized_pnl for method in METHODS}
    assert gained == {"FIFO": "30", "LIFO": "10", "HIFO": "10", "AVERAGE": "20", "CHOSEN": "10"}


@pytest.mark.parametrize("method", ["LIFO", "HIFO", "AVERAGE"])
def test_a_view_is_what_a_portfolio_of_that_method_says(
    ledger: Stub, events: Stub, portfolios: Stub, portfolio: str, symbol: str, seed: int, method: str
) -> None:
    """The same life, told to a portfolio that closes by FIFO and to one that closes by ``method``: after every write."""
    stubs = Stubs(ledger, events, portfolios)
    kinds = (*TRADING, *AMENDING, "split", "rate")
    lives = {
        own: Life(
            stubs,
            f"{portfolio}-{own}",
            (symbol, f"{symbol}-2"),
            Random(f"{seed} {method}"),
            base_currency="USD",
            lot_method=lot_method(own),
        )
        for own in ("FIFO", method)
    }
    for life in lives.values():
        life.play(30, kinds)
    desk, other = lives["FIFO"], lives[method]
    assert desk.played == other.played
    for seen, own in zip(desk.seen, other.seen, strict=True):
        assert figures(view(ledger, desk.portfolio, method, as_of_sequence=seen.sequence)) == figures(own.answer)


@pytest.mark.parametrize("method", ["FIFO", "AVERAGE"])
def test_every_method_s_total_over_flat_books_is_the_same(
    ledger: Stub, events: Stub, portfolios: Stub, portfolio: str, symbol: str, seed: int, method: str
) -> None:
    """Whatever happened, was corrected, split or renamed on the way."""
    stubs = Stubs(ledger, events, portfolios)
    terms = {"lot_method": lot_method(method), "initial_cash": [money("1000")]}
    life = Life(stubs, portfolio, (symbol, f"{symbol}-2"), Random(f"{seed} {method}"), base_currency="USD", **terms)
    life.play(40, EVERYTHING)
    life.flatten()
    assert len({realized(view(ledger, portfolio, other)) for other in METHODS}) == 1, life.played
    assert len({view(ledger, portfolio, other).totals[0].cash for other in METHODS}) == 1, life.played
