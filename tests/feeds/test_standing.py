"""A price that the venue withdrew does not look fresh, and nothing older brings it back."""

from __future__ import annotations

from decimal import Decimal

import pytest

from lotkeeperd.feeds.quotes import Quote
from lotkeeperd.feeds.spec import FeedSpec, Price
from lotkeeperd.feeds.standing import News, Standing
from tests.feeds.kinds import KINDS, Kind, every_kind
from tests.feeds.witness import Witness, feeding
from tests.support.venues import FakeVenue

SPEC = FeedSpec("feed", "coinbase", {"A-USD": "A", "B-USD": "B"}, Price.MID)


def both(time: int, symbol: str = "A-USD") -> Quote:
    """A book with both sides."""
    return Quote(symbol, time, bid=Decimal(1), ask=Decimal(3))


def one(time: int, symbol: str = "A-USD") -> Quote:
    """A book that nobody asks in."""
    return Quote(symbol, time, bid=Decimal(1))


def taken(standing: Standing, *quotes: Quote) -> tuple[list[int], list[str]]:
    """The times of the marks of one frame, and what it withdraws."""
    news = standing.take(quotes)
    return [mark.time for mark in news.marks], news.withdrawn


def test_a_quote_without_the_price_withdraws_the_mark_once() -> None:
    """Under the ledger's symbol, and no other's."""
    standing = Standing(SPEC)
    assert taken(standing, both(1), both(1, "B-USD")) == ([1, 1], [])
    assert taken(standing, one(2)) == ([], ["A"])
    assert taken(standing, one(3)) == ([], [])


def test_what_had_no_price_yet_has_nothing_to_withdraw() -> None:
    """Nor has a symbol that is not in the table."""
    assert Standing(SPEC).take([one(1), one(1, "C-USD")]) == News([], [])


def test_an_older_quote_neither_withdraws_nor_brings_back() -> None:
    """Whatever order they come in; what is as old counts, since it came later."""
    standing = Standing(SPEC)
    taken(standing, both(5))
    assert taken(standing, one(4)) == ([], [])
    assert taken(standing, one(5)) == ([], ["A"])
    assert taken(standing, both(4)) == ([], [])
    assert taken(standing, both(5)) == ([5], [])
    assert taken(standing, both(3)) == ([3], [])  # the board counts it as outdated
    assert taken(standing, one(4)) == ([], [])


def test_what_a_frame_says_last_of_a_symbol_counts() -> None:
    """One frame may say more than one thing of it."""
    standing = Standing(SPEC)
    assert taken(standing, both(1), one(2)) == ([1], ["A"])
    assert taken(standing, both(3), one(4), both(5)) == ([3, 5], [])


SIDED = {name: kind for name, kind in KINDS.items() if name != "alpaca msgpack"}


@every_kind
async def test_an_emptied_side_makes_the_middle_stale_at_once(kind: Kind) -> None:
    """And its return makes it fresh; no connection was lost."""
    witness = Witness("OURS")
    async with FakeVenue(clock=witness.clock) as venue, feeding(witness, kind.spec(venue, ("price", "mid"))):
        await venue.wait_subscribed(kind.venue, kind.symbol)
        await venue.publish(kind.venue, kind.symbol, part=kind.part, last="10", bid="9", ask="11")
        await witness.until(lambda: witness.fresh("OURS"))
        await venue.publish(kind.venue, kind.symbol, part=kind.part, ask=0)
        await witness.until(lambda: not witness.fresh("OURS"))
        await venue.publish(kind.venue, kind.symbol, part=kind.part, ask="13")
        await witness.until(lambda: witness.fresh("OURS"))
        assert witness.price("OURS") == 11
    assert (witness.withdrawals, witness.losses) == (["OURS"], [])


@pytest.mark.parametrize("kind", SIDED.values(), ids=SIDED.keys())
async def test_a_book_without_any_side_makes_prices_by_side_stale(kind: Kind) -> None:
    """With one side they are still fresh."""
    witness = Witness("OURS")
    async with FakeVenue(clock=witness.clock) as venue, feeding(witness, kind.spec(venue, ("price", "side"))):
        await venue.wait_subscribed(kind.venue, kind.symbol)
        await venue.publish(kind.venue, kind.symbol, part=kind.part, last="10", bid="9", ask="11")
        await venue.publish(kind.venue, kind.symbol, part=kind.part, ask=0)
        await witness.until(lambda: len(witness.accepted) == 2)
        assert witness.fresh("OURS")
        await venue.publish(kind.venue, kind.symbol, part=kind.part, bid=0)
        await witness.until(lambda: not witness.fresh("OURS"))
    assert (witness.withdrawals, witness.losses) == (["OURS"], [])
