"""LedgerService: parse, ask the ledger, build the answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from decimal import Decimal, localcontext

from lotkeeper.v1 import ledger_pb2, ledger_service_pb2, reconciliation_pb2
from lotkeeperd.api.answers import MESSAGE_BYTES, Answers, fitting
from lotkeeperd.api.bulk import Exchange
from lotkeeperd.api.pages import PageTokens
from lotkeeperd.api.requests import Requests
from lotkeeperd.domain.decimals import EXACT, plain
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

Reconciling = Callable[[reconciliation_pb2.ReconcileRequest, Peer], Awaitable[reconciliation_pb2.ReconcileResponse]]


def _totals(stored: list[str]) -> Totals:
    currency, gross, fees = stored
    return Totals(currency, Decimal(gross), Decimal(fees))


class LedgerServicer:
    """One method per RPC, named as in the contract; each returns a message, those that stream bytes."""

    def __init__(
        self, ledger: Ledger, requests: Requests, answers: Answers, clock: Clock, reconciling: Reconciling
    ) -> None:
        self._ledger = ledger
        self._reconciling = reconciling
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

    def RecordFills(  # noqa: N802
        self, messages: AsyncIterator[_requests.RecordFillsRequest], _peer: Peer
    ) -> AsyncGenerator[bytes]:
        """Records executions in bulk."""
        return Exchange(self._ledger, self._requests, self._clock).answers(messages)

    async def GetSummary(  # noqa: N802
        self, request: _requests.GetSummaryRequest, peer: Peer
    ) -> _requests.GetSummaryResponse:
        """Positions, groups and totals of one moment, a page of them."""
        asked, size = self._requests.summary(request)
        if request.page_token:
            name, start = self._pages.read(request.page_token, asked)
            summary = self._ledger.summaries.kept(name, asked, peer())
        else:
            name, start = "", 0
            summary = await self._ledger.summary(asked)
        groups, room = await self._groups(summary, start)
        end = start + len(groups)
        positions: list[ledger_pb2.Position] = []
        if end >= len(summary.groups):
            positions = await self._positions(summary, end - len(summary.groups), size, room, not groups)
        end += len(positions)
        token = ""
        if end < len(summary.groups) + len(summary.positions):
            token = self._pages.make(asked, name or self._ledger.summaries.keep(summary, peer()), end)
        return ledger_service_pb2.GetSummaryResponse(
            positions=positions,
            totals=self._answers.totals(summary.totals),
            base_totals=self._answers.base_totals(summary.totals.base),
            sequence=summary.sequence,
            ledger_id=self._ledger.ledger_id,
            next_page_token=token,
            groups=groups,
        )

    async def _groups(self, summary: Summary, start: int) -> tuple[list[ledger_pb2.GroupPnL], int]:
        """As many groups as fit, which come before all positions, and the room that is left."""
        groups: list[ledger_pb2.GroupPnL] = []
        room = MESSAGE_BYTES - TOTALS_BYTES
        for figures in summary.groups[start:]:
            with localcontext(EXACT):
                group = self._answers.group(figures)
            room -= group.ByteSize() + 6
            if room < 0 and groups:
                break
            groups.append(group)
            if len(groups) % POSITIONS_PER_TURN == 0:
                await asyncio.sleep(0)
        return groups, room

    async def _positions(
        self, summary: Summary, start: int, size: int, room: int, at_least_one: bool
    ) -> list[ledger_pb2.Position]:
        positions: list[ledger_pb2.Position] = []
        for place, valued in summary.positions[start : start + size]:
            key = (summary.asked.portfolio_id, *place)
            if summary.asked.include_entries:
                position = self._answers.with_entries(key, valued, MESSAGE_BYTES - TOTALS_BYTES)
            else:
                position = self._answers.valued(key, valued)
            room -= position.ByteSize() + 6
            if room < 0 and (positions or not at_least_one):
                break
            positions.append(position)
            if len(positions) % POSITIONS_PER_TURN == 0 or summary.asked.include_entries:
                await asyncio.sleep(0)
        return positions

    async def Reconcile(  # noqa: N802
        self, request: reconciliation_pb2.ReconcileRequest, peer: Peer
    ) -> reconciliation_pb2.ReconcileResponse:
        """Compares the ledger with the broker; what belongs to that stands beside ReconciliationService."""
        return await self._reconciling(request, peer)

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
        asked = (*wanted, request.day)
        if request.day:
            wanted = self._ledger.of_day(wanted, request.day)
        after: Position | None = None
        if request.page_token:
            sequence, index, until, *sums = self._pages.read(request.page_token, asked)
            after, totals = (sequence, index), [_totals(one) for one in sums]
        else:
            totals, until = await self._ledger.trade_totals(wanted)
        found = await self._ledger.trades(wanted, after, until, size + 1)
        shown = fitting((self._answers.trade(trade) for trade in found[:size]), MESSAGE_BYTES - TOTALS_BYTES)
        token = ""
        if len(shown) < len(found):
            last = found[len(shown) - 1]
            token = self._pages.make(
                asked,
                last.sequence,
                last.trade_index,
                until,
                *((one.currency, plain(one.gross_realized), plain(one.realized_fees)) for one in totals),
            )
        return ledger_service_pb2.ListClosedTradesResponse(
            closed_trades=shown, next_page_token=token, totals=[self._answers.realized(one) for one in totals]
        )

    def StreamPnL(  # noqa: N802
        self, request: _requests.StreamPnLRequest, peer: Peer
    ) -> AsyncGenerator[bytes]:
        """A snapshot, then changes, then heartbeats while nothing changes."""
        caller = peer()
        return self._ledger.follow(self._requests.stream(request), "" if caller in NAMELESS else caller)
