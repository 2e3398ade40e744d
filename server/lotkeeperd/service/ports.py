"""What the flow needs of the edges, as Protocols; ``app.py`` hands in the classes that satisfy them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar

from lotkeeperd.domain.accounts import (
    Balance,
    CashEvent,
    CashMoved,
    DefineInstrument,
    InstrumentDefined,
    PortfolioCommand,
    TermsSet,
)
from lotkeeperd.domain.book import Book, Direction
from lotkeeperd.domain.commands import Command, Decision
from lotkeeperd.domain.groups import GroupPnL
from lotkeeperd.domain.history import Amendment, BookRecord, Correction, Late, TradeRef
from lotkeeperd.domain.instruments import Instrument
from lotkeeperd.domain.portfolios import Portfolio
from lotkeeperd.domain.rates import Rate
from lotkeeperd.domain.reconciliation.records import Reconcile, Reported, Resolve, Resolved, Standing, Undo, Undone
from lotkeeperd.domain.refusals import Refusal
from lotkeeperd.domain.trades import ClosedTrade, Entry, EntryStatus, Restatement, Totals
from lotkeeperd.service.marks import Mark
from lotkeeperd.service.reconciliation import ReportFilter, StandingFilter
from lotkeeperd.service.standings import Standings

if TYPE_CHECKING:
    from lotkeeperd.service.valuation import PortfolioTotals, Valued

Clock = Callable[[], int]
"""Nanoseconds UTC."""

Key = tuple[str, str, str]
"""(portfolio_id, symbol, side): names a book; ``side`` is "" but in hedging portfolios, where it is LONG or SHORT."""

Reconciling = Reconcile | Resolve | Undo
"""What is asked of reconciliation."""

OfReconciliation = Reported | Resolved | Undone
"""What the journal holds of it."""

AnyCommand = Command | Amendment | CashEvent | PortfolioCommand | DefineInstrument | Reconciling
"""Everything that is written."""

JournalRecord = Decision | Late | Correction | CashMoved | TermsSet | InstrumentDefined | OfReconciliation
"""Everything that the journal holds."""

Position = tuple[int, int]
"""(sequence, index) of a fact: orders all of them."""

GroupRef = tuple[str, str]
"""(portfolio_id, group_id): names a group."""

T = TypeVar("T")

ALL_OF_IT = 1 << 62
"""Index beyond every fact of a sequence."""


class StatementRefused(Exception):
    """The database refused a statement for its content: somewhere in the batch is a command that it cannot take."""


class OutcomeUnknown(Exception):
    """The transaction failed where it cannot be said whether it was committed. ``refusal`` answers for the batch."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


class State(NamedTuple):
    """What a server knows when it starts: identity, position, terms, cash, every book with its open lots, open differences."""

    ledger_id: str
    currency: str
    last_sequence: int
    portfolios: dict[str, Portfolio]
    instruments: dict[str, Instrument]
    balances: dict[tuple[str, str], Balance]
    books: dict[Key, Book]
    standings: Standings = Standings()


class Superseded(NamedTuple):
    """A closed trade that counts no more, and what took its place."""

    portfolio_id: str
    trade: TradeRef
    by: TradeRef


class Written(NamedTuple):
    """What one decided batch adds to the ledger; sequences follow each other without a gap. ``standings`` are by id.

    ``trades`` and ``restated`` are per record; ``entries`` are those whose rows change, not only in what is open of them when they
    are ``rewritten``; ``moved`` are the (portfolio, entry time, sequence) under which one is stored no more.
    """

    records: list[JournalRecord]
    trades: list[list[ClosedTrade]]
    restated: dict[int, list[Restatement]]
    entries: dict[tuple[str, int], Entry]
    rewritten: bool
    moved: list[tuple[str, int, int]]
    superseded: list[Superseded]
    books: Mapping[Key, Book]
    portfolios: Mapping[str, Portfolio]
    instruments: Mapping[str, Instrument]
    balances: Mapping[tuple[str, str], Balance]
    standings: Mapping[str, Standing] = {}


class Known(Protocol):
    """What a batch is decided on: everything committed until now. Read in the writer's thread."""

    def book(self, key: Key) -> Book | None:
        """The book, open or flat."""
        ...

    def books_of(self, portfolio_id: str) -> Mapping[Key, Book]:
        """Every book of a portfolio."""
        ...

    def books_in(self, symbol: str) -> Mapping[Key, Book]:
        """Every book of an instrument."""
        ...

    def portfolio(self, portfolio_id: str) -> Portfolio | None:
        """Its terms."""
        ...

    def instrument(self, symbol: str) -> Instrument | None:
        """What it is."""
        ...

    def balance(self, portfolio_id: str, currency: str) -> Balance | None:
        """Its cash."""
        ...

    def balances(self, portfolio_id: str) -> Mapping[str, Balance]:
        """Its cash besides executions, by currency; do not keep it, copy it."""
        ...

    def standings(self) -> Standings:
        """What differs from brokers, and what that stops."""
        ...


