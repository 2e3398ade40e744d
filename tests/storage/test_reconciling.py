"""A report inside the writer: what it compares, what it carries out, what stands afterwards. Tables are rebuilt after each test."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from lotkeeperd.domain.accounts import PortfolioCommand, TermsMethod
from lotkeeperd.domain.book import Direction
from lotkeeperd.domain.commands import Command
from lotkeeperd.domain.portfolios import Mode, PositionMode
from lotkeeperd.domain.reconciliation.findings import Kind, Resolution
from lotkeeperd.domain.reconciliation.policy import Action
from lotkeeperd.domain.reconciliation.records import Account, State
from lotkeeperd.domain.reconciliation.statements import Statement
from lotkeeperd.domain.refusals import FieldViolations, PortfolioNotFound, RequestIdReused, TradingModeMismatch
from lotkeeperd.service import account_holdings
from lotkeeperd.service.outcomes import Outcome
from lotkeeperd.service.reconciliation import Reconciled
from tests.storage.broker_says import (
    AUTO_ALL,
    BEFORE,
    Desk,
    bought,
    check_rebuilt,
    holds,
    only,
    positions,
    realized,
    refused,
    said,
    states,
)
from tests.storage.ledgers import NOW, BareLedger, bare_ledger, entry, exit_of


@pytest.fixture
def ledger(database_url: str) -> Iterator[BareLedger]:
    """10 of A, bought at 100; verified in the end."""
    with bare_ledger(database_url) as ledger:
        ledger.taken(entry(1, "10", time=BEFORE))
        yield ledger
        check_rebuilt(ledger, database_url)


@pytest.fixture
def desk(ledger: BareLedger) -> Desk:
    """Reconciles it by the rules that hold unless others are given."""
    return Desk(ledger)


def test_a_ledger_that_agrees_has_nothing_open(desk: Desk) -> None:
    """The report is recorded all the same: that it was looked, and what was seen."""
    report = desk.applied(holds("10"))

    assert (report.found, report.comparison.matched, report.comparison.complete) == ((), 1, True)
    assert (report.sequence, report.reconciliation_id, desk.ledger.sequence) == (2, "R2", 2)


def test_a_dry_run_changes_nothing_but_the_report(desk: Desk) -> None:
    """The difference stands open, with what would be recorded and what that would gain; no position moves."""
    standing = only(desk.compared(holds("4"), bought("x1", "-6", "110", fee=Decimal(1))))

    assert (standing.discrepancy_id, standing.state) == ("D2.0", State.OPEN)
    assert standing.difference.pnl_effect == Decimal(59)
    assert positions(desk.ledger) == {("p", "A"): Decimal(10)}
    assert desk.ledger.sequence == 2


def test_a_trial_writes_nothing_not_even_the_report(desk: Desk) -> None:
    """It shows what differs; what repairing it would gain is worked out by the report that follows."""
    report = desk.applied(holds("4"), bought("x1", "-6", "110"), trial=True)

    assert (report.sequence, only(report).difference.resolution) == (0, Resolution.BACKFILL_FILLS)
    assert (desk.ledger.sequence, desk.open()) == (1, [])


def test_the_brokers_executions_are_recorded_as_they_are_reported(desk: Desk) -> None:
    """Price, fee, time and ids; they stand before the report, in the same transaction."""
    report = desk.applied(holds("4"), bought("x1", "-6", "110", fee=Decimal(1), order_id="o1"))

    settled = only(report).settled
    assert settled is not None
    assert (settled.resolution_id, settled.sequences, settled.pnl_effect) == ("S3.0", (2,), Decimal(59))
    assert (settled.by, report.sequence, desk.ledger.sequence) == ("a test", 3, 3)
    assert positions(desk.ledger) == {("p", "A"): Decimal(4)}
    assert realized(desk.ledger) == Decimal(59)


def test_after_it_was_applied_nothing_is_found(desk: Desk) -> None:
    """Neither by the next run nor by one that may not change anything."""
    rows = (holds("4"), bought("x1", "-6", "110"))
    desk.applied(*rows)

    assert desk.compared(*rows).found == ()
    assert desk.applied(*rows).found == ()
    assert desk.open() == []


def test_two_instances_that_reconcile_at_once_record_once(desk: Desk) -> None:
    """Both commands wait in one batch: the second one finds nothing left."""
    statement = said(holds("4"), bought("x1", "-6", "110"))
    first, second = desk.ledger.all_taken(desk.asked(statement, True), desk.asked(statement, True))

    assert isinstance(first, Reconciled)
    assert isinstance(second, Reconciled)
    assert (states(first.report), second.report.found) == ([State.RESOLVED], ())
    assert positions(desk.ledger) == {("p", "A"): Decimal(4)}


def test_the_same_request_has_the_same_report(desk: Desk) -> None:
    """A retry is answered from the journal, however the ledger stands by now."""
    command = desk.asked(said(holds("4"), bought("x1", "-6", "110")), True)
    report = desk.report(command)

    assert desk.answer(command) == Reconciled(report, True)
    assert desk.ledger.sequence == report.sequence


@pytest.mark.parametrize(
    ("field", "others"),
    [("mode", {"apply": False}), ("statement", {"statement": said()}), ("trading_mode", {"mode": Mode.LIVE})],
)
def test_a_request_id_of_another_request_is_refused(desk: Desk, field: str, others: dict[str, object]) -> None:
    """The words name the first field that differs."""
    desk.report(desk.asked(said(holds("10")), True, request_id="mine"))
    given: dict[str, object] = {"statement": said(holds("10")), "apply": True, "request_id": "mine"}

    assert f"another {field}" in refused(desk.answer(desk.asked(**(given | others))), RequestIdReused)  # type: ignore[arg-type]


def test_what_a_configured_account_says_is_no_part_of_the_request(desk: Desk) -> None:
    """The server asked it again for the retry, and it may say something else by then; the first report stands."""
    desk.account = Account("main")
    first = desk.report(desk.asked(said(holds("10")), request_id="mine"))

    assert desk.answer(desk.asked(said(holds("9")), request_id="mine")) == Reconciled(first, True)


def test_what_a_configured_account_executed_is_not_kept_once_more_in_each_report(ledger: BareLedger) -> None:
    """The schedule asks every few minutes: the journal would grow by a day of executions each time."""
    statement = said(holds("4"), bought("x1", "-6", "110"))
    reports = {
        name: Desk(ledger, account=Account(name)).asked(statement, True, request_id=f"r-{name}") for name in ("a", "")
    }
    named, brought = (Desk(ledger).report(reports[name]) for name in ("a", ""))

    assert named.command.statement == statement._replace(executions=())
    assert [one.execution for one in only(named).difference.proposals] == list(statement.executions)
    assert brought.command.statement == statement


def test_an_execution_that_comes_late_takes_its_place_in_time(desk: Desk) -> None:
    """A sale between two that are recorded: what was closed after it is restated."""
    desk.ledger.taken(entry(2, "5", "120", time=BEFORE + 10), exit_of(3, "10", "130", time=BEFORE + 30))
    own = (bought("f2", "5", "120", 10), bought("f3", "-10", "130", 30))
    report = desk.applied(bought("x1", "-5", "110", 20), *own)

    assert states(report) == [State.RESOLVED]
    assert only(report).difference.pnl_effect == Decimal(-50), (
        "the exit that was there gains 100 less, the late one gains 50"
    )
    assert positions(desk.ledger) == {}
    assert realized(desk.ledger) == 5 * Decimal(10) + 5 * Decimal(30) + 5 * Decimal(10)


def test_an_order_recorded_as_one_fill_is_replaced_by_its_executions(desk: Desk) -> None:
    """Five executions of one order: the one row goes, the five come, the quantity stays, and the fee of each is its own."""
    desk.ledger.taken(exit_of(2, "5", "110", time=BEFORE + 9, order_id="o1", fill_id="", fee=Decimal(0)))
    five = [bought(f"x{n}", "-1", "110", 5 + n, order_id="o1", fee=Decimal("0.1")) for n in range(5)]
    report = desk.applied(holds("5"), *five)

    assert set(states(report)) == {State.RESOLVED}
    assert positions(desk.ledger) == {("p", "A"): Decimal(5)}
    assert realized(desk.ledger) == Decimal("49.5")
    assert desk.applied(holds("5"), *five).found == ()


def test_a_fee_that_only_the_ledger_knows_goes_to_the_executions_that_replace_it(desk: Desk) -> None:
    """A broker whose executions tell no fee makes no fill free: it is shared out by quantity, and the last has the rest."""
    desk.ledger.taken(exit_of(2, "3", "110", time=BEFORE + 9, order_id="o1", fill_id="", fee=Decimal(1)))
    three = [bought(f"x{n}", "-1", "110", 5 + n, order_id="o1") for n in range(3)]
    report = desk.applied(holds("7"), *three)

    assert states(report) == [State.RESOLVED]
    assert (only(report).difference.pnl_effect, realized(desk.ledger)) == (Decimal(0), Decimal(29))
    assert desk.applied(holds("7"), *three).found == ()


def test_a_synthetic_opening_gives_way_to_the_real_one(ledger: BareLedger) -> None:
    """What was adopted at the broker's average is replaced when its execution turns up, and what closed it is restated."""
    desk = Desk(ledger, account=AUTO_ALL)
    rows = (holds("10"), holds("3", "50", "B"))
    adopted = desk.applied(*rows)
    assert only(adopted).difference.kind is Kind.ORPHANED_POSITION
    ledger.taken(exit_of(5, "1", "60", symbol="B", time=NOW + 5))
    ledger.now = NOW + 10
    history = (
        bought("b1", "3", "40", symbol="B"),
        bought("f5", "-1", "60", symbol="B", time=NOW + 5),
    )
    later = said(holds("10"), holds("2", "40", "B"), *history)._replace(as_of=NOW + 10)
    report = desk.report(desk.asked(later, True))

    assert set(states(report)) == {State.RESOLVED}
    assert positions(ledger)["p", "B"] == Decimal(2)
    assert realized(ledger, symbol="B") == Decimal(20)
    assert desk.report(desk.asked(later, True)).found == ()


