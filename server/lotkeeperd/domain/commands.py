"""What callers ask for, what it is decided under, and what is recorded of it.

``deciding`` makes of a command what it comes to at a book; ``replaying`` makes of a recorded decision what the book evolves by,
and decides nothing anew (law 13). Which keys a command claims, and what makes a second one a replay, stands in ``once``.
"""

from __future__ import annotations

from decimal import Decimal
from enum import Enum, IntFlag
from typing import NamedTuple

from lotkeeperd.domain.book import (
    Direction,
    Fill,
    Lot,
    LotOpened,
    Origin,
)
from lotkeeperd.domain.decimals import ZERO
from lotkeeperd.domain.fees import NONE, Charged, FeeState
from lotkeeperd.domain.instruments import Instrument, Kind
from lotkeeperd.domain.portfolios import Portfolio, PositionMode
from lotkeeperd.domain.rates import Rate

RULES_VERSION = 2
"""Of the rules that decide; stored with every record, so that an old journal is never decided anew."""


class Method(Enum):
    """What was asked; the value is stored."""

    CREATE_ENTRY = "CreateEntry"
    CLOSE_FIFO = "CloseFifo"
    RECORD_FILL = "RecordFill"
    EXPIRY = "Expiry"
    EXERCISE = "Exercise"
    ASSIGNMENT = "Assignment"
    DELIVERY = "Delivery"  # the underlying's side of an exercise or an assignment
    CASH_SETTLEMENT = "CashSettlement"
    LIQUIDATION = "Liquidation"
    SPLIT = "Split"
    CASH_IN_LIEU = "CashInLieu"  # what a split left beyond whole steps, paid for
    SYMBOL_CHANGE = "SymbolChange"
    SYMBOL_ARRIVAL = "SymbolArrival"  # the new symbol's side of a symbol change

    __hash__ = object.__hash__  # an enum's own goes through Python, five times a fill


CLOSING = frozenset(
    {
        Method.CLOSE_FIFO,
        Method.EXPIRY,
        Method.EXERCISE,
        Method.ASSIGNMENT,
        Method.CASH_SETTLEMENT,
        Method.CASH_IN_LIEU,
    }
)
"""Methods that close what is open and open nothing unless they are told to reverse."""


class Excess(Enum):
    """What becomes of quantity beyond the open lots; the value is stored."""

    UNSPECIFIED = "unspecified"
    REJECT = "reject"
    REVERSE = "reverse"


class Role(IntFlag):
    """What an id may have been recorded as."""

    ENTRY = 1
    EXIT = 2
    BOTH = 3
    EVENT = 4
    CORRECTION = 8


