"""A ledger without a server: the store, and the books that a writer would hold, used from the test's own thread."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal, localcontext

from lotkeeperd.domain.book import Book, Direction
from lotkeeperd.domain.commands import Command, Excess, Method
from lotkeeperd.domain.decimals import EXACT
from lotkeeperd.domain.refusals import Refusal
from lotkeeperd.service.batch import Answer, Batch, Outcome
from lotkeeperd.service.ports import Key, Transaction, Written
from lotkeeperd.storage.engines import database_url
from lotkeeperd.storage.store import SqlStore

NOW = 1_700_000_000_000_000_000
"""Nanoseconds UTC: what the clock of these ledgers always says."""

CURRENCY = "USD"


class BareLedger:
    """An open store. ``take`` decides and commits as the writer does, one batch a call."""

    def __init__(self, url: str) -> None:
        self.store = SqlStore(database_url(url))
        state = self.store.open(CURRENCY, NOW)
        self.ledger_id = state.ledger_id
        self.sequence = state.last_sequence
        self.books: dict[Key, Book] = dict(state.books)
        self.portfolios = set(state.portfolios)

    def batch(self) -> Batch:
        """What decides the next commands."""
        return Batch(self.books.get, self.portfolios.__contains__, self.sequence, NOW, create_portfolios=True)

    def take(self, *commands: Command) -> list[Answer]:
        """Decide and commit as one batch; an answer per command. Raises what the store raises."""
        batch = self.batch()

        def work(transaction: Transaction) -> Written:
            batch.decide(commands, transaction)
            transaction.write(self.sequence, batch.written())
            return batch.written()

        with localcontext(EXACT):
            done = self.store.transact(work)
        self.books.update(done.books)
        self.portfolios.update(done.portfolios)
        self.sequence += len(done.decisions)
        return batch.answers()

    def taken(self, *commands: Command) -> list[Outcome]:
        """The same, where nothing may be refused."""
        answers = self.take(*commands)
        refusals = [answer for answer in answers if isinstance(answer, Refusal)]
        assert not refusals, refusals
        return [answer for answer in answers if isinstance(answer, Outcome)]


@contextmanager
def bare_ledger(url: str) -> Iterator[BareLedger]:
    """A ledger on ``url`` that is closed afterwards."""
    ledger = BareLedger(url)
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
