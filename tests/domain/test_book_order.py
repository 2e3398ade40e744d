"""Law 2: FIFO order is (entry time, journal sequence), and a late entry changes nothing already matched."""

from __future__ import annotations

import pytest

from lotkeeperd.domain.book import Book
from tests.domain.language import book_of, lots_of, matches, open_lots, played

# lots before; a late fill and what follows; what they closed; lots after
LATE = {
    "before all: it becomes the oldest": (
        "#1 +1@10 t5, #2 +1@11 t6",
        ["+1@12 t4"],
        "",
        "#3 +1@12 t4, #1 +1@10 t5, #2 +1@11 t6",
    ),
    "between two": ("#1 +1@10 t5, #2 +1@11 t8", ["+1@12 t7"], "", "#1 +1@10 t5, #3 +1@12 t7, #2 +1@11 t8"),
    "at an equal time it stands behind, by its sequence": (
        "#1 +1@10 t5, #2 +1@11 t6",
        ["+1@12 t5"],
        "",
        "#1 +1@10 t5, #3 +1@12 t5, #2 +1@11 t6",
    ),
    "at the time of the newest it is not late": (
        "#1 +1@10 t5, #2 +1@11 t6",
        ["+1@12 t6"],
        "",
        "#1 +1@10 t5, #2 +1@11 t6, #3 +1@12 t6",
    ),
    "before a partly closed lot: that one is passed over, and keeps what is left": (
        "#1 +3/5@10 fee 0.6 t5, #2 +1@11 t6",
        ["+1@12 t4", "-2@20"],
        "#3 1 gross 8, #1 1 gross 10 fees 0.2+0",
        "#1 +2/5@10 fee 0.4 t5, #2 +1@11 t6",
    ),
    "behind a partly closed lot": (
        "#1 +3/5@10 t5, #2 +1@11 t8",
        ["+1@12 t6", "-4@20"],
        "#1 3 gross 30, #3 1 gross 8",
        "#2 +1@11 t8",
    ),
    "two late ones take their own places": (
        "#1 +1@10 t5, #2 +1@11 t9",
        ["+1@12 t7", "+1@13 t6"],
        "",
        "#1 +1@10 t5, #4 +1@13 t6, #3 +1@12 t7, #2 +1@11 t9",
    ),
    "the late one is itself closed in part, and a later one comes before it": (
        "#1 +1@10 t5",
        ["+2@12 t4", "-1@20", "+1@9 t3", "-2@20"],
        "#2 1 gross 8, #4 1 gross 11, #2 1 gross 8",
        "#1 +1@10 t5",
    ),
    "what was matched before it came stays matched": (
        "#1 +2@10 t5",
        ["-1@11 t7", "+1@9 t4", "-1@11 t8"],
        "#1 1 gross 1, #3 1 gross 2",
        "#1 +1/2@10 t5",
    ),
    "into an empty book nothing is late": ("", ["+1@10 t9", "-1@11 t9", "+1@12 t2"], "#1 1 gross 1", "#3 +1@12 t2"),
}


@pytest.mark.parametrize(("before", "fills", "closed", "after"), LATE.values(), ids=LATE)
def test_a_late_entry_takes_its_place_among_the_open_lots(
    before: str, fills: list[str], closed: str, after: str
) -> None:
    """Law 2, among whole and partly closed lots."""
    book = book_of(before)

    assert played(book, fills, book.lot_count + 1) == matches(closed)
    assert lots_of(book) == open_lots(after)


def test_lots_of_equal_time_price_and_quantity_stay_two_lots() -> None:
    """Law 2: lots have identity; equal times never merge."""
    book = Book()
    played(book, ["+1@10 t5", "+1@10 t5"])

    assert played(book, ["-1@12"], 3) == matches("#1 1 gross 2")
    assert lots_of(book) == open_lots("#2 +1@10 t5")


def test_the_newest_time_is_of_all_fills_also_of_those_that_closed() -> None:
    """What a time that nobody gives is measured against (law 2)."""
    book = Book()

    played(book, ["+2@10 t5", "-1@11 t9", "+1@10 t3"])
    assert book.newest_time == 9

    played(book, ["-2@11 t4"], 4)
    assert (book.direction, book.newest_time) == (None, 9)
