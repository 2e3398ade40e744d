"""The three writes as calls: ``create_entry``, ``close_fifo``, ``record_fill``. No I/O.

A write must carry an id from the caller. Without one, nobody could tell a retry after a lost answer, or the same fill
from a second instance of the bot, from a new execution. Therefore such a write is refused before anything is sent.
"""

from __future__ import annotations

from collections.abc import Mapping

from lotkeeper import answers, calls, fields, values
from lotkeeper.calls import Call, Defaults
from lotkeeper.enums import ExcessPolicy, PositionSide, Side
from lotkeeper.fields import DecimalLike, TimeLike
from lotkeeper.v1 import ledger_pb2, ledger_service_pb2


def create_entry(
    defaults: Defaults,
    *,
    symbol: str,
    quantity: DecimalLike,
    entry_price: DecimalLike,
    side: PositionSide = PositionSide.LONG,
    entry_time: TimeLike | None = None,
    entry_order_id: str = "",
    entry_fill_id: str = "",
    request_id: str = "",
    fee: DecimalLike | None = None,
    fee_currency: str = "",
    group_id: str = "",
    labels: Mapping[str, str] | None = None,
    validate_only: bool = False,
    portfolio_id: str | None = None,
    timeout: float | None = None,
) -> Call[values.CreateEntryResponse]:
    """Open one lot. ``entry_fill_id`` or ``request_id`` makes it count once, however often it is sent.

    Raises:
        ValueError: neither id was given, or a value cannot be sent.
        TypeError: a float, or another type that cannot be sent exactly.
        LotkeeperError: the ledger refused, or did not answer in time.
    """
    _identified("create_entry", request_id, "entry_fill_id", entry_fill_id)
    request = ledger_service_pb2.CreateEntryRequest(
        request_id=fields.text("request_id", request_id),
        portfolio_id=calls.portfolio_of(defaults, portfolio_id),
        symbol=fields.text("symbol", symbol),
        side=fields.member("side", PositionSide, side),
        quantity=fields.decimal_text("quantity", quantity),
        entry_price=fields.decimal_text("entry_price", entry_price),
        entry_time=fields.timestamp("entry_time", entry_time),
        entry_order_id=fields.text("entry_order_id", entry_order_id),
        entry_fill_id=fields.text("entry_fill_id", entry_fill_id),
        fee=fields.decimal_text("fee", fee),
        fee_currency=fields.text("fee_currency", fee_currency),
        group_id=fields.text("group_id", group_id),
        labels=fields.labels("labels", labels),
        validate_only=validate_only,
    )
    return Call("CreateEntry", request, answers.create_entry, calls.timeout_of(defaults, timeout))


def close_fifo(
    defaults: Defaults,
    *,
    symbol: str,
    exit_price: DecimalLike,
    quantity: DecimalLike | None = None,
    close_all: bool = False,
    side: PositionSide = PositionSide.UNSPECIFIED,
    exit_time: TimeLike | None = None,
    exit_reason: str = "",
    exit_order_id: str = "",
    exit_fill_id: str = "",
    request_id: str = "",
    fee: DecimalLike | None = None,
    fee_currency: str = "",
    excess_policy: ExcessPolicy = ExcessPolicy.UNSPECIFIED,
    validate_only: bool = False,
    portfolio_id: str | None = None,
    timeout: float | None = None,
) -> Call[values.CloseFifoResponse]:
    """Close open lots of one symbol, oldest first: ``quantity`` of them, or ``close_all``.

    ``exit_fill_id`` or ``request_id`` makes it count once, however often it is sent.

    Raises:
        ValueError: neither id was given, or a value cannot be sent.
        TypeError: a float, or another type that cannot be sent exactly.
        LotkeeperError: the ledger refused, or did not answer in time.
    """
    _identified("close_fifo", request_id, "exit_fill_id", exit_fill_id)
    request = ledger_service_pb2.CloseFifoRequest(
        request_id=fields.text("request_id", request_id),
        portfolio_id=calls.portfolio_of(defaults, portfolio_id),
        symbol=fields.text("symbol", symbol),
        side=fields.member("side", PositionSide, side),
        quantity=fields.decimal_text("quantity", quantity),
        close_all=close_all,
        exit_price=fields.decimal_text("exit_price", exit_price),
        exit_time=fields.timestamp("exit_time", exit_time),
        exit_reason=fields.text("exit_reason", exit_reason),
        exit_order_id=fields.text("exit_order_id", exit_order_id),
        exit_fill_id=fields.text("exit_fill_id", exit_fill_id),
        fee=fields.decimal_text("fee", fee),
        fee_currency=fields.text("fee_currency", fee_currency),
        excess_policy=fields.member("excess_policy", ExcessPolicy, excess_policy),
        validate_only=validate_only,
    )
    return Call("CloseFifo", request, answers.close_fifo, calls.timeout_of(defaults, timeout))


def record_fill(
    defaults: Defaults,
    *,
    symbol: str,
    side: Side,
    quantity: DecimalLike,
    price: DecimalLike,
    fill_id: str = "",
    order_id: str = "",
    fee: DecimalLike | None = None,
    fee_currency: str = "",
    fill_time: TimeLike | None = None,
    position_side: PositionSide = PositionSide.UNSPECIFIED,
    request_id: str = "",
    reason: str = "",
    group_id: str = "",
    labels: Mapping[str, str] | None = None,
    excess_policy: ExcessPolicy = ExcessPolicy.UNSPECIFIED,
    validate_only: bool = False,
    portfolio_id: str | None = None,
    timeout: float | None = None,
) -> Call[values.RecordFillResponse]:
    """Record one execution and let the book decide: open, add, reduce, close or flip.

    ``fill_id`` or ``request_id`` makes it count once, however often it is sent.

    Raises:
        ValueError: neither id was given, or a value cannot be sent.
        TypeError: a float, or another type that cannot be sent exactly.
        LotkeeperError: the ledger refused, or did not answer in time.
    """
    _identified("record_fill", request_id, "fill_id", fill_id)
    fill = ledger_pb2.Fill(
        fill_id=fields.text("fill_id", fill_id),
        order_id=fields.text("order_id", order_id),
        symbol=fields.text("symbol", symbol),
        side=fields.member("side", Side, side),
        quantity=fields.decimal_text("quantity", quantity),
        price=fields.decimal_text("price", price),
        fee=fields.decimal_text("fee", fee),
        fee_currency=fields.text("fee_currency", fee_currency),
        fill_time=fields.timestamp("fill_time", fill_time),
        position_side=fields.member("position_side", PositionSide, position_side),
    )
    request = ledger_service_pb2.RecordFillRequest(
        request_id=fields.text("request_id", request_id),
        portfolio_id=calls.portfolio_of(defaults, portfolio_id),
        fill=fill,
        reason=fields.text("reason", reason),
        group_id=fields.text("group_id", group_id),
        labels=fields.labels("labels", labels),
        validate_only=validate_only,
        excess_policy=fields.member("excess_policy", ExcessPolicy, excess_policy),
    )
    return Call("RecordFill", request, answers.record_fill, calls.timeout_of(defaults, timeout))


def _identified(method: str, request_id: str, fill_field: str, fill_id: str) -> None:
    if not request_id and not fill_id:
        raise ValueError(
            f"{method}: neither {fill_field} nor request_id was given. Without one a retry after a lost answer, or a "
            f"second instance of the bot, would record the execution twice. Pass the venue's execution id as "
            f"{fill_field}, or a request_id made before the first try and kept for the next."
        )
