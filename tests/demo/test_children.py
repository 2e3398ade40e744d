"""No process of the demo outlives it, and a failure says what happened."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from lotkeeperd.demo.children import TAIL_LINES, Children

PATIENCE = 20.0
"""Seconds a process may take to do what it surely does."""

SERVER = ("http.server", "0", "--bind", "127.0.0.1")
"""A program that runs until it is told to end."""


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose modules the children can run."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *filter(None, sys.path)]))
    return tmp_path


def written(path: Path, text: str) -> None:
    """Wait until a child wrote ``text``; its process must live to do so."""
    deadline = time.monotonic() + PATIENCE
    while text not in path.read_text():
        assert time.monotonic() < deadline, path.read_text()
        time.sleep(0.02)


def test_leaving_the_block_ends_every_child_in_order(tmp_path: Path) -> None:
    """A child that can end is asked to, not killed."""
    with Children(tmp_path, os.getpid()) as children:
        child = children.start("server", *SERVER)
        assert not child.ended()
        assert children.failed() is None

    assert child.process.returncode == -signal.SIGTERM


def test_a_child_does_not_hear_the_terminal(tmp_path: Path) -> None:
    """Ctrl-C goes to the demo's process group, and the children are not of it."""
    with Children(tmp_path, os.getpid()) as children:
        child = children.start("server", *SERVER)

        assert os.getpgid(child.process.pid) not in (os.getpgid(0), 0)


def test_a_child_that_does_not_want_to_end_is_killed(modules: Path) -> None:
    """After the grace period nothing is asked any more."""
    (modules / "stubborn.py").write_text(
        "import signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('deaf', flush=True)\n"
        "time.sleep(600)\n"
    )
    with Children(modules, os.getpid(), grace=0.2) as children:
        child = children.start("stubborn", "stubborn")
        written(child.output, "deaf")

    assert child.process.returncode == -signal.SIGKILL


def test_a_killed_child_is_gone_and_is_no_failure(tmp_path: Path) -> None:
    """The crash of the demo is meant; the process is reaped before the next one starts."""
    with Children(tmp_path, os.getpid()) as children:
        child = children.start("server", *SERVER)
        children.kill(child)

        assert child.process.returncode == -signal.SIGKILL
        assert not psutil.pid_exists(child.process.pid)
        assert children.failed() is None


def test_a_failed_child_shows_how_it_ended_and_what_it_said_last(modules: Path) -> None:
    """The end of its output is shown, and where the rest stands."""
    (modules / "loser.py").write_text("for number in range(100): print('line', number)\nraise SystemExit(3)\n")
    with Children(modules, os.getpid()) as children:
        child = children.start("loser", "loser")
        child.process.wait(PATIENCE)

        assert children.failed() is child
        assert child.failure().splitlines() == [
            f"loser ended with exit code 3; the end of {modules / 'loser.log'}:",
            *(f"  line {number}" for number in range(100 - TAIL_LINES, 100)),
        ]


def test_a_child_killed_from_outside_is_a_failure_that_names_the_signal(tmp_path: Path) -> None:
    """Somebody else's kill is told as such."""
    with Children(tmp_path, os.getpid()) as children:
        child = children.start("server", *SERVER)
        child.process.send_signal(signal.SIGKILL)
        child.process.wait(PATIENCE)

        assert "server was killed by SIGKILL" in child.failure()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child whose parent was killed")
def test_a_child_dies_with_a_parent_that_was_killed(tmp_path: Path) -> None:
    """A demo that dies without a chance to clean up leaves no process behind either."""
    program = (
        "import os, sys, time\n"
        "from pathlib import Path\n"
        "from lotkeeperd.demo.children import Children\n"
        f"child = Children(Path(sys.argv[1]), os.getpid()).start('server', *{SERVER!r})\n"
        "print(child.process.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        written(tmp_path / "server.log", "Serving")
        parent.kill()

    assert psutil.wait_procs([child], timeout=PATIENCE) == ([child], [])
