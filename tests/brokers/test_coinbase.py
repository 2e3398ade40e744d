"""What Coinbase holds and traded, as a statement."""

import base64
import json
from decimal import Decimal

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP384R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from lotkeeperd.brokers.coinbase.rows import amount, contract, fill, is_fiat
from lotkeeperd.brokers.payload import Row
from lotkeeperd.brokers.port import BadBroker
from lotkeeperd.brokers.registry import broker_of
from lotkeeperd.domain.lots import Direction
from lotkeeperd.domain.reconciliation.statements import Execution, HeldCash, HeldPosition, Statement
from lotkeeperd.domain.refusals import BrokerUnavailable
from lotkeeperd.domain.times import moment
from tests.brokers.conftest import Waits, payload
from tests.support.brokers import Empty, FakeBrokers, Status

DAY = 86_400 * 10**9
LONG, SHORT = Direction.LONG, Direction.SHORT
ROOT = "/api/v3/brokerage"
ACCOUNTS, FILLS, FUTURES = f"{ROOT}/accounts", f"{ROOT}/orders/historical/fills", f"{ROOT}/cfm/positions"


async def read(fakes: FakeBrokers, waits: Waits, since: int | None = None, **options: object) -> Statement:
    """One statement of the fake Coinbase."""
    broker = fakes.open("coinbase", waits.timing, **options)
    try:
        return await broker.statement(since)
    finally:
        await broker.close()


async def test_a_balance_is_a_position_what_is_reserved_for_orders_included(fakes: FakeBrokers, waits: Waits) -> None:
    """Currencies of states and USDC are money; a coin has no average price."""
    fakes.coinbase.hold("BTC", "1.5", hold="0.5")
    fakes.coinbase.cash = {"USD": "1000.50", "USDC": "25", "EUR": "3"}
    statement = await read(fakes, waits)
    assert statement.positions == (HeldPosition("BTC-USD", LONG, Decimal("1.5")),)
    assert statement.cash == (
        HeldCash("USD", Decimal("1000.50")),
        HeldCash("USDC", Decimal(25)),
        HeldCash("EUR", Decimal(3)),
    )
    assert (statement.positions_complete, statement.cash_complete) == (True, True)


async def test_the_quote_names_the_pair_and_what_is_money(fakes: FakeBrokers, waits: Waits) -> None:
    """With quote = "EUR" a balance of BTC is a position in BTC-EUR; without cash USDC is one, too."""
    fakes.coinbase.hold("BTC", "1")
    fakes.coinbase.hold("USDC", "2")
    statement = await read(fakes, waits, quote="EUR", cash=[])
    assert [row.symbol for row in statement.positions] == ["BTC-EUR", "USDC-EUR"]


async def test_two_accounts_in_one_coin_are_one_position(fakes: FakeBrokers, waits: Waits) -> None:
    """A wallet and a vault."""
    fakes.coinbase.hold("BTC", "1", leg=0)
    fakes.coinbase.hold("BTC", "2.5", leg=1)
    statement = await read(fakes, waits)
    assert [row.quantity for row in statement.positions] == [Decimal("3.5")]


@pytest.mark.parametrize("count", [49, 50, 250, 251, 600])
async def test_a_balance_behind_a_page_boundary_is_told(fakes: FakeBrokers, waits: Waits, count: int) -> None:
    """The 50th is on the second page of those who do not ask for more, the 251st of those who do."""
    for index in range(count):
        fakes.coinbase.hold(f"C{index:04d}", "1")
    statement = await read(fakes, waits)
    assert [row.symbol for row in statement.positions] == [f"C{index:04d}-USD" for index in range(count)]


