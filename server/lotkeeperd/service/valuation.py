"""Every position at its newest mark, and the totals of every portfolio.

Problem: at 10,000 marks a second over 10,000 positions, adding a portfolio up for each message would cost more than
everything else. Therefore a position that changed is noted, valued when somebody looks, and the totals are moved by the
difference; exact arithmetic cannot drift. Books and marks are never changed in place, so a list of ``Valued`` is a snapshot.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping
from decimal import Decimal, localcontext
from typing import NamedTuple

from lotkeeperd.domain.book import Book
from lotkeeperd.domain.decimals import EXACT, ZERO
from lotkeeperd.service.marks import Mark, MarkBoard

LISTED = 100
"""Unpriced and stale symbols that totals name; the rest is counted."""


class Valued(NamedTuple):
    """A position at its mark. ``unrealized`` is gross of fees, in the quote currency; None when there is no mark."""

    book: Book
    mark: Mark | None
    stale: bool
    unrealized: Decimal | None

    @property
    def price(self) -> Decimal | None:
        """What its lots are valued at; None when there is no mark."""
        return None if self.mark is None else self.mark.price_for(self.book.direction)


class PortfolioTotals(NamedTuple):
    """Sums over the positions of one portfolio, in its currency; ``unrealized`` is None when open and none is priced."""

    gross_realized: Decimal
    realized_fees: Decimal
    unrealized: Decimal | None
    unpriced: tuple[str, ...]
    unpriced_count: int
    stale: tuple[str, ...]
    stale_count: int


class _Portfolio:
    __slots__ = ("fees", "gross", "open_count", "outdated", "positions", "stale", "unpriced", "unrealized")

    def __init__(self) -> None:
        self.positions: dict[str, Valued] = {}
        self.outdated: set[str] = set()  # flat symbols whose mark changed since they were valued
        self.gross = self.fees = self.unrealized = ZERO
        self.open_count = 0
        self.unpriced: list[str] = []
        self.stale: list[str] = []

    def put(self, symbol: str, now: Valued) -> None:
        before = self.positions.get(symbol)
        if before is not None:
            self._move(symbol, before, -1)
        self.positions[symbol] = now
        self._move(symbol, now, 1)

    def _move(self, symbol: str, valued: Valued, sign: int) -> None:
        book = valued.book
        self.gross += sign * book.gross
        self.fees += sign * book.fees
        if book.direction is None:
            return
        self.open_count += sign
        if valued.unrealized is not None:
            self.unrealized += sign * valued.unrealized
        for member, names in ((valued.mark is None, self.unpriced), (valued.stale, self.stale)):
            if member:
                insort(names, symbol) if sign > 0 else names.pop(bisect_left(names, symbol))

    def totals(self) -> PortfolioTotals:
        blind = self.open_count > 0 and len(self.unpriced) == self.open_count
        return PortfolioTotals(
            self.gross,
            self.fees,
            None if blind else self.unrealized,
            tuple(self.unpriced[:LISTED]),
            len(self.unpriced),
            tuple(self.stale[:LISTED]),
            len(self.stale),
        )


class Valuation:
    """The live read model. Lives in the event loop; only committed books are put into it."""

    def __init__(self, marks: MarkBoard) -> None:
        self._marks = marks
        self._portfolios: dict[str, _Portfolio] = {}
        self._books: dict[tuple[str, str], Book] = {}
        self._holders: dict[str, set[str]] = {}  # symbol -> portfolios that have it open
        self._left: dict[str, set[str]] = {}  # symbol -> portfolios that had it open
        self.opened_or_closed = 0  # goes up whenever ``open_symbols`` may have changed
        self._dirty: dict[tuple[str, str], int] = {}  # -> mark changes since it was valued
        self._changed: dict[tuple[str, str], int] = {}  # -> mark changes since ``take_changes``

    def load(self, portfolios: Iterable[str], books: Mapping[tuple[str, str], Book]) -> None:
        """Replace everything by ``books``."""
        self._portfolios = {name: _Portfolio() for name in portfolios}
        self._books = {}
        self._holders = {}
        self._left = {}
        self._dirty = {}
        self._changed = {}
        self.commit((), books)

    def commit(self, portfolios: Iterable[str], books: Mapping[tuple[str, str], Book]) -> None:
        """Take over books that were just committed."""
        for name in portfolios:
            self._portfolios.setdefault(name, _Portfolio())
        for key, book in books.items():
            self._books[key] = book
            self._dirty.setdefault(key, 0)
            holders, left = (index.setdefault(key[1], set()) for index in (self._holders, self._left))
            into, out_of = (left, holders) if book.direction is None else (holders, left)
            if key[0] not in into:
                self.opened_or_closed += 1
            into.add(key[0])
            out_of.discard(key[0])

    def marked(self, symbols: Iterable[str]) -> bool:
        """Note that the marks of ``symbols`` changed; whether any open position is valued by them.

        A flat position is worth nothing at any mark: it shows the new one when it is read, and is no change to tell.
        """
        touched = False
        for symbol in symbols:
            for portfolio_id in self._holders.get(symbol, ()):
                key = (portfolio_id, symbol)
                self._dirty[key] = self._dirty.get(key, 0) + 1
                touched = True
            for portfolio_id in self._left.get(symbol, ()):
                self._portfolios[portfolio_id].outdated.add(symbol)
        return touched

    def settle(self) -> None:
        """Value what changed."""
        if not self._dirty:
            return
        with localcontext(EXACT):
            for key, mark_changes in self._dirty.items():
                portfolio_id, symbol = key
                self._portfolios[portfolio_id].put(symbol, self._valued(symbol, self._books[key]))
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
        return Valued(book, mark, self._marks.is_stale(symbol), book.unrealized(price))

    def open_symbols(self) -> list[str]:
        """Every symbol that some portfolio has open."""
        return [symbol for symbol, holders in self._holders.items() if holders]

    def take_changes(self) -> dict[tuple[str, str], int]:
        """Every book that changed since the last call, with how many mark changes it saw."""
        self.settle()
        changed, self._changed = self._changed, {}
        return changed

    def has(self, portfolio_id: str) -> bool:
        """Whether there is such a portfolio."""
        return portfolio_id in self._portfolios

    def portfolios(self) -> list[str]:
        """All of them, by name."""
        return sorted(self._portfolios)

    def book(self, key: tuple[str, str]) -> Book | None:
        """The committed book, open or flat."""
        return self._books.get(key)

    def positions(self, portfolio_id: str) -> Mapping[str, Valued]:
        """Every position of a portfolio that ever had a fill; do not keep it, copy it."""
        self.settle()
        portfolio = self._portfolios.get(portfolio_id)
        if portfolio is None:
            return {}
        while portfolio.outdated:
            symbol = portfolio.outdated.pop()
            book = portfolio.positions[symbol].book
            if book.direction is None:
                portfolio.positions[symbol] = self.value(symbol, book)
        return portfolio.positions

    def totals(self, portfolio_id: str) -> PortfolioTotals:
        """Of one portfolio, at the newest marks; run under ``localcontext(EXACT)``."""
        self.settle()
        return self._portfolios[portfolio_id].totals()
