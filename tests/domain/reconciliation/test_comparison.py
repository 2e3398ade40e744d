"""The ledger against the broker: each kind of difference, what it is called, and what is proposed."""

from __future__ import annotations

from decimal import Decimal

import pytest

from lotkeeperd.domain.decimals import ZERO
from lotkeeperd.domain.instruments import Instrument, Kind
from lotkeeperd.domain.reconciliation.comparison import compare
from lotkeeperd.domain.reconciliation.findings import Resolution, Severity
from lotkeeperd.domain.reconciliation.holdings import Holding, Holdings
from lotkeeperd.domain.reconciliation.records import Account
from lotkeeperd.domain.reconciliation.statements import HeldCash, Statement
from tests.domain.reconciliation.bookkeeping import AS_OF, Ledger, kinds, proposed, rows, told


def long_ten() -> Ledger:
    """10 bought at 100, and nobody looked since."""
    return Ledger().record("+10@100 t5 f1")


def test_a_ledger_that_holds_what_the_broker_holds_agrees() -> None:
    """Nothing is found, and the symbol is counted."""
    found = long_ten().compared(told("+10@100"))

    assert found.differences == ()
    assert (found.matched, found.complete, found.broker_positions, found.tracked, found.orphaned) == (1, True, 1, 1, 0)


# what the broker says; kind, severity, resolution, proposals
SEEN = {
    "the broker holds 4 of our 10, and sold 6": (
        told("+4@100", "-6@110 t50 s1"),
        ("QUANTITY_MISMATCH", Severity.MAJOR, Resolution.BACKFILL_FILLS, ["p -6@110 t50 s1"]),
    ),
    "the broker holds 4 of our 10, and nothing says why": (
        told("+4@100"),
        ("QUANTITY_MISMATCH", Severity.MAJOR, Resolution.UNSPECIFIED, []),
    ),
    "the broker holds more, bought in two executions": (
        told("+15@102", "+3@105 t50 b1, +2@107.5 t51 b2"),
        ("QUANTITY_MISMATCH", Severity.MAJOR, Resolution.BACKFILL_FILLS, ["p +3@105 t50 b1", "p +2@107.5 t51 b2"]),
    ),
    "the broker holds more, and nothing says why": (
        told("+15@102"),
        ("QUANTITY_MISMATCH", Severity.MAJOR, Resolution.ADOPT_POSITION, ["p +5@106 t100 synthetic"]),
    ),
    "the broker holds more, and gives no average": (
        told("+15"),
        ("QUANTITY_MISMATCH", Severity.MAJOR, Resolution.UNSPECIFIED, []),
    ),
    "the broker is 10 short, we are 10 long": (
        told("-10@100"),
        ("SIDE_MISMATCH", Severity.CRITICAL, Resolution.UNSPECIFIED, []),
    ),
    "the broker is 10 short, and sold 20": (
        told("-10@110", "-20@110 t50 s1"),
        ("SIDE_MISMATCH", Severity.CRITICAL, Resolution.BACKFILL_FILLS, ["p -20@110 t50 s1"]),
    ),
    "the broker holds nothing, and sold it": (
        told("", "-4@110 t50 s1, -6@111 t51 s2"),
        ("MISSING_AT_BROKER", Severity.MAJOR, Resolution.BACKFILL_FILLS, ["p -4@110 t50 s1", "p -6@111 t51 s2"]),
    ),
    "the broker holds nothing, and only a part of why is known": (
        told("", "-4@110 t50 s1", since=40),
        ("MISSING_AT_BROKER", Severity.MAJOR, Resolution.BACKFILL_FILLS, ["p -4@110 t50 s1"]),
    ),
    "the broker holds nothing, and nothing says why": (
        told(""),
        ("MISSING_AT_BROKER", Severity.MAJOR, Resolution.UNSPECIFIED, []),
    ),
    "the broker holds 4, and what it did leads elsewhere": (
        told("+4@100", "+1@100 t50 b1"),
        ("QUANTITY_MISMATCH", Severity.MAJOR, Resolution.UNSPECIFIED, []),
    ),
    "both hold the same, and a whole round trip is missing": (
        told("+10@100", "+1@110 t50 b1, -1@120 t60 s1"),
        ("MISSING_FILL", Severity.MINOR, Resolution.BACKFILL_FILLS, ["p +1@110 t50 b1", "p -1@120 t60 s1"]),
    ),
    "both hold the same, and an execution is missing that would make them differ": (
        told("+10@100", "+1@110 t50 b1"),
        ("MISSING_FILL", Severity.MAJOR, Resolution.UNSPECIFIED, []),
    ),
    "both hold the same, at averages that brokers count in ways of their own": (
        told("+10@100.5"),
        ("AVERAGE_PRICE_MISMATCH", Severity.INFO, Resolution.NONE, []),
    ),
}


