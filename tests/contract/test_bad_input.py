"""Bad input gets INVALID_ARGUMENT with every broken field named; nothing is written and no key is used up.

One table serves the three writes: what a field means is the same in all of them, only its name differs.
"""

from __future__ import annotations

import time
from typing import Any, NamedTuple

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from lotkeeper.v1 import ledger_service_pb2
from tests.contract import asking, reading
from tests.contract.asking import FLAT, REVERSE, SECOND, SHORT, close, entry, fill, fresh, stamp
from tests.support.refusals import Refused, refused

Ledger = Any
"""The generated stub; gRPC writes no types for it."""

DAY = 86_400 * SECOND

NAMES = {
    "CreateEntry": {
        "price": "entry_price",
        "time": "entry_time",
        "order_id": "entry_order_id",
        "fill_id": "entry_fill_id",
    },
    "CloseFifo": {"price": "exit_price", "time": "exit_time", "order_id": "exit_order_id", "fill_id": "exit_fill_id"},
    "RecordFill": {"time": "fill_time"},
}
"""What each write calls the fields of the table where it does not use the table's word."""

IN_FILL = {"symbol", "side", "quantity", "price", "fee", "fee_currency", "order_id", "fill_id", "fill_time"}
MAKE = {"CreateEntry": entry, "CloseFifo": close, "RecordFill": fill}
CREATE, CLOSE, RECORD = MAKE
ALL = (CREATE, CLOSE, RECORD)


class Case(NamedTuple):
    """Fields that are not as they must be, and the ones that a refusal names."""

    name: str
    given: dict[str, Any]
    broken: list[str]
    methods: tuple[str, ...] = ALL


def _numbers(field: str, *texts: tuple[str, str]) -> list[Case]:
    return [Case(f"{field} {what}", {field: text}, [field]) for what, text in texts]


NO_NUMBER = (
    ("malformed", "abc"),
    ("with an exponent", "1e3"),
    ("NaN", "NaN"),
    ("infinite", "Infinity"),
    ("with 21 integer digits", "1" * 21),
    ("with 19 fraction digits", "0." + "1" * 19),
    ("with a plus sign", "+1"),
    ("with a space", " 1"),
    ("with a line break", "1\n"),
    ("with an underscore", "1_000"),
    ("with a comma", "1,5"),
    ("without integer digits", ".5"),
    ("without fraction digits", "1."),
    ("in another script", "١٢٣"),
    ("in hexadecimal", "0x10"),
    ("a minus alone", "-"),
)

