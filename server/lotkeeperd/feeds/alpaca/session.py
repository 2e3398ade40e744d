"""A conversation with Alpaca's stock stream.

connected -> we say who we are -> authenticated -> one request at a time -> data. At night and at weekends no data comes, so
silence alone proves nothing; asking again for a symbol that is subscribed must be answered with the list of subscriptions, and
that is the ping. While nothing is subscribed there is nothing to miss, and the connection's own pings suffice.
"""

from __future__ import annotations

from lotkeeperd.feeds.alpaca.messages import (
    JSON,
    Codec,
    Failure,
    Said,
    Subscribed,
    Success,
    authentication,
    read,
    subscription,
)
from lotkeeperd.feeds.alpaca.trades import Cancel, Correction, LastTrades, Trade
from lotkeeperd.feeds.errors import ConnectionLimit, Dropped, Rejected
from lotkeeperd.feeds.quotes import Quote
from lotkeeperd.feeds.session import Frame, Heard, Request, Session
from lotkeeperd.feeds.spec import FeedSpec, Price

CHUNK = 100
"""Symbols in one request."""

INVALID_SYNTAX, NOT_AUTHENTICATED, AUTH_FAILED, ALREADY_AUTHENTICATED = 400, 401, 402, 403
SYMBOL_LIMIT, CONNECTION_LIMIT, NO_SUBSCRIPTION, INVALID_ACTION = 405, 406, 409, 410


class AlpacaSession(Session):
    """See the module."""

    def __init__(self, spec: FeedSpec, codec: Codec = JSON) -> None:
        super().__init__(CHUNK, spec.silence)
        self._spec = spec
        self._codec = codec
        self._trades = LastTrades()

    def _greeting(self, now: float) -> list[Frame]:
        self._asking(now)  # not a request, but an answer is owed all the same: "connected"
        return []

    def _take(self, frame: Frame, now: float) -> Heard:
        quotes: list[Quote] = []
        frames: list[Frame] = []
        notes: list[str] = []
        for said in read(self._codec.read(frame)):
            if isinstance(said, Quote | Trade | Correction | Cancel):
                quotes += self._take_price(said)
            else:
                answer = self._take_answer(said, now)
                frames += answer.frames
                notes += answer.notes
        return Heard(quotes, frames, notes)

    def _take_price(self, said: Quote | Trade | Correction | Cancel) -> list[Quote]:
        """What this changes of the price that is wanted: a quote says nothing about the last trade, nor a trade about quotes."""
        if isinstance(said, Quote):
            return [] if self._spec.price is Price.LAST else [said]
        quote = self._trades.take(said) if self._spec.price is Price.LAST else None
        return [] if quote is None else [quote]

    def _take_answer(self, said: Said, now: float) -> Heard:
        match said:
            case Success("connected"):
                self._asking(now)
                return Heard(frames=[self._codec.write(authentication(self._spec.key, self._spec.secret))])
            case Success("authenticated"):
                self.ready = True
                return self._go_on(now, ())
            case Subscribed():
                self._subscriptions.settled()  # of a ping there is nothing to settle
                return self._go_on(now, ())
            case Failure(code, words):
                return self._go_on(now, self._failed(code, words))
        return Heard()

    def _go_on(self, now: float, notes: tuple[str, ...]) -> Heard:
        self._answered()
        return Heard(frames=self._next(now), notes=notes)

    def _failed(self, code: int, words: str) -> tuple[str, ...]:
        """What an operator should read of an error that is not the end. Raises what ends the conversation."""
        said = f"{words} ({code})"
        match code:
            case _ if code in {NOT_AUTHENTICATED, AUTH_FAILED}:
                raise Rejected(f"{said}: the key or the secret is refused")
            case _ if code == NO_SUBSCRIPTION:
                raise Rejected(f"{said}: the account's plan does not include {self._spec.url}")
            case _ if code == CONNECTION_LIMIT:
                raise ConnectionLimit(
                    f"{said}: another program uses this account's connection; end it, or let it push marks with PublishMarks"
                )
            case _ if code == ALREADY_AUTHENTICATED:
                return ()
            case _ if code == SYMBOL_LIMIT:
                left = self._subscriptions.limited()
                return (
                    (f"{said}: no prices for {', '.join(left)}; want fewer symbols or a larger plan",) if left else ()
                )
            case _ if code in {INVALID_SYNTAX, INVALID_ACTION} and self._subscriptions.asked is not None:
                left = self._subscriptions.refused()
                return (f"{said}: no prices for {', '.join(left)}; correct the table symbols",) if left else ()
        raise Dropped(said)

    def _request(self, request: Request) -> list[Frame]:
        return [self._codec.write(subscription(request, self._spec.price))]

    def _ping(self, now: float) -> list[Frame]:
        held = next(iter(self._subscriptions.held), None)
        if held is None or self._asked_at is not None:
            return []
        self._asking(now)
        return [self._codec.write(subscription(Request(True, (held,)), self._spec.price))]

    def _expects_messages(self) -> bool:
        return bool(self._subscriptions.held)
