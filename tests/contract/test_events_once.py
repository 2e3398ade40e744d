"""Law 8 for events and corrections: recorded once, whole or not at all, and told again as they were."""

from __future__ import annotations

from typing import Any

import pytest

from lotkeeper.v1 import event_service_pb2, ledger_pb2
from tests.contract import asking, reading
from tests.contract.asking import NOON, SELL, SHORT, close, entry, fill, stamp
from tests.contract.happening import CALL, HEDGING, OPTION, PERPETUAL, bust, correct, create, define, event, money
from tests.support.refusals import refused

Stub = Any
"""A generated stub; gRPC writes no types for it."""


@pytest.fixture
def option(instruments: Stub, ledger: Stub, portfolio: str, symbol: str) -> str:
    """Two calls on 100 shares at 10, bought at 3."""
    terms: dict[str, Any] = {
        "multiplier": "100",
        "underlying": f"{symbol}U",
        "expiry": "2040-12-21",
        "strike": "10",
        "right": CALL,
    }
    instruments.DefineInstrument(define(symbol, OPTION, **terms))
    ledger.CreateEntry(entry(portfolio, symbol, "2", "3"))
    return symbol


@pytest.mark.parametrize(
    ("other", "field"),
    [
        ({"kind": "split", "symbol": "other", "numerator": 2, "denominator": 1}, "symbol"),
        ({"kind": "split", "symbol": "same", "numerator": 3, "denominator": 1}, "numerator"),
        ({"kind": "expiry", "symbol": "same"}, "method"),
        ({"kind": "deposit", "money": money("1")}, "method"),
    ],
    ids=["another symbol", "another ratio", "another event", "cash"],
)
def test_an_event_id_is_of_one_event_in_a_portfolio(
    ledger: Stub, events: Stub, portfolio: str, symbol: str, other: dict[str, Any], field: str
) -> None:
    """Another event under it is a conflict, whatever it is, and not taken for a repetition."""
    names = {"same": symbol, "other": f"{symbol}o"}
    for name in names.values():
        ledger.CreateEntry(entry(portfolio, name))
    told = event(portfolio, "split", symbol=symbol, numerator=2, denominator=1, event_id="e1", request_id="")
    first = events.RecordEvent(told)
    assert events.RecordEvent(told).sequence == first.sequence
    given = dict(other)
    kind = given.pop("kind")
    given |= {"symbol": names[given["symbol"]]} if "symbol" in given else {}
    refusal = refused(events.RecordEvent, event(portfolio, kind, event_id="e1", request_id="", **given))
    assert (refusal.reason, refusal.metadata) == ("FILL_CONFLICT", {"field": field})


def test_an_event_of_lots_does_not_take_the_id_of_cash(ledger: Stub, events: Stub, portfolio: str, symbol: str) -> None:
    """The deposit was first."""
    ledger.CreateEntry(entry(portfolio, symbol))
    events.RecordEvent(event(portfolio, "deposit", money=money("1"), event_id="e1"))
    told = event(portfolio, "split", symbol=symbol, numerator=2, denominator=1, event_id="e1")
    assert refused(events.RecordEvent, told).reason == "FILL_CONFLICT"


def test_a_fee_that_is_told_by_its_event_id_alone_is_recorded_once(
    ledger: Stub, events: Stub, portfolio: str, symbol: str
) -> None:
    """It is found by that id, not by the execution's."""
    ledger.CreateEntry(entry(portfolio, symbol, entry_fill_id="f1"))
    told: dict[str, Any] = {"symbol": symbol, "fill_id": "f1", "event_id": "e1", "request_id": ""}
    first = events.RecordEvent(event(portfolio, "fill_fee", fee=money("1"), **told))
    again = events.RecordEvent(event(portfolio, "fill_fee", fee=money("1"), **told))
    assert (again.sequence, again.replayed) == (first.sequence, True)
    assert refused(events.RecordEvent, event(portfolio, "fill_fee", fee=money("2"), **told)).metadata == {
        "field": "fee"
    }


