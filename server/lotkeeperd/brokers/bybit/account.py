"""One unified account at Bybit, by its API v5.

    options   key, secret   references (env:NAME, file:PATH)
              categories    among linear, inverse, option, spot; ["linear"] when left out
              settle        coins that linear contracts are settled in, ["USDT", "USDC"]
              bases         coins that options are on, ["BTC", "ETH"]
              quote         what a spot coin is traded against, USDT: a balance of BTC is a position in BTCUSDT
              cash          coins that are money and no position, ["USDT", "USDC", "USD", "EUR"]
              hedge         true where both sides of a symbol may be open at once
              url           instead of Bybit's own: https://api-testnet.bybit.com, https://api-demo.bybit.com

A spot pair and a perpetual are spelled alike (BTCUSDT). So symbols of the first category are told as Bybit spells them, and those
of any other with the category behind: with ["linear", "spot"] BTCUSDT is the perpetual and BTCUSDT-SPOT the coin. Options have a
spelling of their own and keep it. The account's table of spellings makes of them what the ledger calls them.

A list without rows is believed when the wallet says that nothing binds margin, or what binds it is found in another category.

What a request may ask for is bounded: positions 200 to a page, executions 100 to a page and seven days at a time, two years back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from lotkeeperd.brokers.bybit.manners import BybitManners
from lotkeeperd.brokers.bybit.rows import SPOT, balance, binds_margin, execution, is_leg, position
from lotkeeperd.brokers.errors import KeysRefused, Unclear, Unread
from lotkeeperd.brokers.http import Http
from lotkeeperd.brokers.options import Options
from lotkeeperd.brokers.payload import MILLISECOND, Row, member, name, row, rows, text
from lotkeeperd.brokers.port import Timing
from lotkeeperd.brokers.reading import Account, Held, Past
from lotkeeperd.domain.decimals import ZERO
from lotkeeperd.domain.lots import Direction
from lotkeeperd.domain.reconciliation.statements import Execution, HeldCash, HeldPosition

URL = "https://api.bybit.com"
CATEGORIES = ("linear", "inverse", "option", SPOT)
POSITIONS_PER_PAGE = 200
EXECUTIONS_PER_PAGE = 100
MOST_PAGES = 5_000
"""Of one list: half a million executions a week."""
DAY_MS = 86_400_000
WINDOW_MS = 7 * DAY_MS
HISTORY_MS = 729 * DAY_MS
"""How far back executions are asked for: they are kept for two years, and a day is left for the way there."""

AHEAD_MS = 2_000
"""How far behind our notion of its clock may be."""

Query = Mapping[str, str | int]


class Shape(NamedTuple):
    """What an account's options say."""

    categories: tuple[str, ...]
    settle: tuple[str, ...]
    bases: tuple[str, ...]
    quote: str
    cash: frozenset[str]
    hedge: bool

    def spelled(self, symbol: str, category: str) -> str:
        """How a symbol of a category is told."""
        plain = category in (self.categories[0], "option")
        return symbol if plain else f"{symbol}-{category.upper()}"


EVERYTHING = Shape(CATEGORIES, ("USDT", "USDC"), (), "USDT", frozenset(), hedge=False)
"""Whatever binds margin."""


def open_bybit(options: Options, timing: Timing) -> Account:
    """The account that ``options`` describe. Raises BadBroker."""
    manners = BybitManners(options.token("key"), options.token("secret"))
    quote = options.text("quote", "USDT")
    shape = Shape(
        options.texts("categories", ("linear",), CATEGORIES),
        options.texts("settle", ("USDT", "USDC")),
        options.texts("bases", ("BTC", "ETH")),
        quote,
        frozenset({quote, *options.texts("cash", ("USDT", "USDC", "USD", "EUR"))}),
        options.flag("hedge", default=False),
    )
    if not shape.categories:
        raise options.bad("categories", f"is empty; choose among {', '.join(CATEGORIES)}")
    url = options.url(URL)
    options.done()
    return Account(BybitAccount(Http(url, manners, timing), shape))


