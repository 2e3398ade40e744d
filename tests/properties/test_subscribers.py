"""Any interleaving of fills, marks, disconnects and resumes: every subscriber ends where GetSummary is, with every fact once.

An interleaving is a list of steps, so that Hypothesis can shrink it. It is played over a real sidecar with the real asyncio
client; each subscriber has a connection of its own, through a relay that can be cut in the middle of a message.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from decimal import Decimal
from itertools import count
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import lotkeeper
from lotkeeper import ExcessPolicy, Side
from lotkeeper.aio import AsyncLedger
from lotkeeper.errors import NoOpenPosition, PortfolioNotFound
from tests.support.relay import Relay
from tests.support.sidecar import Sidecar
from tests.support.subscribers import Interest, Subscriber, truth

PORTFOLIOS, SYMBOLS = 2, 3
MOST_SUBSCRIBERS = 4
FEWEST_STEPS, MOST_STEPS = 20, 60
SHARE = 3
"""One in so many of the examples that a profile asks for: each is hundreds of real calls."""

SLOWER = 2
"""Fewer examples on PostgreSQL, where each commit takes longer: it is the same program."""

Book = tuple[int, int]
"""Number of a portfolio, number of a symbol."""


class Fills(NamedTuple):
    """Executions sent at once; negative units are sold. What exceeds the open lots turns the position."""

    fills: list[tuple[Book, int, int]]  # book, units, price


class Close(NamedTuple):
    """Closes all that is open of a book, if anything is."""

    book: Book
    price: int


class Marks(NamedTuple):
    """New prices, call after call."""

    calls: list[dict[int, int]]


class Join(NamedTuple):
    """A new subscriber."""

    portfolios: set[int]
    symbols: set[int]
    interval: float | None


EVERYTHING = Join(set(), set(), None)
"""Who is there from the beginning."""


class Happens(NamedTuple):
    """Something happens to a subscriber, counted round: leave, resume, cut, stall or go on."""

    what: str
    subscriber: int


class Settle(NamedTuple):
    """Nothing happens until everybody who listens knows all of it."""


Step = Fills | Close | Marks | Join | Happens | Settle

_books = st.tuples(st.integers(0, PORTFOLIOS - 1), st.integers(0, SYMBOLS - 1))
_prices = st.integers(1, 9)
_fills = st.tuples(_books, st.integers(-3, 3).filter(bool), _prices)
_joins = st.builds(
    Join,
    st.sets(st.integers(0, PORTFOLIOS - 1)),
    st.sets(st.integers(0, SYMBOLS - 1), max_size=SYMBOLS - 1),
    st.sampled_from([None, 0.02, 0.1]),
)
_happens = st.builds(
    Happens, st.sampled_from(["leave", "resume", "cut", "cut", "stall", "go on"]), st.integers(0, MOST_SUBSCRIBERS - 1)
)
STEPS = st.one_of(
    st.builds(Fills, st.lists(_fills, min_size=1, max_size=1)),
    st.builds(Fills, st.lists(_fills, min_size=2, max_size=12)),
    st.builds(Close, _books, _prices),
    st.builds(
        Marks, st.lists(st.dictionaries(st.integers(0, SYMBOLS - 1), _prices, min_size=1), min_size=1, max_size=8)
    ),
    _joins,
    _happens,
    _happens,
    st.builds(Settle),
)


class Play:
    """One interleaving on a running sidecar, in portfolios and symbols that no other one uses."""

    def __init__(self, address: str, number: int, counts: Counter[str]) -> None:
        self._address = address
        self._name = f"e{number}"
        self._counts = counts
        self._fill_ids = count(1)
        self._subscribers: list[tuple[Subscriber, Relay]] = []
        self._portfolios = [f"{self._name}-{portfolio}" for portfolio in range(PORTFOLIOS)]

    async def run(self, steps: Sequence[Step]) -> None:
        """Play the steps; then everybody comes back, and all must be well."""
        async with AsyncExitStack() as stack:
            ledger = await stack.enter_async_context(lotkeeper.aio.connect(self._address))
            for step in [EVERYTHING, *steps, *(Happens("resume", number) for number in range(MOST_SUBSCRIBERS))]:
                await self._take(step, ledger, stack)
            await self._settle(ledger)
            for subscriber, relay in self._subscribers:
                self._count(subscriber, relay)

    async def _take(self, step: Step, ledger: AsyncLedger, stack: AsyncExitStack) -> None:
        match step:
            case Fills(fills):
                await asyncio.gather(*(self._fill(ledger, *fill) for fill in fills))
            case Close(book, price):
                await self._close(ledger, book, price)
            case Marks(calls):
                for prices in calls:
                    await ledger.set_marks(marks={self._symbol(number): price for number, price in prices.items()})
            case Join() if len(self._subscribers) < MOST_SUBSCRIBERS:
                await self._join(step, stack)
            case Happens(what, number) if self._subscribers:
                await self._happen(what, *self._subscribers[number % len(self._subscribers)])
            case Settle():
                await self._settle(ledger)

    def _symbol(self, number: int) -> str:
        return f"{self._name}.{number}"

    async def _fill(self, ledger: AsyncLedger, book: Book, units: int, price: int) -> None:
        await ledger.record_fill(
            portfolio_id=self._portfolios[book[0]],
            symbol=self._symbol(book[1]),
            side=Side.BUY if units > 0 else Side.SELL,
            quantity=abs(units),
            price=price,
            fee=Decimal("0.01"),
            fill_id=f"{self._name}-{next(self._fill_ids)}",
            excess_policy=ExcessPolicy.REVERSE,
        )

    async def _close(self, ledger: AsyncLedger, book: Book, price: int) -> None:
        try:
            await ledger.close_fifo(
                portfolio_id=self._portfolios[book[0]],
                symbol=self._symbol(book[1]),
                close_all=True,
                exit_price=price,
                exit_fill_id=f"{self._name}-{next(self._fill_ids)}",
            )
        except (NoOpenPosition, PortfolioNotFound):
            self._counts["closes of nothing"] += 1

    async def _join(self, step: Join, stack: AsyncExitStack) -> None:
        relay = await stack.enter_async_context(Relay(self._address))
        # Without a portfolio named it hears of those of earlier examples, too: nothing happens there any more.
        portfolios = tuple(self._portfolios[number] for number in sorted(step.portfolios))
        interest = Interest(portfolios, tuple(map(self._symbol, sorted(step.symbols))), step.interval)
        subscriber = Subscriber(relay.address, interest)
        stack.push_async_callback(subscriber.close)
        self._subscribers.append((subscriber, relay))
        subscriber.join()

    async def _happen(self, what: str, subscriber: Subscriber, relay: Relay) -> None:
        match what:
            case "leave":
                await subscriber.leave()
            case "resume":
                subscriber.go_on()
                subscriber.join()
            case "cut":
                relay.cut()
            case "stall":
                subscriber.stall()
            case "go on":
                subscriber.go_on()

    async def _settle(self, ledger: AsyncLedger) -> None:
        found = await truth(ledger, self._portfolios)
        for subscriber, _ in self._subscribers:
            if subscriber.here:
                await subscriber.settled(found)

    def _count(self, subscriber: Subscriber, relay: Relay) -> None:
        self._counts["subscribers"] += 1
        self._counts["cuts"] += relay.cuts
        self._counts["disconnections"] += subscriber.disconnections
        self._counts["resumptions"] += subscriber.resumptions
        self._counts["trades heard"] += len(subscriber.trades)
        self._counts["entries heard"] += len(subscriber.entries)
        self._counts["mark changes folded"] += subscriber.folded


@pytest.mark.timeout(3600)  # what the search profile may take; by default it is under a minute
def test_whatever_happens_every_subscriber_ends_where_the_ledger_is(
    sidecar: Sidecar, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same positions and totals as GetSummary; every closed trade and every entry exactly once, in order."""
    postgresql = "://" in sidecar.database
    counts: Counter[str] = Counter()

    with asyncio.Runner() as runner:

        @settings(
            max_examples=settings().max_examples // (SHARE * SLOWER if postgresql else SHARE),
            suppress_health_check=[HealthCheck.too_slow],
        )
        @given(st.lists(STEPS, min_size=FEWEST_STEPS, max_size=MOST_STEPS))
        def any_interleaving(steps: list[Step]) -> None:
            counts["examples"] += 1
            counts["steps"] += len(steps)
            runner.run(Play(sidecar.address, counts["examples"], counts).run(steps))

        any_interleaving()
    assert counts["trades heard"]
    with capsys.disabled():
        said = ", ".join(f"{counts[name]} {name}" for name in counts)
        print(f"\ninterleavings on {'PostgreSQL' if postgresql else 'SQLite'}: {said}")
