"""What the ledger refuses, as exceptions to catch by what one can do about it.

    LotkeeperError                  everything below; raised itself for what this client does not know yet
    ├── InvalidRequest              the request broke a rule; ``violations`` names every broken field
    │   └── InvalidPageToken        the pages of a read expired; start the read again
    ├── Conflict                    recorded before with other content; nothing was written
    │   ├── FillConflict            the fill id: ``metadata`` names the first differing ``field``
    │   ├── RequestIdReused         the request id
    │   └── PortfolioExists         the portfolio, with other terms: ``metadata`` names the ``field``
    ├── BookRefused                 the lots that are open do not allow it; nothing was written
    │   ├── InsufficientQuantity    ``metadata``: open_quantity, requested_quantity
    │   ├── NoOpenPosition
    │   ├── OppositeSideOpen        ``metadata``: open_side, open_quantity
    │   ├── LongOnly                ``metadata``: symbol, open_quantity
    │   └── LotNotOpen              ``metadata``: entry_id, open_quantity
    ├── TermsRefused                the terms of the portfolio or instrument do not allow it; nothing was written
    │   ├── PortfolioClosed         ``metadata``: portfolio_id
    │   ├── PortfolioNotEmpty       ``metadata``: symbol
    │   ├── PortfolioInUse          ``metadata``: field
    │   ├── InstrumentNotDeclared   ``metadata``: symbol
    │   ├── InstrumentInUse         ``metadata``: symbol, field, open_quantity
    │   └── TradingModeMismatch     ``metadata``: portfolio_id
    ├── HistoryRefused              what is recorded already does not allow it; nothing was written
    │   ├── FillBusted              ``metadata``: fill_id, sequence
    │   └── LaterCommandRefused     ``metadata``: sequence, fill_id and reason of the first such command
    ├── Restrained                  the broker holds something else, and a person has not decided yet
    │   ├── SymbolFrozen            ``metadata``: portfolio_id, symbol, discrepancy_id
    │   └── PortfolioHalted         ``metadata``: portfolio_id, discrepancy_id
    ├── DiscrepancyNotOpen          ``metadata``: discrepancy_id, state
    ├── NotReconciled               ``report``: why ledger and broker are not known to agree
    ├── NotFound
    │   ├── PortfolioNotFound
    │   ├── BrokerAccountNotFound
    │   ├── InstrumentNotFound      ``metadata``: symbol
    │   ├── FillNotFound            ``metadata``: fill_id
    │   ├── TradeNotFound           ``metadata``: trade_id
    │   ├── DiscrepancyNotFound     ``metadata``: discrepancy_id
    │   ├── ReconciliationNotFound  ``metadata``: reconciliation_id
    │   └── ResolutionNotFound      ``metadata``: resolution_id
    ├── OtherHistory                a sequence that is not one of this ledger's
    │   ├── SequenceAhead           ``metadata``: latest_sequence
    │   └── LedgerReplaced          restored or another one: what was collected from it starts again
    ├── AccessDenied
    │   ├── TokenMissing
    │   ├── TokenInvalid
    │   └── PortfolioForbidden
    ├── LimitReached
    │   ├── TooManyStreams
    │   └── DiskFull                reads and streams go on
    ├── TryAgain                    recorded or not: send it again with the same ids, it counts once
    │   ├── WriteQueueFull
    │   ├── Unavailable             the connection was lost, or:
    │   │   ├── StorageUnavailable
    │   │   ├── ServerDraining
    │   │   ├── BrokerUnavailable
    │   │   └── Fenced              another server has the database now
    │   └── DeadlineExceeded
    ├── NotYetImplemented           ``metadata``: feature
    └── ServerFault                 a bug or worse, on the other side
        ├── LedgerCorrupt
        └── InternalError

gRPC gives one class for everything, with the reason in binary metadata; bots need ``except FillConflict``. Therefore
each ``ErrorReason`` has a class; a reason newer than this client raises its status code's, and keeps its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import grpc

if TYPE_CHECKING:
    from lotkeeper.reconciliation import ReconcileResponse

EXPLAINED = 5  # differences that the words of ``NotReconciled`` tell; its report has all


class FieldViolation(NamedTuple):
    """One broken field of a request, and the rule it broke."""

    field: str
    description: str


class LotkeeperError(Exception):
    """Anything the ledger, or the way to it, answered instead of the result.

    Attributes:
        code: the gRPC status code.
        reason: ``ErrorReason`` without its prefix, such as ``FILL_CONFLICT``; empty when the ledger gave none.
        message: what was wrong, with the values, and what to do.
        metadata: what the reason carries, by name; all text.
        violations: every broken field of an invalid request.
        retry_delay: seconds to wait before trying again, when the server says so.
    """

    def __init__(
        self,
        code: grpc.StatusCode,
        message: str,
        reason: str = "",
        metadata: Mapping[str, str] | None = None,
        violations: tuple[FieldViolation, ...] = (),
        retry_delay: float | None = None,
    ) -> None:
        super().__init__(code, message, reason, metadata, violations, retry_delay)  # all of it, to be pickled whole
        self.code = code
        self.message = message
        self.reason = reason
        self.metadata = dict(metadata or {})
        self.violations = violations
        self.retry_delay = retry_delay

    def __str__(self) -> str:  # the message of an invalid request tells the first broken field only
        broken = "; ".join(f"{each.field}: {each.description}" for each in self.violations)
        return f"{self.reason or self.code.name}: {broken or self.message}"


class InvalidRequest(LotkeeperError):
    """The request broke a rule of the contract; ``violations`` names every broken field."""


class InvalidPageToken(InvalidRequest):
    """The pages of a read expired, or the token is another read's: start the read again."""


