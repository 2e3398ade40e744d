"""The vendors' own SDKs read from the fake brokers what is held there; so does ccxt, through our adapter for it."""

import time
from collections.abc import Iterator

import pytest

from tests.certify.running import PYTHON, Client, Line, running
from tests.gate.repository import ROOT
from tests.support.brokers import ExpiredKey, FakeBrokers, WrongSignature
from tests.support.brokers.account import KEY, SECRET
from tests.support.brokers.coinbase import KEY_NAME

pytestmark = [
    pytest.mark.certify,
    pytest.mark.skipif(
        not PYTHON.exists(), reason="the SDKs' environment .venv-certify is missing: `make certify` makes it"
    ),
]
MANY = 121
HOUR = 3_600 * 10**9
MILLISECOND = 10**6


@pytest.fixture
def fakes() -> Iterator[FakeBrokers]:
    """The fake brokers."""
    with FakeBrokers() as running_fakes:
        yield running_fakes


async def everything(client: Client) -> dict[str, list[Line]]:
    """What a client printed to its end, by kind."""
    said: dict[str, list[Line]] = {}
    line: Line = {"kind": ""}
    while line["kind"] != "end":
        line = await client.until(lambda _: True)
        said.setdefault(line["kind"], []).append(line)
    return said


def left_out(lines: list[Line], *optional: str) -> set[str]:
    """What the SDK knows of and did not find."""
    return {name for line in lines for name, value in line.items() if value is None} - set(optional)


async def test_alpaca_py_reads_every_field_of_account_positions_and_activities(fakes: FakeBrokers) -> None:
    """Its own models take what the fake sends; pages by the last id end where they should."""
    fakes.alpaca.hold("AAPL", "10", "150.25")
    fakes.alpaca.hold("BTC/USD", "-0.5", "50000", part="crypto")
    start = fakes.alpaca.now() - HOUR
    for index in range(MANY):
        identity = f"8efc7b9a-0000-0000-0000-{index:012d}"
        fakes.alpaca.fill(identity, "AAPL", "buy", "1", "150.5", time=start + index * 10**7, order_id=identity)
    async with running("alpaca_account.py", fakes.url("alpaca"), KEY, SECRET) as client:
        said = await everything(client)
    assert [(each["symbol"], each["qty"], each["side"]) for each in said["position"]] == [
        ("AAPL", "10", "long"),
        ("BTCUSD", "-0.5", "short"),
    ]
    assert [each["id"][-12:] for each in said["activity"]] == [f"{index:012d}" for index in range(MANY)]
    assert left_out(said["position"], "swap_rate", "avg_entry_swap_rate", "usd") == set()
    assert left_out(said["activity"]) == set()


async def test_alpaca_py_understands_refused_keys(fakes: FakeBrokers) -> None:
    """The SDK reads the code out of the body."""
    async with running("alpaca_account.py", fakes.url("alpaca"), KEY, "wrong") as client:
        assert (await client.kind("error"))["code"] == 40110000


async def test_pybit_reads_every_page_of_positions_and_executions(fakes: FakeBrokers) -> None:
    """Signed by the SDK, with cursors that come encoded and go back as they came."""
    for index in range(MANY):
        fakes.bybit.hold(f"C{index:04d}USDT", "1.5", "50000")
        fakes.bybit.fill(f"e{index:04d}", "BTCUSDT", "buy", "0.001", "50000", fee="0.1", fee_currency="USDT")
    fakes.bybit.cash = {"USDT": "100"}
    async with running("bybit_account.py", fakes.url("bybit"), KEY, SECRET) as client:
        said = await everything(client)
    assert [each["symbol"] for each in said["position"]] == [f"C{index:04d}USDT" for index in range(MANY)]
    assert {each["execId"] for each in said["execution"]} == {f"e{index:04d}" for index in range(MANY)}
    assert [each["coin"] for each in said["coin"]] == ["USDT"]


