"""An account as a test keeps it: plain books on our side, a history on the broker's, written as a trader would jot them down.

    +10@100 t5 f1/o1    bought 10 at 100 at time 5: fill f1 of order o1; ids may be left out, a time is the one before and 1
    +4@100              a row of the broker: 4 long at an average of 100; without @ it gives no average

Several are parted by commas. A symbol stands before them where it is not X: ``MSFT +4@100``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple

from lotkeeperd.domain.book import Book, Contract, Direction, Fill
from lotkeeperd.domain.decimals import ZERO
from lotkeeperd.domain.instruments import Instrument
from lotkeeperd.domain.reconciliation.comparison import compare, wanted
from lotkeeperd.domain.reconciliation.findings import Comparison, Difference, Proposal
from lotkeeperd.domain.reconciliation.holdings import BookKey, Counted, Holding, Holdings
from lotkeeperd.domain.reconciliation.records import UNNAMED, Account
from lotkeeperd.domain.reconciliation.statements import Execution, HeldPosition, Statement

SYMBOL = "X"
AS_OF = 100
"""When the broker is asked, unless a test says another time."""

LONG, SHORT = Direction.LONG, Direction.SHORT

_JOTTED = re.compile(
    r"(?:(?P<symbol>[A-Z][\w.]*) )?(?P<sign>[+-])(?P<quantity>[\d.]+)(?:@(?P<price>-?[\d.]+))?"
    r"(?: t(?P<time>\d+))?(?: (?P<fill>\w+)?(?:/(?P<order>\w+))?)?"
)


def executions(text: str, book_side: Direction | None = None) -> tuple[Execution, ...]:
    """Of the broker."""
    found: list[Execution] = []
    for words in filter(None, text.split(", ")):
        jotted = _JOTTED.fullmatch(words)
        assert jotted, f"{words!r} is not of this language"
        time = int(jotted["time"]) if jotted["time"] else (found[-1].time if found else 0) + 1
        found.append(
            Execution(
                jotted["symbol"] or SYMBOL,
                LONG if jotted["sign"] == "+" else SHORT,
                Decimal(jotted["quantity"]),
                Decimal(jotted["price"]),
                time,
                jotted["fill"] or "",
                jotted["order"] or "",
                book_side=book_side,
            )
        )
    return tuple(found)


def rows(text: str) -> tuple[HeldPosition, ...]:
    """Of the broker's positions."""
    found = []
    for words in filter(None, text.split(", ")):
        jotted = _JOTTED.fullmatch(words)
        assert jotted, f"{words!r} is not of this language"
        average = None if jotted["price"] is None else Decimal(jotted["price"])
        side = LONG if jotted["sign"] == "+" else SHORT
        found.append(HeldPosition(jotted["symbol"] or SYMBOL, side, Decimal(jotted["quantity"]), average))
    return tuple(found)


def told(
    positions: str = "", history: str = "", since: int | None = None, complete: bool = True, as_of: int = AS_OF
) -> Statement:
    """What the broker says; ``since`` says that the history is complete from there on."""
    return Statement(as_of, complete, rows(positions), executions(history), since)


class Recorded(NamedTuple):
    """A fill that counts, and whether it was adopted."""

    counted: Counted
    adopted: bool


