"""The marks held: the newest of each source and symbol, which of them values a position, and when it grows stale.

Unknown is not zero (law 12): a symbol without a mark has none. Marks are not journaled; after a start there are none until
one arrives. Within one source an older one is dropped and counted.

Several sources of one symbol: a fresh mark before a stale one, then the source that is preferred, then the newest observation.
So a preferred source that falls silent or loses its connection is replaced at once by the next best, and comes back with
its next mark. Nothing is averaged: a price that no venue quoted values nothing.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import NamedTuple

from lotkeeperd.domain.book import Direction

FUTURE_TOLERANCE = 5_000_000_000
"""Nanoseconds that an observation may be ahead of the server's clock before its arrival is taken instead."""


class Mark(NamedTuple):
    """A price to value open lots at, observed at ``time`` (nanoseconds UTC) by ``source``.

    ``by_side`` says that a long is worth its bid and a short its ask, as far as the source has them.
    """

    symbol: str
    price: Decimal
    time: int
    source: str
    bid: Decimal | None = None
    ask: Decimal | None = None
    by_side: bool = False

    def price_for(self, direction: Direction | None) -> Decimal:
        """What lots of one direction are valued at."""
        if not self.by_side or direction is None:
            return self.price
        quoted = self.bid if direction is Direction.LONG else self.ask
        return self.price if quoted is None else quoted


class Source(NamedTuple):
    """State of one price source; ``last_message_time`` in nanoseconds UTC, 0 before the first message."""

    name: str
    last_message_time: int = 0
    message_count: int = 0
    connected: bool = True
    reconnect_count: int = 0
    last_error: str = ""


class Policy(NamedTuple):
    """Which mark counts: ``prefer`` names sources, the best first; ages in nanoseconds, ``max_age`` where ``ages`` has none."""

    max_age: int
    prefer: tuple[str, ...] = ()
    ages: Mapping[str, int] = MappingProxyType({})


_Key = tuple[str, str]  # symbol and source


class MarkBoard:
    """Every mark held, and the one of each symbol that counts."""

    def __init__(self, policy: Policy) -> None:
        self._max_age = policy.max_age
        self._ages = policy.ages
        self._ranks = {name: len(policy.prefer) - place for place, name in enumerate(policy.prefer)}
        self._held: dict[str, dict[str, Mark]] = {}
        self._aged: set[_Key] = set()  # held, but too old or from a source that was lost
        self._chosen: dict[str, Mark] = {}
        self._stale: set[str] = set()
        self._sources: dict[str, Source] = {}
        self._expiries: list[tuple[int, _Key]] = []  # looked at again when it is due
        self._armed: set[_Key] = set()  # those that have an expiry

    def newest(self, symbol: str) -> Mark | None:
        """The mark that values ``symbol``."""
        return self._chosen.get(symbol)

    def is_stale(self, symbol: str) -> bool:
        """Whether that mark has grown too old, or its source is lost."""
        return symbol in self._stale

    def all(self, symbols: Sequence[str]) -> list[tuple[Mark, bool]]:
        """The mark that counts of each symbol with its staleness, by symbol; of every one when ``symbols`` is empty."""
        names = sorted(set(symbols)) if symbols else sorted(self._chosen)
        return [(self._chosen[name], name in self._stale) for name in names if name in self._chosen]

    # Sources.

    def sources(self) -> list[Source]:
        """Every source that was ever heard of, by name."""
        return [self._sources[name] for name in sorted(self._sources)]

    def expected(self, source: str) -> None:
        """Name a source that has not connected yet."""
        self._sources.setdefault(source, Source(source, connected=False))

    def alive(self, source: str, now: int) -> None:
        """A message came from ``source``, with marks in it or without."""
        state = self._sources.get(source) or Source(source)
        self._sources[source] = state._replace(
            last_message_time=now, message_count=state.message_count + 1, connected=True, last_error=""
        )

    def lost(self, source: str, error: str, dropped: bool) -> list[str]:
        """The connection to ``source`` is gone, or could not be made (not ``dropped``); the symbols whose mark this changes."""
        state = self._sources.get(source) or Source(source)
        self._sources[source] = state._replace(
            connected=False, reconnect_count=state.reconnect_count + dropped, last_error=error
        )
        touched = [symbol for symbol, held in self._held.items() if source in held]
        self._aged.update((symbol, source) for symbol in touched)
        return [symbol for symbol in touched if self._choose(symbol)]

    # Marks.

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
            self._dated(mark, now)
            self._choose(mark.symbol, source)
        self.alive(source, now)
        return taken

    def _dated(self, mark: Mark, now: int) -> None:
        """Note whether a mark is fresh, and when it will not be any more."""
        key = mark.symbol, mark.source
        due = mark.time + self._age(mark.source)
        if due <= now:
            self._aged.add(key)
            return
        self._aged.discard(key)
        if key not in self._armed:
            self._armed.add(key)
            heapq.heappush(self._expiries, (due, key))

    def _age(self, source: str) -> int:
        return self._ages.get(source, self._max_age)

    def _choose(self, symbol: str, arrived: str = "") -> bool:
        """Let the best mark of ``symbol`` count; whether that is another one, or stale when it was not, or the other way."""
        held = self._held[symbol]
        best = (
            held[arrived]
            if len(held) == 1 and arrived
            else max(held.values(), key=lambda mark: self._worth(mark, arrived))
        )
        stale = (symbol, best.source) in self._aged
        changed = self._chosen.get(symbol) is not best or stale != (symbol in self._stale)
        self._chosen[symbol] = best
        (self._stale.add if stale else self._stale.discard)(symbol)
        return changed

    def _worth(self, mark: Mark, arrived: str) -> tuple[bool, int, int, bool]:
        fresh = (mark.symbol, mark.source) not in self._aged
        return fresh, self._ranks.get(mark.source, 0) if fresh else 0, mark.time, mark.source == arrived

    def next_expiry(self) -> int | None:
        """When ``expire`` should be called next, in nanoseconds UTC; None when nothing can grow stale."""
        return self._expiries[0][0] if self._expiries else None

    def expire(self, now: int) -> list[str]:
        """The symbols whose mark has just grown too old, or was replaced for that."""
        changed = []
        while self._expiries and self._expiries[0][0] <= now:
            _, key = heapq.heappop(self._expiries)
            self._armed.discard(key)
            if key in self._aged:
                continue
            symbol, source = key
            due = self._held[symbol][source].time + self._age(source)
            if due > now:
                self._armed.add(key)
                heapq.heappush(self._expiries, (due, key))
                continue
            self._aged.add(key)
            if self._choose(symbol):
                changed.append(symbol)
        return changed
