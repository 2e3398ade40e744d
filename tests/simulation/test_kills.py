"""A server that is killed at any moment loses nothing that it acknowledged and counts nothing twice."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from tests.simulation.checker import check
from tests.simulation.floor import Floor
from tests.simulation.follower import Follower
from tests.simulation.points import (
    PHASES,
    Point,
    all_points,
    before_a_checkpoint,
    calls_of,
    die_at_each,
    die_everywhere,
)
from tests.simulation.rounds import LOAD, rebuilt_differently, survive
from tests.support.fixed_port import free_port
from tests.support.postgres import PostgresServer
from tests.support.sidecar import Sidecar

ROUNDS, MANY_ROUNDS, POSTGRESQL_ROUNDS = 20, 200, 4
DRAINS = 3
POINTS = 10
FEWEST_POINTS = 50
CHECKPOINT_POINTS = 20
HOST = "127.0.0.1"


def kill_under_load(database: str, folder: Path, rounds: int, random: Random) -> None:
    """Kill the server of one growing ledger again and again while traders trade, then check everything."""
    with Sidecar(database, listen=f"{HOST}:{free_port(HOST)}") as sidecar, Follower(sidecar.address) as follower:
        with Floor(folder, [sidecar.address], str(random.random())) as floor:
            survive(sidecar, floor, rounds, random)
            tries = floor.close()
        checked = check(sidecar.address, database, tries)
        seen = follower.check(checked)
        assert rebuilt_differently(database) == []
    print(f"{rounds} kills; {checked.words}; {seen}")


def test_nothing_is_lost_or_doubled_when_the_server_is_killed_under_load(folder: Path, random: Random) -> None:
    """20 times SIGKILL at a random moment; the traders go on by themselves at the same address."""
    kill_under_load(str(folder / "lotkeeper.db"), folder, ROUNDS, random)


def test_nothing_is_lost_or_doubled_when_the_sidecar_of_a_postgresql_database_is_killed(
    postgres: PostgresServer, folder: Path, random: Random
) -> None:
    """What the dead server's connection was committing is settled by the next one."""
    database = postgres.create_database()
    kill_under_load(database, folder, POSTGRESQL_ROUNDS, random)
    postgres.drop_database(database)


@pytest.mark.usefixtures("faults")
def test_nothing_is_lost_or_doubled_at_ten_points_of_death(folder: Path, random: Random) -> None:
    """SIGKILL in place of ten writes and flushes, drawn from all that a server's life has."""
    points = all_points(folder)
    drawn = random.sample(points, POINTS)
    print(f"{POINTS} of {len(points)} points: {', '.join(' '.join(map(str, point)) for point in drawn)}")
    assert die_at_each(folder, drawn) == []


def test_nothing_is_lost_or_doubled_when_the_server_is_ended_under_load(folder: Path, random: Random) -> None:
    """SIGTERM: what was taken is written and answered, the process ends with 0, and the traders go on at the next one."""
    database = str(folder / "lotkeeper.db")
    with Sidecar(database, listen=f"{HOST}:{free_port(HOST)}") as sidecar, Follower(sidecar.address) as follower:
        with Floor(folder, [sidecar.address], str(random.random())) as floor:
            for _ in range(DRAINS):
                floor.await_progress(random.choice(LOAD))
                assert sidecar.stop() == 0
                assert "Traceback" not in sidecar.stderr
                sidecar.restart()
            tries = floor.close()
        checked = check(sidecar.address, database, tries)
        print(checked.words, follower.check(checked))


def test_a_server_that_was_killed_verifies_from_the_command_line(folder: Path) -> None:
    """``lotkeeper verify`` reads what a killed server left behind, with no server there, and says that it is right."""
    database = str(folder / "lotkeeper.db")
    with Sidecar(database) as sidecar, Floor(folder, [sidecar.address], "verify", processes=1) as floor:
        floor.await_progress(20_000)
        sidecar.kill()
        command = [sys.executable, "-m", "lotkeeperd", "verify", "--database", database]
        said = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert said.returncode == 0, said.stdout + said.stderr


@pytest.mark.crash
@pytest.mark.timeout(480)
def test_nothing_is_lost_or_doubled_in_200_kills(folder: Path, random: Random) -> None:
    """200 times SIGKILL at a random moment on one growing ledger."""
    kill_under_load(str(folder / "lotkeeper.db"), folder, MANY_ROUNDS, random)


@pytest.mark.crash
@pytest.mark.timeout(540)
@pytest.mark.usefixtures("faults")
def test_nothing_is_lost_or_doubled_at_any_point_of_death(folder: Path) -> None:
    """SIGKILL in place of every write and every flush, one after the other, until there is none left."""
    died: Counter[str] = Counter()
    for phase in PHASES:
        for call in sorted(calls_of(folder, phase)):
            died[phase] += die_everywhere(folder, phase, call)
    print(f"{died.total()} points of death: {dict(died)}")
    assert died.total() >= FEWEST_POINTS
    assert all(died[phase] for phase in PHASES)


@pytest.mark.crash
@pytest.mark.timeout(300)
@pytest.mark.usefixtures("faults")
def test_nothing_is_lost_or_doubled_in_the_middle_of_a_checkpoint(folder: Path, random: Random) -> None:
    """The write-ahead log is carried over while a server serves: SIGKILL at any write or flush of that."""
    before = before_a_checkpoint(folder / "before")
    calls = calls_of(folder, "trade", before)
    points = [Point("trade", call, number) for call, count in calls.items() for number in range(1, count + 1)]
    drawn = random.sample(points, CHECKPOINT_POINTS)
    print(f"{len(drawn)} of {len(points)} points: {', '.join(f'{call} {number}' for _, call, number in drawn)}")
    assert die_at_each(folder, drawn, before) == []
    (folder / "without").mkdir()
    without = calls_of(folder / "without", "trade")
    assert calls["pwrite64"] > without["pwrite64"], "nothing was carried over"
