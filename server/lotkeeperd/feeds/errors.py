"""What can end a conversation with a venue.

FeedError
├── Rejected          who we are, or what we ask for, is refused: trying again would be refused again
├── ConnectionLimit   the venue takes no more connections now: try again, slowly
├── Gap               a message was lost: begin anew
├── Unreadable        a message is not what the venue documents: begin anew
├── Silent            connected but mute, or a request stays unanswered: begin anew
└── Dropped           the connection ended, or could not be made: try again

`reconnect.verdict` is the one place that says which of them is worth another try.
"""

from __future__ import annotations

MAX_SHOWN = 200
"""Characters of a venue's own words that go into a message of ours."""


class FeedError(Exception):
    """A conversation with a venue is over; the message says why, in words for an operator."""


class Rejected(FeedError):
    """The venue refuses the keys, the plan or the address."""


class ConnectionLimit(FeedError):
    """The venue takes no more connections of this account or address."""


class Gap(FeedError):
    """The venue's numbering says that a message was lost."""


class Unreadable(FeedError):
    """A message cannot be read."""


class Silent(FeedError):
    """Nothing comes although the connection stands."""


class Dropped(FeedError):
    """The connection ended or could not be made."""


def shown(value: object) -> str:
    """What came from outside, as it may stand in a message: quoted and cut."""
    text = repr(value)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"
