"""The fake venues themselves: what the vendors' SDKs (tests/certify) cannot see of their faults and limits."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import msgpack
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, ConnectionClosedError, InvalidStatus

from tests.feeds.recorded import recorded
from tests.support.venues import (
    CONNECTION_LIMIT,
    KEY,
    SECRET,
    WRONG_KEY,
    Cut,
    Duplicate,
    FakeVenue,
    Fault,
    Gap,
    Garbage,
    OutOfOrder,
    Quote,
    RefuseConnection,
    RefuseLogin,
    Silence,
    Slow,
)

TIME = 1_767_323_045_123_456_789
PACKED = {"Content-Type": "application/msgpack"}
NEVER = 3600.0
Message = dict[str, Any]


async def ask(client: ClientConnection, request: Message) -> Any:
    """Send a request and read the next message."""
    await client.send(json.dumps(request))
    return json.loads(await client.recv())


async def read(client: ClientConnection, count: int) -> list[Any]:
    """The next so many messages."""
    return [json.loads(await client.recv()) for _ in range(count)]


def ticker(product: str, kind: str = "subscribe") -> Message:
    """A request for Coinbase's ticker."""
    return {"type": kind, "channel": "ticker", "product_ids": [product]}


@asynccontextmanager
async def coinbase(*faults: Fault) -> AsyncIterator[tuple[FakeVenue, ClientConnection]]:
    """A venue and a client subscribed to one ticker, with these faults from then on."""
    async with FakeVenue(heartbeat_seconds=NEVER) as venue, connect(venue.url("coinbase")) as client:
        await ask(client, ticker("BTC-USD"))
        venue.strike("coinbase", *faults)
        yield venue, client


async def publish(venue: FakeVenue, *prices: int) -> None:
    """Tell those prices one after the other."""
    for price in prices:
        await venue.publish("coinbase", "BTC-USD", last=price)


def told(message: Message) -> tuple[int, str]:
    """The number of a ticker's frame and its price."""
    return message["sequence_num"], message["events"][0]["tickers"][0]["price"]


@pytest.mark.parametrize(
    ("faults", "heard"),
    [
        ([Duplicate()], [(1, "1"), (1, "1"), (2, "2"), (2, "2")]),
        ([Duplicate(after=1)], [(1, "1"), (2, "2"), (2, "2"), (3, "3")]),
        ([OutOfOrder()], [(2, "2"), (1, "1"), (4, "4"), (3, "3")]),
        ([Gap()], [(2, "2"), (3, "3"), (4, "4")]),
        ([Gap(after=1, frames=2)], [(1, "1"), (4, "4")]),
        ([Slow(0.001), Gap(after=3)], [(1, "1"), (2, "2"), (3, "3")]),
        ([Gap(), Duplicate()], [(2, "2"), (2, "2"), (3, "3"), (3, "3")]),
        ([OutOfOrder(), Duplicate(times=3)], [(2, "2"), (2, "2"), (2, "2"), (1, "1")]),
    ],
)
async def test_faults_compose_and_keep_the_numbers_of_the_frames(
    faults: list[Fault], heard: list[tuple[int, str]]
) -> None:
    """What is told twice, late or never keeps the number it got, so that a client can see it."""
    async with coinbase(*faults) as (venue, client):
        await publish(venue, 1, 2, 3, 4)
        assert [told(message) for message in await read(client, len(heard))] == heard


