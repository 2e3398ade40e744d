"""The laws of the book by every lot method and for every kind of contract, for any fills and any mark."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotkeeperd.domain.book import (
    LINEAR,
    Book,
    Contract,
    Direction,
    Fill,
    Lot,
    LotMethod,
    LotOpened,
    LotPlaced,
    LotReduced,
    LotTaken,
    Record,
)
from lotkeeperd.domain.decimals import EXACT
from tests.properties.strategies import LEAST, LONGEST, fees, quantities, small_fees, times
from tests.properties.unit_fifo import rounded

CONTRACTS = [
    LINEAR,
    Contract(Decimal(100)),
    Contract(Decimal("0.001")),
    Contract(inverse=True),
    Contract(Decimal(10), inverse=True),
]

prices = st.decimals(min_value=LEAST, max_value=LONGEST, places=18)
"""Above 0: an inverse contract has no value at 0."""

long_fills = st.builds(Fill, st.sampled_from(Direction), quantities, prices, fees, times)
whole = st.integers(1, 6).map(Decimal)
small_fills = st.builds(
    Fill,
    st.sampled_from(Direction),
    whole,
    st.decimals(min_value=LEAST, max_value=3, places=2) | prices,
    small_fees,
    times,
)
"""Few units: lots are often closed in part, or exactly."""


class Setting(NamedTuple):
    """A book to be, the fills it takes, and in which order lots are chosen, where they are."""

    contract: Contract
    method: LotMethod
    fills: list[Fill]
    picks: list[int]


settings = st.builds(
    Setting,
    st.sampled_from(CONTRACTS),
    st.sampled_from(LotMethod),
    st.lists(long_fills, max_size=20) | st.lists(small_fills, max_size=20),
    st.lists(st.integers(0, 100), min_size=1, max_size=5),
)


def worth(contract: Contract, quantity: Decimal, price: Decimal) -> Fraction:
    """The value of a quantity, worked out in fractions: with its sign as cash has it when it is bought, inverse or not."""
    units = Fraction(quantity) * Fraction(contract.multiplier)
    return -rounded(units / Fraction(price)) if contract.inverse else units * Fraction(price)


def chosen(book: Book, fill: Fill, picks: list[int]) -> list[tuple[int, Decimal]]:
    """Some lots to close, a little of the first at first and the rest of it at the end: the choice is the caller's."""
    if book.direction is None or fill.direction is book.direction:
        return []
    left = min(fill.quantity, book.quantity)
    lots = sorted(book.lots(), key=lambda lot: (lot.sequence * picks[lot.sequence % len(picks)]) % 101)
    choice: list[tuple[int, Decimal]] = []
    for lot in lots:
        if left:
            choice.append((lot.sequence, min(lot.remaining, left)))
            left -= choice[-1][1]
    sequence, quantity = choice[0]
    least = Decimal(LEAST)
    return [(sequence, least), *choice[1:], (sequence, quantity - least)] if quantity > least else choice


def played(setting: Setting) -> Iterator[tuple[Fill, Book, tuple[Record, ...], Book]]:
    """Each fill, the book before it, what it did, and the book after it; a dropped copy has tried it before."""
    book = Book(setting.contract, setting.method)
    for sequence, fill in enumerate(setting.fills, 1):
        choice = chosen(book, fill, setting.picks)
        dropped = book.staged()
        dropped.evolve(dropped.decide(fill, sequence, chosen=choice), sequence, fill.time)
        before = book
        book = book.staged()
        records = book.decide(fill, sequence, chosen=choice)
        book.evolve(records, sequence, fill.time)
        yield fill, before, records, book


def at_the_end(setting: Setting) -> Book:
    """The book after its last fill."""
    book = Book(setting.contract, setting.method)
    for *_, after in played(setting):
        book = after
    return book


def shown(book: Book) -> list[object]:
    """Everything that can be seen of a book."""
    return [list(book.lots()), *(getattr(book, name) for name in Book.__slots__)]


