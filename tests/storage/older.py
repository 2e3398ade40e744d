"""Ledgers of older schemas, as the program of then wrote them.

``ledger_0002.sql`` holds real rows of 0002: they were written by that version, not made up, and each row stands on a line.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config

from lotkeeperd.storage.engines import database_url, writer_engine

ROWS_0002 = Path(__file__).with_name("ledger_0002.sql")
RECORDS_0002 = 12


def make_0002(url: str) -> None:
    """The ledger of 0002 in an empty database."""
    engine = writer_engine(database_url(url))
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", "lotkeeperd.storage:migrations")
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
        for line in ROWS_0002.read_text(encoding="utf-8").splitlines():
            if not line.startswith("--"):
                connection.exec_driver_sql(line)
    engine.dispose()
