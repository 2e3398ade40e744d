"""How a fee comes into a book: in its currency, in the coin that is traded, through a rate, later, or not yet."""

from __future__ import annotations

from decimal import Decimal

import pytest

from lotkeeperd.domain.accounts import cash_of, elsewhere
from lotkeeperd.domain.book import Book
from lotkeeperd.domain.commands import Command, Method, Terms
from lotkeeperd.domain.fees import NONE, NOTHING_PENDING, Charged, FeeState, Pending, charged
from lotkeeperd.domain.instruments import Instrument, Kind
from lotkeeperd.domain.portfolios import Portfolio
from lotkeeperd.domain.rates import Rate
from tests.domain.asking import BOUGHT, LONG, SOLD, close_fifo, create_entry, journaled, record_fill
from tests.domain.journal import Journal, assert_whole, net

SPOT = Terms(Instrument("X", base_currency="BTC", declared=True), Portfolio("p", "USD"))
LATER = Terms(Instrument("X"), Portfolio("p", "USD", fees_later=True))
BNB_IN_USD = Rate("BNB", "USD", Decimal(600), 5, "told")
EUR_IN_USD_INVERTED = Rate("USD", "EUR", Decimal("0.8"), 5, "told", inverted=True)

# the fee, its currency, the rate that is known; what comes of it
CHARGED = {
    "the book's currency": ("1.5", "USD", None, Charged(Decimal("1.5"))),
    "no currency is the book's": ("1.5", "", None, Charged(Decimal("1.5"))),
    "no fee in whatever coin": ("0", "BNB", None, Charged(Decimal(0))),
    "the coin that is traded": ("0.001", "BTC", None, Charged(Decimal(50), Decimal("0.001"))),
    "a rebate in the coin that is traded": ("-0.001", "BTC", None, Charged(Decimal(-50), Decimal("-0.001"))),
    "a third coin, by its rate": ("0.01", "BNB", BNB_IN_USD, Charged(Decimal(6), rate=BNB_IN_USD)),
    "a third coin, by a rate that is quoted the other way round": (
        "2",
        "EUR",
        EUR_IN_USD_INVERTED,
        Charged(Decimal("2.5"), rate=EUR_IN_USD_INVERTED),
    ),
    "a rebate in a third coin": ("-0.01", "BNB", BNB_IN_USD, Charged(Decimal(-6), rate=BNB_IN_USD)),
    "a third coin that has no rate (law 12)": ("0.01", "BNB", None, Charged(state=FeeState.UNCONVERTED)),
}


@pytest.mark.parametrize(("fee", "currency", "rate", "expected"), CHARGED.values(), ids=CHARGED)
def test_a_fee_comes_in_through_its_currency(fee: str, currency: str, rate: Rate | None, expected: Charged) -> None:
    """At 50,000 for one BTC in a book of USD."""
    assert charged(Decimal(fee), currency, "USD", "BTC", Decimal(50_000), rate) == expected


def in_coin(command: Command, fee: str, currency: str = "BTC") -> Command:
    """The command with a fee in a coin."""
    return command._replace(fee=Decimal(fee), fee_currency=currency)


def test_a_fee_in_the_coin_bought_shrinks_what_arrives_and_cash_is_what_was_paid() -> None:
    """1 bought for 50,000 with 0.001 of it as fee: 0.999 at 50,000 with a fee of 50."""
    book = Book(SPOT.instrument.contract)

    decision = journaled(in_coin(record_fill(BOUGHT, "1", "50000"), "0.001"), book, 1, SPOT)

    assert decision.fill[1:4] == (Decimal("0.999"), Decimal(50_000), Decimal(50))
    assert cash_of(book, SPOT.instrument) == -50_000
    assert elsewhere(decision, "USD") == {}


def test_a_fee_in_the_coin_sold_leaves_with_what_is_sold() -> None:
    """1 sold for 50,000 with 0.001 more of it as fee: 1.001 leave, 50,000 came in."""
    book = Book(SPOT.instrument.contract)
    journaled(create_entry(LONG, "2", "40000"), book, 1, SPOT)

    decision = journaled(in_coin(record_fill(SOLD, "1", "50000"), "0.001"), book, 2, SPOT)

    assert (decision.fill.quantity, book.quantity) == (Decimal("1.001"), Decimal("0.999"))
    assert cash_of(book, SPOT.instrument) == -80_000 + 50_000


def test_a_close_of_all_pays_its_fee_out_of_what_is_open() -> None:
    """Nothing can be left to be paid from."""
    book = Book(SPOT.instrument.contract)
    journaled(create_entry(LONG, "2", "40000"), book, 1, SPOT)

    decision = journaled(in_coin(close_fifo(None, "50000"), "0.001"), book, 2, SPOT)

    assert (decision.fill.quantity, decision.fill.fee, book.direction) == (Decimal(2), Decimal(50), None)