def test_a_request_id_is_of_one_correction(ledger: Stub, events: Stub, portfolio: str, symbol: str) -> None:
    """Another execution, named by its sequence, and another time are other requests."""
    first, second = (ledger.CreateEntry(entry(portfolio, symbol)).sequence for _ in range(2))
    events.BustFill(bust(portfolio, symbol, fill_sequence=first, request_id="b1"))
    refusal = refused(events.BustFill, bust(portfolio, symbol, fill_sequence=second, request_id="b1"))
    assert (refusal.reason, refusal.metadata) == ("REQUEST_ID_REUSED", {"field": "fill_sequence"})
    asked: dict[str, Any] = {"fill_sequence": second, "price": "5", "request_id": "c1"}
    events.CorrectFill(correct(portfolio, symbol, **asked))
    refusal = refused(events.CorrectFill, correct(portfolio, symbol, fill_time=stamp(NOON), **asked))
    assert (refusal.reason, refusal.metadata) == ("REQUEST_ID_REUSED", {"field": "time"})


def test_an_exercise_sent_again_is_told_whole(events: Stub, portfolio: str, option: str) -> None:
    """Both books, what was closed and what was opened; with another fee it is another request."""
    asked = event(portfolio, "exercise", symbol=option, fee="1")
    first = events.RecordEvent(asked)
    again = events.RecordEvent(asked)
    assert again.replayed
    for name in ("sequence", "positions", "closed_trades", "closed_trade_count", "opened_entries", "cash"):
        assert getattr(again, name) == getattr(first, name), name
    other = event(portfolio, "exercise", symbol=option, fee="2", request_id=asked.request_id)
    assert refused(events.RecordEvent, other).metadata == {"field": "fee"}
    (listed,) = events.ListEvents(event_service_pb2.ListEventsRequest(portfolio_id=portfolio)).events
    assert (listed.exercise.quantity, listed.exercise.fee) == ("2", "1")


def test_a_liquidation_that_was_recorded_as_a_fill_is_that_fill(
    ledger: Stub, events: Stub, portfolio: str, symbol: str
) -> None:
    """The stream of executions was faster than whoever tells what it was."""
    ledger.CreateEntry(entry(portfolio, symbol))
    sold = ledger.RecordFill(fill(portfolio, symbol, "1", "90", side=SELL, fill_id="f1"))
    told = event(portfolio, "liquidation", fill=sold_again(symbol))
    answer = events.RecordEvent(told)
    assert (answer.sequence, answer.replayed) == (sold.sequence, True)
    assert answer.event.liquidation.fill.fill_id == "f1"
    assert answer.closed_trades == sold.closed_trades


def sold_again(symbol: str) -> Any:
    """The execution as a liquidation tells it."""
    return ledger_pb2.Fill(symbol=symbol, side=SELL, quantity="1", price="90", fill_id="f1")


def test_a_liquidation_keeps_its_note_and_its_time(ledger: Stub, events: Stub, portfolio: str, symbol: str) -> None:
    """The event's time stands where the fill has none."""
    ledger.CreateEntry(entry(portfolio, symbol))
    told = event(portfolio, "liquidation", fill=sold_again(symbol), note="margin call", event_time=stamp(NOON))
    events.RecordEvent(told)
    (listed,) = events.ListEvents(event_service_pb2.ListEventsRequest(portfolio_id=portfolio)).events
    assert (listed.note, asking.nanoseconds(listed.event_time)) == ("margin call", NOON)


def test_a_rate_is_taken_by_every_book_or_by_none(ledger: Stub, events: Stub, portfolio: str, symbol: str) -> None:
    """One book cannot be re-matched: the other one does not take it either."""
    for name in (f"{symbol}A", f"{symbol}B"):
        ledger.RecordFill(fill(portfolio, name, fee="1", fee_currency="BNB"))
    events.RecordEvent(event(portfolio, "symbol_change", from_symbol=f"{symbol}B", to_symbol=f"{symbol}C"))
    head = reading.head(ledger)
    rate = event(portfolio, "fee_rate", fee_currency="BNB", quote_currency="USD", rate="2", source="x")
    assert refused(events.RecordEvent, rate).reason == "LATER_COMMAND_REFUSED"
    assert reading.head(ledger) == head
    assert reading.position(ledger, portfolio, f"{symbol}A").open_fees == "0"


