"""The language of the scenario tables: lots, fills and matches as a trader would jot them down.

    #2 +30/50@51000 fee 0.6 t5       lot 2, long: 30 left of 50 bought at 51000, 0.6 of its fee still open, entered at time 5
    #2 +30@51000 cost 0.0006         a lot that carries its cost
    -120@53000 fee 3 t9              a fill: 120 sold at 53000 for a fee of 3 at time 9
    #1 100 gross 300000 fees 2+2.5   100 of lot 1 closed: gross P&L, share of the entry's fee + share of the exit's fee
    #1 100 cost 0.002 gross 0.0002   the cost that left with it, where the record says one
    #1 100, #2 20                    a choice: 100 of lot 1 and 20 of lot 2

Several are parted by commas. What is left out: nothing of a lot is closed yet, a fee is 0, no cost is carried, a time is the
number of the lot or fill. A fill is numbered by the test that plays it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple

from lotkeeperd.domain.book import (
    LINEAR,
    UNKNOWN_ORIGIN,
    Book,
    Contract,
    Direction,
    Fill,
    Lot,
    LotMethod,
    LotOpened,
    LotReduced,
    Record,
)

_LOT = re.compile(
    r"(?:#(?P<number>\d+) )?(?P<sign>[+-])(?P<left>[\d.]+)(?:/(?P<opened>[\d.]+))?@(?P<price>[\d.]+)"
    r"(?: cost (?P<cost>-?[\d.]+))?(?: fee (?P<fee>-?[\d.]+))?(?: t(?P<time>\d+))?"
)
_MATCH = re.compile(
    r"#(?P<lot>\d+) (?P<quantity>[\d.]+)(?: cost (?P<cost>-?[\d.]+))? gross (?P<gross>-?[\d.]+)"
    r"(?: fees (?P<entry_fee>-?[\d.]+)\+(?P<exit_fee>-?[\d.]+))?"
)
_CHOICE = re.compile(r"#(?P<lot>\d+) (?P<quantity>[\d.]+)")
_DIRECTIONS = {"+": Direction.LONG, "-": Direction.SHORT}


class OpenLot(NamedTuple):
    """One open lot, as the tables write it."""

    number: int
    direction: Direction
    left: Decimal
    opened: Decimal
    price: Decimal
    open_fee: Decimal
    time: int
    cost: Decimal | None = None


class Matched(NamedTuple):
    """One closed trade, as the tables write it."""

    lot: int
    quantity: Decimal
    gross: Decimal
    entry_fee: Decimal
    exit_fee: Decimal
    cost: Decimal | None = None


def _read(pattern: re.Pattern[str], text: str) -> list[dict[str, str | None]]:
    found = []
    for words in filter(None, text.split(", ")):
        match = pattern.fullmatch(words)
        assert match, f"{words!r} is not of this language"
        found.append(match.groupdict())
    return found


def open_lots(text: str) -> list[OpenLot]:
    """The lots that ``text`` names, in its order."""
    lots = []
    for number, words in enumerate(_read(_LOT, text), 1):
        name = int(words["number"] or number)
        left = Decimal(words["left"] or 0)
        lots.append(
            OpenLot(
                name,
                _DIRECTIONS[words["sign"] or ""],
                left,
                Decimal(words["opened"] or left),
                Decimal(words["price"] or 0),
                Decimal(words["fee"] or 0),
                int(words["time"] or name),
                _cost(words),
            )
        )
    return lots


def _cost(words: dict[str, str | None]) -> Decimal | None:
    return Decimal(words["cost"]) if words["cost"] else None


def fill(text: str, number: int) -> Fill:
    """The fill that ``text`` names, at time ``number`` unless it says another."""
    (words,) = _read(_LOT, text)
    return Fill(
        _DIRECTIONS[words["sign"] or ""],
        Decimal(words["left"] or 0),
        Decimal(words["price"] or 0),
        Decimal(words["fee"] or 0),
        int(words["time"] or number),
    )


def matches(text: str) -> list[Matched]:
    """The closed trades that ``text`` names."""
    return [
        Matched(
            int(words["lot"] or 0),
            Decimal(words["quantity"] or 0),
            Decimal(words["gross"] or 0),
            Decimal(words["entry_fee"] or 0),
            Decimal(words["exit_fee"] or 0),
            _cost(words),
        )
        for words in _read(_MATCH, text)
    ]


def choice(text: str) -> list[tuple[int, Decimal]]:
    """The lots that ``text`` chooses to close, and how much of each."""
    return [(int(words["lot"] or 0), Decimal(words["quantity"] or 0)) for words in _read(_CHOICE, text)]


def book_of(text: str, contract: Contract = LINEAR, method: LotMethod = LotMethod.FIFO) -> Book:
    """A book that holds the lots ``text`` names, oldest first, and has realized nothing yet."""
    lots = list(map(lot_of, open_lots(text)))
    newest = max(lots, default=None)
    zero, sequence, time = Decimal(0), newest.sequence if newest else 0, newest.time if newest else 0
    return Book.restored(lots, zero, zero, sequence, time, contract, method)


def lot_of(lot: OpenLot) -> Lot:
    """The lot as a book holds it."""
    opened = LotOpened(
        lot.number, lot.direction, lot.opened, lot.price, lot.open_fee, lot.time, UNKNOWN_ORIGIN, lot.cost
    )
    return Lot(lot.time, lot.number, lot.left, lot.price, lot.open_fee, opened, lot.cost)


def lots_of(book: Book) -> list[OpenLot]:
    """The open lots of a book, oldest first."""
    return list(map(as_written, book.lots()))


def as_written(lot: Lot) -> OpenLot:
    """The lot as the tables write it."""
    opened = lot.opened
    return OpenLot(
        lot.sequence, opened.direction, lot.remaining, opened.quantity, lot.price, lot.open_fee, lot.time, lot.cost
    )


def matched(records: Iterable[Record]) -> list[Matched]:
    """What ``records`` closed, in order."""
    return [
        Matched(record.lot.sequence, record.quantity, record.gross, record.entry_fee, record.exit_fee, record.cost)
        for record in records
        if isinstance(record, LotReduced)
    ]


def played(book: Book, fills: Sequence[str], number: int = 1) -> list[Matched]:
    """Play ``fills`` into the book, numbered from ``number``; everything they closed."""
    closed = []
    for sequence, text in enumerate(fills, number):
        execution = fill(text, sequence)
        records = book.decide(execution, sequence)
        book.evolve(records, sequence, execution.time)
        closed += matched(records)
    return closed
