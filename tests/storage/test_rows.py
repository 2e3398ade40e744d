"""What the journal holds is what was decided, whatever was asked: nothing is lost on the way to a row and back."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from lotkeeperd.domain.book import Direction
from lotkeeperd.domain.commands import Decision, Method
from lotkeeperd.domain.refusals import Refusal
from lotkeeperd.storage.identity import fill_key, request_key
from lotkeeperd.storage.rows import JournalRow, decision_of, journal_row
from tests.storage.drawn import NAME, decisions
from tests.storage.ledgers import bare_ledger, entry, exit_of, sold


@given(decision=decisions())
def test_a_decision_comes_back_from_its_row(decision: Decision) -> None:
    """Amounts of any length, quotes and other scripts, given and left out."""
    row = JournalRow._make(journal_row(decision))
    assert decision_of(row) == decision
    assert JournalRow._make(journal_row(decision_of(row))) == row


@given(decision=decisions())
def test_a_row_carries_the_keys_that_its_ids_make(decision: Decision) -> None:
    """An id that was not given has no key: nobody is found by it."""
    command, row = decision.command, JournalRow._make(journal_row(decision))
    portfolio_id = command.portfolio_id
    assert row.request_key == (request_key(portfolio_id, command.request_id) if command.request_id else None)
    assert row.fill_key == (fill_key(portfolio_id, command.fill_id) if command.fill_id else None)
    assert row.trade_count == len(decision.matches)
    assert Method(row.method) is command.method
    assert row.roles == command.role


@given(first=st.tuples(NAME, NAME), second=st.tuples(NAME, NAME))
def test_keys_of_different_ids_differ(first: tuple[str, str], second: tuple[str, str]) -> None:
    """Portfolio and id are kept apart, requests from fills; 64 bits, signed, as both databases have them."""
    assert (fill_key(*first) == fill_key(*second)) == (first == second)
    assert fill_key(*first) != request_key(*first)
    assert -(2**63) <= fill_key(*first) < 2**63


def test_ids_that_count_up_are_neighbours_in_the_index() -> None:
    """A venue's numbers touch one page of it, not one page each; leading zeros and other series are other ids."""
    keys = [fill_key("p", f"trade-{number}") for number in range(100, 200)]
    assert keys == list(range(keys[0], keys[0] + 100))
    others = [fill_key("p", "trade-0100"), fill_key("p", "order-100"), fill_key("q", "trade-100")]
    assert all(abs(other - keys[0]) > 1000 for other in others)


def test_each_arm_comes_back_from_the_database(database_url: str) -> None:
    """Opened, added, closed across lots, flipped, closed whole: found by their ids, on both databases."""
    labels = (("confidence", "0,7"), ('quote"', "日本"))
    commands = [
        entry(1, "2.000000000000000001", "100.5", fee=Decimal("-0.1"), labels=labels, group_id="g", order_id="o"),
        entry(2, "1", request_id="r2", fill_id=""),
        exit_of(3, "2.5", reason="take_profit", fee=Decimal("0.3"), fee_currency="USD"),
        sold(4, "3", request_id="r4"),
        exit_of(5, close_all=True, side=Direction.LONG, time=None)._replace(quantity=None),
    ]
    with bare_ledger(database_url) as ledger:
        outcomes = ledger.taken(*commands)
        recorded = ledger.store.transact(lambda transaction: transaction.recorded(commands))
    found = [record for record in recorded if isinstance(record, Decision)]
    assert [decision.command for decision in found] == commands
    assert [decision.sequence for decision in found] == [1, 2, 3, 4, 5]
    assert (
        [len(decision.matches) for decision in found]
        == [len(outcome.trades) for outcome in outcomes]
        == [0, 0, 2, 1, 1]
    )
    assert [bool(decision.opened) for decision in found] == [True, True, False, True, False]


def test_what_was_refused_is_not_in_the_journal(database_url: str) -> None:
    """A refusal writes nothing and uses up no key (law 8), though its neighbours are written."""
    with bare_ledger(database_url) as ledger:
        commands = [exit_of(1), entry(2), exit_of(3, "5"), exit_of(1)]
        answers = ledger.take(*commands)
        assert [isinstance(answer, Refusal) for answer in answers] == [True, False, True, False]
        found = ledger.store.transact(lambda transaction: transaction.recorded(commands))
        assert sorted(decision.command.fill_id for decision in found) == ["f1", "f2"]
