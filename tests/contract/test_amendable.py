"""Which executions a correction may name, and what of them it may change."""

from __future__ import annotations

from typing import Any

import grpc
import pytest

from lotkeeper.v1 import ledger_service_pb2
from tests.contract import asking, reading
from tests.contract.asking import LONG, NOON, SECOND, SELL, SHORT, close, entry, fill, stamp
from tests.contract.happening import (
    CALL,
    FUTURE,
    HEDGING,
    INVERSE,
    OPTION,
    SPOT,
    bust,
    correct,
    create,
    define,
    event,
    money,
)
from tests.support.refusals import refused

Stub = Any
"""A generated stub; gRPC writes no types for it."""

IN_TIME_ORDER = ledger_service_pb2.LATE_POLICY_IN_TIME_ORDER


@pytest.fixture
def both_sides(ledger: Stub, portfolios: Stub, portfolio: str, symbol: str) -> int:
    """A hedging portfolio in which fill f1 closed a long of 1 and opened a short of 1; the sequence of the latter."""
    portfolios.CreatePortfolio(create(portfolio, position_mode=HEDGING))
    ledger.CreateEntry(entry(portfolio, symbol, side=LONG, entry_fill_id="f0"))
    ledger.CloseFifo(close(portfolio, symbol, side=LONG, exit_fill_id="f1"))
    opened = ledger.CreateEntry(entry(portfolio, symbol, price="110", side=SHORT, entry_fill_id="f1"))
    return int(opened.sequence)


def test_a_fill_id_in_both_books_of_a_hedging_portfolio_names_neither(
    events: Stub, portfolio: str, symbol: str, both_sides: int
) -> None:
    """The sequence does."""
    refusal = refused(events.BustFill, bust(portfolio, symbol, "f1"))
    assert (refusal.reason, refusal.metadata) == ("FILL_NOT_FOUND", {"fill_id": "f1"})
    answer = events.BustFill(bust(portfolio, symbol, fill_sequence=both_sides))
    assert (answer.position.book_side, answer.position.total_quantity) == (SHORT, "0")


@pytest.mark.usefixtures("both_sides")
def test_a_fee_goes_to_the_book_that_is_named(ledger: Stub, events: Stub, portfolio: str, symbol: str) -> None:
    """Both books have the fill id, and position_side says which one."""
    told = event(portfolio, "fill_fee", symbol=symbol, fill_id="f1", fee=money("0.5"), position_side=SHORT)
    (position,) = events.RecordEvent(told).positions
    assert (position.book_side, position.open_fees) == (SHORT, "0.5")
    assert ledger.GetSummary(asking.summary(portfolio)).totals[0].realized_fees == "0"


def test_a_netting_portfolio_has_no_sides_to_name(events: Stub, ledger: Stub, portfolio: str, symbol: str) -> None:
    """It is said for what it is, not that nothing is open."""
    ledger.CreateEntry(entry(portfolio, symbol))
    told = event(portfolio, "split", symbol=symbol, numerator=2, denominator=1, position_side=LONG)
    assert refused(events.RecordEvent, told).fields == ["event.position_side"]


def test_the_id_of_an_event_names_no_execution(ledger: Stub, events: Stub, portfolio: str, symbol: str) -> None:
    """Brokers number both alike: the fill is busted, and the split stays."""
    ledger.CreateEntry(entry(portfolio, symbol, "1", entry_fill_id="7"))
    ledger.CreateEntry(entry(portfolio, symbol, "2", entry_fill_id="8"))
    events.RecordEvent(event(portfolio, "split", symbol=symbol, numerator=3, denominator=1, event_id="7"))
    assert events.BustFill(bust(portfolio, symbol, "7")).position.total_quantity == "6"


def test_a_fill_that_was_busted_by_its_sequence_is_known_as_busted(
    ledger: Stub, events: Stub, portfolio: str, symbol: str
) -> None:
    """However it is named then."""
    opened = ledger.CreateEntry(entry(portfolio, symbol, entry_fill_id="f1"))
    gone = events.BustFill(bust(portfolio, symbol, fill_sequence=opened.sequence))
    told = event(portfolio, "fill_fee", symbol=symbol, fill_id="f1", fee=money("1"))
    refusal = refused(events.RecordEvent, told)
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "FILL_BUSTED")
    assert refusal.metadata == {"fill_id": "f1", "sequence": str(gone.sequence)}


