"""Settings that are more than one value: which marks count, and feeds."""

from __future__ import annotations

from pathlib import Path

import pytest

from lotkeeperd.settings import BadSetting, loaded

FILE = """
mark_sources = ["bybit", "bots"]

[mark_ages]
bybit = 5
bots = 0.5

[feeds.bybit]
venue = "bybit"
symbols = { BTCUSDT = "BTC-PERP" }
"""


def written(folder: Path, text: str) -> Path:
    """A file of settings."""
    path = folder / "lotkeeper.toml"
    path.write_text(text)
    return path


def test_lists_and_tables_are_read_from_the_file(tmp_path: Path) -> None:
    """Whole seconds are seconds, too; a feed is handed on as it stands."""
    settings = loaded({}, {}, written(tmp_path, FILE))

    assert settings.mark_sources == ("bybit", "bots")
    assert settings.mark_ages == (("bybit", 5.0), ("bots", 0.5))
    assert settings.feeds == (("bybit", {"venue": "bybit", "symbols": {"BTCUSDT": "BTC-PERP"}}),)


def test_lists_and_tables_are_read_from_the_environment(tmp_path: Path) -> None:
    """It wins over the file; blanks around names do not count."""
    environment = {"LOTKEEPER_MARK_SOURCES": "bots, bybit", "LOTKEEPER_MARK_AGES": "bots=2,bybit=0.25"}

    settings = loaded({}, environment, written(tmp_path, FILE))

    assert settings.mark_sources == ("bots", "bybit")
    assert settings.mark_ages == (("bots", 2.0), ("bybit", 0.25))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("mark_sources = 'bybit'", "mark_sources = 'bybit': an array of names is required"),
        ("mark_sources = [1]", "mark_sources = [1]: an array of names is required"),
        ("mark_ages = 5", "mark_ages = 5: a table is required"),
        ("[mark_ages]\nbybit = 'soon'", "mark_ages.bybit = 'soon': a float is required"),
        ("[mark_ages]\nbybit = 0", "mark_ages.bybit = 0.0: 0.001 or more is required"),
        ("[mark_ages]\nbybit = nan", "mark_ages.bybit = nan: 0.001 or more is required"),
        ("mark_max_age = inf", "mark_max_age = inf: 0.001 or more is required"),
        ("feeds = 1", "feeds = 1: a table is required"),
        ("[feeds]\nbybit = 1", "feeds.bybit = 1: a table is required"),
        ("[accounts]\nalpaca = 1", "accounts.alpaca = 1: a table is required"),
    ],
)
def test_a_bad_one_is_refused_by_name(text: str, said: str, tmp_path: Path) -> None:
    """With the value and the rule."""
    with pytest.raises(BadSetting) as refused:
        loaded({}, {}, written(tmp_path, text))
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("LOTKEEPER_MARK_AGES", "bybit", "LOTKEEPER_MARK_AGES: bybit='': a number is required"),
        ("LOTKEEPER_FEEDS", "bybit", "LOTKEEPER_FEEDS: feeds are tables of the file that --config names, [feeds.NAME]"),
        (
            "LOTKEEPER_ACCOUNTS",
            "alpaca",
            "LOTKEEPER_ACCOUNTS: accounts are tables of the file that --config names, [accounts.NAME]",
        ),
    ],
)
def test_a_bad_variable_is_refused_by_name(variable: str, value: str, said: str) -> None:
    """With the rule."""
    with pytest.raises(BadSetting) as refused:
        loaded({}, {variable: value})
    assert str(refused.value) == said
