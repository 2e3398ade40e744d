"""Times as text, to the nanosecond: ISO 8601 into nanoseconds since 1970 UTC, and back.

Problem: ``datetime`` ends at microseconds, ``fromisoformat`` cuts what is beyond them without a word, and a ``timestamp()`` is a
float. Chosen: the whole seconds go through ``datetime``, which knows the calendar, and the fraction is read as digits.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import NamedTuple

NANOSECONDS = 1_000_000_000
_DIGITS = 9
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ISO = re.compile(
    r"(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[Tt ](?P<time>[0-9]{2}:[0-9]{2})(?::(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]+))?)?"
    r" ?(?P<zone>[Zz]|UTC|[+-][0-9]{2}(?::?[0-9]{2})?)?)?"
).fullmatch


class WrongTime(ValueError):
    """The text is no time; the message says why."""


class Reading(NamedTuple):
    """What a text says: whole seconds, without a zone unless the text gives one, and the nanoseconds beyond them."""

    seconds: datetime
    nanoseconds: int


def read_iso(text: str) -> Reading:
    """``2024-01-05T15:31:07.25Z`` and its kin: a space for the T, an offset for the Z, or neither, or the date alone.

    Raises WrongTime.
    """
    found = _ISO(text)
    if not found:
        raise WrongTime("is not a time such as 2024-01-05T15:31:07.25Z")
    try:
        seconds = datetime.fromisoformat(f"{found['date']}T{found['time'] or '00:00'}:{found['second'] or '00'}")
        return Reading(seconds.replace(tzinfo=_zone(found["zone"])), _fraction(found["fraction"] or ""))
    except WrongTime:
        raise
    except ValueError as error:
        raise WrongTime(f"is not in the calendar: {error}") from error


def _zone(text: str | None) -> timezone | None:
    if text is None or text in ("Z", "z", "UTC"):
        return UTC if text else None
    minutes = int(text[1:3]) * 60 + int(text[3:].lstrip(":") or 0)
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))


def _fraction(digits: str) -> int:
    if digits[_DIGITS:].strip("0"):
        raise WrongTime("is finer than a nanosecond, and nothing is rounded")
    return int(digits[:_DIGITS].ljust(_DIGITS, "0"))


def nanoseconds_of(moment: datetime, nanoseconds: int = 0) -> int:
    """Nanoseconds since 1970 UTC of ``moment``, which has a zone, and so many nanoseconds after it."""
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * NANOSECONDS + since.microseconds * 1_000 + nanoseconds


def iso(time: int) -> str:
    """Nanoseconds since 1970 UTC as ISO 8601 with nine digits: ``2024-01-05T15:31:07.250000000Z``."""
    seconds, nanoseconds = divmod(time, NANOSECONDS)
    return f"{_EPOCH + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S}.{nanoseconds:09d}Z"


def moment(text: str) -> int | None:
    """Nanoseconds UTC of a time with a zone, or of a date's midnight UTC; None for none. Raises ValueError."""
    if not text:
        return None
    try:
        seconds, nanoseconds = read_iso(text)
    except WrongTime as error:
        raise ValueError(f"{text!r} {error}") from error
    if seconds.tzinfo is None and ":" in text:
        raise ValueError(f"{text!r} has no zone; add Z for UTC")
    return nanoseconds_of(seconds.replace(tzinfo=seconds.tzinfo or UTC), nanoseconds)
