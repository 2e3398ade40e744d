"""What is made of ccxt's answers; ccxt itself reads from a fake broker in tests/certify."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from importlib.util import find_spec
from typing import Any

import pytest

from lotkeeperd.brokers.exchanges import BALANCES, ExchangeAccount, Library, Shape
from lotkeeperd.brokers.port import LIVE, BadBroker
from lotkeeperd.brokers.reading import Account
from lotkeeperd.brokers.registry import broker_of
from lotkeeperd.domain.lots import Direction
from lotkeeperd.domain.reconciliation.statements import Execution, HeldCash, HeldPosition, Statement
from lotkeeperd.domain.refusals import BrokerUnavailable

MILLISECOND = 10**6
KEYS = {"key": "env:KEY", "secret": "env:SECRET"}
ENVIRONMENT = {"KEY": "fake-key", "SECRET": "fake-secret"}


class Failed(Exception):
    """Stands where ccxt's base of all errors stands."""


class Refused(Failed):
    """Stands where ccxt's error over keys stands."""


class Memory:
    """An exchange that holds its answers, in ccxt's own shape; pages of two trades."""

    id = "memory"

    def __init__(self) -> None:
        self.positions: list[dict[str, Any]] = []
        self.total: dict[str, str] = {"USDT": "100"}
        self.trades: list[dict[str, Any]] = []
        self.raises: dict[str, Exception] = {}
        self.asked: list[str | None] = []

    def _fail(self, method: str) -> None:
        if method in self.raises:
            raise self.raises[method]

    async def fetch_positions(self) -> Sequence[Mapping[str, Any]]:
        """Open contracts."""
        self._fail("fetch_positions")
        return self.positions

    async def fetch_balance(self) -> Mapping[str, Any]:
        """All coins."""
        self._fail("fetch_balance")
        return {"total": self.total, "info": {}}

    async def fetch_my_trades(self, symbol: str | None, since: int | None) -> Sequence[Mapping[str, Any]]:
        """Two trades from a time on."""
        self._fail("fetch_my_trades")
        self.asked.append(symbol)
        fits = [each for each in self.trades if since is None or each["timestamp"] >= since]
        return [each for each in fits if symbol in {None, each["symbol"]}][:2]

    async def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
def exchange() -> Memory:
    """An exchange."""
    return Memory()


async def read(exchange: Memory, shape: Shape, since: int | None = None) -> Statement:
    """One statement of it."""
    return await Account(ExchangeAccount(Library(exchange, Refused, Failed), shape, LIVE)).statement(since)


def trade(identity: str, at: int, symbol: str = "BTC/USDT:USDT") -> dict[str, Any]:
    """One trade as ccxt gives it; ``at`` in milliseconds."""
    fee = {"cost": "0.5", "currency": "USDT"}
    return {
        "id": identity,
        "order": "o1",
        "timestamp": at,
        "symbol": symbol,
        "side": "sell",
        "price": "50000.5",
        "amount": "1e-05",
        "fee": fee,
    }


async def test_contracts_and_money_are_told_exactly(exchange: Memory) -> None:
    """A flat row is no position."""
    exchange.positions = [
        {"symbol": "BTC/USDT:USDT", "side": "short", "contracts": "0.1", "entryPrice": "50000.123456789"},
        {"symbol": "ETH/USDT:USDT", "side": None, "contracts": "0", "entryPrice": None},
    ]
    statement = await read(exchange, Shape(cash=frozenset({"USDT"}), complete=True))
    assert statement.positions == (
        HeldPosition("BTC/USDT:USDT", Direction.SHORT, Decimal("0.1"), Decimal("50000.123456789")),
    )
    assert statement.cash == (HeldCash("USDT", Decimal(100)),)
    assert (statement.positions_complete, statement.cash_complete) == (True, True)


async def test_coins_are_positions_against_the_quote(exchange: Memory) -> None:
    """A balance comes in one answer, so it is complete without a person's word."""
    exchange.total = {"USDT": "100", "BTC": "0.5", "ETH": "0"}
    statement = await read(exchange, Shape(BALANCES, "USDT", frozenset({"USDT"})))
    assert statement.positions == (HeldPosition("BTC/USDT", Direction.LONG, Decimal("0.5")),)
    assert statement.positions_complete


