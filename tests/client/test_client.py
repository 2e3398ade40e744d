"""The blocking client, word by word: what it sends, what it understands, and when it tries again."""

import inspect
import re
from decimal import Decimal
from typing import Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2  # type: ignore[import-untyped, unused-ignore] # typed, but without the marker

from lotkeeper import (
    ExcessPolicy,
    LatePolicy,
    Ledger,
    Mark,
    PositionSide,
    Side,
    cash,
    connect,
    resume,
    writes,
)
from lotkeeper.aio import AsyncLedger
from lotkeeper.channel import OPTIONS, target
from lotkeeper.errors import FillConflict, StorageUnavailable, WriteQueueFull
from lotkeeper.events import Heartbeat, Snapshot
from lotkeeper.v1 import ledger_service_pb2
from tests.client import samples
from tests.client.contract import METHODS
from tests.client.conversation import LONGEST_WAIT, Conversation

ENTERED = ledger_service_pb2.CreateEntryResponse(entry=samples.entry(), position=samples.position(), sequence=1)
FILLED = ledger_service_pb2.RecordFillResponse(
    opened_entry=samples.entry(),
    closed_trades=[samples.closed_trade()],
    position=samples.position(),
    sequence=2,
    replayed=True,
    closed_trade_count=1,
    restated_trades=[samples.restated(after=samples.closed_trade())],
    restated_trade_count=1,
)
CLOSED = ledger_service_pb2.CloseFifoResponse(
    closed_trades=[samples.closed_trade()],
    position=samples.position(),
    closed_quantity="1",
    gross_pnl="1",
    fees="0.04",
    net_pnl="0.96",
    sequence=2,
    closed_trade_count=1,
)
LOCKED = error_details_pb2.ErrorInfo(reason="STORAGE_UNAVAILABLE", domain="lotkeeper")
FULL = error_details_pb2.ErrorInfo(reason="WRITE_QUEUE_FULL", domain="lotkeeper")
DIFFERS = error_details_pb2.ErrorInfo(reason="FILL_CONFLICT", domain="lotkeeper", metadata={"field": "price"})
IN_HALF_A_SECOND = error_details_pb2.RetryInfo(retry_delay=Duration(nanos=500_000_000))


def enter(ledger: Ledger, **others: Any) -> Any:
    """Open a lot of 2 at 100.5."""
    given: dict[str, Any] = {"symbol": "BTC-USD", "quantity": 2, "entry_price": "100.5", "entry_fill_id": "f1"}
    return ledger.create_entry(**given | others)


def test_an_entry_is_sent_as_it_was_given(talk: Conversation) -> None:
    """Every argument in the field of its name, every number as text."""
    asked = talk.ask(
        lambda ledger: ledger.create_entry(
            symbol="BTC-USD",
            quantity=Decimal("2E+0"),
            entry_price="100.5",
            side=PositionSide.SHORT,
            entry_time=samples.NOON,
            entry_order_id="o1",
            entry_fill_id="f1",
            request_id="r1",
            fee=Decimal("-0.10"),
            fee_currency="USD",
            group_id="g1",
            labels={"strategy": "s"},
            late_policy=LatePolicy.IN_TIME_ORDER,
            synthetic=True,
            validate_only=True,
        )
    )
    assert talk.answer("CreateEntry", ENTERED) == ledger_service_pb2.CreateEntryRequest(
        request_id="r1",
        portfolio_id="p",
        symbol="BTC-USD",
        side="POSITION_SIDE_SHORT",
        quantity="2",
        entry_price="100.5",
        entry_time=samples.stamp(),
        entry_order_id="o1",
        entry_fill_id="f1",
        fee="-0.10",
        fee_currency="USD",
        group_id="g1",
        labels={"strategy": "s"},
        validate_only=True,
        late_policy="LATE_POLICY_IN_TIME_ORDER",
        synthetic=True,
    )
    result = asked.result(LONGEST_WAIT)
    assert (result.entry.entry_price, result.sequence, result.replayed) == (Decimal("100.5"), 1, False)


