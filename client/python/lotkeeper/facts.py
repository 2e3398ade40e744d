"""Which facts of a P&L stream were delivered already, so that a new connection brings each of them once. No I/O.

A message's sequence says that every fact up to it was sent; facts of the next sequence that has any may already have
come, because a long close or a correction is sent in several messages. After a lost connection they come again. A
closed trade is told by its place, (sequence, index), and all of them are in order, so the last place is enough. Several
lots may be opened under one sequence, and a trade that was restated to nothing names no sequence at all, but ids are
never used twice: those are remembered until their sequence is whole.
"""

from __future__ import annotations

from typing import NamedTuple

from lotkeeper.v1.ledger_pb2 import ClosedTrade, Entry, RestatedTrade
from lotkeeper.v1.ledger_service_pb2 import PnLUpdate

_LAST_INDEX = 2**31 - 1  # after every index of a sequence


class Facts(NamedTuple):
    """Facts of one message."""

    closed_trades: list[ClosedTrade]
    opened_entries: list[Entry]
    restated_trades: list[RestatedTrade]


class Delivered:
    """What was delivered: every fact up to a sequence, and some beyond it.

    Args:
        sequence: up to here nothing needs to be delivered.
    """

    def __init__(self, sequence: int) -> None:
        self._sequence = sequence
        self._last_trade = (sequence, _LAST_INDEX)
        self._beyond: dict[tuple[str, ...], int] = {}  # ids of a fact, and the sequence at which they may be forgotten

    @property
    def remembered(self) -> int:
        """How many facts it keeps the ids of."""
        return len(self._beyond)

    def fresh(self, sequence: int, update: PnLUpdate) -> Facts:
        """The facts of ``update``, in a message of ``sequence``, that were not delivered; from now on they were."""
        unnamed = _sequence_of_unnamed(sequence, update)
        facts = Facts(
            [trade for trade in update.closed_trades if (trade.sequence, trade.index) > self._last_trade],
            [entry for entry in update.opened_entries if self._is_fresh((entry.entry_id,), entry.sequence)],
            [
                trade
                for trade in update.restated_trades
                if self._is_fresh((trade.before.trade_id, trade.after.trade_id), trade.after.sequence or unnamed)
            ],
        )
        places = ((trade.sequence, trade.index) for trade in facts.closed_trades)
        self._last_trade = max(places, default=self._last_trade)
        return facts

    def reach(self, sequence: int) -> None:
        """Every fact up to ``sequence`` was delivered."""
        if sequence > self._sequence:
            self._sequence = sequence
            self._last_trade = max(self._last_trade, (sequence, _LAST_INDEX))
            self._beyond = {ids: until for ids, until in self._beyond.items() if until > sequence}

    def _is_fresh(self, ids: tuple[str, ...], sequence: int) -> bool:
        fresh = sequence > self._sequence and ids not in self._beyond
        if fresh:
            self._beyond[ids] = sequence
        return fresh


def _sequence_of_unnamed(sequence: int, update: PnLUpdate) -> int:
    # Facts come in order, so one that names no sequence is of the highest named beside it at most; where that is not
    # beyond the message's own it may be of the next, which is whole when a message of a later sequence comes.
    named = [trade.sequence for trade in update.closed_trades]
    named += [entry.sequence for entry in update.opened_entries]
    named += [trade.after.sequence for trade in update.restated_trades]
    highest = max(named, default=0)
    return highest if highest > sequence else sequence + 1
