"""Groups: legs added up, per contract where that means something, unknown where a mark is missing."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotkeeperd.domain.decimals import ZERO
from lotkeeperd.domain.groups import (
    LEGS_SHOWN,
    NOTHING_DEALT,
    Dealt,
    GroupPnL,
    Leg,
    LegKey,
    LegSums,
    OpenPart,
    opening,
)
from lotkeeperd.domain.lots import Contract, Direction

OPTION = Contract(Decimal(100))
LONG, SHORT = Direction.LONG, Direction.SHORT


def leg(symbol: str, side: Direction, quantity: str, price: str, unrealized: str | None = "0", **dealt: str) -> Leg:
    """A leg of options that was opened once and is open still."""
    units, at = Decimal(quantity), Decimal(price)
    did = opening(side, units, at, OPTION)._replace(**{name: Decimal(amount) for name, amount in dealt.items()})
    part = OpenPart(units, OPTION.value(units, at), 1)
    return Leg(LegKey(symbol, side, "USD"), did, part, None if unrealized is None else Decimal(unrealized))


def figures(*legs: Leg) -> GroupPnL:
    """Of a group with these legs, put in one after the other."""
    sums = LegSums()
    for one in legs:
        sums.put(one)
    return sums.figures("p", "g", "USD", 7)


def told(*figures: object) -> tuple[object, ...]:
    """Figures as a test writes them: 7 is Decimal(7)."""
    return figures


def test_a_long_put_and_a_short_put_give_a_credit() -> None:
    """Design section 7: a long put at +1,320 and a short put at -2,100, one contract each: a credit of 780."""
    group = figures(leg("P90", LONG, "1", "13.20", "100"), leg("P95", SHORT, "1", "21.00", "-40"))
    assert told(group.entry_credit, group.contracts, group.entry_credit_per_contract) == (780, 1, 780)
    assert told(group.unrealized, group.pnl_per_contract, group.open_entry_count, group.sequence) == (60, 60, 2, 7)
    assert [one.key.symbol for one in group.legs] == ["P90", "P95"]


def test_per_contract_is_half_even_at_eighteen_digits() -> None:
    """Three contracts for 100 and 1 of fees: net of what was realized, with what is not."""
    group = figures(leg("C", SHORT, "3", "0.3333333333333333333333", "1", gross="10", fees="1"))
    assert group.entry_credit_per_contract == Decimal("33.333333333333333333")
    assert group.pnl_per_contract == Decimal("3.333333333333333333")


def test_legs_that_are_not_alike_have_no_figure_per_contract() -> None:
    """Two of one and one of the other; made alike they have one."""
    group = figures(leg("A", LONG, "2", "1"), leg("B", SHORT, "1", "3"))
    assert told(group.contracts, group.entry_credit_per_contract, group.pnl_per_contract) == (None, None, None)
    group = figures(leg("A", LONG, "2", "1"), leg("B", SHORT, "1", "3"), leg("B", SHORT, "2", "3"))
    assert told(group.contracts, group.entry_credit_per_contract) == (2, 200)


def test_a_leg_without_a_mark_leaves_unrealized_unknown() -> None:
    """Law 12: neither zero nor the sum of the others; the entry credit is known all the same."""
    group = figures(leg("A", LONG, "1", "1", "5"), leg("B", SHORT, "1", "3", None))
    assert told(group.unrealized, group.pnl_per_contract, group.entry_credit) == (None, None, 200)
    group = figures(leg("A", LONG, "1", "1", "5"), leg("B", SHORT, "1", "3", None), leg("B", SHORT, "1", "3", "-2"))
    assert told(group.unrealized, group.pnl_per_contract) == (3, 3)


def test_a_leg_that_never_was_does_not_count() -> None:
    """Its executions were busted: it is not shown, and does not keep the others from being alike; it may come back."""
    empty = Leg(LegKey("A", LONG, "USD"))
    group = figures(leg("A", LONG, "2", "1"), leg("B", SHORT, "1", "3"), empty)
    assert told([one.key.symbol for one in group.legs], group.leg_count, group.contracts) == (["B"], 1, 1)
    assert told(group.entry_credit, group.open_entry_count) == (300, 1)
    nothing = figures(empty)
    assert told(nothing.entry_credit, nothing.contracts, nothing.unrealized, nothing.legs) == (0, None, 0, ())
    back = figures(leg("A", LONG, "2", "1"), empty, leg("A", LONG, "1", "1"))
    assert told(back.entry_credit, back.leg_count) == (-100, 1)


def test_many_legs_are_counted_and_the_first_are_shown() -> None:
    """By symbol, whatever order they came in."""
    symbols = [f"S{number:03}" for number in range(LEGS_SHOWN + 30)]
    group = figures(*(leg(symbol, LONG, "1", "1") for symbol in reversed(symbols)))
    assert [one.key.symbol for one in group.legs] == symbols[:LEGS_SHOWN]
    assert told(group.leg_count, group.entry_credit) == (LEGS_SHOWN + 30, -100 * (LEGS_SHOWN + 30))


@pytest.mark.parametrize(
    ("side", "contract", "credit"),
    [
        (LONG, Contract(), "-6"),
        (SHORT, Contract(), "6"),
        (SHORT, OPTION, "600"),
        (LONG, Contract(Decimal(100), inverse=True), "-66.666666666666666667"),
    ],
)
def test_the_credit_of_an_entry_is_its_value_turned(side: Direction, contract: Contract, credit: str) -> None:
    """Two units at 3; an inverse contract's value is in its coin."""
    assert opening(side, Decimal(2), Decimal(3), contract) == Dealt(Decimal(2), Decimal(credit))


