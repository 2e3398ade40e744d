"""Fills out of somebody's database: its numbers and times as they are, nothing written there."""

from __future__ import annotations

import sqlite3

import psycopg
import pytest
from sqlalchemy import make_url

from lotkeeperd.intake.problems import UnreadableFile
from lotkeeperd.intake.report import Counts
from lotkeeperd.storage.engines import CannotStart
from tests.intake.moving import House

MAP = """
[columns]
fill_id = "id"
fill_time = "executed_at"
symbol = "pair"
quantity = "amount"
"""
LOTS = "SELECT entry_fill_id, quantity, remaining_quantity, entry_price, entry_time FROM position_entries ORDER BY sequence"


def texts(rows: list[tuple[object, ...]]) -> list[tuple[str, ...]]:
    """Rows of either database alike."""
    return [tuple(map(str, row)) for row in rows]


def test_a_table_of_postgresql_is_read_with_its_own_types(postgres_url: str, house: House) -> None:
    """NUMERIC, double precision and timestamps lose nothing; the schema may be named."""
    address = make_url(postgres_url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA bot")
        connection.execute(
            "CREATE TABLE bot.fills (id bigint PRIMARY KEY, pair text, side text, amount numeric, price double precision,"
            " executed_at timestamptz, note text)"
        )
        connection.execute(
            "INSERT INTO bot.fills VALUES"
            " (2, 'A', 'sell', 0.4, 0.1, '2024-01-05 16:31:00.000001+01', NULL),"
            " (1, 'A', 'buy', 1.000000000000000001, 100.1, '2024-01-05 16:30:00+01', 'x')"
        )

    report = house.imported(None, table=f"{postgres_url}#bot.fills", toml=MAP)

    assert report.counts == Counts(read=2, opened=1, closed=1)
    assert texts(house.rows(LOTS)) == [
        ("1", "1.000000000000000001", "0.600000000000000001", "100.1", "1704468600000000000")
    ]


def test_a_table_of_sqlite_is_read_and_refused_row_by_row(house: House) -> None:
    """Rows are named by their number."""
    with sqlite3.connect(house.folder / "bot.db") as bot:
        bot.execute("CREATE TABLE fills (id INTEGER PRIMARY KEY, pair, side, amount, price REAL, executed_at TEXT)")
        rows = [
            (1, "A", "buy", 1, 0.00001, "2024-01-05T15:30:00Z"),
            (2, "A", "buy", -1, 1.5, "2024-01-05T15:30:00Z"),
        ]
        bot.executemany("INSERT INTO fills VALUES (?, ?, ?, ?, ?, ?)", rows)

    report = house.imported(None, table=f"{house.folder}/bot.db#fills", toml=MAP, keep_going=True)

    assert [each.place for each in report.refused] == ["row 2"]
    assert texts(house.rows(LOTS)) == [("1", "1", "1", "0.00001", "1704468600000000000")]


def test_a_table_that_is_not_there_is_named(house: House) -> None:
    """As is a database, and a column."""
    with sqlite3.connect(house.folder / "bot.db") as bot:
        bot.execute("CREATE TABLE fills (id INTEGER)")

    with pytest.raises(CannotStart, match="there is no table 'trades'"):
        house.imported(None, table=f"{house.folder}/bot.db#trades")
    with pytest.raises(CannotStart, match="no such file"):
        house.imported(None, table=f"{house.folder}/nothing.db#fills")
    with pytest.raises(CannotStart, match="DATABASE#TABLE"):
        house.imported(None, table="bot.db")
    with pytest.raises(UnreadableFile, match="one for symbol"):
        house.imported(None, table=f"{house.folder}/bot.db#fills")
