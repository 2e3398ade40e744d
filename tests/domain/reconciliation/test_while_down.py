"""What happens while nobody looks, as scripts: the ledger before, what the broker says after, what is proposed, what is left."""

from __future__ import annotations

from decimal import Decimal

from lotkeeperd.domain.reconciliation.findings import Resolution, Severity
from lotkeeperd.domain.reconciliation.records import Account
from lotkeeperd.domain.reconciliation.repair import close_at
from lotkeeperd.domain.reconciliation.statements import Statement
from tests.domain.reconciliation.bookkeeping import AS_OF, LONG, SHORT, Ledger, executions, kinds, proposed, rows, told


def long_ten() -> Ledger:
    """10 bought at 100."""
    return Ledger().record("+10@100 t5 f1/o1")


def test_closed_while_down_with_its_full_history() -> None:
    """Exact prices, exact P&L; the second look finds nothing."""
    ledger = long_ten()
    statement = told("", "+10@100 t5 f1/o1, -4@110 t50 f2, -6@112 t51 f3", since=1)

    found = ledger.only(statement)

    assert (found.kind.value, found.resolution) == ("MISSING_AT_BROKER", Resolution.BACKFILL_FILLS)
    assert found.explanation == (
        "the broker holds no X, the ledger 10: sold 10 while nobody looked; its 2 executions are there and can be recorded"
    )
    ledger.carry_out(found.proposals)
    assert ledger.gross() == 112
    assert ledger.differences(statement) == []


def test_closed_while_down_with_a_part_of_its_history() -> None:
    """What is known is recorded; of the rest a person gives the price."""
    ledger, statement = long_ten(), told("", "-4@110 t50 f2", since=40)

    found = ledger.only(statement)
    assert found.explanation == (
        "the broker holds no X, the ledger 10: sold 4 while nobody looked, and its execution is there and can be recorded; "
        "of the other 6 no execution is known, and a person has to give its price"
    )
    ledger.carry_out(found.proposals)
    left = ledger.only(statement)

    assert (left.kind.value, left.ledger_quantity, left.proposals) == ("MISSING_AT_BROKER", Decimal(6), ())
    ledger.carry_out(close_at(left, Decimal(111)))
    assert ledger.gross() == 40 + 66
    assert ledger.differences(statement) == []


def test_closed_while_down_without_history() -> None:
    """Nothing is closed at a price that nobody knows."""
    ledger, statement = long_ten(), told("", since=40)

    found = ledger.only(statement)

    assert (found.severity, found.resolution, found.proposals) == (Severity.MAJOR, Resolution.UNSPECIFIED, ())
    assert "a person has to give the price" in found.explanation
    ledger.carry_out(close_at(found, Decimal(90)))
    assert ledger.gross() == -100
    assert ledger.differences(statement) == []


def test_opened_while_down() -> None:
    """By a manual trade: with its executions as they were, without them at the broker's average."""
    exact, average = Ledger(), Ledger()
    statement = told("+3@50", "+1@48 t50 m1, +2@51 t51 m2", since=40)

    exact.carry_out(exact.only(statement).proposals)
    average.carry_out(average.only(told("+3@50")).proposals)

    assert exact.held() == average.held() == {"X": (Decimal(3), Decimal(50))}
    assert len(exact.fills) == 2
    assert exact.differences(statement) == average.differences(told("+3@50")) == []


def test_closed_in_part_while_down() -> None:
    """The quantity that is left is the broker's."""
    ledger, statement = long_ten(), told("+4@100", "-6@110 t50 f2")

    found = ledger.only(statement)
    ledger.carry_out(found.proposals)

    assert found.explanation == (
        "the broker holds 4 X, the ledger 10: sold 6 while nobody looked; its execution is there and can be recorded"
    )
    assert ledger.held() == {"X": (Decimal(4), Decimal(100))}
    assert ledger.differences(statement) == []


