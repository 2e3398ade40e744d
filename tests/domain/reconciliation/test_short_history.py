"""Histories that are shorter than the position: longer and shorter by one, by a flip, by a flat; and the price that is asked for.

A true history is played whole, its window is cut at every place, and the ledger has seen nothing of it. Whatever the window, the
ledger has the broker's quantity afterwards, and its average where an average says anything.
"""

from __future__ import annotations

from decimal import Decimal

import pytest

from lotkeeperd.domain.instruments import Instrument, Kind
from lotkeeperd.domain.reconciliation.findings import Resolution
from lotkeeperd.domain.reconciliation.lines import Measure
from lotkeeperd.domain.reconciliation.pricing import Asked, Dealt, opening_price
from lotkeeperd.domain.reconciliation.statements import Execution, Statement
from tests.domain.reconciliation.bookkeeping import AS_OF, LONG, Ledger, executions, proposed, rows, told

WHOLE = {
    "bought in four": "+1@10 t10 a, +2@11 t20 b, +3@12 t30 c, +4@13 t40 d",
    "bought and sold in part": "+4@10 t10 a, +4@12 t20 b, -3@15 t30 c, +1@16 t40 d",
    "turned": "+4@10 t10 a, -6@12 t20 b, -1@13 t30 c, +1@11 t40 d",
    "turned twice": "+4@10 t10 a, -6@12 t20 b, +5@11 t30 c, +1@10 t40 d",
    "flat in between": "+4@10 t10 a, -4@12 t20 b, +2@11 t30 c, +3@13 t40 d",
    "flat in between, short before": "-4@10 t10 a, -1@11 t20 b, +5@12 t30 c, +3@13 t40 d",
}


def broker(history: tuple[Execution, ...]) -> tuple[Decimal, Decimal | None]:
    """What it holds after all of it, first in, first out."""
    ledger = Ledger()
    for each in history:
        ledger.take("p", each)
    return ledger.held()["X"]


def window(whole: tuple[Execution, ...], cut: int) -> Statement:
    """What the broker says when it has forgotten all before ``cut``."""
    quantity, average = broker(whole)
    (row,) = rows(f"{quantity:+f}@{average}")
    return Statement(AS_OF, True, (row,), whole[cut:], whole[cut].time if cut < len(whole) else AS_OF)


CUTS = [(name, cut) for name in WHOLE for cut in range(5)]


@pytest.mark.parametrize(("name", "cut"), CUTS)
def test_a_ledger_that_saw_nothing_ends_with_the_brokers_quantity_and_average(name: str, cut: int) -> None:
    """Wherever the history begins: before the position, one later, one more, at its flip, at its flat."""
    whole, ledger = executions(WHOLE[name]), Ledger()
    statement = window(whole, cut)

    ledger.carry_out(ledger.only(statement).proposals)

    quantity, average = ledger.held()["X"]
    wanted, told_average = broker(whole)
    assert quantity == wanted
    assert average is not None
    assert told_average is not None
    assert abs(average - told_average) < Decimal("1e-15")
    assert ledger.differences(statement) == []


# the window begins at; what is proposed
WINDOWS = {
    "whole": ("flat in between", 0, ["+4@10 t10 a", "-4@12 t20 b", "+2@11 t30 c", "+3@13 t40 d"]),
    "shorter by one than a life that ended: only what came after": (
        "flat in between",
        1,
        ["+2@11 t30 c", "+3@13 t40 d"],
    ),
    "at the flat": ("flat in between", 2, ["+2@11 t30 c", "+3@13 t40 d"]),
    "shorter by one than the position": ("flat in between", 3, ["+2@11 t39 synthetic", "+3@13 t40 d"]),
    "nothing of the position": ("flat in between", 4, ["+5@12.2 t99 synthetic"]),
    "at the flip: what it closed gains nothing": (
        "turned",
        1,
        ["+4@12 t19 synthetic", "-6@12 t20 b", "-1@13 t30 c", "+1@11 t40 d"],
    ),
    "after the flip": ("turned", 2, ["-2@12 t29 synthetic", "-1@13 t30 c", "+1@11 t40 d"]),
}


@pytest.mark.parametrize(("name", "cut", "expected"), WINDOWS.values(), ids=WINDOWS)
def test_what_is_in_no_history_is_opened_before_it(name: str, cut: int, expected: list[str]) -> None:
    """Once, at the price that the average asks for; through a flip or a flat only what came after it counts."""
    found = Ledger().only(window(executions(WHOLE[name]), cut))

    assert proposed(found) == [f"p {each}" for each in expected]
    synthetic = any("synthetic" in each for each in expected)
    assert found.resolution is (Resolution.ADOPT_POSITION if synthetic else Resolution.BACKFILL_FILLS)
    assert found.unwatched


