"""Reads of history on connections that never write. Every call is one snapshot of committed state."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from decimal import localcontext
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, select, tuple_
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from lotkeeperd.domain.decimals import EXACT, ZERO
from lotkeeperd.domain.refusals import StorageUnavailable
from lotkeeperd.domain.trades import ClosedTrade, Entry, EntryStatus, Totals, entry_as_opened
from lotkeeperd.service.ports import ALL_OF_IT, EntryFilter, Fact, FactFilter, FactPage, Position, TradeFilter
from lotkeeperd.storage.columns import labels_of
from lotkeeperd.storage.errors import refusal
from lotkeeperd.storage.identity import fill_key
from lotkeeperd.storage.rows import entry_of_row, opened_of, trade_of_row
from lotkeeperd.storage.tables import completed_trades, journal, position_entries

CHUNK = 1000
"""Rows fetched at once: between two of them others have their turn."""

BEFORE_ALL = (-1, -1)
"""An entry time and a sequence that are before every lot's."""


class SqlReader:
    """Satisfies ``service.ports.Reader``."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def close(self) -> None:
        """Close every read connection; on SQLite before the writer's, which then checkpoints."""
        await self._engine.dispose()

    @asynccontextmanager
    async def _snapshot(self) -> AsyncIterator[AsyncConnection]:
        try:
            async with self._engine.connect() as connection:
                yield connection
        except DBAPIError as error:
            raise refusal(error) from error
        except PoolTimeout as error:
            raise StorageUnavailable("every read connection is busy") from error

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

    async def totals(self, wanted: TradeFilter, until: int) -> Totals:
        """Sums over everything that ``wanted`` selects; added up here, since SQL's SUM is floating point on SQLite."""
        gross = fees = ZERO
        async with self._snapshot() as connection:
            query = await self._selected(connection, wanted, until)
            if query is None:
                return Totals()
            columns = completed_trades.c
            sums = query.with_only_columns(columns.gross_pnl, columns.entry_fee, columns.exit_fee, columns.labels)
            async for row in _rows(connection, sums):
                if _has_labels(row, wanted.labels):
                    with localcontext(EXACT):
                        gross, fees = gross + row.gross_pnl, fees + row.entry_fee + row.exit_fee
        return Totals(gross, fees)

    async def _selected(self, connection: AsyncConnection, wanted: TradeFilter, until: int) -> Select[Any] | None:
        columns = completed_trades.c
        query = select(completed_trades).where(columns.portfolio_id == wanted.portfolio_id, columns.sequence <= until)
        if wanted.symbol:
            query = query.where(columns.symbol == wanted.symbol)
        if wanted.start is not None:
            query = query.where(columns.exit_time >= wanted.start)
        if wanted.end is not None:
            query = query.where(columns.exit_time < wanted.end)
        if wanted.sequence is not None:
            query = query.where(columns.sequence == wanted.sequence)
        if wanted.group_id:
            query = query.where(columns.group_id == wanted.group_id)
        if wanted.exit_fill_id:
            sequences = await self._sequences_of_fill(connection, wanted.portfolio_id, wanted.exit_fill_id)
            if not sequences:
                return None
            query = query.where(columns.sequence.in_(sequences), columns.exit_fill_id == wanted.exit_fill_id)
        return query

    async def _sequences_of_fill(self, connection: AsyncConnection, portfolio_id: str, fill_id: str) -> Sequence[int]:
        query = select(journal.c.sequence).where(
            journal.c.fill_key == fill_key(portfolio_id, fill_id), journal.c.fill_id == fill_id
        )
        return (await connection.execute(query)).scalars().all()

    async def facts(self, wanted: FactFilter, after: Position, until: int, limit: int) -> FactPage:
        """Facts after a position, of journal records up to ``until``."""
        sequence, index = after
        async with self._snapshot() as connection:
            query = select(journal).where(journal.c.sequence >= sequence, journal.c.sequence <= until)
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

    async def _facts_of(
        self, connection: AsyncConnection, row: Row[Any], after: Position, limit: int
    ) -> list[tuple[Position, Fact]]:
        """Closed trades of one record after a position, then the entry it opened."""
        facts: list[tuple[Position, Fact]] = []
        columns = completed_trades.c
        if row.trade_count > after[1] + 1:
            query = (
                select(completed_trades)
                .where(columns.portfolio_id == row.portfolio_id, columns.sequence == row.sequence)
                .where(columns["index"] > after[1])
                .order_by(columns["index"])
                .limit(limit)
            )
            facts += [((row.sequence, t.trade_index), t) for t in map(trade_of_row, await connection.execute(query))]
        if len(facts) < limit and row.trade_count > after[1]:
            opened = opened_of(row)
            if opened is not None:
                facts.append(((row.sequence, row.trade_count), entry_as_opened(row.portfolio_id, row.symbol, opened)))
        return facts


def _status(statuses: frozenset[EntryStatus]) -> ColumnElement[bool]:
    """Open ones are found by the partial index, whose condition has to stand in the query as it does there."""
    column = position_entries.c.status
    is_open = column != EntryStatus.CLOSED.value
    if not statuses or statuses == frozenset({EntryStatus.OPEN, EntryStatus.PARTIALLY_CLOSED}):
        return is_open
    named = column.in_(sorted(status.value for status in statuses))
    return named if EntryStatus.CLOSED in statuses else and_(is_open, named)


async def _rows(connection: AsyncConnection, query: Select[*tuple[Any, ...]]) -> AsyncGenerator[Row[Any]]:
    result = await connection.stream(query, execution_options={"yield_per": CHUNK})
    try:
        async for part in result.partitions(CHUNK):
            for row in part:
                yield row
    finally:
        await result.close()


def _has_labels(row: Row[Any], labels: tuple[tuple[str, str], ...]) -> bool:
    return not labels or set(labels) <= set(labels_of(row.labels))
