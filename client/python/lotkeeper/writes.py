"""What a bot executed as calls: ``create_entry``, ``close_fifo``, ``record_fill``. No I/O.

A write must carry an id from the caller. Without one, nobody could tell a retry after a lost answer, or the same fill
from a second instance of the bot, from a new execution. Therefore such a write is refused before anything is sent.
"""

from __future__ import annotations

from collections.abc import Mapping

from lotkeeper import answers, calls, fields
from lotkeeper.calls import Call, Defaults
from lotkeeper.enums import ExcessPolicy, LatePolicy, PositionSide, Side
from lotkeeper.fields import DecimalLike, TimeLike
from lotkeeper.responses import CloseFifoResponse, CreateEntryResponse, RecordFillResponse
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
    late_policy: LatePolicy = LatePolicy.UNSPECIFIED,
    synthetic: bool = False,
    validate_only: bool = False,
    portfolio_id: str | None = None,
    timeout: float | None = None,
) -> Call[CreateEntryResponse]:
    """Open one lot. ``entry_fill_id`` or ``request_id`` makes it count once, however often it is sent.

    ``synthetic`` marks an adopted position: no venue execution stands behind it. ``late_policy`` says what becomes of
    an entry that is older than the newest execution of its book.

    Raises:
        ValueError: neither id was given, or a value cannot be sent.
        TypeError: a float, or another type that cannot be sent exactly.
        LotkeeperError: the ledger refused, or did not answer in time.
    """
    calls.identify("create_entry", request_id, "entry_fill_id", entry_fill_id)
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
        late_policy=fields.member("late_policy", LatePolicy, late_policy),
        synthetic=synthetic,
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
    lots: Mapping[str, DecimalLike] | None = None,
    late_policy: LatePolicy = LatePolicy.UNSPECIFIED,
    validate_only: bool = False,
    portfolio_id: str | None = None,
    timeout: float | None = None,
) -> Call[CloseFifoResponse]:
    """Close open lots of one symbol, oldest first: ``quantity`` of them, or ``close_all``.

    ``exit_fill_id`` or ``request_id`` makes it count once, however often it is sent. ``lots``, where the portfolio's
    lot method is CHOSEN, are the lots to take, ``{entry_id: quantity}`` in this order; they sum to ``quantity``.

    Raises:
        ValueError: neither id was given, or a value cannot be sent.
        TypeError: a float, or another type that cannot be sent exactly.
        LotkeeperError: the ledger refused, or did not answer in time.
    """
    calls.identify("close_fifo", request_id, "exit_fill_id", exit_fill_id)
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
        lots=_chosen(lots),
        late_policy=fields.member("late_policy", LatePolicy, late_policy),
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
    lots: Mapping[str, DecimalLike] | None = None,
    late_policy: LatePolicy = LatePolicy.UNSPECIFIED,
    validate_only: bool = False,
    portfolio_id: str | None = None,
    timeout: float | None = None,
) -> Call[RecordFillResponse]:
    """Record one execution and let the book decide: open, add, reduce, close or flip.

    ``fill_id`` or ``request_id`` makes it count once, however often it is sent. ``lots`` as for ``close_fifo``.

    Raises:
        ValueError: neither id was given, or a value cannot be sent.
        TypeError: a float, or another type that cannot be sent exactly.
        LotkeeperError: the ledger refused, or did not answer in time.
    """
    calls.identify("record_fill", request_id, "fill_id", fill_id)
    fill = fill_message(
        fill_id=fill_id,
        order_id=order_id,
        symbol=symbol,
        side=side,
        quantity=quantity,
        price=price,
        fee=fee,
        fee_currency=fee_currency,
        fill_time=fill_time,
        position_side=position_side,
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
        lots=_chosen(lots),
        late_policy=fields.member("late_policy", LatePolicy, late_policy),
    )
    return Call("RecordFill", request, answers.record_fill, calls.timeout_of(defaults, timeout))


def fill_message(
    *,
    fill_id: str,
    order_id: str,
    symbol: str,
    side: Side,
    quantity: DecimalLike,
    price: DecimalLike,
    fee: DecimalLike | None,
    fee_currency: str,
    fill_time: TimeLike | None,
    position_side: PositionSide,
) -> ledger_pb2.Fill:
    """One execution as it is sent.

    Raises:
        ValueError, TypeError: a value cannot be sent exactly.
    """
    return ledger_pb2.Fill(
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


def _chosen(lots: Mapping[str, DecimalLike] | None) -> list[ledger_pb2.LotChoice]:
    return [
        ledger_pb2.LotChoice(
            entry_id=fields.text("entry_id", entry_id), quantity=fields.decimal_text(f"lots[{entry_id!r}]", quantity)
        )
        for entry_id, quantity in (lots or {}).items()
    ]
