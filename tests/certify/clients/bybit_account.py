"""pybit's HTTP: python bybit_account.py URL KEY SECRET.

Prints each position, execution and coin that the SDK handed over, reading pages by its own cursors.
"""

import json
import sys
from collections.abc import Callable

from pybit.exceptions import InvalidRequestError
from pybit.unified_trading import HTTP


def say(kind: str, fields: dict[str, object]) -> None:
    """Print one row with its kind."""
    print(json.dumps({"kind": kind, **fields}), flush=True)


def pages(kind: str, method: Callable[..., dict[str, dict[str, object]]], **query: object) -> None:
    """Every row of every page."""
    cursor = ""
    while True:
        result = method(**query, **({"cursor": cursor} if cursor else {}))["result"]
        for row in result["list"]:  # type: ignore[attr-defined]
            say(kind, row)
        cursor = str(result["nextPageCursor"])
        if not cursor:
            return


def main() -> None:
    """Read everything once."""
    url, key, secret = sys.argv[1:]
    session = HTTP(api_key=key, api_secret=secret)
    session.endpoint = url
    try:
        pages("position", session.get_positions, category="linear", settleCoin="USDT")
    except InvalidRequestError as error:
        say("error", {"code": error.status_code, "message": error.message})
        return
    pages("execution", session.get_executions, category="linear", limit=30)
    for coin in session.get_wallet_balance(accountType="UNIFIED")["result"]["list"][0]["coin"]:
        say("coin", coin)
    say("end", {})


main()
