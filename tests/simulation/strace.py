"""Faults at an exact system call, by strace: SIGKILL in place of the N-th write, or an error as its answer.

Seen: strace counts ``when=N`` for each kind of call and each thread by itself, and a server starts and stops in one thread
and writes in another. So each kind of call in each phase of a server's life is counted by itself, and strace is attached
where the phase begins. SIGKILL comes before the call is carried out: a kill at call N leaves behind the calls 1 to N - 1.

What this cannot show: the kernel keeps what a killed process wrote, flushed or not, so no SIGKILL finds a flush that is
missing. That is shown by making every flush fail: then nothing may be acknowledged.
"""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import Self

CALLS = ("pwrite64", "pwritev", "write", "writev", "fdatasync", "fsync", "ftruncate", "fallocate", "unlink", "rename")
"""Every call that changes or flushes a file."""

SUFFIXES = ("", "-wal", "-shm", "-journal")
STOP_SECONDS = 30.0
NOWHERE = Path("/dev/null")

_CALL = re.compile(r"^(?P<thread>\d+) +(?P<call>\w+)\(")


class CannotAttach(Exception):
    """This user may not trace another process of its own here; the text is strace's."""


def killing(call: str, number: int) -> str:
    """SIGKILL in place of the ``number``-th ``call`` of a thread."""
    return f"inject={call}:signal=KILL:when={number}"


def failing(calls: str, error: str, when: str = "1+") -> str:
    """``error`` as the answer of ``calls`` that are not carried out."""
    return f"inject={calls}:error={error}:when={when}"


def from_start(database: Path, *rules: str, log: Path = NOWHERE) -> tuple[str, ...]:
    """What to put before the command of a server that is to meet ``rules`` from its first instruction on.

    The tracer is a grandchild (-D), so that the server stays the child that is started. Not with --seccomp-bpf: strace 6.1
    then loses the signal that it is to send.
    """
    return ("strace", "-D", "-f", *_options(database, rules, log))


class Attached:
    """Strace on a running process while the context lasts. A process that dies meanwhile is collected before it ends.

    Seen: a strace that is told to let go while its process is dying waits for ever, so it is told only while that one lives.
    """

    def __init__(self, pid: int, database: Path, *rules: str, log: Path = NOWHERE) -> None:
        self._pid = pid
        self._command = ["strace", "-f", "-p", str(pid), *_options(database, rules, log)]
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        """Attach. Raises CannotAttach."""
        self._process = subprocess.Popen(self._command, stderr=subprocess.PIPE, text=True)
        assert self._process.stderr is not None
        said = self._process.stderr.readline()
        if "attached" not in said:
            self._process.communicate(timeout=STOP_SECONDS)
            raise CannotAttach(said.strip())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        if Path(f"/proc/{self._pid}").exists():
            self._process.send_signal(signal.SIGTERM)  # it lets go of the process, which runs on
        self._process.communicate(timeout=STOP_SECONDS)


def _options(database: Path, rules: tuple[str, ...], log: Path) -> list[str]:
    files = [option for suffix in SUFFIXES for option in ("-P", f"{database}{suffix}")]
    tampering = [option for rule in rules for option in ("-e", rule)]
    return ["-o", str(log), "-e", f"trace={','.join(CALLS)}", *files, *tampering]


def counted(log: Path) -> Counter[str]:
    """How often each call stands in a log, in the thread that made most of them."""
    threads: dict[str, Counter[str]] = {}
    for line in log.read_text().splitlines():
        if found := _CALL.match(line):
            threads.setdefault(found["thread"], Counter())[found["call"]] += 1
    return max(threads.values(), key=lambda calls: calls.total(), default=Counter())


def missing(folder: Path) -> str:
    """Why there can be no faults here; empty when there can."""
    if shutil.which("strace") is None:
        return "strace is not installed: sudo apt-get install strace"
    sleeper = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    try:
        with Attached(sleeper.pid, folder / "none"):
            return ""
    except CannotAttach as error:
        return f"strace may not attach to a process here ({error}): run as root, or set kernel.yama.ptrace_scope=0"
    finally:
        sleeper.kill()
        sleeper.communicate()
