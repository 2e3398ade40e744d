"""``lotkeeper import``: from flags to a report on paper, in a terminal or as JSON."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TextIO

from lotkeeperd.console.layout import text_of
from lotkeeperd.console.progress import Progress
from lotkeeperd.domain.commands import Excess
from lotkeeperd.intake.columns import read_map
from lotkeeperd.intake.problems import BadMap, NotRecorded, UnreadableFile
from lotkeeperd.intake.report import Report
from lotkeeperd.intake.run import Request, run
from lotkeeperd.settings import Settings
from lotkeeperd.storage.engines import CannotStart

FINE, FAILED, WRONG_USE, REFUSED = 0, 1, 2, 3
"""Exit codes."""


class Flags(NamedTuple):
    """The command line; ``form`` holds what says how the file is written, empty texts where nothing was given."""

    file: Path | None
    table: str
    columns: Path | None
    mapped: Sequence[str]
    constants: Sequence[str]
    form: Mapping[str, str]
    positions: bool
    apply: bool
    keep_going: bool
    takeover: bool
    excess: str


def imported(flags: Flags, settings: Settings, as_json: bool, out: TextIO, errors: TextIO) -> int:
    """Carry it out; the exit code."""
    reading = Progress("read bytes", errors, time.monotonic)
    recording = Progress("recorded rows", errors, time.monotonic)
    try:
        report = run(_request(flags, settings), time.time_ns(), reading, recording)
    except BadMap as error:
        return _failed(errors, error, WRONG_USE)
    except (UnreadableFile, NotRecorded, CannotStart, OSError) as error:
        return _failed(errors, error, FAILED)
    finally:
        reading.end()
        recording.end()
    _print(report, as_json, out)
    return REFUSED if report.counts.refused else FINE


def _failed(errors: TextIO, error: Exception, code: int) -> int:
    errors.write(f"lotkeeper: {error}\n")
    return code


def _request(flags: Flags, settings: Settings) -> Request:
    if (flags.file is None) == (not flags.table):
        raise BadMap("name a file, or a table with --from-table DATABASE#TABLE: one of them")
    return Request(
        flags.file,
        flags.table,
        read_map(flags.columns, flags.mapped, flags.constants, flags.form),
        flags.positions,
        Excess(flags.excess) if flags.excess else Excess.UNSPECIFIED,
        settings.database,
        settings.currency,
        settings.journal_key,
        settings.create_portfolios,
        flags.apply,
        flags.keep_going,
        flags.takeover,
    )


def _print(report: Report, as_json: bool, out: TextIO) -> None:
    if as_json:
        out.write(json.dumps(report.document(), ensure_ascii=False, indent=2) + "\n")
    elif out.isatty():
        from rich.console import Console

        from lotkeeperd.console.terminal import painted

        terminal = Console(file=out, highlight=False)
        terminal.print(painted(report.lines(terminal.width)), soft_wrap=True)
    else:
        out.write("".join(f"{text_of(line)}\n" for line in report.lines(None)))
