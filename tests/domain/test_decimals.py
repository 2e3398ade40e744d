"""Law 1: the four divisions, and the one way to write a number."""

from __future__ import annotations

from decimal import Decimal, DivisionByZero, FloatOperation, Inexact, InvalidOperation, localcontext

import pytest

from lotkeeperd.domain.decimals import EXACT, PRECISION, average, percent, plain, portion, quotient, share


@pytest.mark.parametrize(
    ("whole", "part", "of", "given"),
    [
        ("1", "1", "3", "0.333333333333333333"),
        ("2", "1", "3", "0.666666666666666667"),
        ("-2", "1", "3", "-0.666666666666666667"),
        ("0.000000000000000001", "1", "2", "0"),
        ("0.000000000000000003", "1", "2", "0.000000000000000002"),
        ("0.000000000000000005", "1", "2", "0.000000000000000002"),
        ("0", "1", "7", "0"),
        ("99999999999999999999.999999999999999999", "1", "1", "99999999999999999999.999999999999999999"),
    ],
)
def test_a_share_is_pro_rata_half_even_at_18_digits(whole: str, part: str, of: str, given: str) -> None:
    """The only rounding in a book (law 4)."""
    assert share(Decimal(whole), Decimal(part), Decimal(of)) == Decimal(given)


@pytest.mark.parametrize(
    ("cost", "part", "of", "given"),
    [
        ("2", "1", "3", "0.666666666666666667"),
        ("-2", "1", "3", "-0.666666666666666667"),
        ("0.0000000000000000001", "3", "3", "0.0000000000000000001"),
        ("0.0000000000000000006", "9", "10", "0.0000000000000000006"),
        ("-0.0000000000000000006", "9", "10", "-0.0000000000000000006"),
        ("0.0000000000000000006", "1", "10", "0"),
    ],
)
def test_a_portion_of_a_cost_is_a_share_the_last_the_rest_and_never_more_than_there_is(
    cost: str, part: str, of: str, given: str
) -> None:
    """A cost may have more than 18 digits; what stays of it does not turn its sign (law 4)."""
    assert portion(Decimal(cost), Decimal(part), Decimal(of)) == Decimal(given)


@pytest.mark.parametrize(
    ("dividend", "divisor", "given"),
    [("100", "50000", "0.002"), ("100", "55000", "0.001818181818181818"), ("1", "99999999999999999999", "0")],
)
def test_a_quotient_is_half_even_at_18_digits(dividend: str, divisor: str, given: str) -> None:
    """Inverse contracts and rates."""
    assert quotient(Decimal(dividend), Decimal(divisor)) == Decimal(given)


@pytest.mark.parametrize(
    ("cost", "quantity", "price"),
    [("300", "3", "100"), ("200", "3", "66.666666666666666667"), ("0.000000000000000001", "2", "0"), ("0", "5", "0")],
)
def test_an_average_price_is_half_even_at_18_digits(cost: str, quantity: str, price: str) -> None:
    """Cost over quantity."""
    assert average(Decimal(cost), Decimal(quantity)) == Decimal(price)


@pytest.mark.parametrize(
    ("part", "whole", "given"),
    [
        ("1", "3", "33.333333"),
        ("2", "3", "66.666667"),
        ("-1", "3", "-33.333333"),
        ("1", "-4", "25"),
        ("0.00000001", "2", "0"),
        ("0.00000003", "2", "0.000002"),
        ("1", "0", None),
        ("0", "0", None),
    ],
)
def test_a_percentage_is_half_even_at_6_digits_and_unset_over_nothing(part: str, whole: str, given: str | None) -> None:
    """Of the amount without its sign."""
    assert percent(Decimal(part), Decimal(whole)) == (None if given is None else Decimal(given))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0", "0"),
        ("-0.00", "0"),
        ("0E-18", "0"),
        ("1.500", "1.5"),
        ("100", "100"),
        ("1E+2", "100"),
        ("1E-18", "0.000000000000000001"),
        ("-12.340", "-12.34"),
        ("10.0", "10"),
        ("99999999999999999999.999999999999999999", "99999999999999999999.999999999999999999"),
    ],
)
def test_a_number_is_written_without_exponent_and_trailing_zeros(value: str, text: str) -> None:
    """And zero is "0", without a sign."""
    assert plain(Decimal(value)) == text


def test_under_the_exact_context_nothing_rounds_in_silence() -> None:
    """Law 1: whatever would lose a digit, divide by nothing or mix in a float raises."""
    with localcontext(EXACT):
        assert Decimal(10) ** (PRECISION - 1) + 1 > 0
        with pytest.raises(Inexact):
            Decimal(10) ** PRECISION + Decimal("0.1")
        with pytest.raises(DivisionByZero):
            Decimal(1) / Decimal(0)
        with pytest.raises(InvalidOperation):
            Decimal("none")
        with pytest.raises(FloatOperation):
            Decimal(0.1)  # noqa: RUF032 # that it is a float is the point
        with pytest.raises(FloatOperation):
            assert Decimal(1) < 1.5


def test_a_share_of_a_float_raises() -> None:
    """The rounding context takes none either."""
    with pytest.raises(TypeError, match="float"):
        share(0.1, Decimal(1), Decimal(3))  # type: ignore[arg-type]
