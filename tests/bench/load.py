"""The client: one grpc.aio channel, bytes out and bytes in, the same for echo and ledger. Run it apart.

A call that fails fails the measurement: nothing here counts refusals as answers.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager

import grpc

from lotkeeper.channel import OPTIONS

WARM_UP = 0.05
"""Share of the calls that are made before the clock starts."""

CALL_SECONDS = 60.0

Call = Callable[[bytes], "grpc.aio.UnaryUnaryCall[bytes, bytes]"]


@asynccontextmanager
async def caller(address: str, method: str) -> AsyncIterator[Call]:
    """One method of a server, over a channel as the client library makes it."""
    async with grpc.aio.insecure_channel(address, options=OPTIONS) as channel:
        multicallable: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(method)

        def call(request: bytes) -> grpc.aio.UnaryUnaryCall[bytes, bytes]:
            return multicallable(request, timeout=CALL_SECONDS)

        yield call


def one_answer(address: str, method: str, request: bytes) -> bytes:
    """What one call is answered with."""

    async def answer() -> bytes:
        async with caller(address, method) as call:
            return await call(request)

    return asyncio.run(answer())


def calls_per_second(address: str, method: str, requests: Sequence[bytes], in_flight: int) -> float:
    """How many of ``requests`` are answered in a second with ``in_flight`` of them under way."""
    return asyncio.run(_calls_per_second(address, method, requests, in_flight))


async def _calls_per_second(address: str, method: str, requests: Sequence[bytes], in_flight: int) -> float:
    warm = max(in_flight, int(len(requests) * WARM_UP))
    async with caller(address, method) as call:
        await _burst(call, iter(requests[:warm]), in_flight)
        started = time.perf_counter()
        await _burst(call, iter(requests[warm:]), in_flight)
        return (len(requests) - warm) / (time.perf_counter() - started)


async def _burst(call: Call, requests: Iterator[bytes], in_flight: int) -> None:
    async def one_after_another() -> None:
        for request in requests:
            await call(request)

    await asyncio.gather(*(one_after_another() for _ in range(in_flight)))


def sent(address: str, method: str, requests: Sequence[bytes], in_flight: int) -> None:
    """Have them answered, all."""

    async def send() -> None:
        async with caller(address, method) as call:
            await _burst(call, iter(requests), in_flight)

    asyncio.run(send())


def latencies(address: str, method: str, requests: Sequence[bytes]) -> list[float]:
    """Milliseconds each of ``requests`` took, one at a time, without the warm-up."""
    return asyncio.run(_latencies(address, method, requests))


async def _latencies(address: str, method: str, requests: Sequence[bytes]) -> list[float]:
    taken = []
    async with caller(address, method) as call:
        for request in requests:
            started = time.perf_counter()
            await call(request)
            taken.append((time.perf_counter() - started) * 1e3)
    return taken[int(len(taken) * WARM_UP) :]
