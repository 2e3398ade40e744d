"""Why a request is refused. A refusal is an answer: nothing was written and no key was used up.

    Refusal
    ├── FieldViolations        a field broke a rule; every broken field is listed
    ├── InvalidPageToken       page_token was not made for this request, or its read has expired
    ├── RequestIdReused        the request_id names another request (law 8)
    ├── FillConflict           the fill id was recorded with other content (law 8)
    ├── EventConflict          the event id was recorded with other content (law 8)
    ├── InsufficientQuantity   fewer open than the close asks for
    ├── NoOpenPosition         nothing open on that side
    ├── NeverTraded            no execution of that symbol is in the portfolio (NO_OPEN_POSITION as well)
    ├── LotNotOpen             of a lot chosen to be closed, fewer are open
    ├── OppositeSideOpen       the other side is open (law 7)
    ├── InstrumentNotDeclared  spelled like a contract or an option, and nobody said what it is
    ├── InstrumentInUse        its lots are open, so what they are valued by cannot change
    ├── LongOnly               the portfolio never goes short
    ├── PortfolioNotFound      no such portfolio
    ├── PortfolioExists        it exists with other terms
    ├── PortfolioInUse         terms that the first record fixed
    ├── PortfolioClosed        it takes no more commands
    ├── PortfolioNotEmpty      lots are open, so it cannot be closed
    ├── FillNotFound           no such execution is recorded
    ├── FillBusted             it was busted before
    ├── LaterCommandRefused    with this change a later command would have been refused
    ├── TradeNotFound          no such closed trade
    ├── InstrumentNotFound     no such instrument
    ├── SymbolFrozen           the broker holds something else of it: nothing new is opened
    ├── PortfolioHalted        the broker holds something else: nothing is executed
    ├── DiscrepancyNotFound    no such difference
    ├── DiscrepancyNotOpen     it is not open any more, or the ledger moved on since it was seen
    ├── ReconciliationNotFound no such report
    ├── ResolutionNotFound     no such resolution, or it was taken back
    ├── TradingModeMismatch    a portfolio is of the other trading mode
    ├── SequenceAhead          a sequence this ledger has not reached
    ├── LedgerReplaced         the ledger_id is another ledger's
    ├── TooManyStreams         no more streams can be opened
    ├── WriteQueueFull         retry after ``retry_after`` seconds
    ├── StorageUnavailable     the database is locked or unreachable; the outcome may be unknown, the retry settles it
    ├── DiskFull               the disk is full; reads and streams go on
    ├── Fenced                 another server has taken this database over
    ├── ServerDraining         the server is shutting down
    ├── BrokerUnavailable      the broker did not answer, or refuses the keys; nothing was compared
    ├── BrokerAccountNotFound  no broker account of that name is configured
    ├── LedgerCorrupt          an invariant of the ledger does not hold; writes are stopped
    ├── NotYetImplemented      this version does not do it yet
    └── InternalError          a bug

Each class is one value of ``ErrorReason`` in the contract; ``metadata`` holds the keys that value's comment names.
"""

from __future__ import annotations

import re
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


