"""What a table of a broker account may say."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from typing import Any

import pytest

from lotkeeperd.domain.portfolios import Mode
from lotkeeperd.domain.reconciliation.findings import Kind, Resolution
from lotkeeperd.domain.reconciliation.policy import SAFE, Action, Rule
from lotkeeperd.domain.reconciliation.records import UNNAMED
from lotkeeperd.service.account_spec import AccountSpec, BadAccount, Unreachable, read_account

WHOLE = """
broker = "alpaca"
key = "env:ALPACA_KEY"
paper = true
portfolios = ["swing", "scalper"]
adopt_into = "swing"
trading_mode = "paper"
price_tolerance = "0.001"
size_tolerance = "0.00000001"
cash_tolerance = 1
at_start = false
at_start_seconds = 5
unreachable = "halt"
every = 60
answer_seconds = 7.5
believe_after = 0
apply = true
history_days = 30
rules = [
    { kind = "orphaned_position", action = "halt", quantity = "0.5" },
    { resolution = "backfill_fills", action = "ask" },
]
[spellings]
BTCUSD = "BTC/USD"
"""
LEAST: dict[str, Any] = {"broker": "alpaca", "portfolios": ["swing"]}


def test_everything_that_a_table_says_is_in_the_account() -> None:
    """What is not the account's belongs to the broker's adapter; secrets are references there."""
    spec = read_account("alpaca-1", tomllib.loads(WHOLE))
    account = spec.account
    assert spec == AccountSpec(
        account,
        "alpaca",
        ("swing", "scalper"),
        {"key": "env:ALPACA_KEY", "paper": True},
        "swing",
        Mode.PAPER,
        False,
        5.0,
        Unreachable.HALT,
        60.0,
        7.5,
        0.0,
        True,
        30,
    )
    assert (account.name, account.spellings) == ("alpaca-1", (("BTCUSD", "BTC/USD"),))
    tolerances = (account.price_tolerance, account.size_tolerance, account.cash_tolerance)
    assert tolerances == (Decimal("0.001"), Decimal("0.00000001"), Decimal(1))


def test_rules_come_before_the_safe_ones() -> None:
    """The first that fits decides, so what a person did not think of is decided safely."""
    rules = read_account("a", tomllib.loads(WHOLE)).account.rules
    assert rules == (
        Rule(Action.HALT, Kind.ORPHANED_POSITION, quantity=Decimal("0.5")),
        Rule(Action.ASK, resolution=Resolution.BACKFILL_FILLS),
        *SAFE,
    )


def test_an_account_that_says_no_more_than_it_must_changes_nothing_by_itself() -> None:
    """It is looked at, at start and every five minutes; a broker that is silent keeps nobody from trading."""
    spec = read_account("a", LEAST)
    assert (spec.apply, spec.at_start, spec.unreachable, spec.every) == (False, True, Unreachable.START, 300.0)
    assert (spec.mode, spec.adopt_into, spec.history_days, spec.account.rules) == (None, "", 7, SAFE)
    assert spec.account.price_tolerance == UNNAMED.price_tolerance


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"broker": None}, "broker: None: a name is required"),
        ({"broker": ""}, "broker: '': a name is required"),
        ({"portfolios": None}, "portfolios: None: the books in this account are required"),
        ({"portfolios": []}, "portfolios: []: the books in this account are required"),
        ({"portfolios": ["a", "a"]}, "portfolios: each once"),
        ({"adopt_into": "other"}, "adopt_into: 'other' is not one of portfolios: swing"),
        ({"trading_mode": "demo"}, "trading_mode: 'demo': choose one of live, paper"),
        ({"unreachable": "ignore"}, "unreachable: 'ignore': choose one of start, halt, exit"),
        ({"at_start": "yes"}, "at_start: 'yes' is neither true nor false"),
        ({"every": 1}, "every: 1: 5 s or more is required, or 0 for never"),
        ({"every": float("nan")}, "every: nan: seconds are required"),
        ({"believe_after": -1}, "believe_after: -1: seconds are required, from 0 to 86400"),
        ({"history_days": 1.5}, "history_days: 1.5: whole days are required"),
        ({"price_tolerance": 0.0001}, "price_tolerance: 0.0001: a decimal in quotes is required"),
        ({"price_tolerance": "-1"}, "price_tolerance: '-1': a decimal in quotes is required"),
        ({"price_tolerance": "NaN"}, "price_tolerance: 'NaN': a decimal in quotes is required"),
        ({"size_tolerance": "small"}, "size_tolerance: 'small': a decimal in quotes is required"),
        ({"spellings": ["BTC"]}, "spellings: is a table"),
        ({"spellings": {"BTCUSD": 1}}, "spellings: is a table"),
        ({"rules": {"action": "ask"}}, "rules: is a list"),
        ({"rules": [{}]}, "rules[0].action: None; choose one of auto, ask, freeze, halt"),
        ({"rules": [{"action": "ask", "kind": "side"}]}, "rules[0].kind: 'side'; choose one of orphaned_position"),
        ({"rules": [{"action": "ask", "size": 1}]}, "rules[0].size: a rule has action, kind, resolution and quantity"),
        ({"rules": [{"action": "ask", "quantity": 0.5}]}, "rules[0].quantity: 0.5: a decimal in quotes is required"),
    ],
)
def test_a_table_that_cannot_be_meant_is_refused(changes: dict[str, Any], said: str) -> None:
    """By account and key, with the value and the rule."""
    table = {key: value for key, value in (LEAST | changes).items() if value is not None}
    with pytest.raises(BadAccount) as refused:
        read_account("alpaca-1", table)
    assert str(refused.value).startswith("[accounts.alpaca-1] ")
    assert said in str(refused.value)


def test_a_name_that_cannot_be_asked_for_is_refused() -> None:
    """Longer than the contract takes."""
    with pytest.raises(BadAccount, match="its name: has 1 to 64"):
        read_account("a" * 65, LEAST)
