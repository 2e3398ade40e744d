"""Feeds against venues on loopback that speak as the real ones do, when all goes well."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from decimal import Decimal

import pytest

from lotkeeperd.domain.book import Direction
from lotkeeperd.service.marks import Source
from tests.feeds.kinds import KINDS, Kind, every_kind
from tests.feeds.witness import Witness, feeding, spec
from tests.support.venues import FakeVenue, Quote, many_symbols


@every_kind
async def test_a_price_arrives_digit_for_digit(kind: Kind) -> None:
    """At the venue's time, under the ledger's symbol and the feed's name."""
    witness = Witness("OURS")
    async with FakeVenue(clock=witness.clock) as venue, feeding(witness, kind.spec(venue)):
        await venue.wait_subscribed(kind.venue, kind.symbol)
        time = witness.clock()
        await venue.publish(
            kind.venue,
            kind.symbol,
            part=kind.part,
            last="187.2105",
            bid="187.21",
            ask="187.22",
            mark="187.2",
            time=time,
        )
        await witness.until(lambda: witness.fresh("OURS"))
    mark = witness.board.newest("OURS")
    assert mark is not None
    assert (str(mark.price), mark.source, mark.time) == ("187.2105", "feed", time)
    assert witness.losses == []


@every_kind
async def test_longs_are_worth_the_bid_and_shorts_the_ask(kind: Kind) -> None:
    """Every stream that can have a side has it, whatever it calls bid and ask."""
    witness = Witness("OURS")
    async with FakeVenue(clock=witness.clock) as venue, feeding(witness, kind.spec(venue, ("price", "side"))):
        await venue.wait_subscribed(kind.venue, kind.symbol)
        await venue.publish(kind.venue, kind.symbol, part=kind.part, last="100", bid="99.5", ask="100.7")
        await witness.until(lambda: witness.fresh("OURS"))
    mark = witness.board.newest("OURS")
    assert mark is not None
    assert (mark.price_for(Direction.LONG), mark.price_for(Direction.SHORT)) == (Decimal("99.5"), Decimal("100.7"))
    assert mark.price == Decimal("100.1")


@pytest.mark.parametrize("name", ["bybit linear", "bybit inverse", "bybit option"])
async def test_the_venues_own_mark_price_is_used_where_it_has_one(name: str) -> None:
    """With price = 'mark'."""
    kind, witness = KINDS[name], Witness("OURS")
    async with FakeVenue(clock=witness.clock) as venue, feeding(witness, kind.spec(venue, ("price", "mark"))):
        await venue.wait_subscribed(kind.venue, kind.symbol)
        await venue.publish(kind.venue, kind.symbol, part=kind.part, last="100", mark="99.99")
        await witness.until(lambda: witness.price("OURS") == Decimal("99.99"))


async def test_changes_are_merged_onto_the_snapshot() -> None:
    """A new bid alone makes a new middle."""
    kind, witness = KINDS["bybit linear"], Witness("OURS")
    async with FakeVenue(clock=witness.clock) as venue, feeding(witness, kind.spec(venue, ("price", "mid"))):
        await venue.wait_subscribed("bybit", "BTCUSDT")
        await venue.publish("bybit", "BTCUSDT", last="5", bid="10", ask="20")
        await venue.publish("bybit", "BTCUSDT", bid="12")
        await witness.until(lambda: witness.price("OURS") == 16)
        await venue.publish("bybit", "BTCUSDT", ask="30", last="6")
        await witness.until(lambda: witness.price("OURS") == 21)


@every_kind
async def test_what_is_wanted_is_subscribed_and_what_is_not_is_given_up(kind: Kind) -> None:
    """While it runs, by difference; what was known of a symbol when it is asked for comes at once, where a venue has it."""
    witness = Witness()
    table = {kind.symbol: "OURS", "SECOND": "OTHER", "THIRD": "NOBODY'S"}
    async with FakeVenue(clock=witness.clock) as venue, feeding(witness, kind.spec(venue, symbols=table)):
        await venue.wait_connections(kind.venue, 1)
        for wanted, theirs in ((("OURS",), {kind.symbol}), (("OURS", "OTHER", "ELSEWHERE"), {kind.symbol, "SECOND"}),
                               (("OTHER",), {"SECOND"}), ((), set())):  # fmt: skip
            witness.symbols = frozenset(wanted)
            await venue.wait_until(lambda theirs=theirs: venue.subscribed(kind.venue) == theirs)  # type: ignore[misc]
        assert venue.connections(kind.venue) == 1
    assert witness.losses == []


@every_kind
async def test_500_symbols_have_their_own_prices(kind: Kind) -> None:
    """Each under its own name, the last as the first."""
    theirs = many_symbols(500)
    table = {symbol: f"L-{symbol}" for symbol in theirs}
    witness = Witness(*table.values())
    async with FakeVenue(clock=witness.clock) as venue, feeding(witness, kind.spec(venue, symbols=table)):
        await venue.wait_subscribed(kind.venue, *theirs)
        quotes = {symbol: Quote(witness.clock(), last=Decimal(n + 1)) for n, symbol in enumerate(theirs)}
        await venue.publish_many(kind.venue, quotes, part=kind.part)
        await witness.until(lambda: all(witness.fresh(ours) for ours in table.values()))
    assert [witness.price(table[symbol]) for symbol in theirs] == [Decimal(n + 1) for n in range(500)]
    assert witness.losses == []


