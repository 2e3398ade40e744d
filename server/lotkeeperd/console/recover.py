"""``lotkeeper recover``: what nobody watches is adopted, one decision of the ledger for each, shown first.

Adopting is not watching: a lot is opened, so that P&L and later exits are right, and no exit comes by itself. Every line says so.
One that the ledger refuses is told with its words, and the others go on: each is a decision of its own, and can be taken back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple, TextIO

import lotkeeper
from lotkeeper import AdoptPosition, LotkeeperError, ReconcileResponse, ResolveDiscrepancyResponse
from lotkeeper.errors import TryAgain
from lotkeeperd.console import differences, output
from lotkeeperd.console.decide import DRY_RUN, Decision, decided
from lotkeeperd.console.figures import amount, count, price, quantity
from lotkeeperd.console.layout import Cell, Column, Line, Row, Tone, grid, printable
from lotkeeperd.console.orphans import Grouping, Orphan, groups_of, orphans
from lotkeeperd.console.printing import paragraph, show
from lotkeeperd.console.reconcile import Question, compared, counts_lines
from lotkeeperd.console.verdict import AGREED, DIFFERENT, NOT_KNOWN, was_cut
from lotkeeperd.domain.reconciliation.legs import Suggestion

COLUMNS = (
    Column("orphaned", left=True),
    Column("symbol", left=True, narrowest=8),
    Column("broker has"),
    Column("adopt at"),
    Column("group", left=True, rank=1, narrowest=8),
    Column("resolution", left=True, rank=2),
    Column("outcome", left=True, narrowest=16),
)


class Recovery(NamedTuple):
    """What is to be adopted into ``portfolio``, out of what comparison; not ``apply``: only shown.

    ``costs`` are the broker's signed cost bases by symbol, where a statement gives them; ``make_id`` makes request ids.
    """

    question: Question
    portfolio: str
    grouping: Grouping
    costs: Mapping[str, Decimal]
    apply: bool
    make_id: Callable[[], str]


class Adoption(NamedTuple):
    """One orphan and what became of it: the ledger's answer, or why there is none."""

    orphan: Orphan
    answer: ResolveDiscrepancyResponse | None = None
    why_not: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopted:
    """One orphan for a program. ``sequence`` is 0 when nothing was recorded; ``refusal`` says why it was not adopted."""

    discrepancy_id: str
    symbol: str
    broker_quantity: Decimal
    entry_price: Decimal | None
    suggested_group: str
    group_id: str
    sequence: int
    resolution_id: str
    refusal: str


def recover(address: str, recovery: Recovery, out: TextIO, as_json: bool) -> int:
    """Adopt, or show what would be; the exit code. Raises LotkeeperError, NoSuchGroup."""
    with lotkeeper.connect(address) as ledger:
        report = compared(ledger, recovery.question)
        found = orphans(report, recovery.costs, recovery.grouping)
        adopted = [_adopted(ledger, each, recovery) for each in found]
    if as_json:
        out.writelines(output.line("orphan", _document(each)) + "\n" for each in adopted)
    else:
        show(lambda width: lines(report, adopted, recovery, width), out)
    return code_of(report, adopted, recovery.apply)


def _adopted(ledger: lotkeeper.Ledger, orphan: Orphan, recovery: Recovery) -> Adoption:
    if orphan.waits:
        return Adoption(orphan, why_not="waits: is it one leg of a group?")
    if orphan.price is None:
        return Adoption(orphan, why_not="no price is known: lotkeeper resolve ID --adopt PORTFOLIO --price PRICE")
    action = AdoptPosition(portfolio_id=recovery.portfolio, entry_price=orphan.price, group_id=orphan.group_id)
    decision = Decision(recovery.make_id(), orphan.found.discrepancy_id, action, recovery.apply)
    try:
        return Adoption(orphan, decided(ledger, decision))
    except TryAgain:
        raise  # nobody is there: the next one would wait for as long
    except LotkeeperError as error:
        return Adoption(orphan, why_not=str(error))


