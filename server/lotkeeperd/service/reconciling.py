"""One report: what differs from the broker, what was done about it, and what stands after it. Runs inside the writer.

Everything is one transaction: what is carried out, and the report after it, which says so. A kill leaves all or nothing, and no
other write can come between what was compared and what is repaired.

The same difference keeps its id from run to run, so that somebody who ignored it, or works on it, is not told of a new one. What
was looked for and is not there any more is gone; what could not be judged stays as it was.

What is carried out may be only a part of what is missing, or show what it covered. Therefore the two are compared again after it,
in the same run: what is left stands open at once, with what it stops, and not only when somebody looks the next time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from lotkeeperd.domain.reconciliation.comparison import compare
from lotkeeperd.domain.reconciliation.findings import Comparison, Difference, Identity, Kind
from lotkeeperd.domain.reconciliation.policy import RESTRAINTS, Action, action_for
from lotkeeperd.domain.reconciliation.records import (
    How,
    Reconcile,
    Reported,
    Settled,
    Standing,
    State,
    discrepancy_id,
    resolution_id,
    standings_of,
)
from lotkeeperd.domain.reconciliation.statements import Statement
from lotkeeperd.domain.refusals import (
    FieldViolations,
    PortfolioNotFound,
    Refusal,
    TradingModeMismatch,
    Violation,
)
from lotkeeperd.service.account_holdings import holdings_of
from lotkeeperd.service.ports import Transaction
from lotkeeperd.service.reconciliation import Reconciled
from lotkeeperd.service.remembering import Remembering
from lotkeeperd.service.repairing import Repaired, carried_out, repair_of, tried
from lotkeeperd.service.stage import Stage

ROUNDS = 4
"""Times that the two are compared in one run at most: what was carried out may leave something, or bring something to light."""


class _Seen(NamedTuple):
    """A difference of this run: what stood before, what was done, None when nothing was.

    ``gone`` says that what was done about another one ended it, too.
    """

    place: int
    name: str
    difference: Difference
    action: Action
    before: Standing | None
    done: Repaired | None
    gone: bool = False


def reconciled(command: Reconcile, stage: Stage, transaction: Transaction) -> Reconciled:
    """Compare, carry out what is allowed, report. Raises PortfolioNotFound, TradingModeMismatch or FieldViolations."""
    _check(command, stage)
    run = _Run(replace(command, account=command.account._replace(spellings=_used(command))), stage, transaction)
    report = run.report()
    if not command.trial:
        before = {one.discrepancy_id: one for one in stage.standings.values()}
        stage.note(report, standings_of(report, before))
    return Reconciled(report, False)


class _Run:
    """One report as it is made: rounds of comparing and repairing until nothing more is carried out."""

    def __init__(self, command: Reconcile, stage: Stage, transaction: Transaction) -> None:
        self._command = command
        self._stage = stage
        self._transaction = Remembering(transaction)
        self._waiting = _Waiting(command, stage)
        self._begun = 0 if command.trial else stage.next_sequence
        self._seen: list[_Seen] = []

    def report(self) -> Reported:
        """What was found, done and left; the counts are of what was seen first."""
        comparison = self._compared()
        found = comparison
        for _ in range(ROUNDS):
            if not self._took(found.differences):
                break
            found = self._compared()
        else:
            self._took(found.differences, may_repair=False)
        command, stage = self._command, self._stage
        sequence = 0 if command.trial else stage.next_sequence
        seen = sorted(self._seen, key=lambda one: (-one.difference.severity, one.place))
        standings = tuple(_standing(one, command, sequence, stage.now) for one in seen)
        comparison = comparison._replace(differences=tuple(one.difference for one in standings))
        return Reported(sequence, stage.now, _kept(command), comparison, standings, tuple(self._waiting.gone()))

    def _compared(self) -> Comparison:
        command = self._command
        holdings = holdings_of(command, self._stage, self._transaction)
        return compare(command.account, holdings, command.statement, command.adopt_into)

    def _took(self, differences: Sequence[Difference], may_repair: bool = True) -> bool:
        """Take a round's differences in; whether anything was carried out, so that it is worth while to look again."""
        left: dict[Identity, list[_Seen]] = {}
        for one in self._seen:
            if one.done is None and not one.gone:
                left.setdefault(one.difference.identity, []).append(one)
        repaired = False
        for difference in differences:
            alike = left.get(difference.identity)
            one = self._treated(difference, alike.pop(0) if alike else None, may_repair)
            repaired |= one.done is not None
        for alike in left.values():
            for one in alike:
                self._seen[one.place] = one._replace(gone=True)
        return repaired

    def _treated(self, difference: Difference, known: _Seen | None, may_repair: bool) -> _Seen:
        """A difference that an earlier round left, or a new one."""
        place = len(self._seen) if known is None else known.place
        before = self._waiting.take(difference) if known is None else known.before
        name = discrepancy_id(self._begun, place) if before is None else before.discrepancy_id
        one = _carried_out(
            _Seen(place, name, difference, self._action(difference, before), before, None),
            self._command,
            may_repair,
            self._stage,
            self._transaction,
        )
        self._seen[place : place + 1] = [one]
        return one

    def _action(self, difference: Difference, before: Standing | None) -> Action:
        """What a person took back is never carried out again without being asked for.

        A dry run of a statement that a caller brings stops nothing that was not stopped: a wrong file would end all trading.
        """
        command, was = self._command, Action.ASK if before is None else before.action
        action = action_for(difference, command.account.rules)
        if action is Action.AUTO and before is not None and before.held:
            return Action.ASK
        if action in RESTRAINTS and not (command.apply or command.account.name):
            return was
        return action


