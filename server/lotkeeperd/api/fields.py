"""The rules of single fields. Every broken one of a request is collected, so that a caller mends them all at once.

Decimals are matched with an ASCII pattern first: ``Decimal`` itself takes ``1_000``, ``1e3``, NaN and other scripts' digits.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from enum import Enum, auto

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from lotkeeperd.domain.decimals import ZERO
from lotkeeperd.domain.refusals import FieldViolations, Violation, shown

NANOSECONDS = 1_000_000_000
DAY = 86_400 * NANOSECONDS
FAR = 1 << 62
"""Nanoseconds: the year 2116. Nothing recorded is later, and it fits the databases' integers."""

ID_LENGTH = 128
NAME_LENGTH = 64
TEXT_LENGTH = 256
LABELS = 32
NAMES = 1000
"""Portfolios, symbols or amounts that one request may name."""

VIOLATIONS_LISTED = 20
VIOLATIONS_BYTES = 3_000
"""Details travel in a header of 8 KiB at most, in base64 and beside the message; what is beyond these two is counted."""

_DECIMAL = re.compile(r"-?[0-9]{1,20}(?:\.[0-9]{1,18})?").fullmatch
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]").search


class Sign(Enum):
    """Which numbers a field takes."""

    POSITIVE = auto()
    NOT_NEGATIVE = auto()
    ANY = auto()


class Fields:
    """Reads the fields of one request and remembers what is wrong with them."""

    __slots__ = ("_violations",)

    def __init__(self) -> None:
        self._violations: list[Violation] = []

    def wrong(self, field: str, description: str) -> None:
        """Note a broken rule."""
        self._violations.append(Violation(field, description))

    def check(self) -> None:
        """Raises FieldViolations when anything was wrong."""
        if self._violations:
            raise self.refusal()

    @property
    def broken(self) -> bool:
        """Whether anything was wrong."""
        return bool(self._violations)

    def refusal(self) -> FieldViolations:
        """What was wrong; something was."""
        listed = _listed(self._violations)
        if more := len(self._violations) - len(listed):
            listed.append(Violation("", f"and {more} more"))
        return FieldViolations(listed, len(self._violations))

    def decimal(self, field: str, text: str, sign: Sign) -> Decimal:
        """A decimal string; zero in place of one that is wrong."""
        if not _DECIMAL(text):
            self.wrong(
                field,
                f"{shown(text)} is not a decimal: an optional minus, 1 to 20 integer digits, "
                "optionally a point and 1 to 18 fraction digits"
                if text
                else "is empty, a decimal string is required",
            )
            return ZERO
        value = Decimal(text)
        if sign is Sign.POSITIVE and value <= 0:
            self.wrong(field, f"{text} is not greater than 0")
        elif sign is Sign.NOT_NEGATIVE and value < 0:
            self.wrong(field, f"{text} is negative")
        return value or ZERO

    def optional_decimal(self, field: str, text: str, sign: Sign) -> Decimal | None:
        """A decimal string, or None for an empty one."""
        return self.decimal(field, text, sign) if text else None

    def text(self, field: str, value: str, limit: int) -> str:
        """A string without control characters, of at most ``limit`` characters."""
        if not value:
            return value
        if len(value) > limit:
            self.wrong(field, f"{shown(value)} has {len(value)} characters, at most {limit} are allowed")
        elif not (value.isascii() and value.isprintable()) and _CONTROL(value):
            self.wrong(field, f"{shown(value)} holds a control character")
        return value

    def symbol(self, field: str, value: str) -> str:
        """An instrument's name, which is required."""
        if not value:
            self.wrong(field, "is empty, a symbol is required")
        return self.text(field, value, NAME_LENGTH)

    def portfolio(self, field: str, value: str) -> str:
        """A portfolio; ``default`` when empty."""
        return self.text(field, value, NAME_LENGTH) if value else "default"

    def labels(self, field: str, labels: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
        """The caller's labels, sorted by key."""
        if not labels:
            return ()
        if len(labels) > LABELS:
            self.wrong(field, f"has {len(labels)} labels, at most {LABELS} are allowed")
            return ()
        for key, value in labels.items():
            place = f"{field}[{shown(key)}]"
            if not key:
                self.wrong(place, "a label needs a key")
            self.text(place, key, NAME_LENGTH)
            self.text(place, value, TEXT_LENGTH)
        return tuple(sorted(labels.items()))

    def time(self, field: str, stamp: Timestamp, latest: int | None) -> int:
        """Nanoseconds UTC, from 1970 to ``latest``; without one as far as ``FAR``, which stands for all that is later."""
        if not 0 <= stamp.nanos < NANOSECONDS:
            self.wrong(field, f"nanos {stamp.nanos} is not between 0 and 999999999")
        elif stamp.seconds < 0:
            self.wrong(field, f"{stamp.seconds} s is before 1970")
        elif latest is not None and stamp.seconds * NANOSECONDS + stamp.nanos > latest:
            self.wrong(field, f"{stamp.seconds} s is more than a day ahead of the server's clock")
        else:
            return min(stamp.seconds * NANOSECONDS + stamp.nanos, FAR)
        return 0

    def seconds(self, field: str, duration: Duration, least: float, most: float) -> float:
        """A duration in seconds, for timers."""
        value = duration.seconds + duration.nanos / NANOSECONDS
        if not least <= value <= most:
            self.wrong(field, f"{value:g} s is not between {least:g} s and {most:g} s")
        return value

    def page_size(self, field: str, value: int) -> int:
        """100 when 0, 1000 at most."""
        if value < 0:
            self.wrong(field, f"{value} is negative")
        return min(value, 1000) or 100


def _listed(violations: list[Violation]) -> list[Violation]:
    """As many as a refusal can carry, one at least."""
    room = VIOLATIONS_BYTES
    for count, violation in enumerate(violations[:VIOLATIONS_LISTED]):
        room -= len(violation.field.encode()) + len(violation.description.encode())
        if count and room < 0:
            return violations[:count]
    return violations[:VIOLATIONS_LISTED]


def names(fields: Fields, field: str, given: Iterable[str], length: int = NAME_LENGTH) -> tuple[str, ...]:
    """A list of portfolios or symbols."""
    found = tuple(given)
    if len(found) > NAMES:
        fields.wrong(field, f"{len(found)} names, at most {NAMES} are allowed")
        return ()
    for place, name in enumerate(found):
        fields.text(f"{field}[{place}]", name, length)
    return found
