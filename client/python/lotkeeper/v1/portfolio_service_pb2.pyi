from google.protobuf import timestamp_pb2 as _timestamp_pb2
from lotkeeper.v1 import ledger_pb2 as _ledger_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PositionMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    POSITION_MODE_UNSPECIFIED: _ClassVar[PositionMode]
    POSITION_MODE_NETTING: _ClassVar[PositionMode]
    POSITION_MODE_HEDGING: _ClassVar[PositionMode]

class TradingMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TRADING_MODE_UNSPECIFIED: _ClassVar[TradingMode]
    TRADING_MODE_LIVE: _ClassVar[TradingMode]
    TRADING_MODE_PAPER: _ClassVar[TradingMode]
POSITION_MODE_UNSPECIFIED: PositionMode
POSITION_MODE_NETTING: PositionMode
POSITION_MODE_HEDGING: PositionMode
TRADING_MODE_UNSPECIFIED: TradingMode
TRADING_MODE_LIVE: TradingMode
TRADING_MODE_PAPER: TradingMode

class Portfolio(_message.Message):
    __slots__ = ("portfolio_id", "base_currency", "initial_cash", "position_mode", "long_only", "trading_mode", "broker_account", "lot_method", "time_zone", "fees_later", "description", "closed", "create_time", "sequence")
    PORTFOLIO_ID_FIELD_NUMBER: _ClassVar[int]
    BASE_CURRENCY_FIELD_NUMBER: _ClassVar[int]
    INITIAL_CASH_FIELD_NUMBER: _ClassVar[int]
    POSITION_MODE_FIELD_NUMBER: _ClassVar[int]
    LONG_ONLY_FIELD_NUMBER: _ClassVar[int]
    TRADING_MODE_FIELD_NUMBER: _ClassVar[int]
    BROKER_ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    LOT_METHOD_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    FEES_LATER_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    CLOSED_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    portfolio_id: str
    base_currency: str
    initial_cash: _containers.RepeatedCompositeFieldContainer[_ledger_pb2.Money]
    position_mode: PositionMode
    long_only: bool
    trading_mode: TradingMode
    broker_account: str
    lot_method: _ledger_pb2.LotMethod
    time_zone: str
    fees_later: bool
    description: str
    closed: bool
    create_time: _timestamp_pb2.Timestamp
    sequence: int
    def __init__(self, portfolio_id: _Optional[str] = ..., base_currency: _Optional[str] = ..., initial_cash: _Optional[_Iterable[_Union[_ledger_pb2.Money, _Mapping]]] = ..., position_mode: _Optional[_Union[PositionMode, str]] = ..., long_only: bool = ..., trading_mode: _Optional[_Union[TradingMode, str]] = ..., broker_account: _Optional[str] = ..., lot_method: _Optional[_Union[_ledger_pb2.LotMethod, str]] = ..., time_zone: _Optional[str] = ..., fees_later: bool = ..., description: _Optional[str] = ..., closed: bool = ..., create_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., sequence: _Optional[int] = ...) -> None: ...

class CreatePortfolioRequest(_message.Message):
    __slots__ = ("request_id", "portfolio", "validate_only")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PORTFOLIO_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    portfolio: Portfolio
    validate_only: bool
    def __init__(self, request_id: _Optional[str] = ..., portfolio: _Optional[_Union[Portfolio, _Mapping]] = ..., validate_only: bool = ...) -> None: ...

class CreatePortfolioResponse(_message.Message):
    __slots__ = ("portfolio", "sequence", "replayed")
    PORTFOLIO_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    REPLAYED_FIELD_NUMBER: _ClassVar[int]
    portfolio: Portfolio
    sequence: int
    replayed: bool
    def __init__(self, portfolio: _Optional[_Union[Portfolio, _Mapping]] = ..., sequence: _Optional[int] = ..., replayed: bool = ...) -> None: ...

class UpdatePortfolioRequest(_message.Message):
    __slots__ = ("request_id", "portfolio_id", "base_currency", "initial_cash", "position_mode", "long_only", "trading_mode", "broker_account", "lot_method", "time_zone", "fees_later", "description", "validate_only")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PORTFOLIO_ID_FIELD_NUMBER: _ClassVar[int]
    BASE_CURRENCY_FIELD_NUMBER: _ClassVar[int]
    INITIAL_CASH_FIELD_NUMBER: _ClassVar[int]
    POSITION_MODE_FIELD_NUMBER: _ClassVar[int]
    LONG_ONLY_FIELD_NUMBER: _ClassVar[int]
    TRADING_MODE_FIELD_NUMBER: _ClassVar[int]
    BROKER_ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    LOT_METHOD_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    FEES_LATER_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    portfolio_id: str
    base_currency: str
    initial_cash: _containers.RepeatedCompositeFieldContainer[_ledger_pb2.Money]
    position_mode: PositionMode
    long_only: bool
    trading_mode: TradingMode
    broker_account: str
    lot_method: _ledger_pb2.LotMethod
    time_zone: str
    fees_later: bool
    description: str
    validate_only: bool
    def __init__(self, request_id: _Optional[str] = ..., portfolio_id: _Optional[str] = ..., base_currency: _Optional[str] = ..., initial_cash: _Optional[_Iterable[_Union[_ledger_pb2.Money, _Mapping]]] = ..., position_mode: _Optional[_Union[PositionMode, str]] = ..., long_only: bool = ..., trading_mode: _Optional[_Union[TradingMode, str]] = ..., broker_account: _Optional[str] = ..., lot_method: _Optional[_Union[_ledger_pb2.LotMethod, str]] = ..., time_zone: _Optional[str] = ..., fees_later: bool = ..., description: _Optional[str] = ..., validate_only: bool = ...) -> None: ...

class UpdatePortfolioResponse(_message.Message):
    __slots__ = ("portfolio", "sequence", "replayed")
    PORTFOLIO_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    REPLAYED_FIELD_NUMBER: _ClassVar[int]
    portfolio: Portfolio
    sequence: int
    replayed: bool
    def __init__(self, portfolio: _Optional[_Union[Portfolio, _Mapping]] = ..., sequence: _Optional[int] = ..., replayed: bool = ...) -> None: ...

class ClosePortfolioRequest(_message.Message):
    __slots__ = ("request_id", "portfolio_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PORTFOLIO_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    portfolio_id: str
    def __init__(self, request_id: _Optional[str] = ..., portfolio_id: _Optional[str] = ...) -> None: ...

class ClosePortfolioResponse(_message.Message):
    __slots__ = ("portfolio", "sequence", "replayed")
    PORTFOLIO_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    REPLAYED_FIELD_NUMBER: _ClassVar[int]
    portfolio: Portfolio
    sequence: int
    replayed: bool
    def __init__(self, portfolio: _Optional[_Union[Portfolio, _Mapping]] = ..., sequence: _Optional[int] = ..., replayed: bool = ...) -> None: ...

class ListPortfoliosRequest(_message.Message):
    __slots__ = ("portfolio_ids", "include_closed", "page_size", "page_token")
    PORTFOLIO_IDS_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_CLOSED_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    portfolio_ids: _containers.RepeatedScalarFieldContainer[str]
    include_closed: bool
    page_size: int
    page_token: str
    def __init__(self, portfolio_ids: _Optional[_Iterable[str]] = ..., include_closed: bool = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListPortfoliosResponse(_message.Message):
    __slots__ = ("portfolios", "next_page_token")
    PORTFOLIOS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    portfolios: _containers.RepeatedCompositeFieldContainer[Portfolio]
    next_page_token: str
    def __init__(self, portfolios: _Optional[_Iterable[_Union[Portfolio, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
