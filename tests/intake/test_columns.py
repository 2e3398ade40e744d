"""The column map: what it may say, and how it says that it may not."""

from __future__ import annotations

from pathlib import Path

import pytest

from lotkeeperd.intake.columns import read_map
from lotkeeperd.intake.problems import BadMap


def test_flags_win_over_the_file(tmp_path: Path) -> None:
    """Field by field."""
    path = tmp_path / "map.toml"
    path.write_text(
        '[file]\ndelimiter = "|"\n[columns]\nsymbol = "pair"\nprice = "rate"\nlabels.bot = "bot"\n'
        '[constants]\nside = "buy"\n[time]\nzone = "UTC"\n'
    )

    found = read_map(path, ["price=px", "labels.why=note"], ["portfolio_id=p"], {"delimiter": "tab", "time": "unix_ms"})

    assert found.columns == {"symbol": "pair", "price": "px", "labels.bot": "bot", "labels.why": "note"}
    assert found.constants == {"side": "buy", "portfolio_id": "p"}
    assert (found.form.delimiter, found.times.form, str(found.times.zone)) == ("\t", "unix_ms", "UTC")


@pytest.mark.parametrize(
    ("toml", "why"),
    [
        ("= nonsense", "not TOML"),
        ("[colums]", r"there is no table \[colums\]"),
        ('[columns]\nqty = "q"', "there is no field 'qty'"),
        ("[columns]\nprice = 3", "price = 3: a text is required"),
        ("columns = 3", "a table is required"),
        ("file = 3", "a table is required"),
        ("[file]\nheader = 'no'", "header = 'no': a bool is required"),
        ("[file]\nsheet = 'x'", "has no 'sheet'"),
        ("[file]\nformat = 'xlsx'", "format 'xlsx'"),
        ("[file]\norder = 'up'", "order 'up'"),
        ("[file]\nencoding = 'utf-16'", "encoding 'utf-16'"),
        ("[file]\ndelimiter = '::'", "delimiter '::'"),
        ("[time]\nformat = 'german'", "time format 'german'"),
        ("[time]\nzone = 'Berlin'", "zone 'Berlin'"),
        ("[time]\nunit = 'ms'", "has no 'unit'"),
        ("[only]\nstatus = 'filled'", "an array of texts is required"),
        ("[values.side]\nlong = 1", "long = 1: a text is required"),
        ("[numbers]\ndecimal = 1", "decimal = 1: a str is required"),
    ],
)
def test_a_map_that_says_something_else_is_refused_by_name(toml: str, why: str, tmp_path: Path) -> None:
    """Where, what, and what it may say."""
    path = tmp_path / "map.toml"
    path.write_text(toml)

    with pytest.raises(BadMap, match=why):
        read_map(path, [], [], {})


@pytest.mark.parametrize("flag", ["price", "price=", "=px", "qty=px"])
def test_a_flag_that_maps_nothing_is_refused(flag: str) -> None:
    """FIELD=COLUMN, and a field of the contract."""
    with pytest.raises(BadMap, match="--map"):
        read_map(None, [flag], [], {})


def test_a_map_that_is_not_there_is_named(tmp_path: Path) -> None:
    """With its path."""
    with pytest.raises(BadMap, match=r"none\.toml: No such file"):
        read_map(tmp_path / "none.toml", [], [], {})
