"""``lotkeeper explain``: the records that make a trade or a position, one line each, and what they sum to as the last line.

Figures stand there whole, with every digit: who adds them up has to come out at the sum. The sum is made of the lines that were
read, under the context that traps what is not exact, and it is compared with what the ledger shows: a difference is said. Records
come in pages and are not held but for ``LINES``; the others are added up in one line.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from decimal import Decimal, localcontext
from typing import NamedTuple, TextIO

import lotkeeper
from lotkeeper import ClosedTrade, ExplainLine, Position, PositionSide, RecordKind, Side
from lotkeeperd.console import output
from lotkeeperd.console.layout import Cell, Column, Line, Row, grid, printable, text_of
from lotkeeperd.domain.decimals import EXACT, ZERO, plain

LINES = 5_000
"""Records of a position that are shown one by one."""
PAGE = 1_000

_RECORD = (
    Column("record", left=True),
    Column("what", left=True),
    Column("executed", left=True, rank=3),
    Column("fill", left=True, rank=2, narrowest=6),
    Column("side", left=True),
    Column("quantity"),
    Column("price"),
)
OF_TRADE = (*_RECORD, Column("gross P&L"), Column("fees"), Column("why", left=True, rank=1, narrowest=12))
OF_POSITION = (
    *_RECORD,
    Column("open"),
    Column("cost"),
    Column("gross P&L"),
    Column("fees"),
    Column("open fees"),
    Column("why", left=True, rank=1, narrowest=12),
)


class Change(NamedTuple):
    """What records changed: the open quantity (negative for a short), its cost, P&L and fees."""

    quantity: Decimal = ZERO
    cost: Decimal = ZERO
    gross: Decimal = ZERO
    fees: Decimal = ZERO
    open_fees: Decimal = ZERO

    def with_(self, line: ExplainLine) -> Change:
        """And one record more; run under ``localcontext(EXACT)``."""
        return Change(*(one + other for one, other in zip(self, change_of(line), strict=True)))


def change_of(line: ExplainLine) -> Change:
    """What one record changed."""
    return Change(
        line.quantity_change, line.cost_change, line.gross_pnl_change, line.fees_change, line.open_fees_change
    )


def explain_trade(address: str, portfolio: str, trade_id: str, out: TextIO, as_json: bool) -> int:
    """Print what makes a trade; the exit code. Raises LotkeeperError."""
    with lotkeeper.connect(address, portfolio=portfolio) as ledger:
        told = ledger.explain_trade(trade_id=trade_id)
    if as_json:
        _json(out, "superseded", told.superseded_trades)
        _json(out, "record", told.lines)
        _json(out, "trade", [told.trade])
        return 0
    with localcontext(EXACT):
        out.write(f"{_trade_title(told.trade)}\n")
        out.writelines(
            f"  in the place of {trade.trade_id}, net {plain(trade.net_pnl)}\n" for trade in told.superseded_trades
        )
        sums = Change()
        for line in told.lines:
            sums = sums.with_(line)
        rows = [_row(line) for line in told.lines]
        last = _sum_row(sums) | {"why": Cell(f"net {plain(sums.gross - sums.fees)} {printable(told.trade.currency)}")}
        of_trade = (told.trade.gross_pnl, told.trade.entry_fee + told.trade.exit_fee)
        _print(out, OF_TRADE, rows, last, _difference((sums.gross, sums.fees), of_trade, "the trade's P&L and fees"))
    return 0


def explain_position(
    address: str, portfolio: str, symbol: str, book_side: PositionSide, out: TextIO, as_json: bool
) -> int:
    """Print what makes a position; the exit code. Raises LotkeeperError."""
    with lotkeeper.connect(address, portfolio=portfolio) as ledger, localcontext(EXACT):
        lines = ledger.explain_position(symbol=symbol, book_side=book_side, page_size=PAGE)
        if as_json:
            _json(out, "record", lines)
            _json(out, "position", [lines.position()])
            return 0
        rows: list[Row] = []
        sums = rest = Change()
        beyond = 0
        for line in lines:
            sums = sums.with_(line)
            if len(rows) < LINES:
                rows.append(_row(line))
            else:
                beyond, rest = beyond + 1, rest.with_(line)
        if beyond:
            rows.append(_sum_row(rest) | {"record": Cell(f"{beyond:,} more")})
        position = lines.position()
        out.write(f"{_position_title(position, lines.sequence())}\n")
        told = _difference(sums, _figures(position), "the position")
        _print(out, OF_POSITION, rows, _sum_row(sums), told)
    return 0


def _json(out: TextIO, kind: str, values: Iterable[object]) -> None:
    """A line of JSON each."""
    out.writelines(output.line(kind, value) + "\n" for value in values)


def _trade_title(trade: ClosedTrade) -> str:
    place = f"{printable(trade.portfolio_id)} {printable(trade.symbol)}"
    superseded = f"; superseded by {trade.superseded_by}" if trade.superseded_by else ""
    late = "; provisional: a fee is still to come, or has no rate" if trade.provisional else ""
    return f"trade {trade.trade_id}: {place}, {trade.side.name} {plain(trade.quantity)}{superseded}{late}"


def _position_title(position: Position, sequence: int) -> str:
    side = "" if position.book_side is PositionSide.UNSPECIFIED else f" ({position.book_side.name} book)"
    place = f"{printable(position.portfolio_id)} {printable(position.symbol)}{side}"
    return f"position {place}: {position.side.name} {plain(position.total_quantity)}, journal at {sequence}"


def _figures(position: Position) -> Change:
    """What the changes have to sum to."""
    sign = -1 if position.side is PositionSide.SHORT else 1
    return Change(
        sign * position.total_quantity,
        position.cost_basis,
        position.gross_realized_pnl,
        position.realized_fees,
        position.open_fees,
    )


def _difference(sums: Iterable[Decimal], shown: Iterable[Decimal], what: str) -> str:
    """In words, where the lines do not sum to what the ledger shows; empty as it should be."""
    pairs = list(zip(sums, shown, strict=True))
    if all(one == other for one, other in pairs):
        return ""
    figures = ", ".join(f"{plain(one)} not {plain(other)}" for one, other in pairs if one != other)
    return f"these lines do not sum to {what}: {figures}; an answer holds as many lines as fit into it"


def _row(line: ExplainLine) -> Row:
    executed = "" if line.fill_time is None else f"{line.fill_time.datetime:%Y-%m-%d %H:%M:%S}"
    traded = line.side is not Side.UNSPECIFIED
    return {
        "record": Cell(str(line.sequence)),
        "what": Cell(_kind(line.kind)),
        "executed": Cell(executed),
        "fill": Cell(printable(line.fill_id)),
        "side": Cell(line.side.name if traded else ""),
        "quantity": Cell("" if line.quantity is None else plain(line.quantity)),
        "price": Cell("" if line.price is None else plain(line.price)),
        **_cells(change_of(line)),
        "why": Cell(printable(line.explanation)),
    }


def _kind(kind: RecordKind) -> str:
    return kind.name.lower().replace("_", " ")


def _cells(change: Change) -> Row:
    return {
        "open": Cell(plain(change.quantity)),
        "cost": Cell(plain(change.cost)),
        "gross P&L": Cell(plain(change.gross)),
        "fees": Cell(plain(change.fees)),
        "open fees": Cell(plain(change.open_fees)),
    }


def _sum_row(sums: Change) -> dict[str, Cell]:
    return {"record": Cell("sum"), **_cells(sums)}


def _print(out: TextIO, columns: tuple[Column, ...], rows: list[Row], last: Row, difference: str) -> None:
    """The table; the sum is its last line."""
    width = shutil.get_terminal_size().columns if out.isatty() else None
    shown = grid(columns, [*rows, last], width)
    lines: list[Line] = [shown.head(), *map(shown.line, rows)]
    if difference:
        lines.append((Cell(difference),))
    out.writelines(f"{text_of(line)}\n" for line in [*lines, shown.line(last)])
