"""Many writes in little time: one connection, hundreds of calls in flight."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from typing import Any

import grpc.aio

from lotkeeper.v1.ledger_service_pb2_grpc import LedgerServiceStub
from tests.support.dialing import CALL_SECONDS

IN_FLIGHT = 256


def create_entries(address: str, requests: Iterable[Any]) -> None:
    """Send every CreateEntry; returns when all are acknowledged. The order in which they are recorded is any."""
    asyncio.run(_create_entries(address, iter(requests)))


async def _create_entries(address: str, requests: Iterator[Any]) -> None:
    async with grpc.aio.insecure_channel(address) as channel:
        call = LedgerServiceStub(channel).CreateEntry

        async def caller() -> None:
            for request in requests:
                await call(request, timeout=CALL_SECONDS)

        await asyncio.gather(*(caller() for _ in range(IN_FLIGHT)))
