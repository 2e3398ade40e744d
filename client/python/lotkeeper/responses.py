"""What calls answer, as frozen values: one class per response of the contract, its fields named as there.

Long answers are cut by the server: ``closed_trades`` and ``restated_trades`` are the first 1000, and the count beside
them says how many there are. An answer to a write is on disk when it arrives; ``replayed`` says that this execution,
event or request was recorded before, and nothing new was written.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from lotkeeper.account import Event
from lotkeeper.enums import RecordKind, Side
from lotkeeper.terms import Instrument, Portfolio
from lotkeeper.values import (
    BaseTotals,
    ClosedTrade,
    ConversionRate,
    Entry,
    FeedStatus,
    GroupPnL,
    Mark,
    Money,
    Position,
    RestatedTrade,
    Time,
    Totals,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateEntryResponse:
    """What ``create_entry`` did. When ``replayed``, ``entry`` is the first one."""

    entry: Entry
    position: Position
    sequence: int
    replayed: bool
    restated_trades: tuple[RestatedTrade, ...]
    restated_trade_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseFifoResponse:
    """What ``close_fifo`` did."""

    closed_trades: tuple[ClosedTrade, ...]
    closed_trade_count: int
    opened_entry: Entry | None
    position: Position
    closed_quantity: Decimal
    gross_pnl: Decimal
    fees: Decimal
    net_pnl: Decimal
    sequence: int
    replayed: bool
    restated_trades: tuple[RestatedTrade, ...]
    restated_trade_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFillResponse:
    """What ``record_fill`` did."""

    opened_entry: Entry | None
    closed_trades: tuple[ClosedTrade, ...]
    closed_trade_count: int
    position: Position
    sequence: int
    replayed: bool
    restated_trades: tuple[RestatedTrade, ...]
    restated_trade_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FillResult:
    """What became of one execution of ``record_fills``; it is on disk unless it was refused."""

    fill_id: str
    sequence: int  # 0 when it was refused
    replayed: bool
    net_pnl: Decimal
    refusal: str  # the reason without its prefix, such as FILL_CONFLICT; empty when it was recorded
    message: str  # why it was refused, in words


@dataclass(frozen=True, slots=True, kw_only=True)
class BustFillResponse:
    """What ``bust_fill`` did; ``net_pnl_change`` is the sum over all restated trades."""

    restated_trades: tuple[RestatedTrade, ...]
    restated_trade_count: int
    net_pnl_change: Decimal
    position: Position
    sequence: int
    replayed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectFillResponse:
    """What ``correct_fill`` did; ``net_pnl_change`` is the sum over all restated trades."""

    restated_trades: tuple[RestatedTrade, ...]
    restated_trade_count: int
    net_pnl_change: Decimal
    position: Position
    sequence: int
    replayed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordEventResponse:
    """What an event did; ``cash`` is what there is after it, of the currencies it touched."""

    event: Event
    positions: tuple[Position, ...]
    closed_trades: tuple[ClosedTrade, ...]
    closed_trade_count: int
    opened_entries: tuple[Entry, ...]
    restated_trades: tuple[RestatedTrade, ...]
    restated_trade_count: int
    cash: tuple[Money, ...]
    sequence: int
    replayed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Every position asked for and the totals of the portfolio, all taken at ``sequence``."""

    positions: tuple[Position, ...]
    totals: tuple[Totals, ...]
    base_totals: BaseTotals | None
    groups: tuple[GroupPnL, ...]
    sequence: int
    ledger_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatePortfolioResponse:
    """The portfolio as it is now."""

    portfolio: Portfolio
    sequence: int
    replayed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdatePortfolioResponse:
    """The portfolio as it is now."""

    portfolio: Portfolio
    sequence: int
    replayed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosePortfolioResponse:
    """The portfolio as it is now."""

    portfolio: Portfolio
    sequence: int
    replayed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DefineInstrumentResponse:
    """The instrument as it is now."""

    instrument: Instrument
    sequence: int
    replayed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainLine:
    """One record, and what it adds: over all lines the changes sum to the figures of the trade or position, exactly."""

    sequence: int
    kind: RecordKind
    fill_time: Time | None
    record_time: Time
    fill_id: str
    order_id: str
    side: Side  # UNSPECIFIED where nothing was traded; then quantity and price are None
    quantity: Decimal | None
    price: Decimal | None
    fee: Money | None
    fee_rate: ConversionRate | None  # None when none was needed, or none is known
    quantity_change: Decimal
    cost_change: Decimal
    gross_pnl_change: Decimal
    fees_change: Decimal
    open_fees_change: Decimal
    explanation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainTradeResponse:
    """Why a trade is what it is: changes of ``lines`` sum to its gross P&L and fees."""

    trade: ClosedTrade
    lines: tuple[ExplainLine, ...]
    superseded_trades: tuple[ClosedTrade, ...]  # oldest first


@dataclass(frozen=True, slots=True, kw_only=True)
class SetMarksResponse:
    """How many marks were taken, and how many dropped because a newer one was held."""

    accepted_count: int
    outdated_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishMarksResponse:
    """How many marks a stream brought, and how many were dropped because a newer one was held."""

    accepted_count: int
    outdated_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ListMarksResponse:
    """The newest mark of each instrument, and every price source."""

    marks: tuple[Mark, ...]
    feeds: tuple[FeedStatus, ...]
