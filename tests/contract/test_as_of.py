"""GetSummary of the past: what was said then is said again, whatever was recorded, corrected or marked since."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import grpc
import pytest

from lotkeeper.v1 import (
    explain_service_pb2,
    ledger_pb2,
    ledger_service_pb2,
    ledger_service_pb2_grpc,
    portfolio_service_pb2_grpc,
)
from tests.contract import reading
from tests.contract.asking import NOON, SELL, close, entry, fill, fresh, marks, nanoseconds, stamp, summary
from tests.contract.happening import HEDGING, NETTING, bust, create, define, event, money
from tests.contract.lives import Life, Stubs
from tests.contract.recording import execution, message, recorded
from tests.support.dialing import dialed
from tests.support.refusals import refused
from tests.support.sidecar import Sidecar

Stub = Any
"""A generated stub; gRPC writes no types for it."""

STEPS = 40
COURSES = [(NETTING, "FIFO"), (NETTING, "HIFO"), (NETTING, "AVERAGE"), (HEDGING, "LIFO")]


def lot_method(name: str) -> Any:
    """A lot method by its name."""
    return ledger_pb2.LotMethod.Value(f"LOT_METHOD_{name}")


def scenario(**prices: str) -> list[ledger_service_pb2.ScenarioMark]:
    """Marks of one question, by symbol."""
    return [ledger_service_pb2.ScenarioMark(symbol=symbol, price=price) for symbol, price in prices.items()]


def whole(portfolio: str, **others: Any) -> Any:
    """Everything that a summary has, in one page."""
    return summary(portfolio, include_entries=True, include_flat=True, page_size=1000, **others)


@pytest.mark.parametrize(("mode", "method"), COURSES)
def test_every_moment_of_a_life_is_told_again_as_it_was(
    ledger: Stub, events: Stub, portfolios: Stub, portfolio: str, symbol: str, seed: int, mode: Any, method: str
) -> None:
    """Positions, lots, totals, cash and base totals of every sequence are, to the digit, what was said right after it."""
    stubs = Stubs(ledger, events, portfolios)
    terms = {"position_mode": mode, "lot_method": lot_method(method), "initial_cash": [money("1000")]}
    life = Life(stubs, portfolio, (symbol, f"{symbol}-2"), Random(f"{seed} {method}"), base_currency="USD", **terms)
    life.play(STEPS)
    assert len(life.seen) > STEPS // 3, f"too much was refused: {life.refused} of {STEPS}"
    for then in life.seen:
        assert ledger.GetSummary(whole(portfolio, as_of_sequence=then.sequence)) == then.answer, life.played


def test_a_correction_is_not_known_before_it_was_recorded(
    ledger: Stub, events: Stub, portfolio: str, symbol: str
) -> None:
    """As of the sequence before, the busted execution still counts."""
    ledger.RecordFill(fill(portfolio, symbol, "2", "100", fill_id="f1"))
    sold = ledger.RecordFill(fill(portfolio, symbol, "1", "110", side=SELL, fill_id="f2")).sequence
    corrected = events.BustFill(bust(portfolio, symbol, "f1")).sequence
    then = ledger.GetSummary(summary(portfolio, symbols=[symbol], as_of_sequence=sold)).positions[0]
    now = ledger.GetSummary(summary(portfolio, symbols=[symbol], as_of_sequence=corrected)).positions[0]
    assert (then.total_quantity, then.gross_realized_pnl, then.sequence) == ("1", "10", sold)
    assert (now.total_quantity, now.gross_realized_pnl, now.sequence) == ("1", "0", corrected)


def test_a_time_is_the_last_record_written_by_then(ledger: Stub, explain: Stub, portfolio: str, symbol: str) -> None:
    """A nanosecond before a record was written it is not known yet; long after the last one it is."""
    for price in ("100", "110", "120"):
        ledger.CreateEntry(entry(portfolio, symbol, price=price))
    asked = explain_service_pb2.ExplainPositionRequest(portfolio_id=portfolio, symbol=symbol)
    first, second, third = explain.ExplainPosition(asked).lines
    written = nanoseconds(third.record_time)
    by_then = ledger.GetSummary(summary(portfolio, as_of_time=stamp(written)))
    before = ledger.GetSummary(summary(portfolio, as_of_time=stamp(written - 1)))
    assert (by_then.positions[0].cost_basis, by_then.sequence) == ("330", third.sequence)
    assert before.sequence in (first.sequence, second.sequence)  # a clock may give two records the same time
    later = ledger.GetSummary(summary(portfolio, as_of_time=stamp(written + 3600 * 10**9)))
    assert later.sequence >= third.sequence
    assert later.positions == by_then.positions


def test_instruments_and_terms_are_those_of_then(
    ledger: Stub, instruments: Stub, portfolios: Stub, portfolio: str, symbol: str
) -> None:
    """A multiplier that was declared while nothing was open, and a portfolio that had another cash to begin with."""
    made = portfolios.CreatePortfolio(create(portfolio, initial_cash=[money("100")])).sequence
    ledger.RecordFill(fill(portfolio, symbol, "1", "100"))
    flat = ledger.RecordFill(fill(portfolio, symbol, "1", "110", side=SELL)).sequence
    instruments.DefineInstrument(define(symbol, multiplier="10"))
    ledger.RecordFill(fill(portfolio, symbol, "1", "100"))
    sold = ledger.RecordFill(fill(portfolio, symbol, "1", "110", side=SELL)).sequence
    (then,) = ledger.GetSummary(summary(portfolio, symbols=[symbol], as_of_sequence=flat)).positions
    (now,) = ledger.GetSummary(summary(portfolio, symbols=[symbol], as_of_sequence=sold)).positions
    assert (then.multiplier, then.gross_realized_pnl) == ("1", "10")
    assert (now.multiplier, now.gross_realized_pnl) == ("10", "110")
    (totals,) = ledger.GetSummary(summary(portfolio, as_of_sequence=made)).totals
    assert (totals.cash, totals.total_value) == ("100", "100")


def test_live_marks_never_value_the_past(ledger: Stub, market: Stub, portfolio: str, symbol: str) -> None:
    """The newest sequence included: one rule for all questions of this kind; the request's marks do."""
    first = ledger.CreateEntry(entry(portfolio, symbol, "2")).sequence
    market.SetMarks(marks((symbol, "150")))
    head = ledger.CreateEntry(entry(portfolio, symbol, "2")).sequence
    for sequence in (first, head):
        answer = ledger.GetSummary(summary(portfolio, as_of_sequence=sequence))
        assert not answer.positions[0].HasField("unrealized_pnl")
        assert list(answer.totals[0].unpriced_symbols) == [symbol]
    asked = summary(portfolio, as_of_sequence=first, marks=scenario(**{symbol: "90"}))
    (position,) = ledger.GetSummary(asked).positions
    assert (position.unrealized_pnl, position.mark_price, position.mark_source) == ("-20", "90", "request")
    assert not position.mark_stale


