"""Law 11: fills, a correction; what counts as closed now, the lots after, and which trade took whose place."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, NamedTuple

import pytest

from lotkeeperd.domain.rematch import Rematched
from tests.domain.asking import LONG
from tests.domain.journal import Journal, assert_whole, net
from tests.domain.language import lots_of, matches, open_lots


class Row(NamedTuple):
    """The fills, the correction, what counts as closed after it, the lots after it, and the trades restated.

    "T2.0>T4.0" says that T4.0 took the place of T2.0; one side is empty where there is none.
    """

    fills: list[str]
    method: str
    said: dict[str, Any]
    closed: str
    after: str
    restated: str
    change: str


def bust(fills: list[str], target: int, closed: str, after: str, restated: str, change: str) -> Row:
    """A bust that is refused where a later execution could not have been taken."""
    return Row(fills, "bust", {"target": target}, closed, after, restated, change)


def flipping(fills: list[str], target: int, closed: str, after: str, restated: str, change: str) -> Row:
    """A bust after which later executions may open the other side."""
    return Row(fills, "bust", {"target": target, "flips": True}, closed, after, restated, change)


def correct(
    fills: list[str], target: int, what: dict[str, Any], closed: str, after: str, restated: str, change: str
) -> Row:
    """A correction of what is in ``what``."""
    return Row(fills, "correct", {"target": target, **what}, closed, after, restated, change)


def late(fills: list[str], text: str, closed: str, after: str, restated: str, change: str) -> Row:
    """A late fill, put in time order."""
    return Row(fills, "late", {"text": text}, closed, after, restated, change)


TWO_BOUGHT_ONE_SOLD = ["+1@100 fee 1", "+1@110 fee 2", "-1@120 fee 3"]

ROWS = {
    "bust of an entry: the exit closes the next one": bust(
        TWO_BOUGHT_ONE_SOLD, 1, "#2 1 gross 10 fees 2+3", "", "T3.0>T4.0", "-11"
    ),
    "bust of an entry that nothing closed yet": bust(TWO_BOUGHT_ONE_SOLD, 2, "#1 1 gross 20 fees 1+3", "", "", "0"),
    "bust of an exit: its lot is open again, with its fee": bust(
        TWO_BOUGHT_ONE_SOLD, 3, "", "#1 +1@100 fee 1, #2 +1@110 fee 2", "T3.0>", "-16"
    ),
    "bust of a flip: both of its parts are gone": bust(["+1@100", "-3@110 fee 3"], 2, "", "#1 +1@100", "T2.0>", "-9"),
    "bust of the only fill: flat, and nothing realized": bust(["+1@100 fee 1"], 1, "", "", "", "0"),
    "bust of an exit: a later one closes what it had closed": bust(
        ["+1@100", "+1@110", "-1@120", "-1@130"], 3, "#1 1 gross 30", "#2 +1@110", "T3.0>, T4.0>T5.1", "-10"
    ),
    "bust of an entry, when asked: the exit opens the other side": flipping(
        ["+1@100", "-1@110 fee 1"], 1, "", "#2 -1@110 fee 1", "T2.0>", "-9"
    ),
    "bust of an entry, when asked: the rest of the exit opens the other side": flipping(
        ["+1@100", "+2@101", "-3@110 fee 3"], 1, "#2 2 gross 18 fees 0+2", "#3 -1@110 fee 1", "T3.0>T4.0, T3.1>", "-9"
    ),
    "correction of an entry's price": correct(
        TWO_BOUGHT_ONE_SOLD, 1, {"price": Decimal(90)}, "#1 1 gross 30 fees 1+3", "#2 +1@110 fee 2", "T3.0>T4.0", "10"
    ),
    "correction of an exit's price": correct(
        TWO_BOUGHT_ONE_SOLD, 3, {"price": Decimal(90)}, "#1 1 gross -10 fees 1+3", "#2 +1@110 fee 2", "T3.0>T4.0", "-30"
    ),
    "correction of an entry's quantity: less is bought, the exit reaches into the next lot": correct(
        TWO_BOUGHT_ONE_SOLD,
        1,
        {"quantity": Decimal("0.5")},
        "#1 0.5 gross 10 fees 1+1.5, #2 0.5 gross 5 fees 1+1.5",
        "#2 +0.5/1@110 fee 1",
        "T3.0>T4.0, >T4.1",
        "-6",
    ),
    "correction of an exit's quantity: more is sold": correct(
        TWO_BOUGHT_ONE_SOLD,
        3,
        {"quantity": Decimal(2)},
        "#1 1 gross 20 fees 1+1.5, #2 1 gross 10 fees 2+1.5",
        "",
        "T3.0>T4.0, >T4.1",
        "8",
    ),
    "correction of a side: what was taken for a sale was a purchase": correct(
        ["+1@100", "-1@110"], 2, {"side": LONG}, "", "#1 +1@100, #2 +1@110", "T2.0>", "-10"
    ),
    "correction of an entry's fee": correct(
        TWO_BOUGHT_ONE_SOLD, 1, {"fee": Decimal(5)}, "#1 1 gross 20 fees 5+3", "#2 +1@110 fee 2", "T3.0>T4.0", "-4"
    ),
    "correction of the fee of a lot that is open": correct(
        TWO_BOUGHT_ONE_SOLD, 2, {"fee": Decimal(7)}, "#1 1 gross 20 fees 1+3", "#2 +1@110 fee 7", "", "0"
    ),
    "correction of an entry's time: the other one was the oldest": correct(
        ["+1@100 t1", "+1@110 t2", "-1@120 t9"], 1, {"time": 5}, "#2 1 gross 10", "#1 +1@100 t5", "T3.0>T4.0", "-10"
    ),
    "correction of an exit's time: it came before the second entry": correct(
        ["+1@100 t1", "+1@110 t5", "-1@120 t9"], 3, {"time": 3}, "#1 1 gross 20", "#2 +1@110 t5", "T3.0>T4.0", "0"
    ),
    "a correction that changes nothing restates nothing": correct(
        TWO_BOUGHT_ONE_SOLD, 3, {"price": Decimal("120.0")}, "#1 1 gross 20 fees 1+3", "#2 +1@110 fee 2", "", "0"
    ),
    "late entry in time order: the exit closes it": late(
        ["+1@100 t5", "-1@120 t9"], "+1@90 t1", "#3 1 gross 30", "#1 +1@100 t5", "T2.0>T3.0", "10"
    ),
    "late entry in time order between the entry and its exit changes nothing closed": late(
        ["+1@100 t5", "-1@120 t9"], "+1@90 t7", "#1 1 gross 20", "#3 +1@90 t7", "", "0"
    ),
    "late exit in time order: it closes the oldest, the later one the next": late(
        ["+1@100 t1", "+1@110 t2", "-1@120 t9"],
        "-1@105 t3",
        "#1 1 gross 5, #2 1 gross 10",
        "",
        ">T4.0, T3.0>T4.1",
        "-5",
    ),
    "a late fill at an equal time comes after those that were recorded": late(
        ["+1@100 t5", "-1@120 t5"], "+1@90 t5", "#1 1 gross 20", "#3 +1@90 t5", "", "0"
    ),
    "a late fill that is not late stands at the end": late(
        ["+1@100 t5"], "-1@120 t9", "#1 1 gross 20", "", ">T2.0", "20"
    ),
    "a late fill turns the book, and a later one turns it back": late(
        ["+1@100 t5", "+2@101 t6"], "-2@99 t1", "#3 1 gross -1, #3 1 gross -2", "#2 +1@101 t6", ">T3.0, >T3.1", "-3"
    ),
}


def pairs_of(done: Rematched) -> str:
    """The trades restated, as the rows write them."""
    return ", ".join(
        f"{told.before.trade_id if told.before else ''}>{told.after.trade_id if told.after else ''}"
        for told in done.restated
    )


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_a_correction_re_matches_the_book_from_there(row: Row) -> None:
    """The book is as if it had been recorded so; every trade that changed is restated; the journal keeps both."""
    journal = Journal()
    for text in row.fills:
        journal.tell(text)
    before = net(journal.book)

    done = getattr(journal, row.method)(**row.said)

    assert journal.closed() == matches(row.closed)
    assert lots_of(journal.book) == open_lots(row.after)
    assert pairs_of(done) == row.restated
    assert net(journal.book) - before == Decimal(row.change)
    assert_whole(journal)


def test_a_superseded_entry_stands_at_the_corrected_time_of_its_execution() -> None:
    """A flip that comes later opens nothing; at a third time it opens again: never are there two rows of it."""
    journal = Journal()
    for text in ("+1@100 t1", "-2@110 t5", "+3@90 t7"):
        journal.tell(text)

    done = journal.correct(2, time=9)
    assert done.moved == [(5, 2)]
    assert [(entry.opened.time, entry.superseded) for entry in done.entries if entry.opened.sequence == 2] == [
        (9, True)
    ]

    done = journal.correct(2, time=6)
    assert done.moved == [(9, 2)]
    assert [(entry.opened.time, entry.superseded) for entry in done.entries if entry.opened.sequence == 2] == [
        (6, False)
    ]
    assert_whole(journal)
