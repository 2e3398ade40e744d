"""What a broker says in these tests, short enough to be read: positions, executions, and what is asked of them."""

from __future__ import annotations

from decimal import Decimal

from lotkeeperd.domain.book import Direction
from lotkeeperd.domain.reconciliation.findings import Kind
from lotkeeperd.domain.reconciliation.policy import Action, Rule
from lotkeeperd.domain.reconciliation.records import Account, How, Reconcile, Reported, Resolve, Standing, State, Undo
from lotkeeperd.domain.reconciliation.statements import Execution, HeldPosition, Statement
from lotkeeperd.domain.refusals import Refusal
from lotkeeperd.service.outcomes import Answer
from lotkeeperd.service.ports import AnyCommand
from lotkeeperd.service.reconciliation import Reconciled, Resolution, Reversal
from lotkeeperd.storage.engines import database_url
from lotkeeperd.storage.verify import verify
from tests.storage.ledgers import NOW, BareLedger

BEFORE = NOW - 1_000_000
"""When what these ledgers hold was bought."""

AUTO_ALL = Account(rules=(Rule(Action.AUTO),))
"""Whatever is proposed is carried out."""

ASK_ALL = Account(rules=())
"""Nothing is carried out without being asked for."""


def freezing(kind: Kind = Kind.QUANTITY_MISMATCH, action: Action = Action.FREEZE, name: str = "broker") -> Account:
    """Of a configured account, one kind of difference stops something."""
    return Account(name, rules=(Rule(action, kind),))


def holds(quantity: str, price: str | None = "100", symbol: str = "A") -> HeldPosition:
    """A row of a position; negative is short."""
    amount = Decimal(quantity)
    side = Direction.LONG if amount > 0 else Direction.SHORT
    return HeldPosition(symbol, side, abs(amount), None if price is None else Decimal(price))


def bought(fill_id: str, quantity: str, price: str = "100", after: int = 1, **others: object) -> Execution:
    """An execution, ``after`` nanoseconds later than what the ledger holds; negative is sold."""
    amount = Decimal(quantity)
    side = Direction.LONG if amount > 0 else Direction.SHORT
    given = Execution("A", side, abs(amount), Decimal(price), BEFORE + after, fill_id)
    return given._replace(**others)  # type: ignore[arg-type]


def said(*rows: HeldPosition | Execution, complete: bool = True, since: int | None = BEFORE + 1) -> Statement:
    """A statement: its positions to the last page unless said otherwise, its executions since after what the ledger holds."""
    positions = tuple(row for row in rows if isinstance(row, HeldPosition))
    executions = tuple(row for row in rows if isinstance(row, Execution))
    return Statement(NOW, complete, positions, executions, since)


class Desk:
    """Reconciles one ledger, each time under a new request id."""

    def __init__(self, ledger: BareLedger, *portfolio_ids: str, account: Account = Account()) -> None:  # noqa: B008 - frozen
        self.ledger = ledger
        self.account = account
        self._portfolio_ids = portfolio_ids or ("p",)
        self._requests = 0

    def asked(self, statement: Statement, apply: bool = False, **others: object) -> Reconcile:
        """The command, not given yet."""
        self._requests += 1
        given: dict[str, object] = {"request_id": f"r{self._requests}", "account": self.account, "asked_by": "a test"}
        return Reconcile(
            portfolio_ids=self._portfolio_ids,
            apply=apply,
            statement=statement,
            **(given | others),  # type: ignore[arg-type]
        )

    def compared(self, *rows: HeldPosition | Execution, **others: object) -> Reported:
        """The report of a dry run."""
        return self.report(self.asked(said(*rows), False, **others))

    def applied(self, *rows: HeldPosition | Execution, **others: object) -> Reported:
        """The report of a run that carries out what it may."""
        return self.report(self.asked(said(*rows), True, **others))

    def report(self, command: Reconcile) -> Reported:
        """Of a command that is no replay."""
        answer = self.answer(command)
        assert isinstance(answer, Reconciled), answer
        assert not answer.replayed
        return answer.report

    def answer(self, command: AnyCommand) -> Answer:
        """Whatever becomes of it."""
        (answer,) = self.ledger.take(command)
        return answer

    def resolve(self, standing: Standing, how: How, **others: object) -> Resolution:
        """A person's decision that is not refused."""
        answer = self.answer(self.deciding(standing.discrepancy_id, how, **others))
        assert isinstance(answer, Resolution), answer
        return answer

    def deciding(self, name: str, how: How, **others: object) -> Resolve:
        """The command, not given yet."""
        self._requests += 1
        return Resolve(f"r{self._requests}", name, how, resolved_by="a person", **others)  # type: ignore[arg-type]

    def undo(self, standing: Standing, **others: object) -> Reversal:
        """What takes its resolution back."""
        assert standing.settled is not None
        self._requests += 1
        command = Undo(f"r{self._requests}", standing.settled.resolution_id, "it was wrong", "a person", **others)  # type: ignore[arg-type]
        answer = self.answer(command)
        assert isinstance(answer, Reversal), answer
        return answer

    def open(self) -> list[str]:
        """The ids of what is open or ignored."""
        return [one.discrepancy_id for one in self.ledger.state.standings.values()]


def positions(ledger: BareLedger) -> dict[tuple[str, str], Decimal]:
    """What is open, signed, by portfolio and symbol."""
    return {
        (key[0], key[1]): book.quantity * int(book.direction)
        for key, book in ledger.books.items()
        if book.direction is not None
    }


def realized(ledger: BareLedger, portfolio_id: str = "p", symbol: str = "A") -> Decimal:
    """Net of a netting book."""
    book = ledger.books[portfolio_id, symbol, ""]
    return book.gross - book.fees


def only(report: Reported) -> Standing:
    """The one difference of a report."""
    (standing,) = report.found
    return standing


def states(report: Reported) -> list[State]:
    """Of its differences, in order."""
    return [standing.state for standing in report.found]


def refused(answer: Answer, kind: type[Refusal]) -> str:
    """The words of a refusal of this kind."""
    assert type(answer) is kind, answer
    assert isinstance(answer, Refusal)
    return answer.message


def check_rebuilt(ledger: BareLedger, url: str) -> None:
    """Law 13: what is stored, and what is held in memory, is what the journal says."""
    assert verify(database_url(url), lambda *_: None).differences == []
    assert ledger.store.load().standings == ledger.state.standings
