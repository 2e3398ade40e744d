"""What the map declares before any row is recorded: what a symbol is, and on which terms a portfolio is kept.

Problem: a contract is refused until somebody declares it, and a portfolio has to hedge before its first fill; but no server
runs that could be told. Chosen: two more tables of the column map, with the fields and names of the contract, recorded before
the rows in the import's own transaction. They are decided as a server decides them: the same terms again write nothing,
others are refused with what stands in their way.

    [instruments.BTCUSD]                    [portfolios.perps]
    kind = "INVERSE"                        base_currency = "USD"
    multiplier = 100                        position_mode = "HEDGING"
    base_currency = "BTC"                   initial_cash = { USD = "10000" }
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from typing import Any, TypeVar

from lotkeeperd.api.fields import NAME_LENGTH, TEXT_LENGTH, Fields, Sign
from lotkeeperd.domain.accounts import DefineInstrument, PortfolioCommand, TermsMethod
from lotkeeperd.domain.book import LotMethod
from lotkeeperd.domain.instruments import Declaration, Kind, Right, declared
from lotkeeperd.domain.portfolios import Mode, PositionMode, zone_violation
from lotkeeperd.domain.refusals import FieldViolations
from lotkeeperd.intake.columns import ColumnMap
from lotkeeperd.intake.problems import BadMap
from lotkeeperd.intake.recording import Put

E = TypeVar("E", bound=Enum)


def declarations(columns: ColumnMap, currency: str) -> list[Put]:
    """The commands of a map's declarations; ``currency`` is the ledger's. Raises BadMap with every broken field."""
    try:
        portfolios = [_portfolio(name, table) for name, table in columns.portfolios.items()]
        instruments = [_instrument(symbol, table, currency) for symbol, table in columns.instruments.items()]
    except FieldViolations as broken:
        raise BadMap("; ".join(f"{each.field}: {each.description}" for each in broken.violations)) from broken
    return [*portfolios, *instruments]


def _portfolio(name: str, table: Mapping[str, Any]) -> Put:
    read = _Table(f"[portfolios.{name}]", table)
    portfolio_id = read.fields.portfolio(read.where, name)
    given: dict[str, object] = {
        "base_currency": read.text("base_currency"),
        "position_mode": read.one_of("position_mode", PositionMode),
        "long_only": read.flag("long_only"),
        "mode": read.one_of("trading_mode", Mode),
        "broker_account": read.text("broker_account"),
        "lot_method": read.one_of("lot_method", LotMethod),
        "time_zone": read.zone("time_zone"),
        "initial_cash": read.cash("initial_cash"),
        "fees_later": read.flag("fees_later"),
        "description": read.text("description", TEXT_LENGTH),
    }
    read.check()
    changes = tuple(sorted((field, value) for field, value in given.items() if value not in ("", None, ())))
    return Put(read.where, PortfolioCommand(TermsMethod.CREATE, portfolio_id, "", changes))


def _instrument(symbol: str, table: Mapping[str, Any], currency: str) -> Put:
    read = _Table(f"[instruments.{symbol}]", table)
    asked = Declaration(
        read.fields.symbol(read.where, symbol),
        read.one_of("kind", Kind),
        read.decimal("multiplier"),
        read.text("base_currency"),
        read.text("quote_currency"),
        read.text("settlement_currency"),
        read.decimal("price_step"),
        read.decimal("size_step"),
        read.flag("negative_prices"),
        read.text("underlying"),
        read.text("expiry"),
        read.decimal("strike", Sign.NOT_NEGATIVE),
        read.one_of("right", Right),
    )
    read.check()
    return Put(read.where, DefineInstrument(declared(asked, currency, f"{read.where} "), ""))


class _Table:
    """One table of the map: every field is read once, what is wrong is remembered, and what is left over is not known."""

    def __init__(self, where: str, table: Mapping[str, Any]) -> None:
        self.fields = Fields()
        self.where = where
        self._left = dict(table)
        self._known: list[str] = []

    def _taken(self, name: str) -> Any:
        self._known.append(name)
        return self._left.pop(name, None)

    def _wrong(self, name: str, what: str) -> None:
        self.fields.wrong(f"{self.where} {name}", what)

    def text(self, name: str, limit: int = NAME_LENGTH) -> str:
        """A text; empty when it is not given. A date of TOML is the text of one."""
        value = self._taken(name)
        if value is None or isinstance(value, bool | int | list | dict):
            if value is not None:
                self._wrong(name, f"{value!r}: a text is required")
            return ""
        return self.fields.text(f"{self.where} {name}", str(value), limit)

    def flag(self, name: str) -> bool:
        """True or false; false when it is not given."""
        value = self._taken(name)
        if value is not None and not isinstance(value, bool):
            self._wrong(name, f"{value!r}: true or false is required")
        return value is True

    def decimal(self, name: str, sign: Sign = Sign.POSITIVE) -> Decimal | None:
        """A number, or its text; its digits stay as they are written."""
        return self._decimal(name, self._taken(name), sign)

    def _decimal(self, name: str, value: Any, sign: Sign) -> Decimal | None:
        if value is None:
            return None
        text = "" if isinstance(value, bool | list | dict) else str(value)
        return self.fields.decimal(f"{self.where} {name}", text, sign)

    def cash(self, name: str) -> tuple[tuple[str, Decimal], ...]:
        """Amounts by currency."""
        value = self._taken(name)
        if value is not None and not isinstance(value, dict):
            self._wrong(name, f'{value!r}: a table is required, such as {{ USD = "10000" }}')
        amounts = value if isinstance(value, dict) else {}
        read = {currency: self._decimal(f"{name}.{currency}", amount, Sign.ANY) for currency, amount in amounts.items()}
        return tuple(sorted((currency, amount) for currency, amount in read.items() if amount is not None))

    def zone(self, name: str) -> str:
        """An IANA name."""
        zone = self.text(name)
        violation = zone_violation(f"{self.where} {name}", zone) if zone else None
        if violation is not None:
            self.fields.wrong(*violation)
        return zone

    def one_of(self, name: str, choice: type[E]) -> E | None:
        """A member by its name in the contract, in any case."""
        text = self.text(name)
        found = choice.__members__.get(text.upper())
        if text and found is None:
            self._wrong(name, f"{text!r} is not one of {', '.join(choice.__members__)}")
        return found

    def check(self) -> None:
        """Raises FieldViolations with everything that is wrong, or not known."""
        for name in self._left:
            self._wrong(name, f"is not known; there are {', '.join(self._known)}")
        self.fields.check()
