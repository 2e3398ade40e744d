"""Every other exchange, through ccxt: the long tail.

    options   exchange      ccxt's name of it, like "kraken"
              key, secret   references (env:NAME, file:PATH); password, where the exchange wants one
              holds         "positions" (contracts) or "balances" (coins)
              quote         what a coin is traded against, USDT: a balance of BTC is a position in BTC/USDT
              cash          coins that are money and no position, ["USDT", "USDC", "USD", "EUR"]
              symbols       whose trades are asked for, where the exchange wants that said
              complete      true when a person has made sure that ccxt reads all of this exchange's positions

Problem: ccxt does not say whether what it gives is all there is. Seen: of Bybit's positions it asks for one page, of those settled
in USDT alone, and of 121 trades it gives the newest 50, each as if that were the answer. Chosen: positions are complete only when
the option says so, and trades never are: they are told, and what is missing between them is a person's to say. A balance comes in
one answer and is complete.

Numbers are ``str`` in ccxt's only exact mode. Its own words are not repeated: they may hold the request's address, and some
exchanges are given the signature there; and it logs headers at DEBUG, so it gets a logger that does not. It takes some 100 MB of
memory, which is why the house reads its own brokers without it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from importlib.util import find_spec
from typing import Any, NamedTuple, Protocol

from lotkeeperd.brokers.errors import KeysRefused, Unread, cut
from lotkeeperd.brokers.options import Options
from lotkeeperd.brokers.payload import (
    MILLISECOND,
    Row,
    millisecond_time,
    name,
    number,
    number_or_none,
    price_or_none,
    row,
    rows,
    text,
)
from lotkeeperd.brokers.port import Timing
from lotkeeperd.brokers.reading import Account, Held, Past
from lotkeeperd.domain.decimals import ZERO
from lotkeeperd.domain.lots import Direction
from lotkeeperd.domain.reconciliation.statements import Execution, HeldCash, HeldPosition

POSITIONS, BALANCES = "positions", "balances"
TIMEOUT_MS = 10_000
RETRIES = 3
RETRY_DELAY_MS = 1_000
MOST_PAGES = 5_000

_POSITION_SIDES = {"long": Direction.LONG, "short": Direction.SHORT}
_TRADE_SIDES = {"buy": Direction.LONG, "sell": Direction.SHORT}

log = logging.getLogger(f"{__name__}.ccxt")
log.setLevel(logging.INFO)


class Exchange(Protocol):
    """What is used of ccxt's own class."""

    id: str

    async def fetch_positions(self) -> Sequence[Mapping[str, Any]]:
        """Open contracts."""
        ...

    async def fetch_balance(self) -> Mapping[str, Any]:
        """All coins."""
        ...

    async def fetch_my_trades(self, symbol: str | None, since: int | None) -> Sequence[Mapping[str, Any]]:
        """Trades from a time in milliseconds on, as many as come at once."""
        ...

    async def close(self) -> None:
        """Close its connections."""
        ...


class Library(NamedTuple):
    """An exchange of ccxt's, and what it raises: over the keys, and over everything."""

    exchange: Exchange
    refused: type[Exception]
    failed: type[Exception]


class Shape(NamedTuple):
    """What an account's options say."""

    holds: str = POSITIONS
    quote: str = "USDT"
    cash: frozenset[str] = frozenset()
    symbols: tuple[str, ...] = ()
    complete: bool = False


def open_exchange(options: Options, timing: Timing) -> Account:
    """The account that ``options`` describe. Raises BadBroker."""
    exchange = options.text("exchange")
    if exchange == "alpaca":
        raise options.bad(
            "exchange", 'ccxt knows the crypto of Alpaca alone, and stocks would look gone; say broker = "alpaca"'
        )
    keys = {"apiKey": options.secret("key").text, "secret": options.secret("secret").text}
    if options.text("password", ""):
        keys["password"] = options.secret("password").text
    quote = options.text("quote", "USDT")
    holds = options.text("holds", POSITIONS)
    if holds not in (POSITIONS, BALANCES):
        raise options.bad("holds", f"{holds!r}; choose {POSITIONS!r} or {BALANCES!r}")
    cash = frozenset({quote, *options.texts("cash", ("USDT", "USDC", "USD", "EUR"))})
    shape = Shape(holds, quote, cash, options.texts("symbols", ()), options.flag("complete", default=False))
    options.done()
    return Account(ExchangeAccount(_library(options, exchange, keys), shape, timing))


def _library(options: Options, exchange: str, keys: Mapping[str, str]) -> Library:
    if find_spec("ccxt") is None:
        raise options.bad("exchange", "needs the library ccxt, which is not installed; pip install 'lotkeeper[ccxt]'")
    from ccxt import AuthenticationError, BaseError, async_support

    if exchange not in async_support.exchanges:
        raise options.bad("exchange", f"{exchange!r} is none that ccxt {async_support.__version__} knows")
    retrying = {"maxRetriesOnFailure": RETRIES, "maxRetriesOnFailureDelay": RETRY_DELAY_MS}
    opened: Any = getattr(async_support, exchange)(
        {**keys, "timeout": TIMEOUT_MS, "options": {**retrying, "adjustForTimeDifference": True}}
    )
    opened.number = str
    opened.logger = log
    return Library(opened, AuthenticationError, BaseError)


