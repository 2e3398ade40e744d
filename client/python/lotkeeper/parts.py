"""The messages that answers are made of as values, and nothing else: one function per message, named after its value.

A field the contract calls optional is ``None`` when it is unset. Every other number is always sent; a message without
it is not from this contract, and saying so is better than answering 0. Numbers that came later than the message they
stand in are the exception, because the sidecar may be older than the bot: they are read as not known.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from lotkeeper import values
from lotkeeper.enums import EntryStatus, LotMethod, PositionSide, Side
from lotkeeper.values import Time

if TYPE_CHECKING:
    from google.protobuf.timestamp_pb2 import Timestamp

    from lotkeeper.v1 import ledger_pb2, ledger_service_pb2

_NANOSECONDS = 1_000_000_000


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


def number_or_none(text: str) -> Decimal | None:
    """``text`` exactly; ``None`` when it is empty, where the contract lets it be.

    Raises:
        ValueError: it is no decimal.
    """
    return number(text) if text else None


def money(message: ledger_pb2.Money) -> values.Money:
    """An amount with its currency."""
    return values.Money(currency=message.currency, amount=number(message.amount))


def conversion_rate(message: ledger_pb2.ConversionRate) -> values.ConversionRate:
    """What one unit of a currency is worth in another."""
    return values.ConversionRate(
        from_currency=message.from_currency,
        to_currency=message.to_currency,
        rate=number(message.rate),
        rate_time=time_of(message.rate_time) if message.HasField("rate_time") else None,
        source=message.source,
        stale=message.stale,
    )


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
        cost_basis=number(message.cost_basis) if message.HasField("cost_basis") else None,
        fee_rate=conversion_rate(message.fee_rate) if message.HasField("fee_rate") else None,
        fee_pending=message.fee_pending,
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
        superseded_by=message.superseded_by,
        provisional=message.provisional,
        exit_sequence=message.exit_sequence,
    )


def restated_trades(messages: Iterable[ledger_pb2.RestatedTrade]) -> tuple[values.RestatedTrade, ...]:
    """Trades that took the place of others."""
    return tuple(
        values.RestatedTrade(
            before=closed_trade(message.before) if message.HasField("before") else None,
            after=closed_trade(message.after) if message.HasField("after") else None,
            sequence=message.sequence,
            index=message.index,
        )
        for message in messages
    )


def fill(message: ledger_pb2.Fill) -> values.Fill:
    """One execution."""
    return values.Fill(
        fill_id=message.fill_id,
        order_id=message.order_id,
        symbol=message.symbol,
        side=Side(message.side),
        quantity=number(message.quantity),
        price=number(message.price),
        fee=number_or_none(message.fee),
        fee_currency=message.fee_currency,
        fill_time=time_of(message.fill_time) if message.HasField("fill_time") else None,
        position_side=PositionSide(message.position_side),
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
        provisional=message.provisional,
        unconverted_fees=tuple(map(money, message.unconverted_fees)),
        multiplier=number(message.multiplier or "1"),  # a server from before multipliers counts every unit as one
        lot_method=LotMethod(message.lot_method),
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
            funding=number_or_none(message.funding),
            interest=number_or_none(message.interest),
            dividends=number_or_none(message.dividends),
            charged_fees=number_or_none(message.charged_fees),
            cash=number_or_none(message.cash),
            total_value=number(message.total_value) if message.HasField("total_value") else None,
            provisional=message.provisional,
            unconverted_fees=tuple(map(money, message.unconverted_fees)),
        )
        for message in messages
    )


def base_totals(message: ledger_pb2.BaseTotals) -> values.BaseTotals:
    """Sums in the base currency."""
    has = message.HasField
    return values.BaseTotals(
        currency=message.currency,
        gross_realized_pnl=number(message.gross_realized_pnl),
        fees=number(message.fees),
        unrealized_pnl=number(message.unrealized_pnl) if has("unrealized_pnl") else None,
        funding=number(message.funding),
        interest=number(message.interest),
        dividends=number(message.dividends),
        currency_pnl=number(message.currency_pnl) if has("currency_pnl") else None,
        total_value=number(message.total_value) if has("total_value") else None,
        rates=tuple(map(conversion_rate, message.rates)),
        unconverted_currencies=tuple(message.unconverted_currencies),
    )


def portfolio_totals(message: ledger_service_pb2.PortfolioTotals) -> values.PortfolioTotals:
    """Sums of one portfolio."""
    return values.PortfolioTotals(
        portfolio_id=message.portfolio_id,
        totals=totals(message.totals),
        base_totals=base_totals(message.base_totals) if message.HasField("base_totals") else None,
    )


def group_leg(message: ledger_pb2.GroupLeg) -> values.GroupLeg:
    """One leg of a group."""
    return values.GroupLeg(
        symbol=message.symbol,
        side=PositionSide(message.side),
        opened_quantity=number(message.opened_quantity),
        open_quantity=number(message.open_quantity),
        entry_credit=number(message.entry_credit),
        gross_realized_pnl=number(message.gross_realized_pnl),
        unrealized_pnl=number(message.unrealized_pnl) if message.HasField("unrealized_pnl") else None,
    )


def group_pnl(message: ledger_pb2.GroupPnL) -> values.GroupPnL:
    """P&L of one group in one currency."""
    has = message.HasField
    return values.GroupPnL(
        portfolio_id=message.portfolio_id,
        group_id=message.group_id,
        currency=message.currency,
        entry_credit=number(message.entry_credit),
        entry_credit_per_contract=(
            number(message.entry_credit_per_contract) if has("entry_credit_per_contract") else None
        ),
        contracts=number(message.contracts) if has("contracts") else None,
        gross_realized_pnl=number(message.gross_realized_pnl),
        realized_fees=number(message.realized_fees),
        unrealized_pnl=number(message.unrealized_pnl) if has("unrealized_pnl") else None,
        pnl_per_contract=number(message.pnl_per_contract) if has("pnl_per_contract") else None,
        open_entry_count=message.open_entry_count,
        legs=tuple(map(group_leg, message.legs)),
        sequence=message.sequence,
        leg_count=message.leg_count,
    )
