"""One RecordFills stream as a bot keeps it open: messages go out without waiting, and answers are read when a test asks."""

from __future__ import annotations

import queue
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from lotkeeper.v1 import ledger_pb2, ledger_service_pb2
from tests.contract.asking import BUY


def execution(symbol: str, fill_id: str, quantity: str = "1", price: str = "100", **others: Any) -> ledger_pb2.Fill:
    """A Fill: bought 1 at 100."""
    given: dict[str, Any] = {"side": BUY} | others
    return ledger_pb2.Fill(symbol=symbol, fill_id=fill_id, quantity=quantity, price=price, **given)


def message(portfolio: str, *fills: ledger_pb2.Fill, **others: Any) -> ledger_service_pb2.RecordFillsRequest:
    """One message of RecordFills."""
    return ledger_service_pb2.RecordFillsRequest(portfolio_id=portfolio, fills=fills, **others)


def recorded(ledger: Any, *messages: ledger_service_pb2.RecordFillsRequest) -> list[Any]:
    """Send everything at once; the results of each message."""
    return [list(answer.results) for answer in ledger.RecordFills(iter(messages))]


class Recorder:
    """Sends messages over one call. ``sent`` is how many gRPC has taken."""

    def __init__(self, ledger: Any) -> None:
        self._messages: queue.SimpleQueue[ledger_service_pb2.RecordFillsRequest | None] = queue.SimpleQueue()
        self.sent = 0
        self.call = ledger.RecordFills(self._outgoing())

    def _outgoing(self) -> Iterator[ledger_service_pb2.RecordFillsRequest]:
        while (message := self._messages.get()) is not None:
            self.sent += 1
            yield message

    def send(self, *messages: ledger_service_pb2.RecordFillsRequest) -> None:
        """Let these be sent, one after the other."""
        for message in messages:
            self._messages.put(message)

    def results(self) -> list[ledger_service_pb2.FillResult]:
        """Those of the next answer."""
        return list(next(self.call).results)

    def end(self) -> None:
        """Say that nothing more comes."""
        self._messages.put(None)

    def rest(self) -> list[list[ledger_service_pb2.FillResult]]:
        """Say that nothing more comes; the results of every answer that is left."""
        self.end()
        return [list(answer.results) for answer in self.call]

    def cut(self) -> None:
        """Be gone without a word."""
        self.call.cancel()
        self._messages.put(None)


@contextmanager
def recording(ledger: Any, messages: Iterable[ledger_service_pb2.RecordFillsRequest] = ()) -> Iterator[Recorder]:
    """A stream that is open, and cut at the end if it is still."""
    recorder = Recorder(ledger)
    try:
        recorder.send(*messages)
        yield recorder
    finally:
        recorder.cut()
