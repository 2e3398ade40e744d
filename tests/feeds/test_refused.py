"""What a venue refuses: some of it is final, some is tried again, some slowly."""

from __future__ import annotations

import logging

import pytest

from tests.feeds.kinds import KINDS, Kind, every_kind, publish_last
from tests.feeds.witness import NEVER, Loss, Witness, feeding, spec
from tests.support.venues import (
    CONNECTION_LIMIT,
    WRONG_KEY,
    FakeVenue,
    HangUp,
    RateLimit,
    RefuseConnection,
    many_symbols,
)

SLOW = NEVER._replace(first=0.0, slow=0.3)
"""At once, but slowly where the venue has a limit."""


@pytest.mark.parametrize("name", ["alpaca json", "alpaca msgpack"])
async def test_wrong_keys_end_the_feed_and_say_what_to_do(name: str, caplog: pytest.LogCaptureFixture) -> None:
    """One try is enough to know."""
    kind, witness = KINDS[name], Witness("OURS")
    async with FakeVenue(clock=witness.clock) as venue:
        wrong = kind.spec(venue, ("secret_variable", "OTHER"))
        async with feeding(witness, wrong) as (task,):
            await task
        assert venue.connections("alpaca") == venue.refused_logins == 1
    assert witness.losses == [Loss("feed", "auth failed (402): the key or the secret is refused", False)]
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert record.message == (
        "feed feed ends: auth failed (402): the key or the secret is refused; "
        "mend the feed's table or the variables it names, then start again"
    )
    assert not witness.source("feed").connected


@pytest.mark.parametrize("name", ["alpaca json", "alpaca msgpack", "coinbase"])
async def test_refused_authentication_ends_the_feed(name: str) -> None:
    """Whoever refuses it."""
    kind, witness = KINDS[name], Witness("OURS")
    async with FakeVenue(clock=witness.clock) as venue:
        venue.script(kind.venue, WRONG_KEY)
        async with feeding(witness, kind.spec(venue)) as (task,):
            await task
        assert venue.connections(kind.venue) == 1
    (loss,) = witness.losses
    assert not loss.dropped


async def test_a_connection_that_another_program_has_is_waited_for() -> None:
    """406: it is said what to do, and when the other program ends the prices come."""
    kind, witness = KINDS["alpaca json"], Witness("OURS")
    async with FakeVenue(clock=witness.clock) as venue:
        venue.script("alpaca", CONNECTION_LIMIT)
        async with feeding(witness, kind.spec(venue)):
            await witness.until(lambda: len(witness.losses) >= 2)
            venue.heal("alpaca")
            await venue.wait_subscribed("alpaca", "AAPL")
            await publish_last(venue, kind, "2")
            await witness.until(lambda: witness.fresh("OURS"))
    assert {loss.dropped for loss in witness.losses} == {False}
    assert "connection limit exceeded (406): another program uses this account's connection" in witness.losses[0].words
    assert "PublishMarks" in witness.losses[0].words


@pytest.mark.parametrize("name", ["alpaca json", "alpaca msgpack", "coinbase"])
async def test_the_reason_is_read_also_when_the_venue_hung_up_before_our_reply(name: str) -> None:
    """What it said before it went is still there, and is final."""
    kind, witness = KINDS[name], Witness("OURS")
    async with FakeVenue(clock=witness.clock) as venue:
        venue.script(kind.venue, HangUp(402))
        async with feeding(witness, kind.spec(venue), pace=NEVER) as (task,):
            await witness.until(lambda: bool(witness.losses))
            assert "the connection ended" not in witness.losses[0].words
            await task


async def test_a_connection_limit_is_known_also_when_the_venue_hung_up_at_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Or a feed without a connection would try in haste."""
    kind, witness = KINDS["alpaca json"], Witness("OURS")
    async with FakeVenue(clock=witness.clock) as venue:
        venue.script("alpaca", HangUp(406))
        async with feeding(witness, kind.spec(venue), pace=SLOW):
            await witness.until(lambda: len(witness.losses) == 2)
    assert "connection limit exceeded (406)" in witness.losses[0].words
    assert "trying again in 0.3 s" in caplog.records[0].message


async def test_many_products_are_all_subscribed_at_a_venue_that_counts_requests(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Requests of a few products each, so that there are more of them than one second may have."""
    monkeypatch.setattr("lotkeeperd.feeds.coinbase.session.CHUNK", 5)
    theirs = many_symbols(60, "-USD")
    witness = Witness(*theirs)
    async with FakeVenue(clock=witness.clock) as venue:
        venue.script("coinbase", RateLimit())
        table = {symbol: symbol for symbol in theirs}
        async with feeding(witness, KINDS["coinbase"].spec(venue, symbols=table), pace=NEVER):
            await witness.until(lambda: witness.source("feed").connected)
            await venue.wait_subscribed("coinbase", *theirs)
        assert venue.connections("coinbase") == 1
    assert witness.losses == []


