"""What a venue says about one symbol, and which price of it values positions.

A mark carries bid and ask whenever the venue sent them. With ``Price.SIDE`` longs are worth the bid and shorts the ask, and
the price is the middle, or the last trade while one side of the book is empty. Where the chosen price is not known there is no
mark: unknown is not zero (law 12), and another price is not the one that was asked for.
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
            return quote.middle() or (quote.last if quote.bid or quote.ask else None)
