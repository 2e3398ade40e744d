"""coinbase-advanced-py's RESTClient: python coinbase_account.py HOST KEY SECRET.

HOST is host:port/path on loopback: the SDK insists on https, so its session is given a transport that does not encrypt. Prints
each account, fill and future that the SDK parsed, reading pages by its own cursors.
"""

import json
import sys

from coinbase.rest import RESTClient
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from requests.exceptions import HTTPError


class Unencrypted(HTTPAdapter):  # type: ignore[misc]
    """Loopback has no certificate."""

    def send(self, request: PreparedRequest, *arguments: object, **options: object) -> Response:
        """Send it as http."""
        assert request.url is not None
        request.url = request.url.replace("https://", "http://", 1)
        return super().send(request, *arguments, **options)


def say(kind: str, parsed: object) -> None:
    """Print one parsed value with its kind."""
    print(json.dumps({"kind": kind, **parsed.to_dict()}), flush=True)  # type: ignore[attr-defined]


def main() -> None:
    """Read everything once."""
    host, key, secret = sys.argv[1:]
    client = RESTClient(api_key=key, api_secret=secret, base_url=host)
    client.session.mount("https://", Unencrypted())
    try:
        answer = client.get_accounts(limit=30)
    except HTTPError as error:
        print(json.dumps({"kind": "error", "message": str(error)}), flush=True)
        return
    accounts = list(answer.accounts)
    while answer.has_next:
        answer = client.get_accounts(limit=30, cursor=answer.cursor)
        accounts += answer.accounts
    for account in accounts:
        say("account", account)
    answer = client.get_fills(limit=30)
    fills = list(answer.fills)
    while answer.cursor:
        answer = client.get_fills(limit=30, cursor=answer.cursor)
        fills += answer.fills
    for fill in fills:
        say("fill", fill)
    for position in client.list_futures_positions().positions:
        say("future", position)
    print(json.dumps({"kind": "end"}), flush=True)


main()
