"""SetMarks and ListMarks: prices come in, value what is open, and say how old they are and who sent them."""

from __future__ import annotations

import time
from typing import Any

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from lotkeeper.v1 import market_service_pb2
from lotkeeper.v1.ledger_service_pb2_grpc import LedgerServiceStub
from lotkeeper.v1.market_service_pb2_grpc import MarketServiceStub
from tests.contract import reading
from tests.contract.asking import LONG, NOON, SECOND, SHORT, close, entry, marks, nanoseconds, stamp, summary
from tests.support.dialing import dialed
from tests.support.refusals import refused
from tests.support.sidecar import Sidecar

Ledger = Any
Market = Any
"""The generated stubs; gRPC writes no types for them."""

HOUR = 3600 * SECOND
LARGEST = 1000


def listed(market: Market, *symbols: str) -> list[market_service_pb2.Mark]:
    """The newest mark of each symbol."""
    return list(market.ListMarks(market_service_pb2.ListMarksRequest(symbols=symbols)).marks)


def feed(market: Market, source: str) -> market_service_pb2.FeedStatus | None:
    """What is known of a source, if anything is."""
    feeds = market.ListMarks(market_service_pb2.ListMarksRequest()).feeds
    found = [status for status in feeds if status.source == source]
    assert len(found) < 2
    return found[0] if found else None


def test_a_mark_is_listed_as_it_was_set(market: Market, symbol: str) -> None:
    """Price, bid, ask, time and source; numbers without trailing zeros; one symbol has no bid."""
    now = time.time_ns()
    full = market_service_pb2.Mark(symbol=symbol, price="1.50", bid="1.40", ask="1.60", observe_time=stamp(now))
    plain = market_service_pb2.Mark(symbol=symbol + "b", price="0", observe_time=stamp(now), source="ignored")
    answer = market.SetMarks(market_service_pb2.SetMarksRequest(marks=[full, plain], source=symbol))
    assert (answer.accepted_count, answer.outdated_count) == (2, 0)
    first, second = listed(market, symbol + "b", symbol)
    assert first == market_service_pb2.Mark(
        symbol=symbol, price="1.5", bid="1.4", ask="1.6", observe_time=stamp(now), source=symbol
    )
    assert (second.price, second.source) == ("0", symbol)
    assert (second.HasField("bid"), second.HasField("ask")) == (False, False)


def test_what_is_left_out_of_a_mark_gets_its_default(market: Market, symbol: str) -> None:
    """The source is "api", the time is that of arrival."""
    before = time.time_ns()
    market.SetMarks(marks((symbol, "1")))
    (mark,) = listed(market, symbol)
    assert mark.source == "api"
    assert before <= nanoseconds(mark.observe_time) <= time.time_ns()
    assert mark.stale is False


@pytest.mark.parametrize(("side", "gain"), [(LONG, "12"), (SHORT, "-12")])
def test_a_mark_values_what_is_open(
    ledger: Ledger, market: Market, portfolio: str, symbol: str, side: int, gain: str
) -> None:
    """3 at 100 marked at 104; the position shows price, time and source; totals sum; nothing realized has moved."""
    now = time.time_ns()
    ledger.CreateEntry(entry(portfolio, symbol, "3", fee="1", side=side))
    market.SetMarks(marks((symbol, "104"), source="feed", time=now))
    answer = ledger.GetSummary(summary(portfolio))
    (position,), (totals,) = answer.positions, answer.totals
    assert (position.unrealized_pnl, position.mark_price, position.mark_source) == (gain, "104", "feed")
    assert (nanoseconds(position.mark_time), position.mark_stale) == (now, False)
    assert (totals.unrealized_pnl, totals.net_realized_pnl, totals.unpriced_count) == (gain, "0", 0)
    assert position.sequence == answer.sequence


def test_a_mark_may_come_before_the_position(ledger: Ledger, market: Market, portfolio: str, symbol: str) -> None:
    """The answer to the entry shows it at once."""
    market.SetMarks(marks((symbol, "101.5")))
    position = ledger.CreateEntry(entry(portfolio, symbol, "2")).position
    assert (position.unrealized_pnl, position.mark_price) == ("3", "101.5")
    assert ledger.CloseFifo(close(portfolio, symbol, "2")).position.side == 3


def test_one_mark_values_every_portfolio_that_holds_the_symbol(
    ledger: Ledger, market: Market, portfolio: str, symbol: str
) -> None:
    """A price is the instrument's, not the bot's."""
    books = [f"{portfolio}{name}" for name in "abc"]
    for book in books:
        ledger.CreateEntry(entry(book, symbol))
    market.SetMarks(marks((symbol, "99")))
    assert [reading.position(ledger, book, symbol).unrealized_pnl for book in books] == ["-1"] * 3


