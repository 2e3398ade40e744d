"""What the configuration says about one feed, read and checked once.

Problem: a table with a misspelt key, an empty symbol or a price that the venue does not send would run, and simply bring no
prices. Chosen: everything is checked before anything connects, unknown keys are refused, and each message names the key, the
rule and the way out. Keys and secrets stand in environment variables that the table names, never in the file.

The venue's spelling stands on the left of ``symbols``, the ledger's on the right. That table alone decides what a price is
for, so a spot pair and a perpetual that one venue spells alike stay apart: two feeds, two tables.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from enum import Enum
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import urlsplit

NAME_LENGTH = 64
"""Characters of a symbol or a source that the ledger takes."""
MAX_SYMBOLS = 1000
"""Symbols of one feed; more of them want a second connection."""
LONGEST_SUBSCRIPTION = 21_000
"""Characters that Bybit takes on one connection for all topics together."""
LEAST_SILENCE, LONGEST_SILENCE = 1.0, 600.0
LEAST_BEATING_SILENCE = 2.0
"""For a venue that beats once a second and is not asked beside: one beat may be late."""
RESERVED_NAME = "api"
"""The source of marks that a call sets without naming one."""

_URL = re.compile(r"(wss?)://([^/\s?#@]+)(/\S*)?")
_LOOPBACK = re.compile(r"(localhost|127(\.[0-9]{1,3}){3}|\[::1\])(:[0-9]{1,5})?")


class BadFeed(Exception):
    """A feed's table cannot be used; the message names the key and the rule."""


class Price(Enum):
    """Which of a venue's prices values positions."""

    LAST = "last"  # the newest trade
    MID = "mid"  # half way between bid and ask
    MARK = "mark"  # what the venue itself values positions at
    SIDE = "side"  # longs at the bid, shorts at the ask


class _Venue(NamedTuple):
    """What one venue's tables may hold, and what is taken when they do not say."""

    url: str
    silence: float
    keys: frozenset[str]
    required: tuple[str, ...]
    least_silence: float = LEAST_SILENCE


_COMMON = frozenset({"venue", "price", "silence", "url", "symbols"})
_VENUES: Mapping[str, _Venue] = MappingProxyType(
    {
        "alpaca": _Venue(
            "wss://stream.data.alpaca.markets/v2/iex",
            45.0,
            _COMMON | {"key_variable", "secret_variable", "encoding"},
            ("symbols", "key_variable", "secret_variable"),
        ),
        "bybit": _Venue("wss://stream.bybit.com/v5/public/", 45.0, _COMMON | {"category"}, ("category", "symbols")),
        "coinbase": _Venue("wss://advanced-trade-ws.coinbase.com", 10.0, _COMMON, ("symbols",), LEAST_BEATING_SILENCE),
        "replay": _Venue("", 0.0, frozenset({"venue", "price", "symbol", "file", "speed"}), ("symbol", "file")),
    }
)
CATEGORIES = ("linear", "inverse", "spot", "option")
ENCODINGS = ("json", "msgpack")


class FeedSpec(NamedTuple):
    """One feed, ready to be run; ``name`` is the source of its marks.

    ``symbols`` maps the venue's spelling to the ledger's symbol. ``silence`` is how many seconds may pass without any message
    before the connection is given up. ``speed`` of a replay is how many seconds of the file pass in one; 0: as fast as it goes.
    """

    name: str
    venue: str
    symbols: Mapping[str, str]
    price: Price = Price.LAST
    url: str = ""
    silence: float = 45.0
    category: str = ""
    key: str = ""
    secret: str = ""
    encoding: str = "json"
    file: Path | None = None
    speed: float = 1.0

    def __repr__(self) -> str:
        """Without the key and the secret: what is shown ends in a log."""
        return f"FeedSpec(name={self.name!r}, venue={self.venue!r}, url={self.url!r}, price={self.price.value!r})"


def read_spec(name: str, table: Mapping[str, object], environment: Mapping[str, str]) -> FeedSpec:
    """The feed that the table ``[feeds.NAME]`` describes. Raises BadFeed."""
    return _Table(name, table, environment).spec()