class Ledger:
    """Some portfolios of one account. Books are made anew whenever they are looked at, in order of time, as late fills ask for."""

    def __init__(self, *portfolios: str, hedging: bool = False, instruments: Iterable[Instrument] = ()) -> None:
        self.portfolios = portfolios or ("p",)
        self.hedging = hedging
        self.instruments = {each.symbol: each for each in instruments}
        self.fills: dict[int, Recorded] = {}
        self._sequence = 0

    def record(
        self,
        text: str,
        portfolio: str = "",
        synthetic: bool = False,
        adopted: bool = False,
        side: Direction | None = None,
    ) -> Ledger:
        """As a bot does; in the first portfolio unless another is named."""
        for each in executions(text, side):
            self.take(portfolio or self.portfolios[0], each, synthetic=synthetic, adopted=adopted)
        return self

    def take(self, portfolio: str, execution: Execution, *, synthetic: bool = False, adopted: bool = False) -> None:
        """One execution."""
        self._sequence += 1
        side = execution.book_side.name if self.hedging and execution.book_side else ""
        counted = Counted(
            (portfolio, execution.symbol, side),
            self._sequence,
            execution.side,
            execution.quantity,
            execution.price,
            execution.time,
            execution.fill_id or (f"synthetic-{self._sequence}" if synthetic else ""),
            execution.order_id,
            execution.fee,
            execution.fee_currency,
            synthetic,
        )
        self.fills[self._sequence] = Recorded(counted, adopted)

    def bust(self, sequence: int) -> None:
        """It counts no more."""
        del self.fills[sequence]

    def carry_out(self, proposals: Iterable[Proposal]) -> None:
        """Busts and records, as the ledger does in one transaction."""
        for proposal in proposals:
            for sequence in proposal.replaces:
                self.bust(sequence)
            if proposal.execution is not None:
                assert proposal.portfolio_id in self.portfolios
                self.take(
                    proposal.portfolio_id, proposal.execution, synthetic=proposal.synthetic, adopted=proposal.synthetic
                )

    def books(self) -> dict[BookKey, Book]:
        """All of them, from their executions."""
        found: dict[BookKey, Book] = {}
        fills = (fill.counted for fill in self.fills.values())
        for place, fill in enumerate(sorted(fills, key=lambda each: (each.time, each.sequence)), 1):
            book = found.setdefault(fill.key, Book(self._contract(fill.key[1])))
            moved = abs(self._moved(fill))
            records = book.decide(Fill(fill.side, moved, fill.price, ZERO, fill.time), place)
            book.evolve(records, place, fill.time)
        return found

    def _contract(self, symbol: str) -> Contract:
        known = self.instruments.get(symbol)
        return Contract() if known is None else known.contract

    def _moved(self, fill: Counted) -> Decimal:
        base = self.instruments[fill.key[1]].base_currency if fill.key[1] in self.instruments else ""
        return fill.signed - fill.fee if base and fill.fee and fill.fee_currency == base else fill.signed

    def holdings(self, statement: Statement) -> Holdings:
        """What is looked up for ``statement``."""
        asked, books = wanted(statement), self.books()
        fills = [fill.counted for fill in self.fills.values()]
        orders: dict[str, frozenset[str]] = {}
        for fill in fills:
            orders[fill.order_id] = orders.get(fill.order_id, frozenset()) | {fill.key[0]}
        return Holdings(
            self.portfolios,
            tuple(self._holding(key, book) for key, book in books.items() if book.quantity),
            tuple(key for key, book in books.items() if not book.quantity),
            tuple(
                fill
                for fill in fills
                if fill.time >= asked.since or fill.fill_id in asked.fill_ids or fill.order_id in asked.order_ids
            ),
            {order: names for order, names in orders.items() if order in asked.order_ids},
            hedging=self.hedging,
            instruments=self.instruments,
        )

    def _holding(self, key: BookKey, book: Book) -> Holding:
        adopted = sum(
            (fill.counted.quantity for fill in self.fills.values() if fill.adopted and fill.counted.key == key), ZERO
        )
        quantity = book.quantity * (book.direction or 0)
        multiplier = book.contract.multiplier
        return Holding(key, quantity, book.average_price(), multiplier, newest_time=book.newest_time, adopted=adopted)

    def compared(self, statement: Statement, account: Account = UNNAMED, adopt_into: str = "") -> Comparison:
        """With the broker."""
        return compare(account, self.holdings(statement), statement, adopt_into)

    def differences(self, statement: Statement, account: Account = UNNAMED, adopt_into: str = "") -> list[Difference]:
        """What a comparison finds."""
        return list(self.compared(statement, account, adopt_into).differences)

    def only(self, statement: Statement, account: Account = UNNAMED, adopt_into: str = "") -> Difference:
        """The one difference that is found."""
        (found,) = self.differences(statement, account, adopt_into)
        return found

    def held(self) -> dict[str, tuple[Decimal, Decimal | None]]:
        """Signed quantity and average by symbol, of what is open in any portfolio; for tests with one book per symbol."""
        return {
            key[1]: (book.quantity * (book.direction or 0), book.average_price())
            for key, book in self.books().items()
            if book.quantity
        }

    def gross(self) -> Decimal:
        """Realized by all books."""
        return sum((book.gross for book in self.books().values()), ZERO)


def proposed(difference: Difference) -> list[str]:
    """Proposals as they are jotted down: whose, what, and what they are besides."""
    return [f"{each.portfolio_id} {_jotted(each)}" for each in difference.proposals]


def _jotted(proposal: Proposal) -> str:
    said = "" if proposal.execution is None else _figures(proposal.execution)
    if proposal.synthetic:
        said += " synthetic"
    return (said + "".join(f" for #{sequence}" for sequence in proposal.replaces)).strip()


def _figures(execution: Execution) -> str:
    sign = "+" if execution.side is LONG else "-"
    name = f" {execution.fill_id}" if execution.fill_id else ""
    return f"{sign}{execution.quantity:f}@{execution.price.normalize():f} t{execution.time}{name}"


def kinds(differences: Sequence[Difference]) -> list[str]:
    """By their names."""
    return [each.kind.value for each in differences]
