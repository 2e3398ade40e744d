"""Journal records to rows and back: executions in ``rows``, reports of brokers in ``reconciliation_rows``, the rest here.

Every row has the same columns. ``asked`` is what was asked for, ``decided`` what was decided, both JSON; a record that re-matched
its book has a ``rematch`` in it, whole: each slot that came out differently as it counts now. So nothing but the rows
of one book is needed to know what counts in it (law 13).
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from sqlalchemy import Row

from lotkeeperd.domain.accounts import (
    CashEvent,
    CashMoved,
    DefineInstrument,
    Flow,
    InstrumentDefined,
    PortfolioCommand,
    TermsMethod,
    TermsSet,
)
from lotkeeperd.domain.book import Direction, LotMethod
from lotkeeperd.domain.commands import RULES_VERSION, Decision, Excess, Method
from lotkeeperd.domain.decimals import plain
from lotkeeperd.domain.history import Amend, Amendment, Correction, Late, Rematch, Slot
from lotkeeperd.domain.instruments import Instrument, Kind, Right
from lotkeeperd.domain.portfolios import Mode, Portfolio, PositionMode
from lotkeeperd.domain.reconciliation.records import Reported, Resolved, Undone
from lotkeeperd.service.ports import JournalRecord
from lotkeeperd.storage.identity import KEY_VERSION, fill_key, request_key
from lotkeeperd.storage.reconciliation_rows import METHODS, reconciliation_of, reconciliation_row
from lotkeeperd.storage.rows import (
    JournalRow,
    asked_text,
    command_of,
    decided_text,
    decision_from,
    decision_of,
    journal_row,
    rate_json,
    rate_of,
)

DEFINE_INSTRUMENT = "DefineInstrument"

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_FLOWS = frozenset(flow.value for flow in Flow)
EXECUTED = (Method.CREATE_ENTRY, Method.CLOSE_FIFO, Method.RECORD_FILL)
AMENDMENTS = frozenset(amend.value for amend in Amend)
TRADING = AMENDMENTS | frozenset(method.value for method in Method)
"""Methods of records that close, open or restate."""
EVENTS = (
    _FLOWS
    | {Amend.FILL_FEE.value, Amend.FEE_RATE.value}
    | {method.value for method in Method if method not in (*EXECUTED, Method.DELIVERY, Method.CASH_IN_LIEU)}
) - {Method.SYMBOL_ARRIVAL.value}
"""Methods of what is told as an event: of several records of one, the first."""
REMATCH = '"rematch":'
"""In what was decided by a record that re-matched its book; a label may have that name, too."""
_TERMS = frozenset(method.value for method in TermsMethod)


def record_row(record: JournalRecord) -> tuple[Any, ...]:
    """A row of ``journal``, without its link of the chain."""
    if isinstance(record, Decision):
        return journal_row(record)
    if isinstance(record, Late):
        row = journal_row(record.decision)
        decided = {**json.loads(row[-1]), "rematch": _rematch_json(record.rematch)}
        return (*row[:-3], len(record.rematch.pairs), row[-2], _encode(decided))
    if isinstance(record, Reported | Resolved | Undone):
        return reconciliation_row(record)
    method, asked, decided = _told(record)
    command = record.command
    found_by = command.recorded_id if isinstance(command, Amendment) else command.fill_id
    count = len(record.rematch.pairs) if isinstance(record, Correction) else 0
    portfolio_id, request_id = command.portfolio_id, command.request_id
    return (
        record.sequence,
        record.recorded_time,
        portfolio_id,
        command.symbol,
        method,
        RULES_VERSION,
        KEY_VERSION,
        command.role.value,
        request_key(portfolio_id, request_id) if request_id else None,
        request_id,
        fill_key(portfolio_id, found_by) if found_by else None,
        found_by,
        count,
        _encode(asked),
        _encode(decided),
    )


def _told(record: Correction | CashMoved | TermsSet | InstrumentDefined) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """The method, what was asked and what was decided."""
    if isinstance(record, Correction):
        asked = _sparse(record.command, ("method", "portfolio_id", "symbol", "request_id", "validate_only"))
        return record.command.method.value, asked, {"rematch": _rematch_json(record.rematch)}
    if isinstance(record, CashMoved):
        asked = _sparse(record.command, ("method", "portfolio_id", "symbol", "fill_id", "request_id", "validate_only"))
        return record.command.method.value, asked, {"time": record.time, "rate": rate_json(record.rate)}
    if isinstance(record, TermsSet):
        changes = {name: _plain(value) for name, value in record.command.changes}
        return record.command.method.value, changes, portfolio_json(record.portfolio)
    return DEFINE_INSTRUMENT, instrument_json(record.command.instrument), instrument_json(record.instrument)


def record_of(row: Row[Any] | JournalRow) -> JournalRecord:
    """The record of a journal row."""
    if row.method in _FLOWS:
        return _cash_of(row)
    if row.method in AMENDMENTS:
        return _correction_of(row)
    if row.method in _TERMS:
        return _terms_of(row)
    if row.method == DEFINE_INSTRUMENT:
        return _defined_of(row)
    if row.method in METHODS:
        return reconciliation_of(row)
    if REMATCH in row.decided:
        stored = json.loads(row.decided).get("rematch")
        return decision_of(row) if stored is None else Late(decision_of(row), _rematch_of(row, stored))
    return decision_of(row)


def is_told(record: JournalRecord, start: int | None, end: int | None) -> bool:
    """Whether a record is the first of its event, and that happened from ``start`` to before ``end``, nanoseconds UTC."""
    if isinstance(record, Correction):
        first, time = bool(record.command.request_id or record.command.event_id), record.recorded_time
    elif isinstance(record, CashMoved):
        first, time = True, record.time
    elif isinstance(record, Decision):
        first, time = bool(record.command.request_id or record.command.fill_id), record.fill.time
    else:
        return False
    return first and (start is None or time >= start) and (end is None or time < end)


def _sparse(command: Amendment | CashEvent, without: tuple[str, ...]) -> dict[str, Any]:
    """What the caller gave, by field."""
    defaults = command._field_defaults
    return {
        name: _plain(value)
        for name, value in zip(command._fields, command, strict=True)
        if name not in without and (name not in defaults or value != defaults[name])
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, Direction):
        return value.name
    if isinstance(value, Excess | PositionMode | Mode | LotMethod):
        return value.value
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    return value


def _amendment_of(row: Row[Any] | JournalRow, asked: dict[str, Any]) -> Amendment:
    given: dict[str, Any] = dict(asked)
    for name in ("quantity", "price", "fee", "rate"):
        if name in given:
            given[name] = Decimal(given[name])
    for name in ("side", "book_side"):
        if name in given:
            given[name] = Direction[given[name]]
    if "excess" in given:
        given["excess"] = Excess(given["excess"])
    return Amendment(Amend(row.method), row.portfolio_id, row.symbol, row.request_id, **given)


def _correction_of(row: Row[Any] | JournalRow) -> Correction:
    command = _amendment_of(row, json.loads(row.asked))
    return Correction(row.sequence, row.recorded_time, command, _rematch_of(row, json.loads(row.decided)["rematch"]))


def _rematch_json(rematch: Rematch) -> dict[str, Any]:
    return {
        "place": rematch.place,
        "gross": plain(rematch.gross),
        "fees": plain(rematch.fees),
        "pairs": [[_ref(was), _ref(now)] for was, now in rematch.pairs],
        "slots": [_slot_json(slot) for slot in rematch.slots],
    }


def _ref(ref: tuple[int, int] | None) -> list[int] | None:
    return None if ref is None else list(ref)


def _slot_json(slot: Slot) -> dict[str, Any]:
    decision = slot.decision
    return {
        "sequence": decision.sequence,
        "recorded_time": decision.recorded_time,
        "method": decision.command.method.value,
        "fill_id": decision.command.fill_id,
        "request_id": decision.command.request_id,
        "asked": json.loads(asked_text(decision.command)),
        "decided": json.loads(decided_text(decision)),
        "trades": [list(ref) for ref in slot.trades],
    }


def _rematch_of(row: Row[Any] | JournalRow, stored: dict[str, Any]) -> Rematch:
    return Rematch(
        stored["place"],
        tuple(_slot_of(row, slot) for slot in stored["slots"]),
        tuple((_ref_of(was), _ref_of(now)) for was, now in stored["pairs"]),
        Decimal(stored["gross"]),
        Decimal(stored["fees"]),
    )


def _ref_of(stored: list[int] | None) -> tuple[int, int] | None:
    return None if stored is None else (stored[0], stored[1])


def _slot_of(row: Row[Any] | JournalRow, stored: dict[str, Any]) -> Slot:
    command = command_of(
        stored["method"], row.portfolio_id, row.symbol, stored["fill_id"], stored["request_id"], stored["asked"]
    )
    decision = decision_from(stored["sequence"], stored["recorded_time"], command, stored["decided"])
    return Slot(decision, tuple((sequence, index) for sequence, index in stored["trades"]))


def _cash_of(row: Row[Any] | JournalRow) -> CashMoved:
    asked, decided = json.loads(row.asked), json.loads(row.decided)
    command = CashEvent(
        Flow(row.method),
        row.portfolio_id,
        row.symbol,
        asked["currency"],
        Decimal(asked["amount"]),
        asked.get("time"),
        row.fill_id,
        row.request_id,
        asked.get("note", ""),
    )
    return CashMoved(row.sequence, row.recorded_time, command, decided["time"], rate_of(decided["rate"]))


def portfolio_json(portfolio: Portfolio) -> dict[str, Any]:
    """A portfolio's terms, what differs from the defaults."""
    defaults = portfolio._field_defaults
    return {
        name: _plain(value)
        for name, value in zip(portfolio._fields, portfolio, strict=True)
        if name != "portfolio_id" and (name not in defaults or value != defaults[name])
    }


