"""Cases from the test suites of public trading systems against the book; what does not apply is listed with its reason."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from lotkeeperd.domain.book import Book
from lotkeeperd.domain.commands import check_replay, decide
from lotkeeperd.domain.refusals import FillConflict, InsufficientQuantity
from tests.domain.courses import (
    KINDS,
    Case,
    Course,
    Stage,
    applies,
    cases,
    command_of,
    figures,
    journaled,
    played,
    settled,
)
from tests.domain.figures import DERIVED, asserted

NOT_APPLICABLE = {
    "its lots are averaged, and an exit closed some of several lots": ("nautilus-009", "beancount-017"),
    "its newest lots are closed first, and an exit closed some of several lots": ("beancount-006",),
    "its dearest lots are closed first, and an exit closed some of several lots": ("rotki-007", "beancount-009"),
    "fees in another currency than the ledger's are refused until there are instruments": (
        "nautilus-024",
        "nautilus-030",
        "nautilus-031",
        "hummingbot-006",
    ),
    "amounts in two currencies need conversion rates": ("lean-043", "lean-045", "lean-046"),
    "amounts instead of prices, with the fees inside": ("portfolio-005",),
    "fees are part of the cost; here they stand beside it (law 5)": ("rotki-012",),
    "late fills are sorted in before they are matched; here they change nothing already matched (law 2)": (
        "nautilus-042",
        "nautilus-043",
    ),
    "splits, exercises and interest need instruments": (
        "lean-028",
        "lean-049",
        "lean-050",
        "lean-052",
        "freqtrade-018",
        "freqtrade-019",
    ),
    "about comparing with a broker": (
        "nautilus-052",
        "nautilus-054",
        "nautilus-055",
        "nautilus-057",
        "nautilus-061",
        "nautilus-063",
        "nautilus-064",
        "nautilus-065",
        "nautilus-072",
        "nautilus-075",
    ),
    "about marks, not about lots": ("lean-048",),
    "about exits and drawdowns, not about lots": (
        "freqtrade-026",
        "lean-033",
        "lean-035",
        "lean-036",
        "lean-038",
    ),
}
"""Reason -> cases that are not run."""

LEFT_OUT = {
    "return": "performance figures are not the book's",
    "notional_at": "an inverse contract, valued in the base coin",
}
"""Figures of cases that are run, but that no book keeps."""

DERIVED_DIGITS = Decimal("0.0000000001")
"""The derived figures are rounded to ten digits."""

RUN = [case for case in cases() if applies(case)]
PLAYED = [case for case in RUN if case["kind"] in {"fills", "lots"}]


def names(found: list[Case]) -> list[str]:
    """For the test's own name."""
    return [case["id"] for case in found]


def of_kind(kind: str) -> list[Case]:
    """The cases of one kind that are run."""
    return [case for case in RUN if case["kind"] == kind]


def why_not(course: Course, stage: Stage, key: str) -> str | None:
    """Why a figure of a case that is run does not hold for us; None when it does."""
    if key in LEFT_OUT:
        return LEFT_OUT[key]
    if course.case.get("inverse") and key == "unrealized_at":
        return "an inverse contract, valued in the base coin"
    if key == "avg_open" and stage.book.direction is None:
        return "some sources leave the last average standing when nothing is open"
    if key == "closed_lots" and not (course.is_fifo or all(stage.book.lot_count <= 1 for stage in course.stages)):
        return "the source pairs entries and exits in another order"
    if key not in BY_QUANTITY and not course.comparable(stage):
        return "half way, where the source has closed other lots than we have"
    return None


BY_QUANTITY = {"open_qty", "opened", "closed"}
"""Figures that every lot method agrees on, at every stage."""


def compared(course: Course) -> list[tuple[str, object, object]]:
    """Every figure that holds for us: its name, what the book says, what the source says."""
    return [
        (name, *asserted(course, stage, key, value))
        for name, stage, key, value in figures(course)
        if why_not(course, stage, key) is None
    ]


def within(found: object, expected: object, tolerance: Decimal) -> bool:
    """Equal, or as near as the source looked."""
    if isinstance(found, Decimal) and isinstance(expected, Decimal):
        return abs(found - expected) <= tolerance
    return found == expected


@pytest.mark.parametrize("case", PLAYED, ids=names(PLAYED))
def test_the_book_gives_what_the_source_asserts(case: Case) -> None:
    """In the source's own fee convention; exactly, where the source is exact."""
    course = played(case)
    tolerance = Decimal(case.get("tolerance", 0))

    wrong = [row for row in compared(course) if not within(row[1], row[2], tolerance)]

    assert not wrong


DERIVING = [case for case in PLAYED if "derived" in case]


@pytest.mark.parametrize("case", DERIVING, ids=names(DERIVING))
def test_the_book_gives_what_is_derived_under_our_convention(case: Case) -> None:
    """Gross, and net with each fee realized pro rata (law 5); the other conventions follow from our figures."""
    course = played(case)
    end = course.stages[-1]

    found = {name: figure(course, end) for name, figure in DERIVED.items()}

    assert set(case["derived"]) == set(found)
    for name, text in case["derived"].items():
        assert abs(found[name] - Decimal(text)) <= DERIVED_DIGITS, name


