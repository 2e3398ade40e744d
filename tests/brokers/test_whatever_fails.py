"""Whatever fails, what a statement calls complete is whole."""

import random

import pytest

from lotkeeperd.domain.reconciliation.statements import Statement
from lotkeeperd.domain.refusals import BrokerUnavailable
from tests.brokers.conftest import Waits
from tests.brokers.test_faults import EXECUTIONS, KINDS, POSITIONS
from tests.support.brokers import Empty, FakeBrokers, Fault, HangUp, NotJson, Status, Stuck, TooMany
from tests.support.brokers.account import FakeAccount

LIVES = 40
MILLISECOND = 10**6
SECONDS = 10**9
WEEK = 7 * 86_400 * SECONDS


@pytest.mark.parametrize("kind", KINDS)
async def test_what_is_called_complete_is_whole_whatever_fails(fakes: FakeBrokers, waits: Waits, kind: str) -> None:
    """Any number of rows, and faults of any kind on any page, any number of times."""
    seed = random.randrange(10**9)
    print(f"seed {seed}")
    chance = random.Random(seed)
    complete = broken = 0
    for _ in range(LIVES):
        account: FakeAccount = getattr(fakes, kind)
        since = (account.now() - chance.randrange(3) * WEEK - SECONDS) // MILLISECOND * MILLISECOND
        live(account, kind, since, chance)
        account.heal()
        account.script(*(fault(kind, chance) for _ in range(chance.randrange(4))))
        broker = fakes.open(kind, waits.timing)
        try:
            statement = await broker.statement(since)
        except BrokerUnavailable:
            broken += 1
        else:
            check(statement, account)
            both = statement.positions_complete and statement.executions_since is not None
            complete, broken = complete + both, broken + (not both)
        finally:
            await broker.close()
    print(f"{complete} complete, {broken} not")
    assert complete
    assert broken


def live(account: FakeAccount, kind: str, since: int, chance: random.Random) -> None:
    """Another account: positions and fills around the sizes of pages."""
    account.positions, account.fills = [], []
    account.cash = {"USDT" if kind == "bybit" else "USD": "100"}
    for index in range(chance.choice((0, 1, 20, 21, 199, 200, 201, 251))):
        account.hold(f"C{index:04d}USDT" if kind == "bybit" else f"C{index:04d}", chance.choice(("1", "2.5")))
    span = account.now() - since
    for index in range(chance.choice((0, 1, 99, 100, 101, 230))):
        at = since + chance.randrange(span) // MILLISECOND * MILLISECOND
        account.fill(f"f{index:04d}", "C0000USDT", "buy", "1", "100", time=at)


def fault(kind: str, chance: random.Random) -> Fault:
    """Something that goes wrong."""
    path = chance.choice((POSITIONS[kind], EXECUTIONS[kind], ""))
    page, times = chance.choice((None, 1, 2, 3)), chance.choice((1, 2, 4, 9, None))
    if chance.random() < 0.1:
        return Empty(path=POSITIONS[kind])
    if chance.random() < 0.1:
        return Stuck(path=path, page=page)
    if chance.random() < 0.2:
        return TooMany(chance.choice((0, 1, 90, None)), path=path, page=page, times=times)
    if chance.random() < 0.5:
        return Status(chance.choice((404, 500, 502)), path=path, page=page, times=times)
    return chance.choice((HangUp, NotJson))(path=path, page=page, times=times)


def check(statement: Statement, account: FakeAccount) -> None:
    """Nothing is missing of what is complete, nothing is told twice, and nothing that is not there."""
    held = sorted((each.symbol.split("-")[0], each.signed) for each in statement.positions)
    assert len(held) == len(set(held))
    there = sorted((each.symbol, each.quantity) for each in account.positions)
    assert set(held) <= set(there)
    if statement.positions_complete:
        assert held == there
    told = [each.fill_id.rpartition("::")[2] for each in statement.executions]
    assert len(told) == len(set(told))
    if statement.executions_since is not None:
        assert set(told) == {fill.id for fill in account.fills}
        assert [each.time for each in statement.executions] == sorted(each.time for each in statement.executions)
