"""Ledgers of older schemas, as the program of then wrote them.

``ledger_0002.sql`` and ``ledger_0003.sql`` hold real rows: they were written by those versions, not made up, and each row stands
on a line.
"""

from __future__ import annotations

import re
from pathlib import Path

from alembic import command
from alembic.config import Config

from lotkeeperd.storage.engines import database_url, writer_engine

ROWS_0002 = Path(__file__).with_name("ledger_0002.sql")
RECORDS_0002 = 12
ROWS_0003 = Path(__file__).with_name("ledger_0003.sql")
RECORDS_0003 = 14

_BYTES = re.compile(r"X'([0-9a-f]+)'")


def make_0002(url: str) -> None:
    """The ledger of 0002 in an empty database."""
    make(url, "0002", ROWS_0002)


def make_0003(url: str) -> None:
    """The ledger of 0003 in an empty database."""
    make(url, "0003", ROWS_0003)


def make(url: str, revision: str, rows: Path) -> None:
    """The ledger that ``rows`` hold, of schema ``revision``, in an empty database."""
    engine = writer_engine(database_url(url))
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", "lotkeeperd.storage:migrations")
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        for line in rows.read_text(encoding="utf-8").splitlines():
            if not line.startswith("--"):
                if connection.dialect.name == "postgresql":
                    line = _BYTES.sub(lambda found: f"'\\x{found[1]}'", line)  # noqa: PLW2901 - the same row
                connection.exec_driver_sql(line)
    engine.dispose()
