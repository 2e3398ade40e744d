"""The newest state out of a stream's events, and the small table of it that the demo and ``summary`` show.

Problem: the demo's table must show the crash for what it is, a few moments without news, and a log file of a build must
show the same without control characters.
Chosen: a ``Board`` keeps the newest value of every position out of the stream's events and knows when the connection is
gone; it draws nothing. Two screens draw it: a table that is written over in a terminal (rich, imported only there), and
plain lines at intervals elsewhere. ``watch`` shows more of the same board, through ``frame``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple, Protocol, Self, TextIO

from lotkeeper import Disconnected, GroupPnL, Heartbeat, PnLEvent, Position, PositionSide, Snapshot, Update
from lotkeeper.values import PortfolioTotals
from lotkeeperd.console.figures import amount, price, quantity
from lotkeeperd.console.layout import printable
from lotkeeperd.console.ticker import Ticker

if TYPE_CHECKING:
    from rich.table import Table

PLAIN_INTERVAL_SECONDS = 2.0
"""Time between two blocks of plain lines."""
MAX_ROWS = 40
"""Rows drawn; a terminal holds no more."""
TEXTS = ("portfolio", "symbol", "side")
FIGURES = ("quantity", "average", "mark", "unrealized", "realized", "fees", "net")
_COLOURED = ("unrealized", "net")


class Sums(NamedTuple):
    """P&L of several portfolios in one currency; unrealized is unknown (None) when that of one is.

    ``unpriced`` open positions are not in unrealized; ``stale`` ones are, at their last mark.
    """

    unrealized: Decimal | None = Decimal()
    gross: Decimal = Decimal()
    fees: Decimal = Decimal()
    net: Decimal = Decimal()
    unpriced: int = 0
    stale: int = 0
    provisional: bool = False


PROVISIONAL = "~"
"""Behind a net P&L that lacks a fee: it is still to come, or has no rate."""

Key = tuple[str, str, str]
"""Portfolio, symbol, and which of two books in a hedging portfolio."""


def key_of(position: Position) -> Key:
    """What makes a position the same one."""
    return position.portfolio_id, position.symbol, position.book_side.name


class Board:
    """The newest state of every position, out of the events of one stream."""

    def __init__(self, symbols: bool = True, title: str = "", max_rows: int | None = None) -> None:
        """Nothing heard yet. Without ``symbols`` the table has no column for them, and fits 80 characters.

        A ``title`` stands in place of how the stream is doing; ``max_rows`` is for a table that is drawn over and over.
        """
        self._title = title
        self._max_rows = max_rows
        self.texts = tuple(name for name in TEXTS if symbols or name != "symbol")
        self.columns = (*self.texts, *FIGURES)
        self.connected = False
        self.heard = False
        self.sequence = 0
        self.closed_trades = 0
        self._positions: dict[Key, Position] = {}
        self._totals: dict[str, PortfolioTotals] = {}
        self._groups: dict[Key, GroupPnL] = {}
        self.ticker = Ticker()

    def take(self, event: PnLEvent) -> None:
        """Take in one event of the stream."""
        self.connected = not isinstance(event, Disconnected)
        self.heard = True
        self.sequence = event.sequence
        if isinstance(event, Disconnected | Heartbeat):
            return
        if isinstance(event, Snapshot):
            self._positions.clear()
            self._totals.clear()
            self._groups.clear()
        if isinstance(event, Update):
            self.closed_trades += len(event.closed_trades)
            self.ticker.take(event)
        self._positions.update({key_of(position): position for position in event.positions})
        self._totals.update({totals.portfolio_id: totals for totals in event.totals})
        self._groups.update({(group.portfolio_id, group.group_id, group.currency): group for group in event.groups})

    def clear(self) -> None:
        """Forget everything: it was of another ledger."""
        self._positions.clear()
        self._totals.clear()
        self._groups.clear()
        self.ticker.clear()
        self.closed_trades = 0

    @property
    def positions(self) -> Collection[Position]:
        """The newest value of every position, in no order."""
        return self._positions.values()

    @property
    def totals(self) -> tuple[PortfolioTotals, ...]:
        """The newest totals of every portfolio, by name."""
        return tuple(totals for _, totals in sorted(self._totals.items()))

    @property
    def groups(self) -> tuple[GroupPnL, ...]:
        """The newest value of every group that has something open, by portfolio and name."""
        return tuple(group for _, group in sorted(self._groups.items()) if group.open_entry_count)

    @property
    def currencies(self) -> frozenset[str]:
        """Of all amounts."""
        of_totals = {total.currency for each in self._totals.values() for total in each.totals}
        return frozenset(of_totals | {position.currency for position in self._positions.values()})

    def rows(self) -> Iterator[tuple[str, ...]]:
        """One row per position, as ``columns`` says, and one with the sums of each currency."""
        several = len(self.currencies) > 1
        for _, position in sorted(self._positions.items())[: self._max_rows]:
            texts = {"portfolio": position.portfolio_id, "symbol": book_of(position), "side": position.side.name}
            yield (*(texts[name] for name in self.texts), *_figures(position, several))
        for currency, sums in self.sums().items():
            texts = dict.fromkeys(TEXTS, "") | {"portfolio": "all", "side": currency}
            blank, unit = ("", "", ""), f" {currency}" if several else ""
            yield (*(texts[name] for name in self.texts), *blank, *_amounts(sums, unit))
        if self._max_rows is not None and (more := len(self._positions) - self._max_rows) > 0:
            yield (f"and {more} more", *[""] * (len(self.columns) - 1))

    def news(self) -> str:
        """Where the stream stands, in a line; or the title."""
        if self._title:
            return self._title
        if not self.heard:
            return "waiting for the sidecar"
        line = "live" if self.connected else "no connection, these figures are old"
        return f"{line}; journal at {self.sequence}, {self.closed_trades} trades closed"

    def sums(self) -> Mapping[str, Sums]:
        """Sums over all portfolios, by currency."""
        found: dict[str, Sums] = {}
        for total in (total for portfolio in self._totals.values() for total in portfolio.totals):
            sums = found.get(total.currency, Sums())
            found[total.currency] = Sums(
                _sum(sums.unrealized, total.unrealized_pnl),
                sums.gross + total.gross_realized_pnl,
                sums.fees + total.realized_fees,
                sums.net + total.net_realized_pnl,
                sums.unpriced + total.unpriced_count,
                sums.stale + total.stale_count,
                sums.provisional or total.provisional,
            )
        return dict(sorted(found.items()))


class Screen(Protocol):
    """What a board is drawn on: a context manager; what was drawn last stays."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *error: object) -> None: ...

    def say(self, line: str) -> None:
        """Print a line that stays."""

    def draw(self) -> None:
        """Show the board as it is now."""


