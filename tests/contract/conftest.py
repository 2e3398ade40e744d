"""Fixtures of the contract's tests: one sidecar per database for all of them, and channels whose every call ends.

A test has a portfolio and a symbol of its own, so that none sees what another left. A test that needs other settings, or
does something to its server, starts one on ``database_url``.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import grpc
import pytest

from tests.support.dialing import dialed
from tests.support.plain_sql import PlainSql
from tests.support.postgres import PostgresServer
from tests.support.sidecar import Sidecar

_numbers = itertools.count(1)


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def sidecar(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sidecar]:
    """A running sidecar, once on SQLite and once on PostgreSQL, for every module here: starting one costs a second."""
    if request.param == "sqlite":
        database = str(tmp_path_factory.mktemp("ledger") / "lotkeeper.db")
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        database = server.create_database()
    with Sidecar(database) as running:
        yield running


@pytest.fixture(scope="session")
def channel(sidecar: Sidecar) -> Iterator[grpc.Channel]:
    """One channel to it."""
    with dialed(sidecar.address) as channel:
        yield channel


@pytest.fixture
def sql(sidecar: Sidecar) -> Iterator[PlainSql]:
    """Plain SQL beside it."""
    with PlainSql(sidecar.database) as sql:
        yield sql


@pytest.fixture
def symbol() -> str:
    """An instrument that no other test trades or marks."""
    return f"S{next(_numbers)}"