@pytest.mark.parametrize("count", [0, 99, 100, 101, 350])
async def test_fills_are_read_to_the_last_page(fakes: FakeBrokers, waits: Waits, count: int) -> None:
    """They come newest first and leave oldest first."""
    fakes.coinbase.cash = {"USD": "1"}
    since = fakes.coinbase.now() - DAY
    for index in range(count):
        fakes.coinbase.fill(f"e{index:04d}", "BTC-USD", "buy", "0.1", "50000", time=since + index)
    statement = await read(fakes, waits, since=since)
    assert [each.fill_id for each in statement.executions] == [f"e{index:04d}" for index in range(count)]
    assert statement.executions_since == since


async def test_the_second_page_failing_makes_only_its_own_list_incomplete(fakes: FakeBrokers, waits: Waits) -> None:
    """Balances or fills; the other one is what it is."""
    for index in range(251):
        fakes.coinbase.hold(f"C{index:04d}", "1")
        fakes.coinbase.fill(f"e{index:04d}", "BTC-USD", "buy", "0.1", "50000")
    fakes.coinbase.script(Status(500, path=ACCOUNTS, page=2))
    statement = await read(fakes, waits, since=0)
    assert (statement.positions, statement.positions_complete, statement.executions_since) == ((), False, 0)
    fakes.coinbase.heal()
    fakes.coinbase.script(Status(500, path=FILLS, page=2))
    statement = await read(fakes, waits, since=0)
    assert (len(statement.positions), statement.positions_complete) == (251, True)
    assert (statement.executions, statement.executions_since) == ((), None)


async def test_an_account_without_any_balance_is_an_error_and_not_flat(fakes: FakeBrokers, waits: Waits) -> None:
    """Everybody has a balance in his own currency."""
    fakes.coinbase.hold("BTC", "1")
    fakes.coinbase.script(Empty(path=ACCOUNTS))
    statement = await read(fakes, waits, since=0)
    assert (statement.positions, statement.positions_complete, statement.cash_complete) == ((), False, False)
    with pytest.raises(BrokerUnavailable, match="not one balance"):
        await read(fakes, waits)


