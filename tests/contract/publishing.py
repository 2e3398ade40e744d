"""One PublishMarks stream as a bot keeps it open: messages go out one by one, and it ends, or is cut, when a test says so."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lotkeeper.v1 import market_service_pb2


class Publisher:
    """Sends messages over one call."""

    def __init__(self, market: Any) -> None:
        self._messages: queue.SimpleQueue[market_service_pb2.PublishMarksRequest | None] = queue.SimpleQueue()
        self.call = market.PublishMarks.future(iter(self._messages.get, None))

    def send(self, *prices: tuple[str, str], source: str = "", time: int | None = None) -> None:
        """A message with these marks."""
        message = market_service_pb2.PublishMarksRequest(source=source)
        for symbol, price in prices:
            mark = message.marks.add(symbol=symbol, price=price)
            if time is not None:
                mark.observe_time.FromNanoseconds(time)
        self._messages.put(message)

    def end(self) -> market_service_pb2.PublishMarksResponse:
        """Say that nothing more comes; what the server did."""
        self._messages.put(None)
        answer: market_service_pb2.PublishMarksResponse = self.call.result()
        return answer

    def cut(self) -> None:
        """Be gone without a word."""
        self.call.cancel()
        self._messages.put(None)


@contextmanager
def publishing(market: Any) -> Iterator[Publisher]:
    """A stream that is open, and cut at the end if it is still."""
    publisher = Publisher(market)
    try:
        yield publisher
    finally:
        publisher.cut()
