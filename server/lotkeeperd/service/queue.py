"""What waits to be written: lone commands, each with its caller, and messages of pipelines, each with all its fills.

A pipeline is one caller's messages, sent without waiting for answers. Problem: what one message does depends on those before it.
If one were lost to a locked database and the next one written, a sell would find nothing to close and open a short. Therefore a
pipeline that lost a message is broken: whatever of it still waits is answered with the same refusal, and nothing of it is written.
A fill that is refused for what it says is an answer like any other, and breaks nothing.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence

from lotkeeperd.domain.commands import Command
from lotkeeperd.domain.refusals import (
    DiskFull,
    Fenced,
    LedgerCorrupt,
    Refusal,
    ServerDraining,
    StorageUnavailable,
    WriteQueueFull,
)
from lotkeeperd.service.outcomes import Answer, Receipt
from lotkeeperd.service.ports import AnyCommand

RETRY_AFTER = 0.05
"""Seconds after which a caller who met a full queue should try again: a few batches."""

NOT_OF_THE_COMMAND = (StorageUnavailable, DiskFull, Fenced, ServerDraining, LedgerCorrupt)
"""Refusals that say nothing about the command: it may be recorded the next time, just as it is."""

Receipts = list[Receipt | Refusal]
"""What became of each command of a message."""


class Lone:
    """One command whose caller awaits its outcome."""

    __slots__ = ("answer", "commands")

    def __init__(self, command: AnyCommand) -> None:
        self.commands: Sequence[AnyCommand] = (command,)
        self.answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

    def dropped(self) -> bool:
        """Whether its caller went before it was written."""
        return self.answer.cancelled()

    def settle(self, answers: Sequence[Answer]) -> None:
        """Tell the caller, who may be gone: then the retry finds the record."""
        if self.answer.done():
            return
        (answer,) = answers
        if isinstance(answer, Refusal):
            self.answer.set_exception(answer.again())
        else:
            self.answer.set_result(answer)


class Message:
    """The commands of one message of a pipeline: one future for all of them, and it never raises."""

    __slots__ = ("answer", "commands", "pipeline")

    def __init__(self, commands: Sequence[Command], pipeline: Pipeline) -> None:
        self.commands = commands
        self.pipeline = pipeline
        self.answer: asyncio.Future[Receipts | Refusal] = asyncio.get_running_loop().create_future()

    def dropped(self) -> bool:
        """Whether its pipeline is broken, or its caller gone: then it is answered here, and is not to be written."""
        if self.pipeline.broken is None:
            return False
        self._answer(self.pipeline.broken)
        return True

    def settle(self, answers: Sequence[Answer]) -> None:
        """Tell the caller; a refusal that is not of a command is one of the whole message, and of all that follow."""
        receipts: Receipts = []
        for answer in answers:
            if isinstance(answer, NOT_OF_THE_COMMAND):
                self.pipeline.broken = answer
                return self._answer(answer)
            assert isinstance(answer, Receipt | Refusal)
            receipts.append(answer)
        return self._answer(receipts)

    def _answer(self, answer: Receipts | Refusal) -> None:
        if not self.answer.done():
            self.answer.set_result(answer)


class Pipeline:
    """One caller's messages: written in order, and none after one that was not."""

    __slots__ = ("broken",)

    def __init__(self) -> None:
        self.broken: Refusal | None = None
        """Why nothing of it is written any more."""


class WriteQueue:
    """What waits, in the order in which it came; its length is how many commands that are."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._items: deque[Lone | Message] = deque()
        self._commands = 0

    def __len__(self) -> int:
        return self._commands

    def add(self, item: Lone | Message) -> None:
        """Raises WriteQueueFull when as many commands wait as are allowed; a message goes in whole when there is room for one."""
        if self._commands >= self._limit:
            raise WriteQueueFull(self._limit, RETRY_AFTER)
        self._items.append(item)
        self._commands += len(item.commands)

    def take(self, most: int) -> list[Lone | Message]:
        """The next ones, of ``most`` commands together, or a single message of more; without those that were dropped."""
        taken: list[Lone | Message] = []
        count = 0
        while self._items and (not count or count + len(self._items[0].commands) <= most):
            item = self._items.popleft()
            self._commands -= len(item.commands)
            if not item.dropped():
                taken.append(item)
                count += len(item.commands)
        return taken

    def refuse(self, refusal: Refusal) -> None:
        """Answer everything that waits, and forget it."""
        for item in self._items:
            item.settle([refusal] * len(item.commands))
        self._items.clear()
        self._commands = 0
