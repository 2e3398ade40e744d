from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from lotkeeper.v1 import error_reason_pb2 as _error_reason_pb2
from lotkeeper.v1 import ledger_pb2 as _ledger_pb2
from lotkeeper.v1 import reconciliation_pb2 as _reconciliation_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class LatePolicy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LATE_POLICY_UNSPECIFIED: _ClassVar[LatePolicy]
    LATE_POLICY_AS_RECORDED: _ClassVar[LatePolicy]
    LATE_POLICY_IN_TIME_ORDER: _ClassVar[LatePolicy]

class ExcessPolicy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EXCESS_POLICY_UNSPECIFIED: _ClassVar[ExcessPolicy]
    EXCESS_POLICY_REJECT: _ClassVar[ExcessPolicy]
    EXCESS_POLICY_REVERSE: _ClassVar[ExcessPolicy]
LATE_POLICY_UNSPECIFIED: LatePolicy
LATE_POLICY_AS_RECORDED: LatePolicy
LATE_POLICY_IN_TIME_ORDER: LatePolicy
EXCESS_POLICY_UNSPECIFIED: ExcessPolicy
EXCESS_POLICY_REJECT: ExcessPolicy
EXCESS_POLICY_REVERSE: ExcessPolicy

class CreateEntryRequest(_message.Message):
    __slots__ = ("request_id", "portfolio_id", "symbol", "side", "quantity", "entry_price", "entry_time", "entry_order_id", "entry_fill_id", "fee", "fee_currency", "group_id", "labels", "validate_only", "late_policy", "synthetic")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PORTFOLIO_ID_FIELD_NUMBER: _ClassVar[int]
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    SIDE_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    ENTRY_PRICE_FIELD_NUMBER: _ClassVar[int]
    ENTRY_TIME_FIELD_NUMBER: _ClassVar[int]
    ENTRY_ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    ENTRY_FILL_ID_FIELD_NUMBER: _ClassVar[int]
    FEE_FIELD_NUMBER: _ClassVar[int]
    FEE_CURRENCY_FIELD_NUMBER: _ClassVar[int]
    GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    LATE_POLICY_FIELD_NUMBER: _ClassVar[int]
    SYNTHETIC_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    portfolio_id: str
    symbol: str
    side: _ledger_pb2.PositionSide
    quantity: str
    entry_price: str
    entry_time: _timestamp_pb2.Timestamp
    entry_order_id: str
    entry_fill_id: str
    fee: str
    fee_currency: str
    group_id: str
    labels: _containers.ScalarMap[str, str]
    validate_only: bool
    late_policy: LatePolicy
    synthetic: bool
    def __init__(self, request_id: _Optional[str] = ..., portfolio_id: _Optional[str] = ..., symbol: _Optional[str] = ..., side: _Optional[_Union[_ledger_pb2.PositionSide, str]] = ..., quantity: _Optional[str] = ..., entry_price: _Optional[str] = ..., entry_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., entry_order_id: _Optional[str] = ..., entry_fill_id: _Optional[str] = ..., fee: _Optional[str] = ..., fee_currency: _Optional[str] = ..., group_id: _Optional[str] = ..., labels: _Optional[_Mapping[str, str]] = ..., validate_only: bool = ..., late_policy: _Optional[_Union[LatePolicy, str]] = ..., synthetic: bool = ...) -> None: ...

class CreateEntryResponse(_message.Message):
    __slots__ = ("entry", "position", "sequence", "replayed", "restated_trades", "restated_trade_count")
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    REPLAYED_FIELD_NUMBER: _ClassVar[int]
    RESTATED_TRADES_FIELD_NUMBER: _ClassVar[int]
    RESTATED_TRADE_COUNT_FIELD_NUMBER: _ClassVar[int]
    entry: _ledger_pb2.Entry
    position: _ledger_pb2.Position
    sequence: int
    replayed: bool
    restated_trades: _containers.RepeatedCompositeFieldContainer[_ledger_pb2.RestatedTrade]
    restated_trade_count: int
    def __init__(self, entry: _Optional[_Union[_ledger_pb2.Entry, _Mapping]] = ..., position: _Optional[_Union[_ledger_pb2.Position, _Mapping]] = ..., sequence: _Optional[int] = ..., replayed: bool = ..., restated_trades: _Optional[_Iterable[_Union[_ledger_pb2.RestatedTrade, _Mapping]]] = ..., restated_trade_count: _Optional[int] = ...) -> None: ...

