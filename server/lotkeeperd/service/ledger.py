"""The ledger as its edges use it: writes go to the one writer, reads to memory or history, streams to the publisher."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import asynccontextmanager
from decimal import localcontext
from typing import NamedTuple

from lotkeeperd.domain.accounts import CashEvent, DefineInstrument, PortfolioCommand
from lotkeeperd.domain.book import Book, LotOpened
from lotkeeperd.domain.commands import Command, Decision
from lotkeeperd.domain.decimals import EXACT
from lotkeeperd.domain.history import Amendment, Late
from lotkeeperd.domain.instruments import Instrument
from lotkeeperd.domain.portfolios import Portfolio, day_of
from lotkeeperd.domain.rates import Pairs
from lotkeeperd.domain.reconciliation.records import Reconcile, Reported, Resolve, Standing, Undo
from lotkeeperd.domain.refusals import PortfolioNotFound, Refusal, ServerDraining
from lotkeeperd.domain.trades import ClosedTrade, Entry, Totals, entry_as_opened
from lotkeeperd.service.conversion import Converter
from lotkeeperd.service.explaining import Explanations
from lotkeeperd.service.groups import Groups
from lotkeeperd.service.holds import Holds
from lotkeeperd.service.marks import MarkBoard, Policy
from lotkeeperd.service.outcomes import Agreed, Happened, Outcome
from lotkeeperd.service.past import Past
from lotkeeperd.service.ports import (
    AllReads,
    Clock,
    Encoder,
    EntryFilter,
    EventFilter,
    Fact,
    JournalRecord,
    Key,
    Position,
    State,
    Store,
    TradeFilter,
    Written,
)
from lotkeeperd.service.prices import Prices
from lotkeeperd.service.queue import Pipeline, Receipts
from lotkeeperd.service.reconciliation import Reconciled, ReportFilter, Resolution, Reversal, StandingFilter
from lotkeeperd.service.replay import AT_ONCE
from lotkeeperd.service.streams import Publisher
from lotkeeperd.service.subscriber import Wanted
from lotkeeperd.service.summary import Asked, Summaries, Summary
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
    pairs: Pairs


class Ledger:
    """Everything between the edges. Made inside the event loop it runs in."""

    def __init__(
        self, store: Store, reader: AllReads, encoder: Encoder, clock: Clock, limits: Limits, state: State
    ) -> None:
        self.ledger_id = state.ledger_id
        self.currency = state.currency
        self._reader = reader
        self._clock = clock
        board = MarkBoard(limits.marks)
        converter = Converter(board, limits.pairs)
        self._valuation = Valuation(board, converter, state.currency)
        self._groups = Groups(self._valuation, reader, self._groups_read)
        self._publisher = Publisher(
            state.ledger_id,
            self._valuation,
            self._groups,
            reader,
            encoder,
            limits.max_streams,
            limits.max_streams_per_caller,
        )
        self.prices = Prices(board, self._valuation, self._publisher, clock)
        self._writer = Writer(
            store,
            self._valuation,
            converter.rate,
            state.currency,
            clock,
            limits.write_queue,
            limits.create_portfolios,
        )
        self.summaries = Summaries(self._valuation, self._groups, lambda: self._publisher.head, clock)
        turns = asyncio.Semaphore(AT_ONCE)
        self._past = Past(
            state.ledger_id, self._valuation, reader, limits.pairs, lambda: self._publisher.head, clock, turns
        )
        self.explanations = Explanations(self._valuation, reader, lambda: self._publisher.head, turns)
        self._endless: set[asyncio.Timeout] = set()
        self.holds = Holds()
        """Portfolios whose executions are not taken now."""
        self._take_over((), state)
        self._writing = self._writer.start(state.last_sequence, self._take_over)
        self.stopped = self._writer.stopped
        """Set when nothing can be written any more: fenced, or corrupt."""
        self._ticker = asyncio.create_task(self._tick(), name="ticker")

    # Writes.

    def submit(self, command: Command) -> asyncio.Future[Outcome]:
        """Write an execution; on disk when the future is done. Raises a Refusal, now or then."""
        self.holds.check((command.portfolio_id,))
        return self._writer.submit(command)

    def happen(self, command: Command | Amendment | CashEvent) -> asyncio.Future[Happened]:
        """Write an event or a correction; as ``submit``."""
        if isinstance(command, Command):
            self.holds.check((command.portfolio_id,))
        return self._writer.submit(command)

    def agree(self, command: PortfolioCommand | DefineInstrument) -> asyncio.Future[Agreed]:
        """Write the terms of a portfolio or an instrument; as ``submit``."""
        return self._writer.submit(command)

    async def reconcile(self, command: Reconcile) -> Reconciled:
        """Compare with a broker, and carry out what is allowed; the report is on disk then. Raises a Refusal."""
        answer: Reconciled = await self._writer.submit(command)
        return answer

    async def resolve(self, command: Resolve) -> Resolution:
        """Resolve one difference, or see what that would do. Raises a Refusal."""
        answer: Resolution = await self._writer.submit(command)
        return answer

    async def undo(self, command: Undo) -> Reversal:
        """Take a resolution back, or see what that would do. Raises a Refusal."""
        answer: Reversal = await self._writer.submit(command)
        return answer

    def submit_all(self, commands: Sequence[Command], pipeline: Pipeline) -> asyncio.Future[Receipts | Refusal]:
        """Write the brief ``commands`` of one message, after those before it in ``pipeline``; on disk when the future is done.

        Raises a Refusal when they cannot be taken now.
        """
        self.holds.check(command.portfolio_id for command in commands)
        return self._writer.submit_all(commands, pipeline)

    def position(self, outcome: Outcome) -> Valued:
        """The position that ``outcome`` left, at its newest mark."""
        return self._valuation.value(outcome.command.symbol, outcome.book)

    def valued(self, key: Key, book: Book) -> Valued:
        """A book at its newest mark."""
        return self._valuation.value(key[1], book)

    def _take_over(self, written: Sequence[Written], state: State | None) -> None:
        """Make what was committed visible: books first, then facts; nobody is told before."""
        if state is not None:
            self._valuation.load(state)
            self._groups.load(state)
            self._publisher.reloaded(state.last_sequence)
        for done in written:
            self._valuation.commit(done)
            self._groups.commit(done)
            if done.records:
                self._publisher.committed(done.records[-1].sequence, _facts(done))

    def _groups_read(self) -> None:
        self._publisher.changed()

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

    async def summary(self, asked: Asked) -> Summary:
        """What is asked for, of now or of the past. Raises PortfolioNotFound, SequenceAhead or StorageUnavailable."""
        if not asked.is_live:
            return await self._past.take(asked)
        self.check_portfolio(asked.portfolio_id)
        await self.summaries.ready(asked)
        return self.summaries.take(asked)

    async def entries(self, wanted: EntryFilter, after: tuple[int, int] | None, limit: int) -> list[Entry]:
        """Lots in FIFO order after (entry time, sequence). Raises PortfolioNotFound."""
        self.check_portfolio(wanted.portfolio_id)
        return await self._reader.entries(wanted, after, limit)

    async def trades(self, wanted: TradeFilter, after: Position | None, until: int, limit: int) -> list[ClosedTrade]:
        """Closed trades in order after a position, of records up to ``until``. Raises PortfolioNotFound."""
        self.check_portfolio(wanted.portfolio_id)
        return await self._reader.trades(wanted, after, until, limit)

    async def events(self, wanted: EventFilter, after: int, limit: int) -> list[JournalRecord]:
        """Events in the order they were recorded, after a sequence. Raises PortfolioNotFound."""
        self.check_portfolio(wanted.portfolio_id)
        return await self._reader.events(wanted, after, self._publisher.head, limit)

    async def reports(self, wanted: ReportFilter, before: int | None, limit: int) -> list[Reported]:
        """Reports of reconciliation before a sequence, newest first. Raises StorageUnavailable."""
        return await self._reader.reports(wanted, before, limit)

    async def report(self, sequence: int) -> Reported | None:
        """The report at one sequence, None when there is none. Raises StorageUnavailable."""
        return await self._reader.report(sequence)

    async def standings(self, wanted: StandingFilter, after: tuple[int, int, int] | None, limit: int) -> list[Standing]:
        """Differences after (-severity, first report, place): worst first, then oldest. Raises StorageUnavailable."""
        return await self._reader.standings(wanted, after, limit)

    async def trade_totals(self, wanted: TradeFilter) -> tuple[list[Totals], int]:
        """Sums by currency over all closed trades that ``wanted`` selects, and the sequence they are taken at.

        The base currency comes first, also when nothing was closed in it: of nothing the sum is known. Whole portfolios are read
        off the books. Raises PortfolioNotFound.
        """
        self.check_portfolio(wanted.portfolio_id)
        head = self._publisher.head
        if wanted == TradeFilter(wanted.portfolio_id):
            with localcontext(EXACT):
                sums = self._valuation.totals(wanted.portfolio_id).totals
            return [Totals(one.currency, one.gross_realized, one.realized_fees) for one in sums], head
        base = self.portfolio(wanted.portfolio_id).base_currency
        found = {one.currency: one for one in await self._reader.totals(wanted, head)}
        return list(({base: Totals(base)} | found).values()), head

    def of_day(self, wanted: TradeFilter, day: str) -> TradeFilter:
        """``wanted`` of one day in the portfolio's time zone: "today", "yesterday" or a date. Raises FieldViolations."""
        start, end = day_of(day, self.portfolio(wanted.portfolio_id).time_zone, self._clock())
        return wanted._replace(start=start, end=end)

    # Terms.

    def portfolio(self, portfolio_id: str) -> Portfolio:
        """The terms of a portfolio. Raises PortfolioNotFound."""
        terms = self._valuation.portfolio(portfolio_id)
        if terms is None:
            raise PortfolioNotFound(portfolio_id)
        return terms

    def portfolios(self) -> list[Portfolio]:
        """The terms of all, by id."""
        return [self.portfolio(name) for name in self._valuation.portfolios()]

    def instruments(self) -> list[Instrument]:
        """Every instrument that was declared or used, by symbol."""
        return [instrument for _, instrument in sorted(self._valuation.instruments().items())]

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
        await self._groups.close()
        await self._writing


def _facts(done: Written) -> Iterator[tuple[Position, Fact]]:
    """What a batch adds to the stream, in order: trades of a record, or what it restated, then the lot it opened."""
    for record, trades in zip(done.records, done.trades, strict=True):
        restated = done.restated.get(record.sequence)
        facts: Sequence[Fact] = trades if restated is None else restated
        for index, fact in enumerate(facts):
            yield (record.sequence, index), fact
        opened = opened_by(record)
        if opened is not None:
            command = record.command
            assert isinstance(command, Command)
            entry = entry_as_opened(command.portfolio_id, command.symbol, opened)
            yield (record.sequence, len(facts)), entry


def opened_by(record: JournalRecord) -> LotOpened | None:
    """The lot that a record opened, if it opens lots at all."""
    if isinstance(record, Late):
        return record.decision.opened
    return record.opened if isinstance(record, Decision) else None
