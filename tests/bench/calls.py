"""The requests that are sent: pre-built bytes, so that a client's own work is the same whoever answers."""

from __future__ import annotations

import time
from collections.abc import Iterable

from lotkeeper.v1 import ledger_service_pb2, market_service_pb2

CREATE_ENTRY = "/lotkeeper.v1.LedgerService/CreateEntry"
CLOSE_FIFO = "/lotkeeper.v1.LedgerService/CloseFifo"
RECORD_FILL = "/lotkeeper.v1.LedgerService/RecordFill"
GET_SUMMARY = "/lotkeeper.v1.LedgerService/GetSummary"
STREAM_PNL = "/lotkeeper.v1.LedgerService/StreamPnL"
SET_MARKS = "/lotkeeper.v1.MarketService/SetMarks"
PUBLISH_MARKS = "/lotkeeper.v1.MarketService/PublishMarks"

SYMBOLS = 100
"""Instruments that a bot trades in, round and round."""


def symbol_name(number: int) -> str:
    """One of many instruments."""
    return f"SYM{number:05d}"


def price_of(number: int) -> str:
    """Some price with two decimals; deterministic, and never twice the same in a row."""
    return f"{100 + number * 7919 % 5_000 / 100:.2f}"


def entry(number: int, symbol: str = "", quantity: str = "1.5") -> bytes:
    """CreateEntry as a bot sends it: the venue's ids, time and fee."""
    request = ledger_service_pb2.CreateEntryRequest(
        symbol=symbol or symbol_name(number % SYMBOLS),
        quantity=quantity,
        entry_price=price_of(number),
        entry_order_id=f"order-{number:09d}",
        entry_fill_id=f"fill-{number:09d}",
        fee="0.35",
    )
    request.entry_time.FromNanoseconds(time.time_ns())
    return request.SerializeToString()


def entries(first: int, count: int) -> list[bytes]:
    """So many entries, each with ids of its own."""
    return [entry(number) for number in range(first, first + count)]


def close_all(number: int, symbol: str) -> bytes:
    """CloseFifo of everything that is open."""
    return ledger_service_pb2.CloseFifoRequest(
        symbol=symbol,
        close_all=True,
        exit_price=price_of(number),
        exit_order_id=f"order-{number:09d}",
        exit_fill_id=f"fill-{number:09d}",
        fee="0.35",
    ).SerializeToString()


def marks(prices: Iterable[tuple[str, str]], observed: int) -> bytes:
    """SetMarks, or a message of PublishMarks, of (symbol, price) pairs observed at a time in nanoseconds UTC."""
    seconds, nanos = divmod(observed, 1_000_000_000)
    request = market_service_pb2.SetMarksRequest(source="bench")
    for symbol, price in prices:
        mark = request.marks.add(symbol=symbol, price=price)
        mark.observe_time.seconds, mark.observe_time.nanos = seconds, nanos
    return request.SerializeToString()


def summary(portfolio_id: str, page_size: int) -> bytes:
    """GetSummary of one page."""
    return ledger_service_pb2.GetSummaryRequest(portfolio_id=portfolio_id, page_size=page_size).SerializeToString()
