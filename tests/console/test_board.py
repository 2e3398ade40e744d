"""The table shows what the stream says, and that it is old when the stream is gone."""

from __future__ import annotations

import contextlib
import os
import pty
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from io import StringIO
from typing import TextIO

import grpc
import pytest

from lotkeeper import Disconnected, Heartbeat, Position, PositionSide, Snapshot, Time, Totals, Update
from lotkeeper.errors import Unavailable
from lotkeeper.values import PortfolioTotals
from lotkeeperd.console.board import PLAIN_INTERVAL_SECONDS, Board, LiveTable, PlainLines, screen

LONG = Position(
    portfolio_id="scale",
    symbol="BTC",
    side=PositionSide.LONG,
    total_quantity=Decimal("1.50"),
    average_entry_price=Decimal("46000.333333333333333333"),
    cost_basis=Decimal("69000.5"),
    gross_realized_pnl=Decimal("1234.567"),
    realized_fees=Decimal("4.5"),
    net_realized_pnl=Decimal("1230.067"),
    open_fees=Decimal(1),
    unrealized_pnl=Decimal("-12.345"),
    mark_price=Decimal(45992),
    mark_time=Time(1),
    mark_source="scale",
    mark_stale=False,
    open_entry_count=2,
    first_entry_time=Time(1),
    last_entry_time=Time(1),
    currency="USD",
    entries=(),
    entries_truncated=False,
    sequence=3,
    book_side=PositionSide.UNSPECIFIED,
)
FLAT = replace(
    LONG,
    portfolio_id="swing",
    side=PositionSide.FLAT,
    total_quantity=Decimal(),
    average_entry_price=None,
    mark_price=None,
)


def totals_of(position: Position) -> PortfolioTotals:
    """The totals of a portfolio that has one position."""
    total = Totals(
        currency=position.currency,
        gross_realized_pnl=position.gross_realized_pnl,
        realized_fees=position.realized_fees,
        net_realized_pnl=position.net_realized_pnl,
        unrealized_pnl=position.unrealized_pnl,
        unpriced_symbols=(),
        stale_symbols=(),
        unpriced_count=0,
        stale_count=0,
    )
    return PortfolioTotals(portfolio_id=position.portfolio_id, totals=(total,))


def snapshot(*positions: Position) -> Snapshot:
    """A snapshot of these positions and their totals."""
    totals = tuple(totals_of(position) for position in positions)
    return Snapshot(sequence=3, ledger_id="L", emit_time=Time(1), positions=positions, totals=totals)


def update(*positions: Position, sequence: int = 4) -> Update:
    """An update of these positions and their totals."""
    return Update(
        sequence=sequence,
        ledger_id="L",
        emit_time=Time(1),
        positions=positions,
        totals=tuple(totals_of(position) for position in positions),
        closed_trades=(),
        opened_entries=(),
        conflated_count=0,
    )


def lost() -> Disconnected:
    """The connection is gone."""
    cause = Unavailable(grpc.StatusCode.UNAVAILABLE, "gone")
    return Disconnected(sequence=4, ledger_id="L", emit_time=Time(1), cause=cause)


@pytest.fixture
def terminal() -> Iterator[tuple[TextIO, int]]:
    """A real terminal to draw on, and where to read what was drawn."""
    reader, writer = pty.openpty()
    with os.fdopen(writer, "w") as out:
        yield out, reader
    os.close(reader)


def read_all(reader: int) -> str:
    """Everything that was drawn so far."""
    os.set_blocking(reader, False)
    pieces = []
    with contextlib.suppress(BlockingIOError):
        while True:
            pieces.append(os.read(reader, 65_536))
    return b"".join(pieces).decode()


def test_a_board_shows_the_newest_value_of_every_position_and_their_sums() -> None:
    """Snapshot first, then what changed; rows are in order of bot and symbol."""
    board = Board(symbols=False)
    board.take(snapshot(FLAT, LONG))
    board.take(update(replace(LONG, unrealized_pnl=Decimal("1000000.005"))))

    assert list(board.rows()) == [
        ("scale", "LONG", "1.5", "46,000.33", "45,992.00", "1,000,000.00", "1,234.57", "4.50", "1,230.07"),
        ("swing", "FLAT", "", "", "", "", "1,234.57", "4.50", "1,230.07"),
        ("all", "USD", "", "", "", "999,987.66", "2,469.13", "9.00", "2,460.13"),
    ]
    assert board.news() == "live; journal at 4, 0 trades closed"


def test_a_new_snapshot_replaces_everything() -> None:
    """After a resumption only what the ledger says now is shown."""
    board = Board(symbols=False)
    board.take(snapshot(FLAT, LONG))
    board.take(snapshot(LONG))

    assert [row[0] for row in board.rows()] == ["scale", "all"]


def test_unknown_is_shown_as_unknown() -> None:
    """Law 12: without a mark there is no unrealized P&L, neither of the position nor in the sum."""
    board = Board(symbols=False)
    board.take(snapshot(LONG, replace(LONG, portfolio_id="short", unrealized_pnl=None, mark_price=None)))

    rows = {row[0]: dict(zip(board.columns, row, strict=True)) for row in board.rows()}
    assert (rows["short"]["mark"], rows["short"]["unrealized"]) == ("", "unknown")
    assert rows["all"]["unrealized"] == "unknown"
    assert rows["scale"]["unrealized"] == "-12.34"


def test_a_lost_connection_is_said_until_it_is_back() -> None:
    """Figures stay, and are called old."""
    board = Board(symbols=False)
    assert board.news() == "waiting for the sidecar"
    board.take(snapshot(LONG))
    before = list(board.rows())

    board.take(lost())
    assert board.news() == "no connection, these figures are old; journal at 4, 0 trades closed"
    assert list(board.rows()) == before

    board.take(Heartbeat(sequence=9, ledger_id="L", emit_time=Time(1)))
    assert board.news() == "live; journal at 9, 0 trades closed"


def test_a_stale_mark_is_starred() -> None:
    """A price that grew too old does not look like a new one."""
    board = Board(symbols=False)
    board.take(snapshot(replace(LONG, mark_stale=True)))

    assert next(board.rows())[board.columns.index("mark")] == "45,992.00*"


def test_a_pipe_gets_plain_lines_at_intervals() -> None:
    """No control characters, one block per interval, one at the end."""
    out, now, board = StringIO(), [0.0], Board(symbols=False)
    board.take(snapshot(LONG))
    shown = screen(board, out, lambda: now[0])
    assert isinstance(shown, PlainLines)

    with shown:
        for _ in range(10):
            shown.draw()
            now[0] += PLAIN_INTERVAL_SECONDS / 5
        shown.say("half way")

    text = out.getvalue()
    assert text.count("journal at 3") == 3
    assert text.isprintable() or text.replace("\n", "").isprintable()
    assert "half way\n" in text
    assert text.splitlines()[1].split() == list(board.columns)


def test_a_terminal_gets_a_table(terminal: tuple[TextIO, int]) -> None:
    """The table is drawn, and what is said stands above it."""
    out, reader = terminal
    board = Board(symbols=False)
    shown = screen(board, out, lambda: 0.0)
    assert isinstance(shown, LiveTable)

    with shown:
        board.take(snapshot(LONG))
        shown.draw()
        shown.say("half way [not markup]")
        board.take(lost())
    drawn = read_all(reader)

    assert "half way [not markup]" in drawn
    assert "scale" in drawn
    assert drawn.rindex("no connection") > drawn.index("half way")
