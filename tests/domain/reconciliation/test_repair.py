"""What a person decides about one difference: adopt it, close it at a price, say whose it is."""

from __future__ import annotations

from decimal import Decimal

import pytest

from lotkeeperd.domain.reconciliation.findings import Difference
from lotkeeperd.domain.reconciliation.repair import NoSuchRepair, adopt, assign, close_at
from tests.domain.reconciliation.bookkeeping import LONG, SHORT, Ledger, proposed, told


def as_proposed(difference: Difference, proposals: object) -> list[str]:
    """In the language of the tests."""
    return proposed(difference._replace(proposals=proposals))  # type: ignore[arg-type]


def test_an_orphan_is_adopted_where_and_at_what_a_person_says() -> None:
    """Or at the broker's average; into a group when it is a leg."""
    found = Ledger("p", "q").only(told("+3@50"))

    assert as_proposed(found, adopt(found, "q", Decimal(48))) == ["q +3@48 t100 synthetic"]
    (leg,) = adopt(found, "p", group_id="condor")
    assert (leg.portfolio_id, leg.group_id, leg.synthetic) == ("p", "condor", True)
    assert leg.execution is not None
    assert leg.execution.price == 50


def test_what_is_proposed_is_adopted_elsewhere_at_another_price() -> None:
    """The synthetic opening keeps its time before the history, executions keep their prices."""
    found = Ledger().only(told("+5@10", "+2@11 t50 b1", since=40))

    assert proposed(found) == ["p +3@9.333333333333333333 t39 synthetic", "p +2@11 t50 b1"]
    assert as_proposed(found, adopt(found, "q")) == ["q +3@9.333333333333333333 t39 synthetic", "q +2@11 t50 b1"]
    assert as_proposed(found, adopt(found, "q", Decimal(9))) == ["q +3@9 t39 synthetic", "q +2@11 t50 b1"]


def test_an_orphan_of_which_all_is_known_is_adopted_by_its_executions() -> None:
    """Their prices stand; another price is refused, and the way out named."""
    found = Ledger("p", "q").only(told("+2@11", "+2@11 t50 b1", since=40))

    assert as_proposed(found, adopt(found, "q")) == ["q +2@11 t50 b1"]
    with pytest.raises(NoSuchRepair, match="the broker holds 2 X, the ledger 0: .* nothing to adopt; accept those"):
        adopt(found, "q", Decimal(9))


def test_an_adoption_without_any_price_is_refused() -> None:
    """Until a person says one."""
    found = Ledger().only(told("+5", "+2@11 t50 b1", since=40))

    with pytest.raises(NoSuchRepair, match="gives no average; say at what price"):
        adopt(found, "p")
    assert as_proposed(found, adopt(found, "p", Decimal(9))) == ["p +3@9 t49 synthetic", "p +2@11 t50 b1"]


def test_what_is_missing_at_the_broker_is_not_adopted() -> None:
    """There is nothing there."""
    with pytest.raises(NoSuchRepair, match="the broker holds 0 X, the ledger 10"):
        adopt(Ledger().record("+10@100").only(told("")), "p", Decimal(1))


def test_what_is_missing_at_the_broker_is_closed_at_a_price() -> None:
    """All of it, or what the executions leave; when the broker was asked."""
    ledger = Ledger().record("+10@100")

    gone = ledger.only(told(""))
    part = ledger.only(told("+1@100", "-4@110 t50 s1", since=40))

    assert as_proposed(gone, close_at(gone, Decimal(90))) == ["p -10@90 t100 synthetic"]
    assert as_proposed(part, close_at(part, Decimal(90))) == ["p -4@110 t50 s1", "p -5@90 t100 synthetic"]


def test_the_other_side_is_closed_at_a_price_and_opened_at_the_brokers_average() -> None:
    """At the price itself where the broker gives no average; in the book of its side in a hedging account."""
    ledger = Ledger().record("+10@100")
    hedged = Ledger(hedging=True).record("-10@100", side=SHORT)

    turned, unpriced = ledger.only(told("-4@95")), ledger.only(told("-4"))
    gone = hedged.only(told(""))

    assert as_proposed(turned, close_at(turned, Decimal(90))) == ["p -10@90 t100 synthetic", "p -4@95 t100 synthetic"]
    assert as_proposed(unpriced, close_at(unpriced, Decimal(90)))[1] == "p -4@90 t100 synthetic"
    (closing,) = close_at(gone, Decimal(90))
    assert closing.execution is not None
    assert (closing.execution.side, closing.execution.book_side) == (LONG, SHORT)


def test_what_the_broker_holds_beyond_the_ledger_is_not_closed() -> None:
    """It is adopted."""
    with pytest.raises(NoSuchRepair, match="nothing to close; adopt it"):
        close_at(Ledger().only(told("+3@50")), Decimal(1))


def test_what_several_portfolios_hold_is_closed_in_each_by_itself() -> None:
    """Nobody knows how much in which."""
    ledger = Ledger("p", "q").record("+4@100", "p").record("+6@100", "q")

    with pytest.raises(NoSuchRepair, match="in several portfolios; close it in each of them"):
        close_at(ledger.only(told("")), Decimal(1))


def test_an_execution_of_anybodys_is_recorded_where_a_person_says() -> None:
    """Or where another portfolio was proposed."""
    ledger = Ledger("p", "q").record("+4@100", "p").record("+6@100", "q")

    anybodys = ledger.only(told("+9@100", "-1@110 t50 s1"))
    assert as_proposed(anybodys, assign(anybodys, "q")) == ["q -1@110 t50 s1"]
    orphan = ledger.only(told("+10@100, Y +1@5"), adopt_into="p")
    assert as_proposed(orphan, assign(orphan, "q")) == ["q +1@5 t100 synthetic"]


def test_nothing_is_assigned_where_nothing_is_known() -> None:
    """The way out is named."""
    with pytest.raises(NoSuchRepair, match="no execution of it is known; adopt it, or close it at a price"):
        assign(Ledger().record("+10@100").only(told("")), "q")


def test_what_replaces_recorded_fills_is_accepted_as_it_is() -> None:
    """It stays in their portfolio, and needs no price."""
    found = Ledger().record("+3@10 /o1").only(told("+3@10", "+1@10 f1/o1, +2@10 f2/o1"))

    with pytest.raises(NoSuchRepair, match="stays in their portfolio; accept what is proposed"):
        assign(found, "q")
    with pytest.raises(NoSuchRepair, match="are replaced by the broker's executions; accept"):
        adopt(found, "q")
    with pytest.raises(NoSuchRepair, match="accept what is proposed"):
        close_at(found, Decimal(1))
