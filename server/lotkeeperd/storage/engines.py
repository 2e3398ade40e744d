"""Engines with every setting made and read back: a ledger that says "durable" must know that it is.

SQLite: WAL with ``synchronous=FULL``. Exactly one connection writes and checkpoints (SQLite 3.7.0 to 3.51.2 can corrupt a WAL
when two do); readers are ``query_only`` and never checkpoint. An OS lock beside the file refuses a second server.
PostgreSQL: ``fsync``, ``full_page_writes`` and ``synchronous_commit`` are read back; off refuses to start.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import StaticPool

from lotkeeperd.storage.errors import words

WRITER_CACHE_KIB = 8_192
READER_CACHE_KIB = 4_096
"""SQLite's own page caches. With a million trades there, 32 MiB wrote no faster than 8: the system caches the file as well."""

CHECKPOINT_PAGES = 4_000
"""WAL pages (4 KiB each) between checkpoints; more make commits steadier and the WAL larger."""

BUSY_MS = 1_000
"""How long a locked database is waited for before the batch is answered STORAGE_UNAVAILABLE."""

STALLED_MS = 5_000
"""How long a PostgreSQL transaction may stand still before the database ends it: the one of a server that was paused."""

TAKEOVER_MS = 15_000
"""How long a server that starts waits for the transaction that another one has under way."""

LINK = {"connect_timeout": 5, "tcp_user_timeout": 10_000}
"""PostgreSQL: seconds to connect, milliseconds that a silent link is waited for; the system's own limit is many minutes."""

READERS = 2
"""Read connections kept open."""


class CannotStart(Exception):
    """The database cannot be used; the message names it and says what to do."""


def database_url(database: str) -> URL:
    """The URL of a ``--database``: a path is SQLite, anything with ``://`` is an SQLAlchemy URL.

    Raises CannotStart when it is neither SQLite nor PostgreSQL.
    """
    if "://" not in database:
        return URL.create("sqlite", database=str(Path(database)))
    try:
        url = make_url(database)
    except (ArgumentError, ValueError) as error:
        raise CannotStart(f"--database {database}: {error}") from error
    if url.get_backend_name() == "postgresql":
        if find_spec("psycopg") is None:
            raise CannotStart("PostgreSQL needs its driver: pip install 'lotkeeper[server,postgresql]'")
        return url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:"):
        return url.set(drivername="sqlite")
    raise CannotStart(f"--database {url.render_as_string()}: name a file, or a postgresql:// URL")


def shown(url: URL) -> str:
    """The database as it may be printed: no password."""
    return url.database or "" if is_sqlite(url) else url.render_as_string(hide_password=True)


def is_sqlite(url: URL) -> bool:
    """Whether the database is a file of ours."""
    return url.get_backend_name() == "sqlite"


def writer_engine(url: URL) -> Engine:
    """One connection, the only one that writes."""
    if not is_sqlite(url):
        engine = create_engine(
            url, poolclass=StaticPool, paramstyle="format", isolation_level="READ COMMITTED", connect_args=LINK
        )
        event.listen(engine, "connect", _postgresql_writer)
        return engine
    engine = create_engine(
        url, poolclass=StaticPool, connect_args={"check_same_thread": False, "cached_statements": 256}
    )
    event.listen(engine, "connect", _sqlite_writer)
    event.listen(engine, "begin", _begin_immediate)
    return engine


def reader_engine(url: URL) -> AsyncEngine:
    """A few connections that never write; every transaction is one snapshot."""
    if not is_sqlite(url):
        return create_async_engine(
            url,
            isolation_level="REPEATABLE READ",
            pool_size=READERS,
            max_overflow=0,
            pool_pre_ping=True,
            connect_args=LINK,
        )
    engine = create_async_engine(url.set(drivername="sqlite+aiosqlite"), pool_size=READERS, max_overflow=0)
    event.listen(engine.sync_engine, "connect", _sqlite_reader)
    event.listen(engine.sync_engine, "begin", _begin)
    return engine


