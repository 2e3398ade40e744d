"""The integer that an identity key is found by (law 8): the first 64 bits of BLAKE2b over its parts.

Two keys may share an integer, so whoever finds a row by it compares the text beside it. A fill's key leaves the symbol out, so
that an execution can be found without knowing its symbol.
"""

from __future__ import annotations

from hashlib import blake2b

KEY_VERSION = 1
"""Of the way keys are made; stored beside them, so that another one can be introduced later."""

_SEPARATOR = "\x1f"  # a control character: no id holds one


def request_key(portfolio_id: str, request_id: str) -> int:
    """Of a request id."""
    return _hash(f"r{_SEPARATOR}{portfolio_id}{_SEPARATOR}{request_id}")


def fill_key(portfolio_id: str, fill_id: str) -> int:
    """Of a venue's execution."""
    return _hash(f"f{_SEPARATOR}{portfolio_id}{_SEPARATOR}{fill_id}")


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big", signed=True)
