"""What the ledger answers, as values."""

import copy
import datetime as dt
import pickle
from dataclasses import FrozenInstanceError
from decimal import Decimal, localcontext
from typing import Any, cast

import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from lotkeeper import (
    account,
    account_parts,
    answers,
    parts,
    reconciliation,
    reconciliation_parts,
    responses,
    term_parts,
    terms,
    values,
)
from lotkeeper.enums import (
    DiscrepancyKind,
    DiscrepancyState,
    EntryStatus,
    ExcessPolicy,
    InstrumentKind,
    LatePolicy,
    LotMethod,
    OptionRight,
    PositionMode,
    PositionSide,
    ReconcileMode,
    RecordKind,
    ResolutionKind,
    Restraint,
    Severity,
    Side,
    TradingMode,
)
from lotkeeper.v1 import (
    event_service_pb2,
    explain_service_pb2,
    instrument_service_pb2,
    ledger_pb2,
    ledger_service_pb2,
    market_service_pb2,
    portfolio_service_pb2,
    reconciliation_pb2,
    reconciliation_service_pb2,
)
from lotkeeper.values import Time
from tests.client import samples

EVENT_KINDS = {
    field.name: type(getattr(event_service_pb2.Event(), field.name))
    for field in event_service_pb2.Event.DESCRIPTOR.oneofs_by_name["event"].fields
}
ACTIONS = {
    field.name: type(getattr(reconciliation_service_pb2.DiscrepancyResolution(), field.name))
    for field in reconciliation_service_pb2.DiscrepancyResolution.DESCRIPTOR.oneofs_by_name["action"].fields
}
MIRRORED = [
    (values.Money, ledger_pb2.Money),
    (values.ConversionRate, ledger_pb2.ConversionRate),
    (values.Fill, ledger_pb2.Fill),
    (values.Entry, ledger_pb2.Entry),
    (values.ClosedTrade, ledger_pb2.ClosedTrade),
    (values.RestatedTrade, ledger_pb2.RestatedTrade),
    (values.Position, ledger_pb2.Position),
    (values.Totals, ledger_pb2.Totals),
    (values.BaseTotals, ledger_pb2.BaseTotals),
    (values.GroupPnL, ledger_pb2.GroupPnL),
    (values.GroupLeg, ledger_pb2.GroupLeg),
    (values.PortfolioTotals, ledger_service_pb2.PortfolioTotals),
    (values.Mark, market_service_pb2.Mark),
    (values.FeedStatus, market_service_pb2.FeedStatus),
    (terms.Portfolio, portfolio_service_pb2.Portfolio),
    (terms.Instrument, instrument_service_pb2.Instrument),
    (responses.CreateEntryResponse, ledger_service_pb2.CreateEntryResponse),
    (responses.CloseFifoResponse, ledger_service_pb2.CloseFifoResponse),
    (responses.RecordFillResponse, ledger_service_pb2.RecordFillResponse),
    (responses.FillResult, ledger_service_pb2.FillResult),
    (responses.SetMarksResponse, market_service_pb2.SetMarksResponse),
    (responses.PublishMarksResponse, market_service_pb2.PublishMarksResponse),
    (responses.ListMarksResponse, market_service_pb2.ListMarksResponse),
    (responses.BustFillResponse, event_service_pb2.BustFillResponse),
    (responses.CorrectFillResponse, event_service_pb2.CorrectFillResponse),
    (responses.RecordEventResponse, event_service_pb2.RecordEventResponse),
    (responses.CreatePortfolioResponse, portfolio_service_pb2.CreatePortfolioResponse),
    (responses.UpdatePortfolioResponse, portfolio_service_pb2.UpdatePortfolioResponse),
    (responses.ClosePortfolioResponse, portfolio_service_pb2.ClosePortfolioResponse),
    (responses.DefineInstrumentResponse, instrument_service_pb2.DefineInstrumentResponse),
    (responses.ExplainLine, explain_service_pb2.ExplainLine),
    (responses.ExplainTradeResponse, explain_service_pb2.ExplainTradeResponse),
    *[(getattr(account, message.DESCRIPTOR.name), message) for message in EVENT_KINDS.values()],
    (reconciliation.BrokerPosition, reconciliation_pb2.BrokerPosition),
    (reconciliation.BrokerCash, reconciliation_pb2.BrokerCash),
    (reconciliation.BrokerStatement, reconciliation_pb2.BrokerStatement),
    (reconciliation.ProposedFill, reconciliation_pb2.ProposedFill),
    (reconciliation.Discrepancy, reconciliation_pb2.Discrepancy),
    (reconciliation.ReconcileResponse, reconciliation_pb2.ReconcileResponse),
    (reconciliation.Reconciliation, reconciliation_service_pb2.Reconciliation),
    (reconciliation.DiscrepancyRecord, reconciliation_service_pb2.DiscrepancyRecord),
    (reconciliation.GetReconciliationResponse, reconciliation_service_pb2.GetReconciliationResponse),
    (reconciliation.ResolveDiscrepancyResponse, reconciliation_service_pb2.ResolveDiscrepancyResponse),
    (reconciliation.UndoResolutionResponse, reconciliation_service_pb2.UndoResolutionResponse),
    *[(getattr(reconciliation, message.DESCRIPTOR.name), message) for message in ACTIONS.values()],
]
MIRRORED_ENUMS = [
    (Side, ledger_pb2.Side, "SIDE_"),
    (PositionSide, ledger_pb2.PositionSide, "POSITION_SIDE_"),
    (EntryStatus, ledger_pb2.EntryStatus, "ENTRY_STATUS_"),
    (LotMethod, ledger_pb2.LotMethod, "LOT_METHOD_"),
    (ExcessPolicy, ledger_service_pb2.ExcessPolicy, "EXCESS_POLICY_"),
    (LatePolicy, ledger_service_pb2.LatePolicy, "LATE_POLICY_"),
    (PositionMode, portfolio_service_pb2.PositionMode, "POSITION_MODE_"),
    (TradingMode, portfolio_service_pb2.TradingMode, "TRADING_MODE_"),
    (InstrumentKind, instrument_service_pb2.InstrumentKind, "INSTRUMENT_KIND_"),
    (OptionRight, instrument_service_pb2.OptionRight, "OPTION_RIGHT_"),
    (RecordKind, explain_service_pb2.RecordKind, "RECORD_KIND_"),
    (ReconcileMode, reconciliation_pb2.ReconcileMode, "RECONCILE_MODE_"),
    (DiscrepancyKind, reconciliation_pb2.DiscrepancyKind, "DISCREPANCY_KIND_"),
    (ResolutionKind, reconciliation_pb2.ResolutionKind, "RESOLUTION_KIND_"),
    (Severity, reconciliation_pb2.Severity, "SEVERITY_"),
    (DiscrepancyState, reconciliation_service_pb2.DiscrepancyState, "DISCREPANCY_STATE_"),
    (Restraint, reconciliation_service_pb2.Restraint, "RESTRAINT_"),
]
READERS = [
    (parts.money, ledger_pb2.Money),
    (parts.conversion_rate, ledger_pb2.ConversionRate),
    (parts.fill, ledger_pb2.Fill),
    (parts.entry, ledger_pb2.Entry),
    (parts.closed_trade, ledger_pb2.ClosedTrade),
    (parts.position, ledger_pb2.Position),
    (lambda message: parts.totals([message])[0], ledger_pb2.Totals),
    (parts.base_totals, ledger_pb2.BaseTotals),
    (parts.group_leg, ledger_pb2.GroupLeg),
    (parts.group_pnl, ledger_pb2.GroupPnL),
    (answers.mark, market_service_pb2.Mark),
    (answers.feed_status, market_service_pb2.FeedStatus),
    (answers.explain_line, explain_service_pb2.ExplainLine),
    (term_parts.portfolio, portfolio_service_pb2.Portfolio),
    (term_parts.instrument, instrument_service_pb2.Instrument),
    *[(account_parts.KINDS[name], message) for name, message in EVENT_KINDS.items()],
    (reconciliation_parts.proposed_fill, reconciliation_pb2.ProposedFill),
    (reconciliation_parts.discrepancy, reconciliation_pb2.Discrepancy),
    (reconciliation_parts.reconcile, reconciliation_pb2.ReconcileResponse),
    (reconciliation_parts.in_short, reconciliation_service_pb2.Reconciliation),
    (reconciliation_parts.get_reconciliation, reconciliation_service_pb2.GetReconciliationResponse),
    *[(reconciliation_parts.ACTIONS[name], message) for name, message in ACTIONS.items()],
]


