"""Which recorded execution is which of the broker's: by id, by order, by figures, and what synthetic ones stood for."""

from __future__ import annotations

from decimal import Decimal

import pytest

from lotkeeperd.domain.instruments import Instrument, Kind
from lotkeeperd.domain.reconciliation.comparison import wanted
from lotkeeperd.domain.reconciliation.findings import Resolution, Severity
from lotkeeperd.domain.reconciliation.pairing import Pairing, pair, standing_for
from lotkeeperd.domain.reconciliation.statements import Execution
from tests.domain.reconciliation.bookkeeping import AS_OF, LONG, SHORT, Ledger, executions, kinds, proposed, told

STEP = Decimal("0.01")


def paired(recorded: str, history: str, since: int | None = 0) -> Pairing:
    """What is which, at a price step of 0.01."""
    ledger, statement = Ledger().record(recorded), told("", history, since)
    fills = [fill.counted for fill in ledger.fills.values()]
    return pair(statement.executions, fills, statement, lambda _symbol, _price: STEP)


def said(pairing: Pairing) -> str:
    """In short: matched ids, what replaces which record, conflicts, missing ids, unknown records."""
    words = [f"{pair.execution.fill_id}=#{pair.recorded[0].sequence}" for pair in pairing.matched]
    words += [
        f"{'+'.join(some.fill_id for some in each.executions)}>#{each.recorded.sequence}" for each in pairing.replaced
    ]
    words += [f"{pair.execution.fill_id}!#{pair.recorded[0].sequence}" for pair in pairing.conflicting]
    words += [f"{each.fill_id}?" for each in pairing.missing]
    return " ".join([*words, *(f"#{fill.sequence}?" for fill in pairing.unknown)])


# recorded; the broker's executions; what is which
PAIRS = {
    "the same id": ("+1@10 f1", "+1@10 f1", "f1=#1"),
    "the same id reported twice counts once": ("+1@10 f1", "+1@10 f1, +1@10 f1", "f1=#1"),
    "an id that is not recorded": ("", "+1@10 f1", "f1?"),
    "an id that is not reported": ("+1@10 f1", "", "#1?"),
    "one id, another price": ("+1@10 f1", "+1@11 f1", "f1!#1"),
    "one id, another quantity": ("+1@10 f1", "+2@10 f1", "f1!#1"),
    "one id, another side": ("+1@10 f1", "-1@10 f1", "f1!#1"),
    "one id of two symbols is two": ("Y +1@10 f1", "+1@10 f1", "f1? #1?"),
    "a flip that was recorded as an exit and an entry": ("-1@10 f1, -2@10 t1 f1", "-3@10 f1", "f1=#1"),
    "no ids, figures that come twice: the moment tells which": ("-2@10 t20", "-2@10 t10 f1, -2@10 t20 f2", "f2=#1 f1?"),
    "no ids, figures that come twice at other moments: the oldest": (
        "-2@10 t15",
        "-2@10 t10 f1, -2@10 t20 f2",
        "f1=#1 f2?",
    ),
    "one order, one fill, ids of two kinds": ("+1@10 x/o1", "+1@10 f1/o1", "f1=#1"),
    "one order, one fill, a price within a step": ("+1@10.01 /o1", "+1@10 f1/o1", "f1=#1"),
    "one order, one fill, a price beyond a step": ("+1@10.02 /o1", "+1@10 f1/o1", "f1? #1?"),
    "one order, five executions": (
        "+10@100.2 t9 /o1",
        "+1@100 f1/o1, +2@100 f2/o1, +3@100 f3/o1, +2@100.5 f4/o1, +2@100.5 f5/o1",
        "f1+f2+f3+f4+f5>#1",
    ),
    "one order, five executions, an average rounded to a step": (
        "+30@100.34 t9 /o1",
        "+10@100 f1/o1, +10@100 f2/o1, +10@101 f3/o1",
        "f1+f2+f3>#1",
    ),
    "one order in two fills of two executions each": (
        "+3@10 /o1, +7@10 /o1",
        "+1@10 f1/o1, +2@10 f2/o1, +3@10 f3/o1, +4@10 f4/o1",
        "f1+f2>#1 f3+f4>#2",
    ),
    "the shortest run is the fill": ("+3@10.01 t9 /o1", "+1@10 f1/o1, +2@10 f2/o1, +3@10 f3/o1", "f3=#1 f1? f2?"),
    "a run that agrees in price, though a shorter one is there": (
        "+3@11 t9 /o1",
        "+3@10 f1/o1, +1@11 f2/o1, +2@11 f3/o1",
        "f2+f3>#1 f1?",
    ),
    "one order, recorded by its executions and once more as a whole": (
        "+4@10 f1/o1, +6@10 f2/o1, +10@10 /o1",
        "+4@10 f1/o1, +6@10 f2/o1",
        "f1=#1 f2=#2 #3?",
    ),
    "one order, recorded in part and as a whole": (
        "+4@10 x/o1, +10@10 /o1",
        "+4@10 f1/o1, +6@10 f2/o1",
        "f1+f2>#2 #1?",
    ),
    "an order of the other side is another": ("+1@10 /o1", "-1@10 f1/o1", "f1? #1?"),
    "no id at all, the same figures, oldest first": ("+1@10, +1@10", "+1@10 f1, +1@10 f2, +1@10 f3", "f1=#1 f2=#2 f3?"),
    "no id at all, and an order that is another": ("+1@10 /o2", "+1@10 f1/o1", "f1? #1?"),
    "no order, the same figures": ("+1@10", "+1@10 f1/o1", "f1=#1"),
    "an id that is another is never paired by figures": ("+1@10 x", "+1@10 f1", "f1? #1?"),
}


