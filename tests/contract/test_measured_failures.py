"""What the replaced systems got wrong, as it was measured, and the truth that this ledger gives.

The names are those of the design's table of measured failures. Every row of recorded executions is played twice: on the
shared server, and on one that is killed and started again before the truth is looked at.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, NamedTuple

import grpc
import pytest

from lotkeeper.v1 import ledger_service_pb2, reconciliation_pb2
from lotkeeper.v1.ledger_service_pb2_grpc import LedgerServiceStub
from tests.contract import reading
from tests.contract.asking import (
    BUY,
    FLAT,
    LONG,
    NOON,
    REVERSE,
    SECOND,
    SELL,
    SHORT,
    close,
    entry,
    fill,
    stamp,
)
from tests.support.dialing import OWN_CONNECTION, dialed
from tests.support.plain_sql import PlainSql
from tests.support.refusals import refused
from tests.support.sidecar import Sidecar

Ledger = Any
"""The generated stub; gRPC writes no types for it."""

RECORDED, REPLAYED = "recorded", "replayed"
SOON = NOON + 300_000_000


class Step(NamedTuple):
    """One call, and what becomes of it: recorded, replayed, or the reason of a refusal."""

    make: Any
    quantity: str
    price: str
    fields: dict[str, Any]
    becomes: str = RECORDED


class Row(NamedTuple):
    """A measured failure; afterwards these (quantity, gross) trades are there, and this (side, quantity, average)."""

    case: str
    steps: list[Step]
    trades: list[tuple[str, str]]
    position: tuple[int, str, str]


def _buy(quantity: str, price: str, time: int = NOON, **fields: Any) -> Step:
    return Step(entry, quantity, price, {"entry_time": stamp(time)} | fields)


def _sell(quantity: str, price: str, becomes: str = RECORDED, time: int = NOON + SECOND, **fields: Any) -> Step:
    return Step(close, quantity, price, {"exit_time": stamp(time)} | fields, becomes)


def _fill(quantity: str, price: str, side: int, becomes: str = RECORDED, **fields: Any) -> Step:
    return Step(fill, quantity, price, {"side": side} | fields, becomes)


ROWS = [
    Row(
        "two lots bought 0.3 s apart, one sell closes both",
        [_buy("1", "100"), _buy("1", "101", SOON), _sell("2", "110")],
        [("1", "10"), ("1", "9")],
        (FLAT, "0", ""),
    ),
    Row(
        "one lot closed by two sells within a second",
        [_buy("2", "100"), _sell("1", "110", time=SOON), _sell("1", "95", time=SOON + 1)],
        [("1", "10"), ("1", "-5")],
        (FLAT, "0", ""),
    ),
    Row(
        "two fills with one venue timestamp",
        [_buy("1", "100", entry_fill_id="a"), _buy("1", "104", entry_fill_id="b")],
        [],
        (LONG, "2", "102"),
    ),
    Row(
        "the same sell delivered twice",
        [
            _buy("3", "100"),
            _sell("1", "110", exit_fill_id="x"),
            _sell("1", "110", REPLAYED, exit_fill_id="x"),
        ],
        [("1", "10")],
        (LONG, "2", "100"),
    ),
    Row(
        "the same fill from two bot instances",
        [
            _fill("1", "100", BUY, fill_id="f", labels={"instance": "1"}),
            _fill("1.0", "100.00", BUY, REPLAYED, fill_id="f", labels={"instance": "2"}),
        ],
        [],
        (LONG, "1", "100"),
    ),
    Row(
        "sell 5 with 1 open (refused)",
        [_buy("1", "100"), _sell("5", "110", "INSUFFICIENT_QUANTITY")],
        [],
        (LONG, "1", "100"),
    ),
    Row(
        "sell 5 with 1 open (closed 1 and opened short 4 when asked)",
        [_buy("1", "100"), _sell("5", "110", excess_policy=REVERSE)],
        [("1", "10")],
        (SHORT, "4", "110"),
    ),
    Row(
        "short opened at 100, covered at 90, 1 unit",
        [_buy("1", "100", side=SHORT), _sell("1", "90")],
        [("1", "10")],
        (FLAT, "0", ""),
    ),
    Row(
        "exit_time equal to entry_time",
        [_buy("1", "100"), _sell("1", "103", time=NOON)],
        [("1", "3")],
        (FLAT, "0", ""),
    ),
    Row(
        "partial close of a winning position",
        [_buy("10", "100"), _sell("4", "125")],
        [("4", "100")],
        (LONG, "6", "100"),
    ),
    Row(
        "buy 100 @ 150, sell 25 @ 155",
        [_fill("100", "150", BUY), _fill("25", "155", SELL)],
        [("25", "125")],
        (LONG, "75", "150"),
    ),
    Row(
        "long 1, then sell 3 @ 110 in one fill",
        [_fill("1", "100", BUY), _fill("3", "110", SELL)],
        [("1", "10")],
        (SHORT, "2", "110"),
    ),
]

BY_THEMSELVES = {"failure while closing the 2nd of 3 lots", "state file torn by a crash"}
"""Rows that need more than calls; each has a test below."""


class BrokerRow(NamedTuple):
    """We hold 10 long at 100, and the broker says ``positions``, all of them when ``complete``: this is found, if anything."""

    positions: list[tuple[Any, str]]
    complete: bool
    found: list[tuple[int, str, str]]


BROKER_ROWS = {
    "broker holds 4 of our 10": BrokerRow(
        [(LONG, "4")], True, [(reconciliation_pb2.DISCREPANCY_KIND_QUANTITY_MISMATCH, "10", "4")]
    ),
    "broker holds 10 short, we hold 10 long": BrokerRow(
        [(SHORT, "10")], True, [(reconciliation_pb2.DISCREPANCY_KIND_SIDE_MISMATCH, "10", "-10")]
    ),
    "broker error delivered as an empty list": BrokerRow([], False, []),
}


def play(ledger: Ledger, portfolio: str, symbol: str, row: Row) -> None:
    """Send every step; each becomes what the row says."""
    for step in row.steps:
        request = step.make(portfolio, symbol, step.quantity, step.price, **step.fields)
        call = {entry: ledger.CreateEntry, close: ledger.CloseFifo, fill: ledger.RecordFill}[step.make]
        if step.becomes in (RECORDED, REPLAYED):
            assert call(request).replayed == (step.becomes == REPLAYED)
        else:
            assert refused(call, request).reason == step.becomes


def is_true(ledger: Ledger, portfolio: str, symbol: str, row: Row) -> None:
    """The trades, the position and the realized P&L are those of the row."""
    trades = reading.all_trades(ledger, portfolio, symbol=symbol)
    assert [(trade.quantity, trade.gross_pnl) for trade in trades] == row.trades
    position = reading.position(ledger, portfolio, symbol)
    assert (position.side, position.total_quantity, position.average_entry_price) == row.position
    assert Decimal(position.gross_realized_pnl) == sum(Decimal(gross) for _, gross in row.trades)
    entries = reading.all_entries(ledger, portfolio, symbol=symbol)
    opened = sum(Decimal(lot.quantity) for lot in entries)
    still_open = sum(Decimal(lot.remaining_quantity) for lot in entries)
    assert still_open == Decimal(position.total_quantity)
    assert opened == still_open + sum(Decimal(quantity) for quantity, _ in row.trades)


@pytest.mark.parametrize("row", ROWS, ids=[row.case for row in ROWS])
def test_the_truth_is_told(ledger: Ledger, portfolio: str, symbol: str, row: Row) -> None:
    """Row by row."""
    play(ledger, portfolio, symbol, row)
    is_true(ledger, portfolio, symbol, row)


def test_state_file_torn_by_a_crash(database_url: str) -> None:
    """Every row is played, the server is killed and started again: everything acknowledged is there, to the digit."""
    with Sidecar(database_url) as sidecar, dialed(sidecar.address, OWN_CONNECTION) as channel:
        ledger = LedgerServiceStub(channel)
        for number, row in enumerate(ROWS):
            play(ledger, f"p{number}", "S", row)
        head = reading.head(ledger)
        sidecar.kill()
        sidecar.restart()
        assert ledger.GetSummary(ledger_service_pb2.GetSummaryRequest(), wait_for_ready=True).sequence == head
        for number, row in enumerate(ROWS):
            is_true(ledger, f"p{number}", "S", row)


def test_failure_while_closing_the_2nd_of_3_lots(ledger: Ledger, portfolio: str, symbol: str, sql: PlainSql) -> None:
    """The database refuses the second trade: nothing has changed, not even the first lot; then the retry closes all 3."""
    for price in ("100", "101", "102"):
        ledger.CreateEntry(entry(portfolio, symbol, price=price))
    before, lots = reading.position(ledger, portfolio, symbol), reading.all_entries(ledger, portfolio)
    stored = sql.rows("SELECT * FROM position_entries WHERE portfolio_id = ? ORDER BY sequence", portfolio)
    request = close(portfolio, symbol, "3", exit_fill_id="x")
    with sql.refusing("completed_trades", f"""NEW.symbol = '{symbol}' AND NEW."index" = 1"""):
        assert refused(ledger.CloseFifo, request).code is grpc.StatusCode.INTERNAL
        assert reading.position(ledger, portfolio, symbol) == before
        assert reading.all_entries(ledger, portfolio) == lots
        assert reading.all_trades(ledger, portfolio) == []
        assert sql.rows("SELECT * FROM position_entries WHERE portfolio_id = ? ORDER BY sequence", portfolio) == stored
    answer = ledger.CloseFifo(request)
    assert (answer.replayed, answer.closed_trade_count, answer.gross_pnl) == (False, 3, "27")


@pytest.mark.parametrize("mode", [reconciliation_pb2.RECONCILE_MODE_DRY_RUN, reconciliation_pb2.RECONCILE_MODE_APPLY])
@pytest.mark.parametrize("row", BROKER_ROWS.values(), ids=BROKER_ROWS)
def test_what_the_broker_holds_is_noticed_and_closes_nothing_by_itself(
    ledger: Ledger, portfolio: str, symbol: str, row: BrokerRow, mode: Any
) -> None:
    """No execution says what happened, so nothing changes, applied or not."""
    ledger.CreateEntry(entry(portfolio, symbol, "10", "100"))
    held = [
        reconciliation_pb2.BrokerPosition(symbol=symbol, side=side, quantity=quantity)
        for side, quantity in row.positions
    ]
    statement = reconciliation_pb2.BrokerStatement(positions=held, positions_complete=row.complete)
    statement.as_of.GetCurrentTime()

    report = ledger.Reconcile(
        reconciliation_pb2.ReconcileRequest(
            request_id=f"{portfolio}-r", portfolio_ids=[portfolio], mode=mode, statement=statement
        )
    )

    assert [(one.kind, one.ledger_quantity, one.broker_quantity) for one in report.discrepancies] == row.found
    assert (report.complete, any(one.applied for one in report.discrepancies)) == (row.complete, False)
    position = reading.position(ledger, portfolio, symbol)
    assert (position.side, position.total_quantity, position.average_entry_price) == (LONG, "10", "100")


def test_every_measured_failure_has_its_row() -> None:
    """There are 16."""
    assert len(BROKER_ROWS) + len(BY_THEMSELVES) + len({row.case.partition(" (")[0] for row in ROWS}) == 16
