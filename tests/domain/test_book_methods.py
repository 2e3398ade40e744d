"""Lot methods: each closes its own lots, or at its own cost; what is open and what was realized add up to the same by all."""

from __future__ import annotations

from decimal import Decimal

import pytest

from lotkeeperd.domain.book import LINEAR, Book, Contract, LotMethod, LotReduced
from lotkeeperd.domain.refusals import LotNotOpen
from tests.domain.language import book_of, choice, fill, lots_of, matched, matches, open_lots, played
from tests.domain.test_book_arms import assert_sums

NEXT = 9
"""The number of the fill that is tried."""

LOTS = "#1 +10@100 fee 3, #2 +10@120 fee 3, #3 +10@110 fee 3"
FIFO, LIFO, HIFO, AVERAGE, CHOSEN = LotMethod

# the method; lots before; the fill; the lots chosen; what it closed; lots after
METHODS = {
    "FIFO: the oldest, then the next": (
        FIFO,
        LOTS,
        "-15@130 fee 1.5",
        "",
        "#1 10 gross 300 fees 3+1, #2 5 gross 50 fees 1.5+0.5",
        "#2 +5/10@120 fee 1.5, #3 +10@110 fee 3",
    ),
    "LIFO: the newest, then the one before": (
        LIFO,
        LOTS,
        "-15@130 fee 1.5",
        "",
        "#3 10 gross 200 fees 3+1, #2 5 gross 50 fees 1.5+0.5",
        "#1 +10@100 fee 3, #2 +5/10@120 fee 1.5",
    ),
    "HIFO: the dearest, then the next dearest": (
        HIFO,
        LOTS,
        "-15@130 fee 1.5",
        "",
        "#2 10 gross 100 fees 3+1, #3 5 gross 100 fees 1.5+0.5",
        "#1 +10@100 fee 3, #3 +5/10@110 fee 1.5",
    ),
    "AVERAGE: the oldest, at what all of them cost together": (
        AVERAGE,
        LOTS,
        "-15@130 fee 1.5",
        "",
        "#1 10 cost 1100 gross 200 fees 3+1, #2 5 cost 550 gross 100 fees 1.5+0.5",
        "#2 +5/10@120 fee 1.5, #3 +10@110 fee 3",
    ),
    "CHOSEN: those that are named, in that order": (
        CHOSEN,
        LOTS,
        "-15@130 fee 1.5",
        "#3 8, #1 7",
        "#3 8 gross 160 fees 2.4+0.8, #1 7 gross 210 fees 2.1+0.7",
        "#1 +3/10@100 fee 0.9, #2 +10@120 fee 3, #3 +2/10@110 fee 0.6",
    ),
    "CHOSEN: the oldest first where none is named": (
        CHOSEN,
        LOTS,
        "-15@130",
        "",
        "#1 10 gross 300 fees 3+0, #2 5 gross 50 fees 1.5+0",
        "#2 +5/10@120 fee 1.5, #3 +10@110 fee 3",
    ),
    "CHOSEN: a lot that is named twice is closed once": (
        CHOSEN,
        LOTS,
        "-5@130",
        "#2 2, #1 1, #2 2",
        "#2 4 gross 40 fees 1.2+0, #1 1 gross 30 fees 0.3+0",
        "#1 +9/10@100 fee 2.7, #2 +6/10@120 fee 1.8, #3 +10@110 fee 3",
    ),
    "FIFO: looks at no choice": (
        FIFO,
        LOTS,
        "-10@130",
        "#3 10",
        "#1 10 gross 300 fees 3+0",
        "#2 +10@120 fee 3, #3 +10@110 fee 3",
    ),
    "LIFO: a flip closes all, the newest first, then opens the rest": (
        LIFO,
        "#1 +1@10, #2 +1@20",
        "-3@30 fee 3",
        "",
        "#2 1 gross 10 fees 0+1, #1 1 gross 20 fees 0+1",
        "#9 -1@30 fee 1",
    ),
    "LIFO: of equal times the later record is the newer": (
        LIFO,
        "#1 +1@10 t5, #2 +1@20 t5",
        "-1@30",
        "",
        "#2 1 gross 10",
        "#1 +1@10 t5",
    ),
    "HIFO: a short loses most on its cheapest": (
        HIFO,
        "#1 -1@100, #2 -1@80, #3 -1@90",
        "+2@85",
        "",
        "#2 1 gross -5, #3 1 gross 5",
        "#1 -1@100",
    ),
    "HIFO: of equal prices the oldest": (
        HIFO,
        "#1 +1@10, #2 +1@20, #3 +1@20.0",
        "-1@30",
        "",
        "#2 1 gross 10",
        "#1 +1@10, #3 +1@20",
    ),
    "HIFO: a partly closed oldest lot is one of the lots": (
        HIFO,
        "#1 +1/4@30, #2 +2@20",
        "-2@40",
        "",
        "#1 1 gross 10, #2 1 gross 20",
        "#2 +1/2@20",
    ),
    "AVERAGE: a close leaves with all of the cost": (
        AVERAGE,
        "#1 +2@10, #2 +1@11",
        "-3@20",
        "",
        (
            "#1 2 cost 20.666666666666666667 gross 19.333333333333333333, "
            "#2 1 cost 10.333333333333333333 gross 9.666666666666666667"
        ),
        "",
    ),
    "AVERAGE: a flip leaves with all of the cost and begins anew": (
        AVERAGE,
        "#1 +1@10, #2 +1@20",
        "-3@30",
        "",
        "#1 1 cost 15 gross 15, #2 1 cost 15 gross 15",
        "#9 -1@30",
    ),
}


