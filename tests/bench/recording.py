"""RecordFills as it is measured: messages built beforehand, sent over one stream without waiting, every answer read.

The same fills go through the server's write path in this process too, so that plain sqlite3 can run the statements they made.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import grpc

from lotkeeper.channel import OPTIONS
from lotkeeper.v1 import ledger_pb2, ledger_service_pb2
from lotkeeperd.api.bulk import FILLS, parsed
from lotkeeperd.api.requests import Requests
from lotkeeperd.domain.commands import Command
from tests.bench.calls import price_of, symbol_name
from tests.bench.raw import Transaction
from tests.bench.writing import write_path

METHOD = "/lotkeeper.v1.LedgerService/RecordFills"
SYMBOLS = 100
SEED = 20_260_101


class Fills(NamedTuple):
    """So many executions, numbered from ``first``. Two runs on one ledger share no number."""

    random_ids: bool
    first: int
    number: int

    def messages(self) -> Iterator[bytes]:
        """Messages of RecordFills of one portfolio, in turn opening and closing over its symbols."""
        ids = random.Random(SEED + self.first)
        end = self.first + self.number
        for start in range(self.first, end, FILLS):
            message = ledger_service_pb2.RecordFillsRequest(portfolio_id="bulk")
            for number in range(start, min(start + FILLS, end)):
                name = f"{ids.getrandbits(128):032x}" if self.random_ids else f"bulk-{number:012d}"
                _execution(message.fills.add(), number, name)
            yield message.SerializeToString()


def _execution(fill: ledger_pb2.Fill, number: int, fill_id: str) -> None:
    fill.symbol = symbol_name(number // 2 % SYMBOLS)
    fill.side = ledger_pb2.SIDE_SELL if number % 2 else ledger_pb2.SIDE_BUY
    fill.quantity, fill.price, fill.fee = "1.5", price_of(number), "0.35"
    fill.order_id, fill.fill_id = f"order-{number:09d}", fill_id
    fill.fill_time.FromNanoseconds(time.time_ns())


def recorded(address: str, fills: Fills) -> float:
    """Seconds from the first message to the last answer. Raises when a fill was refused."""
    return asyncio.run(_recorded(address, list(fills.messages())))


async def _recorded(address: str, messages: Sequence[bytes]) -> float:
    async with grpc.aio.insecure_channel(address, options=OPTIONS) as channel:
        call: grpc.aio.StreamStreamCall[bytes, bytes] = channel.stream_stream(METHOD)()
        started = time.perf_counter()
        sending = asyncio.create_task(_sent(call, messages))
        answers = [answer async for answer in call]
        taken = time.perf_counter() - started
        await sending
    _check(answers, len(messages))
    return taken


async def _sent(call: grpc.aio.StreamStreamCall[bytes, bytes], messages: Sequence[bytes]) -> None:
    for message in messages:
        await call.write(message)
    await call.done_writing()


def _check(answers: Sequence[bytes], messages: int) -> None:
    if len(answers) != messages:
        raise RuntimeError(f"{messages} messages were sent and {len(answers)} answered")
    for answer in answers:
        for result in ledger_service_pb2.RecordFillsResponse.FromString(answer).results:
            if result.refusal or result.replayed:
                raise RuntimeError(f"not recorded: {result}")


def statements(database: Path, fills: Fills) -> list[Transaction]:
    """What the write path sends to the database for these fills, in batches of one message."""
    return asyncio.run(_statements(database, fills))


async def _statements(database: Path, fills: Fills) -> list[Transaction]:
    async with write_path(database, recording=True) as writer:
        transactions = writer.recorded()
        for message in fills.messages():
            await writer.write_all(_commands(message))
    return transactions


def _commands(message: bytes) -> list[Command]:
    request = ledger_service_pb2.RecordFillsRequest.FromString(message)
    return parsed(Requests(), request, time.time_ns()).commands
