"""Price paths for the demo: a CSV file of real prices, or a built-in path.

Problem: the bots need prices that are the same in every run, exact to the last digit, and as many as the run has time
for.
Seen: real files hold from 1,000 to 45,000 rows, either candles (``close``) or quotes (``bid,ask``); their times come
with and without a zone and with 0 to 9 fraction digits; spreadsheets add a byte order mark.
Chosen: numbers are matched as ASCII text and made into ``Decimal`` from that text, times into integer nanoseconds; a
long file is thinned to evenly spaced rows, so that a run of any length sees the whole of it; what cannot be read is
refused with file, line, value and rule. Nothing here is a ``float``. The bots get the path as a small CSV file of their
own, because they know nothing but the client library.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal, Inexact
from pathlib import Path
from random import Random
from typing import NamedTuple

MIN_PRICES = 20
"""Fewer rows than this do not let every bot trade one round."""
MAX_ROWS = 2_000_000
"""A longer file is refused before it fills the memory."""
MAX_FRACTION_DIGITS = 17
"""One less than the ledger takes, because the middle of bid and ask has one digit more."""

_EXACT = Context(prec=60, traps=[Inexact])
_HALF = Decimal("0.5")
_NUMBER = re.compile(rf"[0-9]{{1,20}}(\.[0-9]{{1,{MAX_FRACTION_DIGITS}}})?")
_TIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,9}))?(Z|[+-][0-9]{2}:[0-9]{2})?"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = 1_000_000_000
_BUILT_IN_START = 1_704_067_200 * _SECOND  # 2024-01-01 00:00 UTC
_BUILT_IN_CENTS = 2_500_000
_BUILT_IN_STEP = 2_500
_BUILT_IN_HALF_SPREAD = 50


class PriceFileError(ValueError):
    """A price file that cannot be used; the text names file, line, value, rule and way out."""


class Price(NamedTuple):
    """What the market showed at ``time`` (nanoseconds UTC): bots buy at ``ask``, sell at ``bid``, value at ``mark``."""

    time: int
    bid: Decimal
    ask: Decimal

    @property
    def mark(self) -> Decimal:
        """The middle of bid and ask, exactly."""
        return _EXACT.multiply(_EXACT.add(self.bid, self.ask), _HALF)


def read(path: Path) -> list[Price]:
    """Read every row of a CSV file whose header has ``timestamp`` and either ``bid`` and ``ask`` or ``close``.

    Raises:
        PriceFileError: the file cannot be read, has fewer than ``MIN_PRICES`` rows, or one row breaks a rule.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            found = list(_rows(path, file))
    except OSError as error:
        raise PriceFileError(f"{path}: cannot be read ({error.strerror}); name a CSV file of prices") from error
    except UnicodeDecodeError as error:
        raise PriceFileError(f"{path}: is not UTF-8 text; save it as CSV in UTF-8") from error
    except csv.Error as error:
        raise PriceFileError(f"{path}: is not CSV ({error}); save it as comma-separated text") from error
    if len(found) < MIN_PRICES:
        raise PriceFileError(f"{path}: {len(found)} prices; the bots need at least {MIN_PRICES}, name a longer file")
    return found


def built_in(count: int, random: Random) -> list[Price]:
    """``count`` prices a second apart: a random walk in whole cents, the same for the same ``random``."""
    cents = _BUILT_IN_CENTS
    path = []
    for number in range(count):
        cents = max(_BUILT_IN_STEP, cents + random.randint(-_BUILT_IN_STEP, _BUILT_IN_STEP))
        time = _BUILT_IN_START + number * _SECOND
        path.append(Price(time, _in_cents(cents - _BUILT_IN_HALF_SPREAD), _in_cents(cents + _BUILT_IN_HALF_SPREAD)))
    return path


def spaced(prices: Sequence[Price], count: int) -> list[Price]:
    """At most ``count`` of ``prices``, evenly spaced, the first and the last among them; ``count`` is 2 or more."""
    if len(prices) <= count:
        return list(prices)
    return [prices[place * (len(prices) - 1) // (count - 1)] for place in range(count)]


def write(path: Path, prices: Sequence[Price]) -> None:
    """Write the path the way the bots read it: ``time,bid,ask,mark``, time in nanoseconds UTC."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("time", "bid", "ask", "mark"))
        writer.writerows((price.time, f"{price.bid:f}", f"{price.ask:f}", f"{price.mark:f}") for price in prices)


def _rows(path: Path, lines: Iterator[str]) -> Iterator[Price]:
    reader = csv.reader(lines)
    names = [name.strip() for name in next(reader, [])]
    columns = _columns(path, names)
    before = 0
    for count, row in enumerate((row for row in reader if row), 1):
        where = f"{path} line {reader.line_num}"
        if count > MAX_ROWS:
            raise PriceFileError(f"{where}: more than {MAX_ROWS} rows; cut the file")
        if len(row) != len(names):
            raise PriceFileError(f"{where}: {len(row)} values under {len(names)} column names; mend the row")
        text = dict(zip(names, row, strict=True))
        price = Price(_time(where, text["timestamp"]), *(_number(where, name, text[name]) for name in columns))
        if price.time < before:
            raise PriceFileError(
                f"{where}: timestamp {text['timestamp']!r} is before the row above; sort the file by time"
            )
        before = price.time
        yield price


def _columns(path: Path, names: Sequence[str]) -> tuple[str, str]:
    """The columns that hold what bots sell at and what they buy at."""
    if "timestamp" in names and {"bid", "ask"} <= set(names):
        return "bid", "ask"
    if "timestamp" in names and "close" in names:
        return "close", "close"
    shown = ",".join(names)[:80]
    raise PriceFileError(f"{path} line 1: header {shown!r} needs 'timestamp' and either 'close' or 'bid' and 'ask'")


def _number(where: str, name: str, text: str) -> Decimal:
    text = text.strip()
    if not _NUMBER.fullmatch(text) or not Decimal(text):
        raise PriceFileError(
            f"{where}: {name} {text!r} is not a price above 0 with at most 20 integer and {MAX_FRACTION_DIGITS} "
            "fraction digits; write it like 46377.0"
        )
    return Decimal(text)


def _time(where: str, text: str) -> int:
    """Nanoseconds UTC; no zone means UTC. The fraction is read apart: ``datetime`` would cut nanoseconds off."""
    match = _TIME.fullmatch(text.strip())
    moment = _moment(*match.group(1, 2, 4)) if match else None
    if match is None or moment is None:
        raise PriceFileError(f"{where}: timestamp {text!r} is not a time like 2022-01-31 23:01:00.000000+00:00")
    if moment < _EPOCH:
        raise PriceFileError(f"{where}: timestamp {text!r} is before 1970, which the ledger refuses; cut the file")
    return (moment - _EPOCH) // timedelta(seconds=1) * _SECOND + int((match[3] or "0").ljust(9, "0"))


def _moment(day: str, clock: str, zone: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(f"{day}T{clock}{zone or 'Z'}")
    except ValueError:  # a 13th month, a 61st minute
        return None


def _in_cents(cents: int) -> Decimal:
    return Decimal(cents).scaleb(-2)
