"""What takes an execution back as calls: ``bust_fill``, ``correct_fill``. No I/O.

Both name the execution by its ``fill_id``, or by the journal sequence that recorded it where it has none or was split
between two commands. The answer lists every trade that is another one now, before and after.
"""

from __future__ import annotations

from lotkeeper import answers, calls, fields
from lotkeeper.calls import Call, Defaults
from lotkeeper.enums import ExcessPolicy, Side
from lotkeeper.fields import DecimalLike, TimeLike
from lotkeeper.responses import BustFillResponse, CorrectFillResponse
from lotkeeper.v1 import event_service_pb2


def bust_fill(
    defaults: Defaults,
    *,
    request_id: str,
    symbol: str,
    fill_id: str = "",
    fill_sequence: int = 0,
    reason: str = "",
    excess_policy: ExcessPolicy = ExcessPolicy.UNSPECIFIED,
    validate_only: bool = False,
    portfolio_id: str | None = None,
    timeout: float | None = None,
) -> Call[BustFillResponse]:
    """Take an execution back that the venue cancelled; the book is re-matched without it.

    ``excess_policy`` says what becomes of later commands that close more than would be open: refuse this one, or let
    them open the rest on the other side. ``request_id`` makes it count once, however often it is sent.

    Raises:
        TypeError: a type that cannot be sent exactly.
        LaterCommandRefused: a later command would have been refused without the execution; nothing was written.
        LotkeeperError: the ledger refused, or did not answer in time.
    """
    request = event_service_pb2.BustFillRequest(
        request_id=fields.text("request_id", request_id),
        portfolio_id=calls.portfolio_of(defaults, portfolio_id),
        symbol=fields.text("symbol", symbol),
        fill_id=fields.text("fill_id", fill_id),
        fill_sequence=fill_sequence,
        reason=fields.text("reason", reason),
        excess_policy=fields.member("excess_policy", ExcessPolicy, excess_policy),
        validate_only=validate_only,
    )
    return Call("BustFill", request, answers.bust_fill, calls.timeout_of(defaults, timeout))


def correct_fill(
    defaults: Defaults,
    *,
    request_id: str,
    symbol: str,
    fill_id: str = "",
    fill_sequence: int = 0,
    side: Side | None = None,
    quantity: DecimalLike | None = None,
    price: DecimalLike | None = None,
    fee: DecimalLike | None = None,
    fee_currency: str | None = None,
    fill_time: TimeLike | None = None,
    reason: str = "",
    excess_policy: ExcessPolicy = ExcessPolicy.UNSPECIFIED,
    validate_only: bool = False,
    portfolio_id: str | None = None,
    timeout: float | None = None,
) -> Call[CorrectFillResponse]:
    """Correct an execution that the venue restated; the book is re-matched with it as it is now.

    What is given takes the place of what was recorded, what is left out stays. ``excess_policy`` as for ``bust_fill``;
    ``request_id`` makes it count once, however often it is sent.

    Raises:
        ValueError: a value cannot be sent.
        TypeError: a float, or another type that cannot be sent exactly.
        LaterCommandRefused: a later command would have been refused after it; nothing was written.
        LotkeeperError: the ledger refused, or did not answer in time.
    """
    request = event_service_pb2.CorrectFillRequest(
        request_id=fields.text("request_id", request_id),
        portfolio_id=calls.portfolio_of(defaults, portfolio_id),
        symbol=fields.text("symbol", symbol),
        fill_id=fields.text("fill_id", fill_id),
        fill_sequence=fill_sequence,
        side=fields.optional_member("side", Side, side),
        quantity=fields.optional_decimal("quantity", quantity),
        price=fields.optional_decimal("price", price),
        fee=fields.optional_decimal("fee", fee),
        fee_currency=fields.optional_text("fee_currency", fee_currency),
        fill_time=fields.timestamp("fill_time", fill_time),
        reason=fields.text("reason", reason),
        excess_policy=fields.member("excess_policy", ExcessPolicy, excess_policy),
        validate_only=validate_only,
    )
    return Call("CorrectFill", request, answers.correct_fill, calls.timeout_of(defaults, timeout))
