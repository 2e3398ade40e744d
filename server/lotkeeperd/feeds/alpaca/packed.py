"""Alpaca's MessagePack: like its JSON, but with doubles for prices and timestamps for times.

A double is not the price that was quoted, only the nearest one that 64 bits can hold. ``repr`` gives the shortest digits that
name this double and no other, which are the quoted ones for any price of up to 15 digits: so ``Decimal(repr(x))`` restores what
the venue meant, where ``Decimal(x)`` would keep the error with 50 digits. That is done here, before anything else sees the
message, and is the only place where a price is ever a float. Those who want the very digits that were sent choose JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import msgpack

from lotkeeperd.feeds.alpaca.messages import Codec
from lotkeeperd.feeds.errors import Unreadable, shown
from lotkeeperd.feeds.reading import SECOND
from lotkeeperd.feeds.session import Frame


def unpacked(frame: Frame) -> object:
    """A message whose doubles are Decimals and whose timestamps are nanoseconds UTC. Raises Unreadable."""
    if isinstance(frame, str):
        raise Unreadable(f"text where MessagePack was agreed on: {shown(frame)}")
    try:
        message: object = msgpack.unpackb(frame, timestamp=0)
    except (ValueError, msgpack.exceptions.UnpackException, RecursionError) as error:
        raise Unreadable(f"not MessagePack: {shown(frame)}") from error
    return _exact(message)


def packed(message: Mapping[str, object]) -> Frame:
    """A message to send."""
    frame: bytes = msgpack.packb(message)
    return frame


def _exact(value: object) -> object:
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, msgpack.Timestamp):
        return int(value.seconds) * SECOND + int(value.nanoseconds)
    if isinstance(value, list):
        return [_exact(part) for part in value]
    if isinstance(value, dict):
        return {key: _exact(part) for key, part in value.items()}
    return value


MESSAGE_PACK = Codec(unpacked, packed)
