"""Every table of reconciliation in a terminal of 80 columns, and in wider ones: no line is too long, no figure is cut."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pytest

from lotkeeper import ReconcileMode, Reconciliation, Restraint, Time
from lotkeeperd.console import daily_text
from lotkeeperd.console.day import DayReport, PortfolioDay, SymbolDay
from lotkeeperd.console.decide import list_lines
from lotkeeperd.console.layout import Line, text_of, width_of
from lotkeeperd.console.orphans import Grouping, orphans
from lotkeeperd.console.reconcile import Question, report_lines
from lotkeeperd.console.recover import Adoption, Recovery, lines
from tests.cli.brokerage import LONG_PUT, SHORT_PUT
from tests.console.found import difference, orphan, record, report
from tests.console.values import LONG, totals_of

WIDTHS = [80, 100, 132, 200]
NAMES = ("a-portfolio-with-a-long-name", "another-portfolio-with-a-long-name")
FOUND = (
    orphan(symbol=LONG_PUT, broker_quantity=Decimal("123456.5")),
    orphan(symbol=SHORT_PUT, discrepancy_id="D1234567.12"),
    difference(portfolio_id=NAMES[0]),
)


def check(shown: Sequence[Line], width: int, *figures: str) -> None:
    """No line is wider, and these are whole."""
    text = "\n".join(map(text_of, shown))

    assert max(width_of(line) for line in text.splitlines()) <= width, text
    for figure in figures:
        assert figure in text.replace("\n  ", " ")  # a sentence may go on in the next line


@pytest.mark.parametrize("width", WIDTHS)
def test_a_comparison_fits(width: int) -> None:
    """Of portfolios with long names, incomplete."""
    question = Question("r", NAMES, "an-account", mode=ReconcileMode.DRY_RUN)
    shown = report_lines(report(*FOUND, complete=False), question, width)

    check(shown, width, "123,456.5 at 200.0000", "10 at 10.00000", "+11.50", "D1234567.12", "not being watched")


@pytest.mark.parametrize("width", WIDTHS)
def test_a_recovery_fits(width: int) -> None:
    """With legs that wait, and one that the ledger refused with many words."""
    found = orphans(report(*FOUND), {}, Grouping())
    recovery = Recovery(Question("r", NAMES), NAMES[0], Grouping(), {}, False, lambda: "id")
    refused = Adoption(found[0], why_not="DISCREPANCY_NOT_OPEN: " + "it was resolved by somebody else " * 5)
    shown = lines(report(*FOUND), [refused, *map(Adoption, found[1:])], recovery, width)

    check(shown, width, "123,456.5", "200.0000", "--ungrouped", "D1234567.12")


@pytest.mark.parametrize("width", WIDTHS)
def test_the_list_fits(width: int) -> None:
    """Of what is open and stops something."""
    records = [record(each, restraint=Restraint.FREEZE_SYMBOL, broker_account="an-account") for each in FOUND]

    check(list_lines(records, 10**18, width), width, "123,456.5 at 200.0000", "D1234567.12")


@pytest.mark.parametrize("width", WIDTHS)
def test_a_day_fits(width: int) -> None:
    """With a comparison that left something open."""
    last = Reconciliation(
        reconciliation_id="R7",
        reconciled_time=Time(1),
        broker_account="an-account",
        portfolio_ids=NAMES,
        mode=ReconcileMode.APPLY,
        asked_by="schedule",
        as_of=Time(1),
        sequence=7,
        broker_position_count=3,
        tracked_count=3,
        matched_count=1,
        discrepancy_count=2,
        orphaned_count=1,
        applied_count=1,
        complete=False,
    )
    day = PortfolioDay(
        portfolio_id=NAMES[0],
        day="2026-01-05",
        time_zone="America/New_York",
        is_over=True,
        trade_count=1,
        realized=totals_of(LONG).totals,
        symbols=(SymbolDay(symbol="BTC", currency="USD", trade_count=1, gross_realized_pnl=Decimal("1234.567")),),
        positions=(LONG,),
        last_reconciliation=last,
    )
    shown = daily_text.lines(DayReport(portfolios=(day,), open_discrepancies=()), 10**18, width)

    check(shown, width, "1,234.57", "46,000.33", "2 differences, 1 repaired", "did not say everything")
