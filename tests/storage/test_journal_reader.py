"""The journal read again: what is wanted of it, in pages, decoded and folded in threads that are not the event loop's."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from typing import Any

import pytest

from lotkeeperd.domain.accounts import CashEvent, CashMoved, DefineInstrument, Flow, InstrumentDefined
from lotkeeperd.domain.book import LotMethod
from lotkeeperd.domain.commands import Command, Decision, Method
from lotkeeperd.domain.decimals import ZERO
from lotkeeperd.domain.history import Amend, Amendment
from lotkeeperd.domain.instruments import Instrument
from lotkeeperd.domain.refusals import LedgerCorrupt, PortfolioNotFound
from lotkeeperd.service.ports import AnyCommand, JournalRecord, RecordFilter
from lotkeeperd.service.replay import PAGE, Replay, replayed
from lotkeeperd.storage import journal_reader
from lotkeeperd.storage.engines import database_url as url_of
from lotkeeperd.storage.engines import reader_engine
from lotkeeperd.storage.reader import SqlReader
from lotkeeperd.storage.records import record_of
from tests.storage.ledgers import CURRENCY, NOW, bare_ledger, entry, exit_of

SPLIT = Command(
    Method.SPLIT, "p", "A", None, None, ZERO, request_id="s", details=(("numerator", "2"), ("denominator", "1"))
)
COMMANDS: tuple[AnyCommand, ...] = (
    DefineInstrument(Instrument("A", multiplier=Decimal(10)), "d"),
    entry(10, "2"),
    entry(20, "1", symbol="B"),
    entry(30, "1", portfolio_id="q"),
    exit_of(40, "1"),
    SPLIT,
    Amendment(Amend.CORRECT, "p", "A", "c", "f40", price=Decimal(120)),
    CashEvent(Flow.DEPOSIT, "p", "", "USD", Decimal(100), request_id="m"),
)
"""Eight records: an instrument, p's executions of A and B, one of q, a split, a correction and cash."""

LAST = len(COMMANDS)


@pytest.fixture
async def reader(database_url: str) -> AsyncIterator[SqlReader]:
    """A reader of a ledger that holds ``COMMANDS``, each recorded a nanosecond after the one before it."""
    with bare_ledger(database_url) as ledger:
        for number, command in enumerate(COMMANDS, 1):
            ledger.now = NOW + number
            ledger.all_taken(command)
    reader = SqlReader(reader_engine(url_of(database_url)))
    yield reader
    await reader.close()


def sequences(records: Sequence[JournalRecord]) -> list[int]:
    """Which records they are."""
    return [record.sequence for record in records]


async def test_a_portfolio_s_records_come_with_those_of_instruments(reader: SqlReader) -> None:
    """Which belong to all portfolios; in order, after one sequence and up to another, as many as asked for."""
    wanted = RecordFilter("p")
    found = await reader.records(wanted, 0, LAST, 100)
    assert sequences(found) == [1, 2, 3, 5, 6, 7, 8]
    assert isinstance(found[0], InstrumentDefined)
    assert isinstance(found[-1], CashMoved)
    assert sequences(await reader.records(wanted, 2, 7, 3)) == [3, 5, 6]
    assert sequences(await reader.records(RecordFilter("q"), 0, LAST, 100)) == [1, 4]


async def test_records_are_chosen_by_symbol_by_sequence_and_as_carrying(reader: SqlReader) -> None:
    """What is left empty chooses nothing."""
    for wanted, found in (
        (RecordFilter("p", symbols=frozenset({"A"})), [1, 2, 5, 6, 7]),
        (RecordFilter("p", symbols=frozenset({"A", "B"})), [1, 2, 3, 5, 6, 7]),
        (RecordFilter("p", sequences=frozenset({2, 4, 7})), [2, 7]),
        (RecordFilter("p", carrying=True), [6]),
    ):
        assert sequences(await reader.records(wanted, 0, LAST, 100)) == found


async def test_a_time_names_the_last_record_written_by_then(reader: SqlReader) -> None:
    """Not after the sequence that is the reader's newest."""
    found = [await reader.written_by(NOW + after, LAST) for after in (0, 1, 4, LAST, 100)]
    assert found == [0, 1, 4, LAST, LAST]
    assert await reader.written_by(NOW + 100, 3) == 3


async def test_a_clock_that_was_set_back_hides_no_record(database_url: str) -> None:
    """By the earlier time the later record was written, and with it all before it."""
    with bare_ledger(database_url) as ledger:
        for now in (NOW + 10, NOW + 20, NOW + 5):
            ledger.now = now
            ledger.all_taken(entry(now - NOW))
    reader = SqlReader(reader_engine(url_of(database_url)))
    assert [await reader.written_by(NOW + after, 3) for after in (4, 5, 15, 20)] == [0, 3, 3, 3]
    await reader.close()