def test_what_is_adopted_says_that_nothing_watches_it(ledger: BareLedger) -> None:
    """The lot is synthetic, has an id made of the difference's, and a label that positions and trades show."""
    report = Desk(ledger, account=AUTO_ALL).applied(holds("10"), holds("3", "50", "B"))

    (lot,) = ledger.books["p", "B", ""].lots()
    origin = lot.opened.origin
    assert origin.synthetic
    assert origin.fill_id == f"synthetic-{only(report).discrepancy_id}.0"
    assert dict(origin.labels) == {"adopted": "no exit is watching it"}


@pytest.mark.parametrize("rows", [(), (holds("4"),)], ids=["an empty list", "one page of two"])
def test_a_statement_that_is_not_complete_closes_nothing(ledger: BareLedger, rows: tuple[object, ...]) -> None:
    """Whatever the rules allow: an error delivered as an empty list is not a flat account."""
    desk = Desk(ledger, account=AUTO_ALL)
    report = desk.report(desk.asked(said(*rows, complete=False, since=None), True))  # type: ignore[arg-type]

    assert not report.comparison.complete
    assert positions(ledger) == {("p", "A"): Decimal(10)}
    assert ledger.sequence == report.sequence == 2


def test_an_open_difference_keeps_its_id_from_run_to_run(desk: Desk) -> None:
    """First seen stays, last seen moves, and only the newest report has it."""
    first = only(desk.compared(holds("4")))
    desk.ledger.now = NOW + 7
    second = only(desk.compared(holds("3")))

    assert second.discrepancy_id == first.discrepancy_id == "D2.0"
    assert (second.first_seen, second.last_seen, second.report) == (NOW, NOW + 7, 3)
    assert second.difference.broker_quantity == Decimal(3)


