"""What Bybit holds and traded, as a statement."""

import json
from decimal import Decimal

import pytest

from lotkeeperd.brokers.bybit.rows import balance, execution, position
from lotkeeperd.brokers.payload import Row
from lotkeeperd.brokers.port import BadBroker
from lotkeeperd.brokers.registry import broker_of
from lotkeeperd.domain.lots import Direction
from lotkeeperd.domain.reconciliation.statements import Execution, HeldCash, HeldPosition, Statement
from lotkeeperd.domain.refusals import BrokerUnavailable
from tests.brokers.conftest import Waits, payload
from tests.support.brokers import Empty, FakeBrokers, Status

MILLISECOND = 10**6
DAY = 86_400 * 10**9
LONG, SHORT = Direction.LONG, Direction.SHORT
POSITIONS, EXECUTIONS, WALLET = "/v5/position/list", "/v5/execution/list", "/v5/account/wallet-balance"


async def read(fakes: FakeBrokers, waits: Waits, since: int | None = None, **options: object) -> Statement:
    """One statement of the fake Bybit."""
    broker = fakes.open("bybit", waits.timing, **options)
    try:
        return await broker.statement(since)
    finally:
        await broker.close()


def whole(fakes: FakeBrokers, ago: int) -> int:
    """A whole millisecond, so many nanoseconds ago: Bybit's times have no finer ones."""
    return (fakes.bybit.now() - ago) // MILLISECOND * MILLISECOND


async def test_positions_of_linear_contracts_and_the_wallet_are_told(fakes: FakeBrokers, waits: Waits) -> None:
    """Settled in USDT and in USDC; without spot every coin is money."""
    fakes.bybit.hold("BTCUSDT", "0.5", "50000")
    fakes.bybit.hold("ETHUSDT", "-5", "3000")
    fakes.bybit.hold("BTCPERP", "0.1", "50001")
    fakes.bybit.cash = {"USDT": "1000.5", "BTC": "0.25"}
    statement = await read(fakes, waits)
    assert statement.positions == (
        HeldPosition("BTCUSDT", LONG, Decimal("0.5"), Decimal(50000)),
        HeldPosition("ETHUSDT", SHORT, Decimal(5), Decimal(3000)),
        HeldPosition("BTCPERP", LONG, Decimal("0.1"), Decimal(50001)),
    )
    assert statement.cash == (HeldCash("USDT", Decimal("1000.5")), HeldCash("BTC", Decimal("0.25")))
    assert (statement.positions_complete, statement.cash_complete) == (True, True)


@pytest.mark.parametrize("count", [19, 20, 21, 199, 200, 201, 450])
async def test_a_position_behind_a_page_boundary_is_told(fakes: FakeBrokers, waits: Waits, count: int) -> None:
    """The 21st row is on the second page of those who do not ask for more, the 201st of those who do."""
    for index in range(count):
        fakes.bybit.hold(f"C{index:04d}USDT", "1")
    statement = await read(fakes, waits)
    assert [row.symbol for row in statement.positions] == [f"C{index:04d}USDT" for index in range(count)]
    assert statement.positions_complete


async def test_the_second_page_of_positions_failing_leaves_them_not_complete(fakes: FakeBrokers, waits: Waits) -> None:
    """And none of the first page are told: one leg of a symbol may be on either."""
    for index in range(201):
        fakes.bybit.hold(f"C{index:04d}USDT", "1")
    fakes.bybit.script(Status(500, path=POSITIONS, page=2))
    statement = await read(fakes, waits, since=whole(fakes, DAY))
    assert (statement.positions, statement.positions_complete) == ((), False)
    assert (statement.cash_complete, statement.executions_since is None) == (True, False)


async def test_one_category_failing_leaves_the_others_told_and_nothing_complete(
    fakes: FakeBrokers, waits: Waits
) -> None:
    """What was read to its end is right, and nobody may call the rest missing."""
    fakes.bybit.hold("BTCUSDT", "1")
    fakes.bybit.hold("BTCUSD", "100", part="inverse")
    fakes.bybit.script(Status(200, path=POSITIONS, times=1), Status(200, path=POSITIONS, times=3))
    statement = await read(fakes, waits, categories=["inverse", "linear"])
    assert [row.symbol for row in statement.positions] == ["BTCUSDT-LINEAR"]
    assert not statement.positions_complete


