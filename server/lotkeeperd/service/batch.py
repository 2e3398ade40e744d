"""One batch: commands decided one after the other against staged books; nothing leaves it before it is committed."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import NamedTuple

from lotkeeperd.domain.accounts import CashEvent, PortfolioCommand
from lotkeeperd.domain.book import Book
from lotkeeperd.domain.commands import Command, Decision, Method, Terms, sums
from lotkeeperd.domain.deciding import decide, decided
from lotkeeperd.domain.decimals import ZERO
from lotkeeperd.domain.history import Amendment, Late
from lotkeeperd.domain.reconciliation.records import Reconcile, Resolve, Undo
from lotkeeperd.domain.refusals import PortfolioNotFound, Refusal
from lotkeeperd.domain.trades import ClosedTrade, Restatement, closed_trades, entry_as_opened
from lotkeeperd.service import agreements, amending, executing, happenings, reconciling, resolving
from lotkeeperd.service.identities import Identities
from lotkeeperd.service.outcomes import IN_ANSWER, Answer, Outcome, Receipt
from lotkeeperd.service.ports import (
    AnyCommand,
    JournalRecord,
    Key,
    Known,
    Rates,
    StatementRefused,
    Transaction,
    Written,
)
from lotkeeperd.service.stage import Stage, key_of

log = logging.getLogger(__name__)

FILLS = frozenset({Method.CREATE_ENTRY, Method.CLOSE_FIFO, Method.RECORD_FILL})
"""Methods of LedgerService; the others are events."""


class Grounds(NamedTuple):
    """What a batch is decided on, besides the commands: ``now`` in nanoseconds UTC, the ledger's currency."""

    known: Known
    rates: Rates
    currency: str
    sequence: int
    now: int
    create_portfolios: bool


class _Lane(NamedTuple):
    """A book that brief commands of this batch come to one after the other: nothing of it has to be looked up again."""

    key: Key
    terms: Terms
    book: Book


