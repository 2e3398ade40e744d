"""``lotkeeper watch`` for programs: plain lines in a pipe, JSON on request, and a command line that is checked."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

import lotkeeper
from tests.console.watching import Watching, trade
from tests.support.sidecar import Sidecar

SECONDS = 60


@pytest.fixture(scope="module")
def sidecar(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sidecar]:
    """A sidecar with positions."""
    with Sidecar(str(tmp_path_factory.mktemp("plain") / "lotkeeper.db")) as running:
        trade(running.address)
        yield running


def command(*words: str) -> list[str]:
    """The command line."""
    return [sys.executable, "-m", "lotkeeperd", "watch", *words]


def block(lines: IO[str]) -> list[str]:
    """One block of plain lines: from its first to the one that counts positions."""
    read: list[str] = []
    while not read or " by " not in read[-1]:
        line = lines.readline()
        assert line, read
        read.append(line.rstrip("\n"))
    return read


def end(watching: subprocess.Popen[str], number: signal.Signals = signal.SIGTERM) -> int:
    """Send a signal, and return the exit code."""
    watching.send_signal(number)
    return watching.wait(SECONDS)


def test_a_pipe_gets_plain_lines(sidecar: Sidecar) -> None:
    """Every column, in the chosen order, with the time and without one control character; SIGTERM ends it with 130."""
    words = ("--address", sidecar.address, "--sort", "pnl")
    with subprocess.Popen(command(*words), stdout=subprocess.PIPE, text=True) as watching:
        assert watching.stdout is not None
        waiting = watching.stdout.readline()
        lines = block(watching.stdout)
        assert end(watching) == 130

    assert f" connecting to {sidecar.address} for " in waiting
    assert lines[0].split(" ", 1)[1].startswith(f"connected to {sidecar.address}; lag ")
    assert "\n".join(lines).replace("\n", "").isprintable()
    assert lines[1].split()[:6] == ["portfolio", "symbol", "side", "quantity", "average", "mark"]
    assert [line.split()[1] for line in lines[2:5]] == ["BTC", "ADA", "XRP"]
    assert lines[2].split()[2:6] == ["LONG", "4", "107.5000", "150.0000"]
    assert lines[-1] == "3 positions, by pnl"


def test_lots_are_in_a_pipe_too(sidecar: Sidecar) -> None:
    """When asked for, and once they are read."""
    words = ("--address", sidecar.address, "--lots", "--symbol", "BTC")
    with subprocess.Popen(command(*words), stdout=subprocess.PIPE, text=True) as watching:
        assert watching.stdout is not None
        watching.stdout.readline()
        while not any("lot F-1" in line and "1 of 2" in line for line in block(watching.stdout)):
            pass  # the next block is on its way
        assert end(watching) == 130


def test_a_corrected_trade_goes_by_before_and_after(tmp_path: Path) -> None:
    """In the next block, behind the trade that it was; cash and value stand below the totals."""
    with Sidecar(str(tmp_path / "lotkeeper.db")) as sidecar:
        trade(sidecar.address)
        with subprocess.Popen(command("--address", sidecar.address), stdout=subprocess.PIPE, text=True) as watching:
            assert watching.stdout is not None
            watching.stdout.readline()
            block(watching.stdout)
            with lotkeeper.connect(sidecar.address, portfolio="scalper") as ledger:
                ledger.close_fifo(symbol="BTC", quantity="1", exit_price="140", exit_fill_id="F-9")
                ledger.correct_fill(request_id="fix", symbol="BTC", fill_id="F-9", price="141", reason="venue")
            lines = block(watching.stdout)
            while not any(line.startswith("restated") for line in lines):
                lines = block(watching.stdout)
            end(watching)

    told = [line for line in lines if line.startswith(("closed", "restated"))]
    assert told == [
        "closed scalper BTC: net 39.75 USD, LONG 1, 100.0000 -> 140.0000",
        "restated scalper BTC: T6.0 net 39.75 USD -> T7.0 net 40.75 USD",
    ]
    assert any(line.startswith("scalper USD: cash -259.50; total value 190.50") for line in lines)


def test_a_lost_sidecar_is_a_line_in_a_pipe(tmp_path: Path) -> None:
    """No block of old figures, one line when it goes and a block when it is back."""
    with Sidecar(str(tmp_path / "lotkeeper.db")) as sidecar:
        trade(sidecar.address)
        with subprocess.Popen(command("--address", sidecar.address), stdout=subprocess.PIPE, text=True) as watching:
            assert watching.stdout is not None
            watching.stdout.readline()
            block(watching.stdout)
            sidecar.kill()
            line = watching.stdout.readline()
            while "reconnecting" not in line:
                line = watching.stdout.readline()
            sidecar.restart()
            back = block(watching.stdout)
            end(watching)

    assert "lost 1 time" in back[0]


def test_a_dumb_terminal_gets_plain_lines(sidecar: Sidecar) -> None:
    """It could not place a cursor."""
    with Watching("--address", sidecar.address, term="dumb") as watching:
        watching.until_written("3 positions, by symbol")
        assert "\x1b" not in watching.written


def test_whoever_stops_reading_ends_it_well(sidecar: Sidecar) -> None:
    """``| head`` is no failure."""
    with subprocess.Popen(command("--address", sidecar.address), stdout=subprocess.PIPE, text=True) as watching:
        assert watching.stdout is not None
        watching.stdout.readline()
        watching.stdout.close()
        assert watching.wait(SECONDS) == 0


def test_rich_is_not_imported_for_a_pipe(sidecar: Sidecar) -> None:
    """What is imported is what is shown."""
    words = [sys.executable, "-X", "importtime", "-m", "lotkeeperd", "watch", "--address", sidecar.address]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as watching:
        assert watching.stdout is not None
        assert watching.stderr is not None
        watching.stdout.readline()
        watching.send_signal(signal.SIGTERM)
        imported = {line.rpartition("|")[2].strip() for line in watching.stderr}

    assert "lotkeeperd.console.watch" in imported
    assert not {name for name in imported if name in ("rich.console", "rich.live", "lotkeeperd.console.terminal")}


def test_json_is_a_line_per_event(sidecar: Sidecar) -> None:
    """The whole state first; decimals as strings, unknown as null, times with nanoseconds."""
    words = ("--json", "--address", sidecar.address, "--portfolio", "swing")
    with subprocess.Popen(command(*words), stdout=subprocess.PIPE, text=True) as watching:
        assert watching.stdout is not None
        snapshot = json.loads(watching.stdout.readline())
        with lotkeeper.connect(sidecar.address) as ledger:
            ledger.set_marks(marks={"XRP": "2"}, source="json")
        update = next(line for line in map(json.loads, watching.stdout) if line["event"] != "heartbeat")
        assert end(watching, signal.SIGINT) == 130

    assert snapshot["event"] == "snapshot"
    assert {"sequence", "ledger_id", "emit_time", "positions", "totals"} <= set(snapshot)
    assert [position["symbol"] for position in snapshot["positions"]] == ["ADA", "XRP"]
    assert (snapshot["positions"][1]["total_quantity"], snapshot["positions"][1]["unrealized_pnl"]) == ("7", None)
    assert snapshot["emit_time"].endswith("Z")
    assert (update["event"], update["positions"][0]["unrealized_pnl"]) == ("update", "7")
    assert {"closed_trades", "opened_entries", "conflated_count"} <= set(update)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--json", "--lots"), "--json"),
        (("--json", "--sort", "pnl"), "--json"),
        (("--sort", "colour"), "colour"),
        (("--address", "nonsense"), "nonsense"),
    ],
)
def test_a_wrong_command_line_ends_with_2(words: tuple[str, ...], said: str) -> None:
    """And says what is wrong with it."""
    done = subprocess.run(command(*words), capture_output=True, text=True, timeout=SECONDS, check=False)

    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_help_says_what_a_script_gets(sidecar: Sidecar) -> None:
    """Every kind of event that can come, and every field that all have, is named."""
    with subprocess.Popen(
        command("--json", "--address", sidecar.address), stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        first = json.loads(running.stdout.readline())
        end(running)
    done = subprocess.run(command("--help"), capture_output=True, text=True, timeout=SECONDS, check=True)

    kinds = {"snapshot", "update", "heartbeat", "disconnected"}
    common = set(first) - {"event", "positions", "totals"}
    assert not {word for word in kinds | common | {"--sort", "--lots"} if word not in done.stdout}
