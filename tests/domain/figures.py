"""What our books say of each figure that the shared cases assert.

A figure is named as the source has it: ``realized``, ``steps.3.realized`` after the third fill, ``derived.avg_open`` of what was
worked out under the other conventions. None says that there is no such figure.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from lotkeeperd.domain.decimals import ZERO, average, quotient
from lotkeeperd.domain.rates import convert
from lotkeeperd.domain.refusals import FillConflict, InsufficientQuantity
from lotkeeperd.domain.trades import ClosedTrade
from tests.domain.conventions import gross, net_at_fill, net_prorata, realized, this_round
from tests.domain.courses import Case, Course, Stage, signed
from tests.domain.players import played

Figure = Callable[[Course, Stage], Any]


def fees(_course: Course, stage: Stage) -> Decimal:
    """Everything paid in the book's currency, realized or not."""
    return stage.book.fees + stage.book.open_fees


def fees_by_currency(course: Course, _stage: Stage) -> dict[str, Decimal]:
    """As they were taken: the journal keeps each fee in its own currency, converted or not."""
    taken: dict[str, Decimal] = {}
    for slot in course.history.slots:
        command = slot.decision.command
        currency = command.fee_currency or course.instrument.settlement_currency
        taken[currency] = taken.get(currency, ZERO) + (command.fee or ZERO)
    return taken


def gained(course: Course, stage: Stage) -> Decimal | None:
    """Of each unit of money put in: without fees where they are realized at once, else with the fees of both sides."""
    cost = sum((_cost(trade, course) for trade in course.trades), ZERO)
    if course.case["convention"]["realized_fees"] == "NET_AT_FILL":
        return quotient(gross(course, stage), cost)
    paid = sum((trade.side * trade.entry_fee for trade in course.trades), ZERO)
    return quotient(net_prorata(course, stage), cost + paid)


def _cost(trade: ClosedTrade, course: Course) -> Decimal:
    return trade.entry_price * trade.quantity * course.instrument.multiplier


def _weighted(course: Course, price: Callable[[ClosedTrade], Decimal]) -> Decimal:
    quantity = sum((trade.quantity for trade in course.trades), ZERO)
    return average(sum((price(trade) * trade.quantity for trade in course.trades), ZERO), quantity)


def average_entry(course: Course, _stage: Stage) -> Decimal:
    """Of everything closed, weighted by quantity."""
    return _weighted(course, lambda trade: trade.entry_price)


def average_exit(course: Course, _stage: Stage) -> Decimal:
    """Of everything closed, weighted by quantity."""
    return _weighted(course, lambda trade: trade.exit_price)


def deepest_fall(course: Course, _stage: Stage) -> Decimal:
    """How far what is unrealized fell from the highest it had been."""
    highest, deepest = ZERO, ZERO
    for unrealized in course.marks:
        highest = max(highest, unrealized)
        deepest = max(deepest, highest - unrealized)
    return deepest


def in_account(course: Course, amount: Decimal) -> Decimal:
    """Converted at the rate of the case."""
    rate = course.rate(course.instrument.settlement_currency, course.terms.portfolio.base_currency)
    assert rate is not None
    return convert(amount, rate)


def unrealized_by_side(course: Course, _stage: Stage) -> Any:
    """A long is worth its bid and a short its ask; less the exit fee that the case itself estimates, since we estimate none."""
    quoted = course.case["expect"]["unrealized_book"]
    other = played({**course.case, "events": [{**event, "side": "SELL"} for event in course.case["events"]]})
    fee = Decimal(quoted["est_exit_fee"])
    return read(quoted) | {
        "value": course.book.unrealized(Decimal(quoted["bid"])) - fee,
        "short_value": other.book.unrealized(Decimal(quoted["ask"])) - fee,
    }


def refused(course: Course, _stage: Stage) -> str | None:
    """By the source's word for it."""
    words = {InsufficientQuantity: "NOT_ENOUGH_LOTS", FillConflict: "DUPLICATE_TRADE_ID"}
    return None if course.refusal is None else words[type(course.refusal)]


def shortfall(course: Course, _stage: Stage) -> Decimal:
    """What was asked for beyond what is open, as the refusal says it."""
    assert course.refusal is not None
    said = course.refusal.metadata
    return Decimal(said["requested_quantity"]) - Decimal(said["open_quantity"])


