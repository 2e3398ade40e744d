"""The demo from end to end: real processes, a real crash, and an exit code that means something."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path

import psutil
import pytest

from lotkeeperd.demo.bots import ROUNDS
from lotkeeperd.demo.children import Children
from lotkeeperd.demo.run import main

MARKET = Path(__file__).resolve().parents[3] / "shared" / "data" / "market"
SECONDS = "5"
PATIENCE = 60.0
"""Seconds a process may take to do what it surely does."""


def demo(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a user would, in ``folder``."""
    command = [sys.executable, "-m", "lotkeeperd", "demo", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=100, check=False)


def only_run(folder: Path) -> Path:
    """The folder of the only demo that ran in ``folder``."""
    (run,) = (folder / "var").iterdir()
    return run


def still_there(folder: Path) -> list[psutil.Process]:
    """Processes that work in ``folder``."""
    return [process for process in psutil.process_iter(["cwd"]) if process.info["cwd"] == str(folder)]


def logs_of(run: Path) -> list[str]:
    """The bots' logs, in the order of the bots."""
    return [str(run / f"{name}.jsonl") for name in ROUNDS]


@pytest.fixture
def running(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A demo that is on its way: its sidecar serves and its bots trade."""
    command = [sys.executable, "-m", "lotkeeperd", "demo", "--seconds", "60"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        until(lambda: len(list(tmp_path.glob("var/*/*.jsonl"))) == len(ROUNDS))
        yield process
    finally:
        process.kill()
        process.wait()


def until(true: Callable[[], bool]) -> None:
    """Wait until ``true()``."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_nothing_is_lost_or_counted_twice_through_a_crash(tmp_path: Path) -> None:
    """The sidecar is killed half way, the bots go on, every figure is right, no process is left."""
    outcome = demo(tmp_path, "--seconds", SECONDS)

    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    assert "was killed with SIGKILL" in outcome.stdout
    assert "the bots go on" in outcome.stdout
    counted = re.search(r"Nothing was lost or counted twice: (\d+) fills, delivered (\d+) times", outcome.stdout)
    assert counted
    assert int(counted[2]) > int(counted[1]) > 100
    assert still_there(tmp_path) == []
    assert {path.name for path in only_run(tmp_path).glob("*.jsonl")} == {f"{name}.jsonl" for name in ROUNDS}


def test_the_demo_runs_on_real_prices(tmp_path: Path) -> None:
    """The same holds along the real prices of a contract; with other files it is run as users run it, by `make demo`."""
    name = "btc-perp-1m.csv"
    if not (MARKET / name).exists():
        pytest.skip(f"{name} is not beside the repository in shared/data/market")
    outcome = demo(tmp_path, "--seconds", SECONDS, "--prices", str(MARKET / name))

    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    assert "Nothing was lost or counted twice" in outcome.stdout
    assert name.removesuffix(".csv").upper() in outcome.stdout


def test_a_log_that_was_tampered_with_makes_the_check_fail(tmp_path: Path) -> None:
    """The same check over the same database says 1 when a fill is missing from a log, or stands in it otherwise."""
    outcome = demo(tmp_path, "--seconds", SECONDS)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    run = only_run(tmp_path)

    with Children(tmp_path, os.getpid()) as children:
        database = str(run / "lotkeeper.db")
        server = children.start("server", "lotkeeperd", "serve", "--listen", "127.0.0.1:0", "--database", database)
        until(lambda: "lotkeeper ready" in server.output.read_text())
        ready = re.search(r"listening on (\S+),", server.output.read_text())
        assert ready

        assert checked(ready[1], run)[0] == 0
        for fill_id, right, wrong in (
            ("scale-00007", r".*\n", ""),
            ("scale-00007", '"price": "', '"price": "1'),
            ("scale-00004", '"replayed": true', '"replayed": false'),
        ):
            log = run / "scale.jsonl"
            whole = log.read_text()
            lines = whole.splitlines(keepends=True)
            log.write_text("".join(re.sub(right, wrong, line) if fill_id in line else line for line in lines))
            code, said = checked(ready[1], run)
            log.write_text(whole)
            assert code == 1
            assert "DIFFER" in said
            assert fill_id in said


def checked(address: str, run: Path) -> tuple[int, str]:
    """Exit code and output of the check by itself."""
    command = [sys.executable, "-m", "lotkeeperd.demo.check", "--address", address, *logs_of(run)]
    outcome = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    return outcome.returncode, outcome.stdout + outcome.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_demo_leaves_no_process_behind(running: subprocess.Popen[str], number: signal.Signals) -> None:
    """Ctrl-C, a kill or a closed terminal ends sidecar and bots, and the exit code says that it was interrupted."""
    children = psutil.Process(running.pid).children(recursive=True)
    assert len(children) == 1 + len(ROUNDS)

    running.send_signal(number)
    said, _ = running.communicate(timeout=PATIENCE)

    assert running.returncode == 130, said
    assert "no process is left behind" in said
    assert psutil.wait_procs(children, timeout=PATIENCE)[1] == []


def test_a_bot_that_dies_fails_the_demo_and_shows_its_last_words(running: subprocess.Popen[str]) -> None:
    """Any child's failure is shown, ends the others and gives exit code 1."""
    children = psutil.Process(running.pid).children(recursive=True)
    (bot,) = (child for child in children if "swing" in child.cmdline())

    bot.kill()
    said, _ = running.communicate(timeout=PATIENCE)

    assert running.returncode == 1, said
    assert "The demo failed: swing was killed by SIGKILL" in said
    assert psutil.wait_procs(children, timeout=PATIENCE)[1] == []


@pytest.mark.parametrize(
    ("seconds", "prices", "said"),
    [
        (3, None, "--seconds 3 is not between 4 and 3600"),
        (3601, None, "--seconds 3601 is not between 4 and 3600"),
        (5, "missing.csv", "missing.csv: cannot be read"),
    ],
)
def test_bad_arguments_are_refused_before_anything_starts(
    tmp_path: Path, seconds: int, prices: str | None, said: str
) -> None:
    """The refusal says what is wrong, gives exit code 1, and leaves no folder behind."""
    out = StringIO()

    code = main(seconds, tmp_path / prices if prices else None, folder=tmp_path / "var", out=out)

    assert code == 1
    assert said in out.getvalue()
    assert list(tmp_path.iterdir()) == []
