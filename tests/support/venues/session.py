"""What the three venues have in common: text in, messages out, and no socket anywhere near."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from tests.support.venues.faults import Message
from tests.support.venues.quotes import Update


class Close(NamedTuple):
    """How the venue closes a connection."""

    code: int
    reason: str


class Reply(NamedTuple):
    """What the venue answers, and whether it closes after that."""

    messages: list[Message]
    close: Close | None = None


NOTHING = Reply([])


class Session(Protocol):
    """One connection's side of a venue's protocol."""

    @property
    def subscribed(self) -> frozenset[str]:
        """The symbols whose prices this connection gets."""

    @property
    def ready(self) -> bool:
        """Whether the client did what the venue waits for: logged in, or subscribed."""

    def opening(self) -> Reply:
        """What is said before the client says anything."""

    def receive(self, body: str | bytes) -> Reply:
        """Answer one message of the client."""

    def late(self) -> Reply:
        """What happens to a client that is not ready in time."""

    def pulse(self) -> Reply:
        """What is said at every heartbeat."""

    def prices(self, updates: Mapping[str, Update]) -> list[Message]:
        """The messages that carry these prices, for what is subscribed."""
