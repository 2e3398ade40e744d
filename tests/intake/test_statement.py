"""A statement as a table: every wrong row is named, and nothing of a wrong file is used."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from lotkeeperd.intake.problems import UnreadableFile
from lotkeeperd.intake.statement import LONGEST, NAMED, HeldRow, read_positions

HEAD = "symbol,side,quantity,average_price,cost_basis\n"


def read(folder: Path, text: str) -> tuple[HeldRow, ...]:
    """The positions in a file of that text."""
    path = folder / "statement.csv"
    path.write_text(text, encoding="utf-8")
    return read_positions(path)


def test_a_row_is_a_position(tmp_path: Path) -> None:
    """Exact; a credit is negative; blank lines and the order of columns are nothing."""
    text = "side;symbol;quantity;cost_basis;average_price\nLONG;AAPL;10;1872.10;187.21\n\nshort;SPY240119P00460000;1;-2100;\n"

    assert read(tmp_path, text) == (
        HeldRow("AAPL", True, Decimal(10), Decimal("187.21"), Decimal("1872.10")),
        HeldRow("SPY240119P00460000", False, Decimal(1), None, Decimal(-2100)),
    )


def test_prices_may_be_left_out_with_their_columns(tmp_path: Path) -> None:
    """A broker may give none."""
    assert read(tmp_path, "symbol,side,quantity\nA,long,1\n") == (HeldRow("A", True, Decimal(1), None, None),)


def test_a_header_alone_is_an_account_that_is_flat(tmp_path: Path) -> None:
    """Whether that is believed is not for the file to say."""
    assert read(tmp_path, HEAD) == ()


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("A,buy,1,,", "side 'buy' is neither long nor short"),
        ("A,long,-1,,", "quantity '-1' must be greater than 0"),
        ("A,long,,,", "quantity '' must be greater than 0"),
        ("A,long,0,,", "quantity '0' must be greater than 0"),
        (",long,1,,", "has no symbol"),
        ('A,long,"1,000",,', "quantity '1,000' is not a decimal"),
        ("A,long,1e3,,", "quantity '1e3' is not a decimal"),
        ("A,long,1,NaN,", "average_price 'NaN' is not a decimal"),
        ("A,long,1,,1_0", "cost_basis '1_0' is not a decimal"),
        ("A,long,١,,", "is not a decimal"),
        ("A,long,1", "has 3 fields, the header 5"),
    ],
)
def test_a_wrong_row_is_named_with_its_line_and_the_rule(tmp_path: Path, row: str, said: str) -> None:
    """And nothing of the file is used."""
    with pytest.raises(UnreadableFile) as raised:
        read(tmp_path, f"{HEAD}B,long,1,,\n{row}\n")

    assert f"line 3: {said}" in str(raised.value) or ("line 3: " in str(raised.value) and said in str(raised.value))


def test_every_wrong_row_is_named_up_to_a_limit(tmp_path: Path) -> None:
    """The others are counted."""
    with pytest.raises(UnreadableFile) as raised:
        read(tmp_path, HEAD + "A,long,x,,\n" * (NAMED + 3))

    lines = str(raised.value).splitlines()
    assert len(lines) == 1 + NAMED + 1
    assert lines[NAMED].strip().startswith(f"line {NAMED + 1}: ")
    assert lines[-1].strip() == "and 3 more"


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ("symbol,side,qty\n", "has no quantity and has 'qty'"),
        ("symbol,side,quantity,avg\n", "has 'avg'; the columns are symbol,side,quantity,average_price,cost_basis"),
        ("\n", "its first line is empty"),
    ],
)
def test_a_header_that_is_not_this_one_is_refused(tmp_path: Path, head: str, said: str) -> None:
    """An unknown column may be one of ours, spelled otherwise."""
    with pytest.raises(UnreadableFile, match=".") as raised:
        read(tmp_path, head + "A,long,1\n")

    assert said in str(raised.value)


def test_a_file_of_something_else_is_not_read_to_its_end(tmp_path: Path) -> None:
    """A statement travels as one message."""
    with pytest.raises(UnreadableFile, match="more than 20,000 rows"):
        read(tmp_path, HEAD + "A,long,1,,\n" * (LONGEST + 1))
