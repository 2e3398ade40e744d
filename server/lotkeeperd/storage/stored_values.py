"""Frozen values to JSON and back, by the types that they declare.

Problem: a report holds a broker's whole statement and every difference, values of a dozen classes that grow by fields with
defaults. Chosen: one reading of their annotations, once for each class, instead of a pair of functions for each of them. A
field that has its default is left out, so an old record reads as it was meant when a class has grown.

    Decimal      text of all its digits
    Enum         its value; of an IntEnum, whose value is a number without a meaning, its name
    tuple        a list
    NamedTuple   an object; a frozen dataclass, too
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from decimal import Decimal
from enum import Enum, IntEnum
from functools import cache
from types import NoneType, UnionType
from typing import Any, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints

from lotkeeperd.domain.decimals import plain

T = TypeVar("T")

_ABSENT: Any = object()


class _Form(NamedTuple):
    """How values of one type are written and read."""

    write: Callable[[Any], Any]
    read: Callable[[Any], Any]


def written(value: Any) -> dict[str, Any]:
    """A frozen value as what ``json`` encodes."""
    kind: Any = type(value)
    stored: dict[str, Any] = form_of(kind).write(value)
    return stored


def read(kind: type[T], stored: Any) -> T:
    """The value of ``kind`` that was written. Raises KeyError, TypeError, ValueError or ArithmeticError for what is none."""
    hint: Any = kind
    value: T = form_of(hint).read(stored)
    return value


@cache
def form_of(hint: Any) -> _Form:
    """Of a type, as an annotation names it. Raises TypeError for one that has no form."""
    if get_origin(hint) in (Union, UnionType):
        return _maybe(hint)
    if get_origin(hint) is tuple:
        return _row(get_args(hint))
    if hint is Decimal:
        return _Form(plain, Decimal)
    if hint in (str, int, bool):
        return _Form(_as_it_is, _as_it_is)
    if isinstance(hint, type) and issubclass(hint, IntEnum):
        return _Form(lambda member: member.name, lambda name: hint[name])
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _Form(lambda member: member.value, hint)
    return _record(hint)


def _as_it_is(value: Any) -> Any:
    return value


def _maybe(hint: Any) -> _Form:
    """Something, or None."""
    (kind,) = [part for part in get_args(hint) if part is not NoneType]
    inner = form_of(kind)
    return _Form(
        lambda value: None if value is None else inner.write(value),
        lambda stored: None if stored is None else inner.read(stored),
    )


def _row(kinds: tuple[Any, ...]) -> _Form:
    """Any number of one kind, or one of each."""
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        inner = form_of(kinds[0])
        return _Form(lambda many: [inner.write(one) for one in many], lambda many: tuple(map(inner.read, many)))
    forms = [form_of(kind) for kind in kinds]
    return _Form(
        lambda parts: [form.write(part) for form, part in zip(forms, parts, strict=True)],
        lambda parts: tuple(form.read(part) for form, part in zip(forms, parts, strict=True)),
    )


def _record(kind: Any) -> _Form:
    hints = get_type_hints(kind)
    fields = [(name, default, form_of(hints[name])) for name, default in _fields(kind)]
    forms = {name: form for name, _, form in fields}

    def write(value: Any) -> dict[str, Any]:
        return {
            name: form.write(given)
            for name, default, form in fields
            if (given := getattr(value, name)) is not default and (default is _ABSENT or given != default)
        }

    def restore(stored: Any) -> Any:
        return kind(**{name: forms[name].read(given) for name, given in stored.items()})

    return _Form(write, restore)


def _fields(kind: Any) -> Iterator[tuple[str, Any]]:
    """Names and defaults of a NamedTuple's fields, or a dataclass's. Raises TypeError."""
    if dataclasses.is_dataclass(kind):
        for field in dataclasses.fields(kind):
            yield field.name, _ABSENT if field.default is dataclasses.MISSING else field.default
        return
    if not hasattr(kind, "_field_defaults"):
        raise TypeError(f"{kind!r} has no form in which it is stored")
    for name in kind._fields:
        yield name, kind._field_defaults.get(name, _ABSENT)