class Conflict(LotkeeperError):
    """Recorded before with other content; nothing was written."""


class FillConflict(Conflict):
    """The fill id was recorded with other content; ``metadata`` names the first differing field."""


class RequestIdReused(Conflict):
    """The request id was used with other content, or by another method."""


class PortfolioExists(Conflict):
    """The portfolio exists with other terms; ``metadata`` names the first differing field."""


class BookRefused(LotkeeperError):
    """The lots that are open do not allow it; nothing was written."""


class InsufficientQuantity(BookRefused):
    """Fewer are open than the close asks for."""


class NoOpenPosition(BookRefused):
    """Nothing is open on that side."""


class OppositeSideOpen(BookRefused):
    """The other side is open."""


class LongOnly(BookRefused):
    """The portfolio is long-only, and this would make it short."""


class LotNotOpen(BookRefused):
    """A lot that the close names is not open, or not that much of it."""


class TermsRefused(LotkeeperError):
    """The terms of the portfolio or the instrument do not allow it; nothing was written."""


class PortfolioClosed(TermsRefused):
    """The portfolio is closed and takes no more commands."""


class PortfolioNotEmpty(TermsRefused):
    """A portfolio with open lots cannot be closed: close them first."""


class PortfolioInUse(TermsRefused):
    """What was agreed before the portfolio's first record cannot be changed after it."""


class InstrumentNotDeclared(TermsRefused):
    """A contract or an option that nobody has declared: ``define_instrument`` first."""


class InstrumentInUse(TermsRefused):
    """Lots of the instrument are open, so this of it cannot change."""


class TradingModeMismatch(TermsRefused):
    """A portfolio is of another trading mode than was asked for."""


class HistoryRefused(LotkeeperError):
    """What is recorded already does not allow it; nothing was written."""


class FillBusted(HistoryRefused):
    """The execution was busted before."""


class LaterCommandRefused(HistoryRefused):
    """With this change a later command would have been refused; ``metadata`` names the first such command."""


class Restrained(LotkeeperError):
    """The broker holds something else than the ledger: this waits until a person has decided; nothing was written."""


