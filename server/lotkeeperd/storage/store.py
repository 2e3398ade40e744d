"""The writer's connection: one transaction per batch, fenced by the ledger's one row.

Every batch takes the fence: ``UPDATE ledger SET last_sequence = :new WHERE epoch = :mine AND last_sequence = :expected``. No row
means that another server has the database: nothing is written. A batch decides first and fences then, so that sequences have
no gaps; nothing it decided can count unless the ledger still stands where its books do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from decimal import localcontext
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

from sqlalchemy import URL, Connection, Engine, func, insert, select, update
from sqlalchemy.exc import DBAPIError

from lotkeeperd.domain.book import Book, Lot
from lotkeeperd.domain.commands import Command, Decision
from lotkeeperd.domain.decimals import EXACT
from lotkeeperd.domain.refusals import Fenced, LedgerCorrupt, StorageUnavailable
from lotkeeperd.domain.trades import ClosedTrade, Entry, entry_as_opened
from lotkeeperd.service.ports import Key, OutcomeUnknown, State, StatementRefused, Transaction, Written
from lotkeeperd.storage import tables
from lotkeeperd.storage.columns import amount_for
from lotkeeperd.storage.engines import (
    TAKEOVER_MS,
    CannotStart,
    FileLock,
    check_pages,
    inspector_engine,
    is_sqlite,
    read_back,
    shown,
    unusable,
    writer_engine,
)
from lotkeeperd.storage.errors import Meaning, meaning, refusal, words
from lotkeeperd.storage.identity import fill_key, request_key
from lotkeeperd.storage.rows import (
    JournalRow,
    book_row,
    decision_of,
    entry_of_row,
    entry_row,
    journal_row,
    trade_of_row,
    trade_row,
)
from lotkeeperd.storage.schema import bring_up_to_date
from lotkeeperd.storage.statements import Statements

T = TypeVar("T")

ATTEMPTS = 10
"""Of one transaction that the database asks to retry."""


class SqlStore:
    """Satisfies ``service.ports.Store``. After ``open`` it is used from one thread at a time."""

    def __init__(self, url: URL) -> None:
        self._url = url
        self._engine = writer_engine(url)
        self._connection: Connection | None = None
        self._anchor: Engine | None = None
        self._lock = FileLock(Path(url.database or "").resolve()) if is_sqlite(url) else None
        self._statements = Statements(self._engine.dialect)
        self._amount = amount_for(self._engine.dialect)
        self._errors = (DBAPIError, self._engine.dialect.loaded_dbapi.Error)
        self._epoch = 0
        self._currency = ""

    def open(self, currency: str | None, now: int) -> State:
        """Take the database over: lock, settings, schema, a new epoch. Then load.

        ``currency`` is for a new ledger, and must be the ledger's own when it exists. Raises CannotStart.
        """
        try:
            if self._lock is not None:
                Path(self._url.database or "").parent.mkdir(parents=True, exist_ok=True)
                self._lock.take()
            connection = self._connected()
            with connection.begin():
                read_back(connection, shown(self._url))
                check_pages(connection, shown(self._url))
                bring_up_to_date(connection, shown(self._url))
                self._currency = self._founded(connection, currency, now)
                self._epoch = self._raised_epoch(connection)
                state = _state(connection)  # in here, so that a ledger that is not served is not changed nor fenced
            self._hold_open()
            return state
        except DBAPIError as error:
            self.close()
            raise unusable(self._url, error) from error
        except (LedgerCorrupt, ArithmeticError, LookupError, TypeError, ValueError) as error:
            self.close()
            what = error.message if isinstance(error, LedgerCorrupt) else f"a row cannot be read ({error!r})"
            raise CannotStart(f"{shown(self._url)}: {what}; restore the newest backup, keep this database") from error
        except (CannotStart, OSError):
            self.close()
            raise

    def _founded(self, connection: Connection, currency: str | None, now: int) -> str:
        """Make the ledger's one row when there is none; its currency."""
        ours = connection.execute(select(tables.ledger.c.currency)).scalar()
        if ours is None:
            ours = currency or "USD"
            connection.execute(
                insert(tables.ledger).values(
                    one=1, ledger_id=uuid4().hex, currency=ours, epoch=0, last_sequence=0, created_time=now
                )
            )
            connection.execute(insert(tables.portfolios).values(portfolio_id="default", created_time=now))
        elif currency not in (None, ours):
            raise CannotStart(
                f"{shown(self._url)}: its amounts are in {ours}, not {currency}; "
                f"start with --currency {ours} or name another database"
            )
        return str(ours)

    def _raised_epoch(self, connection: Connection) -> int:
        """From here on every older server's fence fails."""
        if self._lock is None:
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {TAKEOVER_MS}")
        raised = update(tables.ledger).values(epoch=tables.ledger.c.epoch + 1).returning(tables.ledger.c.epoch)
        return int(connection.execute(raised).scalar_one())

    def _hold_open(self) -> None:
        """SQLite: a second connection, so that the writer's is never the last to close while the server runs.

        Seen: the last one to close takes the index of the WAL away. After a flush that failed, the next one rebuilt it from
        the file and found the commit that nobody had flushed, and the retry was acknowledged as a replay of it; on a full
        disk there was no room to make it at all.
        """
        if self._lock is not None:
            self._anchor = inspector_engine(self._url)
            with self._anchor.connect() as connection:
                connection.execute(select(tables.ledger.c.epoch))

    def close(self) -> None:
        """Give the database up; on SQLite this checkpoints the WAL when nobody reads."""
        if self._anchor is not None:
            self._anchor.dispose()
        self._disconnect()
        self._engine.dispose()
        if self._lock is not None:
            self._lock.release()

    def _connected(self) -> Connection:
        if self._connection is None:
            self._connection = self._engine.connect()
        return self._connection

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()
            connection.close()

    def transact(self, work: Callable[[Transaction], T]) -> T:
        """Run ``work`` in one transaction, again when the database asks for it; commit unless it wrote nothing."""
        for _ in range(ATTEMPTS):
            try:
                return self._transacted(work)
            except self._errors as error:
                if meaning(error) is not Meaning.RETRY:
                    raise self._translated(error) from error
        raise StorageUnavailable("it kept asking for a retry")

    def _transacted(self, work: Callable[[Transaction], T]) -> T:
        connection = self._connected()
        transaction = connection.begin()
        try:
            batch = _SqlTransaction(connection, self._statements, self._amount, self._epoch, self._currency)
            result = work(batch)
        except BaseException:
            self._rolled_back(transaction.rollback)
            raise
        if not batch.wrote:
            self._rolled_back(transaction.rollback)
            return result
        try:
            transaction.commit()
        except self._errors as error:
            self._disconnect()
            if meaning(error) is Meaning.RETRY:
                raise
            raise OutcomeUnknown(refusal(error)) from error
        return result

    def _rolled_back(self, rollback: Callable[[], None]) -> None:
        try:
            rollback()
        except self._errors:
            self._disconnect()  # a connection that cannot roll back is not used again

    def _translated(self, error: Exception) -> Exception:
        if meaning(error) is Meaning.STATEMENT:
            return StatementRefused(words(error))
        self._disconnect()
        return refusal(error)

    def last_sequence(self) -> int:
        """As it stands on disk, on a new connection. Raises Fenced or StorageUnavailable."""
        self._disconnect()
        try:
            connection = self._connected()
            with connection.begin():
                # FOR UPDATE (PostgreSQL): a commit that was cut off may still be on its way, and holds the row.
                asked = select(tables.ledger.c.epoch, tables.ledger.c.last_sequence).with_for_update()
                epoch, sequence = connection.execute(asked).one()
        except DBAPIError as error:
            self._disconnect()
            raise refusal(error) from error
        if epoch != self._epoch:
            raise Fenced
        return int(sequence)

    def load(self) -> State:
        """Everything a server keeps in memory, checked against the stored sums and the journal's end."""
        try:
            connection = self._connected()
            with connection.begin():
                return _state(connection)
        except DBAPIError as error:
            self._disconnect()
            raise refusal(error) from error