@pytest.mark.parametrize(("method", "before", "execution", "chosen", "closed", "after"), METHODS.values(), ids=METHODS)
def test_each_method_closes_its_own_lots(
    method: LotMethod, before: str, execution: str, chosen: str, closed: str, after: str
) -> None:
    """By hand; a fee stays with its entry by every method."""
    book = book_of(before, LINEAR, method)
    untouched = lots_of(book)

    records = book.decide(fill(execution, NEXT), NEXT, chosen=choice(chosen))
    assert matched(records) == matches(closed)
    assert lots_of(book) == untouched, "deciding changes nothing"

    book.evolve(records, NEXT, NEXT)
    assert lots_of(book) == open_lots(after)
    assert_sums(book)


def test_the_cost_of_average_leaves_in_parts_of_what_is_left() -> None:
    """Pro rata of what is left, half-even at 18 digits, the last is the rest; new lots make a new average."""
    book = book_of("#1 +2@10, #2 +1@11", LINEAR, LotMethod.AVERAGE)

    assert played(book, ["-1@20", "-1@20"], 3) == matches(
        "#1 1 cost 10.333333333333333333 gross 9.666666666666666667, "
        "#1 1 cost 10.333333333333333334 gross 9.666666666666666666"
    )
    assert (book.cost, book.average_price()) == (Decimal("10.333333333333333333"), Decimal("10.333333333333333333"))

    played(book, ["+1@12"], 5)
    assert book.average_price() == Decimal("11.166666666666666666"), "half of ...333, to the even neighbour"
    assert played(book, ["-2@20"], 6) == matches(
        "#2 1 cost 11.166666666666666666 gross 8.833333333333333334, "
        "#5 1 cost 11.166666666666666667 gross 8.833333333333333333"
    )
    assert book.cost == 0
    assert book.gross == 37


def test_the_average_of_an_inverse_contract_is_of_the_coins() -> None:
    """0.002 and 0.001 of the coin for 100 contracts each: 0.0015 leave with 100 of them."""
    book = Book(Contract(inverse=True), LotMethod.AVERAGE)

    assert played(book, ["+100@50000", "+100@100000", "-100@80000"]) == matches("#1 100 cost 0.0015 gross 0.00025")
    assert (book.cost, book.average_price()) == (Decimal("0.0015"), Decimal("66666.666666666666666667"))


