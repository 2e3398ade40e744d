"""Coinbase's messages and the conversation they make, without a socket."""

from __future__ import annotations

import json
from decimal import Decimal
from types import MappingProxyType

import pytest

from lotkeeperd.feeds.coinbase.messages import Failure, Message, read
from lotkeeperd.feeds.coinbase.session import CoinbaseSession
from lotkeeperd.feeds.errors import ConnectionLimit, Dropped, Gap, Rejected, Silent, Unreadable
from lotkeeperd.feeds.quotes import Quote
from lotkeeperd.feeds.reading import decoded
from lotkeeperd.feeds.session import NOTHING
from lotkeeperd.feeds.spec import FeedSpec
from tests.feeds.recorded import recorded

SPEC = FeedSpec("coinbase", "coinbase", MappingProxyType({}), silence=10)
HEARTBEATS = {"type": "subscribe", "channel": "heartbeats"}


def frame(channel: str, number: int, **event: object) -> str:
    """A frame with one event."""
    time = "2026-04-07T14:30:03.123456Z"
    return json.dumps(
        {"channel": channel, "client_id": "", "timestamp": time, "sequence_num": number, "events": [event]}
    )


def ticker(number: int, price: str = "10") -> str:
    """A ticker frame."""
    return frame("ticker", number, type="update", tickers=[{"product_id": "BTC-USD", "price": price}])


def opened(*wanted: str) -> CoinbaseSession:
    """A conversation whose heartbeats were granted, so that message 1 comes next."""
    session = CoinbaseSession(SPEC)
    session.opened(0)
    session.want(wanted, 0)
    session.received(frame("subscriptions", 0, subscriptions={}), 0)
    return session


def sent(frames: object) -> list[object]:
    """Text frames as what they say."""
    assert isinstance(frames, list)
    return [json.loads(text) for text in frames]


# Messages.


def test_the_recorded_ticker_has_its_prices() -> None:
    """Digit for digit, at the venue's time."""
    assert read(decoded(recorded("coinbase/ws_ticker.json"))) == Message(
        "ticker",
        12,
        (Quote("BTC-USD", 1_775_572_203_000_000_000, Decimal("68900.50"), Decimal("68900.00"), Decimal("68901.00")),),
    )


@pytest.mark.parametrize(
    ("name", "channel", "number"),
    [
        ("ws_heartbeats", "heartbeats", 0),
        ("ws_subscriptions", "subscriptions", 0),
        ("ws_market_trades", "market_trades", 5),
        ("ws_l2_data_update", "l2_data", 1),
        ("ws_candles", "candles", 3),
        ("ws_user", "user", 1),
    ],
)
def test_recorded_messages_of_other_channels_have_numbers_and_no_prices(name: str, channel: str, number: int) -> None:
    """They count all the same."""
    assert read(decoded(recorded(f"coinbase/{name}.json"))) == Message(channel, number, ())


def test_an_error_has_words_and_no_number() -> None:
    """And maybe a reason."""
    assert read(decoded('{"type":"error","message":"authentication failure"}')) == Failure("authentication failure")
    assert read(decoded('{"type":"error","message":"a","reason":"b"}')) == Failure("a: b")


@pytest.mark.parametrize(
    "text",
    ["[]", "{}", '{"channel":"ticker","sequence_num":1}', '{"channel":"heartbeats","sequence_num":"1"}',
     '{"channel":"ticker","sequence_num":1,"timestamp":"x","events":[]}',
     '{"channel":"ticker","sequence_num":1,"timestamp":"2026-04-07T14:30:03Z","events":[{"tickers":[{"price":"1"}]}]}'],
)  # fmt: skip
def test_what_coinbase_would_not_send_is_refused(text: str) -> None:
    """It is a break, not a crash."""
    with pytest.raises(Unreadable):
        read(decoded(text))


# The conversation.


def test_heartbeats_are_asked_for_before_anything_is_wanted() -> None:
    """A connection that subscribes to nothing is closed after five seconds."""
    session = CoinbaseSession(SPEC)
    assert sent(session.opened(0)) == [HEARTBEATS]
    assert not session.ready


def test_tickers_are_asked_for_once_heartbeats_are_granted_and_given_up_again() -> None:
    """One request at a time, one channel each."""
    session = CoinbaseSession(SPEC)
    session.opened(0)
    assert session.want(["BTC-USD"], 0) == []
    granted = session.received(frame("subscriptions", 0, subscriptions={}), 1)
    assert sent(granted.frames) == [{"type": "subscribe", "channel": "ticker", "product_ids": ["BTC-USD"]}]
    assert session.ready
    session.received(frame("subscriptions", 1, subscriptions={}), 2)
    assert sent(session.want([], 2)) == [{"type": "unsubscribe", "channel": "ticker", "product_ids": ["BTC-USD"]}]