class SymbolFrozen(Restrained):
    """New entries of this symbol wait: ``resolve_discrepancy`` first."""


class PortfolioHalted(Restrained):
    """Every execution of this portfolio waits: ``resolve_discrepancy`` first."""


class DiscrepancyNotOpen(LotkeeperError):
    """The difference was resolved before, or is not there any more; ``metadata`` tells which."""


class NotReconciled(LotkeeperError):
    """Ledger and broker are not known to agree; raised by the client, and only where it was asked for.

    Attributes:
        report: what was compared and found.
    """

    def __init__(self, report: ReconcileResponse) -> None:
        super().__init__(grpc.StatusCode.FAILED_PRECONDITION, _disagreement(report), "NOT_RECONCILED")
        self.args = (report,)  # to be pickled whole
        self.report = report


def _disagreement(report: ReconcileResponse) -> str:
    said = [found.explanation for found in report.outstanding[:EXPLAINED]]
    if more := len(report.outstanding) - len(said):
        said.append(f"and {more} more")
    if not report.complete:
        said.append("the broker did not say everything")
    return f"reconciliation {report.reconciliation_id}: {'; '.join(said)}"


class NotFound(LotkeeperError):
    """No such thing in this ledger."""


class PortfolioNotFound(NotFound):
    """No such portfolio; the first fill makes it."""


class BrokerAccountNotFound(NotFound):
    """No such broker account is configured."""


class InstrumentNotFound(NotFound):
    """No such instrument."""


class FillNotFound(NotFound):
    """No such execution is recorded."""


class TradeNotFound(NotFound):
    """No such closed trade."""


class DiscrepancyNotFound(NotFound):
    """No such difference."""


class ReconciliationNotFound(NotFound):
    """No such report."""


class ResolutionNotFound(NotFound):
    """No such resolution, or it was taken back."""


class OtherHistory(LotkeeperError):
    """A sequence that is not one of this ledger's."""


class SequenceAhead(OtherHistory):
    """The sequence is ahead of this ledger."""


class LedgerReplaced(OtherHistory):
    """The ledger is another one, or was restored: what was collected from the old one starts again."""


class AccessDenied(LotkeeperError):
    """Credentials are missing, not accepted, or do not cover this."""


class TokenMissing(AccessDenied):
    """No credentials were sent."""


class TokenInvalid(AccessDenied):
    """The credentials were not accepted."""


class PortfolioForbidden(AccessDenied):
    """The credentials do not cover the portfolio or the method."""


class LimitReached(LotkeeperError):
    """A limit of the server, or of the message size."""


class TooManyStreams(LimitReached):
    """Close another stream first."""


class DiskFull(LimitReached):
    """The server's disk is full; nothing was written, reads and streams go on."""


class TryAgain(LotkeeperError):
    """Nothing is wrong with the request: send it again with the same ids, it counts once."""


class WriteQueueFull(TryAgain):
    """The server has more writes waiting than it takes; nothing was written."""


class Unavailable(TryAgain):
    """The connection was lost, or the server cannot answer now."""


class StorageUnavailable(Unavailable):
    """The database is locked or unreachable; whether the write was recorded, the next try tells."""


class ServerDraining(Unavailable):
    """The server is shutting down."""


class BrokerUnavailable(Unavailable):
    """The broker did not answer, or not completely."""


class Fenced(Unavailable):
    """Another server has taken the database over; the address may soon lead there."""


class DeadlineExceeded(TryAgain):
    """No answer within the timeout."""


class NotYetImplemented(LotkeeperError):
    """This version of the server does not do it yet."""


class ServerFault(LotkeeperError):
    """A bug or worse, on the other side."""


class LedgerCorrupt(ServerFault):
    """An invariant of the ledger does not hold; its writes are stopped."""


class InternalError(ServerFault):
    """A bug of the server."""