def test_a_restored_average_book_has_the_cost_that_was_stored() -> None:
    """Law 13: it cannot be added up from the lots."""
    live = book_of(LOTS, LINEAR, LotMethod.AVERAGE)
    played(live, ["-15@130"], 4)
    kept = list(live.lots()), live.gross, live.fees, live.sequence, live.newest_time, live.contract, live.method

    restored = Book.restored(*kept, cost=live.cost)
    assert restored.cost == 1650
    assert restored.decide(fill("-2@130", 5), 5) == live.decide(fill("-2@130", 5), 5)
    assert Book.restored(*kept).cost == 1700, "what the lots themselves were opened for"
    assert Book.restored(*kept[:-1], LotMethod.FIFO, cost=Decimal(1)).cost == 1700


@pytest.mark.parametrize(
    ("chosen", "entry", "open_quantity"),
    [("#1 1, #2 11", "E2", "10"), ("#7 12", "E7", "0"), ("#2 6, #1 1, #2 5", "E2", "10")],
    ids=["more than is open", "no such lot", "more than is open, in two parts"],
)
def test_a_chosen_lot_has_to_be_open(chosen: str, entry: str, open_quantity: str) -> None:
    """The refusal names the entry and what is open of it; nothing is changed."""
    book = book_of(LOTS, LINEAR, LotMethod.CHOSEN)

    with pytest.raises(LotNotOpen) as refused:
        book.decide(fill("-12@130", NEXT), NEXT, chosen=choice(chosen))

    assert refused.value.metadata == {"entry_id": entry, "open_quantity": open_quantity}
    assert lots_of(book) == open_lots(LOTS)


@pytest.mark.parametrize("chosen", ["#1 4", "#1 0, #2 5"], ids=["too few", "nothing of a lot"])
def test_what_is_chosen_is_what_is_closed(chosen: str) -> None:
    """Anything else is a fault of the caller, not a request."""
    book = book_of(LOTS, LINEAR, LotMethod.CHOSEN)

    with pytest.raises(AssertionError, match="to be closed|nothing to close"):
        book.decide(fill("-5@130", NEXT), NEXT, chosen=choice(chosen))


@pytest.mark.parametrize("method", LotMethod, ids=lambda method: method.name)
def test_every_method_gains_the_same_over_a_book_that_ends_flat(method: LotMethod) -> None:
    """They differ in when a gain is realized, not in how much is."""
    book = book_of(LOTS, LINEAR, method)
    played(book, ["-7@130", "+5@90 t1", "-13@80", "-15@101"], 4)

    assert book.direction is None
    assert book.cost == 0
    assert book.gross == 7 * 130 + 13 * 80 + 15 * 101 - 3300 - 5 * 90


def test_lifo_closes_a_partly_closed_oldest_lot_last_and_only_what_is_left_of_it() -> None:
    """Which was the newest when it was closed in part."""
    book = Book(LINEAR, LotMethod.LIFO)
    played(book, ["+4@10 fee 4", "-3@20", "+2@11"])

    assert played(book, ["-2.5@20", "-0.5@20"], 4) == matches(
        "#3 2 gross 18, #1 0.5 gross 5 fees 0.5+0, #1 0.5 gross 5 fees 0.5+0"
    )


def test_lots_that_leave_in_any_order_leave_the_others_in_fifo_order() -> None:
    """Law 2, whatever is closed: front, middle and end, whole and in part, many times."""
    book = Book(LINEAR, LotMethod.CHOSEN)
    played(book, [f"+2@{price}" for price in (10, 11, 12, 13, 14)])

    for number, (closes, chosen) in enumerate(
        [("-3@20", "#3 2, #1 1"), ("-3@20", "#5 2, #4 1"), ("-2@20", "#4 1, #1 1")], 6
    ):
        records = book.decide(fill(closes, number), number, chosen=choice(chosen))
        assert [record.lot.sequence for record in records if isinstance(record, LotReduced)] == [
            lot for lot, _ in choice(chosen)
        ]
        book.evolve(records, number, number)
        assert_sums(book)

    assert lots_of(book) == open_lots("#2 +2@11")
