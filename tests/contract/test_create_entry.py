"""CreateEntry opens one lot, and its answer is what is on disk."""

from __future__ import annotations

import time
from typing import Any

from google.protobuf import json_format

from lotkeeper.v1 import ledger_pb2
from tests.contract import asking, reading
from tests.contract.asking import LONG, NOON, OPEN, SECOND, SHORT, entry, nanoseconds, stamp
from tests.support.plain_sql import PlainSql

Ledger = Any
"""The generated stub; gRPC writes no types for it."""


def test_an_entry_comes_back_with_everything_the_caller_said(ledger: Ledger, portfolio: str, symbol: str) -> None:
    """Every field of the request stands in the lot, numbers without trailing zeros."""
    before = reading.head(ledger)
    answer = ledger.CreateEntry(
        entry(
            portfolio,
            symbol,
            quantity="2.500",
            price="100.10",
            side=SHORT,
            entry_time=stamp(NOON + 123_456_789),
            entry_order_id="o1",
            entry_fill_id="f1",
            fee="0.30",
            fee_currency="USD",
            group_id="g1",
            labels={"strategy": "s", "note": ""},
        )
    )
    assert answer.entry == ledger_pb2.Entry(
        entry_id=answer.entry.entry_id,
        portfolio_id=portfolio,
        symbol=symbol,
        side=SHORT,
        quantity="2.5",
        remaining_quantity="2.5",
        entry_price="100.1",
        entry_time=stamp(NOON + 123_456_789),
        entry_order_id="o1",
        entry_fill_id="f1",
        fee="0.3",
        fee_currency="USD",
        open_fee="0.3",
        status=OPEN,
        group_id="g1",
        labels={"strategy": "s", "note": ""},
        sequence=before + 1,
    )
    assert answer.entry.entry_id
    assert (answer.sequence, answer.replayed) == (before + 1, False)


def test_an_entry_answers_with_the_position_after_it(ledger: Ledger, portfolio: str, symbol: str) -> None:
    """Two lots: the average is weighted, the cost is exact, the fee stands beside it, and no price means no P&L."""
    ledger.CreateEntry(entry(portfolio, symbol, "1", "100", fee="0.1", entry_time=stamp(NOON)))
    answer = ledger.CreateEntry(entry(portfolio, symbol, "2", "103", fee="0.2", entry_time=stamp(NOON + SECOND)))
    assert answer.position == ledger_pb2.Position(
        portfolio_id=portfolio,
        symbol=symbol,
        side=LONG,
        total_quantity="3",
        average_entry_price="102",
        cost_basis="306",
        gross_realized_pnl="0",
        realized_fees="0",
        net_realized_pnl="0",
        open_fees="0.3",
        open_entry_count=2,
        first_entry_time=stamp(NOON),
        last_entry_time=stamp(NOON + SECOND),
        currency="USD",
        sequence=answer.sequence,
        multiplier="1",
        lot_method=ledger_pb2.LOT_METHOD_FIFO,
    )
    assert answer.position == reading.position(ledger, portfolio, symbol)


def test_what_is_left_out_gets_its_default(ledger: Ledger, portfolio: str, symbol: str) -> None:
    """Long, no fee, the ledger's currency, no group, no labels, and the server's clock."""
    started = time.time_ns()
    opened = ledger.CreateEntry(entry(portfolio, symbol)).entry
    assert (opened.side, opened.fee, opened.open_fee, opened.fee_currency) == (LONG, "0", "0", "USD")
    assert (opened.group_id, dict(opened.labels), opened.synthetic) == ("", {}, False)
    assert started <= nanoseconds(opened.entry_time) <= time.time_ns()


def test_an_empty_portfolio_is_the_default_one(ledger: Ledger, symbol: str) -> None:
    """It is there in every ledger, and entries without a portfolio go to it."""
    opened = ledger.CreateEntry(entry("", symbol)).entry
    assert opened.portfolio_id == "default"
    assert reading.position(ledger, "", symbol) == reading.position(ledger, "default", symbol)


def test_the_first_entry_makes_its_portfolio(ledger: Ledger, portfolio: str, symbol: str) -> None:
    """There is none before it."""
    assert not reading.exists(ledger, portfolio)
    ledger.CreateEntry(entry(portfolio, symbol))
    assert reading.exists(ledger, portfolio)


def test_an_entry_without_a_time_is_never_older_than_the_newest_in_its_book(
    ledger: Ledger, portfolio: str, symbol: str
) -> None:
    """The bot's clock may be ahead of the server's; the order stays that of arrival."""
    ahead = time.time_ns() + 3600 * SECOND
    ledger.CreateEntry(entry(portfolio, symbol, entry_time=stamp(ahead)))
    assert nanoseconds(ledger.CreateEntry(entry(portfolio, symbol)).entry.entry_time) == ahead


