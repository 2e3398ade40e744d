"""What ``stream_pnl()`` yields, as frozen values.

Facts (``closed_trades``, ``opened_entries``, ``restated_trades``) come exactly once and in order. Values
(``positions``, ``totals``, ``groups``) are the newest at the time, and may skip what lay between. A lost connection is
an event too: whoever shows prices must know that they are old, and a log line would not tell it.

``emit_time`` is the server's clock when the message was made. ``lag`` is how many seconds later this client handed the
event over, by its own clock: how far the caller is behind, on one machine; between two, as exact as their clocks agree,
and below 0 if they do not. ``lag`` is no part of what the event says: events that differ in nothing else are equal.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from lotkeeper.errors import LotkeeperError
from lotkeeper.values import ClosedTrade, Entry, GroupPnL, PortfolioTotals, Position, RestatedTrade, Time


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The whole subscribed state: first of all, and again after every resumption."""

    sequence: int
    ledger_id: str
    emit_time: Time
    lag: float = field(default=0.0, compare=False)
    positions: tuple[Position, ...]
    totals: tuple[PortfolioTotals, ...]
    groups: tuple[GroupPnL, ...]  # those with something open


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """What changed; ``conflated_count`` mark changes were folded into it."""

    sequence: int
    ledger_id: str
    emit_time: Time
    lag: float = field(default=0.0, compare=False)
    positions: tuple[Position, ...]
    totals: tuple[PortfolioTotals, ...]
    closed_trades: tuple[ClosedTrade, ...]
    opened_entries: tuple[Entry, ...]
    restated_trades: tuple[RestatedTrade, ...]
    groups: tuple[GroupPnL, ...]  # those that changed
    conflated_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """Nothing changed, and the connection lives."""

    sequence: int
    ledger_id: str
    emit_time: Time
    lag: float = field(default=0.0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Disconnected:
    """The connection was lost after the event of this sequence and time; the stream looks for a new one by itself.

    ``lag`` is how old everything is by now.
    """

    sequence: int
    ledger_id: str
    emit_time: Time
    lag: float = field(default=0.0, compare=False)
    cause: LotkeeperError


PnLEvent = Snapshot | Update | Heartbeat | Disconnected
