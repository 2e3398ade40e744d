"""Cells, lines and tables of a fixed width, before anything is drawn. Pure.

Problem: the same table must stand in a terminal of 80 columns, in one of 200, and in a pipe. Seen: a library that shrinks
columns on its own cuts numbers in the middle, and a cut number is another number.
Chosen: a table first leaves out columns that may be left out, then cuts texts, never figures. A line is a row of cells with
a tone each; who draws decides what a tone looks like.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import NamedTuple

GAP, WIDE_GAP = 1, 2
"""Blanks between two columns, at least and where there is room."""
CUT = ".."
"""What stands where a text was cut."""


class Tone(Enum):
    """What a cell says beside its text."""

    PLAIN = "plain"
    GOOD = "good"
    BAD = "bad"
    DOUBTFUL = "doubtful"
    DIM = "dim"
    HEAD = "head"


class Cell(NamedTuple):
    """A piece of text in one tone."""

    text: str = ""
    tone: Tone = Tone.PLAIN


Line = tuple[Cell, ...]
Row = Mapping[str, Cell]
"""Cells by the name of their column; a column that is not named stays blank."""


class Column(NamedTuple):
    """One column of a table.

    ``rank`` 0 is always there; among the others, the highest is left out first when there is no room. A text may be cut
    down to ``narrowest`` characters; 0 says that it is never cut. ``least`` places are kept free for figures that change, so
    that columns do not move with every digit.
    """

    name: str
    left: bool = False
    rank: int = 0
    narrowest: int = 0
    least: int = 0


def printable(text: str) -> str:
    """``text`` in one line without control characters: an error of a venue may hold anything."""
    return "".join(character if character.isprintable() else " " for character in text)


def width_of(text: str) -> int:
    """Places that ``text`` takes in a terminal."""
    if text.isascii():
        return len(text)
    return sum(_places(character) for character in text)


def cut(text: str, width: int) -> str:
    """``text`` in at most ``width`` places."""
    if width_of(text) <= width:
        return text
    mark = CUT[: max(0, width)]
    kept, room = [], width - len(mark)
    for character in text:
        room -= _places(character)
        if room < 0:
            break
        kept.append(character)
    return "".join(kept) + mark


def clipped(line: Line, width: int | None) -> Line:
    """``line`` in at most ``width`` places; whole when there is no limit."""
    if width is None:
        return line
    room, cells = width, []
    for cell in line:
        if room <= 0:
            break
        cells.append(cell._replace(text=cut(cell.text, room)))
        room -= width_of(cells[-1].text)
    return tuple(cells)


def text_of(line: Line) -> str:
    """The text of a line, without its tones."""
    return "".join(cell.text for cell in line).rstrip()


class Grid(NamedTuple):
    """The columns that are shown, each with its width."""

    columns: tuple[tuple[Column, int], ...]
    gap: int = GAP

    def head(self) -> Line:
        """The names of the columns."""
        return self.line({column.name: Cell(column.name, Tone.HEAD) for column, _ in self.columns})

    def line(self, row: Row) -> Line:
        """One row, every cell in its place."""
        cells: list[Cell] = []
        for column, width in self.columns:
            cell = row.get(column.name, Cell())
            text = cut(cell.text, width)
            blank = " " * (width - width_of(text))
            gap = " " * self.gap if cells else ""
            cells.append(cell._replace(text=gap + (text + blank if column.left else blank + text)))
        return tuple(cells)


def grid(columns: Sequence[Column], rows: Sequence[Row], width: int | None, named: bool = True) -> Grid:
    """Columns that hold ``rows`` within ``width``, as far as leaving out and cutting texts allows.

    Not ``named``: the head is not shown, and takes no room. No width: nothing is left out or cut.
    """
    widths = {column: _natural(column, rows, named) for column in columns}
    if width is not None:
        for column in sorted((each for each in columns if each.rank), key=lambda each: -each.rank):
            if _total(widths) > width:
                del widths[column]
        while _total(widths) > width and (wide := _widest_text(widths)) is not None:
            widths[wide] -= 1
    gap = WIDE_GAP if width is None or _total(widths, WIDE_GAP) <= width else GAP
    return Grid(tuple((column, widths[column]) for column in columns if column in widths), gap)


def _natural(column: Column, rows: Sequence[Row], named: bool) -> int:
    widths = [width_of(row[column.name].text) for row in rows if column.name in row]
    return max(width_of(column.name) if named else 0, column.least, *widths)


def _total(widths: Mapping[Column, int], gap: int = GAP) -> int:
    return sum(widths.values()) + gap * (len(widths) - 1)


def _widest_text(widths: Mapping[Column, int]) -> Column | None:
    texts = [column for column, width in widths.items() if column.narrowest and width > column.narrowest]
    return max(texts, key=widths.__getitem__, default=None)


def _places(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
