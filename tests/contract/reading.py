"""What a ledger holds, read through its RPCs, page by page."""

from __future__ import annotations

from typing import Any

import grpc

from lotkeeper.v1 import ledger_pb2
from tests.contract import asking

LARGEST_PAGE = 1000
ALWAYS_THERE = "default"
"""The portfolio that every ledger has."""


def head(ledger: Any) -> int:
    """The newest journal sequence of the whole ledger."""
    return int(ledger.GetSummary(asking.summary(ALWAYS_THERE, page_size=1)).sequence)


def exists(ledger: Any, portfolio: str) -> bool:
    """Whether a portfolio was made."""
    error = ledger.GetSummary.future(asking.summary(portfolio, page_size=1)).exception()
    assert error is None or error.code() is grpc.StatusCode.NOT_FOUND
    return error is None


def position(ledger: Any, portfolio: str, symbol: str) -> ledger_pb2.Position:
    """One position, flat or open."""
    (found,) = ledger.GetSummary(asking.summary(portfolio, symbols=[symbol])).positions
    assert isinstance(found, ledger_pb2.Position)
    return found


def all_entries(ledger: Any, portfolio: str, **wanted: Any) -> list[ledger_pb2.Entry]:
    """Every lot that is selected; of all statuses unless some are named."""
    every = [asking.OPEN, asking.PARTIALLY_CLOSED, asking.CLOSED, asking.SUPERSEDED]
    wanted = {"statuses": every, "page_size": LARGEST_PAGE} | wanted
    found: list[ledger_pb2.Entry] = []
    token = ""
    while True:
        page = ledger.ListEntries(asking.entries(portfolio, page_token=token, **wanted))
        found += page.entries
        if not (token := page.next_page_token):
            return found


def all_trades(ledger: Any, portfolio: str, **wanted: Any) -> list[ledger_pb2.ClosedTrade]:
    """Every closed trade that is selected."""
    found: list[ledger_pb2.ClosedTrade] = []
    token = ""
    while True:
        page = ledger.ListClosedTrades(asking.trades(portfolio, page_token=token, page_size=LARGEST_PAGE, **wanted))
        found += page.closed_trades
        if not (token := page.next_page_token):
            return found
