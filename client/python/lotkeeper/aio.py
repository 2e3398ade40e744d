"""The asyncio client: the same calls, values and errors as the blocking one, carried out without blocking the loop.

Its methods are the same functions; only this shell differs. gRPC reports a call that ended with its channel as
``CancelledError``, which would look as if the task had been cancelled; it is told apart here.
"""

from __future__ import annotations

import asyncio
import random as _random
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import aclosing
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

import grpc
import grpc.aio

from lotkeeper import (
    bulk,
    bulk_aio,
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
from lotkeeper.iterators import AsyncClosedTrades, AsyncExplainedPosition, AsyncPages
from lotkeeper.publishing import AsyncPublisher
from lotkeeper.responses import FillResult, Summary
from lotkeeper.retry import Attempts, backoff
from lotkeeper.status import error_of
from lotkeeper.v1.ledger_service_pb2 import StreamPnLRequest, StreamPnLResponse

A = ParamSpec("A")
T = TypeVar("T")
V = TypeVar("V")


def connect(address: str, *, portfolio: str = "", timeout: float = DEFAULT_TIMEOUT) -> AsyncLedger:
    """A ledger at ``address``, ``host:port`` or ``unix:/path.sock``; use it in ``async with``, or ``close`` it.

    Nothing is sent yet: the first call connects, and waits for a server that is still starting.

    Args:
        address: where the sidecar listens.
        portfolio: for all calls that do not name another; empty is the server's "default".
        timeout: seconds until an answer must be there, retries included, for all calls that do not say otherwise.

    Raises:
        ValueError: the address or the timeout is none.
        RuntimeError: no event loop is running; the connection belongs to one.
    """
    asyncio.get_running_loop()
    channel = grpc.aio.insecure_channel(target(address), options=OPTIONS)
    return AsyncLedger(channel, address=address, defaults=calls.defaults(portfolio, timeout))


def _answered(
    build: Callable[Concatenate[Defaults, A], Call[T]],
) -> Callable[Concatenate[AsyncLedger, A], Coroutine[Any, Any, T]]:
    @wraps(build)
    async def method(self: AsyncLedger, /, *args: A.args, **kwargs: A.kwargs) -> T:
        return await self._carry_out(build(self._defaults, *args, **kwargs))

    return method


def _summed_up(
    build: Callable[Concatenate[Defaults, A], Call[Page[values.Position]]],
) -> Callable[Concatenate[AsyncLedger, A], Coroutine[Any, Any, Summary]]:
    @wraps(build)
    async def method(self: AsyncLedger, /, *args: A.args, **kwargs: A.kwargs) -> Summary:
        return await self._read_all(build(self._defaults, *args, **kwargs))

    return method


def _listed(
    build: Callable[Concatenate[Defaults, A], Call[Page[V]]],
    listing: Callable[[Callable[[Call[Page[V]]], Awaitable[Page[V]]], Call[Page[V]]], T],
) -> Callable[Concatenate[AsyncLedger, A], T]:
    @wraps(build)
    def method(self: AsyncLedger, /, *args: A.args, **kwargs: A.kwargs) -> T:
        return listing(self._carry_out, build(self._defaults, *args, **kwargs))

    return method


def _recorded(
    build: Callable[Concatenate[Defaults, A], bulk.Recording],
) -> Callable[Concatenate[AsyncLedger, A], AsyncGenerator[FillResult, None]]:
    @wraps(build)
    def method(self: AsyncLedger, /, *args: A.args, **kwargs: A.kwargs) -> AsyncGenerator[FillResult, None]:
        return self._record(build(self._defaults, *args, **kwargs))

    return method


def _followed(
    build: Callable[Concatenate[Defaults, A], resume.Subscription],
) -> Callable[Concatenate[AsyncLedger, A], AsyncGenerator[PnLEvent, None]]:
    @wraps(build)
    def method(self: AsyncLedger, /, *args: A.args, **kwargs: A.kwargs) -> AsyncGenerator[PnLEvent, None]:
        return self._follow(build(self._defaults, *args, **kwargs))

    return method


class AsyncLedger:
    """A ledger behind an asyncio channel; ``connect`` makes one.

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
        channel: grpc.aio.Channel,
        *,
        address: str,
        defaults: Defaults,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
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
        self._closed = False

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
    list_events = _listed(recording.list_events, AsyncPages)

    get_summary = _summed_up(reads.get_summary)
    list_entries = _listed(reads.list_entries, AsyncPages)
    list_closed_trades = _listed(reads.list_closed_trades, AsyncClosedTrades)
    explain_trade = _answered(explain.explain_trade)
    explain_position = _listed(explain.explain_position, AsyncExplainedPosition)

    create_portfolio = _answered(portfolios.create_portfolio)
    update_portfolio = _answered(portfolios.update_portfolio)
    close_portfolio = _answered(portfolios.close_portfolio)
    list_portfolios = _listed(portfolios.list_portfolios, AsyncPages)
    define_instrument = _answered(instruments.define_instrument)
    list_instruments = _listed(instruments.list_instruments, AsyncPages)

    reconcile = _answered(reconciling.reconcile)
    reconcile_on_startup = _answered(reconciling.reconcile_on_startup)
    list_reconciliations = _listed(reconciling.list_reconciliations, AsyncPages)
    get_reconciliation = _answered(reconciling.get_reconciliation)
    list_discrepancies = _listed(reconciling.list_discrepancies, AsyncPages)
    resolve_discrepancy = _answered(reconciling.resolve_discrepancy)
    undo_resolution = _answered(reconciling.undo_resolution)

    set_marks = _answered(marks.set_marks)
    list_marks = _answered(marks.list_marks)
    stream_pnl = _followed(resume.stream_pnl)

    def publish_marks(self, *, source: str = "", timeout: float | None = None) -> AsyncPublisher:
        """Marks over one stream, in an ``async with`` block: its end tells the ledger that ``source`` is interrupted.

        ``timeout`` is how many seconds the end of the stream may take.
        """
        return AsyncPublisher(self._methods["PublishMarks"], source, calls.timeout_of(self._defaults, timeout))

    async def close(self) -> None:
        """Close the connection; a stream another task still reads ends."""
        self._closed = True
        await self._channel.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def _ended_by_close(self) -> bool:
        task = asyncio.current_task()
        return self._closed and (task is None or not task.cancelling())

    async def _carry_out(self, call: Call[T], deadline: float | None = None) -> T:
        attempts = Attempts(call, self._address, self._clock, self._random, deadline)
        while True:
            try:
                answer = await self._methods[call.method](call.request, timeout=attempts.remaining())
            except grpc.aio.AioRpcError as broken:
                pause = attempts.failed(broken)
            except asyncio.CancelledError:
                if not self._ended_by_close():
                    raise
                raise LotkeeperError(grpc.StatusCode.CANCELLED, f"{call.method}: the ledger was closed") from None
            else:
                return call.read(answer)
            await self._sleep(pause)

    async def _read_all(self, call: Call[Page[values.Position]]) -> Summary:
        deadline = self._clock() + call.timeout
        read: list[Page[values.Position]] = []
        following: Call[Page[values.Position]] | None = call
        while following is not None:
            read.append(await self._carry_out(following, deadline))
            following = pages.next_page(following, read[-1])
        return pages.summary(read)

    async def _record(self, recording: bulk.Recording) -> AsyncGenerator[FillResult, None]:
        attempts: Attempts | None = None
        while True:
            try:
                async with aclosing(bulk_aio.results(self._methods["RecordFills"](), recording)) as results:
                    async for result in results:
                        attempts = None
                        yield result
                return
            except grpc.aio.AioRpcError as broken:
                attempts = attempts or Attempts(recording.call(), self._address, self._clock, self._random)
                pause = attempts.failed(broken)
            except asyncio.CancelledError:
                if not self._ended_by_close():
                    raise
                raise LotkeeperError(grpc.StatusCode.CANCELLED, "RecordFills: the ledger was closed") from None
            await self._sleep(pause)

    async def _follow(self, subscription: resume.Subscription) -> AsyncGenerator[PnLEvent, None]:
        pauses = backoff(self._random)
        while not self._closed:
            call = self._methods["StreamPnL"](subscription.request())
            try:
                while (message := await _next_message(call, subscription.silence_limit)) is not None:
                    pauses = backoff(self._random)
                    event = subscription.take(message, self._now())
                    if event is not None:
                        yield event
                error: LotkeeperError = subscription.ended()
            except TimeoutError:
                error = subscription.silent()
            except grpc.aio.AioRpcError as broken:
                error = error_of(broken)
            except asyncio.CancelledError:
                if self._ended_by_close():
                    return
                raise
            finally:
                call.cancel()  # gRPC keeps a call that nobody reads any more, and the server goes on sending
            disconnected = subscription.lost(error, self._now())
            if disconnected is not None:
                yield disconnected
            await self._sleep(next(pauses))


async def _next_message(
    call: grpc.aio.UnaryStreamCall[StreamPnLRequest, StreamPnLResponse], limit: float
) -> StreamPnLResponse | None:
    async with asyncio.timeout(limit):
        message = await call.read()
    return message if isinstance(message, StreamPnLResponse) else None
