"""The journal itself, read by who folds it again: in pages, each decoded in a worker thread and not in the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import Row, and_, or_, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from lotkeeperd.domain.commands import Method, entry_id
from lotkeeperd.domain.refusals import StorageUnavailable
from lotkeeperd.domain.trades import ClosedTrade
from lotkeeperd.service.ports import JournalRecord, RecordFilter
from lotkeeperd.storage.errors import refusal
from lotkeeperd.storage.records import DEFINE_INSTRUMENT, record_of
from lotkeeperd.storage.rows import READ, trade_of_row
from lotkeeperd.storage.tables import EXECUTIONS, completed_trades, journal

OF_INSTRUMENTS = ""
"""The portfolio of records that define instruments: they belong to all. What reconciliation records has none either."""

DEFINES = and_(journal.c.portfolio_id == OF_INSTRUMENTS, journal.c.method == DEFINE_INSTRUMENT)

CARRYING = (Method.SPLIT.value, Method.SYMBOL_CHANGE.value)


class JournalReader:
    """Reads committed records on connections that never write; each call is one snapshot."""

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

    async def records(self, wanted: RecordFilter, after: int, until: int, limit: int) -> list[JournalRecord]:
        """Journal records after a sequence and up to ``until``, in order; read and decoded beside the event loop."""
        columns = journal.c
        query = (
            select(*READ)
            .where(columns.sequence > after, columns.sequence <= until)
            .where(or_(columns.portfolio_id == wanted.portfolio_id, DEFINES))
            .order_by(columns.sequence)
            .limit(limit)
        )
        if wanted.symbols:
            query = query.where(columns.symbol.in_(sorted(wanted.symbols)))
        if wanted.sequences:
            query = query.where(columns.sequence.in_(sorted(wanted.sequences)))
        if wanted.carrying:  # by the index of what is no execution, whose condition has to stand here as it does there
            query = query.where(text(f"NOT {EXECUTIONS}"), columns.method.in_(CARRYING))
        async with self._snapshot() as connection:
            rows = (await connection.execute(query)).all()
        return await asyncio.to_thread(_decoded, rows)

    async def written_by(self, time: int, until: int) -> int:
        """The newest sequence up to ``until`` that was recorded at or before ``time``; 0 when there is none.

        Searched from the end, because a clock that was set back makes times that do not follow the sequence.
        """
        columns = journal.c
        query = (
            select(columns.sequence)
            .where(columns.sequence <= until, columns.recorded_time <= time)
            .order_by(columns.sequence.desc())
            .limit(1)
        )
        async with self._snapshot() as connection:
            return (await connection.execute(query)).scalar() or 0

    async def versions(self, portfolio_id: str, entry_sequence: int, exit_sequence: int) -> list[ClosedTrade]:
        """Every closed trade of two executions, those that were superseded too, in the order they were written."""
        columns = completed_trades.c
        closed_by = or_(columns.sequence == exit_sequence, columns.exit_sequence == exit_sequence)
        query = (
            select(completed_trades)
            .where(columns.portfolio_id == portfolio_id, columns.entry_id == entry_id(entry_sequence), closed_by)
            .where(columns.sequence >= exit_sequence)
            .order_by(columns.sequence, columns["index"])
        )
        async with self._snapshot() as connection:
            return [trade_of_row(row) for row in await connection.execute(query)]


def _decoded(rows: Sequence[Row[Any]]) -> list[JournalRecord]:
    return [record_of(row) for row in rows]
