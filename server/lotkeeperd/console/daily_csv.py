"""A day's report as one CSV table, for a spreadsheet: a row is one figure's place, and ``what`` says of which kind.

Figures are exact; what is not known is empty. ``realized`` rows are by symbol, ``total`` rows by currency.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import TextIO

from lotkeeper import DiscrepancyRecord
from lotkeeperd.console.day import DayReport, PortfolioDay
from lotkeeperd.domain.decimals import plain
from lotkeeperd.domain.times import iso

COLUMNS = (
    "day",
    "portfolio_id",
    "what",
    "symbol",
    "side",
    "currency",
    "count",
    "quantity",
    "average_entry_price",
    "gross_realized_pnl",
    "realized_fees",
    "net_realized_pnl",
    "unrealized_pnl",
    "id",
    "time",
    "detail",
)
"""Fields may be added at the end."""

_Figures = Mapping[str, object]


def write(report: DayReport, out: TextIO) -> None:
    """Write the table with its head."""
    table = csv.DictWriter(out, COLUMNS, restval="", lineterminator="\n")
    table.writeheader()
    for row in rows(report):
        table.writerow({name: _text(figure) for name, figure in row.items()})


def rows(report: DayReport) -> Iterator[_Figures]:
    """The rows: portfolio by portfolio, then the differences that are open."""
    for day in report.portfolios:
        for row in _day(day):
            yield {"day": day.day, "portfolio_id": day.portfolio_id} | row
    yield from map(_discrepancy, report.open_discrepancies)


def _day(day: PortfolioDay) -> Iterator[dict[str, object]]:
    for symbol in day.symbols:
        yield {
            "what": "realized",
            "symbol": symbol.symbol,
            "currency": symbol.currency,
            "count": symbol.trade_count,
            "gross_realized_pnl": symbol.gross_realized_pnl,
            "realized_fees": symbol.realized_fees,
            "net_realized_pnl": symbol.net_realized_pnl,
        }
    for total in day.realized:
        yield {
            "what": "total",
            "currency": total.currency,
            "gross_realized_pnl": total.gross_realized_pnl,
            "realized_fees": total.realized_fees,
            "net_realized_pnl": total.net_realized_pnl,
            "detail": "provisional" if total.provisional else "",
        }
    for position in day.positions:
        yield {
            "what": "position",
            "symbol": position.symbol,
            "side": position.side.name,
            "currency": position.currency,
            "count": position.open_entry_count,
            "quantity": position.total_quantity,
            "average_entry_price": position.average_entry_price,
            "unrealized_pnl": position.unrealized_pnl,
        }
    if (last := day.last_reconciliation) is not None:
        yield {
            "what": "reconciliation",
            "count": last.discrepancy_count,
            "id": last.reconciliation_id,
            "time": iso(last.reconciled_time),
            "detail": "complete" if last.complete else "incomplete",
        }


def _discrepancy(record: DiscrepancyRecord) -> _Figures:
    found = record.discrepancy
    return {
        "portfolio_id": found.portfolio_id,
        "what": "discrepancy",
        "symbol": found.symbol,
        "quantity": found.broker_quantity,
        "average_entry_price": found.broker_average_price,
        "id": found.discrepancy_id,
        "time": iso(record.first_seen),
        "detail": f"{found.kind.name}: {found.explanation}",
    }


def _text(figure: object) -> str:
    if figure is None:
        return ""
    return plain(figure) if isinstance(figure, Decimal) else str(figure)
