"""One difference of one line: its kind, how bad it is, whose it is, and the words.

kind                     severity    why
ORPHANED_POSITION        CRITICAL    nobody watches its stop
SIDE_MISMATCH            CRITICAL    every exit makes it worse
MISSING_AT_BROKER        MAJOR
QUANTITY_MISMATCH        MAJOR
UNKNOWN_FILL             MAJOR
CASH_MISMATCH            MAJOR
MISSING_FILL             MINOR       when the broker's own executions can be recorded, else MAJOR
AVERAGE_PRICE_MISMATCH   INFO        brokers count averages in ways of their own
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal

from lotkeeperd.domain.reconciliation import explaining
from lotkeeperd.domain.reconciliation.findings import Difference, Kind, Proposal, Resolution, Severity
from lotkeeperd.domain.reconciliation.holdings import Counted, Holdings
from lotkeeperd.domain.reconciliation.lines import Line
from lotkeeperd.domain.reconciliation.pairing import Pair, Replacement
from lotkeeperd.domain.reconciliation.records import Account
from lotkeeperd.domain.reconciliation.solving import Reason, Repair
from lotkeeperd.domain.reconciliation.statements import Statement


def of_quantities(line: Line, repair: Repair, as_of: int) -> Difference:
    """Of quantities that differ, or of executions that one side lacks though they do not."""
    differs = not line.nothing(line.gap)
    kind = _kind(line) if differs else _fill_kind(repair)
    made = _made(line, kind, repair.resolution, explaining.quantities(line, repair), as_of, repair.proposals)
    return made._replace(
        severity=_severity(kind, repair),
        fill_id="" if differs else _named(repair),
        unplaced=repair.unplaced,
    )


def _kind(line: Line) -> Kind:
    if not line.holdings:
        return Kind.ORPHANED_POSITION
    if not line.theirs:
        return Kind.MISSING_AT_BROKER
    return Kind.SIDE_MISMATCH if line.theirs * line.ours < 0 else Kind.QUANTITY_MISMATCH


def _fill_kind(repair: Repair) -> Kind:
    return Kind.UNKNOWN_FILL if repair.reason is Reason.TAKEN_BACK else Kind.MISSING_FILL


def _severity(kind: Kind, repair: Repair) -> Severity:
    if kind in (Kind.ORPHANED_POSITION, Kind.SIDE_MISMATCH):
        return Severity.CRITICAL
    if kind is Kind.MISSING_FILL and repair.resolution is Resolution.BACKFILL_FILLS:
        return Severity.MINOR
    return Severity.MAJOR


def _named(repair: Repair) -> str:
    """By the first execution, and where there is none by the first recorded fill that goes."""
    real = [each.execution for each in repair.proposals if each.execution is not None] or list(repair.unplaced)
    return real[0].fill_id if real else _unnamed(repair.proposals[0].replaces[0])


def _unnamed(sequence: int) -> str:
    """A recorded fill without an id, by its place in the journal."""
    return f"#{sequence}"


def _made(
    line: Line, kind: Kind, resolution: Resolution, explanation: str, as_of: int, proposals: tuple[Proposal, ...] = ()
) -> Difference:
    adopted = any(each.synthetic for each in proposals) or any(holding.adopted for holding in line.holdings)
    return Difference(
        kind,
        Severity.MAJOR,
        _owner(line, proposals),
        line.symbol,
        line.ours,
        line.ours if line.theirs is None else line.theirs,
        resolution,
        explanation,
        proposals,
        line.key[1],
        ledger_price=line.our_average,
        broker_price=line.their_average,
        unwatched=adopted or kind is Kind.ORPHANED_POSITION,
        as_of=as_of,
    )


def _owner(line: Line, proposals: Sequence[Proposal]) -> str:
    """Whose it is: the only holder's; where nobody holds any, and the broker neither, whose the executions are."""
    whose = {holding.key[0] for holding in line.holdings}
    if not whose and not line.theirs:
        whose = {each.portfolio_id for each in proposals}
    return whose.pop() if len(whose) == 1 else ""


def of_summary(line: Line, replacement: Replacement, as_of: int) -> Difference:
    """Of one recorded fill that is several executions, and moved as much as they."""
    first, *others = replacement.executions
    owner, sequence = replacement.recorded.key[0], replacement.recorded.sequence
    proposals = (Proposal(owner, first, replaces=(sequence,)), *(Proposal(owner, each) for each in others))
    words = explaining.summary(replacement)
    made = _made(line, Kind.MISSING_FILL, Resolution.BACKFILL_FILLS, words, as_of, proposals)
    return made._replace(severity=Severity.MINOR, portfolio_id=owner, fill_id=first.fill_id)


def of_conflict(line: Line, pair: Pair, as_of: int) -> Difference:
    """Of one id with two contents: a person corrects the recorded one."""
    made = _made(line, Kind.MISSING_FILL, Resolution.UNSPECIFIED, explaining.conflict(pair), as_of)
    return made._replace(portfolio_id=pair.recorded[0].key[0], fill_id=pair.execution.fill_id, time=pair.execution.time)


def of_unknown(line: Line, fill: Counted, as_of: int) -> Difference:
    """Of a recorded fill that the broker does not report, where taking it back alone would not make both equal."""
    made = _made(line, Kind.UNKNOWN_FILL, Resolution.UNSPECIFIED, explaining.unknown(fill), as_of)
    return made._replace(portfolio_id=fill.key[0], fill_id=fill.fill_id or _unnamed(fill.sequence), time=fill.time)


def of_averages(line: Line, tolerance: Decimal, as_of: int) -> Iterator[Difference]:
    """Information, never a change; ``tolerance`` is relative, and a price step is always within it."""
    ours, theirs = line.our_average, line.their_average
    if line.theirs is None or line.moved_since or ours is None or theirs is None:
        return
    if abs(ours - theirs) > max(abs(theirs) * tolerance, line.measure.price_step):
        words = explaining.averages(line, ours, theirs)
        made = _made(line, Kind.AVERAGE_PRICE_MISMATCH, Resolution.NONE, words, as_of)
        yield made._replace(severity=Severity.INFO)


def of_cash(account: Account, holdings: Holdings, statement: Statement) -> Iterator[Difference]:
    """By currency, where every balance was read; a currency whose cash the ledger does not keep cannot differ."""
    if not statement.cash_complete:
        return
    theirs: defaultdict[str, Decimal] = defaultdict(Decimal)
    for balance in statement.cash:
        theirs[balance.currency] += balance.amount
    owner = holdings.portfolios[0] if len(holdings.portfolios) == 1 else ""
    for currency, ours in holdings.cash.items():
        amount = theirs[currency]
        if abs(amount - ours) > account.cash_tolerance:
            words = explaining.cash(currency, ours, amount)
            kind, resolution = Kind.CASH_MISMATCH, Resolution.UNSPECIFIED
            yield Difference(
                kind, Severity.MAJOR, owner, currency, ours, amount, resolution, words, as_of=statement.as_of
            )
