"""The PostgreSQL server that the other tests stand on is real, keeps what was committed, and leaves nothing behind."""

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psutil
import pytest
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import OperationalError

from tests.support.postgres import PostgresServer, running_server
from tests.support.postgres_programs import PACKAGE, installed_package, usable_programs
from tests.support.session_folder import new_folder, session_folder
from tests.support.sweeper import POLL_SECONDS, has_ended, working_in

DURABLE: Final = ("fsync", "full_page_writes", "synchronous_commit")

LEAVE_SECONDS: Final = 30.0

ABANDONED_SESSION: Final = f"""
import os, signal
from {__package__}.postgres import running_server
from {__package__}.session_folder import session_folder
with running_server():
    print(session_folder(), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    """Opens one transaction and commits it; nothing stays open afterwards."""
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def run(url: str, *statements: str) -> None:
    """Commits the statements in one transaction."""
    with connected(url) as connection:
        for statement in statements:
            connection.execute(text(statement))


def value(url: str, query: str) -> object:
    """Returns the one value the query answers with."""
    with connected(url) as connection:
        return connection.execute(text(query)).scalar_one()


def server_folders() -> set[Path]:
    """Returns the folders of the servers that this session holds."""
    return set(session_folder().glob("postgres-*"))


def makers_of_shared_memory() -> set[int]:
    """Returns the ids of the processes that made the kernel's shared memory segments, from the fifth column."""
    return {int(line.split()[4]) for line in Path("/proc/sysvipc/shm").read_text().splitlines()[1:]}


def fail_after_a_kill(family: list[psutil.Process]) -> None:
    """Adds a server's processes to the family, kills it, sees that they have ended, and fails."""
    with running_server() as server:
        postmaster = psutil.Process(server.pid)
        family += [postmaster, *postmaster.children(recursive=True)]
        server.kill()
        assert all(map(has_ended, family))
        assert postmaster.pid in makers_of_shared_memory()
        raise ZeroDivisionError


def test_a_fresh_database_answers_a_query(database_url: str) -> None:
    """Both databases answer through SQLAlchemy and start without tables."""
    assert value(database_url, "SELECT 6 * 7") == 42
    run(database_url, "CREATE TABLE fill (quantity INTEGER)")


def test_the_server_is_postgresql_and_the_role_is_not_a_superuser(postgres_url: str) -> None:
    """The product is tested with the rights of a plain role."""
    assert str(value(postgres_url, "SELECT version()")).startswith("PostgreSQL ")
    assert value(postgres_url, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False


def test_two_databases_do_not_see_each_other(postgres: PostgresServer) -> None:
    """A table made in one database does not exist in the next."""
    first, second = postgres.create_database(), postgres.create_database()
    run(first, "CREATE TABLE fill (quantity INTEGER)")
    assert value(second, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0
    postgres.drop_database(first)
    postgres.drop_database(second)


def test_a_dropped_database_is_gone_even_while_a_client_is_connected(postgres: PostgresServer) -> None:
    """A test that leaks a connection does not keep its database alive."""
    url = postgres.create_database()
    engine = create_engine(url)
    leaked = engine.connect()
    postgres.drop_database(url)
    with pytest.raises(OperationalError, match="does not exist"), connected(url):
        pytest.fail("connected to a database that was dropped")
    leaked.invalidate()
    engine.dispose()


@pytest.mark.parametrize("setting", DURABLE)
def test_what_makes_commits_durable_is_on(postgres_url: str, setting: str) -> None:
    """The tests run on the settings the product insists on."""
    assert value(postgres_url, f"SHOW {setting}") == "on"


def test_committed_rows_survive_a_kill_and_a_stop() -> None:
    """After SIGKILL and after every way to stop, what was committed is there and what was not is gone."""
    with running_server() as server:
        url = server.create_database()
        run(url, "CREATE TABLE fill (quantity INTEGER)", "INSERT INTO fill VALUES (7)")
        engine = create_engine(url)
        with engine.connect() as open_transaction:
            open_transaction.execute(text("INSERT INTO fill VALUES (8)"))
            server.kill()
            open_transaction.invalidate()
        engine.dispose()
        assert not server.is_running
        with pytest.raises(OperationalError, match="refused"), connected(url):
            pytest.fail("connected to a server that was killed")
        server.start()
        assert value(url, "SELECT sum(quantity) FROM fill") == 7
        for mode in ("smart", "fast", "immediate"):
            server.stop(mode)
            server.start()
            assert value(url, "SELECT sum(quantity) FROM fill") == 7


def test_a_server_without_durability_can_be_had_so_that_the_product_can_refuse_it() -> None:
    """Extra settings reach the server."""
    with running_server(dict.fromkeys(DURABLE, "off")) as server:
        assert [value(server.create_database(), f"SHOW {name}") for name in DURABLE] == ["off"] * 3


def test_nothing_is_left_of_a_server_that_was_killed_last() -> None:
    """A kill ends every process; leaving the context removes files and shared memory, also when the test fails."""
    before, family = server_folders(), list[psutil.Process]()
    with pytest.raises(ZeroDivisionError):
        fail_after_a_kill(family)
    assert len(family) > 2
    assert family[0].pid not in makers_of_shared_memory()
    assert server_folders() == before


def test_nothing_is_left_of_a_session_that_was_killed() -> None:
    """The server and the folder go when the process that started them is killed with SIGKILL."""
    root = Path(__file__).parents[2]
    killed = subprocess.run(
        [sys.executable, "-c", ABANDONED_SESSION], cwd=root, capture_output=True, text=True, check=False
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    folder = Path(killed.stdout.strip())
    deadline = time.monotonic() + LEAVE_SECONDS
    while folder.exists() or working_in(folder):
        assert time.monotonic() < deadline, f"{folder} is still there, or still used by {working_in(folder)}"
        time.sleep(POLL_SECONDS)


def test_a_server_that_does_not_start_says_why_and_leaves_nothing() -> None:
    """A setting the server does not know is refused with the server's own words."""
    before = server_folders()
    with pytest.raises(RuntimeError, match="no_such_setting"), running_server({"no_such_setting": "1"}):
        pytest.fail("started with a setting that does not exist")
    assert server_folders() == before


def test_a_wheel_below_a_closed_folder_works_and_the_folder_stays_closed(tmp_path: Path) -> None:
    """Root, whose server is run by another user, works on a copy; its owner can use a closed folder as it is."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    installed = installed_package()
    for part in (installed, installed.with_name(f"{PACKAGE}.libs")):
        (closed / part.name).symlink_to(part)
    session = new_folder("copied-")
    session.chmod(0o755)
    programs = usable_programs(closed / PACKAGE, session)
    assert programs.folder.is_relative_to(session if os.geteuid() == 0 else closed)
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    version = subprocess.run(programs.command("postgres", "--version"), capture_output=True, text=True, check=True)
    assert version.stdout.startswith("postgres (PostgreSQL)")
