"""StreamPnL after a sequence: every fact since, without positions; then one snapshot; then updates."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from lotkeeper.v1 import ledger_pb2, ledger_service_pb2
from lotkeeper.v1.ledger_service_pb2_grpc import LedgerServiceStub
from tests.contract import reading
from tests.contract.asking import BUY, SELL, entry, fill
from tests.contract.following import STREAM_SECONDS, Follower, following
from tests.support.dialing import OWN_CONNECTION, dialed
from tests.support.refusals import Refused, refused
from tests.support.sidecar import Sidecar

Ledger = Any
"""The generated stub; gRPC writes no types for it."""

Resume = dict[str, Any]
"""Where to resume, as StreamPnL is asked."""


def flipping(ledger: Ledger, portfolio: str, symbol: str, count: int) -> int:
    """So many fills, each of which flips the position but the first: a trade and an entry each. The last sequence."""
    sequence = 0
    for number in range(count):
        side, quantity = (SELL if number % 2 else BUY), ("2" if number else "1")
        sequence = ledger.RecordFill(fill(portfolio, symbol, quantity, str(100 + number), side=side)).sequence
    return sequence


def trades_since(ledger: Ledger, portfolio: str, sequence: int) -> list[ledger_pb2.ClosedTrade]:
    """What the list says was closed after ``sequence``."""
    return [trade for trade in reading.all_trades(ledger, portfolio) if trade.sequence > sequence]


def sequences(facts: Iterable[Any]) -> list[int]:
    """Of facts of one kind."""
    return [fact.sequence for fact in facts]


def told_before_the_snapshot(follower: Follower) -> tuple[list[int], list[int]]:
    """Sequences of the trades and of the entries that came first."""
    early = follower.messages[: follower.messages.index(follower.snapshots[0])]
    return (
        [fact.sequence for message in early for fact in message.update.closed_trades],
        [fact.sequence for message in early for fact in message.update.opened_entries],
    )


@pytest.mark.parametrize("missed", [1, 7, 20])
def test_a_resumed_stream_tells_what_was_missed(
    sidecar: Sidecar, ledger: Ledger, portfolio: str, symbol: str, missed: int
) -> None:
    """Facts first, all of them, and none that was told before; one snapshot; then it goes on."""
    flipping(ledger, portfolio, symbol, 20)
    head = reading.head(ledger)
    after = head - missed
    with following(ledger, portfolio, after_sequence=after, ledger_id=sidecar.ledger_id) as follower:
        follower.snapshot()
        trades, entries = told_before_the_snapshot(follower)
        assert trades == sequences(trades_since(ledger, portfolio, after))
        assert entries == list(range(after + 1, head + 1))
        assert follower.trades == trades_since(ledger, portfolio, after)
        assert follower.positions[portfolio, symbol] == reading.position(ledger, portfolio, symbol)
        follower.reached(ledger.CreateEntry(entry(portfolio, symbol + "b")).sequence)
        assert len(follower.snapshots) == 1
        assert follower.entries[-1].symbol == symbol + "b"


def test_a_stream_resumed_at_the_head_has_missed_nothing(
    sidecar: Sidecar, ledger: Ledger, portfolio: str, symbol: str
) -> None:
    """The first message is the snapshot."""
    head = flipping(ledger, portfolio, symbol, 3)
    with following(ledger, portfolio, after_sequence=head, ledger_id=sidecar.ledger_id) as follower:
        assert follower.next().WhichOneof("event") == "snapshot"
        assert (follower.trades, follower.entries, follower.sequence) == ([], [], head)


def test_zero_is_the_beginning(sidecar: Sidecar, ledger: Ledger, portfolio: str, symbol: str) -> None:
    """Not "unset": the whole history comes."""
    flipping(ledger, portfolio, symbol, 5)
    with following(ledger, portfolio, after_sequence=0, ledger_id=sidecar.ledger_id) as follower:
        follower.snapshot()
    assert follower.trades == reading.all_trades(ledger, portfolio)
    assert len(follower.entries) == 5


def test_facts_are_resumed_as_they_are_followed(sidecar: Sidecar, ledger: Ledger, portfolio: str) -> None:
    """By portfolio and symbol; read from the journal or told live they are the same messages."""
    wanted, other = portfolio + "X", portfolio + "Y"
    with following(ledger, portfolio, symbols=[wanted]) as live:
        start = live.snapshot().sequence
        flipping(ledger, portfolio + "b", wanted, 3)
        flipping(ledger, portfolio, other, 4)
        live.reached(flipping(ledger, portfolio, wanted, 6))
    with following(ledger, portfolio, symbols=[wanted], after_sequence=start, ledger_id=sidecar.ledger_id) as resumed:
        resumed.snapshot()
    assert resumed.trades == live.trades
    assert resumed.entries == live.entries
    assert (len(live.trades), len(live.entries)) == (5, 6)


def test_any_message_is_a_place_to_resume_from(sidecar: Sidecar, ledger: Ledger, portfolio: str, symbol: str) -> None:
    """A subscriber that dies after any message and resumes there has every fact once."""
    flipping(ledger, portfolio, symbol, 2)
    with following(ledger, portfolio, after_sequence=0, ledger_id=sidecar.ledger_id) as whole:
        whole.snapshot()
        for _ in range(6):
            whole.reached(flipping(ledger, portfolio, symbol, 2))
    trades: list[ledger_pb2.ClosedTrade] = []
    entries: list[ledger_pb2.Entry] = []
    for message in whole.messages:
        trades += message.update.closed_trades
        entries += message.update.opened_entries
        resume: Resume = {"after_sequence": message.sequence, "ledger_id": message.ledger_id}
        with following(ledger, portfolio, **resume) as resumed:
            resumed.snapshot()
        assert trades + resumed.trades == whole.trades
        assert entries + resumed.entries == whole.entries


def test_a_stream_is_resumed_after_a_crash(database_url: str) -> None:
    """SIGKILL in the middle: the same ledger, every acknowledged fact once, over the break."""
    with Sidecar(database_url) as sidecar, dialed(sidecar.address, OWN_CONNECTION) as channel:
        ledger = LedgerServiceStub(channel)
        with following(ledger, "p") as before:
            before.snapshot()
            before.reached(flipping(ledger, "p", "S", 10))
            missed = flipping(ledger, "p", "T", 10)
            sidecar.kill()
        sidecar.restart()
        resume: Resume = {"after_sequence": 10, "ledger_id": sidecar.ledger_id}
        assert before.messages[0].ledger_id == sidecar.ledger_id
        with dialed(sidecar.address, OWN_CONNECTION) as again:
            ledger = LedgerServiceStub(again)
            with following(ledger, "p", **resume) as after:
                after.snapshot()
                after.reached(flipping(ledger, "p", "U", 1))
            assert sequences(after.entries) == list(range(11, missed + 2))
            heard = [trade for trade in before.trades if trade.sequence <= 10] + after.trades
            assert heard == reading.all_trades(ledger, "p")


def _refusal(ledger: Ledger, **request: Any) -> Refused:
    call = ledger.StreamPnL(ledger_service_pb2.StreamPnLRequest(**request), timeout=STREAM_SECONDS)
    return refused(lambda: next(call))


def test_a_sequence_without_its_ledger_is_refused(ledger: Ledger) -> None:
    """It means nothing in another one."""
    refusal = _refusal(ledger, after_sequence=0)
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_VIOLATION")
    assert refusal.fields == ["ledger_id"]


def test_a_sequence_ahead_of_the_ledger_is_out_of_range(sidecar: Sidecar, ledger: Ledger) -> None:
    """It was restored from a backup: what the subscriber knows is not there any more."""
    head = reading.head(ledger)
    refusal = _refusal(ledger, after_sequence=head + 1, ledger_id=sidecar.ledger_id)
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.OUT_OF_RANGE, "SEQUENCE_AHEAD")
    assert refusal.metadata == {"latest_sequence": str(head)}


def test_a_sequence_of_another_ledger_is_a_failed_precondition(sidecar: Sidecar, ledger: Ledger) -> None:
    """With this ledger's identity; before the number is looked at."""
    refusal = _refusal(ledger, after_sequence=1 << 60, ledger_id="another")
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "LEDGER_REPLACED")
    assert refusal.metadata == {"ledger_id": sidecar.ledger_id}


