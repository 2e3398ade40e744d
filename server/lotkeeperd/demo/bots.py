"""The bots: ``scale`` scales in and closes in parts, ``swing`` goes in and out, ``short`` sells short.

Each runs as a process of its own and knows nothing but the client library: no line here imports the server.

Problem: after the run every figure must be counted again from what the bots wrote down, although the sidecar dies half
way and answers get lost.
Chosen: what a bot trades is a plan, a pure function of its name and the price path, so the same path gives the same
fills with the same ids, quantities and fees. A fill is in the log, on the disk, before it is sent for the first time;
the answer to every delivery is logged after it. Nothing here handles the crash: the client library repeats a call until
its deadline, and the fill id makes that safe. Some fills are delivered twice on purpose, at once and again much later
when the side has turned, because venues do that too.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from decimal import Context, Decimal
from pathlib import Path
from typing import NamedTuple, TextIO

import lotkeeper
from lotkeeper import CloseFifoResponse, CreateEntryResponse, Mark, PositionSide, RecordFillResponse, Side

ROUNDS = {
    # What a bot trades, over and over, in tenths of its unit: bought is positive, sold is negative.
    "scale": (6, 4, 5, -7, 3, -6, -4, 5, 3, -6, 4, -7),
    "swing": (8, -8, 5, -12, 7),  # in, out, in, through to the short side, out
    "short": (-6, -4, 7, -5, 3, 4, -8, -2, 5, -3, 9),
}
TICKS_PER_TRADE = 2
"""A bot pushes a mark at every price and trades at every second one."""
DELIVER_TWICE_EVERY = 5
"""Every fifth fill is delivered again at once."""
DELIVER_LATE_EVERY = 7
"""Every seventh trade, the fill of six trades before is delivered again: by then the side has turned."""
DEADLINE_SECONDS = 60.0
"""How long one call may take; a sidecar that is killed and started again is back long before."""

_UNIT_EXPONENT = 4  # a unit is worth 10,000 to 100,000 of the quote currency
_UNIT_LARGEST = 15  # and never more than the ledger's 20 integer digits hold
_FEE_STEP = Decimal("0.00000001")
_FEE_RATES = (Decimal("0.0002"), Decimal("0.0002"), Decimal("0.00025"), Decimal("-0.00005"))  # the last is a rebate
_VENUE = Context(prec=100)


class Price(NamedTuple):
    """One row of the price path; ``time`` in nanoseconds UTC."""

    time: int
    bid: Decimal
    ask: Decimal
    mark: Decimal


class Fill(NamedTuple):
    """One execution; ``signed`` is the quantity, negative when sold, and ``opens`` says whether the position grows."""

    fill_id: str
    signed: Decimal
    price: Decimal
    fee: Decimal
    time: int
    opens: bool


class Step(NamedTuple):
    """What a bot does at one price: push the mark, then deliver these fills."""

    price: Price
    deliveries: tuple[Fill, ...]


def plan(name: str, prices: Sequence[Price]) -> list[Step]:
    """Everything the bot ``name`` does along ``prices``; the same for the same arguments."""
    fills = _fills(name, prices)
    steps = []
    for tick, price in enumerate(prices):
        number, waiting = divmod(tick, TICKS_PER_TRADE)
        due = number < len(fills) and not waiting
        steps.append(Step(price, _deliveries(fills, number) if due else ()))
    return steps


def read_prices(path: Path) -> list[Price]:
    """The price path as the demo wrote it: a CSV file with ``time,bid,ask,mark``."""
    with path.open(encoding="utf-8", newline="") as file:
        return [
            Price(int(row["time"]), Decimal(row["bid"]), Decimal(row["ask"]), Decimal(row["mark"]))
            for row in csv.DictReader(file)
        ]


class Bot:
    """One bot at work: pushes marks, logs fills, delivers them, logs the answers."""

    def __init__(self, name: str, symbol: str, client: lotkeeper.Ledger, log: TextIO) -> None:
        """Trade ``symbol`` for the portfolio ``name`` over ``client``."""
        self._name = name
        self._symbol = symbol
        self._client = client
        self._log = log
        self._logged: set[str] = set()

    def take(self, step: Step) -> None:
        """Do one step of the plan."""
        price = step.price
        self._client.set_marks(marks=[Mark(self._symbol, price.mark, bid=price.bid, ask=price.ask)], source=self._name)
        for fill in step.deliveries:
            self._write_ahead(fill)
            answer = self._deliver(fill)
            self._write("answer", fill, sequence=answer.sequence, replayed=answer.replayed)

    def _deliver(self, fill: Fill) -> CreateEntryResponse | CloseFifoResponse | RecordFillResponse:
        quantity = abs(fill.signed)
        if self._name == "swing":
            return self._client.record_fill(
                symbol=self._symbol,
                side=Side.BUY if fill.signed > 0 else Side.SELL,
                quantity=quantity,
                price=fill.price,
                fill_id=fill.fill_id,
                fee=fill.fee,
                fill_time=fill.time,
            )
        if fill.opens:
            return self._client.create_entry(
                symbol=self._symbol,
                side=PositionSide.LONG if fill.signed > 0 else PositionSide.SHORT,
                quantity=quantity,
                entry_price=fill.price,
                entry_fill_id=fill.fill_id,
                fee=fill.fee,
                entry_time=fill.time,
            )
        return self._client.close_fifo(
            symbol=self._symbol,
            quantity=quantity,
            exit_price=fill.price,
            exit_fill_id=fill.fill_id,
            fee=fill.fee,
            exit_time=fill.time,
            exit_reason="plan",
        )

    def _write_ahead(self, fill: Fill) -> None:
        """Put a fill that was never sent into the log and onto the disk."""
        if fill.fill_id in self._logged:
            return
        self._logged.add(fill.fill_id)
        self._write(
            "fill",
            fill,
            symbol=self._symbol,
            side="BUY" if fill.signed > 0 else "SELL",
            quantity=f"{abs(fill.signed):f}",
            price=f"{fill.price:f}",
            fee=f"{fill.fee:f}",
            time=fill.time,
        )
        os.fsync(self._log.fileno())

    def _write(self, event: str, fill: Fill, **more: object) -> None:
        self._log.write(json.dumps({"event": event, "portfolio": self._name, "fill_id": fill.fill_id, **more}) + "\n")
        self._log.flush()


def paced(
    steps: Sequence[Step], seconds: float, clock: Callable[[], float], sleep: Callable[[float], None]
) -> Iterator[Step]:
    """``steps`` spread over ``seconds``; after a delay those overdue follow at once."""
    start = clock()
    for number, step in enumerate(steps):
        early = start + number * seconds / len(steps) - clock()
        if early > 0:
            sleep(early)
        yield step


def main() -> None:
    """Run one bot along a price path, then end."""
    parser = argparse.ArgumentParser(description="One bot of the Lotkeeper demo.")
    parser.add_argument("name", choices=ROUNDS)
    parser.add_argument("--address", required=True, help="the sidecar, like 127.0.0.1:50051")
    parser.add_argument("--symbol", required=True)
    parser.add_argument("--prices", type=Path, required=True, help="CSV file with time,bid,ask,mark")
    parser.add_argument("--log", type=Path, required=True, help="file the fills are logged to")
    parser.add_argument("--seconds", type=float, required=True, help="how long to take for the whole path")
    said = parser.parse_args()
    steps = plan(said.name, read_prices(said.prices))
    with (
        lotkeeper.connect(said.address, portfolio=said.name, timeout=DEADLINE_SECONDS) as client,
        said.log.open("x", encoding="utf-8") as log,
    ):
        bot = Bot(said.name, said.symbol, client, log)
        for step in paced(steps, said.seconds, time.monotonic, time.sleep):
            bot.take(step)


def _fills(name: str, prices: Sequence[Price]) -> list[Fill]:
    """One fill for every second price; the last round is cut short so that something stays open."""
    rounds = ROUNDS[name]
    unit = Decimal(1).scaleb(min(_UNIT_LARGEST, _UNIT_EXPONENT - prices[0].mark.adjusted()))
    trading = prices[::TICKS_PER_TRADE]
    if not len(trading) % len(rounds):
        trading = trading[:-1]
    fills: list[Fill] = []
    held = Decimal()
    for number, price in enumerate(trading):
        signed = _VENUE.multiply(Decimal(rounds[number % len(rounds)]).scaleb(-1), unit)
        paid = price.ask if signed > 0 else price.bid
        fills.append(
            Fill(f"{name}-{number:05}", signed, paid, _fee(signed, paid, number), price.time, held * signed >= 0)
        )
        held = _VENUE.add(held, signed)
    return fills


def _deliveries(fills: Sequence[Fill], number: int) -> tuple[Fill, ...]:
    """The fill of this trade, as often as it arrives, and perhaps an old one once more."""
    again = fills[number : number + 1] if number % DELIVER_TWICE_EVERY == DELIVER_TWICE_EVERY - 1 else ()
    late = fills[number - 6 : number - 5] if number % DELIVER_LATE_EVERY == DELIVER_LATE_EVERY - 1 else ()
    return (fills[number], *again, *late)


def _fee(signed: Decimal, price: Decimal, number: int) -> Decimal:
    """What the venue takes: a rate of the notional, to a hundred-millionth; every fourth fill earns a rebate."""
    notional = _VENUE.multiply(abs(signed), price)
    return _VENUE.multiply(notional, _FEE_RATES[number % len(_FEE_RATES)]).quantize(_FEE_STEP, context=_VENUE)


if __name__ == "__main__":
    main()
