"""What can go wrong while an account is read.

Unread
├── KeysRefused   the broker refuses the keys: trying again would be refused again
└── Unclear       one row was read, and says what a person has to look at

None of them leaves this package: `reading` makes of them what a statement says of itself, or BrokerUnavailable. Messages never hold
a key, a secret or a signature.
"""

from __future__ import annotations

MAX_SHOWN = 200
"""Characters of a broker's own words that go into a message of ours."""


class Unread(Exception):
    """Something could not be read to its end; the message says what and why."""


class KeysRefused(Unread):
    """The broker does not know the keys, or does not let them read."""


class Unclear(Unread):
    """What was read is not what a ledger can follow by itself."""


def cut(value: object) -> str:
    """What came from outside, as it may stand in a message: quoted and cut."""
    text = repr(value)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"
