"""A portfolio as it was: its journal records folded into books, terms and cash, up to any sequence, and by any lot method.

Problem: a question about the past must not stall what happens now, nor hold a million records. Chosen: records are read in
pages on read connections and folded in a worker thread, a page at a time; between two pages a read connection is free and others
have their turn. The journal only grows, so pages need no common snapshot. What was corrected, or in a view carried from
one symbol to another, is known only at the end: those books are left out of the first pass and read again, with their
history. Memory is what is open, and the history of what was corrected.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from decimal import Decimal, localcontext

from lotkeeperd.domain.accounts import Balance, CashMoved, InstrumentDefined, TermsSet
from lotkeeperd.domain.book import Book, Contract, LotMethod
from lotkeeperd.domain.commands import Decision, Method
from lotkeeperd.domain.course import Course, add_abroad, decisions_in
from lotkeeperd.domain.decimals import EXACT, ZERO
from lotkeeperd.domain.history import BookRecord, Correction, Late
from lotkeeperd.domain.instruments import Instrument, on_first_use
from lotkeeperd.domain.portfolios import Portfolio
from lotkeeperd.domain.reconciliation.records import Reported, Resolved, Undone
from lotkeeperd.domain.refusals import InstrumentNotDeclared, LedgerCorrupt, PortfolioNotFound
from lotkeeperd.domain.views import Contracts, View, Walks
from lotkeeperd.service.agreements import opening_cash
from lotkeeperd.service.ports import JournalRecord, Key, Reader, RecordFilter, State
from lotkeeperd.service.stage import key_of

AT_ONCE = 2
"""Folds that run at the same time; further ones wait for their turn. Each keeps a thread busy and holds what is open."""

PAGE = 500
"""Records that are read, and then folded, at once: some ten milliseconds of a worker thread."""

ALWAYS_THERE = "default"
"""The portfolio that needs no creation."""

MOVING = frozenset({Method.SYMBOL_CHANGE, Method.SYMBOL_ARRIVAL})
"""Methods that carry lots from one book to another: in a view other lots than were carried then."""

SIDES = ("", "LONG", "SHORT")
"""Of a book's key."""

Known = Callable[[str], Instrument | None]
"""What a symbol is now."""


async def pages(reader: Reader, wanted: RecordFilter, after: int, until: int) -> AsyncGenerator[list[JournalRecord]]:
    """Every record that is wanted after a sequence and up to ``until``, in order, in pages."""
    while True:
        page = await reader.records(wanted, after, until, PAGE)
        if page:
            yield page
        if len(page) < PAGE:
            return
        after = page[-1].sequence


def first_terms(symbol: str, currency: str, known: Known) -> Instrument:
    """What ``symbol`` was before anybody declared it."""
    instrument = known(symbol)
    if instrument is not None and not instrument.sequence:
        return instrument
    try:
        return on_first_use(symbol, currency)
    except InstrumentNotDeclared:  # older versions took every symbol for spot
        return Instrument(symbol, quote_currency=currency, settlement_currency=currency)


