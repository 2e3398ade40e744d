"""Requests that a server takes as they are; a test names only what it is about."""

from __future__ import annotations

import itertools
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from lotkeeper.v1 import ledger_pb2, ledger_service_pb2, market_service_pb2

LONG, SHORT, FLAT = ledger_pb2.POSITION_SIDE_LONG, ledger_pb2.POSITION_SIDE_SHORT, ledger_pb2.POSITION_SIDE_FLAT
BUY, SELL = ledger_pb2.SIDE_BUY, ledger_pb2.SIDE_SELL
REJECT, REVERSE = ledger_service_pb2.EXCESS_POLICY_REJECT, ledger_service_pb2.EXCESS_POLICY_REVERSE
OPEN, PARTIALLY_CLOSED = ledger_pb2.ENTRY_STATUS_OPEN, ledger_pb2.ENTRY_STATUS_PARTIALLY_CLOSED
CLOSED = ledger_pb2.ENTRY_STATUS_CLOSED
SUPERSEDED = ledger_pb2.ENTRY_STATUS_SUPERSEDED

SECOND = 1_000_000_000
NOON = 1_700_000_000 * SECOND
"""A time long past, in nanoseconds UTC."""

_numbers = itertools.count(1)
_FILL_FIELDS = frozenset(ledger_pb2.Fill.DESCRIPTOR.fields_by_name)


def fresh(prefix: str = "r") -> str:
    """An id that no other request has."""
    return f"{prefix}{next(_numbers)}"


def stamp(nanoseconds: int) -> Timestamp:
    """A time as the wire has it."""
    return Timestamp(seconds=nanoseconds // SECOND, nanos=nanoseconds % SECOND)


def nanoseconds(stamp: Timestamp) -> int:
    """A time as tests compare it."""
    return stamp.seconds * SECOND + stamp.nanos


def entry(portfolio: str, symbol: str, quantity: str = "1", price: str = "100", **others: Any) -> Any:
    """CreateEntry: long 1 at 100 under a fresh request id."""
    given: dict[str, Any] = {"request_id": fresh(), "quantity": quantity, "entry_price": price} | others
    return ledger_service_pb2.CreateEntryRequest(portfolio_id=portfolio, symbol=symbol, **given)


def close(portfolio: str, symbol: str, quantity: str | None = None, price: str = "110", **others: Any) -> Any:
    """CloseFifo: at 110 under a fresh request id; 1 unless a quantity or close_all is given."""
    given: dict[str, Any] = {"request_id": fresh(), "exit_price": price, "quantity": quantity} | others
    if quantity is None and not given.get("close_all"):
        given["quantity"] = "1"
    return ledger_service_pb2.CloseFifoRequest(portfolio_id=portfolio, symbol=symbol, **given)


def fill(portfolio: str, symbol: str, quantity: str = "1", price: str = "100", **others: Any) -> Any:
    """RecordFill: bought 1 at 100 under a fresh request id; the fields of Fill go into ``fill``, all others beside it."""
    execution: dict[str, Any] = {"symbol": symbol, "side": BUY, "quantity": quantity, "price": price}
    execution |= {name: value for name, value in others.items() if name in _FILL_FIELDS}
    beside = {name: value for name, value in others.items() if name not in _FILL_FIELDS}
    given: dict[str, Any] = {"request_id": fresh()} | beside
    return ledger_service_pb2.RecordFillRequest(portfolio_id=portfolio, fill=ledger_pb2.Fill(**execution), **given)


def summary(portfolio: str, **others: Any) -> Any:
    """GetSummary."""
    return ledger_service_pb2.GetSummaryRequest(portfolio_id=portfolio, **others)


def entries(portfolio: str, **others: Any) -> Any:
    """ListEntries."""
    return ledger_service_pb2.ListEntriesRequest(portfolio_id=portfolio, **others)


def trades(portfolio: str, **others: Any) -> Any:
    """ListClosedTrades."""
    return ledger_service_pb2.ListClosedTradesRequest(portfolio_id=portfolio, **others)


def marks(*prices: tuple[str, str], source: str = "", time: int | None = None) -> Any:
    """SetMarks: (symbol, price) pairs, all observed at ``time``."""
    observed = None if time is None else stamp(time)
    return market_service_pb2.SetMarksRequest(
        marks=[market_service_pb2.Mark(symbol=symbol, price=price, observe_time=observed) for symbol, price in prices],
        source=source,
    )
