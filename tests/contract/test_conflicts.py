"""Law 8, the other side: what is not the same fill, who claims which key, and that a refusal uses up none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc
import pytest

from tests.contract import reading
from tests.contract.asking import (
    BUY,
    FLAT,
    LONG,
    NOON,
    REJECT,
    REVERSE,
    SECOND,
    SELL,
    SHORT,
    close,
    entry,
    fill,
    fresh,
    stamp,
)
from tests.support.refusals import Refused, refused

Ledger = Any
"""The generated stub; gRPC writes no types for it."""

Answer = Any
Make = Callable[..., Any]


def opened(ledger: Ledger, portfolio: str, symbol: str, quantity: str = "5") -> None:
    """Something to close."""
    ledger.CreateEntry(entry(portfolio, symbol, quantity, entry_time=stamp(NOON)))


# What is not the same.

FIELDS: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "CreateEntry": [
        ("side", {"side": SHORT}),
        ("quantity", {"quantity": "1.5"}),
        ("entry_price", {"price": "111"}),
        ("fee", {"fee": "0.2"}),
        ("entry_order_id", {"entry_order_id": "other"}),
        ("entry_time", {"entry_time": stamp(NOON + SECOND)}),
    ],
    "CloseFifo": [
        ("side", {"side": SHORT}),
        ("quantity", {"quantity": "1.5"}),
        ("exit_price", {"price": "111"}),
        ("fee", {"fee": "0.2"}),
        ("exit_order_id", {"exit_order_id": "other"}),
        ("exit_time", {"exit_time": stamp(NOON + SECOND)}),
    ],
    "RecordFill": [
        ("fill.side", {"side": SELL}),
        ("fill.quantity", {"quantity": "1.5"}),
        ("fill.price", {"price": "111"}),
        ("fill.fee", {"fee": "0.2"}),
        ("fill.order_id", {"order_id": "other"}),
        ("fill.fill_time", {"fill_time": stamp(NOON + SECOND)}),
    ],
}
"""Content in the order it is compared in; a fee in another currency is refused before anything is compared."""

WHOLE: dict[str, tuple[Make, dict[str, Any]]] = {
    "CreateEntry": (
        entry,
        {"side": LONG, "fee": "0.1", "entry_order_id": "o", "entry_time": stamp(NOON), "entry_fill_id": "f"},
    ),
    "CloseFifo": (
        close,
        {"side": LONG, "fee": "0.1", "exit_order_id": "o", "exit_time": stamp(NOON), "exit_fill_id": "f"},
    ),
    "RecordFill": (fill, {"side": BUY, "fee": "0.1", "order_id": "o", "fill_time": stamp(NOON), "fill_id": "f"}),
}
CONFLICTS = [
    pytest.param(method, place, id=f"{method}: {field}")
    for method, fields in FIELDS.items()
    for place, (field, _) in enumerate(fields)
]


@pytest.mark.parametrize("key", ["request_id", "fill id"])
@pytest.mark.parametrize(("method", "place"), CONFLICTS)
def test_a_conflict_names_the_first_field_that_differs(
    ledger: Ledger, portfolio: str, symbol: str, method: str, place: int, key: str
) -> None:
    """Everything from that field on is changed; ALREADY_EXISTS, nothing is written, and the record stays as it was."""
    opened(ledger, portfolio, symbol)
    make, whole = WHOLE[method]
    call, request_id = getattr(ledger, method), fresh()
    first = call(make(portfolio, symbol, request_id=request_id, **whole))
    changed = whole | {name: value for _, change in FIELDS[method][place:] for name, value in change.items()}
    again = make(portfolio, symbol, request_id=request_id if key == "request_id" else fresh(), **changed)
    refusal = refused(call, again)
    assert refusal.code is grpc.StatusCode.ALREADY_EXISTS
    field = {"field": FIELDS[method][place][0]}
    if key == "request_id":
        assert (refusal.reason, refusal.metadata) == ("REQUEST_ID_REUSED", field)
    else:
        assert (refusal.reason, refusal.metadata) == ("FILL_CONFLICT", field | _recorded_as(method, first))
    assert reading.head(ledger) == first.sequence
    assert call(make(portfolio, symbol, request_id=request_id, **whole)).replayed


def _recorded_as(method: str, first: Answer) -> dict[str, str]:
    if method == "CloseFifo":
        return {"trade_id": first.closed_trades[0].trade_id}
    return {"entry_id": (first.entry if method == "CreateEntry" else first.opened_entry).entry_id}


def _reused(refusal: Refused, field: str) -> None:
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED")
    assert refusal.metadata == {"field": field}


def test_a_request_id_is_one_method_symbol_and_fill(ledger: Ledger, portfolio: str, symbol: str) -> None:
    """For a request_id these count before the rest."""
    ledger.CreateEntry(entry(portfolio, symbol, request_id="r", entry_fill_id="f"))
    _reused(
        refused(ledger.RecordFill, fill(portfolio, symbol, request_id="r", fill_id="f")),
        "method",
    )
    _reused(
        refused(ledger.CreateEntry, entry(portfolio, symbol + "2", request_id="r", entry_fill_id="f")),
        "symbol",
    )
    _reused(
        refused(ledger.CreateEntry, entry(portfolio, symbol, request_id="r", entry_fill_id="g")),
        "entry_fill_id",
    )


def test_a_request_id_is_one_way_to_close(ledger: Ledger, portfolio: str, symbol: str) -> None:
    """close_all and the excess policy count for a request_id."""
    opened(ledger, portfolio, symbol)
    ledger.CloseFifo(close(portfolio, symbol, request_id="r"))
    _reused(refused(ledger.CloseFifo, close(portfolio, symbol, request_id="r", close_all=True)), "close_all")
    _reused(
        refused(ledger.CloseFifo, close(portfolio, symbol, request_id="r", excess_policy=REVERSE)),
        "excess_policy",
    )
    ledger.RecordFill(fill(portfolio, symbol, request_id="q"))
    assert ledger.RecordFill(fill(portfolio, symbol, request_id="q", excess_policy=REVERSE)).replayed
    _reused(
        refused(ledger.RecordFill, fill(portfolio, symbol, request_id="q", excess_policy=REJECT)),
        "excess_policy",
    )


def test_a_request_id_and_a_fill_id_of_different_records_are_a_reuse(
    ledger: Ledger, portfolio: str, symbol: str
) -> None:
    """The caller has mixed them up; neither record is the answer."""
    ledger.CreateEntry(entry(portfolio, symbol, request_id="r1", entry_fill_id="f1"))
    ledger.CreateEntry(entry(portfolio, symbol, request_id="r2", entry_fill_id="f2"))
    _reused(
        refused(ledger.CreateEntry, entry(portfolio, symbol, request_id="r1", entry_fill_id="f2")),
        "entry_fill_id",
    )


def test_keys_belong_to_their_portfolio_and_fill_ids_to_their_symbol(
    ledger: Ledger, portfolio: str, symbol: str
) -> None:
    """Venues number executions per instrument, bots number requests per book."""
    requests = [
        entry(portfolio, symbol, request_id="r", entry_fill_id="f"),
        entry(portfolio + "b", symbol, request_id="r", entry_fill_id="f"),
        entry(portfolio, symbol + "b", entry_fill_id="f"),
    ]
    answers = [ledger.CreateEntry(request) for request in requests]
    assert [answer.replayed for answer in answers] == [False, False, False]


# Roles.


def test_a_flipping_fill_may_be_split_between_a_close_and_an_entry(ledger: Ledger, portfolio: str, symbol: str) -> None:
    """CloseFifo claims the exit role, CreateEntry the entry role; RecordFill finds both and takes neither for itself."""
    opened(ledger, portfolio, symbol, "1")
    ledger.CloseFifo(close(portfolio, symbol, exit_fill_id="f"))
    ledger.CreateEntry(entry(portfolio, symbol, "2", "110", side=SHORT, entry_fill_id="f"))
    head = reading.head(ledger)
    refusal = refused(ledger.RecordFill, fill(portfolio, symbol, "3", "110", side=SELL, fill_id="f"))
    assert (refusal.reason, refusal.metadata["field"]) == ("FILL_CONFLICT", "fill.quantity")
    assert reading.head(ledger) == head


def test_a_recorded_fill_claims_both_roles(ledger: Ledger, portfolio: str, symbol: str) -> None:
    """Whatever arm it took: as an entry and as an exit the same execution is known."""
    first = ledger.RecordFill(fill(portfolio, symbol, "2", fill_id="f"))
    as_entry = ledger.CreateEntry(entry(portfolio, symbol, "2", entry_fill_id="f"))
    assert (as_entry.replayed, as_entry.sequence, as_entry.entry) == (True, first.sequence, first.opened_entry)
    as_exit = ledger.CloseFifo(close(portfolio, symbol, "2", "100", exit_fill_id="f"))
    assert (as_exit.replayed, as_exit.sequence, list(as_exit.closed_trades)) == (True, first.sequence, [])
    refusal = refused(ledger.CloseFifo, close(portfolio, symbol, "2", "100", side=LONG, exit_fill_id="f"))
    assert (refusal.reason, refusal.metadata["field"]) == ("FILL_CONFLICT", "side")


def test_a_close_that_may_reverse_claims_both_roles(ledger: Ledger, portfolio: str, symbol: str) -> None:
    """REVERSE looks at entries too: an execution that is an entry already does not become an exit."""
    opened(ledger, portfolio, symbol, "1")
    ledger.CreateEntry(entry(portfolio, symbol, entry_fill_id="f"))
    refusal = refused(
        ledger.CloseFifo, close(portfolio, symbol, "1", side=LONG, exit_fill_id="f", excess_policy=REVERSE)
    )
    assert (refusal.reason, refusal.metadata["field"]) == ("FILL_CONFLICT", "side")
    ledger.CloseFifo(close(portfolio, symbol, "3", exit_fill_id="g", excess_policy=REVERSE))
    refusal = refused(ledger.CreateEntry, entry(portfolio, symbol, "1", "110", side=SHORT, entry_fill_id="g"))
    assert (refusal.reason, refusal.metadata["field"]) == ("FILL_CONFLICT", "quantity")


def test_a_close_all_is_the_quantity_that_it_closed(ledger: Ledger, portfolio: str, symbol: str) -> None:
    """Under the fill id another instance may say the number; another number is a conflict."""
    opened(ledger, portfolio, symbol, "3")
    first = ledger.CloseFifo(close(portfolio, symbol, close_all=True, exit_fill_id="x"))
    assert (first.position.side, first.closed_quantity) == (FLAT, "3")
    again = ledger.CloseFifo(close(portfolio, symbol, "3", exit_fill_id="x"))
    assert (again.replayed, again.sequence) == (True, first.sequence)
    refusal = refused(ledger.CloseFifo, close(portfolio, symbol, "2", exit_fill_id="x"))
    assert (refusal.reason, refusal.metadata["field"]) == ("FILL_CONFLICT", "quantity")


# A refusal uses up no key.


def test_a_refused_fill_can_be_recorded_once_there_is_room_for_it(ledger: Ledger, portfolio: str, symbol: str) -> None:
    """The exit arrives before its entry: refused; after the entry the very same request is recorded."""
    exit_first = close(portfolio, symbol, request_id="r", exit_fill_id="x")
    assert refused(ledger.CloseFifo, exit_first).reason == "NO_OPEN_POSITION"
    ledger.CreateEntry(entry(portfolio, symbol))
    answer = ledger.CloseFifo(exit_first)
    assert (answer.replayed, answer.closed_quantity) == (False, "1")


def test_a_refused_request_id_may_name_another_request(ledger: Ledger, portfolio: str, symbol: str) -> None:
    """Nothing was recorded under it, not even its content."""
    opened(ledger, portfolio, symbol, "1")
    refused(ledger.CreateEntry, entry(portfolio, symbol, side=SHORT, request_id="r", entry_fill_id="f"))
    refused(ledger.CloseFifo, close(portfolio, symbol, "2", request_id="r", exit_fill_id="f"))
    assert not ledger.RecordFill(fill(portfolio, symbol, "7", request_id="r", fill_id="f")).replayed
