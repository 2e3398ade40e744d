"""What a person decides about one difference, and what takes that back. Runs inside the writer, as a report does.

A difference was seen at one moment, and is resolved at another. An execution that was recorded meanwhile under its id is not
recorded twice; under another id, or none, it would be, and a synthetic one always. Therefore nothing is made when the ledger
holds something else by now than what was seen and what those executions explain.
"""

from __future__ import annotations

from decimal import Decimal

from lotkeeperd.domain.decimals import ZERO, plain
from lotkeeperd.domain.reconciliation.findings import Difference, Kind, Proposal, Resolution
from lotkeeperd.domain.reconciliation.lines import measure_of
from lotkeeperd.domain.reconciliation.policy import Action
from lotkeeperd.domain.reconciliation.records import (
    How,
    Reported,
    Resolve,
    Resolved,
    Settled,
    Standing,
    State,
    Undo,
    Undone,
    resolution_id,
)
from lotkeeperd.domain.reconciliation.repair import NoSuchRepair, adopt, assign, close_at
from lotkeeperd.domain.refusals import (
    DiscrepancyNotFound,
    DiscrepancyNotOpen,
    FieldViolations,
    PortfolioNotFound,
    ResolutionNotFound,
    Violation,
)
from lotkeeperd.service import reconciliation
from lotkeeperd.service.ports import JournalRecord, Transaction
from lotkeeperd.service.remembering import Remembering
from lotkeeperd.service.repairing import Repair, Repaired, carried_out, is_recorded, repair_of, reversal_of, tried
from lotkeeperd.service.stage import Stage

FILL_KINDS = frozenset({Kind.MISSING_FILL, Kind.UNKNOWN_FILL})
"""Kinds whose quantities are of one execution, not of a position."""

RESOLUTIONS = {How.ADOPT: Resolution.ADOPT_POSITION, How.CLOSE: Resolution.CLOSE_SYNTHETIC}
"""What a person's decision comes to, where it is not what was proposed."""


def resolved(command: Resolve, stage: Stage, transaction: Transaction) -> reconciliation.Resolution:
    """Resolve one difference.

    Raises DiscrepancyNotFound, DiscrepancyNotOpen, PortfolioNotFound, FieldViolations, or what refuses its executions.
    """
    transaction = Remembering(transaction)
    standing = _open(command, stage, transaction)
    proposals = _proposals(command, standing.difference)
    how = RESOLUTIONS.get(command.how, standing.difference.resolution)
    homes = standing.portfolio_ids
    repair = repair_of(proposals, standing.discrepancy_id, how, homes, stage, transaction)
    _check_unchanged(standing, proposals, repair, stage, transaction)
    done = _done(repair, command.validate_only, stage, transaction)
    sequence = 0 if command.validate_only else stage.next_sequence
    name = resolution_id(sequence)
    settled = Settled(name, sequence, stage.now, command.resolved_by, command.how, command, done.sequences, done.net)
    state = State.IGNORED if command.how is How.IGNORE else State.RESOLVED
    standing = standing._replace(state=state, settled=settled)
    if not command.validate_only:
        stage.note(Resolved(sequence, stage.now, command, standing, proposals), [standing])
    return reconciliation.Resolution(standing, proposals, done.net, sequence, False)


def _done(repair: Repair, only_tried: bool, stage: Stage, transaction: Transaction) -> Repaired:
    return (tried if only_tried else carried_out)(repair, stage, transaction)


def _open(command: Resolve, stage: Stage, transaction: Transaction) -> Standing:
    name = command.discrepancy_id
    standing = now_standing(name, stage, transaction)
    if standing is None:
        raise DiscrepancyNotFound(name)
    if standing.state is not State.OPEN:
        raise DiscrepancyNotOpen(name, standing.state.value)
    if command.portfolio and stage.portfolio(command.portfolio) is None:
        raise PortfolioNotFound(command.portfolio)
    return standing


def now_standing(name: str, stage: Stage, transaction: Transaction) -> Standing | None:
    """A difference as it stands, whatever became of it."""
    return stage.changed(name) or stage.standings.get(name) or transaction.standing(name)


def _proposals(command: Resolve, difference: Difference) -> tuple[Proposal, ...]:
    """What is to be recorded. Raises FieldViolations when it does not fit the difference."""
    try:
        if command.how is How.ADOPT:
            return adopt(difference, command.portfolio, command.price, command.group_id)
        if command.how is How.CLOSE:
            assert command.price is not None
            return close_at(difference, command.price)
        if command.how is How.ASSIGN:
            return assign(difference, command.portfolio)
    except NoSuchRepair as error:
        raise FieldViolations([Violation(command.how.value.lower(), str(error))]) from error
    if command.how is How.IGNORE:
        return ()
    if not difference.proposals:
        what = (
            f"nothing is proposed for {command.discrepancy_id}: adopt it, close it at a price, assign it, or ignore it"
        )
        raise FieldViolations([Violation("accept", what)])
    return difference.proposals


