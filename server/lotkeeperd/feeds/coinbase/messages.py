"""Coinbase's market-data stream: a payload to what it says, and what we say to a payload. Nothing here waits or remembers.

Every price is text on the wire. ``sequence_num`` counts the messages of one connection, whatever their channel.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from lotkeeperd.feeds.quotes import Quote
from lotkeeperd.feeds.reading import items, mapping, member, nanoseconds, price, text, whole
from lotkeeperd.feeds.session import Frame, Request

TICKER, SUBSCRIPTIONS = "ticker", "subscriptions"
HEARTBEATS = '{"type": "subscribe", "channel": "heartbeats"}'


class Message(NamedTuple):
    """The ``number``-th message of a connection; ``quotes`` is empty but in the ticker channel."""

    channel: str
    number: int
    quotes: tuple[Quote, ...]


class Failure(NamedTuple):
    """An error of Coinbase's; it has no number."""

    words: str


def read(payload: object) -> Message | Failure:
    """What a message says. Raises Unreadable."""
    message = mapping(payload)
    if message.get("type") == "error":
        words = (message.get("message"), message.get("reason"))
        return Failure(": ".join(str(word) for word in words if word) or "an error without words")
    channel = text(message, "channel")
    quotes = tuple(_quotes(message)) if channel == TICKER else ()
    return Message(channel, whole(message, "sequence_num"), quotes)


def _quotes(message: Mapping[object, object]) -> Iterator[Quote]:
    time = nanoseconds(text(message, "timestamp"))
    for event in items(member(message, "events")):
        for part in items(member(mapping(event), "tickers")):
            ticker = mapping(part)
            yield Quote(
                text(ticker, "product_id"),
                time,
                price(ticker.get("price")),
                price(ticker.get("best_bid")),
                price(ticker.get("best_ask")),
            )


def subscription(request: Request) -> Frame:
    """A request for the tickers of products."""
    kind = "subscribe" if request.add else "unsubscribe"
    return json.dumps({"type": kind, "channel": TICKER, "product_ids": list(request.symbols)})