class Batch:
    """Decides commands in order. Run in the writer's thread, under the exact context."""

    def __init__(self, grounds: Grounds) -> None:
        self._grounds = grounds
        self._clear()

    def _clear(self) -> None:
        known, rates, currency, sequence, now, _ = self._grounds
        self._answers: list[Answer] = []
        self._stage = Stage(known, rates, currency, sequence, now)
        self._stops = self._stage.standings.stops_something
        self._unshown: set[Key] = set()  # staged books that no answer shows
        self._lanes: dict[tuple[str, str], _Lane] = {}  # of those, as long as nothing else comes between

    def answers(self) -> list[Answer]:
        """One per command."""
        return self._answers

    def written(self) -> Written:
        """What is to be committed."""
        return self._stage.written()

    def decide(self, commands: Sequence[AnyCommand], transaction: Transaction) -> None:
        """Decide all of them; may be called again when the transaction has to be retried."""
        self._clear()
        self._identities = Identities(transaction.recorded(commands))
        for command in commands:
            self._answers.append(self._answer(command, transaction))

    def _answer(self, command: AnyCommand, transaction: Transaction) -> Answer:
        try:
            first = self._identities.replayed(command)
            if first is not None:
                return self._replay(command, first, transaction)
            lane = self._lane(command) if self._lanes else None
            if lane is not None and isinstance(command, Command):
                return self._received_in(lane, command)
            return self._new(command, transaction)
        except Refusal as refusal:
            return refusal
        except transaction.failures:
            raise
        except Exception as error:
            log.exception("a command could not be decided: %r", command)
            # Some of it may be staged already: the batch is tried again command by command, and only this one fails.
            raise StatementRefused(repr(error)) from error

    def _lane(self, command: AnyCommand) -> _Lane | None:
        """Where a usual brief command goes; anything else may change what lanes are made of, and ends them."""
        if isinstance(command, Command) and command.brief and not command.late:
            lane = self._lanes.get((command.portfolio_id, command.symbol))
            usual = command.book_side is None and not command.fee_currency
            return lane if usual else None
        self._lanes.clear()
        return None

    def _new(self, command: AnyCommand, transaction: Transaction) -> Answer:
        stage = self._stage
        if isinstance(command, Command) and command.method in FILLS:
            return self._execution(command, transaction)
        self._unshown.clear()
        before = stage.next_sequence
        answer: Answer
        if isinstance(command, Command):
            answer = happenings.happened(command, stage)
        elif isinstance(command, Amendment):
            answer = amending.amended(command, stage, transaction)
        elif isinstance(command, CashEvent):
            answer = happenings.moved_cash(command, stage)
        elif isinstance(command, PortfolioCommand):
            answer = agreements.agreed(command, stage)
        elif isinstance(command, Reconcile):
            answer = reconciling.reconciled(command, stage, transaction)
        elif isinstance(command, Resolve):
            answer = resolving.resolved(command, stage, transaction)
        elif isinstance(command, Undo):
            answer = resolving.undone(command, stage, transaction)
        else:
            answer = agreements.defined(command, stage)
        self._stops = stage.standings.stops_something
        for record in stage.since(before):
            self._identities.add(record)
        return answer

    # Executions.

    def _execution(self, command: Command, transaction: Transaction) -> Outcome | Receipt:
        self._check_portfolio(command.portfolio_id, command.method)
        command, key, book = executing.placed(command, self._stage)
        if self._stops:
            self._stage.standings.check(*key[:2], executing.opens(command, book))
        if executing.is_late(command, book):
            self._unshown.discard(key)
            return self._late(command, key, book, transaction)
        if command.validate_only:
            return self._validated(command, key, book.detached())
        if command.brief:
            return self._received(command, key, book)
        book = book.staged()  # a copy per command: its answer shows this one
        decision, trades = self._taken_in(command, key, book)
        self._unshown.discard(key)
        return self._outcome(command, key, decision, trades, book)

    def _validated(self, command: Command, key: Key, book: Book) -> Outcome:
        # Its answer shows this book, so what is staged after it must not reach into it.
        stage = self._stage
        what, trades, decision = executing.decided_at(command, key, book, 0, stage)
        book.evolve(what.records, book.sequence, book.newest_time)
        return self._outcome(command, key, decision, trades, book)

    def _received(self, command: Command, key: Key, book: Book) -> Receipt:
        """Decide where no answer shows the book: one copy of it serves the whole batch."""
        if key not in self._unshown:
            book = book.staged()
        decision, trades = self._taken_in(command, key, book)
        self._unshown.add(key)
        if not (key[2] or command.fee_currency or self._stops):
            self._lanes[key[:2]] = _Lane(key, self._stage.terms(*key[:2]), book)
        return _receipt(decision, trades)

    def _received_in(self, lane: _Lane, command: Command) -> Receipt:
        stage, (key, terms, book) = self._stage, lane
        sequence = stage.next_sequence
        what = decide(command, book, sequence, stage.now, terms)
        trades = list(closed_trades(command, what.fill, what.records, book.contract, what.charged.state))
        decision = decided(command, what, sequence, stage.now)
        stage.take(key, book, decision, what.records, trades)
        self._identities.add(decision)
        return _receipt(decision, trades)

    def _taken_in(self, command: Command, key: Key, book: Book) -> tuple[Decision, list[ClosedTrade]]:
        decision, trades = executing.taken_in(command, key, book, self._stage)
        self._identities.add(decision)
        return decision, trades

    def _late(self, command: Command, key: Key, book: Book, transaction: Transaction) -> Outcome | Receipt:
        stage = self._stage
        record, done = amending.late(command, key, book, stage, transaction)
        trades, restated = _own(record, done.restated)
        if not command.validate_only:
            executing.take_late(key, record, done, stage)
            self._identities.add(record)
        if command.brief:
            return Receipt(record.sequence, sum((trade.net_pnl for trade in trades), ZERO), False)
        outcome = self._outcome(command, key, record.decision, trades, done.book)
        sequence = 0 if command.validate_only else record.sequence
        return outcome._replace(sequence=sequence, restated=restated[:IN_ANSWER], restated_count=len(restated))

    def _check_portfolio(self, portfolio_id: str, method: Method) -> None:
        if self._grounds.create_portfolios or method is Method.CLOSE_FIFO:
            return
        if self._stage.portfolio(portfolio_id) is None:
            raise PortfolioNotFound(portfolio_id)

    def _outcome(
        self, command: Command, key: Key, decision: Decision, trades: list[ClosedTrade], book: Book
    ) -> Outcome:
        opened = decision.opened and entry_as_opened(command.portfolio_id, command.symbol, decision.opened)
        return Outcome(command, decision.sequence, opened, trades[:IN_ANSWER], sums(decision), book, False, key)

    # Replays.

    def _replay(self, command: AnyCommand, first: JournalRecord, transaction: Transaction) -> Answer:
        """What was recorded then, with the position as it is now."""
        if isinstance(command, Reconcile | Resolve | Undo):
            return resolving.replayed(first, self._stage, transaction)
        if not isinstance(command, Command) or command.method not in FILLS:
            return happenings.replayed(command, first, self._stage, transaction)
        assert isinstance(first, Decision | Late)
        decision = first.decision if isinstance(first, Late) else first
        if command.brief:
            done = sums(decision)
            return Receipt(decision.sequence, done.gross - done.fees, True)
        key = key_of(decision)
        trades, restated = self._told_then(first, transaction)
        opened = decision.opened and entry_as_opened(key[0], key[1], decision.opened)
        self._unshown.discard(key)  # from here on this answer shows it
        book = self._stage.book(key)
        assert book is not None
        outcome = Outcome(command, first.sequence, opened, trades[:IN_ANSWER], sums(decision), book, True, key)
        if isinstance(first, Decision):
            return outcome
        count = len(first.rematch.pairs) - len(decision.matches)
        return outcome._replace(restated=restated[:IN_ANSWER], restated_count=count)

    def _told_then(
        self, first: Decision | Late, transaction: Transaction
    ) -> tuple[list[ClosedTrade], list[Restatement]]:
        """What an execution closed and what it restated, in the order it was told then."""
        portfolio_id, sequence = first.command.portfolio_id, first.sequence
        if isinstance(first, Late):
            told = self._stage.restated_of(sequence)
            return _own(first, transaction.restated(portfolio_id, sequence, IN_ANSWER) if told is None else told)
        trades = self._stage.trades_of(sequence)
        if trades is None:
            trades = transaction.trades(portfolio_id, sequence, IN_ANSWER) if first.matches else []
        return trades, []


def _own(record: Late, told: list[Restatement]) -> tuple[list[ClosedTrade], list[Restatement]]:
    """Of what a late execution brought about: the trades that it closed itself, and those of others that it restated."""
    trades: list[ClosedTrade] = []
    restated: list[Restatement] = []
    for one in told:
        if one.after is not None and one.after.exit_sequence == record.sequence:
            trades.append(one.after)
        else:
            restated.append(one)
    return trades, restated


def _receipt(decision: Decision, trades: Sequence[ClosedTrade]) -> Receipt:
    net = ZERO
    for trade in trades:
        net += trade.net_pnl
    return Receipt(decision.sequence, net, False)
