"""A subscription that is told messages, and what came of them."""

import grpc

from lotkeeper.calls import Defaults
from lotkeeper.errors import Unavailable
from lotkeeper.events import PnLEvent, Update
from lotkeeper.resume import Subscription
from lotkeeper.v1.ledger_service_pb2 import StreamPnLResponse
from tests.client.samples import NOON

GONE = Unavailable(grpc.StatusCode.UNAVAILABLE, "gone")
DEFAULTS = Defaults("", 5.0)
NOW = NOON + 250_000_000


def taken(subscription: Subscription, *messages: StreamPnLResponse) -> list[PnLEvent]:
    """The events the messages complete."""
    return [event for each in messages if (event := subscription.take(each, NOW)) is not None]


def trades(events: list[PnLEvent]) -> list[tuple[int, int]]:
    """The closed trades among them, by their place in history."""
    updates = [event for event in events if isinstance(event, Update)]
    return [(trade.sequence, trade.index) for event in updates for trade in event.closed_trades]


def entries(events: list[PnLEvent]) -> list[str]:
    """The opened entries among them, by id."""
    updates = [event for event in events if isinstance(event, Update)]
    return [opened.entry_id for event in updates for opened in event.opened_entries]


def restatements(events: list[PnLEvent]) -> list[tuple[str, str]]:
    """The restated trades among them: the id before and the id after, empty where there is none."""
    updates = [event for event in events if isinstance(event, Update)]
    return [
        (told.before.trade_id if told.before else "", told.after.trade_id if told.after else "")
        for event in updates
        for told in event.restated_trades
    ]
