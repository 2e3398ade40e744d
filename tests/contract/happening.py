"""Events, corrections and terms that a server takes as they are; a test names only what it is about."""

from __future__ import annotations

from typing import Any

from lotkeeper.v1 import event_service_pb2, instrument_service_pb2, ledger_pb2, portfolio_service_pb2
from tests.contract.asking import fresh

EQUITY = instrument_service_pb2.INSTRUMENT_KIND_EQUITY
FUTURE = instrument_service_pb2.INSTRUMENT_KIND_FUTURE
INVERSE = instrument_service_pb2.INSTRUMENT_KIND_INVERSE
OPTION = instrument_service_pb2.INSTRUMENT_KIND_OPTION
PERPETUAL = instrument_service_pb2.INSTRUMENT_KIND_PERPETUAL
SPOT = instrument_service_pb2.INSTRUMENT_KIND_SPOT
CALL, PUT = instrument_service_pb2.OPTION_RIGHT_CALL, instrument_service_pb2.OPTION_RIGHT_PUT
NETTING, HEDGING = portfolio_service_pb2.POSITION_MODE_NETTING, portfolio_service_pb2.POSITION_MODE_HEDGING

BESIDE = frozenset({"event_time", "event_id", "note", "position_side"})


def money(amount: str, currency: str = "USD") -> ledger_pb2.Money:
    """An amount with its currency."""
    return ledger_pb2.Money(currency=currency, amount=amount)


def event(portfolio: str, kind: str, validate_only: bool = False, request_id: str | None = None, **told: Any) -> Any:
    """RecordEvent of one kind under a fresh request id; ``told`` are its fields, and those that stand beside."""
    beside = {name: value for name, value in told.items() if name in BESIDE}
    what: dict[str, Any] = {kind: {name: value for name, value in told.items() if name not in BESIDE}}
    return event_service_pb2.RecordEventRequest(
        request_id=fresh() if request_id is None else request_id,
        event=event_service_pb2.Event(portfolio_id=portfolio, **beside, **what),
        validate_only=validate_only,
    )


def bust(portfolio: str, symbol: str, fill_id: str = "", **others: Any) -> Any:
    """BustFill under a fresh request id."""
    given = {"request_id": fresh(), "fill_id": fill_id} | others
    return event_service_pb2.BustFillRequest(portfolio_id=portfolio, symbol=symbol, **given)


def correct(portfolio: str, symbol: str, fill_id: str = "", **others: Any) -> Any:
    """CorrectFill under a fresh request id."""
    given = {"request_id": fresh(), "fill_id": fill_id} | others
    return event_service_pb2.CorrectFillRequest(portfolio_id=portfolio, symbol=symbol, **given)


def create(portfolio: str, request_id: str | None = None, validate_only: bool = False, **terms: Any) -> Any:
    """CreatePortfolio under a fresh request id."""
    return portfolio_service_pb2.CreatePortfolioRequest(
        request_id=fresh() if request_id is None else request_id,
        portfolio=portfolio_service_pb2.Portfolio(portfolio_id=portfolio, **terms),
        validate_only=validate_only,
    )


def define(symbol: str, kind: Any = SPOT, request_id: str | None = None, **terms: Any) -> Any:
    """DefineInstrument under a fresh request id."""
    return instrument_service_pb2.DefineInstrumentRequest(
        request_id=fresh() if request_id is None else request_id,
        instrument=instrument_service_pb2.Instrument(symbol=symbol, kind=kind, **terms),
    )