@pytest.mark.parametrize("kind", ["CORRECTION", "REVERSAL", "SYNTHETIC"])
async def test_what_is_no_fill_makes_executions_not_complete(
    fakes: FakeBrokers, waits: Waits, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    """A trade was taken back or corrected: the fills are told, and a person looks."""
    fakes.coinbase.cash = {"USD": "1"}
    fakes.coinbase.fill("fill", "BTC-USD", "buy", "1", "50000")
    fakes.coinbase.fill("other", "BTC-USD", "sell", "1", "50000", kind=kind)
    statement = await read(fakes, waits, since=0)
    assert ([each.fill_id for each in statement.executions], statement.executions_since) == (["fill"], None)
    assert f"'other' of BTC-USD as a '{kind}'; look at what it did" in caplog.text


async def test_a_size_in_money_is_divided_by_the_price(fakes: FakeBrokers, waits: Waits) -> None:
    """100 USD at 40000 are 0.0025 BTC, not 100 BTC."""
    fakes.coinbase.cash = {"USD": "1"}
    fakes.coinbase.fill("money", "BTC-USD", "buy", "100", "40000", in_quote=True, fee="0.6")
    statement = await read(fakes, waits, since=0)
    (bought,) = statement.executions
    assert (bought.quantity, bought.price, bought.fee) == (Decimal("0.0025"), Decimal(40000), Decimal("0.6"))


async def test_us_futures_are_read_when_they_are_asked_for(fakes: FakeBrokers, waits: Waits) -> None:
    """In contracts; failing, they make positions not complete."""
    fakes.coinbase.hold("BTC", "1")
    fakes.coinbase.hold("BIT-26DEC26-CDE", "-3", "51000", part="cfm")
    assert [row.symbol for row in (await read(fakes, waits)).positions] == ["BTC-USD"]
    statement = await read(fakes, waits, futures=True)
    assert statement.positions[1] == HeldPosition("BIT-26DEC26-CDE", SHORT, Decimal(3), Decimal(51000))
    fakes.coinbase.script(Status(500, path=FUTURES))
    statement = await read(fakes, waits, futures=True)
    assert (len(statement.positions), statement.positions_complete, statement.cash_complete) == (1, False, True)


@pytest.mark.parametrize("seconds", [40, -40, 300, -300])
async def test_a_clock_that_is_off_is_corrected(fakes: FakeBrokers, waits: Waits, seconds: int) -> None:
    """A token of the wrong time is refused without a reason; the answer's Date is the reason."""
    fakes.coinbase.offset = seconds * 10**9
    fakes.coinbase.hold("BTC", "1")
    statement = await read(fakes, waits)
    assert statement.positions_complete
    assert waits == []


async def test_an_ed25519_key_signs_as_well(fakes: FakeBrokers, waits: Waits) -> None:
    """In base64, as Coinbase gives it out: the private half with the public one behind."""
    key = Ed25519PrivateKey.generate()
    fakes.coinbase.public = key.public_key()
    fakes.coinbase.secret = base64.b64encode(key.private_bytes_raw() + key.public_key().public_bytes_raw()).decode()
    fakes.coinbase.hold("BTC", "1")
    assert (await read(fakes, waits)).positions_complete


async def test_a_key_may_stand_in_one_line(fakes: FakeBrokers, waits: Waits) -> None:
    """Where a variable holds no line ends, they are written as two characters."""
    fakes.coinbase.secret = fakes.coinbase.secret.replace("\n", "\\n")
    fakes.coinbase.hold("BTC", "1")
    assert (await read(fakes, waits)).positions_complete


def test_a_secret_that_is_no_key_is_refused_without_being_shown(fakes: FakeBrokers) -> None:
    """Another curve, another text, another length."""
    other = generate_private_key(SECP384R1()).private_bytes(
        Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
    )
    for secret in (other.decode(), "no-key-0123456789", base64.b64encode(b"short").decode(), "-----BEGIN nothing"):
        with pytest.raises(BadBroker, match="secret: what is there is") as refused:
            broker_of("coinbase", fakes.options("coinbase"), {**fakes.environment, "FAKE_COINBASE_SECRET": secret})
        assert secret not in str(refused.value)


def listed(payload: object, key: str) -> list[Row]:
    """The rows of a recorded answer."""
    assert isinstance(payload, dict)
    rows: list[Row] = payload[key]
    return rows


def test_recorded_accounts_are_read() -> None:
    """A coin and a currency of a state, as Coinbase sent them."""
    rows = listed(payload("coinbase/http_accounts.json"), "accounts")
    assert [(amount(row), is_fiat(row)) for row in rows] == [
        (Decimal("1.23956789"), False),
        (Decimal("10450.50"), True),
    ]


def test_recorded_fills_are_read() -> None:
    """entry_id is the key; the time is the trade's."""
    rows = listed(payload("coinbase/http_fills.json"), "fills")
    assert fill(rows[0]) == Execution(
        "BTC-USD",
        LONG,
        Decimal("0.005"),
        Decimal("45123.45"),
        moment("2024-01-15T10:30:00Z") or 0,
        "22222-2222222-22222222",
        "0000-000000-000000",
        Decimal("1.14"),
    )


def test_recorded_futures_are_read() -> None:
    """Newer answers tell money as an object."""
    (row,) = listed(payload("coinbase/http_cfm_positions.json"), "positions")
    assert contract(row) == HeldPosition("BIP-20DEC30-CDE", LONG, Decimal(2), Decimal("49000.00"))


def test_the_fake_leaves_out_no_field_of_recorded_rows(fakes: FakeBrokers) -> None:
    """A field that a fake lacks is one that nobody has read yet."""
    fakes.coinbase.hold("BTC", "1")
    fakes.coinbase.fill("e1", "BTC-USD", "buy", "1", "50000")
    for path, name, key in ((ACCOUNTS, "http_accounts", "accounts"), (FILLS, "http_fills", "fills")):
        shown = listed(json.loads(fakes.coinbase.shown(path, {})), key)
        assert set(listed(payload(f"coinbase/{name}.json"), key)[0]) <= set(shown[0]), path
