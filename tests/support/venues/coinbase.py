"""Coinbase Advanced Trade's market data: ticker, market_trades and heartbeats.

One channel per subscribe message; every frame of a connection, whatever its channel, has the next ``sequence_num``.
The newest ticker comes as a snapshot before the list of subscriptions. A token (``jwt``) is not needed for market data.
"""

import json
import time
from collections import deque
from collections.abc import Callable, Mapping
from decimal import Decimal

from tests.support.venues.faults import Message, RateLimit
from tests.support.venues.quotes import Quote, Update, number, rfc3339, side
from tests.support.venues.session import NOTHING, Close, Reply

CHANNELS = ("ticker", "ticker_batch", "market_trades", "heartbeats", "candles", "level2", "status")
# Whatever products the client names; in the list of subscriptions these stand under their own name.
WITHOUT_PRODUCTS = frozenset({"heartbeats", "status"})
TICKERS = ("ticker", "ticker_batch")
FIRST_TRADE = 995_098_700


class CoinbaseSession:
    """One connection.

    ``known`` says the newest quote of a product; ``refuse`` that a token is not accepted, ``hang_up`` that this is said at once.
    """

    def __init__(
        self,
        known: Callable[[str], Quote | None],
        clock: Callable[[], int],
        refuse: bool = False,
        hang_up: bool = False,
        limit: RateLimit | None = None,
    ) -> None:
        self._known = known
        self._clock = clock
        self._refuse = refuse
        self._hang_up = hang_up
        self._limit = limit
        self._heard: deque[float] = deque()
        self._channels: dict[str, list[str]] = {}
        self._sequence = -1
        self._beats = 0
        self._trades = FIRST_TRADE

    @property
    def subscribed(self) -> frozenset[str]:
        """The products of every channel that has products."""
        return frozenset(
            product
            for channel, products in self._channels.items()
            if channel not in WITHOUT_PRODUCTS
            for product in products
        )

    @property
    def ready(self) -> bool:
        """Whether anything was subscribed."""
        return bool(self._channels)

    def opening(self) -> Reply:
        """The venue says nothing first, unless it does not want us at all."""
        return _error("authentication failure")._replace(close=Close(1008, "refused")) if self._hang_up else NOTHING

    def receive(self, body: str | bytes) -> Reply:
        """Answer subscribe and unsubscribe."""
        if self._limit is not None and self._is_too_many(self._limit):
            return _error("rate limit exceeded")
        try:
            request = json.loads(body)
            kind, channel = request["type"], request["channel"]
        except (ValueError, TypeError, KeyError):
            return _error("invalid message")
        if channel not in CHANNELS:
            return _error(f"channel {channel} is not supported")
        if self._refuse:
            return _error("authentication failure")
        products = [str(product) for product in request.get("product_ids") or []]
        if kind == "subscribe":
            return self._subscribe(channel, products)
        if kind == "unsubscribe":
            return self._unsubscribe(channel, products)
        return _error(f"type {kind} is not supported")

    def _is_too_many(self, limit: RateLimit) -> bool:
        now = time.monotonic()  # the limit is on real time, whatever clock the prices have
        self._heard.append(now)
        while self._heard[0] <= now - limit.seconds:
            self._heard.popleft()
        return len(self._heard) > limit.messages

    def late(self) -> Reply:
        """Who has subscribed to nothing is cut off."""
        return NOTHING if self.ready else Reply([], Close(1008, "no subscription within 5 seconds"))

    def pulse(self) -> Reply:
        """One heartbeat, if they are subscribed to."""
        if "heartbeats" not in self._channels:
            return NOTHING
        self._beats += 1
        now = self._clock()
        event = {"current_time": rfc3339(now).replace("T", " ")[:-1] + "+00:00", "heartbeat_counter": self._beats}
        return Reply([self._frame("heartbeats", now, event)])

    def prices(self, updates: Mapping[str, Update]) -> list[Message]:
        """One frame per channel and product."""
        return [message for product, update in updates.items() for message in self._product(product, *update)]

    def _product(self, product: str, changed: Quote, known: Quote) -> list[Message]:
        messages = [
            self._ticker(channel, "update", product, known)
            for channel in TICKERS
            if product in self._channels.get(channel, [])
        ]
        if changed.last is not None and product in self._channels.get("market_trades", []):
            self._trades += 1
            event = {"type": "update", "trades": [_trade(product, changed.last, changed.time, self._trades)]}
            messages.append(self._frame("market_trades", changed.time, event, price=True))
        return messages

    def _subscribe(self, channel: str, products: list[str]) -> Reply:
        held = self._channels.setdefault(channel, [])
        products = [channel] if channel in WITHOUT_PRODUCTS else products
        fresh = [product for product in dict.fromkeys(products) if product not in held]
        held += fresh
        snapshots = [
            self._ticker(channel, "snapshot", product, quote)
            for product in fresh
            if channel in TICKERS and (quote := self._known(product)) is not None
        ]
        return Reply([*snapshots, self._subscriptions()])

    def _unsubscribe(self, channel: str, products: list[str]) -> Reply:
        """Without products the whole channel goes."""
        products = [] if channel in WITHOUT_PRODUCTS else products
        left = [product for product in self._channels.pop(channel, []) if products and product not in products]
        if left:
            self._channels[channel] = left
        return Reply([self._subscriptions()])

    def _subscriptions(self) -> Message:
        return self._frame("subscriptions", self._clock(), {"subscriptions": self._channels})

    def _ticker(self, channel: str, kind: str, product: str, quote: Quote) -> Message:
        return self._frame(channel, quote.time, {"type": kind, "tickers": [_ticker(product, quote)]}, price=True)

    def _frame(self, channel: str, at: int, event: Mapping[str, object], price: bool = False) -> Message:
        self._sequence += 1
        body = {
            "channel": channel,
            "client_id": "",
            "timestamp": rfc3339(at),
            "sequence_num": self._sequence,
            "events": [event],
        }
        return Message(json.dumps(body), price)


def _error(why: str) -> Reply:
    return Reply([Message(json.dumps({"type": "error", "message": why}))])


def _ticker(product: str, quote: Quote) -> dict[str, str]:
    return {
        "type": "ticker",
        "product_id": product,
        "price": number(quote.reference),
        "volume_24_h": "15328.12345678",
        "low_24_h": "67500.00",
        "high_24_h": "69200.00",
        "low_52_w": "25000.00",
        "high_52_w": "73800.00",
        "price_percent_chg_24_h": "1.85",
        "best_bid": side(quote.bid),
        "best_bid_quantity": "1.50000000" if quote.bid else "",
        "best_ask": side(quote.ask),
        "best_ask_quantity": "0.50000000" if quote.ask else "",
    }


def _trade(product: str, price: Decimal, at: int, identity: int) -> dict[str, str]:
    return {
        "trade_id": str(identity),
        "product_id": product,
        "price": number(price),
        "size": "0.00150000",
        "side": "BUY",
        "time": rfc3339(at, digits=6),
    }
