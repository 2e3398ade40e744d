"""What every adapter makes of a broker that fails: the same, whichever it is."""

import logging
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from lotkeeperd.brokers.http import ATTEMPTS, LONGEST_WAIT
from lotkeeperd.domain.refusals import BrokerUnavailable
from lotkeeperd.service.reconciliation import Broker
from tests.brokers.conftest import Waits
from tests.support.brokers import (
    ExpiredKey,
    FakeBrokers,
    Fault,
    HangUp,
    NotJson,
    Status,
    Stuck,
    TooMany,
    WrongSignature,
)
from tests.support.brokers.account import KEY, SECRET, FakeAccount
from tests.support.brokers.coinbase import KEY_NAME

KINDS = ("alpaca", "bybit", "coinbase")
SYMBOLS = {"alpaca": "AAPL", "bybit": "BTCUSDT", "coinbase": "BTC"}
POSITIONS = {"alpaca": "/v2/positions", "bybit": "/v5/position/list", "coinbase": "/api/v3/brokerage/accounts"}
EXECUTIONS = {
    "alpaca": "/v2/account/activities",
    "bybit": "/v5/execution/list",
    "coinbase": "/api/v3/brokerage/orders/historical/fills",
}


def account_of(fakes: FakeBrokers, kind: str) -> FakeAccount:
    """The fake account of that kind, which holds something."""
    account: FakeAccount = {"alpaca": fakes.alpaca, "bybit": fakes.bybit, "coinbase": fakes.coinbase}[kind]
    account.hold(SYMBOLS[kind], "2")
    account.fill("e1", f"{SYMBOLS[kind]}-USD" if kind == "coinbase" else SYMBOLS[kind], "buy", "2", "100")
    return account


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Each broker in turn."""
    return str(request.param)


@pytest.fixture
def account(fakes: FakeBrokers, kind: str) -> FakeAccount:
    """Its fake account."""
    return account_of(fakes, kind)


@pytest_asyncio.fixture
async def broker(fakes: FakeBrokers, kind: str, waits: Waits) -> AsyncIterator[Broker]:
    """Its adapter."""
    opened = fakes.open(kind, waits.timing)
    yield opened
    await opened.close()


@pytest.mark.parametrize("fault", [Status(500, times=2), Status(503, times=2), HangUp(times=2), NotJson(times=2)])
async def test_a_fault_of_the_moment_is_tried_again(
    account: FakeAccount, broker: Broker, waits: Waits, fault: Fault
) -> None:
    """Twice it fails, the third time it does not; the waits double."""
    account.script(fault)
    statement = await broker.statement(None)
    assert (len(statement.positions), statement.positions_complete, statement.cash_complete) == (1, True, True)
    assert waits == [0.375, 0.75]


async def test_too_many_requests_are_waited_for_as_long_as_the_broker_says(
    account: FakeAccount, broker: Broker, waits: Waits
) -> None:
    """Seven seconds, then it answers."""
    account.script(TooMany(7, times=1))
    statement = await broker.statement(None)
    assert statement.positions_complete
    (waited,) = waits
    assert 6 < waited <= 7


async def test_without_a_word_how_long_the_wait_is_ours(account: FakeAccount, broker: Broker, waits: Waits) -> None:
    """It doubles as for any fault of the moment."""
    account.script(TooMany(None, times=2))
    assert (await broker.statement(None)).positions_complete
    assert waits == [0.375, 0.75]


async def test_a_broker_that_wants_too_long_a_wait_is_not_available(
    account: FakeAccount, broker: Broker, waits: Waits
) -> None:
    """An hour is not waited for, not even a minute of it."""
    account.script(TooMany(3_600))
    with pytest.raises(BrokerUnavailable, match=f"more than {LONGEST_WAIT:.0f}"):
        await broker.statement(None)
    assert waits == []


@pytest.mark.parametrize("fault", [Status(500), HangUp(), NotJson(), TooMany()])
async def test_a_broker_that_never_answers_is_not_available(account: FakeAccount, broker: Broker, fault: Fault) -> None:
    """Every path, and every attempt: nothing was read, so there is no statement."""
    account.script(fault)
    with pytest.raises(BrokerUnavailable, match=f"{ATTEMPTS} times"):
        await broker.statement(0)


async def test_an_address_where_nobody_answers_is_told_in_the_systems_words(kind: str, waits: Waits) -> None:
    """Nothing listens there: every attempt is refused at once."""
    with FakeBrokers() as gone:
        broker = gone.open(kind, waits.timing)
    with pytest.raises(BrokerUnavailable, match="ConnectError.*4 times"):
        await broker.statement(0)
    await broker.close()


async def test_refused_keys_are_not_tried_again(account: FakeAccount, broker: Broker, waits: Waits) -> None:
    """A key that is over is over, and the message says that it is about keys."""
    account.script(ExpiredKey())
    with pytest.raises(BrokerUnavailable, match="it refuses the keys"):
        await broker.statement(0)
    assert (len(account.asked), waits) == (1, [])


async def test_keys_that_expire_between_two_requests_end_the_statement(
    account: FakeAccount, broker: Broker, kind: str
) -> None:
    """What was read before is not told: half of an account is not one."""
    account.script(ExpiredKey(path=EXECUTIONS[kind]))
    with pytest.raises(BrokerUnavailable, match="it refuses the keys"):
        await broker.statement(0)


async def test_a_wrong_signature_is_not_tried_again_when_the_clock_is_right(
    account: FakeAccount, broker: Broker
) -> None:
    """Nothing would change."""
    account.script(WrongSignature())
    with pytest.raises(BrokerUnavailable, match="it refuses the keys"):
        await broker.statement(0)
    assert len(account.asked) == 1


async def test_what_cannot_be_asked_is_not_tried_again(
    account: FakeAccount, broker: Broker, kind: str, waits: Waits
) -> None:
    """404 will be 404."""
    account.script(Status(404, path=POSITIONS[kind]))
    statement = await broker.statement(0)
    assert (statement.positions_complete, waits) == (False, [])


async def test_an_error_on_positions_alone_closes_nothing(account: FakeAccount, broker: Broker, kind: str) -> None:
    """Executions are told, positions are not, and nobody may call one missing."""
    account.script(Status(500, path=POSITIONS[kind]))
    statement = await broker.statement(account.now() // 10**6 * 10**6 - 10**12)
    assert (statement.positions, statement.positions_complete) == ((), False)
    assert (len(statement.executions), statement.executions_since is None) == (1, False)


async def test_a_fill_that_is_a_second_ahead_of_our_clock_is_told(account: FakeAccount, broker: Broker) -> None:
    """Clocks differ by less than can be corrected; positions hold it, so executions must."""
    account.fill("ahead", account.fills[0].symbol, "buy", "1", "100", time=account.now() + 10**9)
    statement = await broker.statement(account.now() - 10**12)
    assert statement.executions[-1].fill_id.endswith("ahead")
    assert statement.as_of >= statement.executions[-1].time


@pytest.mark.parametrize("page", [None, 2, 3])
async def test_a_list_that_never_ends_is_given_up(
    account: FakeAccount, broker: Broker, kind: str, page: int | None, caplog: pytest.LogCaptureFixture
) -> None:
    """The same next page named again, at once or a few pages later: what was read so far is nobody's history."""
    for index in range(400):
        account.fill(f"f{index:04d}", account.fills[0].symbol, "buy", "1", "100")
    account.script(Stuck(path=EXECUTIONS[kind], page=page))
    statement = await broker.statement(account.now() - 10**12)
    assert (statement.executions, statement.executions_since, statement.positions_complete) == ((), None, True)
    assert "again and again" in caplog.text
    assert len(account.asked) < 12


