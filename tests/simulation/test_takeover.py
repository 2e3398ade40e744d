"""One ledger, one writer: a second server on a PostgreSQL database fences the first, one on a SQLite file is turned away."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import grpc
import pytest

import lotkeeper
from lotkeeper.errors import Fenced, LotkeeperError, TryAgain
from tests.simulation.checker import check
from tests.simulation.floor import POLL_SECONDS, STALLED_SECONDS, Floor
from tests.simulation.history import CREATE, Command
from tests.simulation.orders import START
from tests.simulation.rounds import SERVING, health, rebuilt_differently
from tests.simulation.script import sent_once
from tests.support.fixed_port import free_port
from tests.support.plain_sql import PlainSql
from tests.support.sidecar import DidNotStart, Sidecar

HOST = "127.0.0.1"
STRAY = Command(CREATE, "alpha", "STRAY", "LONG", "1", "1", "", START, "stray", "")
"""An entry that nobody has sent to the ledger that is to keep it."""


def addresses(count: int) -> list[str]:
    """Where servers will listen, one after the other or side by side."""
    return [f"{HOST}:{port}" for port in {free_port(HOST) for _ in range(count * 3)}][:count]


def refused_by(address: str, command: Command) -> LotkeeperError:
    """Why a server does not take a command that is sent to it once."""
    with grpc.insecure_channel(address) as channel, pytest.raises(LotkeeperError) as refusal:
        sent_once(channel, command)
    return refusal.value


def await_that(true: Callable[[], bool], what: str) -> None:
    """Until something that must become true is true. Raises AssertionError when it does not."""
    deadline = time.monotonic() + STALLED_SECONDS
    while not true():
        assert time.monotonic() < deadline, f"{what}: not within {STALLED_SECONDS:g} s"
        time.sleep(POLL_SECONDS)


def test_a_second_server_under_load_fences_the_first(postgres_url: str, folder: Path, random: Random) -> None:
    """The first says FENCED from then on, and by health; the traders go on at the second, nothing is lost or doubled."""
    first, second = addresses(2)
    with Sidecar(postgres_url, listen=first) as fenced:
        with Floor(folder, [first, second], str(random.random())) as floor:
            floor.await_progress(30_000)
            with Sidecar(postgres_url, listen=second) as owner:
                for _ in range(3):
                    assert isinstance(refused_by(fenced.address, STRAY), Fenced)
                await_that(lambda: health(fenced.address) == "NOT_SERVING", "health tells of the fence")
                assert health(owner.address) == SERVING
                floor.await_progress(30_000)
                checked = check(owner.address, postgres_url, floor.close())
        assert rebuilt_differently(postgres_url) == []
        print(checked.words)


def test_a_server_that_slept_through_a_takeover_writes_nothing(postgres_url: str, folder: Path, random: Random) -> None:
    """SIGSTOP under load, another server takes over, SIGCONT: what the sleeper had in hand is not written."""
    places = addresses(2)
    sleeper = Sidecar(postgres_url, listen=places[0])
    with sleeper, Floor(folder, places, str(random.random())) as floor:
        floor.await_progress(random.randrange(5_000, 30_000))
        sleeper.signal(signal.SIGSTOP)
        with Sidecar(postgres_url, listen=places[1]) as owner:
            floor.await_progress(random.randrange(10_000, 30_000))
            sleeper.signal(signal.SIGCONT)
            assert isinstance(refused_by(sleeper.address, STRAY), Fenced)
            floor.await_progress(10_000)
            print(check(owner.address, postgres_url, floor.close()).words)
            assert rebuilt_differently(postgres_url) == []


def test_a_server_that_sleeps_in_the_middle_of_a_transaction_can_be_replaced(postgres_url: str) -> None:
    """What it wrote but did not commit holds the ledger's row; the database lets go of it, and the batch is gone."""
    with Sidecar(postgres_url) as sleeper, PlainSql(postgres_url) as sql:
        with lotkeeper.connect(sleeper.address) as ledger:
            ledger.create_entry(symbol="BTC-USD", quantity=1, entry_price=1, entry_fill_id="f1")
        met: list[LotkeeperError] = []
        with sql.locked():  # so that the batch is on its way, and waits
            caller = threading.Thread(target=lambda: met.append(refused_by(sleeper.address, STRAY)))
            caller.start()
            await_that(lambda: waiting(sql) == 1, "the batch waits for the row")
            sleeper.signal(signal.SIGSTOP)
        await_that(lambda: idle_in_transaction(sql) == 1, "the sleeper's transaction stands still")
        with Sidecar(postgres_url) as owner:
            sleeper.signal(signal.SIGCONT)
            caller.join()
            assert isinstance(met[0], TryAgain)
            assert isinstance(refused_by(sleeper.address, STRAY), Fenced)
            with lotkeeper.connect(owner.address) as ledger:
                assert [entry.entry_fill_id for entry in ledger.list_entries()] == ["f1"]


def waiting(sql: PlainSql) -> int:
    """How many connections to the database wait for a lock."""
    return len(
        sql.rows("SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
    )


def idle_in_transaction(sql: PlainSql) -> int:
    """How many connections have a transaction under way in which nothing happens."""
    return len(
        sql.rows(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'"
        )
    )


@pytest.mark.parametrize("way", ["the same path", "another way to write it", "a symbolic link"])
def test_a_second_server_on_a_sqlite_file_is_turned_away(folder: Path, way: str) -> None:
    """One file, one server: the second says which process has it and ends with 1; the first does not notice."""
    database = folder / "lotkeeper.db"
    (folder / "link").symlink_to(folder, target_is_directory=True)
    (folder / "alias.db").symlink_to(database)
    paths = {"the same path": database, "another way to write it": folder / "link" / "lotkeeper.db"}
    with Sidecar(str(database)) as first:
        with pytest.raises(DidNotStart) as refused, Sidecar(str(paths.get(way, folder / "alias.db"))):
            pytest.fail("two servers have one file open")
        assert refused.value.code == 1
        assert f"lotkeeper.db: another server has it open (process {first.pid})" in refused.value.stderr
        assert "Traceback" not in refused.value.stderr
        assert health(first.address) == SERVING
        with lotkeeper.connect(first.address) as ledger:
            assert ledger.create_entry(symbol="BTC-USD", quantity=1, entry_price=1, entry_fill_id="f1").sequence == 1


def test_a_lock_that_a_dead_server_left_behind_keeps_nobody_away(folder: Path) -> None:
    """The system drops it with the process, whatever its file says."""
    database = str(folder / "lotkeeper.db")
    with Sidecar(database) as first:
        first.kill()
    assert (folder / "lotkeeper.db.lock").read_text() == str(first.pid) != str(os.getpid())
    with Sidecar(database) as second:
        assert health(second.address) == SERVING
