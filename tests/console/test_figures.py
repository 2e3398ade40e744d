"""Figures are rounded to a width, never cut."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotkeeperd.console.figures import SECOND, WIDEST, age, amount, count, lag, price, quantity

decimals = st.decimals(min_value=Decimal("-1e40"), max_value=Decimal("1e40"), allow_nan=False, places=18)


@pytest.mark.parametrize(
    ("figure", "text"),
    [
        (None, "unknown"),
        (Decimal(0), "0.00"),
        (Decimal("1234567.891"), "1,234,567.89"),
        (Decimal("-0.004"), "-0.004"),
        (Decimal("0.25"), "0.25"),
        (Decimal("0.000499996"), "0.0005"),
        (Decimal("-0.99999"), "-1.00"),
        (Decimal("-123456789012.5"), "-1.2346e+11"),
    ],
)
def test_amounts_are_to_the_cent_small_ones_keep_four_digits_and_unknown_is_said(
    figure: Decimal | None, text: str
) -> None:
    """Law 12: no figure for what is not known, and a little of a coin is not shown as nothing."""
    assert amount(figure) == text


@pytest.mark.parametrize(
    ("figure", "text"),
    [
        (None, ""),
        (Decimal(0), "0.000000"),
        (Decimal(100), "100.0000"),
        (Decimal("64000.123456"), "64,000.12"),
        (Decimal(12345678), "12,345,678"),
        (Decimal("0.00001234567"), "0.00001235"),
    ],
)
def test_prices_have_seven_digits_and_small_ones_keep_four(figure: Decimal | None, text: str) -> None:
    """A price of a cheap coin is not shown as nothing."""
    assert price(figure) == text


@pytest.mark.parametrize(
    ("figure", "text"),
    [
        (Decimal("1.50"), "1.5"),
        (Decimal(-12), "-12"),
        (Decimal(1000), "1,000"),
        (Decimal("0.123456789"), "0.1234568"),
        (Decimal("0.000000000001"), "1.00e-12"),
    ],
)
def test_quantities_lose_their_zeros_and_never_become_nothing(figure: Decimal, text: str) -> None:
    """What is open is never shown as 0."""
    assert quantity(figure) == text


@given(decimals)
def test_no_figure_is_wider_than_a_column_can_be(figure: Decimal) -> None:
    """A layout may rely on it, and never cut a number."""
    assert max(len(amount(figure)), len(price(figure)), len(quantity(figure))) <= WIDEST


@pytest.mark.parametrize(
    ("seconds", "text"), [(-3, "0s"), (0, "0s"), (61, "61s"), (9_999, "9999s"), (10_800, "3h"), (400_000, "4d")]
)
def test_ages_are_seconds_until_that_says_little(seconds: int, text: str) -> None:
    """A mark from a clock that is ahead of ours is new."""
    assert age(seconds * SECOND) == text


def test_a_lag_is_in_milliseconds_until_it_is_a_second() -> None:
    """A clock that is behind the server's makes no lag below zero."""
    assert [lag(each) for each in (-5, 4_999_999, SECOND, 2_540_000_000)] == ["0 ms", "4 ms", "1.0 s", "2.5 s"]


def test_one_is_not_many() -> None:
    """Words follow the number."""
    assert [count(each, "lot", "lots") for each in (0, 1, 1200)] == ["0 lots", "1 lot", "1,200 lots"]
