"""Law 8: a fill is recorded once, whoever sends it and however often.

What the content of a fill is, which keys a command claims, and what makes a second one a replay:

    key                                     claimed by
    (portfolio, request_id)                 every command that has one, for ever
    (portfolio, symbol, entry, fill id)     CreateEntry, RecordFill, CloseFifo with REVERSE
    (portfolio, symbol, exit, fill id)      CloseFifo, RecordFill
    (portfolio, event, event id)            events

A bot may so split one flipping fill into a CloseFifo and a CreateEntry with the same fill id, but RecordFill finds both.
"""

from __future__ import annotations

from typing import NamedTuple

from lotkeeperd.domain.commands import Command, Decision, Excess, entry_id, field_name, trade_id
from lotkeeperd.domain.decimals import plain
from lotkeeperd.domain.refusals import FillConflict, RequestIdReused


class Difference(NamedTuple):
    """The first field in which a command is not what was recorded."""

    field: str
    recorded: str
    given: str


def fill_difference(command: Command, recorded: Decision) -> Difference | None:
    """The first difference in what the venue said, or None: the order is side, quantity, price, fee, currency, order, time.

    What either caller left out does not differ, except a fee's zero that both mean.
    """
    fill, first = recorded.fill, recorded.command
    if command.side is not None and command.side is not fill.direction:
        return Difference("side", fill.direction.name, command.side.name)
    quantity = recorded.venue_quantity
    if command.quantity is not None and command.quantity != quantity:
        return Difference("quantity", plain(quantity), plain(command.quantity))
    if command.price != fill.price:
        return Difference("price", plain(fill.price), plain(command.price))
    if command.fee is not None and first.fee is not None and command.fee != first.fee:
        return Difference("fee", plain(first.fee), plain(command.fee))
    for name in ("fee_currency", "order_id"):
        was, now = getattr(first, name), getattr(command, name)
        if was and now and was != now:
            return Difference(name, was, now)
    told, tells = _told(first), _told(command)
    for name in sorted(told.keys() | tells.keys()):
        was, now = told.get(name, ""), tells.get(name, "")
        if was != now and not (name in OPTIONAL and "" in (was, now)):
            return Difference(name, was, now)
    if command.time is not None and first.time is not None and command.time != first.time:
        return Difference("time", str(first.time), str(command.time))
    return None


def request_difference(command: Command, recorded: Decision) -> str | None:
    """The first field in which a request is not the one its request_id recorded, or None."""
    first = recorded.command
    if command.method is not first.method:
        return "method"
    for name in ("symbol", "fill_id"):
        if getattr(command, name) != getattr(first, name):
            return name
    difference = fill_difference(command, recorded)
    if difference is not None:
        return difference.field
    if command.close_all != first.close_all:
        return "close_all"
    if command.chosen != first.chosen:
        return "lots"
    return "excess_policy" if _policy(command) is not _policy(first) else None


NOT_CONTENT = frozenset({"note", "records"})
"""Details of an event in which a repeated one may differ."""


OPTIONAL = frozenset({"fee"})
"""Details that differ only when both callers gave one, as a fee of an execution."""


def event_difference(command: Command, recorded: Decision) -> str | None:
    """The first field in which an event is not the one that its event id recorded, or None."""
    for name in ("method", "symbol"):
        if getattr(command, name) != getattr(recorded.command, name):
            return name
    difference = fill_difference(command, recorded)
    return None if difference is None else difference.field


def _told(command: Command) -> dict[str, str]:
    return {name: value for name, value in command.details if name not in NOT_CONTENT}


def _policy(command: Command) -> Excess:
    """An unspecified policy and REVERSE are the same question: older records do not tell them apart."""
    return Excess.REVERSE if command.excess is Excess.UNSPECIFIED else command.excess


def check_replay(command: Command, by_request: Decision | None, by_fill: list[Decision]) -> Decision | None:
    """The decision that ``command`` repeats, or None when it is new.

    ``by_request`` is what its request_id recorded; ``by_fill`` what its fill id recorded in the roles it looks at.
    Raises RequestIdReused or FillConflict.
    """
    if by_request is not None:
        field = request_difference(command, by_request)
        if field is None and any(other.sequence != by_request.sequence for other in by_fill):
            field = "fill_id"
        if field is not None:
            raise RequestIdReused(command.request_id, field_name(command.method, field))
        return by_request
    for recorded in by_fill:
        difference = fill_difference(command, recorded)
        if difference is not None:
            raise _conflict(command, recorded, difference)
    return by_fill[0] if by_fill else None


def _conflict(command: Command, recorded: Decision, difference: Difference) -> FillConflict:
    field = field_name(command.method, difference.field)
    where = {"trade_id": trade_id(recorded.sequence, 0)}
    if recorded.opened is not None:
        where = {"entry_id": entry_id(recorded.sequence)}
    return FillConflict(command.fill_id, field, difference.recorded, difference.given, **where)
