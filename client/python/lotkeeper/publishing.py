"""Marks over one stream that stays open, for bots with a feed of their own: ``publish_marks`` of both clients.

The end of the stream tells the ledger that this source is interrupted: its marks are stale at once, and not only when they
have grown old. So it ends with the ``with`` block, and with the process. A stream that is lost is not opened again here: the
marks that waited for it are old news by then. ``send`` raises, and the caller opens another with the price it has now.

What is sent waits in a queue of a few messages, here or in gRPC; when the server does not keep up ``send`` waits, so nothing
grows without bound.
"""

from __future__ import annotations

import asyncio
import queue
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import grpc

from lotkeeper import answers, fields, marks, responses, values
from lotkeeper.errors import LotkeeperError
from lotkeeper.fields import DecimalLike
from lotkeeper.status import FirstStatus, error_of
from lotkeeper.v1.market_service_pb2 import PublishMarksRequest

if TYPE_CHECKING:
    from collections.abc import Callable

AHEAD = 16  # messages that may wait to be sent
LOOK = 0.1  # seconds between two looks whether the stream that makes us wait still lives

Marks = Mapping[str, DecimalLike] | Iterable[values.Mark]


def _message(given: Marks, source: str) -> PublishMarksRequest:
    return PublishMarksRequest(marks=marks.messages(given), source=source)


class Publisher:
    """An open stream of marks; a context manager. ``result`` is there after the block has ended."""

    def __init__(self, method: Any, source: str, timeout: float) -> None:
        self._method = method
        self._source = fields.text("source", source)
        self._timeout = timeout
        self._waiting: queue.Queue[PublishMarksRequest | None] = queue.Queue(AHEAD)
        self.result: responses.PublishMarksResponse | None = None

    def __enter__(self) -> Self:
        self._call = self._method.future(iter(self._waiting.get, None))
        return self

    def send(self, marks: Marks) -> None:
        """Send ``{symbol: price}``, or ``Mark`` values that say when they were observed.

        Raises:
            TypeError: a float, or another type that cannot be sent exactly.
            LotkeeperError: the stream has ended; the ledger refused a mark, or is gone.
        """
        self._put(_message(marks, self._source))

    def _put(self, message: PublishMarksRequest | None) -> None:
        while not self._call.done():
            try:
                self._waiting.put(message, timeout=LOOK)
            except queue.Full:
                continue
            return
        raise self._error()

    def _error(self) -> LotkeeperError:
        broken = self._call.exception()
        if isinstance(broken, grpc.RpcError):
            return error_of(broken)
        return LotkeeperError(grpc.StatusCode.CANCELLED, "the server ended the stream")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._put(None)
                self.result = answers.publish_marks(self._call.result(timeout=self._timeout))
        except grpc.RpcError as broken:
            raise error_of(broken) from None
        except grpc.FutureTimeoutError:
            raise LotkeeperError(grpc.StatusCode.DEADLINE_EXCEEDED, "the server did not end the stream") from None
        finally:
            self._call.cancel()
            self._release()

    def _release(self) -> None:
        """Let gRPC's thread go: it waits for the next message for ever if none comes."""
        while True:
            try:
                self._waiting.put_nowait(None)
            except queue.Full:
                self._waiting.get_nowait()
            else:
                return


class AsyncPublisher:
    """The same for asyncio."""

    def __init__(self, method: Callable[..., Any], source: str, timeout: float) -> None:
        self._method = method
        self._source = fields.text("source", source)
        self._timeout = timeout
        self.result: responses.PublishMarksResponse | None = None

    async def __aenter__(self) -> Self:
        self._call = self._method()
        self._status = FirstStatus(self._call)
        return self

    async def send(self, marks: Marks) -> None:
        """Send ``{symbol: price}``, or ``Mark`` values that say when they were observed.

        Raises:
            TypeError: a float, or another type that cannot be sent exactly.
            LotkeeperError: the stream has ended; the ledger refused a mark, or is gone.
        """
        message = _message(marks, self._source)
        try:
            await self._call.write(message)
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
            raise await self._error() from None

    async def _error(self) -> LotkeeperError:
        try:
            async with asyncio.timeout(self._timeout):
                await self._call
        except grpc.aio.AioRpcError as broken:
            return error_of(self._status.known or broken)
        except TimeoutError:
            pass  # what the server said did not come
        return LotkeeperError(grpc.StatusCode.CANCELLED, "the server ended the stream")

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                async with asyncio.timeout(self._timeout):
                    await self._call.done_writing()
                    self.result = answers.publish_marks(await self._call)
        except grpc.aio.AioRpcError:
            raise await self._error() from None
        except TimeoutError:
            raise LotkeeperError(grpc.StatusCode.DEADLINE_EXCEEDED, "the server did not end the stream") from None
        finally:
            self._call.cancel()