def test_a_close_is_sent_as_it_was_given(talk: Conversation) -> None:
    """Every argument in the field of its name, every number as text."""
    asked = talk.ask(
        lambda ledger: ledger.close_fifo(
            symbol="BTC-USD",
            exit_price=101,
            quantity="1",
            side=PositionSide.LONG,
            exit_time=samples.NOON,
            exit_reason="signal",
            exit_order_id="o2",
            exit_fill_id="f2",
            request_id="r2",
            fee="0.01",
            fee_currency="USD",
            excess_policy=ExcessPolicy.REVERSE,
            lots={"e2": "0.75", "e1": Decimal("0.25")},
            late_policy=LatePolicy.AS_RECORDED,
            validate_only=True,
            portfolio_id="q",
        )
    )
    assert talk.answer("CloseFifo", CLOSED) == ledger_service_pb2.CloseFifoRequest(
        request_id="r2",
        portfolio_id="q",
        symbol="BTC-USD",
        side="POSITION_SIDE_LONG",
        quantity="1",
        exit_price="101",
        exit_time=samples.stamp(),
        exit_reason="signal",
        exit_order_id="o2",
        exit_fill_id="f2",
        fee="0.01",
        fee_currency="USD",
        excess_policy="EXCESS_POLICY_REVERSE",
        validate_only=True,
        lots=[{"entry_id": "e2", "quantity": "0.75"}, {"entry_id": "e1", "quantity": "0.25"}],
        late_policy="LATE_POLICY_AS_RECORDED",
    )
    result = asked.result(LONGEST_WAIT)
    assert (result.net_pnl, result.opened_entry, result.closed_trade_count) == (Decimal("0.96"), None, 1)


def test_closing_all_names_no_quantity(talk: Conversation) -> None:
    """The server refuses both at once."""
    talk.ask(lambda ledger: ledger.close_fifo(symbol="X", exit_price=1, close_all=True, exit_fill_id="f2"))
    request = talk.answer("CloseFifo", CLOSED)
    assert (request.close_all, request.quantity) == (True, "")


def test_a_fill_is_sent_as_it_was_given(talk: Conversation) -> None:
    """Every argument in the field of its name, every number as text."""
    asked = talk.ask(
        lambda ledger: ledger.record_fill(
            symbol="BTC-USD",
            side=Side.SELL,
            quantity="3",
            price="110",
            fill_id="f3",
            order_id="o3",
            fee="0.3",
            fee_currency="USD",
            fill_time=samples.NOON,
            position_side=PositionSide.LONG,
            request_id="r3",
            reason="signal",
            group_id="g",
            labels={"a": "b"},
            excess_policy=ExcessPolicy.REJECT,
            lots={"e1": 3},
            late_policy=LatePolicy.IN_TIME_ORDER,
            validate_only=True,
        )
    )
    request = talk.answer("RecordFill", FILLED)
    fill = {
        "fill_id": "f3",
        "order_id": "o3",
        "symbol": "BTC-USD",
        "side": "SIDE_SELL",
        "quantity": "3",
        "price": "110",
        "fee": "0.3",
        "fee_currency": "USD",
        "fill_time": samples.stamp(),
        "position_side": "POSITION_SIDE_LONG",
    }
    assert request == ledger_service_pb2.RecordFillRequest(
        request_id="r3",
        portfolio_id="p",
        fill=fill,
        reason="signal",
        group_id="g",
        labels={"a": "b"},
        validate_only=True,
        excess_policy="EXCESS_POLICY_REJECT",
        lots=[{"entry_id": "e1", "quantity": "3"}],
        late_policy="LATE_POLICY_IN_TIME_ORDER",
    )
    result = asked.result(LONGEST_WAIT)
    assert (result.replayed, len(result.closed_trades), result.restated_trade_count) == (True, 1, 1)
    assert result.restated_trades[0].before is None
    assert result.opened_entry is not None


