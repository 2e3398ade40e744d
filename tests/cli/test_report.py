"""``lotkeeper report`` against a real sidecar: a day as text, JSON and CSV."""

from __future__ import annotations

import csv
import io
import json
import subprocess
from collections.abc import Iterator

import pytest

import lotkeeper
from lotkeeper import InstrumentKind, Side
from tests.cli.brokerage import table
from tests.cli.test_commands import lotkeeper_
from tests.support.sidecar import Sidecar

EVENING = 1_767_657_600_000_000_000  # 2026-01-06T00:00:00Z, the evening of the 5th in New York


@pytest.fixture(scope="module")
def sidecar(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sidecar]:
    """A desk in New York that closed trades in two currencies that evening, and disagrees with its broker; an empty one."""
    folder = tmp_path_factory.mktemp("report")
    with Sidecar(str(folder / "lotkeeper.db")) as running:
        with lotkeeper.connect(running.address, portfolio="desk") as ledger:
            ledger.create_portfolio(request_id="desk", time_zone="America/New_York")
            ledger.create_portfolio(request_id="empty", portfolio_id="empty")
            ledger.define_instrument(request_id="eur", symbol="DAX", kind=InstrumentKind.EQUITY, quote_currency="EUR")
            for symbol, side, quantity, price, fee in (
                ("A", Side.BUY, "4", "100", "0.4"),
                ("DAX", Side.BUY, "1", "50", None),
                ("A", Side.SELL, "1", "110", "0.1"),
                ("A", Side.SELL, "1", "95", None),
                ("DAX", Side.SELL, "1", "60", None),
            ):
                ledger.record_fill(
                    symbol=symbol,
                    side=side,
                    quantity=quantity,
                    price=price,
                    fee=fee,
                    fill_id=f"{symbol}{price}",
                    fill_time=EVENING,
                )
            ledger.set_marks(marks={"A": "120"})
        statement = table(folder, "A,long,1,100,")
        words = ("--portfolio", "desk", "--statement", statement, "--complete", "--apply", "--address", running.address)
        assert lotkeeper_("reconcile", *words).returncode == 3
        yield running


def asked(sidecar: Sidecar, *words: str) -> subprocess.CompletedProcess[str]:
    """The report of the sidecar."""
    return lotkeeper_("report", "--address", sidecar.address, *words)


def test_a_day_is_told_on_paper(sidecar: Sidecar) -> None:
    """By the portfolio's own clocks: realized by symbol and currency, the last reconciliation, what differs now."""
    done = asked(sidecar, "--day", "2026-01-05", "--portfolio", "desk")
    lines = [line.split() for line in done.stdout.splitlines()]

    assert (done.returncode, done.stderr) == (0, "")
    assert lines[0] == ["2026-01-05", "(America/New_York),", "portfolio", "desk"]
    assert lines[1][:6] == ["realized", "currency", "trades", "gross", "fees", "net"]
    assert lines[2] == ["A", "USD", "2", "5.00", "0.30", "4.70"]
    assert lines[3] == ["DAX", "EUR", "1", "10.00", "0.00", "10.00"]
    assert ["all", "USD", "5.00", "0.30", "4.70"] in lines
    assert any(line[:3] == ["nothing", "is", "open"] for line in lines)
    assert any("quantity mismatch" in line and "new entries of A" in line for line in done.stdout.splitlines())


def test_today_has_live_positions_and_the_last_reconciliation(sidecar: Sidecar) -> None:
    """Of all portfolios that have lived."""
    done = asked(sidecar)

    assert "nothing was closed" in done.stdout
    row = next(line.split() for line in done.stdout.splitlines() if line.startswith("A "))
    assert row == ["A", "LONG", "2", "100.0000", "120.0000", "40.00", "USD"]
    assert "against a statement (R" in done.stdout
    assert "portfolio empty" not in done.stdout
    assert "portfolio default" not in done.stdout


def test_a_portfolio_that_was_asked_for_is_told_though_nothing_happened(sidecar: Sidecar) -> None:
    """And one that is not there is refused by name."""
    quiet, nobody = asked(sidecar, "--portfolio", "empty"), asked(sidecar, "--portfolio", "nobody")

    assert "nobody had compared it with a broker yet" in quiet.stdout
    assert (nobody.returncode, nobody.stdout) == (1, "")
    assert "'nobody'" in nobody.stderr


def test_json_has_every_figure_exactly(sidecar: Sidecar) -> None:
    """Fields named as in the contract."""
    found = json.loads(asked(sidecar, "--day", "2026-01-05", "--portfolio", "desk", "--format", "json").stdout)
    (day,) = found["portfolios"]

    assert (day["day"], day["trade_count"], day["is_over"]) == ("2026-01-05", 3, True)
    assert [total["net_realized_pnl"] for total in day["realized"]] == ["4.7", "10"]
    assert day["last_reconciliation"] is None
    assert [each["discrepancy"]["kind"] for each in found["open_discrepancies"]] == ["QUANTITY_MISMATCH"]


def test_csv_is_one_table_for_a_spreadsheet(sidecar: Sidecar) -> None:
    """What a row is of stands in it."""
    rows = list(csv.DictReader(io.StringIO(asked(sidecar, "--format", "csv").stdout)))
    past = list(csv.DictReader(io.StringIO(asked(sidecar, "--day", "2026-01-05", "--format", "csv").stdout)))

    assert [row["what"] for row in rows] == ["total", "position", "reconciliation", "discrepancy"]
    assert (rows[1]["symbol"], rows[1]["quantity"], rows[1]["unrealized_pnl"]) == ("A", "2", "40")
    assert rows[3]["detail"].startswith("QUANTITY_MISMATCH: ")
    assert [(row["what"], row["symbol"], row["currency"], row["net_realized_pnl"]) for row in past[:4]] == [
        ("realized", "A", "USD", "4.7"),
        ("realized", "DAX", "EUR", "10"),
        ("total", "", "USD", "4.7"),
        ("total", "", "EUR", "10"),
    ]