class Replay:
    """One portfolio folded from its records; ``method`` None means its own. Used by one thread at a time."""

    def __init__(self, portfolio_id: str, currency: str, method: LotMethod | None, known: Known) -> None:
        self._portfolio_id = portfolio_id
        self._currency = currency
        self._method = method
        self._known = known
        self._portfolio = Portfolio(portfolio_id, currency) if portfolio_id == ALWAYS_THERE else None
        self._instruments: dict[str, Instrument] = {}
        self._contracts = Contracts()
        self._balances: dict[str, Balance] = {}
        self._begun: dict[Key, Course | View] = {}
        self._later: dict[Key, Course] = {}
        self._abroad: dict[Key, dict[str, Decimal]] = {}

    def take(self, records: Sequence[JournalRecord]) -> None:
        """The next page. Raises LedgerCorrupt."""
        with exactly():
            for record in records:
                self._take(record)

    def to_read_again(self) -> frozenset[str]:
        """After the last page: the symbols of which ``take_again`` needs every record once more."""
        return frozenset(key[1] for key in self._later)

    def take_again(self, records: Sequence[JournalRecord]) -> None:
        """The next page of those. Raises LedgerCorrupt."""
        with exactly():
            for record in records:
                if isinstance(record, Decision | Late | Correction) and (key := key_of(record)) in self._later:
                    self._later[key].take(record)
                    self._touch(key, record)

    def state(self, ledger_id: str, sequence: int) -> State:
        """Everything of the portfolio after the last page. Raises PortfolioNotFound or LedgerCorrupt."""
        portfolio = self._portfolio
        if portfolio is None:
            raise PortfolioNotFound(self._portfolio_id)
        with exactly():
            books = {key: begun.book() for key, begun in self._begun.items()} | self._read_again()
            balances = {(portfolio.portfolio_id, name): balance for name, balance in self._cash().items()}
        instruments = {key[1]: self._instrument(key[1]) for key in books}
        portfolios = {portfolio.portfolio_id: portfolio}
        return State(ledger_id, self._currency, sequence, portfolios, instruments, balances, books)

    # One record.

    def _take(self, record: JournalRecord) -> None:
        if isinstance(record, InstrumentDefined):
            self._define(record)
            return
        if isinstance(record, TermsSet):
            self._balances |= opening_cash(self._portfolio, record.portfolio, record.sequence)
            self._portfolio = record.portfolio
            return
        if isinstance(record, Reported | Resolved | Undone):
            return  # of no portfolio; what they recorded stands before them
        if self._portfolio is None:
            self._portfolio = Portfolio(self._portfolio_id, self._currency)
        if isinstance(record, CashMoved):
            currency = record.command.currency
            self._balances[currency] = self._balances.get(currency, Balance()).moved(record)
        elif (key := key_of(record)) not in self._later:
            self._trade(key, record)

    def _define(self, record: InstrumentDefined) -> None:
        instrument = record.instrument
        self._instruments[instrument.symbol] = instrument
        self._contracts.declared(instrument.symbol, record.sequence, instrument.contract)
        for side in SIDES:
            begun = self._begun.get((self._portfolio_id, instrument.symbol, side))
            if begun is not None:
                begun.under(instrument.contract)

    def _trade(self, key: Key, record: BookRecord) -> None:
        if not isinstance(record, Decision) or (self._is_view and record.command.method in MOVING):
            self._begun.pop(key, None)
            self._abroad.pop(key, None)
            self._later[key] = Course(self._first_contract(key[1]), self._own_method, corrected=True)
            return
        begun = self._begun.get(key)
        if begun is None:
            contract = self._instrument(key[1]).contract
            view = self._method if self._is_view else None
            begun = self._begun[key] = Course(contract, self._own_method) if view is None else View(contract, view)
        begun.take(record)
        add_abroad(record, self._instrument(key[1]).settlement_currency, self._abroad.setdefault(key, {}))

    # What is known.

    @property
    def _own_method(self) -> LotMethod:
        return LotMethod.FIFO if self._portfolio is None else self._portfolio.lot_method

    @property
    def _is_view(self) -> bool:
        """Whether anything is decided anew: by its own method everything is as it was decided."""
        return self._method not in (None, self._own_method)

    def _instrument(self, symbol: str) -> Instrument:
        found = self._instruments.get(symbol)
        if found is None:
            found = self._instruments[symbol] = first_terms(symbol, self._currency, self._known)
        return found

    # The end.

    def _read_again(self) -> dict[Key, Book]:
        for key, course in self._later.items():
            course.under(self._instrument(key[1]).contract)
        if self._method is None or not self._is_view:
            return {key: course.book() for key, course in self._later.items()}
        walks = Walks(self._contracts, self._method)
        for key, course in self._later.items():
            walks.add(key, self._first_contract(key[1]), course)
        return walks.books()

    def _first_contract(self, symbol: str) -> Contract:
        return first_terms(symbol, self._currency, self._known).contract

    def _touch(self, key: Key, record: BookRecord) -> None:
        """A currency that a fee ever moved has a balance, even when a correction gave it all back."""
        touched: dict[str, Decimal] = {}
        for decision in decisions_in(record):
            add_abroad(decision, self._instrument(key[1]).settlement_currency, touched)
        self._abroad.setdefault(key, {}).update(dict.fromkeys(touched, ZERO))

    def _cash(self) -> dict[str, Balance]:
        """The balances, with what fees in other coins did to them."""
        balances = dict(self._balances)
        for key, course in self._later.items():
            for slot in course.slots():
                add_abroad(slot.decision, self._instrument(key[1]).settlement_currency, self._abroad[key])
        for moved in self._abroad.values():
            for currency, amount in moved.items():
                before = balances.get(currency, Balance())
                balances[currency] = before._replace(fees_elsewhere=before.fees_elsewhere + amount)
        return balances


@contextmanager
def exactly() -> Iterator[None]:
    """Exact arithmetic, and a journal that does not fit together is told as what it is."""
    with localcontext(EXACT):
        try:
            yield
        except ValueError as error:
            raise LedgerCorrupt(str(error)) from error


async def replayed(reader: Reader, replay: Replay, portfolio_id: str, until: int) -> None:
    """Read everything of a portfolio up to ``until`` into ``replay``. Raises StorageUnavailable or LedgerCorrupt."""
    async with aclosing(pages(reader, RecordFilter(portfolio_id), 0, until)) as records:
        async for page in records:
            await asyncio.to_thread(replay.take, page)
    symbols = replay.to_read_again()
    if not symbols:
        return
    async with aclosing(pages(reader, RecordFilter(portfolio_id, symbols), 0, until)) as records:
        async for page in records:
            await asyncio.to_thread(replay.take_again, page)
