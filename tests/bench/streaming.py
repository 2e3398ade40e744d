"""Who pushes marks and who follows them, each in a process of its own, on one clock.

A mark's observe_time is the publisher's clock right before it is sent, and a position carries the time of the mark that valued
it, so a message tells by itself how old its newest mark is when it arrives: from before the call that brought the mark in, to
after the subscriber has the message in hand.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import NamedTuple

import grpc

from lotkeeper.channel import OPTIONS
from lotkeeper.v1 import ledger_service_pb2, market_service_pb2
from tests.bench import calls

NANOSECONDS = 1_000_000_000


class Push(NamedTuple):
    """How marks are pushed: so many symbols, in messages of so many marks, at so many marks a second, for so long."""

    symbols: int
    marks_per_message: int
    marks_per_second: int
    seconds: float


class Pushed(NamedTuple):
    """What was pushed: marks that the server took, in the seconds that took."""

    marks: int
    seconds: float


class Follow(NamedTuple):
    """So many subscribers, from ``start`` to ``end`` (nanoseconds UTC), with a least interval in milliseconds."""

    subscribers: int
    start: int
    end: int
    interval_ms: int = 0


class Followed(NamedTuple):
    """What subscribers got: age of each message's newest mark in milliseconds, values shown and values folded."""

    ages: list[float]
    messages: int
    distinct: int
    size: int
    shown: int
    folded: int


def push(address: str, wanted: Push) -> Pushed:
    """Push marks on schedule over one PublishMarks; what the server does not take in time comes later and together."""
    return asyncio.run(_push(address, wanted))


async def _push(address: str, wanted: Push) -> Pushed:
    messages = int(wanted.seconds * wanted.marks_per_second / wanted.marks_per_message)
    step = wanted.marks_per_message / wanted.marks_per_second
    names = [calls.symbol_name(number) for number in range(wanted.symbols)]
    async with grpc.aio.insecure_channel(address, options=OPTIONS) as channel:
        stream: grpc.aio.StreamUnaryMultiCallable[bytes, bytes] = channel.stream_unary(calls.PUBLISH_MARKS)
        call = stream()
        started = time.perf_counter()
        for number in range(messages):
            if (early := started + number * step - time.perf_counter()) > 0:
                await asyncio.sleep(early)
            await call.write(_marks(names, number, wanted.marks_per_message))
        await call.done_writing()
        answer = market_service_pb2.PublishMarksResponse.FromString(await call)
    return Pushed(answer.accepted_count, time.perf_counter() - started)


def _marks(names: Sequence[str], message: int, count: int) -> bytes:
    """The next symbols in turn, each at a price it did not have before."""
    first = message * count
    prices = ((names[number % len(names)], calls.price_of(number)) for number in range(first, first + count))
    return calls.marks(prices, time.time_ns())


def follow(address: str, wanted: Follow) -> Followed:
    """Follow with many subscribers; what arrives before ``start`` is warm-up."""
    return asyncio.run(_follow(address, wanted))


class _Got:
    """Messages as they came; equal ones are kept once, and parsed when it is over."""

    def __init__(self) -> None:
        self.arrived: list[tuple[int, bytes]] = []
        self._kept: dict[bytes, bytes] = {}

    def take(self, message: bytes) -> None:
        self.arrived.append((time.time_ns(), self._kept.setdefault(message, message)))

    def summed(self, start: int, end: int) -> Followed:
        read = {message: _read(message) for message in self._kept}
        inside = [(at, message) for at, message in self.arrived if start <= at < end and read[message].shown]
        ages = [(at - read[message].newest) / 1e6 for at, message in inside]
        size = sum(len(message) for _, message in inside)
        shown = sum(read[message].shown for _, message in inside)
        folded = sum(read[message].folded for _, message in inside)
        distinct = len({id(message) for _, message in inside})
        return Followed(ages, len(inside), distinct, size, shown, folded)


class _Read(NamedTuple):
    """Of one message: positions it shows, mark changes folded into it, time of its newest mark."""

    shown: int
    folded: int
    newest: int


def _read(data: bytes) -> _Read:
    update = ledger_service_pb2.StreamPnLResponse.FromString(data).update
    times = [position.mark_time.seconds * NANOSECONDS + position.mark_time.nanos for position in update.positions]
    return _Read(len(times), update.conflated_count, max(times, default=0))


async def _follow(address: str, wanted: Follow) -> Followed:
    got = _Got()
    readers = [asyncio.create_task(_read_on(address, wanted, got)) for _ in range(wanted.subscribers)]
    await asyncio.sleep(max(0.0, (wanted.end - time.time_ns()) / NANOSECONDS))
    for reader in readers:
        reader.cancel()
    for outcome in await asyncio.gather(*readers, return_exceptions=True):
        if isinstance(outcome, Exception):
            raise outcome
    return got.summed(wanted.start, wanted.end)


async def _read_on(address: str, wanted: Follow, got: _Got) -> None:
    """One subscriber with a connection of its own, as a bot has."""
    request = ledger_service_pb2.StreamPnLRequest()
    request.min_update_interval.FromMilliseconds(wanted.interval_ms)
    options = (*OPTIONS, ("grpc.use_local_subchannel_pool", 1))
    async with grpc.aio.insecure_channel(address, options=options) as channel:
        stream: grpc.aio.UnaryStreamMultiCallable[bytes, bytes] = channel.unary_stream(calls.STREAM_PNL)
        call = stream(request.SerializeToString())
        try:
            async for message in call:
                got.take(message)
        finally:
            call.cancel()
