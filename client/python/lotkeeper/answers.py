"""The server's answers as values, and nothing else: one function per response, named after its call.

What they are made of is read in ``parts``, ``account_parts`` and ``term_parts``; ``parts`` says what a missing number means.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from lotkeeper import parts, responses, term_parts, terms, values
from lotkeeper.account import Event
from lotkeeper.account_parts import event
from lotkeeper.enums import RecordKind, Side
from lotkeeper.v1.error_reason_pb2 import ErrorReason

if TYPE_CHECKING:
    from lotkeeper.v1 import (
        event_service_pb2,
        explain_service_pb2,
        instrument_service_pb2,
        ledger_service_pb2,
        market_service_pb2,
        portfolio_service_pb2,
    )

V = TypeVar("V")


class Page(NamedTuple, Generic[V]):
    """One page of a long answer; what its message does not carry is empty."""

    items: tuple[V, ...]
    next_page_token: str
    totals: tuple[values.Totals, ...] = ()
    sequence: int = 0
    ledger_id: str = ""
    base_totals: values.BaseTotals | None = None
    groups: tuple[values.GroupPnL, ...] = ()
    position: values.Position | None = None


def create_entry(message: ledger_service_pb2.CreateEntryResponse) -> responses.CreateEntryResponse:
    """What CreateEntry did."""
    return responses.CreateEntryResponse(
        entry=parts.entry(message.entry),
        position=parts.position(message.position),
        sequence=message.sequence,
        replayed=message.replayed,
        restated_trades=parts.restated_trades(message.restated_trades),
        restated_trade_count=message.restated_trade_count,
    )


def close_fifo(message: ledger_service_pb2.CloseFifoResponse) -> responses.CloseFifoResponse:
    """What CloseFifo did."""
    return responses.CloseFifoResponse(
        closed_trades=tuple(map(parts.closed_trade, message.closed_trades)),
        closed_trade_count=message.closed_trade_count,
        opened_entry=parts.entry(message.opened_entry) if message.HasField("opened_entry") else None,
        position=parts.position(message.position),
        closed_quantity=parts.number(message.closed_quantity),
        gross_pnl=parts.number(message.gross_pnl),
        fees=parts.number(message.fees),
        net_pnl=parts.number(message.net_pnl),
        sequence=message.sequence,
        replayed=message.replayed,
        restated_trades=parts.restated_trades(message.restated_trades),
        restated_trade_count=message.restated_trade_count,
    )


def record_fill(message: ledger_service_pb2.RecordFillResponse) -> responses.RecordFillResponse:
    """What RecordFill did."""
    return responses.RecordFillResponse(
        opened_entry=parts.entry(message.opened_entry) if message.HasField("opened_entry") else None,
        closed_trades=tuple(map(parts.closed_trade, message.closed_trades)),
        closed_trade_count=message.closed_trade_count,
        position=parts.position(message.position),
        sequence=message.sequence,
        replayed=message.replayed,
        restated_trades=parts.restated_trades(message.restated_trades),
        restated_trade_count=message.restated_trade_count,
    )


def bust_fill(message: event_service_pb2.BustFillResponse) -> responses.BustFillResponse:
    """What BustFill did."""
    return responses.BustFillResponse(
        restated_trades=parts.restated_trades(message.restated_trades),
        restated_trade_count=message.restated_trade_count,
        net_pnl_change=parts.number(message.net_pnl_change),
        position=parts.position(message.position),
        sequence=message.sequence,
        replayed=message.replayed,
    )


def correct_fill(message: event_service_pb2.CorrectFillResponse) -> responses.CorrectFillResponse:
    """What CorrectFill did."""
    return responses.CorrectFillResponse(
        restated_trades=parts.restated_trades(message.restated_trades),
        restated_trade_count=message.restated_trade_count,
        net_pnl_change=parts.number(message.net_pnl_change),
        position=parts.position(message.position),
        sequence=message.sequence,
        replayed=message.replayed,
    )


def record_event(message: event_service_pb2.RecordEventResponse) -> responses.RecordEventResponse:
    """What RecordEvent did."""
    return responses.RecordEventResponse(
        event=event(message.event),
        positions=tuple(map(parts.position, message.positions)),
        closed_trades=tuple(map(parts.closed_trade, message.closed_trades)),
        closed_trade_count=message.closed_trade_count,
        opened_entries=tuple(map(parts.entry, message.opened_entries)),
        restated_trades=parts.restated_trades(message.restated_trades),
        restated_trade_count=message.restated_trade_count,
        cash=tuple(map(parts.money, message.cash)),
        sequence=message.sequence,
        replayed=message.replayed,
    )


def list_events(message: event_service_pb2.ListEventsResponse) -> Page[Event]:
    """One page of events."""
    return Page(tuple(map(event, message.events)), message.next_page_token)


def fill_result(message: ledger_service_pb2.FillResult) -> responses.FillResult:
    """What became of one execution of a message."""
    return responses.FillResult(
        fill_id=message.fill_id,
        sequence=message.sequence,
        replayed=message.replayed,
        net_pnl=parts.number(message.net_pnl),
        refusal=_reason(message.refusal) if message.refusal else "",
        message=message.message,
    )


def _reason(number: int) -> str:
    """A reason as errors name it; one that is newer than this client is UNKNOWN with its number."""
    reasons = ErrorReason.DESCRIPTOR.values_by_number
    return reasons[number].name.removeprefix("ERROR_REASON_") if number in reasons else f"UNKNOWN_{number}"


def get_summary(message: ledger_service_pb2.GetSummaryResponse) -> Page[values.Position]:
    """One page of positions, with the totals of all."""
    return Page(
        tuple(map(parts.position, message.positions)),
        message.next_page_token,
        parts.totals(message.totals),
        message.sequence,
        message.ledger_id,
        parts.base_totals(message.base_totals) if message.HasField("base_totals") else None,
        tuple(map(parts.group_pnl, message.groups)),
    )


def list_entries(message: ledger_service_pb2.ListEntriesResponse) -> Page[values.Entry]:
    """One page of lots."""
    return Page(tuple(map(parts.entry, message.entries)), message.next_page_token)


def list_closed_trades(message: ledger_service_pb2.ListClosedTradesResponse) -> Page[values.ClosedTrade]:
    """One page of closed trades, with the totals of all."""
    trades = tuple(map(parts.closed_trade, message.closed_trades))
    return Page(trades, message.next_page_token, parts.totals(message.totals))


def mark(message: market_service_pb2.Mark) -> values.Mark:
    """A price."""
    return values.Mark(
        symbol=message.symbol,
        price=parts.number(message.price),
        observe_time=parts.time_of(message.observe_time) if message.HasField("observe_time") else None,
        source=message.source,
        stale=message.stale,
        bid=parts.number(message.bid) if message.HasField("bid") else None,
        ask=parts.number(message.ask) if message.HasField("ask") else None,
    )


def feed_status(message: market_service_pb2.FeedStatus) -> values.FeedStatus:
    """State of one price source."""
    return values.FeedStatus(
        source=message.source,
        connected=message.connected,
        last_message_time=parts.time_of(message.last_message_time) if message.HasField("last_message_time") else None,
        message_count=message.message_count,
        reconnect_count=message.reconnect_count,
        last_error=message.last_error,
    )


def set_marks(message: market_service_pb2.SetMarksResponse) -> responses.SetMarksResponse:
    """What SetMarks did."""
    return responses.SetMarksResponse(accepted_count=message.accepted_count, outdated_count=message.outdated_count)


def publish_marks(message: market_service_pb2.PublishMarksResponse) -> responses.PublishMarksResponse:
    """What PublishMarks did."""
    return responses.PublishMarksResponse(accepted_count=message.accepted_count, outdated_count=message.outdated_count)


def list_marks(message: market_service_pb2.ListMarksResponse) -> responses.ListMarksResponse:
    """Marks and feeds."""
    return responses.ListMarksResponse(
        marks=tuple(map(mark, message.marks)), feeds=tuple(map(feed_status, message.feeds))
    )


def create_portfolio(message: portfolio_service_pb2.CreatePortfolioResponse) -> responses.CreatePortfolioResponse:
    """What CreatePortfolio did."""
    return responses.CreatePortfolioResponse(
        portfolio=term_parts.portfolio(message.portfolio), sequence=message.sequence, replayed=message.replayed
    )


def update_portfolio(message: portfolio_service_pb2.UpdatePortfolioResponse) -> responses.UpdatePortfolioResponse:
    """What UpdatePortfolio did."""
    return responses.UpdatePortfolioResponse(
        portfolio=term_parts.portfolio(message.portfolio), sequence=message.sequence, replayed=message.replayed
    )


def close_portfolio(message: portfolio_service_pb2.ClosePortfolioResponse) -> responses.ClosePortfolioResponse:
    """What ClosePortfolio did."""
    return responses.ClosePortfolioResponse(
        portfolio=term_parts.portfolio(message.portfolio), sequence=message.sequence, replayed=message.replayed
    )


def list_portfolios(message: portfolio_service_pb2.ListPortfoliosResponse) -> Page[terms.Portfolio]:
    """One page of portfolios."""
    return Page(tuple(map(term_parts.portfolio, message.portfolios)), message.next_page_token)


def define_instrument(message: instrument_service_pb2.DefineInstrumentResponse) -> responses.DefineInstrumentResponse:
    """What DefineInstrument did."""
    return responses.DefineInstrumentResponse(
        instrument=term_parts.instrument(message.instrument), sequence=message.sequence, replayed=message.replayed
    )


def list_instruments(message: instrument_service_pb2.ListInstrumentsResponse) -> Page[terms.Instrument]:
    """One page of instruments."""
    return Page(tuple(map(term_parts.instrument, message.instruments)), message.next_page_token)


def explain_line(message: explain_service_pb2.ExplainLine) -> responses.ExplainLine:
    """One record behind a figure."""
    return responses.ExplainLine(
        sequence=message.sequence,
        kind=RecordKind(message.kind),
        fill_time=parts.time_of(message.fill_time) if message.HasField("fill_time") else None,
        record_time=parts.time_of(message.record_time),
        fill_id=message.fill_id,
        order_id=message.order_id,
        side=Side(message.side),
        quantity=parts.number_or_none(message.quantity),
        price=parts.number_or_none(message.price),
        fee=parts.money(message.fee) if message.HasField("fee") else None,
        fee_rate=parts.conversion_rate(message.fee_rate) if message.HasField("fee_rate") else None,
        quantity_change=parts.number(message.quantity_change),
        cost_change=parts.number(message.cost_change),
        gross_pnl_change=parts.number(message.gross_pnl_change),
        fees_change=parts.number(message.fees_change),
        open_fees_change=parts.number(message.open_fees_change),
        explanation=message.explanation,
    )


def explain_trade(message: explain_service_pb2.ExplainTradeResponse) -> responses.ExplainTradeResponse:
    """The records behind one closed trade."""
    return responses.ExplainTradeResponse(
        trade=parts.closed_trade(message.trade),
        lines=tuple(map(explain_line, message.lines)),
        superseded_trades=tuple(map(parts.closed_trade, message.superseded_trades)),
    )


def explain_position(message: explain_service_pb2.ExplainPositionResponse) -> Page[responses.ExplainLine]:
    """One page of the records behind a position, with the position."""
    lines = tuple(map(explain_line, message.lines))
    position = parts.position(message.position)
    return Page(lines, message.next_page_token, sequence=message.sequence, position=position)
