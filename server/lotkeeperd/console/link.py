"""How the connection is doing, folded out of the events of a stream. Pure: time is handed in.

A stream says that it was lost once, and then nothing until it is back; so "for how long" is counted here.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from lotkeeper import Disconnected, PnLEvent


class State(Enum):
    """Where the connection stands."""

    CONNECTING = "connecting"
    """Nothing heard yet."""
    CONNECTED = "connected"
    RECONNECTING = "reconnecting"
    """Lost; the client looks for a new one by itself."""


class Link(NamedTuple):
    """A connection; times in nanoseconds UTC.

    ``since``: it is in this ``state``. ``heard``: the last message came (0: none did). ``lag``: what that one took from the
    server's clock to ours. ``cause``: why the connection was lost. ``losses``: how often.
    """

    since: int
    state: State = State.CONNECTING
    heard: int = 0
    lag: int = 0
    cause: str = ""
    losses: int = 0


def after(link: Link, event: PnLEvent, now: int) -> Link:
    """The link after one event of the stream that came at ``now``."""
    if isinstance(event, Disconnected):
        return link._replace(since=now, state=State.RECONNECTING, cause=event.cause.message, losses=link.losses + 1)
    since = link.since if link.state is State.CONNECTED else now
    return link._replace(since=since, state=State.CONNECTED, heard=now, lag=max(0, now - event.emit_time), cause="")
