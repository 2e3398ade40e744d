"""coinbase-advanced-py's WSClient: python coinbase_market.py URL key|nokey PRODUCT...

Prints one line of JSON for each message, parsed by the SDK. With ``key`` it signs a token with a throw-away key. A line
on stdin unsubscribes from the trades.
"""

import json
import sys

from coinbase.websocket import WebsocketResponse, WSClient
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat


def on_message(body: str) -> None:
    """A message came."""
    message = json.loads(body)
    if "channel" not in message:
        print(json.dumps({"kind": "error", **message}), flush=True)
        return
    parsed = WebsocketResponse(message)
    events = [event.to_dict() for event in parsed.events]
    print(json.dumps({"kind": parsed.channel, "sequence_num": parsed.sequence_num, "events": events}), flush=True)


def throw_away_key() -> dict[str, str]:
    """A key that is good for signing and for nothing else."""
    key = ec.generate_private_key(ec.SECP256R1())
    text = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
    return {"api_key": "organizations/fake/apiKeys/fake", "api_secret": text}


def main() -> None:
    """Subscribe to the ticker, the trades and the heartbeats, and run until stdin ends."""
    url, login, *products = sys.argv[1:]
    client = WSClient(base_url=url, on_message=on_message, **(throw_away_key() if login == "key" else {}))
    client.open()
    client.subscribe(products, ["ticker", "market_trades", "heartbeats"])
    for _ in sys.stdin:
        client.unsubscribe(products, ["market_trades"])
    client.close()


main()
