"""Rows of portfolios, instruments and balances."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Row

from lotkeeperd.domain.accounts import Balance
from lotkeeperd.domain.instruments import Instrument
from lotkeeperd.domain.portfolios import Portfolio
from lotkeeperd.storage.records import instrument_json, portfolio_json
from lotkeeperd.storage.rows import Amount

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def portfolio_row(portfolio: Portfolio) -> tuple[Any, ...]:
    """A row of ``portfolios``; one that its first record made has no terms of its own."""
    terms = _encode(portfolio_json(portfolio)) if portfolio.declared else ""
    return portfolio.portfolio_id, portfolio.created_time, terms, portfolio.sequence


def instrument_row(instrument: Instrument) -> tuple[Any, ...]:
    """A row of ``instruments``."""
    return instrument.symbol, _encode(instrument_json(instrument)), instrument.sequence


def balance_row(portfolio_id: str, currency: str, balance: Balance, amount: Amount) -> tuple[Any, ...]:
    """A row of ``balances``."""
    *amounts, base_value, sequence = balance
    worth = None if base_value is None else amount(base_value)
    return (portfolio_id, currency, *map(amount, amounts), worth, sequence)


def balance_of(row: Row[Any]) -> Balance:
    """The balance of a row."""
    return Balance(*row[2:])
