"""Prices on their way in, from calls, streams and feeds: what they change is valued and published, and so is their growing old.

Satisfies ``service.ports.Prices``. Lives in the event loop.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from lotkeeperd.domain.refusals import FieldViolations, Violation, shown
from lotkeeperd.service.marks import FUTURE_TOLERANCE, Mark, MarkBoard, Source
from lotkeeperd.service.ports import Clock
from lotkeeperd.service.streams import Publisher
from lotkeeperd.service.valuation import Valuation

LONGEST_LOOK = 1.0
"""Seconds between two looks at what has grown old: timers do not hear of a clock that was set."""


class Publishing:
    """One stream of marks: its source, named by its first message, and how many were taken."""

    def __init__(self, prices: Prices) -> None:
        self._prices = prices
        self.source = ""
        self.accepted = 0
        self.outdated = 0

    def accept(self, marks: Sequence[Mark], source: str) -> None:
        """Take a message."""
        if not self.source:
            self.source = source
            self._prices.publisher_joined(source)
        taken = self._prices.accept(marks, source)
        self.accepted += taken
        self.outdated += len(marks) - taken


class Prices:
    """Every mark and every source of marks."""

    def __init__(self, board: MarkBoard, valuation: Valuation, publisher: Publisher, clock: Clock) -> None:
        self._board = board
        self._valuation = valuation
        self._publisher = publisher
        self._clock = clock
        self._publishers: Counter[str] = Counter()
        self._expiry: asyncio.TimerHandle | None = None
        self._expiry_due = 0
        self._offset: int | None = None  # nanoseconds from the loop's clock to ours, which alone may be set
        self._wanted: frozenset[str] = frozenset()
        self._wanted_at = (-1, -1)

    # In.

    def accept(self, marks: Sequence[Mark], source: str) -> int:
        """Take marks of ``source``; how many were not older than what it sent before."""
        displaced = self._board.make_room(source)
        taken = self._board.accept(marks, source, self._clock())
        self._changed(displaced + taken)
        return len(taken)

    def check_source(self, source: str) -> None:
        """Whoever calls may not speak for a feed: each would hide what becomes of the other. Raises FieldViolations."""
        if self._board.is_configured(source):
            rule = f"{shown(source)} is a feed of this server's configuration; name a source of your own"
            raise FieldViolations([Violation("source", rule)])

    def expected(self, source: str) -> None:
        """Name a source that has not connected yet, so that it is listed."""
        self._board.expected(source)

    def alive(self, source: str) -> None:
        """A message without marks came from ``source``."""
        self._board.alive(source, self._clock())

    def withdrawn(self, symbol: str, source: str) -> None:
        """``source`` says that it has no price for ``symbol`` any more: its mark is stale at once."""
        self._changed(self._board.withdrawn(symbol, source))

    def lost(self, source: str, error: str, dropped: bool = True) -> None:
        """The connection of ``source`` is gone, or could not be made (not ``dropped``): its marks are stale at once."""
        self._changed(self._board.lost(source, error, dropped))

    def publisher_joined(self, source: str) -> None:
        """One more stream sends marks of ``source``."""
        self._publishers[source] += 1

    @contextmanager
    def published(self) -> Iterator[Publishing]:
        """A stream of marks; when it ends, or is lost, so is its source, unless another stream has the same one."""
        publishing = Publishing(self)
        try:
            yield publishing
        finally:
            if publishing.source:
                self._publishers[publishing.source] -= 1
                if not self._publishers[publishing.source]:
                    del self._publishers[publishing.source]
                    self.lost(publishing.source, "its stream has ended")

    def _changed(self, symbols: Sequence[str]) -> None:
        if self._valuation.marked(symbols):
            self._publisher.changed()
        self._watch_expiry()

    # Out.

    def all(self, symbols: Sequence[str]) -> list[tuple[Mark, bool]]:
        """The mark that counts of each symbol and whether it is stale; all of them when ``symbols`` is empty."""
        return self._board.all(symbols)

    def sources(self) -> list[Source]:
        """Every source of marks."""
        return self._board.sources()

    def wanted(self) -> frozenset[str]:
        """The symbols that are open in some portfolio, or that a stream names."""
        at = (self._valuation.opened_or_closed, self._publisher.joined_or_left)
        if at != self._wanted_at:
            self._wanted = self._valuation.needed_symbols() | self._publisher.named_symbols()
            self._wanted_at = at
        return self._wanted

    # Time.

    def _watch_expiry(self) -> None:
        due = self._board.next_expiry()
        if due is None or (self._expiry is not None and due >= self._expiry_due):
            return
        self.close()
        now = self._clock()
        if self._offset is None:
            self._offset = now - self._monotonic()
        wait = min(max(0.0, (due - now) / 1e9), LONGEST_LOOK)
        self._expiry, self._expiry_due = asyncio.get_running_loop().call_later(wait, self._expire), due

    def _expire(self) -> None:
        self._expiry = None
        now = self._clock()
        before, self._offset = self._offset, now - self._monotonic()
        back = before is not None and self._offset < before - FUTURE_TOLERANCE
        self._changed((self._board.set_back(now) if back else []) + self._board.expire(now))

    def _monotonic(self) -> int:
        return int(asyncio.get_running_loop().time() * 1e9)

    def close(self) -> None:
        """Look no more at what grows old."""
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None
