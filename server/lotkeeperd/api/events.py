"""EventService: what happens to an account besides executions, and what takes an execution back."""

from __future__ import annotations

from typing import Any

from lotkeeper.v1 import event_service_pb2, ledger_pb2
from lotkeeperd.api.answers import MESSAGE_BYTES, Answers, fitting, money
from lotkeeperd.api.event_requests import CLOSES, FLOWS, EventRequests
from lotkeeperd.api.fields import NAME_LENGTH, NANOSECONDS, Fields
from lotkeeperd.api.ledger import Peer
from lotkeeperd.api.pages import PageTokens
from lotkeeperd.domain.accounts import CashEvent, CashMoved, Flow
from lotkeeperd.domain.amendments import EXECUTIONS
from lotkeeperd.domain.book import Direction
from lotkeeperd.domain.commands import Command, Decision, Method
from lotkeeperd.domain.decimals import plain
from lotkeeperd.domain.history import Amend, Amendment, Correction
from lotkeeperd.service.ledger import Ledger
from lotkeeperd.service.outcomes import Happened
from lotkeeperd.service.ports import Clock, EventFilter, JournalRecord

_events = event_service_pb2

ROOM = MESSAGE_BYTES // 3
"""Of each list of an answer: positions and other lists stand beside it."""

_FLOWS = {flow: name for name, flow in FLOWS.items()}
_CLOSES = {method: name for name, method in CLOSES.items()}
_SIDES = {None: 0, Direction.LONG: ledger_pb2.POSITION_SIDE_LONG, Direction.SHORT: ledger_pb2.POSITION_SIDE_SHORT}


class EventServicer:
    """One method per RPC, named as in the contract."""

    def __init__(self, ledger: Ledger, requests: EventRequests, answers: Answers, clock: Clock) -> None:
        self._ledger = ledger
        self._requests = requests
        self._answers = answers
        self._clock = clock
        self._pages = PageTokens(ledger.ledger_id)

    async def RecordEvent(  # noqa: N802
        self, request: _events.RecordEventRequest, _peer: Peer
    ) -> _events.RecordEventResponse:
        """Records one event."""
        now = self._clock()
        happened = await self._ledger.happen(self._requests.event(request, now))
        told = event_message(happened.command, happened.sequence, now)
        return _events.RecordEventResponse(
            event=told,
            positions=self._positions(happened),
            closed_trades=fitting((self._answers.trade(trade) for trade in happened.trades), ROOM),
            closed_trade_count=happened.trade_count,
            opened_entries=[self._answers.entry(entry) for entry in happened.opened],
            restated_trades=fitting((self._answers.restated(told) for told in happened.restated), ROOM),
            restated_trade_count=happened.restated_count,
            cash=[ledger_pb2.Money(**one) for one in money(happened.cash)],
            sequence=happened.sequence,
            replayed=happened.replayed,
        )

    def _positions(self, happened: Happened) -> list[ledger_pb2.Position]:
        return fitting(
            (self._answers.valued(key, self._ledger.valued(key, book)) for key, book in happened.books), ROOM
        )

    async def ListEvents(  # noqa: N802
        self, request: _events.ListEventsRequest, _peer: Peer
    ) -> _events.ListEventsResponse:
        """A page of events, in the order they were recorded."""
        wanted, size = _filter(request)
        after = int(self._pages.read(request.page_token, wanted)[0]) if request.page_token else 0
        found = await self._ledger.events(wanted, after, size + 1)
        shown = fitting((_told(record) for record in found[:size]), MESSAGE_BYTES - 1000)
        token = ""
        if len(shown) < len(found):
            token = self._pages.make(wanted, found[len(shown) - 1].sequence)
        return _events.ListEventsResponse(events=shown, next_page_token=token)

    async def BustFill(  # noqa: N802
        self, request: _events.BustFillRequest, _peer: Peer
    ) -> _events.BustFillResponse:
        """Takes an execution back."""
        return _events.BustFillResponse(**self._corrected(await self._ledger.happen(self._requests.bust(request))))

    async def CorrectFill(  # noqa: N802
        self, request: _events.CorrectFillRequest, _peer: Peer
    ) -> _events.CorrectFillResponse:
        """Corrects an execution."""
        command = self._requests.correction(request, self._clock())
        return _events.CorrectFillResponse(**self._corrected(await self._ledger.happen(command)))

    def _corrected(self, happened: Happened) -> dict[str, Any]:
        positions = self._positions(happened)
        return {
            "restated_trades": fitting((self._answers.restated(told) for told in happened.restated), 2 * ROOM),
            "restated_trade_count": happened.restated_count,
            "net_pnl_change": plain(happened.net_change),
            "position": positions[0] if positions else None,
            "sequence": happened.sequence,
            "replayed": happened.replayed,
        }


