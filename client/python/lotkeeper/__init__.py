"""Lotkeeper's client: what a trading bot imports to tell the ledger what it executed, and to ask what it holds.

    import lotkeeper

    with lotkeeper.connect("127.0.0.1:50051", portfolio="scalper") as ledger:
        ledger.record_fill(symbol="BTC-PERP", side=lotkeeper.Side.BUY, quantity="0.5", price="64000", fill_id="F-1")
        for position in ledger.get_summary().positions:
            print(position.symbol, position.total_quantity, position.unrealized_pnl)

``lotkeeper.aio.connect`` is the same for asyncio. Decimals go in as ``Decimal``, ``int`` or ``str`` and come out as
``Decimal``; times go in as aware datetimes or int nanoseconds and come out as ``Time``; what the ledger refuses is
raised as one of ``lotkeeper.errors``.

The server imports this package too, for the generated stubs in ``lotkeeper.v1`` alone. Therefore each name below is
imported when it is first used, and ``import lotkeeper`` by itself loads nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lotkeeper import aio as aio
    from lotkeeper import errors as errors
    from lotkeeper.client import ClosedTrades as ClosedTrades
    from lotkeeper.client import Ledger as Ledger
    from lotkeeper.client import Pages as Pages
    from lotkeeper.client import connect as connect
    from lotkeeper.enums import EntryStatus as EntryStatus
    from lotkeeper.enums import ExcessPolicy as ExcessPolicy
    from lotkeeper.enums import PositionSide as PositionSide
    from lotkeeper.enums import Side as Side
    from lotkeeper.errors import LotkeeperError as LotkeeperError
    from lotkeeper.events import Disconnected as Disconnected
    from lotkeeper.events import Heartbeat as Heartbeat
    from lotkeeper.events import PnLEvent as PnLEvent
    from lotkeeper.events import Snapshot as Snapshot
    from lotkeeper.events import Update as Update
    from lotkeeper.values import ClosedTrade as ClosedTrade
    from lotkeeper.values import CloseFifoResponse as CloseFifoResponse
    from lotkeeper.values import CreateEntryResponse as CreateEntryResponse
    from lotkeeper.values import Entry as Entry
    from lotkeeper.values import FeedStatus as FeedStatus
    from lotkeeper.values import ListMarksResponse as ListMarksResponse
    from lotkeeper.values import Mark as Mark
    from lotkeeper.values import PortfolioTotals as PortfolioTotals
    from lotkeeper.values import Position as Position
    from lotkeeper.values import PublishMarksResponse as PublishMarksResponse
    from lotkeeper.values import RecordFillResponse as RecordFillResponse
    from lotkeeper.values import SetMarksResponse as SetMarksResponse
    from lotkeeper.values import Summary as Summary
    from lotkeeper.values import Time as Time
    from lotkeeper.values import Totals as Totals

_NAMES = {
    "lotkeeper.client": ("ClosedTrades", "Ledger", "Pages", "connect"),
    "lotkeeper.enums": ("EntryStatus", "ExcessPolicy", "PositionSide", "Side"),
    "lotkeeper.errors": ("LotkeeperError",),
    "lotkeeper.events": ("Disconnected", "Heartbeat", "PnLEvent", "Snapshot", "Update"),
    "lotkeeper.values": (
        "CloseFifoResponse",
        "ClosedTrade",
        "CreateEntryResponse",
        "Entry",
        "FeedStatus",
        "ListMarksResponse",
        "Mark",
        "PortfolioTotals",
        "Position",
        "PublishMarksResponse",
        "RecordFillResponse",
        "SetMarksResponse",
        "Summary",
        "Time",
        "Totals",
    ),
}
_HOMES = {name: home for home, names in _NAMES.items() for name in names}
_MODULES = ("aio", "errors")


def __getattr__(name: str) -> object:
    """Import what is asked for, once."""
    if name in _MODULES:
        return import_module(f"lotkeeper.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'lotkeeper' has no attribute {name!r}")
    found: object = getattr(import_module(_HOMES[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted([*_HOMES, *_MODULES])
