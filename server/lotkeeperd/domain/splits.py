"""Splits and symbol changes: lots leave and arrive with what they cost; nothing is realized.

A lot keeps its identity, its time and its place: a bot that knows entry E5 finds it again, with four times the quantity. The new
quantities are shares of the whole book's (18 digits, the last is the rest), so their sum is exactly the ratio's. What a lot
cost stays to the digit; where its new price cannot be written exactly, the cost is kept beside it and shared like a fee.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from lotkeeperd.domain.book import Book, Contract, Lot, LotPlaced, LotTaken, Record
from lotkeeperd.domain.commands import Decision, Method
from lotkeeperd.domain.decimals import ZERO, plain, portion, quotient, share
from lotkeeperd.domain.lots import cost_of
from lotkeeperd.domain.refusals import FieldViolations, NoOpenPosition, Violation

LARGEST = Decimal(10) ** 20
"""Units that a book may have after a split: an execution has fewer, and all arithmetic is exact far beyond (law 1)."""


def split(book: Book, symbol: str, sequence: int, numerator: Decimal, denominator: Decimal) -> tuple[Record, ...]:
    """Every ``denominator`` units of ``book`` become ``numerator`` units.

    Raises NoOpenPosition, or FieldViolations when a lot would have less than 18 digits can tell, or the book too much.
    """
    if book.direction is None:
        raise NoOpenPosition(symbol, "")
    lots = list(book.lots_at_cost())
    whole = share(book.quantity, numerator, denominator)
    if whole >= LARGEST:
        what = (
            f"{plain(book.quantity)} would become {plain(whole)}, which has more than 20 integer digits; close it first"
        )
        raise FieldViolations([Violation("event.split", what)])
    placed = list(_placed(lots, book, sequence, whole))
    return (*(LotTaken(sequence, lot) for lot in book.lots()), *placed)


def _placed(lots: list[Lot], book: Book, sequence: int, whole: Decimal) -> Iterator[LotPlaced]:
    before = book.quantity
    for lot in lots:
        quantity = portion(whole, lot.remaining, before)
        if not quantity:
            what = f"a lot of {lot.remaining} would become less than 18 fraction digits can tell; close it first"
            raise FieldViolations([Violation("event.split", what)])
        yield LotPlaced(sequence, _resized(lot, quantity, book.contract))
        whole -= quantity
        before -= lot.remaining


def _resized(lot: Lot, quantity: Decimal, contract: Contract) -> Lot:
    cost = cost_of(lot, contract)
    units = quantity * contract.multiplier
    price = quotient(units, cost) if contract.inverse and cost else quotient(cost, units)
    kept = cost if contract.inverse or price * units != cost else None
    opened = lot.opened._replace(quantity=quantity, price=price, fee=lot.open_fee, cost=kept)
    return Lot(lot.time, lot.sequence, quantity, price, lot.open_fee, opened, kept)


def departed(book: Book, sequence: int) -> tuple[Record, ...]:
    """Every lot leaves ``book``."""
    return tuple(LotTaken(sequence, lot) for lot in book.lots())


def arrived(book: Book, sequence: int) -> tuple[Record, ...]:
    """The lots of ``book`` as they arrive in another one."""
    return tuple(LotPlaced(sequence, lot) for lot in book.lots_at_cost())


def carried_anew(was: Decision, book: Book) -> tuple[Record, ...]:
    """A split in a book that came out differently before it."""
    assert was.command.method is Method.SPLIT
    if book.direction is None:
        return ()
    ratio = dict(was.command.details)
    return split(book, was.command.symbol, was.sequence, Decimal(ratio["numerator"]), Decimal(ratio["denominator"]))


def beyond_whole_steps(quantity: Decimal, step: Decimal) -> Decimal:
    """What of ``quantity`` does not fill a whole ``step``."""
    return quantity % step if step else ZERO
