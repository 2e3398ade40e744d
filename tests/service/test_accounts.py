"""Accounts: the broker is asked, twice where it matters, at start and on a schedule. The broker here is one in memory."""

from __future__ import annotations

import asyncio
import logging
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from lotkeeperd.domain.book import Direction
from lotkeeperd.domain.reconciliation.findings import Comparison, Difference, Kind, Resolution, Severity
from lotkeeperd.domain.reconciliation.policy import Action
from lotkeeperd.domain.reconciliation.records import Account, Reconcile, Reported, Standing, State
from lotkeeperd.domain.reconciliation.statements import HeldPosition, Statement
from lotkeeperd.domain.refusals import (
    BrokerAccountNotFound,
    BrokerUnavailable,
    Fenced,
    FieldViolations,
    PortfolioNotFound,
    Refusal,
)
from lotkeeperd.service.account_spec import AccountSpec, Unreachable
from lotkeeperd.service.accounts import DAY, OVERLAP, Accounts, CannotReconcile, Configured
from lotkeeperd.service.holds import Holds
from lotkeeperd.service.reconciliation import Reconciled, ReportFilter

NOON = 1_700_000_000_000_000_000
"""Nanoseconds UTC."""
SEED = 5

AGREES = Statement(NOON, positions_complete=True, executions_since=NOON - DAY)
PARTLY = AGREES._replace(positions_complete=False)
HOLDS_MORE = AGREES._replace(positions=(HeldPosition("BTC", Direction.LONG, Decimal(1)),))
ORPHAN = Difference(
    Kind.ORPHANED_POSITION,
    Severity.MAJOR,
    "",
    "BTC",
    Decimal(0),
    Decimal(1),
    Resolution.UNSPECIFIED,
    "BTC: the broker holds 1, nobody watches it",
)


class Broker:
    """Says one statement after the other, the last one for ever; what is an exception is raised."""

    def __init__(self, *says: Statement | Exception) -> None:
        self.says = list(says)
        self.asked: list[int | None] = []
        self.closed = False
        self.talking = 0
        self.most_talking = 0

    async def statement(self, since: int | None) -> Statement:
        """See service.reconciliation.Broker."""
        self.asked.append(since)
        self.talking += 1
        self.most_talking = max(self.most_talking, self.talking)
        await asyncio.sleep(0)
        self.talking -= 1
        said = self.says.pop(0) if len(self.says) > 1 else self.says[0]
        if isinstance(said, Exception):
            raise said
        return said

    async def close(self) -> None:
        """See service.reconciliation.Broker."""
        self.closed = True


class Silent(Broker):
    """Never answers."""

    async def statement(self, since: int | None) -> Statement:
        """See service.reconciliation.Broker."""
        self.asked.append(since)
        await asyncio.Event().wait()
        raise AssertionError("nobody sets it")


class Books:
    """A flat ledger: everything the broker holds is orphaned."""

    def __init__(self, *refusals: Refusal) -> None:
        self.refusals = list(refusals)
        self.trials: list[Reconcile] = []
        self.written: list[Reported] = []
        self.holds = Holds()
        self.replays = False

    def held(self, *portfolio_ids: str) -> list[str]:
        """Those of them whose executions wait."""
        return [name for name in portfolio_ids if self._waits(name)]

    def _waits(self, portfolio_id: str) -> bool:
        try:
            self.holds.check((portfolio_id,))
        except BrokerUnavailable as refusal:
            return "executions wait" in refusal.message
        return False

    async def reconcile(self, command: Reconcile) -> Reconciled:
        """Compare."""
        if self.refusals:
            raise self.refusals.pop(0)
        found = (ORPHAN,) if command.statement.positions else ()
        sequence = len(self.written) + 1
        standings = tuple(
            Standing("D1.0", command.account.name, command.portfolio_ids, one, State.OPEN, Action.ASK, NOON, NOON, 1)
            for one in found
        )
        report = Reported(sequence, NOON, command, Comparison(found, 1, True), standings)
        if command.trial:
            self.trials.append(command)
        else:
            self.written.append(report)
        return Reconciled(report, replayed=self.replays)

    async def reports(self, wanted: ReportFilter, before: int | None, limit: int) -> list[Reported]:
        """Newest first."""
        assert wanted.account == "alpaca-1"
        assert wanted.start is not None, "a ledger of any age is not searched to its beginning"
        older = [one for one in self.written[::-1] if before is None or one.sequence < before]
        return older[:limit]


