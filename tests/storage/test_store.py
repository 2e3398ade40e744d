"""One transaction a batch, behind the fence; and what is known when a commit fails: nothing, until the disk was asked."""

from __future__ import annotations

import os
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import make_url

from lotkeeperd.domain.commands import Command
from lotkeeperd.domain.rates import Rate
from lotkeeperd.domain.refusals import DiskFull, Fenced, LedgerCorrupt, StorageUnavailable
from lotkeeperd.service.outcomes import Outcome
from lotkeeperd.service.ports import Key, OutcomeUnknown, StatementRefused, Transaction
from lotkeeperd.storage.engines import CannotStart
from lotkeeperd.storage.engines import database_url as url_of
from lotkeeperd.storage.store import SqlStore
from tests.simulation import strace
from tests.storage.ledgers import CURRENCY, NOW, BareLedger, bare_ledger, entry, exit_of, sold
from tests.storage.lost_answers import LostAnswers
from tests.support.plain_sql import PlainSql


@pytest.fixture
def ledger(database_url: str) -> Iterator[BareLedger]:
    """An open store on an empty database."""
    with bare_ledger(database_url) as ledger:
        yield ledger


@pytest.fixture
def sql(ledger: BareLedger, database_url: str) -> Iterator[PlainSql]:
    """Plain SQL beside it."""
    del ledger
    with PlainSql(database_url) as sql:
        yield sql


def epoch_of(sql: PlainSql) -> int:
    """Which server has the ledger, counted from the first."""
    return int(sql.rows("SELECT epoch FROM ledger")[0]["epoch"])


def test_a_ledger_is_found_again_as_it_was_left(database_url: str) -> None:
    """Identity, position, portfolios, books with their lots: what was committed is what is loaded."""
    with bare_ledger(database_url) as first:
        usd = {"fee_currency": CURRENCY}
        first.taken(entry(1, "2", **usd), entry(2, **usd), exit_of(3, "2.5"), sold(4, "3", portfolio_id="q", **usd))
        left = first.store.load()
    with bare_ledger(database_url) as second:
        state = second.store.load()
        assert (second.ledger_id, second.sequence, second.portfolios) == (first.ledger_id, 4, {"default", "p", "q"})
        assert state._replace(books={}) == left._replace(books={})
        assert figures(second) == figures(first)
    with PlainSql(database_url) as sql:
        assert epoch_of(sql) == 2


def figures(ledger: BareLedger) -> dict[Key, object]:
    """What the books hold, lot by lot."""
    return {key: (list(book.lots()), book.gross, book.fees, book.sequence) for key, book in ledger.books.items()}


def test_a_batch_that_decides_nothing_commits_nothing(ledger: BareLedger, sql: PlainSql) -> None:
    """Refusals, replays and validations leave the journal where it is."""
    ledger.taken(entry(1))
    ledger.take(entry(1), exit_of(2, "7"), entry(3, validate_only=True))
    assert (ledger.sequence, sql.records()) == (1, 1)
    assert ledger.store.last_sequence() == 1


def test_what_raises_in_a_transaction_leaves_nothing(ledger: BareLedger, sql: PlainSql) -> None:
    """Nothing that was written before the error stays, and the next batch is written."""
    batch = ledger.batch()

    def work(transaction: Transaction) -> None:
        batch.decide([entry(1)], transaction)
        transaction.write(0, batch.written())
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        ledger.store.transact(work)
    assert sql.records() == 0
    ledger.taken(entry(1))
    assert sql.records() == 1


@pytest.mark.parametrize("table", ["journal", "position_entries", "completed_trades", "books", "portfolios"])
def test_a_refused_row_takes_its_whole_batch_back(ledger: BareLedger, sql: PlainSql, table: str) -> None:
    """All or nothing (law 9), whichever of the statements is refused; afterwards the same batch is written."""
    ledger.taken(entry(1))
    batch = (exit_of(2), entry(3, symbol="B", portfolio_id="q"), entry(4))
    with sql.refusing(table, "true"), pytest.raises(StatementRefused, match="refused by"):
        ledger.take(*batch)
    assert sql.records() == 1
    assert [row["status"] for row in sql.rows("SELECT status FROM position_entries")] == ["OPEN"]
    ledger.taken(*batch)
    assert sql.records() == 4


def test_an_older_owner_is_fenced(postgres_url: str) -> None:
    """The second to open has the ledger: the first writes nothing more, and is told so whenever it asks."""
    with bare_ledger(postgres_url) as first:
        first.taken(entry(1))
        with bare_ledger(postgres_url) as second:
            for _ in range(2):
                with pytest.raises(Fenced):
                    first.take(entry(2))
            with pytest.raises(Fenced):
                first.store.last_sequence()
            second.taken(entry(2))
        with PlainSql(postgres_url) as sql:
            assert [row["fill_id"] for row in sql.rows("SELECT fill_id FROM journal ORDER BY sequence")] == ["f1", "f2"]


