"""Alpaca's stock stream: a payload to what it says, and what we say to a payload. Nothing here waits or remembers.

Every message is a list of small objects, told apart by ``T``. Prices are JSON numbers, read digit for digit; in MessagePack,
which has no decimals, they are doubles (see `packed`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import NamedTuple

from lotkeeperd.feeds.alpaca.trades import Cancel, Correction, Trade, sets_last
from lotkeeperd.feeds.errors import Unreadable, shown
from lotkeeperd.feeds.quotes import Quote
from lotkeeperd.feeds.reading import decoded, items, mapping, nanoseconds, price, text, whole
from lotkeeperd.feeds.session import Frame, Request
from lotkeeperd.feeds.spec import Price


class Codec(NamedTuple):
    """How messages are written on the wire."""

    read: Callable[[Frame], object]
    write: Callable[[Mapping[str, object]], Frame]


JSON = Codec(decoded, json.dumps)


class Success(NamedTuple):
    """``words`` is ``connected`` or ``authenticated``."""

    words: str


class Subscribed(NamedTuple):
    """A request was granted."""


class Failure(NamedTuple):
    """An error of Alpaca's: its number and its words."""

    code: int
    words: str


Said = Quote | Trade | Correction | Cancel | Success | Subscribed | Failure


def read(payload: object) -> list[Said]:
    """What a message says, in its order; kinds that say nothing about prices are left out. Raises Unreadable."""
    said = []
    for part in items(payload):
        message = mapping(part)
        reader = _READERS.get(text(message, "T"))
        if reader is not None:
            said.append(reader(message))
    return said


def _trade(message: Mapping[object, object]) -> Said:
    identity = (message.get("x"), message.get("i"))
    return Trade(text(message, "S"), _time(message), identity, price(message.get("p")), _sets_last(message, "c"))


def _correction(message: Mapping[object, object]) -> Said:
    exchange = message.get("x")
    original, corrected = (exchange, whole(message, "oi")), (exchange, message.get("ci"))
    return Correction(text(message, "S"), original, corrected, price(message.get("cp")), _sets_last(message, "cc"))


def _cancel(message: Mapping[object, object]) -> Said:
    return Cancel(text(message, "S"), (message.get("x"), whole(message, "i")))


def _sets_last(message: Mapping[object, object], key: str) -> bool:
    conditions = message.get(key)
    return sets_last(items(conditions) if conditions is not None else (), message.get("z"))


def _quote(message: Mapping[object, object]) -> Said:
    return Quote(text(message, "S"), _time(message), bid=price(message.get("bp")), ask=price(message.get("ap")))


def _time(message: Mapping[object, object]) -> int:
    """Nanoseconds UTC: text in JSON; in MessagePack a timestamp, which `packed` has made a whole number."""
    time = message.get("t")
    if isinstance(time, str):
        return nanoseconds(time)
    if isinstance(time, int) and not isinstance(time, bool) and time >= 0:
        return time
    raise Unreadable(f"t = {shown(time)} is not a time")


def _success(message: Mapping[object, object]) -> Said:
    return Success(text(message, "msg"))


def _subscribed(_: Mapping[object, object]) -> Said:
    return Subscribed()


def _failure(message: Mapping[object, object]) -> Said:
    return Failure(whole(message, "code"), text(message, "msg"))


_READERS: Mapping[str, Callable[[Mapping[object, object]], Said]] = {
    "t": _trade,
    "c": _correction,
    "x": _cancel,
    "q": _quote,
    "success": _success,
    "subscription": _subscribed,
    "error": _failure,
}


def authentication(key: str, secret: str) -> dict[str, object]:
    """Who we are."""
    return {"action": "auth", "key": key, "secret": secret}


def subscription(request: Request, price: Price) -> dict[str, object]:
    """A request for trades or for quotes, as the price that is wanted needs: a plan counts both against its limit."""
    channel = "trades" if price is Price.LAST else "quotes"
    return {"action": "subscribe" if request.add else "unsubscribe", channel: list(request.symbols)}
