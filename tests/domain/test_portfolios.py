"""Which terms of a portfolio its first record fixes, and where its days begin and end."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotkeeperd.domain.book import LotMethod
from lotkeeperd.domain.portfolios import (
    Changes,
    Mode,
    Portfolio,
    PositionMode,
    changed,
    check_created,
    day_bounds,
    day_of,
    zone_violation,
)
from lotkeeperd.domain.refusals import FieldViolations, PortfolioClosed, PortfolioExists, PortfolioInUse

SECOND = 1_000_000_000
HOUR = 3_600 * SECOND
DESK = Portfolio("desk", "USD")

FIXED: list[tuple[str, Changes]] = [
    ("base_currency", {"base_currency": "EUR"}),
    ("position_mode", {"position_mode": PositionMode.HEDGING}),
    ("lot_method", {"lot_method": LotMethod.LIFO}),
    ("initial_cash", {"initial_cash": (("USD", Decimal(100)),)}),
]
FREE: list[Changes] = [
    {"long_only": True},
    {"mode": Mode.PAPER},
    {"broker_account": "alpaca"},
    {"time_zone": "Asia/Tokyo"},
    {"fees_later": True},
    {"description": "mean reversion"},
    {"closed": True},
]


def at(text: str) -> int:
    """Nanoseconds of a moment in UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND


def test_a_portfolio_nobody_declared_nets_fifo_live_and_counts_its_days_in_utc() -> None:
    """The terms of one that its first fill makes."""
    assert DESK[2:8] == (PositionMode.NETTING, False, Mode.LIVE, "", LotMethod.FIFO, "UTC")
    assert (DESK.initial_cash, DESK.closed, DESK.declared) == ((), False, False)


@pytest.mark.parametrize(("field", "changes"), FIXED)
def test_what_decides_over_fills_is_fixed_by_the_first_record(field: str, changes: Changes) -> None:
    """Before it, it may change."""
    with pytest.raises(PortfolioInUse, match=f"'desk' has records, which fixed its {field}") as refused:
        changed(DESK, True, **changes)

    assert refused.value.metadata == {"field": field}
    assert changed(DESK, False, **changes) == DESK._replace(**changes)


@pytest.mark.parametrize("changes", FREE)
def test_the_other_terms_change_also_after_the_first_record(changes: Changes) -> None:
    """They decide over no fill that is recorded."""
    assert changed(DESK, True, **changes) == DESK._replace(**changes) != DESK


def test_a_term_that_is_given_as_it_is_changes_nothing() -> None:
    """Numbers are compared as values."""
    rich = DESK._replace(initial_cash=(("USD", Decimal(100)),))

    assert changed(rich, True, base_currency="USD", initial_cash=(("USD", Decimal("100.00")),)) is rich


@pytest.mark.parametrize("changes", [changes for _, changes in FIXED] + FREE[:-1] + [{"closed": False}])
def test_a_closed_portfolio_changes_no_more(changes: Changes) -> None:
    """Nor does it open again; closing it twice is closing it."""
    closed = DESK._replace(closed=True)

    with pytest.raises(PortfolioClosed, match="'desk' is closed") as refused:
        changed(closed, False, **changes)

    assert refused.value.metadata == {"portfolio_id": "desk"}
    assert changed(closed, True, closed=True) is closed


def test_creating_the_same_portfolio_twice_finds_it_and_with_other_terms_names_the_first() -> None:
    """When it was made and by which record are not terms."""
    existing = DESK._replace(declared=True, created_time=5, sequence=7)

    check_created(existing, DESK)
    with pytest.raises(PortfolioExists, match="'desk' exists with another long_only") as refused:
        check_created(existing, DESK._replace(time_zone="Asia/Tokyo", long_only=True))

    assert refused.value.metadata == {"field": "long_only"}


