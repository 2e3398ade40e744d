"""The laws of the book, for any fills that the contract takes and any mark."""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from lotkeeperd.domain.book import Book, Fill, LotOpened, LotReduced, Record
from lotkeeperd.domain.decimals import EXACT
from tests.properties.strategies import long_fills, prices


def shares_fit(fee: Decimal, shares: list[Decimal]) -> bool:
    """Law 4: they sum to the fee, and none turns its sign or is larger than it."""
    return sum(map(Fraction, shares)) == Fraction(fee) and all(
        share * fee >= 0 and abs(share) <= abs(fee) for share in shares
    )


def assert_fees_of_fill(fill: Fill, records: tuple[Record, ...]) -> None:
    """Law 4 for one fill: a flip's closing part and opening part share the fee the same way."""
    shares = [record.exit_fee for record in records if isinstance(record, LotReduced)]
    shares += [record.fee for record in records if isinstance(record, LotOpened)]
    assert shares_fit(fill.fee, shares)


@given(st.lists(long_fills, max_size=25), prices)
def test_laws_2_3_6_and_7_hold_after_every_fill_and_a_dropped_batch(fills: list[Fill], mark: Decimal) -> None:
    """FIFO order, conservation of quantity, the cash identity and one side; to the last of some 76 digits."""
    book = Book()
    cash = net = paid = Fraction(0)
    with localcontext(EXACT):
        for sequence, fill in enumerate(fills, 1):
            dropped = book.staged()
            dropped.evolve(dropped.decide(fill, sequence), sequence, fill.time)
            records = book.decide(fill, sequence)
            assert_fees_of_fill(fill, records)
            book.evolve(records, sequence, fill.time)

            signed = fill.direction * Fraction(fill.quantity)
            cash -= signed * Fraction(fill.price)
            net += signed
            paid += Fraction(fill.fee)
            lots = list(book.lots())
            side = book.direction or 0
            assert lots == sorted(lots, key=lambda lot: (lot.time, lot.sequence))  # 2
            assert sum(Fraction(lot.remaining) for lot in lots) == Fraction(book.quantity)  # 3
            assert Fraction(book.fees) + Fraction(book.open_fees) == paid  # 4
            assert Fraction(book.gross) + Fraction(book.unrealized(mark)) == cash + Fraction(mark) * net  # 6
            assert {lot.opened.direction for lot in lots} == ({side} if lots else set())  # 7
            assert Fraction(book.quantity) * side == net


@given(st.lists(long_fills, max_size=25))
def test_laws_3_and_4_hold_for_every_entry(fills: list[Fill]) -> None:
    """Opened = open + closed, and the shares of an entry's fee sum to the fee, for each entry by itself."""
    book = Book()
    opened: dict[int, LotOpened] = {}
    closed: dict[int, list[LotReduced]] = {}
    with localcontext(EXACT):
        for sequence, fill in enumerate(fills, 1):
            records = book.decide(fill, sequence)
            book.evolve(records, sequence, fill.time)
            for record in records:
                if isinstance(record, LotOpened):
                    opened[sequence] = record
                elif isinstance(record, LotReduced):
                    closed.setdefault(record.lot.sequence, []).append(record)
        still_open = {lot.sequence: lot for lot in book.lots()}
        for sequence, entry in opened.items():
            pieces, lot = closed.get(sequence, []), still_open.get(sequence)
            quantities = [piece.quantity for piece in pieces] + ([lot.remaining] if lot else [])
            assert all(quantity > 0 for quantity in quantities)
            assert sum(map(Fraction, quantities)) == Fraction(entry.quantity)
            assert shares_fit(entry.fee, [piece.entry_fee for piece in pieces] + ([lot.open_fee] if lot else []))
