"""Requests and answers at their limits: 4 MiB in, 1 MiB out, and what a refusal can carry."""

from __future__ import annotations

from typing import Any

import grpc
import pytest

from lotkeeper.v1 import ledger_pb2, market_service_pb2
from lotkeeper.v1.ledger_service_pb2_grpc import LedgerServiceStub
from lotkeeper.v1.market_service_pb2_grpc import MarketServiceStub
from tests.contract import reading
from tests.contract.asking import (
    NOON,
    SECOND,
    close,
    entries,
    entry,
    fill,
    fresh,
    marks,
    stamp,
    summary,
    trades,
)
from tests.contract.bulk import create_entries
from tests.contract.following import MESSAGE_BYTES, following
from tests.support.dialing import dialed
from tests.support.refusals import Refused, failed, refused
from tests.support.sidecar import Sidecar

Ledger = Any
Market = Any
"""The generated stubs; gRPC writes no types for them."""

REQUEST_BYTES = 4 << 20
ALMOST = REQUEST_BYTES - 4096

REFUSAL_BYTES = 8 << 10
"""A client refuses trailers that are larger, or some of them: gRPC's soft limit."""

SCRIPTS = {"ASCII": "x", "CJK": "値", "emoji": "😀"}


def is_small(refusal: Refused) -> None:
    """A violation, and no more of it than a trailer can carry, even as base64 and beside the message."""
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_VIOLATION")
    text = sum(len(field.encode()) + len(description.encode()) for field, description in refusal.violations)
    message = len("".join(f"%{byte:02x}" if byte > 0x7E else chr(byte) for byte in refusal.message.encode()))
    assert text * 4 / 3 + message * 7 / 3 <= REFUSAL_BYTES


