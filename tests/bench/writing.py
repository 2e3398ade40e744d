"""The server's own write path without gRPC: its writer, its store, its thread, driven from an event loop."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from lotkeeperd.domain.commands import Command
from lotkeeperd.domain.refusals import Refusal
from lotkeeperd.service.known import Loaded
from lotkeeperd.service.outcomes import Outcome
from lotkeeperd.service.ports import State, Written
from lotkeeperd.service.queue import Pipeline, Receipts
from lotkeeperd.service.writer import BATCH, Writer
from lotkeeperd.storage.engines import database_url
from lotkeeperd.storage.store import SqlStore
from tests.bench.raw import Recorder, Transaction


def _no_rates(_currency: str, _into: str) -> None:
    """Every fee here is in its book's currency."""


class WritePath:
    """Writes commands to a ledger that is open."""

    def __init__(self, store: SqlStore, state: State, recorder: Recorder | None) -> None:
        self._recorder = recorder
        self._state = state
        self.trades = 0
        """Closed since it was opened."""
        self._writer = Writer(
            store, Loaded(state), _no_rates, state.currency, time.time_ns, queue_limit=4 * BATCH, create_portfolios=True
        )
        self._writing = self._writer.start(state.last_sequence, self._take_over)

    def recorded(self) -> list[Transaction]:
        """Every transaction from now on, as it is run; only a path that is ``recording`` has them."""
        assert self._recorder is not None
        self._recorder.transactions = []
        return self._recorder.transactions

    async def write(self, commands: Sequence[Command]) -> list[Outcome]:
        """Write at most ``BATCH`` of them as one batch; on disk when this returns. Raises a Refusal."""
        return [await answer for answer in [self._writer.submit(command) for command in commands]]

    async def write_all(self, commands: Sequence[Command]) -> Receipts:
        """Write brief commands as one message; on disk when this returns. Raises a Refusal."""
        receipts = await self._writer.submit_all(commands, Pipeline())
        if isinstance(receipts, Refusal):
            raise receipts
        return receipts

    def _take_over(self, written: Sequence[Written], _state: State | None) -> None:
        for done in written:
            self._state.books.update(done.books)
            self._state.portfolios.update(done.portfolios)
            self._state.instruments.update(done.instruments)
            self._state.balances.update(done.balances)
            self.trades += sum(map(len, done.trades))

    async def close(self) -> None:
        """Until everything is written."""
        self._writer.close()
        await self._writing


@asynccontextmanager
async def write_path(database: Path, recording: bool = False) -> AsyncIterator[WritePath]:
    """The write path to a file, which is made when it is not there."""
    store = SqlStore(database_url(str(database)))
    recorder = Recorder(store._engine) if recording else None
    state = store.open(None, time.time_ns())
    try:
        path = WritePath(store, state, recorder)
        yield path
        await path.close()
    finally:
        store.close()
