"""Reads of what reconciliation recorded: reports from the journal, differences from their table."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Select, and_, or_, select, text, tuple_

from lotkeeperd.domain.reconciliation.records import Reported, Standing
from lotkeeperd.service.reconciliation import ReportFilter, StandingFilter
from lotkeeperd.storage.journal_reader import OF_INSTRUMENTS, JournalReader
from lotkeeperd.storage.reconciliation_rows import RECONCILE, standing_of
from lotkeeperd.storage.records import record_of
from lotkeeperd.storage.rows import READ
from lotkeeperd.storage.tables import EXECUTIONS, discrepancies, journal

PAGE = 20
"""Reports read at once: each may hold a statement of ten thousand rows."""


class ReportReader(JournalReader):
    """Satisfies ``service.ports.Reports``; each call is one snapshot."""

    async def reports(self, wanted: ReportFilter, before: int | None, limit: int) -> list[Reported]:
        """Reports before a sequence, newest first; decoded beside the event loop."""
        found: list[Reported] = []
        size = min(PAGE, limit)
        async with self._snapshot() as connection:
            while len(found) < limit:
                rows = (await connection.execute(_reports(wanted, before).limit(size))).all()
                page = await asyncio.to_thread(_decoded, rows)
                found += [report for report in page if _is_wanted(report, wanted)]
                if len(rows) < size:
                    break
                before = rows[-1].sequence
        return found[:limit]

    async def report(self, sequence: int) -> Reported | None:
        """The report at one sequence; None when another record stands there, or none."""
        query = select(*READ).where(journal.c.sequence == sequence, journal.c.method == RECONCILE)
        async with self._snapshot() as connection:
            rows = (await connection.execute(query)).all()
        return next(iter(await asyncio.to_thread(_decoded, rows)), None)

    async def standings(self, wanted: StandingFilter, after: tuple[int, int, int] | None, limit: int) -> list[Standing]:
        """Differences after (-severity, first report, place), worst first, then oldest."""
        columns = discrepancies.c
        order = (-columns.severity, columns.first_report, columns.place)
        query = select(columns.body).where(
            columns.state.in_(sorted(state.value for state in wanted.states)), columns.severity >= wanted.least.value
        )
        if wanted.portfolio_id:
            shares = columns.portfolios.contains(_quoted(wanted.portfolio_id), autoescape=True)
            nobodys = and_(columns.portfolio_id == "", shares)
            query = query.where(or_(columns.portfolio_id == wanted.portfolio_id, nobodys))
        query = query.where(columns.account == wanted.account) if wanted.account else query
        query = query.where(columns.symbol == wanted.symbol) if wanted.symbol else query
        query = query if after is None else query.where(tuple_(*order) > after)
        async with self._snapshot() as connection:
            bodies = (await connection.execute(query.order_by(*order).limit(limit))).scalars().all()
        return await asyncio.to_thread(lambda: [standing_of(body) for body in bodies])


def _reports(wanted: ReportFilter, before: int | None) -> Select[Any]:
    """By the index of what is no execution, whose condition has to stand here as it does there.

    Reports that do not have the words are not decoded: of a hundred accounts on a schedule, ninety-nine in a hundred are of others.
    """
    columns = journal.c
    query = select(*READ).where(columns.portfolio_id == OF_INSTRUMENTS, text(f"NOT {EXECUTIONS}"))
    query = query.where(columns.method == RECONCILE).order_by(columns.sequence.desc())
    if wanted.account:  # as it is written; the others need not be decoded, they hold whole statements
        query = query.where(columns.asked.contains(f'"account":{{"name":{_quoted(wanted.account)}', autoescape=True))
    if wanted.portfolio_id:
        query = query.where(columns.asked.contains(_quoted(wanted.portfolio_id), autoescape=True))
    query = query if before is None else query.where(columns.sequence < before)
    query = query if wanted.start is None else query.where(columns.recorded_time >= wanted.start)
    return query if wanted.end is None else query.where(columns.recorded_time < wanted.end)


def _quoted(text_: str) -> str:
    return json.dumps(text_, ensure_ascii=False)


def _decoded(rows: Sequence[Row[Any]]) -> list[Reported]:
    return [record for record in map(record_of, rows) if isinstance(record, Reported)]


def _is_wanted(report: Reported, wanted: ReportFilter) -> bool:
    command = report.command
    return wanted.account in ("", command.account.name) and (
        not wanted.portfolio_id or wanted.portfolio_id in command.portfolio_ids
    )
