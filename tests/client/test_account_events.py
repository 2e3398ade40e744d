"""What happens to an account besides executions: what each method sends over a socket, and what comes back."""

from decimal import Decimal
from typing import Any

import grpc
import pytest

import lotkeeper
from lotkeeper import PositionSide, Side
from lotkeeper.errors import FillConflict, InstrumentNotDeclared
from lotkeeper.v1 import event_service_pb2, ledger_pb2
from tests.client import samples
from tests.client.callers import CALLERS, Caller
from tests.client.contract import METHODS
from tests.client.conversation import Conversation
from tests.client.scripted import ScriptedLedger, breaks, refuses, serving

ANY_PORT = "127.0.0.1:0"
USD_12_50 = {"currency": "USD", "amount": "12.50"}
FORCED = {
    "fill_id": "f9",
    "symbol": "BTC-USD",
    "side": "SIDE_SELL",
    "quantity": "2",
    "price": "90",
    "fee": "1",
    "fee_currency": "USD",
    "fill_time": samples.stamp(),
    "position_side": "POSITION_SIDE_LONG",
}
SENT: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "deposit": ({"currency": "USD", "amount": "12.50"}, {"deposit": {"money": USD_12_50}}),
    "withdraw": ({"currency": "USD", "amount": Decimal("12.50")}, {"withdrawal": {"money": USD_12_50}}),
    "funding": (
        {"symbol": "BTC-USD", "currency": "USD", "amount": Decimal("-1E-8")},
        {"funding": {"symbol": "BTC-USD", "money": {"currency": "USD", "amount": "-0.00000001"}}},
    ),
    "interest": ({"currency": "USD", "amount": "12.50"}, {"interest": {"money": USD_12_50}}),
    "dividend": (
        {"symbol": "SPY", "currency": "USD", "amount": "12.50"},
        {"dividend": {"symbol": "SPY", "money": USD_12_50}},
    ),
    "charge": ({"currency": "USD", "amount": "12.50"}, {"charge": {"money": USD_12_50}}),
    "fill_fee": (
        {"symbol": "SPY", "fill_id": "f1", "fee": 0, "fee_currency": "USD"},
        {"fill_fee": {"symbol": "SPY", "fill_id": "f1", "fee": {"currency": "USD", "amount": "0"}}},
    ),
    "fee_rate": (
        {"fee_currency": "BNB", "quote_currency": "USD", "rate": "610.25", "source": "venue"},
        {"fee_rate": {"fee_currency": "BNB", "quote_currency": "USD", "rate": "610.25", "source": "venue"}},
    ),
    "split": (
        {"symbol": "SPY", "numerator": 3, "denominator": 2, "cash_in_lieu": "12.50"},
        {"split": {"symbol": "SPY", "numerator": 3, "denominator": 2, "cash_in_lieu": "12.50"}},
    ),
    "symbol_change": (
        {"from_symbol": "FB", "to_symbol": "META"},
        {"symbol_change": {"from_symbol": "FB", "to_symbol": "META"}},
    ),
    "expire": ({"symbol": "SPY251219P00400000"}, {"expiry": {"symbol": "SPY251219P00400000"}}),
    "exercise": (
        {"symbol": "SPY251219P00400000", "quantity": 2, "fee": "1"},
        {"exercise": {"symbol": "SPY251219P00400000", "quantity": "2", "fee": "1"}},
    ),
    "assign": ({"symbol": "SPY251219P00400000"}, {"assignment": {"symbol": "SPY251219P00400000"}}),
    "settle": (
        {"symbol": "ESZ5", "price": "6012.25", "fee": "2"},
        {"cash_settlement": {"symbol": "ESZ5", "price": "6012.25", "fee": "2"}},
    ),
    "liquidation": (
        {"symbol": "BTC-USD", "side": Side.SELL, "quantity": 2, "price": 90, "fill_id": "f9", "fee": 1}
        | {"fee_currency": "USD"},
        {"liquidation": {"fill": FORCED}},
    ),
}
SAID: dict[str, Any] = {
    "event_id": "b1",
    "request_id": "r1",
    "event_time": samples.NOON,
    "note": "as the statement has it",
    "position_side": PositionSide.LONG,
    "validate_only": True,
    "portfolio_id": "p",
}
TOLD = {
    "portfolio_id": "p",
    "event_time": samples.stamp(),
    "event_id": "b1",
    "note": "as the statement has it",
    "position_side": "POSITION_SIDE_LONG",
}
DEPOSIT = {"currency": "USD", "amount": 10}
RECORDED = event_service_pb2.RecordEventResponse(
    event=event_service_pb2.Event(
        sequence=4, portfolio_id="p", event_time=samples.stamp(), event_id="b1", deposit={"money": USD_12_50}
    ),
    positions=[samples.position()],
    closed_trades=[samples.closed_trade()],
    closed_trade_count=1,
    opened_entries=[samples.entry()],
    restated_trades=[samples.restated(before=samples.closed_trade())],
    restated_trade_count=1,
    cash=[ledger_pb2.Money(currency="USD", amount="112.5")],
    sequence=4,
)