@pytest.mark.parametrize(("recorded", "history", "expected"), PAIRS.values(), ids=PAIRS)
def test_what_is_recorded_is_found_in_what_is_reported(recorded: str, history: str, expected: str) -> None:
    """Matched, replaced (>), conflicting (!), missing and unknown (?)."""
    assert said(paired(recorded, history)) == expected


def test_a_fill_is_unknown_only_where_the_history_is_complete() -> None:
    """From its beginning on, and before the broker was asked; not at all where nobody says that it is complete."""
    recorded = f"+1@10 t10 a, +1@10 t20 b, +1@10 t{AS_OF} c"

    assert said(paired(recorded, "", since=None)) == ""
    assert said(paired(recorded, "", since=11)) == "#2?"
    assert said(paired(recorded, "", since=10)) == "#1? #2?"


def test_an_older_fill_of_the_same_order_is_not_taken_for_the_newer_one() -> None:
    """Its own execution is in no history any more."""
    for newer in ("own/o1", ""):
        recorded = f"+1@10 t5 f1/o1, +1@10 t15 {newer}".strip()
        assert said(paired(recorded, "+1@10 t15 f2/o1", since=10)) == "f2=#2"


def test_a_part_of_an_order_from_before_the_history_is_not_the_part_that_looks_like_it() -> None:
    """Two parts of one size at one price, the first before the week that is told: the second is missing."""
    recorded, history = "+2@10 t10 f1/o1", "+2@10 t20 f2/o1"

    assert said(paired(recorded, history, since=15)) == "f2?"
    assert said(paired(recorded, history, since=10)) == "f2=#1", "it is told from before both: ids of two kinds"
    assert said(paired("+2@10 t10 /o1", history, since=15)) == "f2=#1", "a bot without ids gave the order's time"


def test_an_execution_of_two_portfolios_is_one_when_they_share_it_and_repeated_when_both_have_all() -> None:
    """An order for two portfolios is split; a second instance that counts the same fill repeats it."""
    shared = Ledger("p", "q").record("+4@10 f1", "p").record("+6@10 f1", "q")
    repeated = Ledger("p", "q").record("+10@10 f1", "p").record("+10@10 f1", "q")
    history = "+10@10 f1"

    assert shared.differences(told("+10@10", history)) == []
    found = repeated.only(told("+10@10", history))
    assert (found.kind.value, found.resolution) == ("QUANTITY_MISMATCH", Resolution.UNSPECIFIED)
    assert proposed(found) == ["q for #2"], "a person says whether it is taken back"