@pytest.fixture
def converting(database_url: str, tmp_path: Path) -> Iterator[grpc.Channel]:
    """A sidecar that knows which mark converts EUR and USD."""
    config = tmp_path / "lotkeeper.toml"
    config.write_text('[pairs]\n"EUR/USD" = "EURUSD"\n')
    with Sidecar(database_url, "--config", str(config)) as running, dialed(running.address) as channel:
        yield channel


def test_currencies_of_the_past_are_converted_by_the_marks_of_the_request(converting: grpc.Channel) -> None:
    """By the symbol of the pair; without one the currency is named."""
    ledger = ledger_service_pb2_grpc.LedgerServiceStub(converting)
    portfolio_service_pb2_grpc.PortfolioServiceStub(converting).CreatePortfolio(create("p", base_currency="EUR"))
    sequence = ledger.RecordFill(fill("p", "S", "1", "50")).sequence
    base = ledger.GetSummary(summary("p", as_of_sequence=sequence)).base_totals
    assert (list(base.unconverted_currencies), list(base.rates)) == (["USD"], [])
    given = scenario(EURUSD="1.25", S="60")
    base = ledger.GetSummary(summary("p", as_of_sequence=sequence, marks=given)).base_totals
    assert (base.unrealized_pnl, base.total_value, base.rates[0].rate) == ("8", "8", "0.8")


