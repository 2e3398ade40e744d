"""What a venue knows of one symbol's price, and how its numbers and times are written."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple

NANOSECONDS = 1_000_000_000


class Quote(NamedTuple):
    """One symbol's prices at ``time`` (ns since 1970 UTC), as they changed: None is what did not change.

    The texts of the decimals go on the wire as they are: 17216.00 stays so. A bid or ask of 0 is a side nobody quotes.
    """

    time: int
    last: Decimal | None = None
    bid: Decimal | None = None
    ask: Decimal | None = None
    mark: Decimal | None = None

    def onto(self, before: "Quote | None") -> "Quote":
        """What is known after this, when ``before`` was known. Raises ValueError when it says no price at all."""
        if (self.last, self.bid, self.ask, self.mark) == (None, None, None, None):
            raise ValueError("a quote has none of last, bid, ask, mark; give one")
        if before is None:
            return self
        held = zip(before[1:], self[1:], strict=True)
        return Quote(self.time, *(old if new is None else new for old, new in held))

    @property
    def reference(self) -> Decimal:
        """A price for the fields that nobody set: the last one, or the nearest to it."""
        return next(price for price in (self.last, self.mark, self.bid, self.ask) if price is not None)


class Update(NamedTuple):
    """What changed on one symbol, and all that is known of it now."""

    changed: Quote
    known: Quote


def number(price: Decimal) -> str:
    """The price as plain digits, without an exponent."""
    return f"{price:f}"


def side(price: Decimal | None) -> str:
    """A bid or ask as Bybit and Coinbase write it: an empty text when nobody quotes that side."""
    return number(price) if price else ""


def milliseconds(time: int) -> int:
    """Nanoseconds as the whole milliseconds that venues send."""
    return time // 1_000_000


def rfc3339(time: int, digits: int = 9) -> str:
    """Nanoseconds as 2026-01-02T03:04:05.123456789Z with that many digits after the point."""
    seconds, rest = divmod(time, NANOSECONDS)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{f'{rest:09d}'[:digits]}Z"


def many_symbols(count: int, suffix: str = "USDT") -> Sequence[str]:
    """``count`` symbols that are spelled apart: S000USDT, S001USDT, ..."""
    return [f"S{index:03d}{suffix}" for index in range(count)]
