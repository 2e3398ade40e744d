"""What of the journal was recorded since a time: found without a walk over it."""

from __future__ import annotations

import pytest

from lotkeeperd.domain.commands import Decision
from lotkeeperd.domain.history import Late
from lotkeeperd.service.ports import Transaction
from tests.storage.ledgers import NOW, BareLedger, bare_ledger, entry

RECORDS = 9


def since(ledger: BareLedger, time: int) -> list[int]:
    """The sequences of what p executed and was recorded from ``time`` on."""

    def read(transaction: Transaction) -> list[Decision | Late]:
        return transaction.executed("p", time, RECORDS)

    return [record.sequence for record in ledger.store.transact(read)]


@pytest.mark.parametrize("count", range(RECORDS))
def test_a_time_finds_what_was_recorded_from_it_on(database_url: str, count: int) -> None:
    """Between records, at them, before the first and after the last; several may have one time."""
    with bare_ledger(database_url) as ledger:
        for number in range(1, count + 1):
            ledger.now = NOW + number // 2 * 10
            ledger.taken(entry(number, portfolio_id="q" if number == 3 else "p"))
        mine = [number for number in range(1, count + 1) if number != 3]
        for time in range(NOW - 5, NOW + 10 * RECORDS, 5):
            assert since(ledger, time) == [number for number in mine if NOW + number // 2 * 10 >= time]


def test_a_clock_that_was_ahead_for_a_while_hides_nothing(sqlite_url: str) -> None:
    """What was recorded after it was set right is there, whatever else is."""
    with bare_ledger(sqlite_url) as ledger:
        for number in range(1, RECORDS + 1):
            ledger.now = NOW + (1_000_000 if number in (4, 5) else number)
            ledger.taken(entry(number))
        for number in range(1, RECORDS + 1):
            assert set(range(number, RECORDS + 1)) <= set(since(ledger, NOW + number))
