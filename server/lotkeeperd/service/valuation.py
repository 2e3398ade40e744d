"""Every position at its newest mark, and the totals of every portfolio by currency.

Problem: at 10,000 marks a second over 10,000 positions, adding a portfolio up for each message would cost more than
everything else. Therefore a position that changed is noted, valued when somebody looks, and the totals are moved by the
difference; exact arithmetic cannot drift. Books and marks are never changed in place, so a list of ``Valued`` is a snapshot.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING, NamedTuple

from lotkeeperd.domain.accounts import Balance, cash_of, value_of
from lotkeeperd.domain.book import Book
from lotkeeperd.domain.decimals import EXACT, ZERO
from lotkeeperd.domain.fees import NOTHING_PENDING, Pending
from lotkeeperd.domain.instruments import Instrument, on_first_use
from lotkeeperd.domain.portfolios import Portfolio
from lotkeeperd.service.conversion import Base, Converter, Part
from lotkeeperd.service.marks import Mark, MarkBoard
from lotkeeperd.service.standings import Standings

if TYPE_CHECKING:
    from lotkeeperd.service.ports import Key, State, Written

LISTED = 100
"""Unpriced and stale symbols that totals name; the rest is counted."""

Place = tuple[str, str]
"""(symbol, side): names a position of a portfolio, as a book's key does."""


class Valued(NamedTuple):
    """A position at its mark. ``unrealized`` is gross of fees, in the book's currency; None when there is no mark."""

    book: Book
    mark: Mark | None
    stale: bool
    unrealized: Decimal | None

    @property
    def price(self) -> Decimal | None:
        """What its lots are valued at; None when there is no mark."""
        return None if self.mark is None else self.mark.price_for(self.book.direction)


class CurrencyTotals(NamedTuple):
    """Sums over the positions and the cash of one portfolio in one currency; ``unrealized`` is None when open and none is priced.

    ``total_value`` is None while an open position has no mark.
    """

    currency: str
    gross_realized: Decimal
    realized_fees: Decimal
    unrealized: Decimal | None
    unpriced: tuple[str, ...]
    unpriced_count: int
    stale: tuple[str, ...]
    stale_count: int
    balance: Balance
    cash: Decimal
    total_value: Decimal | None
    pending: Pending


class PortfolioTotals(NamedTuple):
    """The totals of one portfolio: by currency, the base currency first, and all of it in that one."""

    totals: tuple[CurrencyTotals, ...]
    base: Base


class _Sums:
    """Running sums of one currency."""

    __slots__ = (
        "awaited",
        "cash",
        "fees",
        "gross",
        "open_count",
        "stale",
        "unconverted",
        "unpriced",
        "unrealized",
        "value",
    )

    def __init__(self) -> None:
        self.gross = self.fees = self.unrealized = self.cash = self.value = ZERO
        self.open_count = self.awaited = 0
        self.unpriced: list[str] = []
        self.stale: list[str] = []
        self.unconverted: dict[str, Decimal] = {}

    def move(self, symbol: str, valued: Valued, instrument: Instrument, sign: int) -> None:
        book = valued.book
        self.gross += sign * book.gross
        self.fees += sign * book.fees
        self.cash += sign * cash_of(book, instrument)
        if book.pending is not NOTHING_PENDING:
            self._move_pending(book.pending, sign)
        if book.direction is None:
            return
        self.open_count += sign
        if valued.unrealized is not None:
            self.unrealized += sign * valued.unrealized
            self.value += sign * value_of(book, instrument, valued.unrealized)
        for member, names in ((valued.mark is None, self.unpriced), (valued.stale, self.stale)):
            if member:
                insort(names, symbol) if sign > 0 else names.pop(bisect_left(names, symbol))

    def _move_pending(self, pending: Pending, sign: int) -> None:
        self.awaited += sign * pending.awaited
        for currency, fee in pending.unconverted:
            self.unconverted[currency] = self.unconverted.get(currency, ZERO) + sign * fee

    def totals(self, currency: str, balance: Balance) -> CurrencyTotals:
        blind = self.open_count > 0 and len(self.unpriced) == self.open_count
        cash = self.cash + balance.cash
        return CurrencyTotals(
            currency,
            self.gross,
            self.fees,
            None if blind else self.unrealized,
            tuple(self.unpriced[:LISTED]),
            len(self.unpriced),
            tuple(self.stale[:LISTED]),
            len(self.stale),
            balance,
            cash,
            None if self.unpriced else cash + self.value,
            Pending(self.awaited, tuple(sorted((name, fee) for name, fee in self.unconverted.items() if fee))),
        )


