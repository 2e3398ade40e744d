"""Somebody else's table, read row by row: nothing is written there, and what it holds is not interpreted here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Select, column, inspect, literal_column, select, table
from sqlalchemy.exc import DBAPIError, NoSuchTableError

from lotkeeperd.storage.engines import CannotStart, database_url, inspector_engine, shown, unusable

AT_ONCE = 1_000
"""Rows fetched from the database at once."""


class ForeignTable:
    """The columns of a table or a view, and its rows in the order of its primary key where it has one."""

    def __init__(self, connection: Connection, name: str) -> None:
        """Raises NoSuchTableError."""
        schema, _, own = name.rpartition(".")
        inspector = inspect(connection)
        self.columns = tuple(each["name"] for each in inspector.get_columns(own, schema or None))
        key = inspector.get_pk_constraint(own, schema or None)["constrained_columns"]
        source = table(own, schema=schema or None)
        self._query: Select[Any] = select(literal_column("*")).select_from(source).order_by(*map(column, key))
        self._connection = connection

    def rows(self) -> Iterator[dict[str, Any]]:
        """Every row by the names of its columns, values as the driver gives them."""
        result = self._connection.execution_options(yield_per=AT_ONCE).execute(self._query)
        for row in result.mappings():
            yield dict(row)


@contextmanager
def foreign_table(address: str) -> Iterator[ForeignTable]:
    """The table of ``DATABASE#TABLE``, in one snapshot. Raises CannotStart."""
    database, _, name = address.rpartition("#")
    if not database or not name:
        raise CannotStart(f"{address}: name the table behind the database, DATABASE#TABLE")
    url = database_url(database)
    engine = inspector_engine(url)
    try:
        with engine.connect().execution_options(postgresql_readonly=True) as connection, connection.begin():
            yield ForeignTable(connection, name)
    except NoSuchTableError as error:
        raise CannotStart(f"{shown(url)}: there is no table {name!r}") from error
    except DBAPIError as error:
        raise unusable(url, error) from error
    finally:
        engine.dispose()
