"""The four arms of a book: lots before, the fill, what it matched, lots after. Each row is played long and short."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

import pytest

from lotkeeperd.domain.book import Book, Direction, LotMethod, LotOpened
from tests.domain.language import book_of, fill, lots_of, matched, matches, open_lots, played

NEXT = 9
"""The number of the fill that is tried."""


class Row(NamedTuple):
    """One scenario: the lots before, the fill, what it closed, the lots after."""

    before: str
    fill: str
    closed: str
    after: str


ARMS = {
    "open: the first fill makes a lot": Row("", "+10@100 fee 1", "", "#9 +10@100 fee 1"),
    "add: a second lot stands behind the first, never merged with it": Row(
        "#1 +10@100", "+10@100", "", "#1 +10@100, #9 +10@100"
    ),
    "reduce: part of the only lot": Row(
        "#1 +100@150 fee 2", "-25@155 fee 1", "#1 25 gross 125 fees 0.5+1", "#1 +75/100@150 fee 1.5"
    ),
    "reduce: a partly closed lot is closed further": Row(
        "#1 +75/100@150", "-25@160", "#1 25 gross 250", "#1 +50/100@150"
    ),
    "reduce: exactly the oldest lot": Row("#1 +10@100, #2 +5@110", "-10@120", "#1 10 gross 200", "#2 +5@110"),
    "reduce: the oldest lot and part of the next": Row(
        "#1 +100@50000, #2 +50@51000",
        "-120@53000",
        "#1 100 gross 300000, #2 20 gross 40000",
        "#2 +30/50@51000",
    ),
    "reduce: a partly closed lot, a whole one and part of a third": Row(
        "#1 +1/4@10, #2 +2@20, #3 +3@30",
        "-4@40",
        "#1 1 gross 30, #2 2 gross 40, #3 1 gross 10",
        "#3 +2/3@30",
    ),
    "reduce: a loss is a loss": Row("#1 +10@100, #2 +1@100", "-10@90", "#1 10 gross -100", "#2 +1@100"),
    "close: the only lot": Row("#1 +1@100", "-1@100", "#1 1 gross 0", ""),
    "close: every lot": Row(
        "#1 +2/3@10, #2 +1@20", "-3@5 fee 0.3", "#1 2 gross -10 fees 0+0.2, #2 1 gross -15 fees 0+0.1", ""
    ),
    "flip: close all, then open the rest (law 7)": Row("#1 +1@100", "-3@110", "#1 1 gross 10", "#9 -2@110"),
    "flip: the fee is shared between the two parts (law 4)": Row(
        "#1 +1@100 fee 1, #2 +1@101",
        "-4@110 fee 2",
        "#1 1 gross 10 fees 1+0.5, #2 1 gross 9 fees 0+0.5",
        "#9 -2@110 fee 1",
    ),
    "a price of 0 is a price": Row("#1 +5@1", "-5@0", "#1 5 gross -5", ""),
}


def mirrored(text: str) -> str:
    """The same lots or fill on the other side."""
    return text.translate(str.maketrans("+-", "-+"))


@pytest.mark.parametrize("row", ARMS.values(), ids=ARMS)
@pytest.mark.parametrize("side", Direction, ids=lambda side: side.name)
def test_each_arm_matches_the_oldest_lots_first_and_leaves_the_rest(row: Row, side: Direction) -> None:
    """Laws 2, 3 and 7, on both sides; what a short wins is what a long loses."""
    long = side is Direction.LONG
    book = book_of(row.before if long else mirrored(row.before))
    before = lots_of(book)
    execution = fill(row.fill if long else mirrored(row.fill), NEXT)
    expected = [match if long else match._replace(gross=-match.gross) for match in matches(row.closed)]

    records = book.decide(execution, NEXT)
    assert matched(records) == expected
    assert lots_of(book) == before, "deciding changes nothing"

    book.evolve(records, NEXT, execution.time)
    assert lots_of(book) == open_lots(row.after if long else mirrored(row.after))
    assert_sums(book)
    assert book.gross == sum((match.gross for match in expected), Decimal(0))
    assert book.fees == sum((match.entry_fee + match.exit_fee for match in expected), Decimal(0))
    assert (book.sequence, book.newest_time) == (NEXT, NEXT)


def assert_sums(book: Book) -> None:
    """Law 3 and 7: the running sums are those of the open lots, which have one side; by AVERAGE they have one cost together."""
    lots = list(book.lots())
    assert book.quantity == sum((lot.remaining for lot in lots), Decimal(0))
    costs = [lot.remaining * lot.price * book.contract.multiplier if lot.cost is None else lot.cost for lot in lots]
    assert book.cost == sum(costs, Decimal(0)) or book.method is LotMethod.AVERAGE
    assert book.open_fees == sum((lot.open_fee for lot in lots), Decimal(0))
    assert book.lot_count == len(lots)
    assert book.oldest == (lots[0] if lots else None)
    assert book.newest == (lots[-1] if lots else None)
    assert list(book.newest_first()) == lots[::-1]
    assert {lot.opened.direction for lot in lots} == ({book.direction} if lots else set())
    assert (book.direction is None) == (not lots)


# What the systems this replaces answered wrongly; here is the truth (fills, closed trades, lots after).
STORIES = {
    "two lots bought 0.3 s apart, one sell closes both: two closed trades": (
        ["+1@100 t0", "+1@100 t300000000", "-2@101 t2000000000"],
        "#1 1 gross 1, #2 1 gross 1",
        "",
    ),
    "one lot closed by two sells within a second: two closed trades with their own P&L": (
        ["+2@100", "-1@101", "-1@103"],
        "#1 1 gross 1, #1 1 gross 3",
        "",
    ),
    "two fills with one venue timestamp: two entries": (
        ["+1@100 t5", "+2@100 t5"],
        "",
        "#1 +1@100 t5, #2 +2@100 t5",
    ),
    "short opened at 100, covered at 90: a gain of 10": (["-1@100", "+1@90"], "#1 1 gross 10", ""),
    "an exit at the very time of its entry is recorded": (["+1@100 t5", "-1@101 t5"], "#1 1 gross 1", ""),
    "an exit dated before the lot it closes is recorded (law 2)": (["+1@100 t5", "-1@101 t4"], "#1 1 gross 1", ""),
    "buy 100 @ 150, sell 25 @ 155: the average stays 150, 125 is realized": (
        ["+100@150", "-25@155"],
        "#1 25 gross 125",
        "#1 +75/100@150",
    ),
    "long 1, then sell 3 in one fill: closed 1, short 2": (["+1@100", "-3@110"], "#1 1 gross 10", "#2 -2@110"),
    "flipped and flipped back": (
        ["+1@100", "-3@110", "+5@105"],
        "#1 1 gross 10, #2 2 gross 10",
        "#3 +3@105",
    ),
    "flat in between: nothing of the first round is left in the second": (
        ["+1@100 fee 1", "-1@110", "-2@120 fee 3", "+1@100"],
        "#1 1 gross 10 fees 1+0, #3 1 gross 20 fees 1.5+0",
        "#3 -1/2@120 fee 1.5",
    ),
}


@pytest.mark.parametrize(("fills", "closed", "after"), STORIES.values(), ids=STORIES)
def test_each_story_ends_with_the_truth(fills: list[str], closed: str, after: str) -> None:
    """Several fills, one after the other, by laws 2, 3 and 7."""
    book = Book()

    assert played(book, fills) == matches(closed)
    assert lots_of(book) == open_lots(after)
    assert_sums(book)


def test_a_flip_names_the_rest_of_the_fill_as_the_lot_it_opened() -> None:
    """Law 7: closing records first, then one opening record of the rest, both under the fill's sequence."""
    records = book_of("#1 +1@100, #2 +2@100").decide(fill("-5@110", NEXT), NEXT)

    assert [record.sequence for record in records] == [NEXT, NEXT, NEXT]
    opened = records[-1]
    assert isinstance(opened, LotOpened)
    assert (opened.direction, opened.quantity, opened.price) == (Direction.SHORT, Decimal(2), Decimal(110))


def test_the_opposite_of_a_side_is_the_other_side() -> None:
    """Long and short, and their signs."""
    assert Direction.LONG.opposite is Direction.SHORT
    assert Direction.SHORT.opposite is Direction.LONG
    assert (int(Direction.LONG), int(Direction.SHORT)) == (1, -1)