async def test_a_cut_breaks_the_connection_inside_a_frame() -> None:
    """The client's socket holds the beginning of a frame and then its end comes; nothing of it is handed over."""
    async with FakeVenue(heartbeat_seconds=NEVER) as venue:
        reader, writer = await asyncio.open_connection("127.0.0.1", venue.port)
        writer.write(
            b"GET /bybit/v5/public/linear HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        await reader.readuntil(b"\r\n\r\n")
        body = b'{"op":"subscribe","args":["tickers.BTCUSDT"]}'
        writer.write(bytes([0x81, 0x80 | len(body), 0, 0, 0, 0]) + body)
        await venue.wait_subscribed("bybit", "BTCUSDT")
        await reader.readuntil(b"}")
        venue.strike("bybit", Cut())
        await venue.publish("bybit", "BTCUSDT", last="1")
        start, extended, *rest = await reader.read()
        writer.close()
        length = int.from_bytes(rest[:2])
    assert (start, extended) == (0x81, 126), "a text frame whose length stands in two bytes"
    assert 0 < len(rest) - 2 < length
    assert venue.lost_connections == 1


async def test_after_a_cut_the_client_sees_a_lost_connection() -> None:
    """No closing handshake, and what was told before the cut is whole."""
    async with coinbase(Cut(after=1)) as (venue, client):
        await publish(venue, 1, 2, 3)
        assert told(json.loads(await client.recv())) == (1, "1")
        with pytest.raises(ConnectionClosedError, match="no close frame"):
            await client.recv()


async def test_a_silent_connection_is_open_and_answers_nothing() -> None:
    """Neither prices nor answers nor heartbeats come; websocket pings are answered, and healing brings all back."""
    async with coinbase(Silence(after=1)) as (venue, client):
        await publish(venue, 1, 2)
        await client.send(json.dumps(ticker("ETH-USD")))
        await venue.wait_subscribed("coinbase", "ETH-USD")
        await (await client.ping())
        venue.heal("coinbase")
        await publish(venue, 3)
        assert [told(message) for message in await read(client, 2)] == [(1, "1"), (4, "3")]


async def test_garbage_comes_once_before_a_price() -> None:
    """What is no JSON at all, then the price as if nothing had been."""
    async with coinbase(Garbage()) as (venue, client):
        await publish(venue, 1, 2)
        with pytest.raises(json.JSONDecodeError):
            json.loads(await client.recv())
        assert [told(message) for message in await read(client, 2)] == [(1, "1"), (2, "2")]


async def test_a_script_is_for_so_many_connections_and_then_used_up() -> None:
    """The first two are refused, each in its way; the third is served."""
    async with FakeVenue() as venue:
        venue.script("bybit", RefuseConnection(503), connections=1)
        venue.script("bybit", RefuseConnection(429), connections=2)
        for status in (503, 429):
            with pytest.raises(InvalidStatus, match=str(status)):
                await connect(venue.url("bybit"))
        async with connect(venue.url("bybit")) as client:
            assert (await ask(client, {"op": "ping"}))["ret_msg"] == "pong"
        assert (venue.refused_connections, venue.connections("bybit")) == (2, 1)


@pytest.mark.parametrize("refusal", [WRONG_KEY, CONNECTION_LIMIT])
async def test_a_scripted_refusal_of_a_login_has_its_code(refusal: RefuseLogin) -> None:
    """402 leaves the connection open for another try, 406 closes it."""
    async with FakeVenue() as venue, connect(venue.url("alpaca")) as client:
        venue.script("alpaca", refusal, connections=1)
        async with connect(venue.url("alpaca")) as refused:
            await refused.recv()
            [error] = await ask(refused, {"action": "auth", "key": KEY, "secret": SECRET})
            assert error["code"] == refusal.code
            if refusal is CONNECTION_LIMIT:
                with pytest.raises(ConnectionClosed):
                    await refused.recv()
        await client.recv()
        [welcome] = await ask(client, {"action": "auth", "key": KEY, "secret": SECRET})
        assert (welcome["msg"], venue.refused_logins) == ("authenticated", 1)


async def test_alpaca_refuses_by_itself_what_the_real_one_refuses() -> None:
    """Wrong key, no login, twice a login, an unknown action, more symbols than the plan has, a second connection."""
    async with FakeVenue(alpaca_symbols=2) as venue, connect(venue.url("alpaca")) as client:
        await client.recv()
        right = {"action": "auth", "key": KEY, "secret": SECRET}
        requests: list[Message] = [
            {"action": "subscribe", "trades": ["A"]},
            {"action": "auth", "key": KEY, "secret": "wrong"},
            {"no": "action"},
            right,
            right,
            {"action": "dance"},
            {"action": "subscribe", "trades": ["A", "B"], "quotes": ["A"]},
        ]
        answers = [(await ask(client, request))[0] for request in requests]
        async with connect(venue.url("alpaca")) as second:
            await second.recv()
            answers += await ask(second, right)
    assert [answer.get("code", answer["T"]) for answer in answers] == [401, 402, 400, "success", 403, 410, 405, 406]


async def test_who_does_not_log_in_or_subscribe_in_time_is_cut_off() -> None:
    """Alpaca says 404 before it closes; Coinbase closes without a word, and leaves a subscriber alone."""
    async with FakeVenue(login_seconds=0.01, subscribe_seconds=0.01) as venue:
        async with connect(venue.url("alpaca")) as client:
            assert [message[0].get("code") for message in await read(client, 2)] == [None, 404]
            with pytest.raises(ConnectionClosed):
                await client.recv()
        async with connect(venue.url("coinbase")) as client:
            with pytest.raises(ConnectionClosed):
                await client.recv()
    async with (
        FakeVenue(subscribe_seconds=0.01, heartbeat_seconds=0.05) as venue,
        connect(venue.url("coinbase")) as client,
    ):
        await ask(client, {"type": "subscribe", "channel": "heartbeats"})
        beats = [message["events"][0]["heartbeat_counter"] for message in await read(client, 3)]
        assert beats == [1, 2, 3]


async def test_alpaca_says_the_same_in_json_and_in_msgpack() -> None:
    """The header decides; JSON has the text of the price and of the time, MessagePack a double and a Timestamp."""
    async with (
        FakeVenue(alpaca_connections=None) as venue,
        connect(venue.url("alpaca")) as plain,
        connect(venue.url("alpaca"), additional_headers=PACKED) as packed,
    ):
        for request in (
            {"action": "auth", "key": KEY, "secret": SECRET},
            {"action": "subscribe", "trades": ["A"], "quotes": ["A"], "bars": ["*"]},
        ):
            await plain.send(json.dumps(request))
            await packed.send(msgpack.packb(request))
        await venue.wait_until(lambda: len(venue.received["alpaca"]) == 4)
        await venue.publish("alpaca", "A", last="150.10", bid="150.00", ask=0, time=TIME)
        texts = [await plain.recv() for _ in range(4)]
        packs = [msgpack.unpackb(await packed.recv()) for _ in range(4)]
    assert '"p":150.10,' in str(texts[3])
    trade, quote, bar = packs[3]
    assert (trade["t"].to_unix_nano(), bar["t"].to_unix_nano() % 60_000_000_000) == (TIME, 0)
    for item in (trade, quote):
        item["t"] = "2026-01-02T03:04:05.123456789Z"
    bar["t"] = "2026-01-02T03:04:00.000000000Z"
    assert [json.loads(text) for text in texts] == packs
    assert (quote["ap"], quote["as"], quote["ax"]) == (0, 0, " ")


async def test_a_bybit_delta_carries_what_changed_and_nothing_else() -> None:
    """The snapshot is whole; volumes change with every tick; a new subscription begins with a snapshot again."""
    request = {"op": "subscribe", "req_id": "7", "args": ["tickers.BTCUSDT"]}
    async with FakeVenue() as venue, connect(venue.url("bybit")) as client:
        assert (await ask(client, request))["req_id"] == "7"
        await venue.publish("bybit", "BTCUSDT", last="1", bid="0.9", ask="1.1", mark="1.05")
        await venue.publish("bybit", "BTCUSDT", ask="1.2")
        first, second = await read(client, 2)
        await ask(client, request | {"op": "unsubscribe"})
        assert await venue.publish("bybit", "BTCUSDT", ask="1.3") == 0
        await ask(client, request)
        [third] = await read(client, 1)
    assert (first["type"], second["type"], third["type"]) == ("snapshot", "delta", "snapshot")
    assert second["data"].keys() == {"symbol", "ask1Price", "turnover24h", "volume24h"}
    assert (third["data"]["lastPrice"], third["data"]["ask1Price"]) == ("1", "1.3")
    assert first["cs"] < second["cs"] < third["cs"]


async def test_bybit_refuses_what_it_does_not_list_and_too_much_at_once() -> None:
    """One bad topic refuses the request; an option request says which topics failed; spot takes ten at a time."""
    async with FakeVenue() as venue:
        venue.unlist("bybit", "NOPE", part="option")
        async with connect(venue.url("bybit")) as client:
            answer = await ask(client, {"op": "subscribe", "args": ["tickers.A", "invalid.topic.BTCUSDT"]})
            assert answer.keys() - {"req_id"} == json.loads(recorded("bybit/ws_subscription_failure.json")).keys()
            assert (answer["ret_msg"], venue.subscribed("bybit")) == (
                "Invalid topic: invalid.topic.BTCUSDT",
                frozenset(),
            )
        async with connect(venue.url("bybit", "option")) as client:
            answer = await ask(client, {"op": "subscribe", "args": ["tickers.GOOD", "tickers.NOPE"]})
            assert answer["data"] == {"failTopics": ["tickers.NOPE"], "successTopics": ["tickers.GOOD"]}
        async with connect(venue.url("bybit", "spot")) as client:
            answer = await ask(client, {"op": "subscribe", "args": [f"tickers.S{index}" for index in range(11)]})
            assert (answer["success"], answer["ret_msg"]) == (False, "args size >10")


async def test_nothing_that_was_recorded_from_the_venues_is_left_out() -> None:
    """Every field of the recorded frames is in ours; what ours have beyond is documented since."""
    async with FakeVenue(heartbeat_seconds=0.05) as venue:
        async with connect(venue.url("bybit")) as client:
            answer = await ask(
                client, {"op": "subscribe", "req_id": "7", "args": ["tickers.BTCUSDT", "publicTrade.BTCUSDT"]}
            )
            await venue.publish("bybit", "BTCUSDT", last="1")
            ours = {"ack": answer, **dict(zip(["tick", "trade"], await read(client, 2), strict=True))}
        async with connect(venue.url("coinbase")) as client:
            await ask(client, {"type": "subscribe", "channel": "market_trades", "product_ids": ["BTC-USD"]})
            ours["list"] = await ask(client, ticker("BTC-USD"))
            await venue.publish("coinbase", "BTC-USD", last="1")
            ours |= dict(zip(["ticker", "sale"], await read(client, 2), strict=True))
            await ask(client, {"type": "subscribe", "channel": "heartbeats"})
            [ours["beat"]] = await read(client, 1)
    names = {
        "ack": "bybit/ws_subscription_ack",
        "tick": "bybit/ws_ticker_linear",
        "trade": "bybit/ws_public_trade",
        "list": "coinbase/ws_subscriptions",
        "ticker": "coinbase/ws_ticker",
        "sale": "coinbase/ws_market_trades",
        "beat": "coinbase/ws_heartbeats",
    }
    missing = {key: _paths(json.loads(recorded(f"{name}.json"))) - _paths(ours[key]) for key, name in names.items()}
    assert missing.pop("list") == {"events.subscriptions.level2:list"}, "a channel this fake does not serve"
    assert set().union(*missing.values()) == set()


def _paths(value: object, path: str = "") -> set[str]:
    """Every field with the type of its value; the items of a list count as one."""
    match value:
        case dict():
            return {found for key, item in value.items() for found in _paths(item, f"{path}.{key}".lstrip("."))}
        case [dict(), *_]:
            return set().union(*(_paths(item, path) for item in value))
        case _:
            return {f"{path}:{type(value).__name__}"}


async def test_a_quote_without_any_price_is_refused_before_it_is_told() -> None:
    """A slip in a test is an error there, not a silence at the client."""
    async with FakeVenue() as venue:
        with pytest.raises(ValueError, match="none of last, bid, ask, mark"):
            await venue.publish_many("bybit", {"A": Quote(TIME)})
        with pytest.raises(ValueError, match="there is no bybit 'futures'"):
            venue.url("bybit", "futures")


async def test_what_is_left_out_stays_as_it_was() -> None:
    """A snapshot for a late subscriber carries what was told piece by piece."""
    async with FakeVenue() as venue:
        await venue.publish("coinbase", "BTC-USD", last=Decimal("100.10"))
        await venue.publish("coinbase", "BTC-USD", bid="100", ask="100.20")
        await venue.publish("coinbase", "BTC-USD", ask=0)
        async with connect(venue.url("coinbase")) as client:
            snapshot = (await ask(client, ticker("BTC-USD")))["events"][0]
    held = snapshot["tickers"][0]
    assert (snapshot["type"], held["price"], held["best_bid"], held["best_ask"]) == ("snapshot", "100.10", "100", "")
