"""The shared cases: facts read from the test suites of public trading systems, played into the book.

Each case says which lot method and which fee convention its source uses. Its figures hold for us where the method is FIFO, or
where every method gives the same: no exit had a choice between lots since the book was last flat. That is worked out here
from the events alone (``settled``), not taken from the book under test.

An event that is no fill is played as what it means to a book: REDUCE, which has no proceeds, is a CloseFifo at a price of 0;
MARK values what is open; FUNDING is cash beside the book and is added to the source's net figures where they include it.
A contract's multiplier is the instrument's business: the book counts units, so P&L is multiplied here and fees are not.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from lotkeeperd.domain.book import Book, Direction, LotReduced
from lotkeeperd.domain.commands import Command, Decision, Excess, Method, decide, decided

FILE = Path(__file__).parent / "cases" / "trading.json"
KINDS = ("fills", "lots", "lots_error", "oversell", "duplicate")
"""Kinds of cases that are about a book; the others are about marks, brokers, currencies and the like."""

ZERO = Decimal(0)

Case = dict[str, Any]


@cache
def cases() -> tuple[Case, ...]:
    """All of them, of every kind."""
    return tuple(json.loads(FILE.read_text())["cases"])


class Stage(NamedTuple):
    """Where a case stands after one fill: ``opened`` and ``closed`` are what it did, with its sign."""

    book: Book
    funding: Decimal
    opened: Decimal
    closed: Decimal
    settled: bool


class Course(NamedTuple):
    """What a case came to: its stages, its closed trades in order, and what was unrealized at each mark."""

    case: Case
    stages: list[Stage]
    trades: list[LotReduced]
    marks: list[Decimal]

    @property
    def multiplier(self) -> Decimal:
        """Units of currency per unit of price and quantity."""
        return Decimal(self.case["multiplier"])

    @property
    def is_fifo(self) -> bool:
        """Whether the source closes its oldest lots first, as we do."""
        return bool(self.case["method"] == "FIFO")

    def comparable(self, stage: Stage) -> bool:
        """Whether the source's figures at ``stage`` hold for us."""
        return self.is_fifo or stage.settled


def settled(case: Case) -> list[bool]:
    """After each fill or reduction: whether every lot method has come to the same open lots and the same realized P&L.

    They part where an exit closes some of several lots, and meet again when nothing of those is left.
    """
    net, lots, same, found = ZERO, 0, True, []
    for event in filter(_trades, case["events"]):
        quantity = _signed(event)
        if net * quantity >= 0 and "side" in event:
            lots += 1
        elif abs(quantity) < abs(net):
            same = same and lots == 1
        else:
            same, lots = True, int(abs(quantity) > abs(net))
        net += quantity
        found.append(same)
    return found


def applies(case: Case) -> bool:
    """Whether the case is about a book and holds under FIFO: by its method, or because all methods agree at its end."""
    return case["kind"] in KINDS and (case["method"] == "FIFO" or settled(case)[-1])


def command_of(event: Case, number: int) -> Command:
    """The event as a caller would tell it; it happens at ``number`` unless it has a date."""
    side = {"BUY": Direction.LONG, "SELL": Direction.SHORT}.get(event.get("side", ""))
    return Command(
        Method.CLOSE_FIFO if side is None else Method.RECORD_FILL,
        "p",
        "X",
        side,
        Decimal(event["qty"]),
        Decimal(event.get("price", 0)),
        Decimal(event.get("fee", 0)),
        time=_date(event["date"]) if "date" in event else number,
        fill_id=event.get("trade_id", ""),
        excess=Excess.REJECT if side is None else Excess.REVERSE,
    )


def journaled(command: Command, book: Book, sequence: int) -> tuple[Decision, list[LotReduced]]:
    """Decide the command and make it so; its journal record, and what it closed."""
    fill, records = decide(command, book, sequence, sequence)
    book.evolve(records, sequence, fill.time)
    closed = [record for record in records if isinstance(record, LotReduced)]
    return decided(command, fill, records, sequence, sequence), closed


def played(case: Case) -> Course:
    """Play every event of a case into an empty book."""
    book, funding, agreed = Book(), ZERO, iter(settled(case))
    course = Course(case, [], [], [])
    for number, event in enumerate(case["events"], 1):
        kind = event.get("type")
        if kind == "MARK":
            course.marks.append(book.unrealized(Decimal(event["price"])) * course.multiplier)
        elif kind == "FUNDING":
            funding += Decimal(event["amount"])
        else:
            sign = 1 if event.get("side") == "BUY" else -1
            decision, closed = journaled(command_of(event, number), book, number)
            opened = decision.opened.quantity if decision.opened else ZERO
            closing = sum((trade.quantity for trade in closed), ZERO)
            course.trades.extend(closed)
            course.stages.append(Stage(book.staged(), funding, sign * opened, sign * closing, next(agreed)))
    return course


def _trades(event: Case) -> bool:
    assert event.get("type") in {None, "REDUCE", "MARK", "FUNDING"}, f"{event} is not an event of these cases"
    return event.get("type") in {None, "REDUCE"}


def _signed(event: Case) -> Decimal:
    return Decimal(event["qty"]) if event.get("side") == "BUY" else -Decimal(event["qty"])


def _date(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000_000


def figures(course: Course) -> Iterator[tuple[str, Stage, str, Any]]:
    """Every figure the source asserts: its name as ``expect`` has it, where it is taken, its key and its value."""
    for key, value in course.case["expect"].items():
        if key == "steps":
            for step in value:
                stage = course.stages[step["after"] - 1]
                yield from ((f"steps.{name}", stage, name, step[name]) for name in step if name != "after")
        else:
            yield key, course.stages[-1], key, value
