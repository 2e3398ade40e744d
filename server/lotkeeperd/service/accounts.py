"""The configured broker accounts: ask the broker, compare, and do so at start and on a schedule.

Problem: a fill may be on its way, so what a broker and a ledger say at one moment may differ without anything being wrong; and
an order to repair it would repair what arrives a second later. Chosen: the first look is a trial that writes nothing. Where it
finds a difference of quantity, the broker is asked once more a moment later, and only that second look is reported.

History is asked for from the newest report on that was complete and left nothing open, a day of overlap before it, because brokers
report late; what a report left open may need the executions that it saw, so it shortens nothing. Several servers may run the
same schedule: their reports are written one after the other, and the second finds what the first repaired.

Nothing a broker does stops this: it becomes BrokerUnavailable, in words.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Awaitable, Callable, Iterable
from random import Random
from typing import NamedTuple, Protocol

from lotkeeperd.domain.portfolios import Mode
from lotkeeperd.domain.reconciliation.findings import Comparison, Kind
from lotkeeperd.domain.reconciliation.records import Reconcile, Reported
from lotkeeperd.domain.reconciliation.statements import Statement
from lotkeeperd.domain.refusals import (
    BrokerAccountNotFound,
    BrokerUnavailable,
    Fenced,
    FieldViolations,
    LedgerCorrupt,
    Refusal,
    ServerDraining,
    Violation,
    shown,
)
from lotkeeperd.service.account_spec import AccountSpec, Unreachable
from lotkeeperd.service.holds import Holds
from lotkeeperd.service.ports import Clock
from lotkeeperd.service.reconciliation import Broker, Reconciled, ReportFilter
from lotkeeperd.service.runs import Runs, left_open

log = logging.getLogger(__name__)

NANOSECONDS = 1_000_000_000
DAY = 86_400 * NANOSECONDS

OVERLAP = DAY
"""Nanoseconds before an earlier report from which executions are asked for again."""
LOOKED_BACK = 20
"""Reports of an account among which one is looked for that left nothing open."""
JITTER = 0.1
"""A run on the schedule comes this share earlier or later, or many servers would ask one broker in the same second."""

DOUBTED = frozenset(
    {
        Kind.ORPHANED_POSITION,
        Kind.MISSING_AT_BROKER,
        Kind.QUANTITY_MISMATCH,
        Kind.SIDE_MISMATCH,
        Kind.MISSING_FILL,
        Kind.UNKNOWN_FILL,
    }
)
"""Differences that an execution on its way would make."""

AT_START, ON_SCHEDULE = "start", "schedule"
"""Who asked, where no caller did."""

NOT_ALL = "its positions could not be read to the end; the log says why"
"""What keeps an account waiting at start as an error does: an incomplete answer proves nothing."""

FINAL = (Fenced, LedgerCorrupt, ServerDraining)
"""Refusals after which this server writes no report any more."""


class Books(Protocol):
    """What is asked of the ledger."""

    async def reconcile(self, command: Reconcile) -> Reconciled:
        """Compare, and carry out what the rules allow; a trial writes nothing."""
        ...

    async def reports(self, wanted: ReportFilter, before: int | None, limit: int) -> list[Reported]:
        """Reports, newest first."""
        ...


class Configured(NamedTuple):
    """An account and the broker it is at."""

    spec: AccountSpec
    broker: Broker


class CannotReconcile(Exception):
    """An account that has to be reconciled before anything is served could not be; the message says why."""


class Accounts:
    """Every configured account; one run of each at a time. ``holds`` are the ledger's; ``sleep`` takes seconds."""

    def __init__(
        self,
        books: Books,
        holds: Holds,
        configured: Iterable[Configured],
        clock: Clock,
        random: Random,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._books = books
        self._holds = holds
        self._configured = {one.spec.name: one for one in configured}
        self._clock = clock
        self._random = random
        self._sleep = sleep
        self._turns = {name: asyncio.Lock() for name in self._configured}
        self._held: set[str] = set()
        self._settled_at: dict[tuple[str, tuple[str, ...]], int] = {}  # by account and portfolios: when it was asked
        self._over = False
        self.runs = Runs()
        """What the server made of them by itself."""

    # A run.

    async def reconcile(
        self,
        name: str,
        portfolio_ids: tuple[str, ...],
        apply: bool,
        request_id: str,
        asked_by: str,
        adopt_into: str = "",
        mode: Mode | None = None,
    ) -> Reconciled:
        """Ask the broker of account ``name`` and compare; no ``portfolio_ids`` are those that are configured.

        Raises BrokerAccountNotFound, BrokerUnavailable, FieldViolations, or what the ledger refuses.
        """
        found = self._configured.get(name)
        if found is None:
            raise BrokerAccountNotFound(name)
        spec = found.spec
        portfolios = portfolio_ids or spec.portfolios
        adopting = adopt_into or (spec.adopt_into if spec.adopt_into in portfolios else "")
        if adopting and adopting not in portfolios:
            words = f"{shown(adopting)} is not one of the account's portfolios: {', '.join(portfolios)}"
            raise FieldViolations([Violation("adopt_into_portfolio_id", words)])
        command = Reconcile(
            request_id,
            portfolios,
            apply,
            Statement(0),
            spec.account,
            adopting,
            mode or spec.mode,
            asked_by,
        )
        async with self._turns[name]:
            done = await self._compared(found, command)
        if done.report.command.statement.positions_complete:
            self._reached(found)
        return done

    async def _compared(self, configured: Configured, command: Reconcile) -> Reconciled:
        """What is reported: the first look, or where that finds a difference of quantity, the second."""
        since = await self._since(configured.spec, command.portfolio_ids)
        statement = await self._asked(configured, since)
        first = await self._books.reconcile(_with(command, statement, trial=True))
        if first.replayed:
            return first
        if _doubted(first.report.comparison):
            await self._sleep(configured.spec.believe_after)
            statement = await self._asked(configured, since)
        done = await self._books.reconcile(_with(command, statement, trial=False))
        if _settled(done.report) and not done.replayed:
            self._settled_at[configured.spec.name, command.portfolio_ids] = done.report.command.statement.as_of
        return done

    async def _since(self, spec: AccountSpec, portfolios: tuple[str, ...]) -> int | None:
        """From when on executions are asked for; None where none are wanted."""
        if not spec.history_days:
            return None
        earliest = self._clock() - spec.history_days * DAY
        settled_at = self._settled_at.get((spec.name, portfolios))
        if settled_at is not None:  # this server writes all reports; those before it are looked at once
            return max(earliest, settled_at - OVERLAP)
        wanted, before = ReportFilter(account=spec.name, start=earliest), None
        for count in (1, LOOKED_BACK - 1):  # the newest is it, nearly always, and each holds a whole statement
            for report in await self._books.reports(wanted, before, count):
                if report.command.portfolio_ids == portfolios and _settled(report):
                    return max(earliest, report.command.statement.as_of - OVERLAP)
                before = report.sequence
            if before is None:
                break
        return earliest

    async def _asked(self, configured: Configured, since: int | None) -> Statement:
        """What the broker says. Raises BrokerUnavailable, whatever goes wrong there."""
        name, seconds = configured.spec.name, configured.spec.answer_seconds
        scope = asyncio.timeout(seconds)
        try:
            async with scope:
                return await configured.broker.statement(since)
        except BrokerUnavailable as silent:
            raise BrokerUnavailable(silent.why, name) from silent
        except TimeoutError:
            if scope.expired():
                raise BrokerUnavailable(f"it did not answer within {seconds:g} s", name) from None
            raise BrokerUnavailable("it did not answer in time", name) from None
        except Exception as error:  # noqa: BLE001 - an adapter's fault must not stop the others, and its words may hold a key
            where = "".join(traceback.format_tb(error.__traceback__))
            log.error("account %s: its broker's adapter failed, %s\n%s", name, type(error).__name__, where)  # noqa: TRY400
            raise BrokerUnavailable(f"its adapter failed, {type(error).__name__}; the log says where", name) from None

    # At start and on the schedule.

    async def start(self) -> None:
        """Reconcile what is to be before anything is served. Raises CannotReconcile where the configuration says so."""
        first = [one for one in self._configured.values() if one.spec.at_start]
        failures = await asyncio.gather(*map(self._started, first))
        for configured, failure in zip(first, failures, strict=True):
            if failure:
                self._unreachable(configured.spec, failure)

    async def _started(self, configured: Configured) -> str:
        """Why the account could not be reconciled, or not all of it; empty when it was."""
        seconds = configured.spec.at_start_seconds
        try:
            async with asyncio.timeout(seconds):
                return await self._run(configured, AT_START)
        except TimeoutError:
            failure = f"it took longer than at_start_seconds, {seconds:g} s"
            self.runs.failed(configured.spec.name, self._clock(), failure)
            return failure

    def _unreachable(self, spec: AccountSpec, failure: str) -> None:
        """What the configuration says that a silent broker means."""
        match spec.unreachable:
            case Unreachable.EXIT:
                raise CannotReconcile(
                    f'account {spec.name}: {failure}; unreachable = "exit" in its table demands an answer before anything is served'
                )
            case Unreachable.HALT:
                waiting = "it has not answered since this server was started, and executions wait until it has"
                self._held.add(spec.name)
                self._holds.hold(spec.portfolios, BrokerUnavailable(waiting, spec.name))
                log.warning("account %s: %s; executions of %s wait", spec.name, failure, ", ".join(spec.portfolios))
            case Unreachable.START:
                log.warning("account %s: %s; NOTHING IS KNOWN of what the broker holds", spec.name, failure)

    def _reached(self, configured: Configured) -> None:
        """The broker has told all its positions: what waited for that goes on."""
        if configured.spec.name in self._held:
            self._held.discard(configured.spec.name)
            waiting = {name for one in self._held for name in self._configured[one].spec.portfolios}
            self._holds.release(set(configured.spec.portfolios) - waiting)
            log.warning("account %s: its broker answers; executions are taken again", configured.spec.name)

    async def run(self) -> None:
        """Reconcile on the schedule until this is cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for configured in self._configured.values():
                if configured.spec.every:
                    tasks.create_task(self._scheduled(configured), name=f"account {configured.spec.name}")

    async def _scheduled(self, configured: Configured) -> None:
        """Never ends by itself but when nothing can be written any more; the first run comes at a moment of its own."""
        every = configured.spec.every
        pause = every * self._random.random()
        while not self._over:
            await self._sleep(pause)
            await self._run(configured, ON_SCHEDULE)
            pause = every * (1 - JITTER + 2 * JITTER * self._random.random())

    async def _run(self, configured: Configured, asked_by: str) -> str:
        """One run by itself, told in the log and kept; why it failed or proved nothing, else empty."""
        spec, now = configured.spec, self._clock()
        request_id = f"{asked_by}-{spec.name}-{now}-{self._random.getrandbits(64):016x}"
        try:
            done = await self.reconcile(spec.name, (), spec.apply, request_id, asked_by)
        except Refusal as refusal:
            self._over = isinstance(refusal, FINAL)
            self.runs.failed(spec.name, now, refusal.message)
            return refusal.message
        self.runs.done(spec.name, now, done.report)
        return "" if done.report.command.statement.positions_complete else NOT_ALL

    async def close(self) -> None:
        """Give the brokers' connections back."""
        for configured in self._configured.values():
            await configured.broker.close()


def _with(command: Reconcile, statement: Statement, trial: bool) -> Reconcile:
    return Reconcile(
        command.request_id,
        command.portfolio_ids,
        command.apply and not trial,
        statement,
        command.account,
        command.adopt_into,
        command.mode,
        command.asked_by,
        trial,
    )


def _doubted(comparison: Comparison) -> bool:
    return any(difference.kind in DOUBTED for difference in comparison.differences)


def _settled(report: Reported) -> bool:
    """Whether a report knew everything and left nothing open but information."""
    complete = report.comparison.complete and report.command.statement.executions_since is not None
    return complete and not left_open(report)
