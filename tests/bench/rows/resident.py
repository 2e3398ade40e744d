"""A ledger with a long past: how much memory its server holds, and how soon it serves."""

from __future__ import annotations

import statistics
import time

import psutil

from tests.bench import calls, load
from tests.bench.apart import Apart
from tests.bench.ledgers import PORTFOLIOS, large_ledger
from tests.bench.plan import Plan, say
from tests.bench.table import Measured, Row, Target
from tests.support.sidecar import Sidecar

STARTS = 5
LOAD = 5_000
"""Lots opened and closed before the memory is read."""

IDLE_SECONDS = 3.0
MEGABYTE = 1e6


def _resident(sidecar: Sidecar) -> float:
    return psutil.Process(sidecar.pid).memory_info().rss / MEGABYTE


def _work(address: str, first: int, count: int) -> None:
    """Open lots, close them all again, read every position."""
    load.sent(address, calls.CREATE_ENTRY, calls.entries(first, count), 64)
    closed = [calls.close_all(first + number, calls.symbol_name(number)) for number in range(calls.SYMBOLS)]
    load.sent(address, calls.CLOSE_FIFO, closed, 8)
    reads = [calls.summary(f"p{number}", 1_000) for number in range(PORTFOLIOS)]
    load.sent(address, calls.GET_SUMMARY, reads, 2)


def memory(plan: Plan) -> Measured:
    """Resident megabytes of the server process after load, idle."""
    copy, count = plan.copy_of(large_ledger(plan)), plan.calls(LOAD)
    held: list[float] = []
    fresh: list[float] = []
    for run in range(plan.runs):
        with Sidecar(str(copy)) as sidecar, Apart() as client:
            fresh.append(_resident(sidecar))
            client.run(_work, sidecar.address, run * count, count)
            time.sleep(IDLE_SECONDS)  # idle is what is measured
            held.append(_resident(sidecar))
        say(f"  run {run + 1}: {fresh[-1]:.0f} MB when ready, {held[-1]:.0f} MB after load")
    size = copy.stat().st_size / MEGABYTE
    copy.unlink()
    detail = (
        f"{plan.open_positions:,} open positions, {plan.closed_trades:,} closed trades, {size:,.0f} MB on disk; "
        f"{statistics.median(fresh):.0f} MB when ready, the rest came with {count:,} lots opened and closed and every position read"
    )
    return Measured(statistics.median(held), detail, {"after_load_mb": held, "when_ready_mb": fresh})


def start(plan: Plan) -> Measured:
    """Seconds from starting the process to the line that says it serves."""
    copy = plan.copy_of(large_ledger(plan))
    taken: list[float] = []
    for run in range(STARTS):
        began = time.perf_counter()
        with Sidecar(str(copy)):
            taken.append(time.perf_counter() - began)
        say(f"  start {run + 1}: {taken[-1]:.2f} s")
    empty: list[float] = []
    for _ in range(STARTS):
        began = time.perf_counter()
        with Sidecar(str(plan.new_database())):
            empty.append(time.perf_counter() - began)
    copy.unlink()
    detail = f"the file is in the page cache; a new ledger takes {statistics.median(empty):.2f} s"
    return Measured(statistics.median(taken), detail, {"seconds": taken, "new_ledger_seconds": empty})


ROWS = (
    Row("memory", "resident memory, 10,000 open positions, 1M closed trades on disk", Target("MB", 150, 100), memory),
    Row("start", "start with that ledger, to serving", Target("s", 5, 2), start),
)
