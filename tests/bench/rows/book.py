"""The book alone: decide and evolve on staged copies, as the writer does, with few lots open and with many."""

from __future__ import annotations

import statistics
import time
from decimal import Decimal, localcontext

from lotkeeperd.domain.book import Book, Direction, Fill
from lotkeeperd.domain.decimals import EXACT
from tests.bench.apart import apart
from tests.bench.plan import Plan, say
from tests.bench.table import Measured, Row, Target

LOTS = (1, 2_000, 100_000)
FILLS = 200_000
BATCH = 1_000
"""Fills on one staged copy."""


def fills_per_second(lots: int, count: int) -> float:
    """Fills a book takes in a second with ``lots`` open: in turn one that opens a lot and one that closes the oldest."""
    fee, size = Decimal("0.35"), Decimal("1.5")
    prices = [Decimal(10_000 + number * 7919 % 5_000).scaleb(-2) for number in range(BATCH)]
    with localcontext(EXACT):
        book = Book()
        for number in range(lots):
            book.evolve(
                book.decide(Fill(Direction.LONG, size, prices[number % BATCH], fee, number), number), number, number
            )
        fills = [
            Fill(Direction.SHORT if number % 2 else Direction.LONG, size, prices[number % BATCH], fee, lots + number)
            for number in range(count)
        ]
        started = time.perf_counter()
        for first in range(0, count, BATCH):
            book = book.staged()
            for fill in fills[first : first + BATCH]:
                book.evolve(book.decide(fill, fill.time), fill.time, fill.time)
        return count / (time.perf_counter() - started)


def book_alone(plan: Plan) -> Measured:
    """The slowest of the three sizes."""
    rates: dict[str, list[float]] = {}
    for lots in LOTS:
        rates[f"{lots:,} open"] = [apart(fills_per_second, lots, plan.calls(FILLS)) for _ in range(plan.runs)]
        say(f"  {lots:,} open: {statistics.median(rates[f'{lots:,} open']):,.0f} fills/s")
    medians = {name: statistics.median(values) for name, values in rates.items()}
    detail = ", ".join(f"{median:,.0f} with {name}" for name, median in medians.items()) + "; the slowest counts"
    return Measured(min(medians.values()), detail, rates)


ROWS = (
    Row(
        "book",
        "the book alone, with 1, 2,000 and 100,000 lots open",
        Target("fills/s", 100_000, 250_000, more_is_better=True),
        book_alone,
    ),
)
