"""Fixtures: a sidecar on each database, shared by a module's tests; each test has a portfolio of its own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import grpc
import pytest

from lotkeeper.v1 import ledger_service_pb2_grpc, market_service_pb2_grpc
from tests.support.postgres import PostgresServer
from tests.support.sidecar import Sidecar

_numbers = itertools.count(1)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def sidecar(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sidecar]:
    """A running sidecar, once on SQLite and once on PostgreSQL, for all tests of a module."""
    if request.param == "sqlite":
        database = str(tmp_path_factory.mktemp("ledger") / "lotkeeper.db")
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        database = server.create_database()
    with Sidecar(database) as running:
        yield running


@pytest.fixture
def channel(sidecar: Sidecar) -> Iterator[grpc.Channel]:
    """A plain gRPC channel to it."""
    with grpc.insecure_channel(sidecar.address) as channel:
        yield channel


@pytest.fixture
def ledger(channel: grpc.Channel) -> ledger_service_pb2_grpc.LedgerServiceStub:
    """The generated stub of LedgerService."""
    return ledger_service_pb2_grpc.LedgerServiceStub(channel)


@pytest.fixture
def market(channel: grpc.Channel) -> market_service_pb2_grpc.MarketServiceStub:
    """The generated stub of MarketService."""
    return market_service_pb2_grpc.MarketServiceStub(channel)


@pytest.fixture
def portfolio() -> str:
    """A portfolio that no other test uses."""
    return f"p{next(_numbers)}"
