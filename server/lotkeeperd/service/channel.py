"""What all subscribers with one filter share: a bounded log of facts, and the order in which positions and groups last changed.

A subscriber is a cursor into it, so a slow one costs nothing: what it has not fetched is not kept for it. Values that changed
twice since its cursor are sent once; facts that the log has dropped since are read from the journal.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import NamedTuple

from lotkeeperd.service.ports import ALL_OF_IT, Encoder, Fact, FactFilter, GroupRef, Key, Position

LOG_LENGTH = 8192
"""Facts a channel keeps; a subscriber further behind reads the journal."""


class Cursor(NamedTuple):
    """Where a subscriber stands: ``at`` in the journal, the others in its channel."""

    at: Position  # every fact up to here was sent
    fact: int  # number of the next fact of the channel's log
    change: int  # number of the newest change that was sent
    marks: int  # mark changes the channel had seen then


class Item:
    """A fact on its way to subscribers, encoded once for all of them."""

    __slots__ = ("_bytes", "at", "fact")

    def __init__(self, at: Position, fact: Fact) -> None:
        self.at = at
        self.fact = fact
        self._bytes = b""

    def encoded(self, encoder: Encoder) -> bytes:
        """As a piece of an update."""
        if not self._bytes:
            self._bytes = encoder.fact(self.fact)
        return self._bytes


Changed = Key | GroupRef
"""What changes: a position, or a group."""


class Change(NamedTuple):
    """That a position or a group changed: ``number`` orders all changes of a channel, ``mark`` is the last one that a mark made."""

    key: Changed
    number: int
    mark: int


class Channel:
    """One filter's log and changes. ``head`` is the ledger's sequence when it is made: facts up to it are not in the log."""

    def __init__(self, wanted: FactFilter, head: int) -> None:
        self.wanted = wanted
        self.subscribers = 0
        self.change = 0
        self.marks = 0
        self.built: dict[tuple[int, int, int], tuple[bytes, Cursor]] = {}  # messages by the cursor they follow
        self._facts: deque[Item] = deque()
        self.first_fact = 0  # number of the oldest fact in the log
        self._dropped: Position = (head, ALL_OF_IT)
        self._changes: dict[Changed, Change] = {}  # oldest first
        self._waiters: set[asyncio.Future[None]] = set()

    @property
    def next_fact(self) -> int:
        """The number of the fact that comes next."""
        return self.first_fact + len(self._facts)

    def add_fact(self, item: Item) -> None:
        """Put a fact into the log; the oldest falls out when it is full."""
        self._facts.append(item)
        if len(self._facts) > LOG_LENGTH:
            self._dropped = self._facts.popleft().at
            self.first_fact += 1
        self.built.clear()

    def add_change(self, key: Changed, mark_changes: int) -> None:
        """Note that a position changed, ``mark_changes`` times by a mark; or a group, whose marks are its positions'."""
        before = self._changes.pop(key, None)
        self.change += 1
        self.marks += mark_changes
        mark = self.change if mark_changes else (before.mark if before else 0)
        self._changes[key] = Change(key, self.change, mark)
        self.built.clear()

    def forget_facts(self, head: int) -> None:
        """Drop the whole log: the journal up to ``head`` has what it had, and maybe more."""
        self.first_fact = self.next_fact + 1  # so that every cursor points before the log
        self._facts.clear()
        self._dropped = (head, ALL_OF_IT)
        self.built.clear()

    def changes_since(self, number: int) -> list[Change]:
        """Oldest first."""
        newest_first = []
        for change in reversed(self._changes.values()):
            if change.number <= number:
                break
            newest_first.append(change)
        newest_first.reverse()
        return newest_first

    def facts_from(self, number: int, limit: int) -> list[Item]:
        """At most ``limit`` facts from the one numbered ``number`` on."""
        start = number - self.first_fact
        return [self._facts[place] for place in range(start, min(start + limit, len(self._facts)))]

    def place_of(self, at: Position) -> int | None:
        """The number of the first fact after ``at``, or None when the log no longer reaches back so far."""
        if at < self._dropped:
            return None
        place = len(self._facts)
        for item in reversed(self._facts):
            if item.at <= at:
                break
            place -= 1
        return self.first_fact + place

    def has_news(self, cursor: Cursor) -> bool:
        """Whether there is anything to send after ``cursor``."""
        return cursor.fact < self.next_fact or cursor.change < self.change

    def wake(self) -> None:
        """Let everyone who waits look again."""
        waiters, self._waiters = self._waiters, set()
        for waiter in waiters:
            finish(waiter)

    async def wait(self, seconds: float) -> None:
        """Until ``wake``, or for ``seconds``."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] = loop.create_future()
        self._waiters.add(waiter)
        timer = loop.call_later(seconds, finish, waiter)
        try:
            await waiter
        finally:
            timer.cancel()
            self._waiters.discard(waiter)


def finish(waiter: asyncio.Future[None]) -> None:
    """Let whoever awaits ``waiter`` go on."""
    if not waiter.done():
        waiter.set_result(None)
