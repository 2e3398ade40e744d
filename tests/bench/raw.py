"""The other baseline: plain ``sqlite3`` doing the same look-ups and rows in the same batches.

What the write path sends to the database is recorded at the driver, transaction by transaction, and run again on a copy of the
ledger as it was before: the same statements and parameters, the same settings, no Python between them but the driver's.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple, Self

from sqlalchemy import Engine, event

from lotkeeperd.storage.engines import _sqlite_writer


class Statement(NamedTuple):
    """One statement; ``many`` when it is run once per row of parameters."""

    text: str
    parameters: Any
    many: bool


Transaction = list[Statement]


class Recorder:
    """Notes what a SQLite engine runs while ``transactions`` is a list; COMMIT itself is left out."""

    def __init__(self, engine: Engine) -> None:
        self.transactions: list[Transaction] | None = None
        event.listen(engine, "do_connect", self._on_connect)

    def _on_connect(self, _dialect: object, _record: object, _arguments: object, keywords: dict[str, Any]) -> None:
        keywords["factory"] = self._connection

    def _connection(self, *arguments: Any, **keywords: Any) -> sqlite3.Connection:
        recorder = self

        class Cursor(sqlite3.Cursor):
            def execute(self, text: str, parameters: Any = ()) -> Self:
                recorder.note(Statement(text, parameters, many=False))
                return super().execute(text, parameters)

            def executemany(self, text: str, parameters: Any) -> Self:
                recorder.note(Statement(text, parameters, many=True))
                return super().executemany(text, parameters)

        class Connection(sqlite3.Connection):
            def cursor(self, factory: Any = Cursor) -> Any:
                return super().cursor(factory)

        return Connection(*arguments, **keywords)

    def note(self, statement: Statement) -> None:
        """Take a statement into the transaction that it belongs to."""
        if self.transactions is None:
            return
        if statement.text.startswith("BEGIN"):
            self.transactions.append([])
        self.transactions[-1].append(statement)


def replayed(database: Path, transactions: Sequence[Transaction], open_first: bool) -> list[float]:
    """Milliseconds of each transaction. ``open_first`` does what opening the ledger did: the fence looks for a new epoch."""
    with closing(sqlite3.connect(database, cached_statements=256)) as connection:
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
