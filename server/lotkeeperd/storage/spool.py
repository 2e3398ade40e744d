"""Rows on their way from a file into the ledger, in a temporary database: sorted and counted without being held in memory.

Problem: exports run from newest to oldest as often as not, or not in order at all, while lots are matched in the order of time; and
of rows without an id the second of two equal ones has to be told from the first. Both need all rows. Seen: a dict of a
million keys takes 150 MB. Chosen: a private database of SQLite on disk, which sorts by its key, goes away with the process
whatever becomes of it, and may be read again when the ledger's transaction has to be.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Self

from lotkeeperd.storage.engines import CannotStart

CACHE_KIB = 8_192
"""Of it that is held in memory."""

ROWS = 1_000
"""Rows that are written at once."""


class Spool:
    """Rows as texts with their times. Use as a context manager. Every method raises CannotStart when there is no room."""

    def __init__(self) -> None:
        """Nothing is written yet."""
        self._database = sqlite3.connect("", isolation_level=None)
        self._waiting: list[tuple[int, int, str]] = []
        self._count = 0
        self._latest = 0
        self._ascents = 0
        for statement in (
            f"PRAGMA cache_size=-{CACHE_KIB}",
            "PRAGMA journal_mode=OFF",
            "PRAGMA synchronous=OFF",
            "PRAGMA temp_store=FILE",
            "CREATE TABLE rows (time INTEGER, number INTEGER, row TEXT, PRIMARY KEY (time, number)) WITHOUT ROWID",
            "CREATE TABLE seen (what BLOB PRIMARY KEY, times INTEGER) WITHOUT ROWID",
            "BEGIN",
        ):
            self._database.execute(statement)

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Everything is gone."""
        self._database.close()

    def occurrence(self, what: bytes) -> int:
        """How often this was asked of ``what``, now included."""
        query = "INSERT INTO seen VALUES (?, 1) ON CONFLICT DO UPDATE SET times = times + 1 RETURNING times"
        try:
            return int(self._database.execute(query, (what,)).fetchone()[0])
        except sqlite3.Error as error:
            raise _no_room(error) from error

    def add(self, time: int, row: str) -> None:
        """Take a row; ``time`` sorts it, and rows of one time stay in the order they came."""
        if self._count:
            self._ascents += (time > self._latest) - (time < self._latest)
        self._latest = time
        self._count += 1
        self._waiting.append((time, self._count, row))
        if len(self._waiting) >= ROWS:
            self._write()

    def _write(self) -> None:
        try:
            self._database.executemany("INSERT INTO rows VALUES (?, ?, ?)", self._waiting)
        except sqlite3.Error as error:
            raise _no_room(error) from error
        self._waiting.clear()

    def __len__(self) -> int:
        """How many rows there are."""
        return self._count

    @property
    def newest_first(self) -> bool:
        """Whether the rows came from newest to oldest, by and large."""
        return self._ascents < 0

    def rows(self, by_time: bool) -> Iterator[str]:
        """All rows, by time or as they came; where they came newest first, the last of one time is the first."""
        self._write()
        order = f"time, number {'DESC' if self.newest_first else ''}" if by_time else "number"
        try:
            for (row,) in self._database.execute(f"SELECT row FROM rows ORDER BY {order}"):  # noqa: S608 - ours
                yield row
        except sqlite3.Error as error:
            raise _no_room(error) from error


def _no_room(error: sqlite3.Error) -> CannotStart:
    return CannotStart(f"the rows cannot be put aside: {error}; TMPDIR names another folder for that")
