"""What became of a command: the answers that the writer hands to its callers."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from lotkeeperd.domain.accounts import CashEvent
from lotkeeperd.domain.book import Book
from lotkeeperd.domain.commands import Command, Sums
from lotkeeperd.domain.decimals import ZERO
from lotkeeperd.domain.history import Amendment
from lotkeeperd.domain.instruments import Instrument
from lotkeeperd.domain.portfolios import Portfolio
from lotkeeperd.domain.refusals import Refusal
from lotkeeperd.domain.trades import ClosedTrade, Entry, Restatement
from lotkeeperd.service.ports import Key
from lotkeeperd.service.reconciliation import Reconciled, Resolution, Reversal

IN_ANSWER = 1000
"""Closed trades, or restated ones, that one answer carries; their count tells how many there are."""


class Outcome(NamedTuple):
    """What an execution did, or did when it was first recorded; ``book`` is the position now. Sequence 0: only validated."""

    command: Command
    sequence: int
    opened: Entry | None
    trades: Sequence[ClosedTrade]
    sums: Sums
    book: Book
    replayed: bool
    key: Key
    restated: Sequence[Restatement] = ()
    restated_count: int = 0


class Receipt(NamedTuple):
    """What a brief command did, or did when it was first recorded: ``net`` is the realized P&L of what it closed."""

    sequence: int
    net: Decimal
    replayed: bool


class Happened(NamedTuple):
    """What an event or a correction did; ``books`` are those it changed, ``cash`` (currency, balance) of what it touched."""

    command: Command | Amendment | CashEvent
    sequence: int
    opened: Sequence[Entry] = ()
    trades: Sequence[ClosedTrade] = ()
    trade_count: int = 0
    restated: Sequence[Restatement] = ()
    restated_count: int = 0
    net_change: Decimal = ZERO
    books: Sequence[tuple[Key, Book]] = ()
    cash: Sequence[tuple[str, Decimal]] = ()
    replayed: bool = False


class Agreed(NamedTuple):
    """The terms of a portfolio or an instrument, as they are now."""

    terms: Portfolio | Instrument
    sequence: int
    replayed: bool


Answer = Outcome | Receipt | Happened | Agreed | Reconciled | Resolution | Reversal | Refusal
