"""What goes wrong between a venue and a feed: the marks are stale at once, and fresh again when it heals."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest

from lotkeeperd.feeds import sockets
from tests.feeds.kinds import KINDS, Kind, every_kind, publish_last
from tests.feeds.witness import MILLISECOND, NEVER, Loss, Witness, feeding, spec
from tests.support.venues import (
    Cut,
    Duplicate,
    FakeVenue,
    Gap,
    Garbage,
    OutOfOrder,
    Silence,
    Slow,
)


@asynccontextmanager
async def priced(kind: Kind, witness: Witness, *more: tuple[str, object]) -> AsyncIterator[FakeVenue]:
    """A feed that has its first price, 1."""
    async with (
        FakeVenue(clock=witness.clock, heartbeat_seconds=0.05) as venue,
        feeding(witness, kind.spec(venue, *more)),
    ):
        await venue.wait_subscribed(kind.venue, kind.symbol)
        await publish_last(venue, kind, "1")
        await witness.until(lambda: witness.fresh("OURS"))
        yield venue


async def broken_and_healed(venue: FakeVenue, kind: Kind, witness: Witness) -> Loss:
    """Wait for one break that made the mark stale, and for the next connection to make it fresh; what was said of the break."""
    await witness.until(lambda: bool(witness.losses))
    moment = witness.at_loss[0]
    assert moment.stale == {"OURS"}, "the mark was not stale in the moment of the break"
    assert (moment.source.connected, moment.source.reconnect_count) == (False, 1)
    venue.heal(kind.venue)
    await venue.wait_connections(kind.venue, made=2)
    await venue.wait_subscribed(kind.venue, kind.symbol)
    await publish_last(venue, kind, "2")
    await witness.until(lambda: witness.fresh("OURS") and witness.price("OURS") == 2)
    assert witness.source("feed").connected
    (loss,) = witness.losses
    return loss


@every_kind
async def test_a_cut_in_the_middle_of_a_frame_is_healed(kind: Kind) -> None:
    """Half a message is no price."""
    witness = Witness("OURS")
    async with priced(kind, witness) as venue:
        venue.strike(kind.venue, Cut())
        await publish_last(venue, kind, "7")
        loss = await broken_and_healed(venue, kind, witness)
    assert (loss.source, loss.dropped) == ("feed", True)
    assert "the connection ended: no close frame received" in loss.words
    assert [mark.price for mark in witness.accepted[: witness.at_loss[0].accepted]] == [1], "half a price was taken"


@every_kind
async def test_a_connection_that_says_nothing_any_more_is_given_up(kind: Kind) -> None:
    """Connected, but mute: no price, no answer, no heartbeat."""
    witness = Witness("OURS")
    async with priced(kind, witness, ("silence", 0.6)) as venue:
        venue.strike(kind.venue, Silence())
        loss = await broken_and_healed(venue, kind, witness)
    assert loss == Loss("feed", "connected, but no message for 0.6 seconds", True)


@every_kind
async def test_a_message_that_cannot_be_read_is_a_break_and_not_a_crash(kind: Kind) -> None:
    """The words show what came."""
    witness = Witness("OURS")
    async with priced(kind, witness) as venue:
        venue.strike(kind.venue, Garbage())
        await publish_last(venue, kind, "7")
        loss = await broken_and_healed(venue, kind, witness)
    assert "lastPri" in loss.words


async def test_a_gap_in_the_numbering_is_healed_by_a_new_connection() -> None:
    """Coinbase numbers every message; its next one, a heartbeat, shows the loss."""
    kind, witness = KINDS["coinbase"], Witness("OURS")
    async with priced(kind, witness) as venue:
        venue.strike("coinbase", Gap())
        await publish_last(venue, kind, "7")
        loss = await broken_and_healed(venue, kind, witness)
    assert "of the connection were lost" in loss.words


@every_kind
async def test_an_orderly_end_is_healed(kind: Kind) -> None:
    """A venue that restarts says so."""
    witness = Witness("OURS")
    async with priced(kind, witness) as venue:
        await venue.close_connections(kind.venue)
        loss = await broken_and_healed(venue, kind, witness)
    assert "1012" in loss.words
    assert "service restart" in loss.words


@every_kind
async def test_repetitions_change_nothing(kind: Kind) -> None:
    """The newest price stands, and there is no break."""
    witness = Witness("OURS")
    async with priced(kind, witness) as venue:
        venue.strike(kind.venue, Duplicate(times=3))
        for price in range(2, 22):
            await publish_last(venue, kind, str(price))
        await witness.until(lambda: witness.price("OURS") == 21)
    prices = [mark.price for mark in witness.accepted]
    assert prices == sorted(prices), "a repetition was taken for a newer price"
    assert witness.losses == []


@pytest.mark.parametrize("name", [name for name in KINDS if name != "coinbase"])
async def test_an_older_price_that_comes_later_does_not_stand(name: str) -> None:
    """Where messages are not numbered without gaps their times decide."""
    kind, witness = KINDS[name], Witness("OURS")
    async with priced(kind, witness) as venue:
        venue.strike(kind.venue, OutOfOrder())
        for price in range(2, 22):
            await publish_last(venue, kind, str(price))
        venue.heal(kind.venue)
        await publish_last(venue, kind, "99")
        await witness.until(lambda: witness.price("OURS") == 99)
    taken = [mark.price for mark in witness.taken]
    assert taken == sorted(taken)
    assert witness.losses == []


async def test_changes_out_of_order_lose_no_price() -> None:
    """Of two changes that changed places each carries another price; both stand."""
    kind, witness = KINDS["bybit linear"], Witness("OURS")
    async with FakeVenue(clock=witness.clock) as venue, feeding(witness, kind.spec(venue, ("price", "mid"))):
        await venue.wait_subscribed("bybit", "BTCUSDT")
        await venue.publish("bybit", "BTCUSDT", bid="1", ask="3")
        await witness.until(lambda: witness.price("OURS") == 2)
        venue.strike("bybit", OutOfOrder())
        await venue.publish("bybit", "BTCUSDT", bid="10")
        await venue.publish("bybit", "BTCUSDT", ask="20")
        await witness.until(lambda: witness.price("OURS") == 15)


async def test_a_number_out_of_order_is_a_gap() -> None:
    """Where every message is numbered, a new connection puts it right."""
    kind, witness = KINDS["coinbase"], Witness("OURS")
    async with priced(kind, witness) as venue:
        venue.strike("coinbase", OutOfOrder())
        await publish_last(venue, kind, "7")
        await publish_last(venue, kind, "8")
        loss = await broken_and_healed(venue, kind, witness)
    assert "were lost" in loss.words


@every_kind
async def test_a_slow_venue_is_not_a_broken_one(kind: Kind) -> None:
    """Every price arrives, late."""
    witness = Witness("OURS")
    async with priced(kind, witness) as venue:
        venue.strike(kind.venue, Slow(0.02))
        for price in range(2, 12):
            await publish_last(venue, kind, str(price))
        await witness.until(lambda: witness.price("OURS") == 11)
    assert [mark.price for mark in witness.taken][-10:] == [Decimal(price) for price in range(2, 12)]
    assert witness.losses == []


async def test_a_message_larger_than_the_limit_is_a_break() -> None:
    """It is not kept in memory to see how it ends."""
    kind, witness = KINDS["coinbase"], Witness("OURS")
    async with priced(kind, witness) as venue:
        venue.strike("coinbase", Garbage(body="x" * (sockets.LARGEST_MESSAGE + 1)))
        await publish_last(venue, kind, "7")
        loss = await broken_and_healed(venue, kind, witness)
    assert "1009" in loss.words


async def test_the_ledger_is_told_before_the_connection_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mute venue may take its time over the good-bye; until then a price would look fresh."""
    order: list[str] = []

    class Noting(Witness):
        """Notes when it was told."""

        def lost(self, source: str, error: str, dropped: bool = True) -> None:
            """As the port says."""
            order.append("told")
            super().lost(source, error, dropped)

    async def close(socket: sockets.Socket) -> None:
        order.append("closed")
        await really_close(socket)

    really_close = sockets.Socket.close
    monkeypatch.setattr(sockets.Socket, "close", close)
    kind, witness = KINDS["coinbase"], Noting("OURS")
    async with priced(kind, witness, ("silence", 0.3)) as venue:
        venue.strike("coinbase", Silence())
        await broken_and_healed(venue, kind, witness)
    assert order == ["told", "closed", "closed"]  # the last when the feed was cancelled


