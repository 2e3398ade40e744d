"""FIFO by counting single units: what the ledger is held against.

Problem: an oracle that thinks in lots and running sums would make the mistakes of a book that does.
Chosen: a pile of units, one object per unit, the oldest in front. Numbers are ``Fraction``: there is no precision to reach and
no context to set, and its ``round`` is half-even by definition. Nothing is summed up until somebody asks. Nothing of the server
is imported. It is slow, and too simple to be wrong.

Laws (numbers as in the ledger's own): 2 units leave in the order (time, sequence) of the fill that brought them; 4 each share
of a fee is pro rata of what is left of fee and units, half-even at 18 digits, and the last share is the rest; 7 what is beyond
the pile begins a new one on the other side.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import groupby
from typing import NamedTuple

SHARE_DIGITS = 18


def rounded(value: Fraction, digits: int = SHARE_DIGITS) -> Fraction:
    """Half-even at so many fraction digits."""
    return Fraction(round(value * 10**digits), 10**digits)


class Unit(NamedTuple):
    """One unit of what is held; compares in the order it leaves."""

    time: int
    sequence: int
    price: Fraction


class Taken(NamedTuple):
    """Units of one entry that one fill closed."""

    entry: Unit
    units: int
    gross: Fraction
    entry_fee: Fraction
    exit_fee: Fraction


class Held(NamedTuple):
    """Units of one entry that are still there, and what is left of its fee."""

    entry: Unit
    units: int
    fee: Fraction


class Traded(NamedTuple):
    """What one fill did: what it closed, oldest first, and what it opened."""

    taken: tuple[Taken, ...]
    opened_units: int
    opened_fee: Fraction


@dataclass
class Pile:
    """The units held of one symbol; ``side`` is +1 or -1, and 0 when there are none. A unit is ``step`` of quantity."""

    step: Fraction = Fraction(1)
    side: int = 0
    units: list[Unit] = field(default_factory=list)
    fees: dict[int, Fraction] = field(default_factory=dict)
    gross: Fraction = Fraction(0)
    paid: Fraction = Fraction(0)
    newest_time: int = 0
    sequence: int = 0

    def copy(self) -> Pile:
        """Another pile of the same units."""
        return replace(self, units=list(self.units), fees=dict(self.fees))

    def trade(self, side: int, units: int, price: Fraction, fee: Fraction, time: int, sequence: int) -> Traded:
        """``units`` bought (+1) or sold (-1) by fill ``sequence``."""
        closing = min(units, len(self.units)) if side == -self.side else 0
        closing_fee = fee if closing == units else rounded(fee * closing / units)
        taken = tuple(self._take(closing, price, closing_fee))
        if units > closing:
            self.side = side
            self.units = sorted([*self.units, *[Unit(time, sequence, price)] * (units - closing)])
            self.fees[sequence] = fee - closing_fee
        elif not self.units:
            self.side = 0
        self.newest_time = max(self.newest_time, time)
        self.sequence = sequence
        return Traded(taken, units - closing, fee - closing_fee)

    def _take(self, closing: int, price: Fraction, fee: Fraction) -> Iterator[Taken]:
        front, self.units = self.units[:closing], self.units[closing:]
        left, fee_left = closing, fee
        for entry, group in groupby(front):
            count = len(list(group))
            rest = self.units.count(entry)
            own = self.fees[entry.sequence]
            entry_fee = own if not rest else rounded(own * count / (count + rest))
            exit_fee = fee_left if count == left else rounded(fee_left * count / left)
            gross = sum(((price - entry.price) * self.side * self.step for _ in range(count)), Fraction(0))
            self.fees[entry.sequence] -= entry_fee
            left, fee_left = left - count, fee_left - exit_fee
            self.gross += gross
            self.paid += entry_fee + exit_fee
            yield Taken(entry, count, gross, entry_fee, exit_fee)

    def held(self) -> list[Held]:
        """What is there by entry, oldest first."""
        return [Held(entry, len(list(units)), self.fees[entry.sequence]) for entry, units in groupby(self.units)]

    @property
    def quantity(self) -> Fraction:
        """What is there, without its sign."""
        return len(self.units) * self.step

    @property
    def cost(self) -> Fraction:
        """What it was traded for."""
        return sum((unit.price * self.step for unit in self.units), Fraction(0))

    @property
    def open_fees(self) -> Fraction:
        """Fees of what is there."""
        return sum((held.fee for held in self.held()), Fraction(0))

    def unrealized(self, mark: Fraction) -> Fraction:
        """What it would gain at ``mark``."""
        return sum(((mark - unit.price) * self.side * self.step for unit in self.units), Fraction(0))