def test_an_older_mark_of_the_same_source_is_dropped_and_counted(market: Market, symbol: str) -> None:
    """It came late; one of the same moment is newer, because it came later."""
    now = time.time_ns()
    market.SetMarks(marks((symbol, "1"), source=symbol, time=now))
    answer = market.SetMarks(marks((symbol, "2"), source=symbol, time=now - 1))
    assert (answer.accepted_count, answer.outdated_count) == (0, 1)
    assert listed(market, symbol)[0].price == "1"
    answer = market.SetMarks(marks((symbol, "3"), source=symbol, time=now))
    assert (answer.accepted_count, answer.outdated_count) == (1, 0)
    assert listed(market, symbol)[0].price == "3"


def test_within_one_request_the_later_mark_is_the_newer(market: Market, symbol: str) -> None:
    """And one that goes back in time is outdated."""
    now = time.time_ns()
    both = marks((symbol, "1"), (symbol, "2"), (symbol, "3"), source=symbol, time=now)
    both.marks[2].observe_time.CopyFrom(stamp(now - SECOND))
    answer = market.SetMarks(both)
    assert (answer.accepted_count, answer.outdated_count) == (2, 1)
    assert listed(market, symbol)[0].price == "2"


def test_of_several_sources_the_newest_observation_counts(market: Market, symbol: str) -> None:
    """A slow feed does not overwrite a fast one; each is measured against its own past only."""
    now = time.time_ns()
    market.SetMarks(marks((symbol, "1"), source="fast", time=now))
    answer = market.SetMarks(marks((symbol, "2"), source="slow", time=now - SECOND))
    assert (answer.accepted_count, answer.outdated_count) == (1, 0)
    assert [(mark.price, mark.source) for mark in listed(market, symbol)] == [("1", "fast")]
    market.SetMarks(marks((symbol, "3"), source="slow", time=now + 1))
    assert [(mark.price, mark.source) for mark in listed(market, symbol)] == [("3", "slow")]


def test_a_mark_from_the_future_is_taken_at_its_arrival(market: Market, symbol: str) -> None:
    """More than 5 s ahead of the server: a wrong clock would freeze the price. Within 5 s it stands."""
    before = time.time_ns()
    market.SetMarks(marks((symbol, "1"), time=before + HOUR))
    market.SetMarks(marks((symbol + "b", "1"), time=before + 2 * SECOND))
    far, near = listed(market, symbol, symbol + "b")
    assert before <= nanoseconds(far.observe_time) <= time.time_ns()
    assert nanoseconds(near.observe_time) == before + 2 * SECOND


def test_an_old_mark_is_stale_and_still_values(ledger: Ledger, market: Market, portfolio: str, symbol: str) -> None:
    """Its position and the totals say so; a fresh one makes it good."""
    ledger.CreateEntry(entry(portfolio, symbol))
    market.SetMarks(marks((symbol, "105"), source=symbol, time=time.time_ns() - HOUR))
    assert listed(market, symbol)[0].stale is True
    answer = ledger.GetSummary(summary(portfolio))
    (position,), (totals,) = answer.positions, answer.totals
    assert (position.unrealized_pnl, position.mark_stale) == ("5", True)
    assert (list(totals.stale_symbols), totals.stale_count, totals.unrealized_pnl) == ([symbol], 1, "5")
    market.SetMarks(marks((symbol, "106"), source=symbol))
    answer = ledger.GetSummary(summary(portfolio))
    assert answer.positions[0].mark_stale is False
    assert (answer.totals[0].stale_count, listed(market, symbol)[0].stale) == (0, False)


def test_every_source_is_listed_with_what_it_sent(market: Market, symbol: str) -> None:
    """A caller that pushes is connected; messages are counted, not marks."""
    assert feed(market, symbol) is None
    before = time.time_ns()
    for _ in range(3):
        market.SetMarks(marks((symbol, "1"), (symbol + "b", "2"), source=symbol))
    status = feed(market, symbol)
    assert status is not None
    assert (status.connected, status.message_count, status.reconnect_count, status.last_error) == (True, 3, 0, "")
    assert before <= nanoseconds(status.last_message_time) <= time.time_ns()