def test_500_products_go_in_chunks() -> None:
    """Each is asked for once."""
    names = [f"S{number:03}-USD" for number in range(500)]
    session = CoinbaseSession(SPEC)
    session.opened(0)
    session.want(names, 0)
    asked: list[str] = []
    for number in range(6):
        frames = sent(session.received(frame("subscriptions", number, subscriptions={}), number + 1).frames)
        asked += [name for request in frames if isinstance(request, dict) for name in request["product_ids"]]
    assert asked == names


def test_every_number_is_expected_whatever_its_channel() -> None:
    """Heartbeats count too."""
    session = opened()
    assert session.received(ticker(1), 0).quotes[0].last == Decimal(10)
    session.received(frame("heartbeats", 2, heartbeat_counter=1), 0)
    assert session.received(ticker(3, "11"), 0).quotes[0].last == Decimal(11)


def test_a_number_that_is_left_out_is_a_lost_message() -> None:
    """The message says which."""
    session = opened()
    session.received(ticker(1), 0)
    with pytest.raises(Gap, match="messages 2 to 4 of the connection were lost"):
        session.received(frame("heartbeats", 5, heartbeat_counter=1), 0)


def test_a_repetition_says_nothing_new() -> None:
    """And does not move the count."""
    session = opened()
    session.received(ticker(1), 0)
    session.received(ticker(2, "12"), 0)
    assert session.received(ticker(1), 0) == NOTHING
    assert session.received(ticker(2), 0) == NOTHING
    assert session.received(ticker(3, "13"), 0).quotes[0].last == Decimal(13)


def test_refused_authentication_is_final() -> None:
    """Whatever was asked for."""
    with pytest.raises(Rejected, match="authentication failure"):
        opened("BTC-USD").received('{"type":"error","message":"authentication failure"}', 0)


def test_a_product_that_coinbase_does_not_know_is_named_and_costs_no_other_its_price() -> None:
    """It is found by halves."""
    bad = '{"type":"error","message":"invalid product"}'
    session = opened("A-USD", "X-USD")
    session.due(1)
    assert sent(session.received(bad, 2).frames) == [
        {"type": "subscribe", "channel": "ticker", "product_ids": ["A-USD"]}
    ]
    granted = session.received(frame("subscriptions", 1, subscriptions={}), 3)
    assert sent(granted.frames) == [{"type": "subscribe", "channel": "ticker", "product_ids": ["X-USD"]}]
    assert session.received(bad, 4).notes == ["invalid product: no prices for X-USD; correct the table symbols"]


def test_the_next_request_waits_for_its_turn() -> None:
    """The venue counts the messages of an address per second; what waits goes out when it is due, once."""
    session = CoinbaseSession(SPEC)
    session.opened(10)
    session.want(["BTC-USD"], 10)
    assert session.received(frame("subscriptions", 0, subscriptions={}), 10.1).frames == []
    assert session.want(["BTC-USD"], 10.15) == []
    assert session.due(10.19) == []
    assert sent(session.due(10.2)) == [{"type": "subscribe", "channel": "ticker", "product_ids": ["BTC-USD"]}]
    assert session.due(10.5) == []


@pytest.mark.parametrize("words", ["rate limit exceeded", "Rate-Limit", "ratelimited", "Too many requests"])
@pytest.mark.parametrize("is_answer", [True, False])
def test_too_many_requests_are_a_limit_and_no_fault_of_the_products(words: str, is_answer: bool) -> None:
    """Come back slowly, with all of them."""
    session = opened("A-USD", "B-USD")
    if is_answer:
        session.due(1)
    with pytest.raises(ConnectionLimit, match=words):
        session.received(json.dumps({"type": "error", "message": words}), 2)


def test_an_error_that_answers_no_request_ends_the_connection() -> None:
    """With the venue's own words."""
    with pytest.raises(Dropped, match="slow down"):
        opened().received('{"type":"error","message":"slow down"}', 0)


def test_missing_heartbeats_end_the_connection() -> None:
    """Connected, but mute."""
    session = opened()
    session.received(frame("heartbeats", 1, heartbeat_counter=1), 5)
    assert session.due(14.9) == []
    with pytest.raises(Silent, match="no message for 10 seconds"):
        session.due(15)
