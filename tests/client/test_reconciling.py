"""Reconciliation as a bot asks for it: what is sent over a socket, and what comes back."""

import pickle
from decimal import Decimal
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message

import lotkeeper
from lotkeeper import DiscrepancyState, PositionSide, ReconcileMode, Severity, Side, TradingMode
from lotkeeper.calls import PAGE_SIZE
from lotkeeper.errors import (
    BrokerUnavailable,
    DiscrepancyNotOpen,
    NotFound,
    NotReconciled,
    PortfolioHalted,
    ReconciliationNotFound,
    Restrained,
    SymbolFrozen,
    TermsRefused,
    TradingModeMismatch,
)
from lotkeeper.v1 import reconciliation_pb2, reconciliation_service_pb2
from tests.client import samples
from tests.client.callers import CALLERS, Caller
from tests.client.scripted import ScriptedLedger, breaks, refuses, serving

ANY_PORT = "127.0.0.1:0"
RECORD = reconciliation_service_pb2.DiscrepancyRecord(
    discrepancy={
        "discrepancy_id": "D7.0",
        "kind": "DISCREPANCY_KIND_MISSING_AT_BROKER",
        "severity": "SEVERITY_CRITICAL",
        "portfolio_id": "swing",
        "symbol": "BTC-USD",
        "ledger_quantity": "2",
        "broker_quantity": "0",
        "pnl_effect": "-12.5",
        "explanation": "BTC-USD: the ledger holds 2, the broker nothing",
    },
    state="DISCREPANCY_STATE_OPEN",
    restraint="RESTRAINT_FREEZE_SYMBOL",
    reconciliation_id="R7",
)
AGREED = reconciliation_pb2.ReconcileResponse(reconciliation_id="R6", matched_count=3, sequence=6, complete=True)
DIFFERS = reconciliation_pb2.ReconcileResponse(
    reconciliation_id="R7", discrepancies=[RECORD.discrepancy], sequence=7, complete=True, broker_position_count=2
)
STATEMENT = lotkeeper.BrokerStatement(
    as_of=samples.NOON,
    positions_complete=True,
    positions=(
        lotkeeper.BrokerPosition(
            symbol="BTCUSD",
            side=PositionSide.SHORT,
            quantity="0.5",
            average_price=Decimal(64000),
            cost_basis="-32000",
        ),
    ),
    fills=(lotkeeper.Fill(symbol="BTCUSD", side=Side.SELL, quantity="0.5", price=64000, fill_id="F-1"),),
    fills_complete_since=samples.NOON - 10**9,
    cash=(lotkeeper.BrokerCash(currency="USD", amount="-10"),),
    cash_complete=True,
)

both = pytest.mark.parametrize("caller", CALLERS, ids=lambda caller: type(caller).__name__)


def told(caller: Caller, answer: Message, method: str, **arguments: Any) -> tuple[Any, Any]:
    """The request that a call sends, and what it makes of ``answer``."""
    ledger = ScriptedLedger(answers=[answer])
    with serving(ledger, ANY_PORT) as address:
        read = caller.call(address, method, **arguments)
    (request,) = ledger.requests
    return request, read


@both
def test_a_statement_is_sent_as_the_broker_gave_it(caller: Caller) -> None:
    """Each number with all of its digits, each side and time in its field."""
    request, report = told(
        caller,
        DIFFERS,
        "reconcile",
        statement=STATEMENT,
        portfolio_ids=["swing", "scalper"],
        mode=ReconcileMode.APPLY,
        request_id="r1",
        adopt_into_portfolio_id="swing",
        trading_mode=TradingMode.PAPER,
    )
    assert request == reconciliation_pb2.ReconcileRequest(
        request_id="r1",
        portfolio_ids=["swing", "scalper"],
        mode="RECONCILE_MODE_APPLY",
        statement={
            "as_of": samples.stamp(),
            "positions_complete": True,
            "positions": [
                {
                    "symbol": "BTCUSD",
                    "side": "POSITION_SIDE_SHORT",
                    "quantity": "0.5",
                    "average_price": "64000",
                    "cost_basis": "-32000",
                }
            ],
            "fills": [{"fill_id": "F-1", "symbol": "BTCUSD", "side": "SIDE_SELL", "quantity": "0.5", "price": "64000"}],
            "fills_complete_since": samples.stamp(samples.NOON - 10**9),
            "cash": [{"currency": "USD", "amount": "-10"}],
            "cash_complete": True,
        },
        adopt_into_portfolio_id="swing",
        trading_mode="TRADING_MODE_PAPER",
    )
    (found,) = report.discrepancies
    assert (found.ledger_quantity, found.broker_quantity, found.pnl_effect) == (2, 0, Decimal("-12.5"))
    assert (report.broker_position_count, report.agreed) == (2, False)


