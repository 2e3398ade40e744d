"""When a feed tries again."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotkeeperd.feeds.errors import ConnectionLimit, Dropped, FeedError, Gap, Rejected, Silent, Unreadable
from lotkeeperd.feeds.reconnect import PACE, Fatal, Pace, Retry, delays, verdict

PACES = st.builds(
    Pace,
    first=st.floats(0.001, 10),
    longest=st.floats(10, 600),
    healthy=st.floats(0.1, 600),
    slow=st.floats(0, 600),
)


class Highest(Random):
    """Draws the upper bound, so that a test can see it."""

    def uniform(self, a: float, b: float) -> float:  # noqa: ARG002 the lower bound is not looked at
        """The upper bound."""
        return b


def drawn(random: Random, pace: Pace, lasted: list[float]) -> list[float]:
    """The delays after connections that were healthy for so many seconds."""
    waits = delays(random, pace)
    next(waits)
    return [waits.send(seconds) for seconds in lasted]


@given(st.integers(), PACES, st.lists(st.floats(0, 1000), max_size=60))
def test_a_delay_is_never_longer_than_the_longest(seed: int, pace: Pace, lasted: list[float]) -> None:
    """Nor negative, however often it is tried and however long connections last."""
    assert all(0 <= delay <= pace.longest for delay in drawn(Random(seed), pace, lasted))


@given(st.integers(), st.lists(st.floats(0, 1000), max_size=20))
def test_the_same_seed_gives_the_same_delays(seed: int, lasted: list[float]) -> None:
    """Randomness is handed in."""
    assert drawn(Random(seed), PACE, lasted) == drawn(Random(seed), PACE, lasted)


@given(PACES, st.integers(1, 2000))
def test_the_bound_doubles_until_it_is_the_longest(pace: Pace, tries: int) -> None:
    """From the first on, without end and without overflow."""
    bounds = drawn(Highest(), pace, [0.0] * tries)
    assert bounds[0] == min(pace.first, pace.longest)
    assert all(later == min(2 * earlier, pace.longest) for earlier, later in pairwise(bounds))


def test_only_a_healthy_while_starts_over() -> None:
    """A venue that accepts and drops at once is not hammered."""
    pace = Pace(first=1, longest=60, healthy=30)
    assert drawn(Highest(), pace, [0, 0, 29.9, 30, 0]) == [1, 2, 4, 1, 2]


def test_delays_are_spread_over_the_whole_range(seed: int) -> None:
    """Full jitter: of many clients that were dropped together, some come back in every part of the range."""
    first = [drawn(Random(seed + client), Pace(first=8), [0.0])[0] for client in range(400)]
    assert {int(delay) for delay in first} == set(range(8))


@pytest.mark.parametrize("error", [Gap("x"), Unreadable("x"), Silent("x"), Dropped("x")])
def test_what_may_pass_is_tried_again(error: FeedError) -> None:
    """Breaks, gaps and silence."""
    assert verdict(error) == Retry(slowly=False)


def test_a_connection_limit_is_tried_again_slowly() -> None:
    """The other program may end."""
    assert verdict(ConnectionLimit("406")) == Retry(slowly=True)


def test_a_refusal_is_final_and_says_what_to_do() -> None:
    """Wrong keys do not become right by trying."""
    judged = verdict(Rejected("auth failed"))
    assert isinstance(judged, Fatal)
    assert "the variables it names" in judged.advice
