"""The blocking client: a shell that carries out calls over a channel. What to ask and how to read stands elsewhere.

Its methods are the functions of ``writes``, ``reads``, ``cash`` and the other modules of calls, with their signatures,
each bound to the way it is carried out. A ``Ledger`` may be used from several threads at once.
"""

from __future__ import annotations

import queue
import random as _random
import threading
import time
from collections.abc import Callable, Generator
from functools import wraps
from typing import Concatenate, ParamSpec, Self, TypeVar

import grpc
from google.protobuf.message import Message

from lotkeeper import (
    bulk,
    calls,
    cash,
    corrections,
    explain,
    instruments,
    lifecycle,
    marks,
    pages,
    portfolios,
    reads,
    reconciling,
    recording,
    resume,
    values,
    writes,
)
from lotkeeper.answers import Page
from lotkeeper.calls import DEFAULT_TIMEOUT, Call, Defaults
from lotkeeper.channel import OPTIONS, methods, target
from lotkeeper.errors import LotkeeperError
from lotkeeper.events import PnLEvent
from lotkeeper.iterators import ClosedTrades, ExplainedPosition, Pages
from lotkeeper.publishing import Publisher
from lotkeeper.responses import FillResult, Summary
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


def _answered(build: Callable[Concatenate[Defaults, A], Call[T]]) -> Callable[Concatenate[Ledger, A], T]:
    @wraps(build)
    def method(self: Ledger, /, *args: A.args, **kwargs: A.kwargs) -> T:
        return self._carry_out(build(self._defaults, *args, **kwargs))

    return method


def _summed_up(
    build: Callable[Concatenate[Defaults, A], Call[Page[values.Position]]],
) -> Callable[Concatenate[Ledger, A], Summary]:
    @wraps(build)
    def method(self: Ledger, /, *args: A.args, **kwargs: A.kwargs) -> Summary:
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


def _recorded(
    build: Callable[Concatenate[Defaults, A], bulk.Recording],
) -> Callable[Concatenate[Ledger, A], Generator[FillResult, None, None]]:
    @wraps(build)
    def method(self: Ledger, /, *args: A.args, **kwargs: A.kwargs) -> Generator[FillResult, None, None]:
        return self._record(build(self._defaults, *args, **kwargs))

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
    record_fills = _recorded(bulk.record_fills)
    bust_fill = _answered(corrections.bust_fill)
    correct_fill = _answered(corrections.correct_fill)

    deposit = _answered(cash.deposit)
    withdraw = _answered(cash.withdraw)
    funding = _answered(cash.funding)
    interest = _answered(cash.interest)
    dividend = _answered(cash.dividend)
    charge = _answered(cash.charge)
    fill_fee = _answered(cash.fill_fee)
    fee_rate = _answered(cash.fee_rate)
    split = _answered(lifecycle.split)
    symbol_change = _answered(lifecycle.symbol_change)
    expire = _answered(lifecycle.expire)
    exercise = _answered(lifecycle.exercise)
    assign = _answered(lifecycle.assign)
    settle = _answered(lifecycle.settle)
    liquidation = _answered(lifecycle.liquidation)
    list_events = _listed(recording.list_events, Pages)

    get_summary = _summed_up(reads.get_summary)
    list_entries = _listed(reads.list_entries, Pages)
    list_closed_trades = _listed(reads.list_closed_trades, ClosedTrades)
    explain_trade = _answered(explain.explain_trade)
    explain_position = _listed(explain.explain_position, ExplainedPosition)

    create_portfolio = _answered(portfolios.create_portfolio)
    update_portfolio = _answered(portfolios.update_portfolio)
    close_portfolio = _answered(portfolios.close_portfolio)
    list_portfolios = _listed(portfolios.list_portfolios, Pages)
    define_instrument = _answered(instruments.define_instrument)
    list_instruments = _listed(instruments.list_instruments, Pages)

    reconcile = _answered(reconciling.reconcile)
    reconcile_on_startup = _answered(reconciling.reconcile_on_startup)
    list_reconciliations = _listed(reconciling.list_reconciliations, Pages)
    get_reconciliation = _answered(reconciling.get_reconciliation)
    list_discrepancies = _listed(reconciling.list_discrepancies, Pages)
    resolve_discrepancy = _answered(reconciling.resolve_discrepancy)
    undo_resolution = _answered(reconciling.undo_resolution)

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

    def _read_all(self, call: Call[Page[values.Position]]) -> Summary:
        deadline = self._clock() + call.timeout
        read: list[Page[values.Position]] = []
        following: Call[Page[values.Position]] | None = call
        while following is not None:
            read.append(self._carry_out(following, deadline))
            following = pages.next_page(following, read[-1])
        return pages.summary(read)

    def _record(self, recording: bulk.Recording) -> Generator[FillResult, None, None]:
        attempts: Attempts | None = None
        while True:
            try:
                for result in self._record_over_one_stream(recording):
                    attempts = None
                    yield result
                return
            except grpc.RpcError as broken:
                attempts = attempts or Attempts(recording.call(), self._address, self._clock, self._random)
                pause = attempts.failed(broken)
            self._sleep(pause)

    def _record_over_one_stream(self, recording: bulk.Recording) -> Generator[FillResult, None, None]:
        outgoing: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        call = self._methods["RecordFills"](iter(outgoing.get, None))
        with Watchdog(recording.timeout, call.cancel, self._clock) as watchdog:
            try:
                for message in recording.opening():
                    outgoing.put(message)
                if not recording.unanswered:
                    return
                for answer in watchdog.watched(call):
                    yield from recording.take(answer)
                    for message in recording.following():
                        outgoing.put(message)
                    if not recording.unanswered:
                        return
            except grpc.RpcError as broken:
                raise (bulk.silent(recording.timeout) if watchdog.expired else broken) from None
            finally:
                outgoing.put(None)  # gRPC's thread waits for the next message for ever if none comes
                call.cancel()
        raise bulk.cut_short()

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
