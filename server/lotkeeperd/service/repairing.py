"""Carries a repair out: the broker's executions are recorded, and what they replace is taken back, in one transaction.

Several records may be made before one is refused. Therefore a repair is tried on a fork first, and made again where it stays.

What replaces and what is replaced cannot come at the same moment, and in between the book may be one that a later execution
could not have traded with. Of what opened, the real one has to come before the other goes; of what closed, after it. And where
recorded exits stand on a missing entry, entries come before missing exits. These orders are tried; the book is the same by each.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from lotkeeperd.domain.book import Direction
from lotkeeperd.domain.commands import Command, Decision, Excess, Method
from lotkeeperd.domain.decimals import ZERO
from lotkeeperd.domain.history import Amend, Amendment, BookRecord, Correction, History, Late
from lotkeeperd.domain.reconciliation.findings import Proposal, Resolution
from lotkeeperd.domain.reconciliation.records import synthetic_id
from lotkeeperd.domain.refusals import FillNotFound, Refusal
from lotkeeperd.service.amending import amended
from lotkeeperd.service.executing import executed
from lotkeeperd.service.identities import Identities
from lotkeeperd.service.ports import JournalRecord, Transaction
from lotkeeperd.service.stage import Stage, key_of

UNWATCHED = "no exit is watching it"
ADOPTED = (("adopted", UNWATCHED),)
"""The label of a lot that was adopted, so that positions and closed trades show it."""

REASONS = {True: f"adopted; {UNWATCHED}", False: "reconciled"}
"""Why an execution was recorded, by whether it opens a synthetic lot."""


class Repair(NamedTuple):
    """``busts`` are taken back, ``commands`` are recorded."""

    busts: tuple[Amendment, ...]
    commands: tuple[Command, ...]


_Steps = tuple[Amendment | Command, ...]


class Repaired(NamedTuple):
    """The sequences of what was recorded, and what that changed of net realized P&L."""

    sequences: tuple[int, ...]
    net: Decimal


def repair_of(
    proposals: Sequence[Proposal],
    discrepancy_id: str,
    resolution: Resolution,
    portfolios: Iterable[str],
    stage: Stage,
    transaction: Transaction,
) -> Repair:
    """What ``proposals`` come to; what they replace is in one of ``portfolios``. Raises FillNotFound."""
    homes = dict.fromkeys((*(proposal.portfolio_id for proposal in proposals), *portfolios))
    replaced = dict.fromkeys(sequence for proposal in proposals for sequence in proposal.replaces)
    busts = [bust_of(record_at(sequence, homes, stage, transaction), discrepancy_id) for sequence in replaced]
    commands = [
        _command(proposal, place, discrepancy_id, resolution)
        for place, proposal in enumerate(proposals)
        if proposal.execution is not None
    ]
    return Repair(tuple(busts), tuple(commands))


def _command(proposal: Proposal, place: int, discrepancy_id: str, resolution: Resolution) -> Command:
    execution = proposal.execution
    assert execution is not None
    adopts = proposal.synthetic and resolution is Resolution.ADOPT_POSITION
    return Command(
        Method.RECORD_FILL,
        proposal.portfolio_id,
        execution.symbol,
        execution.side,
        execution.quantity,
        execution.price,
        execution.fee,
        execution.fee_currency,
        execution.time,
        execution.order_id,
        synthetic_id(discrepancy_id, place) if proposal.synthetic else execution.fill_id,
        excess=Excess.REVERSE,
        reason=REASONS[adopts],
        group_id=proposal.group_id,
        labels=ADOPTED if adopts else (),
        synthetic=proposal.synthetic,
        book_side=execution.book_side,
        late=True,
    )


def bust_of(record: Decision | Late, discrepancy_id: str) -> Amendment:
    """What takes an execution back."""
    command = record.command
    return Amendment(
        Amend.BUST,
        command.portfolio_id,
        command.symbol,
        fill_id=command.fill_id,
        target=record.sequence,
        reason=f"reconciled: {discrepancy_id}",
        book_side=command.book_side,
    )


def record_at(sequence: int, portfolios: Iterable[str], stage: Stage, transaction: Transaction) -> Decision | Late:
    """The execution that a sequence names. Raises FillNotFound."""
    record = _at(sequence, portfolios, stage, transaction)
    if not isinstance(record, Decision | Late):
        raise FillNotFound("", f"record {sequence}")
    return record


def _at(sequence: int, portfolios: Iterable[str], stage: Stage, transaction: Transaction) -> JournalRecord | None:
    staged = stage.since(sequence)
    if staged:
        return staged[0]
    found = (transaction.records(name, sequence, sequence) for name in portfolios)
    return next((records[0] for records in found if records), None)


def reversal_of(
    sequences: Sequence[int], portfolios: Sequence[str], why: str, stage: Stage, transaction: Transaction
) -> Repair:
    """What takes a repair back: its executions go, and what it took back comes again as it counted then."""
    busts, commands = [], []
    for sequence in reversed(sequences):
        record = _at(sequence, portfolios, stage, transaction)
        if isinstance(record, Correction):
            commands.append(_again(record, stage, transaction))
        elif isinstance(record, Decision | Late) and counts(record, stage, transaction):
            busts.append(bust_of(record, why))
    return Repair(tuple(busts), tuple(commands))


def _again(record: Correction, stage: Stage, transaction: Transaction) -> Command:
    """The execution that ``record`` took back, to be recorded once more."""
    key = key_of(record)
    records: list[BookRecord] = [*transaction.history(key), *stage.book_records(key)]
    history = History(one for one in records if one.sequence < record.sequence)
    was = history.slots[history.find("", record.command.target)[0]].decision
    return was.command._replace(
        method=Method.RECORD_FILL,
        side=was.fill.direction,
        quantity=was.venue_quantity,
        time=was.fill.time,
        request_id="",
        close_all=False,
        excess=Excess.REVERSE,
        late=True,
        brief=False,
    )


def carried_out(repair: Repair, stage: Stage, transaction: Transaction) -> Repaired:
    """Try it, then make it so on ``stage``. Raises the refusal, of the last order that was tried, and changes nothing then.

    One record needs no trial: it is refused before it changes anything. A fork costs what the batch has staged so far.
    """
    if len(repair.busts) + len(repair.commands) == 1:
        return _made((*repair.busts, *repair.commands), stage, transaction)
    order, _ = _tried(repair, stage, transaction)
    return _made(order, stage, transaction)


def tried(repair: Repair, stage: Stage, transaction: Transaction) -> Repaired:
    """What it would do, as if on ``stage``, which stays as it is. Raises the refusal."""
    return _tried(repair, stage, transaction)[1]


def _orders(repair: Repair) -> Iterator[_Steps]:
    """Orders that may work, each once: a side of a hedging portfolio and a long-only one refuse exits that come too early."""
    yield (*repair.busts, *repair.commands)
    if repair.busts and repair.commands:
        yield (*repair.commands, *repair.busts)
    opening = [one for one in repair.commands if one.side is (one.book_side or Direction.LONG)]
    closing = [one for one in repair.commands if one.side is not (one.book_side or Direction.LONG)]
    if opening and closing:
        yield (*opening, *repair.busts, *closing)


def _tried(repair: Repair, stage: Stage, transaction: Transaction) -> tuple[_Steps, Repaired]:
    """The order that works, and what comes of it."""
    refused: Refusal | None = None
    for order in _orders(repair):
        try:
            return order, _made(order, stage.fork(), transaction)
        except Refusal as refusal:
            refused = refusal
    assert refused is not None
    raise refused


def _made(steps: _Steps, stage: Stage, transaction: Transaction) -> Repaired:
    sequences: list[int] = []
    net = ZERO
    for step in steps:
        if isinstance(step, Amendment):
            happened = amended(step, stage, transaction)
            sequences.append(happened.sequence)
            net += happened.net_change
        elif not is_recorded(step, stage, transaction):
            done = executed(step, stage, transaction)
            sequences.append(done.record.sequence)
            net += done.net
    return Repaired(tuple(sequences), net)


def is_recorded(command: Command, stage: Stage, transaction: Transaction) -> bool:
    """Law 8, for what counts: an execution that was busted may come again. Raises FillConflict."""
    if not command.fill_id:
        return False
    found = [*transaction.recorded([command]), *stage.named(command.portfolio_id, command.fill_id)]
    held = [
        record
        for record in found
        if isinstance(record, Decision | Late)
        and record.command.fill_id == command.fill_id
        and record.command.portfolio_id == command.portfolio_id
    ]
    return Identities(one for one in held if counts(one, stage, transaction)).replayed(command) is not None


def counts(record: Decision | Late, stage: Stage, transaction: Transaction) -> bool:
    """Whether an execution was not busted."""
    corrections = transaction.corrections(record.command.portfolio_id, record.sequence)
    return not any(
        isinstance(one, Correction) and one.command.method is Amend.BUST and one.command.target == record.sequence
        for one in (*corrections, *stage.records)
    )
