"""GetSummary of a thousand positions at their marks, in one page."""

from __future__ import annotations

import statistics
import time

from tests.bench import calls, load
from tests.bench.apart import Apart
from tests.bench.echo import Echo
from tests.bench.plan import Plan, say
from tests.bench.table import Measured, Row, Target
from tests.support.sidecar import Sidecar

POSITIONS = 1_000
READS = 60
"""Calls of one run."""


def summary(plan: Plan) -> Measured:
    """Median time of one read."""
    request = calls.summary("", POSITIONS)
    reads = [request] * plan.calls(READS)
    ours: list[float] = []
    echoed: list[float] = []
    with Sidecar(str(plan.new_database())) as sidecar, Apart() as client:
        names = [calls.symbol_name(number) for number in range(POSITIONS)]
        opened = [calls.entry(number, name) for number, name in enumerate(names)]
        marks = calls.marks(((name, calls.price_of(number)) for number, name in enumerate(names)), time.time_ns())
        client.run(load.sent, sidecar.address, calls.CREATE_ENTRY, opened, 64)
        client.run(load.sent, sidecar.address, calls.SET_MARKS, [marks], 1)
        answer = client.run(load.one_answer, sidecar.address, calls.GET_SUMMARY, request)
        with Echo({calls.GET_SUMMARY: answer}) as echo:
            for run in range(plan.runs):
                echoed.append(statistics.median(client.run(load.latencies, echo.address, calls.GET_SUMMARY, reads)))
                ours.append(statistics.median(client.run(load.latencies, sidecar.address, calls.GET_SUMMARY, reads)))
                say(f"  run {run + 1}: echo {echoed[-1]:.2f} ms, GetSummary {ours[-1]:.2f} ms")
    detail = f"p50, {len(answer):,} bytes; an echo of as many takes {statistics.median(echoed):.2f} ms"
    return Measured(statistics.median(ours), detail, {"ours_ms": ours, "echo_ms": echoed})


ROWS = (Row("summary", "GetSummary, 1,000 positions", Target("ms", 40, 20), summary),)