Rates = Callable[[str, str], Rate | None]
"""The rate from one currency to another, at the newest mark; None when none is known."""


class Transaction(Protocol):
    """One transaction on the writer's connection; used in the writer's thread only."""

    @property
    def failures(self) -> tuple[type[Exception], ...]:
        """What any of this raises when the database fails. The store knows what it means: nobody on the way may take it."""
        ...

    def recorded(self, commands: Sequence[AnyCommand]) -> list[JournalRecord]:
        """Every record that holds a request id or a fill id of ``commands``; others may be among them."""
        ...

    def history(self, key: Key) -> list[BookRecord]:
        """Every record of one book, in order."""
        ...

    def definitions(self, symbol: str) -> list[InstrumentDefined]:
        """Every record of one instrument, in order."""
        ...

    def records(self, portfolio_id: str, first: int, last: int) -> list[JournalRecord]:
        """The records of one portfolio from one sequence to another, both included."""
        ...

    def executed(self, portfolio_id: str, since: int, limit: int) -> list[Decision | Late]:
        """The first executions of one portfolio that were recorded from ``since`` on, in order; nanoseconds UTC.

        Those that re-matched nothing come without the lots that they opened and closed.
        """
        ...

    def corrections(self, portfolio_id: str, after: int) -> list[Correction]:
        """The corrections of one portfolio after a sequence, in order."""
        ...

    def standing(self, discrepancy_id: str) -> Standing | None:
        """One difference, whatever became of it."""
        ...

    def settled(self, resolution_id: str) -> Standing | None:
        """The difference that a resolution settled, unless it was taken back."""
        ...

    def restated(self, portfolio_id: str, sequence: int, limit: int) -> list[Restatement]:
        """The first restatements of one journal record."""
        ...

    def trades(self, portfolio_id: str, sequence: int, limit: int) -> list[ClosedTrade]:
        """The first closed trades of one journal record."""
        ...

    def write(self, expected: int, written: Written) -> None:
        """Take the fence at ``expected`` and write it all. Raises Fenced, StorageUnavailable, StatementRefused."""
        ...


class Store(Protocol):
    """The writer's side of the database; used in the writer's thread only, but for ``load`` at start."""

    def transact(self, work: Callable[[Transaction], T]) -> T:
        """Run ``work`` in one transaction and commit; what it raises rolls back.

        Raises StorageUnavailable (nothing written), DiskFull, Fenced, StatementRefused or OutcomeUnknown.
        """
        ...

    def last_sequence(self) -> int:
        """As it stands on disk, on a new connection. Raises Fenced or StorageUnavailable."""
        ...

    def load(self) -> State:
        """Everything a server keeps in memory. Raises LedgerCorrupt or StorageUnavailable."""
        ...


class TradeFilter(NamedTuple):
    """Which closed trades a caller wants; empty means all. Times in nanoseconds UTC, ``start`` included, ``end`` not."""

    portfolio_id: str
    symbol: str = ""
    start: int | None = None
    end: int | None = None
    sequence: int | None = None
    exit_fill_id: str = ""
    group_id: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    include_superseded: bool = False


class EventFilter(NamedTuple):
    """Which events a caller wants; empty means all. Times in nanoseconds UTC, ``start`` included, ``end`` not."""

    portfolio_id: str
    symbol: str = ""
    start: int | None = None
    end: int | None = None


class RecordFilter(NamedTuple):
    """Which journal records are wanted: those of a portfolio, and what defines instruments. Empty means all.

    ``carrying`` are only those that carried lots on: splits and changes of symbol.
    """

    portfolio_id: str
    symbols: frozenset[str] = frozenset()
    sequences: frozenset[int] = frozenset()
    carrying: bool = False


class EntryFilter(NamedTuple):
    """Which entries a caller wants; empty means all."""

    portfolio_id: str
    symbol: str = ""
    statuses: frozenset[EntryStatus] = frozenset()


class FactFilter(NamedTuple):
    """Which facts and positions a subscriber wants; None means all."""

    portfolios: frozenset[str] | None = None
    symbols: frozenset[str] | None = None

    def takes(self, portfolio_id: str, symbol: str) -> bool:
        """Whether something of this book is wanted."""
        return (self.portfolios is None or portfolio_id in self.portfolios) and (
            self.symbols is None or symbol in self.symbols
        )


Fact = ClosedTrade | Entry | Restatement


class FactPage(NamedTuple):
    """Facts in order; every one up to ``until`` that the filter takes is here or was before."""

    facts: list[tuple[Position, Fact]]
    until: Position


class GroupEntry(NamedTuple):
    """What one entry says of its group; ``quantity`` is 0 when the entry counts no more."""

    group_id: str
    symbol: str
    side: Direction
    quantity: Decimal
    price: Decimal
    sequence: int


class GroupTrade(NamedTuple):
    """What one closed trade that counts says of its group; ``symbol`` is what its entry is called now."""

    group_id: str
    symbol: str
    side: Direction
    currency: str
    gross: Decimal
    fees: Decimal
    sequence: int


class Reader(Protocol):
    """Reads of committed history on connections that never write. Raises StorageUnavailable."""

    async def entries(self, wanted: EntryFilter, after: tuple[int, int] | None, limit: int) -> list[Entry]:
        """Lots in FIFO order after (entry time, sequence)."""
        ...

    async def trades(self, wanted: TradeFilter, after: Position | None, until: int, limit: int) -> list[ClosedTrade]:
        """Closed trades in order after a position, of journal records up to ``until``."""
        ...

    async def totals(self, wanted: TradeFilter, until: int) -> list[Totals]:
        """Sums by currency over everything that ``wanted`` selects of records up to ``until``."""
        ...

    async def events(self, wanted: EventFilter, after: int, until: int, limit: int) -> list[JournalRecord]:
        """Events after a sequence, of journal records up to ``until``."""
        ...

    async def records(self, wanted: RecordFilter, after: int, until: int, limit: int) -> list[JournalRecord]:
        """Journal records after a sequence and up to ``until``, in order; read and decoded beside the event loop."""
        ...

    async def written_by(self, time: int, until: int) -> int:
        """The newest sequence up to ``until`` that was recorded at or before ``time``; 0 when there is none."""
        ...

    async def versions(self, portfolio_id: str, entry_sequence: int, exit_sequence: int) -> list[ClosedTrade]:
        """Every closed trade of two executions, those that were superseded too, in the order they were written."""
        ...

    async def facts(self, wanted: FactFilter, after: Position, until: int, limit: int) -> FactPage:
        """Facts after a position, of journal records up to ``until``."""
        ...

    def groups(
        self, portfolio_id: str, group_ids: Sequence[str], until: int
    ) -> AsyncGenerator[Sequence[GroupEntry | GroupTrade]]:
        """Everything that records up to ``until`` say of these groups, of one snapshot, in parts."""
        ...


class Reports(Protocol):
    """Reads of what reconciliation recorded. Raises StorageUnavailable."""

    async def reports(self, wanted: ReportFilter, before: int | None, limit: int) -> list[Reported]:
        """Reports of reconciliation before a sequence, newest first."""
        ...

    async def report(self, sequence: int) -> Reported | None:
        """The report at one sequence."""
        ...

    async def standings(self, wanted: StandingFilter, after: tuple[int, int, int] | None, limit: int) -> list[Standing]:
        """Differences after (-severity, first report, place), worst first, then oldest."""
        ...


class AllReads(Reader, Reports, Protocol):
    """Everything that is read of history."""


class GroupPiece(NamedTuple):
    """One group as a piece of an update, and as one of a snapshot: their fields are not numbered alike."""

    update: bytes
    snapshot: bytes


class Encoder(Protocol):
    """Domain values to message bytes. Pieces are repeated fields of an update or a snapshot, ready to be joined."""

    def position(self, key: Key, valued: Valued) -> bytes:
        """A position, as a piece."""
        ...

    def totals(self, portfolio_id: str, totals: PortfolioTotals) -> bytes:
        """A portfolio's totals, as a piece."""
        ...

    def group(self, figures: Iterable[GroupPnL]) -> GroupPiece:
        """A group, with figures for each of its currencies."""
        ...

    def fact(self, fact: Fact) -> bytes:
        """A closed trade or an opened entry, as a piece of an update."""
        ...

    def update(self, sequence: int, pieces: Iterable[bytes], conflated: int) -> bytes:
        """A whole message."""
        ...

    def snapshot(self, sequence: int, pieces: Iterable[bytes], more: bool) -> bytes:
        """A whole message; ``more`` when another part follows."""
        ...

    def heartbeat(self, sequence: int) -> bytes:
        """A whole message."""
        ...


Messages = AsyncIterator[bytes]


class Prices(Protocol):
    """What a feed sees of the ledger; called in the event loop only."""

    def expected(self, source: str) -> None:
        """Name a source that has not connected yet, so that it is listed."""
        ...

    def accept(self, marks: Sequence[Mark], source: str) -> int:
        """Take marks of ``source``; how many were not older than what it sent before. Counts as one message."""
        ...

    def alive(self, source: str) -> None:
        """A message without marks came from ``source``."""
        ...

    def withdrawn(self, symbol: str, source: str) -> None:
        """``source`` says that it has no price for ``symbol`` any more: its mark is stale at once."""
        ...

    def lost(self, source: str, error: str, dropped: bool = True) -> None:
        """The connection of ``source`` is gone, or could not be made (not ``dropped``): its marks are stale at once."""
        ...

    def wanted(self) -> frozenset[str]:
        """The symbols that are open in some portfolio, or that a stream names; cheap to ask often."""
        ...