def test_what_is_not_there_any_more_is_gone(desk: Desk) -> None:
    """A complete statement says so; another difference of the same kind has another id."""
    desk.compared(holds("4"))
    report = desk.compared(holds("10"))

    assert (report.gone, desk.open()) == (("D2.0",), [])
    assert only(desk.compared(holds("4"))).discrepancy_id == "D4.0"


def test_what_was_not_looked_for_is_not_gone(desk: Desk) -> None:
    """After an error the difference is as open as before."""
    desk.compared(holds("4"))
    report = desk.report(desk.asked(said(complete=False, since=None)))

    assert (report.gone, desk.open()) == ((), ["D2.0"])


@pytest.mark.parametrize("found", ["a fill that it does not know", "a fill that it tells otherwise"])
def test_what_a_shorter_history_does_not_reach_is_not_gone(desk: Desk, found: str) -> None:
    """The window of a week moves on; that the fill stands before it by now explains nothing."""
    desk.ledger.taken(entry(2, "5", time=BEFORE + 2), exit_of(3, "5", "100", time=BEFORE + 3))
    history = [bought("f3", "-5", after=3)] + ([] if "know" in found else [bought("f2", "5", "101", after=2)])
    seen = desk.report(desk.asked(said(holds("10"), *history, since=BEFORE + 2)))
    names = {one.discrepancy_id for one in seen.found}
    assert names

    later = desk.report(desk.asked(said(holds("10"), bought("f3", "-5", after=3), since=BEFORE + 3)))

    assert (later.gone, set(desk.open())) == ((), names)


