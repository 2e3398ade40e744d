"""What Alpaca holds and traded, as a statement."""

from decimal import Decimal

import pytest

from lotkeeperd.brokers.port import BadBroker
from lotkeeperd.brokers.registry import broker_of
from lotkeeperd.domain.lots import Direction
from lotkeeperd.domain.reconciliation.statements import Execution, HeldCash, HeldPosition, Statement
from lotkeeperd.domain.refusals import BrokerUnavailable
from tests.brokers.conftest import Waits
from tests.support.brokers import Empty, ExpiredKey, FakeBrokers, Status, Then

HOUR = 3_600 * 10**9
MINUTE = 60 * 10**9
ACTIVITIES = "/v2/account/activities"


async def read(fakes: FakeBrokers, waits: Waits, since: int | None = None) -> Statement:
    """One statement of the fake Alpaca."""
    broker = fakes.open("alpaca", waits.timing)
    try:
        return await broker.statement(since)
    finally:
        await broker.close()


async def test_longs_shorts_and_cash_are_told_with_the_average_and_the_cost_basis(
    fakes: FakeBrokers, waits: Waits
) -> None:
    """A short's quantity is negative there and a side here; its cost basis stays negative."""
    fakes.alpaca.hold("AAPL", "10", "150.25")
    fakes.alpaca.hold("TSLA", "-4", "200")
    fakes.alpaca.cash = {"USD": "1000.50"}
    statement = await read(fakes, waits)
    assert statement.positions == (
        HeldPosition("AAPL", Direction.LONG, Decimal(10), Decimal("150.25"), Decimal("1502.50")),
        HeldPosition("TSLA", Direction.SHORT, Decimal(4), Decimal(200), Decimal(-800)),
    )
    assert statement.cash == (HeldCash("USD", Decimal("1000.50")),)
    assert (statement.positions_complete, statement.cash_complete) == (True, True)
    assert statement.executions_since is None


async def test_a_fill_has_no_fee_yet(fakes: FakeBrokers, waits: Waits) -> None:
    """Fees come days later as activities of their own: not known is not 0."""
    at = fakes.alpaca.now() - HOUR
    fakes.alpaca.fill("8efc7b9a", "AAPL", "sell_short", "5", "150.5", time=at, order_id="o1")
    statement = await read(fakes, waits, since=at - HOUR)
    (fill,) = statement.executions
    assert fill == Execution("AAPL", Direction.SHORT, Decimal(5), Decimal("150.5"), at, fill.fill_id, "o1")
    assert fill.fill_id.endswith("::8efc7b9a")
    assert statement.executions_since == at - HOUR


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 250])
async def test_activities_are_read_to_the_last_page(fakes: FakeBrokers, waits: Waits, count: int) -> None:
    """Pages of 100: one less, as many, one more; oldest first, each once."""
    start = fakes.alpaca.now() - HOUR
    for index in range(count):
        fakes.alpaca.fill(f"f{index:04d}", "AAPL", "buy", "1", "100", time=start + index * 10**7)
    statement = await read(fakes, waits, since=start)
    assert [fill.fill_id.rpartition("::")[2] for fill in statement.executions] == [
        f"f{index:04d}" for index in range(count)
    ]
    assert statement.executions_since == start


async def test_a_short_page_is_not_taken_for_the_last(fakes: FakeBrokers, waits: Waits) -> None:
    """Fewer come than were asked for, and more follow: the end is the page that is empty."""
    fakes.alpaca.most_per_page = 40
    for index in range(100):
        fakes.alpaca.fill(f"f{index:04d}", "AAPL", "buy", "1", "100")
    assert len((await read(fakes, waits, since=0)).executions) == 100


async def test_what_was_traded_before_is_left_out(fakes: FakeBrokers, waits: Waits) -> None:
    """To the nanosecond, though Alpaca is asked from a second earlier on."""
    since = fakes.alpaca.now() - HOUR
    for identity, at in (("before", since - 1), ("at", since), ("after", since + 1)):
        fakes.alpaca.fill(identity, "AAPL", "buy", "1", "100", time=at)
    statement = await read(fakes, waits, since=since)
    assert [fill.fill_id.rpartition("::")[2] for fill in statement.executions] == ["at", "after"]


async def test_the_second_page_failing_leaves_positions_complete_and_executions_not(
    fakes: FakeBrokers, waits: Waits
) -> None:
    """What was read of a list that has no end is nobody's history."""
    fakes.alpaca.hold("AAPL", "10")
    for index in range(150):
        fakes.alpaca.fill(f"f{index:04d}", "AAPL", "buy", "1", "100")
    fakes.alpaca.script(Status(500, path=ACTIVITIES, page=2))
    statement = await read(fakes, waits, since=0)
    assert (statement.executions, statement.executions_since) == ((), None)
    assert (len(statement.positions), statement.positions_complete) == (1, True)


