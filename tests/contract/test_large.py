"""20,000 lots in one close, 20,000 positions in one snapshot: nothing is lost and no message grows beyond 1 MiB.

On SQLite alone: what is tested here is how messages are cut and streams are carried, and that knows no database.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import pytest

from lotkeeper.v1 import ledger_service_pb2
from lotkeeper.v1.ledger_service_pb2_grpc import LedgerServiceStub
from lotkeeper.v1.market_service_pb2_grpc import MarketServiceStub
from tests.contract import reading
from tests.contract.asking import FLAT, NOON, close, entry, marks, stamp, summary, trades
from tests.contract.bulk import create_entries
from tests.contract.following import FACTS_IN_MESSAGE, MESSAGE_BYTES, Follower, following
from tests.support.dialing import OWN_CONNECTION, dialed
from tests.support.sidecar import Sidecar

Ledger = Any
"""The generated stub; gRPC writes no types for it."""

MANY = 20_000
IN_ANSWER = 1000

SMALL_WINDOW = ("grpc.http2.bdp_probe", 0)
"""Keeps what the network may hold for a reader that does not read at 64 KiB: the rest waits at the server."""

LONG_SETUP = pytest.mark.timeout(300)
"""40,000 entries are recorded one by one before the first test."""


class Large(NamedTuple):
    """A server with 20,000 lots of S in the portfolio "lots", and 20,000 symbols in the portfolio "positions"."""

    sidecar: Sidecar
    ledger: Ledger
    market: Any


class Closed(NamedTuple):
    """The close of all 20,000 lots, and what three subscribers heard of it."""

    opened: int
    request: ledger_service_pb2.CloseFifoRequest
    answer: ledger_service_pb2.CloseFifoResponse
    position: Any
    quick: Follower
    slow: Follower
    paced: Follower


def heard_all(follower: Follower) -> None:
    """Read until every trade was heard of."""
    follower.until(lambda: len(follower.trades) == MANY)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Large]:
    """Shared by all tests here."""
    lots = (entry("lots", "S", price=str(1 + n), fee="0.01", entry_time=stamp(NOON + n)) for n in range(MANY))
    positions = (entry("positions", f"S{n:05}", entry_time=stamp(NOON)) for n in range(MANY))
    database = str(tmp_path_factory.mktemp("ledger") / "lotkeeper.db")
    with Sidecar(database) as sidecar, dialed(sidecar.address, OWN_CONNECTION) as channel:
        create_entries(sidecar.address, lots)
        create_entries(sidecar.address, positions)
        yield Large(sidecar, LedgerServiceStub(channel), MarketServiceStub(channel))


@pytest.fixture(scope="module")
def closed(large: Large) -> Iterator[Closed]:
    """Everything is closed while one subscriber reads, one does not, and one wants a message every 50 ms at most."""
    ledger, address = large.ledger, large.sidecar.address
    (position,) = ledger.GetSummary(summary("lots", include_entries=True)).positions
    request = close("lots", "S", price="30000", close_all=True, exit_fill_id="x", fee="1")
    with (
        dialed(address, OWN_CONNECTION, SMALL_WINDOW) as channel,
        following(ledger, "lots") as quick,
        following(LedgerServiceStub(channel), "lots") as slow,
        following(ledger, "lots", interval=0.05) as paced,
        ThreadPoolExecutor() as threads,
    ):
        for follower in (quick, slow, paced):
            follower.snapshot()
        readers = [threads.submit(heard_all, follower) for follower in (quick, paced)]
        answer = ledger.CloseFifo(request)
        for number in range(20):  # the slow reader's values go on changing, too
            ledger.CreateEntry(entry("lots", "T", price=str(number + 1)))
        for reader in readers:
            reader.result()
        for follower in (quick, slow, paced):
            follower.reached(answer.sequence + 20)
        yield Closed(2 * MANY, request, answer, position, quick, slow, paced)


@LONG_SETUP
def test_an_answer_carries_the_first_thousand_trades_and_their_count(closed: Closed) -> None:
    """The sums are over all of them."""
    answer = closed.answer
    assert (answer.closed_trade_count, len(answer.closed_trades)) == (MANY, IN_ANSWER)
    assert [trade.index for trade in answer.closed_trades] == list(range(IN_ANSWER))
    gross = sum(30_000 - (1 + n) for n in range(MANY))
    assert (answer.closed_quantity, answer.gross_pnl, answer.fees) == (str(MANY), str(gross), "201")
    assert answer.net_pnl == str(gross - 201)
    assert answer.position.side == FLAT
    assert answer.ByteSize() <= MESSAGE_BYTES


@LONG_SETUP
def test_its_replay_carries_the_same(large: Large, closed: Closed) -> None:
    """From the database now."""
    again = large.ledger.CloseFifo(closed.request)
    assert again.replayed
    again.replayed = False
    assert again == closed.answer


@LONG_SETUP
def test_a_position_carries_its_first_thousand_lots(closed: Closed) -> None:
    """And says that there are more."""
    position = closed.position
    assert (position.open_entry_count, len(position.entries), position.entries_truncated) == (MANY, IN_ANSWER, True)
    assert [lot.entry_price for lot in position.entries] == [str(1 + n) for n in range(IN_ANSWER)]


@LONG_SETUP
def test_the_list_by_sequence_gives_all_of_them(large: Large, closed: Closed) -> None:
    """Page by page, oldest lot first; the sums stand on every page."""
    everything = reading.all_trades(large.ledger, "lots", sequence=closed.answer.sequence)
    assert [trade.index for trade in everything] == list(range(MANY))
    assert [trade.entry_price for trade in everything] == [str(1 + n) for n in range(MANY)]
    assert everything[:IN_ANSWER] == list(closed.answer.closed_trades)
    page = large.ledger.ListClosedTrades(trades("lots", sequence=closed.answer.sequence, page_size=1))
    assert page.totals[0].gross_realized_pnl == closed.answer.gross_pnl


@LONG_SETUP
@pytest.mark.parametrize("name", ["quick", "slow", "paced"])
def test_every_subscriber_hears_every_trade_once(large: Large, closed: Closed, name: str) -> None:
    """The one that did not read while it happened, and the one that reads seldom, hear what the quick one heard."""
    follower: Follower = getattr(closed, name)
    assert follower.trades == reading.all_trades(large.ledger, "lots")
    assert len(follower.entries) == 20
    assert follower.positions["lots", "T"].total_quantity == "20"
    assert len(follower.snapshots) == 1
    facts = [len(message.update.closed_trades) for message in follower.updates]
    assert max(facts) <= FACTS_IN_MESSAGE
    assert len(facts) >= MANY // FACTS_IN_MESSAGE


@LONG_SETUP
def test_a_resumed_subscriber_hears_every_trade_once(large: Large, closed: Closed) -> None:
    """From the journal, in updates without positions; then the snapshot."""
    resume: dict[str, Any] = {"after_sequence": closed.opened, "ledger_id": large.sidecar.ledger_id}
    with following(large.ledger, "lots", **resume) as follower:
        follower.snapshot()
    assert follower.trades == reading.all_trades(large.ledger, "lots")
    assert [lot.sequence for lot in follower.entries] == [closed.answer.sequence + 1 + n for n in range(20)]
    assert all(message.sequence == closed.opened for message in follower.updates[: MANY // FACTS_IN_MESSAGE - 1])


@LONG_SETUP
def test_a_subscriber_can_resume_from_the_middle_of_a_record(large: Large, closed: Closed) -> None:
    """A message that ends within the 20,000 says the sequence before them, so all of them come again."""
    resume: dict[str, Any] = {"after_sequence": 0, "ledger_id": large.sidecar.ledger_id}
    with following(large.ledger, "lots", **resume) as follower:
        follower.until(lambda: 0 < len(follower.trades) < MANY)
        assert follower.sequence == closed.answer.sequence - 1
        assert len(follower.entries) == MANY


@LONG_SETUP
def test_a_snapshot_of_twenty_thousand_positions_comes_in_parts(large: Large) -> None:
    """Each position once, all parts at one sequence, and what happens meanwhile follows."""
    with (
        dialed(large.sidecar.address, OWN_CONNECTION, SMALL_WINDOW) as channel,
        following(LedgerServiceStub(channel), "positions") as follower,
    ):
        follower.next()
        assert follower.snapshots[0].snapshot.more
        meanwhile = [large.ledger.CreateEntry(entry("positions", f"S{n:05}", "2")).sequence for n in (0, MANY - 1)]
        follower.snapshot().reached(meanwhile[-1])
    parts = [part.snapshot for part in follower.snapshots]
    assert [part.more for part in parts] == [True] * (len(parts) - 1) + [False]
    keys = [position.symbol for part in parts for position in part.positions]
    assert sorted(key for key in keys if key.startswith("S")) == [f"S{n:05}" for n in range(MANY)]
    assert len(keys) == len(set(keys))
    assert {part.sequence for part in follower.snapshots} == {meanwhile[0] - 1}
    assert [total.portfolio_id for part in parts for total in part.totals] == ["positions"]
    assert [lot.sequence for lot in follower.entries] == meanwhile
    assert follower.positions["positions", "S00000"].open_entry_count == 2


@LONG_SETUP
def test_a_summary_of_twenty_thousand_positions_is_of_one_moment(large: Large) -> None:
    """20 pages of 1000 with an entry between any two of them: the figures of the first page, to the last."""
    symbols, sequences, token = [], set(), ""
    while True:
        page = large.ledger.GetSummary(summary("positions", page_size=IN_ANSWER, page_token=token))
        assert page.ByteSize() <= MESSAGE_BYTES
        symbols += [position.symbol for position in page.positions]
        sequences.add(page.sequence)
        large.ledger.CreateEntry(entry("positions", f"between {len(symbols)}"))
        if not (token := page.next_page_token):
            break
    assert [symbol for symbol in symbols if symbol.startswith("S")] == [f"S{n:05}" for n in range(MANY)]
    assert len(sequences) == 1
    assert len(symbols) == len(set(symbols)) == MANY


@LONG_SETUP
def test_marks_of_twenty_thousand_positions_reach_a_subscriber_that_did_not_read(large: Large) -> None:
    """Values are latest-wins: each position at its newest price, in messages of bounded size."""
    with (
        dialed(large.sidecar.address, OWN_CONNECTION, SMALL_WINDOW) as channel,
        following(LedgerServiceStub(channel), "positions") as follower,
    ):
        follower.snapshot()
        for price in ("101", "102", "103"):
            for start in range(0, MANY, IN_ANSWER):
                large.market.SetMarks(marks(*[(f"S{n:05}", price) for n in range(start, start + IN_ANSWER)]))
        held = {("positions", f"S{n:05}") for n in range(MANY)}
        follower.until(lambda: follower.conflated > 0)
        newest: set[tuple[str, str]] = set()

        def all_newest() -> bool:
            changed = follower.messages[-1].update.positions
            newest.update((place.portfolio_id, place.symbol) for place in changed if place.mark_price == "103")
            return newest >= held

        newest.update(key for key, place in follower.positions.items() if place.mark_price == "103")
        follower.until(all_newest)
    sent = sum(place.HasField("mark_price") for message in follower.updates for place in message.update.positions)
    assert sent + follower.conflated == 3 * MANY
