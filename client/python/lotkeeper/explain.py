"""Why a figure is what it is, as calls: ``explain_trade``, ``explain_position``. No I/O."""

from __future__ import annotations

from lotkeeper import answers, calls, fields
from lotkeeper.answers import Page
from lotkeeper.calls import PAGE_SIZE, Call, Defaults
from lotkeeper.enums import PositionSide
from lotkeeper.responses import ExplainLine, ExplainTradeResponse
from lotkeeper.v1 import explain_service_pb2


def explain_trade(
    defaults: Defaults, *, trade_id: str, portfolio_id: str | None = None, timeout: float | None = None
) -> Call[ExplainTradeResponse]:
    """Read what makes a closed trade: the entry's execution, the exit's, and the corrections of either.

    Raises:
        TradeNotFound: no trade has this id.
        LotkeeperError: the ledger refused, or did not answer in time.
    """
    request = explain_service_pb2.ExplainTradeRequest(
        portfolio_id=calls.portfolio_of(defaults, portfolio_id), trade_id=fields.text("trade_id", trade_id)
    )
    return Call("ExplainTrade", request, answers.explain_trade, calls.timeout_of(defaults, timeout))


def explain_position(
    defaults: Defaults,
    *,
    symbol: str,
    book_side: PositionSide = PositionSide.UNSPECIFIED,
    page_size: int = PAGE_SIZE,
    portfolio_id: str | None = None,
    timeout: float | None = None,
) -> Call[Page[ExplainLine]]:
    """Iterate over the records that made a position; ``position()`` of the iterator is what their changes sum to.

    ``book_side`` is which of the two books of a hedging portfolio. Pages are fetched as the iteration reaches them, all
    taken at ``sequence()``; ``timeout`` is for each.

    Raises:
        LotkeeperError: while iterating: the ledger refused, or did not answer in time.
    """
    request = explain_service_pb2.ExplainPositionRequest(
        portfolio_id=calls.portfolio_of(defaults, portfolio_id),
        symbol=fields.text("symbol", symbol),
        book_side=fields.member("book_side", PositionSide, book_side),
        page_size=page_size,
    )
    return Call("ExplainPosition", request, answers.explain_position, calls.timeout_of(defaults, timeout))