def code_of(report: ReconcileResponse, adopted: Sequence[Adoption], apply: bool) -> int:
    """The exit code: whether anything is left that nobody tracks."""
    if any(each.answer is None or not apply for each in adopted) or was_cut(report):
        return DIFFERENT
    return AGREED if report.complete else NOT_KNOWN


def _document(adoption: Adoption) -> Adopted:
    orphan = adoption.orphan
    return Adopted(
        discrepancy_id=orphan.found.discrepancy_id,
        symbol=orphan.found.symbol,
        broker_quantity=orphan.found.broker_quantity,
        entry_price=orphan.price,
        suggested_group=orphan.group.group_id if orphan.group else "",
        group_id=orphan.group_id,
        sequence=adoption.answer.sequence if adoption.answer else 0,
        resolution_id=_resolution(adoption),
        refusal=adoption.why_not,
    )


def _resolution(adoption: Adoption) -> str:
    answer = adoption.answer
    settled = answer.discrepancy.resolution if answer and answer.sequence else None  # tried only: nothing has that id
    return settled.resolution_id if settled else ""


def lines(report: ReconcileResponse, adopted: Sequence[Adoption], recovery: Recovery, width: int | None) -> list[Line]:
    """Counts, what is orphaned, what may belong together, what to do."""
    made = counts_lines(report)
    if adopted:
        rows = [_row(each, recovery) for each in adopted]
        columns = grid(COLUMNS, rows, width)
        made += [(), columns.head(), *map(columns.line, rows)]
    for group in groups_of([each.orphan for each in adopted]):
        made += paragraph(group_text(group), width)
    return [*made, (), *paragraph(next_step(report, adopted, recovery.apply), width, Tone.DOUBTFUL)]


def _row(adoption: Adoption, recovery: Recovery) -> Row:
    orphan = adoption.orphan
    done = differences.UNWATCHED if recovery.apply else f"would be adopted into {printable(recovery.portfolio)}"
    outcome = Cell(printable(adoption.why_not), Tone.BAD) if adoption.answer is None else Cell(done, Tone.DOUBTFUL)
    return {
        "orphaned": Cell(printable(orphan.found.discrepancy_id), Tone.HEAD),
        "symbol": Cell(differences.book_of(orphan.found)),
        "broker has": Cell(quantity(orphan.found.broker_quantity)),
        "adopt at": Cell(price(orphan.price)),
        "group": Cell(printable(orphan.group_id)),
        "resolution": Cell(_resolution(adoption)),
        "outcome": outcome,
    }


def group_text(group: Suggestion) -> str:
    """A group that is suggested, and what it would be worth."""
    legs = ", ".join(f"{quantity(leg.quantity)} {printable(leg.symbol)}" for leg in group.legs)
    text = f"{group.group_id}: {count(len(group.legs), 'leg', 'legs')} ({legs})"
    if group.contracts is None:
        return f"{text}, not alike in quantity: no group"
    per_contract = group.entry_credit_per_contract
    if per_contract is None:
        return f"{text}, {quantity(group.contracts)} each, credit unknown"
    kind = "debit" if per_contract < 0 else "credit"
    return f"{text}, {quantity(group.contracts)} each, entry {kind} {amount(abs(per_contract))} per contract"


def next_step(report: ReconcileResponse, adopted: Sequence[Adoption], apply: bool) -> str:
    """What to do now, in one line."""
    if not adopted:
        more = "" if report.complete else " of what the broker listed; it did not list all"
        return f"nothing is orphaned{more}"
    waiting = [each.orphan.group for each in adopted if each.orphan.waits and each.orphan.group is not None]
    if waiting:
        whole = [f"--group {group.group_id}" for group in waiting if group.contracts is not None]
        return f"next: legs wait; say {' or '.join([*dict.fromkeys(whole), '--ungrouped'])}"
    refused = sum(each.answer is None for each in adopted)
    if refused:
        return f"next: {refused:,} cannot be adopted so, see the outcome; lotkeeper resolve ID --help says what may be done"
    if was_cut(report):
        return "next: run it again: there are more differences than one answer holds"
    if not apply:
        return DRY_RUN
    return f"{differences.UNWATCHED}: set a stop, or close at the broker; lotkeeper undo RESOLUTION takes one back"
