"""One cell to one value, and nothing is guessed on the way."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from lotkeeperd.intake.cells import Numbers, Times, text_of
from lotkeeperd.intake.problems import WrongCell

SECOND = 1_000_000_000
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("x", "x"),
        (None, ""),
        (True, "true"),
        (17, "17"),
        (Decimal("1E-9"), "0.000000001"),
        (0.1, "0.1"),
        (1e-05, "0.00001"),
        (1e22, "10000000000000000000000"),
    ],
)
def test_a_database_s_value_becomes_its_plain_text(cell: object, text: str) -> None:
    """A float becomes the shortest text that means it."""
    assert text_of(cell) == text


@pytest.mark.parametrize("cell", [["1"], {"a": 1}, b"1"])
def test_what_is_no_single_value_is_refused(cell: object) -> None:
    """Nobody knows which of them is meant."""
    with pytest.raises(WrongCell, match="one text or number is required"):
        text_of(cell)


@pytest.mark.parametrize(
    ("numbers", "text", "read"),
    [
        (Numbers(), "1_000", "1_000"),
        (Numbers(exponent=True), "1e-05", "0.00001"),
        (Numbers(exponent=True), "-1.50E+3", "-1500"),
        (Numbers(exponent=True), "12.5", "12.5"),
        (Numbers(decimal=","), "1234,50", "1234.50"),
        (Numbers(decimal=","), "-7", "-7"),
        (Numbers(decimal=",", thousands="."), "1.234.567,8", "1234567.8"),
        (Numbers(thousands=","), "1,234.5", "1234.5"),
        (Numbers(thousands=","), "1234.5", "1234.5"),
    ],
)
def test_a_number_is_brought_into_the_contract_s_form(numbers: Numbers, text: str, read: str) -> None:
    """As the map says that the file writes them; what the map does not say is left for the rules to refuse."""
    assert numbers.read(text) == read


@pytest.mark.parametrize(("text", "key"), [("1e-05", "exponent = true"), ("1,5", "decimal or thousands")])
def test_a_number_in_a_form_that_the_map_does_not_tell_of_is_refused(text: str, key: str) -> None:
    """With the key that would tell."""
    with pytest.raises(WrongCell, match=key):
        Numbers().read(text)


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        (Numbers(decimal=","), "1234.50"),
        (Numbers(decimal=","), "1,5,0"),
        (Numbers(decimal=",", thousands="."), "1.23"),
        (Numbers(thousands=","), "12,34"),
        (Numbers(decimal=","), "١"),
    ],
)
def test_a_number_written_in_another_way_is_refused(numbers: Numbers, text: str) -> None:
    """A point that may be a comma would be wrong by a factor of a thousand."""
    with pytest.raises(WrongCell, match="is not a number with"):
        numbers.read(text)


@pytest.mark.parametrize(
    ("times", "cell", "time"),
    [
        (Times(), "1970-01-01T00:00:01.5Z", SECOND + SECOND // 2),
        (Times(zone=BERLIN), "1970-01-01 02:00:00", 3600 * SECOND),
        (Times(zone=UTC), "1970-01-02", 86_400 * SECOND),
        (Times("unix_s"), "1.5", SECOND + SECOND // 2),
        (Times("unix_s"), "1704067200.1234567", 1_704_067_200_123_456_700),
        (Times("unix_ms"), "1704067200123", 1_704_067_200_123_000_000),
        (Times("unix_us"), "1", 1_000),
        (Times("unix_ns"), "1", 1),
        (Times("%d.%m.%Y %H:%M", BERLIN), "01.07.2024 12:00", 1_719_828_000 * SECOND),
        (Times("%Y%m%d %H:%M:%S %z"), "19700101 00:00:00 -0100", 3600 * SECOND),
        (Times(), datetime(1970, 1, 1, 1, tzinfo=timezone(timedelta(hours=1))), 0),
        (Times(zone=UTC), datetime(1970, 1, 1, 0, 0, 0, 7), 7_000),  # noqa: DTZ001 - as a column without a zone gives it
        (Times(zone=UTC), date(1970, 1, 2), 86_400 * SECOND),
    ],
)
def test_a_time_is_read_as_the_map_says(times: Times, cell: object, time: int) -> None:
    """To the nanosecond, and never through a float."""
    assert times.read(cell) == time


@pytest.mark.parametrize(
    ("times", "cell", "why"),
    [
        (Times(), "2024-01-01T00:00:00", "has no zone"),
        (Times(), "1704067200", "is not a time such as"),
        (Times("unix_s"), "2024-01-01", "is not a count"),
        (Times("unix_s"), "1e9", "is not a count"),
        (Times("unix_ns"), "1.5", "finer than a nanosecond"),
        (Times("%d.%m.%Y", BERLIN), "2024-01-01", "is not a time as in"),
        (Times(zone=BERLIN), "2024-10-27 02:30:00", "happens twice in Europe/Berlin"),
        (Times(zone=BERLIN), "2024-03-31 02:30:00", "never happens in Europe/Berlin"),
    ],
)
def test_a_time_that_says_too_little_is_refused(times: Times, cell: object, why: str) -> None:
    """An hour that happens twice is not taken for the first."""
    with pytest.raises(WrongCell, match=why):
        times.read(cell)
