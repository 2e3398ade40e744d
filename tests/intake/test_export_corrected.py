"""What was corrected leaves the ledger as it counts now and comes back to the same positions; the journal's words on request."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from lotkeeperd.domain.accounts import CashEvent, DefineInstrument, Flow, PortfolioCommand, TermsMethod
from lotkeeperd.domain.book import Direction
from lotkeeperd.domain.commands import Command, Method
from lotkeeperd.domain.history import Amend, Amendment
from lotkeeperd.domain.instruments import Declaration, Kind, declared
from lotkeeperd.domain.portfolios import PositionMode
from lotkeeperd.domain.rates import Rate
from lotkeeperd.storage.extracts import Wanted
from tests.intake.moving import House
from tests.intake.test_export import exported, rows
from tests.storage.ledgers import NOW, bare_ledger, entry, exit_of, sold

BOOKS = (
    "SELECT portfolio_id, symbol, book_side, side, total_quantity, cost_basis, gross_realized_pnl, realized_fees, open_fees "
    "FROM books ORDER BY portfolio_id, symbol, book_side"
)
MAP = """
[file]
order = "file"
[portfolios.h]
position_mode = "HEDGING"
[instruments.BTC]
kind = "SPOT"
base_currency = "BTC"
"""


def amended(method: Amend, fill_id: str, **changes: object) -> Amendment:
    """A correction of a fill of A in p."""
    given = Amendment(method, "p", "A", f"{method.value}-{fill_id}", fill_id, reason="venue")
    return given._replace(**changes)  # type: ignore[arg-type]


def coin(command: Command, fee: str) -> Command:
    """An execution of BTC with a fee in it."""
    return command._replace(symbol="BTC", fee=Decimal(fee), fee_currency="BTC")


@pytest.fixture
def corrected(either_house: House) -> House:
    """A bust, a correction that moves a fill in time, a fee that came later, a late fill, fees in the coin, both sides open."""
    btc = declared(Declaration("BTC", Kind.SPOT, base_currency="BTC"), "USD")
    hedging = PortfolioCommand(TermsMethod.CREATE, "h", "h", (("position_mode", PositionMode.HEDGING),))
    with bare_ledger(either_house.database) as ledger:
        ledger.all_taken(DefineInstrument(btc, "btc"), hedging)
        ledger.taken(
            entry(10, "4", "100", fee=Decimal(1)),
            entry(20, "2", "90"),
            exit_of(30, "3", "120"),
            entry(40, "1", "95", fee_currency="USD"),
            exit_of(50, "1", "130", fee=Decimal("0.5")),
            sold(25, "1", "80", side=Direction.LONG, late=True),
            coin(entry(10, "2", "50000"), "0.002"),
            coin(exit_of(20, close_all=True)._replace(quantity=None, price=Decimal(51000)), "0.001"),
            entry(10, "5", portfolio_id="h"),
            entry(20, "2", portfolio_id="h", side=Direction.SHORT),
            sold(30, "1", "110", portfolio_id="h", book_side=Direction.LONG),
        )
        ledger.all_taken(
            amended(Amend.BUST, "f20"),
            amended(Amend.CORRECT, "f40", price=Decimal(94), time=5),
            amended(Amend.FILL_FEE, "f30", fee=Decimal("0.3"), fee_currency="USD", event_id="later"),
            CashEvent(Flow.FUNDING, "p", "A", "USD", Decimal("-1.5"), 60, "fund-1", note="eight hours"),
            Command(Method.SPLIT, "h", "A", None, None, Decimal(), time=60, fill_id="split-1")._replace(
                details=(("denominator", "1"), ("numerator", "2"), ("note", "two for one"))
            ),
        )
    return either_house


def amounts(house: House, portfolio: str) -> list[tuple[object, ...]]:
    """The books of a portfolio, as numbers."""
    found = [row for row in house.rows(BOOKS) if row[0] == portfolio]
    return [(*row[:4], *(Decimal(str(cell)) for cell in row[4:])) for row in found]


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_what_counts_comes_back_to_the_same_positions_and_p_and_l(corrected: House, form: str, tmp_path: Path) -> None:
    """Into a ledger without a correction: quantity, cost, gross, fees. What was split is to be split again."""
    file = corrected.file(f"fills.{form}", exported(corrected, "fills", form=form))
    copy = House(tmp_path, f"sqlite:///{tmp_path}/copy.db")

    report = copy.imported(file, toml=MAP)

    assert report.refused == []
    assert amounts(copy, "p") == amounts(corrected, "p")
    assert len(amounts(copy, "p")) == 2
    assert [row[2:5] for row in amounts(copy, "h")] == [("LONG", "LONG", 4), ("SHORT", "SHORT", 2)]


def test_what_counts_is_found_again_where_it_came_from(corrected: House) -> None:
    """A venue may send either form of a corrected fill (law 8)."""
    file = corrected.file("fills.csv", exported(corrected, "fills"))

    again = corrected.imported(file, toml=MAP, apply=False)

    assert (again.counts.already_there, again.refused) == (10, [])


def test_busted_fills_are_left_out_and_late_ones_stand_in_their_place(corrected: House) -> None:
    """Unless the journal's own words are asked for."""
    asked = Wanted("p", "A")
    counting = [(row["fill_id"], row["price"], row["fee"]) for row in rows(exported(corrected, "fills", asked))]
    recorded = [row["fill_id"] for row in rows(exported(corrected, "fills", asked._replace(as_recorded=True)))]

    assert counting == [
        ("f40", "94", ""),
        ("f10", "100", "1"),
        ("f25", "80", ""),
        ("f30", "120", "0.3"),
        ("f50", "130", "0.5"),
    ]
    assert recorded == ["f10", "f20", "f30", "f40", "f50", "f25"]


