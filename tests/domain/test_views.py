"""The same executions matched by another lot method, beside what was decided."""

from __future__ import annotations

from decimal import Decimal, localcontext
from typing import Any, NamedTuple

import pytest

from lotkeeperd.domain.book import Book, Contract, Fill, LotMethod
from lotkeeperd.domain.commands import Command, Decision, Method, Terms
from lotkeeperd.domain.course import Course
from lotkeeperd.domain.deciding import Decided, decided
from lotkeeperd.domain.decimals import EXACT, ZERO
from lotkeeperd.domain.fees import NONE
from lotkeeperd.domain.history import Correction
from lotkeeperd.domain.instruments import Instrument
from lotkeeperd.domain.portfolios import Portfolio
from lotkeeperd.domain.splits import arrived, departed
from lotkeeperd.domain.views import Contracts, View, Walks
from tests.domain.asking import LONG, NOW
from tests.domain.journal import Journal

A, B = ("p", "X", ""), ("p", "Y", "")

BOUGHT_THREE = ("+10@100", "+10@120", "+10@110")


class Row(NamedTuple):
    """What a method makes of three lots bought at 100, 120 and 110 after 12 of the 30 were sold at 130."""

    method: LotMethod
    gross: str
    cost: str


ROWS = [
    Row(LotMethod.FIFO, "320", "2060"),
    Row(LotMethod.LIFO, "220", "1960"),
    Row(LotMethod.HIFO, "140", "1880"),
    Row(LotMethod.AVERAGE, "240", "1980"),
    Row(LotMethod.CHOSEN, "320", "2060"),
]


@pytest.fixture(autouse=True)
def _exactly() -> Any:
    """Books run under the exact context."""
    with localcontext(EXACT):
        yield


def view_of(journal: Journal, method: LotMethod) -> Book:
    """A journal without corrections, decided anew."""
    view = View(journal.book.contract, method)
    for record in journal.records:
        assert isinstance(record, Decision)
        view.take(record)
    return view.book()


def walked(method: LotMethod, journals: dict[str, Journal], contracts: Contracts | None = None) -> dict[str, Book]:
    """Journals with corrections or moved lots, by symbol, decided anew together."""
    walks = Walks(contracts or Contracts(), method)
    for symbol, journal in journals.items():
        course = Course(journal.book.contract, journal.book.method, corrected=True)
        for record in journal.records:
            course.take(record)
        walks.add(("p", symbol, ""), Contract(), course)
    return {key[1]: book for key, book in walks.books().items()}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.method.value)
def test_each_method_takes_other_lots_of_the_same_executions(row: Row) -> None:
    """Realized, cost and average differ; what is open does not."""
    journal = Journal()
    for text in (*BOUGHT_THREE, "-12@130"):
        journal.tell(text)
    book = view_of(journal, row.method)
    assert (book.quantity, book.gross, book.cost) == (Decimal(18), Decimal(row.gross), Decimal(row.cost))
    assert book.method is row.method


@pytest.mark.parametrize("method", LotMethod)
def test_a_book_that_ends_flat_gained_the_same_by_every_method(method: LotMethod) -> None:
    """Law 6; fees are conserved by each (law 4)."""
    journal = Journal()
    for text in ("+10@100 fee 1", "+10@120 fee 0.3", "-7@130 fee 0.7", "-20@90 fee 0.1", "+7@95"):
        journal.tell(text)
    book = view_of(journal, method)
    assert (book.direction, book.gross, book.fees) == (None, journal.book.gross, journal.book.fees)


@pytest.mark.parametrize("method", LotMethod)
def test_a_view_is_what_a_book_of_that_method_would_be(method: LotMethod) -> None:
    """With a split on the way, which carries the view's own lots, and a fee that is still to come."""
    told = Terms(Instrument("X"), Portfolio("p", "USD", lot_method=method, fees_later=True))
    own, other = Journal(told), Journal(told._replace(portfolio=Portfolio("p", "USD", fees_later=True)))
    for journal in (own, other):
        for text in BOUGHT_THREE:
            journal.record(journal.command(text)._replace(fee=None))
        journal.tell("-12@130 fee 1")
        journal.split(3, 2)
        journal.tell("-5@140")
    book = view_of(other, method)
    assert list(book.lots()) == list(own.book.lots())
    assert (book.cost, book.gross, book.fees) == (own.book.cost, own.book.gross, own.book.fees)
    assert (book.pending, book.sequence) == (own.book.pending, own.book.sequence)


def test_choices_are_no_business_of_another_method() -> None:
    """The portfolio chose its second lot; by FIFO the first goes."""
    told = Terms(Instrument("X"), Portfolio("p", "USD", lot_method=LotMethod.CHOSEN))
    journal = Journal(told)
    for text in BOUGHT_THREE:
        journal.tell(text)
    journal.tell("-10@130", chosen=((2, Decimal(10)),))
    assert (journal.book.gross, view_of(journal, LotMethod.FIFO).gross) == (Decimal(100), Decimal(300))


