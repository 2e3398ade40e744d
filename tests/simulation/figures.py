"""What a ledger amounts to, as plain values that three witnesses give: the replay, the RPCs, and plain SQL."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, NamedTuple

Key = tuple[str, str]
"""(portfolio, symbol)."""


class Lot(NamedTuple):
    """One entry as it is now; amounts in the ledger's currency, times in nanoseconds UTC, named by its sequence."""

    portfolio: str
    symbol: str
    sequence: int
    side: str
    quantity: Decimal
    remaining: Decimal
    price: Decimal
    time: int
    fill_id: str
    fee: Decimal
    open_fee: Decimal
    status: str


class Trade(NamedTuple):
    """One closed trade; ``lot`` is the sequence of the entry it closed a piece of."""

    portfolio: str
    symbol: str
    sequence: int
    trade_index: int
    lot: int
    side: str
    quantity: Decimal
    entry_price: Decimal
    exit_price: Decimal
    entry_time: int
    exit_time: int
    entry_fill_id: str
    exit_fill_id: str
    gross: Decimal
    entry_fee: Decimal
    exit_fee: Decimal
    net: Decimal
    percent: Decimal | None


class Position(NamedTuple):
    """One open book summed."""

    portfolio: str
    symbol: str
    side: str
    quantity: Decimal
    average: Decimal | None
    cost: Decimal
    gross: Decimal
    fees: Decimal
    net: Decimal
    open_fees: Decimal
    lots: int
    oldest: int | None
    newest: int | None
    sequence: int


class Contents(NamedTuple):
    """All of it: lots by sequence, trades by (sequence, index), open positions, and (gross, fees, net) by portfolio."""

    lots: dict[int, Lot]
    trades: dict[tuple[int, int], Trade]
    positions: dict[Key, Position]
    totals: dict[str, tuple[Decimal, Decimal, Decimal]]


def differences(one: str, left: Contents, other: str, right: Contents) -> list[str]:
    """In words, every value in which two witnesses differ; ``one`` and ``other`` say who they are."""
    found: list[str] = []
    for name in Contents._fields:
        mine: dict[Any, object] = getattr(left, name)
        theirs: dict[Any, object] = getattr(right, name)
        found += [
            f"{name} {key}: {one} says {mine.get(key)}, {other} says {theirs.get(key)}"
            for key in sorted({*mine, *theirs})
            if mine.get(key) != theirs.get(key)
        ]
    return found
