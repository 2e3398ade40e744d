"""Law 13: rebuilds every book from the journal alone and compares, to the digit, with what is stored.

Everything is read in one snapshot, so a server may go on writing meanwhile. Memory grows with open lots, not with history.
What is compared: the journal has no gap and ends where the ledger stands; every identity key is the one its text makes;
every entry as it was opened and as it is now; every closed trade; every position's sums; and that there is nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from decimal import localcontext
from typing import Any, NamedTuple

from sqlalchemy import URL, Connection, Row, func, select
from sqlalchemy.exc import DBAPIError

from lotkeeperd.domain.book import Book
from lotkeeperd.domain.commands import Decision, replayed
from lotkeeperd.domain.decimals import EXACT
from lotkeeperd.domain.trades import ClosedTrade, EntryStatus, closed_trades
from lotkeeperd.service.ports import Key
from lotkeeperd.storage.engines import CannotStart, inspector_engine, shown, unusable
from lotkeeperd.storage.rows import book_row, decision_of, entry_of_row, journal_row, trade_of_row
from lotkeeperd.storage.schema import check_current
from lotkeeperd.storage.tables import books, completed_trades, journal, ledger, portfolios, position_entries

CHUNK = 1000
"""Journal records replayed between two reports of progress."""

DIFFERENCES = 100
"""Differences listed; the search ends when so many were found."""

Progress = Callable[[int, int], None]


class Verified(NamedTuple):
    """What was read, and every difference in words; none means that the books are what the journal says."""

    ledger_id: str
    sequence: int
    entries: int
    trades: int
    positions: int
    differences: list[str]


class _Enough(Exception):
    """So many differences that more would not help."""


def verify(url: URL, progress: Progress) -> Verified:
    """Rebuild and compare. Raises CannotStart when the database cannot be read."""
    engine = inspector_engine(url)
    try:
        with engine.connect() as connection, connection.begin():
            check_current(connection, shown(url))
            return _Verification(connection, progress).run()
    except DBAPIError as error:
        raise unusable(url, error) from error
    finally:
        engine.dispose()


class _Verification:
    def __init__(self, connection: Connection, progress: Progress) -> None:
        self._connection = connection
        self._progress = progress
        self._books: dict[Key, Book] = {}
        self._found: list[str] = []
        self._entries = 0
        self._trades = 0

    def run(self) -> Verified:
        head = self._connection.execute(select(ledger)).one_or_none()
        if head is None:
            raise CannotStart("the ledger's own row is missing; restore the newest backup")
        with localcontext(EXACT):
            try:
                self._replay(head.last_sequence)
                self._compare_open_entries()
                self._compare_books(head.currency)
                self._compare_counts()
            except _Enough:
                self._found.append("and more; the search was ended here")
        return Verified(head.ledger_id, head.last_sequence, self._entries, self._trades, len(self._books), self._found)

    def _differs(self, what: str) -> None:
        self._found.append(what)
        if len(self._found) >= DIFFERENCES:
            raise _Enough

    def _replay(self, last: int) -> None:
        expected = 1
        for rows in self._journal_chunks():
            decisions = []
            for row in rows:
                if row.sequence != expected:
                    self._differs(f"journal: record {row.sequence} follows {expected - 1}")
                expected = row.sequence + 1
                decision = self._decision(row)
                if decision is not None:
                    decisions.append(decision)
            self._compare_trades(rows, [trade for decision in decisions for trade in self._evolved(decision)])
            self._compare_opened(decisions)
            self._progress(min(expected - 1, last), last)
        if expected - 1 != last:
            self._differs(f"journal: it ends at {expected - 1}, the ledger stands at {last}")

    def _journal_chunks(self) -> Iterator[Sequence[Row[Any]]]:
        after = 0
        while True:
            query = select(journal).where(journal.c.sequence > after).order_by(journal.c.sequence).limit(CHUNK)
            rows = self._connection.execute(query).all()
            if not rows:
                return
            yield rows
            after = rows[-1].sequence

    def _decision(self, row: Row[Any]) -> Decision | None:
        try:
            decision = decision_of(row)
        except (ValueError, KeyError, TypeError, ArithmeticError) as error:
            self._differs(f"journal: record {row.sequence} cannot be read: {error!r}")
            return None
        if journal_row(decision) != tuple(row):
            self._differs(f"journal: record {row.sequence} is not written as its content says")
        return decision

    def _evolved(self, decision: Decision) -> list[ClosedTrade]:
        """Take a record into its book; the trades it closed."""
        key = (decision.command.portfolio_id, decision.command.symbol)
        book = self._books.setdefault(key, Book())
        try:
            records = tuple(replayed(decision, book))
        except ValueError as error:
            self._differs(f"journal: {error}")
            return []
        book.evolve(records, decision.sequence, decision.fill.time)
        self._trades += len(decision.matches)
        return list(closed_trades(decision.command, decision.fill, records))

    def _compare_trades(self, rows: Sequence[Row[Any]], rebuilt: list[ClosedTrade]) -> None:
        first, last = rows[0].sequence, rows[-1].sequence
        stored: dict[tuple[int, int], ClosedTrade] = {}
        for portfolio_id in sorted({row.portfolio_id for row in rows if row.trade_count}):
            columns = completed_trades.c
            query = select(completed_trades).where(
                columns.portfolio_id == portfolio_id, columns.sequence >= first, columns.sequence <= last
            )
            for trade in map(trade_of_row, self._connection.execute(query)):
                stored[trade.sequence, trade.trade_index] = trade
        for trade in rebuilt:
            if stored.get((trade.sequence, trade.trade_index)) != trade:
                self._differs(f"completed_trades: {trade.trade_id} is not what the journal says")

    def _compare_opened(self, decisions: Sequence[Decision]) -> None:
        """Every entry as it was opened; what is still open of it is compared at the end."""
        columns = position_entries.c
        for decision in decisions:
            opened = decision.opened
            if opened is None:
                continue
            self._entries += 1
            query = select(position_entries).where(
                columns.portfolio_id == decision.command.portfolio_id,
                columns.entry_time == opened.time,
                columns.sequence == opened.sequence,
            )
            row = self._connection.execute(query).one_or_none()
            if row is None or not _opened_alike(decision, row):
                self._differs(f"position_entries: E{opened.sequence} is not what the journal says")

    def _compare_open_entries(self) -> None:
        rebuilt = {
            (key[0], lot.sequence): (lot.remaining, lot.open_fee)
            for key, book in self._books.items()
            for lot in book.lots()
        }
        open_rows = self._connection.execute(
            select(position_entries).where(position_entries.c.status != EntryStatus.CLOSED.value)
        )
        for row in open_rows:
            entry = entry_of_row(row)
            ours = rebuilt.pop((entry.portfolio_id, entry.opened.sequence), None)
            if ours != (entry.remaining_quantity, entry.open_fee) or row.status != entry.status.value:
                self._differs(f"position_entries: what is open of {entry.entry_id} is not what the journal says")
        for _, sequence in rebuilt:
            self._differs(f"position_entries: E{sequence} is not open, the journal says it is")

    def _compare_books(self, currency: str) -> None:
        stored = {(row.portfolio_id, row.symbol): tuple(row) for row in self._connection.execute(select(books))}
        for key, book in self._books.items():
            if stored.pop(key, None) != book_row(*key, book, currency, lambda amount: amount):
                self._differs(f"books: {key[1]} in {key[0]} is not what the journal says")
        for portfolio_id, symbol in stored:
            self._differs(f"books: {symbol} in {portfolio_id} has no record in the journal")

    def _compare_counts(self) -> None:
        """Nothing may be stored that the journal does not know."""
        for table, rebuilt in ((position_entries, self._entries), (completed_trades, self._trades)):
            count = self._connection.execute(select(func.count()).select_from(table)).scalar_one()
            if count != rebuilt:
                self._differs(f"{table.name}: it has {count} rows, the journal says {rebuilt}")
        known = set(self._connection.execute(select(portfolios.c.portfolio_id)).scalars())
        for portfolio_id in sorted({key[0] for key in self._books} - known):
            self._differs(f"portfolios: {portfolio_id} is missing")


def _opened_alike(decision: Decision, row: Row[Any]) -> bool:
    entry, opened = entry_of_row(row), decision.opened
    assert opened is not None
    origin = opened.origin._replace(fee_currency=entry.opened.origin.fee_currency)
    same = entry.opened == opened._replace(origin=origin) and entry.symbol == decision.command.symbol
    closed = entry.status is EntryStatus.CLOSED and not entry.open_fee
    return (
        same
        and row.entry_id == entry.entry_id
        and row.status == entry.status.value
        and (closed or bool(entry.remaining_quantity))
    )
