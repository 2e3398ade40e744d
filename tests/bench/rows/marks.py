"""Marks into many open positions, over one PublishMarks that sends as fast as the server takes them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence

from tests.bench import calls, load
from tests.bench.apart import Apart
from tests.bench.plan import Plan, say
from tests.bench.streaming import Push, push
from tests.bench.table import Measured, Row, Target
from tests.support.sidecar import Sidecar

MARKS_PER_MESSAGE = 500
SECONDS = 5.0
AT_ONCE = 200_000
"""Marks a second to send: more than are taken, so that the server is never idle."""


def into_open_positions(plan: Plan) -> Measured:
    """Marks taken a second, every one of them for a position that is open."""
    positions = plan.open_positions
    wanted = Push(positions, MARKS_PER_MESSAGE, AT_ONCE, max(1.0, SECONDS * plan.share))
    rates: list[float] = []
    with Sidecar(str(plan.new_database())) as sidecar, Apart() as client:
        client.run(load.sent, sidecar.address, calls.CREATE_ENTRY, _opened(positions), 64)
        for run in range(plan.runs):
            pushed = client.run(push, sidecar.address, wanted)
            rates.append(pushed.marks / pushed.seconds)
            say(f"  run {run + 1}: {rates[-1]:,.0f} marks/s")
        started = time.perf_counter()
        client.run(load.one_answer, sidecar.address, calls.GET_SUMMARY, calls.summary("", 1_000))
        read = (time.perf_counter() - started) * 1e3
    detail = f"in messages of {MARKS_PER_MESSAGE}, {positions:,} positions open; the first read afterwards took {read:.0f} ms"
    return Measured(statistics.median(rates), detail, {"marks_per_second": rates})


def _opened(positions: int) -> Sequence[bytes]:
    return [calls.entry(number, calls.symbol_name(number)) for number in range(positions)]


ROWS = (
    Row(
        "marks",
        "marks into 10,000 open positions through PublishMarks",
        Target("marks/s", 50_000, 100_000, more_is_better=True),
        into_open_positions,
    ),
)
