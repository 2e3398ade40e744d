"""pybit's WebSocket: python bybit_public.py URL CATEGORY SYMBOL...

URL holds {CHANNEL_TYPE} where the category goes. Prints one line of JSON for each message the SDK handed over, and for
each thing it logs. A line on stdin unsubscribes from the trades.
"""

import json
import logging
import sys

import pybit.unified_trading
from pybit.unified_trading import WebSocket


class Said(logging.Handler):
    """The SDK says by its log that a subscription was acknowledged or refused; it is ready when all were acknowledged."""

    def __init__(self, requests: int) -> None:
        super().__init__()
        self._waiting = requests

    def emit(self, record: logging.LogRecord) -> None:
        """Print the message."""
        said = record.getMessage()
        say("log", {"said": said})
        self._waiting -= said.startswith("Subscription to") and said.endswith("successful.")
        if self._waiting == 0:
            say("ready", {})
            self._waiting = -1


def say(kind: str, fields: dict[str, object]) -> None:
    """Print at once: the SDK changes the dict it hands over when the next delta comes."""
    print(json.dumps({"kind": kind, **fields}), flush=True)


def on_ticker(message: dict[str, object]) -> None:
    """A ticker came, the deltas already put together by the SDK."""
    say("ticker", message)


def on_trade(message: dict[str, object]) -> None:
    """A public trade came."""
    say("trade", message)


def on_book(message: dict[str, object]) -> None:
    """The best bid and ask came."""
    say("book", message)


def main() -> None:
    """Subscribe to the tickers and trades of all symbols, and run until stdin ends."""
    url, category, *symbols = sys.argv[1:]
    logging.getLogger("pybit").addHandler(Said(requests=2 if category == "option" else 3))
    logging.getLogger("pybit").setLevel(logging.DEBUG)
    pybit.unified_trading.PUBLIC_WSS = url
    socket = WebSocket(testnet=False, channel_type=category, ping_interval=3, ping_timeout=2)
    socket.ticker_stream(symbols, on_ticker)
    socket.trade_stream(symbols, on_trade)
    if category != "option":
        socket.orderbook_stream(1, symbols, on_book)
    for _ in sys.stdin:
        for symbol in symbols:
            socket.unsubscribe(f"publicTrade.{symbol}")


main()
