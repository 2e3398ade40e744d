"""Numbers, times and rows out of a broker's answers, exactly; no number passes through a float (law 1).

What is not as the broker documents it is an error of the whole read, not a row to be skipped: a skipped row would look like a
position that is gone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal

from lotkeeperd.brokers.errors import Unread, cut
from lotkeeperd.domain.decimals import ZERO
from lotkeeperd.domain.times import WrongTime, nanoseconds_of, read_iso

Row = Mapping[str, object]

MILLISECOND = 1_000_000
_MOST_DIGITS = 20
_MOST_FRACTION_DIGITS = 18
_NUMBER = re.compile(r"-?[0-9]{1,40}(?:\.[0-9]{1,40})?(?:[eE][+-]?[0-9]{1,2})?")
_MILLISECONDS = re.compile(r"[0-9]{1,15}")


def decoded(body: bytes) -> object:
    """A JSON answer with its numbers exact; None for what is not JSON, which no endpoint answers with."""
    try:
        message: object = json.loads(body, parse_float=Decimal, parse_constant=_refused)
    except (ValueError, ArithmeticError, RecursionError):
        return None
    return message


def _refused(constant: str) -> object:
    raise ValueError(f"{constant} is not JSON")


def row(value: object) -> Row:
    """An object of an answer. Raises Unread."""
    if not isinstance(value, dict):
        raise Unread(f"{cut(value)} is not an object")
    return value


def rows(value: object) -> list[Row]:
    """A list of objects. Raises Unread."""
    if not isinstance(value, list):
        raise Unread(f"{cut(value)} is not a list")
    return [row(each) for each in value]


def member(of: Row, key: str) -> object:
    """What stands under ``key``. Raises Unread when nothing does."""
    try:
        return of[key]
    except KeyError:
        raise Unread(f"{key} is missing in {cut(of)}") from None


def text(of: Row, key: str) -> str:
    """The text under ``key``. Raises Unread."""
    value = member(of, key)
    if not isinstance(value, str):
        raise Unread(f"{key} = {cut(value)} is not text")
    return value


def name(of: Row, key: str) -> str:
    """A text that is not empty. Raises Unread."""
    value = text(of, key)
    if not value:
        raise Unread(f"{key} is empty in {cut(of)}")
    return value


def number(of: Row, key: str) -> Decimal:
    """The number under ``key``, as text or as a JSON number. Raises Unread."""
    value = member(of, key)
    written = value if isinstance(value, str) else str(value)
    if isinstance(value, bool | float) or not _NUMBER.fullmatch(written):
        raise Unread(f"{key} = {cut(value)} is not a number")
    read = Decimal(written)
    exponent = read.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -_MOST_FRACTION_DIGITS or (read and read.adjusted() >= _MOST_DIGITS):
        raise Unread(f"{key} = {cut(value)} has more digits than the ledger holds")
    return read


def number_or_none(of: Row, key: str) -> Decimal | None:
    """The number under ``key``; None where the broker leaves it out or empty. Raises Unread."""
    return None if of.get(key) in (None, "") else number(of, key)


def price_or_none(of: Row, key: str) -> Decimal | None:
    """A price: brokers write 0 where there is none. Raises Unread."""
    price = number_or_none(of, key)
    return price if price is None or price > ZERO else None


def iso_time(of: Row, key: str) -> int:
    """Nanoseconds UTC of an RFC 3339 time. Raises Unread."""
    written = text(of, key)
    try:
        seconds, nanoseconds = read_iso(written)
    except WrongTime as error:
        raise Unread(f"{key} = {cut(written)} {error}") from None
    if seconds.tzinfo is None:
        raise Unread(f"{key} = {cut(written)} has no zone")
    return nanoseconds_of(seconds, nanoseconds)


def millisecond_time(of: Row, key: str) -> int:
    """Nanoseconds UTC of milliseconds since 1970, as text or as a number. Raises Unread."""
    written = str(member(of, key))
    if not _MILLISECONDS.fullmatch(written):
        raise Unread(f"{key} = {cut(written)} is not a time in milliseconds")
    return int(written) * MILLISECOND
