"""Which facts of a stream are new: each once and in order, whatever breaks where."""

from collections.abc import Iterator
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from lotkeeper.events import Disconnected, PnLEvent, Snapshot
from lotkeeper.facts import Delivered
from lotkeeper.resume import stream_pnl
from lotkeeper.v1.ledger_pb2 import ClosedTrade, Entry, RestatedTrade
from lotkeeper.v1.ledger_service_pb2 import StreamPnLRequest, StreamPnLResponse
from tests.client.following import DEFAULTS, GONE, NOW, entries, restatements, taken, trades
from tests.client.samples import closed_trade, entry, message, restated, snapshot, update

Fact = ClosedTrade | Entry | RestatedTrade


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
    assert entries(first + again) == ["e10"]


def test_facts_up_to_the_snapshot_are_in_the_snapshot() -> None:
    """A server that sends them once more is not believed twice."""
    events = taken(stream_pnl(DEFAULTS), snapshot(9), update(10, closed_trade(9), entry(9), closed_trade(10)))
    assert (trades(events), entries(events)) == ([(10, 0)], [])


def test_restated_trades_that_came_before_the_break_do_not_come_again() -> None:
    """Law 1: also one that is no more, and so says nothing of the correction's sequence."""
    changed = restated(closed_trade(3), closed_trade(10, 0))
    gone = restated(before=closed_trade(4))
    new = restated(after=closed_trade(10, 2))
    subscription = stream_pnl(DEFAULTS)
    first = taken(subscription, snapshot(9), update(9, changed, gone))
    subscription.lost(GONE, NOW)
    assert subscription.request().after_sequence == 9
    again = taken(subscription, update(9, changed, gone), update(10, new), snapshot(10))
    assert restatements(first + again) == [("t3-0", "t10-0"), ("t4-0", ""), ("", "t10-2")]


def test_a_trade_that_was_restated_may_be_restated_again() -> None:
    """Each correction is a fact of its own, of the same trade or of the one in its place."""
    events = taken(
        stream_pnl(DEFAULTS),
        snapshot(9),
        update(10, restated(closed_trade(3), closed_trade(10))),
        update(11, restated(before=closed_trade(10))),
    )
    assert restatements(events) == [("t3-0", "t10-0"), ("t10-0", "")]


def test_lots_of_one_sequence_may_come_in_several_messages() -> None:
    """Law 1: an event may open more than one."""
    subscription = stream_pnl(DEFAULTS)
    first = taken(subscription, snapshot(9), update(9, entry(10, entry_id="a")))
    subscription.lost(GONE, NOW)
    again = taken(subscription, update(9, entry(10, entry_id="a")), update(10, entry(10, entry_id="b")))
    assert entries(first + again) == ["a", "b"]


def test_what_is_whole_is_forgotten() -> None:
    """A stream of months remembers no more than the facts of what it is in the middle of."""
    delivered = Delivered(0)
    for number in range(1, 1000):
        told = update(number, entry(number), restated(before=closed_trade(1, number)), closed_trade(number)).update
        assert [len(facts) for facts in delivered.fresh(number, told)] == [1, 1, 1]
        delivered.reach(number)
        assert delivered.remembered <= 1


def ids_of(told: RestatedTrade) -> tuple[str, str]:
    """The same of a message."""
    return told.before.trade_id, told.after.trade_id


class Record(NamedTuple):
    """What one sequence of a journal holds: closed trades, after them opened lots, after them restated trades.

    Of each restated trade: whether it was there before, and whether there is one after.
    """

    closed: int
    opened: int
    restated: list[tuple[bool, bool]]


class Connection(NamedTuple):
    """How one connection goes: facts and snapshot parts per message, the journal's length, messages until it breaks."""

    chunk: int
    parts: int
    length: int
    messages: int


def restated_trade(number: int, index: int, before: bool, after: bool) -> RestatedTrade:
    """What the record ``number`` did to one trade; a trade that is no more says nothing of ``number``."""
    was = closed_trade(1, index) if before else None
    if was is not None:
        was.trade_id = f"superseded by {number}-{index}"
    return restated(was, closed_trade(number, index) if after else None)


def facts_after(journal: list[Record], sequence: int) -> list[tuple[int, Fact]]:
    """All of them with their sequences, in order."""
    facts: list[tuple[int, Fact]] = []
    for number, record in enumerate(journal, start=1):
        if number > sequence:
            facts += [(number, closed_trade(number, index)) for index in range(record.closed)]
            facts += [(number, entry(number, entry_id=f"e{number}-{index}")) for index in range(record.opened)]
            facts += [
                (number, restated_trade(number, record.closed + index, *sides))
                for index, sides in enumerate(record.restated)
            ]
    return facts


def updates_after(journal: list[Record], sequence: int, chunk: int) -> Iterator[StreamPnLResponse]:
    """As the contract says: a message's sequence is S only when every fact up to S was sent."""
    facts = facts_after(journal, sequence)
    for start in range(0, len(facts), chunk):
        rest = facts[start + chunk :]
        now = [fact for _, fact in facts[start : start + chunk]]
        yield update(rest[0][0] - 1 if rest else len(journal), *now)


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


SIDES = st.sampled_from([(True, True), (True, False), (False, True)])
RECORDS = st.lists(st.builds(Record, st.integers(0, 5), st.integers(0, 3), st.lists(SIDES, max_size=4)), max_size=8)
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
    missed = [fact for _, fact in facts_after(journal, first.sequence)]
    assert trades(events) == [(fact.sequence, fact.index) for fact in missed if isinstance(fact, ClosedTrade)]
    assert entries(events) == [fact.entry_id for fact in missed if isinstance(fact, Entry)]
    assert restatements(events) == [ids_of(fact) for fact in missed if isinstance(fact, RestatedTrade)]
    assert [event.sequence for event in events] == sorted(event.sequence for event in events)
