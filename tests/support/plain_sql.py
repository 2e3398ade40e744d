"""The database beside the server: what an operator's SQL sees, and what a database can do to a server.

Problem: tests of locks and of refused statements need a database that misbehaves, and a fake one would misbehave as we
imagine. Chosen: a second connection to the real one, which holds the lock that every batch needs, or makes the database
refuse rows by a trigger.
"""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

import psycopg
from sqlalchemy import make_url

Row = dict[str, Any]

_numbers = itertools.count(1)


class PlainSql:
    """A connection of its own to the database of a sidecar; ``database`` is what the sidecar was given."""

    def __init__(self, database: str) -> None:
        url = make_url(database) if "://" in database else None
        self._postgresql = url is not None and url.get_backend_name() == "postgresql"
        self._connection: Any
        if url is not None and self._postgresql:
            conninfo = url.set(drivername="postgresql").render_as_string(hide_password=False)
            self._connection = psycopg.connect(conninfo, autocommit=True)
        else:
            path = (url.database if url is not None else database) or ""
            self._connection = sqlite3.connect(path, isolation_level=None, timeout=10)
            self._connection.execute("PRAGMA wal_autocheckpoint=0")  # checkpoints are the server's alone

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def rows(self, query: str, *parameters: object) -> list[Row]:
        """What ``query`` finds; parameters are written as ``?``."""
        cursor = self._connection.execute(query.replace("?", "%s") if self._postgresql else query, parameters)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def columns(self, table: str) -> set[str]:
        """The columns of a table or a view."""
        cursor = self._connection.execute(f"SELECT * FROM {table} LIMIT 0")
        return {column[0] for column in cursor.description}

    def records(self) -> int:
        """How many records the journal holds."""
        return int(self.rows("SELECT count(*) AS n FROM journal")[0]["n"])

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold what every batch has to take before it can write; nothing is written."""
        if self._postgresql:
            self._connection.execute("BEGIN")
            self._connection.execute("SELECT last_sequence FROM ledger FOR UPDATE")
        else:
            self._connection.execute("BEGIN EXCLUSIVE")
        try:
            yield
        finally:
            self._connection.execute("ROLLBACK")

    @contextmanager
    def refusing(self, table: str, condition: str, sqlstate: str = "P0001") -> Iterator[None]:
        """Make the database refuse every row of ``table`` for which ``condition`` over NEW holds.

        ``sqlstate`` is what PostgreSQL says then; SQLite has one word for it, a constraint.
        """
        name = f"refuses_{next(_numbers)}"
        if self._postgresql:
            self._connection.execute(
                f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF {condition} THEN "
                f"RAISE EXCEPTION 'refused by {name}' USING ERRCODE = '{sqlstate}'; END IF; RETURN NEW; END $$"
            )
            each_row = f"FOR EACH ROW EXECUTE FUNCTION {name}()"
        else:
            each_row = f"WHEN {condition} BEGIN SELECT RAISE(ABORT, 'refused by {name}'); END"
        self._connection.execute(f"CREATE TRIGGER {name} BEFORE INSERT ON {table} {each_row}")
        try:
            yield
        finally:
            self._connection.execute(f"DROP TRIGGER {name}" + (f" ON {table}" if self._postgresql else ""))

    @contextmanager
    def refusing_commits(self) -> Iterator[None]:
        """Make PostgreSQL refuse the commit itself of whatever adds to the journal: every statement before it passes."""
        name = f"refuses_{next(_numbers)}"
        self._connection.execute(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION 'refused by {name}'; END $$"
        )
        self._connection.execute(
            f"CREATE CONSTRAINT TRIGGER {name} AFTER INSERT ON journal DEFERRABLE INITIALLY DEFERRED "
            f"FOR EACH ROW EXECUTE FUNCTION {name}()"
        )
        try:
            yield
        finally:
            self._connection.execute(f"DROP TRIGGER {name} ON journal")