def test_the_base_of_a_contract_is_not_the_coin_that_is_traded() -> None:
    """Only of spot the coin itself changes hands."""
    perpetual = Instrument("X", Kind.PERPETUAL, base_currency="BTC", declared=True)
    book = Book(perpetual.contract)

    decision = journaled(in_coin(record_fill(BOUGHT, "1"), "0.001"), book, 1, SPOT._replace(instrument=perpetual))

    assert decision.charged == Charged(state=FeeState.UNCONVERTED)
    assert decision.fill.quantity == 1


def test_a_converted_fee_keeps_its_rate_with_the_lot_and_leaves_in_its_coin() -> None:
    """The book counts dollars; the coin's balance goes down, and the dollars were not paid."""
    book = Book(SPOT.instrument.contract)

    decision = journaled(in_coin(record_fill(BOUGHT, "1"), "0.01", "BNB"), book, 1, SPOT._replace(rate=BNB_IN_USD))

    assert decision.opened is not None
    origin = decision.opened.origin
    assert (origin.fee, origin.fee_currency, origin.fee_rate) == (Decimal("0.01"), "BNB", BNB_IN_USD)
    assert (book.open_fees, origin.fee_pending) == (Decimal(6), False)
    assert elsewhere(decision, "USD") == {"BNB": Decimal("-0.01"), "USD": Decimal(6)}


def test_an_unconverted_fee_is_no_zero() -> None:
    """Law 12: its trades are provisional, and its coin is gone."""
    journal = Journal(SPOT)
    journal.tell("+1@100", fee=Decimal("0.01"), fee_currency="BNB")
    decision = journal.tell("-1@110", fee=Decimal(1))

    assert journal.book.pending == Pending(0, (("BNB", Decimal("0.01")),))
    assert journal.trades[2, 0].provisional
    assert decision.opened is None
    assert elsewhere(journal.history().slots[0].decision, "USD") == {"BNB": Decimal("-0.01"), "USD": Decimal(0)}


def test_a_rate_that_comes_later_restates_every_fee_that_waited_for_it() -> None:
    """One record for all of them; nothing is pending after it."""
    journal = Journal(SPOT)
    journal.tell("+1@100", fee=Decimal("0.01"), fee_currency="BNB")
    journal.tell("+1@101", fee=Decimal(3))
    journal.tell("-2@110", fee=Decimal("0.02"), fee_currency="BNB")
    before = net(journal.book)

    done = journal.rate(SPOT._replace(rate=BNB_IN_USD), 1, 3)

    assert [(told.before and told.before.trade_id, told.after and told.after.trade_id) for told in done.restated] == [
        ("T3.0", "T4.0"),
        ("T3.1", "T4.1"),
    ]
    assert net(journal.book) - before == -18
    assert journal.book.pending == NOTHING_PENDING
    assert not any(trade.provisional for trade in journal.trades.values() if trade.superseded_by is None)
    assert_whole(journal)


def test_a_fee_that_the_broker_says_days_later_is_awaited_until_then() -> None:
    """Net is provisional; a fee of zero is said as zero."""
    journal = Journal(LATER)
    journal.tell("+1@100", fee=None)
    journal.tell("-1@110", fee=None)
    assert journal.book.pending == Pending(2)
    assert journal.trades[2, 0].provisional

    journal.correct(2, fee=Decimal(3))
    assert (journal.book.pending, journal.book.fees) == (Pending(1), Decimal(3))
    assert journal.trades[3, 0].provisional, "its entry's fee is still to come"

    journal.correct(1, fee=Decimal(0))
    assert journal.book.pending == NOTHING_PENDING
    assert not journal.trades[4, 0].provisional
    assert_whole(journal)


def test_a_fee_that_was_said_is_not_awaited() -> None:
    """Nor is one of an event, which has no execution that a broker could name."""
    book = Book()
    assert journaled(create_entry(LONG, "2")._replace(fee=Decimal(0)), book, 1, LATER).charged == NONE

    expiry = Command(Method.EXPIRY, "p", "X", None, None, Decimal(0), close_all=True)
    assert journaled(expiry, book, 2, LATER).charged == NONE


def test_what_is_pending_is_listed_by_currency() -> None:
    """And goes as it came."""
    unconverted = Charged(state=FeeState.UNCONVERTED)
    pending = NOTHING_PENDING
    for fee, currency in ((Decimal(2), "SOL"), (Decimal(1), "BNB"), (Decimal(3), "SOL")):
        pending = pending.moved(unconverted, fee, currency)
    pending = pending.moved(Charged(state=FeeState.AWAITED), Decimal(0), "").moved(NONE, Decimal(9), "USD")

    assert pending == Pending(1, (("BNB", Decimal(1)), ("SOL", Decimal(5))))
    assert pending.moved(unconverted, Decimal(1), "BNB", -1) == Pending(1, (("SOL", Decimal(5)),))
    assert pending.moved(Charged(state=FeeState.AWAITED), Decimal(0), "", -1).awaited == 0
