"""Events of an account as values: one function per kind, and a table of which kind is read by which.

A kind that is not in the table is newer than this client. The event is still listed, with its time, note and sequence;
only what happened is ``None``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from lotkeeper import account
from lotkeeper.enums import PositionSide
from lotkeeper.parts import fill, money, number, number_or_none, time_of

if TYPE_CHECKING:
    from lotkeeper.v1 import event_service_pb2


def event(message: event_service_pb2.Event) -> account.Event:
    """One event, of whatever kind."""
    kind = message.WhichOneof("event")
    return account.Event(
        sequence=message.sequence,
        portfolio_id=message.portfolio_id,
        event_time=time_of(message.event_time),
        event_id=message.event_id,
        note=message.note,
        position_side=PositionSide(message.position_side),
        event=KINDS[kind](getattr(message, kind)) if kind in KINDS else None,
    )


def _deposit(message: event_service_pb2.Deposit) -> account.Deposit:
    return account.Deposit(money=money(message.money))


def _withdrawal(message: event_service_pb2.Withdrawal) -> account.Withdrawal:
    return account.Withdrawal(money=money(message.money))


def _funding(message: event_service_pb2.Funding) -> account.Funding:
    return account.Funding(symbol=message.symbol, money=money(message.money))


def _interest(message: event_service_pb2.Interest) -> account.Interest:
    return account.Interest(money=money(message.money))


def _dividend(message: event_service_pb2.Dividend) -> account.Dividend:
    return account.Dividend(symbol=message.symbol, money=money(message.money))


def _charge(message: event_service_pb2.Charge) -> account.Charge:
    return account.Charge(money=money(message.money))


def _fill_fee(message: event_service_pb2.FillFee) -> account.FillFee:
    return account.FillFee(symbol=message.symbol, fill_id=message.fill_id, fee=money(message.fee))


def _fee_rate(message: event_service_pb2.FeeRate) -> account.FeeRate:
    return account.FeeRate(
        fee_currency=message.fee_currency,
        quote_currency=message.quote_currency,
        rate=number(message.rate),
        source=message.source,
    )


def _split(message: event_service_pb2.Split) -> account.Split:
    return account.Split(
        symbol=message.symbol,
        numerator=message.numerator,
        denominator=message.denominator,
        cash_in_lieu=number_or_none(message.cash_in_lieu),
    )


def _symbol_change(message: event_service_pb2.SymbolChange) -> account.SymbolChange:
    return account.SymbolChange(from_symbol=message.from_symbol, to_symbol=message.to_symbol)


def _expiry(message: event_service_pb2.Expiry) -> account.Expiry:
    return account.Expiry(symbol=message.symbol)


def _exercise(message: event_service_pb2.Exercise) -> account.Exercise:
    return account.Exercise(
        symbol=message.symbol, quantity=number_or_none(message.quantity), fee=number_or_none(message.fee)
    )


def _assignment(message: event_service_pb2.Assignment) -> account.Assignment:
    return account.Assignment(
        symbol=message.symbol, quantity=number_or_none(message.quantity), fee=number_or_none(message.fee)
    )


def _cash_settlement(message: event_service_pb2.CashSettlement) -> account.CashSettlement:
    return account.CashSettlement(symbol=message.symbol, price=number(message.price), fee=number_or_none(message.fee))


def _liquidation(message: event_service_pb2.Liquidation) -> account.Liquidation:
    return account.Liquidation(fill=fill(message.fill))


KINDS: Mapping[str | None, Callable[[Any], account.EventKind]] = {
    "deposit": _deposit,
    "withdrawal": _withdrawal,
    "funding": _funding,
    "interest": _interest,
    "dividend": _dividend,
    "charge": _charge,
    "fill_fee": _fill_fee,
    "fee_rate": _fee_rate,
    "split": _split,
    "symbol_change": _symbol_change,
    "expiry": _expiry,
    "exercise": _exercise,
    "assignment": _assignment,
    "cash_settlement": _cash_settlement,
    "liquidation": _liquidation,
}