def test_no_part_of_an_event_of_several_records_is_corrected_by_itself(
    ledger: Stub, events: Stub, instruments: Stub, portfolio: str, symbol: str
) -> None:
    """Neither the option's side of an exercise nor the shares it delivered."""
    terms: dict[str, Any] = {
        "multiplier": "100",
        "underlying": f"{symbol}U",
        "expiry": "2040-12-21",
        "strike": "10",
        "right": CALL,
    }
    instruments.DefineInstrument(define(symbol, OPTION, **terms))
    ledger.CreateEntry(entry(portfolio, symbol, "2", "3"))
    used = events.RecordEvent(event(portfolio, "exercise", symbol=symbol)).sequence
    for name, sequence in ((symbol, used), (f"{symbol}U", used + 1)):
        assert refused(events.BustFill, bust(portfolio, name, fill_sequence=sequence)).fields == ["fill_sequence"]
        asked = correct(portfolio, name, fill_sequence=sequence, price="1")
        assert refused(events.CorrectFill, asked).fields == ["fill_sequence"]


def test_a_split_by_itself_is_taken_back(ledger: Stub, events: Stub, portfolio: str, symbol: str) -> None:
    """What was opened before it has its old quantity again; there is nothing in it that could be corrected."""
    ledger.CreateEntry(entry(portfolio, symbol, "2", "100"))
    told = events.RecordEvent(event(portfolio, "split", symbol=symbol, numerator=2, denominator=1))
    asked = correct(portfolio, symbol, fill_sequence=told.sequence, quantity="1", price="2")
    assert refused(events.CorrectFill, asked).fields == ["quantity", "price"]
    position = events.BustFill(bust(portfolio, symbol, fill_sequence=told.sequence)).position
    assert (position.total_quantity, position.average_entry_price, position.cost_basis) == ("2", "100", "200")


def test_a_settlement_has_another_price_and_goes_on_to_follow_the_book(
    ledger: Stub, events: Stub, instruments: Stub, portfolio: str, symbol: str
) -> None:
    """Its price is corrected; without one of the lots it closes what is left."""
    instruments.DefineInstrument(define(symbol, FUTURE, multiplier="1"))
    for name in ("f1", "f2"):
        ledger.CreateEntry(entry(portfolio, symbol, "2", "100", entry_fill_id=name))
    settled = events.RecordEvent(event(portfolio, "cash_settlement", symbol=symbol, price="110")).sequence
    asked = correct(portfolio, symbol, fill_sequence=settled, quantity="1")
    assert refused(events.CorrectFill, asked).fields == ["quantity"]
    answer = events.CorrectFill(correct(portfolio, symbol, fill_sequence=settled, price="120"))
    assert answer.position.gross_realized_pnl == "80"
    position = events.BustFill(bust(portfolio, symbol, "f1")).position
    assert (position.side, position.gross_realized_pnl) == (asking.FLAT, "40")


def test_what_closed_everything_goes_on_to_have_closed_just_that(
    ledger: Stub, events: Stub, instruments: Stub, portfolio: str, symbol: str
) -> None:
    """With a fee in the coin another price, or another fee, does not make more of it than there was."""
    instruments.DefineInstrument(define(symbol, SPOT, base_currency=f"{symbol}C"))
    ledger.CreateEntry(entry(portfolio, symbol, "1", "100"))
    coin: dict[str, Any] = {"fee": "0.001", "fee_currency": f"{symbol}C"}
    ledger.CloseFifo(close(portfolio, symbol, close_all=True, exit_fill_id="f2", **coin))
    for change, fees in (({"price": "120"}, "0.12"), ({"fee": "0.002"}, "0.24"), ({"fee": "0.001"}, "0.12")):
        position = events.CorrectFill(correct(portfolio, symbol, "f2", **change)).position
        assert (position.side, position.gross_realized_pnl, position.realized_fees) == (asking.FLAT, "20", fees)


