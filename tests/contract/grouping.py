"""Groups as a test asks for them, and an independent recount of one from the lots and the closed trades that the ledger lists."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from typing import Any, NamedTuple

from lotkeeper.v1 import ledger_pb2
from tests.contract import asking, reading
from tests.contract.asking import LONG, summary

EXACT = Context(prec=200, rounding=ROUND_HALF_EVEN)
STEP = Decimal("0.000000000000000001")


class Told(NamedTuple):
    """What GroupPnL says, as numbers; legs by (symbol, side)."""

    entry_credit: Decimal
    entry_credit_per_contract: Decimal | None
    contracts: Decimal | None
    gross: Decimal
    fees: Decimal
    unrealized: Decimal | None
    pnl_per_contract: Decimal | None
    open_entries: int
    legs: dict[tuple[str, int], tuple[Decimal, Decimal, Decimal, Decimal, Decimal | None]]


def told(group: ledger_pb2.GroupPnL) -> Told:
    """The figures of a message."""
    assert group.leg_count == len(group.legs)
    return Told(
        Decimal(group.entry_credit),
        _optional(group, "entry_credit_per_contract"),
        _optional(group, "contracts"),
        Decimal(group.gross_realized_pnl),
        Decimal(group.realized_fees),
        _optional(group, "unrealized_pnl"),
        _optional(group, "pnl_per_contract"),
        group.open_entry_count,
        {
            (leg.symbol, leg.side): (
                Decimal(leg.opened_quantity),
                Decimal(leg.open_quantity),
                Decimal(leg.entry_credit),
                Decimal(leg.gross_realized_pnl),
                _optional(leg, "unrealized_pnl"),
            )
            for leg in group.legs
        },
    )


def _optional(message: Any, field: str) -> Decimal | None:
    return Decimal(getattr(message, field)) if message.HasField(field) else None


def groups(ledger: Any, portfolio: str, *named: str) -> dict[str, ledger_pb2.GroupPnL]:
    """Every group with something open and the ``named`` ones, by group_id; each has one currency."""
    answer = ledger.GetSummary(summary(portfolio, include_groups=True, group_ids=named))
    found = {group.group_id: group for group in answer.groups}
    assert len(found) == len(answer.groups)
    return found


def group(ledger: Any, portfolio: str, group_id: str) -> ledger_pb2.GroupPnL:
    """One group, open or not."""
    (found,) = ledger.GetSummary(summary(portfolio, group_ids=[group_id])).groups
    assert isinstance(found, ledger_pb2.GroupPnL)
    return found


def recounted(ledger: Any, portfolio: str) -> dict[str, Told]:
    """Every group of a portfolio, from its lots, its closed trades and the marks of its positions: one currency, FIFO."""
    positions = {
        position.symbol: position for position in ledger.GetSummary(summary(portfolio, include_flat=True)).positions
    }
    with localcontext(EXACT):
        counting = [asking.OPEN, asking.PARTIALLY_CLOSED, asking.CLOSED]
        entries = reading.all_entries(ledger, portfolio, statuses=counting)
        symbols = {entry.entry_id: entry.symbol for entry in entries}
        trades = reading.all_trades(ledger, portfolio)
        names = {one.group_id for one in entries} - {""}
        return {
            name: _recounted(
                [entry for entry in entries if entry.group_id == name],
                [trade for trade in trades if trade.group_id == name],
                positions,
                symbols,
            )
            for name in names
        }


def _recounted(
    entries: Iterable[ledger_pb2.Entry],
    trades: Iterable[ledger_pb2.ClosedTrade],
    positions: dict[str, ledger_pb2.Position],
    symbols: dict[str, str],
) -> Told:
    legs: dict[tuple[str, int], list[Decimal | None]] = {}
    count, fees = 0, Decimal(0)
    for entry in entries:
        leg = legs.setdefault((entry.symbol, entry.side), [Decimal(0)] * 5)
        sign, position = (1 if entry.side == LONG else -1), positions[entry.symbol]
        multiplier = Decimal(position.multiplier)
        quantity, remaining, price = map(Decimal, (entry.quantity, entry.remaining_quantity, entry.entry_price))
        cost = Decimal(entry.cost_basis) if entry.HasField("cost_basis") else remaining * price * multiplier
        leg[0] = _sum(leg[0], quantity)
        leg[1] = _sum(leg[1], remaining)
        leg[2] = _sum(leg[2], -sign * quantity * price * multiplier)
        if remaining:
            mark = _optional(position, "mark_price")
            leg[4] = _sum(leg[4], None if mark is None else sign * (remaining * mark * multiplier - cost))
            count += 1
    for trade in trades:
        leg = legs.setdefault((symbols[trade.entry_id], trade.side), [Decimal(0)] * 5)
        leg[3] = _sum(leg[3], Decimal(trade.gross_pnl))
        fees += Decimal(trade.entry_fee) + Decimal(trade.exit_fee)
    return _together(legs, fees, count)


def _together(legs: dict[tuple[str, int], list[Decimal | None]], fees: Decimal, count: int) -> Told:
    credit, gross = (sum((leg[place] or Decimal(0) for leg in legs.values()), Decimal(0)) for place in (2, 3))
    unrealized: Decimal | None = Decimal(0)
    for leg in legs.values():
        unrealized = _sum(unrealized, leg[4])
    sizes = {leg[0] for leg in legs.values()}
    contracts = sizes.pop() if len(sizes) == 1 else None
    per_contract = None if contracts is None else (credit / contracts).quantize(STEP)
    pnl = None if contracts is None or unrealized is None else ((gross - fees + unrealized) / contracts).quantize(STEP)
    shown: Any = {key: tuple(leg) for key, leg in legs.items()}
    return Told(credit, per_contract, contracts, gross, fees, unrealized, pnl, count, shown)


def _sum(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return None if one is None or other is None else one + other
