"""The checker finds what it is for: each lie about a real ledger, told to it in the log or done to the database, is found."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from tests.simulation.checker import check
from tests.simulation.floor import Floor
from tests.simulation.history import CREATE, RECORD, Answered, Refused, Try
from tests.simulation.rounds import rebuilt_differently
from tests.support.sidecar import Sidecar

Lie = Callable[[list[Try]], list[Try]]


class Traded:
    """A ledger that was traded on and its server, with what the traders logged."""

    def __init__(self, sidecar: Sidecar, tries: list[Try]) -> None:
        self.sidecar = sidecar
        self.tries = tries

    def wrong(self, tries: list[Try]) -> str:
        """What the checker says of other logs than those that were written."""
        with pytest.raises(AssertionError) as found:
            check(self.sidecar.address, self.sidecar.database, tries)
        return str(found.value)


@pytest.fixture(scope="module")
def traded(tmp_path_factory: pytest.TempPathFactory, seed: int) -> Iterator[Traded]:
    """Traders trade for a moment; nothing is killed."""
    folder = tmp_path_factory.mktemp("traded")
    with Sidecar(str(folder / "lotkeeper.db")) as sidecar:
        with Floor(folder, [sidecar.address], f"{seed}/checker", processes=1) as floor:
            floor.await_progress(100_000)
            tries = floor.close()
        print(check(sidecar.address, sidecar.database, tries).words)
        yield Traded(sidecar, tries)


def places_of(tries: list[Try], wanted: Callable[[Try], bool]) -> list[int]:
    """The tries that are wanted and that are the only ones of their execution."""
    counts = Counter(tried.command.content for tried in tries)
    return [place for place, tried in enumerate(tries) if wanted(tried) and counts[tried.command.content] == 1]


def acknowledged(tried: Try) -> bool:
    """Whether it was taken as new."""
    return isinstance(tried.outcome, Answered) and not tried.outcome.replayed


def refused(tried: Try) -> bool:
    """Whether the book refused it."""
    return isinstance(tried.outcome, Refused) and tried.outcome.reason == "OPPOSITE_SIDE_OPEN"


def told(tries: list[Try], wanted: Callable[[Try], bool], change: Callable[[Try], Try]) -> list[Try]:
    """The logs with one of the wanted tries changed."""
    place = places_of(tries, wanted)[-1]
    return [*tries[:place], change(tries[place]), *tries[place + 1 :]]


def other_answer(**changes: object) -> Callable[[Try], Try]:
    """Another answer than was given."""

    def change(tried: Try) -> Try:
        assert isinstance(tried.outcome, Answered)
        return tried._replace(outcome=tried.outcome._replace(**changes))  # type: ignore[arg-type]

    return change


def reordered(tries: list[Try]) -> list[Try]:
    """The first and the last that were recorded change places in time."""
    by_sequence = sorted(places_of(tries, acknowledged), key=lambda place: tries[place].outcome.sequence)  # type: ignore[union-attr]
    first, last = by_sequence[0], by_sequence[-1]
    lied = list(tries)
    lied[first] = tries[first]._replace(begun=tries[last].begun, ended=tries[last].ended)
    lied[last] = tries[last]._replace(begun=tries[first].begun, ended=tries[first].ended)
    return lied


def entered(tried: Try) -> bool:
    """Whether it is an entry that was taken as new."""
    return acknowledged(tried) and tried.command.method == CREATE


def closing(tried: Try) -> bool:
    """Whether it closed something and was taken as new."""
    return acknowledged(tried) and isinstance(tried.outcome, Answered) and bool(tried.outcome.closed)


LIES: dict[str, tuple[Lie, str]] = {
    "acknowledged, and not there": (
        lambda tries: told(tries, refused, lambda t: t._replace(outcome=Answered(7, False, "1", (), ("LONG", "1")))),
        "is missing",
    ),
    "refused, and there": (
        lambda tries: told(tries, acknowledged, lambda t: t._replace(outcome=Refused("NO_OPEN_POSITION", {}))),
        "was refused and is there",
    ),
    "there, and never sent": (
        lambda tries: tries[: places_of(tries, acknowledged)[-1]],
        "which nobody sent",
    ),
    "acknowledged at another sequence": (
        lambda tries: told(tries, acknowledged, other_answer(sequence=1)),
        "was acknowledged at {1} and is at",
    ),
    "answered as new twice": (
        lambda tries: [*tries, tries[places_of(tries, acknowledged)[-1]]],
        "was answered as new more than once",
    ),
    "recorded with another content": (
        lambda tries: told(tries, entered, lambda t: t._replace(command=t.command._replace(quantity="77"))),
        "quantity=Decimal('77')",
    ),
    "recorded with another fee": (
        lambda tries: told(tries, entered, lambda t: t._replace(command=t.command._replace(fee="77"))),
        "lots ",
    ),
    "recorded at another time": (
        lambda tries: told(
            tries,
            lambda t: entered(t) and t.command.time is not None,
            lambda t: t._replace(command=t.command._replace(time=1)),
        ),
        "time=1,",
    ),
    "recorded against the order of time": (reordered, "was first sent after"),
    "told another result": (
        lambda tries: told(tries, closing, other_answer(closed=(("1", "1", "0", "0"),))),
        "was told that it closed",
    ),
    "told another position": (
        lambda tries: told(tries, acknowledged, other_answer(position=("LONG", "12345"))),
        "was told that it left",
    ),
    "refused for a reason that was never true": (
        lambda tries: told(
            tries, refused, lambda t: t._replace(outcome=Refused("OPPOSITE_SIDE_OPEN", {"open_quantity": "12345"}))
        ),
        "which is true of none of",
    ),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_in_the_log_is_found(traded: Traded, lie: str) -> None:
    """One line of one trader's log is not what happened."""
    tell, words = LIES[lie]
    assert words in traded.wrong(tell(traded.tries))