def no_such_figure(_course: Course, _stage: Stage) -> None:
    """Nothing that a ledger keeps."""


def closed_lots(course: Course, _stage: Stage) -> list[dict[str, Decimal]]:
    """Each closed trade, in the order of the lots that the method closed."""
    return [
        {"qty": trade.quantity, "entry": trade.entry_price, "exit": trade.exit_price, "pnl": trade.gross_pnl}
        for trade in course.trades
    ]


def matched(course: Course, _stage: Stage) -> list[dict[str, Decimal]]:
    """Each closed trade at what it was bought for."""
    return [
        {"qty": trade.quantity, "price": trade.entry_price, "cost": trade.quantity * trade.entry_price}
        for trade in course.trades
    ]


def remaining_lots(_course: Course, stage: Stage) -> list[dict[str, Decimal]]:
    """In the order they were bought in, as the sources list them; not in FIFO order."""
    lots = sorted(stage.book.lots(), key=lambda lot: lot.sequence)
    return [{"qty": lot.remaining, "price": lot.price} for lot in lots]


AS_IT_STANDS: dict[str, Figure] = {
    "realized": realized,
    "realized_gross": gross,
    "realized_current_cycle": this_round,
    # A flip ends one round and begins another: the fees of what is open belong to the second.
    "closed_cycle_realized": net_prorata,
    "new_cycle_realized": lambda _course, stage: -stage.book.open_fees,
    "sale_pnls": lambda course, _stage: [stage.net for stage in course.stages if stage.closed],
    "return": gained,
    "open_qty": lambda _course, stage: signed(stage.book),
    "avg_open": lambda _course, stage: stage.book.average_price(),
    "open_cost": lambda _course, stage: stage.book.cost,
    "open_cost_incl_fees": lambda _course, stage: stage.book.cost + stage.book.open_fees,
    "max_qty": lambda course, _stage: max(stage.book.quantity for stage in course.stages),
    "opened": lambda _course, stage: stage.opened,
    "closed": lambda _course, stage: stage.closed,
    "fees_total": fees,
    "fees_by_ccy": fees_by_currency,
    "fee_in_quote": fees,
    "unconverted": lambda course, _stage: dict(course.book.pending.unconverted),
    "avg_close": average_exit,
    "flat_to_flat_entry": average_entry,
    "flat_to_flat_exit": average_exit,
    "trade_fees": lambda course, _stage: [trade.entry_fee + trade.exit_fee for trade in course.trades],
    "closed_lots": closed_lots,
    "matched": matched,
    "matched_cost": lambda course, stage: sum((trade["cost"] for trade in matched(course, stage)), ZERO),
    "remaining_lots": remaining_lots,
    "error": refused,
    "error_or_ignored": refused,
    "unmatched_qty": shortfall,
    "mae": lambda course, _stage: min(course.marks),
    "mfe": lambda course, _stage: max(course.marks),
    "marks": lambda course, _stage: course.marks,
    "max_drawdown": deepest_fall,
    "max_drawdown_per_unit": lambda course, stage: quotient(deepest_fall(course, stage), stage.book.quantity),
    "initial_stop": no_such_figure,
    "final_stop": no_such_figure,
    "est_exit_fee_account": no_such_figure,
    "unrealized_book": unrealized_by_side,
    "realized_account": lambda course, stage: in_account(course, realized(course, stage)),
    "fees_account": lambda course, stage: in_account(course, fees(course, stage)),
    "cash": lambda course, _stage: course.cash,
    "cash_quote": lambda course, _stage: course.cash,
    "cash_delta": lambda course, _stage: course.cash - course.stages[0].cash,
    "option_qty": lambda course, _stage: signed(course.book),
    "underlying_qty": lambda course, _stage: course.delivered and signed(course.delivered.book),
    "underlying_avg": lambda course, _stage: course.delivered and course.delivered.book.average_price(),
    "match": lambda course, _stage: course.compared().matched == 1,
    "synthetic_fill_qty": lambda course, _stage: Decimal(course.case["venue"]["qty"]) - _local(course),
    "synthetic_fill_price": lambda course, _stage: course.adopted,
}
"""Figures of what has happened."""


