"""Domain to protobuf: entries, trades, positions, totals, and what each RPC answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal, localcontext
from typing import Any

from lotkeeper.v1 import ledger_pb2, ledger_service_pb2, market_service_pb2
from lotkeeperd.api.fields import NANOSECONDS
from lotkeeperd.domain.book import Direction, LotMethod
from lotkeeperd.domain.commands import trade_id
from lotkeeperd.domain.decimals import EXACT, ONE, plain, quotient
from lotkeeperd.domain.fees import NOTHING_PENDING
from lotkeeperd.domain.groups import GroupPnL, Leg
from lotkeeperd.domain.rates import Rate
from lotkeeperd.domain.trades import ClosedTrade, Entry, EntryStatus, Restatement, Totals, entry_of
from lotkeeperd.service.conversion import Base
from lotkeeperd.service.marks import Mark, Source
from lotkeeperd.service.outcomes import Outcome
from lotkeeperd.service.ports import Key
from lotkeeperd.service.valuation import CurrencyTotals, PortfolioTotals, Valued

ENTRIES_IN_POSITION = 1000
MESSAGE_BYTES = 1 << 20
"""No message is larger; a list is cut short, and says so, rather than grow beyond."""

_SIDES = {Direction.LONG: ledger_pb2.POSITION_SIDE_LONG, Direction.SHORT: ledger_pb2.POSITION_SIDE_SHORT}
_STATUSES = {
    EntryStatus.OPEN.value: ledger_pb2.ENTRY_STATUS_OPEN,
    EntryStatus.PARTIALLY_CLOSED.value: ledger_pb2.ENTRY_STATUS_PARTIALLY_CLOSED,
    EntryStatus.CLOSED.value: ledger_pb2.ENTRY_STATUS_CLOSED,
    EntryStatus.SUPERSEDED.value: ledger_pb2.ENTRY_STATUS_SUPERSEDED,
}


_METHODS = {method: ledger_pb2.LotMethod.Value(f"LOT_METHOD_{method.value}") for method in LotMethod}

_Fields = dict[str, Any]
"""What a message is made of. One that goes into another is handed over like this: built apart and copied in, it costs twice."""


def _stamp(nanoseconds: int) -> _Fields:
    seconds, nanos = divmod(nanoseconds, NANOSECONDS)
    return {"seconds": seconds, "nanos": nanos}


class Answers:
    """Builds messages of a ledger in ``currency``."""

    def __init__(self, currency: str) -> None:
        self._currency = currency

    def entry(self, entry: Entry) -> ledger_pb2.Entry:
        """One lot."""
        return ledger_pb2.Entry(**self._entry(entry))

    def _entry(self, entry: Entry) -> _Fields:
        opened = entry.opened
        origin = opened.origin
        quantity = plain(opened.quantity)
        untouched = entry.remaining_quantity is opened.quantity
        fields: _Fields = {
            "entry_id": entry.entry_id if opened.sequence else "",
            "portfolio_id": entry.portfolio_id,
            "symbol": entry.symbol,
            "side": _SIDES[opened.direction],
            "quantity": quantity,
            "remaining_quantity": quantity if untouched else plain(entry.remaining_quantity),
            "entry_price": plain(opened.price),
            "entry_time": _stamp(opened.time),
            "entry_order_id": origin.order_id,
            "entry_fill_id": origin.fill_id,
            "fee": plain(origin.fee),
            "fee_currency": origin.fee_currency or self._currency,
            "open_fee": plain(entry.open_fee),
            "status": _STATUSES[entry.status._value_],
            "sequence": opened.sequence,
        }
        if origin.group_id or origin.labels or origin.synthetic:
            fields.update(group_id=origin.group_id, labels=dict(origin.labels), synthetic=origin.synthetic)
        if entry.cost is not None:
            fields["cost_basis"] = plain(entry.cost)
        if origin.fee_pending:
            fields["fee_pending"] = True
        if origin.fee_rate is not None:
            fields["fee_rate"] = rate_fields(origin.fee_rate)
        return fields

    def trade(self, trade: ClosedTrade) -> ledger_pb2.ClosedTrade:
        """One closed trade."""
        return ledger_pb2.ClosedTrade(**self._trade(trade))

    def restated(self, told: Restatement) -> ledger_pb2.RestatedTrade:
        """What became of one closed trade."""
        sequence, index = told.place
        return ledger_pb2.RestatedTrade(
            before=told.before and self._trade(told.before),
            after=told.after and self._trade(told.after),
            sequence=sequence,
            index=index,
        )

    def _trade(self, trade: ClosedTrade) -> _Fields:
        fields: _Fields = {
            "trade_id": trade.trade_id if trade.sequence else "",
            "portfolio_id": trade.portfolio_id,
            "symbol": trade.symbol,
            "side": _SIDES[trade.side],
            "entry_id": trade.entry_id,
            "quantity": plain(trade.quantity),
            "entry_price": plain(trade.entry_price),
            "exit_price": plain(trade.exit_price),
            "entry_time": _stamp(trade.entry_time),
            "exit_time": _stamp(trade.exit_time),
            "exit_order_id": trade.exit_order_id,
            "exit_fill_id": trade.exit_fill_id,
            "exit_reason": trade.exit_reason,
            "gross_pnl": plain(trade.gross_pnl),
            "entry_fee": plain(trade.entry_fee),
            "exit_fee": plain(trade.exit_fee),
            "net_pnl": plain(trade.net_pnl),
            "pnl_pct": _optional(trade.pnl_pct),
            "currency": trade.currency or self._currency,
            "sequence": trade.sequence,
            "exit_sequence": trade.exit_sequence,
            "index": trade.trade_index,
            "entry_order_id": trade.entry_order_id,
            "entry_fill_id": trade.entry_fill_id,
        }
        if trade.group_id or trade.labels or trade.synthetic:
            fields.update(group_id=trade.group_id, labels=dict(trade.labels), synthetic=trade.synthetic)
        if trade.provisional:
            fields["provisional"] = True
        if trade.superseded_by is not None:
            fields["superseded_by"] = trade_id(*trade.superseded_by)
        return fields

    def valued(self, key: Key, valued: Valued) -> ledger_pb2.Position:
        """A position at its mark."""
        return ledger_pb2.Position(**self._position(key, valued))

    def _position(self, key: Key, valued: Valued) -> _Fields:
        book, mark, price = valued.book, valued.mark, valued.price
        fields: _Fields = {
            "portfolio_id": key[0],
            "symbol": key[1],
            "side": _SIDES[book.direction] if book.direction else ledger_pb2.POSITION_SIDE_FLAT,
            "total_quantity": plain(book.quantity),
            "cost_basis": plain(book.cost),
            "gross_realized_pnl": plain(book.gross),
            "realized_fees": plain(book.fees),
            "net_realized_pnl": plain(EXACT.subtract(book.gross, book.fees)),
            "open_fees": plain(book.open_fees),
            "open_entry_count": book.lot_count,
            "currency": book.contract.currency or self._currency,
            "sequence": book.sequence,
            "multiplier": plain(book.contract.multiplier),
            "lot_method": _METHODS[book.method],
        }
        if key[2]:
            fields["book_side"] = _SIDES[Direction[key[2]]]
        if book.pending is not NOTHING_PENDING and book.pending != NOTHING_PENDING:
            fields["provisional"] = True
            fields["unconverted_fees"] = money(book.pending.unconverted)
        oldest, newest, average = book.oldest, book.newest, book.average_price()
        if average is not None:
            fields["average_entry_price"] = plain(average)
        if oldest is not None and newest is not None:
            fields["first_entry_time"] = _stamp(oldest.time)
            fields["last_entry_time"] = _stamp(newest.time)
        if mark is not None and price is not None and valued.unrealized is not None:
            fields["unrealized_pnl"] = plain(valued.unrealized)
            fields["mark_price"] = plain(price)
            fields["mark_time"] = _stamp(mark.time)
            fields["mark_source"] = mark.source
            fields["mark_stale"] = valued.stale
        return fields

    def with_entries(self, key: Key, valued: Valued, room: int) -> ledger_pb2.Position:
        """A position with its open lots, as many as fit into ``room`` bytes; one at least."""
        message = self.valued(key, valued)
        room -= message.ByteSize()
        for count, lot in enumerate(valued.book.lots()):
            entry = self.entry(entry_of(key[0], key[1], lot))
            room -= entry.ByteSize() + 6
            if count == ENTRIES_IN_POSITION or (count and room < 0):
                message.entries_truncated = True
                break
            message.entries.append(entry)
        return message

    def totals(self, totals: PortfolioTotals) -> list[ledger_pb2.Totals]:
        """Sums of one portfolio, by currency."""
        return [self._totals(one) for one in totals.totals]

    def _totals(self, one: CurrencyTotals) -> ledger_pb2.Totals:
        balance, pending = one.balance, one.pending
        return ledger_pb2.Totals(
            currency=one.currency,
            gross_realized_pnl=plain(one.gross_realized),
            realized_fees=plain(one.realized_fees),
            net_realized_pnl=plain(EXACT.subtract(one.gross_realized, one.realized_fees)),
            unrealized_pnl=_optional(one.unrealized),
            unpriced_symbols=one.unpriced,
            stale_symbols=one.stale,
            unpriced_count=one.unpriced_count,
            stale_count=one.stale_count,
            funding=plain(balance.funding),
            interest=plain(balance.interest),
            dividends=plain(balance.dividends),
            charged_fees=plain(balance.charged),
            cash=plain(one.cash),
            total_value=_optional(one.total_value),
            provisional=bool(pending.awaited or pending.unconverted),
            unconverted_fees=money(pending.unconverted),
        )

    def base_totals(self, base: Base) -> ledger_pb2.BaseTotals:
        """Everything of one portfolio in its base currency."""
        return ledger_pb2.BaseTotals(
            currency=base.currency,
            gross_realized_pnl=plain(base.gross_realized),
            fees=plain(base.fees),
            unrealized_pnl=_optional(base.unrealized),
            funding=plain(base.funding),
            interest=plain(base.interest),
            dividends=plain(base.dividends),
            currency_pnl=_optional(base.currency_pnl),
            total_value=_optional(base.total_value),
            rates=[rate_fields(quoted.rate, quoted.stale) for quoted in base.rates],
            unconverted_currencies=base.unconverted,
        )

    def group(self, figures: GroupPnL) -> ledger_pb2.GroupPnL:
        """A group in one currency; run under ``localcontext(EXACT)``."""
        return ledger_pb2.GroupPnL(
            portfolio_id=figures.portfolio_id,
            group_id=figures.group_id,
            currency=figures.currency,
            entry_credit=plain(figures.entry_credit),
            entry_credit_per_contract=_optional(figures.entry_credit_per_contract),
            contracts=_optional(figures.contracts),
            gross_realized_pnl=plain(figures.gross_realized),
            realized_fees=plain(figures.realized_fees),
            unrealized_pnl=_optional(figures.unrealized),
            pnl_per_contract=_optional(figures.pnl_per_contract),
            open_entry_count=figures.open_entry_count,
            legs=[_leg(leg) for leg in figures.legs],
            leg_count=figures.leg_count,
            sequence=figures.sequence,
        )

    def realized(self, totals: Totals) -> ledger_pb2.Totals:
        """Sums of closed trades; nothing is unrealized in them."""
        with localcontext(EXACT):
            return ledger_pb2.Totals(
                currency=totals.currency,
                gross_realized_pnl=plain(totals.gross_realized),
                realized_fees=plain(totals.realized_fees),
                net_realized_pnl=plain(totals.net_realized),
            )

    def created(self, outcome: Outcome, position: Valued) -> ledger_service_pb2.CreateEntryResponse:
        """What CreateEntry did."""
        return ledger_service_pb2.CreateEntryResponse(
            entry=outcome.opened and self._entry(outcome.opened),
            position=self._position(outcome.key, position),
            sequence=outcome.sequence,
            replayed=outcome.replayed,
            **self._restatements(outcome),
        )

    def closed(self, outcome: Outcome, position: Valued) -> ledger_service_pb2.CloseFifoResponse:
        """What CloseFifo did."""
        count, quantity, gross, fees = outcome.sums
        return ledger_service_pb2.CloseFifoResponse(
            closed_trades=self._trades(outcome.trades),
            opened_entry=outcome.opened and self._entry(outcome.opened),
            position=self._position(outcome.key, position),
            closed_quantity=plain(quantity),
            gross_pnl=plain(gross),
            fees=plain(fees),
            net_pnl=plain(EXACT.subtract(gross, fees)),
            sequence=outcome.sequence,
            replayed=outcome.replayed,
            closed_trade_count=count,
            **self._restatements(outcome),
        )

    def recorded(self, outcome: Outcome, position: Valued) -> ledger_service_pb2.RecordFillResponse:
        """What RecordFill did."""
        return ledger_service_pb2.RecordFillResponse(
            opened_entry=outcome.opened and self._entry(outcome.opened),
            closed_trades=self._trades(outcome.trades),
            position=self._position(outcome.key, position),
            sequence=outcome.sequence,
            replayed=outcome.replayed,
            closed_trade_count=outcome.sums.trade_count,
            **self._restatements(outcome),
        )

    def _restatements(self, outcome: Outcome) -> _Fields:
        if not outcome.restated:
            return {}
        shown = fitting((self.restated(told) for told in outcome.restated), MESSAGE_BYTES // 2)
        return {"restated_trades": shown, "restated_trade_count": outcome.restated_count}

    def _trades(self, trades: Sequence[ClosedTrade]) -> list[ledger_pb2.ClosedTrade]:
        return fitting((self.trade(trade) for trade in trades), MESSAGE_BYTES - (1 << 16))

    def mark(self, mark: Mark, stale: bool) -> market_service_pb2.Mark:
        """One mark."""
        return market_service_pb2.Mark(
            symbol=mark.symbol,
            price=plain(mark.price),
            observe_time=_stamp(mark.time),
            source=mark.source,
            stale=stale,
            bid=_optional(mark.bid),
            ask=_optional(mark.ask),
        )

    def feed(self, source: Source) -> market_service_pb2.FeedStatus:
        """One source; before its first message it has no time."""
        return market_service_pb2.FeedStatus(
            source=source.name,
            connected=source.connected,
            last_message_time=_stamp(source.last_message_time) if source.message_count else None,
            message_count=source.message_count,
            reconnect_count=source.reconnect_count,
            last_error=source.last_error,
        )


def money(amounts: Iterable[tuple[str, Decimal]]) -> list[_Fields]:
    """Amounts with their currencies."""
    return [{"currency": currency, "amount": plain(amount)} for currency, amount in amounts]


def rate_fields(rate: Rate, stale: bool = False) -> _Fields:
    """A rate as it was used, half-even at 18 digits where it was used the other way round."""
    price = quotient(ONE, rate.price) if rate.inverted else rate.price
    return {
        "from_currency": rate.quote if rate.inverted else rate.base,
        "to_currency": rate.target,
        "rate": plain(price),
        "rate_time": _stamp(rate.time),
        "source": rate.source,
        "stale": stale,
    }


def _leg(leg: Leg) -> ledger_pb2.GroupLeg:
    return ledger_pb2.GroupLeg(
        symbol=leg.key.symbol,
        side=_SIDES[leg.key.side],
        opened_quantity=plain(leg.dealt.opened),
        open_quantity=plain(leg.open.quantity),
        entry_credit=plain(leg.dealt.credit),
        gross_realized_pnl=plain(leg.dealt.gross),
        unrealized_pnl=_optional(leg.unrealized),
    )


def fitting(messages: Iterable[Any], room: int) -> list[Any]:
    """As many as fit into ``room`` bytes, one at least."""
    taken: list[Any] = []
    for message in messages:
        room -= message.ByteSize() + 6
        if room < 0 and taken:
            break
        taken.append(message)
    return taken


def _optional(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)
