"""A day's report on paper. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from lotkeeper import Position, PositionSide, Totals
from lotkeeperd.console import decide
from lotkeeperd.console.account import monies
from lotkeeperd.console.board import book_of
from lotkeeperd.console.day import DayReport, PortfolioDay, SymbolDay
from lotkeeperd.console.figures import amount, count, price, quantity
from lotkeeperd.console.layout import Cell, Column, Line, Row, Tone, grid, printable
from lotkeeperd.console.printing import paragraph

REALIZED = (
    Column("realized", left=True, narrowest=8),
    Column("currency", left=True),
    Column("trades"),
    Column("gross"),
    Column("fees"),
    Column("net"),
    Column("", left=True, rank=1, narrowest=8),
)
OPEN = (
    Column("open", left=True, narrowest=8),
    Column("side", left=True),
    Column("quantity"),
    Column("average"),
    Column("mark", rank=1),
    Column("unrealized"),
    Column("currency", left=True),
)


def lines(report: DayReport, now: int, width: int | None) -> list[Line]:
    """All of it: each portfolio, then what differs from the brokers."""
    made: list[Line] = []
    for each in report.portfolios:
        made += [*portfolio_lines(each, width), ()]
    return [*made, *decide.table_lines(report.open_discrepancies, now, width)]


def portfolio_lines(day: PortfolioDay, width: int | None) -> list[Line]:
    """One portfolio's day."""
    made = paragraph(f"{day.day} ({day.time_zone}), portfolio {printable(day.portfolio_id)}", width, Tone.HEAD)
    rows = [*map(_symbol_row, day.symbols), *(_total_row(each) for each in day.realized if day.symbols)]
    made += _table(REALIZED, rows, width) if rows else [(Cell("nothing was closed"),)]
    when = "at the end of the day" if day.is_over else "now"
    positions = [_position_row(each) for each in day.positions]
    made += _table(OPEN, positions, width) if positions else [(Cell(f"nothing is open {when}"),)]
    if positions and day.is_over:
        made.append((Cell("open at the end of the day; no marks are kept of then", Tone.DIM),))
    return [*made, *_reconciled(day, width)]


def _table(columns: Sequence[Column], rows: Sequence[Row], width: int | None) -> list[Line]:
    shown = grid(columns, rows, width)
    return [shown.head(), *map(shown.line, rows)]


def _symbol_row(day: SymbolDay) -> Row:
    return {
        "realized": Cell(printable(day.symbol)),
        "currency": Cell(printable(day.currency)),
        "trades": Cell(f"{day.trade_count:,}"),
        "gross": _pnl(day.gross_realized_pnl),
        "fees": Cell(amount(day.realized_fees)),
        "net": _pnl(day.net_realized_pnl),
    }


def _total_row(total: Totals) -> Row:
    notes = ["provisional: a fee is still to come"] * total.provisional
    if total.unconverted_fees:
        notes.append(f"and fees without a rate: {monies(total.unconverted_fees)}")
    return {
        "realized": Cell("all", Tone.HEAD),
        "currency": Cell(printable(total.currency), Tone.HEAD),
        "gross": _pnl(total.gross_realized_pnl),
        "fees": Cell(amount(total.realized_fees)),
        "net": _pnl(total.net_realized_pnl),
        "": Cell("; ".join(notes), Tone.DOUBTFUL),
    }


def _position_row(position: Position) -> Row:
    sign = -1 if position.side is PositionSide.SHORT else 1
    return {
        "open": Cell(book_of(position)),
        "side": Cell(position.side.name),
        "quantity": Cell(quantity(sign * position.total_quantity)),
        "average": Cell(price(position.average_entry_price)),
        "mark": Cell(price(position.mark_price), Tone.BAD if position.mark_stale else Tone.PLAIN),
        "unrealized": _pnl(position.unrealized_pnl),
        "currency": Cell(printable(position.currency)),
    }


def _pnl(figure: Decimal | None) -> Cell:
    if figure is None:
        return Cell(amount(None), Tone.DOUBTFUL)
    return Cell(amount(figure), Tone.GOOD if figure > 0 else Tone.BAD if figure < 0 else Tone.PLAIN)


def _reconciled(day: PortfolioDay, width: int | None) -> list[Line]:
    last = day.last_reconciliation
    if last is None:
        when = "by the end of the day" if day.is_over else "yet"
        return paragraph(f"nobody had compared it with a broker {when}", width, Tone.DOUBTFUL)
    against = f"account {printable(last.broker_account)}" if last.broker_account else "a statement"
    found = count(last.discrepancy_count, "difference", "differences")
    found += f", {last.applied_count:,} repaired" if last.applied_count else ""
    said = "" if last.complete else "; the broker did not say everything"
    when = f"{last.reconciled_time.datetime:%Y-%m-%d %H:%M:%S} UTC"
    bad = last.discrepancy_count > last.applied_count or not last.complete
    text = f"last reconciled {when} against {against} ({last.reconciliation_id}): {found}{said}"
    return paragraph(text, width, Tone.DOUBTFUL if bad else Tone.GOOD)
