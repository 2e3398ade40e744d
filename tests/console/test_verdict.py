"""What a comparison comes to: an exit code, and what to do next."""

from __future__ import annotations

import pytest

from lotkeeper import Discrepancy, ReconcileMode, ResolutionKind, Severity
from lotkeeperd.console.verdict import AGREED, DIFFERENT, NOT_KNOWN, code_of, next_step
from tests.console.found import difference, orphan, report

UNSPECIFIED = ResolutionKind.UNSPECIFIED
DRY, APPLY = ReconcileMode.DRY_RUN, ReconcileMode.APPLY


@pytest.mark.parametrize(
    "found",
    [
        (),
        (difference(applied=True),),
        (difference(ignored=True), orphan(ignored=True)),
        (difference(severity=Severity.INFO),),
    ],
    ids=["nothing", "repaired", "ignored", "good to know"],
)
def test_what_needs_nobody_is_agreed(found: tuple[Discrepancy, ...]) -> None:
    """A nightly check that is never 0 is not looked at; but what was not read whole proves nothing."""
    assert code_of(report(*found)) == AGREED
    assert code_of(report(*found, complete=False)) == NOT_KNOWN


def test_what_differs_is_different_though_more_is_not_known() -> None:
    """There is something to do."""
    assert code_of(report(difference(applied=True), orphan())) == DIFFERENT
    assert code_of(report(orphan(), complete=False)) == DIFFERENT


@pytest.mark.parametrize(
    ("found", "complete", "mode", "said"),
    [
        ((), True, DRY, "agreed: nothing to do"),
        ((), False, DRY, "not known"),
        ((difference(applied=True),), True, APPLY, "agreed, after 1 repaired"),
        ((difference(applied=True),), False, APPLY, "not known"),
        ((difference(), orphan()), True, DRY, "--apply"),
        ((orphan(),), True, APPLY, "lotkeeper recover"),
        ((orphan(),), True, DRY, "lotkeeper recover"),
        ((difference(),), True, APPLY, "--accept"),
        ((difference(proposed_fills=(), resolution=UNSPECIFIED),), True, DRY, "look at the broker"),
        ((orphan(proposed_fills=()),), True, DRY, "lotkeeper recover"),
    ],
)
def test_one_line_says_what_to_do_next(
    found: tuple[Discrepancy, ...], complete: bool, mode: ReconcileMode, said: str
) -> None:
    """The first thing that helps."""
    step = next_step(report(*found, complete=complete), mode)

    assert said in step
    assert "\n" not in step


def test_an_answer_that_was_cut_is_never_agreed() -> None:
    """What it does not hold may stand."""
    cut = report(difference(applied=True), discrepancy_count=5_000)

    assert code_of(cut) == DIFFERENT
    assert "lotkeeper discrepancies" in next_step(cut, APPLY)
