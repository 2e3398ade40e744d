"""Law 13: the journal alone gives what is stored, whatever happened; and whatever differs from it is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, select, update

from lotkeeperd.domain.accounts import CashEvent, DefineInstrument, Flow, PortfolioCommand, TermsMethod
from lotkeeperd.domain.book import Direction
from lotkeeperd.domain.commands import Command, Method
from lotkeeperd.domain.history import Amend, Amendment
from lotkeeperd.domain.instruments import Instrument, Kind
from lotkeeperd.domain.portfolios import PositionMode
from lotkeeperd.domain.rates import Rate
from lotkeeperd.storage.engines import CannotStart, writer_engine
from lotkeeperd.storage.engines import database_url as url_of
from lotkeeperd.storage.tables import journal, ledger
from lotkeeperd.storage.verify import DIFFERENCES, verify
from tests.storage.broker_says import Desk, holds, positions
from tests.storage.forger import by_hand, chained_again, verified
from tests.storage.ledgers import CURRENCY, bare_ledger, entry, exit_of, sold
from tests.storage.mixtures import lived
from tests.storage.older import RECORDS_0002, RECORDS_0003, make_0002, make_0003

COMMANDS = 300


@pytest.mark.parametrize("number", range(4))
def test_everything_that_can_happen_is_rebuilt(database_url: str, number: int, seed: int) -> None:
    """Lot methods, both sides, fees in other coins and of later days, corrections upon corrections, splits, other symbols."""
    lived(database_url, seed + number, COMMANDS)
    found = verified(database_url)
    print(f"seed {seed + number}: {found.sequence} records, {found.entries} entries, {found.trades} closed trades")
    assert found.differences == []
    assert found.trades > 0


def a_life(url: str) -> None:
    """A little of everything: 1 to 4 a book that was corrected by 5, 6 a late fill; a hedge, an inverse contract, a split, cash."""
    with bare_ledger(url) as ledger:
        ledger.rates["BNB", CURRENCY] = Rate("BNB", CURRENCY, Decimal(300), 1, "binance")
        ledger.all_taken(
            entry(1, "2", fee=Decimal("0.2")), entry(2, "3", fee=Decimal("0.3")), exit_of(3, "2.5"), sold(4, "4")
        )
        ledger.all_taken(Amendment(Amend.CORRECT, "p", "A", "c-1", "f1", price=Decimal(90)))
        ledger.all_taken(entry(6, "1", "95", late=True, time=2, fee=Decimal("0.01"), fee_currency="BNB"))
        ledger.all_taken(
            PortfolioCommand(TermsMethod.CREATE, "h", "make-h", (("position_mode", PositionMode.HEDGING),)),
            DefineInstrument(Instrument("I", Kind.INVERSE, Decimal(100), "BTC", "USD", "BTC", declared=True), "make-I"),
            entry(9, "3", "70", symbol="I", portfolio_id="h"),
            entry(10, "2", "75", symbol="I", portfolio_id="h", side=Direction.SHORT),
            entry(11, "5", symbol="S"),
            split_of("S"),
            CashEvent(Flow.DEPOSIT, "p", "", CURRENCY, Decimal(1000), fill_id="d-1"),
        )


def split_of(symbol: str) -> Command:
    """Two become three."""
    details = (("denominator", "2"), ("numerator", "3"))
    return Command(
        Method.SPLIT, "p", symbol, None, None, Decimal(0), time=20, fill_id=f"split-{symbol}", details=details
    )


def test_a_life_is_what_its_journal_says(database_url: str) -> None:
    """What the next tests damage is sound."""
    a_life(database_url)
    found = verified(database_url)
    assert (found.differences, found.sequence, found.positions) == ([], 13, 4)


DAMAGE = {
    "UPDATE ledger SET last_sequence = 14": "journal: it ends at 13, the ledger stands at 14",
    "DELETE FROM journal WHERE sequence = 13": "journal: it ends at 12, the ledger stands at 13",
    "DELETE FROM journal WHERE sequence = 3": "journal: record 4 follows 2",
    "UPDATE journal SET fill_key = 7 WHERE sequence = 2": "journal: record 2 is not written as its content says, in fill_key",
    "UPDATE journal SET rules = 9 WHERE sequence = 2": "journal: record 2 is not written as its content says, in rules",
    "UPDATE journal SET method = 'Guess' WHERE sequence = 2": "journal: record 2 cannot be replayed",
    "UPDATE journal SET decided = '{}' WHERE sequence = 2": "journal: record 2 cannot be replayed",
    "UPDATE completed_trades SET gross_pnl = 1 WHERE trade_id = 'T4.0'": "completed_trades: T4.0: gross_pnl is 1",
    "UPDATE completed_trades SET net_pnl = 1 WHERE trade_id = 'T5.0'": "completed_trades: T5.0: net_pnl is 1",
    "UPDATE completed_trades SET superseded_sequence = NULL WHERE trade_id = 'T3.0'": (
        "completed_trades: record 5 superseded other trades than the journal says"
    ),
    "UPDATE completed_trades SET superseded_sequence = 4 WHERE trade_id = 'T6.0'": "completed_trades: it has ",
    "UPDATE completed_trades SET exit_sequence = 4 WHERE trade_id = 'T5.0'": "completed_trades: T5.0: exit_sequence is 4",
    "DELETE FROM completed_trades WHERE trade_id = 'T6.0'": "completed_trades: T6.0 is missing",
    "UPDATE completed_trades SET currency = 'EUR' WHERE trade_id = 'T6.0'": "completed_trades: T6.0: currency is EUR",
    "UPDATE position_entries SET remaining_quantity = 2 WHERE sequence = 9": "position_entries: E9: remaining_quantity is 2",
    "UPDATE position_entries SET entry_order_id = 'x' WHERE sequence = 1": "position_entries: E1: entry_order_id is x",
    "UPDATE position_entries SET quantity = 5 WHERE sequence = 11": "position_entries: E11: quantity is 5, the journal says 7.5",
    "UPDATE position_entries SET cost_basis = 1 WHERE sequence = 10": "position_entries: E10: cost_basis is 1",
    "UPDATE position_entries SET fee_rate = '' WHERE sequence = 6": "position_entries: E6: fee_rate is empty",
    "DELETE FROM position_entries WHERE sequence = 2": "position_entries: E2 is missing",
    "UPDATE books SET realized_fees = 0 WHERE symbol = 'A'": "books: A in p: realized_fees is 0",
    "UPDATE books SET open_entry_count = 2 WHERE book_side = 'SHORT'": "books: SHORT I in h: open_entry_count is 2",
    "UPDATE books SET unconverted_fees = 'x' WHERE symbol = 'S'": "books: S in p: unconverted_fees is x",
    "DELETE FROM books WHERE symbol = 'S'": "books: S in p is missing",
    "UPDATE portfolios SET terms = '' WHERE portfolio_id = 'h'": "portfolios: h: terms is empty",
    "DELETE FROM portfolios WHERE portfolio_id = 'p'": "portfolios: p is missing",
    "INSERT INTO portfolios (portfolio_id, created_time) VALUES ('x', 1)": "portfolios: x has no record in the journal",
    "UPDATE instruments SET sequence = 1 WHERE symbol = 'I'": "instruments: I: sequence is 1, the journal says 8",
    "DELETE FROM instruments WHERE symbol = 'S'": "instruments: S is missing",
    "UPDATE balances SET deposited = 999 WHERE currency = 'USD'": "balances: USD in p: deposited is 999, the journal says 1000",
    "UPDATE balances SET fees_elsewhere = 0 WHERE currency = 'BNB'": "balances: BNB in p: fees_elsewhere is 0",
    "DELETE FROM balances WHERE currency = 'BNB'": "balances: BNB in p is missing",
}


@pytest.mark.parametrize("statement", DAMAGE)
def test_what_was_changed_by_hand_is_named(database_url: str, statement: str) -> None:
    """The table, the id, and what differs."""
    a_life(database_url)
    by_hand(database_url, statement)
    found = verified(database_url).differences
    assert any(difference.startswith(DAMAGE[statement]) for difference in found), found


def test_what_nobody_recorded_is_counted(database_url: str) -> None:
    """An entry and a closed trade that are copies of others."""
    a_life(database_url)
    names = "portfolio_id, symbol, side, entry_id, quantity, entry_price, labels, group_id, synthetic"
    trade = (
        "exit_price, entry_time, exit_time, exit_order_id, exit_fill_id, exit_reason, gross_pnl, entry_fee, exit_fee, "
    )
    trade += "net_pnl, currency, entry_order_id, entry_fill_id, trade_id"
    lot = "remaining_quantity, entry_order_id, entry_fill_id, fee, fee_currency, open_fee, status"
    by_hand(
        database_url,
        f'INSERT INTO completed_trades (sequence, "index", {names}, {trade}) '
        f"SELECT 900, 0, {names}, {trade} FROM completed_trades WHERE trade_id = 'T4.0'",
        f"INSERT INTO position_entries (sequence, entry_time, {names}, {lot}) "
        f"SELECT 900, 5, {names}, {lot} FROM position_entries WHERE sequence = 11",
    )
    found = verified(database_url).differences
    assert [difference.partition(" rows")[0] for difference in found] == [
        "position_entries: it has 8",
        "completed_trades: it has 6",
    ]


Decided = dict[str, Any]


def falsified(url: str, sequence: int, change: Callable[[Decided], None]) -> None:
    """Change what a record decided, and chain the journal again: without a key anybody can."""
    engine = writer_engine(url_of(url))
    with engine.begin() as connection:
        where = journal.c.sequence == sequence
        decided = json.loads(connection.execute(select(journal.c.decided).where(where)).scalar_one())
        change(decided)
        text = json.dumps(decided, separators=(",", ":"), ensure_ascii=False)
        connection.execute(update(journal).where(where).values(decided=text))
        chain_key = connection.execute(select(ledger.c.chain_key)).scalar_one()
    engine.dispose()
    chained_again(url, chain_key)


def _moved_gross(decided: Decided) -> None:
    decided["rematch"]["gross"] = "1"


def _moved_fees(decided: Decided) -> None:
    decided["rematch"]["fees"] = "1"


def _other_pair(decided: Decided) -> None:
    decided["rematch"]["pairs"][0][0] = [4, 0]


def _slot_left_out(decided: Decided) -> None:
    decided["rematch"]["slots"].pop()


def _slot_with_another_quantity(decided: Decided) -> None:
    decided["rematch"]["slots"][0]["decided"]["quantity"] = "7"


def _more_executed(decided: Decided) -> None:
    decided["quantity"] = "3"


def _fee_left_out(decided: Decided) -> None:
    decided["opened"][1] = "0.1"


def _closes_what_is_not_open(decided: Decided) -> None:
    decided["closed"][0][0] = 99


LIES = {
    "a correction that moved another sum": (5, _moved_gross, "journal: record 5 moves gross to 51, the slots make 70"),
    "a correction that moved other fees": (5, _moved_fees, "journal: record 5 moves fees to 1"),
    "a correction that took another trade's place": (
        5,
        _other_pair,
        "journal: record 5 restates other trades than its slots show",
    ),
    "a correction that leaves out what it changed": (5, _slot_left_out, "journal: record 5 "),
    "a late fill of another quantity": (6, _slot_with_another_quantity, "journal: record 6"),
    "more executed than was opened": (1, _more_executed, "journal: record 1 executed 3 and makes 2 of it"),
    "a fee of which some is lost": (1, _fee_left_out, "journal: record 1 has a fee of 0.2 and shares out 0.1"),
    "a lot closed that is not open": (
        3,
        _closes_what_is_not_open,
        "journal: record 3 cannot be replayed: record 3 closes lot 99",
    ),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_record_that_contradicts_itself_is_named(database_url: str, lie: str) -> None:
    """Though its digest is right: what was decided has to follow from what is there."""
    a_life(database_url)
    sequence, change, said = LIES[lie]
    falsified(database_url, sequence, change)
    found = verified(database_url).differences
    assert any(difference.startswith(said) for difference in found), found
    assert not [difference for difference in found if "chained" in difference]


def test_the_search_ends_when_more_would_not_help(sqlite_url: str) -> None:
    """A ledger of many broken rows is a list that can be read."""
    with bare_ledger(sqlite_url) as ledger:
        ledger.taken(*(entry(number) for number in range(1, 2 * DIFFERENCES)))
    by_hand(sqlite_url, "UPDATE position_entries SET entry_price = 1")
    found = verified(sqlite_url).differences
    assert len(found) == DIFFERENCES + 1
    assert found[-1] == "and more; the search was ended here"


def test_progress_is_told_in_records(sqlite_url: str) -> None:
    """As far as it is, of how many."""
    a_life(sqlite_url)
    told: list[tuple[int, int]] = []
    verify(url_of(sqlite_url), lambda done, of: told.append((done, of)))
    assert told == [(13, 13)]


def test_a_ledger_of_0002_is_migrated_verified_and_goes_on(database_url: str) -> None:
    """Real rows of the rules 1: two portfolios, flips with fees, a late entry, symbols that are contracts by now."""
    make_0002(database_url)
    with pytest.raises(CannotStart, match="its schema is 0002, this program reads 0004; start a server on it once"):
        verified(database_url)
    with bare_ledger(database_url) as ledger:
        found = verified(database_url)
        assert (found.sequence, found.entries, found.trades, found.positions) == (RECORDS_0002, 8, 7, 4)
        assert found.differences == []
        replay = ledger.taken(entry(1, "2", "100.5", fee=Decimal("0.25"), order_id="o-1"))[0]
        assert (replay.replayed, replay.sequence) == (True, 1)
        ledger.all_taken(
            exit_of(21, "1", "60", symbol="BTC-PERP", portfolio_id="q", time=None, fee=Decimal("0.1")),
            Amendment(Amend.CORRECT, "p", "A", "c-1", "f2", price=Decimal(98)),
            entry(22, symbol="BTC-PERP", portfolio_id="new", time=None),
        )
    found = verified(database_url)
    assert found.differences == []
    assert found.sequence == RECORDS_0002 + 3


def test_a_ledger_of_0003_is_migrated_verified_and_reconciled(database_url: str) -> None:
    """Real rows of before brokers were asked: what was corrected counts as it does now, and nothing old is touched."""
    make_0003(database_url)
    with bare_ledger(database_url) as ledger:
        found = verified(database_url)
        assert (found.sequence, found.entries, found.trades, found.positions) == (RECORDS_0003, 7, 9, 4)
        assert found.differences == []
        desk = Desk(ledger)
        held = positions(ledger)
        assert (
            desk.applied(
                *(holds(str(quantity), None, symbol) for (name, symbol), quantity in held.items() if name == "p")
            ).found
            == ()
        )
        assert len(desk.compared().found) == len([name for name, _ in held if name == "p"])
    found = verified(database_url)
    assert found.differences == []
    assert found.sequence == RECORDS_0003 + 2


def test_the_rules_that_decided_stand_in_each_record(database_url: str) -> None:
    """Old records keep theirs; verify reads both and decides neither anew."""
    make_0002(database_url)
    with bare_ledger(database_url) as ledger:
        ledger.taken(entry(20, symbol="NEW", time=None))
    engine = writer_engine(url_of(database_url))
    with engine.begin() as connection:
        query = select(journal.c.rules, func.count()).group_by(journal.c.rules).order_by(journal.c.rules)
        assert [tuple(row) for row in connection.execute(query)] == [(1, RECORDS_0002), (2, 1)]
    engine.dispose()
