"""``lotkeeper watch``: positions and P&L as they change, until Ctrl-C; and ``lotkeeper summary``: as they are now."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Sequence
from contextlib import aclosing
from typing import NamedTuple, TextIO

import lotkeeper
import lotkeeper.aio
from lotkeeper import PortfolioTotals, Snapshot, Time
from lotkeeperd.console import output
from lotkeeperd.console.board import MAX_ROWS, Board, screen

FRAME_SECONDS = 0.2
"""Time between two drawings of the table; updates in between are folded by the server."""

INTERRUPTED = 130


class Watched(NamedTuple):
    """What to show; empty means all."""

    address: str
    portfolios: Sequence[str] = ()
    symbols: Sequence[str] = ()


def watch(watched: Watched, out: TextIO, as_json: bool) -> int:
    """Follow until interrupted. Raises LotkeeperError when the stream ends for good."""
    try:
        asyncio.run(_interruptible(_lines(watched, out) if as_json else _table(watched, out)))
    except asyncio.CancelledError:
        return INTERRUPTED
    return 0


async def _interruptible(work: asyncio.Future[None] | object) -> None:
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    await work  # type: ignore[misc]


async def _lines(watched: Watched, out: TextIO) -> None:
    """Every event as a line of JSON."""
    async with lotkeeper.aio.connect(watched.address) as ledger:
        stream = ledger.stream_pnl(portfolio_ids=watched.portfolios, symbols=watched.symbols)
        async with aclosing(stream) as events:
            async for event in events:
                out.write(output.line(type(event).__name__.lower(), event) + "\n")
                out.flush()


async def _table(watched: Watched, out: TextIO) -> None:
    """A table that is drawn anew a few times a second."""
    board = Board(max_rows=MAX_ROWS)
    with screen(board, out, time.monotonic) as shown:
        following = asyncio.create_task(_follow(watched, board))
        try:
            while not following.done():
                shown.draw()
                await asyncio.wait((following,), timeout=FRAME_SECONDS)
            following.result()
        finally:
            following.cancel()


async def _follow(watched: Watched, board: Board) -> None:
    async with lotkeeper.aio.connect(watched.address) as ledger:
        stream = ledger.stream_pnl(
            portfolio_ids=watched.portfolios,
            symbols=watched.symbols,
            min_update_interval=FRAME_SECONDS,
            heartbeat_interval=1,
        )
        async with aclosing(stream) as events:
            async for event in events:
                board.take(event)


def summary(address: str, portfolio: str, include_flat: bool, out: TextIO, as_json: bool) -> int:
    """Print the positions of a portfolio as they are now. Raises LotkeeperError."""
    with lotkeeper.connect(address, portfolio=portfolio) as ledger:
        found = ledger.get_summary(include_flat=include_flat)
    if as_json:
        out.write(output.document(found) + "\n")
        return 0
    board = Board(title=f"portfolio {portfolio}, ledger {found.ledger_id}, journal at {found.sequence}")
    totals = PortfolioTotals(portfolio_id=portfolio, totals=found.totals)
    board.take(
        Snapshot(
            sequence=found.sequence,
            ledger_id=found.ledger_id,
            emit_time=Time(time.time_ns()),
            positions=found.positions,
            totals=(totals,),
        )
    )
    with screen(board, out, time.monotonic):
        pass  # what stands on a screen when it is left stays there
    return 0