def test_a_late_entry_takes_its_place_among_the_open_lots(ledger: Ledger, portfolio: str, symbol: str) -> None:
    """Lots stand in the order (entry_time, sequence), not in that of arrival; equal times keep the order of arrival."""
    for price, seconds in (("3", 30), ("1", 10), ("2", 10), ("4", 30)):
        ledger.CreateEntry(entry(portfolio, symbol, price=price, entry_time=stamp(NOON + seconds * SECOND)))
    assert [lot.entry_price for lot in reading.all_entries(ledger, portfolio)] == ["1", "2", "3", "4"]
    closed = ledger.CloseFifo(asking.close(portfolio, symbol, close_all=True)).closed_trades
    assert [trade.entry_price for trade in closed] == ["1", "2", "3", "4"]


def test_every_digit_is_kept(ledger: Ledger, portfolio: str, symbol: str) -> None:
    """20 integer and 18 fraction digits in, a product of 76 digits out; nothing is ever rounded."""
    most = "99999999999999999999.999999999999999999"
    answer = ledger.CreateEntry(entry(portfolio, symbol, most, most, fee="-0.000000000000000001"))
    assert (answer.entry.quantity, answer.entry.entry_price) == (most, most)
    digits = int(most.replace(".", ""))
    assert answer.position.cost_basis.replace(".", "") == str(digits * digits)
    assert (answer.entry.fee, answer.position.open_fees) == ("-0.000000000000000001",) * 2
    assert answer.position == reading.position(ledger, portfolio, symbol)


def test_a_fee_in_another_currency_waits_for_a_rate(ledger: Ledger, portfolio: str, symbol: str) -> None:
    """It is listed beside the figures and is in none of them: what has no rate is not zero (law 12)."""
    answer = ledger.CreateEntry(entry(portfolio, symbol, fee="0.3", fee_currency="BNB"))
    opened, position = answer.entry, answer.position
    assert (opened.fee, opened.fee_currency, opened.open_fee, opened.fee_pending) == ("0.3", "BNB", "0", True)
    assert (position.open_fees, position.provisional) == ("0", True)
    assert list(position.unconverted_fees) == [ledger_pb2.Money(currency="BNB", amount="0.3")]
    assert position == reading.position(ledger, portfolio, symbol)
    assert reading.all_entries(ledger, portfolio) == [opened]


def test_a_price_of_zero_is_a_price(ledger: Ledger, portfolio: str, symbol: str) -> None:
    """Airdrops and expired options cost nothing."""
    answer = ledger.CreateEntry(entry(portfolio, symbol, price="0"))
    assert (answer.entry.entry_price, answer.position.average_entry_price) == ("0", "0")


def test_ids_and_labels_may_be_as_long_as_the_contract_says_in_any_script(
    ledger: Ledger, portfolio: str, symbol: str
) -> None:
    """128 characters for ids, 64 for names, 256 for label values, 32 labels; characters, not bytes."""
    labels = {f"{number:02}" + "ключ" * 15 + "ab": "値" * 256 for number in range(32)}
    opened = ledger.CreateEntry(
        entry(
            portfolio,
            symbol + "é" * (64 - len(symbol)),
            request_id="я" * 128,
            entry_order_id="o" * 128,
            entry_fill_id="f" * 128,
            group_id="g" * 128,
            labels=labels,
        )
    ).entry
    assert dict(opened.labels) == labels
    assert reading.all_entries(ledger, portfolio) == [opened]


def test_an_acknowledged_entry_is_in_the_database(ledger: Ledger, portfolio: str, symbol: str, sql: PlainSql) -> None:
    """The answer left after the commit: another connection sees the journal record and the lot."""
    answer = ledger.CreateEntry(entry(portfolio, symbol))
    assert sql.rows("SELECT symbol FROM journal WHERE sequence = ?", answer.sequence) == [{"symbol": symbol}]
    assert sql.rows("SELECT entry_id FROM position_entries WHERE portfolio_id = ?", portfolio) == [
        {"entry_id": answer.entry.entry_id}
    ]


def test_sequences_follow_each_other_without_a_gap(ledger: Ledger, portfolio: str, symbol: str) -> None:
    """Refusals use up none."""
    first = ledger.CreateEntry(entry(portfolio, symbol)).sequence
    for request in (entry(portfolio, symbol, "0"), entry(portfolio, symbol, side=SHORT)):
        assert ledger.CreateEntry.future(request).exception() is not None
    assert ledger.CreateEntry(entry(portfolio, symbol)).sequence == first + 1


def test_an_entry_reads_the_same_in_its_answer_and_in_the_list(ledger: Ledger, portfolio: str, symbol: str) -> None:
    """Memory and disk tell one story."""
    opened = ledger.CreateEntry(entry(portfolio, symbol, "0.10", "1.50", labels={"a": "b"})).entry
    (listed,) = ledger.ListEntries(asking.entries(portfolio)).entries
    assert json_format.MessageToDict(listed) == json_format.MessageToDict(opened)