@pytest.mark.parametrize(("fault", "code"), [(WrongSignature(), 10004), (ExpiredKey(), 33004)])
async def test_pybit_understands_a_refusal(fakes: FakeBrokers, fault: WrongSignature | ExpiredKey, code: int) -> None:
    """HTTP 200 with a code that is not 0."""
    fakes.bybit.script(fault)
    async with running("bybit_account.py", fakes.url("bybit"), KEY, SECRET) as client:
        assert (await client.kind("error"))["code"] == code


async def test_coinbase_advanced_py_reads_every_page_and_every_field(fakes: FakeBrokers) -> None:
    """Each request signed with a token of its own; the SDK's types miss nothing."""
    for index in range(MANY):
        fakes.coinbase.hold(f"C{index:04d}", "1.5", hold="0.5")
        fakes.coinbase.fill(f"e{index:04d}", "BTC-USD", "buy", "0.001", "50000", fee="0.1")
    fakes.coinbase.hold("BIT-26DEC26-CDE", "-3", "51000", part="cfm")
    host = fakes.url("coinbase").removeprefix("http://")
    async with running("coinbase_account.py", host, KEY_NAME, fakes.coinbase.secret) as client:
        said = await everything(client)
    assert [each["currency"] for each in said["account"]] == [f"C{index:04d}" for index in range(MANY)]
    assert {each["entry_id"] for each in said["fill"]} == {f"e{index:04d}" for index in range(MANY)}
    assert [(each["product_id"], each["side"]) for each in said["future"]] == [("BIT-26DEC26-CDE", "SHORT")]
    assert left_out(said["account"], "deleted_at") | left_out(said["fill"]) | left_out(said["future"]) == set()


async def test_coinbase_advanced_py_is_told_that_its_token_is_refused(fakes: FakeBrokers) -> None:
    """401 and one word."""
    fakes.coinbase.script(WrongSignature())
    host = fakes.url("coinbase").removeprefix("http://")
    async with running("coinbase_account.py", host, KEY_NAME, fakes.coinbase.secret) as client:
        assert "401" in (await client.kind("error"))["message"]


async def ccxt(fakes: FakeBrokers, since: int) -> list[Line]:
    """What the adapter for ccxt printed, the answer last."""
    said: list[Line] = []

    def answered(line: Line) -> bool:
        said.append(line)
        return line["kind"] in {"statement", "refused"}

    async with running("ccxt_account.py", fakes.url("bybit"), str(ROOT / "server"), KEY, SECRET, str(since)) as client:
        await client.until(answered)
    return said


async def test_ccxt_reads_positions_exactly_and_trades_as_far_as_it_does(fakes: FakeBrokers) -> None:
    """Of 121 trades it gives the newest 50 without a word: so they are told, and never as complete."""
    start = (time.time_ns() - HOUR) // MILLISECOND * MILLISECOND
    fakes.bybit.cash = {"USDT": "100"}
    fakes.bybit.hold("BTCUSDT", "0.123", "50000.123456789")
    fakes.bybit.hold("ETHUSDT", "-5", "3000")
    for index in range(MANY):
        at = start + index * MILLISECOND
        fakes.bybit.fill(f"e{index:04d}", "BTCUSDT", "sell", "0.001", "50000.5", time=at, fee="0.1")
    said = await ccxt(fakes, start)
    statement = said[-1]
    assert statement["positions"] == [
        ["BTC/USDT:USDT", "LONG", "0.123", "50000.123456789"],
        ["ETH/USDT:USDT", "SHORT", "5", "3000"],
    ]
    assert [fill[5] for fill in statement["fills"]] == [f"e{index:04d}" for index in range(MANY - 50, MANY)]
    newest = start + (MANY - 1) * MILLISECOND
    assert statement["fills"][-1][:5] == ["BTC/USDT:USDT", "SHORT", "0.001", "50000.5", newest]
    assert statement["complete"] == [True, None, True]
    assert KEY not in str(said)


async def test_ccxt_is_refused_without_a_key_in_the_message(fakes: FakeBrokers) -> None:
    """Bybit repeats the key in its own words; ours name the kind of error alone."""
    fakes.bybit.script(WrongSignature())
    said = await ccxt(fakes, 0)
    assert "it refuses the keys: bybit fetch_balance: AuthenticationError" in said[-1]["said"]
    assert KEY not in str(said)
