"""History as rows for a file: fills, entries, closed trades and events, streamed from one snapshot while a server may write.

Problem: the journal keeps what was busted and what was corrected (law 11), and whoever reads an export wants what counts, or
adds up what never was. Chosen: what counts now, unless the journal's own words are asked for. A book without a correction is
streamed as it was recorded; one with corrections comes after those, whole, its fills in the order in which they are matched:
so an import in the order of the file closes the same lots. Only the history of one such symbol is held at a time.

Columns are named as in the contract; ``role`` says what a fill was recorded as (law 8): entry, exit or both. A quantity is
what the venue reported, also where a fee in the coin traded made another quantity of it.
Values are what the tables hold: amounts are ``Decimal``, times nanoseconds UTC, labels and other objects pairs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from sqlalchemy import Column, Connection, Row, RowMapping, Select, or_, select, text
from sqlalchemy.exc import DBAPIError

from lotkeeperd.domain.book import Direction
from lotkeeperd.domain.commands import Decision, Method, trade_id
from lotkeeperd.domain.history import Correction, History, Late
from lotkeeperd.domain.trades import EntryStatus
from lotkeeperd.service.ports import JournalRecord
from lotkeeperd.storage.columns import labels_of
from lotkeeperd.storage.engines import CannotStart, database_url, inspector_engine, shown, unusable
from lotkeeperd.storage.event_rows import event_row, rate_cell
from lotkeeperd.storage.records import AMENDMENTS, EVENTS, EXECUTED, is_told, record_of
from lotkeeperd.storage.rows import decision_of, rate_of
from lotkeeperd.storage.schema import check_current
from lotkeeperd.storage.tables import EXECUTIONS, completed_trades, journal, ledger, position_entries

AT_ONCE = 1_000
"""Rows fetched from the database at once."""

REMATCHED = '%"rematch":%'
"""In what was decided of a fill that was put in time order."""

FILL_COLUMNS = (
    "portfolio_id",
    "symbol",
    "side",
    "position_side",
    "quantity",
    "price",
    "fee",
    "fee_currency",
    "fill_time",
    "fill_id",
    "order_id",
    "reason",
    "group_id",
    "labels",
    "synthetic",
    "role",
    "request_id",
    "sequence",
    "record_time",
)
ENTRY_COLUMNS = tuple(column.name for column in position_entries.columns)
TRADE_COLUMNS = (
    *(column.name for column in completed_trades.columns if not column.name.startswith("superseded_")),
    "superseded_by",
)

_EXECUTIONS = frozenset({*EXECUTED, Method.LIQUIDATION})
_FILLS = tuple(sorted(method.value for method in _EXECUTIONS))
_TOLD = tuple(sorted(EVENTS | AMENDMENTS))

_UNREADABLE = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What a row raises that somebody changed by hand, or that a damaged disk did."""


class Wanted(NamedTuple):
    """Which rows; empty means all. Times in nanoseconds UTC of the fill, the entry, the exit or the event; ``until`` not included.

    ``as_recorded`` asks for the journal's own words: fills as they were first recorded, entries and trades that count no more.
    """

    portfolio_id: str = ""
    symbol: str = ""
    since: int | None = None
    until: int | None = None
    as_recorded: bool = False

    def takes(self, time: int) -> bool:
        """Whether something of ``time`` is wanted."""
        return (self.since is None or self.since <= time) and (self.until is None or time < self.until)


