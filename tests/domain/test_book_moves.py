"""Lots that leave a book and arrive in it while nothing is realized: splits, changes of symbol, corrections."""

from __future__ import annotations

from decimal import Decimal

import pytest

from lotkeeperd.domain.book import LINEAR, Book, LotMethod, LotPlaced, LotReduced, LotTaken, Record
from tests.domain.language import as_written, book_of, lot_of, lots_of, matches, open_lots, played
from tests.domain.test_book_arms import assert_sums

MOVE = 9
"""The number of the record that moves the lots."""

BEFORE = "#1 +3/4@10 fee 0.6 t3, #2 +2@20 fee 1 t4, #3 +1@30 t5"


def taken(text: str) -> list[Record]:
    """The lots that ``text`` names leave."""
    return [LotTaken(MOVE, lot_of(lot)) for lot in open_lots(text)]


def placed(text: str) -> list[Record]:
    """The lots that ``text`` names arrive."""
    return [LotPlaced(MOVE, lot_of(lot)) for lot in open_lots(text)]


# what leaves and arrives in the book BEFORE; lots after
MOVES = {
    "the oldest leaves": (taken("#1 +3/4@10 fee 0.6 t3"), "#2 +2@20 fee 1 t4, #3 +1@30 t5"),
    "one in the middle leaves": (taken("#2 +2@20 fee 1 t4"), "#1 +3/4@10 fee 0.6 t3, #3 +1@30 t5"),
    "the newest leaves": (taken("#3 +1@30 t5"), "#1 +3/4@10 fee 0.6 t3, #2 +2@20 fee 1 t4"),
    "all leave": (taken(BEFORE), ""),
    "all leave, the newest first": (taken(BEFORE)[::-1], ""),
    "one arrives behind": (placed("#7 +1@40 t7"), f"{BEFORE}, #7 +1@40 t7"),
    "one arrives late, partly closed before": (placed("#7 +1/5@40 fee 0.1 t1"), f"#7 +1/5@40 fee 0.1 t1, {BEFORE}"),
    "one in the middle is put right": (
        taken("#2 +2@20 fee 1 t4") + placed("#2 +1/2@21 fee 0.5 t4"),
        "#1 +3/4@10 fee 0.6 t3, #2 +1/2@21 fee 0.5 t4, #3 +1@30 t5",
    ),
    "the oldest is put right, and was later than the newest": (
        taken("#1 +3/4@10 fee 0.6 t3") + placed("#1 +3/4@10 fee 0.6 t8"),
        "#2 +2@20 fee 1 t4, #3 +1@30 t5, #1 +3/4@10 fee 0.6 t8",
    ),
    "one in the middle leaves, then the one before it, then the last": (
        taken("#2 +2@20 fee 1 t4, #1 +3/4@10 fee 0.6 t3, #3 +1@30 t5"),
        "",
    ),
    "a split: all leave and arrive as three times as many, at their cost": (
        taken(BEFORE) + placed("#1 +9/4@3.333333333333333333 cost 30 fee 0.6 t3, #2 +6/2@6.67 cost 40 fee 1 t4"),
        "#1 +9/4@3.333333333333333333 cost 30 fee 0.6 t3, #2 +6/2@6.67 cost 40 fee 1 t4",
    ),
    "all leave and the other side arrives": (taken(BEFORE) + placed("#7 -1@40 t7"), "#7 -1@40 t7"),
}


@pytest.mark.parametrize("shared", [False, True], ids=["alone", "with a reader"])
@pytest.mark.parametrize(("records", "after"), MOVES.values(), ids=MOVES)
def test_lots_leave_and_arrive_and_nothing_is_realized(records: list[Record], after: str, shared: bool) -> None:
    """Laws 2 and 3: what was opened for an entry stays known, the sums are those of the lots, a reader sees nothing of it."""
    book = book_of(BEFORE)
    reader = book.staged() if shared else book_of(BEFORE)
    book.evolve(records, MOVE, book.newest_time)

    left = [(lot.number, lot.left, lot.price, lot.open_fee, lot.cost, lot.time) for lot in open_lots(after)]
    assert [(lot.number, lot.left, lot.price, lot.open_fee, lot.cost, lot.time) for lot in lots_of(book)] == left
    assert book.gross == book.fees == 0
    assert book.sequence == MOVE
    assert_sums(book)
    assert lots_of(reader) == open_lots(BEFORE)
    assert_sums(reader)


def test_a_late_lot_that_arrived_is_closed_in_its_place() -> None:
    """Law 2."""
    book = book_of("#1 +1@10 t5")
    book.evolve(placed("#7 +1@12 t4"), MOVE, book.newest_time)

    assert played(book, ["-1@20"], 10) == matches("#7 1 gross 8")


