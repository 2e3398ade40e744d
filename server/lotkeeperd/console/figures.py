"""Numbers and ages as a person reads them in a table: cut to a few digits here and nowhere else.

Problem: exact figures may have any number of digits, and a column that is cut off in the middle of a number shows another
number. Chosen: every figure is rounded to a bounded width first, so that no layout ever has to cut one; what is too large
or too small for that is written with an exponent.
"""

from __future__ import annotations

from decimal import Decimal

WIDEST = 14
"""Characters of the widest figure."""
SECOND = 1_000_000_000
"""Nanoseconds."""
_MILLISECOND = 1_000_000
_PRICE_DIGITS = 7
_QUANTITY_DIGITS = 8
_SMALL = -3  # a first digit further behind the point than this one is a small price
_SMALL_DIGITS = 4
_LONGEST_IN_SECONDS = 10_000
_HOUR = 3_600
_DAY = 86_400


def amount(figure: Decimal | None) -> str:
    """Money, to the cent; what is not known (law 12) is said to be unknown.

    Below one it has four digits where it has them: half a thousandth of a bitcoin is not nothing.
    """
    if figure is None:
        return "unknown"
    if not figure or abs(figure) >= 1:
        return _bounded(figure, f"{figure:,.2f}")
    text = f"{figure:,.{_SMALL_DIGITS - 1 - figure.adjusted()}f}"
    whole, _, fraction = text.partition(".")
    return _bounded(figure, f"{whole}.{fraction.rstrip('0').ljust(2, '0')}")


def price(figure: Decimal | None) -> str:
    """A price, to seven digits; nothing when there is none."""
    if figure is None:
        return ""
    first = figure.adjusted()
    fraction = max(0, _PRICE_DIGITS - 1 - max(0, first))
    if figure and first < _SMALL:
        fraction = _SMALL_DIGITS - 1 - first
    return _bounded(figure, f"{figure:,.{fraction}f}")


def quantity(figure: Decimal) -> str:
    """How much, to eight digits, without zeros at the end."""
    fraction = max(0, _QUANTITY_DIGITS - 1 - max(0, figure.adjusted()))
    text = f"{figure:,.{fraction}f}"
    if figure and not text.strip("-0.,"):
        return f"{figure:.2e}"
    return _bounded(figure, text.rstrip("0").rstrip(".") if "." in text else text)


def age(nanoseconds: int) -> str:
    """How long ago: in seconds for some hours, then in hours and days. Never less than nothing: clocks differ."""
    seconds = max(0, nanoseconds) // SECOND
    if seconds < _LONGEST_IN_SECONDS:
        return f"{seconds}s"
    return f"{seconds // _HOUR}h" if seconds < 4 * _DAY else f"{seconds // _DAY}d"


def lag(nanoseconds: int) -> str:
    """How late, in milliseconds or, from a second on, in seconds with one digit."""
    late = max(0, nanoseconds)
    return f"{late // _MILLISECOND} ms" if late < SECOND else f"{late // (SECOND // 10) / 10:.1f} s"


def count(number: int, one: str, more: str) -> str:
    """How many of what: ``1 lot``, ``2 lots``."""
    return f"{number:,} {one if number == 1 else more}"


def _bounded(figure: Decimal, text: str) -> str:
    return text if len(text) <= WIDEST else f"{figure:.4e}"
