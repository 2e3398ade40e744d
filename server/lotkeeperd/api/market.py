"""MarketService: marks in, marks out."""

from __future__ import annotations

from collections.abc import AsyncIterator

from lotkeeper.v1 import market_service_pb2
from lotkeeperd.api.answers import Answers
from lotkeeperd.api.ledger import Peer
from lotkeeperd.api.requests import Requests
from lotkeeperd.service.ledger import Ledger
from lotkeeperd.service.ports import Clock


class MarketServicer:
    """One method per RPC, named as in the contract."""

    def __init__(self, ledger: Ledger, requests: Requests, answers: Answers, clock: Clock) -> None:
        self._ledger = ledger
        self._requests = requests
        self._answers = answers
        self._clock = clock

    async def SetMarks(  # noqa: N802
        self, request: market_service_pb2.SetMarksRequest, _peer: Peer
    ) -> market_service_pb2.SetMarksResponse:
        """Sets marks, once."""
        marks, source = self._requests.marks(request, self._clock())
        self._ledger.prices.check_source(source)
        accepted = self._ledger.prices.accept(marks, source)
        return market_service_pb2.SetMarksResponse(accepted_count=accepted, outdated_count=len(marks) - accepted)

    async def PublishMarks(  # noqa: N802
        self, messages: AsyncIterator[market_service_pb2.PublishMarksRequest], _peer: Peer
    ) -> market_service_pb2.PublishMarksResponse:
        """Sets marks for as long as the stream is open."""
        with self._ledger.prices.published() as publishing:
            async with self._ledger.unless_drained():
                async for message in messages:
                    marks, source = self._requests.marks(message, self._clock(), publishing.source)
                    self._ledger.prices.check_source(source)
                    publishing.accept(marks, source)
        return market_service_pb2.PublishMarksResponse(
            accepted_count=publishing.accepted, outdated_count=publishing.outdated
        )

    async def ListMarks(  # noqa: N802
        self, request: market_service_pb2.ListMarksRequest, _peer: Peer
    ) -> market_service_pb2.ListMarksResponse:
        """The newest mark of each instrument, and every source."""
        return market_service_pb2.ListMarksResponse(
            marks=[self._answers.mark(*mark) for mark in self._ledger.prices.all(self._requests.mark_symbols(request))],
            feeds=[self._answers.feed(source) for source in self._ledger.prices.sources()],
        )
