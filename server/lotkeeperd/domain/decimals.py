"""Where numbers are made: the exact context, the only roundings of a book, and the one way to write a number.

Law 1: every quantity, price, fee and P&L is a ``Decimal``. Sums and products run under ``EXACT``, whose precision no input can
reach and whose ``Inexact`` trap would raise if one did. A ``float`` raises too. Division happens here and nowhere else.
"""

from __future__ import annotations

from decimal import (
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    DivisionByZero,
    FloatOperation,
    Inexact,
    InvalidOperation,
    Overflow,
)

ZERO = Decimal(0)
ONE = Decimal(1)

PRECISION = 200
"""Digits. The longest product of two inputs has 76; sums of 10**100 of them would still fit."""

EXACT = Context(prec=PRECISION, traps=[Inexact, InvalidOperation, DivisionByZero, Overflow, FloatOperation])
_ROUNDED = Context(prec=PRECISION, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation, DivisionByZero, FloatOperation])
# The quotient is cut at 200 digits before it is rounded to 18. No quotient of inputs lies so near to a tie that this shows:
# it would have to differ from one by less than 1 / (denominator x 10**18), and denominators have at most some 60 digits.

SHARE_STEP = Decimal("0.000000000000000001")
PERCENT_STEP = Decimal("0.000001")
_HUNDRED = Decimal(100)


def share(whole: Decimal, part: Decimal, of: Decimal) -> Decimal:
    """``whole * part / of``, half-even at 18 fraction digits: the part of a fee that goes with a part of a quantity."""
    return _ROUNDED.quantize(_ROUNDED.divide(_ROUNDED.multiply(whole, part), of), SHARE_STEP)


def portion(cost: Decimal, part: Decimal, of: Decimal) -> Decimal:
    """What leaves of ``cost`` with ``part`` of a quantity ``of``: its share, and with the last part the rest.

    A cost may have more digits than a share. Never more leaves than there is, so that what stays does not turn its sign.
    """
    if part == of:
        return cost
    given = share(cost, part, of)
    return cost if abs(given) > abs(cost) else given


def quotient(dividend: Decimal, divisor: Decimal) -> Decimal:
    """``dividend / divisor``, half-even at 18 fraction digits: the value of an inverse contract in its base coin."""
    return _ROUNDED.quantize(_ROUNDED.divide(dividend, divisor), SHARE_STEP)


def average(cost: Decimal, quantity: Decimal) -> Decimal:
    """``cost / quantity``, half-even at 18 fraction digits: the average price of open lots."""
    return _ROUNDED.quantize(_ROUNDED.divide(cost, quantity), SHARE_STEP)


def percent(part: Decimal, whole: Decimal) -> Decimal | None:
    """``part / |whole| * 100``, half-even at 6 fraction digits; None when ``whole`` is zero."""
    if not whole:
        return None
    return _ROUNDED.quantize(_ROUNDED.divide(_ROUNDED.multiply(part, _HUNDRED), abs(whole)), PERCENT_STEP)


def plain(value: Decimal) -> str:
    """Digits as they go to the wire and to disk: no exponent, no trailing zeros, zero is ``"0"``."""
    if not value:
        return "0"
    text = str(value)
    if "E" in text:
        text = f"{value:f}"
    if text[-1] != "0" or "." not in text:
        return text
    return text.rstrip("0").rstrip(".")
