"""Long answers as iterators, blocking and asyncio: pages are fetched when the iteration reaches them.

How to fetch is handed in by the client; which page comes next is ``pages``' business.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from lotkeeper import pages, values
from lotkeeper.answers import Page
from lotkeeper.calls import Call
from lotkeeper.responses import ExplainLine

V = TypeVar("V")


def _position_of(page: Page[ExplainLine]) -> values.Position:
    assert page.position is not None  # answers.explain_position reads one into every page
    return page.position


class Pages(Generic[V]):
    """Iterates over a list, fetching each page when the iteration reaches it."""

    def __init__(self, carry_out: Callable[[Call[Page[V]]], Page[V]], call: Call[Page[V]]) -> None:
        self._carry_out = carry_out
        self._listing = pages.Listing(call)

    def __iter__(self) -> Pages[V]:
        return self

    def __next__(self) -> V:
        while not self._listing.fetched:
            if self._listing.call is None:
                raise StopIteration
            self._fetch(self._listing.call)
        return self._listing.fetched.popleft()

    def _fetch(self, call: Call[Page[V]]) -> Page[V]:
        return self._listing.add(self._carry_out(call))

    def _newest(self) -> Page[V]:
        return self._listing.newest or self._fetch(self._listing.first)


class ClosedTrades(Pages[values.ClosedTrade]):
    """Iterates over closed trades, and knows their sums."""

    def totals(self) -> tuple[values.Totals, ...]:
        """Sums over all trades asked for, one per currency, as of the newest page; fetches the first if need be."""
        return self._newest().totals


class ExplainedPosition(Pages[ExplainLine]):
    """Iterates over the records that made a position, and knows the position."""

    def position(self) -> values.Position:
        """What the changes of all lines sum to; fetches the first page if need be."""
        return _position_of(self._newest())

    def sequence(self) -> int:
        """Journal sequence that every page is taken at; fetches the first if need be."""
        return self._newest().sequence


class AsyncPages(Generic[V]):
    """Iterates over a list, fetching each page when the iteration reaches it."""

    def __init__(self, carry_out: Callable[[Call[Page[V]]], Awaitable[Page[V]]], call: Call[Page[V]]) -> None:
        self._carry_out = carry_out
        self._listing = pages.Listing(call)

    def __aiter__(self) -> AsyncPages[V]:
        return self

    async def __anext__(self) -> V:
        while not self._listing.fetched:
            if self._listing.call is None:
                raise StopAsyncIteration
            await self._fetch(self._listing.call)
        return self._listing.fetched.popleft()

    async def _fetch(self, call: Call[Page[V]]) -> Page[V]:
        return self._listing.add(await self._carry_out(call))

    async def _newest(self) -> Page[V]:
        return self._listing.newest or await self._fetch(self._listing.first)


class AsyncClosedTrades(AsyncPages[values.ClosedTrade]):
    """Iterates over closed trades, and knows their sums."""

    async def totals(self) -> tuple[values.Totals, ...]:
        """Sums over all trades asked for, one per currency, as of the newest page; fetches the first if need be."""
        return (await self._newest()).totals


class AsyncExplainedPosition(AsyncPages[ExplainLine]):
    """Iterates over the records that made a position, and knows the position."""

    async def position(self) -> values.Position:
        """What the changes of all lines sum to; fetches the first page if need be."""
        return _position_of(await self._newest())

    async def sequence(self) -> int:
        """Journal sequence that every page is taken at; fetches the first if need be."""
        return (await self._newest()).sequence
