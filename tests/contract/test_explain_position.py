"""ExplainPosition: the records that made a position, each with what it changed, summing to it exactly."""

from __future__ import annotations

from random import Random
from typing import Any

import grpc
import pytest

from lotkeeper.v1 import explain_service_pb2_grpc, ledger_pb2, ledger_service_pb2_grpc
from tests.contract.asking import BUY, LONG, NOON, SECOND, SELL, SHORT, close, entry, fill, nanoseconds, stamp, summary
from tests.contract.explained import figures, kinds, lines, of_position, pages, position
from tests.contract.happening import HEDGING, NETTING, bust, correct, create, event, money
from tests.contract.lives import IN_TIME_ORDER, Life, Stubs
from tests.contract.test_as_of import lot_method
from tests.support.dialing import dialed
from tests.support.refusals import refused
from tests.support.sidecar import Sidecar

Stub = Any
"""A generated stub; gRPC writes no types for it."""


@pytest.mark.parametrize(
    ("mode", "method"), [(NETTING, "FIFO"), (NETTING, "LIFO"), (NETTING, "AVERAGE"), (HEDGING, "HIFO")]
)
def test_the_lines_of_a_life_sum_to_its_positions(
    ledger: Stub,
    events: Stub,
    portfolios: Stub,
    explain: Stub,
    portfolio: str,
    symbol: str,
    seed: int,
    mode: Any,
    method: str,
) -> None:
    """To the digit, in pages of any size, with every kind of correction on the way."""
    stubs = Stubs(ledger, events, portfolios)
    terms = {"position_mode": mode, "lot_method": lot_method(method)}
    life = Life(stubs, portfolio, (symbol, f"{symbol}-2"), Random(f"{seed} {method}"), base_currency="USD", **terms)
    life.play(40)
    for shown in ledger.GetSummary(summary(portfolio, include_flat=True)).positions:
        told = lines(explain, portfolio, shown.symbol, book_side=shown.book_side, page_size=1000)
        assert of_position(told) == figures(shown), life.played
        for size in (1, 7):
            read = pages(explain, portfolio, shown.symbol, book_side=shown.book_side, page_size=size)
            assert [line for page in read for line in page.lines] == told
            assert all(page.position == shown for page in read)


def test_each_record_says_what_it_was_and_what_it_changed(
    ledger: Stub, explain: Stub, portfolio: str, symbol: str
) -> None:
    """The execution as the venue said it, when it was executed and when it was recorded."""
    bought = fill(portfolio, symbol, "10", "100", fee="1", fill_id="f1", order_id="o1", fill_time=stamp(NOON))
    sequence = ledger.RecordFill(bought).sequence
    ledger.RecordFill(fill(portfolio, symbol, "4", "110", side=SELL, fee="0.5", fill_id="f2"))
    answer = explain.ExplainPosition(position(portfolio, symbol))
    first, second = answer.lines
    assert (first.sequence, kinds([first]), first.fill_id, first.order_id) == (sequence, ["FILL"], "f1", "o1")
    assert (first.side, first.quantity, first.price, first.fee) == (BUY, "10", "100", money("1"))
    assert nanoseconds(first.fill_time) == NOON < nanoseconds(first.record_time)
    assert (first.quantity_change, first.cost_change, first.open_fees_change) == ("10", "1000", "1")
    assert (second.quantity_change, second.cost_change, second.gross_pnl_change) == ("-4", "-400", "40")
    assert (second.fees_change, second.open_fees_change) == ("0.9", "-0.4")
    assert second.explanation == f"sold 4 at 110: closed 4 of E{sequence}"
    assert answer.sequence >= second.sequence


def test_a_short_is_explained_by_negative_quantities(ledger: Stub, explain: Stub, portfolio: str, symbol: str) -> None:
    """Also through a flip."""
    ledger.RecordFill(fill(portfolio, symbol, "1", "100"))
    ledger.RecordFill(fill(portfolio, symbol, "3", "110", side=SELL))
    assert [line.quantity_change for line in lines(explain, portfolio, symbol)] == ["1", "-3"]


