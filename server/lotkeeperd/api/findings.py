"""Domain to protobuf: reports, differences and what became of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lotkeeper.v1 import ledger_pb2, reconciliation_pb2, reconciliation_service_pb2
from lotkeeperd.api.answers import MESSAGE_BYTES, fitting
from lotkeeperd.api.fields import NANOSECONDS
from lotkeeperd.api.reconcile_requests import STATES
from lotkeeperd.domain.book import Direction
from lotkeeperd.domain.decimals import plain
from lotkeeperd.domain.reconciliation.findings import Kind, Proposal, Resolution
from lotkeeperd.domain.reconciliation.policy import Action
from lotkeeperd.domain.reconciliation.records import How, Reported, Resolve, Settled, Standing, State
from lotkeeperd.domain.reconciliation.statements import Execution

_service = reconciliation_service_pb2

ROOM = MESSAGE_BYTES - (1 << 16)
"""Of the list of an answer, in bytes: what else it says stands beside it."""

PROPOSALS = 1000
"""Of one difference that an answer shows."""

_KINDS: dict[Kind, Any] = {
    kind: reconciliation_pb2.DiscrepancyKind.Value(f"DISCREPANCY_KIND_{kind.value}") for kind in Kind
}
_RESOLUTIONS: dict[Resolution, Any] = {
    one: reconciliation_pb2.ResolutionKind.Value(f"RESOLUTION_KIND_{one.value}") for one in Resolution
}
_STATES: dict[State, Any] = {state: number for number, state in STATES.items()}
_RESTRAINTS = {Action.FREEZE: _service.RESTRAINT_FREEZE_SYMBOL, Action.HALT: _service.RESTRAINT_HALT_PORTFOLIO}
_TRADED = {Direction.LONG: ledger_pb2.SIDE_BUY, Direction.SHORT: ledger_pb2.SIDE_SELL}
_SIDES = {
    None: ledger_pb2.POSITION_SIDE_UNSPECIFIED,
    Direction.LONG: ledger_pb2.POSITION_SIDE_LONG,
    Direction.SHORT: ledger_pb2.POSITION_SIDE_SHORT,
}


def report(reported: Reported, replayed: bool) -> reconciliation_pb2.ReconcileResponse:
    """A report as it is answered: the worst differences, as many as fit, and how many there are."""
    comparison = reported.comparison
    return reconciliation_pb2.ReconcileResponse(
        reconciliation_id=reported.reconciliation_id,
        discrepancies=fitting(map(discrepancy, reported.found), ROOM),
        matched_count=comparison.matched,
        sequence=reported.sequence,
        complete=comparison.complete,
        replayed=replayed,
        broker_position_count=comparison.broker_positions,
        tracked_count=comparison.tracked,
        orphaned_count=comparison.orphaned,
        discrepancy_count=len(reported.found),
    )


def in_short(reported: Reported) -> reconciliation_service_pb2.Reconciliation:
    """A report in short."""
    command, comparison = reported.command, reported.comparison
    applied = sum(standing.state is State.RESOLVED for standing in reported.found)
    return _service.Reconciliation(
        reconciliation_id=reported.reconciliation_id,
        reconciled_time=_stamp(reported.recorded_time),
        broker_account=command.account.name,
        portfolio_ids=command.portfolio_ids,
        mode=(reconciliation_pb2.RECONCILE_MODE_APPLY if command.apply else reconciliation_pb2.RECONCILE_MODE_DRY_RUN),
        asked_by=command.asked_by,
        as_of=_stamp(command.statement.as_of),
        sequence=reported.sequence,
        broker_position_count=comparison.broker_positions,
        tracked_count=comparison.tracked,
        matched_count=comparison.matched,
        discrepancy_count=len(reported.found),
        orphaned_count=comparison.orphaned,
        applied_count=applied,
        complete=comparison.complete,
    )


def discrepancy(standing: Standing) -> reconciliation_pb2.Discrepancy:
    """A difference, as it stands after the report that saw it."""
    found = standing.difference
    told: dict[str, Any] = {}
    if found.side:
        told["side"] = _SIDES[Direction[found.side]]
    if found.ledger_price is not None:
        told["ledger_average_price"] = plain(found.ledger_price)
    if found.broker_price is not None:
        told["broker_average_price"] = plain(found.broker_price)
    return reconciliation_pb2.Discrepancy(
        discrepancy_id=standing.discrepancy_id,
        kind=_KINDS[found.kind],
        severity=int(found.severity),  # type: ignore[arg-type] # numbered alike, as a test says
        portfolio_id=found.portfolio_id,
        symbol=found.symbol,
        ledger_quantity=plain(found.ledger_quantity),
        broker_quantity=plain(found.broker_quantity),
        resolution=_RESOLUTIONS[found.resolution],
        proposed_fills=proposals(found.proposals),
        proposed_fill_count=len(found.proposals),
        pnl_effect=plain(found.pnl_effect),
        applied=standing.state is State.RESOLVED,
        explanation=found.explanation,
        fill_id=found.fill_id,
        unwatched=found.unwatched,
        ignored=standing.state is State.IGNORED,
        **told,
    )


def proposals(given: Iterable[Proposal]) -> list[reconciliation_pb2.ProposedFill]:
    """The first of what a resolution would record."""
    return fitting((_proposed(one) for one, _ in zip(given, range(PROPOSALS), strict=False)), ROOM // 2)


def _proposed(proposal: Proposal) -> reconciliation_pb2.ProposedFill:
    return reconciliation_pb2.ProposedFill(
        portfolio_id=proposal.portfolio_id,
        fill=proposal.execution and _fill(proposal.execution),
        synthetic=proposal.synthetic,
        replaces=proposal.replaces,
    )


def _fill(execution: Execution) -> ledger_pb2.Fill:
    return ledger_pb2.Fill(
        fill_id=execution.fill_id,
        order_id=execution.order_id,
        symbol=execution.symbol,
        side=_TRADED[execution.side],
        quantity=plain(execution.quantity),
        price=plain(execution.price),
        fee="" if execution.fee is None else plain(execution.fee),
        fee_currency=execution.fee_currency,
        fill_time=_stamp(execution.time),
        position_side=_SIDES[execution.book_side],
    )


def record(standing: Standing) -> reconciliation_service_pb2.DiscrepancyRecord:
    """A difference and what became of it."""
    restraint = _service.RESTRAINT_UNSPECIFIED
    if standing.state is State.OPEN:
        restraint = _RESTRAINTS.get(standing.action, restraint)
    return _service.DiscrepancyRecord(
        discrepancy=discrepancy(standing),
        state=_STATES[standing.state],
        restraint=restraint,
        broker_account=standing.account,
        first_seen=_stamp(standing.first_seen),
        last_seen=_stamp(standing.last_seen),
        reconciliation_id=f"R{standing.report}",
        resolution=standing.settled and _resolution(standing.settled),
    )


def _resolution(settled: Settled) -> reconciliation_service_pb2.DiscrepancyResolution:
    return _service.DiscrepancyResolution(
        resolution_id=settled.resolution_id,
        resolved_time=_stamp(settled.time),
        resolved_by=settled.by,
        sequences=settled.sequences,
        pnl_effect=plain(settled.pnl_effect),
        **_done(settled.how, settled.command),
    )


def _done(how: How, command: Resolve | None) -> dict[str, Any]:
    """What was done, as the field that says so; what the rules did without a command is an accepted proposal."""
    if command is None or how is How.ACCEPT:
        return {"accept": _service.AcceptProposal()}
    price = "" if command.price is None else plain(command.price)
    match how:
        case How.ADOPT:
            told = _service.AdoptPosition(portfolio_id=command.portfolio, entry_price=price, group_id=command.group_id)
            return {"adopt": told}
        case How.IGNORE:
            return {"ignore": _service.IgnoreDiscrepancy(reason=command.reason)}
        case How.ASSIGN:
            return {"assign": _service.AssignToPortfolio(portfolio_id=command.portfolio)}
    return {"close": _service.CloseAtPrice(exit_price=price)}


def _stamp(nanoseconds: int) -> dict[str, int]:
    seconds, nanos = divmod(nanoseconds, NANOSECONDS)
    return {"seconds": seconds, "nanos": nanos}
