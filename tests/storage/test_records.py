"""Every kind of record comes back from its row as it was decided: what an old journal says is never decided anew (law 13)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotkeeperd.domain.history import Amendment, Correction
from lotkeeperd.service.ports import JournalRecord
from lotkeeperd.storage.identity import fill_key, request_key
from lotkeeperd.storage.records import record_of, record_row
from lotkeeperd.storage.rows import JournalRow
from tests.storage.drawn import corrections
from tests.storage.drawn_reports import ALL_KINDS


@pytest.mark.parametrize("kind", ALL_KINDS)
@given(data=st.data())
def test_a_record_comes_back_from_its_row(kind: str, data: st.DataObject) -> None:
    """Read and written again it is the same row."""
    record = data.draw(ALL_KINDS[kind])
    row = JournalRow._make(record_row(record))
    assert record_of(row) == record
    assert JournalRow._make(record_row(record_of(row))) == row


@given(record=st.one_of(*ALL_KINDS.values()))
def test_a_row_names_its_book_and_its_method(record: JournalRecord) -> None:
    """What a reader selects by stands in columns of its own; a request is found by its key."""
    row = JournalRow._make(record_row(record))
    command = record.command
    assert (row.sequence, row.recorded_time) == (record.sequence, record.recorded_time)
    assert (row.portfolio_id, row.symbol, row.roles) == (command.portfolio_id, command.symbol, command.role)
    key = request_key(command.portfolio_id, command.request_id) if command.request_id else None
    assert (row.request_id, row.request_key) == (command.request_id, key)


@given(record=corrections())
def test_a_correction_is_found_under_what_it_corrects(record: Correction) -> None:
    """A bust under the execution's id, a fee that came later under its own; its pairs are counted as closed trades are."""
    row = JournalRow._make(record_row(record))
    command: Amendment = record.command
    key = fill_key(command.portfolio_id, command.recorded_id) if command.recorded_id else None
    assert (row.fill_id, row.fill_key) == (command.recorded_id, key)
    assert row.trade_count == len(record.rematch.pairs)
