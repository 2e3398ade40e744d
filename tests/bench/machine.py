"""What it was measured on: without the machine and its fsync no figure means anything."""

from __future__ import annotations

import os
import platform
import sqlite3
import statistics
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import psutil

WRITES = 200
PAGE = b"\x5a" * 4096
BUSY = 0.25
"""Load for each core above which the figures are not the program's alone."""


class Machine(NamedTuple):
    """The machine, the versions, and what a durable write costs; ``fsync`` times in milliseconds."""

    date: str
    cpu: str
    cores: int
    memory_gb: float
    load: float
    kernel: str
    python: str
    sqlite: str
    grpcio: str
    filesystem: str
    fsync_p50: float
    fsync_p99: float

    @property
    def busy(self) -> bool:
        """Whether others had a quarter of it or more."""
        return self.load > self.cores * BUSY

    def text(self) -> str:
        """In two lines."""
        return (
            f"{self.date}: {self.cpu}, {self.cores} cores, {self.memory_gb:.0f} GB, Linux {self.kernel}, "
            f"load {self.load:.2f} before the first row\n"
            f"Python {self.python}, SQLite {self.sqlite}, grpcio {self.grpcio}; {self.filesystem}, "
            f"fsync of 4 KiB p50 {self.fsync_p50:.2f} ms, p99 {self.fsync_p99:.2f} ms"
        )


def machine(folder: Path) -> Machine:
    """This one; ``folder`` is where the databases lie."""
    times = fsync_times(folder)
    return Machine(
        f"{datetime.now(UTC):%Y-%m-%d}",
        _cpu(),
        os.cpu_count() or 0,
        psutil.virtual_memory().total / 1e9,
        os.getloadavg()[0],
        platform.release(),
        platform.python_version(),
        sqlite3.sqlite_version,
        version("grpcio"),
        filesystem(folder),
        statistics.median(times),
        statistics.quantiles(times, n=100)[98],
    )


def fsync_times(folder: Path) -> list[float]:
    """Milliseconds of appending a page and flushing it, many times."""
    path = folder / "fsync"
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        return [_flushed(file) for _ in range(WRITES)]
    finally:
        os.close(file)
        path.unlink()


def _flushed(file: int) -> float:
    started = time.perf_counter()
    os.write(file, PAGE)
    os.fsync(file)
    return (time.perf_counter() - started) * 1e3


def filesystem(folder: Path) -> str:
    """Its type; on one that lives in memory a flush costs nothing, and says nothing."""
    found, best = "unknown", ""
    for mount in psutil.disk_partitions(all=True):
        if folder.resolve().is_relative_to(mount.mountpoint) and len(mount.mountpoint) >= len(best):
            found, best = mount.fstype, mount.mountpoint
    return f"{found} (in memory: durable figures mean nothing here)" if found in ("tmpfs", "ramfs") else found


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or "unknown CPU"
