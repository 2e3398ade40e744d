"""PublishMarks: prices for as long as the stream is open, and an interruption of their source when it ends."""

from __future__ import annotations

import signal
import time
from typing import Any

import grpc
import pytest

from lotkeeper.v1 import market_service_pb2
from lotkeeper.v1.ledger_service_pb2_grpc import LedgerServiceStub
from lotkeeper.v1.market_service_pb2_grpc import MarketServiceStub
from tests.contract.asking import SECOND, entry, marks
from tests.contract.following import following
from tests.contract.publishing import publishing
from tests.support.dialing import dialed
from tests.support.refusals import refused
from tests.support.sidecar import Sidecar
from tests.support.waiting import eventually

Ledger = Any
Market = Any
"""The generated stubs; gRPC writes no types for them."""


def listed(market: Market, symbol: str) -> market_service_pb2.Mark | None:
    """The mark of one symbol, if there is one."""
    found = market.ListMarks(market_service_pb2.ListMarksRequest(symbols=[symbol])).marks
    return found[0] if found else None


def feed(market: Market, source: str) -> market_service_pb2.FeedStatus:
    """What is known of a source."""
    feeds = market.ListMarks(market_service_pb2.ListMarksRequest()).feeds
    found: list[market_service_pb2.FeedStatus] = [status for status in feeds if status.source == source]
    assert len(found) == 1
    return found[0]


def test_marks_of_a_stream_count_as_they_come(ledger: Ledger, market: Market, portfolio: str, symbol: str) -> None:
    """Before the stream has ended; in the end it is told how many were taken and how many came too late."""
    ledger.CreateEntry(entry(portfolio, symbol, "2"))
    now = time.time_ns()
    with following(ledger, portfolio) as follower, publishing(market) as publisher:
        follower.snapshot()
        publisher.send((symbol, "104"), (symbol + "b", "1"), source=symbol, time=now)
        follower.until(lambda: follower.positions[portfolio, symbol].mark_price == "104")
        assert follower.positions[portfolio, symbol].mark_source == symbol
        publisher.send((symbol, "103"), time=now - SECOND)
        publisher.send((symbol, "105"), time=now + 1)
        follower.until(lambda: follower.positions[portfolio, symbol].mark_price == "105")
        answer = publisher.end()
    assert (answer.accepted_count, answer.outdated_count) == (3, 1)


def test_the_source_is_read_from_the_first_message(market: Market, symbol: str) -> None:
    """What later messages say of it is not heard."""
    with publishing(market) as publisher:
        publisher.send((symbol, "1"), source=symbol)
        publisher.send((symbol, "2"), source="another")
        publisher.end()
    mark = listed(market, symbol)
    assert mark is not None
    assert (mark.price, mark.source) == ("2", symbol)


def test_an_empty_stream_is_nothing(market: Market) -> None:
    """No source was named, so none is interrupted."""
    before = len(market.ListMarks(market_service_pb2.ListMarksRequest()).feeds)
    with publishing(market) as publisher:
        answer = publisher.end()
    assert (answer.accepted_count, answer.outdated_count) == (0, 0)
    assert len(market.ListMarks(market_service_pb2.ListMarksRequest()).feeds) == before


@pytest.mark.parametrize("cut", [False, True], ids=["ended", "cut off"])
def test_the_end_of_a_stream_is_an_interruption_of_its_source(
    ledger: Ledger, market: Market, portfolio: str, symbol: str, cut: bool
) -> None:
    """The stream of P&L says at once that the price is stale; the next mark, however it comes, makes it good."""
    ledger.CreateEntry(entry(portfolio, symbol))
    with following(ledger, portfolio, heartbeat=3600.0) as follower:
        follower.snapshot()
        with publishing(market) as publisher:
            publisher.send((symbol, "104"), source=symbol)
            follower.until(lambda: follower.positions[portfolio, symbol].mark_price == "104")
            assert feed(market, symbol).connected
            publisher.cut() if cut else publisher.end()
        follower.until(lambda: follower.positions[portfolio, symbol].mark_stale)
        status = feed(market, symbol)
        assert (status.connected, status.reconnect_count) == (False, 1)
        assert status.last_error == "its stream has ended"
        market.SetMarks(marks((symbol, "105"), source=symbol))
        follower.until(lambda: not follower.positions[portfolio, symbol].mark_stale)
    status = feed(market, symbol)
    assert (status.connected, status.last_error, status.reconnect_count) == (True, "", 1)


def test_a_source_lives_as_long_as_one_of_its_streams(market: Market, symbol: str) -> None:
    """Two bots push the same feed: one goes, and nothing is interrupted."""
    with publishing(market) as first, publishing(market) as second:
        first.send((symbol, "1"), source=symbol)
        second.send((symbol + "b", "2"), source=symbol)
        eventually(lambda: listed(market, symbol) and listed(market, symbol + "b"))
        first.end()
        assert feed(market, symbol).connected
        second.end()
        assert not feed(market, symbol).connected


def test_another_source_takes_over_from_one_that_was_interrupted(market: Market, symbol: str) -> None:
    """Its mark is older, but it is fresh, and the other is not."""
    now = time.time_ns()
    market.SetMarks(marks((symbol, "1"), source="old", time=now - SECOND))
    with publishing(market) as publisher:
        publisher.send((symbol, "2"), source="new", time=now)
        eventually(lambda: listed(market, symbol).price == "2")  # type: ignore[union-attr]
        publisher.end()
    mark = listed(market, symbol)
    assert mark is not None
    assert (mark.price, mark.source, mark.stale) == ("1", "old", False)


def test_a_mark_that_breaks_a_rule_ends_the_stream(market: Market, symbol: str) -> None:
    """Its whole message is refused, with the field; what came before stays."""
    with publishing(market) as publisher:
        publisher.send((symbol, "1"), source=symbol)
        publisher.send((symbol, "2"), (symbol, "1e5"))
        refusal = refused(publisher.call.result)
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_VIOLATION")
    assert refusal.fields == ["marks[1].price"]
    mark = listed(market, symbol)
    assert mark is not None
    assert (mark.price, mark.stale) == ("1", True)


def test_a_server_that_shuts_down_ends_the_stream_at_once(tmp_path_factory: pytest.TempPathFactory) -> None:
    """UNAVAILABLE, SERVER_DRAINING, long before the grace that running calls get."""
    database = str(tmp_path_factory.mktemp("ledger") / "lotkeeper.db")
    with Sidecar(database, settings={"drain_seconds": 600}) as sidecar, dialed(sidecar.address) as channel:
        ledger, market = LedgerServiceStub(channel), MarketServiceStub(channel)
        ledger.CreateEntry(entry("p", "S"))
        with publishing(market) as publisher:
            publisher.send(("S", "1"))
            eventually(lambda: listed(market, "S"))
            sidecar.signal(signal.SIGTERM)
            refusal = refused(publisher.call.result)
        assert (refusal.code, refusal.reason) == (grpc.StatusCode.UNAVAILABLE, "SERVER_DRAINING")
        assert sidecar.wait() == 0
