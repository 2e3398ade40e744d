"""LedgerService: parse, ask the ledger, build the answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from decimal import Decimal

from lotkeeper.v1 import ledger_pb2, ledger_service_pb2
from lotkeeperd.api.answers import MESSAGE_BYTES, Answers, fitting
from lotkeeperd.api.pages import PageTokens
from lotkeeperd.api.requests import Requests
from lotkeeperd.domain.decimals import plain
from lotkeeperd.domain.trades import Totals
from lotkeeperd.service.ledger import Ledger
from lotkeeperd.service.ports import Clock, Position
from lotkeeperd.service.summary import Summary

POSITIONS_PER_TURN = 500
"""Positions built before the event loop has a turn."""

TOTALS_BYTES = 1 << 16
"""Kept free beside a page's rows."""

_requests = ledger_service_pb2

Peer = Callable[[], str]
"""Who calls: one connection. Asked only where it matters, because asking costs microseconds."""

NAMELESS = ("unix:", "unknown")
"""What gRPC says of everybody who calls over a socket file: these cannot be told apart, so no limit can be one caller's."""


class LedgerServicer:
    """One method per RPC, named as in the contract; each returns a message, StreamPnL bytes."""

    def __init__(self, ledger: Ledger, requests: Requests, answers: Answers, clock: Clock) -> None:
        self._ledger = ledger
        self._requests = requests
        self._answers = answers
        self._clock = clock
        self._pages = PageTokens(ledger.ledger_id)

    async def CreateEntry(  # noqa: N802
        self, request: _requests.CreateEntryRequest, _peer: Peer
    ) -> _requests.CreateEntryResponse:
        """Opens one lot."""
        outcome = await self._ledger.submit(self._requests.create_entry(request, self._clock()))
        return self._answers.created(outcome, self._ledger.position(outcome))

    async def CloseFifo(  # noqa: N802
        self, request: _requests.CloseFifoRequest, _peer: Peer
    ) -> _requests.CloseFifoResponse:
        """Closes open lots, oldest first."""
        outcome = await self._ledger.submit(self._requests.close_fifo(request, self._clock()))
        return self._answers.closed(outcome, self._ledger.position(outcome))

    async def RecordFill(  # noqa: N802
        self, request: _requests.RecordFillRequest, _peer: Peer
    ) -> _requests.RecordFillResponse:
        """Records one execution."""
        outcome = await self._ledger.submit(self._requests.record_fill(request, self._clock()))
        return self._answers.recorded(outcome, self._ledger.position(outcome))

    async def GetSummary(  # noqa: N802
        self, request: _requests.GetSummaryRequest, peer: Peer
    ) -> _requests.GetSummaryResponse:
        """Positions and totals of one moment, a page of them."""
        asked, size = self._requests.summary(request)
        if request.page_token:
            name, start = self._pages.read(request.page_token, asked)
            summary = self._ledger.summaries.kept(name, asked, peer())
        else:
            name, start = "", 0
            summary = self._ledger.summaries.take(asked)
        positions = await self._positions(summary, start, size)
        end = start + len(positions)
        token = ""
        if end < len(summary.positions):
            token = self._pages.make(asked, name or self._ledger.summaries.keep(summary, peer()), end)
        return ledger_service_pb2.GetSummaryResponse(
            positions=positions,
            totals=[self._answers.totals(summary.totals)],
            sequence=summary.sequence,
            ledger_id=self._ledger.ledger_id,
            next_page_token=token,
        )

    async def _positions(self, summary: Summary, start: int, size: int) -> list[ledger_pb2.Position]:
        positions: list[ledger_pb2.Position] = []
        room = MESSAGE_BYTES - TOTALS_BYTES
        for symbol, valued in summary.positions[start : start + size]:
            key = (summary.asked.portfolio_id, symbol)
            if summary.asked.include_entries:
                position = self._answers.with_entries(key, valued, MESSAGE_BYTES - TOTALS_BYTES)
            else:
                position = self._answers.valued(key, valued)
            room -= position.ByteSize() + 6
            if room < 0 and positions:
                break
            positions.append(position)
            if len(positions) % POSITIONS_PER_TURN == 0 or summary.asked.include_entries:
                await asyncio.sleep(0)
        return positions

    async def ListEntries(  # noqa: N802
        self, request: _requests.ListEntriesRequest, _peer: Peer
    ) -> _requests.ListEntriesResponse:
        """A page of lots, in FIFO order."""
        wanted, size = self._requests.entries(request)
        after: tuple[int, int] | None = None
        if request.page_token:
            time, sequence = self._pages.read(request.page_token, wanted)
            after = (time, sequence)
        found = await self._ledger.entries(wanted, after, size + 1)
        shown = fitting((self._answers.entry(entry) for entry in found[:size]), MESSAGE_BYTES - TOTALS_BYTES)
        token = ""
        if len(shown) < len(found):
            last = found[len(shown) - 1].opened
            token = self._pages.make(wanted, last.time, last.sequence)
        return ledger_service_pb2.ListEntriesResponse(entries=shown, next_page_token=token)

    async def ListClosedTrades(  # noqa: N802
        self, request: _requests.ListClosedTradesRequest, _peer: Peer
    ) -> _requests.ListClosedTradesResponse:
        """A page of closed trades in the order they were closed, and the sums over all of them."""
        wanted, size = self._requests.trades(request)
        after: Position | None = None
        if request.page_token:
            sequence, index, until, *sums = self._pages.read(request.page_token, wanted)
            after, totals = (sequence, index), Totals(*map(Decimal, sums))
        else:
            totals, until = await self._ledger.trade_totals(wanted)
        found = await self._ledger.trades(wanted, after, until, size + 1)
        shown = fitting((self._answers.trade(trade) for trade in found[:size]), MESSAGE_BYTES - TOTALS_BYTES)
        token = ""
        if len(shown) < len(found):
            last = found[len(shown) - 1]
            token = self._pages.make(
                wanted,
                last.sequence,
                last.trade_index,
                until,
                plain(totals.gross_realized),
                plain(totals.realized_fees),
            )
        return ledger_service_pb2.ListClosedTradesResponse(
            closed_trades=shown, next_page_token=token, totals=[self._answers.realized(totals)]
        )

    def StreamPnL(  # noqa: N802
        self, request: _requests.StreamPnLRequest, peer: Peer
    ) -> AsyncGenerator[bytes]:
        """A snapshot, then changes, then heartbeats while nothing changes."""
        caller = peer()
        return self._ledger.follow(self._requests.stream(request), "" if caller in NAMELESS else caller)
