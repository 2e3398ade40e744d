"""A disk that is full or fails: nothing is acknowledged that is not on it, reads and streams go on, and no restart is needed."""

from __future__ import annotations

import itertools
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import grpc
import pytest

import lotkeeper
from lotkeeper.errors import DiskFull, LotkeeperError, StorageUnavailable
from tests.simulation.checker import check
from tests.simulation.floor import POLL_SECONDS, STALLED_SECONDS, Floor
from tests.simulation.follower import Follower
from tests.simulation.history import CREATE, Command, read_logs
from tests.simulation.orders import START
from tests.simulation.rounds import SERVING, health, rebuilt_differently
from tests.simulation.script import Caller
from tests.simulation.strace import Attached, failing
from tests.support.plain_sql import PlainSql
from tests.support.sidecar import Sidecar

WRITES = "pwrite64,pwritev,write,writev,ftruncate,fallocate"
FLUSHES = "fdatasync,fsync"
SMALL = 12 << 20
"""Bytes of the small disk: room for the ledger and its write-ahead log."""


class Scene:
    """A sidecar on a database of its own, one caller who retries nothing by itself, and what the caller logged."""

    def __init__(self, folder: Path, sidecar: Sidecar, channel: grpc.Channel) -> None:
        self.database = folder / "lotkeeper.db"
        self.sidecar = sidecar
        self._channel = channel
        self._log = folder / "caller.jsonl"
        self.caller = Caller(self._log)
        self._numbers = itertools.count(1)

    def next(self) -> Command:
        """An entry that nobody sent before."""
        number = next(self._numbers)
        return Command(CREATE, "alpha", "BTC-USD", "LONG", "1.5", "100.25", "0.1", START + number, f"f{number}", "")

    def send(self, command: Command) -> LotkeeperError | None:
        """What a command met that has to be sent again."""
        try:
            self.caller.send(self._channel, command)
        except (StorageUnavailable, DiskFull) as error:
            return error
        return None

    def records(self) -> int:
        """How many records plain SQL finds."""
        with PlainSql(str(self.database)) as sql:
            return sql.records()

    def summary(self) -> lotkeeper.Summary:
        """What a reader is answered."""
        with lotkeeper.connect(self.sidecar.address, portfolio="alpha") as ledger:
            return ledger.get_summary(include_entries=True)

    def check(self) -> None:
        """Hold the ledger against the log."""
        print(check(self.sidecar.address, str(self.database), read_logs([self._log])).words)
        assert rebuilt_differently(str(self.database)) == []


@pytest.fixture
def scene(folder: Path, faults: None) -> Iterator[Scene]:  # noqa: ARG001 - there are none without
    """A running sidecar with one entry."""
    with Sidecar(str(folder / "lotkeeper.db")) as sidecar, grpc.insecure_channel(sidecar.address) as channel:
        scene = Scene(folder, sidecar, channel)
        try:
            assert scene.send(scene.next()) is None
            yield scene
        finally:
            scene.caller.close()


def test_a_full_disk_is_said_to_the_writer_only(scene: Scene) -> None:
    """While no write finds room, writes answer DISK_FULL, reads and streams go on; with room, writes do, too."""
    command, address = scene.next(), scene.sidecar.address
    with Follower(address) as follower, lotkeeper.connect(address, portfolio="alpha") as ledger:
        with Attached(scene.sidecar.pid, scene.database, failing(WRITES, "ENOSPC")):
            for _ in range(3):
                assert isinstance(scene.send(command), DiskFull)
            assert scene.records() == scene.summary().sequence == 1
            assert len(list(ledger.list_entries())) == 1
            ledger.set_marks(marks={"BTC-USD": "101"})
            follower.await_event()
            assert health(address) == SERVING
        assert scene.send(command) is None
        follower.await_sequence(2)
        assert follower.disconnections == 0
    scene.check()


@pytest.mark.parametrize(
    ("calls", "error", "answer"),
    [(WRITES, "ENOSPC", DiskFull), (WRITES, "EIO", StorageUnavailable), (FLUSHES, "EIO", StorageUnavailable)],
)
def test_a_commit_may_fail_at_any_call(scene: Scene, calls: str, error: str, answer: type[LotkeeperError]) -> None:
    """Each write, or flush, of a commit fails once: the answer says so, and the same command sent again counts once."""
    failed = 0
    for number in itertools.count(1):
        command = scene.next()
        with Attached(scene.sidecar.pid, scene.database, failing(calls, error, when=str(number))):
            met = scene.send(command)
        if met is None:
            break
        failed += 1
        assert isinstance(met, answer), met
        assert scene.send(command) is None
    print(f"{failed} calls failed with {error}")
    assert failed >= (1 if calls == FLUSHES else 10)
    scene.check()


def test_nothing_is_acknowledged_while_no_flush_succeeds(scene: Scene) -> None:
    """Law 10: a server that would answer before the flush, or without one, would acknowledge here."""
    commands = [scene.next() for _ in range(3)]
    with Attached(scene.sidecar.pid, scene.database, failing(FLUSHES, "EIO")):
        for command in [*commands, *commands]:
            assert isinstance(scene.send(command), StorageUnavailable)
        assert scene.summary().sequence == 1
    for command in commands:
        assert scene.send(command) is None
    scene.check()


def test_a_death_after_a_failed_flush_leaves_it_to_the_retry(scene: Scene) -> None:
    """Whether or not the commit of a failed flush is found after a crash, the same command sent again counts once."""
    command = scene.next()
    with Attached(scene.sidecar.pid, scene.database, failing(FLUSHES, "EIO")):
        assert isinstance(scene.send(command), StorageUnavailable)
    scene.sidecar.kill()
    scene.sidecar.restart()
    assert scene.send(command) is None
    scene.check()


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A file system in memory that is soon full."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SMALL}", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def fill(disk: Path) -> Path:
    """A file that takes all the room that is left."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return ballast


def await_refusals(floor: Floor, before: int) -> None:
    """Until a trader more was told that the disk is full, and until none is told anything else for a moment."""
    deadline = time.monotonic() + STALLED_SECONDS
    while sum(tried.outcome is None and tried.ended is not None for tried in floor.tries()) <= before + 20:
        assert time.monotonic() < deadline, "nobody was told that the disk is full"
        time.sleep(POLL_SECONDS * 25)


@pytest.mark.crash
@pytest.mark.usefixtures("root")
def test_a_small_disk_that_fills_up_under_load_loses_nothing(folder: Path, random: Random) -> None:
    """Three times the disk is full and then has room again: the traders go on, and nobody had to restart anything."""
    with small_disk(folder / "disk") as disk:
        database = str(disk / "lotkeeper.db")
        with Sidecar(database) as sidecar, Follower(sidecar.address) as follower:
            with Floor(folder, [sidecar.address], str(random.random())) as floor:
                for _ in range(3):
                    floor.await_progress(30_000)
                    unknown = sum(tried.outcome is None for tried in floor.tries())
                    ballast = fill(disk)
                    await_refusals(floor, unknown)
                    with lotkeeper.connect(sidecar.address, portfolio="alpha") as ledger:
                        assert list(ledger.list_entries())
                        assert ledger.get_summary().positions
                    follower.await_event()
                    ballast.unlink()
                tries = floor.close()
            checked = check(sidecar.address, database, tries)
            assert follower.disconnections == 0
            print(checked.words, follower.check(checked))
            assert rebuilt_differently(database) == []
