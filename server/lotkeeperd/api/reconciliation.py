"""ReconciliationService, and LedgerService.Reconcile: parse, ask, build the answer."""

from __future__ import annotations

from typing import Protocol

from lotkeeper.v1 import reconciliation_pb2, reconciliation_service_pb2
from lotkeeperd.api import findings, reconcile_requests
from lotkeeperd.api.answers import MESSAGE_BYTES, fitting
from lotkeeperd.api.ledger import Peer
from lotkeeperd.api.pages import PageTokens
from lotkeeperd.api.reconcile_requests import AccountAsked
from lotkeeperd.domain.decimals import plain
from lotkeeperd.domain.portfolios import Mode
from lotkeeperd.domain.reconciliation.records import Reconcile, Reported, Resolve, Standing, Undo
from lotkeeperd.domain.refusals import ReconciliationNotFound
from lotkeeperd.service.ports import Clock
from lotkeeperd.service.reconciliation import Reconciled, ReportFilter, Resolution, Reversal, StandingFilter

_service = reconciliation_service_pb2

ROOM = MESSAGE_BYTES - 1000
"""Of a page, in bytes: its token stands beside it."""

DIGITS = 18
"""Of the number in a report's id: more do not fit into 64 bits."""


class Books(Protocol):
    """What is asked of the ledger."""

    ledger_id: str

    async def reconcile(self, command: Reconcile) -> Reconciled:
        """Compare, and carry out what the rules allow."""
        ...

    async def resolve(self, command: Resolve) -> Resolution:
        """Resolve one difference."""
        ...

    async def undo(self, command: Undo) -> Reversal:
        """Take a resolution back."""
        ...

    async def reports(self, wanted: ReportFilter, before: int | None, limit: int) -> list[Reported]:
        """Reports before a sequence, newest first."""
        ...

    async def report(self, sequence: int) -> Reported | None:
        """The report that is recorded at ``sequence``."""
        ...

    async def standings(self, wanted: StandingFilter, after: tuple[int, int, int] | None, limit: int) -> list[Standing]:
        """Differences, worst first, of equals the oldest first."""
        ...


class BrokerAccounts(Protocol):
    """What is asked of the configured accounts."""

    async def reconcile(
        self,
        name: str,
        portfolio_ids: tuple[str, ...],
        apply: bool,
        request_id: str,
        asked_by: str,
        adopt_into: str = "",
        mode: Mode | None = None,
    ) -> Reconciled:
        """Ask the broker, and compare."""
        ...


class ReconciliationServicer:
    """One method per RPC, named as in the contract."""

    def __init__(self, ledger: Books, accounts: BrokerAccounts, clock: Clock) -> None:
        self._ledger = ledger
        self._accounts = accounts
        self._clock = clock
        self._pages = PageTokens(ledger.ledger_id)

    async def Reconcile(  # noqa: N802
        self, request: reconciliation_pb2.ReconcileRequest, peer: Peer
    ) -> reconciliation_pb2.ReconcileResponse:
        """Compares the ledger with the broker; LedgerService hands it over."""
        asked = reconcile_requests.reconcile(request, peer(), self._clock())
        if isinstance(asked, AccountAsked):
            done = await self._accounts.reconcile(*asked)
        else:
            done = await self._ledger.reconcile(asked)
        return findings.report(done.report, done.replayed)

    async def ListReconciliations(  # noqa: N802
        self, request: reconciliation_service_pb2.ListReconciliationsRequest, _peer: Peer
    ) -> reconciliation_service_pb2.ListReconciliationsResponse:
        """A page of reports, newest first."""
        wanted, size = reconcile_requests.reports(request)
        before: int | None = None
        if request.page_token:
            (before,) = self._pages.read(request.page_token, wanted)
        found = await self._ledger.reports(wanted, before, size + 1)
        shown = fitting(map(findings.in_short, found[:size]), ROOM)
        token = ""
        if len(shown) < len(found):
            token = self._pages.make(wanted, found[len(shown) - 1].sequence)
        return _service.ListReconciliationsResponse(reconciliations=shown, next_page_token=token)

    async def GetReconciliation(  # noqa: N802
        self, request: reconciliation_service_pb2.GetReconciliationRequest, _peer: Peer
    ) -> reconciliation_service_pb2.GetReconciliationResponse:
        """One report, as it was answered then."""
        sequence = _sequence(request.reconciliation_id)
        reported = None if sequence is None else await self._ledger.report(sequence)
        if reported is None:
            raise ReconciliationNotFound(request.reconciliation_id)
        return _service.GetReconciliationResponse(
            reconciliation=findings.in_short(reported), report=findings.report(reported, replayed=False)
        )

    async def ListDiscrepancies(  # noqa: N802
        self, request: reconciliation_service_pb2.ListDiscrepanciesRequest, _peer: Peer
    ) -> reconciliation_service_pb2.ListDiscrepanciesResponse:
        """A page of differences, worst first."""
        wanted, size = reconcile_requests.standings(request)
        after: tuple[int, int, int] | None = None
        if request.page_token:
            severity, report, place = self._pages.read(request.page_token, wanted)
            after = (severity, report, place)
        found = await self._ledger.standings(wanted, after, size + 1)
        shown = fitting(map(findings.record, found[:size]), ROOM)
        token = ""
        if len(shown) < len(found):
            token = self._pages.make(wanted, *_rank(found[len(shown) - 1]))
        return _service.ListDiscrepanciesResponse(discrepancies=shown, next_page_token=token)

    async def ResolveDiscrepancy(  # noqa: N802
        self, request: reconciliation_service_pb2.ResolveDiscrepancyRequest, peer: Peer
    ) -> reconciliation_service_pb2.ResolveDiscrepancyResponse:
        """Resolves one difference."""
        done = await self._ledger.resolve(reconcile_requests.resolve(request, peer()))
        return _service.ResolveDiscrepancyResponse(
            discrepancy=findings.record(done.standing),
            fills=findings.proposals(done.proposals),
            pnl_effect=plain(done.pnl_effect),
            sequence=done.sequence,
            replayed=done.replayed,
        )

    async def UndoResolution(  # noqa: N802
        self, request: reconciliation_service_pb2.UndoResolutionRequest, peer: Peer
    ) -> reconciliation_service_pb2.UndoResolutionResponse:
        """Takes a resolution back."""
        done = await self._ledger.undo(reconcile_requests.undo(request, peer()))
        return _service.UndoResolutionResponse(
            discrepancy=findings.record(done.standing),
            busted_sequences=done.busted,
            pnl_effect=plain(done.pnl_effect),
            sequence=done.sequence,
            replayed=done.replayed,
        )


def _sequence(reconciliation_id: str) -> int | None:
    """The journal sequence in a report's id; None for what is no id of ours."""
    digits = reconciliation_id[1:]
    ours = reconciliation_id[:1] == "R" and digits.isascii() and digits.isdigit() and len(digits) <= DIGITS
    return int(digits) if ours else None


def _rank(standing: Standing) -> tuple[int, int, int]:
    """What differences are listed by: the worst first, then the report that saw it first, and the place in that."""
    report, _, place = standing.discrepancy_id[1:].partition(".")
    return -standing.difference.severity, int(report), int(place)
