"""What one batch adds to the ledger, command by command; nothing of it is seen before it is committed.

Commands are decided one after the other on what is known and what is staged over it. Whatever a command decides goes in here
at once and whole, after the last thing that can fail; so a refused one leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from lotkeeperd.domain.accounts import Balance, CashMoved, InstrumentDefined, TermsSet, cash_of, elsewhere
from lotkeeperd.domain.book import Book, LotPlaced, LotReduced, LotTaken, Record
from lotkeeperd.domain.commands import Command, Decision, Terms
from lotkeeperd.domain.decimals import ZERO
from lotkeeperd.domain.fees import FeeState
from lotkeeperd.domain.history import BookRecord, Correction, History, Late
from lotkeeperd.domain.instruments import Instrument, on_first_use
from lotkeeperd.domain.portfolios import Portfolio
from lotkeeperd.domain.rates import Rate, same
from lotkeeperd.domain.reconciliation.records import Standing
from lotkeeperd.domain.rematch import Rematched
from lotkeeperd.domain.trades import ClosedTrade, Entry, Restatement, entry_of
from lotkeeperd.service.ports import JournalRecord, Key, Known, OfReconciliation, Rates, Superseded, Written
from lotkeeperd.service.standings import Standings

_SETTLED = FeeState.SETTLED  # an enum's member is slow to look up


class Stage:
    """Staged state over ``known``; ``currency`` is the ledger's. Run in the writer's thread, under the exact context."""

    def __init__(self, known: Known, rates: Rates, currency: str, sequence: int, now: int) -> None:
        self._known = known
        self._rates = rates
        self.currency = currency
        self.now = now
        self._sequence = sequence
        self._records: list[JournalRecord] = []
        self._trades: list[list[ClosedTrade]] = []
        self._restated: dict[int, list[Restatement]] = {}
        self._entries: dict[tuple[str, int], Entry] = {}
        self._rewritten = False
        self._moved: list[tuple[str, int, int]] = []
        self._superseded: list[Superseded] = []
        self._books: dict[Key, Book] = {}
        self._portfolios: dict[str, Portfolio] = {}
        self._instruments: dict[str, Instrument] = {}
        self._balances: dict[tuple[str, str], Balance] = {}
        self._terms: dict[tuple[str, str], Terms] = {}
        self._changed: dict[str, Standing] = {}
        self._named: dict[tuple[str, str], tuple[Decision | Late, ...]] = {}
        self._indexed = 0  # records that are in it
        self.histories: dict[Key, tuple[History, int]] = {}
        """Of books that were re-matched, and after how many records of this batch."""
        self.standings: Standings = known.standings()
        """What differs from brokers, and what that stops."""

    def written(self) -> Written:
        """What is to be committed."""
        return Written(
            self._records,
            self._trades,
            self._restated,
            self._entries,
            self._rewritten,
            self._moved,
            self._superseded,
            self._books,
            self._portfolios,
            self._instruments,
            self._balances,
            self._changed,
        )

    # What is so now.

    @property
    def next_sequence(self) -> int:
        """Of the next record."""
        return self._sequence + len(self._records) + 1

    def holds(self, key: Key) -> bool:
        """Whether this batch has changed the book."""
        return key in self._books

    def book(self, key: Key) -> Book | None:
        """As staged, or as committed; None before its first record."""
        return self._books.get(key) or self._known.book(key)

    def books_of(self, portfolio_id: str) -> Mapping[Key, Book]:
        """Every book of a portfolio."""
        over = {key: book for key, book in self._books.items() if key[0] == portfolio_id}
        return {**self._known.books_of(portfolio_id), **over}

    def books_in(self, symbol: str) -> Mapping[Key, Book]:
        """Every book of an instrument."""
        over = {key: book for key, book in self._books.items() if key[1] == symbol}
        return {**self._known.books_in(symbol), **over}

    def portfolio(self, portfolio_id: str) -> Portfolio | None:
        """Its terms; None when there is none."""
        return self._portfolios.get(portfolio_id) or self._known.portfolio(portfolio_id)

    def default_portfolio(self, portfolio_id: str) -> Portfolio:
        """The terms of one that its first record makes."""
        return Portfolio(portfolio_id, self.currency, created_time=self.now)

    def has_records(self, portfolio_id: str) -> bool:
        """Whether anything but terms was ever recorded in it."""
        return bool(self.balances_of(portfolio_id) or self.books_of(portfolio_id))

    def instrument(self, symbol: str) -> Instrument | None:
        """What it is; None before its first use."""
        return self._instruments.get(symbol) or self._known.instrument(symbol)

    def balance(self, portfolio_id: str, currency: str) -> Balance:
        """Its cash besides executions."""
        return self._balances.get((portfolio_id, currency)) or self._known.balance(portfolio_id, currency) or Balance()

    def balances_of(self, portfolio_id: str) -> Mapping[str, Balance]:
        """Its cash besides executions, by currency."""
        over = {key[1]: balance for key, balance in self._balances.items() if key[0] == portfolio_id}
        return {**self._known.balances(portfolio_id), **over}

    def cash_in(self, portfolio_id: str, currency: str) -> Decimal:
        """All its cash in one currency, what executions did to it included."""
        cash = self.balance(portfolio_id, currency).cash
        for key, book in self.books_of(portfolio_id).items():
            if book.contract.currency == currency:
                cash += cash_of(book, self.terms(portfolio_id, key[1]).instrument)
        return cash

    def since(self, sequence: int) -> list[JournalRecord]:
        """The records of this batch from ``sequence`` on; none when that is of an earlier one."""
        return self._records[sequence - self._sequence - 1 :] if sequence > self._sequence else []

    def fork(self) -> Stage:
        """A stage to try something on and throw away."""
        copy = Stage(self._known, self._rates, self.currency, self._sequence, self.now)
        copy.standings = self.standings
        for name, value in vars(self).items():
            if isinstance(value, dict | list):
                setattr(copy, name, value.copy())
        copy._indexed = self._indexed
        copy.histories = {}  # they grow, each in its own way
        return copy

    def rate(self, currency: str, into: str) -> Rate | None:
        """The rate at the newest mark; None when none is known."""
        return same(currency, self.now) if currency == into else self._rates(currency, into)

    def terms(self, portfolio_id: str, symbol: str, fee_currency: str = "") -> Terms:
        """What a command of this book is decided under. Raises InstrumentNotDeclared."""
        terms = self._terms.get((portfolio_id, symbol))
        if terms is None:
            instrument = self.instrument(symbol) or on_first_use(symbol, self.currency)
            portfolio = self.portfolio(portfolio_id) or self.default_portfolio(portfolio_id)
            terms = self._terms[portfolio_id, symbol] = Terms(instrument, portfolio)
        if not fee_currency or fee_currency in (terms.instrument.settlement_currency, terms.instrument.base_currency):
            return terms
        return terms._replace(rate=self._rates(fee_currency, terms.instrument.settlement_currency))

    def in_full(self, command: Command, terms: Terms) -> Command:
        """``command`` with the currency of its fee, where that is the instrument's and not the ledger's."""
        settled_in = terms.instrument.settlement_currency
        if command.fee is None or command.fee_currency or settled_in == self.currency:
            return command
        return command._replace(fee_currency=settled_in)

    @property
    def records(self) -> Sequence[JournalRecord]:
        """What this batch has recorded."""
        return self._records

    def named(self, portfolio_id: str, fill_id: str) -> Sequence[Decision | Late]:
        """The executions of this batch with this fill id; the index of them is made when somebody asks."""
        for record in self._records[self._indexed :]:
            if isinstance(record, Decision | Late) and record.command.fill_id:
                name = (record.command.portfolio_id, record.command.fill_id)
                self._named[name] = (*self._named.get(name, ()), record)
        self._indexed = len(self._records)
        return self._named.get((portfolio_id, fill_id), ())

    def changed(self, discrepancy_id: str) -> Standing | None:
        """A difference that this batch changed, whatever became of it."""
        return self._changed.get(discrepancy_id)

    def settled(self, resolution_id: str) -> Standing | None:
        """The difference that a resolution of this batch settled, unless it was taken back."""
        settled = (one for one in self._changed.values() if one.settled and one.settled.resolution_id == resolution_id)
        return next(settled, None)

    def book_records(self, key: Key) -> list[BookRecord]:
        """What this batch has recorded of one book."""
        return [
            record
            for record in self._records
            if isinstance(record, Decision | Late | Correction) and key_of(record) == key
        ]

    def definitions(self, symbol: str) -> list[InstrumentDefined]:
        """What this batch has recorded of one instrument."""
        return [one for one in self._records if isinstance(one, InstrumentDefined) and one.command.symbol == symbol]

    def trades_of(self, sequence: int) -> list[ClosedTrade] | None:
        """The closed trades of a record of this batch."""
        place = sequence - self._sequence - 1
        return self._trades[place] if 0 <= place < len(self._trades) else None

    def restated_of(self, sequence: int) -> list[Restatement] | None:
        """The restatements of a record of this batch."""
        return self._restated.get(sequence, []) if sequence > self._sequence else None

    # What a command adds.

    def take(
        self, key: Key, book: Book, decision: Decision, records: Sequence[Record], trades: list[ClosedTrade]
    ) -> None:
        """One decided record of one book: ``book`` is this batch's own copy and evolves here."""
        book.evolve(records, decision.sequence, decision.fill.time)
        charged, command = decision.charged, decision.command
        if charged.state is not _SETTLED:
            book.pending = book.pending.moved(charged, command.fee or ZERO, command.fee_currency)
        new = key not in self._books
        self._books[key] = book
        self._records.append(decision)
        self._trades.append(trades)
        for record in records:
            if isinstance(record, LotReduced):
                lot = record.lot.less(record.quantity, record.entry_fee)
                self._entries[key[0], lot.sequence] = entry_of(key[0], key[1], lot)
            elif isinstance(record, LotPlaced):
                self._entries[key[0], record.lot.sequence] = entry_of(key[0], key[1], record.lot)
                self._rewritten = True
            elif isinstance(record, LotTaken):
                self._entries.pop((key[0], record.lot.sequence), None)
        if charged.rate is not None or charged.state is FeeState.UNCONVERTED:
            self.move_fees(key[0], elsewhere(decision, book.contract.currency), decision.sequence)
        if new:
            self._first_use(*key[:2])

    def _first_use(self, portfolio_id: str, symbol: str) -> None:
        if self.portfolio(portfolio_id) is None:
            self._portfolios[portfolio_id] = self.default_portfolio(portfolio_id)
        if self.instrument(symbol) is None:
            self._instruments[symbol] = on_first_use(symbol, self.currency)

    def rematch(self, key: Key, record: Late | Correction, done: Rematched) -> None:
        """One record that re-matched its book."""
        self._books[key] = done.book
        self._records.append(record)
        self._trades.append(done.trades)
        self._restated[record.sequence] = done.restated
        self._rewritten = True
        for entry in done.entries:
            self._entries[key[0], entry.opened.sequence] = entry
        self._moved += [(key[0], time, sequence) for time, sequence in done.moved]
        self._superseded += [
            Superseded(key[0], was, (record.sequence, index))
            for index, (was, _) in enumerate(record.rematch.pairs)
            if was is not None
        ]
        self._first_use(*key[:2])

    def move_fees(self, portfolio_id: str, amounts: Mapping[str, Decimal], sequence: int) -> None:
        """Fees that were taken in another coin than their book's."""
        for currency, amount in amounts.items():
            before = self.balance(portfolio_id, currency)
            self._balances[portfolio_id, currency] = before._replace(
                fees_elsewhere=before.fees_elsewhere + amount, sequence=sequence
            )

    def cash(self, record: CashMoved) -> None:
        """One record of cash."""
        command = record.command
        at = (command.portfolio_id, command.currency)
        self._balances[at] = self.balance(*at).moved(record)
        self._append(record)
        if self.portfolio(command.portfolio_id) is None:
            self._portfolios[command.portfolio_id] = self.default_portfolio(command.portfolio_id)

    def set_terms(self, record: TermsSet, balances: Mapping[str, Balance]) -> None:
        """One record of a portfolio's terms, and the cash it begins with."""
        portfolio = record.portfolio
        self._portfolios[portfolio.portfolio_id] = portfolio
        for currency, balance in balances.items():
            self._balances[portfolio.portfolio_id, currency] = balance
        self._terms.clear()
        self._append(record)

    def define(self, record: InstrumentDefined, books: Mapping[Key, Book]) -> None:
        """One record of an instrument, and its books under the new terms."""
        self._instruments[record.instrument.symbol] = record.instrument
        self._books.update(books)
        self._terms.clear()
        self._append(record)

    def note(self, record: OfReconciliation, standings: Sequence[Standing]) -> None:
        """One record of reconciliation, and what stands after it, as far as it changed anything."""
        changed = {standing.discrepancy_id: standing for standing in standings}
        self._changed.update(changed)
        self.standings = self.standings.over(changed)
        self._append(record)

    def _append(self, record: JournalRecord) -> None:
        self._records.append(record)
        self._trades.append([])


def key_of(record: Decision | Late | Correction) -> Key:
    """The book that a record is of."""
    command = record.command
    return command.portfolio_id, command.symbol, command.book_side._name_ if command.book_side else ""
