from google.protobuf import timestamp_pb2 as _timestamp_pb2
from lotkeeper.v1 import ledger_pb2 as _ledger_pb2
from lotkeeper.v1 import ledger_service_pb2 as _ledger_service_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Deposit(_message.Message):
    __slots__ = ("money",)
    MONEY_FIELD_NUMBER: _ClassVar[int]
    money: _ledger_pb2.Money
    def __init__(self, money: _Optional[_Union[_ledger_pb2.Money, _Mapping]] = ...) -> None: ...

class Withdrawal(_message.Message):
    __slots__ = ("money",)
    MONEY_FIELD_NUMBER: _ClassVar[int]
    money: _ledger_pb2.Money
    def __init__(self, money: _Optional[_Union[_ledger_pb2.Money, _Mapping]] = ...) -> None: ...

class Funding(_message.Message):
    __slots__ = ("symbol", "money")
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    MONEY_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    money: _ledger_pb2.Money
    def __init__(self, symbol: _Optional[str] = ..., money: _Optional[_Union[_ledger_pb2.Money, _Mapping]] = ...) -> None: ...

class Interest(_message.Message):
    __slots__ = ("money",)
    MONEY_FIELD_NUMBER: _ClassVar[int]
    money: _ledger_pb2.Money
    def __init__(self, money: _Optional[_Union[_ledger_pb2.Money, _Mapping]] = ...) -> None: ...

class Dividend(_message.Message):
    __slots__ = ("symbol", "money")
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    MONEY_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    money: _ledger_pb2.Money
    def __init__(self, symbol: _Optional[str] = ..., money: _Optional[_Union[_ledger_pb2.Money, _Mapping]] = ...) -> None: ...

class Charge(_message.Message):
    __slots__ = ("money",)
    MONEY_FIELD_NUMBER: _ClassVar[int]
    money: _ledger_pb2.Money
    def __init__(self, money: _Optional[_Union[_ledger_pb2.Money, _Mapping]] = ...) -> None: ...

class FillFee(_message.Message):
    __slots__ = ("symbol", "fill_id", "fee")
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    FILL_ID_FIELD_NUMBER: _ClassVar[int]
    FEE_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    fill_id: str
    fee: _ledger_pb2.Money
    def __init__(self, symbol: _Optional[str] = ..., fill_id: _Optional[str] = ..., fee: _Optional[_Union[_ledger_pb2.Money, _Mapping]] = ...) -> None: ...

class FeeRate(_message.Message):
    __slots__ = ("fee_currency", "quote_currency", "rate", "source")
    FEE_CURRENCY_FIELD_NUMBER: _ClassVar[int]
    QUOTE_CURRENCY_FIELD_NUMBER: _ClassVar[int]
    RATE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    fee_currency: str
    quote_currency: str
    rate: str
    source: str
    def __init__(self, fee_currency: _Optional[str] = ..., quote_currency: _Optional[str] = ..., rate: _Optional[str] = ..., source: _Optional[str] = ...) -> None: ...

class Split(_message.Message):
    __slots__ = ("symbol", "numerator", "denominator", "cash_in_lieu")
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    NUMERATOR_FIELD_NUMBER: _ClassVar[int]
    DENOMINATOR_FIELD_NUMBER: _ClassVar[int]
    CASH_IN_LIEU_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    numerator: int
    denominator: int
    cash_in_lieu: str
    def __init__(self, symbol: _Optional[str] = ..., numerator: _Optional[int] = ..., denominator: _Optional[int] = ..., cash_in_lieu: _Optional[str] = ...) -> None: ...

class SymbolChange(_message.Message):
    __slots__ = ("from_symbol", "to_symbol")
    FROM_SYMBOL_FIELD_NUMBER: _ClassVar[int]
    TO_SYMBOL_FIELD_NUMBER: _ClassVar[int]
    from_symbol: str
    to_symbol: str
    def __init__(self, from_symbol: _Optional[str] = ..., to_symbol: _Optional[str] = ...) -> None: ...

class Expiry(_message.Message):
    __slots__ = ("symbol",)
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    def __init__(self, symbol: _Optional[str] = ...) -> None: ...

