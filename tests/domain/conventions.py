"""Realized P&L in the fee conventions of other systems, from our exact figures: here and nowhere else.

We realize a fee with the quantity it belongs to (law 5), so our own net is NET_PRORATA.

    GROSS           gross
    NET_PRORATA     gross - fees realized + cash flows
    NET_AT_FILL     gross - fees realized - fees still open + cash flows
    IN_COST_BASIS   as NET_PRORATA: what is bought with its fee and sold without it gains the same
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from lotkeeperd.domain.decimals import ZERO
from tests.domain.courses import Course, Stage


def gross(_course: Course, stage: Stage) -> Decimal:
    """Realized without any fee."""
    return stage.book.gross


def net_prorata(_course: Course, stage: Stage) -> Decimal:
    """Our own convention, with what funding, interest and dividends brought."""
    flows = stage.balance.funding + stage.balance.interest + stage.balance.dividends
    return stage.book.gross - stage.book.fees + flows


def net_at_fill(course: Course, stage: Stage) -> Decimal:
    """Every fee counts when its fill arrives, so an open position shows minus its entry fee."""
    return net_prorata(course, stage) - stage.book.open_fees


_REALIZED: dict[str, Callable[[Course, Stage], Decimal]] = {
    "GROSS": gross,
    "NET_PRORATA": net_prorata,
    "NET_AT_FILL": net_at_fill,
    "IN_COST_BASIS": net_prorata,
}


def realized(course: Course, stage: Stage) -> Decimal:
    """Realized in the convention of the source."""
    return _REALIZED[course.case["convention"]["realized_fees"]](course, stage)


def this_round(course: Course, stage: Stage) -> Decimal:
    """Realized since the book was last flat."""
    flat = [earlier for earlier in course.stages if earlier.book.direction is None]
    return realized(course, stage) - (realized(course, flat[-1]) if flat else ZERO)