CASES = [
    *_numbers("quantity", *NO_NUMBER, ("zero", "0"), ("zero with digits", "0.00"), ("negative", "-1"), ("empty", "")),
    *_numbers("price", *NO_NUMBER, ("negative", "-0.01"), ("empty", "")),
    *_numbers("fee", *NO_NUMBER),
    Case("neither request_id nor fill id", {"request_id": "", "fill_id": ""}, ["request_id"]),
    Case("symbol empty", {"symbol": ""}, ["symbol"]),
    Case("symbol too long", {"symbol": "s" * 65}, ["symbol"]),
    Case("symbol too long in another script", {"symbol": "値" * 65}, ["symbol"]),
    Case("portfolio_id too long", {"portfolio_id": "p" * 65}, ["portfolio_id"]),
    Case("request_id too long", {"request_id": "r" * 129}, ["request_id"]),
    Case("fill_id too long", {"fill_id": "f" * 129}, ["fill_id"]),
    Case("order_id too long", {"order_id": "o" * 129}, ["order_id"]),
    Case("fee_currency too long", {"fee_currency": "USD" * 22}, ["fee_currency"]),
    *[
        Case(f"{field} with {what}", {field: f"a{character}b"}, [field])
        for field in ("symbol", "portfolio_id", "request_id", "fill_id", "order_id", "fee_currency")
        for what, character in (("NUL", "\x00"), ("a tab", "\t"), ("DEL", "\x7f"), ("a C1 control", "\x85"))
    ],
    Case("time before 1970", {"time": Timestamp(seconds=-1)}, ["time"]),
    Case("time a nanosecond before 1970", {"time": Timestamp(seconds=-1, nanos=999_999_999)}, ["time"]),
    Case("time with too many nanos", {"time": Timestamp(nanos=1_000_000_000)}, ["time"]),
    Case("time with negative nanos", {"time": Timestamp(seconds=1, nanos=-1)}, ["time"]),
    Case("time beyond every calendar", {"time": Timestamp(seconds=1 << 62)}, ["time"]),
    Case("side FLAT", {"side": FLAT}, ["side"], (CREATE, CLOSE)),
    Case("side unknown", {"side": 99}, ["side"]),
    Case("side unspecified", {"side": 0}, ["side"], (RECORD,)),
    Case("position_side in a netting portfolio", {"position_side": SHORT}, ["fill.position_side"], (RECORD,)),
    Case("excess_policy unknown", {"excess_policy": 99}, ["excess_policy"], (CLOSE, RECORD)),
    Case("close_all with a quantity", {"close_all": True, "quantity": "1"}, ["quantity"], (CLOSE,)),
    Case("neither close_all nor a quantity", {"quantity": ""}, ["quantity"], (CLOSE,)),
    Case("reason too long", {"reason": "x" * 257}, ["reason"], (RECORD,)),
    Case("exit_reason too long", {"exit_reason": "x" * 257}, ["exit_reason"], (CLOSE,)),
    Case("exit_reason with a control", {"exit_reason": "a\x1bb"}, ["exit_reason"], (CLOSE,)),
    Case("group_id too long", {"group_id": "g" * 129}, ["group_id"], (CREATE, RECORD)),
    Case("group_id with a control", {"group_id": "a\nb"}, ["group_id"], (CREATE, RECORD)),
    Case("33 labels", {"labels": {str(n): "" for n in range(33)}}, ["labels"], (CREATE, RECORD)),
    Case("label without a key", {"labels": {"": "x"}}, ["labels['']"], (CREATE, RECORD)),
    Case("label value too long", {"labels": {"k": "x" * 257}}, ["labels['k']"], (CREATE, RECORD)),
    Case("label value with a control", {"labels": {"k": "a\rb"}}, ["labels['k']"], (CREATE, RECORD)),
    Case("label key with a control", {"labels": {"a\tb": "x"}}, [r"labels['a\tb']"], (CREATE, RECORD)),
    Case("label key too long", {"labels": {"k" * 65: "x"}}, [f"labels['{'k' * 60}…']"], (CREATE, RECORD)),
]


def _named(method: str, fields: dict[str, Any]) -> dict[str, Any]:
    return {NAMES[method].get(name, name): value for name, value in fields.items()}


def _path(method: str, field: str) -> str:
    name = NAMES[method].get(field, field)
    return f"fill.{name}" if method == RECORD and name in IN_FILL else name


def _parameters() -> list[Any]:
    return [pytest.param(case, method, id=f"{method}: {case.name}") for case in CASES for method in case.methods]


@pytest.mark.parametrize(("case", "method"), _parameters())
def test_every_rule_of_a_write_is_kept(ledger: Ledger, portfolio: str, symbol: str, case: Case, method: str) -> None:
    """INVALID_ARGUMENT naming the field and nothing else; no record, no portfolio; the same keys are free afterwards."""
    if method == CLOSE:
        ledger.CreateEntry(entry(portfolio, symbol, "10"))
    right = {"portfolio_id": portfolio, "symbol": symbol, "request_id": fresh(), "fill_id": fresh("f")}
    call, head = getattr(ledger, method), reading.head(ledger)
    refusal = refused(call, _request(method, right | case.given))
    _is_violation(refusal, [_path(method, field) for field in case.broken])
    assert reading.head(ledger) == head
    assert reading.exists(ledger, portfolio) == (method == CLOSE)
    answer = call(_request(method, right))
    assert (answer.sequence, answer.replayed) == (head + 1, False)


def _request(method: str, fields: dict[str, Any]) -> Any:
    given = _named(method, fields)
    return MAKE[method](given.pop("portfolio_id"), given.pop("symbol"), **given)


def _is_violation(refusal: Refused, fields: list[str]) -> None:
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_VIOLATION")
    assert refusal.fields == fields
    assert all(description for _, description in refusal.violations)
    assert fields[0] in refusal.message


@pytest.mark.parametrize("method", ALL)
def test_a_time_more_than_a_day_ahead_is_refused(ledger: Ledger, portfolio: str, symbol: str, method: str) -> None:
    """A day and a minute is refused, a day without a minute is recorded."""
    ledger.CreateEntry(entry(portfolio, symbol))
    right = {"portfolio_id": portfolio, "symbol": symbol}
    late, early = (stamp(time.time_ns() + DAY + minute * 60 * SECOND) for minute in (1, -1))
    _is_violation(refused(getattr(ledger, method), _request(method, right | {"time": late})), [_path(method, "time")])
    assert getattr(ledger, method)(_request(method, right | {"time": early})).sequence


