"""Law 13: rebuilds every book from the journal alone and compares, to the digit, with what is stored.

Everything is read in one snapshot, so a server may go on writing meanwhile. Memory grows with open lots, not with history.
What is compared: the journal has no gap and ends where the ledger stands; every identity key is the one its text makes;
every entry as it was opened and as it is now; every closed trade; every position's sums; and that there is nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal, localcontext
from typing import Any, NamedTuple

from sqlalchemy import URL, Connection, Row, func, select, text
from sqlalchemy.exc import DBAPIError

from lotkeeperd.domain.book import Book, LotOpened
from lotkeeperd.domain.commands import Decision, replayed
from lotkeeperd.domain.decimals import EXACT, ZERO
from lotkeeperd.domain.trades import ClosedTrade, Entry, EntryStatus, closed_trades
from lotkeeperd.service.ports import Key
from lotkeeperd.storage.columns import amount_for
from lotkeeperd.storage.engines import CannotStart, inspector_engine, shown, unusable
from lotkeeperd.storage.rows import (
    book_row,
    decision_of,
    entry_of_row,
    entry_row,
    journal_row,
    trade_of_row,
    trade_row,
)
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
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise CannotStart(
            f"{shown(url)}: a row cannot be read ({error!r}); restore the newest backup, keep this database"
        ) from error
    finally:
        engine.dispose()


def _as_is(amount: Decimal) -> Decimal:
    return amount


def _adds_up(decision: Decision) -> bool:
    """Whether the fill is what was asked, and what it opened and closed makes up its quantity and its fee (laws 3 and 4)."""
    command, fill, opened = decision.command, decision.fill, decision.opened
    quantity = sum((match.quantity for match in decision.matches), opened.quantity if opened else ZERO)
    fee = sum((match.exit_fee for match in decision.matches), opened.fee if opened else ZERO)
    asked = (command.side, command.quantity, command.time)
    decided = (fill.direction, fill.quantity, fill.time)
    kept = all(one is None or one == other for one, other in zip(asked, decided, strict=True))
    return kept and (quantity, fee) == (fill.quantity, fill.fee)


class _Verification:
    def __init__(self, connection: Connection, progress: Progress) -> None:
        self._connection = connection
        self._progress = progress
        self._books: dict[Key, Book] = {}
        self._found: list[str] = []
        self._currency = ""
        self._entries = 0
        self._trades = 0

    def run(self) -> Verified:
        head = self._connection.execute(select(ledger)).one_or_none()
        if head is None:
            raise CannotStart("the ledger's own row is missing; restore the newest backup")
        self._currency = head.currency
        with localcontext(EXACT):
            try:
                self._check_pages()
                self._replay(head.last_sequence)
                self._compare_open_entries()
                self._compare_books()
                self._compare_counts()
            except _Enough:
                self._found.append("and more; the search was ended here")
        return Verified(head.ledger_id, head.last_sequence, self._entries, self._trades, len(self._books), self._found)

    def _differs(self, what: str) -> None:
        self._found.append(what)
        if len(self._found) >= DIFFERENCES:
            raise _Enough

    def _check_pages(self) -> None:
        """SQLite: every page, and every index against its table: an execution that its index forgot would count twice."""
        if self._connection.dialect.name == "sqlite":
            found = self._connection.exec_driver_sql(f"PRAGMA integrity_check({DIFFERENCES})").scalars().all()
            for what in found if found != ["ok"] else []:
                self._differs(f"pages: {' '.join(what.split())}")

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
        if not _adds_up(decision):
            self._differs(f"journal: record {row.sequence} decided something else than was asked")
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
        stored: dict[tuple[int, int], tuple[Any, ...]] = {}
        for portfolio_id in sorted({row.portfolio_id for row in rows if row.trade_count}):
            columns = completed_trades.c
            query = select(completed_trades).where(
                columns.portfolio_id == portfolio_id, columns.sequence >= first, columns.sequence <= last
            )
            for row in self._connection.execute(query):
                stored[row.sequence, trade_of_row(row).trade_index] = tuple(row)
        for trade in rebuilt:
            if stored.get((trade.sequence, trade.trade_index)) != trade_row(trade, self._currency, _as_is):
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
            if row is None or not self._opened_alike(decision, opened, row):
                self._differs(f"position_entries: E{opened.sequence} is not what the journal says")

    def _opened_alike(self, decision: Decision, opened: LotOpened, row: Row[Any]) -> bool:
        """Whether every column is right but what is open of it, and that is open or all gone."""
        command = decision.command
        entry = Entry(command.portfolio_id, command.symbol, row.remaining_quantity, row.open_fee, opened)
        alike = entry_row(entry, self._currency, _as_is) == tuple(row)
        return alike and (bool(entry.remaining_quantity) or not entry.open_fee)

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

    def _compare_books(self) -> None:
        stored = {(row.portfolio_id, row.symbol): tuple(row) for row in self._connection.execute(select(books))}
        for key, book in self._books.items():
            if stored.pop(key, None) != book_row(*key, book, self._currency, _as_is):
                self._differs(f"books: {key[1]} in {key[0]} is not what the journal says")
        for portfolio_id, symbol in stored:
            self._differs(f"books: {symbol} in {portfolio_id} has no record in the journal")
        self._compare_view()

    def _compare_view(self) -> None:
        amount = amount_for(self._connection.dialect)
        rebuilt = {
            book_row(*key, book, self._currency, amount)[:-1] for key, book in self._books.items() if book.lot_count
        }
        query = text("SELECT * FROM current_positions")
        for row in {tuple(row) for row in self._connection.execute(query)} ^ rebuilt:
            self._differs(f"current_positions: {row[1]} in {row[0]} is not what the journal says")

    def _compare_counts(self) -> None:
        """Nothing may be stored that the journal does not know."""
        for table, rebuilt in ((position_entries, self._entries), (completed_trades, self._trades)):
            count = self._connection.execute(select(func.count()).select_from(table)).scalar_one()
            if count != rebuilt:
                self._differs(f"{table.name}: it has {count} rows, the journal says {rebuilt}")
        known = set(self._connection.execute(select(portfolios.c.portfolio_id)).scalars())
        for portfolio_id in sorted({key[0] for key in self._books} - known):
            self._differs(f"portfolios: {portfolio_id} is missing")