def test_the_ledger_had_some_of_it() -> None:
    """2 at 10 before; the broker held 5 when its history begins, bought 1 and sold 2."""
    ledger = Ledger().record("+2@10 t5 a")
    statement = told("+4@12", "+1@13 t50 c, -2@15 t51 d", since=40)

    found = ledger.only(statement)
    ledger.carry_out(found.proposals)

    assert proposed(found) == ["p +3@11.666666666666666667 t39 synthetic", "p +1@13 t50 c", "p -2@15 t51 d"]
    assert "a buy of 3 is in no history" in found.explanation
    assert ledger.differences(statement) == []


def test_nothing_synthetic_reduces_what_the_ledger_holds() -> None:
    """By arithmetic the broker was short 6 before our 10 were bought; a person looks at that."""
    found = Ledger().record("+10@100 t50 f1").only(told("+4@100", "+10@100 t50 f1", since=40))

    assert (found.resolution, found.proposals) == (Resolution.UNSPECIFIED, ())


def test_what_was_reduced_before_the_history_is_left_to_a_person() -> None:
    """We held 5 when it begins, the broker 2: that 3 were bought again is no reading of a statement."""
    ledger = Ledger().record("+5@100 t5 a, -5@110 t50 b")

    found = ledger.only(told("-3@110", "-5@110 t50 b", since=40))

    assert (found.kind.value, found.resolution, found.proposals) == ("ORPHANED_POSITION", Resolution.UNSPECIFIED, ())


def test_executions_that_go_beyond_the_broker_are_not_recorded_in_part() -> None:
    """Short 10 became short 16, and 8 were sold: something else was bought."""
    found = Ledger().record("-10@100 t5 a").only(told("-16@100", "-8@100 t50 s1", since=40))

    assert (found.resolution, found.proposals, len(found.unplaced)) == (Resolution.UNSPECIFIED, (), 1)


def test_a_life_that_turned_before_it_ended_is_left_out_as_well() -> None:
    """Long 4 when the history begins, short 2, flat: only what came after counts."""
    found = Ledger().only(told("+3@9", "-6@12 t20 b, +2@11 t30 c, +3@9 t40 d", since=15))

    assert proposed(found) == ["p +3@9 t40 d"]


def test_an_order_that_began_before_the_history_is_not_recorded_twice() -> None:
    """Bought 6 in one order, recorded as one fill; the history has its last 4 only."""
    ledger = Ledger().record("+6@100 t10 bot/o1")

    assert ledger.differences(told("+6@100", "+4@100 t12 x2/o1", since=12)) == []
    for held in ("+9@100", "-9@100"):  # whatever else happened, these 4 are among the 6
        assert "x2" not in " ".join(proposed(ledger.only(told(held, "+4@100 t12 x2/o1", since=12))))


def test_the_end_of_an_order_that_comes_to_what_is_missing_is_recorded() -> None:
    """The quantities say that the 6 were without it; another order has no part in this."""
    ledger = Ledger().record("+6@100 t10 bot/o1, +1@100 t11 bot2/o9, +1@101 t13 f9/o9")
    found = ledger.only(told("+12@100", "+4@100 t12 x2/o1, +1@101 t13 f9/o9", since=12))

    assert proposed(found) == ["p +4@100 t12 x2"]


def test_what_opens_beyond_the_executions_is_adopted_with_them() -> None:
    """Short 1 in the ledger, long 5 at the broker, who bought 4 of them: before these and after them 2 were bought earlier."""
    ledger = Ledger().record("-1@100 t50 a")
    statement = told("+5@100", "-1@100 t50 a, +4@100 t60 b", since=40)

    ledger.carry_out(ledger.only(statement).proposals)

    assert ledger.differences(statement) == []


def test_a_life_that_the_ledger_saw_some_of_is_not_left_out() -> None:
    """It recorded the sale: what was sold had been opened."""
    ledger = Ledger().record("-4@12 t20 b")

    found = ledger.only(told("+2@11", "-4@12 t20 b, +2@11 t30 c", since=15))

    assert proposed(found) == ["p +2@11 t30 c"], "of the other 4 a person says what they were"
    assert (found.kind.value, found.ledger_quantity) == ("SIDE_MISMATCH", Decimal(-4))


def test_a_life_that_never_ends_in_the_history_is_not_left_out() -> None:
    """Open at its beginning and at its end: the same position."""
    found = Ledger().only(told("+2@11", "+1@11 t30 c, -1@12 t31 d", since=15))

    assert proposed(found) == ["p +2@11 t14 synthetic", "p +1@11 t30 c", "p -1@12 t31 d"]


def test_an_end_of_a_life_without_a_complete_history_is_told() -> None:
    """Where nobody says that the history is complete, nothing is left out."""
    found = Ledger().only(told("", "-4@12 t20 b"))

    assert (found.kind.value, found.proposals, len(found.unplaced)) == ("MISSING_FILL", (), 1)


def test_an_end_of_a_life_that_the_ledger_never_had_is_no_difference() -> None:
    """It was opened before the history begins, and closed in it; the ledger began later."""
    assert Ledger().differences(told("", "-4@12 t20 b", since=15)) == []