def test_an_entry_of_nothing_adds_nothing() -> None:
    """One that counts no more has quantity 0, whatever its price was."""
    assert opening(LONG, ZERO, ZERO, Contract(inverse=True)) == NOTHING_DEALT


symbols = st.sampled_from("ABCDE")
amounts = st.integers(-50, 50).map(Decimal)
legs = st.builds(
    lambda symbol, side, opened, credit, gross, fees, lots, unrealized: Leg(
        LegKey(symbol, side, "USD"),
        Dealt(opened, credit, gross, fees),
        OpenPart(opened, abs(credit), lots),
        unrealized if lots else ZERO,
    ),
    symbols,
    st.sampled_from(Direction),
    st.integers(0, 3).map(Decimal),
    amounts,
    amounts,
    amounts,
    st.integers(0, 2),
    st.none() | amounts,
)


@given(st.lists(legs, max_size=30))
def test_sums_moved_by_the_difference_are_the_sums(changes: list[Leg]) -> None:
    """Whatever the legs went through, the figures are those of the legs as they are."""
    now = {one.key: one for one in changes}
    sums = LegSums()
    for one in changes:
        sums.put(one)
        assert sums.leg(one.key) is one
    group = sums.figures("p", "g", "USD", 1)
    counting = [one for key, one in sorted(now.items()) if one.counts]
    known = [one.unrealized for one in counting if one.unrealized is not None]
    assert list(group.legs) == counting
    assert group.entry_credit == sum(one.dealt.credit for one in counting)
    assert told(group.gross_realized, group.realized_fees) == (
        sum(one.dealt.gross for one in counting),
        sum(one.dealt.fees for one in counting),
    )
    assert group.unrealized == (sum(known) if len(known) == len(counting) else None)
    assert group.open_entry_count == sum(one.open.lots for one in counting)
    sizes = {one.dealt.opened for one in counting}
    assert group.contracts == (sizes.pop() or None if len(sizes) == 1 else None)
    assert sums.symbols() == {key.symbol for key in now}


def test_a_lot_more_and_a_lot_less_leave_what_was_open() -> None:
    """Quantity, cost and count move together."""
    two = OpenPart().plus(Decimal(3), Decimal(300), 1).plus(Decimal(1), Decimal(90), 1)
    assert two == OpenPart(Decimal(4), Decimal(390), 2)
    assert two.plus(Decimal(-3), Decimal(-300), -1) == OpenPart(Decimal(1), Decimal(90), 1)
