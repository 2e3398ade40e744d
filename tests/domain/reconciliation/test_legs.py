"""Orphaned option legs: which may belong together, at what credit, and at what each would be adopted."""

from __future__ import annotations

from decimal import Decimal

from lotkeeperd.domain.reconciliation.legs import OrphanedLeg, leg_at, leg_of_row, orphaned_legs, suggested
from lotkeeperd.domain.reconciliation.statements import HeldPosition
from tests.domain.reconciliation.bookkeeping import LONG, SHORT, Ledger, told

LONG_PUT = "SPY260116P00560000"
SHORT_PUT = "SPY260116P00580000"
NEXT_MONTH = "SPY260220P00580000"


def leg(symbol: str, quantity: int, cost: str | None) -> OrphanedLeg:
    """Signed quantity and cost basis."""
    return OrphanedLeg(symbol, Decimal(quantity), None if cost is None else Decimal(cost))


def test_a_spread_has_the_credit_of_its_legs() -> None:
    """A long put at +1,320 and a short put at -2,100, one contract each: 780 were received."""
    (spread,) = suggested([leg(SHORT_PUT, -1, "-2100"), leg(LONG_PUT, 1, "1320")])

    assert spread.group_id == "SPY:2026-01-16"
    assert [each.symbol for each in spread.legs] == [LONG_PUT, SHORT_PUT]
    assert (spread.contracts, spread.entry_credit) == (Decimal(1), Decimal(780))
    assert spread.entry_credit_per_contract == 780


def test_credit_is_per_contract() -> None:
    """Three of each: a third of the sum."""
    (spread,) = suggested([leg(SHORT_PUT, -3, "-6300"), leg(LONG_PUT, 3, "3960")])

    assert (spread.contracts, spread.entry_credit) == (Decimal(3), Decimal(2340))
    assert spread.entry_credit_per_contract == 780


def test_legs_of_unequal_quantity_are_shown_and_not_grouped() -> None:
    """There is no contract that has two of one and one of the other."""
    (shown,) = suggested([leg(SHORT_PUT, -2, "-4200"), leg(LONG_PUT, 1, "1320")])

    assert (shown.contracts, shown.entry_credit, shown.entry_credit_per_contract) == (None, Decimal(2880), None)
    assert len(shown.legs) == 2


def test_a_leg_without_a_cost_leaves_the_credit_unknown() -> None:
    """Law 12: unknown is not zero."""
    (shown,) = suggested([leg(SHORT_PUT, -1, None), leg(LONG_PUT, 1, "1320")])

    assert (shown.contracts, shown.entry_credit, shown.entry_credit_per_contract) == (Decimal(1), None, None)
    assert shown.legs[1].price is None


def test_other_expiries_underlyings_and_single_legs_are_not_put_together() -> None:
    """Shares are no legs."""
    legs = [
        leg(SHORT_PUT, -1, "-2100"),
        leg(NEXT_MONTH, 1, "2000"),
        leg("QQQ260116P00500000", 1, "5"),
        leg("SPY", 100, "1"),
    ]

    assert suggested(legs) == ()


def test_an_adopted_leg_costs_its_cost_basis_by_contract_and_multiplier() -> None:
    """|cost basis| / (quantity x multiplier); of an adjusted contract the multiplier is not known."""
    assert leg(SHORT_PUT, -1, "-2100").price == 21
    assert leg(LONG_PUT, 2, "2640").price == Decimal("13.2")
    assert leg("SPY1260116P00560000", 2, "2640").price == 1320


def test_a_row_of_the_broker_is_a_leg() -> None:
    """By its cost basis, or by its average price."""
    by_cost = leg_of_row(HeldPosition(SHORT_PUT, SHORT, Decimal(1), Decimal(99), Decimal(-2100)))
    by_average = leg_of_row(HeldPosition(LONG_PUT, LONG, Decimal(1), Decimal("13.2")))

    assert by_cost == leg(SHORT_PUT, -1, "-2100")
    assert by_average == leg(LONG_PUT, 1, "1320")
    assert leg_at(LONG_PUT, Decimal(1), None).cost_basis is None


def test_the_orphaned_options_of_a_report_are_legs() -> None:
    """Orphaned shares, and options that a portfolio holds, are not."""
    ledger = Ledger().record(f"{NEXT_MONTH} +1@5")
    report = ledger.differences(told(f"{LONG_PUT} +1@13.2, {SHORT_PUT} -1@21, {NEXT_MONTH} +2@5, SPY +100@560"))

    (spread,) = suggested(orphaned_legs(report))

    assert spread.entry_credit_per_contract == 780
