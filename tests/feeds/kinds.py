"""Every way to be connected to a venue, for the tests that hold for all of them."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from lotkeeperd.feeds.spec import FeedSpec
from tests.feeds.witness import spec
from tests.support.venues import FakeVenue


class Kind(NamedTuple):
    """One way to be connected."""

    venue: str
    symbol: str
    part: str | None = None
    more: tuple[tuple[str, object], ...] = ()

    def spec(self, venue: FakeVenue, *more: tuple[str, object], symbols: dict[str, str] | None = None) -> FeedSpec:
        """A feed of this kind; its one symbol is OURS in the ledger."""
        url = venue.url(self.venue, self.part)
        return spec(self.venue, url, symbols or {self.symbol: "OURS"}, self.more + more)


KINDS = {
    "alpaca json": Kind("alpaca", "AAPL"),
    "alpaca msgpack": Kind("alpaca", "AAPL", more=(("encoding", "msgpack"),)),
    "bybit linear": Kind("bybit", "BTCUSDT"),
    "bybit inverse": Kind("bybit", "BTCUSD", "inverse", (("category", "inverse"),)),
    "bybit spot": Kind("bybit", "BTCUSDT", "spot", (("category", "spot"),)),
    "bybit option": Kind("bybit", "BTC-29DEC26-100000-C", "option", (("category", "option"),)),
    "coinbase": Kind("coinbase", "BTC-USD"),
}
every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())


async def publish_last(venue: FakeVenue, kind: Kind, price: str, time: int | None = None) -> None:
    """A new last price."""
    await venue.publish(kind.venue, kind.symbol, part=kind.part, last=price, time=time)
