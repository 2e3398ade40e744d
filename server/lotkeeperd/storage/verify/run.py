"""One pass over the journal in one snapshot: each record is read, chained, replayed and compared, a chunk at a time."""

from __future__ import annotations

import struct
from collections.abc import Callable
from decimal import localcontext
from typing import Any, NamedTuple

from sqlalchemy import URL, Connection, Row, select
from sqlalchemy.exc import DBAPIError

from lotkeeperd.domain.accounts import CashMoved, InstrumentDefined, TermsSet
from lotkeeperd.domain.book import Lot
from lotkeeperd.domain.commands import RULES_VERSION, Decision
from lotkeeperd.domain.decimals import EXACT
from lotkeeperd.domain.history import Correction, Late
from lotkeeperd.domain.reconciliation.records import Reported, Resolved, Standing, Undone, standings_of
from lotkeeperd.domain.trades import ClosedTrade, Entry
from lotkeeperd.service.ports import JournalRecord, Key
from lotkeeperd.service.stage import key_of
from lotkeeperd.storage.chain import Link, Walk, chunks, newest_link
from lotkeeperd.storage.engines import CannotStart, inspector_engine, shown, unusable
from lotkeeperd.storage.journal_key import JournalKey, chain_bytes
from lotkeeperd.storage.records import record_of, record_row
from lotkeeperd.storage.rows import JournalRow
from lotkeeperd.storage.schema import check_current
from lotkeeperd.storage.tables import journal, ledger
from lotkeeperd.storage.verify.amended import AmendedReplay
from lotkeeperd.storage.verify.findings import DIFFERENCES, Enough, Findings
from lotkeeperd.storage.verify.replay import NOTHING, BookReplay, Done
from lotkeeperd.storage.verify.stored import Stored
from lotkeeperd.storage.verify.terms import Terms

Progress = Callable[[int, int], None]

UNREADABLE = (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError, struct.error)
"""What a row raises that nobody wrote."""


class Verified(NamedTuple):
    """What was read, and every difference in words; none means that everything is what the journal says.

    ``head`` is where the chain over the journal ends; ``keyed`` says whether it takes a secret to make one.
    """

    ledger_id: str
    sequence: int
    entries: int
    trades: int
    positions: int
    head: str
    keyed: bool
    differences: list[str]


def verify(url: URL, progress: Progress, key: JournalKey | None = None, expected: Link | None = None) -> Verified:
    """Rebuild and compare; ``expected`` is a head of the chain that was kept elsewhere and must still be in it.

    Raises CannotStart when the database cannot be read, or ``key`` is not the one that its journal is chained with.
    """
    engine = inspector_engine(url)
    try:
        with engine.connect() as connection, connection.begin():
            check_current(connection, shown(url))
            return _Verification(connection, progress, expected).run(key, shown(url))
    except DBAPIError as error:
        raise unusable(url, error) from error
    except UNREADABLE as error:
        raise CannotStart(
            f"{shown(url)}: a row cannot be read ({error!r}); restore the newest backup, keep this database"
        ) from error
    finally:
        engine.dispose()


def printed_head(url: URL) -> Link:
    """Where the chain ends, as it is stored; nothing is checked. Raises CannotStart."""
    engine = inspector_engine(url)
    try:
        with engine.connect() as connection, connection.begin():
            check_current(connection, shown(url))
            return newest_link(connection)
    except DBAPIError as error:
        raise unusable(url, error) from error
    finally:
        engine.dispose()


