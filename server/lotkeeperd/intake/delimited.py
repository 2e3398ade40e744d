"""CSV and its relatives: the delimiter is found in the header, quotes and line ends within quotes are taken as they are.

Problem: ``csv.Sniffer`` guesses from a sample and takes a letter for a delimiter when notes are long; and what the ``csv`` module
reads from a file goes through its line reader, which holds a line of any length. Chosen: the delimiter is the one of four that
the header holds most of; lines come from ``lines``; and a record that cannot be read costs itself only, since the parser
begins anew with the next line. A quote that is never closed ends at the module's own limit of 131,072 characters in a field.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import BinaryIO, Self

from lotkeeperd.intake.lines import Line, Progress, lines
from lotkeeperd.intake.problems import UnreadableFile
from lotkeeperd.intake.rows import Broken, Row

DELIMITERS = ",;\t|"
"""Those that are looked for."""

_SPOKEN = {"\t": "a tab"}


class _Faulty(Exception):
    """A line without text came up in the middle of the parser's work."""


class _Feed:
    """Hands lines to the parser one by one and remembers where its record began."""

    def __init__(self, source: Iterator[Line]) -> None:
        self._source = source
        self._first = self.number = 0

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        line = next(self._source)
        self.number = line.number
        self._first = self._first or line.number
        if line.fault:
            raise _Faulty(line.fault)
        return line.text + "\n"

    def place(self) -> str:
        """The lines of the record that was read last."""
        first, self._first = self._first, 0
        return f"line {first}" if first == self.number else f"lines {first} to {self.number}"


class DelimitedFile:
    """Satisfies ``rows.Source``. ``delimiter`` empty: it is found. Not ``header``: columns are named 1, 2, 3."""

    def __init__(
        self,
        file: BinaryIO,
        encoding: str,
        delimiter: str = "",
        header: bool = True,
        progress: Progress = lambda _: None,
    ) -> None:
        """Reads the header. Raises UnreadableFile when there is none."""
        source = lines(file, encoding, progress)
        first = next(source, None)
        if first is None or not (first.text.strip() or first.fault):
            raise UnreadableFile("its first line is empty; a line with the names of the columns is required")
        if first.fault:
            raise UnreadableFile(f"line 1 {first.fault}")
        delimiter = delimiter or max(DELIMITERS, key=lambda each: (first.text.count(each), -DELIMITERS.index(each)))
        self._feed = _Feed(_again(first, source))
        self._reader = csv.reader(self._feed, delimiter=delimiter, strict=True, skipinitialspace=True)
        self._waiting: list[str] | None = None
        self.names: tuple[str, ...] = self._named(self._header(), header)
        self.description = f"CSV, separated by {_SPOKEN.get(delimiter, delimiter)}"

    def _header(self) -> list[str]:
        try:
            return [cell.strip() for cell in next(self._reader)]
        except (csv.Error, _Faulty) as error:
            raise UnreadableFile(f"the header cannot be read: {error}") from error

    def _named(self, first: list[str], header: bool) -> tuple[str, ...]:
        if not header:
            self._waiting = first
            return tuple(str(number) for number in range(1, len(first) + 1))
        self._feed.place()
        twice = sorted({name for name in first if name and first.count(name) > 1})
        if twice:
            raise UnreadableFile(f"the header names {', '.join(map(repr, twice))} more than once; rename one of them")
        return tuple(first)

    def rows(self) -> Iterator[Row | Broken]:
        """The records in their order; blank lines are passed over."""
        if self._waiting is not None:
            yield self._row(self._waiting)
        while True:
            try:
                cells = next(self._reader)
            except StopIteration:
                return
            except (csv.Error, _Faulty) as error:
                yield Broken(self._feed.place(), str(error))
                continue
            if len(cells) > 1 or (cells and cells[0].strip()):
                yield self._row(cells)
            else:
                self._feed.place()

    def _row(self, cells: list[str]) -> Row | Broken:
        place = self._feed.place()
        if len(cells) != len(self.names):
            return Broken(
                place,
                f"has {len(cells)} fields, the header {len(self.names)}; is a delimiter in a field without quotes?",
            )
        return Row(place, dict(zip(self.names, map(str.strip, cells), strict=True)))


def _again(first: Line, rest: Iterator[Line]) -> Iterator[Line]:
    yield first
    yield from rest
