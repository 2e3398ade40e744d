"""Law 8: a fill is recorded once. What its content is, which differences count, and what a reused id is answered."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from lotkeeperd.domain.commands import Command, Decision, Excess, Method, field_name
from lotkeeperd.domain.once import check_replay, event_difference, fill_difference, request_difference
from lotkeeperd.domain.refusals import FillConflict, RequestIdReused
from tests.domain.asking import (
    BOUGHT,
    LONG,
    NOW,
    REVERSE,
    SHORT,
    SOLD,
    close_fifo,
    create_entry,
    journaled,
    record_fill,
)
from tests.domain.language import book_of

FULL = create_entry(LONG, "2", "100")._replace(
    fee=Decimal("1.5"), fee_currency="USD", time=50, order_id="o1", fill_id="f1", request_id="r1"
)
"""An entry with everything that the venue can say."""

BARE = create_entry(LONG, "2", "100")._replace(fill_id="f1", request_id="r1")
"""The same execution from a caller who knows less."""


def recorded(command: Command, before: str = "", sequence: int = 7) -> Decision:
    """Its journal record."""
    return journaled(command, book_of(before), sequence)


# what is changed in the second command; the field that differs, what was recorded, what was given
DIFFERENT: dict[str, tuple[dict[str, Any], tuple[str, str, str]]] = {
    "side": ({"side": SHORT}, ("side", "LONG", "SHORT")),
    "quantity": ({"quantity": Decimal("2.0000000001")}, ("quantity", "2", "2.0000000001")),
    "price": ({"price": Decimal(101)}, ("price", "100", "101")),
    "fee": ({"fee": Decimal("1.51")}, ("fee", "1.5", "1.51")),
    "fee against a zero that was given": ({"fee": Decimal(0)}, ("fee", "1.5", "0")),
    "fee currency": ({"fee_currency": "EUR"}, ("fee_currency", "USD", "EUR")),
    "order id": ({"order_id": "o2"}, ("order_id", "o1", "o2")),
    "what an event says": ({"details": (("ratio", "2"),)}, ("ratio", "", "2")),
    "time": ({"time": 51}, ("time", "50", "51")),
}


@pytest.mark.parametrize(("change", "difference"), DIFFERENT.values(), ids=DIFFERENT)
def test_other_content_differs_in_the_field_that_changed(
    change: dict[str, Any], difference: tuple[str, str, str]
) -> None:
    """What the venue said is the content of a fill."""
    assert fill_difference(FULL._replace(**change), recorded(FULL)) == difference


def test_the_first_differing_field_is_named_in_the_order_of_the_contract() -> None:
    """Side, quantity, price, fee, fee currency, order id, what an event says, time."""
    command = FULL
    for change, (field, _, _) in reversed(DIFFERENT.values()):
        command = command._replace(**change)
        difference = fill_difference(command, recorded(FULL))
        assert difference is not None
        assert difference.field == field


SAME: dict[str, dict[str, Any]] = {
    "the very same": {},
    "numbers written otherwise": {"quantity": Decimal("2.000"), "price": Decimal("1E+2"), "fee": Decimal("1.50")},
    "without a time": {"time": None},
    "without an order id": {"order_id": ""},
    "without a fee": {"fee": None},
    "without a fee currency": {"fee_currency": ""},
    "another request id": {"request_id": "r2"},
    "other labels": {"labels": (("a", "b"),)},
    "another group": {"group_id": "g2"},
    "another reason": {"reason": "else"},
    "another note of an event": {"details": (("note", "else"),)},
    "validate_only": {"validate_only": True},
}


@pytest.mark.parametrize("change", SAME.values(), ids=SAME)
def test_what_is_not_content_and_what_one_caller_left_out_does_not_differ(change: dict[str, Any]) -> None:
    """The first stand; time, order id, fee and fee currency differ only when both callers gave one."""
    first = recorded(FULL)

    assert fill_difference(FULL._replace(**change), first) is None
    assert check_replay(FULL._replace(**change), None, [first]) is first


@pytest.mark.parametrize("name", ["fee", "fee_currency", "order_id", "time"])
def test_what_the_first_caller_left_out_does_not_differ(name: str) -> None:
    """The other way round."""
    command = BARE._replace(**{name: getattr(FULL, name)})

    assert fill_difference(command, recorded(BARE)) is None


def test_an_explicit_zero_fee_differs_from_a_fee_but_not_from_none() -> None:
    """Empty is 0 in the book, but was not said by the venue."""
    zero = BARE._replace(fee=Decimal(0))

    assert fill_difference(zero, recorded(BARE)) is None
    assert fill_difference(BARE, recorded(zero)) is None
    assert fill_difference(BARE._replace(fee=Decimal(1)), recorded(zero)) == ("fee", "0", "1")


def test_a_close_all_sent_again_is_the_same_whatever_is_open_now() -> None:
    """Neither its quantity nor its side is compared: the caller gave none."""
    first = recorded(close_fifo(None)._replace(fill_id="f1"), "#1 +3@100")

    assert fill_difference(close_fifo(None)._replace(fill_id="f1"), first) is None
    assert fill_difference(close_fifo("3", lots=LONG)._replace(fill_id="f1"), first) is None
    assert fill_difference(close_fifo("2")._replace(fill_id="f1"), first) == ("quantity", "3", "2")
    assert fill_difference(close_fifo("3", lots=SHORT)._replace(fill_id="f1"), first) == ("side", "SHORT", "LONG")


def test_the_same_execution_through_another_method_is_the_same_fill() -> None:
    """What was traded counts, not the RPC that told it."""
    close = recorded(close_fifo("3")._replace(fill_id="f1"), "#1 +3@100")
    entry = recorded(BARE)

    assert check_replay(record_fill(SOLD, "3")._replace(fill_id="f1"), None, [close]) is close
    assert check_replay(record_fill(BOUGHT, "2", "100")._replace(fill_id="f1"), None, [entry]) is entry


# what is changed in the second request; the field that is named
REUSED = {
    "method": (record_fill(BOUGHT, "2", "100")._replace(fill_id="f1", request_id="r1"), "method"),
    "symbol": (BARE._replace(symbol="Y", side=SHORT), "symbol"),
    "fill id": (BARE._replace(fill_id="f2", quantity=Decimal(9)), "entry_fill_id"),
    "fill id left out": (BARE._replace(fill_id=""), "entry_fill_id"),
    "side": (BARE._replace(side=SHORT), "side"),
    "quantity": (BARE._replace(quantity=Decimal(3)), "quantity"),
    "price": (BARE._replace(price=Decimal(3)), "entry_price"),
}


@pytest.mark.parametrize(("command", "field"), REUSED.values(), ids=REUSED)
def test_a_request_id_with_other_content_is_reused(command: Command, field: str) -> None:
    """The first differing field is named as the caller's request calls it."""
    with pytest.raises(RequestIdReused) as refused:
        check_replay(command, recorded(BARE), [])

    assert refused.value.metadata == {"field": field}
    assert refused.value.message.startswith(f"request_id 'r1' was used before with another {field};")


