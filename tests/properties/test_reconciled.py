"""Any ledger against any broker history that ends in the statement: what an APPLY leaves, and what nothing may change.

1. After an APPLY the next report finds nothing but what a person has to decide, and what that person decides leaves nothing.
2. What an APPLY records of a whole history is what a bot that missed nothing would have recorded.
3. A dry run changes nothing but the report.
4. An incomplete statement closes nothing and reduces nothing.
5. Applied twice is applied once.
6. Taken back, the books are what they were.
7. After everything, what is stored is what the journal says.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from sqlalchemy import select

from lotkeeperd.domain.accounts import PortfolioCommand, TermsMethod
from lotkeeperd.domain.decimals import ZERO
from lotkeeperd.domain.portfolios import PositionMode
from lotkeeperd.domain.reconciliation.findings import Kind, Severity
from lotkeeperd.domain.reconciliation.records import How, Reported, Standing, State
from lotkeeperd.domain.refusals import Refusal
from lotkeeperd.service.ports import Key
from lotkeeperd.storage import tables
from tests.properties.broker_histories import BrokerAccount, HistoryShape, books_of
from tests.storage.broker_says import AUTO_ALL, Desk, check_rebuilt
from tests.storage.ledgers import BareLedger, bare_ledger

SEEDS = (0, 3, 12, 107)
"""But for the first, each of these found something once: orders cut by the history, turns, exits before their entries."""
ROUNDS = 6
"""Times that a person decides and it is looked again."""

SHAPES = [HistoryShape(), HistoryShape(hedging=True), HistoryShape(portfolios=("p", "q"))]

shaped = pytest.mark.parametrize("shape", SHAPES, ids=["netting", "hedging", "two portfolios"])
seeded = pytest.mark.parametrize("seed", SEEDS)


class Life:
    """A ledger of what a bot recorded of a broker account, and the desk at which the two are reconciled."""

    def __init__(self, ledger: BareLedger, seed: int, shape: HistoryShape) -> None:
        self.ledger = ledger
        self.account = BrokerAccount(seed, shape)
        self.desk = Desk(ledger, *shape.portfolios, account=AUTO_ALL)
        mode = (("position_mode", PositionMode.HEDGING),) if shape.hedging else ()
        ledger.all_taken(*(PortfolioCommand(TermsMethod.CREATE, name, f"c-{name}", mode) for name in shape.portfolios))
        answers = [answer for command in self.account.commands() for answer in ledger.take(command)]
        refused = sum(isinstance(answer, Refusal) for answer in answers)
        assert shape.hedging or not refused  # there the opening has to be recorded before the exit
        print(f"seed {seed}, {shape}: {self.account.told()}; {refused} refused")

    def applied(self, **how: object) -> Reported:
        """The report of an APPLY."""
        return self.desk.report(self.desk.asked(self.account.statement(**how), True, adopt_into="p"))  # type: ignore[arg-type]

    def compared(self, **how: object) -> Reported:
        """The report of a dry run."""
        return self.desk.report(self.desk.asked(self.account.statement(**how), adopt_into="p"))  # type: ignore[arg-type]


@pytest.fixture
def ledger(database_url: str) -> Iterator[BareLedger]:
    """Verified in the end: property 7."""
    with bare_ledger(database_url) as ledger:
        yield ledger
        check_rebuilt(ledger, database_url)


def waiting(report: Reported) -> list[Standing]:
    """What a report left open that is more than information."""
    return [one for one in report.found if one.state is State.OPEN and one.difference.severity is not Severity.INFO]


def figures(ledger: BareLedger) -> dict[Key, tuple[object, ...]]:
    """Every book that has anything in it, without the names of its records."""
    return {
        key: (
            book.direction,
            [(lot.time, lot.price, lot.remaining) for lot in book.lots()],
            (book.cost, book.gross, book.fees, book.open_fees),
        )
        for key, book in ledger.books.items()
        if book.direction is not None or book.gross or book.fees
    }


def sizes(ledger: BareLedger, shape: HistoryShape) -> dict[tuple[str, str], Decimal]:
    """What is open by symbol and side, signed, over all portfolios."""
    found: dict[tuple[str, str], Decimal] = {}
    for (portfolio, symbol, side), book in ledger.books.items():
        if portfolio in shape.portfolios and book.direction is not None:
            found[symbol, side] = found.get((symbol, side), ZERO) + book.quantity * int(book.direction)
    return found


def truth(account: BrokerAccount) -> dict[tuple[str, str], Decimal]:
    """What is open at the broker, likewise."""
    books = books_of(account.executions)
    return {line: book.quantity * int(book.direction) for line, book in books.items() if book.direction is not None}


def check_as_executed(life: Life) -> None:
    """Every figure is that of the broker's executions."""
    for line, book in books_of(life.account.executions).items():
        ours = life.ledger.books["p", *line]
        assert (ours.direction, ours.quantity, ours.cost, ours.gross, ours.fees, ours.open_fees) == (
            (book.direction, book.quantity, book.cost, book.gross, book.fees, book.open_fees)
        ), line