def test_a_ledger_without_a_sequence_asks_for_nothing(ledger: Ledger, portfolio: str) -> None:
    """ledger_id belongs to after_sequence; a stream that starts anew may carry any."""
    with following(ledger, portfolio, ledger_id="another") as follower:
        assert follower.snapshot().snapshots


BAD: list[tuple[dict[str, Any], list[str]]] = [
    ({"after_sequence": -1, "ledger_id": "x"}, ["after_sequence"]),
    ({"after_sequence": -1}, ["after_sequence", "ledger_id"]),
    ({"ledger_id": "x" * 129}, ["ledger_id"]),
    ({"portfolio_ids": ["a", "b" * 65]}, ["portfolio_ids[1]"]),
    ({"symbols": ["a\n"]}, ["symbols[0]"]),
    ({"symbols": ["a"] * 1001}, ["symbols"]),
    ({"portfolio_ids": ["a"] * 1001}, ["portfolio_ids"]),
    ({"min_update_interval": Duration(seconds=-1)}, ["min_update_interval"]),
    ({"min_update_interval": Duration(seconds=3601)}, ["min_update_interval"]),
    ({"heartbeat_interval": Duration(nanos=1)}, ["heartbeat_interval"]),
    ({"heartbeat_interval": Duration(seconds=-5)}, ["heartbeat_interval"]),
    ({"heartbeat_interval": Duration(seconds=1 << 50)}, ["heartbeat_interval"]),
]


@pytest.mark.parametrize(
    ("request_", "fields"), BAD, ids=[", ".join(fields) + f" {n}" for n, (_, fields) in enumerate(BAD)]
)
def test_a_stream_that_breaks_a_rule_is_refused(ledger: Ledger, request_: dict[str, Any], fields: list[str]) -> None:
    """Every broken field is named."""
    refusal = _refusal(ledger, **request_)
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_VIOLATION")
    assert refusal.fields == fields