def _filter(request: _events.ListEventsRequest) -> tuple[EventFilter, int]:
    fields = Fields()
    start, end = (
        fields.time(name, getattr(request, name), None) if request.HasField(name) else None
        for name in ("start_time", "end_time")
    )
    portfolio_id = fields.portfolio("portfolio_id", request.portfolio_id)
    wanted = EventFilter(portfolio_id, fields.text("symbol", request.symbol, NAME_LENGTH), start, end)
    size = fields.page_size("page_size", request.page_size)
    fields.check()
    return wanted, size


def _told(record: JournalRecord) -> _events.Event:
    assert isinstance(record, Decision | CashMoved | Correction)
    time = record.recorded_time
    if isinstance(record, CashMoved):
        time = record.time
    elif isinstance(record, Decision):
        time = record.fill.time
    return event_message(record.command, record.sequence, time)


def event_message(command: Command | Amendment | CashEvent, sequence: int, time: int) -> _events.Event:
    """An event as it was told; ``time`` where the caller told none."""
    note = command.note if isinstance(command, CashEvent) else ""
    if isinstance(command, Amendment):
        note = command.reason
    event = _events.Event(sequence=sequence, portfolio_id=command.portfolio_id, note=note)
    at = time if command.time is None else command.time
    event.event_time.seconds, event.event_time.nanos = divmod(at, NANOSECONDS)
    if isinstance(command, CashEvent):
        _tell_cash(event, command)
    elif isinstance(command, Amendment):
        _tell_fee(event, command)
    else:
        _tell_lots(event, command)
    return event


def _tell_cash(event: _events.Event, command: CashEvent) -> None:
    event.event_id = command.fill_id
    told = getattr(event, _FLOWS[command.method])
    told.money.currency, told.money.amount = command.currency, plain(command.amount)
    if command.method in (Flow.FUNDING, Flow.DIVIDEND):
        told.symbol = command.symbol


def _tell_fee(event: _events.Event, command: Amendment) -> None:
    event.event_id = command.event_id
    event.position_side = _SIDES[command.book_side]  # type: ignore[assignment]
    if command.method is Amend.FILL_FEE:
        event.fill_fee.symbol, event.fill_fee.fill_id = command.symbol, command.fill_id
        event.fill_fee.fee.currency = command.fee_currency or ""
        event.fill_fee.fee.amount = plain(command.fee) if command.fee is not None else ""
        return
    event.fee_rate.fee_currency = command.fee_currency or ""
    event.fee_rate.quote_currency, event.fee_rate.source = command.into, command.source
    event.fee_rate.rate = plain(command.rate) if command.rate is not None else ""


def _tell_lots(event: _events.Event, command: Command) -> None:
    details = dict(command.details)
    event.note = details.get("note", "")
    event.position_side = _SIDES[command.book_side]  # type: ignore[assignment]
    if command.method in EXECUTIONS:  # also one that was recorded as a fill before it was told to be a liquidation
        _tell_liquidation(event, command)
        return
    event.event_id = command.fill_id
    if command.method is Method.SPLIT:
        event.split.symbol, event.split.cash_in_lieu = command.symbol, details.get("cash_in_lieu", "")
        event.split.numerator, event.split.denominator = int(details["numerator"]), int(details["denominator"])
        return
    if command.method is Method.SYMBOL_CHANGE:
        event.symbol_change.from_symbol, event.symbol_change.to_symbol = command.symbol, details["to_symbol"]
        return
    told = getattr(event, _CLOSES[command.method])
    told.symbol = command.symbol
    if command.method is Method.CASH_SETTLEMENT:
        told.price = plain(command.price)
    if command.method in (Method.EXERCISE, Method.ASSIGNMENT) and command.quantity is not None:
        told.quantity = plain(command.quantity)
    if command.method is not Method.EXPIRY:
        told.fee = details.get("fee", "") if command.fee is None else plain(command.fee)


def _tell_liquidation(event: _events.Event, command: Command) -> None:
    fill = event.liquidation.fill
    fill.fill_id, fill.order_id, fill.symbol = command.fill_id, command.order_id, command.symbol
    fill.side = ledger_pb2.SIDE_BUY if command.side is Direction.LONG else ledger_pb2.SIDE_SELL
    fill.price = plain(command.price)
    fill.quantity = "" if command.quantity is None else plain(command.quantity)
    fill.fee = "" if command.fee is None else plain(command.fee)
    fill.fee_currency = command.fee_currency
