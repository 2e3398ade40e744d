from google.protobuf import timestamp_pb2 as _timestamp_pb2
from lotkeeper.v1 import ledger_pb2 as _ledger_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RecordKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RECORD_KIND_UNSPECIFIED: _ClassVar[RecordKind]
    RECORD_KIND_FILL: _ClassVar[RecordKind]
    RECORD_KIND_BUST: _ClassVar[RecordKind]
    RECORD_KIND_CORRECTION: _ClassVar[RecordKind]
    RECORD_KIND_LATE_FILL: _ClassVar[RecordKind]
    RECORD_KIND_CORPORATE_ACTION: _ClassVar[RecordKind]
    RECORD_KIND_SETTLEMENT: _ClassVar[RecordKind]
RECORD_KIND_UNSPECIFIED: RecordKind
RECORD_KIND_FILL: RecordKind
RECORD_KIND_BUST: RecordKind
RECORD_KIND_CORRECTION: RecordKind
RECORD_KIND_LATE_FILL: RecordKind
RECORD_KIND_CORPORATE_ACTION: RecordKind
RECORD_KIND_SETTLEMENT: RecordKind

class ExplainLine(_message.Message):
    __slots__ = ("sequence", "kind", "fill_time", "record_time", "fill_id", "order_id", "side", "quantity", "price", "fee", "fee_rate", "quantity_change", "cost_change", "gross_pnl_change", "fees_change", "open_fees_change", "explanation")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    FILL_TIME_FIELD_NUMBER: _ClassVar[int]
    RECORD_TIME_FIELD_NUMBER: _ClassVar[int]
    FILL_ID_FIELD_NUMBER: _ClassVar[int]
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    SIDE_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    FEE_FIELD_NUMBER: _ClassVar[int]
    FEE_RATE_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_CHANGE_FIELD_NUMBER: _ClassVar[int]
    COST_CHANGE_FIELD_NUMBER: _ClassVar[int]
    GROSS_PNL_CHANGE_FIELD_NUMBER: _ClassVar[int]
    FEES_CHANGE_FIELD_NUMBER: _ClassVar[int]
    OPEN_FEES_CHANGE_FIELD_NUMBER: _ClassVar[int]
    EXPLANATION_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    kind: RecordKind
    fill_time: _timestamp_pb2.Timestamp
    record_time: _timestamp_pb2.Timestamp
    fill_id: str
    order_id: str
    side: _ledger_pb2.Side
    quantity: str
    price: str
    fee: _ledger_pb2.Money
    fee_rate: _ledger_pb2.ConversionRate
    quantity_change: str
    cost_change: str
    gross_pnl_change: str
    fees_change: str
    open_fees_change: str
    explanation: str
    def __init__(self, sequence: _Optional[int] = ..., kind: _Optional[_Union[RecordKind, str]] = ..., fill_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., record_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., fill_id: _Optional[str] = ..., order_id: _Optional[str] = ..., side: _Optional[_Union[_ledger_pb2.Side, str]] = ..., quantity: _Optional[str] = ..., price: _Optional[str] = ..., fee: _Optional[_Union[_ledger_pb2.Money, _Mapping]] = ..., fee_rate: _Optional[_Union[_ledger_pb2.ConversionRate, _Mapping]] = ..., quantity_change: _Optional[str] = ..., cost_change: _Optional[str] = ..., gross_pnl_change: _Optional[str] = ..., fees_change: _Optional[str] = ..., open_fees_change: _Optional[str] = ..., explanation: _Optional[str] = ...) -> None: ...

class ExplainTradeRequest(_message.Message):
    __slots__ = ("portfolio_id", "trade_id")
    PORTFOLIO_ID_FIELD_NUMBER: _ClassVar[int]
    TRADE_ID_FIELD_NUMBER: _ClassVar[int]
    portfolio_id: str
    trade_id: str
    def __init__(self, portfolio_id: _Optional[str] = ..., trade_id: _Optional[str] = ...) -> None: ...

class ExplainTradeResponse(_message.Message):
    __slots__ = ("trade", "lines", "superseded_trades")
    TRADE_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    SUPERSEDED_TRADES_FIELD_NUMBER: _ClassVar[int]
    trade: _ledger_pb2.ClosedTrade
    lines: _containers.RepeatedCompositeFieldContainer[ExplainLine]
    superseded_trades: _containers.RepeatedCompositeFieldContainer[_ledger_pb2.ClosedTrade]
    def __init__(self, trade: _Optional[_Union[_ledger_pb2.ClosedTrade, _Mapping]] = ..., lines: _Optional[_Iterable[_Union[ExplainLine, _Mapping]]] = ..., superseded_trades: _Optional[_Iterable[_Union[_ledger_pb2.ClosedTrade, _Mapping]]] = ...) -> None: ...

class ExplainPositionRequest(_message.Message):
    __slots__ = ("portfolio_id", "symbol", "book_side", "page_size", "page_token")
    PORTFOLIO_ID_FIELD_NUMBER: _ClassVar[int]
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    BOOK_SIDE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    portfolio_id: str
    symbol: str
    book_side: _ledger_pb2.PositionSide
    page_size: int
    page_token: str
    def __init__(self, portfolio_id: _Optional[str] = ..., symbol: _Optional[str] = ..., book_side: _Optional[_Union[_ledger_pb2.PositionSide, str]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ExplainPositionResponse(_message.Message):
    __slots__ = ("position", "lines", "sequence", "next_page_token")
    POSITION_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    position: _ledger_pb2.Position
    lines: _containers.RepeatedCompositeFieldContainer[ExplainLine]
    sequence: int
    next_page_token: str
    def __init__(self, position: _Optional[_Union[_ledger_pb2.Position, _Mapping]] = ..., lines: _Optional[_Iterable[_Union[ExplainLine, _Mapping]]] = ..., sequence: _Optional[int] = ..., next_page_token: _Optional[str] = ...) -> None: ...
