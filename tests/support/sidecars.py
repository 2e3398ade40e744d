"""Fixtures: a sidecar on each database, shared by a module's tests; each test has a portfolio of its own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import grpc
import pytest

from lotkeeper.v1 import (
    event_service_pb2_grpc,
    explain_service_pb2_grpc,
    instrument_service_pb2_grpc,
    ledger_service_pb2_grpc,
    market_service_pb2_grpc,
    portfolio_service_pb2_grpc,
)
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
def events(channel: grpc.Channel) -> event_service_pb2_grpc.EventServiceStub:
    """The generated stub of EventService."""
    return event_service_pb2_grpc.EventServiceStub(channel)


@pytest.fixture
def portfolios(channel: grpc.Channel) -> portfolio_service_pb2_grpc.PortfolioServiceStub:
    """The generated stub of PortfolioService."""
    return portfolio_service_pb2_grpc.PortfolioServiceStub(channel)


@pytest.fixture
def instruments(channel: grpc.Channel) -> instrument_service_pb2_grpc.InstrumentServiceStub:
    """The generated stub of InstrumentService."""
    return instrument_service_pb2_grpc.InstrumentServiceStub(channel)


@pytest.fixture
def explain(channel: grpc.Channel) -> explain_service_pb2_grpc.ExplainServiceStub:
    """The generated stub of ExplainService."""
    return explain_service_pb2_grpc.ExplainServiceStub(channel)


@pytest.fixture
def portfolio() -> str:
    """A portfolio that no other test uses."""
    return f"p{next(_numbers)}"
