"""The vendors' own SDKs read from the fake venues what was published there."""

import json
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
import pytest_asyncio

from tests.certify.running import PYTHON, Line, running
from tests.support.venues import (
    CONNECTION_LIMIT,
    KEY,
    SECRET,
    WRONG_KEY,
    Cut,
    FakeVenue,
    Quote,
    RefuseLogin,
    Slow,
    many_symbols,
)

pytestmark = [
    pytest.mark.certify,
    pytest.mark.skipif(
        not PYTHON.exists(), reason="the SDKs' environment .venv-certify is missing: `make certify` makes it"
    ),
]
TIME = 1_767_323_045_123_456_789
MANY = 500
DISTANCE_SECONDS = 0.2
# What a client prints when it has asked for everything.
SUBSCRIBED = {"alpaca": "subscribed to", "bybit": "ready", "coinbase": "heartbeats"}


@pytest_asyncio.fixture
async def venue() -> AsyncIterator[FakeVenue]:
    """The fake, with heartbeats fast enough to wait for, and Bybit as far away as a real venue is at least.

    pybit notes what it asked for only after it sent it. An answer that is there sooner ends its reading thread.
    """
    async with FakeVenue(heartbeat_seconds=0.2) as fake:
        fake.script("bybit", Slow(DISTANCE_SECONDS))
        yield fake


def bybit_url(venue: FakeVenue) -> str:
    """The fake's address with a hole where the SDK puts the category."""
    return venue.url("bybit").replace("linear", "{CHANNEL_TYPE}")


def left_out(fields: Line) -> set[str]:
    """What the SDK knows of and did not find."""
    return {name for name, value in fields.items() if value is None}


async def test_alpaca_py_reads_every_field_of_a_trade_a_quote_and_a_bar(venue: FakeVenue) -> None:
    """MessagePack both ways, one array of three kinds; the SDK's models miss nothing."""
    async with running("alpaca_stocks.py", venue.url("alpaca"), KEY, SECRET, "AAPL") as client:
        await venue.wait_subscribed("alpaca", "AAPL")
        await venue.publish("alpaca", "AAPL", last="150.10", bid="150.05", ask="150.15", time=TIME)
        trade, quote, bar = [await client.kind(kind) for kind in ("trade", "quote", "bar")]
    assert (trade["symbol"], trade["price"], quote["bid_price"], quote["ask_price"], bar["close"]) == (
        "AAPL",
        150.10,
        150.05,
        150.15,
        150.10,
    )
    assert trade["timestamp"] == quote["timestamp"] == "2026-01-02T03:04:05.123456Z"
    assert bar["timestamp"] == "2026-01-02T03:04:00Z"
    assert left_out(trade) | left_out(quote) | left_out(bar) == set()


async def test_alpaca_py_unsubscribes_from_one_channel_and_keeps_the_others(venue: FakeVenue) -> None:
    """After the word, the quote is not sent; the trade of the same price is."""
    async with running("alpaca_stocks.py", venue.url("alpaca"), KEY, SECRET, "AAPL") as client:
        await venue.wait_subscribed("alpaca", "AAPL")
        await client.log("subscribed to trades")
        client.word()
        log = await client.log("subscribed to trades")
        await venue.publish("alpaca", "AAPL", last="151", bid="150", ask="152")
        kinds = [(await client.until(lambda _: True))["kind"] for _ in range(2)]
    assert "quotes" not in log["said"]
    assert kinds == ["trade", "bar"]


@pytest.mark.parametrize(
    ("refusal", "said"), [(WRONG_KEY, "auth failed"), (CONNECTION_LIMIT, "connection limit exceeded")]
)
async def test_alpaca_py_understands_a_refused_login(venue: FakeVenue, refusal: RefuseLogin, said: str) -> None:
    """The SDK logs the venue's words, tries again and is let in once the fault is over."""
    venue.script("alpaca", refusal, connections=1)
    async with running("alpaca_stocks.py", venue.url("alpaca"), KEY, SECRET, "AAPL") as client:
        await client.log(said)
        await venue.wait_subscribed("alpaca", "AAPL")
        await venue.publish("alpaca", "AAPL", last="150.10")
        assert (await client.kind("trade"))["price"] == 150.10
    assert (venue.refused_logins, venue.connections("alpaca")) == (1, 2)


