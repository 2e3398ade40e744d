"""A conversation with Coinbase's market-data stream.

The venue closes a connection that has not subscribed within five seconds, and quiet channels after a minute: heartbeats, one a
second, are asked for first, whatever else is wanted. They also tell a mute connection from a quiet market. Every message is
numbered; a number that is left out is a lost message, and since a new connection begins with a snapshot, that is the remedy.
A number that was there before is a repetition and says nothing new.

The venue takes eight messages a second from one address, unauthenticated, and refuses what is more. Such a refusal says nothing
about the products that were asked for: it is a limit, and met by coming back slowly.
"""

from __future__ import annotations

import re

from lotkeeperd.feeds.coinbase.messages import HEARTBEATS, SUBSCRIPTIONS, Failure, Message, read, subscription
from lotkeeperd.feeds.errors import ConnectionLimit, Dropped, Gap, Rejected
from lotkeeperd.feeds.reading import decoded
from lotkeeperd.feeds.session import NOTHING, Frame, Heard, Request, Session
from lotkeeperd.feeds.spec import FeedSpec

CHUNK = 100
"""Products in one request."""
INTERVAL = 0.2
"""Seconds between two requests: five of the eight that one address has in a second, so that a second program has some too."""
_LIMIT = re.compile(r"rate.?limit|too many", re.IGNORECASE)


class CoinbaseSession(Session):
    """See the module."""

    def __init__(self, spec: FeedSpec) -> None:
        super().__init__(CHUNK, spec.silence, INTERVAL)
        self._number: int | None = None

    def _greeting(self, now: float) -> list[Frame]:
        self._asking(now)
        return [HEARTBEATS]

    def _take(self, frame: Frame, now: float) -> Heard:
        said = read(decoded(frame))
        if isinstance(said, Failure):
            return self._failed(said.words, now)
        if not self._is_next(said.number):
            return NOTHING
        return self._take_answer(said, now) if said.channel == SUBSCRIPTIONS else Heard(said.quotes)

    def _is_next(self, number: int) -> bool:
        """Whether the message is new. Raises Gap."""
        before, self._number = self._number, number
        if before is None or number == before + 1:
            return True
        if number > before:
            raise Gap(f"messages {before + 1} to {number - 1} of the connection were lost")
        self._number = before
        return False

    def _take_answer(self, said: Message, now: float) -> Heard:
        self.ready = True
        self._answered()
        self._subscriptions.settled()
        return Heard(said.quotes, self._next(now))

    def _failed(self, words: str, now: float) -> Heard:
        if "authentication" in words:
            raise Rejected(f"{words}: the stream wants keys for what was asked; the ticker channel needs none, see url")
        if _LIMIT.search(words):
            raise ConnectionLimit(f"{words}: the venue takes no more requests of this address for now")
        if self._subscriptions.asked is None:
            raise Dropped(words)
        left = self._subscriptions.refused()
        self._answered()
        notes = [f"{words}: no prices for {', '.join(left)}; correct the table symbols"] if left else []
        return Heard(frames=self._next(now), notes=notes)

    def _request(self, request: Request) -> list[Frame]:
        return [subscription(request)]

    def _ping(self, now: float) -> list[Frame]:  # noqa: ARG002 heartbeats come by themselves
        return []
