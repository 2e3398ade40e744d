"""Whole files of real prices, sent by a fake venue as fast as it can into a real sidecar, end with the right figures."""

from __future__ import annotations

import asyncio
import csv
import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import pytest

import lotkeeper.aio
from tests.feeds.recorded import DATA
from tests.support.sidecar import Sidecar
from tests.support.venues import FakeVenue, Quote

SYMBOL = "REAL"
QUANTITY = Decimal(3)
WAIT_SECONDS = 60.0


class Market(NamedTuple):
    """A file, who sends it, and which of its prices values a position."""

    file: str
    venue: str
    table: dict[str, str]
    valued: Callable[[Quote], Decimal]


def last(quote: Quote) -> Decimal:
    """The price of the last trade."""
    assert quote.last is not None
    return quote.last


def mid(quote: Quote) -> Decimal:
    """Half way between bid and ask."""
    assert quote.bid is not None
    assert quote.ask is not None
    return (quote.bid + quote.ask) / 2


def bid(quote: Quote) -> Decimal:
    """What a long is worth."""
    assert quote.bid is not None
    return quote.bid


MARKETS = (
    Market("btc-perp-1m.csv", "bybit", {"category": "linear", "price": "last"}, last),
    Market("fx-quotes.csv", "coinbase", {"price": "mid"}, mid),
    Market("usdjpy-ticks.csv", "coinbase", {"price": "side"}, bid),
)


def quotes(path: Path) -> Iterator[Quote]:
    """The file's rows in order."""
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if "close" in row:
                yield Quote(0, last=Decimal(row["close"]))
            else:
                yield Quote(0, bid=Decimal(row["bid"]), ask=Decimal(row["ask"]))


def configured(folder: Path, market: Market, url: str) -> Path:
    """The sidecar's settings: one feed."""
    lines = ["[feeds.venue]", f"venue = {json.dumps(market.venue)}", f"url = {json.dumps(url)}"]
    lines += [f"{key} = {json.dumps(value)}" for key, value in market.table.items()]
    path = folder / "lotkeeper.toml"
    path.write_text("\n".join([*lines, f'symbols = {{ "{SYMBOL}" = "{SYMBOL}" }}', ""]))
    return path


@pytest.mark.parametrize("market", MARKETS, ids=[market.file for market in MARKETS])
async def test_a_whole_file_of_real_prices_ends_with_the_right_figures(market: Market, tmp_path: Path) -> None:
    """No message is lost on the way, and the last price of the file values what is open, to the digit."""
    path = DATA / "market" / market.file
    if not path.exists():
        pytest.skip(f"{market.file} is not beside the repository in shared/data/market")
    sent = list(quotes(path))
    async with FakeVenue() as venue:
        config = configured(tmp_path, market, venue.url(market.venue))
        with Sidecar(str(tmp_path / "x.db"), "--config", str(config)) as sidecar:
            async with lotkeeper.aio.connect(sidecar.address) as ledger:
                first = market.valued(sent[0])
                await ledger.create_entry(
                    symbol=SYMBOL, quantity=QUANTITY, entry_price=first, entry_fill_id="first", fee="0"
                )
                await venue.wait_subscribed(market.venue, SYMBOL)
                for quote in sent:
                    await venue.publish(market.venue, SYMBOL, last=quote.last, bid=quote.bid, ask=quote.ask)
                expected = market.valued(sent[-1])
                async with asyncio.timeout(WAIT_SECONDS):
                    await taken(ledger, len(sent), expected)
                (position,) = (await ledger.get_summary()).positions
                (feed,) = (await ledger.list_marks()).feeds
    assert (position.mark_price, position.mark_source) == (expected, "venue")
    assert position.unrealized_pnl == QUANTITY * (expected - first)
    assert (feed.connected, feed.reconnect_count) == (True, 0)


async def taken(ledger: lotkeeper.aio.AsyncLedger, messages: int, price: Decimal) -> None:
    """Until so many messages were taken, and the mark is at ``price``: some of them are answers and heartbeats."""
    while True:
        listed = await ledger.list_marks()
        if listed.feeds[0].message_count >= messages and (await ledger.get_summary()).positions[0].mark_price == price:
            return
        await asyncio.sleep(0.05)
