"""The marks held: the newest of each source and symbol, which of them values a position, and when it grows stale.

Unknown is not zero (law 12): a symbol without a mark has none. Marks are not journaled; after a start there are none until
one arrives. Within one source an older one is dropped and counted.

Several sources of one symbol: a fresh mark before a stale one, then the source that is preferred, then the newest observation.
So a preferred source that falls silent or loses its connection is replaced at once by the next best, and comes back with
its next mark. Nothing is averaged: a price that no venue quoted values nothing.

Clocks: a source whose clock is ahead would win over all others, so an observation counts as no newer than its arrival. When our own
clock is set back, what we hold lies in the future: it no longer drops what comes, and is taken to be old.
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

SOURCES = 100
"""Sources that are remembered beside the configured ones. A bot that names itself anew at each start would else make every mark
dearer: they are compared with each other. The one that was silent longest is forgotten."""


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


class _Held(NamedTuple):
    """A mark, the time its source gave it, and when it counts as observed: not after it came."""

    mark: Mark
    sent: int
    seen: int


_Key = tuple[str, str]  # symbol and source


class MarkBoard:
    """Every mark held, and the one of each symbol that counts."""

    def __init__(self, policy: Policy) -> None:
        self._max_age = policy.max_age
        self._ages = policy.ages
        self._ranks = {name: len(policy.prefer) - place for place, name in enumerate(policy.prefer)}
        self._held: dict[str, dict[str, _Held]] = {}
        self._aged: set[_Key] = set()  # held, but too old, withdrawn, or from a source that was lost
        self._chosen: dict[str, Mark] = {}
        self._stale: set[str] = set()
        self._sources: dict[str, Source] = {}  # the one that was silent longest first
        self._configured: set[str] = set()
        self._expiries: list[tuple[int, _Key]] = []
        self._armed: dict[_Key, int] = {}  # which of them still holds; looked at again when it is due

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
        """Every source that is remembered, by name."""
        return [self._sources[name] for name in sorted(self._sources)]

    def expected(self, source: str) -> None:
        """Name a source of the configuration, which has not connected yet and is never forgotten."""
        self._configured.add(source)
        self._sources.setdefault(source, Source(source, connected=False))

    def is_configured(self, source: str) -> bool:
        """Whether only the feed of that name sends marks of ``source``."""
        return source in self._configured

    def alive(self, source: str, now: int) -> None:
        """A message came from ``source``, with marks in it or without."""
        state = self._sources.pop(source, None) or Source(source)
        self._sources[source] = state._replace(
            last_message_time=now, message_count=state.message_count + 1, connected=True, last_error=""
        )

    def lost(self, source: str, error: str, dropped: bool) -> list[str]:
        """The connection to ``source`` is gone, or could not be made (not ``dropped``); the symbols whose mark this changes."""
        state = self._sources.get(source) or Source(source)
        self._sources[source] = state._replace(
            connected=False, reconnect_count=state.reconnect_count + dropped, last_error=error
        )
        return self._age_all((symbol, source) for symbol, held in self._held.items() if source in held)

    def withdrawn(self, symbol: str, source: str) -> list[str]:
        """``source`` says that it has no price for ``symbol`` any more; the symbol, if that changes its mark."""
        return self._age_all([(symbol, source)]) if source in self._held.get(symbol, ()) else []

    def make_room(self, source: str) -> list[str]:
        """Before marks of a source that is new: forget another when there are too many; the symbols whose mark this changes."""
        if source in self._sources or len(self._sources) - len(self._configured) < SOURCES:
            return []
        oldest = next(name for name in self._sources if name not in self._configured)
        del self._sources[oldest]
        return [symbol for symbol in list(self._held) if self._forget(symbol, oldest)]

    def _forget(self, symbol: str, source: str) -> bool:
        held = self._held[symbol]
        if held.pop(source, None) is None:
            return False
        self._aged.discard((symbol, source))
        self._armed.pop((symbol, source), None)
        if held:
            return self._choose(symbol)
        del self._held[symbol], self._chosen[symbol]
        self._stale.discard(symbol)
        return True

    # Marks.

    def accept(self, marks: Iterable[Mark], source: str, now: int) -> list[str]:
        """Take what is not older than what the same source sent before; the symbols it took, once per mark."""
        taken = []
        latest = now + FUTURE_TOLERANCE
        for sent in marks:
            mark = sent if sent.time <= latest else sent._replace(time=now)
            held = self._held.setdefault(mark.symbol, {})
            before = held.get(source)
            if before is not None and sent.time < before.sent and before.mark.time <= latest:
                continue
            held[source] = _Held(mark, sent.time, min(mark.time, now))
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
        armed = self._armed.get(key)
        if armed is None or due < armed:
            self._armed[key] = due
            heapq.heappush(self._expiries, (due, key))

    def _age(self, source: str) -> int:
        return self._ages.get(source, self._max_age)

    def _age_all(self, keys: Iterable[_Key]) -> list[str]:
        """Take marks to be old; the symbols whose mark this changes."""
        touched = list(keys)
        self._aged.update(touched)
        return [symbol for symbol, _ in touched if self._choose(symbol)]

    def _choose(self, symbol: str, arrived: str = "") -> bool:
        """Let the best mark of ``symbol`` count; whether that is another one, or stale when it was not, or the other way."""
        held = self._held[symbol]
        best = (
            held[arrived].mark
            if len(held) == 1 and arrived
            else max(held.values(), key=lambda one: self._worth(one, arrived)).mark
        )
        stale = (symbol, best.source) in self._aged
        changed = self._chosen.get(symbol) is not best or stale != (symbol in self._stale)
        self._chosen[symbol] = best
        (self._stale.add if stale else self._stale.discard)(symbol)
        return changed

    def _worth(self, held: _Held, arrived: str) -> tuple[bool, int, int, bool]:
        mark = held.mark
        fresh = (mark.symbol, mark.source) not in self._aged
        return fresh, self._ranks.get(mark.source, 0) if fresh else 0, held.seen, mark.source == arrived

    # Time.

    def next_expiry(self) -> int | None:
        """When ``expire`` should be called next, in nanoseconds UTC; None when nothing can grow stale."""
        return self._expiries[0][0] if self._expiries else None

    def expire(self, now: int) -> list[str]:
        """The symbols whose mark has just grown too old, or was replaced for that."""
        changed = []
        while self._expiries and self._expiries[0][0] <= now:
            due, key = heapq.heappop(self._expiries)
            if self._armed.get(key) != due:
                continue  # another one holds, or the source was forgotten
            del self._armed[key]
            if key not in self._aged:
                symbol, source = key
                self._dated(self._held[symbol][source].mark, now)
                if key in self._aged and self._choose(symbol):
                    changed.append(symbol)
        return changed

    def set_back(self, now: int) -> list[str]:
        """The server's clock was set back to ``now``: marks that lie in the future are taken to be old; whose mark changes."""
        latest = now + FUTURE_TOLERANCE
        return self._age_all(
            (symbol, source)
            for symbol, held in self._held.items()
            for source, one in held.items()
            if one.mark.time > latest and (symbol, source) not in self._aged
        )
