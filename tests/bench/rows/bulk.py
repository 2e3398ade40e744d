"""The write path without gRPC, in batches, on an empty ledger and on a large one: what the bulk RPC will stand on.

Each fill is parsed from a RecordFillRequest, decided, written and committed with its batch; nothing is read ahead and no
batch waits with another. Raw is plain sqlite3 with the same statements on a copy of the same ledger.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from lotkeeper.v1 import ledger_pb2, ledger_service_pb2
from lotkeeperd.api.requests import Requests
from tests.bench import raw
from tests.bench.apart import apart
from tests.bench.calls import price_of, symbol_name
from tests.bench.ledgers import large_ledger
from tests.bench.plan import Plan, say
from tests.bench.table import Measured, Row, Target
from tests.bench.writing import write_path

BATCHES = (100, 500, 1_000)
FILLS = 20_000
"""Fills of one run."""

SYMBOLS = 100
SEED = 20_260_101


class Job(NamedTuple):
    """One run: which ids, how large a batch, the numbers of its fills. Two runs on one ledger share no number."""

    random_ids: bool
    batch: int
    first: int
    fills: int

    @property
    def name(self) -> str:
        """Which kind of run it is."""
        return f"{'random' if self.random_ids else 'ordered'} ids, batches of {self.batch:,}"


class Done(NamedTuple):
    """Seconds of the write path, and what it sent to the database."""

    seconds: float
    transactions: list[raw.Transaction]


def fills(job: Job) -> list[bytes]:
    """RecordFillRequests of one portfolio, in turn opening and closing over its symbols."""
    ids = random.Random(SEED + job.first)
    requests = []
    for number in range(job.first, job.first + job.fills):
        fill_id = f"{ids.getrandbits(128):032x}" if job.random_ids else f"bulk-{number:012d}"
        request = ledger_service_pb2.RecordFillRequest(portfolio_id="bulk")
        fill = request.fill
        fill.symbol = symbol_name(number // 2 % SYMBOLS)
        fill.side = ledger_pb2.SIDE_SELL if number % 2 else ledger_pb2.SIDE_BUY
        fill.quantity, fill.price, fill.fee = "1.5", price_of(number), "0.35"
        fill.order_id, fill.fill_id = f"order-{number:09d}", fill_id
        fill.fill_time.FromNanoseconds(time.time_ns())
        requests.append(request.SerializeToString())
    return requests


def written(database: Path, jobs: Sequence[Job]) -> list[Done]:
    """Run jobs on one ledger, one after the other."""
    return asyncio.run(_written(database, jobs))


async def _written(database: Path, jobs: Sequence[Job]) -> list[Done]:
    parse, done = Requests("USD").record_fill, []
    async with write_path(database, recording=True) as writer:
        for job in jobs:
            requests = fills(job)
            transactions = writer.recorded()
            started = time.perf_counter()
            for first in range(0, job.fills, job.batch):
                batch = [
                    parse(ledger_service_pb2.RecordFillRequest.FromString(data), time.time_ns())
                    for data in requests[first : first + job.batch]
                ]
                await writer.write(batch)
            done.append(Done(time.perf_counter() - started, transactions))
    return done


def write_rates(plan: Plan, large: bool) -> Measured:
    """Fills per second for every kind of id and size of batch; the slowest with batches of 1,000 is the figure."""
    ours: dict[str, list[float]] = {}
    plain: dict[str, list[float]] = {}
    mine, theirs = _ledgers(plan, large)
    for run in range(plan.runs):
        if run and not large:
            mine, theirs = _ledgers(plan, large)
        jobs = _jobs(run, plan.calls(FILLS))
        for place, (job, done) in enumerate(zip(jobs, apart(written, mine, jobs), strict=True)):
            seconds = sum(apart(raw.replayed, theirs, done.transactions, place == 0)) / 1e3
            ours.setdefault(job.name, []).append(job.fills / done.seconds)
            plain.setdefault(job.name, []).append(job.fills / seconds)
        say(f"  run {run + 1}: {', '.join(f'{rates[-1]:,.0f}' for rates in ours.values())} fills/s")
    return _summed(ours, plain)


def _jobs(run: int, count: int) -> list[Job]:
    kinds = [(random_ids, batch) for random_ids in (False, True) for batch in BATCHES]
    first = run * len(kinds) * count
    return [Job(*kind, first + place * count, count) for place, kind in enumerate(kinds)]


def _ledgers(plan: Plan, large: bool) -> tuple[Path, Path]:
    """One for the write path, and the same again for raw. Large ones serve every run: copying gigabytes tires a disk."""
    if large:
        mine = plan.copy_of(large_ledger(plan))
    else:
        mine = plan.new_database()
        apart(written, mine, [])
    return mine, plan.copy_of(mine)


def _summed(ours: dict[str, list[float]], plain: dict[str, list[float]]) -> Measured:
    medians = {name: (statistics.median(ours[name]), statistics.median(plain[name])) for name in ours}
    parts = [
        f"{name}: {mine:,.0f} ({mine / theirs:.2f} × raw's {theirs:,.0f})" for name, (mine, theirs) in medians.items()
    ]
    slowest = min(mine for name, (mine, _) in medians.items() if name.endswith(f" {max(BATCHES):,}"))
    return Measured(slowest, "; ".join(parts), ours | {f"raw, {name}": rates for name, rates in plain.items()})


ROWS = (
    Row(
        "write-empty",
        "the write path without gRPC, batches of 1,000, empty ledger",
        Target("fills/s", more_is_better=True),
        partial(write_rates, large=False),
    ),
    Row(
        "write-large",
        "the write path without gRPC, batches of 1,000, 1M closed trades there",
        Target("fills/s", more_is_better=True),
        partial(write_rates, large=True),
    ),
)
