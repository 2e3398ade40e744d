"""``lotkeeper report``: what a day brought, portfolio by portfolio, and whether the books were proved right.

Positions of a day that is over are those at its end, as the ledger said then and without marks, which are not kept; those of today
are the live ones. What differs from the broker is always what differs now. Trades are read page by page and summed, never held: a
busy day has any number of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, TextIO

import lotkeeper
from lotkeeper import DiscrepancyRecord, Portfolio, Position
from lotkeeper.errors import PortfolioNotFound
from lotkeeperd.console import daily_csv, daily_text, output
from lotkeeperd.console.day import DayReport, PortfolioDay, Span, by_symbol, span_of
from lotkeeperd.console.printing import show


class Asked(NamedTuple):
    """``day`` as ``span_of`` takes it; no portfolios: all that are not closed; ``form`` is text, json or csv."""

    day: str
    portfolios: tuple[str, ...]
    form: str


def report(address: str, asked: Asked, now: int, out: TextIO) -> int:
    """Print the report; the exit code. Raises LotkeeperError."""
    with lotkeeper.connect(address) as ledger:
        found = gathered(ledger, asked, now)
    if asked.form == "json":
        out.write(output.document(found) + "\n")
    elif asked.form == "csv":
        daily_csv.write(found, out)
    else:
        show(lambda width: daily_text.lines(found, now, width), out)
    return 0


def gathered(ledger: lotkeeper.Ledger, asked: Asked, now: int) -> DayReport:
    """What the sidecar knows of the day. Raises LotkeeperError."""
    portfolios = tuple(ledger.list_portfolios(portfolio_ids=asked.portfolios, include_closed=bool(asked.portfolios)))
    for name in set(asked.portfolios) - {each.portfolio_id for each in portfolios}:
        ledger.get_summary(portfolio_id=name)  # the list passes over one that is not there; this refuses, and names it
    days = tuple(_day_of(ledger, each, span_of(asked.day, each.time_zone, now), now) for each in portfolios)
    shown = tuple(each for each in days if asked.portfolios or _has_lived(each))
    return DayReport(portfolios=shown, open_discrepancies=tuple(_open(ledger, asked.portfolios)))


def _has_lived(day: PortfolioDay) -> bool:
    """Whether there is anything to tell of a portfolio that nobody asked for by name."""
    return bool(day.symbols or day.positions or day.last_reconciliation)


def _day_of(ledger: lotkeeper.Ledger, portfolio: Portfolio, span: Span, now: int) -> PortfolioDay:
    name = portfolio.portfolio_id
    trades = ledger.list_closed_trades(portfolio_id=name, day=span.date)
    symbols = by_symbol(trades)
    is_over = span.end <= now
    reports = ledger.list_reconciliations(portfolio_id=name, end_time=span.end, page_size=1)
    return PortfolioDay(
        portfolio_id=name,
        day=span.date.isoformat(),
        time_zone=portfolio.time_zone or "UTC",
        is_over=is_over,
        trade_count=sum(each.trade_count for each in symbols),
        realized=trades.totals(),
        symbols=symbols,
        positions=_positions(ledger, name, span.end - 1 if is_over else None),
        last_reconciliation=next(reports, None),
    )


def _positions(ledger: lotkeeper.Ledger, portfolio: str, as_of: int | None) -> tuple[Position, ...]:
    try:
        return ledger.get_summary(portfolio_id=portfolio, as_of_time=as_of).positions
    except PortfolioNotFound:
        if as_of is None:
            raise
        return ()  # it was not there yet


def _open(ledger: lotkeeper.Ledger, portfolios: tuple[str, ...]) -> Iterator[DiscrepancyRecord]:
    """Each once, though several portfolios share it."""
    seen: set[str] = set()
    for portfolio in portfolios or ("",):
        for record in ledger.list_discrepancies(portfolio_id=portfolio):
            if record.discrepancy.discrepancy_id not in seen:
                seen.add(record.discrepancy.discrepancy_id)
                yield record
