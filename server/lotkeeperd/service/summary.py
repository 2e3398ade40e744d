"""GetSummary: positions, groups and totals of one moment, over as many pages as it takes.

A paged read keeps the figures of its first page: committed books and marks are never changed in place, so keeping a list of
them for a minute costs references, not copies. Each caller may have a few such reads; a new one ends its oldest.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, localcontext
from typing import NamedTuple

from lotkeeperd.domain.book import LotMethod
from lotkeeperd.domain.decimals import EXACT
from lotkeeperd.domain.groups import GroupPnL
from lotkeeperd.domain.refusals import InvalidPageToken, PortfolioNotFound
from lotkeeperd.service.groups import Groups
from lotkeeperd.service.ports import Clock
from lotkeeperd.service.valuation import Place, PortfolioTotals, Valuation, Valued

KEPT_NANOSECONDS = 60_000_000_000
"""How long a read can be continued after its first page."""

READS_PER_CALLER = 16
"""Reads that one caller may have open."""

CALLERS = 1_000
"""Callers whose reads are kept; the one that has been silent longest is forgotten first."""


class Asked(NamedTuple):
    """What a GetSummary asked for, but for the page: two pages of one read must ask the same.

    ``as_of_time`` in nanoseconds UTC; ``marks`` are (symbol, price), for what is not live.
    """

    portfolio_id: str
    symbols: tuple[str, ...] = ()
    include_entries: bool = False
    include_flat: bool = False
    as_of: int | None = None
    as_of_time: int | None = None
    method: LotMethod | None = None
    marks: tuple[tuple[str, Decimal], ...] = ()
    include_groups: bool = False
    group_ids: tuple[str, ...] = ()

    @property
    def is_live(self) -> bool:
        """Whether it asks for what is now, as it was decided."""
        return self.as_of is None and self.as_of_time is None and self.method is None


class Summary(NamedTuple):
    """Everything a read shows, by symbol; ``sequence`` is the journal's when it was taken."""

    asked: Asked
    positions: Sequence[tuple[Place, Valued]]
    totals: PortfolioTotals
    sequence: int
    groups: Sequence[GroupPnL] = ()


def chosen(asked: Asked, everything: Mapping[Place, Valued]) -> list[tuple[Place, Valued]]:
    """The positions that a read shows, by symbol and side: open ones, and flat ones when they are named or asked for."""
    named = frozenset(asked.symbols)
    flat_too = asked.include_flat or bool(named)
    return [
        (place, everything[place])
        for place in sorted(everything)
        if (not named or place[0] in named) and (flat_too or everything[place].book.direction is not None)
    ]


class _Kept(NamedTuple):
    summary: Summary
    until: int


class Summaries:
    """Takes summaries and keeps those that have further pages."""

    def __init__(self, valuation: Valuation, groups: Groups, head: Callable[[], int], clock: Clock) -> None:
        self._valuation = valuation
        self._groups = groups
        self._head = head
        self._clock = clock
        self._kept: OrderedDict[str, OrderedDict[str, _Kept]] = OrderedDict()

    async def ready(self, asked: Asked) -> None:
        """Until ``take`` can show the groups that are asked for; then at once. Raises StorageUnavailable."""
        if asked.include_groups or asked.group_ids:
            named = [(asked.portfolio_id, group_id) for group_id in asked.group_ids]
            await self._groups.ready([asked.portfolio_id], named, asked.include_groups)

    def take(self, asked: Asked) -> Summary:
        """The state now. Raises PortfolioNotFound."""
        assert asked.is_live, f"{asked} is a question for the past"
        if not self._valuation.has(asked.portfolio_id):
            raise PortfolioNotFound(asked.portfolio_id)
        everything = self._valuation.positions(asked.portfolio_id)
        positions = chosen(asked, everything)
        with localcontext(EXACT):
            totals = self._valuation.totals(asked.portfolio_id)
        return Summary(asked, positions, totals, self._head(), self._groups_of(asked))

    def _groups_of(self, asked: Asked) -> list[GroupPnL]:
        """The groups that a read shows, by group_id and currency: those named, and those with something open if asked for."""
        if not (asked.include_groups or asked.group_ids):
            return []
        self._groups.settle()
        refs = {(asked.portfolio_id, group_id) for group_id in asked.group_ids}
        if asked.include_groups:
            refs.update(self._groups.open_groups([asked.portfolio_id]))
        return [figures for ref in sorted(refs) for figures in self._groups.figures(ref) or ()]

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
