"""Brokers on loopback: one HTTP server that speaks the account APIs of Alpaca, Bybit and Coinbase.

Problem: an adapter tested against a mock is tested against what its author believed.
Chosen: a real server with every documented field, with the brokers' own signatures, page sizes, windows and error texts, certified
by the vendors' own SDKs (tests/certify). Faults are values that a test scripts.

    with FakeBrokers() as fakes:
        fakes.bybit.hold("BTCUSDT", "-0.5", "50000", part="linear")
        fakes.bybit.fill("e1", "BTCUSDT", "sell", "0.5", "50000", order_id="o1")
        fakes.bybit.script(Status(500, path="/v5/execution/list", page=2))
        broker = fakes.open("bybit")                    # or broker_of("bybit", fakes.options("bybit"), fakes.environment)
        statement = await broker.statement(since=0)
        fakes.bybit.heal()
"""

from tests.support.brokers.faults import (
    Empty,
    ExpiredKey,
    Fault,
    HangUp,
    NotJson,
    Status,
    Stuck,
    Then,
    TooMany,
    WrongSignature,
)
from tests.support.brokers.server import FakeBrokers

__all__ = [
    "Empty",
    "ExpiredKey",
    "FakeBrokers",
    "Fault",
    "HangUp",
    "NotJson",
    "Status",
    "Stuck",
    "Then",
    "TooMany",
    "WrongSignature",
]
