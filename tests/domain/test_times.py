"""Times as text, to the nanosecond."""

from datetime import UTC, datetime

import pytest

from lotkeeperd.domain.times import NANOSECONDS, WrongTime, iso, moment, nanoseconds_of, read_iso

NEW_YEAR = 1_704_067_200_000_000_000
"""2024-01-01T00:00:00Z."""


@pytest.mark.parametrize(
    ("text", "after_new_year"),
    [
        ("2024-01-01T00:00:00Z", 0),
        ("2024-01-01 00:00:00.000000001Z", 1),
        ("2024-01-01T00:00:00,5z", 500_000_000),
        ("2024-01-01T00:00:00.123456789000Z", 123_456_789),
        ("2024-01-01 01:00:00+01", 0),
        ("2024-01-01T05:30+05:30", 0),
        ("2023-12-31 19:00:00 -0500", 0),
        ("2024-01-01 00:00:01 UTC", 1_000_000_000),
    ],
)
def test_a_time_with_a_zone_is_read_to_the_nanosecond(text: str, after_new_year: int) -> None:
    """Whatever way ISO 8601 writes it."""
    reading = read_iso(text)

    assert nanoseconds_of(*reading) == NEW_YEAR + after_new_year


@pytest.mark.parametrize("text", ["2024-01-01T00:00:00", "2024-01-01 00:00", "2024-01-01"])
def test_a_time_without_a_zone_says_so(text: str) -> None:
    """Whose midnight it is must come from elsewhere."""
    assert read_iso(text).seconds.tzinfo is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is not a time"),
        ("yesterday", "is not a time"),
        ("2024-01-01T00:00:00Z ", "is not a time"),
        ("٢٠٢٤-01-01", "is not a time"),
        ("2024-02-30T00:00:00Z", "not in the calendar"),
        ("2024-01-01T24:01:00Z", "not in the calendar"),
        ("2024-01-01T00:00:00+25:00", "not in the calendar"),
        ("2024-01-01T00:00:00.0000000001Z", "finer than a nanosecond"),
    ],
)
def test_what_is_no_time_is_refused_with_the_reason(text: str, why: str) -> None:
    """Nothing is guessed and nothing is rounded."""
    with pytest.raises(WrongTime, match=why):
        read_iso(text)


@pytest.mark.parametrize("time", [0, 1, NEW_YEAR, NEW_YEAR + 250_000_000, -1, 4_000_000_000_123_456_789])
def test_a_time_that_is_written_is_read_back(time: int) -> None:
    """To the nanosecond, also before 1970."""
    assert nanoseconds_of(*read_iso(iso(time))) == time


def test_microseconds_of_a_driver_are_kept() -> None:
    """A database's own times carry them."""
    assert nanoseconds_of(datetime(1970, 1, 1, microsecond=7, tzinfo=UTC)) == 7_000


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("", None),
        ("1970-01-02", 86_400 * NANOSECONDS),
        ("1970-01-01T01:00:00.000000001+01:00", 1),
    ],
)
def test_a_moment_has_a_zone_or_is_a_day(text: str, time: int | None) -> None:
    """A date alone is its midnight UTC; nothing is no moment."""
    assert moment(text) == time


@pytest.mark.parametrize("text", ["1970-01-02T00:00:00", "tomorrow"])
def test_a_moment_that_names_none_is_refused(text: str) -> None:
    """A time without a zone could be any of two dozen."""
    with pytest.raises(ValueError, match=text):
        moment(text)
