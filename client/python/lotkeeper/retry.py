"""Which failures are tried again, and when: one pure function, one generator, and the count-down of one deadline.

A lost connection, a locked database or a full queue pass within seconds in a sidecar, and a bot that had to handle each
would do it worse. Because every write carries an id, sending it again is safe. Everything else the server says is an
answer, and repeating the question does not change it. gRPC can retry by itself, but knows neither our reasons nor
RetryInfo, and both together would multiply; therefore its retries are off and these are the only ones.

Time and randomness are handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import grpc

from lotkeeper.errors import DeadlineExceeded, LotkeeperError
from lotkeeper.status import error_of

if TYPE_CHECKING:
    from lotkeeper.calls import Call

FIRST_PAUSE = 0.05  # seconds; a local server restarts in a few of these
PAUSE_GROWTH = 2
LONGEST_PAUSE = 1.0  # seconds; a bot waits for its ledger, it does not go to sleep


def is_retryable(error: LotkeeperError) -> bool:
    """Whether the same request may succeed by itself soon.

    A broker that did not answer is not: the server has waited for it, and asking on would use up its rate limit.
    """
    if error.reason == "BROKER_UNAVAILABLE":
        return False
    return error.code is grpc.StatusCode.UNAVAILABLE or error.reason == "WRITE_QUEUE_FULL"


def backoff(random: Callable[[], float]) -> Iterator[float]:
    """Seconds to pause before each further try, growing to the longest; ``random``, in [0, 1), takes off half."""
    ceiling = FIRST_PAUSE
    while True:
        yield ceiling - ceiling / 2 * random()
        ceiling = min(ceiling * PAUSE_GROWTH, LONGEST_PAUSE)


def pause_before_retry(error: LotkeeperError, pause: float, remaining: float) -> float | None:
    """Seconds until the next try, after the server's own wish if it has one; ``None`` if there is none to be made.

    There is none when the error is an answer, or when the deadline comes first: then the error that is known says more
    than a wait for a deadline would.
    """
    if not is_retryable(error):
        return None
    wait = pause + (error.retry_delay or 0)
    return wait if wait < remaining else None


class Attempts:
    """The tries of one call within one deadline.

    Args:
        call: what is tried.
        address: where, for the message when nobody answers.
        clock: seconds that only go forward.
        random: in [0, 1), for the pauses.
        deadline: by ``clock``; the call's timeout from now unless the call is part of a longer read.
    """

    def __init__(
        self,
        call: Call[Any],
        address: str,
        clock: Callable[[], float],
        random: Callable[[], float],
        deadline: float | None = None,
    ) -> None:
        self._call = call
        self._address = address
        self._clock = clock
        self._pauses = backoff(random)
        self._deadline = clock() + call.timeout if deadline is None else deadline
        self._last: LotkeeperError | None = None

    def remaining(self) -> float:
        """Seconds the next try may take."""
        return max(0.0, self._deadline - self._clock())

    def failed(self, broken: grpc.RpcError) -> float:
        """Seconds to pause before the next try.

        Raises:
            LotkeeperError: there is none.
        """
        error = error_of(broken)
        pause = pause_before_retry(error, next(self._pauses), self.remaining())
        if pause is None:
            raise self._told(error) from self._last
        self._last = error
        return pause

    def _told(self, error: LotkeeperError) -> LotkeeperError:
        if not isinstance(error, DeadlineExceeded):
            return error
        message = (
            f"{self._call.method}: no answer from {self._address} within {self._call.timeout:g} s. A write may have "
            "been recorded: send it again with the same ids. If this repeats, see whether the server runs."
        )
        return DeadlineExceeded(error.code, message, error.reason, error.metadata)
