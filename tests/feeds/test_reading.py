"""Numbers and times keep every digit they came with, or are refused."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotkeeperd.feeds.errors import Unreadable
from lotkeeperd.feeds.reading import decoded, items, mapping, member, nanoseconds, price, text, whole


@given(st.decimals(min_value="0.000000000000000001", max_value="99999999999999999999", allow_nan=False, places=18))
def test_a_price_keeps_its_digits_whether_it_was_text_or_a_number(number: Decimal) -> None:
    """What a float would cut off is still there."""
    written = f"{number:f}"
    message = mapping(decoded(f'{{"text": "{written}", "number": {written}}}'))
    assert str(price(message["text"])) == str(price(message["number"])) == str(Decimal(written))


def test_no_quote_is_no_price() -> None:
    """Venues write nothing or 0 where nobody quotes."""
    assert [price(value) for value in (None, "", "0", "0.00", 0, Decimal("0.0"))] == [None] * 6


@pytest.mark.parametrize("value", ["-1", "1e-19", "0.0000000000000000001", "123456789012345678901", "1e20"])
def test_what_the_ledger_could_not_hold_is_no_price(value: str) -> None:
    """Negative, too fine and too large ones value nothing."""
    assert price(value) is None


@pytest.mark.parametrize("value", ["abc", "1_000", "NaN", "Infinity", "٣", " 1", "1.", 1.5, True, [], "1" * 100])
def test_what_is_not_a_number_is_refused(value: object) -> None:
    """Also what Decimal itself would take, and a float, which has lost its digits already."""
    with pytest.raises(Unreadable, match="is not a price"):
        price(value)


def test_an_exponent_is_a_number_too() -> None:
    """JSON writers may use one."""
    assert price(json.loads("1.5e-7", parse_float=Decimal)) == Decimal("0.00000015")


@pytest.mark.parametrize(
    ("written", "nanosecond"),
    [
        ("2026-04-07T14:30:03.000000Z", 1_775_572_203_000_000_000),
        ("2022-01-31T23:01:00.123456789Z", 1_643_670_060_123_456_789),
        ("2022-01-31 23:01:00.1", 1_643_670_060_100_000_000),
        ("2022-02-01T01:01:00+02:00", 1_643_670_060_000_000_000),
        ("1970-01-01T00:00:00Z", 0),
    ],
)
def test_a_time_keeps_its_nanoseconds(written: str, nanosecond: int) -> None:
    """With a zone or without, with up to nine digits."""
    assert nanoseconds(written) == nanosecond


@pytest.mark.parametrize("written", ["", "yesterday", "2026-13-01T00:00:00Z", "1969-12-31T23:59:59Z", "2026-01-01"])
def test_what_is_not_a_time_is_refused(written: str) -> None:
    """The message says how one looks."""
    with pytest.raises(Unreadable, match="is not a time since 1970 like"):
        nanoseconds(written)


@pytest.mark.parametrize(
    "frame", ["", "{", "[1,", '{"p": NaN}', b"\xff\xfe\x00", "[" * 100_000, "1e999999999999999999999", "1" * 5_000]
)
def test_a_frame_that_is_no_message_is_refused(frame: str | bytes) -> None:
    """Whatever comes, it is one error."""
    with pytest.raises(Unreadable, match="not JSON"):
        decoded(frame)


def test_what_is_missing_or_of_another_kind_is_named() -> None:
    """So that an operator can tell the venue."""
    message = mapping({"text": "a", "number": 1, "yes": True})
    assert (text(message, "text"), whole(message, "number")) == ("a", 1)
    with pytest.raises(Unreadable, match="price is missing in"):
        member(message, "price")
    with pytest.raises(Unreadable, match="number = 1 is not text"):
        text(message, "number")
    with pytest.raises(Unreadable, match="yes = True is not a whole number"):
        whole(message, "yes")
    with pytest.raises(Unreadable, match="is not an object"):
        mapping([])
    with pytest.raises(Unreadable, match="is not a list"):
        items({})
