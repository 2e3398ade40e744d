"""A statement as a file has it: protobuf JSON of ``BrokerStatement``.

It is read by protobuf itself: what that takes for a statement is what every program of the contract takes for one, in any language,
and its complaints name the field. Decimals stay the text that they are; the server judges them, as it does those of a bot.
"""

from __future__ import annotations

from google.protobuf import json_format

from lotkeeper.enums import PositionSide, Side
from lotkeeper.parts import time_of
from lotkeeper.reconciliation import BrokerCash, BrokerPosition, BrokerStatement
from lotkeeper.v1 import ledger_pb2, reconciliation_pb2
from lotkeeper.values import Fill


def statement_of_json(text: str) -> BrokerStatement:
    """The statement that ``text`` holds.

    Raises:
        ValueError: it is none; the message says where. Without the time at which the broker was asked it is none either.
    """
    message = reconciliation_pb2.BrokerStatement()
    try:
        json_format.Parse(text, message)
    except json_format.ParseError as error:
        raise ValueError(f"it is not the JSON of a BrokerStatement: {error}") from error
    if not message.HasField("as_of"):
        raise ValueError('"asOf" is missing, the time at which the broker was asked: "asOf": "2026-01-05T15:31:07Z"')
    return _statement(message)


def _statement(message: reconciliation_pb2.BrokerStatement) -> BrokerStatement:
    complete_since = message.fills_complete_since
    return BrokerStatement(
        as_of=time_of(message.as_of),
        positions_complete=message.positions_complete,
        positions=tuple(map(_position, message.positions)),
        fills=tuple(map(_fill, message.fills)),
        fills_complete_since=time_of(complete_since) if message.HasField("fills_complete_since") else None,
        cash=tuple(BrokerCash(currency=each.currency, amount=each.amount) for each in message.cash),
        cash_complete=message.cash_complete,
    )


def _position(message: reconciliation_pb2.BrokerPosition) -> BrokerPosition:
    return BrokerPosition(
        symbol=message.symbol,
        side=PositionSide(message.side),
        quantity=message.quantity,
        average_price=message.average_price or None,
        cost_basis=message.cost_basis or None,
    )


def _fill(message: ledger_pb2.Fill) -> Fill:
    return Fill(
        symbol=message.symbol,
        side=Side(message.side),
        quantity=message.quantity,
        price=message.price,
        fill_id=message.fill_id,
        order_id=message.order_id,
        fee=message.fee or None,
        fee_currency=message.fee_currency,
        fill_time=time_of(message.fill_time) if message.HasField("fill_time") else None,
        position_side=PositionSide(message.position_side),
    )
