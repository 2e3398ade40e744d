"""A book followed through its records: what it was after each of them, and what each changed."""

from __future__ import annotations

from decimal import Decimal, localcontext
from typing import Any

import pytest

from lotkeeperd.domain.book import Contract
from lotkeeperd.domain.commands import Terms
from lotkeeperd.domain.course import NO_FIGURES, Course, Figures, add_abroad, decisions_in, figures_of
from lotkeeperd.domain.decimals import EXACT
from lotkeeperd.domain.instruments import Instrument
from lotkeeperd.domain.portfolios import Portfolio
from lotkeeperd.domain.rates import Rate
from tests.domain.journal import SUMS, Journal

COIN = "BNB"
LATER = Terms(Instrument("X"), Portfolio("p", "USD", fees_later=True))


@pytest.fixture(autouse=True)
def _exactly() -> Any:
    """Books run under the exact context."""
    with localcontext(EXACT):
        yield


def course_of(journal: Journal, corrected: bool = False) -> Course:
    """All records of a journal, taken in."""
    course = Course(journal.book.contract, journal.book.method, corrected=corrected)
    for record in journal.records:
        course.take(record)
    return course


def same(course: Course, journal: Journal) -> bool:
    """Whether the course leads to the book as it was kept."""
    book, live = course.book(), journal.book
    sums = all(getattr(book, name) == getattr(live, name) for name in (*SUMS, "pending", "sequence", "newest_time"))
    return sums and [lot.standing for lot in book.lots()] == [lot.standing for lot in live.lots()]


def corrected_journal() -> Journal:
    """Bought 1 and 1, sold 1, then the first was taken back, and a late one was put before all."""
    journal = Journal()
    for text in ("+1@100 fee 1", "+1@110 fee 2", "-1@120 fee 3"):
        journal.tell(text)
    journal.bust(1)
    journal.late("+2@90 t1")
    return journal


def test_records_lead_to_the_book_without_its_history() -> None:
    """What was decided is folded and forgotten."""
    journal = Journal()
    for text in ("+1@100 fee 1", "+1@110", "-3@120 fee 3 t1"):
        journal.tell(text)
    assert same(course_of(journal), journal)


def test_a_corrected_course_leads_to_the_corrected_book() -> None:
    """The slots that count are folded; the book's sequence is the correction's."""
    journal = corrected_journal()
    assert same(course_of(journal, corrected=True), journal)
    assert course_of(journal, corrected=True).book().sequence == 5


def test_the_course_goes_on_after_a_correction_nobody_looked_at() -> None:
    """One more fill is one more slot."""
    journal = corrected_journal()
    journal.tell("-1@130")
    assert same(course_of(journal, corrected=True), journal)


def test_a_corrected_course_can_be_looked_at_after_every_record() -> None:
    """The figures of each are those of the journal read so far, and the changes sum to the last."""
    journal, changes = corrected_journal(), []
    course = Course(journal.book.contract, journal.book.method, corrected=True)
    before = NO_FIGURES
    for record in journal.records:
        course.take(record)
        now = figures_of(course.book())
        changes.append(now.since(before))
        before = now
    assert Figures(*(sum(column) for column in zip(*changes, strict=True))) == figures_of(journal.book)
    assert changes[3] == Figures(Decimal(-1), Decimal(-110), Decimal(-10), Decimal(1), Decimal(-2))


def test_a_course_that_keeps_no_history_cannot_be_corrected() -> None:
    """Whoever follows it has to know; and there are no slots to ask for."""
    journal = corrected_journal()
    with pytest.raises(AssertionError, match="record 4 corrects a book that keeps no history"):
        course_of(journal)
    with pytest.raises(AssertionError, match="keeps no slots"):
        Course(journal.book.contract, journal.book.method).slots()


@pytest.mark.parametrize("corrected", [False, True])
def test_a_forked_course_goes_on_by_itself(corrected: bool) -> None:
    """What one of the two takes in does not show in the other."""
    journal = corrected_journal() if corrected else Journal()
    journal.tell("+1@100")
    course = course_of(journal, corrected)
    fork, before = course.fork(), figures_of(journal.book)
    decision = journal.tell("+2@100")
    course.take(decision)
    assert same(course, journal)
    assert figures_of(fork.book()) == before
    fork.take(decision)
    assert same(fork, journal)


def test_a_fork_of_a_book_nobody_looked_at_is_folded_by_itself() -> None:
    """Right after a correction there is no book to copy."""
    journal = corrected_journal()
    course = Course(journal.book.contract, journal.book.method, corrected=True)
    for record in journal.records:
        course.take(record)
    assert same(course.fork(), journal)


@pytest.mark.parametrize("looked", [False, True])
def test_an_instrument_may_be_declared_anew_while_nothing_is_open(looked: bool) -> None:
    """What is closed stays as it was; what is opened afterwards is worth what is said now."""
    journal = Journal()
    journal.tell("+1@100")
    journal.tell("-1@110")
    journal.correct(2, price=Decimal(115))
    course = course_of(journal, corrected=True)
    if looked:
        course.book()
    course.under(Contract(Decimal(10)))
    course.take(journal.tell("+1@100"))
    assert figures_of(course.book()) == Figures(Decimal(1), Decimal(1000), Decimal(15), Decimal(0), Decimal(0))


def test_a_short_has_a_negative_quantity() -> None:
    """So that changes of quantity sum over a flip."""
    journal = Journal()
    journal.tell("-2@100")
    assert figures_of(journal.book) == Figures(Decimal(-2), Decimal(200), Decimal(0), Decimal(0), Decimal(0))


def test_a_fee_that_is_still_to_come_is_pending_in_the_course() -> None:
    """As in the book that was kept."""
    journal = Journal(LATER)
    journal.record(journal.command("+1@100")._replace(fee=None))
    assert course_of(journal).book().pending.awaited == 1
    assert same(course_of(journal), journal)


def test_fees_in_other_coins_are_added_up_by_currency() -> None:
    """The coin is gone, and what the book counts for it is given back; a plain fee does nothing abroad."""
    rate = Rate(COIN, "USD", Decimal(2), 1, "told")
    journal = Journal()
    journal.tell("+1@100 fee 1")
    journal.record(journal.command("+1@100 fee 3", fee_currency=COIN))
    journal.terms = journal.terms._replace(rate=rate)
    journal.record(journal.command("+1@100 fee 4", fee_currency=COIN))
    moved: dict[str, Decimal] = {}
    for record in journal.records:
        for decision in decisions_in(record):
            add_abroad(decision, "USD", moved)
    assert moved == {COIN: -7, "USD": 8}


def test_a_correction_tells_of_every_decision_that_came_out_differently() -> None:
    """And of no other."""
    journal = corrected_journal()
    assert [decision.sequence for decision in decisions_in(journal.records[3])] == [3]