async def test_executions_are_read_window_by_window_to_the_last_page(fakes: FakeBrokers, waits: Waits) -> None:
    """Thirty days in windows of seven, more than a page in one of them; oldest first, each once."""
    since = whole(fakes, 30 * DAY)
    times = [since + index * 3 * 3_600 * 10**9 for index in range(239)]
    times += [times[-1] + index * MILLISECOND for index in range(1, 251)]
    for index, at in enumerate(times):
        fakes.bybit.fill(f"e{index:04d}", "BTCUSDT", "buy", "0.001", "50000", time=at)
    statement = await read(fakes, waits, since=since)
    assert [fill.fill_id for fill in statement.executions] == [f"e{index:04d}" for index in range(len(times))]
    assert statement.executions_since == since
    starts = {asked.parameters["startTime"] for asked in fakes.bybit.asked if asked.path == EXECUTIONS}
    assert len(starts) == 5


async def test_an_execution_on_the_edge_of_two_windows_is_told_once(fakes: FakeBrokers, waits: Waits) -> None:
    """The last millisecond of a week, and the first of the next."""
    since = whole(fakes, 20 * DAY)
    for identity, at in (("last", since + 7 * DAY - MILLISECOND), ("first", since + 7 * DAY), ("begin", since)):
        fakes.bybit.fill(identity, "BTCUSDT", "buy", "1", "50000", time=at)
    statement = await read(fakes, waits, since=since)
    assert [fill.fill_id for fill in statement.executions] == ["begin", "last", "first"]


async def test_history_that_bybit_no_longer_keeps_is_not_claimed(fakes: FakeBrokers, waits: Waits) -> None:
    """Asked from 1970 on, the statement says from when on it is complete: two years back."""
    statement = await read(fakes, waits, since=0)
    assert statement.executions_since is not None
    assert 728 * DAY < statement.as_of - statement.executions_since < 730 * DAY


async def test_a_window_that_fails_leaves_executions_not_told(fakes: FakeBrokers, waits: Waits) -> None:
    """A hole in a history is no history."""
    fakes.bybit.hold("BTCUSDT", "1")
    fakes.bybit.fill("e1", "BTCUSDT", "buy", "1", "50000")
    fakes.bybit.script(Status(200, path=EXECUTIONS, times=4))
    statement = await read(fakes, waits, since=whole(fakes, 30 * DAY))
    assert (statement.executions, statement.executions_since) == ((), None)
    assert statement.positions_complete


async def test_the_same_execution_twice_and_out_of_order_is_told_once_in_order(
    fakes: FakeBrokers, waits: Waits
) -> None:
    """Two reports of one execution, between others that came later."""
    at = whole(fakes, DAY)
    for identity, later in (("b", 2), ("a", 1), ("b", 2), ("c", 3)):
        fakes.bybit.fill(identity, "BTCUSDT", "buy", "1", "50000", time=at + later * MILLISECOND)
    statement = await read(fakes, waits, since=at)
    assert [fill.fill_id for fill in statement.executions] == ["a", "b", "c"]


async def test_funding_is_no_fill_and_a_liquidation_is(fakes: FakeBrokers, waits: Waits) -> None:
    """Funding changes no size; a forced deleveraging does."""
    at = whole(fakes, DAY)
    for kind in ("Trade", "Funding", "AdlTrade", "BustTrade"):
        fakes.bybit.fill(kind, "BTCUSDT", "sell", "1", "50000", time=at, kind=kind, fee="-0.5", fee_currency="USDT")
    statement = await read(fakes, waits, since=at)
    assert {fill.fill_id for fill in statement.executions} == {"Trade", "AdlTrade", "BustTrade"}
    assert {(fill.fee, fill.fee_currency) for fill in statement.executions} == {(Decimal("-0.5"), "USDT")}
    assert statement.executions_since == at


async def test_what_is_no_trade_makes_executions_not_complete(
    fakes: FakeBrokers, waits: Waits, caplog: pytest.LogCaptureFixture
) -> None:
    """A split changed the position by no price: the trades are told, and a person looks."""
    at = whole(fakes, DAY)
    fakes.bybit.fill("trade", "BTCUSDT", "buy", "1", "50000", time=at)
    fakes.bybit.fill("split", "BTCUSDT", "buy", "1", "50000", time=at, kind="ForwardSplitSettle")
    statement = await read(fakes, waits, since=at)
    assert ([fill.fill_id for fill in statement.executions], statement.executions_since) == (["trade"], None)
    assert "'ForwardSplitSettle'; look at what it did to the position" in caplog.text