async def test_one_feeds_break_leaves_the_others_prices_fresh() -> None:
    """Only its own marks are stale."""
    witness = Witness("A", "B")
    async with FakeVenue(clock=witness.clock) as venue:
        specs = [
            spec("coinbase", venue.url("coinbase"), {"A-USD": "A"}, name="one"),
            spec("bybit", venue.url("bybit"), {"BUSDT": "B"}, name="two"),
        ]
        async with feeding(witness, *specs, pace=NEVER):
            await venue.wait_subscribed("coinbase", "A-USD")
            await venue.wait_subscribed("bybit", "BUSDT")
            await venue.publish("coinbase", "A-USD", last="1")
            await venue.publish("bybit", "BUSDT", last="1")
            await witness.until(lambda: witness.fresh("A") and witness.fresh("B"))
            venue.abort_connections("coinbase")
            await witness.until(lambda: bool(witness.losses))
            assert (witness.fresh("A"), witness.fresh("B")) == (False, True)


async def test_a_price_of_another_connection_does_not_go_back_in_time() -> None:
    """What a new connection begins with may be older than what the last one ended with."""
    kind, witness = KINDS["bybit linear"], Witness("OURS")
    async with priced(kind, witness) as venue:
        late = witness.clock() + 1000 * MILLISECOND
        await publish_last(venue, kind, "5", time=late)
        await witness.until(lambda: witness.price("OURS") == 5)
        venue.abort_connections("bybit")
        await witness.until(lambda: bool(witness.losses))
        await publish_last(venue, kind, "4", time=late - 1)
        await venue.wait_connections("bybit", made=2)
        await venue.wait_subscribed("bybit", "BTCUSDT")
        await publish_last(venue, kind, "6", time=late + MILLISECOND)
        await witness.until(lambda: witness.price("OURS") == 6)
    assert Decimal(4) not in {mark.price for mark in witness.taken}


async def test_a_fault_of_ours_leaves_no_price_that_looks_fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """The feed ends with the error, after the ledger was told."""
    kind, witness = KINDS["coinbase"], Witness("OURS")
    async with FakeVenue(clock=witness.clock) as venue:
        task = asyncio.create_task(_fail_at_the_second_price(venue, kind, witness, monkeypatch))
        with pytest.raises(ZeroDivisionError):
            await task
    assert witness.board.is_stale("OURS")
    assert witness.losses == [Loss("feed", "ours", True)]


async def _fail_at_the_second_price(
    venue: FakeVenue, kind: Kind, witness: Witness, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with feeding(witness, kind.spec(venue)) as (task,):
        await venue.wait_subscribed("coinbase", kind.symbol)
        await publish_last(venue, kind, "1")
        await witness.until(lambda: witness.fresh("OURS"))

        def fail(*_: object) -> None:
            raise ZeroDivisionError("ours")

        monkeypatch.setattr("lotkeeperd.feeds.standing.marked", fail)
        await publish_last(venue, kind, "2")
        await task
