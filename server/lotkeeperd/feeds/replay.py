"""A CSV file instead of a venue: plays recorded prices of one symbol at a chosen speed.

The file's header has ``timestamp`` and either ``close`` or ``bid`` and ``ask``. The times of the file only say how long to wait
between two rows; a mark's time is when it is played, because a price from years ago would be stale at once. Rows are read as
they are needed, and the loop gets a turn after every few of them, also at full speed.
"""

from __future__ import annotations

import asyncio
import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from lotkeeperd.feeds.errors import FeedError, Rejected, Unreadable, shown
from lotkeeperd.feeds.quotes import Quote
from lotkeeperd.feeds.reading import SECOND, nanoseconds, price
from lotkeeperd.feeds.spec import FeedSpec, Price
from lotkeeperd.feeds.standing import Standing
from lotkeeperd.service.ports import Clock, Prices

ROWS_A_TURN = 32
"""Rows played before others get a turn."""


class Ended(FeedError):
    """The file is at its end: no more prices come."""


async def play(spec: FeedSpec, prices: Prices, clock: Clock) -> None:
    """Play the whole file. Raises Ended at its end, Rejected or Unreadable when it cannot be played."""
    assert spec.file is not None, "read_spec gives every replay a file"
    loop = asyncio.get_running_loop()
    standing = Standing(spec)
    began, first, count = loop.time(), 0, 0
    for count, quote in enumerate(rows(spec.file, next(iter(spec.symbols)), spec.price), 1):
        first = first or quote.time
        if spec.speed:
            await asyncio.sleep(max(0.0, began + (quote.time - first) / SECOND / spec.speed - loop.time()))
        elif count % ROWS_A_TURN == 0:
            await asyncio.sleep(0)
        news = standing.take([quote._replace(time=clock())])
        if news.marks:
            prices.accept(news.marks, spec.name)
        for symbol in news.withdrawn:
            prices.withdrawn(symbol, spec.name)
    raise Ended(f"{spec.file.name}: all of its {count} rows were played")


def rows(path: Path, symbol: str, price: Price) -> Iterator[Quote]:
    """The file's quotes with the file's times. Raises Rejected when it has not the columns ``price`` needs; Unreadable."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from _quotes(path, csv.reader(file), symbol, price)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise Rejected(f"{path.name} cannot be read as CSV in UTF-8: {error}") from error


def _quotes(path: Path, lines: Iterator[Sequence[str]], symbol: str, price: Price) -> Iterator[Quote]:
    names = [name.strip() for name in next(lines, [])]
    needed = {"timestamp", "close"} if price is Price.LAST else {"timestamp", "bid", "ask"}
    if not needed <= set(names):
        raise Rejected(
            f"{path.name}: its header {shown(','.join(names))} lacks {', '.join(sorted(needed - set(names)))}; "
            "a file with close is played with price = 'last', one with bid and ask with 'mid' or 'side'"
        )
    before = 0
    for number, line in enumerate(lines, 2):
        if not line:
            continue
        where = f"{path.name} row {number}"
        quote = _quote(where, dict(zip(names, line, strict=False)), symbol)
        if quote.time < before:
            raise Rejected(f"{where}: its time is before the row above; sort the file by time")
        before = quote.time
        yield quote


def _quote(where: str, row: Mapping[str, str], symbol: str) -> Quote:
    try:
        time = nanoseconds(row.get("timestamp", "").strip())
        last, bid, ask = (price(row.get(name, "").strip()) for name in ("close", "bid", "ask"))
    except Unreadable as error:
        raise Rejected(f"{where}: {error}; mend the row") from error
    return Quote(symbol, time, last, bid, ask)
