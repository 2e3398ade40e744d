"""``lotkeeper reconcile`` and ``recover`` of a configured account, with a broker on loopback."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.brokerage import LONG_PUT, SHORT_PUT, bought
from tests.cli.test_accounts import TABLE
from tests.cli.test_commands import lotkeeper_
from tests.support.brokers import FakeBrokers, Status
from tests.support.sidecar import Sidecar


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeBrokers]:
    """A broker that holds 10 AAPL, and its keys in the sidecar's environment."""
    with FakeBrokers() as running:
        for name, value in running.environment.items():
            monkeypatch.setenv(name, value)
        running.alpaca.hold("AAPL", "10", "100")
        running.alpaca.cash["USD"] = "-1000"
        yield running


@pytest.fixture
def sidecar(tmp_path: Path, fakes: FakeBrokers) -> Iterator[Sidecar]:
    """A sidecar that tracks them, with the account."""
    path = tmp_path / "lotkeeper.toml"
    path.write_text(TABLE.format(url=fakes.url("alpaca")) + "at_start = false\n", encoding="utf-8")
    with Sidecar(str(tmp_path / "lotkeeper.db"), "--config", str(path)) as running:
        bought(running.address, "swing", "AAPL", "10", "100")
        yield running


def asked(sidecar: Sidecar, *words: str) -> subprocess.CompletedProcess[str]:
    """The command, about the account."""
    return lotkeeper_(*words, "--account", "alpaca-1", "--address", sidecar.address)


def test_the_sidecar_asks_the_broker_and_knows_who_shares_the_account(sidecar: Sidecar) -> None:
    """Nothing but its name is said."""
    done = asked(sidecar, "reconcile")

    assert (done.returncode, done.stderr) == (0, "")
    assert "all its portfolios against account alpaca-1" in done.stdout
    assert "broker positions 1, tracked 1, orphaned 0" in done.stdout


def test_what_the_account_holds_beside_it_is_adopted(sidecar: Sidecar, fakes: FakeBrokers) -> None:
    """By the portfolio that is named; legs by the credit that the broker's averages make."""
    fakes.alpaca.hold(LONG_PUT, "1", "13.20", part="us_option")
    fakes.alpaca.hold(SHORT_PUT, "-1", "21", part="us_option")
    dry = asked(sidecar, "recover", "--portfolio", "swing")
    done = asked(sidecar, "recover", "--portfolio", "swing", "--group", "SPY:2024-01-19", "--apply")
    again = asked(sidecar, "recover", "--portfolio", "swing")

    assert dry.returncode == 3, dry.stderr
    assert "entry credit 780.00 per contract" in dry.stdout
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("adopted; no exit is watching it") >= 2
    assert again.stdout.splitlines()[-1] == "nothing is orphaned"


def test_a_broker_that_does_not_answer_is_not_known_and_exits_4(sidecar: Sidecar, fakes: FakeBrokers) -> None:
    """In one line, without a key in it."""
    fakes.alpaca.script(Status(401))
    for words in (("reconcile",), ("recover", "--portfolio", "swing")):
        done = asked(sidecar, *words)
        assert (done.returncode, done.stdout) == (4, "")
        assert len(done.stderr.splitlines()) == 1
        assert fakes.environment["FAKE_KEY"] not in done.stderr


def test_a_list_that_broke_off_closes_nothing(sidecar: Sidecar, fakes: FakeBrokers) -> None:
    """The history came, the positions did not: what is tracked stays, and the exit code is 4."""
    fakes.alpaca.script(Status(500, path="/v2/positions"))
    done = asked(sidecar, "reconcile", "--apply")

    assert done.returncode == 4, done.stdout + done.stderr
    assert "missing at broker" not in done.stdout