def test_books_that_are_behind_the_ledger_are_fenced(ledger: BareLedger) -> None:
    """Whoever decided on other books than the disk has cannot write, even in its own epoch."""
    ledger.taken(entry(1))
    ledger.sequence = 0
    with pytest.raises(Fenced):
        ledger.take(entry(2))


def test_a_second_owner_of_a_file_is_refused(sqlite_url: str) -> None:
    """On SQLite there is no second: the file is locked."""
    with bare_ledger(sqlite_url), pytest.raises(CannotStart, match="another server has it open"):
        BareLedger(sqlite_url)


def test_another_currency_is_refused(database_url: str) -> None:
    """It is fixed when the ledger is made; not saying one takes what is there."""
    with bare_ledger(database_url):
        pass
    store = SqlStore(url_of(database_url))
    with pytest.raises(CannotStart, match=f"its amounts are in {CURRENCY}, not EUR"):
        store.open("EUR", NOW)
    assert store.open(None, NOW).currency == CURRENCY
    store.close()


def test_a_ledger_that_is_refused_is_not_taken_over(postgres_url: str) -> None:
    """One that does not add up keeps its owner: a server that cannot start must not fence one that runs."""
    with bare_ledger(postgres_url) as ledger, PlainSql(postgres_url) as sql:
        ledger.taken(entry(1), entry(2, symbol="B"))
        sql.rows("UPDATE books SET total_quantity = 7 WHERE symbol = 'B' RETURNING 1")
        with pytest.raises(CannotStart, match="the open entries of B in p do not add up"):
            BareLedger(postgres_url)
        assert epoch_of(sql) == 1
        ledger.taken(entry(3))


DAMAGES = {
    "UPDATE ledger SET last_sequence = 9": "the ledger stands at 9, its journal ends at 2",
    "DELETE FROM journal WHERE sequence = 2": "the ledger stands at 2, its journal ends at 1",
    "UPDATE books SET open_entry_count = 7": "the open entries of A in p do not add up",
    "DELETE FROM books": "there are open entries without a position: p, A",
    "UPDATE position_entries SET side = 'UP'": "a row cannot be read",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_ledger_that_does_not_add_up_is_not_opened(database_url: str, damage: str) -> None:
    """Memory is built from what is stored, and what is stored must agree with itself."""
    with bare_ledger(database_url) as ledger:
        ledger.taken(entry(1), entry(2))
    with PlainSql(database_url) as sql:
        sql.rows(f"{damage} RETURNING 1")
    with pytest.raises(CannotStart, match=f"{DAMAGES[damage]}.*restore the newest backup"):
        BareLedger(database_url)


END_WRITER = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND state = 'idle in transaction'"
)


def test_a_connection_that_goes_while_a_command_is_decided_is_not_the_commands_fault(postgres_url: str) -> None:
    """The history that a late execution is put into cannot be read: unavailable, nothing written, and a retry is taken."""
    with bare_ledger(postgres_url) as ledger, PlainSql(postgres_url) as sql:
        ledger.taken(entry(1), entry(10))
        late = entry(5, late=True, fee=Decimal(1), fee_currency="BNB")

        class EndsTheWriter(dict[tuple[str, str], Rate]):
            def get(self, *_: object) -> None:  # type: ignore[override]  # asked for between two statements
                sql.rows(END_WRITER)

        ledger.rates = EndsTheWriter()
        with pytest.raises(StorageUnavailable):
            ledger.take(late)
        ledger.rates = {}
        assert sql.records() == 2
        assert ledger.taken(late)[0].sequence == 3


def test_a_commit_that_was_cut_off_before_it_came_is_not_there(postgres_url: str) -> None:
    """The server ends the connection between the last statement and the commit: unknown, then found not to be."""
    with bare_ledger(postgres_url) as ledger, PlainSql(postgres_url) as sql:
        batch = ledger.batch()

        def work(transaction: Transaction) -> None:
            batch.decide([entry(1)], transaction)
            transaction.write(0, batch.written())
            sql.rows(END_WRITER)

        with pytest.raises(OutcomeUnknown) as unknown:
            ledger.store.transact(work)
        assert isinstance(unknown.value.refusal, StorageUnavailable)
        assert (ledger.store.last_sequence(), sql.records()) == (0, 0)
        assert ledger.taken(entry(1))[0].replayed is False
        assert sql.records() == 1


