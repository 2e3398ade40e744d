"""The road of one execution: its book, its place in time, its record. What a caller sends and what a broker reports take the same.

Nothing here knows of batches, answers or ids: who calls decides whether the execution is new, and on which stage it is tried.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from lotkeeperd.domain.accounts import elsewhere
from lotkeeperd.domain.book import Book, Direction
from lotkeeperd.domain.commands import Command, Decision, Excess, Method
from lotkeeperd.domain.deciding import Decided, decide, decided
from lotkeeperd.domain.decimals import ZERO
from lotkeeperd.domain.history import Late
from lotkeeperd.domain.refusals import FieldViolations, Violation
from lotkeeperd.domain.rematch import Rematched, net_change
from lotkeeperd.domain.trades import ClosedTrade, closed_trades
from lotkeeperd.service import agreements, amending
from lotkeeperd.service.ports import Key, Transaction
from lotkeeperd.service.stage import Stage


class Executed(NamedTuple):
    """An execution that was recorded; ``net`` is what it changed of net realized P&L."""

    record: Decision | Late
    net: Decimal


def executed(command: Command, stage: Stage, transaction: Transaction) -> Executed:
    """Record one execution on ``stage``, where its time belongs when it says so. Raises what ``decide`` raises."""
    command, key, book = placed(command, stage)
    if is_late(command, book):
        record, done = amending.late(command, key, book, stage, transaction)
        take_late(key, record, done, stage)
        return Executed(record, net_change(done.restated))
    decision, trades = taken_in(command, key, book.staged(), stage)
    return Executed(decision, sum((trade.net_pnl for trade in trades), ZERO))


def placed(command: Command, stage: Stage) -> tuple[Command, Key, Book]:
    """The book that a command is for, and the command with its side filled in where the portfolio hedges."""
    terms = stage.terms(command.portfolio_id, command.symbol)
    side = ""
    if terms.hedging:
        command = command._replace(book_side=_hedged(command, stage))
        side = command.book_side._name_ if command.book_side else ""
    elif command.book_side is not None:
        what = "is for hedging portfolios; this one is netting: leave it unspecified"
        raise FieldViolations([Violation("fill.position_side", what)])
    key = (command.portfolio_id, command.symbol, side)
    command = stage.in_full(command, terms)
    return command, key, stage.book(key) or Book(terms.instrument.contract, terms.portfolio.lot_method)


def is_late(command: Command, book: Book) -> bool:
    """Whether it wants to stand where its time belongs, and that is not at the end."""
    return command.late and command.time is not None and command.time < book.newest_time


def decided_at(
    command: Command, key: Key, book: Book, sequence: int, stage: Stage
) -> tuple[Decided, list[ClosedTrade], Decision]:
    """What a command comes to at ``book`` as record ``sequence``; nothing is changed."""
    what = decide(command, book, sequence, stage.now, stage.terms(*key[:2], command.fee_currency))
    trades = list(closed_trades(command, what.fill, what.records, book.contract, what.charged.state))
    return what, trades, decided(command, what, sequence, stage.now)


def taken_in(command: Command, key: Key, book: Book, stage: Stage) -> tuple[Decision, list[ClosedTrade]]:
    """Record a command; ``book`` is the stage's own copy, and evolves."""
    new = not stage.holds(key)  # what was used in this batch before is known
    sequence = agreements.first_use(stage, command.symbol) if new else stage.next_sequence
    what, trades, decision = decided_at(command, key, book, sequence, stage)
    # Below this line nothing can fail: the batch takes the command in.
    if new:
        agreements.make_first_use(stage, command.symbol, sequence)
    stage.take(key, book, decision, what.records, trades)
    return decision, trades


def take_late(key: Key, record: Late, done: Rematched, stage: Stage) -> None:
    """Record a late execution; its fee moves cash as any other's does."""
    stage.rematch(key, record, done)
    stage.move_fees(key[0], elsewhere(record.decision, done.book.contract.currency), record.sequence)


def opens(command: Command, book: Book) -> bool:
    """Whether a command would open, add or turn: with it more is at risk than before."""
    if command.method is Method.CREATE_ENTRY or book.direction is None:
        return True
    if command.side is None or command.side is not book.direction:
        return command.quantity is not None and command.quantity > book.quantity
    return True


def _hedged(command: Command, stage: Stage) -> Direction | None:
    """The side of the book that a command of a hedging portfolio is for."""
    if command.method is Method.CREATE_ENTRY:
        return command.side
    if command.method is Method.RECORD_FILL:
        if command.book_side is None:
            what = "is required in a hedging portfolio: LONG or SHORT, the book that this execution belongs to"
            raise FieldViolations([Violation("fill.position_side", what)])
        return command.book_side
    if command.excess is Excess.REVERSE:
        what = "REVERSE has no meaning in a hedging portfolio: each side has a book of its own"
        raise FieldViolations([Violation("excess_policy", what)])
    if command.side is not None:
        return command.side.opposite
    open_sides = [
        side
        for side in Direction
        if (book := stage.book((command.portfolio_id, command.symbol, side.name))) is not None and book.direction
    ]
    if len(open_sides) > 1:
        raise FieldViolations([Violation("side", "is required: LONG and SHORT are both open")])
    return open_sides[0] if open_sides else Direction.LONG