def inspector_engine(url: URL) -> Engine:
    """One connection for tools that only read, beside a server that may be running."""
    if not is_sqlite(url):
        return create_engine(url, poolclass=StaticPool, isolation_level="REPEATABLE READ")
    if not Path(url.database or "").is_file():
        raise CannotStart(f"{shown(url)}: there is no such file")
    engine = create_engine(url, poolclass=StaticPool)
    event.listen(engine, "connect", _sqlite_reader)
    event.listen(engine, "begin", _begin)
    return engine


def _postgresql_writer(connection: Any, _: object) -> None:
    connection.execute(f"SET lock_timeout = {BUSY_MS}")  # without it a held row is waited for without an end
    connection.execute(f"SET idle_in_transaction_session_timeout = {STALLED_MS}")  # or a paused server holds it
    connection.commit()


def _sqlite_writer(connection: Any, _: object) -> None:
    connection.isolation_level = None  # transactions are begun here, not guessed by the driver
    for pragma in (
        f"busy_timeout={BUSY_MS}",
        "journal_mode=WAL",
        "synchronous=FULL",
        f"cache_size=-{WRITER_CACHE_KIB}",
        f"wal_autocheckpoint={CHECKPOINT_PAGES}",
        "temp_store=MEMORY",
    ):
        connection.execute(f"PRAGMA {pragma}").close()


def _sqlite_reader(connection: Any, _: object) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout={BUSY_MS}",
        "query_only=ON",
        f"cache_size=-{READER_CACHE_KIB}",
        "wal_autocheckpoint=0",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_immediate(connection: Connection) -> None:
    """On the driver's cursor: through SQLAlchemy this took longer than a lone command's rows."""
    try:
        connection.connection.cursor().execute("BEGIN IMMEDIATE")
    except sqlite3.Error as error:
        raise OperationalError("BEGIN IMMEDIATE", None, error) from error


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def read_back(connection: Connection, name: str) -> None:
    """Check that the settings which make a commit durable are in force. Raises CannotStart."""
    sqlite = connection.dialect.name == "sqlite"
    wanted = (
        {"PRAGMA journal_mode": "wal", "PRAGMA synchronous": "2"}
        if sqlite
        else {"SHOW fsync": "on", "SHOW full_page_writes": "on", "SHOW synchronous_commit": "on"}
    )
    for question, right in wanted.items():
        answer = str(connection.exec_driver_sql(question).scalar_one())
        durable = answer == right or (
            question == "SHOW synchronous_commit" and answer in ("remote_write", "remote_apply")
        )
        if not durable:
            setting = question.split()[1]
            raise CannotStart(
                f"{name}: {setting} is {answer}, it must be {right}: what is acknowledged would not survive a power cut"
            )


def check_pages(connection: Connection, name: str) -> None:
    """SQLite's ``quick_check``. Raises CannotStart when the file is damaged."""
    if connection.dialect.name != "sqlite":
        return
    found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
    if found != "ok":
        where = " ".join(str(found).split())
        raise CannotStart(f"{name}: the file is damaged ({where}); restore the newest backup, keep this file")


class FileLock:
    """Keeps a second server away from a SQLite file; the system drops it when the process ends, however it ends."""

    def __init__(self, database: Path) -> None:
        self._path = database.with_name(database.name + ".lock")
        self._file: int | None = None

    def take(self) -> None:
        """Raises CannotStart when another process holds it."""
        file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(file, 32).decode(errors="replace").strip() or "unknown"
            os.close(file)
            raise CannotStart(
                f"{self._path.with_suffix('')}: another server has it open (process {holder}); one file, one server"
            ) from error
        os.ftruncate(file, 0)
        os.write(file, str(os.getpid()).encode())
        self._file = file

    def release(self) -> None:
        """Let another server have it."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def unusable(url: URL, error: DBAPIError) -> CannotStart:
    """What to tell an operator when the database cannot even be opened."""
    cause = words(error)
    if is_sqlite(url):
        return CannotStart(
            f"{shown(url)}: {cause}; if it is not a Lotkeeper database name another file, "
            "if it is damaged restore the newest backup and keep this file"
        )
    return CannotStart(f"{shown(url)}: {cause}; is the server running, and may this user use the database?")