def test_a_portfolio_that_joins_the_account_ends_what_differed_without_it(ledger: BareLedger) -> None:
    """And what that froze is taken again."""
    ledger.taken(entry(2, "5", portfolio_id="q", time=BEFORE))
    alone = Desk(ledger, "p").compared(holds("15"))
    both = Desk(ledger, "p", "q").compared(holds("15"), request_id="both")

    assert [both.found, both.gone] == [(), (only(alone).discrepancy_id,)]
    ledger.taken(entry(3, "1", time=NOW))


def test_differences_of_another_account_are_not_touched(desk: Desk) -> None:
    """What one broker does not hold says nothing of what another does."""
    desk.compared(holds("4"))
    desk.account = Account("other")

    assert (desk.compared(holds("10")).gone, desk.open()) == ((), ["D2.0"])


def test_differences_of_other_portfolios_are_not_touched(ledger: BareLedger) -> None:
    """What q's broker holds says nothing of what p's does."""
    ledger.taken(entry(2, "5", portfolio_id="q", time=BEFORE))
    mine, other = Desk(ledger, "p"), Desk(ledger, "q")
    name = only(mine.compared(holds("4"))).discrepancy_id
    report = other.compared(holds("5"), request_id="other")

    assert (report.gone, mine.open()) == ((), [name])


def test_what_is_left_of_a_repair_stands_open_at_once(ledger: BareLedger) -> None:
    """The broker's executions explain a part: that is recorded, and the rest is frozen in the same run."""
    desk = Desk(ledger)
    report = desk.applied(holds("2"), bought("x1", "-5", "110"))

    assert states(report) == [State.RESOLVED, State.OPEN]
    done, left = report.found
    assert (done.discrepancy_id, left.discrepancy_id) == ("D2.0", "D2.1")
    assert (left.difference.ledger_quantity, left.difference.broker_quantity) == (Decimal(5), Decimal(2))
    assert left.action is Action.FREEZE
    assert only(desk.applied(holds("2"), bought("x1", "-5", "110"))).discrepancy_id == "D2.1"


def test_portfolios_that_share_an_account_are_compared_together(ledger: BareLedger) -> None:
    """Their sum agrees with the broker, though neither of them does."""
    ledger.taken(entry(2, "5", portfolio_id="q", time=BEFORE))

    assert Desk(ledger, "p", "q").compared(holds("15")).found == ()
    assert only(Desk(ledger, "q").compared(holds("15"), request_id="other")).difference.ledger_quantity == Decimal(5)


def test_what_cannot_be_recorded_stays_open_and_says_why(desk: Desk) -> None:
    """A portfolio that never goes short refuses the execution; the rest of the report is made all the same."""
    terms = PortfolioCommand(TermsMethod.UPDATE, "p", "", (("long_only", True),))
    desk.ledger.all_taken(terms)
    report = desk.applied(holds("-2"), bought("x1", "-12", "110"))

    standing = only(report)
    assert standing.state is State.OPEN
    assert "it cannot be recorded" in standing.difference.explanation
    assert "long-only" in standing.difference.explanation
    assert positions(desk.ledger) == {("p", "A"): Decimal(10)}


