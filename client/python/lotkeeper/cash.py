"""Cash that moves without an execution, and fees that come later, as calls: one per kind of event. No I/O.

Amounts are in the currency that stands beside them. ``event_id`` or ``request_id`` makes an event count once, however
often it is sent; what else may be said about it stands in ``recording.EventFields``.
"""

from __future__ import annotations

from typing import Unpack

from lotkeeper import fields
from lotkeeper.calls import Call, Defaults
from lotkeeper.fields import DecimalLike
from lotkeeper.recording import EventFields, record
from lotkeeper.responses import RecordEventResponse
from lotkeeper.v1 import event_service_pb2 as pb


def deposit(
    defaults: Defaults, *, currency: str, amount: DecimalLike, **rest: Unpack[EventFields]
) -> Call[RecordEventResponse]:
    """Record cash that was brought in, more than 0; with ``event_id`` or ``request_id``, and the rest of ``EventFields``.

    Raises:
        ValueError, TypeError, LotkeeperError: as every event, see ``recording.record``.
    """
    money = fields.money("amount", currency, amount)
    return record(defaults, "deposit", pb.Event(deposit=pb.Deposit(money=money)), **rest)


def withdraw(
    defaults: Defaults, *, currency: str, amount: DecimalLike, **rest: Unpack[EventFields]
) -> Call[RecordEventResponse]:
    """Record cash that was taken out, more than 0; with ``event_id`` or ``request_id``, and the rest of ``EventFields``.

    Raises:
        ValueError, TypeError, LotkeeperError: as every event, see ``recording.record``.
    """
    money = fields.money("amount", currency, amount)
    return record(defaults, "withdraw", pb.Event(withdrawal=pb.Withdrawal(money=money)), **rest)


def funding(
    defaults: Defaults, *, symbol: str, currency: str, amount: DecimalLike, **rest: Unpack[EventFields]
) -> Call[RecordEventResponse]:
    """Record funding of a perpetual: received, or negative when paid.

    With ``event_id`` or ``request_id``, and the rest of ``EventFields``.

    Raises:
        ValueError, TypeError, LotkeeperError: as every event, see ``recording.record``.
    """
    money = fields.money("amount", currency, amount)
    happened = pb.Funding(symbol=fields.text("symbol", symbol), money=money)
    return record(defaults, "funding", pb.Event(funding=happened), **rest)


def interest(
    defaults: Defaults, *, currency: str, amount: DecimalLike, **rest: Unpack[EventFields]
) -> Call[RecordEventResponse]:
    """Record interest on what was borrowed or lent: received, or negative when paid.

    With ``event_id`` or ``request_id``, and the rest of ``EventFields``.

    Raises:
        ValueError, TypeError, LotkeeperError: as every event, see ``recording.record``.
    """
    money = fields.money("amount", currency, amount)
    return record(defaults, "interest", pb.Event(interest=pb.Interest(money=money)), **rest)


def dividend(
    defaults: Defaults, *, symbol: str, currency: str, amount: DecimalLike, **rest: Unpack[EventFields]
) -> Call[RecordEventResponse]:
    """Record a dividend: received, or negative when paid on a short.

    With ``event_id`` or ``request_id``, and the rest of ``EventFields``.

    Raises:
        ValueError, TypeError, LotkeeperError: as every event, see ``recording.record``.
    """
    money = fields.money("amount", currency, amount)
    happened = pb.Dividend(symbol=fields.text("symbol", symbol), money=money)
    return record(defaults, "dividend", pb.Event(dividend=happened), **rest)


def charge(
    defaults: Defaults, *, currency: str, amount: DecimalLike, **rest: Unpack[EventFields]
) -> Call[RecordEventResponse]:
    """Record a fee that belongs to no execution; negative is a refund.

    With ``event_id`` or ``request_id``, and the rest of ``EventFields``.

    Raises:
        ValueError, TypeError, LotkeeperError: as every event, see ``recording.record``.
    """
    money = fields.money("amount", currency, amount)
    return record(defaults, "charge", pb.Event(charge=pb.Charge(money=money)), **rest)


def fill_fee(
    defaults: Defaults,
    *,
    symbol: str,
    fill_id: str,
    fee: DecimalLike,
    fee_currency: str,
    **rest: Unpack[EventFields],
) -> Call[RecordEventResponse]:
    """Record the whole fee of an execution that came without one; its trades are restated.

    Zero says that there is none, negative is a rebate. With ``event_id`` or ``request_id``, and the rest of
    ``EventFields``.

    Raises:
        ValueError, TypeError, LotkeeperError: as every event, see ``recording.record``.
    """
    happened = pb.FillFee(
        symbol=fields.text("symbol", symbol),
        fill_id=fields.text("fill_id", fill_id),
        fee=fields.money("fee", fee_currency, fee),
    )
    return record(defaults, "fill_fee", pb.Event(fill_fee=happened), **rest)


def fee_rate(
    defaults: Defaults,
    *,
    fee_currency: str,
    quote_currency: str,
    rate: DecimalLike,
    source: str = "",
    **rest: Unpack[EventFields],
) -> Call[RecordEventResponse]:
    """Record what one unit of ``fee_currency`` is worth, for fees that had no rate; their trades are restated.

    With ``event_id`` or ``request_id``, and the rest of ``EventFields``.

    Raises:
        ValueError, TypeError, LotkeeperError: as every event, see ``recording.record``.
    """
    happened = pb.FeeRate(
        fee_currency=fields.text("fee_currency", fee_currency),
        quote_currency=fields.text("quote_currency", quote_currency),
        rate=fields.decimal_text("rate", rate),
        source=fields.text("source", source),
    )
    return record(defaults, "fee_rate", pb.Event(fee_rate=happened), **rest)
