"""The book against a pile of units that are counted one by one, over batches that are flushed, wait, and are dropped."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given, settings

from lotkeeperd.domain.book import Book, Fill, LotOpened, LotReduced, Record
from lotkeeperd.domain.decimals import EXACT
from tests.properties.strategies import STEP, Play, plays
from tests.properties.unit_fifo import Pile, Traded

MARK = Decimal("1.75")


def fractions(*values: Decimal) -> tuple[Fraction, ...]:
    """Each in the oracle's numbers."""
    return tuple(map(Fraction, values))


def trade(pile: Pile, fill: Fill, sequence: int) -> Traded:
    """The same fill in units."""
    units = int(fill.quantity / STEP)
    return pile.trade(int(fill.direction), units, Fraction(fill.price), Fraction(fill.fee), fill.time, sequence)


def as_traded(records: tuple[Record, ...]) -> Iterator[tuple[object, ...]]:
    """What the book decided, in the oracle's words."""
    for record in records:
        if isinstance(record, LotReduced):
            amounts = (record.quantity / STEP, record.gross, record.entry_fee, record.exit_fee)
            yield record.lot.sequence, *fractions(*amounts)
        elif isinstance(record, LotOpened):
            yield "opened", *fractions(record.quantity / STEP, record.fee)


def expected(traded: Traded) -> Iterator[tuple[object, ...]]:
    """What the oracle counted."""
    for taken in traded.taken:
        yield taken.entry.sequence, taken.units, taken.gross, taken.entry_fee, taken.exit_fee
    if traded.opened_units:
        yield "opened", traded.opened_units, traded.opened_fee


def assert_same(book: Book, pile: Pile) -> None:
    """Lots, sums and what the mark makes of them."""
    lots = [(lot.time, lot.sequence, *fractions(lot.price, lot.remaining / STEP, lot.open_fee)) for lot in book.lots()]
    assert lots == [(*held.entry, held.units, held.fee) for held in pile.held()]
    assert int(book.direction or 0) == pile.side
    sums = fractions(book.quantity, book.cost, book.gross, book.fees, book.open_fees, book.unrealized(MARK))
    assert sums == (pile.quantity, pile.cost, pile.gross, pile.paid, pile.open_fees, pile.unrealized(Fraction(MARK)))
    assert (book.sequence, book.newest_time, book.lot_count) == (pile.sequence, pile.newest_time, len(lots))


class Line:
    """A committed book, and the batches staged on top of it that wait to be flushed; each with its pile of units."""

    def __init__(self) -> None:
        self.committed = [(Book(), Pile(Fraction(STEP)))]
        self.waiting: list[tuple[Book, Pile]] = []
        self.sequence = 0

    def play(self, batch: Play) -> None:
        """Stage a batch, and flush or drop what waits."""
        book, pile = (self.waiting or self.committed)[-1]
        book, pile = book.staged(), pile.copy()
        for number, fill in enumerate(batch.fills, self.sequence + 1):
            records = book.decide(fill, number)
            assert list(as_traded(records)) == list(expected(trade(pile, fill, number)))
            book.evolve(records, number, fill.time)
        self.sequence += len(batch.fills)
        self.waiting.append((book, pile))
        if batch.fate == "flushed":
            self.committed += self.waiting
        if batch.fate != "waiting":
            self.waiting = []


def test_the_book_and_the_units_agree_whatever_is_flushed_or_dropped(capsys: pytest.CaptureFixture[str]) -> None:
    """Each fill matches the same units, and every committed book stays as it was while later ones go on."""
    tried: list[int] = []

    @settings(max_examples=3 * settings().max_examples)
    @given(plays)
    def agree(batches: list[Play]) -> None:
        line = Line()
        with localcontext(EXACT):
            for batch in batches:
                line.play(batch)
                assert_same(*(line.waiting or line.committed)[-1])
            for book, pile in line.committed:
                assert_same(book, pile)
        tried.append(line.sequence)

    agree()
    with capsys.disabled():
        print(f"\nbook against single units: {len(tried)} examples, {sum(tried)} fills")


@given(plays)
def test_a_book_restored_from_its_lots_is_the_same_book(batches: list[Play]) -> None:
    """Law 13: what was stored goes on as what was live."""
    live = Book()
    with localcontext(EXACT):
        for sequence, fill in enumerate((fill for batch in batches for fill in batch.fills), 1):
            restored = Book.restored(list(live.lots()), live.gross, live.fees, live.sequence, live.newest_time)
            records = live.decide(fill, sequence)
            assert restored.decide(fill, sequence) == records
            live.evolve(records, sequence, fill.time)
            restored.evolve(records, sequence, fill.time)
            assert list(restored.lots()) == list(live.lots())
            names = [name for name in Book.__slots__ if not name.startswith("_")]
            assert [getattr(restored, name) for name in names] == [getattr(live, name) for name in names]
