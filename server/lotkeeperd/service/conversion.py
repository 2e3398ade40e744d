"""Amounts of several currencies in one: at the newest marks of the configured pairs, either way round.

What has no rate is named and left out: unknown is not zero (law 12). A rate is shown with its time and its source, so that whoever
reads a converted total can check it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple

from lotkeeperd.domain.accounts import Balance
from lotkeeperd.domain.decimals import ZERO
from lotkeeperd.domain.rates import Pairs, Rate, convert
from lotkeeperd.service.marks import MarkBoard


class Quoted(NamedTuple):
    """A rate as it was used, and whether the mark behind it is stale."""

    currency: str
    rate: Rate
    stale: bool


class Part(NamedTuple):
    """The sums of one currency that go into a converted total."""

    currency: str
    gross_realized: Decimal
    realized_fees: Decimal
    unrealized: Decimal | None
    balance: Balance
    total_value: Decimal | None


class Base(NamedTuple):
    """Everything of a portfolio in one currency. None is what cannot be told: a position without a mark, a rate of the past."""

    currency: str
    gross_realized: Decimal
    fees: Decimal
    unrealized: Decimal | None
    funding: Decimal
    interest: Decimal
    dividends: Decimal
    currency_pnl: Decimal | None
    total_value: Decimal | None
    rates: tuple[Quoted, ...]
    unconverted: tuple[str, ...]


class Converter:
    """Rates at the newest marks."""

    def __init__(self, marks: MarkBoard, pairs: Pairs) -> None:
        self._marks = marks
        self._pairs = pairs

    @property
    def symbols(self) -> frozenset[str]:
        """Whose marks convert."""
        return self._pairs.symbols

    def rate(self, currency: str, into: str) -> Rate | None:
        """The rate now; None when no pair is configured, or it has no mark that divides."""
        quoted = self._quoted(currency, into)
        return None if quoted is None else quoted.rate

    def _quoted(self, currency: str, into: str) -> Quoted | None:
        pair = self._pairs.between(currency, into)
        mark = None if pair is None else self._marks.newest(pair.symbol)
        if pair is None or mark is None or mark.price <= 0:
            return None
        return Quoted(currency, pair.rate(mark.price, mark.time, mark.source), self._marks.is_stale(pair.symbol))

    def together(self, base: str, parts: Sequence[Part]) -> Base:
        """``parts`` in ``base``; run under ``localcontext(EXACT)``."""
        rates = {part.currency: self._quoted(part.currency, base) for part in parts if part.currency != base}
        return summed(base, parts, rates)


def summed(base: str, parts: Sequence[Part], rates: dict[str, Quoted | None]) -> Base:
    """``parts`` in ``base`` at ``rates``; what has no rate is named, unless there is nothing of it."""
    known = [part for part in parts if part.currency == base or rates[part.currency] is not None]
    lost = [part.currency for part in parts if part not in known and _is_something(part)]

    def worth(part: Part, amount: Decimal) -> Decimal:
        quoted = rates.get(part.currency)
        return amount if quoted is None else convert(amount, quoted.rate)

    return Base(
        base,
        sum((worth(part, part.gross_realized) for part in known), ZERO),
        sum((worth(part, part.realized_fees + part.balance.charged) for part in known), ZERO),
        _all_or_none(None if part.unrealized is None else worth(part, part.unrealized) for part in known),
        sum((worth(part, part.balance.funding) for part in known), ZERO),
        sum((worth(part, part.balance.interest) for part in known), ZERO),
        sum((worth(part, part.balance.dividends) for part in known), ZERO),
        _all_or_none(_currency_pnl(part, worth(part, _brought(part))) for part in known if part.currency != base),
        _all_or_none(None if part.total_value is None else worth(part, part.total_value) for part in known),
        tuple(quoted for quoted in rates.values() if quoted is not None),
        tuple(lost),
    )


def _brought(part: Part) -> Decimal:
    return part.balance.deposited - part.balance.withdrawn


def _currency_pnl(part: Part, worth_now: Decimal) -> Decimal | None:
    """What money that was brought in is worth now beyond what it was worth then."""
    then = part.balance.base_value
    return None if then is None else worth_now - then


def _is_something(part: Part) -> bool:
    return bool(
        part.gross_realized or part.realized_fees or part.unrealized or part.total_value or part.unrealized is None
    )


def _all_or_none(amounts: Iterable[Decimal | None]) -> Decimal | None:
    total = ZERO
    for amount in amounts:
        if amount is None:
            return None
        total += amount
    return total
