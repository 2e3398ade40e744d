"""What becomes of a command: lots before, the command, lots after; or the refusal, and nothing changed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, NamedTuple

import pytest

from lotkeeperd.domain.book import Book, Direction, Fill
from lotkeeperd.domain.commands import Command, Excess, Match, Role, Sums, sums
from lotkeeperd.domain.deciding import decide, decided
from lotkeeperd.domain.refusals import InsufficientQuantity, NoOpenPosition, OppositeSideOpen, Refusal
from lotkeeperd.domain.replaying import replayed
from tests.domain.asking import (
    BOUGHT,
    LONG,
    NOW,
    REVERSE,
    SHORT,
    SOLD,
    TERMS,
    close_fifo,
    create_entry,
    journaled,
    record_fill,
)
from tests.domain.language import book_of, lots_of, matched, matches, open_lots

NEXT = 9


class Done(NamedTuple):
    """The lots before, the command, what it closed, the lots after (without their times)."""

    before: str
    command: Command
    closed: str
    after: str


DONE = {
    "CreateEntry opens": Done("", create_entry(LONG, "2"), "", "#9 +2@100"),
    "CreateEntry opens a short": Done("", create_entry(SHORT, "2"), "", "#9 -2@100"),
    "CreateEntry adds to its side": Done("#1 -1@90", create_entry(SHORT, "2"), "", "#1 -1@90, #9 -2@100"),
    "CloseFifo reduces whichever side is open": Done("#1 +3@100", close_fifo("1"), "#1 1 gross 10", "#1 +2/3@100"),
    "CloseFifo covers a short": Done("#1 -3@100", close_fifo("3", "90"), "#1 3 gross 30", ""),
    "CloseFifo closes the side it names": Done(
        "#1 -3@100", close_fifo("1", "90", lots=SHORT), "#1 1 gross 10", "#1 -2/3@100"
    ),
    "CloseFifo closes all": Done("#1 +3@100, #2 +1@101", close_fifo(None), "#1 3 gross 30, #2 1 gross 9", ""),
    "CloseFifo reverses when asked": Done(
        "#1 +1@100", close_fifo("5")._replace(excess=REVERSE), "#1 1 gross 10", "#9 -4@110"
    ),
    "CloseFifo with REVERSE and no excess only closes": Done(
        "#1 +5@100", close_fifo("5")._replace(excess=REVERSE), "#1 5 gross 50", ""
    ),
    "RecordFill opens": Done("", record_fill(SOLD, "1"), "", "#9 -1@110"),
    "RecordFill adds": Done("#1 +1@100", record_fill(BOUGHT, "1"), "", "#1 +1@100, #9 +1@110"),
    "RecordFill reduces": Done("#1 +3@100", record_fill(SOLD, "1"), "#1 1 gross 10", "#1 +2/3@100"),
    "RecordFill closes": Done("#1 +3@100", record_fill(SOLD, "3"), "#1 3 gross 30", ""),
    "RecordFill flips": Done("#1 +1@100", record_fill(SOLD, "3"), "#1 1 gross 10", "#9 -2@110"),
    "RecordFill with REJECT opens": Done("", record_fill(BOUGHT, "1")._replace(excess=Excess.REJECT), "", "#9 +1@110"),
    "RecordFill with REJECT adds any quantity": Done(
        "#1 +1@100", record_fill(BOUGHT, "7")._replace(excess=Excess.REJECT), "", "#1 +1@100, #9 +7@110"
    ),
    "RecordFill with REJECT closes what there is": Done(
        "#1 +3@100", record_fill(SOLD, "3")._replace(excess=Excess.REJECT), "#1 3 gross 30", ""
    ),
}


@pytest.mark.parametrize("row", DONE.values(), ids=DONE)
def test_a_command_does_what_it_says(row: Done) -> None:
    """Each of the three methods in each arm it may take."""
    book = book_of(row.before)

    fill, _, records = decide(row.command, book, NEXT, NOW, TERMS)
    assert matched(records) == matches(row.closed)

    book.evolve(records, NEXT, fill.time)
    after = [lot._replace(time=NOW) if lot.number == NEXT else lot for lot in open_lots(row.after)]
    assert lots_of(book) == after


class Refused(NamedTuple):
    """The lots before, the command, and why it is refused."""

    before: str
    command: Command
    refusal: type[Refusal]
    metadata: dict[str, str]
    words: str


def _insufficient(before: str, command: Command, have: str, want: str) -> Refused:
    metadata = {"open_quantity": have, "requested_quantity": want}
    return Refused(
        before, command, InsufficientQuantity, metadata, f"'X' has {have} open, fewer than the {want} to close"
    )


REFUSED = {
    "entry on the side opposite to what is open": Refused(
        "#1 +2/3@100, #2 +1@100",
        create_entry(SHORT, "1"),
        OppositeSideOpen,
        {"open_side": "LONG", "open_quantity": "3"},
        "'X' is LONG 3; one book holds one side",
    ),
    "long entry while short": Refused(
        "#1 -1.50@100",
        create_entry(LONG, "9"),
        OppositeSideOpen,
        {"open_side": "SHORT", "open_quantity": "1.5"},
        "'X' is SHORT 1.5",
    ),
    "close of more than is open": _insufficient("#1 +1@100", close_fifo("5"), "1", "5"),
    "close of more than is open, over several lots": _insufficient(
        "#1 +1@100, #2 +0.25/3@100", close_fifo("1.2500000001"), "1.25", "1.2500000001"
    ),
    "close by the side of the lots, of more than is open": _insufficient(
        "#1 -1@100", close_fifo("2", lots=SHORT), "1", "2"
    ),
    "RecordFill with REJECT beyond the open lots": _insufficient(
        "#1 +1@100", record_fill(SOLD, "5")._replace(excess=Excess.REJECT), "1", "5"
    ),
    "close with nothing open": Refused("", close_fifo("1"), NoOpenPosition, {}, "'X' has nothing open;"),
    "close all with nothing open": Refused("", close_fifo(None), NoOpenPosition, {}, "'X' has nothing open;"),
    "close with REVERSE and nothing open": Refused(
        "", close_fifo("1")._replace(excess=REVERSE), NoOpenPosition, {}, "'X' has nothing open;"
    ),
    "close of a side that is not the open one": Refused(
        "#1 +1@100", close_fifo("1", lots=SHORT), NoOpenPosition, {}, "'X' has nothing open SHORT, it is LONG;"
    ),
    "close all of a side that is not the open one": Refused(
        "#1 -1@100", close_fifo(None, lots=LONG), NoOpenPosition, {}, "'X' has nothing open LONG, it is SHORT;"
    ),
}


@pytest.mark.parametrize("row", REFUSED.values(), ids=REFUSED)
def test_a_refusal_names_the_values_and_changes_nothing(row: Refused) -> None:
    """Both quantities where quantities are the reason, and the way out in words."""
    book = book_of(row.before)
    before = lots_of(book)

    with pytest.raises(row.refusal) as refused:
        decide(row.command, book, NEXT, NOW, TERMS)

    assert refused.value.metadata == row.metadata
    assert row.words in refused.value.message
    assert lots_of(book) == before


@pytest.mark.parametrize(
    ("given", "newest", "taken"),
    [(None, 0, NOW), (None, NOW - 1, NOW), (None, NOW + 5, NOW + 5), (3, NOW + 5, 3), (NOW + 9, 0, NOW + 9)],
    ids=["no fills yet", "the clock", "the newest fill is ahead of the clock", "late", "ahead of the clock"],
)
def test_a_time_left_out_is_the_clock_or_the_newest_in_the_book(given: int | None, newest: int, taken: int) -> None:
    """Law 2: a default never stands before what is already recorded; a given time always stands."""
    book = book_of("#1 +1@100 t1")
    book.newest_time = newest

    what = decide(create_entry(LONG, "1")._replace(time=given), book, NEXT, NOW, TERMS)

    assert what.fill.time == taken


def test_a_fee_left_out_is_zero() -> None:
    """And stays None in what was asked."""
    decision = journaled(create_entry(LONG, "1"), Book(), 1)

    assert (decision.command.fee, decision.fill.fee) == (None, Decimal(0))


def test_what_the_caller_said_of_an_entry_goes_with_its_lot() -> None:
    """Order, fill, fee currency, group and labels; also with the lot that a flip opens."""
    said: dict[str, Any] = {
        "order_id": "o1",
        "fill_id": "f1",
        "fee_currency": "USD",
        "group_id": "g",
        "labels": (("bot", "a"),),
    }
    book = book_of("#1 +1@100")

    decision = journaled(record_fill(SOLD, "2")._replace(reason="signal", **said), book, NEXT)

    assert decision.opened is not None
    assert decision.opened.origin._asdict() == {
        **said,
        "synthetic": False,
        "fee": 0,
        "fee_rate": None,
        "fee_pending": False,
    }
    assert [lot.opened for lot in book.lots()] == [decision.opened]


@pytest.mark.parametrize(
    ("command", "role"),
    [
        (create_entry(LONG, "1"), Role.ENTRY),
        (close_fifo("1"), Role.EXIT),
        (close_fifo(None), Role.EXIT),
        (close_fifo("1")._replace(excess=REVERSE), Role.BOTH),
        (record_fill(BOUGHT, "1"), Role.BOTH),
        (record_fill(SOLD, "1")._replace(excess=Excess.REJECT), Role.BOTH),
    ],
    ids=["CreateEntry", "CloseFifo", "close_all", "REVERSE", "RecordFill", "RecordFill REJECT"],
)
def test_a_command_claims_the_roles_that_law_8_gives_it(command: Command, role: Role) -> None:
    """Whatever arm it takes; only CreateEntry and CloseFifo may share one fill id."""
    assert command.role is role


@pytest.mark.parametrize(
    ("said", "is_plain"),
    [
        ({"order_id": "o", "labels": (("a", "b"),), "reason": "r"}, True),
        ({"synthetic": True}, False),
        ({"book_side": LONG}, False),
        ({"chosen": ((1, Decimal(1)),)}, False),
        ({"late": True}, False),
        ({"details": (("ratio", "2"),)}, False),
    ],
)
def test_a_command_is_plain_when_it_says_what_most_executions_say(said: dict[str, Any], is_plain: bool) -> None:
    """The rest is written only where it is said."""
    assert create_entry(LONG, "1")._replace(**said).is_plain is is_plain


def test_sums_are_of_the_closed_trades_of_one_record() -> None:
    """How many, how much, gross, and the fees of both sides together."""
    book = book_of("#1 +2@100 fee 2, #2 +2@101 fee 4")

    decision = journaled(close_fifo("3", "110")._replace(fee=Decimal("0.3")), book, NEXT)

    assert sums(decision) == Sums(2, Decimal(3), Decimal(29), Decimal("4.3"))
    assert sums(journaled(create_entry(LONG, "1"), book, NEXT)) == Sums(0, Decimal(0), Decimal(0), Decimal(0))


def test_a_record_holds_what_was_asked_and_what_was_decided() -> None:
    """Law 13: enough to evolve the book without deciding anew."""
    command = record_fill(SOLD, "3")._replace(fee=Decimal(6))
    book = book_of("#1 +1@100 fee 1")

    decision = decided(command, decide(command, book, NEXT, NOW, TERMS), NEXT, NOW + 1)

    assert (decision.sequence, decision.recorded_time, decision.command) == (NEXT, NOW + 1, command)
    assert decision.fill == Fill(SOLD, Decimal(3), Decimal(110), Decimal(6), NOW)
    assert decision.matches == (Match(1, Decimal(1), Decimal(10), Decimal(1), Decimal(2)),)
    assert decision.opened is not None
    assert (decision.opened.quantity, decision.opened.fee) == (Decimal(2), Decimal(4))


STEPS = [
    create_entry(LONG, "3")._replace(fee=Decimal(1), time=5),
    create_entry(LONG, "2", "101")._replace(time=4),
    close_fifo("2.5")._replace(fee=Decimal(2)),
    record_fill(SOLD, "4")._replace(fee=Decimal("-0.1")),
    close_fifo(None, "90"),
    record_fill(BOUGHT, "1"),
]


def test_replaying_records_evolves_the_same_book_and_decides_nothing() -> None:
    """Law 13: live and replayed books take the same road, through late entries, closes and flips."""
    live, rebuilt = Book(), Book()

    for sequence, command in enumerate(STEPS, 1):
        decision = journaled(command, live, sequence)
        rebuilt.evolve(replayed(decision, rebuilt), sequence, decision.fill.time)
        assert list(rebuilt.lots()) == list(live.lots())

    names = [name for name in Book.__slots__ if not name.startswith("_")]
    assert [getattr(rebuilt, name) for name in names] == [getattr(live, name) for name in names]


@pytest.mark.parametrize(
    "before",
    ["", "#2 +3@100", "#1 +1@100"],
    ids=["nothing is open", "another lot is the oldest", "less of it is open"],
)
def test_a_record_that_does_not_fit_its_book_is_refused(before: str) -> None:
    """Law 13: a broken journal is not guessed at."""
    decision = journaled(close_fifo("2"), book_of("#1 +3@100"), NEXT)

    with pytest.raises(ValueError, match="record 9 closes lot 1, which is not open that far"):
        list(replayed(decision, book_of(before)))


def test_a_closing_command_without_a_side_trades_against_the_open_one() -> None:
    """The fill says what was traded: sold out of a long, bought back of a short."""
    for before, traded in (("#1 +1@100", Direction.SHORT), ("#1 -1@100", Direction.LONG)):
        fill = decide(close_fifo(None), book_of(before), NEXT, NOW, TERMS).fill
        assert (fill.direction, fill.quantity) == (traded, Decimal(1))
