"""One StreamPnL as a subscriber hears it, every message held against what all of them must keep.

Checked of each message, whatever the test is about:

- it is of this ledger, not over 1 MiB, and its sequence never goes back;
- facts come in the order (sequence, index), an entry after the trades of its own record, each once;
- a sequence S means that every fact up to S was sent: no later fact is of S or before;
- the parts of a snapshot follow each other at one sequence, and there is one snapshot; before it come only facts, and
  only to one who resumes;
- no message holds more than 1,000 facts; an update holds something;
- no position and no group is newer than the message that shows it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from google.protobuf.duration_pb2 import Duration

from lotkeeper.v1 import ledger_pb2, ledger_service_pb2
from tests.contract.asking import nanoseconds

Message = ledger_service_pb2.StreamPnLResponse
Place = tuple[int, int]
"""(sequence, index) of a fact."""

MESSAGE_BYTES = 1 << 20
FACTS_IN_MESSAGE = 1000
STREAM_SECONDS = 60.0
LAST_OF_RECORD = 1 << 31
"""An entry's index: a record opens one at most, after all it closed."""


class Follower:
    """Reads one stream, message by message, and remembers what it said."""

    def __init__(self, call: Any, resumes: bool) -> None:
        self._call = call
        self._resumes = resumes
        self._last: Place = (-1, -1)
        self._in_snapshot = False
        self.messages: list[Message] = []
        self.snapshots: list[Message] = []
        self.heartbeats: list[Message] = []
        self.updates: list[Message] = []
        self.entries: list[ledger_pb2.Entry] = []
        self.trades: list[ledger_pb2.ClosedTrade] = []
        self.positions: dict[tuple[str, str], ledger_pb2.Position] = {}
        self.groups: dict[tuple[str, str, str], ledger_pb2.GroupPnL] = {}
        self.totals: dict[str, ledger_pb2.Totals] = {}
        self.conflated = 0
        self.sequence = -1

    def next(self) -> Message:
        """The next message, checked."""
        message: Message = next(self._call)
        self._check(message)
        match message.WhichOneof("event"):
            case "snapshot":
                self._snapshot(message)
            case "update":
                self._update(message)
            case kind:
                assert kind == "heartbeat"
                assert self.snapshots
                self.heartbeats.append(message)
        self.messages.append(message)
        self.sequence = message.sequence
        return message

    def until(self, done: Callable[[], bool]) -> Follower:
        """Read on until ``done``."""
        while not done():
            self.next()
        return self

    def snapshot(self) -> Follower:
        """Read on until the snapshot is whole."""
        return self.until(lambda: bool(self.snapshots) and not self._in_snapshot)

    def reached(self, sequence: int) -> Follower:
        """Read on until every fact up to ``sequence`` was sent."""
        return self.until(lambda: self.sequence >= sequence)

    def quiet(self) -> Follower:
        """Read on until the next heartbeat: there was nothing more to say."""
        heard = len(self.heartbeats)
        return self.until(lambda: len(self.heartbeats) > heard)

    def _check(self, message: Message) -> None:
        assert message.ByteSize() <= MESSAGE_BYTES
        assert message.sequence >= self.sequence
        assert not self.messages or message.ledger_id == self.messages[0].ledger_id
        assert nanoseconds(message.emit_time) > 0
        assert not self._in_snapshot or message.WhichOneof("event") == "snapshot"

    def _snapshot(self, message: Message) -> None:
        assert self._in_snapshot == bool(self.snapshots), "a second snapshot"
        assert all(part.sequence == message.sequence for part in self.snapshots)
        self.snapshots.append(message)
        self._in_snapshot = message.snapshot.more
        part = message.snapshot
        assert part.positions or part.groups or part.totals or not part.more
        self._values(message.snapshot, message.sequence)

    def _update(self, message: Message) -> None:
        update = message.update
        facts = len(update.closed_trades) + len(update.opened_entries) + len(update.restated_trades)
        assert facts <= FACTS_IN_MESSAGE
        assert facts or update.positions or update.groups, "an update that updates nothing"
        if not self.snapshots:
            assert self._resumes
            assert not update.positions
            assert not update.totals
            assert not update.groups
        assert {total.portfolio_id for total in update.totals} == {place.portfolio_id for place in update.positions}
        self._facts(message)
        self._values(update, message.sequence)
        self.updates.append(message)
        self.conflated += update.conflated_count
        self.entries += update.opened_entries
        self.trades += update.closed_trades

    def _facts(self, message: Message) -> None:
        trades = [(trade.sequence, trade.index) for trade in message.update.closed_trades]
        entries = [(entry.sequence, LAST_OF_RECORD) for entry in message.update.opened_entries]
        assert trades == sorted(trades)
        assert entries == sorted(entries)
        for place in sorted(trades + entries):
            assert place > self._last, f"{place} after {self._last}"
            assert self.sequence < place[0] <= message.sequence + 1, f"{place}: {self.sequence}, {message.sequence}"
            self._last = place

    def _values(self, part: ledger_service_pb2.PnLSnapshot | ledger_service_pb2.PnLUpdate, sequence: int) -> None:
        assert all(position.sequence <= sequence for position in part.positions), "a position newer than its message"
        books = [(position.portfolio_id, position.symbol, position.book_side) for position in part.positions]
        assert len(books) == len(set(books)), "a position twice in one message"
        self.positions |= {key[:2]: position for key, position in zip(books, part.positions, strict=True)}
        assert all(group.sequence <= sequence for group in part.groups), "a group newer than its message"
        names = [(group.portfolio_id, group.group_id, group.currency) for group in part.groups]
        assert len(names) == len(set(names)), "a group twice in one message"
        self.groups |= dict(zip(names, part.groups, strict=True))
        for totals in part.totals:
            self.totals[totals.portfolio_id] = totals.totals[0]  # the base currency's


@contextmanager
def following(
    ledger: Any, *portfolios: str, heartbeat: float | None = None, interval: float | None = None, **others: Any
) -> Iterator[Follower]:
    """A StreamPnL of ``portfolios``, intervals in seconds, ended afterwards."""
    request = ledger_service_pb2.StreamPnLRequest(portfolio_ids=portfolios, **others)
    if heartbeat is not None:
        request.heartbeat_interval.CopyFrom(duration(heartbeat))
    if interval is not None:
        request.min_update_interval.CopyFrom(duration(interval))
    call = ledger.StreamPnL(request, timeout=STREAM_SECONDS)
    try:
        yield Follower(call, "after_sequence" in others)
    finally:
        call.cancel()


def duration(seconds: float) -> Duration:
    """A duration as the wire has it."""
    length = Duration()
    length.FromMilliseconds(round(seconds * 1000))
    return length