def test_flipped_while_down() -> None:
    """One execution closes all and opens the other side."""
    ledger, statement = long_ten(), told("-2@110", "-12@110 t50 f2", since=1)

    found = ledger.differences(statement)
    assert kinds(found) == ["SIDE_MISMATCH", "UNKNOWN_FILL"], "f1 is in no history that begins before it"
    statement = told("-2@110", "+10@100 t5 f1, -12@110 t50 f2", since=1)
    ledger.carry_out(ledger.only(statement).proposals)

    assert ledger.held() == {"X": (Decimal(-2), Decimal(110))}
    assert ledger.gross() == 100
    assert ledger.differences(statement) == []


def test_counted_twice_by_a_second_instance_under_its_own_id() -> None:
    """One order, recorded by its executions and as a whole: the quantity is double, and a person takes one back."""
    ledger = Ledger().record("+4@100 t5 f1/o1, +6@100 t6 f2/o1, +10@100 t6 /o1")
    statement = told("+10@100", "+4@100 t5 f1/o1, +6@100 t6 f2/o1", since=1)

    found = ledger.only(statement)

    assert (found.kind.value, found.ledger_quantity, proposed(found)) == (
        "QUANTITY_MISMATCH",
        Decimal(20),
        ["p for #3"],
    )
    assert "unknown to the broker" in found.explanation
    ledger.carry_out(found.proposals)
    assert ledger.differences(statement) == []


def test_two_rows_of_one_symbol_are_one_position_in_a_netting_account() -> None:
    """Lots of a broker, or two spellings: their sum is compared, their average is weighted."""
    ledger = Ledger().record("+10@100")

    assert ledger.differences(told("+4@97, +6@102")) == []
    assert ledger.differences(told("+14, -4")) == []
    assert ledger.differences(told("+4@97, +6")) == [], "an average of one row is none of both"
    assert kinds(ledger.differences(told("+4@97, +7@102"))) == ["QUANTITY_MISMATCH"]


def hedged() -> Ledger:
    """Long 5 and short 3 at once."""
    return Ledger(hedging=True).record("+5@100 t5 f1", side=LONG).record("-3@110 t6 f2", side=SHORT)


def test_hedge_mode_is_compared_side_by_side() -> None:
    """5 long and 3 short are not 2 long."""
    agreed = hedged().compared(told("+5@100, -3@110"))
    differ = hedged().differences(told("+2@100"))

    assert (agreed.differences, agreed.matched, agreed.tracked) == ((), 2, 2)
    assert [(each.kind.value, each.side) for each in differ] == [
        ("QUANTITY_MISMATCH", "LONG"),
        ("MISSING_AT_BROKER", "SHORT"),
    ]
    assert "X short, the ledger short 3" in differ[1].explanation


def test_hedge_mode_records_an_exit_in_the_book_it_belongs_to() -> None:
    """As the broker says; or as its order is known; or on the only side where it is missing."""
    said = told("+5@100, -1@110")._replace(executions=executions("+2@105 t50 f3", SHORT))
    missing = told("+5@100, -1@110", "+2@105 t50 f3")
    ledger = hedged().record("-2@111 t7 f4/o4", side=SHORT)
    ordered = told("+5@100, -6", "-2@111 t7 f4/o4, -1@112 t50 f5/o4")

    for statement in (said, missing):
        found = hedged().only(statement)
        assert (found.side, found.resolution, proposed(found)) == (
            "SHORT",
            Resolution.BACKFILL_FILLS,
            ["p +2@105 t50 f3"],
        )
        assert [each.execution and each.execution.book_side for each in found.proposals] == [SHORT]
    assert proposed(ledger.only(ordered)) == ["p -1@112 t50 f5"]
    both = ledger.differences(ordered._replace(positions=rows("+4@100, -6")))
    assert [(each.side, proposed(each)) for each in both] == [("LONG", []), ("SHORT", ["p -1@112 t50 f5"])]


