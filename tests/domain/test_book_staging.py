"""Staging: a batch is tried on a copy; a copy that is dropped leaves no trace, however much it did."""

from __future__ import annotations

from decimal import Decimal

import pytest

from lotkeeperd.domain.book import LINEAR, Book, LotMethod
from lotkeeperd.domain.open_lots import COMPACT_AFTER
from tests.domain.language import book_of, lots_of, matches, open_lots, played
from tests.domain.test_book_arms import assert_sums

# What a batch may do to a copy of the book "#1 +1/2@10 t3, #2 +2@20 t4" before it is dropped.
BATCHES = {
    "adds": ["+1@30"],
    "adds a late entry": ["+1@30 t1"],
    "reduces": ["-1@30"],
    "reduces further": ["-2@30"],
    "closes all": ["-3@30"],
    "flips": ["-5@30"],
    "closes all and starts again": ["-3@30", "+7@1", "+8@1"],
    "adds many and closes them": ["+1@30", "+1@30", "-4@30", "+1@30 t2", "-1@30"],
}


@pytest.mark.parametrize("method", LotMethod, ids=lambda method: method.name)
@pytest.mark.parametrize("batch", BATCHES.values(), ids=BATCHES)
@pytest.mark.parametrize("next_batch", BATCHES.values(), ids=BATCHES)
def test_a_dropped_copy_leaves_no_trace(batch: list[str], next_batch: list[str], method: LotMethod) -> None:
    """The book stands where it stood, and the next batch finds it so, by every lot method."""
    book, untouched = (book_of("#1 +1/2@10 t3, #2 +2@20 t4", LINEAR, method) for _ in range(2))

    played(book.staged(), batch, 50)  # other numbers than the next batch has: what it leaves behind can be told apart
    assert lots_of(book) == lots_of(untouched)
    assert_sums(book)

    staged = book.staged()
    assert played(staged, next_batch, 5) == played(untouched, next_batch, 5)
    assert lots_of(staged) == lots_of(untouched)
    assert_sums(staged)


def test_a_committed_book_stays_readable_while_its_successor_goes_on() -> None:
    """Readers keep a book as a snapshot for nothing."""
    first = Book()
    played(first, ["+1@10", "+1@11"])
    second = first.staged()
    played(second, ["+1@12", "-2@20"], 3)
    third = second.staged()
    played(third, ["+5@13", "+5@9 t1"], 5)

    assert lots_of(first) == open_lots("#1 +1@10, #2 +1@11")
    assert lots_of(second) == open_lots("#3 +1@12")
    assert lots_of(third) == open_lots("#6 +5@9 t1, #3 +1@12, #5 +5@13")


def test_a_reader_keeps_the_newest_lots_that_lifo_has_closed() -> None:
    """What stands at the end of the list is closed in a new one: the old one is still read."""
    first = book_of("#1 +1@10, #2 +2@11, #3 +1@12", LINEAR, LotMethod.LIFO)
    second = first.staged()
    assert played(second, ["-2@20"], 4) == matches("#3 1 gross 8, #2 1 gross 9")
    third = second.staged()
    played(third, ["+1@13", "-1.5@20"], 5)

    assert lots_of(first) == open_lots("#1 +1@10, #2 +2@11, #3 +1@12")
    assert lots_of(second) == open_lots("#1 +1@10, #2 +1/2@11")
    assert lots_of(third) == open_lots("#1 +1@10, #2 +0.5/2@11")


def test_a_detached_copy_keeps_what_was_tried_on_it() -> None:
    """It is shown to a caller while the book it was taken from goes on."""
    book = book_of("#1 +1@10")
    tried = book.detached()
    played(tried, ["+1@12"], 7)
    played(book, ["+1@13", "-1.5@20"], 2)

    assert lots_of(tried) == open_lots("#1 +1@10, #7 +1@12")
    assert lots_of(book) == open_lots("#2 +0.5/1@13")


def test_closed_lots_are_swept_away_once_there_are_many() -> None:
    """Memory grows with open lots, not with trades; the sweep changes nothing that can be seen."""
    book = Book()
    played(book, ["+1@10"] * (COMPACT_AFTER + 10))
    played(book, [f"-{COMPACT_AFTER + 2}@11", "-0.5@11"], COMPACT_AFTER + 11)
    assert len(book._lots) == COMPACT_AFTER + 10
    reader = book.staged()

    number = COMPACT_AFTER + 13
    played(book, ["+1@12"], number)

    assert len(book._lots) == book.lot_count == 9
    assert lots_of(book)[0].left == Decimal("0.5")
    assert lots_of(book)[-1].number == number
    assert lots_of(reader) == lots_of(book)[:-1]
    assert_sums(book)


def test_a_restored_book_goes_on_where_the_stored_one_stood() -> None:
    """Law 13: lots and sums as stored, and the next fill finds the same book."""
    live = Book()
    played(live, ["+3@10 fee 3", "+2@11 fee 1", "-1@12 fee 0.3"])

    restored = Book.restored(list(live.lots()), live.gross, live.fees, live.sequence, live.newest_time)

    assert {name: getattr(restored, name) for name in Book.__slots__} == {
        name: getattr(live, name) for name in Book.__slots__
    }
    assert (
        played(restored, ["-3@13"], 4)
        == played(live, ["-3@13"], 4)
        == matches("#1 2 gross 6 fees 2+0, #2 1 gross 2 fees 0.5+0")
    )


def test_an_empty_book_has_no_oldest_and_no_newest_lot() -> None:
    """And no side."""
    book = Book()

    assert (book.oldest, book.newest, book.direction, book.lot_count) == (None, None, None, 0)
