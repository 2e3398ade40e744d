"""The slots of a book: how an execution is found, where a time belongs, and journals that do not fit."""

from __future__ import annotations

from decimal import Decimal

import pytest

from lotkeeperd.domain.book import Fill
from lotkeeperd.domain.commands import Decision
from lotkeeperd.domain.decimals import ZERO
from lotkeeperd.domain.history import GONE, Amend, Amendment, Correction, History, Late, Slot
from lotkeeperd.domain.rematch import rematched
from tests.domain.asking import BOUGHT, NOW, TERMS, record_fill
from tests.domain.journal import lived


def test_history_and_book_that_do_not_agree_are_not_corrected() -> None:
    """A broken journal is not guessed at."""
    journal = lived("+1@100", "+1@110")
    history = journal.history()
    other = lived("+1@100", "+1@111").book

    with pytest.raises(ValueError, match="the journal does not lead to the book as it is"):
        rematched(history, history.slots[1:], 1, other, 3, TERMS, False)


def test_a_journal_that_takes_a_lot_that_is_not_open_is_refused() -> None:
    """Law 13: a broken journal is not guessed at."""
    journal = lived("+1@100")
    decision = journal.split(2, 1)

    with pytest.raises(ValueError, match="record 2 takes lot 7, which is not open"):
        History([journal.records[0], decision._replace(taken=(7,))]).folded(journal.fresh(), 2)


def test_a_history_that_grows_folds_as_one_that_is_read_anew() -> None:
    """Law 13: the walk goes on where the last one ended, as long as nothing before that was changed."""
    journal, grown = lived("+2@100 t10", "-1@110 t20", "+1@120 t30"), History()

    def folds_alike() -> None:
        for record in journal.records[len(seen) :]:
            grown.take(record)
            seen.append(record)
        for until in (len(grown.slots), 1, len(grown.slots) - 1, len(grown.slots)):
            fold, anew = grown.folded(journal.fresh(), until), journal.history().folded(journal.fresh(), until)
            assert [lot.standing for lot in fold.lots()] == [lot.standing for lot in anew.lots()]
            assert (fold.gross, fold.cost, fold.quantity) == (anew.gross, anew.cost, anew.quantity)

    seen: list[object] = []
    folds_alike()
    journal.late("+1@105 t15")  # behind what was folded first
    folds_alike()
    journal.late("+1@90 t5")  # before all of it
    folds_alike()
    journal.bust(1)
    folds_alike()


def slot(sequence: int, time: int, fill_id: str) -> Slot:
    """An execution, as far as it is looked for."""
    command = record_fill(BOUGHT, "1")._replace(fill_id=fill_id)
    fill = Fill(BOUGHT, Decimal(1), Decimal(1), ZERO, time)
    return Slot(Decision(sequence, NOW, command, fill, None, ()), ())


def test_an_execution_is_found_by_its_id_or_by_its_record() -> None:
    """One that was split between two commands has two places."""
    history = History()
    history.slots = [slot(3, 1, "a"), slot(4, 2, "b"), slot(7, 5, "a")]

    assert (history.find("a", 0), history.find("b", 0), history.find("c", 0)) == ([0, 2], [1], [])
    assert (history.find("", 7), history.find("a", 4), history.find("", 9)) == ([2], [1], [])


def test_a_time_belongs_before_the_first_execution_that_is_later() -> None:
    """At an equal time behind it."""
    history = History()
    assert history.place_for(3) == 0

    history.slots = [slot(3, 1, ""), slot(4, 2, ""), slot(7, 5, "")]

    assert [history.place_for(time) for time in (0, 1, 2, 4, 5, 9)] == [0, 1, 2, 2, 3, 3]
    assert History.placed(history.slots[1:], 1) == 0


def test_a_correction_is_recorded_under_the_execution_and_an_event_under_its_own_id() -> None:
    """Law 8: a bust does not claim the role that the execution has."""
    bust = Amendment(Amend.BUST, "p", "X", fill_id="f1", event_id="e1")
    fee = bust._replace(method=Amend.FILL_FEE)

    assert (bust.role.name, bust.recorded_id) == ("CORRECTION", "f1")
    assert (fee.role.name, fee.recorded_id) == ("EVENT", "e1")


def test_a_late_record_is_one_of_the_journal_like_any_other() -> None:
    """It has its sequence, its time and its command."""
    journal = lived("+1@100 t5")
    journal.late("+1@90 t1")
    journal.bust(2)
    late, bust = journal.records[1:]

    assert isinstance(late, Late)
    assert (late.sequence, late.recorded_time, late.command) == (2, NOW, late.decision.command)
    assert isinstance(bust, Correction)
    assert bust.rematch.place == GONE
