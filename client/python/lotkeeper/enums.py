"""The contract's enums as Python enums that do not break when a newer server says something new.

A server may be newer than the client beside it. A plain ``IntEnum`` raises ``ValueError`` on a number it does not know,
and the bot would lose the whole answer over one field it perhaps never looks at. Therefore an unknown number becomes an
unnamed member: it prints as ``UNKNOWN_7``, equals its number, and matches none of the members known here.
"""

from __future__ import annotations

from enum import IntEnum


class OpenEnum(IntEnum):
    """An enum of the contract; a number this client does not know yet is kept as it is."""

    @classmethod
    def _missing_(cls, value: object) -> OpenEnum | None:
        if not isinstance(value, int):
            return None
        member = int.__new__(cls, value)
        member._name_ = f"UNKNOWN_{value}"
        member._value_ = value
        return member


class Side(OpenEnum):
    """Which way an execution traded."""

    UNSPECIFIED = 0
    BUY = 1
    SELL = 2


class PositionSide(OpenEnum):
    """Which way a lot or a position profits; ``FLAT`` is only ever answered."""

    UNSPECIFIED = 0
    LONG = 1
    SHORT = 2
    FLAT = 3


class EntryStatus(OpenEnum):
    """How much of an entry is still open."""

    UNSPECIFIED = 0
    OPEN = 1
    PARTIALLY_CLOSED = 2
    CLOSED = 3


class ExcessPolicy(OpenEnum):
    """What becomes of quantity beyond the open lots: refuse it, or close all and open the rest on the other side."""

    UNSPECIFIED = 0
    REJECT = 1
    REVERSE = 2
