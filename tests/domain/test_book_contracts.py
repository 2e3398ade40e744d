"""Laws 1 and 6 for contracts: a multiplier is a product, an inverse value is rounded once per fill and then shared like a fee."""

from __future__ import annotations

from decimal import Decimal

import pytest

from lotkeeperd.domain.book import LINEAR, Book, Contract, Direction
from tests.domain.language import book_of, lots_of, matches, open_lots, played
from tests.domain.test_book_arms import assert_sums, mirrored

OPTION = Contract(Decimal(100))
INVERSE = Contract(inverse=True)
"""One contract is one dollar of the coin."""

# the contract; lots before; fills; what they closed; lots after
CONTRACTS = {
    "an option over 100 shares gains 100 times its price": (
        OPTION,
        "#1 +2@1.50",
        ["-1@2.25 fee 0.65", "-1@0.50"],
        "#1 1 gross 75 fees 0+0.65, #1 1 gross -100",
        "",
    ),
    "a flip of options opens the rest at its price": (
        OPTION,
        "#1 +1@1.50",
        ["-3@2 fee 3"],
        "#1 1 gross 50 fees 0+1",
        "#2 -2@2 fee 2",
    ),
    "a contract over a part of a unit": (
        Contract(Decimal("0.001")),
        "#1 +3@50000",
        ["-3@50001"],
        "#1 3 gross 0.003",
        "",
    ),
    "100 dollars of coin bought at 50,000 and sold at 55,000": (
        INVERSE,
        "",
        ["+100@50000", "-100@55000"],
        "#1 100 cost 0.002 gross 0.000181818181818182",
        "",
    ),
    "part of an inverse lot leaves with its share of the cost": (
        INVERSE,
        "#1 +100@50000 cost 0.002",
        ["-40@55000"],
        "#1 40 cost 0.0008 gross 0.000072727272727273",
        "#1 +60/100@50000 cost 0.0012",
    ),
    "the value of one inverse fill is shared over the lots it closes, the last takes the rest": (
        INVERSE,
        "#1 +100@30000 cost 0.003333333333333333, #2 +100@60000 cost 0.001666666666666667",
        ["-150@40000"],
        (
            "#1 100 cost 0.003333333333333333 gross 0.000833333333333333, "
            "#2 50 cost 0.000833333333333334 gross -0.000416666666666666"
        ),
        "#2 +50/100@60000 cost 0.000833333333333333",
    ),
    "an inverse flip shares its value between what it closes and what it opens": (
        INVERSE,
        "#1 +100@50000 cost 0.002",
        ["-300@60000"],
        "#1 100 cost 0.002 gross 0.000333333333333333",
        "#2 -200@60000 cost 0.003333333333333333",
    ),
    "an inverse contract over 10 dollars": (
        Contract(Decimal(10), inverse=True),
        "",
        ["+100@50000", "-100@40000"],
        "#1 100 cost 0.02 gross -0.005",
        "",
    ),
    "a lot after a split whose price has no end keeps its cost": (
        LINEAR,
        "#1 +3@33.333333333333333333 cost 100",
        ["-1@40", "-2@40"],
        (
            "#1 1 cost 33.333333333333333333 gross 6.666666666666666667, "
            "#1 2 cost 66.666666666666666667 gross 13.333333333333333333"
        ),
        "",
    ),
    "a lot that carries its cost and one that does not, closed by one fill": (
        OPTION,
        "#1 +3@0.333333333333333333 cost 100, #2 +1@2",
        ["-4@1"],
        "#1 3 cost 100 gross 200, #2 1 gross -100",
        "",
    ),
}


@pytest.mark.parametrize(("contract", "before", "fills", "closed", "after"), CONTRACTS.values(), ids=CONTRACTS)
@pytest.mark.parametrize("side", Direction, ids=lambda side: side.name)
def test_each_contract_gains_what_it_is_worth(
    side: Direction, contract: Contract, before: str, fills: list[str], closed: str, after: str
) -> None:
    """By hand, on both sides: what a short wins is what a long loses."""
    long = side is Direction.LONG
    book = book_of(before if long else mirrored(before), contract)

    trades = played(book, fills if long else list(map(mirrored, fills)), book.lot_count + 1)

    assert trades == [match if long else match._replace(gross=-match.gross) for match in matches(closed)]
    assert lots_of(book) == open_lots(after if long else mirrored(after))
    assert_sums(book)
    assert book.gross == sum((trade.gross for trade in trades), Decimal(0))


# the contract; lots; the average price; a mark; what is unrealized at it
OPEN = {
    "linear": (LINEAR, "#1 +1@10, #2 +2@16", "14", "15", "3"),
    "an average that has no end": (LINEAR, "#1 +1@10, #2 +2@11", "10.666666666666666667", "10", "-2"),
    "options": (OPTION, "#1 -1@1.50, #2 -3@2.50", "2.25", "1", "500"),
    "inverse: the coins of 100 dollars at 30,000 and of 100 at 60,000 were bought at 40,000": (
        INVERSE,
        "#1 +100@30000 cost 0.003333333333333333, #2 +100@60000 cost 0.001666666666666667",
        "40000",
        "50000",
        "0.001",
    ),
    "inverse: a short loses as the price rises": (INVERSE, "#1 -100@40000 cost 0.0025", "40000", "50000", "-0.0005"),
    "inverse: at a mark whose value has no end": (
        Contract(Decimal(10), inverse=True),
        "#1 +1@50000 cost 0.0002",
        "50000",
        "30000",
        "-0.000133333333333333",
    ),
}


@pytest.mark.parametrize(("contract", "lots", "price", "mark", "unrealized"), OPEN.values(), ids=OPEN)
def test_open_lots_have_an_average_price_and_a_value_at_a_mark(
    contract: Contract, lots: str, price: str, mark: str, unrealized: str
) -> None:
    """The average is rounded at 18 digits (law 1); the value of an inverse position is, too."""
    book = book_of(lots, contract)

    assert book.average_price() == Decimal(price)
    assert book.unrealized(Decimal(mark)) == Decimal(unrealized)


@pytest.mark.parametrize("contract", [LINEAR, INVERSE], ids=["linear", "inverse"])
def test_an_empty_book_has_no_average_price(contract: Contract) -> None:
    """Unknown is not zero (law 12)."""
    assert Book(contract).average_price() is None


def test_an_inverse_position_worth_less_than_the_last_digit_has_no_average_price() -> None:
    """Its value rounds to nothing, and nothing can be divided by that."""
    book = Book(INVERSE)
    played(book, ["+0.000000000000000001@50000"])

    assert book.cost == 0
    assert book.average_price() is None


def test_an_inverse_contract_has_no_value_at_a_price_of_zero_or_below() -> None:
    """A linear one does; callers ask first."""
    prices = [Decimal(price) for price in ("-1", "0", "0.000000000000000001")]

    assert [INVERSE.has_value_at(price) for price in prices] == [False, False, True]
    assert all(LINEAR.has_value_at(price) for price in prices)
    with pytest.raises(AssertionError, match="no value at a price of 0"):
        INVERSE.value(Decimal(1), Decimal(0))
