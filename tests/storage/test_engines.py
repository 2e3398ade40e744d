"""A ledger that says "durable" has looked: settings are made, read back, and refused when they are not what they must be."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from lotkeeperd.storage.engines import (
    BUSY_MS,
    CHECKPOINT_PAGES,
    READER_CACHE_KIB,
    STALLED_MS,
    WRITER_CACHE_KIB,
    CannotStart,
    FileLock,
    check_pages,
    inspector_engine,
    read_back,
    reader_engine,
    shown,
    writer_engine,
)
from lotkeeperd.storage.engines import (
    database_url as url_of,
)
from tests.storage.ledgers import bare_ledger, entry
from tests.support.postgres import running_server

WRITER = {
    "journal_mode": "wal",
    "synchronous": 2,
    "busy_timeout": BUSY_MS,
    "cache_size": -WRITER_CACHE_KIB,
    "wal_autocheckpoint": CHECKPOINT_PAGES,
}
READER = {"query_only": 1, "busy_timeout": BUSY_MS, "cache_size": -READER_CACHE_KIB, "wal_autocheckpoint": 0}


def test_the_writer_of_a_sqlite_file_flushes_every_commit(sqlite_url: str) -> None:
    """WAL with synchronous=FULL (2), and it alone carries the WAL over."""
    engine = writer_engine(url_of(sqlite_url))
    with engine.connect() as connection:
        found = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in WRITER}
    engine.dispose()
    assert found == WRITER


async def test_a_reader_of_a_sqlite_file_cannot_write(sqlite_url: str) -> None:
    """``query_only``, and it never carries the WAL over: two connections that do can corrupt it."""
    with bare_ledger(sqlite_url):
        engine = reader_engine(url_of(sqlite_url))
        async with engine.connect() as connection:
            found = {name: (await connection.exec_driver_sql(f"PRAGMA {name}")).scalar_one() for name in READER}
            with pytest.raises(OperationalError, match="readonly"):
                await connection.execute(text("DELETE FROM ledger"))
        await engine.dispose()
    assert found == READER


async def test_a_reader_sees_one_moment(database_url: str) -> None:
    """Both databases: what is committed in the middle of a reader's transaction is not part of it."""
    with bare_ledger(database_url) as ledger:
        ledger.taken(entry(1))
        engine = reader_engine(url_of(database_url))
        async with engine.connect() as connection:
            count = text("SELECT count(*) FROM journal")
            before = (await connection.execute(count)).scalar_one()
            ledger.taken(entry(2))
            assert (await connection.execute(count)).scalar_one() == before == 1
        await engine.dispose()


@pytest.mark.parametrize(
    ("pragma", "setting"), [("synchronous=NORMAL", "synchronous"), ("journal_mode=DELETE", "journal_mode")]
)
def test_a_sqlite_connection_that_is_not_durable_is_refused(sqlite_url: str, pragma: str, setting: str) -> None:
    """Whoever turned it off, the setting is named, with what it is and what it must be."""
    engine = writer_engine(url_of(sqlite_url))
    with engine.connect() as connection:
        connection.connection.cursor().execute(f"PRAGMA {pragma}")
        with pytest.raises(CannotStart, match=f"{setting} is .*, it must be .*power cut"):
            read_back(connection, "the ledger")
    engine.dispose()


@pytest.mark.parametrize("setting", ["fsync", "full_page_writes"])
def test_a_postgresql_server_that_is_not_durable_is_refused(setting: str) -> None:
    """What the server was started with is read back."""
    with running_server({setting: "off"}) as server:
        engine = writer_engine(url_of(server.create_database()))
        with engine.connect() as connection, pytest.raises(CannotStart, match=f"{setting} is off, it must be on"):
            read_back(connection, "the ledger")
        engine.dispose()


@pytest.mark.parametrize("commit", ["on", "remote_apply"])
def test_a_postgresql_commit_that_waits_for_the_disk_is_taken(postgres_url: str, commit: str) -> None:
    """A role or a database may set ``synchronous_commit``."""
    engine = create_engine(postgres_url)
    with engine.connect() as connection:
        connection.execute(text(f"SET synchronous_commit = {commit}"))
        read_back(connection, "the ledger")
    engine.dispose()


