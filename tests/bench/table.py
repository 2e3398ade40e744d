"""What a row says: its target, what was measured, the verdict, and the whole as a table.

Nothing here fails because something was slow: a time measured on a busy machine is information, never a test.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from tests.bench.plan import Plan


class Target(NamedTuple):
    """What is wanted of a figure. ``floor`` and ``aim`` are None where no row of the design asks for one yet."""

    unit: str
    floor: float | None = None
    aim: float | None = None
    more_is_better: bool = False


class Measured(NamedTuple):
    """One figure in the unit of its target; ``detail`` in words, ``figures`` every run it came from, for the JSON."""

    value: float
    detail: str
    figures: Mapping[str, Sequence[float]]


class Row(NamedTuple):
    """One line of the table."""

    name: str
    what: str
    target: Target
    measure: Callable[[Plan], Measured]


class Line(NamedTuple):
    """A row that was tried: what it measured, or why it could not."""

    row: Row
    measured: Measured | None
    error: str = ""


def reaches(target: Target, value: float, wanted: float) -> bool:
    """Whether ``value`` is as good as ``wanted``."""
    return value >= wanted if target.more_is_better else value <= wanted


def verdict(line: Line) -> str:
    """In the words of the table."""
    if line.measured is None:
        return "DID NOT RUN"
    target, value = line.row.target, line.measured.value
    if target.floor is None:
        return "no target yet"
    if target.aim is not None and reaches(target, value, target.aim):
        return "aim met"
    return "floor met" if reaches(target, value, target.floor) else "MISSED"


def shown(value: float | None, unit: str) -> str:
    """A figure with its unit, in as many digits as it deserves."""
    if value is None:
        return ""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f} {unit}"


def table(lines: Sequence[Line]) -> str:
    """Markdown that is also readable in a terminal, and below it where each figure comes from."""
    head = ("what", "floor", "aim", "measured", "verdict")
    cells = [head, *(_cells(line) for line in lines)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    text = [_line(row, widths) for row in cells]
    text.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    notes = [f"- {line.row.name}: {line.measured.detail if line.measured else line.error}" for line in lines]
    return "\n".join([*text, "", *notes])


def _cells(line: Line) -> tuple[str, ...]:
    target = line.row.target
    measured = shown(line.measured.value, target.unit) if line.measured else ""
    return line.row.what, shown(target.floor, target.unit), shown(target.aim, target.unit), measured, verdict(line)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"


def as_json(line: Line) -> dict[str, object]:
    """A line for machines."""
    target = line.row.target
    measured = line.measured
    return {
        "name": line.row.name,
        "what": line.row.what,
        "unit": target.unit,
        "floor": target.floor,
        "aim": target.aim,
        "more_is_better": target.more_is_better,
        "measured": measured and measured.value,
        "verdict": verdict(line),
        "detail": measured.detail if measured else line.error,
        "figures": {name: list(values) for name, values in measured.figures.items()} if measured else {},
    }
