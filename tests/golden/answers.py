"""What a server says about every portfolio that it has."""

from __future__ import annotations

from typing import Any

import grpc
from google.protobuf.json_format import MessageToDict

from lotkeeper.v1 import ledger_service_pb2, portfolio_service_pb2
from lotkeeper.v1.ledger_service_pb2_grpc import LedgerServiceStub
from lotkeeper.v1.portfolio_service_pb2_grpc import PortfolioServiceStub

MOST = 1000


def answers(address: str) -> dict[str, dict[str, Any]]:
    """By portfolio: its terms, its summary with lots, its closed trades with those that were superseded."""
    with grpc.insecure_channel(address) as channel:
        portfolios: Any = PortfolioServiceStub(channel)
        ledger: Any = LedgerServiceStub(channel)
        every = portfolio_service_pb2.ListPortfoliosRequest(include_closed=True, page_size=MOST)
        return {
            one.portfolio_id: {
                "terms": _told(one),
                "summary": _told(ledger.GetSummary(_summary(one.portfolio_id))),
                "trades": _told(ledger.ListClosedTrades(_trades(one.portfolio_id))),
            }
            for one in portfolios.ListPortfolios(every).portfolios
        }


def _summary(name: str) -> ledger_service_pb2.GetSummaryRequest:
    return ledger_service_pb2.GetSummaryRequest(
        portfolio_id=name, include_entries=True, include_flat=True, include_groups=True, page_size=MOST
    )


def _trades(name: str) -> ledger_service_pb2.ListClosedTradesRequest:
    return ledger_service_pb2.ListClosedTradesRequest(portfolio_id=name, include_superseded=True, page_size=MOST)


def _told(message: Any) -> dict[str, Any]:
    # Without what has its default: a field that a later version adds is not there yet.
    return MessageToDict(message, preserving_proto_field_name=True)
