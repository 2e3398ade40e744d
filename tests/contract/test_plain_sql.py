"""Law 9: position_entries, completed_trades and current_positions are plain SQL, and always say what the calls say.

Columns are named as the contract's fields. Sides are LONG, SHORT and FLAT, times nanoseconds UTC, labels a JSON object, and
an amount is the same number to the last digit. What took a trade's place stands as two numbers, which make its trade_id.
"""

from __future__ import annotations

import json
import random
from decimal import Decimal
from typing import Any

import pytest
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from lotkeeper.v1 import ledger_pb2
from lotkeeper.v1.ledger_pb2 import Money
from lotkeeper.v1.ledger_service_pb2 import LATE_POLICY_AS_RECORDED as AS_RECORDED
from lotkeeper.v1.ledger_service_pb2 import LATE_POLICY_IN_TIME_ORDER as IN_TIME_ORDER
from tests.contract import reading
from tests.contract.asking import BUY, NOON, SECOND, SELL, close, entry, fill, nanoseconds, stamp, summary
from tests.support.plain_sql import PlainSql, Row

Ledger = Any
"""The generated stub; gRPC writes no types for it."""

TABLES: dict[str, Any] = {"position_entries": ledger_pb2.Entry, "completed_trades": ledger_pb2.ClosedTrade}

NOT_STORED = {
    "unrealized_pnl",
    "mark_price",
    "mark_time",
    "mark_source",
    "mark_stale",
    "entries",
    "entries_truncated",
    "multiplier",
    "lot_method",
}
"""Of a position: values that a mark makes, lots that have a table of their own, terms of instruments and portfolios."""

AS_NUMBERS = {"superseded_by": {"superseded_sequence", "superseded_index"}}
"""Fields that stand in several columns."""


def in_sql(message: Message) -> dict[str, Any]:
    """A message as a row must show it: by field name, decimals as numbers, unset as None."""
    shown: dict[str, Any] = {}
    for field in message.DESCRIPTOR.fields:
        value = getattr(message, field.name)
        if field.has_presence and not message.HasField(field.name):
            shown[field.name] = None
        elif isinstance(value, Timestamp):
            shown[field.name] = nanoseconds(value)
        elif field.enum_type is not None:
            name = field.enum_type.values_by_number[value].name
            name = name.removeprefix("POSITION_SIDE_").removeprefix("ENTRY_STATUS_")
            shown[field.name] = "" if name == "UNSPECIFIED" else name
        elif field.name == "labels":
            shown[field.name] = dict(value)
        else:
            shown[field.name] = value
    return shown


def as_shown(row: Row, message: dict[str, Any]) -> Row:
    """A row with its columns as ``in_sql`` has them."""
    shown = dict(row)
    if "superseded_sequence" in row:
        sequence, index = shown.pop("superseded_sequence"), shown.pop("superseded_index")
        shown["superseded_by"] = "" if sequence is None else f"T{sequence}.{index}"
        shown["exit_sequence"] = row["exit_sequence"] or row["sequence"]  # NULL but after a correction
    for name, value in list(shown.items()):
        if name == "labels":
            shown[name] = json.loads(value) if value else {}
        elif name == "unconverted_fees":
            shown[name] = [Money(currency=currency, amount=amount) for currency, amount in json.loads(value or "[]")]
        elif name == "fee_rate":
            shown[name] = value or None
        elif isinstance(message[name], bool):
            shown[name] = bool(value)
        elif isinstance(value, Decimal | str) and isinstance(message[name], str) and name not in _TEXTS:
            assert Decimal(value) == Decimal(message[name]), name
            shown[name] = message[name]
    return shown


_TEXTS = {
    field.name
    for kind in (ledger_pb2.Entry, ledger_pb2.ClosedTrade, ledger_pb2.Position)
    for field in kind.DESCRIPTOR.fields
    if field.name.endswith(("_id", "_reason", "_currency", "currency", "symbol", "side", "status", "_by"))
}
"""Columns that are text and no amount."""


