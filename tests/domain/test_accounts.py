"""The cash of a portfolio: what events moved, and what the books say of executions."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotkeeperd.domain.accounts import (
    Balance,
    CashEvent,
    CashMoved,
    DefineInstrument,
    Flow,
    PortfolioCommand,
    TermsMethod,
    cash_of,
    opening,
    value_of,
)
from lotkeeperd.domain.book import Direction
from lotkeeperd.domain.commands import Role, Terms
from lotkeeperd.domain.decimals import ZERO
from lotkeeperd.domain.instruments import Instrument, Kind
from lotkeeperd.domain.portfolios import Portfolio
from lotkeeperd.domain.rates import Rate, same
from tests.domain.journal import Journal

EUR_IN_USD = Rate("EUR", "USD", Decimal("1.25"), 5, "told")


def moved(balance: Balance, flow: Flow, amount: str, rate: Rate | None = None) -> Balance:
    """After one event."""
    event = CashEvent(flow, "p", "", "EUR", Decimal(amount))
    return balance.moved(CashMoved(balance.sequence + 1, 0, event, 0, rate))


# what moved; what of the balance it changes; the cash after it
FLOWS = [
    (Flow.DEPOSIT, "100", "deposited", "100"),
    (Flow.WITHDRAWAL, "30", "withdrawn", "-30"),
    (Flow.FUNDING, "-2", "funding", "-2"),
    (Flow.INTEREST, "-1", "interest", "-1"),
    (Flow.DIVIDEND, "5", "dividends", "5"),
    (Flow.CHARGE, "4", "charged", "-4"),
]


@pytest.mark.parametrize(("flow", "amount", "name", "cash"), FLOWS, ids=[flow.value for flow, *_ in FLOWS])
def test_an_event_moves_cash_under_its_own_name(flow: Flow, amount: str, name: str, cash: str) -> None:
    """P&L can be split by what made it."""
    balance = moved(Balance(), flow, amount)

    assert balance.cash == Decimal(cash)
    assert {field for field in Balance._fields[:7] if getattr(balance, field)} == {name}
    assert balance.sequence == 1


def test_a_balance_is_all_of_it_together() -> None:
    """And what fees did to it that were taken in its coin."""
    balance = Balance(fees_elsewhere=Decimal("-0.5"))
    for flow, amount, *_ in FLOWS:
        balance = moved(balance, flow, amount)

    assert balance.cash == 100 - 30 - 2 - 1 + 5 - 4 - Decimal("0.5")


def test_what_deposits_were_worth_is_kept_in_the_base_currency() -> None:
    """What they are worth now beyond that is the P&L of the currency."""
    balance = moved(moved(Balance(), Flow.DEPOSIT, "100", EUR_IN_USD), Flow.WITHDRAWAL, "40", EUR_IN_USD)
    assert (balance.base_value, balance.cash) == (Decimal(75), Decimal(60))

    assert moved(balance, Flow.DIVIDEND, "9").base_value == 75, "income brings no capital in"


def test_a_deposit_without_a_rate_makes_the_worth_unknown_for_good() -> None:
    """Law 12: unknown is not zero."""
    balance = moved(Balance(), Flow.DEPOSIT, "100")
    assert balance.base_value is None

    assert moved(balance, Flow.DEPOSIT, "100", EUR_IN_USD).base_value is None


def test_a_portfolio_begins_with_its_initial_cash() -> None:
    """What is not in its base currency has no known worth in it."""
    portfolio = Portfolio("p", "USD", initial_cash=(("EUR", Decimal(50)), ("USD", Decimal(1000))))

    balances = opening(portfolio, 7)

    assert balances["USD"] == Balance(Decimal(1000), base_value=Decimal(1000), sequence=7)
    assert (balances["EUR"].cash, balances["EUR"].base_value) == (Decimal(50), None)
    assert moved(balances["USD"], Flow.DEPOSIT, "1", same("USD")).base_value == 1001


# the instrument; the fills; cash after them; value of what is open at 130
BOOKS = {
    "a long that is paid up front": (Kind.SPOT, 1, ["+2@100 fee 1", "-1@120 fee 2"], "-83", "130"),
    "a short that is paid up front": (Kind.EQUITY, 1, ["-2@100 fee 1"], "199", "-260"),
    "an option's premium, a hundredfold": (Kind.OPTION, 100, ["+2@100"], "-20000", "26000"),
    "a perpetual moves its P&L only": (Kind.PERPETUAL, 1, ["+2@100 fee 1", "-1@120 fee 2"], "17", "30"),
    "a future's short": (Kind.FUTURE, 50, ["-1@100 fee 3"], "-3", "-1500"),
    "a flat book": (Kind.SPOT, 1, ["+1@100 fee 1", "-1@110 fee 1"], "8", "0"),
}


@pytest.mark.parametrize(("kind", "multiplier", "fills", "cash", "value"), BOOKS.values(), ids=BOOKS)
def test_the_cash_of_executions_is_read_off_their_book(
    kind: Kind, multiplier: int, fills: list[str], cash: str, value: str
) -> None:
    """Total value is cash and what is open."""
    instrument = Instrument("X", kind, Decimal(multiplier))
    journal = Journal(Terms(instrument, Portfolio("p", "USD")))
    for text in fills:
        journal.tell(text)

    book = journal.book

    assert cash_of(book, instrument) == Decimal(cash)
    assert value_of(book, instrument, book.unrealized(Decimal(130))) == Decimal(value)


amounts = st.decimals(min_value="0.01", max_value="99", places=2)


@given(st.lists(st.tuples(st.sampled_from(Direction), amounts, amounts, amounts), max_size=12), st.sampled_from(Kind))
def test_cash_is_what_was_paid_and_value_is_what_is_held(
    fills: list[tuple[Direction, Decimal, Decimal, Decimal]], kind: Kind
) -> None:
    """Law 6 from the side of the account: no FIFO is needed to know it."""
    instrument = Instrument("X", kind, Decimal(10), settlement_currency="USD")
    journal = Journal(Terms(instrument, Portfolio("p", "USD")))
    paid = held = ZERO
    mark = Decimal(7)
    for side, quantity, price, fee in fills:
        journal.tell("+1@1", side=side, quantity=quantity, price=price, fee=fee)
        paid -= side * instrument.contract.value(quantity, price) * (-1 if kind is Kind.INVERSE else 1) + fee
        held += side * quantity

    book = journal.book
    cash, value = cash_of(book, instrument), value_of(book, instrument, book.unrealized(mark))

    if instrument.paid_up_front:
        assert (cash, value) == (paid, held * mark * 10)
    elif kind is not Kind.INVERSE:
        assert cash + value == paid + held * mark * 10
    else:
        worth = instrument.contract.value(abs(held), mark)
        assert cash + value == paid + (-worth if held > 0 else worth)


def test_what_is_no_execution_claims_the_role_of_an_event_or_none() -> None:
    """Law 8: none of them stands in the way of a fill's id."""
    told: list[CashEvent | PortfolioCommand | DefineInstrument] = [
        CashEvent(Flow.DEPOSIT, "p", "", "USD", Decimal(1), fill_id="e1"),
        PortfolioCommand(TermsMethod.CREATE, "p", "r1"),
        DefineInstrument(Instrument("X"), "r1"),
    ]

    assert {command.role for command in told} == {Role.EVENT}
    assert DefineInstrument(Instrument("X"), "r1").symbol == "X"
