"""``lotkeeper summary``: a portfolio as it is, as it was, or by another lot method; one table, then cash, value and groups.

A past state and a view are valued at the prices that are given with them and at no others: without one there is no unrealized P&L.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple, TextIO

import lotkeeper
from lotkeeper import LotMethod, PortfolioTotals, Snapshot, Summary, Time
from lotkeeperd.console import account, output
from lotkeeperd.console.board import Board, screen
from lotkeeperd.console.layout import Line, grid, text_of


class Question(NamedTuple):
    """What is to be shown of ``portfolio``; neither sequence nor time (nanoseconds UTC): as it is now."""

    portfolio: str
    include_flat: bool = False
    as_of_sequence: int | None = None
    as_of_time: int | None = None
    lot_method: LotMethod = LotMethod.UNSPECIFIED
    marks: Mapping[str, Decimal] = {}

    @property
    def live(self) -> bool:
        """Whether it is of now, by the portfolio's own method."""
        unset = LotMethod.UNSPECIFIED
        return self.as_of_sequence is None and self.as_of_time is None and self.lot_method is unset

    def title(self, found: Summary) -> str:
        """What the table is of."""
        view = "" if self.lot_method is LotMethod.UNSPECIFIED else f", by {self.lot_method.name}"
        return f"portfolio {self.portfolio}, ledger {found.ledger_id}, journal at {found.sequence}{view}"


def summary(address: str, question: Question, out: TextIO, as_json: bool) -> int:
    """Print it; the exit code. Raises LotkeeperError."""
    with lotkeeper.connect(address, portfolio=question.portfolio) as ledger:
        found = ledger.get_summary(
            include_flat=question.include_flat,
            as_of_sequence=question.as_of_sequence,
            as_of_time=question.as_of_time,
            lot_method=question.lot_method,
            marks=question.marks,
            include_groups=question.live,
        )
    if as_json:
        out.write(output.document(found) + "\n")
        return 0
    totals = PortfolioTotals(portfolio_id=question.portfolio, totals=found.totals, base_totals=found.base_totals)
    board = Board(title=question.title(found))
    now = Time(time.time_ns())
    board.take(
        Snapshot(
            sequence=found.sequence,
            ledger_id=found.ledger_id,
            emit_time=now,
            positions=found.positions,
            totals=(totals,),
            groups=found.groups,
        )
    )
    with screen(board, out, time.monotonic):
        pass  # what stands on a screen when it is left stays there
    width = shutil.get_terminal_size().columns if out.isatty() else None
    out.writelines(f"{text_of(line)}\n" for line in beside(board, now, width))
    return 0


def beside(board: Board, now: int, width: int | None) -> list[Line]:
    """What stands below the table of positions: money, then groups."""
    lines = account.money_lines(board.totals, now, width)
    if not (rows := account.group_rows(board.groups, True)):
        return lines
    columns = grid(account.GROUP_COLUMNS, rows, width)
    return [*lines, (), columns.head(), *map(columns.line, rows)]
