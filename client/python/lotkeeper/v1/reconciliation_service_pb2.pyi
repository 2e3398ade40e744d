from google.protobuf import timestamp_pb2 as _timestamp_pb2
from lotkeeper.v1 import reconciliation_pb2 as _reconciliation_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DiscrepancyState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DISCREPANCY_STATE_UNSPECIFIED: _ClassVar[DiscrepancyState]
    DISCREPANCY_STATE_OPEN: _ClassVar[DiscrepancyState]
    DISCREPANCY_STATE_RESOLVED: _ClassVar[DiscrepancyState]
    DISCREPANCY_STATE_IGNORED: _ClassVar[DiscrepancyState]
    DISCREPANCY_STATE_GONE: _ClassVar[DiscrepancyState]

class Restraint(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RESTRAINT_UNSPECIFIED: _ClassVar[Restraint]
    RESTRAINT_FREEZE_SYMBOL: _ClassVar[Restraint]
    RESTRAINT_HALT_PORTFOLIO: _ClassVar[Restraint]
DISCREPANCY_STATE_UNSPECIFIED: DiscrepancyState
DISCREPANCY_STATE_OPEN: DiscrepancyState
DISCREPANCY_STATE_RESOLVED: DiscrepancyState
DISCREPANCY_STATE_IGNORED: DiscrepancyState
DISCREPANCY_STATE_GONE: DiscrepancyState
RESTRAINT_UNSPECIFIED: Restraint
RESTRAINT_FREEZE_SYMBOL: Restraint
RESTRAINT_HALT_PORTFOLIO: Restraint

class Reconciliation(_message.Message):
    __slots__ = ("reconciliation_id", "reconciled_time", "broker_account", "portfolio_ids", "mode", "asked_by", "as_of", "sequence", "broker_position_count", "tracked_count", "matched_count", "discrepancy_count", "orphaned_count", "applied_count", "complete")
    RECONCILIATION_ID_FIELD_NUMBER: _ClassVar[int]
    RECONCILED_TIME_FIELD_NUMBER: _ClassVar[int]
    BROKER_ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    PORTFOLIO_IDS_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    ASKED_BY_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    BROKER_POSITION_COUNT_FIELD_NUMBER: _ClassVar[int]
    TRACKED_COUNT_FIELD_NUMBER: _ClassVar[int]
    MATCHED_COUNT_FIELD_NUMBER: _ClassVar[int]
    DISCREPANCY_COUNT_FIELD_NUMBER: _ClassVar[int]
    ORPHANED_COUNT_FIELD_NUMBER: _ClassVar[int]
    APPLIED_COUNT_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_FIELD_NUMBER: _ClassVar[int]
    reconciliation_id: str
    reconciled_time: _timestamp_pb2.Timestamp
    broker_account: str
    portfolio_ids: _containers.RepeatedScalarFieldContainer[str]
    mode: _reconciliation_pb2.ReconcileMode
    asked_by: str
    as_of: _timestamp_pb2.Timestamp
    sequence: int
    broker_position_count: int
    tracked_count: int
    matched_count: int
    discrepancy_count: int
    orphaned_count: int
    applied_count: int
    complete: bool
    def __init__(self, reconciliation_id: _Optional[str] = ..., reconciled_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., broker_account: _Optional[str] = ..., portfolio_ids: _Optional[_Iterable[str]] = ..., mode: _Optional[_Union[_reconciliation_pb2.ReconcileMode, str]] = ..., asked_by: _Optional[str] = ..., as_of: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., sequence: _Optional[int] = ..., broker_position_count: _Optional[int] = ..., tracked_count: _Optional[int] = ..., matched_count: _Optional[int] = ..., discrepancy_count: _Optional[int] = ..., orphaned_count: _Optional[int] = ..., applied_count: _Optional[int] = ..., complete: bool = ...) -> None: ...

class DiscrepancyRecord(_message.Message):
    __slots__ = ("discrepancy", "state", "restraint", "broker_account", "first_seen", "last_seen", "reconciliation_id", "resolution")
    DISCREPANCY_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    RESTRAINT_FIELD_NUMBER: _ClassVar[int]
    BROKER_ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    FIRST_SEEN_FIELD_NUMBER: _ClassVar[int]
    LAST_SEEN_FIELD_NUMBER: _ClassVar[int]
    RECONCILIATION_ID_FIELD_NUMBER: _ClassVar[int]
    RESOLUTION_FIELD_NUMBER: _ClassVar[int]
    discrepancy: _reconciliation_pb2.Discrepancy
    state: DiscrepancyState
    restraint: Restraint
    broker_account: str
    first_seen: _timestamp_pb2.Timestamp
    last_seen: _timestamp_pb2.Timestamp
    reconciliation_id: str
    resolution: DiscrepancyResolution
    def __init__(self, discrepancy: _Optional[_Union[_reconciliation_pb2.Discrepancy, _Mapping]] = ..., state: _Optional[_Union[DiscrepancyState, str]] = ..., restraint: _Optional[_Union[Restraint, str]] = ..., broker_account: _Optional[str] = ..., first_seen: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., last_seen: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., reconciliation_id: _Optional[str] = ..., resolution: _Optional[_Union[DiscrepancyResolution, _Mapping]] = ...) -> None: ...

class DiscrepancyResolution(_message.Message):
    __slots__ = ("resolution_id", "resolved_time", "resolved_by", "accept", "adopt", "ignore", "assign", "close", "sequences", "pnl_effect")
    RESOLUTION_ID_FIELD_NUMBER: _ClassVar[int]
    RESOLVED_TIME_FIELD_NUMBER: _ClassVar[int]
    RESOLVED_BY_FIELD_NUMBER: _ClassVar[int]
    ACCEPT_FIELD_NUMBER: _ClassVar[int]
    ADOPT_FIELD_NUMBER: _ClassVar[int]
    IGNORE_FIELD_NUMBER: _ClassVar[int]
    ASSIGN_FIELD_NUMBER: _ClassVar[int]
    CLOSE_FIELD_NUMBER: _ClassVar[int]
    SEQUENCES_FIELD_NUMBER: _ClassVar[int]
    PNL_EFFECT_FIELD_NUMBER: _ClassVar[int]
    resolution_id: str
    resolved_time: _timestamp_pb2.Timestamp
    resolved_by: str
    accept: AcceptProposal
    adopt: AdoptPosition
    ignore: IgnoreDiscrepancy
    assign: AssignToPortfolio
    close: CloseAtPrice
    sequences: _containers.RepeatedScalarFieldContainer[int]
    pnl_effect: str
    def __init__(self, resolution_id: _Optional[str] = ..., resolved_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., resolved_by: _Optional[str] = ..., accept: _Optional[_Union[AcceptProposal, _Mapping]] = ..., adopt: _Optional[_Union[AdoptPosition, _Mapping]] = ..., ignore: _Optional[_Union[IgnoreDiscrepancy, _Mapping]] = ..., assign: _Optional[_Union[AssignToPortfolio, _Mapping]] = ..., close: _Optional[_Union[CloseAtPrice, _Mapping]] = ..., sequences: _Optional[_Iterable[int]] = ..., pnl_effect: _Optional[str] = ...) -> None: ...

class AcceptProposal(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class AdoptPosition(_message.Message):
    __slots__ = ("portfolio_id", "entry_price", "group_id")
    PORTFOLIO_ID_FIELD_NUMBER: _ClassVar[int]
    ENTRY_PRICE_FIELD_NUMBER: _ClassVar[int]
    GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    portfolio_id: str
    entry_price: str
    group_id: str
    def __init__(self, portfolio_id: _Optional[str] = ..., entry_price: _Optional[str] = ..., group_id: _Optional[str] = ...) -> None: ...

class IgnoreDiscrepancy(_message.Message):
    __slots__ = ("reason",)
    REASON_FIELD_NUMBER: _ClassVar[int]
    reason: str
    def __init__(self, reason: _Optional[str] = ...) -> None: ...

class AssignToPortfolio(_message.Message):
    __slots__ = ("portfolio_id",)
    PORTFOLIO_ID_FIELD_NUMBER: _ClassVar[int]
    portfolio_id: str
    def __init__(self, portfolio_id: _Optional[str] = ...) -> None: ...

class CloseAtPrice(_message.Message):
    __slots__ = ("exit_price",)
    EXIT_PRICE_FIELD_NUMBER: _ClassVar[int]
    exit_price: str
    def __init__(self, exit_price: _Optional[str] = ...) -> None: ...

class ListReconciliationsRequest(_message.Message):
    __slots__ = ("portfolio_id", "broker_account", "start_time", "end_time", "page_size", "page_token")
    PORTFOLIO_ID_FIELD_NUMBER: _ClassVar[int]
    BROKER_ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    portfolio_id: str
    broker_account: str
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    page_size: int
    page_token: str
    def __init__(self, portfolio_id: _Optional[str] = ..., broker_account: _Optional[str] = ..., start_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListReconciliationsResponse(_message.Message):
    __slots__ = ("reconciliations", "next_page_token")
    RECONCILIATIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    reconciliations: _containers.RepeatedCompositeFieldContainer[Reconciliation]
    next_page_token: str
    def __init__(self, reconciliations: _Optional[_Iterable[_Union[Reconciliation, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetReconciliationRequest(_message.Message):
    __slots__ = ("reconciliation_id",)
    RECONCILIATION_ID_FIELD_NUMBER: _ClassVar[int]
    reconciliation_id: str
    def __init__(self, reconciliation_id: _Optional[str] = ...) -> None: ...

class GetReconciliationResponse(_message.Message):
    __slots__ = ("reconciliation", "report")
    RECONCILIATION_FIELD_NUMBER: _ClassVar[int]
    REPORT_FIELD_NUMBER: _ClassVar[int]
    reconciliation: Reconciliation
    report: _reconciliation_pb2.ReconcileResponse
    def __init__(self, reconciliation: _Optional[_Union[Reconciliation, _Mapping]] = ..., report: _Optional[_Union[_reconciliation_pb2.ReconcileResponse, _Mapping]] = ...) -> None: ...

class ListDiscrepanciesRequest(_message.Message):
    __slots__ = ("portfolio_id", "broker_account", "symbol", "states", "least_severity", "page_size", "page_token")
    PORTFOLIO_ID_FIELD_NUMBER: _ClassVar[int]
    BROKER_ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    STATES_FIELD_NUMBER: _ClassVar[int]
    LEAST_SEVERITY_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    portfolio_id: str
    broker_account: str
    symbol: str
    states: _containers.RepeatedScalarFieldContainer[DiscrepancyState]
    least_severity: _reconciliation_pb2.Severity
    page_size: int
    page_token: str
    def __init__(self, portfolio_id: _Optional[str] = ..., broker_account: _Optional[str] = ..., symbol: _Optional[str] = ..., states: _Optional[_Iterable[_Union[DiscrepancyState, str]]] = ..., least_severity: _Optional[_Union[_reconciliation_pb2.Severity, str]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListDiscrepanciesResponse(_message.Message):
    __slots__ = ("discrepancies", "next_page_token")
    DISCREPANCIES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    discrepancies: _containers.RepeatedCompositeFieldContainer[DiscrepancyRecord]
    next_page_token: str
    def __init__(self, discrepancies: _Optional[_Iterable[_Union[DiscrepancyRecord, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ResolveDiscrepancyRequest(_message.Message):
    __slots__ = ("request_id", "discrepancy_id", "accept", "adopt", "ignore", "assign", "close", "validate_only")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    DISCREPANCY_ID_FIELD_NUMBER: _ClassVar[int]
    ACCEPT_FIELD_NUMBER: _ClassVar[int]
    ADOPT_FIELD_NUMBER: _ClassVar[int]
    IGNORE_FIELD_NUMBER: _ClassVar[int]
    ASSIGN_FIELD_NUMBER: _ClassVar[int]
    CLOSE_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    discrepancy_id: str
    accept: AcceptProposal
    adopt: AdoptPosition
    ignore: IgnoreDiscrepancy
    assign: AssignToPortfolio
    close: CloseAtPrice
    validate_only: bool
    def __init__(self, request_id: _Optional[str] = ..., discrepancy_id: _Optional[str] = ..., accept: _Optional[_Union[AcceptProposal, _Mapping]] = ..., adopt: _Optional[_Union[AdoptPosition, _Mapping]] = ..., ignore: _Optional[_Union[IgnoreDiscrepancy, _Mapping]] = ..., assign: _Optional[_Union[AssignToPortfolio, _Mapping]] = ..., close: _Optional[_Union[CloseAtPrice, _Mapping]] = ..., validate_only: bool = ...) -> None: ...

class ResolveDiscrepancyResponse(_message.Message):
    __slots__ = ("discrepancy", "fills", "pnl_effect", "sequence", "replayed")
    DISCREPANCY_FIELD_NUMBER: _ClassVar[int]
    FILLS_FIELD_NUMBER: _ClassVar[int]
    PNL_EFFECT_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    REPLAYED_FIELD_NUMBER: _ClassVar[int]
    discrepancy: DiscrepancyRecord
    fills: _containers.RepeatedCompositeFieldContainer[_reconciliation_pb2.ProposedFill]
    pnl_effect: str
    sequence: int
    replayed: bool
    def __init__(self, discrepancy: _Optional[_Union[DiscrepancyRecord, _Mapping]] = ..., fills: _Optional[_Iterable[_Union[_reconciliation_pb2.ProposedFill, _Mapping]]] = ..., pnl_effect: _Optional[str] = ..., sequence: _Optional[int] = ..., replayed: bool = ...) -> None: ...

class UndoResolutionRequest(_message.Message):
    __slots__ = ("request_id", "resolution_id", "reason", "validate_only")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    RESOLUTION_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    resolution_id: str
    reason: str
    validate_only: bool
    def __init__(self, request_id: _Optional[str] = ..., resolution_id: _Optional[str] = ..., reason: _Optional[str] = ..., validate_only: bool = ...) -> None: ...

class UndoResolutionResponse(_message.Message):
    __slots__ = ("discrepancy", "busted_sequences", "pnl_effect", "sequence", "replayed")
    DISCREPANCY_FIELD_NUMBER: _ClassVar[int]
    BUSTED_SEQUENCES_FIELD_NUMBER: _ClassVar[int]
    PNL_EFFECT_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    REPLAYED_FIELD_NUMBER: _ClassVar[int]
    discrepancy: DiscrepancyRecord
    busted_sequences: _containers.RepeatedScalarFieldContainer[int]
    pnl_effect: str
    sequence: int
    replayed: bool
    def __init__(self, discrepancy: _Optional[_Union[DiscrepancyRecord, _Mapping]] = ..., busted_sequences: _Optional[_Iterable[int]] = ..., pnl_effect: _Optional[str] = ..., sequence: _Optional[int] = ..., replayed: bool = ...) -> None: ...
