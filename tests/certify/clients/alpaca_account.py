"""alpaca-py's TradingClient: python alpaca_account.py URL KEY SECRET.

Prints the account, each position and each FILL activity, as the SDK parsed them; activities it has no method for.
"""

import json
import sys

from alpaca.common.exceptions import APIError
from alpaca.trading.client import TradingClient
from alpaca.trading.models import TradeAccount, TradeActivity

PAGE = 50


def say(kind: str, parsed: object) -> None:
    """Print one parsed value with its kind."""
    fields = json.loads(parsed.model_dump_json())  # type: ignore[attr-defined]
    print(json.dumps({"kind": kind, **fields}), flush=True)


def main() -> None:
    """Read everything once."""
    url, key, secret = sys.argv[1:]
    client = TradingClient(key, secret, url_override=url)
    try:
        account = client.get_account()
        assert isinstance(account, TradeAccount)
    except APIError as error:
        print(json.dumps({"kind": "error", "code": error.code, "message": error.message}), flush=True)
        return
    say("account", account)
    for position in client.get_all_positions():
        say("position", position)
    query = {"activity_types": "FILL", "direction": "asc", "page_size": PAGE}
    while page := client.get("/account/activities", query):
        for activity in page:
            # The model is of another API, where one client has many accounts; here the id is not sent.
            say("activity", TradeActivity(account_id=account.id, **activity))
        query["page_token"] = page[-1]["id"]
    print(json.dumps({"kind": "end"}), flush=True)


main()
