"""What a correction restated, read from the closed trades: those it wrote, and those whose place they took."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Select, and_, or_, select

from lotkeeperd.domain.trades import ClosedTrade, Restatement
from lotkeeperd.storage.rows import trade_of_row
from lotkeeperd.storage.tables import completed_trades


def restated_query(portfolio_id: str, sequence: int, after: int, limit: int) -> Select[Any]:
    """Rows of the restatements of record ``sequence`` whose place in it is after ``after``, at most ``limit`` of them."""
    columns = completed_trades.c
    last = after + limit
    written = and_(columns.sequence == sequence, columns["index"] > after, columns["index"] <= last)
    superseded = and_(
        columns.superseded_sequence == sequence, columns.superseded_index > after, columns.superseded_index <= last
    )
    return select(completed_trades).where(columns.portfolio_id == portfolio_id, or_(written, superseded))


def restatements(rows: Sequence[Row[Any]], sequence: int) -> list[Restatement]:
    """The restatements of record ``sequence``, in order."""
    before: dict[int, ClosedTrade] = {}
    after: dict[int, ClosedTrade] = {}
    for row in rows:
        trade = trade_of_row(row)
        if trade.sequence == sequence:
            after[trade.trade_index] = trade
        if trade.superseded_by is not None and trade.superseded_by[0] == sequence:
            before[trade.superseded_by[1]] = trade
    found = []
    for place in sorted(before.keys() | after.keys()):
        was, now = before.get(place), after.get(place)
        told = now or was
        assert told is not None
        found.append(Restatement(told.portfolio_id, told.symbol, was, now))
    return found