class _Table:
    """A feed's table while it is read."""

    def __init__(self, name: str, table: Mapping[str, object], environment: Mapping[str, str]) -> None:
        self._name = name
        self._table = table
        self._environment = environment

    def spec(self) -> FeedSpec:
        if not _is_name(self._name):
            raise BadFeed(f"[feeds.{self._name}]: the name has 1 to {NAME_LENGTH} printable characters; shorten it")
        if self._name == RESERVED_NAME:
            raise BadFeed(f"[feeds.{self._name}]: this is the source of marks that calls set; choose another name")
        kind = self._choice("venue", tuple(_VENUES), None)
        self._check_keys(kind, _VENUES[kind])
        return self._replay() if kind == "replay" else self._live(kind, _VENUES[kind])

    def _live(self, kind: str, venue: _Venue) -> FeedSpec:
        category = self._choice("category", CATEGORIES, None) if "category" in venue.keys else ""
        encoding = self._choice("encoding", ENCODINGS, "json")
        self._check_library("venue", "websockets")
        if encoding == "msgpack":
            self._check_library("encoding", "msgpack")
        symbols = self._symbols()
        if kind == "bybit":
            self._check_subscription(symbols)
        return FeedSpec(
            self._name,
            kind,
            symbols,
            self._price(kind, category),
            self._url(venue.url + category),
            self._number("silence", venue.silence, venue.least_silence, LONGEST_SILENCE),
            category,
            self._variable("key_variable") if "key_variable" in venue.keys else "",
            self._variable("secret_variable") if "secret_variable" in venue.keys else "",
            encoding,
        )

    def _replay(self) -> FeedSpec:
        symbol, file = self._text("symbol"), Path(self._text("file"))
        if not _is_name(symbol):
            raise self._bad("symbol", f"{symbol!r} is no symbol of 1 to {NAME_LENGTH} printable characters")
        if not file.is_file():
            raise self._bad("file", f"{str(file)!r} is not a file that can be read; name a CSV file of prices")
        price, speed = self._price("replay", ""), self._number("speed", 1.0, 0.0, math.inf)
        symbols = MappingProxyType({symbol: symbol})
        return FeedSpec(self._name, "replay", symbols, price, silence=0.0, file=file, speed=speed)

    # Single keys.

    def _check_keys(self, kind: str, venue: _Venue) -> None:
        for key in self._table:
            if key not in venue.keys:
                raise self._bad(key, f"{kind} has no such key; it has {', '.join(sorted(venue.keys))}")
        for key in venue.required:
            if key not in self._table:
                raise self._bad(key, f"is missing, and {kind} requires it")

    def _check_library(self, key: str, library: str) -> None:
        """Looked for, not imported: that is for when the feed runs."""
        if find_spec(library) is None:
            raise self._bad(key, f"needs the library {library}, which is not installed; pip install {library}")

    def _price(self, kind: str, category: str) -> Price:
        price = Price(self._choice("price", tuple(choice.value for choice in Price), Price.LAST.value))
        if price is Price.MARK and (kind != "bybit" or category == "spot"):
            where = f"{kind} {category}".strip()
            raise self._bad(
                "price",
                f"'mark' is not sent by {where}, only by bybit linear, inverse and option; choose last, mid or side, "
                "or push marks with PublishMarks",
            )
        return price

    def _symbols(self) -> Mapping[str, str]:
        table = self._table["symbols"]
        if not isinstance(table, Mapping) or not table:
            raise self._bad(
                "symbols", 'is a table of the venue\'s spelling = the ledger\'s symbol, like "BTC-USD" = "BTC/USD"'
            )
        if len(table) > MAX_SYMBOLS:
            raise self._bad(
                "symbols", f"has {len(table)} symbols, at most {MAX_SYMBOLS} go over one connection; make two feeds"
            )
        taken: dict[str, str] = {}
        for theirs, ours in table.items():
            if not isinstance(ours, str) or not _is_name(ours) or not _is_name(theirs):
                raise self._bad(
                    f"symbols.{theirs}", f"{ours!r}: both sides have 1 to {NAME_LENGTH} printable characters"
                )
            if ours in taken:
                raise self._bad(
                    f"symbols.{theirs}",
                    f"{ours!r} has its price from {taken[ours]!r} already; give each a symbol of its own, or make two feeds",
                )
            taken[ours] = theirs
        return MappingProxyType({theirs: ours for ours, theirs in taken.items()})

    def _check_subscription(self, symbols: Mapping[str, str]) -> None:
        length = sum(len(f'"orderbook.1.{symbol}",') for symbol in symbols)
        if length > LONGEST_SUBSCRIPTION:
            raise self._bad(
                "symbols",
                f"{len(symbols)} topics have {length} characters, bybit takes {LONGEST_SUBSCRIPTION} on one connection; "
                "make two feeds",
            )

    def _url(self, default: str) -> str:
        url = self._text("url") if "url" in self._table else default
        match = _URL.fullmatch(url)
        if match is None or not _is_host(url):
            raise self._bad(
                "url", f"{url!r} is not like wss://host/path, or wss://host:port/path with a port up to 65535"
            )
        if match[1] == "ws" and not _LOOPBACK.fullmatch(match[2]):
            raise self._bad("url", f"{url!r} is not encrypted, which only this machine may be; use wss://")
        return url

    def _variable(self, key: str) -> str:
        name = self._text(key)
        if not self._environment.get(name):
            raise self._bad(
                key, f"the environment variable {name!r} is not set; put the key there, never into the file"
            )
        return self._environment[name]

    # Single values.

    def _text(self, key: str) -> str:
        value = self._table[key]
        if not isinstance(value, str) or not value:
            raise self._bad(key, f"{value!r} is not a text that says something")
        return value

    def _choice(self, key: str, choices: tuple[str, ...], default: str | None) -> str:
        value = self._table.get(key, default)
        if not isinstance(value, str) or value not in choices:
            said = "is missing" if key not in self._table else f"{value!r}"
            raise self._bad(key, f"{said}; choose one of {', '.join(choices)}")
        return value

    def _number(self, key: str, default: float, least: float, most: float) -> float:
        value = self._table.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            rule = f"{least:g} or more" if most == math.inf else f"from {least:g} to {most:g}"
            raise self._bad(key, f"{value!r}: a number is required, {rule}")
        return float(value)

    def _bad(self, key: str, rule: str) -> BadFeed:
        return BadFeed(f"[feeds.{self._name}] {key}: {rule}")


def _is_host(url: str) -> bool:
    """Whether host and port of ``url`` can be connected to, as far as their spelling says."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
        return port != 0 and bool(host and host.encode("idna"))
    except ValueError:  # a port that is too large, an unclosed bracket, an empty label
        return False


def _is_name(text: object) -> bool:
    return isinstance(text, str) and 0 < len(text) <= NAME_LENGTH and text.isprintable()
