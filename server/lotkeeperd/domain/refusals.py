"""Why a request is refused. A refusal is an answer: nothing was written and no key was used up.

    Refusal
    ├── FieldViolations        a field broke a rule; every broken field is listed
    ├── InvalidPageToken       page_token was not made for this request, or its read has expired
    ├── RequestIdReused        the request_id names another request (law 8)
    ├── FillConflict           the fill id was recorded with other content (law 8)
    ├── InsufficientQuantity   fewer open than the close asks for
    ├── NoOpenPosition         nothing open on that side
    ├── OppositeSideOpen       the other side is open (law 7)
    ├── PortfolioNotFound      no such portfolio
    ├── SequenceAhead          a sequence this ledger has not reached
    ├── LedgerReplaced         the ledger_id is another ledger's
    ├── TooManyStreams         no more streams can be opened
    ├── WriteQueueFull         retry after ``retry_after`` seconds
    ├── StorageUnavailable     the database is locked or unreachable; the outcome may be unknown, the retry settles it
    ├── DiskFull               the disk is full; reads and streams go on
    ├── Fenced                 another server has taken this database over
    ├── ServerDraining         the server is shutting down
    ├── LedgerCorrupt          an invariant of the ledger does not hold; writes are stopped
    ├── NotYetImplemented      this version does not do it yet
    └── InternalError          a bug

Each class is one value of ``ErrorReason`` in the contract; ``metadata`` holds the keys that value's comment names.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple, Self

from lotkeeperd.domain.decimals import plain

SHOWN = 60
"""Characters of a caller's value that a message repeats."""


def shown(value: str) -> str:
    """A caller's value, quoted and short enough to stand in a message."""
    return repr(value if len(value) <= SHOWN else f"{value[:SHOWN]}…")


class Refusal(Exception):
    """Base of all refusals: a message for a person, metadata for a program."""

    def __init__(self, message: str, **metadata: str) -> None:
        super().__init__(message)
        self.message = message
        self.metadata = metadata

    def again(self) -> Self:
        """The same refusal for another caller: one that is raised twice would keep every caller's frames."""
        same = type(self).__new__(type(self), *self.args)
        same.__dict__.update(self.__dict__)
        return same


class Violation(NamedTuple):
    """One broken field: its path in the request and what is wrong, with the value and the rule."""

    field: str
    description: str


class FieldViolations(Refusal):
    """One or more fields broke a rule."""

    def __init__(self, violations: list[Violation], count: int = 0) -> None:
        """``count`` is of all of them, when ``violations`` does not hold every one."""
        first, others = violations[0], max(count, len(violations)) - 1
        more = f" (and {others} more)" if others else ""
        super().__init__(f"{first.field}: {first.description}{more}")
        self.violations = violations


class InvalidPageToken(Refusal):
    """``cause`` is ``other_request``, ``malformed``, ``expired`` or ``evicted``."""

    def __init__(self, cause: str, message: str) -> None:
        super().__init__(f"page_token: {message}; start again without page_token", cause=cause)


class RequestIdReused(Refusal):
    """``field`` is the first that differs from what the request_id recorded."""

    def __init__(self, request_id: str, field: str) -> None:
        super().__init__(
            f"request_id {shown(request_id)} was used before with another {field}; a new request needs a new request_id",
            field=field,
        )


class FillConflict(Refusal):
    """``field`` is the first that differs from the fill as it was recorded."""

    def __init__(self, fill_id: str, field: str, recorded: str, given: str, **record: str) -> None:
        where = ", ".join(record.values())
        super().__init__(
            f"fill {shown(fill_id)} is recorded as {where} with {field} {recorded}, not {given}; "
            "one execution has one content: look up which report is right",
            field=field,
            **record,
        )