def test_a_recorded_summary_is_replaced_and_never_added_to() -> None:
    """One order recorded as one fill, five executions: the quantity stays, the prices become those of the broker."""
    ledger = Ledger().record("+10@100.2 t9 /o1")
    history = "+1@100 t5 f1/o1, +2@100 f2/o1, +3@100 f3/o1, +2@100.5 f4/o1, +2@100.5 f5/o1"
    statement = told("+10@100.2", history)

    found = ledger.only(statement)

    assert (found.kind.value, found.severity, found.fill_id) == ("MISSING_FILL", Severity.MINOR, "f1")
    assert found.resolution is Resolution.BACKFILL_FILLS
    assert proposed(found)[:2] == ["p +1@100 t5 f1 for #1", "p +2@100 t6 f2"]
    ledger.carry_out(found.proposals)
    assert ledger.held() == {"X": (Decimal(10), Decimal("100.2"))}
    assert ledger.differences(statement) == []


def test_prices_agree_within_a_step_or_within_the_accounts_tolerance_where_nobody_says_what_a_step_is() -> None:
    """Of what is open, and of what is flat."""
    stepped = Instrument("X", price_step=Decimal("0.5"))
    history = "+1@100 t5 f1/o1, -1@110 t6 f2/o2"

    for bought, sold, instruments, known in (
        ("100.4", "110.4", [stepped], True),
        ("100.6", "110.6", [stepped], False),
        ("100.01", "110.01", [], True),
        ("100.02", "110.02", [], False),
    ):
        ledger = Ledger(instruments=instruments).record(f"+1@{bought} t5 /o1")
        assert (ledger.differences(told("+1", history.partition(",")[0])) == []) is known
        ledger.record(f"-1@{sold} t6 /o2")
        assert (ledger.differences(told("", history)) == []) is known


@pytest.mark.parametrize(("told_fee", "expected"), [(None, ["0.3", "0.6", "0.1"]), (Decimal(2), ["2", "2", "2"])])
def test_a_fee_that_only_the_ledger_knows_goes_with_what_takes_the_fills_place(
    told_fee: Decimal | None, expected: list[str]
) -> None:
    """Recorded: 10 for 1.0 in BNB. The broker's 3, 6 and 1 have none yet: 0.3, 0.6 and 0.1, the last the rest; its own stand."""
    (fill,) = (fill.counted for fill in Ledger().record("+10@100 /o1").fills.values())
    statement = told("", "+3@100 f1/o1, +6@100 f2/o1, +1@100 f3/o1")
    reported = [each._replace(fee=told_fee) for each in statement.executions]

    pairing = pair(
        reported, [fill._replace(fee=Decimal(1), fee_currency="BNB")], statement, lambda _symbol, _price: STEP
    )

    (replacement,) = pairing.replaced
    assert [str(each.fee and each.fee.normalize()) for each in replacement.executions] == expected
    assert {each.fee_currency for each in replacement.executions} == ({"BNB"} if told_fee is None else {""})


def test_a_summary_and_its_coin_fees_are_repaired_together_with_the_quantity() -> None:
    """The executions say a fee in the coin that the recorded fill does not have: that much less is there."""
    coin = Instrument("X", Kind.SPOT, base_currency="X")
    ledger = Ledger(instruments=[coin]).record("+3@100 t9 /o1")
    history = tuple(
        each._replace(fee=Decimal("0.001"), fee_currency="X") for each in executions("+1@100 t5 f1/o1, +2@100 f2/o1")
    )
    statement = told("+2.998@100")._replace(executions=history)

    found = ledger.only(statement)

    assert (found.kind.value, found.resolution) == ("QUANTITY_MISMATCH", Resolution.BACKFILL_FILLS)
    assert [each.replaces for each in found.proposals] == [(1,), ()]
    ledger.carry_out(found.proposals)
    assert ledger.differences(statement) == []


