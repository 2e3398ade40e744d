"""What would make the ledger equal to the broker, in the order in which it is preferred.

 1. The broker's own executions, when they come to exactly what is missing: alone; in place of synthetic fills that stood for them;
    or in place of recorded fills that the broker does not know, which a person has to allow.
 2. A history that does not reach back far enough: its executions, and before them one synthetic opening. Where what was open before
    it went flat, and the ledger never had it, only what came after that counts, and nothing has to be made up.
 3. No execution at all: one synthetic opening, so that quantity and average agree.
 4. A person. Nothing is closed or reduced without the broker's executions but at a price that somebody gave.

What a person may decide instead stands in ``repair``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from enum import Enum
from typing import NamedTuple

from lotkeeperd.domain.book import Direction
from lotkeeperd.domain.decimals import ZERO
from lotkeeperd.domain.reconciliation.findings import Proposal, Resolution
from lotkeeperd.domain.reconciliation.holdings import Counted
from lotkeeperd.domain.reconciliation.lines import Line
from lotkeeperd.domain.reconciliation.owners import Owners
from lotkeeperd.domain.reconciliation.pairing import Replacement, standing_for
from lotkeeperd.domain.reconciliation.pricing import Asked, Dealt, opening_price
from lotkeeperd.domain.reconciliation.statements import Execution


class Loose(NamedTuple):
    """What is unpaired on one line. ``replaced`` are summaries whose executions move another quantity than they did.

    ``history`` is every execution that the broker reports, ``since`` when it is complete from, None when that is not known.
    ``disputed`` says that a recorded fill has another content than the broker's execution of its id; ``hedging`` that sides are
    apart. ``older`` are recorded fills of orders of ``missing`` from before the history.
    """

    missing: tuple[Execution, ...] = ()
    unknown: tuple[Counted, ...] = ()
    unseen: tuple[Counted, ...] = ()
    replaced: tuple[Replacement, ...] = ()
    history: tuple[Execution, ...] = ()
    since: int | None = None
    as_of: int = 0
    disputed: bool = False
    hedging: bool = False
    older: tuple[Counted, ...] = ()


class Reason(Enum):
    """Why a repair is what it is; ``explaining`` has the words."""

    EXECUTIONS = "executions"
    REPLACED = "replaced"
    TAKEN_BACK = "taken back"
    OPENED_BEFORE = "opened before"
    OPENED = "opened"
    IN_PART = "in part"
    WHOSE = "whose"
    NO_PRICE = "no price"
    NOT_READ = "not read"
    NO_SIDE = "no side"
    DISPUTED = "disputed"
    NOT_EXPLAINED = "not explained"


class Repair(NamedTuple):
    """``proposals`` come to all that is missing, but IN_PART; ``unplaced`` are executions that nothing is proposed for.

    ``unknown`` are recorded fills that the broker does not report and that nothing is proposed for.
    ``averages_agree`` is False when no price of a synthetic opening could make them.
    """

    reason: Reason
    resolution: Resolution = Resolution.UNSPECIFIED
    proposals: tuple[Proposal, ...] = ()
    unplaced: tuple[Execution, ...] = ()
    averages_agree: bool = True
    unknown: tuple[Counted, ...] = ()


def solved(line: Line, loose: Loose, owners: Owners) -> Repair:
    """What is proposed for ``line``; run under ``localcontext(EXACT)``."""
    if line.theirs is None or _closing_unread(line, loose):
        hedged = loose.hedging and not line.key[1]
        return Repair(Reason.NO_SIDE if hedged else Reason.NOT_READ, unplaced=loose.missing, unknown=loose.unknown)
    found = _exact(line, _after_flat(line, loose), owners)
    if found is None:
        loose = _after_flat(line, _without_partly_seen(loose))
        found = _exact(line, loose, owners) or _in_doubt(line, loose) or _history_short(line, loose, owners)
    return found if found.reason is Reason.TAKEN_BACK else found._replace(unknown=loose.unknown)


def _closing_unread(line: Line, loose: Loose) -> bool:
    """Whether something would close on the word of a statement that was not read to its end."""
    assert line.theirs is not None
    reduces = any(each.signed * line.theirs < 0 for each in loose.missing)
    return not line.complete and (reduces or bool(loose.unknown))


def _without_partly_seen(loose: Loose) -> Loose:
    """Without orders that began before the history does: a recorded fill has more than the executions of its order that are left.

    Those are in it, and are never added to it.
    """
    told: defaultdict[tuple[str, Direction], Decimal] = defaultdict(Decimal)
    for each in loose.missing:
        told[each.order_id, each.side] += each.quantity
    within = {
        (fill.order_id, fill.side)
        for fill in (*loose.unknown, *loose.older)
        if fill.order_id and ZERO < told[fill.order_id, fill.side] < fill.quantity
    }
    return loose._replace(
        missing=tuple(each for each in loose.missing if (each.order_id, each.side) not in within),
        unknown=tuple(fill for fill in loose.unknown if (fill.order_id, fill.side) not in within),
    )


def _after_flat(line: Line, loose: Loose) -> Loose:
    """Without the end of a position that the ledger never had: it was open when the history begins, and went flat in it."""
    seen = _moved(line, loose.history)
    started = line.ours + _moved(line, loose.missing) - seen
    assert line.theirs is not None
    if loose.since is None or line.nothing(line.theirs - seen) or not line.nothing(started):
        return loose
    missing = set(map(id, loose.missing))
    total = line.theirs - seen
    for place, each in enumerate(loose.history, 1):
        total += line.measure.moved(each)
        if id(each) not in missing:
            return loose
        if line.nothing(total):
            return loose._replace(missing=loose.missing[place:], history=loose.history[place:])
    return loose


def _moved(line: Line, executions: Sequence[Execution | Counted]) -> Decimal:
    return sum(map(line.measure.moved, executions), ZERO)


def _exact(line: Line, loose: Loose, owners: Owners) -> Repair | None:
    """The broker's executions, when they come to what is missing."""
    summaries = sum(
        (_moved(line, each.executions) - line.measure.moved(each.recorded) for each in loose.replaced), ZERO
    )
    need = line.gap - summaries
    executions = (*loose.missing, *(each for replacement in loose.replaced for each in replacement.executions))
    excess = _moved(line, loose.missing) - need
    if line.nothing(excess):
        excess = ZERO
    stood = standing_for(loose.unseen, loose.missing, excess, line.measure.moved) if executions else None
    if stood is not None:
        replaced = (*loose.replaced, *stood)
        reason = Reason.REPLACED if replaced else Reason.EXECUTIONS
        return _backfilled(line, executions, replaced, owners, reason)
    if loose.unknown and line.nothing(excess - _moved(line, loose.unknown)):
        return _taken_back(line, executions, loose, owners)
    return None


