"""Groups in StreamPnL: open ones in the snapshot, changed ones together with the positions that changed them."""

from __future__ import annotations

from typing import Any

import pytest

from lotkeeper.v1 import ledger_pb2, ledger_service_pb2
from lotkeeper.v1.ledger_service_pb2_grpc import LedgerServiceStub
from lotkeeper.v1.market_service_pb2_grpc import MarketServiceStub
from tests.contract.asking import SHORT, close, entry, marks
from tests.contract.following import Follower, following
from tests.contract.grouping import group, recounted, told
from tests.contract.happening import bust, correct, event
from tests.support.dialing import dialed
from tests.support.sidecar import Sidecar

Stub = Any
"""A generated stub; gRPC writes no types for it."""


@pytest.fixture
def legs(symbol: str) -> tuple[str, str]:
    """Two instruments that no other test trades."""
    return f"{symbol}-near", f"{symbol}-far"


def spread(ledger: Stub, portfolio: str, legs: tuple[str, str], name: str = "spread", fill_id: str = "") -> int:
    """Long 1 at 100 of one, short 1 at 120 of the other; the sequence afterwards."""
    ledger.CreateEntry(entry(portfolio, legs[0], group_id=name, entry_fill_id=fill_id))
    last = ledger.CreateEntry(entry(portfolio, legs[1], "1", "120", side=SHORT, group_id=name))
    return int(last.sequence)


def heard(follower: Follower, portfolio: str, name: str = "spread") -> ledger_pb2.GroupPnL:
    """What a subscriber knows of a group."""
    return follower.groups[portfolio, name, "USD"]


def last_with_group(follower: Follower, heard_before: int) -> Any:
    """The first update since ``heard_before`` of them that carries a group."""
    follower.until(lambda: any(message.update.groups for message in follower.updates[heard_before:]))
    return next(message.update for message in follower.updates[heard_before:] if message.update.groups)


def test_a_snapshot_has_the_groups_with_something_open(
    ledger: Stub, market: Stub, portfolio: str, legs: tuple[str, str]
) -> None:
    """With the very figures that GetSummary tells; a group that closed is not among them."""
    spread(ledger, portfolio, legs, "closed")
    for leg in legs:
        ledger.CloseFifo(close(portfolio, leg))
    spread(ledger, portfolio, legs)
    market.SetMarks(marks((legs[0], "103"), (legs[1], "121")))
    with following(ledger, portfolio) as follower:
        follower.snapshot()
        assert [name for _, name, _ in follower.groups] == ["spread"]
        assert heard(follower, portfolio) == group(ledger, portfolio, "spread")
        assert heard(follower, portfolio).unrealized_pnl == "2"


def test_a_mark_tells_the_group_together_with_the_position(
    ledger: Stub, market: Stub, portfolio: str, legs: tuple[str, str]
) -> None:
    """One update with both, at one price; a mark that moves nothing tells the position alone."""
    market.SetMarks(marks((legs[0], "100"), (legs[1], "120")))
    spread(ledger, portfolio, legs)
    with following(ledger, portfolio) as follower:
        follower.snapshot()
        assert heard(follower, portfolio).unrealized_pnl == "0"
        for price in ("101", "99.5"):
            before = len(follower.updates)
            market.SetMarks(marks((legs[0], price)))
            update = last_with_group(follower, before)
            (position,), (one,) = update.positions, update.groups
            assert (position.symbol, position.mark_price) == (legs[0], price)
            assert one.unrealized_pnl == position.unrealized_pnl
        before = len(follower.updates)
        market.SetMarks(marks((legs[0], "99.5"), source="another"))
        follower.until(lambda: len(follower.updates) > before)
        assert not follower.updates[-1].update.groups


def test_a_fill_tells_the_group_together_with_its_facts(ledger: Stub, portfolio: str, legs: tuple[str, str]) -> None:
    """A leg that is closed: the trade, the position and the group, in one update; the last one says that nothing is open."""
    spread(ledger, portfolio, legs)
    with following(ledger, portfolio) as follower:
        follower.snapshot()
        for leg, price, gross, still_open in ((legs[0], "104", "4", 1), (legs[1], "119", "5", 0)):
            before = len(follower.updates)
            ledger.CloseFifo(close(portfolio, leg, "1", price))
            update = last_with_group(follower, before)
            (trade,), (position,), (one,) = update.closed_trades, update.positions, update.groups
            assert (trade.symbol, position.symbol) == (leg, leg)
            assert (one.gross_realized_pnl, one.open_entry_count) == (gross, still_open)
        assert heard(follower, portfolio).unrealized_pnl == "0"
        assert heard(follower, portfolio) == group(ledger, portfolio, "spread")


def test_a_new_group_is_told_once_it_is_known(ledger: Stub, portfolio: str, legs: tuple[str, str]) -> None:
    """Opened while somebody listens; also one that was closed long before and is opened again, with all it ever made."""
    spread(ledger, portfolio, legs, "again")
    for leg in legs:
        ledger.CloseFifo(close(portfolio, leg, "1", "110"))
    with following(ledger, portfolio) as follower:
        follower.snapshot()
        for name, gross in (("new", "0"), ("again", "20")):
            spread(ledger, portfolio, legs, name)
            while (portfolio, name, "USD") not in follower.groups or heard(
                follower, portfolio, name
            ).open_entry_count < 2:
                follower.next()
            assert heard(follower, portfolio, name).gross_realized_pnl == gross
            assert heard(follower, portfolio, name) == group(ledger, portfolio, name)


