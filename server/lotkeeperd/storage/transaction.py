"""One transaction of the writer: what it looks up, and what one batch writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from sqlalchemy import ColumnElement, Connection, func, select, text

from lotkeeperd.domain.accounts import InstrumentDefined
from lotkeeperd.domain.commands import Decision, Method
from lotkeeperd.domain.history import Amendment, BookRecord, Correction, Late
from lotkeeperd.domain.reconciliation.records import Standing
from lotkeeperd.domain.refusals import Fenced
from lotkeeperd.domain.trades import ClosedTrade, Entry, Restatement, entry_as_opened
from lotkeeperd.service.ports import (
    AnyCommand,
    JournalRecord,
    Key,
    Written,
)
from lotkeeperd.service.stage import key_of
from lotkeeperd.storage import tables
from lotkeeperd.storage.chain import Link, linked
from lotkeeperd.storage.identity import fill_key, request_key
from lotkeeperd.storage.journal_reader import OF_INSTRUMENTS
from lotkeeperd.storage.reconciliation_rows import standing_of, standing_row
from lotkeeperd.storage.records import AMENDMENTS, EXECUTED, REMATCH, record_of, record_row
from lotkeeperd.storage.restated import restated_query, restatements
from lotkeeperd.storage.rows import (
    READ,
    JournalRow,
    book_row,
    entry_row,
    execution_of,
    trade_of_row,
    trade_row,
)
from lotkeeperd.storage.statements import Statements
from lotkeeperd.storage.terms import balance_row, instrument_row, portfolio_row


class SqlTransaction:
    """Satisfies ``service.ports.Transaction``."""

    def __init__(
        self,
        connection: Connection,
        statements: Statements,
        amount: Callable[..., object],
        epoch: int,
        currency: str,
        chain: bytes,
        head: Link,
        failures: tuple[type[Exception], ...],
    ) -> None:
        self._connection = connection
        self._cursor = connection.connection.cursor()
        self._statements = statements
        self._amount = amount
        self._epoch = epoch
        self._currency = currency
        self._chain = chain
        self.head = head
        """The chain's, as this transaction leaves it."""
        self.failures = failures
        self.wrote = False

    def recorded(self, commands: Sequence[AnyCommand]) -> list[JournalRecord]:
        """Every record that holds a request id or a fill id of ``commands``; others may be among them."""
        requests = [request_key(command.portfolio_id, command.request_id) for command in commands if command.request_id]
        fills = [fill_key(command.portfolio_id, found_by) for command in commands if (found_by := _found_by(command))]
        requests, fills = _padded(requests), _padded(fills)
        if not requests and not fills:
            return []
        query = self._statements.lookup(len(requests), len(fills))
        self._cursor.execute(query, tuple(requests + fills))
        found = {row[0]: row for row in self._cursor.fetchall()}
        return [record_of(JournalRow._make(found[sequence])) for sequence in sorted(found)]

    def history(self, key: Key) -> list[BookRecord]:
        """Every record of one book, in order: a walk over the journal, since nothing but a correction asks."""
        journal = tables.journal
        query = (
            select(*READ)
            .where(journal.c.portfolio_id == key[0], journal.c.symbol == key[1])
            .order_by(journal.c.sequence)
        )
        found = []
        for row in self._connection.execute(query):
            record = record_of(row)
            if isinstance(record, Decision | Late | Correction) and key_of(record) == key:
                found.append(record)
        return found

    def definitions(self, symbol: str) -> list[InstrumentDefined]:
        """Every record of an instrument, in order."""
        journal = tables.journal
        query = (
            select(*READ)
            .where(journal.c.portfolio_id == OF_INSTRUMENTS, journal.c.symbol == symbol)
            .order_by(journal.c.sequence)
        )
        found = [record_of(row) for row in self._connection.execute(query)]
        return [record for record in found if isinstance(record, InstrumentDefined)]

    def records(self, portfolio_id: str, first: int, last: int) -> list[JournalRecord]:
        """The records of one portfolio from ``first`` to ``last``."""
        journal = tables.journal
        query = (
            select(*READ)
            .where(journal.c.portfolio_id == portfolio_id, journal.c.sequence.between(first, last))
            .order_by(journal.c.sequence)
        )
        return [record_of(row) for row in self._connection.execute(query)]

    def executed(self, portfolio_id: str, since: int, limit: int) -> list[Decision | Late]:
        """The first executions of one portfolio that were recorded from ``since`` on, in order; nanoseconds UTC.

        Those that re-matched nothing come without the lots that they opened and closed: what was executed is all that is asked.
        """
        journal = tables.journal
        query = (
            select(*READ)
            .where(journal.c.portfolio_id == portfolio_id, journal.c.sequence > self._written_before(since))
            .where(journal.c.method.in_([method.value for method in (*EXECUTED, Method.LIQUIDATION)]))
            .order_by(journal.c.sequence)
            .limit(limit)
        )
        found = []
        for row in self._connection.execute(query):
            record = record_of(row) if REMATCH in row.decided else execution_of(row)
            if isinstance(record, Decision | Late):
                found.append(record)
        return found

    def _written_before(self, time: int) -> int:
        """The newest sequence that was recorded before ``time``, 0 for none.

        Found by halving: a walk from the end takes a fifth of a second over a million records, and the writer waits for it. The
        server's clock goes on with the sequence; where it was ahead for a while, more is read than had to be.
        """
        journal = tables.journal
        low, high = 0, self._connection.execute(select(func.max(journal.c.sequence))).scalar() or 0
        while low < high:
            middle = (low + high + 1) // 2
            query = select(journal.c.recorded_time).where(journal.c.sequence <= middle)
            recorded = self._connection.execute(query.order_by(journal.c.sequence.desc()).limit(1)).scalar()
            if recorded is None or recorded < time:
                low = middle
            else:
                high = middle - 1
        return low

    def corrections(self, portfolio_id: str, after: int) -> list[Correction]:
        """The corrections of one portfolio after a sequence, in order; by the index of what is no execution."""
        journal = tables.journal
        query = (
            select(*READ)
            .where(journal.c.portfolio_id == portfolio_id, journal.c.sequence > after)
            .where(text(f"NOT {tables.EXECUTIONS}"), journal.c.method.in_(sorted(AMENDMENTS)))
            .order_by(journal.c.sequence)
        )
        found = [record_of(row) for row in self._connection.execute(query)]
        return [record for record in found if isinstance(record, Correction)]

    def standing(self, discrepancy_id: str) -> Standing | None:
        """One difference, whatever became of it."""
        return self._standing(tables.discrepancies.c.discrepancy_id == discrepancy_id)

    def settled(self, resolution_id: str) -> Standing | None:
        """The difference that a resolution settled, unless it was taken back."""
        if not resolution_id:
            return None
        return self._standing(tables.discrepancies.c.resolution_id == resolution_id)

    def _standing(self, which: ColumnElement[bool]) -> Standing | None:
        body = self._connection.execute(select(tables.discrepancies.c.body).where(which)).scalar()
        return None if body is None else standing_of(body)

    def restated(self, portfolio_id: str, sequence: int, limit: int) -> list[Restatement]:
        """The first restatements of one journal record."""
        return restatements(self._connection.execute(restated_query(portfolio_id, sequence, -1, limit)).all(), sequence)

    def trades(self, portfolio_id: str, sequence: int, limit: int) -> list[ClosedTrade]:
        """The first closed trades of one journal record."""
        trades = tables.completed_trades
        query = (
            select(trades)
            .where(trades.c.portfolio_id == portfolio_id, trades.c.sequence == sequence)
            .order_by(trades.c["index"])
            .limit(limit)
        )
        return [trade_of_row(row) for row in self._connection.execute(query)]

    def write(self, expected: int, written: Written) -> None:
        """Take the fence at ``expected`` and write it all. Raises Fenced."""
        new = expected + len(written.records)
        self._cursor.execute(self._statements.fence, (new, self._epoch, expected))
        if self._cursor.rowcount != 1:
            raise Fenced
        if not written.records:
            return
        self.wrote = True
        statements, cursor, amount = self._statements, self._cursor, self._amount
        rows = [record_row(record) for record in written.records]
        self.head = Link(new, linked(self._chain, self.head.digest, rows))
        statements.journal.run(cursor, [*((*row, None) for row in rows[:-1]), (*rows[-1], self.head.digest)])
        self._write_entries(written)
        trades = [trade_row(trade, amount) for trades in written.trades for trade in trades]
        statements.trade.run(cursor, trades)
        for portfolio_id, (was, at), (by, index) in written.superseded:  # of this batch's own trades, too
            cursor.execute(statements.supersede, (by, index, portfolio_id, was, at))
        books = [book_row(*key, book, amount) for key, book in written.books.items()]
        statements.book.run(cursor, books)
        self._write_terms(written)

    def _write_entries(self, written: Written) -> None:
        statements, cursor = self._statements, self._cursor
        for moved in written.moved:
            cursor.execute(statements.forget_entry, moved)
        rows = [entry_row(entry, self._currency, self._amount) for entry in _entries(written)]
        (statements.whole_entry if written.rewritten else statements.entry).run(cursor, rows)

    def _write_terms(self, written: Written) -> None:
        statements, cursor = self._statements, self._cursor
        statements.portfolio.run(cursor, [portfolio_row(portfolio) for portfolio in written.portfolios.values()])
        statements.instrument.run(cursor, [instrument_row(what) for what in written.instruments.values()])
        balances = [balance_row(*key, balance, self._amount) for key, balance in written.balances.items()]
        statements.balance.run(cursor, balances)
        statements.standing.run(cursor, [standing_row(standing) for standing in written.standings.values()])


def _entries(written: Written) -> Iterator[Entry]:
    """Every entry that a batch opened or changed, as the batch leaves it."""
    yield from written.entries.values()
    for record in written.records:
        if isinstance(record, Decision) and record.opened is not None:
            command = record.command
            if (command.portfolio_id, record.sequence) not in written.entries:
                yield entry_as_opened(command.portfolio_id, command.symbol, record.opened)


def _found_by(command: AnyCommand) -> str:
    """The id that a command's record is found by."""
    return command.recorded_id if isinstance(command, Amendment) else command.fill_id


def _padded(keys: list[int]) -> list[int]:
    """The next power of two of keys, so that few different statements are ever prepared."""
    return keys + keys[-1:] * ((1 << (len(keys) - 1).bit_length()) - len(keys)) if keys else keys