@pytest.mark.parametrize("commit", ["off", "local"])
def test_a_postgresql_commit_that_does_not_wait_is_refused(postgres_url: str, commit: str) -> None:
    """``off`` answers before the flush; ``local`` gives up what a standby was promised for."""
    engine = create_engine(postgres_url)
    with engine.connect() as connection:
        connection.execute(text(f"SET synchronous_commit = {commit}"))
        with pytest.raises(CannotStart, match=f"synchronous_commit is {commit}"):
            read_back(connection, "the ledger")
    engine.dispose()


def test_the_writer_on_postgresql_waits_for_nothing_without_an_end(postgres_url: str) -> None:
    """Neither for a row that somebody holds, nor may it hold one itself while it sleeps."""
    engine = writer_engine(url_of(postgres_url))
    with engine.connect() as connection:
        found = [
            connection.exec_driver_sql(f"SELECT setting FROM pg_settings WHERE name = '{name}'").scalar_one()
            for name in ("lock_timeout", "idle_in_transaction_session_timeout", "transaction_isolation")
        ]
    engine.dispose()
    assert found == [str(BUSY_MS), str(STALLED_MS), "read committed"]


def test_pages_are_checked_before_anything_is_read(sqlite_url: str) -> None:
    """``quick_check`` finds a page that is no page; the file is named and stays as it is."""
    with bare_ledger(sqlite_url) as ledger:
        ledger.taken(*(entry(number) for number in range(1, 50)))
    path = Path(str(url_of(sqlite_url).database))
    content = bytearray(path.read_bytes())
    content[3 * 4096 : 3 * 4096 + 8] = b"nonsense"
    path.write_bytes(content)
    engine = inspector_engine(url_of(sqlite_url))
    with engine.connect() as connection, pytest.raises(CannotStart, match="the ledger: the file is damaged"):
        check_pages(connection, "the ledger")
    engine.dispose()


def test_a_lock_is_held_by_one_and_says_by_whom(tmp_path: Path) -> None:
    """The second is told the process of the first; when that one lets go, anybody may have it."""
    first, second = FileLock(tmp_path / "lotkeeper.db"), FileLock(tmp_path / "lotkeeper.db")
    first.take()
    with pytest.raises(CannotStart, match=rf"lotkeeper\.db: another server .*process {os.getpid()}"):
        second.take()
    first.release()
    second.take()
    second.release()
    assert (tmp_path / "lotkeeper.db.lock").stat().st_mode & 0o777 == 0o600


ADDRESSES = {
    "ledger.db": "sqlite:///ledger.db",
    "/var/lib/ledger.db": "sqlite:////var/lib/ledger.db",
    "sqlite:///ledger.db": "sqlite:///ledger.db",
    "postgresql://me:secret@host:5432/ledger": "postgresql+psycopg://me:secret@host:5432/ledger",
    "postgresql+psycopg://host/ledger": "postgresql+psycopg://host/ledger",
}


@pytest.mark.parametrize("database", ADDRESSES)
def test_a_path_is_sqlite_and_a_url_says_what_it_is(database: str) -> None:
    """PostgreSQL goes through psycopg, whatever driver the URL names."""
    assert url_of(database).render_as_string(hide_password=False) == ADDRESSES[database]


@pytest.mark.parametrize(
    "database", ["mysql://host/ledger", "sqlite://", "sqlite:///:memory:", "://", "postgresql://host:port/x"]
)
def test_other_databases_are_refused(database: str) -> None:
    """Among them the one that forgets everything."""
    with pytest.raises(CannotStart, match="--database"):
        url_of(database)


def test_a_password_is_never_shown() -> None:
    """Messages and the ready line name the database, not its secret."""
    assert shown(url_of("postgresql://me:secret@host/ledger")) == "postgresql+psycopg://me:***@host/ledger"
    assert shown(url_of("some/ledger.db")) == "some/ledger.db"


def test_the_writer_s_connection_is_never_the_last_one(sqlite_url: str) -> None:
    """While a store is open its WAL stays, whoever opens and closes the file; once closed, it is carried over and gone."""
    path = Path(str(url_of(sqlite_url).database))
    wal = path.with_name(path.name + "-wal")
    with bare_ledger(sqlite_url) as ledger:
        ledger.taken(entry(1))
        ledger.store.last_sequence()  # on a new connection
        assert wal.stat().st_size > 0
    assert not wal.exists()
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT last_sequence FROM ledger").fetchone() == (1,)
    connection.close()
