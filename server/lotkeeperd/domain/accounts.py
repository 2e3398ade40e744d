"""The cash of a portfolio, and the events that move it without a trade.

Problem: what an execution does to cash is known from the book already, and a second sum of it could disagree. Chosen: a
balance holds only what no book knows; the cash effect of a book is read off its sums (law 6), so both cannot drift:

    paid up front (spot, equity, option)     gross realized - fees - signed cost of what is open
    margined (perpetual, future, inverse)    gross realized - fees
    a fee in another coin                    the coin's balance goes down by it; what the book counts for it is given back here

Total value is cash and the marked positions: market value of what was paid up front, unrealized P&L of what is margined.
``base_value`` is what deposits were worth in the portfolio's base currency when they came in; what they are worth now beyond that
is the P&L of the currency. It is None once a deposit came in without a rate: unknown is not zero (law 12).
"""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from typing import NamedTuple

from lotkeeperd.domain.book import Book, Direction
from lotkeeperd.domain.commands import Decision, Role
from lotkeeperd.domain.decimals import ZERO
from lotkeeperd.domain.fees import Charged, FeeState
from lotkeeperd.domain.instruments import Instrument
from lotkeeperd.domain.portfolios import Portfolio
from lotkeeperd.domain.rates import Rate, convert


class Flow(Enum):
    """What moved cash; the value is stored."""

    DEPOSIT = "Deposit"
    WITHDRAWAL = "Withdrawal"
    FUNDING = "Funding"
    INTEREST = "Interest"
    DIVIDEND = "Dividend"
    CHARGE = "Charge"


class CashEvent(NamedTuple):
    """One event as the caller told it; ``amount`` in ``currency``, received when positive, but for WITHDRAWAL and CHARGE.

    ``fill_id`` is the event's own id at the venue. ``time`` is nanoseconds UTC, None for the server's clock.
    """

    method: Flow
    portfolio_id: str
    symbol: str
    currency: str
    amount: Decimal
    time: int | None = None
    fill_id: str = ""
    request_id: str = ""
    note: str = ""
    validate_only: bool = False

    @property
    def role(self) -> Role:
        """What its id is recorded as."""
        return Role.EVENT


class CashMoved(NamedTuple):
    """One record of cash. ``rate`` turns the amount into the portfolio's base currency, where it was known."""

    sequence: int
    recorded_time: int
    command: CashEvent
    time: int
    rate: Rate | None


class Balance(NamedTuple):
    """What moved the cash of one portfolio in one currency besides executions; every amount in it."""

    deposited: Decimal = ZERO
    withdrawn: Decimal = ZERO
    funding: Decimal = ZERO
    interest: Decimal = ZERO
    dividends: Decimal = ZERO
    charged: Decimal = ZERO
    fees_elsewhere: Decimal = ZERO
    base_value: Decimal | None = ZERO
    sequence: int = 0

    @property
    def cash(self) -> Decimal:
        """All of it together; run under ``localcontext(EXACT)``."""
        gained = self.funding + self.interest + self.dividends - self.charged
        return self.deposited - self.withdrawn + gained + self.fees_elsewhere

    def moved(self, record: CashMoved) -> Balance:
        """After ``record``; run under ``localcontext(EXACT)``."""
        event = record.command
        field = _FIELDS[event.method]
        after = self._replace(sequence=record.sequence, **{field: getattr(self, field) + event.amount})
        if event.method not in (Flow.DEPOSIT, Flow.WITHDRAWAL):
            return after
        if self.base_value is None or record.rate is None:
            return after._replace(base_value=None)
        worth = convert(event.amount, record.rate)
        return after._replace(base_value=self.base_value + (worth if event.method is Flow.DEPOSIT else -worth))


_FIELDS = {
    Flow.DEPOSIT: "deposited",
    Flow.WITHDRAWAL: "withdrawn",
    Flow.FUNDING: "funding",
    Flow.INTEREST: "interest",
    Flow.DIVIDEND: "dividends",
    Flow.CHARGE: "charged",
}


def opening(portfolio: Portfolio, sequence: int) -> dict[str, Balance]:
    """The balances that a portfolio begins with; what is not in its base currency has no known worth in it."""
    return {
        currency: Balance(amount, base_value=amount if currency == portfolio.base_currency else None, sequence=sequence)
        for currency, amount in portfolio.initial_cash
    }


def cash_of(book: Book, instrument: Instrument) -> Decimal:
    """What the executions of ``book`` did to cash, in its settlement currency; run under ``localcontext(EXACT)``."""
    cash = book.gross - book.fees - book.open_fees
    if not instrument.paid_up_front or book.direction is None:
        return cash
    return cash - book.cost if book.direction is Direction.LONG else cash + book.cost


def value_of(book: Book, instrument: Instrument, unrealized: Decimal) -> Decimal:
    """What the open lots are worth beside that cash; run under ``localcontext(EXACT)``."""
    if not instrument.paid_up_front or book.direction is None:
        return unrealized
    return unrealized + book.cost if book.direction is Direction.LONG else unrealized - book.cost


def elsewhere(decision: Decision, currency: str) -> dict[str, Decimal]:
    """What a fee in another coin does to balances: the coin is gone, and what a book in ``currency`` counts was not paid in it."""
    command, what = decision.command, decision.charged
    if what.rate is None and what.state is not FeeState.UNCONVERTED:
        return {}
    return _moved(command.fee or ZERO, command.fee_currency, what, currency)


def _moved(fee: Decimal, fee_currency: str, what: Charged, currency: str) -> dict[str, Decimal]:
    return {fee_currency: -fee, currency: what.amount}


class TermsSet(NamedTuple):
    """One record of a portfolio's terms."""

    sequence: int
    recorded_time: int
    command: PortfolioCommand
    portfolio: Portfolio


class PortfolioCommand(NamedTuple):
    """What is asked of a portfolio's terms: ``changes`` are fields of Portfolio by name; the method's value is stored."""

    method: TermsMethod
    portfolio_id: str
    request_id: str
    changes: tuple[tuple[str, object], ...] = ()
    validate_only: bool = False
    symbol: str = ""
    fill_id: str = ""

    @property
    def role(self) -> Role:
        """It has no id of a venue."""
        return Role.EVENT


class TermsMethod(Enum):
    """The RPC; the value is stored."""

    CREATE = "CreatePortfolio"
    UPDATE = "UpdatePortfolio"
    CLOSE = "ClosePortfolio"


class DefineInstrument(NamedTuple):
    """A declaration; it belongs to no portfolio."""

    instrument: Instrument
    request_id: str
    validate_only: bool = False
    portfolio_id: str = ""
    fill_id: str = ""

    @property
    def symbol(self) -> str:
        """Of the instrument."""
        return self.instrument.symbol

    @property
    def role(self) -> Role:
        """It has no id of a venue."""
        return Role.EVENT


class InstrumentDefined(NamedTuple):
    """One record of an instrument."""

    sequence: int
    recorded_time: int
    command: DefineInstrument
    instrument: Instrument