def decided(life: Life, standing: Standing) -> None:
    """What a person does about a difference: the first of these that is not refused."""
    difference = standing.difference
    price = difference.broker_price or difference.ledger_price or Decimal(50)
    ways: list[tuple[How, dict[str, object]]] = [
        (How.ACCEPT, {}),
        (How.ASSIGN, {"portfolio": difference.portfolio_id or "p"}),
        (How.ADOPT, {"portfolio": difference.portfolio_id or "p", "price": price}),
        (How.CLOSE, {"price": price}),
    ]
    if difference.kind is Kind.QUANTITY_MISMATCH and not difference.proposals:
        ways.reverse()
    refusals: list[str] = []
    for how, others in ways:
        answer = life.desk.answer(life.desk.deciding(standing.discrepancy_id, how, **others))
        if not isinstance(answer, Refusal):
            return
        refusals.append(f"{how.value}: {answer.message}")
    raise AssertionError("\n".join([difference.explanation, repr(difference), *refusals]))


@seeded
@pytest.mark.parametrize("shape", SHAPES[:2], ids=["netting", "hedging"])
def test_a_whole_history_makes_the_books_what_they_would_have_been(
    ledger: BareLedger, seed: int, shape: HistoryShape
) -> None:
    """Properties 1 and 2: nothing is left to a person, and every figure is that of the broker's executions."""
    life = Life(ledger, seed, shape)
    life.applied()
    assert waiting(life.compared()) == []
    check_as_executed(life)


@seeded
@pytest.mark.parametrize("shape", SHAPES[:2], ids=["netting", "hedging"])
def test_what_was_made_up_goes_when_the_executions_turn_up(ledger: BareLedger, seed: int, shape: HistoryShape) -> None:
    """Properties 1 and 2: a short history first, the whole one later."""
    life = Life(ledger, seed, shape)
    first = life.applied(since=life.account.within())
    print(f"{sum(one.difference.unwatched for one in first.found)} unwatched")
    life.applied()
    assert waiting(life.compared()) == []
    check_as_executed(life)


@seeded
@pytest.mark.parametrize("shape", SHAPES[:2], ids=["netting", "hedging"])
def test_a_short_history_and_a_person_leave_nothing(ledger: BareLedger, seed: int, shape: HistoryShape) -> None:
    """Property 1: whatever the history begins with, and when there is none."""
    life = Life(ledger, seed, shape)
    since = life.account.within() if seed % 4 else None
    report = life.applied(since=since)
    for _ in range(ROUNDS):
        for standing in waiting(report):
            decided(life, standing)
        report = life.applied(since=since)
        if not waiting(report):
            break
    assert waiting(report) == []
    assert sizes(ledger, shape) == truth(life.account)


@seeded
@shaped
def test_a_dry_run_changes_nothing_but_the_report(ledger: BareLedger, seed: int, shape: HistoryShape) -> None:
    """Property 3: row by row in every other table, and to the digit in memory."""
    life = Life(ledger, seed, shape)
    rows, books, sequence = stored(ledger), figures(ledger), ledger.sequence
    assert waiting(life.compared(since=life.account.within()))
    assert stored(ledger) == rows
    assert (figures(ledger), ledger.sequence) == (books, sequence + 1)


@seeded
@shaped
def test_an_incomplete_statement_closes_and_reduces_nothing(ledger: BareLedger, seed: int, shape: HistoryShape) -> None:
    """Property 4: neither by the rows that are missing nor by those that are there, whatever executions stand beside them."""
    life = Life(ledger, seed, shape)
    before = sizes(ledger, shape)
    for since in (None, life.account.within(), 0):
        statement = life.account.statement(since, complete=False)
        for count in range(len(statement.positions) + 1):
            life.desk.report(
                life.desk.asked(statement._replace(positions=statement.positions[:count]), True, adopt_into="p")
            )
            after = sizes(ledger, shape)
            assert all(after.get(line, ZERO) * (1 if held > 0 else -1) >= abs(held) for line, held in before.items())
            before = after


@seeded
@shaped
def test_applied_twice_is_applied_once(ledger: BareLedger, seed: int, shape: HistoryShape) -> None:
    """Property 5: the second report carries out nothing, and changes no row of an execution."""
    life = Life(ledger, seed, shape)
    since = life.account.within()
    life.applied(since=since)
    rows, books, sequence = stored(ledger), figures(ledger), ledger.sequence
    again = life.applied(since=since)
    assert [one.difference for one in again.found if one.state is State.RESOLVED] == []
    assert stored(ledger) == rows
    assert (figures(ledger), ledger.sequence) == (books, sequence + 1)


@seeded
@shaped
def test_taken_back_the_books_are_what_they_were(ledger: BareLedger, seed: int, shape: HistoryShape) -> None:
    """Property 6: every resolution of a report, the last one first."""
    life = Life(ledger, seed, shape)
    before = figures(ledger)
    since = life.account.within() if seed % 2 else 0
    resolved = [one for one in life.applied(since=since).found if one.state is State.RESOLVED]
    assert resolved
    for standing in reversed(resolved):
        life.desk.undo(standing)
    assert figures(ledger) == before


def stored(ledger: BareLedger) -> dict[str, list[str]]:
    """Every row but the journal's and what is of reports."""
    others = [one for one in tables.metadata.sorted_tables if one.name not in ("journal", "discrepancies", "ledger")]
    with ledger.store._engine.connect() as connection:
        return {one.name: sorted(map(repr, connection.execute(select(one)))) for one in others}
