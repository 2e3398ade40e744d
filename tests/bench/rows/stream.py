"""From the newest mark of a message coming in to StreamPnL going out, with many subscribers to everything.

Marks are pushed through SetMarks, a call for each message: PublishMarks, which keeps one stream open, is not implemented yet.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence

from tests.bench import calls, load
from tests.bench.apart import Apart, apart
from tests.bench.plan import Plan, say
from tests.bench.streaming import NANOSECONDS, Follow, Followed, Push, Pushed, follow, push
from tests.bench.table import Measured, Row, Target
from tests.support.sidecar import Sidecar

SYMBOLS = 100
SUBSCRIBERS = 100
MARKS_PER_SECOND = 10_000
MARKS_PER_MESSAGE = 20
SECONDS = 10.0
WARM_UP = 3.0
"""Seconds for every process to start, connect and settle."""

CALM_INTERVAL = 100
"""Milliseconds between two messages of a subscriber that asked for an interval."""


def _opened(sidecar: Sidecar) -> None:
    entries = [calls.entry(number, calls.symbol_name(number)) for number in range(SYMBOLS)]
    apart(load.sent, sidecar.address, calls.CREATE_ENTRY, entries, 64)


def _measured(address: str, seconds: float, followers: Sequence[tuple[int, int]]) -> tuple[Pushed, list[Followed]]:
    """Push and follow at once; ``followers`` are (subscribers, interval in milliseconds), each group a process."""
    start = time.time_ns() + int(WARM_UP * NANOSECONDS)
    end = start + int(seconds * NANOSECONDS)
    wanted = Push(SYMBOLS, MARKS_PER_MESSAGE, MARKS_PER_SECOND, WARM_UP + seconds)
    following = [Apart(follow, address, Follow(count, start, end, interval)) for count, interval in followers]
    pushing = Apart(push, address, wanted)
    return pushing.result(), [process.result() for process in following]


def _p99(ages: Sequence[float]) -> float:
    return statistics.quantiles(ages, n=100)[98]


def newest_mark(plan: Plan) -> Measured:
    """p99 over every message of every subscriber, without an interval."""
    seconds = max(1.0, SECONDS * plan.share)
    p50, p99, folded, rate, per_second = ([] for _ in range(5))
    with Sidecar(str(plan.new_database())) as sidecar:
        _opened(sidecar)
        for run in range(plan.runs):
            pushed, (got,) = _measured(sidecar.address, seconds, [(SUBSCRIBERS, 0)])
            p50.append(statistics.median(got.ages))
            p99.append(_p99(got.ages))
            folded.append(got.folded / (got.folded + got.shown))
            rate.append(pushed.marks / pushed.seconds)
            per_second.append(got.messages / seconds)
            say(
                f"  run {run + 1}: p50 {p50[-1]:.1f} ms, p99 {p99[-1]:.1f} ms, {folded[-1]:.0%} folded, "
                f"{rate[-1]:,.0f} marks/s in, {per_second[-1]:,.0f} messages/s out"
            )
    detail = (
        f"p50 {statistics.median(p50):.1f} ms; {statistics.median(folded):.0%} of the mark changes folded; "
        f"{statistics.median(rate):,.0f} marks/s in by SetMarks of {MARKS_PER_MESSAGE}, "
        f"{statistics.median(per_second):,.0f} messages/s out (PublishMarks is not implemented yet)"
    )
    figures = {"p50_ms": p50, "p99_ms": p99, "folded": folded, "marks_per_s": rate, "messages_per_s": per_second}
    return Measured(statistics.median(p99), detail, figures)


def beside_calm_ones(plan: Plan) -> Measured:
    """p99 of one subscriber without an interval while a hundred others asked for one."""
    seconds = max(1.0, SECONDS * plan.share)
    p99: list[float] = []
    with Sidecar(str(plan.new_database())) as sidecar:
        _opened(sidecar)
        for run in range(plan.runs):
            _, (alone, _) = _measured(sidecar.address, seconds, [(1, 0), (SUBSCRIBERS, CALM_INTERVAL)])
            p99.append(_p99(alone.ages))
            say(f"  run {run + 1}: p99 {p99[-1]:.1f} ms, {alone.messages / seconds:,.0f} messages/s to it")
    return Measured(statistics.median(p99), f"{SUBSCRIBERS} others with intervals of {CALM_INTERVAL} ms", {"p99_ms": p99})


ROWS = (
    Row(
        "stream",
        "newest mark in, to StreamPnL out, p99: 100 symbols, 100 subscribers, 10,000 marks/s",
        Target("ms", 20, 8),
        newest_mark,
    ),
    Row(
        "stream-calm",
        "the same, p99 to one subscriber beside 100 with an interval of 100 ms",
        Target("ms"),
        beside_calm_ones,
    ),
)
