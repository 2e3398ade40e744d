"""What the book says of each figure that the shared cases assert, in the source's own convention."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from lotkeeperd.domain.book import LotReduced
from lotkeeperd.domain.decimals import average
from tests.domain.courses import ZERO, Course, Stage


def gross(course: Course, stage: Stage) -> Decimal:
    """Realized without any fee."""
    return stage.book.gross * course.multiplier


def net_prorata(course: Course, stage: Stage) -> Decimal:
    """Our own convention: a fee is realized with the quantity it belongs to (law 5)."""
    return gross(course, stage) - stage.book.fees + stage.funding


def net_at_fill(course: Course, stage: Stage) -> Decimal:
    """Every fee counts when its fill arrives, so an open position shows minus its entry fee."""
    return net_prorata(course, stage) - stage.book.open_fees


_REALIZED = {"GROSS": gross, "NET_PRORATA": net_prorata, "NET_AT_FILL": net_at_fill}


def realized(course: Course, stage: Stage) -> Decimal:
    """Realized in the convention of the source."""
    return _REALIZED[course.case["convention"]["realized_fees"]](course, stage)


def open_quantity(_course: Course, stage: Stage) -> Decimal:
    """Signed."""
    return stage.book.quantity * int(stage.book.direction or 0)


def average_open(_course: Course, stage: Stage) -> Decimal:
    """Zero when flat, as the derived figures have it."""
    return average(stage.book.cost, stage.book.quantity) if stage.book.quantity else ZERO


def fees(_course: Course, stage: Stage) -> Decimal:
    """Everything paid, realized or not."""
    return stage.book.fees + stage.book.open_fees


def _weighted(course: Course, price: Callable[[LotReduced], Decimal]) -> Decimal:
    quantity = sum((trade.quantity for trade in course.trades), ZERO)
    return average(sum((price(trade) * trade.quantity for trade in course.trades), ZERO), quantity)


def average_entry(course: Course, _stage: Stage) -> Decimal:
    """Of everything closed, weighted by quantity."""
    return _weighted(course, lambda trade: trade.lot.price)


def average_exit(course: Course, _stage: Stage) -> Decimal:
    """Of everything closed, weighted by quantity."""
    return _weighted(course, lambda trade: trade.exit_price)


def this_round(course: Course, stage: Stage) -> Decimal:
    """Realized since the book was last flat."""
    flat = [earlier for earlier in course.stages if earlier.book.direction is None]
    return realized(course, stage) - (realized(course, flat[-1]) if flat else ZERO)


PLAIN: dict[str, Callable[[Course, Stage], Decimal]] = {
    "realized": realized,
    "realized_gross": gross,
    "realized_current_cycle": this_round,
    # A flip ends one round and begins another: the fees of what is open belong to the second.
    "closed_cycle_realized": net_prorata,
    "new_cycle_realized": lambda _course, stage: -stage.book.open_fees,
    "open_qty": open_quantity,
    "avg_open": average_open,
    "avg_close": average_exit,
    "flat_to_flat_entry": average_entry,
    "flat_to_flat_exit": average_exit,
    "fees_total": fees,
    "open_cost": lambda course, stage: stage.book.cost * course.multiplier,
    "open_cost_incl_fees": lambda course, stage: stage.book.cost * course.multiplier + stage.book.open_fees,
    "max_qty": lambda course, _stage: max(stage.book.quantity for stage in course.stages),
    "mae": lambda course, _stage: min(course.marks),
    "mfe": lambda course, _stage: max(course.marks),
    "opened": lambda _course, stage: stage.opened,
    "closed": lambda _course, stage: stage.closed,
    "matched_cost": lambda course, _stage: sum((trade.lot.price * trade.quantity for trade in course.trades), ZERO),
}
"""Figures that are one number."""


def _unrealized(course: Course, stage: Stage, price: Decimal) -> Decimal:
    return stage.book.unrealized(price) * course.multiplier


AT_PRICE: dict[str, Callable[[Course, Stage, Decimal], Decimal]] = {
    "unrealized_at": _unrealized,
    # The source takes the fees of a future exit to be those of the entry, which are the open fees.
    "unrealized_net_at": lambda course, stage, price: _unrealized(course, stage, price) - stage.book.open_fees,
    "total_at": lambda course, stage, price: realized(course, stage) + _unrealized(course, stage, price),
    "total_gross_at": lambda course, stage, price: gross(course, stage) + _unrealized(course, stage, price),
}
"""Figures at a price: {price, value}."""


def _closed_lots(course: Course, _stage: Stage) -> list[dict[str, Decimal]]:
    return [
        {
            "qty": trade.quantity,
            "entry": trade.lot.price,
            "exit": trade.exit_price,
            "pnl": trade.gross * course.multiplier,
        }
        for trade in course.trades
    ]


def _matched(course: Course, _stage: Stage) -> list[dict[str, Decimal]]:
    return [
        {"qty": trade.quantity, "price": trade.lot.price, "cost": trade.quantity * trade.lot.price}
        for trade in course.trades
    ]


def _remaining(_course: Course, stage: Stage) -> list[dict[str, Decimal]]:
    """In the order they were bought in, as the sources list them; not in FIFO order."""
    lots = sorted(stage.book.lots(), key=lambda lot: lot.sequence)
    return [{"qty": lot.remaining, "price": lot.price} for lot in lots]


LISTS: dict[str, Callable[[Course, Stage], list[dict[str, Decimal]]]] = {
    "closed_lots": _closed_lots,
    "matched": _matched,
    "remaining_lots": _remaining,
}
"""Figures that are a list of lots."""

DERIVED: dict[str, Callable[[Course, Stage], Decimal]] = {
    "gross_realized": gross,
    "fees_total": fees,
    "realized_net_at_fill": net_at_fill,
    "realized_net_prorata": net_prorata,
    "open_qty": open_quantity,
    "avg_open": average_open,
}
"""Figures of ``derived``: the same case under each fee convention."""


def asserted(course: Course, stage: Stage, key: str, value: Any) -> tuple[object, object]:
    """What the book says and what the source says, in one form; numbers are Decimals."""
    if key in AT_PRICE:
        return AT_PRICE[key](course, stage, Decimal(value["price"])), Decimal(value["value"])
    if key in LISTS:
        expected = [{name: Decimal(text) for name, text in lot.items()} for lot in value]
        found = LISTS[key](course, stage)
        return [{name: lot[name] for name in wanted} for lot, wanted in zip(found, expected, strict=True)], expected
    return PLAIN[key](course, stage), Decimal(value)