async def test_the_versions_of_a_trade_are_those_of_its_two_executions(reader: SqlReader) -> None:
    """The superseded one and the one that counts, in the order they were written."""
    found = await reader.versions("p", 2, 5)
    assert [(trade.trade_id, trade.superseded_by, trade.gross_pnl) for trade in found] == [
        ("T5.0", (7, 0), Decimal(100)),
        ("T7.0", None, Decimal(200)),
    ]
    assert await reader.versions("p", 3, 5) == []
    assert await reader.versions("q", 2, 5) == []


class Watched(Replay):
    """A replay that notes which threads it is used by."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.threads: list[threading.Thread] = []

    def take(self, records: Sequence[JournalRecord]) -> None:
        """The next page."""
        self.threads.append(threading.current_thread())
        super().take(records)

    def take_again(self, records: Sequence[JournalRecord]) -> None:
        """The next page of what was corrected."""
        self.threads.append(threading.current_thread())
        super().take_again(records)


def unknown(_symbol: str) -> None:
    """What a symbol is now: nobody knows."""


async def test_the_event_loop_neither_decodes_nor_folds(reader: SqlReader, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every page, the second time what was corrected is read as well, is worked on in another thread."""
    decoding: list[threading.Thread] = []

    def noted(row: Any) -> JournalRecord:
        decoding.append(threading.current_thread())
        return record_of(row)

    monkeypatch.setattr(journal_reader, "record_of", noted)
    replay = Watched("p", CURRENCY, None, unknown)
    await replayed(reader, replay, "p", LAST)
    assert len(replay.threads) == 2
    assert len(decoding) == 12  # seven of p, and again the five of A
    assert threading.current_thread() not in {*replay.threads, *decoding}


async def test_a_long_history_is_folded_page_by_page(database_url: str) -> None:
    """No page is longer than its limit; the last one may be empty."""
    with bare_ledger(database_url) as ledger:
        ledger.all_taken(*(entry(number) for number in range(1, 2 * PAGE + 1)))
    reader = SqlReader(reader_engine(url_of(database_url)))
    replay = Watched("p", CURRENCY, None, unknown)
    await replayed(reader, replay, "p", 2 * PAGE)
    assert len(replay.threads) == 2
    assert replay.state("ledger", 2 * PAGE).books["p", "A", ""].quantity == 2 * PAGE
    await reader.close()


@pytest.mark.parametrize("method", [None, LotMethod.LIFO])
async def test_an_instrument_is_worth_what_was_declared_by_then(database_url: str, method: LotMethod | None) -> None:
    """The first trade counts once, the second ten times; in the portfolio's own way and in a view."""
    with bare_ledger(database_url) as ledger:
        ledger.all_taken(entry(1), exit_of(2))
        ledger.all_taken(DefineInstrument(Instrument("A", multiplier=Decimal(10)), "d"))
        ledger.all_taken(entry(3), exit_of(4))
    reader = SqlReader(reader_engine(url_of(database_url)))
    gained = []
    for until in (2, 3, 5):
        replay = Replay("p", CURRENCY, method, unknown)
        await replayed(reader, replay, "p", until)
        book = replay.state("ledger", until).books["p", "A", ""]
        gained.append(f"{book.gross} x{book.contract.multiplier}")
    assert gained == ["10 x1", "10 x10", "110 x10"]
    await reader.close()


async def test_what_was_not_made_yet_is_not_found(reader: SqlReader) -> None:
    """The default portfolio is there without a record."""
    for portfolio_id, found in (("p", False), ("default", True)):
        replay = Replay(portfolio_id, CURRENCY, None, unknown)
        await replayed(reader, replay, portfolio_id, 1)
        if found:
            assert list(replay.state("ledger", 1).portfolios) == [portfolio_id]
        else:
            with pytest.raises(PortfolioNotFound):
                replay.state("ledger", 1)


async def test_a_journal_that_does_not_fit_together_is_told_as_that(reader: SqlReader) -> None:
    """An exit whose entry is missing."""
    (closing,) = await reader.records(RecordFilter("p", sequences=frozenset({5})), 0, LAST, 1)
    assert isinstance(closing, Decision)
    with pytest.raises(LedgerCorrupt, match="record 5 closes lot 2"):
        Replay("p", CURRENCY, None, unknown).take([closing])
