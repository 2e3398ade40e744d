"""Real sidecars for a conformance runner in any language: one per set of settings, restarted when a scenario says so.

    python -m tests.conformance.harness [--database URL] -- RUNNER ARGUMENT...

starts RUNNER with ``--harness``, answers its requests, prints the rest of what it says, and ends with its exit code. The ledgers
are new SQLite files; ``--database URL`` runs all servers that need no settings of their own on that database.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.support.sidecar import Sidecar

Databases = Callable[[], str]
"""Makes an empty database and returns where it is."""


class Sidecars:
    """Sidecars by their settings, each started when it is first asked for."""

    def __init__(self, databases: Databases, folder: Path) -> None:
        self._databases, self._folder = databases, folder
        self._running: dict[str, Sidecar] = {}
        self._latest: Sidecar | None = None

    def serving(self, settings: Mapping[str, Any]) -> str:
        """The address of one with these settings."""
        key = json.dumps(settings, sort_keys=True)
        if key not in self._running:
            config = self._folder / f"settings-{len(self._running)}.toml"
            config.write_text("".join(f"{name} = {_toml(value)}\n" for name, value in settings.items()))
            self._running[key] = Sidecar(self._databases(), "--config", str(config)).start()
        self._latest = self._running[key]
        return self._latest.address

    def restarted(self, how: str) -> str:
        """The address of the one given last, after SIGKILL or SIGTERM and another start."""
        assert self._latest is not None
        if how == "kill":
            self._latest.kill()
        else:
            self._latest.stop()
        return self._latest.restart().address

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for sidecar in self._running.values():
            sidecar.__exit__(kind, error, trace)


def run(command: Sequence[str], sidecars: Sidecars, output: Callable[[str], None]) -> int:
    """Run a runner as its harness; what is no request goes to ``output``, line by line."""
    with subprocess.Popen(
        [*command, "--harness"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as runner:
        assert runner.stdin is not None
        assert runner.stdout is not None
        for line in runner.stdout:
            if line.startswith('{"do":'):
                print(json.dumps(_answer(json.loads(line), sidecars)), file=runner.stdin, flush=True)
            else:
                output(line.rstrip("\n"))
    return runner.returncode


def _answer(request: Mapping[str, Any], sidecars: Sidecars) -> dict[str, str]:
    if request["do"] == "server":
        return {"address": sidecars.serving(request["settings"])}
    if request["do"] == "restart":
        return {"address": sidecars.restarted(request["how"])}
    return {"error": f"this harness does not know how to {request['do']}"}


def _toml(value: Any) -> str:
    """A setting as TOML: a JSON scalar or array is one, a table is written inline."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(name)} = {_toml(part)}" for name, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(part) for part in value) + "]"
    return json.dumps(value)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance.harness")
    parser.add_argument("--database", default="")
    parser.add_argument("runner", nargs="+", help="after --")
    words = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        given = [words.database] if words.database else []
        count = iter(range(1_000))
        with Sidecars(lambda: given.pop() if given else str(folder / f"{next(count)}.db"), folder) as sidecars:
            return run(words.runner, sidecars, print)


if __name__ == "__main__":
    sys.exit(main())
