"""Faults of a fake broker, as values: what goes wrong, for which path and page, and how often."""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Strikes requests whose path begins with ``path``, of that ``page`` (from 1) if one is named, the next so many ``times``."""

    path: str = ""
    page: int | None = None
    times: int | None = None


@dataclass(frozen=True)
class Status(Fault):
    """An HTTP status in place of an answer."""

    status: int


@dataclass(frozen=True)
class TooMany(Fault):
    """The rate limit, and after how many seconds the broker wants to be asked again; None: it does not say."""

    retry_after: int | None = 0


@dataclass(frozen=True)
class Empty(Fault):
    """A list without anything, as if the account were flat."""


@dataclass(frozen=True)
class WrongSignature(Fault):
    """The signature does not fit, whatever was signed."""


@dataclass(frozen=True)
class ExpiredKey(Fault):
    """The key was good once."""


@dataclass(frozen=True)
class HangUp(Fault):
    """The connection ends without an answer."""


@dataclass(frozen=True)
class NotJson(Fault):
    """A page for people, with status 200: maintenance, or a proxy."""


@dataclass(frozen=True)
class Then(Fault):
    """Answer as always, then let something happen at the broker: a fill between two reads."""

    do: Callable[[], object] = field(default=lambda: None)


@dataclass(frozen=True)
class Stuck(Fault):
    """Every page is the first one again, and names the same next one."""
