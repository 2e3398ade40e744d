"""A ledger without a server: the store, and the books that a writer would hold, used from the test's own thread."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal, localcontext

from lotkeeperd.domain.book import Book, Direction
from lotkeeperd.domain.commands import Command, Excess, Method
from lotkeeperd.domain.decimals import EXACT
from lotkeeperd.domain.rates import Rate
from lotkeeperd.domain.refusals import Refusal
from lotkeeperd.service.batch import Batch, Grounds
from lotkeeperd.service.known import Loaded
from lotkeeperd.service.outcomes import Answer, Outcome
from lotkeeperd.service.ports import AnyCommand, Key, State, Transaction, Written
from lotkeeperd.storage.engines import database_url
from lotkeeperd.storage.journal_key import JournalKey
from lotkeeperd.storage.store import SqlStore

NOW = 1_700_000_000_000_000_000
"""Nanoseconds UTC: what the clock of these ledgers always says."""

CURRENCY = "USD"


class BareLedger:
    """An open store. ``take`` decides and commits as the writer does, one batch a call.

    ``rates`` are the rates from one currency to another, set by the test; ``now`` is what its clock says.
    """

    def __init__(self, url: str, key: JournalKey | None = None) -> None:
        self.store = SqlStore(database_url(url), key)
        self.rates: dict[tuple[str, str], Rate] = {}
        self.now = NOW
        try:
            self.load(self.store.open(CURRENCY, NOW))
        except BaseException:
            self.store.close()
            raise

    def load(self, state: State) -> None:
        """Hold what was read from disk."""
        self.state = state
        self.ledger_id = state.ledger_id
        self.sequence = state.last_sequence
        self.books: dict[Key, Book] = state.books

    def reload(self, state: State) -> None:
        """Hold what was read anew, in the same place: a writer that runs knows this state."""
        self.books.clear()
        self.books.update(state.books)
        self.state.portfolios.update(state.portfolios)
        self.state.instruments.update(state.instruments)
        self.state.balances.clear()
        self.state.balances.update(state.balances)
        self.state = self.state._replace(standings=state.standings)
        self.sequence = state.last_sequence

    @property
    def portfolios(self) -> set[str]:
        """Those that are there."""
        return set(self.state.portfolios)

    def batch(self) -> Batch:
        """What decides the next commands."""
        known = Loaded(self.state._replace(books=self.books))
        rates = lambda currency, into: self.rates.get((currency, into))  # noqa: E731
        return Batch(Grounds(known, rates, self.state.currency, self.sequence, self.now, create_portfolios=True))

    def take(self, *commands: AnyCommand) -> list[Answer]:
        """Decide and commit as one batch; an answer per command. Raises what the store raises."""
        batch = self.batch()

        def work(transaction: Transaction) -> Written:
            batch.decide(commands, transaction)
            transaction.write(self.sequence, batch.written())
            return batch.written()

        with localcontext(EXACT):
            self.committed(self.store.transact(work))
        return batch.answers()

    def committed(self, done: Written) -> None:
        """Take over what a batch wrote."""
        self.books.update(done.books)
        self.state.portfolios.update(done.portfolios)
        self.state.instruments.update(done.instruments)
        self.state.balances.update(done.balances)
        self.state = self.state._replace(standings=self.state.standings.over(done.standings))
        self.sequence += len(done.records)

    def all_taken(self, *commands: AnyCommand) -> list[Answer]:
        """``take``, where nothing may be refused."""
        answers = self.take(*commands)
        refusals = [answer for answer in answers if isinstance(answer, Refusal)]
        assert not refusals, refusals
        return answers

    def taken(self, *commands: Command) -> list[Outcome]:
        """The same, of executions."""
        return [answer for answer in self.all_taken(*commands) if isinstance(answer, Outcome)]


@contextmanager
def bare_ledger(url: str, key: JournalKey | None = None) -> Iterator[BareLedger]:
    """A ledger on ``url`` that is closed afterwards; ``key`` is of its chain."""
    ledger = BareLedger(url, key)
    try:
        yield ledger
    finally:
        ledger.store.close()


def entry(number: int, quantity: str = "1", price: str = "100", **others: object) -> Command:
    """CreateEntry number ``number``: long 1 at 100 of A in p, at ``number`` nanoseconds."""
    given = Command(Method.CREATE_ENTRY, "p", "A", Direction.LONG, Decimal(quantity), Decimal(price))
    return given._replace(**({"fill_id": f"f{number}", "time": number} | others))  # type: ignore[arg-type]


def exit_of(number: int, quantity: str = "1", price: str = "110", **others: object) -> Command:
    """CloseFifo number ``number``: 1 at 110 of A in p, at ``number`` nanoseconds."""
    given = Command(Method.CLOSE_FIFO, "p", "A", None, Decimal(quantity), Decimal(price))
    return given._replace(**({"fill_id": f"f{number}", "time": number} | others))  # type: ignore[arg-type]


def sold(number: int, quantity: str = "1", price: str = "110", **others: object) -> Command:
    """RecordFill number ``number``: sold 1 at 110 of A in p, a flip allowed, at ``number`` nanoseconds."""
    given = Command(Method.RECORD_FILL, "p", "A", Direction.SHORT, Decimal(quantity), Decimal(price))
    given = given._replace(excess=Excess.REVERSE)
    return given._replace(**({"fill_id": f"f{number}", "time": number} | others))  # type: ignore[arg-type]
