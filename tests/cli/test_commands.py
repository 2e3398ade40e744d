"""The command ``lotkeeper`` as an operator uses it: its words, its exit codes, its output in a pipe."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import lotkeeper
from tests.support.sidecar import DidNotStart, Sidecar

SECONDS = 60


@pytest.fixture
def database(tmp_path: Path) -> str:
    """A file for a new ledger."""
    return str(tmp_path / "lotkeeper.db")


@pytest.fixture
def sidecar(database: str) -> Iterator[Sidecar]:
    """A sidecar with one long position, marked."""
    with Sidecar(database) as running:
        with lotkeeper.connect(running.address, portfolio="scalper") as ledger:
            ledger.create_entry(symbol="BTC", quantity="2", entry_price="100", entry_fill_id="F-1", fee="0.5")
            ledger.close_fifo(symbol="BTC", quantity="1", exit_price="130", exit_fill_id="F-2")
            ledger.set_marks(marks={"BTC": "150"})
        yield running


def lotkeeper_(*words: str, environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command to its end, in a pipe."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("LOTKEEPER_")}
    command = [sys.executable, "-m", "lotkeeperd", *words]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=SECONDS, check=False, env=inherited | dict(environment or {})
    )


def test_summary_prints_a_plain_table_in_a_pipe(sidecar: Sidecar) -> None:
    """Position, mark and P&L in columns, without a control character."""
    done = lotkeeper_("summary", "--address", sidecar.address, "--portfolio", "scalper")

    assert done.returncode == 0
    assert "\x1b" not in done.stdout
    row = next(line.split() for line in done.stdout.splitlines() if "BTC" in line)
    assert row == ["scalper", "BTC", "LONG", "1", "100.0000", "150.0000", "50.00", "30.00", "0.25", "29.75"]


def test_summary_is_exact_as_json(sidecar: Sidecar) -> None:
    """Decimals stay strings, fields have the contract's names."""
    done = lotkeeper_("summary", "--address", sidecar.address, "--portfolio", "scalper", "--json")

    position = json.loads(done.stdout)["positions"][0]
    assert (position["total_quantity"], position["unrealized_pnl"], position["net_realized_pnl"]) == (
        "1",
        "50",
        "29.75",
    )


def test_summary_of_an_unknown_portfolio_fails_in_one_line(sidecar: Sidecar) -> None:
    """Exit code 1, the reason on stderr, no trace."""
    done = lotkeeper_("summary", "--address", sidecar.address, "--portfolio", "nobody")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("lotkeeper: ")
    assert "'nobody'" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_watch_writes_a_line_of_json_per_event(sidecar: Sidecar) -> None:
    """The snapshot first; then the update that a fill makes; Ctrl-C ends it with 130."""
    command = [sys.executable, "-m", "lotkeeperd", "watch", "--json", "--address", sidecar.address]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as watching:
        assert watching.stdout is not None
        snapshot = json.loads(watching.stdout.readline())
        with lotkeeper.connect(sidecar.address, portfolio="scalper") as ledger:
            ledger.close_fifo(symbol="BTC", quantity="1", exit_price="140", exit_fill_id="F-3")
        update = json.loads(watching.stdout.readline())
        watching.send_signal(signal.SIGINT)
        assert watching.wait(SECONDS) == 130

    assert (snapshot["event"], snapshot["positions"][0]["symbol"]) == ("snapshot", "BTC")
    assert (update["event"], update["closed_trades"][0]["gross_pnl"]) == ("update", "40")


def test_backup_while_serving_is_a_ledger_that_verifies(sidecar: Sidecar, tmp_path: Path) -> None:
    """The copy holds what was acknowledged, also what was still in the write-ahead log."""
    copy = tmp_path / "copy.db"

    done = lotkeeper_("backup", str(copy), "--database", sidecar.database)

    assert done.returncode == 0, done.stderr
    with sqlite3.connect(copy) as connection:
        assert connection.execute("SELECT count(*) FROM journal").fetchone() == (2,)
    assert lotkeeper_("verify", "--database", str(copy)).returncode == 0


def test_backup_never_overwrites_a_file(sidecar: Sidecar, tmp_path: Path) -> None:
    """A file that is there stays as it is."""
    (tmp_path / "copy.db").write_text("something dear")

    done = lotkeeper_("backup", str(tmp_path / "copy.db"), "--database", sidecar.database)

    assert done.returncode == 1
    assert "never overwrites" in done.stderr
    assert (tmp_path / "copy.db").read_text() == "something dear"


def test_verify_runs_beside_a_server_and_says_what_it_read(sidecar: Sidecar) -> None:
    """Law 13 in one line, and as JSON."""
    done = lotkeeper_("verify", "--database", sidecar.database)
    as_json = lotkeeper_("verify", "--database", sidecar.database, "--json")

    assert done.returncode == 0
    assert "2 records, 1 entries, 1 closed trades, 1 positions: exactly what its journal says" in done.stdout
    assert json.loads(as_json.stdout)["differences"] == []


