"""What an open difference stops: new risk in a frozen symbol, everything in a halted portfolio. Nothing else, and no longer."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from lotkeeperd.domain.accounts import CashEvent, Flow
from lotkeeperd.domain.book import Direction
from lotkeeperd.domain.commands import Command, Excess, Method
from lotkeeperd.domain.reconciliation.policy import Action
from lotkeeperd.domain.reconciliation.records import How
from lotkeeperd.domain.refusals import PortfolioHalted, Refusal, SymbolFrozen
from lotkeeperd.service.outcomes import Answer, Receipt
from tests.storage.broker_says import (
    BEFORE,
    Desk,
    bought,
    check_rebuilt,
    freezing,
    holds,
    only,
    positions,
    refused,
    said,
)
from tests.storage.ledgers import NOW, BareLedger, bare_ledger, entry, exit_of, sold


@pytest.fixture
def ledger(database_url: str) -> Iterator[BareLedger]:
    """10 of A in p; verified in the end."""
    with bare_ledger(database_url) as ledger:
        ledger.taken(entry(1, "10", time=BEFORE))
        yield ledger
        check_rebuilt(ledger, database_url)


@pytest.fixture
def frozen(ledger: BareLedger) -> Desk:
    """The broker holds 4 of A: A is frozen in p."""
    desk = Desk(ledger, account=freezing())
    desk.compared(holds("4"))
    return desk


@pytest.fixture
def halted(ledger: BareLedger) -> Desk:
    """The broker holds 4 of A: p is halted."""
    desk = Desk(ledger, account=freezing(action=Action.HALT))
    desk.compared(holds("4"))
    return desk


def answer_to(desk: Desk, command: Command) -> Answer:
    """Of one that comes in bulk, and of the same one that comes alone."""
    alone, brief = (desk.answer(command._replace(brief=way, validate_only=not way)) for way in (False, True))
    assert isinstance(alone, Refusal) is isinstance(brief, Refusal)
    return brief


OPENING = {
    "an entry": entry(9, "1", time=NOW),
    "an added fill": sold(9, "1", side=Direction.LONG, time=NOW),
    "a flip": sold(9, "11", time=NOW),
    "a close that reverses": exit_of(9, "11", time=NOW, excess=Excess.REVERSE),
}


@pytest.mark.parametrize("command", OPENING.values(), ids=OPENING)
def test_nothing_new_is_opened_in_a_frozen_symbol(frozen: Desk, command: Command) -> None:
    """Whatever asks for it; the words name the difference and the way out."""
    words = refused(answer_to(frozen, command), SymbolFrozen)

    assert "'A' in 'p' is frozen" in words
    assert "D2.0" in words
    assert positions(frozen.ledger) == {("p", "A"): Decimal(10)}


@pytest.mark.parametrize("action", [Action.FREEZE, Action.HALT])
def test_a_dry_run_of_a_statement_that_a_caller_brings_stops_nothing(ledger: BareLedger, action: Action) -> None:
    """A wrong file would end all trading. Applied it does; another dry run then changes nothing about that."""
    desk = Desk(ledger, account=freezing(action=action, name=""))

    desk.compared(holds("4"))
    assert isinstance(answer_to(desk, entry(9, time=NOW)), Receipt)

    desk.applied(holds("4"))
    desk.compared(holds("4"))
    refused(desk.answer(entry(10, time=NOW)), SymbolFrozen if action is Action.FREEZE else PortfolioHalted)


def test_closing_goes_on_in_a_frozen_symbol(frozen: Desk) -> None:
    """Less at risk is never refused."""
    for command in (exit_of(9, "2", time=NOW), sold(10, "3", time=NOW + 1), sold(11, "5", time=NOW + 2)):
        assert isinstance(answer_to(frozen, command), Receipt)
    assert positions(frozen.ledger) == {}


def test_other_symbols_and_other_portfolios_go_on(frozen: Desk) -> None:
    """The freeze is of one symbol in the portfolios of one account."""
    for command in (entry(9, symbol="B", time=NOW), entry(10, portfolio_id="q", time=NOW)):
        assert isinstance(answer_to(frozen, command), Receipt)


def test_every_portfolio_of_the_account_is_frozen(ledger: BareLedger) -> None:
    """What differs is their sum, so nobody knows whose it is."""
    ledger.taken(entry(2, "5", portfolio_id="q", time=BEFORE))
    desk = Desk(ledger, "p", "q", account=freezing())
    desk.compared(holds("4"))

    refused(desk.answer(entry(9, portfolio_id="q", time=NOW)), SymbolFrozen)


def test_a_batch_that_froze_a_symbol_refuses_what_comes_after_it(ledger: BareLedger) -> None:
    """Also in the lane that its brief commands had before."""
    desk = Desk(ledger, account=freezing())
    brief = [entry(n, time=NOW, brief=True) for n in (5, 6, 7, 8)]
    answers = ledger.take(brief[0], brief[1], desk.asked(said(holds("4"))), brief[2], brief[3])

    assert [isinstance(answer, Refusal) for answer in answers] == [False, False, False, True, True]


def test_a_close_that_comes_in_bulk_lets_no_entry_pass_after_it(frozen: Desk) -> None:
    """Brief commands of one book follow each other quickly; what is frozen is looked at for each of them."""
    close, add = sold(9, "2", time=NOW, brief=True), sold(10, "1", side=Direction.LONG, time=NOW + 1, brief=True)
    answers = frozen.ledger.take(close, add)

    assert [isinstance(answer, Refusal) for answer in answers] == [False, True]


def test_nothing_is_executed_in_a_halted_portfolio(halted: Desk) -> None:
    """Not even an exit; another portfolio goes on."""
    for command in (exit_of(9, "2", time=NOW), entry(10, symbol="B", time=NOW), sold(11, time=NOW)):
        assert "'p' is halted" in refused(answer_to(halted, command), PortfolioHalted)
    assert isinstance(answer_to(halted, entry(12, portfolio_id="q", time=NOW)), Receipt)


def test_events_go_on_in_a_halted_portfolio(halted: Desk) -> None:
    """A dividend and an expiry happened whatever the broker holds."""
    halted.ledger.all_taken(
        CashEvent(Flow.DEPOSIT, "p", "", "USD", Decimal(5), NOW, "d1"),
        Command(
            Method.SPLIT,
            "p",
            "A",
            None,
            None,
            Decimal(0),
            time=NOW,
            fill_id="s1",
            details=(("numerator", "2"), ("denominator", "1")),
        ),
    )
    assert positions(halted.ledger) == {("p", "A"): Decimal(20)}


@pytest.mark.parametrize("action", [Action.FREEZE, Action.HALT])
def test_repairs_are_not_stopped_by_what_they_repair(ledger: BareLedger, action: Action) -> None:
    """A person closes what the broker does not hold, and everything goes on."""
    desk = Desk(ledger, account=freezing(action=action))
    standing = only(desk.compared(holds("4")))
    desk.resolve(standing, How.CLOSE, price=Decimal(100))

    assert isinstance(answer_to(desk, entry(9, time=NOW)), Receipt)


def test_a_freeze_ends_when_the_difference_is_gone(frozen: Desk) -> None:
    """The next complete statement agrees."""
    frozen.compared(holds("10"))
    assert isinstance(answer_to(frozen, entry(9, time=NOW)), Receipt)


def test_a_freeze_ends_when_a_person_says_that_it_does_not_matter(frozen: Desk) -> None:
    """And is back when that is taken back."""
    (standing,) = frozen.ledger.state.standings.values()
    ignored = frozen.resolve(standing, How.IGNORE, reason="known").standing
    assert isinstance(answer_to(frozen, entry(9, time=NOW)), Receipt)
    frozen.undo(ignored)
    refused(answer_to(frozen, entry(10, time=NOW)), SymbolFrozen)


def test_a_freeze_stands_after_a_restart(ledger: BareLedger, frozen: Desk) -> None:
    """It is read from disk as it was held in memory."""
    ledger.reload(ledger.store.load())
    refused(answer_to(frozen, entry(9, time=NOW)), SymbolFrozen)


def test_an_execution_that_is_known_already_is_replayed_in_a_frozen_symbol(frozen: Desk) -> None:
    """It was recorded before anything was frozen: the answer is what was recorded then."""
    answer = frozen.answer(entry(1, "10", time=BEFORE, brief=True))
    assert isinstance(answer, Receipt)
    assert answer.replayed


def test_what_is_carried_out_stops_nothing(ledger: BareLedger) -> None:
    """A difference that was repaired in the same run is not open."""
    desk = Desk(ledger)
    desk.applied(holds("4"), bought("x1", "-6"))
    assert isinstance(answer_to(desk, entry(9, time=NOW)), Receipt)
