"""A mark that grows too old is an update by itself, at its own time."""

from __future__ import annotations

import asyncio
import contextlib
import time
from decimal import Decimal
from pathlib import Path

import lotkeeper.aio
from lotkeeper import Snapshot, Time, Update
from lotkeeper.values import Mark
from tests.support.sidecar import Sidecar

MAX_AGE = 4.0
OLD = 3.5


async def test_a_mark_that_comes_old_is_stale_before_one_that_came_earlier(tmp_path: Path) -> None:
    """The stream shows B stale while A is still fresh."""
    with Sidecar(str(tmp_path / "x.db"), settings={"mark_max_age": MAX_AGE}) as sidecar:
        async with lotkeeper.aio.connect(sidecar.address) as ledger:
            for symbol in ("A", "B"):
                await ledger.create_entry(symbol=symbol, quantity="1", entry_price="1", entry_fill_id=symbol)
            await ledger.set_marks(marks={"A": "1"})
            observed = Time(time.time_ns() - int(OLD * 1e9))
            await ledger.set_marks(marks=[Mark(symbol="B", price=Decimal(1), observe_time=observed)])
            stale: list[list[str]] = []
            async with asyncio.timeout(30), contextlib.aclosing(ledger.stream_pnl()) as events:
                async for event in events:
                    if isinstance(event, Snapshot | Update) and event.totals:
                        stale.append(list(event.totals[0].totals[0].stale_symbols))
                        if stale[-1] == ["A", "B"]:
                            break

    assert ["B"] in stale