async def test_a_venue_that_finds_our_requests_too_many_is_tried_again_slowly(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """No product is given up for it."""
    witness = Witness("OURS")
    async with FakeVenue(clock=witness.clock) as venue:
        venue.script("coinbase", RateLimit(messages=1, seconds=60.0))
        async with feeding(witness, KINDS["coinbase"].spec(venue), pace=SLOW):
            await witness.until(lambda: len(witness.losses) == 2)
    assert "rate limit exceeded" in witness.losses[0].words
    assert "trying again in 0.3 s" in caplog.records[0].message
    assert not [record for record in caplog.records if "correct the table" in record.message]


@pytest.mark.parametrize("url", ["ws://127.0.0.1:65536/x", "ws://a..b/x", "ws://[::1/x"])
async def test_an_address_that_cannot_be_ends_the_feed_and_not_the_ledger(url: str) -> None:
    """Should one get past the table."""
    witness = Witness("OURS")
    wrong = spec("coinbase", "ws://127.0.0.1:1/x", {"BTC-USD": "OURS"})._replace(url=url)
    async with feeding(witness, wrong, pace=NEVER) as (task,):
        await task
    (loss,) = witness.losses
    assert url in loss.words


async def test_two_feeds_of_one_account_do_not_throw_each_other_out() -> None:
    """The second waits, the first goes on."""
    kind, first, second = KINDS["alpaca json"], Witness("OURS"), Witness("OURS")
    async with FakeVenue(clock=first.clock) as venue, feeding(first, kind.spec(venue)):
        await venue.wait_subscribed("alpaca", "AAPL")
        async with feeding(second, kind.spec(venue), pace=NEVER):
            await second.until(lambda: bool(second.losses))
            await publish_last(venue, kind, "3")
            await first.until(lambda: first.price("OURS") == 3)
    assert first.losses == []


@every_kind
@pytest.mark.parametrize("status", [500, 503])
async def test_a_venue_that_is_not_up_yet_is_tried_again(kind: Kind, status: int) -> None:
    """And was not dropped, since it was never connected."""
    witness = Witness("OURS")
    async with FakeVenue(clock=witness.clock) as venue:
        venue.script(kind.venue, RefuseConnection(status), connections=3)
        async with feeding(witness, kind.spec(venue)):
            await venue.wait_subscribed(kind.venue, kind.symbol)
    assert venue.refused_connections == 3
    assert [loss.dropped for loss in witness.losses] == [False] * 3
    assert str(status) in witness.losses[0].words


@pytest.mark.parametrize("status", [403, 429])
async def test_a_venue_that_finds_us_too_many_is_tried_again_slowly(
    status: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Hurry would make it worse."""
    witness = Witness("OURS")
    async with FakeVenue(clock=witness.clock) as venue:
        venue.script("coinbase", RefuseConnection(status), connections=1)
        async with feeding(witness, KINDS["coinbase"].spec(venue), pace=NEVER._replace(first=0.0)):
            await witness.until(lambda: bool(witness.losses))
    assert "refuses this address for now" in witness.losses[0].words
    assert "trying again in 3600.0 s" in caplog.records[-1].message


@pytest.mark.parametrize("status", [401, 404])
async def test_an_address_where_nothing_is_ends_the_feed(status: int) -> None:
    """It does not become right by trying."""
    witness = Witness("OURS")
    async with FakeVenue(clock=witness.clock) as venue:
        venue.script("coinbase", RefuseConnection(status))
        async with feeding(witness, KINDS["coinbase"].spec(venue)) as (task,):
            await task
        assert venue.refused_connections == 1
    assert str(status) in witness.losses[0].words


async def test_a_port_where_nobody_listens_is_tried_again() -> None:
    """The venue may come."""
    witness = Witness("OURS")
    async with FakeVenue() as gone:
        address = gone.url("coinbase")
    async with feeding(witness, spec("coinbase", address, {"BTC-USD": "OURS"})):
        await witness.until(lambda: len(witness.losses) >= 2)
    assert {loss.dropped for loss in witness.losses} == {False}
