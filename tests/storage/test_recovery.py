"""What a server knows again after a restart, and after the disk left it in doubt."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TypeVar

import lotkeeper
from lotkeeperd.domain.book import Direction
from lotkeeperd.domain.commands import Command, Method
from lotkeeperd.domain.rates import Pairs
from lotkeeperd.domain.refusals import Refusal, StorageUnavailable
from lotkeeperd.service.conversion import Converter
from lotkeeperd.service.marks import MarkBoard, Policy
from lotkeeperd.service.ports import OutcomeUnknown, State, Transaction, Written
from lotkeeperd.service.valuation import Valuation
from lotkeeperd.service.writer import Writer
from lotkeeperd.storage.engines import database_url as url_of
from lotkeeperd.storage.store import SqlStore
from tests.support.sidecar import Sidecar

T = TypeVar("T")

MARK_AGE = 60_000_000_000
"""Nanoseconds; no mark comes here."""


def entry(fill_id: str, quantity: str, price: str = "1") -> Command:
    """A long entry in X."""
    return Command(
        Method.CREATE_ENTRY, "default", "X", Direction.LONG, Decimal(quantity), Decimal(price), fill_id=fill_id
    )


def close(fill_id: str, quantity: str) -> Command:
    """A close of whatever is open in X."""
    return Command(Method.CLOSE_FIFO, "default", "X", None, Decimal(quantity), Decimal(1), fill_id=fill_id)


class DoubtfulStore:
    """The real store behind a link that fails when it is told to: the answer of a commit, or the question about it."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store
        self.lose_answer = False
        self.refuse = False
        self.unreachable = 0

    def transact(self, work: Callable[[Transaction], T]) -> T:
        """Commit for real; then maybe lose the answer."""
        if self.refuse:
            self.refuse = False
            raise StorageUnavailable("locked")
        done = self._store.transact(work)
        if self.lose_answer:
            self.lose_answer = False
            raise OutcomeUnknown(StorageUnavailable("the answer was lost"))
        return done

    def last_sequence(self) -> int:
        """What the disk says, when it can be asked."""
        if self.unreachable:
            self.unreachable -= 1
            raise StorageUnavailable("locked")
        return self._store.last_sequence()

    def load(self) -> State:
        """Everything from disk."""
        return self._store.load()


async def test_a_state_read_anew_counts_even_when_the_same_hop_fails_afterwards(database_url: str) -> None:
    """A commit in doubt that was written, a disk that cannot be asked, a second failure: the close is not made twice."""
    store = SqlStore(url_of(database_url))
    state = store.open(None, time.time_ns())
    doubtful, board = DoubtfulStore(store), MarkBoard(Policy(MARK_AGE))
    converter = Converter(board, Pairs())
    known = Valuation(board, converter, state.currency)
    known.load(state)

    def take_over(written: Sequence[Written], newer: State | None) -> None:
        if newer is not None:
            known.load(newer)
        for done in written:
            known.commit(done)

    writer = Writer(
        doubtful, known, converter.rate, state.currency, time.time_ns, queue_limit=10, create_portfolios=True
    )
    task = writer.start(0, take_over)

    async def answer(command: Command) -> tuple[int, bool, Decimal] | str:
        try:
            outcome = await writer.submit(command)
        except Refusal as refusal:
            return type(refusal).__name__
        return outcome.sequence, outcome.replayed, outcome.book.quantity

    try:
        assert await answer(entry("a", "10")) == (1, False, Decimal(10))
        doubtful.lose_answer, doubtful.unreachable = True, 1
        assert await answer(close("b", "10")) == "StorageUnavailable"
        doubtful.refuse = True
        assert await answer(close("c", "1")) == "StorageUnavailable"

        assert await answer(close("b", "10")) == (2, True, Decimal(0))
        assert await answer(close("d", "10")) == "NoOpenPosition"
    finally:
        writer.close()
        await task
        store.close()


def test_a_ledger_of_36_digit_costs_opens_again(database_url: str) -> None:
    """Law 1 holds at start, too: sums of 18 and 18 digits are added up exactly, and agree with what is stored."""
    amounts = (
        ("1.123456789012345678", "12345.123456789012345678"),
        ("3.987654321098765432", "0.123456789012345678"),
        ("99999999999999999999.999999999999999999", "99999999999999999999.999999999999999999"),
    )
    with Sidecar(database_url) as sidecar, lotkeeper.connect(sidecar.address) as ledger:
        for number, (quantity, price) in enumerate(amounts):
            ledger.create_entry(symbol="X", quantity=quantity, entry_price=price, entry_fill_id=str(number))
        before = ledger.get_summary().positions

    with Sidecar(database_url) as sidecar, lotkeeper.connect(sidecar.address) as ledger:
        assert ledger.get_summary().positions == before
