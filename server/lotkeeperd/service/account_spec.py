"""What the configuration says about one broker account, read and checked once.

Problem: a rule with a misspelt kind would fit nothing, and a difference that was to be frozen would only be asked about. Chosen:
everything is checked before any broker is asked, and each message names the key, the value and the way out. Keys that are not
named here belong to the broker's adapter, which refuses those it does not know; secrets stand in none of them.

Rules of the configuration come before the safe ones, which decide what it leaves open.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any, NamedTuple

from lotkeeperd.domain.portfolios import Mode
from lotkeeperd.domain.reconciliation.findings import Kind, Resolution
from lotkeeperd.domain.reconciliation.policy import SAFE, Action, Rule
from lotkeeperd.domain.reconciliation.records import UNNAMED, Account

NAME_LENGTH = 64
"""Characters of an account, a portfolio or a symbol."""
PORTFOLIOS = 1000
RULES = 100
SPELLINGS = 20_000

LEAST_EVERY = 5.0
"""Seconds between two runs; a broker's rate limit is for others, too."""
MOST_SECONDS = 86_400.0
MOST_DAYS = 3_650


class BadAccount(Exception):
    """An account's table cannot be used; the message names the account, the key and the rule."""


class Unreachable(Enum):
    """What it means that the broker did not tell all its positions at start; the value stands in the configuration."""

    START = "start"
    """Serve, with a warning in the log."""
    HALT = "halt"
    """Serve, and take no executions of the account's portfolios until the broker has told them all."""
    EXIT = "exit"
    """Do not serve."""


class AccountSpec(NamedTuple):
    """One account. Times in seconds; ``every`` 0 is never; ``options`` are for the broker's adapter.

    ``answer_seconds`` is what one reading of the broker may take, ``at_start_seconds`` all of the first run. A difference is
    believed when it is still there ``believe_after`` it was first seen. Executions are asked for ``history_days`` back at most.
    """

    account: Account
    broker: str
    portfolios: tuple[str, ...]
    options: Mapping[str, object] = {}
    adopt_into: str = ""
    mode: Mode | None = None
    at_start: bool = True
    at_start_seconds: float = 30.0
    unreachable: Unreachable = Unreachable.START
    every: float = 300.0
    answer_seconds: float = 30.0
    believe_after: float = 2.0
    apply: bool = False
    history_days: int = 7

    @property
    def name(self) -> str:
        """As it is configured."""
        return self.account.name


def read_account(name: str, table: Mapping[str, object]) -> AccountSpec:
    """The account that ``[accounts.NAME]`` describes. Raises BadAccount."""
    return _Table(name, table).spec()


_MODES = {"live": Mode.LIVE, "paper": Mode.PAPER, "": None}