def test_corrections_carry_the_change_they_made(
    ledger: Stub, events: Stub, explain: Stub, portfolio: str, symbol: str
) -> None:
    """A late fill, a correction, a fee that came later, a rate and a bust, each in one line."""
    ledger.RecordFill(fill(portfolio, symbol, "2", "100", fill_id="f1", fill_time=stamp(NOON + SECOND)))
    sold = fill(portfolio, symbol, "1", "110", side=SELL, fill_id="f2", fill_time=stamp(NOON + 2 * SECOND))
    ledger.RecordFill(sold)
    late = {"fill_id": "f0", "fill_time": stamp(NOON), "fee": "2", "fee_currency": "BNB"}
    ledger.RecordFill(fill(portfolio, symbol, "1", "90", late_policy=IN_TIME_ORDER, **late))
    events.CorrectFill(correct(portfolio, symbol, "f2", price="115"))
    events.RecordEvent(event(portfolio, "fill_fee", symbol=symbol, fill_id="f1", fee=money("0.4")))
    rate: dict[str, Any] = {"fee_currency": "BNB", "quote_currency": "USD", "rate": "1.5", "source": "desk"}
    events.RecordEvent(event(portfolio, "fee_rate", **rate))
    events.BustFill(bust(portfolio, symbol, "f0"))
    told = lines(explain, portfolio, symbol)
    assert kinds(told) == ["FILL", "FILL", "LATE_FILL", "CORRECTION", "CORRECTION", "CORRECTION", "BUST"]
    assert [line.gross_pnl_change for line in told] == ["0", "10", "10", "5", "0", "0", "-10"]
    assert [line.fees_change for line in told] == ["0", "0", "0", "0", "0", "3", "-2.8"]
    assert [line.quantity_change for line in told] == ["2", "-1", "1", "0", "0", "0", "-1"]
    assert told[3].price == "115"
    assert (told[2].fee, told[4].fee) == (money("2", "BNB"), money("0.4"))
    assert not told[6].HasField("fill_time")
    assert told[5].explanation == "fees in BNB have a rate: 1.5; 1 trade restated"


def test_splits_and_changes_of_symbol_move_quantity_and_cost(
    ledger: Stub, events: Stub, explain: Stub, portfolio: str, symbol: str
) -> None:
    """Nothing is realized by them."""
    ledger.CreateEntry(entry(portfolio, symbol, "2", "100", fee="1"))
    events.RecordEvent(event(portfolio, "split", symbol=symbol, numerator=3, denominator=1))
    events.RecordEvent(event(portfolio, "symbol_change", from_symbol=symbol, to_symbol=f"{symbol}-NEW"))
    old, new = lines(explain, portfolio, symbol), lines(explain, portfolio, f"{symbol}-NEW")
    assert kinds(old) == ["FILL", "CORPORATE_ACTION", "CORPORATE_ACTION"]
    assert [(line.quantity_change, line.cost_change, line.open_fees_change) for line in old] == [
        ("2", "200", "1"),
        ("4", "0", "0"),
        ("-6", "-200", "-1"),
    ]
    assert [(line.quantity_change, line.cost_change, line.side) for line in new] == [("6", "200", 0)]


def test_a_read_in_pages_stays_at_its_sequence(ledger: Stub, explain: Stub, portfolio: str, symbol: str) -> None:
    """What is recorded meanwhile is for the next read."""
    for _ in range(3):
        ledger.CreateEntry(entry(portfolio, symbol))
    first = explain.ExplainPosition(position(portfolio, symbol, page_size=2))
    ledger.CloseFifo(close(portfolio, symbol))
    second = explain.ExplainPosition(position(portfolio, symbol, page_size=2, page_token=first.next_page_token))
    assert (second.sequence, second.position) == (first.sequence, first.position)
    assert (len(first.lines), len(second.lines), second.next_page_token) == (2, 1, "")
    assert second.position.total_quantity == "3"


