"""Entries and closed trades as the world sees them: in tables, on the wire, in the stream."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from enum import Enum
from typing import NamedTuple

from lotkeeperd.domain.book import Contract, Direction, Fill, Lot, LotOpened, LotReduced, Record
from lotkeeperd.domain.commands import Command, entry_id, trade_id
from lotkeeperd.domain.decimals import ZERO, average, percent
from lotkeeperd.domain.fees import FeeState


class EntryStatus(Enum):
    """How much of an entry is open; the value is stored."""

    OPEN = "OPEN"
    PARTIALLY_CLOSED = "PARTIALLY_CLOSED"
    CLOSED = "CLOSED"
    SUPERSEDED = "SUPERSEDED"


def status_of(quantity: Decimal, remaining: Decimal) -> EntryStatus:
    """The status of an entry of ``quantity`` with ``remaining`` of it open."""
    if not remaining:
        return EntryStatus.CLOSED
    return EntryStatus.OPEN if remaining == quantity else EntryStatus.PARTIALLY_CLOSED


class Entry(NamedTuple):
    """One lot with its identity; fields as in the contract, times in nanoseconds UTC, amounts in the book's currency.

    ``cost`` is what is open of it is carried at, where that is not quantity x price x multiplier.
    """

    portfolio_id: str
    symbol: str
    remaining_quantity: Decimal
    open_fee: Decimal
    opened: LotOpened
    cost: Decimal | None = None
    superseded: bool = False

    @property
    def entry_id(self) -> str:
        """Made by the ledger."""
        return entry_id(self.opened.sequence)

    @property
    def status(self) -> EntryStatus:
        """Open, partially closed or closed."""
        if self.superseded:
            return EntryStatus.SUPERSEDED
        return status_of(self.opened.quantity, self.remaining_quantity)


def entry_as_opened(portfolio_id: str, symbol: str, opened: LotOpened) -> Entry:
    """The lot as it was the moment it was opened."""
    return Entry(portfolio_id, symbol, opened.quantity, opened.fee, opened, opened.cost)


def entry_of(portfolio_id: str, symbol: str, lot: Lot) -> Entry:
    """The lot as it is now; what is closed is carried at nothing, not at zero."""
    cost = lot.cost if lot.remaining else None
    return Entry(portfolio_id, symbol, lot.remaining, lot.open_fee, lot.opened, cost)


class ClosedTrade(NamedTuple):
    """One match; fields as in the contract, times in nanoseconds UTC, amounts in ``currency`` ("" for the ledger's).

    ``superseded_by`` names the correction, and the place in it, that took this trade's place. ``exit_sequence`` is of the
    execution that closed it: after a correction ``sequence`` is the correction's.
    """

    portfolio_id: str
    symbol: str
    side: Direction
    sequence: int
    trade_index: int
    entry_sequence: int
    quantity: Decimal
    entry_price: Decimal
    exit_price: Decimal
    entry_time: int
    exit_time: int
    exit_order_id: str
    exit_fill_id: str
    exit_reason: str
    gross_pnl: Decimal
    entry_fee: Decimal
    exit_fee: Decimal
    net_pnl: Decimal
    pnl_pct: Decimal | None
    entry_order_id: str
    entry_fill_id: str
    group_id: str
    labels: tuple[tuple[str, str], ...]
    synthetic: bool
    currency: str
    exit_sequence: int
    provisional: bool
    superseded_by: tuple[int, int] | None = None

    @property
    def trade_id(self) -> str:
        """Made by the ledger."""
        return trade_id(self.sequence, self.trade_index)

    @property
    def entry_id(self) -> str:
        """The entry that was closed."""
        return entry_id(self.entry_sequence)


def closed_trades(
    command: Command, fill: Fill, records: Sequence[Record], contract: Contract, state: FeeState = FeeState.SETTLED
) -> Iterator[ClosedTrade]:
    """One closed trade for each reduced lot among ``records``, in order; run under ``localcontext(EXACT)``.

    ``state`` is of the closing fill's fee.
    """
    for index, record in enumerate(records):
        if isinstance(record, LotReduced):
            yield _closed_trade(command, fill, index, record, contract, state is not FeeState.SETTLED)


def _closed_trade(
    command: Command, fill: Fill, index: int, record: LotReduced, contract: Contract, pending: bool
) -> ClosedTrade:
    opened = record.lot.opened
    origin = opened.origin
    net = record.gross - record.entry_fee - record.exit_fee
    price, cost = opened.price, record.cost
    if cost is None:
        cost = price * record.quantity * contract.multiplier
    elif not contract.inverse:
        price = average(cost, record.quantity * contract.multiplier)
    return ClosedTrade(
        command.portfolio_id,
        command.symbol,
        opened.direction,
        record.sequence,
        index,
        opened.sequence,
        record.quantity,
        price,
        record.exit_price,
        opened.time,
        fill.time,
        command.order_id,
        command.fill_id,
        command.reason,
        record.gross,
        record.entry_fee,
        record.exit_fee,
        net,
        percent(net, cost),
        origin.order_id,
        origin.fill_id,
        origin.group_id,
        origin.labels,
        origin.synthetic or command.synthetic,
        contract.currency,
        record.sequence,
        pending or origin.fee_pending,
    )


class Restatement(NamedTuple):
    """What a correction made of one closed trade; one side is None where there is none."""

    portfolio_id: str
    symbol: str
    before: ClosedTrade | None
    after: ClosedTrade | None

    @property
    def place(self) -> tuple[int, int]:
        """(sequence, index) of the correction, and of this within it."""
        if self.after is not None:
            return self.after.sequence, self.after.trade_index
        assert self.before is not None
        assert self.before.superseded_by is not None
        return self.before.superseded_by

    @property
    def net_change(self) -> Decimal:
        """Of net realized P&L; run under ``localcontext(EXACT)``."""
        return (self.after.net_pnl if self.after else ZERO) - (self.before.net_pnl if self.before else ZERO)


class Totals(NamedTuple):
    """Sums of realized P&L in one currency."""

    currency: str
    gross_realized: Decimal = ZERO
    realized_fees: Decimal = ZERO

    @property
    def net_realized(self) -> Decimal:
        """Gross without the fees; run under ``localcontext(EXACT)``."""
        return self.gross_realized - self.realized_fees
