"""The marks held: the newest of each source and symbol, which of them values a position, and when it grows stale.

Unknown is not zero (law 12): a symbol without a mark has none. Marks are not journaled; after a start there are none until
one arrives. Of several sources the newest observation counts; within one source an older one is dropped and counted.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple

FUTURE_TOLERANCE = 5_000_000_000
"""Nanoseconds that an observation may be ahead of the server's clock before its arrival is taken instead."""


class Mark(NamedTuple):
    """A price to value open lots at, observed at ``time`` (nanoseconds UTC) by ``source``."""

    symbol: str
    price: Decimal
    time: int
    source: str
    bid: Decimal | None = None
    ask: Decimal | None = None


class Source(NamedTuple):
    """State of one price source; ``last_message_time`` in nanoseconds UTC."""

    name: str
    last_message_time: int
    message_count: int


class MarkBoard:
    """Every mark held, newest first; ``max_age`` in nanoseconds."""

    def __init__(self, max_age: int) -> None:
        self.max_age = max_age
        self._held: dict[str, dict[str, Mark]] = {}
        self._newest: dict[str, Mark] = {}
        self._stale: set[str] = set()
        self._sources: dict[str, Source] = {}
        self._expiries: list[tuple[int, str]] = []  # one per fresh symbol; looked at again when it is due

    def newest(self, symbol: str) -> Mark | None:
        """The mark that values ``symbol``."""
        return self._newest.get(symbol)

    def is_stale(self, symbol: str) -> bool:
        """Whether that mark has grown too old."""
        return symbol in self._stale

    def all(self, symbols: Sequence[str]) -> list[tuple[Mark, bool]]:
        """The newest mark of each symbol with its staleness, by symbol; of every one when ``symbols`` is empty."""
        names = sorted(set(symbols)) if symbols else sorted(self._newest)
        return [(self._newest[name], name in self._stale) for name in names if name in self._newest]

    def sources(self) -> list[Source]:
        """Every source that ever sent a mark, by name."""
        return [self._sources[name] for name in sorted(self._sources)]

    def accept(self, marks: Iterable[Mark], source: str, now: int) -> list[str]:
        """Take what is not older than what the same source sent before; the symbols it took, once per mark."""
        taken = []
        for sent in marks:
            mark = sent if sent.time <= now + FUTURE_TOLERANCE else sent._replace(time=now)
            held = self._held.setdefault(mark.symbol, {})
            before = held.get(source)
            if before is not None and mark.time < before.time:
                continue
            held[source] = mark
            taken.append(mark.symbol)
            self._value_by(mark, now)
        count = self._sources[source].message_count if source in self._sources else 0
        self._sources[source] = Source(source, now, count + 1)
        return taken

    def _value_by(self, mark: Mark, now: int) -> None:
        newest = self._newest.get(mark.symbol)
        if newest is not None and mark.time < newest.time and mark.source != newest.source:
            return
        self._newest[mark.symbol] = mark
        if newest is None or mark.symbol in self._stale:
            if mark.time + self.max_age > now:
                self._stale.discard(mark.symbol)
                heapq.heappush(self._expiries, (mark.time + self.max_age, mark.symbol))
            else:
                self._stale.add(mark.symbol)

    def next_expiry(self) -> int | None:
        """When ``expire`` should be called next, in nanoseconds UTC; None when nothing can grow stale."""
        return self._expiries[0][0] if self._expiries else None

    def expire(self, now: int) -> list[str]:
        """The symbols whose mark has just grown too old."""
        gone = []
        while self._expiries and self._expiries[0][0] <= now:
            _, symbol = heapq.heappop(self._expiries)
            due = self._newest[symbol].time + self.max_age
            if due > now:
                heapq.heappush(self._expiries, (due, symbol))
            else:
                self._stale.add(symbol)
                gone.append(symbol)
        return gone
