"""The writer on a real database that misbehaves: only the guilty command is refused, and an unknown outcome is settled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest

from lotkeeperd.domain.commands import Command
from lotkeeperd.domain.refusals import InternalError, NoOpenPosition, Refusal, StorageUnavailable
from lotkeeperd.service import writer as service_writer
from lotkeeperd.service.known import Loaded
from lotkeeperd.service.outcomes import Answer, Outcome, Receipt
from lotkeeperd.service.ports import State, Written
from lotkeeperd.service.queue import Pipeline, Receipts
from lotkeeperd.service.writer import Writer
from tests.storage.ledgers import CURRENCY, NOW, BareLedger, bare_ledger, entry, exit_of
from tests.storage.lost_answers import LostAnswers
from tests.support.plain_sql import PlainSql


def no_rate(_currency: str, _into: str) -> None:
    """Nothing converts."""


class Running:
    """A writer over a bare ledger, and what it told of its commits."""

    def __init__(self, ledger: BareLedger) -> None:
        self._ledger = ledger
        self.commits: list[list[int]] = []
        self.reloads = 0
        self._writer = Writer(
            ledger.store, Loaded(ledger.state), no_rate, CURRENCY, lambda: NOW, 1_000, create_portfolios=True
        )
        self.task = self._writer.start(ledger.sequence, self._taken_over)

    def _taken_over(self, written: Sequence[Written], state: State | None) -> None:
        if state is not None:
            self.reloads += 1
            self._ledger.reload(state)
        for done in written:
            self._ledger.committed(done)
            self.commits.append([record.sequence for record in done.records])

    async def answers(self, *commands: Command) -> list[Answer]:
        """Queue all of them at once, so that they make one batch, and await each answer."""
        futures = [self._writer.submit(command) for command in commands]
        results = await asyncio.gather(*futures, return_exceptions=True)
        return [result for result in results if isinstance(result, Outcome | Refusal)]

    def submit(self, command: Command) -> asyncio.Future[Outcome]:
        """Queue one, and go on."""
        return self._writer.submit(command)

    def submit_all(self, pipeline: Pipeline, *commands: Command) -> asyncio.Future[Receipts | Refusal]:
        """Queue one message, and go on."""
        return self._writer.submit_all([command._replace(brief=True) for command in commands], pipeline)

    @property
    def queued(self) -> int:
        """Commands that no batch has taken yet."""
        return len(self._writer._waiting)

    def close(self) -> None:
        """End when what waits is written."""
        self._writer.close()


@asynccontextmanager
async def running(url: str) -> AsyncIterator[Running]:
    """A writer on ``url``."""
    with bare_ledger(url) as ledger:
        writer = Running(ledger)
        try:
            yield writer
        finally:
            writer.close()
            await writer.task


def told(answers: list[Answer]) -> list[object]:
    """A sequence for what was recorded, the kind of refusal for what was not."""
    return [answer.sequence if isinstance(answer, Outcome) else type(answer) for answer in answers]


async def test_commands_that_wait_together_are_committed_together(database_url: str) -> None:
    """One transaction for all of them, in the order in which they came."""
    async with running(database_url) as writer:
        assert told(await writer.answers(entry(1), entry(2), exit_of(3, "1.5"))) == [1, 2, 3]
        assert writer.commits == [[1, 2, 3]]


async def many_turns() -> None:
    """So many turns of the event loop that whoever was ready has run."""
    for _ in range(100):
        await asyncio.sleep(0)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches gather for as long as a test can take, so that whoever waits for the time to pass never ends."""
    monkeypatch.setattr(service_writer, "GATHERING", float("inf"))
    monkeypatch.setattr(service_writer, "LONGEST_GATHERING", 3600.0)


async def pressed(writer: Running) -> list[asyncio.Future[Outcome]]:
    """Three are answered while two more wait already, so that five are expected; the two."""
    first = [writer.submit(entry(number)) for number in (1, 2, 3)]
    while writer.queued:  # noqa: ASYNC110 - the queue tells nobody
        await asyncio.sleep(0)  # until the first batch is taken
    waiting = [writer.submit(entry(number)) for number in (4, 5)]
    await asyncio.gather(*first)
    await many_turns()
    return waiting


@pytest.mark.usefixtures("patient")
async def test_under_pressure_a_batch_waits_for_those_who_were_just_answered(database_url: str) -> None:
    """Five were in hand when the first batch ended; the two that are there wait for the other three."""
    async with running(database_url) as writer:
        waiting = await pressed(writer)
        assert not any(future.done() for future in waiting)
        await writer.answers(entry(6), entry(7), entry(8))
        assert writer.commits == [[1, 2, 3], [4, 5, 6, 7, 8]]


@pytest.mark.usefixtures("patient")
async def test_whoever_comes_to_an_idle_writer_waits_for_nobody(database_url: str) -> None:
    """Three were answered and nobody waited: one is enough."""
    async with running(database_url) as writer:
        await writer.answers(entry(1), entry(2), entry(3))
        await writer.answers(entry(4))
        await writer.answers(entry(5))
        assert writer.commits == [[1, 2, 3], [4], [5]]