class Pauses:
    """Counts what would be waited, and lets others run; the one that is too many never ends."""

    def __init__(self, most: int = 100) -> None:
        self.waited: list[float] = []
        self.most = most
        self.over = asyncio.Event()

    async def __call__(self, seconds: float) -> None:
        """Wait."""
        self.waited.append(seconds)
        if len(self.waited) > self.most:
            self.over.set()
            await asyncio.Event().wait()
        await asyncio.sleep(0)


def accounts(books: Books, broker: Broker, pauses: Pauses | None = None, **spec: Any) -> Accounts:
    """One account, alpaca-1, of two portfolios."""
    configured = AccountSpec(Account("alpaca-1"), "memory", ("swing", "scalper"), **spec)
    return Accounts(
        books, books.holds, [Configured(configured, broker)], lambda: NOON, Random(SEED), pauses or Pauses()
    )


async def asked(found: Accounts, portfolios: tuple[str, ...] = (), **more: Any) -> Reconciled:
    """What a caller's dry run answers."""
    return await found.reconcile("alpaca-1", portfolios, False, "r1", "ipv4:1", **more)


async def test_where_both_agree_one_look_is_enough() -> None:
    """It is tried, then reported; the broker is asked once."""
    books, broker, pauses = Books(), Broker(AGREES), Pauses()
    done = await asked(accounts(books, broker, pauses))
    assert (len(broker.asked), len(books.trials), len(books.written), pauses.waited) == (1, 1, 1, [])
    assert done.report.command == Reconcile(
        "r1", ("swing", "scalper"), False, AGREES, Account("alpaca-1"), asked_by="ipv4:1"
    )


async def test_a_difference_is_believed_only_when_it_is_still_there() -> None:
    """A fill was on its way: the report is of the second look, and it agrees."""
    books, broker, pauses = Books(), Broker(HOLDS_MORE, AGREES), Pauses()
    done = await asked(accounts(books, broker, pauses, believe_after=1.5))
    assert done.report.comparison.differences == ()
    assert (len(broker.asked), len(books.written), pauses.waited) == (2, 1, [1.5])


async def test_a_difference_that_stays_is_reported_once() -> None:
    """With the statement that was seen last."""
    later = HOLDS_MORE._replace(as_of=NOON + 1)
    books = Books()
    done = await asked(accounts(books, Broker(HOLDS_MORE, later)))
    assert done.report.comparison.differences == (ORPHAN,)
    assert [report.command.statement for report in books.written] == [later]


async def test_a_trial_never_repairs() -> None:
    """Even where the report may: an order of the first look could repair what is only late."""
    books = Books()
    await accounts(books, Broker(HOLDS_MORE)).reconcile("alpaca-1", (), True, "r1", "ipv4:1")
    assert [(trial.apply, trial.trial) for trial in books.trials] == [(False, True)]
    assert [(report.command.apply, report.command.trial) for report in books.written] == [(True, False)]


async def test_a_broker_that_fails_at_the_second_look_proves_nothing() -> None:
    """Nothing is reported, and nothing was changed."""
    books = Books()
    with pytest.raises(BrokerUnavailable):
        await asked(accounts(books, Broker(HOLDS_MORE, BrokerUnavailable("503"))))
    assert books.written == []


async def test_history_is_asked_for_from_the_report_that_left_nothing_open() -> None:
    """A day before it, because brokers report late."""
    books, broker = Books(), Broker(AGREES)
    found = accounts(books, broker, history_days=7)
    await asked(found)
    await asked(found)
    assert broker.asked == [NOON - 7 * DAY, NOON - OVERLAP]


@pytest.mark.parametrize(
    "left",
    [HOLDS_MORE, AGREES._replace(executions_since=None)],
    ids=["a difference is open", "its executions were not complete"],
)
async def test_a_report_that_left_something_open_shortens_no_history(left: Statement) -> None:
    """What repairs it may be among the executions that it saw."""
    books, broker = Books(), Broker(left)
    found = accounts(books, broker, history_days=7)
    await asked(found)
    await asked(found)
    assert set(broker.asked) == {NOON - 7 * DAY}


async def test_a_report_of_other_books_shortens_no_history() -> None:
    """They may have had everything, and these nothing."""
    books, broker = Books(), Broker(AGREES)
    found = accounts(books, broker)
    await asked(found, ("swing",))
    await asked(found)
    assert broker.asked == [NOON - 7 * DAY] * 2


