"""What the ledger answers, as values."""

import copy
import datetime as dt
import pickle
from dataclasses import FrozenInstanceError
from decimal import Decimal, localcontext
from typing import Any, cast

import pytest
from google.protobuf.descriptor import FieldDescriptor

from lotkeeper import answers, values
from lotkeeper.enums import EntryStatus, ExcessPolicy, PositionSide, Side
from lotkeeper.v1 import ledger_pb2, ledger_service_pb2, market_service_pb2
from lotkeeper.values import Time
from tests.client import samples

MIRRORED = [
    (values.Entry, ledger_pb2.Entry),
    (values.ClosedTrade, ledger_pb2.ClosedTrade),
    (values.Position, ledger_pb2.Position),
    (values.Totals, ledger_pb2.Totals),
    (values.PortfolioTotals, ledger_service_pb2.PortfolioTotals),
    (values.CreateEntryResponse, ledger_service_pb2.CreateEntryResponse),
    (values.CloseFifoResponse, ledger_service_pb2.CloseFifoResponse),
    (values.RecordFillResponse, ledger_service_pb2.RecordFillResponse),
    (values.Mark, market_service_pb2.Mark),
    (values.FeedStatus, market_service_pb2.FeedStatus),
    (values.SetMarksResponse, market_service_pb2.SetMarksResponse),
    (values.PublishMarksResponse, market_service_pb2.PublishMarksResponse),
    (values.ListMarksResponse, market_service_pb2.ListMarksResponse),
]
MIRRORED_ENUMS = [
    (Side, ledger_pb2.Side, "SIDE_"),
    (PositionSide, ledger_pb2.PositionSide, "POSITION_SIDE_"),
    (EntryStatus, ledger_pb2.EntryStatus, "ENTRY_STATUS_"),
    (ExcessPolicy, ledger_service_pb2.ExcessPolicy, "EXCESS_POLICY_"),
]
READERS = [
    (answers.entry, ledger_pb2.Entry),
    (answers.closed_trade, ledger_pb2.ClosedTrade),
    (answers.position, ledger_pb2.Position),
    (answers.mark, market_service_pb2.Mark),
    (answers.feed_status, market_service_pb2.FeedStatus),
]


def filled(kind: Any) -> Any:
    """A message with a different value in every plain field."""
    message = kind()
    for number, field in enumerate(message.DESCRIPTOR.fields, start=1):
        if field.is_repeated:
            continue
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            getattr(message, field.name).seconds = number
        elif field.type == FieldDescriptor.TYPE_STRING:
            setattr(message, field.name, str(number))
        else:
            setattr(message, field.name, 1 if field.enum_type or field.type == FieldDescriptor.TYPE_BOOL else number)
    return message


@pytest.mark.parametrize(("value", "message"), MIRRORED)
def test_a_value_has_the_fields_of_its_message(value: Any, message: Any) -> None:
    """None is forgotten when the contract grows, and none has another name."""
    assert set(value.__slots__) == {field.name for field in message.DESCRIPTOR.fields}


@pytest.mark.parametrize(("known", "contract", "prefix"), MIRRORED_ENUMS)
def test_an_enum_has_the_members_of_the_contract(known: Any, contract: Any, prefix: str) -> None:
    """Name for name and number for number."""
    assert {f"{prefix}{member.name}": member.value for member in known} == dict(contract.items())


@pytest.mark.parametrize(("read", "kind"), READERS)
def test_every_field_is_read_from_its_own(read: Any, kind: Any) -> None:
    """Each field of the message holds another value, so none can stand in for its neighbour."""
    message = filled(kind)
    value = read(message)
    for field in message.DESCRIPTOR.fields:
        if field.is_repeated:
            continue
        found, sent = getattr(value, field.name), getattr(message, field.name)
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            assert found == sent.seconds * 10**9
        elif isinstance(found, Decimal):
            assert found == Decimal(sent)
        else:
            assert found == sent


def test_numbers_are_decimals_and_times_are_nanoseconds() -> None:
    """What the server sent, to the digit."""
    entry = answers.entry(samples.entry())
    assert entry.entry_price == Decimal("100.5")
    assert entry.entry_time == samples.NOON
    assert entry.side is PositionSide.LONG
    assert entry.labels == {"strategy": "s"}


def test_a_number_is_not_rounded_to_the_callers_precision() -> None:
    """Products have more digits than Python's default context of 28."""
    digits = "12345678901234567890.123456789012345678901234567890123456"
    with localcontext() as context:
        context.prec = 5
        assert str(answers.number(digits)) == digits


def test_what_the_ledger_does_not_know_is_none() -> None:
    """Never 0 for lack of a price (law 12)."""
    position = answers.position(samples.position())
    assert position.unrealized_pnl is None
    assert position.mark_price is None
    assert position.mark_time is None
    assert answers.closed_trade(samples.closed_trade()).pnl_pct is None
    assert answers.totals([samples.totals()])[0].unrealized_pnl is None


def test_a_lot_that_was_not_opened_is_none() -> None:
    """RecordFill that only closed has no entry to show."""
    answer = ledger_service_pb2.RecordFillResponse(
        closed_trades=[samples.closed_trade()], position=samples.position(), sequence=2, closed_trade_count=1
    )
    result = answers.record_fill(answer)
    assert result.opened_entry is None
    assert [trade.net_pnl for trade in result.closed_trades] == [Decimal("0.96")]


def test_a_message_without_its_numbers_is_not_read_as_zeros() -> None:
    """A server of another contract is found out, not believed."""
    with pytest.raises(ValueError, match="'' where a decimal belongs"):
        answers.entry(ledger_pb2.Entry(entry_id="e"))


def test_a_time_is_an_int_and_a_datetime() -> None:
    """Exact as the one, readable as the other."""
    time = Time(samples.NOON)
    assert time - 1 == samples.NOON - 1
    assert time.datetime == dt.datetime(2023, 11, 14, 22, 13, 20, 123456, tzinfo=dt.UTC)
    assert Time.of(time.datetime) == samples.NOON // 1_000 * 1_000


def test_a_value_cannot_be_changed() -> None:
    """Two threads may hold the same position."""
    position = answers.position(samples.position())
    with pytest.raises(FrozenInstanceError):
        cast("Any", position).total_quantity = Decimal(0)


def test_a_value_can_be_hashed_copied_and_pickled() -> None:
    """It may sit in a set, and cross to another process."""
    trade = answers.closed_trade(samples.closed_trade())
    assert {trade, copy.deepcopy(trade), pickle.loads(pickle.dumps(trade))} == {trade}


def test_a_number_of_a_newer_contract_is_kept() -> None:
    """The answer is not lost over a field the bot may never look at."""
    newer = PositionSide(7)
    assert newer == 7
    assert newer.name == "UNKNOWN_7"
    assert newer not in list(PositionSide)
    assert (
        answers.position(ledger_pb2.Position.FromString(samples.position().SerializeToString() + b"\x18\x07")).side == 7
    )


def test_what_is_no_number_is_no_member() -> None:
    """Tolerance is for the future, not for mistakes."""
    with pytest.raises(ValueError, match="not a valid"):
        Side("BUY")  # type: ignore[arg-type] # the mistake under test
