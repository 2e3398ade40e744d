"""Closing 50 lots in one call against closing one."""

from __future__ import annotations

import asyncio
import statistics
import time

from tests.bench import calls, load
from tests.bench.apart import Apart
from tests.bench.plan import Plan, say
from tests.bench.table import Measured, Row, Target
from tests.support.sidecar import Sidecar

LOTS = 50
SAMPLES = 40
"""Closes of each kind in one run."""


def close_times(address: str, first: int, samples: int) -> tuple[list[float], list[float]]:
    """Milliseconds of closing one lot, and of closing many, in turn; ids are numbered from ``first``."""
    return asyncio.run(_close_times(address, first, samples))


async def _close_times(address: str, first: int, samples: int) -> tuple[list[float], list[float]]:
    one: list[float] = []
    many: list[float] = []
    async with load.caller(address, calls.CREATE_ENTRY) as create, load.caller(address, calls.CLOSE_FIFO) as close:
        for sample in range(samples):
            number = first + sample * 2 * (LOTS + 1)
            for lots, taken in ((1, one), (LOTS, many)):
                symbol = f"CLOSE{lots}"
                await asyncio.gather(*(create(calls.entry(number + lot, symbol)) for lot in range(lots)))
                number += lots
                request = calls.close_all(number, symbol)
                started = time.perf_counter()
                await close(request)
                taken.append((time.perf_counter() - started) * 1e3)
    return one, many


def closing(plan: Plan) -> Measured:
    """Median time of the one over the other's."""
    samples = plan.calls(SAMPLES)
    one: list[float] = []
    many: list[float] = []
    with Sidecar(str(plan.new_database())) as sidecar, Apart() as client:
        for run in range(plan.runs):
            first = run * samples * 2 * (LOTS + 1)
            ones, manies = client.run(close_times, sidecar.address, first, samples)
            one.append(statistics.median(ones))
            many.append(statistics.median(manies))
            say(f"  run {run + 1}: one lot {one[-1]:.2f} ms, {LOTS} lots {many[-1]:.2f} ms")
    few, lots = statistics.median(one), statistics.median(many)
    detail = f"p50 {lots:.2f} ms for {LOTS} lots, {few:.2f} ms for one"
    return Measured(lots / few, detail, {"one_lot_ms": one, "many_lots_ms": many})


ROWS = (Row("close", "closing 50 lots in one call, against closing one", Target("×", 3, 2), closing),)
