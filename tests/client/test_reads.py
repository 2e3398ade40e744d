"""What the blocking client asks and how it puts long answers together, word by word."""

import datetime as dt
from decimal import Decimal

import grpc
import pytest

from lotkeeper import EntryStatus, LotMethod, Mark, Time
from lotkeeper.calls import PAGE_SIZE
from lotkeeper.errors import Unavailable
from lotkeeper.v1 import ledger_service_pb2, market_service_pb2
from tests.client import samples
from tests.client.conversation import LONGEST_WAIT, Conversation

MARKED = market_service_pb2.SetMarksResponse(accepted_count=2, outdated_count=1)


def summary_page(symbol: str, token: str) -> ledger_service_pb2.GetSummaryResponse:
    """One page of one position."""
    return ledger_service_pb2.GetSummaryResponse(
        positions=[samples.position(symbol)],
        totals=[samples.totals()],
        sequence=7,
        ledger_id=samples.LEDGER_ID,
        next_page_token=token,
    )


def test_a_summary_is_all_its_pages(talk: Conversation) -> None:
    """Each asked for with the same question and the token of the one before."""
    asked = talk.ask(lambda ledger: ledger.get_summary(symbols=["A", "B"], include_flat=True, as_of_sequence=7))
    first = talk.answer("GetSummary", summary_page("A", "t1"))
    second = talk.answer("GetSummary", summary_page("B", ""))
    assert (first.page_token, second.page_token) == ("", "t1")
    second.page_token = ""
    assert first == second
    assert first == ledger_service_pb2.GetSummaryRequest(
        portfolio_id="p", symbols=["A", "B"], include_flat=True, as_of_sequence=7, page_size=PAGE_SIZE
    )
    summary = asked.result(LONGEST_WAIT)
    assert [position.symbol for position in summary.positions] == ["A", "B"]
    assert (summary.sequence, summary.ledger_id, len(summary.totals)) == (7, samples.LEDGER_ID, 1)


def test_a_past_state_is_valued_at_the_callers_marks(talk: Conversation) -> None:
    """And the same executions may be matched by another method."""
    asked = talk.ask(
        lambda ledger: ledger.get_summary(
            as_of_time=samples.NOON, lot_method=LotMethod.AVERAGE, marks={"BTC-USD": Decimal("101.5"), "EURUSD": "1.1"}
        )
    )
    request = talk.answer("GetSummary", summary_page("A", ""))
    assert request == ledger_service_pb2.GetSummaryRequest(
        portfolio_id="p",
        page_size=PAGE_SIZE,
        as_of_time=samples.stamp(),
        lot_method="LOT_METHOD_AVERAGE",
        marks=[{"symbol": "BTC-USD", "price": "101.5"}, {"symbol": "EURUSD", "price": "1.1"}],
    )
    asked.result(LONGEST_WAIT)
    with pytest.raises(TypeError, match=r"^price of X: 1\.5 is a float"):
        talk.ledger.get_summary(marks={"X": 1.5})  # type: ignore[dict-item] # the mistake under test


def test_a_summary_tells_of_groups_and_of_the_base_currency(talk: Conversation) -> None:
    """The groups come with the first page, whatever is open with the others."""
    asked = talk.ask(lambda ledger: ledger.get_summary(include_groups=True, group_ids=["g1"]))
    first, last = summary_page("A", "t1"), summary_page("B", "")
    first.groups.add().CopyFrom(samples.group_pnl())
    last.base_totals.CopyFrom(samples.base_totals())
    request = talk.answer("GetSummary", first)
    talk.answer("GetSummary", last)
    assert (request.include_groups, list(request.group_ids)) == (True, ["g1"])
    summary = asked.result(LONGEST_WAIT)
    assert [group.entry_credit for group in summary.groups] == [780]
    assert summary.base_totals is not None
    assert (summary.base_totals.total_value, summary.base_totals.funding) == (Decimal("1000.5"), Decimal("-0.3"))
    (rate,) = summary.base_totals.rates
    assert (rate.from_currency, rate.to_currency, rate.rate, rate.rate_time) == (
        "EUR",
        "USD",
        Decimal("1.1"),
        samples.NOON,
    )
    assert summary.base_totals.unconverted_currencies == ("XYZ",)


def test_a_summary_has_one_deadline_for_all_its_pages(talk: Conversation) -> None:
    """What the first page took, the second has not."""
    asked = talk.ask(lambda ledger: ledger.get_summary(timeout=0.3))
    talk.refuse("GetSummary", grpc.StatusCode.UNAVAILABLE, "gone")
    talk.refuse("GetSummary", grpc.StatusCode.UNAVAILABLE, "gone")
    talk.answer("GetSummary", summary_page("A", "t1"))
    talk.refuse("GetSummary", grpc.StatusCode.UNAVAILABLE, "gone")
    talk.refuse("GetSummary", grpc.StatusCode.UNAVAILABLE, "gone")
    with pytest.raises(Unavailable):
        asked.result(LONGEST_WAIT)
    assert talk.pauses == [0.05, 0.1, 0.05]