def _kept(command: Reconcile) -> Reconcile:
    """What the report keeps of the request.

    A configured account is asked again and again, and tells the same executions each time: those that the ledger has stand in the
    journal already, the others in the differences. What a caller brought is kept whole, since it tells one request from another.
    """
    if not command.account.name:
        return command
    return replace(command, statement=command.statement._replace(executions=()))


def _check(command: Reconcile, stage: Stage) -> None:
    for name in command.portfolio_ids:
        portfolio = stage.portfolio(name)
        if portfolio is None:
            if command.account.name:
                continue  # configured before its first fill, which makes it: it holds nothing yet
            raise PortfolioNotFound(name)
        if command.mode not in {None, portfolio.mode}:
            assert command.mode is not None
            raise TradingModeMismatch(name, portfolio.mode.value, command.mode.value)
    if command.adopt_into and command.adopt_into not in command.portfolio_ids:
        what = f"{command.adopt_into!r} is none of the portfolios that are compared: {', '.join(command.portfolio_ids)}"
        raise FieldViolations([Violation("adopt_into_portfolio_id", what)])


def _used(command: Reconcile) -> tuple[tuple[str, str], ...]:
    """The spellings that the statement needs: only those are told in the report."""
    symbols = command.statement.symbols
    return tuple(pair for pair in command.account.spellings if pair[0] in symbols)


class _Waiting:
    """What stood open or ignored before this run, of the same account, and of no portfolio that is not compared now.

    A portfolio that joins an account explains what differed without it, and what that stopped must not stay stopped.
    """

    def __init__(self, command: Reconcile, stage: Stage) -> None:
        self._statement = command.statement
        self._by_identity: dict[Identity, list[Standing]] = {}
        for one in stage.standings.values():
            if one.account == command.account.name and set(one.portfolio_ids) <= set(command.portfolio_ids):
                self._by_identity.setdefault(one.difference.identity, []).append(one)

    def take(self, difference: Difference) -> Standing | None:
        """The same difference as it stood; of several alike the oldest, and each of them once."""
        alike = self._by_identity.get(difference.identity)
        return alike.pop(0) if alike else None

    def gone(self) -> Iterator[str]:
        """What nobody took, and could have been found."""
        for alike in self._by_identity.values():
            yield from (one.discrepancy_id for one in alike if is_judged(one.difference, self._statement))


def is_judged(difference: Difference, statement: Statement) -> bool:
    """Whether ``statement`` says enough to tell that ``difference`` is not there any more."""
    if difference.kind is Kind.CASH_MISMATCH:
        return statement.cash_complete
    if difference.kind in (Kind.MISSING_FILL, Kind.UNKNOWN_FILL):
        times = [one.execution.time for one in difference.proposals if one.execution is not None]
        times += [one.time for one in difference.unplaced]
        times += [] if difference.time is None else [difference.time]
        since = statement.executions_since
        return since is not None and since <= min(times, default=since)
    return statement.positions_complete


def _carried_out(one: _Seen, command: Reconcile, may_repair: bool, stage: Stage, transaction: Transaction) -> _Seen:
    """Its effect but in a trial, and what was done when that is allowed."""
    difference = one.difference
    if command.trial or not difference.proposals:
        return one
    allowed = command.apply and may_repair and one.action is Action.AUTO and not _is_ignored(difference, one.before)
    try:
        repair = repair_of(
            difference.proposals, one.name, difference.resolution, command.portfolio_ids, stage, transaction
        )
        done = (carried_out if allowed else tried)(repair, stage, transaction)
    except Refusal as refusal:
        words = f"{difference.explanation}. As it is proposed it cannot be recorded: {refusal.message}"
        return one._replace(difference=difference._replace(explanation=words))
    return one._replace(difference=difference._replace(pnl_effect=done.net), done=done if allowed else None)


def _is_ignored(difference: Difference, before: Standing | None) -> bool:
    """Whether somebody said that it does not matter, and it is still the same."""
    if before is None or before.state is not State.IGNORED:
        return False
    was = before.difference
    return (was.ledger_quantity, was.broker_quantity) == (difference.ledger_quantity, difference.broker_quantity)


def _standing(one: _Seen, command: Reconcile, sequence: int, now: int) -> Standing:
    """What stands of it after the report at ``sequence``."""
    before, done = one.before, one.done
    state, settled = State.GONE if one.gone else State.OPEN, None
    if done is not None:
        name = resolution_id(sequence, one.place)
        settled = Settled(name, sequence, now, command.asked_by, How.ACCEPT, None, done.sequences, done.net)
        state = State.RESOLVED
    elif before is not None and not one.gone and _is_ignored(one.difference, before):
        state, settled = State.IGNORED, before.settled
    return Standing(
        one.name,
        command.account.name,
        command.portfolio_ids,
        one.difference,
        state,
        one.action,
        now if before is None else before.first_seen,
        now,
        sequence,
        settled,
        before is not None and before.held,
    )
