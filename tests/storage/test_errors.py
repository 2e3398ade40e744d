"""What each error of a real database means: it is made to happen, and the table says what follows from it."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Connection, create_engine, make_url, text
from sqlalchemy.exc import DBAPIError

from lotkeeperd.domain.refusals import DiskFull, LedgerCorrupt, Refusal, StorageUnavailable
from lotkeeperd.storage.errors import Meaning, meaning, refusal, words

STATES = {
    "40001": Meaning.RETRY,  # could not serialize access
    "40P01": Meaning.RETRY,  # deadlock detected
    "53100": Meaning.DISK_FULL,  # disk full
    "XX001": Meaning.CORRUPT,  # data corrupted
    "XX002": Meaning.CORRUPT,  # index corrupted
    "22003": Meaning.STATEMENT,  # numeric value out of range
    "22P02": Meaning.STATEMENT,  # invalid text representation
    "23505": Meaning.STATEMENT,  # unique violation
    "42501": Meaning.STATEMENT,  # insufficient privilege
    "54000": Meaning.STATEMENT,  # program limit exceeded
    "P0001": Meaning.STATEMENT,  # raised by a trigger
    "08006": Meaning.UNAVAILABLE,  # connection failure
    "25006": Meaning.UNAVAILABLE,  # read only: a standby
    "25P03": Meaning.UNAVAILABLE,  # it stood still in a transaction
    "40003": Meaning.UNAVAILABLE,  # statement completion unknown
    "53300": Meaning.UNAVAILABLE,  # too many connections
    "53200": Meaning.UNAVAILABLE,  # out of memory
    "55P03": Meaning.UNAVAILABLE,  # lock not available
    "57014": Meaning.UNAVAILABLE,  # canceled
    "57P01": Meaning.UNAVAILABLE,  # the server is shutting down
    "57P03": Meaning.UNAVAILABLE,  # the server is starting
    "58030": Meaning.UNAVAILABLE,  # I/O error
}
"""Of PostgreSQL: appendix A of its manual."""


def met(act: Callable[[], object]) -> Exception:
    """The error that something ends with."""
    with pytest.raises((DBAPIError, sqlite3.Error, psycopg.Error)) as error:
        act()
    return error.value


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    """A connection to an empty database, with a table of one row."""
    engine = create_engine(database_url)
    with engine.connect() as connection:
        connection.execute(text("CREATE TABLE fill (id INTEGER PRIMARY KEY, price TEXT NOT NULL)"))
        connection.execute(text("INSERT INTO fill VALUES (1, '1')"))
        connection.commit()
        yield connection
    engine.dispose()


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO fill VALUES (1, '2')",
        "INSERT INTO fill VALUES (2, NULL)",
        "INSERT INTO orders VALUES (1)",
        "SELEC 1",
    ],
)
def test_a_statement_at_fault_is_not_tried_again(connection: Connection, statement: str) -> None:
    """A key that is taken, a value that is missing, a table that is not there, no SQL at all: on both databases."""
    assert meaning(met(lambda: connection.execute(text(statement)))) is Meaning.STATEMENT
    connection.rollback()


@pytest.mark.parametrize("state", STATES)
def test_each_state_of_postgresql_has_its_meaning(postgres_url: str, state: str) -> None:
    """The server itself raises it, so that the driver's own class for it is what is looked at."""
    engine = create_engine(postgres_url)
    with engine.connect() as connection:
        raised = text(f"DO $$ BEGIN RAISE EXCEPTION 'made up' USING ERRCODE = '{state}'; END $$")
        error = met(lambda: connection.execute(raised))
        assert meaning(error) is STATES[state]
        assert "made up" in words(error)
        assert meaning(error.orig) is STATES[state]  # type: ignore[attr-defined] # and without SQLAlchemy around it
    engine.dispose()


def test_two_that_change_the_same_row_are_told_to_try_again(postgres_url: str) -> None:
    """A serialization failure that PostgreSQL comes to by itself."""
    engine = create_engine(postgres_url, isolation_level="REPEATABLE READ")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE fill (price TEXT)"))
        connection.execute(text("INSERT INTO fill VALUES ('1')"))
    with engine.connect() as first, engine.connect() as second:
        for one in (first, second):
            one.execute(text("SELECT * FROM fill"))
        first.execute(text("UPDATE fill SET price = '2'"))
        first.commit()
        assert meaning(met(lambda: second.execute(text("UPDATE fill SET price = '3'")))) is Meaning.RETRY
    engine.dispose()


