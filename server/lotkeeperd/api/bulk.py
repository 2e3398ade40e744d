"""RecordFills: messages of many executions in, one answer for each, in order, without waiting in between.

Problem: a caller that waits for every answer pays a flush per message, and a server that answers as it reads does nothing while
it flushes. Therefore one task reads ahead, parses and queues, and another awaits what was queued and answers. What is read
ahead is bounded: a caller that does not read its answers stops being read from, and flow control tells it so.

What is wrong with one execution stands in its own result, and its neighbours go on. What is wrong with a message, or with the
server, ends the stream, after the answers to all messages before it; nothing after it is written, so that a caller may go on
from there with the same fill ids.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from typing import Any, NamedTuple

from lotkeeper.v1 import ledger_service_pb2
from lotkeeperd.api.fields import Fields
from lotkeeperd.api.requests import Requests, late
from lotkeeperd.api.status import TABLE
from lotkeeperd.domain.commands import Command, Excess
from lotkeeperd.domain.decimals import plain
from lotkeeperd.domain.refusals import FieldViolations, Refusal, ServerDraining, WriteQueueFull
from lotkeeperd.service.ledger import Ledger
from lotkeeperd.service.outcomes import Receipt
from lotkeeperd.service.ports import Clock
from lotkeeperd.service.queue import Pipeline, Receipts

FILLS = 1000
"""Executions in one message."""

AHEAD = 4
"""Messages of one stream that are read before the oldest of them is answered."""


WORDS_BYTES = 400
"""Of what a result says of a refusal: a thousand results with the longest ids then stay below 1 MiB."""


class Message(NamedTuple):
    """One message, parsed: a command for each execution that can be recorded, a refusal by its place for each that cannot."""

    fill_ids: Sequence[str]
    commands: list[Command]
    refused: dict[int, Refusal]


class _Asked(NamedTuple):
    message: Message
    answer: asyncio.Future[Receipts | Refusal]


def parsed(requests: Requests, request: ledger_service_pb2.RecordFillsRequest, now: int) -> Message:
    """What ``request`` asks for, at the server's clock. Raises FieldViolations where it breaks a rule of the message."""
    fields = Fields()
    portfolio_id = fields.portfolio("portfolio_id", request.portfolio_id)
    excess = requests.excess(fields, request.excess_policy, Excess.UNSPECIFIED)
    in_time_order = late(fields, request.late_policy)
    if len(request.fills) > FILLS:
        fields.wrong("fills", f"{len(request.fills)} fills, at most {FILLS} are allowed: send them in several messages")
        fields.check()
    fills = list(request.fills)
    fill_ids = [fill.fill_id for fill in fills]
    for place, fill_id in enumerate(fill_ids):
        if not fill_id:
            fields.wrong(
                f"fills[{place}].fill_id", "is empty: without one a message that is sent again would count twice"
            )
    fields.check()
    commands: list[Command] = []
    refused: dict[int, Refusal] = {}
    for place, fill in enumerate(fills):
        command = requests.execution(fields, portfolio_id, fill, now, excess, brief=True, late=in_time_order)
        if fields.broken:
            refused[place] = fields.refusal()
            fields = Fields()
        else:
            commands.append(command)
    return Message(fill_ids, commands, refused)


class Exchange:
    """One RecordFills stream."""

    def __init__(self, ledger: Ledger, requests: Requests, clock: Clock) -> None:
        self._ledger = ledger
        self._requests = requests
        self._clock = clock
        self._pipeline = Pipeline()
        self._asked: asyncio.Queue[_Asked | Exception | None] = asyncio.Queue(AHEAD)
        self._newest: asyncio.Future[Receipts | Refusal] | None = None

    async def answers(self, messages: AsyncIterator[ledger_service_pb2.RecordFillsRequest]) -> AsyncGenerator[bytes]:
        """One answer per message, once it is on disk. Raises the Refusal that ends the stream."""
        reader = asyncio.create_task(self._read_ahead(messages), name="RecordFills")
        try:
            while (asked := await self._asked.get()) is not None:
                if isinstance(asked, Exception):
                    raise asked
                receipts = await asked.answer
                if isinstance(receipts, Refusal):
                    raise receipts.again()
                yield response(asked.message, receipts)
        finally:
            if self._pipeline.broken is None:
                self._pipeline.broken = ServerDraining()  # nobody waits for what is not written yet
            reader.cancel()
            await asyncio.wait((reader,))

    async def _read_ahead(self, messages: AsyncIterator[ledger_service_pb2.RecordFillsRequest]) -> None:
        try:
            async with self._ledger.unless_drained():
                async for request in messages:
                    message = parsed(self._requests, request, self._clock())
                    self._newest = await self._submitted(message.commands)
                    await self._asked.put(_Asked(message, self._newest))
            await self._asked.put(None)
        except Exception as error:  # noqa: BLE001 - it ends the stream, after what was asked before it is answered
            await self._asked.put(error)

    async def _submitted(self, commands: Sequence[Command]) -> asyncio.Future[Receipts | Refusal]:
        """Queue them; a queue that is full of this stream's own messages is waited for. Raises a Refusal."""
        while True:
            try:
                return self._ledger.submit_all(commands, self._pipeline)
            except WriteQueueFull:
                if self._newest is None or self._newest.done():
                    raise
                await asyncio.wait((self._newest,))


def response(message: Message, receipts: Receipts) -> bytes:
    """The answer to ``message``: a result for each execution, in order."""
    results = [_result(*pair) for pair in zip(message.fill_ids, _outcomes(message, receipts), strict=True)]
    return ledger_service_pb2.RecordFillsResponse(results=results).SerializeToString()


def _outcomes(message: Message, receipts: Receipts) -> Iterator[Receipt | Refusal]:
    recorded = iter(receipts)
    for place in range(len(message.fill_ids)):
        yield message.refused.get(place) or next(recorded)


def _result(fill_id: str, outcome: Receipt | Refusal) -> ledger_service_pb2.FillResult:
    if isinstance(outcome, Refusal):
        reason: Any = TABLE[type(outcome)][1]
        return ledger_service_pb2.FillResult(fill_id=fill_id, net_pnl="0", refusal=reason, message=_words(outcome))
    sequence, net, replayed = outcome
    return ledger_service_pb2.FillResult(fill_id=fill_id, sequence=sequence, net_pnl=plain(net), replayed=replayed)


def _words(refusal: Refusal) -> str:
    """All there is to say, and no longer than there is room: a result has no details."""
    words = refusal.message
    if isinstance(refusal, FieldViolations):
        words = "; ".join(f"{field.removeprefix('fill.')}: {what}" for field, what in refusal.violations)
    return words.encode()[:WORDS_BYTES].decode(errors="ignore")