def test_corrections_reach_the_group(
    ledger: Stub, events: Stub, market: Stub, portfolio: str, legs: tuple[str, str]
) -> None:
    """A corrected price, a busted leg, a split: after each, the subscriber knows what GetSummary tells."""
    market.SetMarks(marks((legs[0], "100"), (legs[1], "120")))
    spread(ledger, portfolio, legs, fill_id="near")
    with following(ledger, portfolio, heartbeat=0.1) as follower:
        follower.snapshot()
        for change, request in (
            (events.CorrectFill, correct(portfolio, legs[0], "near", price="98")),
            (events.RecordEvent, event(portfolio, "split", symbol=legs[1], numerator=2, denominator=1)),
            (events.BustFill, bust(portfolio, legs[0], "near")),
        ):
            before = heard(follower, portfolio)
            change(request)
            while heard(follower, portfolio) == before:
                follower.next()
            follower.quiet()
            assert heard(follower, portfolio) == group(ledger, portfolio, "spread")
        assert [leg.symbol for leg in heard(follower, portfolio).legs] == [legs[1]]


def test_a_filter_of_symbols_takes_groups_with_a_leg_in_it(
    ledger: Stub, market: Stub, portfolio: str, legs: tuple[str, str]
) -> None:
    """Whole groups: also what moves a leg outside the filter moves them; groups elsewhere are not told."""
    market.SetMarks(marks((legs[0], "100"), (legs[1], "120"), (f"{legs[0]}2", "100"), (f"{legs[1]}2", "120")))
    spread(ledger, portfolio, legs)
    spread(ledger, portfolio, (f"{legs[0]}2", f"{legs[1]}2"), "elsewhere")
    with following(ledger, portfolio, symbols=[legs[0]]) as follower:
        follower.snapshot()
        assert [name for _, name, _ in follower.groups] == ["spread"]
        market.SetMarks(marks((f"{legs[0]}2", "90"), (legs[1], "110")))
        follower.until(lambda: heard(follower, portfolio).unrealized_pnl == "10")
        assert not any(message.update.positions for message in follower.updates)
        ledger.CloseFifo(close(portfolio, legs[0], "1", "103"))
        follower.until(lambda: heard(follower, portfolio).gross_realized_pnl == "3")
        market.SetMarks(marks((legs[1], "111")))
        follower.until(lambda: heard(follower, portfolio).unrealized_pnl == "9")
        assert [name for _, name, _ in follower.groups] == ["spread"]


def test_a_subscriber_that_resumes_gets_its_groups_with_the_snapshot(database_url: str, legs: tuple[str, str]) -> None:
    """First the facts it missed, without groups; then the snapshot with all that is open, also after a restart."""
    with Sidecar(database_url) as running:
        with dialed(running.address) as channel:
            ledger = LedgerServiceStub(channel)
            seen = spread(ledger, "p", legs)
            ledger_id = ledger.GetSummary(ledger_service_pb2.GetSummaryRequest(portfolio_id="p")).ledger_id
            spread(ledger, "p", legs, "missed")
            ledger.CloseFifo(close("p", legs[0], "1", "107"))
        running.kill()
        running.restart()
        with dialed(running.address) as channel:
            ledger, market = LedgerServiceStub(channel), MarketServiceStub(channel)
            with following(ledger, "p", after_sequence=seen, ledger_id=ledger_id) as follower:
                follower.snapshot()
                assert {entry.group_id for entry in follower.entries} == {"missed"}
                assert {name: told(one) for (_, name, _), one in follower.groups.items()} == recounted(ledger, "p")
                market.SetMarks(marks((legs[0], "101"), (legs[1], "118")))
                follower.until(lambda: heard(follower, "p").unrealized_pnl == "2")
                assert heard(follower, "p").pnl_per_contract == "9"


def test_many_groups_come_in_parts(ledger: Stub, market: Stub, portfolio: str, legs: tuple[str, str]) -> None:
    """A snapshot of 600 groups of one book, and an update of all of them by one mark: none over 1 MiB, each as it is."""
    names = [f"{number:03}-{'g' * 100}" for number in range(600)]
    futures = [ledger.CreateEntry.future(entry(portfolio, legs[0], group_id=name)) for name in names]
    assert all(future.result() for future in futures)
    with following(ledger, portfolio, heartbeat=0.1) as follower:
        follower.snapshot()
        assert len(follower.snapshots) > 1
        assert sorted(name for _, name, _ in follower.groups) == names
        market.SetMarks(marks((legs[0], "101")))
        follower.until(lambda: all(one.unrealized_pnl == "1" for one in follower.groups.values()))
        ledger.CloseFifo(close(portfolio, legs[0], "600", "102"))
        follower.until(lambda: all(one.open_entry_count == 0 for one in follower.groups.values())).quiet()
        assert {one.gross_realized_pnl for one in follower.groups.values()} == {"2"}


def test_a_slow_subscriber_hears_of_every_group_that_closed(ledger: Stub, portfolio: str, symbol: str) -> None:
    """More groups opened and closed between two messages than are kept in memory: those are read again."""
    with following(ledger, portfolio, interval=0.2) as follower:
        follower.snapshot()
        names = [f"g{number}" for number in range(4500)]
        for start in range(0, len(names), 500):
            futures = [
                ledger.CreateEntry.future(entry(portfolio, symbol, group_id=name))
                for name in names[start : start + 500]
            ]
            assert all(future.result() for future in futures)
        ledger.CloseFifo(close(portfolio, symbol, "4500"))
        closed = {(portfolio, name, "USD") for name in names}
        follower.until(
            lambda: {key for key, one in follower.groups.items() if one.gross_realized_pnl == "10"} == closed
        )
        assert {one.open_entry_count for one in follower.groups.values()} == {0}
