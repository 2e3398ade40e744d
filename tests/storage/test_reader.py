"""History is read in pages, each from a moment of its own: nothing twice, nothing left out, whatever the size of a page."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from lotkeeperd.domain.decimals import ZERO
from lotkeeperd.domain.refusals import StorageUnavailable
from lotkeeperd.domain.trades import ClosedTrade, Entry, EntryStatus, Restatement, Totals
from lotkeeperd.service.ports import ALL_OF_IT, EntryFilter, FactFilter, Position, TradeFilter
from lotkeeperd.storage.engines import database_url as url_of
from lotkeeperd.storage.engines import reader_engine
from lotkeeperd.storage.reader import SqlReader
from tests.storage.ledgers import CURRENCY, bare_ledger, entry, exit_of, sold
from tests.support.postgres import PostgresServer, running_server

LABELS = (("strategy", "trend"),)
COMMANDS = (
    entry(10, "1", labels=LABELS, group_id="spread"),
    entry(30, "2", labels=(*LABELS, ("leg", "2"))),
    entry(20, "3"),  # late: before the one above
    entry(20, "4", fill_id="same time"),
    exit_of(40, "4.5", fill_id="first exit"),  # three closed trades
    sold(50, "7", fill_id="flip"),  # three more, and a lot on the other side
    entry(60, "5", symbol="B", labels=LABELS),
    exit_of(61, "5", symbol="B", price="90", fill_id="b"),
    entry(70, "1", portfolio_id="q"),
    exit_of(71, "0.25", portfolio_id="q", fill_id="first exit"),
)
"""Ten records of three books in two portfolios; all entries of p in FIFO order are 1, 3, 4, 2, 6, 7."""

ALL = frozenset(EntryStatus)
LAST = len(COMMANDS)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def history(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of a database that holds ``COMMANDS``, written once for all tests here."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('history')}/lotkeeper.db"
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        url = server.create_database()
    write_history(url)
    return url


def write_history(url: str) -> None:
    """Record ``COMMANDS`` in an empty database."""
    with bare_ledger(url) as ledger:
        ledger.taken(*COMMANDS)


@pytest.fixture
async def reader(history: str) -> AsyncIterator[SqlReader]:
    """A reader of it."""
    reader = SqlReader(reader_engine(url_of(history)))
    yield reader
    await reader.close()


async def all_entries(reader: SqlReader, wanted: EntryFilter, size: int) -> list[Entry]:
    """Every page of entries."""
    found: list[Entry] = []
    after: tuple[int, int] | None = None
    while page := await reader.entries(wanted, after, size):
        assert len(page) <= size
        found += page
        after = (page[-1].opened.time, page[-1].opened.sequence)
    return found


async def all_trades(reader: SqlReader, wanted: TradeFilter, size: int, until: int = LAST) -> list[ClosedTrade]:
    """Every page of closed trades."""
    found: list[ClosedTrade] = []
    after: Position | None = None
    while page := await reader.trades(wanted, after, until, size):
        assert len(page) <= size
        found += page
        after = (page[-1].sequence, page[-1].trade_index)
    return found


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
async def test_entries_come_once_and_in_fifo_order(reader: SqlReader, size: int) -> None:
    """(entry time, sequence): a late entry stands where it belongs, equal times in the order of the journal."""
    found = await all_entries(reader, EntryFilter("p", statuses=ALL), size)
    assert [entry.opened.sequence for entry in found] == [1, 3, 4, 2, 6, 7]
    assert [entry.remaining_quantity for entry in found] == [0, 0, 0, 0, Decimal("1.5"), 0]
    still_open = await all_entries(reader, EntryFilter("p"), size)
    assert [entry.opened.sequence for entry in still_open] == [6]


async def test_entries_are_selected_by_symbol_and_status(reader: SqlReader) -> None:
    """Nothing named means what is open."""
    closed = frozenset({EntryStatus.CLOSED})
    partly = frozenset({EntryStatus.PARTIALLY_CLOSED})
    for wanted, sequences in (
        (EntryFilter("p", "B", ALL), [7]),
        (EntryFilter("p", "B"), []),
        (EntryFilter("p", "A", closed), [1, 3, 4, 2]),
        (EntryFilter("q", "", partly), [9]),
        (EntryFilter("q"), [9]),
        (EntryFilter("nobody", "", ALL), []),
    ):
        assert [e.opened.sequence for e in await all_entries(reader, wanted, 2)] == sequences, wanted


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
async def test_closed_trades_come_once_and_in_the_order_of_closing(reader: SqlReader, size: int) -> None:
    """(sequence, index), also where one exit closed more than a page."""
    found = await all_trades(reader, TradeFilter("p"), size)
    assert [(t.sequence, t.trade_index, t.entry_sequence) for t in found] == [
        (5, 0, 1),
        (5, 1, 3),
        (5, 2, 4),
        (6, 0, 4),
        (6, 1, 2),
        (8, 0, 7),
    ]
    assert await all_trades(reader, TradeFilter("p"), size, until=5) == found[:3]


TRADES = {
    "symbol": (TradeFilter("p", "B"), [8]),
    "from": (TradeFilter("p", start=50), [6, 6, 8]),
    "before": (TradeFilter("p", end=50), [5, 5, 5]),
    "from and before": (TradeFilter("p", start=40, end=41), [5, 5, 5]),
    "sequence": (TradeFilter("p", sequence=6), [6, 6]),
    "exit": (TradeFilter("p", exit_fill_id="first exit"), [5, 5, 5]),
    "exit of another portfolio": (TradeFilter("q", exit_fill_id="first exit"), [10]),
    "exit that nobody knows": (TradeFilter("p", exit_fill_id="nobody's"), []),
    "group": (TradeFilter("p", group_id="spread"), [5]),
    "labels": (TradeFilter("p", labels=LABELS), [5, 6, 8]),
    "more labels": (TradeFilter("p", labels=(("leg", "2"), *LABELS)), [6]),
    "labels that nobody has": (TradeFilter("p", labels=(("strategy", "tre"),)), []),
}


@pytest.mark.parametrize("by", TRADES)
async def test_closed_trades_are_selected_and_summed_alike(reader: SqlReader, by: str) -> None:
    """The sums are over everything that is selected, not over a page."""
    wanted, sequences = TRADES[by]
    found = await all_trades(reader, wanted, 2)
    assert [trade.sequence for trade in found] == sequences
    gross = sum((trade.gross_pnl for trade in found), ZERO)
    fees = sum((trade.entry_fee + trade.exit_fee for trade in found), ZERO)
    assert await reader.totals(wanted, LAST) == ([Totals(CURRENCY, gross, fees)] if found else [])
    assert await reader.totals(wanted, 0) == []


FACTS = [
    (1, 0),
    (2, 0),
    (3, 0),
    (4, 0),
    (5, 0),
    (5, 1),
    (5, 2),
    (6, 0),
    (6, 1),
    (6, 2),
    (7, 0),
    (8, 0),
    (9, 0),
    (10, 0),
]
"""Closed trades of a record, then the entry that it opened."""


@pytest.mark.parametrize("size", [1, 2, 3, 4, 1000])
async def test_facts_come_once_and_in_order_from_anywhere(reader: SqlReader, size: int) -> None:
    """Also after a fact in the middle of a record; ``until`` says how far everything was sent."""
    for start in [(0, ALL_OF_IT), *FACTS, (5, ALL_OF_IT), (LAST, ALL_OF_IT)]:
        found, after = [], start
        while after < (LAST, ALL_OF_IT):
            page = await reader.facts(FactFilter(), after, LAST, size)
            assert len(page.facts) <= size
            assert page.until > after
            found += page.facts
            after = page.until
        assert [at for at, _ in found] == [at for at in FACTS if at > start], start
        for (sequence, index), fact in found:
            assert not isinstance(fact, Restatement)
            where = (fact.sequence, fact.trade_index) if isinstance(fact, ClosedTrade) else fact.opened.sequence
            assert where in ((sequence, index), sequence)


async def test_facts_are_selected_by_portfolio_and_symbol(reader: SqlReader) -> None:
    """What is not wanted is passed over, and a page that holds nothing still gets on."""
    for wanted, expected in (
        (FactFilter(frozenset({"q"})), [(9, 0), (10, 0)]),
        (FactFilter(None, frozenset({"B"})), [(7, 0), (8, 0)]),
        (FactFilter(frozenset({"p", "q"}), frozenset({"A"})), [at for at in FACTS if at[0] not in (7, 8)]),
        (FactFilter(frozenset({"nobody"})), []),
    ):
        page = await reader.facts(wanted, (0, ALL_OF_IT), LAST, 1000)
        assert [at for at, _ in page.facts] == expected
        assert page.until == (LAST, ALL_OF_IT)


async def test_facts_end_where_they_are_asked_to(reader: SqlReader) -> None:
    """What was committed since belongs to the next question."""
    page = await reader.facts(FactFilter(), (3, ALL_OF_IT), 6, 1000)
    assert [at for at, _ in page.facts] == [at for at in FACTS if 3 < at[0] <= 6]
    assert page.until == (6, ALL_OF_IT)


async def test_an_entry_is_told_as_it_was_opened(reader: SqlReader) -> None:
    """A fact does not change with what became of it."""
    page = await reader.facts(FactFilter(), (0, ALL_OF_IT), 1, 10)
    ((_, fact),) = page.facts
    assert isinstance(fact, Entry)
    assert (fact.remaining_quantity, fact.status) == (Decimal(1), EntryStatus.OPEN)
    (now,) = await reader.entries(EntryFilter("p", statuses=ALL), None, 1)
    assert (now.remaining_quantity, now.status) == (Decimal(0), EntryStatus.CLOSED)


async def test_a_database_that_is_gone_is_said_to_be_unavailable() -> None:
    """Each kind of read; once the server is back the same reader reads on."""
    with running_server() as server:
        url = server.create_database()
        write_history(url)
        reader = SqlReader(reader_engine(url_of(url)))
        try:
            assert await reader.entries(EntryFilter("p"), None, 10)
            server.kill()
            with pytest.raises(StorageUnavailable):
                await reader.entries(EntryFilter("p"), None, 10)
            with pytest.raises(StorageUnavailable):
                await reader.trades(TradeFilter("p"), None, LAST, 10)
            with pytest.raises(StorageUnavailable):
                await reader.totals(TradeFilter("p"), LAST)
            with pytest.raises(StorageUnavailable):
                await reader.facts(FactFilter(), (0, 0), LAST, 10)
            server.start()
            assert await reader.entries(EntryFilter("p"), None, 10)
        finally:
            await reader.close()


@pytest.mark.parametrize("statuses", [{EntryStatus.OPEN, EntryStatus.PARTIALLY_CLOSED}, {EntryStatus.OPEN}, set()])
@pytest.mark.parametrize("symbol", ["", "S"])
@pytest.mark.parametrize("after", [None, (20, 3)])
async def test_open_lots_are_found_without_the_history(
    tmp_path: Path, statuses: set[EntryStatus], symbol: str, after: tuple[int, int] | None
) -> None:
    """SQLite takes the index of what is open, on the first page as on every other: a long past costs nothing."""
    url = f"sqlite:///{tmp_path}/lotkeeper.db"
    write_history(url)
    engine = reader_engine(url_of(url))
    asked: list[tuple[str, Any]] = []
    event.listen(engine.sync_engine, "before_cursor_execute", lambda *call: asked.append((call[2], call[3])))
    reader = SqlReader(engine)
    try:
        await reader.entries(EntryFilter("p", symbol, frozenset(statuses)), after, 100)
    finally:
        await reader.close()

    query, parameters = asked[-1]
    with closing(sqlite3.connect(tmp_path / "lotkeeper.db")) as connection:
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}", parameters)]
    assert len(plan) == 1
    assert "USING INDEX position_entries_open" in plan[0]