def test_superseded_trades_and_entries_are_left_out_unless_asked_for(corrected: House) -> None:
    """What counts sums to what was realized; the others name the trade that took their place."""
    trades = list(rows(exported(corrected, "trades", Wanted("p", "A"))))
    every = list(rows(exported(corrected, "trades", Wanted("p", "A", as_recorded=True))))
    entries = [row["status"] for row in rows(exported(corrected, "entries", Wanted("p", "A", as_recorded=True)))]

    (book,) = [row for row in amounts(corrected, "p") if row[1] == "A"]
    assert sum(Decimal(row["gross_pnl"]) for row in trades) == book[6]
    assert {row["superseded_by"] for row in trades} == {""}
    assert len(every) > len(trades)
    assert {row["trade_id"] for row in trades} == {row["trade_id"] for row in every if not row["superseded_by"]}
    assert all(int(row["exit_sequence"]) > 0 for row in every)
    assert "SUPERSEDED" in entries
    assert "SUPERSEDED" not in exported(corrected, "entries")


def test_events_are_everything_that_is_no_execution(corrected: House) -> None:
    """Once each, by the contract's names, busts and corrections too; filters choose."""
    lines = [json.loads(line) for line in exported(corrected, "events", form="jsonl").splitlines()]

    assert [line["event"] for line in lines] == ["bust_fill", "correct_fill", "fill_fee", "funding", "split"]
    said = [{name: cell for name, cell in line.items() if cell is not None} for line in lines]
    assert (said[0]["fill_id"], said[0]["note"]) == ("f20", "venue")
    assert (said[1]["price"], said[1]["fill_time"]) == ("94", "1970-01-01T00:00:00.000000005Z")
    assert (said[2]["event_id"], said[2]["fee"], said[2]["fill_id"]) == ("later", "0.3", "f30")
    assert (said[3]["amount"], said[3]["currency"], said[3]["event_id"]) == ("-1.5", "USD", "fund-1")
    assert (said[4]["numerator"], said[4]["denominator"], said[4]["note"]) == ("2", "1", "two for one")
    table = list(rows(exported(corrected, "events")))
    assert [{name: cell for name, cell in row.items() if cell} for row in table] == [
        {name: str(cell) for name, cell in each.items()} for each in said
    ]
    for wanted, count in ((Wanted("h"), 1), (Wanted(symbol="B"), 0), (Wanted("p", since=60, until=61), 1)):
        assert len(list(rows(exported(corrected, "events", wanted)))) == count


def test_the_rate_of_a_fee_is_a_rate_of_the_contract(house: House) -> None:
    """Which currency into which, at what price, when and from where."""
    with bare_ledger(house.database) as ledger:
        ledger.rates["BNB", "USD"] = Rate("BNB", "USD", Decimal(300), NOW, "binance")
        ledger.taken(entry(10, fee=Decimal("0.01"), fee_currency="BNB"))

    (line,) = exported(house, "entries", form="jsonl").splitlines()

    rate = json.loads(line)["fee_rate"]
    assert (rate["from_currency"], rate["to_currency"], rate["rate"], rate["source"]) == (
        "BNB",
        "USD",
        "300",
        "binance",
    )
