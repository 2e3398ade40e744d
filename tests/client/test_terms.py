"""The terms of portfolios and instruments: what is sent over a socket, and what comes back."""

import datetime as dt
from decimal import Decimal
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message

import lotkeeper
from lotkeeper import InstrumentKind, LotMethod, OptionRight, PositionMode, TradingMode
from lotkeeper.calls import PAGE_SIZE
from lotkeeper.errors import (
    Conflict,
    InstrumentInUse,
    PortfolioClosed,
    PortfolioExists,
    PortfolioInUse,
    PortfolioNotEmpty,
    TermsRefused,
)
from lotkeeper.v1 import instrument_service_pb2, portfolio_service_pb2
from tests.client import samples
from tests.client.callers import CALLERS, Caller
from tests.client.conversation import Conversation
from tests.client.scripted import ScriptedLedger, breaks, refuses, serving

ANY_PORT = "127.0.0.1:0"
CREATED = portfolio_service_pb2.CreatePortfolioResponse(portfolio=samples.portfolio(), sequence=1)
UPDATED = portfolio_service_pb2.UpdatePortfolioResponse(portfolio=samples.portfolio(), sequence=2)
CLOSED = portfolio_service_pb2.ClosePortfolioResponse(portfolio=samples.portfolio(), sequence=3)
DEFINED = instrument_service_pb2.DefineInstrumentResponse(instrument=samples.instrument(), sequence=4)
ALL_TERMS: dict[str, Any] = {
    "base_currency": "USD",
    "initial_cash": {"USD": Decimal("1000.50"), "EUR": 0},
    "position_mode": PositionMode.HEDGING,
    "long_only": False,
    "trading_mode": TradingMode.PAPER,
    "broker_account": "alpaca-1",
    "lot_method": LotMethod.HIFO,
    "time_zone": "America/New_York",
    "fees_later": True,
    "description": "swing",
}
ALL_SENT: dict[str, Any] = {
    **ALL_TERMS,
    "initial_cash": [{"currency": "USD", "amount": "1000.50"}, {"currency": "EUR", "amount": "0"}],
    "position_mode": "POSITION_MODE_HEDGING",
    "trading_mode": "TRADING_MODE_PAPER",
    "lot_method": "LOT_METHOD_HIFO",
}

both = pytest.mark.parametrize("caller", CALLERS, ids=lambda caller: type(caller).__name__)


def told(caller: Caller, answer: Message, method: str, **arguments: Any) -> tuple[Any, Any]:
    """The request that a call sends, and what it makes of ``answer``."""
    ledger = ScriptedLedger(answers=[answer])
    with serving(ledger, ANY_PORT) as address:
        read = caller.call(address, method, **arguments)
    (request,) = ledger.requests
    return request, read


@both
def test_a_portfolio_is_created_with_the_terms_it_is_given(caller: Caller) -> None:
    """Each in the field of its name, money with its currency."""
    request, answer = told(
        caller, CREATED, "create_portfolio", request_id="r1", portfolio_id="p", validate_only=True, **ALL_TERMS
    )
    assert request == portfolio_service_pb2.CreatePortfolioRequest(
        request_id="r1", portfolio={"portfolio_id": "p", **ALL_SENT}, validate_only=True
    )
    assert (answer.sequence, answer.replayed) == (1, False)
    portfolio = answer.portfolio
    assert portfolio.initial_cash == (lotkeeper.Money(currency="USD", amount=Decimal(1000)),)
    assert (portfolio.position_mode, portfolio.trading_mode) == (PositionMode.HEDGING, TradingMode.PAPER)
    assert (portfolio.lot_method, portfolio.create_time) == (LotMethod.FIFO, samples.NOON)


@both
def test_an_update_sends_what_was_given_and_nothing_else(caller: Caller) -> None:
    """False and empty are terms too; what is left out stays as it is."""
    request, _ = told(
        caller, UPDATED, "update_portfolio", request_id="r1", portfolio_id="p", validate_only=True, **ALL_TERMS
    )
    assert request == portfolio_service_pb2.UpdatePortfolioRequest(
        request_id="r1", portfolio_id="p", validate_only=True, **ALL_SENT
    )
    one, answer = told(caller, UPDATED, "update_portfolio", request_id="r2", long_only=False, description="")
    assert {field.name for field, _ in one.ListFields()} == {"request_id", "long_only", "description"}
    assert answer.portfolio.portfolio_id == "p"


def test_taking_all_initial_cash_away_is_said_with_a_zero() -> None:
    """An empty list looks on the wire like none at all, and would change nothing."""
    with Conversation() as talk, pytest.raises(ValueError, match=r"^initial_cash: .*\{'USD': 0\}"):
        talk.ledger.update_portfolio(request_id="r1", initial_cash={})


def test_what_is_no_flag_is_refused_by_name() -> None:
    """A text is true whatever it says."""
    with Conversation() as talk, pytest.raises(TypeError, match="^long_only: 'no' is a str"):
        talk.ledger.update_portfolio(request_id="r1", long_only="no")  # type: ignore[arg-type] # the mistake under test


@both
def test_a_portfolio_is_closed(caller: Caller) -> None:
    """By its id, or the one given to ``connect``."""
    request, answer = told(caller, CLOSED, "close_portfolio", request_id="r1", portfolio_id="p")
    assert request == portfolio_service_pb2.ClosePortfolioRequest(request_id="r1", portfolio_id="p")
    assert answer.sequence == 3