class EventConflict(Refusal):
    """``field`` is the first that differs from the event as it was recorded."""

    def __init__(self, event_id: str, field: str) -> None:
        super().__init__(
            f"event {shown(event_id)} is recorded with another {field}; one event has one content: look up which report is right",
            field=field,
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


class NeverTraded(Refusal):
    """No execution of this symbol is in this portfolio: there is no position, open or flat."""

    def __init__(self, symbol: str, portfolio_id: str) -> None:
        super().__init__(
            f"{shown(symbol)} was never traded in {shown(portfolio_id)}; "
            "GetSummary with include_flat lists every position that ever was"
        )


class LotNotOpen(Refusal):
    """A lot that was chosen has less open than is to be closed of it, or nothing."""

    def __init__(self, entry_id: str, open_quantity: Decimal, requested: Decimal) -> None:
        have, want = plain(open_quantity), plain(requested)
        super().__init__(
            f"entry {shown(entry_id)} has {have} open, fewer than the {want} to close of it; "
            "choose among the open entries of this position, at most what is open of each",
            entry_id=entry_id,
            open_quantity=have,
        )


class OppositeSideOpen(Refusal):
    """An entry on one side while the other is open."""

    def __init__(self, symbol: str, open_side: str, open_quantity: Decimal) -> None:
        have = plain(open_quantity)
        super().__init__(
            f"{shown(symbol)} is {open_side} {have}; one book holds one side: close it first, or send the execution as RecordFill",
            open_side=open_side,
            open_quantity=have,
        )


class InstrumentNotDeclared(Refusal):
    """A contract or an option on first use; ``why`` it cannot be taken for spot, as half a sentence."""

    def __init__(self, symbol: str, why: str) -> None:
        super().__init__(
            f"{shown(symbol)} is not declared and cannot be taken for spot: {why}; "
            "declare it with DefineInstrument, with its kind and multiplier",
            symbol=symbol,
        )


class InstrumentInUse(Refusal):
    """``field`` cannot change from ``before`` to ``after`` while ``open_quantity``, of both sides, is open."""

    def __init__(self, symbol: str, field: str, before: str, after: str, open_quantity: Decimal) -> None:
        have = plain(open_quantity)
        super().__init__(
            f"{shown(symbol)} has {have} open at {field} {before}, so it cannot become {after}; "
            "close it first, or declare another symbol for what is traded from now on",
            symbol=symbol,
            field=field,
            open_quantity=have,
        )


class LongOnly(Refusal):
    """A sale of more than is open in a portfolio that never goes short."""

    def __init__(self, symbol: str, open_quantity: Decimal) -> None:
        have = plain(open_quantity)
        super().__init__(
            f"{shown(symbol)} has {have} open and the portfolio is long-only; "
            "sell at most that, or change long_only with UpdatePortfolio",
            symbol=symbol,
            open_quantity=have,
        )


class PortfolioNotFound(Refusal):
    """No such portfolio."""

    def __init__(self, portfolio_id: str) -> None:
        super().__init__(
            f"there is no portfolio {shown(portfolio_id)}; the first entry or fill recorded in it makes it"
        )


class PortfolioExists(Refusal):
    """``field`` is the first whose value is not the one it was created with."""

    def __init__(self, portfolio_id: str, field: str) -> None:
        super().__init__(
            f"portfolio {shown(portfolio_id)} exists with another {field}; choose another portfolio_id, or UpdatePortfolio",
            field=field,
        )


class PortfolioInUse(Refusal):
    """``field`` was fixed by the first record."""

    def __init__(self, portfolio_id: str, field: str) -> None:
        super().__init__(
            f"portfolio {shown(portfolio_id)} has records, which fixed its {field}; create another portfolio for another",
            field=field,
        )


class PortfolioClosed(Refusal):
    """It takes no more commands; its history stays readable."""

    def __init__(self, portfolio_id: str) -> None:
        super().__init__(
            f"portfolio {shown(portfolio_id)} is closed and takes no more commands; use another",
            portfolio_id=portfolio_id,
        )


class PortfolioNotEmpty(Refusal):
    """``symbol`` is the first with open lots."""

    def __init__(self, portfolio_id: str, symbol: str) -> None:
        super().__init__(
            f"portfolio {shown(portfolio_id)} has open lots of {shown(symbol)}; close them before the portfolio",
            symbol=symbol,
        )


class FillNotFound(Refusal):
    """Nothing is recorded under this id."""

    def __init__(self, symbol: str, fill: str, why: str = "") -> None:
        super().__init__(
            f"{shown(symbol)} has no execution {shown(fill)}{why}; look at ListEntries and ListClosedTrades for what is recorded",
            fill_id=fill,
        )


class FillBusted(Refusal):
    """It counts no more."""

    def __init__(self, fill: str, sequence: int) -> None:
        super().__init__(
            f"execution {shown(fill)} was busted already and counts no more; record what took its place under its own id",
            fill_id=fill,
            sequence=str(sequence),
        )


_SHARED = {
    "TRADING_MODE_MISMATCH": "TRADING_MODE",
    "FIELD_VIOLATIONS": "FIELD_VIOLATION",
    "EVENT_CONFLICT": "FILL_CONFLICT",
    "NEVER_TRADED": "NO_OPEN_POSITION",
}
"""Reasons that are not spelled as their class is, or that two of them give."""


def reason_of(refusal: Refusal) -> str:
    """The name of its ``ErrorReason`` in the contract, without what all of them begin with."""
    words = re.sub(r"(?<!^)(?=[A-Z])", "_", type(refusal).__name__).upper()
    return _SHARED.get(words, words)


class LaterCommandRefused(Refusal):
    """An execution that happened later would not have been taken."""

    def __init__(self, sequence: int, fill: str, refusal: Refusal) -> None:
        named = f" (fill {shown(fill)})" if fill else ""
        super().__init__(
            f"with this change record {sequence}{named} would have been refused: {refusal.message}; correct that one first, "
            "or send EXCESS_POLICY_REVERSE to let it open the rest on the other side",
            sequence=str(sequence),
            fill_id=fill,
            reason=reason_of(refusal),
        )


class TradeNotFound(Refusal):
    """No such closed trade."""

    def __init__(self, trade_id: str) -> None:
        super().__init__(f"there is no closed trade {shown(trade_id)} in this portfolio", trade_id=trade_id)


class InstrumentNotFound(Refusal):
    """No such instrument."""

    def __init__(self, symbol: str) -> None:
        super().__init__(
            f"there is no instrument {shown(symbol)}; its first entry or fill makes it, or DefineInstrument",
            symbol=symbol,
        )


class SymbolFrozen(Refusal):
    """An open difference with the broker: closing goes on, opening does not."""

    def __init__(self, portfolio_id: str, symbol: str, discrepancy_id: str) -> None:
        super().__init__(
            f"{shown(symbol)} in {shown(portfolio_id)} is frozen: the broker holds something else ({discrepancy_id}); "
            "close what is open, or resolve the difference with ResolveDiscrepancy",
            portfolio_id=portfolio_id,
            symbol=symbol,
            discrepancy_id=discrepancy_id,
        )


class PortfolioHalted(Refusal):
    """An open difference with the broker that stops every execution."""

    def __init__(self, portfolio_id: str, discrepancy_id: str) -> None:
        super().__init__(
            f"portfolio {shown(portfolio_id)} is halted: the broker holds something else ({discrepancy_id}); "
            "resolve the difference with ResolveDiscrepancy",
            portfolio_id=portfolio_id,
            discrepancy_id=discrepancy_id,
        )


class DiscrepancyNotFound(Refusal):
    """No such difference."""

    def __init__(self, discrepancy_id: str) -> None:
        super().__init__(
            f"there is no discrepancy {shown(discrepancy_id)}; look at ListDiscrepancies",
            discrepancy_id=discrepancy_id,
        )


class DiscrepancyNotOpen(Refusal):
    """``state`` is what became of it; ``why`` tells of an open one why it cannot be resolved as it was seen."""

    def __init__(self, discrepancy_id: str, state: str, why: str = "") -> None:
        super().__init__(
            f"discrepancy {shown(discrepancy_id)} {why or f'is {state}, not OPEN'}; reconcile again and look at what is open",
            discrepancy_id=discrepancy_id,
            state=state,
        )


class ReconciliationNotFound(Refusal):
    """No such report."""

    def __init__(self, reconciliation_id: str) -> None:
        super().__init__(
            f"there is no reconciliation {shown(reconciliation_id)}; look at ListReconciliations",
            reconciliation_id=reconciliation_id,
        )


class ResolutionNotFound(Refusal):
    """Nothing was resolved under this id, or it was taken back."""

    def __init__(self, resolution_id: str) -> None:
        super().__init__(
            f"there is no resolution {shown(resolution_id)} to take back; look at ListDiscrepancies for what is resolved",
            resolution_id=resolution_id,
        )


class TradingModeMismatch(Refusal):
    """A portfolio is of the other trading mode than was asked for."""

    def __init__(self, portfolio_id: str, mode: str, asked: str) -> None:
        super().__init__(
            f"portfolio {shown(portfolio_id)} is {mode}, not {asked}; "
            "name portfolios of one mode, and the broker account of that mode",
            portfolio_id=portfolio_id,
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


class BrokerUnavailable(Refusal):
    """Nothing could be read at a broker; ``why`` in words, ``account`` as it is configured, where that is known."""

    def __init__(self, why: str, account: str = "") -> None:
        of = f" of account {shown(account)}" if account else ""
        super().__init__(f"the broker{of} could not be read: {why}; nothing was compared, ask again")
        self.why = why


class BrokerAccountNotFound(Refusal):
    """No account of this name is configured."""

    def __init__(self, account: str) -> None:
        super().__init__(
            f"there is no broker account {shown(account)}; configure it as [accounts.NAME], or bring a statement",
            broker_account=account,
        )


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