@pytest.mark.parametrize(
    ("statement", "where"),
    [
        ("UPDATE completed_trades SET net_pnl = '1000'", "completed_trades: T2.0"),
        (
            "UPDATE position_entries SET remaining_quantity = '0.5'",
            "position_entries: E1: remaining_quantity is 0.5, the journal says 1",
        ),
        ("UPDATE books SET realized_fees = '0'", "books: BTC in scalper"),
        ("DELETE FROM completed_trades", "completed_trades: it has 0 rows"),
        ("UPDATE journal SET fill_key = 7 WHERE sequence = 1", "journal: record 1"),
    ],
)
def test_verify_finds_what_was_changed_by_hand(statement: str, where: str, sidecar: Sidecar) -> None:
    """A figure that is not what the journal says is named, and the exit code is 1."""
    sidecar.stop()
    with sqlite3.connect(sidecar.database) as connection:
        connection.execute(statement)

    done = lotkeeper_("verify", "--database", sidecar.database)

    assert done.returncode == 1
    assert where in done.stdout


@pytest.mark.parametrize(
    "listen", ["0.0.0.0:0", "[::]:0", "192.0.2.1:50051", "example.org:50051", "nonsense", "127.0.0.1:99999"]
)
def test_serve_listens_to_this_machine_only(listen: str, database: str) -> None:
    """Another address is refused before anything is made, unless --insecure is said."""
    done = lotkeeper_("serve", "--listen", listen, "--database", database)

    assert done.returncode == 1
    assert listen in done.stderr
    assert not Path(database).exists()


def test_serve_listens_to_anyone_when_told(database: str) -> None:
    """--insecure says it aloud."""
    with Sidecar(database, "--insecure", listen="0.0.0.0:0") as running:
        assert running.running


def test_serve_on_a_unix_socket_is_for_this_user_alone(database: str, tmp_path: Path) -> None:
    """Mode 0600, and it answers."""
    path = tmp_path / "run" / "lotkeeper.sock"
    with Sidecar(database, listen=f"unix:{path}") as running:
        assert oct(path.stat().st_mode & 0o777) == "0o600"
        with lotkeeper.connect(running.address) as ledger:
            assert ledger.get_summary().positions == ()


def test_serve_says_that_a_port_is_taken(database: str) -> None:
    """Two servers on one port would each get half of the calls."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(DidNotStart) as refused:
            Sidecar(database, listen=f"127.0.0.1:{taken.getsockname()[1]}").start()

    assert refused.value.code == 1
    assert "cannot be listened on" in refused.value.stderr


def test_a_flag_wins_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    """Where a setting comes from decides."""
    for name in ("file", "variable", "flag"):
        (tmp_path / name).mkdir()
    config = tmp_path / "lotkeeper.toml"
    config.write_text(f'database = "{tmp_path}/file/x.db"\ncurrency = "EUR"\n')

    with Sidecar(f"{tmp_path}/flag/x.db", "--config", str(config), settings={"database": f"{tmp_path}/variable/x.db"}):
        assert (tmp_path / "flag" / "x.db").exists()
    done = lotkeeper_("verify", "--config", str(config), environment={"LOTKEEPER_DATABASE": f"{tmp_path}/flag/x.db"})
    assert done.returncode == 0, done.stderr
    with sqlite3.connect(tmp_path / "flag" / "x.db") as connection:
        assert connection.execute("SELECT currency FROM ledger").fetchone() == ("EUR",)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("listn = 'x'", "there is no setting 'listn'"),
        ("write_queue = 'many'", "write_queue = 'many'"),
        ("write_queue = 0", "write_queue = 0"),
        ("= nonsense", "not TOML"),
    ],
)
def test_a_bad_file_is_refused_by_name(text: str, said: str, tmp_path: Path, database: str) -> None:
    """The message names the file or the key, and the rule."""
    config = tmp_path / "lotkeeper.toml"
    config.write_text(text)

    done = lotkeeper_("serve", "--config", str(config), "--database", database)

    assert done.returncode == 1
    assert said in done.stderr


def test_sigterm_drains_and_exits_0(database: str) -> None:
    """The end that an operator wants."""
    with Sidecar(database) as running:
        assert running.stop() == 0


def test_a_second_signal_ends_it_at_once(database: str) -> None:
    """Both signals wait for the stopped process, so that the second comes before the drain is done."""
    with Sidecar(database) as running:
        for number in (signal.SIGSTOP, signal.SIGTERM, signal.SIGINT, signal.SIGCONT):
            running.signal(number)
        assert running.wait() == 1
