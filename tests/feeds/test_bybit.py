"""Bybit's messages, the merging of what changed, and the conversation they make, without a socket."""

from __future__ import annotations

import json
from decimal import Decimal
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotkeeperd.feeds.bybit.messages import Answer, Known, Pong, Ticker, merged, quote, read
from lotkeeperd.feeds.bybit.session import BybitSession
from lotkeeperd.feeds.errors import Silent, Unreadable
from lotkeeperd.feeds.quotes import Quote
from lotkeeperd.feeds.reading import decoded
from lotkeeperd.feeds.session import NOTHING
from lotkeeperd.feeds.spec import FeedSpec, Price
from tests.feeds.recorded import recorded

SPEC = FeedSpec("bybit", "bybit", MappingProxyType({}), silence=45, category="linear")
GRANTED = '{"success":true,"ret_msg":"","conn_id":"x","req_id":"","op":"subscribe"}'
PING = {"op": "ping"}


def ticker(kind: str, ts: int, cs: int | None = 0, symbol: str = "BTCUSDT", **data: str) -> str:
    """A ticker frame."""
    message = {"topic": f"tickers.{symbol}", "type": kind, "ts": ts, "data": {"symbol": symbol, **data}}
    return json.dumps(message if cs is None else message | {"cs": cs})


def refused(words: str = "Invalid topic: tickers.X") -> str:
    """A request that is not granted."""
    return json.dumps({"success": False, "ret_msg": words, "conn_id": "x", "op": "subscribe"})


def opened(spec: FeedSpec = SPEC) -> BybitSession:
    """A conversation at second 0."""
    session = BybitSession(spec)
    assert [json.loads(frame) for frame in session.opened(0)] == [PING]
    return session


def asked(frames: object) -> list[list[str]]:
    """The topics of requests."""
    assert isinstance(frames, list)
    return [json.loads(frame)["args"] for frame in frames]


# Messages.


def test_the_recorded_ticker_has_every_price() -> None:
    """Digit for digit, at the venue's time."""
    said = read(decoded(recorded("bybit/ws_ticker_linear.json")))
    assert isinstance(said, Ticker)
    got = quote(said.symbol, merged(None, said))
    assert [str(price) for price in got[2:]] == ["17216.00", "17215.50", "17216.00", "17217.33"]
    assert (got.symbol, got.time) == ("BTCUSDT", 1_673_272_861_686_000_000)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("bybit/ws_subscription_ack.json", Answer(True, "")),
        ("bybit/ws_subscription_failure.json", Answer(False, "Invalid topic: invalid.topic.BTCUSDT")),
        ("bybit/ws_public_trade.json", None),
        ("bybit/ws_auth_success.json", None),
        ("bybit/ws_account_position.json", None),
    ],
)
def test_recorded_answers_are_told_from_what_says_nothing_about_prices(name: str, said: object) -> None:
    """Other topics are not ours."""
    assert read(decoded(recorded(name))) == said


def test_pings_are_answered_in_two_ways() -> None:
    """Futures and spot in one, options in another."""
    assert read(decoded('{"success":true,"ret_msg":"pong","conn_id":"x","req_id":"","op":"ping"}')) == Pong()
    assert read(decoded('{"args":["1672916271846"],"op":"pong"}')) == Pong()


def test_options_name_bid_and_ask_in_their_own_way() -> None:
    """And have no cross sequence."""
    frame = ticker("snapshot", 5, None, "BTC-29DEC26-100000-C", bidPrice="10.5", askPrice="0", markPrice="11")
    said = read(decoded(frame))
    assert isinstance(said, Ticker)
    assert quote(said.symbol, merged(None, said)) == Quote(
        "BTC-29DEC26-100000-C", 5_000_000, bid=Decimal("10.5"), mark=Decimal(11)
    )


def test_the_first_level_of_a_book_has_bid_and_ask() -> None:
    """For spot pairs, whose tickers have neither; an empty side is unknown."""
    book = {"s": "BTCUSDT", "b": [["16493.50", "0.006"]], "a": [], "u": 1, "seq": 7961638724}
    said = read({"topic": "orderbook.1.BTCUSDT", "type": "snapshot", "ts": 5, "data": book, "cts": 4})
    assert said == Ticker("BTCUSDT", (5_000_000, 7961638724), {"bid": Decimal("16493.50"), "ask": None})