class _Account:
    """One portfolio: its positions, their sums, its cash."""

    __slots__ = ("balances", "outdated", "positions", "sums", "terms")

    def __init__(self, terms: Portfolio) -> None:
        self.terms = terms
        self.positions: dict[Place, Valued] = {}
        self.outdated: set[Place] = set()  # flat ones whose mark changed since they were valued
        self.sums: dict[str, _Sums] = {}
        self.balances: dict[str, Balance] = {}

    def put(self, place: Place, now: Valued, instrument: Instrument) -> None:
        before = self.positions.get(place)
        if before is not None:
            self._sums(before).move(place[0], before, instrument, -1)
        self.positions[place] = now
        self._sums(now).move(place[0], now, instrument, 1)

    def _sums(self, valued: Valued) -> _Sums:
        currency = valued.book.contract.currency
        sums = self.sums.get(currency)
        if sums is None:
            sums = self.sums[currency] = _Sums()
        return sums

    def totals(self, converter: Converter) -> PortfolioTotals:
        base = self.terms.base_currency
        others = sorted((self.sums.keys() | self.balances.keys()) - {base})
        totals = tuple(
            self.sums.get(currency, _NONE).totals(currency, self.balances.get(currency, _NO_CASH))
            for currency in (base, *others)
        )
        return PortfolioTotals(totals, converter.together(base, [_part(one) for one in totals]))


_NONE = _Sums()
_NO_CASH = Balance()


def _part(totals: CurrencyTotals) -> Part:
    return Part(
        totals.currency,
        totals.gross_realized,
        totals.realized_fees,
        totals.unrealized,
        totals.balance,
        totals.total_value,
    )