def test_a_rate_sent_again_is_told_for_every_book(ledger: Stub, events: Stub, portfolio: str, symbol: str) -> None:
    """What it restated in the first one and in the others; only checked, it says the same."""
    for name in (f"{symbol}A", f"{symbol}B"):
        ledger.RecordFill(fill(portfolio, name, fee="1", fee_currency="BNB"))
        ledger.CloseFifo(close(portfolio, name))
    rate = event(portfolio, "fee_rate", fee_currency="BNB", quote_currency="USD", rate="2", source="x")
    checked = event(portfolio, "fee_rate", True, fee_currency="BNB", quote_currency="USD", rate="2", source="x")
    checked = events.RecordEvent(checked)
    first, again = events.RecordEvent(rate), events.RecordEvent(rate)
    assert (checked.sequence, checked.restated_trade_count, checked.cash) == (0, 2, first.cash)
    assert (again.replayed, again.sequence, again.restated_trade_count) == (True, first.sequence, 2)
    assert again.restated_trades == first.restated_trades
    assert again.positions == first.positions


def test_the_fee_of_a_settlement_is_charged_once(
    ledger: Stub, events: Stub, portfolios: Stub, portfolio: str, symbol: str
) -> None:
    """Where both sides are open the caller says whose it is."""
    portfolios.CreatePortfolio(create(portfolio, position_mode=HEDGING))
    for side in (asking.LONG, SHORT):
        ledger.CreateEntry(entry(portfolio, symbol, side=side))
    told: dict[str, Any] = {"symbol": symbol, "price": "100", "fee": "1"}
    refusal = refused(events.RecordEvent, event(portfolio, "cash_settlement", **told))
    assert refusal.fields == ["event.position_side"]
    events.RecordEvent(event(portfolio, "cash_settlement", position_side=SHORT, **told))
    assert ledger.GetSummary(asking.summary(portfolio)).totals[0].realized_fees == "1"


def test_cash_for_the_fractions_of_a_short_is_paid_to_the_digit(
    ledger: Stub, events: Stub, portfolio: str, symbol: str
) -> None:
    """A third of a share for 10 has a price without an end; the cash has none."""
    ledger.CreateEntry(entry(portfolio, symbol, "10", "100", side=SHORT))
    told = event(portfolio, "split", symbol=symbol, numerator=1, denominator=3, cash_in_lieu="10")
    (cash,) = events.RecordEvent(told).cash
    assert (cash.currency, cash.amount) == ("USD", "990")


def test_nothing_is_paid_for_fractions_of_what_is_margined(
    ledger: Stub, events: Stub, instruments: Stub, portfolio: str, symbol: str
) -> None:
    """Its cash is P&L alone, so a payment would come out as another amount."""
    instruments.DefineInstrument(define(symbol, PERPETUAL, multiplier="1"))
    ledger.CreateEntry(entry(portfolio, symbol, "10", "100"))
    told = event(portfolio, "split", symbol=symbol, numerator=1, denominator=3, cash_in_lieu="10")
    assert refused(events.RecordEvent, told).fields == ["event.split.cash_in_lieu"]


def test_splits_do_not_outgrow_what_numbers_are_made_for(
    ledger: Stub, events: Stub, portfolio: str, symbol: str
) -> None:
    """The one that would make more than an execution can tell is refused, and the book can still be closed."""
    ledger.CreateEntry(entry(portfolio, symbol, "1000000000", "1"))
    told: dict[str, Any] = {"symbol": symbol, "numerator": 1_000_000, "denominator": 1}
    events.RecordEvent(event(portfolio, "split", **told))
    assert refused(events.RecordEvent, event(portfolio, "split", **told)).fields == ["event.split"]
    assert ledger.CloseFifo(close(portfolio, symbol, close_all=True)).position.side == asking.FLAT
