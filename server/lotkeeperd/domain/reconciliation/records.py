"""What is asked of reconciliation, what is recorded of it, and what stands afterwards.

A report is one journal record, dry run or not; what it carried out are records of their own, executions like any other, that
stand before it in the same transaction. A resolution and its undoing are records, too. So everything that stands is what the
journal says, and a rebuilt ledger holds the same (law 13).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import ClassVar, NamedTuple

from lotkeeperd.domain.commands import Role
from lotkeeperd.domain.decimals import ZERO
from lotkeeperd.domain.portfolios import Mode
from lotkeeperd.domain.reconciliation.findings import Comparison, Difference, Proposal
from lotkeeperd.domain.reconciliation.policy import SAFE, Action, Rule
from lotkeeperd.domain.reconciliation.statements import Statement


class Account(NamedTuple):
    """How one broker account is compared. ``name`` is empty where callers bring the statements.

    ``spellings`` are (the broker's symbol, ours); a symbol that is not in it is spelled alike. ``price_tolerance`` is relative: of
    0.0001 a hundredth of a percent. ``size_tolerance`` counts where an instrument has no size step. ``cash_tolerance`` is absolute.
    """

    name: str = ""
    spellings: tuple[tuple[str, str], ...] = ()
    price_tolerance: Decimal = Decimal("0.0001")
    size_tolerance: Decimal = ZERO
    cash_tolerance: Decimal = Decimal("0.01")
    rules: tuple[Rule, ...] = SAFE


class OfNoBook:
    """A command that is of no portfolio and no book: its request id is unique in the ledger."""

    __slots__ = ()

    portfolio_id: ClassVar[str] = ""
    symbol: ClassVar[str] = ""
    fill_id: ClassVar[str] = ""
    role: ClassVar[Role] = Role.EVENT


UNNAMED = Account()
"""Of a statement that a caller brings."""


@dataclass(frozen=True, slots=True)
class Reconcile(OfNoBook):
    """Compare, and carry out what the rules allow when ``apply`` is said. ``asked_by`` is told in the report.

    A ``trial`` compares and writes nothing, not even the report: the first of two looks.
    """

    request_id: str
    portfolio_ids: tuple[str, ...]
    apply: bool
    statement: Statement
    account: Account = UNNAMED
    adopt_into: str = ""
    mode: Mode | None = None
    asked_by: str = ""
    trial: bool = False


class State(Enum):
    """What became of a difference; the value is stored."""

    OPEN = "OPEN"
    RESOLVED = "RESOLVED"
    IGNORED = "IGNORED"
    GONE = "GONE"


class How(Enum):
    """How a person resolves a difference; the value is stored."""

    ACCEPT = "ACCEPT"
    ADOPT = "ADOPT"
    IGNORE = "IGNORE"
    ASSIGN = "ASSIGN"
    CLOSE = "CLOSE"


@dataclass(frozen=True, slots=True)
class Resolve(OfNoBook):
    """Resolve one difference. ``portfolio`` and ``price`` as ``how`` needs them; ``reason`` for IGNORE, ``group_id`` for ADOPT."""

    request_id: str
    discrepancy_id: str
    how: How
    portfolio: str = ""
    price: Decimal | None = None
    group_id: str = ""
    reason: str = ""
    resolved_by: str = ""
    validate_only: bool = False


@dataclass(frozen=True, slots=True)
class Undo(OfNoBook):
    """Take a resolution back."""

    request_id: str
    resolution_id: str
    reason: str
    undone_by: str = ""
    validate_only: bool = False


class Settled(NamedTuple):
    """How a difference was resolved: by which journal record, and the records of executions it made."""

    resolution_id: str
    sequence: int
    time: int
    by: str
    how: How
    command: Resolve | None
    sequences: tuple[int, ...]
    pnl_effect: Decimal


class Standing(NamedTuple):
    """A difference and what became of it. ``account`` and ``portfolio_ids`` of the report that saw it last, at ``report``.

    ``held`` says that a resolution of it was taken back: it is never carried out again without being asked for.
    """

    discrepancy_id: str
    account: str
    portfolio_ids: tuple[str, ...]
    difference: Difference
    state: State
    action: Action
    first_seen: int
    last_seen: int
    report: int
    settled: Settled | None = None
    held: bool = False

    @property
    def order(self) -> tuple[int, int, int]:
        """Where it stands among others: worst first, then the oldest."""
        return (-self.difference.severity, *place_of(self.discrepancy_id))


class Reported(NamedTuple):
    """The record of one report. ``found`` are its differences as they stand after it, in the comparison's order.

    ``gone`` are the ids of those of the same account and portfolios that were open and are not there any more.
    """

    sequence: int
    recorded_time: int
    command: Reconcile
    comparison: Comparison
    found: tuple[Standing, ...]
    gone: tuple[str, ...] = ()

    @property
    def reconciliation_id(self) -> str:
        """Made by the ledger."""
        return f"R{self.sequence}"


class Resolved(NamedTuple):
    """The record of one resolution: the difference as it stands after it, and what was recorded."""

    sequence: int
    recorded_time: int
    command: Resolve
    standing: Standing
    proposals: tuple[Proposal, ...] = ()


class Undone(NamedTuple):
    """The record of a resolution that was taken back: the difference, open again, and the records that were busted."""

    sequence: int
    recorded_time: int
    command: Undo
    standing: Standing
    busted: tuple[int, ...]
    pnl_effect: Decimal


def discrepancy_id(report: int, place: int) -> str:
    """The id of a difference that a report saw first; ``report`` is the first sequence of that report's transaction.

    What the report carries out stands before it and has ids that are made of this one, so its own sequence is not known yet.
    """
    return f"D{report}.{place}"


def place_of(discrepancy: str) -> tuple[int, int]:
    """What such an id is made of. Raises ValueError for another text."""
    report, _, place = discrepancy.removeprefix("D").partition(".")
    return int(report), int(place)


def resolution_id(sequence: int, place: int = 0) -> str:
    """The id of a resolution: of a record of its own, or of the difference ``place`` of a report."""
    return f"S{sequence}.{place}"


SYNTHETIC = "synthetic-D"
"""How the ids of synthetic executions begin."""


def synthetic_id(discrepancy: str, place: int) -> str:
    """The fill id of a synthetic execution: of the difference it removes, so that nobody records it twice."""
    return f"synthetic-{discrepancy}.{place}"


def standings_of(record: Reported | Resolved | Undone, before: Mapping[str, Standing]) -> list[Standing]:
    """What stands after ``record``, as far as it changed anything; ``before`` are those that it may end. Raises KeyError."""
    if isinstance(record, Reported):
        return [*record.found, *(before[name]._replace(state=State.GONE) for name in record.gone)]
    return [record.standing]
