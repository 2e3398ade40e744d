"""What the person in front of the table chose to see. Pure values; ``keys`` changes them, ``frame`` obeys them."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Sort(Enum):
    """What comes first."""

    SYMBOL = "symbol"
    """By symbol, then portfolio."""
    PNL = "pnl"
    """Highest unrealized + net realized P&L; unknown last."""
    AGE = "age"
    """Oldest mark; a position without one before all."""
    VALUE = "value"
    """Largest value at the mark, or at cost without one."""

    def following(self) -> Sort:
        """The next one, round and round."""
        every = list(Sort)
        return every[(every.index(self) + 1) % len(every)]


class Choice(NamedTuple):
    """Settings of the view.

    ``filter`` holds words; every one must occur in portfolio or symbol, capital or not. ``draft`` is a filter that is being
    typed (None: nothing is), and counts at once. ``offset`` positions are scrolled away; ``page`` is how many were shown.
    """

    sort: Sort = Sort.SYMBOL
    lots: bool = False
    filter: str = ""
    draft: str | None = None
    help: bool = False
    offset: int = 0
    page: int = 1
    quitting: bool = False

    @property
    def words(self) -> tuple[str, ...]:
        """What is filtered by at the moment, in lower case."""
        return tuple((self.filter if self.draft is None else self.draft).lower().split())
