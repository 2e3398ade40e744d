"""What is agreed before anything is traded, as frozen values: the terms of portfolios and of instruments."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from lotkeeper.enums import InstrumentKind, LotMethod, OptionRight, PositionMode, TradingMode
from lotkeeper.values import Money, Time


@dataclass(frozen=True, slots=True, kw_only=True)
class Portfolio:
    """One isolated set of books, and its terms."""

    portfolio_id: str
    base_currency: str
    initial_cash: tuple[Money, ...]
    position_mode: PositionMode
    long_only: bool
    trading_mode: TradingMode
    broker_account: str
    lot_method: LotMethod
    time_zone: str
    fees_later: bool
    description: str
    closed: bool
    create_time: Time | None  # None for one that nobody made yet, such as "default"
    sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """One instrument; ``declared`` is False when it was made on first use."""

    symbol: str
    kind: InstrumentKind
    multiplier: Decimal
    base_currency: str
    quote_currency: str
    settlement_currency: str
    price_step: Decimal | None  # None when not known
    size_step: Decimal | None  # None when not known
    negative_prices: bool
    underlying: str
    expiry: dt.date | None  # None for what does not expire
    strike: Decimal | None  # None for what is no option
    right: OptionRight
    declared: bool
    sequence: int
