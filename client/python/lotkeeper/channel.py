"""How a client reaches its server: the address, the options of the connection, the stubs. Shared by both clients.

The ledger is a sidecar: it dies and comes back at the same address while the bot goes on. gRPC's defaults are made for
far-away services. Seen with them: a restarted server found only after a wait that grows to two minutes; a slow reader
with 4.4 MiB of old prices queued for it; a proxy from the environment asked for 127.0.0.1; a dead peer noticed after
hours. Each option below says what it is against.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from lotkeeper.v1.event_service_pb2_grpc import EventServiceStub
from lotkeeper.v1.explain_service_pb2_grpc import ExplainServiceStub
from lotkeeper.v1.instrument_service_pb2_grpc import InstrumentServiceStub
from lotkeeper.v1.ledger_service_pb2_grpc import LedgerServiceStub
from lotkeeper.v1.market_service_pb2_grpc import MarketServiceStub
from lotkeeper.v1.portfolio_service_pb2_grpc import PortfolioServiceStub
from lotkeeper.v1.reconciliation_service_pb2_grpc import ReconciliationServiceStub

if TYPE_CHECKING:
    import grpc
    import grpc.aio

LARGEST_MESSAGE = 8 * 1024 * 1024  # bytes; the server's answers stay well below
LONGEST_RECONNECT = 1_000  # milliseconds between two attempts to connect
LONGEST_CONNECT = 5_000  # milliseconds one attempt may take
PING_INTERVAL = 20_000  # milliseconds; the server refuses more than one in 10 s
PING_TIMEOUT = 5_000  # milliseconds without an answer to a ping, and the connection counts as lost

_STUBS = (
    EventServiceStub,
    ExplainServiceStub,
    InstrumentServiceStub,
    LedgerServiceStub,
    MarketServiceStub,
    PortfolioServiceStub,
    ReconciliationServiceStub,
)
_SERVICES = [{"service": f"lotkeeper.v1.{stub.__name__.removesuffix('Stub')}"} for stub in _STUBS]
_WAIT_FOR_READY = json.dumps({"methodConfig": [{"name": _SERVICES, "waitForReady": True}]})

OPTIONS: tuple[tuple[str, int | str], ...] = (
    ("grpc.service_config", _WAIT_FOR_READY),  # a call made while the server restarts waits for it
    ("grpc.enable_retries", 0),  # retries are ours alone: two layers of them would multiply
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", LONGEST_CONNECT),
    ("grpc.max_reconnect_backoff_ms", LONGEST_RECONNECT),
    ("grpc.http2.bdp_probe", 0),  # or the receive window grows, and with it what a slow reader lags behind
    ("grpc.keepalive_time_ms", PING_INTERVAL),
    ("grpc.keepalive_timeout_ms", PING_TIMEOUT),
    ("grpc.http2.max_pings_without_data", 0),  # a stream may be silent for longer than two pings
    ("grpc.max_receive_message_length", LARGEST_MESSAGE),
    ("grpc.enable_http_proxy", 0),
)

_ADDRESS = re.compile(r"unix:\S+|(\[[0-9A-Fa-f:.%\w]+\]|[^\s:/\[\]]+):[0-9]{1,5}", re.ASCII)


def target(address: str) -> str:
    """``address`` if it is one: ``host:port``, ``[ipv6]:port`` or ``unix:/path.sock``.

    Raises:
        ValueError: it is something else.
    """
    if not _ADDRESS.fullmatch(address):
        raise ValueError(f"address {address!r} is neither host:port nor unix:/path.sock; pass such as 127.0.0.1:50051")
    return address


def methods(channel: grpc.Channel | grpc.aio.Channel) -> Mapping[str, Callable[..., Any]]:
    """The callables of all services by RPC name, over a blocking or an asyncio channel."""
    return {name: method for stub in _STUBS for name, method in vars(stub(channel)).items()}