# recorded, sent again; the field that is named, or None
REQUESTS = {
    "the same close": (close_fifo("3"), close_fifo("3"), None),
    "close_all for a quantity": (close_fifo("3"), close_fifo(None), "close_all"),
    "a quantity for close_all": (close_fifo(None), close_fifo("3"), "close_all"),
    "the other excess policy": (close_fifo("3"), close_fifo("3")._replace(excess=REVERSE), "excess_policy"),
    "RecordFill with the other policy": (
        record_fill(SOLD, "3"),
        record_fill(SOLD, "3")._replace(excess=Excess.REJECT),
        "excess_policy",
    ),
    "a policy left out is REVERSE": (
        record_fill(SOLD, "3"),
        record_fill(SOLD, "3")._replace(excess=Excess.UNSPECIFIED),
        None,
    ),
    "other lots": (close_fifo("3"), close_fifo("3")._replace(chosen=((1, Decimal(3)),)), "lots"),
    "close_all comes before the policy": (close_fifo("3"), close_fifo(None)._replace(excess=REVERSE), "close_all"),
    "the price comes before close_all": (close_fifo("3"), close_fifo(None, "111"), "price"),
}


@pytest.mark.parametrize(("first", "second", "field"), REQUESTS.values(), ids=REQUESTS)
def test_for_a_request_the_method_close_all_and_the_policy_count_too(
    first: Command, second: Command, field: str | None
) -> None:
    """They are what was asked, though not what the venue said."""
    assert request_difference(second, recorded(first, "#1 +3@100")) == field


def test_policies_do_not_count_between_two_tellings_of_one_fill() -> None:
    """A fill id is the venue's; how its excess was to be handled is not."""
    first = recorded(close_fifo("3")._replace(fill_id="f1"), "#1 +3@100")

    assert check_replay(close_fifo("3")._replace(fill_id="f1", excess=REVERSE), None, [first]) is first


def test_a_known_request_answers_with_its_record_whatever_the_fill_says() -> None:
    """Both ids name the same record."""
    first = recorded(BARE)

    assert check_replay(BARE, first, []) is first
    assert check_replay(BARE, first, [first]) is first