class InsufficientQuantity(Refusal):
    """More is to be closed than is open."""

    def __init__(self, symbol: str, open_quantity: Decimal, requested: Decimal) -> None:
        have, want = plain(open_quantity), plain(requested)
        super().__init__(
            f"{shown(symbol)} has {have} open, fewer than the {want} to close; "
            "close at most that, use close_all, or EXCESS_POLICY_REVERSE to open the rest on the other side",
            open_quantity=have,
            requested_quantity=want,
        )


class NoOpenPosition(Refusal):
    """Nothing is open, or nothing on the side asked for."""

    def __init__(self, symbol: str, side: str) -> None:
        super().__init__(f"{shown(symbol)} has nothing open{side}; there is nothing to close")


class OppositeSideOpen(Refusal):
    """An entry on one side while the other is open."""

    def __init__(self, symbol: str, open_side: str, open_quantity: Decimal) -> None:
        have = plain(open_quantity)
        super().__init__(
            f"{shown(symbol)} is {open_side} {have}; one book holds one side: close it first, or send the execution as RecordFill",
            open_side=open_side,
            open_quantity=have,
        )


class PortfolioNotFound(Refusal):
    """No such portfolio."""

    def __init__(self, portfolio_id: str) -> None:
        super().__init__(
            f"there is no portfolio {shown(portfolio_id)}; the first entry or fill recorded in it makes it"
        )


class SequenceAhead(Refusal):
    """A sequence that this ledger has not reached."""

    def __init__(self, field: str, asked: int, latest: int) -> None:
        super().__init__(
            f"{field} {asked} is ahead of this ledger, which is at {latest}; was it restored from a backup?",
            latest_sequence=str(latest),
        )


class LedgerReplaced(Refusal):
    """The caller's sequence belongs to another ledger."""

    def __init__(self, asked: str, ours: str) -> None:
        super().__init__(
            f"ledger_id {shown(asked)} is another ledger's, this one is {ours}; start again without after_sequence",
            ledger_id=ours,
        )


class TooManyStreams(Refusal):
    """The limit of open streams is reached: of the server, or of one connection."""

    def __init__(self, limit: int, of_caller: bool = False) -> None:
        where, allowed, setting = "", "this server allows", "max_streams"
        if of_caller:
            where, allowed, setting = " on this connection", "one caller may have", "max_streams_per_caller"
        super().__init__(f"{limit} streams are open{where}, the most {allowed}; close one or raise {setting}")


class WriteQueueFull(Refusal):
    """More commands wait than the queue holds; ``retry_after`` in seconds."""

    def __init__(self, limit: int, retry_after: float) -> None:
        super().__init__(
            f"{limit} commands wait to be written, the most allowed; retry with the same ids in {retry_after:g} s"
        )
        self.retry_after = retry_after


class StorageUnavailable(Refusal):
    """The database did not take it, or did not say whether it did; a retry with the same ids is safe."""

    def __init__(self, cause: str) -> None:
        super().__init__(f"the database is not available: {cause}; retry with the same ids")


class DiskFull(Refusal):
    """No room for another record."""

    def __init__(self) -> None:
        super().__init__("the disk is full; reads and streams go on; free some space and retry with the same ids")


class Fenced(Refusal):
    """Another server has this database now."""

    def __init__(self) -> None:
        super().__init__(
            "FENCED: another server has taken this database over; this one has stopped writing; connect to the other"
        )


class ServerDraining(Refusal):
    """The server is shutting down."""

    def __init__(self) -> None:
        super().__init__("the server is shutting down; retry with the same ids once it is back")


class LedgerCorrupt(Refusal):
    """An invariant does not hold; nothing more is written."""

    def __init__(self, what: str) -> None:
        super().__init__(f"the ledger is not consistent: {what}; writes are stopped; run lotkeeper verify")


class NotYetImplemented(Refusal):
    """``feature`` is what the caller asked for."""

    def __init__(self, feature: str) -> None:
        super().__init__(f"{feature} is not implemented in this version", feature=feature)


class InternalError(Refusal):
    """A bug; the log has the trace."""

    def __init__(self) -> None:
        super().__init__("internal error; the server's log has the trace; a retry with the same ids is safe")
