"""The terms of portfolios and instruments: agreed on by name, or made by the first record that needs them."""

from __future__ import annotations

from typing import Any

from lotkeeperd.domain.accounts import (
    Balance,
    DefineInstrument,
    InstrumentDefined,
    PortfolioCommand,
    TermsMethod,
    TermsSet,
    opening,
)
from lotkeeperd.domain.book import Book, Contract, Direction
from lotkeeperd.domain.decimals import ZERO
from lotkeeperd.domain.instruments import Instrument, Kind, check_change, differences, on_first_use
from lotkeeperd.domain.portfolios import Portfolio, changed, check_created
from lotkeeperd.domain.refusals import (
    InstrumentInUse,
    InstrumentNotDeclared,
    LongOnly,
    PortfolioNotEmpty,
    PortfolioNotFound,
)
from lotkeeperd.service.outcomes import Agreed
from lotkeeperd.service.ports import Key
from lotkeeperd.service.stage import Stage

MONEY = ("quote_currency", "settlement_currency")
"""What amounts were recorded in: it stays once there is a book, open or flat."""


def agreed(command: PortfolioCommand, stage: Stage) -> Agreed:
    """Create, update or close a portfolio. Raises what says why not."""
    before = stage.portfolio(command.portfolio_id)
    if command.method is TermsMethod.CREATE:
        after = _created(command, before, stage)
    elif before is None:
        raise PortfolioNotFound(command.portfolio_id)
    else:
        after = _updated(command, before, stage)
    if after == before:
        return Agreed(before, before.sequence, False)
    sequence = stage.next_sequence
    after = after._replace(declared=True, sequence=sequence)
    if command.validate_only:
        return Agreed(after._replace(sequence=0), 0, False)
    cash = opening_cash(before, after, sequence)
    stage.set_terms(TermsSet(sequence, stage.now, command, after), cash)
    return Agreed(after, sequence, False)


def _created(command: PortfolioCommand, before: Portfolio | None, stage: Stage) -> Portfolio:
    asked = stage.default_portfolio(command.portfolio_id)._replace(**_changes(command))
    if before is None:
        return asked
    if before.declared or before.closed or stage.has_records(command.portfolio_id):
        check_created(before, asked)
        return before
    return asked._replace(created_time=before.created_time)


def _updated(command: PortfolioCommand, before: Portfolio, stage: Stage) -> Portfolio:
    changes = _changes(command)
    if command.method is TermsMethod.CLOSE:
        changes["closed"] = True
    after = changed(before, stage.has_records(command.portfolio_id), **changes)
    for key, book in sorted(stage.books_of(command.portfolio_id).items()):
        if book.direction is None:
            continue
        if after.closed:
            raise PortfolioNotEmpty(command.portfolio_id, key[1])
        if after.long_only and not before.long_only and book.direction is Direction.SHORT:
            raise LongOnly(key[1], book.quantity)
    return after


def _changes(command: PortfolioCommand) -> Any:
    return dict(command.changes)


def opening_cash(before: Portfolio | None, after: Portfolio, sequence: int) -> dict[str, Balance]:
    """The cash it begins with, where that is said now; what was said before and is no more goes."""
    if before is not None and before.initial_cash == after.initial_cash:
        return {}
    gone = {currency: Balance(sequence=sequence) for currency, _ in before.initial_cash} if before else {}
    return gone | opening(after, sequence)


def defined(command: DefineInstrument, stage: Stage) -> Agreed:
    """Declare an instrument. Raises InstrumentInUse."""
    symbol = command.symbol
    before = stage.instrument(symbol)
    books = stage.books_in(symbol)
    if before is None and books:
        before = Instrument(symbol, quote_currency=stage.currency, settlement_currency=stage.currency)
    after = command.instrument._replace(declared=True)
    if before is not None:
        if before.declared and not differences(before, after):
            return Agreed(before, before.sequence, False)
        _check_books(before, after, books)
    sequence = stage.next_sequence
    after = after._replace(sequence=sequence)
    if command.validate_only:
        return Agreed(after._replace(sequence=0), 0, False)
    anew = {key: _under(book, after) for key, book in books.items() if book.contract != after.contract}
    stage.define(InstrumentDefined(sequence, stage.now, command, after), anew)
    return Agreed(after, sequence, False)


def _check_books(before: Instrument, after: Instrument, books: dict[Key, Book] | Any) -> None:
    open_quantity = sum((book.quantity for book in books.values()), ZERO)
    check_change(before, after, open_quantity)
    if not books:
        return
    for name in MONEY:
        if getattr(before, name) != getattr(after, name):
            raise InstrumentInUse(before.symbol, name, getattr(before, name), getattr(after, name), open_quantity)


def _under(book: Book, instrument: Instrument) -> Book:
    """A flat book under new terms; an open one whose terms only look different."""
    if book.direction is not None:
        copy = book.staged()
        copy.contract = instrument.contract
        return copy
    copy = Book.restored((), book.gross, book.fees, book.sequence, book.newest_time, instrument.contract, book.method)
    copy.pending = book.pending
    return copy


def first_contract(symbol: str, currency: str) -> Contract:
    """What ``symbol`` was worth before anybody declared it; older versions took every symbol for spot."""
    try:
        return on_first_use(symbol, currency).contract
    except InstrumentNotDeclared:
        return Contract(currency=currency)


def first_use(stage: Stage, symbol: str) -> int:
    """The sequence of the next execution of ``symbol``: one later when a record of its instrument comes before it."""
    return stage.next_sequence + _says_more(stage, symbol)


def make_first_use(stage: Stage, symbol: str, sequence: int) -> None:
    """Record what a symbol says of itself, before the execution ``sequence`` that used it first."""
    if not _says_more(stage, symbol):
        return
    instrument = on_first_use(symbol, stage.currency)._replace(sequence=sequence - 1)
    record = InstrumentDefined(sequence - 1, stage.now, DefineInstrument(instrument, ""), instrument)
    stage.define(record, {})


def _says_more(stage: Stage, symbol: str) -> bool:
    """Whether a symbol that is new has terms of its own, which the journal has to hold: rules may change, it does not."""
    if stage.instrument(symbol) is not None:
        return False
    return on_first_use(symbol, stage.currency).kind is Kind.OPTION
