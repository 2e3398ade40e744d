"""Differences as they stand, and what a decision about one did or would do."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from lotkeeper import (
    AcceptProposal,
    AdoptPosition,
    DiscrepancyRecord,
    DiscrepancyResolution,
    DiscrepancyState,
    IgnoreDiscrepancy,
    ResolveAction,
    ResolveDiscrepancyResponse,
    Restraint,
    Time,
    UndoResolutionResponse,
)
from lotkeeperd.console.decide import (
    DRY_RUN,
    Decision,
    Reversal,
    Wanted,
    list_lines,
    resolved_lines,
    stops,
    undone_lines,
)
from lotkeeperd.console.differences import UNWATCHED
from lotkeeperd.console.figures import SECOND
from lotkeeperd.console.layout import text_of
from tests.console.found import difference, orphan, proposed, record

NOW = 100 * SECOND


def settled(action: ResolveAction) -> DiscrepancyRecord:
    """A difference that was resolved so."""
    resolution = DiscrepancyResolution(
        resolution_id="S9.0",
        resolved_time=Time(1),
        resolved_by="127.0.0.1",
        action=action,
        sequences=(8,),
        pnl_effect=Decimal("11.5"),
    )
    return record(difference(), state=DiscrepancyState.RESOLVED, resolution=resolution)


def answer(about: DiscrepancyRecord, **changes: Any) -> ResolveDiscrepancyResponse:
    """What the ledger answers about it."""
    said: dict[str, Any] = {
        "discrepancy": about,
        "fills": (proposed(),),
        "pnl_effect": Decimal("11.5"),
        "sequence": 9,
        "replayed": False,
    }
    return ResolveDiscrepancyResponse(**said | changes)


def told(said: ResolveDiscrepancyResponse, action: ResolveAction, apply: bool) -> list[str]:
    """The lines, as text."""
    return [text_of(line) for line in resolved_lines(said, Decision("r", "D7.0", action, apply), None)]


def test_the_effect_is_shown_before_anything_is_done() -> None:
    """What differs, what would be recorded, what it does to P&L, and that nothing was changed."""
    assert told(answer(record(difference()), sequence=0), AcceptProposal(), apply=False) == [
        "D7.0 quantity mismatch A: the broker has 4 at 10.00050, we have 10 at 10.00000",
        "  sell 6 A at 12.00000 in swing (execution X-1, fee 0.5 USD)",
        "  change of net realized P&L: +11.50",
        DRY_RUN,
    ]


def test_what_was_done_names_what_takes_it_back() -> None:
    """And what was adopted is watched by nobody."""
    accepted = told(answer(settled(AcceptProposal())), AcceptProposal(), apply=True)
    adopting = AdoptPosition(portfolio_id="swing")
    adopted = told(answer(settled(adopting)), adopting, apply=True)

    assert accepted[-1] == "resolved at record 9 as S9.0; lotkeeper undo S9.0 takes it back"
    assert adopted[-2:] == [accepted[-1], UNWATCHED]


def test_what_is_ignored_records_nothing() -> None:
    """It says so."""
    ignoring = IgnoreDiscrepancy(reason="settled next week")
    lines = told(answer(record(difference()), fills=(), pnl_effect=Decimal()), ignoring, apply=False)

    assert lines[1:3] == ["  nothing is recorded", "  change of net realized P&L: 0.00"]


def test_undoing_tells_what_is_taken_back_and_that_it_is_open_again() -> None:
    """Shown first, done with --apply."""
    said = UndoResolutionResponse(
        discrepancy=record(difference()),
        busted_sequences=(8, 9),
        pnl_effect=Decimal("-11.5"),
        sequence=12,
        replayed=False,
    )
    shown, done = (
        [text_of(line) for line in undone_lines(said, Reversal("r", "S9.0", "wrong", apply), None)]
        for apply in (False, True)
    )

    assert shown[1:] == ["  takes back record 8, 9", "  change of net realized P&L: -11.50", DRY_RUN]
    assert done[-1] == "open again, at record 12"


def test_the_list_tells_what_waits_and_since_when() -> None:
    """A frozen symbol and a halted portfolio show what they stop; below, what is open in words."""
    frozen = record(difference(), restraint=Restraint.FREEZE_SYMBOL, first_seen=Time(NOW - 7_200 * SECOND))
    halted = record(orphan(), restraint=Restraint.HALT_PORTFOLIO)
    gone = record(difference(discrepancy_id="D3.0"), state=DiscrepancyState.GONE, restraint=Restraint.FREEZE_SYMBOL)
    head, *rows = [text_of(line) for line in list_lines([halted, frozen, gone], NOW, None)]

    assert head.split()[:2] == ["difference", "severity"]
    assert rows[0].split()[-6:] == ["open", "every", "execution", "of", "its", "portfolios"]
    assert "7200s ago" in rows[1]
    assert rows[1].endswith("new entries of A")
    assert "gone" in rows[2]
    assert stops(gone) == ""
    assert [line.split(":")[0] for line in rows[4:] if not line.startswith(" ")] == ["D7.1", "D7.0"]


def test_a_resolved_one_names_its_resolution() -> None:
    """It is what undo takes."""
    assert any("resolved by S9.0" in text_of(line) for line in list_lines([settled(AcceptProposal())], NOW, None))


def test_no_difference_is_said_too() -> None:
    """An empty screen could be anything."""
    assert len(list_lines([], NOW, None)) == 1


@pytest.mark.parametrize(("every", "states"), [(False, 0), (True, len(DiscrepancyState) - 1)])
def test_all_of_them_are_asked_for_by_name(every: bool, states: int) -> None:
    """The ledger lists the open ones to who names none."""
    assert len(Wanted(all_states=every).states) == states
