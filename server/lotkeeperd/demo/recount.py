"""An independent count of the bots' logs: which lots are open, what each closed trade made, what every fee came to.

Problem: a check that shares code, number type or method with the ledger would share its mistakes.
Chosen: nothing of the server is imported and nothing here works as the server does. Numbers are ``Fraction``, so there
is no precision and no rounding mode to get wrong; the one rounding is ``round``, which is half-even by definition. A
book is a queue of single units, each the largest step that divides every quantity of the log: buying 0.3 in steps of
0.05 appends six units, selling takes units from the front, and neighbours from one lot are one closed trade. Slow, and
too simple to be wrong.

Laws counted here (numbers as in the ledger's design): 2 FIFO order is (time, order of recording); 4 each share of a fee
is pro rata of what is left of fee and quantity, half-even at 18 digits, and the last is the rest; 5 fees stand beside
cost; 7 a fill larger than what is open closes all and opens the rest.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import groupby
from math import gcd, lcm
from typing import NamedTuple

from lotkeeperd.demo.botlog import LONG, LogError, LoggedFill

MAX_UNITS = 5_000_000
"""Units in one book over the whole log; more would not be a demo."""

FLAT = "FLAT"


class LotFigures(NamedTuple):
    """One lot, open or closed; ``open_fee`` is the part of its fee that no closed trade carries yet."""

    entry_fill_id: str
    side: str
    quantity: Fraction
    remaining_quantity: Fraction
    entry_price: Fraction
    entry_time: int
    open_fee: Fraction
    status: str


class TradeFigures(NamedTuple):
    """One closed trade: a piece of one lot closed by one fill."""

    entry_fill_id: str
    exit_fill_id: str
    side: str
    quantity: Fraction
    entry_price: Fraction
    exit_price: Fraction
    entry_time: int
    exit_time: int
    gross_pnl: Fraction
    entry_fee: Fraction
    exit_fee: Fraction
    net_pnl: Fraction
    pnl_pct: Fraction | None


class PositionFigures(NamedTuple):
    """One book summed; everything but what depends on a mark."""

    side: str
    total_quantity: Fraction
    average_entry_price: Fraction | None
    cost_basis: Fraction
    gross_realized_pnl: Fraction
    realized_fees: Fraction
    net_realized_pnl: Fraction
    open_fees: Fraction
    open_entry_count: int
    first_entry_time: int | None
    last_entry_time: int | None


class BookFigures(NamedTuple):
    """Everything that is compared for one portfolio and symbol; lots in FIFO order, trades in the order they closed."""

    position: PositionFigures
    lots: tuple[LotFigures, ...]
    trades: tuple[TradeFigures, ...]


def recount(fills: Sequence[LoggedFill]) -> BookFigures:
    """What the book of one portfolio and symbol must hold after ``fills``, in the order they were recorded."""
    book = _Book(_step(fills))
    for number, fill in enumerate(fills):
        book.take(fill, number)
    lots = sorted(book.lots, key=lambda lot: lot.place)
    return BookFigures(_position(lots, book.trades), tuple(_lot_figures(lot) for lot in lots), tuple(book.trades))


def cash(fills: Iterable[LoggedFill]) -> Fraction:
    """Money in less money out, fees aside: with the mark it gives the whole P&L without any FIFO (law 6)."""
    return sum((-_sign(fill.side) * fill.quantity * fill.price for fill in fills), Fraction())


def net_quantity(fills: Iterable[LoggedFill]) -> Fraction:
    """Bought less sold."""
    return sum((_sign(fill.side) * fill.quantity for fill in fills), Fraction())


@dataclass(slots=True)
class _Lot:
    """One lot while it is counted; ``place`` is its FIFO order."""

    fill: LoggedFill
    place: tuple[int, int]
    quantity: Fraction
    remaining: Fraction
    open_fee: Fraction


@dataclass(slots=True)
class _Book:
    """A queue of single units, each known by the place of the lot it belongs to."""

    step: Fraction
    lots: list[_Lot] = field(default_factory=list)
    units: list[tuple[int, int]] = field(default_factory=list)
    trades: list[TradeFigures] = field(default_factory=list)

    def take(self, fill: LoggedFill, number: int) -> None:
        """Count one fill: what stands against it closes, the rest opens."""
        wanted = int(fill.quantity / self.step)
        closing = 0 if self._side() in (FLAT, fill.side) else min(wanted, len(self.units))
        fee = fill.fee if closing == wanted else _share(fill.fee, Fraction(closing), Fraction(wanted))
        self._close(fill, closing, fee)
        if closing < wanted:
            self._open(fill, number, wanted - closing, fill.fee - fee)

    def _side(self) -> str:
        return self._lot(self.units[0]).fill.side if self.units else FLAT

    def _lot(self, place: tuple[int, int]) -> _Lot:
        return next(lot for lot in reversed(self.lots) if lot.place == place)

    def _open(self, fill: LoggedFill, number: int, count: int, fee: Fraction) -> None:
        quantity = count * self.step
        place = (fill.time, number)
        self.lots.append(_Lot(fill, place, quantity, quantity, fee))
        for _ in range(count):
            insort(self.units, place)

    def _close(self, fill: LoggedFill, count: int, fee: Fraction) -> None:
        taken, self.units = self.units[:count], self.units[count:]
        left = count * self.step
        for place, units in groupby(taken):
            quantity = len(list(units)) * self.step
            exit_fee = fee if quantity == left else _share(fee, quantity, left)
            self.trades.append(_closed(self._lot(place), fill, quantity, exit_fee))
            left -= quantity
            fee -= exit_fee


def _closed(lot: _Lot, fill: LoggedFill, quantity: Fraction, exit_fee: Fraction) -> TradeFigures:
    last = quantity == lot.remaining
    entry_fee = lot.open_fee if last else _share(lot.open_fee, quantity, lot.remaining)
    lot.remaining -= quantity
    lot.open_fee -= entry_fee
    gross = (fill.price - lot.fill.price) * quantity * _sign(lot.fill.side)
    net = gross - entry_fee - exit_fee
    notional = abs(lot.fill.price * quantity)
    return TradeFigures(
        entry_fill_id=lot.fill.fill_id,
        exit_fill_id=fill.fill_id,
        side=lot.fill.side,
        quantity=quantity,
        entry_price=lot.fill.price,
        exit_price=fill.price,
        entry_time=lot.fill.time,
        exit_time=fill.time,
        gross_pnl=gross,
        entry_fee=entry_fee,
        exit_fee=exit_fee,
        net_pnl=net,
        pnl_pct=_rounded(net / notional * 100, 6) if notional else None,
    )


def _position(lots: Sequence[_Lot], trades: Sequence[TradeFigures]) -> PositionFigures:
    held = [lot for lot in lots if lot.remaining]
    quantity = sum((lot.remaining for lot in held), Fraction())
    cost = sum((lot.remaining * lot.fill.price for lot in held), Fraction())
    gross = sum((trade.gross_pnl for trade in trades), Fraction())
    fees = sum((trade.entry_fee + trade.exit_fee for trade in trades), Fraction())
    return PositionFigures(
        side=held[0].fill.side if held else FLAT,
        total_quantity=quantity,
        average_entry_price=_rounded(cost / quantity, 18) if held else None,
        cost_basis=cost,
        gross_realized_pnl=gross,
        realized_fees=fees,
        net_realized_pnl=gross - fees,
        open_fees=sum((lot.open_fee for lot in held), Fraction()),
        open_entry_count=len(held),
        first_entry_time=held[0].fill.time if held else None,
        last_entry_time=held[-1].fill.time if held else None,
    )


def _lot_figures(lot: _Lot) -> LotFigures:
    status = "CLOSED" if not lot.remaining else "OPEN" if lot.remaining == lot.quantity else "PARTIALLY_CLOSED"
    fill = lot.fill
    return LotFigures(fill.fill_id, fill.side, lot.quantity, lot.remaining, fill.price, fill.time, lot.open_fee, status)


def _step(fills: Iterable[LoggedFill]) -> Fraction:
    """The largest quantity that divides every quantity of the log."""
    quantities = [fill.quantity for fill in fills]
    below = lcm(*(quantity.denominator for quantity in quantities))
    step = Fraction(gcd(*(int(quantity * below) for quantity in quantities)), below)
    if step and sum(quantities) / step > MAX_UNITS:
        raise LogError(f"quantities in steps of {step} make more than {MAX_UNITS} units; log coarser quantities")
    return step


def _share(whole: Fraction, part: Fraction, of: Fraction) -> Fraction:
    return _rounded(whole * part / of, 18)


def _rounded(value: Fraction, digits: int) -> Fraction:
    return Fraction(round(value * 10**digits), 10**digits)


def _sign(side: str) -> int:
    return 1 if side == LONG else -1