def test_a_request_id_and_a_fill_id_that_name_different_records_are_reused() -> None:
    """Neither of the two records can be the answer."""
    one, other = recorded(BARE, sequence=7), recorded(BARE._replace(request_id="r2"), sequence=8)

    with pytest.raises(RequestIdReused) as refused:
        check_replay(BARE, one, [other])

    assert refused.value.metadata == {"field": "entry_fill_id"}


def test_what_neither_id_names_is_new() -> None:
    """Nothing to repeat."""
    assert check_replay(BARE, None, []) is None


def test_a_conflict_names_the_entry_that_the_fill_opened() -> None:
    """With the field as the caller's request calls it, and both values."""
    with pytest.raises(FillConflict) as refused:
        check_replay(BARE._replace(price=Decimal("100.5")), None, [recorded(BARE)])

    assert refused.value.metadata == {"field": "entry_price", "entry_id": "E7"}
    assert refused.value.message.startswith("fill 'f1' is recorded as E7 with entry_price 100, not 100.5;")


def test_a_conflict_names_the_first_trade_where_the_fill_opened_nothing() -> None:
    """A close has no entry of its own."""
    first = close_fifo("3")._replace(fill_id="x1")

    with pytest.raises(FillConflict) as refused:
        check_replay(first._replace(price=Decimal(1)), None, [recorded(first, "#1 +1@100, #2 +2@100")])

    assert refused.value.metadata == {"field": "exit_price", "trade_id": "T7.0"}


def test_a_conflict_with_a_flip_names_the_entry() -> None:
    """It closed and opened; the entry is what stands."""
    first = record_fill(SOLD, "3")._replace(fill_id="x1")

    with pytest.raises(FillConflict) as refused:
        check_replay(first._replace(quantity=Decimal(4)), None, [recorded(first, "#1 +1@100")])

    assert refused.value.metadata == {"field": "fill.quantity", "entry_id": "E7"}


def test_a_split_fill_conflicts_with_the_whole_one() -> None:
    """One execution told as a close and an entry, then as one RecordFill: each part is compared."""
    close = recorded(close_fifo("1")._replace(fill_id="x1"), "#1 +1@100", 7)
    entry = recorded(create_entry(SHORT, "2", "110")._replace(fill_id="x1"), "", 8)

    with pytest.raises(FillConflict) as refused:
        check_replay(record_fill(SOLD, "3")._replace(fill_id="x1"), None, [close, entry])
    assert refused.value.metadata == {"field": "fill.quantity", "trade_id": "T7.0"}

    with pytest.raises(FillConflict) as refused:
        check_replay(record_fill(SOLD, "1")._replace(fill_id="x1"), None, [close, entry])
    assert refused.value.metadata == {"field": "fill.quantity", "entry_id": "E8"}


@pytest.mark.parametrize(
    ("method", "name", "called"),
    [
        (Method.CREATE_ENTRY, "time", "entry_time"),
        (Method.CREATE_ENTRY, "quantity", "quantity"),
        (Method.CLOSE_FIFO, "order_id", "exit_order_id"),
        (Method.CLOSE_FIFO, "excess_policy", "excess_policy"),
        (Method.RECORD_FILL, "time", "fill.fill_time"),
        (Method.RECORD_FILL, "symbol", "fill.symbol"),
        (Method.RECORD_FILL, "method", "method"),
    ],
)
def test_a_field_is_called_as_its_request_calls_it(method: Method, name: str, called: str) -> None:
    """Callers look for the name they wrote."""
    assert field_name(method, name) == called


def test_a_second_telling_is_compared_with_what_was_filled_in() -> None:
    """The time and the fee that the server filled in are not the first caller's word."""
    first = recorded(BARE)
    assert first.fill.time == NOW

    assert fill_difference(BARE._replace(time=NOW + 77, fee=Decimal(3)), first) is None


SETTLED = close_fifo(None, "90")._replace(method=Method.CASH_SETTLEMENT, fill_id="e1", details=(("fee", "2"),))
"""The end of a contract, as its first report told it."""


@pytest.mark.parametrize(
    ("again", "field"),
    [
        ({}, None),
        ({"details": ()}, None),
        ({"details": (("fee", "2"), ("note", "in other words"))}, None),
        ({"method": Method.EXPIRY}, "method"),
        ({"symbol": "Y"}, "symbol"),
        ({"price": Decimal(91)}, "price"),
        ({"details": (("fee", "3"),)}, "fee"),
    ],
)
def test_an_event_id_names_one_event(again: dict[str, Any], field: str | None) -> None:
    """Another kind, instrument, price or fee is another event; a fee that one of the two left out is not."""
    first = recorded(SETTLED, "#1 +2@100")

    assert event_difference(SETTLED._replace(**again), first) == field
