"""Which orphaned positions belong together, and who says so."""

from __future__ import annotations

from decimal import Decimal

import pytest

from lotkeeper import Discrepancy
from lotkeeperd.console.layout import text_of
from lotkeeperd.console.orphans import Grouping, NoSuchGroup, groups_of, orphans
from lotkeeperd.console.reconcile import Question
from lotkeeperd.console.recover import Adoption, Recovery, code_of, group_text, lines, next_step
from tests.cli.brokerage import LONG_PUT, SHORT_PUT
from tests.console.found import orphan, report

SPY = "SPY:2024-01-19"


def leg(symbol: str, quantity: int, price: str) -> Discrepancy:
    """An option that nobody watches; what is proposed for it is left out."""
    return orphan(
        discrepancy_id=f"D7.{symbol[-5]}",
        symbol=symbol,
        broker_quantity=Decimal(quantity),
        broker_average_price=Decimal(price),
        proposed_fills=(),
    )


SPREAD = (leg(LONG_PUT, 1, "13.20"), leg(SHORT_PUT, -1, "21"))


def test_legs_of_one_expiry_are_suggested_and_wait() -> None:
    """A long put at +1,320 and a short put at -2,100 are a credit of 780; nobody has said yet that they are one."""
    found = orphans(report(*SPREAD, orphan()), {}, Grouping())
    (group,) = groups_of(found)

    assert [each.waits for each in found] == [True, True, False]
    assert group_text(group).endswith("1 each, entry credit 780.00 per contract")
    assert next_step(report(*SPREAD), [Adoption(each) for each in found], True).endswith(
        f"--group {SPY} or --ungrouped"
    )


def test_the_brokers_own_cost_basis_comes_before_its_average() -> None:
    """It is what was paid."""
    found = orphans(report(*SPREAD), {LONG_PUT: Decimal(1300), SHORT_PUT: Decimal(-2100)}, Grouping())

    assert groups_of(found)[0].entry_credit == Decimal(800)


def test_a_confirmed_group_is_adopted_under_its_name_and_legs_may_stand_alone() -> None:
    """Either way somebody has said so."""
    together = orphans(report(*SPREAD), {}, Grouping(confirmed=(SPY,)))
    alone = orphans(report(*SPREAD), {}, Grouping(ungrouped=True))

    assert [(each.group_id, each.waits) for each in together] == [(SPY, False)] * 2
    assert [(each.group_id, each.waits) for each in alone] == [("", False)] * 2


def test_legs_that_are_not_alike_are_shown_and_cannot_be_confirmed() -> None:
    """There is no contract of two of one and one of the other."""
    uneven = (leg(LONG_PUT, 2, "13.20"), leg(SHORT_PUT, -1, "21"))
    found = orphans(report(*uneven), {}, Grouping())

    assert group_text(groups_of(found)[0]).endswith("not alike in quantity: no group")
    with pytest.raises(NoSuchGroup, match="not alike"):
        orphans(report(*uneven), {}, Grouping(confirmed=(SPY,)))


def test_a_group_that_is_not_there_is_refused_with_those_that_are() -> None:
    """A wrong expiry is not adopted as something else."""
    with pytest.raises(NoSuchGroup, match=rf"SPY:2024-01-26.*there is {SPY}"):
        orphans(report(*SPREAD), {}, Grouping(confirmed=("SPY:2024-01-26",)))
    with pytest.raises(NoSuchGroup, match="no group"):
        orphans(report(), {}, Grouping(confirmed=(SPY,)))


def test_what_is_ignored_is_nobodys_orphan() -> None:
    """A person has said so."""
    assert orphans(report(orphan(ignored=True)), {}, Grouping()) == []


def test_without_a_price_there_is_nothing_to_adopt_at() -> None:
    """Unknown is not zero."""
    (found,) = orphans(report(orphan(proposed_fills=(), broker_average_price=None)), {}, Grouping())

    assert found.price is None


def test_a_recovery_is_over_when_nothing_is_orphaned_any_more() -> None:
    """A dry run leaves it, an incomplete list may hide one."""
    none, some = report(), [Adoption(each) for each in orphans(report(orphan()), {}, Grouping())]

    assert code_of(none, [], apply=False) == 0
    assert code_of(report(complete=False), [], apply=False) == 4
    assert code_of(none, some, apply=True) == 3


def test_a_dry_run_says_what_would_be() -> None:
    """Counts first; nothing was asked of the ledger here, so nothing is adopted."""
    found = orphans(report(orphan()), {}, Grouping())
    recovery = Recovery(Question("r"), "swing", Grouping(), {}, False, lambda: "id")
    shown = [text_of(line) for line in lines(report(orphan()), [Adoption(found[0], why_not="refused")], recovery, None)]

    assert shown[0] == "broker positions 3, tracked 3, orphaned 1: not being watched"
    assert shown[4].split() == ["D7.1", "B", "-5", "200.0000", "refused"]


def test_what_was_refused_and_what_was_cut_off_is_said_at_the_end() -> None:
    """And neither is the end of it."""
    found = orphans(report(orphan()), {}, Grouping())
    refused = [Adoption(found[0], why_not="no")]
    cut = report(orphan(), discrepancy_count=5_000)

    assert next_step(report(orphan()), refused, True).startswith("next: 1 cannot be adopted so")
    assert next_step(report(complete=False), [], True).endswith("it did not list all")
    assert code_of(cut, [], apply=True) == 3
