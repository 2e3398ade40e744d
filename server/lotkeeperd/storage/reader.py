"""Reads of history on connections that never write. Every call is one snapshot of committed state."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from decimal import localcontext
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, or_, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from lotkeeperd.domain.decimals import EXACT
from lotkeeperd.domain.trades import ClosedTrade, Entry, EntryStatus, Totals, entry_as_opened
from lotkeeperd.service.ports import (
    ALL_OF_IT,
    EntryFilter,
    EventFilter,
    Fact,
    FactFilter,
    FactPage,
    GroupEntry,
    GroupTrade,
    JournalRecord,
    Position,
    TradeFilter,
)
from lotkeeperd.storage.columns import labels_of
from lotkeeperd.storage.grouped import group_queries, in_groups
from lotkeeperd.storage.identity import fill_key
from lotkeeperd.storage.records import AMENDMENTS, EVENTS, TRADING, is_told, record_of
from lotkeeperd.storage.report_reader import ReportReader
from lotkeeperd.storage.restated import restated_query, restatements
from lotkeeperd.storage.rows import READ, entry_of_row, opened_of, trade_of_row
from lotkeeperd.storage.tables import EXECUTIONS, completed_trades, journal, position_entries

CHUNK = 1000
"""Rows fetched at once: between two of them others have their turn."""

BEFORE_ALL = (-1, -1)
"""An entry time and a sequence that are before every lot's."""


class SqlReader(ReportReader):
    """Satisfies ``service.ports.AllReads``."""

    async def entries(self, wanted: EntryFilter, after: tuple[int, int] | None, limit: int) -> list[Entry]:
        """Lots in FIFO order after (entry time, sequence)."""
        columns = position_entries.c
        order = (columns.entry_time, columns.sequence)
        query = (
            select(position_entries).where(columns.portfolio_id == wanted.portfolio_id).order_by(*order).limit(limit)
        )
        if wanted.symbol:
            query = query.where(columns.symbol == wanted.symbol)
        query = query.where(_status(wanted.statuses)) if wanted.statuses != frozenset(EntryStatus) else query
        # Also the first page has a bound: without one SQLite walks the portfolio's whole history to find the open ones.
        query = query.where(tuple_(*order) > (after or BEFORE_ALL))
        async with self._snapshot() as connection:
            return [entry_of_row(row) for row in await connection.execute(query)]

    async def trades(self, wanted: TradeFilter, after: Position | None, until: int, limit: int) -> list[ClosedTrade]:
        """Closed trades in order after a position, of journal records up to ``until``."""
        columns = completed_trades.c
        order = (columns.sequence, columns["index"])
        found: list[ClosedTrade] = []
        async with self._snapshot() as connection:
            query = await self._selected(connection, wanted, until)
            if query is None:
                return []
            query = query.order_by(*order)
            if after is not None:
                query = query.where(tuple_(*order) > after)
            query = query if wanted.labels else query.limit(limit)
            async with aclosing(_rows(connection, query)) as rows:
                async for row in rows:
                    if _has_labels(row, wanted.labels):
                        found.append(trade_of_row(row))
                    if len(found) == limit:
                        break
        return found

    async def totals(self, wanted: TradeFilter, until: int) -> list[Totals]:
        """Sums over everything that ``wanted`` selects; added up here, since SQL's SUM is floating point on SQLite."""
        sums: dict[str, Totals] = {}
        async with self._snapshot() as connection:
            query = await self._selected(connection, wanted, until)
            if query is None:
                return []
            columns = completed_trades.c
            query = query.where(or_(columns.superseded_sequence.is_(None), columns.superseded_sequence > until))
            read = (columns.currency, columns.gross_pnl, columns.entry_fee, columns.exit_fee, columns.labels)
            async for row in _rows(connection, query.with_only_columns(*read)):
                if _has_labels(row, wanted.labels):
                    with localcontext(EXACT):
                        sums[row.currency] = _plus(sums.get(row.currency) or Totals(row.currency), row)
        return [sums[currency] for currency in sorted(sums)]

    async def _selected(self, connection: AsyncConnection, wanted: TradeFilter, until: int) -> Select[Any] | None:
        columns = completed_trades.c
        query = select(completed_trades).where(columns.portfolio_id == wanted.portfolio_id, columns.sequence <= until)
        if not wanted.include_superseded:
            query = query.where(or_(columns.superseded_sequence.is_(None), columns.superseded_sequence > until))
        if wanted.symbol:
            query = query.where(columns.symbol == wanted.symbol)
        if wanted.start is not None:
            query = query.where(columns.exit_time >= wanted.start)
        if wanted.end is not None:
            query = query.where(columns.exit_time < wanted.end)
        if wanted.sequence is not None:
            query = query.where(columns.sequence == wanted.sequence)
        if wanted.group_id:
            query = query.where(in_groups(completed_trades, wanted.portfolio_id, [wanted.group_id]))
        if wanted.exit_fill_id:
            sequences = await self._sequences_of_fill(connection, wanted.portfolio_id, wanted.exit_fill_id)
            if not sequences:
                return None
            closed_by = or_(columns.sequence.in_(sequences), columns.exit_sequence.in_(sequences))
            query = query.where(closed_by, columns.exit_fill_id == wanted.exit_fill_id)
        return query

    async def _sequences_of_fill(self, connection: AsyncConnection, portfolio_id: str, fill_id: str) -> Sequence[int]:
        query = select(journal.c.sequence).where(
            journal.c.fill_key == fill_key(portfolio_id, fill_id), journal.c.fill_id == fill_id
        )
        return (await connection.execute(query)).scalars().all()

    async def events(self, wanted: EventFilter, after: int, until: int, limit: int) -> list[JournalRecord]:
        """Events after a sequence, of journal records up to ``until``; found by the index of what is no execution."""
        columns = journal.c
        query = (
            select(*READ)
            .where(columns.portfolio_id == wanted.portfolio_id, columns.sequence > after, columns.sequence <= until)
            .where(text(f"NOT {EXECUTIONS}"), columns.method.in_(sorted(EVENTS)))
            .order_by(columns.sequence)
        )
        query = query.where(columns.symbol == wanted.symbol) if wanted.symbol else query
        found: list[JournalRecord] = []
        async with self._snapshot() as connection, aclosing(_rows(connection, query)) as rows:
            async for row in rows:
                record = record_of(row)
                if is_told(record, wanted.start, wanted.end):
                    found.append(record)
                if len(found) == limit:
                    break
        return found

    async def facts(self, wanted: FactFilter, after: Position, until: int, limit: int) -> FactPage:
        """Facts after a position, of journal records up to ``until``."""
        sequence, index = after
        async with self._snapshot() as connection:
            query = select(*READ).where(journal.c.sequence >= sequence, journal.c.sequence <= until)
            query = query.where(journal.c.sequence > sequence) if index == ALL_OF_IT else query
            for column, names in ((journal.c.portfolio_id, wanted.portfolios), (journal.c.symbol, wanted.symbols)):
                query = query if names is None else query.where(column.in_(sorted(names)))
            rows = (await connection.execute(query.order_by(journal.c.sequence).limit(limit))).all()
            facts: list[tuple[Position, Fact]] = []
            for row in rows:
                at = after if row.sequence == sequence else (row.sequence, -1)
                facts += await self._facts_of(connection, row, at, limit - len(facts))
                if len(facts) >= limit:
                    return FactPage(facts, facts[-1][0])
        return FactPage(facts, (rows[-1].sequence if len(rows) == limit else until, ALL_OF_IT))

    async def groups(
        self, portfolio_id: str, group_ids: Sequence[str], until: int
    ) -> AsyncGenerator[Sequence[GroupEntry | GroupTrade]]:
        """Everything that records up to ``until`` say of these groups, of one snapshot, in parts."""
        async with self._snapshot() as connection:
            for query, read in group_queries(portfolio_id, group_ids, until):
                async with aclosing(_parts(connection, query)) as parts:
                    async for part in parts:
                        yield [read(row) for row in part]

    async def _facts_of(
        self, connection: AsyncConnection, row: Row[Any], after: Position, limit: int
    ) -> list[tuple[Position, Fact]]:
        """What one record closed or restated after a position, then the entry it opened."""
        if row.method not in TRADING:
            return []
        facts: list[tuple[Position, Fact]] = []
        rematched = '"rematch":' in row.decided
        if row.trade_count > after[1] + 1:
            read = self._restated if rematched else self._trades
            facts += await read(connection, row, after[1], limit)
        if len(facts) < limit and row.trade_count > after[1] and row.method not in AMENDMENTS:
            opened = opened_of(row)
            if opened is not None:
                facts.append(((row.sequence, row.trade_count), entry_as_opened(row.portfolio_id, row.symbol, opened)))
        return facts

    async def _trades(
        self, connection: AsyncConnection, row: Row[Any], after: int, limit: int
    ) -> list[tuple[Position, Fact]]:
        columns = completed_trades.c
        query = (
            select(completed_trades)
            .where(columns.portfolio_id == row.portfolio_id, columns.sequence == row.sequence)
            .where(columns["index"] > after)
            .order_by(columns["index"])
            .limit(limit)
        )
        return [((row.sequence, t.trade_index), t) for t in map(trade_of_row, await connection.execute(query))]

    async def _restated(
        self, connection: AsyncConnection, row: Row[Any], after: int, limit: int
    ) -> list[tuple[Position, Fact]]:
        query = restated_query(row.portfolio_id, row.sequence, after, limit)
        found = restatements((await connection.execute(query)).all(), row.sequence)
        return [((row.sequence, place), told) for place, told in enumerate(found, after + 1)]