both = pytest.mark.parametrize("caller", CALLERS, ids=lambda caller: type(caller).__name__)


@both
@pytest.mark.parametrize("method", SENT)
def test_an_event_is_sent_as_it_was_told(caller: Caller, method: str) -> None:
    """Its own fields, and what may be said of every event, each in the field of its name."""
    arguments, kind = SENT[method]
    ledger = ScriptedLedger(answers=[RECORDED])
    with serving(ledger, ANY_PORT) as address:
        answer = caller.call(address, method, **arguments, **SAID)
    assert ledger.requests == [
        event_service_pb2.RecordEventRequest(request_id="r1", event={**TOLD, **kind}, validate_only=True)
    ]
    assert answer.sequence == 4


def test_every_kind_of_event_has_a_method() -> None:
    """None of the contract's is forgotten when it grows."""
    kinds = {kind for _, sent in SENT.values() for kind in sent}
    assert kinds == {field.name for field in event_service_pb2.Event.DESCRIPTOR.oneofs_by_name["event"].fields}
    assert METHODS["RecordEvent"].input_type is event_service_pb2.RecordEventRequest.DESCRIPTOR


@both
def test_what_an_event_did_is_read(caller: Caller) -> None:
    """The cash after it, and everything that it closed, opened or restated."""
    with serving(ScriptedLedger(answers=[RECORDED]), ANY_PORT) as address:
        answer = caller.call(address, "deposit", event_id="b1", **DEPOSIT)
    assert answer.event.event == lotkeeper.Deposit(money=lotkeeper.Money(currency="USD", amount=Decimal("12.5")))
    assert (answer.event.event_id, answer.event.event_time) == ("b1", samples.NOON)
    assert answer.cash == (lotkeeper.Money(currency="USD", amount=Decimal("112.5")),)
    assert [len(part) for part in (answer.positions, answer.closed_trades, answer.opened_entries)] == [1, 1, 1]
    assert (answer.restated_trade_count, answer.restated_trades[0].after) == (1, None)


@both
def test_an_event_is_sent_again_when_the_answer_was_lost(caller: Caller) -> None:
    """With the same ids, so that it counts once."""
    ledger = ScriptedLedger(answers=[breaks, refuses(grpc.StatusCode.UNAVAILABLE, "STORAGE_UNAVAILABLE"), RECORDED])
    with serving(ledger, ANY_PORT) as address:
        assert caller.call(address, "deposit", event_id="b1", timeout=30.0, **DEPOSIT).sequence == 4
    assert len(ledger.requests) == 3
    assert {each.event.event_id for each in ledger.requests} == {"b1"}


