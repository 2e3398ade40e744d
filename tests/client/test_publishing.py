"""Marks over a stream, from both clients, against a real sidecar."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

import lotkeeper
from lotkeeper import errors
from lotkeeper.publishing import AHEAD
from lotkeeper.values import Mark
from tests.support.sidecar import Sidecar
from tests.support.waiting import eventually

WAIT = 60.0
MANY = 5_000


@pytest.fixture
def sidecar(tmp_path: Path) -> Iterator[Sidecar]:
    """An empty ledger."""
    with Sidecar(str(tmp_path / "ledger.db")) as running:
        yield running


def feed(ledger: lotkeeper.Ledger) -> lotkeeper.FeedStatus | None:
    """The one source there is."""
    feeds = ledger.list_marks().feeds
    return feeds[0] if feeds else None


def test_marks_count_while_the_stream_is_open_and_are_stale_after_it(sidecar: Sidecar) -> None:
    """Prices by symbol, and marks with times; in the end it is told how many were taken."""
    with lotkeeper.connect(sidecar.address) as ledger:
        with ledger.publish_marks(source="bot") as publisher:
            publisher.send({"A": "1.5", "B": "2"})
            publisher.send([Mark(symbol="A", price=Decimal("1.25"), observe_time=lotkeeper.Time(1))])
            eventually(lambda: (status := feed(ledger)) and status.message_count == 2)
            listed = ledger.list_marks()
            assert [(mark.symbol, mark.price, mark.stale) for mark in listed.marks] == [
                ("A", Decimal("1.5"), False),
                ("B", Decimal(2), False),
            ]
        assert publisher.result == lotkeeper.PublishMarksResponse(accepted_count=2, outdated_count=1)
        listed = ledger.list_marks()
        assert [mark.stale for mark in listed.marks] == [True, True]
        assert (listed.feeds[0].source, listed.feeds[0].connected) == ("bot", False)


async def test_the_asyncio_client_does_the_same(sidecar: Sidecar) -> None:
    """Send, end, and the answer."""
    async with lotkeeper.aio.connect(sidecar.address) as ledger:
        async with ledger.publish_marks(source="bot") as publisher:
            await publisher.send({"A": "1.5"})
            await publisher.send({"A": "1.75"})
        assert publisher.result == lotkeeper.PublishMarksResponse(accepted_count=2, outdated_count=0)
        (mark,) = (await ledger.list_marks()).marks
        assert (mark.price, mark.stale) == (Decimal("1.75"), True)


def test_a_refused_mark_ends_the_stream_with_its_field(sidecar: Sidecar) -> None:
    """The next send, or the end, says so."""

    def publish(ledger: lotkeeper.Ledger) -> None:
        with ledger.publish_marks() as publisher:
            publisher.send({"A": "-1"})
            for _ in range(MANY):
                publisher.send({"A": "1"})

    with lotkeeper.connect(sidecar.address) as ledger, pytest.raises(errors.InvalidRequest) as refused:
        publish(ledger)
    assert [violation.field for violation in refused.value.violations] == ["marks[0].price"]


async def test_a_refused_mark_ends_the_asyncio_stream_with_its_field(sidecar: Sidecar) -> None:
    """As it does the blocking one."""

    async def publish(ledger: lotkeeper.aio.AsyncLedger) -> None:
        async with ledger.publish_marks() as publisher:
            await publisher.send({"A": "-1"})
            for _ in range(MANY):
                await publisher.send({"A": "1"})

    async with lotkeeper.aio.connect(sidecar.address) as ledger:
        with pytest.raises(errors.InvalidRequest) as refused:
            await publish(ledger)
    assert [violation.field for violation in refused.value.violations] == ["marks[0].price"]


def test_a_float_is_refused_before_anything_is_sent(sidecar: Sidecar) -> None:
    """With the field, and the stream goes on."""
    with lotkeeper.connect(sidecar.address) as ledger, ledger.publish_marks() as publisher:
        with pytest.raises(TypeError, match="price of A"):
            publisher.send({"A": 1.5})  # type: ignore[arg-type]
        publisher.send({"A": "1.5"})


def test_a_server_that_dies_ends_the_stream(sidecar: Sidecar) -> None:
    """The caller hears of it, and opens another when there is a server again."""

    def publish(ledger: lotkeeper.Ledger) -> None:
        with ledger.publish_marks() as publisher:
            publisher.send({"A": "1"})
            eventually(lambda: feed(ledger))
            sidecar.kill()
            for _ in range(MANY):
                publisher.send({"A": "1"})

    with lotkeeper.connect(sidecar.address) as ledger:
        with pytest.raises(errors.Unavailable):
            publish(ledger)
        sidecar.restart()
        with ledger.publish_marks(timeout=WAIT) as publisher:
            publisher.send({"A": "2"})
        assert publisher.result == lotkeeper.PublishMarksResponse(accepted_count=1, outdated_count=0)


def test_an_exception_in_the_block_cuts_the_stream(sidecar: Sidecar) -> None:
    """It is the caller's own, and the source is interrupted."""

    def publish(ledger: lotkeeper.Ledger) -> None:
        with ledger.publish_marks(source="bot") as publisher:
            publisher.send({"A": "1"})
            eventually(lambda: feed(ledger))
            raise RuntimeError("of the bot")

    with lotkeeper.connect(sidecar.address) as ledger:
        with pytest.raises(RuntimeError, match="of the bot"):
            publish(ledger)
        eventually(lambda: (status := feed(ledger)) and not status.connected)


def test_many_messages_wait_for_the_server_and_none_is_lost(sidecar: Sidecar) -> None:
    """More than may wait at a time."""
    assert MANY > AHEAD
    with lotkeeper.connect(sidecar.address, timeout=WAIT) as ledger:
        with ledger.publish_marks() as publisher:
            for number in range(MANY):
                publisher.send({"A": number})
        assert publisher.result == lotkeeper.PublishMarksResponse(accepted_count=MANY, outdated_count=0)
        assert ledger.list_marks().marks[0].price == MANY - 1


async def test_two_asyncio_publishers_do_not_wait_for_each_other(sidecar: Sidecar) -> None:
    """Each has a stream and a source of its own."""
    async with lotkeeper.aio.connect(sidecar.address, timeout=WAIT) as ledger:

        async def publish(source: str) -> None:
            async with ledger.publish_marks(source=source) as publisher:
                for number in range(100):
                    await publisher.send({source: number})
            assert publisher.result == lotkeeper.PublishMarksResponse(accepted_count=100, outdated_count=0)

        await asyncio.gather(publish("A"), publish("B"))
        assert [feed.source for feed in (await ledger.list_marks()).feeds] == ["A", "B"]
