"""What holds in every shared case, whatever its source asserts: the laws of the book, and time order whatever order came."""

from __future__ import annotations

from decimal import Decimal
from itertools import permutations

import pytest

from lotkeeperd.domain.book import Book
from lotkeeperd.domain.decimals import ZERO
from lotkeeperd.domain.reconciliation.repair import close_at
from tests.domain.courses import Case, Course, case_of, cases, fill, ids, signed
from tests.domain.figures import of_ours, of_the_source, read
from tests.domain.players import played


@pytest.mark.parametrize("case", cases(), ids=ids(cases()))
def test_every_case_keeps_the_laws_of_the_book(case: Case) -> None:
    """Laws 4, 6 and 13: fees are conserved, P&L is cash, and the journal gives the same book again."""
    course = played(case)

    for each in filter(None, (course, course.delivered)):
        again = each.history.folded(Book(each.book.contract, each.book.method), len(each.history.slots))
        assert sums_of(again) == sums_of(each.book)
        charged = [slot.decision.charged.amount for slot in each.history.slots]
        assert sum(charged, ZERO) == each.book.fees + each.book.open_fees
        assert each.book.gross + each.book.unrealized(MARK) == money_of(each)


MARK = Decimal("7.25")
"""Any price will do for the identity of law 6."""


def sums_of(book: Book) -> tuple[object, ...]:
    """All that a book holds."""
    return (list(book.lots()), book.quantity, book.cost, book.gross, book.fees, book.open_fees, book.direction)


def money_of(course: Course) -> Decimal:
    """What was paid and received for all fills, and what is open at the mark; of an inverse contract in its coin."""
    contract = course.book.contract
    fills = [slot.decision.fill for slot in course.history.slots]
    paid = sum((one.direction * contract.value(one.quantity, one.price) for one in fills if one.price), ZERO)
    held = (course.book.direction or 0) * contract.value(course.book.quantity, MARK)
    return paid - held if contract.inverse else held - paid


OUT_OF_ORDER = [case for case in cases() if case["kind"] == "out_of_order"]


@pytest.mark.parametrize("case", OUT_OF_ORDER, ids=ids(OUT_OF_ORDER))
def test_fills_in_any_order_of_arrival_give_the_figures_of_their_times(case: Case) -> None:
    """The source shuffles once; here every order comes."""
    theirs = of_the_source(case)

    for events in permutations(case["events"]):
        course = played(case | {"events": list(events)})
        assert {name: of_ours(course, name, value) for name, value in theirs.items()} == read(theirs), events


ADOPTED = [case for case in cases() if case["kind"] == "reconcile_price"]
TOLERATED = [case for case in cases() if case["kind"] == "reconcile_tolerance"]

NO_PRICE_AGREES = {"nautilus-063": Decimal("1.5")}
"""Where the venue's average asks for a price of 0 or less: the average after an adoption at the venue's own."""


@pytest.mark.parametrize("case", ADOPTED, ids=ids(ADOPTED))
def test_after_a_synthetic_fill_quantity_and_average_agree_and_nothing_was_gained(case: Case) -> None:
    """Where there is one; where none is proposed or needed, the lots are as they were."""
    course = played(case)

    other = case["local"] if course.adopted is None else case["venue"]
    average = NO_PRICE_AGREES.get(case["id"], other["avg"] and Decimal(other["avg"]))
    assert signed(course.book) == Decimal(other["qty"])
    assert course.book.average_price() == (average if signed(course.book) else None)
    assert course.book.gross == 0


@pytest.mark.parametrize("case", [*ADOPTED, *TOLERATED], ids=ids([*ADOPTED, *TOLERATED]))
def test_a_book_that_was_reconciled_is_found_equal_or_waits_for_a_person(case: Case) -> None:
    """Comparing again proposes nothing new."""
    found = played(case).compared().differences

    assert all(not difference.proposals or case["kind"] == "reconcile_tolerance" for difference in found)


def test_a_position_that_is_gone_is_closed_at_the_price_that_a_person_gives() -> None:
    """The other half of nautilus-057: at our own average it gains nothing, as the source has it."""
    course = played(case_of("nautilus-057"))
    (gone,) = course.compared().differences

    (closing,) = close_at(gone, Decimal("1.20"))

    assert closing.execution is not None
    course.tell(fill(closing.execution.side, closing.execution.quantity, closing.execution.price))
    assert signed(course.book) == course.book.gross == 0


def test_every_case_of_reconciliation_ran(capsys: pytest.CaptureFixture[str]) -> None:
    """Says how many of each kind."""
    assert (len(ADOPTED), len(TOLERATED)) == (8, 2)
    with capsys.disabled():
        print(f"\nreconciliation: {len(ADOPTED)} x reconcile_price, {len(TOLERATED)} x reconcile_tolerance")


FOR_THE_SERVICE = {
    "cash of a portfolio": ("lean-043", "lean-045", "lean-046", "lean-049", "lean-050", "lean-052"),
    "totals in the base currency, at a rate that stands on the wire": ("lean-043", "lean-045", "lean-046"),
    "events: funding, interest, a split with cash in lieu, an exercise": (
        "freqtrade-014",
        "freqtrade-015",
        "freqtrade-016",
        "freqtrade-018",
        "freqtrade-020",
        "lean-028",
        "lean-049",
        "lean-050",
        "lean-052",
    ),
    "fees listed unconverted": ("nautilus-031", "hummingbot-006"),
    "late fills": ("nautilus-042", "nautilus-043"),
    "marks by side": ("lean-048",),
    "reconciliation": tuple(case["id"] for case in cases() if case["kind"].startswith("reconcile")),
}
"""What the domain has the parts of and the service puts together -> cases that show it."""


def cases_for_the_service(what: str) -> list[Case]:
    """The cases of one row of ``FOR_THE_SERVICE``: for the contract's tests, to be sent through a running server as well."""
    return [case_of(name) for name in FOR_THE_SERVICE[what]]


def needs_the_service(case: Case) -> bool:
    """Whether it is about more than fills of one book in one currency."""
    kinds = {event.get("type", "REDUCE") for event in case["events"]} - {"REDUCE", "MARK"}
    elsewhere = {event.get("fee_ccy", "BASE") for event in case["events"]} - {"BASE"}
    late = any("ts" in event for event in case["events"])
    return bool(kinds or elsewhere or late or "account_ccy" in case or "rates" in case or "venue" in case)


def test_what_only_the_service_puts_together_is_named_whole() -> None:
    """No case that goes beyond one book is missing from the rows that the contract's tests will ask for."""
    named = {name for what in FOR_THE_SERVICE for name in ids(cases_for_the_service(what))}

    assert named == {case["id"] for case in cases() if needs_the_service(case)} | {"lean-048"}
