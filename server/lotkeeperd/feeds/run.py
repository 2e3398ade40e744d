"""Runs a feed: connects, asks for what is wanted, hands on prices, and begins anew when that ends.

Every break is told to the ledger at once, before anything is waited for or closed: a price that nobody watches any more must
not look fresh. What is worth another try, and when, `reconnect` says.

Only the reader decides that a connection has ended, and why: a venue that refuses us says so and hangs up, and a reply of ours
that fails meanwhile must not hide the reason that is still waiting to be read.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Generator, Iterable
from contextlib import suppress
from random import Random
from typing import TYPE_CHECKING

from lotkeeperd.feeds.errors import Dropped, FeedError
from lotkeeperd.feeds.reconnect import PACE, Fatal, Pace, delays, verdict
from lotkeeperd.feeds.replay import Ended, play
from lotkeeperd.feeds.session import Frame, Session
from lotkeeperd.feeds.spec import FeedSpec
from lotkeeperd.feeds.standing import Standing
from lotkeeperd.service.ports import Clock, Prices

if TYPE_CHECKING:
    from lotkeeperd.feeds.sockets import Socket

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.25
"""How often a feed asks what is wanted, and whether anything is due."""


async def run(spec: FeedSpec, prices: Prices, clock: Clock, random: Random, pace: Pace = PACE) -> None:
    """Run the feed until it is cancelled, or until there is no use in trying: then it is logged why, and this returns."""
    prices.expected(spec.name)
    if spec.venue == "replay":
        await _replay(spec, prices, clock)
        return
    waits = delays(random, pace)
    next(waits)
    while True:
        attempt = Attempt(spec, prices)
        try:
            await attempt.run()
        except FeedError as error:
            delay = _next_try(spec, error, waits, attempt.lasted(), pace)
            if delay is None:
                return
            await asyncio.sleep(delay)


async def _replay(spec: FeedSpec, prices: Prices, clock: Clock) -> None:
    try:
        await play(spec, prices, clock)
    except Ended as ended:
        prices.lost(spec.name, str(ended), dropped=False)
        log.info("feed %s: %s", spec.name, ended)
    except FeedError as error:
        prices.lost(spec.name, str(error), dropped=False)
        log.error("feed %s ends: %s", spec.name, error)  # noqa: TRY400 the operator needs the words, not our lines


def _next_try(
    spec: FeedSpec, error: FeedError, waits: Generator[float, float, None], lasted: float, pace: Pace
) -> float | None:
    """Seconds to wait before the next try; None when there is none."""
    judged = verdict(error)
    if isinstance(judged, Fatal):
        log.error("feed %s ends: %s; %s", spec.name, error, judged.advice)
        return None
    delay = waits.send(lasted) + (pace.slow if judged.slowly else 0.0)
    log.warning("feed %s: %s; trying again in %.1f s", spec.name, error, delay)
    return delay


class Attempt:
    """One connection, from its making to its end."""

    def __init__(self, spec: FeedSpec, prices: Prices) -> None:
        self._spec = spec
        self._prices = prices
        self._session = _session(spec)
        self._standing = Standing(spec)
        self._time = asyncio.get_running_loop().time
        self._ready_at: float | None = None

    def lasted(self) -> float:
        """For how many seconds the venue has let us in."""
        return 0.0 if self._ready_at is None else self._time() - self._ready_at

    async def run(self) -> None:
        """Connect and converse. Raises a FeedError when that is over, after the ledger was told."""
        from lotkeeperd.feeds import sockets

        socket: Socket | None = None
        try:
            socket = await sockets.opened(self._spec)
            await self._converse(socket)
        except Exception as error:  # also a fault of ours must not leave prices that look fresh
            self._prices.lost(self._spec.name, str(error), dropped=self._session.ready)
            raise
        finally:
            if socket is not None:
                await socket.close()

    async def _converse(self, socket: Socket) -> None:
        """Listen and look after things until either fails; neither ends by itself."""
        await _say(socket, self._session.opened(self._time()))
        tasks = (asyncio.create_task(self._listen(socket)), asyncio.create_task(self._look_after(socket)))
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:  # what the venue said comes first, when both have ended
                if task.done():
                    task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _listen(self, socket: Socket) -> None:
        async for frame in socket.frames():
            await _say(socket, self._take(frame))

    def _take(self, frame: Frame) -> list[Frame]:
        """Hand on what a frame brings; what to send for it."""
        heard = self._session.received(frame, self._time())
        if self._ready_at is None and self._session.ready:
            self._ready_at = self._time()
        news = self._standing.take(heard.quotes)
        if news.marks:
            self._prices.accept(news.marks, self._spec.name)
        elif self._session.ready:
            self._prices.alive(self._spec.name)
        for symbol in news.withdrawn:
            self._prices.withdrawn(symbol, self._spec.name)
        for note in heard.notes:
            log.warning("feed %s: %s", self._spec.name, note)
        return list(heard.frames)

    async def _look_after(self, socket: Socket) -> None:
        wanted: frozenset[str] | None = None
        while True:
            before, wanted = wanted, self._prices.wanted()
            if wanted != before:
                theirs = [theirs for theirs, ours in self._spec.symbols.items() if ours in wanted]
                await _say(socket, self._session.want(theirs, self._time()))
            await _say(socket, self._session.due(self._time()))
            await asyncio.sleep(LOOK_SECONDS)


async def _say(socket: Socket, frames: Iterable[Frame]) -> None:
    """Send; an end that is noticed by that is left to the reader, which first reads what the venue said before it."""
    with suppress(Dropped):
        await socket.send(frames)


def _session(spec: FeedSpec) -> Session:
    """A new conversation in the venue's protocol; only that one's modules are imported."""
    match spec.venue:
        case "alpaca":
            from lotkeeperd.feeds.alpaca.session import AlpacaSession

            if spec.encoding == "json":
                return AlpacaSession(spec)
            from lotkeeperd.feeds.alpaca.packed import MESSAGE_PACK

            return AlpacaSession(spec, MESSAGE_PACK)
        case "bybit":
            from lotkeeperd.feeds.bybit.session import BybitSession

            return BybitSession(spec)
        case "coinbase":
            from lotkeeperd.feeds.coinbase.session import CoinbaseSession

            return CoinbaseSession(spec)
    raise AssertionError(f"read_spec lets no venue {spec.venue!r} through")
