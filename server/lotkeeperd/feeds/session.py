"""What every conversation with a venue has in common, without sockets and without a clock.

Problem: asking for symbols while others are still unanswered makes it unknowable which request an answer refuses; one symbol
that a venue does not know makes it refuse the whole request; and a connection that stands but says nothing looks healthy.
Chosen: one request at a time, in chunks the venue takes; a refused chunk is asked again in halves until the guilty symbol
stands alone; every venue is made to say something now and then, and silence beyond a limit is an error. Where a venue counts
requests per second, the next one waits for its turn, and goes out when `due` is asked.

Times are seconds of a clock that never jumps, handed in.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Sequence
from itertools import islice
from typing import NamedTuple

from lotkeeperd.feeds.errors import Silent
from lotkeeperd.feeds.quotes import Quote

ANSWER_SECONDS = 10.0
"""How long a venue may take to answer a request."""
PING_SECONDS = 20.0
"""A venue is made to say something at least this often."""

Frame = str | bytes


class Heard(NamedTuple):
    """What came of one frame: prices, what to send, and what an operator should read."""

    quotes: Sequence[Quote] = ()
    frames: Sequence[Frame] = ()
    notes: Sequence[str] = ()


NOTHING = Heard()


class Request(NamedTuple):
    """To be sent: subscribe to ``symbols`` (``add``), or unsubscribe from them."""

    add: bool
    symbols: tuple[str, ...]


class Subscriptions:
    """What a connection is subscribed to, and the one request that brings it nearer to what is wanted."""

    def __init__(self, chunk: int) -> None:
        self.held: dict[str, None] = {}
        self.asked: Request | None = None
        self._chunk = self._size = chunk
        self._wanted: dict[str, None] = {}
        self._refused: set[str] = set()
        self._full = False

    def want(self, symbols: Iterable[str]) -> None:
        """From now on these, the most important first."""
        self._wanted = dict.fromkeys(symbols)
        self._refused.intersection_update(self._wanted)

    def next(self) -> Request | None:
        """The request to send now, which is then the one that is asked; None while one is unanswered or none is needed."""
        if self.asked is None:
            self.asked = self._removal() or self._addition()
            return self.asked
        return None

    def _removal(self) -> Request | None:
        gone = [symbol for symbol in self.held if symbol not in self._wanted]
        return Request(False, tuple(gone[: self._chunk])) if gone else None

    def _addition(self) -> Request | None:
        chunk = () if self._full else tuple(islice(self._missing(), self._size))
        return Request(True, chunk) if chunk else None

    def _missing(self) -> Iterable[str]:
        return (symbol for symbol in self._wanted if symbol not in self.held and symbol not in self._refused)

    def settled(self, failed: Collection[str] = ()) -> None:
        """The request was granted, but for ``failed``."""
        asked, self.asked = self.asked, None
        if asked is None:
            return
        if asked.add:
            self.held.update(dict.fromkeys(symbol for symbol in asked.symbols if symbol not in failed))
            self._refused.update(failed)
            self._size = min(self._chunk, self._size * 2)
            return
        for symbol in asked.symbols:
            self.held.pop(symbol, None)
        self._full = False

    def refused(self) -> tuple[str, ...]:
        """The request was refused whole; the symbols that are given up for it: none while it can be asked in halves."""
        asked = self.asked
        if asked is None or not asked.add or len(asked.symbols) == 1:
            given_up = asked.symbols if asked is not None and asked.add else ()
            self.settled(given_up)
            return given_up
        self.asked = None
        self._size = len(asked.symbols) // 2
        return ()

    def limited(self) -> tuple[str, ...]:
        """The request was refused because the venue takes no more symbols.

        Returns those that have to wait until others are given up: none while a smaller request could fit.
        """
        asked = self.asked
        if asked is not None and asked.add and len(asked.symbols) > 1:
            return self.refused()
        self.asked = None
        self._full = True
        return tuple(self._missing())


class Session(ABC):
    """One connection's conversation: frames in and time in, frames to send and prices out.

    ``ready`` says that the venue has let us in. Every method may raise what `errors` lists; the conversation is over then.
    """

    def __init__(self, chunk: int, silence: float, interval: float = 0.0) -> None:
        """``chunk`` symbols go into one request; ``interval`` seconds lie between two requests at least."""
        self.ready = False
        self._subscriptions = Subscriptions(chunk)
        self._silence = silence
        self._interval = interval
        self._ping_every = min(PING_SECONDS, silence / 2)
        self._heard_at = self._pinged_at = 0.0
        self._asked_at: float | None = None
        self._may_ask_at = 0.0

    def opened(self, now: float) -> list[Frame]:
        """The connection stands; what to send first."""
        self._heard_at = self._pinged_at = now
        return self._greeting(now)

    def received(self, frame: Frame, now: float) -> Heard:
        """A frame came."""
        self._heard_at = now
        return self._take(frame, now)

    def want(self, symbols: Sequence[str], now: float) -> list[Frame]:
        """From now on these symbols, in the venue's spelling, the most important first; what to send now, maybe nothing."""
        self._subscriptions.want(symbols)
        return self._next(now)

    def due(self, now: float) -> list[Frame]:
        """What to send because time has passed. Raises Silent."""
        if self._expects_messages() and now - self._heard_at >= self._silence:
            raise Silent(f"connected, but no message for {self._silence:g} seconds")
        if self._asked_at is not None and now - self._asked_at >= ANSWER_SECONDS:
            raise Silent(f"connected, but a request was not answered within {ANSWER_SECONDS:g} seconds")
        frames = self._next(now)
        if now - self._pinged_at >= self._ping_every:
            self._pinged_at = now
            frames += self._ping(now)
        return frames

    def _asking(self, now: float) -> None:
        self._asked_at = now
        self._may_ask_at = now + self._interval

    def _answered(self) -> None:
        self._asked_at = None

    def _next(self, now: float) -> list[Frame]:
        """The next request when the venue is ready for one, and its turn has come."""
        may = self.ready and self._asked_at is None and now >= self._may_ask_at
        request = self._subscriptions.next() if may else None
        if request is None:
            return []
        self._asking(now)
        return self._request(request)

    def _expects_messages(self) -> bool:
        return True

    @abstractmethod
    def _greeting(self, now: float) -> list[Frame]: ...

    @abstractmethod
    def _take(self, frame: Frame, now: float) -> Heard: ...

    @abstractmethod
    def _request(self, request: Request) -> list[Frame]: ...

    @abstractmethod
    def _ping(self, now: float) -> list[Frame]: ...
