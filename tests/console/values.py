"""Positions, totals, lots and events to make tables of."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import grpc

from lotkeeper import (
    ClosedTrade,
    Disconnected,
    Entry,
    EntryStatus,
    FeedStatus,
    GroupPnL,
    Heartbeat,
    LotMethod,
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
    provisional=False,
    unconverted_fees=(),
    multiplier=Decimal(1),
    lot_method=LotMethod.FIFO,
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
        funding=Decimal(),
        interest=Decimal(),
        dividends=Decimal(),
        charged_fees=Decimal(),
        cash=Decimal(),
        total_value=None,
        provisional=False,
        unconverted_fees=(),
    )
    return PortfolioTotals(portfolio_id=position.portfolio_id, totals=(total,), base_totals=None)


def snapshot(*positions: Position) -> Snapshot:
    """A snapshot of these positions and their totals."""
    totals = tuple(totals_of(position) for position in positions)
    return Snapshot(sequence=3, ledger_id="L", emit_time=Time(1), positions=positions, totals=totals, groups=())


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
        restated_trades=(),
        groups=(),
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
        cost_basis=None,
        fee_rate=None,
        fee_pending=False,
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


def closed_trade(**changes: object) -> ClosedTrade:
    """One bitcoin, a hundred dollars better."""
    made = ClosedTrade(
        trade_id="T5.0",
        portfolio_id="scale",
        symbol="BTC",
        side=PositionSide.LONG,
        entry_id="E3",
        quantity=Decimal(1),
        entry_price=Decimal(46000),
        exit_price=Decimal(46100),
        entry_time=Time(1),
        exit_time=Time(2),
        entry_order_id="",
        entry_fill_id="F-1",
        exit_order_id="",
        exit_fill_id="F-2",
        exit_reason="",
        gross_pnl=Decimal(100),
        entry_fee=Decimal("0.25"),
        exit_fee=Decimal("0.25"),
        net_pnl=Decimal("99.5"),
        pnl_pct=None,
        currency="USD",
        sequence=5,
        index=0,
        synthetic=False,
        labels={},
        group_id="",
        superseded_by="",
        provisional=False,
        exit_sequence=5,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def group(**changes: object) -> GroupPnL:
    """An iron condor that was sold for 780."""
    made = GroupPnL(
        portfolio_id="scale",
        group_id="P-17",
        currency="USD",
        entry_credit=Decimal(780),
        entry_credit_per_contract=Decimal(780),
        contracts=Decimal(1),
        gross_realized_pnl=Decimal(),
        realized_fees=Decimal(2),
        unrealized_pnl=Decimal(120),
        pnl_per_contract=Decimal(118),
        open_entry_count=4,
        legs=(),
        leg_count=4,
        sequence=4,
    )
    return replace(made, **changes)  # type: ignore[arg-type]
