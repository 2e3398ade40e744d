"""What happened while nobody looked, as an operator finds it: what is said, what APPLY leaves, and that nothing is left to find."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

import lotkeeper
from lotkeeper import Discrepancy, DiscrepancyKind, ResolutionKind, Side
from lotkeeper.errors import SymbolFrozen
from tests.contract.asking import fresh
from tests.contract.broker_scripts import BOOK, DAY, MINUTE, OTHER, Operated, Trade, operated
from tests.support.brokers import FakeBrokers

IN = Trade("in", "buy", "10", "150", 60 * MINUTE)
LONG_AGO = replace(IN, ago=9 * DAY)
"""Before the history of a week begins."""
OUT = Trade("out", "sell", "10", "160", 30 * MINUTE)


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeBrokers]:
    """The brokers, and their keys in the environment of the sidecar."""
    with FakeBrokers() as running:
        for name, value in running.environment.items():
            monkeypatch.setenv(name, value)
        yield running


@pytest.fixture
def desk(tmp_path: Path, fakes: FakeBrokers) -> Iterator[Operated]:
    """At Alpaca; verified in the end."""
    with operated(tmp_path, fakes) as desk:
        yield desk
        assert desk.verified()


@pytest.fixture
def shared(tmp_path: Path, fakes: FakeBrokers) -> Iterator[Operated]:
    """The same, with a second bot in the account."""
    with operated(tmp_path, fakes, portfolios=(BOOK, OTHER)) as desk:
        yield desk
        assert desk.verified()


def said(discrepancy: Discrepancy) -> tuple[object, ...]:
    """What a tired operator reads first."""
    return discrepancy.kind, discrepancy.resolution, discrepancy.ledger_quantity, discrepancy.broker_quantity


def repaired(desk: Operated, *expected: object, effect: str) -> Discrepancy:
    """The only difference: said as expected, its effect before and as it comes, and nothing left when it is applied."""
    dry = desk.looked()
    (found,) = dry.outstanding
    assert (*said(found), dry.complete) == (*expected, True)
    before = desk.realized()
    done = desk.applied()
    assert [(one.applied, one.pnl_effect) for one in done.discrepancies] == [(True, Decimal(effect))]
    assert found.pnl_effect == Decimal(effect)
    assert desk.realized() - before == Decimal(effect)
    agreed(desk)
    return found


def agreed(desk: Operated) -> None:
    """A rerun finds nothing, and leaves nothing open."""
    rerun = desk.applied()
    assert (rerun.discrepancies, rerun.complete) == ((), True)
    assert list(desk.ledger.list_discrepancies()) == []


def test_a_position_that_was_closed_with_its_whole_history_is_closed_as_it_was(desk: Operated) -> None:
    """The broker's own execution, 10 x 10 gained."""
    desk.both(IN)
    desk.executed(OUT)
    repaired(
        desk, DiscrepancyKind.MISSING_AT_BROKER, ResolutionKind.BACKFILL_FILLS, Decimal(10), Decimal(0), effect="100"
    )
    assert (desk.held(), desk.realized()) == ({}, Decimal(100))


def test_of_a_position_that_was_closed_the_known_part_is_recorded_and_a_person_closes_the_rest(desk: Operated) -> None:
    """4 were sold in the week that is told, 6 before it: nobody knows at what price."""
    desk.recorded(LONG_AGO)
    desk.executed(replace(OUT, quantity="4"))
    done = desk.applied()
    assert [(one.kind, one.applied, one.pnl_effect) for one in done.discrepancies] == [
        (DiscrepancyKind.MISSING_AT_BROKER, True, Decimal(40)),
        (DiscrepancyKind.MISSING_AT_BROKER, False, Decimal(0)),
    ]
    (rest,) = desk.applied().discrepancies
    assert rest.discrepancy_id == done.discrepancies[1].discrepancy_id
    assert said(rest) == (
        DiscrepancyKind.MISSING_AT_BROKER,
        ResolutionKind.UNSPECIFIED,
        Decimal(6),
        Decimal(0),
    )
    assert (rest.applied, desk.held()) == (False, {"AAPL": Decimal(6)})
    with pytest.raises(SymbolFrozen):
        desk.ledger.create_entry(symbol="AAPL", quantity=1, entry_price=150, request_id=fresh())
    desk.ledger.resolve_discrepancy(
        request_id=fresh(), discrepancy_id=rest.discrepancy_id, action=lotkeeper.CloseAtPrice(exit_price="155.5")
    )
    assert (desk.held(), desk.realized()) == ({}, Decimal(73))
    agreed(desk)