async def test_nothing_is_complete_unless_a_person_has_said_so(exchange: Memory) -> None:
    """Ccxt does not say whether a list is whole: an empty one closes nothing."""
    exchange.trades = [trade("t1", 1_000)]
    statement = await read(exchange, Shape(), since=0)
    assert (statement.positions_complete, statement.executions_since) == (False, None)
    assert [each.fill_id for each in statement.executions] == ["t1"]


async def test_trades_are_read_until_nothing_new_comes(exchange: Memory) -> None:
    """Pages of two that overlap, each trade once, and never complete; a number with an exponent stays exact."""
    exchange.trades = [trade(f"t{index}", 1_000 + index) for index in range(5)]
    statement = await read(exchange, Shape(complete=True), since=0)
    assert [each.fill_id for each in statement.executions] == [f"t{index}" for index in range(5)]
    assert statement.executions_since is None
    assert statement.executions[0] == Execution(
        "BTC/USDT:USDT",
        Direction.SHORT,
        Decimal("0.00001"),
        Decimal("50000.5"),
        1_000 * MILLISECOND,
        "t0",
        "o1",
        Decimal("0.5"),
        "USDT",
    )


async def test_trades_are_asked_for_symbol_by_symbol_where_symbols_are_named(exchange: Memory) -> None:
    """Some exchanges answer no other way."""
    exchange.trades = [trade("t1", 1_000, "A/USDT"), trade("t2", 1_001, "B/USDT")]
    statement = await read(exchange, Shape(symbols=("A/USDT", "B/USDT")), since=0)
    assert [each.fill_id for each in statement.executions] == ["t1", "t2"]
    assert set(exchange.asked) == {"A/USDT", "B/USDT"}


async def test_what_fails_is_not_complete_and_its_words_are_not_repeated(
    exchange: Memory, caplog: pytest.LogCaptureFixture
) -> None:
    """An address with a signature in it may stand in them."""
    exchange.raises = {"fetch_positions": Failed("GET https://x/?signature=0123456789abcdef")}
    statement = await read(exchange, Shape(cash=frozenset({"USDT"}), complete=True))
    assert (statement.positions_complete, statement.cash_complete) == (False, True)
    assert "memory fetch_positions: Failed" in caplog.text
    assert "signature" not in caplog.text


async def test_refused_keys_end_the_statement(exchange: Memory) -> None:
    """As with every other broker."""
    exchange.raises = {"fetch_balance": Refused("apiKey=0123456789abcdef")}
    with pytest.raises(BrokerUnavailable, match="it refuses the keys: memory fetch_balance: Refused") as refused:
        await read(exchange, Shape())
    assert "0123456789abcdef" not in str(refused.value)


def test_alpaca_is_refused_with_the_way_to_read_it() -> None:
    """Ccxt knows its crypto alone; every stock would look gone."""
    with pytest.raises(BadBroker, match='stocks would look gone; say broker = "alpaca"'):
        broker_of("ccxt", KEYS | {"exchange": "alpaca"}, ENVIRONMENT)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "exchange: is missing"),
        ({"exchange": "kraken", "holds": "shares"}, "holds: 'shares'; choose 'positions' or 'balances'"),
        ({"exchange": "kraken", "password": "hunter2hunter2"}, "password: say env:NAME or file:PATH"),
    ],
)
def test_options_that_cannot_be_used_are_refused(options: dict[str, object], said: str) -> None:
    """With the option, the rule and the way out."""
    with pytest.raises(BadBroker) as refused:
        broker_of("ccxt", KEYS | options, ENVIRONMENT)
    assert said in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_without_ccxt_the_command_that_installs_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra: 84 MB on disk, 100 MB in memory."""
    monkeypatch.setattr(
        "lotkeeperd.brokers.exchanges.find_spec", lambda name: None if name == "ccxt" else find_spec(name)
    )
    with pytest.raises(BadBroker, match=r"pip install 'lotkeeper\[ccxt\]'"):
        broker_of("ccxt", KEYS | {"exchange": "kraken"}, ENVIRONMENT)