async def test_both_legs_of_hedge_mode_are_told_and_executions_know_theirs(fakes: FakeBrokers, waits: Waits) -> None:
    """A purchase that closes is of the short leg; in one-way mode nothing is said of legs."""
    at = whole(fakes, DAY)
    fakes.bybit.hold("BTCUSDT", "2", "50000", leg=1)
    fakes.bybit.hold("BTCUSDT", "-1", "51000", leg=2)
    fakes.bybit.fill("opens", "BTCUSDT", "buy", "2", "50000", time=at)
    fakes.bybit.fill("covers", "BTCUSDT", "buy", "0.5", "50000", time=at + MILLISECOND, closed="0.5")
    fakes.bybit.fill("oneway", "ETHUSDT", "buy", "0.5", "3000", time=at + 2 * MILLISECOND, closed="0.5")
    statement = await read(fakes, waits, since=at)
    assert [(row.side, row.signed) for row in statement.positions] == [(LONG, Decimal(2)), (SHORT, Decimal(-1))]
    assert [fill.book_side for fill in statement.executions] == [LONG, SHORT, None]


async def test_a_flat_hedging_account_says_so_by_its_option(fakes: FakeBrokers, waits: Waits) -> None:
    """Without positions nothing shows the mode; the option does."""
    at = whole(fakes, DAY)
    fakes.bybit.fill("out", "BTCUSDT", "sell", "1", "50000", time=at, closed="1")
    statement = await read(fakes, waits, since=at, hedge=True)
    assert [fill.book_side for fill in statement.executions] == [LONG]


async def test_a_spot_pair_and_a_perpetual_that_are_spelled_alike_stay_apart(fakes: FakeBrokers, waits: Waits) -> None:
    """The first category keeps its spelling, the other one says what it is; money is no position."""
    at = whole(fakes, DAY)
    fakes.bybit.hold("BTCUSDT", "-1", "50000")
    fakes.bybit.hold("BTC", "1.5", part="spot")
    fakes.bybit.cash = {"USDT": "100"}
    fakes.bybit.fill("perp", "BTCUSDT", "sell", "1", "50000", time=at)
    fakes.bybit.fill("coin", "BTCUSDT", "buy", "1.5", "50000", time=at, part="spot", fee="0.001", fee_currency="BTC")
    statement = await read(fakes, waits, since=at, categories=["linear", "spot"])
    assert {(row.symbol, row.signed) for row in statement.positions} == {
        ("BTCUSDT", -1),
        ("BTCUSDT-SPOT", Decimal("1.5")),
    }
    assert {(fill.fill_id, fill.symbol, fill.fee_currency) for fill in statement.executions} == {
        ("perp", "BTCUSDT", ""),
        ("coin", "BTCUSDT-SPOT", "BTC"),
    }
    assert statement.cash == (HeldCash("USDT", Decimal(100)),)


async def test_options_are_asked_for_coin_by_coin(fakes: FakeBrokers, waits: Waits) -> None:
    """Without a coin Bybit tells those on BTC alone."""
    at = whole(fakes, DAY)
    for coin in ("BTC", "ETH"):
        fakes.bybit.fill(coin, f"{coin}-26DEC26-50000-C", "buy", "1", "500", time=at, part="option")
    statement = await read(fakes, waits, since=at, categories=["linear", "option"])
    assert {fill.symbol for fill in statement.executions} == {"BTC-26DEC26-50000-C", "ETH-26DEC26-50000-C"}


async def test_an_empty_list_beside_bound_margin_closes_nothing(fakes: FakeBrokers, waits: Waits) -> None:
    """The wallet says that positions bind margin: the list is an error, and not complete."""
    fakes.bybit.hold("BTCUSDT", "1")
    fakes.bybit.script(Empty(path=POSITIONS))
    statement = await read(fakes, waits)
    assert (statement.positions, statement.positions_complete, statement.cash_complete) == ((), False, True)


async def test_margin_that_is_bound_by_another_category_is_no_contradiction(fakes: FakeBrokers, waits: Waits) -> None:
    """Nobody asked for inverse contracts: they explain the wallet, and are not told."""
    fakes.bybit.hold("BTCUSD", "100", part="inverse")
    statement = await read(fakes, waits, categories=["linear"])
    assert (statement.positions, statement.positions_complete) == ((), True)


async def test_an_empty_list_that_no_wallet_confirms_is_not_complete(fakes: FakeBrokers, waits: Waits) -> None:
    """The wallet cannot be read: nothing says whether the account is flat."""
    fakes.bybit.script(Empty(path=WALLET))
    statement = await read(fakes, waits, since=whole(fakes, DAY))
    assert (statement.positions_complete, statement.cash_complete) == (False, False)
    assert statement.executions_since is not None


async def test_a_flat_account_is_complete_and_empty(fakes: FakeBrokers, waits: Waits) -> None:
    """No rows, and no margin bound."""
    fakes.bybit.cash = {"USDT": "100"}
    statement = await read(fakes, waits)
    assert (statement.positions, statement.positions_complete) == ((), True)


