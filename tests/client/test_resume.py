"""A P&L stream across its connections: every fact once and in order, whatever breaks where."""

import grpc
import pytest

from lotkeeper.calls import Defaults
from lotkeeper.errors import FillConflict, LedgerReplaced, LotkeeperError
from lotkeeper.events import Disconnected, Heartbeat, Snapshot, Update
from lotkeeper.resume import SHORTEST_SILENCE, stream_pnl
from lotkeeper.v1.ledger_service_pb2 import StreamPnLResponse
from tests.client.following import DEFAULTS, GONE, NOW, taken
from tests.client.samples import (
    LEDGER_ID,
    NOON,
    base_totals,
    closed_trade,
    group_pnl,
    message,
    snapshot,
    update,
)


def test_a_new_stream_asks_for_the_snapshot() -> None:
    """Nothing is known yet."""
    request = stream_pnl(DEFAULTS, portfolio_ids=["p"], symbols=["BTC-USD"], heartbeat_interval=0.5).request()
    assert not request.HasField("after_sequence")
    assert (list(request.portfolio_ids), list(request.symbols)) == (["p"], ["BTC-USD"])
    assert request.heartbeat_interval.ToMilliseconds() == 500


@pytest.mark.parametrize(
    ("portfolio", "said", "asked"), [("", None, []), ("p", None, ["p"]), ("p", [], []), ("p", ["q"], ["q"])]
)
def test_the_stream_follows_the_portfolio_of_the_connection(
    portfolio: str, said: list[str] | None, asked: list[str]
) -> None:
    """Unless it is told otherwise; none is all."""
    assert list(stream_pnl(Defaults(portfolio, 5.0), portfolio_ids=said).request().portfolio_ids) == asked


@pytest.mark.parametrize(("after_sequence", "ledger_id"), [(5, ""), (0, ""), (None, LEDGER_ID)])
def test_a_sequence_goes_with_its_ledger(after_sequence: int | None, ledger_id: str) -> None:
    """Law 4: it counts in one ledger only."""
    with pytest.raises(ValueError, match="pass both"):
        stream_pnl(DEFAULTS, after_sequence=after_sequence, ledger_id=ledger_id)


def test_parts_of_a_snapshot_are_one_event() -> None:
    """Law 2: whole."""
    events = taken(stream_pnl(DEFAULTS), snapshot(9, "A", "B", more=True), snapshot(9, "C"))
    assert len(events) == 1
    assert isinstance(events[0], Snapshot)
    assert [position.symbol for position in events[0].positions] == ["A", "B", "C"]
    assert (events[0].sequence, events[0].ledger_id) == (9, LEDGER_ID)


def test_a_snapshot_that_broke_off_is_not_delivered() -> None:
    """Law 2: or not at all; the next connection brings another."""
    subscription = stream_pnl(DEFAULTS)
    assert taken(subscription, snapshot(9, "A", more=True)) == []
    assert subscription.lost(GONE, NOW) is None
    subscription.request()
    (event,) = taken(subscription, snapshot(9, "B"))
    assert isinstance(event, Snapshot)
    assert [position.symbol for position in event.positions] == ["B"]


def test_before_the_first_snapshot_a_stream_starts_again() -> None:
    """Law 3: resuming would bring updates before anything they update."""
    subscription = stream_pnl(DEFAULTS)
    taken(subscription, snapshot(9, "A", more=True))
    subscription.lost(GONE, NOW)
    assert not subscription.request().HasField("after_sequence")


def test_a_heartbeat_before_the_first_snapshot_is_no_place_to_resume_at() -> None:
    """Law 3: the caller has nothing yet that updates could be applied to."""
    subscription = stream_pnl(DEFAULTS)
    taken(subscription, message(9))
    subscription.lost(GONE, NOW)
    assert not subscription.request().HasField("after_sequence")


def test_a_heartbeat_among_the_parts_of_a_snapshot_says_nothing() -> None:
    """Its sequence is the snapshot's, and the snapshot is not delivered yet."""
    assert taken(stream_pnl(DEFAULTS), snapshot(9, "A", more=True), message(9)) == []


def test_after_the_first_snapshot_a_stream_resumes() -> None:
    """After the sequence of the last message, whatever kind it was."""
    subscription = stream_pnl(DEFAULTS)
    taken(subscription, snapshot(9, "A"), update(10, closed_trade(10)), message(12))
    subscription.lost(GONE, NOW)
    request = subscription.request()
    assert (request.after_sequence, request.ledger_id) == (12, LEDGER_ID)


def test_a_caller_resumes_where_it_stood_before_its_own_restart() -> None:
    """0 is a sequence too: everything since the beginning."""
    request = stream_pnl(DEFAULTS, after_sequence=0, ledger_id=LEDGER_ID).request()
    assert request.HasField("after_sequence")
    assert (request.after_sequence, request.ledger_id) == (0, LEDGER_ID)


