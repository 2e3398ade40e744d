"""Law 13: what was decided, made so again; nothing is decided anew."""

from __future__ import annotations

from collections.abc import Iterator

from lotkeeperd.domain.book import (
    Book,
    Lot,
    LotPlaced,
    LotReduced,
    LotTaken,
    Record,
)
from lotkeeperd.domain.commands import (
    Decision,
)


def replayed(decision: Decision, book: Book) -> Iterator[Record]:
    """The records of a journaled decision in the book as it stood before it (law 13): nothing is decided anew.

    Raises ValueError when the record does not fit the book: the journal or its reader is broken.
    """
    lots = book.lots()
    left: dict[int, Lot] | None = None  # of the lots, once one is closed that is not the next in line
    for match in decision.matches:
        lot = next(lots, None) if left is None else left.get(match.lot_sequence)
        if left is None and (lot is None or lot.sequence != match.lot_sequence):
            left = {other.sequence: other for other in book.lots()}
            lot = left.get(match.lot_sequence)
        if lot is None or match.quantity > lot.remaining:
            raise ValueError(f"record {decision.sequence} closes lot {match.lot_sequence}, which is not open that far")
        yield LotReduced(
            decision.sequence,
            lot,
            match.quantity,
            decision.fill.price,
            match.gross,
            match.entry_fee,
            match.exit_fee,
            match.cost,
        )
    if decision.opened is not None:
        yield decision.opened
    if decision.taken:
        yield from _taken(decision, book)
    for lot in decision.placed:
        yield LotPlaced(decision.sequence, lot)


def _taken(decision: Decision, book: Book) -> Iterator[LotTaken]:
    lots = {lot.sequence: lot for lot in book.lots()}
    for sequence in decision.taken:
        if sequence not in lots:
            raise ValueError(f"record {decision.sequence} takes lot {sequence}, which is not open")
        yield LotTaken(decision.sequence, lots[sequence])