class Exercise(_message.Message):
    __slots__ = ("symbol", "quantity", "fee")
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    FEE_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    quantity: str
    fee: str
    def __init__(self, symbol: _Optional[str] = ..., quantity: _Optional[str] = ..., fee: _Optional[str] = ...) -> None: ...

class Assignment(_message.Message):
    __slots__ = ("symbol", "quantity", "fee")
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    FEE_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    quantity: str
    fee: str
    def __init__(self, symbol: _Optional[str] = ..., quantity: _Optional[str] = ..., fee: _Optional[str] = ...) -> None: ...

class CashSettlement(_message.Message):
    __slots__ = ("symbol", "price", "fee")
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    FEE_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    price: str
    fee: str
    def __init__(self, symbol: _Optional[str] = ..., price: _Optional[str] = ..., fee: _Optional[str] = ...) -> None: ...

class Liquidation(_message.Message):
    __slots__ = ("fill",)
    FILL_FIELD_NUMBER: _ClassVar[int]
    fill: _ledger_pb2.Fill
    def __init__(self, fill: _Optional[_Union[_ledger_pb2.Fill, _Mapping]] = ...) -> None: ...

class Event(_message.Message):
    __slots__ = ("sequence", "portfolio_id", "event_time", "event_id", "note", "position_side", "deposit", "withdrawal", "funding", "interest", "dividend", "charge", "fill_fee", "fee_rate", "split", "symbol_change", "expiry", "exercise", "assignment", "cash_settlement", "liquidation")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    PORTFOLIO_ID_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    POSITION_SIDE_FIELD_NUMBER: _ClassVar[int]
    DEPOSIT_FIELD_NUMBER: _ClassVar[int]
    WITHDRAWAL_FIELD_NUMBER: _ClassVar[int]
    FUNDING_FIELD_NUMBER: _ClassVar[int]
    INTEREST_FIELD_NUMBER: _ClassVar[int]
    DIVIDEND_FIELD_NUMBER: _ClassVar[int]
    CHARGE_FIELD_NUMBER: _ClassVar[int]
    FILL_FEE_FIELD_NUMBER: _ClassVar[int]
    FEE_RATE_FIELD_NUMBER: _ClassVar[int]
    SPLIT_FIELD_NUMBER: _ClassVar[int]
    SYMBOL_CHANGE_FIELD_NUMBER: _ClassVar[int]
    EXPIRY_FIELD_NUMBER: _ClassVar[int]
    EXERCISE_FIELD_NUMBER: _ClassVar[int]
    ASSIGNMENT_FIELD_NUMBER: _ClassVar[int]
    CASH_SETTLEMENT_FIELD_NUMBER: _ClassVar[int]
    LIQUIDATION_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    portfolio_id: str
    event_time: _timestamp_pb2.Timestamp
    event_id: str
    note: str
    position_side: _ledger_pb2.PositionSide
    deposit: Deposit
    withdrawal: Withdrawal
    funding: Funding
    interest: Interest
    dividend: Dividend
    charge: Charge
    fill_fee: FillFee
    fee_rate: FeeRate
    split: Split
    symbol_change: SymbolChange
    expiry: Expiry
    exercise: Exercise
    assignment: Assignment
    cash_settlement: CashSettlement
    liquidation: Liquidation
    def __init__(self, sequence: _Optional[int] = ..., portfolio_id: _Optional[str] = ..., event_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., event_id: _Optional[str] = ..., note: _Optional[str] = ..., position_side: _Optional[_Union[_ledger_pb2.PositionSide, str]] = ..., deposit: _Optional[_Union[Deposit, _Mapping]] = ..., withdrawal: _Optional[_Union[Withdrawal, _Mapping]] = ..., funding: _Optional[_Union[Funding, _Mapping]] = ..., interest: _Optional[_Union[Interest, _Mapping]] = ..., dividend: _Optional[_Union[Dividend, _Mapping]] = ..., charge: _Optional[_Union[Charge, _Mapping]] = ..., fill_fee: _Optional[_Union[FillFee, _Mapping]] = ..., fee_rate: _Optional[_Union[FeeRate, _Mapping]] = ..., split: _Optional[_Union[Split, _Mapping]] = ..., symbol_change: _Optional[_Union[SymbolChange, _Mapping]] = ..., expiry: _Optional[_Union[Expiry, _Mapping]] = ..., exercise: _Optional[_Union[Exercise, _Mapping]] = ..., assignment: _Optional[_Union[Assignment, _Mapping]] = ..., cash_settlement: _Optional[_Union[CashSettlement, _Mapping]] = ..., liquidation: _Optional[_Union[Liquidation, _Mapping]] = ...) -> None: ...