def test_groups_come_whole_and_as_they_change() -> None:
    """Of all the parts of a snapshot, and with the update that changed them."""
    parts = [snapshot(9, "A", more=True), snapshot(9, "B")]
    for part in parts:
        part.snapshot.groups.add().CopyFrom(group_pnl())
    changed = update(10)
    changed.update.groups.add().CopyFrom(group_pnl())
    first, then = taken(stream_pnl(DEFAULTS), *parts, changed)
    assert isinstance(first, Snapshot)
    assert isinstance(then, Update)
    assert [group.group_id for group in first.groups] == ["g1", "g1"]
    assert [group.contracts for group in then.groups] == [1]


def test_totals_come_with_the_base_currency() -> None:
    """Of each portfolio, where the server gives it."""
    told = snapshot(9)
    told.snapshot.totals.add(portfolio_id="p", base_totals=base_totals())
    told.snapshot.totals.add(portfolio_id="q")
    (event,) = taken(stream_pnl(DEFAULTS), told)
    assert isinstance(event, Snapshot)
    assert [totals.base_totals.currency if totals.base_totals else None for totals in event.totals] == ["USD", None]


def test_a_lost_connection_is_an_event() -> None:
    """Once per loss, with where the stream stood; not for every connection that fails after it."""
    subscription = stream_pnl(DEFAULTS)
    taken(subscription, snapshot(9), message(9))
    lost = subscription.lost(GONE, NOW)
    assert isinstance(lost, Disconnected)
    assert (lost.sequence, lost.ledger_id, lost.cause) == (9, LEDGER_ID, GONE)
    assert subscription.lost(GONE, NOW) is None
    assert isinstance(taken(subscription, message(9))[0], Heartbeat)
    assert isinstance(subscription.lost(GONE, NOW), Disconnected)


@pytest.mark.parametrize("sent", [snapshot(9), update(9, closed_trade(9)), message(9)])
def test_an_event_says_how_far_behind_it_came(sent: StreamPnLResponse) -> None:
    """Seconds from the server's clock when it was made to the caller's when it was handed over; below 0 if those differ."""
    (event,) = taken(stream_pnl(DEFAULTS), sent)
    assert (event.emit_time, event.lag) == (NOON, 0.25)
    ahead = stream_pnl(DEFAULTS).take(sent, NOON - 1_000_000_000)
    assert ahead is not None
    assert ahead.lag == -1.0
    assert ahead == event


def test_a_lost_connection_says_how_old_everything_is() -> None:
    """The newest thing known is of the last message, however long it took to notice."""
    subscription = stream_pnl(DEFAULTS)
    taken(subscription, snapshot(9))
    lost = subscription.lost(GONE, NOON + 15_000_000_000)
    assert lost is not None
    assert (lost.emit_time, lost.lag) == (NOON, 15.0)


def test_an_answer_ends_the_stream() -> None:
    """A new connection would get the same."""
    refused = FillConflict(grpc.StatusCode.ALREADY_EXISTS, "differs")
    with pytest.raises(FillConflict):
        stream_pnl(DEFAULTS).lost(refused, NOW)


def test_a_stream_that_a_server_cut_while_it_shut_down_is_a_lost_connection() -> None:
    """What gRPC says then is CANCELLED, without a reason of the ledger's; nobody here has cancelled anything."""
    subscription = stream_pnl(DEFAULTS)
    taken(subscription, snapshot(9))
    assert isinstance(subscription.lost(LotkeeperError(grpc.StatusCode.CANCELLED, "CANCELLED"), NOW), Disconnected)


def test_another_ledger_ends_the_stream() -> None:
    """Law 4: also when a server does not notice it."""
    subscription = stream_pnl(DEFAULTS)
    taken(subscription, snapshot(9))
    with pytest.raises(LedgerReplaced, match=f"was of ledger {LEDGER_ID} and is now of other"):
        subscription.take(message(9, ledger_id="other"), NOW)


def test_an_event_of_a_newer_contract_is_passed_over() -> None:
    """It may carry facts this client does not know: its sequence does not count as seen."""
    subscription = stream_pnl(DEFAULTS)
    taken(subscription, snapshot(9))
    assert subscription.take(StreamPnLResponse(sequence=10, ledger_id=LEDGER_ID), NOW) is None
    assert subscription.request().after_sequence == 9


@pytest.mark.parametrize(("interval", "limit"), [(None, 15.0), (2.0, 6.0), (0.01, SHORTEST_SILENCE)])
def test_three_heartbeats_missed_are_a_lost_connection(interval: float | None, limit: float) -> None:
    """But a busy machine is no lost connection."""
    assert stream_pnl(DEFAULTS, heartbeat_interval=interval).silence_limit == pytest.approx(limit)


def test_a_longer_update_interval_is_a_longer_silence() -> None:
    """While news waits for its interval to pass there is no heartbeat either."""
    assert stream_pnl(DEFAULTS, min_update_interval=60.0, heartbeat_interval=5.0).silence_limit == pytest.approx(180.0)
