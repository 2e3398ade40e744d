"""Journal records told as lines: what each was, and what it changed of the figures that are to be explained.

Every change is the difference of two states of one book (``course``) or of one closed trade, so over all lines they sum to the
figure exactly, whatever was corrected, split or carried to another symbol. The words say the same for a person.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import Enum
from typing import NamedTuple

from lotkeeperd.domain.book import Direction, Fill
from lotkeeperd.domain.commands import Command, Decision, Match, Method, entry_id
from lotkeeperd.domain.course import NO_FIGURES, Figures
from lotkeeperd.domain.decimals import ZERO, plain
from lotkeeperd.domain.fees import FeeState
from lotkeeperd.domain.history import Amend, BookRecord, Correction, Late
from lotkeeperd.domain.rates import Rate
from lotkeeperd.domain.trades import ClosedTrade

LOTS_NAMED = 3
"""Lots that the words of one line name; the others are counted."""


class RecordKind(Enum):
    """What a record was, by the contract's names."""

    FILL = "FILL"
    BUST = "BUST"
    CORRECTION = "CORRECTION"
    LATE_FILL = "LATE_FILL"
    CORPORATE_ACTION = "CORPORATE_ACTION"
    SETTLEMENT = "SETTLEMENT"


class Line(NamedTuple):
    """One record. ``fill`` is None where nothing was traded; ``fee`` is (currency, amount) as the venue took it.

    Times are nanoseconds UTC; ``time`` is None for what has none of its own, as a bust.
    """

    sequence: int
    kind: RecordKind
    recorded_time: int
    time: int | None
    fill_id: str
    order_id: str
    fill: Fill | None
    fee: tuple[str, Decimal] | None
    rate: Rate | None
    change: Figures
    words: str


_KINDS = {
    Method.EXPIRY: RecordKind.SETTLEMENT,
    Method.EXERCISE: RecordKind.SETTLEMENT,
    Method.ASSIGNMENT: RecordKind.SETTLEMENT,
    Method.DELIVERY: RecordKind.SETTLEMENT,
    Method.CASH_SETTLEMENT: RecordKind.SETTLEMENT,
    Method.SPLIT: RecordKind.CORPORATE_ACTION,
    Method.CASH_IN_LIEU: RecordKind.CORPORATE_ACTION,
    Method.SYMBOL_CHANGE: RecordKind.CORPORATE_ACTION,
    Method.SYMBOL_ARRIVAL: RecordKind.CORPORATE_ACTION,
}

_LEADS = {
    Method.EXPIRY: "expired, ",
    Method.EXERCISE: "exercised, ",
    Method.ASSIGNMENT: "assigned, ",
    Method.CASH_SETTLEMENT: "settled in cash, ",
    Method.LIQUIDATION: "liquidated, ",
    Method.CASH_IN_LIEU: "paid for what a split left beyond whole steps, ",
}


def line_of(record: BookRecord, currency: str, change: Figures) -> Line:
    """The line of ``record``, of a book in ``currency``."""
    if isinstance(record, Decision):
        kind = _KINDS.get(record.command.method, RecordKind.FILL)
        return _told(record, kind, currency, change, _decided_words(record))
    restated = _restated(len(record.rematch.pairs))
    if isinstance(record, Late):
        words = f"came late and was put where its time belongs: {_decided_words(record.decision)}{restated}"
        return _told(record.decision, RecordKind.LATE_FILL, currency, change, words)
    return _corrected(record, currency, change, _correction_words(record) + restated)


def _told(decision: Decision, kind: RecordKind, currency: str, change: Figures, words: str) -> Line:
    command, fill, charged = decision.command, decision.fill, decision.charged
    if charged.moved and command.quantity is not None:
        fill = fill._replace(quantity=command.quantity)  # as the venue said it, before its fee came out of it
    return Line(
        decision.sequence,
        kind,
        decision.recorded_time,
        fill.time,
        command.fill_id,
        command.order_id,
        fill if fill.quantity else None,
        None if command.fee is None else (command.fee_currency or currency, command.fee),
        charged.rate,
        change,
        words,
    )


def _corrected(record: Correction, currency: str, change: Figures, words: str) -> Line:
    """What is corrected stands in the line as it counts now."""
    command = record.command
    kind = RecordKind.BUST if command.method is Amend.BUST else RecordKind.CORRECTION
    slot = next((slot for slot in record.rematch.slots if slot.sequence == command.target), None)
    if slot is None:
        return Line(
            record.sequence,
            kind,
            record.recorded_time,
            None,
            command.fill_id,
            "",
            None,
            None,
            _given_rate(record),
            change,
            words,
        )
    line = _told(slot.decision, kind, currency, change, words)
    return line._replace(sequence=record.sequence, recorded_time=record.recorded_time)


