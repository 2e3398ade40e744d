"""CreateEntry: 64 in flight against echo, and one caller against echo and a raw durable insert."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from lotkeeper.v1 import ledger_service_pb2
from lotkeeperd.api.requests import Requests
from tests.bench import calls, load, raw
from tests.bench.apart import Apart, apart
from tests.bench.echo import Echo
from tests.bench.plan import Plan, say
from tests.bench.table import Measured, Row, Target
from tests.bench.writing import write_path
from tests.support.sidecar import Sidecar

IN_FLIGHT = 64
BURST = 10_000
"""Calls of one run with many in flight."""

IN_TURN = 1_000
"""Calls of one run of one caller."""


@contextmanager
def _both(plan: Plan) -> Iterator[tuple[str, str]]:
    """Addresses of a ledger and of an echo that answers CreateEntry with as many bytes."""
    with Sidecar(str(plan.new_database())) as sidecar:
        answer = apart(load.one_answer, sidecar.address, calls.CREATE_ENTRY, calls.entry(0))
        with Echo({calls.CREATE_ENTRY: answer}) as echo:
            yield sidecar.address, echo.address


def many_in_flight(plan: Plan) -> Measured:
    """Durable CreateEntry calls per second over echo's, 64 in flight."""
    count = plan.calls(BURST)
    ours: list[float] = []
    echoed: list[float] = []
    with _both(plan) as (ledger, echo), Apart() as client:
        for run in range(plan.runs):
            requests = calls.entries(1 + run * count, count)
            echoed.append(client.run(load.calls_per_second, echo, calls.CREATE_ENTRY, requests, IN_FLIGHT))
            ours.append(client.run(load.calls_per_second, ledger, calls.CREATE_ENTRY, requests, IN_FLIGHT))
            say(f"  run {run + 1}: echo {echoed[-1]:,.0f}/s, CreateEntry {ours[-1]:,.0f}/s")
    pairs = [mine / theirs for mine, theirs in zip(ours, echoed, strict=True)]
    detail = (
        f"{statistics.median(ours):,.0f} durable CreateEntry/s, echo {statistics.median(echoed):,.0f}/s; "
        f"run by run {min(pairs):.2f} to {max(pairs):.2f} x"
    )
    return Measured(statistics.median(ours) / statistics.median(echoed), detail, {"ours": ours, "echo": echoed})


def one_caller(plan: Plan) -> Measured:
    """Median time of one CreateEntry at a time over echo's plus a raw durable insert's."""
    count = plan.calls(IN_TURN)
    ours: list[float] = []
    echoed: list[float] = []
    inserted: list[float] = []
    inserts = _raw_inserts(plan, calls.entries(1, count * plan.runs))
    with _both(plan) as (ledger, echo), Apart() as client:
        for run in range(plan.runs):
            requests = calls.entries(1 + run * count, count)
            echoed.append(_p50(client.run(load.latencies, echo, calls.CREATE_ENTRY, requests)))
            inserted.append(_p50(next(inserts)))
            ours.append(_p50(client.run(load.latencies, ledger, calls.CREATE_ENTRY, requests)))
            say(
                f"  run {run + 1}: echo {echoed[-1]:.3f} ms, raw insert {inserted[-1]:.3f} ms, CreateEntry {ours[-1]:.3f} ms"
            )
    mine, theirs, insert = (statistics.median(figures) for figures in (ours, echoed, inserted))
    detail = f"p50 {mine:.2f} ms; echo {theirs:.2f} ms, raw insert {insert:.2f} ms"
    return Measured(mine / (theirs + insert), detail, {"ours_ms": ours, "echo_ms": echoed, "insert_ms": inserted})


def _p50(values: Sequence[float]) -> float:
    return statistics.median(values)


def _raw_inserts(plan: Plan, requests: Sequence[bytes]) -> Iterator[list[float]]:
    """Milliseconds of the same entries written by plain sqlite3, one per transaction; one part for each run."""
    before = apart(_empty_ledger, plan.new_database())
    copy = plan.copy_of(before)
    transactions = apart(_transactions, before, requests)
    count = len(requests) // plan.runs
    for run in range(plan.runs):
        part = transactions[run * count : (run + 1) * count]
        yield apart(raw.replayed, copy, part, run == 0)[int(count * load.WARM_UP) :]


def _empty_ledger(path: Path) -> Path:
    async def made() -> None:
        async with write_path(path):
            pass

    asyncio.run(made())
    return path


def _transactions(path: Path, requests: Sequence[bytes]) -> list[raw.Transaction]:
    return asyncio.run(_recorded(path, requests))


async def _recorded(path: Path, requests: Sequence[bytes]) -> list[raw.Transaction]:
    parse = Requests().create_entry
    async with write_path(path, recording=True) as writer:
        transactions = writer.recorded()
        for data in requests:
            request = ledger_service_pb2.CreateEntryRequest.FromString(data)
            await writer.write([parse(request, time.time_ns())])
    return transactions


ROWS = (
    Row(
        "unary",
        "durable unary CreateEntry, 64 in flight, against echo",
        Target("×", 0.6, 0.8, more_is_better=True),
        many_in_flight,
    ),
    Row("p50", "one caller, p50, against echo + one raw durable insert", Target("×", 2, 1.4), one_caller),
)
