"""What is carried out without asking, what waits, and what stops meanwhile; and how records and differences are named."""

from __future__ import annotations

from decimal import Decimal

import pytest

from lotkeeperd.domain.reconciliation.findings import (
    Comparison,
    Difference,
    Identity,
    Kind,
    Proposal,
    Resolution,
    Severity,
)
from lotkeeperd.domain.reconciliation.policy import SAFE, Action, Rule, action_for
from lotkeeperd.domain.reconciliation.records import (
    SYNTHETIC,
    How,
    Reconcile,
    Reported,
    Resolve,
    Resolved,
    Standing,
    State,
    discrepancy_id,
    place_of,
    resolution_id,
    standings_of,
    synthetic_id,
)
from tests.domain.reconciliation.bookkeeping import Ledger, executions, told

BACKFILLED = (Proposal("p", executions("-6@110 f1")[0]),)


def difference(kind: Kind, resolution: Resolution, proposals: tuple[Proposal, ...] = (), size: str = "6") -> Difference:
    """Of X in p, 10 of ours and ``size`` less of theirs."""
    return Difference(
        kind, Severity.MAJOR, "p", "X", Decimal(10), Decimal(10) - Decimal(size), resolution, "as it is", proposals
    )


# kind, resolution, proposals; what becomes of it unless the configuration says otherwise
UNASKED = [
    (Kind.QUANTITY_MISMATCH, Resolution.BACKFILL_FILLS, BACKFILLED, Action.AUTO),
    (Kind.MISSING_FILL, Resolution.BACKFILL_FILLS, BACKFILLED, Action.AUTO),
    (Kind.SIDE_MISMATCH, Resolution.UNSPECIFIED, (), Action.FREEZE),
    (Kind.QUANTITY_MISMATCH, Resolution.UNSPECIFIED, (), Action.FREEZE),
    (Kind.QUANTITY_MISMATCH, Resolution.ADOPT_POSITION, BACKFILLED, Action.FREEZE),
    (Kind.MISSING_AT_BROKER, Resolution.UNSPECIFIED, (), Action.FREEZE),
    (Kind.ORPHANED_POSITION, Resolution.ADOPT_POSITION, BACKFILLED, Action.ASK),
    (Kind.UNKNOWN_FILL, Resolution.UNSPECIFIED, BACKFILLED, Action.ASK),
    (Kind.AVERAGE_PRICE_MISMATCH, Resolution.NONE, (), Action.ASK),
    (Kind.CASH_MISMATCH, Resolution.UNSPECIFIED, (), Action.ASK),
]


@pytest.mark.parametrize(("kind", "resolution", "proposals", "expected"), UNASKED)
def test_only_the_brokers_own_executions_are_recorded_unasked(
    kind: Kind, resolution: Resolution, proposals: tuple[Proposal, ...], expected: Action
) -> None:
    """What is not what it should be grows no further; everything else waits."""
    assert action_for(difference(kind, resolution, proposals), SAFE) is expected


def test_what_has_nothing_to_carry_out_is_never_carried_out() -> None:
    """Whatever a rule says: the next that fits decides."""
    rules = (Rule(Action.AUTO), Rule(Action.HALT))

    assert action_for(difference(Kind.QUANTITY_MISMATCH, Resolution.BACKFILL_FILLS), rules) is Action.HALT
    assert action_for(difference(Kind.QUANTITY_MISMATCH, Resolution.UNSPECIFIED, BACKFILLED), rules) is Action.HALT
    assert action_for(difference(Kind.QUANTITY_MISMATCH, Resolution.NONE), rules[:1]) is Action.ASK


def test_a_rule_is_of_a_kind_and_a_size() -> None:
    """The first that fits decides."""
    rules = (
        Rule(Action.AUTO, Kind.QUANTITY_MISMATCH, quantity=Decimal(6)),
        Rule(Action.HALT, Kind.QUANTITY_MISMATCH),
        Rule(Action.FREEZE, resolution=Resolution.ADOPT_POSITION),
    )

    assert action_for(difference(Kind.QUANTITY_MISMATCH, Resolution.BACKFILL_FILLS, BACKFILLED), rules) is Action.AUTO
    larger = difference(Kind.QUANTITY_MISMATCH, Resolution.BACKFILL_FILLS, BACKFILLED, size="6.1")
    assert action_for(larger, rules) is Action.HALT
    assert action_for(difference(Kind.ORPHANED_POSITION, Resolution.ADOPT_POSITION), rules) is Action.FREEZE
    assert action_for(difference(Kind.ORPHANED_POSITION, Resolution.UNSPECIFIED), rules) is Action.ASK


def test_a_difference_is_the_same_from_run_to_run_by_what_it_is_of() -> None:
    """Its quantities and proposals may change meanwhile."""
    ledger = Ledger().record("+10@100 t5")
    first, second = ledger.only(told("+4@100")), ledger.only(told("+3@100", "-7@100 t50 s1"))

    assert first.identity == second.identity == Identity(Kind.QUANTITY_MISMATCH, "p", "X", "", "")


def test_ids_are_made_of_the_records_they_are_of() -> None:
    """So a second instance makes the same."""
    report = Reported(7, 1, Reconcile("r", ("p",), apply=False, statement=told("")), Comparison((), 0, True), ())

    assert report.reconciliation_id == "R7"
    assert discrepancy_id(7, 2) == "D7.2"
    assert place_of(discrepancy_id(7, 2)) == (7, 2)
    assert resolution_id(9) == "S9.0"
    assert synthetic_id(discrepancy_id(7, 2), 1).startswith(SYNTHETIC)
    assert synthetic_id("D7.2", 1) == "synthetic-D7.2.1"
    assert (report.command.portfolio_id, report.command.symbol, report.command.fill_id) == ("", "", "")


def standing(name: str, severity: Severity = Severity.MAJOR, state: State = State.OPEN) -> Standing:
    """One difference as it stands."""
    found = difference(Kind.QUANTITY_MISMATCH, Resolution.UNSPECIFIED)._replace(severity=severity)
    return Standing(name, "", ("p",), found, state, Action.ASK, 1, 1, 7)


def test_the_worst_stands_first_and_of_equals_the_oldest() -> None:
    """By the report that saw it first, and its place there; ten comes after nine."""
    major, newer, critical = standing("D9.0"), standing("D10.0"), standing("D10.1", Severity.CRITICAL)

    assert sorted([newer, major, critical], key=lambda one: one.order) == [critical, major, newer]


def test_a_report_leaves_what_it_found_and_ends_what_is_gone() -> None:
    """A resolution leaves the one that it resolved."""
    found, gone = standing("D7.0"), standing("D5.0")
    asked = Reconcile("r", ("p",), apply=False, statement=told(""))
    resolved = standing("D7.0", state=State.RESOLVED)

    report = Reported(7, 1, asked, Comparison((), 0, True), (found,), ("D5.0",))
    resolution = Resolved(8, 1, Resolve("s", "D7.0", How.IGNORE), resolved)

    assert standings_of(report, {"D5.0": gone}) == [found, gone._replace(state=State.GONE)]
    assert standings_of(resolution, {}) == [resolved]


def test_a_statement_names_symbols_in_rows_and_in_executions() -> None:
    """As the broker spells them."""
    assert told("+1@1, Y +1@1", "Z -1@1").symbols == {"X", "Y", "Z"}
