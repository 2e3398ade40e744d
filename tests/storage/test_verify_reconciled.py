"""What differs from brokers is made from the journal's reports like every other table, and held against them."""

from __future__ import annotations

import pytest

from lotkeeperd.domain.reconciliation.records import How
from lotkeeperd.storage.engines import database_url as url_of
from lotkeeperd.storage.verify import verify
from tests.storage.broker_says import BEFORE, Desk, bought, holds
from tests.storage.forger import by_hand
from tests.storage.ledgers import bare_ledger, entry


def a_life(url: str) -> None:
    """Record 2 is a report with D2.0, an orphan, and D2.1; 3 ignores the orphan; 4 sells what D2.1 missed; in 6 D2.0 is gone."""
    with bare_ledger(url) as ledger:
        ledger.taken(entry(1, "10", time=BEFORE))
        desk = Desk(ledger)
        rows = (holds("4"), holds("1", symbol="B"))
        first = desk.compared(*rows)
        (orphan,) = [one for one in first.found if one.difference.symbol == "B"]
        desk.resolve(orphan, How.IGNORE, reason="known")
        desk.applied(*rows, bought("x1", "-6", "110"))
        desk.compared(holds("4"))


def differences(url: str) -> list[str]:
    """What verify finds."""
    return verify(url_of(url), lambda *_: None).differences


def test_reports_and_resolutions_are_what_the_journal_says(database_url: str) -> None:
    """What the next tests damage is sound: ignored, repaired, gone."""
    a_life(database_url)
    assert differences(database_url) == []


DAMAGE = {
    "UPDATE discrepancies SET state = 'OPEN' WHERE discrepancy_id = 'D2.0'": "discrepancies: D2.0: state is OPEN",
    "UPDATE discrepancies SET last_seen = 7 WHERE discrepancy_id = 'D2.1'": "discrepancies: D2.1: last_seen is 7",
    "UPDATE discrepancies SET body = '{}' WHERE discrepancy_id = 'D2.1'": "discrepancies: D2.1: body is {}",
    "DELETE FROM discrepancies WHERE discrepancy_id = 'D2.1'": "discrepancies: D2.1 is missing",
    "UPDATE discrepancies SET discrepancy_id = 'D9.0' WHERE discrepancy_id = 'D2.1'": "discrepancies: D9.0 has no record",
    "UPDATE journal SET decided = '{}' WHERE sequence = 2": "journal: record 2 cannot be replayed",
    "UPDATE journal SET asked = REPLACE(asked, 'a test', 'nobody') WHERE sequence = 2": "journal: records ",
    "UPDATE journal SET request_key = 7 WHERE sequence = 3": "journal: record 3 is not written as its content says, in request_key",
}


@pytest.mark.parametrize("statement", DAMAGE)
def test_what_was_changed_by_hand_is_named(database_url: str, statement: str) -> None:
    """The difference, and what differs of it; and a report that was changed breaks the chain."""
    a_life(database_url)
    by_hand(database_url, statement)
    found = differences(database_url)
    assert any(difference.startswith(DAMAGE[statement]) for difference in found), found
