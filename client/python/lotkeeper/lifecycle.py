"""What becomes of what is held, as calls: splits, new symbols, and the ends of contracts, one per kind. No I/O.

Each tells the ledger what has happened; none of them makes it happen at a broker. ``event_id`` or ``request_id`` makes
an event count once, however often it is sent; what else may be said about it stands in ``recording.EventFields``.
"""

from __future__ import annotations

from typing import Unpack

from lotkeeper import fields
from lotkeeper.calls import Call, Defaults
from lotkeeper.enums import PositionSide, Side
from lotkeeper.fields import DecimalLike
from lotkeeper.recording import EventFields, record
from lotkeeper.responses import RecordEventResponse
from lotkeeper.v1 import event_service_pb2 as pb
from lotkeeper.writes import fill_message


def split(
    defaults: Defaults,
    *,
    symbol: str,
    numerator: int,
    denominator: int,
    cash_in_lieu: DecimalLike | None = None,
    **rest: Unpack[EventFields],
) -> Call[RecordEventResponse]:
    """Record that every ``denominator`` units became ``numerator`` units: 4 and 1 for a four-for-one.

    ``cash_in_lieu`` was paid for what was left beyond whole size steps, all lots together; left out, fractions stay.
    With ``event_id`` or ``request_id``, and the rest of ``EventFields``.

    Raises:
        ValueError, TypeError, LotkeeperError: as every event, see ``recording.record``.
    """
    happened = pb.Split(
        symbol=fields.text("symbol", symbol),
        numerator=fields.whole("numerator", numerator),
        denominator=fields.whole("denominator", denominator),
        cash_in_lieu=fields.decimal_text("cash_in_lieu", cash_in_lieu),
    )
    return record(defaults, "split", pb.Event(split=happened), **rest)


def symbol_change(
    defaults: Defaults, *, from_symbol: str, to_symbol: str, **rest: Unpack[EventFields]
) -> Call[RecordEventResponse]:
    """Record that the same lots have another symbol now.

    With ``event_id`` or ``request_id``, and the rest of ``EventFields``.

    Raises:
        ValueError, TypeError, LotkeeperError: as every event, see ``recording.record``.
    """
    happened = pb.SymbolChange(
        from_symbol=fields.text("from_symbol", from_symbol), to_symbol=fields.text("to_symbol", to_symbol)
    )
    return record(defaults, "symbol_change", pb.Event(symbol_change=happened), **rest)


def expire(defaults: Defaults, *, symbol: str, **rest: Unpack[EventFields]) -> Call[RecordEventResponse]:
    """Record the end of an option that nobody exercised: its lots close at zero.

    With ``event_id`` or ``request_id``, and the rest of ``EventFields``.

    Raises:
        ValueError, TypeError, LotkeeperError: as every event, see ``recording.record``.
    """
    return record(defaults, "expire", pb.Event(expiry=pb.Expiry(symbol=fields.text("symbol", symbol))), **rest)


def exercise(
    defaults: Defaults,
    *,
    symbol: str,
    quantity: DecimalLike | None = None,
    fee: DecimalLike | None = None,
    **rest: Unpack[EventFields],
) -> Call[RecordEventResponse]:
    """Record that a long option was used: its lots close at zero, the underlying trades at the strike.

    ``quantity`` is contracts, all that are open when left out; ``fee`` is in the underlying's quote currency. With
    ``event_id`` or ``request_id``, and the rest of ``EventFields``.

    Raises:
        ValueError, TypeError, LotkeeperError: as every event, see ``recording.record``.
    """
    happened = pb.Exercise(
        symbol=fields.text("symbol", symbol),
        quantity=fields.decimal_text("quantity", quantity),
        fee=fields.decimal_text("fee", fee),
    )
    return record(defaults, "exercise", pb.Event(exercise=happened), **rest)


def assign(
    defaults: Defaults,
    *,
    symbol: str,
    quantity: DecimalLike | None = None,
    fee: DecimalLike | None = None,
    **rest: Unpack[EventFields],
) -> Call[RecordEventResponse]:
    """Record that the holder of an option used what was sold: its lots close at zero, the underlying trades at the strike.

    ``quantity`` is contracts, all that are open when left out; ``fee`` is in the underlying's quote currency. With
    ``event_id`` or ``request_id``, and the rest of ``EventFields``.

    Raises:
        ValueError, TypeError, LotkeeperError: as every event, see ``recording.record``.
    """
    happened = pb.Assignment(
        symbol=fields.text("symbol", symbol),
        quantity=fields.decimal_text("quantity", quantity),
        fee=fields.decimal_text("fee", fee),
    )
    return record(defaults, "assign", pb.Event(assignment=happened), **rest)


def settle(
    defaults: Defaults,
    *,
    symbol: str,
    price: DecimalLike,
    fee: DecimalLike | None = None,
    **rest: Unpack[EventFields],
) -> Call[RecordEventResponse]:
    """Record the end of a contract that was settled in cash: its lots close at ``price``.

    With ``event_id`` or ``request_id``, and the rest of ``EventFields``.

    Raises:
        ValueError, TypeError, LotkeeperError: as every event, see ``recording.record``.
    """
    happened = pb.CashSettlement(
        symbol=fields.text("symbol", symbol),
        price=fields.decimal_text("price", price),
        fee=fields.decimal_text("fee", fee),
    )
    return record(defaults, "settle", pb.Event(cash_settlement=happened), **rest)


def liquidation(
    defaults: Defaults,
    *,
    symbol: str,
    side: Side,
    quantity: DecimalLike,
    price: DecimalLike,
    fill_id: str,
    order_id: str = "",
    fee: DecimalLike | None = None,
    fee_currency: str = "",
    **rest: Unpack[EventFields],
) -> Call[RecordEventResponse]:
    """Record that the venue closed a position by force, with the execution ``fill_id``.

    ``event_time`` is when it was executed. With ``event_id`` or ``request_id``, and the rest of ``EventFields``.

    Raises:
        ValueError, TypeError, LotkeeperError: as every event, see ``recording.record``.
    """
    fill = fill_message(
        fill_id=fill_id,
        order_id=order_id,
        symbol=symbol,
        side=side,
        quantity=quantity,
        price=price,
        fee=fee,
        fee_currency=fee_currency,
        fill_time=rest.get("event_time"),
        position_side=rest.get("position_side", PositionSide.UNSPECIFIED),
    )
    return record(defaults, "liquidation", pb.Event(liquidation=pb.Liquidation(fill=fill)), **rest)