@pytest.mark.parametrize(
    ("write", "fill_field"),
    [
        (lambda ledger: ledger.create_entry(symbol="X", quantity=1, entry_price=1), "entry_fill_id"),
        (lambda ledger: ledger.close_fifo(symbol="X", quantity=1, exit_price=1), "exit_fill_id"),
        (lambda ledger: ledger.record_fill(symbol="X", side=Side.BUY, quantity=1, price=1), "fill_id"),
    ],
)
def test_a_write_without_an_id_is_refused_before_it_is_sent(talk: Conversation, write: Any, fill_field: str) -> None:
    """A retry would record the execution twice."""
    with pytest.raises(ValueError, match=f"neither {fill_field} nor request_id.*twice"):
        write(talk.ledger)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [({"quantity": 0.5}, "quantity"), ({"entry_price": 100.5}, "entry_price"), ({"fee": 0.1}, "fee")],
)
def test_a_float_is_refused_before_it_is_sent(talk: Conversation, wrong: dict[str, float], field: str) -> None:
    """With the name of the field and the way out."""
    with pytest.raises(TypeError, match=rf"^{field}: .*Decimal\(str\(x\)\)"):
        enter(talk.ledger, **wrong)


def test_a_float_among_chosen_lots_is_refused_before_it_is_sent(talk: Conversation) -> None:
    """With the lot it stands at."""
    with pytest.raises(TypeError, match=r"^lots\['e1'\]: 0\.5 is a float"):
        talk.ledger.close_fifo(symbol="X", exit_price=1, quantity="0.5", exit_fill_id="f", lots={"e1": 0.5})  # type: ignore[dict-item] # the mistake under test


@pytest.mark.parametrize("marks", [{"X": 1.5}, [Mark("X", Decimal(1), bid=1.5)]])  # type: ignore[arg-type] # the mistake under test
def test_a_float_among_marks_is_refused_before_it_is_sent(talk: Conversation, marks: Any) -> None:
    """With the name of the symbol it stands at."""
    with pytest.raises(TypeError, match=r"of X: 1\.5 is a float"):
        talk.ledger.set_marks(marks=marks)


def test_a_refusal_carries_its_reason(talk: Conversation) -> None:
    """And nothing is tried again: it is an answer."""
    asked = talk.ask(enter)
    talk.refuse("CreateEntry", grpc.StatusCode.ALREADY_EXISTS, "f1 was recorded at another price", DIFFERS)
    with pytest.raises(FillConflict, match="f1 was recorded at another price") as raised:
        asked.result(LONGEST_WAIT)
    assert raised.value.metadata == {"field": "price"}
    assert talk.pauses == []


def test_a_lost_connection_is_tried_again_with_the_same_ids(talk: Conversation) -> None:
    """Until an answer comes, pausing longer each time."""
    asked = talk.ask(enter)
    first = talk.refuse("CreateEntry", grpc.StatusCode.UNAVAILABLE, "connection refused")
    second = talk.refuse("CreateEntry", grpc.StatusCode.UNAVAILABLE, "database is locked", LOCKED)
    assert first == second == talk.answer("CreateEntry", ENTERED)
    assert asked.result(LONGEST_WAIT).sequence == 1
    assert talk.pauses == [0.05, 0.1]


def test_a_full_queue_is_tried_again_after_the_servers_delay(talk: Conversation) -> None:
    """RetryInfo says when there is room."""
    asked = talk.ask(enter)
    talk.refuse("CreateEntry", grpc.StatusCode.RESOURCE_EXHAUSTED, "queue is full", FULL, IN_HALF_A_SECOND)
    talk.answer("CreateEntry", ENTERED)
    asked.result(LONGEST_WAIT)
    assert talk.pauses == [0.55]


def test_a_retry_ends_with_the_deadline(talk: Conversation) -> None:
    """With the last answer, and the time that was given all but used."""
    asked = talk.ask(lambda ledger: enter(ledger, timeout=1.0))
    for _ in range(5):
        talk.refuse("CreateEntry", grpc.StatusCode.UNAVAILABLE, "database is locked", LOCKED)
    with pytest.raises(StorageUnavailable, match="database is locked"):
        asked.result(LONGEST_WAIT)
    assert talk.pauses == [0.05, 0.1, 0.2, 0.4]


