"""What a ledger holds, read through its RPCs, page by page."""

from __future__ import annotations

from typing import Any

import grpc

from lotkeeper.v1 import ledger_pb2
from tests.contract import asking

LARGEST_PAGE = 1000
ALWAYS_THERE = "default"
"""The portfolio that every ledger has."""


def head(ledger: Any) -> int:  # noqa: ANN401 - the stub has no types
    """The newest journal sequence of the whole ledger."""
    return int(ledger.GetSummary(asking.summary(ALWAYS_THERE, page_size=1)).sequence)


def exists(ledger: Any, portfolio: str) -> bool:  # noqa: ANN401
    """Whether a portfolio was made."""
    try:
        ledger.GetSummary(asking.summary(portfolio, page_size=1))
    except grpc.RpcError as error:
        assert error.code() is grpc.StatusCode.NOT_FOUND
        return False
    return True


def position(ledger: Any, portfolio: str, symbol: str) -> ledger_pb2.Position:  # noqa: ANN401
    """One position, flat or open."""
    (found,) = ledger.GetSummary(asking.summary(portfolio, symbols=[symbol])).positions
    assert isinstance(found, ledger_pb2.Position)
    return found


def all_entries(ledger: Any, portfolio: str, **wanted: Any) -> list[ledger_pb2.Entry]:  # noqa: ANN401
    """Every lot that is selected; of all statuses unless some are named."""
    wanted = {"statuses": [asking.OPEN, asking.PARTIALLY_CLOSED, asking.CLOSED], "page_size": LARGEST_PAGE} | wanted
    found: list[ledger_pb2.Entry] = []
    token = ""
    while True:
        page = ledger.ListEntries(asking.entries(portfolio, page_token=token, **wanted))
        found += page.entries
        if not (token := page.next_page_token):
            return found


def all_trades(ledger: Any, portfolio: str, **wanted: Any) -> list[ledger_pb2.ClosedTrade]:  # noqa: ANN401
    """Every closed trade that is selected."""
    found: list[ledger_pb2.ClosedTrade] = []
    token = ""
    while True:
        page = ledger.ListClosedTrades(asking.trades(portfolio, page_token=token, page_size=LARGEST_PAGE, **wanted))
        found += page.closed_trades
        if not (token := page.next_page_token):
            return found
