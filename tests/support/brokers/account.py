"""One account at a fake broker: what it holds, what was traded, which faults are on, and what was asked."""

import json
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from tests.support.brokers.faults import (
    Empty,
    ExpiredKey,
    Fault,
    HangUp,
    NotJson,
    Status,
    Stuck,
    Then,
    TooMany,
    WrongSignature,
)

KEY = "fake-key-0123456789"
SECRET = "fake-secret-0123456789abcdef"


class Asked(NamedTuple):
    """One request as it came in; ``query`` is not decoded, ``parameters`` are."""

    path: str
    query: str
    parameters: Mapping[str, str]
    headers: Mapping[str, str]
    host: str


class Answer(NamedTuple):
    """What goes back; None for the body ends the connection."""

    status: int
    body: bytes | None
    headers: Mapping[str, str] = {}


class Position(NamedTuple):
    """Something that is held; ``quantity`` is signed, ``leg`` is Bybit's positionIdx, ``hold`` is the part reserved for orders."""

    symbol: str
    quantity: Decimal
    average: str
    part: str
    leg: int = 0
    hold: Decimal = Decimal(0)


class Fill(NamedTuple):
    """Something that was traded; ``kind`` is execType or trade_type, ``closed`` how much of a position it closed."""

    id: str
    symbol: str
    side: str
    quantity: str
    price: str
    time: int
    order_id: str
    fee: str
    fee_currency: str
    part: str
    kind: str
    closed: str = "0"
    in_quote: bool = False


@dataclass
class Script:
    """A fault and how often it will still strike."""

    fault: Fault
    left: int | None = field(default=None)


def answered(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """An answer in JSON."""
    return Answer(status, json.dumps(body).encode(), headers or {})


class FakeAccount(ABC):
    """What the three have in common. ``offset`` is how far this broker's clock is ahead of ours, in nanoseconds."""

    default_part = ""
    default_kind = ""

    def __init__(self, clock: Callable[[], int] = time.time_ns) -> None:
        self._clock = clock
        self.offset = 0
        self.positions: list[Position] = []
        self.fills: list[Fill] = []
        self.cash: dict[str, str] = {}
        self.asked: list[Asked] = []
        self._scripts: list[Script] = []

    def now(self) -> int:
        """Nanoseconds UTC by this broker's clock."""
        return self._clock() + self.offset

    def hold(
        self,
        symbol: str,
        quantity: str,
        average: str = "100",
        *,
        part: str | None = None,
        leg: int = 0,
        hold: str = "0",
    ) -> None:
        """Hold this much, signed, in place of what was held of it; 0 holds nothing."""
        part = self.default_part if part is None else part
        kept = [each for each in self.positions if (each.symbol, each.part, each.leg) != (symbol, part, leg)]
        fresh = Position(symbol, Decimal(quantity), average, part, leg, Decimal(hold))
        self.positions = [*kept, fresh] if fresh.quantity else kept

    def fill(
        self,
        identity: str,
        symbol: str,
        side: str,
        quantity: str,
        price: str,
        *,
        time: int | None = None,
        order_id: str = "",
        fee: str = "0",
        fee_currency: str = "",
        part: str | None = None,
        kind: str | None = None,
        closed: str = "0",
        in_quote: bool = False,
    ) -> None:
        """Trade this; what is held does not change by itself."""
        self.fills = [
            *self.fills,
            Fill(
                identity,
                symbol,
                side,
                quantity,
                price,
                self.now() if time is None else time,
                order_id or f"order-of-{identity}",
                fee,
                fee_currency,
                self.default_part if part is None else part,
                self.default_kind if kind is None else kind,
                closed,
                in_quote,
            ),
        ]

    def script(self, *faults: Fault) -> None:
        """Put faults on the requests to come; the first that fits strikes."""
        self._scripts += [Script(fault, fault.times) for fault in faults]

    def shown(self, path: str, parameters: Mapping[str, str]) -> bytes:
        """What a good request to ``path`` is answered with, keys aside."""
        body = self.content(Asked(path, "", parameters, {}, "")).body
        assert body is not None
        return body

    def heal(self) -> None:
        """No fault any more."""
        self._scripts = []

    def answer(self, asked: Asked) -> Answer:
        """One request, from its faults to its end."""
        self.asked.append(asked)
        fault = self._fault_of(asked)
        if fault is None:
            return self._checked(asked)
        if isinstance(fault, Then):
            answer = self._checked(asked)
            fault.do()
            return answer
        return self._struck(fault, asked)

    def _checked(self, asked: Asked) -> Answer:
        return self.refusal(asked) or self.content(asked)

    def _fault_of(self, asked: Asked) -> Fault | None:
        for script in self._scripts:
            fits = asked.path.startswith(script.fault.path) and script.fault.page in {None, self.page_of(asked)}
            if fits and script.left != 0:
                script.left = None if script.left is None else script.left - 1
                return script.fault
        return None

    def _struck(self, fault: Fault, asked: Asked) -> Answer:
        match fault:
            case Status(status=status):
                return self.failure(status)
            case TooMany(retry_after=seconds):
                return self.too_many(seconds)
            case WrongSignature():
                return self.wrong_signature(asked)
            case ExpiredKey():
                return self.expired_key()
            case Empty():
                return self.empty(asked)
            case HangUp():
                return Answer(0, None)
            case Stuck():
                first = {key: value for key, value in asked.parameters.items() if key not in {"cursor", "page_token"}}
                return self._checked(asked._replace(parameters=first))
            case NotJson():
                return Answer(200, b"<html><body>We will be back soon</body></html>")
            case _:
                raise TypeError(f"no such fault: {fault}")

    @abstractmethod
    def page_of(self, asked: Asked) -> int:
        """Which page is asked for, from 1."""

    @abstractmethod
    def refusal(self, asked: Asked) -> Answer | None:
        """What is answered to wrong keys; None when they are right."""

    @abstractmethod
    def content(self, asked: Asked) -> Answer:
        """What is answered to a good request."""

    @abstractmethod
    def empty(self, asked: Asked) -> Answer:
        """The same without a single row."""

    @abstractmethod
    def failure(self, status: int) -> Answer:
        """The broker's own words for an HTTP status."""

    @abstractmethod
    def too_many(self, seconds: int | None) -> Answer:
        """The broker's own words for its rate limit."""

    @abstractmethod
    def wrong_signature(self, asked: Asked) -> Answer:
        """The broker's own words for a signature that does not fit."""

    @abstractmethod
    def expired_key(self) -> Answer:
        """The broker's own words for a key that is over."""


def page(rows: Sequence[object], start: int, size: int) -> tuple[Sequence[object], int | None]:
    """Some rows, and where the next page begins."""
    end = start + size
    return rows[start:end], end if end < len(rows) else None
