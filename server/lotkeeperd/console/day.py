"""A day of portfolios as values: what was realized in it, what is open, what differs. Pure.

A day is one in the portfolio's own time zone, from midnight to midnight by its clocks: it may have 23 or 25 hours.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import NamedTuple
from zoneinfo import ZoneInfo

from lotkeeper import ClosedTrade, DiscrepancyRecord, Position, Reconciliation, Time, Totals
from lotkeeperd.domain.decimals import EXACT, ZERO
from lotkeeperd.domain.portfolios import day_of
from lotkeeperd.domain.refusals import FieldViolations

_LAST_NANOSECOND = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolDay:
    """What was realized in one symbol."""

    symbol: str
    currency: str
    trade_count: int = 0
    gross_realized_pnl: Decimal = ZERO
    realized_fees: Decimal = ZERO
    net_realized_pnl: Decimal = ZERO

    def with_(self, trade: ClosedTrade) -> SymbolDay:
        """And one trade more; run under ``localcontext(EXACT)``."""
        return SymbolDay(
            symbol=self.symbol,
            currency=self.currency,
            trade_count=self.trade_count + 1,
            gross_realized_pnl=self.gross_realized_pnl + trade.gross_pnl,
            realized_fees=self.realized_fees + trade.entry_fee + trade.exit_fee,
            net_realized_pnl=self.net_realized_pnl + trade.net_pnl,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PortfolioDay:
    """One portfolio's day; ``is_over``: ``positions`` are those at its end, else the live ones."""

    portfolio_id: str
    day: str
    time_zone: str
    is_over: bool
    trade_count: int
    realized: tuple[Totals, ...]
    symbols: tuple[SymbolDay, ...]
    positions: tuple[Position, ...]
    last_reconciliation: Reconciliation | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DayReport:
    """A day of several portfolios, and the differences that are open now."""

    portfolios: tuple[PortfolioDay, ...]
    open_discrepancies: tuple[DiscrepancyRecord, ...]


class Span(NamedTuple):
    """A day in a time zone: its date, and when it is over, nanoseconds UTC."""

    date: dt.date
    end: int


def span_of(day: str, time_zone: str, now: int) -> Span:
    """The day ``day``, a date, "today" or "yesterday", in ``time_zone`` (UTC where there is none) at ``now``, nanoseconds UTC.

    Raises:
        ValueError: it is no day, or beyond the year 2262.
    """
    zone = time_zone or "UTC"
    try:
        start, end = day_of(day, zone, now)
    except FieldViolations as error:
        raise ValueError(str(error)) from error
    if end > _LAST_NANOSECOND:
        raise ValueError(f"{day!r} is beyond int64 nanoseconds since 1970, which reach to the year 2262")
    return Span(Time(start).datetime.astimezone(ZoneInfo(zone)).date(), end)


def by_symbol(trades: Iterable[ClosedTrade]) -> tuple[SymbolDay, ...]:
    """Sums by symbol and currency, exact, in the order of their names. A trade is summed and let go."""
    sums: dict[tuple[str, str], SymbolDay] = {}
    with localcontext(EXACT):
        for trade in trades:
            key = (trade.symbol, trade.currency)
            sums[key] = sums.get(key, SymbolDay(symbol=trade.symbol, currency=trade.currency)).with_(trade)
    return tuple(sums[key] for key in sorted(sums))
