"""Two of the three witnesses: what the running server says through its RPCs, and what anybody's SQL finds in its tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

import lotkeeper
from lotkeeper import EntryStatus, PositionSide
from lotkeeper.errors import PortfolioNotFound
from tests.simulation.figures import Contents, Lot, Position, Trade
from tests.support.plain_sql import PlainSql, Row

ALL = (EntryStatus.OPEN, EntryStatus.PARTIALLY_CLOSED, EntryStatus.CLOSED)
READ_SECONDS = 60.0


class Record(NamedTuple):
    """One row of the journal, as far as it names the command: its time is that of what it opened or closed."""

    sequence: int
    portfolio: str
    symbol: str
    method: str
    fill_id: str
    request_id: str


def journal(sql: PlainSql) -> list[Record]:
    """Every record, in order."""
    query = "SELECT sequence, portfolio_id, symbol, method, fill_id, request_id FROM journal ORDER BY sequence"
    return [Record(*row.values()) for row in sql.rows(query)]


def through_sql(sql: PlainSql) -> Contents:
    """What the tables hold."""
    lots = {row["sequence"]: _lot(row) for row in sql.rows("SELECT * FROM position_entries")}
    names = {row["entry_id"]: row["sequence"] for row in sql.rows("SELECT entry_id, sequence FROM position_entries")}
    trades = [_trade(row, names) for row in sql.rows("SELECT * FROM completed_trades")]
    positions = [_position(row) for row in sql.rows("SELECT * FROM current_positions")]
    by_key = {(position.portfolio, position.symbol): position for position in positions}
    return Contents(lots, {(t.sequence, t.trade_index): t for t in trades}, by_key, _summed(trades))


LOT = ("portfolio_id", "symbol", "sequence", "side", "quantity", "remaining_quantity", "entry_price", "entry_time")
LOT_REST = ("entry_fill_id", "fee", "open_fee", "status")
TRADE = ("portfolio_id", "symbol", "sequence", "index", "lot", "side", "quantity", "entry_price", "exit_price")
TRADE_TIMES = ("entry_time", "exit_time", "entry_fill_id", "exit_fill_id")
TRADE_REST = ("gross_pnl", "entry_fee", "exit_fee", "net_pnl", "pnl_pct")
POSITION = ("portfolio_id", "symbol", "side", "total_quantity", "average_entry_price", "cost_basis")
POSITION_SUMS = ("gross_realized_pnl", "realized_fees", "net_realized_pnl", "open_fees", "open_entry_count")
POSITION_REST = ("first_entry_time", "last_entry_time", "sequence")


def _lot(row: Row) -> Lot:
    return Lot._make(_exact(row, (*LOT, *LOT_REST)))


def _trade(row: Row, lots: Mapping[str, int]) -> Trade:
    return Trade._make(_exact(row | {"lot": lots[row["entry_id"]]}, (*TRADE, *TRADE_TIMES, *TRADE_REST)))


def _position(row: Row) -> Position:
    return Position._make(_exact(row, (*POSITION, *POSITION_SUMS, *POSITION_REST)))


TEXTS = frozenset({"portfolio_id", "symbol", "side", "entry_fill_id", "exit_fill_id", "status"})
"""Columns that are text on both databases; every other text is an amount on SQLite."""


def _exact(row: Row, names: Iterable[str]) -> list[Any]:
    values = ((name, row[name]) for name in names)
    return [Decimal(value) if isinstance(value, str) and name not in TEXTS else value for name, value in values]


def _summed(trades: Iterable[Trade]) -> dict[str, tuple[Decimal, Decimal, Decimal]]:
    sums: dict[str, tuple[Decimal, Decimal, Decimal]] = {}
    for trade in trades:
        gross, fees, net = sums.get(trade.portfolio, (Decimal(0),) * 3)
        fees += trade.entry_fee + trade.exit_fee
        sums[trade.portfolio] = (gross + trade.gross, fees, net + trade.net)
    return sums


def through_rpcs(address: str, portfolios: Iterable[str]) -> tuple[Contents, list[str]]:
    """What the server answers, and every list that does not come in its order or with its sums."""
    contents, wrong = Contents({}, {}, {}, {}), list[str]()
    for portfolio in portfolios:
        with lotkeeper.connect(address, portfolio=portfolio, timeout=READ_SECONDS) as ledger:
            try:
                wrong += _read(ledger, portfolio, contents)
            except PortfolioNotFound:
                continue
    return contents, wrong


def _read(ledger: lotkeeper.Ledger, portfolio: str, contents: Contents) -> list[str]:
    entries = list(ledger.list_entries(statuses=ALL))
    names = {entry.entry_id: entry.sequence for entry in entries}
    contents.lots.update({entry.sequence: lot_of(entry) for entry in entries})
    listed = ledger.list_closed_trades()
    trades = [trade_of(trade, names) for trade in listed]
    found = {(trade.sequence, trade.trade_index): trade for trade in trades}
    contents.trades.update(found)
    summary = ledger.get_summary(include_flat=True)
    positions = {(portfolio, position.symbol): position for position in summary.positions}
    contents.positions.update({key: _position_of(p) for key, p in positions.items() if p.side is not PositionSide.FLAT})
    sums = [(t.gross_realized_pnl, t.realized_fees, t.net_realized_pnl) for t in summary.totals]
    contents.totals[portfolio] = sums[0]
    wrong = []
    if [(t.gross_realized_pnl, t.realized_fees, t.net_realized_pnl) for t in listed.totals()] != sums:
        wrong.append(f"{portfolio}: ListClosedTrades sums {listed.totals()}, GetSummary {summary.totals}")
    if [(e.entry_time, e.sequence) for e in entries] != sorted((e.entry_time, e.sequence) for e in entries):
        wrong.append(f"{portfolio}: ListEntries is not in FIFO order")
    if [(t.sequence, t.trade_index) for t in trades] != sorted(found):
        wrong.append(f"{portfolio}: ListClosedTrades is not in the order of closing")
    return wrong


def lot_of(entry: lotkeeper.Entry) -> Lot:
    """What the client library says of an entry."""
    amounts = (entry.quantity, entry.remaining_quantity, entry.entry_price)
    return Lot(
        entry.portfolio_id,
        entry.symbol,
        entry.sequence,
        entry.side.name,
        *amounts,
        int(entry.entry_time),
        entry.entry_fill_id,
        entry.fee,
        entry.open_fee,
        entry.status.name,
    )


def trade_of(trade: lotkeeper.ClosedTrade, lots: Mapping[str, int]) -> Trade:
    """What the client library says of a closed trade; ``lots`` gives the sequence of an entry's id."""
    return Trade(
        trade.portfolio_id,
        trade.symbol,
        trade.sequence,
        trade.index,
        lots[trade.entry_id],
        trade.side.name,
        trade.quantity,
        trade.entry_price,
        trade.exit_price,
        int(trade.entry_time),
        int(trade.exit_time),
        trade.entry_fill_id,
        trade.exit_fill_id,
        trade.gross_pnl,
        trade.entry_fee,
        trade.exit_fee,
        trade.net_pnl,
        trade.pnl_pct,
    )


def _position_of(position: lotkeeper.Position) -> Position:
    return Position(
        position.portfolio_id,
        position.symbol,
        position.side.name,
        position.total_quantity,
        position.average_entry_price,
        position.cost_basis,
        position.gross_realized_pnl,
        position.realized_fees,
        position.net_realized_pnl,
        position.open_fees,
        position.open_entry_count,
        None if position.first_entry_time is None else int(position.first_entry_time),
        None if position.last_entry_time is None else int(position.last_entry_time),
        position.sequence,
    )
