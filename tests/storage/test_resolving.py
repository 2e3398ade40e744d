"""What a person decides about one difference, and what takes that back. Tables are rebuilt after each test."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from lotkeeperd.domain.reconciliation.records import How, Standing, State, Undo
from lotkeeperd.domain.refusals import (
    DiscrepancyNotFound,
    DiscrepancyNotOpen,
    FieldViolations,
    LaterCommandRefused,
    PortfolioNotFound,
    RequestIdReused,
    ResolutionNotFound,
)
from lotkeeperd.service.reconciliation import Resolution, Reversal
from tests.storage.broker_says import (
    ASK_ALL,
    BEFORE,
    Desk,
    bought,
    check_rebuilt,
    holds,
    only,
    positions,
    realized,
    refused,
    states,
)
from tests.storage.ledgers import NOW, BareLedger, bare_ledger, entry, exit_of

SOLD = (holds("4"), bought("x1", "-6", "110"))
"""The broker sold 6 while nobody looked."""


@pytest.fixture
def ledger(database_url: str) -> Iterator[BareLedger]:
    """10 of A in p, bought at 100, and 1 of Z in q; verified in the end."""
    with bare_ledger(database_url) as ledger:
        ledger.taken(entry(1, "10", time=BEFORE), entry(2, "1", symbol="Z", portfolio_id="q", time=BEFORE))
        yield ledger
        check_rebuilt(ledger, database_url)


@pytest.fixture
def desk(ledger: BareLedger) -> Desk:
    """Reconciles p; nothing is carried out unless a person says so."""
    return Desk(ledger, account=ASK_ALL)


def test_what_is_proposed_is_carried_out_when_a_person_accepts_it(desk: Desk) -> None:
    """The execution is recorded, the difference is resolved, and the next run finds nothing."""
    standing = only(desk.applied(*SOLD))
    assert standing.state is State.OPEN
    done = desk.resolve(standing, How.ACCEPT)

    assert (done.standing.state, done.pnl_effect, done.sequence) == (State.RESOLVED, Decimal(60), 5)
    assert done.standing.settled is not None
    assert (done.standing.settled.sequences, done.standing.settled.by) == ((4,), "a person")
    assert positions(desk.ledger)["p", "A"] == Decimal(4)
    assert desk.applied(*SOLD).found == ()


def test_a_resolution_shows_its_effect_before_it_is_made(desk: Desk) -> None:
    """With validate_only nothing is written, and the same call without it does just that."""
    standing = only(desk.compared(*SOLD))
    seen = desk.resolve(standing, How.ACCEPT, validate_only=True)

    assert (seen.sequence, seen.pnl_effect, seen.standing.state) == (0, Decimal(60), State.RESOLVED)
    assert (desk.open(), desk.ledger.sequence) == ([standing.discrepancy_id], 3)
    assert desk.resolve(standing, How.ACCEPT).pnl_effect == seen.pnl_effect


def test_the_same_request_resolves_once(desk: Desk) -> None:
    """A retry is answered with what was done then; another decision under its id is refused."""
    standing = only(desk.compared(*SOLD))
    first = desk.deciding(standing.discrepancy_id, How.ACCEPT)
    done = desk.answer(first)
    again = desk.answer(first)

    assert isinstance(done, Resolution)
    assert again == done._replace(replayed=True)
    other = type(first)(first.request_id, first.discrepancy_id, How.IGNORE, reason="no")
    assert "another how" in refused(desk.answer(other), RequestIdReused)


def test_an_orphan_is_adopted_at_the_price_that_a_person_gives(desk: Desk) -> None:
    """It opens in the portfolio that is named, in the group its legs belong to."""
    standing = only(desk.compared(holds("10"), holds("-2", "50", "B")))
    desk.resolve(standing, How.ADOPT, portfolio="p", price=Decimal(45), group_id="condor")

    (lot,) = desk.ledger.books["p", "B", ""].lots()
    assert (lot.price, lot.opened.origin.group_id, lot.opened.origin.synthetic) == (Decimal(45), "condor", True)
    assert positions(desk.ledger)["p", "B"] == Decimal(-2)


def test_what_nobody_reports_the_exit_of_is_closed_at_the_price_that_a_person_gives(desk: Desk) -> None:
    """The exit is synthetic, and its P&L is told first."""
    standing = only(desk.compared(holds("4")))
    done = desk.resolve(standing, How.CLOSE, price=Decimal(103))

    assert done.pnl_effect == realized(desk.ledger) == Decimal(18)
    assert positions(desk.ledger)["p", "A"] == Decimal(4)
    assert desk.compared(holds("4")).found == ()


def test_executions_are_recorded_where_a_person_says_that_they_belong(ledger: BareLedger) -> None:
    """An exit that both portfolios could have made."""
    ledger.taken(entry(3, "10", portfolio_id="q", time=BEFORE))
    desk = Desk(ledger, "p", "q", account=ASK_ALL)
    standing = only(desk.compared(holds("14"), holds("1", symbol="Z"), bought("x1", "-6", "110")))
    desk.resolve(standing, How.ASSIGN, portfolio="q")

    assert positions(ledger) == {("p", "A"): Decimal(10), ("q", "A"): Decimal(4), ("q", "Z"): Decimal(1)}


def test_what_is_ignored_stays_so_while_it_is_the_same(desk: Desk) -> None:
    """It has its reason, nothing is recorded, and another quantity opens it again under its id."""
    first = only(desk.compared(holds("4")))
    ignored = desk.resolve(first, How.IGNORE, reason="a transfer is on its way").standing
    assert ignored.state is State.IGNORED
    desk.ledger.reload(desk.ledger.store.load())
    same = only(desk.applied(holds("4")))
    other = only(desk.applied(holds("3")))

    assert (same.state, same.settled, same.discrepancy_id) == (State.IGNORED, ignored.settled, first.discrepancy_id)
    assert (other.state, other.settled, other.discrepancy_id) == (State.OPEN, None, first.discrepancy_id)
    assert positions(desk.ledger)["p", "A"] == Decimal(10)


def test_a_synthetic_exit_is_refused_when_the_ledger_moved_on(desk: Desk) -> None:
    """The bot has recorded the exit itself by now: closing what was seen would close it twice."""
    standing = only(desk.compared(holds("4")))
    desk.ledger.taken(exit_of(9, "6", time=NOW))

    command = desk.deciding(standing.discrepancy_id, How.CLOSE, price=Decimal(103))
    words = refused(desk.answer(command), DiscrepancyNotOpen)
    assert "the ledger held 10 of 'A', and it holds 4 now" in words
    assert positions(desk.ledger)["p", "A"] == Decimal(4)


def test_an_execution_that_was_recorded_meanwhile_is_not_recorded_again(desk: Desk) -> None:
    """The bot was only slow: accepting what was proposed has nothing left to do."""
    standing = only(desk.compared(*SOLD))
    desk.ledger.taken(exit_of(9, "6", "110", fill_id="x1", time=BEFORE + 1))
    done = desk.resolve(standing, How.ACCEPT)

    assert (done.pnl_effect, positions(desk.ledger)["p", "A"]) == (Decimal(0), Decimal(4))


def test_an_execution_that_was_recorded_meanwhile_under_another_id_is_not_recorded_twice(desk: Desk) -> None:
    """The bot sold 6 and gave an id of its own: what was proposed would sell them again, so it waits for another look."""
    standing = only(desk.compared(*SOLD))
    desk.ledger.taken(exit_of(9, "6", "110", fill_id="bot-1", time=BEFORE + 1))

    words = refused(desk.answer(desk.deciding(standing.discrepancy_id, How.ACCEPT)), DiscrepancyNotOpen)
    assert "the ledger held 10 of 'A', and it holds 4 now; reconcile again" in words
    assert positions(desk.ledger)["p", "A"] == Decimal(4)


def test_of_several_executions_those_that_were_recorded_meanwhile_explain_what_is_held(desk: Desk) -> None:
    """One of two came by itself; the other is recorded."""
    sold = (holds("4"), bought("x1", "-2", "110"), bought("x2", "-4", "110", after=2))
    standing = only(desk.compared(*sold))
    desk.ledger.taken(exit_of(9, "2", "110", fill_id="x1", time=BEFORE + 1))

    desk.resolve(standing, How.ACCEPT)
    assert (positions(desk.ledger)["p", "A"], desk.compared(*sold).found) == (Decimal(4), ())


@pytest.mark.parametrize(
    ("how", "others", "words"),
    [
        (How.ACCEPT, {}, "accept: nothing is proposed for D3.0"),
        (How.ADOPT, {"portfolio": "p"}, "adopt: the broker holds 4 A, the ledger 10: "),
        (How.ASSIGN, {"portfolio": "q"}, "assign: the broker holds 4 A, the ledger 10: no execution of it is known"),
    ],
)
def test_a_decision_that_does_not_fit_the_difference_is_refused(
    desk: Desk, how: How, others: dict[str, object], words: str
) -> None:
    """Nothing is written, and the words say what would fit."""
    standing = only(desk.compared(holds("4")))
    assert refused(desk.answer(desk.deciding(standing.discrepancy_id, how, **others)), FieldViolations).startswith(
        words
    )
    assert desk.ledger.sequence == 3


def test_what_is_not_open_is_not_resolved(desk: Desk) -> None:
    """Nor what was never there, nor into a portfolio that is not."""
    standing = only(desk.compared(*SOLD))
    assert "'D9.9'" in refused(desk.answer(desk.deciding("D9.9", How.ACCEPT)), DiscrepancyNotFound)
    nowhere = desk.deciding(standing.discrepancy_id, How.ASSIGN, portfolio="nowhere")
    assert "'nowhere'" in refused(desk.answer(nowhere), PortfolioNotFound)
    desk.resolve(standing, How.ACCEPT)
    assert "is RESOLVED, not OPEN" in refused(desk.answer(desk.deciding("D3.0", How.ACCEPT)), DiscrepancyNotOpen)


def test_undoing_takes_back_what_was_recorded_and_opens_the_difference(desk: Desk) -> None:
    """Its effect is told, first without doing it; the id stays, and can be accepted once more."""
    resolved = desk.resolve(only(desk.compared(*SOLD)), How.ACCEPT).standing
    seen = desk.undo(resolved, validate_only=True)
    assert (seen.sequence, seen.pnl_effect, desk.open()) == (0, Decimal(-60), [])
    back = desk.undo(resolved)

    assert (back.busted, back.pnl_effect, back.standing.state) == ((4,), Decimal(-60), State.OPEN)
    assert (positions(desk.ledger)["p", "A"], realized(desk.ledger)) == (Decimal(10), Decimal(0))
    assert desk.open() == [resolved.discrepancy_id]
    desk.resolve(back.standing, How.ACCEPT)
    assert positions(desk.ledger)["p", "A"] == Decimal(4)


def test_what_a_report_carried_out_can_be_undone_too(ledger: BareLedger) -> None:
    """Each of its differences has a resolution of its own; a person took it back, so it is not carried out again by itself."""
    desk = Desk(ledger)
    back = desk.undo(only(desk.applied(*SOLD)))

    assert back.busted == (3,)
    assert positions(ledger)["p", "A"] == Decimal(10)
    again = desk.applied(*SOLD)
    assert (states(again), again.found[0].held, positions(ledger)["p", "A"]) == ([State.OPEN], True, Decimal(10))


def test_undoing_a_replacement_brings_back_what_was_replaced(ledger: BareLedger) -> None:
    """The one row of the order is there again, and its executions are not."""
    ledger.taken(exit_of(2, "5", "110", time=BEFORE + 9, order_id="o1", fill_id=""))
    five = [bought(f"x{n}", "-1", "110", 5 + n, order_id="o1", fee=Decimal("0.1")) for n in range(5)]
    desk = Desk(ledger)
    report = desk.applied(holds("5"), *five)
    assert realized(ledger) == Decimal("49.5")
    for standing in reversed(report.found):
        desk.undo(standing)

    assert (positions(ledger)["p", "A"], realized(ledger)) == (Decimal(5), Decimal(50))


def test_an_ignored_difference_is_open_again_when_that_is_undone(desk: Desk) -> None:
    """Nothing was recorded, so nothing is busted."""
    ignored = desk.resolve(only(desk.compared(holds("4"))), How.IGNORE, reason="later").standing
    back = desk.undo(ignored)

    assert (back.busted, back.standing.state, back.standing.settled) == ((), State.OPEN, None)


def test_a_resolution_is_taken_back_once(desk: Desk) -> None:
    """The same request is answered again; another one finds nothing to take back."""
    resolved = desk.resolve(only(desk.compared(*SOLD)), How.ACCEPT).standing
    assert resolved.settled is not None
    first = Undo("u1", resolved.settled.resolution_id, "it was wrong")
    done, again = desk.answer(first), desk.answer(first)

    assert isinstance(done, Reversal)
    assert again == done._replace(replayed=True)
    other = Undo("u2", resolved.settled.resolution_id, "it was wrong")
    assert "to take back" in refused(desk.answer(other), ResolutionNotFound)
    assert "'S9.9'" in refused(desk.answer(Undo("u3", "S9.9", "?")), ResolutionNotFound)


def test_an_entry_that_was_closed_since_cannot_be_taken_back(desk: Desk) -> None:
    """The exit that closed it would have had nothing to close; it is named, and nothing changes."""
    rows = (holds("10"), holds("3", "50", "B"))
    adopted: Standing = desk.resolve(only(desk.compared(*rows)), How.ADOPT, portfolio="p").standing
    desk.ledger.taken(exit_of(9, "3", "55", symbol="B", time=NOW + 9))
    assert adopted.settled is not None

    words = refused(desk.answer(Undo("u1", adopted.settled.resolution_id, "?")), LaterCommandRefused)
    assert "would have been refused" in words
    assert realized(desk.ledger, symbol="B") == Decimal(15)
