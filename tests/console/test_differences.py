"""A difference as a row, in words, and as what would be recorded."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from lotkeeper import Discrepancy, DiscrepancyKind, PositionSide, ResolutionKind
from lotkeeperd.console.differences import PROPOSED, UNWATCHED, row, table, told
from lotkeeperd.console.layout import Tone, text_of, width_of
from tests.console.found import difference, orphan, proposed


def cells(found: Discrepancy) -> dict[str, str]:
    """The texts of a row."""
    return {name: cell.text for name, cell in row(found).items()}


def test_broker_and_ledger_stand_side_by_side() -> None:
    """What each holds, at which average, what would be done, and what it does to P&L."""
    shown = cells(difference())

    assert shown["broker has"] == "4 at 10.00050"
    assert shown["we have"] == "10 at 10.00000"
    assert shown["to do"] == "record 1 execution"
    assert shown["P&L effect"] == "+11.50"
    assert cells(orphan())["we have"] == "nothing"
    assert cells(orphan())["broker has"] == "-5 at 200.0000"


@pytest.mark.parametrize(
    ("changes", "done"),
    [
        ({"applied": True}, "done: record 1 execution"),
        ({"ignored": True}, "ignored"),
        ({"resolution": ResolutionKind.NONE}, "good to know"),
        ({"resolution": ResolutionKind.UNSPECIFIED, "proposed_fills": ()}, "a person decides"),
        ({"resolution": ResolutionKind.CLOSE_SYNTHETIC}, "close 6 at 12.00000"),
        (
            {"proposed_fills": (proposed(replaces=(3,)), proposed(replaces=(3, 4)))},
            "record 2 executions, take back 2 records",
        ),
        ({"proposed_fills": (proposed(fill=None, replaces=(3,)),)}, "take back 1 record"),
        ({"resolution": ResolutionKind.ADOPT_POSITION, "proposed_fills": (proposed(),) * 2}, "adopt with 2 executions"),
    ],
)
def test_what_is_to_do_or_was_done_is_said(changes: dict[str, Any], done: str) -> None:
    """In few words."""
    assert cells(difference(**changes))["to do"] == done


def test_what_is_not_proposed_has_no_effect_and_what_is_unknown_is_not_zero() -> None:
    """An effect of 0 is one."""
    assert cells(difference(proposed_fills=()))["P&L effect"] == ""
    assert cells(orphan())["P&L effect"] == "0.00"
    assert row(difference(pnl_effect=Decimal(-3)))["P&L effect"].tone is Tone.BAD


def test_a_hedging_account_is_told_apart_by_side() -> None:
    """Both may differ."""
    assert cells(difference(side=PositionSide.SHORT))["symbol"] == "A SHORT"


def test_every_execution_that_would_be_recorded_is_told_in_words() -> None:
    """Side, price, where to, whose it is, and what it takes the place of."""
    fills = (proposed(replaces=(3, 4)), proposed(fill=None, replaces=(5,)))
    lines = [text_of(line) for line in told([difference(proposed_fills=fills)], None)]

    assert lines == [
        "D7.0: the broker holds 4 A, the ledger 10: its execution can be recorded",
        "  sell 6 A at 12.00000 in swing (execution X-1, fee 0.5 USD), in the place of record 3, 4",
        "  take back record 5",
    ]
    assert "(synthetic)" in text_of(told([orphan()], None)[1])


def test_a_long_list_of_executions_is_counted() -> None:
    """The report has all of them as JSON."""
    lines = told([difference(proposed_fills=(proposed(),) * (PROPOSED + 1_000))], None)

    assert len(lines) == PROPOSED + 2
    assert text_of(lines[-1]) == "  and 1,000 more"


def test_an_answer_that_was_cut_still_tells_how_many_there_are() -> None:
    """A message has a limit; the count in it has none."""
    found = difference(proposed_fill_count=2_000)

    assert cells(found)["to do"] == "record 2,000 executions"
    assert text_of(told([found], None)[-1]) == "  and 1,995 more"


def test_an_orphan_is_not_watched_by_adopting_it() -> None:
    """It is said before it is done."""
    lines = [text_of(told([orphan(unwatched=True, applied=applied)], None)[0]) for applied in (False, True)]

    assert lines[0].endswith("(adopting it sets no exit)")
    assert lines[1].endswith(f"({UNWATCHED})")


def test_what_nobody_watches_is_said_once() -> None:
    """Also where the ledger's own words do not say it."""
    silent = text_of(told([difference(unwatched=True)], None)[0])
    spoken = text_of(told([difference(unwatched=True, explanation=UNWATCHED)], None)[0])

    assert silent.count(UNWATCHED) == spoken.count(UNWATCHED) == 1


def test_a_name_from_a_venue_cannot_move_the_cursor() -> None:
    """Control characters are blanks."""
    assert "\x1b" not in cells(orphan(symbol="B\x1b[2J"))["symbol"]


@pytest.mark.parametrize("width", [80, 100, 120, 200])
def test_no_line_is_wider_than_the_terminal_and_no_figure_is_cut(width: int) -> None:
    """Columns are left out before a number loses a digit."""
    found = [difference(), orphan(kind=DiscrepancyKind.ORPHANED_POSITION, symbol="BTC-PERPETUAL-USDT")]
    lines = [*table(found, width), *told(found, width)]
    text = "\n".join(map(text_of, lines))

    assert max(width_of(text_of(line)) for line in lines) <= width
    for figure in ("4 at 10.00050", "10 at 10.00000", "-5 at 200.0000", "+11.50", "D7.1"):
        assert figure in text
