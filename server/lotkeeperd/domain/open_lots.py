"""The open lots of a book in FIFO order (law 2), in a list that many copies of the book share.

Problem: a batch is tried on copies that are dropped if it does not reach the disk, and copying 100,000 lots per batch costs
milliseconds. Seen: nearly every fill adds the newest lot or takes from the oldest.

Therefore the list is shared: it only grows at its end, and each copy knows where its own part begins and ends, and what is left
of its oldest lot. What a dropped batch appended is cut off by the next one. Whatever happens elsewhere in the list (a late entry,
a lot method that closes another lot than the oldest) happens in a new list, written once per fill: a pointer per open lot. So a
committed book is never changed again, and a reader may keep one as a snapshot for nothing. One writer stages one copy at a time.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator

from lotkeeperd.domain.lots import Lot, fifo_place

COMPACT_AFTER = 1024
"""Closed lots that may lie in front of the open ones before the list is rewritten."""


class OpenLots:
    """Lots in FIFO order: adding behind and taking from the front cost the same with one lot or many."""

    __slots__ = ("_begin", "_changed", "_end", "_front", "_lots")

    def __init__(self) -> None:
        self._hold([])

    def _hold(self, lots: list[Lot]) -> None:
        """These and no others; they stand in FIFO order."""
        self._lots = lots
        self._begin = 0
        self._end = len(lots)
        self._front: Lot | None = None  # the oldest lot, once part of it is closed
        # What is left of other lots, None for nothing, by their place; empty but while records are made so.
        self._changed: dict[tuple[int, int], Lot | None] = {}

    def lots(self) -> Iterator[Lot]:
        """The open lots, oldest first."""
        lots, begin, end = self._lots, self._begin, self._end
        if self._front is not None:
            yield self._front
            begin += 1
        for place in range(begin, end):
            yield lots[place]

    def newest_first(self) -> Iterator[Lot]:
        """The open lots the other way round."""
        lots, begin, front = self._lots, self._begin, self._front
        for place in range(self._end - 1, begin if front else begin - 1, -1):
            yield lots[place]
        if front is not None:
            yield front

    @property
    def lot_count(self) -> int:
        """How many lots are open."""
        return self._end - self._begin

    @property
    def oldest(self) -> Lot | None:
        """The first lot in FIFO order."""
        if self._begin == self._end:
            return None
        return self._front or self._lots[self._begin]

    @property
    def newest(self) -> Lot | None:
        """The last lot in FIFO order."""
        if self._end - self._begin == 1:
            return self.oldest
        return self._lots[self._end - 1] if self._end > self._begin else None

    def _share(self, copy: OpenLots) -> None:
        """Let ``copy`` begin with the same lots."""
        copy._lots = self._lots
        copy._begin = self._begin
        copy._end = self._end
        copy._front = self._front
        copy._changed = {}

    def _own(self) -> None:
        """Share the list with nobody."""
        self._lots = self._lots[: self._end]

    def _add(self, lot: Lot) -> None:
        late = self._begin < self._end and lot < self._lots[self._end - 1]
        if late or self._changed or (self._begin > COMPACT_AFTER and self._begin > self._end - self._begin):
            self._settle()
        else:
            del self._lots[self._end :]  # what a dropped batch left behind
        if late:
            insort(self._lots, lot)
        else:
            self._lots.append(lot)
        self._end += 1

    def _replace(self, lot: Lot, rest: Lot | None) -> None:
        """Let ``rest`` stand for ``lot``, None for nothing; to be settled unless it was the oldest."""
        if lot.sequence != (self._front or self._lots[self._begin]).sequence:
            self._changed[fifo_place(lot)] = rest
            return
        self._front = rest
        if rest is None:
            self._begin += 1
        if self._changed:
            self._changed.pop(fifo_place(lot), None)

    def _settle(self) -> None:
        """Write what is open into a list of its own: others may still read the one they share."""
        changed, lots, begin, open_lots = self._changed, self._lots, self._begin, list[Lot]()
        if self._front is not None:
            changed[fifo_place(self._front)] = self._front
        for place in sorted(changed):
            at = bisect_left(lots, place, begin, self._end, key=fifo_place)
            assert fifo_place(lots[at]) == place, f"no lot of {place} is open"
            rest = changed[place]
            open_lots += lots[begin:at] if rest is None else [*lots[begin:at], rest]
            begin = at + 1
        open_lots += lots[begin : self._end]
        self._hold(open_lots)
