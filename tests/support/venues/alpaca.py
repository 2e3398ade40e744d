"""Alpaca's stock stream, /v2/iex, /v2/sip and /v2/test.

Every message is an array, and one array mixes trades, quotes and bars. A client whose handshake carries
``Content-Type: application/msgpack`` gets and sends MessagePack in binary frames, with Timestamp extensions for times;
all others text. Prices are numbers, not strings: their text on the wire is the decimal's own in JSON, a double in
MessagePack.
"""

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import msgpack

from tests.support.venues.faults import Message
from tests.support.venues.quotes import NANOSECONDS, Quote, Update, number, rfc3339
from tests.support.venues.session import NOTHING, Close, Reply

MSGPACK = "application/msgpack"
ERRORS = {
    400: "invalid syntax",
    401: "not authenticated",
    402: "auth failed",
    403: "already authenticated",
    404: "auth timeout",
    405: "symbol limit exceeded",
    406: "connection limit exceeded",
    407: "slow client",
    409: "insufficient subscription",
    410: "invalid subscribe action for this feed",
    500: "internal error",
}
# After these the venue hangs up.
FINAL = frozenset({404, 406, 407, 500})
CHANNELS = (
    "trades",
    "quotes",
    "bars",
    "updatedBars",
    "dailyBars",
    "statuses",
    "lulds",
    "corrections",
    "cancelErrors",
)
# These come with trades, unasked.
WITH_TRADES = ("corrections", "cancelErrors")
EVERYTHING = "*"
FIRST_TRADE = 52_983_525_029_461


class Time(int):
    """Nanoseconds that are written as a time."""


def as_json(value: Any) -> str:
    """JSON whose numbers are the decimals' own text: ``json`` would send them through a float."""
    match value:
        case dict():
            return "{" + ",".join(f"{json.dumps(key)}:{as_json(item)}" for key, item in value.items()) + "}"
        case list():
            return "[" + ",".join(as_json(item) for item in value) + "]"
        case Decimal():
            return number(value)
        case Time():
            return json.dumps(rfc3339(value))
        case _:
            return json.dumps(value)


def _to_msgpack(value: Any) -> Any:
    match value:
        case dict():
            return {key: _to_msgpack(item) for key, item in value.items()}
        case list():
            return [_to_msgpack(item) for item in value]
        case Decimal():
            return float(value)
        case Time():
            return msgpack.Timestamp(*divmod(int(value), NANOSECONDS))
        case _:
            return value


