"""Protobuf to domain: events and corrections."""

from __future__ import annotations

from decimal import Decimal

from lotkeeper.v1 import event_service_pb2
from lotkeeperd.api.fields import DAY, ID_LENGTH, NAME_LENGTH, TEXT_LENGTH, Fields, Sign
from lotkeeperd.api.requests import Requests
from lotkeeperd.api.terms import money_of
from lotkeeperd.domain.accounts import CashEvent, Flow
from lotkeeperd.domain.book import Direction
from lotkeeperd.domain.commands import Command, Excess, Method
from lotkeeperd.domain.decimals import ZERO, plain
from lotkeeperd.domain.history import Amend, Amendment

_events = event_service_pb2

FLOWS = {
    "deposit": Flow.DEPOSIT,
    "withdrawal": Flow.WITHDRAWAL,
    "funding": Flow.FUNDING,
    "interest": Flow.INTEREST,
    "dividend": Flow.DIVIDEND,
    "charge": Flow.CHARGE,
}
CLOSES = {
    "expiry": Method.EXPIRY,
    "exercise": Method.EXERCISE,
    "assignment": Method.ASSIGNMENT,
    "cash_settlement": Method.CASH_SETTLEMENT,
}
POSITIVE = frozenset({"deposit", "withdrawal"})

DELIVERING = frozenset({"exercise", "assignment"})
"""Events whose fee belongs to the underlying's execution; the option's own record tells it beside."""

LARGEST_RATIO = 1_000_000
"""Of a split, on either side."""


