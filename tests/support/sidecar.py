"""A real sidecar in a process of its own, as a user starts it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

READY = re.compile(
    r"^lotkeeper ready: listening on (?P<address>\S+), database (?P<database>.+), ledger (?P<ledger>\S+)$"
)
START_SECONDS = 60
STOP_SECONDS = 30


class DidNotStart(Exception):
    """The process ended, or said nothing, before it was ready; carries its exit code and what it wrote to stderr."""

    def __init__(self, code: int | None, stderr: str) -> None:
        super().__init__(f"exit code {code}: {stderr}")
        self.code = code
        self.stderr = stderr


class Sidecar:
    """One ``lotkeeper serve``. ``arguments`` are further flags, ``settings`` become LOTKEEPER_* variables."""

    def __init__(
        self,
        database: str,
        *arguments: str,
        listen: str = "127.0.0.1:0",
        settings: Mapping[str, object] | None = None,
        prefix: tuple[str, ...] = (),
    ) -> None:
        self.database = database
        self.listen = listen
        self._arguments = arguments
        self._prefix = prefix
        self._settings = {f"LOTKEEPER_{name.upper()}": str(value) for name, value in (settings or {}).items()}
        self._process: subprocess.Popen[str] | None = None
        self._errors = tempfile.TemporaryFile(mode="w+")  # noqa: SIM115 - closed with the sidecar
        self.address = ""
        self.ledger_id = ""
        self.ready_line = ""

    def start(self) -> Self:
        """Start and wait until it is ready. Raises DidNotStart."""
        command = [*self._prefix, sys.executable, "-m", "lotkeeperd", "serve"]
        command += ["--listen", self.listen, "--database", self.database, *self._arguments]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("LOTKEEPER_")}
        if self._errors.closed:
            self._errors = tempfile.TemporaryFile(mode="w+")  # noqa: SIM115 - closed with the sidecar
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=self._errors, text=True, env=environment | self._settings
        )
        assert self._process.stdout is not None
        watchdog = threading.Timer(START_SECONDS, self._process.kill)
        watchdog.start()
        line = self._process.stdout.readline().rstrip("\n")
        watchdog.cancel()
        found = READY.match(line)
        if not found:
            self._process.kill()
            code, said = self.wait(), self.stderr
            self._errors.close()
            raise DidNotStart(code, said)
        self.ready_line, self.address, self.ledger_id = line, found["address"], found["ledger"]
        return self

    def restart(self) -> Self:
        """Start again, on the address it had."""
        self.listen = self.address or self.listen
        return self.start()

    @property
    def pid(self) -> int:
        """Of the running process."""
        assert self._process is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def stderr(self) -> str:
        """Everything it has written there."""
        return Path(f"/proc/self/fd/{self._errors.fileno()}").read_text(errors="replace")

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process."""
        os.kill(self.pid, number)

    def kill(self) -> None:
        """SIGKILL, and wait."""
        self.signal(signal.SIGKILL)
        self.wait()

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        if self.running:
            self.signal(signal.SIGTERM)
        return self.wait()

    def wait(self) -> int:
        """Until the process has ended; its exit code."""
        assert self._process is not None
        code = self._process.wait(STOP_SECONDS)
        assert self._process.stdout is not None
        self._process.stdout.close()
        return code

    def __enter__(self) -> Self:
        return self if self.running else self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.running:
            self.kill() if kind else self.stop()
        self._errors.close()


@contextmanager
def running_sidecar(database: str, *arguments: str, **options: object) -> Iterator[Sidecar]:
    """A sidecar that is ready, and gone afterwards."""
    with Sidecar(database, *arguments, **options) as sidecar:  # type: ignore[arg-type]
        yield sidecar
