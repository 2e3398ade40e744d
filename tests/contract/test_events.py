"""What happens to open lots besides executions: splits, new symbols, the ends of options and contracts, liquidations."""

from __future__ import annotations

from typing import Any

import pytest

from lotkeeper.v1 import event_service_pb2
from tests.contract import asking, reading
from tests.contract.asking import (
    BUY,
    LONG,
    NOON,
    REVERSE,
    SECOND,
    SELL,
    SHORT,
    close,
    entry,
    fill,
    fresh,
    stamp,
    trades,
)
from tests.contract.happening import (
    CALL,
    EQUITY,
    FUTURE,
    HEDGING,
    OPTION,
    PUT,
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


def test_a_split_keeps_entries_and_what_they_cost(ledger: Stub, events: Stub, portfolio: str, symbol: str) -> None:
    """10 at 150 and 5 at 120, 4 for 1: the same two entries with 40 at 37.5 and 20 at 30."""
    ids = [
        ledger.CreateEntry(entry(portfolio, symbol, quantity, price, fee="0.3")).entry.entry_id
        for quantity, price in (("10", "150"), ("5", "120"))
    ]
    answer = events.RecordEvent(event(portfolio, "split", symbol=symbol, numerator=4, denominator=1))
    (position,) = answer.positions
    assert (position.total_quantity, position.cost_basis, position.open_fees) == ("60", "2100", "0.6")
    listed = ledger.ListEntries(asking.entries(portfolio)).entries
    assert [(one.entry_id, one.remaining_quantity, one.entry_price) for one in listed] == [
        (ids[0], "40", "37.5"),
        (ids[1], "20", "30"),
    ]
    assert ledger.CloseFifo(close(portfolio, symbol, "40", "40")).gross_pnl == "100"


def test_a_price_without_an_end_keeps_its_cost_beside_it(
    ledger: Stub, events: Stub, portfolio: str, symbol: str
) -> None:
    """100 for 1 unit, 3 for 1: each third costs its share of what is left, the last the rest; together exactly 100."""
    ledger.CreateEntry(entry(portfolio, symbol, "1", "100"))
    events.RecordEvent(event(portfolio, "split", symbol=symbol, numerator=3, denominator=1))
    (lot,) = ledger.ListEntries(asking.entries(portfolio)).entries
    assert (lot.entry_price, lot.cost_basis) == ("33.333333333333333333", "100")
    gross = [ledger.CloseFifo(close(portfolio, symbol, "1", "50")).gross_pnl for _ in range(3)]
    assert gross == ["16.666666666666666667", "16.666666666666666666", "16.666666666666666667"]
    assert reading.position(ledger, portfolio, symbol).gross_realized_pnl == "50"


def test_cash_is_paid_for_fractions_of_a_reverse_split(
    instruments: Stub, ledger: Stub, events: Stub, portfolio: str, symbol: str
) -> None:
    """10 shares 1 for 3: 3 stay, a third of one is paid 5.12 for; the cash comes out to the digit."""
    instruments.DefineInstrument(define(symbol, EQUITY))
    ledger.CreateEntry(entry(portfolio, symbol, "10", "9"))
    before = ledger.GetSummary(asking.summary(portfolio)).totals[0].cash
    asked = event(portfolio, "split", symbol=symbol, numerator=1, denominator=3, cash_in_lieu="5.12")
    answer = events.RecordEvent(asked)
    assert (before, answer.cash[0].amount) == ("-90", "-84.88")
    assert answer.positions[0].total_quantity == "3"
    assert answer.closed_trade_count == 1
    again = events.RecordEvent(asked)
    assert (again.replayed, again.sequence, list(again.closed_trades)) == (
        True,
        answer.sequence,
        list(answer.closed_trades),
    )
    whole = event(portfolio, "split", symbol=symbol, numerator=2, denominator=1, cash_in_lieu="1")
    assert refused(events.RecordEvent, whole).fields == ["event.split.cash_in_lieu"]


def test_lots_go_on_under_a_new_symbol(ledger: Stub, events: Stub, portfolio: str, symbol: str) -> None:
    """The same entries, times and costs; what the old symbol realized stays there."""
    ledger.CreateEntry(entry(portfolio, symbol, "3", "10", fee="0.3", entry_time=stamp(NOON)))
    ledger.CloseFifo(close(portfolio, symbol, "1", "12"))
    to_symbol = f"{symbol}-NEW"
    answer = events.RecordEvent(event(portfolio, "symbol_change", from_symbol=symbol, to_symbol=to_symbol))
    old, new = answer.positions
    assert (old.side, old.net_realized_pnl) == (asking.FLAT, "1.9")
    assert (new.symbol, new.total_quantity, new.cost_basis, new.open_fees) == (to_symbol, "2", "20", "0.2")
    (lot,) = ledger.ListEntries(asking.entries(portfolio, symbol=to_symbol)).entries
    assert asking.nanoseconds(lot.entry_time) == NOON
    assert ledger.CloseFifo(close(portfolio, to_symbol, "2", "15")).gross_pnl == "10"
    same = event(portfolio, "symbol_change", from_symbol=symbol, to_symbol=symbol)
    assert refused(events.RecordEvent, same).fields == ["event.symbol_change.to_symbol"]


def test_a_symbol_change_needs_two_symbols_that_are_valued_alike(
    instruments: Stub, ledger: Stub, events: Stub, portfolio: str, symbol: str
) -> None:
    """A multiplier of 1 cannot become one of 50."""
    ledger.CreateEntry(entry(portfolio, symbol))
    instruments.DefineInstrument(define(f"{symbol}-FUT", FUTURE, multiplier="50"))
    asked = event(portfolio, "symbol_change", from_symbol=symbol, to_symbol=f"{symbol}-FUT")
    assert refused(events.RecordEvent, asked).fields == ["event.symbol_change.to_symbol"]


@pytest.fixture
def option(instruments: Stub, symbol: str) -> str:
    """A declared call on 100 of ``symbol`` at 50."""
    name = f"{symbol}-C50"
    terms: dict[str, Any] = {
        "multiplier": "100",
        "underlying": symbol,
        "expiry": "2030-01-18",
        "strike": "50",
        "right": CALL,
    }
    instruments.DefineInstrument(define(name, OPTION, **terms))
    return name


def test_an_option_expires_worthless(ledger: Stub, events: Stub, portfolio: str, option: str) -> None:
    """Its premium is lost, and the trade says why; a second expiry finds nothing."""
    ledger.RecordFill(fill(portfolio, option, "2", "3", fee="1.3"))
    answer = events.RecordEvent(event(portfolio, "expiry", symbol=option, event_time=stamp(NOON)))
    (trade,) = answer.closed_trades
    assert (trade.gross_pnl, trade.net_pnl, trade.exit_price, trade.exit_reason) == ("-600", "-601.3", "0", "expiry")
    assert refused(events.RecordEvent, event(portfolio, "expiry", symbol=option)).reason == "NO_OPEN_POSITION"
    ledger.CreateEntry(entry(portfolio, f"{option}-STOCK"))
    wrong = event(portfolio, "expiry", symbol=f"{option}-STOCK")
    assert refused(events.RecordEvent, wrong).fields == ["event.expiry.symbol"]


def test_an_exercised_call_buys_the_underlying_at_the_strike(
    ledger: Stub, events: Stub, portfolio: str, symbol: str, option: str
) -> None:
    """Two records, one transaction: one of 2 contracts closes at zero, 100 shares come at 50."""
    ledger.RecordFill(fill(portfolio, option, "2", "3"))
    asked = event(portfolio, "exercise", symbol=option, quantity="1", fee="5")
    answer = events.RecordEvent(asked)
    ours, stock = answer.positions
    assert (ours.total_quantity, ours.gross_realized_pnl) == ("1", "-300")
    assert (stock.symbol, stock.total_quantity, stock.average_entry_price, stock.open_fees) == (
        symbol,
        "100",
        "50",
        "5",
    )
    assert reading.head(ledger) == answer.sequence + 1
    again = events.RecordEvent(asked)
    assert (again.sequence, again.replayed, reading.head(ledger)) == (answer.sequence, True, answer.sequence + 1)
    too_many = event(portfolio, "exercise", symbol=option, quantity="2")
    assert refused(events.RecordEvent, too_many).reason == "INSUFFICIENT_QUANTITY"
    assert refused(events.RecordEvent, event(portfolio, "assignment", symbol=option)).reason == "NO_OPEN_POSITION"


def test_an_assigned_put_buys_the_underlying(
    instruments: Stub, ledger: Stub, events: Stub, portfolio: str, symbol: str
) -> None:
    """A short put keeps its premium, and 100 shares are bought at 40, which closes a short of 30 first."""
    name = f"{symbol}-P40"
    terms: dict[str, Any] = {
        "multiplier": "100",
        "underlying": symbol,
        "expiry": "2030-01-18",
        "strike": "40",
        "right": PUT,
    }
    instruments.DefineInstrument(define(name, OPTION, **terms))
    ledger.RecordFill(fill(portfolio, symbol, "30", "45", side=SELL))
    ledger.RecordFill(fill(portfolio, name, "1", "2", side=SELL))
    answer = events.RecordEvent(event(portfolio, "assignment", symbol=name))
    put, stock = answer.positions
    assert (put.side, put.gross_realized_pnl) == (asking.FLAT, "200")
    assert (stock.side, stock.total_quantity, stock.gross_realized_pnl) == (LONG, "70", "150")


def test_a_contract_is_settled_in_cash(
    instruments: Stub, ledger: Stub, events: Stub, portfolio: str, symbol: str
) -> None:
    """Everything that is open closes at the settlement price."""
    instruments.DefineInstrument(define(symbol, FUTURE, multiplier="50"))
    ledger.RecordFill(fill(portfolio, symbol, "2", "4000"))
    answer = events.RecordEvent(event(portfolio, "cash_settlement", symbol=symbol, price="4010.5", fee="2"))
    assert (answer.positions[0].net_realized_pnl, answer.cash[0].amount) == ("1048", "1048")


def test_a_liquidation_is_an_execution_of_the_venue(ledger: Stub, events: Stub, portfolio: str, symbol: str) -> None:
    """It closes like a fill, under its fill id, and delivered again as a fill it is a replay."""
    ledger.RecordFill(fill(portfolio, symbol, "2", "100"))
    forced: dict[str, Any] = {
        "fill": {"symbol": symbol, "side": SELL, "quantity": "2", "price": "80", "fee": "3", "fill_id": "liq"}
    }
    answer = events.RecordEvent(event(portfolio, "liquidation", **forced))
    assert (answer.closed_trades[0].exit_reason, answer.closed_trades[0].net_pnl) == ("liquidation", "-43")
    assert ledger.RecordFill(fill(portfolio, symbol, "2", "80", side=SELL, fill_id="liq", fee="3")).replayed


def test_a_correction_walks_over_a_split(ledger: Stub, events: Stub, portfolio: str, symbol: str) -> None:
    """The price before the split was wrong: the trade after it is restated in the new units."""
    ledger.RecordFill(fill(portfolio, symbol, "10", "100", fill_id="f1"))
    events.RecordEvent(event(portfolio, "split", symbol=symbol, numerator=2, denominator=1))
    ledger.RecordFill(fill(portfolio, symbol, "20", "60", side=SELL))
    answer = events.CorrectFill(correct(portfolio, symbol, "f1", price="90"))
    (told,) = answer.restated_trades
    assert (told.before.gross_pnl, told.after.gross_pnl, told.after.entry_price) == ("200", "300", "45")


def test_what_a_symbol_change_carried_on_is_not_corrected_behind_it(
    ledger: Stub, events: Stub, portfolio: str, symbol: str
) -> None:
    """The refusal names the record of the change."""
    ledger.RecordFill(fill(portfolio, symbol, "1", "100", fill_id="f1"))
    change = events.RecordEvent(event(portfolio, "symbol_change", from_symbol=symbol, to_symbol=f"{symbol}-NEW"))
    refusal = refused(events.BustFill, bust(portfolio, symbol, "f1", excess_policy=REVERSE))
    assert refusal.metadata["sequence"] == str(change.sequence)


def test_both_sides_of_a_hedging_portfolio_split(
    portfolios: Stub, ledger: Stub, events: Stub, portfolio: str, symbol: str
) -> None:
    """One event, two books; a side may be named."""
    portfolios.CreatePortfolio(create(portfolio, position_mode=HEDGING))
    for side, traded in ((LONG, BUY), (SHORT, SELL)):
        ledger.RecordFill(fill(portfolio, symbol, "1", "100", side=traded, position_side=side))
    answer = events.RecordEvent(event(portfolio, "split", symbol=symbol, numerator=2, denominator=1))
    assert [(one.book_side, one.total_quantity) for one in answer.positions] == [(LONG, "2"), (SHORT, "2")]
    one = events.RecordEvent(event(portfolio, "split", symbol=symbol, numerator=2, denominator=1, position_side=LONG))
    assert [(one.book_side, one.total_quantity) for one in one.positions] == [(LONG, "4")]


def test_events_are_listed_in_the_order_they_were_recorded(
    ledger: Stub, events: Stub, portfolio: str, symbol: str, option: str
) -> None:
    """Each once, whatever it took to carry it out, as it was told; by symbol, by time, in pages."""
    ledger.RecordFill(fill(portfolio, option, "1", "3"))
    ledger.RecordFill(fill(portfolio, symbol, "1", "3"))
    told = [
        event(portfolio, "deposit", money=money("5"), event_id="d1", note="wire", event_time=stamp(NOON)),
        event(portfolio, "exercise", symbol=option, quantity="1", event_time=stamp(NOON + SECOND)),
        event(portfolio, "split", symbol=symbol, numerator=2, denominator=1, event_time=stamp(NOON + 2 * SECOND)),
    ]
    for request in told:
        events.RecordEvent(request)
    lists = event_service_pb2.ListEventsRequest
    listed = list(events.ListEvents(lists(portfolio_id=portfolio)).events)
    for shown, request in zip(listed, told, strict=True):
        expected = event_service_pb2.Event()
        expected.CopyFrom(request.event)
        expected.sequence = shown.sequence
        assert shown == expected
    assert [
        one.WhichOneof("event") for one in events.ListEvents(lists(portfolio_id=portfolio, symbol=option)).events
    ] == ["exercise"]
    later = lists(portfolio_id=portfolio, start_time=stamp(NOON + 1), end_time=stamp(NOON + 2 * SECOND))
    assert [one.WhichOneof("event") for one in events.ListEvents(later).events] == ["exercise"]
    first = events.ListEvents(lists(portfolio_id=portfolio, page_size=2))
    rest = events.ListEvents(lists(portfolio_id=portfolio, page_size=2, page_token=first.next_page_token))
    assert [*first.events, *rest.events] == listed


def test_validate_only_events_tell_and_write_nothing(ledger: Stub, events: Stub, portfolio: str, symbol: str) -> None:
    """Of every sort: cash, lots, corrections of fees."""
    ledger.RecordFill(fill(portfolio, symbol, "1", "100", fill_id="f1"))
    head = reading.head(ledger)
    for kind, told in (
        ("deposit", {"money": money("5")}),
        ("split", {"symbol": symbol, "numerator": 2, "denominator": 1}),
        ("symbol_change", {"from_symbol": symbol, "to_symbol": f"{symbol}-NEW"}),
        ("fill_fee", {"symbol": symbol, "fill_id": "f1", "fee": money("1")}),
    ):
        answer = events.RecordEvent(event(portfolio, kind, validate_only=True, **told))
        assert answer.sequence == 0
    assert reading.head(ledger) == head
    assert reading.position(ledger, portfolio, symbol).total_quantity == "1"
    assert not ledger.ListClosedTrades(trades(portfolio)).closed_trades
    assert refused(events.RecordEvent, event_service_pb2.RecordEventRequest(request_id=fresh())).fields == ["event"]
