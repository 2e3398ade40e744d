"""A right copy of a SQLite ledger while a server writes to it.

Copying the file alone loses what is still in the write-ahead log. SQLite's online backup copies page by page, but starts anew
whenever another process writes in between, so on a busy ledger it may never end. Therefore the copy is made out of one read
transaction, whose snapshot nobody can change: https://www.sqlite.org/backup.html.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, cast

from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError

from lotkeeperd.storage.engines import CannotStart, inspector_engine, is_sqlite, shown, unusable
from lotkeeperd.storage.schema import check_current

PAGES = 2048
"""Pages copied between two reports of progress."""

Progress = Callable[[int, int], None]
"""Told how much is done, of how much."""


class Copied(NamedTuple):
    """What a backup holds: the ledger, its last record, and the file's size in bytes."""

    ledger_id: str
    sequence: int
    size: int


def backup(url: URL, to: Path, progress: Progress) -> Copied:
    """Copy the ledger to a new file, checked page by page before it gets its name. Raises CannotStart."""
    if not is_sqlite(url):
        raise CannotStart(f"{shown(url)}: use pg_dump, it copies a running PostgreSQL database right")
    if to.exists():
        raise CannotStart(f"{to}: there is such a file already; a backup never overwrites one")
    part = to.with_name(to.name + ".part")
    part.unlink(missing_ok=True)
    try:
        _copy(url, part, progress)
        copied = _checked(part)
    except (DBAPIError, sqlite3.Error, OSError) as error:
        part.unlink(missing_ok=True)
        raise (unusable(url, error) if isinstance(error, DBAPIError) else CannotStart(f"{to}: {error}")) from error
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    part.rename(to)
    return copied


def _copy(url: URL, part: Path, progress: Progress) -> None:
    engine = inspector_engine(url)
    try:
        with engine.connect() as connection, connection.begin():
            check_current(connection, shown(url))
            source = cast("sqlite3.Connection", connection.connection.dbapi_connection)
            target = sqlite3.connect(part)
            try:
                source.backup(target, pages=PAGES, progress=lambda _, left, total: progress(total - left, total))
            finally:
                target.close()
    finally:
        engine.dispose()


def _checked(part: Path) -> Copied:
    copy = sqlite3.connect(part)
    try:
        found = copy.execute("PRAGMA integrity_check(1)").fetchone()[0]
        if found != "ok":
            raise CannotStart(f"{part}: the copy is damaged ({found}); is the original? run lotkeeper verify")
        ledger_id, sequence = copy.execute("SELECT ledger_id, last_sequence FROM ledger").fetchone()
    finally:
        copy.close()
    return Copied(ledger_id, sequence, part.stat().st_size)
