"""What takes an execution back, and what makes a figure: what is sent over a socket, and what comes back."""

from decimal import Decimal
from typing import Any

import grpc
import pytest

import lotkeeper
from lotkeeper import ExcessPolicy, PositionSide, RecordKind, Side
from lotkeeper.calls import PAGE_SIZE
from lotkeeper.errors import FillBusted, FillNotFound, HistoryRefused, LaterCommandRefused, TradeNotFound
from lotkeeper.v1 import event_service_pb2, explain_service_pb2
from tests.client import samples
from tests.client.callers import CALLERS, Caller
from tests.client.scripted import ScriptedLedger, breaks, refuses, serving

ANY_PORT = "127.0.0.1:0"
RESTATED: dict[str, Any] = {
    "restated_trades": [samples.restated(samples.closed_trade(2), samples.closed_trade(9))],
    "restated_trade_count": 1,
    "net_pnl_change": "-0.96",
    "position": samples.position(),
    "sequence": 9,
}
BUSTED = event_service_pb2.BustFillResponse(**RESTATED)
CORRECTED = event_service_pb2.CorrectFillResponse(**RESTATED)

both = pytest.mark.parametrize("caller", CALLERS, ids=lambda caller: type(caller).__name__)


@both
def test_a_bust_is_sent_as_it_was_told(caller: Caller) -> None:
    """By the execution's id, or by the sequence that recorded it; the answer tells what was restated."""
    ledger = ScriptedLedger(answers=[BUSTED, BUSTED])
    with serving(ledger, ANY_PORT) as address:
        answer = caller.call(
            address,
            "bust_fill",
            request_id="r1",
            symbol="BTC-USD",
            fill_id="f1",
            reason="cancelled by the venue",
            excess_policy=ExcessPolicy.REVERSE,
            validate_only=True,
            portfolio_id="p",
        )
        caller.call(address, "bust_fill", request_id="r2", symbol="BTC-USD", fill_sequence=7)
    assert ledger.requests == [
        event_service_pb2.BustFillRequest(
            request_id="r1",
            portfolio_id="p",
            symbol="BTC-USD",
            fill_id="f1",
            reason="cancelled by the venue",
            excess_policy="EXCESS_POLICY_REVERSE",
            validate_only=True,
        ),
        event_service_pb2.BustFillRequest(request_id="r2", symbol="BTC-USD", fill_sequence=7),
    ]
    assert (answer.net_pnl_change, answer.restated_trade_count) == (Decimal("-0.96"), 1)
    assert [(each.before.trade_id, each.after.trade_id) for each in answer.restated_trades] == [("t2-0", "t9-0")]


@both
def test_a_correction_sends_what_was_given_and_nothing_else(caller: Caller) -> None:
    """A fee of 0 takes the place of what was recorded; a price that is left out stays."""
    ledger = ScriptedLedger(answers=[CORRECTED, CORRECTED])
    with serving(ledger, ANY_PORT) as address:
        caller.call(
            address,
            "correct_fill",
            request_id="r1",
            symbol="BTC-USD",
            fill_id="f1",
            side=Side.SELL,
            quantity="3",
            price=Decimal("99.5"),
            fee="0.2",
            fee_currency="USD",
            fill_time=samples.NOON,
            reason="restated by the venue",
            excess_policy=ExcessPolicy.REJECT,
            validate_only=True,
            portfolio_id="p",
        )
        answer = caller.call(address, "correct_fill", request_id="r2", symbol="BTC-USD", fill_sequence=7, fee=0)
    everything, fee = ledger.requests
    assert everything == event_service_pb2.CorrectFillRequest(
        request_id="r1",
        portfolio_id="p",
        symbol="BTC-USD",
        fill_id="f1",
        side="SIDE_SELL",
        quantity="3",
        price="99.5",
        fee="0.2",
        fee_currency="USD",
        fill_time=samples.stamp(),
        reason="restated by the venue",
        excess_policy="EXCESS_POLICY_REJECT",
        validate_only=True,
    )
    assert fee == event_service_pb2.CorrectFillRequest(request_id="r2", symbol="BTC-USD", fill_sequence=7, fee="0")
    assert not any(fee.HasField(field) for field in ("side", "quantity", "price", "fee_currency", "fill_time"))
    assert (answer.sequence, answer.replayed, answer.position.symbol) == (9, False, "BTC-USD")


@both
def test_a_bust_is_sent_again_when_the_answer_was_lost(caller: Caller) -> None:
    """With the same request id, so that it counts once."""
    ledger = ScriptedLedger(answers=[breaks, BUSTED])
    with serving(ledger, ANY_PORT) as address:
        caller.call(address, "bust_fill", request_id="r1", symbol="BTC-USD", fill_id="f1", timeout=30.0)
    assert [each.request_id for each in ledger.requests] == ["r1", "r1"]


