"""The blocking and the asyncio client under one handle, so that each test of the connection runs against both."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, closing
from itertools import islice
from typing import Any

import lotkeeper
from lotkeeper.events import PnLEvent

Told = Callable[[PnLEvent], object]

LOT: dict[str, Any] = {"symbol": "BTC-USD", "quantity": 2, "entry_price": "100.5", "entry_fill_id": "f1"}


class Caller(ABC):
    """One of the two clients."""

    @abstractmethod
    def follow(self, address: str, count: int, told: Told = print, **arguments: Any) -> list[PnLEvent]:
        """The first ``count`` events of a stream, or those until one that is ``told`` makes True; then all is closed."""

    @abstractmethod
    def call(self, address: str, method: str, **arguments: Any) -> Any:
        """What one method answers; of a list, all of it."""

    def enter(self, address: str, **arguments: Any) -> lotkeeper.CreateEntryResponse:
        """Open a lot."""
        entered: lotkeeper.CreateEntryResponse = self.call(address, "create_entry", **LOT | arguments)
        return entered


class Blocking(Caller):
    """``lotkeeper.connect``."""

    def follow(self, address: str, count: int, told: Told = print, **arguments: Any) -> list[PnLEvent]:
        """See Caller."""
        with lotkeeper.connect(address) as ledger, closing(ledger.stream_pnl(**arguments)) as stream:
            events = []
            for event in islice(stream, count):
                events.append(event)
                if told(event) is True:
                    break
            return events

    def call(self, address: str, method: str, **arguments: Any) -> Any:
        """See Caller."""
        with lotkeeper.connect(address) as ledger:
            answer = getattr(ledger, method)(**arguments)
            return list(answer) if isinstance(answer, Iterator) else answer


class Asyncio(Caller):
    """``lotkeeper.aio.connect``."""

    def follow(self, address: str, count: int, told: Told = print, **arguments: Any) -> list[PnLEvent]:
        """See Caller."""

        async def run() -> list[PnLEvent]:
            events: list[PnLEvent] = []
            async with lotkeeper.aio.connect(address) as ledger, aclosing(ledger.stream_pnl(**arguments)) as stream:
                while len(events) < count:
                    events.append(await anext(stream))
                    if told(events[-1]) is True:
                        break
            return events

        return asyncio.run(run())

    def call(self, address: str, method: str, **arguments: Any) -> Any:
        """See Caller."""

        async def run() -> Any:
            async with lotkeeper.aio.connect(address) as ledger:
                answer = getattr(ledger, method)(**arguments)
                return [each async for each in answer] if isinstance(answer, AsyncIterator) else await answer

        return asyncio.run(run())


CALLERS = (Blocking(), Asyncio())