@both
def test_a_refused_event_is_typed(caller: Caller) -> None:
    """And not sent again: it is an answer."""
    other = refuses(grpc.StatusCode.ALREADY_EXISTS, "FILL_CONFLICT", field="amount")
    unknown = refuses(grpc.StatusCode.FAILED_PRECONDITION, "INSTRUMENT_NOT_DECLARED", symbol="ESZ5")
    ledger = ScriptedLedger(answers=[other, unknown])
    with serving(ledger, ANY_PORT) as address:
        with pytest.raises(FillConflict) as conflict:
            caller.call(address, "deposit", event_id="b1", **DEPOSIT)
        with pytest.raises(InstrumentNotDeclared) as undeclared:
            caller.call(address, "settle", symbol="ESZ5", price=1, event_id="b2")
    assert (conflict.value.metadata, undeclared.value.metadata) == ({"field": "amount"}, {"symbol": "ESZ5"})
    assert len(ledger.requests) == 2


@pytest.mark.parametrize("method", SENT)
def test_an_event_without_an_id_is_refused_before_it_is_sent(method: str) -> None:
    """A retry would record it twice."""
    with (
        Conversation() as talk,
        pytest.raises(ValueError, match=f"^{method}: neither event_id nor request_id.*twice"),
    ):
        getattr(talk.ledger, method)(**SENT[method][0])


@pytest.mark.parametrize("method", ["deposit", "withdraw", "funding", "interest", "dividend", "charge"])
def test_a_float_of_money_is_refused_before_it_is_sent(method: str) -> None:
    """It was rounded before the ledger ever saw it."""
    with Conversation() as talk, pytest.raises(TypeError, match=r"^amount: 0\.1 is a float"):
        getattr(talk.ledger, method)(**SENT[method][0] | {"amount": 0.1}, event_id="b1")


def test_a_split_is_two_whole_numbers() -> None:
    """1.5 for 1 is 3 for 2."""
    with Conversation() as talk, pytest.raises(TypeError, match=r"^numerator: 1\.5 is a float; pass an int"):
        talk.ledger.split(symbol="SPY", numerator=1.5, denominator=1, event_id="b1")  # type: ignore[arg-type] # the mistake under test


def test_a_field_that_no_event_has_is_refused() -> None:
    """A misspelt id would leave the event without one."""
    with Conversation() as talk, pytest.raises(TypeError, match="unexpected keyword argument 'eventid'"):
        talk.ledger.deposit(currency="USD", amount=1, eventid="b1")  # type: ignore[call-arg] # the mistake under test


@both
def test_events_are_listed_page_by_page(caller: Caller) -> None:
    """In the order they were recorded, as the class of their kind; one that is newer than this client among them."""
    first = event_service_pb2.Event(sequence=1, event_time=samples.stamp(), split={"symbol": "SPY", "numerator": 4})
    newer = event_service_pb2.Event(sequence=2, event_time=samples.stamp(), note="of a kind to come")
    pages = [
        event_service_pb2.ListEventsResponse(events=[first], next_page_token="t1"),
        event_service_pb2.ListEventsResponse(events=[newer]),
    ]
    ledger = ScriptedLedger(answers=pages)
    with serving(ledger, ANY_PORT) as address:
        listed = caller.call(
            address, "list_events", symbol="SPY", start_time=1, end_time=2, page_size=1, portfolio_id="p"
        )
    asked = event_service_pb2.ListEventsRequest(
        portfolio_id="p", symbol="SPY", start_time=samples.stamp(1), end_time=samples.stamp(2), page_size=1
    )
    again = event_service_pb2.ListEventsRequest(page_token="t1")
    again.MergeFrom(asked)
    assert ledger.requests == [asked, again]
    assert listed[0].event == lotkeeper.Split(symbol="SPY", numerator=4, denominator=0, cash_in_lieu=None)
    assert (listed[1].event, listed[1].note) == (None, "of a kind to come")
