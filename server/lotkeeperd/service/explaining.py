"""Why a figure is what it is: the records behind it, read again beside the event loop, each with what it changed.

A page of a position's lines goes on from the book as the page before it left it. Those are remembered for the newest reads; one
that was forgotten, or begun before a restart, is folded again from the journal: slower, and the same to the digit,
because a page is a function of the journal up to its sequence.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import aclosing
from decimal import localcontext
from typing import NamedTuple

from lotkeeperd.domain.accounts import InstrumentDefined
from lotkeeperd.domain.book import Book, Direction
from lotkeeperd.domain.commands import Decision, trade_id
from lotkeeperd.domain.course import NO_FIGURES, Course, Figures, figures_of
from lotkeeperd.domain.decimals import EXACT
from lotkeeperd.domain.explanations import Line, line_of, trade_changes
from lotkeeperd.domain.history import BookRecord, Correction, Late
from lotkeeperd.domain.portfolios import Portfolio, PositionMode
from lotkeeperd.domain.refusals import FieldViolations, NeverTraded, PortfolioNotFound, TradeNotFound, Violation
from lotkeeperd.domain.trades import ClosedTrade
from lotkeeperd.service.ports import JournalRecord, Key, Reader, RecordFilter, TradeFilter
from lotkeeperd.service.replay import exactly, first_terms, pages
from lotkeeperd.service.stage import key_of
from lotkeeperd.service.valuation import Valuation, Valued

REMEMBERED = 16
"""Places where reads of positions go on; the one that was not used for longest is forgotten first."""


class PositionAsked(NamedTuple):
    """Which position; ``side`` is which book of a hedging portfolio."""

    portfolio_id: str
    symbol: str
    side: Direction | None = None


class PositionExplained(NamedTuple):
    """One page of lines; ``position`` is at ``sequence``; ``after`` is where the next page goes on, None on the last."""

    key: Key
    position: Valued
    lines: list[Line]
    sequence: int
    after: int | None


class TradeExplained(NamedTuple):
    """A closed trade, what makes it up, and those of the same executions that were superseded, oldest first."""

    trade: ClosedTrade
    lines: list[Line]
    superseded: list[ClosedTrade]


class _IsCorrected(Exception):
    """The book was corrected: it has to be followed with its history."""


class _Teller:
    """Follows one book and tells ``size`` records that come after ``after``; used by one thread at a time."""

    def __init__(self, key: Key, course: Course, corrected: bool, after: int, size: int) -> None:
        self._key = key
        self.is_corrected = corrected
        self._after = after
        self._size = size
        self.course = course
        self.lines: list[Line] = []
        self.left: Course | None = None
        """The book as it was after the last line, once all are there."""
        self.more = False
        """Whether records follow the last line."""

    def take(self, records: Sequence[JournalRecord]) -> None:
        """The next page of the journal. Raises _IsCorrected or LedgerCorrupt."""
        with exactly():
            for record in records:
                if isinstance(record, InstrumentDefined):
                    self.course.under(record.instrument.contract)
                elif isinstance(record, Decision | Late | Correction) and key_of(record) == self._key:
                    self._take(record)

    def _take(self, record: BookRecord) -> None:
        if not isinstance(record, Decision) and not self.is_corrected:
            raise _IsCorrected
        if record.sequence <= self._after or self.left is not None:
            self.more = self.left is not None
            self.course.take(record)
            return
        before = figures_of(self.course.book())
        self.course.take(record)
        book = self.course.book()
        self.lines.append(line_of(record, book.contract.currency, figures_of(book).since(before)))
        if len(self.lines) == self._size:
            self.left = self.course.fork()

    def position(self) -> Book:
        """The book after everything that was taken. Raises LedgerCorrupt."""
        with exactly():
            return self.course.book()


class _Place(NamedTuple):
    """Where a read goes on."""

    course: Course
    corrected: bool
    position: Book


class Explanations:
    """Explains positions and closed trades. ``turns`` are shared with all who fold the journal again."""

    def __init__(self, live: Valuation, reader: Reader, head: Callable[[], int], turns: asyncio.Semaphore) -> None:
        self._live = live
        self._reader = reader
        self._head = head
        self._turns = turns
        self._places: OrderedDict[tuple[Key, int, int], _Place] = OrderedDict()

    def _terms(self, portfolio_id: str) -> Portfolio:
        terms = self._live.portfolio(portfolio_id)
        if terms is None:
            raise PortfolioNotFound(portfolio_id)
        return terms

    # Positions.

    async def position(self, asked: PositionAsked, until: int | None, after: int, size: int) -> PositionExplained:
        """The ``size`` records after ``after`` that made a position, as of ``until``, None for now.

        Raises PortfolioNotFound, NeverTraded, FieldViolations, StorageUnavailable or LedgerCorrupt.
        """
        key = self._key(asked)
        sequence = self._head() if until is None else until
        async with self._turns:
            place = self._places.get((key, sequence, after))
            if place is None:
                teller, position = await self._from_the_beginning(key, sequence, after, size)
            else:
                self._places.move_to_end((key, sequence, after))
                teller, position = await self._from_there(key, sequence, after, size, place), place.position
        on = teller.lines[-1].sequence if teller.more else None
        if on is not None and teller.left is not None:
            self._remember((key, sequence, on), _Place(teller.left, teller.is_corrected, position))
        return PositionExplained(key, Valued(position, None, False, None), teller.lines, sequence, on)

    def _key(self, asked: PositionAsked) -> Key:
        hedging = self._terms(asked.portfolio_id).position_mode is PositionMode.HEDGING
        if hedging and asked.side is None:
            what = "is required in a hedging portfolio: LONG or SHORT, whichever of the two books is meant"
            raise FieldViolations([Violation("book_side", what)])
        if asked.side is not None and not hedging:
            what = "is for hedging portfolios; this one is netting: leave it unspecified"
            raise FieldViolations([Violation("book_side", what)])
        key = (asked.portfolio_id, asked.symbol, asked.side.name if asked.side is not None else "")
        if self._live.book(key) is None:
            raise NeverTraded(asked.symbol, asked.portfolio_id)
        return key

    async def _from_the_beginning(self, key: Key, until: int, after: int, size: int) -> tuple[_Teller, Book]:
        """Fold everything, for the position is the whole's; once more where the journal turns out to have corrections."""
        teller = self._teller(key, after, size, corrected=False)
        try:
            await self._follow(teller, key, 0, until)
        except _IsCorrected:
            teller = self._teller(key, after, size, corrected=True)
            await self._follow(teller, key, 0, until)
        return teller, await asyncio.to_thread(teller.position)

    def _teller(self, key: Key, after: int, size: int, *, corrected: bool) -> _Teller:
        contract = first_terms(key[1], self._live.currency, self._live.instrument).contract
        course = Course(contract, self._terms(key[0]).lot_method, corrected=corrected)
        return _Teller(key, course, corrected, after, size)

    async def _from_there(self, key: Key, until: int, after: int, size: int, place: _Place) -> _Teller:
        course = await asyncio.to_thread(place.course.fork)
        teller = _Teller(key, course, place.corrected, after, size)
        try:
            await self._follow(teller, key, after, until, only_lines=True)
        except _IsCorrected:
            teller, _ = await self._from_the_beginning(key, until, after, size)
        return teller

    async def _follow(self, teller: _Teller, key: Key, after: int, until: int, only_lines: bool = False) -> None:
        wanted = RecordFilter(key[0], frozenset({key[1]}))
        async with aclosing(pages(self._reader, wanted, after, until)) as records:
            async for page in records:
                await asyncio.to_thread(teller.take, page)
                if only_lines and teller.more:
                    return

    def _remember(self, at: tuple[Key, int, int], place: _Place) -> None:
        self._places[at] = place
        self._places.move_to_end(at)
        if len(self._places) > REMEMBERED:
            self._places.popitem(last=False)

    # Trades.

    async def trade(self, portfolio_id: str, sequence: int, index: int) -> TradeExplained:
        """A closed trade by its id. Raises PortfolioNotFound, TradeNotFound or StorageUnavailable."""
        self._terms(portfolio_id)
        wanted = TradeFilter(portfolio_id, sequence=sequence, include_superseded=True)
        found = await self._reader.trades(wanted, (sequence, index - 1), sequence, 1)
        if not found or found[0].trade_index != index:
            raise TradeNotFound(trade_id(sequence, index))
        trade = found[0]
        versions = await self._reader.versions(portfolio_id, trade.entry_sequence, trade.exit_sequence)
        with localcontext(EXACT):
            changes = trade_changes(trade, versions)
        superseded = [one for one in versions if one.superseded_by is not None and one != trade]
        return TradeExplained(trade, await self._lines(trade, changes), superseded)

    async def _lines(self, trade: ClosedTrade, changes: dict[int, Figures]) -> list[Line]:
        wanted = RecordFilter(trade.portfolio_id, sequences=frozenset(changes))
        told: dict[int, BookRecord] = {}
        async with aclosing(pages(self._reader, wanted, 0, max(changes))) as records:
            async for page in records:
                told |= {one.sequence: one for one in page if isinstance(one, Decision | Late | Correction)}
        for moved in await self._moves(trade, told[trade.entry_sequence]):
            told.setdefault(moved.sequence, moved)
        return [
            line_of(record, trade.currency, changes.get(sequence, NO_FIGURES))
            for sequence, record in sorted(told.items())
        ]

    async def _moves(self, trade: ClosedTrade, entry: BookRecord) -> list[BookRecord]:
        """The splits and changes of symbol that the lot went through; its symbol is followed."""
        found: list[BookRecord] = []
        portfolio_id, symbol, side = key_of(entry)
        wanted = RecordFilter(portfolio_id, carrying=True)
        async with aclosing(pages(self._reader, wanted, trade.entry_sequence, trade.exit_sequence)) as records:
            async for page in records:
                for record in page:
                    if isinstance(record, Decision) and key_of(record) == (portfolio_id, symbol, side):
                        found.append(record)
                        symbol = dict(record.command.details).get("to_symbol", symbol)
        return found
