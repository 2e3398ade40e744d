"""Channels whose every call ends: one that names no deadline of its own gets the common one.

Problem: a call without a deadline hangs the whole suite when the server does not answer. Chosen: the channel itself gives
every call a deadline, so that no test can forget it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import grpc

CALL_SECONDS = 30.0
"""Far beyond what any call of the tests takes: it is reached only when something is broken."""

OWN_CONNECTION = ("grpc.use_local_subchannel_pool", 1)
"""Channels of one process share a connection otherwise, and with it their place among the callers of a server."""


class _Deadline(
    grpc.UnaryUnaryClientInterceptor,
    grpc.UnaryStreamClientInterceptor,
    grpc.StreamUnaryClientInterceptor,
    grpc.StreamStreamClientInterceptor,
):
    """Gives a call without a deadline the common one."""

    def _intercept(self, go_on: Callable[..., Any], details: Any, request: Any) -> Any:
        if details.timeout is None:
            details = details._replace(timeout=CALL_SECONDS)
        return go_on(details, request)

    intercept_unary_unary: Any = _intercept
    intercept_unary_stream: Any = _intercept
    intercept_stream_unary: Any = _intercept
    intercept_stream_stream: Any = _intercept


@contextmanager
def dialed(address: str, *options: tuple[str, int]) -> Iterator[grpc.Channel]:
    """A channel to ``address``; every call on it has a deadline."""
    with grpc.insecure_channel(address, options=options) as channel:
        yield grpc.intercept_channel(channel, _Deadline())
