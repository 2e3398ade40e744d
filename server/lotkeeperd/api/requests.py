"""Protobuf to domain: each request is parsed once into a value, or refused with every broken field named."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from lotkeeper.v1 import ledger_pb2, ledger_service_pb2, market_service_pb2
from lotkeeperd.api.executions import TRADED, usual_execution
from lotkeeperd.api.fields import DAY, ID_LENGTH, NAME_LENGTH, TEXT_LENGTH, Fields, Sign, names
from lotkeeperd.domain.book import Direction, LotMethod
from lotkeeperd.domain.commands import Command, Excess, Method
from lotkeeperd.domain.refusals import shown
from lotkeeperd.domain.trades import EntryStatus
from lotkeeperd.service.marks import Mark
from lotkeeperd.service.ports import EntryFilter, FactFilter, TradeFilter
from lotkeeperd.service.subscriber import HEARTBEAT, Wanted
from lotkeeperd.service.summary import Asked

MARKS = 1000

LOTS = 1000
"""That one close may name."""
DIGITS = 19
"""Of a sequence: one that has as many does not fit into 64 bits."""

MIN_HEARTBEAT = 0.1
MAX_INTERVAL = 3600.0

_LONG, _SHORT = ledger_pb2.POSITION_SIDE_LONG, ledger_pb2.POSITION_SIDE_SHORT
_SIDES: dict[int, Direction] = {_LONG: Direction.LONG, _SHORT: Direction.SHORT}
_EXCESS: dict[int, Excess] = {
    ledger_service_pb2.EXCESS_POLICY_REJECT: Excess.REJECT,
    ledger_service_pb2.EXCESS_POLICY_REVERSE: Excess.REVERSE,
}
_LATE: dict[int, bool] = {
    ledger_service_pb2.LATE_POLICY_UNSPECIFIED: False,
    ledger_service_pb2.LATE_POLICY_AS_RECORDED: False,
    ledger_service_pb2.LATE_POLICY_IN_TIME_ORDER: True,
}
_LOT_METHODS: dict[int, LotMethod] = {
    ledger_pb2.LotMethod.Value(f"LOT_METHOD_{method.value}"): method for method in LotMethod
}
_STATUSES: dict[int, EntryStatus] = {
    ledger_pb2.ENTRY_STATUS_OPEN: EntryStatus.OPEN,
    ledger_pb2.ENTRY_STATUS_PARTIALLY_CLOSED: EntryStatus.PARTIALLY_CLOSED,
    ledger_pb2.ENTRY_STATUS_CLOSED: EntryStatus.CLOSED,
    ledger_pb2.ENTRY_STATUS_SUPERSEDED: EntryStatus.SUPERSEDED,
}


class Requests:
    """Parses requests; ``now`` is always the server's clock in nanoseconds UTC."""

    def create_entry(self, request: ledger_service_pb2.CreateEntryRequest, now: int) -> Command:
        """CreateEntry: opens a long unless a short is asked for."""
        fields = Fields()
        side = Direction.LONG
        if request.side:
            side = self.position_side(fields, "side", request.side) or side
        command = Command(
            Method.CREATE_ENTRY,
            fields.portfolio("portfolio_id", request.portfolio_id),
            fields.symbol("symbol", request.symbol),
            side,
            fields.decimal("quantity", request.quantity, Sign.POSITIVE),
            fields.decimal("entry_price", request.entry_price, Sign.ANY),
            fields.optional_decimal("fee", request.fee, Sign.ANY),
            fields.text("fee_currency", request.fee_currency, NAME_LENGTH),
            self._time(fields, "entry_time", request, now),
            fields.text("entry_order_id", request.entry_order_id, ID_LENGTH),
            fields.text("entry_fill_id", request.entry_fill_id, ID_LENGTH),
            fields.text("request_id", request.request_id, ID_LENGTH),
            group_id=fields.text("group_id", request.group_id, ID_LENGTH),
            labels=fields.labels("labels", request.labels),
            validate_only=request.validate_only,
            synthetic=request.synthetic,
            late=late(fields, request.late_policy),
        )
        self._identified(fields, command, "entry_fill_id")
        fields.check()
        return command

    def close_fifo(self, request: ledger_service_pb2.CloseFifoRequest, now: int) -> Command:
        """CloseFifo: ``side`` names the lots to close, so it trades the other way."""
        fields = Fields()
        side = self.position_side(fields, "side", request.side) if request.side else None
        command = Command(
            Method.CLOSE_FIFO,
            fields.portfolio("portfolio_id", request.portfolio_id),
            fields.symbol("symbol", request.symbol),
            side.opposite if side else None,
            self._close_quantity(fields, request),
            fields.decimal("exit_price", request.exit_price, Sign.ANY),
            fields.optional_decimal("fee", request.fee, Sign.ANY),
            fields.text("fee_currency", request.fee_currency, NAME_LENGTH),
            self._time(fields, "exit_time", request, now),
            fields.text("exit_order_id", request.exit_order_id, ID_LENGTH),
            fields.text("exit_fill_id", request.exit_fill_id, ID_LENGTH),
            fields.text("request_id", request.request_id, ID_LENGTH),
            request.close_all,
            self.excess(fields, request.excess_policy, Excess.REJECT),
            fields.text("exit_reason", request.exit_reason, TEXT_LENGTH),
            validate_only=request.validate_only,
            chosen=lots_chosen(fields, request.lots),
            late=late(fields, request.late_policy),
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
        portfolio_id = fields.portfolio("portfolio_id", request.portfolio_id)
        command = self.execution(fields, portfolio_id, fill, now)._replace(
            request_id=fields.text("request_id", request.request_id, ID_LENGTH),
            excess=self.excess(fields, request.excess_policy, Excess.UNSPECIFIED),
            reason=fields.text("reason", request.reason, TEXT_LENGTH),
            group_id=fields.text("group_id", request.group_id, ID_LENGTH),
            labels=fields.labels("labels", request.labels),
            validate_only=request.validate_only,
            chosen=lots_chosen(fields, request.lots),
            late=late(fields, request.late_policy),
        )
        self._identified(fields, command, "fill.fill_id")
        fields.check()
        return command

    def execution(
        self,
        fields: Fields,
        portfolio_id: str,
        fill: ledger_pb2.Fill,
        now: int,
        excess: Excess = Excess.UNSPECIFIED,
        brief: bool = False,
        late: bool = False,
    ) -> Command:
        """One execution; ``fields`` notes what is wrong with it under ``fill``."""
        usual = usual_execution(portfolio_id, fill, now, excess, brief, late)
        return usual or self.carefully(fields, portfolio_id, fill, now, excess, brief, late)

    def carefully(
        self,
        fields: Fields,
        portfolio_id: str,
        fill: ledger_pb2.Fill,
        now: int,
        excess: Excess,
        brief: bool,
        late: bool,
    ) -> Command:
        """The same, field by field."""
        command = Command(
            Method.RECORD_FILL,
            portfolio_id,
            fields.symbol("fill.symbol", fill.symbol),
            self.traded(fields, "fill.side", fill.side),
            fields.decimal("fill.quantity", fill.quantity, Sign.POSITIVE),
            fields.decimal("fill.price", fill.price, Sign.ANY),
            fields.optional_decimal("fill.fee", fill.fee, Sign.ANY),
            fields.text("fill.fee_currency", fill.fee_currency, NAME_LENGTH),
            self._stamp(fields, "fill.fill_time", fill.fill_time, now) if fill.HasField("fill_time") else None,
            fields.text("fill.order_id", fill.order_id, ID_LENGTH),
            fields.text("fill.fill_id", fill.fill_id, ID_LENGTH),
            excess=excess,
            late=late,
            brief=brief,
        )
        if fill.position_side:
            side = self.position_side(fields, "fill.position_side", fill.position_side)
            return command._replace(book_side=side)
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

    def position_side(self, fields: Fields, field: str, side: int) -> Direction | None:
        """Long or short."""
        if side not in _SIDES:
            fields.wrong(field, f"{_name(ledger_pb2.PositionSide, side)} is neither LONG nor SHORT")
        return _SIDES.get(side)

    def traded(self, fields: Fields, field: str, side: int) -> Direction | None:
        """Bought or sold."""
        if side not in TRADED:
            fields.wrong(field, f"{_name(ledger_pb2.Side, side)} is neither BUY nor SELL")
        return TRADED.get(side)

    def excess(self, fields: Fields, policy: int, default: Excess) -> Excess:
        """What becomes of quantity beyond the open lots; ``default`` when the caller does not say."""
        if policy and policy not in _EXCESS:
            fields.wrong("excess_policy", f"{policy} is neither REJECT nor REVERSE")
        return _EXCESS.get(policy, default)

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
            names(fields, "symbols", request.symbols),
            request.include_entries,
            request.include_flat,
            request.as_of_sequence if request.HasField("as_of_sequence") else None,
        )
        asked = asked._replace(
            as_of_time=fields.time("as_of_time", request.as_of_time, None) if request.HasField("as_of_time") else None,
            method=lot_method(fields, request.lot_method),
            marks=scenario(fields, request.marks),
            include_groups=request.include_groups,
            group_ids=names(fields, "group_ids", request.group_ids, ID_LENGTH),
        )
        if asked.as_of is not None and asked.as_of < 0:
            fields.wrong("as_of_sequence", f"{asked.as_of} is negative")
        if asked.as_of is not None and asked.as_of_time is not None:
            fields.wrong("as_of_time", "is not for a request that has as_of_sequence; leave one of them out")
        if asked.marks and asked.is_live:
            fields.wrong(
                "marks", "value a past state or a view; set as_of_sequence, as_of_time or lot_method with them"
            )
        if not asked.is_live:
            for field, given in (("include_groups", asked.include_groups), ("group_ids", asked.group_ids)):
                if given:
                    fields.wrong(field, "groups are told as they are now; leave it out for a past state or a view")
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
            request.include_superseded,
        )
        if request.day and (start is not None or end is not None):
            fields.wrong("day", "is not for a request that has start_time or end_time")
        size = fields.page_size("page_size", request.page_size)
        fields.check()
        return wanted, size

    def stream(self, request: ledger_service_pb2.StreamPnLRequest) -> Wanted:
        """StreamPnL."""
        fields = Fields()
        portfolios = frozenset(name or "default" for name in names(fields, "portfolio_ids", request.portfolio_ids))
        symbols = frozenset(names(fields, "symbols", request.symbols))
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
        found = names(fields, "symbols", request.symbols)
        fields.check()
        return found


