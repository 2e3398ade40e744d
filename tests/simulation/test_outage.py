"""A database server that dies under a running sidecar: STORAGE_UNAVAILABLE meanwhile, and by itself all is well afterwards."""

from __future__ import annotations

from pathlib import Path
from random import Random

import grpc
import pytest

import lotkeeper
from lotkeeper.errors import StorageUnavailable
from tests.simulation.checker import check
from tests.simulation.floor import Floor
from tests.simulation.follower import Follower
from tests.simulation.orders import contradicted, shared
from tests.simulation.rounds import LOAD, SERVING, glance, health, rebuilt_differently
from tests.simulation.script import sent_once
from tests.support.postgres import StopMode, running_server
from tests.support.sidecar import Sidecar

ROUNDS, MANY_ROUNDS = 3, 15


def kill_the_database(folder: Path, rounds: int, random: Random) -> None:
    """Kill every process of PostgreSQL under load and start it again; the sidecar runs through it all."""
    with running_server() as postgres:
        database = postgres.create_database()
        with Sidecar(database) as sidecar, Follower(sidecar.address) as follower:
            with Floor(folder, [sidecar.address], str(random.random())) as floor:
                for number in range(rounds):
                    floor.await_progress(random.choice(LOAD))
                    postgres.kill()
                    look_while_it_is_down(sidecar, follower)
                    postgres.start()
                    floor.await_progress(5_000)
                    problem = glance(sidecar, floor.newest_acknowledged())
                    assert not problem, f"round {number}: {problem}"
                tries = floor.close()
            checked = check(sidecar.address, database, tries)
            assert follower.disconnections == 0
            print(f"{rounds} kills of the database; {checked.words}; {follower.check(checked)}")
            assert rebuilt_differently(database) == []


def look_while_it_is_down(sidecar: Sidecar, follower: Follower) -> None:
    """Writes and reads of history say what is missing; positions and streams are there."""
    with grpc.insecure_channel(sidecar.address) as channel, pytest.raises(StorageUnavailable):
        sent_once(channel, contradicted(shared("nobody", 1))._replace(fill_id="", request_id="while it is down"))
    with lotkeeper.connect(sidecar.address, portfolio="alpha", timeout=1.0) as ledger:
        with pytest.raises(StorageUnavailable):
            list(ledger.list_entries())
        assert ledger.get_summary(include_flat=True).positions
    follower.await_event()
    assert health(sidecar.address) == SERVING


def test_nothing_is_lost_or_doubled_when_the_database_server_is_killed(folder: Path, random: Random) -> None:
    """SIGKILL to every process of PostgreSQL, again and again, under one sidecar that is never restarted."""
    kill_the_database(folder, ROUNDS, random)


@pytest.mark.crash
@pytest.mark.timeout(300)
def test_nothing_is_lost_or_doubled_in_15_kills_of_the_database_server(folder: Path, random: Random) -> None:
    """The same, longer."""
    kill_the_database(folder, MANY_ROUNDS, random)


def test_a_sidecar_whose_database_is_stopped_and_started_goes_on() -> None:
    """Each way to stop PostgreSQL ends the sidecar's connections; the next command finds the server again."""
    modes: tuple[StopMode, ...] = ("fast", "immediate")
    with (
        running_server() as postgres,
        Sidecar(postgres.create_database()) as sidecar,
        lotkeeper.connect(sidecar.address, timeout=20.0) as ledger,
    ):
        for number, mode in enumerate(modes):
            ledger.create_entry(symbol="BTC-USD", quantity=1, entry_price=1, entry_fill_id=f"before {number}")
            postgres.stop(mode)
            postgres.start()
            ledger.create_entry(symbol="BTC-USD", quantity=1, entry_price=1, entry_fill_id=f"after {number}")
        assert len(list(ledger.list_entries())) == 4
