"""Differences and reports to make tables of."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from lotkeeper import (
    Discrepancy,
    DiscrepancyKind,
    DiscrepancyRecord,
    DiscrepancyState,
    Fill,
    PositionSide,
    ProposedFill,
    ReconcileResponse,
    ResolutionKind,
    Restraint,
    Severity,
    Side,
    Time,
)


def proposed(**changes: Any) -> ProposedFill:
    """A sale of 6 A at 12 that the broker reports."""
    fill = Fill(
        symbol="A",
        side=Side.SELL,
        quantity=Decimal(6),
        price=Decimal(12),
        fill_id="X-1",
        fee=Decimal("0.5"),
        fee_currency="USD",
    )
    said: dict[str, Any] = {"portfolio_id": "swing", "fill": fill, "synthetic": False, "replaces": ()}
    return ProposedFill(**said | changes)


def difference(**changes: Any) -> Discrepancy:
    """The broker holds 4 of our 10 A, and its execution explains it."""
    said: dict[str, Any] = {
        "discrepancy_id": "D7.0",
        "kind": DiscrepancyKind.QUANTITY_MISMATCH,
        "severity": Severity.MAJOR,
        "portfolio_id": "swing",
        "symbol": "A",
        "ledger_quantity": Decimal(10),
        "broker_quantity": Decimal(4),
        "resolution": ResolutionKind.BACKFILL_FILLS,
        "proposed_fills": (proposed(),),
        "pnl_effect": Decimal("11.5"),
        "applied": False,
        "explanation": "the broker holds 4 A, the ledger 10: its execution can be recorded",
        "side": PositionSide.UNSPECIFIED,
        "fill_id": "",
        "ledger_average_price": Decimal(10),
        "broker_average_price": Decimal("10.0005"),
        "unwatched": False,
        "ignored": False,
    }
    said |= changes
    return Discrepancy(**{"proposed_fill_count": len(said["proposed_fills"])} | said)


def orphan(**changes: Any) -> Discrepancy:
    """The broker is short 5 B at 200, and nobody watches it."""
    buy = Fill(symbol="B", side=Side.SELL, quantity=Decimal(5), price=Decimal(200), fill_id="")
    said: dict[str, Any] = {
        "discrepancy_id": "D7.1",
        "kind": DiscrepancyKind.ORPHANED_POSITION,
        "severity": Severity.CRITICAL,
        "portfolio_id": "",
        "symbol": "B",
        "ledger_quantity": Decimal(),
        "broker_quantity": Decimal(-5),
        "resolution": ResolutionKind.ADOPT_POSITION,
        "proposed_fills": (proposed(fill=buy, synthetic=True),),
        "pnl_effect": Decimal(),
        "explanation": "the broker is short 5 B, and no portfolio tracks it",
        "ledger_average_price": None,
        "broker_average_price": Decimal(200),
    }
    return difference(**said | changes)


def report(*found: Discrepancy, **changes: Any) -> ReconcileResponse:
    """A comparison that found these."""
    said: dict[str, Any] = {
        "reconciliation_id": "R7",
        "discrepancies": found,
        "matched_count": 2,
        "sequence": 7,
        "complete": True,
        "replayed": False,
        "broker_position_count": 3,
        "tracked_count": 3,
        "discrepancy_count": len(found),
        "orphaned_count": sum(each.kind is DiscrepancyKind.ORPHANED_POSITION for each in found),
    }
    return ReconcileResponse(**said | changes)


def record(found: Discrepancy, **changes: Any) -> DiscrepancyRecord:
    """What became of a difference: it is open."""
    said: dict[str, Any] = {
        "discrepancy": found,
        "state": DiscrepancyState.OPEN,
        "restraint": Restraint.UNSPECIFIED,
        "broker_account": "main",
        "first_seen": Time(1),
        "last_seen": Time(2),
        "reconciliation_id": "R7",
        "resolution": None,
    }
    return DiscrepancyRecord(**said | changes)
