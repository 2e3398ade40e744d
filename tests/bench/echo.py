"""The baseline of every call: a grpc.aio server without interceptors that answers with constant, pre-built bytes.

It parses nothing and builds nothing, so what a call costs beyond it is what the ledger costs.
"""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Mapping
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Self

import grpc

START_SECONDS = 30.0

_context = multiprocessing.get_context("spawn")


class Echo:
    """A server in a process of its own; ``answers`` by full method name (``/package.Service/Method``)."""

    def __init__(self, answers: Mapping[str, bytes]) -> None:
        self._pipe, theirs = _context.Pipe()
        self._process = _context.Process(target=_serve, args=(theirs, dict(answers)), daemon=True)
        self._process.start()
        theirs.close()
        self.address = ""

    def __enter__(self) -> Self:
        if not self._pipe.poll(START_SECONDS):
            self._process.kill()
            raise TimeoutError(f"the echo server did not start within {START_SECONDS:g} s")
        self.address = self._pipe.recv()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pipe.close()  # its sign to stop
        self._process.join(START_SECONDS)
        if self._process.is_alive():
            self._process.kill()


class _Answers(grpc.GenericRpcHandler):
    def __init__(self, answers: Mapping[str, bytes]) -> None:
        self._handlers = {method: _constant(answer) for method, answer in answers.items()}

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[bytes, bytes] | None:
        return self._handlers.get(handler_call_details.method)


def _constant(answer: bytes) -> grpc.RpcMethodHandler[bytes, bytes]:
    async def call(_request: bytes, _context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
        return answer

    return grpc.unary_unary_rpc_method_handler(call)


def _serve(pipe: Connection, answers: Mapping[str, bytes]) -> None:
    asyncio.run(_served(pipe, answers))


async def _served(pipe: Connection, answers: Mapping[str, bytes]) -> None:
    server = grpc.aio.server(options=(("grpc.so_reuseport", 0),))
    server.add_generic_rpc_handlers((_Answers(answers),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    pipe.send(f"127.0.0.1:{port}")
    stop = asyncio.Event()
    asyncio.get_running_loop().add_reader(pipe.fileno(), stop.set)  # readable once the other end is closed
    await stop.wait()
    await server.stop(0)
