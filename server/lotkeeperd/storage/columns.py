"""Column types that lose nothing.

``Numeric`` goes through a float on SQLite and loses digits there, so an exact amount is text on SQLite and NUMERIC on
PostgreSQL. Times are nanoseconds UTC in a 64-bit integer on both: neither database has a type that keeps them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, Dialect, Integer, Numeric, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

from lotkeeperd.domain.decimals import plain


class Exact(TypeDecorator[Decimal]):
    """A ``Decimal`` of any number of digits."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """NUMERIC without a limit where there is one."""
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else Numeric())

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        """To the database."""
        return None if value is None else amount_for(dialect)(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:  # noqa: ARG002 - SQLAlchemy's signature
        """From the database; ``Decimal`` of text is exact, whatever the context."""
        return None if value is None else Decimal(value)


def _as_is(value: Decimal) -> Decimal:
    return value


def amount_for(dialect: Dialect) -> Callable[[Decimal], Any]:
    """What ``Exact`` binds for a value, for statements that are run without SQLAlchemy's processing."""
    return plain if dialect.name == "sqlite" else _as_is


Nanoseconds = BigInteger
"""A time, UTC."""

Sequence = BigInteger().with_variant(Integer(), "sqlite")
"""A journal sequence; on SQLite an INTEGER PRIMARY KEY is the row's own number."""

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def labels_text(labels: tuple[tuple[str, str], ...]) -> str:
    """Labels as a JSON object; empty text for none."""
    return _encode(dict(labels)) if labels else ""


def labels_of(text: str) -> tuple[tuple[str, str], ...]:
    """The labels of such text."""
    return tuple(json.loads(text).items()) if text else ()