@pytest.mark.parametrize(
    "field", ["symbol", "quantity", "entry_price", "fee", "request_id", "portfolio_id", "group_id"]
)
def test_a_field_of_nearly_four_mebibytes_is_a_violation(
    ledger: Ledger, portfolio: str, symbol: str, field: str
) -> None:
    """It is named, shown in part, and the server goes on."""
    request = entry(portfolio, symbol)
    setattr(request, field, "9" * (ALMOST - 256))
    assert ALMOST - 512 < request.ByteSize() < REQUEST_BYTES
    refusal = refused(ledger.CreateEntry, request)
    is_small(refusal)
    assert refusal.fields == [field]
    assert ledger.CreateEntry(entry(portfolio, symbol)).sequence


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
def test_a_request_of_nearly_four_mebibytes_of_broken_fields_is_a_bounded_refusal(
    ledger: Ledger, market: Market, portfolio: str, script: str
) -> None:
    """As many as fit are listed, the last one counts the others; ten times over, since a client may drop some."""
    size = len(script.encode())
    labels = {f"{number}{script * 100}": script * (ALMOST // 33 // size) for number in range(32)}
    many = [market_service_pb2.Mark(symbol=script * (ALMOST // 1024 // size), price="x" * 60) for _ in range(1000)]
    for _ in range(10):
        refusal = refused(ledger.RecordFill, fill(portfolio, "", "x", labels=labels))
        is_small(refusal)
        assert refusal.fields[:2] == ["fill.symbol", "fill.quantity"]
        assert refusal.violations[-1][1].startswith("and ")
        refusal = refused(market.SetMarks, market_service_pb2.SetMarksRequest(marks=many))
        is_small(refusal)
        assert refusal.fields[0] == "marks[0].symbol"
        assert refusal.violations[-1][1] == f"and {2000 - len(refusal.violations) + 1} more"


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
def test_a_conflict_of_long_ids_is_a_bounded_refusal(ledger: Ledger, portfolio: str, symbol: str, script: str) -> None:
    """Ids as long as they may be, in a script of four bytes a character, are told and arrive."""
    ids = {"fill_id": script * 128, "request_id": script * 128}
    ledger.RecordFill(fill(portfolio, symbol, order_id=script * 127 + "a", **ids))
    for _ in range(10):
        refusal = refused(ledger.RecordFill, fill(portfolio, symbol, order_id=script * 127 + "b", **ids))
        assert (refusal.reason, refusal.metadata) == ("REQUEST_ID_REUSED", {"field": "fill.order_id"})
        ids["request_id"] = fresh()
        refusal = refused(ledger.RecordFill, fill(portfolio, symbol, order_id=script * 127 + "b", **ids))
        assert (refusal.reason, refusal.metadata["field"]) == ("FILL_CONFLICT", "fill.order_id")
        ids["request_id"] = script * 128


def test_a_request_over_four_mebibytes_is_refused_by_grpc(
    ledger: Ledger, market: Market, portfolio: str, symbol: str
) -> None:
    """RESOURCE_EXHAUSTED before it is read; the connection and the server go on."""
    head = reading.head(ledger)
    request = entry(portfolio, symbol, labels={"k": "x" * REQUEST_BYTES})
    assert failed(ledger.CreateEntry, request) is grpc.StatusCode.RESOURCE_EXHAUSTED
    request = marks((symbol, "1"), source="s" * REQUEST_BYTES)
    assert failed(market.SetMarks, request) is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert reading.head(ledger) == head
    assert ledger.CreateEntry(entry(portfolio, symbol)).sequence == head + 1


def test_a_request_of_nearly_four_mebibytes_that_breaks_no_rule_is_taken(ledger: Ledger, market: Market) -> None:
    """Fields that this contract does not know are read past, whatever their size."""
    request = marks(("S", "1")).SerializeToString() + b"\xfa\x7f" + _length(ALMOST) + b"n" * ALMOST
    assert len(request) < REQUEST_BYTES
    grown = market_service_pb2.SetMarksRequest.FromString(request)
    assert market.SetMarks(grown).accepted_count == 1
    assert reading.head(ledger) >= 0


def _length(size: int) -> bytes:
    out = b""
    while size > 0x7F:
        out, size = out + bytes([size & 0x7F | 0x80]), size >> 7
    return out + bytes([size])


LOTS = 60
HEAVY = {f"{number:02}" + "😀" * 62: "😀" * 256 for number in range(32)}
"""Labels as heavy as they may be: 41 KB with every entry and every closed trade."""


@pytest.fixture
def heavy(ledger: Ledger, portfolio: str, symbol: str) -> tuple[str, str]:
    """A position of 60 lots that weigh 2.5 MB."""
    for number in range(LOTS):
        ledger.CreateEntry(entry(portfolio, symbol, labels=HEAVY, entry_time=stamp(NOON + number * SECOND)))
    return portfolio, symbol


def test_no_answer_grows_beyond_a_mebibyte(ledger: Ledger, heavy: tuple[str, str]) -> None:
    """Lists are cut at fewer rows, positions say that lots are missing, a close says how many trades there are."""
    portfolio, symbol = heavy
    page = ledger.ListEntries(entries(portfolio, page_size=LOTS))
    assert 0 < len(page.entries) < LOTS
    assert page.ByteSize() <= MESSAGE_BYTES
    assert len(reading.all_entries(ledger, portfolio)) == LOTS
    answer = ledger.GetSummary(summary(portfolio, include_entries=True))
    (position,) = answer.positions
    assert (position.open_entry_count, position.entries_truncated) == (LOTS, True)
    assert 0 < len(position.entries) < LOTS
    assert answer.ByteSize() <= MESSAGE_BYTES
    closing = ledger.CloseFifo(close(portfolio, symbol, close_all=True, exit_fill_id="x"))
    assert 0 < len(closing.closed_trades) < closing.closed_trade_count == LOTS
    assert closing.ByteSize() <= MESSAGE_BYTES
    page = ledger.ListClosedTrades(trades(portfolio, sequence=closing.sequence, page_size=LOTS))
    assert 0 < len(page.closed_trades) < LOTS
    assert page.ByteSize() <= MESSAGE_BYTES
    assert [trade.index for trade in reading.all_trades(ledger, portfolio)] == list(range(LOTS))


def test_positions_with_their_lots_come_in_more_pages(ledger: Ledger, heavy: tuple[str, str]) -> None:
    """A page that is full before its size is reached ends there, and the next one goes on."""
    portfolio, symbol = heavy
    ledger.CreateEntry(entry(portfolio, symbol + "b", labels=HEAVY))
    found: list[ledger_pb2.Position] = []
    token, pages = "", 0
    while pages == 0 or token:
        answer = ledger.GetSummary(summary(portfolio, include_entries=True, page_token=token))
        assert answer.ByteSize() <= MESSAGE_BYTES
        found, token, pages = found + list(answer.positions), answer.next_page_token, pages + 1
    assert [(place.symbol, place.entries_truncated) for place in found] == [(symbol, True), (symbol + "b", False)]


def test_heavy_facts_are_streamed_whole(sidecar: Sidecar, ledger: Ledger, heavy: tuple[str, str]) -> None:
    """Told live or read from the journal: every trade and entry once, in messages that `following` measures."""
    portfolio, symbol = heavy
    with following(ledger, portfolio) as live:
        start = live.snapshot().sequence
        live.reached(ledger.CloseFifo(close(portfolio, symbol, close_all=True)).sequence)
    resume: dict[str, Any] = {"after_sequence": start - LOTS, "ledger_id": sidecar.ledger_id}
    with following(ledger, portfolio, **resume) as resumed:
        resumed.snapshot()
    assert live.trades == resumed.trades == reading.all_trades(ledger, portfolio)
    assert [lot.sequence for lot in resumed.entries] == [lot.sequence for lot in reading.all_entries(ledger, portfolio)]


def test_totals_of_many_portfolios_are_streamed_in_messages_of_bounded_size(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """One mark changes 45 portfolios, each of which names 100 symbols without a price in 26 KB of totals."""
    portfolios = [f"p{number}" for number in range(45)]
    names = [f"{number:03}" + "😀" * 61 for number in range(100)] + ["shared"]
    with (
        Sidecar(str(tmp_path_factory.mktemp("ledger") / "lotkeeper.db")) as sidecar,
        dialed(sidecar.address) as channel,
    ):
        create_entries(sidecar.address, (entry(portfolio, name) for portfolio in portfolios for name in names))
        ledger, market = LedgerServiceStub(channel), MarketServiceStub(channel)
        with following(ledger) as follower:
            follower.snapshot()
            assert {follower.totals[portfolio].unpriced_count for portfolio in portfolios} == {101}
            market.SetMarks(marks(("shared", "104")))
            follower.until(
                lambda: all(follower.positions[portfolio, "shared"].mark_price == "104" for portfolio in portfolios)
            )
            assert {follower.totals[portfolio].unrealized_pnl for portfolio in portfolios} == {"4"}
            assert follower.conflated == 0
