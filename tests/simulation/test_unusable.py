"""A database that cannot be right is not served: exit code 1, and a message that names it and says what to do."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect, make_url, text

import lotkeeper
from tests.simulation.script import SCRIPT, Caller
from tests.support.postgres import PostgresServer, running_server
from tests.support.sidecar import DidNotStart, Sidecar

RESTORE = "restore the newest backup"
OTHER = "name another"
PAGE = 4096


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small ledger in one file, its server ended cleanly."""
    folder = tmp_path_factory.mktemp("sound")
    caller = Caller(folder / "caller.jsonl")
    with Sidecar(str(folder / "lotkeeper.db")) as sidecar:
        caller.play(sidecar.address, SCRIPT)
    caller.close()
    return folder / "lotkeeper.db"


@pytest.fixture
def database(sound: Path, folder: Path) -> Path:
    """A copy of it to spoil."""
    return Path(shutil.copy(sound, folder / "lotkeeper.db"))


def refusal(database: Path | str, *arguments: str) -> str:
    """What a server says that does not start on ``database``."""
    with pytest.raises(DidNotStart) as refused, Sidecar(str(database), *arguments):
        pytest.fail("it serves")
    assert refused.value.code == 1, refused.value.stderr
    assert "Traceback" not in refused.value.stderr
    said = refused.value.stderr.strip().splitlines()[-1]
    name = database if "://" not in str(database) else make_url(str(database)).render_as_string(hide_password=True)
    assert said.startswith(f"lotkeeper: {name}: "), said
    return said


def overwrite(database: Path, place: int, data: bytes) -> None:
    """Put other bytes into a file."""
    with database.open("r+b") as file:
        file.seek(place)
        file.write(data)


def change(database: Path, statement: str) -> None:
    """Do to a ledger what its server never does."""
    connection = sqlite3.connect(database)
    with connection:
        connection.execute(statement)
    connection.close()


DAMAGES: dict[str, Callable[[Path], object]] = {
    "bytes of the header": lambda file: overwrite(file, 4, b"\xff\x00\xff"),
    "the page size": lambda file: overwrite(file, 16, b"\x03\x01"),
    "a page in the middle": lambda file: overwrite(file, file.stat().st_size // PAGE // 2 * PAGE, b"\xa5" * 64),
    "every page but the first": lambda file: overwrite(file, PAGE, bytes(file.stat().st_size - PAGE)),
    "the end, which is missing": lambda file: os.truncate(file, file.stat().st_size // 2),
    "all but a few bytes": lambda file: file.write_bytes(file.read_bytes()[:50]),
    "the ledger's own row": lambda file: change(file, "DELETE FROM ledger"),
    "the last journal record": lambda file: change(file, "DELETE FROM journal WHERE sequence = 6"),
    "what is open of an entry": lambda file: change(
        file, "UPDATE position_entries SET remaining_quantity = '3' WHERE status = 'OPEN'"
    ),
    "a position without entries": lambda file: change(file, "DELETE FROM position_entries WHERE status = 'OPEN'"),
    "entries without a position": lambda file: change(file, "DELETE FROM books WHERE side <> 'FLAT'"),
    "a table": lambda file: change(file, "DROP TABLE completed_trades"),
    "the schema's version": lambda file: change(file, "DELETE FROM alembic_version"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_ledger_is_not_served(database: Path, damage: str) -> None:
    """Whatever is damaged, the file is named, and the way out is the newest backup; nothing is repaired in silence."""
    DAMAGES[damage](database)
    before = database.read_bytes()
    assert RESTORE in refusal(database)
    assert database.read_bytes() == before


def test_a_text_file_is_not_served(folder: Path) -> None:
    """A file that is no database at all stays as it is."""
    file = folder / "notes.txt"
    file.write_text("buy low, sell high\n" * 1000)
    assert OTHER in refusal(file)
    assert file.read_text().startswith("buy low")


def test_a_folder_is_not_served(folder: Path) -> None:
    """A folder cannot be a ledger."""
    assert OTHER in refusal(folder)


def test_someone_elses_sqlite_database_is_not_served(folder: Path) -> None:
    """The tables that are there are named, and none is added."""
    database = folder / "photos.db"
    change(database, "CREATE TABLE albums (name TEXT)")
    said = refusal(database)
    assert "albums" in said
    assert OTHER in said
    connection = sqlite3.connect(database)
    assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("albums",)]
    connection.close()


def test_a_newer_schema_is_not_served(database: Path) -> None:
    """Both versions are named; an older program never writes into a newer ledger."""
    change(database, "UPDATE alembic_version SET version_num = '9999'")
    said = refusal(database)
    assert "9999" in said
    assert "newer" in said


def test_another_currency_is_not_served(database: Path) -> None:
    """A ledger's amounts have one currency, and the one that it has still starts it."""
    said = refusal(database, "--currency", "EUR")
    assert "USD" in said
    assert "EUR" in said
    for arguments in ((), ("--currency", "USD")):
        with Sidecar(str(database), *arguments) as sidecar, lotkeeper.connect(sidecar.address) as ledger:
            assert ledger.get_summary().sequence == 6


def test_a_server_that_is_no_durable_postgresql_is_not_used() -> None:
    """Law 10: with fsync off a power cut would take back what was acknowledged."""
    with running_server({"fsync": "off"}) as server:
        said = refusal(server.create_database())
    assert "fsync is off" in said


def test_a_postgresql_database_that_is_not_there_is_named_without_its_password(postgres: PostgresServer) -> None:
    """The message says what PostgreSQL says, and keeps the secret."""
    url = make_url(postgres.url("nowhere"))
    said = refusal(url.render_as_string(hide_password=False))
    assert "does not exist" in said
    assert str(url.password) not in said


def test_someone_elses_postgresql_database_is_not_used(postgres_url: str) -> None:
    """The tables that are there are named, and none is added."""
    engine = create_engine(postgres_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE albums (name TEXT)"))
    said = refusal(postgres_url)
    assert "albums" in said
    assert OTHER in said
    with engine.begin() as connection:
        assert inspect(connection).get_table_names() == ["albums"]
    engine.dispose()
