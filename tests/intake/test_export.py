"""What leaves the ledger comes back as it was."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from lotkeeperd.domain.book import Direction
from lotkeeperd.domain.decimals import plain
from lotkeeperd.domain.times import moment
from lotkeeperd.export import export
from lotkeeperd.storage.engines import CannotStart
from lotkeeperd.storage.extracts import Wanted
from tests.intake.moving import FILLS, House
from tests.storage.ledgers import bare_ledger, entry, exit_of, sold
from tests.support.plain_sql import PlainSql

ALL = Wanted()
EVERYTHING = {
    "entries": "SELECT * FROM position_entries ORDER BY sequence",
    "trades": 'SELECT * FROM completed_trades ORDER BY sequence, "index"',
    "positions": "SELECT * FROM current_positions ORDER BY portfolio_id, symbol",
}


def exported(house: House, kind: str, wanted: Wanted = ALL, form: str = "csv") -> str:
    """The text of an export."""
    out = io.StringIO()
    export(kind, wanted, house.database, form, None, out)
    return out.getvalue()


def rows(text: str) -> Iterator[dict[str, str]]:
    """Rows of CSV."""
    return csv.DictReader(io.StringIO(text))


@pytest.fixture
def lived(either_house: House) -> House:
    """A ledger with every arm, a split flip, a late fill, labels, rebates, synthetic lots and a fill without an id."""
    labels = (("confidence", "0,7"), ('quote"', "日本\u00a0;"))
    with bare_ledger(either_house.database) as ledger:
        ledger.taken(
            entry(10, "2.000000000000000001", "100.5", fee=Decimal("-0.1"), labels=labels, group_id="g", order_id="o"),
            entry(5, "1", request_id="r2", fill_id=""),
            exit_of(20, "2.5", reason="take, profit", fee=Decimal("0.3"), fee_currency="USD"),
            sold(30, "3", request_id="r4"),
            exit_of(40, close_all=True, fill_id="split")._replace(quantity=None),
            entry(40, "1.5", "7", fill_id="split"),
            entry(50, "1", portfolio_id="q", symbol="B", side=Direction.SHORT, synthetic=True, fill_id="s"),
        )
    return either_house


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_exported_fills_make_the_same_ledger_again(lived: House, form: str, tmp_path: Path) -> None:
    """Every entry, closed trade and position, to the digit; in the order of the file, for one of them was late."""
    file = lived.file(f"fills.{form}", exported(lived, "fills", form=form))
    copy = House(tmp_path, f"sqlite:///{tmp_path}/copy.db")

    report = copy.imported(file, form={"order": "file"})

    assert report.refused == []
    again = House(tmp_path, lived.database).imported(file, apply=False)
    assert again.counts.already_there == 6  # and one that has no id of its own
    for query in EVERYTHING.values():
        assert comparable(copy, query) == comparable(lived, query)


def comparable(house: House, query: str) -> list[list[str]]:
    """Rows of either database alike, without the ids that rows without one were given."""
    return [[_text(cell) for cell in row] for row in house.rows(query)]


def _text(cell: object) -> str:
    if isinstance(cell, Decimal):
        return plain(cell)
    text = str(int(cell) if isinstance(cell, bool) else cell)
    return "" if text.startswith("row-") else text


@pytest.mark.parametrize("kind", ["fills", "entries", "trades"])
def test_both_forms_say_the_same(lived: House, kind: str) -> None:
    """Columns in the same order; labels an object, what is unknown null or empty."""
    table = list(rows(exported(lived, kind)))
    lines = [json.loads(line) for line in exported(lived, kind, form="jsonl").splitlines()]

    assert [list(row) for row in table] == [list(line) for line in lines]
    for row, line in zip(table, lines, strict=True):
        assert json.loads(row.pop("labels") or "{}") == line.pop("labels")
        plain = {name: "" if value is None else str(value) for name, value in line.items()}
        assert row == {name: text.lower() if text in ("True", "False") else text for name, text in plain.items()}


def test_times_have_nanoseconds_and_decimals_no_exponent(lived: House) -> None:
    """As in the contract."""
    first = next(rows(exported(lived, "entries")))

    assert (first["entry_time"], first["quantity"]) == ("1970-01-01T00:00:00.000000005Z", "1")
    assert {row["quantity"] for row in rows(exported(lived, "fills"))} >= {"2.000000000000000001"}


@pytest.mark.parametrize(
    ("wanted", "fills", "entries", "trades"),
    [
        (ALL, 7, 5, 4),
        (Wanted(portfolio_id="q"), 1, 1, 0),
        (Wanted(symbol="B"), 1, 1, 0),
        (Wanted(portfolio_id="q", symbol="A"), 0, 0, 0),
        (Wanted(since=30), 4, 3, 2),
        (Wanted(until=30), 3, 2, 2),
        (Wanted(since=20, until=40), 2, 1, 3),
    ],
)
def test_filters_choose(lived: House, wanted: Wanted, fills: int, entries: int, trades: int) -> None:
    """By portfolio, symbol and time of the fill, the entry or the exit; until is not included."""
    found = [len(list(rows(exported(lived, kind, wanted)))) for kind in ("fills", "entries", "trades")]

    assert found == [fills, entries, trades]


def test_a_file_gets_its_name_when_it_is_whole(house: House) -> None:
    """An export that fails leaves the old one as it was, and nothing beside it."""
    house.fills(FILLS)
    target = house.folder / "out.csv"
    out = io.StringIO()
    assert export("fills", ALL, house.database, "csv", target, out) == 4
    before = target.read_text()
    with PlainSql(house.database) as sql:
        sql.rows("UPDATE journal SET decided = '{' WHERE sequence = 3 RETURNING sequence")

    with pytest.raises(CannotStart, match="record 3 cannot be read"):
        export("fills", ALL, house.database, "csv", target, out)

    assert target.read_text() == before
    assert [path.name for path in house.folder.iterdir() if "part" in path.name] == []
    assert out.getvalue() == ""


@pytest.mark.parametrize(
    ("text", "time"), [("", None), ("1970-01-02", 86_400_000_000_000), ("1970-01-01T00:00:00.5Z", 500_000_000)]
)
def test_a_filter_s_time_is_a_date_or_has_a_zone(text: str, time: int | None) -> None:
    """A date is its midnight UTC."""
    assert moment(text) == time


@pytest.mark.parametrize(("text", "why"), [("1970-01-01T00:00:00", "no zone"), ("today", "is not a time")])
def test_a_filter_s_time_that_says_too_little_is_refused(text: str, why: str) -> None:
    """Whose noon it is cannot be known."""
    with pytest.raises(ValueError, match=why):
        moment(text)