def filled(kind: Any) -> Any:
    """A message with a different value in every plain field, and in those of the messages in it."""
    message = kind()
    for number, field in enumerate(message.DESCRIPTOR.fields, start=1):
        if field.is_repeated:
            continue
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            part = getattr(message, field.name)
            if isinstance(part, Timestamp):
                part.seconds = number
            else:
                part.CopyFrom(filled(type(part)))
        elif field.name == "expiry":
            message.expiry = f"2025-12-{number:02}"
        elif field.type == FieldDescriptor.TYPE_STRING:
            setattr(message, field.name, str(number))
        else:
            setattr(message, field.name, 1 if field.enum_type or field.type == FieldDescriptor.TYPE_BOOL else number)
    return message


def check_read(value: Any, message: Any) -> None:
    """Every plain field of ``value`` is what ``message`` says in the field of its name."""
    for field in message.DESCRIPTOR.fields:
        if field.is_repeated:
            continue
        found, sent = getattr(value, field.name), getattr(message, field.name)
        if isinstance(sent, Timestamp):
            assert found == sent.seconds * 10**9
        elif isinstance(sent, Message):
            check_read(found, sent)
        elif isinstance(found, Decimal):
            assert found == Decimal(sent)
        else:
            assert (found.isoformat() if isinstance(found, dt.date) else found) == sent


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
    check_read(read(message), message)


