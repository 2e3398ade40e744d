"""``lotkeeper reconcile`` and what follows it, against a real sidecar: its words, its exit codes, its output in a pipe."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import lotkeeper
from tests.cli.brokerage import bought, document, sold, table
from tests.cli.test_commands import lotkeeper_
from tests.support.sidecar import Sidecar


@pytest.fixture
def sidecar(tmp_path: Path) -> Iterator[Sidecar]:
    """A sidecar that tracks 10 AAPL at 100 and 2 MSFT at 50 in one portfolio."""
    with Sidecar(str(tmp_path / "lotkeeper.db")) as running:
        bought(running.address, "swing", "AAPL", "10", "100")
        bought(running.address, "swing", "MSFT", "2", "50")
        yield running


def asked(sidecar: Sidecar, *words: str) -> subprocess.CompletedProcess[str]:
    """The command, asked of the sidecar."""
    return lotkeeper_(*words, "--address", sidecar.address)


def reconciled(sidecar: Sidecar, statement: str, *words: str) -> subprocess.CompletedProcess[str]:
    """A comparison of the portfolio with a statement."""
    return asked(sidecar, "reconcile", "--portfolio", "swing", "--statement", statement, *words)


def told(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """The report, as JSON."""
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def quantity(sidecar: Sidecar, symbol: str) -> str:
    """How much of it is open."""
    with lotkeeper.connect(sidecar.address, portfolio="swing") as ledger:
        return ",".join(str(each.total_quantity) for each in ledger.get_summary(symbols=[symbol]).positions)


AGREEING = ("AAPL,long,10,100,", "MSFT,long,2,50,")


def test_what_agrees_is_said_and_exits_0(sidecar: Sidecar, tmp_path: Path) -> None:
    """Counts first, in a pipe without one control character."""
    done = reconciled(sidecar, table(tmp_path, *AGREEING), "--complete")
    lines = done.stdout.splitlines()

    assert (done.returncode, done.stderr) == (0, "")
    assert lines[0].startswith("reconciliation R")
    assert lines[0].endswith("dry run, nothing is changed")
    assert lines[1] == "broker positions 2, tracked 2, orphaned 0"
    assert lines[2] == "2 agree, 0 differences"
    assert lines[-1] == "agreed: nothing to do"
    assert "\x1b" not in done.stdout


def test_what_differs_is_shown_side_by_side_and_exits_3(sidecar: Sidecar, tmp_path: Path) -> None:
    """What the broker has, what we have; the position that nobody watches comes first. Nothing is changed."""
    done = reconciled(
        sidecar, table(tmp_path, "AAPL,long,4,100,", "MSFT,long,2,50,", "TSLA,short,5,200,"), "--complete"
    )
    orphan, mismatch = (line for line in done.stdout.splitlines() if line.startswith("D") and ": " not in line)

    assert done.returncode == 3, done.stderr
    assert "broker positions 3, tracked 2, orphaned 1: not being watched" in done.stdout
    assert "orphaned position" in orphan
    assert orphan.split()[orphan.split().index("TSLA") + 1 :][:4] == ["-5", "at", "200.0000", "nothing"]
    assert "quantity mismatch" in mismatch
    assert "4 at 100.0000" in mismatch
    assert "10 at 100.0000" in mismatch
    assert done.stdout.splitlines()[-1].startswith("next: ")
    assert quantity(sidecar, "AAPL") == "10"


def test_an_empty_file_that_does_not_say_that_it_is_complete_is_not_known_and_exits_4(
    sidecar: Sidecar, tmp_path: Path
) -> None:
    """A broker's error delivered as an empty list closes nothing."""
    done = reconciled(sidecar, table(tmp_path), "--apply")

    assert done.returncode == 4, done.stdout
    assert "the broker's side is not complete" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("not known")
    assert quantity(sidecar, "AAPL") == "10"


def test_apply_records_the_brokers_own_executions_and_another_run_agrees(sidecar: Sidecar, tmp_path: Path) -> None:
    """Closed while nobody looked: the exact price comes from its history."""
    positions = [{"symbol": "MSFT", "side": "POSITION_SIDE_LONG", "quantity": "2", "averagePrice": "50"}]
    statement = document(tmp_path, positions=positions, fills=[sold("AAPL", "10", "120", "X-1")])
    dry, done, again = (reconciled(sidecar, statement, *words) for words in ((), ("--apply",), ()))

    assert dry.returncode == 3, dry.stderr
    assert "record 1 execution" in dry.stdout
    assert "+200.00" in dry.stdout
    assert "sell 10 AAPL at 120.0000 in swing (execution X-1)" in dry.stdout
    assert done.returncode == 0, done.stderr
    assert "done: record 1 execution" in done.stdout
    assert done.stdout.splitlines()[-1] == "agreed, after 1 repaired: another run finds nothing"
    assert again.returncode == 0
    with lotkeeper.connect(sidecar.address, portfolio="swing") as ledger:
        (trade,) = ledger.list_closed_trades(symbol="AAPL")
    assert (trade.exit_fill_id, str(trade.net_pnl)) == ("X-1", "200")


def test_json_is_the_report_for_programs(sidecar: Sidecar, tmp_path: Path) -> None:
    """Fields named as in the contract, decimals as strings; the exit code is the same."""
    done = reconciled(sidecar, table(tmp_path, "AAPL,long,4,100,", "MSFT,long,2,50,"), "--complete", "--json")
    (found,) = told(done)["discrepancies"]

    assert done.returncode == 3
    assert (found["kind"], found["ledger_quantity"], found["broker_quantity"]) == ("QUANTITY_MISMATCH", "10", "4")


