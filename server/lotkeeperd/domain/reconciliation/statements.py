"""What a broker says of one account, as the ledger understands it.

An empty list proves nothing: a request that failed, a page that was not read and an account that is flat look alike. So a
statement says of itself what is complete, and nothing is judged missing of what is not (law: an error closes nothing).
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from lotkeeperd.domain.book import Direction


class HeldPosition(NamedTuple):
    """One row of open positions. ``quantity`` is greater than 0; prices in the instrument's quote currency.

    ``average_price`` is the broker's own (average cost, perhaps with commission, perhaps a settlement price); ``cost_basis`` is
    signed, negative for a credit. None where the broker gives none.
    """

    symbol: str
    side: Direction
    quantity: Decimal
    average_price: Decimal | None = None
    cost_basis: Decimal | None = None

    @property
    def signed(self) -> Decimal:
        """Quantity, negative when short."""
        return self.quantity * int(self.side)


class Execution(NamedTuple):
    """One execution as the broker reports it; ``side`` is the traded side, ``time`` nanoseconds UTC.

    ``fee`` is in ``fee_currency``, or in the instrument's settlement currency when that is empty; None when it is not known yet.
    ``book_side`` is the side of the book it belongs to in a hedging account.
    """

    symbol: str
    side: Direction
    quantity: Decimal
    price: Decimal
    time: int
    fill_id: str = ""
    order_id: str = ""
    fee: Decimal | None = None
    fee_currency: str = ""
    book_side: Direction | None = None

    @property
    def signed(self) -> Decimal:
        """Quantity, negative when sold."""
        return self.quantity * int(self.side)


class HeldCash(NamedTuple):
    """One balance; ``amount`` is signed."""

    currency: str
    amount: Decimal


class Statement(NamedTuple):
    """What the broker said at ``as_of``, nanoseconds UTC.

    ``positions_complete`` and ``cash_complete`` are true only when they were read to the last page without an error.
    ``executions`` are oldest first and complete from ``executions_since`` on; None when they are not known to be.
    """

    as_of: int
    positions_complete: bool = False
    positions: tuple[HeldPosition, ...] = ()
    executions: tuple[Execution, ...] = ()
    executions_since: int | None = None
    cash: tuple[HeldCash, ...] = ()
    cash_complete: bool = False

    @property
    def symbols(self) -> frozenset[str]:
        """Everything that is named in it, as the broker spells it."""
        return frozenset({one.symbol for one in self.positions} | {one.symbol for one in self.executions})