class RecordEventRequest(_message.Message):
    __slots__ = ("request_id", "event", "validate_only")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    event: Event
    validate_only: bool
    def __init__(self, request_id: _Optional[str] = ..., event: _Optional[_Union[Event, _Mapping]] = ..., validate_only: bool = ...) -> None: ...

class RecordEventResponse(_message.Message):
    __slots__ = ("event", "positions", "closed_trades", "closed_trade_count", "opened_entries", "restated_trades", "restated_trade_count", "cash", "sequence", "replayed")
    EVENT_FIELD_NUMBER: _ClassVar[int]
    POSITIONS_FIELD_NUMBER: _ClassVar[int]
    CLOSED_TRADES_FIELD_NUMBER: _ClassVar[int]
    CLOSED_TRADE_COUNT_FIELD_NUMBER: _ClassVar[int]
    OPENED_ENTRIES_FIELD_NUMBER: _ClassVar[int]
    RESTATED_TRADES_FIELD_NUMBER: _ClassVar[int]
    RESTATED_TRADE_COUNT_FIELD_NUMBER: _ClassVar[int]
    CASH_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    REPLAYED_FIELD_NUMBER: _ClassVar[int]
    event: Event
    positions: _containers.RepeatedCompositeFieldContainer[_ledger_pb2.Position]
    closed_trades: _containers.RepeatedCompositeFieldContainer[_ledger_pb2.ClosedTrade]
    closed_trade_count: int
    opened_entries: _containers.RepeatedCompositeFieldContainer[_ledger_pb2.Entry]
    restated_trades: _containers.RepeatedCompositeFieldContainer[_ledger_pb2.RestatedTrade]
    restated_trade_count: int
    cash: _containers.RepeatedCompositeFieldContainer[_ledger_pb2.Money]
    sequence: int
    replayed: bool
    def __init__(self, event: _Optional[_Union[Event, _Mapping]] = ..., positions: _Optional[_Iterable[_Union[_ledger_pb2.Position, _Mapping]]] = ..., closed_trades: _Optional[_Iterable[_Union[_ledger_pb2.ClosedTrade, _Mapping]]] = ..., closed_trade_count: _Optional[int] = ..., opened_entries: _Optional[_Iterable[_Union[_ledger_pb2.Entry, _Mapping]]] = ..., restated_trades: _Optional[_Iterable[_Union[_ledger_pb2.RestatedTrade, _Mapping]]] = ..., restated_trade_count: _Optional[int] = ..., cash: _Optional[_Iterable[_Union[_ledger_pb2.Money, _Mapping]]] = ..., sequence: _Optional[int] = ..., replayed: bool = ...) -> None: ...

