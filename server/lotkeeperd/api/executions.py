"""Executions as nearly all of them come, read in half the time.

Problem: collecting every broken field costs more than reading a good execution, and in bulk that was a quarter of what one costs
in all. Chosen: one look at all names together and one at all numbers; whatever does not pass both, right or wrong, is read field by
field by ``Requests``, whose rules are the only ones. What passes is taken by those rules, too.
"""

from __future__ import annotations

import re
from decimal import Decimal

from lotkeeper.v1 import ledger_pb2
from lotkeeperd.api.fields import ID_LENGTH, NAME_LENGTH, NANOSECONDS
from lotkeeperd.domain.book import Direction
from lotkeeperd.domain.commands import Command, Excess, Method
from lotkeeperd.domain.decimals import ZERO

TRADED: dict[int, Direction] = {ledger_pb2.SIDE_BUY: Direction.LONG, ledger_pb2.SIDE_SELL: Direction.SHORT}

_AMOUNTS = re.compile(r"(?:[0-9]{1,20}(?:\.[0-9]{1,18})? ){2}(?:[0-9]{1,20}(?:\.[0-9]{1,18})?)?").fullmatch
"""Quantity, price and fee, or none, as nearly all executions have them."""


def usual_execution(
    portfolio_id: str, fill: ledger_pb2.Fill, now: int, excess: Excess, brief: bool, late: bool
) -> Command | None:
    """The command of an execution that is plainly right, in half the time; None for any other, which is then looked at closely.

    It takes less than the rules of ``Fields`` allow, never more.
    """
    symbol, fill_id, order_id, currency = fill.symbol, fill.fill_id, fill.order_id, fill.fee_currency
    quantity, price, fee = fill.quantity, fill.price, fill.fee
    side, time, names = TRADED.get(fill.side), None, f"{symbol}{fill_id}{order_id}{currency}"
    if not symbol or len(names) > ID_LENGTH or len(symbol) > NAME_LENGTH or len(currency) > NAME_LENGTH:
        return None
    if side is None or fill.position_side or not (names.isascii() and names.isprintable()):
        return None
    if not _AMOUNTS(f"{quantity} {price} {fee}") or not (units := Decimal(quantity)):
        return None
    if fill.HasField("fill_time"):
        stamp = fill.fill_time
        time = stamp.seconds * NANOSECONDS + stamp.nanos
        if not 0 <= stamp.nanos < NANOSECONDS or not 0 <= time <= now:
            return None
    return Command(
        Method.RECORD_FILL,
        portfolio_id,
        symbol,
        side,
        units,
        Decimal(price) or ZERO,
        (Decimal(fee) or ZERO) if fee else None,
        currency,
        time,
        order_id,
        fill_id,
        excess=excess,
        late=late,
        brief=brief,
    )
