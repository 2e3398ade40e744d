"""Large ledgers, written through the product's own write path, kept for the next run.

Every fill is decided by the book, every closed trade was matched: what lies on disk is what a server that lived through it
would have left. A file is kept under the name of everything that shaped it: the schema, this generator, and the sizes.
"""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from lotkeeperd.domain.book import Direction
from lotkeeperd.domain.commands import RULES_VERSION, Command, Excess, Method
from lotkeeperd.service.writer import BATCH
from lotkeeperd.storage import rows, tables
from tests.bench.apart import apart
from tests.bench.calls import symbol_name
from tests.bench.plan import Plan, say
from tests.bench.writing import WritePath, write_path

PORTFOLIOS = 10
FIRST_TIME = 1_704_067_200_000_000_000  # 2024-01-01, in nanoseconds UTC
MILLISECOND = 1_000_000
FEE = Decimal("0.35")
ROUND = ((Direction.LONG, 1), (Direction.LONG, 1), (Direction.SHORT, 2), (Direction.SHORT, 1), (Direction.LONG, 1))
"""What happens to a symbol again and again: scale in, close both lots at once, go short and cover: 5 fills, 3 closed trades."""

TRADES_IN_ROUND = 3
PROGRESS = 100_000
"""Fills between two words about it."""


class Size(NamedTuple):
    """What a ledger holds."""

    closed_trades: int
    open_positions: int


def portfolio_of(symbol: int) -> str:
    """Symbols are dealt out to portfolios."""
    return f"p{symbol % PORTFOLIOS}"


def fill(number: int, symbol: int, side: Direction, units: int, fill_id: str) -> Command:
    """RecordFill of the ``number``-th execution; amounts differ from one to the next."""
    return Command(
        Method.RECORD_FILL,
        portfolio_of(symbol),
        symbol_name(symbol),
        side,
        Decimal(units * (1 + symbol % 50)).scaleb(-2),
        Decimal(10_000 + number * 7919 % 5_000).scaleb(-2),
        FEE,
        time=FIRST_TIME + number * MILLISECOND,
        order_id=f"order-{number:09d}",
        fill_id=fill_id,
        excess=Excess.REVERSE,
    )


def history(size: Size) -> Iterator[Command]:
    """Every execution, in order: round after round over all symbols, then an entry that stays open in each."""
    number = 0
    for place in range(-(-size.closed_trades // TRADES_IN_ROUND)):
        for side, units in ROUND:
            yield fill(number, place % size.open_positions, side, units, f"fill-{number:09d}")
            number += 1
    for symbol in range(size.open_positions):
        yield fill(number, symbol, Direction.LONG, 1, f"fill-{number:09d}")
        number += 1


def large_ledger(plan: Plan) -> Path:
    """A ledger of the plan's size; built when the cache does not have it."""
    size = Size(plan.closed_trades, plan.open_positions)
    path = plan.cache / f"ledger-{size.closed_trades}-{_shape(size)}.db"
    if path.exists():
        return path
    plan.cache.mkdir(parents=True, exist_ok=True)
    for outdated in plan.cache.glob(f"ledger-{size.closed_trades}-*"):
        outdated.unlink()
    unfinished = plan.new_database()
    apart(build, unfinished, size)
    return unfinished.rename(path)


def _shape(size: Size) -> str:
    sources = [inspect.getsource(module) for module in (tables, rows, sys.modules[__name__])]
    return hashlib.blake2b(repr((size, RULES_VERSION, sources)).encode(), digest_size=6).hexdigest()


def build(path: Path, size: Size) -> None:
    """Write a ledger. Run it apart: it leaves a large heap behind."""
    asyncio.run(_build(path, size))


async def _build(path: Path, size: Size) -> None:
    started = time.perf_counter()
    commands, written = history(size), 0
    async with write_path(path) as writer:
        while batch := list(islice(commands, BATCH)):
            await writer.write(batch)
            written += len(batch)
            if written % PROGRESS == 0:
                _tell(writer, written, time.perf_counter() - started)
        _tell(writer, written, time.perf_counter() - started)


def _tell(writer: WritePath, written: int, seconds: float) -> None:
    say(f"  building the ledger: {written:,} fills, {writer.trades:,} closed trades, {written / seconds:,.0f} fills/s")
