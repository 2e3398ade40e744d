"""A real gRPC server on a real socket that says what a test wrote down: one script per connection, and then it breaks.

It speaks the contract and keeps nothing: what a ledger answers is tested elsewhere, here the connection is.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc import error_details_pb2  # type: ignore[import-untyped, unused-ignore] # typed, but without the marker

from lotkeeper.v1 import ledger_service_pb2
from tests.client.contract import SERVICES
from tests.client.samples import trailing_metadata

LONGEST_WAIT = 30  # seconds, before a test that waits for something fails

Ending = Callable[[grpc.ServicerContext, threading.Event], None]
Script = tuple[Iterable[ledger_service_pb2.StreamPnLResponse], Ending]


def breaks(context: grpc.ServicerContext, _: threading.Event) -> None:
    """The connection is lost."""
    context.abort(grpc.StatusCode.UNAVAILABLE, "broken by the test")


def ends(_: grpc.ServicerContext, __: threading.Event) -> None:
    """The stream ends without an error."""


def hangs(_: grpc.ServicerContext, over: threading.Event) -> None:
    """Nothing more comes, until the client or the test lets go."""
    over.wait(LONGEST_WAIT)


def refuses(code: grpc.StatusCode, reason: str, /, **metadata: str) -> Ending:
    """The server refuses, with a reason."""

    def refuse(context: grpc.ServicerContext, _: threading.Event) -> None:
        details = error_details_pb2.ErrorInfo(reason=reason, domain="lotkeeper", metadata=metadata)
        context.set_trailing_metadata(trailing_metadata(code, "refused by the test", details))
        context.abort(code, "refused by the test")

    return refuse


class ScriptedLedger:
    """Streams the next script for each connection; answers every other call with the next of ``answers``.

    ``streams`` and ``requests`` are the requests that came; ``called`` says that one came, ``over`` of
    each that it has ended.
    """

    def __init__(self, scripts: Sequence[Script] = (), answers: Sequence[Message | Ending] = ()) -> None:
        self.streams: list[ledger_service_pb2.StreamPnLRequest] = []
        self.requests: list[Any] = []
        self.called = threading.Event()
        self.over: list[threading.Event] = []
        self._scripts = iter(scripts)
        self._answers = iter(answers)

    def stream(
        self, request: ledger_service_pb2.StreamPnLRequest, context: grpc.ServicerContext
    ) -> Iterator[ledger_service_pb2.StreamPnLResponse]:
        """One connection."""
        over = self._begun(context)
        self.streams.append(request)
        messages, ending = next(self._scripts)
        yield from messages
        ending(context, over)

    def answer(self, request: Message, context: grpc.ServicerContext) -> Any:
        """One call."""
        over = self._begun(context)
        self.requests.append(request)
        answer = next(self._answers)
        if isinstance(answer, Message):
            return answer
        answer(context, over)
        return None

    def _begun(self, context: grpc.ServicerContext) -> threading.Event:
        # Set at the end of the call, whoever ends it and wherever the script stands.
        over = threading.Event()
        context.add_callback(over.set)
        self.over.append(over)
        self.called.set()
        return over


def _handler(ledger: ScriptedLedger, method: MethodDescriptor) -> Any:
    read, write = GetMessageClass(method.input_type).FromString, GetMessageClass(method.output_type).SerializeToString
    if method.server_streaming:
        return grpc.unary_stream_rpc_method_handler(ledger.stream, read, write)
    return grpc.unary_unary_rpc_method_handler(ledger.answer, read, write)


def _handlers(ledger: ScriptedLedger) -> Iterator[grpc.GenericRpcHandler]:
    for service in SERVICES:
        spoken = {
            name: _handler(ledger, method)
            for name, method in service.methods_by_name.items()
            if not method.client_streaming
        }
        yield grpc.method_handlers_generic_handler(service.full_name, spoken)


@contextmanager
def serving(ledger: ScriptedLedger, address: str) -> Iterator[str]:
    """The ledger at ``address``; gives the address, with the port where it was 0. Cuts every connection at the end."""
    server = grpc.server(ThreadPoolExecutor(max_workers=8), options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers(tuple(_handlers(ledger)))
    port = server.add_insecure_port(address)
    server.start()
    try:
        yield f"{address.rpartition(':')[0]}:{port}" if address.endswith(":0") else address
    finally:
        server.stop(grace=0).wait(LONGEST_WAIT)
