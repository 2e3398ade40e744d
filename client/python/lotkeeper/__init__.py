"""Lotkeeper's client: what a trading bot imports to tell the ledger what it executed, and to ask what it holds.

    import lotkeeper

    with lotkeeper.connect("127.0.0.1:50051", portfolio="scalper") as ledger:
        ledger.record_fill(symbol="BTC-USD", side=lotkeeper.Side.BUY, quantity="0.5", price="64000", fill_id="F-1")
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
    from lotkeeper.account import Assignment as Assignment
    from lotkeeper.account import CashSettlement as CashSettlement
    from lotkeeper.account import Charge as Charge
    from lotkeeper.account import Deposit as Deposit
    from lotkeeper.account import Dividend as Dividend
    from lotkeeper.account import Event as Event
    from lotkeeper.account import EventKind as EventKind
    from lotkeeper.account import Exercise as Exercise
    from lotkeeper.account import Expiry as Expiry
    from lotkeeper.account import FeeRate as FeeRate
    from lotkeeper.account import FillFee as FillFee
    from lotkeeper.account import Funding as Funding
    from lotkeeper.account import Interest as Interest
    from lotkeeper.account import Liquidation as Liquidation
    from lotkeeper.account import Split as Split
    from lotkeeper.account import SymbolChange as SymbolChange
    from lotkeeper.account import Withdrawal as Withdrawal
    from lotkeeper.client import Ledger as Ledger
    from lotkeeper.client import connect as connect
    from lotkeeper.enums import DiscrepancyKind as DiscrepancyKind
    from lotkeeper.enums import DiscrepancyState as DiscrepancyState
    from lotkeeper.enums import EntryStatus as EntryStatus
    from lotkeeper.enums import ExcessPolicy as ExcessPolicy
    from lotkeeper.enums import InstrumentKind as InstrumentKind
    from lotkeeper.enums import LatePolicy as LatePolicy
    from lotkeeper.enums import LotMethod as LotMethod
    from lotkeeper.enums import OptionRight as OptionRight
    from lotkeeper.enums import PositionMode as PositionMode
    from lotkeeper.enums import PositionSide as PositionSide
    from lotkeeper.enums import ReconcileMode as ReconcileMode
    from lotkeeper.enums import RecordKind as RecordKind
    from lotkeeper.enums import ResolutionKind as ResolutionKind
    from lotkeeper.enums import Restraint as Restraint
    from lotkeeper.enums import Severity as Severity
    from lotkeeper.enums import Side as Side
    from lotkeeper.enums import TradingMode as TradingMode
    from lotkeeper.errors import LotkeeperError as LotkeeperError
    from lotkeeper.events import Disconnected as Disconnected
    from lotkeeper.events import Heartbeat as Heartbeat
    from lotkeeper.events import PnLEvent as PnLEvent
    from lotkeeper.events import Snapshot as Snapshot
    from lotkeeper.events import Update as Update
    from lotkeeper.iterators import ClosedTrades as ClosedTrades
    from lotkeeper.iterators import ExplainedPosition as ExplainedPosition
    from lotkeeper.iterators import Pages as Pages
    from lotkeeper.reconciliation import AcceptProposal as AcceptProposal
    from lotkeeper.reconciliation import AdoptPosition as AdoptPosition
    from lotkeeper.reconciliation import AssignToPortfolio as AssignToPortfolio
    from lotkeeper.reconciliation import BrokerCash as BrokerCash
    from lotkeeper.reconciliation import BrokerPosition as BrokerPosition
    from lotkeeper.reconciliation import BrokerStatement as BrokerStatement
    from lotkeeper.reconciliation import CloseAtPrice as CloseAtPrice
    from lotkeeper.reconciliation import Discrepancy as Discrepancy
    from lotkeeper.reconciliation import DiscrepancyRecord as DiscrepancyRecord
    from lotkeeper.reconciliation import DiscrepancyResolution as DiscrepancyResolution
    from lotkeeper.reconciliation import GetReconciliationResponse as GetReconciliationResponse
    from lotkeeper.reconciliation import IgnoreDiscrepancy as IgnoreDiscrepancy
    from lotkeeper.reconciliation import ProposedFill as ProposedFill
    from lotkeeper.reconciliation import ReconcileResponse as ReconcileResponse
    from lotkeeper.reconciliation import Reconciliation as Reconciliation
    from lotkeeper.reconciliation import ResolveAction as ResolveAction
    from lotkeeper.reconciliation import ResolveDiscrepancyResponse as ResolveDiscrepancyResponse
    from lotkeeper.reconciliation import UndoResolutionResponse as UndoResolutionResponse
    from lotkeeper.recording import EventFields as EventFields
    from lotkeeper.responses import BustFillResponse as BustFillResponse
    from lotkeeper.responses import CloseFifoResponse as CloseFifoResponse
    from lotkeeper.responses import ClosePortfolioResponse as ClosePortfolioResponse
    from lotkeeper.responses import CorrectFillResponse as CorrectFillResponse
    from lotkeeper.responses import CreateEntryResponse as CreateEntryResponse
    from lotkeeper.responses import CreatePortfolioResponse as CreatePortfolioResponse
    from lotkeeper.responses import DefineInstrumentResponse as DefineInstrumentResponse
    from lotkeeper.responses import ExplainLine as ExplainLine
    from lotkeeper.responses import ExplainTradeResponse as ExplainTradeResponse
    from lotkeeper.responses import FillResult as FillResult
    from lotkeeper.responses import ListMarksResponse as ListMarksResponse
    from lotkeeper.responses import PublishMarksResponse as PublishMarksResponse
    from lotkeeper.responses import RecordEventResponse as RecordEventResponse
    from lotkeeper.responses import RecordFillResponse as RecordFillResponse
    from lotkeeper.responses import SetMarksResponse as SetMarksResponse
    from lotkeeper.responses import Summary as Summary
    from lotkeeper.responses import UpdatePortfolioResponse as UpdatePortfolioResponse
    from lotkeeper.terms import Instrument as Instrument
    from lotkeeper.terms import Portfolio as Portfolio
    from lotkeeper.values import BaseTotals as BaseTotals
    from lotkeeper.values import ClosedTrade as ClosedTrade
    from lotkeeper.values import ConversionRate as ConversionRate
    from lotkeeper.values import Entry as Entry
    from lotkeeper.values import FeedStatus as FeedStatus
    from lotkeeper.values import Fill as Fill
    from lotkeeper.values import GroupLeg as GroupLeg
    from lotkeeper.values import GroupPnL as GroupPnL
    from lotkeeper.values import Mark as Mark
    from lotkeeper.values import Money as Money
    from lotkeeper.values import PortfolioTotals as PortfolioTotals
    from lotkeeper.values import Position as Position
    from lotkeeper.values import RestatedTrade as RestatedTrade
    from lotkeeper.values import Time as Time
    from lotkeeper.values import Totals as Totals

_NAMES = {
    "lotkeeper.account": (
        "Assignment",
        "CashSettlement",
        "Charge",
        "Deposit",
        "Dividend",
        "Event",
        "EventKind",
        "Exercise",
        "Expiry",
        "FeeRate",
        "FillFee",
        "Funding",
        "Interest",
        "Liquidation",
        "Split",
        "SymbolChange",
        "Withdrawal",
    ),
    "lotkeeper.client": (
        "Ledger",
        "connect",
    ),
    "lotkeeper.enums": (
        "DiscrepancyKind",
        "DiscrepancyState",
        "EntryStatus",
        "ExcessPolicy",
        "InstrumentKind",
        "LatePolicy",
        "LotMethod",
        "OptionRight",
        "PositionMode",
        "PositionSide",
        "ReconcileMode",
        "RecordKind",
        "ResolutionKind",
        "Restraint",
        "Severity",
        "Side",
        "TradingMode",
    ),
    "lotkeeper.errors": ("LotkeeperError",),
    "lotkeeper.events": (
        "Disconnected",
        "Heartbeat",
        "PnLEvent",
        "Snapshot",
        "Update",
    ),
    "lotkeeper.iterators": (
        "ClosedTrades",
        "ExplainedPosition",
        "Pages",
    ),
    "lotkeeper.reconciliation": (
        "AcceptProposal",
        "AdoptPosition",
        "AssignToPortfolio",
        "BrokerCash",
        "BrokerPosition",
        "BrokerStatement",
        "CloseAtPrice",
        "Discrepancy",
        "DiscrepancyRecord",
        "DiscrepancyResolution",
        "GetReconciliationResponse",
        "IgnoreDiscrepancy",
        "ProposedFill",
        "ReconcileResponse",
        "Reconciliation",
        "ResolveAction",
        "ResolveDiscrepancyResponse",
        "UndoResolutionResponse",
    ),
    "lotkeeper.recording": ("EventFields",),
    "lotkeeper.responses": (
        "BustFillResponse",
        "CloseFifoResponse",
        "ClosePortfolioResponse",
        "CorrectFillResponse",
        "CreateEntryResponse",
        "CreatePortfolioResponse",
        "DefineInstrumentResponse",
        "ExplainLine",
        "ExplainTradeResponse",
        "FillResult",
        "ListMarksResponse",
        "PublishMarksResponse",
        "RecordEventResponse",
        "RecordFillResponse",
        "SetMarksResponse",
        "Summary",
        "UpdatePortfolioResponse",
    ),
    "lotkeeper.terms": (
        "Instrument",
        "Portfolio",
    ),
    "lotkeeper.values": (
        "BaseTotals",
        "ClosedTrade",
        "ConversionRate",
        "Entry",
        "FeedStatus",
        "Fill",
        "GroupLeg",
        "GroupPnL",
        "Mark",
        "Money",
        "PortfolioTotals",
        "Position",
        "RestatedTrade",
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
