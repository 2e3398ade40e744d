"""Laws 4 and 5: fees are shared exactly, none turns its sign, and they are realized with the quantity they belong to."""

from __future__ import annotations

from decimal import Decimal

import pytest

from lotkeeperd.domain.book import Book
from tests.domain.language import book_of, lots_of, matches, open_lots, played

THIRD = "0.33333333333333333"
"""Seventeen digits of it; the eighteenth is what the shares differ in."""

# lots before; fills; what they closed; lots after
FEES = {
    "an entry's fee follows its quantity, the last piece takes the rest": (
        "#1 +3@10 fee 1",
        ["-1@11", "-1@11", "-1@11"],
        f"#1 1 gross 1 fees {THIRD}3+0, #1 1 gross 1 fees {THIRD}4+0, #1 1 gross 1 fees {THIRD}3+0",
        "",
    ),
    "an exit's fee is spread over the lots it closes": (
        "#1 +1@10, #2 +1@10, #3 +1@10",
        ["-3@11 fee 1"],
        f"#1 1 gross 1 fees 0+{THIRD}3, #2 1 gross 1 fees 0+{THIRD}4, #3 1 gross 1 fees 0+{THIRD}3",
        "",
    ),
    "a rebate is shared as a fee is, and stays a rebate": (
        "#1 +4@10 fee -1",
        ["-1@11 fee -0.5", "-3@11"],
        "#1 1 gross 1 fees -0.25+-0.5, #1 3 gross 3 fees -0.75+0",
        "",
    ),
    "a flip pays for its two parts by quantity": (
        "#1 +1@100 fee 10",
        ["-2@150 fee 20"],
        "#1 1 gross 50 fees 10+10",
        "#2 -1@150 fee 10",
    ),
    "a flip's opening part takes the rest of what cannot be divided": (
        "#1 +1@100",
        ["-3@100 fee 1"],
        "#1 1 gross 0 fees 0+0.333333333333333333",
        "#2 -2@100 fee 0.666666666666666667",
    ),
    "a flip's rebate is shared the same way": (
        "#1 +1@100",
        ["-3@100 fee -1"],
        "#1 1 gross 0 fees 0+-0.333333333333333333",
        "#2 -2@100 fee -0.666666666666666667",
    ),
    "a flip over several lots shares its closing part once more": (
        "#1 +1@100, #2 +2@100",
        ["-7@100 fee 1"],
        "#1 1 gross 0 fees 0+0.142857142857142857, #2 2 gross 0 fees 0+0.285714285714285714",
        "#3 -4@100 fee 0.571428571428571429",
    ),
    "a fee of the smallest step goes whole to one of the pieces": (
        "#1 +3@10 fee 0.000000000000000001",
        ["-1@10", "-1@10", "-1@10"],
        "#1 1 gross 0, #1 1 gross 0, #1 1 gross 0 fees 0.000000000000000001+0",
        "",
    ),
    "half a step goes to the even neighbour: here to the rest": (
        "#1 +2@10 fee 0.000000000000000001",
        ["-1@10"],
        "#1 1 gross 0",
        "#1 +1/2@10 fee 0.000000000000000001",
    ),
    "half a step goes to the even neighbour: here to the piece": (
        "#1 +2@10 fee 0.000000000000000003",
        ["-1@10"],
        "#1 1 gross 0 fees 0.000000000000000002+0",
        "#1 +1/2@10 fee 0.000000000000000001",
    ),
}


@pytest.mark.parametrize(("before", "fills", "closed", "after"), FEES.values(), ids=FEES)
def test_the_shares_of_a_fee_sum_to_the_fee(before: str, fills: list[str], closed: str, after: str) -> None:
    """Law 4: each share is pro rata of what is left, half-even at 18 digits; the last is the rest."""
    book = book_of(before)

    closed_trades = played(book, fills, book.lot_count + 1)

    assert closed_trades == matches(closed)
    left = open_lots(after)
    assert [(lot.number, lot.left, lot.open_fee) for lot in lots_of(book)] == [
        (lot.number, lot.left, lot.open_fee) for lot in left
    ]
    assert book.open_fees == sum((lot.open_fee for lot in left), Decimal(0))
    assert book.fees == sum((trade.entry_fee + trade.exit_fee for trade in closed_trades), Decimal(0))


def test_a_fee_is_not_part_of_the_cost_and_not_realized_before_its_quantity() -> None:
    """Law 5: cost, gross and fees are separate sums."""
    book = Book()

    played(book, ["+4@100 fee 8"])
    assert [book.cost, book.gross, book.fees, book.open_fees] == amounts(400, 0, 0, 8)

    played(book, ["-1@110 fee 1"], 2)
    assert [book.cost, book.gross, book.fees, book.open_fees] == amounts(300, 10, 3, 6)


def amounts(*values: int) -> list[Decimal]:
    """Each as the book has it."""
    return list(map(Decimal, values))
