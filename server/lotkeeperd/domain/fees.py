"""How a fee comes into a book: as it was taken, or through the coin that was traded, or through a rate.

    taken in                what happens                                                      in the lot's fee
    the book's currency     nothing                                                           the fee
    the coin traded (spot)  that much less arrives, or more goes: the quantity moves by it     fee x price of the fill
    any other               the rate of the time is stored with the record                     fee x rate
    any other, no rate      listed unconverted until a rate is given (law 12)                  0 for now, pending
    not known yet           the broker says it days later                                      0 for now, pending

A fee in the coin that was traded makes cash come out exactly: buying 1 for 50,000 with 0.001 of it as fee opens 0.999 at
50,000 with a fee of 50, and 50,000 were paid. A sale is the same the other way: 1.001 leave, 1 was paid for.
"""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from typing import NamedTuple

from lotkeeperd.domain.decimals import ZERO
from lotkeeperd.domain.rates import Rate, convert


class FeeState(Enum):
    """Whether the fee of an execution is in its figures; the value is stored."""

    SETTLED = ""
    AWAITED = "awaited"
    UNCONVERTED = "unconverted"


class Charged(NamedTuple):
    """The fee of one execution: ``amount`` in the book's currency, ``moved`` units of the coin that was traded."""

    amount: Decimal = ZERO
    moved: Decimal = ZERO
    state: FeeState = FeeState.SETTLED
    rate: Rate | None = None


NONE = Charged()


def charged(fee: Decimal, currency: str, book_currency: str, base: str, price: Decimal, rate: Rate | None) -> Charged:
    """What a fee of ``fee`` in ``currency`` comes to; ``base`` is the coin of a spot instrument, "" for others."""
    if not fee or not currency or currency == book_currency:
        return Charged(fee)
    if currency == base:
        return Charged(fee * price, fee)
    if rate is not None:
        return Charged(convert(fee, rate), rate=rate)
    return Charged(state=FeeState.UNCONVERTED)


class Pending(NamedTuple):
    """The fees of one book that are in no figure yet: how many are still to come, and what has no rate, by currency."""

    awaited: int = 0
    unconverted: tuple[tuple[str, Decimal], ...] = ()

    def moved(self, what: Charged, fee: Decimal, currency: str, sign: int = 1) -> Pending:
        """With (or with ``sign`` -1 without) an execution whose fee came in like ``what``; run under ``localcontext(EXACT)``."""
        if what.state is FeeState.AWAITED:
            return self._replace(awaited=self.awaited + sign)
        if what.state is FeeState.SETTLED:
            return self
        amounts = dict(self.unconverted)
        amounts[currency] = amounts.get(currency, ZERO) + sign * fee
        return self._replace(unconverted=tuple(sorted((name, amount) for name, amount in amounts.items() if amount)))


NOTHING_PENDING = Pending()