def _plus(totals: Totals, row: Row[Any]) -> Totals:
    fees = totals.realized_fees + row.entry_fee + row.exit_fee
    return Totals(totals.currency, totals.gross_realized + row.gross_pnl, fees)


def _status(statuses: frozenset[EntryStatus]) -> ColumnElement[bool]:
    """Open ones are found by the partial index, whose condition has to stand in the query as it does there."""
    column = position_entries.c.status
    is_open = and_(column != EntryStatus.CLOSED.value, column != EntryStatus.SUPERSEDED.value)
    if not statuses or statuses == frozenset({EntryStatus.OPEN, EntryStatus.PARTIALLY_CLOSED}):
        return is_open
    named = column.in_(sorted(status.value for status in statuses))
    if EntryStatus.CLOSED in statuses:
        return named
    return and_(column != EntryStatus.CLOSED.value, named)


async def _rows(connection: AsyncConnection, query: Select[*tuple[Any, ...]]) -> AsyncGenerator[Row[Any]]:
    async with aclosing(_parts(connection, query)) as parts:
        async for part in parts:
            for row in part:
                yield row


async def _parts(connection: AsyncConnection, query: Select[*tuple[Any, ...]]) -> AsyncGenerator[Sequence[Row[Any]]]:
    result = await connection.stream(query, execution_options={"yield_per": CHUNK})
    try:
        async for part in result.partitions(CHUNK):
            yield part
    finally:
        await result.close()


def _has_labels(row: Row[Any], labels: tuple[tuple[str, str], ...]) -> bool:
    return not labels or set(labels) <= set(labels_of(row.labels))
