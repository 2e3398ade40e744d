"""Statements of the write path, compiled once by SQLAlchemy for the dialect and then run as they are.

Compiling and binding through Core for every row took half of a batch's time. Rows here are tuples in the order of the
statement's own parameters, and amounts are converted by ``amount_for``.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Dialect, Table, bindparam, insert, select, union_all, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql import ClauseElement

from lotkeeperd.storage import tables


class Statements:
    """The texts, for one dialect."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._lookups: dict[tuple[int, int], str] = {}
        ledger, entries = tables.ledger, tables.position_entries
        self.fence = self._text(
            update(ledger)
            .where(ledger.c.epoch == bindparam("mine"), ledger.c.last_sequence == bindparam("expected"))
            .values(last_sequence=bindparam("new")),
            ["new", "mine", "expected"],
        )
        self.journal = self._insert(tables.journal)
        self.entry = self._insert(entries)
        self.trade = self._insert(tables.completed_trades)
        self.portfolio = self._insert(tables.portfolios)
        self.book = self._upsert(tables.books)
        self.reduce = self._text(
            update(entries)
            .where(
                entries.c.portfolio_id == bindparam("p"),
                entries.c.entry_time == bindparam("t"),
                entries.c.sequence == bindparam("s"),
            )
            .values(remaining_quantity=bindparam("remaining"), open_fee=bindparam("fee"), status=bindparam("now")),
            ["remaining", "fee", "now", "p", "t", "s"],
        )

    def lookup(self, requests: int, fills: int) -> str:
        """Journal rows by so many request keys and so many fill keys, in this order."""
        key = (requests, fills)
        if key not in self._lookups:
            journal = tables.journal
            parts = [
                select(journal).where(column.in_([bindparam(f"{name}{n}") for n in range(count)]))
                for name, column, count in (("r", journal.c.request_key, requests), ("f", journal.c.fill_key, fills))
                if count
            ]
            names = [f"r{n}" for n in range(requests)] + [f"f{n}" for n in range(fills)]
            self._lookups[key] = self._text(union_all(*parts) if len(parts) > 1 else parts[0], names)
        return self._lookups[key]

    def _insert(self, table: Table) -> str:
        return self._text(insert(table), [column.name for column in table.columns])

    def _upsert(self, table: Table) -> str:
        add = (sqlite if self._dialect.name == "sqlite" else postgresql).insert(table)
        keys = [column.name for column in table.primary_key]
        rest = {column.name: add.excluded[column.name] for column in table.columns if column.name not in keys}
        return self._text(
            add.on_conflict_do_update(index_elements=keys, set_=rest), [column.name for column in table.columns]
        )

    def _text(self, statement: ClauseElement, order: list[str]) -> str:
        compiled: Any = statement.compile(dialect=self._dialect)
        if list(compiled.positiontup) != order:
            raise AssertionError(f"parameters in the order {compiled.positiontup}, expected {order}")
        return str(compiled)


def run(connection: Connection, statement: str, rows: list[tuple[Any, ...]]) -> None:
    """Execute once per row."""
    if len(rows) == 1:
        connection.exec_driver_sql(statement, rows[0])
    elif rows:
        connection.exec_driver_sql(statement, rows)