class Extract:
    """Rows of one snapshot."""

    def __init__(self, connection: Connection) -> None:
        """``connection`` is in a transaction that sees one state of the ledger."""
        self._connection = connection
        self._currency = str(connection.execute(select(ledger.c.currency)).scalar_one())

    def fills(self, wanted: Wanted) -> Iterator[tuple[Any, ...]]:
        """Executions with ``FILL_COLUMNS``: what was bought and sold, whatever asked for it."""
        columns = journal.c
        corrected = frozenset() if wanted.as_recorded else frozenset(self._corrected(wanted))
        query = select(journal).where(columns.method.in_(_FILLS)).order_by(columns.sequence)
        for row in self._rows(_narrowed(query, wanted, columns.portfolio_id, columns.symbol)):
            if (row.portfolio_id, row.symbol) in corrected:
                continue
            decision = _decision(row)
            if wanted.takes(decision.fill.time):
                yield self._fill(decision)
        for portfolio_id, symbol in sorted(corrected):
            for decision in self._counting(portfolio_id, symbol):
                if decision.command.method in _EXECUTIONS and wanted.takes(decision.fill.time):
                    yield self._fill(decision)

    def _corrected(self, wanted: Wanted) -> Iterator[tuple[str, str]]:
        """Portfolio and symbol of everything that a correction or a fill put in time order has re-matched."""
        columns = journal.c
        rematched = or_(columns.method.in_(sorted(AMENDMENTS)), columns.decided.like(REMATCHED))
        query = select(columns.portfolio_id, columns.symbol).where(rematched).distinct()
        for row in self._rows(_narrowed(query, wanted, columns.portfolio_id, columns.symbol)):
            yield row.portfolio_id, row.symbol

    def _counting(self, portfolio_id: str, symbol: str) -> Iterator[Decision]:
        """What counts of a symbol now, book by book in the order in which it is matched."""
        columns = journal.c
        query = (
            select(journal)
            .where(columns.portfolio_id == portfolio_id, columns.symbol == symbol)
            .order_by(columns.sequence)
        )
        books: dict[str, History] = {}
        for row in self._rows(query):
            record = _record(row)
            if isinstance(record, Decision | Late | Correction):
                side = record.command.book_side
                books.setdefault(side.name if side else "", History()).take(record)
        for _, history in sorted(books.items()):
            yield from (slot.decision for slot in history.slots)

    def _fill(self, decision: Decision) -> tuple[Any, ...]:
        command, fill = decision.command, decision.fill
        return (
            command.portfolio_id,
            command.symbol,
            "BUY" if fill.direction is Direction.LONG else "SELL",
            command.book_side.name if command.book_side else "",
            decision.venue_quantity,
            fill.price,
            command.fee,
            command.fee_currency or self._currency,
            fill.time,
            command.fill_id,
            command.order_id,
            command.reason,
            command.group_id,
            command.labels,
            command.synthetic,
            str(command.role.name).lower() if command.method in EXECUTED else "both",
            command.request_id,
            decision.sequence,
            decision.recorded_time,
        )

    def events(self, wanted: Wanted) -> Iterator[tuple[Any, ...]]:
        """Events, busts and corrections in the order they were recorded, with ``EVENT_COLUMNS``."""
        columns = journal.c
        query = select(journal).where(text(f"NOT {EXECUTIONS}"), columns.method.in_(_TOLD)).order_by(columns.sequence)
        for row in self._rows(_narrowed(query, wanted, columns.portfolio_id, columns.symbol)):
            record = _record(row)
            if is_told(record, wanted.since, wanted.until):
                yield event_row(record)

    def entries(self, wanted: Wanted) -> Iterator[tuple[Any, ...]]:
        """Lots in FIFO order within each portfolio, with ``ENTRY_COLUMNS``."""
        columns = position_entries.c
        query = select(position_entries).order_by(columns.portfolio_id, columns.entry_time, columns.sequence)
        query = query if wanted.as_recorded else query.where(columns.status != EntryStatus.SUPERSEDED.value)
        return self._table(query, wanted, columns.entry_time, columns.portfolio_id, columns.symbol)

    def trades(self, wanted: Wanted) -> Iterator[tuple[Any, ...]]:
        """Closed trades in the order they were closed within each portfolio, with ``TRADE_COLUMNS``."""
        columns = completed_trades.c
        query = select(completed_trades).order_by(columns.portfolio_id, columns.sequence, columns["index"])
        query = query if wanted.as_recorded else query.where(columns.superseded_sequence.is_(None))
        return self._table(query, wanted, columns.exit_time, columns.portfolio_id, columns.symbol)

    def _table(
        self, query: Select[Any], wanted: Wanted, time: Column[int], portfolio: Column[str], symbol: Column[str]
    ) -> Iterator[tuple[Any, ...]]:
        query = _narrowed(query, wanted, portfolio, symbol)
        query = query if wanted.since is None else query.where(time >= wanted.since)
        query = query if wanted.until is None else query.where(time < wanted.until)
        for row in self._rows(query):
            yield _as_in_the_contract(row._mapping)

    def _rows(self, query: Select[Any]) -> Iterator[Row[Any]]:
        try:
            yield from self._connection.execute(query, execution_options={"yield_per": AT_ONCE})
        except _UNREADABLE as error:
            raise CannotStart(f"a row cannot be read ({error!r}); run lotkeeper verify") from error


def _decision(row: Row[Any]) -> Decision:
    try:
        return decision_of(row)
    except _UNREADABLE as error:
        raise CannotStart(f"journal: record {row.sequence} cannot be read ({error!r}); run lotkeeper verify") from error


def _record(row: Row[Any]) -> JournalRecord:
    try:
        return record_of(row)
    except _UNREADABLE as error:
        raise CannotStart(f"journal: record {row.sequence} cannot be read ({error!r}); run lotkeeper verify") from error


def _as_in_the_contract(row: RowMapping) -> tuple[Any, ...]:
    """The cells of a table's row, where the table keeps them in another form."""
    cells = {name: cell for name, cell in row.items() if not name.startswith("superseded_")}
    cells["labels"] = labels_of(cells["labels"])
    if "fee_rate" in cells:
        cells["fee_rate"] = rate_cell(rate_of(json.loads(cells["fee_rate"]))) if cells["fee_rate"] else None
    if "exit_sequence" in cells:
        cells["exit_sequence"] = cells["exit_sequence"] or cells["sequence"]
        by = row["superseded_sequence"]
        cells["superseded_by"] = "" if by is None else trade_id(by, row["superseded_index"])
    return tuple(cells.values())


def _narrowed(query: Select[Any], wanted: Wanted, portfolio: Column[str], symbol: Column[str]) -> Select[Any]:
    query = query.where(portfolio == wanted.portfolio_id) if wanted.portfolio_id else query
    return query.where(symbol == wanted.symbol) if wanted.symbol else query


@contextmanager
def extract(database: str) -> Iterator[Extract]:
    """One snapshot of the ledger in ``database``. Raises CannotStart."""
    url = database_url(database)
    engine = inspector_engine(url)
    try:
        with engine.connect().execution_options(postgresql_readonly=True) as connection, connection.begin():
            check_current(connection, shown(url))
            yield Extract(connection)
    except DBAPIError as error:
        raise unusable(url, error) from error
    finally:
        engine.dispose()
