"""What the ledger holds, as frozen Python values: one class per message, its fields named as in the contract.

Generated messages carry decimals as text and times as two integers, can be changed by whoever holds them, and read a
missing price as ``""``. Bots calculate with what they get. Therefore every number here is a ``Decimal``, a number the
ledger does not know is ``None`` and never 0, and every time is a ``Time``. The meaning of each field stands once, in
the proto files; the comments here give only what Python adds.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from lotkeeper.enums import EntryStatus, LotMethod, PositionSide, Side

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_SECONDS_A_DAY = 86_400


class Time(int):
    """Nanoseconds since 1970-01-01 UTC: exact, and an ``int`` wherever one is wanted."""

    __slots__ = ()

    @classmethod
    def of(cls, moment: dt.datetime) -> Time:
        """The time of an aware datetime, without loss.

        Raises:
            ValueError: it is naive, and so names no moment.
        """
        if moment.utcoffset() is None:
            raise ValueError(f"{moment!r} has no time zone, so it names no moment; pass datetime.now(timezone.utc)")
        since = moment - _EPOCH
        # Subclasses of datetime exist that keep nanoseconds beside it (pandas): they count.
        rest: int = getattr(moment, "nanosecond", 0)
        return cls(((since.days * _SECONDS_A_DAY + since.seconds) * 1_000_000 + since.microseconds) * 1_000 + rest)

    @property
    def datetime(self) -> dt.datetime:
        """The same moment as an aware UTC datetime, cut to the microseconds a datetime can hold."""
        return _EPOCH + dt.timedelta(microseconds=self // 1_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """An amount with its currency or asset."""

    currency: str
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversionRate:
    """A rate that turns amounts of one currency into another: what one unit is worth."""

    from_currency: str
    to_currency: str
    rate: Decimal
    rate_time: Time | None
    source: str
    stale: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One lot: what one execution opened, and what is still open of it."""

    entry_id: str
    portfolio_id: str
    symbol: str
    side: PositionSide
    quantity: Decimal
    remaining_quantity: Decimal
    entry_price: Decimal
    entry_time: Time
    entry_order_id: str
    entry_fill_id: str
    fee: Decimal
    fee_currency: str
    open_fee: Decimal
    status: EntryStatus
    group_id: str
    labels: Mapping[str, str] = field(hash=False)
    sequence: int
    synthetic: bool
    cost_basis: Decimal | None  # None where it is remaining_quantity x entry_price x multiplier
    fee_rate: ConversionRate | None  # None when none was needed, or none is known
    fee_pending: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedTrade:
    """One FIFO match: a piece of an entry closed by an execution; ``(sequence, index)`` orders all of them."""

    trade_id: str
    portfolio_id: str
    symbol: str
    side: PositionSide
    entry_id: str
    quantity: Decimal
    entry_price: Decimal
    exit_price: Decimal
    entry_time: Time
    exit_time: Time
    entry_order_id: str
    entry_fill_id: str
    exit_order_id: str
    exit_fill_id: str
    exit_reason: str
    gross_pnl: Decimal
    entry_fee: Decimal
    exit_fee: Decimal
    net_pnl: Decimal
    pnl_pct: Decimal | None  # None when the entry's notional is 0
    currency: str
    sequence: int
    index: int
    synthetic: bool
    labels: Mapping[str, str] = field(hash=False)
    group_id: str
    superseded_by: str
    provisional: bool
    exit_sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RestatedTrade:
    """A trade that a correction put in the place of another; one of the two is ``None`` where there is none."""

    before: ClosedTrade | None
    after: ClosedTrade | None
    sequence: int  # of the correction
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """One execution as the venue reported it. What calls take may be given as they take it; answers hold Decimals."""

    symbol: str
    side: Side
    quantity: Decimal | int | str
    price: Decimal | int | str
    fill_id: str
    order_id: str = ""
    fee: Decimal | int | str | None = None
    fee_currency: str = ""
    fill_time: dt.datetime | int | None = None
    position_side: PositionSide = PositionSide.UNSPECIFIED


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """One symbol of one portfolio, all open lots together."""

    portfolio_id: str
    symbol: str
    side: PositionSide
    total_quantity: Decimal
    average_entry_price: Decimal | None  # None when flat
    cost_basis: Decimal
    gross_realized_pnl: Decimal
    realized_fees: Decimal
    net_realized_pnl: Decimal
    open_fees: Decimal
    unrealized_pnl: Decimal | None  # None without a mark, never 0 for lack of a price
    mark_price: Decimal | None
    mark_time: Time | None
    mark_source: str
    mark_stale: bool
    open_entry_count: int
    first_entry_time: Time | None
    last_entry_time: Time | None
    currency: str
    entries: tuple[Entry, ...]  # the first 1000, when they were asked for
    entries_truncated: bool
    sequence: int
    book_side: PositionSide
    provisional: bool
    unconverted_fees: tuple[Money, ...]  # not in any other figure
    multiplier: Decimal
    lot_method: LotMethod


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Sums over positions of one currency."""

    currency: str
    gross_realized_pnl: Decimal
    realized_fees: Decimal
    net_realized_pnl: Decimal
    unrealized_pnl: Decimal | None  # None when positions are open and none is priced
    unpriced_symbols: tuple[str, ...]
    stale_symbols: tuple[str, ...]
    unpriced_count: int
    stale_count: int
    funding: Decimal | None  # this and the next four: None in sums over trades, which hold no cash
    interest: Decimal | None
    dividends: Decimal | None
    charged_fees: Decimal | None
    cash: Decimal | None
    total_value: Decimal | None  # None while an open position has no mark
    provisional: bool
    unconverted_fees: tuple[Money, ...]  # not in any other figure


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseTotals:
    """Everything of one portfolio in its base currency, at the newest rates."""

    currency: str
    gross_realized_pnl: Decimal
    fees: Decimal
    unrealized_pnl: Decimal | None  # None when positions are open and none is priced
    funding: Decimal
    interest: Decimal
    dividends: Decimal
    currency_pnl: Decimal | None  # None when a rate of then is not known
    total_value: Decimal | None  # None while an open position has no mark
    rates: tuple[ConversionRate, ...]
    unconverted_currencies: tuple[str, ...]  # nothing of them is in these figures


@dataclass(frozen=True, slots=True, kw_only=True)
class PortfolioTotals:
    """Totals of one portfolio: one per currency, and all of it in its base currency."""

    portfolio_id: str
    totals: tuple[Totals, ...]
    base_totals: BaseTotals | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupLeg:
    """One leg of a group."""

    symbol: str
    side: PositionSide
    opened_quantity: Decimal
    open_quantity: Decimal
    entry_credit: Decimal
    gross_realized_pnl: Decimal
    unrealized_pnl: Decimal | None  # None without a mark while it is open


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupPnL:
    """P&L, in one currency, of the legs that were opened with one ``group_id``."""

    portfolio_id: str
    group_id: str
    currency: str
    entry_credit: Decimal
    entry_credit_per_contract: Decimal | None  # None when the legs are not alike in opened quantity
    contracts: Decimal | None  # the same
    gross_realized_pnl: Decimal
    realized_fees: Decimal
    unrealized_pnl: Decimal | None  # None while an open leg has no mark
    pnl_per_contract: Decimal | None
    open_entry_count: int
    legs: tuple[GroupLeg, ...]
    sequence: int
    leg_count: int  # of all, where the answer holds fewer


@dataclass(frozen=True, slots=True)
class Mark:
    """A price of one instrument. ``set_marks`` takes these too; the server fills in ``source`` and ``stale``."""

    symbol: str
    price: Decimal
    observe_time: Time | None = None
    source: str = ""
    stale: bool = False
    bid: Decimal | None = None
    ask: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedStatus:
    """State of one price source."""

    source: str
    connected: bool
    last_message_time: Time | None
    message_count: int
    reconnect_count: int
    last_error: str
