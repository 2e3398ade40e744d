"""Differences between ledger and broker, as a table and in words. Pure.

First what the broker has and what we have, side by side, then what would be done or was done about it, and its P&L: in this
order somebody decides. What a difference is, in a sentence, and each execution that would be recorded stand below the table: no
column is wide enough for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from lotkeeper import Discrepancy, DiscrepancyKind, PositionSide, ProposedFill, ResolutionKind, Severity, Side
from lotkeeperd.console.figures import amount, count, price, quantity
from lotkeeperd.console.layout import Cell, Column, Line, Row, Tone, grid, printable
from lotkeeperd.console.printing import paragraph

COLUMNS = (
    Column("difference", left=True),
    Column("severity", left=True, rank=2),
    Column("what", left=True, rank=1, narrowest=10),
    Column("portfolio", left=True, rank=3, narrowest=5),
    Column("symbol", left=True, narrowest=8),
    Column("broker has"),
    Column("we have"),
    Column("to do", left=True, narrowest=10),
    Column("P&L effect"),
)
PROPOSED = 5
"""Executions of one difference that are shown; the others are counted."""
UNWATCHED = "adopted; no exit is watching it"
_INDENT = "  "
_TONES = {Severity.CRITICAL: Tone.BAD, Severity.MAJOR: Tone.DOUBTFUL}


def table(found: Sequence[Discrepancy], width: int | None) -> list[Line]:
    """The table, with its head."""
    rows = [row(each) for each in found]
    columns = grid(COLUMNS, rows, width)
    return [columns.head(), *map(columns.line, rows)]


def row(found: Discrepancy) -> Row:
    """One difference."""
    return {
        "difference": Cell(printable(found.discrepancy_id), Tone.HEAD),
        "severity": Cell(found.severity.name, _TONES.get(found.severity, Tone.PLAIN)),
        "what": Cell(kind_of(found), _TONES.get(found.severity, Tone.PLAIN)),
        "portfolio": Cell(printable(found.portfolio_id)),
        "symbol": Cell(book_of(found)),
        "broker has": Cell(held(found.broker_quantity, found.broker_average_price)),
        "we have": Cell(held(found.ledger_quantity, found.ledger_average_price)),
        "to do": _done(found),
        "P&L effect": _effect(found),
    }


def book_of(found: Discrepancy) -> str:
    """Its symbol, in a hedging account with the side of the book."""
    side = "" if found.side is PositionSide.UNSPECIFIED else f" {found.side.name}"
    return printable(found.symbol) + side


def kind_of(found: Discrepancy) -> str:
    """What it is, in a few words."""
    return words_of(found.kind)


def words_of(kind: DiscrepancyKind) -> str:
    """A kind of difference as a person says it."""
    return kind.name.lower().replace("_", " ")


def held(signed: Decimal, average: Decimal | None) -> str:
    """What is held: a signed quantity and its average price, where there is one."""
    if not signed:
        return "nothing"
    return quantity(signed) if average is None else f"{quantity(signed)} at {price(average)}"


def _effect(found: Discrepancy) -> Cell:
    if not found.proposed_fills and not found.applied:
        return Cell("")  # nothing is proposed, so there is nothing to have an effect
    return effect_cell(found.pnl_effect)


def effect_cell(effect: Decimal) -> Cell:
    """A change of net realized P&L."""
    sign = "+" if effect > 0 else ""
    return Cell(sign + amount(effect), Tone.GOOD if effect > 0 else Tone.BAD if effect < 0 else Tone.PLAIN)


def _done(found: Discrepancy) -> Cell:
    if found.ignored:
        return Cell("ignored", Tone.DIM)
    if found.resolution is ResolutionKind.NONE:
        return Cell("good to know", Tone.DIM)
    if not found.proposed_fills:
        return Cell("a person decides", Tone.DOUBTFUL)
    text = _proposal(found)
    return Cell(f"done: {text}", Tone.GOOD) if found.applied else Cell(text)


def _proposal(found: Discrepancy) -> str:
    if found.proposed_fill_count > len(found.proposed_fills):
        return f"record {found.proposed_fill_count:,} executions"
    recorded = [each for each in found.proposed_fills if each.fill is not None]
    if found.resolution is ResolutionKind.ADOPT_POSITION:
        return f"adopt {_at(recorded)}".rstrip()
    if found.resolution is ResolutionKind.CLOSE_SYNTHETIC:
        return f"close {_at(recorded)}".rstrip()
    replaced = len({sequence for each in found.proposed_fills for sequence in each.replaces})
    taken_back = f"take back {count(replaced, 'record', 'records')}" if replaced else ""
    put_in = f"record {count(len(recorded), 'execution', 'executions')}" if recorded else ""
    return ", ".join(filter(None, (put_in, taken_back)))


def _at(recorded: Sequence[ProposedFill]) -> str:
    fills = [each.fill for each in recorded if each.fill is not None]
    if len(fills) != 1:
        return f"with {count(len(fills), 'execution', 'executions')}"
    return f"{quantity(Decimal(fills[0].quantity))} at {price(Decimal(fills[0].price))}"


def told(found: Iterable[Discrepancy], width: int | None) -> list[Line]:
    """Each difference in a sentence, and what would be recorded."""
    return [line for each in found for line in _told(each, width)]


def _told(found: Discrepancy, width: int | None) -> Iterator[Line]:
    yield from paragraph(f"{printable(found.discrepancy_id)}: {printable(found.explanation)}{_warning(found)}", width)
    yield from proposed_lines(found.proposed_fills, width, found.proposed_fill_count)


def _warning(found: Discrepancy) -> str:
    """That nobody watches it, or would if it was adopted; the ledger's own words may say so already."""
    if not found.unwatched or UNWATCHED in found.explanation:
        return ""
    still_orphaned = found.kind is DiscrepancyKind.ORPHANED_POSITION and not found.applied
    return " (adopting it sets no exit)" if still_orphaned else f" ({UNWATCHED})"


def proposed_lines(proposed: Sequence[ProposedFill], width: int | None, total: int = 0) -> Iterator[Line]:
    """The executions that are proposed, up to ``PROPOSED``; of ``total``, where an answer holds fewer."""
    for each in proposed[:PROPOSED]:
        yield from paragraph(_INDENT + _in_words(each), width)
    if (more := max(total, len(proposed)) - PROPOSED) > 0:
        yield (Cell(f"{_INDENT}and {more:,} more", Tone.DIM),)


def _in_words(proposed: ProposedFill) -> str:
    replaced = ", ".join(map(str, proposed.replaces))
    fill = proposed.fill
    if fill is None:
        return f"take back record {replaced}"
    side = "buy" if fill.side is Side.BUY else "sell"
    fee = "" if fill.fee is None else f", fee {quantity(Decimal(fill.fee))} {printable(fill.fee_currency)}".rstrip()
    name = "synthetic" if proposed.synthetic else f"execution {printable(fill.fill_id)}"
    place = f" in {printable(proposed.portfolio_id)}" if proposed.portfolio_id else ""
    instead = f", in the place of record {replaced}" if replaced else ""
    what = f"{side} {quantity(Decimal(fill.quantity))} {printable(fill.symbol)} at {price(Decimal(fill.price))}"
    return f"{what}{place} ({name}{fee}){instead}"
