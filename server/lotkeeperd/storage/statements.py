"""Statements of the write path, compiled once by SQLAlchemy for the dialect and then run on the driver's cursor.

Compiling and binding through Core for every row took half of a batch's time, and executing a finished text through it still
half of a lone command's. Rows here are tuples in the order of the statement's parameters, with amounts converted by
``amount_for``. And the driver gives up the interpreter lock at every statement it steps through: a batch of 64 rows one by one
met a busy event loop 200 times, and waited for it each time, up to 100 ms in all. Therefore rows go in many at a time, in runs
of few different lengths, so that every text stays prepared.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

from sqlalchemy import Dialect, Table, bindparam, delete, insert, select, union_all, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.sql import ClauseElement

from lotkeeperd.storage import tables
from lotkeeperd.storage.rows import READ

RUN = 64
"""Rows in one statement at most: with 26 columns 1,664 parameters, far below what either database takes."""

SHORT_RUN = 24
STEP = 8
"""Runs up to ``SHORT_RUN`` have a text for each length, longer ones for each multiple of ``STEP``."""


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
        self.entry = self._upsert(entries, ("remaining_quantity", "open_fee", "status", "cost_basis"))
        self.whole_entry = self._upsert(entries)
        self.trade = self._insert(tables.completed_trades)
        self.portfolio = self._upsert(tables.portfolios)
        self.instrument = self._upsert(tables.instruments)
        self.balance = self._upsert(tables.balances)
        self.book = self._upsert(tables.books)
        self.standing = self._upsert(tables.discrepancies)
        key = entries.c.portfolio_id, entries.c.entry_time, entries.c.sequence
        self.forget_entry = self._text(
            delete(entries).where(*(column == bindparam(f"of_{column.name}") for column in key)),
            [f"of_{column.name}" for column in key],
        )
        trades = tables.completed_trades
        place = trades.c.portfolio_id, trades.c.sequence, trades.c["index"]
        self.supersede = self._text(
            update(trades)
            .where(*(column == bindparam(f"of_{column.name}") for column in place))
            .values(superseded_sequence=bindparam("by"), superseded_index=bindparam("at")),
            ["by", "at", *(f"of_{column.name}" for column in place)],
        )

    def lookup(self, requests: int, fills: int) -> str:
        """Journal rows by so many request keys and so many fill keys, in this order."""
        key = (requests, fills)
        if key not in self._lookups:
            journal = tables.journal
            parts = [
                select(*READ).where(column.in_([bindparam(f"{name}{n}") for n in range(count)]))
                for name, column, count in (("r", journal.c.request_key, requests), ("f", journal.c.fill_key, fills))
                if count
            ]
            names = [f"r{n}" for n in range(requests)] + [f"f{n}" for n in range(fills)]
            self._lookups[key] = self._text(union_all(*parts) if len(parts) > 1 else parts[0], names)
        return self._lookups[key]

    def _insert(self, table: Table) -> Rows:
        """New rows."""
        names = [column.name for column in table.columns]
        return Rows(self._text(insert(table).values({name: bindparam(name) for name in names}), names))

    def _upsert(self, table: Table, changing: Sequence[str] = ()) -> Rows:
        """Rows that are new, or change in ``changing``; in all but their key when that is empty."""
        add = (sqlite if self._dialect.name == "sqlite" else postgresql).insert(table)
        keys = [column.name for column in table.primary_key]
        names = changing or [column.name for column in table.columns if column.name not in keys]
        upsert = add.on_conflict_do_update(index_elements=keys, set_={name: add.excluded[name] for name in names})
        return Rows(self._text(upsert, [column.name for column in table.columns]))

    def _text(self, statement: ClauseElement, order: list[str]) -> str:
        compiled: Any = statement.compile(dialect=self._dialect)
        if list(compiled.positiontup) != order:
            raise AssertionError(f"parameters in the order {compiled.positiontup}, expected {order}")
        return str(compiled)


class Rows:
    """A statement that takes one row or many: ``INSERT INTO table (...) VALUES (?, ?), (?, ?)``."""

    def __init__(self, text: str) -> None:
        self._head, _, rest = text.partition(" VALUES ")
        row, self._end, self._tail = rest.partition(")")
        self._row = row + self._end
        self._texts: dict[int, str] = {}

    def run(self, cursor: DBAPICursor, rows: Sequence[tuple[Any, ...]]) -> None:
        """Write ``rows`` in as few statements as their number allows."""
        start = 0
        while start < len(rows):
            count = _run_of(len(rows) - start)
            cursor.execute(self._text(count), tuple(chain.from_iterable(rows[start : start + count])))
            start += count

    def _text(self, count: int) -> str:
        if count not in self._texts:
            self._texts[count] = f"{self._head} VALUES {', '.join([self._row] * count)}{self._tail}"
        return self._texts[count]


def _run_of(rows: int) -> int:
    """How many of ``rows`` go into the next statement: all of a short run, otherwise a multiple of ``STEP``."""
    return rows if rows <= SHORT_RUN else min(RUN, rows - rows % STEP)
