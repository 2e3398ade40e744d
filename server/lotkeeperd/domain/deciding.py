"""What a command comes to at a book: open or add, reduce, close, flip, or the refusal that says why not.

Every command is decided against one book, under the terms of its portfolio and its instrument. What was decided becomes a
``Decision``, one record of the journal.
"""

from __future__ import annotations

from typing import NamedTuple

from lotkeeperd.domain.book import (
    Book,
    Direction,
    Fill,
    LotMethod,
    LotOpened,
    LotReduced,
    LotTaken,
    Record,
)
from lotkeeperd.domain.commands import (
    CLOSING,
    Command,
    Decision,
    Excess,
    Match,
    Method,
    Role,
    Terms,
    field_name,
    origin_of,
)
from lotkeeperd.domain.decimals import ZERO, plain
from lotkeeperd.domain.fees import NONE, Charged, FeeState, charged
from lotkeeperd.domain.instruments import Instrument, Kind, price_violation
from lotkeeperd.domain.portfolios import Portfolio
from lotkeeperd.domain.refusals import (
    FieldViolations,
    InsufficientQuantity,
    LongOnly,
    NoOpenPosition,
    OppositeSideOpen,
    PortfolioClosed,
    Violation,
    shown,
)

_CREATE_ENTRY = Method.CREATE_ENTRY  # an enum's member is slow to look up


class Decided(NamedTuple):
    """What a command comes to: the fill, how its fee came in, and the records it makes in the book."""

    fill: Fill
    charged: Charged
    records: tuple[Record, ...]


def decide(command: Command, book: Book, sequence: int, now: int, terms: Terms) -> Decided:
    """What ``command`` does to ``book`` as record ``sequence``; ``now`` is the server's clock in nanoseconds UTC.

    Raises PortfolioClosed, LongOnly, OppositeSideOpen, NoOpenPosition, InsufficientQuantity, LotNotOpen or FieldViolations.
    """
    is_plain = terms.plain
    if not is_plain:
        check_portfolio(terms.portfolio)
    if command.price < 0 or not is_plain:
        _check_price(command, terms.instrument)
    _check_arm(command, book, is_plain, terms)
    fill, fee = filled(command, book, now, terms)
    if fee.moved or command.chosen:
        check_again(command, fill, book, terms)
    elif not is_plain:
        _check_sides(command, fill, book, terms)
    return Decided(fill, fee, book.decide(fill, sequence, origin_of(command, fee), command.chosen))


def check_again(command: Command, fill: Fill, book: Book, terms: Terms, flips: bool = False) -> None:
    """Whether ``book`` could have taken ``fill``, which happened, as ``command`` asked for it. Raises as ``decide`` does.

    ``flips`` says that it may turn the book; what has one side for ever, by hedging or as long-only, does not.
    """
    is_plain = terms.plain
    pinned = command._replace(side=fill.direction, quantity=fill.quantity)
    if flips:
        pinned = pinned._replace(excess=Excess.REVERSE)
    else:
        _check_arm(pinned, book, is_plain, terms)
    if not is_plain:
        _check_sides(pinned, fill, book, terms)
    if command.chosen:
        _check_chosen(command, fill, book)


def check_portfolio(portfolio: Portfolio) -> None:
    """Raises PortfolioClosed."""
    if portfolio.closed:
        raise PortfolioClosed(portfolio.portfolio_id)


def _check_price(command: Command, instrument: Instrument) -> None:
    violation = price_violation(instrument, field_name(command.method, "price"), command.price)
    if violation is not None:
        raise FieldViolations([violation])


def _check_chosen(command: Command, fill: Fill, book: Book) -> None:
    """What is chosen is what is closed, or the caller means another book than this one."""
    closes = book.direction not in {None, fill.direction}
    closing = min(fill.quantity, book.quantity) if closes else ZERO
    chosen = sum((quantity for _, quantity in command.chosen), ZERO)
    if book.method is not LotMethod.CHOSEN:
        what = f"are given, but the lot method of this portfolio is {book.method.value}; leave them out"
    elif chosen != closing:
        what = f"{plain(chosen)} are chosen, but {plain(closing)} of {shown(command.symbol)} are to close"
    else:
        return
    raise FieldViolations([Violation(field_name(command.method, "lots"), what)])


