"""GetSummary: positions and totals of one moment, over as many pages as it takes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc
import pytest

from lotkeeper.v1 import ledger_pb2
from lotkeeper.v1.ledger_service_pb2_grpc import LedgerServiceStub
from tests.contract import reading
from tests.contract.asking import FLAT, SHORT, close, entries, entry, fill, marks, summary
from tests.support.dialing import OWN_CONNECTION, dialed
from tests.support.refusals import Refused, refused
from tests.support.sidecar import Sidecar

Ledger = Any
"""The generated stub; gRPC writes no types for it."""

READS_PER_CALLER = 16


def held(ledger: Ledger, portfolio: str, count: int) -> list[str]:
    """Open so many positions, and name them in the order of a summary."""
    symbols = [f"{portfolio}-{number:03}" for number in range(count)]
    futures = [ledger.CreateEntry.future(entry(portfolio, symbol)) for symbol in reversed(symbols)]
    assert all(future.result() for future in futures)
    return symbols


def names(page: Any) -> list[str]:
    """The symbols of a page."""
    return [position.symbol for position in page.positions]


@pytest.fixture
def own(sidecar: Sidecar) -> Iterator[Ledger]:
    """A caller of its own: the reads it keeps are not those of other tests."""
    with dialed(sidecar.address, OWN_CONNECTION) as channel:
        yield LedgerServiceStub(channel)


def test_a_summary_says_what_ledger_it_is_and_when(
    sidecar: Sidecar, ledger: Ledger, portfolio: str, symbol: str
) -> None:
    """The identity that the server printed when it was ready, and the newest sequence."""
    sequence = ledger.CreateEntry(entry(portfolio, symbol)).sequence
    answer = ledger.GetSummary(summary(portfolio))
    assert (answer.ledger_id, answer.sequence) == (sidecar.ledger_id, sequence)
    assert (names(answer), answer.next_page_token) == ([symbol], "")


def test_flat_positions_appear_only_when_asked_for(ledger: Ledger, portfolio: str) -> None:
    """By name, or all of them; one that was never traded is no position."""
    a, b, c = held(ledger, portfolio, 3)
    ledger.CloseFifo(close(portfolio, b))
    assert names(ledger.GetSummary(summary(portfolio))) == [a, c]
    assert names(ledger.GetSummary(summary(portfolio, include_flat=True))) == [a, b, c]
    named = ledger.GetSummary(summary(portfolio, symbols=[b, a, b, "never traded"]))
    assert names(named) == [a, b]
    assert [position.side for position in named.positions][1] == FLAT


def test_totals_are_over_the_portfolio_not_over_the_page(ledger: Ledger, portfolio: str) -> None:
    """Nor over the symbols that were named: realized of what is flat counts, too."""
    a, b, _ = held(ledger, portfolio, 3)
    ledger.CloseFifo(close(portfolio, a, fee="1"))
    ledger.CloseFifo(close(portfolio, b, price="95", fee="0.5"))
    for request in (summary(portfolio), summary(portfolio, symbols=[a]), summary(portfolio, page_size=1)):
        (totals,) = ledger.GetSummary(request).totals
        assert (totals.gross_realized_pnl, totals.realized_fees, totals.net_realized_pnl) == ("5", "1.5", "3.5")
        assert (totals.currency, list(totals.unpriced_symbols), totals.unpriced_count) == (
            "USD",
            [f"{portfolio}-002"],
            1,
        )


def test_unknown_is_not_zero(ledger: Ledger, market: Any, portfolio: str) -> None:
    """Law 12: no mark, no unrealized P&L; of two positions one priced, the totals are of that one and name the other."""
    a, b = held(ledger, portfolio, 2)
    answer = ledger.GetSummary(summary(portfolio))
    assert [position.HasField("unrealized_pnl") for position in answer.positions] == [False, False]
    assert [position.HasField("mark_price") for position in answer.positions] == [False, False]
    (totals,) = answer.totals
    assert (totals.HasField("unrealized_pnl"), list(totals.unpriced_symbols)) == (False, [a, b])
    market.SetMarks(marks((a, "90")))
    priced, unpriced = ledger.GetSummary(summary(portfolio)).positions
    assert (priced.unrealized_pnl, priced.mark_price, priced.mark_source) == ("-10", "90", "api")
    assert not unpriced.HasField("unrealized_pnl")
    (totals,) = ledger.GetSummary(summary(portfolio)).totals
    assert (totals.unrealized_pnl, list(totals.unpriced_symbols), totals.unpriced_count) == ("-10", [b], 1)


def test_a_portfolio_with_nothing_open_has_nothing_unrealized(ledger: Ledger, portfolio: str, symbol: str) -> None:
    """Zero is known there; a flat position has none."""
    ledger.CreateEntry(entry(portfolio, symbol))
    ledger.CloseFifo(close(portfolio, symbol))
    (totals,) = ledger.GetSummary(summary(portfolio)).totals
    assert (totals.unrealized_pnl, totals.unpriced_count) == ("0", 0)


def test_the_first_hundred_unpriced_symbols_are_named_and_all_are_counted(ledger: Ledger, portfolio: str) -> None:
    """A book of 103 without a mark."""
    symbols = held(ledger, portfolio, 103)
    (totals,) = ledger.GetSummary(summary(portfolio, page_size=1)).totals
    assert (list(totals.unpriced_symbols), totals.unpriced_count) == (symbols[:100], 103)


def test_open_lots_come_with_the_position_when_asked_for(ledger: Ledger, portfolio: str, symbol: str) -> None:
    """Oldest first, as the list has them."""
    for quantity in ("1", "2", "3"):
        ledger.CreateEntry(entry(portfolio, symbol, quantity, side=SHORT))
    ledger.CloseFifo(close(portfolio, symbol, "2"))
    (position,) = ledger.GetSummary(summary(portfolio, include_entries=True)).positions
    assert list(position.entries) == reading.all_entries(ledger, portfolio, statuses=[])
    assert [lot.remaining_quantity for lot in position.entries] == ["1", "3"]
    assert not position.entries_truncated
    assert reading.position(ledger, portfolio, symbol).entries == []


def test_pages_follow_each_other_by_symbol(own: Ledger, portfolio: str) -> None:
    """Every position once; the size may change on the way; the last page says that it is."""
    symbols = held(own, portfolio, 7)
    found, token, sizes = [], "", iter((2, 1, 3, 5))
    while True:
        page = own.GetSummary(summary(portfolio, page_size=next(sizes), page_token=token))
        found.append(names(page))
        if not (token := page.next_page_token):
            break
    assert found == [symbols[:2], symbols[2:3], symbols[3:6], symbols[6:]]


def test_a_page_has_a_hundred_positions_unless_asked_otherwise(own: Ledger, portfolio: str) -> None:
    """0 means 100; more than 1000 is taken as 1000 and not refused."""
    symbols = held(own, portfolio, 101)
    first = own.GetSummary(summary(portfolio))
    assert (names(first), bool(first.next_page_token)) == (symbols[:100], True)
    assert names(own.GetSummary(summary(portfolio, page_token=first.next_page_token))) == symbols[100:]
    assert names(own.GetSummary(summary(portfolio, page_size=2_000_000_000))) == symbols


def test_a_paged_read_keeps_the_figures_of_its_first_page(own: Ledger, market: Any, portfolio: str) -> None:
    """Fills and marks go on; the read does not move: positions, totals and sequence are those of its first page."""
    symbols = held(own, portfolio, 4)
    market.SetMarks(marks(*[(symbol, "101") for symbol in symbols]))
    whole = own.GetSummary(summary(portfolio))
    first = own.GetSummary(summary(portfolio, page_size=1))
    own.CloseFifo(close(portfolio, symbols[1]))
    own.CreateEntry(entry(portfolio, symbols[2], "5"))
    own.RecordFill(fill(portfolio, f"{symbols[0]}-between", "9"))
    market.SetMarks(marks((symbols[3], "1")))
    second = own.GetSummary(summary(portfolio, page_size=3, page_token=first.next_page_token))
    assert [*first.positions, *second.positions] == list(whole.positions)
    assert (list(second.totals), second.sequence) == (list(whole.totals), whole.sequence)
    again = own.GetSummary(summary(portfolio, page_size=3, page_token=first.next_page_token))
    assert again == second
    assert own.GetSummary(summary(portfolio)).sequence == whole.sequence + 3


def _invalid(refusal: Refused, cause: str) -> None:
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_PAGE_TOKEN")
    assert refusal.metadata == {"cause": cause}


def test_a_token_of_another_request_is_refused(own: Ledger, portfolio: str) -> None:
    """Other symbols, flags or portfolio, and tokens of other methods."""
    symbols = held(own, portfolio, 3)
    held(own, portfolio + "b", 3)
    token = own.GetSummary(summary(portfolio, page_size=1)).next_page_token
    for other in (
        summary(portfolio + "b", page_token=token),
        summary(portfolio, symbols=symbols, page_token=token),
        summary(portfolio, include_flat=True, page_token=token),
        summary(portfolio, include_entries=True, page_token=token),
        summary(portfolio, as_of_sequence=reading.head(own), page_token=token),
    ):
        _invalid(refused(own.GetSummary, other), "other_request")
    listed = own.ListEntries(entries(portfolio, page_size=1)).next_page_token
    _invalid(refused(own.GetSummary, summary(portfolio, page_token=listed)), "other_request")
    _invalid(refused(own.ListEntries, entries(portfolio, page_token=token)), "other_request")


@pytest.mark.parametrize("token", ["x", "AAAA", "====", "é", "A" * 100_000, "W10=", "bnVsbA==", " "])
def test_a_token_that_is_none_is_refused(own: Ledger, portfolio: str, symbol: str, token: str) -> None:
    """Whatever it is: no server error, no first page."""
    own.CreateEntry(entry(portfolio, symbol))
    _invalid(refused(own.GetSummary, summary(portfolio, page_token=token)), "malformed")


def test_a_damaged_token_is_refused(own: Ledger, portfolio: str) -> None:
    """Every character of it counts."""
    held(own, portfolio, 3)
    token = own.GetSummary(summary(portfolio, page_size=1)).next_page_token
    for place in range(0, len(token) - 4, 3):
        damaged = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        _invalid(
            refused(own.GetSummary, summary(portfolio, page_token=damaged)),
            "malformed",
        )
    assert own.GetSummary(summary(portfolio, page_token=token)).positions


def test_a_caller_keeps_sixteen_reads_and_the_seventeenth_ends_its_oldest(
    sidecar: Sidecar, own: Ledger, portfolio: str
) -> None:
    """The other 16 go on, and another caller's reads are not touched."""
    symbols = held(own, portfolio, 2)
    with dialed(sidecar.address, OWN_CONNECTION) as channel:
        other = LedgerServiceStub(channel)
        others = other.GetSummary(summary(portfolio, page_size=1)).next_page_token
        tokens = [own.GetSummary(summary(portfolio, page_size=1)).next_page_token for _ in range(READS_PER_CALLER + 1)]
        _invalid(refused(own.GetSummary, summary(portfolio, page_token=tokens[0])), "evicted")
        for token in tokens[1:]:
            assert names(own.GetSummary(summary(portfolio, page_token=token))) == symbols[1:]
        assert names(other.GetSummary(summary(portfolio, page_token=others))) == symbols[1:]


def test_reads_of_one_page_end_nobodys(own: Ledger, portfolio: str) -> None:
    """Only a read that goes on is kept."""
    symbols = held(own, portfolio, 2)
    token = own.GetSummary(summary(portfolio, page_size=1)).next_page_token
    for _ in range(READS_PER_CALLER * 2):
        assert isinstance(own.GetSummary(summary(portfolio)).positions[0], ledger_pb2.Position)
    assert names(own.GetSummary(summary(portfolio, page_token=token))) == symbols[1:]
