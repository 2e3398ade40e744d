"""Protobuf to domain: each request is parsed once into a value, or refused with every broken field named."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from lotkeeper.v1 import ledger_pb2, ledger_service_pb2, market_service_pb2
from lotkeeperd.api.fields import DAY, ID_LENGTH, NAME_LENGTH, TEXT_LENGTH, Fields, Sign
from lotkeeperd.domain.book import Direction
from lotkeeperd.domain.commands import Command, Excess, Method
from lotkeeperd.domain.trades import EntryStatus
from lotkeeperd.service.marks import Mark
from lotkeeperd.service.ports import EntryFilter, FactFilter, TradeFilter
from lotkeeperd.service.subscriber import HEARTBEAT, Wanted
from lotkeeperd.service.summary import Asked

MARKS = 1000
NAMES = 1000
"""Portfolios or symbols that one request may name."""

MIN_HEARTBEAT = 0.1
MAX_INTERVAL = 3600.0

_LONG, _SHORT = ledger_pb2.POSITION_SIDE_LONG, ledger_pb2.POSITION_SIDE_SHORT
_SIDES: dict[int, Direction] = {_LONG: Direction.LONG, _SHORT: Direction.SHORT}
_TRADED: dict[int, Direction] = {ledger_pb2.SIDE_BUY: Direction.LONG, ledger_pb2.SIDE_SELL: Direction.SHORT}
_EXCESS: dict[int, Excess] = {
    ledger_service_pb2.EXCESS_POLICY_REJECT: Excess.REJECT,
    ledger_service_pb2.EXCESS_POLICY_REVERSE: Excess.REVERSE,
}
_STATUSES: dict[int, EntryStatus] = {
    ledger_pb2.ENTRY_STATUS_OPEN: EntryStatus.OPEN,
    ledger_pb2.ENTRY_STATUS_PARTIALLY_CLOSED: EntryStatus.PARTIALLY_CLOSED,
    ledger_pb2.ENTRY_STATUS_CLOSED: EntryStatus.CLOSED,
}


class Requests:
    """Parses requests of a ledger in ``currency``; ``now`` is always the server's clock in nanoseconds UTC."""

    def __init__(self, currency: str) -> None:
        self._currency = currency

    def create_entry(self, request: ledger_service_pb2.CreateEntryRequest, now: int) -> Command:
        """CreateEntry: opens a long unless a short is asked for."""
        fields = Fields()
        side = Direction.LONG
        if request.side:
            side = self._side(fields, request.side) or side
        command = Command(
            Method.CREATE_ENTRY,
            fields.portfolio("portfolio_id", request.portfolio_id),
            fields.symbol("symbol", request.symbol),
            side,
            fields.decimal("quantity", request.quantity, Sign.POSITIVE),
            fields.decimal("entry_price", request.entry_price, Sign.NOT_NEGATIVE),
            fields.optional_decimal("fee", request.fee, Sign.ANY),
            self._fee_currency(fields, "fee_currency", request.fee_currency),
            self._time(fields, "entry_time", request, now),
            fields.text("entry_order_id", request.entry_order_id, ID_LENGTH),
            fields.text("entry_fill_id", request.entry_fill_id, ID_LENGTH),
            fields.text("request_id", request.request_id, ID_LENGTH),
            group_id=fields.text("group_id", request.group_id, ID_LENGTH),
            labels=fields.labels("labels", request.labels),
            validate_only=request.validate_only,
        )
        self._identified(fields, command, "entry_fill_id")
        fields.check()
        return command

    def close_fifo(self, request: ledger_service_pb2.CloseFifoRequest, now: int) -> Command:
        """CloseFifo: ``side`` names the lots to close, so it trades the other way."""
        fields = Fields()
        side = self._side(fields, request.side) if request.side else None
        command = Command(
            Method.CLOSE_FIFO,
            fields.portfolio("portfolio_id", request.portfolio_id),
            fields.symbol("symbol", request.symbol),
            side.opposite if side else None,
            self._close_quantity(fields, request),
            fields.decimal("exit_price", request.exit_price, Sign.NOT_NEGATIVE),
            fields.optional_decimal("fee", request.fee, Sign.ANY),
            self._fee_currency(fields, "fee_currency", request.fee_currency),
            self._time(fields, "exit_time", request, now),
            fields.text("exit_order_id", request.exit_order_id, ID_LENGTH),
            fields.text("exit_fill_id", request.exit_fill_id, ID_LENGTH),
            fields.text("request_id", request.request_id, ID_LENGTH),
            request.close_all,
            self._excess(fields, request.excess_policy, Excess.REJECT),
            fields.text("exit_reason", request.exit_reason, TEXT_LENGTH),
            validate_only=request.validate_only,
        )
        self._identified(fields, command, "exit_fill_id")
        fields.check()
        return command

    def record_fill(self, request: ledger_service_pb2.RecordFillRequest, now: int) -> Command:
        """RecordFill: the book decides what it does."""
        fields, fill = Fields(), request.fill
        if not request.HasField("fill"):
            fields.wrong("fill", "is missing, an execution is required")
            fields.check()
        command = Command(
            Method.RECORD_FILL,
            fields.portfolio("portfolio_id", request.portfolio_id),
            fields.symbol("fill.symbol", fill.symbol),
            self._traded(fields, "fill.side", fill.side),
            fields.decimal("fill.quantity", fill.quantity, Sign.POSITIVE),
            fields.decimal("fill.price", fill.price, Sign.NOT_NEGATIVE),
            fields.optional_decimal("fill.fee", fill.fee, Sign.ANY),
            self._fee_currency(fields, "fill.fee_currency", fill.fee_currency),
            self._stamp(fields, "fill.fill_time", fill.fill_time, now) if fill.HasField("fill_time") else None,
            fields.text("fill.order_id", fill.order_id, ID_LENGTH),
            fields.text("fill.fill_id", fill.fill_id, ID_LENGTH),
            fields.text("request_id", request.request_id, ID_LENGTH),
            excess=self._excess(fields, request.excess_policy, Excess.REVERSE),
            reason=fields.text("reason", request.reason, TEXT_LENGTH),
            group_id=fields.text("group_id", request.group_id, ID_LENGTH),
            labels=fields.labels("labels", request.labels),
            validate_only=request.validate_only,
        )
        if fill.position_side:
            fields.wrong("fill.position_side", "is for hedging portfolios; this one is netting: leave it unspecified")
        self._identified(fields, command, "fill.fill_id")
        fields.check()
        return command

    def _identified(self, fields: Fields, command: Command, fill_field: str) -> None:
        if not command.request_id and not command.fill_id:
            fields.wrong("request_id", f"request_id or {fill_field} is required: without one a retry would count twice")

    def _close_quantity(self, fields: Fields, request: ledger_service_pb2.CloseFifoRequest) -> Decimal | None:
        if not request.close_all:
            return fields.decimal("quantity", request.quantity, Sign.POSITIVE)
        if request.quantity:
            fields.wrong("quantity", "leave it empty with close_all, which closes everything")
        return None

    def _side(self, fields: Fields, side: int) -> Direction | None:
        if side not in _SIDES:
            fields.wrong("side", f"{_name(ledger_pb2.PositionSide, side)} is neither LONG nor SHORT")
        return _SIDES.get(side)

    def _traded(self, fields: Fields, field: str, side: int) -> Direction | None:
        if side not in _TRADED:
            fields.wrong(field, f"{_name(ledger_pb2.Side, side)} is neither BUY nor SELL")
        return _TRADED.get(side)

    def _excess(self, fields: Fields, policy: int, default: Excess) -> Excess:
        if policy and policy not in _EXCESS:
            fields.wrong("excess_policy", f"{policy} is neither REJECT nor REVERSE")
        return _EXCESS.get(policy, default)

    def _fee_currency(self, fields: Fields, field: str, value: str) -> str:
        fields.text(field, value, NAME_LENGTH)
        if value and value != self._currency:
            fields.wrong(
                field,
                f"{value[:NAME_LENGTH]!r} is not this ledger's {self._currency}; fees in other currencies are not supported yet",
            )
        return value

    def _time(
        self,
        fields: Fields,
        field: str,
        request: ledger_service_pb2.CreateEntryRequest | ledger_service_pb2.CloseFifoRequest,
        now: int,
    ) -> int | None:
        return self._stamp(fields, field, getattr(request, field), now) if request.HasField(field) else None

    def _stamp(self, fields: Fields, field: str, stamp: Timestamp, now: int) -> int:
        return fields.time(field, stamp, now + DAY)

    def summary(self, request: ledger_service_pb2.GetSummaryRequest) -> tuple[Asked, int]:
        """GetSummary, and its page size."""
        fields = Fields()
        asked = Asked(
            fields.portfolio("portfolio_id", request.portfolio_id),
            _names(fields, "symbols", request.symbols),
            request.include_entries,
            request.include_flat,
            request.as_of_sequence if request.HasField("as_of_sequence") else None,
        )
        if asked.as_of is not None and asked.as_of < 0:
            fields.wrong("as_of_sequence", f"{asked.as_of} is negative")
        size = fields.page_size("page_size", request.page_size)
        fields.check()
        return asked, size

    def entries(self, request: ledger_service_pb2.ListEntriesRequest) -> tuple[EntryFilter, int]:
        """ListEntries, and its page size."""
        fields = Fields()
        for status in request.statuses:
            if status not in _STATUSES:
                fields.wrong("statuses", f"{_name(ledger_pb2.EntryStatus, status)} is not a status")
        wanted = EntryFilter(
            fields.portfolio("portfolio_id", request.portfolio_id),
            fields.text("symbol", request.symbol, NAME_LENGTH),
            frozenset(_STATUSES[status] for status in request.statuses if status in _STATUSES),
        )
        size = fields.page_size("page_size", request.page_size)
        fields.check()
        return wanted, size

    def trades(self, request: ledger_service_pb2.ListClosedTradesRequest) -> tuple[TradeFilter, int]:
        """ListClosedTrades, and its page size."""
        fields = Fields()
        start, end = (
            fields.time(name, getattr(request, name), None) if request.HasField(name) else None
            for name in ("start_time", "end_time")
        )
        wanted = TradeFilter(
            fields.portfolio("portfolio_id", request.portfolio_id),
            fields.text("symbol", request.symbol, NAME_LENGTH),
            start,
            end,
            request.sequence if request.HasField("sequence") else None,
            fields.text("exit_fill_id", request.exit_fill_id, ID_LENGTH),
            fields.text("group_id", request.group_id, ID_LENGTH),
            fields.labels("labels", request.labels),
        )
        size = fields.page_size("page_size", request.page_size)
        fields.check()
        return wanted, size

    def stream(self, request: ledger_service_pb2.StreamPnLRequest) -> Wanted:
        """StreamPnL."""
        fields = Fields()
        portfolios = frozenset(name or "default" for name in _names(fields, "portfolio_ids", request.portfolio_ids))
        symbols = frozenset(_names(fields, "symbols", request.symbols))
        after = request.after_sequence if request.HasField("after_sequence") else None
        if after is not None and after < 0:
            fields.wrong("after_sequence", f"{after} is negative")
        if after is not None and not request.ledger_id:
            fields.wrong("ledger_id", "is required with after_sequence: a sequence means nothing in another ledger")
        fields.text("ledger_id", request.ledger_id, ID_LENGTH)
        interval, heartbeat = 0.0, HEARTBEAT
        if request.HasField("min_update_interval"):
            interval = fields.seconds("min_update_interval", request.min_update_interval, 0.0, MAX_INTERVAL)
        if request.HasField("heartbeat_interval"):
            heartbeat = fields.seconds("heartbeat_interval", request.heartbeat_interval, MIN_HEARTBEAT, MAX_INTERVAL)
        fields.check()
        return Wanted(FactFilter(portfolios or None, symbols or None), after, request.ledger_id, interval, heartbeat)

    def marks(
        self,
        request: market_service_pb2.SetMarksRequest | market_service_pb2.PublishMarksRequest,
        now: int,
        source: str = "",
    ) -> tuple[list[Mark], str]:
        """SetMarks, or a message of PublishMarks, whose first one named ``source``: one that breaks a rule refuses them all."""
        fields = Fields()
        source = source or fields.text("source", request.source, NAME_LENGTH) or "api"
        if len(request.marks) > MARKS:
            fields.wrong("marks", f"{len(request.marks)} marks, at most {MARKS} are allowed")
            fields.check()
        marks = [self._mark(fields, f"marks[{place}]", mark, source, now) for place, mark in enumerate(request.marks)]
        fields.check()
        return marks, source

    def _mark(self, fields: Fields, place: str, mark: market_service_pb2.Mark, source: str, now: int) -> Mark:
        time = now
        if mark.HasField("observe_time"):
            time = fields.time(f"{place}.observe_time", mark.observe_time, None)
        return Mark(
            fields.symbol(f"{place}.symbol", mark.symbol),
            fields.decimal(f"{place}.price", mark.price, Sign.NOT_NEGATIVE),
            time,
            source,
            fields.decimal(f"{place}.bid", mark.bid, Sign.NOT_NEGATIVE) if mark.HasField("bid") else None,
            fields.decimal(f"{place}.ask", mark.ask, Sign.NOT_NEGATIVE) if mark.HasField("ask") else None,
        )

    def mark_symbols(self, request: market_service_pb2.ListMarksRequest) -> tuple[str, ...]:
        """ListMarks."""
        fields = Fields()
        names = _names(fields, "symbols", request.symbols)
        fields.check()
        return names


def _names(fields: Fields, field: str, names: Iterable[str]) -> tuple[str, ...]:
    found = tuple(names)
    if len(found) > NAMES:
        fields.wrong(field, f"{len(found)} names, at most {NAMES} are allowed")
        return ()
    for place, name in enumerate(found):
        fields.text(f"{field}[{place}]", name, NAME_LENGTH)
    return found


def _name(enum: Any, value: int) -> str:
    """An enum value by name, or by number when this version does not know it."""
    names = enum.DESCRIPTOR.values_by_number
    return str(names[value].name) if value in names else str(value)
