"""Every point at which a server can die: each write and each flush of each phase of its life.

    start        a database is made: schema, ledger, first epoch
    trade        the scripted session
    stop         SIGTERM: the write-ahead log is carried over into the database (a checkpoint) and taken away
    start again  over the write-ahead log of a server that was killed

A point is a phase, a kind of call and its number. The server dies there; another one starts over what is left, the caller sends
what was not answered and the rest, and then everything is held against the caller's log.
"""

from __future__ import annotations

import itertools
import shutil
import signal
import threading
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import grpc

from lotkeeper.errors import TryAgain
from lotkeeperd.storage.engines import CHECKPOINT_PAGES
from tests.simulation.checker import check
from tests.simulation.history import read_logs
from tests.simulation.rounds import rebuilt_differently
from tests.simulation.script import FIRST, RECORDED, SCRIPT, Caller
from tests.simulation.strace import NOWHERE, Attached, counted, from_start, killing
from tests.support.sidecar import DidNotStart, Sidecar

PHASES = ("start", "trade", "stop", "start again")

FRAME = 4096 + 24
"""Bytes of one page in the write-ahead log."""

ROOM = 16
"""Pages left until the log is carried over: a start and a few commands."""

AT_ONCE = 2
"""Sessions side by side: one waits while the other computes."""


class Point(NamedTuple):
    """The ``number``-th ``call`` of a phase."""

    phase: str
    call: str
    number: int


class Session:
    """Lives of servers over one database in a folder of its own; the one in ``phase`` runs under strace.

    ``before`` is a folder with what a killed server left behind and what its caller logged.
    """

    def __init__(self, folder: Path, phase: str, *rules: str, log: Path = NOWHERE, before: Path | None = None) -> None:
        folder.mkdir()
        for file in before.iterdir() if before else ():
            shutil.copy(file, folder)
        self._logs = folder
        self._database = folder.resolve() / "lotkeeper.db"
        self._calls = folder / "caller.jsonl"
        self._phase = phase
        self._rules = rules
        self._log = log

    def run(self) -> bool:
        """Live, maybe die, live again and be checked; whether it died. Raises AssertionError on any loss or double."""
        caller = Caller(self._calls)
        phases = {"start": self._start, "trade": self._trade, "stop": self._stop, "start again": self._start_again}
        try:
            died = phases[self._phase](caller)
            with Sidecar(str(self._database)) as sidecar:
                self._settle(caller, sidecar)
        finally:
            caller.close()
        return died

    def _start(self, _caller: Caller) -> bool:
        prefix = from_start(self._database, *self._rules, log=self._log)
        try:
            with Sidecar(str(self._database), prefix=prefix) as sidecar:
                sidecar.kill()
        except DidNotStart as error:
            if error.code != -signal.SIGKILL:
                raise AssertionError(f"it was not killed, it ended with {error}") from error
            return True
        return False

    def _trade(self, caller: Caller) -> bool:
        with (
            Sidecar(str(self._database)) as sidecar,
            Attached(sidecar.pid, self._database, *self._rules, log=self._log),
        ):
            try:
                caller.play(sidecar.address, SCRIPT)
            except TryAgain:
                assert sidecar.wait() == -signal.SIGKILL
                return True
            sidecar.kill()
            return False

    def _stop(self, caller: Caller) -> bool:
        with Sidecar(str(self._database)) as sidecar:
            caller.play(sidecar.address, SCRIPT)
            with Attached(sidecar.pid, self._database, *self._rules, log=self._log):
                code = sidecar.stop()
            assert code in (0, -signal.SIGKILL), f"it ended with {code}: {sidecar.stderr}"
        return code != 0

    def _start_again(self, caller: Caller) -> bool:
        with Sidecar(str(self._database)) as sidecar:
            caller.play(sidecar.address, FIRST)
            sidecar.kill()
        return self._start(caller)

    def _settle(self, caller: Caller, sidecar: Sidecar) -> None:
        caller.play(sidecar.address, SCRIPT)
        checked = check(sidecar.address, sidecar.database, read_logs(sorted(self._logs.glob("*.jsonl"))))
        recorded = [record.command.fill_id or record.command.request_id for record in checked.records]
        assert recorded[-len(RECORDED) :] == list(RECORDED)
        assert rebuilt_differently(sidecar.database) == []


def before_a_checkpoint(folder: Path) -> Path:
    """What is left of a server that was killed when its write-ahead log was nearly so long that it is carried over."""
    folder.mkdir()
    database = folder.resolve() / "lotkeeper.db"
    caller = Caller(folder / "before.jsonl")
    with Sidecar(str(database)) as sidecar, grpc.insecure_channel(sidecar.address) as channel:
        for number in itertools.count(1):
            if database.with_name("lotkeeper.db-wal").stat().st_size >= (CHECKPOINT_PAGES - ROOM) * FRAME:
                break
            caller.send(channel, FIRST[0]._replace(symbol="SOL-USD", fill_id=f"before{number}", request_id=""))
        sidecar.kill()
    caller.close()
    return folder


def calls_of(folder: Path, phase: str, before: Path | None = None) -> Counter[str]:
    """How many calls of each kind a phase makes when nobody dies."""
    log = folder / f"{phase}.strace"
    assert not Session(folder / phase, phase, log=log, before=before).run()
    return counted(log)


def all_points(folder: Path) -> list[Point]:
    """Every point there is, from one look at each phase."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        looks = dict(zip(PHASES, pool.map(lambda phase: calls_of(folder, phase), PHASES), strict=True))
    return [
        Point(phase, call, number)
        for phase, calls in looks.items()
        for call, count in sorted(calls.items())
        for number in range(1, count + 1)
    ]


def die_at(folder: Path, point: Point, before: Path | None = None) -> bool:
    """Die at one point and be checked; whether it was reached. Raises AssertionError, naming the point."""
    place = folder / "-".join(map(str, point))
    try:
        return Session(place, point.phase, killing(point.call, point.number), before=before).run()
    except AssertionError as error:
        raise AssertionError(f"{point}: {error}") from error
    finally:
        shutil.rmtree(place)


def die_at_each(folder: Path, points: Iterable[Point], before: Path | None = None) -> list[Point]:
    """Die at each of ``points``; those that were not reached."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        reached = list(pool.map(lambda point: (point, die_at(folder, point, before)), points))
    return [point for point, died in reached if not died]


def die_everywhere(folder: Path, phase: str, call: str) -> int:
    """Die at the first, the second, the third ``call`` of a phase, until one is not reached; how many there were."""
    numbers, ended = itertools.count(1), threading.Event()

    def work() -> int:
        deaths = 0
        try:
            while not ended.is_set():
                if not die_at(folder, Point(phase, call, next(numbers))):
                    break
                deaths += 1
        finally:
            ended.set()
        return deaths

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return sum(future.result() for future in [pool.submit(work) for _ in range(AT_ONCE)])
