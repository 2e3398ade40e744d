"""One batch: commands decided one after the other against staged books; nothing leaves it before it is committed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import NamedTuple

from lotkeeperd.domain.book import Book, LotReduced, Record
from lotkeeperd.domain.commands import Command, Decision, Method, Sums, check_replay, decide, decided, sums
from lotkeeperd.domain.refusals import InternalError, PortfolioNotFound, Refusal
from lotkeeperd.domain.trades import ClosedTrade, Entry, closed_trades, entry_as_opened, entry_of
from lotkeeperd.service.ports import Key, Transaction, Written

log = logging.getLogger(__name__)

TRADES_IN_ANSWER = 1000
"""Closed trades that one answer carries; their count tells how many there are."""


class Outcome(NamedTuple):
    """What a command did, or did when it was first recorded; ``book`` is the position now. Sequence 0: only validated."""

    command: Command
    sequence: int
    opened: Entry | None
    trades: Sequence[ClosedTrade]
    sums: Sums
    book: Book
    replayed: bool


Answer = Outcome | Refusal


class _Identities:
    """Which decision holds which key (law 8), among what is on disk and what this batch has decided."""

    def __init__(self) -> None:
        self._requests: dict[tuple[str, str], Decision] = {}
        self._fills: dict[tuple[str, str, str], list[Decision]] = {}

    def add(self, decision: Decision) -> None:
        command = decision.command
        if command.request_id:
            self._requests[command.portfolio_id, command.request_id] = decision
        if command.fill_id:
            key = (command.portfolio_id, command.symbol, command.fill_id)
            self._fills.setdefault(key, []).append(decision)

    def replayed(self, command: Command) -> Decision | None:
        """The decision that ``command`` repeats. Raises RequestIdReused or FillConflict."""
        by_request = self._requests.get((command.portfolio_id, command.request_id)) if command.request_id else None
        by_fill = []
        if command.fill_id:
            role = command.role
            held = self._fills.get((command.portfolio_id, command.symbol, command.fill_id), ())
            by_fill = [decision for decision in held if decision.command.role & role]
        if by_request is None and not by_fill:
            return None
        return check_replay(command, by_request, by_fill)


class Batch:
    """Decides commands in order. Run in the writer's thread, under the exact context."""

    def __init__(
        self,
        live: Callable[[Key], Book | None],
        known: Callable[[str], bool],
        sequence: int,
        now: int,
        create_portfolios: bool,
    ) -> None:
        self._live = live
        self._known = known
        self._sequence = sequence
        self._now = now
        self._create = create_portfolios
        self._clear()

    def _clear(self) -> None:
        self._answers: list[Answer] = []
        self._staged: dict[Key, Book] = {}
        self._portfolios: list[str] = []
        self._decisions: list[Decision] = []
        self._trades: list[list[ClosedTrade]] = []
        self._reduced: dict[tuple[str, int], Entry] = {}

    def answers(self) -> list[Answer]:
        """One per command."""
        return self._answers

    def written(self) -> Written:
        """What is to be committed."""
        return Written(self._decisions, self._trades, self._reduced, self._staged, self._portfolios)

    def decide(self, commands: Sequence[Command], transaction: Transaction) -> None:
        """Decide all of them; may be called again when the transaction has to be retried."""
        self._clear()
        self._identities = _Identities()
        for decision in transaction.recorded(commands):
            self._identities.add(decision)
        for command in commands:
            self._answers.append(self._answer(command, transaction))

    def _answer(self, command: Command, transaction: Transaction) -> Answer:
        try:
            first = self._identities.replayed(command)
            if first is not None:
                return self._replay(command, first, transaction)
            return self._validated(command) if command.validate_only else self._decided(command)
        except Refusal as refusal:
            return refusal
        except Exception:
            log.exception("a command could not be decided: %r", command)
            return InternalError()

    def _book(self, key: Key) -> Book:
        return self._staged.get(key) or self._live(key) or Book()

    def _validated(self, command: Command) -> Outcome:
        self._check_portfolio(command)
        # Its answer shows this book, so what is staged after it must not reach into it.
        book = self._book((command.portfolio_id, command.symbol)).detached()
        fill, records = decide(command, book, 0, self._now)
        book.evolve(records, book.sequence, book.newest_time)
        trades = list(closed_trades(command, fill, records))
        return self._outcome(command, decided(command, fill, records, 0, self._now), trades, book)

    def _decided(self, command: Command) -> Outcome:
        self._check_portfolio(command)
        key = (command.portfolio_id, command.symbol)
        book = self._book(key).staged()  # a copy per command: its answer shows this one
        sequence = self._sequence + len(self._decisions) + 1
        fill, records = decide(command, book, sequence, self._now)
        trades = list(closed_trades(command, fill, records))
        decision = decided(command, fill, records, sequence, self._now)
        # Below this line nothing can fail: the batch takes the command in.
        book.evolve(records, sequence, fill.time)
        self._staged[key] = book
        self._decisions.append(decision)
        self._trades.append(trades)
        self._note_reduced(key, records)
        self._identities.add(decision)
        if not self._known(command.portfolio_id) and command.portfolio_id not in self._portfolios:
            self._portfolios.append(command.portfolio_id)
        return self._outcome(command, decision, trades, book)

    def _note_reduced(self, key: Key, records: Sequence[Record]) -> None:
        for record in records:
            if isinstance(record, LotReduced):
                lot = record.lot.less(record.quantity, record.entry_fee)
                self._reduced[key[0], lot.sequence] = entry_of(*key, lot)

    def _check_portfolio(self, command: Command) -> None:
        if self._create or self._known(command.portfolio_id) or command.portfolio_id in self._portfolios:
            return
        if command.method is not Method.CLOSE_FIFO:
            raise PortfolioNotFound(command.portfolio_id)

    def _outcome(self, command: Command, decision: Decision, trades: list[ClosedTrade], book: Book) -> Outcome:
        opened = decision.opened and entry_as_opened(command.portfolio_id, command.symbol, decision.opened)
        return Outcome(command, decision.sequence, opened, trades[:TRADES_IN_ANSWER], sums(decision), book, False)

    def _replay(self, command: Command, first: Decision, transaction: Transaction) -> Outcome:
        """What was recorded then, with the position as it is now."""
        place = first.sequence - self._sequence - 1
        if 0 <= place < len(self._trades):
            trades: Sequence[ClosedTrade] = self._trades[place][:TRADES_IN_ANSWER]
        elif first.matches:
            trades = transaction.trades(command.portfolio_id, first.sequence, TRADES_IN_ANSWER)
        else:
            trades = ()
        key = (first.command.portfolio_id, first.command.symbol)
        opened = first.opened and entry_as_opened(*key, first.opened)
        return Outcome(command, first.sequence, opened, trades, sums(first), self._book(key), True)
