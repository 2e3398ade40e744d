"""A blocking client in a thread, and the server's side of the wire in the test's hand.

The channel is grpcio-testing's. It passes messages as they are, without sockets, and neither waits nor times out by
itself: clock and pauses are the test's too.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, Self, TypeVar

import grpc
import grpc_testing
from google.protobuf.message import Message

from lotkeeper.calls import Defaults
from lotkeeper.client import Ledger
from tests.client.contract import METHODS, SERVICES
from tests.client.samples import trailing_metadata

T = TypeVar("T")

LONGEST_WAIT = 30  # seconds, before a test that waits for an answer fails


class Conversation:
    """``ask`` lets the client call; ``answer`` and ``refuse`` are what the server says to the next call of a method.

    ``pauses`` are the seconds the client slept between tries; ``now`` is what its clock says.
    """

    def __init__(self, portfolio: str = "", timeout: float = 5.0) -> None:
        self.now = 0.0
        self.pauses: list[float] = []
        self._channel = grpc_testing.channel(SERVICES, grpc_testing.strict_fake_time(0))
        self._questions: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self.ledger = Ledger(
            self._channel,
            address="the test",
            defaults=Defaults(portfolio, timeout),
            clock=lambda: self.now,
            sleep=self._sleep,
            random=lambda: 0.0,
        )
        # A daemon: where a test fails the client may wait for an answer for ever, and the run must end all the same.
        threading.Thread(target=self._client, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.ledger.close()
        self._questions.put(None)

    def ask(self, question: Callable[[Ledger], T]) -> Future[T]:
        """Let the client call, in its thread, after what it was asked before."""
        asked: Future[T] = Future()

        def put() -> None:
            try:
                asked.set_result(question(self.ledger))
            except Exception as error:  # noqa: BLE001 - handed to whoever asked
                asked.set_exception(error)

        self._questions.put(put)
        return asked

    def _client(self) -> None:
        while (question := self._questions.get()) is not None:
            question()

    def answer(self, method: str, response: Message) -> Any:
        """Answer the next call of ``method``; gives its request."""
        _, request, call = self._channel.take_unary_unary(METHODS[method])
        call.terminate(response, (), grpc.StatusCode.OK, "")
        return request

    def refuse(self, method: str, code: grpc.StatusCode, words: str, *details: Message) -> Any:
        """Refuse the next call of ``method``; gives its request."""
        _, request, call = self._channel.take_unary_unary(METHODS[method])
        call.terminate(None, trailing_metadata(code, words, *details), code, words)
        return request

    def stream(self, method: str) -> tuple[Any, Any]:
        """The request of the next call of ``method``, and the server's end of its stream."""
        _, request, call = self._channel.take_unary_stream(METHODS[method])
        return request, call

    def _sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds
