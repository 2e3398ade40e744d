"""What a ledger must answer: one portfolio, in the words of the contract, counted by hand.

Problem: whether a command is recorded, repeated or refused depends on everything told before, and a test that knows only
single cases misses the combinations (a redelivery after the side has turned, an id told through another method).
Chosen: a second, slow ledger that shares nothing with the server. It keeps every told fill in a list and searches it,
it holds a pile of units per symbol, and it says the exact refusal with its metadata before the server is asked.

Laws (numbers as in the ledger's own): 2 a time left out is the clock, or the newest of the book; 7 one side; 8 once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

from tests.properties.unit_fifo import Held, Pile, Taken, Traded

CREATE_ENTRY, CLOSE_FIFO, RECORD_FILL = "CreateEntry", "CloseFifo", "RecordFill"
REJECT, REVERSE = "REJECT", "REVERSE"
SIDES = {1: "LONG", -1: "SHORT", 0: "FLAT"}

LONGEST_FRACTION = 60
"""Digits: more than any product of the figures here has."""

STEP = Fraction(1, 4)
"""Quantity of one unit."""


class Told(NamedTuple):
    """One command; None and empty text were not given, ``units`` is None for close_all.

    ``side`` is +1 or -1: of the entry for CreateEntry, of the lots for CloseFifo (0 when none is named), what was traded for
    RecordFill.
    """

    method: str
    symbol: str
    side: int
    units: int | None
    price: Fraction
    fee: Fraction | None = None
    time: int | None = None
    order_id: str = ""
    fill_id: str = ""
    request_id: str = ""
    policy: str = ""
    reason: str = ""
    group_id: str = ""
    labels: tuple[tuple[str, str], ...] = ()

    @property
    def traded(self) -> int:
        """Which way it trades; 0 when that depends on what is open."""
        return -self.side if self.method == CLOSE_FIFO else self.side

    @property
    def excess(self) -> str:
        """The policy it amounts to: REVERSE is what RecordFill means by none."""
        return self.policy or (REVERSE if self.method == RECORD_FILL else REJECT)

    @property
    def roles(self) -> frozenset[str]:
        """The roles of its fill that it looks at and claims (law 8)."""
        if self.method == CREATE_ENTRY:
            return frozenset({"entry"})
        if self.method == CLOSE_FIFO and self.excess == REJECT:
            return frozenset({"exit"})
        return frozenset({"entry", "exit"})


class Fact(NamedTuple):
    """A command that was recorded, and what it did; ``traded``, ``units`` and ``time`` are filled in."""

    told: Told
    sequence: int
    side: int
    units: int
    time: int
    did: Traded


class Closed(NamedTuple):
    """One closed trade: the fill that closed it, the entry's, and its place within the fill."""

    fact: Fact
    entry: Fact
    place: int
    taken: Taken


@dataclass(frozen=True)
class Refusal:
    """What must be refused, and how."""

    reason: str
    metadata: dict[str, str]


@dataclass(frozen=True)
class Repeat:
    """What was recorded before."""

    fact: Fact


@dataclass(frozen=True)
class New:
    """To be recorded; ``side`` and ``units`` are what it trades."""

    side: int
    units: int


Prediction = Refusal | Repeat | New

_NAMES = {
    CREATE_ENTRY: {
        "price": "entry_price",
        "order_id": "entry_order_id",
        "fill_id": "entry_fill_id",
        "time": "entry_time",
    },
    CLOSE_FIFO: {"price": "exit_price", "order_id": "exit_order_id", "fill_id": "exit_fill_id", "time": "exit_time"},
    RECORD_FILL: {
        "symbol": "fill.symbol",
        "side": "fill.side",
        "quantity": "fill.quantity",
        "price": "fill.price",
        "fee": "fill.fee",
        "order_id": "fill.order_id",
        "fill_id": "fill.fill_id",
        "time": "fill.fill_time",
    },
}


def plain(value: Fraction) -> str:
    """The digits of a number that has finitely many: no exponent, no trailing zeros."""
    digits = 0
    while value.denominator > 1:
        value, digits = value * 10, digits + 1
        assert digits <= LONGEST_FRACTION, "a number without an end is rounded before it is written"
    text = str(abs(value.numerator)).rjust(digits + 1, "0")
    text = text if not digits else f"{text[:-digits]}.{text[-digits:]}"
    return f"-{text}" if value < 0 else text


@dataclass
class Model:
    """One portfolio."""

    facts: list[Fact] = field(default_factory=list)
    piles: dict[str, Pile] = field(default_factory=dict)
    trades: list[Closed] = field(default_factory=list)

    def pile(self, symbol: str) -> Pile:
        """What is held of a symbol."""
        return self.piles.get(symbol) or Pile(STEP)

    def predict(self, told: Told) -> Prediction:
        """What becomes of a command; nothing changes yet."""
        by_request = next(
            (fact for fact in self.facts if told.request_id and fact.told.request_id == told.request_id), None
        )
        by_fill = [fact for fact in self.facts if self._same_fill(told, fact.told)]
        if by_request is not None:
            differing = _request_differs(told, by_request)
            if differing is None and any(fact is not by_request for fact in by_fill):
                differing = "fill_id"
            if differing is not None:
                return Refusal("REQUEST_ID_REUSED", {"field": _called(told, differing)})
            return Repeat(by_request)
        for fact in by_fill:
            differing = _content_differs(told, fact)
            if differing is not None:
                return Refusal("FILL_CONFLICT", {"field": _called(told, differing), **_id_of(fact)})
        return Repeat(by_fill[0]) if by_fill else self._decided(told)

    def _same_fill(self, told: Told, before: Told) -> bool:
        same = bool(told.fill_id) and (told.symbol, told.fill_id) == (before.symbol, before.fill_id)
        return same and bool(told.roles & before.roles)

    def _decided(self, told: Told) -> Prediction:
        pile = self.pile(told.symbol)
        side = told.traded or -pile.side
        units = len(pile.units) if told.units is None else told.units
        against = pile.side != 0 and side == -pile.side
        if told.method == CREATE_ENTRY and against:
            return Refusal("OPPOSITE_SIDE_OPEN", {"open_side": SIDES[pile.side], "open_quantity": plain(pile.quantity)})
        if told.method == CLOSE_FIFO and not against:
            return Refusal("NO_OPEN_POSITION", {})
        if told.method != CREATE_ENTRY and told.excess == REJECT and against and units > len(pile.units):
            quantities = {"open_quantity": plain(pile.quantity), "requested_quantity": plain(units * STEP)}
            return Refusal("INSUFFICIENT_QUANTITY", quantities)
        return New(side, units)

    def record(self, told: Told, new: New, sequence: int, time: int) -> Fact:
        """Make it so, at the time it was given by its caller or by the server."""
        pile = self.piles.setdefault(told.symbol, Pile(STEP))
        did = pile.trade(new.side, new.units, told.price, told.fee or Fraction(0), time, sequence)
        fact = Fact(told, sequence, new.side, new.units, time, did)
        self.facts.append(fact)
        self.trades += self.closed_by(fact)
        return fact

    def closed_by(self, fact: Fact) -> Iterator[Closed]:
        """The closed trades of one record."""
        for index, taken in enumerate(fact.did.taken):
            yield Closed(fact, self.fact(taken.entry.sequence), index, taken)

    def fact(self, sequence: int) -> Fact:
        """The record of that sequence."""
        return next(fact for fact in self.facts if fact.sequence == sequence)

    def entries(self, wanted: Callable[[Fact, Held | None], bool]) -> list[tuple[Fact, Held | None]]:
        """Every entry ever opened with what is left of it (None when nothing is), in FIFO order."""
        held = {held.entry.sequence: held for pile in self.piles.values() for held in pile.held()}
        found = [(fact, held.get(fact.sequence)) for fact in self.facts if fact.did.opened_units]
        found = [pair for pair in found if wanted(*pair)]
        return sorted(found, key=lambda pair: (pair[0].time, pair[0].sequence))


def _called(told: Told, name: str) -> str:
    return _NAMES[told.method].get(name, name)


def _id_of(fact: Fact) -> dict[str, str]:
    if fact.did.opened_units:
        return {"entry_id": f"E{fact.sequence}"}
    return {"trade_id": f"T{fact.sequence}.0"}


def _content_differs(told: Told, fact: Fact) -> str | None:
    """The first field in which a fill is not the one recorded; what either left out does not differ."""
    before = fact.told
    pairs: list[tuple[str, object, object]] = [
        ("side", told.traded or None, fact.side),
        ("quantity", told.units, fact.units),
        ("price", told.price, before.price),
        ("fee", told.fee, before.fee),
        ("order_id", told.order_id or None, before.order_id or None),
        ("time", told.time, before.time),
    ]
    return next((name for name, now, then in pairs if None not in (now, then) and now != then), None)


def _request_differs(told: Told, fact: Fact) -> str | None:
    """The first field in which a request is not the one recorded."""
    before = fact.told
    for name, now, then in (
        ("method", told.method, before.method),
        ("symbol", told.symbol, before.symbol),
        ("fill_id", told.fill_id, before.fill_id),
    ):
        if now != then:
            return name
    if (differing := _content_differs(told, fact)) is not None:
        return differing
    if (told.units is None) != (before.units is None):
        return "close_all"
    return "excess_policy" if told.excess != before.excess else None