def reduced(records: Iterable[Record]) -> list[LotReduced]:
    """What was closed."""
    return [record for record in records if isinstance(record, LotReduced)]


@given(settings, prices)
def test_laws_2_3_4_6_and_7_hold_by_every_method(setting: Setting, mark: Decimal) -> None:
    """After every fill, and every book before it stands as it stood, whatever came after."""
    contract = setting.contract
    cash = net = paid = Fraction(0)
    seen: list[tuple[Book, list[object]]] = []
    with localcontext(EXACT):
        for fill, _, _, book in played(setting):
            cash -= fill.direction * worth(contract, fill.quantity, fill.price)
            net += fill.direction * Fraction(fill.quantity)
            paid += Fraction(fill.fee)
            lots = list(book.lots())
            side = book.direction or 0
            assert all(one[:2] < other[:2] for one, other in pairwise(lots))  # 2
            assert sum(Fraction(lot.remaining) for lot in lots) == Fraction(book.quantity)  # 3
            assert Fraction(book.fees) + Fraction(book.open_fees) == paid  # 4
            held = side * worth(contract, book.quantity, mark)
            assert Fraction(book.gross) + Fraction(book.unrealized(mark)) == cash + held  # 6
            assert {lot.opened.direction for lot in lots} == ({side} if lots else set())  # 7
            assert Fraction(book.quantity) * side == net
            assert sum(Fraction(lot.open_fee) for lot in lots) == Fraction(book.open_fees)
            assert (book.lot_count, book.oldest, book.newest) == (len(lots), *(lots[:1] + lots[-1:] or (None, None)))
            seen.append((book, shown(book)))
        for book, was in seen:
            assert shown(book) == was


@given(settings)
def test_law_4_holds_for_fees_and_for_costs_of_every_entry(setting: Setting) -> None:
    """The parts of an entry's quantity, fee and cost sum to it, and none turns its sign; those of a fill's fee do, too."""
    opened: dict[int, LotOpened] = {}
    pieces: dict[int, list[LotReduced]] = {}
    with localcontext(EXACT):
        left = {lot.sequence: lot for lot in at_the_end(setting).lots()}
        for fill, _, records, _ in played(setting):
            opened |= {record.sequence: record for record in records if isinstance(record, LotOpened)}
            for piece in reduced(records):
                pieces.setdefault(piece.lot.sequence, []).append(piece)
            shares = [piece.exit_fee for piece in reduced(records)]
            assert_shares(fill.fee, shares + [record.fee for record in records if isinstance(record, LotOpened)])
        for sequence, entry in opened.items():
            closed, lots = pieces.get(sequence, []), [left[sequence]] if sequence in left else []
            assert_shares(entry.quantity, [piece.quantity for piece in closed] + [lot.remaining for lot in lots])
            assert_shares(entry.fee, [piece.entry_fee for piece in closed] + [lot.open_fee for lot in lots])
            if entry.cost is not None and setting.method is not LotMethod.AVERAGE:
                assert_shares(
                    entry.cost, [cost_of(piece) for piece in closed] + [lot.cost or Decimal(0) for lot in lots]
                )


def assert_shares(of: Decimal, parts: list[Decimal]) -> None:
    """Law 4."""
    assert sum(map(Fraction, parts)) == Fraction(of)
    assert all(part * of >= 0 and abs(part) <= abs(of) for part in parts)


def cost_of(piece: LotReduced) -> Decimal:
    """Which the record has to say."""
    assert piece.cost is not None
    return piece.cost


@given(settings)
def test_a_method_closes_the_lots_that_are_its_own(setting: Setting) -> None:
    """None that is left should have left before one that did; only the last one is closed in part."""
    order = {
        LotMethod.LIFO: lambda lot: (-lot.time, -lot.sequence),
        LotMethod.HIFO: lambda lot: (-lot.price * lot.opened.direction, lot.time, lot.sequence),
    }.get(setting.method, lambda lot: (lot.time, lot.sequence))
    with localcontext(EXACT):
        for _, before, records, _ in played(setting._replace(picks=[0])):
            closed = reduced(records)
            if setting.method is LotMethod.CHOSEN or not closed:
                continue
            in_turn: list[Lot] = sorted(before.lots(), key=order)
            assert [piece.lot for piece in closed] == in_turn[: len(closed)]
            assert all(piece.quantity == piece.lot.remaining for piece in closed[:-1])