class BybitAccount:
    """One account as `reading` asks for it."""

    name = "bybit"

    def __init__(self, http: Http, shape: Shape) -> None:
        self._http = http
        self._shape = shape
        self._hedged: set[str] = set()

    def now(self) -> int:
        """Nanoseconds UTC by Bybit's clock."""
        return self._http.now()

    async def close(self) -> None:
        """Close connections."""
        await self._http.close()

    async def held(self) -> Held:
        """Positions of every category, and the wallet. A list that failed is left out whole."""
        failures: list[str] = []
        positions: list[HeldPosition] = []
        for query in self._lists(self._shape):
            positions += await self._positions(query, failures)
        lists_complete = not failures
        coins = await self._coins(failures)
        if coins is None:
            # Without the wallet nothing says that a list without rows is right, and nothing is known of spot.
            complete = lists_complete and bool(positions) and SPOT not in self._shape.categories
            return Held(tuple(positions), (), complete, False, tuple(failures))
        if (
            not positions
            and not failures
            and any(map(binds_margin, coins))
            and not await self._held_elsewhere(failures)
        ):
            failures.append("bybit tells no positions and margin that is bound by them: one of the two is wrong")
        complete = not failures
        positions += self._spot(coins)
        return Held(tuple(positions), self._cash(coins), complete, True, tuple(failures))

    async def past(self, since: int, until: int) -> Past:
        """Executions of every category, week by week; from a whole millisecond on, as Bybit's times are."""
        last = until // MILLISECOND + AHEAD_MS
        first = max(since // MILLISECOND, last - HISTORY_MS)
        found: list[Execution] = []
        unclear: list[str] = []
        for query in self._histories():
            for start, end in _windows(first, last):
                asked = {**query, "startTime": start, "endTime": end, "limit": EXECUTIONS_PER_PAGE}
                page = await self._paged("/v5/execution/list", asked)
                found += self._executions(page, str(query["category"]), unclear)
        return Past(tuple(found), first * MILLISECOND, tuple(unclear))

    def _executions(self, page: list[Row], category: str, unclear: list[str]) -> Iterator[Execution]:
        for of in page:
            spelled = self._shape.spelled(name(of, "symbol"), category)
            try:
                told = execution(of, spelled, category, self._shape.hedge or spelled in self._hedged)
            except Unclear as error:
                unclear.append(str(error))
                continue
            if told is not None:
                yield told

    async def _positions(self, asked: Query, failures: list[str]) -> list[HeldPosition]:
        try:
            page = await self._paged("/v5/position/list", {**asked, "limit": POSITIONS_PER_PAGE})
            return list(self._held(page, str(asked["category"])))
        except KeysRefused:
            raise
        except Unread as unread:
            failures.append(str(unread))
            return []

    def _held(self, page: list[Row], category: str) -> Iterator[HeldPosition]:
        for of in page:
            spelled = self._shape.spelled(name(of, "symbol"), category)
            if is_leg(of):
                self._hedged.add(spelled)
            held = position(of, spelled)
            if held is not None:
                yield held

    async def _held_elsewhere(self, failures: list[str]) -> bool:
        """Whether a category that nobody asked for explains why margin is bound."""
        asked = list(self._lists(self._shape))
        others = (query for query in self._lists(EVERYTHING) if query not in asked)
        for query in others:
            if await self._positions(query, failures):
                return True
        return False

    async def _coins(self, failures: list[str]) -> list[Row] | None:
        """The wallet's coins; None when it could not be read, or is none."""
        try:
            answer = row(await self._http.get("/v5/account/wallet-balance", {"accountType": "UNIFIED"}))
            wallets = rows(member(row(member(answer, "result")), "list"))
            if len(wallets) != 1:
                raise Unread(f"bybit tells {len(wallets)} unified wallets, not 1")
            coins = rows(member(wallets[0], "coin"))
            for coin in coins:
                balance(coin)
        except KeysRefused:
            raise
        except Unread as unread:
            failures.append(str(unread))
            return None
        return coins

    def _spot(self, coins: list[Row]) -> Iterator[HeldPosition]:
        """Coins that are no money, as positions in the pair they are traded in."""
        if SPOT not in self._shape.categories:
            return
        for coin in coins:
            held, named = balance(coin), name(coin, "coin")
            if held and named not in self._shape.cash:
                side = Direction.LONG if held > ZERO else Direction.SHORT
                yield HeldPosition(self._shape.spelled(named + self._shape.quote, SPOT), side, abs(held))

    def _cash(self, coins: list[Row]) -> tuple[HeldCash, ...]:
        """Coins that are money; without spot all of them are, being what contracts are settled in."""
        spot = SPOT in self._shape.categories
        return tuple(
            HeldCash(name(coin, "coin"), balance(coin))
            for coin in coins
            if not spot or name(coin, "coin") in self._shape.cash
        )

    @staticmethod
    def _lists(shape: Shape) -> Iterator[Query]:
        """What positions are asked for by: linear ones by the coin they are settled in, or Bybit refuses."""
        for category in shape.categories:
            if category == "linear":
                yield from ({"category": category, "settleCoin": coin} for coin in shape.settle)
            elif category != SPOT:
                yield {"category": category}

    def _histories(self) -> Iterator[Query]:
        """What executions are asked for by: options by the coin they are on, or Bybit tells those on BTC alone."""
        for category in self._shape.categories:
            if category == "option":
                yield from ({"category": category, "baseCoin": coin} for coin in self._shape.bases)
            else:
                yield {"category": category}

    async def _paged(self, path: str, asked: Query) -> list[Row]:
        """Every row, to the page that names no other one. Raises Unread."""
        found: list[Row] = []
        seen: set[str] = set()
        query: dict[str, str | int] = dict(asked)
        for _ in range(MOST_PAGES):
            result = row(member(row(await self._http.get(path, query)), "result"))
            found += rows(member(result, "list"))
            cursor = text(result, "nextPageCursor")
            if not cursor:
                return found
            if cursor in seen:
                raise Unread(f"bybit names the page {cursor!r} of {path} again and again")
            seen.add(cursor)
            query["cursor"] = cursor
        raise Unread(f"bybit tells more than {MOST_PAGES} pages of {path}; ask for a later start")


def _windows(first: int, last: int) -> Iterator[tuple[int, int]]:
    """Weeks from ``first`` to ``last``, in milliseconds, both included; neighbours do not overlap."""
    start = first
    while start <= last:
        end = min(start + WINDOW_MS - 1, last)
        yield start, end
        start = end + 1
