"""What the flow needs of the edges, as Protocols; ``app.py`` hands in the classes that satisfy them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol, TypeVar

from lotkeeperd.domain.book import Book
from lotkeeperd.domain.commands import Command, Decision
from lotkeeperd.domain.refusals import Refusal
from lotkeeperd.domain.trades import ClosedTrade, Entry, EntryStatus, Totals
from lotkeeperd.service.marks import Mark
from lotkeeperd.service.valuation import PortfolioTotals, Valued

Clock = Callable[[], int]
"""Nanoseconds UTC."""

Key = tuple[str, str]
"""(portfolio_id, symbol): names a book."""

Position = tuple[int, int]
"""(sequence, index) of a fact: orders all of them."""

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
    """What a server knows when it starts: identity, position, and every book with its open lots."""

    ledger_id: str
    currency: str
    last_sequence: int
    portfolios: set[str]
    books: dict[Key, Book]


class Written(NamedTuple):
    """What one decided batch adds to the ledger; sequences follow each other without a gap."""

    decisions: list[Decision]
    trades: list[list[ClosedTrade]]
    reduced: dict[tuple[str, int], Entry]
    books: Mapping[Key, Book]
    portfolios: Sequence[str]


class Transaction(Protocol):
    """One transaction on the writer's connection; used in the writer's thread only."""

    def recorded(self, commands: Sequence[Command]) -> list[Decision]:
        """Every decision that holds a request id or a fill id of ``commands``; others may be among them."""
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


Fact = ClosedTrade | Entry


class FactPage(NamedTuple):
    """Facts in order; every one up to ``until`` that the filter takes is here or was before."""

    facts: list[tuple[Position, Fact]]
    until: Position


class Reader(Protocol):
    """Reads of committed history on connections that never write. Raises StorageUnavailable."""

    async def entries(self, wanted: EntryFilter, after: tuple[int, int] | None, limit: int) -> list[Entry]:
        """Lots in FIFO order after (entry time, sequence)."""
        ...

    async def trades(self, wanted: TradeFilter, after: Position | None, until: int, limit: int) -> list[ClosedTrade]:
        """Closed trades in order after a position, of journal records up to ``until``."""
        ...

    async def totals(self, wanted: TradeFilter, until: int) -> Totals:
        """Sums over everything that ``wanted`` selects of records up to ``until``."""
        ...

    async def facts(self, wanted: FactFilter, after: Position, until: int, limit: int) -> FactPage:
        """Facts after a position, of journal records up to ``until``."""
        ...


class Encoder(Protocol):
    """Domain values to message bytes. Pieces are repeated fields of an update or a snapshot, ready to be joined."""

    def position(self, key: Key, valued: Valued) -> bytes:
        """A position, as a piece."""
        ...

    def totals(self, portfolio_id: str, totals: PortfolioTotals) -> bytes:
        """A portfolio's totals, as a piece."""
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
