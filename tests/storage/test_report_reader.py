"""Reports and differences are read in pages: newest first, worst first, nothing twice and nothing left out."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from lotkeeperd.domain.reconciliation.findings import Severity
from lotkeeperd.domain.reconciliation.records import Account, How, Reported, Standing, State
from lotkeeperd.service.reconciliation import ReportFilter, StandingFilter
from lotkeeperd.storage.engines import database_url as url_of
from lotkeeperd.storage.engines import reader_engine
from lotkeeperd.storage.reader import SqlReader
from lotkeeperd.storage.report_reader import PAGE
from tests.storage.broker_says import ASK_ALL, BEFORE, Desk, holds, only
from tests.storage.ledgers import NOW, bare_ledger, entry

OTHER = Account("main", rules=())
ALL = frozenset(State)


@pytest.fixture
async def reader(database_url: str) -> AsyncIterator[SqlReader]:
    """Of a ledger with more reports than are read at once, by two accounts, and differences in every state.

    p holds A and B, q holds A. Report 4 is of p and finds both quantities wrong, and an orphan; 5 finds A right again, so one
    is gone; 6 is a resolution; 7 is of q by the account main; then the same again and again.
    """
    with bare_ledger(database_url) as ledger:
        lots = [entry(n, "10", symbol=symbol, time=BEFORE) for n, symbol in enumerate("AB", 1)]
        ledger.taken(*lots, entry(3, "10", portfolio_id="q", time=BEFORE))
        desk, other = Desk(ledger, account=ASK_ALL), Desk(ledger, "q", account=OTHER)
        desk.compared(holds("4"), holds("5", symbol="B"), holds("1", symbol="C_%"))
        report = desk.compared(holds("10"), holds("5", symbol="B"), holds("1", symbol="C_%"))
        (wrong,) = [one for one in report.found if one.difference.symbol == "B"]
        desk.resolve(wrong, How.IGNORE, reason="known")
        only(other.compared(holds("9"), request_id="other"))
        for n in range(PAGE + 5):
            ledger.now = NOW + n
            desk.compared(holds("10"), holds("5", symbol="B"), holds("1", symbol="C_%"))
        reader = SqlReader(reader_engine(url_of(database_url)))
        yield reader
        await reader.close()


async def reports(reader: SqlReader, wanted: ReportFilter, size: int = 7) -> list[Reported]:
    """Every page of ``size``."""
    found: list[Reported] = []
    while page := await reader.reports(wanted, found[-1].sequence if found else None, size):
        found += page
        assert len(page) <= size
    return found


async def standings(reader: SqlReader, wanted: StandingFilter, size: int = 1) -> list[Standing]:
    """Every page of ``size``."""
    found: list[Standing] = []
    while page := await reader.standings(wanted, found[-1].order if found else None, size):
        found += page
        assert len(page) <= size
    return found


async def test_reports_are_listed_newest_first(reader: SqlReader) -> None:
    """In pages of any size, and the resolution between them is none."""
    found = [report.sequence for report in await reports(reader, ReportFilter())]
    assert found == [*range(32, 6, -1), 5, 4]
    assert [report.sequence for report in await reports(reader, ReportFilter(), 1000)] == found


@pytest.mark.parametrize(
    ("wanted", "sequences"),
    [
        (ReportFilter(account="main"), [7]),
        (ReportFilter(portfolio_id="q"), [7]),
        (ReportFilter(start=NOW + 23), [32, 31]),
        (ReportFilter(portfolio_id="p", end=NOW + 1), [8, 5, 4]),
        (ReportFilter(portfolio_id="nowhere"), []),
    ],
)
async def test_reports_are_chosen(reader: SqlReader, wanted: ReportFilter, sequences: list[int]) -> None:
    """By portfolio, account and time; also where they are rare among others."""
    assert [report.sequence for report in await reports(reader, wanted)] == sequences


async def test_one_report_is_found_by_its_sequence(reader: SqlReader) -> None:
    """And nothing else is: an entry, a resolution, or what is not there yet."""
    report = await reader.report(4)
    assert report is not None
    assert (report.reconciliation_id, len(report.found)) == ("R4", 3)
    assert [await reader.report(sequence) for sequence in (1, 6, 1000)] == [None] * 3


async def test_differences_are_listed_worst_first_then_oldest(reader: SqlReader) -> None:
    """Whatever became of them, when that is asked for; the open ones when nothing is."""
    found = await standings(reader, StandingFilter(states=ALL))
    assert [one.order for one in found] == sorted(one.order for one in found)
    assert len(found) == 4
    assert {one.state for one in found} == {State.OPEN, State.IGNORED, State.GONE}
    assert {one.difference.symbol for one in await standings(reader, StandingFilter())} == {"A", "C_%"}


@pytest.mark.parametrize(
    ("wanted", "symbols"),
    [
        (StandingFilter(states=frozenset({State.GONE})), ["A"]),
        (StandingFilter(states=frozenset({State.IGNORED})), ["B"]),
        (StandingFilter(account="main"), ["A"]),
        (StandingFilter(symbol="C_%"), ["C_%"]),
        (StandingFilter(portfolio_id="p"), ["C_%"]),
        (StandingFilter(portfolio_id="q"), ["A"]),
        (StandingFilter(portfolio_id="_"), []),
        (StandingFilter(states=ALL, least=Severity.CRITICAL), ["C_%"]),
    ],
)
async def test_differences_are_chosen(reader: SqlReader, wanted: StandingFilter, symbols: list[str]) -> None:
    """An orphan is of every portfolio of its account; a wildcard in a name is no wildcard."""
    assert [one.difference.symbol for one in await standings(reader, wanted)] == symbols