def test_entries_are_fetched_page_by_page_as_they_are_read(talk: Conversation) -> None:
    """An empty page in between is no end."""
    entries = talk.ledger.list_entries(symbol="X", statuses=[EntryStatus.CLOSED])
    first = talk.ask(lambda _: next(entries))
    request = talk.answer(
        "ListEntries", ledger_service_pb2.ListEntriesResponse(entries=[samples.entry(1)], next_page_token="t1")
    )
    assert (request.symbol, list(request.statuses), request.portfolio_id) == ("X", [EntryStatus.CLOSED], "p")
    assert first.result(LONGEST_WAIT).entry_id == "e1"
    rest = talk.ask(lambda _: list(entries))
    assert talk.answer("ListEntries", ledger_service_pb2.ListEntriesResponse(next_page_token="t2")).page_token == "t1"
    last = talk.answer("ListEntries", ledger_service_pb2.ListEntriesResponse(entries=[samples.entry(2)]))
    assert last.page_token == "t2"
    assert [entry.entry_id for entry in rest.result(LONGEST_WAIT)] == ["e2"]


def test_closed_trades_come_with_their_totals(talk: Conversation) -> None:
    """The sums are there before the first trade is read, and the page they came with is not fetched again."""
    closed = talk.ledger.list_closed_trades(
        symbol="X",
        start_time=Time(1),
        end_time=Time(2),
        sequence=3,
        exit_fill_id="f",
        group_id="g",
        labels={"a": "b"},
        page_size=10,
    )
    sums = talk.ask(lambda _: closed.totals())
    request = talk.answer(
        "ListClosedTrades",
        ledger_service_pb2.ListClosedTradesResponse(
            closed_trades=[samples.closed_trade()], totals=[samples.totals("5")]
        ),
    )
    assert request == ledger_service_pb2.ListClosedTradesRequest(
        portfolio_id="p",
        symbol="X",
        start_time=samples.stamp(1),
        end_time=samples.stamp(2),
        page_size=10,
        sequence=3,
        exit_fill_id="f",
        group_id="g",
        labels={"a": "b"},
    )
    assert [each.net_realized_pnl for each in sums.result(LONGEST_WAIT)] == [Decimal(5)]
    assert [trade.net_pnl for trade in talk.ask(lambda _: list(closed)).result(LONGEST_WAIT)] == [Decimal("0.96")]
    assert [each.net_realized_pnl for each in closed.totals()] == [Decimal(5)]


def test_closed_trades_of_a_day_may_include_the_superseded(talk: Conversation) -> None:
    """The day is one in the portfolio's time zone, so the server finds it."""
    closed = talk.ledger.list_closed_trades(day=dt.date(2025, 12, 19), include_superseded=True)
    listed = talk.ask(lambda _: list(closed))
    superseded = samples.closed_trade()
    superseded.superseded_by = "t9-0"
    request = talk.answer("ListClosedTrades", ledger_service_pb2.ListClosedTradesResponse(closed_trades=[superseded]))
    assert (request.day, request.include_superseded) == ("2025-12-19", True)
    assert [trade.superseded_by for trade in listed.result(LONGEST_WAIT)] == ["t9-0"]
    today = talk.ask(lambda ledger: list(ledger.list_closed_trades(day="today")))
    assert talk.answer("ListClosedTrades", ledger_service_pb2.ListClosedTradesResponse()).day == "today"
    assert today.result(LONGEST_WAIT) == []


def test_marks_are_prices_by_symbol(talk: Conversation) -> None:
    """The short way."""
    marks: dict[str, Decimal | int | str] = {"A": Decimal("1.5"), "B": 2}
    asked = talk.ask(lambda ledger: ledger.set_marks(marks=marks, source="bot"))
    assert talk.answer("SetMarks", MARKED) == market_service_pb2.SetMarksRequest(
        marks=[{"symbol": "A", "price": "1.5"}, {"symbol": "B", "price": "2"}], source="bot"
    )
    result = asked.result(LONGEST_WAIT)
    assert (result.accepted_count, result.outdated_count) == (2, 1)


def test_marks_say_when_they_were_observed(talk: Conversation) -> None:
    """The long way, with bid and ask; what the server fills in is not sent."""
    mark = Mark("A", Decimal(1), Time(samples.NOON), "feed", stale=True, bid=Decimal("0.9"), ask=Decimal("1.1"))
    talk.ask(lambda ledger: ledger.set_marks(marks=[mark]))
    assert talk.answer("SetMarks", MARKED) == market_service_pb2.SetMarksRequest(
        marks=[{"symbol": "A", "price": "1", "observe_time": samples.stamp(), "bid": "0.9", "ask": "1.1"}]
    )


def test_listed_marks_say_how_their_feeds_are(talk: Conversation) -> None:
    """What is not known is None."""
    asked = talk.ask(lambda ledger: ledger.list_marks(symbols=["A"]))
    request = talk.answer(
        "ListMarks",
        market_service_pb2.ListMarksResponse(
            marks=[{"symbol": "A", "price": "1.5", "stale": True}], feeds=[{"source": "api", "message_count": 3}]
        ),
    )
    assert list(request.symbols) == ["A"]
    result = asked.result(LONGEST_WAIT)
    assert (result.marks[0].price, result.marks[0].bid, result.marks[0].stale) == (Decimal("1.5"), None, True)
    assert (result.feeds[0].message_count, result.feeds[0].last_message_time) == (3, None)
