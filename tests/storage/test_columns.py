"""Amounts, times and labels come out of both databases as they went in, to the last digit."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, Connection, Integer, MetaData, Table, create_engine, insert, select, text

from lotkeeperd.storage.columns import Exact, Nanoseconds, amount_for, labels_of, labels_text

AMOUNTS = [
    "0",
    "-0.000000000000000000000000000000000001",
    "0.1",
    "100",
    "1E+3",
    "-99999999999999999999.999999999999999999",
    "99999999999999999998000000000000000000.000000000000000001000000000000000001",
    "1234567890123456789012345678901234567890.123456789012345678901234567890123456",
]
"""Limits of the contract, their products, 76 digits, and 10**-36."""

EDGES = [0, 1, 1_700_000_000_123_456_789, 2**63 - 1]

ledger = Table(
    "exact", MetaData(), Column("id", Integer, primary_key=True), Column("amount", Exact), Column("at", Nanoseconds)
)


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    """A database with one table of an amount and a time."""
    engine = create_engine(database_url)
    with engine.begin() as connection:
        ledger.create(connection)
        yield connection
    engine.dispose()


@pytest.mark.parametrize("amount", AMOUNTS)
def test_an_amount_comes_back_to_the_last_digit(connection: Connection, amount: str) -> None:
    """Text on SQLite, NUMERIC on PostgreSQL: never a float on the way, through Core or through compiled statements."""
    value = Decimal(amount)
    connection.execute(insert(ledger), [{"id": 1, "amount": value}])
    connection.exec_driver_sql(
        "INSERT INTO exact (id, amount) VALUES (2, ?)"
        if connection.dialect.name == "sqlite"
        else "INSERT INTO exact (id, amount) VALUES (2, %s)",
        (amount_for(connection.dialect)(value),),
    )
    found = connection.execute(select(ledger.c.amount)).scalars().all()
    assert found == [value, value]
    assert all(isinstance(one, Decimal) for one in found)


def test_no_amount_is_an_amount(connection: Connection) -> None:
    """Unknown stays unknown and never becomes zero (law 12)."""
    connection.execute(insert(ledger).values(id=1, amount=None))
    assert connection.execute(select(ledger.c.amount)).scalar_one() is None


@pytest.mark.parametrize("amount", AMOUNTS)
def test_an_amount_in_a_table_has_no_exponent(connection: Connection, amount: str) -> None:
    """Anybody's SQL reads plain digits: on SQLite the column is text, without trailing zeros."""
    connection.execute(insert(ledger).values(id=1, amount=Decimal(amount)))
    shown = str(connection.execute(text("SELECT CAST(amount AS TEXT) FROM exact")).scalar_one())
    assert "E" not in shown.upper()
    assert Decimal(shown) == Decimal(amount)
    if connection.dialect.name == "sqlite":
        assert connection.execute(text("SELECT typeof(amount) FROM exact")).scalar_one() == "text"


@pytest.mark.parametrize("time", EDGES)
def test_a_time_keeps_its_nanoseconds(connection: Connection, time: int) -> None:
    """Neither database has a type for them, so they are integers on both."""
    connection.execute(insert(ledger).values(id=1, at=time))
    assert connection.execute(select(ledger.c.at)).scalar_one() == time


@given(labels=st.dictionaries(st.text(min_size=1, max_size=8), st.text(max_size=8), max_size=4))
def test_labels_come_back_as_they_were(labels: dict[str, str]) -> None:
    """Any text, quotes and other scripts included; none at all is no text."""
    pairs = tuple(labels.items())
    assert labels_of(labels_text(pairs)) == pairs
    assert bool(labels_text(pairs)) == bool(pairs)
