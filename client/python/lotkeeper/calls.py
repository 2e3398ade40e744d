"""Each RPC as a value: the request built from the caller's arguments, and how to read the answer. No I/O.

Two clients, blocking and asyncio, offer the same methods with up to sixteen arguments each. Written out twice they
would drift apart. Therefore each method is one function here, with the only signature and the only docstring; a client
is a shell that knows how to carry out a ``Call`` and takes over these functions as its methods. Arguments are named
exactly as the contract's fields; ``portfolio_id`` and ``timeout`` left out are those given to ``connect``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, NamedTuple, TypeVar

from google.protobuf.message import Message

from lotkeeper import fields

T = TypeVar("T")

DEFAULT_TIMEOUT = 5.0  # seconds
PAGE_SIZE = 1000  # the most a server gives at once: the fewest round trips


class Defaults(NamedTuple):
    """What ``connect`` was given for all calls: a portfolio (empty is the server's "default") and seconds to wait."""

    portfolio: str
    timeout: float


class Call(NamedTuple, Generic[T]):
    """One RPC to carry out: its name, the request, how to read the answer, and seconds until it must be there."""

    method: str
    request: Message
    read: Callable[[Any], T]
    timeout: float


def defaults(portfolio: str, timeout: float) -> Defaults:
    """What ``connect`` was given, if it can be.

    Raises:
        TypeError: the portfolio is not text.
        ValueError: the timeout is no time to wait.
    """
    return Defaults(fields.text("portfolio", portfolio), fields.seconds("timeout", timeout))


def portfolio_of(defaults: Defaults, portfolio_id: str | None) -> str:
    """The portfolio of one call: its own, or the default."""
    return defaults.portfolio if portfolio_id is None else fields.text("portfolio_id", portfolio_id)


def timeout_of(defaults: Defaults, timeout: float | None) -> float:
    """Seconds one call may take: its own, or the default."""
    return defaults.timeout if timeout is None else fields.seconds("timeout", timeout)


def identify(method: str, request_id: str, own_field: str, own_id: str) -> None:
    """See that a write carries an id: the caller's ``request_id``, or the venue's own in ``own_field``.

    Without one, nobody could tell a retry after a lost answer, or the same fill from a second instance of the bot,
    from something new.

    Raises:
        ValueError: it carries neither.
    """
    if not request_id and not own_id:
        raise ValueError(
            f"{method}: neither {own_field} nor request_id was given. Without one a retry after a lost answer, or a "
            f"second instance of the bot, would record it twice. Pass the venue's own id as {own_field}, or a "
            f"request_id made before the first try and kept for the next."
        )
