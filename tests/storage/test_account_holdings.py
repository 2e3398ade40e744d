"""What the ledger says of an account beside its books: the cash that it keeps, and no other."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from lotkeeperd.domain.accounts import CashEvent, Flow, PortfolioCommand, TermsMethod
from lotkeeperd.domain.reconciliation.findings import Kind
from lotkeeperd.domain.reconciliation.records import Reported
from lotkeeperd.domain.reconciliation.statements import HeldCash
from tests.storage.broker_says import BEFORE, Desk, check_rebuilt, holds, said
from tests.storage.ledgers import NOW, BareLedger, bare_ledger, entry


@pytest.fixture
def ledger(database_url: str) -> Iterator[BareLedger]:
    """10 of A in p; verified in the end."""
    with bare_ledger(database_url) as ledger:
        ledger.taken(entry(1, "10", time=BEFORE))
        yield ledger
        check_rebuilt(ledger, database_url)


def moved(flow: Flow, amount: str, currency: str = "USD", portfolio_id: str = "p") -> CashEvent:
    """Cash that comes or goes."""
    return CashEvent(flow, portfolio_id, "", currency, Decimal(amount), NOW, f"{flow.value}-{currency}-{portfolio_id}")


def compared(desk: Desk, **balances: str) -> Reported:
    """The report of a statement that tells these balances, and the position as it is."""
    cash = tuple(HeldCash(currency, Decimal(amount)) for currency, amount in balances.items())
    return desk.report(desk.asked(said(holds("10"))._replace(cash=cash, cash_complete=True)))


def differing(report: Reported) -> dict[str, tuple[Decimal, Decimal]]:
    """Cash that differs: what the ledger has, what the broker has."""
    assert {one.difference.kind for one in report.found} <= {Kind.CASH_MISMATCH}
    found = (one.difference for one in report.found)
    return {one.symbol: (one.ledger_quantity, one.broker_quantity) for one in found}


@pytest.mark.parametrize("event", [None, moved(Flow.FUNDING, "-2"), moved(Flow.INTEREST, "3"), moved(Flow.CHARGE, "1")])
def test_a_ledger_that_was_never_told_of_cash_says_nothing_of_it(ledger: BareLedger, event: CashEvent | None) -> None:
    """What executions, funding and interest did is a change of an amount that nobody knows."""
    ledger.all_taken(*(() if event is None else (event,)))

    report = compared(Desk(ledger), USD="12345.67", EUR="8")

    assert (report.found, report.comparison.complete) == ((), True)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (moved(Flow.DEPOSIT, "5000"), {}),
        (moved(Flow.DEPOSIT, "5001"), {"USD": (Decimal(4001), Decimal(4000))}),
        (moved(Flow.WITHDRAWAL, "1"), {"USD": (Decimal(-1001), Decimal(4000))}),
        (moved(Flow.DEPOSIT, "7", "EUR"), {"EUR": (Decimal(7), Decimal(0))}),
    ],
)
def test_cash_that_was_recorded_is_compared_in_its_currency(
    ledger: BareLedger, event: CashEvent, expected: dict[str, object]
) -> None:
    """5,000 came in and 1,000 were paid for A: 4,000; a currency that the broker does not list is 0 there."""
    ledger.all_taken(event)

    assert differing(compared(Desk(ledger), USD="4000", BTC="1")) == expected


@pytest.mark.parametrize("amount", ["0", "500"])
def test_what_a_portfolio_begins_with_is_recorded_cash_even_when_it_is_nothing(ledger: BareLedger, amount: str) -> None:
    """And of portfolios that share an account the sum is compared, once one of them keeps the currency."""
    terms = (("initial_cash", (("USD", Decimal(amount)),)),)
    ledger.all_taken(PortfolioCommand(TermsMethod.CREATE, "q", "made", terms))

    found = differing(compared(Desk(ledger, "p", "q"), USD="9"))

    assert found == {"USD": (Decimal(amount) - 1000, Decimal(9))}


def test_cash_that_differed_is_gone_once_it_is_recorded(ledger: BareLedger) -> None:
    """The missing deposit is told, and nothing is left of the difference."""
    desk = Desk(ledger)
    ledger.all_taken(moved(Flow.DEPOSIT, "4000"))
    (found,) = compared(desk, USD="4000").found
    ledger.all_taken(moved(Flow.DEPOSIT, "1000")._replace(fill_id="the rest"))

    report = compared(desk, USD="4000")

    assert (report.found, report.gone) == ((), (found.discrepancy_id,))
