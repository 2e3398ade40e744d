"""The server of the fake venues: sockets, who is subscribed to what, and which faults are on."""

import asyncio
import itertools
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from contextlib import suppress
from decimal import Decimal
from functools import partial
from types import TracebackType
from typing import Self
from uuid import UUID

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from tests.support.venues.alpaca import MSGPACK, AlpacaSession
from tests.support.venues.bybit import CATEGORIES, BybitSession
from tests.support.venues.coinbase import CoinbaseSession
from tests.support.venues.faults import AnyFault, Fault, HangUp, RateLimit, RefuseConnection, RefuseLogin
from tests.support.venues.link import Link
from tests.support.venues.quotes import Quote, Update
from tests.support.venues.session import Session

KEY = "fake-key"
SECRET = "fake-secret"
ALPACA_FEEDS = ("iex", "sip", "test")
WAIT_SECONDS = 30.0
ROUTES = (
    {f"/alpaca/v2/{feed}": ("alpaca", feed) for feed in ALPACA_FEEDS}
    | {f"/bybit/v5/public/{category}": ("bybit", category) for category in CATEGORIES}
    | {"/coinbase": ("coinbase", "")}
)
DEFAULTS = {"alpaca": "iex", "bybit": "linear", "coinbase": ""}
Number = str | int | Decimal


