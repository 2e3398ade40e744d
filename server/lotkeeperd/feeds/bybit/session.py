"""A conversation with one of Bybit's public streams.

No authentication. The venue cuts a connection without pings after ten minutes; we send one every twenty seconds, whose answer
is also how a mute connection is told from a quiet market. After a snapshot a ticker only carries what changed, so the prices
of each symbol are kept here, each with its age, for as long as it is subscribed. Tickers are not numbered without gaps: a lost
change cannot be seen, and is healed by the next change of the same price.
"""

from __future__ import annotations

from lotkeeperd.feeds.bybit.messages import (
    PING,
    Answer,
    Known,
    Ticker,
    merged,
    prefix,
    quote,
    read,
    subscription,
)
from lotkeeperd.feeds.reading import decoded
from lotkeeperd.feeds.session import NOTHING, Frame, Heard, Request, Session
from lotkeeperd.feeds.spec import FeedSpec

CHUNK, SPOT_CHUNK = 100, 10
"""Topics in one request; the spot stream takes ten."""
ALREADY = "already subscribed"


class BybitSession(Session):
    """See the module."""

    def __init__(self, spec: FeedSpec) -> None:
        super().__init__(SPOT_CHUNK if spec.category == "spot" else CHUNK, spec.silence)
        self._topic = prefix(spec.category, spec.price)
        self._held: dict[str, Known] = {}

    def _greeting(self, now: float) -> list[Frame]:
        self.ready = True
        return [*self._ping(now), *self._next(now)]

    def _take(self, frame: Frame, now: float) -> Heard:
        said = read(decoded(frame))
        if isinstance(said, Ticker):
            return self._take_ticker(said)
        return self._take_answer(said, now) if isinstance(said, Answer) else NOTHING

    def _take_ticker(self, news: Ticker) -> Heard:
        held = self._held.get(news.symbol)
        known = merged(held, news)
        if known is held:
            return NOTHING
        self._held[news.symbol] = known
        return Heard([quote(news.symbol, known)])

    def _take_answer(self, answer: Answer, now: float) -> Heard:
        asked = self._subscriptions.asked
        self._answered()
        if answer.success or (ALREADY in answer.words and asked is not None and len(asked.symbols) == 1):
            self._subscriptions.settled()
            left: tuple[str, ...] = ()
        elif answer.failed:
            left = tuple(topic.removeprefix(self._topic) for topic in answer.failed)
            self._subscriptions.settled(left)
        else:
            left = self._subscriptions.refused()
        if asked is not None and not asked.add:
            for symbol in asked.symbols:
                self._held.pop(symbol, None)
        notes = [f"{answer.words}: no prices for {', '.join(left)}; correct the table symbols"] if left else []
        return Heard(frames=self._next(now), notes=notes)

    def _request(self, request: Request) -> list[Frame]:
        return [subscription(request, self._topic)]

    def _ping(self, now: float) -> list[Frame]:  # noqa: ARG002 the answer is not waited for: silence tells
        return [PING]
