"""One stream of ``record_fills`` for asyncio: what the blocking client leaves to a thread of gRPC's is written here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import suppress
from typing import Any

import grpc
import grpc.aio
from google.protobuf.message import Message

from lotkeeper import bulk
from lotkeeper.responses import FillResult
from lotkeeper.status import FirstStatus
from lotkeeper.v1.ledger_service_pb2 import RecordFillsResponse


async def results(call: Any, recording: bulk.Recording) -> AsyncGenerator[FillResult, None]:
    """The results that come over one stream, ``call``, which is cancelled when they end or are no longer wanted.

    Raises:
        LotkeeperError: no answer came in time.
        grpc.aio.AioRpcError: the stream ended before everything was answered.
    """
    status = FirstStatus(call)
    try:
        await _write_all(call, recording.opening())
        while recording.unanswered:
            async with asyncio.timeout(recording.timeout):
                answer = await call.read()
            if not isinstance(answer, RecordFillsResponse):
                raise bulk.cut_short()
            for result in recording.take(answer):
                yield result
            await _write_all(call, recording.following())
    except TimeoutError:
        raise bulk.silent(recording.timeout) from None
    except grpc.aio.AioRpcError as broken:
        raise await status.of(broken) from None
    finally:
        call.cancel()


async def _write_all(call: Any, messages: Iterable[Message]) -> None:
    """Write, and leave it to the next read to say why that cannot be done: the answers before the end come first."""
    for message in messages:
        with suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
            await call.write(message)
