"""Entries and closed trades as the world sees them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from lotkeeperd.domain.book import Book
from lotkeeperd.domain.commands import Command
from lotkeeperd.domain.deciding import decide
from lotkeeperd.domain.trades import (
    ClosedTrade,
    EntryStatus,
    Restatement,
    Totals,
    closed_trades,
    entry_as_opened,
    entry_of,
    status_of,
)
from tests.domain.asking import BOUGHT, LONG, NOW, SHORT, SOLD, TERMS, close_fifo, create_entry, journaled, record_fill
from tests.domain.language import book_of

NEXT = 9


def trades_of(command: Command, book: Book) -> list[ClosedTrade]:
    """What ``command`` closes in ``book``."""
    what = decide(command, book, NEXT, NOW, TERMS)
    return list(closed_trades(command, what.fill, what.records, book.contract, what.charged.state))


def test_a_closed_trade_carries_both_sides_and_the_labels_of_its_entry() -> None:
    """Every field of the contract."""
    book = Book()
    labels = (("bot", "a"), ("why", "signal"))
    entry = create_entry(LONG, "4", "100")._replace(
        fee=Decimal(2), order_id="o1", fill_id="f1", time=5, group_id="g", labels=labels, reason="not the exit's"
    )
    journaled(entry, book, 1)
    exit_ = close_fifo("1", "110")._replace(
        fee=Decimal("0.3"), order_id="o2", fill_id="f2", time=8, reason="take_profit"
    )

    assert trades_of(exit_, book) == [
        ClosedTrade(
            portfolio_id="p",
            symbol="X",
            side=LONG,
            sequence=NEXT,
            trade_index=0,
            entry_sequence=1,
            quantity=Decimal(1),
            entry_price=Decimal(100),
            exit_price=Decimal(110),
            entry_time=5,
            exit_time=8,
            exit_order_id="o2",
            exit_fill_id="f2",
            exit_reason="take_profit",
            gross_pnl=Decimal(10),
            entry_fee=Decimal("0.5"),
            exit_fee=Decimal("0.3"),
            net_pnl=Decimal("9.2"),
            pnl_pct=Decimal("9.2"),
            entry_order_id="o1",
            entry_fill_id="f1",
            group_id="g",
            labels=labels,
            synthetic=False,
            currency="",
            exit_sequence=NEXT,
            provisional=False,
        )
    ]


def test_trades_of_one_fill_are_numbered_in_the_order_they_were_closed() -> None:
    """(sequence, index) orders all closed trades; a flip's opened lot is not one of them."""
    trades = trades_of(record_fill(SOLD, "9"), book_of("#1 +1@100, #2 +2@101"))

    assert [(trade.trade_id, trade.entry_id) for trade in trades] == [("T9.0", "E1"), ("T9.1", "E2")]
    assert [trade.side for trade in trades] == [LONG, LONG]


def test_a_fill_that_opens_closes_no_trade() -> None:
    """Nothing to report."""
    assert trades_of(record_fill(BOUGHT, "1"), book_of("#1 +1@100")) == []


@pytest.mark.parametrize(
    ("lots", "price", "fee", "percent"),
    [
        ("#1 +3@100", "110", "0", "10"),
        ("#1 -3@100", "110", "0", "-10"),
        ("#1 +3@100", "100", "1", "-0.333333"),
        ("#1 +3@700", "701", "0", "0.142857"),
        ("#1 +3@0", "10", "0", None),
    ],
    ids=["a long that won", "a short that lost", "only a fee", "half-even at 6 digits", "bought for nothing"],
)
def test_the_percentage_is_net_of_fees_over_the_entrys_notional(
    lots: str, price: str, fee: str, percent: str | None
) -> None:
    """Unset where the notional is 0."""
    (trade,) = trades_of(close_fifo(None, price)._replace(fee=Decimal(fee)), book_of(lots))

    assert trade.pnl_pct == (None if percent is None else Decimal(percent))


@pytest.mark.parametrize(
    ("remaining", "status"),
    [("3", EntryStatus.OPEN), ("2.999", EntryStatus.PARTIALLY_CLOSED), ("0", EntryStatus.CLOSED)],
)
def test_the_status_of_an_entry_says_how_much_of_it_is_open(remaining: str, status: EntryStatus) -> None:
    """All, some or none."""
    assert status_of(Decimal(3), Decimal(remaining)) is status


def test_an_entry_is_shown_as_it_was_opened_and_as_it_is_now() -> None:
    """A replay repeats the first, a list shows the second."""
    book = Book()
    decision = journaled(create_entry(SHORT, "4")._replace(fee=Decimal(8)), book, 3)
    journaled(close_fifo("1"), book, 4)
    assert decision.opened is not None

    then = entry_as_opened("p", "X", decision.opened)
    (now,) = (entry_of("p", "X", lot) for lot in book.lots())

    assert (then.entry_id, then.status) == ("E3", EntryStatus.OPEN)
    assert (then.remaining_quantity, then.open_fee) == (Decimal(4), Decimal(8))
    assert (now.entry_id, now.status) == ("E3", EntryStatus.PARTIALLY_CLOSED)
    assert (now.remaining_quantity, now.open_fee) == (Decimal(3), Decimal(6))
    assert then.opened is now.opened


def test_an_entry_that_counts_no_more_is_superseded() -> None:
    """Whatever was open of it."""
    book = Book()
    decision = journaled(create_entry(LONG, "4"), book, 3)
    assert decision.opened is not None

    assert entry_as_opened("p", "X", decision.opened)._replace(superseded=True).status is EntryStatus.SUPERSEDED


def test_totals_are_net_of_fees() -> None:
    """And zero where nothing was closed."""
    assert Totals("USD", Decimal(10), Decimal("2.5")).net_realized == Decimal("7.5")
    assert Totals("USD").net_realized == 0


def test_a_restatement_stands_where_its_correction_put_it() -> None:
    """By the trade that took the place, or, where nothing did, by what the other one says of it."""
    book = Book()
    journaled(create_entry(LONG, "1", "100"), book, 1)
    (before,) = trades_of(close_fifo("1", "110"), book)
    after = before._replace(sequence=12, trade_index=3)

    assert Restatement("p", "X", before, after).place == (12, 3)
    assert Restatement("p", "X", None, after).place == (12, 3)
    assert Restatement("p", "X", before._replace(superseded_by=(13, 0)), None).place == (13, 0)