@both
def test_portfolios_are_listed_page_by_page(caller: Caller) -> None:
    """By id, closed ones only when asked for."""
    pages = [
        portfolio_service_pb2.ListPortfoliosResponse(portfolios=[samples.portfolio("a")], next_page_token="t1"),
        portfolio_service_pb2.ListPortfoliosResponse(portfolios=[samples.portfolio("b")]),
    ]
    ledger = ScriptedLedger(answers=pages)
    with serving(ledger, ANY_PORT) as address:
        found = caller.call(address, "list_portfolios", portfolio_ids=["a", "b"], include_closed=True)
    assert [portfolio.portfolio_id for portfolio in found] == ["a", "b"]
    asked: dict[str, Any] = {"portfolio_ids": ["a", "b"], "include_closed": True, "page_size": PAGE_SIZE}
    assert ledger.requests == [
        portfolio_service_pb2.ListPortfoliosRequest(**asked),
        portfolio_service_pb2.ListPortfoliosRequest(**asked, page_token="t1"),
    ]


@both
def test_an_instrument_is_declared_with_the_terms_it_is_given(caller: Caller) -> None:
    """Each in the field of its name, its last day as a date."""
    request, answer = told(
        caller,
        DEFINED,
        "define_instrument",
        request_id="r1",
        symbol="BTC-27DEC24-60000-C",
        kind=InstrumentKind.OPTION,
        multiplier="0.01",
        base_currency="BTC",
        quote_currency="USD",
        settlement_currency="BTC",
        price_step=Decimal("0.0001"),
        size_step="0.1",
        negative_prices=True,
        underlying="BTC",
        expiry=dt.date(2024, 12, 27),
        strike=60000,
        right=OptionRight.CALL,
        validate_only=True,
    )
    assert request == instrument_service_pb2.DefineInstrumentRequest(
        request_id="r1",
        instrument={
            "symbol": "BTC-27DEC24-60000-C",
            "kind": "INSTRUMENT_KIND_OPTION",
            "multiplier": "0.01",
            "base_currency": "BTC",
            "quote_currency": "USD",
            "settlement_currency": "BTC",
            "price_step": "0.0001",
            "size_step": "0.1",
            "negative_prices": True,
            "underlying": "BTC",
            "expiry": "2024-12-27",
            "strike": "60000",
            "right": "OPTION_RIGHT_CALL",
        },
        validate_only=True,
    )
    put = answer.instrument
    assert (put.kind, put.right, put.multiplier) == (InstrumentKind.OPTION, OptionRight.PUT, 100)
    assert (put.expiry, put.strike, put.price_step, put.declared) == (dt.date(2025, 12, 19), 400, None, False)


@both
def test_instruments_are_listed_page_by_page(caller: Caller) -> None:
    """By symbol."""
    pages = [
        instrument_service_pb2.ListInstrumentsResponse(instruments=[samples.instrument("A")], next_page_token="t1"),
        instrument_service_pb2.ListInstrumentsResponse(instruments=[samples.instrument("B")]),
    ]
    ledger = ScriptedLedger(answers=pages)
    with serving(ledger, ANY_PORT) as address:
        found = caller.call(address, "list_instruments", symbols=["A", "B"], page_size=1)
    assert [instrument.symbol for instrument in found] == ["A", "B"]
    assert ledger.requests == [
        instrument_service_pb2.ListInstrumentsRequest(symbols=["A", "B"], page_size=1),
        instrument_service_pb2.ListInstrumentsRequest(symbols=["A", "B"], page_size=1, page_token="t1"),
    ]


@both
@pytest.mark.parametrize(
    ("method", "arguments", "answer"),
    [
        ("create_portfolio", {}, CREATED),
        ("update_portfolio", {"description": "x"}, UPDATED),
        ("close_portfolio", {}, CLOSED),
        ("define_instrument", {"symbol": "X"}, DEFINED),
    ],
)
def test_terms_are_sent_again_when_the_answer_was_lost(
    caller: Caller, method: str, arguments: dict[str, Any], answer: Message
) -> None:
    """With the same request id, so that they count once."""
    ledger = ScriptedLedger(answers=[breaks, answer])
    with serving(ledger, ANY_PORT) as address:
        caller.call(address, method, request_id="r1", timeout=30.0, **arguments)
    assert [each.request_id for each in ledger.requests] == ["r1", "r1"]


@both
@pytest.mark.parametrize(
    ("method", "arguments", "code", "reason", "kind", "family"),
    [
        ("create_portfolio", {}, "ALREADY_EXISTS", "PORTFOLIO_EXISTS", PortfolioExists, Conflict),
        ("update_portfolio", {}, "FAILED_PRECONDITION", "PORTFOLIO_IN_USE", PortfolioInUse, TermsRefused),
        ("update_portfolio", {}, "FAILED_PRECONDITION", "PORTFOLIO_CLOSED", PortfolioClosed, TermsRefused),
        ("close_portfolio", {}, "FAILED_PRECONDITION", "PORTFOLIO_NOT_EMPTY", PortfolioNotEmpty, TermsRefused),
        (
            "define_instrument",
            {"symbol": "X"},
            "FAILED_PRECONDITION",
            "INSTRUMENT_IN_USE",
            InstrumentInUse,
            TermsRefused,
        ),
    ],
)
def test_terms_that_cannot_be_are_typed(
    caller: Caller,
    method: str,
    arguments: dict[str, Any],
    code: str,
    reason: str,
    kind: type[lotkeeper.LotkeeperError],
    family: type[lotkeeper.LotkeeperError],
) -> None:
    """With what stands in the way, and in a family to catch together."""
    refusal = refuses(grpc.StatusCode[code], reason, field="multiplier")
    with serving(ScriptedLedger(answers=[refusal]), ANY_PORT) as address, pytest.raises(kind) as raised:
        caller.call(address, method, request_id="r1", **arguments)
    assert isinstance(raised.value, family)
    assert raised.value.metadata == {"field": "multiplier"}