def test_an_event_has_the_fields_of_its_message_and_one_for_its_kind() -> None:
    """What happened is told by its class, so no field is ever there in vain."""
    plain = {field.name for field in event_service_pb2.Event.DESCRIPTOR.fields} - set(EVENT_KINDS)
    assert set(account.Event.__slots__) == {*plain, "event"}


def test_every_kind_of_event_is_read() -> None:
    """As the class of its name, and as no other."""
    assert set(account_parts.KINDS) == set(EVENT_KINDS)
    for name, kind in EVENT_KINDS.items():
        message = event_service_pb2.Event(sequence=7, event_id="b1", note="n", event_time=samples.stamp())
        getattr(message, name).CopyFrom(filled(kind))
        event = account_parts.event(message)
        assert type(event.event).__name__ == kind.DESCRIPTOR.name
        assert (event.sequence, event.event_id, event.note, event.event_time) == (7, "b1", "n", samples.NOON)


def test_a_resolution_has_the_fields_of_its_message_and_one_for_what_was_done() -> None:
    """What was done is told by its class, and every way of the contract is read."""
    plain = {field.name for field in reconciliation_service_pb2.DiscrepancyResolution.DESCRIPTOR.fields} - set(ACTIONS)
    assert set(reconciliation.DiscrepancyResolution.__slots__) == {*plain, "action"}
    assert set(reconciliation_parts.ACTIONS) == set(ACTIONS)
    for name, kind in ACTIONS.items():
        message = reconciliation_service_pb2.DiscrepancyResolution(
            resolution_id="S3.0", resolved_time=samples.stamp(), resolved_by="ipv4:1", sequences=[2], pnl_effect="-1.5"
        )
        getattr(message, name).CopyFrom(filled(kind))
        read = reconciliation_parts.resolution(message)
        assert type(read.action).__name__ == kind.DESCRIPTOR.name
        assert (read.resolution_id, read.resolved_by, read.sequences) == ("S3.0", "ipv4:1", (2,))
        assert (read.resolved_time, read.pnl_effect) == (samples.NOON, Decimal("-1.5"))


def test_a_decision_that_a_newer_client_made_is_still_a_resolution() -> None:
    """Whoever lists differences does not lose the list over one."""
    newer = reconciliation_service_pb2.DiscrepancyResolution(resolution_id="S3.0", pnl_effect="0")
    assert reconciliation_parts.resolution(newer).action is None


def test_an_event_of_a_newer_kind_is_still_an_event() -> None:
    """Whoever lists a year of them does not lose the year over it."""
    event = account_parts.event(event_service_pb2.Event(sequence=7, event_id="b1"))
    assert (event.sequence, event.event_id, event.event) == (7, "b1", None)


def test_numbers_are_decimals_and_times_are_nanoseconds() -> None:
    """What the server sent, to the digit."""
    entry = parts.entry(samples.entry())
    assert entry.entry_price == Decimal("100.5")
    assert entry.entry_time == samples.NOON
    assert entry.side is PositionSide.LONG
    assert entry.labels == {"strategy": "s"}