def _check_arm(command: Command, book: Book, is_plain: bool, terms: Terms) -> None:
    if command.method is _CREATE_ENTRY:
        if book.direction is not None and book.direction is not command.side:
            raise OppositeSideOpen(command.symbol, book.direction.name, book.quantity)
    elif command.method in CLOSING:
        _check_exit(command, book)
    elif command.excess is Excess.REJECT or (not is_plain and _rejects(command, terms)):
        _check_excess(command, book)


def _rejects(command: Command, terms: Terms) -> bool:
    """Whether an unspecified policy means REJECT here: a declared spot instrument, or a long-only portfolio."""
    spot = terms.instrument.declared and terms.instrument.kind is Kind.SPOT
    return command.excess is Excess.UNSPECIFIED and (spot or terms.portfolio.long_only)


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


def _check_sides(command: Command, fill: Fill, book: Book, terms: Terms) -> None:
    """What would go short where nothing may, or turn a book that has one side for ever."""
    goes_short = fill.direction is Direction.SHORT and (
        book.direction is not Direction.LONG or fill.quantity > book.quantity
    )
    open_quantity = book.quantity if book.direction is Direction.LONG else ZERO
    if goes_short and terms.portfolio.long_only:
        raise LongOnly(command.symbol, open_quantity)
    if terms.hedging:
        side = command.book_side
        if side is not None and fill.direction is not side and fill.quantity > book.quantity:
            raise InsufficientQuantity(command.symbol, book.quantity, fill.quantity)
    elif goes_short and _rejects(command, terms):
        raise InsufficientQuantity(command.symbol, open_quantity, fill.quantity)


def filled(command: Command, book: Book, now: int, terms: Terms) -> tuple[Fill, Charged]:
    """The execution that ``command`` amounts to at ``book``, and how its fee comes in. Raises FieldViolations."""
    side, quantity = command.side, command.quantity
    if side is None:
        assert book.direction is not None
        side = book.direction.opposite
    if quantity is None:
        quantity = book.quantity
    fee = _charged(command, terms)
    if fee.moved and not command.close_all:
        quantity = quantity - fee.moved if side is Direction.LONG else quantity + fee.moved
        if quantity <= 0:
            field = field_name(command.method, "fee")
            raise FieldViolations(
                [Violation(field, f"{command.fee} in the coin bought leaves nothing of {command.quantity}")]
            )
    time = max(now, book.newest_time) if command.time is None else command.time
    return Fill(side, quantity, command.price, fee.amount, time), fee


def _charged(command: Command, terms: Terms) -> Charged:
    if command.fee is None:
        # An event has no execution that a broker could name the fee of later.
        awaited = terms.portfolio.fees_later and command.role is not Role.EVENT
        return Charged(state=FeeState.AWAITED) if awaited else NONE
    if not command.fee_currency:
        return Charged(command.fee)
    instrument = terms.instrument
    base = instrument.base_currency if instrument.kind is Kind.SPOT else ""
    return charged(command.fee, command.fee_currency, instrument.settlement_currency, base, command.price, terms.rate)


def decided(command: Command, what: Decided, sequence: int, recorded_time: int) -> Decision:
    """The journal record of ``what`` was decided."""
    opened = None
    matches = []
    taken, placed = [], []
    for record in what.records:
        if isinstance(record, LotReduced):
            matches.append(match_of(record))
        elif isinstance(record, LotOpened):
            opened = record
        elif isinstance(record, LotTaken):
            taken.append(record.lot.sequence)
        else:
            placed.append(record.lot)
    return Decision(
        sequence, recorded_time, command, what.fill, opened, tuple(matches), what.charged, tuple(taken), tuple(placed)
    )


def match_of(record: LotReduced) -> Match:
    """The closed trade of ``record`` as the journal holds it."""
    return Match(record.lot.sequence, record.quantity, record.gross, record.entry_fee, record.exit_fee, record.cost)
