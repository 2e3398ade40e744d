"""Bybit's public v5 streams: linear, inverse, spot and option.

A ticker of linear and inverse begins with a snapshot, then come deltas that carry the changed keys only; spot and option
send snapshots only. A spot ticker has no bid and ask: those are in ``orderbook.1``. Option streams acknowledge and pong
in a form of their own.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from tests.support.venues import bybit_fields
from tests.support.venues.faults import Message
from tests.support.venues.quotes import Quote, Update, milliseconds
from tests.support.venues.session import NOTHING, Reply

CATEGORIES = ("linear", "inverse", "spot", "option")
WITH_DELTAS = frozenset({"linear", "inverse"})
TICKER, TRADE, BOOK = "tickers", "publicTrade", "orderbook.1"
SPOT_ARGUMENTS = 10


class BybitSession:
    """One connection to one category's stream. ``known`` says what is known of a symbol, if anything.

    ``listed`` says whether the venue has such a symbol; a topic of another one is refused. ``sequence`` counts over the
    whole venue, ``connection`` is its name for this connection.
    """

    def __init__(
        self,
        category: str,
        connection: str,
        known: Callable[[str], Quote | None],
        listed: Callable[[str], bool],
        sequence: Callable[[], int],
        clock: Callable[[], int],
    ) -> None:
        self._category = category
        self._connection = connection
        self._known = known
        self._listed = listed
        self._sequence = sequence
        self._clock = clock
        self._topics: dict[str, None] = {}
        self._shown: dict[str, dict[str, str]] = {}
        self._ticks: Counter[str] = Counter()
        self.ready = True

    @property
    def subscribed(self) -> frozenset[str]:
        """The symbols of every topic."""
        return frozenset(_split(topic)[1] for topic in self._topics)

    def opening(self) -> Reply:
        """The venue says nothing first."""
        return NOTHING

    def receive(self, body: str | bytes) -> Reply:
        """Answer subscribe, unsubscribe and ping."""
        try:
            request = json.loads(body)
            operation = str(request["op"])
        except (ValueError, TypeError, KeyError):
            return Reply([self._answer("", "", "Request format error")])
        identity = str(request.get("req_id", ""))
        if operation == "ping":
            return Reply([self._pong(identity)])
        if operation in {"subscribe", "unsubscribe"}:
            return self._change(operation, identity, [str(topic) for topic in request.get("args", [])])
        return Reply([self._answer(operation, identity, f"Invalid op: {operation}")])

    def late(self) -> Reply:
        """Nobody is late: the venue cuts after ten minutes without a word."""
        return NOTHING

    def pulse(self) -> Reply:
        """The client pings, not the venue."""
        return NOTHING

    def prices(self, updates: Mapping[str, Update]) -> list[Message]:
        """One message per topic."""
        return [message for symbol, update in updates.items() for message in self._symbol(symbol, *update)]

    def _symbol(self, symbol: str, changed: Quote, known: Quote) -> list[Message]:
        messages = []
        if f"{TICKER}.{symbol}" in self._topics:
            messages.append(self._ticker(symbol, known))
        if changed.last is not None and f"{TRADE}.{symbol}" in self._topics:
            messages.append(self._trade(symbol, known))
        if (changed.bid is not None or changed.ask is not None) and f"{BOOK}.{symbol}" in self._topics:
            messages.append(self._book(symbol, known))
        return messages

    def _ticker(self, symbol: str, quote: Quote) -> Message:
        self._ticks[symbol] += 1
        fields = bybit_fields.ticker(self._category, symbol, quote, self._ticks[symbol])
        before = self._shown.get(symbol)
        self._shown[symbol] = fields
        cross = self._sequence()
        time = milliseconds(quote.time)
        own = self._mark(f"{TICKER}.{symbol}", cross, time, {"cs": cross, "ts": time})
        if before is None or self._category not in WITH_DELTAS:
            return _push(f"{TICKER}.{symbol}", "snapshot", fields, own)
        changed = {key: text for key, text in fields.items() if before.get(key) != text}
        return _push(f"{TICKER}.{symbol}", "delta", {"symbol": symbol, **changed}, own)

    def _trade(self, symbol: str, quote: Quote) -> Message:
        sequence, time = self._sequence(), milliseconds(quote.time)
        fields = bybit_fields.trade(self._category, symbol, quote, sequence)
        own = self._mark(f"{TRADE}.{symbol}", sequence, time, {"ts": time})
        return _push(f"{TRADE}.{symbol}", "snapshot", [fields], own)

    def _book(self, symbol: str, quote: Quote) -> Message:
        time = milliseconds(quote.time)
        fields = bybit_fields.book(symbol, quote, self._sequence())
        return _push(f"{BOOK}.{symbol}", "snapshot", fields, {"ts": time, "cts": time})

    def _mark(self, topic: str, sequence: int, time: int, others: dict[str, object]) -> dict[str, object]:
        """How a push is told from others: option streams have an id of their own form."""
        return {"id": f"{topic}-{sequence}-{time}", "ts": time} if self._category == "option" else others

    def _change(self, operation: str, identity: str, topics: list[str]) -> Reply:
        if operation == "subscribe" and self._category == "spot" and len(topics) > SPOT_ARGUMENTS:
            return Reply([self._answer(operation, identity, f"args size >{SPOT_ARGUMENTS}")])
        bad = [topic for topic in topics if not self._knows(topic)]
        good = [topic for topic in topics if topic not in bad]
        if self._category == "option":
            return Reply([self._command_response(good, bad), *self._apply(operation, good)])
        if bad:
            return Reply([self._answer(operation, identity, f"Invalid topic: {bad[0]}")])
        return Reply([self._answer(operation, identity), *self._apply(operation, good)])

    def _apply(self, operation: str, topics: list[str]) -> list[Message]:
        """Subscribe or unsubscribe, and say what a ticker or book begins with."""
        if operation == "subscribe":
            fresh = [topic for topic in dict.fromkeys(topics) if topic not in self._topics]
            self._topics |= dict.fromkeys(fresh)
            return [message for topic in fresh for message in self._first(*_split(topic))]
        for topic in topics:
            self._topics.pop(topic, None)
            kind, symbol = _split(topic)
            if kind == TICKER:
                self._shown.pop(symbol, None)
        return []

    def _first(self, kind: str, symbol: str) -> list[Message]:
        quote = self._known(symbol)
        if quote is None or kind == TRADE:
            return []
        return [self._ticker(symbol, quote) if kind == TICKER else self._book(symbol, quote)]

    def _knows(self, topic: str) -> bool:
        kind, symbol = _split(topic)
        # An option has books too, of 25 and 100 levels only.
        kinds = {TICKER, TRADE} if self._category == "option" else {TICKER, TRADE, BOOK}
        return kind in kinds and bool(symbol) and self._listed(symbol)

    def _pong(self, identity: str) -> Message:
        if self._category == "option":
            return _say({"args": [str(milliseconds(self._clock()))], "op": "pong"})
        return self._answer("ping", identity, "pong", success=True)

    def _answer(self, operation: str, identity: str, said: str = "", success: bool | None = None) -> Message:
        """Success without a word, refusal with one, unless said otherwise."""
        return _say(
            {
                "success": not said if success is None else success,
                "ret_msg": said,
                "conn_id": self._connection,
                "req_id": identity,
                "op": operation,
            }
        )

    def _command_response(self, good: list[str], bad: list[str]) -> Message:
        data = {"failTopics": bad, "successTopics": good}
        return _say({"success": not bad, "conn_id": self._connection, "data": data, "type": "COMMAND_RESP"})


def _split(topic: str) -> tuple[str, str]:
    """tickers.BTCUSDT as its kind and its symbol; the kind of a book has a point of its own."""
    kind, _, symbol = topic.rpartition(".")
    return kind, symbol


def _push(topic: str, kind: str, data: Any, own: dict[str, object]) -> Message:
    return Message(json.dumps({"topic": topic, "type": kind, "data": data} | own), price=True)


def _say(body: dict[str, object]) -> Message:
    return Message(json.dumps(body))