class CloseFifoRequest(_message.Message):
    __slots__ = ("request_id", "portfolio_id", "symbol", "side", "quantity", "close_all", "exit_price", "exit_time", "exit_reason", "exit_order_id", "exit_fill_id", "fee", "fee_currency", "excess_policy", "validate_only", "lots", "late_policy")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PORTFOLIO_ID_FIELD_NUMBER: _ClassVar[int]
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    SIDE_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    CLOSE_ALL_FIELD_NUMBER: _ClassVar[int]
    EXIT_PRICE_FIELD_NUMBER: _ClassVar[int]
    EXIT_TIME_FIELD_NUMBER: _ClassVar[int]
    EXIT_REASON_FIELD_NUMBER: _ClassVar[int]
    EXIT_ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    EXIT_FILL_ID_FIELD_NUMBER: _ClassVar[int]
    FEE_FIELD_NUMBER: _ClassVar[int]
    FEE_CURRENCY_FIELD_NUMBER: _ClassVar[int]
    EXCESS_POLICY_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    LOTS_FIELD_NUMBER: _ClassVar[int]
    LATE_POLICY_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    portfolio_id: str
    symbol: str
    side: _ledger_pb2.PositionSide
    quantity: str
    close_all: bool
    exit_price: str
    exit_time: _timestamp_pb2.Timestamp
    exit_reason: str
    exit_order_id: str
    exit_fill_id: str
    fee: str
    fee_currency: str
    excess_policy: ExcessPolicy
    validate_only: bool
    lots: _containers.RepeatedCompositeFieldContainer[_ledger_pb2.LotChoice]
    late_policy: LatePolicy
    def __init__(self, request_id: _Optional[str] = ..., portfolio_id: _Optional[str] = ..., symbol: _Optional[str] = ..., side: _Optional[_Union[_ledger_pb2.PositionSide, str]] = ..., quantity: _Optional[str] = ..., close_all: bool = ..., exit_price: _Optional[str] = ..., exit_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., exit_reason: _Optional[str] = ..., exit_order_id: _Optional[str] = ..., exit_fill_id: _Optional[str] = ..., fee: _Optional[str] = ..., fee_currency: _Optional[str] = ..., excess_policy: _Optional[_Union[ExcessPolicy, str]] = ..., validate_only: bool = ..., lots: _Optional[_Iterable[_Union[_ledger_pb2.LotChoice, _Mapping]]] = ..., late_policy: _Optional[_Union[LatePolicy, str]] = ...) -> None: ...

class CloseFifoResponse(_message.Message):
    __slots__ = ("closed_trades", "opened_entry", "position", "closed_quantity", "gross_pnl", "fees", "net_pnl", "sequence", "replayed", "closed_trade_count", "restated_trades", "restated_trade_count")
    CLOSED_TRADES_FIELD_NUMBER: _ClassVar[int]
    OPENED_ENTRY_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    CLOSED_QUANTITY_FIELD_NUMBER: _ClassVar[int]
    GROSS_PNL_FIELD_NUMBER: _ClassVar[int]
    FEES_FIELD_NUMBER: _ClassVar[int]
    NET_PNL_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    REPLAYED_FIELD_NUMBER: _ClassVar[int]
    CLOSED_TRADE_COUNT_FIELD_NUMBER: _ClassVar[int]
    RESTATED_TRADES_FIELD_NUMBER: _ClassVar[int]
    RESTATED_TRADE_COUNT_FIELD_NUMBER: _ClassVar[int]
    closed_trades: _containers.RepeatedCompositeFieldContainer[_ledger_pb2.ClosedTrade]
    opened_entry: _ledger_pb2.Entry
    position: _ledger_pb2.Position
    closed_quantity: str
    gross_pnl: str
    fees: str
    net_pnl: str
    sequence: int
    replayed: bool
    closed_trade_count: int
    restated_trades: _containers.RepeatedCompositeFieldContainer[_ledger_pb2.RestatedTrade]
    restated_trade_count: int
    def __init__(self, closed_trades: _Optional[_Iterable[_Union[_ledger_pb2.ClosedTrade, _Mapping]]] = ..., opened_entry: _Optional[_Union[_ledger_pb2.Entry, _Mapping]] = ..., position: _Optional[_Union[_ledger_pb2.Position, _Mapping]] = ..., closed_quantity: _Optional[str] = ..., gross_pnl: _Optional[str] = ..., fees: _Optional[str] = ..., net_pnl: _Optional[str] = ..., sequence: _Optional[int] = ..., replayed: bool = ..., closed_trade_count: _Optional[int] = ..., restated_trades: _Optional[_Iterable[_Union[_ledger_pb2.RestatedTrade, _Mapping]]] = ..., restated_trade_count: _Optional[int] = ...) -> None: ...

