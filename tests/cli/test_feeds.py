"""Feeds as an operator configures them: a table in the file, prices in the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lotkeeper.v1 import ledger_service_pb2, market_service_pb2
from lotkeeper.v1.ledger_service_pb2_grpc import LedgerServiceStub
from lotkeeper.v1.market_service_pb2_grpc import MarketServiceStub
from tests.support.dialing import dialed
from tests.support.refusals import refused
from tests.support.sidecar import DidNotStart, Sidecar
from tests.support.waiting import eventually

PRICES = "timestamp,close\n2024-01-01T00:00:00Z,100\n2024-01-01T00:01:00Z,101.5\n"


@contextmanager
def fed(folder: Path, config: str) -> Iterator[tuple[Any, Any]]:
    """Both services of a sidecar with a configuration."""
    path = folder / "lotkeeper.toml"
    path.write_text(config)
    with Sidecar(str(folder / "x.db"), "--config", str(path)) as sidecar, dialed(sidecar.address) as channel:
        yield LedgerServiceStub(channel), MarketServiceStub(channel)


def test_a_replay_values_what_is_open(tmp_path: Path) -> None:
    """The file's last price, from a source of the feed's name, which says that it has ended."""
    (tmp_path / "prices.csv").write_text(PRICES)
    config = f'[feeds.history]\nvenue = "replay"\nsymbol = "BTC"\nfile = "{tmp_path}/prices.csv"\nspeed = 0\n'
    with fed(tmp_path, config) as (ledger, market):
        ledger.CreateEntry(
            ledger_service_pb2.CreateEntryRequest(symbol="BTC", quantity="2", entry_price="100", request_id="r")
        )
        nothing = market_service_pb2.ListMarksRequest()
        eventually(lambda: any("2 rows were played" in feed.last_error for feed in market.ListMarks(nothing).feeds))
        (position,) = ledger.GetSummary(ledger_service_pb2.GetSummaryRequest()).positions
        (feed,) = market.ListMarks(nothing).feeds
    assert (position.mark_price, position.mark_source, position.unrealized_pnl) == ("101.5", "history", "3")
    assert (feed.source, feed.connected, feed.reconnect_count) == ("history", False, 0)


def test_a_feed_that_cannot_be_reached_is_listed_and_the_ledger_serves(tmp_path: Path) -> None:
    """Not connected, and why; it goes on trying while the ledger does its work."""
    config = '[feeds.bybit]\nvenue = "bybit"\ncategory = "linear"\nurl = "ws://127.0.0.1:1/x"\nsymbols = { A = "A" }\n'
    with fed(tmp_path, config) as (ledger, market):
        nothing = market_service_pb2.ListMarksRequest()
        eventually(lambda: market.ListMarks(nothing).feeds[0].last_error)
        (feed,) = market.ListMarks(nothing).feeds
        request = ledger_service_pb2.CreateEntryRequest(symbol="A", quantity="2", entry_price="1", request_id="r")
        assert ledger.CreateEntry(request).sequence == 1
    assert (feed.source, feed.connected, feed.message_count) == ("bybit", False, 0)


def test_nobody_else_speaks_for_a_feed(tmp_path: Path) -> None:
    """A call or a stream with its name is refused, with the field: each would hide what becomes of the other."""
    config = '[feeds.bybit]\nvenue = "bybit"\ncategory = "linear"\nurl = "ws://127.0.0.1:1/x"\nsymbols = { A = "A" }\n'
    mark = market_service_pb2.Mark(symbol="A", price="1")
    with fed(tmp_path, config) as (_, market):
        call = refused(market.SetMarks, market_service_pb2.SetMarksRequest(marks=[mark], source="bybit"))
        stream = refused(
            market.PublishMarks, iter([market_service_pb2.PublishMarksRequest(marks=[mark], source="bybit")])
        )
        assert not market.ListMarks(market_service_pb2.ListMarksRequest()).marks
    assert call.fields == stream.fields == ["source"]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('venue = "nasdaq"', "[feeds.x] venue: 'nasdaq'"),
        ('venue = "coinbase"', "[feeds.x] symbols: is missing"),
        ('venue = "coinbase"\nsymbol = "A"', "[feeds.x] symbol: coinbase has no such key"),
    ],
)
def test_a_bad_feed_refuses_to_start(table: str, said: str, tmp_path: Path) -> None:
    """It names the key and the rule, and nothing was opened."""
    with pytest.raises(DidNotStart) as refusal, fed(tmp_path, f"[feeds.x]\n{table}\n"):
        pass
    assert refusal.value.code == 1
    assert said in refusal.value.stderr
    assert not (tmp_path / "x.db").exists()
