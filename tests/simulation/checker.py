"""Holds a ledger against what its callers logged: nothing acknowledged is missing, nothing counts twice, nothing is invented.

Problem: a crash test that looks at totals misses two errors that cancel, and one that asks the server believes it. Seen: the
ledger says in which order it took the commands, so no search for a possible order is needed, and a million commands take
seconds. Chosen laws:

 1. The journal is numbered from 1 without a gap. Every record is a command that somebody sent, and no execution has two.
 2. An acknowledged command is there, at the sequence that every answer named, and one answer at most was not a replay.
 3. A command that was only ever refused is not there. A refusal after an unknown try proves that the try had no effect.
 4. The order respects real time: if A was acknowledged before B was first sent, A's sequence is below B's.
 5. The records in their order through an independent FIFO (``fifo.py``) give the lots, closed trades, positions and totals
    that the RPCs give and that plain SQL gives, and each was acceptable where it stands.
 6. What an answer said of its trades and its position is what the replay has at its sequence.
 7. A refusal is true of at least one state of the book between what must have been visible and what cannot have been.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from tests.simulation.fifo import Held, Recorded, Replay, refusal, replayed, states_between
from tests.simulation.figures import Contents, differences
from tests.simulation.history import Answered, Command, Refused, Try
from tests.simulation.witnesses import Record, journal, through_rpcs, through_sql
from tests.support.plain_sql import PlainSql

SHOWN = 20
"""Problems that a failed check lists; the rest are counted."""

BY_BOOK = frozenset({"OPPOSITE_SIDE_OPEN", "NO_OPEN_POSITION", "INSUFFICIENT_QUANTITY"})
"""Reasons that depend on what the book holds."""

RECORDED_OTHERWISE = "FILL_CONFLICT"
"""The reason that says that the execution is there, with other content."""

Identity = tuple[str, ...]


class _Execution(NamedTuple):
    """One execution: every try of it by anybody, and its place in the journal if it has one."""

    tries: list[Try]
    record: Record | None

    @property
    def begun(self) -> int:
        return min(tried.begun for tried in self.tries)

    @property
    def acknowledged(self) -> list[tuple[Try, Answered]]:
        return [(tried, tried.outcome) for tried in self.tries if isinstance(tried.outcome, Answered)]

    def candidates(self) -> list[Try]:
        """The tries that may have been the one that was recorded (law 3)."""
        return [tried for tried in self.tries if self._possible(tried)]

    def _possible(self, tried: Try) -> bool:
        if tried.outcome is not None:
            return isinstance(tried.outcome, Answered)
        ended = tried.ended
        return ended is None or not any(
            isinstance(other.outcome, Refused)
            and other.command.content == tried.command.content
            and other.begun > ended
            for other in self.tries
        )


class Checked(NamedTuple):
    """What a right ledger holds, and how much was checked, in words."""

    replay: Replay
    records: list[Recorded]
    words: str


def check(address: str, database: str, tries: Sequence[Try]) -> Checked:
    """Hold the running server at ``address`` over ``database`` against the logs.

    Raises AssertionError with everything that is wrong.
    """
    with PlainSql(database) as sql:
        records, tables = journal(sql), through_sql(sql)
    answers, problems = through_rpcs(address, sorted({tried.command.portfolio for tried in tries}))
    executions = _executions(tries, records)
    time = _RealTime(executions)
    problems += _unique(records, tries) + _accounted(executions) + _in_order(executions, time)
    recorded = _recorded(executions, tables)
    replay, wrong = replayed(recorded)
    problems += wrong + differences("the replay", replay.contents(), "SQL", _with_all_totals(tables, replay))
    problems += differences("the replay", replay.contents(), "the RPCs", _with_all_totals(answers, replay))
    problems += _truthful(executions, replay) + _justified(executions, time, replay)
    assert not problems, told(problems)
    return Checked(replay, recorded, _counted(tries, replay, len(records)))


def _counted(tries: Sequence[Try], replay: Replay, records: int) -> str:
    refused = sum(isinstance(tried.outcome, Refused) for tried in tries)
    unknown = sum(tried.outcome is None for tried in tries)
    return (
        f"{len(tries)} tries: {len(tries) - refused - unknown} acknowledged, {refused} refused, {unknown} unknown; "
        f"{records} records, {len(replay.lots)} lots, {len(replay.trades)} closed trades; all is right"
    )


def told(problems: Sequence[str]) -> str:
    """Problems as the text of a failure."""
    more = f"\nand {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
    return f"{len(problems)} things are wrong:\n" + "\n".join(problems[:SHOWN]) + more


def _identity(portfolio: str, symbol: str, fill_id: str, request_id: str) -> Identity:
    return (portfolio, symbol, fill_id) if fill_id else (portfolio, request_id)


def _identity_of(command: Command) -> Identity:
    return _identity(command.portfolio, command.symbol, command.fill_id, command.request_id)


def _identity_at(record: Record) -> Identity:
    return _identity(record.portfolio, record.symbol, record.fill_id, record.request_id)


def _executions(tries: Iterable[Try], records: Iterable[Record]) -> list[_Execution]:
    by_identity: dict[Identity, list[Try]] = defaultdict(list)
    for tried in tries:
        by_identity[_identity_of(tried.command)].append(tried)
    places = {_identity_at(record): record for record in records}
    return [_Execution(tries, places.get(identity)) for identity, tries in by_identity.items()]


def _unique(records: Sequence[Record], tries: Iterable[Try]) -> list[str]:
    """Law 1."""
    wrong = []
    if [record.sequence for record in records] != list(range(1, len(records) + 1)):
        wrong.append(f"the journal is not numbered 1 to {len(records)}")
    sent, found = {_identity_of(tried.command) for tried in tries}, set()
    for record in records:
        identity = _identity_at(record)
        if identity in found:
            wrong.append(f"record {record.sequence} counts {identity} a second time")
        if identity not in sent:
            wrong.append(f"record {record.sequence} is of {identity}, which nobody sent")
        found.add(identity)
    return wrong


def _accounted(executions: Iterable[_Execution]) -> list[str]:
    """Laws 2 and 3."""
    wrong = []
    for execution in executions:
        record, acknowledged = execution.record, execution.acknowledged
        who = execution.tries[0].command
        named = {answer.sequence for _, answer in acknowledged}
        if record is None and acknowledged:
            wrong.append(f"{who} was acknowledged at {named} and is missing")
        if record is not None and named - {record.sequence}:
            wrong.append(f"{who} was acknowledged at {named} and is at {record.sequence}")
        if record is not None and not execution.candidates():
            wrong.append(f"{who} was refused and is there, at {record.sequence}")
        if record is not None and len({tried.command.content for tried in execution.candidates()}) > 1:
            wrong.append(f"{who} was acknowledged with another content, too")
        if sum(not answer.replayed for _, answer in acknowledged) > 1:
            wrong.append(f"{who} was answered as new more than once")
        if record is None and any(_reason(tried) == RECORDED_OTHERWISE for tried in execution.tries):
            wrong.append(f"{who} was said to be recorded with other content and is missing")
    return wrong


def _reason(tried: Try) -> str:
    return tried.outcome.reason if isinstance(tried.outcome, Refused) else ""


class _RealTime:
    """Which sequences a command sent at some moment must come after, and one answered at some moment come before."""

    def __init__(self, executions: Iterable[_Execution]) -> None:
        ends, starts = [], []
        for execution in executions:
            if execution.record is not None:
                sequence = execution.record.sequence
                starts.append((execution.begun, sequence))
                ends += [(tried.ended, sequence) for tried, _ in execution.acknowledged if tried.ended is not None]
        self._ends = list(_running(sorted(ends), max))
        self._starts = list(_running(sorted(starts, reverse=True), min))[::-1]

    def visible(self, begun: int) -> int:
        """The highest sequence that was acknowledged before ``begun``."""
        place = bisect_left(self._ends, (begun, 0))
        return self._ends[place - 1][1] if place else 0

    def impossible(self, ended: int, last: int) -> int:
        """The lowest sequence of a command that was first sent after ``ended``; one beyond ``last`` if there is none."""
        place = bisect_left(self._starts, (ended, last + 1))
        return self._starts[place][1] if place < len(self._starts) else last + 1


def _running(pairs: Iterable[tuple[int, int]], best: Callable[[int, int], int]) -> Iterator[tuple[int, int]]:
    so_far: int | None = None
    for at, sequence in pairs:
        so_far = sequence if so_far is None else best(so_far, sequence)
        yield at, so_far


def _in_order(executions: Iterable[_Execution], time: _RealTime) -> list[str]:
    """Law 4."""
    return [
        f"record {execution.record.sequence} was first sent after {time.visible(execution.begun)} was acknowledged"
        for execution in executions
        if execution.record is not None and time.visible(execution.begun) >= execution.record.sequence
    ]


def _recorded(executions: Iterable[_Execution], tables: Contents) -> list[Recorded]:
    """The commands in the order of the journal; a time that the caller left out is the one that the ledger gave it."""
    times = {lot.sequence: lot.time for lot in tables.lots.values()}
    times |= {trade.sequence: trade.exit_time for trade in tables.trades.values()}
    found = []
    for execution in executions:
        candidates = execution.candidates()
        if execution.record is not None and candidates:
            command, sequence = candidates[0].command, execution.record.sequence
            time = command.time if command.time is not None else times.get(sequence, 0)
            found.append(Recorded(sequence, time, command))
    return sorted(found)


def _with_all_totals(contents: Contents, replay: Replay) -> Contents:
    """A portfolio in which nothing was ever closed has sums of nothing, whether a witness lists it or not."""
    nothing = (Decimal(0), Decimal(0), Decimal(0))
    totals = dict.fromkeys({key[0] for key in replay.states}, nothing)
    return contents._replace(totals=totals | contents.totals)


def _truthful(executions: Iterable[_Execution], replay: Replay) -> list[str]:
    """Law 6."""
    closed: dict[int, list[tuple[Decimal, ...]]] = defaultdict(list)
    for trade in replay.trades.values():
        closed[trade.sequence].append((trade.quantity, trade.gross, trade.entry_fee, trade.exit_fee))
    states = {sequence: held for states in replay.states.values() for sequence, held in states}
    wrong = []
    for execution in executions:
        for tried, answer in execution.acknowledged:
            lot = replay.lots.get(answer.sequence)
            opened = None if answer.opened is None else Decimal(answer.opened)
            if opened != (lot.quantity if lot else None):
                wrong.append(f"{tried.command} was told that it opened {opened}, it opened {lot}")
            told = [tuple(map(Decimal, trade)) for trade in answer.closed]
            if told != closed[answer.sequence]:
                wrong.append(f"{tried.command} was told that it closed {told}, it closed {closed[answer.sequence]}")
            held = Held(answer.position[0], Decimal(answer.position[1]))
            if not answer.replayed and held != states.get(answer.sequence):
                wrong.append(f"{tried.command} was told that it left {held}, it left {states.get(answer.sequence)}")
    return wrong


def _justified(executions: Sequence[_Execution], time: _RealTime, replay: Replay) -> list[str]:
    """Law 7."""
    last = max((execution.record.sequence for execution in executions if execution.record), default=0)
    wrong = []
    for execution in executions:
        for tried in execution.tries:
            if isinstance(tried.outcome, Refused) and tried.outcome.reason in BY_BOOK and tried.ended is not None:
                command, outcome = tried.command, tried.outcome
                first, end = time.visible(tried.begun), time.impossible(tried.ended, last)
                states = replay.states.get((command.portfolio, command.symbol), [])
                held = list(states_between(states, first, end))
                if not any(_true_of(command, outcome, state) for state in held):
                    wrong.append(f"{command} was refused with {outcome}, which is true of none of {held}")
    return wrong


def _true_of(command: Command, outcome: Refused, held: Held) -> bool:
    said = outcome.metadata.get("open_quantity")
    return refusal(command, held) == outcome.reason and (said is None or Decimal(said) == held.quantity)