def lot_method(fields: Fields, method: int) -> LotMethod | None:
    """How a view matches; None when the caller does not say."""
    if method and method not in _LOT_METHODS:
        fields.wrong("lot_method", f"{method} is not a lot method")
    return _LOT_METHODS.get(method)


def scenario(fields: Fields, marks: Sequence[ledger_service_pb2.ScenarioMark]) -> tuple[tuple[str, Decimal], ...]:
    """The marks of one question, by symbol."""
    if len(marks) > MARKS:
        fields.wrong("marks", f"{len(marks)} marks, at most {MARKS} are allowed")
        return ()
    prices: dict[str, Decimal] = {}
    for place, mark in enumerate(marks):
        symbol = fields.symbol(f"marks[{place}].symbol", mark.symbol)
        if symbol in prices:
            fields.wrong(f"marks[{place}].symbol", f"{shown(symbol)} has a mark already; give it one")
        prices[symbol] = fields.decimal(f"marks[{place}].price", mark.price, Sign.NOT_NEGATIVE)
    return tuple(sorted(prices.items()))


def lots_chosen(fields: Fields, lots: Sequence[ledger_pb2.LotChoice]) -> tuple[tuple[int, Decimal], ...]:
    """The lots that a close names, by the sequence in their ids."""
    if len(lots) > LOTS:
        fields.wrong("lots", f"{len(lots)} lots, at most {LOTS} are allowed")
        return ()
    chosen = []
    for place, lot in enumerate(lots):
        number = lot.entry_id[1:]
        if lot.entry_id[:1] != "E" or not (number.isascii() and number.isdigit() and len(number) < DIGITS):
            fields.wrong(f"lots[{place}].entry_id", f"{shown(lot.entry_id)} is not the id of an entry, such as E17")
            continue
        chosen.append((int(number), fields.decimal(f"lots[{place}].quantity", lot.quantity, Sign.POSITIVE)))
    return tuple(chosen)


def late(fields: Fields, policy: int) -> bool:
    """Whether an execution is to be put where its time belongs."""
    if policy not in _LATE:
        fields.wrong("late_policy", f"{policy} is neither AS_RECORDED nor IN_TIME_ORDER")
    return _LATE.get(policy, False)


def _name(enum: Any, value: int) -> str:
    """An enum value by name, or by number when this version does not know it."""
    names = enum.DESCRIPTOR.values_by_number
    return str(names[value].name) if value in names else str(value)
