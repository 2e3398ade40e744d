"""What ``stream_pnl()`` yields, as frozen values.

Facts (``closed_trades``, ``opened_entries``) come exactly once and in order. Values (``positions``, ``totals``) are the
newest at the time, and may skip what lay between. A lost connection is an event too: whoever shows prices must know
that they are old, and a log line would not tell it.
"""

from __future__ import annotations

from dataclasses import dataclass

from lotkeeper.errors import LotkeeperError
from lotkeeper.values import ClosedTrade, Entry, PortfolioTotals, Position, Time


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The whole subscribed state: first of all, and again after every resumption."""

    sequence: int
    ledger_id: str
    emit_time: Time
    positions: tuple[Position, ...]
    totals: tuple[PortfolioTotals, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """What changed; ``conflated_count`` mark changes were folded into it."""

    sequence: int
    ledger_id: str
    emit_time: Time
    positions: tuple[Position, ...]
    totals: tuple[PortfolioTotals, ...]
    closed_trades: tuple[ClosedTrade, ...]
    opened_entries: tuple[Entry, ...]
    conflated_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """Nothing changed, and the connection lives."""

    sequence: int
    ledger_id: str
    emit_time: Time


@dataclass(frozen=True, slots=True, kw_only=True)
class Disconnected:
    """The connection was lost after the event of this sequence and time; the stream looks for a new one by itself."""

    sequence: int
    ledger_id: str
    emit_time: Time
    cause: LotkeeperError


PnLEvent = Snapshot | Update | Heartbeat | Disconnected