def test_the_life_of_a_difference(sidecar: Sidecar, tmp_path: Path) -> None:
    """Listed, resolved after a look at its effect, taken back; the id stays from run to run."""
    statement = table(tmp_path, "AAPL,long,10,100,", "MSFT,long,2,50,", "TSLA,short,5,200,")
    (found,) = told(reconciled(sidecar, statement, "--complete", "--json"))["discrepancies"]
    name = found["discrepancy_id"]
    again = told(reconciled(sidecar, statement, "--complete", "--json"))["discrepancies"][0]["discrepancy_id"]
    listed = asked(sidecar, "discrepancies")
    shown = asked(sidecar, "resolve", name, "--adopt", "swing", "--price", "201")
    before = quantity(sidecar, "TSLA")
    done = asked(sidecar, "resolve", name, "--adopt", "swing", "--price", "201", "--apply")
    after = quantity(sidecar, "TSLA")
    resolution = json.loads(asked(sidecar, "discrepancies", "--all", "--json").stdout.splitlines()[0])["resolution"]
    undone = asked(sidecar, "undo", resolution["resolution_id"], "--reason", "wrong book", "--apply")

    assert name == again
    assert name in listed.stdout
    assert "sell 5 TSLA at 201.0000 in swing (synthetic)" in shown.stdout
    assert shown.stdout.splitlines()[-1].startswith("dry run")
    assert done.stdout.splitlines()[-1] == "adopted; no exit is watching it"
    assert (before, after) == ("", "5")
    assert undone.stdout.splitlines()[-1].startswith("open again")
    assert [each.returncode for each in (listed, shown, done, undone)] == [0] * 4
    assert quantity(sidecar, "TSLA") == "0"


def test_what_is_ignored_stays_known_and_does_not_count(sidecar: Sidecar, tmp_path: Path) -> None:
    """A nightly check is 0 again, until the quantities change."""
    statement = table(tmp_path, "AAPL,long,10,100,", "MSFT,long,2,50,", "TSLA,short,5,200,")
    (found,) = told(reconciled(sidecar, statement, "--complete", "--json"))["discrepancies"]
    asked(sidecar, "resolve", found["discrepancy_id"], "--ignore", "a gift", "--apply")
    ignored = reconciled(sidecar, statement, "--complete")
    changed = reconciled(sidecar, table(tmp_path, *AGREEING, "TSLA,short,6,200,"), "--complete")

    assert ignored.returncode == 0, ignored.stdout
    assert "ignored" in ignored.stdout
    assert changed.returncode == 3


def test_what_cannot_be_done_is_said_in_one_line(sidecar: Sidecar, tmp_path: Path) -> None:
    """With exit code 1: no such portfolio, account, difference or resolution; the other trading mode."""
    statement = table(tmp_path, *AGREEING)
    for words in (
        ("reconcile", "--statement", statement, "--portfolio", "nobody"),
        ("reconcile", "--account", "nobody"),
        ("reconcile", "--statement", statement, "--portfolio", "swing", "--mode", "paper"),
        ("resolve", "D99.0", "--accept"),
        ("undo", "S99.0", "--reason", "why not"),
    ):
        done = asked(sidecar, *words)
        assert (done.returncode, done.stdout) == (1, ""), words
        assert len(done.stderr.splitlines()) == 1


def test_a_wrong_file_is_refused_with_its_lines(sidecar: Sidecar, tmp_path: Path) -> None:
    """Nothing of it is used; a JSON statement names the field."""
    rows = reconciled(sidecar, table(tmp_path, "AAPL,long,10,100,", "MSFT,buy,2,50,"), "--complete")
    field = reconciled(sidecar, document(tmp_path, postions=[]))

    assert (rows.returncode, field.returncode) == (1, 1)
    assert "line 3: side 'buy' is neither long nor short" in rows.stderr
    assert "postions" in field.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("reconcile",), "one of them"),
        (("reconcile", "--account", "main", "--statement", __file__), "one of them"),
        (("reconcile", "--account", "main", "--complete"), "--complete"),
        (("reconcile", "--account", "main", "--mode", "real"), "real"),
        (("recover", "--account", "main"), "--portfolio"),
        (("recover", "--account", "main", "--portfolio", "p", "--shared-with", "q"), "--shared-with"),
        (("resolve", "D1.0"), "say one of them"),
        (("resolve", "D1.0", "--accept", "--ignore", "x"), "say one of them"),
        (("resolve", "D1.0", "--accept", "--price", "3"), "belong to --adopt"),
        (("undo", "S1.0"), "--reason"),
        (("report", "--day", "noon"), "no day"),
    ],
)
def test_a_question_that_makes_no_sense_is_a_wrong_command_line(words: tuple[str, ...], said: str) -> None:
    """Before anybody is asked, with exit code 2."""
    done = lotkeeper_(*words)

    assert done.returncode == 2
    assert said in " ".join(done.stderr.replace("│", " ").split())


def test_a_json_statement_says_itself_whether_it_is_complete(tmp_path: Path) -> None:
    """The flag is for tables."""
    done = lotkeeper_("reconcile", "--statement", document(tmp_path), "--complete")

    assert done.returncode == 2
    assert "positionsComplete" in done.stderr
