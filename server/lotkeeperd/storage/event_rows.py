"""Events, busts and corrections as rows for a file: one set of columns for all kinds, empty where a kind has nothing to say.

``event`` is the kind, by the contract's name of it. What belongs to an execution that the event names stands in ``fill_id`` and
``fill_sequence``; of a correction only what it changed is there.
"""

from __future__ import annotations

import re
from typing import Any

from lotkeeperd.domain.accounts import CashEvent, CashMoved
from lotkeeperd.domain.book import Direction
from lotkeeperd.domain.commands import Command, Decision, Method
from lotkeeperd.domain.decimals import ONE, plain
from lotkeeperd.domain.history import Amend, Amendment, Correction
from lotkeeperd.domain.rates import Rate, convert
from lotkeeperd.domain.times import iso
from lotkeeperd.service.ports import JournalRecord

EVENT_COLUMNS = (
    "portfolio_id",
    "event",
    "event_id",
    "event_time",
    "symbol",
    "position_side",
    "currency",
    "amount",
    "side",
    "quantity",
    "price",
    "fee",
    "fee_currency",
    "fill_time",
    "fill_id",
    "fill_sequence",
    "order_id",
    "numerator",
    "denominator",
    "cash_in_lieu",
    "to_symbol",
    "quote_currency",
    "rate",
    "source",
    "note",
    "request_id",
    "sequence",
    "record_time",
)

_CAPITAL = re.compile("(?<!^)(?=[A-Z])")
_SIDES = {None: None, Direction.LONG: "BUY", Direction.SHORT: "SELL"}


def event_row(record: JournalRecord) -> tuple[Any, ...]:
    """The cells of ``EVENT_COLUMNS``; None where there is nothing. ``record`` is one that ``is_told`` of."""
    assert isinstance(record, Decision | CashMoved | Correction)
    command = record.command
    cells: dict[str, Any] = dict.fromkeys(EVENT_COLUMNS)
    cells |= {
        "portfolio_id": command.portfolio_id,
        "event": _CAPITAL.sub("_", command.method.value).lower(),
        "symbol": command.symbol or None,
        "request_id": command.request_id or None,
        "sequence": record.sequence,
        "record_time": record.recorded_time,
    }
    if isinstance(command, CashEvent):
        assert isinstance(record, CashMoved)
        cells |= _of_cash(command, record.time)
    elif isinstance(command, Amendment):
        cells |= _of_amendment(command, record.recorded_time)
    else:
        assert isinstance(record, Decision)
        cells |= _of_lots(command, record)
    return tuple(cells.values())


def _of_cash(command: CashEvent, time: int) -> dict[str, Any]:
    return {
        "event_id": command.fill_id or None,
        "event_time": time,
        "currency": command.currency,
        "amount": command.amount,
        "note": command.note or None,
    }


def _of_amendment(command: Amendment, recorded_time: int) -> dict[str, Any]:
    """A fee or a rate has a time of its own; the time of a correction is a new one of its execution."""
    corrects = command.method in (Amend.BUST, Amend.CORRECT)
    return {
        "event_id": command.event_id or None,
        "event_time": recorded_time if corrects or command.time is None else command.time,
        "position_side": command.book_side.name if command.book_side else None,
        "side": _SIDES[command.side],
        "quantity": command.quantity,
        "price": command.price,
        "fee": command.fee,
        "fee_currency": command.fee_currency or None,
        "fill_time": command.time if corrects else None,
        "fill_id": command.fill_id or None,
        "fill_sequence": command.target or None,
        "quote_currency": command.into or None,
        "rate": command.rate,
        "source": command.source or None,
        "note": command.reason or None,
    }


def _of_lots(command: Command, record: Decision) -> dict[str, Any]:
    details = dict(command.details)
    is_execution = command.method is Method.LIQUIDATION
    moves_lots = command.method in (Method.SPLIT, Method.SYMBOL_CHANGE)
    return {
        "event_id": None if is_execution else command.fill_id or None,
        "event_time": record.fill.time,
        "position_side": command.book_side.name if command.book_side else None,
        "side": None if moves_lots else _SIDES[record.fill.direction],
        "quantity": None if moves_lots else record.fill.quantity,
        "price": None if moves_lots else command.price,
        "fee": command.fee,
        "fee_currency": command.fee_currency or None,
        "fill_id": command.fill_id if is_execution else None,
        "order_id": command.order_id or None,
        **{name: details.get(name) for name in ("numerator", "denominator", "cash_in_lieu", "to_symbol", "note")},
    }


def rate_cell(rate: Rate | None) -> tuple[tuple[str, str], ...] | None:
    """A rate as the contract's ConversionRate, in pairs; None for none."""
    if rate is None:
        return None
    into = rate.base if rate.inverted else rate.quote
    from_ = rate.quote if rate.inverted else rate.base
    return (
        ("from_currency", from_),
        ("to_currency", into),
        ("rate", plain(convert(ONE, rate))),
        ("rate_time", iso(rate.time)),
        ("source", rate.source),
    )
