"""When to try again: one generator of delays, and one pure function that says whether to try at all.

Problem: when a venue restarts, everyone it dropped comes back at once, and again at once when it is not up yet.
Chosen: exponential back-off with full jitter (each delay is drawn evenly between nothing and a bound that doubles), which
spreads the crowd best; the bound starts over after a connection that was healthy for a while, not after one that was merely
made, or a venue that accepts and drops would be hammered.
"""

from __future__ import annotations

from collections.abc import Generator
from random import Random
from typing import NamedTuple

from lotkeeperd.feeds.errors import ConnectionLimit, FeedError, Rejected

LARGEST_DOUBLING = 30
"""Doublings after which the bound is the longest delay whatever the first was; keeps the power small."""


class Pace(NamedTuple):
    """How long to wait, in seconds.

    ``first`` bounds the first delay, ``longest`` bounds every one; a connection that lasted ``healthy`` starts them over; after
    a connection limit ``slow`` is added.
    """

    first: float = 0.5
    longest: float = 60.0
    healthy: float = 30.0
    slow: float = 60.0


PACE = Pace()


class Retry(NamedTuple):
    """Try again: ``slowly`` when the venue has too many connections."""

    slowly: bool = False


class Fatal(NamedTuple):
    """Do not try again: ``advice`` says what an operator can do."""

    advice: str


def verdict(error: FeedError) -> Retry | Fatal:
    """Whether a conversation that ended with ``error`` is worth another try."""
    if isinstance(error, Rejected):
        return Fatal("mend the feed's table or the variables it names, then start again")
    return Retry(slowly=isinstance(error, ConnectionLimit))


def delays(random: Random, pace: Pace = PACE) -> Generator[float, float, None]:
    """Seconds to wait before each next try.

    Prime it with ``next``; then ``send`` how many seconds the connection was healthy (0 when none was made), and the delay
    comes back.
    """
    tries = 0
    lasted = yield 0.0
    while True:
        tries = 0 if lasted >= pace.healthy else tries
        bound = min(pace.longest, pace.first * 2.0 ** min(tries, LARGEST_DOUBLING))
        tries += 1
        lasted = yield random.uniform(0.0, bound)
