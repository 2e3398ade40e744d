"""What stands after a report, a resolution and its undoing; and the ids that everything is found by."""

from __future__ import annotations

from decimal import Decimal

import pytest

from lotkeeperd.domain.book import Direction
from lotkeeperd.domain.reconciliation.findings import Comparison, Difference, Kind, Resolution, Severity
from lotkeeperd.domain.reconciliation.policy import Action
from lotkeeperd.domain.reconciliation.records import (
    How,
    Reconcile,
    Reported,
    Resolve,
    Resolved,
    Standing,
    State,
    Undo,
    Undone,
    discrepancy_id,
    place_of,
    resolution_id,
    standings_of,
    synthetic_id,
)
from lotkeeperd.domain.reconciliation.statements import Execution, HeldPosition, Statement

NOW = 1_700_000_000_000_000_000


def standing(name: str, severity: Severity = Severity.MAJOR, state: State = State.OPEN) -> Standing:
    """4 AAPL at the broker, 10 in the ledger, seen first under ``name``."""
    difference = Difference(
        Kind.QUANTITY_MISMATCH, severity, "p", "AAPL", Decimal(10), Decimal(4), Resolution.UNSPECIFIED, "look"
    )
    return Standing(name, "", ("p",), difference, state, Action.FREEZE, NOW, NOW, 7)


def test_after_a_report_what_it_found_stands_and_what_it_missed_is_gone() -> None:
    """Open before: D3.0 and D3.1. The report finds D3.1 again and D9.0 anew; D3.0 is not there any more."""
    before = {name: standing(name) for name in ("D3.0", "D3.1")}
    found = (standing("D3.1"), standing("D9.0"))
    report = Reported(10, NOW, Reconcile("r", ("p",), False, Statement(NOW)), Comparison((), 0, True), found, ("D3.0",))

    after = standings_of(report, before)

    assert report.reconciliation_id == "R10"
    assert [(one.discrepancy_id, one.state) for one in after] == [
        ("D3.1", State.OPEN),
        ("D9.0", State.OPEN),
        ("D3.0", State.GONE),
    ]


def test_after_a_resolution_and_after_its_undoing_the_difference_stands_as_they_say() -> None:
    """Nothing else is touched by either."""
    resolved = standing("D3.0", state=State.RESOLVED)
    opened = standing("D3.0")

    first = Resolved(11, NOW, Resolve("r", "D3.0", How.ACCEPT), resolved)
    second = Undone(12, NOW, Undo("u", "S11.0", "wrong"), opened, (8,), Decimal(0))

    assert standings_of(first, {}) == [resolved]
    assert standings_of(second, {"D3.1": standing("D3.1")}) == [opened]


def test_the_worst_stands_first_and_of_equals_the_oldest() -> None:
    """10 comes after 9 as a number, not as a text."""
    names = [standing("D10.0"), standing("D9.1"), standing("D9.0"), standing("D20.0", Severity.CRITICAL)]

    assert [one.discrepancy_id for one in sorted(names, key=lambda one: one.order)] == [
        "D20.0",
        "D9.0",
        "D9.1",
        "D10.0",
    ]


def test_ids_are_made_of_the_report_and_the_place_in_it() -> None:
    """And can be read back; another text is none."""
    assert (discrepancy_id(17, 2), place_of("D17.2")) == ("D17.2", (17, 2))
    assert (resolution_id(18), resolution_id(18, 3)) == ("S18.0", "S18.3")
    assert synthetic_id("D17.2", 0) == "synthetic-D17.2.0"
    for other in ("", "D", "D17", "17-2", "Dx.y"):
        with pytest.raises(ValueError, match="invalid literal"):
            place_of(other)


def test_a_statement_names_the_symbols_of_positions_and_of_executions() -> None:
    """A flat one has executions only."""
    held = HeldPosition("AAPL", Direction.LONG, Decimal(1))
    sold = Execution("TSLA", Direction.SHORT, Decimal(1), Decimal(200), NOW)

    assert Statement(NOW, True, (held,), (sold,)).symbols == {"AAPL", "TSLA"}
    assert Statement(NOW).symbols == frozenset()
