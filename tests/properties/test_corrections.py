"""Law 11: whatever is corrected, the book is the one that its journal says, and the laws hold in it."""

from __future__ import annotations

from decimal import localcontext
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lotkeeperd.domain.book import Fill
from lotkeeperd.domain.commands import Decision, Terms
from lotkeeperd.domain.decimals import EXACT, ZERO
from lotkeeperd.domain.fees import NOTHING_PENDING
from lotkeeperd.domain.history import Correction, Late
from lotkeeperd.domain.refusals import LaterCommandRefused
from lotkeeperd.storage.records import record_of, record_row
from lotkeeperd.storage.rows import JournalRow
from tests.domain.journal import Journal, assert_whole
from tests.properties.amendments import (
    AMENDING,
    BESIDES,
    TRADING,
    Life,
    Step,
    all_terms,
    cash_flow,
    fills,
    signed,
    steps,
)


def assert_laws(journal: Journal) -> None:
    """Laws 3, 4, 6 and 7 over what counts now."""
    book, slots = journal.book, journal.history().slots
    lots = list(book.lots())
    assert lots == sorted(lots, key=lambda lot: (lot.time, lot.sequence))  # 2
    assert sum((lot.remaining for lot in lots), ZERO) == book.quantity  # 3
    assert sum((lot.open_fee for lot in lots), ZERO) == book.open_fees  # 4
    assert book.fees + book.open_fees == sum((slot.decision.charged.amount for slot in slots), ZERO)  # 4
    held = signed(book, book.cost)
    flow = cash_flow(journal)
    assert book.gross == (-flow - held if book.contract.inverse else flow + held)  # 6
    assert {lot.opened.direction for lot in lots} == ({book.direction} if lots else set())  # 7


def live(under: Terms, played: list[Step]) -> Life:
    """Play all steps, and look after each."""
    life = Life(under)
    for step in played:
        life.play(step)
        assert_whole(life.journal)
        assert_laws(life.journal)
    return life


def test_the_book_is_what_its_journal_says_after_every_correction(capsys: pytest.CaptureFixture[str]) -> None:
    """Laws 3, 4, 6, 7, 11 and 13, under every lot method, linear and inverse."""
    counts: list[tuple[int, int]] = []

    @settings(max_examples=3 * settings().max_examples)
    @given(all_terms, steps(*TRADING, *AMENDING))
    def hold(under: Terms, played: list[Step]) -> None:
        with localcontext(EXACT):
            life = live(under, played)
        counts.append((len(life.journal.records), life.refused))

    hold()
    with capsys.disabled():
        print(f"\ncorrections: {sum(done for done, _ in counts)} records, {sum(no for _, no in counts)} refusals")


@settings(max_examples=3 * settings().max_examples)
@given(all_terms, steps(*TRADING, *AMENDING, *BESIDES))
def test_so_it_is_with_splits_expiries_and_fees_that_come_later(under: Terms, played: list[Step]) -> None:
    """The same laws, walked over events."""
    with localcontext(EXACT):
        live(under, played)


def busted(journal: Journal, target: int) -> int:
    """0, or the later one that stands in the way."""
    try:
        journal.bust(target, flips=True)
    except LaterCommandRefused as refusal:
        return int(refusal.metadata["sequence"])
    return 0


@given(all_terms, steps(*TRADING, *AMENDING, *BESIDES), st.randoms(use_true_random=False))
def test_bust_of_everything_gives_flat_and_zero(under: Terms, played: list[Step], random: Random) -> None:
    """In any order, where later executions may flip; one that chose the lot is named, and goes first."""
    with localcontext(EXACT):
        journal = live(under, played).journal
        while slots := journal.history().slots:
            target = random.choice(slots).sequence
            while target:
                target = busted(journal, target)
            assert_whole(journal)
    book = journal.book
    assert book.direction is None
    assert not any((book.quantity, book.cost, book.gross, book.fees, book.open_fees))
    assert book.pending == NOTHING_PENDING


@given(all_terms, steps(*TRADING, *AMENDING, *BESIDES))
def test_every_record_comes_back_from_its_row(under: Terms, played: list[Step]) -> None:
    """Law 13: whatever was corrected, the journal's text holds all of it, and leads to the same book."""
    with localcontext(EXACT):
        journal = live(under, played).journal
        rows = [JournalRow(*record_row(record)) for record in journal.records]
        assert [record_of(row) for row in rows] == journal.records
        journal.records = [
            record for record in map(record_of, rows) if isinstance(record, Decision | Late | Correction)
        ]
        assert_whole(journal)


def told(journal: Journal, fill: Fill, name: int, is_late: bool = False) -> None:
    """One execution with an id of its own."""
    command = journal.command("+1@1")._replace(
        side=fill.direction,
        quantity=fill.quantity,
        price=fill.price,
        fee=fill.fee,
        time=fill.time,
        fill_id=f"f{name}",
        late=is_late,
    )
    if is_late:
        journal.put_late(command)
    else:
        journal.record(command)


def seen(journal: Journal) -> tuple[object, ...]:
    """Lots, trades and sums by the ids of the venue: when the ledger heard of an execution does not show."""
    lots = [
        (lot.time, lot.opened.origin.fill_id, lot.remaining, lot.price, lot.open_fee, lot.cost, lot.opened.quantity)
        for lot in journal.book.lots()
    ]
    trades = sorted(
        trade._replace(sequence=0, trade_index=0, entry_sequence=0, exit_sequence=0)
        for trade in journal.trades.values()
        if trade.superseded_by is None
    )
    book = journal.book
    return lots, trades, book.quantity, book.cost, book.gross, book.fees, book.open_fees, book.newest_time


@given(all_terms, st.lists(fills, min_size=1, max_size=12), st.lists(st.integers(0, 11), min_size=1, max_size=3))
def test_a_late_fill_in_time_order_is_the_same_fill_in_order(
    under: Terms, executions: list[Fill], picks: list[int]
) -> None:
    """The same lots, the same trades and the same sums; among equal times the late one is the last."""
    late = list(dict.fromkeys(pick % len(executions) for pick in picks))
    names = [name for name in range(len(executions)) if name not in late] + late
    in_order = sorted(names, key=lambda name: executions[name].time)
    first, second = Journal(under), Journal(under)
    with localcontext(EXACT):
        for name in in_order:
            told(first, executions[name], name)
        for name in in_order:
            if name not in late:
                told(second, executions[name], name)
        for name in late:
            told(second, executions[name], name, is_late=True)
        assert_whole(second)
        assert seen(second) == seen(first)