def test_every_broken_field_is_named_at_once(ledger: Ledger, portfolio: str) -> None:
    """So that a caller mends them all in one go; the message names the first and counts the others."""
    refusal = refused(
        ledger.CreateEntry,
        entry(
            portfolio,
            "",
            "-1",
            "x",
            request_id="",
            fee="1e1",
            fee_currency="EUR\n",
            side=FLAT,
            labels={"": ""},
            entry_order_id="\n",
            entry_time=Timestamp(seconds=-5),
        ),
    )
    assert sorted(refusal.fields) == [
        "entry_order_id",
        "entry_price",
        "entry_time",
        "fee",
        "fee_currency",
        "labels['']",
        "quantity",
        "request_id",
        "side",
        "symbol",
    ]
    assert "(and 9 more)" in refusal.message


def test_a_violation_shows_the_value_and_the_rule(ledger: Ledger, portfolio: str, symbol: str) -> None:
    """A person who reads it knows what to write instead."""
    ((_, quantity),) = refused(ledger.CreateEntry, entry(portfolio, symbol, "1e3")).violations
    assert "'1e3'" in quantity
    assert "18 fraction digits" in quantity
    ((_, price),) = refused(ledger.CreateEntry, entry(portfolio, symbol, price="-2")).violations
    assert "-2 is negative" in price
    assert f"'{symbol}' does not allow" in price
    assert "negative_prices" in price


def test_a_fill_is_required(ledger: Ledger, portfolio: str) -> None:
    """A RecordFill without its execution is nothing."""
    request = ledger_service_pb2.RecordFillRequest(portfolio_id=portfolio, request_id=fresh())
    _is_violation(refused(ledger.RecordFill, request), ["fill"])
    assert not reading.exists(ledger, portfolio)


def test_a_close_never_makes_a_portfolio(ledger: Ledger, portfolio: str, symbol: str) -> None:
    """Neither refused for its fields nor for having nothing to close, nor with REVERSE."""
    for request in (
        close(portfolio, symbol, "x"),
        close(portfolio, symbol),
        close(portfolio, symbol, excess_policy=REVERSE),
    ):
        refused(ledger.CloseFifo, request)
    assert not reading.exists(ledger, portfolio)


READS = [
    ("GetSummary", asking.summary("p" * 65), ["portfolio_id"]),
    ("GetSummary", asking.summary("", page_size=-1), ["page_size"]),
    ("GetSummary", asking.summary("", as_of_sequence=-1), ["as_of_sequence"]),
    ("GetSummary", asking.summary("", symbols=["a", "b" * 65, "c\n"]), ["symbols[1]", "symbols[2]"]),
    ("GetSummary", asking.summary("", symbols=["a"] * 1001), ["symbols"]),
    ("ListEntries", asking.entries("a\x00"), ["portfolio_id"]),
    ("ListEntries", asking.entries("", symbol="s" * 65), ["symbol"]),
    ("ListEntries", asking.entries("", page_size=-5), ["page_size"]),
    ("ListEntries", asking.entries("", statuses=[asking.OPEN, 0, 99]), ["statuses", "statuses"]),
    ("ListClosedTrades", asking.trades("", page_size=-1), ["page_size"]),
    ("ListClosedTrades", asking.trades("", symbol="\t"), ["symbol"]),
    ("ListClosedTrades", asking.trades("", exit_fill_id="f" * 129, group_id="\n"), ["exit_fill_id", "group_id"]),
    ("ListClosedTrades", asking.trades("", labels={"": "x"}), ["labels['']"]),
    ("ListClosedTrades", asking.trades("", start_time=Timestamp(seconds=-1)), ["start_time"]),
    ("ListClosedTrades", asking.trades("", end_time=Timestamp(nanos=-1)), ["end_time"]),
]


@pytest.mark.parametrize(("method", "request_", "fields"), READS, ids=[f"{m}: {', '.join(f)}" for m, _, f in READS])
def test_every_rule_of_a_read_is_kept(ledger: Ledger, method: str, request_: object, fields: list[str]) -> None:
    """INVALID_ARGUMENT naming the fields, on the read side too."""
    _is_violation(refused(getattr(ledger, method), request_), fields)
