"""What every kind of source gives: rows with their place, or why a place holds none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple, Protocol

Cells = Mapping[str, object]
"""A row by the names of its columns: text, or what a JSON file or a database has instead."""


class Row(NamedTuple):
    """One row, and where it stands, for a person who looks for it: ``line 17``."""

    place: str
    cells: Cells


class Broken(NamedTuple):
    """A place where there is no row to be had, and why."""

    place: str
    why: str


class Source(Protocol):
    """A file or a table that is read once, from its beginning to its end."""

    @property
    def description(self) -> str:
        """What it was taken for, for the report."""
        ...

    @property
    def names(self) -> tuple[str, ...] | None:
        """Its columns, where they are known before the rows are."""
        ...

    def rows(self) -> Iterator[Row | Broken]:
        """The rows in their order. Raises UnreadableFile."""
        ...
