"""From the newest mark of a message coming in to StreamPnL going out, with many subscribers to everything."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import NamedTuple

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


def opened(sidecar: Sidecar) -> None:
    """A lot in every symbol."""
    entries = [calls.entry(number, calls.symbol_name(number)) for number in range(SYMBOLS)]
    apart(load.sent, sidecar.address, calls.CREATE_ENTRY, entries, 64)


def push_and_follow(
    address: str, seconds: float, followers: Sequence[tuple[int, int]]
) -> tuple[Pushed, list[Followed]]:
    """Push marks and follow them for ``seconds``; ``followers`` are (subscribers, interval in milliseconds), a process each."""
    start = time.time_ns() + int(WARM_UP * NANOSECONDS)
    end = start + int(seconds * NANOSECONDS)
    wanted = Push(SYMBOLS, MARKS_PER_MESSAGE, MARKS_PER_SECOND, WARM_UP + seconds)
    with ExitStack() as stack:
        publisher, *subscribers = (stack.enter_context(Apart()) for _ in range(1 + len(followers)))
        for process, (count, interval) in zip(subscribers, followers, strict=True):
            process.begin(follow, address, Follow(count, start, end, interval))
        publisher.begin(push, address, wanted)
        return publisher.result(), [process.result() for process in subscribers]


def p99_of(ages: Sequence[float]) -> float:
    """What one of 100 is older than."""
    return statistics.quantiles(ages, n=100)[98]


class _Run(NamedTuple):
    """One run: ages in milliseconds, the share of mark changes folded, rates per second."""

    p50: float
    p99: float
    folded: float
    marks: float
    messages: float

    def text(self) -> str:
        return (
            f"p50 {self.p50:.1f} ms, p99 {self.p99:.1f} ms, {self.folded:.0%} of the mark changes folded, "
            f"{self.marks:,.0f} marks/s in, {self.messages:,.0f} messages/s out"
        )


def newest_mark(plan: Plan) -> Measured:
    """p99 over every message of every subscriber, without an interval."""
    seconds = max(1.0, SECONDS * plan.share)
    runs: list[_Run] = []
    with Sidecar(str(plan.new_database())) as sidecar:
        opened(sidecar)
        for run in range(plan.runs):
            pushed, (got,) = push_and_follow(sidecar.address, seconds, [(SUBSCRIBERS, 0)])
            runs.append(_run(pushed, got, seconds))
            say(f"  run {run + 1}: {runs[-1].text()}")
    middle = _Run(*map(statistics.median, zip(*runs, strict=True)))
    detail = f"{middle.text()}; pushed in messages of {MARKS_PER_MESSAGE}"
    return Measured(middle.p99, detail, {name: [getattr(run, name) for run in runs] for name in _Run._fields})


def _run(pushed: Pushed, got: Followed, seconds: float) -> _Run:
    return _Run(
        statistics.median(got.ages),
        p99_of(got.ages),
        got.folded / (got.folded + got.shown),
        pushed.marks / pushed.seconds,
        got.messages / seconds,
    )


def beside_calm_ones(plan: Plan) -> Measured:
    """p99 of one subscriber without an interval while a hundred others asked for one."""
    seconds = max(1.0, SECONDS * plan.share)
    p99: list[float] = []
    with Sidecar(str(plan.new_database())) as sidecar:
        opened(sidecar)
        for run in range(plan.runs):
            _, (alone, _) = push_and_follow(sidecar.address, seconds, [(1, 0), (SUBSCRIBERS, CALM_INTERVAL)])
            p99.append(p99_of(alone.ages))
            say(f"  run {run + 1}: p99 {p99[-1]:.1f} ms, {alone.messages / seconds:,.0f} messages/s to it")
    return Measured(
        statistics.median(p99), f"{SUBSCRIBERS} others with intervals of {CALM_INTERVAL} ms", {"p99_ms": p99}
    )


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
