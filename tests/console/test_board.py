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

import pytest

from lotkeeper import Heartbeat, PositionSide, Time
from lotkeeperd.console.board import PLAIN_INTERVAL_SECONDS, Board, LiveTable, PlainLines, screen
from tests.console.values import FLAT, LONG, group, lost, snapshot, update


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


def test_the_two_books_of_a_hedging_portfolio_are_two_positions() -> None:
    """Long and short of one symbol stand side by side."""
    board = Board()
    long = replace(LONG, book_side=PositionSide.LONG)
    board.take(snapshot(long))
    board.take(update(replace(LONG, side=PositionSide.SHORT, book_side=PositionSide.SHORT)))

    assert sorted(position.side.name for position in board.positions) == ["LONG", "SHORT"]


def test_a_board_forgets_another_ledger() -> None:
    """Nothing of the old history stays beside the new one."""
    board = Board()
    board.take(snapshot(LONG))

    board.clear()

    assert (list(board.positions), board.totals, dict(board.sums())) == ([], (), {})


def test_amounts_of_several_currencies_say_theirs() -> None:
    """In every row, where there is more than one."""
    board = Board()
    board.take(
        snapshot(LONG, replace(LONG, portfolio_id="euro", currency="EUR", provisional=True, unrealized_pnl=None))
    )

    rows = {row[0]: row for row in board.rows()}
    assert rows["scale"][-4:] == ("-12.34 USD", "1,234.57 USD", "4.50 USD", "1,230.07 USD")
    assert rows["euro"][-4:] == ("unknown", "1,234.57 EUR", "4.50 EUR", "1,230.07~ EUR")
    assert [row[2] for row in board.rows() if row[0] == "all"] == ["EUR", "USD"]


def test_groups_stay_until_they_are_closed_or_a_snapshot_says_otherwise() -> None:
    """The newest value of each."""
    board = Board()
    board.take(replace(snapshot(LONG), groups=(group(), group(group_id="P-18"))))
    board.take(replace(update(), groups=(group(entry_credit=Decimal(790)), group(group_id="P-18", open_entry_count=0))))

    assert [(each.group_id, each.entry_credit) for each in board.groups] == [("P-17", Decimal(790))]
    board.take(snapshot(LONG))
    assert board.groups == ()
