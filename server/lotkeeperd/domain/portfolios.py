"""The terms of a portfolio, which of them its first record fixes, and where its days begin.

Problem: terms that change how fills are matched or summed would, changed later, contradict the journal (law 11); and "today" is
another stretch of time in every zone, 23 or 25 hours long when clocks change. Seen: ledgers that let a lot method be switched over
open lots, and that cut days at midnight UTC. Chosen: what decides over fills is fixed by the first record, the rest may
change while the portfolio is open; a day lasts from its first midnight to the next day's, found in the zone and counted in UTC.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import NamedTuple, TypedDict, Unpack
from zoneinfo import ZoneInfo

from lotkeeperd.domain.book import LotMethod
from lotkeeperd.domain.refusals import (
    FieldViolations,
    PortfolioClosed,
    PortfolioExists,
    PortfolioInUse,
    Violation,
    shown,
)

NANOSECONDS = 1_000_000_000
"""In a second."""

NOT_IANA = frozenset({"localtime", "posixrules"})
"""Files beside the zones that mean what this machine is set to: elsewhere the same ledger would have other days."""

FIXED_BY_FIRST_RECORD = ("base_currency", "position_mode", "lot_method", "initial_cash")
"""What matching and cash are computed by. Cash that comes or goes later is a deposit or a withdrawal."""


class PositionMode(Enum):
    """Whether both sides of a symbol may be open at once; the value is stored."""

    NETTING = "NETTING"
    HEDGING = "HEDGING"


class Mode(Enum):
    """Whether real money stands behind it; the value is stored."""

    LIVE = "LIVE"
    PAPER = "PAPER"


class Portfolio(NamedTuple):
    """One isolated set of books and its terms.

    ``initial_cash`` holds (currency, amount), by currency. ``fees_later`` says that the broker's fees come days later.
    ``time_zone`` is an IANA name; ``created_time`` is nanoseconds UTC. ``declared`` is false, and ``sequence`` 0, when its first
    record made it; else ``sequence`` is of the journal record that last changed the terms.
    """

    portfolio_id: str
    base_currency: str
    position_mode: PositionMode = PositionMode.NETTING
    long_only: bool = False
    mode: Mode = Mode.LIVE
    broker_account: str = ""
    lot_method: LotMethod = LotMethod.FIFO
    time_zone: str = "UTC"
    initial_cash: tuple[tuple[str, Decimal], ...] = ()
    fees_later: bool = False
    description: str = ""
    closed: bool = False
    declared: bool = False
    created_time: int = 0
    sequence: int = 0


class Changes(TypedDict, total=False):
    """What an update may ask for; what is left out stays."""

    base_currency: str
    position_mode: PositionMode
    long_only: bool
    mode: Mode
    broker_account: str
    lot_method: LotMethod
    time_zone: str
    initial_cash: tuple[tuple[str, Decimal], ...]
    fees_later: bool
    description: str
    closed: bool


def changed(before: Portfolio, has_records: bool, **changes: Unpack[Changes]) -> Portfolio:
    """``before`` with the terms in ``changes``; whether it may become long-only or closed is for who sees its books.

    Raises PortfolioClosed when it is closed, PortfolioInUse when ``has_records`` and a term differs that the first one fixed.
    """
    after = before._replace(**changes)
    if after == before:
        return before
    if before.closed:
        raise PortfolioClosed(before.portfolio_id)
    field = _first_difference(before, after, FIXED_BY_FIRST_RECORD)
    if has_records and field is not None:
        raise PortfolioInUse(before.portfolio_id, field)
    return after


def check_created(existing: Portfolio, asked: Portfolio) -> None:
    """Raises PortfolioExists when ``existing`` has other terms than ``asked``; with the same it is the same portfolio."""
    field = _first_difference(existing, asked, tuple(Changes.__annotations__))
    if field is not None:
        raise PortfolioExists(existing.portfolio_id, field)


def _first_difference(before: Portfolio, after: Portfolio, fields: tuple[str, ...]) -> str | None:
    return next((name for name in fields if getattr(before, name) != getattr(after, name)), None)


def zone_violation(field: str, time_zone: str) -> Violation | None:
    """What is wrong with the name of a zone, for the caller's ``field``; None when this machine knows it."""
    try:
        known = ZoneInfo(time_zone).key not in NOT_IANA
    except (KeyError, OSError, ValueError):  # no such key; a folder of the zone files; a path out of them
        known = False
    if not known:
        return Violation(
            field, f"{shown(time_zone)} is not a time zone this server knows; give an IANA name, as Europe/Berlin"
        )
    return None


def day_bounds(time_zone: str, now_ns: int, days_ago: int = 0) -> tuple[int, int]:
    """The day that ``now_ns`` falls on in ``time_zone``, or the one ``days_ago`` before it: its start, and the next one's.

    All in nanoseconds UTC. A day is as long as the zone makes it: 23 or 25 hours when clocks change, none when it was left out.
    """
    zone = ZoneInfo(time_zone)
    today = datetime.fromtimestamp(now_ns // NANOSECONDS, zone).date()
    first = today - timedelta(days=days_ago)
    start, end = (_nanoseconds(datetime.combine(day, time(), zone)) for day in (first, first + timedelta(days=1)))
    return start, end


def day_of(day: str, time_zone: str, now_ns: int) -> tuple[int, int]:
    """The bounds of "today", "yesterday" or YYYY-MM-DD in ``time_zone``, as ``day_bounds``. Raises FieldViolations."""
    if day in ("today", "yesterday"):
        return day_bounds(time_zone, now_ns, int(day == "yesterday"))
    try:
        first = date.fromisoformat(day)
        if first.isoformat() != day:
            raise ValueError(day)
        zone = ZoneInfo(time_zone)
        start, end = (datetime.combine(one, time(), zone) for one in (first, first + timedelta(days=1)))
        return _nanoseconds(start), _nanoseconds(end)
    except (ValueError, OverflowError) as error:
        what = f'{shown(day)} is neither "today" nor "yesterday" nor a date such as 2026-01-31'
        raise FieldViolations([Violation("day", what)]) from error


def _nanoseconds(moment: datetime) -> int:
    """Since 1970; of a midnight that comes twice the first, of one that is left out the moment the clocks change."""
    return int(moment.astimezone(UTC).timestamp()) * NANOSECONDS