@both
@pytest.mark.parametrize(
    ("code", "reason", "kind", "metadata"),
    [
        (grpc.StatusCode.NOT_FOUND, "FILL_NOT_FOUND", FillNotFound, {"fill_id": "f1"}),
        (grpc.StatusCode.FAILED_PRECONDITION, "FILL_BUSTED", FillBusted, {"fill_id": "f1", "sequence": "8"}),
        (
            grpc.StatusCode.FAILED_PRECONDITION,
            "LATER_COMMAND_REFUSED",
            LaterCommandRefused,
            {"sequence": "5", "fill_id": "f3", "reason": "INSUFFICIENT_QUANTITY"},
        ),
    ],
)
def test_a_bust_that_cannot_be_is_typed(
    caller: Caller,
    code: grpc.StatusCode,
    reason: str,
    kind: type[lotkeeper.LotkeeperError],
    metadata: dict[str, str],
) -> None:
    """With the first later command that stands in its way."""
    with (
        serving(ScriptedLedger(answers=[refuses(code, reason, **metadata)]), ANY_PORT) as address,
        pytest.raises(kind) as raised,
    ):
        caller.call(address, "bust_fill", request_id="r1", symbol="BTC-USD", fill_id="f1")
    assert raised.value.metadata == metadata
    assert isinstance(raised.value, HistoryRefused) is (code is grpc.StatusCode.FAILED_PRECONDITION)


@both
def test_a_trade_is_explained(caller: Caller) -> None:
    """By the executions behind it, and the trades that corrections superseded."""
    made = explain_service_pb2.ExplainTradeResponse(
        trade=samples.closed_trade(9),
        lines=[samples.explain_line(1), samples.explain_line(2)],
        superseded_trades=[samples.closed_trade(2)],
    )
    missing = refuses(grpc.StatusCode.NOT_FOUND, "TRADE_NOT_FOUND", trade_id="t3")
    ledger = ScriptedLedger(answers=[made, missing])
    with serving(ledger, ANY_PORT) as address:
        answer = caller.call(address, "explain_trade", trade_id="t9-0", portfolio_id="p")
        with pytest.raises(TradeNotFound):
            caller.call(address, "explain_trade", trade_id="t3")
    assert ledger.requests[0] == explain_service_pb2.ExplainTradeRequest(portfolio_id="p", trade_id="t9-0")
    assert (answer.trade.trade_id, [each.trade_id for each in answer.superseded_trades]) == ("t9-0", ["t2-0"])
    line = answer.lines[0]
    assert (line.kind, line.side, line.cost_change) == (RecordKind.FILL, Side.BUY, Decimal(201))
    assert (line.fee, line.fee_rate) == (lotkeeper.Money(currency="BNB", amount=Decimal("0.001")), None)
    assert (line.fill_time, line.record_time) == (samples.NOON, samples.NOON + 1)


EXPLAINED = [
    explain_service_pb2.ExplainPositionResponse(
        position=samples.position(), lines=[samples.explain_line(number)], sequence=9, next_page_token=token
    )
    for number, token in ((1, "t1"), (2, ""))
]


@both
def test_a_position_is_explained_page_by_page(caller: Caller) -> None:
    """Every page at the sequence of the first."""
    ledger = ScriptedLedger(answers=EXPLAINED)
    with serving(ledger, ANY_PORT) as address:
        lines = caller.call(
            address, "explain_position", symbol="BTC-USD", book_side=PositionSide.LONG, portfolio_id="p"
        )
    assert [line.sequence for line in lines] == [1, 2]
    asked: dict[str, Any] = {
        "portfolio_id": "p",
        "symbol": "BTC-USD",
        "book_side": "POSITION_SIDE_LONG",
        "page_size": PAGE_SIZE,
    }
    assert ledger.requests == [
        explain_service_pb2.ExplainPositionRequest(**asked),
        explain_service_pb2.ExplainPositionRequest(**asked, page_token="t1"),
    ]


def test_an_explained_position_comes_with_the_position() -> None:
    """It is there before the first line is read, and the page it came with is not fetched again."""
    ledger = ScriptedLedger(answers=EXPLAINED)
    with serving(ledger, ANY_PORT) as address, lotkeeper.connect(address) as client:
        lines = client.explain_position(symbol="BTC-USD")
        assert (lines.position().total_quantity, lines.sequence()) == (Decimal(2), 9)
        assert len(ledger.requests) == 1
        assert [line.sequence for line in lines] == [1, 2]
        assert lines.position().total_quantity == Decimal(2)
    assert len(ledger.requests) == 2


async def test_an_explained_position_comes_with_the_position_for_asyncio_too() -> None:
    """It is there before the first line is read, and the page it came with is not fetched again."""
    ledger = ScriptedLedger(answers=EXPLAINED)
    with serving(ledger, ANY_PORT) as address:
        async with lotkeeper.aio.connect(address) as client:
            lines = client.explain_position(symbol="BTC-USD")
            assert (await lines.position()).total_quantity == Decimal(2)
            assert await lines.sequence() == 9
            assert [line.sequence async for line in lines] == [1, 2]
    assert len(ledger.requests) == 2
