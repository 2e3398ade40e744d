"""The independent count gives what a person gets with pencil and paper."""

from __future__ import annotations

from fractions import Fraction

import pytest

from lotkeeperd.demo.botlog import LONG, SHORT, LogError, LoggedFill
from lotkeeperd.demo.recount import cash, net_quantity, recount


def fills_of(text: str) -> list[LoggedFill]:
    """Fills written as ``+quantity@price/fee`` (bought) or ``-quantity@price/fee`` (sold), a nanosecond apart."""
    fills = []
    for number, word in enumerate(text.split()):
        quantity, _, rest = word[1:].partition("@")
        price, _, fee = rest.partition("/")
        side = LONG if word[0] == "+" else SHORT
        fills.append(
            LoggedFill("p", "S", f"f{number}", side, Fraction(quantity), Fraction(price), Fraction(fee or "0"), number)
        )
    return fills


SCENARIOS = {
    # name: (fills, lots left as "side quantity@price/open fee", trades as "quantity entry>exit gross fees of both")
    "one lot stays open": ("+2@10/0.5", ["LONG 2@10/0.5"], []),
    "two lots, one sell closes both": ("+1@100 +1@101 -2@103", [], ["1 100>103 3 0/0", "1 101>103 2 0/0"]),
    "one lot, two sells": ("+2@100 -1@101 -1@99", [], ["1 100>101 1 0/0", "1 100>99 -1 0/0"]),
    "scale in, close part": (
        "+100@50000 +50@51000 -120@53000",
        ["LONG 30@51000/0"],
        ["100 50000>53000 300000 0/0", "20 51000>53000 40000 0/0"],
    ),
    "a short covered lower wins": ("-1@100 +1@90", [], ["1 100>90 10 0/0"]),
    "one fill flips": ("+1@100 -3@110", ["SHORT 2@110/0"], ["1 100>110 10 0/0"]),
    "a flip shares its fee": ("+1@100/0.3 -3@110/0.9", ["SHORT 2@110/0.6"], ["1 100>110 10 0.3/0.3"]),
    "a third of a fee is rounded and the last share is the rest": (
        "+3@10/1 -1@11/0.1 -1@11/0.1 -1@11/0.1",
        [],
        [
            "1 10>11 1 0.333333333333333333/0.1",
            "1 10>11 1 0.333333333333333334/0.1",
            "1 10>11 1 0.333333333333333333/0.1",
        ],
    ),
    "an exit fee is shared over the lots it closes": (
        "+1@10 +2@10 -3@11/1",
        [],
        ["1 10>11 1 0/0.333333333333333333", "2 10>11 2 0/0.666666666666666667"],
    ),
    "a tie is rounded to even": (
        "+2@10/0.000000000000000001 -1@10 -1@10",
        [],
        ["1 10>10 0 0/0", "1 10>10 0 0.000000000000000001/0"],
    ),
    "a rebate keeps its sign": ("+2@10/-1 -1@12", ["LONG 1@10/-0.5"], ["1 10>12 2 -0.5/0"]),
    "quantities of different steps": (
        "+0.3@1 +0.25@2 -0.4@3",
        ["LONG 0.15@2/0"],
        ["0.3 1>3 0.6 0/0", "0.1 2>3 0.1 0/0"],
    ),
}


@pytest.mark.parametrize(("text", "lots", "trades"), SCENARIOS.values(), ids=SCENARIOS)
def test_fills_leave_these_lots_and_these_trades(text: str, lots: list[str], trades: list[str]) -> None:
    """Laws 2, 4, 5 and 7: the oldest lots close first, fees are shared whole, a flip closes and opens."""
    book = recount(fills_of(text))

    held = [lot for lot in book.lots if lot.remaining_quantity]
    assert [(lot.side, lot.remaining_quantity, lot.entry_price, lot.open_fee) for lot in held] == [
        (side, *(Fraction(number) for number in numbers.replace("@", "/").split("/")))
        for side, numbers in (lot.split() for lot in lots)
    ]
    assert [
        (trade.quantity, trade.entry_price, trade.exit_price, trade.gross_pnl, trade.entry_fee, trade.exit_fee)
        for trade in book.trades
    ] == [tuple(Fraction(number) for number in trade.replace(">", " ").replace("/", " ").split()) for trade in trades]


@pytest.mark.parametrize("text", [fills for fills, _, _ in SCENARIOS.values()], ids=SCENARIOS)
def test_law_6_the_books_p_and_l_is_cash_and_what_is_held(text: str) -> None:
    """Gross realized and unrealized P&L equal money in less money out and the held quantity at the mark."""
    fills, mark = fills_of(text), Fraction("107.3")

    book = recount(fills)

    unrealized = sum(
        (mark - lot.entry_price) * lot.remaining_quantity * (1 if lot.side == LONG else -1) for lot in book.lots
    )
    assert book.position.gross_realized_pnl + unrealized == cash(fills) + mark * net_quantity(fills)
    paid = sum(fill.fee for fill in fills)
    assert book.position.realized_fees + book.position.open_fees == paid


def test_a_position_is_the_sum_of_its_lots() -> None:
    """Average, cost, fees and times come from the open lots, realized P&L from the closed trades."""
    position = recount(fills_of("+1@10/0.1 +2@11/0.2 -1@13/0.3 +3@12/0.3")).position

    assert position.side == LONG
    assert position.total_quantity == 5
    assert position.average_entry_price == Fraction("11.6")
    assert position.cost_basis == 58
    assert position.gross_realized_pnl == 3
    assert position.realized_fees == Fraction("0.4")
    assert position.net_realized_pnl == Fraction("2.6")
    assert position.open_fees == Fraction("0.5")
    assert position.open_entry_count == 2
    assert (position.first_entry_time, position.last_entry_time) == (1, 3)


def test_an_average_and_a_percentage_are_rounded_half_even() -> None:
    """The average has 18 digits, the percentage 6."""
    book = recount(fills_of("+1@10 +2@11 +1@3 -1@11"))
    cheap = recount(fills_of("+3@7 -3@8"))

    assert book.position.average_entry_price == Fraction("8.333333333333333333")
    assert book.trades[0].pnl_pct == 10
    assert cheap.trades[0].pnl_pct == Fraction("14.285714")


def test_a_price_of_zero_has_no_percentage() -> None:
    """A gain on nothing paid has no percentage."""
    assert recount(fills_of("+1@0 -1@5")).trades[0].pnl_pct is None


def test_a_late_entry_takes_its_place_among_the_open_lots() -> None:
    """Law 2: an entry recorded later but executed earlier closes first."""
    first, late, close = fills_of("+1@10 +1@20 -1@30")

    book = recount([first._replace(time=5), late._replace(time=3), close._replace(time=9)])

    assert [trade.entry_price for trade in book.trades] == [20]


def test_no_fills_make_a_flat_book() -> None:
    """A bot that did not trade holds nothing."""
    book = recount([])

    assert book.position.side == "FLAT"
    assert book.position.total_quantity == 0
    assert not book.lots
    assert not book.trades


def test_quantities_too_fine_to_count_by_units_are_refused() -> None:
    """The count has a limit and names it."""
    with pytest.raises(LogError, match="more than 5000000 units"):
        recount(fills_of("+1000000@1 -0.1@1"))