def test_a_position_that_is_gone_without_any_history_is_closed_by_nobody_but_a_person(desk: Operated) -> None:
    """APPLY leaves it, under the same id each time; new entries of the symbol wait."""
    desk.recorded(LONG_AGO)
    first, second = desk.applied(), desk.applied()
    (found,) = second.discrepancies
    assert said(found) == (DiscrepancyKind.MISSING_AT_BROKER, ResolutionKind.UNSPECIFIED, Decimal(10), Decimal(0))
    assert [one.discrepancy_id for one in first.discrepancies] == [found.discrepancy_id]
    assert (desk.held(), desk.realized()) == ({"AAPL": Decimal(10)}, Decimal(0))
    with pytest.raises(SymbolFrozen):
        desk.ledger.create_entry(symbol="AAPL", quantity=1, entry_price=150, request_id=fresh())
    desk.broker.hold("AAPL", "10", "150")
    agreed(desk)
    desk.ledger.create_entry(symbol="AAPL", quantity=1, entry_price=150, request_id=fresh())
    assert desk.held() == {"AAPL": Decimal(11)}


def test_a_position_that_was_opened_in_full_view_is_recorded_where_orphans_go(desk: Operated) -> None:
    """The execution itself: not one synthetic lot."""
    desk.recorded(Trade("other", "buy", "1", "5", 9 * DAY, symbol="X"))
    desk.broker.hold("X", "1", "5")
    desk.broker.hold("AAPL", "10", "150")
    desk.executed(IN)
    found = repaired(
        desk, DiscrepancyKind.ORPHANED_POSITION, ResolutionKind.BACKFILL_FILLS, Decimal(0), Decimal(10), effect="0"
    )
    assert (found.unwatched, found.proposed_fills[0].synthetic) == (True, False)
    assert desk.held() == {"X": Decimal(1), "AAPL": Decimal(10)}


def test_an_orphan_without_history_waits_and_is_adopted_at_the_brokers_average(desk: Operated) -> None:
    """And says that nobody watches it."""
    desk.broker.hold("AAPL", "10", "148.25")
    (found,) = desk.applied().discrepancies
    assert said(found) == (
        DiscrepancyKind.ORPHANED_POSITION,
        ResolutionKind.ADOPT_POSITION,
        Decimal(0),
        Decimal(10),
    )
    assert not found.applied
    desk.ledger.resolve_discrepancy(
        request_id=fresh(), discrepancy_id=found.discrepancy_id, action=lotkeeper.AcceptProposal()
    )
    (position,) = desk.ledger.get_summary().positions
    assert (position.total_quantity, position.average_entry_price) == (Decimal(10), Decimal("148.25"))
    agreed(desk)


def test_a_position_that_was_partly_closed_keeps_its_rest(desk: Operated) -> None:
    """The broker holds 4 of our 10; its average says nothing of ours."""
    desk.both(IN)
    desk.executed(replace(OUT, quantity="6"))
    desk.broker.hold("AAPL", "4", "150")
    repaired(
        desk, DiscrepancyKind.QUANTITY_MISMATCH, ResolutionKind.BACKFILL_FILLS, Decimal(10), Decimal(4), effect="60"
    )
    assert desk.held() == {"AAPL": Decimal(4)}


def test_a_position_that_was_flipped_in_one_execution_is_closed_and_opened(desk: Operated) -> None:
    """Sold 15 of 10: 100 gained, 5 short."""
    desk.both(IN)
    desk.executed(replace(OUT, quantity="15"))
    desk.broker.hold("AAPL", "-5", "160")
    repaired(desk, DiscrepancyKind.SIDE_MISMATCH, ResolutionKind.BACKFILL_FILLS, Decimal(10), Decimal(-5), effect="100")
    assert desk.held() == {"AAPL": Decimal(-5)}


def test_what_a_second_instance_recorded_under_an_id_of_its_own_is_taken_back_by_a_person(desk: Operated) -> None:
    """The broker bought once: what it does not know goes, on a person's word alone."""
    desk.both(IN)
    desk.recorded(replace(IN, name="in-again", order_id="order-in"))
    desk.broker.hold("AAPL", "10", "150")
    (found,) = desk.applied().discrepancies
    assert (found.kind, found.ledger_quantity, found.broker_quantity) == (
        DiscrepancyKind.QUANTITY_MISMATCH,
        Decimal(20),
        Decimal(10),
    )
    assert (found.applied, desk.held()) == (False, {"AAPL": Decimal(20)})
    desk.ledger.resolve_discrepancy(
        request_id=fresh(), discrepancy_id=found.discrepancy_id, action=lotkeeper.AcceptProposal()
    )
    assert desk.held() == {"AAPL": Decimal(10)}
    agreed(desk)