def test_an_expiry_that_a_correction_left_nothing_closes_nothing() -> None:
    """It follows what is open, in a view as in the book."""
    journal = Journal()
    journal.tell("+1@100")
    journal.record(Command(Method.EXPIRY, "p", "X", None, None, ZERO, close_all=True))
    journal.bust(1)
    assert isinstance(journal.records[-1], Correction)
    book = walked(LotMethod.LIFO, {"X": journal})["X"]
    assert book.direction is None
    assert (book.gross, book.sequence) == (ZERO, 3)


def moved(source: Journal, target: Journal, sequence: int) -> None:
    """All lots of ``source`` go over to ``target``, as records ``sequence`` and the next one."""
    leave, arrive = departed(source.book, sequence), arrived(source.book, sequence + 1)
    symbols = {id(source): "X", id(target): "Y"}
    for journal, at, method, records, details in (
        (source, sequence, Method.SYMBOL_CHANGE, leave, ("to_symbol", symbols[id(target)])),
        (target, sequence + 1, Method.SYMBOL_ARRIVAL, arrive, ("from_symbol", symbols[id(source)])),
    ):
        command = Command(method, "p", symbols[id(journal)], None, None, ZERO, time=NOW, details=(details,))
        what = Decided(Fill(LONG, ZERO, ZERO, ZERO, NOW), NONE, records)
        journal.book = journal.book.staged()
        journal.book.evolve(records, at, NOW)
        journal.records.append(decided(command, what, at, NOW))
        journal.sequence = at


def renamed() -> tuple[Journal, Journal]:
    """X was bought three times and sold once, became Y, and was sold again there."""
    x, y = Journal(), Journal()
    for text in (*BOUGHT_THREE, "-12@130"):
        x.tell(text)
    moved(x, y, 5)
    y.sequence = 6
    y.tell("-10@140")
    return x, y


@pytest.mark.parametrize("order", [("X", "Y"), ("Y", "X")])
@pytest.mark.parametrize("method", [LotMethod.LIFO, LotMethod.AVERAGE])
def test_a_change_of_symbol_carries_the_lots_of_the_view(method: LotMethod, order: tuple[str, str]) -> None:
    """Whichever book is walked first, lots leave before they arrive."""
    journals = dict(zip(("X", "Y"), renamed(), strict=True))
    own = Journal(Terms(Instrument("X"), Portfolio("p", "USD", lot_method=method)))
    for text in (*BOUGHT_THREE, "-12@130", "-10@140"):
        own.tell(text)
    books = walked(method, {symbol: journals[symbol] for symbol in order})
    assert books["X"].direction is None
    assert books["Y"].quantity == 8
    assert books["X"].gross + books["Y"].gross == own.book.gross
    assert books["Y"].cost == own.book.cost
    assert (books["X"].sequence, books["Y"].sequence) == (5, 7)


def test_lots_whose_departure_is_not_known_arrive_as_they_were_decided() -> None:
    """A book that is walked alone."""
    _, y = renamed()
    assert walked(LotMethod.LIFO, {"Y": y})["Y"].quantity == 8


def test_a_book_is_worth_what_was_declared_when_it_was_flat() -> None:
    """The first trade gained 10 at a multiplier of 1, the second 100 at one of 10."""
    journal = Journal()
    for text in ("+1@100", "-1@110"):
        journal.tell(text)
    contracts = Contracts()
    contracts.declared("X", 3, Contract(Decimal(10)))
    journal.sequence = 3
    journal.terms = Terms(Instrument("X", multiplier=Decimal(10)), Portfolio("p", "USD"))
    journal.book = Book.restored((), journal.book.gross, ZERO, 2, 2, Contract(Decimal(10)))
    for text in ("+1@100", "-1@110"):
        journal.tell(text)
    assert walked(LotMethod.LIFO, {"X": journal}, contracts)["X"].gross == 110
    view = View(Contract(), LotMethod.LIFO)
    for record in journal.records:
        assert isinstance(record, Decision)
        if record.sequence > 3:
            view.under(Contract(Decimal(10)))
        view.take(record)
    assert view.book().gross == 110


def test_contracts_are_known_from_their_declaration_on() -> None:
    """And until the next one."""
    contracts = Contracts()
    contracts.declared("X", 3, Contract(Decimal(10)))
    contracts.declared("X", 7, Contract(Decimal(20)))
    found = [contracts.at("X", sequence) for sequence in (2, 3, 6, 7, 9)]
    assert [one and one.multiplier for one in found] == [None, 10, 10, 20, 20]
    assert contracts.at("Y", 9) is None
