"""What reconciliation asks of the edges and tells them: the broker that is asked, the answers, the filters."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple, Protocol

from lotkeeperd.domain.reconciliation.findings import Proposal, Severity
from lotkeeperd.domain.reconciliation.records import Reported, Standing, State
from lotkeeperd.domain.reconciliation.statements import Statement


class Broker(Protocol):
    """One account at one broker, read and never written. A plug-in satisfies this."""

    async def statement(self, since: int | None) -> Statement:
        """What the broker holds now, and its executions from ``since`` on (nanoseconds UTC; None asks for none).

        What could not be read to its end without an error is not complete, and says so; BrokerUnavailable when nothing could be
        read at all, or the keys are refused.
        """
        ...

    async def close(self) -> None:
        """Give connections back."""
        ...


class Reconciled(NamedTuple):
    """The answer to ``Reconcile``."""

    report: Reported
    replayed: bool


class Resolution(NamedTuple):
    """The answer to ``Resolve``; ``sequence`` is 0 when it was only tried."""

    standing: Standing
    proposals: tuple[Proposal, ...]
    pnl_effect: Decimal
    sequence: int
    replayed: bool


class Reversal(NamedTuple):
    """The answer to ``Undo``; ``sequence`` is 0 when it was only tried."""

    standing: Standing
    busted: tuple[int, ...]
    pnl_effect: Decimal
    sequence: int
    replayed: bool


class ReportFilter(NamedTuple):
    """Which reports a caller wants; empty means all. Times in nanoseconds UTC, ``start`` included, ``end`` not."""

    portfolio_id: str = ""
    account: str = ""
    start: int | None = None
    end: int | None = None


class StandingFilter(NamedTuple):
    """Which differences a caller wants; empty means all."""

    portfolio_id: str = ""
    account: str = ""
    symbol: str = ""
    states: frozenset[State] = frozenset({State.OPEN})
    least: Severity = Severity.INFO
