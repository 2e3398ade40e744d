"""The gRPC server: handlers built from the contract's descriptors, health, reflection.

Messages are parsed and serialized inside the handler, not by gRPC: bytes that are no message then get INVALID_ARGUMENT and not
INTERNAL, and a stream may write what it built once for many. A refusal becomes a status in one place. A wrapper at
registration does it: an interceptor costs a coroutine more on every call.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing
from typing import Any

import grpc
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1._async import HealthServicer
from grpc_reflection.v1alpha import reflection

from lotkeeper.v1 import (
    event_service_pb2,
    explain_service_pb2,
    instrument_service_pb2,
    ledger_service_pb2,
    market_service_pb2,
    portfolio_service_pb2,
    reconciliation_service_pb2,
)
from lotkeeperd.api.ledger import Peer
from lotkeeperd.api.status import refuse
from lotkeeperd.domain.refusals import FieldViolations, InternalError, NotYetImplemented, Refusal, Violation

log = logging.getLogger(__name__)

RECEIVE_BYTES = 4 << 20
"""Of one request."""

PENDING_CALLS = 100_000
"""Calls that may wait for the event loop to take them. gRPC's own limit begins to drop calls at 1,000 and answers them
CANCELLED, without a reason and long before the write queue is full; ours says WRITE_QUEUE_FULL and when to come again."""

QUIET = 0.05
LAST_CALLS = 1.0
"""Seconds: a server that shuts down listens until no call has come for ``QUIET``, but for ``LAST_CALLS`` at most."""

LAST_WORDS = 1.0
"""Seconds that streams have to end after the last other call was answered. They know since draining began; to one whose caller
does not read nothing can be said, and a single one of those kept the server for the whole grace."""

Context = grpc.aio.ServicerContext[bytes, bytes]

OPTIONS = (
    ("grpc.so_reuseport", 0),  # or two servers bind one port without a word
    ("grpc.max_receive_message_length", RECEIVE_BYTES),
    ("grpc.server.max_pending_requests", PENDING_CALLS),
    ("grpc.server.max_pending_requests_hard_limit", PENDING_CALLS),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
)

FILES = (
    ledger_service_pb2,
    market_service_pb2,
    portfolio_service_pb2,
    instrument_service_pb2,
    event_service_pb2,
    explain_service_pb2,
    reconciliation_service_pb2,
)
SERVICES: dict[str, ServiceDescriptor] = {
    name: service for file in FILES for name, service in file.DESCRIPTOR.services_by_name.items()
}
"""Every service of the contract, by name."""


class _CutOff(logging.Filter):
    """Keeps out of the log, with its trace, what gRPC says of an answer whose connection was gone before it was out.

    A caller may leave at any moment, and the last calls of a server that stops are cut. Neither is a failure of this program: what
    was recorded is on disk, and a caller who asks again gets the same answer.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to log it."""
        error = record.exc_info[1] if record.exc_info else None
        return not isinstance(error, grpc.aio.InternalError)


_CUT_OFF = _CutOff()


class Server:
    """Serves a ledger on one address until it is stopped."""

    def __init__(self, servicers: Mapping[str, object]) -> None:
        """``servicers`` by the name of their service in the contract."""
        logging.getLogger("grpc._cython.cygrpc").addFilter(_CUT_OFF)
        self._server = grpc.aio.server(options=OPTIONS)
        self._health = HealthServicer()
        self._calls = _Calls()
        services = [(SERVICES[name], servicer) for name, servicer in servicers.items()]
        handlers = [_service(service, servicer, self._calls) for service, servicer in services]
        self._server.add_generic_rpc_handlers([self._calls, *handlers])
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        self._names = [service.full_name for service, _ in services]
        reflection.enable_server_reflection(
            [*self._names, health_pb2.DESCRIPTOR.services_by_name["Health"].full_name, reflection.SERVICE_NAME],
            self._server,
        )

    async def start(self, address: str) -> str:
        """Listen and serve; the address with the port that was given. Raises RuntimeError when it is taken."""
        port = self._server.add_insecure_port(address)
        await self._server.start()
        await self._set_health(health_pb2.HealthCheckResponse.SERVING)
        return address if address.startswith("unix:") else f"{address.rpartition(':')[0]}:{port}"

    async def not_serving(self) -> None:
        """Tell health watchers that writing has stopped for good."""
        await self._set_health(health_pb2.HealthCheckResponse.NOT_SERVING)

    async def _set_health(self, status: int) -> None:
        for name in ("", *self._names):
            await self._health.set(name, status)

    async def drain(self) -> None:
        """Tell health watchers that this server goes away."""
        await self._health.enter_graceful_shutdown()

    async def stop(self, grace: float) -> None:
        """Answer the calls that have arrived, take no new ones, wait ``grace`` seconds for those that run.

        gRPC ends a call that it has not handed over yet as CANCELLED, which a caller does not take for a reason to
        try again. So all of them are taken first; the ledger tells them that it is shutting down. A call whose request is
        still on its way after that is cut; nothing was taken of it.
        """
        loop, counted = asyncio.get_running_loop(), -1
        end = loop.time() + min(grace, LAST_CALLS)
        while counted != self._calls.arrived and loop.time() < end:
            counted = self._calls.arrived
            await asyncio.sleep(QUIET)
        stopping = asyncio.create_task(self._server.stop(grace))
        while self._calls.answering and not stopping.done():
            await asyncio.wait((stopping,), timeout=QUIET)
        await asyncio.wait((stopping,), timeout=LAST_WORDS)
        await self._server.stop(None)
        await stopping


class _Calls(grpc.GenericRpcHandler):
    """Handles nothing, and counts: calls that were looked up, and those with one answer that are on their way to it."""

    def __init__(self) -> None:
        self.arrived = 0
        self.answering = 0

    def service(self, _details: grpc.HandlerCallDetails) -> None:
        """Every call passes here first."""
        self.arrived += 1


def _service(service: ServiceDescriptor, servicer: object, calls: _Calls) -> grpc.GenericRpcHandler:
    handlers = {method.name: _method(method, getattr(servicer, method.name, None), calls) for method in service.methods}
    return grpc.method_handlers_generic_handler(service.full_name, handlers)


def _method(
    method: MethodDescriptor, handler: Callable[..., Any] | None, calls: _Calls
) -> grpc.RpcMethodHandler[bytes, bytes]:
    if handler is None:
        return _not_yet(method)
    request = GetMessageClass(method.input_type)
    if method.server_streaming and method.client_streaming:
        return grpc.stream_stream_rpc_method_handler(_stream(request, handler, _each_parsed))
    if method.server_streaming:
        return grpc.unary_stream_rpc_method_handler(_stream(request, handler, _parsed))
    if method.client_streaming:
        return grpc.stream_unary_rpc_method_handler(_single(request, handler, _each_parsed, calls))
    return grpc.unary_unary_rpc_method_handler(_single(request, handler, _parsed, calls))


def _parsed(request: type[Message], data: bytes) -> Message:
    try:
        return request.FromString(data)
    except DecodeError as error:
        raise FieldViolations([Violation("", f"the request is not a {request.DESCRIPTOR.full_name}")]) from error


async def _each_parsed(request: type[Message], messages: AsyncIterator[bytes]) -> AsyncIterator[Message]:
    async for data in messages:
        yield _parsed(request, data)


def _single(
    request: type[Message],
    handler: Callable[[Any, Peer], Awaitable[Message]],
    parse: Callable[[type[Message], Any], object],
    calls: _Calls,
) -> Callable[..., Any]:
    """A call with one answer; ``parse`` makes what its handler takes of what the caller sent."""

    async def call(sent: Any, context: Context) -> bytes:
        refusal: Refusal
        calls.answering += 1
        try:
            try:
                return (await handler(parse(request, sent), context.peer)).SerializeToString()
            except Refusal as error:
                refusal = error
            except Exception:
                log.exception("a call failed: %s", request.DESCRIPTOR.full_name)
                refusal = InternalError()
            return await refuse(context, refusal)
        finally:
            calls.answering -= 1

    return call


def _stream(
    request: type[Message], handler: Callable[[Any, Peer], Any], parse: Callable[[type[Message], Any], object]
) -> Callable[..., Any]:
    """A call with any number of answers, which its handler hands over as bytes."""

    async def call(sent: Any, context: Context) -> None:
        refusal: Refusal | None = None
        try:
            async with aclosing(handler(parse(request, sent), context.peer)) as messages:
                async for message in messages:
                    await context.write(message)
        except Refusal as error:
            refusal = error
        except grpc.aio.UsageError:
            return  # the caller is gone
        except Exception:
            log.exception("a stream failed: %s", request.DESCRIPTOR.full_name)
            refusal = InternalError()
        if refusal is not None:
            await refuse(context, refusal)

    return call


def _not_yet(method: MethodDescriptor) -> grpc.RpcMethodHandler[bytes, bytes]:
    async def call(_request: object, context: Context) -> bytes:
        await refuse(context, NotYetImplemented(method.name))

    kinds: dict[tuple[bool, bool], Callable[..., grpc.RpcMethodHandler[bytes, bytes]]] = {
        (False, False): grpc.unary_unary_rpc_method_handler,
        (False, True): grpc.unary_stream_rpc_method_handler,
        (True, False): grpc.stream_unary_rpc_method_handler,
        (True, True): grpc.stream_stream_rpc_method_handler,
    }
    return kinds[method.client_streaming, method.server_streaming](call)
