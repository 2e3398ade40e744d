"""What a server keeps in memory, read from disk and checked against the stored sums and the journal's end."""

from __future__ import annotations

import json
from decimal import localcontext
from typing import Any

from sqlalchemy import Connection, Row, func, select, text

from lotkeeperd.domain.book import Book, Lot
from lotkeeperd.domain.decimals import EXACT
from lotkeeperd.domain.instruments import Instrument
from lotkeeperd.domain.portfolios import Portfolio, PositionMode
from lotkeeperd.domain.refusals import LedgerCorrupt
from lotkeeperd.service.ports import (
    Key,
    State,
)
from lotkeeperd.service.standings import Standings
from lotkeeperd.storage import tables
from lotkeeperd.storage.reconciliation_rows import standing_of
from lotkeeperd.storage.records import instrument_of, portfolio_of
from lotkeeperd.storage.rows import (
    entry_of_row,
    lot_of,
    pending_of,
)
from lotkeeperd.storage.terms import balance_of


def loaded_state(connection: Connection) -> State:
    """Everything, as one snapshot. Raises LedgerCorrupt."""
    if connection.dialect.name == "postgresql":  # between rows this is work of ours, not a stalled server
        connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
    with localcontext(EXACT):
        return _loaded(connection)


def _loaded(connection: Connection) -> State:
    head = connection.execute(select(tables.ledger)).one()
    newest = connection.execute(select(func.max(tables.journal.c.sequence))).scalar() or 0
    if newest != head.last_sequence:
        raise LedgerCorrupt(f"the ledger stands at {head.last_sequence}, its journal ends at {newest}")
    portfolios = {
        row.portfolio_id: _portfolio(row, head.currency) for row in connection.execute(select(tables.portfolios))
    }
    instruments = {
        row.symbol: instrument_of(row.symbol, json.loads(row.terms))
        for row in connection.execute(select(tables.instruments))
    }
    balances = {
        (row.portfolio_id, row.currency): balance_of(row) for row in connection.execute(select(tables.balances))
    }
    books = _books(connection, head.currency, portfolios, instruments)
    return State(
        head.ledger_id, head.currency, newest, portfolios, instruments, balances, books, _standings(connection)
    )


def _standings(connection: Connection) -> Standings:
    """What the next report may find again, in the order in which it was first seen."""
    columns = tables.discrepancies.c
    query = select(columns.body).where(text(tables.WAITING)).order_by(columns.first_report, columns.place)
    return Standings(map(standing_of, connection.execute(query).scalars()))


def _portfolio(row: Row[Any], currency: str) -> Portfolio:
    if row.terms:
        return portfolio_of(row.portfolio_id, json.loads(row.terms))
    return Portfolio(row.portfolio_id, currency, created_time=row.created_time)


def _books(
    connection: Connection, currency: str, portfolios: dict[str, Portfolio], instruments: dict[str, Instrument]
) -> dict[Key, Book]:
    """Every book; a symbol without terms is one that an older version took for spot."""
    lots = _open_lots(connection, portfolios)
    books: dict[Key, Book] = {}
    for row in connection.execute(select(tables.books)):
        key = (row.portfolio_id, row.symbol, row.book_side)
        instrument = instruments.get(row.symbol)
        if instrument is None:
            instrument = instruments[row.symbol] = Instrument(
                row.symbol, quote_currency=currency, settlement_currency=currency
            )
        method = portfolios[row.portfolio_id].lot_method
        book = Book.restored(
            lots.pop(key, []),
            row.gross_realized_pnl,
            row.realized_fees,
            row.sequence,
            row.newest_time,
            instrument.contract,
            method,
            row.cost_basis,
        )
        book.pending = pending_of(row)
        stored = (row.total_quantity, row.cost_basis, row.open_fees, row.open_entry_count)
        if stored != (book.quantity, book.cost, book.open_fees, book.lot_count):
            raise LedgerCorrupt(f"the open entries of {key[1]} in {key[0]} do not add up to its position")
        books[key] = book
    if lots:
        raise LedgerCorrupt(f"there are open entries without a position: {', '.join(next(iter(lots))[:2])}")
    return books


def _open_lots(connection: Connection, portfolios: dict[str, Portfolio]) -> dict[Key, list[Lot]]:
    entries = tables.position_entries
    query = select(entries).where(entries.c.status != "CLOSED").order_by(entries.c.entry_time, entries.c.sequence)
    lots: dict[Key, list[Lot]] = {}
    for row in connection.execute(query):
        entry = entry_of_row(row)
        if entry.superseded:
            continue
        opened = entry.opened
        hedging = portfolios[entry.portfolio_id].position_mode is PositionMode.HEDGING
        key = (entry.portfolio_id, entry.symbol, opened.direction.name if hedging else "")
        lots.setdefault(key, []).append(lot_of(entry))
    return lots