def test_only_marks_that_are_held_are_listed(market: Market, symbol: str) -> None:
    """By symbol, each once; unknown is not zero."""
    market.SetMarks(marks((symbol, "1")))
    assert [mark.symbol for mark in listed(market, "never marked", symbol, symbol)] == [symbol]
    everything = [mark.symbol for mark in listed(market)]
    assert symbol in everything
    assert everything == sorted(everything)


BAD = {
    "symbol empty": ({"symbol": ""}, "symbol"),
    "symbol too long": ({"symbol": "s" * 65}, "symbol"),
    "symbol with a control": ({"symbol": "a\nb"}, "symbol"),
    "price empty": ({"price": ""}, "price"),
    "price negative": ({"price": "-1"}, "price"),
    "price with an exponent": ({"price": "1e3"}, "price"),
    "price NaN": ({"price": "NaN"}, "price"),
    "price with 19 fraction digits": ({"price": "0." + "1" * 19}, "price"),
    "bid malformed": ({"bid": "x"}, "bid"),
    "bid empty": ({"bid": ""}, "bid"),
    "ask negative": ({"ask": "-0.1"}, "ask"),
    "observed before 1970": ({"observe_time": Timestamp(seconds=-1)}, "observe_time"),
    "observed with negative nanos": ({"observe_time": Timestamp(nanos=-1)}, "observe_time"),
}


@pytest.mark.parametrize(("broken", "field"), BAD.values(), ids=BAD)
def test_a_mark_that_breaks_a_rule_refuses_them_all(
    market: Market, symbol: str, broken: dict[str, Any], field: str
) -> None:
    """Its place is named, none of the good ones is taken, and the source is not heard of."""
    request = marks((symbol, "1"), (symbol + "b", "2"), (symbol + "c", "3"), source=symbol)
    request.marks[1].MergeFrom(market_service_pb2.Mark(**broken))
    for name, value in broken.items():
        if value == "" and name in ("symbol", "price"):
            setattr(request.marks[1], name, value)
    refusal = refused(market.SetMarks, request)
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_VIOLATION")
    assert refusal.fields == [f"marks[1].{field}"]
    assert listed(market, symbol, symbol + "b", symbol + "c") == []
    assert feed(market, symbol) is None


@pytest.mark.parametrize("source", ["s" * 65, "a\tb"])
def test_a_source_has_a_name_that_can_be_shown(market: Market, symbol: str, source: str) -> None:
    """64 characters, none of them a control."""
    refusal = refused(market.SetMarks, marks((symbol, "1"), source=source))
    assert refusal.fields == ["source"]


def test_a_thousand_marks_fit_into_a_request_and_no_more(market: Market, symbol: str) -> None:
    """One more is refused, and none of them is taken."""
    many = marks(*[(f"{symbol}-{number}", "1") for number in range(LARGEST + 1)])
    assert refused(market.SetMarks, many).fields == ["marks"]
    assert listed(market, f"{symbol}-0") == []
    del many.marks[LARGEST]
    assert market.SetMarks(many).accepted_count == LARGEST


def test_marks_may_be_listed_by_a_thousand_names_and_no_more(market: Market) -> None:
    """And every name must be one."""
    request = market_service_pb2.ListMarksRequest(symbols=["x"] * (LARGEST + 1))
    assert refused(market.ListMarks, request).fields == ["symbols"]
    request = market_service_pb2.ListMarksRequest(symbols=["x", "y" * 65])
    assert refused(market.ListMarks, request).fields == ["symbols[1]"]


def test_an_empty_request_is_a_sign_of_life(market: Market, symbol: str) -> None:
    """Nothing to take, but the source is there."""
    answer = market.SetMarks(marks(source=symbol))
    assert (answer.accepted_count, answer.outdated_count) == (0, 0)
    status = feed(market, symbol)
    assert status is not None
    assert status.message_count == 1


def test_after_a_start_there_is_no_mark_until_one_arrives(database_url: str) -> None:
    """They are not journaled: yesterday's price does not value today's position."""
    with Sidecar(database_url) as sidecar:
        with dialed(sidecar.address) as channel:
            LedgerServiceStub(channel).CreateEntry(entry("", "S", entry_time=stamp(NOON)))
            MarketServiceStub(channel).SetMarks(marks(("S", "104")))
        assert sidecar.stop() == 0
        sidecar.restart()
        with dialed(sidecar.address) as channel:
            assert list(MarketServiceStub(channel).ListMarks(market_service_pb2.ListMarksRequest()).marks) == []
            ledger = LedgerServiceStub(channel)
            assert not reading.position(ledger, "", "S").HasField("unrealized_pnl")
            assert ledger.GetSummary(summary("")).totals[0].unpriced_count == 1