def _local(course: Course) -> Decimal:
    return Decimal(course.case["local"]["qty"])


def _unrealized(_course: Course, stage: Stage, price: Decimal) -> Decimal:
    return stage.book.unrealized(price)


def _unrealized_account(course: Course, stage: Stage, price: Decimal) -> Decimal:
    """Less the exit fee that the case itself estimates, since we estimate none."""
    return in_account(course, stage.book.unrealized(price)) - Decimal(course.case["expect"]["est_exit_fee_account"])


AT_A_PRICE: dict[str, Callable[[Course, Stage, Decimal], Decimal]] = {
    "unrealized_at": _unrealized,
    # The source takes the fees of a future exit to be those of the entry, which are the open fees.
    "unrealized_net_at": lambda _course, stage, price: stage.book.unrealized(price) - stage.book.open_fees,
    "unrealized_account_at": _unrealized_account,
    "total_at": lambda course, stage, price: realized(course, stage) + stage.book.unrealized(price),
    "total_gross_at": lambda course, stage, price: gross(course, stage) + stage.book.unrealized(price),
    "notional_at": lambda course, stage, price: course.book.contract.value(stage.book.quantity, price),
}
"""Figures at a price: {price, value}."""

DERIVED: dict[str, Figure] = {
    "gross_realized": gross,
    "fees_total": fees,
    "realized_net_at_fill": net_at_fill,
    "realized_net_prorata": net_prorata,
    "open_qty": AS_IT_STANDS["open_qty"],
    "avg_open": lambda _course, stage: stage.book.average_price() or ZERO,  # they write 0 for none
}
"""Figures of ``derived``: the same case under each fee convention."""


def of_the_source(case: Case) -> dict[str, Any]:
    """Every figure that the source asserts, or that was derived from it, by its name."""
    found = {key: value for key, value in case["expect"].items() if key != "steps"}
    for step in case["expect"].get("steps", ()):
        found |= {f"steps.{step['after']}.{key}": value for key, value in step.items() if key != "after"}
    return found | {f"derived.{key}": value for key, value in case.get("derived", {}).items()}


def of_ours(course: Course, name: str, value: Any) -> Any:
    """The figure ``name`` as we give it; ``value`` is the source's, which says at which price."""
    *where, key = name.split(".")
    if where == ["derived"]:
        return DERIVED[key](course, course.stages[-1])
    stage = course.stages[int(where[1]) - 1] if where else _last(course)
    if key in AT_A_PRICE:
        return AT_A_PRICE[key](course, stage, Decimal(value["price"]))
    return AS_IT_STANDS[key](course, stage)


def _last(course: Course) -> Stage:
    """The end; of a case in which nothing traded, the empty book."""
    if course.stages:
        return course.stages[-1]
    return Stage(course.book, course.balance, course.cash, ZERO, ZERO, ZERO)


def read(value: Any) -> Any:
    """The source's figure with its numbers as Decimals; of one at a price, the figure."""
    if isinstance(value, dict):
        return (
            read(value["value"]) if value.keys() == {"price", "value"} else {key: read(of) for key, of in value.items()}
        )
    if isinstance(value, list):
        return [read(item) for item in value]
    return Decimal(value) if isinstance(value, str) and not value[0].isalpha() else value


def within(found: Any, expected: Any, tolerance: Decimal) -> bool:
    """Equal, or as near as the source looked; of what has several parts, those that the source has."""
    if isinstance(expected, list):
        pairs = zip(found, expected, strict=False)
        return len(found) == len(expected) and all(within(one, other, tolerance) for one, other in pairs)
    if isinstance(expected, dict):
        return all(key in found and within(found[key], value, tolerance) for key, value in expected.items())
    if isinstance(found, Decimal) and isinstance(expected, Decimal):
        return abs(found - expected) <= tolerance
    return bool(found == expected)


DERIVED_DIGITS = Decimal("0.0000000001")
"""The derived figures are rounded to ten digits."""


def tolerance_of(case: Case, name: str) -> Decimal:
    """How near the source looked: exactly, where it does not say."""
    return DERIVED_DIGITS if name.startswith("derived.") else Decimal(case.get("tolerance", 0))
