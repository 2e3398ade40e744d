"""The writer's connection: one transaction per batch, fenced by the ledger's one row.

Every batch takes the fence: ``UPDATE ledger SET last_sequence = :new WHERE epoch = :mine AND last_sequence = :expected``. No row
means that another server has the database: nothing is written. A batch decides first and fences then, so that sequences have
no gaps; nothing it decided can count unless the ledger still stands where its books do. The last record of a batch carries the
digest that chains it to everything before it (``chain``).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

from sqlalchemy import URL, Connection, Engine, insert, select, update
from sqlalchemy.exc import DBAPIError

from lotkeeperd.domain.refusals import Fenced, LedgerCorrupt, StorageUnavailable
from lotkeeperd.service.ports import (
    OutcomeUnknown,
    State,
    StatementRefused,
    Transaction,
)
from lotkeeperd.storage import tables
from lotkeeperd.storage.chain import NO_LINK, chained_anew, head_of
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
from lotkeeperd.storage.journal_key import JournalKey, chain_bytes, new_chain_key
from lotkeeperd.storage.loading import loaded_state
from lotkeeperd.storage.schema import bring_up_to_date
from lotkeeperd.storage.statements import Statements
from lotkeeperd.storage.transaction import SqlTransaction

T = TypeVar("T")

ATTEMPTS = 10
"""Of one transaction that the database asks to retry."""


class SqlStore:
    """Satisfies ``service.ports.Store``. After ``open`` it is used from one thread at a time.

    ``key`` is the secret that the journal's chain is keyed by; without one it is keyed by the ledger's id.
    """

    def __init__(self, url: URL, key: JournalKey | None = None) -> None:
        self._url = url
        self._key = key
        self._engine = writer_engine(url)
        self._connection: Connection | None = None
        self._anchor: Engine | None = None
        self._lock = FileLock(Path(url.database or "").resolve()) if is_sqlite(url) else None
        self._statements = Statements(self._engine.dialect)
        self._amount = amount_for(self._engine.dialect)
        self._errors = (DBAPIError, self._engine.dialect.loaded_dbapi.Error)
        self._epoch = 0
        self._currency = ""
        self._chain = b""
        self._head = NO_LINK

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
                state = loaded_state(
                    connection
                )  # in here, so that a ledger that is not served is not changed nor fenced
                self._chained(connection, state.last_sequence)
            self._hold_open()
            return state
        except DBAPIError as error:
            self.close()
            raise unusable(self._url, error) from error
        except (LedgerCorrupt, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
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

    def _chained(self, connection: Connection, last_sequence: int) -> None:
        """Take up the chain where it ends; begin it when this ledger has none, over the records that are there already."""
        ledger_id, stored = connection.execute(select(tables.ledger.c.ledger_id, tables.ledger.c.chain_key)).one()
        if stored:
            self._chain = chain_bytes(stored, self._key, shown(self._url))
            self._head = head_of(connection, last_sequence)
            return
        stored = new_chain_key(self._key, ledger_id)
        self._chain = chain_bytes(stored, self._key, shown(self._url))
        self._head = chained_anew(connection, self._chain, last_sequence)
        connection.execute(update(tables.ledger).values(chain_key=stored))

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
            batch = SqlTransaction(
                connection,
                self._statements,
                self._amount,
                self._epoch,
                self._currency,
                self._chain,
                self._head,
                self._errors,
            )
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
        self._head = batch.head
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
                state = loaded_state(connection)
                self._head = head_of(connection, state.last_sequence)
                return state
        except DBAPIError as error:
            self._disconnect()
            raise refusal(error) from error
