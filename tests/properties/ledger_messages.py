"""What the model says, as the contract's messages: requests to send, and the answers that must come back, to the digit."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, NamedTuple

from google.protobuf.timestamp_pb2 import Timestamp

from lotkeeper.v1 import ledger_pb2, ledger_service_pb2, market_service_pb2
from tests.properties.ledger_model import CLOSE_FIFO, CREATE_ENTRY, STEP, Closed, Fact, Model, Told, plain
from tests.properties.unit_fifo import Held, rounded

CURRENCY = "USD"
SECOND = 1_000_000_000
PERCENT_DIGITS = 6
NOTHING = Fraction(0)

_POSITION_SIDES = {
    1: ledger_pb2.POSITION_SIDE_LONG,
    -1: ledger_pb2.POSITION_SIDE_SHORT,
    0: ledger_pb2.POSITION_SIDE_FLAT,
}
_TRADED = {1: ledger_pb2.SIDE_BUY, -1: ledger_pb2.SIDE_SELL}


class Mark(NamedTuple):
    """A price observed long ago, so that it is stale whenever it is looked at."""

    price: Fraction
    time: int
    source: str


def stamp(nanoseconds: int) -> Timestamp:
    """A time as the wire has it."""
    return Timestamp(seconds=nanoseconds // SECOND, nanos=nanoseconds % SECOND)


def request(portfolio: str, told: Told, validate_only: bool = False) -> Any:
    """The request that tells it."""
    common: dict[str, Any] = {"portfolio_id": portfolio, "request_id": told.request_id, "validate_only": validate_only}
    execution: dict[str, Any] = {
        "symbol": told.symbol,
        "quantity": "" if told.units is None else plain(told.units * STEP),
        "fee": "" if told.fee is None else plain(told.fee),
    }
    time = None if told.time is None else stamp(told.time)
    policy = f"EXCESS_POLICY_{told.policy}" if told.policy else None
    labels, group_id, side = dict(told.labels), told.group_id, _POSITION_SIDES[told.side] if told.side else None
    if told.method == CREATE_ENTRY:
        return ledger_service_pb2.CreateEntryRequest(
            side=side,
            entry_price=plain(told.price),
            entry_time=time,
            entry_order_id=told.order_id,
            entry_fill_id=told.fill_id,
            group_id=group_id,
            labels=labels,
            **execution,
            **common,
        )
    if told.method == CLOSE_FIFO:
        return ledger_service_pb2.CloseFifoRequest(
            side=side,
            close_all=told.units is None,
            exit_price=plain(told.price),
            exit_time=time,
            exit_reason=told.reason,
            exit_order_id=told.order_id,
            exit_fill_id=told.fill_id,
            excess_policy=policy,
            **execution,
            **common,
        )
    fill = ledger_pb2.Fill(
        side=_TRADED[told.side],
        price=plain(told.price),
        fill_time=time,
        order_id=told.order_id,
        fill_id=told.fill_id,
        **execution,
    )
    return ledger_service_pb2.RecordFillRequest(
        fill=fill, reason=told.reason, group_id=group_id, labels=labels, excess_policy=policy, **common
    )


def entry(portfolio: str, fact: Fact, held: Held | None) -> ledger_pb2.Entry:
    """The lot that ``fact`` opened; ``held`` is what is left of it."""
    told, units = fact.told, held.units if held else 0
    full = units == fact.did.opened_units
    status = "OPEN" if full else "PARTIALLY_CLOSED" if units else "CLOSED"
    return ledger_pb2.Entry(
        entry_id=f"E{fact.sequence}",
        portfolio_id=portfolio,
        symbol=told.symbol,
        side=_POSITION_SIDES[fact.side],
        quantity=plain(fact.did.opened_units * STEP),
        remaining_quantity=plain(units * STEP),
        entry_price=plain(told.price),
        entry_time=stamp(fact.time),
        entry_order_id=told.order_id,
        entry_fill_id=told.fill_id,
        fee=plain(told.fee or NOTHING),
        fee_currency=CURRENCY,
        open_fee=plain(held.fee if held else NOTHING),
        status=f"ENTRY_STATUS_{status}",
        group_id=told.group_id,
        labels=dict(told.labels),
        sequence=fact.sequence,
    )


def entry_as_opened(portfolio: str, fact: Fact) -> ledger_pb2.Entry | None:
    """The lot as it was when ``fact`` opened it; None when it opened none."""
    if not fact.did.opened_units:
        return None
    opened = entry(portfolio, fact, None)
    opened.remaining_quantity, opened.open_fee = opened.quantity, plain(fact.did.opened_fee)
    opened.status = ledger_pb2.ENTRY_STATUS_OPEN
    return opened


def trade(portfolio: str, closed: Closed) -> ledger_pb2.ClosedTrade:
    """One closed trade."""
    exit_, entry_, taken = closed.fact, closed.entry, closed.taken
    net = taken.gross - taken.entry_fee - taken.exit_fee
    notional = taken.units * STEP * entry_.told.price
    return ledger_pb2.ClosedTrade(
        trade_id=f"T{exit_.sequence}.{closed.place}",
        portfolio_id=portfolio,
        symbol=exit_.told.symbol,
        side=_POSITION_SIDES[entry_.side],
        entry_id=f"E{entry_.sequence}",
        quantity=plain(taken.units * STEP),
        entry_price=plain(entry_.told.price),
        exit_price=plain(exit_.told.price),
        entry_time=stamp(entry_.time),
        exit_time=stamp(exit_.time),
        exit_order_id=exit_.told.order_id,
        exit_fill_id=exit_.told.fill_id,
        exit_reason=exit_.told.reason,
        gross_pnl=plain(taken.gross),
        entry_fee=plain(taken.entry_fee),
        exit_fee=plain(taken.exit_fee),
        net_pnl=plain(net),
        pnl_pct=plain(rounded(net * 100 / notional, PERCENT_DIGITS)) if notional else None,
        currency=CURRENCY,
        sequence=exit_.sequence,
        exit_sequence=exit_.sequence,
        index=closed.place,
        labels=dict(entry_.told.labels),
        group_id=entry_.told.group_id,
        entry_order_id=entry_.told.order_id,
        entry_fill_id=entry_.told.fill_id,
    )


def position(portfolio: str, model: Model, symbol: str, mark: Mark | None) -> ledger_pb2.Position:
    """One symbol at its mark."""
    pile = model.pile(symbol)
    held = pile.held()
    message = ledger_pb2.Position(
        portfolio_id=portfolio,
        symbol=symbol,
        side=_POSITION_SIDES[pile.side],
        total_quantity=plain(pile.quantity),
        average_entry_price=plain(rounded(pile.cost / pile.quantity)) if held else None,
        cost_basis=plain(pile.cost),
        gross_realized_pnl=plain(pile.gross),
        realized_fees=plain(pile.paid),
        net_realized_pnl=plain(pile.gross - pile.paid),
        open_fees=plain(pile.open_fees),
        open_entry_count=len(held),
        first_entry_time=stamp(held[0].entry.time) if held else None,
        last_entry_time=stamp(held[-1].entry.time) if held else None,
        currency=CURRENCY,
        sequence=pile.sequence,
        multiplier="1",
        lot_method=ledger_pb2.LOT_METHOD_FIFO,
    )
    if mark is not None:
        message.unrealized_pnl, message.mark_price = plain(pile.unrealized(mark.price)), plain(mark.price)
        message.mark_time.CopyFrom(stamp(mark.time))
        message.mark_source, message.mark_stale = mark.source, True
    return message


def totals(model: Model, marks: dict[str, Mark]) -> ledger_pb2.Totals:
    """Sums over every symbol ever traded."""
    gross = sum((pile.gross for pile in model.piles.values()), NOTHING)
    paid = sum((pile.paid for pile in model.piles.values()), NOTHING)
    opened = {symbol: pile for symbol, pile in model.piles.items() if pile.side}
    unrealized = [pile.unrealized(marks[symbol].price) for symbol, pile in opened.items() if symbol in marks]
    held = sum((pile.side * pile.cost for pile in opened.values()), NOTHING)
    cash = gross - paid - sum((pile.open_fees for pile in opened.values()), NOTHING) - held
    return ledger_pb2.Totals(
        currency=CURRENCY,
        gross_realized_pnl=plain(gross),
        realized_fees=plain(paid),
        net_realized_pnl=plain(gross - paid),
        funding="0",
        interest="0",
        dividends="0",
        charged_fees="0",
        cash=plain(cash),
        total_value=plain(cash + held + sum(unrealized, NOTHING)) if opened.keys() <= marks.keys() else None,
        unrealized_pnl=plain(sum(unrealized, NOTHING)) if unrealized or not opened else None,
        unpriced_symbols=sorted(opened.keys() - marks.keys()),
        stale_symbols=sorted(opened.keys() & marks.keys()),
        unpriced_count=len(opened.keys() - marks.keys()),
        stale_count=len(opened.keys() & marks.keys()),
    )


def realized(gross: Fraction, fees: Fraction) -> ledger_pb2.Totals:
    """Sums of closed trades."""
    return ledger_pb2.Totals(
        currency=CURRENCY,
        gross_realized_pnl=plain(gross),
        realized_fees=plain(fees),
        net_realized_pnl=plain(gross - fees),
    )


def answer(portfolio: str, model: Model, told: Told, fact: Fact, replayed: bool, mark: Mark | None) -> Any:
    """The answer to ``told``, which ``fact`` records or had recorded before: what was done then, the position now."""
    opened, trades = entry_as_opened(portfolio, fact), [trade(portfolio, closed) for closed in model.closed_by(fact)]
    common: dict[str, Any] = {
        "position": position(portfolio, model, told.symbol, mark),
        "sequence": fact.sequence,
        "replayed": replayed,
    }
    if told.method == CREATE_ENTRY:
        return ledger_service_pb2.CreateEntryResponse(entry=opened, **common)
    common |= {"opened_entry": opened, "closed_trades": trades, "closed_trade_count": len(trades)}
    if told.method != CLOSE_FIFO:
        return ledger_service_pb2.RecordFillResponse(**common)
    taken = fact.did.taken
    gross = sum((piece.gross for piece in taken), NOTHING)
    fees = sum((piece.entry_fee + piece.exit_fee for piece in taken), NOTHING)
    return ledger_service_pb2.CloseFifoResponse(
        closed_quantity=plain(sum(piece.units for piece in taken) * STEP),
        gross_pnl=plain(gross),
        fees=plain(fees),
        net_pnl=plain(gross - fees),
        **common,
    )


def set_marks(symbol: str, mark: Mark) -> market_service_pb2.SetMarksRequest:
    """One mark pushed by its source."""
    price = market_service_pb2.Mark(symbol=symbol, price=plain(mark.price), observe_time=stamp(mark.time))
    return market_service_pb2.SetMarksRequest(marks=[price], source=mark.source)