def test_a_portfolio_that_was_not_made_yet_is_not_found(ledger: Stub, portfolio: str, symbol: str) -> None:
    """As a ledger would say that had been fed no further; the default portfolio was always there."""
    before = reading.head(ledger)
    ledger.CreateEntry(entry(portfolio, symbol))
    refusal = refused(ledger.GetSummary, summary(portfolio, as_of_sequence=before))
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.NOT_FOUND, "PORTFOLIO_NOT_FOUND")
    answer = ledger.GetSummary(summary("", as_of_sequence=0, include_flat=True))
    assert (answer.sequence, list(answer.positions), answer.totals[0].cash) == (0, [], "0")
    assert ledger.GetSummary(summary("", as_of_time=stamp(0))).sequence == 0


def test_a_question_that_contradicts_itself_is_refused(ledger: Stub) -> None:
    """Every broken field at once."""
    asked = summary("", as_of_sequence=1, as_of_time=stamp(NOON), marks=scenario(A="-1"), lot_method=99)
    assert refused(ledger.GetSummary, asked).fields == ["lot_method", "marks[0].price", "as_of_time"]
    assert refused(ledger.GetSummary, summary("", marks=scenario(A="1"))).fields == ["marks"]
    twice = [*scenario(A="1"), *scenario(A="2")]
    assert refused(ledger.GetSummary, summary("", as_of_sequence=0, marks=twice)).fields == ["marks[1].symbol"]
    many = [ledger_service_pb2.ScenarioMark(symbol=f"A{number}", price="1") for number in range(1001)]
    assert refused(ledger.GetSummary, summary("", as_of_sequence=0, marks=many)).fields == ["marks"]


def test_a_sequence_ahead_of_the_ledger_is_out_of_range(ledger: Stub) -> None:
    """With the sequence that it has."""
    head = reading.head(ledger)
    refusal = refused(ledger.GetSummary, summary("", as_of_sequence=head + 1))
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.OUT_OF_RANGE, "SEQUENCE_AHEAD")


def test_pages_of_the_past_follow_each_other(ledger: Stub, portfolio: str, symbol: str) -> None:
    """All at one sequence, and of one request."""
    names = [f"{symbol}-{number}" for number in range(3)]
    sequence = max(ledger.CreateEntry(entry(portfolio, name)).sequence for name in names)
    ledger.CloseFifo(close(portfolio, names[2]))
    found, token = [], ""
    while True:
        page = ledger.GetSummary(summary(portfolio, as_of_sequence=sequence, page_size=1, page_token=token))
        assert page.sequence == sequence
        found += [position.symbol for position in page.positions]
        if not (token := page.next_page_token):
            break
    assert found == names
    first = ledger.GetSummary(summary(portfolio, as_of_sequence=sequence, page_size=1))
    other = summary(portfolio, as_of_sequence=sequence - 1, page_size=1, page_token=first.next_page_token)
    assert refused(ledger.GetSummary, other).metadata["cause"] == "other_request"


def test_cash_is_that_of_then(ledger: Stub, events: Stub, portfolio: str, symbol: str) -> None:
    """A deposit that came later is not there yet."""
    sequence = ledger.CreateEntry(entry(portfolio, symbol, "1", "100")).sequence
    later = events.RecordEvent(event(portfolio, "deposit", money=money("500"))).sequence
    cash = [ledger.GetSummary(summary(portfolio, as_of_sequence=at)).totals[0].cash for at in (sequence, later)]
    assert cash == ["-100", "400"]


def test_writes_go_on_while_a_long_past_is_folded(ledger: Stub, portfolio: str, symbol: str) -> None:
    """The journal is read in pages and folded in a thread: entries are acknowledged before the answer is there."""
    fills = [execution(symbol, fresh("f"), price=str(100 + number % 7)) for number in range(20_000)]
    parts = [message(portfolio, *fills[start : start + 1000]) for start in range(0, len(fills), 1000)]
    head = recorded(ledger, *parts)[-1][-1].sequence
    ledger.CreateEntry(entry(portfolio, symbol))
    answered = threading.Event()
    asked = ledger.GetSummary.future(summary(portfolio, as_of_sequence=head))
    asked.add_done_callback(lambda _: answered.set())
    meanwhile = 0
    while not answered.is_set():
        ledger.CreateEntry(entry(portfolio, f"{symbol}-beside"))
        meanwhile += not answered.is_set()
    assert asked.result().positions[0].total_quantity == "20000"
    assert meanwhile > 1
