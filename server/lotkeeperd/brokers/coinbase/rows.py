"""Positions, cash and fills out of Coinbase's answers.

- Spot has no positions: a balance is one, what is reserved for orders (``hold``) included, and it has no average price.
- A fill is known by ``entry_id``. With ``size_in_quote`` its size is money, and the quantity is that divided by the price.
- ``trade_type`` other than FILL takes back, corrects or invents a fill: a person looks.
- Money is an object {value, currency} in newer fields and a text in older ones.
"""

from __future__ import annotations

from decimal import Decimal

from lotkeeperd.brokers.errors import Unclear, Unread, cut
from lotkeeperd.brokers.payload import Row, iso_time, member, name, number, number_or_none, price_or_none, row, text
from lotkeeperd.domain.decimals import ZERO, quotient
from lotkeeperd.domain.lots import Direction
from lotkeeperd.domain.reconciliation.statements import Execution, HeldPosition

_SIDES = {"BUY": Direction.LONG, "SELL": Direction.SHORT}
_LEGS = {"LONG": Direction.LONG, "SHORT": Direction.SHORT}


def amount(of: Row) -> Decimal:
    """All of a balance, reserved or not. Raises Unread."""
    return number(row(member(of, "available_balance")), "value") + number(row(member(of, "hold")), "value")


def is_fiat(of: Row) -> bool:
    """Whether an account is in a currency of a state. Raises Unread."""
    return text(of, "type").removeprefix("ACCOUNT_TYPE_") == "FIAT"


def contract(of: Row) -> HeldPosition | None:
    """One position in US futures, in contracts; None for a flat one. Raises Unread."""
    product, side, contracts = name(of, "product_id"), text(of, "side"), number(of, "number_of_contracts")
    if contracts == ZERO:
        return None
    if side not in _LEGS or contracts < ZERO:
        raise Unread(f"coinbase tells {product} with side {cut(side)} and {contracts} contracts")
    return HeldPosition(product, _LEGS[side], contracts, _average(of))


def _average(of: Row) -> Decimal | None:
    money = of.get("avg_entry_price")
    return price_or_none(money, "value") if isinstance(money, dict) else price_or_none(of, "avg_entry_price")


def fill(of: Row) -> Execution:
    """One fill; its commission is in the quote currency. Raises Unread, and Unclear for what is no fill."""
    product, side, kind = name(of, "product_id"), text(of, "side"), text(of, "trade_type")
    if kind != "FILL":
        raise Unclear(f"coinbase tells {cut(name(of, 'entry_id'))} of {product} as a {cut(kind)}; look at what it did")
    if side not in _SIDES:
        raise Unread(f"coinbase tells a fill of {product} with side {cut(side)}")
    price, size = number(of, "price"), number(of, "size")
    if price <= ZERO and member(of, "size_in_quote") is True:
        raise Unread(f"coinbase tells a fill of {product} for {size} of money at {price}")
    return Execution(
        symbol=product,
        side=_SIDES[side],
        quantity=quotient(size, price) if member(of, "size_in_quote") is True else size,
        price=price,
        time=iso_time(of, "trade_time"),
        fill_id=name(of, "entry_id"),
        order_id=text(of, "order_id"),
        fee=number_or_none(of, "commission"),
    )
