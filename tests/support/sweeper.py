"""Ends what a test session left running and removes its folder, however the session ended.

Problem: a session that is killed (a CI time limit, SIGKILL) runs no `finally` and no `atexit`, and a database server
it started would live on. Seen: the parent-death signal of Linux follows the *thread* that started the child, so it
would end a server started from a worker thread. Chosen: a process of its own that reads a pipe the session holds
open. The kernel closes the pipe whenever the session ends, cleanly or not, so there is one way of cleaning up.

Run as a script, in a session of its own so that Ctrl-C in the terminal does not reach it:

    python sweeper.py FOLDER < pipe
"""

import contextlib
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Final

import psutil

PROGRAMS: Final = frozenset({"postgres", "initdb"})
"""Only these are ended: someone may be reading a log in the folder."""

QUIT_SECONDS: Final = 10.0
"""How long a server may take over an immediate shutdown before it is killed."""

POLL_SECONDS: Final = 0.01


def end(processes: list[psutil.Process], signal_number: int) -> None:
    """Sends one signal to each process; one that has already gone is as wanted."""
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(signal_number)


def has_ended(process: psutil.Process) -> bool:
    """Says whether the process runs no more; one that nobody has collected yet (a zombie) has ended too."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def await_end(processes: list[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Waits until all have ended or the seconds are over, and returns those still alive.

    Not `psutil.wait_procs`: of a server that was killed, the children belong to the system's first process, and that
    one may take seconds to collect them.
    """
    deadline = time.monotonic() + seconds
    while (alive := [process for process in processes if not has_ended(process)]) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    return alive


def working_in(folder: Path) -> list[psutil.Process]:
    """Returns the running database programs whose command line names something in the folder.

    The command line and not the server's pid file, because a server that is just starting has not written one yet.
    """
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            if process.name() in PROGRAMS and any(str(folder) in word for word in process.cmdline()):
                found.append(process)
    return found


def with_children(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Returns the processes and everything they started that still runs."""
    family = list(processes)
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            family += process.children(recursive=True)
    return family


def sweep(folder: Path) -> None:
    """Ends the database programs of the folder, then removes it.

    An immediate shutdown comes first: only a server that ends itself gives its shared memory back to the kernel.
    """
    servers = working_in(folder)
    family = with_children(servers)
    end(servers, signal.SIGQUIT)
    alive = await_end(family, QUIT_SECONDS)
    end(alive, signal.SIGKILL)
    await_end(alive, QUIT_SECONDS)
    shutil.rmtree(folder)


def main() -> None:
    """Waits until the other end of standard input is closed, then sweeps."""
    folder = Path(sys.argv[1])
    sys.stdin.buffer.read()  # nothing is ever written; what counts is that it ends
    sweep(folder)


if __name__ == "__main__":
    main()
