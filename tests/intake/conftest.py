"""A house for each test; on both databases where the database matters."""

from pathlib import Path

import pytest

from tests.intake.moving import House


@pytest.fixture
def house(tmp_path: Path, sqlite_url: str) -> House:
    """A ledger on SQLite that does not exist yet."""
    return House(tmp_path, sqlite_url)


@pytest.fixture
def either_house(tmp_path: Path, database_url: str) -> House:
    """A ledger that does not exist yet, once per database."""
    return House(tmp_path, database_url)
