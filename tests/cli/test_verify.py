"""``lotkeeper verify`` and the journal's chain as an operator meets them: the key, the head, what an earlier head proves."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import lotkeeper
from tests.cli.test_commands import lotkeeper_
from tests.support.sidecar import DidNotStart, Sidecar

SECRET = "a secret that no output may show"
FROM = {"LOTKEEPER_JOURNAL_KEY": "env:LEDGER_KEY", "LEDGER_KEY": SECRET}


@pytest.fixture
def database(tmp_path: Path) -> str:
    """A file for a new ledger."""
    return str(tmp_path / "lotkeeper.db")


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """A file with a key."""
    path = tmp_path / "journal.key"
    path.write_text(SECRET + "\n")
    return path


@pytest.fixture
def keyed(database: str, key: Path) -> Iterator[Sidecar]:
    """A sidecar with a key, one entry recorded, and stopped."""
    with Sidecar(database, "--journal-key", f"file:{key}") as sidecar:
        with lotkeeper.connect(sidecar.address) as ledger:
            ledger.create_entry(symbol="BTC", quantity="2", entry_price="100", entry_fill_id="F-1")
        sidecar.stop()
        yield sidecar


def verify(database: str, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run it on a ledger."""
    return lotkeeper_("verify", "--database", database, *words, environment=environment)


def test_a_keyed_ledger_is_verified_with_its_key(keyed: Sidecar) -> None:
    """From a file or from the environment; the secret stands in no output and not in the database."""
    done = verify(keyed.database, **FROM)
    as_json = json.loads(verify(keyed.database, "--json", **FROM).stdout)

    assert done.returncode == 0, done.stderr
    assert f"journal chained up to {as_json['head']}, with a key" in done.stdout
    assert (as_json["keyed"], as_json["differences"]) == (True, [])
    assert SECRET not in done.stdout + done.stderr
    assert SECRET.encode() not in Path(keyed.database).read_bytes()


def test_without_a_key_verify_says_what_that_does_not_show(database: str) -> None:
    """Damage, not a forger's hand."""
    with Sidecar(database):
        pass
    done = verify(database)
    assert done.returncode == 0
    assert "without a key: that shows damage, not a forger's hand; see journal_key" in done.stdout


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({}, "chained with a key; name it with journal_key"),
        (FROM | {"LEDGER_KEY": "some other secret of that kind"}, "chained with another key"),
        (FROM | {"LEDGER_KEY": "short"}, "5 bytes are there, 16 or more are required"),
        ({"LOTKEEPER_JOURNAL_KEY": SECRET}, "say env:NAME or file:PATH"),
    ],
)
def test_another_key_is_refused_in_one_line(keyed: Sidecar, environment: dict[str, str], said: str) -> None:
    """By verify and by the server, with exit code 1; what was given is not repeated."""
    done = verify(keyed.database, **environment)
    assert (done.returncode, done.stdout) == (1, "")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert SECRET not in done.stderr

    served = lotkeeper_("serve", "--listen", "127.0.0.1:0", "--database", keyed.database, environment=environment)
    assert served.returncode == 1
    assert said in served.stderr


def test_an_import_takes_the_key_as_well(keyed: Sidecar, key: Path, tmp_path: Path) -> None:
    """It opens the ledger as a server does."""
    fills = tmp_path / "fills.csv"
    fills.write_text("fill_id,symbol,side,quantity,price,fill_time\nF-2,BTC,sell,1,110,2026-01-02T00:00:00Z\n")
    words = ("import", str(fills), "--database", keyed.database, "--apply")

    assert "name it with journal_key" in lotkeeper_(*words).stderr
    done = lotkeeper_(*words, "--journal-key", f"file:{key}")

    assert done.returncode == 0, done.stderr
    assert verify(keyed.database, **FROM).returncode == 0


def test_a_head_that_was_printed_is_still_in_the_chain(keyed: Sidecar, key: Path) -> None:
    """However much came after it; the head needs no key to be printed."""
    head = verify(keyed.database, "--head").stdout.strip()
    assert head.startswith("1:")
    with (
        Sidecar(keyed.database, "--journal-key", f"file:{key}") as sidecar,
        lotkeeper.connect(sidecar.address) as ledger,
    ):
        ledger.close_fifo(symbol="BTC", quantity="1", exit_price="130", exit_fill_id="F-2")

    assert verify(keyed.database, "--expect", head, **FROM).returncode == 0
    assert verify(keyed.database, "--head").stdout != f"{head}\n"


def test_a_journal_that_was_cut_off_is_not_what_was_expected(keyed: Sidecar) -> None:
    """All that it did is gone with it; the head that was kept tells."""
    head = verify(keyed.database, "--head").stdout.strip()
    with sqlite3.connect(keyed.database) as connection:
        for table in ("journal", "position_entries", "books", "instruments"):
            connection.execute(f"DELETE FROM {table}")
        connection.execute("UPDATE ledger SET last_sequence = 0")

    assert verify(keyed.database, **FROM).returncode == 0
    done = verify(keyed.database, "--expect", head, **FROM)
    assert done.returncode == 1
    assert "journal: it ends at 0; record 1 was expected in it" in done.stdout


def test_what_is_no_head_is_a_wrong_command_line(keyed: Sidecar) -> None:
    """Exit code 2, and how to get one."""
    done = verify(keyed.database, "--expect", "5:abc", **FROM)
    assert done.returncode == 2
    assert "SEQUENCE:DIGEST" in done.stderr


def test_a_server_does_not_start_on_records_that_nobody_chained(keyed: Sidecar, key: Path) -> None:
    """They were written by hand, or their digest was taken away."""
    with sqlite3.connect(keyed.database) as connection:
        connection.execute("UPDATE journal SET chain = NULL")
    with pytest.raises(DidNotStart) as refused:
        Sidecar(keyed.database, "--journal-key", f"file:{key}").start()
    assert "the journal's records 1 to 1 have no digest" in refused.value.stderr
