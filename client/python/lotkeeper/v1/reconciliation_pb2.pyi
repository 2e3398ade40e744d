from google.protobuf import timestamp_pb2 as _timestamp_pb2
from lotkeeper.v1 import ledger_pb2 as _ledger_pb2
from lotkeeper.v1 import portfolio_service_pb2 as _portfolio_service_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ReconcileMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RECONCILE_MODE_UNSPECIFIED: _ClassVar[ReconcileMode]
    RECONCILE_MODE_DRY_RUN: _ClassVar[ReconcileMode]
    RECONCILE_MODE_APPLY: _ClassVar[ReconcileMode]

class DiscrepancyKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DISCREPANCY_KIND_UNSPECIFIED: _ClassVar[DiscrepancyKind]
    DISCREPANCY_KIND_ORPHANED_POSITION: _ClassVar[DiscrepancyKind]
    DISCREPANCY_KIND_MISSING_AT_BROKER: _ClassVar[DiscrepancyKind]
    DISCREPANCY_KIND_QUANTITY_MISMATCH: _ClassVar[DiscrepancyKind]
    DISCREPANCY_KIND_SIDE_MISMATCH: _ClassVar[DiscrepancyKind]
    DISCREPANCY_KIND_AVERAGE_PRICE_MISMATCH: _ClassVar[DiscrepancyKind]
    DISCREPANCY_KIND_MISSING_FILL: _ClassVar[DiscrepancyKind]
    DISCREPANCY_KIND_UNKNOWN_FILL: _ClassVar[DiscrepancyKind]
    DISCREPANCY_KIND_CASH_MISMATCH: _ClassVar[DiscrepancyKind]

class ResolutionKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RESOLUTION_KIND_UNSPECIFIED: _ClassVar[ResolutionKind]
    RESOLUTION_KIND_BACKFILL_FILLS: _ClassVar[ResolutionKind]
    RESOLUTION_KIND_ADOPT_POSITION: _ClassVar[ResolutionKind]
    RESOLUTION_KIND_CLOSE_SYNTHETIC: _ClassVar[ResolutionKind]
    RESOLUTION_KIND_NONE: _ClassVar[ResolutionKind]