def test_a_number_is_not_rounded_to_the_callers_precision() -> None:
    """Products have more digits than Python's default context of 28."""
    digits = "12345678901234567890.123456789012345678901234567890123456"
    with localcontext() as context:
        context.prec = 5
        assert str(parts.number(digits)) == digits


def test_what_the_ledger_does_not_know_is_none() -> None:
    """Never 0 for lack of a price (law 12)."""
    position = parts.position(samples.position())
    assert position.unrealized_pnl is None
    assert position.mark_price is None
    assert position.mark_time is None
    assert parts.closed_trade(samples.closed_trade()).pnl_pct is None
    totals = parts.totals([samples.totals()])[0]
    assert (totals.unrealized_pnl, totals.total_value) == (None, None)
    base = parts.base_totals(samples.base_totals())
    assert (base.unrealized_pnl, base.currency_pnl) == (None, None)
    group = parts.group_pnl(samples.group_pnl())
    assert (group.unrealized_pnl, group.pnl_per_contract) == (None, None)
    undeclared = term_parts.instrument(instrument_service_pb2.Instrument(symbol="X", multiplier="1"))
    assert (undeclared.price_step, undeclared.expiry, undeclared.strike) == (None, None, None)


def test_sums_over_trades_hold_no_cash() -> None:
    """Nor does an older server tell of it: not known, and not 0."""
    totals = parts.totals([samples.totals()])[0]
    assert [totals.funding, totals.interest, totals.dividends, totals.charged_fees, totals.cash] == [None] * 5


def test_a_server_from_before_multipliers_counts_units_as_one() -> None:
    """It has no other contracts."""
    assert parts.position(samples.position()).multiplier == 1


def test_a_restated_trade_has_one_side_where_there_is_no_other() -> None:
    """A trade that is no more, one that was not there before, and one that is another now."""
    gone, new, changed = parts.restated_trades(
        [
            samples.restated(before=samples.closed_trade(2)),
            samples.restated(after=samples.closed_trade(3)),
            samples.restated(samples.closed_trade(2), samples.closed_trade(3)),
        ]
    )
    assert (gone.after, new.before) == (None, None)
    assert gone.before is not None
    assert new.after is not None
    assert (changed.before, changed.after) == (gone.before, new.after)


def test_a_group_is_read_with_its_legs() -> None:
    """A long put at 1,320 and a short put at 2,100, one contract each, give a credit of 780."""
    group = parts.group_pnl(samples.group_pnl())
    assert (group.entry_credit, group.entry_credit_per_contract, group.contracts) == (
        Decimal(780),
        Decimal(780),
        Decimal(1),
    )
    assert [(leg.symbol, leg.side, leg.entry_credit) for leg in group.legs] == [
        ("P1", PositionSide.SHORT, Decimal(2100))
    ]


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
        parts.entry(ledger_pb2.Entry(entry_id="e"))


def test_a_time_is_an_int_and_a_datetime() -> None:
    """Exact as the one, readable as the other."""
    time = Time(samples.NOON)
    assert time - 1 == samples.NOON - 1
    assert time.datetime == dt.datetime(2023, 11, 14, 22, 13, 20, 123456, tzinfo=dt.UTC)
    assert Time.of(time.datetime) == samples.NOON // 1_000 * 1_000


def test_a_value_cannot_be_changed() -> None:
    """Two threads may hold the same position."""
    position = parts.position(samples.position())
    with pytest.raises(FrozenInstanceError):
        cast("Any", position).total_quantity = Decimal(0)


def test_a_value_can_be_hashed_copied_and_pickled() -> None:
    """It may sit in a set, and cross to another process."""
    trade = parts.closed_trade(samples.closed_trade())
    assert {trade, copy.deepcopy(trade), pickle.loads(pickle.dumps(trade))} == {trade}


def test_a_number_of_a_newer_contract_is_kept() -> None:
    """The answer is not lost over a field the bot may never look at."""
    newer = PositionSide(7)
    assert newer == 7
    assert newer.name == "UNKNOWN_7"
    assert newer not in list(PositionSide)
    assert (
        parts.position(ledger_pb2.Position.FromString(samples.position().SerializeToString() + b"\x18\x07")).side == 7
    )


def test_what_is_no_number_is_no_member() -> None:
    """Tolerance is for the future, not for mistakes."""
    with pytest.raises(ValueError, match="not a valid"):
        Side("BUY")  # type: ignore[arg-type] # the mistake under test