async def test_a_clock_that_is_off_by_40_seconds_is_corrected(
    fakes: FakeBrokers, waits: Waits, caplog: pytest.LogCaptureFixture
) -> None:
    """The first answer refuses the signature and tells the time; the statement is of Bybit's time."""
    for offset in (40 * 10**9, -40 * 10**9):
        fakes.bybit.offset = offset
        fakes.bybit.asked.clear()
        fakes.bybit.hold("BTCUSDT", "1")
        statement = await read(fakes, waits)
        assert statement.positions_complete
        assert abs(statement.as_of - fakes.bybit.now()) < 30 * 10**9
        assert len(fakes.bybit.asked) == 4  # one more than it takes
    assert "its clock and this machine's differ by 40." in caplog.text
    assert waits == []


async def test_403_is_about_too_many_requests_and_not_about_keys(fakes: FakeBrokers, waits: Waits) -> None:
    """Bybit bans an address for ten minutes, which are not waited for."""
    fakes.bybit.script(Status(403))
    with pytest.raises(BrokerUnavailable, match="it asks to wait 600 s") as refused:
        await read(fakes, waits)
    assert "keys" not in str(refused.value)
    assert waits == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"categories": ["futures"]}, "'futures'; choose among linear, inverse, option, spot"),
        ({"categories": []}, "categories: is empty"),
        ({"categories": ["spot", "spot"]}, "categories: names something twice"),
        ({"category": "linear"}, "category: is no option of this broker; it has bases, cash, categories"),
        ({"url": "http://api.bybit.com"}, "is not encrypted"),
        ({"secret": "env:NOBODY"}, "secret: env:NOBODY: nothing is there"),
        ({"secret": "abcdef0123456789"}, "secret: say env:NAME or file:PATH"),
    ],
)
def test_options_that_cannot_be_used_are_refused(fakes: FakeBrokers, options: dict[str, object], said: str) -> None:
    """Before anything is asked, with the option, the rule and the way out."""
    with pytest.raises(BadBroker) as refused:
        broker_of("bybit", fakes.options("bybit", **options), fakes.environment)
    assert said in str(refused.value)
    assert "abcdef0123456789" not in str(refused.value)


def listed(payload: object) -> list[Row]:
    """The rows of a recorded answer."""
    assert isinstance(payload, dict)
    rows: list[Row] = payload["result"]["list"]
    return rows


def test_recorded_positions_are_read() -> None:
    """A long, a short and a flat row, as Bybit sent them."""
    rows = listed(payload("bybit/http_get_positions.json"))
    assert [position(row, str(row["symbol"])) for row in rows] == [
        HeldPosition("BTCUSDT", LONG, Decimal("0.5"), Decimal("50000.00")),
        HeldPosition("ETHUSDT", SHORT, Decimal("5.0"), Decimal("3000.00")),
        None,
    ]


def test_recorded_executions_are_read() -> None:
    """Ids, times, fees and their currency, as Bybit sent them."""
    rows = listed(payload("bybit/http_get_executions.json"))
    assert execution(rows[0], "BTCUSDT", "linear", hedged=False) == Execution(
        "BTCUSDT",
        LONG,
        Decimal("0.100"),
        Decimal("50000.00"),
        1_672_282_722_429 * MILLISECOND,
        "e0cbe81d-0f18-5866-9415-cf319b5dab3b",
        "8c065341-7b52-4ca9-ac2c-37e31ac55c94",
        Decimal("0.0150"),
        "USDT",
    )


def test_what_is_borrowed_of_a_coin_is_not_held() -> None:
    """A recorded wallet that owes more ETH than it has."""
    (wallet,) = listed(payload("bybit/http_get_wallet_balance.json"))
    coins = {row["coin"]: balance(row) for row in json_rows(wallet["coin"])}
    assert coins == {"BTC": 0, "USDT": Decimal("1000.50"), "ETH": Decimal("-0.06142")}


def json_rows(value: object) -> list[Row]:
    """A list of objects."""
    assert isinstance(value, list)
    return value


def test_the_fake_leaves_out_no_field_of_recorded_rows(fakes: FakeBrokers) -> None:
    """A field that a fake lacks is one that nobody has read yet."""
    fakes.bybit.hold("BTCUSDT", "1")
    fakes.bybit.fill("e1", "BTCUSDT", "buy", "1", "50000")
    for path, name, parameters in (
        (POSITIONS, "bybit/http_get_positions.json", {"category": "linear", "settleCoin": "USDT"}),
        (EXECUTIONS, "bybit/http_get_executions.json", {"category": "linear"}),
        (WALLET, "bybit/http_get_wallet_balance.json", {}),
    ):
        body = fakes.bybit.shown(path, parameters)
        assert set(listed(payload(name))[0]) <= set(listed(json.loads(body))[0]), path