async def test_a_spot_pair_and_a_perpetual_spelled_alike_stay_apart() -> None:
    """Two feeds with a table each, side by side."""
    witness = Witness("BTC/USDT", "BTC-PERP")
    async with FakeVenue(clock=witness.clock) as venue:
        spot = spec("bybit", venue.url("bybit", "spot"), {"BTCUSDT": "BTC/USDT"}, (("category", "spot"),), "spot")
        perpetual = spec("bybit", venue.url("bybit", "linear"), {"BTCUSDT": "BTC-PERP"}, name="perpetual")
        async with feeding(witness, spot, perpetual):
            await venue.wait_subscribed("bybit", "BTCUSDT", part="spot")
            await venue.wait_subscribed("bybit", "BTCUSDT", part="linear")
            await venue.publish("bybit", "BTCUSDT", part="spot", last="53000")
            await venue.publish("bybit", "BTCUSDT", part="linear", last="53100")
            await witness.until(lambda: witness.fresh("BTC/USDT") and witness.fresh("BTC-PERP"))
    assert (witness.price("BTC/USDT"), witness.price("BTC-PERP")) == (Decimal(53000), Decimal(53100))
    assert {(mark.symbol, mark.source) for mark in witness.accepted} == {
        ("BTC/USDT", "spot"),
        ("BTC-PERP", "perpetual"),
    }


async def test_a_symbol_that_the_venue_does_not_list_is_named_and_the_others_have_prices(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The log says which line of the table to correct."""
    theirs = many_symbols(20)
    witness = Witness(*theirs)
    async with FakeVenue(clock=witness.clock) as venue:
        venue.unlist("bybit", "S007USDT")
        listed = [symbol for symbol in theirs if symbol != "S007USDT"]
        table = {symbol: symbol for symbol in theirs}
        async with feeding(witness, KINDS["bybit linear"].spec(venue, symbols=table)):
            await venue.wait_subscribed("bybit", *listed)
            await venue.publish_many("bybit", {symbol: Quote(witness.clock(), last=Decimal(1)) for symbol in listed})
            await witness.until(lambda: all(witness.fresh(symbol) for symbol in listed))
    assert [record.message for record in caplog.records if "S007USDT" in record.message] == [
        "feed feed: Invalid topic: tickers.S007USDT: no prices for S007USDT; correct the table symbols"
    ]


async def test_a_small_plan_gives_prices_to_the_first_symbols_of_the_table(caplog: pytest.LogCaptureFixture) -> None:
    """The log says who goes without."""
    theirs = many_symbols(50)
    witness = Witness(*theirs)
    async with FakeVenue(clock=witness.clock, alpaca_symbols=30) as venue:
        table = {symbol: symbol for symbol in theirs}
        async with feeding(witness, KINDS["alpaca json"].spec(venue, symbols=table)):
            await venue.wait_subscribed("alpaca", *theirs[:30])
            await witness.until(lambda: any("larger plan" in record.message for record in caplog.records))
            assert venue.subscribed("alpaca") == set(theirs[:30])
    assert witness.losses == []


async def test_a_quiet_market_is_not_a_break() -> None:
    """Alpaca says nothing at night, but answers when it is asked again; the others answer pings, or beat."""
    witness = Witness("OURS")
    kinds = [KINDS["alpaca json"], KINDS["bybit linear"], KINDS["coinbase"]]
    async with FakeVenue(clock=witness.clock, heartbeat_seconds=0.05) as venue:
        specs = [kind.spec(venue, ("silence", 0.6))._replace(name=kind.venue) for kind in kinds]
        async with feeding(witness, *specs):
            await witness.until(lambda: all(witness.source(kind.venue).message_count >= 5 for kind in kinds))
    assert witness.losses == []


async def test_cancelling_a_feed_leaves_the_venue_in_the_orderly_way() -> None:
    """And is no break: the ledger is going."""
    witness = Witness("OURS")
    async with FakeVenue(clock=witness.clock) as venue:
        async with feeding(witness, KINDS["coinbase"].spec(venue)):
            await venue.wait_subscribed("coinbase", "BTC-USD")
        await venue.wait_until(lambda: venue.open_connections("coinbase") == 0)
        assert venue.lost_connections == 0
    assert witness.losses == []


async def test_a_feed_is_listed_before_it_is_connected() -> None:
    """A source that never came is seen all the same."""
    witness = Witness()
    async with FakeVenue(clock=witness.clock) as venue, feeding(witness, KINDS["coinbase"].spec(venue)):
        await asyncio.sleep(0)
        assert witness.board.sources() == [Source("feed", connected=False)]
        await witness.until(lambda: witness.source("feed").connected)


def test_libraries_are_imported_when_a_feed_runs_and_not_before() -> None:
    """A ledger without feeds does not pay for them."""
    program = (
        "import sys, lotkeeperd.feeds.run, lotkeeperd.feeds.spec; "
        "print([name for name in ('websockets', 'msgpack') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
