"""Commands into the ledger in one transaction, through the decisions and the writing that a server does.

Problem: years of fills do not fit into one batch, yet the import has to be all or nothing, and a dry run has to say exactly
what would happen. Chosen: one transaction of the database; in it, chunk after chunk is decided against the books as those
before left them, and written. A dry run does the same and rolls back. So "nothing" is the database's word, also when the process is
killed, and memory grows with what is open, not with what is read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal, localcontext
from itertools import islice
from typing import NamedTuple

from lotkeeperd.domain.accounts import DefineInstrument, PortfolioCommand
from lotkeeperd.domain.book import Book, Direction
from lotkeeperd.domain.commands import Command, Excess, Method
from lotkeeperd.domain.decimals import EXACT, plain
from lotkeeperd.domain.refusals import FieldViolations, InstrumentNotDeclared, Refusal
from lotkeeperd.intake.report import After, Refused
from lotkeeperd.service.batch import Batch, Grounds
from lotkeeperd.service.known import Loaded
from lotkeeperd.service.outcomes import Agreed, Answer, Outcome
from lotkeeperd.service.ports import Key, State, Store, Transaction

CHUNK = 1_000
"""Commands decided and written at once."""


class Put(NamedTuple):
    """A command, and where it came from."""

    place: str
    command: Command | PortfolioCommand | DefineInstrument


def to_text(place: str, command: Command) -> str:
    """A row for the spool."""
    amounts = [None if amount is None else plain(amount) for amount in (command.quantity, command.price, command.fee)]
    return json.dumps(
        [
            place,
            command.method.value,
            command.portfolio_id,
            command.symbol,
            command.side and command.side.value,
            *amounts,
            command.fee_currency,
            command.time,
            command.order_id,
            command.fill_id,
            command.excess.value,
            command.reason,
            command.group_id,
            command.labels,
            command.synthetic,
            command.book_side and command.book_side.value,
        ],
        ensure_ascii=False,
        separators=(",", ":"),
    )


def of_text(text: str) -> Put:
    """From the spool."""
    place, method, portfolio, symbol, side, quantity, price, fee, currency, time, *rest = json.loads(text)
    order_id, fill_id, excess, reason, group_id, labels, synthetic, book_side = rest
    command = Command(
        Method(method),
        portfolio,
        symbol,
        Direction(side),
        Decimal(quantity),
        Decimal(price),
        None if fee is None else Decimal(fee),
        currency,
        time,
        order_id,
        fill_id,
        excess=Excess(excess),
        reason=reason,
        group_id=group_id,
        labels=tuple((name, value) for name, value in labels),
        synthetic=synthetic,
        book_side=None if book_side is None else Direction(book_side),
    )
    return Put(place, command)


class Tally:
    """What became of the commands, counted as they are decided."""

    def __init__(self, before: int, listed: int) -> None:
        """``before`` is the ledger's last sequence before all of it; ``listed`` refusals are kept, the others counted."""
        self.opened = self.closed = self.flipped = self.already_there = self.repeated = self.refused = self.declared = 0
        self.refusals: list[Refused] = []
        self.books: dict[Key, Book] = {}
        self.touched: set[Key] = set()
        self._before = before
        self._listed = listed

    def take(self, chunk: Sequence[Put], answers: Sequence[Answer]) -> None:
        """Count the answers of a chunk."""
        for put, answer in zip(chunk, answers, strict=True):
            if isinstance(answer, Refusal):
                self.refused += 1
                if len(self.refusals) < self._listed:
                    self.refusals.append(Refused(put.place, _why(answer)))
                continue
            if isinstance(answer, Agreed):
                self.declared += answer.sequence > self._before
                continue
            assert isinstance(answer, Outcome)
            self.touched.add(answer.key)
            if answer.replayed:
                self.already_there += answer.sequence <= self._before
                self.repeated += answer.sequence > self._before
            elif answer.opened is None:
                self.closed += 1
            elif answer.sums.trade_count:
                self.flipped += 1
            else:
                self.opened += 1

    def positions(self, books: Callable[[Key], Book | None]) -> list[After]:
        """Every book that a row named, as it is after all of them."""
        found = [(key, self.books.get(key) or books(key)) for key in sorted(self.touched)]
        with localcontext(EXACT):
            return [_after(key, book) for key, book in found if book is not None]


def _why(refusal: Refusal) -> str:
    """Every broken field, and the way out where there is no server to be asked."""
    if isinstance(refusal, FieldViolations):
        return "; ".join(f"{each.field}: {each.description}" for each in refusal.violations)
    if isinstance(refusal, InstrumentNotDeclared):
        table = f"[instruments.{json.dumps(refusal.metadata['symbol'], ensure_ascii=False)}]"
        return f"{refusal.message}; for an import, as {table} in the file of --columns"
    return refusal.message


def _after(key: Key, book: Book) -> After:
    sign = -1 if book.direction is Direction.SHORT else 1
    return After(
        *key[:2],
        "FLAT" if book.direction is None else book.direction.name,
        sign * book.quantity,
        book.average_price(),
        book.gross,
        book.fees,
        book.gross - book.fees,
        book.contract.currency,
        key[2],
        book.pending.unconverted,
    )


class _RolledBack(Exception):
    """Carries the tally out of a transaction that is not to be committed."""

    def __init__(self, tally: Tally) -> None:
        super().__init__("not committed")
        self.tally = tally


def record(
    store: Store,
    state: State,
    puts: Callable[[], Iterator[Put]],
    commit: Callable[[Tally], bool],
    now: int,
    create_portfolios: bool,
    listed: int,
    progress: Callable[[int], None],
) -> Tally:
    """Decide and write all of ``puts``, which may be asked for again, and commit when ``commit`` says so of the tally.

    Raises what ``Store.transact`` raises; then nothing is written, unless it is OutcomeUnknown. ``progress`` is told how many
    are done.
    """

    def work(transaction: Transaction) -> Tally:
        tally = Tally(state.last_sequence, listed)
        _written(transaction, state, tally, puts(), now, create_portfolios, progress)
        if not commit(tally):
            raise _RolledBack(tally)
        return tally

    try:
        with localcontext(EXACT):
            return store.transact(work)
    except _RolledBack as rolled_back:
        return rolled_back.tally


def _written(
    transaction: Transaction,
    state: State,
    tally: Tally,
    puts: Iterator[Put],
    now: int,
    create_portfolios: bool,
    progress: Callable[[int], None],
) -> None:
    known = state._replace(
        portfolios=dict(state.portfolios),
        instruments=dict(state.instruments),
        balances=dict(state.balances),
        books=dict(state.books),
    )
    sequence, done = state.last_sequence, 0
    while chunk := list(islice(puts, CHUNK)):
        batch = Batch(Grounds(Loaded(known), no_rate, state.currency, sequence, now, create_portfolios))
        batch.decide([put.command for put in chunk], transaction)
        written = batch.written()
        transaction.write(sequence, written)
        tally.take(chunk, batch.answers())
        tally.books.update(written.books)
        known.books.update(written.books)
        known.portfolios.update(written.portfolios)
        known.instruments.update(written.instruments)
        known.balances.update(written.balances)
        sequence, done = sequence + len(written.records), done + len(chunk)
        progress(done)


def no_rate(_currency: str, _into: str) -> None:
    """No marks are here, so nothing converts: a fee in another coin is listed until a rate is given (law 12)."""
