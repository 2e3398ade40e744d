"""How much is measured, and where the databases lie."""

from __future__ import annotations

import itertools
import os
import shutil
import sys
from pathlib import Path
from typing import NamedTuple

_numbers = itertools.count(1)


class Plan(NamedTuple):
    """Sizes of one run of the benchmark. ``cache`` outlives it: the large ledger is built once.

    ``share`` scales how many calls a run makes and how long it lasts; ratios are the same, less steady.
    """

    folder: Path
    cache: Path
    runs: int = 5
    share: float = 1.0
    closed_trades: int = 1_000_000
    open_positions: int = 10_000

    def calls(self, count: int) -> int:
        """So many calls, scaled."""
        return max(1, int(count * self.share))

    def new_database(self) -> Path:
        """A path in a folder of its own, where nothing is yet."""
        folder = self.folder / str(next(_numbers))
        folder.mkdir()
        return folder / "lotkeeper.db"

    def copy_of(self, database: Path) -> Path:
        """A copy of a database that no process has open."""
        copy = self.new_database()
        shutil.copyfile(database, copy)
        with copy.open("rb") as file:
            os.fsync(file.fileno())  # now, and not in the middle of what is measured
        return copy


def say(text: str) -> None:
    """Tell whoever waits what is being done; the table alone goes to stdout."""
    print(text, file=sys.stderr, flush=True)