class RecordFillRequest(_message.Message):
    __slots__ = ("request_id", "portfolio_id", "fill", "reason", "group_id", "labels", "validate_only", "excess_policy", "lots", "late_policy")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PORTFOLIO_ID_FIELD_NUMBER: _ClassVar[int]
    FILL_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    EXCESS_POLICY_FIELD_NUMBER: _ClassVar[int]
    LOTS_FIELD_NUMBER: _ClassVar[int]
    LATE_POLICY_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    portfolio_id: str
    fill: _ledger_pb2.Fill
    reason: str
    group_id: str
    labels: _containers.ScalarMap[str, str]
    validate_only: bool
    excess_policy: ExcessPolicy
    lots: _containers.RepeatedCompositeFieldContainer[_ledger_pb2.LotChoice]
    late_policy: LatePolicy
    def __init__(self, request_id: _Optional[str] = ..., portfolio_id: _Optional[str] = ..., fill: _Optional[_Union[_ledger_pb2.Fill, _Mapping]] = ..., reason: _Optional[str] = ..., group_id: _Optional[str] = ..., labels: _Optional[_Mapping[str, str]] = ..., validate_only: bool = ..., excess_policy: _Optional[_Union[ExcessPolicy, str]] = ..., lots: _Optional[_Iterable[_Union[_ledger_pb2.LotChoice, _Mapping]]] = ..., late_policy: _Optional[_Union[LatePolicy, str]] = ...) -> None: ...

class RecordFillResponse(_message.Message):
    __slots__ = ("opened_entry", "closed_trades", "position", "sequence", "replayed", "closed_trade_count", "restated_trades", "restated_trade_count")
    OPENED_ENTRY_FIELD_NUMBER: _ClassVar[int]
    CLOSED_TRADES_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    REPLAYED_FIELD_NUMBER: _ClassVar[int]
    CLOSED_TRADE_COUNT_FIELD_NUMBER: _ClassVar[int]
    RESTATED_TRADES_FIELD_NUMBER: _ClassVar[int]
    RESTATED_TRADE_COUNT_FIELD_NUMBER: _ClassVar[int]
    opened_entry: _ledger_pb2.Entry
    closed_trades: _containers.RepeatedCompositeFieldContainer[_ledger_pb2.ClosedTrade]
    position: _ledger_pb2.Position
    sequence: int
    replayed: bool
    closed_trade_count: int
    restated_trades: _containers.RepeatedCompositeFieldContainer[_ledger_pb2.RestatedTrade]
    restated_trade_count: int
    def __init__(self, opened_entry: _Optional[_Union[_ledger_pb2.Entry, _Mapping]] = ..., closed_trades: _Optional[_Iterable[_Union[_ledger_pb2.ClosedTrade, _Mapping]]] = ..., position: _Optional[_Union[_ledger_pb2.Position, _Mapping]] = ..., sequence: _Optional[int] = ..., replayed: bool = ..., closed_trade_count: _Optional[int] = ..., restated_trades: _Optional[_Iterable[_Union[_ledger_pb2.RestatedTrade, _Mapping]]] = ..., restated_trade_count: _Optional[int] = ...) -> None: ...

class RecordFillsRequest(_message.Message):
    __slots__ = ("portfolio_id", "fills", "excess_policy", "late_policy")
    PORTFOLIO_ID_FIELD_NUMBER: _ClassVar[int]
    FILLS_FIELD_NUMBER: _ClassVar[int]
    EXCESS_POLICY_FIELD_NUMBER: _ClassVar[int]
    LATE_POLICY_FIELD_NUMBER: _ClassVar[int]
    portfolio_id: str
    fills: _containers.RepeatedCompositeFieldContainer[_ledger_pb2.Fill]
    excess_policy: ExcessPolicy
    late_policy: LatePolicy
    def __init__(self, portfolio_id: _Optional[str] = ..., fills: _Optional[_Iterable[_Union[_ledger_pb2.Fill, _Mapping]]] = ..., excess_policy: _Optional[_Union[ExcessPolicy, str]] = ..., late_policy: _Optional[_Union[LatePolicy, str]] = ...) -> None: ...

class RecordFillsResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[FillResult]
    def __init__(self, results: _Optional[_Iterable[_Union[FillResult, _Mapping]]] = ...) -> None: ...

class FillResult(_message.Message):
    __slots__ = ("fill_id", "sequence", "replayed", "net_pnl", "refusal", "message")
    FILL_ID_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    REPLAYED_FIELD_NUMBER: _ClassVar[int]
    NET_PNL_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    fill_id: str
    sequence: int
    replayed: bool
    net_pnl: str
    refusal: _error_reason_pb2.ErrorReason
    message: str
    def __init__(self, fill_id: _Optional[str] = ..., sequence: _Optional[int] = ..., replayed: bool = ..., net_pnl: _Optional[str] = ..., refusal: _Optional[_Union[_error_reason_pb2.ErrorReason, str]] = ..., message: _Optional[str] = ...) -> None: ...

class GetSummaryRequest(_message.Message):
    __slots__ = ("portfolio_id", "symbols", "include_entries", "include_flat", "as_of_sequence", "page_size", "page_token", "as_of_time", "lot_method", "marks", "include_groups", "group_ids")
    PORTFOLIO_ID_FIELD_NUMBER: _ClassVar[int]
    SYMBOLS_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_ENTRIES_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_FLAT_FIELD_NUMBER: _ClassVar[int]
    AS_OF_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    AS_OF_TIME_FIELD_NUMBER: _ClassVar[int]
    LOT_METHOD_FIELD_NUMBER: _ClassVar[int]
    MARKS_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_GROUPS_FIELD_NUMBER: _ClassVar[int]
    GROUP_IDS_FIELD_NUMBER: _ClassVar[int]
    portfolio_id: str
    symbols: _containers.RepeatedScalarFieldContainer[str]
    include_entries: bool
    include_flat: bool
    as_of_sequence: int
    page_size: int
    page_token: str
    as_of_time: _timestamp_pb2.Timestamp
    lot_method: _ledger_pb2.LotMethod
    marks: _containers.RepeatedCompositeFieldContainer[ScenarioMark]
    include_groups: bool
    group_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, portfolio_id: _Optional[str] = ..., symbols: _Optional[_Iterable[str]] = ..., include_entries: bool = ..., include_flat: bool = ..., as_of_sequence: _Optional[int] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., as_of_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., lot_method: _Optional[_Union[_ledger_pb2.LotMethod, str]] = ..., marks: _Optional[_Iterable[_Union[ScenarioMark, _Mapping]]] = ..., include_groups: bool = ..., group_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class ScenarioMark(_message.Message):
    __slots__ = ("symbol", "price")
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    price: str
    def __init__(self, symbol: _Optional[str] = ..., price: _Optional[str] = ...) -> None: ...

class GetSummaryResponse(_message.Message):
    __slots__ = ("positions", "totals", "sequence", "ledger_id", "next_page_token", "base_totals", "groups")
    POSITIONS_FIELD_NUMBER: _ClassVar[int]
    TOTALS_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    LEDGER_ID_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    BASE_TOTALS_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    positions: _containers.RepeatedCompositeFieldContainer[_ledger_pb2.Position]
    totals: _containers.RepeatedCompositeFieldContainer[_ledger_pb2.Totals]
    sequence: int
    ledger_id: str
    next_page_token: str
    base_totals: _ledger_pb2.BaseTotals
    groups: _containers.RepeatedCompositeFieldContainer[_ledger_pb2.GroupPnL]
    def __init__(self, positions: _Optional[_Iterable[_Union[_ledger_pb2.Position, _Mapping]]] = ..., totals: _Optional[_Iterable[_Union[_ledger_pb2.Totals, _Mapping]]] = ..., sequence: _Optional[int] = ..., ledger_id: _Optional[str] = ..., next_page_token: _Optional[str] = ..., base_totals: _Optional[_Union[_ledger_pb2.BaseTotals, _Mapping]] = ..., groups: _Optional[_Iterable[_Union[_ledger_pb2.GroupPnL, _Mapping]]] = ...) -> None: ...

