"""Random broker accounts: everything that was executed in one, what a bot recorded of it, and what the broker says in the end.

A history is told by a ``Random``: its seed tells it again. Bots record it as bots do: execution by execution, an order as one fill,
without ids, in part, or not at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal, localcontext
from enum import Enum
from random import Random
from typing import NamedTuple

from lotkeeperd.domain.book import Book, Direction, Fill
from lotkeeperd.domain.commands import Command, Excess, Method
from lotkeeperd.domain.decimals import EXACT, ZERO, average
from lotkeeperd.domain.reconciliation.statements import Execution, HeldPosition, Statement
from tests.properties.accounts import SECOND
from tests.storage.ledgers import NOW

SYMBOLS = ("A", "B", "C", "D")
ORDERS = 16
MOST_IN_ORDER = 4


class Recorded(Enum):
    """How a bot recorded an order."""

    EACH = "execution by execution"
    WHOLE = "as one fill"
    WITHOUT_IDS = "execution by execution, without ids"
    IN_PART = "not all of its executions"
    NOT = "not at all"


class Order(NamedTuple):
    """One order, oldest execution first."""

    executions: tuple[Execution, ...]
    recorded: Recorded
    portfolio_id: str


class HistoryShape(NamedTuple):
    """What sort of account: ``hedging`` has both sides apart; its orders are dealt out to ``portfolios``."""

    hedging: bool = False
    portfolios: tuple[str, ...] = ("p",)


class BrokerAccount:
    """Everything that was executed in it, in order of time."""

    def __init__(self, seed: int, shape: HistoryShape) -> None:
        self.random = Random(seed)
        self._shape = shape
        self._count = 0
        self.orders: list[Order] = []
        for number in range(ORDERS):
            self.orders.append(self._order(number))

    def _order(self, number: int) -> Order:
        symbol, side = self.random.choice(SYMBOLS), self.random.choice(list(Direction))
        book_side = self.random.choice(list(Direction)) if self._shape.hedging else None
        left = ZERO if book_side is None else self._held((symbol, book_side.name))
        if book_side is not None and not left:
            side = book_side
        told = [self._execution(symbol, side, f"o{number}", book_side) for _ in range(self._several())]
        if book_side not in (None, side):
            told = _within(told, abs(left))
        return Order(tuple(told), self.random.choice(list(Recorded)), self.random.choice(self._shape.portfolios))

    def _several(self) -> int:
        return self.random.randint(1, MOST_IN_ORDER)

    def _execution(self, symbol: str, side: Direction, order_id: str, book_side: Direction | None) -> Execution:
        self._count += 1
        return Execution(
            symbol,
            side,
            self._number(5),
            self._number(90),
            NOW - (1000 - self._count) * SECOND,
            f"x{self._count}",
            order_id,
            self.random.choice([None, ZERO, self._number(1)]),
            book_side=book_side,
        )

    def _held(self, line: tuple[str, str]) -> Decimal:
        return sum((each.signed for each in self.executions if line_of(each) == line), ZERO)

    def _number(self, most: int) -> Decimal:
        return Decimal(self.random.randint(1, most * 100)).scaleb(-2)

    @property
    def executions(self) -> tuple[Execution, ...]:
        """Every execution."""
        return tuple(each for order in self.orders for each in order.executions)

    def told(self) -> str:
        """In words, for who has to repeat it."""
        ways = [order.recorded.value for order in self.orders]
        return f"{len(self.executions)} executions; " + ", ".join(
            f"{ways.count(way)} {way}" for way in sorted(set(ways))
        )

    def commands(self) -> Iterator[Command]:
        """What the bots recorded."""
        for order in self.orders:
            for each in _as_recorded(order):
                yield recorded(each, order.portfolio_id)

    def statement(self, since: int | None = 0, complete: bool = True) -> Statement:
        """What the broker says at the end: all positions, and its executions from ``since`` on; None for none."""
        told = () if since is None else tuple(each for each in self.executions if each.time >= since)
        return Statement(NOW, complete, tuple(self._positions()), told, since)

    def _positions(self) -> Iterator[HeldPosition]:
        with localcontext(EXACT):
            for (symbol, _), book in books_of(self.executions).items():
                if book.direction is not None:
                    yield HeldPosition(symbol, book.direction, book.quantity, book.average_price())

    def within(self) -> int:
        """Some time in the middle of it."""
        return self.random.choice(self.executions).time


def _within(executions: list[Execution], most: Decimal) -> list[Execution]:
    """A side of a hedging account never turns: what closes it closes what is there."""
    found: list[Execution] = []
    for each in executions:
        left = most - sum((one.quantity for one in found), ZERO)
        if left:
            found.append(each._replace(quantity=min(each.quantity, left)))
    return found


def line_of(execution: Execution) -> tuple[str, str]:
    """The symbol, and its side where sides are apart."""
    return execution.symbol, "" if execution.book_side is None else execution.book_side.name


def books_of(executions: Sequence[Execution]) -> dict[tuple[str, str], Book]:
    """What they come to, first in, first out."""
    books: dict[tuple[str, str], Book] = {}
    with localcontext(EXACT):
        for sequence, each in enumerate(executions, 1):
            book = books.setdefault(line_of(each), Book())
            fill = Fill(each.side, each.quantity, each.price, each.fee or ZERO, each.time)
            book.evolve(book.decide(fill, sequence), sequence, each.time)
    return books


def _as_recorded(order: Order) -> tuple[Execution, ...]:
    executions = order.executions
    if order.recorded is Recorded.WHOLE and executions:
        quantity = sum((each.quantity for each in executions), ZERO)
        worth = sum((each.quantity * each.price for each in executions), ZERO)
        fee = sum((each.fee or ZERO for each in executions), ZERO)
        with localcontext(EXACT):
            price = average(worth, quantity)
        return (
            executions[0]._replace(quantity=quantity, price=price, fee=fee, fill_id=f"bot-{executions[0].fill_id}"),
        )
    if order.recorded is Recorded.WITHOUT_IDS:
        return tuple(each._replace(fill_id="", order_id="") for each in executions)
    if order.recorded is Recorded.IN_PART:
        return executions[1:]
    return executions if order.recorded is Recorded.EACH else ()


def recorded(execution: Execution, portfolio_id: str) -> Command:
    """RecordFill of an execution."""
    return Command(
        Method.RECORD_FILL,
        portfolio_id,
        execution.symbol,
        execution.side,
        execution.quantity,
        execution.price,
        execution.fee,
        time=execution.time,
        order_id=execution.order_id,
        fill_id=execution.fill_id,
        excess=Excess.REVERSE,
        book_side=execution.book_side,
        late=True,
    )
