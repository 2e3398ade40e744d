"""How a shared case of each kind is played: its events as commands, cash, splits and marks.

What is no execution is told as what it is to us:

    REDUCE                      no proceeds: a CloseFifo at a price of 0
    MARK                        values what is open
    FUNDING, BORROW_INTEREST    cash beside the book
    SPLIT                       factor f makes 1 / f of each unit; what is beyond whole units is paid for
    EXERCISE                    the option closes at 0, the underlying trades at the strike
    amount                      the money of the whole fill; its price is that per unit
    ts                          sorted in by time where it comes late
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

from lotkeeperd.domain.accounts import Flow
from lotkeeperd.domain.book import Direction
from lotkeeperd.domain.commands import Command, Method
from lotkeeperd.domain.decimals import ZERO, quotient
from lotkeeperd.domain.instruments import on_first_use
from lotkeeperd.domain.refusals import Refusal
from tests.domain.courses import PORTFOLIO, SYMBOL, Case, Course, fill, instrument_of

SIDES = {"BUY": Direction.LONG, "LONG": Direction.LONG, "SELL": Direction.SHORT, "SHORT": Direction.SHORT}


def command_of(event: Case) -> Command:
    """An event that trades, as a caller would tell it."""
    quantity = Decimal(event["qty"])
    if event.get("type") == "REDUCE":
        return Command(Method.CLOSE_FIFO, PORTFOLIO, SYMBOL, None, quantity, ZERO)
    price = quotient(Decimal(event["amount"]), quantity) if "amount" in event else Decimal(event["price"])
    return fill(SIDES[event["side"]], quantity, price)._replace(
        fee=Decimal(event.get("fee", 0)),
        fee_currency=event.get("fee_ccy", ""),
        time=_date(event["date"]) if "date" in event else event.get("ts"),
        late="ts" in event,
        fill_id=event.get("trade_id", ""),
    )


def _date(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000_000


FLOWS = {"FUNDING": Flow.FUNDING, "BORROW_INTEREST": Flow.INTEREST, "DIVIDEND": Flow.DIVIDEND}


def _take_events(course: Course) -> None:
    price = ZERO
    for event in course.case["events"]:
        kind = event.get("type", "FILL")
        if kind == "MARK":
            course.marks.append(course.book.unrealized(Decimal(event["price"])))
        elif kind in FLOWS:
            course.move(FLOWS[kind], Decimal(event["amount"]))
        elif kind == "SPLIT":
            course.split(event["factor"], price * Decimal(event["factor"]))
        else:
            assert kind in {"FILL", "REDUCE"}, f"{event} is not an event of these cases"
            command = command_of(event)
            price = command.price
            course.tell(command)


def _play_marks(course: Course) -> None:
    """One trade and the prices it saw: entered at the first of them unless the case says where, and not closed."""
    case = course.case
    entry = Decimal(case.get("entry", case["events"][0]["price"]))
    course.tell(fill(SIDES[case["side"]], Decimal(case.get("qty", 1)), entry))
    _take_events(course)


def _play_fees(course: Course) -> None:
    """One order of a notional and its fees: a partial fill for each, since an execution has one."""
    case = course.case
    notional, fees = Decimal(case["notional"]), case["fees"]
    parts = [Decimal("0.5"), Decimal("0.25"), Decimal("0.25")]
    for part, fee in zip(parts, fees, strict=True):
        amount = notional * Decimal(fee["pct_of_notional"]) if "pct_of_notional" in fee else Decimal(fee["amount"])
        command = fill(Direction.LONG, part, notional)
        course.tell(command._replace(fee=amount, fee_currency=fee.get("ccy", "")))


def _play_exercise(course: Course) -> None:
    """The option is held for nothing, since the case gives no premium; each contract delivers its multiplier at its strike."""
    option, (event,) = course.instrument, course.case["events"]
    contracts = Decimal(event["contracts"])
    course.tell(fill(Direction.LONG, Decimal(course.case["start"]["option_qty"]), ZERO))
    course.tell(Command(Method.EXERCISE, PORTFOLIO, SYMBOL, None, contracts, ZERO))
    delivered = Course(course.case, on_first_use(option.underlying, course.case["currency"]))
    assert option.strike is not None
    quantity = contracts * option.multiplier
    delivered.tell(fill(Direction.LONG, quantity, option.strike)._replace(method=Method.DELIVERY))
    course.delivered = delivered


def _play_local(course: Course) -> None:
    """What the ledger holds, in one lot; at any price where the case has none."""
    local = Decimal(course.case["local"]["qty"])
    if local:
        side = Direction.LONG if local > 0 else Direction.SHORT
        course.tell(fill(side, abs(local), Decimal(course.case["local"].get("avg", 1))))


def _play_reconciled(course: Course) -> None:
    _play_local(course)
    course.adopt()


PLAYERS: dict[str, Callable[[Course], None]] = {
    "amounts": _take_events,
    "base_fee": _take_events,
    "bid_ask_mark": _take_events,
    "borrow_interest": _take_events,
    "duplicate": _take_events,
    "fee_conversion": _play_fees,
    "fees_in_basis": _take_events,
    "fills": _take_events,
    "fx": _take_events,
    "lots": _take_events,
    "lots_error": _take_events,
    "multi_ccy_fees": _take_events,
    "option_exercise": _play_exercise,
    "out_of_order": _take_events,
    "oversell": _take_events,
    "reconcile_price": _play_reconciled,
    "reconcile_tolerance": _play_local,
    "split": _take_events,
    "trade_drawdown": _play_marks,
    "trailing_stop": _play_marks,
}
"""How a case of each kind is played."""


def played(case: Case) -> Course:
    """Play a case into an empty book, until its end or the first refusal."""
    course = Course(case, instrument_of(case))
    try:
        PLAYERS[case["kind"]](course)
    except Refusal as refusal:
        course.refusal = refusal
    return course
