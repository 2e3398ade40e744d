"""The newest closed trades, and those that a correction restated, a line each. Pure.

A restated trade is told by both of its ids and both of its figures: whoever saw the first one go by sees what became of it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from lotkeeper import ClosedTrade, RestatedTrade, Update
from lotkeeperd.console.figures import amount, price, quantity
from lotkeeperd.console.layout import Cell, Line, Tone, printable

HELD = 3
"""Lines that are kept."""


class Ticker:
    """The last few trades out of the stream's updates."""

    def __init__(self) -> None:
        self._lines: deque[Line] = deque(maxlen=HELD)

    def take(self, update: Update) -> None:
        """Take in one update."""
        self._lines.extend(closed_line(trade) for trade in update.closed_trades[-HELD:])
        self._lines.extend(restated_line(trade) for trade in update.restated_trades[-HELD:])

    def clear(self) -> None:
        """Forget everything: it was of another ledger."""
        self._lines.clear()

    @property
    def lines(self) -> Sequence[Line]:
        """The newest last."""
        return tuple(self._lines)


def closed_line(trade: ClosedTrade) -> Line:
    """What was closed, from which price to which, and what it made."""
    why = f", {printable(trade.exit_reason)}" if trade.exit_reason else ""
    return (
        Cell(f"closed {printable(trade.portfolio_id)} {printable(trade.symbol)}: ", Tone.DIM),
        Cell(f"net {_net(trade)}, ", Tone.GOOD if trade.net_pnl > 0 else Tone.BAD),
        Cell(
            f"{trade.side.name} {quantity(trade.quantity)}, {price(trade.entry_price)} -> {price(trade.exit_price)}{why}"
        ),
    )


def restated_line(restated: RestatedTrade) -> Line:
    """A trade before and after a correction; one of them may be none."""
    known = restated.after or restated.before
    name = "" if known is None else f" {printable(known.portfolio_id)} {printable(known.symbol)}"
    return (
        Cell(f"restated{name}: ", Tone.DOUBTFUL),
        Cell(f"{_told(restated.before)} -> {_told(restated.after)}"),
    )


def _told(trade: ClosedTrade | None) -> str:
    return "none" if trade is None else f"{trade.trade_id} net {_net(trade)}"


def _net(trade: ClosedTrade) -> str:
    return f"{amount(trade.net_pnl)} {printable(trade.currency)}" + ("~" if trade.provisional else "")
