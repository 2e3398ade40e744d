"""Alpaca's messages and the conversation they make, without a socket."""

from __future__ import annotations

import json
from decimal import Decimal
from types import MappingProxyType

import msgpack
import pytest

from lotkeeperd.feeds.alpaca.messages import JSON, Codec, Failure, Subscribed, Success, read
from lotkeeperd.feeds.alpaca.packed import MESSAGE_PACK, unpacked
from lotkeeperd.feeds.alpaca.session import AlpacaSession
from lotkeeperd.feeds.alpaca.trades import Trade
from lotkeeperd.feeds.errors import ConnectionLimit, Dropped, Rejected, Silent, Unreadable
from lotkeeperd.feeds.quotes import Quote
from lotkeeperd.feeds.reading import decoded
from lotkeeperd.feeds.session import ANSWER_SECONDS, Frame
from lotkeeperd.feeds.spec import FeedSpec, Price

SPEC = FeedSpec(
    "alpaca", "alpaca", MappingProxyType({}), url="wss://x/v2/sip", silence=30, key="the-key", secret="the-secret"
)
TRADE = """{"T":"t","S":"AAPL","i":52983525029461,"x":"V","p":%s,"s":100,"c":["@"],
            "t":"2022-01-31T23:01:00.123456789Z","z":"C"}"""
QUOTE = """{"T":"q","S":"AAPL","bx":"V","bp":%s,"bs":4,"ax":"V","ap":%s,"as":5,"c":["R"],
            "t":"2022-01-31T23:01:00Z","z":"C"}"""
CONNECTED, AUTHENTICATED = '[{"T":"success","msg":"connected"}]', '[{"T":"success","msg":"authenticated"}]'
SUBSCRIPTION = '[{"T":"subscription","trades":["AAPL"],"quotes":[],"bars":[]}]'
TIME = 1_643_670_060_123_456_789


def error(code: int, words: str = "words") -> str:
    """An error frame."""
    return json.dumps([{"T": "error", "code": code, "msg": words}])


def sent(frames: object) -> list[object]:
    """Text frames as what they say."""
    assert isinstance(frames, list)
    return [json.loads(frame) for frame in frames]


def let_in(spec: FeedSpec = SPEC) -> AlpacaSession:
    """A conversation that is authenticated, at second 0."""
    session = AlpacaSession(spec)
    session.opened(0)
    session.received(CONNECTED, 0)
    session.received(AUTHENTICATED, 0)
    return session


def subscribed(*symbols: str) -> AlpacaSession:
    """A conversation that is subscribed to these."""
    session = let_in()
    session.want(symbols, 0)
    session.received(SUBSCRIPTION, 0)
    return session


# Messages.


def test_one_array_mixes_trades_quotes_and_what_says_nothing_about_prices() -> None:
    """In its order; bars, statuses and the like are left out."""
    frame = f'[{TRADE % "187.21"},{{"T":"b","S":"AAPL","c":1.5}},{QUOTE % ("187.2", "187.30")},{{"T":"n","id":1}}]'
    assert read(decoded(frame)) == [
        Trade("AAPL", TIME, ("V", 52983525029461), Decimal("187.21")),
        Quote("AAPL", 1_643_670_060_000_000_000, bid=Decimal("187.2"), ask=Decimal("187.30")),
    ]


def test_a_json_number_keeps_more_digits_than_a_double_has() -> None:
    """It is read from its text."""
    (trade,) = read(decoded(f"[{TRADE % '12345678901234567.1234567890'}]"))
    assert isinstance(trade, Trade)
    assert str(trade.price) == "12345678901234567.1234567890"


def test_a_side_that_nobody_quotes_is_unknown() -> None:
    """Alpaca writes 0."""
    (quote,) = read(decoded(f"[{QUOTE % (0, '187.30')}]"))
    assert isinstance(quote, Quote)
    assert (quote.bid, quote.ask) == (None, Decimal("187.30"))


def test_answers_are_told_apart() -> None:
    """Success, subscription and error."""
    assert read(decoded(CONNECTED)) == [Success("connected")]
    assert read(decoded(SUBSCRIPTION)) == [Subscribed()]
    assert read(decoded(error(406))) == [Failure(406, "words")]


