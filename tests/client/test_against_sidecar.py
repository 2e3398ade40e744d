"""Both clients against a real sidecar: what they promise together."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path

import pytest

import lotkeeper
from lotkeeper import EntryStatus, Side, Update, errors
from tests.client.callers import CALLERS, LOT, Caller
from tests.support.sidecar import Sidecar

LONGEST_WAIT = 60
FILLS = 60
EVERY_STATUS = (EntryStatus.OPEN, EntryStatus.PARTIALLY_CLOSED, EntryStatus.CLOSED)

both = pytest.mark.parametrize("caller", CALLERS, ids=lambda caller: type(caller).__name__)


@pytest.fixture
def sidecar(tmp_path: Path) -> Iterator[Sidecar]:
    """An empty ledger on a socket that stays the same when it is started again."""
    with Sidecar(str(tmp_path / "ledger.db"), listen=f"unix:{tmp_path}/ledger.sock") as running:
        yield running


def trade(ledger: lotkeeper.Ledger, number: int) -> lotkeeper.RecordFillResponse:
    """Buy 2, buy 2, sell 3, and so on: every fill opens or closes something."""
    side, quantity = (Side.SELL, 3) if number % 3 == 2 else (Side.BUY, 2)
    return ledger.record_fill(
        symbol="BTC-USD", side=side, quantity=quantity, price=100 + number, fill_id=f"f{number}", fee="0.1"
    )


def facts(events: list[lotkeeper.PnLEvent]) -> list[tuple[int, int]]:
    """Where in history each fact stands; an opened lot comes after what the same fill closed."""
    found = []
    for event in events:
        if isinstance(event, Update):
            closed = [(fact.sequence, fact.index) for fact in event.closed_trades]
            found += sorted(closed + [(fact.sequence, 10**6) for fact in event.opened_entries])
    return found


@both
def test_every_fact_comes_once_through_a_kill(caller: Caller, sidecar: Sidecar) -> None:
    """The bot goes on writing, the stream goes on reading, and neither does anything about it."""
    started = threading.Event()

    def told(event: lotkeeper.PnLEvent) -> bool:
        started.set()
        return event.sequence >= FILLS

    with ThreadPoolExecutor() as pool, lotkeeper.connect(sidecar.address, timeout=LONGEST_WAIT) as ledger:
        following = pool.submit(caller.follow, sidecar.address, 10**6, told)
        assert started.wait(LONGEST_WAIT)
        for number in range(FILLS):
            if number == FILLS // 2:
                sidecar.kill()
                sidecar.restart()
            trade(ledger, number)
        events = following.result(LONGEST_WAIT)
        closed = [(fact.sequence, fact.index) for fact in ledger.list_closed_trades(page_size=7)]
        opened = [(fact.sequence, 10**6) for fact in ledger.list_entries(statuses=EVERY_STATUS, page_size=7)]
    assert facts(events) == sorted(closed + opened)
    assert "Disconnected" in {type(event).__name__ for event in events}


@both
def test_a_bot_that_restarts_resumes_its_stream(caller: Caller, sidecar: Sidecar) -> None:
    """With the sequence and the ledger of the last event it saw."""
    with lotkeeper.connect(sidecar.address) as ledger:
        trade(ledger, 0)
        (seen,) = caller.follow(sidecar.address, 1)
        last = [trade(ledger, number) for number in (1, 2)][-1]
    events = caller.follow(
        sidecar.address,
        10**6,
        lambda event: isinstance(event, lotkeeper.Snapshot),
        after_sequence=seen.sequence,
        ledger_id=seen.ledger_id,
    )
    assert facts(events) == [(2, 10**6), (3, 0), (3, 1)]
    snapshot = events[-1]
    assert isinstance(snapshot, lotkeeper.Snapshot)
    assert snapshot.positions == (last.position,)


@both
def test_a_sequence_of_another_ledger_is_refused(caller: Caller, sidecar: Sidecar) -> None:
    """Which happens after a restore, and when the address leads elsewhere."""
    with pytest.raises(errors.LedgerReplaced):
        caller.follow(sidecar.address, 1, after_sequence=0, ledger_id="another")
    with pytest.raises(errors.SequenceAhead) as raised:
        caller.follow(sidecar.address, 1, after_sequence=9, ledger_id=sidecar.ledger_id)
    assert raised.value.metadata["latest_sequence"] == "0"


@both
def test_refusals_are_typed(caller: Caller, sidecar: Sidecar) -> None:
    """The same fill at another price, and a request with two mistakes."""
    first = caller.enter(sidecar.address)
    assert caller.enter(sidecar.address).replayed
    with pytest.raises(errors.FillConflict) as conflict:
        caller.enter(sidecar.address, entry_price="99")
    assert conflict.value.metadata["entry_id"] == first.entry.entry_id
    with pytest.raises(errors.InvalidRequest) as invalid:
        caller.enter(sidecar.address, quantity="-1", entry_price="1e5")
    assert [violation.field for violation in invalid.value.violations] == ["quantity", "entry_price"]


def test_a_summary_of_many_pages_is_one_answer(sidecar: Sidecar) -> None:
    """All symbols, the totals of all, at one sequence."""
    with lotkeeper.connect(sidecar.address) as ledger:
        for number in range(25):
            ledger.create_entry(**LOT | {"symbol": f"S{number:02}", "entry_fill_id": f"f{number}"})
        ledger.set_marks(marks={f"S{number:02}": 101 for number in range(25)})
        summary = ledger.get_summary(page_size=4)
    assert [position.symbol for position in summary.positions] == [f"S{number:02}" for number in range(25)]
    assert (summary.sequence, summary.ledger_id) == (25, sidecar.ledger_id)
    assert [totals.unrealized_pnl for totals in summary.totals] == [Decimal(25)]


async def test_fifty_deliveries_of_one_fill_at_once_are_one_fill(sidecar: Sidecar) -> None:
    """The venue, a second instance and a nervous bot may all report it."""
    async with lotkeeper.aio.connect(sidecar.address, timeout=LONGEST_WAIT) as ledger:
        answers = await asyncio.gather(*(ledger.create_entry(**LOT) for _ in range(50)))
        entries = [entry async for entry in ledger.list_entries()]
        closed = ledger.list_closed_trades()
        assert [sums.net_realized_pnl for sums in await closed.totals()] == [0]
        assert [each async for each in closed] == []
    assert [answer.replayed for answer in answers].count(False) == 1
    assert {answer.entry for answer in answers} == set(entries)
