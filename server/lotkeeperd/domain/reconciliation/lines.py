"""What both sides say of one symbol: the unit of comparison.

Problem: the ledger has books per portfolio, the broker has rows, and neither can be compared by itself. Seen: several portfolios on
one account; two rows for one symbol (lots, two spellings, the two legs of hedge mode); symbols spelled otherwise; averages with
commission in them. Chosen: a line sums both sides per symbol in a netting account, and per symbol and side in a hedging one.

A row on a statement that was not read to its end is believed as far as it grows what the ledger holds: the rest of the same
position may stand on the page that is missing, so nothing smaller, and nothing on the other side, is taken from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import NamedTuple

from lotkeeperd.domain import occ
from lotkeeperd.domain.book import Direction
from lotkeeperd.domain.decimals import ONE, ZERO, average, quotient
from lotkeeperd.domain.instruments import Instrument, Kind
from lotkeeperd.domain.reconciliation.holdings import Counted, Holding, Holdings
from lotkeeperd.domain.reconciliation.records import Account
from lotkeeperd.domain.reconciliation.statements import Execution, HeldPosition, Statement

LineKey = tuple[str, str]
"""(symbol, side): ``side`` is "" in a netting account."""

Part = tuple[Decimal, Decimal | None]
"""A signed quantity and its average price."""


class Measure(NamedTuple):
    """What an instrument is counted in; steps are 0 when nobody has said. ``base_currency`` is of spot, "" for others."""

    multiplier: Decimal = ONE
    size_step: Decimal = ZERO
    price_step: Decimal = ZERO
    base_currency: str = ""
    inverse: bool = False
    negative_prices: bool = False

    def allows(self, price: Decimal) -> bool:
        """Whether an execution may be proposed at it."""
        return price > 0 or (self.negative_prices and not self.inverse)

    def moved(self, execution: Execution | Counted) -> Decimal:
        """By how much it changes the open quantity: a fee in the coin that was traded leaves with it."""
        if self.base_currency and execution.fee and execution.fee_currency == self.base_currency:
            return execution.signed - execution.fee
        return execution.signed


class Line(NamedTuple):
    """One symbol (and side) on both sides; ``theirs`` is None when the broker did not say enough of it.

    ``size_tolerance`` is the account's, and counts where there is no size step. ``complete`` says that all rows were read, and
    that the broker says of which side they are; ``moved_since`` that ``ours`` is of then, and the books have moved since.
    """

    key: LineKey
    measure: Measure
    holdings: tuple[Holding, ...]
    rows: tuple[HeldPosition, ...]
    ours: Decimal
    theirs: Decimal | None
    size_tolerance: Decimal
    complete: bool = True
    moved_since: bool = False

    @property
    def symbol(self) -> str:
        """As the ledger spells it."""
        return self.key[0]

    @property
    def gap(self) -> Decimal:
        """What the ledger would have to gain for both to be equal; 0 when the broker did not say enough."""
        return ZERO if self.theirs is None else self.theirs - self.ours

    @property
    def our_average(self) -> Decimal | None:
        """Of everything open; None when a part has none, or parts stand against each other."""
        return _joined(((held.quantity, held.average_price) for held in self.holdings), self.measure)

    @property
    def their_average(self) -> Decimal | None:
        """The broker's own; None when it gives none, or rows stand against each other."""
        return _joined(((row.signed, row_price(row, self.measure)) for row in self.rows), self.measure)

    def nothing(self, difference: Decimal) -> bool:
        """Whether quantities that differ so much count as equal: by less than one size step."""
        step = self.measure.size_step
        return not difference or (abs(difference) < step if step else abs(difference) <= self.size_tolerance)


def row_price(row: HeldPosition, measure: Measure) -> Decimal | None:
    """The average of one row: as it is given, else |cost basis| / (quantity x multiplier)."""
    if row.average_price is not None or row.cost_basis is None:
        return row.average_price
    units, cost = row.quantity * measure.multiplier, abs(row.cost_basis)
    if measure.inverse:
        return quotient(units, cost) if cost else None
    return average(cost, units)


def _joined(parts: Iterable[Part], measure: Measure) -> Decimal | None:
    known: list[tuple[Decimal, Decimal]] = []
    for quantity, price in parts:
        if price is None:
            return None
        known.append((quantity, price))
    if len(known) == 1:
        return known[0][1]
    if not known or len({quantity > 0 for quantity, _ in known}) > 1:
        return None
    whole = sum((quantity for quantity, _ in known), ZERO)
    if measure.inverse:
        return quotient(whole, sum((quotient(quantity, price) for quantity, price in known), ZERO))
    return average(sum((quantity * price for quantity, price in known), ZERO), whole)


def measure_of(symbol: str, instruments: Mapping[str, Instrument], held: Iterable[Holding] = ()) -> Measure:
    """From what the ledger knows of the instrument, else from a book that holds it, else from an OCC symbol."""
    known = instruments.get(symbol)
    if known is not None:
        base = known.base_currency if known.kind is Kind.SPOT else ""
        steps = (known.size_step or ZERO, known.price_step or ZERO)
        return Measure(known.multiplier, *steps, base, known.kind is Kind.INVERSE, known.negative_prices)
    for holding in held:
        return Measure(holding.multiplier, holding.size_step, holding.price_step)
    option = occ.parsed(symbol)
    return Measure(occ.STANDARD_MULTIPLIER if option is not None and option.is_standard else ONE)


def side_of(direction: Direction | None, hedging: bool) -> str:
    """As in a book's key."""
    return direction.name if hedging and direction is not None else ""


class Spelling:
    """The broker's symbols in our words."""

    def __init__(self, account: Account) -> None:
        self._ours = dict(account.spellings)

    def rows(self, statement: Statement) -> list[HeldPosition]:
        """The positions, those of nothing left out."""
        return [
            row._replace(symbol=self._ours.get(row.symbol, row.symbol)) for row in statement.positions if row.quantity
        ]

    def executions(self, statement: Statement) -> list[Execution]:
        """The executions."""
        return [each._replace(symbol=self._ours.get(each.symbol, each.symbol)) for each in statement.executions]


def lines_of(account: Account, holdings: Holdings, statement: Statement) -> dict[LineKey, Line]:
    """Everything that either side holds; run under ``localcontext(EXACT)``."""
    held: dict[LineKey, list[Holding]] = {}
    rows: dict[LineKey, list[HeldPosition]] = {}
    for holding in holdings.open:
        held.setdefault(holding.key[1:], []).append(holding)
    for row in Spelling(account).rows(statement):
        rows.setdefault((row.symbol, side_of(row.side, holdings.hedging)), []).append(row)
    return {
        key: line_of(key, account, holdings, held.get(key, ()), rows.get(key, ()), statement.positions_complete)
        for key in {**held, **rows}
    }


def line_of(
    key: LineKey,
    account: Account,
    holdings: Holdings,
    held: Iterable[Holding],
    rows: Iterable[HeldPosition],
    complete: bool,
) -> Line:
    """One of them; ``complete`` as the statement's positions are."""
    held, rows = tuple(held), tuple(rows)
    ours = sum((holding.quantity for holding in held), ZERO)
    theirs = sum((row.signed for row in rows), ZERO)
    believed = complete or (bool(rows) and (not held or _grows(ours, theirs)))
    measure = measure_of(key[0], holdings.instruments, held)
    return Line(key, measure, held, rows, ours, theirs if believed else None, account.size_tolerance, complete)


def _grows(ours: Decimal, theirs: Decimal) -> bool:
    return ours * theirs > 0 and abs(theirs) >= abs(ours)
