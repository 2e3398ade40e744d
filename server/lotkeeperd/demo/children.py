"""The demo's child processes: the sidecar and the bots, none of which outlives the demo.

Problem: the demo starts four processes, kills one of them on purpose, and may itself be interrupted at any moment.
Seen: a terminal sends Ctrl-C to the whole process group, so children died in the middle of a line before the demo could
stop them in order; and a demo killed with SIGKILL left its sidecar behind.
Chosen: every child gets a process group of its own, so that only the demo hears Ctrl-C; leaving the ``with`` block asks
all of them to end, and kills what does not; on Linux the kernel ends a child whose parent is gone. What a child prints
goes to a file of its own, of which a failure shows the end.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

STOP_GRACE_SECONDS = 10.0
"""How long an ending child may take before it is killed."""
TAIL_LINES = 20
"""Lines of a failed child's output that are shown."""

# Sets PR_SET_PDEATHSIG (1) and becomes the real program under the same process id. A ``preexec_fn`` could do the same,
# but runs Python between fork and exec, which can deadlock once gRPC's threads are there.
_BOUND = """
import ctypes, os, signal, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
if os.getppid() == int(sys.argv[1]):
    os.execv(sys.executable, [sys.executable, *sys.argv[2:]])
"""


def _environment() -> dict[str, str]:
    """Ours without the settings of a real sidecar: a demo must not depend on what serves elsewhere on this machine."""
    return {name: value for name, value in os.environ.items() if not name.startswith("LOTKEEPER_")}


class Child(NamedTuple):
    """One started process and the file that holds what it printed."""

    name: str
    process: subprocess.Popen[bytes]
    output: Path

    def ended(self) -> bool:
        """Whether it is gone."""
        return self.process.poll() is not None

    def tail(self) -> str:
        """The last lines it printed, indented."""
        lines = self.output.read_text(encoding="utf-8", errors="replace").splitlines()[-TAIL_LINES:]
        return "\n".join(f"  {line}" for line in lines) or "  (it printed nothing)"

    def failure(self) -> str:
        """What a person needs to know about its death: how it ended, what it said last, where the rest is."""
        code = self.process.returncode
        how = f"ended with exit code {code}" if code >= 0 else f"was killed by {signal.Signals(-code).name}"
        return f"{self.name} {how}; the end of {self.output}:\n{self.tail()}"


class Children:
    """Every process of one demo; a context manager that leaves none behind."""

    def __init__(self, folder: Path, parent: int, grace: float = STOP_GRACE_SECONDS) -> None:
        """Keep output in ``folder``; ``parent`` is the demo's process id, ``grace`` the seconds an ending child has."""
        self._folder = folder
        self._parent = parent
        self._grace = grace
        self._children: list[Child] = []

    def __enter__(self) -> Self:
        """Start with no children."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End every child, whatever happened."""
        self.stop()

    def start(self, name: str, module: str, *arguments: str) -> Child:
        """Start ``python -m module arguments`` with its output in ``name.log``."""
        output = self._folder / f"{name}.log"
        bound = [sys.executable, "-c", _BOUND, str(self._parent), "-m", module, *arguments]
        with output.open("ab") as file:
            process = subprocess.Popen(
                bound, stdin=subprocess.DEVNULL, stdout=file, stderr=file, process_group=0, env=_environment()
            )
        child = Child(name, process, output)
        self._children.append(child)
        return child

    def kill(self, child: Child) -> None:
        """End ``child`` with SIGKILL, which it cannot answer, and wait until the kernel has let go of its files."""
        child.process.kill()
        child.process.wait()
        self._children.remove(child)

    def failed(self) -> Child | None:
        """A child that ended by itself with another exit code than 0, if there is one."""
        return next((child for child in self._children if child.process.poll() not in (None, 0)), None)

    def stop(self, children: Sequence[Child] | None = None) -> None:
        """Ask ``children``, or all, to end; kill what is still there after the grace period."""
        ending = list(self._children) if children is None else list(children)
        for child in ending:
            if child.process.poll() is None:
                child.process.terminate()
        for child in ending:
            try:
                child.process.wait(self._grace)
            except subprocess.TimeoutExpired:
                child.process.kill()
                child.process.wait()
