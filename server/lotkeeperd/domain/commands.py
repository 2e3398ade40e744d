"""What callers ask for, and what becomes of it: open or add, reduce, close, flip, or a refusal.

Law 8 is kept here: what the content of a fill is, which keys a command claims, and what makes a second one a replay.

    key                                     claimed by
    (portfolio, request_id)                 every command that has one, for ever
    (portfolio, symbol, entry, fill id)     CreateEntry, RecordFill, CloseFifo with REVERSE
    (portfolio, symbol, exit, fill id)      CloseFifo, RecordFill

A bot may so split one flipping fill into a CloseFifo and a CreateEntry with the same fill id, but RecordFill finds both.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from enum import Enum, IntFlag
from typing import NamedTuple

from lotkeeperd.domain.book import Book, Direction, Fill, LotOpened, LotReduced, Origin, Record
from lotkeeperd.domain.decimals import ZERO, plain
from lotkeeperd.domain.refusals import (
    FillConflict,
    InsufficientQuantity,
    NoOpenPosition,
    OppositeSideOpen,
    RequestIdReused,
)

RULES_VERSION = 1
"""Of the rules that decide; stored with every record, so that an old journal is never decided anew."""


class Method(Enum):
    """The RPC that asked; the value is stored."""

    CREATE_ENTRY = "CreateEntry"
    CLOSE_FIFO = "CloseFifo"
    RECORD_FILL = "RecordFill"


class Excess(Enum):
    """What becomes of quantity beyond the open lots; the value is stored."""

    REJECT = "reject"
    REVERSE = "reverse"


class Role(IntFlag):
    """What a fill may have been recorded as."""

    ENTRY = 1
    EXIT = 2
    BOTH = 3


class Command(NamedTuple):
    """One write as the caller asked for it. None, and empty text, mean that the caller gave none.

    ``side`` is the traded side: LONG for bought, SHORT for sold. ``time`` is nanoseconds UTC, ``fee`` in the quote currency.
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

    @property
    def role(self) -> Role:
        """The roles of its fill that it looks at and claims."""
        if self.method is Method.CREATE_ENTRY:
            return Role.ENTRY
        if self.method is Method.CLOSE_FIFO and self.excess is Excess.REJECT:
            return Role.EXIT
        return Role.BOTH


class Match(NamedTuple):
    """One closed trade as the journal holds it: which lot, how much, and the amounts that were decided."""

    lot_sequence: int
    quantity: Decimal
    gross: Decimal
    entry_fee: Decimal
    exit_fee: Decimal


class Decision(NamedTuple):
    """One journal record: what was asked, and what was decided. ``records`` is what the book evolves by."""

    sequence: int
    recorded_time: int
    command: Command
    fill: Fill
    opened: LotOpened | None
    matches: tuple[Match, ...]


class Sums(NamedTuple):
    """Of one decision's closed trades, in the quote currency; fees of entry and exit together."""

    trade_count: int
    quantity: Decimal
    gross: Decimal
    fees: Decimal


def decide(command: Command, book: Book, sequence: int, now: int) -> tuple[Fill, tuple[Record, ...]]:
    """The fill that ``command`` amounts to and the records it makes in ``book``.

    Raises OppositeSideOpen, NoOpenPosition or InsufficientQuantity. ``now`` is the server's clock in nanoseconds UTC.
    """
    if command.method is Method.CREATE_ENTRY:
        _check_entry(command, book)
    elif command.method is Method.CLOSE_FIFO:
        _check_exit(command, book)
    elif command.excess is Excess.REJECT:
        _check_excess(command, book)
    fill = _fill(command, book, now)
    origin = Origin(command.order_id, command.fill_id, command.fee_currency, command.group_id, command.labels)
    return fill, book.decide(fill, sequence, origin)


def _fill(command: Command, book: Book, now: int) -> Fill:
    side, quantity = command.side, command.quantity
    if side is None:
        assert book.direction is not None
        side = book.direction.opposite
    time = max(now, book.newest_time) if command.time is None else command.time
    return Fill(side, book.quantity if quantity is None else quantity, command.price, command.fee or ZERO, time)


def _check_entry(command: Command, book: Book) -> None:
    if book.direction is not None and book.direction is not command.side:
        raise OppositeSideOpen(command.symbol, book.direction.name, book.quantity)


def _check_exit(command: Command, book: Book) -> None:
    if book.direction is None:
        raise NoOpenPosition(command.symbol, "")
    if command.side is book.direction:
        raise NoOpenPosition(command.symbol, f" {command.side.opposite.name}, it is {book.direction.name}")
    if command.excess is Excess.REJECT:
        _check_excess(command, book)