class PlainLines:
    """A screen that cannot be written over: a block of lines every few seconds."""

    def __init__(self, board: Board, out: TextIO, clock: Callable[[], float]) -> None:
        """Write ``board`` to ``out``; ``clock`` says seconds."""
        self._board = board
        self._out = out
        self._clock = clock
        self._due = clock()

    def __enter__(self) -> Self:
        """Nothing to prepare."""
        return self

    def __exit__(self, *error: object) -> None:
        """Draw the last state."""
        self._block()

    def say(self, line: str) -> None:
        """Print a line."""
        self._out.write(line + "\n")
        self._out.flush()

    def draw(self) -> None:
        """Print the board when the interval is over."""
        if self._clock() >= self._due:
            self._due = self._clock() + PLAIN_INTERVAL_SECONDS
            self._block()

    def _block(self) -> None:
        rows = list(self._board.rows())
        self.say(self._board.news())
        if not rows:
            return
        columns, texts = self._board.columns, len(self._board.texts)
        widths = [max(len(cell) for cell in column) for column in zip(columns, *rows, strict=True)]
        for row in (columns, *rows):
            cells = [
                cell.ljust(width) if place < texts else cell.rjust(width)
                for place, (cell, width) in enumerate(zip(row, widths, strict=True))
            ]
            self.say("  " + "  ".join(cells).rstrip())


class LiveTable:
    """A screen that is written over: one table that changes in place, lines that stay above it."""

    def __init__(self, board: Board, out: TextIO) -> None:
        """Draw ``board`` on the terminal ``out``."""
        from rich.console import Console
        from rich.live import Live

        self._board = board
        self._live = Live(self._table(), console=Console(file=out), auto_refresh=False)

    def __enter__(self) -> Self:
        """Take the terminal's lines."""
        self._live.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Leave the last state on the terminal."""
        self.draw()
        self._live.stop()

    def say(self, line: str) -> None:
        """Print a line above the table."""
        self._live.console.print(line, markup=False, highlight=False)

    def draw(self) -> None:
        """Draw the table anew."""
        self._live.update(self._table(), refresh=True)

    def _table(self) -> Table:
        from rich.table import Table

        table = Table(
            box=None, pad_edge=False, collapse_padding=True, caption=self._board.news(), caption_justify="left"
        )
        for name in self._board.columns:
            table.add_column(name, justify="left" if name in TEXTS else "right", no_wrap=True)
        for row in self._board.rows():
            table.add_row(
                *(
                    _coloured(cell) if name in _COLOURED else cell
                    for name, cell in zip(self._board.columns, row, strict=True)
                ),
                style="" if self._board.connected else "dim",
            )
        return table


def screen(board: Board, out: TextIO, clock: Callable[[], float]) -> Screen:
    """The screen that fits ``out``."""
    return LiveTable(board, out) if out.isatty() else PlainLines(board, out, clock)


def book_of(position: Position) -> str:
    """Its symbol; in a hedging portfolio with the side of the book, which stays when it is flat."""
    side = "" if position.book_side is PositionSide.UNSPECIFIED else f" {position.book_side.name}"
    return printable(position.symbol) + side


def _amounts(sums: Sums, unit: str) -> tuple[str, ...]:
    """P&L in a row's last columns, with its currency where that is not the same in all of them."""
    net = amount(sums.net) + (PROVISIONAL if sums.provisional else "")
    unrealized = amount(sums.unrealized)
    known = unrealized if sums.unrealized is None else unrealized + unit
    return known, amount(sums.gross) + unit, amount(sums.fees) + unit, net + unit


def _figures(position: Position, several: bool) -> tuple[str, ...]:
    flat = position.side is PositionSide.FLAT
    sums = Sums(
        position.unrealized_pnl,
        position.gross_realized_pnl,
        position.realized_fees,
        position.net_realized_pnl,
        provisional=position.provisional,
    )
    unrealized, *realized = _amounts(sums, f" {position.currency}" if several else "")
    return (
        "" if flat else quantity(position.total_quantity),
        price(position.average_entry_price),
        "" if flat else price(position.mark_price) + ("*" if position.mark_stale else ""),
        "" if flat else unrealized,
        *realized,
    )


def _sum(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return None if one is None or other is None else one + other


def _coloured(cell: str) -> str:
    colour = "red" if cell.startswith("-") else "green" if cell[:1].isdigit() else "yellow"
    return f"[{colour}]{cell}[/]"