def test_what_a_second_instance_recorded_in_its_own_portfolio_is_found_in_the_sum(shared: Operated) -> None:
    """The same execution, once in each: one of them repeats it."""
    shared.both(IN)
    shared.recorded(IN, portfolio=OTHER)
    shared.broker.hold("AAPL", "10", "150")
    (found,) = shared.applied().discrepancies
    assert (found.ledger_quantity, found.broker_quantity, found.applied) == (Decimal(20), Decimal(10), False)
    shared.ledger.resolve_discrepancy(
        request_id=fresh(), discrepancy_id=found.discrepancy_id, action=lotkeeper.AcceptProposal()
    )
    assert sorted([*shared.held().values(), *shared.held(OTHER).values()]) == [Decimal(10)]
    agreed(shared)


def test_a_trade_by_hand_in_what_a_bot_holds_is_the_bots(desk: Operated) -> None:
    """Somebody sold 3 on the broker's own page: whose they are is clear, since one portfolio holds them."""
    desk.both(IN)
    desk.executed(Trade("hand", "sell", "3", "149.99", 5 * MINUTE))
    desk.broker.hold("AAPL", "7", "150")
    repaired(
        desk, DiscrepancyKind.QUANTITY_MISMATCH, ResolutionKind.BACKFILL_FILLS, Decimal(10), Decimal(7), effect="-0.03"
    )
    assert desk.held() == {"AAPL": Decimal(7)}


def test_a_trade_by_hand_in_what_two_bots_hold_is_a_persons_to_assign(shared: Operated) -> None:
    """It could be either's, so it is recorded in neither."""
    shared.both(IN)
    second = Trade("in2", "buy", "10", "151", 50 * MINUTE)
    shared.recorded(second, portfolio=OTHER)
    shared.executed(second, Trade("hand", "sell", "3", "149", 5 * MINUTE))
    shared.broker.hold("AAPL", "17", "150.41")
    (found,) = shared.applied().outstanding
    assert (found.applied, shared.held(), shared.held(OTHER)) == (False, {"AAPL": Decimal(10)}, {"AAPL": Decimal(10)})
    shared.ledger.resolve_discrepancy(
        request_id=fresh(), discrepancy_id=found.discrepancy_id, action=lotkeeper.AssignToPortfolio(portfolio_id=OTHER)
    )
    assert (shared.held(OTHER), shared.realized(OTHER)) == ({"AAPL": Decimal(7)}, Decimal(-6))
    agreed(shared)


def test_an_execution_that_flips_more_than_one_bot_holds_is_a_persons_where_two_share(shared: Operated) -> None:
    """Which of them is short now is nowhere written."""
    shared.both(IN)
    shared.executed(replace(OUT, quantity="15"))
    shared.broker.hold("AAPL", "-5", "160")
    (found,) = shared.applied().outstanding
    assert said(found) == (DiscrepancyKind.SIDE_MISMATCH, ResolutionKind.UNSPECIFIED, Decimal(10), Decimal(-5))
    shared.ledger.resolve_discrepancy(
        request_id=fresh(), discrepancy_id=found.discrepancy_id, action=lotkeeper.AssignToPortfolio(portfolio_id=BOOK)
    )
    assert (shared.held(), shared.realized()) == ({"AAPL": Decimal(-5)}, Decimal(100))
    agreed(shared)


def test_two_filled_messages_for_one_order_are_one_execution(desk: Operated) -> None:
    """The second had no id of its own: the bot made one up, and the broker knows of 10, not of 20."""
    desk.both(IN)
    desk.recorded(replace(IN, name="filled-again", ago=IN.ago - 1, order_id="order-in"))
    desk.broker.hold("AAPL", "10", "150")
    (found,) = desk.looked().outstanding
    assert (found.ledger_quantity, found.broker_quantity) == (Decimal(20), Decimal(10))
    taken = [sequence for fill in found.proposed_fills for sequence in fill.replaces]
    assert (len(taken), [fill.fill for fill in found.proposed_fills]) == (1, [None])