def test_a_conflict_waits_for_a_person_and_nothing_is_made_up_beside_it() -> None:
    """It is corrected; a synthetic fill for the rest would stand there for ever."""
    ledger = Ledger().record("+1@10 t5 f1")

    price = ledger.only(told("+1@10", "+1@11 t5 f1"))
    quantity = ledger.differences(told("+2@11", "+2@11 t5 f1"))

    assert (price.kind.value, price.severity, price.proposals) == ("MISSING_FILL", Severity.MAJOR, ())
    assert "recorded as bought 1 at 10, the broker says bought 1 at 11" in price.explanation
    more = ledger.differences(told("+5@12", "+1@11 t5 f1"))
    assert kinds(quantity) == kinds(more) == ["MISSING_FILL", "QUANTITY_MISMATCH"]
    assert all(not each.proposals for each in (*quantity, *more))


def test_a_fill_that_the_broker_does_not_know_is_told_and_not_taken_back_alone() -> None:
    """Quantities agree with it; without it they would not."""
    found = Ledger().record("+10@10 t5 f1, +1@10 t50").only(told("+11@10", "+10@10 t5 f1", since=0))

    assert (found.kind.value, found.severity, found.fill_id) == ("UNKNOWN_FILL", Severity.MAJOR, "#2")
    assert (found.resolution, found.proposals) == (Resolution.UNSPECIFIED, ())
    assert "a fill without an id, bought 1 X at 10" in found.explanation
    more = Ledger().record("+10@10 t5 f1, +1@10 t50").differences(told("+15@10", "+10@10 t5 f1", since=0))
    assert kinds(more) == ["QUANTITY_MISMATCH", "UNKNOWN_FILL"]
    assert all(not each.proposals for each in more), "nothing is made up beside a contradiction"


def test_fills_that_never_happened_are_taken_back_by_a_person_when_that_makes_both_equal() -> None:
    """Alone, or in exchange for what the broker reports instead."""
    twice = Ledger().record("+10@10 t5 f1, +10@10 t6 x1")
    round_trip = Ledger().record("+10@10 t5 f1, +1@10 t6 x1, -1@11 t7 x2")
    other = Ledger().record("+10@10.7 t5 x1")
    history = "+10@10 t5 f1"

    found = twice.only(told("+10@10", history, since=0))
    assert (found.kind.value, proposed(found)) == ("QUANTITY_MISMATCH", ["p for #2"])
    found = round_trip.only(told("+10@10", history, since=0))
    assert (found.kind.value, found.fill_id, proposed(found)) == ("UNKNOWN_FILL", "#2", ["p for #2", "p for #3"])
    found = other.only(told("+10@10", history, since=0))
    assert (found.kind.value, proposed(found)) == ("UNKNOWN_FILL", ["p for #1", "p +10@10 t5 f1"])
    assert found.resolution is Resolution.UNSPECIFIED


def test_an_order_that_began_before_the_history_is_no_difference() -> None:
    """Its fill has more than the executions that are left of it; and where quantities differ it is looked at."""
    ledger = Ledger().record("+10@10 t50 /o1")

    assert ledger.differences(told("+10@10", "+6@10 t45 f2/o1", since=40)) == []
    found = ledger.only(told("+6@10", "+6@10 t45 f2/o1", since=40))
    assert proposed(found) == ["p for #1", "p +6@10 t45 f2"], "it recorded what was ordered, not what was filled"


