"""A P&L stream that outlives its connections: what to ask for next, and which facts are new. No I/O.

A connection may break between any two messages, also between the parts of a snapshot and in the middle of a long
close, whose closed trades come in several messages. ``sequence`` of a message says that every fact up to it was sent;
facts of the sequence after it may already have come. Laws kept here:

 1. Every fact is delivered once, in order: closed trades, opened entries, restated trades. (``facts`` keeps it.)
 2. A snapshot is delivered whole or not at all.
 3. Before the first whole snapshot there is nothing to resume: start again, without a sequence.
 4. A sequence belongs to one ledger. Another one's ends the stream: the facts delivered are not of its history.

Whoever keeps ``sequence`` and ``ledger_id`` of the last event, and hands them in after a restart of their own, resumes
there; the facts of a command that was cut in the middle then come again, recognizable by their ids.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypedDict

from grpc import StatusCode

from lotkeeper import fields, parts
from lotkeeper.calls import Defaults
from lotkeeper.errors import LedgerReplaced, LotkeeperError, Unavailable
from lotkeeper.events import Disconnected, Heartbeat, PnLEvent, Snapshot, Update
from lotkeeper.facts import Delivered
from lotkeeper.retry import is_retryable
from lotkeeper.v1.ledger_service_pb2 import PnLSnapshot, PnLUpdate, StreamPnLRequest, StreamPnLResponse
from lotkeeper.values import Time

HEARTBEAT_INTERVAL = 5.0  # seconds; the server's when none is asked for
SILENT_HEARTBEATS = 3  # missed, and the connection counts as lost
SHORTEST_SILENCE = 1.0  # seconds; a busy machine is late by less

_NANOSECONDS = 1_000_000_000


class _Envelope(TypedDict):
    """What every event has."""

    sequence: int
    ledger_id: str
    emit_time: Time
    lag: float


class Subscription:
    """One stream across its connections. ``request`` opens each, ``take`` reads a message, ``lost`` says how to go on.

    Args:
        request: what the caller asked for.
    """

    def __init__(self, request: StreamPnLRequest) -> None:
        self._asked = request
        heartbeat = request.heartbeat_interval.ToNanoseconds() / 1e9 or HEARTBEAT_INTERVAL
        # While news waits for its interval to pass there is no heartbeat either.
        interval = max(heartbeat, request.min_update_interval.ToNanoseconds() / 1e9)
        self.silence_limit = max(interval * SILENT_HEARTBEATS, SHORTEST_SILENCE)  # seconds
        self._resumable = request.HasField("after_sequence")
        self._sequence = request.after_sequence
        self._ledger_id = request.ledger_id
        self._delivered = Delivered(self._sequence)
        self._parts: list[PnLSnapshot] = []
        self._latest: PnLEvent | None = None

    def request(self) -> StreamPnLRequest:
        """What to ask for on a new connection."""
        self._parts = []
        request = StreamPnLRequest()
        request.CopyFrom(self._asked)
        if self._resumable:
            request.after_sequence = self._sequence
            request.ledger_id = self._ledger_id
        return request

    def take(self, message: StreamPnLResponse, now: int) -> PnLEvent | None:
        """The event ``message`` completes; ``None`` for a part of a snapshot, or a kind this client does not know yet.

        ``now`` is the time here, in nanoseconds UTC.

        Raises:
            LedgerReplaced: it is of another ledger than the events before (law 4).
        """
        self._check_ledger(message)
        kind = message.WhichOneof("event")
        event: PnLEvent | None = None
        if kind == "snapshot":
            event = self._snapshot(message, now)
        elif kind == "update":
            event = self._update(message, message.update, now)
        elif kind == "heartbeat" and not self._parts:
            event = Heartbeat(**_envelope(message, now))
        if event is not None:
            self._passed(event)
        return event

    def lost(self, error: LotkeeperError, now: int) -> Disconnected | None:
        """The event that tells of a connection lost to ``error``; ``None`` if no event came since the last one.

        ``now`` is the time here, in nanoseconds UTC.

        Raises:
            LotkeeperError: ``error`` itself, when a new connection would not help.
        """
        if not is_retryable(error) and error.code is not StatusCode.CANCELLED:
            raise error  # CANCELLED is no answer: gRPC ends so what reaches a server in the moment that it shuts down
        latest, self._latest = self._latest, None
        if latest is None:
            return None
        return Disconnected(
            sequence=latest.sequence,
            ledger_id=latest.ledger_id,
            emit_time=latest.emit_time,
            lag=_seconds_between(latest.emit_time, now),
            cause=error,
        )

    def silent(self) -> Unavailable:
        """The error of a connection on which nothing came for ``silence_limit``."""
        return Unavailable(
            StatusCode.UNAVAILABLE, f"StreamPnL: not even a heartbeat for {self.silence_limit:g} s; connecting anew"
        )

    def ended(self) -> Unavailable:
        """The error of a connection that the server ended without one: a stream has no end of its own."""
        return Unavailable(StatusCode.UNAVAILABLE, "StreamPnL: the server ended the stream; connecting anew")

    def _passed(self, event: PnLEvent) -> None:
        self._latest = event
        self._sequence = event.sequence
        self._ledger_id = event.ledger_id
        self._resumable = self._resumable or isinstance(event, Snapshot)
        self._delivered.reach(event.sequence)

    def _check_ledger(self, message: StreamPnLResponse) -> None:
        if self._resumable and message.ledger_id != self._ledger_id:
            raise LedgerReplaced(
                StatusCode.FAILED_PRECONDITION,
                f"the stream was of ledger {self._ledger_id} and is now of {message.ledger_id}: "
                "drop what was collected and start a new stream",
                "LEDGER_REPLACED",
                {"ledger_id": message.ledger_id},
            )

    def _snapshot(self, message: StreamPnLResponse, now: int) -> Snapshot | None:
        self._parts.append(message.snapshot)
        if message.snapshot.more:
            return None
        snapshot, self._parts = self._parts, []
        return Snapshot(
            **_envelope(message, now),
            positions=tuple(parts.position(position) for part in snapshot for position in part.positions),
            totals=tuple(parts.portfolio_totals(totals) for part in snapshot for totals in part.totals),
            groups=tuple(parts.group_pnl(group) for part in snapshot for group in part.groups),
        )

    def _update(self, message: StreamPnLResponse, update: PnLUpdate, now: int) -> Update:
        facts = self._delivered.fresh(message.sequence, update)
        return Update(
            **_envelope(message, now),
            positions=tuple(map(parts.position, update.positions)),
            totals=tuple(map(parts.portfolio_totals, update.totals)),
            closed_trades=tuple(map(parts.closed_trade, facts.closed_trades)),
            opened_entries=tuple(map(parts.entry, facts.opened_entries)),
            restated_trades=parts.restated_trades(facts.restated_trades),
            groups=tuple(map(parts.group_pnl, update.groups)),
            conflated_count=update.conflated_count,
        )


def _envelope(message: StreamPnLResponse, now: int) -> _Envelope:
    emit_time = parts.time_of(message.emit_time)
    return {
        "sequence": message.sequence,
        "ledger_id": message.ledger_id,
        "emit_time": emit_time,
        "lag": _seconds_between(emit_time, now),
    }


def _seconds_between(start: int, end: int) -> float:
    return (end - start) / _NANOSECONDS


def stream_pnl(
    defaults: Defaults,
    *,
    portfolio_ids: Iterable[str] | None = None,
    symbols: Iterable[str] = (),
    after_sequence: int | None = None,
    ledger_id: str = "",
    min_update_interval: float | None = None,
    heartbeat_interval: float | None = None,
) -> Subscription:
    """Follow live P&L: a ``Snapshot``, then an ``Update`` for every change, a ``Heartbeat`` while nothing changes.

    Goes on after a lost connection by itself, with a ``Disconnected`` to say so: every closed trade, opened entry and
    restated trade comes exactly once and in order. To go on after a restart of your own, pass ``sequence`` of the last
    event as ``after_sequence``, and its ``ledger_id``. Close the generator, or leave the loop, to end the stream.

    ``portfolio_ids`` left out is the portfolio given to ``connect``, or all of them when none was; ``[]`` is all. The
    intervals are seconds: the least time between two messages (none: every change), and the time without a change after
    which a heartbeat comes (5 s).

    Raises:
        ValueError: one of ``after_sequence`` and ``ledger_id`` without the other.
        LedgerReplaced: while iterating: the ledger was restored; start a new stream.
        LotkeeperError: while iterating: the ledger refused.
    """
    if (after_sequence is None) != (not ledger_id):
        raise ValueError(
            f"stream_pnl: after_sequence={after_sequence} with ledger_id={ledger_id!r}: a sequence counts in one "
            "ledger only; pass both, as the last event had them, or neither"
        )
    if portfolio_ids is None:
        portfolio_ids = (defaults.portfolio,) if defaults.portfolio else ()
    return Subscription(
        StreamPnLRequest(
            portfolio_ids=fields.texts("portfolio_ids", portfolio_ids),
            symbols=fields.texts("symbols", symbols),
            after_sequence=after_sequence,
            ledger_id=fields.text("ledger_id", ledger_id),
            min_update_interval=fields.duration("min_update_interval", min_update_interval),
            heartbeat_interval=fields.duration("heartbeat_interval", heartbeat_interval),
        )
    )
