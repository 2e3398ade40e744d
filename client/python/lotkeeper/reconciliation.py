"""What the broker says, how the ledger differs from it, and what became of that, as frozen values.

Quantities of differences are signed, negative when short. Nothing here says that a broker holds nothing but a statement
that is complete: an empty list without that proves nothing.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from lotkeeper.enums import (
    DiscrepancyKind,
    DiscrepancyState,
    PositionSide,
    ReconcileMode,
    ResolutionKind,
    Restraint,
    Severity,
)
from lotkeeper.values import Fill, Time


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerPosition:
    """One position as the broker reports it, spelled as there; the side is LONG or SHORT, the quantity unsigned."""

    symbol: str
    side: PositionSide
    quantity: Decimal | int | str
    average_price: Decimal | int | str | None = None
    cost_basis: Decimal | int | str | None = None  # signed, negative for a credit received


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerCash:
    """One balance as the broker reports it; the amount is signed."""

    currency: str
    amount: Decimal | int | str


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerStatement:
    """What the broker said at ``as_of``.

    ``positions_complete`` and ``cash_complete`` only when they were read to the last page without an error;
    ``fills`` are oldest first and complete from ``fills_complete_since`` on, None when that is not known.
    """

    as_of: dt.datetime | int
    positions_complete: bool = False
    positions: tuple[BrokerPosition, ...] = ()
    fills: tuple[Fill, ...] = ()
    fills_complete_since: dt.datetime | int | None = None
    cash: tuple[BrokerCash, ...] = ()
    cash_complete: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposedFill:
    """One execution that would be recorded, in place of those of the journal sequences ``replaces``."""

    portfolio_id: str
    fill: Fill | None  # None where executions are only taken back
    synthetic: bool
    replaces: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Discrepancy:
    """One difference, and what would remove it."""

    discrepancy_id: str
    kind: DiscrepancyKind
    severity: Severity
    portfolio_id: str  # empty when no portfolio holds it
    symbol: str
    ledger_quantity: Decimal
    broker_quantity: Decimal
    resolution: ResolutionKind
    proposed_fills: tuple[ProposedFill, ...]
    pnl_effect: Decimal
    applied: bool
    explanation: str
    side: PositionSide
    fill_id: str
    ledger_average_price: Decimal | None
    broker_average_price: Decimal | None
    unwatched: bool
    ignored: bool
    proposed_fill_count: int  # of all, where the answer holds fewer


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileResponse:
    """The report of one comparison; ``discrepancies`` are worst first."""

    reconciliation_id: str
    discrepancies: tuple[Discrepancy, ...]
    matched_count: int
    sequence: int
    complete: bool  # False: the broker's side did not suffice for every verdict
    replayed: bool
    broker_position_count: int
    tracked_count: int
    orphaned_count: int
    discrepancy_count: int  # of all, where the answer holds fewer

    @property
    def outstanding(self) -> tuple[Discrepancy, ...]:
        """Differences that still stand: not repaired in this run, not ignored by a person, and more than information."""
        return tuple(
            found
            for found in self.discrepancies
            if not found.applied and not found.ignored and found.severity != Severity.INFO
        )

    @property
    def agreed(self) -> bool:
        """Whether ledger and broker are known to agree; never where the answer does not hold every difference."""
        return self.complete and not self.outstanding and self.discrepancy_count <= len(self.discrepancies)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """One report in short."""

    reconciliation_id: str
    reconciled_time: Time
    broker_account: str
    portfolio_ids: tuple[str, ...]
    mode: ReconcileMode
    asked_by: str
    as_of: Time
    sequence: int
    broker_position_count: int
    tracked_count: int
    matched_count: int
    discrepancy_count: int
    orphaned_count: int
    applied_count: int
    complete: bool


@dataclass(frozen=True, slots=True)
class AcceptProposal:
    """Carry out what is proposed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptPosition:
    """Open a lot for what the broker holds and the ledger does not; without a price, at the broker's average."""

    portfolio_id: str
    entry_price: Decimal | int | str | None = None
    group_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IgnoreDiscrepancy:
    """Leave it as it is; it opens again when its quantities change."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignToPortfolio:
    """Record what is proposed in another portfolio."""

    portfolio_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseAtPrice:
    """Close what the broker no longer holds, and of which no execution is to be had."""

    exit_price: Decimal | int | str


ResolveAction = AcceptProposal | AdoptPosition | IgnoreDiscrepancy | AssignToPortfolio | CloseAtPrice
"""What a person decides about a difference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscrepancyResolution:
    """How a difference was resolved; ``undo_resolution`` takes its id."""

    resolution_id: str
    resolved_time: Time
    resolved_by: str
    action: ResolveAction | None  # None for one that is newer than this client
    sequences: tuple[int, ...]
    pnl_effect: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscrepancyRecord:
    """One difference and what became of it."""

    discrepancy: Discrepancy
    state: DiscrepancyState
    restraint: Restraint
    broker_account: str
    first_seen: Time
    last_seen: Time
    reconciliation_id: str
    resolution: DiscrepancyResolution | None  # None while it is open


@dataclass(frozen=True, slots=True, kw_only=True)
class GetReconciliationResponse:
    """One report, as it was answered then."""

    reconciliation: Reconciliation
    report: ReconcileResponse


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveDiscrepancyResponse:
    """What a resolution did, or would do; ``sequence`` is 0 when it was only tried."""

    discrepancy: DiscrepancyRecord
    fills: tuple[ProposedFill, ...]
    pnl_effect: Decimal
    sequence: int
    replayed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoResolutionResponse:
    """What taking a resolution back did, or would do; ``sequence`` is 0 when it was only tried."""

    discrepancy: DiscrepancyRecord
    busted_sequences: tuple[int, ...]
    pnl_effect: Decimal
    sequence: int
    replayed: bool