class Valuation:
    """The live read model. Lives in the event loop; only committed books are put into it. Satisfies ``service.ports.Known``."""

    def __init__(self, marks: MarkBoard, converter: Converter, currency: str) -> None:
        self._marks = marks
        self._converter = converter
        self.currency = currency
        self._accounts: dict[str, _Account] = {}
        self._instruments: dict[str, Instrument] = {}
        self._books: dict[Key, Book] = {}
        self._standings = Standings()
        self._holders: dict[str, set[Key]] = {}  # symbol -> books that have it open
        self._left: dict[str, set[Key]] = {}  # symbol -> books that had it open
        self.opened_or_closed = 0  # goes up whenever ``needed_symbols`` may have changed
        self._dirty: dict[Key, int] = {}  # -> mark changes since it was valued
        self._changed: dict[Key, int] = {}  # -> mark changes since ``take_changes``
        self._watched: Mapping[Key, object] = {}
        self._seen: set[Key] = set()  # watched ones that were valued since ``take_watched``

    def watch(self, books: Mapping[Key, object]) -> None:
        """From now on remember which of ``books``, as they are at that moment, are valued anew."""
        self._watched = books

    def load(self, state: State) -> None:
        """Replace everything by ``state``."""
        self._accounts = {name: _Account(terms) for name, terms in state.portfolios.items()}
        self._instruments = dict(state.instruments)
        self._standings = state.standings
        self._books = {}
        self._holders = {}
        self._left = {}
        self._dirty = {}
        self._changed = {}
        for (portfolio_id, currency), balance in state.balances.items():
            self._accounts[portfolio_id].balances[currency] = balance
        self._commit(state.books)

    def commit(self, written: Written) -> None:
        """Take over what was just committed."""
        for name, terms in written.portfolios.items():
            account = self._accounts.get(name)
            if account is None:
                self._accounts[name] = _Account(terms)
            else:
                account.terms = terms
        for symbol, instrument in written.instruments.items():
            self._redefine(symbol, instrument)
        for (portfolio_id, currency), balance in written.balances.items():
            self._accounts[portfolio_id].balances[currency] = balance
        self._standings = self._standings.over(written.standings)
        self._commit(written.books)

    def _redefine(self, symbol: str, instrument: Instrument) -> None:
        """An instrument under new terms: what its books add to the sums is taken out under the old ones."""
        self.settle()
        before = self._instruments.get(symbol)
        self._instruments[symbol] = instrument
        if before is None:
            return
        with localcontext(EXACT):
            for key in self.books_in(symbol):
                account = self._accounts[key[0]]
                valued = account.positions.pop(key[1:], None)
                if valued is not None:
                    account.sums[valued.book.contract.currency].move(symbol, valued, before, -1)
                    self._dirty.setdefault(key, 0)

    def _commit(self, books: Mapping[Key, Book]) -> None:
        for key, book in books.items():
            self._books[key] = book
            self._dirty.setdefault(key, 0)
            holders, left = (index.setdefault(key[1], set()) for index in (self._holders, self._left))
            into, out_of = (left, holders) if book.direction is None else (holders, left)
            if key not in into:
                self.opened_or_closed += 1
            into.add(key)
            out_of.discard(key)

    def marked(self, symbols: Iterable[str]) -> bool:
        """Note that the marks of ``symbols`` changed; whether any open position is valued by them.

        A flat position is worth nothing at any mark: it shows the new one when it is read, and is no change to tell.
        """
        touched = False
        for symbol in symbols:
            if symbol in self._converter.symbols:
                touched |= self._converted()
            for key in self._holders.get(symbol, ()):
                self._dirty[key] = self._dirty.get(key, 0) + 1
                touched = True
            for key in self._left.get(symbol, ()):
                self._accounts[key[0]].outdated.add(key[1:])
        return touched

    def _converted(self) -> bool:
        """A rate changed: the totals of whoever has several currencies; one position of each carries the news."""
        touched = False
        for name, account in self._accounts.items():
            place = next(iter(account.positions), None)
            if place is not None and len(account.sums.keys() | account.balances.keys()) > 1:
                key = (name, *place)
                self._dirty[key] = self._dirty.get(key, 0) + 1
                touched = True
        return touched

    def settle(self) -> None:
        """Value what changed."""
        if not self._dirty:
            return
        if self._watched:
            self._seen |= self._dirty.keys() & self._watched.keys()
        with localcontext(EXACT):
            for key, mark_changes in self._dirty.items():
                instrument = self.instrument_of(key[1])
                self._accounts[key[0]].put(key[1:], self._valued(key[1], self._books[key]), instrument)
                self._changed[key] = self._changed.get(key, 0) + mark_changes
        self._dirty = {}

    def value(self, symbol: str, book: Book) -> Valued:
        """A book of ``symbol`` at its newest mark."""
        if self._marks.newest(symbol) is None:
            return Valued(book, None, False, None)  # without the context, which costs as much as all else here
        with localcontext(EXACT):
            return self._valued(symbol, book)

    def _valued(self, symbol: str, book: Book) -> Valued:
        mark = self._marks.newest(symbol)
        if mark is None:
            return Valued(book, None, False, None)
        price = mark.price_for(book.direction)
        if not book.contract.has_value_at(price):
            return Valued(book, None, False, None)  # an inverse contract is worth nothing that can be told at 0
        return Valued(book, mark, self._marks.is_stale(symbol), book.unrealized(price))

    def needed_symbols(self) -> frozenset[str]:
        """Every symbol that some portfolio has open, and those whose marks convert currencies."""
        return self._converter.symbols.union(symbol for symbol, holders in self._holders.items() if holders)

    def take_changes(self) -> dict[Key, int]:
        """Every book that changed since the last call, with how many mark changes it saw."""
        self.settle()
        changed, self._changed = self._changed, {}
        return changed

    def take_watched(self) -> set[Key]:
        """Every watched book that was valued anew since the last call."""
        self.settle()
        seen, self._seen = self._seen, set()
        return seen

    # What is so.

    def has(self, portfolio_id: str) -> bool:
        """Whether there is such a portfolio."""
        return portfolio_id in self._accounts

    def portfolios(self) -> list[str]:
        """All of them, by name."""
        return sorted(self._accounts)

    def portfolio(self, portfolio_id: str) -> Portfolio | None:
        """Its terms."""
        account = self._accounts.get(portfolio_id)
        return None if account is None else account.terms

    def instruments(self) -> Mapping[str, Instrument]:
        """Every instrument that was declared or used; do not keep it."""
        return self._instruments

    def instrument(self, symbol: str) -> Instrument | None:
        """What it is; None before its first use."""
        return self._instruments.get(symbol)

    def instrument_of(self, symbol: str) -> Instrument:
        """What a symbol that was used is."""
        return self._instruments.get(symbol) or on_first_use(symbol, self.currency)

    def balance(self, portfolio_id: str, currency: str) -> Balance | None:
        """Its cash besides executions."""
        account = self._accounts.get(portfolio_id)
        return None if account is None else account.balances.get(currency)

    def balances(self, portfolio_id: str) -> Mapping[str, Balance]:
        """Its cash besides executions, by currency; do not keep it, copy it."""
        account = self._accounts.get(portfolio_id)
        return {} if account is None else account.balances

    def standings(self) -> Standings:
        """What differs from brokers, and what that stops."""
        return self._standings

    def book(self, key: Key) -> Book | None:
        """The committed book, open or flat."""
        return self._books.get(key)

    def books_of(self, portfolio_id: str) -> Mapping[Key, Book]:
        """Every book of a portfolio."""
        return {key: book for key, book in list(self._books.items()) if key[0] == portfolio_id}

    def books_in(self, symbol: str) -> Mapping[Key, Book]:
        """Every book of an instrument."""
        keys = [*self._holders.get(symbol, ()), *self._left.get(symbol, ())]
        return {key: self._books[key] for key in keys}

    def positions(self, portfolio_id: str) -> Mapping[Place, Valued]:
        """Every position of a portfolio that ever had a fill; do not keep it, copy it."""
        self.settle()
        account = self._accounts.get(portfolio_id)
        if account is None:
            return {}
        while account.outdated:
            place = account.outdated.pop()
            book = account.positions[place].book
            if book.direction is None:
                account.positions[place] = self.value(place[0], book)
        return account.positions

    def totals(self, portfolio_id: str) -> PortfolioTotals:
        """Of one portfolio, at the newest marks; run under ``localcontext(EXACT)``."""
        self.settle()
        return self._accounts[portfolio_id].totals(self._converter)
