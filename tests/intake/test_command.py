"""The commands import and export as an operator uses them: words, exit codes, output in a pipe, and a kill half way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.intake.moving import FILLS, House
from tests.support.plain_sql import PlainSql
from tests.support.sidecar import Sidecar
from tests.support.waiting import eventually

SECONDS = 100
BROKEN = FILLS + "F-5,p,AAPL,sell,x,80,,2024-01-05T15:34:00Z\n"
MANY = 30_000
"""Rows: enough that the database holds some of them long before the last."""


def command(*words: str) -> list[str]:
    """The command line of ``lotkeeper``."""
    return [sys.executable, "-m", "lotkeeperd", *words]


def lotkeeper_(*words: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end, in a pipe."""
    return subprocess.run(command(*words), capture_output=True, text=True, timeout=SECONDS, check=False)


def lotkeeper_import(house: House, text: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Import a CSV file of that text."""
    return lotkeeper_("import", str(house.file("fills.csv", text)), "--database", house.database, *words)


def test_a_dry_run_a_run_and_another_run(house: House) -> None:
    """0 each time; the last line says what became of it; in a pipe there is no control character."""
    dry = lotkeeper_import(house, FILLS)
    assert not (house.folder / "lotkeeper.db").exists()
    done = lotkeeper_import(house, FILLS, "--apply")
    again = lotkeeper_import(house, FILLS, "--apply")

    assert [each.returncode for each in (dry, done, again)] == [0, 0, 0]
    assert [each.stdout.splitlines()[-1] for each in (dry, done, again)] == [
        "dry run, nothing is written: --apply records it",
        "written: 4 records",
        "nothing is written: there is nothing new",
    ]
    assert "\x1b" not in dry.stdout
    assert (
        "p          AAPL    SHORT        -2  90.00000             160     4           156" in done.stdout.splitlines()
    )
    assert lotkeeper_("verify", "--database", house.database).returncode == 0


def test_refused_lines_are_exit_code_3(house: House) -> None:
    """With the line and the reason; nothing is written, unless it is told to keep going."""
    strict = lotkeeper_import(house, BROKEN, "--apply")
    assert house.records() == 0
    keeping_on = lotkeeper_import(house, BROKEN, "--apply", "--keep-going")

    assert (strict.returncode, keeping_on.returncode) == (3, 3)
    assert "line 6: quantity: 'x' is not a decimal" in strict.stdout
    assert house.records() == 4


def test_the_report_is_json_when_asked(house: House) -> None:
    """Every count, every position, every refused line; amounts are text."""
    report = json.loads(lotkeeper_import(house, BROKEN, "--json").stdout)

    assert (report["read"], report["opened"], report["refused"], report["written"]) == (5, 2, 1, False)
    assert report["positions"][0]["net_realized_pnl"] == "156"
    assert report["refused_lines"][0]["place"] == "line 6"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "name a file"),
        (["{file}", "--from-table", "x.db#t"], "one of them"),
        (["{folder}/none.csv"], "does not exist"),
        (["{file}", "--map", "price"], "FIELD=TEXT is required"),
        (["{file}", "--columns", "{folder}/none.toml"], "No such file"),
        (["{file}", "--excess", "maybe"], "maybe"),
        (["{folder}/map.yaml"], "say --format"),
    ],
)
def test_a_wrong_command_line_is_exit_code_2(words: list[str], said: str, house: House) -> None:
    """In words, without a trace; and nothing is made."""
    file = house.file("fills.csv", FILLS)
    house.file("map.yaml", "")
    placed = [word.format(file=file, folder=house.folder) for word in words]

    done = lotkeeper_("import", *placed, "--database", house.database)

    assert done.returncode == 2, done.stderr
    assert said in " ".join(done.stderr.replace("│", " ").split())
    assert "Traceback" not in done.stderr
    assert not (house.folder / "lotkeeper.db").exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "first line is empty"),
        (b"symbol;qty\n", "there is no column one for quantity"),
        (b"\xff\xfes\0", "iconv"),
        (b"caf\xe9,b\n", "byte 3 of the file is 0xE9"),
    ],
)
def test_a_file_that_cannot_be_used_is_exit_code_1(content: bytes, said: str, house: House) -> None:
    """In one line that names the file."""
    file = house.file("fills.csv", content)

    done = lotkeeper_("import", str(file), "--database", house.database)

    assert done.returncode == 1
    assert done.stderr.startswith(f"lotkeeper: {file}: ")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_server_that_runs_keeps_an_import_out(house: House) -> None:
    """On SQLite: it says who has the file, and what it needs."""
    with Sidecar(f"{house.folder}/lotkeeper.db") as running:
        done = lotkeeper_import(house, FILLS, "--apply")

        assert done.returncode == 1
        assert f"another server has it open (process {running.pid})" in done.stderr


def test_on_postgresql_an_import_takes_over_when_told(postgres_url: str, house: House) -> None:
    """Without --takeover it is a wrong command line."""
    there = house._replace(database=postgres_url)

    refused, done = lotkeeper_import(there, FILLS), lotkeeper_import(there, FILLS, "--takeover", "--apply")

    assert (refused.returncode, done.returncode) == (2, 0)
    assert "FENCED" in refused.stderr
    assert there.records() == 4


def many() -> str:
    """Bought and sold in turn, one second apart."""
    begin = "fill_id,symbol,side,quantity,price,fill_time\n"
    sides = ("buy", "sell")
    return begin + "".join(f"F-{n},A,{sides[n % 2]},1,{100 + n % 7},{1_704_468_600 + n}\n" for n in range(MANY))


def has_grown(house: House) -> bool:
    """Whether the database holds something of the transaction that is still open."""
    if house.database.startswith("sqlite"):
        log = house.folder / "lotkeeper.db-wal"
        return log.exists() and log.stat().st_size > 1_000_000
    with PlainSql(house.database) as sql:
        there = sql.rows("SELECT to_regclass('journal') IS NOT NULL AS made")[0]["made"]
        return bool(there and sql.rows("SELECT pg_relation_size('journal') AS bytes")[0]["bytes"] > 1_000_000)


def test_an_import_that_is_killed_half_way_leaves_nothing(either_house: House) -> None:
    """And the next one does all of it."""
    file = either_house.file("many.csv", many())
    words = ["import", str(file), "--database", either_house.database, "--time", "unix_s", "--takeover", "--apply"]
    with subprocess.Popen(command(*words), stdout=subprocess.DEVNULL) as running:
        eventually(lambda: has_grown(either_house))
        assert running.poll() is None, "it was done before it could be killed"
        running.kill()

    assert either_house.records() == 0
    done = lotkeeper_(*words, "--json")
    assert done.returncode == 0, done.stderr
    assert either_house.records() == MANY


def test_progress_is_shown_in_a_terminal(house: House) -> None:
    """On stderr, and the line is clean afterwards; the report is coloured and whole."""
    screen, terminal = os.openpty()
    file = house.file("fills.csv", BROKEN)
    words = command("import", str(file), "--database", house.database)
    with subprocess.Popen(words, stdout=terminal, stderr=terminal, env=os.environ | {"TERM": "xterm"}) as running:
        os.close(terminal)
        shown = b""
        with suppress(OSError):  # Linux says so when the other end of a terminal is closed
            while chunk := os.read(screen, 4096):
                shown += chunk
        assert running.wait(SECONDS) == 3
    os.close(screen)

    assert b"\rread bytes: " in shown
    assert b"\r\x1b[K" in shown
    assert b"optionally a point and 1 to 18 fraction digits" in shown


def test_export_writes_a_file_of_one_moment_while_a_server_runs(house: House) -> None:
    """Read only, and named; what it writes, import reads."""
    lotkeeper_import(house, FILLS, "--apply")
    out = house.folder / "out.jsonl"
    with Sidecar(f"{house.folder}/lotkeeper.db"):
        done = lotkeeper_("export", "fills", "--database", house.database, "--format", "jsonl", "--output", str(out))
    again = lotkeeper_("import", str(out), "--database", house.database, "--json")

    assert (done.returncode, done.stdout) == (0, f"{out}: 4 fills\n")
    assert json.loads(again.stdout)["already_there"] == 4


def test_export_writes_to_a_pipe(house: House) -> None:
    """A reader who goes away ends it quietly; a wrong time is a wrong command line."""
    lotkeeper_import(house, many(), "--time", "unix_s", "--apply")
    words = command("export", "fills", "--database", house.database)
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        assert running.stdout.readline().startswith("portfolio_id,symbol,side")
        running.stdout.close()
        assert running.stderr.read() == ""
        assert running.wait(SECONDS) == 0
    assert lotkeeper_("export", "fills", "--database", house.database, "--since", "noon").returncode == 2
    assert lotkeeper_("export", "fills", "--database", str(Path(house.folder, "none.db"))).returncode == 1
