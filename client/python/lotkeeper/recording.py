"""Events of an account as calls: the one way they are all recorded, and ``list_events``. No I/O.

The contract has one RPC for fifteen kinds of events. A bot reads better when it says ``deposit`` or ``dividend``.
Therefore each kind is a method of its own, in ``cash`` and ``lifecycle``, that takes what belongs to the kind; what all
of them take besides is written once, in ``EventFields``, and becomes a call here.
"""

from __future__ import annotations

from typing import TypedDict

from lotkeeper import answers, calls, fields
from lotkeeper.account import Event
from lotkeeper.answers import Page
from lotkeeper.calls import PAGE_SIZE, Call, Defaults
from lotkeeper.enums import PositionSide
from lotkeeper.fields import TimeLike
from lotkeeper.responses import RecordEventResponse
from lotkeeper.v1 import event_service_pb2


class EventFields(TypedDict, total=False):
    """What every kind of event takes besides what happened. All of it may be left out, but one of the two ids."""

    event_id: str  # the venue's or broker's own id; recorded once in a portfolio
    request_id: str  # or one of the caller's, made before the first try and kept for the next
    event_time: TimeLike | None  # when it happened; the server's clock when left out
    note: str  # in words
    position_side: PositionSide  # hedging portfolios: the book it belongs to, where it closes lots
    validate_only: bool  # check everything, answer as if done with sequence 0, write nothing
    portfolio_id: str | None
    timeout: float | None  # seconds


def record(
    defaults: Defaults,
    method: str,
    event: event_service_pb2.Event,
    /,
    *,
    event_id: str = "",
    request_id: str = "",
    event_time: TimeLike | None = None,
    note: str = "",
    position_side: PositionSide = PositionSide.UNSPECIFIED,
    validate_only: bool = False,
    portfolio_id: str | None = None,
    timeout: float | None = None,
) -> Call[RecordEventResponse]:
    """Record ``event``, which says what happened, with what ``EventFields`` says; ``method`` is for messages.

    Raises:
        ValueError: neither id was given, or a value cannot be sent.
        TypeError: a float, or another type that cannot be sent exactly.
        LotkeeperError: the ledger refused, or did not answer in time.
    """
    calls.identify(method, request_id, "event_id", event_id)
    recorded = event_service_pb2.Event(
        portfolio_id=calls.portfolio_of(defaults, portfolio_id),
        event_time=fields.timestamp("event_time", event_time),
        event_id=fields.text("event_id", event_id),
        note=fields.text("note", note),
        position_side=fields.member("position_side", PositionSide, position_side),
    )
    recorded.MergeFrom(event)
    request = event_service_pb2.RecordEventRequest(
        request_id=fields.text("request_id", request_id), event=recorded, validate_only=validate_only
    )
    return Call("RecordEvent", request, answers.record_event, calls.timeout_of(defaults, timeout))


def list_events(
    defaults: Defaults,
    *,
    symbol: str = "",
    start_time: TimeLike | None = None,
    end_time: TimeLike | None = None,
    page_size: int = PAGE_SIZE,
    portfolio_id: str | None = None,
    timeout: float | None = None,
) -> Call[Page[Event]]:
    """Iterate over events in the order they were recorded; no ``symbol`` means all.

    ``start_time`` counts, ``end_time`` does not. Pages are fetched as the iteration reaches them; ``timeout`` is for
    each.

    Raises:
        LotkeeperError: while iterating: the ledger refused, or did not answer in time.
    """
    request = event_service_pb2.ListEventsRequest(
        portfolio_id=calls.portfolio_of(defaults, portfolio_id),
        symbol=fields.text("symbol", symbol),
        start_time=fields.timestamp("start_time", start_time),
        end_time=fields.timestamp("end_time", end_time),
        page_size=page_size,
    )
    return Call("ListEvents", request, answers.list_events, calls.timeout_of(defaults, timeout))
