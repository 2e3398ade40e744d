"""Which price of a quote values positions."""

from __future__ import annotations

from decimal import Decimal

import pytest

from lotkeeperd.domain.book import Direction
from lotkeeperd.feeds.quotes import Quote, chosen, marked
from lotkeeperd.feeds.spec import FeedSpec, Price

WHOLE = Quote("BTC-USD", 5, last=Decimal(100), bid=Decimal("99.5"), ask=Decimal("100.7"), mark=Decimal("100.2"))


@pytest.mark.parametrize(
    ("price", "value"),
    [(Price.LAST, "100"), (Price.MID, "100.10"), (Price.MARK, "100.2"), (Price.SIDE, "100.10")],
)
def test_the_price_is_the_one_that_was_asked_for(price: Price, value: str) -> None:
    """To the digit; the middle has the one digit more that it needs."""
    assert str(chosen(WHOLE, price)) == value


@pytest.mark.parametrize("price", list(Price))
def test_a_price_that_is_not_known_is_not_replaced(price: Price) -> None:
    """Unknown is not zero, and not another price (law 12)."""
    assert chosen(Quote("BTC-USD", 5), price) is None


def test_the_middle_needs_both_sides() -> None:
    """A one-sided book has none."""
    assert chosen(WHOLE._replace(bid=None), Price.MID) is None


def test_sides_fall_back_on_the_last_trade_while_one_of_them_is_empty() -> None:
    """The side that is there is used, the other is worth the last trade."""
    spec = FeedSpec("feed", "coinbase", {"BTC-USD": "BTC/USD"}, Price.SIDE)
    mark = marked(WHOLE._replace(ask=None), spec)
    assert mark is not None
    assert mark.price_for(Direction.LONG) == Decimal("99.5")
    assert mark.price_for(Direction.SHORT) == Decimal(100)


BY_SIDE = FeedSpec("feed", "coinbase", {"BTC-USD": "BTC/USD"}, Price.SIDE)


@pytest.mark.parametrize(
    ("last", "bid", "ask", "long", "short"),
    [
        (None, "99.5", None, "99.5", "99.5"),
        (None, None, "100.7", "100.7", "100.7"),
        ("98", "99.5", None, "99.5", "99.5"),
        ("101", None, "100.7", "100.7", "100.7"),
        ("101", "99.5", None, "99.5", "101"),
        ("98", None, "100.7", "98", "100.7"),
    ],
)
def test_the_side_that_is_there_bounds_what_stands_for_the_other(
    last: str | None, bid: str | None, ask: str | None, long: str, short: str
) -> None:
    """The last trade counts where that side does not rule it out; without one that side is all there is."""
    quote = Quote("BTC-USD", 5, *(price and Decimal(price) for price in (last, bid, ask)))  # type: ignore[arg-type]
    mark = marked(quote, BY_SIDE)
    assert mark is not None
    assert (mark.price_for(Direction.LONG), mark.price_for(Direction.SHORT)) == (Decimal(long), Decimal(short))


def test_without_both_sides_there_is_no_mark_whatever_was_traded() -> None:
    """Nothing can be closed then."""
    assert marked(WHOLE._replace(bid=None, ask=None), BY_SIDE) is None


def test_longs_are_worth_the_bid_and_shorts_the_ask() -> None:
    """With the setting for it."""
    mark = marked(WHOLE, FeedSpec("feed", "coinbase", {"BTC-USD": "BTC/USD"}, Price.SIDE))
    assert mark is not None
    assert (mark.price_for(Direction.LONG), mark.price_for(Direction.SHORT)) == (Decimal("99.5"), Decimal("100.7"))


def test_a_mark_has_the_ledgers_symbol_and_the_feeds_name() -> None:
    """The table maps the venue's spelling; time, bid and ask are the venue's."""
    mark = marked(WHOLE, FeedSpec("feed", "coinbase", {"BTC-USD": "BTC/USD"}))
    assert mark is not None
    assert (mark.symbol, mark.source, mark.time) == ("BTC/USD", "feed", 5)
    assert (mark.bid, mark.ask, mark.by_side) == (WHOLE.bid, WHOLE.ask, False)


def test_a_symbol_that_is_not_in_the_table_makes_no_mark() -> None:
    """Whatever a venue sends unasked."""
    assert marked(WHOLE, FeedSpec("feed", "coinbase", {"ETH-USD": "ETH/USD"})) is None
