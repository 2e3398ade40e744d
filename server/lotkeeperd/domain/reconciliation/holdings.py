"""What the ledger says of one broker account: its books, the executions that count in them, its cash."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

from lotkeeperd.domain.book import Direction
from lotkeeperd.domain.instruments import Instrument

BookKey = tuple[str, str, str]
"""(portfolio_id, symbol, side): ``side`` is "" but in hedging portfolios, where it is LONG or SHORT."""


class Holding(NamedTuple):
    """One book that has something open: signed quantity, average price in the quote currency.

    ``multiplier`` is the instrument's; ``size_step`` is the smallest quantity that is traded, 0 when nobody has said;
    ``price_step`` likewise. ``newest_time`` is of the newest execution in it, nanoseconds UTC, 0 when there is none.
    ``adopted`` is how much of it came from adopted positions, whose exits nobody is known to watch.
    """

    key: BookKey
    quantity: Decimal
    average_price: Decimal | None
    multiplier: Decimal = Decimal(1)
    size_step: Decimal = Decimal(0)
    price_step: Decimal = Decimal(0)
    newest_time: int = 0
    adopted: Decimal = Decimal(0)


class Counted(NamedTuple):
    """One execution that counts in a book now, after every correction; ``quantity`` as the venue reported it, unsigned.

    ``sequence`` names it for a bust. ``synthetic`` says that no execution of the venue stands behind it.
    """

    key: BookKey
    sequence: int
    side: Direction
    quantity: Decimal
    price: Decimal
    time: int
    fill_id: str = ""
    order_id: str = ""
    fee: Decimal | None = None
    fee_currency: str = ""
    synthetic: bool = False

    @property
    def signed(self) -> Decimal:
        """Quantity, negative when sold."""
        return self.quantity * int(self.side)


class Holdings(NamedTuple):
    """All of one account at one sequence of the journal.

    ``portfolios`` in the order they were named; ``flat`` are books with nothing open; ``counted`` are the executions since a
    statement's history begins, and every one with an id or an order of the statement; ``orders`` say which portfolios have
    recorded something of an order. ``cash`` is by currency, the sum of the portfolios, where one of them was ever told how much
    there is: a currency that nobody has told of is left out, which is not 0. ``hedging`` says that sides are apart.
    ``instruments`` are those the ledger knows, by symbol: a position that no book holds has its multiplier from there.
    """

    portfolios: tuple[str, ...]
    open: tuple[Holding, ...] = ()
    flat: tuple[BookKey, ...] = ()
    counted: tuple[Counted, ...] = ()
    orders: Mapping[str, frozenset[str]] = {}
    cash: Mapping[str, Decimal] = {}
    hedging: bool = False
    instruments: Mapping[str, Instrument] = {}