class Severity(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SEVERITY_UNSPECIFIED: _ClassVar[Severity]
    SEVERITY_INFO: _ClassVar[Severity]
    SEVERITY_MINOR: _ClassVar[Severity]
    SEVERITY_MAJOR: _ClassVar[Severity]
    SEVERITY_CRITICAL: _ClassVar[Severity]
RECONCILE_MODE_UNSPECIFIED: ReconcileMode
RECONCILE_MODE_DRY_RUN: ReconcileMode
RECONCILE_MODE_APPLY: ReconcileMode
DISCREPANCY_KIND_UNSPECIFIED: DiscrepancyKind
DISCREPANCY_KIND_ORPHANED_POSITION: DiscrepancyKind
DISCREPANCY_KIND_MISSING_AT_BROKER: DiscrepancyKind
DISCREPANCY_KIND_QUANTITY_MISMATCH: DiscrepancyKind
DISCREPANCY_KIND_SIDE_MISMATCH: DiscrepancyKind
DISCREPANCY_KIND_AVERAGE_PRICE_MISMATCH: DiscrepancyKind
DISCREPANCY_KIND_MISSING_FILL: DiscrepancyKind
DISCREPANCY_KIND_UNKNOWN_FILL: DiscrepancyKind
DISCREPANCY_KIND_CASH_MISMATCH: DiscrepancyKind
RESOLUTION_KIND_UNSPECIFIED: ResolutionKind
RESOLUTION_KIND_BACKFILL_FILLS: ResolutionKind
RESOLUTION_KIND_ADOPT_POSITION: ResolutionKind
RESOLUTION_KIND_CLOSE_SYNTHETIC: ResolutionKind
RESOLUTION_KIND_NONE: ResolutionKind
SEVERITY_UNSPECIFIED: Severity
SEVERITY_INFO: Severity
SEVERITY_MINOR: Severity
SEVERITY_MAJOR: Severity
SEVERITY_CRITICAL: Severity

class BrokerPosition(_message.Message):
    __slots__ = ("symbol", "side", "quantity", "average_price", "cost_basis")
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    SIDE_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    AVERAGE_PRICE_FIELD_NUMBER: _ClassVar[int]
    COST_BASIS_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    side: _ledger_pb2.PositionSide
    quantity: str
    average_price: str
    cost_basis: str
    def __init__(self, symbol: _Optional[str] = ..., side: _Optional[_Union[_ledger_pb2.PositionSide, str]] = ..., quantity: _Optional[str] = ..., average_price: _Optional[str] = ..., cost_basis: _Optional[str] = ...) -> None: ...

class BrokerCash(_message.Message):
    __slots__ = ("currency", "amount")
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    currency: str
    amount: str
    def __init__(self, currency: _Optional[str] = ..., amount: _Optional[str] = ...) -> None: ...

class BrokerStatement(_message.Message):
    __slots__ = ("as_of", "positions_complete", "positions", "fills", "fills_complete_since", "cash", "cash_complete")
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    POSITIONS_COMPLETE_FIELD_NUMBER: _ClassVar[int]
    POSITIONS_FIELD_NUMBER: _ClassVar[int]
    FILLS_FIELD_NUMBER: _ClassVar[int]
    FILLS_COMPLETE_SINCE_FIELD_NUMBER: _ClassVar[int]
    CASH_FIELD_NUMBER: _ClassVar[int]
    CASH_COMPLETE_FIELD_NUMBER: _ClassVar[int]
    as_of: _timestamp_pb2.Timestamp
    positions_complete: bool
    positions: _containers.RepeatedCompositeFieldContainer[BrokerPosition]
    fills: _containers.RepeatedCompositeFieldContainer[_ledger_pb2.Fill]
    fills_complete_since: _timestamp_pb2.Timestamp
    cash: _containers.RepeatedCompositeFieldContainer[BrokerCash]
    cash_complete: bool
    def __init__(self, as_of: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., positions_complete: bool = ..., positions: _Optional[_Iterable[_Union[BrokerPosition, _Mapping]]] = ..., fills: _Optional[_Iterable[_Union[_ledger_pb2.Fill, _Mapping]]] = ..., fills_complete_since: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., cash: _Optional[_Iterable[_Union[BrokerCash, _Mapping]]] = ..., cash_complete: bool = ...) -> None: ...

class ReconcileRequest(_message.Message):
    __slots__ = ("request_id", "portfolio_ids", "mode", "statement", "broker_account", "adopt_into_portfolio_id", "trading_mode")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PORTFOLIO_IDS_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    STATEMENT_FIELD_NUMBER: _ClassVar[int]
    BROKER_ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    ADOPT_INTO_PORTFOLIO_ID_FIELD_NUMBER: _ClassVar[int]
    TRADING_MODE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    portfolio_ids: _containers.RepeatedScalarFieldContainer[str]
    mode: ReconcileMode
    statement: BrokerStatement
    broker_account: str
    adopt_into_portfolio_id: str
    trading_mode: _portfolio_service_pb2.TradingMode
    def __init__(self, request_id: _Optional[str] = ..., portfolio_ids: _Optional[_Iterable[str]] = ..., mode: _Optional[_Union[ReconcileMode, str]] = ..., statement: _Optional[_Union[BrokerStatement, _Mapping]] = ..., broker_account: _Optional[str] = ..., adopt_into_portfolio_id: _Optional[str] = ..., trading_mode: _Optional[_Union[_portfolio_service_pb2.TradingMode, str]] = ...) -> None: ...

class ProposedFill(_message.Message):
    __slots__ = ("portfolio_id", "fill", "synthetic", "replaces")
    PORTFOLIO_ID_FIELD_NUMBER: _ClassVar[int]
    FILL_FIELD_NUMBER: _ClassVar[int]
    SYNTHETIC_FIELD_NUMBER: _ClassVar[int]
    REPLACES_FIELD_NUMBER: _ClassVar[int]
    portfolio_id: str
    fill: _ledger_pb2.Fill
    synthetic: bool
    replaces: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, portfolio_id: _Optional[str] = ..., fill: _Optional[_Union[_ledger_pb2.Fill, _Mapping]] = ..., synthetic: bool = ..., replaces: _Optional[_Iterable[int]] = ...) -> None: ...

