"""The blocking client: a shell that carries out calls over a channel. What to ask and how to read stands elsewhere.

Its methods are the functions of ``writes``, ``reads``, ``marks`` and ``resume``, with their signatures, each bound to
the way it is carried out. A ``Ledger`` may be used from several threads at once.
"""

from __future__ import annotations

import random as _random
import threading
import time
from collections.abc import Callable, Generator
from functools import wraps
from typing import Concatenate, Generic, ParamSpec, Self, TypeVar

import grpc

from lotkeeper import calls, marks, pages, reads, resume, values, writes
from lotkeeper.answers import Page
from lotkeeper.calls import DEFAULT_TIMEOUT, Call, Defaults
from lotkeeper.channel import OPTIONS, methods, target
from lotkeeper.errors import LotkeeperError
from lotkeeper.events import PnLEvent
from lotkeeper.publishing import Publisher
from lotkeeper.retry import Attempts, backoff
from lotkeeper.status import error_of
from lotkeeper.watchdog import Watchdog

A = ParamSpec("A")
T = TypeVar("T")
V = TypeVar("V")


def connect(address: str, *, portfolio: str = "", timeout: float = DEFAULT_TIMEOUT) -> Ledger:
    """A ledger at ``address``, ``host:port`` or ``unix:/path.sock``; use it in a ``with`` block, or ``close`` it.

    Nothing is sent yet: the first call connects, and waits for a server that is still starting.

    Args:
        address: where the sidecar listens.
        portfolio: for all calls that do not name another; empty is the server's "default".
        timeout: seconds until an answer must be there, retries included, for all calls that do not say otherwise.

    Raises:
        ValueError: the address or the timeout is none.
    """
    channel = grpc.insecure_channel(target(address), options=OPTIONS)
    return Ledger(channel, address=address, defaults=calls.defaults(portfolio, timeout))


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

    def _fetch(self, call: Call[Page[V]]) -> None:
        self._listing.add(self._carry_out(call))


class ClosedTrades(Pages[values.ClosedTrade]):
    """Iterates over closed trades, and knows their sums."""

    def totals(self) -> tuple[values.Totals, ...]:
        """Sums over all trades asked for, one per currency, as of the newest page; fetches the first if need be."""
        if self._listing.totals is None and self._listing.call is not None:
            self._fetch(self._listing.call)
        return self._listing.totals or ()


def _answered(build: Callable[Concatenate[Defaults, A], Call[T]]) -> Callable[Concatenate[Ledger, A], T]:
    @wraps(build)
    def method(self: Ledger, /, *args: A.args, **kwargs: A.kwargs) -> T:
        return self._carry_out(build(self._defaults, *args, **kwargs))

    return method


def _summed_up(
    build: Callable[Concatenate[Defaults, A], Call[Page[values.Position]]],
) -> Callable[Concatenate[Ledger, A], values.Summary]:
    @wraps(build)
    def method(self: Ledger, /, *args: A.args, **kwargs: A.kwargs) -> values.Summary:
        return self._read_all(build(self._defaults, *args, **kwargs))

    return method


def _listed(
    build: Callable[Concatenate[Defaults, A], Call[Page[V]]],
    listing: Callable[[Callable[[Call[Page[V]]], Page[V]], Call[Page[V]]], T],
) -> Callable[Concatenate[Ledger, A], T]:
    @wraps(build)
    def method(self: Ledger, /, *args: A.args, **kwargs: A.kwargs) -> T:
        return listing(self._carry_out, build(self._defaults, *args, **kwargs))

    return method


def _followed(
    build: Callable[Concatenate[Defaults, A], resume.Subscription],
) -> Callable[Concatenate[Ledger, A], Generator[PnLEvent, None, None]]:
    @wraps(build)
    def method(self: Ledger, /, *args: A.args, **kwargs: A.kwargs) -> Generator[PnLEvent, None, None]:
        return self._follow(build(self._defaults, *args, **kwargs))

    return method


class Ledger:
    """A ledger behind a channel; ``connect`` makes one.

    Args:
        channel: connected with ``channel.OPTIONS``; closed with the ledger.
        address: where it leads, for messages.
        defaults: portfolio and timeout of calls that do not name their own.
        clock: seconds that only go forward.
        sleep: waits for some seconds.
        random: in [0, 1).
        now: the time in nanoseconds UTC.
    """

    def __init__(
        self,
        channel: grpc.Channel,
        *,
        address: str,
        defaults: Defaults,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
        random: Callable[[], float] = _random.random,
        now: Callable[[], int] = time.time_ns,
    ) -> None:
        self._channel = channel
        self._methods = methods(channel)
        self._address = address
        self._defaults = defaults
        self._clock = clock
        self._sleep = sleep
        self._random = random
        self._now = now
        self._closed = threading.Event()

    create_entry = _answered(writes.create_entry)
    close_fifo = _answered(writes.close_fifo)
    record_fill = _answered(writes.record_fill)
    get_summary = _summed_up(reads.get_summary)
    list_entries = _listed(reads.list_entries, Pages)
    list_closed_trades = _listed(reads.list_closed_trades, ClosedTrades)
    set_marks = _answered(marks.set_marks)
    list_marks = _answered(marks.list_marks)
    stream_pnl = _followed(resume.stream_pnl)

    def publish_marks(self, *, source: str = "", timeout: float | None = None) -> Publisher:
        """Marks over one stream, in a ``with`` block: its end tells the ledger that ``source`` is interrupted.

        ``timeout`` is how many seconds the end of the stream may take.
        """
        return Publisher(self._methods["PublishMarks"], source, calls.timeout_of(self._defaults, timeout))

    def close(self) -> None:
        """Close the connection; a stream another thread still reads ends."""
        self._closed.set()
        self._channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _carry_out(self, call: Call[T], deadline: float | None = None) -> T:
        attempts = Attempts(call, self._address, self._clock, self._random, deadline)
        while True:
            try:
                answer = self._methods[call.method](call.request, timeout=attempts.remaining())
            except grpc.RpcError as broken:
                pause = attempts.failed(broken)
            else:
                return call.read(answer)
            self._sleep(pause)

    def _read_all(self, call: Call[Page[values.Position]]) -> values.Summary:
        deadline = self._clock() + call.timeout
        read: list[Page[values.Position]] = []
        following: Call[Page[values.Position]] | None = call
        while following is not None:
            read.append(self._carry_out(following, deadline))
            following = pages.next_page(following, read[-1])
        return pages.summary(read)

    def _follow(self, subscription: resume.Subscription) -> Generator[PnLEvent, None, None]:
        pauses = backoff(self._random)
        while not self._closed.is_set():
            call = self._methods["StreamPnL"](subscription.request())
            with Watchdog(subscription.silence_limit, call.cancel, self._clock) as watchdog:
                try:
                    for message in watchdog.watched(call):
                        pauses = backoff(self._random)
                        event = subscription.take(message, self._now())
                        if event is not None:
                            yield event
                    error: LotkeeperError = subscription.ended()
                except grpc.RpcError as broken:
                    if self._closed.is_set():
                        return
                    error = subscription.silent() if watchdog.expired else error_of(broken)
                finally:
                    call.cancel()  # gRPC keeps a call that nobody reads any more, and the server goes on sending
            disconnected = subscription.lost(error, self._now())
            if disconnected is not None:
                yield disconnected
            self._sleep(next(pauses))
