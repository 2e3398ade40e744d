"""Brings a database to this program's schema: makes it, migrates it, or refuses one that is newer."""

from __future__ import annotations

from sqlalchemy import Connection, inspect, text

from lotkeeperd.storage.engines import CannotStart
from lotkeeperd.storage.tables import REVISION, metadata

KNOWN = ("0002", "0003", REVISION)
"""Revisions that this program can read or migrate from, oldest first."""

UNRELEASED = "0001"
"""Its identity keys were made in another way: read as they are, every fill that is delivered again would count again."""


def bring_up_to_date(connection: Connection, name: str) -> None:
    """Make or migrate the tables inside the caller's transaction. Raises CannotStart."""
    revision = _revision(connection, name)
    if revision == REVISION:
        _check_complete(connection, name)
        return
    if revision == UNRELEASED:
        raise CannotStart(
            f"{name}: its schema is {revision}, of a version that was never released and cannot be read; name another database"
        )
    if revision is not None and revision not in KNOWN:
        raise CannotStart(
            f"{name}: its schema is {revision}, newer than this program's {REVISION}; run the newer program, or restore a backup"
        )
    _migrate(connection)


def check_current(connection: Connection, name: str) -> None:
    """For tools that only read. Raises CannotStart unless the schema is this program's."""
    revision = _revision(connection, name)
    if revision != REVISION:
        raise CannotStart(
            f"{name}: its schema is {revision or 'missing'}, this program reads {REVISION}; start a server on it once"
        )


def _revision(connection: Connection, name: str) -> str | None:
    there = inspect(connection).get_table_names()
    if "alembic_version" not in there:
        if there:
            raise CannotStart(
                f"{name}: it holds other tables ({', '.join(sorted(there)[:3])}), not a ledger; name another database"
            )
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _check_complete(connection: Connection, name: str) -> None:
    missing = metadata.tables.keys() - set(inspect(connection).get_table_names())
    if missing:
        raise CannotStart(
            f"{name}: the table {', '.join(sorted(missing))} is missing; restore the newest backup, keep this database"
        )


def _migrate(connection: Connection) -> None:
    # Imported here: only a database that has to change needs Alembic in memory.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "lotkeeperd.storage:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
