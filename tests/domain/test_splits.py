"""Splits and changes of symbol: the lots before, the ratio, the lots after; what they cost stays to the digit."""

from __future__ import annotations

from decimal import Decimal, localcontext

import pytest

from lotkeeperd.domain.book import LINEAR, Book, Contract, Direction, Fill, LotMethod, Record
from lotkeeperd.domain.commands import Command, Method, Terms
from lotkeeperd.domain.decimals import EXACT, ZERO
from lotkeeperd.domain.instruments import Instrument, Kind
from lotkeeperd.domain.portfolios import Portfolio
from lotkeeperd.domain.refusals import FieldViolations, LaterCommandRefused, NoOpenPosition
from lotkeeperd.domain.splits import LARGEST, arrived, beyond_whole_steps, departed, split
from tests.domain.asking import TERMS
from tests.domain.journal import Journal, assert_whole
from tests.domain.language import book_of, lots_of, open_lots, played

NEXT = 9
THIRD = Decimal("3.333333333333333333")
INVERSE = Contract(Decimal(1), inverse=True, currency="BTC")


def resized(book: Book, numerator: int, denominator: int) -> Book:
    """The book after a split, its sums checked: quantity by the ratio, cost and fees as they were."""
    cost, fees, gross = book.cost, book.open_fees, book.gross
    records = split(book, "X", NEXT, Decimal(numerator), Decimal(denominator))
    book.evolve(records, NEXT, NEXT)
    assert (book.cost, book.open_fees, book.gross) == (cost, fees, gross)
    return book


# lots before; every so many become so many; lots after
SPLITS = {
    "4:1": ("#1 +10@100 fee 1 t1, #2 +5@120 t2", (4, 1), "#1 +40@25 fee 1 t1, #2 +20@30 t2"),
    "3:2": ("#1 +10@150", (3, 2), "#1 +15@100"),
    "1:10, a reverse split": ("#1 +100@2.5", (1, 10), "#1 +10@25"),
    "a short": ("#1 -10@100", (4, 1), "#1 -40@25"),
    "a lot that is partly closed keeps what is open of it": (
        "#1 +6/10@100 fee 0.6, #2 +1@120",
        (2, 1),
        "#1 +12@50 fee 0.6, #2 +2@60",
    ),
}


@pytest.mark.parametrize(("before", "ratio", "after"), SPLITS.values(), ids=SPLITS)
def test_a_split_changes_quantity_and_price_and_nothing_else(before: str, ratio: tuple[int, int], after: str) -> None:
    """Identity, time, place and fee of every lot stay."""
    assert lots_of(resized(book_of(before), *ratio)) == open_lots(after)


def test_a_price_without_an_end_keeps_the_cost_beside_it() -> None:
    """1:3 of 10: the quantity is rounded once, for all lots together; the cost is shared like a fee from then on."""
    book = resized(book_of("#1 +4@100, #2 +6@100"), 1, 3)
    first, second = book.lots()

    assert book.quantity == first.remaining + second.remaining == THIRD
    assert (first.cost, second.cost) == (Decimal(400), None), "2 at 300 are 600 exactly"
    assert first.price == Decimal("300.000000000000000075")

    played(book, [f"-{THIRD}@300"], NEXT + 1)
    assert book.gross == THIRD * 300 - 1000, "what the rounding cost is realized in the end (law 6)"


def test_what_is_beyond_whole_steps_is_paid_for() -> None:
    """Cash in lieu closes it as a sale does."""
    book = resized(book_of("#1 +10@30"), 1, 3)

    rest = beyond_whole_steps(book.quantity, Decimal(1))

    assert rest == Decimal("0.333333333333333333")
    assert beyond_whole_steps(book.quantity, ZERO) == 0, "fractions stay where there is no step"


def test_by_average_every_lot_leaves_and_arrives_with_its_part_of_the_one_cost() -> None:
    """The pool is what it was, and so is what is realized from it."""
    book = book_of("#1 +1@10, #2 +1@20", LINEAR, LotMethod.AVERAGE)
    played(book, ["-1@30"], 3)
    assert book.gross == book.cost == 15

    resized(book, 2, 1)
    assert lots_of(book)[0]._replace(opened=Decimal(2), cost=None) == open_lots("#2 +2@7.5")[0]

    played(book, ["-2@15"], NEXT + 1)
    assert [book.gross, book.cost] == [Decimal(30), ZERO]


def test_an_inverse_contract_keeps_what_it_is_worth_in_its_coin() -> None:
    """Twice the contracts at twice the price."""
    journal = Journal(Terms(Instrument("X", Kind.INVERSE, settlement_currency="BTC"), Portfolio("p", "USD")))
    journal.tell("+100@50000")

    journal.split(2, 1)

    (lot,) = journal.book.lots()
    assert [lot.remaining, lot.price, lot.cost] == [Decimal(200), Decimal(100_000), Decimal("0.002")]
    assert_whole(journal)


def test_an_inverse_lot_that_is_worth_nothing_has_no_price_to_keep() -> None:
    """Its value was rounded to nothing: a price of 0 stands for it."""
    book = Book(INVERSE)
    played(book, ["+0.000000000000000001@50000"])

    assert [(lot.remaining, lot.price, lot.cost) for lot in resized(book, 2, 1).lots()] == [
        (Decimal("0.000000000000000002"), ZERO, ZERO)
    ]


def test_nothing_open_cannot_be_split() -> None:
    """There is nothing to carry over."""
    with pytest.raises(NoOpenPosition):
        split(Book(), "X", NEXT, Decimal(2), Decimal(1))


