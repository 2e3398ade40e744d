"""FIFO as a person would do it with a pencil: the independent count that the ledger is held against.

It imports nothing of the server and is slow on purpose: each fill sorts the open lots and walks through them. What it keeps to:
lots close in the order of (time, sequence); a share of a fee is pro rata of what is left of fee and quantity, half-even
at 18 digits, and the last share is the rest; a flip closes everything and opens the rest on the other side.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from typing import NamedTuple

from tests.simulation.figures import Contents, Key, Lot, Position, Trade
from tests.simulation.history import CLOSE, CREATE, RECORD, Command, amount

LONG, SHORT, FLAT = "LONG", "SHORT", "FLAT"
DIGITS = 200
SHARE = Decimal("1e-18")
PERCENT = Decimal("1e-6")
ZERO = Decimal(0)


class Recorded(NamedTuple):
    """A command with its place in the journal and the time it was given there."""

    sequence: int
    time: int
    command: Command


class Held(NamedTuple):
    """What a book holds between two records."""

    side: str
    quantity: Decimal


@dataclass(slots=True)
class _Book:
    """One book in ink: open lots in no order, and what it was after each record."""

    key: Key
    open: list[Lot] = field(default_factory=list)
    gross: Decimal = ZERO
    fees: Decimal = ZERO
    sequence: int = 0

    @property
    def held(self) -> Held:
        if not self.open:
            return Held(FLAT, ZERO)
        return Held(self.open[0].side, sum((lot.remaining for lot in self.open), ZERO))


class Replay:
    """The count over all books. ``states`` holds, for each book, what it held from each of its sequences on."""

    def __init__(self) -> None:
        self.lots: dict[int, Lot] = {}
        self.opened: dict[int, Lot] = {}
        """Every lot as it was opened."""
        self.trades: dict[tuple[int, int], Trade] = {}
        self.states: dict[Key, list[tuple[int, Held]]] = {}
        self._books: dict[Key, _Book] = {}

    def record(self, recorded: Recorded) -> str | None:
        """Count one record; the reason for which it should have been refused, if there is one."""
        command = recorded.command
        key = (command.portfolio, command.symbol)
        book = self._books.setdefault(key, _Book(key))
        with localcontext(prec=DIGITS, rounding=ROUND_HALF_EVEN):
            wrong = refusal(command, book.held)
            if wrong is not None:
                return f"{wrong} was the answer to give while {book.held} was held"
            self._count(book, recorded)
            self.states.setdefault(key, []).append((recorded.sequence, book.held))
        return None

    def _count(self, book: _Book, recorded: Recorded) -> None:
        command, held = recorded.command, book.held
        side = _direction(command) or _other(held.side)
        quantity = amount(command.quantity) if command.quantity else held.quantity
        closing = min(quantity, held.quantity) if side == _other(held.side) else ZERO
        fee = amount(command.fee)
        closing_fee = fee if closing == quantity else _share(fee, closing, quantity)
        self._close(book, recorded, closing, closing_fee)
        if closing < quantity:
            self._open(book, recorded, side, quantity - closing, fee, fee - closing_fee)
        book.sequence = recorded.sequence

    def _open(
        self, book: _Book, recorded: Recorded, side: str, quantity: Decimal, fee: Decimal, open_fee: Decimal
    ) -> None:
        sequence, time, command = recorded
        price = Decimal(command.price)
        lot = Lot(*book.key, sequence, side, quantity, quantity, price, time, command.fill_id, fee, open_fee, "OPEN")
        book.open.append(lot)
        self.lots[sequence] = self.opened[sequence] = lot

    def _close(self, book: _Book, recorded: Recorded, quantity: Decimal, fee: Decimal) -> None:
        index = 0
        while quantity:
            lot = min(book.open, key=lambda lot: (lot.time, lot.sequence))
            book.open.remove(lot)
            taken = min(lot.remaining, quantity)
            exit_fee = fee if taken == quantity else _share(fee, taken, quantity)
            entry_fee = lot.open_fee if taken == lot.remaining else _share(lot.open_fee, taken, lot.remaining)
            self._match(book, recorded, index, lot, taken, entry_fee, exit_fee)
            left = lot._replace(remaining=lot.remaining - taken, open_fee=lot.open_fee - entry_fee)
            left = left._replace(status="PARTIALLY_CLOSED" if left.remaining else "CLOSED")
            self.lots[lot.sequence] = left
            if left.remaining:
                book.open.append(left)
            quantity, fee, index = quantity - taken, fee - exit_fee, index + 1

    def _match(
        self,
        book: _Book,
        recorded: Recorded,
        index: int,
        lot: Lot,
        taken: Decimal,
        entry_fee: Decimal,
        exit_fee: Decimal,
    ) -> None:
        price = Decimal(recorded.command.price)
        gross = (price - lot.price) * taken * (1 if lot.side == LONG else -1)
        net, notional = gross - entry_fee - exit_fee, lot.price * taken
        self.trades[recorded.sequence, index] = Trade(
            *book.key,
            recorded.sequence,
            index,
            lot.sequence,
            lot.side,
            taken,
            lot.price,
            price,
            lot.time,
            recorded.time,
            lot.fill_id,
            recorded.command.fill_id,
            gross,
            entry_fee,
            exit_fee,
            net,
            (net / abs(notional) * 100).quantize(PERCENT) if notional else None,
        )
        book.gross += gross
        book.fees += entry_fee + exit_fee

    def contents(self) -> Contents:
        """What the ledger must hold now."""
        with localcontext(prec=DIGITS, rounding=ROUND_HALF_EVEN):
            positions = {book.key: _position(book) for book in self._books.values() if book.open}
            totals: dict[str, tuple[Decimal, Decimal, Decimal]] = {}
            for book in self._books.values():
                gross, fees, _ = totals.get(book.key[0], (ZERO, ZERO, ZERO))
                gross, fees = gross + book.gross, fees + book.fees
                totals[book.key[0]] = (gross, fees, gross - fees)
        return Contents(self.lots, self.trades, positions, totals)


def replayed(records: Iterable[Recorded]) -> tuple[Replay, list[str]]:
    """The count of ``records`` in the order of their sequences, and every one that should have been refused."""
    replay, wrong = Replay(), []
    for recorded in records:
        reason = replay.record(recorded)
        if reason is not None:
            wrong.append(f"record {recorded.sequence} {recorded.command}: {reason}")
    return replay, wrong


def refusal(command: Command, held: Held) -> str | None:
    """The reason for which a book that holds ``held`` must refuse ``command``."""
    side = _direction(command)
    if command.method == CREATE:
        return "OPPOSITE_SIDE_OPEN" if held.side == _other(side) else None
    if command.method == CLOSE and held.side in (FLAT, side):
        return "NO_OPEN_POSITION"
    if command.reverse or not command.quantity or held.side in (FLAT, side):
        return None
    return "INSUFFICIENT_QUANTITY" if amount(command.quantity) > held.quantity else None


def _direction(command: Command) -> str:
    """Which way it trades: LONG for bought, SHORT for sold, empty for whatever closes."""
    if command.method == RECORD:
        return LONG if command.side == "BUY" else SHORT
    return _other(command.side) if command.method == CLOSE else command.side


def _other(side: str) -> str:
    return {LONG: SHORT, SHORT: LONG}.get(side, "")


def _share(whole: Decimal, part: Decimal, of: Decimal) -> Decimal:
    return (whole * part / of).quantize(SHARE)


def _position(book: _Book) -> Position:
    times = sorted(lot.time for lot in book.open)
    quantity = sum((lot.remaining for lot in book.open), ZERO)
    cost = sum((lot.remaining * lot.price for lot in book.open), ZERO)
    return Position(
        *book.key,
        book.held.side,
        quantity,
        (cost / quantity).quantize(SHARE),
        cost,
        book.gross,
        book.fees,
        book.gross - book.fees,
        sum((lot.open_fee for lot in book.open), ZERO),
        len(book.open),
        times[0],
        times[-1],
        book.sequence,
    )


def states_between(states: list[tuple[int, Held]], first: int, end: int) -> Iterator[Held]:
    """What a book held at any point from sequence ``first`` on and before ``end``, oldest first."""
    place = bisect_right(states, first, key=lambda state: state[0])
    yield states[place - 1][1] if place else Held(FLAT, ZERO)
    while place < len(states) and states[place][0] < end:
        yield states[place][1]
        place += 1
