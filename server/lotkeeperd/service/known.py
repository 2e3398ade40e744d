"""What is known when a command is decided: what was committed, and over it what this hop of the writer has written already."""

from __future__ import annotations

from collections.abc import Mapping

from lotkeeperd.domain.accounts import Balance
from lotkeeperd.domain.book import Book
from lotkeeperd.domain.instruments import Instrument
from lotkeeperd.domain.portfolios import Portfolio
from lotkeeperd.service.ports import Key, Known, State, Written
from lotkeeperd.service.standings import Standings


class Loaded:
    """A state that was read from disk. Satisfies ``service.ports.Known``."""

    def __init__(self, state: State) -> None:
        self._state = state

    def book(self, key: Key) -> Book | None:
        """The book, open or flat."""
        return self._state.books.get(key)

    def books_of(self, portfolio_id: str) -> Mapping[Key, Book]:
        """Every book of a portfolio."""
        return {key: book for key, book in self._state.books.items() if key[0] == portfolio_id}

    def books_in(self, symbol: str) -> Mapping[Key, Book]:
        """Every book of an instrument."""
        return {key: book for key, book in self._state.books.items() if key[1] == symbol}

    def portfolio(self, portfolio_id: str) -> Portfolio | None:
        """Its terms."""
        return self._state.portfolios.get(portfolio_id)

    def instrument(self, symbol: str) -> Instrument | None:
        """What it is."""
        return self._state.instruments.get(symbol)

    def balance(self, portfolio_id: str, currency: str) -> Balance | None:
        """Its cash."""
        return self._state.balances.get((portfolio_id, currency))

    def balances(self, portfolio_id: str) -> Mapping[str, Balance]:
        """Its cash, by currency."""
        return {key[1]: balance for key, balance in self._state.balances.items() if key[0] == portfolio_id}

    def standings(self) -> Standings:
        """What differs from brokers, and what that stops."""
        return self._state.standings


class Layered:
    """``written`` over what was known before. Satisfies ``service.ports.Known``."""

    def __init__(self, before: Known, written: Written) -> None:
        self._before = before
        self._written = written

    def book(self, key: Key) -> Book | None:
        """The book, open or flat."""
        return self._written.books.get(key) or self._before.book(key)

    def books_of(self, portfolio_id: str) -> Mapping[Key, Book]:
        """Every book of a portfolio."""
        over = {key: book for key, book in self._written.books.items() if key[0] == portfolio_id}
        return {**self._before.books_of(portfolio_id), **over}

    def books_in(self, symbol: str) -> Mapping[Key, Book]:
        """Every book of an instrument."""
        over = {key: book for key, book in self._written.books.items() if key[1] == symbol}
        return {**self._before.books_in(symbol), **over}

    def portfolio(self, portfolio_id: str) -> Portfolio | None:
        """Its terms."""
        return self._written.portfolios.get(portfolio_id) or self._before.portfolio(portfolio_id)

    def instrument(self, symbol: str) -> Instrument | None:
        """What it is."""
        return self._written.instruments.get(symbol) or self._before.instrument(symbol)

    def balance(self, portfolio_id: str, currency: str) -> Balance | None:
        """Its cash."""
        return self._written.balances.get((portfolio_id, currency)) or self._before.balance(portfolio_id, currency)

    def balances(self, portfolio_id: str) -> Mapping[str, Balance]:
        """Its cash, by currency."""
        over = {key[1]: balance for key, balance in self._written.balances.items() if key[0] == portfolio_id}
        return {**self._before.balances(portfolio_id), **over}

    def standings(self) -> Standings:
        """What differs from brokers, and what that stops."""
        return self._before.standings().over(self._written.standings)
