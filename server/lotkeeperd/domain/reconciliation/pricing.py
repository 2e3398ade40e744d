"""The price of an execution that nobody has seen: so that the average of what is open at the end is the broker's.

Problem: a position is older than the history there is of it. Seen: venues answer for a few days, and what was bought before
that is not there; but brokers tell an average of what is open. Chosen: everything known is matched first in, first out behind the
one opening that is not known. What is left of that at the end has the price that makes the averages agree:

    linear:    left x p = held x average - sum of the other open quantities x their prices
    inverse:   left / p = held / average - sum of the other open quantities / their prices

Where nothing of it is left (the position went flat or turned since), no average says anything of its price, and only what came
after counts: it is priced at what it was closed at, which gains nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from lotkeeperd.domain.decimals import ZERO, average, quotient
from lotkeeperd.domain.reconciliation.lines import Measure


class Dealt(NamedTuple):
    """A signed quantity at a price, which is None for the one that is looked for."""

    quantity: Decimal
    price: Decimal | None


class Asked(NamedTuple):
    """The price that was found; ``agrees`` when the averages do with it, or it has no part in them."""

    price: Decimal
    agrees: bool


def opening_price(
    opened: Decimal,
    older: Iterable[Dealt],
    known: Iterable[Dealt],
    their_average: Decimal | None,
    measure: Measure,
) -> Asked | None:
    """The price of an opening of ``opened`` after ``older`` and before ``known``; quantities are signed.

    None when no price can be told: the broker gives no average, or one at which nothing is traded. Where the price that was worked
    out is one at which nothing is traded, it is the broker's average. Run under ``localcontext(EXACT)``.
    """
    left, closed = _matched([*older, Dealt(opened, None)], known)
    mine = sum((lot.quantity for lot in left if lot.price is None), ZERO)
    if not mine:
        return Asked(_weighted(closed, measure), agrees=True)
    if their_average is None or not measure.allows(their_average):
        return None
    price = _solved(mine, [lot for lot in left if lot.price is not None], their_average, measure)
    if price is not None and measure.allows(price):
        return Asked(price, agrees=True)
    return Asked(their_average, agrees=False)


def _matched(opened: list[Dealt], known: Iterable[Dealt]) -> tuple[list[Dealt], list[Dealt]]:
    """What is open at the end, and what the one without a price was closed by."""
    lots, closed = deque(opened), []
    for quantity, price in known:
        rest = quantity
        while rest and lots and lots[0].quantity * rest < 0:
            lot = lots.popleft()
            taken = rest if abs(rest) <= abs(lot.quantity) else -lot.quantity
            if lot.price is None and price is not None:
                closed.append(Dealt(-taken, price))
            if lot.quantity + taken:
                lots.appendleft(lot._replace(quantity=lot.quantity + taken))
            rest -= taken
        if rest:
            lots.append(Dealt(rest, price))
    return list(lots), closed


def _solved(mine: Decimal, others: list[Dealt], their_average: Decimal, measure: Measure) -> Decimal | None:
    total = mine + _sum(lot.quantity for lot in others)
    if measure.inverse:
        rest = quotient(total, their_average) - _sum(quotient(lot.quantity, lot.price) for lot in others if lot.price)
        return quotient(mine, rest) if rest else None
    return quotient(total * their_average - _sum(lot.quantity * lot.price for lot in others if lot.price), mine)


def _weighted(closed: list[Dealt], measure: Measure) -> Decimal:
    """The one price that ``closed`` together were closed at."""
    whole = _sum(lot.quantity for lot in closed)
    if measure.inverse:
        return quotient(whole, _sum(quotient(lot.quantity, lot.price) for lot in closed if lot.price))
    return average(_sum(lot.quantity * lot.price for lot in closed if lot.price), whole)


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, ZERO)