def test_an_order_recorded_as_one_fill_is_replaced_by_its_five_executions(desk: Operated) -> None:
    """Never added to them; what was gained is restated to the cent."""
    desk.recorded(replace(IN, order_id="o1"))
    prices = ("149.98", "149.99", "150", "150.01", "150.02")
    parts = [
        Trade(f"p{place}", "buy", "2", price, 60 * MINUTE - place, order_id="o1") for place, price in enumerate(prices)
    ]
    desk.executed(*parts)
    out = replace(OUT, quantity="3")
    desk.both(out)
    desk.broker.hold("AAPL", "7", "150.007")
    assert desk.realized() == Decimal(30)
    (found,) = desk.looked().outstanding
    assert (found.kind, found.resolution) == (DiscrepancyKind.MISSING_FILL, ResolutionKind.BACKFILL_FILLS)
    assert found.pnl_effect == Decimal("0.05")
    done = desk.applied()
    assert [one.applied for one in done.discrepancies] == [True]
    assert (desk.held(), desk.realized()) == ({"AAPL": Decimal(7)}, Decimal("30.05"))
    assert [entry.entry_price for entry in desk.ledger.list_entries()] == [Decimal(price) for price in prices[1:]]
    agreed(desk)


def test_an_execution_that_the_broker_corrected_takes_the_place_of_the_wrong_one(desk: Operated) -> None:
    """It reversed the first and reports another price: two executions undo each other, a third is new."""
    desk.both(IN)
    desk.executed(
        Trade("reversal", "sell", "10", "150", 59 * MINUTE), Trade("corrected", "buy", "10", "151", 58 * MINUTE)
    )
    desk.broker.hold("AAPL", "10", "151")
    (found,) = desk.looked().outstanding
    assert (found.kind, found.resolution) == (DiscrepancyKind.MISSING_FILL, ResolutionKind.BACKFILL_FILLS)
    assert [one.applied for one in desk.applied().discrepancies] == [True]
    (position,) = desk.ledger.get_summary().positions
    assert (position.total_quantity, position.average_entry_price, desk.realized()) == (
        Decimal(10),
        Decimal(151),
        Decimal(0),
    )
    agreed(desk)


def test_a_recorded_price_that_the_broker_tells_otherwise_is_a_persons_to_correct(desk: Operated) -> None:
    """One id, two contents: nothing is invented, and a correction ends it."""
    desk.recorded(IN)
    desk.executed(replace(IN, price="150.5"))
    desk.broker.hold("AAPL", "10", "150.5")
    (found,) = desk.applied().outstanding
    assert (found.kind, found.resolution, found.applied) == (
        DiscrepancyKind.MISSING_FILL,
        ResolutionKind.UNSPECIFIED,
        False,
    )
    desk.ledger.correct_fill(
        request_id=fresh(), portfolio_id=BOOK, fill_id=desk.fill_id(IN), symbol="AAPL", price="150.5", reason="broker"
    )
    agreed(desk)


def test_what_was_repaired_can_be_taken_back_and_is_not_repaired_again_by_itself(desk: Operated) -> None:
    """Undone, the position is as it was; APPLY leaves it to a person, who accepts it once more."""
    desk.both(IN)
    desk.executed(OUT)
    (found,) = desk.applied().discrepancies
    (record,) = desk.ledger.list_discrepancies(states=[lotkeeper.DiscrepancyState.RESOLVED])
    assert record.resolution is not None
    undone = desk.ledger.undo_resolution(
        request_id=fresh(), resolution_id=record.resolution.resolution_id, reason="not ours"
    )
    assert (undone.pnl_effect, desk.held(), desk.realized()) == (Decimal(-100), {"AAPL": Decimal(10)}, Decimal(0))
    assert [one.applied for one in desk.applied().discrepancies] == [False]
    desk.ledger.resolve_discrepancy(
        request_id=fresh(), discrepancy_id=found.discrepancy_id, action=lotkeeper.AcceptProposal()
    )
    assert (desk.held(), desk.realized()) == ({}, Decimal(100))
    agreed(desk)


def test_the_bot_that_records_the_missing_execution_after_the_repair_repeats_it(desk: Operated) -> None:
    """Law 8: it wakes up, sends what it had in its queue, and hears that it is known."""
    desk.both(IN)
    desk.executed(OUT)
    desk.applied()
    answer = desk.ledger.record_fill(
        symbol="AAPL", side=Side.SELL, quantity=10, price=160, fill_id=desk.fill_id(OUT), order_id="order-out"
    )
    assert answer.replayed
    assert (desk.held(), desk.realized()) == ({}, Decimal(100))
    agreed(desk)
