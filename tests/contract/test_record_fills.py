"""RecordFills: many executions in few messages, one result for each, and books as if they had come one by one."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import pytest

from lotkeeper.v1 import error_reason_pb2, ledger_pb2
from lotkeeper.v1.ledger_service_pb2 import RecordFillRequest
from lotkeeper.v1.ledger_service_pb2_grpc import LedgerServiceStub
from tests.contract import reading
from tests.contract.asking import BUY, NOON, REJECT, SECOND, SELL, close, entry, fill, fresh, stamp
from tests.contract.following import following
from tests.contract.recording import execution, message, recorded, recording
from tests.support.dialing import OWN_CONNECTION, dialed
from tests.support.plain_sql import PlainSql
from tests.support.sidecar import Sidecar

Ledger = Any
"""The generated stub; gRPC writes no types for it."""


def told(results: list[Any]) -> list[tuple[str, str]]:
    """Of each result: what it realized, or why it was refused."""
    reasons = error_reason_pb2.ErrorReason
    return [
        (result.fill_id, reasons.Name(result.refusal).removeprefix("ERROR_REASON_"))
        if result.refusal
        else (result.fill_id, result.net_pnl)
        for result in results
    ]


# What is recorded.


def test_every_fill_has_its_result_in_the_order_of_the_message(ledger: Ledger, portfolio: str, symbol: str) -> None:
    """Lots 2 @ 100; sold 1 @ 110, then 3 @ 90: nets 9.5 and -10.25, and short 2 @ 90 is left, with its share of the fee."""
    (results,) = recorded(
        ledger,
        message(
            portfolio,
            execution(symbol, "a", "2", fee="1"),
            execution(symbol, "b", "1", "110", side=SELL),
            execution(symbol, "c", "3", "90", side=SELL, fee="-0.75"),
        ),
    )
    assert told(results) == [("a", "0"), ("b", "9.5"), ("c", "-10.25")]
    first = results[0].sequence
    assert [result.sequence for result in results] == [first, first + 1, first + 2]
    assert not any(result.replayed or result.message for result in results)
    position = reading.position(ledger, portfolio, symbol)
    assert (position.side, position.total_quantity) == (ledger_pb2.POSITION_SIDE_SHORT, "2")
    assert (position.average_entry_price, position.open_fees, position.net_realized_pnl) == ("90", "-0.5", "-0.75")


def test_an_empty_stream_and_an_empty_message_are_answered(ledger: Ledger, portfolio: str) -> None:
    """With nothing, and with no results; no portfolio is made for that."""
    assert recorded(ledger) == []
    assert recorded(ledger, message(portfolio)) == [[]]
    assert not reading.exists(ledger, portfolio)


def test_messages_are_answered_in_order_without_waiting_in_between(ledger: Ledger, portfolio: str, symbol: str) -> None:
    """Twenty are sent before the first answer is read; each sees what those before it did."""
    messages = [message(portfolio, execution(symbol, f"f{n}", side=SELL if n % 2 else BUY)) for n in range(20)]
    answers = recorded(ledger, *messages)
    assert [result.fill_id for results in answers for result in results] == [f"f{n}" for n in range(20)]
    sequences = [result.sequence for results in answers for result in results]
    assert sequences == sorted(sequences)
    assert len(reading.all_trades(ledger, portfolio)) == 10


def test_a_message_may_hold_many_books(ledger: Ledger, portfolio: str, symbol: str) -> None:
    """Two fills of each of fifty symbols, mixed; every book is right."""
    fills = [execution(f"{symbol}-{n % 50}", f"f{n}", "3", str(100 + n % 50)) for n in range(100)]
    recorded(ledger, message(portfolio, *fills))
    for n in (0, 49):
        position = reading.position(ledger, portfolio, f"{symbol}-{n}")
        assert (position.total_quantity, position.cost_basis) == ("6", str(6 * (100 + n)))


def test_bulk_and_one_by_one_give_the_same_books(ledger: Ledger, portfolio: str, symbol: str, seed: int) -> None:
    """Three hundred random fills of three symbols, both ways: positions, lots and trades agree but for what names the record."""
    draw = random.Random(seed)
    fills = [
        execution(
            f"{symbol}-{draw.randrange(3)}",
            f"f{n}",
            str(draw.randint(1, 50) / 10),
            str(draw.randint(9_000, 11_000) / 100),
            side=draw.choice([BUY, SELL]),
            fee=draw.choice(["", "0.1", "0.333333", "-0.07"]),
            order_id=draw.choice(["", "o"]),
            fill_time=stamp(NOON + draw.randrange(100) * SECOND),
        )
        for n in range(300)
    ]
    single, bulk = f"{portfolio}-single", f"{portfolio}-bulk"
    for each in fills:
        ledger.RecordFill(RecordFillRequest(portfolio_id=single, fill=each))
    answers = recorded(ledger, *(message(bulk, *fills[n : n + 70]) for n in range(0, 300, 70)))
    assert [result.fill_id for results in answers for result in results] == [each.fill_id for each in fills]
    assert without_records(reading.all_entries(ledger, bulk)) == without_records(reading.all_entries(ledger, single))
    assert without_records(reading.all_trades(ledger, bulk)) == without_records(reading.all_trades(ledger, single))
    for name in {each.symbol for each in fills}:
        (here,) = without_records([reading.position(ledger, bulk, name)])
        (there,) = without_records([reading.position(ledger, single, name)])
        assert here == there


def without_records(messages: list[Any]) -> list[Any]:
    """Copies without what names the record or the portfolio."""
    copies = []
    for each in messages:
        copy = type(each)()
        copy.CopyFrom(each)
        for name in ("entry_id", "trade_id", "portfolio_id", "sequence", "exit_sequence"):
            if name in copy.DESCRIPTOR.fields_by_name:
                copy.ClearField(name)
        copies.append(copy)
    return copies


def test_who_follows_the_stream_sees_the_facts_of_bulk(ledger: Ledger, portfolio: str, symbol: str) -> None:
    """Every lot as it was opened and every trade, numbered as the results say."""
    with following(ledger, portfolio) as follower:
        follower.snapshot()
        fills = [execution(symbol, f"f{n}", "1", str(100 + n), side=SELL if n % 3 == 2 else BUY) for n in range(90)]
        (results,) = recorded(ledger, message(portfolio, *fills))
        follower.reached(results[-1].sequence)
    assert [lot.sequence for lot in follower.entries] == [r.sequence for n, r in enumerate(results) if n % 3 != 2]
    assert [trade.sequence for trade in follower.trades] == [r.sequence for n, r in enumerate(results) if n % 3 == 2]
    assert follower.positions[portfolio, symbol] == reading.position(ledger, portfolio, symbol)


def test_plain_sql_reads_what_a_bulk_message_wrote(ledger: Ledger, portfolio: str, symbol: str, sql: PlainSql) -> None:
    """A lot opened and closed in one message is one row, closed; a lot closed in part is open with its rest."""
    recorded(
        ledger,
        message(
            portfolio,
            execution(symbol, "a"),
            execution(symbol, "b", "2"),
            execution(symbol, "c", "2", "101", side=SELL),
        ),
    )
    rows = sql.rows("SELECT * FROM position_entries WHERE portfolio_id = ? ORDER BY sequence", portfolio)
    assert [(row["entry_fill_id"], row["status"], Decimal(row["remaining_quantity"])) for row in rows] == [
        ("a", "CLOSED", Decimal(0)),
        ("b", "PARTIALLY_CLOSED", Decimal(1)),
    ]
    rows = sql.rows("SELECT * FROM completed_trades WHERE portfolio_id = ?", portfolio)
    assert [(row["exit_fill_id"], Decimal(row["net_pnl"])) for row in rows] == [("c", Decimal(1)), ("c", Decimal(1))]


# What is refused, and its neighbours.


def test_a_refused_fill_does_not_stop_its_batch(ledger: Ledger, portfolio: str, symbol: str) -> None:
    """More to sell than there is, where that is not allowed; the fill after it finds the book as it was before."""
    (results,) = recorded(
        ledger,
        message(
            portfolio,
            execution(symbol, "a", "2"),
            execution(symbol, "b", "3", side=SELL),
            execution(symbol, "c", "2", "101", side=SELL),
            excess_policy=REJECT,
        ),
    )
    assert told(results) == [("a", "0"), ("b", "INSUFFICIENT_QUANTITY"), ("c", "2")]
    assert results[1].sequence == 0
    assert "2 open" in results[1].message
    assert results[2].sequence == results[0].sequence + 1


def test_a_field_that_breaks_a_rule_is_its_own_fills_alone(ledger: Ledger, portfolio: str, symbol: str) -> None:
    """All its broken fields are named in words; every place in the message works."""
    (results,) = recorded(
        ledger,
        message(
            portfolio,
            execution("", "a", "0", "1e5"),
            execution(symbol, "b"),
            execution(symbol, "c", "-1"),
            execution(symbol, "d", "1", "103", side=SELL),
            execution(symbol, "e", fee_currency="\x07"),
        ),
    )
    assert told(results) == [
        ("a", "FIELD_VIOLATION"),
        ("b", "0"),
        ("c", "FIELD_VIOLATION"),
        ("d", "3"),
        ("e", "FIELD_VIOLATION"),
    ]
    assert [part.partition(":")[0] for part in results[0].message.split("; ")] == ["symbol", "quantity", "price"]
    assert "-1 is not greater than 0" in results[2].message


def test_a_message_of_refused_fills_alone_is_answered_and_the_next_is_recorded(
    ledger: Ledger, portfolio: str, symbol: str
) -> None:
    """Nothing of it reaches the writer; answers stay in order."""
    answers = recorded(
        ledger,
        message(portfolio, execution(symbol, "a", "x")),
        message(portfolio, execution(symbol, "b")),
    )
    assert [told(results) for results in answers] == [[("a", "FIELD_VIOLATION")], [("b", "0")]]


@pytest.mark.parametrize("letter", ["x", "値", "😀"], ids=["ASCII", "CJK", "emoji"])
def test_a_thousand_refusals_of_the_longest_ids_stay_below_a_mebibyte(
    ledger: Ledger, portfolio: str, letter: str
) -> None:
    """The answer is whole, and each refusal says as much as there is room for."""
    ids = [f"{n:04}{letter * 124}" for n in range(1000)]
    fills = [execution(letter * 65, fill_id, letter * 100, letter * 100, fee=letter * 100) for fill_id in ids]
    (answer,) = ledger.RecordFills(iter([message(portfolio, *fills)]))
    assert answer.ByteSize() < 1 << 20
    assert [result.fill_id for result in answer.results] == ids
    assert all(result.message.startswith("symbol: ") for result in answer.results)


# Law 8.


def test_a_fill_is_recorded_once_within_a_message_between_messages_and_beside_record_fill(
    ledger: Ledger, portfolio: str, symbol: str
) -> None:
    """Replays say what was recorded then: the sequence and the net, whoever recorded it."""
    ledger.RecordFill(fill(portfolio, symbol, "5", fill_id="a"))
    sold = execution(symbol, "b", "1", "110", side=SELL)
    answers = recorded(
        ledger,
        message(portfolio, execution(symbol, "a", "5.0"), sold, sold),
        message(portfolio, sold, execution(symbol, "c", "1", "120", side=SELL)),
    )
    assert [told(results) for results in answers] == [
        [("a", "0"), ("b", "10"), ("b", "10")],
        [("b", "10"), ("c", "20")],
    ]
    assert [[result.replayed for result in results] for results in answers] == [[True, False, True], [True, False]]
    assert len({result.sequence for results in answers for result in results if result.fill_id == "b"}) == 1
    again = ledger.RecordFill(fill(portfolio, symbol, "1", "120", side=SELL, fill_id="c"))
    assert (again.replayed, again.sequence) == (True, answers[1][1].sequence)
    assert again.position.total_quantity == "3"


def test_a_fill_id_with_another_content_is_a_conflict_in_its_result(
    ledger: Ledger, portfolio: str, symbol: str
) -> None:
    """In the same message and in a later one; the neighbours are recorded."""
    answers = recorded(
        ledger,
        message(portfolio, execution(symbol, "a"), execution(symbol, "a", "2"), execution(symbol, "b")),
        message(portfolio, execution(symbol, "a", "1", "99"), execution(symbol, "c")),
    )
    assert [told(results) for results in answers] == [
        [("a", "0"), ("a", "FILL_CONFLICT"), ("b", "0")],
        [("a", "FILL_CONFLICT"), ("c", "0")],
    ]
    assert "quantity 1, not 2" in answers[0][1].message
    assert reading.position(ledger, portfolio, symbol).total_quantity == "3"


def test_a_fill_that_was_entered_by_create_entry_is_found(ledger: Ledger, portfolio: str, symbol: str) -> None:
    """RecordFills looks at both roles."""
    first = ledger.CreateEntry(entry(portfolio, symbol, "2", entry_fill_id="a"))
    closed = ledger.CloseFifo(close(portfolio, symbol, "1", exit_fill_id="b"))
    (results,) = recorded(
        ledger, message(portfolio, execution(symbol, "a", "2"), execution(symbol, "b", "1", "110", side=SELL))
    )
    assert [(result.sequence, result.replayed) for result in results] == [
        (first.sequence, True),
        (closed.sequence, True),
    ]
    assert told(results) == [("a", "0"), ("b", "10")]


def test_a_whole_import_that_is_sent_again_is_replayed_after_a_restart(database_url: str) -> None:
    """SIGKILL in between: the same sequences and nets, and not one record more."""
    fills = [execution(f"S{n % 7}", fresh("f"), "1", str(100 + n), side=SELL if n % 2 else BUY) for n in range(500)]
    messages = [message("p", *fills[n : n + 100]) for n in range(0, 500, 100)]
    with Sidecar(database_url) as sidecar, dialed(sidecar.address, OWN_CONNECTION) as channel:
        ledger = LedgerServiceStub(channel)
        first = recorded(ledger, *messages)
        sidecar.kill()
        sidecar.restart()
        again = [list(answer.results) for answer in ledger.RecordFills(iter(messages), wait_for_ready=True)]
        assert [told(results) for results in again] == [told(results) for results in first]
        assert all(result.replayed for results in again for result in results)
        assert reading.head(ledger) == 500


def test_two_streams_that_bring_the_same_fills_record_them_once(
    sidecar: Sidecar, ledger: Ledger, portfolio: str, symbol: str
) -> None:
    """Two instances of one bot import the same file at once: each fill is new to one of them."""
    messages = [message(portfolio, *(execution(symbol, f"f{n}-{m}") for m in range(50))) for n in range(10)]
    with (
        dialed(sidecar.address, OWN_CONNECTION) as other,
        recording(ledger, messages) as one,
        recording(LedgerServiceStub(other), messages) as two,
    ):
        here = [result for results in one.rest() for result in results]
        there = [result for results in two.rest() for result in results]
    assert [result.sequence for result in here] == [result.sequence for result in there]
    assert all(mine.replayed is not theirs.replayed for mine, theirs in zip(here, there, strict=True))
    assert reading.position(ledger, portfolio, symbol).total_quantity == "500"
