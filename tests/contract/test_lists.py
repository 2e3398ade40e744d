"""ListEntries and ListClosedTrades: filters, pages, and sums over everything that is selected."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import grpc
import pytest

from lotkeeper.v1 import ledger_pb2
from lotkeeper.v1.ledger_service_pb2_grpc import LedgerServiceStub
from tests.contract import reading
from tests.contract.asking import (
    CLOSED,
    NOON,
    OPEN,
    PARTIALLY_CLOSED,
    SECOND,
    close,
    entries,
    entry,
    stamp,
    trades,
)
from tests.support.dialing import dialed
from tests.support.refusals import Refused, refused
from tests.support.sidecar import Sidecar

Ledger = Any
"""The generated stub; gRPC writes no types for it."""


def _invalid(refusal: Refused, cause: str) -> None:
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_PAGE_TOKEN")
    assert refusal.metadata == {"cause": cause}


def _fills(trades: list[ledger_pb2.ClosedTrade]) -> list[str]:
    return [trade.exit_fill_id for trade in trades]


@pytest.fixture
def traded(ledger: Ledger, portfolio: str) -> str:
    """A portfolio with one closed, one half closed and two open lots, of A and B in turn."""
    for number, symbol in enumerate(("A", "B", "A", "B")):
        ledger.CreateEntry(
            entry(
                portfolio,
                symbol,
                "2",
                fee="0.2",
                entry_fill_id=f"e{number}",
                entry_time=stamp(NOON + number * SECOND),
                group_id=f"g{symbol}",
                labels={"strategy": symbol, "number": str(number)},
            )
        )
    for number, (symbol, quantity) in enumerate((("A", "1"), ("B", "1"), ("A", "1"))):
        exit_time = stamp(NOON + (10 + number) * SECOND)
        ledger.CloseFifo(close(portfolio, symbol, quantity, exit_fill_id=f"x{number}", exit_time=exit_time))
    return portfolio


@pytest.mark.parametrize(
    ("statuses", "found"),
    [
        ([], ["e1", "e2", "e3"]),
        ([OPEN], ["e2", "e3"]),
        ([PARTIALLY_CLOSED], ["e1"]),
        ([CLOSED], ["e0"]),
        ([CLOSED, OPEN], ["e0", "e2", "e3"]),
        ([OPEN, PARTIALLY_CLOSED, CLOSED], ["e0", "e1", "e2", "e3"]),
    ],
)
def test_entries_are_listed_by_status(ledger: Ledger, traded: str, statuses: list[int], found: list[str]) -> None:
    """Open and partially closed unless named, in FIFO order over all symbols."""
    listed = ledger.ListEntries(entries(traded, statuses=statuses))
    assert [lot.entry_fill_id for lot in listed.entries] == found
    assert listed.next_page_token == ""


def test_entries_are_listed_by_symbol_as_they_are_now(ledger: Ledger, traded: str) -> None:
    """What was closed of them, and their status, included."""
    (half, whole) = reading.all_entries(ledger, traded, symbol="B")
    assert (half.remaining_quantity, half.open_fee, half.status) == ("1", "0.1", PARTIALLY_CLOSED)
    assert (whole.remaining_quantity, whole.open_fee, whole.status) == ("2", "0.2", OPEN)
    assert dict(half.labels) == {"strategy": "B", "number": "1"}
    assert reading.all_entries(ledger, traded, symbol="never traded") == []


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, ["x0", "x1", "x2"]),
        ({"symbol": "A"}, ["x0", "x2"]),
        ({"symbol": "never traded"}, []),
        ({"start_time": stamp(NOON + 11 * SECOND)}, ["x1", "x2"]),
        ({"end_time": stamp(NOON + 11 * SECOND)}, ["x0"]),
        ({"start_time": stamp(NOON + 11 * SECOND), "end_time": stamp(NOON + 12 * SECOND)}, ["x1"]),
        ({"start_time": stamp(NOON + 13 * SECOND)}, []),
        ({"exit_fill_id": "x1"}, ["x1"]),
        ({"exit_fill_id": "e1"}, []),
        ({"exit_fill_id": "x1", "symbol": "A"}, []),
        ({"group_id": "gB"}, ["x1"]),
        ({"labels": {"strategy": "A"}}, ["x0", "x2"]),
        ({"labels": {"strategy": "A", "number": "0"}}, ["x0", "x2"]),
        ({"labels": {"strategy": "A", "number": "1"}}, []),
        ({"labels": {"strategy": "A"}, "start_time": stamp(NOON + 12 * SECOND)}, ["x2"]),
        ({"sequence": 1 << 62}, []),
        ({"sequence": 0}, []),
    ],
    ids=repr,
)
def test_closed_trades_are_listed_by_what_is_asked(
    ledger: Ledger, traded: str, wanted: dict[str, Any], found: list[str]
) -> None:
    """Every filter, and together; start included, end not; the sums are over what was selected."""
    page = ledger.ListClosedTrades(trades(traded, **wanted))
    assert _fills(page.closed_trades) == found
    (totals,) = page.totals
    gross, fees = Decimal(10 * len(found)), len(found) * Decimal("0.1")
    assert (totals.currency, totals.HasField("unrealized_pnl")) == ("USD", False)
    assert (Decimal(totals.gross_realized_pnl), Decimal(totals.realized_fees)) == (gross, fees)
    assert Decimal(totals.net_realized_pnl) == gross - fees


def test_closed_trades_are_listed_by_sequence(ledger: Ledger, portfolio: str, symbol: str) -> None:
    """Everything that one record closed, and nothing else."""
    for _ in range(3):
        ledger.CreateEntry(entry(portfolio, symbol))
    ledger.CloseFifo(close(portfolio, symbol))
    answer = ledger.CloseFifo(close(portfolio, symbol, "2"))
    assert reading.all_trades(ledger, portfolio, sequence=answer.sequence) == list(answer.closed_trades)


def test_an_exit_fill_id_is_looked_for_under_every_symbol(ledger: Ledger, portfolio: str, symbol: str) -> None:
    """Two instruments may have an execution of one number."""
    for name in (symbol, symbol + "b"):
        ledger.CreateEntry(entry(portfolio, name))
        ledger.CloseFifo(close(portfolio, name, exit_fill_id="x"))
    assert [trade.symbol for trade in reading.all_trades(ledger, portfolio, exit_fill_id="x")] == [symbol, symbol + "b"]


@pytest.mark.parametrize("method", ["ListEntries", "ListClosedTrades"])
def test_pages_give_everything_once(ledger: Ledger, portfolio: str, symbol: str, method: str) -> None:
    """23 in pages of 5; the size may change on the way; the sums are those of all of them on every page."""
    for _ in range(23):
        ledger.CreateEntry(entry(portfolio, symbol, fee="0.1", entry_time=stamp(NOON)))
    ledger.CloseFifo(close(portfolio, symbol, "23"))
    make, field = (entries, "entries") if method == "ListEntries" else (trades, "closed_trades")
    wanted: dict[str, Any] = {"statuses": [CLOSED]} if method == "ListEntries" else {}
    whole = getattr(ledger, method)(make(portfolio, **wanted))
    found, token, sizes = [], "", [5, 5, 1, 12]
    for size in sizes:
        page = getattr(ledger, method)(make(portfolio, page_size=size, page_token=token, **wanted))
        found += getattr(page, field)
        assert method == "ListEntries" or page.totals == whole.totals
        token = page.next_page_token
        assert bool(token) == (len(found) < 23)
    assert found == list(getattr(whole, field))
    assert len(found) == 23


def test_trades_that_are_closed_while_pages_are_read_are_in_none_of_them(
    ledger: Ledger, portfolio: str, symbol: str
) -> None:
    """A read is of the moment of its first page: its sums stay the sums of its trades."""
    ledger.CreateEntry(entry(portfolio, symbol, "9"))
    for _ in range(3):
        ledger.CloseFifo(close(portfolio, symbol))
    first = ledger.ListClosedTrades(trades(portfolio, page_size=2))
    ledger.CloseFifo(close(portfolio, symbol, "4"))
    second = ledger.ListClosedTrades(trades(portfolio, page_size=2, page_token=first.next_page_token))
    assert len(second.closed_trades) == 1
    assert second.next_page_token == ""
    assert second.totals == first.totals
    assert first.totals[0].gross_realized_pnl == "30"
    assert ledger.ListClosedTrades(trades(portfolio)).totals[0].gross_realized_pnl == "70"


def test_a_page_has_a_hundred_rows_unless_asked_otherwise(ledger: Ledger, portfolio: str, symbol: str) -> None:
    """0 means 100."""
    requests = [ledger.CreateEntry.future(entry(portfolio, symbol)) for _ in range(101)]
    assert all(future.result() for future in requests)
    ledger.CloseFifo(close(portfolio, symbol, close_all=True))
    assert len(ledger.ListEntries(entries(portfolio, statuses=[CLOSED])).entries) == 100
    assert len(ledger.ListClosedTrades(trades(portfolio)).closed_trades) == 100
    assert len(ledger.ListClosedTrades(trades(portfolio, page_size=5000)).closed_trades) == 101


def test_a_token_of_another_list_is_refused(ledger: Ledger, traded: str) -> None:
    """Other filters, another portfolio, the other list."""
    ledger.CreateEntry(entry(traded + "b", "A"))
    token = ledger.ListEntries(entries(traded, page_size=1)).next_page_token
    for other in (entries(traded + "b"), entries(traded, symbol="A"), entries(traded, statuses=[OPEN])):
        other.page_token = token
        _invalid(refused(ledger.ListEntries, other), "other_request")
    _invalid(refused(ledger.ListClosedTrades, trades(traded, page_token=token)), "other_request")
    token = ledger.ListClosedTrades(trades(traded, page_size=1)).next_page_token
    for wanted in ({"symbol": "A"}, {"labels": {"a": "b"}}, {"sequence": 3}, {"start_time": stamp(1)}):
        request = trades(traded, page_token=token, **wanted)
        _invalid(refused(ledger.ListClosedTrades, request), "other_request")


@pytest.mark.parametrize("token", ["x", "AAAA", "A" * 10_000, "\x00"])
def test_a_token_that_is_none_is_refused(ledger: Ledger, traded: str, token: str) -> None:
    """By both lists."""
    _invalid(refused(ledger.ListEntries, entries(traded, page_token=token)), "malformed")
    _invalid(refused(ledger.ListClosedTrades, trades(traded, page_token=token)), "malformed")


def test_lists_go_on_after_a_restart(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their tokens hold all that is needed: another process reads on where the first one stopped."""
    statuses = [OPEN, PARTIALLY_CLOSED, CLOSED]
    monkeypatch.setenv("PYTHONHASHSEED", "1")  # the order of a set differs from process to process, so it may not count
    with Sidecar(database_url) as sidecar:
        with dialed(sidecar.address) as channel:
            ledger = LedgerServiceStub(channel)
            for _ in range(3):
                ledger.CreateEntry(entry("", "S", "2"))
                ledger.CloseFifo(close("", "S"))
            lots = ledger.ListEntries(entries("", statuses=statuses, page_size=2))
            closed = ledger.ListClosedTrades(trades("", page_size=2))
        sidecar.stop()
        monkeypatch.setenv("PYTHONHASHSEED", "2")
        sidecar.restart()
        with dialed(sidecar.address) as channel:
            ledger = LedgerServiceStub(channel)
            rest = ledger.ListEntries(entries("", statuses=statuses, page_token=lots.next_page_token)).entries
            assert [*lots.entries, *rest] == reading.all_entries(ledger, "")
            rest = ledger.ListClosedTrades(trades("", page_token=closed.next_page_token)).closed_trades
            assert [*closed.closed_trades, *rest] == reading.all_trades(ledger, "")