DEEDS = {
    "a lot": "UPDATE position_entries SET remaining_quantity = '0.777' WHERE sequence = "
    "(SELECT max(sequence) FROM position_entries WHERE status = 'OPEN')",
    "a closed trade": "UPDATE completed_trades SET net_pnl = '0.777' WHERE sequence = "
    "(SELECT max(sequence) FROM completed_trades)",
    "a closed trade that is gone": "DELETE FROM completed_trades WHERE sequence = "
    "(SELECT max(sequence) FROM completed_trades)",
    "a position": "UPDATE books SET gross_realized_pnl = '0.777' WHERE side <> 'FLAT'",
    "a record that counts twice": "INSERT INTO journal SELECT sequence + 100000, recorded_time, portfolio_id, symbol, "
    "method, rules, key_version, roles, request_key, request_id, fill_key, fill_id, trade_count, asked, decided, chain "
    "FROM journal WHERE sequence = 1",
    "a record that is gone": "DELETE FROM journal WHERE sequence = 2",
}


@pytest.mark.parametrize("deed", DEEDS)
def test_a_deed_to_the_database_is_found_by_the_checker_and_by_verify(traded: Traded, deed: str) -> None:
    """One row is not what it was; the server still answers out of its memory."""
    with sqlite3.connect(traded.sidecar.database, isolation_level=None) as connection:
        connection.execute("PRAGMA wal_autocheckpoint=0")
        copy = {
            table: connection.execute(f"SELECT * FROM {table}").fetchall()
            for table in ("journal", "position_entries", "completed_trades", "books")
        }
        connection.execute(DEEDS[deed])
        try:
            assert traded.wrong(traded.tries)
            assert rebuilt_differently(traded.sidecar.database)
        finally:
            restore(connection, copy)
    connection.close()
    check(traded.sidecar.address, traded.sidecar.database, traded.tries)
    assert rebuilt_differently(traded.sidecar.database) == []


def restore(connection: sqlite3.Connection, copy: dict[str, list[tuple[object, ...]]]) -> None:
    """Put back what was there."""
    connection.execute("BEGIN")
    for table, rows in copy.items():
        connection.execute(f"DELETE FROM {table}")
        connection.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})", rows)
    connection.execute("COMMIT")


def test_the_traders_meet_each_other(traded: Traded) -> None:
    """A load of which every kind of outcome is part is worth checking."""
    outcomes = [tried.outcome for tried in traded.tries]
    reasons = {outcome.reason for outcome in outcomes if isinstance(outcome, Refused)}
    wanted = {"OPPOSITE_SIDE_OPEN", "NO_OPEN_POSITION", "INSUFFICIENT_QUANTITY", "FIELD_VIOLATION", "FILL_CONFLICT"}
    assert wanted <= reasons
    answers = [outcome for outcome in outcomes if isinstance(outcome, Answered)]
    assert any(answer.replayed for answer in answers)
    assert any(answer.opened and answer.closed for answer in answers), "no flip"
    assert any(len(answer.closed) > 1 for answer in answers), "no close across lots"
    assert {tried.command.method for tried in traded.tries} >= {CREATE, RECORD}
