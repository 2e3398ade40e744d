"""What a command may do under the terms of its portfolio and its instrument: lots before, the command, lots after, or why not."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

import pytest

from lotkeeperd.domain.book import Book, Contract, Direction, LotMethod
from lotkeeperd.domain.commands import Command, Excess, Method, Terms
from lotkeeperd.domain.deciding import decide
from lotkeeperd.domain.instruments import Instrument, Kind
from lotkeeperd.domain.portfolios import Portfolio, PositionMode
from lotkeeperd.domain.refusals import (
    FieldViolations,
    InsufficientQuantity,
    LongOnly,
    LotNotOpen,
    NoOpenPosition,
    PortfolioClosed,
    Refusal,
)
from tests.domain.asking import (
    BOUGHT,
    LONG,
    NOW,
    SHORT,
    SOLD,
    TERMS,
    close_fifo,
    create_entry,
    journaled,
    record_fill,
)
from tests.domain.language import book_of, lots_of, matched, matches, open_lots

NEXT = 9
PLAIN = Portfolio("p", "USD")
LONG_ONLY = Terms(Instrument("X"), PLAIN._replace(long_only=True))
HEDGING = Terms(Instrument("X"), PLAIN._replace(position_mode=PositionMode.HEDGING))
SPOT = Terms(Instrument("X", base_currency="BTC", declared=True), PLAIN)
SPREAD = Terms(Instrument("X", negative_prices=True, declared=True, kind=Kind.FUTURE), PLAIN)
INVERSE = Terms(Instrument("X", Kind.INVERSE, settlement_currency="BTC", declared=True), PLAIN)
CLOSED = Terms(Instrument("X"), PLAIN._replace(closed=True))
CHOSEN = Terms(Instrument("X"), PLAIN._replace(lot_method=LotMethod.CHOSEN))
HEDGED_LONGS = Terms(Instrument("X"), HEDGING.portfolio._replace(long_only=True))


def unspecified(command: Command) -> Command:
    """Without a policy for what is beyond the open lots."""
    return command._replace(excess=Excess.UNSPECIFIED)


def of_side(command: Command, side: Direction) -> Command:
    """In the book of one side of a hedging portfolio."""
    return command._replace(book_side=side)


def choosing(command: Command, *chosen: tuple[int, str]) -> Command:
    """Closing these lots."""
    return command._replace(chosen=tuple((sequence, Decimal(quantity)) for sequence, quantity in chosen))


def fee_in_coin(command: Command, fee: str) -> Command:
    """With a fee in the coin that is traded."""
    return command._replace(fee=Decimal(fee), fee_currency="BTC")


class Done(NamedTuple):
    """The terms, the lots before, the command, what it closed, the lots after (without their times)."""

    terms: Terms
    before: str
    command: Command
    closed: str
    after: str


DONE = {
    "long-only: a purchase opens": Done(LONG_ONLY, "", record_fill(BOUGHT, "1"), "", "#9 +1@110"),
    "long-only: what is open can be sold": Done(
        LONG_ONLY, "#1 +1@100", unspecified(record_fill(SOLD, "1")), "#1 1 gross 10", ""
    ),
    "long-only: a short from before can be covered": Done(
        LONG_ONLY, "#1 -1@100", close_fifo("1"), "#1 1 gross -10", ""
    ),
    "hedging: each side has a book, the short one opens": Done(
        HEDGING, "", of_side(record_fill(SOLD, "1"), SHORT), "", "#9 -1@110"
    ),
    "hedging: a sale reduces the long side": Done(
        HEDGING, "#1 +3@100", of_side(record_fill(SOLD, "1"), LONG), "#1 1 gross 10", "#1 +2/3@100"
    ),
    "hedging: a purchase closes the short side": Done(
        HEDGING, "#1 -1@100", of_side(record_fill(BOUGHT, "1"), SHORT), "#1 1 gross -10", ""
    ),
    "declared spot: a purchase opens": Done(SPOT, "", unspecified(record_fill(BOUGHT, "1")), "", "#9 +1@110"),
    "declared spot: it goes short where it is told to": Done(
        SPOT, "#1 +1@100", record_fill(SOLD, "3"), "#1 1 gross 10", "#9 -2@110"
    ),
    "declared spot: a short is covered": Done(
        SPOT, "#1 -1@100", unspecified(record_fill(BOUGHT, "1")), "#1 1 gross -10", ""
    ),
    "spot that nobody declared flips": Done(
        TERMS, "#1 +1@100", unspecified(record_fill(SOLD, "3")), "#1 1 gross 10", "#9 -2@110"
    ),
    "a negative price where it is allowed": Done(SPREAD, "#1 +1@2", close_fifo("1", "-3"), "#1 1 gross -5", ""),
    "chosen: the lots the caller names, in his order": Done(
        CHOSEN,
        "#1 +1@100, #2 +2@105, #3 +1@107",
        choosing(close_fifo("2"), (3, "1"), (2, "1")),
        "#3 1 gross 3, #2 1 gross 5",
        "#1 +1@100, #2 +1/2@105",
    ),
    "chosen: a lot that is named twice is taken once": Done(
        CHOSEN, "#1 +1@100, #2 +2@105", choosing(close_fifo("2"), (2, "1"), (2, "1")), "#2 2 gross 10", "#1 +1@100"
    ),
    "chosen: all of them, and the rest opens the other side": Done(
        CHOSEN, "#1 +1@100", choosing(record_fill(SOLD, "3"), (1, "1")), "#1 1 gross 10", "#9 -2@110"
    ),
    "chosen: the oldest where the caller names none": Done(
        CHOSEN, "#1 +1@100, #2 +2@105", close_fifo("1"), "#1 1 gross 10", "#2 +2@105"
    ),
}


@pytest.mark.parametrize("row", DONE.values(), ids=DONE)
def test_what_the_terms_allow_is_done(row: Done) -> None:
    """Long-only, hedging, spot, negative prices, lots chosen one by one."""
    book = book_of(row.before, row.terms.instrument.contract, row.terms.portfolio.lot_method)

    fill, _, records = decide(row.command, book, NEXT, NOW, row.terms)
    assert matched(records) == matches(row.closed)

    book.evolve(records, NEXT, fill.time)
    after = [lot._replace(time=NOW) if lot.number == NEXT else lot for lot in open_lots(row.after)]
    assert lots_of(book) == after


class Refused(NamedTuple):
    """The terms, the lots before, the command, and why it is refused."""

    terms: Terms
    before: str
    command: Command
    refusal: type[Refusal]
    words: str


REFUSED = {
    "closed portfolio": Refused(CLOSED, "", record_fill(BOUGHT, "1"), PortfolioClosed, "'p' is closed"),
    "long-only: a short entry": Refused(LONG_ONLY, "", create_entry(SHORT, "1"), LongOnly, "'X' has 0 open"),
    "long-only: a sale of more than is open, though told to reverse": Refused(
        LONG_ONLY, "#1 +1@100", record_fill(SOLD, "3"), LongOnly, "'X' has 1 open"
    ),
    "long-only: a short from before grows": Refused(
        LONG_ONLY, "#1 -1@100", record_fill(SOLD, "1"), LongOnly, "'X' has 0 open"
    ),
    "long-only: a policy left out means REJECT": Refused(
        LONG_ONLY, "#1 +1@100", unspecified(record_fill(SOLD, "3")), InsufficientQuantity, "1 open, fewer than the 3"
    ),
    "long-only and hedging: the short side stays empty": Refused(
        HEDGED_LONGS, "", of_side(create_entry(SHORT, "1"), SHORT), LongOnly, "'X' has 0 open"
    ),
    "hedging: a side's book never turns": Refused(
        HEDGING, "#1 +1@100", of_side(record_fill(SOLD, "3"), LONG), InsufficientQuantity, "1 open, fewer than the 3"
    ),
    "hedging: nothing to reduce on that side": Refused(
        HEDGING, "", of_side(record_fill(BOUGHT, "1"), SHORT), InsufficientQuantity, "0 open, fewer than the 1"
    ),
    "declared spot: a sale of what nobody holds": Refused(
        SPOT, "", unspecified(record_fill(SOLD, "1")), InsufficientQuantity, "0 open, fewer than the 1"
    ),
    "declared spot: a sale of more than is held": Refused(
        SPOT, "#1 +1@100", unspecified(record_fill(SOLD, "3")), InsufficientQuantity, "1 open, fewer than the 3"
    ),
    "declared spot: more of a short": Refused(
        SPOT, "#1 -1@100", unspecified(record_fill(SOLD, "1")), InsufficientQuantity, "0 open, fewer than the 1"
    ),
    "declared spot: the fee in the coin is sold too": Refused(
        SPOT,
        "#1 +1@100",
        fee_in_coin(close_fifo("1"), "0.001"),
        InsufficientQuantity,
        "1 open, fewer than the 1.001",
    ),
    "declared spot: the fee in the coin eats what was bought": Refused(
        SPOT,
        "",
        fee_in_coin(record_fill(BOUGHT, "1"), "1"),
        FieldViolations,
        "fill.fee: 1 in the coin bought leaves nothing of 1",
    ),
    "a negative price": Refused(
        TERMS,
        "",
        create_entry(LONG, "1", "-1"),
        FieldViolations,
        "entry_price: -1 is negative, which 'X' does not allow",
    ),
    "an inverse contract at 0": Refused(
        INVERSE, "", record_fill(BOUGHT, "1", "0"), FieldViolations, "fill.price: 0 is not greater than 0"
    ),
    "an inverse contract that expires at 0": Refused(
        INVERSE,
        "#1 +1@100",
        Command(Method.EXPIRY, "p", "X", None, None, Decimal(0), close_all=True),
        FieldViolations,
        "price: 0 is not greater than 0",
    ),
    "expiry with nothing open": Refused(
        TERMS,
        "",
        Command(Method.EXPIRY, "p", "X", None, None, Decimal(0), close_all=True),
        NoOpenPosition,
        "'X' has nothing open",
    ),
    "chosen: a lot that is not open": Refused(
        CHOSEN, "#1 +1@100", choosing(close_fifo("1"), (7, "1")), LotNotOpen, "entry 'E7' has 0 open"
    ),
    "chosen: more of a lot than is open": Refused(
        CHOSEN, "#1 +1@100, #2 +1@101", choosing(close_fifo("2"), (1, "2")), LotNotOpen, "entry 'E1' has 1 open"
    ),
    "chosen: not what is to close": Refused(
        CHOSEN,
        "#1 +1@100, #2 +1@101",
        choosing(close_fifo("2"), (1, "1")),
        FieldViolations,
        "lots: 1 are chosen, but 2 of 'X' are to close",
    ),
    "chosen: where the fill closes nothing": Refused(
        CHOSEN,
        "#1 +1@100",
        choosing(record_fill(BOUGHT, "1"), (1, "1")),
        FieldViolations,
        "lots: 1 are chosen, but 0 of 'X' are to close",
    ),
    "chosen: where the lot method chooses": Refused(
        TERMS,
        "#1 +1@100",
        choosing(close_fifo("1"), (1, "1")),
        FieldViolations,
        "lots: are given, but the lot method of this portfolio is FIFO",
    ),
}


@pytest.mark.parametrize("row", REFUSED.values(), ids=REFUSED)
def test_what_the_terms_do_not_allow_is_refused_and_changes_nothing(row: Refused) -> None:
    """The value, the rule and the way out."""
    book = book_of(row.before, row.terms.instrument.contract, row.terms.portfolio.lot_method)
    before = lots_of(book)

    with pytest.raises(row.refusal) as refused:
        decide(row.command, book, NEXT, NOW, row.terms)

    assert row.words in refused.value.message
    assert lots_of(book) == before


def test_an_option_is_worth_a_hundred_times_its_price() -> None:
    """Fees are not multiplied."""
    option = Terms(Instrument("X", Kind.OPTION, Decimal(100)), PLAIN)
    book = Book(option.instrument.contract)

    journaled(create_entry(LONG, "2", "3.5")._replace(fee=Decimal("1.3")), book, 1, option)
    assert [book.cost, book.unrealized(Decimal(4)), book.average_price()] == list(map(Decimal, ("700", "100", "3.5")))

    closed = journaled(close_fifo("1", "5"), book, 2, option)
    assert closed.matches[0][2:4] == (Decimal(150), Decimal("0.65"))


def test_an_inverse_contract_gains_in_its_coin() -> None:
    """100 contracts of 1 USD from 50,000 to 55,000: 100/50000 - 100/55000 coins, each rounded once."""
    book = Book(Contract(inverse=True, currency="BTC"))

    journaled(create_entry(LONG, "100", "50000"), book, 1, INVERSE)
    closed = journaled(close_fifo("100", "55000"), book, 2, INVERSE)

    assert closed.matches[0].gross == Decimal("0.002") - Decimal("0.001818181818181818")
    assert closed.matches[0].cost == Decimal("0.002")


@pytest.mark.parametrize(
    "command",
    [
        Command(Method.LIQUIDATION, "p", "X", SOLD, Decimal(1), Decimal(90)),
        Command(Method.CASH_IN_LIEU, "p", "X", SOLD, Decimal("0.5"), Decimal(90)),
        Command(Method.CASH_SETTLEMENT, "p", "X", None, None, Decimal(90), close_all=True),
        Command(Method.EXERCISE, "p", "X", None, Decimal(1), Decimal(0)),
    ],
    ids=lambda command: command.method.value,
)
def test_the_ends_of_a_contract_close_lots_as_a_fill_does(command: Command) -> None:
    """Never more than there is."""
    book = book_of("#1 +1@100")
    decision = journaled(command, book, NEXT)

    assert decision.opened is None
    assert decision.matches[0].gross == (command.price - 100) * decision.fill.quantity
    with pytest.raises((InsufficientQuantity, NoOpenPosition)):
        decide(command._replace(quantity=Decimal(2), side=SOLD), book_of("#1 +1@100"), NEXT, NOW, TERMS)
