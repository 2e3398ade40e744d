"""Option symbols as the Options Clearing Corporation spells them: the one spelling that says all of a contract.

    AAPL  240119C00100000      root padded to 6, expiry yymmdd, C or P, strike in thousandths in 8 digits: 21 characters
    AAPL240119C00100000        the same without the padding, as most brokers send it

Problem: an option booked as a share is wrong by its multiplier. Seen: brokers report options by these two spellings, and
a standard contract delivers 100 shares of its root. A root that holds a digit is not a standard contract: the OCC appends one
when a split or a merger has changed what is delivered (AAPL1), and puts one in front of a flexible contract (4SPX). Chosen: both
spellings are read, upper case only; what is delivered is known for a root of letters alone.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import NamedTuple

STANDARD_MULTIPLIER = Decimal(100)
"""Shares that a standard contract delivers."""

PADDED_LENGTH = 21
"""Characters of the padded spelling."""

_SPELLING = re.compile(r"(?P<root>[A-Z0-9]{1,6}) *(?P<expiry>[0-9]{6})(?P<right>[CP])(?P<strike>[0-9]{8})").fullmatch
_STRIKE_SCALE = -3


class OccOption(NamedTuple):
    """What an OCC symbol says. ``expiry`` is an ISO date, ``strike`` in US dollars, ``call`` false for a put.

    ``root`` is what stands in the symbol: for most options their underlying, for some indexes a class of it (SPXW).
    """

    root: str
    expiry: str
    call: bool
    strike: Decimal

    @property
    def is_standard(self) -> bool:
        """Whether it delivers 100 of its root."""
        return not any(character.isdigit() for character in self.root)


def parsed(symbol: str) -> OccOption | None:
    """What ``symbol`` says, or None when it is not an OCC symbol: another spelling, no such day, a strike of nothing."""
    words = _SPELLING(symbol)
    if words is None or (" " in symbol and len(symbol) != PADDED_LENGTH):
        return None
    strike = Decimal(words["strike"]).scaleb(_STRIKE_SCALE)
    try:
        day = date(2000 + int(words["expiry"][:2]), int(words["expiry"][2:4]), int(words["expiry"][4:]))
    except ValueError:
        return None
    return OccOption(words["root"], day.isoformat(), words["right"] == "C", strike) if strike else None
