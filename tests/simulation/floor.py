"""The trading floor: processes of traders, how far they have come, and how to end them."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.simulation.history import Try, newest_in, read_logs

ROOT = Path(__file__).parents[2]
POLL_SECONDS = 0.002
STALLED_SECONDS = 60.0
"""Without a line from any trader: something hangs."""


class Floor:
    """Traders at ``addresses`` who log into ``folder``; ``processes`` of them with ``traders`` each."""

    def __init__(self, folder: Path, addresses: Sequence[str], seed: str, processes: int = 2, traders: int = 4) -> None:
        self._folder = folder / "logs"
        self._folder.mkdir()
        self._errors = tempfile.TemporaryFile(mode="w+")  # noqa: SIM115 - it lives as long as the floor
        options = ["--log", str(self._folder), "--traders", str(traders), "--seed", seed]
        self._commands = [
            [sys.executable, "-m", "tests.simulation.trader", *options, "--name", chr(ord("A") + number), *addresses]
            for number in range(processes)
        ]
        self._processes: list[subprocess.Popen[bytes]] = []
        self._read: dict[Path, int] = {}
        self._newest = 0

    def __enter__(self) -> Self:
        for command in self._commands:
            process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stderr=self._errors)
            self._processes.append(process)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._processes:
            process.kill()
            process.communicate()
        self._errors.close()

    def await_progress(self, size: int) -> None:
        """Until ``size`` bytes more are logged. Raises AssertionError when a trader ended, or nothing happens."""
        aim = self._logged() + size
        deadline, before = time.monotonic() + STALLED_SECONDS, -1
        while (now := self._logged()) < aim:
            self._check_alive()
            if now > before:
                deadline, before = time.monotonic() + STALLED_SECONDS, now
            assert time.monotonic() < deadline, f"no trader logged anything for {STALLED_SECONDS:g} s"
            time.sleep(POLL_SECONDS)

    def newest_acknowledged(self) -> int:
        """The highest sequence that any trader was told up to now; reads what was logged since it was last asked."""
        for path in self._folder.glob("*.jsonl"):
            with path.open("rb") as log:
                log.seek(self._read.get(path, 0))
                lines = log.read().rpartition(b"\n")[0]
            self._read[path] = self._read.get(path, 0) + len(lines) + bool(lines)
            self._newest = max(self._newest, newest_in(lines))
        return self._newest

    def tries(self) -> list[Try]:
        """Everything that is logged now."""
        return read_logs(sorted(self._folder.glob("*.jsonl")))

    def close(self) -> list[Try]:
        """Let the traders settle what is under way and end; everything that they logged."""
        for process in self._processes:
            assert process.stdin is not None
            process.stdin.close()
        codes = [process.wait(STALLED_SECONDS) for process in self._processes]
        assert not any(codes), f"traders ended with {codes}: {self._said()}"
        tries = self.tries()
        assert tries, "nobody traded"
        return tries

    def _check_alive(self) -> None:
        codes = [process.poll() for process in self._processes]
        assert codes == [None] * len(codes), f"traders ended with {codes}: {self._said()}"

    def _said(self) -> str:
        return Path(f"/proc/self/fd/{self._errors.fileno()}").read_text()

    def _logged(self) -> int:
        return sum(path.stat().st_size for path in self._folder.glob("*.jsonl"))
