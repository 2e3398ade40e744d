"""Messages of reconciliation as values, and what a caller says of it as messages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lotkeeper import fields, reconciliation
from lotkeeper.answers import Page
from lotkeeper.enums import (
    DiscrepancyKind,
    DiscrepancyState,
    PositionSide,
    ReconcileMode,
    ResolutionKind,
    Restraint,
    Severity,
)
from lotkeeper.parts import fill, number, number_or_none, time_of
from lotkeeper.v1 import reconciliation_pb2, reconciliation_service_pb2
from lotkeeper.writes import fill_message

_service = reconciliation_service_pb2


def statement_message(statement: reconciliation.BrokerStatement) -> reconciliation_pb2.BrokerStatement:
    """A statement as it is sent.

    Raises:
        ValueError, TypeError: a value cannot be sent exactly.
    """
    return reconciliation_pb2.BrokerStatement(
        as_of=fields.timestamp("as_of", statement.as_of),
        positions_complete=statement.positions_complete,
        positions=[_position_message(place, held) for place, held in enumerate(statement.positions)],
        fills=[
            fill_message(
                fill_id=told.fill_id,
                order_id=told.order_id,
                symbol=told.symbol,
                side=told.side,
                quantity=told.quantity,
                price=told.price,
                fee=told.fee,
                fee_currency=told.fee_currency,
                fill_time=told.fill_time,
                position_side=told.position_side,
            )
            for told in statement.fills
        ],
        fills_complete_since=fields.timestamp("fills_complete_since", statement.fills_complete_since),
        cash=[
            reconciliation_pb2.BrokerCash(
                currency=fields.text(f"cash[{place}].currency", held.currency),
                amount=fields.decimal_text(f"cash[{place}].amount", held.amount),
            )
            for place, held in enumerate(statement.cash)
        ],
        cash_complete=statement.cash_complete,
    )


def _position_message(place: int, held: reconciliation.BrokerPosition) -> reconciliation_pb2.BrokerPosition:
    path = f"positions[{place}]"
    return reconciliation_pb2.BrokerPosition(
        symbol=fields.text(f"{path}.symbol", held.symbol),
        side=fields.member(f"{path}.side", PositionSide, held.side),
        quantity=fields.decimal_text(f"{path}.quantity", held.quantity),
        average_price=fields.decimal_text(f"{path}.average_price", held.average_price),
        cost_basis=fields.decimal_text(f"{path}.cost_basis", held.cost_basis),
    )


def action_message(action: reconciliation.ResolveAction) -> dict[str, Any]:
    """What to do about a difference, as the field of the request that it is sent in.

    Raises:
        TypeError: it is none of the five, or a value cannot be sent exactly.
        ValueError: a value cannot be sent.
    """
    match action:
        case reconciliation.AcceptProposal():
            return {"accept": _service.AcceptProposal()}
        case reconciliation.AdoptPosition():
            return {
                "adopt": _service.AdoptPosition(
                    portfolio_id=fields.text("portfolio_id", action.portfolio_id),
                    entry_price=fields.decimal_text("entry_price", action.entry_price),
                    group_id=fields.text("group_id", action.group_id),
                )
            }
        case reconciliation.IgnoreDiscrepancy():
            return {"ignore": _service.IgnoreDiscrepancy(reason=fields.text("reason", action.reason))}
        case reconciliation.AssignToPortfolio():
            portfolio_id = fields.text("portfolio_id", action.portfolio_id)
            return {"assign": _service.AssignToPortfolio(portfolio_id=portfolio_id)}
        case reconciliation.CloseAtPrice():
            exit_price = fields.decimal_text("exit_price", action.exit_price)
            return {"close": _service.CloseAtPrice(exit_price=exit_price)}
    raise TypeError(
        f"action: {action!r} is no decision about a difference; pass an AcceptProposal, AdoptPosition, "
        "IgnoreDiscrepancy, AssignToPortfolio or CloseAtPrice"
    )


def proposed_fill(message: reconciliation_pb2.ProposedFill) -> reconciliation.ProposedFill:
    """One execution that would be recorded."""
    return reconciliation.ProposedFill(
        portfolio_id=message.portfolio_id,
        fill=fill(message.fill) if message.HasField("fill") else None,
        synthetic=message.synthetic,
        replaces=tuple(message.replaces),
    )


def discrepancy(message: reconciliation_pb2.Discrepancy) -> reconciliation.Discrepancy:
    """One difference."""
    return reconciliation.Discrepancy(
        discrepancy_id=message.discrepancy_id,
        kind=DiscrepancyKind(message.kind),
        severity=Severity(message.severity),
        portfolio_id=message.portfolio_id,
        symbol=message.symbol,
        ledger_quantity=number(message.ledger_quantity),
        broker_quantity=number(message.broker_quantity),
        resolution=ResolutionKind(message.resolution),
        proposed_fills=tuple(map(proposed_fill, message.proposed_fills)),
        pnl_effect=number(message.pnl_effect),
        applied=message.applied,
        explanation=message.explanation,
        side=PositionSide(message.side),
        fill_id=message.fill_id,
        ledger_average_price=number_or_none(message.ledger_average_price),
        broker_average_price=number_or_none(message.broker_average_price),
        unwatched=message.unwatched,
        ignored=message.ignored,
        proposed_fill_count=message.proposed_fill_count,
    )


def reconcile(message: reconciliation_pb2.ReconcileResponse) -> reconciliation.ReconcileResponse:
    """The report of one comparison."""
    return reconciliation.ReconcileResponse(
        reconciliation_id=message.reconciliation_id,
        discrepancies=tuple(map(discrepancy, message.discrepancies)),
        matched_count=message.matched_count,
        sequence=message.sequence,
        complete=message.complete,
        replayed=message.replayed,
        broker_position_count=message.broker_position_count,
        tracked_count=message.tracked_count,
        orphaned_count=message.orphaned_count,
        discrepancy_count=message.discrepancy_count,
    )


def in_short(message: reconciliation_service_pb2.Reconciliation) -> reconciliation.Reconciliation:
    """One report in short."""
    return reconciliation.Reconciliation(
        reconciliation_id=message.reconciliation_id,
        reconciled_time=time_of(message.reconciled_time),
        broker_account=message.broker_account,
        portfolio_ids=tuple(message.portfolio_ids),
        mode=ReconcileMode(message.mode),
        asked_by=message.asked_by,
        as_of=time_of(message.as_of),
        sequence=message.sequence,
        broker_position_count=message.broker_position_count,
        tracked_count=message.tracked_count,
        matched_count=message.matched_count,
        discrepancy_count=message.discrepancy_count,
        orphaned_count=message.orphaned_count,
        applied_count=message.applied_count,
        complete=message.complete,
    )


def list_reconciliations(
    message: reconciliation_service_pb2.ListReconciliationsResponse,
) -> Page[reconciliation.Reconciliation]:
    """One page of reports."""
    return Page(tuple(map(in_short, message.reconciliations)), message.next_page_token)


def get_reconciliation(
    message: reconciliation_service_pb2.GetReconciliationResponse,
) -> reconciliation.GetReconciliationResponse:
    """One report, as it was answered then."""
    return reconciliation.GetReconciliationResponse(
        reconciliation=in_short(message.reconciliation), report=reconcile(message.report)
    )


def resolution(message: reconciliation_service_pb2.DiscrepancyResolution) -> reconciliation.DiscrepancyResolution:
    """How a difference was resolved."""
    kind = message.WhichOneof("action")
    return reconciliation.DiscrepancyResolution(
        resolution_id=message.resolution_id,
        resolved_time=time_of(message.resolved_time),
        resolved_by=message.resolved_by,
        action=ACTIONS[kind](getattr(message, kind)) if kind in ACTIONS else None,
        sequences=tuple(message.sequences),
        pnl_effect=number(message.pnl_effect),
    )


def _adopt(message: reconciliation_service_pb2.AdoptPosition) -> reconciliation.AdoptPosition:
    return reconciliation.AdoptPosition(
        portfolio_id=message.portfolio_id, entry_price=number_or_none(message.entry_price), group_id=message.group_id
    )


ACTIONS: Mapping[str | None, Callable[[Any], reconciliation.ResolveAction]] = {
    "accept": lambda _: reconciliation.AcceptProposal(),
    "adopt": _adopt,
    "ignore": lambda message: reconciliation.IgnoreDiscrepancy(reason=message.reason),
    "assign": lambda message: reconciliation.AssignToPortfolio(portfolio_id=message.portfolio_id),
    "close": lambda message: reconciliation.CloseAtPrice(exit_price=number(message.exit_price)),
}


def record(message: reconciliation_service_pb2.DiscrepancyRecord) -> reconciliation.DiscrepancyRecord:
    """One difference and what became of it."""
    return reconciliation.DiscrepancyRecord(
        discrepancy=discrepancy(message.discrepancy),
        state=DiscrepancyState(message.state),
        restraint=Restraint(message.restraint),
        broker_account=message.broker_account,
        first_seen=time_of(message.first_seen),
        last_seen=time_of(message.last_seen),
        reconciliation_id=message.reconciliation_id,
        resolution=resolution(message.resolution) if message.HasField("resolution") else None,
    )


def list_discrepancies(
    message: reconciliation_service_pb2.ListDiscrepanciesResponse,
) -> Page[reconciliation.DiscrepancyRecord]:
    """One page of differences."""
    return Page(tuple(map(record, message.discrepancies)), message.next_page_token)


def resolve_discrepancy(
    message: reconciliation_service_pb2.ResolveDiscrepancyResponse,
) -> reconciliation.ResolveDiscrepancyResponse:
    """What a resolution did."""
    return reconciliation.ResolveDiscrepancyResponse(
        discrepancy=record(message.discrepancy),
        fills=tuple(map(proposed_fill, message.fills)),
        pnl_effect=number(message.pnl_effect),
        sequence=message.sequence,
        replayed=message.replayed,
    )


def undo_resolution(
    message: reconciliation_service_pb2.UndoResolutionResponse,
) -> reconciliation.UndoResolutionResponse:
    """What taking a resolution back did."""
    return reconciliation.UndoResolutionResponse(
        discrepancy=record(message.discrepancy),
        busted_sequences=tuple(message.busted_sequences),
        pnl_effect=number(message.pnl_effect),
        sequence=message.sequence,
        replayed=message.replayed,
    )