def test_a_postgresql_connection_that_was_ended_is_unavailable(postgres_url: str) -> None:
    """Ended by an administrator, and refused for a database that is not there."""
    engine = create_engine(postgres_url)
    with engine.connect() as connection, engine.connect() as other:
        pid = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        other.execute(text(f"SELECT pg_terminate_backend({pid})"))
        raw = connection.connection.cursor()
        assert meaning(met(lambda: connection.execute(text("SELECT 1")))) is Meaning.UNAVAILABLE
        assert meaning(met(lambda: raw.execute("SELECT 1"))) is Meaning.UNAVAILABLE
        connection.rollback()
    engine.dispose()
    nowhere = create_engine(make_url(postgres_url).set(port=1))
    assert meaning(met(nowhere.connect)) is Meaning.UNAVAILABLE


def test_a_value_that_postgresql_cannot_take_is_at_fault(postgres_url: str) -> None:
    """A NUL in a text, which the driver refuses to send."""
    engine = create_engine(postgres_url)
    with engine.connect() as connection:
        error = met(lambda: connection.execute(text("SELECT :name"), {"name": "a\x00b"}))
        assert meaning(error) is Meaning.STATEMENT
    engine.dispose()


def test_a_locked_sqlite_file_is_unavailable(tmp_path: Path) -> None:
    """Somebody else writes, and goes on doing so."""
    first, second = (sqlite3.connect(tmp_path / "fills.db", timeout=0.01) for _ in range(2))
    first.execute("BEGIN EXCLUSIVE")
    error = met(lambda: second.execute("BEGIN IMMEDIATE"))
    assert meaning(error) is Meaning.UNAVAILABLE
    assert isinstance(refusal(error), StorageUnavailable)
    first.close()
    second.close()


def test_a_sqlite_file_that_may_not_grow_is_a_full_disk(tmp_path: Path) -> None:
    """SQLITE_FULL is what a full disk is told as, and this makes it without one."""
    connection = sqlite3.connect(tmp_path / "fills.db")
    connection.execute("CREATE TABLE fill (price TEXT)")
    connection.execute("PRAGMA max_page_count = 3")
    error = met(lambda: connection.execute("INSERT INTO fill VALUES (zeroblob(100000))"))
    assert meaning(error) is Meaning.DISK_FULL
    assert isinstance(refusal(error), DiskFull)
    connection.close()


@pytest.mark.parametrize("damage", [b"not a database at all" * 300, b""])
def test_a_damaged_sqlite_file_is_corrupt(tmp_path: Path, damage: bytes) -> None:
    """No database, or one with a page that is none."""
    path = tmp_path / "fills.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE fill (price TEXT)")
    connection.commit()
    connection.close()
    content = path.read_bytes()
    path.write_bytes(damage or content[:4096] + b"nonsense" * 512)
    connection = sqlite3.connect(path)
    error = met(lambda: connection.execute("SELECT * FROM fill").fetchall())
    assert meaning(error) is Meaning.CORRUPT
    assert isinstance(refusal(error), LedgerCorrupt)
    connection.close()


def test_an_interrupted_sqlite_statement_is_unavailable(tmp_path: Path) -> None:
    """Whatever is not known leaves the outcome open, and a retry is safe."""
    connection = sqlite3.connect(tmp_path / "fills.db", check_same_thread=False)
    timer = threading.Timer(0.05, connection.interrupt)
    timer.start()
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"
    assert meaning(met(lambda: connection.execute(endless))) is Meaning.UNAVAILABLE
    timer.join()
    connection.close()


def test_a_refusal_says_what_the_database_said() -> None:
    """The first line of it; the rest is for the log."""
    answer: Refusal = refusal(sqlite3.OperationalError("disk I/O error\nand more"))
    assert isinstance(answer, StorageUnavailable)
    assert "disk I/O error; retry with the same ids" in answer.message
