"""The same executions matched by another lot method: a view, beside what was decided.

A view decides every execution that counts anew, in the order in which they count, and nothing else: side, quantity, price, fee and
time are those of the journal. How much is open does not depend on the method, so a view never flips where the book did not,
and what was exercised, expired or settled is what it was. Which lots are open does depend on it; therefore a split and a
change of symbol carry the view's own lots. Gross and fees of a book that ends flat are the same by every method (law 6).

Choices belong to CHOSEN portfolios, whose own view is what was decided: another portfolio has none, so by CHOSEN as by FIFO the
oldest go first.
"""

from __future__ import annotations

from lotkeeperd.domain.book import Book, Contract, LotMethod, Record
from lotkeeperd.domain.commands import Decision, Method, origin_of
from lotkeeperd.domain.course import Course, with_fee_of
from lotkeeperd.domain.replaying import replayed
from lotkeeperd.domain.splits import arrived, carried_anew, departed

Key = tuple[str, str, str]
"""(portfolio_id, symbol, side), as a book is named."""

Carried = dict[int, tuple[Record, ...]]
"""Lots on their way from one symbol to another, by the sequence of the record that they arrive with."""


class Contracts:
    """What symbols were worth when: the contract of each from a record on."""

    def __init__(self) -> None:
        self._since: dict[str, list[tuple[int, Contract]]] = {}

    def declared(self, symbol: str, sequence: int, contract: Contract) -> None:
        """``symbol`` is worth this from record ``sequence`` on; told in the order of the journal."""
        self._since.setdefault(symbol, []).append((sequence, contract))

    def at(self, symbol: str, sequence: int) -> Contract | None:
        """The newest one declared by then; None when there is none."""
        found = None
        for since, contract in self._since.get(symbol, ()):
            if since > sequence:
                break
            found = contract
        return found


class View:
    """One book decided anew, one execution after the other; everything runs under ``localcontext(EXACT)``."""

    def __init__(self, contract: Contract, method: LotMethod) -> None:
        self._book = Book(contract, method)

    def take(self, decision: Decision, carried: Carried | None = None) -> None:
        """Take the next execution in as this method decides it; ``carried`` is needed where symbols change."""
        records = _records(self._book, decision, {} if carried is None else carried)
        self._book.evolve(records, decision.sequence, decision.fill.time)
        self._book.pending = with_fee_of(decision, self._book.pending)

    def under(self, contract: Contract) -> None:
        """Its instrument was declared anew: with other terms only while nothing is open."""
        self._book.contract = contract

    def book(self) -> Book:
        """The book after what was taken in; it goes on with the next one."""
        return self._book


def _records(book: Book, decision: Decision, carried: Carried) -> tuple[Record, ...]:
    command, sequence = decision.command, decision.sequence
    if command.method is Method.SPLIT:
        return carried_anew(decision, book)
    if command.method is Method.SYMBOL_CHANGE:
        carried[sequence + 1] = arrived(book, sequence + 1)
        return departed(book, sequence)
    if command.method is Method.SYMBOL_ARRIVAL:
        moved = carried.pop(sequence, None)
        return tuple(replayed(decision, book)) if moved is None else moved
    if not decision.fill.quantity:
        return ()
    return book.decide(decision.fill, sequence, origin_of(command, decision.charged))


class _Walk:
    """How far one book has come."""

    __slots__ = ("place", "sequence", "slots", "view")

    def __init__(self, view: View, course: Course) -> None:
        self.view = view
        self.slots = course.slots()
        self.sequence = course.sequence
        self.place = 0


class Walks:
    """Several books whose slots are all known, walked so that lots leave one symbol before they arrive at the next."""

    def __init__(self, contracts: Contracts, method: LotMethod) -> None:
        self._contracts = contracts
        self._method = method
        self._walks: dict[Key, _Walk] = {}
        self._carried: Carried = {}

    def add(self, key: Key, contract: Contract, course: Course) -> None:
        """One more book, from its beginning, when it was worth ``contract``; ``course`` has all its records."""
        self._walks[key] = _Walk(View(contract, self._method), course)

    def books(self) -> dict[Key, Book]:
        """All of them at their ends; run under ``localcontext(EXACT)``."""
        for key in self._walks:
            self._advance(key, None)
        for walk in self._walks.values():
            walk.view.book().sequence = walk.sequence
        return {key: walk.view.book() for key, walk in self._walks.items()}

    def _advance(self, key: Key, until: int | None) -> None:
        """Walk a book to its end, or until the slot ``until`` was taken in."""
        walk = self._walks.get(key)
        while walk is not None and walk.place < len(walk.slots):
            decision = walk.slots[walk.place].decision
            walk.place += 1
            self._fetch(key, decision)
            contract = self._contracts.at(key[1], decision.sequence)
            if contract is not None and walk.view.book().direction is None:
                walk.view.under(contract)
            walk.view.take(decision, self._carried)
            if decision.sequence == until:
                return

    def _fetch(self, key: Key, decision: Decision) -> None:
        """Before lots arrive they have to leave: the book they come from is walked that far."""
        if decision.command.method is Method.SYMBOL_ARRIVAL and decision.sequence not in self._carried:
            origin = dict(decision.command.details)["from_symbol"]
            self._advance((key[0], origin, key[2]), decision.sequence - 1)
