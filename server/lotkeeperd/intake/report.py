"""What an import did, or would do: counts, what is open after it, and every line that was refused with its reason."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from lotkeeperd.console.figures import price
from lotkeeperd.console.layout import Cell, Column, Line, Tone, grid, printable
from lotkeeperd.domain.decimals import plain

REFUSED_LISTED = 1_000
"""Refused lines that are listed; the others are counted."""

POSITIONS_LISTED = 1_000
"""Positions that are listed as text; JSON has them all."""

_COLUMNS = (
    Column("portfolio", left=True, narrowest=5),
    Column("symbol", left=True, narrowest=9),
    Column("side", left=True),
    Column("quantity"),
    Column("average"),
    Column("gross realized"),
    Column("fees", rank=1),
    Column("net realized"),
    Column("currency", left=True),  # where there are several
)


class Refused(NamedTuple):
    """A line that was refused, and why."""

    place: str
    why: str


class Counts(NamedTuple):
    """Of rows. ``repeated``: it stood in the source before; ``skipped``: it was not asked for. ``declared`` are of the map."""

    read: int = 0
    opened: int = 0
    closed: int = 0
    flipped: int = 0
    already_there: int = 0
    repeated: int = 0
    skipped: int = 0
    refused: int = 0
    declared: int = 0


class After(NamedTuple):
    """A position as it is after the import; ``quantity`` is negative for a short, P&L is all that was ever realized.

    Amounts are in ``currency``; ``unconverted_fees`` are (currency, amount), in no other figure. ``book_side`` tells the two
    books of a hedging portfolio apart.
    """

    portfolio_id: str
    symbol: str
    side: str
    quantity: Decimal
    average: Decimal | None
    gross_realized_pnl: Decimal
    realized_fees: Decimal
    net_realized_pnl: Decimal
    currency: str
    book_side: str = ""
    unconverted_fees: Sequence[tuple[str, Decimal]] = ()

    def document(self) -> dict[str, Any]:
        """For JSON: amounts as text."""
        fees = [{"currency": currency, "amount": plain(amount)} for currency, amount in self.unconverted_fees]
        values = {name: plain(value) if isinstance(value, Decimal) else value for name, value in self._asdict().items()}
        return values | {"unconverted_fees": fees}


class Report(NamedTuple):
    """Everything that is to be said; ``notes`` is what a reader should know of how the source was taken."""

    source: str
    written: bool
    counts: Counts
    positions: Sequence[After]
    refused: Sequence[Refused]
    notes: Sequence[str]
    verdict: str

    def document(self) -> dict[str, Any]:
        """For JSON: fields as they are named here, amounts as text."""
        return {
            "source": self.source,
            "written": self.written,
            **self.counts._asdict(),
            "positions": [each.document() for each in self.positions],
            "refused_lines": [each._asdict() for each in self.refused],
            "notes": list(self.notes),
            "verdict": self.verdict,
        }

    def lines(self, width: int | None) -> list[Line]:
        """For people, in at most ``width`` places where the figures allow it."""
        counted = ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in self.counts._asdict().items())
        lines: list[Line] = [(Cell(printable(self.source), Tone.HEAD),), (Cell(counted),)]
        lines += [(Cell(printable(note), Tone.DIM),) for note in self.notes]
        lines += self._table(width)
        lines += [(Cell(f"{each.place}: {printable(each.why)}", Tone.BAD),) for each in self.refused]
        if more := self.counts.refused - len(self.refused):
            lines.append((Cell(f"and {more:,} more lines were refused", Tone.BAD),))
        return [*lines, (Cell(self.verdict, Tone.HEAD),)]

    def _table(self, width: int | None) -> list[Line]:
        rows = [_row(each) for each in self.positions[:POSITIONS_LISTED]]
        if not rows:
            return []
        several = len({each.currency for each in self.positions}) > 1
        shown = grid(_COLUMNS if several else _COLUMNS[:-1], rows, width)
        more = len(self.positions) - len(rows)
        rest: list[Line] = [(Cell(f"and {more:,} more positions; --json has them all", Tone.DIM),)] if more else []
        return [(), shown.head(), *map(shown.line, rows), *rest, ()]


def _row(after: After) -> dict[str, Cell]:
    return {
        "portfolio": Cell(printable(after.portfolio_id)),
        "symbol": Cell(printable(after.symbol)),
        "side": Cell(after.book_side or after.side),
        "quantity": Cell(plain(after.quantity)),
        "average": Cell(price(after.average)),
        "gross realized": Cell(plain(after.gross_realized_pnl)),
        "fees": Cell(plain(after.realized_fees)),
        "net realized": Cell(plain(after.net_realized_pnl)),
        "currency": Cell(after.currency),
    }
