"""Amounts in another currency: the rate, which way round it is quoted, and which mark quotes it.

Problem: a venue quotes EUR/USD, and totals are asked for in either. Seen: ledgers that store 1 / rate, rounded, and convert with
that. Chosen: a rate stays as it was quoted and says which way it is used. Base to quote is a product and exact (law 1); quote to
base is a division, half-even at 18 digits. Only a configured pair converts, and no pair is chained to another: unknown is not
zero (law 12), and a rate that nobody quoted is unknown.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from lotkeeperd.domain.decimals import ONE, quotient


class Rate(NamedTuple):
    """One ``base`` costs ``price`` > 0 ``quote``, observed at ``time`` (nanoseconds UTC) by ``source``.

    ``inverted`` says which way it is used: from quote to base instead of from base to quote.
    """

    base: str
    quote: str
    price: Decimal
    time: int
    source: str
    inverted: bool = False

    @property
    def target(self) -> str:
        """The currency that it converts into."""
        return self.base if self.inverted else self.quote


def same(currency: str, time: int = 0) -> Rate:
    """The rate of a currency into itself: 1, from no source."""
    return Rate(currency, currency, ONE, time, "")


def convert(amount: Decimal, rate: Rate) -> Decimal:
    """``amount`` in ``rate.target``; exact, or when inverted half-even at 18 fraction digits. Run under ``localcontext(EXACT)``."""
    return quotient(amount, rate.price) if rate.inverted else amount * rate.price


class Pair(NamedTuple):
    """The mark of ``symbol`` is the price of one ``base`` in ``quote``; ``inverted`` when it is used from quote to base."""

    symbol: str
    base: str
    quote: str
    inverted: bool = False

    def rate(self, price: Decimal, time: int, source: str) -> Rate:
        """The rate at a mark: its price, its time in nanoseconds UTC and its source."""
        return Rate(self.base, self.quote, price, time, source, self.inverted)


class Pairs:
    """The pairs that convert one currency into another, as they are configured."""

    __slots__ = ("_pairs", "symbols")

    def __init__(self, pairs: Iterable[Pair] = ()) -> None:
        """Raises ValueError when a pair has one currency on both sides, or is there twice, either way round."""
        self._pairs: dict[tuple[str, str], Pair] = {}
        for symbol, base, quote, _ in pairs:
            self._add(Pair(symbol, base, quote))
        self.symbols = frozenset(pair.symbol for pair in self._pairs.values())

    def _add(self, pair: Pair) -> None:
        name = f"{pair.base}/{pair.quote}"
        if pair.base == pair.quote:
            raise ValueError(f"pair {name} converts a currency into itself; leave it out")
        if (pair.base, pair.quote) in self._pairs:
            raise ValueError(f"pair {name} is there twice, either way round; keep one")
        self._pairs[pair.base, pair.quote] = pair
        self._pairs[pair.quote, pair.base] = pair._replace(inverted=True)

    def between(self, source: str, target: str) -> Pair | None:
        """The pair whose mark converts ``source`` into ``target``, used the right way; None when none does or none is needed."""
        return self._pairs.get((source, target))