async def test_an_empty_list_beside_a_market_value_closes_nothing(
    fakes: FakeBrokers, waits: Waits, caplog: pytest.LogCaptureFixture
) -> None:
    """The account's own figures say that something is held: the list is an error, and not complete."""
    fakes.alpaca.hold("AAPL", "10")
    fakes.alpaca.script(Empty(path="/v2/positions"))
    statement = await read(fakes, waits)
    assert (statement.positions, statement.positions_complete) == ((), False)
    assert "no positions, and the account's own market value does not say so" in caplog.text


async def test_an_empty_list_that_no_account_confirms_is_not_complete(fakes: FakeBrokers, waits: Waits) -> None:
    """The account's own figures cannot be read: nothing says whether it is flat."""
    fakes.alpaca.hold("AAPL", "10")
    fakes.alpaca.script(Empty(path="/v2/positions"), Status(404, path="/v2/account"))
    with pytest.raises(BrokerUnavailable, match="404"):
        await read(fakes, waits)


async def test_a_flat_account_is_complete_and_empty(fakes: FakeBrokers, waits: Waits) -> None:
    """Nothing held, and the account's own figures say so, too."""
    statement = await read(fakes, waits)
    assert (statement.positions, statement.positions_complete) == ((), True)


async def test_without_positions_the_rest_is_told(fakes: FakeBrokers, waits: Waits) -> None:
    """500 to the end: cash and executions are complete, positions are not."""
    fakes.alpaca.cash = {"USD": "5"}
    fakes.alpaca.script(Status(500, path="/v2/positions"))
    statement = await read(fakes, waits, since=0)
    assert (statement.positions_complete, statement.cash_complete, statement.executions_since) == (False, True, 0)


async def test_a_row_that_cannot_be_read_fails_the_list(fakes: FakeBrokers, waits: Waits) -> None:
    """A position without a symbol is not skipped: it would look closed."""
    fakes.alpaca.hold("AAPL", "10")
    fakes.alpaca.hold("", "10")
    statement = await read(fakes, waits)
    assert (statement.positions, statement.positions_complete, statement.cash_complete) == ((), False, True)


async def test_a_crypto_pair_is_spelled_alike_in_positions_and_fills(fakes: FakeBrokers, waits: Waits) -> None:
    """BTCUSD in positions and in old fills, BTC/USD in new ones: BTC/USD in a statement."""
    fakes.alpaca.hold("BTC/USD", "0.5", "50000", part="crypto")
    fakes.alpaca.fill("new", "BTC/USD", "buy", "0.25", "50000")
    fakes.alpaca.fill("old", "BTCUSD", "buy", "0.25", "50000")
    statement = await read(fakes, waits, since=0)
    assert [row.symbol for row in statement.positions] == ["BTC/USD"]
    assert [fill.symbol for fill in statement.executions] == ["BTC/USD", "BTC/USD"]


async def test_a_fill_between_the_two_reads_makes_another_look(fakes: FakeBrokers, waits: Waits) -> None:
    """Positions without it and executions with it never stand in one statement."""
    fakes.alpaca.hold("AAPL", "10")

    def bought() -> None:
        fakes.alpaca.hold("AAPL", "11")
        fakes.alpaca.fill("late", "AAPL", "buy", "1", "100")

    fakes.alpaca.script(Then(path="/v2/positions", times=1, do=bought))
    statement = await read(fakes, waits, since=0)
    assert [row.quantity for row in statement.positions] == [11]
    assert [fill.fill_id.rpartition("::")[2] for fill in statement.executions] == ["late"]
    assert statement.executions_since == 0


async def test_an_account_that_never_rests_tells_executions_as_not_complete(fakes: FakeBrokers, waits: Waits) -> None:
    """A trade between every two reads: a few looks, then an honest answer."""
    quantity = 10

    def bought() -> None:
        nonlocal quantity
        quantity += 1
        fakes.alpaca.hold("AAPL", str(quantity))

    fakes.alpaca.script(Then(path="/v2/positions", do=bought))
    statement = await read(fakes, waits, since=0)
    assert (statement.positions_complete, statement.executions_since) == (True, None)
    assert len([asked for asked in fakes.alpaca.asked if asked.path == "/v2/positions"]) == 6


async def test_refused_keys_may_be_of_the_other_kind_of_account(fakes: FakeBrokers, waits: Waits) -> None:
    """Paper and live have keys of their own, and Alpaca does not say which these are."""
    fakes.alpaca.script(ExpiredKey())
    with pytest.raises(BrokerUnavailable, match="not authorized; are these keys of the kind of account .* paper"):
        await read(fakes, waits)


async def test_paper_and_live_accounts_have_their_own_addresses(fakes: FakeBrokers) -> None:
    """An option says which, and what is neither true nor false says nothing."""
    keys = {"key": "env:FAKE_KEY", "secret": "env:FAKE_SECRET"}
    for paper in (True, False):
        await broker_of("alpaca", keys | {"paper": paper}, fakes.environment).close()
    with pytest.raises(BadBroker, match="paper: is neither true nor false"):
        broker_of("alpaca", keys | {"paper": "yes"}, fakes.environment)