@pytest.mark.parametrize("name", ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+5"])
def test_a_time_zone_goes_by_its_iana_name(name: str) -> None:
    """All that this machine knows."""
    assert zone_violation("time_zone", name) is None


@pytest.mark.parametrize(
    "name", ["", "Mars/Base", "Europe", "../etc/passwd", "/etc/passwd", "a\0b", "x" * 300, "localtime"]
)
def test_a_time_zone_that_is_none_is_refused_and_no_other_file_is_read(name: str) -> None:
    """Neither is what this machine happens to be set to."""
    violation = zone_violation("portfolio.time_zone", name)

    assert violation is not None
    assert violation.field == "portfolio.time_zone"
    assert "give an IANA name, as Europe/Berlin" in violation.description


@pytest.mark.parametrize(
    ("zone", "now", "days_ago", "start", "hours"),
    [
        ("UTC", "2024-05-05T00:00:00", 0, "2024-05-05T00:00:00", 24),
        ("UTC", "2024-05-05T23:59:59", 0, "2024-05-05T00:00:00", 24),
        ("UTC", "2024-03-01T12:00:00", 1, "2024-02-29T00:00:00", 24),
        ("Asia/Tokyo", "2024-05-05T15:00:00", 0, "2024-05-05T15:00:00", 24),
        ("Asia/Tokyo", "2024-05-05T14:59:59", 0, "2024-05-04T15:00:00", 24),
        ("Asia/Kathmandu", "2024-05-05T18:15:00", 0, "2024-05-05T18:15:00", 24),
        # clocks go forward in the small hours, and back
        ("America/New_York", "2024-03-10T12:00:00", 0, "2024-03-10T05:00:00", 23),
        ("America/New_York", "2024-11-03T12:00:00", 0, "2024-11-03T04:00:00", 25),
        ("America/New_York", "2024-11-04T04:59:59", 0, "2024-11-03T04:00:00", 25),
        ("America/New_York", "2024-11-05T12:00:00", 2, "2024-11-03T04:00:00", 25),
        ("Europe/Berlin", "2024-03-31T00:30:00", 0, "2024-03-30T23:00:00", 23),
        ("Europe/Berlin", "2024-10-27T01:30:00", 0, "2024-10-26T22:00:00", 25),
        ("Australia/Lord_Howe", "2024-10-06T00:00:00", 0, "2024-10-05T13:30:00", 23.5),
        # midnight itself is left out, or comes twice
        ("Asia/Beirut", "2024-03-31T12:00:00", 0, "2024-03-30T22:00:00", 23),
        ("America/Havana", "2024-03-10T12:00:00", 0, "2024-03-10T05:00:00", 23),
        ("America/Havana", "2024-11-03T12:00:00", 0, "2024-11-03T04:00:00", 25),
        ("America/Sao_Paulo", "2018-02-17T12:00:00", 0, "2018-02-17T02:00:00", 25),
        # Samoa crossed the date line: it had no 30 December
        ("Pacific/Apia", "2011-12-31T00:00:00", 0, "2011-12-30T10:00:00", 24),
        ("Pacific/Apia", "2011-12-31T00:00:00", 1, "2011-12-30T10:00:00", 0),
    ],
)
def test_a_day_lasts_from_midnight_to_midnight_in_its_zone(
    zone: str, now: str, days_ago: int, start: str, hours: float
) -> None:
    """23 hours when clocks go forward, 25 when they go back."""
    first, end = day_bounds(zone, at(now), days_ago)

    assert first == at(start)
    assert (end - first) / HOUR == hours


@given(
    zone=st.sampled_from(sorted(available_timezones())),
    now=st.integers(at("2014-01-01T00:00:00"), at("2037-12-31T00:00:00")),
    days_ago=st.integers(0, 400),
)
def test_now_lies_in_today_and_days_follow_each_other_without_a_gap(zone: str, now: int, days_ago: int) -> None:
    """In every zone, at every moment."""
    start, end = day_bounds(zone, now)
    earlier, later = day_bounds(zone, now, days_ago + 1), day_bounds(zone, now, days_ago)

    assert start <= now < end
    assert earlier[1] == later[0]
    assert earlier[0] < earlier[1]


@pytest.mark.parametrize(
    ("day", "start", "end"),
    [
        ("today", "2026-03-08T05:00", "2026-03-09T04:00"),
        ("yesterday", "2026-03-07T05:00", "2026-03-08T05:00"),
        ("2026-03-08", "2026-03-08T05:00", "2026-03-09T04:00"),
        ("2026-01-31", "2026-01-31T05:00", "2026-02-01T05:00"),
    ],
)
def test_a_day_is_named_by_its_date_or_from_now(day: str, start: str, end: str) -> None:
    """In New York, where clocks change on 8 March 2026."""
    assert day_of(day, "America/New_York", at("2026-03-08T15:00")) == (at(start), at(end))


@pytest.mark.parametrize("day", ["", "tomorrow", "2026-02-30", "20260131", "2026-W05-6", "31.01.2026", "9999-12-31"])
def test_what_is_no_day_is_refused(day: str) -> None:
    """With what it could have been."""
    with pytest.raises(FieldViolations, match='neither "today" nor "yesterday" nor a date such as 2026-01-31'):
        day_of(day, "UTC", 0)