class _Table:
    """One account's table, key by key."""

    def __init__(self, name: str, table: Mapping[str, object]) -> None:
        self._name = name
        self._left = dict(table)

    def spec(self) -> AccountSpec:
        """The whole of it."""
        if not _is_name(self._name):
            raise self._bad("its name", f"has 1 to {NAME_LENGTH} printable characters")
        portfolios = self._portfolios()
        spec = AccountSpec(
            self._account(),
            self._choice("broker", None),
            portfolios,
            adopt_into=self._adopt_into(portfolios),
            mode=_MODES[self._choice("trading_mode", "", tuple(_MODES))],
            at_start=self._flag("at_start", True),
            at_start_seconds=self._seconds("at_start_seconds", 30.0, 0.1),
            unreachable=Unreachable(self._choice("unreachable", "start", tuple(one.value for one in Unreachable))),
            every=self._every(),
            answer_seconds=self._seconds("answer_seconds", 30.0, 0.1),
            believe_after=self._seconds("believe_after", 2.0, 0.0),
            apply=self._flag("apply", False),
            history_days=self._days(),
        )
        return spec._replace(options=dict(self._left))

    def _account(self) -> Account:
        return Account(
            self._name,
            self._spellings(),
            self._decimal("price_tolerance", UNNAMED.price_tolerance),
            self._decimal("size_tolerance", UNNAMED.size_tolerance),
            self._decimal("cash_tolerance", UNNAMED.cash_tolerance),
            (*self._rules(), *SAFE),
        )

    def _portfolios(self) -> tuple[str, ...]:
        given = self._left.pop("portfolios", None)
        if not isinstance(given, list) or not given or not all(_is_name(name) for name in given):
            raise self._bad("portfolios", f'{given!r}: the books in this account are required, like ["swing"]')
        if len(set(given)) != len(given) or len(given) > PORTFOLIOS:
            raise self._bad("portfolios", f"each once, and at most {PORTFOLIOS}")
        return tuple(given)

    def _adopt_into(self, portfolios: Sequence[str]) -> str:
        name = self._left.pop("adopt_into", "")
        if not isinstance(name, str) or (name and name not in portfolios):
            raise self._bad("adopt_into", f"{name!r} is not one of portfolios: {', '.join(portfolios)}")
        return name

    def _spellings(self) -> tuple[tuple[str, str], ...]:
        table = self._left.pop("spellings", {})
        if not isinstance(table, dict) or not all(map(_is_name, (*table, *table.values()))):
            raise self._bad(
                "spellings", "is a table of the broker's spelling = the ledger's, like BTCUSD = \"BTC/USD\""
            )
        if len(table) > SPELLINGS:
            raise self._bad("spellings", f"{len(table)} symbols, at most {SPELLINGS} are allowed")
        return tuple(table.items())

    def _rules(self) -> tuple[Rule, ...]:
        given = self._left.pop("rules", [])
        if not isinstance(given, list) or len(given) > RULES or not all(isinstance(rule, dict) for rule in given):
            raise self._bad(
                "rules", f'is a list of at most {RULES} tables, like [{{ kind = "side_mismatch", action = "halt" }}]'
            )
        return tuple(self._rule(f"rules[{place}]", dict(rule)) for place, rule in enumerate(given))

    def _rule(self, where: str, table: dict[str, Any]) -> Rule:
        rule = Rule(
            self._member(f"{where}.action", table.pop("action", None), Action),
            self._optional(f"{where}.kind", table.pop("kind", None), Kind),
            self._optional(f"{where}.resolution", table.pop("resolution", None), Resolution),
            None if "quantity" not in table else self._number(f"{where}.quantity", table.pop("quantity")),
        )
        if table:
            raise self._bad(f"{where}.{next(iter(table))}", "a rule has action, kind, resolution and quantity")
        return rule

    def _optional(self, where: str, value: object, kind: type[Enum]) -> Any:
        return None if value is None else self._member(where, value, kind)

    def _member(self, where: str, value: object, kind: type[Enum]) -> Any:
        """A member by its name in lower case, as the configuration spells it."""
        known = {member.name.lower(): member for member in kind if member.name != "UNSPECIFIED"}
        if not isinstance(value, str) or value.lower() not in known:
            raise self._bad(where, f"{value!r}; choose one of {', '.join(known)}")
        return known[value.lower()]

    def _decimal(self, key: str, default: Decimal) -> Decimal:
        return self._number(key, self._left.pop(key)) if key in self._left else default

    def _number(self, where: str, value: object) -> Decimal:
        """From text or a whole number: a float has lost digits already."""
        if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
            try:
                number = Decimal(value)
            except InvalidOperation:
                number = Decimal("NaN")
            if number.is_finite() and number >= 0:
                return number
        raise self._bad(where, f'{value!r}: a decimal in quotes is required, 0 or more, like "0.0001"')

    def _flag(self, key: str, default: bool) -> bool:
        value = self._left.pop(key, default)
        if not isinstance(value, bool):
            raise self._bad(key, f"{value!r} is neither true nor false")
        return value

    def _choice(self, key: str, default: str | None, choices: tuple[str, ...] = ()) -> str:
        value = self._left.pop(key, default)
        if not isinstance(value, str) or (choices and value not in choices) or (not value and default is None):
            rule = f"choose one of {', '.join(filter(None, choices))}" if choices else "a name is required"
            raise self._bad(key, f"{value!r}: {rule}")
        return value

    def _every(self) -> float:
        seconds = self._seconds("every", 300.0, 0.0)
        if 0 < seconds < LEAST_EVERY:
            raise self._bad("every", f"{seconds:g}: {LEAST_EVERY:g} s or more is required, or 0 for never")
        return seconds

    def _seconds(self, key: str, default: float, least: float) -> float:
        value = self._left.pop(key, default)
        number = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
        if not least <= number <= MOST_SECONDS:
            raise self._bad(key, f"{value!r}: seconds are required, from {least:g} to {MOST_SECONDS:g}")
        return number

    def _days(self) -> int:
        value = self._left.pop("history_days", 7)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST_DAYS:
            raise self._bad("history_days", f"{value!r}: whole days are required, from 0 to {MOST_DAYS}")
        return value

    def _bad(self, key: str, rule: str) -> BadAccount:
        return BadAccount(f"[accounts.{self._name}] {key}: {rule}")


def _is_name(text: object) -> bool:
    return isinstance(text, str) and 0 < len(text) <= NAME_LENGTH and text.isprintable()
