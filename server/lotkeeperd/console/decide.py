"""``lotkeeper discrepancies``, ``resolve`` and ``undo``: what differs, what became of it, and decisions with their P&L in view."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import NamedTuple, TextIO

import lotkeeper
from lotkeeper import (
    AdoptPosition,
    DiscrepancyRecord,
    DiscrepancyState,
    ResolveAction,
    ResolveDiscrepancyResponse,
    Restraint,
    Time,
    UndoResolutionResponse,
)
from lotkeeperd.console import differences, output
from lotkeeperd.console.figures import age
from lotkeeperd.console.layout import Cell, Column, Line, Row, Tone, grid, printable
from lotkeeperd.console.printing import paragraph, show

COLUMNS = (
    Column("difference", left=True),
    Column("severity", left=True, rank=5),
    Column("what", left=True, rank=1, narrowest=10),
    Column("portfolio", left=True, rank=6, narrowest=5),
    Column("symbol", left=True, narrowest=8),
    Column("broker has"),
    Column("we have"),
    Column("first seen", rank=3),
    Column("last seen", rank=4),
    Column("account", left=True, rank=7, narrowest=5),
    Column("state", left=True, narrowest=8),
    Column("stops", left=True, rank=2, narrowest=10),
)
DRY_RUN = "dry run, nothing is changed: say --apply to do it"


class Wanted(NamedTuple):
    """Which differences are listed; empty is all. Not ``all_states``: those that are open."""

    portfolio: str = ""
    account: str = ""
    symbol: str = ""
    all_states: bool = False

    @property
    def states(self) -> tuple[DiscrepancyState, ...]:
        """Those that are asked for; none means the open ones."""
        return tuple(state for state in DiscrepancyState if state) if self.all_states else ()


def discrepancies(address: str, wanted: Wanted, out: TextIO, as_json: bool) -> int:
    """List them; the exit code. Raises LotkeeperError."""
    with lotkeeper.connect(address) as ledger:
        found = ledger.list_discrepancies(
            portfolio_id=wanted.portfolio, broker_account=wanted.account, symbol=wanted.symbol, states=wanted.states
        )
        if as_json:
            out.writelines(output.line("discrepancy", each) + "\n" for each in found)
            return 0
        held = tuple(found)
    show(lambda width: list_lines(held, Time(time.time_ns()), width), out)
    return 0


def list_lines(found: Sequence[DiscrepancyRecord], now: int, width: int | None) -> list[Line]:
    """The table, and each that is open in words."""
    still_open = [each.discrepancy for each in found if each.state is DiscrepancyState.OPEN]
    below = [(), *differences.told(still_open, width)] if still_open else []
    return [*table_lines(found, now, width), *below]


def table_lines(found: Sequence[DiscrepancyRecord], now: int, width: int | None) -> list[Line]:
    """The table alone, or that there is none."""
    if not found:
        return [(Cell("no difference stands: what was compared last agrees, or was decided", Tone.GOOD),)]
    rows = [_row(each, now) for each in found]
    columns = grid(COLUMNS, rows, width)
    return [columns.head(), *map(columns.line, rows)]


def _row(record: DiscrepancyRecord, now: int) -> Row:
    found = record.discrepancy
    return {
        **differences.row(found),
        "first seen": Cell(f"{age(now - record.first_seen)} ago"),
        "last seen": Cell(f"{age(now - record.last_seen)} ago"),
        "account": Cell(printable(record.broker_account)),
        "state": Cell(_state(record), Tone.BAD if record.state is DiscrepancyState.OPEN else Tone.DIM),
        "stops": Cell(stops(record), Tone.BAD),
    }


def _state(record: DiscrepancyRecord) -> str:
    by = record.resolution
    return record.state.name.lower() + (f" by {by.resolution_id}" if by is not None else "")


def stops(record: DiscrepancyRecord) -> str:
    """What is refused while it is open."""
    if record.state is not DiscrepancyState.OPEN:
        return ""
    told = {
        Restraint.FREEZE_SYMBOL: f"new entries of {printable(record.discrepancy.symbol)}",
        Restraint.HALT_PORTFOLIO: "every execution of its portfolios",
    }
    return told.get(record.restraint, "")


class Decision(NamedTuple):
    """What is to be done about one difference; not ``apply``: only shown."""

    request_id: str
    discrepancy_id: str
    action: ResolveAction
    apply: bool


def resolve(address: str, decision: Decision, out: TextIO, as_json: bool) -> int:
    """Show what it does to P&L, and with ``apply`` do it; the exit code. Raises LotkeeperError."""
    with lotkeeper.connect(address) as ledger:
        answer = decided(ledger, decision)
    if as_json:
        out.write(output.document(answer) + "\n")
    else:
        show(lambda width: resolved_lines(answer, decision, width), out)
    return 0


def decided(ledger: lotkeeper.Ledger, decision: Decision) -> ResolveDiscrepancyResponse:
    """What it does, or would do. Raises LotkeeperError."""
    return ledger.resolve_discrepancy(
        request_id=decision.request_id,
        discrepancy_id=decision.discrepancy_id,
        action=decision.action,
        validate_only=not decision.apply,
    )


def resolved_lines(answer: ResolveDiscrepancyResponse, decision: Decision, width: int | None) -> list[Line]:
    """The difference, what is recorded, its effect, and whether it is done."""
    lines = [*_about(answer.discrepancy, width), *differences.proposed_lines(answer.fills, width)]
    if not answer.fills:
        lines.append((Cell("  nothing is recorded"),))
    lines.append((Cell("  change of net realized P&L: "), differences.effect_cell(answer.pnl_effect)))
    if not decision.apply:
        return [*lines, (Cell(DRY_RUN, Tone.DOUBTFUL),)]
    settled = answer.discrepancy.resolution
    name = f" as {settled.resolution_id}; lotkeeper undo {settled.resolution_id} takes it back" if settled else ""
    lines += paragraph(f"{answer.discrepancy.state.name.lower()} at record {answer.sequence}{name}", width, Tone.GOOD)
    if isinstance(decision.action, AdoptPosition):
        lines.append((Cell(differences.UNWATCHED, Tone.DOUBTFUL),))
    return lines


def _about(record: DiscrepancyRecord, width: int | None) -> list[Line]:
    found = record.discrepancy
    broker = differences.held(found.broker_quantity, found.broker_average_price)
    ours = differences.held(found.ledger_quantity, found.ledger_average_price)
    what = f"{differences.kind_of(found)} {differences.book_of(found)}: the broker has {broker}, we have {ours}"
    return paragraph(f"{printable(found.discrepancy_id)} {what}", width, Tone.HEAD)


class Reversal(NamedTuple):
    """A resolution to be taken back; not ``apply``: only shown."""

    request_id: str
    resolution_id: str
    reason: str
    apply: bool


def undo(address: str, reversal: Reversal, out: TextIO, as_json: bool) -> int:
    """Show what taking it back does, and with ``apply`` do it; the exit code. Raises LotkeeperError."""
    with lotkeeper.connect(address) as ledger:
        answer = ledger.undo_resolution(
            request_id=reversal.request_id,
            resolution_id=reversal.resolution_id,
            reason=reversal.reason,
            validate_only=not reversal.apply,
        )
    if as_json:
        out.write(output.document(answer) + "\n")
    else:
        show(lambda width: undone_lines(answer, reversal, width), out)
    return 0


def undone_lines(answer: UndoResolutionResponse, reversal: Reversal, width: int | None) -> list[Line]:
    """The difference that opens again, what is taken back, its effect, and whether it is done."""
    records = ", ".join(map(str, answer.busted_sequences))
    ended = f"open again, at record {answer.sequence}" if reversal.apply else DRY_RUN
    return [
        *_about(answer.discrepancy, width),
        *paragraph(f"  takes back record {records}" if records else "  takes back no execution", width),
        (Cell("  change of net realized P&L: "), differences.effect_cell(answer.pnl_effect)),
        (Cell(ended, Tone.GOOD if reversal.apply else Tone.DOUBTFUL),),
    ]
