"""Positions, totals, lots and events to make tables of."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import grpc

from lotkeeper import (
    Disconnected,
    Entry,
    EntryStatus,
    FeedStatus,
    Heartbeat,
    Position,
    PositionSide,
    Snapshot,
    Time,
    Totals,
    Update,
)
from lotkeeper.errors import Unavailable
from lotkeeper.values import PortfolioTotals

SECOND = 1_000_000_000
LONG = Position(
    portfolio_id="scale",
    symbol="BTC",
    side=PositionSide.LONG,
    total_quantity=Decimal("1.50"),
    average_entry_price=Decimal("46000.333333333333333333"),
    cost_basis=Decimal("69000.5"),
    gross_realized_pnl=Decimal("1234.567"),
    realized_fees=Decimal("4.5"),
    net_realized_pnl=Decimal("1230.067"),
    open_fees=Decimal(1),
    unrealized_pnl=Decimal("-12.345"),
    mark_price=Decimal(45992),
    mark_time=Time(1),
    mark_source="scale",
    mark_stale=False,
    open_entry_count=2,
    first_entry_time=Time(1),
    last_entry_time=Time(1),
    currency="USD",
    entries=(),
    entries_truncated=False,
    sequence=3,
    book_side=PositionSide.UNSPECIFIED,
)
FLAT = replace(
    LONG,
    portfolio_id="swing",
    side=PositionSide.FLAT,
    total_quantity=Decimal(),
    average_entry_price=None,
    mark_price=None,
    open_entry_count=0,
)


def totals_of(position: Position) -> PortfolioTotals:
    """The totals of a portfolio that has one position."""
    total = Totals(
        currency=position.currency,
        gross_realized_pnl=position.gross_realized_pnl,
        realized_fees=position.realized_fees,
        net_realized_pnl=position.net_realized_pnl,
        unrealized_pnl=position.unrealized_pnl,
        unpriced_symbols=(),
        stale_symbols=(),
        unpriced_count=0,
        stale_count=0,
    )
    return PortfolioTotals(portfolio_id=position.portfolio_id, totals=(total,))


def snapshot(*positions: Position) -> Snapshot:
    """A snapshot of these positions and their totals."""
    totals = tuple(totals_of(position) for position in positions)
    return Snapshot(sequence=3, ledger_id="L", emit_time=Time(1), positions=positions, totals=totals)


def update(*positions: Position, sequence: int = 4) -> Update:
    """An update of these positions and their totals."""
    return Update(
        sequence=sequence,
        ledger_id="L",
        emit_time=Time(1),
        positions=positions,
        totals=tuple(totals_of(position) for position in positions),
        closed_trades=(),
        opened_entries=(),
        conflated_count=0,
    )


def lost() -> Disconnected:
    """The connection is gone."""
    cause = Unavailable(grpc.StatusCode.UNAVAILABLE, "gone")
    return Disconnected(sequence=4, ledger_id="L", emit_time=Time(1), cause=cause)


def heartbeat(emitted: int = 1) -> Heartbeat:
    """Nothing changed."""
    return Heartbeat(sequence=9, ledger_id="L", emit_time=Time(emitted))


def lot(number: int, **changes: object) -> Entry:
    """A lot of LONG: 2 of 5 are left."""
    entry = Entry(
        entry_id=f"E-{number}",
        portfolio_id="scale",
        symbol="BTC",
        side=PositionSide.LONG,
        quantity=Decimal(5),
        remaining_quantity=Decimal(2),
        entry_price=Decimal(46000),
        entry_time=Time(SECOND),
        entry_order_id="",
        entry_fill_id=f"F-{number}",
        fee=Decimal(1),
        fee_currency="USD",
        open_fee=Decimal("0.4"),
        status=EntryStatus.PARTIALLY_CLOSED,
        group_id="",
        labels={},
        sequence=number,
        synthetic=False,
    )
    return replace(entry, **changes)  # type: ignore[arg-type]


def feed(source: str, connected: bool = True, error: str = "", heard: int = SECOND) -> FeedStatus:
    """A price source."""
    return FeedStatus(
        source=source,
        connected=connected,
        last_message_time=Time(heard) if heard else None,
        message_count=1200,
        reconnect_count=0 if connected else 3,
        last_error=error,
    )
