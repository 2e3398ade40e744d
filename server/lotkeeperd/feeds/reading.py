"""Numbers and times out of payloads, exactly; no price passes through a float (law 1).

Problem: a JSON number read the usual way is a float, `Decimal` takes `1_000`, NaN and other scripts' digits, and a `datetime`
cuts nanoseconds off. Chosen: numbers keep the digits they came with, are matched as ASCII text, and what the ledger could not
hold is no price. Venues write 0 or nothing where there is no quote: that is no price either (law 12).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from lotkeeperd.feeds.errors import Unreadable, shown

MAX_INTEGER_DIGITS = 20
MAX_FRACTION_DIGITS = 18
"""What the ledger takes of a price."""
MILLISECOND = 1_000_000
SECOND = 1_000_000_000

_NUMBER = re.compile(r"-?[0-9]{1,60}(?:\.[0-9]{1,60})?(?:[eE][+-]?[0-9]{1,3})?")
_TIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,9}))?(Z|[+-][0-9]{2}:[0-9]{2})?"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ONE_SECOND = timedelta(seconds=1)


def decoded(frame: str | bytes) -> object:
    """A JSON message with its numbers exact. Raises Unreadable."""
    try:
        message: object = json.loads(frame, parse_float=Decimal, parse_constant=_refused)
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise Unreadable(f"not JSON: {shown(frame)}") from error
    return message


def _refused(constant: str) -> object:
    raise ValueError(f"{constant} is not JSON")


def member(message: Mapping[object, object], key: str) -> object:
    """What stands under ``key``. Raises Unreadable when nothing does."""
    try:
        return message[key]
    except KeyError:
        raise Unreadable(f"{key} is missing in {shown(message)}") from None


def text(message: Mapping[object, object], key: str) -> str:
    """The text under ``key``. Raises Unreadable."""
    value = member(message, key)
    if not isinstance(value, str):
        raise Unreadable(f"{key} = {shown(value)} is not text")
    return value


def whole(message: Mapping[object, object], key: str) -> int:
    """The whole number under ``key``. Raises Unreadable."""
    value = member(message, key)
    if not isinstance(value, int) or isinstance(value, bool):
        raise Unreadable(f"{key} = {shown(value)} is not a whole number")
    return value


def mapping(value: object) -> Mapping[object, object]:
    """An object of a message. Raises Unreadable."""
    if not isinstance(value, dict):
        raise Unreadable(f"{shown(value)} is not an object")
    return value


def items(value: object) -> list[object]:
    """A list of a message. Raises Unreadable."""
    if not isinstance(value, list):
        raise Unreadable(f"{shown(value)} is not a list")
    return value


def price(value: object) -> Decimal | None:
    """A price as it was written; None where the venue has none (nothing, or 0), or one the ledger could not hold.

    Takes text, a whole number, or the Decimal that a JSON number was read into. Raises Unreadable for anything else.
    """
    if value is None or value == "":
        return None
    written = value if isinstance(value, str) else str(value)
    if isinstance(value, float | bool) or not _NUMBER.fullmatch(written):
        raise Unreadable(f"{shown(value)} is not a price")
    number = Decimal(written)
    return number if number > 0 and _fits(number) else None


def _fits(number: Decimal) -> bool:
    exponent = number.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= -MAX_FRACTION_DIGITS and number.adjusted() < MAX_INTEGER_DIGITS


def nanoseconds(written: str) -> int:
    """Nanoseconds UTC of an RFC 3339 time with up to nine fraction digits; without a zone it is UTC. Raises Unreadable."""
    match = _TIME.fullmatch(written)
    moment = _moment(*match.group(1, 2, 4)) if match else None
    if match is None or moment is None or moment < _EPOCH:
        raise Unreadable(f"{shown(written)} is not a time since 1970 like 2022-01-31T23:01:00.000000Z")
    # The fraction is read apart: a datetime would cut nanoseconds off.
    return (moment - _EPOCH) // _ONE_SECOND * SECOND + int((match[3] or "0").ljust(9, "0"))


def _moment(day: str, clock: str, zone: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(f"{day}T{clock}{zone or 'Z'}")
    except ValueError:  # a 13th month, a 61st minute
        return None
