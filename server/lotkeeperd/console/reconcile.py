"""``lotkeeper reconcile``: the ledger against the broker, as a person reads it at night.

Counts first, since they say at once whether anything is held that nobody watches; then a line for each difference; then each in
words; then what to do, in one line.
"""

from __future__ import annotations

from typing import NamedTuple, TextIO

import lotkeeper
from lotkeeper import BrokerStatement, ReconcileMode, ReconcileResponse, TradingMode
from lotkeeperd.console import differences, output
from lotkeeperd.console.figures import count
from lotkeeperd.console.layout import Cell, Line, Tone, printable
from lotkeeperd.console.printing import paragraph, show
from lotkeeperd.console.verdict import DIFFERENT, code_of, next_step


class Question(NamedTuple):
    """What is compared with what: a configured ``account``, or a ``statement``. No portfolios: the account's own."""

    request_id: str
    portfolios: tuple[str, ...] = ()
    account: str = ""
    statement: BrokerStatement | None = None
    mode: ReconcileMode = ReconcileMode.DRY_RUN
    trading_mode: TradingMode = TradingMode.UNSPECIFIED
    adopt_into: str = ""


def reconcile(address: str, question: Question, out: TextIO, as_json: bool) -> int:
    """Compare and print; the exit code. Raises LotkeeperError."""
    with lotkeeper.connect(address) as ledger:
        report = compared(ledger, question)
    if as_json:
        out.write(output.document(report) + "\n")
    else:
        show(lambda width: report_lines(report, question, width), out)
    return code_of(report)


def compared(ledger: lotkeeper.Ledger, question: Question) -> ReconcileResponse:
    """The report. Raises LotkeeperError."""
    return ledger.reconcile(
        request_id=question.request_id,
        portfolio_ids=question.portfolios or None,
        broker_account=question.account,
        statement=question.statement,
        mode=question.mode,
        trading_mode=question.trading_mode,
        adopt_into_portfolio_id=question.adopt_into,
    )


def report_lines(report: ReconcileResponse, question: Question, width: int | None) -> list[Line]:
    """All of it."""
    lines = [*paragraph(_title(report, question), width), *counts_lines(report)]
    if not report.complete:
        said = "the broker's side is not complete: what it does not list may be there, and is not judged missing"
        lines += paragraph(said, width, Tone.DOUBTFUL)
    if found := report.discrepancies:
        lines += [(), *differences.table(found, width), (), *differences.told(found, width)]
        if (more := report.discrepancy_count - len(found)) > 0:
            lines.append(
                (Cell(f"and {more:,} more, none of them worse: lotkeeper discrepancies lists them", Tone.DIM),)
            )
    step = next_step(report, question.mode)
    tone = Tone.BAD if code_of(report) == DIFFERENT else Tone.GOOD if report.complete else Tone.DOUBTFUL
    return [*lines, (), *paragraph(step, width, tone)]


def _title(report: ReconcileResponse, question: Question) -> str:
    books = ", ".join(map(printable, question.portfolios)) or "all its portfolios" if question.account else ""
    books = books or ", ".join(map(printable, question.portfolios)) or "default"
    against = f"account {printable(question.account)}" if question.account else "the statement"
    done = "applied" if question.mode is ReconcileMode.APPLY else "dry run, nothing is changed"
    return f"reconciliation {report.reconciliation_id}: {books} against {against}, journal at {report.sequence}: {done}"


def counts_lines(report: ReconcileResponse) -> list[Line]:
    """How many there are on both sides, how many nobody watches, and how many agree."""
    orphaned = f"orphaned {report.orphaned_count:,}" + (": not being watched" if report.orphaned_count else "")
    return [
        (
            Cell(f"broker positions {report.broker_position_count:,}, tracked {report.tracked_count:,}, "),
            Cell(orphaned, Tone.BAD if report.orphaned_count else Tone.GOOD),
        ),
        (Cell(f"{report.matched_count:,} agree, {count(report.discrepancy_count, 'difference', 'differences')}"),),
    ]
