"""The server's messages as values, and nothing else: one function per message, named after the value it makes.

A field the contract calls optional is ``None`` when it is unset. Every other number is always sent; a message without
it is not from this contract, and saying so is better than answering 0.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from lotkeeper import values
from lotkeeper.enums import EntryStatus, PositionSide
from lotkeeper.values import Time

if TYPE_CHECKING:
    from google.protobuf.timestamp_pb2 import Timestamp

    from lotkeeper.v1 import ledger_pb2, ledger_service_pb2, market_service_pb2

_NANOSECONDS = 1_000_000_000

V = TypeVar("V")


class Page(NamedTuple, Generic[V]):
    """One page of a long answer; what its message does not carry is empty."""

    items: tuple[V, ...]
    next_page_token: str
    totals: tuple[values.Totals, ...] = ()
    sequence: int = 0
    ledger_id: str = ""


def time_of(stamp: Timestamp) -> Time:
    """``stamp`` in nanoseconds."""
    return Time(stamp.seconds * _NANOSECONDS + stamp.nanos)


def number(text: str) -> Decimal:
    """``text`` exactly, whatever precision the caller's decimal context has.

    Raises:
        ValueError: it is no decimal: the answer is not from a server of this contract.
    """
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError(f"the server sent {text!r} where a decimal belongs; client and server do not fit") from None


def entry(message: ledger_pb2.Entry) -> values.Entry:
    """One lot."""
    return values.Entry(
        entry_id=message.entry_id,
        portfolio_id=message.portfolio_id,
        symbol=message.symbol,
        side=PositionSide(message.side),
        quantity=number(message.quantity),
        remaining_quantity=number(message.remaining_quantity),
        entry_price=number(message.entry_price),
        entry_time=time_of(message.entry_time),
        entry_order_id=message.entry_order_id,
        entry_fill_id=message.entry_fill_id,
        fee=number(message.fee),
        fee_currency=message.fee_currency,
        open_fee=number(message.open_fee),
        status=EntryStatus(message.status),
        group_id=message.group_id,
        labels=dict(message.labels),
        sequence=message.sequence,
        synthetic=message.synthetic,
    )


def closed_trade(message: ledger_pb2.ClosedTrade) -> values.ClosedTrade:
    """One FIFO match."""
    return values.ClosedTrade(
        trade_id=message.trade_id,
        portfolio_id=message.portfolio_id,
        symbol=message.symbol,
        side=PositionSide(message.side),
        entry_id=message.entry_id,
        quantity=number(message.quantity),
        entry_price=number(message.entry_price),
        exit_price=number(message.exit_price),
        entry_time=time_of(message.entry_time),
        exit_time=time_of(message.exit_time),
        entry_order_id=message.entry_order_id,
        entry_fill_id=message.entry_fill_id,
        exit_order_id=message.exit_order_id,
        exit_fill_id=message.exit_fill_id,
        exit_reason=message.exit_reason,
        gross_pnl=number(message.gross_pnl),
        entry_fee=number(message.entry_fee),
        exit_fee=number(message.exit_fee),
        net_pnl=number(message.net_pnl),
        pnl_pct=number(message.pnl_pct) if message.HasField("pnl_pct") else None,
        currency=message.currency,
        sequence=message.sequence,
        index=message.index,
        synthetic=message.synthetic,
        labels=dict(message.labels),
        group_id=message.group_id,
    )


def position(message: ledger_pb2.Position) -> values.Position:
    """One symbol of one portfolio."""
    has = message.HasField
    return values.Position(
        portfolio_id=message.portfolio_id,
        symbol=message.symbol,
        side=PositionSide(message.side),
        total_quantity=number(message.total_quantity),
        average_entry_price=number(message.average_entry_price) if has("average_entry_price") else None,
        cost_basis=number(message.cost_basis),
        gross_realized_pnl=number(message.gross_realized_pnl),
        realized_fees=number(message.realized_fees),
        net_realized_pnl=number(message.net_realized_pnl),
        open_fees=number(message.open_fees),
        unrealized_pnl=number(message.unrealized_pnl) if has("unrealized_pnl") else None,
        mark_price=number(message.mark_price) if has("mark_price") else None,
        mark_time=time_of(message.mark_time) if has("mark_time") else None,
        mark_source=message.mark_source,
        mark_stale=message.mark_stale,
        open_entry_count=message.open_entry_count,
        first_entry_time=time_of(message.first_entry_time) if has("first_entry_time") else None,
        last_entry_time=time_of(message.last_entry_time) if has("last_entry_time") else None,
        currency=message.currency,
        entries=tuple(map(entry, message.entries)),
        entries_truncated=message.entries_truncated,
        sequence=message.sequence,
        book_side=PositionSide(message.book_side),
    )


def totals(messages: Iterable[ledger_pb2.Totals]) -> tuple[values.Totals, ...]:
    """Sums, one per currency."""
    return tuple(
        values.Totals(
            currency=message.currency,
            gross_realized_pnl=number(message.gross_realized_pnl),
            realized_fees=number(message.realized_fees),
            net_realized_pnl=number(message.net_realized_pnl),
            unrealized_pnl=number(message.unrealized_pnl) if message.HasField("unrealized_pnl") else None,
            unpriced_symbols=tuple(message.unpriced_symbols),
            stale_symbols=tuple(message.stale_symbols),
            unpriced_count=message.unpriced_count,
            stale_count=message.stale_count,
        )
        for message in messages
    )


def portfolio_totals(message: ledger_service_pb2.PortfolioTotals) -> values.PortfolioTotals:
    """Sums of one portfolio."""
    return values.PortfolioTotals(portfolio_id=message.portfolio_id, totals=totals(message.totals))


def create_entry(message: ledger_service_pb2.CreateEntryResponse) -> values.CreateEntryResponse:
    """What CreateEntry did."""
    return values.CreateEntryResponse(
        entry=entry(message.entry),
        position=position(message.position),
        sequence=message.sequence,
        replayed=message.replayed,
    )


def close_fifo(message: ledger_service_pb2.CloseFifoResponse) -> values.CloseFifoResponse:
    """What CloseFifo did."""
    return values.CloseFifoResponse(
        closed_trades=tuple(map(closed_trade, message.closed_trades)),
        closed_trade_count=message.closed_trade_count,
        opened_entry=entry(message.opened_entry) if message.HasField("opened_entry") else None,
        position=position(message.position),
        closed_quantity=number(message.closed_quantity),
        gross_pnl=number(message.gross_pnl),
        fees=number(message.fees),
        net_pnl=number(message.net_pnl),
        sequence=message.sequence,
        replayed=message.replayed,
    )


def record_fill(message: ledger_service_pb2.RecordFillResponse) -> values.RecordFillResponse:
    """What RecordFill did."""
    return values.RecordFillResponse(
        opened_entry=entry(message.opened_entry) if message.HasField("opened_entry") else None,
        closed_trades=tuple(map(closed_trade, message.closed_trades)),
        closed_trade_count=message.closed_trade_count,
        position=position(message.position),
        sequence=message.sequence,
        replayed=message.replayed,
    )


def get_summary(message: ledger_service_pb2.GetSummaryResponse) -> Page[values.Position]:
    """One page of positions, with the totals of all."""
    positions = tuple(map(position, message.positions))
    return Page(positions, message.next_page_token, totals(message.totals), message.sequence, message.ledger_id)


def list_entries(message: ledger_service_pb2.ListEntriesResponse) -> Page[values.Entry]:
    """One page of lots."""
    return Page(tuple(map(entry, message.entries)), message.next_page_token)


def list_closed_trades(message: ledger_service_pb2.ListClosedTradesResponse) -> Page[values.ClosedTrade]:
    """One page of closed trades, with the totals of all."""
    return Page(tuple(map(closed_trade, message.closed_trades)), message.next_page_token, totals(message.totals))


def mark(message: market_service_pb2.Mark) -> values.Mark:
    """A price."""
    return values.Mark(
        symbol=message.symbol,
        price=number(message.price),
        observe_time=time_of(message.observe_time) if message.HasField("observe_time") else None,
        source=message.source,
        stale=message.stale,
        bid=number(message.bid) if message.HasField("bid") else None,
        ask=number(message.ask) if message.HasField("ask") else None,
    )


def feed_status(message: market_service_pb2.FeedStatus) -> values.FeedStatus:
    """State of one price source."""
    return values.FeedStatus(
        source=message.source,
        connected=message.connected,
        last_message_time=time_of(message.last_message_time) if message.HasField("last_message_time") else None,
        message_count=message.message_count,
        reconnect_count=message.reconnect_count,
        last_error=message.last_error,
    )


def set_marks(message: market_service_pb2.SetMarksResponse) -> values.SetMarksResponse:
    """What SetMarks did."""
    return values.SetMarksResponse(accepted_count=message.accepted_count, outdated_count=message.outdated_count)


def publish_marks(message: market_service_pb2.PublishMarksResponse) -> values.PublishMarksResponse:
    """What PublishMarks did."""
    return values.PublishMarksResponse(accepted_count=message.accepted_count, outdated_count=message.outdated_count)


def list_marks(message: market_service_pb2.ListMarksResponse) -> values.ListMarksResponse:
    """Marks and feeds."""
    return values.ListMarksResponse(marks=tuple(map(mark, message.marks)), feeds=tuple(map(feed_status, message.feeds)))