@pytest.mark.parametrize(
    "frame",
    ["{}", "[1]", "[{}]", '[{"T":"t","p":1,"t":"2022-01-31T23:01:00Z"}]', '[{"T":"t","S":"A","p":1,"t":-1}]',
     '[{"T":"t","S":"A","p":"x","t":"2022-01-31T23:01:00Z"}]', '[{"T":"error","msg":"x"}]'],
)  # fmt: skip
def test_what_alpaca_would_not_send_is_refused(frame: str) -> None:
    """It is a break, not a crash."""
    with pytest.raises(Unreadable):
        read(decoded(frame))


@pytest.mark.parametrize("price", ["187.21", "0.1", "1234567.89", "0.000123", "100.0", "4.35"])
def test_a_double_on_the_wire_becomes_the_digits_it_was_made_from(price: str) -> None:
    """The shortest digits that name this double are those that were quoted; the time keeps its nanoseconds."""
    message = [{"T": "t", "S": "AAPL", "p": float(price), "t": msgpack.Timestamp(TIME // 10**9, TIME % 10**9)}]
    (trade,) = read(unpacked(msgpack.packb(message)))
    assert trade == Trade("AAPL", TIME, (None, None), Decimal(price))


@pytest.mark.parametrize("frame", ["[]", b"", b"\xc1", b"\x91", b"\x93\x01\x02", b"\x91" * 100_000])
def test_what_is_not_message_pack_is_refused(frame: Frame) -> None:
    """Text, nothing, half a message and a bomb."""
    with pytest.raises(Unreadable):
        unpacked(frame)


# The conversation.


@pytest.mark.parametrize("codec", [JSON, MESSAGE_PACK])
def test_it_authenticates_once_it_is_greeted_and_asks_once_it_is_let_in(codec: Codec) -> None:
    """In both encodings; what was wanted before waits."""

    def said(**message: object) -> Frame:
        return codec.write([message])  # type: ignore[arg-type]

    session = AlpacaSession(SPEC, codec)
    assert session.opened(0) == []
    assert session.want(["AAPL"], 0) == []
    (frame,) = session.received(said(T="success", msg="connected"), 1).frames
    assert codec.read(frame) == {"action": "auth", "key": "the-key", "secret": "the-secret"}
    assert not session.ready
    (frame,) = session.received(said(T="success", msg="authenticated"), 2).frames
    assert codec.read(frame) == {"action": "subscribe", "trades": ["AAPL"]}
    assert session.ready


@pytest.mark.parametrize(("price", "channel"), [(Price.LAST, "trades"), (Price.MID, "quotes"), (Price.SIDE, "quotes")])
def test_only_the_channel_that_the_price_needs_is_asked_for(price: Price, channel: str) -> None:
    """A plan counts both."""
    session = let_in(SPEC._replace(price=price))
    assert sent(session.want(["AAPL"], 0)) == [{"action": "subscribe", channel: ["AAPL"]}]


def test_what_is_no_longer_wanted_is_unsubscribed_after_the_answer() -> None:
    """One request at a time."""
    session = subscribed("AAPL")
    assert sent(session.want(["MSFT"], 1)) == [{"action": "unsubscribe", "trades": ["AAPL"]}]
    assert session.want(["MSFT"], 1) == []
    assert sent(session.received(SUBSCRIPTION, 2).frames) == [{"action": "subscribe", "trades": ["MSFT"]}]


def test_500_symbols_go_in_chunks() -> None:
    """Each is asked for once."""
    session = let_in()
    frames = sent(session.want([f"S{number}" for number in range(500)], 0))
    asked: list[str] = []
    while frames:
        (frame,) = frames
        assert isinstance(frame, dict)
        asked += frame["trades"]
        frames = sent(session.received(SUBSCRIPTION, 0).frames)
    assert asked == [f"S{number}" for number in range(500)]


def test_wrong_keys_are_a_refusal() -> None:
    """Which is not tried again."""
    session = AlpacaSession(SPEC)
    session.received(CONNECTED, 0)
    with pytest.raises(Rejected, match=r"auth failed \(402\): the key or the secret is refused"):
        session.received(error(402, "auth failed"), 0)


def test_a_plan_without_this_stream_is_a_refusal() -> None:
    """The message names the address."""
    with pytest.raises(Rejected, match="plan does not include wss://x/v2/sip"):
        let_in().received(error(409), 0)


def test_a_connection_limit_says_who_has_the_connection_and_what_to_do() -> None:
    """The bot's own stream, whose prices can be pushed."""
    with pytest.raises(ConnectionLimit, match=r"\(406\).*another program.*PublishMarks"):
        let_in().received(error(406), 0)


@pytest.mark.parametrize("code", [400, 404, 407, 410, 500, 999])
def test_other_errors_end_the_connection(code: int) -> None:
    """With the venue's own words."""
    with pytest.raises(Dropped, match=rf"words \({code}\)"):
        let_in().received(error(code), 0)


def test_to_be_authenticated_already_is_no_harm() -> None:
    """Headers may have done it."""
    assert let_in().received(error(403), 0).notes == []


def test_a_symbol_that_is_refused_is_named_once_and_the_others_get_their_prices() -> None:
    """It is found by halves."""
    session = let_in()
    assert sent(session.want(["A", "??"], 0)) == [{"action": "subscribe", "trades": ["A", "??"]}]
    assert sent(session.received(error(400), 0).frames) == [{"action": "subscribe", "trades": ["A"]}]
    assert sent(session.received(SUBSCRIPTION, 0).frames) == [{"action": "subscribe", "trades": ["??"]}]
    heard = session.received(error(400), 0)
    assert heard.frames == []
    assert heard.notes == ["words (400): no prices for ??; correct the table symbols"]


def test_more_symbols_than_the_plan_has_leave_the_first_ones_their_prices() -> None:
    """The others are named, and tried again when one is given up."""
    session = let_in()
    session.want(["A", "B"], 0)
    assert sent(session.received(error(405), 0).frames) == [{"action": "subscribe", "trades": ["A"]}]
    assert sent(session.received(SUBSCRIPTION, 0).frames) == [{"action": "subscribe", "trades": ["B"]}]
    assert "no prices for B; want fewer symbols or a larger plan" in session.received(error(405), 0).notes[0]
    session.want(["B"], 0)
    assert sent(session.received(SUBSCRIPTION, 0).frames) == [{"action": "subscribe", "trades": ["B"]}]


def test_a_quiet_market_is_told_from_a_mute_connection_by_asking_again() -> None:
    """The answer to a subscription that stands is the sign of life."""
    session = subscribed("AAPL", "MSFT")
    assert session.due(14.9) == []
    assert sent(session.due(15)) == [{"action": "subscribe", "trades": ["AAPL"]}]
    assert session.received(SUBSCRIPTION, 16).frames == []
    assert session.due(20) == []
    session.due(31)
    with pytest.raises(Silent, match="a request was not answered"):
        session.due(31 + ANSWER_SECONDS)


def test_a_change_of_mind_during_a_ping_waits_for_its_answer() -> None:
    """Or the answer to one would be taken for the other's."""
    session = subscribed("AAPL")
    session.due(15)
    assert session.want(["AAPL", "MSFT"], 16) == []
    assert sent(session.received(SUBSCRIPTION, 17).frames) == [{"action": "subscribe", "trades": ["MSFT"]}]


def test_silence_after_subscribing_ends_the_connection() -> None:
    """Also when the ping was answered once, long ago."""
    session = subscribed("AAPL")
    with pytest.raises(Silent, match="no message for 30 seconds"):
        session.due(30)


def test_while_nothing_is_subscribed_silence_is_nothing() -> None:
    """There is nothing to miss."""
    session = let_in()
    assert session.due(100_000) == []


def test_a_venue_that_does_not_greet_is_silent() -> None:
    """The first answer is owed from the beginning."""
    session = AlpacaSession(SPEC)
    session.opened(5)
    with pytest.raises(Silent, match="not answered within 10 seconds"):
        session.due(15)