def closed(text: str, quantity: str) -> Record:
    """So much of the lot that ``text`` names is closed at the price it was opened at."""
    (lot,) = map(lot_of, open_lots(text))
    zero = Decimal(0)
    return LotReduced(MOVE, lot, Decimal(quantity), lot.price, zero, zero, zero)


# the records of several steps; the lots of BEFORE after them
STEPS = {
    "one in the middle is closed in part, becomes the oldest, and leaves": (
        [closed("#2 +2@20 fee 1 t4", "1"), *taken("#1 +3/4@10 fee 0.6 t3, #2 +1/2@20 fee 1 t4")],
        "#3 +1@30 t5",
    ),
    "one in the middle is closed in part, becomes the oldest, and is closed further": (
        [closed("#2 +2@20 fee 1 t4", "1"), *taken("#1 +3/4@10 fee 0.6 t3"), closed("#2 +1/2@20 fee 1 t4", "0.5")],
        "#2 +0.5/2@20 fee 1 t4, #3 +1@30 t5",
    ),
    "the newest is put right and then closed in part": (
        [*taken("#3 +1@30 t5"), *placed("#3 +2@40 t5"), closed("#3 +2@40 t5", "1.5")],
        "#1 +3/4@10 fee 0.6 t3, #2 +2@20 fee 1 t4, #3 +0.5/2@40 t5",
    ),
}


@pytest.mark.parametrize(("records", "after"), STEPS.values(), ids=STEPS)
def test_several_steps_may_be_made_so_at_once(records: list[Record], after: str) -> None:
    """A correction is one record of many steps; a lot may be touched by more than one of them."""
    book = book_of(BEFORE)
    reader = book.staged()
    book.evolve(records, MOVE, book.newest_time)

    assert lots_of(book) == open_lots(after)
    assert_sums(book)
    assert lots_of(reader) == open_lots(BEFORE)


@pytest.mark.parametrize("method", LotMethod, ids=lambda method: method.name)
def test_lots_taken_at_cost_keep_the_cost_of_the_book_wherever_they_arrive(method: LotMethod) -> None:
    """Law 6 over a change of symbol: by AVERAGE the parts of one cost go along with the lots, and sum to it."""
    old, new = book_of("#1 +2@10, #2 +1@11, #3 +3@13", LINEAR, method), Book(LINEAR, method)
    played(old, ["-1@20"], 4)
    cost, quantity = old.cost, old.quantity
    lots = list(old.lots_at_cost())

    old.evolve([LotTaken(MOVE, lot) for lot in old.lots()], MOVE, old.newest_time)
    new.evolve([LotPlaced(MOVE, lot) for lot in lots], MOVE, old.newest_time)

    assert old.direction is None
    assert old.quantity == old.cost == old.lot_count == 0
    assert (new.quantity, new.cost, list(map(as_written, lots))) == (quantity, cost, lots_of(new))
    played(new, ["-5@20"], 10)
    assert new.cost == 0
    assert old.gross + new.gross == 120 - 70


def test_by_average_lots_leave_with_their_part_of_the_one_cost() -> None:
    """31 for 3: pro rata of what is left, the last is the rest; by other methods a lot leaves as it is."""
    text = "#1 +2@10, #2 +1@11"

    parts = [lot.cost for lot in book_of(text, LINEAR, LotMethod.AVERAGE).lots_at_cost()]
    assert parts == [Decimal("20.666666666666666667"), Decimal("10.333333333333333333")]
    assert [lot.cost for lot in book_of(text).lots_at_cost()] == [None, None]


def test_by_average_a_lot_that_leaves_leaves_the_others_at_their_average() -> None:
    """Whatever it was opened at: by this method that is of no account."""
    book = book_of("#1 +2@10, #2 +1@16", LINEAR, LotMethod.AVERAGE)
    book.evolve(taken("#2 +1@16"), MOVE, book.newest_time)

    assert (book.cost, book.average_price()) == (Decimal(24), Decimal(12))


def test_a_lot_of_the_other_side_does_not_arrive_in_a_book_that_holds_some() -> None:
    """Law 7: the caller's fault."""
    with pytest.raises(AssertionError, match="of the other side"):
        book_of(BEFORE).evolve(placed("#7 -1@40 t7"), MOVE, MOVE)


def test_a_lot_that_is_not_there_does_not_leave() -> None:
    """The record does not fit the book: its reader is broken."""
    with pytest.raises(AssertionError, match="is open"):
        book_of(BEFORE).evolve(taken("#4 +0.5@10 t4"), MOVE, MOVE)