@pytest.fixture
def traded(ledger: Ledger, portfolio: str, seed: int) -> str:
    """A portfolio after 150 random fills of three symbols, late ones, restating ones and flips, with awkward numbers."""
    chance = random.Random(seed)
    for number in range(150):
        symbol = chance.choice("ABC")
        quantity = str(Decimal(chance.randrange(1, 10**6)) / 10 ** chance.randrange(7))
        ledger.RecordFill(
            fill(
                portfolio,
                symbol,
                quantity,
                str(Decimal(chance.randrange(10**9)) / 10 ** chance.randrange(5)),
                side=chance.choice((BUY, SELL)),
                fee=str(Decimal(chance.randrange(-99, 999)) / 700).partition("E")[0][:18],
                fill_time=stamp(NOON + chance.randrange(1000) * SECOND + number),
                fill_id=f"f{number}",
                order_id=f"o{number // 3}",
                reason=chance.choice(("signal", "stop_loss", "")),
                group_id=chance.choice(("g", "")),
                labels={"strategy": "é'\"\\", "n": str(number)} if number % 2 else {},
                late_policy=IN_TIME_ORDER if number % 10 == 9 else AS_RECORDED,
            )
        )
    ledger.CloseFifo(close(portfolio, "C", close_all=True, exit_reason="over"))
    ledger.CreateEntry(entry(portfolio, "D", price="0"))
    ledger.CloseFifo(close(portfolio, "D"))
    return portfolio


def test_position_entries_are_the_entries(ledger: Ledger, traded: str, sql: PlainSql) -> None:
    """Every lot of any status, field by field."""
    rows = sql.rows("SELECT * FROM position_entries WHERE portfolio_id = ? ORDER BY entry_time, sequence", traded)
    listed = [in_sql(lot) for lot in reading.all_entries(ledger, traded)]
    assert [as_shown(row, lot) for row, lot in zip(rows, listed, strict=True)] == listed
    assert {row["status"] for row in rows} >= {"OPEN", "CLOSED", "SUPERSEDED"}


def test_completed_trades_are_the_closed_trades(ledger: Ledger, traded: str, sql: PlainSql) -> None:
    """Every match, in order, field by field."""
    rows = sql.rows('SELECT * FROM completed_trades WHERE portfolio_id = ? ORDER BY sequence, "index"', traded)
    listed = [in_sql(trade) for trade in reading.all_trades(ledger, traded, include_superseded=True)]
    assert [as_shown(row, trade) for row, trade in zip(rows, listed, strict=True)] == listed
    assert None in {row["pnl_pct"] for row in rows}
    counting = [row["trade_id"] for row in rows if row["superseded_sequence"] is None]
    assert counting == [trade.trade_id for trade in reading.all_trades(ledger, traded)]
    assert 50 < len(counting) < len(rows)


def test_current_positions_are_the_open_positions(ledger: Ledger, traded: str, sql: PlainSql) -> None:
    """Their sums as the writer stored them; what is flat is not there."""
    rows = sql.rows("SELECT * FROM current_positions WHERE portfolio_id = ? ORDER BY symbol", traded)
    positions = [in_sql(position) for position in ledger.GetSummary(summary(traded)).positions]
    stored = [{name: value for name, value in place.items() if name not in NOT_STORED} for place in positions]
    assert [as_shown(row, place) for row, place in zip(rows, stored, strict=True)] == stored
    assert {row["symbol"] for row in rows} == {"A", "B"}


def test_a_position_is_the_sum_of_its_open_entries(traded: str, sql: PlainSql) -> None:
    """Quantity, cost and fees, added up here: SQL's SUM is floating point on SQLite."""
    still_open = "status IN ('OPEN', 'PARTIALLY_CLOSED')"
    lots = sql.rows(f"SELECT * FROM position_entries WHERE portfolio_id = ? AND {still_open}", traded)
    for row in sql.rows("SELECT * FROM current_positions WHERE portfolio_id = ?", traded):
        mine = [lot for lot in lots if lot["symbol"] == row["symbol"]]
        remaining = [Decimal(lot["remaining_quantity"]) for lot in mine]
        assert Decimal(row["total_quantity"]) == sum(remaining)
        assert Decimal(row["cost_basis"]) == sum(
            quantity * Decimal(lot["entry_price"]) for quantity, lot in zip(remaining, mine, strict=True)
        )
        assert Decimal(row["open_fees"]) == sum(Decimal(lot["open_fee"]) for lot in mine)
        assert {lot["side"] for lot in mine} == {row["side"]}


@pytest.mark.parametrize("table", TABLES)
def test_columns_are_named_as_the_fields_of_the_contract(sql: PlainSql, table: str) -> None:
    """All of them, and no other."""
    fields = {field.name for field in TABLES[table].DESCRIPTOR.fields}
    for field, numbers in AS_NUMBERS.items():
        fields = fields - {field} | numbers if field in fields else fields
    assert sql.columns(table) == fields


def test_current_positions_has_every_field_that_no_mark_makes(sql: PlainSql) -> None:
    """Named as the fields of a position."""
    fields = {field.name for field in ledger_pb2.Position.DESCRIPTOR.fields}
    assert sql.columns("current_positions") == fields - NOT_STORED