def test_an_opening_without_a_price_is_left_to_a_person() -> None:
    """The broker gives no average, or the ledger has none for what it holds."""
    unpriced = Ledger().only(told("+5", "+1@11 t30 c", since=15))

    assert (unpriced.resolution, unpriced.proposals, len(unpriced.unplaced)) == (Resolution.UNSPECIFIED, (), 1)
    assert "gives no average" in unpriced.explanation


LINEAR = Measure()
INVERSE = Measure(inverse=True)


def dealt(text: str) -> list[Dealt]:
    """Signed quantities at prices."""
    return [Dealt(each.signed, each.price) for each in executions(text)]


# opened; known after it; the broker's average; the measure; price, and whether the averages agree then
PRICES = {
    "alone": ("5", "", "102", LINEAR, Asked(Decimal(102), agrees=True)),
    "added to what is held": ("5", "+10@100", "102", LINEAR, Asked(Decimal(106), agrees=True)),
    "a short": ("-100", "-100@1.30", "1.28", LINEAR, Asked(Decimal("1.26"), agrees=True)),
    "all of it was sold since, in two": ("5", "+5@10, -2@11, -4@12", "10", LINEAR, Asked(Decimal("11.6"), agrees=True)),
    "a part of it was sold since": (
        "5",
        "+5@10, -2@11",
        "9",
        LINEAR,
        Asked(Decimal("7.333333333333333333"), agrees=True),
    ),
    "all of it was sold since": ("5", "-2@11, -5@12", "12", LINEAR, Asked(Decimal("11.6"), agrees=True)),
    "the price would be 0": ("100", "+100@2", "1", LINEAR, Asked(Decimal(1), agrees=False)),
    "the price would be negative": ("100", "+100@3", "1", LINEAR, Asked(Decimal(1), agrees=False)),
    "a negative price is one": ("100", "+100@3", "1", Measure(negative_prices=True), Asked(Decimal(-1), agrees=True)),
    "an average of nothing is none": ("100", "+100@1.2", "0", LINEAR, None),
    "no average": ("5", "", None, LINEAR, None),
    "inverse, alone": ("100", "", "50000", INVERSE, Asked(Decimal(50000), agrees=True)),
    "inverse, added": ("100", "+100@50000", "40000", INVERSE, Asked(Decimal("33333.333333333333333333"), agrees=True)),
    "inverse, sold since": (
        "100",
        "-50@40000, -50@60000",
        "1",
        INVERSE,
        Asked(Decimal("48000.000000000000000000"), agrees=True),
    ),
    "inverse, beyond any price": ("100", "+100@10000", "20000", INVERSE, Asked(Decimal(20000), agrees=False)),
}


@pytest.mark.parametrize(("opened", "known", "average", "measure", "expected"), PRICES.values(), ids=PRICES)
def test_an_opening_has_the_price_that_makes_the_averages_agree(
    opened: str, known: str, average: str | None, measure: Measure, expected: Asked | None
) -> None:
    """Of what is left of it; at what it was closed at where nothing is left; the broker's average where no price does it."""
    theirs = None if average is None else Decimal(average)

    found = opening_price(Decimal(opened), [], dealt(known), theirs, measure)

    if expected is None:
        assert found is None
    else:
        assert found is not None
        assert found.agrees is expected.agrees
        assert abs(found.price - expected.price) < Decimal("1e-9")


def test_an_average_that_no_price_can_give_is_said() -> None:
    """The quantity agrees, the averages will not, and the report says so."""
    ledger, statement = Ledger().record("+100@2"), told("+200@1")

    found = ledger.only(statement)
    ledger.carry_out(found.proposals)

    assert "the averages will differ: no price above 0 makes them agree" in found.explanation
    assert ledger.held() == {"X": (Decimal(200), Decimal("1.5"))}
    assert [each.kind.value for each in ledger.differences(statement)] == ["AVERAGE_PRICE_MISMATCH"]


def test_an_inverse_contract_is_adopted_so_that_its_averages_agree() -> None:
    """Two lots of the coin's value; and of two portfolios the average is the harmonic one."""
    inverse = Instrument("XBTUSD", Kind.INVERSE, base_currency="XBT", settlement_currency="XBT")
    ledger = Ledger("p", "q", instruments=[inverse])
    for portfolio, each in zip(("p", "q"), executions("+100@50000, +100@25000"), strict=True):
        ledger.take(portfolio, each._replace(symbol="XBTUSD"))
    row = rows("+300@30000")[0]._replace(symbol="XBTUSD")

    found = ledger.only(Statement(AS_OF, True, (row,)), adopt_into="p")

    assert found.ledger_price is not None
    assert abs(found.ledger_price - Decimal("33333.333333")) < 1
    (proposal,) = found.proposals
    assert proposal.execution is not None
    assert (proposal.execution.quantity, proposal.execution.side) == (Decimal(100), LONG)
    assert abs(proposal.execution.price - 25_000) < 1