def _check_unchanged(
    standing: Standing, proposals: tuple[Proposal, ...], repair: Repair, stage: Stage, transaction: Transaction
) -> None:
    """Raises DiscrepancyNotOpen when something would be made for what is not so any more.

    What was recorded meanwhile under its own id is not made again, and explains what the ledger holds now. Anything else that
    moved the book may be the same execution under another id, or none.
    """
    difference = standing.difference
    if difference.kind in FILL_KINDS:
        return
    executions = [proposal.execution for proposal in proposals if proposal.execution is not None]
    pairs = list(zip(repair.commands, executions, strict=True))
    known = [(command, execution) for command, execution in pairs if is_recorded(command, stage, transaction)]
    if len(known) == len(pairs) and not repair.busts:
        return
    symbol = difference.symbol
    instrument = stage.instrument(symbol)
    measure = measure_of(symbol, {} if instrument is None else {symbol: instrument})
    held = _held(difference, standing.portfolio_ids, stage)
    here = (execution for command, execution in known if command.portfolio_id in standing.portfolio_ids)
    if held != difference.ledger_quantity + sum(map(measure.moved, here), ZERO):
        seen = plain(difference.ledger_quantity)
        what = f"was seen when the ledger held {seen} of {symbol!r}, and it holds {plain(held)} now"
        raise DiscrepancyNotOpen(standing.discrepancy_id, standing.state.value, what)


def _held(difference: Difference, portfolios: tuple[str, ...], stage: Stage) -> Decimal:
    held = ZERO
    for name in portfolios:
        book = stage.book((name, difference.symbol, difference.side))
        if book is not None and book.direction is not None:
            held += book.quantity * int(book.direction)
    return held


def undone(command: Undo, stage: Stage, transaction: Transaction) -> reconciliation.Reversal:
    """Take a resolution back, a person's or a report's own. Raises ResolutionNotFound, or what refuses the corrections."""
    transaction = Remembering(transaction)
    standing = _settled(command.resolution_id, stage, transaction)
    assert standing.settled is not None
    sequences = standing.settled.sequences
    why = f"{command.resolution_id} was taken back: {command.reason}"
    repair = reversal_of(sequences, _homes(standing), why, stage, transaction)
    done = _done(repair, command.validate_only, stage, transaction)
    action = Action.ASK if standing.action is Action.AUTO else standing.action
    standing = standing._replace(state=State.OPEN, settled=None, action=action, held=True)
    busted = tuple(sorted(bust.target for bust in repair.busts))
    sequence = 0 if command.validate_only else stage.next_sequence
    if not command.validate_only:
        stage.note(Undone(sequence, stage.now, command, standing, busted, done.net), [standing])
    return reconciliation.Reversal(standing, busted, done.net, sequence, False)


def _settled(name: str, stage: Stage, transaction: Transaction) -> Standing:
    found = stage.settled(name) or transaction.settled(name)
    standing = None if found is None else now_standing(found.discrepancy_id, stage, transaction)
    if standing is None or standing.settled is None or standing.settled.resolution_id != name:
        raise ResolutionNotFound(name)
    return standing


def _homes(standing: Standing) -> tuple[str, ...]:
    """Every portfolio that a resolution may have recorded in."""
    settled = standing.settled
    assert settled is not None
    chosen = "" if settled.command is None else settled.command.portfolio
    proposed = (proposal.portfolio_id for proposal in standing.difference.proposals)
    return tuple(dict.fromkeys(name for name in (*standing.portfolio_ids, *proposed, chosen) if name))


def replayed(
    first: JournalRecord, stage: Stage, transaction: Transaction
) -> reconciliation.Reconciled | reconciliation.Resolution | reconciliation.Reversal:
    """What was answered then; a difference as it is now."""
    if isinstance(first, Reported):
        return reconciliation.Reconciled(first, True)
    assert isinstance(first, Resolved | Undone)
    standing = now_standing(first.standing.discrepancy_id, stage, transaction) or first.standing
    if isinstance(first, Undone):
        return reconciliation.Reversal(standing, first.busted, first.pnl_effect, first.sequence, True)
    settled = first.standing.settled
    effect = ZERO if settled is None else settled.pnl_effect
    return reconciliation.Resolution(standing, first.proposals, effect, first.sequence, True)