def test_hedge_mode_leaves_an_execution_of_no_side_to_a_person() -> None:
    """Both sides agree, or both could be meant."""
    nowhere = hedged().only(told("+5@100, -3@110", "+2@105 t50 f3"))
    anywhere = hedged().differences(told("+7@100, -1@110", "+2@105 t50 f3"))

    assert (nowhere.kind.value, nowhere.side, nowhere.proposals) == ("MISSING_FILL", "", ())
    assert "does not say on which side" in nowhere.explanation
    assert kinds(anywhere) == ["MISSING_FILL", "QUANTITY_MISMATCH", "QUANTITY_MISMATCH"]


def test_hedge_mode_adopts_on_the_side_that_is_orphaned() -> None:
    """The synthetic opening says which book it is for."""
    ledger, statement = hedged(), told("+5@100, -3@110, Y -1@50")

    found = ledger.only(statement)
    ledger.carry_out(found.proposals)

    assert (found.side, found.kind.value) == ("SHORT", "ORPHANED_POSITION")
    assert ledger.differences(statement) == []


def test_spot_and_perpetual_spelled_alike_are_told_apart_by_the_table_of_spellings() -> None:
    """What the adapter calls by two names is ours by two names; without a table the broker's name is ours."""
    account = Account(spellings=(("BTCUSDT", "BTC-USDT"), ("BTCUSDT.linear", "BTC-USDT-PERP")))
    ledger = Ledger()
    for symbol in ("BTC-USDT", "BTC-USDT-PERP"):
        for each in executions("+1@100 t5 f1"):
            ledger.take("p", each._replace(symbol=symbol))
    spot, perpetual = rows("BTCUSDT +1@100, BTCUSDT.linear +2@101")
    bought = executions("BTCUSDT.linear +1@102 t50 f2")
    statement = Statement(AS_OF, True, (spot, perpetual), bought)

    found = ledger.only(statement, account)

    assert (found.symbol, found.kind.value) == ("BTC-USDT-PERP", "QUANTITY_MISMATCH")
    assert [each.execution and each.execution.symbol for each in found.proposals] == ["BTC-USDT-PERP"]
    assert len(ledger.differences(statement)) == 4, "two of ours that are missing, two of theirs that are orphaned"


def test_an_error_delivered_as_an_empty_list_changes_nothing() -> None:
    """No differences, and the report says that it is not complete."""
    found = long_ten().compared(told("", complete=False))

    assert (found.differences, found.complete, found.matched) == ((), False, 0)


def test_a_position_at_the_page_boundary_is_no_orphan() -> None:
    """The 21st row is in the ledger and on the second page; without it nothing is judged missing."""
    ledger = Ledger()
    for at in range(21):
        ledger.record(f"S{at} +1@10")
    first_page = told(", ".join(f"S{at} +1@10" for at in range(20)), complete=False)
    both_pages = told(", ".join(f"S{at} +1@10" for at in range(21)))

    assert ledger.differences(first_page) == ledger.differences(both_pages) == []
    assert (ledger.compared(first_page).matched, ledger.compared(both_pages).matched) == (20, 21)


# Whose it is, when several portfolios share the account.


def shared() -> Ledger:
    """4 in p, 6 in q."""
    return Ledger("p", "q").record("+4@100 t5 f1/o1", "p").record("+6@100 t6 f2/o2", "q")


def test_an_exit_goes_to_the_portfolio_that_knows_its_order() -> None:
    """It recorded something of that order before."""
    found = shared().only(told("+7@100", "-3@110 t50 f3/o2"))

    assert proposed(found) == ["q -3@110 t50 f3"]
    assert found.portfolio_id == "", "the position is of both"


def test_an_exit_goes_to_the_only_portfolio_that_has_something_to_exit_from() -> None:
    """And no further than it has."""
    ledger = Ledger("p", "q").record("+6@100 t6 f2", "q")

    assert proposed(ledger.only(told("+3@100", "-1@110 t50 f3, -2@110 t51 f4"))) == [
        "q -1@110 t50 f3",
        "q -2@110 t51 f4",
    ]
    for history in ("-7@110 t50 f3", "-4@110 t50 f3, -3@110 t51 f4"):
        turned = ledger.only(told("-1@110", history))
        assert (turned.resolution, turned.proposals) == (Resolution.UNSPECIFIED, ())


