"""How the connection is doing, event by event."""

from __future__ import annotations

from lotkeeperd.console.link import Link, State, after
from tests.console.values import LONG, heartbeat, lost, snapshot


def test_a_link_is_connected_from_its_first_event_on() -> None:
    """Since then, with the lag of the newest one."""
    first = after(Link(since=100), heartbeat(emitted=150), 200)
    second = after(first, heartbeat(emitted=290), 300)

    assert Link(since=100).state is State.CONNECTING
    assert first == Link(since=200, state=State.CONNECTED, heard=200, lag=50)
    assert second == Link(since=200, state=State.CONNECTED, heard=300, lag=10)


def test_a_lost_link_says_since_when_and_why_until_it_is_back() -> None:
    """When it was heard last is kept: so old are the figures."""
    link = after(after(Link(since=0), snapshot(LONG), 200), lost(), 500)
    back = after(link, snapshot(LONG), 900)

    assert link == Link(since=500, state=State.RECONNECTING, heard=200, lag=199, cause="gone", losses=1)
    assert (back.state, back.since, back.cause, back.losses) == (State.CONNECTED, 900, "", 1)


def test_a_server_whose_clock_is_ahead_makes_no_lag_below_zero() -> None:
    """Between two machines a lag is as exact as their clocks agree."""
    assert after(Link(since=0), heartbeat(emitted=1_000), 10).lag == 0
