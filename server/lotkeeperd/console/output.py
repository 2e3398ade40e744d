"""JSON of the client's values: decimals as strings, times as RFC 3339 with nanoseconds, fields named as in the contract."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from enum import Enum
from typing import Any

from lotkeeper import Time


def line(kind: str, value: object) -> str:
    """One line of JSON; ``event`` says what kind it is."""
    return json.dumps({"event": kind, **_plain(value)}, ensure_ascii=False, separators=(",", ":"))


def document(value: object) -> str:
    """One value as indented JSON."""
    return json.dumps(_plain(value), ensure_ascii=False, indent=2)


def _plain(value: object) -> Any:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, Time):
        return f"{value.datetime:%Y-%m-%dT%H:%M:%S}.{value % 1_000_000_000:09d}Z"
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, Exception):
        return str(value)
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