class EventRequests:
    """Parses requests of EventService; ``now`` is the server's clock in nanoseconds UTC."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests

    def event(self, request: _events.RecordEventRequest, now: int) -> Command | Amendment | CashEvent:
        """RecordEvent."""
        fields, event = Fields(), request.event
        kind = event.WhichOneof("event")
        if kind is None:
            fields.wrong("event", "is missing: say what happened")
            fields.check()
        request_id = fields.text("request_id", request.request_id, ID_LENGTH)
        if not request_id and not event.event_id and kind != "liquidation":
            fields.wrong(
                "request_id", "request_id or event.event_id is required: without one a retry would count twice"
            )
        portfolio_id = fields.portfolio("event.portfolio_id", event.portfolio_id)
        time = fields.time("event.event_time", event.event_time, now + DAY) if event.HasField("event_time") else None
        fields.text("event.event_id", event.event_id, ID_LENGTH)
        fields.text("event.note", event.note, TEXT_LENGTH)
        command: Command | Amendment | CashEvent
        if kind in FLOWS:
            command = self._cash(fields, event, kind, portfolio_id, time, request_id)
        elif kind in ("fill_fee", "fee_rate"):
            command = self._fee(fields, event, portfolio_id, request_id)
        else:
            command = self._lots(fields, event, str(kind), portfolio_id, time, request_id, now)
        fields.check()
        return command._replace(validate_only=request.validate_only)

    def _cash(
        self, fields: Fields, event: _events.Event, kind: str, portfolio_id: str, time: int | None, request_id: str
    ) -> CashEvent:
        told = getattr(event, kind)
        sign = Sign.POSITIVE if kind in POSITIVE else Sign.ANY
        currency, amount = money_of(fields, f"event.{kind}.money", told.money, sign)
        symbol = ""
        if kind in ("funding", "dividend"):
            symbol = fields.symbol(f"event.{kind}.symbol", told.symbol)
        return CashEvent(
            FLOWS[kind], portfolio_id, symbol, currency, amount, time, event.event_id, request_id, event.note
        )

    def _fee(self, fields: Fields, event: _events.Event, portfolio_id: str, request_id: str) -> Amendment:
        if event.HasField("fill_fee"):
            told = event.fill_fee
            currency, fee = money_of(fields, "event.fill_fee.fee", told.fee)
            fill_id = fields.text("event.fill_fee.fill_id", told.fill_id, ID_LENGTH)
            if not fill_id:
                fields.wrong("event.fill_fee.fill_id", "is empty, an execution is required")
            symbol = fields.symbol("event.fill_fee.symbol", told.symbol)
            return Amendment(
                Amend.FILL_FEE,
                portfolio_id,
                symbol,
                request_id,
                fill_id,
                fee=fee,
                fee_currency=currency,
                reason=event.note,
                event_id=event.event_id,
                book_side=self._book_side(fields, event),
            )
        rate = event.fee_rate
        return Amendment(
            Amend.FEE_RATE,
            portfolio_id,
            "",
            request_id,
            fee_currency=fields.symbol("event.fee_rate.fee_currency", rate.fee_currency),
            rate=fields.decimal("event.fee_rate.rate", rate.rate, Sign.POSITIVE),
            source=fields.text("event.fee_rate.source", rate.source, NAME_LENGTH),
            reason=event.note,
            event_id=event.event_id,
            into=fields.symbol("event.fee_rate.quote_currency", rate.quote_currency),
        )

    def _lots(
        self,
        fields: Fields,
        event: _events.Event,
        kind: str,
        portfolio_id: str,
        time: int | None,
        request_id: str,
        now: int,
    ) -> Command:
        if kind == "liquidation":
            return self._liquidation(fields, event, portfolio_id, time, request_id, now)
        told = getattr(event, kind)
        symbol_field = "from_symbol" if kind == "symbol_change" else "symbol"
        symbol = fields.symbol(f"event.{kind}.{symbol_field}", getattr(told, symbol_field))
        command = Command(
            CLOSES.get(kind, Method.SPLIT if kind == "split" else Method.SYMBOL_CHANGE),
            portfolio_id,
            symbol,
            None,
            None,
            ZERO,
            time=time,
            fill_id=event.event_id,
            request_id=request_id,
            reason=kind,
            book_side=self._book_side(fields, event),
        )
        details = {"note": event.note} if event.note else {}
        if kind == "split":
            details |= self._ratio(fields, event.split)
        elif kind == "symbol_change":
            details["to_symbol"] = fields.symbol("event.symbol_change.to_symbol", event.symbol_change.to_symbol)
            if details["to_symbol"] == symbol:
                fields.wrong("event.symbol_change.to_symbol", f"{symbol!r} is what it is called already")
        else:
            command = self._closing(fields, event, kind, command)
            if command.fee is not None and kind in DELIVERING:
                details["fee"] = plain(command.fee)
        return command._replace(details=tuple(sorted(details.items())))

    def _closing(self, fields: Fields, event: _events.Event, kind: str, command: Command) -> Command:
        told = getattr(event, kind)
        if kind == "expiry":
            return command._replace(close_all=True)
        fee = fields.optional_decimal(f"event.{kind}.fee", told.fee, Sign.ANY)
        if kind == "cash_settlement":
            price = fields.decimal("event.cash_settlement.price", told.price, Sign.ANY)
            return command._replace(close_all=True, price=price, fee=fee)
        quantity = fields.optional_decimal(f"event.{kind}.quantity", told.quantity, Sign.POSITIVE)
        return command._replace(quantity=quantity, close_all=quantity is None, fee=fee)

    def _ratio(self, fields: Fields, split: _events.Split) -> dict[str, str]:
        for name in ("numerator", "denominator"):
            if not 1 <= getattr(split, name) <= LARGEST_RATIO:
                fields.wrong(f"event.split.{name}", f"{getattr(split, name)} is not from 1 to {LARGEST_RATIO}")
        ratio = {"numerator": str(split.numerator), "denominator": str(split.denominator)}
        if split.cash_in_lieu:
            paid = fields.decimal("event.split.cash_in_lieu", split.cash_in_lieu, Sign.NOT_NEGATIVE)
            ratio["cash_in_lieu"] = plain(paid)
        return ratio

    def _liquidation(
        self,
        fields: Fields,
        event: _events.Event,
        portfolio_id: str,
        time: int | None,
        request_id: str,
        now: int,
    ) -> Command:
        fill = event.liquidation.fill
        command = self._requests.execution(fields, portfolio_id, fill, now, Excess.REJECT)
        if not fill.fill_id:
            fields.wrong("fill.fill_id", "is empty, the execution of a liquidation has an id")
        side = command.book_side or self._book_side(fields, event)
        details = (("note", event.note),) if event.note else ()
        return command._replace(
            method=Method.LIQUIDATION,
            request_id=request_id,
            reason="liquidation",
            time=time if command.time is None else command.time,
            book_side=side,
            details=details,
        )

    def _book_side(self, fields: Fields, event: _events.Event) -> Direction | None:
        if not event.position_side:
            return None
        return self._requests.position_side(fields, "event.position_side", event.position_side)

    def bust(self, request: _events.BustFillRequest) -> Amendment:
        """BustFill."""
        fields = Fields()
        command = self._named(fields, Amend.BUST, request)
        fields.check()
        return command

    def correction(self, request: _events.CorrectFillRequest, now: int) -> Amendment:
        """CorrectFill."""
        fields = Fields()
        command = self._named(fields, Amend.CORRECT, request)._replace(
            side=self._requests.traded(fields, "side", request.side) if request.HasField("side") else None,
            quantity=self._given(fields, request, "quantity", Sign.POSITIVE),
            price=self._given(fields, request, "price", Sign.ANY),
            fee=self._given(fields, request, "fee", Sign.ANY),
            fee_currency=fields.text("fee_currency", request.fee_currency, NAME_LENGTH)
            if request.HasField("fee_currency")
            else None,
            time=fields.time("fill_time", request.fill_time, now + DAY) if request.HasField("fill_time") else None,
        )
        if all(value is None for value in command[6:12]):
            fields.wrong("", "nothing is corrected: set side, quantity, price, fee, fee_currency or fill_time")
        fields.check()
        return command

    def _named(
        self, fields: Fields, method: Amend, request: _events.BustFillRequest | _events.CorrectFillRequest
    ) -> Amendment:
        if not request.request_id:
            fields.wrong("request_id", "is required: without one a retry could not be told from a new request")
        if bool(request.fill_id) == bool(request.fill_sequence):
            fields.wrong("fill_id", "either fill_id or fill_sequence names the execution")
        if request.fill_sequence < 0:
            fields.wrong("fill_sequence", f"{request.fill_sequence} is negative")
        return Amendment(
            method,
            fields.portfolio("portfolio_id", request.portfolio_id),
            fields.symbol("symbol", request.symbol),
            fields.text("request_id", request.request_id, ID_LENGTH),
            fields.text("fill_id", request.fill_id, ID_LENGTH),
            request.fill_sequence,
            reason=fields.text("reason", request.reason, TEXT_LENGTH),
            excess=self._requests.excess(fields, request.excess_policy, Excess.REJECT),
            validate_only=request.validate_only,
        )

    def _given(self, fields: Fields, request: _events.CorrectFillRequest, name: str, sign: Sign) -> Decimal | None:
        return fields.decimal(name, getattr(request, name), sign) if request.HasField(name) else None
