"""Is the ledger right about the broker, as calls: compare, look at what differs, decide about it. No I/O.

A bot that starts on books that are not the broker's trades on positions that are not there. Therefore
``reconcile_on_startup`` is one call that it puts first. Nothing is changed but by ``ReconcileMode.APPLY``.

The server may have to ask a broker for many pages, so these calls take longer than others: their ``timeout`` is not the
one given to ``connect``.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from lotkeeper import calls, fields, reconciliation_parts
from lotkeeper.answers import Page
from lotkeeper.calls import PAGE_SIZE, Call, Defaults
from lotkeeper.enums import DiscrepancyState, ReconcileMode, Severity, TradingMode
from lotkeeper.errors import NotReconciled
from lotkeeper.fields import TimeLike
from lotkeeper.reconciliation import (
    BrokerStatement,
    DiscrepancyRecord,
    GetReconciliationResponse,
    ReconcileResponse,
    Reconciliation,
    ResolveAction,
    ResolveDiscrepancyResponse,
    UndoResolutionResponse,
)
from lotkeeper.v1 import reconciliation_pb2, reconciliation_service_pb2

BROKER_TIMEOUT = 120.0  # seconds; a server asks its broker for 30 s and, where something differs, once more


def reconcile(
    defaults: Defaults,
    *,
    broker_account: str = "",
    statement: BrokerStatement | None = None,
    portfolio_ids: Iterable[str] | None = None,
    mode: ReconcileMode = ReconcileMode.DRY_RUN,
    adopt_into_portfolio_id: str = "",
    trading_mode: TradingMode = TradingMode.UNSPECIFIED,
    request_id: str = "",
    timeout: float = BROKER_TIMEOUT,
) -> Call[ReconcileResponse]:
    """Compare the ledger with the broker: a configured ``broker_account``, or the ``statement`` that is passed.

    ``portfolio_ids`` share the broker account, and their sum is compared; left out, they are those configured for the
    account, or the portfolio given to ``connect``. Only ``ReconcileMode.APPLY`` changes anything, and only what the
    server's rules allow; it takes a ``request_id``, so that a retry gets the same report.

    Raises:
        ValueError: both sources were given, or none; APPLY has no request_id; a value cannot be sent.
        TypeError: a float, or another type that cannot be sent exactly.
        BrokerUnavailable: the broker did not answer; nothing is known, and nothing was changed.
        TradingModeMismatch: a portfolio is of another mode than ``trading_mode``.
        LotkeeperError: the ledger refused, or did not answer in time.
    """
    if bool(broker_account) == (statement is not None):
        given = "both were given" if broker_account else "neither was given"
        raise ValueError(f"reconcile: pass a broker_account or a statement; {given}")
    if mode is ReconcileMode.APPLY and not request_id:
        raise ValueError(
            "reconcile: APPLY without a request_id: a retry after a lost answer could not be told from another run. "
            "Pass a request_id made before the first try and kept for the next."
        )
    if portfolio_ids is None:
        portfolio_ids = () if broker_account else (defaults.portfolio or "default",)
    request = reconciliation_pb2.ReconcileRequest(
        request_id=fields.text("request_id", request_id),
        portfolio_ids=fields.texts("portfolio_ids", portfolio_ids),
        mode=fields.member("mode", ReconcileMode, mode),
        statement=None if statement is None else reconciliation_parts.statement_message(statement),
        broker_account=None if statement is not None else fields.text("broker_account", broker_account),
        adopt_into_portfolio_id=fields.text("adopt_into_portfolio_id", adopt_into_portfolio_id),
        trading_mode=fields.member("trading_mode", TradingMode, trading_mode),
    )
    return Call("Reconcile", request, reconciliation_parts.reconcile, fields.seconds("timeout", timeout))


def reconcile_on_startup(
    defaults: Defaults,
    *,
    broker_account: str = "",
    statement: BrokerStatement | None = None,
    portfolio_ids: Iterable[str] | None = None,
    apply: bool = False,
    require_agreement: bool = False,
    adopt_into_portfolio_id: str = "",
    trading_mode: TradingMode = TradingMode.UNSPECIFIED,
    timeout: float = BROKER_TIMEOUT,
) -> Call[ReconcileResponse]:
    """What a bot calls first: compare the ledger with the broker, and with ``apply`` repair what the rules allow.

    The report tells what was found. With ``require_agreement`` the bot gets no further where ledger and broker are not
    known to agree: a difference stands, or the broker did not say everything. The other arguments are those of
    ``reconcile``; each call is a run of its own, and a repair that was made is found made.

    Raises:
        NotReconciled: they are not known to agree and ``require_agreement`` was asked for; ``report`` tells why.
        ValueError, TypeError, BrokerUnavailable, TradingModeMismatch, LotkeeperError: as ``reconcile``.
    """
    call = reconcile(
        defaults,
        broker_account=broker_account,
        statement=statement,
        portfolio_ids=portfolio_ids,
        mode=ReconcileMode.APPLY if apply else ReconcileMode.DRY_RUN,
        adopt_into_portfolio_id=adopt_into_portfolio_id,
        trading_mode=trading_mode,
        request_id=f"startup-{uuid.uuid4()}",
        timeout=timeout,
    )
    return call._replace(read=_agreed) if require_agreement else call


def _agreed(message: reconciliation_pb2.ReconcileResponse) -> ReconcileResponse:
    report = reconciliation_parts.reconcile(message)
    if not report.agreed:
        raise NotReconciled(report)
    return report


def list_reconciliations(
    defaults: Defaults,
    *,
    portfolio_id: str = "",
    broker_account: str = "",
    start_time: TimeLike | None = None,
    end_time: TimeLike | None = None,
    page_size: int = PAGE_SIZE,
    timeout: float | None = None,
) -> Call[Page[Reconciliation]]:
    """Iterate over reports, newest first; of all portfolios and accounts unless one is named.

    ``start_time`` counts, ``end_time`` does not. Pages are fetched as the iteration reaches them; ``timeout`` is for
    each.

    Raises:
        LotkeeperError: while iterating: the ledger refused, or did not answer in time.
    """
    request = reconciliation_service_pb2.ListReconciliationsRequest(
        portfolio_id=fields.text("portfolio_id", portfolio_id),
        broker_account=fields.text("broker_account", broker_account),
        start_time=fields.timestamp("start_time", start_time),
        end_time=fields.timestamp("end_time", end_time),
        page_size=page_size,
    )
    timeout = calls.timeout_of(defaults, timeout)
    return Call("ListReconciliations", request, reconciliation_parts.list_reconciliations, timeout)


def get_reconciliation(
    defaults: Defaults, *, reconciliation_id: str, timeout: float | None = None
) -> Call[GetReconciliationResponse]:
    """Read one report, as it was answered then.

    Raises:
        ReconciliationNotFound: no report has this id.
        LotkeeperError: the ledger refused, or did not answer in time.
    """
    request = reconciliation_service_pb2.GetReconciliationRequest(
        reconciliation_id=fields.text("reconciliation_id", reconciliation_id)
    )
    timeout = calls.timeout_of(defaults, timeout)
    return Call("GetReconciliation", request, reconciliation_parts.get_reconciliation, timeout)


def list_discrepancies(
    defaults: Defaults,
    *,
    portfolio_id: str = "",
    broker_account: str = "",
    symbol: str = "",
    states: Iterable[DiscrepancyState] = (),
    least_severity: Severity = Severity.UNSPECIFIED,
    page_size: int = PAGE_SIZE,
    timeout: float | None = None,
) -> Call[Page[DiscrepancyRecord]]:
    """Iterate over differences, worst first; the open ones unless ``states`` says otherwise, of everything not named.

    Pages are fetched as the iteration reaches them; ``timeout`` is for each.

    Raises:
        LotkeeperError: while iterating: the ledger refused, or did not answer in time.
    """
    request = reconciliation_service_pb2.ListDiscrepanciesRequest(
        portfolio_id=fields.text("portfolio_id", portfolio_id),
        broker_account=fields.text("broker_account", broker_account),
        symbol=fields.text("symbol", symbol),
        states=[fields.member("states", DiscrepancyState, state) for state in states],
        least_severity=fields.member("least_severity", Severity, least_severity),
        page_size=page_size,
    )
    timeout = calls.timeout_of(defaults, timeout)
    return Call("ListDiscrepancies", request, reconciliation_parts.list_discrepancies, timeout)


def resolve_discrepancy(
    defaults: Defaults,
    *,
    request_id: str,
    discrepancy_id: str,
    action: ResolveAction,
    validate_only: bool = False,
    timeout: float | None = None,
) -> Call[ResolveDiscrepancyResponse]:
    """Decide about one difference; with ``validate_only`` see the effect on P&L first, and change nothing.

    Raises:
        TypeError: ``action`` is none of the five, or holds a float.
        DiscrepancyNotFound: no difference has this id.
        DiscrepancyNotOpen: it was resolved before, or is not there any more.
        LotkeeperError: the ledger refused, or did not answer in time.
    """
    request = reconciliation_service_pb2.ResolveDiscrepancyRequest(
        request_id=fields.text("request_id", request_id),
        discrepancy_id=fields.text("discrepancy_id", discrepancy_id),
        validate_only=validate_only,
        **reconciliation_parts.action_message(action),
    )
    timeout = calls.timeout_of(defaults, timeout)
    return Call("ResolveDiscrepancy", request, reconciliation_parts.resolve_discrepancy, timeout)


def undo_resolution(
    defaults: Defaults,
    *,
    request_id: str,
    resolution_id: str,
    reason: str,
    validate_only: bool = False,
    timeout: float | None = None,
) -> Call[UndoResolutionResponse]:
    """Take a resolution back: what it recorded is busted, and the difference is open again.

    Raises:
        ResolutionNotFound: no resolution has this id, or it was taken back.
        LaterCommandRefused: a later command would have been refused without what it recorded; nothing was written.
        LotkeeperError: the ledger refused, or did not answer in time.
    """
    request = reconciliation_service_pb2.UndoResolutionRequest(
        request_id=fields.text("request_id", request_id),
        resolution_id=fields.text("resolution_id", resolution_id),
        reason=fields.text("reason", reason),
        validate_only=validate_only,
    )
    timeout = calls.timeout_of(defaults, timeout)
    return Call("UndoResolution", request, reconciliation_parts.undo_resolution, timeout)
