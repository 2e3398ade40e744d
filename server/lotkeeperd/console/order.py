"""Which positions are shown, and in which order. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from lotkeeper import Position, PositionSide
from lotkeeperd.console.choice import Choice, Sort
from lotkeeperd.console.table import value_of


def chosen(positions: Iterable[Position], choice: Choice) -> list[Position]:
    """The positions in which every word of the filter occurs, sorted; equal ones by symbol and portfolio."""
    words = choice.words
    found = [position for position in positions if not words or _has(position, words)]
    found.sort(key=_by_symbol)
    if choice.sort is not Sort.SYMBOL:
        found.sort(key=_KEYS[choice.sort])
    return found


def _has(position: Position, words: Iterable[str]) -> bool:
    text = f"{position.portfolio_id}\n{position.symbol}".lower()
    return all(word in text for word in words)


def _by_symbol(position: Position) -> tuple[str, str, int]:
    return position.symbol, position.portfolio_id, position.book_side.value


def _by_pnl(position: Position) -> tuple[bool, Decimal]:
    """Best first. A flat position has made what it realized; one without a mark is unknown (law 12), and last."""
    if position.side is PositionSide.FLAT:
        return False, -position.net_realized_pnl
    if position.unrealized_pnl is None:
        return True, -position.net_realized_pnl
    return False, -(position.unrealized_pnl + position.net_realized_pnl)


def _by_age(position: Position) -> tuple[bool, int]:
    """Oldest first, before them those without a mark; flat positions need none."""
    return position.side is PositionSide.FLAT, position.mark_time or 0


def _by_value(position: Position) -> tuple[bool, Decimal]:
    """Largest first; without a mark what it cost says how large it is."""
    value = value_of(position)
    return position.side is PositionSide.FLAT, -(abs(position.cost_basis) if value is None else value)


_KEYS: dict[Sort, Callable[[Position], Any]] = {Sort.PNL: _by_pnl, Sort.AGE: _by_age, Sort.VALUE: _by_value}
