"""Open positions move in where no fills were kept: a lot for each, marked synthetic, once."""

from __future__ import annotations

import json

import pytest

from lotkeeperd.intake.problems import UnreadableFile
from lotkeeperd.intake.report import Counts
from lotkeeperd.storage.engines import database_url
from lotkeeperd.storage.verify import verify
from tests.intake.moving import House

POSITIONS = {
    "AAPL": {"side": "long", "quantity": 10, "average": 150.25, "opened": "2024-01-05"},
    "MSFT": {"side": "short", "quantity": 4, "average": "310.5", "opened": "2024-01-06"},
    "GOOG": {"side": "long", "quantity": 0.0, "average": 0, "opened": "2024-01-06"},
}
MAP = """
[columns]
symbol = "key"
price = "average"
fill_time = "opened"
[constants]
portfolio_id = "p"
[time]
zone = "UTC"
"""
LOTS = (
    "SELECT symbol, side, remaining_quantity, entry_price, entry_time, synthetic FROM position_entries ORDER BY symbol"
)


def texts(rows: list[tuple[object, ...]]) -> list[tuple[str, ...]]:
    """Rows of either database alike."""
    return [tuple(str(int(cell) if isinstance(cell, bool) else cell) for cell in row) for row in rows]


def test_each_position_is_one_synthetic_lot(either_house: House) -> None:
    """With its price and its date; what has nothing open is passed over; the journal rebuilds to it (law 13)."""
    file = either_house.file("positions.json", json.dumps(POSITIONS))

    report = either_house.imported(file, toml=MAP, positions=True)

    assert report.counts == Counts(read=3, opened=2, skipped=1)
    assert texts(either_house.rows(LOTS)) == [
        ("AAPL", "LONG", "10", "150.25", "1704412800000000000", "1"),
        ("MSFT", "SHORT", "4", "310.5", "1704499200000000000", "1"),
    ]
    assert verify(database_url(either_house.database), lambda _done, _of: None).differences == []


def test_another_run_finds_them(either_house: House) -> None:
    """A position that has changed meanwhile is refused, and not added."""
    either_house.imported(either_house.file("a.json", json.dumps(POSITIONS)), toml=MAP, positions=True)
    changed = POSITIONS | {"AAPL": POSITIONS["AAPL"] | {"quantity": 12}}

    report = either_house.imported(either_house.file("b.json", json.dumps(changed)), toml=MAP, positions=True)

    assert report.counts == Counts(read=3, already_there=1, skipped=1, refused=1)
    assert report.refused[0].place == "AAPL"
    assert "quantity 10, not 12" in report.refused[0].why


def test_several_lots_of_a_symbol_are_several_lots(house: House) -> None:
    """Each row is one, also when two are equal; signs say the side where the map says so."""
    text = "symbol,quantity,price\nA,1,10\nA,1,10\nA,2,11\nB,-3,20\n"

    report = house.fills(text, toml="[numbers]\nsigned = true", positions=True)
    again = house.fills(text, toml="[numbers]\nsigned = true", positions=True)

    assert report.counts == Counts(read=4, opened=4)
    assert again.counts == Counts(read=4, already_there=4)
    assert [(after.symbol, after.side, str(after.quantity)) for after in report.positions] == [
        ("A", "LONG", "4"),
        ("B", "SHORT", "-3"),
    ]


def test_what_closes_a_synthetic_lot_is_marked_too(house: House) -> None:
    """No venue execution stands behind its entry."""
    house.fills("symbol,side,quantity,price,fill_time\nA,long,1,10,2024-01-05T00:00:00Z\n", positions=True)

    house.fills("fill_id,symbol,side,quantity,price,fill_time\n1,A,sell,1,12,2024-01-06T00:00:00Z\n")

    assert house.rows("SELECT net_pnl, synthetic FROM completed_trades") == [("2", 1)]


def test_a_synthetic_exit_marks_what_it_closes(house: House) -> None:
    """The entry was executed, the exit was not."""
    head = "fill_id,symbol,side,quantity,price,fill_time,synthetic\n"

    house.fills(head + "1,A,buy,1,10,2024-01-05T00:00:00Z,\n2,A,sell,1,12,2024-01-06T00:00:00Z,yes\n")

    assert house.rows("SELECT synthetic FROM position_entries") == [(0,)]
    assert house.rows("SELECT synthetic FROM completed_trades") == [(1,)]


def test_a_position_against_open_lots_is_refused(house: House) -> None:
    """A short beside longs of the same symbol is no position of a netting account."""
    text = "symbol,side,quantity,price\nA,long,1,10\nA,short,1,10\n"

    report = house.fills(text, positions=True)

    assert "'A' is LONG 1" in report.refused[0].why
    assert not report.written


def test_a_position_needs_its_price(house: House) -> None:
    """An average is what its P&L will be counted from."""
    with pytest.raises(UnreadableFile, match="one for price"):
        house.fills("symbol,side,quantity\n", positions=True)