class ExchangeAccount:
    """One account as `reading` asks for it."""

    def __init__(self, library: Library, shape: Shape, timing: Timing) -> None:
        self._library = library
        self._exchange = library.exchange
        self._shape = shape
        self._timing = timing

    @property
    def name(self) -> str:
        """Ccxt's name of the exchange."""
        return self._exchange.id

    def now(self) -> int:
        """Nanoseconds UTC by this machine's clock; ccxt keeps the exchange's to itself."""
        return self._timing.clock()

    async def close(self) -> None:
        """Close connections."""
        await self._exchange.close()

    async def held(self) -> Held:
        """Contracts or coins, and money. A list that failed is left out whole."""
        failures: list[str] = []
        totals = await self._totals(failures)
        cash = tuple(HeldCash(coin, total) for coin, total in (totals or {}).items() if coin in self._shape.cash)
        if self._shape.holds == BALANCES:
            coins = tuple(self._coins(totals or {}))
            return Held(coins, cash, totals is not None, totals is not None, tuple(failures))
        contracts = await self._contracts(failures)
        complete = self._shape.complete and contracts is not None
        return Held(contracts or (), cash, complete, totals is not None, tuple(failures))

    async def past(self, since: int, until: int) -> Past:  # noqa: ARG002 - to the newest, whatever its time
        """Trades, symbol by symbol where symbols are named."""
        found: list[Execution] = []
        for symbol in self._shape.symbols or (None,):
            found += await self._trades(symbol, since // MILLISECOND)
        told = tuple(each for each in found if each.time >= since)
        return Past(told)

    async def _totals(self, failures: list[str]) -> dict[str, Decimal] | None:
        try:
            answer = row(await self._asked("fetch_balance"))
            return {str(coin): number(row(answer["total"]), str(coin)) for coin in row(answer.get("total"))}
        except KeysRefused:
            raise
        except Unread as unread:
            failures.append(str(unread))
            return None

    async def _contracts(self, failures: list[str]) -> tuple[HeldPosition, ...] | None:
        try:
            held = [_position(of) for of in rows(await self._asked("fetch_positions"))]
        except KeysRefused:
            raise
        except Unread as unread:
            failures.append(str(unread))
            return None
        return tuple(each for each in held if each is not None)

    def _coins(self, totals: Mapping[str, Decimal]) -> Iterator[HeldPosition]:
        for coin, total in totals.items():
            if total and coin not in self._shape.cash:
                side = Direction.LONG if total > ZERO else Direction.SHORT
                yield HeldPosition(f"{coin}/{self._shape.quote}", side, abs(total))

    async def _trades(self, symbol: str | None, start: int) -> list[Execution]:
        """Page by page, each from the newest trade of the one before, until one brings nothing new."""
        found: dict[str, Execution] = {}
        for _ in range(MOST_PAGES):
            page = [_trade(of) for of in rows(await self._asked("fetch_my_trades", symbol, start))]
            fresh = [each for each in page if each.fill_id not in found]
            if not fresh:
                return list(found.values())
            found |= {each.fill_id: each for each in fresh}
            start = max(each.time for each in found.values()) // MILLISECOND
        raise Unread(f"{self.name} tells more than {MOST_PAGES} pages of trades; ask for a later start")

    async def _asked(self, method: str, *arguments: object) -> object:
        """What ccxt answers. Raises Unread, and KeysRefused."""
        try:
            answer: object = await getattr(self._exchange, method)(*arguments)
        except self._library.refused as error:
            raise KeysRefused(f"{self.name} {method}: {type(error).__name__}") from None
        except self._library.failed as error:
            raise Unread(f"{self.name} {method}: {type(error).__name__}") from None
        return answer


def _position(of: Row) -> HeldPosition | None:
    symbol = name(of, "symbol")
    contracts = number_or_none(of, "contracts")
    if not contracts:
        return None
    side = of.get("side")
    if side not in _POSITION_SIDES:
        raise Unread(f"{symbol} is held with side {cut(side)}")
    return HeldPosition(symbol, _POSITION_SIDES[str(side)], abs(contracts), price_or_none(of, "entryPrice"))


def _trade(of: Row) -> Execution:
    """One trade; quantities are contracts where the market is one of contracts, as in positions."""
    symbol, side = name(of, "symbol"), text(of, "side")
    if side not in _TRADE_SIDES:
        raise Unread(f"a trade of {symbol} has side {cut(side)}")
    paid = of.get("fee")
    fee = row(paid) if isinstance(paid, dict) else {}
    cost = number_or_none(fee, "cost")
    return Execution(
        symbol=symbol,
        side=_TRADE_SIDES[side],
        quantity=number(of, "amount"),
        price=number(of, "price"),
        time=millisecond_time(of, "timestamp"),
        fill_id=name(of, "id"),
        order_id=str(of.get("order") or ""),
        fee=cost,
        fee_currency=str(fee.get("currency") or "") if cost is not None else "",
    )