@pytest.mark.parametrize(
    "frame",
    ["[]", '{"topic": 1}', '{"topic": "tickers.X", "ts": 1}', '{"topic": "tickers.X", "data": {}}',
     '{"topic": "tickers.X", "ts": 1, "type": "news", "data": {}}',
     '{"topic": "tickers.X", "ts": 1, "data": {"lastPrice": "x"}}',
     '{"topic": "orderbook.1.X", "ts": 1, "type": "delta", "data": {"b": [], "a": []}}',
     '{"topic": "orderbook.1.X", "ts": 1, "data": {"b": [1], "a": []}}'],
)  # fmt: skip
def test_what_bybit_would_not_send_is_refused(frame: str) -> None:
    """It is a break, not a crash."""
    with pytest.raises(Unreadable):
        read(decoded(frame))


# Merging.


def test_a_change_only_changes_what_it_carries() -> None:
    """Everything else stands as the snapshot said."""
    whole = merged(None, Ticker("X", (1, 1), {"last": Decimal(1), "bid": Decimal(2), "ask": Decimal(3), "mark": None}))
    known = merged(whole, Ticker("X", (2, 2), {"bid": Decimal(9)}))
    assert quote("X", known) == Quote("X", 2, Decimal(1), Decimal(9), Decimal(3))


def test_a_change_can_take_a_side_away() -> None:
    """Nothing is said about that side then."""
    known = merged(
        merged(None, Ticker("X", (1, 1), {"bid": Decimal(2), "ask": Decimal(3)})), Ticker("X", (2, 2), {"bid": None})
    )
    assert quote("X", known) == Quote("X", 2, ask=Decimal(3))


def test_a_new_snapshot_forgets_what_it_does_not_say() -> None:
    """The venue sends one when it has begun anew."""
    session = opened()
    session.received(ticker("snapshot", 1, lastPrice="10", bid1Price="9"), 0)
    (got,) = session.received(ticker("snapshot", 2, lastPrice="11"), 0).quotes
    assert (got.last, got.bid) == (Decimal(11), None)


PRICES = st.dictionaries(
    st.sampled_from(["last", "bid", "ask", "mark"]), st.none() | st.integers(1, 99).map(Decimal), min_size=1
)


