"""The integer that an identity key is found by (law 8): where its id stands in a series, after the BLAKE2b of which series.

Two keys may share an integer, so whoever finds a row by it compares the text beside it. A fill's key leaves the symbol out, so
that an execution can be found without knowing its symbol.

Problem: venues number their executions, and a hash scatters them: with a plain one every fill touched another page of the
index, which was a third of what a commit wrote. Therefore ids that differ in their last digits only are neighbours: the digits
are the low bits as they are, and what stands before them is hashed into the high ones. Random ids are scattered as before.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b

KEY_VERSION = 2
"""Of the way keys are made; stored beside them, so that another one can be introduced later."""

_SEPARATOR = "\x1f"  # a control character: no id holds one
_DIGITS = "0123456789"
_COUNTED = 9
"""Digits at the end of an id that are taken as they are; they fit into the low bits."""
_LOW_BITS = 30
_REMEMBERED = 2048
"""Keys: each is asked for when its command is looked up, and again when it is written."""
_SERIES = 256
"""Hashes of series: a venue that counts needs one of them, one that draws its ids needs another every time."""


def request_key(portfolio_id: str, request_id: str) -> int:
    """Of a request id."""
    return _key("r", portfolio_id, request_id)


def fill_key(portfolio_id: str, fill_id: str) -> int:
    """Of a venue's execution."""
    return _key("f", portfolio_id, fill_id)


@lru_cache(maxsize=_REMEMBERED)
def _key(kind: str, portfolio_id: str, text: str) -> int:
    length = max(len(text.rstrip(_DIGITS)), len(text) - _COUNTED)
    high = _high(kind, len(text) - length, portfolio_id, text[:length])
    return high << _LOW_BITS | int(text[length:] or "0")


@lru_cache(maxsize=_SERIES)
def _high(kind: str, digits: int, portfolio_id: str, beginning: str) -> int:
    series = f"{kind}{digits}{_SEPARATOR}{portfolio_id}{_SEPARATOR}{beginning}"
    return int.from_bytes(blake2b(series.encode(), digest_size=8).digest(), "big", signed=True) >> _LOW_BITS
