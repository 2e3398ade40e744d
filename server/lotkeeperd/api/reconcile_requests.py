"""Protobuf to domain: what is asked of reconciliation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from lotkeeper.v1 import reconciliation_pb2, reconciliation_service_pb2
from lotkeeperd.api.fields import ID_LENGTH, NAME_LENGTH, TEXT_LENGTH, Fields, Sign, names
from lotkeeperd.api.statements import statement
from lotkeeperd.api.terms import TRADING
from lotkeeperd.domain.portfolios import Mode
from lotkeeperd.domain.reconciliation.findings import Severity
from lotkeeperd.domain.reconciliation.records import How, Reconcile, Resolve, State, Undo
from lotkeeperd.domain.refusals import shown
from lotkeeperd.service.reconciliation import ReportFilter, StandingFilter

_service = reconciliation_service_pb2

STATES: dict[int, State] = {
    _service.DiscrepancyState.Value(f"DISCREPANCY_STATE_{state.value}"): state for state in State
}
_APPLIES = {
    reconciliation_pb2.RECONCILE_MODE_UNSPECIFIED: False,
    reconciliation_pb2.RECONCILE_MODE_DRY_RUN: False,
    reconciliation_pb2.RECONCILE_MODE_APPLY: True,
}
_HOW = {"accept": How.ACCEPT, "adopt": How.ADOPT, "ignore": How.IGNORE, "assign": How.ASSIGN, "close": How.CLOSE}


class AccountAsked(NamedTuple):
    """Compare with a configured account; no portfolios are those that are configured for it."""

    account: str
    portfolio_ids: tuple[str, ...]
    apply: bool
    request_id: str
    asked_by: str
    adopt_into: str
    mode: Mode | None


def reconcile(request: reconciliation_pb2.ReconcileRequest, asked_by: str, now: int) -> Reconcile | AccountAsked:
    """Reconcile, of a statement or of an account; ``now`` is the server's clock in nanoseconds UTC."""
    fields = Fields()
    apply = _APPLIES.get(request.mode)
    if apply is None:
        fields.wrong("mode", f"{request.mode} is neither DRY_RUN nor APPLY")
    request_id = fields.text("request_id", request.request_id, ID_LENGTH)
    if apply and not request_id:
        fields.wrong("request_id", "is required with APPLY: without one a retry could not be told from another run")
    if request.trading_mode and request.trading_mode not in TRADING:
        fields.wrong("trading_mode", f"{request.trading_mode} is neither LIVE nor PAPER")
    portfolios = _portfolios(fields, request)
    asked = AccountAsked(
        fields.text("broker_account", request.broker_account, NAME_LENGTH),
        portfolios,
        bool(apply),
        request_id,
        asked_by,
        _adopting(fields, request.adopt_into_portfolio_id, portfolios),
        TRADING.get(request.trading_mode),
    )
    if request.HasField("statement"):
        told = statement(fields, "statement", request.statement, now)
        fields.check()
        return Reconcile(
            request_id,
            asked.portfolio_ids,
            asked.apply,
            told,
            adopt_into=asked.adopt_into,
            mode=asked.mode,
            asked_by=asked_by,
        )
    if not asked.account:
        fields.wrong(
            "broker_account", "broker_account or statement is required: where is the broker's side to come from"
        )
    fields.check()
    return asked


def _portfolios(fields: Fields, request: reconciliation_pb2.ReconcileRequest) -> tuple[str, ...]:
    """Each once, in the order they were named."""
    named = names(fields, "portfolio_ids", request.portfolio_ids)
    if not named and request.HasField("statement"):
        return ("default",)
    return tuple(dict.fromkeys(name or "default" for name in named))


def _adopting(fields: Fields, name: str, portfolios: Sequence[str]) -> str:
    """The portfolio that adopts; one that is not compared would leave what it adopts orphaned."""
    fields.text("adopt_into_portfolio_id", name, NAME_LENGTH)
    if name and portfolios and name not in portfolios:
        fields.wrong("adopt_into_portfolio_id", f"{shown(name)} is not one of portfolio_ids; name it there, too")
    return name


def resolve(request: reconciliation_service_pb2.ResolveDiscrepancyRequest, resolved_by: str) -> Resolve:
    """ResolveDiscrepancy."""
    fields, kind = Fields(), request.WhichOneof("action")
    if kind is None:
        fields.wrong("action", "is missing: accept, adopt, ignore, assign or close")
    portfolio, reason, price = "", "", None
    if kind in ("adopt", "assign"):
        portfolio = _required(fields, f"{kind}.portfolio_id", getattr(request, kind).portfolio_id, NAME_LENGTH)
    if kind == "adopt":
        price = fields.optional_decimal("adopt.entry_price", request.adopt.entry_price, Sign.ANY)
    if kind == "close":
        price = fields.decimal("close.exit_price", request.close.exit_price, Sign.ANY)
    if kind == "ignore":
        reason = _required(fields, "ignore.reason", request.ignore.reason, TEXT_LENGTH)
    command = Resolve(
        _required(fields, "request_id", request.request_id, ID_LENGTH),
        _required(fields, "discrepancy_id", request.discrepancy_id, ID_LENGTH),
        _HOW.get(str(kind), How.ACCEPT),
        portfolio,
        price,
        fields.text("adopt.group_id", request.adopt.group_id if kind == "adopt" else "", ID_LENGTH),
        reason,
        resolved_by,
        request.validate_only,
    )
    fields.check()
    return command


def undo(request: reconciliation_service_pb2.UndoResolutionRequest, undone_by: str) -> Undo:
    """UndoResolution."""
    fields = Fields()
    command = Undo(
        _required(fields, "request_id", request.request_id, ID_LENGTH),
        _required(fields, "resolution_id", request.resolution_id, ID_LENGTH),
        _required(fields, "reason", request.reason, TEXT_LENGTH),
        undone_by,
        request.validate_only,
    )
    fields.check()
    return command


def _required(fields: Fields, field: str, value: str, length: int) -> str:
    if not value:
        fields.wrong(field, "is required")
    return fields.text(field, value, length)


def reports(request: reconciliation_service_pb2.ListReconciliationsRequest) -> tuple[ReportFilter, int]:
    """ListReconciliations, and its page size."""
    fields = Fields()
    start, end = (
        fields.time(name, getattr(request, name), None) if request.HasField(name) else None
        for name in ("start_time", "end_time")
    )
    wanted = ReportFilter(
        fields.text("portfolio_id", request.portfolio_id, NAME_LENGTH),
        fields.text("broker_account", request.broker_account, NAME_LENGTH),
        start,
        end,
    )
    size = fields.page_size("page_size", request.page_size)
    fields.check()
    return wanted, size


def standings(request: reconciliation_service_pb2.ListDiscrepanciesRequest) -> tuple[StandingFilter, int]:
    """ListDiscrepancies, and its page size."""
    fields = Fields()
    for state in request.states:
        if state not in STATES:
            fields.wrong("states", f"{state} is not a state")
    least = request.least_severity or Severity.INFO
    if least not in set(Severity):
        fields.wrong("least_severity", f"{least} is not a severity")
        least = Severity.INFO
    wanted = StandingFilter(
        fields.text("portfolio_id", request.portfolio_id, NAME_LENGTH),
        fields.text("broker_account", request.broker_account, NAME_LENGTH),
        fields.text("symbol", request.symbol, NAME_LENGTH),
        frozenset(STATES[state] for state in request.states if state in STATES) or frozenset({State.OPEN}),
        Severity(least),
    )
    size = fields.page_size("page_size", request.page_size)
    fields.check()
    return wanted, size
