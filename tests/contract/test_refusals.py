"""Every refusal of the ledger's rules: its code, its reason, the metadata that the contract names, and nothing written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import grpc
import pytest

from lotkeeper.v1 import error_reason_pb2
from lotkeeper.v1.ledger_service_pb2_grpc import LedgerServiceStub
from tests.contract import reading
from tests.contract.asking import (
    BUY,
    LONG,
    REJECT,
    REVERSE,
    SELL,
    SHORT,
    close,
    entries,
    entry,
    fill,
    summary,
    trades,
)
from tests.support.dialing import dialed
from tests.support.refusals import refused
from tests.support.sidecar import Sidecar

Ledger = Any
"""The generated stub; gRPC writes no types for it."""

PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION


class Case(NamedTuple):
    """With ``open_quantity`` of ``side`` open (none: nothing), ``request`` is refused."""

    name: str
    side: int
    open_quantity: str
    request: Callable[[str, str], Any]
    reason: str
    metadata: dict[str, str]


def _open(side: str, quantity: str) -> dict[str, str]:
    return {"open_side": side, "open_quantity": quantity}


def _asked(have: str, want: str) -> dict[str, str]:
    return {"open_quantity": have, "requested_quantity": want}


RULES = [
    Case("a close of nothing", LONG, "", close, "NO_OPEN_POSITION", {}),
    Case("close_all of nothing", LONG, "", lambda p, s: close(p, s, close_all=True), "NO_OPEN_POSITION", {}),
    Case(
        "a close of nothing that may reverse",
        LONG,
        "",
        lambda p, s: close(p, s, excess_policy=REVERSE),
        "NO_OPEN_POSITION",
        {},
    ),
    Case(
        "a close of the short side of a long", LONG, "1", lambda p, s: close(p, s, side=SHORT), "NO_OPEN_POSITION", {}
    ),
    Case(
        "a close of the long side of a short", SHORT, "1", lambda p, s: close(p, s, side=LONG), "NO_OPEN_POSITION", {}
    ),
    Case(
        "a close of too much",
        LONG,
        "1.5",
        lambda p, s: close(p, s, "1.51"),
        "INSUFFICIENT_QUANTITY",
        _asked("1.5", "1.51"),
    ),
    Case(
        "a close of too much of a short",
        SHORT,
        "1",
        lambda p, s: close(p, s, "2", side=SHORT, excess_policy=REJECT),
        "INSUFFICIENT_QUANTITY",
        _asked("1", "2"),
    ),
    Case(
        "a fill of too much that may not reverse",
        SHORT,
        "1",
        lambda p, s: fill(p, s, "3", side=BUY, excess_policy=REJECT),
        "INSUFFICIENT_QUANTITY",
        _asked("1", "3"),
    ),
    Case(
        "a fill of too much, the other way",
        LONG,
        "1",
        lambda p, s: fill(p, s, "3.000", side=SELL, excess_policy=REJECT),
        "INSUFFICIENT_QUANTITY",
        _asked("1", "3"),
    ),
    Case(
        "a short entry into a long",
        LONG,
        "2.50",
        lambda p, s: entry(p, s, side=SHORT),
        "OPPOSITE_SIDE_OPEN",
        _open("LONG", "2.5"),
    ),
    Case("a long entry into a short", SHORT, "1", entry, "OPPOSITE_SIDE_OPEN", _open("SHORT", "1")),
]


@pytest.mark.parametrize("case", RULES, ids=[case.name for case in RULES])
@pytest.mark.parametrize("validate_only", [False, True], ids=["for good", "validate_only"])
def test_what_the_book_cannot_do_is_refused(
    ledger: Ledger, portfolio: str, symbol: str, case: Case, validate_only: bool
) -> None:
    """FAILED_PRECONDITION with the reason and exactly its metadata; the position and the sequence stay."""
    before = None
    if case.open_quantity:
        before = ledger.CreateEntry(entry(portfolio, symbol, case.open_quantity, side=case.side)).position
    head, request = reading.head(ledger), case.request(portfolio, symbol)
    request.validate_only = validate_only
    call = ledger.RecordFill if hasattr(request, "fill") else None
    call = call or (ledger.CloseFifo if hasattr(request, "exit_price") else ledger.CreateEntry)
    refusal = refused(call, request)
    assert (refusal.code, refusal.reason, refusal.metadata) == (PRECONDITION, case.reason, case.metadata)
    assert symbol in refusal.message
    assert all(value in refusal.message for value in case.metadata.values())
    assert reading.head(ledger) == head
    assert reading.exists(ledger, portfolio) == (before is not None)
    assert before is None or reading.position(ledger, portfolio, symbol) == before


@pytest.mark.parametrize(
    ("method", "make"),
    [("GetSummary", summary), ("ListEntries", entries), ("ListClosedTrades", trades)],
)
def test_reading_a_portfolio_that_does_not_exist_is_not_found(
    ledger: Ledger, portfolio: str, method: str, make: Callable[..., Any]
) -> None:
    """Not an empty answer: a misspelt name would look like a bot that never traded."""
    refusal = refused(getattr(ledger, method), make(portfolio))
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.NOT_FOUND, "PORTFOLIO_NOT_FOUND")
    assert portfolio in refusal.message


def test_a_summary_ahead_of_the_ledger_is_out_of_range(ledger: Ledger) -> None:
    """With the sequence that it has."""
    head = reading.head(ledger)
    refusal = refused(ledger.GetSummary, summary("", as_of_sequence=head + 1))
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.OUT_OF_RANGE, "SEQUENCE_AHEAD")
    assert refusal.metadata == {"latest_sequence": str(head)}


def test_a_server_may_be_told_not_to_make_portfolios(database_url: str) -> None:
    """Then a misspelt portfolio is refused on writes too, but for a close, which never makes one."""
    with Sidecar(database_url, settings={"create_portfolios": "false"}) as sidecar, dialed(sidecar.address) as channel:
        ledger = LedgerServiceStub(channel)
        for call, request in (
            (ledger.CreateEntry, entry("misspelt", "S")),
            (ledger.RecordFill, fill("misspelt", "S")),
            (ledger.CreateEntry, entry("misspelt", "S", validate_only=True)),
        ):
            refusal = refused(call, request)
            assert (refusal.code, refusal.reason) == (grpc.StatusCode.NOT_FOUND, "PORTFOLIO_NOT_FOUND")
        assert refused(ledger.CloseFifo, close("misspelt", "S")).reason == "NO_OPEN_POSITION"
        assert reading.head(ledger) == 0
        assert ledger.CreateEntry(entry("default", "S")).sequence == 1


def test_another_currency_can_be_the_ledgers(database_url: str) -> None:
    """Then amounts are in it, and a fee in dollars is the one that waits for a rate."""
    with Sidecar(database_url, "--currency", "USDT") as sidecar, dialed(sidecar.address) as channel:
        ledger = LedgerServiceStub(channel)
        answer = ledger.CreateEntry(entry("", "S", fee="1", fee_currency="USDT"))
        assert (answer.entry.fee_currency, answer.position.currency) == ("USDT", "USDT")
        assert (answer.entry.open_fee, answer.position.provisional) == ("1", False)
        answer = ledger.CreateEntry(entry("", "S", fee="1", fee_currency="USD"))
        assert (answer.entry.fee_currency, answer.entry.open_fee, answer.entry.fee_pending) == ("USD", "0", True)
        assert (answer.position.currency, answer.position.open_fees) == ("USDT", "1")


def test_every_reason_is_one_of_the_contract() -> None:
    """What stands in ErrorInfo is the name of an ErrorReason without its prefix."""
    names = {name.removeprefix("ERROR_REASON_") for name in error_reason_pb2.ErrorReason.DESCRIPTOR.values_by_name}
    assert {case.reason for case in RULES} <= names
