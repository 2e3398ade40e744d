"""Which record holds which key (law 8), among what is on disk and what a batch has decided."""

from __future__ import annotations

from collections.abc import Iterable

from lotkeeperd.domain.accounts import (
    CashEvent,
)
from lotkeeperd.domain.commands import Command, Decision, Method, Role
from lotkeeperd.domain.history import Amendment, Correction, Late
from lotkeeperd.domain.once import check_replay, event_difference, fill_difference
from lotkeeperd.domain.reconciliation.records import Reconcile, Reported, Resolve, Undo
from lotkeeperd.domain.refusals import EventConflict, RequestIdReused
from lotkeeperd.service.ports import AnyCommand, JournalRecord

_Key = tuple[str, str, str]
_RECORD_FILL = Method.RECORD_FILL

_EVENT = Role.EVENT  # an enum's member is slow to look up

NOT_CONTENT = frozenset({"request_id", "validate_only", "note", "reason", "records"})
"""Fields of a command in which a repeated one may differ: the first stand."""

FOUND_OUT = frozenset({"symbol", "target", "book_side"})
"""Fields that a record holds also where its command left them out: they differ only when the repeated one gives them."""


CALLED = {
    "target": "fill_sequence",
    "book_side": "position_side",
    "excess": "excess_policy",
    "into": "quote_currency",
    "changes": "portfolio",
}
"""Fields that the contract calls otherwise."""


class Identities:
    """By request id, and by the ids of executions and events."""

    def __init__(self, records: Iterable[JournalRecord]) -> None:
        self._requests: dict[tuple[str, str], JournalRecord] = {}
        self._held: dict[_Key, list[JournalRecord]] = {}
        for record in records:
            self.add(record)

    def add(self, record: JournalRecord) -> None:
        """Note the keys of a record."""
        command = record.command
        if command.request_id:
            self._requests[command.portfolio_id, command.request_id] = record
        key = _key_of(command)
        if key is not None:
            self._held.setdefault(key, []).append(record)

    def replayed(self, command: AnyCommand) -> JournalRecord | None:
        """The record that ``command`` repeats. Raises RequestIdReused, FillConflict or EventConflict."""
        by_request = self._requests.get((command.portfolio_id, command.request_id)) if command.request_id else None
        key = _key_of(command)
        held = self._held.get(key, ()) if key is not None else ()
        if by_request is None and not held:
            return None
        if isinstance(command, Command):
            return self._execution(command, by_request, held)
        if by_request is not None:
            field = _difference(command, by_request)
            if field is not None:
                raise RequestIdReused(command.request_id, field)
            return by_request
        if command.role is not Role.EVENT:
            return None  # an execution's id: it names what is corrected, and may be corrected again
        return self._event(command, list(held))

    def _event(self, command: AnyCommand, held: list[JournalRecord]) -> JournalRecord | None:
        """The event that has the id already. Raises EventConflict when it is another one."""
        if not held:
            return None
        field = _difference(command, held[0])
        if field is not None:
            raise EventConflict(command.event_id if isinstance(command, Amendment) else command.fill_id, field)
        return held[0]

    def _execution(
        self, command: Command, by_request: JournalRecord | None, held: Iterable[JournalRecord]
    ) -> JournalRecord | None:
        if by_request is not None and not isinstance(by_request, Decision | Late):
            raise RequestIdReused(command.request_id, "method")
        if by_request is None and command.role is _EVENT:
            return self._event(command, list(held))
        found: dict[int, Decision | Late] = {}
        corrected: dict[int, Decision] = {}
        for record in held:
            if isinstance(record, Correction):
                corrected |= {slot.sequence: slot.decision for slot in record.rematch.slots}
            elif isinstance(record, Decision | Late) and record.command.role & command.role:
                found[record.sequence] = record
        by_fill = [_as_it_counts(command, _decision(record), corrected) for record in found.values()]
        if by_request is not None:
            found[by_request.sequence] = by_request
        first = check_replay(command, None if by_request is None else _decision(by_request), by_fill)
        return None if first is None else found[first.sequence]


def _decision(record: Decision | Late) -> Decision:
    return record.decision if isinstance(record, Late) else record


def _as_it_counts(command: Command, recorded: Decision, corrected: dict[int, Decision]) -> Decision:
    """As it was recorded, unless ``command`` tells it as it was corrected since: a venue may send either again."""
    now = corrected.get(recorded.sequence)
    if now is None or fill_difference(command, recorded) is None or fill_difference(command, now) is not None:
        return recorded
    return now


def _key_of(command: AnyCommand) -> _Key | None:
    if type(command) is Command and command.method is _RECORD_FILL:  # most are
        return (command.portfolio_id, command.symbol, command.fill_id) if command.fill_id else None
    if isinstance(command, Command):  # first, and without a union: it is the one that comes a million times
        symbol, found_by = command.symbol, command.fill_id
    elif isinstance(command, Amendment):
        symbol, found_by = command.symbol, command.recorded_id
    elif isinstance(command, CashEvent):
        symbol, found_by = command.symbol, command.fill_id
    else:
        return None
    if not found_by:
        return None
    return command.portfolio_id, "" if command.role is _EVENT else symbol, found_by


def _difference(command: AnyCommand, record: JournalRecord) -> str | None:
    """The first field in which a command is not what was recorded."""
    first = record.command
    if type(first) is not type(command):
        return "method"
    if isinstance(command, Command):
        assert isinstance(record, Decision | Late)
        return event_difference(command, _decision(record))
    if isinstance(command, Reconcile):
        assert isinstance(record, Reported)
        return _of_report(command, record.command)
    if isinstance(command, Resolve | Undo):
        names = ("discrepancy_id", "resolution_id", "how", "portfolio", "price", "group_id")
        return next((name for name in names if getattr(first, name, None) != getattr(command, name, None)), None)
    for name in command._fields:
        was, now = getattr(first, name), getattr(command, name)
        if name in NOT_CONTENT or was == now or (name in FOUND_OUT and not now):
            continue
        if name == "time" and isinstance(command, CashEvent) and None in (was, now):
            continue  # the server's clock stood in for it
        return CALLED.get(name, name)
    return None


def _of_report(command: Reconcile, first: Reconcile) -> str | None:
    """The first field in which a request for a report is not what was recorded.

    What a configured account said is no part of the request: the server asked for it, and it is another one each time.
    """
    if command.account.name != first.account.name:
        return "broker_account"
    fields = {"portfolio_ids": "portfolio_ids", "apply": "mode", "adopt_into": "adopt_into_portfolio_id"}
    fields |= {"mode": "trading_mode"} | ({} if command.account.name else {"statement": "statement"})
    return next((called for name, called in fields.items() if getattr(command, name) != getattr(first, name)), None)
