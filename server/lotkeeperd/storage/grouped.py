"""What entries and closed trades say of the groups they belong to.

Both tables have a partial index by group. Seen on SQLite: it uses one only where its condition stands in the query as it does there
and not as a parameter, and even then it rather walks the portfolio's whole history along the primary key, unless the index
has every column that it looks for. So the keys are found first, in the index alone, and the rows by their keys.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Row,
    Select,
    Table,
    Text,
    and_,
    cast,
    func,
    literal_column,
    or_,
    select,
    tuple_,
)

from lotkeeperd.domain.book import Direction
from lotkeeperd.domain.decimals import EXACT, ZERO
from lotkeeperd.domain.trades import EntryStatus
from lotkeeperd.service.ports import GroupEntry, GroupTrade
from lotkeeperd.storage.tables import completed_trades, position_entries

NO_GROUP: ColumnElement[str] = literal_column("''", Text)
"""What stands where there is no group, written as the indexes have it."""

Read = Callable[[Row[Any]], GroupEntry | GroupTrade]


def in_groups(table: Table, portfolio_id: str, group_ids: Sequence[str]) -> ColumnElement[bool]:
    """Rows of these groups, by way of the index by group."""
    inner = table.alias()
    keys = [inner.c[column.name] for column in table.primary_key]
    found = select(*keys).where(
        inner.c.portfolio_id == portfolio_id, inner.c.group_id != NO_GROUP, inner.c.group_id.in_(group_ids)
    )
    return tuple_(*table.primary_key).in_(found)


def group_queries(portfolio_id: str, group_ids: Sequence[str], until: int) -> tuple[tuple[Select[Any], Read], ...]:
    """The entries, then the closed trades, of records up to ``until``; each query with what reads its rows."""
    return (
        (_entries(portfolio_id, group_ids, until), _entry),
        (_trades(portfolio_id, group_ids, until), _trade),
    )


def _entries(portfolio_id: str, group_ids: Sequence[str], until: int) -> Select[Any]:
    entry = position_entries.c
    read = (entry.group_id, entry.symbol, entry.side, entry.quantity, entry.entry_price, entry.status, entry.sequence)
    return select(*read).where(in_groups(position_entries, portfolio_id, group_ids), entry.sequence <= until)


def _entry(row: Row[Any]) -> GroupEntry:
    quantity = ZERO if row.status == EntryStatus.SUPERSEDED.value else row.quantity
    return GroupEntry(row.group_id, row.symbol, Direction[row.side], quantity, row.entry_price, row.sequence)


def _trades(portfolio_id: str, group_ids: Sequence[str], until: int) -> Select[Any]:
    """Each with the symbol that its entry has now: a change of symbol does not split a leg."""
    trade, entry = completed_trades.c, position_entries.c
    its_entry = and_(
        entry.portfolio_id == trade.portfolio_id,
        entry.entry_time == trade.entry_time,
        entry.sequence == cast(func.substr(trade.entry_id, 2), BigInteger),
    )
    symbol = func.coalesce(entry.symbol, trade.symbol).label("symbol")
    read = (trade.group_id, symbol, trade.side, trade.currency, trade.gross_pnl, trade.entry_fee, trade.exit_fee)
    of_groups = in_groups(completed_trades, portfolio_id, group_ids)
    counts = or_(trade.superseded_sequence.is_(None), trade.superseded_sequence > until)
    joined = completed_trades.outerjoin(position_entries, its_entry)
    return select(*read, trade.sequence).select_from(joined).where(of_groups, trade.sequence <= until, counts)


def _trade(row: Row[Any]) -> GroupTrade:
    fees = EXACT.add(row.entry_fee, row.exit_fee)
    return GroupTrade(row.group_id, row.symbol, Direction[row.side], row.currency, row.gross_pnl, fees, row.sequence)