_TYPES: dict[str, Any] = {
    "position_mode": PositionMode,
    "mode": Mode,
    "lot_method": LotMethod,
    "initial_cash": lambda cash: tuple((currency, Decimal(amount)) for currency, amount in cash),
}


def portfolio_of(portfolio_id: str, terms: dict[str, Any]) -> Portfolio:
    """The portfolio of such JSON."""
    return Portfolio(portfolio_id, **_typed(terms))


def _typed(terms: dict[str, Any]) -> dict[str, Any]:
    return {name: _TYPES[name](value) if name in _TYPES else value for name, value in terms.items()}


def _terms_of(row: Row[Any] | JournalRow) -> TermsSet:
    changes = tuple(_typed(json.loads(row.asked)).items())
    command = PortfolioCommand(TermsMethod(row.method), row.portfolio_id, row.request_id, changes)
    return TermsSet(row.sequence, row.recorded_time, command, portfolio_of(row.portfolio_id, json.loads(row.decided)))


def instrument_json(instrument: Instrument) -> dict[str, Any]:
    """An instrument, what differs from the defaults; its symbol stands in the row."""
    defaults = instrument._field_defaults
    return {
        name: value.value if isinstance(value, Kind | Right) else _plain(value)
        for name, value in zip(instrument._fields, instrument, strict=True)
        if name != "symbol" and value != defaults[name]
    }


_INSTRUMENT_TYPES: dict[str, Any] = {
    "kind": Kind,
    "right": Right,
    "multiplier": Decimal,
    "price_step": Decimal,
    "size_step": Decimal,
    "strike": Decimal,
}


def instrument_of(symbol: str, terms: dict[str, Any]) -> Instrument:
    """The instrument of such JSON."""
    return Instrument(
        symbol,
        **{
            name: _INSTRUMENT_TYPES[name](value) if name in _INSTRUMENT_TYPES else value
            for name, value in terms.items()
        },
    )


def _defined_of(row: Row[Any] | JournalRow) -> InstrumentDefined:
    asked = instrument_of(row.symbol, json.loads(row.asked))
    command = DefineInstrument(asked, row.request_id)
    return InstrumentDefined(
        row.sequence, row.recorded_time, command, instrument_of(row.symbol, json.loads(row.decided))
    )
