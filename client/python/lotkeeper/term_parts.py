"""The terms of portfolios and instruments as values."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from lotkeeper import terms
from lotkeeper.enums import InstrumentKind, LotMethod, OptionRight, PositionMode, TradingMode
from lotkeeper.parts import money, number, number_or_none, time_of

if TYPE_CHECKING:
    from lotkeeper.v1 import instrument_service_pb2, portfolio_service_pb2


def portfolio(message: portfolio_service_pb2.Portfolio) -> terms.Portfolio:
    """One portfolio's terms."""
    return terms.Portfolio(
        portfolio_id=message.portfolio_id,
        base_currency=message.base_currency,
        initial_cash=tuple(map(money, message.initial_cash)),
        position_mode=PositionMode(message.position_mode),
        long_only=message.long_only,
        trading_mode=TradingMode(message.trading_mode),
        broker_account=message.broker_account,
        lot_method=LotMethod(message.lot_method),
        time_zone=message.time_zone,
        fees_later=message.fees_later,
        description=message.description,
        closed=message.closed,
        create_time=time_of(message.create_time) if message.HasField("create_time") else None,
        sequence=message.sequence,
    )


def instrument(message: instrument_service_pb2.Instrument) -> terms.Instrument:
    """One instrument's terms."""
    return terms.Instrument(
        symbol=message.symbol,
        kind=InstrumentKind(message.kind),
        multiplier=number(message.multiplier),
        base_currency=message.base_currency,
        quote_currency=message.quote_currency,
        settlement_currency=message.settlement_currency,
        price_step=number_or_none(message.price_step),
        size_step=number_or_none(message.size_step),
        negative_prices=message.negative_prices,
        underlying=message.underlying,
        expiry=dt.date.fromisoformat(message.expiry) if message.expiry else None,
        strike=number_or_none(message.strike),
        right=OptionRight(message.right),
        declared=message.declared,
        sequence=message.sequence,
    )
