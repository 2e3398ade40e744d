"""One StreamPnL from its beginning to its end: owed facts, a snapshot, then updates, and heartbeats while nothing changes.

A subscriber is a cursor that asks the publisher for what came since; it keeps nothing else, and nobody waits for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING, NamedTuple

from lotkeeperd.domain.refusals import ServerDraining
from lotkeeperd.service.channel import Channel, Cursor
from lotkeeperd.service.ports import ALL_OF_IT, FactFilter, Position

if TYPE_CHECKING:
    from lotkeeperd.service.streams import Publisher

HEARTBEAT = 5.0
"""Seconds without a message before a heartbeat, when the caller names none."""


class Wanted(NamedTuple):
    """What a subscriber asked for; intervals in seconds. ``after`` is the sequence to resume from."""

    filter: FactFilter
    after: int | None = None
    ledger_id: str = ""
    min_interval: float = 0.0
    heartbeat: float = HEARTBEAT


class Subscriber:
    """One stream: owed facts, a snapshot, then updates, and heartbeats while nothing changes."""

    def __init__(self, publisher: Publisher, channel: Channel, wanted: Wanted) -> None:
        self._publisher = publisher
        self._channel = channel
        self._wanted = wanted
        self._at: Position = (0, 0)

    async def messages(self) -> AsyncGenerator[bytes]:
        """All of it, until the reader goes away. Raises ServerDraining."""
        publisher, channel = self._publisher, self._channel
        await publisher.groups_read(channel.wanted)
        at = None
        if self._wanted.after is not None:
            async with aclosing(self._caught_up((self._wanted.after, ALL_OF_IT))) as pages:
                async for message in pages:
                    yield message
            at = self._at
        cursor, owed, snapshot = publisher.opening(channel, at)
        for _, message in publisher.facts_messages(owed, cursor.at):
            yield message
        async with aclosing(snapshot):
            async for message in snapshot:
                yield message
        async with aclosing(self._updates(cursor)) as updates:
            async for message in updates:
                yield message

    async def _updates(self, cursor: Cursor) -> AsyncGenerator[bytes]:
        publisher, channel, loop = self._publisher, self._channel, asyncio.get_running_loop()
        sent_at = loop.time()
        while True:
            if await self._idle(cursor, sent_at):
                cursor = cursor._replace(at=publisher.reached)
                yield publisher.heartbeat()
                sent_at = loop.time()
                continue
            if not publisher.draining and (rest := sent_at + self._wanted.min_interval - loop.time()) > 0:
                await publisher.sleep(rest)
            if publisher.draining:
                raise ServerDraining
            publisher.take_over()
            if cursor.fact < channel.first_fact:
                async with aclosing(self._caught_up(cursor.at)) as pages:
                    async for message in pages:
                        yield message
                cursor = cursor._replace(at=self._at, fact=channel.place_of(self._at) or 0)
            if channel.has_news(cursor):
                message, cursor = publisher.next_message(channel, cursor)
                yield message
                sent_at = loop.time()

    async def _idle(self, cursor: Cursor, sent_at: float) -> bool:
        """Wait for news; True when a heartbeat is due instead."""
        loop = asyncio.get_running_loop()
        due = sent_at + max(self._wanted.heartbeat, self._wanted.min_interval)
        while (
            not self._publisher.draining
            and not self._channel.has_news(cursor)
            and cursor.fact >= self._channel.first_fact
        ):
            if loop.time() >= due:
                return True
            await self._channel.wait(due - loop.time())
        return False

    async def _caught_up(self, at: Position) -> AsyncGenerator[bytes]:
        """Facts after ``at`` from the journal, until the channel's log has the rest; leaves in ``_at`` how far it came."""
        self._at = at
        # What was committed is published before each look, so that nothing can push the log past the reader afterwards.
        while self._publisher.place_of(self._channel, self._at) is None:
            if self._publisher.draining:
                raise ServerDraining
            items, until = await self._publisher.page(self._channel.wanted, self._at)
            for reached, message in self._publisher.facts_messages(items, until):
                self._at = reached
                yield message
            self._at = until