async def test_a_batch_does_not_wait_for_ever(database_url: str) -> None:
    """Five are expected and no more than two come: they are written when their time is up."""
    async with running(database_url) as writer:
        await asyncio.gather(*await pressed(writer))
        assert writer.commits == [[1, 2, 3], [4, 5]]


@pytest.mark.usefixtures("patient")
async def test_a_drain_waits_for_nobody_either(database_url: str) -> None:
    """Five are expected and two have come: a server that shuts down writes them now."""
    async with running(database_url) as writer:
        waiting = await pressed(writer)
        writer.close()
        await asyncio.gather(*waiting)
        assert writer.commits == [[1, 2, 3], [4, 5]]


async def test_messages_that_wait_together_are_committed_together_with_lone_commands(database_url: str) -> None:
    """One transaction; each message has its receipts, the lone command its outcome, with the position it left itself."""
    async with running(database_url) as writer:
        pipeline = Pipeline()
        first = writer.submit_all(pipeline, entry(1), exit_of(2), exit_of(3))
        lone = writer.submit(entry(4, "2"))
        second = writer.submit_all(pipeline, entry(5), entry(4, "2"))
        refused = NoOpenPosition
        receipts = [await first, await second]
        told = [[r._asdict() if isinstance(r, Receipt) else type(r) for r in answer] for answer in receipts]  # type: ignore[union-attr]
        assert told == [
            [receipt(1, "0"), receipt(2, "10"), refused],
            [receipt(4, "0"), receipt(3, "0", replayed=True)],
        ]
        assert (await lone).book.quantity == Decimal(2)
        assert writer.commits == [[1, 2, 3, 4]]


def receipt(sequence: int, net: str, replayed: bool = False) -> dict[str, object]:
    """What a brief command is told."""
    return Receipt(sequence, Decimal(net), replayed)._asdict()


async def test_nothing_of_a_pipeline_is_written_after_a_message_that_was_not(database_url: str) -> None:
    """The second waits while the first meets a lock: it fails with it, though the lock is gone; others are not concerned."""
    async with running(database_url) as writer:
        await writer.answers(entry(1))
        pipeline, other = Pipeline(), Pipeline()
        with PlainSql(database_url) as sql, sql.locked():
            first = writer.submit_all(pipeline, exit_of(2))
            while writer.queued:  # noqa: ASYNC110 - the queue tells nobody
                await asyncio.sleep(0)
            second, third = writer.submit_all(pipeline, exit_of(3)), writer.submit_all(other, entry(4))
            assert isinstance(await first, StorageUnavailable)
        assert isinstance(await second, StorageUnavailable)
        assert [type(answer) for answer in await third] == [Receipt]  # type: ignore[union-attr]
        assert isinstance(await writer.submit_all(pipeline, exit_of(5)), StorageUnavailable)
        assert writer.commits == [[1], [2]]


async def test_only_the_guilty_command_of_a_batch_is_refused(database_url: str) -> None:
    """The database refuses a row: the batch is taken back and done one by one, and no sequence is left out."""
    async with running(database_url) as writer:
        await writer.answers(entry(1))
        with PlainSql(database_url) as sql, sql.refusing("journal", "NEW.symbol = 'POISON'"):
            batch = [entry(2), entry(3, symbol="POISON"), exit_of(4), entry(5, symbol="POISON"), entry(6)]
            assert told(await writer.answers(*batch)) == [2, InternalError, 3, InternalError, 4]
        assert writer.commits == [[1], [2], [3], [4]]
        assert told(await writer.answers(entry(3, symbol="POISON"))) == [5]


async def test_a_commit_whose_answer_was_lost_is_settled_by_the_retry(postgres_url: str) -> None:
    """All of the batch is told STORAGE_UNAVAILABLE; the books are read anew, and every retry is a replay."""
    with LostAnswers(postgres_url) as wire:
        async with running(wire.url) as writer:
            await writer.answers(entry(1))
            wire.lose_next_commit()
            batch = [entry(2, "3"), exit_of(3, "2"), entry(4, portfolio_id="q")]
            assert told(await writer.answers(*batch)) == [StorageUnavailable] * 3
            assert writer.reloads == 1
            retried = [answer for answer in await writer.answers(*batch, entry(5)) if isinstance(answer, Outcome)]
            assert [(answer.sequence, answer.replayed) for answer in retried] == [
                (2, True),
                (3, True),
                (4, True),
                (5, False),
            ]
            assert retried[0].book.quantity == Decimal(2)
    with PlainSql(postgres_url) as sql:
        assert sql.records() == 5


async def test_a_database_that_is_held_answers_and_recovers(database_url: str) -> None:
    """STORAGE_UNAVAILABLE while somebody else holds it; the same commands are recorded once it is let go."""
    async with running(database_url) as writer:
        await writer.answers(entry(1))
        with PlainSql(database_url) as sql:
            with sql.locked():
                assert told(await writer.answers(entry(2), entry(3))) == [StorageUnavailable] * 2
            assert told(await writer.answers(entry(2), entry(3))) == [2, 3]
            assert sql.records() == 3
        assert writer.reloads == 0
