"""A real PostgreSQL server for the tests, as a context manager.

Problem: a fake would agree with our own idea of PostgreSQL, and tests that kill the database need the real one, on
any machine, as root or not. Chosen: the programs of `postgres_programs.py` on a data directory of their own. The
server keeps its durable defaults (fsync, full_page_writes and synchronous_commit on): the product reads them back.

Decided on the way:

- TCP on 127.0.0.1 with a password. The path of a Unix socket may have about 100 bytes only, and a port without a
  password would let every user of the machine run programs as the server's user.
- PostgreSQL cannot take port 0, and must come back on the port its URLs name: see `fixed_port.py`.
- Tests connect as a plain role that owns its databases: a superuser would hide that the product lacks a right.
- The C collation: the wheel is built without ICU, so sorting by a language's rules cannot be tested with it.
"""

import contextlib
import itertools
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal, LiteralString

import psutil
import psycopg
from psycopg import sql

from tests.support.fixed_port import free_port
from tests.support.postgres_programs import PostgresPrograms, installed_programs
from tests.support.session_folder import new_folder
from tests.support.sweeper import POLL_SECONDS, await_end, end

StopMode = Literal["smart", "fast", "immediate"]
"""Wait for every client to leave; roll back what is open and leave; leave as in a crash. The words of pg_ctl."""

HOST: Final = "127.0.0.1"
INITDB_SECONDS: Final = 120.0
START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 60.0
CONNECT_SECONDS: Final = 10
LOG_TAIL_CHARACTERS: Final = 4_000

SUPERUSER: Final = "postgres"
ROLE: Final = "lotkeeper"
"""The plain role tests connect as."""

SMALL: Final[Mapping[str, str]] = MappingProxyType({"shared_buffers": "16MB", "io_method": "sync", "jit": "off"})
"""Small in memory and processes; nothing here touches durability."""

# mmap keeps its files below the data directory; the default leaves them in /dev/shm after a kill.
FOUND_AGAIN: Final[Mapping[str, str]] = MappingProxyType(
    {"listen_addresses": HOST, "unix_socket_directories": "", "dynamic_shared_memory_type": "mmap"}
)

_SIGNALS: Final[Mapping[StopMode, signal.Signals]] = MappingProxyType(
    {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}
)

_READY_LINE: Final = 7
"""Where postmaster.pid says "ready", counted from 0; the first line is the pid."""