class Discrepancy(_message.Message):
    __slots__ = ("discrepancy_id", "kind", "severity", "portfolio_id", "symbol", "ledger_quantity", "broker_quantity", "resolution", "proposed_fills", "pnl_effect", "applied", "explanation", "side", "fill_id", "ledger_average_price", "broker_average_price", "unwatched", "ignored", "proposed_fill_count")
    DISCREPANCY_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    SEVERITY_FIELD_NUMBER: _ClassVar[int]
    PORTFOLIO_ID_FIELD_NUMBER: _ClassVar[int]
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    LEDGER_QUANTITY_FIELD_NUMBER: _ClassVar[int]
    BROKER_QUANTITY_FIELD_NUMBER: _ClassVar[int]
    RESOLUTION_FIELD_NUMBER: _ClassVar[int]
    PROPOSED_FILLS_FIELD_NUMBER: _ClassVar[int]
    PNL_EFFECT_FIELD_NUMBER: _ClassVar[int]
    APPLIED_FIELD_NUMBER: _ClassVar[int]
    EXPLANATION_FIELD_NUMBER: _ClassVar[int]
    SIDE_FIELD_NUMBER: _ClassVar[int]
    FILL_ID_FIELD_NUMBER: _ClassVar[int]
    LEDGER_AVERAGE_PRICE_FIELD_NUMBER: _ClassVar[int]
    BROKER_AVERAGE_PRICE_FIELD_NUMBER: _ClassVar[int]
    UNWATCHED_FIELD_NUMBER: _ClassVar[int]
    IGNORED_FIELD_NUMBER: _ClassVar[int]
    PROPOSED_FILL_COUNT_FIELD_NUMBER: _ClassVar[int]
    discrepancy_id: str
    kind: DiscrepancyKind
    severity: Severity
    portfolio_id: str
    symbol: str
    ledger_quantity: str
    broker_quantity: str
    resolution: ResolutionKind
    proposed_fills: _containers.RepeatedCompositeFieldContainer[ProposedFill]
    pnl_effect: str
    applied: bool
    explanation: str
    side: _ledger_pb2.PositionSide
    fill_id: str
    ledger_average_price: str
    broker_average_price: str
    unwatched: bool
    ignored: bool
    proposed_fill_count: int
    def __init__(self, discrepancy_id: _Optional[str] = ..., kind: _Optional[_Union[DiscrepancyKind, str]] = ..., severity: _Optional[_Union[Severity, str]] = ..., portfolio_id: _Optional[str] = ..., symbol: _Optional[str] = ..., ledger_quantity: _Optional[str] = ..., broker_quantity: _Optional[str] = ..., resolution: _Optional[_Union[ResolutionKind, str]] = ..., proposed_fills: _Optional[_Iterable[_Union[ProposedFill, _Mapping]]] = ..., pnl_effect: _Optional[str] = ..., applied: bool = ..., explanation: _Optional[str] = ..., side: _Optional[_Union[_ledger_pb2.PositionSide, str]] = ..., fill_id: _Optional[str] = ..., ledger_average_price: _Optional[str] = ..., broker_average_price: _Optional[str] = ..., unwatched: bool = ..., ignored: bool = ..., proposed_fill_count: _Optional[int] = ...) -> None: ...

class ReconcileResponse(_message.Message):
    __slots__ = ("reconciliation_id", "discrepancies", "matched_count", "sequence", "complete", "replayed", "broker_position_count", "tracked_count", "orphaned_count", "discrepancy_count")
    RECONCILIATION_ID_FIELD_NUMBER: _ClassVar[int]
    DISCREPANCIES_FIELD_NUMBER: _ClassVar[int]
    MATCHED_COUNT_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_FIELD_NUMBER: _ClassVar[int]
    REPLAYED_FIELD_NUMBER: _ClassVar[int]
    BROKER_POSITION_COUNT_FIELD_NUMBER: _ClassVar[int]
    TRACKED_COUNT_FIELD_NUMBER: _ClassVar[int]
    ORPHANED_COUNT_FIELD_NUMBER: _ClassVar[int]
    DISCREPANCY_COUNT_FIELD_NUMBER: _ClassVar[int]
    reconciliation_id: str
    discrepancies: _containers.RepeatedCompositeFieldContainer[Discrepancy]
    matched_count: int
    sequence: int
    complete: bool
    replayed: bool
    broker_position_count: int
    tracked_count: int
    orphaned_count: int
    discrepancy_count: int
    def __init__(self, reconciliation_id: _Optional[str] = ..., discrepancies: _Optional[_Iterable[_Union[Discrepancy, _Mapping]]] = ..., matched_count: _Optional[int] = ..., sequence: _Optional[int] = ..., complete: bool = ..., replayed: bool = ..., broker_position_count: _Optional[int] = ..., tracked_count: _Optional[int] = ..., orphaned_count: _Optional[int] = ..., discrepancy_count: _Optional[int] = ...) -> None: ...
