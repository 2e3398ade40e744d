"""The README's "Reconcile" is carried out: its bot, its statement, its commands, what they print and what they leave."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import lotkeeper
from tests.docs.test_readme import README, run
from tests.support.sidecar import Sidecar

SECTION = README.partition("## Reconcile\n")[2].partition("\n## ")[0]


def block(language: str) -> str:
    """The section's code block of a language."""
    found = re.search(rf"```{language}\n(.*?)```", SECTION, re.DOTALL)
    assert found is not None
    return found[1]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Sidecar, list[subprocess.CompletedProcess[str]]]]:
    """The sidecar after the bot and every command, and what each command did."""
    folder = tmp_path_factory.mktemp("reconcile")
    statement = folder / "statement.json"
    statement.write_text(block("json"), encoding="utf-8")
    with Sidecar(str(folder / "lotkeeper.db")) as running:
        bot = run(sys.executable, "-W", "error", "-c", block("python").replace("127.0.0.1:50051", running.address))
        assert (bot.returncode, bot.stderr) == (0, "")
        yield running, [_done(line, statement, running.address) for line in block("sh").strip().splitlines()]


def _done(line: str, statement: Path, address: str) -> subprocess.CompletedProcess[str]:
    words = line.partition("#")[0].replace(statement.name, str(statement)).split()[1:]
    return run(sys.executable, "-m", "lotkeeperd", *words, "--address", address)


def test_the_first_comparison_prints_what_is_shown(
    ran: tuple[Sidecar, list[subprocess.CompletedProcess[str]]],
) -> None:
    """To the blank, and goes on with the difference in words."""
    first = ran[1][0]

    assert first.stdout.startswith(block("text")), first.stdout
    assert "sell 6 AAPL at 190.0000 in swing (execution X-7, fee 0.6)" in first.stdout


def test_the_last_comparison_agrees(ran: tuple[Sidecar, list[subprocess.CompletedProcess[str]]]) -> None:
    """After what differed was repaired and adopted; the exit codes are those that are told."""
    done = ran[1]

    assert [each.returncode for each in done] == [3, 3, 3, 0, 0], [each.stderr for each in done]
    assert done[-1].stdout.splitlines()[-1] == "agreed: nothing to do"
    assert "`agreed: nothing to do`" in SECTION


def test_the_ledger_holds_what_the_broker_does(ran: tuple[Sidecar, list[subprocess.CompletedProcess[str]]]) -> None:
    """The exact prices of its executions, and an adopted lot that is marked."""
    with lotkeeper.connect(ran[0].address, portfolio="swing") as ledger:
        trades = [(each.exit_fill_id, str(each.net_pnl)) for each in ledger.list_closed_trades()]
        (lot,) = ledger.list_entries()

    assert trades == [("X-7", "59.4"), ("X-8", "43.6")]
    assert (lot.symbol, str(lot.entry_price), lot.synthetic) == ("TSLA", "400", True)


@pytest.mark.parametrize("command", sorted(set(re.findall(r"`lotkeeper (\w+)", SECTION))))
def test_the_commands_that_are_named_exist(command: str) -> None:
    """Each has a help."""
    helped = run(sys.executable, "-m", "lotkeeperd", command, "--help")

    assert helped.returncode == 0


def test_every_flag_of_the_section_is_one() -> None:
    """In the help of a command that it names."""
    commands = ("reconcile", "recover", "resolve", "undo")
    helped = "".join(run(sys.executable, "-m", "lotkeeperd", each, "--help").stdout for each in commands)

    assert set(re.findall(r"--[a-z-]+", SECTION)) <= set(re.findall(r"--[a-z-]+", helped))
