from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Side(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SIDE_UNSPECIFIED: _ClassVar[Side]
    SIDE_BUY: _ClassVar[Side]
    SIDE_SELL: _ClassVar[Side]

class PositionSide(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    POSITION_SIDE_UNSPECIFIED: _ClassVar[PositionSide]
    POSITION_SIDE_LONG: _ClassVar[PositionSide]
    POSITION_SIDE_SHORT: _ClassVar[PositionSide]
    POSITION_SIDE_FLAT: _ClassVar[PositionSide]

class EntryStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ENTRY_STATUS_UNSPECIFIED: _ClassVar[EntryStatus]
    ENTRY_STATUS_OPEN: _ClassVar[EntryStatus]
    ENTRY_STATUS_PARTIALLY_CLOSED: _ClassVar[EntryStatus]
    ENTRY_STATUS_CLOSED: _ClassVar[EntryStatus]
    ENTRY_STATUS_SUPERSEDED: _ClassVar[EntryStatus]

class LotMethod(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LOT_METHOD_UNSPECIFIED: _ClassVar[LotMethod]
    LOT_METHOD_FIFO: _ClassVar[LotMethod]
    LOT_METHOD_LIFO: _ClassVar[LotMethod]
    LOT_METHOD_HIFO: _ClassVar[LotMethod]
    LOT_METHOD_AVERAGE: _ClassVar[LotMethod]
    LOT_METHOD_CHOSEN: _ClassVar[LotMethod]
SIDE_UNSPECIFIED: Side
SIDE_BUY: Side
SIDE_SELL: Side
POSITION_SIDE_UNSPECIFIED: PositionSide
POSITION_SIDE_LONG: PositionSide
POSITION_SIDE_SHORT: PositionSide
POSITION_SIDE_FLAT: PositionSide
ENTRY_STATUS_UNSPECIFIED: EntryStatus
ENTRY_STATUS_OPEN: EntryStatus
ENTRY_STATUS_PARTIALLY_CLOSED: EntryStatus
ENTRY_STATUS_CLOSED: EntryStatus
ENTRY_STATUS_SUPERSEDED: EntryStatus
LOT_METHOD_UNSPECIFIED: LotMethod
LOT_METHOD_FIFO: LotMethod
LOT_METHOD_LIFO: LotMethod
LOT_METHOD_HIFO: LotMethod
LOT_METHOD_AVERAGE: LotMethod
LOT_METHOD_CHOSEN: LotMethod

class Money(_message.Message):
    __slots__ = ("currency", "amount")
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    currency: str
    amount: str
    def __init__(self, currency: _Optional[str] = ..., amount: _Optional[str] = ...) -> None: ...

class ConversionRate(_message.Message):
    __slots__ = ("from_currency", "to_currency", "rate", "rate_time", "source", "stale")
    FROM_CURRENCY_FIELD_NUMBER: _ClassVar[int]
    TO_CURRENCY_FIELD_NUMBER: _ClassVar[int]
    RATE_FIELD_NUMBER: _ClassVar[int]
    RATE_TIME_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    STALE_FIELD_NUMBER: _ClassVar[int]
    from_currency: str
    to_currency: str
    rate: str
    rate_time: _timestamp_pb2.Timestamp
    source: str
    stale: bool
    def __init__(self, from_currency: _Optional[str] = ..., to_currency: _Optional[str] = ..., rate: _Optional[str] = ..., rate_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., source: _Optional[str] = ..., stale: bool = ...) -> None: ...

class LotChoice(_message.Message):
    __slots__ = ("entry_id", "quantity")
    ENTRY_ID_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    entry_id: str
    quantity: str
    def __init__(self, entry_id: _Optional[str] = ..., quantity: _Optional[str] = ...) -> None: ...

class Fill(_message.Message):
    __slots__ = ("fill_id", "order_id", "symbol", "side", "quantity", "price", "fee", "fee_currency", "fill_time", "position_side")
    FILL_ID_FIELD_NUMBER: _ClassVar[int]
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    SIDE_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    FEE_FIELD_NUMBER: _ClassVar[int]
    FEE_CURRENCY_FIELD_NUMBER: _ClassVar[int]
    FILL_TIME_FIELD_NUMBER: _ClassVar[int]
    POSITION_SIDE_FIELD_NUMBER: _ClassVar[int]
    fill_id: str
    order_id: str
    symbol: str
    side: Side
    quantity: str
    price: str
    fee: str
    fee_currency: str
    fill_time: _timestamp_pb2.Timestamp
    position_side: PositionSide
    def __init__(self, fill_id: _Optional[str] = ..., order_id: _Optional[str] = ..., symbol: _Optional[str] = ..., side: _Optional[_Union[Side, str]] = ..., quantity: _Optional[str] = ..., price: _Optional[str] = ..., fee: _Optional[str] = ..., fee_currency: _Optional[str] = ..., fill_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., position_side: _Optional[_Union[PositionSide, str]] = ...) -> None: ...

class Entry(_message.Message):
    __slots__ = ("entry_id", "portfolio_id", "symbol", "side", "quantity", "remaining_quantity", "entry_price", "entry_time", "entry_order_id", "entry_fill_id", "fee", "fee_currency", "open_fee", "status", "group_id", "labels", "sequence", "synthetic", "cost_basis", "fee_rate", "fee_pending")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ENTRY_ID_FIELD_NUMBER: _ClassVar[int]
    PORTFOLIO_ID_FIELD_NUMBER: _ClassVar[int]
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    SIDE_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    REMAINING_QUANTITY_FIELD_NUMBER: _ClassVar[int]
    ENTRY_PRICE_FIELD_NUMBER: _ClassVar[int]
    ENTRY_TIME_FIELD_NUMBER: _ClassVar[int]
    ENTRY_ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    ENTRY_FILL_ID_FIELD_NUMBER: _ClassVar[int]
    FEE_FIELD_NUMBER: _ClassVar[int]
    FEE_CURRENCY_FIELD_NUMBER: _ClassVar[int]
    OPEN_FEE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    SYNTHETIC_FIELD_NUMBER: _ClassVar[int]
    COST_BASIS_FIELD_NUMBER: _ClassVar[int]
    FEE_RATE_FIELD_NUMBER: _ClassVar[int]
    FEE_PENDING_FIELD_NUMBER: _ClassVar[int]
    entry_id: str
    portfolio_id: str
    symbol: str
    side: PositionSide
    quantity: str
    remaining_quantity: str
    entry_price: str
    entry_time: _timestamp_pb2.Timestamp
    entry_order_id: str
    entry_fill_id: str
    fee: str
    fee_currency: str
    open_fee: str
    status: EntryStatus
    group_id: str
    labels: _containers.ScalarMap[str, str]
    sequence: int
    synthetic: bool
    cost_basis: str
    fee_rate: ConversionRate
    fee_pending: bool
    def __init__(self, entry_id: _Optional[str] = ..., portfolio_id: _Optional[str] = ..., symbol: _Optional[str] = ..., side: _Optional[_Union[PositionSide, str]] = ..., quantity: _Optional[str] = ..., remaining_quantity: _Optional[str] = ..., entry_price: _Optional[str] = ..., entry_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., entry_order_id: _Optional[str] = ..., entry_fill_id: _Optional[str] = ..., fee: _Optional[str] = ..., fee_currency: _Optional[str] = ..., open_fee: _Optional[str] = ..., status: _Optional[_Union[EntryStatus, str]] = ..., group_id: _Optional[str] = ..., labels: _Optional[_Mapping[str, str]] = ..., sequence: _Optional[int] = ..., synthetic: bool = ..., cost_basis: _Optional[str] = ..., fee_rate: _Optional[_Union[ConversionRate, _Mapping]] = ..., fee_pending: bool = ...) -> None: ...

class ClosedTrade(_message.Message):
    __slots__ = ("trade_id", "portfolio_id", "symbol", "side", "entry_id", "quantity", "entry_price", "exit_price", "entry_time", "exit_time", "exit_order_id", "exit_fill_id", "exit_reason", "gross_pnl", "entry_fee", "exit_fee", "net_pnl", "pnl_pct", "currency", "sequence", "index", "synthetic", "labels", "group_id", "entry_order_id", "entry_fill_id", "superseded_by", "provisional", "exit_sequence")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    TRADE_ID_FIELD_NUMBER: _ClassVar[int]
    PORTFOLIO_ID_FIELD_NUMBER: _ClassVar[int]
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    SIDE_FIELD_NUMBER: _ClassVar[int]
    ENTRY_ID_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    ENTRY_PRICE_FIELD_NUMBER: _ClassVar[int]
    EXIT_PRICE_FIELD_NUMBER: _ClassVar[int]
    ENTRY_TIME_FIELD_NUMBER: _ClassVar[int]
    EXIT_TIME_FIELD_NUMBER: _ClassVar[int]
    EXIT_ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    EXIT_FILL_ID_FIELD_NUMBER: _ClassVar[int]
    EXIT_REASON_FIELD_NUMBER: _ClassVar[int]
    GROSS_PNL_FIELD_NUMBER: _ClassVar[int]
    ENTRY_FEE_FIELD_NUMBER: _ClassVar[int]
    EXIT_FEE_FIELD_NUMBER: _ClassVar[int]
    NET_PNL_FIELD_NUMBER: _ClassVar[int]
    PNL_PCT_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    SYNTHETIC_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    ENTRY_ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    ENTRY_FILL_ID_FIELD_NUMBER: _ClassVar[int]
    SUPERSEDED_BY_FIELD_NUMBER: _ClassVar[int]
    PROVISIONAL_FIELD_NUMBER: _ClassVar[int]
    EXIT_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    trade_id: str
    portfolio_id: str
    symbol: str
    side: PositionSide
    entry_id: str
    quantity: str
    entry_price: str
    exit_price: str
    entry_time: _timestamp_pb2.Timestamp
    exit_time: _timestamp_pb2.Timestamp
    exit_order_id: str
    exit_fill_id: str
    exit_reason: str
    gross_pnl: str
    entry_fee: str
    exit_fee: str
    net_pnl: str
    pnl_pct: str
    currency: str
    sequence: int
    index: int
    synthetic: bool
    labels: _containers.ScalarMap[str, str]
    group_id: str
    entry_order_id: str
    entry_fill_id: str
    superseded_by: str
    provisional: bool
    exit_sequence: int
    def __init__(self, trade_id: _Optional[str] = ..., portfolio_id: _Optional[str] = ..., symbol: _Optional[str] = ..., side: _Optional[_Union[PositionSide, str]] = ..., entry_id: _Optional[str] = ..., quantity: _Optional[str] = ..., entry_price: _Optional[str] = ..., exit_price: _Optional[str] = ..., entry_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., exit_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., exit_order_id: _Optional[str] = ..., exit_fill_id: _Optional[str] = ..., exit_reason: _Optional[str] = ..., gross_pnl: _Optional[str] = ..., entry_fee: _Optional[str] = ..., exit_fee: _Optional[str] = ..., net_pnl: _Optional[str] = ..., pnl_pct: _Optional[str] = ..., currency: _Optional[str] = ..., sequence: _Optional[int] = ..., index: _Optional[int] = ..., synthetic: bool = ..., labels: _Optional[_Mapping[str, str]] = ..., group_id: _Optional[str] = ..., entry_order_id: _Optional[str] = ..., entry_fill_id: _Optional[str] = ..., superseded_by: _Optional[str] = ..., provisional: bool = ..., exit_sequence: _Optional[int] = ...) -> None: ...

class Position(_message.Message):
    __slots__ = ("portfolio_id", "symbol", "side", "total_quantity", "average_entry_price", "cost_basis", "gross_realized_pnl", "realized_fees", "net_realized_pnl", "open_fees", "unrealized_pnl", "mark_price", "mark_time", "mark_source", "mark_stale", "open_entry_count", "first_entry_time", "last_entry_time", "currency", "entries", "sequence", "book_side", "entries_truncated", "provisional", "unconverted_fees", "multiplier", "lot_method")
    PORTFOLIO_ID_FIELD_NUMBER: _ClassVar[int]
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    SIDE_FIELD_NUMBER: _ClassVar[int]
    TOTAL_QUANTITY_FIELD_NUMBER: _ClassVar[int]
    AVERAGE_ENTRY_PRICE_FIELD_NUMBER: _ClassVar[int]
    COST_BASIS_FIELD_NUMBER: _ClassVar[int]
    GROSS_REALIZED_PNL_FIELD_NUMBER: _ClassVar[int]
    REALIZED_FEES_FIELD_NUMBER: _ClassVar[int]
    NET_REALIZED_PNL_FIELD_NUMBER: _ClassVar[int]
    OPEN_FEES_FIELD_NUMBER: _ClassVar[int]
    UNREALIZED_PNL_FIELD_NUMBER: _ClassVar[int]
    MARK_PRICE_FIELD_NUMBER: _ClassVar[int]
    MARK_TIME_FIELD_NUMBER: _ClassVar[int]
    MARK_SOURCE_FIELD_NUMBER: _ClassVar[int]
    MARK_STALE_FIELD_NUMBER: _ClassVar[int]
    OPEN_ENTRY_COUNT_FIELD_NUMBER: _ClassVar[int]
    FIRST_ENTRY_TIME_FIELD_NUMBER: _ClassVar[int]
    LAST_ENTRY_TIME_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    BOOK_SIDE_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_TRUNCATED_FIELD_NUMBER: _ClassVar[int]
    PROVISIONAL_FIELD_NUMBER: _ClassVar[int]
    UNCONVERTED_FEES_FIELD_NUMBER: _ClassVar[int]
    MULTIPLIER_FIELD_NUMBER: _ClassVar[int]
    LOT_METHOD_FIELD_NUMBER: _ClassVar[int]
    portfolio_id: str
    symbol: str
    side: PositionSide
    total_quantity: str
    average_entry_price: str
    cost_basis: str
    gross_realized_pnl: str
    realized_fees: str
    net_realized_pnl: str
    open_fees: str
    unrealized_pnl: str
    mark_price: str
    mark_time: _timestamp_pb2.Timestamp
    mark_source: str
    mark_stale: bool
    open_entry_count: int
    first_entry_time: _timestamp_pb2.Timestamp
    last_entry_time: _timestamp_pb2.Timestamp
    currency: str
    entries: _containers.RepeatedCompositeFieldContainer[Entry]
    sequence: int
    book_side: PositionSide
    entries_truncated: bool
    provisional: bool
    unconverted_fees: _containers.RepeatedCompositeFieldContainer[Money]
    multiplier: str
    lot_method: LotMethod
    def __init__(self, portfolio_id: _Optional[str] = ..., symbol: _Optional[str] = ..., side: _Optional[_Union[PositionSide, str]] = ..., total_quantity: _Optional[str] = ..., average_entry_price: _Optional[str] = ..., cost_basis: _Optional[str] = ..., gross_realized_pnl: _Optional[str] = ..., realized_fees: _Optional[str] = ..., net_realized_pnl: _Optional[str] = ..., open_fees: _Optional[str] = ..., unrealized_pnl: _Optional[str] = ..., mark_price: _Optional[str] = ..., mark_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., mark_source: _Optional[str] = ..., mark_stale: bool = ..., open_entry_count: _Optional[int] = ..., first_entry_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., last_entry_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., currency: _Optional[str] = ..., entries: _Optional[_Iterable[_Union[Entry, _Mapping]]] = ..., sequence: _Optional[int] = ..., book_side: _Optional[_Union[PositionSide, str]] = ..., entries_truncated: bool = ..., provisional: bool = ..., unconverted_fees: _Optional[_Iterable[_Union[Money, _Mapping]]] = ..., multiplier: _Optional[str] = ..., lot_method: _Optional[_Union[LotMethod, str]] = ...) -> None: ...

class Totals(_message.Message):
    __slots__ = ("currency", "gross_realized_pnl", "realized_fees", "net_realized_pnl", "unrealized_pnl", "unpriced_symbols", "stale_symbols", "unpriced_count", "stale_count", "funding", "interest", "dividends", "charged_fees", "cash", "total_value", "provisional", "unconverted_fees")
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    GROSS_REALIZED_PNL_FIELD_NUMBER: _ClassVar[int]
    REALIZED_FEES_FIELD_NUMBER: _ClassVar[int]
    NET_REALIZED_PNL_FIELD_NUMBER: _ClassVar[int]
    UNREALIZED_PNL_FIELD_NUMBER: _ClassVar[int]
    UNPRICED_SYMBOLS_FIELD_NUMBER: _ClassVar[int]
    STALE_SYMBOLS_FIELD_NUMBER: _ClassVar[int]
    UNPRICED_COUNT_FIELD_NUMBER: _ClassVar[int]
    STALE_COUNT_FIELD_NUMBER: _ClassVar[int]
    FUNDING_FIELD_NUMBER: _ClassVar[int]
    INTEREST_FIELD_NUMBER: _ClassVar[int]
    DIVIDENDS_FIELD_NUMBER: _ClassVar[int]
    CHARGED_FEES_FIELD_NUMBER: _ClassVar[int]
    CASH_FIELD_NUMBER: _ClassVar[int]
    TOTAL_VALUE_FIELD_NUMBER: _ClassVar[int]
    PROVISIONAL_FIELD_NUMBER: _ClassVar[int]
    UNCONVERTED_FEES_FIELD_NUMBER: _ClassVar[int]
    currency: str
    gross_realized_pnl: str
    realized_fees: str
    net_realized_pnl: str
    unrealized_pnl: str
    unpriced_symbols: _containers.RepeatedScalarFieldContainer[str]
    stale_symbols: _containers.RepeatedScalarFieldContainer[str]
    unpriced_count: int
    stale_count: int
    funding: str
    interest: str
    dividends: str
    charged_fees: str
    cash: str
    total_value: str
    provisional: bool
    unconverted_fees: _containers.RepeatedCompositeFieldContainer[Money]
    def __init__(self, currency: _Optional[str] = ..., gross_realized_pnl: _Optional[str] = ..., realized_fees: _Optional[str] = ..., net_realized_pnl: _Optional[str] = ..., unrealized_pnl: _Optional[str] = ..., unpriced_symbols: _Optional[_Iterable[str]] = ..., stale_symbols: _Optional[_Iterable[str]] = ..., unpriced_count: _Optional[int] = ..., stale_count: _Optional[int] = ..., funding: _Optional[str] = ..., interest: _Optional[str] = ..., dividends: _Optional[str] = ..., charged_fees: _Optional[str] = ..., cash: _Optional[str] = ..., total_value: _Optional[str] = ..., provisional: bool = ..., unconverted_fees: _Optional[_Iterable[_Union[Money, _Mapping]]] = ...) -> None: ...

class BaseTotals(_message.Message):
    __slots__ = ("currency", "gross_realized_pnl", "fees", "unrealized_pnl", "funding", "interest", "dividends", "currency_pnl", "total_value", "rates", "unconverted_currencies")
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    GROSS_REALIZED_PNL_FIELD_NUMBER: _ClassVar[int]
    FEES_FIELD_NUMBER: _ClassVar[int]
    UNREALIZED_PNL_FIELD_NUMBER: _ClassVar[int]
    FUNDING_FIELD_NUMBER: _ClassVar[int]
    INTEREST_FIELD_NUMBER: _ClassVar[int]
    DIVIDENDS_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_PNL_FIELD_NUMBER: _ClassVar[int]
    TOTAL_VALUE_FIELD_NUMBER: _ClassVar[int]
    RATES_FIELD_NUMBER: _ClassVar[int]
    UNCONVERTED_CURRENCIES_FIELD_NUMBER: _ClassVar[int]
    currency: str
    gross_realized_pnl: str
    fees: str
    unrealized_pnl: str
    funding: str
    interest: str
    dividends: str
    currency_pnl: str
    total_value: str
    rates: _containers.RepeatedCompositeFieldContainer[ConversionRate]
    unconverted_currencies: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, currency: _Optional[str] = ..., gross_realized_pnl: _Optional[str] = ..., fees: _Optional[str] = ..., unrealized_pnl: _Optional[str] = ..., funding: _Optional[str] = ..., interest: _Optional[str] = ..., dividends: _Optional[str] = ..., currency_pnl: _Optional[str] = ..., total_value: _Optional[str] = ..., rates: _Optional[_Iterable[_Union[ConversionRate, _Mapping]]] = ..., unconverted_currencies: _Optional[_Iterable[str]] = ...) -> None: ...

class RestatedTrade(_message.Message):
    __slots__ = ("before", "after", "sequence", "index")
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    before: ClosedTrade
    after: ClosedTrade
    sequence: int
    index: int
    def __init__(self, before: _Optional[_Union[ClosedTrade, _Mapping]] = ..., after: _Optional[_Union[ClosedTrade, _Mapping]] = ..., sequence: _Optional[int] = ..., index: _Optional[int] = ...) -> None: ...

class GroupPnL(_message.Message):
    __slots__ = ("portfolio_id", "group_id", "currency", "entry_credit", "entry_credit_per_contract", "contracts", "gross_realized_pnl", "realized_fees", "unrealized_pnl", "pnl_per_contract", "open_entry_count", "legs", "sequence", "leg_count")
    PORTFOLIO_ID_FIELD_NUMBER: _ClassVar[int]
    GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    ENTRY_CREDIT_FIELD_NUMBER: _ClassVar[int]
    ENTRY_CREDIT_PER_CONTRACT_FIELD_NUMBER: _ClassVar[int]
    CONTRACTS_FIELD_NUMBER: _ClassVar[int]
    GROSS_REALIZED_PNL_FIELD_NUMBER: _ClassVar[int]
    REALIZED_FEES_FIELD_NUMBER: _ClassVar[int]
    UNREALIZED_PNL_FIELD_NUMBER: _ClassVar[int]
    PNL_PER_CONTRACT_FIELD_NUMBER: _ClassVar[int]
    OPEN_ENTRY_COUNT_FIELD_NUMBER: _ClassVar[int]
    LEGS_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    LEG_COUNT_FIELD_NUMBER: _ClassVar[int]
    portfolio_id: str
    group_id: str
    currency: str
    entry_credit: str
    entry_credit_per_contract: str
    contracts: str
    gross_realized_pnl: str
    realized_fees: str
    unrealized_pnl: str
    pnl_per_contract: str
    open_entry_count: int
    legs: _containers.RepeatedCompositeFieldContainer[GroupLeg]
    sequence: int
    leg_count: int
    def __init__(self, portfolio_id: _Optional[str] = ..., group_id: _Optional[str] = ..., currency: _Optional[str] = ..., entry_credit: _Optional[str] = ..., entry_credit_per_contract: _Optional[str] = ..., contracts: _Optional[str] = ..., gross_realized_pnl: _Optional[str] = ..., realized_fees: _Optional[str] = ..., unrealized_pnl: _Optional[str] = ..., pnl_per_contract: _Optional[str] = ..., open_entry_count: _Optional[int] = ..., legs: _Optional[_Iterable[_Union[GroupLeg, _Mapping]]] = ..., sequence: _Optional[int] = ..., leg_count: _Optional[int] = ...) -> None: ...

class GroupLeg(_message.Message):
    __slots__ = ("symbol", "side", "opened_quantity", "open_quantity", "entry_credit", "gross_realized_pnl", "unrealized_pnl")
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    SIDE_FIELD_NUMBER: _ClassVar[int]
    OPENED_QUANTITY_FIELD_NUMBER: _ClassVar[int]
    OPEN_QUANTITY_FIELD_NUMBER: _ClassVar[int]
    ENTRY_CREDIT_FIELD_NUMBER: _ClassVar[int]
    GROSS_REALIZED_PNL_FIELD_NUMBER: _ClassVar[int]
    UNREALIZED_PNL_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    side: PositionSide
    opened_quantity: str
    open_quantity: str
    entry_credit: str
    gross_realized_pnl: str
    unrealized_pnl: str
    def __init__(self, symbol: _Optional[str] = ..., side: _Optional[_Union[PositionSide, str]] = ..., opened_quantity: _Optional[str] = ..., open_quantity: _Optional[str] = ..., entry_credit: _Optional[str] = ..., gross_realized_pnl: _Optional[str] = ..., unrealized_pnl: _Optional[str] = ...) -> None: ...