# synthetic fills; missing executions; excess; which of them stand for which
STOOD = {
    "one for one, whatever the price": ("+10@100 t50", "+10@97 t20 f1", "10", "#1:f1"),
    "one for several": ("+10@100 t50", "+4@97 t20 f1, +6@98 t30 f2", "10", "#1:f1+f2"),
    "the nearest in time": ("+5@100 t50", "+5@97 t20 f1, +5@98 t45 f2", "5", "#1:f2"),
    "each its own": ("+5@1 t20, -3@1 t50", "+5@97 t15 f1, -3@98 t45 f2", "2", "#1:f1 #2:f2"),
    "a close that was given a price": ("-4@100 t50", "-4@97 t20 f1", "-4", "#1:f1"),
    "quantities that do not come to it": ("+10@100 t50", "+9@97 t20 f1", "9", None),
    "the other side": ("+10@100 t50", "-10@97 t20 f1", "-10", None),
    "two of the same, one of them seen": ("+5@1 t20, +5@1 t50", "+5@97 t45 f1", "5", "#2:f1"),
    "both sides of a round trip that was made up": (
        "+5@1 t20, -5@3 t50",
        "+5@97 t15 f1, -5@98 t45 f2",
        "0",
        "#1:f1 #2:f2",
    ),
    "a round trip after the one that was made up": ("+5@1 t20, -5@3 t30", "+5@97 t45 f1, -5@98 t46 f2", "0", ""),
    "the one that is not too large": ("+10@1 t5, +5@1 t6", "+10@97 t20 f1, +5@98 t21 f2", "5", "#2:f2"),
    "no run of that quantity": ("+5@1 t20", "+3@97 t15 f1, +4@97 t16 f2", "5", None),
}


@pytest.mark.parametrize(("recorded", "history", "excess", "expected"), STOOD.values(), ids=STOOD)
def test_a_synthetic_fill_gives_way_to_the_executions_that_it_stood_for(
    recorded: str, history: str, excess: str, expected: str | None
) -> None:
    """Same side, same book, as much together; nothing when it does not come out even."""
    ledger = Ledger().record(recorded, synthetic=True)
    fills = [fill.counted for fill in ledger.fills.values()]

    found = standing_for(fills, executions(history), Decimal(excess), lambda each: each.signed)

    words = None
    if found is not None:
        words = " ".join(f"#{each.recorded.sequence}:{'+'.join(e.fill_id for e in each.executions)}" for each in found)
    assert words == expected


def test_the_real_fill_replaces_the_synthetic_one_when_it_turns_up() -> None:
    """And its P&L is restated by it: adopted at 100, sold at 110, bought at 97 in truth."""
    ledger = Ledger().record("+10@100 t50", synthetic=True, adopted=True).record("-4@110 t60 s1")
    assert ledger.gross() == 40
    statement = told("+6@97", "+10@97 t20 f1, -4@110 t60 s1", since=10)

    found = ledger.only(statement)

    assert (found.kind.value, found.severity) == ("MISSING_FILL", Severity.MINOR)
    assert proposed(found) == ["p +10@97 t20 f1 for #1"]
    ledger.carry_out(found.proposals)
    assert ledger.gross() == 52
    assert ledger.differences(statement) == []


def test_a_new_purchase_is_not_taken_for_an_adopted_position_of_the_same_size() -> None:
    """Adopted 5, bought 5 more while nobody looked: the broker holds 10, and nothing is replaced."""
    ledger = Ledger().record("+5@100 t50", synthetic=True, adopted=True)

    found = ledger.only(told("+10@101", "+5@102 t70 f1"))

    assert proposed(found) == ["p +5@102 t70 f1"]


def test_what_is_looked_up_is_what_a_statement_names() -> None:
    """Ids and orders wherever they are; and everything since its history begins, or since the broker was asked."""
    history = "+1@10 t50 f1/o1, +1@10 t51, +1@10 t52 f3"

    asked = wanted(told("", history, since=40))

    assert asked == (frozenset({"f1", "f3"}), frozenset({"o1"}), 40)
    assert wanted(told("", history)).since == AS_OF
    assert wanted(told("", history, since=AS_OF + 5)).since == AS_OF


def test_signed_quantities_are_negative_when_sold() -> None:
    """Of executions, and of what is recorded."""
    sold = Execution("X", SHORT, Decimal(2), Decimal(1), 1)

    assert (sold.signed, sold._replace(side=LONG).signed) == (Decimal(-2), Decimal(2))
