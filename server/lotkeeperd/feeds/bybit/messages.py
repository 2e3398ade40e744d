"""Bybit's public streams: a payload to what it says, and what we say to a payload. Nothing here waits or remembers.

Every price is text on the wire. The names of bid and ask differ between futures and options; spot tickers have neither, so
spot pairs are asked for the first level of the order book instead when bid and ask are wanted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import NamedTuple

from lotkeeperd.feeds.errors import Unreadable, shown
from lotkeeperd.feeds.quotes import Quote
from lotkeeperd.feeds.reading import MILLISECOND, items, mapping, member, price, whole
from lotkeeperd.feeds.session import Frame, Request
from lotkeeperd.feeds.spec import Price

TICKERS, BOOK = "tickers.", "orderbook.1."
PING = '{"op": "ping"}'
_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "lastPrice": "last",
        "markPrice": "mark",
        "bid1Price": "bid",
        "ask1Price": "ask",
        "bidPrice": "bid",
        "askPrice": "ask",
    }
)


Order = tuple[int, int]
"""Venue's time (nanoseconds UTC) and cross sequence: the smaller one was made earlier."""

NOWHERE: Order = (-1, -1)


class Ticker(NamedTuple):
    """The prices of one symbol that a message carries: all there are, or only those that changed."""

    symbol: str
    order: Order
    prices: Mapping[str, Decimal | None]


class Known(NamedTuple):
    """Everything known of one symbol: each price with when it was said; ``order`` is the newest of these."""

    order: Order
    prices: Mapping[str, tuple[Order, Decimal | None]]


class Answer(NamedTuple):
    """To a request: whether it was granted, in the venue's words; ``failed`` are the topics alone that were not, if it says so."""

    success: bool
    words: str
    failed: tuple[str, ...] = ()


class Pong(NamedTuple):
    """To a ping."""


Said = Ticker | Answer | Pong


def read(payload: object) -> Said | None:
    """What a message says; None when it says nothing about prices. Raises Unreadable."""
    message = mapping(payload)
    topic = message.get("topic")
    if topic is None:
        return _answer(message)
    if not isinstance(topic, str):
        raise Unreadable(f"topic = {shown(topic)} is not text")
    if topic.startswith(TICKERS):
        return _ticker(message, topic.removeprefix(TICKERS))
    if topic.startswith(BOOK):
        return _book(message, topic.removeprefix(BOOK))
    return None


def _ticker(message: Mapping[object, object], symbol: str) -> Ticker:
    data = mapping(member(message, "data"))
    prices = {name: price(data[key]) for key, name in _NAMES.items() if key in data}
    if _is_complete(message):
        prices = dict.fromkeys(_NAMES.values()) | prices
    return Ticker(symbol, _order(message, message.get("cs")), prices)


def _book(message: Mapping[object, object], symbol: str) -> Ticker:
    """The first level is sent whole every time: its best bid and ask are the only ones in it."""
    if not _is_complete(message):
        raise Unreadable("a change of the first level of a book, which is always sent whole")
    data = mapping(member(message, "data"))
    return Ticker(symbol, _order(message, data.get("seq")), {"bid": _best(data, "b"), "ask": _best(data, "a")})


def _best(data: Mapping[object, object], side: str) -> Decimal | None:
    levels = items(member(data, side))
    if not levels:
        return None
    level = items(levels[0])
    return price(level[0]) if level else None


def _is_complete(message: Mapping[object, object]) -> bool:
    kind = message.get("type", "snapshot")
    if kind not in {"snapshot", "delta"}:
        raise Unreadable(f"type = {shown(kind)} is neither snapshot nor delta")
    return kind == "snapshot"


def _order(message: Mapping[object, object], sequence: object) -> Order:
    return whole(message, "ts") * MILLISECOND, sequence if isinstance(sequence, int) else 0


def _answer(message: Mapping[object, object]) -> Said | None:
    if message.get("op") == "pong" or message.get("ret_msg") == "pong":
        return Pong()
    if message.get("op") in {"subscribe", "unsubscribe"}:
        return Answer(message.get("success") is True, str(message.get("ret_msg", "")))
    if message.get("type") == "COMMAND_RESP":  # options answer in a way of their own
        failed = tuple(str(topic) for topic in items(mapping(member(message, "data")).get("failTopics", [])))
        return Answer(message.get("success") is True and not failed, "unknown topics", failed)
    return None


def merged(held: Known | None, news: Ticker) -> Known:
    """What is known after ``news``: each price as it was said last, in whatever order the messages came.

    ``held`` itself when there is nothing new in ``news``.
    """
    before = held.prices if held else {}
    newer = {
        name: (news.order, value)
        for name, value in news.prices.items()
        if news.order >= before.get(name, (NOWHERE, None))[0]
    }
    if held is None:
        return Known(news.order, newer)
    if news.order < held.order and not newer:
        return held
    return Known(max(held.order, news.order), {**before, **newer})


def quote(symbol: str, known: Known) -> Quote:
    """As every venue's prices are handed on."""
    prices = {name: value for name, (_, value) in known.prices.items()}
    return Quote(symbol, known.order[0], prices.get("last"), prices.get("bid"), prices.get("ask"), prices.get("mark"))


def prefix(category: str, price: Price) -> str:
    """The topic that carries ``price`` in ``category``, but for the symbol."""
    return BOOK if category == "spot" and price in {Price.MID, Price.SIDE} else TICKERS


def subscription(request: Request, topic: str) -> Frame:
    """A request for the topics of symbols."""
    operation = "subscribe" if request.add else "unsubscribe"
    return json.dumps({"op": operation, "args": [f"{topic}{symbol}" for symbol in request.symbols]})