def _backfilled(
    line: Line, executions: Sequence[Execution], replaced: Sequence[Replacement], owners: Owners, reason: Reason
) -> Repair:
    proposals = owners.proposed(line, executions, replaced)
    if proposals is None:
        return Repair(Reason.WHOSE, unplaced=tuple(executions))
    return Repair(reason, Resolution.BACKFILL_FILLS, proposals)


def _taken_back(line: Line, executions: Sequence[Execution], loose: Loose, owners: Owners) -> Repair:
    """Recorded fills that the broker does not know go, and its own come; never without a person."""
    gone = tuple(Proposal(fill.key[0], None, replaces=(fill.sequence,)) for fill in loose.unknown)
    whose = {fill.key[0] for fill in loose.unknown}
    come = owners.proposed(line, executions, loose.replaced)
    if come is None and len(whose) == 1:
        owner = whose.pop()
        come = tuple(Proposal(owner, each) for each in executions)
    if come is None:
        return Repair(Reason.WHOSE, unplaced=tuple(executions))
    return Repair(Reason.TAKEN_BACK, Resolution.UNSPECIFIED, (*gone, *come))


def _in_doubt(line: Line, loose: Loose) -> Repair | None:
    """Where the two contradict each other nothing is invented."""
    if loose.disputed or loose.unknown:
        return Repair(Reason.DISPUTED, unplaced=loose.missing)
    if line.nothing(line.gap):
        return Repair(Reason.NOT_EXPLAINED, unplaced=loose.missing)
    return None


def _history_short(line: Line, loose: Loose, owners: Owners) -> Repair:
    """Something happened that is in no history.

    It closed, where it is against what was held when the history begins, or against what the ledger holds without the missing
    executions and with them: the same is proposed before and after these are recorded.
    """
    opened = line.gap - _moved(line, loose.missing)
    held = line.ours + _moved(line, loose.missing)
    started = held - _moved(line, loose.history)
    if started * opened < 0 or (line.ours * opened < 0 and held * opened < 0):
        return _in_part(line, loose, owners)
    asked = _priced(line, started, opened, loose.missing)
    come = owners.proposed(line, loose.missing)
    owner = owners.adopting(line.holdings)
    if asked is None:
        return Repair(Reason.NO_PRICE, unplaced=loose.missing)
    if come is None or not owner:
        return Repair(Reason.WHOSE, unplaced=loose.missing)
    first = synthetic(line.key, opened, asked.price, _before(loose))
    reason = Reason.OPENED_BEFORE if loose.missing else Reason.OPENED
    proposals = (Proposal(owner, first, synthetic=True), *come)
    return Repair(reason, Resolution.ADOPT_POSITION, proposals, averages_agree=asked.agrees)


def _priced(line: Line, started: Decimal, opened: Decimal, missing: Sequence[Execution]) -> Asked | None:
    """What the ledger held when the history begins is older than what is opened, the rest of what it holds is newer."""
    theirs, ours = line.their_average, line.our_average
    if line.ours and ours is None:
        return None if theirs is None or not line.measure.allows(theirs) else Asked(theirs, agrees=False)
    old = min(abs(started), abs(line.ours)) if started * line.ours > 0 else ZERO
    old = old if line.ours > 0 else -old
    older = [Dealt(old, ours)] if old else []
    newer = [Dealt(line.ours - old, ours)] if line.ours != old else []
    known = [*newer, *(Dealt(line.measure.moved(each), each.price) for each in missing)]
    return opening_price(opened, older, known, theirs, line.measure)


def _before(loose: Loose) -> int:
    """When what is in no history happened: before it; where there is none, it was seen when the broker was asked."""
    times = [each.time for each in loose.missing]
    if loose.since is not None:
        times.append(loose.since)
    return min(times) - 1 if times else loose.as_of


def _in_part(line: Line, loose: Loose, owners: Owners) -> Repair:
    """What is missing was closed, and not all of it by executions that are known: those are recorded, the rest needs a price."""
    moved = _moved(line, loose.missing)
    if not loose.missing:
        return Repair(Reason.NO_PRICE)
    if moved * line.gap <= 0 or abs(moved) > abs(line.gap):
        return Repair(Reason.NOT_EXPLAINED, unplaced=loose.missing)
    return _backfilled(line, loose.missing, (), owners, Reason.IN_PART)


def synthetic(key: tuple[str, str], signed: Decimal, price: Decimal, time: int) -> Execution:
    """An execution that nobody has seen, of the line ``key``; its id is made of the difference that it removes."""
    side = Direction.LONG if signed > 0 else Direction.SHORT
    return Execution(key[0], side, abs(signed), price, time, book_side=Direction[key[1]] if key[1] else None)
