"""Portfolios, instruments and balances made anew from the journal.

Some of them no record tells: a portfolio and a symbol are made by the first record that needs them, with the terms of the ledger.
A journal of an older version took every symbol for spot and stored nothing of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from lotkeeperd.domain.accounts import Balance, CashMoved, InstrumentDefined, TermsSet
from lotkeeperd.domain.instruments import Instrument
from lotkeeperd.domain.portfolios import Portfolio
from lotkeeperd.service.agreements import opening_cash

STORES_INSTRUMENTS = 2
"""The first version of the rules under which a symbol that is used has a row."""


class Terms:
    """The terms and the cash as the journal has told them so far; ``currency`` is the ledger's."""

    def __init__(self, currency: str, created_time: int) -> None:
        self._currency = currency
        self.portfolios = {"default": Portfolio("default", currency, created_time=created_time)}
        self.balances: dict[tuple[str, str], Balance] = {}
        self._instruments: dict[str, Instrument] = {}
        self._unstored: set[str] = set()

    def stored_instruments(self) -> list[Instrument]:
        """Those that have a row."""
        return [one for symbol, one in self._instruments.items() if symbol not in self._unstored]

    def portfolio(self, portfolio_id: str, recorded_time: int) -> Portfolio:
        """Its terms; made, when there is none, by a record of ``recorded_time``."""
        made = Portfolio(portfolio_id, self._currency, created_time=recorded_time)
        return self.portfolios.setdefault(portfolio_id, made)

    def instrument(self, symbol: str, rules: int) -> Instrument:
        """What it is; made, when it is new, by an execution under ``rules``."""
        known = self._instruments.get(symbol)
        if known is None:
            known = Instrument(symbol, quote_currency=self._currency, settlement_currency=self._currency)
            self._instruments[symbol] = known
            if rules < STORES_INSTRUMENTS:
                self._unstored.add(symbol)
        return known

    def define(self, record: InstrumentDefined) -> None:
        """A declaration."""
        self._instruments[record.instrument.symbol] = record.instrument
        self._unstored.discard(record.instrument.symbol)

    def agree(self, record: TermsSet) -> None:
        """The terms of a portfolio, and the cash it begins with."""
        portfolio = record.portfolio
        before = self.portfolios.get(portfolio.portfolio_id)
        for currency, balance in opening_cash(before, portfolio, record.sequence).items():
            self.balances[portfolio.portfolio_id, currency] = balance
        self.portfolios[portfolio.portfolio_id] = portfolio

    def move(self, record: CashMoved) -> None:
        """Cash of a portfolio."""
        command = record.command
        self.portfolio(command.portfolio_id, record.recorded_time)
        at = (command.portfolio_id, command.currency)
        self.balances[at] = self.balances.get(at, Balance()).moved(record)

    def charge(self, portfolio_id: str, fees: Mapping[str, Decimal], sequence: int) -> None:
        """Fees that were taken in another coin than their book's."""
        for currency, amount in fees.items():
            before = self.balances.get((portfolio_id, currency), Balance())
            total = before.fees_elsewhere + amount
            self.balances[portfolio_id, currency] = before._replace(fees_elsewhere=total, sequence=sequence)
