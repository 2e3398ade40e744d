"""What ReconciliationService and Reconcile answer, over a socket: reports, differences, pages, refusals."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import grpc
import grpc.aio
import pytest
from google.protobuf.json_format import MessageToDict

from lotkeeper.v1 import reconciliation_pb2, reconciliation_service_pb2
from lotkeeperd.api import findings
from lotkeeperd.api.answers import MESSAGE_BYTES
from lotkeeperd.api.reconciliation import ReconciliationServicer
from lotkeeperd.api.status import status_of
from lotkeeperd.domain.reconciliation.findings import Kind, Severity
from lotkeeperd.domain.reconciliation.policy import Action
from lotkeeperd.domain.reconciliation.records import How, Resolve, Settled, State
from lotkeeperd.domain.refusals import BrokerUnavailable
from tests.contract.scripted_books import (
    EXIT,
    MISSING,
    NOON,
    ScriptedAccounts,
    ScriptedBooks,
    reported,
    serving,
    standing,
)

_service = reconciliation_service_pb2
STAMP = {"seconds": NOON // 10**9, "nanos": NOON % 10**9}
DISCREPANCY: dict[str, Any] = {
    "discrepancy_id": "D7.0",
    "kind": "DISCREPANCY_KIND_MISSING_AT_BROKER",
    "severity": "SEVERITY_CRITICAL",
    "portfolio_id": "swing",
    "symbol": "BTC-USD",
    "ledger_quantity": "0.5",
    "broker_quantity": "0",
    "resolution": "RESOLUTION_KIND_BACKFILL_FILLS",
    "proposed_fills": [
        {
            "portfolio_id": "swing",
            "fill": {
                "fill_id": "F-9",
                "order_id": "O-3",
                "symbol": "BTC-USD",
                "side": "SIDE_SELL",
                "quantity": "0.5",
                "price": "64000",
                "fee": "-0.1",
                "fill_time": {"seconds": NOON // 10**9, "nanos": NOON % 10**9 - 5},
            },
            "replaces": [3, 4],
        }
    ],
    "proposed_fill_count": 1,
    "pnl_effect": "1999.9",
    "explanation": "closed while nobody looked",
    "ledger_average_price": "60000",
    "unwatched": True,
}


async def asked_of_account(report: Any, **request: Any) -> tuple[reconciliation_pb2.ReconcileResponse, list[Any]]:
    """What Reconcile answers, and what the accounts were asked."""
    accounts = ScriptedAccounts(report)
    servicer = ReconciliationServicer(ScriptedBooks(), accounts, lambda: NOON)
    answer = await servicer.Reconcile(reconciliation_pb2.ReconcileRequest(**request), lambda: "ipv4:1")
    return answer, accounts.asked


async def test_a_report_says_what_was_counted_and_each_difference_whole() -> None:
    """Counts of both sides, and what would remove a difference."""
    answer, asked = await asked_of_account(reported(found=[standing()]), broker_account="alpaca-1")
    assert answer == reconciliation_pb2.ReconcileResponse(
        reconciliation_id="R7",
        discrepancies=[DISCREPANCY],
        matched_count=3,
        sequence=7,
        complete=True,
        broker_position_count=4,
        tracked_count=5,
        orphaned_count=1,
        discrepancy_count=1,
    )
    assert asked == [("alpaca-1", (), False, "", "ipv4:1", "", None)]


async def test_a_statement_goes_to_the_ledger_and_not_to_a_broker() -> None:
    """And a report that was there before is told to be one."""
    books = ScriptedBooks([reported()])
    servicer = ReconciliationServicer(books, ScriptedAccounts(reported()), lambda: NOON)
    request = reconciliation_pb2.ReconcileRequest(statement={"as_of": STAMP})
    answer = await servicer.Reconcile(request, lambda: "ipv4:1")
    assert (answer.replayed, answer.discrepancy_count) == (True, 0)
    assert [command.asked_by for command in books.asked] == ["ipv4:1"]


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("severity", Severity)
def test_every_kind_and_severity_has_its_name_in_the_contract(kind: Kind, severity: Severity) -> None:
    """Name for name: the numbers of the contract are not those of a difference."""
    told = findings.discrepancy(standing(difference=MISSING._replace(kind=kind, severity=severity)))
    assert reconciliation_pb2.DiscrepancyKind.Name(told.kind) == f"DISCREPANCY_KIND_{kind.value}"
    assert reconciliation_pb2.Severity.Name(told.severity) == f"SEVERITY_{severity.name}"


def test_what_was_carried_out_or_ignored_says_so() -> None:
    """A difference that is only open says neither."""
    told = [findings.discrepancy(standing(state=state)) for state in State]
    assert {State(state): (one.applied, one.ignored) for state, one in zip(State, told, strict=True)} == {
        State.OPEN: (False, False),
        State.RESOLVED: (True, False),
        State.IGNORED: (False, True),
        State.GONE: (False, False),
    }


def test_a_difference_of_one_side_of_a_hedging_account_names_the_side() -> None:
    """And its broker price, where there is one."""
    told = findings.discrepancy(standing(difference=MISSING._replace(side="SHORT", broker_price=Decimal(1))))
    assert MessageToDict(told)["side"] == "POSITION_SIDE_SHORT"
    assert told.broker_average_price == "1"


def test_an_open_difference_says_what_it_stops_and_a_resolved_one_stops_nothing() -> None:
    """Freeze and halt; asking stops nothing."""
    told = {
        (action, state): _service.Restraint.Name(findings.record(standing(action=action, state=state)).restraint)
        for action in Action
        for state in (State.OPEN, State.RESOLVED)
    }
    assert told[Action.FREEZE, State.OPEN] == "RESTRAINT_FREEZE_SYMBOL"
    assert told[Action.HALT, State.OPEN] == "RESTRAINT_HALT_PORTFOLIO"
    assert {name for (action, state), name in told.items() if state is State.RESOLVED or action is Action.ASK} == {
        "RESTRAINT_UNSPECIFIED"
    }


@pytest.mark.parametrize(
    ("how", "command", "told"),
    [
        (How.ACCEPT, None, {"accept": {}}),
        (
            How.ADOPT,
            {"portfolio": "p", "price": Decimal(2), "group_id": "g"},
            {"adopt": {"portfolioId": "p", "entryPrice": "2", "groupId": "g"}},
        ),
        (How.IGNORE, {"reason": "mine"}, {"ignore": {"reason": "mine"}}),
        (How.ASSIGN, {"portfolio": "p"}, {"assign": {"portfolioId": "p"}}),
        (How.CLOSE, {"price": Decimal("1.50")}, {"close": {"exitPrice": "1.5"}}),
    ],
)
def test_a_resolved_difference_says_how_when_and_by_whom(
    how: How, command: dict[str, Any] | None, told: dict[str, Any]
) -> None:
    """What the rules did without a person is an accepted proposal."""
    resolve = None if command is None else Resolve("r", "D7.0", how, **command)
    settled = Settled("S9.0", 9, NOON, "ipv4:1", how, resolve, (8, 9), Decimal("1999.9"))
    record = findings.record(standing(state=State.RESOLVED, settled=settled))
    assert MessageToDict(record.resolution) == {
        "resolutionId": "S9.0",
        "resolvedTime": "2023-11-14T22:13:20.123456789Z",
        "resolvedBy": "ipv4:1",
        "sequences": ["8", "9"],
        "pnlEffect": "1999.9",
        **told,
    }


def test_of_ten_thousand_differences_the_worst_are_answered_and_all_are_counted() -> None:
    """No message is larger than a megabyte, whatever a broker says."""
    many = [standing(place=place) for place in range(10_000)]
    answer = findings.report(reported(found=many), replayed=False)
    assert answer.ByteSize() <= MESSAGE_BYTES
    assert answer.discrepancy_count == 10_000 > len(answer.discrepancies) > 1_000
    assert answer.discrepancies[0].discrepancy_id == "D7.0"


def test_of_a_history_of_twenty_thousand_executions_a_thousand_are_shown() -> None:
    """And counted."""
    (proposal,) = MISSING.proposals
    told = findings.discrepancy(standing(difference=MISSING._replace(proposals=(proposal,) * 20_000)))
    assert (len(told.proposed_fills), told.proposed_fill_count) == (1_000, 20_000)


async def test_reports_are_listed_newest_first_page_by_page() -> None:
    """Until there are no more."""
    books = ScriptedBooks([reported(sequence) for sequence in (3, 7, 9)])
    async with serving(books) as stub:
        first = await stub.ListReconciliations(_service.ListReconciliationsRequest(page_size=2))
        again = _service.ListReconciliationsRequest(page_size=2, page_token=first.next_page_token)
        second = await stub.ListReconciliations(again)
    assert [one.reconciliation_id for one in (*first.reconciliations, *second.reconciliations)] == ["R9", "R7", "R3"]
    assert second.next_page_token == ""
    assert first.reconciliations[1] == _service.Reconciliation(
        reconciliation_id="R7",
        reconciled_time={**STAMP, "nanos": STAMP["nanos"] + 9},
        broker_account="alpaca-1",
        portfolio_ids=["swing", "scalper"],
        mode="RECONCILE_MODE_DRY_RUN",
        asked_by="schedule",
        as_of=STAMP,
        sequence=7,
        broker_position_count=4,
        tracked_count=5,
        matched_count=3,
        orphaned_count=1,
        complete=True,
    )


async def test_differences_are_listed_worst_first_page_by_page() -> None:
    """A token holds the rank of the last: severity, report, place."""
    minor = MISSING._replace(severity=Severity.MINOR)
    given = [standing(7, 1), standing(9, 0), standing(3, 2, minor)]
    books = ScriptedBooks(standings=given)
    found: list[str] = []
    async with serving(books) as stub:
        token = ""
        for _ in given:
            page = await stub.ListDiscrepancies(_service.ListDiscrepanciesRequest(page_size=1, page_token=token))
            found += [one.discrepancy.discrepancy_id for one in page.discrepancies]
            token = page.next_page_token
    assert (found, token) == (["D7.1", "D9.0", "D3.2"], "")
    assert [after for _, after in books.asked] == [None, (-4, 7, 1), (-4, 9, 0)]


async def test_a_report_is_read_by_its_id() -> None:
    """In short and as it was answered; what is repaired is counted."""
    repaired = standing(state=State.RESOLVED)
    async with serving(ScriptedBooks([reported(found=[repaired, standing(place=1)])])) as stub:
        found = await stub.GetReconciliation(_service.GetReconciliationRequest(reconciliation_id="R7"))
    assert (found.reconciliation.discrepancy_count, found.reconciliation.applied_count) == (2, 1)
    assert [one.applied for one in found.report.discrepancies] == [True, False]
    assert not found.report.replayed


@pytest.mark.parametrize("name", ["", "R", "R8", "D7.0", "R7 ", "R٧", "R" + "7" * 40])
async def test_what_is_no_report_is_not_found(name: str) -> None:
    """By whatever it is called."""
    async with serving(ScriptedBooks([reported()])) as stub:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.GetReconciliation(_service.GetReconciliationRequest(reconciliation_id=name))
    assert refused.value.code() is grpc.StatusCode.NOT_FOUND


async def test_a_resolution_answers_with_what_it_did() -> None:
    """Or would do: then its sequence is 0. The caller's address is recorded."""
    books = ScriptedBooks(standings=[standing()])
    request = _service.ResolveDiscrepancyRequest(request_id="r", discrepancy_id="D7.0", accept={}, validate_only=True)
    async with serving(books) as stub:
        tried = await stub.ResolveDiscrepancy(request)
        request.validate_only = False
        done = await stub.ResolveDiscrepancy(request)
    assert (tried.sequence, done.sequence, done.pnl_effect) == (0, 9, "1999.9")
    assert done.discrepancy.discrepancy == reconciliation_pb2.Discrepancy(**DISCREPANCY)
    assert [fill.fill.fill_id for fill in done.fills] == [EXIT.fill_id]
    assert books.asked[0].resolved_by.startswith("ipv4:127.0.0.1:")


async def test_a_resolution_is_undone() -> None:
    """The answer names what was busted."""
    books = ScriptedBooks(standings=[standing()])
    request = _service.UndoResolutionRequest(request_id="r", resolution_id="S9.0", reason="wrong")
    async with serving(books) as stub:
        done = await stub.UndoResolution(request)
    assert (done.busted_sequences, done.pnl_effect, done.sequence) == ([8], "-1999.9", 10)


async def test_a_difference_that_nobody_saw_is_not_found() -> None:
    """With its id in the details."""
    request = _service.ResolveDiscrepancyRequest(request_id="r", discrepancy_id="D1.0", accept={})
    async with serving(ScriptedBooks(standings=[standing()])) as stub:
        with pytest.raises(grpc.aio.AioRpcError, match="there is no discrepancy 'D1.0'"):
            await stub.ResolveDiscrepancy(request)


def test_a_broker_that_is_silent_is_told_as_unavailable() -> None:
    """So that a caller knows that nothing is known."""
    code, status = status_of(BrokerUnavailable("it does not answer", "alpaca-1"))
    assert code is grpc.StatusCode.UNAVAILABLE
    assert "alpaca-1" in status.message