def test_a_commit_whose_answer_was_lost_is_there_and_counts_once(postgres_url: str) -> None:
    """The commit is carried out and the wire is cut: unknown, then found on disk; the retry is a replay."""
    with LostAnswers(postgres_url) as wire, bare_ledger(wire.url) as ledger, PlainSql(postgres_url) as sql:
        wire.lose_next_commit()
        with pytest.raises(OutcomeUnknown):
            ledger.take(entry(1, "3"))
        assert sql.records() == 1
        assert ledger.store.last_sequence() == 1
        state = ledger.store.load()
        ledger.load(state)
        (retried,) = ledger.taken(entry(1, "3"))
        assert (retried.replayed, retried.sequence, retried.book.quantity) == (True, 1, Decimal(3))
        assert sql.records() == 1


@pytest.mark.parametrize(
    ("calls", "error", "refusal"),
    [
        ("pwrite64", "ENOSPC", DiskFull),
        ("pwrite64", "EIO", StorageUnavailable),
        ("fdatasync", "EIO", StorageUnavailable),
    ],
)
def test_a_commit_that_the_disk_did_not_take_is_unknown(
    tmp_path: Path, calls: str, error: str, refusal: type[Exception]
) -> None:
    """A full disk, a failing one, a flush that fails: nothing is known, then found not to be; the retry counts once."""
    if why := strace.missing(tmp_path):
        pytest.skip(why)
    database = tmp_path.resolve() / "lotkeeper.db"
    with bare_ledger(str(database)) as ledger:
        ledger.taken(entry(1))
        with strace.Attached(os.getpid(), database, strace.failing(calls, error)):
            with pytest.raises(OutcomeUnknown) as unknown:
                ledger.take(entry(2))
            assert isinstance(unknown.value.refusal, refusal)
            assert ledger.store.last_sequence() == 1
        assert ledger.taken(entry(2))[0].replayed is False
        assert ledger.store.last_sequence() == 2


def test_a_held_row_is_waited_for_with_an_end(ledger: BareLedger, sql: PlainSql) -> None:
    """Somebody holds what every batch takes first: STORAGE_UNAVAILABLE, nothing written, and afterwards all is well."""
    with sql.locked(), pytest.raises(StorageUnavailable):
        ledger.take(entry(1))
    ledger.taken(entry(1))
    assert sql.records() == 1


def test_a_damaged_database_stops_the_writer(postgres_url: str) -> None:
    """What PostgreSQL says of a damaged page is no STORAGE_UNAVAILABLE: no retry makes it right."""
    with bare_ledger(postgres_url) as ledger, PlainSql(postgres_url) as sql, sql.refusing("journal", "true", "XX001"):
        with pytest.raises(LedgerCorrupt):
            ledger.take(entry(1))
        assert ledger.sequence == 0


@pytest.mark.parametrize("state", ["40001", "40P01"])
def test_a_transaction_that_is_to_be_tried_again_is_tried_again(postgres_url: str, state: str) -> None:
    """Whole, from its first statement on; the caller does not notice. When it goes on for ever, that is said."""
    with bare_ledger(postgres_url) as ledger, PlainSql(postgres_url) as sql:
        tries: list[int] = []

        def work(transaction: Transaction) -> Outcome:
            batch = ledger.batch()
            batch.decide([entry(1)], transaction)
            transaction.write(0, batch.written())
            tries.append(1)
            (answer,) = batch.answers()
            assert isinstance(answer, Outcome)
            return answer

        with sql.refusing("journal", "true", state), pytest.raises(StorageUnavailable, match="kept asking for a retry"):
            ledger.take(entry(1))
        assert ledger.store.transact(work).sequence == 1
        assert len(tries) == 1


def commands_of(ledger: BareLedger, commands: list[Command]) -> list[str]:
    """The ids of the decisions that are found by the keys of ``commands``."""
    found = ledger.store.transact(lambda transaction: transaction.recorded(commands))
    return sorted(decision.command.fill_id or decision.command.request_id for decision in found)


def test_keys_are_found_one_or_a_thousand_at_a_time(ledger: BareLedger) -> None:
    """Each number of keys has a statement; a key that is not there finds nothing."""
    ledger.taken(*(entry(number, request_id=f"r{number}" if number % 3 else "") for number in range(1, 301)))
    for count in (1, 2, 3, 64, 299):
        assert commands_of(ledger, [entry(number) for number in range(1, count + 1)]) == sorted(
            f"f{number}" for number in range(1, count + 1)
        )
    assert commands_of(ledger, [entry(1, fill_id="", request_id="r1"), entry(2, fill_id="", request_id="r2")]) == [
        "f1",
        "f2",
    ]
    assert commands_of(ledger, [entry(999), entry(1, portfolio_id="q")]) == []


def test_the_database_is_named_without_its_password(postgres_url: str) -> None:
    """Whatever goes wrong at the start, the secret is not in the message."""
    wrong = make_url(postgres_url).set(password="guessed", port=1)
    with pytest.raises(CannotStart) as refused:
        BareLedger(wrong.render_as_string(hide_password=False))
    assert "guessed" not in str(refused.value)
