"""Positions, executions and coins out of Bybit's answers.

- ``size`` is always positive and ``side`` says the rest; a row of size 0 is flat and no position.
- In hedge mode a symbol has two legs (``positionIdx`` 1 long, 2 short). An execution does not say which one it is of, but how much
  of a position it closed: a purchase that closes is of the short leg.
- Not every execution is a trade. Funding and dividends are money alone. What a split or another corporate action does to a position
  no ledger can follow by a price and a quantity: a person looks.
- A fee may be negative (a rebate), and is in ``feeCurrency``: for a spot purchase usually the coin that was bought.
- A coin's balance less what is borrowed of it is what is held.
"""

from __future__ import annotations

from decimal import Decimal

from lotkeeperd.brokers.errors import Unclear, Unread, cut
from lotkeeperd.brokers.payload import Row, member, millisecond_time, name, number, number_or_none, price_or_none, text
from lotkeeperd.domain.decimals import ZERO
from lotkeeperd.domain.lots import Direction
from lotkeeperd.domain.reconciliation.statements import Execution, HeldPosition

SPOT = "spot"
BOTH_WAYS = frozenset({1, 2})
"""``positionIdx`` of the legs of hedge mode; 0 is one-way."""

_SIDES = {"Buy": Direction.LONG, "Sell": Direction.SHORT}
_TRADES = frozenset(
    {"Trade", "AdlTrade", "BustTrade", "Delivery", "Settle", "BlockTrade", "MovePosition", "FutureSpread"}
)
_MONEY = frozenset({"Funding", "Dividend"})


def position(of: Row, spelled: str) -> HeldPosition | None:
    """One row of positions; None for a flat one. Raises Unread."""
    size, side = number(of, "size"), text(of, "side")
    if size == ZERO:
        return None
    if side not in _SIDES or size < ZERO:
        raise Unread(f"bybit tells {spelled} with side {cut(side)} and size {size}")
    return HeldPosition(spelled, _SIDES[side], size, price_or_none(of, "avgPrice"))


def is_leg(of: Row) -> bool:
    """Whether a row of positions is a leg of hedge mode."""
    return member(of, "positionIdx") in BOTH_WAYS


def execution(of: Row, spelled: str, category: str, hedged: bool) -> Execution | None:
    """One execution; None for one that is money alone. Raises Unread, and Unclear for what a person has to look at."""
    kind, side = text(of, "execType"), text(of, "side")
    if kind in _MONEY:
        return None
    if kind not in _TRADES:
        raise Unclear(f"bybit tells an execution of {spelled} of type {cut(kind)}; look at what it did to the position")
    if side not in _SIDES:
        raise Unread(f"bybit tells an execution of {spelled} with side {cut(side)}")
    currency = str(of.get("feeCurrency") or "")
    # Without a currency a spot fee may be in either coin; a derivative's is in what it is settled in.
    fee = None if category == SPOT and not currency else number_or_none(of, "execFee")
    return Execution(
        symbol=spelled,
        side=_SIDES[side],
        quantity=number(of, "execQty"),
        price=number(of, "execPrice"),
        time=millisecond_time(of, "execTime"),
        fill_id=name(of, "execId"),
        order_id=text(of, "orderId"),
        fee=fee,
        fee_currency="" if fee is None else currency,
        book_side=_leg(_SIDES[side], number_or_none(of, "closedSize") or ZERO) if hedged else None,
    )


def _leg(side: Direction, closed: Decimal) -> Direction:
    return Direction(-side) if closed else side


def balance(of: Row) -> Decimal:
    """What is held of a coin, negative for what is owed. Raises Unread."""
    return number(of, "walletBalance") - (number_or_none(of, "spotBorrow") or ZERO)


def binds_margin(of: Row) -> bool:
    """Whether derivatives bind some of a coin: then there are positions. Raises Unread."""
    return bool(number_or_none(of, "totalPositionIM"))