def test_a_correction_keeps_to_the_prices_that_the_instrument_has(
    ledger: Stub, events: Stub, instruments: Stub, portfolio: str, symbol: str
) -> None:
    """As every fill does: none below zero, and none of zero where the contract is worth 1 / price."""
    instruments.DefineInstrument(define(f"{symbol}I", INVERSE, multiplier="100", base_currency="BTC"))
    for name, price in ((symbol, "-1"), (f"{symbol}I", "0")):
        ledger.RecordFill(fill(portfolio, name, fill_id="f1", fill_time=stamp(NOON)))
        assert refused(events.CorrectFill, correct(portfolio, name, "f1", price=price)).fields == ["price"]
        late = fill(portfolio, name, price=price, fill_time=stamp(NOON - SECOND), late_policy=IN_TIME_ORDER)
        assert refused(ledger.RecordFill, late).fields == ["fill.price"]


@pytest.mark.parametrize("how", [{"close_all": True}, {"quantity": "1"}, {"close_all": True, "side": LONG}])
def test_a_late_close_finds_nothing_where_nothing_was_open_then(
    ledger: Stub, portfolio: str, symbol: str, how: dict[str, Any]
) -> None:
    """It is refused as it would have been at its time, and nothing is written."""
    ledger.RecordFill(fill(portfolio, symbol, fill_time=stamp(NOON)))
    head = reading.head(ledger)
    late = close(portfolio, symbol, exit_time=stamp(NOON - SECOND), late_policy=IN_TIME_ORDER, **how)
    assert refused(ledger.CloseFifo, late).reason == "NO_OPEN_POSITION"
    assert reading.head(ledger) == head


def test_what_broke_even_under_other_terms_is_not_valued_by_those_of_now(
    ledger: Stub, events: Stub, instruments: Stub, portfolio: str, symbol: str
) -> None:
    """Its trade is worth zero by any multiplier, its correction is not; what was traded since is corrected as ever."""
    instruments.DefineInstrument(define(symbol, FUTURE, multiplier="10"))
    for name, side in (("f1", asking.BUY), ("f2", SELL)):
        ledger.RecordFill(fill(portfolio, symbol, side=side, fill_id=name))
    instruments.DefineInstrument(define(symbol, FUTURE, multiplier="1"))
    instruments.DefineInstrument(define(symbol, FUTURE, multiplier="1", size_step="1"))
    assert refused(events.CorrectFill, correct(portfolio, symbol, "f2", price="110")).reason == "NOT_YET_IMPLEMENTED"
    ledger.RecordFill(fill(portfolio, symbol, fill_id="f3"))
    position = events.CorrectFill(correct(portfolio, symbol, "f3", price="90")).position
    assert position.cost_basis == "90"


def test_a_late_close_sent_again_tells_its_own_trades_and_what_it_restated(
    ledger: Stub, portfolio: str, symbol: str
) -> None:
    """It took the lot that a later close had taken: that one's trade is restated, and not its own."""
    for at, price in ((0, "100"), (1, "110")):
        ledger.RecordFill(fill(portfolio, symbol, price=price, fill_time=stamp(NOON + at * SECOND)))
    ledger.CloseFifo(close(portfolio, symbol, price="120", exit_time=stamp(NOON + 9 * SECOND)))
    late = close(portfolio, symbol, price="130", exit_time=stamp(NOON + 5 * SECOND), late_policy=IN_TIME_ORDER)
    first, again = ledger.CloseFifo(late), ledger.CloseFifo(late)
    assert (first.closed_trade_count, first.restated_trade_count, again.replayed) == (1, 1, True)
    assert again.closed_trades == first.closed_trades
    assert again.restated_trades == first.restated_trades
    assert again.restated_trade_count == 1


def test_a_late_fill_lets_later_closes_flip_when_it_is_asked_to(ledger: Stub, portfolio: str, symbol: str) -> None:
    """What the refusal says to send is taken: the later close opens the rest on the other side."""
    ledger.CreateEntry(entry(portfolio, symbol, "2", entry_time=stamp(NOON)))
    closed = ledger.CloseFifo(close(portfolio, symbol, "2", exit_time=stamp(NOON + 9 * SECOND)))
    late = {"side": SELL, "fill_time": stamp(NOON + SECOND), "late_policy": IN_TIME_ORDER}
    refusal = refused(ledger.RecordFill, fill(portfolio, symbol, "1", "105", **late))
    assert (refusal.reason, refusal.metadata["sequence"]) == ("LATER_COMMAND_REFUSED", str(closed.sequence))
    answer = ledger.RecordFill(fill(portfolio, symbol, "1", "105", excess_policy=asking.REVERSE, **late))
    assert (answer.position.side, answer.position.total_quantity) == (SHORT, "1")