class Command(NamedTuple):
    """One write as the caller asked for it. None, and empty text, mean that the caller gave none.

    ``side`` is the traded side: LONG for bought, SHORT for sold. ``time`` is nanoseconds UTC, ``fee`` in ``fee_currency``, or in
    the book's when that is empty. ``chosen`` are (lot sequence, quantity); ``late`` puts it where its time belongs; ``details`` are
    what an event says besides, by the contract's names.
    ``brief`` wants to know what was realized and nothing else, which spares the building of lots, trades and a position.
    """

    method: Method
    portfolio_id: str
    symbol: str
    side: Direction | None
    quantity: Decimal | None
    price: Decimal
    fee: Decimal | None = None
    fee_currency: str = ""
    time: int | None = None
    order_id: str = ""
    fill_id: str = ""
    request_id: str = ""
    close_all: bool = False
    excess: Excess = Excess.REJECT
    reason: str = ""
    group_id: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    validate_only: bool = False
    synthetic: bool = False
    book_side: Direction | None = None
    chosen: tuple[tuple[int, Decimal], ...] = ()
    late: bool = False
    details: tuple[tuple[str, str], ...] = ()
    brief: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether it says nothing but what most executions say."""
        return not (self.synthetic or self.book_side or self.chosen or self.late or self.details)

    @property
    def role(self) -> Role:
        """The roles of its id that it looks at and claims."""
        if self.method is _RECORD_FILL:
            return _BOTH
        if self.method is Method.CREATE_ENTRY:
            return Role.ENTRY
        if self.method is Method.CLOSE_FIFO and self.excess is Excess.REJECT:
            return Role.EXIT
        if self.method in _FILLS:
            return Role.BOTH
        return Role.EVENT


_RECORD_FILL, _BOTH = Method.RECORD_FILL, Role.BOTH  # an enum's member is slow to look up
_FILLS = frozenset({Method.CLOSE_FIFO, Method.RECORD_FILL, Method.LIQUIDATION})


# An enum's member is slow to look up.
_HEDGING, _SPOT, _INVERSE = PositionMode.HEDGING, Kind.SPOT, Kind.INVERSE
_SETTLED, _REJECT = FeeState.SETTLED, Excess.REJECT


class Terms(NamedTuple):
    """What a command is decided under; ``rate`` turns its fee's currency into the book's, where it is known.

    ``valued_since`` is the sequence of the record since which the instrument has been worth what it is now, 0 for ever.
    """

    instrument: Instrument
    portfolio: Portfolio
    rate: Rate | None = None
    valued_since: int = 0

    @property
    def hedging(self) -> bool:
        """Whether each side has a book of its own."""
        return self.portfolio.position_mode is _HEDGING

    @property
    def plain(self) -> bool:
        """Whether nothing is to be looked at but the command and the book."""
        portfolio, instrument = self.portfolio, self.instrument
        return not (
            portfolio.closed
            or portfolio.long_only
            or portfolio.fees_later
            or portfolio.position_mode is _HEDGING
            or (instrument.declared and instrument.kind is _SPOT)
            or instrument.kind is _INVERSE
        )


class Match(NamedTuple):
    """One closed trade as the journal holds it: which lot, how much, and the amounts that were decided.

    ``cost`` is what the lot was carried at where that is not quantity x price x multiplier.
    """

    lot_sequence: int
    quantity: Decimal
    gross: Decimal
    entry_fee: Decimal
    exit_fee: Decimal
    cost: Decimal | None = None


class Decision(NamedTuple):
    """One record of one book: what was asked, and what was decided.

    ``charged`` is how the fee came in. ``taken`` and ``placed`` are the lots that left and arrived without a trade.
    """

    sequence: int
    recorded_time: int
    command: Command
    fill: Fill
    opened: LotOpened | None
    matches: tuple[Match, ...]
    charged: Charged = NONE
    taken: tuple[int, ...] = ()
    placed: tuple[Lot, ...] = ()

    @property
    def venue_quantity(self) -> Decimal:
        """What the venue reported: a fee in the coin that was traded moved it. Run under ``localcontext(EXACT)``."""
        if self.command.quantity is not None:
            return self.command.quantity
        return self.fill.quantity + self.fill.direction * self.charged.moved


class Sums(NamedTuple):
    """Of one decision's closed trades, in the book's currency; fees of entry and exit together."""

    trade_count: int
    quantity: Decimal
    gross: Decimal
    fees: Decimal


def origin_of(command: Command, fee: Charged) -> Origin:
    """What goes with the lot that ``command`` opens."""
    return Origin(
        command.order_id,
        command.fill_id,
        command.fee_currency,
        command.group_id,
        command.labels,
        command.synthetic,
        command.fee or ZERO,
        fee.rate,
        fee.state is not _SETTLED,
    )


def sums(decision: Decision) -> Sums:
    """Of its closed trades; run under ``localcontext(EXACT)``."""
    quantity = gross = fees = ZERO
    for match in decision.matches:
        quantity += match.quantity
        gross += match.gross
        fees += match.entry_fee + match.exit_fee
    return Sums(len(decision.matches), quantity, gross, fees)


# What a field is called where its caller wrote it.
_NAMES = {
    Method.CREATE_ENTRY: {
        "price": "entry_price",
        "order_id": "entry_order_id",
        "fill_id": "entry_fill_id",
        "time": "entry_time",
    },
    Method.CLOSE_FIFO: {
        "price": "exit_price",
        "order_id": "exit_order_id",
        "fill_id": "exit_fill_id",
        "time": "exit_time",
    },
    Method.RECORD_FILL: {
        name: f"fill.{name}"
        for name in ("symbol", "side", "quantity", "price", "fee", "fee_currency", "order_id", "fill_id")
    }
    | {"time": "fill.fill_time"},
}


def field_name(method: Method, name: str) -> str:
    """The contract's name of a content field in the request of ``method``."""
    return _NAMES.get(method, {}).get(name, name)


def entry_id(sequence: int) -> str:
    """The id of the lot that journal record ``sequence`` opened; a record opens one lot at most."""
    return f"E{sequence}"


def trade_id(sequence: int, index: int) -> str:
    """The id of the closed trade ``index`` of journal record ``sequence``."""
    return f"T{sequence}.{index}"