def _check_excess(command: Command, book: Book) -> None:
    if book.direction is None or command.side is book.direction or command.quantity is None:
        return
    if command.quantity > book.quantity:
        raise InsufficientQuantity(command.symbol, book.quantity, command.quantity)


def decided(command: Command, fill: Fill, records: tuple[Record, ...], sequence: int, recorded_time: int) -> Decision:
    """The journal record of ``records``."""
    opened = None
    matches = []
    for record in records:
        if isinstance(record, LotOpened):
            opened = record
        else:
            matches.append(Match(record.lot.sequence, record.quantity, record.gross, record.entry_fee, record.exit_fee))
    return Decision(sequence, recorded_time, command, fill, opened, tuple(matches))


def replayed(decision: Decision, book: Book) -> Iterator[Record]:
    """The records of a journaled decision in the book as it stood before it (law 13): nothing is decided anew.

    Raises ValueError when the record does not fit the book: the journal or its reader is broken.
    """
    lots = book.lots()
    for match in decision.matches:
        lot = next(lots, None)
        if lot is None or lot.sequence != match.lot_sequence or match.quantity > lot.remaining:
            raise ValueError(
                f"record {decision.sequence} closes lot {match.lot_sequence}, which is not the oldest open one"
            )
        yield LotReduced(
            decision.sequence, lot, match.quantity, decision.fill.price, match.gross, match.entry_fee, match.exit_fee
        )
    if decision.opened is not None:
        yield decision.opened


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
    return _NAMES[method].get(name, name)


class Difference(NamedTuple):
    """The first field in which a command is not what was recorded."""

    field: str
    recorded: str
    given: str


def fill_difference(command: Command, recorded: Decision) -> Difference | None:
    """The first difference in what the venue said, or None: the order is side, quantity, price, fee, currency, order, time.

    What either caller left out does not differ, except a fee's zero that both mean.
    """
    fill, first = recorded.fill, recorded.command
    if command.side is not None and command.side is not fill.direction:
        return Difference("side", fill.direction.name, command.side.name)
    if command.quantity is not None and command.quantity != fill.quantity:
        return Difference("quantity", plain(fill.quantity), plain(command.quantity))
    if command.price != fill.price:
        return Difference("price", plain(fill.price), plain(command.price))
    if command.fee is not None and first.fee is not None and command.fee != first.fee:
        return Difference("fee", plain(first.fee), plain(command.fee))
    for name in ("fee_currency", "order_id"):
        was, now = getattr(first, name), getattr(command, name)
        if was and now and was != now:
            return Difference(name, was, now)
    if command.time is not None and first.time is not None and command.time != first.time:
        return Difference("time", str(first.time), str(command.time))
    return None


def request_difference(command: Command, recorded: Decision) -> str | None:
    """The first field in which a request is not the one its request_id recorded, or None."""
    first = recorded.command
    if command.method is not first.method:
        return "method"
    for name in ("symbol", "fill_id"):
        if getattr(command, name) != getattr(first, name):
            return name
    difference = fill_difference(command, recorded)
    if difference is not None:
        return difference.field
    if command.close_all != first.close_all:
        return "close_all"
    return "excess_policy" if command.excess is not first.excess else None


def check_replay(command: Command, by_request: Decision | None, by_fill: list[Decision]) -> Decision | None:
    """The decision that ``command`` repeats, or None when it is new.

    ``by_request`` is what its request_id recorded; ``by_fill`` what its fill id recorded in the roles it looks at.
    Raises RequestIdReused or FillConflict.
    """
    if by_request is not None:
        field = request_difference(command, by_request)
        if field is None and any(other.sequence != by_request.sequence for other in by_fill):
            field = "fill_id"
        if field is not None:
            raise RequestIdReused(command.request_id, field_name(command.method, field))
        return by_request
    for recorded in by_fill:
        difference = fill_difference(command, recorded)
        if difference is not None:
            raise _conflict(command, recorded, difference)
    return by_fill[0] if by_fill else None


def _conflict(command: Command, recorded: Decision, difference: Difference) -> FillConflict:
    field = field_name(command.method, difference.field)
    if recorded.opened is not None:
        return FillConflict(
            command.fill_id, field, difference.recorded, difference.given, entry_id=entry_id(recorded.sequence)
        )
    trade = trade_id(recorded.sequence, 0)
    return FillConflict(command.fill_id, field, difference.recorded, difference.given, trade_id=trade)


def entry_id(sequence: int) -> str:
    """The id of the lot that journal record ``sequence`` opened; a record opens one lot at most."""
    return f"E{sequence}"


def trade_id(sequence: int, index: int) -> str:
    """The id of the closed trade ``index`` of journal record ``sequence``."""
    return f"T{sequence}.{index}"
