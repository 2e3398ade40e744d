"""The only write path: what waits is decided as a batch, written in one transaction, taken over, published, answered.

Group commit: while one batch is being flushed the next one gathers, so batches shrink when there is little to do. The whole batch
is one hop into the writer's thread: look up the keys, decide against staged books, write, commit.

A hop costs as much as ten commands, and the thread fights the event loop for the interpreter in every one. Seen with 64 callers:
batches of 11, because those who were just answered missed the next one by a moment. Therefore, when others are waiting already as
a batch ends, the next one waits for as many as were in hand then, for twice as long as that one took at most. Whoever comes to
an idle writer waits for nobody.

What can go wrong, and what is done:

    a command is refused              it is answered; its neighbours go on
    the database refuses a statement  the batch is rolled back and replayed one command at a time; the guilty one is INTERNAL
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
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from decimal import setcontext
from typing import NamedTuple

from lotkeeperd.domain.book import Book
from lotkeeperd.domain.commands import Command
from lotkeeperd.domain.decimals import EXACT
from lotkeeperd.domain.refusals import (
    Fenced,
    InternalError,
    LedgerCorrupt,
    Refusal,
    ServerDraining,
    StorageUnavailable,
    WriteQueueFull,
)
from lotkeeperd.service.batch import Answer, Batch, Outcome
from lotkeeperd.service.ports import Clock, Key, OutcomeUnknown, State, StatementRefused, Store, Transaction, Written

log = logging.getLogger(__name__)

BATCH = 1000
"""Commands in one transaction at most."""

GATHERING = 2.0
LONGEST_GATHERING = 0.005
"""A batch waits for callers who were just answered: so many times as long as answering them took, and so many seconds at most."""

RETRY_AFTER = 0.05
"""Seconds after which a caller who met a full queue should try again: a few batches."""


TakeOver = Callable[[Sequence[Written], State | None], None]
"""Hears of everything that was committed, in order; a State first replaces all that was known."""


class _Waiting(NamedTuple):
    command: Command
    answer: asyncio.Future[Outcome]


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
        book: Callable[[Key], Book | None],
        known: Callable[[str], bool],
        clock: Clock,
        queue_limit: int,
        create_portfolios: bool,
    ) -> None:
        self._store = store
        self._book = book
        self._known = known
        self._clock = clock
        self._limit = queue_limit
        self._create = create_portfolios
        self._waiting: deque[_Waiting] = deque()
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

    def submit(self, command: Command) -> asyncio.Future[Outcome]:
        """Queue a command. Raises WriteQueueFull or ServerDraining, Fenced or LedgerCorrupt once the writer has stopped."""
        if self._stopped is not None:
            raise self._stopped.again()
        if self._closing:
            raise ServerDraining
        if len(self._waiting) >= self._limit:
            raise WriteQueueFull(self._limit, RETRY_AFTER)
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(command, answer))
        if len(self._waiting) >= self._enough:
            self._work.set()
        return answer

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
                    if batch := self._taken():
                        await self._timed(self._carried_through(batch, taken_over), len(batch))
                if self._closing:
                    return
        finally:
            self._closing = True
            self._thread.stop()
            for waiting in self._waiting:
                _answer(waiting.answer, ServerDraining())
            self._waiting.clear()

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

    async def _carried_through(self, batch: list[_Waiting], taken_over: TakeOver) -> None:
        answers: list[Answer] = [self._stopped or InternalError()] * len(batch)
        try:
            if self._stopped is None:
                answers = await self._hop(batch, taken_over)
        except Exception:
            log.exception("the writer failed and has stopped")
            self._stopped = LedgerCorrupt("the writer failed, the log has the trace")
        for waiting, answer in zip(batch, answers, strict=True):
            _answer(waiting.answer, answer)
        if self._stopped is not None:
            self.stopped.set()

    async def _hop(self, batch: list[_Waiting], taken_over: TakeOver) -> list[Answer]:
        flushed = await self._thread.run(self._flush, [waiting.command for waiting in batch])
        if flushed.written or flushed.state:
            taken_over(flushed.written, flushed.state)
        return flushed.answers

    def _taken(self) -> list[_Waiting]:
        batch: list[_Waiting] = []
        while self._waiting and len(batch) < BATCH:
            waiting = self._waiting.popleft()
            if not waiting.answer.cancelled():
                batch.append(waiting)
        return batch

    # From here on in the writer's thread.

    def _flush(self, commands: list[Command]) -> _Flushed:
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

    def _settled(self, commands: list[Command], state: State | None, written: list[Written]) -> list[Answer]:
        try:
            return self._transacted(commands, state, written)
        except StatementRefused:
            log.exception("the database refused a statement of a batch of %d", len(commands))
        if len(commands) == 1:
            return [InternalError()]
        answers: list[Answer] = []
        for command in commands:
            answers += self._alone(command, state, written)
        return answers

    def _alone(self, command: Command, state: State | None, written: list[Written]) -> list[Answer]:
        try:
            return (
                [StorageUnavailable("a commit failed")] if self._unsure else self._transacted([command], state, written)
            )
        except StatementRefused:
            return [InternalError()]
        except Refusal as refusal:
            self._stop_on(refusal)
            return [refusal]

    def _transacted(self, commands: list[Command], state: State | None, written: list[Written]) -> list[Answer]:
        """Decide and write ``commands`` in one transaction, on top of what this hop has read and committed already."""
        book, known = self._layered(state, written)
        batch = Batch(book, known, self._sequence, self._clock(), self._create)

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
        if done.decisions:
            self._sequence += len(done.decisions)
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

    def _layered(
        self, state: State | None, written: list[Written]
    ) -> tuple[Callable[[Key], Book | None], Callable[[str], bool]]:
        """Books and portfolios as this hop leaves them, over those that the event loop has."""
        if state is None and not written:
            return self._book, self._known

        def book(key: Key) -> Book | None:
            for done in reversed(written):
                if key in done.books:
                    return done.books[key]
            return self._book(key) if state is None else state.books.get(key)

        def known(name: str) -> bool:
            before = self._known(name) if state is None else name in state.portfolios
            return before or any(name in done.portfolios for done in written)

        return book, known

    def _stop_on(self, refusal: Refusal) -> None:
        if isinstance(refusal, Fenced | LedgerCorrupt):
            log.error("writing has stopped: %s", refusal.message)
            self._stopped = refusal


def _answer(future: asyncio.Future[Outcome], answer: Answer) -> None:
    if future.done():
        return  # the caller is gone; the retry finds the record
    if isinstance(answer, Refusal):
        future.set_exception(answer.again())
    else:
        future.set_result(answer)


class _Thread:
    """One thread that runs one call at a time; a hop costs less than through an executor."""

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name="writer", daemon=True)

    async def run(self, call: Callable[[list[Command]], _Flushed], commands: list[Command]) -> _Flushed:
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
