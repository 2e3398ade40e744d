"""``record_fills`` of both clients: many executions over one stream, a result for each. No I/O.

Problem: one call per execution costs a flush and a round trip each, so a bot that moves in with years of fills waits for hours;
and a stream that breaks in the middle leaves its caller to find out what was recorded. Chosen: fills are sent in messages, a few
of them ahead of the answers; when the connection is lost, what is not answered yet is sent again. Each fill has its id, so what
was recorded already is found, and comes back as ``replayed``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice

import grpc

from lotkeeper import answers, calls, fields, responses, values
from lotkeeper.calls import Call, Defaults
from lotkeeper.enums import ExcessPolicy, LatePolicy
from lotkeeper.errors import DeadlineExceeded, LotkeeperError, Unavailable
from lotkeeper.v1 import ledger_pb2
from lotkeeper.v1.ledger_service_pb2 import RecordFillsRequest, RecordFillsResponse
from lotkeeper.writes import fill_message

FILLS = 500  # in one message; the server takes 1000
AHEAD = 4  # messages that wait for their answers; the server reads as many before the first answer is taken from it


class Recording:
    """The fills of one ``record_fills``: what to send next, what still waits for an answer, and when to give up.

    Args:
        given: the caller's fills; taken from as they are sent.
        envelope: a message with everything but fills.
        timeout: seconds until the next answer must be there, retries included.
    """

    def __init__(self, given: Iterable[values.Fill], envelope: RecordFillsRequest, timeout: float) -> None:
        self._given = iter(given)
        self._envelope = envelope
        self.timeout = timeout
        self.unanswered: deque[RecordFillsRequest] = deque()

    def opening(self) -> Iterator[RecordFillsRequest]:
        """What goes first over a new stream: what an older one did not answer, then what follows."""
        yield from tuple(self.unanswered)
        yield from self.following()

    def following(self) -> Iterator[RecordFillsRequest]:
        """The next messages, until there are no more fills or enough of them wait for an answer.

        Raises:
            ValueError: a fill has no id, or holds a value that cannot be sent.
            TypeError: a fill holds a value that cannot be sent exactly.
        """
        while len(self.unanswered) < AHEAD:
            message = RecordFillsRequest(fills=map(_fill, islice(self._given, FILLS)))
            if not message.fills:
                return
            message.MergeFrom(self._envelope)
            self.unanswered.append(message)
            yield message

    def take(self, answer: RecordFillsResponse) -> Iterator[responses.FillResult]:
        """The results in the answer to the oldest message that waits."""
        self.unanswered.popleft()
        return map(answers.fill_result, answer.results)

    def call(self) -> Call[object]:
        """What is tried, for messages about it."""
        return Call("RecordFills", self._envelope, lambda answer: answer, self.timeout)


def silent(timeout: float) -> LotkeeperError:
    """No answer came in time."""
    return DeadlineExceeded(
        grpc.StatusCode.DEADLINE_EXCEEDED,
        f"RecordFills: no answer within {timeout:g} s. What was sent may have been recorded: send it again with the same "
        "fill ids. If this repeats, see whether the server runs.",
    )


def cut_short() -> LotkeeperError:
    """The server ended the stream before everything was answered."""
    return Unavailable(
        grpc.StatusCode.UNAVAILABLE,
        "RecordFills: the server ended the stream before everything was answered; send it again with the same fill ids",
    )


def record_fills(
    defaults: Defaults,
    *,
    fills: Iterable[values.Fill],
    excess_policy: ExcessPolicy = ExcessPolicy.UNSPECIFIED,
    late_policy: LatePolicy = LatePolicy.UNSPECIFIED,
    portfolio_id: str | None = None,
    timeout: float | None = None,
) -> Recording:
    """Record many executions in order; gives a ``FillResult`` for each. Nothing is sent until the results are iterated.

    ``fills`` may be any iterable, also a generator that reads a file: it is taken from as results are. A fill that is
    refused says so in its own result, and the others go on. A lost connection is made again, and what was not answered
    is sent again: each fill needs its ``fill_id`` and counts once. ``timeout`` is for each answer, of some hundred fills.

    Raises:
        ValueError: while iterating: a fill without a fill_id, or a value that cannot be sent.
        TypeError: while iterating: a float, or another type that cannot be sent exactly.
        LotkeeperError: while iterating: the ledger refused a whole message, or did not answer in time. Fills whose results
            came are recorded; to go on, record the others again, or all of them.
    """
    envelope = RecordFillsRequest(
        portfolio_id=calls.portfolio_of(defaults, portfolio_id),
        excess_policy=fields.member("excess_policy", ExcessPolicy, excess_policy),
        late_policy=fields.member("late_policy", LatePolicy, late_policy),
    )
    return Recording(fills, envelope, calls.timeout_of(defaults, timeout))


def _fill(fill: values.Fill) -> ledger_pb2.Fill:
    if not fill.fill_id:
        raise ValueError(
            f"record_fills: {fill} has no fill_id. Without one a fill that is sent again would be recorded twice. Pass the "
            "venue's execution id, or one of your own that is the same the next time."
        )
    return fill_message(
        fill_id=fill.fill_id,
        order_id=fill.order_id,
        symbol=fill.symbol,
        side=fill.side,
        quantity=fill.quantity,
        price=fill.price,
        fee=fill.fee,
        fee_currency=fill.fee_currency,
        fill_time=fill.fill_time,
        position_side=fill.position_side,
    )
