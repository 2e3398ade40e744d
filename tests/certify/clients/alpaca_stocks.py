"""alpaca-py's StockDataStream: python alpaca_stocks.py URL KEY SECRET SYMBOL...

Prints one line of JSON for each trade, quote and bar, parsed by the SDK, and for each thing the SDK logs.
"""

import asyncio
import json
import logging
import sys

from alpaca.data.live import StockDataStream


class Said(logging.Handler):
    """The SDK says by its log that a login was refused; handlers never hear of it."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print the message, and what was raised."""
        error = record.exc_info[1] if record.exc_info else None
        print(json.dumps({"kind": "log", "said": record.getMessage(), "error": str(error or "")}), flush=True)


def say(kind: str, parsed: object) -> None:
    """Print one parsed value with its kind."""
    fields = json.loads(parsed.model_dump_json())  # type: ignore[attr-defined]
    print(json.dumps({"kind": kind, **fields}), flush=True)


async def on_trade(trade: object) -> None:
    """A trade came."""
    say("trade", trade)


async def on_quote(quote: object) -> None:
    """A quote came."""
    say("quote", quote)


async def on_bar(bar: object) -> None:
    """A bar came."""
    say("bar", bar)


async def unsubscribe_on_word(stream: StockDataStream, symbols: list[str]) -> None:
    """A line on stdin ends the subscription to quotes; another thread reads it, as the SDK's own loop must not wait."""
    await asyncio.to_thread(sys.stdin.readline)
    await asyncio.to_thread(stream.unsubscribe_quotes, *symbols)


async def main() -> None:
    """Subscribe to everything of the symbols and run until killed."""
    url, key, secret, *symbols = sys.argv[1:]
    logging.getLogger("alpaca").addHandler(Said())
    logging.getLogger("alpaca").setLevel(logging.INFO)
    stream = StockDataStream(key, secret, url_override=url)
    stream.subscribe_trades(on_trade, *symbols)
    stream.subscribe_quotes(on_quote, *symbols)
    stream.subscribe_bars(on_bar, *symbols)
    await asyncio.gather(stream._run_forever(), unsubscribe_on_word(stream, symbols))


asyncio.run(main())