def test_a_disk_that_is_full_is_not_tried_again(talk: Conversation) -> None:
    """RESOURCE_EXHAUSTED alone is no reason to."""
    asked = talk.ask(enter)
    talk.refuse("CreateEntry", grpc.StatusCode.RESOURCE_EXHAUSTED, "write queue is full")
    with pytest.raises(Exception, match="RESOURCE_EXHAUSTED") as raised:
        asked.result(LONGEST_WAIT)
    assert not isinstance(raised.value, WriteQueueFull)
    assert talk.pauses == []


def test_a_stream_brings_events_until_the_server_refuses(talk: Conversation) -> None:
    """What it refuses is raised from the loop."""
    asked = talk.ask(lambda ledger: ledger.stream_pnl(symbols=["A"]))
    stream = asked.result(LONGEST_WAIT)
    events = [talk.ask(lambda _: next(stream)) for _ in range(3)]
    request, call = talk.stream("StreamPnL")
    assert (list(request.portfolio_ids), list(request.symbols)) == (["p"], ["A"])
    call.send_response(samples.snapshot(1, "A"))
    assert isinstance(events[0].result(LONGEST_WAIT), Snapshot)
    call.send_response(samples.message(1))
    assert isinstance(events[1].result(LONGEST_WAIT), Heartbeat)
    call.terminate(
        samples.trailing_metadata(grpc.StatusCode.ALREADY_EXISTS, "differs", DIFFERS),
        grpc.StatusCode.ALREADY_EXISTS,
        "differs",
    )
    with pytest.raises(FillConflict):
        events[2].result(LONGEST_WAIT)


def test_both_clients_have_the_same_methods_with_the_same_arguments() -> None:
    """A bot that moves to asyncio adds ``await``, and nothing else."""

    def surface(client: type) -> dict[str, object]:
        methods = {name: each for name, each in vars(client).items() if not name.startswith("_") and name != "close"}
        return {name: inspect.signature(each).parameters for name, each in methods.items()}

    assert surface(Ledger) == surface(AsyncLedger)


def test_every_rpc_of_the_contract_has_a_method() -> None:
    """Under its name; the kinds of RecordEvent have one each."""
    names = {re.sub("(?<=[a-z])(?=[A-Z])", "_", rpc.replace("PnL", "Pnl")).lower() for rpc in METHODS}
    assert names - set(vars(Ledger)) == {"record_event"}


@pytest.mark.parametrize("build", [writes.create_entry, writes.record_fill, cash.dividend, resume.stream_pnl])
def test_a_method_is_documented_where_it_is_used(build: Any) -> None:
    """``help(ledger.record_fill)`` shows arguments and refusals."""
    method = getattr(Ledger, build.__name__)
    assert inspect.getdoc(method) == inspect.getdoc(build)
    assert "symbol" in str(inspect.signature(method))


@pytest.mark.parametrize(
    "address", ["127.0.0.1:50051", "ledger.internal:1", "[::1]:50051", "unix:/run/l.sock", "unix:l.sock"]
)
def test_an_address_is_host_and_port_or_a_socket(address: str) -> None:
    """As gRPC names them."""
    assert target(address) == address


@pytest.mark.parametrize(
    "address", ["", "localhost", "http://localhost:50051", "localhost:", ":50051", "/run/l.sock", "::1:50051"]
)
def test_another_address_is_refused_with_an_example(address: str) -> None:
    """The channel would try for ever."""
    with pytest.raises(ValueError, match=r"host:port nor unix:.*127\.0\.0\.1:50051"):
        connect(address)


@pytest.mark.parametrize("timeout", [0, -1, float("inf")])
def test_a_timeout_that_is_none_is_refused(timeout: float) -> None:
    """When connecting, and not with the first fill."""
    with pytest.raises(ValueError, match="^timeout: "):
        connect("127.0.0.1:1", timeout=timeout)


def test_grpc_does_not_retry_beside_us() -> None:
    """Two layers of retries would multiply, and the channel's knows no reasons."""
    assert dict(OPTIONS)["grpc.enable_retries"] == 0