async def test_without_days_no_history_is_asked_for() -> None:
    """Positions alone."""
    broker = Broker(AGREES)
    await asked(accounts(Books(), broker, history_days=0))
    assert broker.asked == [None]


async def test_an_account_that_nobody_configured_is_not_found() -> None:
    """By its name."""
    with pytest.raises(BrokerAccountNotFound, match="'bybit-1'"):
        await accounts(Books(), Broker(AGREES)).reconcile("bybit-1", (), False, "", "ipv4:1")


async def test_a_portfolio_that_is_not_compared_adopts_nothing() -> None:
    """The configured one neither, where a caller names others."""
    books = Books()
    found = accounts(books, Broker(AGREES), adopt_into="swing")
    with pytest.raises(FieldViolations, match="'other' is not one of the account's portfolios"):
        await asked(found, adopt_into="other")
    await asked(found)
    await asked(found, ("scalper",))
    assert [report.command.adopt_into for report in books.written] == ["swing", ""]


@pytest.mark.parametrize(
    ("broker", "words"),
    [
        (Broker(BrokerUnavailable("it refuses the keys")), "it refuses the keys"),
        (Broker(TimeoutError("connect")), "it did not answer in time"),
        (Broker(ValueError("SECRET-1")), "its adapter failed, ValueError"),
        (Silent(AGREES), "it did not answer within 0.01 s"),
    ],
    ids=["refused", "timed out", "broken", "silent"],
)
async def test_whatever_goes_wrong_at_a_broker_is_told_in_words(
    broker: Broker, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    """With the account; what an adapter says of its own fault may hold a key, and is told nowhere."""
    with pytest.raises(BrokerUnavailable) as refused:
        await asked(accounts(Books(), broker, answer_seconds=0.01))
    assert words in str(refused.value)
    assert "'alpaca-1'" in str(refused.value)
    assert "SECRET" not in f"{refused.value}{caplog.text}"


async def test_one_account_is_read_by_one_run_at_a_time() -> None:
    """The second sees what the first repaired, and the rate limit is used once."""
    broker = Broker(AGREES)
    found = accounts(Books(), broker)
    await asyncio.gather(*(asked(found) for _ in range(5)))
    assert (len(broker.asked), broker.most_talking) == (5, 1)


async def test_at_start_the_report_says_that_the_server_asked(caplog: pytest.LogCaptureFixture) -> None:
    """It repairs only where the configuration says so; each start is a run of its own."""
    caplog.set_level(logging.INFO)
    books = Books()
    found = accounts(books, Broker(AGREES), apply=True)
    await found.start()
    await found.start()
    commands = [report.command for report in books.written]
    assert [(one.asked_by, one.apply) for one in commands] == [("start", True)] * 2
    assert len({one.request_id for one in commands}) == 2
    assert found.runs.last["alpaca-1"].report == books.written[-1]
    assert caplog.text.count("the ledger and the broker agree") == 1


async def test_an_account_that_is_not_to_be_looked_at_is_not(caplog: pytest.LogCaptureFixture) -> None:
    """Nor is there a warning."""
    broker = Broker(BrokerUnavailable("503"))
    await accounts(Books(), broker, at_start=False).start()
    assert (broker.asked, caplog.text) == ([], "")


async def test_a_broker_that_is_silent_at_start_is_warned_of_loudly(caplog: pytest.LogCaptureFixture) -> None:
    """And the server starts, unless it is told otherwise."""
    found = accounts(Books(), Silent(AGREES), at_start_seconds=0.01)
    await found.start()
    assert "it took longer than at_start_seconds, 0.01 s; NOTHING IS KNOWN" in caplog.text
    assert found.runs.last["alpaca-1"].report is None


async def test_a_server_may_refuse_to_start_without_its_broker() -> None:
    """And says which setting demands that."""
    found = accounts(Books(), Broker(BrokerUnavailable("503")), unreachable=Unreachable.EXIT)
    with pytest.raises(CannotReconcile, match='503.*unreachable = "exit"'):
        await found.start()


async def test_executions_wait_until_a_broker_that_was_silent_at_start_has_answered() -> None:
    """Where the configuration says so; whoever asks it first lets them go on."""
    books, broker = Books(), Broker(BrokerUnavailable("503"), AGREES)
    found = accounts(books, broker, unreachable=Unreachable.HALT)
    await found.start()
    assert books.held("swing", "scalper", "other") == ["swing", "scalper"]
    await asked(found)
    assert books.held("swing", "scalper") == []


@pytest.mark.parametrize("policy", [Unreachable.EXIT, Unreachable.HALT])
async def test_an_answer_without_all_positions_is_no_answer_at_start(policy: Unreachable) -> None:
    """It proves nothing: what demands the broker's word goes on waiting for it."""
    books, broker = Books(), Broker(PARTLY, PARTLY, AGREES)
    found = accounts(books, broker, unreachable=policy)
    if policy is Unreachable.EXIT:
        with pytest.raises(CannotReconcile, match="could not be read to the end"):
            await found.start()
        return
    await found.start()
    await asked(found)
    assert books.held("swing", "scalper") == ["swing", "scalper"]
    await asked(found)
    assert books.held("swing", "scalper") == []


async def test_a_request_that_was_answered_before_is_answered_so_again() -> None:
    """Its difference is not looked at a second time: nothing of it is new."""
    books, broker = Books(), Broker(HOLDS_MORE)
    books.replays = True
    done = await asked(accounts(books, broker))
    assert (done.replayed, len(broker.asked), books.written) == (True, 1, [])


async def test_what_another_silent_account_shares_goes_on_waiting() -> None:
    """A portfolio that is in two accounts waits for both."""
    books = Books()
    found = Accounts(
        books,
        books.holds,
        [
            Configured(AccountSpec(Account("alpaca-1"), "m", ("swing", "both"), unreachable=Unreachable.HALT), one)
            if name == "alpaca-1"
            else Configured(AccountSpec(Account(name), "m", ("both",), unreachable=Unreachable.HALT), one)
            for name, one in (
                ("alpaca-1", Broker(BrokerUnavailable("503"), AGREES)),
                ("bybit-1", Broker(BrokerUnavailable("503"))),
            )
        ],
        lambda: NOON,
        Random(SEED),
        Pauses(),
    )
    # The ledger in this test knows one account's reports only.
    books.reports = _no_reports  # type: ignore[assignment, method-assign]
    await found.start()
    assert books.held("swing", "both") == ["swing", "both"]
    await asked(found)
    assert books.held("swing", "both") == ["both"]


async def _no_reports(_wanted: ReportFilter, _before: int | None, _limit: int) -> list[Reported]:
    return []


async def test_the_schedule_comes_round_at_moments_of_its_own() -> None:
    """The first somewhere in the interval, the others a tenth earlier or later; a failure stops nothing."""
    print(f"seed {SEED}")
    books, pauses = Books(), Pauses(most=6)
    broker = Broker(AGREES, BrokerUnavailable("503"), AGREES)
    found = accounts(books, broker, pauses, every=100.0)
    running = asyncio.create_task(found.run())
    await pauses.over.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    first, *others = pauses.waited
    assert 0 <= first <= 100
    assert all(90 <= pause <= 110 for pause in others)
    assert len(set(pauses.waited)) == len(pauses.waited) == 7
    assert {report.command.asked_by for report in books.written} == {"schedule"}
    assert (len(broker.asked), len(books.written)) == (6, 5)


async def test_an_account_without_an_interval_is_never_looked_at_by_itself() -> None:
    """The schedule of it ends at once."""
    broker = Broker(AGREES)
    await accounts(Books(), broker, every=0.0).run()
    assert broker.asked == []


async def test_what_a_ledger_that_lost_its_database_refuses_ends_the_schedule() -> None:
    """Asking on would only use up the broker's rate limit."""
    broker = Broker(AGREES)
    await accounts(Books(Fenced()), broker, every=100.0).run()
    assert len(broker.asked) == 1


async def test_what_differs_is_told_once_and_not_at_every_run(caplog: pytest.LogCaptureFixture) -> None:
    """And so is a failure, and that all is well again."""
    caplog.set_level(logging.INFO)
    refusal = PortfolioNotFound("swing")
    says = [HOLDS_MORE] * 4 + [AGREES] * 2
    pauses = Pauses(most=9)
    found = accounts(Books(refusal, refusal), Broker(AGREES, AGREES, *says), pauses, every=100.0, believe_after=0.0)
    running = asyncio.create_task(found.run())
    await pauses.over.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert caplog.text.count("was not reconciled: there is no portfolio 'swing'") == 1
    assert caplog.text.count("1 differences, R1: BTC: the broker holds 1, nobody watches it") == 1
    assert caplog.text.count("the ledger and the broker agree") == 1


async def test_connections_are_given_back() -> None:
    """Of every account."""
    broker = Broker(AGREES)
    await accounts(Books(), broker).close()
    assert broker.closed