def _state(connection: Connection) -> State:
    if connection.dialect.name == "postgresql":  # between rows this is work of ours, not a stalled server
        connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
    with localcontext(EXACT):
        return _loaded(connection)


def _loaded(connection: Connection) -> State:
    head = connection.execute(select(tables.ledger)).one()
    newest = connection.execute(select(func.max(tables.journal.c.sequence))).scalar() or 0
    if newest != head.last_sequence:
        raise LedgerCorrupt(f"the ledger stands at {head.last_sequence}, its journal ends at {newest}")
    names = set(connection.execute(select(tables.portfolios.c.portfolio_id)).scalars())
    return State(head.ledger_id, head.currency, newest, names, _books(connection))


def _books(connection: Connection) -> dict[Key, Book]:
    lots = _open_lots(connection)
    books: dict[Key, Book] = {}
    for row in connection.execute(select(tables.books)):
        key = (row.portfolio_id, row.symbol)
        book = Book.restored(
            lots.pop(key, []), row.gross_realized_pnl, row.realized_fees, row.sequence, row.newest_time
        )
        stored = (row.total_quantity, row.cost_basis, row.open_fees, row.open_entry_count)
        if stored != (book.quantity, book.cost, book.open_fees, book.lot_count):
            raise LedgerCorrupt(f"the open entries of {key[1]} in {key[0]} do not add up to its position")
        books[key] = book
    if lots:
        raise LedgerCorrupt(f"there are open entries without a position: {', '.join(next(iter(lots)))}")
    return books


