"""The other baseline: plain ``sqlite3`` doing the same look-ups and rows in the same batches.

What the write path sends to the database is recorded, transaction by transaction, and run again on a copy of the ledger as it
was before: the same statements and parameters, the same settings, no Python between them but the driver's.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import event

from lotkeeperd.storage.engines import _sqlite_writer
from lotkeeperd.storage.store import SqlStore


class Statement(NamedTuple):
    """One statement; ``many`` when it is run once per row of parameters."""

    text: str
    parameters: Any
    many: bool


Transaction = list[Statement]


@contextmanager
def recorded(store: SqlStore) -> Iterator[list[Transaction]]:
    """Every transaction that ``store`` commits meanwhile; ``COMMIT`` itself is left out."""
    transactions: list[Transaction] = []

    def on_statement(_1: Any, _2: Any, text: str, parameters: Any, _3: Any, many: bool) -> None:
        if text.startswith("BEGIN"):
            transactions.append([])
        transactions[-1].append(Statement(text, parameters, many))

    event.listen(store._engine, "before_cursor_execute", on_statement)
    try:
        yield transactions
    finally:
        event.remove(store._engine, "before_cursor_execute", on_statement)


def replayed(database: Path, transactions: Sequence[Transaction], open_first: bool) -> list[float]:
    """Milliseconds of each transaction. ``open_first`` does what opening the ledger did: the fence looks for a new epoch."""
    with closing(sqlite3.connect(database)) as connection:
        _sqlite_writer(connection, None)
        if open_first:
            connection.execute("UPDATE ledger SET epoch = epoch + 1")
            connection.commit()
        return [_run(connection, transaction) for transaction in transactions]


def _run(connection: sqlite3.Connection, transaction: Iterable[Statement]) -> float:
    started = time.perf_counter()
    for statement in transaction:
        cursor = connection.cursor()
        if statement.many:
            cursor.executemany(statement.text, statement.parameters)
        else:
            cursor.execute(statement.text, statement.parameters).fetchall()
    connection.commit()
    return (time.perf_counter() - started) * 1e3