@pytest.mark.parametrize(("statement", "expected"), SEEN.values(), ids=SEEN)
def test_one_problem_is_one_difference(statement: Statement, expected: tuple[object, ...]) -> None:
    """Its kind, how bad it is, what would remove it, and with which executions."""
    found = long_ten().only(statement)

    assert (found.kind.value, found.severity, found.resolution, proposed(found)) == expected
    assert found.portfolio_id == "p"
    assert found.as_of == AS_OF


def test_a_position_that_no_portfolio_holds_is_orphaned_and_adopted_at_the_brokers_average() -> None:
    """Nobody watches its stop: nothing is worse."""
    ledger = Ledger()

    found = ledger.compared(told("-3@50"))

    (orphan,) = found.differences
    assert (orphan.kind.value, orphan.severity, orphan.portfolio_id) == ("ORPHANED_POSITION", Severity.CRITICAL, "")
    assert (found.orphaned, found.tracked, orphan.unwatched) == (1, 0, True)
    assert proposed(orphan) == ["p -3@50 t100 synthetic"]
    assert "nobody watches it" in orphan.explanation


def test_an_orphan_that_the_broker_bought_in_full_view_is_recorded_as_it_was_bought() -> None:
    """Its own executions come before any synthetic one."""
    found = Ledger().only(told("+3@50", "+2@49 t10 b1, +1@52 t11 b2", since=0))

    assert (found.kind.value, found.resolution) == ("ORPHANED_POSITION", Resolution.BACKFILL_FILLS)
    assert proposed(found) == ["p +2@49 t10 b1", "p +1@52 t11 b2"]


def test_what_was_adopted_is_unwatched_in_every_difference_of_it() -> None:
    """Its exit is watched by nobody, whatever else is wrong with it."""
    ledger = Ledger().record("+3@50 t10", synthetic=True, adopted=True)

    assert ledger.only(told("+2@50")).unwatched
    assert not long_ten().only(told("+4@50")).unwatched


def test_the_worst_stands_first_and_equals_by_symbol() -> None:
    """Critical, major, minor, information."""
    ledger = Ledger().record("A +1@1, B +1@1, C +1@1, D +1@1, E +1@1")
    statement = told("A +1@2, C -1@1, D +1@1, E +2@1, F +1@1", "D +1@1 t50 b, D -1@1 t51 s, E +1@1 t52 e")

    found = ledger.differences(statement)

    assert [(each.severity.name, each.symbol) for each in found] == [
        ("CRITICAL", "C"),
        ("CRITICAL", "F"),
        ("MAJOR", "B"),
        ("MAJOR", "E"),
        ("MINOR", "D"),
        ("INFO", "A"),
    ]


def test_comparing_twice_finds_the_same() -> None:
    """Nothing is drawn, and no order depends on chance."""
    ledger, statement = long_ten(), told("Y +1@1, Z +1@1, +4@100", "-6@110 t50 s1")

    assert ledger.compared(statement) == ledger.compared(statement)


# the answer of a broker that was not read to its end; what may be said all the same
INCOMPLETE = {
    "an empty list": (told(complete=False), []),
    "less than we hold may be the first of two rows": (told("+4@100", complete=False), []),
    "the other side may be one leg of two": (told("-10@100", complete=False), []),
    "as much as we hold": (told("+10@100", complete=False), []),
    "more than we hold": (told("+12@100", complete=False), ["QUANTITY_MISMATCH"]),
    "something nobody holds": (told("Y +1@5", complete=False), ["ORPHANED_POSITION"]),
}


@pytest.mark.parametrize(("statement", "expected"), INCOMPLETE.values(), ids=INCOMPLETE)
def test_an_incomplete_statement_says_what_it_lists_and_nothing_of_what_it_does_not(
    statement: Statement, expected: list[str]
) -> None:
    """Law 12: a broker error delivered as an empty list closes nothing."""
    found = long_ten().compared(statement)

    assert kinds(found.differences) == expected
    assert not found.complete