async def test_no_key_secret_or_signature_is_shown_whatever_goes_wrong(
    fakes: FakeBrokers, waits: Waits, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither in a log at its chattiest, nor in a message, nor in a repr; Bybit repeats the key in its own words."""
    caplog.set_level(logging.DEBUG)
    shown: list[str] = []
    for kind in KINDS:
        account = account_of(fakes, kind)
        for fault in (
            None,
            WrongSignature(),
            ExpiredKey(),
            Status(500),
            Status(404),
            TooMany(9_999),
            HangUp(),
            NotJson(),
        ):
            account.heal()
            account.script(*(() if fault is None else (fault,)))
            broker = fakes.open(kind, waits.timing)
            shown.append(repr(broker) + str(vars(broker)))
            try:
                shown.append(repr(await broker.statement(0)))
            except BrokerUnavailable as refused:
                shown += [repr(refused), str(refused), repr(refused.__cause__), repr(refused.__context__)]
            await broker.close()
    tokens = [
        value for asked in fakes.coinbase.asked for name, value in asked.headers.items() if name == "authorization"
    ]
    signatures = [asked.headers["x-bapi-sign"] for asked in fakes.bybit.asked]
    output = capfd.readouterr()
    said = "\n".join((*shown, caplog.text, output.out, output.err))
    assert "error sign! origin_string[***" in said
    assert len(tokens) > 10
    assert len(signatures) > 10
    for secret in (
        KEY,
        SECRET,
        KEY_NAME,
        fakes.coinbase.secret,
        *fakes.coinbase.secret.split("\n")[1:3],
        *tokens,
        *signatures,
    ):
        assert secret not in said, f"{secret[:6]}… is shown"
