"""What goes wrong between a venue and its client, as values that compose.

Each fault is a frozen value; ``begin`` makes the pipe of one connection, with that connection's own count. A connection
passes what it sends through its pipes in the order they were given, so ``Slow(1), Duplicate()`` waits once for both.
``after`` counts the frames with prices that the connection sent before the fault sets in; answers and heartbeats are
not counted, but a silent connection does not send them either.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

GARBAGE = '{"topic":"tickers.BTCUSDT","data":{"lastPri'


class Message(NamedTuple):
    """One websocket message: text or binary, and whether it carries a price."""

    body: str | bytes
    price: bool = False


class Step(NamedTuple):
    """What a connection does with one message: wait, then send it, or half of it before the connection breaks."""

    message: Message
    wait: float = 0
    cut: bool = False


Pipe = Callable[[Sequence[Step]], list[Step]]


class Fault(ABC):
    """Something that happens to what a connection sends."""

    __slots__ = ()

    @abstractmethod
    def begin(self) -> Pipe:
        """The pipe of one connection, which counts for itself."""


class _Count:
    """How many prices went by."""

    def __init__(self, after: int) -> None:
        self._left = after

    def due(self, step: Step) -> bool:
        """Whether the fault has set in for this step."""
        if self._left > 0:
            self._left -= step.message.price
            return False
        return True


@dataclass(frozen=True, slots=True)
class Cut(Fault):
    """The next price is cut in the middle of its frame, and the connection is gone."""

    after: int = 0

    def begin(self) -> Pipe:
        """Count, then mark the first price that is due."""
        count = _Count(self.after)

        def pipe(steps: Sequence[Step]) -> list[Step]:
            return [step._replace(cut=True) if count.due(step) and step.message.price else step for step in steps]

        return pipe


@dataclass(frozen=True, slots=True)
class Silence(Fault):
    """Connected but mute: nothing more is said, neither prices nor answers nor heartbeats."""

    after: int = 0

    def begin(self) -> Pipe:
        """Count, then drop everything."""
        count = _Count(self.after)

        def pipe(steps: Sequence[Step]) -> list[Step]:
            return [step for step in steps if not count.due(step)]

        return pipe


@dataclass(frozen=True, slots=True)
class Duplicate(Fault):
    """Every price comes ``times`` times."""

    after: int = 0
    times: int = 2

    def begin(self) -> Pipe:
        """Count, then repeat."""
        count = _Count(self.after)

        def pipe(steps: Sequence[Step]) -> list[Step]:
            out: list[Step] = []
            for step in steps:
                again = self.times - 1 if count.due(step) and step.message.price else 0
                out += [step, *[step._replace(wait=0)] * again]
            return out

        return pipe


@dataclass(frozen=True, slots=True)
class OutOfOrder(Fault):
    """Prices change places in pairs: the second comes before the first."""

    after: int = 0

    def begin(self) -> Pipe:
        """Count, then hold every other price back until the next has gone."""
        count = _Count(self.after)
        held: list[Step] = []

        def pipe(steps: Sequence[Step]) -> list[Step]:
            out: list[Step] = []
            for step in steps:
                if not (count.due(step) and step.message.price):
                    out.append(step)
                elif held:
                    out += [step, held.pop()]
                else:
                    held.append(step)
            return out

        return pipe


@dataclass(frozen=True, slots=True)
class Gap(Fault):
    """The next ``frames`` prices are lost; their sequence numbers are missing."""

    after: int = 0
    frames: int = 1

    def begin(self) -> Pipe:
        """Count, then lose so many."""
        count, lost = _Count(self.after), _Count(self.frames)

        def pipe(steps: Sequence[Step]) -> list[Step]:
            return [step for step in steps if not (count.due(step) and step.message.price and not lost.due(step))]

        return pipe


@dataclass(frozen=True, slots=True)
class Slow(Fault):
    """Every message takes that many seconds longer."""

    seconds: float
    after: int = 0

    def begin(self) -> Pipe:
        """Count, then wait before each."""
        count = _Count(self.after)

        def pipe(steps: Sequence[Step]) -> list[Step]:
            return [step._replace(wait=step.wait + self.seconds) if count.due(step) else step for step in steps]

        return pipe


@dataclass(frozen=True, slots=True)
class Garbage(Fault):
    """Before the next price comes a frame that is no message at all."""

    after: int = 0
    body: str | bytes = GARBAGE

    def begin(self) -> Pipe:
        """Count, then say it once."""
        count = _Count(self.after)
        said = False

        def pipe(steps: Sequence[Step]) -> list[Step]:
            nonlocal said
            out: list[Step] = []
            for step in steps:
                if count.due(step) and step.message.price and not said:
                    said = True
                    out.append(Step(Message(self.body)))
                out.append(step)
            return out

        return pipe


@dataclass(frozen=True, slots=True)
class RefuseConnection:
    """The handshake is answered with this HTTP status instead of 101."""

    status: int = 503


@dataclass(frozen=True, slots=True)
class RefuseLogin:
    """The login is answered with this code of Alpaca's; Coinbase has one refusal for all of them, Bybit no login."""

    code: int


@dataclass(frozen=True, slots=True)
class HangUp:
    """The login's refusal comes before the client said anything, and the venue hangs up at once (Alpaca, Coinbase)."""

    code: int


@dataclass(frozen=True, slots=True)
class RateLimit:
    """More messages of a connection's client than this many in that many seconds are refused (Coinbase)."""

    messages: int = 8
    seconds: float = 1.0


WRONG_KEY = RefuseLogin(402)
CONNECTION_LIMIT = RefuseLogin(406)
AnyFault = Fault | RefuseConnection | RefuseLogin | HangUp | RateLimit