@both
def test_a_configured_account_is_asked_for_by_name(caller: Caller) -> None:
    """A dry run of the portfolios that the server has for it; no id is needed for what changes nothing."""
    request, report = told(caller, AGREED, "reconcile", broker_account="alpaca-1")
    assert request == reconciliation_pb2.ReconcileRequest(broker_account="alpaca-1", mode="RECONCILE_MODE_DRY_RUN")
    assert (report.agreed, report.matched_count) == (True, 3)


@both
def test_with_a_statement_the_books_are_those_given_to_connect(caller: Caller) -> None:
    """Of a caller who named none, the default."""
    request, _ = told(caller, AGREED, "reconcile", statement=STATEMENT)
    assert request.portfolio_ids == ["default"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "neither was given"),
        ({"broker_account": "a", "statement": STATEMENT}, "both were given"),
        ({"broker_account": "a", "mode": ReconcileMode.APPLY}, "APPLY without a request_id"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_it_is_sent(arguments: dict[str, Any], said: str) -> None:
    """No source, two of them, or a change without an id."""
    with pytest.raises(ValueError, match=said):
        CALLERS[0].call("127.0.0.1:1", "reconcile", **arguments)


@both
def test_a_bot_that_starts_compares_first_and_changes_nothing(caller: Caller) -> None:
    """The report is its answer, whatever it says."""
    request, report = told(caller, DIFFERS, "reconcile_on_startup", broker_account="alpaca-1")
    assert (request.mode, request.broker_account) == (reconciliation_pb2.RECONCILE_MODE_DRY_RUN, "alpaca-1")
    assert [found.discrepancy_id for found in report.outstanding] == ["D7.0"]


@both
def test_a_repair_at_the_start_is_one_run_however_often_it_is_sent(caller: Caller) -> None:
    """The answer was lost: the same id again. The next start is another run."""
    ledger = ScriptedLedger(answers=[breaks, AGREED, AGREED])
    with serving(ledger, ANY_PORT) as address:
        for _ in range(2):
            caller.call(address, "reconcile_on_startup", broker_account="alpaca-1", apply=True)
    first, again, second = (each.request_id for each in ledger.requests)
    assert first == again != second
    assert {each.mode for each in ledger.requests} == {reconciliation_pb2.RECONCILE_MODE_APPLY}


@both
def test_a_bot_that_requires_agreement_gets_no_further_without_it(caller: Caller) -> None:
    """The error holds the report and says what it found, and crosses to another process."""
    with pytest.raises(NotReconciled) as raised:
        told(caller, DIFFERS, "reconcile_on_startup", broker_account="a", require_agreement=True)
    error = pickle.loads(pickle.dumps(raised.value))
    assert error.report.reconciliation_id == "R7"
    assert str(error) == "NOT_RECONCILED: reconciliation R7: BTC-USD: the ledger holds 2, the broker nothing"


@both
def test_a_bot_that_requires_agreement_starts_when_they_agree(caller: Caller) -> None:
    """With the report as its answer."""
    _, report = told(caller, AGREED, "reconcile_on_startup", broker_account="a", require_agreement=True)
    assert report.agreed


@pytest.mark.parametrize(
    ("changes", "agreed"),
    [
        ({"applied": True}, True),
        ({"ignored": True}, True),
        ({"severity": Severity.INFO}, True),
        ({"severity": Severity.MINOR}, False),
    ],
)
def test_what_was_repaired_or_ignored_or_is_information_does_not_keep_a_bot_from_starting(
    changes: dict[str, Any], agreed: bool
) -> None:
    """Everything else does, however small."""
    answer = reconciliation_pb2.ReconcileResponse()
    answer.CopyFrom(DIFFERS)
    for name, value in changes.items():
        setattr(answer.discrepancies[0], name, value)
    _, report = told(CALLERS[0], answer, "reconcile", broker_account="a")
    assert report.agreed is agreed


def test_a_report_that_was_cut_short_proves_no_agreement() -> None:
    """What it does not show may be what differs."""
    cut = reconciliation_pb2.ReconcileResponse()
    cut.CopyFrom(AGREED)
    cut.discrepancy_count = 1
    _, report = told(CALLERS[0], cut, "reconcile", broker_account="a")
    assert not report.agreed


def test_a_broker_that_did_not_say_everything_proves_no_agreement() -> None:
    """An empty list of differences is not enough."""
    partial = reconciliation_pb2.ReconcileResponse(reconciliation_id="R8", sequence=8)
    with pytest.raises(NotReconciled, match="R8: the broker did not say everything"):
        told(CALLERS[0], partial, "reconcile_on_startup", broker_account="a", require_agreement=True)


@both
def test_reports_are_listed_page_by_page(caller: Caller) -> None:
    """Of everything that is not named."""
    pages = [
        reconciliation_service_pb2.ListReconciliationsResponse(
            reconciliations=[{"reconciliation_id": "R2"}], next_page_token="t1"
        ),
        reconciliation_service_pb2.ListReconciliationsResponse(reconciliations=[{"reconciliation_id": "R1"}]),
    ]
    ledger = ScriptedLedger(answers=pages)
    with serving(ledger, ANY_PORT) as address:
        found = caller.call(address, "list_reconciliations", broker_account="a", start_time=samples.NOON)
    assert [one.reconciliation_id for one in found] == ["R2", "R1"]
    asked: dict[str, Any] = {"broker_account": "a", "start_time": samples.stamp(), "page_size": PAGE_SIZE}
    assert ledger.requests == [
        reconciliation_service_pb2.ListReconciliationsRequest(**asked),
        reconciliation_service_pb2.ListReconciliationsRequest(**asked, page_token="t1"),
    ]


@both
def test_differences_are_listed_page_by_page(caller: Caller) -> None:
    """With what became of them and what they stop."""
    page = reconciliation_service_pb2.ListDiscrepanciesResponse(discrepancies=[RECORD])
    request, (found,) = told(
        caller,
        page,
        "list_discrepancies",
        portfolio_id="swing",
        symbol="BTC-USD",
        states=[DiscrepancyState.OPEN, DiscrepancyState.IGNORED],
        least_severity=Severity.MAJOR,
    )
    assert request == reconciliation_service_pb2.ListDiscrepanciesRequest(
        portfolio_id="swing",
        symbol="BTC-USD",
        states=["DISCREPANCY_STATE_OPEN", "DISCREPANCY_STATE_IGNORED"],
        least_severity="SEVERITY_MAJOR",
        page_size=PAGE_SIZE,
    )
    assert (found.discrepancy.discrepancy_id, found.state, found.resolution) == ("D7.0", DiscrepancyState.OPEN, None)


@both
@pytest.mark.parametrize(
    ("action", "sent"),
    [
        (lotkeeper.AcceptProposal(), {"accept": {}}),
        (
            lotkeeper.AdoptPosition(portfolio_id="p", entry_price=Decimal("1.5"), group_id="g"),
            {"adopt": {"portfolio_id": "p", "entry_price": "1.5", "group_id": "g"}},
        ),
        (lotkeeper.IgnoreDiscrepancy(reason="mine"), {"ignore": {"reason": "mine"}}),
        (lotkeeper.AssignToPortfolio(portfolio_id="p"), {"assign": {"portfolio_id": "p"}}),
        (lotkeeper.CloseAtPrice(exit_price=100), {"close": {"exit_price": "100"}}),
    ],
)
def test_a_difference_is_decided_in_each_of_the_five_ways(
    caller: Caller, action: lotkeeper.ResolveAction, sent: dict[str, Any]
) -> None:
    """Each in the field of its name."""
    answer = reconciliation_service_pb2.ResolveDiscrepancyResponse(discrepancy=RECORD, pnl_effect="-12.5", sequence=9)
    request, done = told(
        caller, answer, "resolve_discrepancy", request_id="r", discrepancy_id="D7.0", action=action, validate_only=True
    )
    assert request == reconciliation_service_pb2.ResolveDiscrepancyRequest(
        request_id="r", discrepancy_id="D7.0", validate_only=True, **sent
    )
    assert (done.pnl_effect, done.sequence, done.replayed) == (Decimal("-12.5"), 9, False)


def test_what_is_no_decision_is_refused_by_name() -> None:
    """A text would be sent as nothing at all."""
    with pytest.raises(TypeError, match="^action: 'accept' is no decision"):
        CALLERS[0].call("127.0.0.1:1", "resolve_discrepancy", request_id="r", discrepancy_id="D7.0", action="accept")


@both
def test_a_resolution_is_taken_back(caller: Caller) -> None:
    """With a reason; the answer names what was busted."""
    answer = reconciliation_service_pb2.UndoResolutionResponse(
        discrepancy=RECORD, busted_sequences=[8], pnl_effect="12.5", sequence=10
    )
    request, done = told(
        caller, answer, "undo_resolution", request_id="r", resolution_id="S9.0", reason="wrong", validate_only=True
    )
    assert request == reconciliation_service_pb2.UndoResolutionRequest(
        request_id="r", resolution_id="S9.0", reason="wrong", validate_only=True
    )
    assert (done.busted_sequences, done.pnl_effect, done.sequence) == ((8,), Decimal("12.5"), 10)


@both
def test_one_report_is_read_by_its_id(caller: Caller) -> None:
    """In short, and as it was answered."""
    answer = reconciliation_service_pb2.GetReconciliationResponse(
        reconciliation={"reconciliation_id": "R7", "mode": "RECONCILE_MODE_APPLY", "asked_by": "schedule"},
        report=DIFFERS,
    )
    request, read = told(caller, answer, "get_reconciliation", reconciliation_id="R7")
    assert request == reconciliation_service_pb2.GetReconciliationRequest(reconciliation_id="R7")
    assert (read.reconciliation.mode, read.reconciliation.asked_by) == (ReconcileMode.APPLY, "schedule")
    assert read.report.reconciliation_id == "R7"


@both
def test_a_broker_that_did_not_answer_is_not_asked_again_at_once(caller: Caller) -> None:
    """The server has waited for it; asking on would use up its rate limit."""
    ledger = ScriptedLedger(answers=[refuses(grpc.StatusCode.UNAVAILABLE, "BROKER_UNAVAILABLE")])
    with serving(ledger, ANY_PORT) as address, pytest.raises(BrokerUnavailable):
        caller.call(address, "reconcile", broker_account="a")
    assert len(ledger.requests) == 1


@pytest.mark.parametrize(
    ("code", "reason", "kind", "family"),
    [
        ("FAILED_PRECONDITION", "SYMBOL_FROZEN", SymbolFrozen, Restrained),
        ("FAILED_PRECONDITION", "PORTFOLIO_HALTED", PortfolioHalted, Restrained),
        ("FAILED_PRECONDITION", "DISCREPANCY_NOT_OPEN", DiscrepancyNotOpen, lotkeeper.LotkeeperError),
        ("FAILED_PRECONDITION", "TRADING_MODE", TradingModeMismatch, TermsRefused),
        ("NOT_FOUND", "RECONCILIATION_NOT_FOUND", ReconciliationNotFound, NotFound),
    ],
)
def test_a_refusal_of_reconciliation_is_typed(
    code: str, reason: str, kind: type[lotkeeper.LotkeeperError], family: type[lotkeeper.LotkeeperError]
) -> None:
    """And in a family to catch together."""
    refusal = refuses(grpc.StatusCode[code], reason, discrepancy_id="D7.0")
    with serving(ScriptedLedger(answers=[refusal]), ANY_PORT) as address, pytest.raises(kind) as raised:
        CALLERS[0].call(address, "get_reconciliation", reconciliation_id="R7")
    assert isinstance(raised.value, family)
    assert raised.value.metadata == {"discrepancy_id": "D7.0"}