class FakeVenue:
    """Three venues on one port of loopback; an async context manager.

    ``part`` is Alpaca's feed (iex, sip, test) or Bybit's category (linear, inverse, spot, option); left out it is iex,
    linear, or nothing for Coinbase. Seconds are how long the real venues wait; a test may wait less.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], int] = time.time_ns,
        heartbeat_seconds: float = 1.0,
        login_seconds: float = 10.0,
        subscribe_seconds: float = 5.0,
        alpaca_connections: int | None = 1,
        alpaca_symbols: int | None = None,
    ) -> None:
        self._clock = clock
        self._heartbeat_seconds = heartbeat_seconds
        self._late_seconds = {"alpaca": login_seconds, "coinbase": subscribe_seconds}
        self._alpaca_connections = alpaca_connections
        self._alpaca_symbols = alpaca_symbols
        self._quotes: dict[tuple[str, str, str], Quote] = {}
        self._unlisted: set[tuple[str, str, str]] = set()
        self._scripts: list[tuple[str, list[AnyFault], int | None]] = []
        self._links: list[Link] = []
        self._made: Counter[str] = Counter()
        self._sequence = itertools.count(24_987_956_059).__next__
        self._accepted: dict[UUID, list[AnyFault]] = {}
        self._changed = asyncio.Condition()
        self._server: Server | None = None
        self.received: defaultdict[str, list[str | bytes]] = defaultdict(list)
        self.refused_logins = 0
        self.refused_connections = 0
        self.lost_connections = 0

    async def __aenter__(self) -> Self:
        """Listen on a free port of loopback."""
        self._server = await serve(
            self._serve, "127.0.0.1", 0, process_request=self._shake_hands, compression=None, close_timeout=1
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close every connection and stop listening."""
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    @property
    def port(self) -> int:
        """The port it listens on."""
        assert self._server is not None
        port: int = next(iter(self._server.sockets)).getsockname()[1]
        return port

    def url(self, venue: str, part: str | None = None) -> str:
        """Where a client connects. Raises ValueError for a venue or part that there is not."""
        name = self._part(venue, part)
        return next(f"ws://127.0.0.1:{self.port}{path}" for path, route in ROUTES.items() if route == (venue, name))

    async def publish(
        self,
        venue: str,
        symbol: str,
        *,
        part: str | None = None,
        last: Number | None = None,
        bid: Number | None = None,
        ask: Number | None = None,
        mark: Number | None = None,
        time: int | None = None,
    ) -> int:
        """Tell every subscriber of the symbol these prices, at that time (ns; now when left out); how many there were.

        What is left out stays as it was; a bid or ask of 0 is a side nobody quotes. Trades are told when there is a last
        price. A later subscriber's snapshot carries what is known by then.
        """
        given = [None if price is None else Decimal(price) for price in (last, bid, ask, mark)]
        quote = Quote(self._clock() if time is None else time, *given)
        return await self.publish_many(venue, {symbol: quote}, part=part)

    async def publish_many(self, venue: str, quotes: Mapping[str, Quote], *, part: str | None = None) -> int:
        """Tell many symbols' prices at once; Alpaca's subscribers get them in one array. How many connections got some."""
        name = self._part(venue, part)
        updates = {}
        for symbol, quote in quotes.items():
            known = quote.onto(self._quotes.get((venue, name, symbol)))
            self._quotes[venue, name, symbol] = known
            updates[symbol] = Update(quote, known)
        return sum(await asyncio.gather(*(link.publish(updates) for link in self._open(venue, name))))

    def unlist(self, venue: str, *symbols: str, part: str | None = None) -> None:
        """From now on the venue does not know these symbols and refuses subscriptions to them (Bybit)."""
        self._unlisted |= {(venue, self._part(venue, part), symbol) for symbol in symbols}

    def connections(self, venue: str) -> int:
        """How many connections were made to the venue so far, those refused by RefuseConnection left out."""
        return self._made[venue]

    def open_connections(self, venue: str) -> int:
        """How many are open now."""
        return len(self._open(venue))

    def subscribed(self, venue: str, part: str | None = None) -> frozenset[str]:
        """The symbols that open connections are subscribed to; of every part when none is named."""
        return frozenset(symbol for link in self._open(venue, part) for symbol in link.session.subscribed)

    async def wait_subscribed(self, venue: str, *symbols: str, part: str | None = None) -> None:
        """Wait until all these symbols are subscribed to. Raises TimeoutError after WAIT_SECONDS."""
        await self.wait_until(lambda: set(symbols) <= self.subscribed(venue, part))

    async def wait_connections(self, venue: str, made: int) -> None:
        """Wait until so many connections have been made in all. Raises TimeoutError after WAIT_SECONDS."""
        await self.wait_until(lambda: self.connections(venue) >= made)

    async def wait_until(self, holds: Callable[[], bool]) -> None:
        """Wait until that holds; looked at whenever a connection, subscription or login changed. Raises TimeoutError."""
        async with asyncio.timeout(WAIT_SECONDS), self._changed:
            await self._changed.wait_for(holds)

    def script(self, venue: str, *faults: AnyFault, connections: int | None = None) -> None:
        """Put faults on connections to come: on the next so many, or on all until ``heal``."""
        self._scripts.append((venue, list(faults), connections))

    def strike(self, venue: str, *faults: Fault) -> None:
        """Put faults on the connections that are open now."""
        for link in self._open(venue):
            link.strike(faults)

    def heal(self, venue: str) -> None:
        """No fault any more, neither on open connections nor on those to come."""
        self._scripts = [script for script in self._scripts if script[0] != venue]
        for link in self._open(venue):
            link.heal()

    async def close_connections(self, venue: str, code: int = 1012, reason: str = "service restart") -> None:
        """Close every open connection in the orderly way."""
        await asyncio.gather(*(link.close(code, reason) for link in self._open(venue)))

    def abort_connections(self, venue: str) -> None:
        """Every open connection is gone at once, without a closing handshake."""
        for link in self._open(venue):
            link.abort()

    @staticmethod
    def _part(venue: str, part: str | None) -> str:
        name = DEFAULTS.get(venue) if part is None else part
        if (venue, name) not in ROUTES.values():
            raise ValueError(f"there is no {venue} {part!r}; there are {sorted(ROUTES)}")
        assert name is not None
        return name

    def _open(self, venue: str, part: str | None = None) -> list[Link]:
        return [link for link in self._links if link.venue == venue and part in {None, link.part}]

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def _shake_hands(self, connection: ServerConnection, request: Request) -> Response | None:
        route = ROUTES.get(request.path.partition("?")[0])
        if route is None:
            return connection.respond(404, "no such stream\n")
        faults = self._faults_of_next(route[0])
        refusal = next((fault for fault in faults if isinstance(fault, RefuseConnection)), None)
        if refusal is not None:
            self.refused_connections += 1
            await self._notify()
            return connection.respond(refusal.status, "refused\n")
        self._accepted[connection.id] = [fault for fault in faults if not isinstance(fault, RefuseConnection)]
        return None

    def _faults_of_next(self, venue: str) -> list[AnyFault]:
        """The faults of the venue's next connection; scripts that are used up are forgotten."""
        faults: list[AnyFault] = []
        kept: list[tuple[str, list[AnyFault], int | None]] = []
        for name, script, left in self._scripts:
            if name == venue:
                faults += script
                left = None if left is None else left - 1  # noqa: PLW2901 - one less of them
            if left is None or left > 0:
                kept.append((name, script, left))
        self._scripts = kept
        return faults

    async def _serve(self, connection: ServerConnection) -> None:
        """One connection, from its greeting to its end."""
        assert connection.request is not None
        venue, part = ROUTES[connection.request.path.partition("?")[0]]
        faults = self._accepted.pop(connection.id)
        session = self._session(venue, part, connection, faults)
        link = Link(venue, part, connection, session, [fault for fault in faults if isinstance(fault, Fault)])
        self._links.append(link)
        self._made[venue] += 1
        await self._notify()
        patience = asyncio.create_task(self._lose_patience(link))
        pulse = asyncio.create_task(self._beat(link))
        try:
            await self._converse(link, connection)
        except ConnectionClosed:
            self.lost_connections += 1
        finally:
            patience.cancel()
            pulse.cancel()
            self._links.remove(link)
            await self._notify()

    async def _converse(self, link: Link, connection: ServerConnection) -> None:
        await link.say(link.session.opening)
        async for body in connection:
            self.received[link.venue].append(body)
            await link.say(partial(link.session.receive, body))
            await self._notify()

    async def _lose_patience(self, link: Link) -> None:
        """Answer a client that did not log in, or subscribe, in time."""
        if link.venue in self._late_seconds:
            await asyncio.sleep(self._late_seconds[link.venue])
            with suppress(ConnectionClosed):
                await link.say(link.session.late)

    async def _beat(self, link: Link) -> None:
        """The venue's own heartbeats."""
        with suppress(ConnectionClosed):
            while True:
                await asyncio.sleep(self._heartbeat_seconds)
                await link.say(link.session.pulse)

    def _session(self, venue: str, part: str, connection: ServerConnection, faults: list[AnyFault]) -> Session:
        code = next((fault.code for fault in faults if isinstance(fault, RefuseLogin)), None)
        hang_up = next((fault.code for fault in faults if isinstance(fault, HangUp)), None)
        limit = next((fault for fault in faults if isinstance(fault, RateLimit)), None)

        def known(symbol: str) -> Quote | None:
            return self._quotes.get((venue, part, symbol))

        def listed(symbol: str) -> bool:
            return (venue, part, symbol) not in self._unlisted

        if venue == "bybit":
            return BybitSession(part, connection.id.hex, known, listed, self._sequence, self._clock)
        if venue == "coinbase":
            return CoinbaseSession(known, self._clock, code is not None, hang_up is not None, limit)
        assert connection.request is not None
        packed = connection.request.headers.get("Content-Type") == MSGPACK

        def may_log_in(key: object, secret: object) -> int | None:
            refusal = code or self._login_refusal(key, secret)
            self.refused_logins += refusal is not None
            return refusal

        return AlpacaSession(packed, may_log_in, self._alpaca_symbols, hang_up)

    def _login_refusal(self, key: object, secret: object) -> int | None:
        """Alpaca's code for this login, or None: the right key, and not more connections than the plan has."""
        if (key, secret) != (KEY, SECRET):
            return 402
        logged_in = sum(link.session.ready for link in self._open("alpaca"))
        full = self._alpaca_connections is not None and logged_in >= self._alpaca_connections
        return 406 if full else None