@given(st.lists(PRICES, min_size=1, max_size=5), st.data())
def test_the_order_in_which_messages_come_does_not_change_what_is_known(
    said: list[dict[str, Decimal | None]], data: st.DataObject
) -> None:
    """Each price is as it was said last; repetitions say nothing new."""
    news = [Ticker("X", (number // 2, number), prices) for number, prices in enumerate(said)]
    mixed = data.draw(st.permutations([*news, *news]))

    def after(messages: list[Ticker]) -> Known | None:
        known = None
        for message in messages:
            known = merged(known, message)
        return known

    assert after(mixed) == after(news)


def test_a_message_that_says_nothing_new_changes_nothing() -> None:
    """It is not even a price again."""
    session = opened()
    session.received(ticker("snapshot", 2, lastPrice="10"), 0)
    assert session.received(ticker("snapshot", 1, lastPrice="9"), 0) == NOTHING


def test_a_change_without_prices_says_that_they_still_stand() -> None:
    """The market was seen at that time, and they had not changed."""
    session = opened()
    session.received(ticker("snapshot", 1, lastPrice="10"), 0)
    assert session.received(ticker("delta", 7, openInterest="5"), 0).quotes == [
        Quote("BTCUSDT", 7_000_000, Decimal(10))
    ]


# The conversation.


@pytest.mark.parametrize(
    ("category", "price", "topic"),
    [
        ("linear", Price.SIDE, "tickers.X"),
        ("inverse", Price.LAST, "tickers.X"),
        ("option", Price.MID, "tickers.X"),
        ("spot", Price.LAST, "tickers.X"),
        ("spot", Price.MID, "orderbook.1.X"),
        ("spot", Price.SIDE, "orderbook.1.X"),
    ],
)
def test_the_topic_is_the_one_that_carries_the_price(category: str, price: Price, topic: str) -> None:
    """Tickers, but for bid and ask of a spot pair."""
    assert asked(opened(SPEC._replace(category=category, price=price)).want(["X"], 0)) == [[topic]]


@pytest.mark.parametrize(("category", "chunk"), [("linear", 100), ("spot", 10)])
def test_topics_go_in_chunks_the_stream_takes(category: str, chunk: int) -> None:
    """The next after the answer to the one before; 500 symbols are asked for once each."""
    session = opened(SPEC._replace(category=category))
    names = [f"S{number:03}USDT" for number in range(500)]
    frames = session.want(names, 0)
    topics: list[str] = []
    while frames:
        (some,) = asked(list(frames))
        assert len(some) <= chunk
        topics += some
        frames = list(session.received(GRANTED, 0).frames)
    assert topics == [f"tickers.{name}" for name in names]


def test_a_symbol_that_bybit_does_not_know_is_named_and_costs_no_other_its_price() -> None:
    """One bad topic makes it refuse the whole request."""
    session = opened()
    assert asked(session.want(["A", "X"], 0)) == [["tickers.A", "tickers.X"]]
    assert asked(session.received(refused(), 0).frames) == [["tickers.A"]]
    assert asked(session.received(GRANTED, 0).frames) == [["tickers.X"]]
    assert session.received(refused(), 0).notes == [
        "Invalid topic: tickers.X: no prices for X; correct the table symbols"
    ]


def test_options_say_themselves_which_topics_failed() -> None:
    """The others are granted."""
    session = opened(SPEC._replace(category="option"))
    session.want(["A", "X", "B"], 0)
    answer = {"success": False, "conn_id": "x", "type": "COMMAND_RESP",
              "data": {"failTopics": ["tickers.X"], "successTopics": ["tickers.A", "tickers.B"]}}  # fmt: skip
    heard = session.received(json.dumps(answer), 0)
    assert heard.frames == []
    assert "no prices for X;" in heard.notes[0]
    assert asked(session.want([], 0)) == [["tickers.A", "tickers.B"]]


def test_a_topic_that_is_subscribed_already_is_subscribed() -> None:
    """Bybit calls that an error."""
    session = opened()
    session.want(["A"], 0)
    heard = session.received(refused("error:already subscribed,topic:tickers.A"), 0)
    assert (heard.frames, heard.notes) == ([], [])


def test_what_was_unsubscribed_is_forgotten() -> None:
    """A later subscription begins with nothing known."""
    session = opened()
    session.want(["BTCUSDT"], 0)
    session.received(GRANTED, 0)
    session.received(ticker("snapshot", 5, lastPrice="10"), 0)
    session.want([], 0)
    session.received(GRANTED.replace("subscribe", "unsubscribe"), 0)
    (got,) = session.received(ticker("delta", 6, bid1Price="9"), 0).quotes
    assert (got.last, got.bid) == (None, Decimal(9))


def test_it_pings_every_twenty_seconds() -> None:
    """Bybit cuts a connection that does not."""
    session = opened()
    pings = []
    for second in range(61):
        pings += [second for frame in session.due(second) if json.loads(frame) == PING]
        session.received('{"success":true,"ret_msg":"pong","op":"ping"}', second)
    assert pings == [20, 40, 60]


def test_pings_without_an_answer_end_the_connection() -> None:
    """Connected, but mute."""
    session = opened()
    assert [second for second in range(45) if session.due(second)] == [20, 40]
    with pytest.raises(Silent, match="no message for 45 seconds"):
        session.due(45)


def test_a_request_without_an_answer_ends_the_connection() -> None:
    """Though other messages come."""
    session = opened()
    session.want(["A"], 0)
    session.received('{"op":"pong"}', 9)
    with pytest.raises(Silent, match="a request was not answered within 10 seconds"):
        session.due(10)
