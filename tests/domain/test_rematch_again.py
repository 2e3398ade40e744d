"""Law 11: corrections upon corrections, and what they walk over."""

from __future__ import annotations

from decimal import Decimal

import pytest

from lotkeeperd.domain.commands import Command, Method, Terms
from lotkeeperd.domain.deciding import Decided, decided
from lotkeeperd.domain.decimals import ZERO
from lotkeeperd.domain.fees import NONE
from lotkeeperd.domain.instruments import Instrument
from lotkeeperd.domain.portfolios import Portfolio, PositionMode
from lotkeeperd.domain.refusals import LaterCommandRefused
from tests.domain.asking import BOUGHT, NOW, SHORT, SOLD, close_fifo, create_entry
from tests.domain.journal import Journal, assert_whole, lived, net
from tests.domain.language import lots_of, matches, open_lots

EXPIRY = Command(Method.EXPIRY, "p", "X", None, None, ZERO, close_all=True)


def trades_that_count(journal: Journal) -> dict[str, Decimal]:
    """Their ids and what they gained."""
    counting = (trade for trade in journal.trades.values() if trade.superseded_by is None)
    return {trade.trade_id: trade.gross_pnl for trade in counting}


def test_a_second_correction_stands_upon_the_first() -> None:
    """Each supersedes what the one before it left; the journal keeps all of them."""
    journal = lived("+1@100", "+1@110", "-1@120")

    journal.correct(1, price=Decimal(90))
    journal.correct(3, price=Decimal(130))

    assert journal.closed() == matches("#1 1 gross 40")
    assert trades_that_count(journal) == {"T5.0": 40}
    assert journal.trades[3, 0].superseded_by == (4, 0)
    assert journal.trades[4, 0].superseded_by == (5, 0)
    assert_whole(journal)


def test_a_corrected_fill_can_be_corrected_and_busted() -> None:
    """It is named by the record that first told it."""
    journal = lived("+1@100", "-1@120")

    journal.correct(2, price=Decimal(121))
    journal.correct(2, quantity=Decimal("0.5"))
    assert journal.closed() == matches("#1 0.5 gross 10.5")

    journal.bust(2)
    assert (journal.closed(), lots_of(journal.book)) == ([], open_lots("#1 +1@100"))
    assert_whole(journal)


def test_a_late_fill_can_be_busted() -> None:
    """The trades that it had taken over are made anew, under ids of their own."""
    journal = lived("+1@100 t5", "-1@120 t9")
    journal.late("+1@90 t1")
    assert trades_that_count(journal) == {"T3.0": 30}

    journal.bust(3)

    assert trades_that_count(journal) == {"T4.0": 20}
    assert journal.trades[3, 0].superseded_by == (4, 0)
    assert journal.entries[3].superseded
    assert_whole(journal)


def test_an_execution_keeps_its_place_when_others_move() -> None:
    """A late one stands before the one it came before, wherever that goes."""
    journal = lived("+1@100 t2", "+1@101 t4", "-1@120 t9")
    journal.late("+1@90 t1")
    journal.late("+1@95 t3")
    journal.correct(1, time=6)

    assert [slot.sequence for slot in journal.history().slots] == [4, 5, 2, 1, 3]
    assert lots_of(journal.book) == open_lots("#5 +1@95 t3, #2 +1@101 t4, #1 +1@100 t6")
    assert_whole(journal)


def test_an_entry_that_comes_at_another_time_is_stored_under_that_time() -> None:
    """Its row is taken from where it stood."""
    journal = lived("+1@100 t2", "+1@101 t4")

    done = journal.correct(1, time=6)

    assert done.moved == [(2, 1)]
    assert [entry.opened.time for entry in done.entries] == [6]


def test_a_walk_ends_where_both_books_hold_the_same_again() -> None:
    """What came after a flat book is not looked at: neither its slots nor its rows are written again."""
    journal = lived("+1@100", "-1@110", "+1@200", "-0.5@210")

    done = journal.correct(1, price=Decimal(90))

    assert [slot.sequence for slot in done.rematch.slots] == [1, 2]
    assert [entry.entry_id for entry in done.entries] == ["E1"]
    assert_whole(journal)


def test_a_walk_ends_while_lots_are_open_and_their_rows_stand() -> None:
    """Lots that both books hold go on as they did, also one that is split and closed after the end of the walk."""
    journal = lived("+1@100", "+3@50", "-2@110", "+1@60")
    journal.split(2, 1)
    journal.tell("-6@40")

    done = journal.correct(1, price=Decimal(90))

    assert [entry.entry_id for entry in done.entries] == ["E1"]
    assert journal.entries[2].opened.quantity == 4
    assert_whole(journal)


def test_what_was_agreed_to_once_is_not_asked_again() -> None:
    """A close that was let open the other side stands, as long as it meets the book that it met."""
    journal = Journal()
    journal.record(create_entry(BOUGHT, "1")._replace(time=1))
    journal.record(create_entry(BOUGHT, "1")._replace(time=2))
    journal.record(close_fifo("2")._replace(time=3))
    journal.bust(1, flips=True)
    assert lots_of(journal.book) == open_lots("#3 -1@110 t3")

    journal.correct(2, price=Decimal(105))
    assert journal.closed() == matches("#2 1 gross 5")
    with pytest.raises(LaterCommandRefused):
        journal.correct(2, quantity=Decimal("0.5"))
    assert_whole(journal)


def test_the_end_of_a_contract_follows_the_book() -> None:
    """Whatever is open then expires, also nothing, also a short."""
    journal = lived("+1@3", "+2@4")
    journal.record(EXPIRY._replace(time=9))
    assert net(journal.book) == -11

    journal.correct(1, quantity=Decimal(3))
    assert net(journal.book) == -17

    journal.correct(1, side=SOLD)
    journal.bust(2)
    assert journal.closed() == matches("#1 3 gross 9")

    journal.bust(1)
    assert (journal.closed(), journal.book.direction) == ([], None)

    journal.late("+1@5 t4")
    assert journal.closed() == matches("#8 1 gross -5")
    assert_whole(journal)


def test_what_was_decided_can_be_written_and_read() -> None:
    """A slot that a correction changed holds the whole decision, so that reading decides nothing."""
    journal = lived("+1@100", "-1@110")
    done = journal.correct(1, price=Decimal(90))

    entry, exit_ = done.rematch.slots

    assert entry.decision.opened is not None
    assert entry.decision.opened.price == 90
    assert exit_.decision.matches[0].gross == 20
    what = Decided(exit_.decision.fill, NONE, ())
    assert decided(exit_.decision.command, what, 2, NOW) == exit_.decision._replace(matches=())


HEDGED = Terms(Instrument("X"), Portfolio("p", "USD", position_mode=PositionMode.HEDGING))


def test_the_short_book_of_a_hedging_portfolio_is_corrected_like_any_other() -> None:
    """Its sales open."""
    journal = Journal(HEDGED)
    journal.tell("-1@100", book_side=SHORT)
    journal.tell("-1@110", book_side=SHORT)
    journal.tell("+1@90", book_side=SHORT)

    journal.bust(1)

    assert journal.closed() == matches("#2 1 gross 20")
    assert_whole(journal)
