"""GetSummary of another moment, or by another lot method: the same figures from the same code, over books that were folded again.

One rule for all of these reads, the newest sequence included: positions and conversions are valued by the marks of the
request and by no others. A live mark is no price of the past, and an answer about a numbered state should be the same whenever
it is asked for. What has no mark there has no unrealized P&L (law 12).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import localcontext

from lotkeeperd.domain.decimals import EXACT
from lotkeeperd.domain.rates import Pairs
from lotkeeperd.domain.refusals import PortfolioNotFound, SequenceAhead
from lotkeeperd.service.conversion import Converter
from lotkeeperd.service.marks import Mark, MarkBoard, Policy
from lotkeeperd.service.ports import Clock, Reader, State
from lotkeeperd.service.replay import Replay, replayed
from lotkeeperd.service.summary import Asked, Summary, chosen
from lotkeeperd.service.valuation import Valuation

REQUEST = "request"
"""The source of marks that a question brings with it."""

FOREVER = 1 << 62
"""Nanoseconds after which such a mark is old."""


class Past:
    """Takes summaries that are not of now. ``head`` is the newest committed sequence; ``live`` what is known there.

    ``turns`` are shared with all who fold the journal again.
    """

    def __init__(
        self,
        ledger_id: str,
        live: Valuation,
        reader: Reader,
        pairs: Pairs,
        head: Callable[[], int],
        clock: Clock,
        turns: asyncio.Semaphore,
    ) -> None:
        self._ledger_id = ledger_id
        self._live = live
        self._reader = reader
        self._pairs = pairs
        self._head = head
        self._clock = clock
        self._turns = turns

    async def take(self, asked: Asked) -> Summary:
        """What is asked for. Raises PortfolioNotFound, SequenceAhead, StorageUnavailable or LedgerCorrupt."""
        if not self._live.has(asked.portfolio_id):
            raise PortfolioNotFound(asked.portfolio_id)
        until = await self._until(asked)
        async with self._turns:
            state = self._as_it_is(asked, until)
            if state is None:
                state = await self._replayed(asked, until)
            return await asyncio.to_thread(self._summed, asked, state, self._clock())

    async def _until(self, asked: Asked) -> int:
        """The sequence that it is taken at."""
        head = self._head()
        if asked.as_of_time is not None:
            return await self._reader.written_by(asked.as_of_time, head)
        if asked.as_of is None:
            return head
        if asked.as_of > head:
            raise SequenceAhead("as_of_sequence", asked.as_of, head)
        return asked.as_of

    def _as_it_is(self, asked: Asked, until: int) -> State | None:
        """The newest state by the portfolio's own method is in memory already; None for any other."""
        terms = self._live.portfolio(asked.portfolio_id)
        if until != self._head() or terms is None or asked.method not in {None, terms.lot_method}:
            return None
        books = dict(self._live.books_of(asked.portfolio_id))
        instruments = {symbol: self._live.instrument_of(symbol) for _, symbol, _ in books}
        balances = {(terms.portfolio_id, name): one for name, one in self._live.balances(terms.portfolio_id).items()}
        portfolios = {terms.portfolio_id: terms}
        return State(self._ledger_id, self._live.currency, until, portfolios, instruments, balances, books)

    async def _replayed(self, asked: Asked, until: int) -> State:
        replay = Replay(asked.portfolio_id, self._live.currency, asked.method, self._live.instrument)
        await replayed(self._reader, replay, asked.portfolio_id, until)
        return await asyncio.to_thread(replay.state, self._ledger_id, until)

    def _summed(self, asked: Asked, state: State, now: int) -> Summary:
        """Valued by a board of its own, in a worker thread."""
        board = MarkBoard(Policy(FOREVER))
        board.accept([Mark(symbol, price, now, REQUEST) for symbol, price in asked.marks], REQUEST, now)
        valuation = Valuation(board, Converter(board, self._pairs), state.currency)
        valuation.load(state)
        positions = chosen(asked, valuation.positions(asked.portfolio_id))
        with localcontext(EXACT):
            totals = valuation.totals(asked.portfolio_id)
        return Summary(asked, positions, totals, state.last_sequence)