def _open_lots(connection: Connection) -> dict[Key, list[Lot]]:
    entries = tables.position_entries
    query = select(entries).where(entries.c.status != "CLOSED").order_by(entries.c.entry_time, entries.c.sequence)
    lots: dict[Key, list[Lot]] = {}
    for row in connection.execute(query):
        entry = entry_of_row(row)
        opened = entry.opened
        lot = Lot(opened.time, opened.sequence, entry.remaining_quantity, opened.price, entry.open_fee, opened)
        lots.setdefault((entry.portfolio_id, entry.symbol), []).append(lot)
    return lots


class _SqlTransaction:
    """Satisfies ``service.ports.Transaction``."""

    def __init__(
        self, connection: Connection, statements: Statements, amount: Callable[..., object], epoch: int, currency: str
    ) -> None:
        self._connection = connection
        self._cursor = connection.connection.cursor()
        self._statements = statements
        self._amount = amount
        self._epoch = epoch
        self._currency = currency
        self.wrote = False

    def recorded(self, commands: Sequence[Command]) -> list[Decision]:
        requests = [request_key(command.portfolio_id, command.request_id) for command in commands if command.request_id]
        fills = [fill_key(command.portfolio_id, command.fill_id) for command in commands if command.fill_id]
        requests, fills = _padded(requests), _padded(fills)
        query = self._statements.lookup(len(requests), len(fills))
        self._cursor.execute(query, tuple(requests + fills))
        found = {row[0]: row for row in self._cursor.fetchall()}
        return [decision_of(JournalRow._make(found[sequence])) for sequence in sorted(found)]

    def trades(self, portfolio_id: str, sequence: int, limit: int) -> list[ClosedTrade]:
        trades = tables.completed_trades
        query = (
            select(trades)
            .where(trades.c.portfolio_id == portfolio_id, trades.c.sequence == sequence)
            .order_by(trades.c["index"])
            .limit(limit)
        )
        return [trade_of_row(row) for row in self._connection.execute(query)]

    def write(self, expected: int, written: Written) -> None:
        new = expected + len(written.decisions)
        self._cursor.execute(self._statements.fence, (new, self._epoch, expected))
        if self._cursor.rowcount != 1:
            raise Fenced
        if not written.decisions:
            return
        self.wrote = True
        statements, cursor, amount = self._statements, self._cursor, self._amount
        statements.journal.run(cursor, [journal_row(decision) for decision in written.decisions])
        statements.entry.run(cursor, [entry_row(entry, self._currency, amount) for entry in _entries(written)])
        trades = [trade_row(trade, self._currency, amount) for trades in written.trades for trade in trades]
        statements.trade.run(cursor, trades)
        books = [book_row(*key, book, self._currency, amount) for key, book in written.books.items()]
        statements.book.run(cursor, books)
        now = written.decisions[0].recorded_time
        statements.portfolio.run(cursor, [(name, now) for name in written.portfolios])


def _entries(written: Written) -> Iterator[Entry]:
    """Every entry that a batch opened or reduced, as the batch leaves it."""
    yield from written.reduced.values()
    for decision in written.decisions:
        command = decision.command
        if decision.opened is not None and (command.portfolio_id, decision.sequence) not in written.reduced:
            yield entry_as_opened(command.portfolio_id, command.symbol, decision.opened)


def _padded(keys: list[int]) -> list[int]:
    """The next power of two of keys, so that few different statements are ever prepared."""
    return keys + keys[-1:] * ((1 << (len(keys) - 1).bit_length()) - len(keys)) if keys else keys
