"""One cell to one value: text, a decimal in the contract's form, a time.

Numbers follow the contract's rule, which the reader of fields checks; here they are only brought into its form, where the
column map says how a file writes them. A float, which only a database can hand over, becomes its shortest text: that is the number
that was written into the column.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, tzinfo
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from lotkeeperd.domain.refusals import shown
from lotkeeperd.domain.times import NANOSECONDS, Reading, WrongTime, nanoseconds_of, read_iso
from lotkeeperd.intake.problems import WrongCell

UNITS = {"unix_s": NANOSECONDS, "unix_ms": 1_000_000, "unix_us": 1_000, "unix_ns": 1}
"""Nanoseconds of one, for times that are counted since 1970."""

ISO = "iso"

_COUNT = re.compile(r"-?[0-9]{1,19}(?:\.[0-9]{1,9}0*)?").fullmatch
_EXPONENT = re.compile(r"-?[0-9]{1,40}(?:\.[0-9]{1,40})?[eE][+-]?[0-9]{1,2}").fullmatch


def text_of(cell: object) -> str:
    """A cell as text; empty for none. Raises WrongCell for what is no single value."""
    if isinstance(cell, str):
        return cell
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return _plain(Decimal(repr(cell)))
    if isinstance(cell, Decimal):
        return _plain(cell)
    if isinstance(cell, dict | list | bytes):
        raise WrongCell(f"holds {type(cell).__name__} values, one text or number is required")
    return str(cell)


def _plain(value: Decimal) -> str:
    return f"{value:f}" if value.is_finite() else str(value)


@dataclass(frozen=True, slots=True)
class Numbers:
    """How a file writes numbers: ``signed`` quantities are negative when sold, ``negate_fee`` fees when they were paid."""

    decimal: str = "."
    thousands: str = ""
    exponent: bool = False
    signed: bool = False
    negate_fee: bool = False

    def read(self, text: str) -> str:
        """``text`` in the contract's form, where it is one of this file's numbers. Raises WrongCell where the map could tell."""
        if _EXPONENT(text):
            if not self.exponent:
                raise WrongCell(
                    f"{shown(text)} has an exponent; where that is how the file writes, [numbers] exponent = true"
                )
            return _without_exponent(text)
        if self.decimal == "." and not self.thousands:
            if "," in text:
                raise WrongCell(f"{shown(text)} has a comma; [numbers] decimal or thousands says what it stands for")
            return text
        point, group = re.escape(self.decimal), re.escape(self.thousands)
        whole = rf"[0-9]{{1,3}}(?:{group}[0-9]{{3}})+|[0-9]+" if group else "[0-9]+"
        found = re.fullmatch(rf"(-?)({whole})(?:{point}([0-9]+))?", text)
        if found is None:
            sign = f"{self.decimal!r} before the fraction" + (
                f" and {self.thousands!r} between thousands" * bool(group)
            )
            raise WrongCell(f"{shown(text)} is not a number with {sign}")
        whole_digits = found[2].replace(self.thousands, "") if group else found[2]
        return found[1] + whole_digits + (f".{found[3]}" if found[3] else "")


def _without_exponent(text: str) -> str:
    try:
        plain = f"{Decimal(text):f}"
    except InvalidOperation as error:
        raise WrongCell(f"{shown(text)} is not a number") from error
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


class Times(NamedTuple):
    """How a file writes times: ``iso``, a count of ``UNITS``, or a pattern of ``strptime``; ``zone`` where they have none."""

    form: str = ISO
    zone: tzinfo | None = None

    def read(self, cell: object) -> int:
        """Nanoseconds since 1970 UTC. Raises WrongCell."""
        try:
            if isinstance(cell, date):
                moment = cell if isinstance(cell, datetime) else datetime.combine(cell, time())
                return self._zoned(Reading(moment, 0), str(cell))
            text = text_of(cell)
            return _counted(text, UNITS[self.form]) if self.form in UNITS else self._zoned(self._written(text), text)
        except WrongTime as error:
            raise WrongCell(f"{shown(text_of(cell))} {error}") from error

    def _written(self, text: str) -> Reading:
        if self.form == ISO:
            return read_iso(text)
        try:
            return Reading(datetime.strptime(text, self.form), 0)  # noqa: DTZ007 - the zone comes from the map
        except ValueError as error:
            raise WrongTime(f"is not a time as in {self.form!r}") from error

    def _zoned(self, reading: Reading, text: str) -> int:
        moment, nanoseconds = reading
        if moment.tzinfo is not None:
            return nanoseconds_of(moment, nanoseconds)
        if self.zone is None:
            raise WrongCell(f"{shown(text)} has no zone; say which one its times are in, for example --zone UTC")
        first, second = (moment.replace(tzinfo=self.zone, fold=fold) for fold in (0, 1))
        if first.utcoffset() != second.utcoffset():
            happens = "happens twice" if first.utcoffset() > second.utcoffset() else "never happens"  # type: ignore[operator] # zones of a map know their offset
            raise WrongCell(f"{shown(text)} {happens} in {self.zone}: the clock was changed; write it with its offset")
        return nanoseconds_of(first.astimezone(UTC), nanoseconds)


def _counted(text: str, unit: int) -> int:
    if not _COUNT(text):
        raise WrongTime("is not a count since 1970")
    whole, _, fraction = text.partition(".")
    nanoseconds, rest = divmod(int(fraction or 0) * unit, int(10 ** len(fraction)))
    if rest:
        raise WrongTime("is finer than a nanosecond, and nothing is rounded")
    return int(whole) * unit + (-nanoseconds if whole.startswith("-") else nanoseconds)