def _given_rate(record: Correction) -> Rate | None:
    """The rate that a correction of many fees at once gave them."""
    command = record.command
    if command.rate is None:
        return None
    return Rate(command.fee_currency or "", command.into, command.rate, record.recorded_time, command.source)


# In words.


def _decided_words(decision: Decision) -> str:
    command = decision.command
    details = dict(command.details)
    if command.method is Method.SPLIT:
        count = _counted(len(decision.placed), "lot")
        return f"{details['numerator']} for {details['denominator']}: {count} carried on at the same cost"
    if command.method is Method.SYMBOL_CHANGE:
        return f"{_counted(len(decision.taken), 'lot')} left for {details['to_symbol']}"
    if command.method is Method.SYMBOL_ARRIVAL:
        return f"{_counted(len(decision.placed), 'lot')} arrived from {details['from_symbol']}"
    return _execution_words(decision, details)


def _execution_words(decision: Decision, details: Mapping[str, str]) -> str:
    command, fill, opened = decision.command, decision.fill, decision.opened
    lead = _LEADS.get(command.method, "")
    if command.method is Method.DELIVERY:
        lead = f"delivered for {details['of']}, "
    did = "bought" if fill.direction is Direction.LONG else "sold"
    parts = [_closed_words(decision.matches)] if decision.matches else []
    if opened is not None:
        parts.append(f"opened {plain(opened.quantity)} as {entry_id(opened.sequence)}")
    traded = f"{lead}{did} {plain(fill.quantity)} at {plain(fill.price)}"
    return f"{traded}: {' and '.join(parts) or 'nothing was open'}{_fee_words(decision, command)}"


def _closed_words(matches: Sequence[Match]) -> str:
    named = ", ".join(f"{plain(match.quantity)} of {entry_id(match.lot_sequence)}" for match in matches[:LOTS_NAMED])
    more = len(matches) - LOTS_NAMED
    return f"closed {named}" + (f" and of {_counted(more, 'more lot')}" if more > 0 else "")


def _fee_words(decision: Decision, command: Command) -> str:
    charged = decision.charged
    if charged.state is FeeState.AWAITED:
        return "; its fee is still to come"
    if charged.state is FeeState.UNCONVERTED:
        return f"; its fee in {command.fee_currency} has no rate yet"
    if charged.moved:
        return f"; its fee of {plain(charged.moved)} {command.fee_currency} came out of the quantity"
    return ""


def _correction_words(record: Correction) -> str:
    command = record.command
    named = command.fill_id or f"record {command.target}"
    if command.method is Amend.FEE_RATE and command.rate is not None:
        return f"fees in {command.fee_currency} have a rate: {plain(command.rate)}"
    if command.method is Amend.BUST:
        return f"{named} was taken back"
    if command.method is Amend.FILL_FEE:
        return f"the fee of {named} came"
    given = {"quantity": command.quantity, "price": command.price, "fee": command.fee}
    changed = [f"{name} {plain(value)}" for name, value in given.items() if value is not None]
    changed += [f"side {command.side.name}"] if command.side is not None else []
    changed += ["another time"] if command.time is not None else []
    return f"{named} was corrected: {', '.join(changed) or 'nothing'}"


def _restated(count: int) -> str:
    return f"; {_counted(count, 'trade')} restated" if count else ""


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


# Closed trades.


def trade_changes(trade: ClosedTrade, versions: Sequence[ClosedTrade]) -> dict[int, Figures]:
    """What each record made of ``trade``, by sequence; run under ``localcontext(EXACT)``.

    ``versions`` are all closed trades of the same two executions, this one among them. What the exit itself closed is told at the
    exit, but for the share of the entry's fee, which is told at the entry; every other version at the correction that wrote it.
    """
    changes = {trade.entry_sequence: NO_FIGURES, trade.exit_sequence: NO_FIGURES}

    def add(sequence: int, gross: Decimal, fees: Decimal) -> None:
        was = changes.get(sequence, NO_FIGURES)
        changes[sequence] = was._replace(gross=was.gross + gross, fees=was.fees + fees)

    for one in versions:
        if (one.sequence, one.trade_index) > (trade.sequence, trade.trade_index):
            break
        if one.sequence == one.exit_sequence:
            add(one.entry_sequence, ZERO, one.entry_fee)
            add(one.sequence, one.gross_pnl, one.exit_fee)
        else:
            add(one.sequence, one.gross_pnl, one.entry_fee + one.exit_fee)
        if one.superseded_by is not None and one.superseded_by[0] <= trade.sequence:
            add(one.superseded_by[0], -one.gross_pnl, -one.entry_fee - one.exit_fee)
    return changes
