"""``lotkeeper export``: fills, entries, closed trades or events as CSV or JSON lines, streamed.

Problem: whoever reads an export while it is being written, or after its writer was killed, reads half of it and does not know.
Chosen: a file is written under another name beside its own, flushed, and renamed when it is whole. Decimals are plain, times are
ISO 8601 with nanoseconds, columns are named as in the contract; and what is exported as fills, ``lotkeeper import`` reads.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any, TextIO

from lotkeeperd.domain.decimals import EXACT, plain
from lotkeeperd.domain.times import iso
from lotkeeperd.storage.event_rows import EVENT_COLUMNS
from lotkeeperd.storage.extracts import ENTRY_COLUMNS, FILL_COLUMNS, TRADE_COLUMNS, Extract, Wanted, extract

KINDS: dict[str, tuple[tuple[str, ...], Callable[[Extract, Wanted], Iterator[tuple[Any, ...]]]]] = {
    "fills": (FILL_COLUMNS, Extract.fills),
    "entries": (ENTRY_COLUMNS, Extract.entries),
    "trades": (TRADE_COLUMNS, Extract.trades),
    "events": (EVENT_COLUMNS, Extract.events),
}
"""What can be exported: its columns, and where its rows come from."""

Line = Callable[[tuple[Any, ...]], str]


def export(kind: str, wanted: Wanted, database: str, form: str, to: Path | None, out: TextIO) -> int:
    """Write ``kind`` as ``form``, csv or jsonl, to a file or else to ``out``; how many rows. Raises CannotStart or OSError."""
    columns, rows = KINDS[kind]
    with localcontext(EXACT), extract(database) as snapshot, _target(to, out) as file:
        line = _csv_line if form == "csv" else _json_line(columns)
        if form == "csv":
            file.write(_csv_line(columns))
        count = 0
        for count, row in enumerate(rows(snapshot, wanted), 1):  # noqa: B007 - how many there were is the answer
            file.write(line(tuple(map(_value, columns, row))))
    return count


@contextmanager
def _target(to: Path | None, out: TextIO) -> Iterator[TextIO]:
    if to is None:
        yield out
        return
    part = to.with_name(to.name + ".part")
    try:
        with part.open("w", encoding="utf-8", newline="") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    part.replace(to)


def _value(column: str, value: Any) -> Any:
    """What both forms show alike: decimals and times as text."""
    if isinstance(value, Decimal):
        return plain(value)
    return iso(value) if column.endswith("_time") and value is not None else value


def _csv_line(row: tuple[Any, ...]) -> str:
    """Labels are a JSON object, what is unknown is empty."""
    cells = [_object(value) if isinstance(value, tuple) else value for value in row]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(
        str(cell).lower() if isinstance(cell, bool) else cell for cell in cells
    )
    return text.getvalue()


def _object(labels: tuple[tuple[str, str], ...]) -> str:
    return json.dumps(dict(labels), ensure_ascii=False) if labels else ""


def _json_line(columns: tuple[str, ...]) -> Line:
    def line(row: tuple[Any, ...]) -> str:
        values = [dict(value) if isinstance(value, tuple) else value for value in row]
        document = dict(zip(columns, values, strict=True))
        return json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n"

    return line
