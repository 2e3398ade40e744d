"""The adapter for ccxt, with ccxt's own Bybit class: python ccxt_account.py URL SERVER KEY SECRET SINCE.

SERVER is the folder of lotkeeperd, SINCE nanoseconds. ccxt is told two markets in place of asking for them.
Prints the statement, and everything that was logged at DEBUG.
"""

import asyncio
import json
import logging
import sys

sys.path.insert(0, sys.argv[2])

from lotkeeperd.brokers.exchanges import ExchangeAccount
from lotkeeperd.brokers.registry import broker_of
from lotkeeperd.domain.refusals import BrokerUnavailable

ENVIRONMENT = {"KEY": sys.argv[3], "SECRET": sys.argv[4]}


class Said(logging.Handler):
    """What is logged."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print the message."""
        print(json.dumps({"kind": "log", "said": record.getMessage()}), flush=True)


async def main() -> None:
    """Read everything once."""
    logging.getLogger().addHandler(Said())
    logging.getLogger().setLevel(logging.DEBUG)
    options = {"exchange": "bybit", "key": "env:KEY", "secret": "env:SECRET", "complete": True}
    broker = broker_of("ccxt", options, ENVIRONMENT)
    source = broker._source  # type: ignore[attr-defined]
    assert isinstance(source, ExchangeAccount)
    point(source._exchange, sys.argv[1])
    try:
        statement = await broker.statement(int(sys.argv[5]))
        rows = [[row.symbol, row.side.name, str(row.quantity), str(row.average_price)] for row in statement.positions]
        fills = [
            [each.symbol, each.side.name, str(each.quantity), str(each.price), each.time, each.fill_id, str(each.fee)]
            for each in statement.executions
        ]
        complete = [statement.positions_complete, statement.executions_since, statement.cash_complete]
        print(json.dumps({"kind": "statement", "positions": rows, "fills": fills, "complete": complete}), flush=True)
    except BrokerUnavailable as refused:
        print(json.dumps({"kind": "refused", "said": str(refused)}), flush=True)
    finally:
        await broker.close()


def point(exchange: object, url: str) -> None:
    """At the fake: its address, two markets, and an account that is known to be unified."""
    exchange.urls["api"] = dict.fromkeys(exchange.urls["api"], url)  # type: ignore[attr-defined]
    exchange.options |= {"enableUnifiedMargin": False, "enableUnifiedAccount": True}  # type: ignore[attr-defined]
    exchange.options["maxRetriesOnFailureDelay"] = 10  # type: ignore[attr-defined]
    markets = [market(exchange, coin) for coin in ("BTC", "ETH")]
    exchange.set_markets(markets)  # type: ignore[attr-defined]


def market(exchange: object, coin: str) -> dict[str, object]:
    """A perpetual contract."""
    return exchange.safe_market_structure(  # type: ignore[attr-defined,no-any-return]
        {
            "id": f"{coin}USDT",
            "symbol": f"{coin}/USDT:USDT",
            "base": coin,
            "quote": "USDT",
            "settle": "USDT",
            "baseId": coin,
            "quoteId": "USDT",
            "settleId": "USDT",
            "type": "swap",
            "spot": False,
            "swap": True,
            "contract": True,
            "linear": True,
            "inverse": False,
            "contractSize": "1",
            "precision": {"amount": "0.001", "price": "0.1"},
        }
    )


asyncio.run(main())