class _Verification:
    def __init__(self, connection: Connection, progress: Progress, expected: Link | None) -> None:
        self._connection = connection
        self._progress = progress
        self._expected = expected
        self._findings = Findings()
        self._differs = self._findings.differs
        self._books: dict[Key, BookReplay] = {}
        self._amended: set[tuple[str, str]] = set()
        self._standings: dict[str, Standing] = {}
        self._underway: dict[tuple[str, int], Lot] = {}  # from one book to another

    def run(self, key: JournalKey | None, name: str) -> Verified:
        head = self._connection.execute(select(ledger)).one_or_none()
        if head is None:
            raise CannotStart("the ledger's own row is missing; restore the newest backup")
        self._walk = Walk(chain_bytes(head.chain_key, key, name))
        self._stored = Stored(self._connection, head.currency, self._findings)
        self._terms = Terms(head.currency, head.created_time)
        with localcontext(EXACT):
            try:
                self._check_pages()
                self._find_amended()
                self._replay(head.last_sequence)
                self._check_chain(head.last_sequence)
                self._compare_rest()
            except Enough:
                self._findings.found.append("and more; the search was ended here")
        return Verified(
            head.ledger_id,
            head.last_sequence,
            self._stored.entries,
            self._stored.trades,
            len(self._books),
            str(self._walk.head),
            key is not None,
            self._findings.found,
        )

    def _check_pages(self) -> None:
        """SQLite: every page, and every index against its table: an execution that its index forgot would count twice."""
        if self._connection.dialect.name == "sqlite":
            found = self._connection.exec_driver_sql(f"PRAGMA integrity_check({DIFFERENCES})").scalars().all()
            for what in found if found != ["ok"] else []:
                self._differs(f"pages: {' '.join(what.split())}")

    def _find_amended(self) -> None:
        """The books that something re-matched; a late fill is no event, so its record is known by what it decided."""
        query = select(journal.c.portfolio_id, journal.c.symbol).distinct()
        found = self._connection.execute(query.where(journal.c.decided.like('%"rematch":%')))
        self._amended = {(row.portfolio_id, row.symbol) for row in found}

    def _replay(self, last: int) -> None:
        expected = 1
        for rows in chunks(self._connection):
            trades: list[ClosedTrade] = []
            entries: list[Entry] = []
            for row in rows:
                if row.sequence != expected:
                    self._differs(f"journal: record {row.sequence} follows {expected - 1}")
                expected = row.sequence + 1
                self._link(row)
                done = self._taken(row)
                trades += done.trades
                entries += done.entries
            self._stored.compare_trades(trades, self._amended)
            self._stored.compare_entries(entries)
            self._progress(min(expected - 1, last), last)
        if expected - 1 != last:
            self._differs(f"journal: it ends at {expected - 1}, the ledger stands at {last}")

    def _link(self, row: Row[Any]) -> None:
        before = self._walk.head
        try:
            right = self._walk.take(JournalRow._make(row[:-1]), row.chain)
        except UNREADABLE:
            self._differs(f"journal: record {row.sequence} has columns that no record has")
            return
        if right is not None:
            self._differs(f"journal: records {before.sequence + 1} to {row.sequence} are not those that were chained")
        if self._expected is not None and row.sequence == self._expected.sequence:
            self._check_expected(self._walk.head)

    def _check_expected(self, found: Link) -> None:
        if found != self._expected:
            self._differs(f"journal: the digest at record {found.sequence} is not the expected one")

    def _taken(self, row: Row[Any]) -> Done:
        """What a record did; nothing when it cannot be read, or does not fit."""
        try:
            record = record_of(row)
            self._check_written(row, record)
            return self._did(record, row.rules)
        except UNREADABLE as error:
            what = str(error) if isinstance(error, ValueError) and str(error).startswith("record ") else repr(error)
            self._differs(f"journal: record {row.sequence} cannot be replayed: {what}")
            return NOTHING

    def _check_written(self, row: Row[Any], record: JournalRecord) -> None:
        rules = row.rules if row.rules in range(1, RULES_VERSION + 1) else RULES_VERSION
        ours = JournalRow._make(record_row(record))._replace(rules=rules)
        if ours != tuple(row[:-1]):
            names = [name for name, says, found in zip(JournalRow._fields, ours, row, strict=False) if says != found]
            self._differs(f"journal: record {row.sequence} is not written as its content says, in {', '.join(names)}")

    def _did(self, record: JournalRecord, rules: int) -> Done:
        if isinstance(record, CashMoved):
            self._terms.move(record)
        elif isinstance(record, TermsSet):
            self._terms.agree(record)
        elif isinstance(record, InstrumentDefined):
            self._define(record)
        elif isinstance(record, Reported | Resolved | Undone):
            self._standings |= {one.discrepancy_id: one for one in standings_of(record, self._standings)}
        else:
            return self._booked(record, rules)
        return NOTHING

    def _define(self, record: InstrumentDefined) -> None:
        self._terms.define(record)
        instrument = record.instrument
        for key, replay in self._books.items():
            if key[1] == instrument.symbol:
                replay.book.contract = instrument.contract

    def _booked(self, record: Decision | Late | Correction, rules: int) -> Done:
        key = key_of(record)
        replay = self._book(key, record.recorded_time, rules)
        if isinstance(record, Decision):
            done = replay.decided(record)
            self._stored.trades += len(done.trades)
        else:
            done = replay.rematched(record)
            self._stored.trades += sum(now is not None for _, now in record.rematch.pairs)
            self._stored.compare_restated(record)
        self._terms.charge(key[0], done.fees, record.sequence)
        self._carry(key[0], done, record.sequence)
        return done

    def _book(self, key: Key, recorded_time: int, rules: int) -> BookReplay:
        portfolio = self._terms.portfolio(key[0], recorded_time)
        instrument = self._terms.instrument(key[1], rules)
        if key not in self._books:
            kind = AmendedReplay if key[:2] in self._amended else BookReplay
            self._books[key] = kind(key, instrument.contract, portfolio.lot_method, self._differs)
        return self._books[key]

    def _carry(self, portfolio_id: str, done: Done, sequence: int) -> None:
        """Lots arrive as they left."""
        for lot in done.arrived:
            left = self._underway.pop((portfolio_id, lot.sequence), None)
            if left is None or left.standing != lot.standing:
                self._differs(f"journal: record {sequence} takes in E{lot.sequence} other than it left")
        for lot in done.left:
            self._underway[portfolio_id, lot.sequence] = lot

    def _check_chain(self, last: int) -> None:
        if self._walk.head.sequence != last:
            self._differs(f"journal: records {self._walk.head.sequence + 1} to {last} have no digest")
        if self._expected is not None and self._expected.sequence > last:
            self._differs(f"journal: it ends at {last}; record {self._expected.sequence} was expected in it")

    def _compare_rest(self) -> None:
        stored, terms = self._stored, self._terms
        for portfolio_id, sequence in self._underway:
            self._differs(f"journal: E{sequence} of {portfolio_id} left its book and arrived in no other")
        stored.compare_entries(entry for replay in self._books.values() for entry in replay.entries())
        stored.compare_books({key: replay.book for key, replay in self._books.items()})
        stored.compare_portfolios(terms.portfolios.values())
        stored.compare_instruments(terms.stored_instruments())
        stored.compare_balances(terms.balances)
        stored.compare_standings(self._standings)
        stored.compare_counts()