def test_an_exit_of_anybodys_is_left_to_a_person() -> None:
    """Two have it open, and none knows the order; or two know the order."""
    ledger = shared().record("-1@110 t10 x/o9", "p").record("-1@110 t10 y/o9", "q")

    anybodys = shared().only(told("+7@100", "-3@110 t50 f3"))
    of_both = ledger.only(told("+7@100", "-1@113 t50 f3/o9"))

    for found in (anybodys, of_both):
        assert (found.resolution, found.proposals) == (Resolution.UNSPECIFIED, ())
        assert [each.fill_id for each in found.unplaced] == ["f3"]
        assert "cannot be told for which portfolio" in found.explanation


def test_an_orphan_of_a_shared_account_goes_where_it_is_told_to() -> None:
    """Nowhere, when nobody says it."""
    statement = told("Y +1@5, +10@100")
    bought = told("Y +1@5, +10@100", "Y +1@5 t50 f3")

    nowhere = shared().only(statement)
    assert (nowhere.resolution, nowhere.proposals, nowhere.broker_price) == (Resolution.UNSPECIFIED, (), Decimal(5))
    assert "name the portfolio that adopts it" in nowhere.explanation
    assert proposed(shared().only(statement, adopt_into="q")) == ["q +1@5 t100 synthetic"]
    assert proposed(shared().only(bought, adopt_into="q")) == ["q +1@5 t50 f3"]
    assert shared().only(bought).proposals == ()


def test_what_grows_goes_to_the_only_holder() -> None:
    """Else to the one that adopts."""
    ledger = Ledger("p", "q").record("+6@100 t6 f2", "q")

    assert proposed(ledger.only(told("+8@100"))) == ["q +2@100 t100 synthetic"]
    assert shared().only(told("+12@100")).proposals == ()
    assert proposed(shared().only(told("+12@100"), adopt_into="p")) == ["p +2@100 t100 synthetic"]


def test_portfolios_that_stand_against_each_other_are_summed() -> None:
    """Long 5 in one, short 5 in the other: the account is flat, and averages cannot be compared."""
    ledger = Ledger("p", "q").record("+5@100 t5", "p").record("-5@100 t6", "q")

    assert ledger.differences(told("")) == []
    found = ledger.only(told("+1@100"))
    assert (found.kind.value, found.ledger_quantity, found.ledger_price) == ("QUANTITY_MISMATCH", Decimal(0), None)
    ledger.record("+2@100 t7", "p")
    assert proposed(ledger.only(told("+3@101"), adopt_into="p")) == ["p +1@101 t100 synthetic"]
    assert ledger.only(told("+3"), adopt_into="p").proposals == ()


def test_an_exchange_of_what_one_portfolio_recorded_stays_in_it() -> None:
    """Whose the broker's executions are, the fills say that they replace; of two portfolios nobody can say it."""
    one = Ledger("p", "q").record("+4@100 t5 f1", "p").record("+6@100.5 t6 x", "q").record("-1@100 t7 y", "q")
    two = Ledger("p", "q").record("+6@100.5 t6 x", "q").record("-1@100.5 t7 x2", "p")
    history = "+2@100 t6 b1, +3@100 t7 b2"

    found = one.only(told("+9@100", "+4@100 t5 f1, " + history, since=0))
    assert proposed(found) == ["q for #2", "q for #3", "q +2@100 t6 b1", "q +3@100 t7 b2"]
    nobodys = two.differences(told("+5@100", history, since=0))
    assert kinds(nobodys) == ["MISSING_FILL", "UNKNOWN_FILL", "UNKNOWN_FILL"]
    assert [each.proposals for each in nobodys] == [(), (), ()]
