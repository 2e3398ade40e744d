"""Venues on loopback: one websocket server that speaks Alpaca's, Bybit's and Coinbase's market data.

Problem: a feed tested against a mock is tested against what its author believed. A field left out of a fake once made
a client library take a perpetual for a spot pair.
Chosen: one server with every documented field, certified by the vendors' own SDKs (tests/certify). Faults are values
that compose; a test puts them on connections to come (``script``) or on those that are open (``strike``).

    async with FakeVenue() as venue:
        url = venue.url("bybit")                     # part="inverse", "spot", "option"; Alpaca's "sip", "test"
        venue.script("bybit", Cut(after=3), connections=1)
        ...                                          # the feed under test connects
        await venue.wait_subscribed("bybit", "BTCUSDT")
        await venue.publish("bybit", "BTCUSDT", last="53010.00", bid="53009.5", ask="53010.5", mark="53010.1")
        venue.strike("bybit", Silence())
        await venue.wait_connections("bybit", made=2)
        venue.heal("bybit")
"""

from tests.support.venues.faults import (
    CONNECTION_LIMIT,
    WRONG_KEY,
    Cut,
    Duplicate,
    Fault,
    Gap,
    Garbage,
    HangUp,
    OutOfOrder,
    RateLimit,
    RefuseConnection,
    RefuseLogin,
    Silence,
    Slow,
)
from tests.support.venues.quotes import Quote, many_symbols
from tests.support.venues.server import KEY, SECRET, FakeVenue

__all__ = [
    "CONNECTION_LIMIT",
    "KEY",
    "SECRET",
    "WRONG_KEY",
    "Cut",
    "Duplicate",
    "FakeVenue",
    "Fault",
    "Gap",
    "Garbage",
    "HangUp",
    "OutOfOrder",
    "Quote",
    "RateLimit",
    "RefuseConnection",
    "RefuseLogin",
    "Silence",
    "Slow",
    "many_symbols",
]
