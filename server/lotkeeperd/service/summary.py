"""GetSummary: positions and totals of one moment, over as many pages as it takes.

A paged read keeps the figures of its first page: committed books and marks are never changed in place, so keeping a list of
them for a minute costs references, not copies. Each caller may have a few such reads; a new one ends its oldest.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable, Sequence
from decimal import localcontext
from typing import NamedTuple

from lotkeeperd.domain.decimals import EXACT
from lotkeeperd.domain.refusals import InvalidPageToken, NotYetImplemented, PortfolioNotFound, SequenceAhead
from lotkeeperd.service.ports import Clock
from lotkeeperd.service.valuation import PortfolioTotals, Valuation, Valued

KEPT_NANOSECONDS = 60_000_000_000
"""How long a read can be continued after its first page."""

READS_PER_CALLER = 16
"""Reads that one caller may have open."""

CALLERS = 1_000
"""Callers whose reads are kept; the one that has been silent longest is forgotten first."""


class Asked(NamedTuple):
    """What a GetSummary asked for, but for the page: two pages of one read must ask the same."""

    portfolio_id: str
    symbols: tuple[str, ...] = ()
    include_entries: bool = False
    include_flat: bool = False
    as_of: int | None = None


class Summary(NamedTuple):
    """Everything a read shows, by symbol; ``sequence`` is the journal's when it was taken."""

    asked: Asked
    positions: Sequence[tuple[str, Valued]]
    totals: PortfolioTotals
    sequence: int


class _Kept(NamedTuple):
    summary: Summary
    until: int


class Summaries:
    """Takes summaries and keeps those that have further pages."""

    def __init__(self, valuation: Valuation, head: Callable[[], int], clock: Clock) -> None:
        self._valuation = valuation
        self._head = head
        self._clock = clock
        self._kept: OrderedDict[str, OrderedDict[str, _Kept]] = OrderedDict()

    def take(self, asked: Asked) -> Summary:
        """The state now. Raises PortfolioNotFound, SequenceAhead or NotYetImplemented."""
        head = self._head()
        if not self._valuation.has(asked.portfolio_id):
            raise PortfolioNotFound(asked.portfolio_id)
        if asked.as_of is not None and asked.as_of > head:
            raise SequenceAhead("as_of_sequence", asked.as_of, head)
        if asked.as_of is not None and asked.as_of < head:
            raise NotYetImplemented("as_of_sequence")
        everything = self._valuation.positions(asked.portfolio_id)
        names = sorted(set(asked.symbols) & everything.keys()) if asked.symbols else sorted(everything)
        flat_too = asked.include_flat or bool(asked.symbols)
        positions = [
            (name, everything[name]) for name in names if flat_too or everything[name].book.direction is not None
        ]
        with localcontext(EXACT):
            totals = self._valuation.totals(asked.portfolio_id)
        return Summary(asked, positions, totals, head)

    def keep(self, summary: Summary, caller: str) -> str:
        """Remember a read that goes on; the name it has for this caller, which says until when."""
        until = self._clock() + KEPT_NANOSECONDS
        name = f"{until}.{secrets.token_hex(8)}"
        reads = self._kept.setdefault(caller, OrderedDict())
        self._kept.move_to_end(caller)
        reads[name] = _Kept(summary, until)
        if len(reads) > READS_PER_CALLER:
            reads.popitem(last=False)
        if len(self._kept) > CALLERS:
            self._kept.popitem(last=False)
        return name

    def kept(self, name: str, asked: Asked, caller: str) -> Summary:
        """A read to go on with. Raises InvalidPageToken."""
        if int(name.partition(".")[0]) < self._clock():
            raise InvalidPageToken("expired", "its read is over a minute old")
        kept = self._kept[caller].get(name) if caller in self._kept else None
        if kept is None:
            raise InvalidPageToken(
                "evicted",
                f"its read is no longer kept: {READS_PER_CALLER} newer ones began, or the connection is another",
            )
        if kept.summary.asked != asked:
            raise InvalidPageToken("other_request", "it was made for another request")
        return kept.summary

    def forget(self) -> None:
        """Drop what has expired, so that idle callers hold nothing."""
        now = self._clock()
        for caller in list(self._kept):
            reads = self._kept[caller]
            while reads and next(iter(reads.values())).until < now:
                reads.popitem(last=False)
            if not reads:
                del self._kept[caller]
