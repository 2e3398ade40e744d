"""Protobuf to domain: what a caller says of a broker.

A statement is what is believed of a broker, so it is taken strictly: an execution without an id could be recorded twice, one
without a time could go to a wrong place in its book, and a currency that is there twice has no balance. What is only noise is
not refused: the same execution on two pages of a broker's history, or a position of 0.
"""

from __future__ import annotations

from collections.abc import Sequence

from google.protobuf.timestamp_pb2 import Timestamp

from lotkeeper.v1 import ledger_pb2, reconciliation_pb2
from lotkeeperd.api.executions import TRADED
from lotkeeperd.api.fields import DAY, ID_LENGTH, NAME_LENGTH, NAMES, Fields, Sign
from lotkeeperd.domain.book import Direction
from lotkeeperd.domain.reconciliation.statements import Execution, HeldCash, HeldPosition, Statement
from lotkeeperd.domain.refusals import shown

POSITIONS = 20_000
"""That one statement may hold."""
EXECUTIONS = 20_000
"""That one statement may hold: about what fits into the largest request."""

SIDES: dict[int, Direction] = {
    ledger_pb2.POSITION_SIDE_LONG: Direction.LONG,
    ledger_pb2.POSITION_SIDE_SHORT: Direction.SHORT,
}


def statement(fields: Fields, field: str, told: reconciliation_pb2.BrokerStatement, now: int) -> Statement:
    """What the broker said; ``fields`` notes what is wrong with it below ``field``."""
    if not told.HasField("as_of"):
        fields.wrong(f"{field}.as_of", "is missing: when was the broker asked")
    for name, given, limit in (
        ("positions", told.positions, POSITIONS),
        ("fills", told.fills, EXECUTIONS),
        ("cash", told.cash, NAMES),
    ):
        if len(given) > limit:
            fields.wrong(f"{field}.{name}", f"{len(given)} {name}, at most {limit} are allowed")
            return Statement(0)
    since = told.fills_complete_since if told.HasField("fills_complete_since") else None
    return Statement(
        _time(fields, f"{field}.as_of", told.as_of, now),
        told.positions_complete,
        _positions(fields, f"{field}.positions", told.positions),
        _executions(fields, f"{field}.fills", told.fills, now),
        None if since is None else _time(fields, f"{field}.fills_complete_since", since, now),
        _cash(fields, f"{field}.cash", told.cash),
        told.cash_complete,
    )


def _time(fields: Fields, field: str, stamp: Timestamp, now: int) -> int:
    return fields.time(field, stamp, now + DAY)


def _positions(
    fields: Fields, field: str, told: Sequence[reconciliation_pb2.BrokerPosition]
) -> tuple[HeldPosition, ...]:
    found = []
    for place, row in enumerate(told):
        path = f"{field}[{place}]"
        held = HeldPosition(
            fields.symbol(f"{path}.symbol", row.symbol),
            _side(fields, f"{path}.side", row.side),
            fields.decimal(f"{path}.quantity", row.quantity, Sign.NOT_NEGATIVE),
            fields.optional_decimal(f"{path}.average_price", row.average_price, Sign.ANY),
            fields.optional_decimal(f"{path}.cost_basis", row.cost_basis, Sign.ANY),
        )
        if held.quantity:
            found.append(held)
    return tuple(found)


def _side(fields: Fields, field: str, side: int) -> Direction:
    if side not in SIDES:
        fields.wrong(field, f"{_name(side)} is neither LONG nor SHORT")
    return SIDES.get(side, Direction.LONG)


def _name(side: int) -> str:
    known = ledger_pb2.PositionSide.DESCRIPTOR.values_by_number
    return known[side].name if side in known else str(side)


def _executions(fields: Fields, field: str, told: Sequence[ledger_pb2.Fill], now: int) -> tuple[Execution, ...]:
    """Oldest first, each once."""
    found: dict[tuple[str, str], Execution] = {}
    for place, fill in enumerate(told):
        path = f"{field}[{place}]"
        execution = _execution(fields, path, fill, now)
        first = found.setdefault((execution.symbol, execution.fill_id), execution)
        if execution.fill_id and first != execution:
            fields.wrong(f"{path}.fill_id", f"{shown(fill.fill_id)} is there twice, with other content")
    return tuple(sorted(found.values(), key=lambda execution: execution.time))


def _execution(fields: Fields, path: str, fill: ledger_pb2.Fill, now: int) -> Execution:
    if not fill.fill_id:
        fields.wrong(f"{path}.fill_id", "is empty: without the broker's id it could be recorded twice")
    if not fill.HasField("fill_time"):
        fields.wrong(f"{path}.fill_time", "is missing: when did the broker execute it")
    if fill.side not in TRADED:
        fields.wrong(f"{path}.side", f"{fill.side} is neither BUY nor SELL")
    return Execution(
        fields.symbol(f"{path}.symbol", fill.symbol),
        TRADED.get(fill.side, Direction.LONG),
        fields.decimal(f"{path}.quantity", fill.quantity, Sign.POSITIVE),
        fields.decimal(f"{path}.price", fill.price, Sign.ANY),
        _time(fields, f"{path}.fill_time", fill.fill_time, now),
        fields.text(f"{path}.fill_id", fill.fill_id, ID_LENGTH),
        fields.text(f"{path}.order_id", fill.order_id, ID_LENGTH),
        fields.optional_decimal(f"{path}.fee", fill.fee, Sign.ANY),
        fields.text(f"{path}.fee_currency", fill.fee_currency, NAME_LENGTH),
        _side(fields, f"{path}.position_side", fill.position_side) if fill.position_side else None,
    )


def _cash(fields: Fields, field: str, told: Sequence[reconciliation_pb2.BrokerCash]) -> tuple[HeldCash, ...]:
    found: dict[str, HeldCash] = {}
    for place, row in enumerate(told):
        path = f"{field}[{place}]"
        currency = fields.text(f"{path}.currency", row.currency, NAME_LENGTH)
        if not currency:
            fields.wrong(f"{path}.currency", "is empty, a currency or asset is required")
        elif currency in found:
            fields.wrong(f"{path}.currency", f"{shown(currency)} is there twice")
        found[currency] = HeldCash(currency, fields.decimal(f"{path}.amount", row.amount, Sign.ANY))
    return tuple(found.values())
