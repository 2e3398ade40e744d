"""A ledger and its accounts that answer what a test wrote down, behind a real server: what a message says is tested here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import grpc
import grpc.aio

from lotkeeper.v1.reconciliation_service_pb2_grpc import ReconciliationServiceStub
from lotkeeperd.api.reconciliation import ReconciliationServicer
from lotkeeperd.api.server import Server
from lotkeeperd.domain.book import Direction
from lotkeeperd.domain.reconciliation.findings import Comparison, Difference, Kind, Proposal, Resolution, Severity
from lotkeeperd.domain.reconciliation.policy import Action
from lotkeeperd.domain.reconciliation.records import (
    Account,
    Reconcile,
    Reported,
    Resolve,
    Standing,
    State,
    Undo,
    discrepancy_id,
)
from lotkeeperd.domain.reconciliation.statements import Execution, Statement
from lotkeeperd.domain.refusals import DiscrepancyNotFound
from lotkeeperd.service import reconciliation

NOON = 1_700_000_000_123_456_789
"""Nanoseconds UTC."""

EXIT = Execution("BTC-USD", Direction.SHORT, Decimal("0.50"), Decimal(64000), NOON - 5, "F-9", "O-3", Decimal("-0.1"))
MISSING = Difference(
    Kind.MISSING_AT_BROKER,
    Severity.CRITICAL,
    "swing",
    "BTC-USD",
    Decimal("0.50"),
    Decimal(0),
    Resolution.BACKFILL_FILLS,
    "closed while nobody looked",
    (Proposal("swing", EXIT, replaces=(3, 4)),),
    ledger_price=Decimal(60000),
    pnl_effect=Decimal("1999.9"),
    unwatched=True,
)


def standing(report: int = 7, place: int = 0, difference: Difference = MISSING, **changes: Any) -> Standing:
    """An open difference that freezes its symbol."""
    found = Standing(
        discrepancy_id(report, place),
        "alpaca-1",
        ("swing",),
        difference,
        State.OPEN,
        Action.FREEZE,
        NOON,
        NOON + 1,
        report,
    )
    return found._replace(**changes)


def reported(sequence: int = 7, found: Sequence[Standing] = (), **changes: Any) -> Reported:
    """A report."""
    command = Reconcile(
        "r1",
        ("swing", "scalper"),
        apply=False,
        statement=Statement(NOON),
        account=Account("alpaca-1"),
        asked_by="schedule",
    )
    comparison = Comparison(tuple(one.difference for one in found), 3, True, 4, 5, 1)
    return Reported(sequence, NOON + 9, command, comparison, tuple(found))._replace(**changes)


class ScriptedBooks:
    """Answers what it was given, and keeps what it was asked."""

    ledger_id = "ledger-1"

    def __init__(self, reports: Sequence[Reported] = (), standings: Sequence[Standing] = ()) -> None:
        self.given_reports = sorted(reports, key=lambda report: -report.sequence)
        self.given_standings = list(standings)
        self.asked: list[Any] = []

    async def reconcile(self, command: Reconcile) -> reconciliation.Reconciled:
        """The first report."""
        self.asked.append(command)
        return reconciliation.Reconciled(self.given_reports[0], replayed=True)

    async def resolve(self, command: Resolve) -> reconciliation.Resolution:
        """Of the first difference, if it has the id."""
        self.asked.append(command)
        if command.discrepancy_id != self.given_standings[0].discrepancy_id:
            raise DiscrepancyNotFound(command.discrepancy_id)
        return reconciliation.Resolution(
            self.given_standings[0], MISSING.proposals, Decimal("1999.9"), 0 if command.validate_only else 9, False
        )

    async def undo(self, command: Undo) -> reconciliation.Reversal:
        """Of the first difference."""
        self.asked.append(command)
        return reconciliation.Reversal(self.given_standings[0], (8,), Decimal("-1999.9"), 10, False)

    async def reports(self, wanted: reconciliation.ReportFilter, before: int | None, limit: int) -> list[Reported]:
        """Newest first."""
        self.asked.append(wanted)
        return [one for one in self.given_reports if before is None or one.sequence < before][:limit]

    async def report(self, sequence: int) -> Reported | None:
        """By its sequence."""
        return next((one for one in self.given_reports if one.sequence == sequence), None)

    async def standings(
        self, wanted: reconciliation.StandingFilter, after: tuple[int, int, int] | None, limit: int
    ) -> list[Standing]:
        """In the order they were given, which is by rank."""
        self.asked.append((wanted, after))
        places = [tuple(map(int, one.discrepancy_id[1:].split("."))) for one in self.given_standings]
        ranked = [(-one.difference.severity, *place) for one, place in zip(self.given_standings, places, strict=True)]
        return [one for one, rank in zip(self.given_standings, ranked, strict=True) if after is None or rank > after][
            :limit
        ]


class ScriptedAccounts:
    """Keeps what it was asked, and answers the report."""

    def __init__(self, report: Reported) -> None:
        self.report = report
        self.asked: list[tuple[Any, ...]] = []

    async def reconcile(self, *asked: Any) -> reconciliation.Reconciled:
        """The report."""
        self.asked.append(asked)
        return reconciliation.Reconciled(self.report, replayed=False)


@asynccontextmanager
async def serving(books: ScriptedBooks) -> AsyncIterator[Any]:
    """Stubs of a server that answers out of ``books``."""
    servicer = ReconciliationServicer(books, ScriptedAccounts(reported()), lambda: NOON)
    server = Server({"ReconciliationService": servicer})
    address = await server.start("127.0.0.1:0")
    try:
        async with grpc.aio.insecure_channel(address) as channel:
            yield ReconciliationServiceStub(channel)
    finally:
        await server.stop(1.0)