def test_an_execution_that_was_busted_may_be_recorded_again(desk: Desk) -> None:
    """Law 8 is about what counts: a fill that somebody took back by mistake is missing like any other."""
    rows = (holds("4"), bought("x1", "-6", "110"))
    taken_back = desk.undo(only(desk.applied(*rows)))
    assert taken_back.busted == (2,)
    desk.account = AUTO_ALL
    again = only(desk.applied(*rows))

    assert again.state is State.OPEN, "a person took it back: it is not carried out again without being asked for"
    assert again.held
    assert positions(desk.ledger) == {("p", "A"): Decimal(10)}


def test_reports_and_executions_of_others_share_a_batch(desk: Desk) -> None:
    """Each is decided on what the one before it left."""
    statement = said(holds("4"), bought("x1", "-6", "110"))
    more: list[Command] = [exit_of(7, "4", "120", time=NOW), entry(8, "1", "121", time=NOW + 1)]
    _, report, closed, opened = desk.ledger.all_taken(
        entry(6, "2", "90", symbol="B", time=NOW), desk.asked(statement, True), *more
    )

    assert isinstance(report, Reconciled)
    assert isinstance(closed, Outcome)
    assert isinstance(opened, Outcome)
    assert closed.book.quantity == 0
    assert positions(desk.ledger) == {("p", "A"): Decimal(1), ("p", "B"): Decimal(2)}


def test_a_portfolio_that_is_not_there_is_refused(ledger: BareLedger) -> None:
    """A report about nothing would agree with an empty broker."""
    assert "'nowhere'" in refused(
        Desk(ledger, "p", "nowhere").answer(Desk(ledger, "nowhere").asked(said())), PortfolioNotFound
    )


def test_a_portfolio_of_the_other_mode_is_refused(desk: Desk) -> None:
    """Paper books are never compared with an account of real money."""
    assert "'p' is LIVE, not PAPER" in refused(desk.answer(desk.asked(said(), mode=Mode.PAPER)), TradingModeMismatch)


def test_the_adopting_portfolio_is_one_of_those_compared(desk: Desk) -> None:
    """Elsewhere the position would be opened where nobody looks for it again."""
    words = refused(desk.answer(desk.asked(said(), adopt_into="q")), FieldViolations)
    assert words.startswith("adopt_into_portfolio_id: 'q' is none of the portfolios that are compared: p")


def test_a_history_that_would_keep_the_writer_busy_is_refused(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The words say how to ask instead, and nothing is written."""
    monkeypatch.setattr(account_holdings, "MOST", 3)
    desk.ledger.taken(*(entry(n, "1", time=NOW) for n in range(2, 4)))
    assert desk.compared(holds("12")).sequence == 4
    desk.ledger.taken(entry(5, "1", time=NOW))

    words = refused(desk.answer(desk.asked(said(holds("13")))), FieldViolations)
    assert words.startswith("statement.fills_complete_since: 2023-11-14T")
    assert "more than 3 executions of 'p'" in words


def test_each_side_of_a_hedging_portfolio_is_repaired_by_itself(ledger: BareLedger) -> None:
    """A sale may close the long or open the short: the broker says which, and a difference is of one side."""
    hedging = (("position_mode", PositionMode.HEDGING),)
    ledger.all_taken(
        PortfolioCommand(TermsMethod.CREATE, "h", "", hedging), entry(2, "5", portfolio_id="h", time=BEFORE)
    )
    sold_long = bought("x1", "-2", "110", book_side=Direction.LONG, fee=Decimal("0.001"), fee_currency="BNB")
    sold_short = bought("x2", "-3", "112", 2, book_side=Direction.SHORT)
    report = Desk(ledger, "h").applied(holds("3"), holds("-3", "112"), sold_long, sold_short)

    assert {one.difference.side: one.state for one in report.found}["LONG"] is State.RESOLVED
    assert ledger.books["h", "A", "LONG"].quantity == Decimal(3)
    assert ledger.books["h", "A", "SHORT"].quantity == Decimal(3)
    assert ledger.state.balances["h", "BNB"].fees_elsewhere == Decimal("-0.001")


def test_a_statement_without_history_asks_nothing_of_the_journal(desk: Desk) -> None:
    """Positions alone are enough to tell that something is missing; the repair waits for a person."""
    standing = only(desk.report(desk.asked(Statement(NOW, True, (holds("4"),)), True)))

    assert standing.state is State.OPEN
    assert standing.difference.resolution is not Resolution.BACKFILL_FILLS
