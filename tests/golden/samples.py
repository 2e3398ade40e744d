"""Every message of the contract with every field filled: from the descriptors, so that no field is forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from lotkeeper.conformance.shapes import METHODS

PACKAGE = "lotkeeper.v1."
DEPTH = 3
"""How deep messages in messages are filled: below that they are left empty."""


def message_types() -> dict[str, type[Message]]:
    """Every message that an RPC takes or gives, or that is part of one, by its full name."""
    found: dict[str, type[Message]] = {}
    ahead: list[Any] = [kind.DESCRIPTOR for method in METHODS.values() for kind in (method.request, method.answer)]
    while ahead:
        descriptor = ahead.pop()
        if descriptor.full_name.startswith(PACKAGE) and descriptor.full_name not in found:
            if not descriptor.GetOptions().map_entry:
                found[descriptor.full_name] = GetMessageClass(descriptor)
            ahead += [field.message_type for field in descriptor.fields if field.message_type]
    return dict(sorted(found.items()))


def samples(kind: type[Message]) -> Iterator[Message]:
    """One filled message; of a message with alternatives, one for each."""
    descriptor: Any = kind.DESCRIPTOR
    choices = [field for oneof in descriptor.oneofs for field in oneof.fields if len(oneof.fields) > 1]
    for chosen in choices or [None]:
        yield _filled(descriptor, chosen, DEPTH)


def _filled(descriptor: Any, chosen: FieldDescriptor | None, depth: int) -> Message:
    message = GetMessageClass(descriptor)()
    if not depth:
        return message
    for field in descriptor.fields:
        oneof = field.containing_oneof
        alone = oneof is None or len(oneof.fields) == 1
        if alone or field == (chosen or oneof.fields[0]):
            _fill(message, field, depth)
    return message


def _fill(message: Message, field: Any, depth: int) -> None:
    if field.message_type and field.message_type.GetOptions().map_entry:
        getattr(message, field.name)[f"{field.name} key"] = f"{field.name} value"
    elif field.message_type:
        part = _part(field.message_type, depth)
        if field.is_repeated:
            getattr(message, field.name).append(part)
        else:
            getattr(message, field.name).CopyFrom(part)
    elif field.is_repeated:
        getattr(message, field.name).extend([_scalar(field)] * 2)
    else:
        setattr(message, field.name, _scalar(field))


def _part(descriptor: Descriptor, depth: int) -> Message:
    if descriptor.full_name.startswith(PACKAGE):
        return _filled(descriptor, None, depth - 1)
    part: Any = GetMessageClass(descriptor)()
    part.seconds, part.nanos = 1_700_000_000, 123_456_789  # a Timestamp or a Duration
    return part  # type: ignore[no-any-return]


def _scalar(field: FieldDescriptor) -> Any:
    if field.enum_type:
        return field.enum_type.values[-1].number
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        return True
    if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        return f"{field.name} é"
    return (1 << 31) - field.number if field.cpp_type == FieldDescriptor.CPPTYPE_INT32 else (1 << 53) + field.number
