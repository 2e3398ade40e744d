"""The migrations make exactly the tables that the program writes, in one transaction, and nothing else is touched."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Engine, inspect, text

from lotkeeperd.storage.engines import CannotStart, writer_engine
from lotkeeperd.storage.engines import database_url as url_of
from lotkeeperd.storage.schema import bring_up_to_date, check_current
from lotkeeperd.storage.tables import REVISION, books, metadata

NAME = "the ledger"


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An empty database."""
    engine = writer_engine(url_of(database_url))
    yield engine
    engine.dispose()


@pytest.fixture
def migrated(engine: Engine) -> Iterator[Connection]:
    """A database that was just made."""
    with engine.begin() as connection:
        bring_up_to_date(connection, NAME)
    with engine.begin() as connection:
        yield connection


def test_the_migrations_make_what_the_program_knows(migrated: Connection) -> None:
    """Alembic finds no difference: tables, columns, their types and defaults, whether they may be empty, indexes."""
    opts = {"compare_type": True, "compare_server_default": defaults_differ}
    assert compare_metadata(MigrationContext.configure(migrated, opts=opts), metadata) == []


def defaults_differ(
    _context: Any, _found: Any, _known: Any, found: str | None, _default: Any, known: str | None
) -> Any:
    """False for a default of empty text on both sides, which Alembic takes for two on SQLite; else None: it looks itself."""
    return False if (found, known) == ("('')", "") else None


def test_partial_indexes_are_partial_on_both_databases(migrated: Connection) -> None:
    """An index over what is open does not grow with history; Alembic does not compare its condition."""
    dialect = migrated.dialect.name
    query = {
        "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL",
        "postgresql": "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    }[dialect]
    found = {row[0]: row[1] for row in migrated.execute(text(query))}
    wanted = [index for table in metadata.tables.values() for index in table.indexes]
    for index in wanted:
        assert (" WHERE " in found[index.name]) is (index.dialect_options[dialect]["where"] is not None), index.name
    assert len(wanted) >= 4


def test_the_view_shows_every_sum_of_a_position(migrated: Connection) -> None:
    """``current_positions`` has the columns of ``books`` but those for the server alone, and whether fees are still to come."""
    columns = {column["name"] for column in inspect(migrated).get_columns("current_positions")}
    assert columns == {column.name for column in books.columns} - {"newest_time", "awaited_fees"} | {"provisional"}


def test_a_database_that_is_up_to_date_is_left_alone(migrated: Connection) -> None:
    """Starting again changes nothing."""
    migrated.execute(text("INSERT INTO portfolios (portfolio_id, created_time) VALUES ('p', 1)"))
    bring_up_to_date(migrated, NAME)
    check_current(migrated, NAME)
    assert migrated.execute(text("SELECT portfolio_id FROM portfolios")).scalars().all() == ["p"]


def test_a_migration_that_is_not_committed_leaves_nothing(engine: Engine) -> None:
    """Tables are made in one transaction on both databases: a crash half way leaves the database empty."""
    with engine.connect() as connection:
        bring_up_to_date(connection, NAME)
        assert set(inspect(connection).get_table_names()) >= metadata.tables.keys()
        connection.rollback()
    with engine.connect() as connection:
        assert inspect(connection).get_table_names() == []


def test_a_newer_schema_is_refused(migrated: Connection) -> None:
    """Server and tools say both versions."""
    migrated.execute(text("UPDATE alembic_version SET version_num = '0042'"))
    with pytest.raises(CannotStart, match=f"the ledger: its schema is 0042, newer than this program's {REVISION}"):
        bring_up_to_date(migrated, NAME)
    with pytest.raises(CannotStart, match=f"its schema is 0042, this program reads {REVISION}"):
        check_current(migrated, NAME)


def test_the_schema_of_an_unreleased_version_is_refused(migrated: Connection) -> None:
    """Its keys were made in another way: every fill that is delivered again would count again."""
    migrated.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    with pytest.raises(CannotStart, match="the ledger: its schema is 0001, of a version that was never released"):
        bring_up_to_date(migrated, NAME)


def test_tools_do_not_make_tables(engine: Engine) -> None:
    """A tool that only reads says that there is no ledger yet, and makes none."""
    with engine.begin() as connection:
        with pytest.raises(CannotStart, match="its schema is missing"):
            check_current(connection, NAME)
        assert inspect(connection).get_table_names() == []


def test_other_tables_are_refused(engine: Engine) -> None:
    """A database of something else is named by what is in it."""
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE albums (name TEXT)"))
        for look in (bring_up_to_date, check_current):
            with pytest.raises(CannotStart, match=r"other tables \(albums\), not a ledger"):
                look(connection, NAME)


def test_a_missing_table_is_refused(migrated: Connection) -> None:
    """A version alone is no proof that everything is there."""
    migrated.execute(text("DROP TABLE completed_trades"))
    with pytest.raises(CannotStart, match="the table completed_trades is missing; restore"):
        bring_up_to_date(migrated, NAME)
