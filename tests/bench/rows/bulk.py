"""RecordFills of one client over gRPC, durable, on a ledger with a million closed trades, against raw; and a million fills.

Raw is plain sqlite3 with the same look-ups and rows in the same batches, on a copy of the same ledger.
"""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import psutil

from lotkeeperd.storage.engines import database_url
from lotkeeperd.storage.verify import verify
from tests.bench import calls, load, raw
from tests.bench.apart import Apart, apart
from tests.bench.ledgers import large_ledger
from tests.bench.plan import Plan, say
from tests.bench.recording import Fills, recorded, statements
from tests.bench.table import Measured, Row, Target
from tests.support.sidecar import Sidecar

FILLS = 100_000
"""Fills of one run."""

MILLION = 1_000_000
MEGABYTE = 1e6
LOOK = 0.05
"""Seconds between two looks at how much memory is held."""


def rates(plan: Plan, random_ids: bool) -> Measured:
    """Fills per second, and what part of raw that is."""
    count = plan.calls(FILLS)
    ours: list[float] = []
    plain: list[float] = []
    served, prepared, copied = (plan.copy_of(large_ledger(plan)) for _ in range(3))
    with Sidecar(str(served)) as sidecar, Apart() as client:
        for run in range(plan.runs):
            fills = Fills(random_ids, run * count, count)
            transactions = apart(statements, prepared, fills)
            plain.append(count / sum(apart(raw.replayed, copied, transactions, run == 0)) * 1e3)
            ours.append(count / client.run(recorded, sidecar.address, fills))
            say(f"  run {run + 1}: {ours[-1]:,.0f} fills/s, raw {plain[-1]:,.0f}")
    for copy in (served, prepared, copied):
        copy.unlink()
    pairs = [mine / theirs for mine, theirs in zip(ours, plain, strict=True)]
    detail = (
        f"{statistics.median(pairs):.2f} × raw's {statistics.median(plain):,.0f}, run by run {min(pairs):.2f} to "
        f"{max(pairs):.2f}; the floor asks for 0.40"
    )
    return Measured(statistics.median(ours), detail, {"ours": ours, "raw": plain})


def million(plan: Plan) -> Measured:
    """A million fills through RecordFills, a restart, a verification and a GetSummary: times and memory."""
    database, count = plan.new_database(), plan.calls(MILLION)
    with Sidecar(str(database)) as sidecar, Apart() as client, _watched(sidecar.pid) as recording:
        seconds = client.run(recorded, sidecar.address, Fills(False, 0, count))
    say(f"  {count:,} fills in {seconds:.1f} s, {max(recording):.0f} MB at most")
    started = time.perf_counter()
    with Sidecar(str(database)) as sidecar, Apart() as client, _watched(sidecar.pid) as serving:
        start = time.perf_counter() - started
        reads = client.run(load.latencies, sidecar.address, calls.GET_SUMMARY, [calls.summary("bulk", 1000)] * 20)
    started = time.perf_counter()
    memory = apart(_verified, database)
    verified = time.perf_counter() - started
    detail = (
        f"{count:,} fills in {seconds:.1f} s, at most {max(recording):.0f} MB; a restart {start:.2f} s and {max(serving):.0f} MB; "
        f"verify {verified:.1f} s and {memory:.0f} MB; GetSummary {statistics.median(reads):.1f} ms"
    )
    figures = {"seconds": [seconds, start, verified], "megabytes": [max(recording), max(serving), memory]}
    return Measured(count / seconds, detail, figures | {"summary_ms": reads})


def _verified(database: Path) -> float:
    """Compare the ledger with its journal; megabytes that took at most. Raises when they differ."""
    found = verify(database_url(str(database)), lambda _done, _all: None)
    if found.differences:
        raise RuntimeError(f"the ledger is not what its journal says: {found.differences[0]}")
    return psutil.Process().memory_info().rss / MEGABYTE


@contextmanager
def _watched(pid: int) -> Iterator[list[float]]:
    """Megabytes that a process holds, looked at again and again."""
    held: list[float] = []
    over = threading.Event()

    def look() -> None:
        process = psutil.Process(pid)
        while not over.wait(LOOK):
            held.append(process.memory_info().rss / MEGABYTE)

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield held
    finally:
        over.set()
        watcher.join()


ROWS = (
    Row(
        "bulk-ordered",
        "bulk RecordFills, 1 client, durable, 1M closed trades there, ordered ids",
        Target("fills/s", 20_000, 50_000, more_is_better=True),
        partial(rates, random_ids=False),
    ),
    Row(
        "bulk-random",
        "the same with random ids",
        Target("fills/s", 20_000, 50_000, more_is_better=True),
        partial(rates, random_ids=True),
    ),
    Row(
        "million",
        "a million fills through RecordFills into a new ledger",
        Target("fills/s", more_is_better=True),
        million,
    ),
)
