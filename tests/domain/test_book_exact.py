"""Laws 1 and 6: nothing is rounded but shares and averages, however long the numbers are."""

from __future__ import annotations

from decimal import Decimal, Inexact, localcontext

import pytest

from lotkeeperd.domain.book import Book, Direction, Fill
from lotkeeperd.domain.decimals import EXACT
from tests.domain.language import book_of, fill, lots_of, matches, open_lots, played

LARGEST = "99999999999999999999.999999999999999999"
LEAST = "0.000000000000000001"


def test_the_largest_numbers_allowed_multiply_without_loss() -> None:
    """Law 1: 20 integer and 18 fraction digits on both sides of the product."""
    largest, step = 10**38 - 1, -18  # the number as an integer, and where its point stands
    book = Book()
    played(book, [f"+{LARGEST}@{LARGEST}"])
    assert book.cost == Decimal(largest**2).scaleb(2 * step)

    (trade,) = played(book, [f"-{LARGEST}@{LEAST}"], 2)
    assert trade.gross == Decimal((1 - largest) * largest).scaleb(2 * step)
    assert book.direction is None
    assert book.quantity == book.cost == 0


def test_the_least_step_of_the_largest_quantity_can_be_closed() -> None:
    """Law 3: opened = open + closed, to the last of 38 digits."""
    book = book_of(f"#1 +{LARGEST}@{LEAST}")

    assert played(book, [f"-{LEAST}@1"], 2) == matches(f"#1 {LEAST} gross 0.000000000000000000999999999999999999")
    assert lots_of(book) == open_lots(f"#1 +99999999999999999999.999999999999999998/{LARGEST}@{LEAST}")


def test_a_flip_by_the_least_step_opens_the_least_step() -> None:
    """Law 7 with the longest numbers."""
    book = book_of(f"#1 +99999999999999999999.999999999999999998@{LEAST}")

    played(book, [f"-{LARGEST}@{LEAST}"], 2)

    assert lots_of(book) == open_lots(f"#2 -{LEAST}@{LEAST}")


@pytest.mark.parametrize("direction", Direction, ids=lambda direction: direction.name)
def test_pnl_is_cash_flow_plus_what_is_held_at_any_mark(direction: Direction) -> None:
    """Law 6, for long numbers that only just fit."""
    book, cash, net = Book(), Decimal(0), Decimal(0)
    executions = [
        Fill(
            direction,
            Decimal("0.333333333333333333"),
            Decimal("12345678901234567890.123456789012345678"),
            Decimal(0),
            1,
        ),
        Fill(direction, Decimal("7.000000000000000001"), Decimal("0.000000000000000007"), Decimal(0), 2),
        Fill(direction.opposite, Decimal("0.5"), Decimal("99.999999999999999999"), Decimal(0), 3),
    ]
    for sequence, execution in enumerate(executions, 1):
        book.evolve(book.decide(execution, sequence), sequence, execution.time)
        cash -= execution.direction * execution.quantity * execution.price
        net += execution.direction * execution.quantity

    for mark in (Decimal(0), Decimal(LEAST), Decimal(LARGEST)):
        assert book.gross + book.unrealized(mark) == cash + mark * net


def test_an_empty_book_has_nothing_unrealized_at_any_mark() -> None:
    """Nothing held, nothing to value."""
    assert Book().unrealized(Decimal(LARGEST)) == 0


def test_a_short_gains_when_the_mark_falls() -> None:
    """Law 6: unrealized P&L has the sign of the side."""
    assert book_of("#1 -10@100").unrealized(Decimal(95)) == 50
    assert book_of("#1 +10@100").unrealized(Decimal(95)) == -50


def test_a_float_raises_instead_of_being_taken() -> None:
    """Law 1: a float is never made into an amount inside."""
    with pytest.raises(TypeError, match="float"):
        book_of("#1 +1@100").decide(fill("-1@100", 2)._replace(price=1.5), 2)  # type: ignore[arg-type]


def test_a_sum_that_would_round_raises_instead() -> None:
    """Law 1: were the precision ever reached, nothing inexact would be kept."""
    book = book_of("#1 +0.000000000000000001@1")

    with pytest.raises(Inexact), localcontext(EXACT):
        book.evolve(book.decide(fill("+1@1", 2)._replace(quantity=Decimal("1e200")), 2), 2, 2)
