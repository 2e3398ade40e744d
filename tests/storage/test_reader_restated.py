"""What was restated is read as it was told: a late fill and a bust, in pages of any size, nothing twice, nothing left out."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from lotkeeperd.domain.history import Amend, Amendment
from lotkeeperd.domain.trades import ClosedTrade, Entry, Restatement
from lotkeeperd.service.ports import ALL_OF_IT, Fact, FactFilter, Position, TradeFilter
from lotkeeperd.storage.engines import database_url as url_of
from lotkeeperd.storage.engines import reader_engine
from lotkeeperd.storage.reader import SqlReader
from tests.storage.ledgers import bare_ledger, entry, exit_of

COURSE = (
    entry(10, price="100"),
    entry(20, price="101"),
    entry(30, price="102"),
    exit_of(40, "2"),
    exit_of(50),
    entry(5, price="99", late=True),  # before all the others: every trade is another one
    Amendment(Amend.BUST, "p", "A", request_id="bust", fill_id="f50"),
)
LAST = len(COURSE)

TOLD: dict[Position, tuple[str, ...]] = {
    (1, 0): ("E1",),
    (2, 0): ("E2",),
    (3, 0): ("E3",),
    (4, 0): ("T4.0", "E1"),
    (4, 1): ("T4.1", "E2"),
    (5, 0): ("T5.0", "E3"),
    (6, 0): ("T4.0", "E1", "became", "T6.0", "E6"),
    (6, 1): ("T4.1", "E2", "became", "T6.1", "E1"),
    (6, 2): ("T5.0", "E3", "became", "T6.2", "E2"),
    (6, 3): ("E6",),
    (7, 0): ("T6.2", "E2", "became"),
}
"""Every fact: the lot that was opened; the trade and the lot it closed; what a trade became."""


@pytest.fixture
async def reader(database_url: str) -> AsyncIterator[SqlReader]:
    """A reader of the course."""
    with bare_ledger(database_url) as ledger:
        for command in COURSE:
            ledger.all_taken(command)
        reader = SqlReader(reader_engine(url_of(database_url)))
        yield reader
        await reader.close()


def in_words(fact: Fact) -> tuple[str, ...]:
    """A fact as ``TOLD`` has it."""
    if isinstance(fact, Entry):
        return (fact.entry_id,)
    if isinstance(fact, Restatement):
        return (*named(fact.before), "became", *named(fact.after))
    return named(fact)


def named(trade: ClosedTrade | None) -> tuple[str, ...]:
    """A trade and the lot that it closed; nothing where there is none."""
    return () if trade is None else (trade.trade_id, trade.entry_id)


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
async def test_what_was_restated_comes_once_and_in_order_from_anywhere(reader: SqlReader, size: int) -> None:
    """Also after a fact in the middle of a correction; a trade is told as it was closed, whatever became of it."""
    for start in [(0, ALL_OF_IT), *TOLD]:
        found: list[tuple[Position, Fact]] = []
        after = start
        while after < (LAST, ALL_OF_IT):
            page = await reader.facts(FactFilter(), after, LAST, size)
            assert len(page.facts) <= size
            found += page.facts
            after = page.until
        assert [(at, in_words(fact)) for at, fact in found] == [one for one in TOLD.items() if one[0] > start], start


async def test_what_counts_is_listed_as_of_any_sequence(reader: SqlReader) -> None:
    """Before the correction the old trades, after it the new ones; all of them when the superseded are asked for."""
    for until, counting in ((5, ["T4.0", "T4.1", "T5.0"]), (6, ["T6.0", "T6.1", "T6.2"]), (LAST, ["T6.0", "T6.1"])):
        found = await reader.trades(TradeFilter("p"), None, until, 1000)
        assert [trade.trade_id for trade in found] == counting
        (totals,) = await reader.totals(TradeFilter("p"), until)
        assert totals.gross_realized == sum(trade.gross_pnl for trade in found)
    every = await reader.trades(TradeFilter("p", include_superseded=True), None, LAST, 1000)
    assert [trade.trade_id for trade in every] == ["T4.0", "T4.1", "T5.0", "T6.0", "T6.1", "T6.2"]
    assert [trade.superseded_by for trade in every] == [(6, 0), (6, 1), (6, 2), None, None, (7, 0)]


@pytest.mark.parametrize(("fill_id", "trades"), [("f40", ["T6.0", "T6.1"]), ("f50", []), ("f5", [])])
async def test_a_restated_trade_is_found_by_the_execution_that_closed_it(
    reader: SqlReader, fill_id: str, trades: list[str]
) -> None:
    """Its own record is the correction's."""
    found = await reader.trades(TradeFilter("p", exit_fill_id=fill_id), None, LAST, 1000)
    assert [trade.trade_id for trade in found] == trades
    assert [trade.exit_sequence for trade in found] == [4] * len(trades)
