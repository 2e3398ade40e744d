"""The only write path: what waits is decided as a batch, written in one transaction, taken over, published, answered.

Group commit: while one batch is being flushed the next one gathers, so batches shrink when there is little to do. The whole batch
is one hop into the writer's thread: look up the keys, decide against staged books, write, commit.

A hop costs as much as ten commands, and the thread fights the event loop for the interpreter in every one. Seen with 64 callers:
batches of 11, because those who were just answered missed the next one by a moment. Therefore, when others are waiting already as
a batch ends, the next one waits for as many as were in hand then, for twice as long as that one took at most. Whoever comes to
an idle writer waits for nobody.

What can go wrong, and what is done:

    a command is refused              it is answered; its neighbours go on
    a command or a statement fails    the batch is rolled back and replayed one command at a time; the guilty one is INTERNAL
    nothing was written               StorageUnavailable or DiskFull; the books in memory are still right
    a commit failed                   nobody knows: the sequence on disk tells; if it moved, the books are read anew
    the fence was taken               Fenced, now and for ever: another server writes

A caller's deadline or cancellation never reaches the writer: a command that was taken is carried through, one that was
cancelled while it waited is left out.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections.abc import Awaitable, Callable, Sequence
from decimal import setcontext
from typing import Any, NamedTuple

from lotkeeperd.domain.commands import Command
from lotkeeperd.domain.decimals import EXACT
from lotkeeperd.domain.refusals import (
    Fenced,
    InternalError,
    LedgerCorrupt,
    Refusal,
    ServerDraining,
    StorageUnavailable,
)
from lotkeeperd.service.batch import Batch, Grounds
from lotkeeperd.service.known import Layered, Loaded
from lotkeeperd.service.outcomes import Answer
from lotkeeperd.service.ports import (
    AnyCommand,
    Clock,
    Known,
    OutcomeUnknown,
    Rates,
    State,
    StatementRefused,
    Store,
    Transaction,
    Written,
)
from lotkeeperd.service.queue import Lone, Message, Pipeline, Receipts, WriteQueue

log = logging.getLogger(__name__)

BATCH = 1000
"""Commands in one transaction at most."""

GATHERING = 2.0
LONGEST_GATHERING = 0.005
"""A batch waits for callers who were just answered: so many times as long as answering them took, and so many seconds at most."""

TakeOver = Callable[[Sequence[Written], State | None], None]
"""Hears of everything that was committed, in order; a State first replaces all that was known."""


class _Flushed(NamedTuple):
    """What one hop brought back: an answer per command, what was committed, and the whole state when it was read anew."""

    answers: list[Answer]
    written: list[Written]
    state: State | None


class Writer:
    """Takes commands in the event loop and writes them in a thread of its own."""

    def __init__(
        self,
        store: Store,
        known: Known,
        rates: Rates,
        currency: str,
        clock: Clock,
        queue_limit: int,
        create_portfolios: bool,
    ) -> None:
        self._store = store
        self._known = known
        self._rates = rates
        self._currency = currency
        self._clock = clock
        self._create = create_portfolios
        self._waiting = WriteQueue(queue_limit)
        self._work = asyncio.Event()
        self._enough = 1  # waiting commands that wake the task
        self._expected = 1  # commands that the next batch waits for, and until when
        self._expected_until = 0.0
        self._closing = False
        self._stopped: Refusal | None = None  # once nothing may ever be written again
        self.stopped = asyncio.Event()
        """Set when writing has stopped for good."""
        self._unsure = False  # a commit failed and the disk has not been asked yet
        self._sequence = 0
        self._thread = _Thread()

    def start(self, sequence: int, taken_over: TakeOver) -> asyncio.Task[None]:
        """Begin to write after ``sequence``; ``taken_over`` hears of every commit before its callers do."""
        self._sequence = sequence
        return asyncio.create_task(self._run(taken_over), name="writer")

    def submit(self, command: AnyCommand) -> asyncio.Future[Any]:
        """Queue a command. Raises WriteQueueFull or ServerDraining, Fenced or LedgerCorrupt once the writer has stopped."""
        lone = Lone(command)
        self._queue(lone)
        return lone.answer

    def submit_all(self, commands: Sequence[Command], pipeline: Pipeline) -> asyncio.Future[Receipts | Refusal]:
        """Queue the brief commands of one message, to be written together and after those before it in ``pipeline``.

        A future that is cancelled recalls nothing; a pipeline that is ``broken`` does. Raises what ``submit`` raises.
        """
        message = Message(commands, pipeline)
        if commands:
            self._queue(message)
        else:
            message.settle(())
        return message.answer

    def _queue(self, item: Lone | Message) -> None:
        if self._stopped is not None:
            raise self._stopped.again()
        if self._closing:
            raise ServerDraining
        self._waiting.add(item)
        if len(self._waiting) >= self._enough:
            self._work.set()

    def close(self) -> None:
        """Take no more commands; the task ends when what waits is written."""
        self._closing = True
        self._work.set()

    async def _run(self, taken_over: TakeOver) -> None:
        try:
            while True:
                await self._work.wait()
                self._work.clear()
                while self._waiting:
                    await self._gathered()
                    if batch := self._waiting.take(BATCH):
                        commands = [command for item in batch for command in item.commands]
                        await self._timed(self._carried_through(batch, commands, taken_over), len(commands))
                if self._closing:
                    return
        finally:
            self._closing = True
            self._thread.stop()
            self._waiting.refuse(ServerDraining())

    async def _gathered(self) -> None:
        """Let those come along who are expected, and whatever the loop has in hand already."""
        loop = asyncio.get_running_loop()
        if len(self._waiting) < self._expected and loop.time() < self._expected_until and not self._closing:
            self._enough = self._expected
            timer = loop.call_at(self._expected_until, self._work.set)
            self._work.clear()
            await self._work.wait()
            timer.cancel()
            self._enough = 1
        await asyncio.sleep(0)

    async def _timed(self, flush: Awaitable[None], count: int) -> None:
        """Flush ``count`` commands; the next batch waits for as many as there are then, for a while that fits."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        await flush
        ended = loop.time()
        self._expected = min(BATCH, count + len(self._waiting)) if self._waiting else 1
        self._expected_until = ended + min(GATHERING * (ended - began), LONGEST_GATHERING)

    async def _carried_through(
        self, batch: list[Lone | Message], commands: list[AnyCommand], taken_over: TakeOver
    ) -> None:
        answers: list[Answer] = [self._stopped or InternalError()] * len(commands)
        try:
            if self._stopped is None:
                answers = await self._hop(commands, taken_over)
        except Exception:
            log.exception("the writer failed and has stopped")
            self._stopped = LedgerCorrupt("the writer failed, the log has the trace")
        place = 0
        for item in batch:
            item.settle(answers[place : place + len(item.commands)])
            place += len(item.commands)
        if self._stopped is not None:
            self.stopped.set()

    async def _hop(self, commands: list[AnyCommand], taken_over: TakeOver) -> list[Answer]:
        flushed = await self._thread.run(self._flush, commands)
        if flushed.written or flushed.state:
            taken_over(flushed.written, flushed.state)
        return flushed.answers

    # From here on in the writer's thread.

    def _flush(self, commands: list[AnyCommand]) -> _Flushed:
        written: list[Written] = []
        state: State | None = None
        try:
            state = self._recovered()
            answers = self._settled(commands, state, written)
        except Refusal as refusal:
            self._stop_on(refusal)
            return _Flushed([refusal] * len(commands), written, state)  # what was read anew counts all the same
        try:
            if (newer := self._recovered()) is not None:
                return _Flushed(answers, [], newer)  # it holds what this hop wrote, too
        except Refusal as refusal:
            log.warning("the disk cannot be asked what it holds, the next command will ask again: %s", refusal.message)
            self._stop_on(refusal)
        return _Flushed(answers, written, state)

    def _settled(self, commands: list[AnyCommand], state: State | None, written: list[Written]) -> list[Answer]:
        try:
            return self._transacted(commands, state, written)
        except StatementRefused:
            log.exception("a batch of %d could not be written", len(commands))
        if len(commands) == 1:
            return [InternalError()]
        answers: list[Answer] = []
        for command in commands:
            answers += self._alone(command, state, written)
        return answers

    def _alone(self, command: AnyCommand, state: State | None, written: list[Written]) -> list[Answer]:
        try:
            return (
                [StorageUnavailable("a commit failed")] if self._unsure else self._transacted([command], state, written)
            )
        except StatementRefused:
            return [InternalError()]
        except Refusal as refusal:
            self._stop_on(refusal)
            return [refusal]

    def _transacted(self, commands: list[AnyCommand], state: State | None, written: list[Written]) -> list[Answer]:
        """Decide and write ``commands`` in one transaction, on top of what this hop has read and committed already."""
        known = self._layered(state, written)
        batch = Batch(Grounds(known, self._rates, self._currency, self._sequence, self._clock(), self._create))

        def work(transaction: Transaction) -> Written:
            batch.decide(commands, transaction)
            transaction.write(self._sequence, batch.written())
            return batch.written()

        try:
            done = self._store.transact(work)
        except OutcomeUnknown as unknown:
            log.warning("a commit failed: %s", unknown)
            self._unsure = True
            return [unknown.refusal] * len(commands)
        if done.records:
            self._sequence += len(done.records)
            written.append(done)
        return batch.answers()

    def _recovered(self) -> State | None:
        """After a commit that failed: the whole state from disk when it is not what memory holds, else None."""
        if not self._unsure:
            return None
        state = None
        if self._store.last_sequence() != self._sequence:
            state = self._store.load()
            self._sequence = state.last_sequence
        self._unsure = False
        return state

    def _layered(self, state: State | None, written: list[Written]) -> Known:
        """What is known as this hop leaves it, over what the event loop has."""
        known = self._known if state is None else Loaded(state)
        for done in written:
            known = Layered(known, done)
        return known

    def _stop_on(self, refusal: Refusal) -> None:
        if isinstance(refusal, Fenced | LedgerCorrupt):
            log.error("writing has stopped: %s", refusal.message)
            self._stopped = refusal


class _Thread:
    """One thread that runs one call at a time; a hop costs less than through an executor."""

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name="writer", daemon=True)

    async def run(self, call: Callable[[list[AnyCommand]], _Flushed], commands: list[AnyCommand]) -> _Flushed:
        if not self._thread.is_alive():
            self._thread.start()
        loop = asyncio.get_running_loop()
        done: asyncio.Future[_Flushed] = loop.create_future()

        def work() -> None:
            try:
                loop.call_soon_threadsafe(_finish, done, call(commands), None)
            except Exception as error:  # noqa: BLE001 - it is raised where the call was made
                loop.call_soon_threadsafe(_finish, done, None, error)

        self._calls.put(work)
        return await asyncio.shield(done)

    def stop(self) -> None:
        self._calls.put(None)

    def _serve(self) -> None:
        setcontext(EXACT.copy())
        while call := self._calls.get():
            call()


def _finish(done: asyncio.Future[_Flushed], flushed: _Flushed | None, error: Exception | None) -> None:
    if done.done():
        return
    if flushed is not None:
        done.set_result(flushed)
    else:
        done.set_exception(error or RuntimeError("a hop without a result"))
