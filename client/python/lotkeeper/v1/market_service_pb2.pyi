from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Mark(_message.Message):
    __slots__ = ("symbol", "price", "observe_time", "source", "stale", "bid", "ask")
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    OBSERVE_TIME_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    STALE_FIELD_NUMBER: _ClassVar[int]
    BID_FIELD_NUMBER: _ClassVar[int]
    ASK_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    price: str
    observe_time: _timestamp_pb2.Timestamp
    source: str
    stale: bool
    bid: str
    ask: str
    def __init__(self, symbol: _Optional[str] = ..., price: _Optional[str] = ..., observe_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., source: _Optional[str] = ..., stale: bool = ..., bid: _Optional[str] = ..., ask: _Optional[str] = ...) -> None: ...

class FeedStatus(_message.Message):
    __slots__ = ("source", "connected", "last_message_time", "message_count", "reconnect_count", "last_error")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    CONNECTED_FIELD_NUMBER: _ClassVar[int]
    LAST_MESSAGE_TIME_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_COUNT_FIELD_NUMBER: _ClassVar[int]
    RECONNECT_COUNT_FIELD_NUMBER: _ClassVar[int]
    LAST_ERROR_FIELD_NUMBER: _ClassVar[int]
    source: str
    connected: bool
    last_message_time: _timestamp_pb2.Timestamp
    message_count: int
    reconnect_count: int
    last_error: str
    def __init__(self, source: _Optional[str] = ..., connected: bool = ..., last_message_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., message_count: _Optional[int] = ..., reconnect_count: _Optional[int] = ..., last_error: _Optional[str] = ...) -> None: ...

class SetMarksRequest(_message.Message):
    __slots__ = ("marks", "source")
    MARKS_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    marks: _containers.RepeatedCompositeFieldContainer[Mark]
    source: str
    def __init__(self, marks: _Optional[_Iterable[_Union[Mark, _Mapping]]] = ..., source: _Optional[str] = ...) -> None: ...

class SetMarksResponse(_message.Message):
    __slots__ = ("accepted_count", "outdated_count")
    ACCEPTED_COUNT_FIELD_NUMBER: _ClassVar[int]
    OUTDATED_COUNT_FIELD_NUMBER: _ClassVar[int]
    accepted_count: int
    outdated_count: int
    def __init__(self, accepted_count: _Optional[int] = ..., outdated_count: _Optional[int] = ...) -> None: ...

class PublishMarksRequest(_message.Message):
    __slots__ = ("marks", "source")
    MARKS_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    marks: _containers.RepeatedCompositeFieldContainer[Mark]
    source: str
    def __init__(self, marks: _Optional[_Iterable[_Union[Mark, _Mapping]]] = ..., source: _Optional[str] = ...) -> None: ...

class PublishMarksResponse(_message.Message):
    __slots__ = ("accepted_count", "outdated_count")
    ACCEPTED_COUNT_FIELD_NUMBER: _ClassVar[int]
    OUTDATED_COUNT_FIELD_NUMBER: _ClassVar[int]
    accepted_count: int
    outdated_count: int
    def __init__(self, accepted_count: _Optional[int] = ..., outdated_count: _Optional[int] = ...) -> None: ...

class ListMarksRequest(_message.Message):
    __slots__ = ("symbols",)
    SYMBOLS_FIELD_NUMBER: _ClassVar[int]
    symbols: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, symbols: _Optional[_Iterable[str]] = ...) -> None: ...

class ListMarksResponse(_message.Message):
    __slots__ = ("marks", "feeds")
    MARKS_FIELD_NUMBER: _ClassVar[int]
    FEEDS_FIELD_NUMBER: _ClassVar[int]
    marks: _containers.RepeatedCompositeFieldContainer[Mark]
    feeds: _containers.RepeatedCompositeFieldContainer[FeedStatus]
    def __init__(self, marks: _Optional[_Iterable[_Union[Mark, _Mapping]]] = ..., feeds: _Optional[_Iterable[_Union[FeedStatus, _Mapping]]] = ...) -> None: ...
