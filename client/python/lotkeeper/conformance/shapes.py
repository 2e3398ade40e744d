"""The contract as its descriptors tell it: which methods there are, and whether a request or an answer is of their shape.

Problem: a misspelt field in an expected answer would match nothing and a misspelt one in a request would be a surprise at
run time. Therefore every field is looked up when a file is loaded, names and all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from lotkeeper.conformance import matching
from lotkeeper.v1 import (
    error_reason_pb2,
    event_service_pb2,
    explain_service_pb2,
    instrument_service_pb2,
    ledger_service_pb2,
    market_service_pb2,
    portfolio_service_pb2,
    reconciliation_service_pb2,
)

_FILES = (
    event_service_pb2,
    explain_service_pb2,
    instrument_service_pb2,
    ledger_service_pb2,
    market_service_pb2,
    portfolio_service_pb2,
    reconciliation_service_pb2,
)
_TEXTS = {"google.protobuf.Timestamp", "google.protobuf.Duration"}
_INTEGERS = {
    FieldDescriptor.CPPTYPE_INT32,
    FieldDescriptor.CPPTYPE_INT64,
    FieldDescriptor.CPPTYPE_UINT32,
    FieldDescriptor.CPPTYPE_UINT64,
}
_PREFIX = "ERROR_REASON_"


class Method(NamedTuple):
    """One RPC: how it is reached, what goes in, what comes out."""

    path: str
    request: type[Message]
    answer: type[Message]
    many_in: bool
    many_out: bool


def _methods() -> Iterator[tuple[str, Method]]:
    for file in _FILES:
        for service in file.DESCRIPTOR.services_by_name.values():
            for method in service.methods:
                yield (
                    f"{service.name}.{method.name}",
                    Method(
                        f"/{service.full_name}/{method.name}",
                        GetMessageClass(method.input_type),
                        GetMessageClass(method.output_type),
                        method.client_streaming,
                        method.server_streaming,
                    ),
                )


METHODS: Mapping[str, Method] = dict(_methods())
"""Every RPC of the contract as ``Service.Method``."""

REASONS = frozenset(
    name.removeprefix(_PREFIX)
    for name in error_reason_pb2.ErrorReason.keys()  # noqa: SIM118 - an enum's wrapper is no dict
    if error_reason_pb2.ErrorReason.Value(name)
)
"""Every refusal reason, as it stands in ErrorInfo."""


def wrong_in_request(message: type[Message], value: Any, where: str) -> str | None:
    """What does not fit into ``message``, in words, or None."""
    return _wrong(message.DESCRIPTOR, value, where, expected=False)


def wrong_in_answer(message: type[Message], value: Any, where: str) -> str | None:
    """What no ``message`` can have, in words, or None; matchers may stand anywhere."""
    return _wrong(message.DESCRIPTOR, value, where, expected=True)


def _wrong(message: Any, value: Any, where: str, *, expected: bool) -> str | None:
    if expected and (value is None or matching.is_matcher(value)):
        return None
    if message.full_name in _TEXTS:
        return None if isinstance(value, str) else f"{where}: {value!r}: a string in quotes is required"
    if not isinstance(value, Mapping):
        return f"{where}: {value!r}: a map of the fields of {message.name} is required"
    for name, part in value.items():
        field = message.fields_by_name.get(name)
        if field is None:
            return f"{where}.{name}: {message.name} has no such field; it has {', '.join(message.fields_by_name)}"
        found = _wrong_field(field, part, f"{where}.{name}", expected=expected)
        if found:
            return found
    return None


def _wrong_field(field: FieldDescriptor, value: Any, where: str, *, expected: bool) -> str | None:
    if expected and (value is None or matching.is_matcher(value)):
        return None
    if not field.is_repeated:
        return _wrong_item(field, value, where, expected=expected)
    if field.message_type and field.message_type.GetOptions().map_entry:
        return None if isinstance(value, Mapping) else f"{where}: {value!r}: a map is required"
    if not isinstance(value, list):
        return f"{where}: {value!r}: a list is required"
    items = value[:-1] if expected and value and value[-1] == matching.REST else value
    wrong = (_wrong_item(field, item, f"{where}[{n}]", expected=expected) for n, item in enumerate(items))
    return next(filter(None, wrong), None)


def _wrong_item(field: FieldDescriptor, value: Any, where: str, *, expected: bool) -> str | None:
    if field.message_type:
        return _wrong(field.message_type, value, where, expected=expected)
    if expected and matching.is_matcher(value):
        return None
    if isinstance(value, str) and "$" in value:
        return None
    if field.enum_type:
        known = field.enum_type.values_by_name
        return None if value in known else f"{where}: {value!r} is none of {', '.join(known)}"
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        return None if isinstance(value, bool) else f"{where}: {value!r}: true or false is required"
    if field.cpp_type in _INTEGERS:
        whole = isinstance(value, int) and not isinstance(value, bool)
        return None if whole else f"{where}: {value!r}: a whole number is required"
    return None if isinstance(value, str) else f"{where}: {value!r}: a string in quotes is required"
