"""Every recipe of the README's "Moving in" is carried out: its files, its maps, its commands, and what they leave."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from tests.docs.test_readme import README, run
from tests.support.plain_sql import PlainSql

SECTION = README.partition("## Moving in\n")[2].partition("\n## ")[0]
FILE = re.compile(r"`([\w.]+)`:\n\n```\w+\n(.*?)```", re.DOTALL)
URL = "postgresql://bot@localhost/trading"


def recipe(title: str) -> str:
    """The text below a heading."""
    return next(text for text in SECTION.split("\n### ") if text.startswith(title))


def blocks(title: str, language: str) -> list[str]:
    """The code blocks of one language below a heading."""
    return re.findall(rf"```{language}\n(.*?)```", recipe(title), re.DOTALL)


def carried_out(title: str, folder: Path, url: str = "") -> list[subprocess.CompletedProcess[str]]:
    """Write the recipe's files and run its commands, where they say that they are."""
    for name, content in FILE.findall(recipe(title)):
        (folder / name).write_text(content, encoding="utf-8")
    lines = [line.partition("  #")[0] for line in blocks(title, "sh")[0].strip().splitlines()]
    done = []
    for line in lines:
        words = line.replace("var/", f"{folder}/var/").replace(URL, url).split()[1:]
        placed = [str(folder / word) if re.fullmatch(r"[\w.]+\.\w+", word) else word for word in words]
        done.append(run(sys.executable, "-m", "lotkeeperd", *placed))
    assert [(each.returncode, each.stderr) for each in done] == [(0, "")] * len(done)
    return done


def ledger(folder: Path, query: str) -> list[tuple[str, ...]]:
    """What plain SQL finds in the recipe's ledger."""
    with PlainSql(str(folder / "var" / "lotkeeper.db")) as sql:
        return [tuple(str(cell) for cell in row.values()) for row in sql.rows(query)]


POSITIONS = (
    "SELECT portfolio_id, symbol, side, total_quantity, average_entry_price FROM current_positions ORDER BY symbol"
)


def test_a_trades_csv(tmp_path: Path) -> None:
    """What is printed is what the README shows; another run finds everything."""
    dry, done = carried_out("A `trades.csv`", tmp_path)
    _, again = carried_out("A `trades.csv`", tmp_path)

    assert dry.stdout.splitlines()[-1].startswith("dry run")
    assert done.stdout.replace(f"{tmp_path}/", "") == blocks("A `trades.csv`", "text")[0]
    assert "already there 3" in again.stdout
    assert ledger(tmp_path, POSITIONS) == [("stocks", "AAPL", "LONG", "3", "186")]


def test_a_table_of_postgresql(postgres_url: str, tmp_path: Path) -> None:
    """Each statement and the one command."""
    title = "A table of fills in PostgreSQL"
    address = make_url(postgres_url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as connection:
        for statement in blocks(title, "sql")[0].encode().strip().split(b";\n"):
            connection.execute(statement)

    carried_out(title, tmp_path, address)

    assert ledger(tmp_path, POSITIONS) == [("alpha", "ETH/USD", "LONG", "0.5", "2250.1")]


def test_a_positions_json(tmp_path: Path) -> None:
    """Two lots, marked synthetic; the third has nothing open."""
    title = "A `positions.json`"
    carried_out(title, tmp_path)
    (again,) = carried_out(title, tmp_path)

    assert "already there 2, repeated 0, skipped 1, refused 0" in again.stdout
    query = (
        "SELECT symbol, remaining_quantity, entry_price, entry_time, synthetic FROM position_entries ORDER BY symbol"
    )
    assert ledger(tmp_path, query) == [
        ("AAPL", "30", "187.215", "1704468600000000000", "1"),
        ("ETH/USD", "0.75", "2250.1", "1704470400000000000", "1"),
    ]


def test_an_orders_paper_json(tmp_path: Path) -> None:
    """Two legs with one group; the cancelled order is passed over."""
    carried_out("An `orders_paper.json`", tmp_path)

    query = "SELECT symbol, side, quantity, entry_price, entry_order_id, group_id FROM position_entries ORDER BY symbol"
    assert ledger(tmp_path, query) == [
        ("SPY240119P00460000", "LONG", "1", "1.25", "P-17", "P-17"),
        ("SPY240119P00470000", "SHORT", "1", "3.1", "P-17", "P-17"),
    ]


def test_and_out_again(tmp_path: Path) -> None:
    """The copy holds what the first ledger does."""
    carried_out("A `trades.csv`", tmp_path)

    carried_out("And out again", tmp_path)

    before = ledger(tmp_path, POSITIONS)
    (tmp_path / "var" / "copy.db").replace(tmp_path / "var" / "lotkeeper.db")
    assert ledger(tmp_path, POSITIONS) == before != []
    lines = [json.loads(line) for line in (tmp_path / "fills.jsonl").read_text().splitlines()]
    assert [line["fill_id"] for line in lines] == ["1001", "1002", "1003"]


@pytest.mark.parametrize(
    "field", re.findall(r"`(\w+)`", SECTION.partition("under its own name: ")[2].partition(".\n")[0])
)
def test_the_fields_are_those_that_a_map_knows(field: str) -> None:
    """Each that the README names."""
    from lotkeeperd.intake.columns import FIELDS

    assert field in FIELDS
