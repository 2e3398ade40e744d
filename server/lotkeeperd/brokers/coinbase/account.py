"""One portfolio at Coinbase Advanced Trade, by its API v3.

    options   key, secret   references (env:NAME, file:PATH): the key's name, and its private half in PEM or base64
              quote         what coins are traded against, USD: a balance of BTC is a position in BTC-USD
              cash          coins that are money and no position besides currencies of states, ["USDC"]
              futures       true to read US futures (cfm), too
              url           instead of Coinbase's own

A coin that is traded against two currencies (BTC-USD, BTC-USDC) has one balance. It is told as the one that ``quote`` names; the
account's table of spellings can give fills of the other the same symbol.

An account without a single balance is not believed: Coinbase gives everybody one in his own currency.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from lotkeeperd.brokers.coinbase.manners import CoinbaseManners, WrongKey
from lotkeeperd.brokers.coinbase.rows import amount, contract, fill, is_fiat
from lotkeeperd.brokers.errors import KeysRefused, Unclear, Unread
from lotkeeperd.brokers.http import Http
from lotkeeperd.brokers.options import Options
from lotkeeperd.brokers.payload import Row, member, name, row, rows, text
from lotkeeperd.brokers.port import Timing
from lotkeeperd.brokers.reading import Account, Held, Past
from lotkeeperd.domain.decimals import EXACT, ZERO
from lotkeeperd.domain.lots import Direction
from lotkeeperd.domain.reconciliation.statements import Execution, HeldCash, HeldPosition
from lotkeeperd.domain.times import iso

URL = "https://api.coinbase.com"
ROOT = "/api/v3/brokerage"
ACCOUNTS_PER_PAGE = 250
FILLS_PER_PAGE = 100
MOST_PAGES = 5_000
"""Of one list: half a million fills. More want a later ``since``."""


class Shape(NamedTuple):
    """What an account's options say."""

    quote: str
    cash: frozenset[str]
    futures: bool


class Balance(NamedTuple):
    """All of one currency, whatever number of accounts hold it."""

    currency: str
    amount: Decimal
    fiat: bool


def open_coinbase(options: Options, timing: Timing) -> Account:
    """The account that ``options`` describe. Raises BadBroker."""
    key, secret = options.token("key"), options.secret("secret")
    quote = options.text("quote", "USD")
    cash = frozenset({quote, *options.texts("cash", ("USDC",))})
    shape = Shape(quote, cash, options.flag("futures", default=False))
    url = options.url(URL)
    options.done()
    try:
        manners = CoinbaseManners(key, secret)
    except WrongKey as wrong:
        raise options.bad("secret", f"what is there {wrong}") from None
    return Account(CoinbaseAccount(Http(url, manners, timing), shape))


class CoinbaseAccount:
    """One account as `reading` asks for it."""

    name = "coinbase"

    def __init__(self, http: Http, shape: Shape) -> None:
        self._http = http
        self._shape = shape

    def now(self) -> int:
        """Nanoseconds UTC by Coinbase's clock."""
        return self._http.now()

    async def close(self) -> None:
        """Close connections."""
        await self._http.close()

    async def held(self) -> Held:
        """Balances, and US futures where they are asked for. A list that failed is left out whole."""
        failures: list[str] = []
        balances = await self._balances(failures)
        contracts = await self._contracts(failures) if self._shape.futures else ()
        positions = (*self._coins(balances or ()), *(contracts or ()))
        cash = tuple(HeldCash(each.currency, each.amount) for each in balances or () if self._is_cash(each))
        return Held(positions, cash, not failures, balances is not None, tuple(failures))

    async def past(self, since: int, until: int) -> Past:  # noqa: ARG002 - to the newest, whatever its time
        """Fills, newest first, to the last page."""
        told: list[Execution] = []
        unclear: list[str] = []
        asked: dict[str, str | int] = {"start_sequence_timestamp": iso(since), "limit": FILLS_PER_PAGE}
        for of in await self._paged("/orders/historical/fills", "fills", asked):
            try:
                told.append(fill(of))
            except Unclear as error:
                unclear.append(str(error))
        return Past(tuple(each for each in told if each.time >= since), since, tuple(unclear))

    async def _balances(self, failures: list[str]) -> tuple[Balance, ...] | None:
        try:
            accounts = await self._paged("/accounts", "accounts", {"limit": ACCOUNTS_PER_PAGE})
            if not accounts:
                raise Unread("coinbase tells not one balance, which nobody has")
            return _summed(accounts)
        except KeysRefused:
            raise
        except Unread as unread:
            failures.append(str(unread))
            return None

    async def _contracts(self, failures: list[str]) -> tuple[HeldPosition, ...] | None:
        try:
            answer = row(await self._http.get(f"{ROOT}/cfm/positions"))
            held = [contract(of) for of in rows(member(answer, "positions"))]
        except KeysRefused:
            raise
        except Unread as unread:
            failures.append(str(unread))
            return None
        return tuple(each for each in held if each is not None)

    def _coins(self, balances: tuple[Balance, ...]) -> Iterator[HeldPosition]:
        for each in balances:
            if each.amount and not self._is_cash(each):
                side = Direction.LONG if each.amount > ZERO else Direction.SHORT
                yield HeldPosition(f"{each.currency}-{self._shape.quote}", side, abs(each.amount))

    def _is_cash(self, balance: Balance) -> bool:
        return balance.fiat or balance.currency in self._shape.cash

    async def _paged(self, path: str, key: str, asked: dict[str, str | int]) -> list[Row]:
        """Every row, to the page that names no other one, or is empty. Raises Unread."""
        found: list[Row] = []
        seen: set[str] = set()
        query = dict(asked)
        for _ in range(MOST_PAGES):
            answer = row(await self._http.get(ROOT + path, query))
            page, cursor = rows(member(answer, key)), text(answer, "cursor")
            found += page
            if not page or not cursor:
                return found
            if cursor in seen:
                raise Unread(f"coinbase names the page {cursor!r} of {path} again and again")
            seen.add(cursor)
            query["cursor"] = cursor
        raise Unread(f"coinbase tells more than {MOST_PAGES} pages of {path}; ask for a later start")


def _summed(accounts: list[Row]) -> tuple[Balance, ...]:
    """One balance per currency: a portfolio may keep a vault beside a wallet."""
    sums: dict[str, Balance] = {}
    for of in accounts:
        currency = name(of, "currency")
        before = sums.get(currency, Balance(currency, ZERO, is_fiat(of)))
        sums[currency] = before._replace(amount=EXACT.add(before.amount, amount(of)))
    return tuple(sums.values())
