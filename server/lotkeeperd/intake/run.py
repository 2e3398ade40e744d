"""One import from its beginning to its end: read, check, sort, record, report.

    source -> rows -> commands -> spool (by time) -> one transaction -> report

A file is read once. What is wrong with a row is known before the ledger is touched, what the ledger refuses only after; both are
reported alike. The ledger is opened as a server opens it, so that nobody else writes meanwhile. A dry run on a SQLite ledger that
is not there yet is made on a temporary one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from decimal import Decimal, localcontext
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO, NamedTuple

from lotkeeperd.domain.commands import Excess
from lotkeeperd.domain.decimals import EXACT, ZERO, plain
from lotkeeperd.domain.refusals import FieldViolations, Refusal
from lotkeeperd.intake.columns import ColumnMap, Form
from lotkeeperd.intake.declarations import declarations
from lotkeeperd.intake.delimited import DelimitedFile
from lotkeeperd.intake.lines import Progress as Bytes
from lotkeeperd.intake.objects import DocumentFile, LinesFile
from lotkeeperd.intake.problems import BadMap, NotRecorded, UnreadableFile, WrongCell
from lotkeeperd.intake.reading import RowReader
from lotkeeperd.intake.recording import Put, Tally, of_text, record, to_text
from lotkeeperd.intake.report import REFUSED_LISTED, After, Counts, Refused, Report
from lotkeeperd.intake.rows import Broken, Row, Source
from lotkeeperd.service.ports import OutcomeUnknown, State, StatementRefused
from lotkeeperd.storage.engines import database_url, is_sqlite
from lotkeeperd.storage.foreign import ForeignTable, foreign_table
from lotkeeperd.storage.journal_key import journal_key
from lotkeeperd.storage.spool import Spool
from lotkeeperd.storage.store import SqlStore

SUFFIXES = {".csv": "csv", ".tsv": "csv", ".txt": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json"}
"""What a file is taken for by the end of its name."""

NAMES_SHOWN = 20
"""Columns that are named in a note."""

Progress = Callable[[int, int], None]
"""Told how much is done, of how much."""


class Request(NamedTuple):
    """What is asked for: ``path`` or ``table`` into ``database``, whose chain ``journal_key`` keys. Not ``apply``: a dry run."""

    path: Path | None
    table: str
    columns: ColumnMap
    positions: bool
    excess: Excess
    database: str
    currency: str
    journal_key: str
    create_portfolios: bool
    apply: bool
    keep_going: bool
    takeover: bool


def run(request: Request, now: int, reading: Progress, recording: Progress) -> Report:
    """Import at ``now`` (nanoseconds UTC). Raises BadMap, UnreadableFile, NotRecorded, or CannotStart for a database."""
    with ExitStack() as opened:
        read = opened.enter_context(ExitStack())
        source = read.enter_context(_source(request, reading))
        store, state, fresh = opened.enter_context(_ledger(request, now))
        spool = opened.enter_context(Spool())
        declared = declarations(request.columns, state.currency)
        reader = RowReader(request.columns, source.names, request.positions, request.excess, now)
        intake = _Intake(reader, spool)
        intake.take(source)
        read.close()  # a database would not be held open while the ledger is written
        tally = _recorded(request, store, state, declared, intake, now, recording)
        notes = [*intake.notes(source, request.columns.form.order), *fresh]
        return _report(request, source, state, intake, tally, notes)


class _Intake:
    """Rows on their way into the spool."""

    def __init__(self, reader: RowReader, spool: Spool) -> None:
        self.spool = spool
        self.read = self.skipped = self.refused = self.made_ids = 0
        self.refusals: list[Refused] = []
        self._reader = reader

    def take(self, source: Source) -> None:
        """Raises UnreadableFile when a column that the map names is in no row: a fee that is never found is not no fee."""
        unseen = set(self._reader.named)
        for found in source.rows():
            self.read += 1
            if isinstance(found, Broken):
                self._refuse(found.place, found.why)
                continue
            if unseen:
                unseen.difference_update(found.cells)
            try:
                if self._reader.wanted(found.cells):
                    self._spool(found)
                else:
                    self.skipped += 1
            except FieldViolations as broken:
                self._refuse(found.place, "; ".join(f"{each.field}: {each.description}" for each in broken.violations))
            except WrongCell as error:
                self._refuse(found.place, str(error))
        if unseen and self.read > self.refused:
            raise UnreadableFile(f"there is no {', '.join(map(repr, sorted(unseen)))} in any of its {self.read:,} rows")

    def _spool(self, row: Row) -> None:
        command = self._reader.command(row.cells, self._occurrence)
        self.spool.add(command.time or 0, to_text(row.place, command))

    def _occurrence(self, what: bytes) -> int:
        self.made_ids += 1
        return self.spool.occurrence(what)

    def _refuse(self, place: str, why: str) -> None:
        self.refused += 1
        if len(self.refusals) < REFUSED_LISTED:
            self.refusals.append(Refused(place, why))

    def notes(self, source: Source, order: str) -> Iterator[str]:
        """What a reader should know of how the source was taken."""
        unread = [name for name in source.names or () if name not in self._reader.used]
        if unread:
            yield f"columns that were not read: {', '.join(unread[:NAMES_SHOWN])}{', ...' * (len(unread) > NAMES_SHOWN)}"
        if order == "time" and self.spool.newest_first:
            yield "it runs from newest to oldest, and was recorded from its end"
        if self.made_ids:
            yield f"{self.made_ids:,} rows have no fill_id; each was given one made of what it says, which another run finds again"


def _recorded(
    request: Request,
    store: SqlStore,
    state: State,
    declared: list[Put],
    intake: _Intake,
    now: int,
    progress: Progress,
) -> Tally:
    by_time, total = request.columns.form.order == "time", len(declared) + len(intake.spool)

    def puts() -> Iterator[Put]:
        return chain(declared, map(of_text, intake.spool.rows(by_time)))

    def commit(tally: Tally) -> bool:
        return request.apply and (request.keep_going or not (intake.refused or tally.refused))

    room = REFUSED_LISTED - len(intake.refusals)
    try:
        return record(
            store, state, puts, commit, now, request.create_portfolios, room, lambda done: progress(done, total)
        )
    except OutcomeUnknown as unknown:
        raise NotRecorded(
            f"whether it was written is not known: {unknown}; run it again, what is there is found"
        ) from unknown
    except StatementRefused as refused:
        raise NotRecorded(f"nothing is written: the database refused a statement: {refused}") from refused
    except Refusal as refusal:
        raise NotRecorded(f"nothing is written: {refusal.message}") from refusal


def _report(request: Request, source: Source, state: State, intake: _Intake, tally: Tally, notes: list[str]) -> Report:
    counts = Counts(
        intake.read,
        tally.opened,
        tally.closed,
        tally.flipped,
        tally.already_there,
        tally.repeated,
        intake.skipped,
        intake.refused + tally.refused,
        tally.declared,
    )
    new = tally.opened + tally.closed + tally.flipped + tally.declared
    written = bool(new) and request.apply and (request.keep_going or not counts.refused)
    positions = tally.positions(state.books.get)
    return Report(
        f"{request.path or request.table}: {source.description}",
        written,
        counts,
        positions,
        [*intake.refusals, *tally.refusals],
        [*notes, *_unconverted(positions)],
        _verdict(request, counts, new, written),
    )


def _unconverted(positions: Sequence[After]) -> Iterator[str]:
    """Fees that are in no figure: an import knows no rates, and unknown is not zero (law 12)."""
    fees: dict[str, Decimal] = {}
    with localcontext(EXACT):
        for each in positions:
            for currency, amount in each.unconverted_fees:
                fees[currency] = fees.get(currency, ZERO) + amount
    if fees:
        amounts = ", ".join(f"{plain(amount)} {currency}" for currency, amount in sorted(fees.items()))
        yield f"fees that no rate has converted, in no figure: {amounts}; the event fee_rate gives one"


def _verdict(request: Request, counts: Counts, new: int, written: bool) -> str:
    if written:
        return f"written: {new:,} records"
    if counts.refused and not (request.apply and request.keep_going):
        return "nothing is written: mend the refused lines, or record the others with --apply --keep-going"
    if not new:
        return "nothing is written: there is nothing new"
    return "dry run, nothing is written: --apply records it"


@contextmanager
def _source(request: Request, progress: Progress) -> Iterator[Source]:
    if request.path is None:
        with foreign_table(request.table) as table:
            yield _TableSource(table)
        return
    try:
        file = request.path.open("rb")
    except OSError as error:
        raise UnreadableFile(f"{request.path}: {error.strerror}") from error
    with file:
        size = os.fstat(file.fileno()).st_size
        try:
            yield _file_source(request.path, file, request.columns.form, lambda done: progress(done, size))
        except UnreadableFile as error:
            raise UnreadableFile(f"{request.path}: {error}") from error


def _file_source(path: Path, file: BinaryIO, form: Form, progress: Bytes) -> Source:
    kind = form.format or SUFFIXES.get(path.suffix.lower(), "")
    if kind == "csv":
        return DelimitedFile(file, form.encoding, form.delimiter, form.header, progress)
    if kind == "jsonl":
        return LinesFile(file, form.encoding, form.rows, progress)
    if kind == "json":
        return DocumentFile(file, form.encoding, form.rows, progress)
    raise BadMap(f"{path}: its name does not say what it is; say --format csv, jsonl or json")


class _TableSource:
    """A table as a source; it has no lines, so rows are counted."""

    description = "a table"

    def __init__(self, table: ForeignTable) -> None:
        self._table = table
        self.names = table.columns

    def rows(self) -> Iterator[Row | Broken]:
        """Every row."""
        for number, cells in enumerate(self._table.rows(), 1):
            yield Row(f"row {number}", cells)


@contextmanager
def _ledger(request: Request, now: int) -> Iterator[tuple[SqlStore, State, list[str]]]:
    """The ledger, opened as a server opens it, and what is to be said of it."""
    url, notes = database_url(request.database), []
    if not is_sqlite(url) and not request.takeover:
        raise BadMap(
            "on PostgreSQL an import takes the ledger over, also for a dry run: a server on it answers FENCED from then on; "
            "stop it, then say --takeover"
        )
    with ExitStack() as opened:
        if is_sqlite(url) and not request.apply and not Path(url.database or "").exists():
            notes.append("there is no such ledger yet; --apply makes it")
            url = url.set(database=f"{opened.enter_context(TemporaryDirectory())}/lotkeeper.db")
        store = SqlStore(url, journal_key(request.journal_key))
        state = store.open(request.currency or None, now)
        opened.callback(store.close)
        yield store, state, notes
