"""What a venue says about one symbol, and which price of it values positions.

A mark carries bid and ask whenever the venue sent them. Where the chosen price is not known there is no mark: unknown is not
zero (law 12), and another price is not the one that was asked for. A mark that stood until then is withdrawn (see `standing`).

With ``Price.SIDE`` longs are worth the bid and shorts the ask; the price, for those who have no direction, is the middle. While
one side of the book is empty, the direction whose side is there keeps its exact value: a long is worth the bid also when nobody
asks, and to call that stale would be untrue. The other direction has no price at which it could be closed. A mark has one
staleness for both, so it gets the most defensible number there is: the last trade, but never one that the side which is there
rules out (who is bid 101 asks no 100), and without a last trade that side itself. For a short without an ask this is the least
that closing costs, for a long without a bid the most that it brings: a bound, on the flattering side. Who would have
no price then chooses ``mid``, which is withdrawn as soon as one side is empty. Without both sides there is no mark either way.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from lotkeeperd.domain.decimals import EXACT
from lotkeeperd.feeds.spec import FeedSpec, Price
from lotkeeperd.service.marks import Mark

_HALF = Decimal("0.5")


class Quote(NamedTuple):
    """Prices of ``symbol`` (the venue's spelling) at ``time`` (nanoseconds UTC); None where the venue has none."""

    symbol: str
    time: int
    last: Decimal | None = None
    bid: Decimal | None = None
    ask: Decimal | None = None
    mark: Decimal | None = None

    def middle(self) -> Decimal | None:
        """Half way between bid and ask, exactly: it may have one digit more than they have."""
        if self.bid is None or self.ask is None:
            return None
        return EXACT.multiply(EXACT.add(self.bid, self.ask), _HALF)


def marked(quote: Quote, spec: FeedSpec) -> Mark | None:
    """The mark a quote makes under ``spec``; None for a symbol not in its table, or when the chosen price is not known."""
    symbol = spec.symbols.get(quote.symbol)
    value = chosen(quote, spec.price)
    if symbol is None or value is None:
        return None
    return Mark(symbol, value, quote.time, spec.name, quote.bid, quote.ask, spec.price is Price.SIDE)


def chosen(quote: Quote, price: Price) -> Decimal | None:
    """The price of ``quote`` that was asked for."""
    match price:
        case Price.LAST:
            return quote.last
        case Price.MID:
            return quote.middle()
        case Price.MARK:
            return quote.mark
        case Price.SIDE:
            return quote.middle() or _beside(quote)


def _beside(quote: Quote) -> Decimal | None:
    """What stands for the side that nobody quotes, beside the one that is there; None when none is."""
    if quote.bid is not None:
        return quote.bid if quote.last is None else max(quote.last, quote.bid)
    if quote.ask is not None:
        return quote.ask if quote.last is None else min(quote.last, quote.ask)
    return None