@given(settings)
def test_the_one_cost_of_average_is_all_that_was_opened_less_all_that_left(setting: Setting) -> None:
    """Nothing of it is lost, it does not turn its sign, and quantity leaves with its part: no gain depends on which lot it was."""
    total = Fraction(0)
    with localcontext(EXACT):
        for _, before, records, book in played(setting._replace(method=LotMethod.AVERAGE)):
            closed = reduced(records)
            gone = sum((cost_of(piece) for piece in closed), Decimal(0))
            quantity = sum((piece.quantity for piece in closed), Decimal(0))
            total -= Fraction(gone)
            for record in records:
                if isinstance(record, LotOpened):
                    value = (
                        setting.contract.value(record.quantity, record.price) if record.cost is None else record.cost
                    )
                    total += Fraction(value)
            assert total == Fraction(book.cost) >= 0
            assert all(cost_of(piece) >= 0 for piece in closed)
            if closed:
                due = Fraction(before.cost) * Fraction(quantity) / Fraction(before.quantity)
                assert abs(Fraction(gone) - due) <= Fraction(1, 2 * 10**18)


@given(settings, prices)
def test_every_method_gains_the_same_over_a_book_that_ends_flat(setting: Setting, price: Decimal) -> None:
    """They differ in when a gain is realized only."""
    gains = set()
    with localcontext(EXACT):
        for method in LotMethod:
            book = at_the_end(setting._replace(method=method))
            if book.direction is not None:
                last = Fill(book.direction.opposite, book.quantity, price, Decimal(0), 9)
                book.evolve(book.decide(last, 99), 99, 9)
            assert book.cost == book.quantity == book.open_fees == 0
            gains.add((book.gross, book.fees))
    assert len(gains) == 1


@given(settings)
def test_a_restored_book_goes_on_as_the_live_one(setting: Setting) -> None:
    """Law 13, by every method: what was stored decides and becomes the same."""
    with localcontext(EXACT):
        for fill, before, records, book in played(setting):
            restored = Book.restored(
                list(before.lots()),
                before.gross,
                before.fees,
                before.sequence,
                before.newest_time,
                before.contract,
                before.method,
                before.cost,
            )
            assert shown(restored) == shown(before)
            choice = chosen(before, fill, setting.picks)
            assert restored.decide(fill, book.sequence, chosen=choice) == records
            restored.evolve(records, book.sequence, fill.time)
            assert shown(restored) == shown(book)


@pytest.mark.parametrize("singly", [False, True], ids=["at once", "one by one"])
@given(settings, prices)
def test_lots_that_move_to_another_book_keep_the_cash_identity(singly: bool, setting: Setting, mark: Decimal) -> None:
    """Law 6 over a change of symbol: gross and unrealized of both books together are what they were."""
    new = Book(setting.contract, setting.method)
    with localcontext(EXACT):
        old = at_the_end(setting)
        was = old.cost, old.open_fees, old.quantity, old.unrealized(mark)
        reader, stood = old, shown(old)
        old = old.staged()
        lots = list(old.lots_at_cost())
        for some in [[lot] for lot in lots] if singly else [lots]:
            leaving = list(old.lots())[: len(some)]
            old.evolve([LotTaken(98, lot) for lot in leaving], 98, 0)
            new.evolve([LotPlaced(98, lot) for lot in reversed(some)], 98, 0)
        assert (new.cost, new.open_fees, new.quantity, new.unrealized(mark)) == was
        assert list(new.lots()) == lots
        assert old.cost == old.open_fees == old.quantity == old.lot_count == 0
        assert shown(reader) == stood