def test_executions_are_not_recorded_on_the_word_of_positions_that_were_not_read() -> None:
    """They are told, and wait for a statement that was read to its end."""
    sold = long_ten().only(told("", "-4@110 t50 s1", complete=False))
    more = long_ten().only(told("+12@100", "-1@100 t50 s1, +3@100 t51 b1", complete=False))

    assert (sold.kind.value, sold.severity, sold.proposals) == ("MISSING_FILL", Severity.MAJOR, ())
    assert [each.fill_id for each in sold.unplaced] == ["s1"]
    assert sold.broker_quantity == sold.ledger_quantity
    assert (more.kind.value, more.proposals) == ("QUANTITY_MISMATCH", ())
    assert "read the positions to their end" in sold.explanation
    assert "read the positions to their end" in more.explanation


def test_what_grows_is_recorded_from_a_page_that_lists_it() -> None:
    """Buying more closes nothing."""
    found = long_ten().only(told("+12@100", "+2@100 t50 b1", complete=False))

    assert (found.resolution, proposed(found)) == (Resolution.BACKFILL_FILLS, ["p +2@100 t50 b1"])


def test_a_fill_that_the_broker_does_not_know_stops_growth_from_an_incomplete_statement() -> None:
    """What contradicts itself is looked at first."""
    found = long_ten().differences(told("+12@100", since=0, complete=False))

    assert kinds(found) == ["QUANTITY_MISMATCH", "UNKNOWN_FILL"]
    assert [each.proposals for each in found] == [(), ()]
    assert "not in the ledger" not in found[0].explanation
    doubled = Ledger().record("+10@100 t5 f1, +1@100 t6 x1, -1@110 t7 x2")
    never = doubled.differences(told("+10@100", "+10@100 t5 f1", since=0, complete=False))
    assert kinds(never) == ["UNKNOWN_FILL", "UNKNOWN_FILL"]
    assert [each.proposals for each in never] == [(), ()]


# size step, tolerance of the account, theirs against our 100; equal
TOLERANCES = [
    ("1", "0", "101", False),
    ("1", "0", "100.5", True),
    ("0.001", "0", "99.9991", True),
    ("0.001", "0", "99.999", False),
    ("0", "0", "100.00000001", False),
    ("0", "0.01", "100.01", True),
    ("0", "0.01", "100.011", False),
    ("0.1", "5", "100.2", False),
]


@pytest.mark.parametrize(("step", "tolerance", "theirs", "equal"), TOLERANCES)
def test_quantities_count_as_equal_within_less_than_one_step(
    step: str, tolerance: str, theirs: str, equal: bool
) -> None:
    """The instrument's step; the account's tolerance only where there is none."""
    holding = Holding(("p", "X", ""), Decimal(100), Decimal(1), size_step=Decimal(step))
    account = Account(size_tolerance=Decimal(tolerance))

    found = compare(account, Holdings(("p",), (holding,)), told(f"+{theirs}@1"))

    assert (found.differences == ()) is equal
    assert found.matched == int(equal)


# tolerance of the account, price step, the broker's average against our 100; information
AVERAGES = [
    ("0.0001", "0", "100.01", False),
    ("0.0001", "0", "100.02", True),
    ("0", "0.05", "100.05", False),
    ("0", "0.05", "99.94", True),
]


@pytest.mark.parametrize(("tolerance", "step", "theirs", "differs"), AVERAGES)
def test_averages_differ_beyond_the_tolerance_and_a_step(tolerance: str, step: str, theirs: str, differs: bool) -> None:
    """And even then nothing is changed: it is information, and the symbol counts as equal."""
    holding = Holding(("p", "X", ""), Decimal(10), Decimal(100), price_step=Decimal(step))
    account = Account(price_tolerance=Decimal(tolerance))

    found = compare(account, Holdings(("p",), (holding,)), told(f"+10@{theirs}"))

    assert kinds(found.differences) == ["AVERAGE_PRICE_MISMATCH"] * differs
    assert found.matched == 1


def test_an_average_that_nobody_gives_is_no_difference() -> None:
    """Law 12: unknown is not zero."""
    assert long_ten().differences(told("+10")) == []


