"""Messages of bulk streams are decided one ahead of the flush; what comes of it is what would have come of them one by one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from decimal import Decimal

import pytest

from lotkeeperd.domain.refusals import InternalError, StorageUnavailable
from lotkeeperd.service import writer as writing
from lotkeeperd.service.batch import Batch
from lotkeeperd.service.outcomes import Receipt
from lotkeeperd.service.ports import AnyCommand, Transaction
from lotkeeperd.service.queue import Pipeline
from tests.storage.ledgers import entry, exit_of, sold
from tests.storage.lost_answers import LostAnswers
from tests.storage.test_writer import running
from tests.support.plain_sql import PlainSql


@pytest.fixture
def in_their_turn(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Two commands make a batch; how many commands were decided in their turn, and not ahead."""
    monkeypatch.setattr(writing, "BATCH", 2)
    decided: list[int] = []
    decide = Batch.decide

    def counted(self: Batch, commands: Sequence[AnyCommand], transaction: Transaction) -> None:
        decided.append(len(commands))
        decide(self, commands, transaction)

    monkeypatch.setattr(Batch, "decide", counted)
    return decided


def told(answer: object) -> list[object]:
    """Sequence, net and whether it was there before; the kind of a refusal."""
    assert isinstance(answer, list), answer
    return [tuple(one) if isinstance(one, Receipt) else type(one) for one in answer]


async def test_a_message_stands_on_the_one_that_is_being_flushed(database_url: str, in_their_turn: list[int]) -> None:
    """Lots that the batch before opened are closed, and its fills delivered again are replays, though it is not on disk yet."""
    async with running(database_url) as writer:
        pipeline = Pipeline()
        answers = await asyncio.gather(
            writer.submit_all(pipeline, entry(1, "2"), entry(2, "1", "103")),
            writer.submit_all(pipeline, exit_of(3, "2"), entry(1, "2")),
            writer.submit_all(pipeline, sold(4, "3"), exit_of(3, "2")),
            writer.submit_all(pipeline, entry(2, "1", "103"), sold(4, "3")),
        )
        assert [told(answer) for answer in answers] == [
            [(1, Decimal(0), False), (2, Decimal(0), False)],
            [(3, Decimal(20), False), (1, Decimal(0), True)],
            [(4, Decimal(7), False), (3, Decimal(20), True)],
            [(2, Decimal(0), True), (4, Decimal(7), True)],
        ]
        assert writer.commits == [[1, 2], [3], [4]]
    assert in_their_turn == []


async def test_what_stood_on_a_batch_that_did_not_land_is_decided_again(
    database_url: str, in_their_turn: list[int]
) -> None:
    """One row of the first message is refused by the database; the second finds the book as it really is."""
    async with running(database_url) as writer:
        first, other = Pipeline(), Pipeline()
        with PlainSql(database_url) as sql, sql.refusing("journal", "NEW.fill_id = 'f2'"):
            answers = await asyncio.gather(
                writer.submit_all(first, entry(1), entry(2, "5")),
                writer.submit_all(other, sold(3, "2"), sold(4, "1")),
            )
        assert [told(answer) for answer in answers] == [
            [(1, Decimal(0), False), InternalError],
            [(2, Decimal(10), False), (3, Decimal(0), False)],
        ]
        assert writer.commits == [[1], [2, 3]]
    assert in_their_turn == [1, 1, 2]


async def test_nothing_that_was_decided_ahead_of_a_broken_stream_is_written(
    database_url: str, in_their_turn: list[int]
) -> None:
    """The first message meets a lock: the second, decided already, is answered alike; another stream's goes on."""
    async with running(database_url) as writer:
        stream, other = Pipeline(), Pipeline()
        with PlainSql(database_url) as sql, sql.locked():
            first = writer.submit_all(stream, entry(1), entry(2))
            second, third = (
                writer.submit_all(stream, exit_of(3), exit_of(4)),
                writer.submit_all(other, entry(5), entry(6)),
            )
            assert isinstance(await first, StorageUnavailable)
        assert isinstance(await second, StorageUnavailable)
        assert told(await third) == [(1, Decimal(0), False), (2, Decimal(0), False)]
        assert writer.commits == [[1, 2]]
    assert len(in_their_turn) <= 1


async def test_a_commit_in_doubt_is_looked_up_before_what_stood_on_it(
    postgres_url: str, in_their_turn: list[int]
) -> None:
    """Its answer was lost, though it is on disk: the other stream's message is decided again on the state read anew."""
    with LostAnswers(postgres_url) as wire:
        async with running(wire.url) as writer:
            await writer.answers(entry(9))
            stream, other = Pipeline(), Pipeline()
            wire.lose_next_commit()
            first, second = await asyncio.gather(
                writer.submit_all(stream, entry(1), entry(2)), writer.submit_all(other, sold(3, "1"), entry(1))
            )
            assert isinstance(first, StorageUnavailable)
            assert told(second) == [(4, Decimal(10), False), (2, Decimal(0), True)]
    with PlainSql(postgres_url) as sql:
        assert sql.records() == 4
    assert in_their_turn


async def test_a_disk_that_cannot_be_asked_has_them_decided_in_their_turn(
    database_url: str, in_their_turn: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection that looks up keys is gone: the writer's own still does."""
    async with running(database_url) as writer:

        def unreachable(_commands: Sequence[AnyCommand]) -> None:
            raise StorageUnavailable("gone")

        monkeypatch.setattr(writer.store, "recorded", unreachable)
        pipeline = Pipeline()
        answers = await asyncio.gather(
            writer.submit_all(pipeline, entry(1), entry(2)), writer.submit_all(pipeline, exit_of(3), entry(1))
        )
        assert [told(answer) for answer in answers] == [
            [(1, Decimal(0), False), (2, Decimal(0), False)],
            [(3, Decimal(10), False), (1, Decimal(0), True)],
        ]
    assert in_their_turn == [2, 2]