def before_the_last(case: Case) -> Book:
    """The book as it stands when the last event arrives."""
    book = Book()
    for number, event in enumerate(case["events"][:-1], 1):
        journaled(command_of(event, number), book, number)
    return book


def refused(case: Case) -> tuple[Book, InsufficientQuantity]:
    """The last event closes more than is open: the book, and the refusal."""
    book = before_the_last(case)
    before = list(book.lots())
    command = command_of(case["events"][-1], len(case["events"]))
    with pytest.raises(InsufficientQuantity) as found:
        decide(command, book, len(case["events"]), 0)
    assert list(book.lots()) == before
    return book, found.value


@pytest.mark.parametrize("case", of_kind("lots_error"), ids=names(of_kind("lots_error")))
def test_a_reduction_of_more_than_there_is_fails_and_leaves_the_lots(case: Case) -> None:
    """Where the source says NOT_ENOUGH_LOTS, we say INSUFFICIENT_QUANTITY with both quantities."""
    assert case["expect"] == {"error": "NOT_ENOUGH_LOTS"}

    book, refusal = refused(case)

    assert refusal.metadata == {
        "open_quantity": str(book.quantity),
        "requested_quantity": case["events"][-1]["qty"],
    }


@pytest.mark.parametrize("case", of_kind("oversell"), ids=names(of_kind("oversell")))
def test_an_oversale_is_refused_with_the_shortfall_and_close_all_matches_what_there_is(case: Case) -> None:
    """The source matches as far as it can and reports the rest; we ask the caller first. It never becomes a short."""
    book, refusal = refused(case)
    expect: dict[str, Any] = case["expect"]
    asked = Decimal(refusal.metadata["requested_quantity"])
    assert asked - Decimal(refusal.metadata["open_quantity"]) == Decimal(expect["unmatched_qty"])

    last = len(case["events"])
    _, closed = journaled(command_of(case["events"][-1], last)._replace(quantity=None, close_all=True), book, last)

    assert sum(trade.quantity * trade.lot.price for trade in closed) == Decimal(expect["matched_cost"])
    assert list(book.lots()) == expect["remaining_lots"] == []


@pytest.mark.parametrize("case", of_kind("duplicate"), ids=names(of_kind("duplicate")))
def test_a_second_fill_of_one_id_is_refused_and_not_counted(case: Case) -> None:
    """The source panics; with the same content it would be a replay (law 8)."""
    assert case["expect"] == {"error_or_ignored": "DUPLICATE_TRADE_ID"}
    book = Book()
    first, again = (command_of(event, 1) for event in case["events"])
    decision, _ = journaled(first, book, 1)

    with pytest.raises(FillConflict) as found:
        check_replay(again, None, [decision])

    assert found.value.metadata == {"field": "fill.price", "entry_id": "E1"}
    assert check_replay(first, None, [decision]) is decision
    assert book.quantity == Decimal(case["events"][0]["qty"])


def test_every_case_is_run_or_listed_with_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    """None is forgotten, none is listed that could be run; says how many of each kind ran."""
    listed = [name for group in NOT_APPLICABLE.values() for name in group]
    run = names(RUN)

    assert sorted(run + listed) == sorted(names(list(cases())))
    # Each case that runs, runs in one of the tests above.
    assert {case["kind"] for case in RUN} == {"fills", "lots", "lots_error", "oversell", "duplicate"} == set(KINDS)

    ran, whole = Counter(case["kind"] for case in RUN), Counter(case["kind"] for case in cases())
    courses = [played(case) for case in PLAYED]
    reasons = Counter(why_not(course, stage, key) for course in courses for _, stage, key, _ in figures(course))
    with capsys.disabled():
        print("\nshared cases run: " + ", ".join(f"{kind} {ran[kind]} of {whole[kind]}" for kind in KINDS))
        print(
            f"  listed as not applicable: {len(listed)} of {len(cases())}; asserted figures compared: {reasons[None]}"
        )
        for reason in sorted(filter(None, reasons)):
            print(f"  left out: {reasons[reason]} × {reason}")


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ("+1", [True]),
        ("+1 +1", [True, True]),
        ("+2 -1 -1", [True, True, True]),
        ("+1 +1 -1", [True, True, False]),
        ("+1 +1 -1 -1", [True, True, False, True]),
        ("+1 +1 -1 +1 -2", [True, True, False, False, True]),
        ("+1 +1 -2", [True, True, True]),
        ("+1 +1 -3 +1", [True, True, True, True]),
        ("-1 -1 +1 +2 -0.5", [True, True, False, True, True]),
    ],
)
def test_methods_part_where_an_exit_chooses_between_lots_and_meet_when_none_is_left(
    events: str, expected: list[bool]
) -> None:
    """How a case is found to be neutral: one lot to choose from, or flat since."""
    made = [{"side": "BUY" if word[0] == "+" else "SELL", "qty": word[1:]} for word in events.split()]

    assert settled({"events": made}) == expected
