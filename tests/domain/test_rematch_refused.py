"""Law 11: corrections that are refused, which record they name, and what may not flip though it was asked to."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from lotkeeperd.domain.book import LotMethod
from lotkeeperd.domain.commands import Command, Excess, Terms
from lotkeeperd.domain.instruments import Instrument, Kind
from lotkeeperd.domain.portfolios import PositionMode
from lotkeeperd.domain.refusals import InsufficientQuantity, LaterCommandRefused, NotYetImplemented
from tests.domain.asking import BOUGHT, SHORT, SOLD, TERMS, close_fifo, create_entry, record_fill
from tests.domain.journal import Journal, assert_whole, lived
from tests.domain.language import lots_of, matches


def under(**changes: Any) -> Terms:
    """The plain terms with another portfolio."""
    return TERMS._replace(portfolio=TERMS.portfolio._replace(**changes))


# fills; the correction; the record that is named, its fill, its reason, words
REFUSED: dict[str, tuple[list[Command], str, dict[str, Any], dict[str, str], str]] = {
    "a close of more than would be open": (
        [create_entry(BOUGHT, "2"), create_entry(BOUGHT, "1"), close_fifo("3")],
        "correct",
        {"target": 1, "quantity": Decimal(1)},
        {"sequence": "3", "fill_id": "f3", "reason": "INSUFFICIENT_QUANTITY"},
        "record 3 (fill 'f3') would have been refused: 'X' has 2 open, fewer than the 3 to close",
    ),
    "a close of nothing": (
        [create_entry(BOUGHT, "1"), close_fifo("1")],
        "bust",
        {"target": 1},
        {"sequence": "2", "fill_id": "f2", "reason": "NO_OPEN_POSITION"},
        "'X' has nothing open",
    ),
    "the first of two": (
        [create_entry(BOUGHT, "2"), close_fifo("1"), close_fifo("1")],
        "correct",
        {"target": 1, "quantity": Decimal("0.5")},
        {"sequence": "2", "fill_id": "f2", "reason": "INSUFFICIENT_QUANTITY"},
        "record 2",
    ),
    "an entry on the other side": (
        [create_entry(BOUGHT, "1"), close_fifo("1"), create_entry(SHORT, "1")],
        "bust",
        {"target": 2},
        {"sequence": "3", "fill_id": "f3", "reason": "OPPOSITE_SIDE_OPEN"},
        "'X' is LONG 1",
    ),
    "a fill that was not to flip": (
        [record_fill(BOUGHT, "2"), record_fill(SOLD, "2")._replace(excess=Excess.REJECT)],
        "correct",
        {"target": 1, "quantity": Decimal(1)},
        {"sequence": "2", "fill_id": "f2", "reason": "INSUFFICIENT_QUANTITY"},
        "'X' has 1 open",
    ),
    "what is corrected, when the book could not have taken it so": (
        [create_entry(BOUGHT, "2"), close_fifo("1")],
        "correct",
        {"target": 2, "quantity": Decimal(3)},
        {"sequence": "2", "fill_id": "f2", "reason": "INSUFFICIENT_QUANTITY"},
        "'X' has 2 open",
    ),
}


@pytest.mark.parametrize(("commands", "method", "said", "named", "words"), REFUSED.values(), ids=REFUSED)
def test_a_correction_after_which_a_later_command_would_have_been_refused_names_the_first_such(
    commands: list[Command], method: str, said: dict[str, Any], named: dict[str, str], words: str
) -> None:
    """Nothing changes; and when it may flip, it does."""
    journal = Journal()
    for number, command in enumerate(commands, 1):
        journal.record(command._replace(fill_id=f"f{number}", time=number))
    book, records = journal.book, list(journal.records)

    with pytest.raises(LaterCommandRefused) as refused:
        getattr(journal, method)(**said)

    assert refused.value.metadata == named
    assert words in refused.value.message
    assert (journal.book, journal.records) == (book, records)

    getattr(journal, method)(**said, flips=True)
    assert_whole(journal)


def test_a_late_fill_that_its_own_time_refuses_says_so_itself() -> None:
    """It is not a later command."""
    journal = lived("+1@100 t5")

    with pytest.raises(InsufficientQuantity):
        journal.late("-2@90 t6", excess=Excess.REJECT)


def test_a_late_fill_after_which_a_later_one_would_have_been_refused_is_refused() -> None:
    """It would have taken what that one closed."""
    journal = lived("+1@100 t5")
    journal.record(close_fifo("1")._replace(fill_id="f2", time=9))

    with pytest.raises(LaterCommandRefused) as refused:
        journal.late("-1@90 t6")

    assert refused.value.metadata == {"sequence": "2", "fill_id": "f2", "reason": "NO_OPEN_POSITION"}
    assert_whole(journal)


@pytest.mark.parametrize(
    ("terms", "reason"),
    [(under(long_only=True), "LONG_ONLY"), (under(position_mode=PositionMode.HEDGING), "INSUFFICIENT_QUANTITY")],
    ids=["long-only", "hedging"],
)
def test_a_book_that_has_one_side_for_ever_is_not_turned_by_a_correction_either(terms: Terms, reason: str) -> None:
    """Though it may flip."""
    journal = Journal(terms)
    journal.tell("+1@100", book_side=BOUGHT)
    journal.tell("-1@110", book_side=BOUGHT)

    with pytest.raises(LaterCommandRefused) as refused:
        journal.bust(1, flips=True)

    assert refused.value.metadata["reason"] == reason
    assert_whole(journal)


def test_chosen_lots_that_are_no_more_refuse_a_correction() -> None:
    """Nobody else can choose: the closing execution is busted first, and recorded again."""
    journal = lived("+1@100", "+1@90", terms=under(lot_method=LotMethod.CHOSEN))
    journal.tell("-1@120", chosen=((2, Decimal(1)),))

    with pytest.raises(LaterCommandRefused, match="entry 'E2' has 0 open") as refused:
        journal.bust(2, flips=True)
    assert refused.value.metadata["reason"] == "LOT_NOT_OPEN"
    with pytest.raises(LaterCommandRefused, match="1 are chosen, but 0.5 of 'X' are to close"):
        journal.correct(3, quantity=Decimal("0.5"))

    journal.correct(1, price=Decimal(99))
    assert journal.closed() == matches("#2 1 gross 30")
    assert_whole(journal)


@pytest.mark.parametrize(
    "after",
    [Instrument("X", Kind.FUTURE, Decimal(5)), Instrument("X", Kind.INVERSE, settlement_currency="BTC")],
    ids=["another multiplier", "another kind"],
)
def test_what_was_traded_before_its_instrument_changed_is_not_valued_by_what_it_is_now(after: Instrument) -> None:
    """Not yet: it is refused. What was traded since is corrected as ever."""
    journal = lived("+1@100", "-1@110", terms=TERMS._replace(instrument=Instrument("X", Kind.FUTURE, Decimal(10))))
    journal.terms = journal.terms._replace(instrument=after)
    journal.book.contract = after.contract

    with pytest.raises(NotYetImplemented, match="before the terms of their instrument changed"):
        journal.correct(2, price=Decimal(111))

    journal.tell("+1@50")
    journal.correct(3, price=Decimal(40))
    assert lots_of(journal.book)[0].price == 40
