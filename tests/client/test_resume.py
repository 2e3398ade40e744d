"""A P&L stream across its connections: every fact once and in order, whatever breaks where."""

from collections.abc import Iterator
from typing import NamedTuple

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotkeeper.calls import Defaults
from lotkeeper.errors import FillConflict, LedgerReplaced, LotkeeperError, Unavailable
from lotkeeper.events import Disconnected, Heartbeat, PnLEvent, Snapshot, Update
from lotkeeper.resume import SHORTEST_SILENCE, Subscription, stream_pnl
from lotkeeper.v1.ledger_pb2 import ClosedTrade, Entry
from lotkeeper.v1.ledger_service_pb2 import StreamPnLRequest, StreamPnLResponse
from tests.client.samples import LEDGER_ID, NOON, closed_trade, entry, message, snapshot, update

GONE = Unavailable(grpc.StatusCode.UNAVAILABLE, "gone")
DEFAULTS = Defaults("", 5.0)
NOW = NOON + 250_000_000


def taken(subscription: Subscription, *messages: StreamPnLResponse) -> list[PnLEvent]:
    """The events the messages complete."""
    return [event for each in messages if (event := subscription.take(each, NOW)) is not None]


def trades(events: list[PnLEvent]) -> list[tuple[int, int]]:
    """The closed trades among them, by their place in history."""
    updates = [event for event in events if isinstance(event, Update)]
    return [(trade.sequence, trade.index) for event in updates for trade in event.closed_trades]


def entries(events: list[PnLEvent]) -> list[int]:
    """The opened entries among them, by sequence."""
    updates = [event for event in events if isinstance(event, Update)]
    return [opened.sequence for event in updates for opened in event.opened_entries]


def test_a_new_stream_asks_for_the_snapshot() -> None:
    """Nothing is known yet."""
    request = stream_pnl(DEFAULTS, portfolio_ids=["p"], symbols=["BTC-PERP"], heartbeat_interval=0.5).request()
    assert not request.HasField("after_sequence")
    assert (list(request.portfolio_ids), list(request.symbols)) == (["p"], ["BTC-PERP"])
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


def test_facts_that_came_before_the_break_do_not_come_again() -> None:
    """Law 1: in the middle of a long close, whose sequence was not complete yet."""
    subscription = stream_pnl(DEFAULTS)
    first = taken(subscription, snapshot(9), update(9, closed_trade(10, 0), closed_trade(10, 1)))
    subscription.lost(GONE, NOW)
    assert subscription.request().after_sequence == 9
    again = taken(
        subscription,
        update(9, closed_trade(10, 0), closed_trade(10, 1), closed_trade(10, 2)),
        update(10, closed_trade(10, 3), entry(10)),
        snapshot(10),
    )
    assert trades(first + again) == [(10, 0), (10, 1), (10, 2), (10, 3)]
    assert entries(first + again) == [10]


def test_facts_up_to_the_snapshot_are_in_the_snapshot() -> None:
    """A server that sends them once more is not believed twice."""
    events = taken(stream_pnl(DEFAULTS), snapshot(9), update(10, closed_trade(9), entry(9), closed_trade(10)))
    assert (trades(events), entries(events)) == ([(10, 0)], [])


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


class Record(NamedTuple):
    """What one sequence of a journal holds: closed trades, and after them a lot or none."""

    closed: int
    opened: bool


class Connection(NamedTuple):
    """How one connection goes: facts and snapshot parts per message, the journal's length, messages until it breaks."""

    chunk: int
    parts: int
    length: int
    messages: int


def facts_after(journal: list[Record], sequence: int) -> list[ClosedTrade | Entry]:
    """All of them, in order."""
    facts: list[ClosedTrade | Entry] = []
    for number, record in enumerate(journal, start=1):
        if number > sequence:
            facts += [closed_trade(number, index) for index in range(record.closed)]
            facts += [entry(number)] if record.opened else []
    return facts


def updates_after(journal: list[Record], sequence: int, chunk: int) -> Iterator[StreamPnLResponse]:
    """As the contract says: a message's sequence is S only when every fact up to S was sent."""
    facts = facts_after(journal, sequence)
    for start in range(0, len(facts), chunk):
        rest = facts[start + chunk :]
        yield update(rest[0].sequence - 1 if rest else len(journal), *facts[start : start + chunk])


def served(journal: list[Record], request: StreamPnLRequest, how: Connection) -> Iterator[StreamPnLResponse]:
    """What a server of the contract sends on one connection while the journal grows from ``how.length`` to its end."""
    now = journal[: how.length]
    if request.HasField("after_sequence"):
        now = journal[: max(how.length, request.after_sequence)]
        yield from updates_after(now, request.after_sequence, how.chunk)
    for part in range(how.parts):
        yield snapshot(len(now), f"S{part}", more=part < how.parts - 1)
    yield message(len(now))
    yield from updates_after(journal, len(now), how.chunk)
    yield message(len(journal))


RECORDS = st.lists(st.builds(Record, st.integers(0, 5), st.booleans()), max_size=8)
CONNECTIONS = st.lists(
    st.builds(Connection, st.integers(1, 4), st.integers(1, 3), st.integers(0, 8), st.integers(0, 12)), max_size=8
)


@given(RECORDS, CONNECTIONS)
def test_every_fact_comes_once_and_in_order_whatever_breaks_where(
    journal: list[Record], connections: list[Connection]
) -> None:
    """Laws 1 to 3, for any journal, any split into messages and any number of breaks."""
    subscription = stream_pnl(DEFAULTS)
    events: list[PnLEvent] = []
    last = Connection(chunk=2, parts=2, length=len(journal), messages=10**6)
    for connection in [*connections, last]:
        stream = served(journal, subscription.request(), connection)
        events += taken(subscription, *(each for each, _ in zip(stream, range(connection.messages), strict=False)))
        subscription.lost(GONE, NOW)
    first = next(event for event in events if not isinstance(event, Disconnected))
    assert isinstance(first, Snapshot)
    missed = facts_after(journal, first.sequence)
    assert trades(events) == [(fact.sequence, fact.index) for fact in missed if isinstance(fact, ClosedTrade)]
    assert entries(events) == [fact.sequence for fact in missed if isinstance(fact, Entry)]
    assert [event.sequence for event in events] == sorted(event.sequence for event in events)
