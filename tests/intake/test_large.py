"""A file of 1 GB is read to its end with the memory of a small one, whatever it is made of.

Files are sparse: what is not written takes no room on disk, and reads as NUL. No test asserts a time; the limit of a run is there
so that none goes on for ever.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, NamedTuple

import pytest

from tests.intake.moving import FILLS, House

GIGABYTE = 1 << 30
NOTE = 100_000
"""Bytes of a note; the csv module takes fields of 131,072."""
ROWS = 50_000
ROOM = 48 << 20
"""Bytes by which a run may be larger than one over four lines: caches that have filled, and the allocator's slack."""
HEADER = b"fill_id,symbol,side,quantity,price,fill_time,note\n"
TIME = "2024-01-05T15:30:00Z"


SECONDS = 110
MEASURED = """
import atexit, pathlib, sys
peak = lambda: next(line for line in pathlib.Path("/proc/self/status").open() if line.startswith("VmHWM"))
atexit.register(lambda: sys.stderr.write(peak()))
from lotkeeperd.cli import main
main()
"""
"""The command, and the most memory that it held. Not ``getrusage``: that begins with what the test held when it forked."""


class Ended(NamedTuple):
    """A run: exit code, most memory in bytes, and what it said."""

    code: int
    peak: int
    said: str
    complaint: str


def lotkeeper_import(house: House, file: Path, *words: str) -> Ended:
    """Import ``file`` in a process of its own, whose memory is measured."""
    line = ["import", str(file), "--database", house.database, "--json", *words]
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, *line], capture_output=True, text=True, timeout=SECONDS, check=False
    )
    *complaint, peak = done.stderr.splitlines()
    return Ended(done.returncode, int(peak.split()[1]) * 1024, done.stdout, "\n".join(complaint))


@pytest.fixture
def small(house: House) -> int:
    """Most memory of an import of four lines, in bytes."""
    ended = lotkeeper_import(house, house.file("small.csv", FILLS))
    assert ended.code == 0, ended.complaint
    return ended.peak


def sparse(house: House, name: str, write: Callable[[BinaryIO], object]) -> Path:
    """A file of 1 GB at least."""
    path = house.folder / name
    with path.open("wb") as file:
        write(file)
        file.truncate(max(GIGABYTE, file.tell()))
    return path


def row(number: int) -> bytes:
    """Bought and sold in turn, without the note and the line end."""
    return f"F-{number},A,{('buy', 'sell')[number % 2]},1,{100 + number % 7},{TIME},".encode()


@pytest.mark.parametrize("name", ["x.csv", "x.jsonl", "x.json"])
def test_a_file_without_any_line_end(name: str, house: House, small: int) -> None:
    """It is no table and no document, and says so."""
    ended = lotkeeper_import(house, sparse(house, name, lambda _: None))

    assert ended.code in (1, 3)
    assert any(what in ended.said + ended.complaint for what in ("line end missing", "begins with"))
    assert ended.peak < small + ROOM


@pytest.mark.parametrize("begin", [b"[", b"[" + b" " * 10, b'[{"a": "', b'{"a": "'])
def test_a_document_that_never_ends(begin: bytes, house: House, small: int) -> None:
    """It is given up at a limit."""
    ended = lotkeeper_import(house, sparse(house, "x.json", lambda file: bool(file.write(begin))))

    assert ended.code in (1, 3)
    assert "JSON" in ended.said + ended.complaint
    assert ended.peak < small + ROOM + (64 << 20) * begin.startswith(b"{")  # an object is held up to its limit


def test_a_line_that_never_ends_behind_good_ones(house: House, small: int) -> None:
    """The others are recorded when it is told to keep going; by default none is."""

    def write(file: BinaryIO) -> None:
        file.write(HEADER + row(0) + b"\r\n" + row(1) + b"\r" + row(2) + b"\n" + row(3))

    file = sparse(house, "x.csv", write)

    strict = lotkeeper_import(house, file, "--apply")
    assert house.records() == 0
    ended = lotkeeper_import(house, file, "--apply", "--keep-going")

    assert (strict.code, ended.code) == (3, 3)
    report = json.loads(ended.said)
    assert [each["place"] for each in report["refused_lines"]] == ["line 5"]
    assert house.records() == 3
    assert max(strict.peak, ended.peak) < small + ROOM


def test_many_lines_with_long_notes(house: House, small: int) -> None:
    """Ten thousand of them, every one recorded."""

    def write(file: BinaryIO) -> None:
        file.write(HEADER)
        for number in range(GIGABYTE // NOTE):
            file.write(row(number))
            file.seek(NOTE, os.SEEK_CUR)
            file.write(b"\n")

    ended = lotkeeper_import(house, sparse(house, "x.csv", write), "--apply")

    assert ended.code == 0, ended.complaint
    assert json.loads(ended.said)["read"] == house.records() == GIGABYTE // NOTE
    assert ended.peak < small + ROOM


def test_many_rows_without_an_id(house: House, small: int) -> None:
    """What tells equal rows apart is not held in memory either."""
    rows = "".join(f"A,{('buy', 'sell')[n % 2]},1,{100 + n % 7},{TIME}\n" for n in range(ROWS))
    file = house.file("x.csv", "symbol,side,quantity,price,fill_time\n" + rows)

    ended = lotkeeper_import(house, file)

    assert ended.code == 0, ended.complaint
    report = json.loads(ended.said)
    assert report["opened"] + report["closed"] + report["flipped"] == ROWS
    assert ended.peak < small + ROOM
