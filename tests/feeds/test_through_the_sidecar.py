"""A feed of a real sidecar breaks and heals, and whoever follows P&L sees both."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from decimal import Decimal
from pathlib import Path

import lotkeeper.aio
from lotkeeper import PnLEvent, Position, Snapshot, Update
from tests.support.sidecar import Sidecar
from tests.support.venues import FakeVenue, Silence

WAIT_SECONDS = 60.0

CONFIG = """
[feeds.linear]
venue = "bybit"
category = "linear"
url = "{linear}"
silence = 2.0
symbols = {{ BTCUSDT = "BTC-USD" }}

[feeds.spot]
venue = "bybit"
category = "spot"
url = "{spot}"
symbols = {{ BTCUSDT = "BTC" }}
"""


async def seen(events: AsyncIterator[PnLEvent], symbol: str, true: Callable[[Position], bool]) -> Position:
    """The first state of a position that is like that."""
    async with asyncio.timeout(WAIT_SECONDS):
        async for event in events:
            if isinstance(event, Snapshot | Update):
                for position in event.positions:
                    if position.symbol == symbol and true(position):
                        return position
    raise AssertionError("the stream has ended")


def configured(folder: Path, venue: FakeVenue) -> str:
    """A file with a perpetual and a spot pair that are spelled alike."""
    path = folder / "lotkeeper.toml"
    path.write_text(CONFIG.format(linear=venue.url("bybit", "linear"), spot=venue.url("bybit", "spot")))
    return str(path)


async def test_a_break_is_seen_at_once_and_so_is_its_end(tmp_path: Path) -> None:
    """Cut off, and then mute though connected: stale each time, long before the mark's age, and fresh again after it."""
    async with FakeVenue(heartbeat_seconds=0.2) as venue:
        config = configured(tmp_path, venue)
        with Sidecar(str(tmp_path / "x.db"), "--config", config, settings={"mark_max_age": 3600}) as sidecar:
            async with lotkeeper.aio.connect(sidecar.address) as ledger, aclosing(ledger.stream_pnl()) as events:
                await ledger.create_entry(symbol="BTC-USD", quantity=2, entry_price=100, entry_fill_id="f")
                await venue.wait_subscribed("bybit", "BTCUSDT", part="linear")
                await venue.publish("bybit", "BTCUSDT", part="linear", last="104")
                position = await seen(events, "BTC-USD", lambda position: position.mark_price is not None)
                assert (position.unrealized_pnl, position.mark_stale, position.mark_source) == (
                    Decimal(8),
                    False,
                    "linear",
                )

                venue.abort_connections("bybit")
                await seen(events, "BTC-USD", lambda position: position.mark_stale)
                await venue.wait_subscribed("bybit", "BTCUSDT", part="linear")
                position = await seen(events, "BTC-USD", lambda position: not position.mark_stale)
                assert position.mark_price == 104  # out of the snapshot that a subscription begins with

                venue.strike("bybit", Silence())
                await seen(events, "BTC-USD", lambda position: position.mark_stale)
                await seen(events, "BTC-USD", lambda position: not position.mark_stale)
                (linear,) = [feed for feed in (await ledger.list_marks()).feeds if feed.source == "linear"]
                assert linear.connected
                assert linear.reconnect_count >= 2


async def test_a_spot_pair_and_a_perpetual_that_are_spelled_alike_stay_apart(tmp_path: Path) -> None:
    """Each values its own symbol; what is closed is subscribed to no more."""
    async with FakeVenue() as venue:
        with Sidecar(str(tmp_path / "x.db"), "--config", configured(tmp_path, venue)) as sidecar:
            async with lotkeeper.aio.connect(sidecar.address) as ledger, aclosing(ledger.stream_pnl()) as events:
                for symbol in ("BTC-USD", "BTC"):
                    await ledger.create_entry(symbol=symbol, quantity=1, entry_price=100, entry_fill_id=symbol)
                for part, price in (("linear", "104"), ("spot", "99")):
                    await venue.wait_subscribed("bybit", "BTCUSDT", part=part)
                    await venue.publish("bybit", "BTCUSDT", part=part, last=price)
                async with asyncio.timeout(WAIT_SECONDS):
                    while len(marks := (await ledger.list_marks()).marks) < 2:  # noqa: ASYNC110 - nobody tells of it
                        await asyncio.sleep(0.05)
                assert [(mark.symbol, str(mark.price), mark.source) for mark in marks] == [
                    ("BTC", "99", "spot"),
                    ("BTC-USD", "104", "linear"),
                ]
                await seen(events, "BTC", lambda position: position.mark_price == 99)

                await ledger.close_fifo(symbol="BTC", close_all=True, exit_price=99, exit_fill_id="out")
                await venue.wait_until(lambda: venue.subscribed("bybit", "spot") == frozenset())
                assert venue.subscribed("bybit", "linear") == {"BTCUSDT"}
