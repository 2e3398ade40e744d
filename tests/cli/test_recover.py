"""``lotkeeper recover`` against a real sidecar: shown first, groups confirmed by name, adopted, taken back."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

import lotkeeper
from tests.cli.brokerage import LONG_PUT, SHORT_PUT, bought, table
from tests.cli.test_commands import lotkeeper_
from tests.support.sidecar import Sidecar

GROUP = "SPY:2024-01-19"
SPREAD = (f"{LONG_PUT},long,1,13.20,1320", f"{SHORT_PUT},short,1,21,-2100")


@pytest.fixture
def sidecar(tmp_path: Path) -> Iterator[Sidecar]:
    """A sidecar that tracks 10 AAPL."""
    with Sidecar(str(tmp_path / "lotkeeper.db")) as running:
        bought(running.address, "swing", "AAPL", "10", "100")
        yield running


def recovered(sidecar: Sidecar, statement: str, *words: str) -> subprocess.CompletedProcess[str]:
    """The command, with a complete table."""
    told = ("--portfolio", "swing", "--statement", statement, "--complete", "--address", sidecar.address)
    return lotkeeper_("recover", *told, *words)


def lots(sidecar: Sidecar) -> dict[str, tuple[Decimal, str, bool]]:
    """Price, group and mark of the lots of every symbol but AAPL."""
    with lotkeeper.connect(sidecar.address, portfolio="swing") as ledger:
        entries = ledger.list_entries()
        return {
            each.symbol: (each.entry_price, each.group_id, each.synthetic) for each in entries if each.symbol != "AAPL"
        }


def test_a_dry_run_shows_what_would_be_adopted_and_changes_nothing(sidecar: Sidecar, tmp_path: Path) -> None:
    """Exit code 3: it is still orphaned."""
    done = recovered(sidecar, table(tmp_path, "AAPL,long,10,100,", "TSLA,short,5,200,"))
    lines = done.stdout.splitlines()

    assert (done.returncode, done.stderr) == (3, "")
    assert lines[0] == "broker positions 2, tracked 1, orphaned 1: not being watched"
    assert lines[4].split()[1:4] == ["TSLA", "-5", "200.0000"]
    assert lines[4].split()[4:] == ["would", "be", "adopted", "into", "swing"]  # and no resolution is named
    assert lines[-1].startswith("dry run")
    assert lots(sidecar) == {}


def test_what_is_adopted_is_marked_and_watched_by_nobody_and_agrees(sidecar: Sidecar, tmp_path: Path) -> None:
    """At the broker's average; a second run finds nothing orphaned, and the ledger agrees with the broker."""
    statement = table(tmp_path, "AAPL,long,10,100,", "TSLA,short,5,200,")
    done = recovered(sidecar, statement, "--apply")
    again = recovered(sidecar, statement, "--apply")
    compared = lotkeeper_(
        "reconcile", "--portfolio", "swing", "--statement", statement, "--complete", "--address", sidecar.address
    )

    assert done.returncode == 0, done.stdout
    assert "adopted; no exit is watching it" in done.stdout
    assert lots(sidecar) == {"TSLA": (Decimal(200), "", True)}
    assert again.returncode == 0
    assert again.stdout.splitlines()[-1] == "nothing is orphaned"
    assert compared.returncode == 0, compared.stdout


def test_legs_wait_until_their_group_is_confirmed(sidecar: Sidecar, tmp_path: Path) -> None:
    """A long put at +1,320 and a short put at -2,100 are a credit of 780, but never merged silently."""
    statement = table(tmp_path, "AAPL,long,10,100,", *SPREAD)
    silent = recovered(sidecar, statement, "--apply")
    waiting = lots(sidecar)
    done = recovered(sidecar, statement, "--apply", "--group", GROUP)

    assert silent.returncode == 3
    assert "entry credit 780.00 per contract" in silent.stdout
    assert f"--group {GROUP} or --ungrouped" in silent.stdout.splitlines()[-1]
    assert waiting == {}
    assert done.returncode == 0, done.stdout
    assert lots(sidecar) == {LONG_PUT: (Decimal("13.2"), GROUP, True), SHORT_PUT: (Decimal(21), GROUP, True)}
    with lotkeeper.connect(sidecar.address, portfolio="swing") as ledger:
        (group,) = ledger.get_summary(include_groups=True).groups
    assert (group.entry_credit, group.entry_credit_per_contract) == (Decimal(780), Decimal(780))


def test_legs_may_stand_alone(sidecar: Sidecar, tmp_path: Path) -> None:
    """When somebody says so."""
    done = recovered(sidecar, table(tmp_path, "AAPL,long,10,100,", *SPREAD), "--apply", "--ungrouped")

    assert done.returncode == 0, done.stdout
    assert {group for _, group, _ in lots(sidecar).values()} == {""}


def test_a_group_that_is_not_there_adopts_nothing(sidecar: Sidecar, tmp_path: Path) -> None:
    """A wrong expiry, or legs that are not alike: said in one line, with exit code 1."""
    uneven = (f"{LONG_PUT},long,2,13.20,2640", SPREAD[1])
    for rows, group, said in (
        (SPREAD, "SPY:2024-01-26", f"there is {GROUP}"),
        (uneven, GROUP, "not alike in quantity"),
    ):
        done = recovered(sidecar, table(tmp_path, *rows), "--apply", "--group", group)
        assert (done.returncode, done.stdout) == (1, "")
        assert said in done.stderr
    assert lots(sidecar) == {}


def test_what_another_portfolio_of_the_account_tracks_is_no_orphan(sidecar: Sidecar, tmp_path: Path) -> None:
    """Their sum is compared; adopting it would count it twice."""
    bought(sidecar.address, "day", "TSLA", "5", "200")
    statement = table(tmp_path, "AAPL,long,10,100,", "TSLA,long,5,200,")
    done = recovered(sidecar, statement, "--shared-with", "day", "--apply")

    assert done.returncode == 0, done.stdout
    assert done.stdout.splitlines()[-1] == "nothing is orphaned"


def test_json_is_a_line_per_orphan(sidecar: Sidecar, tmp_path: Path) -> None:
    """With what it was adopted as, or why it was not."""
    done = recovered(sidecar, table(tmp_path, "TSLA,short,5,200,", "NVDA,long,1,,", *SPREAD), "--apply", "--json")
    found = {line["symbol"]: line for line in map(json.loads, done.stdout.splitlines())}

    assert done.returncode == 3
    assert found["TSLA"]["resolution_id"].startswith("S")
    assert found["TSLA"]["entry_price"] == "200"
    assert "--price" in found["NVDA"]["refusal"]
    assert (found[LONG_PUT]["suggested_group"], found[LONG_PUT]["sequence"]) == (GROUP, 0)