class StreamPnLRequest(_message.Message):
    __slots__ = ("portfolio_ids", "symbols", "after_sequence", "ledger_id", "min_update_interval", "heartbeat_interval")
    PORTFOLIO_IDS_FIELD_NUMBER: _ClassVar[int]
    SYMBOLS_FIELD_NUMBER: _ClassVar[int]
    AFTER_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    LEDGER_ID_FIELD_NUMBER: _ClassVar[int]
    MIN_UPDATE_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    portfolio_ids: _containers.RepeatedScalarFieldContainer[str]
    symbols: _containers.RepeatedScalarFieldContainer[str]
    after_sequence: int
    ledger_id: str
    min_update_interval: _duration_pb2.Duration
    heartbeat_interval: _duration_pb2.Duration
    def __init__(self, portfolio_ids: _Optional[_Iterable[str]] = ..., symbols: _Optional[_Iterable[str]] = ..., after_sequence: _Optional[int] = ..., ledger_id: _Optional[str] = ..., min_update_interval: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., heartbeat_interval: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class StreamPnLResponse(_message.Message):
    __slots__ = ("sequence", "ledger_id", "emit_time", "snapshot", "update", "heartbeat")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    LEDGER_ID_FIELD_NUMBER: _ClassVar[int]
    EMIT_TIME_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    UPDATE_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    ledger_id: str
    emit_time: _timestamp_pb2.Timestamp
    snapshot: PnLSnapshot
    update: PnLUpdate
    heartbeat: Heartbeat
    def __init__(self, sequence: _Optional[int] = ..., ledger_id: _Optional[str] = ..., emit_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., snapshot: _Optional[_Union[PnLSnapshot, _Mapping]] = ..., update: _Optional[_Union[PnLUpdate, _Mapping]] = ..., heartbeat: _Optional[_Union[Heartbeat, _Mapping]] = ...) -> None: ...

class PnLSnapshot(_message.Message):
    __slots__ = ("positions", "totals", "more", "groups")
    POSITIONS_FIELD_NUMBER: _ClassVar[int]
    TOTALS_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    positions: _containers.RepeatedCompositeFieldContainer[_ledger_pb2.Position]
    totals: _containers.RepeatedCompositeFieldContainer[PortfolioTotals]
    more: bool
    groups: _containers.RepeatedCompositeFieldContainer[_ledger_pb2.GroupPnL]
    def __init__(self, positions: _Optional[_Iterable[_Union[_ledger_pb2.Position, _Mapping]]] = ..., totals: _Optional[_Iterable[_Union[PortfolioTotals, _Mapping]]] = ..., more: bool = ..., groups: _Optional[_Iterable[_Union[_ledger_pb2.GroupPnL, _Mapping]]] = ...) -> None: ...

class PnLUpdate(_message.Message):
    __slots__ = ("positions", "totals", "closed_trades", "conflated_count", "opened_entries", "restated_trades", "groups")
    POSITIONS_FIELD_NUMBER: _ClassVar[int]
    TOTALS_FIELD_NUMBER: _ClassVar[int]
    CLOSED_TRADES_FIELD_NUMBER: _ClassVar[int]
    CONFLATED_COUNT_FIELD_NUMBER: _ClassVar[int]
    OPENED_ENTRIES_FIELD_NUMBER: _ClassVar[int]
    RESTATED_TRADES_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    positions: _containers.RepeatedCompositeFieldContainer[_ledger_pb2.Position]
    totals: _containers.RepeatedCompositeFieldContainer[PortfolioTotals]
    closed_trades: _containers.RepeatedCompositeFieldContainer[_ledger_pb2.ClosedTrade]
    conflated_count: int
    opened_entries: _containers.RepeatedCompositeFieldContainer[_ledger_pb2.Entry]
    restated_trades: _containers.RepeatedCompositeFieldContainer[_ledger_pb2.RestatedTrade]
    groups: _containers.RepeatedCompositeFieldContainer[_ledger_pb2.GroupPnL]
    def __init__(self, positions: _Optional[_Iterable[_Union[_ledger_pb2.Position, _Mapping]]] = ..., totals: _Optional[_Iterable[_Union[PortfolioTotals, _Mapping]]] = ..., closed_trades: _Optional[_Iterable[_Union[_ledger_pb2.ClosedTrade, _Mapping]]] = ..., conflated_count: _Optional[int] = ..., opened_entries: _Optional[_Iterable[_Union[_ledger_pb2.Entry, _Mapping]]] = ..., restated_trades: _Optional[_Iterable[_Union[_ledger_pb2.RestatedTrade, _Mapping]]] = ..., groups: _Optional[_Iterable[_Union[_ledger_pb2.GroupPnL, _Mapping]]] = ...) -> None: ...

class Heartbeat(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class PortfolioTotals(_message.Message):
    __slots__ = ("portfolio_id", "totals", "base_totals")
    PORTFOLIO_ID_FIELD_NUMBER: _ClassVar[int]
    TOTALS_FIELD_NUMBER: _ClassVar[int]
    BASE_TOTALS_FIELD_NUMBER: _ClassVar[int]
    portfolio_id: str
    totals: _containers.RepeatedCompositeFieldContainer[_ledger_pb2.Totals]
    base_totals: _ledger_pb2.BaseTotals
    def __init__(self, portfolio_id: _Optional[str] = ..., totals: _Optional[_Iterable[_Union[_ledger_pb2.Totals, _Mapping]]] = ..., base_totals: _Optional[_Union[_ledger_pb2.BaseTotals, _Mapping]] = ...) -> None: ...

class ListEntriesRequest(_message.Message):
    __slots__ = ("portfolio_id", "symbol", "statuses", "page_size", "page_token")
    PORTFOLIO_ID_FIELD_NUMBER: _ClassVar[int]
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    STATUSES_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    portfolio_id: str
    symbol: str
    statuses: _containers.RepeatedScalarFieldContainer[_ledger_pb2.EntryStatus]
    page_size: int
    page_token: str
    def __init__(self, portfolio_id: _Optional[str] = ..., symbol: _Optional[str] = ..., statuses: _Optional[_Iterable[_Union[_ledger_pb2.EntryStatus, str]]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListEntriesResponse(_message.Message):
    __slots__ = ("entries", "next_page_token")
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedCompositeFieldContainer[_ledger_pb2.Entry]
    next_page_token: str
    def __init__(self, entries: _Optional[_Iterable[_Union[_ledger_pb2.Entry, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ListClosedTradesRequest(_message.Message):
    __slots__ = ("portfolio_id", "symbol", "start_time", "end_time", "page_size", "page_token", "sequence", "exit_fill_id", "group_id", "labels", "include_superseded", "day")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    PORTFOLIO_ID_FIELD_NUMBER: _ClassVar[int]
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    EXIT_FILL_ID_FIELD_NUMBER: _ClassVar[int]
    GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_SUPERSEDED_FIELD_NUMBER: _ClassVar[int]
    DAY_FIELD_NUMBER: _ClassVar[int]
    portfolio_id: str
    symbol: str
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    page_size: int
    page_token: str
    sequence: int
    exit_fill_id: str
    group_id: str
    labels: _containers.ScalarMap[str, str]
    include_superseded: bool
    day: str
    def __init__(self, portfolio_id: _Optional[str] = ..., symbol: _Optional[str] = ..., start_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., sequence: _Optional[int] = ..., exit_fill_id: _Optional[str] = ..., group_id: _Optional[str] = ..., labels: _Optional[_Mapping[str, str]] = ..., include_superseded: bool = ..., day: _Optional[str] = ...) -> None: ...

class ListClosedTradesResponse(_message.Message):
    __slots__ = ("closed_trades", "next_page_token", "totals")
    CLOSED_TRADES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    TOTALS_FIELD_NUMBER: _ClassVar[int]
    closed_trades: _containers.RepeatedCompositeFieldContainer[_ledger_pb2.ClosedTrade]
    next_page_token: str
    totals: _containers.RepeatedCompositeFieldContainer[_ledger_pb2.Totals]
    def __init__(self, closed_trades: _Optional[_Iterable[_Union[_ledger_pb2.ClosedTrade, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., totals: _Optional[_Iterable[_Union[_ledger_pb2.Totals, _Mapping]]] = ...) -> None: ...