def test_a_fill_recorded_since_the_broker_was_asked_is_no_difference() -> None:
    """The statement is older than the ledger: it is compared with what the ledger held then."""
    ledger = long_ten().record(f"+5@101 t{AS_OF + 1} late")

    assert ledger.differences(told("+10@100")) == []
    assert ledger.differences(told("+15@100.333333333333333333")) == [], "a clock that is ahead"
    assert ledger.only(told("+8@100")).ledger_quantity == 10


def test_an_execution_after_the_positions_were_read_is_not_missing_yet() -> None:
    """It came between the two reads; the next look has it on both sides."""
    ledger = long_ten()

    assert ledger.differences(told("+10@100", f"+5@101 t{AS_OF + 1} b1")) == []
    assert ledger.only(told("+15@101", f"+5@103 t{AS_OF} b1")).resolution is Resolution.BACKFILL_FILLS


def test_cash_is_compared_by_currency_when_every_balance_was_read() -> None:
    """Beyond the tolerance; of a currency whose cash the ledger does not keep it says nothing; a person looks for what moved it."""
    holdings = Holdings(("p",), cash={"USD": Decimal(1000), "EUR": Decimal(5), "GBP": Decimal(2)})
    balances = tuple(
        HeldCash(*each)
        for each in (("USD", Decimal(900)), ("USD", Decimal("90.5")), ("BTC", Decimal(1)), ("GBP", Decimal("2.01")))
    )
    statement = Statement(AS_OF, True, cash=balances, cash_complete=True)

    found = compare(Account(), holdings, statement).differences

    assert [(each.symbol, each.ledger_quantity, each.broker_quantity) for each in found] == [
        ("EUR", Decimal(5), ZERO),
        ("USD", Decimal(1000), Decimal("990.5")),
    ]
    assert {(each.kind.value, each.severity, each.resolution, each.portfolio_id) for each in found} == {
        ("CASH_MISMATCH", Severity.MAJOR, Resolution.UNSPECIFIED, "p")
    }
    assert "9.5 less" in found[1].explanation


def test_cash_that_was_not_read_to_its_end_is_not_compared() -> None:
    """And the report says that not everything was judged."""
    holdings = Holdings(("p", "q"), cash={"USD": Decimal(1000)})
    statement = Statement(AS_OF, True, cash=(HeldCash("USD", Decimal(1)),))

    found = compare(Account(), holdings, statement)
    judged = compare(Account(), holdings, statement._replace(cash_complete=True))

    assert (found.differences, found.complete) == ((), False)
    assert [each.portfolio_id for each in judged.differences] == [""], "it is of both"
    assert judged.complete


def test_an_options_multiplier_is_not_a_quantity() -> None:
    """A cost basis of 1,320 for one contract of 100 is a price of 13.20."""
    symbol = "AAPL260116P00200000"
    row = rows("+1")[0]._replace(symbol=symbol, cost_basis=Decimal(1320))

    found = Ledger().only(Statement(AS_OF, True, (row,)))

    assert proposed(found) == ["p +1@13.2 t100 synthetic"]
    assert found.broker_price == Decimal("13.2")


def test_the_ledgers_own_instruments_say_what_a_cost_basis_is_of() -> None:
    """Of an inverse contract it is in the coin."""
    inverse = Instrument("XBTUSD", Kind.INVERSE, base_currency="XBT", settlement_currency="XBT")
    row = rows("+100")[0]._replace(symbol="XBTUSD", cost_basis=Decimal("0.002"))

    found = Ledger(instruments=[inverse]).only(Statement(AS_OF, True, (row,)))
    nothing = Ledger(instruments=[inverse]).only(Statement(AS_OF, True, (row._replace(cost_basis=ZERO),)))

    assert found.broker_price == 50_000
    assert nothing.broker_price is None
    assert nothing.resolution is Resolution.UNSPECIFIED


def test_ten_thousand_positions_are_found_in_ten_thousand_rows() -> None:
    """Each symbol is looked up, none searched for."""
    count = 10_000
    open_ = tuple(Holding(("p", f"S{at}", ""), Decimal(at + 1), Decimal(1)) for at in range(count))
    positions = rows(", ".join(f"S{at} +{at + 1}@1" for at in range(1, count + 1)))

    found = compare(Account(), Holdings(("p",), open_), Statement(AS_OF, True, positions))

    assert found.matched == count - 1
    assert kinds(found.differences) == ["ORPHANED_POSITION", "MISSING_AT_BROKER"]