class ListEventsRequest(_message.Message):
    __slots__ = ("portfolio_id", "symbol", "start_time", "end_time", "page_size", "page_token")
    PORTFOLIO_ID_FIELD_NUMBER: _ClassVar[int]
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    portfolio_id: str
    symbol: str
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    page_size: int
    page_token: str
    def __init__(self, portfolio_id: _Optional[str] = ..., symbol: _Optional[str] = ..., start_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListEventsResponse(_message.Message):
    __slots__ = ("events", "next_page_token")
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[Event]
    next_page_token: str
    def __init__(self, events: _Optional[_Iterable[_Union[Event, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class BustFillRequest(_message.Message):
    __slots__ = ("request_id", "portfolio_id", "symbol", "fill_id", "fill_sequence", "reason", "excess_policy", "validate_only")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PORTFOLIO_ID_FIELD_NUMBER: _ClassVar[int]
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    FILL_ID_FIELD_NUMBER: _ClassVar[int]
    FILL_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    EXCESS_POLICY_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    portfolio_id: str
    symbol: str
    fill_id: str
    fill_sequence: int
    reason: str
    excess_policy: _ledger_service_pb2.ExcessPolicy
    validate_only: bool
    def __init__(self, request_id: _Optional[str] = ..., portfolio_id: _Optional[str] = ..., symbol: _Optional[str] = ..., fill_id: _Optional[str] = ..., fill_sequence: _Optional[int] = ..., reason: _Optional[str] = ..., excess_policy: _Optional[_Union[_ledger_service_pb2.ExcessPolicy, str]] = ..., validate_only: bool = ...) -> None: ...

class BustFillResponse(_message.Message):
    __slots__ = ("restated_trades", "restated_trade_count", "net_pnl_change", "position", "sequence", "replayed")
    RESTATED_TRADES_FIELD_NUMBER: _ClassVar[int]
    RESTATED_TRADE_COUNT_FIELD_NUMBER: _ClassVar[int]
    NET_PNL_CHANGE_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    REPLAYED_FIELD_NUMBER: _ClassVar[int]
    restated_trades: _containers.RepeatedCompositeFieldContainer[_ledger_pb2.RestatedTrade]
    restated_trade_count: int
    net_pnl_change: str
    position: _ledger_pb2.Position
    sequence: int
    replayed: bool
    def __init__(self, restated_trades: _Optional[_Iterable[_Union[_ledger_pb2.RestatedTrade, _Mapping]]] = ..., restated_trade_count: _Optional[int] = ..., net_pnl_change: _Optional[str] = ..., position: _Optional[_Union[_ledger_pb2.Position, _Mapping]] = ..., sequence: _Optional[int] = ..., replayed: bool = ...) -> None: ...

class CorrectFillRequest(_message.Message):
    __slots__ = ("request_id", "portfolio_id", "symbol", "fill_id", "fill_sequence", "side", "quantity", "price", "fee", "fee_currency", "fill_time", "reason", "excess_policy", "validate_only")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PORTFOLIO_ID_FIELD_NUMBER: _ClassVar[int]
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    FILL_ID_FIELD_NUMBER: _ClassVar[int]
    FILL_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    SIDE_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    FEE_FIELD_NUMBER: _ClassVar[int]
    FEE_CURRENCY_FIELD_NUMBER: _ClassVar[int]
    FILL_TIME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    EXCESS_POLICY_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    portfolio_id: str
    symbol: str
    fill_id: str
    fill_sequence: int
    side: _ledger_pb2.Side
    quantity: str
    price: str
    fee: str
    fee_currency: str
    fill_time: _timestamp_pb2.Timestamp
    reason: str
    excess_policy: _ledger_service_pb2.ExcessPolicy
    validate_only: bool
    def __init__(self, request_id: _Optional[str] = ..., portfolio_id: _Optional[str] = ..., symbol: _Optional[str] = ..., fill_id: _Optional[str] = ..., fill_sequence: _Optional[int] = ..., side: _Optional[_Union[_ledger_pb2.Side, str]] = ..., quantity: _Optional[str] = ..., price: _Optional[str] = ..., fee: _Optional[str] = ..., fee_currency: _Optional[str] = ..., fill_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., reason: _Optional[str] = ..., excess_policy: _Optional[_Union[_ledger_service_pb2.ExcessPolicy, str]] = ..., validate_only: bool = ...) -> None: ...

class CorrectFillResponse(_message.Message):
    __slots__ = ("restated_trades", "restated_trade_count", "net_pnl_change", "position", "sequence", "replayed")
    RESTATED_TRADES_FIELD_NUMBER: _ClassVar[int]
    RESTATED_TRADE_COUNT_FIELD_NUMBER: _ClassVar[int]
    NET_PNL_CHANGE_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    REPLAYED_FIELD_NUMBER: _ClassVar[int]
    restated_trades: _containers.RepeatedCompositeFieldContainer[_ledger_pb2.RestatedTrade]
    restated_trade_count: int
    net_pnl_change: str
    position: _ledger_pb2.Position
    sequence: int
    replayed: bool
    def __init__(self, restated_trades: _Optional[_Iterable[_Union[_ledger_pb2.RestatedTrade, _Mapping]]] = ..., restated_trade_count: _Optional[int] = ..., net_pnl_change: _Optional[str] = ..., position: _Optional[_Union[_ledger_pb2.Position, _Mapping]] = ..., sequence: _Optional[int] = ..., replayed: bool = ...) -> None: ...
