"""Commands and journal records as tests need them: each names what it is about and nothing else."""

from __future__ import annotations

from decimal import Decimal

from lotkeeperd.domain.book import Book, Direction
from lotkeeperd.domain.commands import Command, Decision, Excess, Method, Terms
from lotkeeperd.domain.deciding import decide, decided
from lotkeeperd.domain.instruments import Instrument
from lotkeeperd.domain.portfolios import Portfolio

LONG, SHORT = Direction.LONG, Direction.SHORT
BOUGHT, SOLD = Direction.LONG, Direction.SHORT
REVERSE = Excess.REVERSE

NOW = 1_000
"""The server's clock in these tests, in nanoseconds UTC."""

TERMS = Terms(Instrument("X"), Portfolio("p", "USD"))
"""Nothing was declared: X is spot, and the portfolio nets."""


def create_entry(side: Direction, quantity: str, price: str = "100") -> Command:
    """CreateEntry in the symbol X of the portfolio p."""
    return Command(Method.CREATE_ENTRY, "p", "X", side, Decimal(quantity), Decimal(price))


def close_fifo(quantity: str | None, price: str = "110", lots: Direction | None = None) -> Command:
    """CloseFifo of ``quantity``, or of everything when it is None; ``lots`` is the side of the lots to close."""
    side = lots and lots.opposite
    amount = None if quantity is None else Decimal(quantity)
    return Command(Method.CLOSE_FIFO, "p", "X", side, amount, Decimal(price), close_all=quantity is None)


def record_fill(side: Direction, quantity: str, price: str = "110") -> Command:
    """RecordFill as the wire has it when no policy is given: what is beyond the open lots opens the other side."""
    return Command(Method.RECORD_FILL, "p", "X", side, Decimal(quantity), Decimal(price), excess=REVERSE)


def journaled(command: Command, book: Book, sequence: int, terms: Terms = TERMS) -> Decision:
    """Decide ``command`` in ``book`` as record ``sequence``, make it so, and hand back the record."""
    what = decide(command, book, sequence, NOW, terms)
    book.evolve(what.records, sequence, what.fill.time)
    return decided(command, what, sequence, NOW)
