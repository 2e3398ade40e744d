"""Which marks of one connection still stand, and which its venue has withdrawn.

Problem: when one side of a book empties, or the trade that made the last price is cancelled, the venue says that it has no
price; to pass that over leaves the price before it looking fresh for as long as a mark may live. Chosen: a quote of a symbol
that had a mark, without the price that values it, withdraws that mark, and what was said before that does not bring it back.
The ledger's board only knows the times of marks, so the times of withdrawals are kept here.

What an earlier connection said does not matter: its marks were stale when it ended.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from lotkeeperd.feeds.quotes import Quote, marked
from lotkeeperd.feeds.spec import FeedSpec
from lotkeeperd.service.marks import Mark


class News(NamedTuple):
    """What one frame changes: marks to accept, in their order, and then symbols (the ledger's) that have no price any more."""

    marks: list[Mark]
    withdrawn: list[str]


class Standing:
    """When each symbol's mark that stands was made, and when those that do not were withdrawn; nanoseconds UTC."""

    def __init__(self, spec: FeedSpec) -> None:
        self._spec = spec
        self._made: dict[str, int] = {}
        self._withdrawn: dict[str, int] = {}

    def take(self, quotes: Iterable[Quote]) -> News:
        """What these quotes change; those of symbols that are not in the feed's table change nothing."""
        marks: list[Mark] = []
        gone: dict[str, None] = {}
        for quote in quotes:
            symbol = self._spec.symbols.get(quote.symbol)
            if symbol is None:
                continue
            mark = marked(quote, self._spec)
            if mark is None:
                if self._withdraw(symbol, quote.time):
                    gone[symbol] = None
            elif self._make(symbol, quote.time):
                marks.append(mark)
                gone.pop(symbol, None)
        return News(marks, list(gone))

    def _make(self, symbol: str, time: int) -> bool:
        """Whether a mark of that time stands, or is at most older than another, which the board sees to."""
        if time < self._withdrawn.get(symbol, 0):
            return False
        self._withdrawn.pop(symbol, None)
        self._made[symbol] = max(time, self._made.get(symbol, 0))
        return True

    def _withdraw(self, symbol: str, time: int) -> bool:
        """Whether that ends a mark: not when there is none, nor when it was made since."""
        made = self._made.get(symbol)
        if made is None or time < made:
            return False
        del self._made[symbol]
        self._withdrawn[symbol] = time
        return True