class AlpacaSession:
    """One connection to the stock stream.

    ``may_log_in`` says for a key and secret the code of the refusal, or None. ``symbol_limit`` is the plan's;
    ``hang_up`` the code that is said with the greeting.
    """

    def __init__(
        self,
        packed: bool,
        may_log_in: Callable[[object, object], int | None],
        symbol_limit: int | None = None,
        hang_up: int | None = None,
    ) -> None:
        self._packed = packed
        self._may_log_in = may_log_in
        self._symbol_limit = symbol_limit
        self._hang_up = hang_up
        self._channels: dict[str, list[str]] = {channel: [] for channel in CHANNELS}
        self._trades = FIRST_TRADE
        self.ready = False

    @property
    def subscribed(self) -> frozenset[str]:
        """The symbols of trades, quotes and bars."""
        return frozenset(symbol for symbols in self._channels.values() for symbol in symbols)

    def opening(self) -> Reply:
        """The venue greets first."""
        greeting = self._say({"T": "success", "msg": "connected"})
        if self._hang_up is None:
            return greeting
        refusal = self._error(self._hang_up)
        return Reply([*greeting.messages, *refusal.messages], Close(1000, ERRORS[self._hang_up]))

    def receive(self, body: str | bytes) -> Reply:
        """Answer auth, subscribe and unsubscribe."""
        try:
            request = msgpack.unpackb(body) if self._packed else json.loads(body)
            action = request["action"]
        except (ValueError, TypeError, KeyError, msgpack.UnpackException):
            return self._error(400)
        if action == "auth":
            return self._log_in(request)
        if not self.ready:
            return self._error(401)
        if action == "subscribe":
            return self._subscribe(request)
        if action == "unsubscribe":
            return self._unsubscribe(request)
        return self._error(410)

    def late(self) -> Reply:
        """Who has not logged in is told so and cut off."""
        return NOTHING if self.ready else self._error(404)

    def pulse(self) -> Reply:
        """The stock stream has no heartbeats of its own, only websocket pings."""
        return NOTHING

    def prices(self, updates: Mapping[str, Update]) -> list[Message]:
        """One array with the trades, quotes and bars of all these symbols."""
        items = [item for symbol, update in updates.items() for item in self._items(symbol, *update)]
        return [self._message(items, price=True)] if items else []

    def _items(self, symbol: str, changed: Quote, known: Quote) -> list[dict[str, object]]:
        items: list[dict[str, object]] = []
        if changed.last is not None and self._wants("trades", symbol):
            self._trades += 1
            items.append(_trade(symbol, changed.last, self._trades, changed.time))
        if (changed.bid is not None or changed.ask is not None) and self._wants("quotes", symbol):
            items.append(_quote(symbol, known))
        if changed.last is not None and self._wants("bars", symbol):
            items.append(_bar(symbol, changed.last, changed.time))
        return items

    def _wants(self, channel: str, symbol: str) -> bool:
        return symbol in self._channels[channel] or EVERYTHING in self._channels[channel]

    def _log_in(self, request: Mapping[str, object]) -> Reply:
        if self.ready:
            return self._error(403)
        code = self._may_log_in(request.get("key"), request.get("secret"))
        if code is not None:
            return self._error(code)
        self.ready = True
        return self._say({"T": "success", "msg": "authenticated"})

    def _subscribe(self, request: Mapping[str, list[str]]) -> Reply:
        wanted = {channel: list(symbols) for channel, symbols in self._channels.items()}
        for channel in CHANNELS:
            _add(wanted[channel], request.get(channel) or [])
        for channel in WITH_TRADES:
            _add(wanted[channel], request.get("trades") or [])
        if self._symbol_limit is not None and len(wanted["trades"]) + len(wanted["quotes"]) > self._symbol_limit:
            return self._error(405)
        self._channels = wanted
        return self._subscription()

    def _unsubscribe(self, request: Mapping[str, list[str]]) -> Reply:
        for channel in CHANNELS:
            gone = request.get("trades" if channel in WITH_TRADES else channel) or []
            self._channels[channel] = [symbol for symbol in self._channels[channel] if symbol not in gone]
        return self._subscription()

    def _subscription(self) -> Reply:
        return self._say(
            {"T": "subscription", **{channel: list(symbols) for channel, symbols in self._channels.items()}}
        )

    def _error(self, code: int) -> Reply:
        reply = self._say({"T": "error", "code": code, "msg": ERRORS[code]})
        return reply._replace(close=Close(1000, ERRORS[code])) if code in FINAL else reply

    def _say(self, item: dict[str, object]) -> Reply:
        return Reply([self._message([item])])

    def _message(self, items: list[dict[str, object]], price: bool = False) -> Message:
        return Message(msgpack.packb(_to_msgpack(items)) if self._packed else as_json(items), price)


def _add(symbols: list[str], more: list[str]) -> None:
    symbols += [symbol for symbol in dict.fromkeys(more) if symbol not in symbols]


def _trade(symbol: str, price: Decimal, identity: int, time: int) -> dict[str, object]:
    return {
        "T": "t",
        "S": symbol,
        "i": identity,
        "x": "V",
        "p": price,
        "s": 100,
        "c": ["@"],
        "t": Time(time),
        "z": "C",
    }


def _quote(symbol: str, quote: Quote) -> dict[str, object]:
    # A side without a quote is zero on this venue: no price, no size, no exchange.
    bid, ask = quote.bid, quote.ask
    return {
        "T": "q",
        "S": symbol,
        "bx": "V" if bid else " ",
        "bp": bid or 0,
        "bs": 4 if bid else 0,
        "ax": "V" if ask else " ",
        "ap": ask or 0,
        "as": 5 if ask else 0,
        "c": ["R"],
        "t": Time(quote.time),
        "z": "C",
    }


def _bar(symbol: str, price: Decimal, time: int) -> dict[str, object]:
    minute = 60 * NANOSECONDS
    return {
        "T": "b",
        "S": symbol,
        "o": price,
        "h": price,
        "l": price,
        "c": price,
        "v": 1200,
        "n": 12,
        "vw": price,
        "t": Time(time - time % minute),
    }
