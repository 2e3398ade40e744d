"""Which of Alpaca's trades is the last one, and what becomes of it.

Problem: not every trade that is reported says what a stock is worth now. Average prices, prices of an earlier moment, late
reports and odd lots are reported for the volume; and a trade can be corrected or cancelled after it was reported.
Chosen: what the consolidated tapes themselves do. Alpaca hands on their sale conditions and refers to their rules: the tables of
sale conditions in the CTS specification (tapes A and B) and in the UTP trade data feed specification (tape C), column "update
last". Conditions that set the last price only as the first trade of a day, or in their proper order (G, L, P, Z, 4), are
passed over too, because a connection cannot know whether they are that.

So also trades outside the regular session (T, U) set no last price: who wants prices then chooses ``mid`` or ``side``.
A correction or a cancellation of a trade that is not the last one any more changes nothing; the venue does not say which one is
the last instead, so after a cancellation there is none until the next trade.
"""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from typing import NamedTuple

from lotkeeperd.feeds.quotes import Quote

NOT_LAST = frozenset(
    "C"  # cash sale
    "G"  # bunched sold
    "H"  # price variation
    "I"  # odd lot
    "L"  # sold last: reported late
    "M"  # a market's official close
    "N"  # next day settlement
    "P"  # prior reference price
    "Q"  # a market's official open
    "R"  # seller's option
    "T"  # outside the regular session
    "U"  # outside the regular session, out of sequence
    "V"  # contingent
    "W"  # average price
    "Z"  # sold, out of sequence
    "4"  # derivatively priced
    "7"  # qualified contingent
)
"""Sale conditions that set no last price, on every tape."""
AVERAGE_PRICE, TAPE_C = "B", "C"
"""On tapes A and B this condition is an average price; on tape C a bunched trade, which does set the last price."""

Identity = tuple[object, object]
"""Exchange and number of a trade: the number alone is an exchange's own."""


class Trade(NamedTuple):
    """A trade at ``time`` (nanoseconds UTC); ``sets_last`` says whether its conditions let it be the last one."""

    symbol: str
    time: int
    identity: Identity
    price: Decimal | None
    sets_last: bool = True


class Correction(NamedTuple):
    """The trade ``original`` was really another."""

    symbol: str
    original: Identity
    identity: Identity
    price: Decimal | None
    sets_last: bool = True


class Cancel(NamedTuple):
    """The trade ``original`` was none."""

    symbol: str
    original: Identity


def sets_last(conditions: Collection[object], tape: object) -> bool:
    """Whether a trade with these conditions sets the last price on that tape: one that does not is enough against it."""
    return not any(condition in NOT_LAST or (condition == AVERAGE_PRICE and tape != TAPE_C) for condition in conditions)


class LastTrades:
    """The last trade of each symbol, as far as this connection has seen it."""

    def __init__(self) -> None:
        self._held: dict[str, Trade] = {}

    def take(self, said: Trade | Correction | Cancel) -> Quote | None:
        """The last price that this makes, None in the quote when there is none any more; None when it changes nothing."""
        if isinstance(said, Trade):
            return self._traded(said) if said.sets_last else None
        held = self._held.get(said.symbol)
        if held is None or held.identity != said.original:
            return None
        if isinstance(said, Correction) and said.sets_last:
            return self._traded(held._replace(identity=said.identity, price=said.price))
        del self._held[said.symbol]
        return Quote(said.symbol, held.time)

    def _traded(self, trade: Trade) -> Quote:
        held = self._held.get(trade.symbol)
        if held is None or trade.time >= held.time:
            self._held[trade.symbol] = trade
        return Quote(trade.symbol, trade.time, last=trade.price)
