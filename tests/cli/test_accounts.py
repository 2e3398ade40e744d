"""Broker accounts as an operator configures them: a table in the file, a broker on loopback, a report in the ledger."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import lotkeeper
from lotkeeper import DiscrepancyKind, Side
from lotkeeper.errors import BrokerUnavailable, NotReconciled
from tests.support.brokers import FakeBrokers, Status
from tests.support.sidecar import DidNotStart, Sidecar
from tests.support.waiting import eventually

TABLE = """
[accounts.alpaca-1]
broker = "alpaca"
url = "{url}"
key = "env:FAKE_KEY"
secret = "env:FAKE_SECRET"
portfolios = ["swing"]
believe_after = 0
answer_seconds = 10
every = 0
"""


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeBrokers]:
    """The brokers, and their keys in the environment of every sidecar."""
    with FakeBrokers() as running:
        for name, value in running.environment.items():
            monkeypatch.setenv(name, value)
        yield running


def configured(folder: Path, fakes: FakeBrokers, more: str = "") -> Sidecar:
    """A sidecar with the account."""
    path = folder / "lotkeeper.toml"
    path.write_text(TABLE.format(url=fakes.url("alpaca")) + more)
    return Sidecar(str(folder / "x.db"), "--config", str(path))


@contextmanager
def swinging(sidecar: Sidecar) -> Iterator[lotkeeper.Ledger]:
    """A client of the account's portfolio."""
    with lotkeeper.connect(sidecar.address, portfolio="swing") as ledger:
        yield ledger


def test_before_the_first_call_is_answered_the_broker_was_asked(tmp_path: Path, fakes: FakeBrokers) -> None:
    """Of a ledger that is still empty, too: what the broker holds is watched by nobody."""
    fakes.alpaca.hold("AAPL", "10", "150")
    with configured(tmp_path, fakes) as sidecar, swinging(sidecar) as ledger:
        (report,) = ledger.list_reconciliations(broker_account="alpaca-1")
        (found,) = ledger.list_discrepancies(broker_account="alpaca-1")
    assert (report.asked_by, report.orphaned_count, report.complete) == ("start", 1, True)
    assert (found.discrepancy.kind, found.discrepancy.symbol) == (DiscrepancyKind.ORPHANED_POSITION, "AAPL")


def test_a_bot_that_requires_agreement_starts_on_books_that_are_the_brokers(tmp_path: Path, fakes: FakeBrokers) -> None:
    """And on no others."""
    fakes.alpaca.hold("AAPL", "10", "150")
    fakes.alpaca.fill("f1", "AAPL", "buy", "10", "150", order_id="o1")
    fakes.alpaca.cash["USD"] = "-1500"
    with configured(tmp_path, fakes) as sidecar, swinging(sidecar) as ledger:
        with pytest.raises(NotReconciled):
            ledger.reconcile_on_startup(broker_account="alpaca-1", require_agreement=True)
        (fill,) = (
            one.fill
            for found in ledger.reconcile(broker_account="alpaca-1").discrepancies
            for one in found.proposed_fills
        )
        assert fill is not None
        ledger.record_fill(
            symbol="AAPL", side=Side.BUY, quantity=10, price=150, fill_id=fill.fill_id, fill_time=fill.fill_time
        )
        report = ledger.reconcile_on_startup(broker_account="alpaca-1", require_agreement=True)
    assert report.matched_count == 1


def test_a_broker_that_fails_proves_nothing_and_the_ledger_serves(tmp_path: Path, fakes: FakeBrokers) -> None:
    """Loudly: the log says that nothing is known, and whoever asks is told so."""
    fakes.alpaca.script(Status(401))
    with configured(tmp_path, fakes) as sidecar, swinging(sidecar) as ledger:
        ledger.create_entry(symbol="AAPL", quantity=1, entry_price=150, request_id="r1")
        with pytest.raises(BrokerUnavailable, match="'alpaca-1'"):
            ledger.reconcile(broker_account="alpaca-1")
        assert list(ledger.list_reconciliations()) == []
        assert "NOTHING IS KNOWN" in sidecar.stderr


def test_executions_wait_for_a_broker_where_the_configuration_says_so(tmp_path: Path, fakes: FakeBrokers) -> None:
    """Reads go on; the next answer lets the executions go on as well."""
    fakes.alpaca.script(Status(401))
    with configured(tmp_path, fakes, 'unreachable = "halt"\n') as sidecar, swinging(sidecar) as ledger:
        with pytest.raises(BrokerUnavailable, match="executions wait"):
            ledger.create_entry(symbol="AAPL", quantity=1, entry_price=150, request_id="r1")
        ledger.create_entry(symbol="AAPL", quantity=1, entry_price=150, request_id="r1", portfolio_id="other")
        fakes.alpaca.heal()
        ledger.reconcile(broker_account="alpaca-1")
        assert ledger.create_entry(symbol="AAPL", quantity=1, entry_price=150, request_id="r1").entry.quantity == 1


def test_a_server_that_demands_an_answer_does_not_start_without_one(tmp_path: Path, fakes: FakeBrokers) -> None:
    """One line that names the account and the setting."""
    fakes.alpaca.script(Status(401))
    with pytest.raises(DidNotStart) as refused:
        configured(tmp_path, fakes, 'unreachable = "exit"\n').start()
    assert refused.value.code == 1
    assert "account alpaca-1" in refused.value.stderr
    assert "Traceback" not in refused.value.stderr


def test_on_the_schedule_what_happens_at_the_broker_is_found(tmp_path: Path, fakes: FakeBrokers) -> None:
    """And repaired where the configuration says so."""
    table = TABLE.replace("every = 0", "every = 5\nat_start = false\napply = true")
    path = tmp_path / "lotkeeper.toml"
    path.write_text(table.format(url=fakes.url("alpaca")))
    with Sidecar(str(tmp_path / "x.db"), "--config", str(path)) as sidecar, swinging(sidecar) as ledger:
        ledger.record_fill(
            symbol="AAPL",
            side=Side.BUY,
            quantity=10,
            price=150,
            fill_id="in",
            fill_time=time.time_ns() - 8 * 86_400 * 10**9,
        )
        fakes.alpaca.fill("f1", "AAPL", "sell", "10", "160", order_id="o1")
        eventually(lambda: list(ledger.list_closed_trades()))
        (trade,) = ledger.list_closed_trades()
        reports = list(ledger.list_reconciliations(broker_account="alpaca-1"))
    assert trade.gross_pnl == 100
    assert {report.asked_by for report in reports} == {"schedule"}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("colour = 'red'\n", '[accounts.alpaca-1] broker "alpaca", colour: is no option of this broker'),
        ("rules = [{ action = 'shrug' }]\n", "[accounts.alpaca-1] rules[0].action: 'shrug'"),
    ],
)
def test_a_table_that_cannot_be_meant_is_said_before_anything_starts(
    more: str, said: str, tmp_path: Path, fakes: FakeBrokers
) -> None:
    """By account and key."""
    with pytest.raises(DidNotStart) as refused:
        configured(tmp_path, fakes, more).start()
    assert said in refused.value.stderr
    assert not (tmp_path / "x.db").exists()
