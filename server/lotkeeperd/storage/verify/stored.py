"""What the tables hold, held against what the journal makes of them: rows as the writer would write them, column by column."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import groupby, islice
from typing import Any, TypeVar

from sqlalchemy import Connection, Table, and_, func, select, text, tuple_

from lotkeeperd.domain.accounts import Balance
from lotkeeperd.domain.book import Book
from lotkeeperd.domain.decimals import ZERO
from lotkeeperd.domain.fees import NOTHING_PENDING
from lotkeeperd.domain.history import Correction, Late, TradeRef
from lotkeeperd.domain.instruments import Instrument
from lotkeeperd.domain.portfolios import Portfolio
from lotkeeperd.domain.reconciliation.records import Standing
from lotkeeperd.domain.trades import ClosedTrade, Entry
from lotkeeperd.service.ports import Key
from lotkeeperd.storage.columns import amount_for
from lotkeeperd.storage.reconciliation_rows import standing_row
from lotkeeperd.storage.restated import restated_query, restatements
from lotkeeperd.storage.rows import book_row, entry_row, trade_row
from lotkeeperd.storage.tables import (
    balances,
    books,
    completed_trades,
    discrepancies,
    instruments,
    portfolios,
    position_entries,
)
from lotkeeperd.storage.terms import balance_row, instrument_row, portfolio_row
from lotkeeperd.storage.verify.findings import Findings

AT_ONCE = 500
"""Rows asked for in one query."""

T = TypeVar("T")
_COLUMNS = [column.name for column in completed_trades.columns]
_SUPERSEDED = slice(_COLUMNS.index("superseded_sequence"), _COLUMNS.index("superseded_index") + 1)


class Stored:
    """The tables of one snapshot. Counts what it was shown, so that what nobody showed it is found in the end."""

    def __init__(self, connection: Connection, currency: str, findings: Findings) -> None:
        self._connection = connection
        self._currency = currency
        self._differs = findings.differs
        self.entries = 0
        self.trades = 0
        self.superseded = 0

    def compare_trades(self, trades: Sequence[ClosedTrade], amended: set[tuple[str, str]]) -> None:
        """Closed trades that records wrote, or left as they were.

        Those of an ``amended`` book, (portfolio, symbol), may be superseded by now: ``compare_restated`` finds by whom.
        """
        for some in _in_parts(sorted(trades, key=_place)):
            stored = self._trades_of(some)
            for trade in some:
                row = stored.get(_place(trade))
                ours: tuple[Any, ...] = trade_row(trade, _as_is)
                if row is not None and (trade.portfolio_id, trade.symbol) in amended:
                    ours = (*ours[: _SUPERSEDED.start], *row[_SUPERSEDED], *ours[_SUPERSEDED.stop :])
                self._compare(completed_trades, trade.trade_id, row, ours)

    def _trades_of(self, trades: Sequence[ClosedTrade]) -> dict[tuple[str, int, int], tuple[Any, ...]]:
        columns = completed_trades.c
        found = {}
        for portfolio_id, some in groupby(trades, key=lambda trade: trade.portfolio_id):
            sequences = {trade.sequence for trade in some}
            query = select(completed_trades).where(
                columns.portfolio_id == portfolio_id, columns.sequence.in_(sorted(sequences))
            )
            for row in self._connection.execute(query):
                found[row[0], row[1], row[2]] = tuple(row)
        return found

    def compare_entries(self, entries: Iterable[Entry]) -> None:
        """Entries as they are now; each is shown once."""
        rest = iter(entries)
        while some := list(islice(rest, AT_ONCE)):
            self.entries += len(some)
            some.sort(key=lambda entry: (entry.portfolio_id, entry.opened.time, entry.opened.sequence))
            stored = self._entries_of(some)
            for entry in some:
                row = stored.get((entry.portfolio_id, entry.opened.sequence))
                self._compare(position_entries, entry.entry_id, row, entry_row(entry, self._currency, _as_is))

    def _entries_of(self, entries: Sequence[Entry]) -> dict[tuple[str, int], tuple[Any, ...]]:
        columns = position_entries.c
        found = {}
        for portfolio_id, some in groupby(entries, key=lambda entry: entry.portfolio_id):
            places = [(entry.opened.time, entry.opened.sequence) for entry in some]
            query = select(position_entries).where(
                columns.portfolio_id == portfolio_id, tuple_(columns.entry_time, columns.sequence).in_(places)
            )
            for row in self._connection.execute(query):
                found[portfolio_id, row.sequence] = tuple(row)
        return found

    def compare_restated(self, record: Late | Correction) -> None:
        """The closed trades that a record put in others' places, and those others: who they are, and what they sum to."""
        pairs, portfolio_id = record.rematch.pairs, record.command.portfolio_id
        query = restated_query(portfolio_id, record.sequence, -1, len(pairs) + 1)
        told = restatements(self._connection.execute(query).all(), record.sequence)
        found = tuple((_ref(one.before), _ref(one.after)) for one in told)
        self.superseded += sum(one is not None for one, _ in pairs)
        if found != pairs:
            self._differs(f"completed_trades: record {record.sequence} superseded other trades than the journal says")
            return
        for what, moved in (("gross", record.rematch.gross), ("fees", record.rematch.fees)):
            after = sum((_figure(one.after, what) for one in told), ZERO)
            change = after - sum((_figure(one.before, what) for one in told), ZERO)
            if change != moved:
                self._differs(
                    f"journal: record {record.sequence} moves {what} by {moved}, its restated trades by {change}"
                )

    def compare_books(self, rebuilt: Mapping[Key, Book]) -> None:
        """Every sum of every book, and the view over them."""
        rows = {key: book_row(*key, book, _as_is) for key, book in rebuilt.items()}
        self._compare_table(books, 3, rows, lambda key: f"{_side(key)}{key[1]} in {key[0]}")
        amount = amount_for(self._connection.dialect)
        shown = set()
        for key, book in rebuilt.items():
            if book.direction is not None:
                row = book_row(*key, book, amount)
                provisional, unconverted = book.pending != NOTHING_PENDING, row[-1]
                shown.add((*row[:2], *row[3:16], row[2], provisional, unconverted))
        found = self._connection.execute(text("SELECT * FROM current_positions"))
        for portfolio_id, symbol in {row[:2] for row in {tuple(row) for row in found} ^ shown}:
            self._differs(f"current_positions: {symbol} in {portfolio_id} is not what the journal says")

    def compare_portfolios(self, rebuilt: Iterable[Portfolio]) -> None:
        """Their terms."""
        rows = {(row[0],): row for row in map(portfolio_row, rebuilt)}
        self._compare_table(portfolios, 1, rows, lambda key: str(key[0]))

    def compare_instruments(self, rebuilt: Iterable[Instrument]) -> None:
        """Their terms."""
        rows = {(row[0],): row for row in map(instrument_row, rebuilt)}
        self._compare_table(instruments, 1, rows, lambda key: str(key[0]))

    def compare_balances(self, rebuilt: Mapping[tuple[str, str], Balance]) -> None:
        """Cash besides executions."""
        rows = {key: balance_row(*key, balance, _as_is) for key, balance in rebuilt.items()}
        self._compare_table(balances, 2, rows, lambda key: f"{key[1]} in {key[0]}")

    def compare_standings(self, rebuilt: Mapping[str, Standing]) -> None:
        """What differs from brokers, and what became of it."""
        rows = {(row[0],): row for row in map(standing_row, rebuilt.values())}
        self._compare_table(discrepancies, 1, rows, lambda key: str(key[0]))

    def _compare_table(self, table: Table, keys: int, rebuilt: Mapping[Any, tuple[Any, ...]], name: Any) -> None:
        """A whole table; what the journal does not know is named."""
        stored = {tuple(row[:keys]): tuple(row) for row in self._connection.execute(select(table))}
        for key, ours in rebuilt.items():
            self._compare(table, name(key), stored.pop(key, None), ours)
        for key in stored:
            self._differs(f"{table.name}: {name(key)} has no record in the journal")

    def _compare(self, table: Table, name: str, row: tuple[Any, ...] | None, ours: tuple[Any, ...]) -> None:
        if row is None:
            self._differs(f"{table.name}: {name} is missing")
        elif row != ours:
            columns = zip(table.columns, row, ours, strict=True)
            what = ", ".join(
                f"{column.name} is {_shown(is_)}, the journal says {_shown(says)}"
                for column, is_, says in columns
                if is_ != says
            )
            self._differs(f"{table.name}: {name}: {what}")

    def compare_counts(self) -> None:
        """Nothing may be stored that the journal does not know."""
        superseded = completed_trades.c.superseded_sequence.is_not(None)
        for table, rebuilt, which, what in (
            (position_entries, self.entries, and_(True), ""),
            (completed_trades, self.trades, and_(True), ""),
            (completed_trades, self.superseded, superseded, "superseded "),
        ):
            count = self._connection.execute(select(func.count()).select_from(table).where(which)).scalar_one()
            if count != rebuilt:
                self._differs(f"{table.name}: it has {count} {what}rows, the journal says {rebuilt}")


def _as_is(amount: Decimal) -> Decimal:
    return amount


def _shown(value: Any) -> str:
    return "empty" if value in {None, ""} else str(value)


def _side(key: Key) -> str:
    return f"{key[2]} " if key[2] else ""


def _place(trade: ClosedTrade) -> tuple[str, int, int]:
    return trade.portfolio_id, trade.sequence, trade.trade_index


def _ref(trade: ClosedTrade | None) -> TradeRef | None:
    return None if trade is None else (trade.sequence, trade.trade_index)


def _figure(trade: ClosedTrade | None, what: str) -> Decimal:
    if trade is None:
        return ZERO
    return trade.gross_pnl if what == "gross" else trade.entry_fee + trade.exit_fee


def _in_parts(many: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(many), AT_ONCE):
        yield many[start : start + AT_ONCE]
