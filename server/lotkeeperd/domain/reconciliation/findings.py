"""What a comparison finds: differences, each with what would remove it. The values of the enums are stored."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum, IntEnum
from typing import NamedTuple

from lotkeeperd.domain.decimals import ZERO
from lotkeeperd.domain.reconciliation.statements import Execution


class Kind(Enum):
    """One kind of difference, as in the contract."""

    ORPHANED_POSITION = "ORPHANED_POSITION"
    MISSING_AT_BROKER = "MISSING_AT_BROKER"
    QUANTITY_MISMATCH = "QUANTITY_MISMATCH"
    SIDE_MISMATCH = "SIDE_MISMATCH"
    AVERAGE_PRICE_MISMATCH = "AVERAGE_PRICE_MISMATCH"
    MISSING_FILL = "MISSING_FILL"
    UNKNOWN_FILL = "UNKNOWN_FILL"
    CASH_MISMATCH = "CASH_MISMATCH"


class Resolution(Enum):
    """What would remove a difference, as in the contract."""

    UNSPECIFIED = "UNSPECIFIED"
    """Nothing is proposed: a person decides."""
    BACKFILL_FILLS = "BACKFILL_FILLS"
    ADOPT_POSITION = "ADOPT_POSITION"
    CLOSE_SYNTHETIC = "CLOSE_SYNTHETIC"
    NONE = "NONE"


class Severity(IntEnum):
    """How bad it is; the larger the worse."""

    INFO = 1
    MINOR = 2
    MAJOR = 3
    CRITICAL = 4


class Proposal(NamedTuple):
    """One execution to record in one portfolio, in place of the records ``replaces``; with none, only those are taken back.

    The fill id of a synthetic one is empty until the difference has an id: it is made of that, so that it is recorded once.
    ``group_id`` is of the group that an adopted leg joins.
    """

    portfolio_id: str
    execution: Execution | None
    synthetic: bool = False
    replaces: tuple[int, ...] = ()
    group_id: str = ""


class Identity(NamedTuple):
    """What makes a difference the same one from run to run, within one account."""

    kind: Kind
    portfolio_id: str
    symbol: str
    side: str
    fill_id: str


class Difference(NamedTuple):
    """One difference; quantities are signed, prices in the quote currency, ``side`` as in a book's key.

    ``portfolio_id`` is empty when no portfolio holds it, or several do. ``pnl_effect`` is the change of net realized P&L that the
    proposals would make, filled in by whoever tries them on the books. ``unplaced`` are the broker's executions behind it that are
    not proposed, because it is not known whose they are or what else happened. ``as_of`` is when the broker was asked; ``time`` is
    when the one fill happened that it is about: a history that begins later does not tell what became of it.
    """

    kind: Kind
    severity: Severity
    portfolio_id: str
    symbol: str
    ledger_quantity: Decimal
    broker_quantity: Decimal
    resolution: Resolution
    explanation: str
    proposals: tuple[Proposal, ...] = ()
    side: str = ""
    fill_id: str = ""
    ledger_price: Decimal | None = None
    broker_price: Decimal | None = None
    pnl_effect: Decimal = ZERO
    unwatched: bool = False
    unplaced: tuple[Execution, ...] = ()
    as_of: int = 0
    time: int | None = None

    @property
    def identity(self) -> Identity:
        """What it is found by in the next run."""
        return Identity(self.kind, self.portfolio_id, self.symbol, self.side, self.fill_id)


class Comparison(NamedTuple):
    """Differences, worst first; ``complete`` when the broker's side sufficed for every verdict.

    ``matched`` are symbols (by side in a hedging account) compared and found equal; ``tracked`` are books with something open;
    ``orphaned`` are positions at the broker that no portfolio holds.
    """

    differences: tuple[Difference, ...]
    matched: int
    complete: bool
    broker_positions: int = 0
    tracked: int = 0
    orphaned: int = 0
