"""The terms of portfolios as calls: create, update, close, list. No I/O.

A portfolio that is not created here is made by its first entry or fill, with default terms. What two books have to
agree on cannot change once something is recorded; the contract says which terms those are, and the ledger refuses.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lotkeeper import answers, calls, fields
from lotkeeper.answers import Page
from lotkeeper.calls import PAGE_SIZE, Call, Defaults
from lotkeeper.enums import LotMethod, PositionMode, TradingMode
from lotkeeper.fields import DecimalLike
from lotkeeper.responses import ClosePortfolioResponse, CreatePortfolioResponse, UpdatePortfolioResponse
from lotkeeper.terms import Portfolio
from lotkeeper.v1 import portfolio_service_pb2


def create_portfolio(
    defaults: Defaults,
    *,
    request_id: str,
    portfolio_id: str | None = None,
    base_currency: str = "",
    initial_cash: Mapping[str, DecimalLike] | None = None,
    position_mode: PositionMode = PositionMode.UNSPECIFIED,
    long_only: bool = False,
    trading_mode: TradingMode = TradingMode.UNSPECIFIED,
    broker_account: str = "",
    lot_method: LotMethod = LotMethod.UNSPECIFIED,
    time_zone: str = "",
    fees_later: bool = False,
    description: str = "",
    validate_only: bool = False,
    timeout: float | None = None,
) -> Call[CreatePortfolioResponse]:
    """Create a portfolio. ``initial_cash`` is ``{currency: amount}``; ``request_id`` makes a retry safe.

    Raises:
        ValueError: a value cannot be sent.
        TypeError: a float, or another type that cannot be sent exactly.
        PortfolioExists: it exists with other terms; ``metadata`` names the first differing field.
        LotkeeperError: the ledger refused, or did not answer in time.
    """
    portfolio = portfolio_service_pb2.Portfolio(
        portfolio_id=calls.portfolio_of(defaults, portfolio_id),
        base_currency=fields.text("base_currency", base_currency),
        initial_cash=fields.moneys("initial_cash", initial_cash or {}),
        position_mode=fields.member("position_mode", PositionMode, position_mode),
        long_only=long_only,
        trading_mode=fields.member("trading_mode", TradingMode, trading_mode),
        broker_account=fields.text("broker_account", broker_account),
        lot_method=fields.member("lot_method", LotMethod, lot_method),
        time_zone=fields.text("time_zone", time_zone),
        fees_later=fees_later,
        description=fields.text("description", description),
    )
    request = portfolio_service_pb2.CreatePortfolioRequest(
        request_id=fields.text("request_id", request_id), portfolio=portfolio, validate_only=validate_only
    )
    return Call("CreatePortfolio", request, answers.create_portfolio, calls.timeout_of(defaults, timeout))


def update_portfolio(
    defaults: Defaults,
    *,
    request_id: str,
    portfolio_id: str | None = None,
    base_currency: str | None = None,
    initial_cash: Mapping[str, DecimalLike] | None = None,
    position_mode: PositionMode | None = None,
    long_only: bool | None = None,
    trading_mode: TradingMode | None = None,
    broker_account: str | None = None,
    lot_method: LotMethod | None = None,
    time_zone: str | None = None,
    fees_later: bool | None = None,
    description: str | None = None,
    validate_only: bool = False,
    timeout: float | None = None,
) -> Call[UpdatePortfolioResponse]:
    """Change the terms that are given; what is left out stays. ``request_id`` makes a retry safe.

    ``initial_cash`` is ``{currency: amount}`` and replaces all of it.

    Raises:
        ValueError: a value cannot be sent; an empty ``initial_cash`` would change nothing.
        TypeError: a float, or another type that cannot be sent exactly.
        PortfolioInUse: it cannot change any more; ``metadata`` names the field.
        LotkeeperError: the ledger refused, or did not answer in time.
    """
    if initial_cash is not None and not initial_cash:
        raise ValueError("initial_cash: {} is sent as nothing and would change nothing; pass a 0, such as {'USD': 0}")
    request = portfolio_service_pb2.UpdatePortfolioRequest(
        request_id=fields.text("request_id", request_id),
        portfolio_id=calls.portfolio_of(defaults, portfolio_id),
        base_currency=fields.optional_text("base_currency", base_currency),
        initial_cash=fields.moneys("initial_cash", initial_cash or {}),
        position_mode=fields.optional_member("position_mode", PositionMode, position_mode),
        long_only=fields.optional_flag("long_only", long_only),
        trading_mode=fields.optional_member("trading_mode", TradingMode, trading_mode),
        broker_account=fields.optional_text("broker_account", broker_account),
        lot_method=fields.optional_member("lot_method", LotMethod, lot_method),
        time_zone=fields.optional_text("time_zone", time_zone),
        fees_later=fields.optional_flag("fees_later", fees_later),
        description=fields.optional_text("description", description),
        validate_only=validate_only,
    )
    return Call("UpdatePortfolio", request, answers.update_portfolio, calls.timeout_of(defaults, timeout))


def close_portfolio(
    defaults: Defaults, *, request_id: str, portfolio_id: str | None = None, timeout: float | None = None
) -> Call[ClosePortfolioResponse]:
    """Take no more commands for a portfolio; its history stays readable. ``request_id`` makes a retry safe.

    Raises:
        PortfolioNotEmpty: lots are open; nothing was written.
        LotkeeperError: the ledger refused, or did not answer in time.
    """
    request = portfolio_service_pb2.ClosePortfolioRequest(
        request_id=fields.text("request_id", request_id), portfolio_id=calls.portfolio_of(defaults, portfolio_id)
    )
    return Call("ClosePortfolio", request, answers.close_portfolio, calls.timeout_of(defaults, timeout))


def list_portfolios(
    defaults: Defaults,
    *,
    portfolio_ids: Iterable[str] = (),
    include_closed: bool = False,
    page_size: int = PAGE_SIZE,
    timeout: float | None = None,
) -> Call[Page[Portfolio]]:
    """Iterate over portfolios by id; no ``portfolio_ids`` means all.

    Pages are fetched as the iteration reaches them; ``timeout`` is for each.

    Raises:
        LotkeeperError: while iterating: the ledger refused, or did not answer in time.
    """
    request = portfolio_service_pb2.ListPortfoliosRequest(
        portfolio_ids=fields.texts("portfolio_ids", portfolio_ids), include_closed=include_closed, page_size=page_size
    )
    return Call("ListPortfolios", request, answers.list_portfolios, calls.timeout_of(defaults, timeout))