def test_a_token_belongs_to_its_request(ledger: Stub, explain: Stub, portfolio: str, symbol: str) -> None:
    """Of another symbol, and one that nobody made."""
    for name in (symbol, symbol, f"{symbol}-2"):
        ledger.CreateEntry(entry(portfolio, name))
    token = explain.ExplainPosition(position(portfolio, symbol, page_size=1)).next_page_token
    for asked in (
        position(portfolio, f"{symbol}-2", page_size=1, page_token=token),
        position(portfolio, symbol, page_token="bm90IG91cnM="),
    ):
        assert refused(explain.ExplainPosition, asked).reason == "INVALID_PAGE_TOKEN"


def test_a_read_goes_on_after_a_restart(database_url: str) -> None:
    """The page is a function of the journal up to its sequence: also with a correction before it and one behind it."""
    with Sidecar(database_url) as running:
        with dialed(running.address) as channel:
            ledger = ledger_service_pb2_grpc.LedgerServiceStub(channel)
            explain = explain_service_pb2_grpc.ExplainServiceStub(channel)
            for number in range(4):
                ledger.RecordFill(fill("p", "S", "1", str(100 + number), fill_time=stamp(NOON + number * SECOND)))
            late = fill("p", "S", "1", "90", fill_time=stamp(NOON), late_policy=IN_TIME_ORDER)
            ledger.RecordFill(late)
            whole = lines(explain, "p", "S")
            first = explain.ExplainPosition(position("p", "S", page_size=2))
            token = first.next_page_token
        assert running.stop() == 0
        running.restart()
        with dialed(running.address) as channel:
            explain = explain_service_pb2_grpc.ExplainServiceStub(channel)
            rest = explain.ExplainPosition(position("p", "S", page_token=token))
    assert [*first.lines, *rest.lines] == whole
    assert rest.position == first.position


def test_a_hedging_portfolio_is_asked_for_one_of_its_two_books(
    ledger: Stub, portfolios: Stub, explain: Stub, portfolio: str, symbol: str
) -> None:
    """A netting one has but one."""
    portfolios.CreatePortfolio(create(portfolio, position_mode=HEDGING))
    ledger.CreateEntry(entry(portfolio, symbol, "1", "100", side=LONG))
    ledger.CreateEntry(entry(portfolio, symbol, "2", "120", side=SHORT))
    told = {side: lines(explain, portfolio, symbol, book_side=side) for side in (LONG, SHORT)}
    assert {side: [line.quantity_change for line in one] for side, one in told.items()} == {LONG: ["1"], SHORT: ["-2"]}
    assert refused(explain.ExplainPosition, position(portfolio, symbol)).fields == ["book_side"]
    ledger.CreateEntry(entry(f"{portfolio}-netting", symbol))
    asked = position(f"{portfolio}-netting", symbol, book_side=LONG)
    assert refused(explain.ExplainPosition, asked).fields == ["book_side"]


def test_what_was_never_traded_has_no_explanation(ledger: Stub, explain: Stub, portfolio: str, symbol: str) -> None:
    """A flat position has one: its executions made what it realized."""
    ledger.CreateEntry(entry(portfolio, symbol))
    ledger.CloseFifo(close(portfolio, symbol))
    assert len(lines(explain, portfolio, symbol)) == 2
    refusal = refused(explain.ExplainPosition, position(portfolio, f"{symbol}-other"))
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "NO_OPEN_POSITION")
    refusal = refused(explain.ExplainPosition, position(f"{portfolio}-other", symbol))
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.NOT_FOUND, "PORTFOLIO_NOT_FOUND")
    asked = position(portfolio, "", book_side=ledger_pb2.POSITION_SIDE_FLAT, page_size=-1)
    assert refused(explain.ExplainPosition, asked).fields == ["book_side", "symbol", "page_size"]
