"""One frame of ``watch``: what is known, what was chosen, the time and the room make lines. Pure.

From top to bottom: the connection, the head of the table, positions with their lots, groups of legs, totals with cash and value,
price sources, the newest trades, and what the keys do. Positions scroll, the rest stays; where there is little room,
groups, totals and sources are cut short and say so, and trades are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from lotkeeper import FeedStatus, PortfolioTotals, Position
from lotkeeperd.console import account, layout, table
from lotkeeperd.console.board import Board
from lotkeeperd.console.choice import Choice
from lotkeeperd.console.figures import SECOND, age, count, lag
from lotkeeperd.console.layout import Cell, Grid, Line, Tone, clipped, grid, printable
from lotkeeperd.console.link import Link, State
from lotkeeperd.console.lots import Lots
from lotkeeperd.console.order import chosen

PLAIN_POSITIONS = 200
"""Positions shown where there is no limit of lines."""
LOTS_OF_A_POSITION = 50
"""Lots shown of one position."""
SILENCE = 3 * SECOND
"""Without a message for longer than this, a connection that should bring heartbeats every second is said to be silent."""
_SLOW = SECOND  # a lag to worry about
_AIRY = 20  # lines; a lower screen has no blank ones
_INDENT = "    "
_KEYS = "   s sort  l lots  / filter  ? help  q quit"

HELP = (
    "s        sort: symbol, highest pnl, oldest mark (age), largest value",
    "l        open lots of every position, or none",
    "/        filter: words that occur in portfolio or symbol;",
    "         Enter keeps it, Escape does not",
    "Escape   no filter",
    "arrows   scroll; also page up, page down, home and end",
    "?        this help, or back to the table",
    "q        quit",
    "",
    "age      seconds since the mark was observed; red when it is stale",
    "~        net lacks a fee: it is still to come, or has no rate",
    "totals   of whole portfolios, whatever is filtered",
    "lag      from the server's clock to this one's, of the last message",
)


class Size(NamedTuple):
    """Room for a frame; None is without limit."""

    width: int | None = None
    height: int | None = None


class Known(NamedTuple):
    """What was heard of the ledger at ``address``; ``trouble`` is why lots or price sources could not be read."""

    address: str
    board: Board
    link: Link
    lots: Lots
    feeds: Sequence[FeedStatus] = ()
    trouble: str = ""


class Frame(NamedTuple):
    """Lines to draw, the positions among them, and the choice with what it could not have: its offset and page."""

    lines: tuple[Line, ...]
    shown: tuple[Position, ...]
    choice: Choice


def frame(known: Known, choice: Choice, now: int, size: Size) -> Frame:
    """The frame at ``now``, in nanoseconds UTC."""
    top = [_status(known, now)]
    if choice.help:
        lines = [*top, (), *((Cell(text),) for text in HELP)]
        return Frame(_within(lines, size), (), choice)
    current = known.link.state is State.CONNECTED
    found = chosen(known.board.positions, choice)
    totals = _totals(known.board, found, choice, current)
    money = account.money_lines(_told(known.board, found, choice), now, size.width)
    groups, feeds, trades = _groups(known, found, choice, size), _feeds(known, now, size), _trades(known.board, size)
    kept = (
        3 + len(_spaced((), size)) + len(groups) + len(feeds) + len(trades)
    )  # status, head, keys; what is between them
    totals_room = None if size.height is None else max(1, (size.height - kept) // 3)
    room = _room(size, kept + min(len(totals) + len(money), totals_room or len(totals) + len(money)))
    choice = _scrolled(choice, len(found), room)
    positions = found[choice.offset : choice.offset + room]
    rows = [table.position_row(position, now, current) for position in positions]
    columns = grid(table.columns_for(len(known.board.currencies)), [*rows, *totals], size.width)
    body, shown = _body(known, choice, columns, tuple(zip(positions, rows, strict=True)), Size(size.width, room))
    sums = _total_lines(columns, totals, money, totals_room)
    lines = [*top, columns.head(), *body, *groups, *_spaced(sums, size), *feeds, *trades]
    foot = _shown_line(choice, len(found), len(known.board.positions), shown)
    if size.height is not None:  # where lines scroll by there are no keys
        foot = _typing_line(choice.draft) if choice.draft is not None else (*foot, Cell(_KEYS, Tone.DIM))
        lines += [()] * (size.height - 1 - len(lines))
    return Frame(_within([*lines, foot], size), tuple(positions[:shown]), choice)


def _room(size: Size, taken: int) -> int:
    return PLAIN_POSITIONS if size.height is None else max(1, size.height - taken)


def _within(lines: Sequence[Line], size: Size) -> tuple[Line, ...]:
    return tuple(clipped(line, size.width) for line in lines[: size.height])


def _spaced(lines: Sequence[Line], size: Size) -> list[Line]:
    airy = size.height is None or size.height >= _AIRY
    return [(), *lines] if airy else list(lines)


def _scrolled(choice: Choice, count_: int, room: int) -> Choice:
    """The page that fits and the offset that exists: the last page is full, unless lots leave open how many fit."""
    last = max(0, count_ - (1 if choice.lots else room))
    return choice._replace(offset=min(choice.offset, last), page=room)


# The connection.


def _status(known: Known, now: int) -> Line:
    link, board = known.link, known.board
    if link.state is State.CONNECTING:
        return (Cell(f"connecting to {known.address} for {age(now - link.since)}", Tone.DOUBTFUL),)
    if link.state is State.RECONNECTING:
        return (
            Cell(f"reconnecting to {known.address} for {age(now - link.since)}", Tone.BAD),
            Cell(f"; figures are {age(now - link.heard)} old; "),
            Cell(printable(link.cause), Tone.DIM),
        )
    cells = [
        Cell(f"connected to {known.address}", Tone.GOOD),
        Cell(f"; lag {lag(link.lag)}", Tone.DOUBTFUL if link.lag > _SLOW else Tone.PLAIN),
        Cell(f"; journal {board.sequence:,}; {count(board.closed_trades, 'trade', 'trades')} closed"),
    ]
    if now - link.heard > SILENCE:
        cells.append(Cell(f"; silent for {age(now - link.heard)}", Tone.DOUBTFUL))
    if link.losses:
        cells.append(Cell(f"; lost {count(link.losses, 'time', 'times')}", Tone.DIM))
    if known.trouble:
        cells.append(Cell(f"; {printable(known.trouble)}", Tone.BAD))
    return tuple(cells)


# Positions and their lots.


def _body(
    known: Known, choice: Choice, columns: Grid, positions: Sequence[tuple[Position, layout.Row]], size: Size
) -> tuple[list[Line], int]:
    """Lines of the positions that fit, and how many of them there are."""
    lines: list[Line] = []
    limit = None if size.height is None or not choice.lots else size.height
    for number, (position, row) in enumerate(positions):
        if limit is not None and len(lines) >= limit:
            return lines, number
        lines.append(columns.line(row))
        if choice.lots and position.open_entry_count:
            room = LOTS_OF_A_POSITION if limit is None else limit - len(lines)
            lines += _lots(known, position, Size(size.width, room))
    return lines, len(positions)


def _lots(known: Known, position: Position, size: Size) -> list[Line]:
    entries = known.lots.of(position)
    if entries is None:
        reading: list[Line] = [(Cell(f"{_INDENT}reading its lots", Tone.DIM),)]
        return reading[: size.height]
    rows = table.lot_rows(entries[:LOTS_OF_A_POSITION])
    width = None if size.width is None else size.width - len(_INDENT)
    columns = grid(table.LOT_COLUMNS, rows, width, named=False)
    lines: list[Line] = [(Cell(_INDENT), *columns.line(row)) for row in rows]
    return _shortened(lines, max(len(entries), position.open_entry_count), size.height, "lots", _INDENT)


def _shortened(lines: list[Line], all_: int, room: int | None, what: str, indent: str = "") -> list[Line]:
    """The first lines, and how many there are beyond them."""
    kept = lines if room is None or len(lines) <= room else lines[: max(0, room - 1)]
    if len(kept) < all_ and (room is None or room > 0):
        kept = kept if room is None or len(kept) < room else kept[:-1]
        kept = [*kept, (Cell(f"{indent}and {all_ - len(kept):,} more {what}", Tone.DIM),)]
    return kept


# Groups, totals, price sources, trades, keys.


def _groups(known: Known, found: Sequence[Position], choice: Choice, size: Size) -> list[Line]:
    """Groups with something open, of the portfolios that are shown."""
    shown = {position.portfolio_id for position in found}
    groups = [each for each in known.board.groups if not choice.words or each.portfolio_id in shown]
    rows = account.group_rows(groups, known.link.state is State.CONNECTED)
    if not rows:
        return []
    columns = grid(account.GROUP_COLUMNS, rows, size.width)
    room = None if size.height is None else max(1, size.height // 5)
    lines = _shortened([columns.line(row) for row in rows], len(rows), room, "groups")
    return _spaced([columns.head(), *lines], size)


def _trades(board: Board, size: Size) -> list[Line]:
    """The newest trades, where there is room for them."""
    lines = board.ticker.lines
    return _spaced(lines, size) if lines and (size.height is None or size.height >= _AIRY) else []


def _told(board: Board, found: Sequence[Position], choice: Choice) -> list[PortfolioTotals]:
    """Totals of the portfolios that are shown."""
    shown = {position.portfolio_id for position in found}
    return [each for each in board.totals if not choice.words or each.portfolio_id in shown]


def _totals(board: Board, found: Sequence[Position], choice: Choice, current: bool) -> list[layout.Row]:
    """Totals of the portfolios that are shown, and over all of them."""
    totals = _told(board, found, choice)
    sums = board.sums().items() if len(totals) > 1 and len(totals) == len(board.totals) else ()
    return [*table.all_rows(sums, current), *table.total_rows(totals, current)]


def _total_lines(columns: Grid, rows: Sequence[layout.Row], money: list[Line], room: int | None) -> list[Line]:
    lines = [*(columns.line(row) for row in rows), *money]
    return _shortened(lines, len(lines), room, "totals")


def _feeds(known: Known, now: int, size: Size) -> list[Line]:
    rows = table.feed_rows(known.feeds, now, known.link.state is State.CONNECTED)
    if not rows:
        return []
    columns = grid(table.FEED_COLUMNS, rows, size.width, named=False)
    room = None if size.height is None else max(1, size.height // 5)
    return _spaced(_shortened([columns.line(row) for row in rows], len(rows), room, "feeds"), size)


def _shown_line(choice: Choice, found: int, known: int, shown: int) -> Line:
    some = f"{choice.offset + 1}-{choice.offset + shown} of " if shown < found else ""
    cells = [Cell(f"{some}{count(found, 'position', 'positions')}")]
    if choice.words:
        cells.append(Cell(f" of {known:,} with '{' '.join(choice.words)}'", Tone.DOUBTFUL))
    return *cells, Cell(f", by {choice.sort.value}")


def _typing_line(draft: str) -> Line:
    return Cell("filter: ", Tone.HEAD), Cell(f"{draft}_"), Cell("   Enter keeps it, Escape does not", Tone.DIM)
