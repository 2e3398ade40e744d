"""Explanations as tests read them: page by page, and added up."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from lotkeeper.v1 import explain_service_pb2
from tests.contract.asking import SHORT

KIND = explain_service_pb2.RecordKind.Name


def position(portfolio: str, symbol: str, **others: Any) -> Any:
    """ExplainPosition."""
    return explain_service_pb2.ExplainPositionRequest(portfolio_id=portfolio, symbol=symbol, **others)


def trade(portfolio: str, trade_id: str) -> Any:
    """ExplainTrade."""
    return explain_service_pb2.ExplainTradeRequest(portfolio_id=portfolio, trade_id=trade_id)


def pages(explain: Any, portfolio: str, symbol: str, **others: Any) -> list[Any]:
    """Every page of a position's lines."""
    found, token = [], ""
    while True:
        found.append(explain.ExplainPosition(position(portfolio, symbol, page_token=token, **others)))
        if not (token := found[-1].next_page_token):
            return found


def lines(explain: Any, portfolio: str, symbol: str, **others: Any) -> list[Any]:
    """Every line of a position."""
    return [line for page in pages(explain, portfolio, symbol, **others) for line in page.lines]


def kinds(told: Any) -> list[str]:
    """What each line was, in short."""
    return [KIND(line.kind).removeprefix("RECORD_KIND_") for line in told]


def added(told: Any, *names: str) -> tuple[Decimal, ...]:
    """The sums of some changes over all lines."""
    return tuple(sum((Decimal(getattr(line, name)) for line in told), Decimal(0)) for name in names)


def of_position(told: Any) -> tuple[Decimal, ...]:
    """The figures that the lines of a position sum to."""
    return added(told, "quantity_change", "cost_change", "gross_pnl_change", "fees_change", "open_fees_change")


def figures(shown: Any) -> tuple[Decimal, ...]:
    """The figures of a position; the quantity of a short is negative."""
    quantity = Decimal(shown.total_quantity)
    others = (shown.cost_basis, shown.gross_realized_pnl, shown.realized_fees, shown.open_fees)
    return (-quantity if shown.side == SHORT else quantity, *map(Decimal, others))


def of_trade(told: Any) -> tuple[Decimal, ...]:
    """Gross and fees that the lines of a trade sum to."""
    return added(told, "gross_pnl_change", "fees_change")


def amounts(shown: Any) -> tuple[Decimal, ...]:
    """Gross and fees of a trade."""
    return Decimal(shown.gross_pnl), Decimal(shown.entry_fee) + Decimal(shown.exit_fee)
