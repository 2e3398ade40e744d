"""One account at Alpaca, by its trading API v2.

    options   key, secret   references (env:NAME, file:PATH)
              paper         true for a paper account; its keys are others than the live account's
              url           instead of Alpaca's own

What it sends, and what is made of it:

- Every position comes in one answer. Short ones have a negative ``qty``. When there are none, the account's own market values must
  say so, too: an empty list beside a market value is an error that looks like a flat account.
- Executions are FILL activities, oldest first, in pages of 100 named by the last id. The end is the page that is empty.
- They carry no fee: fees come days later as activities of their own (FEE, CFEE). So the fee is not known, which is not 0.
- A crypto pair is BTC/USD in an order and a fill, and BTCUSD in a position and in old fills. Here it is BTC/USD.
"""

from __future__ import annotations

from lotkeeperd.brokers.errors import KeysRefused, Unread
from lotkeeperd.brokers.http import Answer, Http, Manners, Verdict
from lotkeeperd.brokers.options import Options
from lotkeeperd.brokers.payload import Row, iso_time, name, number, number_or_none, price_or_none, row, rows, text
from lotkeeperd.brokers.port import Timing
from lotkeeperd.brokers.reading import Account, Held, Past
from lotkeeperd.domain.decimals import ZERO
from lotkeeperd.domain.lots import Direction
from lotkeeperd.domain.reconciliation.statements import Execution, HeldCash, HeldPosition
from lotkeeperd.domain.times import NANOSECONDS, iso
from lotkeeperd.service.references import Secret

LIVE_URL = "https://api.alpaca.markets"
PAPER_URL = "https://paper-api.alpaca.markets"
PAGE = 100
MOST_PAGES = 5_000
"""Of one reading: half a million executions. More want a later ``since``."""

_QUOTES = ("USDT", "USDC", "USD", "BTC")
"""What crypto is quoted in; the longer spelling first."""
_SIDES = {"buy": Direction.LONG, "sell": Direction.SHORT, "sell_short": Direction.SHORT}


def open_alpaca(options: Options, timing: Timing) -> Account:
    """The account that ``options`` describe. Raises BadBroker."""
    manners = AlpacaManners(options.token("key"), options.token("secret"))
    url = options.url(PAPER_URL if options.flag("paper", default=False) else LIVE_URL)
    options.done()
    return Account(AlpacaAccount(Http(url, manners, timing)))


class AlpacaManners(Manners):
    """Key and secret as headers; nothing is signed."""

    name = "alpaca"

    def __init__(self, key: Secret, secret: Secret) -> None:
        self._key = key
        self._secret = secret

    def signed(self, host: str, path: str, query: str, now: int) -> dict[str, str]:  # noqa: ARG002 - nothing is signed
        """The two headers."""
        return {"APCA-API-KEY-ID": self._key.text, "APCA-API-SECRET-KEY": self._secret.text}

    def words(self, answer: Answer) -> str:
        """Refused keys are often those of the other kind of account."""
        hint = "; are these keys of the kind of account that the option paper names?"
        return super().words(answer) + (hint if self.verdict(answer) is Verdict.REFUSED else "")

    def secrets(self) -> tuple[str, ...]:
        """Both."""
        return self._key.text, self._secret.text


class AlpacaAccount:
    """One account as `reading` asks for it."""

    name = "alpaca"

    def __init__(self, http: Http) -> None:
        self._http = http
        self._crypto: dict[str, str] = {}

    def now(self) -> int:
        """Nanoseconds UTC by Alpaca's clock."""
        return self._http.now()

    async def close(self) -> None:
        """Close connections."""
        await self._http.close()

    async def held(self) -> Held:
        """Positions, and the cash balance in the account's currency."""
        failures: list[str] = []
        account = await self._account(failures)
        positions = await self._positions(failures)
        if positions == () and (account is None or _market_value(account)):
            failures.append("alpaca tells no positions, and the account's own market value does not say so, too")
            positions = None
        cash = None if account is None else (HeldCash(name(account, "currency"), number(account, "cash")),)
        return Held(positions or (), cash or (), positions is not None, cash is not None, tuple(failures))

    async def past(self, since: int, until: int) -> Past:  # noqa: ARG002 - to the newest, whatever its time
        """FILL activities; ``after`` is exclusive, so it begins a second earlier."""
        asked: dict[str, str | int] = {
            "activity_types": "FILL",
            "after": iso(max(0, since - NANOSECONDS)),
            "direction": "asc",
            "page_size": PAGE,
        }
        fills: list[Execution] = []
        seen: set[str] = set()
        for _ in range(MOST_PAGES):
            page = rows(await self._http.get("/v2/account/activities", asked))
            fills += (self._fill(each) for each in page)
            if not page:
                return Past(tuple(each for each in fills if each.time >= since), since)
            last = name(page[-1], "id")
            if last in seen:
                raise Unread(f"alpaca tells the page after activity {last!r} again and again")
            seen.add(last)
            asked["page_token"] = last
        raise Unread(f"alpaca tells more than {MOST_PAGES} pages of activities; ask for a later start")

    async def _account(self, failures: list[str]) -> Row | None:
        try:
            return row(await self._http.get("/v2/account"))
        except KeysRefused:
            raise
        except Unread as unread:
            failures.append(str(unread))
            return None

    async def _positions(self, failures: list[str]) -> tuple[HeldPosition, ...] | None:
        try:
            held = [self._position(each) for each in rows(await self._http.get("/v2/positions"))]
        except KeysRefused:
            raise
        except Unread as unread:
            failures.append(str(unread))
            return None
        return tuple(each for each in held if each.quantity)

    def _position(self, of: Row) -> HeldPosition:
        symbol, quantity = name(of, "symbol"), number(of, "qty")
        side = Direction.SHORT if quantity < ZERO else Direction.LONG
        if quantity and text(of, "side") != ("short" if side is Direction.SHORT else "long"):
            raise Unread(f"alpaca tells {symbol} as {text(of, 'side')} with a quantity of {quantity}")
        if of.get("asset_class") == "crypto":
            self._crypto[symbol] = symbol = _pair(symbol)
        return HeldPosition(
            symbol, side, abs(quantity), price_or_none(of, "avg_entry_price"), number_or_none(of, "cost_basis")
        )

    def _fill(self, of: Row) -> Execution:
        symbol, side = name(of, "symbol"), text(of, "side")
        if side not in _SIDES:
            raise Unread(f"alpaca tells a fill of {symbol} with side {side!r}")
        return Execution(
            symbol=self._crypto.get(symbol, symbol),
            side=_SIDES[side],
            quantity=abs(number(of, "qty")),
            price=number(of, "price"),
            time=iso_time(of, "transaction_time"),
            fill_id=name(of, "id"),
            order_id=name(of, "order_id"),
        )


def _market_value(account: Row) -> bool:
    return any(number_or_none(account, key) for key in ("long_market_value", "short_market_value"))


def _pair(symbol: str) -> str:
    """BTC/USD of BTCUSD; a spelling that is none of these stays."""
    for quote in _QUOTES:
        if "/" not in symbol and symbol.endswith(quote) and symbol != quote:
            return f"{symbol.removesuffix(quote)}/{quote}"
    return symbol