async def test_alpaca_py_subscribes_to_500_symbols(venue: FakeVenue) -> None:
    """The SDK sends its request in fragments; the prices of all come in one array."""
    symbols = many_symbols(MANY, suffix="")
    async with running("alpaca_stocks.py", venue.url("alpaca"), KEY, SECRET, *symbols) as client:
        await venue.wait_subscribed("alpaca", *symbols)
        quotes = {symbol: Quote(TIME, last=Decimal(index)) for index, symbol in enumerate(symbols, 1)}
        await venue.publish_many("alpaca", quotes)
        prices = {(trade := await client.kind("trade"))["symbol"]: trade["price"] for _ in symbols}
    assert prices == {symbol: float(index) for index, symbol in enumerate(symbols, 1)}


@pytest.mark.parametrize("category", ["linear", "inverse", "spot", "option"])
async def test_pybit_reads_tickers_and_trades_of_every_category(venue: FakeVenue, category: str) -> None:
    """Two prices one after the other: with deltas the SDK itself puts the second onto the first."""
    symbol = "BTC-26DEC26-50000-C" if category == "option" else "BTCUSDT"
    bid, ask = ("bidPrice", "askPrice") if category == "option" else ("bid1Price", "ask1Price")
    async with running("bybit_public.py", bybit_url(venue), category, symbol) as client:
        await client.kind("ready")
        await venue.publish(
            "bybit", symbol, part=category, last="53010.00", bid="53009.50", ask="53010.5", mark="53011", time=TIME
        )
        first, trade = await client.kind("ticker"), await client.kind("trade")
        await venue.publish("bybit", symbol, part=category, bid="53009.75")
        second = await client.kind("ticker")
    assert (first["data"]["lastPrice"], first["ts"], trade["data"][0]["p"]) == ("53010.00", TIME // 10**6, "53010.00")
    assert second["data"]["lastPrice"] == "53010.00"
    if category != "spot":
        assert (first["data"][bid], second["data"][bid], second["data"][ask]) == ("53009.50", "53009.75", "53010.5")
        assert second["data"]["markPrice"] == "53011"
    assert (second.get("cs"), "id" in second) != (None, False)


async def test_pybit_puts_a_spot_book_together(venue: FakeVenue) -> None:
    """A spot ticker has no bid and ask; the book of one level has."""
    async with running("bybit_public.py", bybit_url(venue), "spot", "BTCUSDT") as client:
        await client.kind("ready")
        await venue.publish("bybit", "BTCUSDT", part="spot", bid="53009.5", ask="53010.5")
        book = (await client.kind("book"))["data"]
    assert (book["s"], book["b"][0][0], book["a"][0][0]) == ("BTCUSDT", "53009.5", "53010.5")


async def test_pybit_gets_its_acknowledgements_and_pongs(venue: FakeVenue) -> None:
    """Acks carry the request's id, or the SDK could not name the topic; a pong it did not know would end its thread."""
    async with running("bybit_public.py", bybit_url(venue), "linear", "BTCUSDT") as client:
        for topic in ("tickers", "publicTrade", "orderbook"):
            assert topic in (await client.log("successful"))["said"]
        client.word()
        await client.log("Unsubscription from publicTrade.BTCUSDT successful")
        await venue.wait_until(lambda: _pings(venue) > 0)
        await venue.publish("bybit", "BTCUSDT", last="2", bid="1")
        kinds = [(await client.until(lambda line: line["kind"] != "log"))["kind"] for _ in range(2)]
    assert kinds == ["ticker", "book"]
    assert venue.connections("bybit") == 1


def _pings(venue: FakeVenue) -> int:
    return sum(json.loads(body).get("op") == "ping" for body in venue.received["bybit"])


async def test_pybit_hears_that_a_topic_is_refused(venue: FakeVenue) -> None:
    """A symbol that the venue does not list."""
    venue.unlist("bybit", "NOPEUSDT")
    async with running("bybit_public.py", bybit_url(venue), "linear", "NOPEUSDT") as client:
        assert "Invalid topic: tickers.NOPEUSDT" in (await client.log("Couldn't subscribe"))["said"]


@pytest.mark.parametrize("login", ["key", "nokey"])
async def test_coinbase_advanced_py_reads_every_field_with_and_without_a_token(venue: FakeVenue, login: str) -> None:
    """A snapshot, an update, a trade and heartbeats, numbered without a gap; the SDK's types miss nothing."""
    await venue.publish("coinbase", "BTC-USD", last="68900.50", bid="68900", ask="68901.00", time=TIME)
    async with running("coinbase_market.py", venue.url("coinbase"), login, "BTC-USD") as client:
        snapshot = await client.kind("ticker")
        subscribed = await client.until(lambda line: "heartbeats" in str(line))
        beats = [(await client.kind("heartbeats"))["events"][0]["heartbeat_counter"] for _ in range(2)]
        await venue.publish("coinbase", "BTC-USD", last="68900.75", time=TIME)
        update = await client.kind("ticker")
        trade = await client.kind("market_trades")
    first, second = snapshot["events"][0]["tickers"][0], update["events"][0]["tickers"][0]
    sold = trade["events"][0]["trades"][0]
    assert (snapshot["sequence_num"], trade["sequence_num"] - update["sequence_num"]) == (0, 1)
    assert (first["price"], first["best_bid"], first["best_ask"]) == ("68900.50", "68900", "68901.00")
    assert (second["price"], second["best_ask"], sold["price"]) == ("68900.75", "68901.00", "68900.75")
    assert (snapshot["events"][0]["type"], update["events"][0]["type"]) == ("snapshot", "update")
    assert left_out(first) | left_out(sold) == set()
    assert beats == [1, 2]
    assert subscribed["events"][0]["subscriptions"]["ticker"] == ["BTC-USD"]
    assert ("jwt" in json.loads(venue.received["coinbase"][0])) is (login == "key")


async def test_coinbase_advanced_py_unsubscribes_from_one_channel(venue: FakeVenue) -> None:
    """The list of subscriptions is without it, and the ticker goes on."""
    async with running("coinbase_market.py", venue.url("coinbase"), "nokey", "BTC-USD") as client:
        await client.until(lambda line: "heartbeats" in str(line))
        client.word()
        left = await client.kind("subscriptions")
        await venue.publish("coinbase", "BTC-USD", last="68900.75")
        assert (await client.until(lambda line: line["kind"] != "heartbeats"))["kind"] == "ticker"
    assert left["events"][0]["subscriptions"] == {"ticker": ["BTC-USD"], "heartbeats": ["heartbeats"]}


async def test_coinbase_advanced_py_is_told_that_its_token_is_refused(venue: FakeVenue) -> None:
    """An error has no channel."""
    venue.script("coinbase", RefuseLogin(401))
    async with running("coinbase_market.py", venue.url("coinbase"), "key", "BTC-USD") as client:
        assert (await client.kind("error"))["message"] == "authentication failure"


@pytest.mark.parametrize(
    ("name", "symbol", "script", "arguments"),
    [
        ("alpaca", "AAPL", "alpaca_stocks.py", (KEY, SECRET)),
        ("bybit", "BTCUSDT", "bybit_public.py", ("linear",)),
        ("coinbase", "BTC-USD", "coinbase_market.py", ("nokey",)),
    ],
)
async def test_every_sdk_takes_half_a_frame_for_a_lost_connection(
    venue: FakeVenue, name: str, symbol: str, script: str, arguments: tuple[str, ...]
) -> None:
    """It never hands over the half, connects again, subscribes again and reads on."""
    url = bybit_url(venue) if name == "bybit" else venue.url(name)
    price = Decimal("100.25")
    async with running(script, url, *arguments, symbol) as client:
        await venue.wait_subscribed(name, symbol)
        await client.until(lambda line: SUBSCRIBED[name] in str(line))
        venue.strike(name, Cut())
        await venue.publish(name, symbol, last="99")
        await venue.wait_until(lambda: venue.connections(name) == 2 and symbol in venue.subscribed(name))
        await venue.publish(name, symbol, last=price)
        await client.until(lambda line: str(price) in str(line))
