"""The ledger as its edges use it: writes go to the one writer, reads to memory or history, streams to the publisher."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import asynccontextmanager
from decimal import localcontext
from typing import NamedTuple

from lotkeeperd.domain.commands import Command
from lotkeeperd.domain.decimals import EXACT
from lotkeeperd.domain.refusals import PortfolioNotFound, ServerDraining
from lotkeeperd.domain.trades import ClosedTrade, Entry, Totals, entry_as_opened
from lotkeeperd.service.batch import Outcome
from lotkeeperd.service.marks import MarkBoard, Policy
from lotkeeperd.service.ports import (
    Clock,
    Encoder,
    EntryFilter,
    Fact,
    Position,
    Reader,
    State,
    Store,
    TradeFilter,
    Written,
)
from lotkeeperd.service.prices import Prices
from lotkeeperd.service.streams import Publisher
from lotkeeperd.service.subscriber import Wanted
from lotkeeperd.service.summary import Summaries
from lotkeeperd.service.valuation import Valuation, Valued
from lotkeeperd.service.writer import Writer

TICK = 1.0
"""Seconds between two looks at what has expired."""


class Limits(NamedTuple):
    """What the ledger allows, and which marks count."""

    write_queue: int
    max_streams: int
    max_streams_per_caller: int
    marks: Policy
    create_portfolios: bool


class Ledger:
    """Everything between the edges. Made inside the event loop it runs in."""

    def __init__(
        self, store: Store, reader: Reader, encoder: Encoder, clock: Clock, limits: Limits, state: State
    ) -> None:
        self.ledger_id = state.ledger_id
        self.currency = state.currency
        self._reader = reader
        self._clock = clock
        board = MarkBoard(limits.marks)
        self._valuation = Valuation(board)
        self._publisher = Publisher(
            state.ledger_id, self._valuation, reader, encoder, limits.max_streams, limits.max_streams_per_caller
        )
        self.prices = Prices(board, self._valuation, self._publisher, clock)
        self._writer = Writer(
            store, self._valuation.book, self._valuation.has, clock, limits.write_queue, limits.create_portfolios
        )
        self.summaries = Summaries(self._valuation, lambda: self._publisher.head, clock)
        self._endless: set[asyncio.Timeout] = set()
        self._take_over((), state)
        self._writing = self._writer.start(state.last_sequence, self._take_over)
        self.stopped = self._writer.stopped
        """Set when nothing can be written any more: fenced, or corrupt."""
        self._ticker = asyncio.create_task(self._tick(), name="ticker")

    # Writes.

    def submit(self, command: Command) -> asyncio.Future[Outcome]:
        """Write ``command``; on disk when the future is done. Raises a Refusal, now or then."""
        return self._writer.submit(command)

    def position(self, outcome: Outcome) -> Valued:
        """The position that ``outcome`` left, at its newest mark."""
        return self._valuation.value(outcome.command.symbol, outcome.book)

    def _take_over(self, written: Sequence[Written], state: State | None) -> None:
        """Make what was committed visible: books first, then facts; nobody is told before."""
        if state is not None:
            self._valuation.load(state.portfolios, state.books)
            self._publisher.reloaded(state.last_sequence)
        for done in written:
            self._valuation.commit(done.portfolios, done.books)
            self._publisher.committed(done.decisions[-1].sequence, _facts(done))

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            self.summaries.forget()

    # Reads.

    @property
    def head(self) -> int:
        """The newest committed sequence."""
        return self._publisher.head

    def check_portfolio(self, portfolio_id: str) -> None:
        """Raises PortfolioNotFound."""
        if not self._valuation.has(portfolio_id):
            raise PortfolioNotFound(portfolio_id)

    async def entries(self, wanted: EntryFilter, after: tuple[int, int] | None, limit: int) -> list[Entry]:
        """Lots in FIFO order after (entry time, sequence). Raises PortfolioNotFound."""
        self.check_portfolio(wanted.portfolio_id)
        return await self._reader.entries(wanted, after, limit)

    async def trades(self, wanted: TradeFilter, after: Position | None, until: int, limit: int) -> list[ClosedTrade]:
        """Closed trades in order after a position, of records up to ``until``. Raises PortfolioNotFound."""
        self.check_portfolio(wanted.portfolio_id)
        return await self._reader.trades(wanted, after, until, limit)

    async def trade_totals(self, wanted: TradeFilter) -> tuple[Totals, int]:
        """Sums over all closed trades that ``wanted`` selects, and the sequence they are taken at.

        Whole portfolios and whole symbols are read off the books. Raises PortfolioNotFound.
        """
        self.check_portfolio(wanted.portfolio_id)
        head = self._publisher.head
        if wanted == TradeFilter(wanted.portfolio_id):
            with localcontext(EXACT):
                sums = self._valuation.totals(wanted.portfolio_id)
            return Totals(sums.gross_realized, sums.realized_fees), head
        if wanted == TradeFilter(wanted.portfolio_id, wanted.symbol):
            book = self._valuation.book((wanted.portfolio_id, wanted.symbol))
            return Totals(book.gross, book.fees) if book else Totals(), head
        return await self._reader.totals(wanted, head), head

    # Streams.

    def follow(self, wanted: Wanted, caller: str) -> AsyncGenerator[bytes]:
        """Messages of one StreamPnL, as bytes; ``caller`` is "" when it cannot be told from others."""
        return self._publisher.follow(wanted, caller)

    # The end.

    @asynccontextmanager
    async def unless_drained(self) -> AsyncGenerator[None]:
        """For calls that would go on for ever: raises ServerDraining in them as soon as the server drains."""
        if self._publisher.draining:
            raise ServerDraining
        scope = asyncio.timeout(None)
        self._endless.add(scope)
        try:
            async with scope:
                yield
        except TimeoutError as error:
            if not scope.expired():
                raise
            raise ServerDraining from error
        finally:
            self._endless.discard(scope)

    def drain(self) -> None:
        """End streams and take no more writes; those that wait are carried through."""
        self._publisher.drain()
        for scope in self._endless:
            scope.reschedule(0)
        self._writer.close()

    async def drained(self) -> None:
        """Until everything that was taken is on disk and answered."""
        self._ticker.cancel()
        self.prices.close()
        await self._writing


def _facts(done: Written) -> Iterator[tuple[Position, Fact]]:
    """What a batch adds to the stream, in order: trades of a record, then the lot it opened."""
    for decision, trades in zip(done.decisions, done.trades, strict=True):
        for trade in trades:
            yield (decision.sequence, trade.trade_index), trade
        if decision.opened is not None:
            command = decision.command
            yield (
                (decision.sequence, len(trades)),
                entry_as_opened(command.portfolio_id, command.symbol, decision.opened),
            )
