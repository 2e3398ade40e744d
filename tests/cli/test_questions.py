"""``lotkeeper summary`` of the past and by other methods, and ``lotkeeper explain``, against a real sidecar that has lived."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from decimal import Decimal

import pytest

import lotkeeper
from lotkeeper import InstrumentKind, PositionMode, PositionSide, Side
from tests.cli.test_commands import lotkeeper_
from tests.support.sidecar import Sidecar


@pytest.fixture(scope="module")
def sidecar(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sidecar]:
    """Fees in two coins, a correction, cash, both sides open, two currencies, a group."""
    with Sidecar(str(tmp_path_factory.mktemp("questions") / "lotkeeper.db")) as running:
        with lotkeeper.connect(running.address, portfolio="desk") as ledger:
            ledger.create_portfolio(request_id="desk", base_currency="USD", initial_cash={"USD": "10000"})
            ledger.create_entry(symbol="A", quantity="2", entry_price="100", entry_fill_id="F-1", fee="0.5")
            ledger.create_entry(symbol="A", quantity="2", entry_price="110", entry_fill_id="F-2")
            ledger.close_fifo(
                symbol="A", quantity="1", exit_price="130", exit_fill_id="F-3", fee="0.01", fee_currency="BNB"
            )
            ledger.correct_fill(request_id="fix", symbol="A", fill_id="F-1", price="90", reason="venue")
            ledger.define_instrument(request_id="eur", symbol="DAX", kind=InstrumentKind.EQUITY, quote_currency="EUR")
            ledger.create_entry(symbol="DAX", quantity="1", entry_price="50", entry_fill_id="D-1", group_id="pair")
            ledger.set_marks(marks={"A": "150", "DAX": "60"})
        with lotkeeper.connect(running.address, portfolio="hedge") as ledger:
            ledger.create_portfolio(request_id="hedge", position_mode=PositionMode.HEDGING)
            for number, side in enumerate((PositionSide.LONG, PositionSide.SHORT)):
                bought = Side.BUY if side is PositionSide.LONG else Side.SELL
                ledger.record_fill(
                    symbol="H",
                    side=bought,
                    quantity=str(number + 1),
                    price="10",
                    fill_id=f"H-{number}",
                    position_side=side,
                )
        yield running


def asked(sidecar: Sidecar, *words: str) -> subprocess.CompletedProcess[str]:
    """A question about the desk."""
    return lotkeeper_(*words, "--address", sidecar.address, "--portfolio", "desk")


def row(text: str, symbol: str) -> list[str]:
    """The row of a symbol."""
    return next(line.split() for line in text.splitlines() if line.split()[1:2] == [symbol])


def test_summary_has_the_currency_of_every_amount_cash_value_and_groups(sidecar: Sidecar) -> None:
    """In a pipe, without a control character; what has no rate is named."""
    done = asked(sidecar, "summary")

    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout
    assert row(done.stdout, "A")[-8:] == ["140.00", "USD", "40.00", "USD", "0.25", "USD", "39.75~", "USD"]
    assert row(done.stdout, "DAX")[6:8] == ["10.00", "EUR"]
    lines = done.stdout.splitlines()
    assert "desk USD: cash 9,729.50; total value 10,179.50; fees without a rate 0.01 BNB" in lines
    assert any(line.startswith("desk EUR: cash -50.00; total value 10.00") for line in lines)
    assert any(line.startswith("desk in USD: ") and line.endswith("without a rate BNB, EUR") for line in lines)
    assert any(line.split()[:4] == ["pair", "desk", "1", "leg"] for line in lines)


def test_summary_tells_the_books_of_a_hedging_portfolio_apart(sidecar: Sidecar) -> None:
    """By the side of the book."""
    done = lotkeeper_("summary", "--address", sidecar.address, "--portfolio", "hedge")

    books = [line.split()[1:5] for line in done.stdout.splitlines() if line.startswith("  hedge")]
    assert books == [["H", "LONG", "LONG", "1"], ["H", "SHORT", "SHORT", "2"]]


def test_summary_shows_what_the_ledger_said_then(sidecar: Sidecar) -> None:
    """Before the correction, at a sequence and at a time; valued only at the marks that are given."""
    then = asked(sidecar, "summary", "--as-of", "4", "--mark", "A=150")
    unpriced = asked(sidecar, "summary", "--as-of", "4")
    early = asked(sidecar, "summary", "--as-of", "2001-01-01")

    assert row(then.stdout, "A")[2:8] == ["LONG", "3", "106.6667", "150.0000", "130.00", "USD"]
    assert "journal at 4" in then.stdout
    assert row(unpriced.stdout, "A")[5] == "unknown"
    assert early.returncode == 1
    assert "'desk'" in early.stderr


def test_summary_shows_the_same_executions_by_another_method(sidecar: Sidecar) -> None:
    """Beside the live books, which stay FIFO."""
    view = asked(sidecar, "summary", "--lot-method", "average", "--mark", "A=150", "--json")
    position = next(each for each in json.loads(view.stdout)["positions"] if each["symbol"] == "A")

    assert (position["average_entry_price"], position["gross_realized_pnl"]) == ("100", "30")
    assert "by AVERAGE" in asked(sidecar, "summary", "--lot-method", "average").stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--as-of", "noon"), "journal sequence"),
        (("--as-of", "2024-01-01T12:00:00"), "no zone"),
        (("--lot-method", "oldest"), "oldest"),
        (("--as-of", "4", "--mark", "A"), "SYMBOL=PRICE"),
        (("--as-of", "4", "--mark", "A=1_0"), "SYMBOL=PRICE"),
        (("--mark", "A=10"), "live marks"),
    ],
)
def test_a_question_that_makes_no_sense_is_a_wrong_command_line(words: tuple[str, ...], said: str) -> None:
    """Before anybody is asked."""
    done = lotkeeper_("summary", *words)

    assert done.returncode == 2
    assert said in " ".join(done.stderr.replace("│", " ").split())


def test_explain_trade_ends_with_the_sum_of_its_records(sidecar: Sidecar) -> None:
    """Every digit of it; and which trade stood in its place before."""
    with lotkeeper.connect(sidecar.address, portfolio="desk") as ledger:
        (trade,) = ledger.list_closed_trades(symbol="A")
    done = asked(sidecar, "explain", "trade", trade.trade_id)
    last = done.stdout.splitlines()[-1].split()

    assert done.returncode == 0, done.stderr
    assert last[0] == "sum"
    assert [Decimal(cell) for cell in last[1:3]] == [trade.gross_pnl, trade.entry_fee + trade.exit_fee]
    assert last[3:] == ["net", "39.75", "USD"]
    assert "in the place of T" in done.stdout
    assert "do not sum" not in done.stdout
    assert any(" F-1 " in line for line in done.stdout.splitlines())


def test_explain_position_ends_with_the_sum_of_its_records(sidecar: Sidecar) -> None:
    """Quantity, cost, P&L and fees of the position as it stands."""
    with lotkeeper.connect(sidecar.address, portfolio="desk") as ledger:
        (position,) = ledger.get_summary(symbols=["A"]).positions
    done = asked(sidecar, "explain", "position", "A")
    first, head, *lines, last = done.stdout.splitlines()

    assert first.startswith("position desk A: LONG 3, journal at ")
    assert head.split()[:2] == ["record", "what"]
    assert len(lines) == 4
    assert [Decimal(cell) for cell in last.split()[1:]] == [
        position.total_quantity,
        position.cost_basis,
        position.gross_realized_pnl,
        position.realized_fees,
        position.open_fees,
    ]


def test_explain_in_lines_of_json_is_for_scripts(sidecar: Sidecar) -> None:
    """A line per record, then what they sum to; of a hedging portfolio one book."""
    trade = [json.loads(line) for line in asked(sidecar, "explain", "position", "A", "--json").stdout.splitlines()]
    words = ("--address", sidecar.address, "--portfolio", "hedge", "--book-side", "short", "--json")
    book = [json.loads(line) for line in lotkeeper_("explain", "position", "H", *words).stdout.splitlines()]

    assert [line["event"] for line in trade] == ["record"] * 4 + ["position"]
    assert sum(Decimal(line["gross_pnl_change"]) for line in trade[:-1]) == Decimal(trade[-1]["gross_realized_pnl"])
    assert [line.get("quantity_change") for line in book] == ["-2", None]


def test_what_is_not_there_cannot_be_explained(sidecar: Sidecar) -> None:
    """In one line, with exit code 1."""
    for words in (("trade", "T99.0"), ("trade", "nonsense"), ("position", "NEVER")):
        done = asked(sidecar, "explain", *words)
        assert (done.returncode, done.stdout) == (1, "")
        assert len(done.stderr.splitlines()) == 1
