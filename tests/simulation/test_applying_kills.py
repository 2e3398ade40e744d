"""SIGKILL in the middle of an APPLY leaves all of it or nothing, and the retry settles which."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.simulation.applying import HELD, REPAIRED, applied, make, state
from tests.simulation.strace import NOWHERE, SUFFIXES, counted, from_start, killing
from tests.storage.broker_says import check_rebuilt
from tests.storage.ledgers import bare_ledger

CALL = "pwrite64"
POINTS = 12
"""Kills, spread over every write from the start of the process to its end."""

RECORDS = 11
SECONDS = 60.0


@pytest.fixture
def database(folder: Path) -> Path:
    """The ledger before anything is repaired."""
    path = folder / "lotkeeper.db"
    make(str(path))
    return path


def run(database: Path, *rules: str, log: Path = NOWHERE) -> int:
    """The exit code of the process that applies, under ``rules``."""
    command = [*from_start(database, *rules, log=log), sys.executable, "-m", "tests.simulation.applying", str(database)]
    return subprocess.run(command, timeout=SECONDS, check=False, capture_output=True).returncode


def copied(database: Path, folder: Path) -> Path:
    """The same ledger once more."""
    folder.mkdir()
    for suffix in SUFFIXES:
        if (part := Path(f"{database}{suffix}")).exists():
            shutil.copy(part, folder)
    return folder / database.name


@pytest.mark.usefixtures("faults")
def test_a_kill_leaves_all_of_a_repair_or_nothing(database: Path, folder: Path) -> None:
    """Wherever it comes; afterwards the same request has one report, and each execution is recorded once."""
    log = folder / "strace.log"
    assert run(copied(database, folder / "whole"), log=log) == 0
    writes = counted(log)[CALL]
    left: Counter[str] = Counter()
    for number in sorted({1 + place * (writes - 1) // (POINTS - 1) for place in range(POINTS)}):
        again = copied(database, folder / f"killed {number}")
        assert run(again, killing(CALL, number)) == -signal.SIGKILL
        with bare_ledger(str(again)) as ledger:
            held, sequence = state(ledger)
            assert (held, sequence) in [(HELD, len(HELD)), (REPAIRED, len(HELD) + RECORDS + 1)], f"write {number}"
            left["all" if held == REPAIRED else "nothing"] += 1
            report = applied(ledger)
            assert state(ledger) == (REPAIRED, len(HELD) + RECORDS + 1)
            assert report.sequence == ledger.sequence
            check_rebuilt(ledger, str(again))
    assert left["all"], left
    assert left["nothing"], left