class PostgresServer:
    """One server on one data directory and one port; it may be stopped or killed and started again."""

    def __init__(self, programs: PostgresPrograms, folder: Path, settings: Mapping[str, str]) -> None:
        """Makes the data directory; the server runs once `start` was called, its role is there after `make_role`.

        Args:
            programs: what to run.
            folder: an empty folder of ours; the server's user becomes its owner.
            settings: server settings by name, on top of small defaults.

        Raises:
            RuntimeError: initdb failed; the message holds what it said.
        """
        self._programs = programs
        self._folder = folder
        self._data = folder / "data"
        self._log = folder / "log"
        self._port = free_port(HOST)
        self._password = secrets.token_hex(16)
        self._settings = {**SMALL, **FOUND_AGAIN, "port": str(self._port), **settings}
        self._numbers = itertools.count(1)
        self._process: subprocess.Popen[bytes] | None = None
        programs.give(folder)
        self._make_data_directory()

    @property
    def pid(self) -> int:
        """The postmaster's process id. Raises RuntimeError while the server does not run."""
        return self._running().pid

    @property
    def is_running(self) -> bool:
        """Whether the postmaster lives."""
        return self._process is not None and self._process.poll() is None

    def url(self, database: str) -> str:
        """Returns the SQLAlchemy URL of a database of this server; it stays the same when the server starts again."""
        return f"postgresql+psycopg://{ROLE}:{self._password}@{HOST}:{self._port}/{database}"

    def make_role(self) -> None:
        """Makes the plain role; called once, on the first start."""
        password = sql.Literal(self._password)
        self._execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(ROLE), password))

    def create_database(self) -> str:
        """Makes an empty database owned by the plain role, under a name not used before, and returns its URL."""
        name = f"lotkeeper_{next(self._numbers)}"
        self._administer("CREATE DATABASE {} OWNER {}", name, ROLE)
        return self.url(name)

    def drop_database(self, url: str) -> None:
        """Removes a database made by `create_database`, ending the connections that are still open to it."""
        self._administer("DROP DATABASE {} WITH (FORCE)", url.rpartition("/")[2])

    def start(self) -> None:
        """Starts the server on its data directory and returns when it takes connections; after a kill it recovers.

        Raises:
            RuntimeError: it already runs, or it ended or was not ready in time; the message holds the log's end.
        """
        if self.is_running:
            raise RuntimeError(f"the server already runs as process {self.pid}: stop() or kill() it first")
        arguments = [word for name, value in self._settings.items() for word in ("-c", f"{name}={value}")]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._programs.command("postgres", "-D", str(self._data), *arguments),
                cwd=self._folder,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C in the terminal is for the tests, which then stop the server
            )
        self._await_ready(self._process)

    def stop(self, mode: StopMode = "fast") -> None:
        """Stops the server and returns when it has ended.

        Raises:
            RuntimeError: it does not run, or it did not end in time (with "smart": a client stayed) and was killed.
        """
        process = self._running()
        process.send_signal(_SIGNALS[mode])
        try:
            process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired as error:
            self.kill()
            raise RuntimeError(f"a {mode} stop took over {STOP_SECONDS:g} s, killed; {self._log_tail()}") from error
        self._process = None

    def kill(self) -> None:
        """Kills the postmaster and every process of the server with SIGKILL, as a crash of the machine would.

        Returns when all have ended. Killing the postmaster alone would let its children finish their commits, and
        would refuse a new start while they live.

        Raises:
            RuntimeError: the server does not run, or a process survived.
        """
        process = self._running()
        process.send_signal(signal.SIGSTOP)
        os.waitpid(process.pid, os.WUNTRACED)  # stopped: from here on no child is started that we would not see
        postmaster = psutil.Process(process.pid)
        children = postmaster.children(recursive=True)
        end([postmaster, *children], signal.SIGKILL)
        process.wait(timeout=STOP_SECONDS)
        self._process = None
        if alive := await_end(children, STOP_SECONDS):
            raise RuntimeError(f"processes {[child.pid for child in alive]} of the server survived SIGKILL")

    def close(self) -> None:
        """Ends the server for good, whatever state it is in.

        One that was killed is started once more: only a clean end gives its shared memory back to the kernel.
        """
        if not self.is_running and (self._data / "postmaster.pid").exists():
            self.start()
        if self.is_running:
            self.stop()

    def _running(self) -> subprocess.Popen[bytes]:
        """Returns the postmaster."""
        if self._process is None or self._process.poll() is not None:
            raise RuntimeError(f"the server on port {self._port} does not run: start() it first; {self._log_tail()}")
        return self._process

    def _make_data_directory(self) -> None:
        """Runs initdb. What it writes is not flushed, which only matters if the machine fails before the first test."""
        password_file = self._folder / "password"
        password_file.write_text(self._password)
        self._programs.give(password_file)
        options = f"--username={SUPERUSER} --auth=scram-sha-256 --encoding=UTF8 --locale=C --no-sync --no-instructions"
        words = self._programs.command("initdb", *options.split(), f"--pwfile={password_file}", str(self._data))
        done = subprocess.run(
            words,
            cwd=self._folder,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=INITDB_SECONDS,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"initdb ended with {done.returncode}: {done.stdout}{done.stderr}")

    def _administer(self, statement: LiteralString, *names: str) -> None:
        """Runs a statement as the superuser, with names filled in and quoted."""
        self._execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def _execute(self, statement: sql.Composed) -> None:
        """Runs a statement as the superuser, outside a transaction."""
        with psycopg.connect(
            host=HOST,
            port=self._port,
            user=SUPERUSER,
            password=self._password,
            dbname="postgres",
            connect_timeout=CONNECT_SECONDS,
            autocommit=True,
        ) as connection:
            connection.execute(statement)

    def _await_ready(self, process: subprocess.Popen[bytes]) -> None:
        """Returns when the server says in its pid file that it is ready, which is what pg_ctl waits for."""
        deadline = time.monotonic() + START_SECONDS
        while not self._says_ready(process.pid):
            if process.poll() is not None:
                raise RuntimeError(f"the server ended with {process.returncode}; {self._log_tail()}")
            if time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"the server was not ready within {START_SECONDS:g} s; {self._log_tail()}")
            time.sleep(POLL_SECONDS)

    def _says_ready(self, pid: int) -> bool:
        """Whether the pid file is this process's own and ends with "ready"; a killed server leaves an old file."""
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) > _READY_LINE and lines[0] == str(pid) and lines[_READY_LINE].strip() == "ready"

    def _log_tail(self) -> str:
        """Returns the end of the server's log, for messages."""
        text = self._log.read_text(errors="replace") if self._log.exists() else ""
        return f"its log ends: {text[-LOG_TAIL_CHARACTERS:]}"


@contextlib.contextmanager
def running_server(settings: Mapping[str, str] = MappingProxyType({})) -> Iterator[PostgresServer]:
    """Runs a server of its own and takes everything of it away afterwards.

    Args:
        settings: server settings by name, such as `{"fsync": "off"}` to see the product refuse it.

    Raises:
        FileNotFoundError, PermissionError: see `installed_programs`.
        RuntimeError: initdb or the server failed; the message holds what they said.
    """
    programs = installed_programs()
    folder = new_folder("postgres-")
    try:
        server = PostgresServer(programs, folder, settings)
        try:
            server.start()
            server.make_role()
            yield server
        finally:
            server.close()
    finally:
        shutil.rmtree(folder)


def _environment() -> dict[str, str]:
    """Returns the environment of the programs: none of the caller's PG* or locale variables; English messages."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