def test_a_lot_that_would_become_less_than_can_be_told_is_refused() -> None:
    """A lot never disappears in a split."""
    with pytest.raises(FieldViolations, match="less than 18 fraction digits can tell; close it first"):
        split(book_of("#1 +0.000000000000000001@1, #2 +1@1"), "X", NEXT, Decimal(1), Decimal(3))


def changed(journal: Journal, method: Method, records: tuple[Record, ...]) -> None:
    """One side of a change of symbol."""
    journal.happened(Command(method, "p", "X", None, None, ZERO, time=5), records)


@pytest.mark.parametrize("method", [LotMethod.FIFO, LotMethod.AVERAGE], ids=lambda method: method.value)
def test_lots_go_to_another_symbol_as_they_are(method: LotMethod) -> None:
    """They keep id, time, price and fee; the cost of both books together stays."""
    terms = TERMS._replace(portfolio=TERMS.portfolio._replace(lot_method=method))
    old, new = Journal(terms), Journal(terms)
    for text in ("+1@10 fee 1", "+1@20", "-1@30"):
        old.tell(text)
    new.sequence = old.sequence
    before, cost = lots_of(old.book), old.book.cost
    arriving = arrived(old.book, 5)

    changed(old, Method.SYMBOL_CHANGE, departed(old.book, 4))
    new.sequence = old.sequence
    changed(new, Method.SYMBOL_ARRIVAL, arriving)

    assert lots_of(old.book) == []
    assert [lot._replace(cost=None) for lot in lots_of(new.book)] == [lot._replace(cost=None) for lot in before]
    assert [old.book.cost, new.book.cost] == [ZERO, cost]
    assert_whole(new)


def test_a_correction_walks_over_a_split() -> None:
    """The split is made anew in the book as it is now; what came after stands at its own figures."""
    journal = Journal()
    journal.tell("+10@100")
    journal.tell("+5@120")
    journal.split(2, 1)
    journal.tell("-20@70")

    journal.correct(1, price=Decimal(90))
    assert lots_of(journal.book) == open_lots("#2 +10@60")
    assert journal.book.gross == 20 * (70 - 45)

    journal.bust(1, flips=True)
    assert lots_of(journal.book) == open_lots("#4 -10@70 t4")
    assert journal.book.gross == 10 * (70 - 60)
    assert_whole(journal)


def test_a_split_of_nothing_does_nothing_and_is_made_again_when_there_is_something() -> None:
    """All that was open before it was busted; then a late fill brings something."""
    journal = Journal()
    journal.tell("+10@100")
    journal.split(2, 1)
    journal.bust(1)
    assert (lots_of(journal.book), len(journal.history().slots)) == ([], 1)

    journal.late("+3@100 t1")

    assert lots_of(journal.book) == open_lots("#4 +6@50 t1")
    assert_whole(journal)


def test_a_correction_that_a_split_cannot_carry_names_the_split() -> None:
    """A lot that would become too small is refused there as it is at the time."""
    journal = Journal()
    journal.tell("+9@1")
    journal.split(1, 3)

    with pytest.raises(LaterCommandRefused, match="less than 18 fraction digits") as refused:
        journal.late("+0.000000000000000001@1 t0")

    assert refused.value.metadata == {"sequence": "2", "fill_id": "", "reason": "FIELD_VIOLATION"}
    assert_whole(journal)


def test_what_went_to_another_symbol_is_not_corrected_through_it() -> None:
    """Not yet: the change is named."""
    journal = Journal()
    journal.tell("+1@10")
    changed(journal, Method.SYMBOL_CHANGE, departed(journal.book, 2))

    with pytest.raises(LaterCommandRefused, match="a change of its symbol") as refused:
        journal.correct(1, price=Decimal(11))

    assert refused.value.metadata["reason"] == "NOT_YET_IMPLEMENTED"


def arrival(old: str) -> Journal:
    """A journal in which the lots ``old`` arrived from another symbol after one was bought and sold."""
    journal = Journal()
    journal.tell("+1@10")
    journal.tell("-1@11")
    source = book_of(old)
    changed(journal, Method.SYMBOL_ARRIVAL, arrived(source, 3))
    return journal


def test_what_arrived_from_another_symbol_stands_whatever_is_corrected_before_it() -> None:
    """It came as it is."""
    journal = arrival("#7 +5@20 t1")

    journal.correct(1, price=Decimal(9))
    journal.bust(2)

    assert lots_of(journal.book) == open_lots("#1 +1@9 t1, #7 +5@20 t1")
    assert_whole(journal)


def test_what_arrived_cannot_meet_the_other_side() -> None:
    """Law 7: a correction that would leave the other side open before it is refused, flips or not."""
    journal = arrival("#7 +5@20 t1")

    with pytest.raises(LaterCommandRefused, match="'X' is SHORT 1") as refused:
        journal.bust(1, flips=True)

    assert refused.value.metadata == {"sequence": "3", "fill_id": "", "reason": "OPPOSITE_SIDE_OPEN"}
    assert_whole(journal)


def test_a_split_that_would_make_more_than_an_execution_can_tell_is_refused() -> None:
    """Law 1: everything else is exact far beyond that."""
    book = Book()
    with localcontext(EXACT):
        bought = Fill(Direction.LONG, LARGEST / 2, Decimal(1), ZERO, 1)
        book.evolve(book.decide(bought, 1), 1, 1)
        with pytest.raises(FieldViolations, match="more than 20 integer digits"):
            split(book, "X", 2, Decimal(2), Decimal(1))
