"""What subscribers cost: those who never read, to everybody else; and healthy ones, to the server's processor."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from itertools import count

import psutil

from tests.bench import calls, load
from tests.bench.apart import Apart, apart
from tests.bench.plan import Plan, say
from tests.bench.rows.stream import SECONDS, SYMBOLS, WARM_UP, opened, p99_of, push_and_follow
from tests.bench.streaming import NANOSECONDS, Follow, follow
from tests.bench.table import Measured, Row, Target
from tests.support.sidecar import Sidecar
from tests.support.silent import Silent

STUCK, CONNECTIONS, HEALTHY = 1_000, 20, 100
CALM_INTERVAL = 100
"""Milliseconds between two messages of each healthy subscriber while writes are measured."""

ENTRIES, IN_FLIGHT = 5_000, 64
FOLLOWING_SECONDS = 60.0
"""Longer than any burst of writes takes; a follower is ended, not waited for."""

TURNS = 200
"""New prices of every symbol, one after the other: some 20 KB each, of which a stream that nobody reads takes 64."""

SETTLE = 2.0
"""Seconds for what was sent to be on its way."""

MEGABYTE = 1e6


def _resident(sidecar: Sidecar) -> float:
    return psutil.Process(sidecar.pid).memory_info().rss / MEGABYTE


def _cores(sidecar: Sidecar, seconds: float) -> float:
    """How many cores the server kept busy, from the end of the warm-up on."""
    process = psutil.Process(sidecar.pid)
    time.sleep(WARM_UP)
    before = process.cpu_times()
    time.sleep(seconds)
    after = process.cpu_times()
    return float(after.user - before.user + after.system - before.system) / seconds


@contextmanager
def _healthy(address: str) -> Iterator[None]:
    """Subscribers with an interval, for as long as the block takes."""
    with Apart() as process:
        now = time.time_ns()
        process.begin(follow, address, Follow(HEALTHY, now, now + int(FOLLOWING_SECONDS * NANOSECONDS), CALM_INTERVAL))
        time.sleep(WARM_UP)
        try:
            yield
        finally:
            process.kill()


@contextmanager
def _stuck(address: str) -> Iterator[None]:
    """Subscribers that never read and have as much on their way to them as a connection takes."""
    prices = [[(calls.symbol_name(symbol), calls.price_of(turn)) for symbol in range(SYMBOLS)] for turn in range(TURNS)]
    with Silent(address, CONNECTIONS, STUCK):
        apart(load.sent, address, calls.SET_MARKS, [calls.marks(turn, time.time_ns()) for turn in prices], 1)
        time.sleep(SETTLE)
        yield


def _beside(plan: Plan, measure: Callable[[Sidecar], float], unit: str) -> tuple[list[float], list[float], list[float]]:
    """``measure`` without and with stuck subscribers, in turns; and how many megabytes these added to the server."""
    without: list[float] = []
    beside: list[float] = []
    added: list[float] = []
    with Sidecar(str(plan.new_database())) as sidecar:
        opened(sidecar)
        measure(sidecar)  # warm
        for run in range(plan.runs):
            for stuck in (run % 2 == 0, run % 2 == 1):  # whoever is second finds another machine
                before = _resident(sidecar)
                with _stuck(sidecar.address) if stuck else nullcontext():
                    (beside if stuck else without).append(measure(sidecar))
                    if stuck:
                        added.append(_resident(sidecar) - before)
            say(f"  run {run + 1}: {without[-1]:,.1f} {unit} without, {beside[-1]:,.1f} {unit} beside {STUCK:,} stuck")
    return without, beside, added


def _compared(plan: Plan, measure: Callable[[Sidecar], float], unit: str) -> Measured:
    without, beside, added = _beside(plan, measure, unit)
    ratio = statistics.median(beside) / statistics.median(without)
    detail = (
        f"{statistics.median(beside):,.1f} {unit} beside {STUCK:,} that never read over {CONNECTIONS} connections, "
        f"{statistics.median(without):,.1f} {unit} without; the server grew by at most {max(added):.0f} MB for them"
    )
    return Measured(ratio, detail, {"without": without, "beside": beside, "added_mb": added})


def writes_beside_stuck(plan: Plan) -> Measured:
    """CreateEntry, 64 in flight, with a hundred healthy subscribers at an interval."""
    numbers = count(ENTRIES)  # the first lots of every symbol have lower ones
    many = plan.calls(ENTRIES)

    def rate(sidecar: Sidecar) -> float:
        requests = [calls.entry(next(numbers)) for _ in range(many)]
        with _healthy(sidecar.address):
            return apart(load.calls_per_second, sidecar.address, calls.CREATE_ENTRY, requests, IN_FLIGHT)

    return _compared(plan, rate, "entries/s")


def p99_beside_stuck(plan: Plan) -> Measured:
    """p99 of the newest mark to a hundred healthy subscribers without an interval, at 10,000 marks/s."""
    seconds = max(1.0, SECONDS * plan.share)

    def p99(sidecar: Sidecar) -> float:
        _, (got,) = push_and_follow(sidecar.address, seconds, [(HEALTHY, 0)])
        return p99_of(got.ages)

    return _compared(plan, p99, "ms")


def _fan_out(subscribers: int) -> Callable[[Plan], Measured]:
    def measure(plan: Plan) -> Measured:
        """Messages for each second that the server's processor worked, marks taken in included."""
        seconds = max(1.0, SECONDS * plan.share)
        per_core: list[float] = []
        cores: list[float] = []
        with Sidecar(str(plan.new_database())) as sidecar, ThreadPoolExecutor(1) as beside:
            opened(sidecar)
            for run in range(plan.runs):
                watched = beside.submit(_cores, sidecar, seconds)
                _, (got,) = push_and_follow(sidecar.address, seconds, [(subscribers, 0)])
                cores.append(watched.result())
                per_core.append(got.messages / seconds / cores[-1])
                say(f"  run {run + 1}: {per_core[-1]:,.0f} messages per second and core, {cores[-1]:.2f} cores")
        detail = f"{subscribers} subscribers to 10,000 marks/s; the server took {statistics.median(cores):.2f} cores"
        return Measured(statistics.median(per_core), detail, {"per_core": per_core, "cores": cores})

    return measure


ROWS = (
    Row(
        "stuck-writes",
        "durable writes with 100 subscribers, beside 1,000 that never read, against without those",
        Target("×", 0.95, more_is_better=True),
        writes_beside_stuck,
    ),
    Row(
        "stuck-p99",
        "newest mark to 100 subscribers, p99, beside 1,000 that never read, against without those",
        Target("×", 1.1),
        p99_beside_stuck,
    ),
    *(
        Row(
            f"fan-out-{subscribers}",
            f"messages per second and core of the server, {subscribers} subscribers",
            Target("messages/s", more_is_better=True),
            _fan_out(subscribers),
        )
        for subscribers in (1, 10, 100)
    ),
)
